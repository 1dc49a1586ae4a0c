//! What can be told of a node that does not run, from the files its configuration names.
//!
//! Reads all records, as a start and a scrub would. It takes the lock of the data, so that no node
//! starts meanwhile, and changes nothing but an unfinished write at the end, which was never
//! acknowledged.

use crate::audit;
use crate::cli::epoch::known;
use crate::cli::failure::Failure;
use crate::cli::{serve, table};
use crate::config::Config;
use crate::domain::Date;
use crate::journal::{Disk, Guard, Journal, JournalOptions, RealDisk, ScrubAt};
use crate::lang::Lang;
use crate::node::clock::wall_ms;

use super::judge::{self, Finding, Level};

/// Read at a time.
const SLICE_BYTES: usize = 1024 * 1024;

/// Looks at everything that lies here; `why` the node could not be asked.
pub(super) fn look(config: &Config, why: &Failure, lang: Lang) -> Vec<Finding> {
    let mut found = vec![node(why, lang)];
    let held = match known::lock(config, lang) {
        Ok(Some(held)) => Some(held),
        Ok(None) => {
            let what = lang.pick("进程在运行，接口没有应答", "it runs, and its api port is silent");
            let advice = lang.pick(
                "逐步检查：liandong check；地址与证书见客户端设置",
                "check step by step: liandong check; see address and certificate of the client",
            );
            found.push(Finding::green("node", what).at(Level::Red, advice));
            None
        }
        Err(failure) => {
            found.push(folder(&failure.what, lang));
            None
        }
    };
    found.push(writable(config, lang));
    let folder = config.data_dir.join("journal");
    match RealDisk::open(&folder).and_then(|disk| Ok((disk.free_bytes()?, disk))) {
        Ok((free, disk)) => {
            found.push(judge::disk(free, config.limits.disk_low_bytes, lang));
            if held.is_some() {
                found.extend(journal(disk, config, lang));
            }
        }
        Err(error) => found.push(self::folder(&error.to_string(), lang)),
    }
    let now_s = wall_ms() / 1000;
    match serve::own_certificates(config, lang) {
        Ok(ends) => {
            let one = |(name, end_s): &(String, i64)| judge::certificate(name, *end_s, now_s, lang);
            found.extend(ends.iter().map(one));
        }
        Err(failure) => {
            let advice = lang.pick("按所列文件改正", "mend the file named");
            let what = table::clean(&failure.what);
            found.push(Finding::green("certificate", what).at(Level::Red, advice));
        }
    }
    found.push(audit(config, lang));
    found.push(calendar(config, lang));
    found
}

fn node(why: &Failure, lang: Lang) -> Finding {
    let what = lang.pick(
        format!("没有应答（{}）", table::clean(&why.what)),
        format!("does not answer ({})", table::clean(&why.what)),
    );
    let advice = lang
        .pick("启动节点：liandong serve；原因见其日志", "start it: liandong serve; see its log");
    Finding::green("node", what).at(Level::Red, advice)
}

fn calendar(config: &Config, lang: Lang) -> Finding {
    match serve::calendar(config) {
        Ok(known) => {
            let missing = Date::beijing(wall_ms()).map(|today| known.missing_years(today));
            judge::calendar(&missing.unwrap_or_default(), lang)
        }
        Err(failure) => {
            let advice =
                lang.pick("改正 workdays_file 指向的文件", "mend the file of workdays_file");
            Finding::green("calendar", table::clean(&failure.what)).at(Level::Red, advice)
        }
    }
}

fn folder(why: &str, lang: Lang) -> Finding {
    let advice = lang.pick("检查 data_dir 的路径与权限", "check path and rights of data_dir");
    Finding::green("disk", table::clean(why)).at(Level::Red, advice)
}

/// A file that is made and removed tells more than the rights do.
fn writable(config: &Config, lang: Lang) -> Finding {
    let probe = config.data_dir.join("doctor.probe");
    let tried = std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Finding::green("disk", lang.pick("数据目录可写", "the data folder is writable")),
        Err(error) => folder(&format!("{}: {error}", config.data_dir.display()), lang),
    }
}

/// All records, and the mark that tells a restored copy.
fn journal(disk: RealDisk, config: &Config, lang: Lang) -> Vec<Finding> {
    let (journal, report) = match Journal::open(disk, JournalOptions::default()) {
        Ok(opened) => opened,
        Err(error) => {
            let advice = lang.pick(
                "保留数据目录，检查磁盘；必要时从备份恢复",
                "keep the folder, check the disk; restore a backup if needed",
            );
            return vec![Finding::green("journal", error.to_string()).at(Level::Red, advice)];
        }
    };
    let reader = journal.reader();
    let (mut at, mut bytes, mut failed) = (Some(ScrubAt::default()), 0, None);
    while let Some(next) = at {
        match reader.scrub(next, SLICE_BYTES) {
            Ok(found) => (at, bytes) = (found.next, bytes + found.bytes),
            Err(error) => (at, failed) = (None, Some(error)),
        }
    }
    let (mib, damaged) = (bytes >> 20, journal.damaged().len());
    let what = lang.pick(
        format!("已核对 {mib} MiB，损坏 {damaged} 处"),
        format!("{mib} MiB read, {damaged} damaged"),
    );
    let told = Finding::green("journal", what);
    let journal_found = match failed {
        Some(error) => told.at(Level::Red, error.to_string()),
        None if damaged > 0 => told.at(
            Level::Yellow,
            lang.pick(
                "启动后会从其他城市自动取回",
                "once the node runs it is fetched from other cities",
            ),
        ),
        None => told,
    };
    vec![journal_found, guard(config, journal.journal_id(), report.created, lang)]
}

fn guard(config: &Config, id: [u8; 16], is_new: bool, lang: Lang) -> Finding {
    let advice = lang.pick(
        "启动后按旧副本处理：须 liandong epoch new；若误删，不要伪造",
        "it will start as an older copy: liandong epoch new is needed",
    );
    match Guard::read(&config.guard_file) {
        Ok(Some(guard)) if guard.journal_id == id || is_new => {
            Finding::green("guard", lang.pick("在", "is there"))
        }
        Ok(None) if is_new => Finding::green("guard", lang.pick("尚无", "none yet")),
        Ok(Some(_)) => {
            let what = lang.pick("属于另一份数据", "it is of another journal");
            Finding::green("guard", what).at(Level::Red, advice)
        }
        Ok(None) => {
            let what = lang.pick("缺失或损坏", "missing or damaged");
            Finding::green("guard", what).at(Level::Red, advice)
        }
        Err(error) => Finding::green("guard", error.to_string()).at(Level::Red, advice),
    }
}

fn audit(config: &Config, lang: Lang) -> Finding {
    let folder = config.data_dir.join("audit");
    match audit::check(&folder) {
        Ok(count) => {
            let what =
                lang.pick(format!("{count} 个文件，链条完整"), format!("{count} files, whole"));
            Finding::green("audit", what)
        }
        Err(error) => {
            let advice =
                lang.pick("保留文件，查明何人何时改动", "keep the files and find out who did it");
            Finding::green("audit", table::clean(&error.to_string())).at(Level::Red, advice)
        }
    }
}
