//! `liandong status`: how the own city's node is, its links, and how far each city's records are.

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::names::Names;
use super::profile::ProfileArgs;
use super::table::{self, Sheet};
use super::{Context, json, when, words};
use crate::lang::Lang;
use crate::node::watchdog;
use crate::shown::text::in_language;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
}

/// Shows.
///
/// # Errors
/// [`Failure`] when the node cannot be reached or refuses.
pub async fn run(context: &Context, args: StatusArgs) -> Result<(), Failure> {
    let context = &context.with(args.profile);
    let client = context.connect().await?;
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await;
    let answer = answer.map_err(|status| client.failure(&status))?.into_inner();
    let status = answer.status.unwrap_or_default();
    let names = client.names(context.lang).await;
    if context.json {
        let mut shape = json::status(&status);
        if let Some(object) = shape.as_object_mut() {
            object.insert("on_duty".to_owned(), duties(&status, &names));
        }
        context.print_json(&shape);
    } else {
        print!("{}", text(&status, &names, context.lang));
    }
    Ok(())
}

/// The status as people read it.
#[must_use]
pub fn text(status: &pb::Status, names: &Names, lang: Lang) -> String {
    let mut sheet = Sheet::default();
    let writable = if status.writable {
        lang.pick("可登记和办理", "takes writes").to_owned()
    } else {
        let why = in_language(&status.not_writable_reason, lang);
        lang.pick(format!("本市节点停止写入（{why}），可查询"), format!("read-only: {why}"))
    };
    sheet
        .row(lang.pick("本市", "city"), names.city(status.city))
        .row(lang.pick("状况", "state"), writable)
        .row(lang.pick("版本", "version"), status.version.clone())
        .row(lang.pick("节点编号", "node"), status.node_id.clone())
        .row(lang.pick("启动时间", "started"), when::time(status.start_time.as_ref()))
        .row(lang.pick("接口地址", "api port"), status.api_address.clone())
        .row(lang.pick("市间地址", "peer port"), status.peer_address.clone())
        .row(lang.pick("进程号", "pid"), status.pid.to_string())
        .row(lang.pick("数据", "data"), mebibytes(status.journal_bytes))
        .row(lang.pick("磁盘剩余", "disk free"), mebibytes(status.disk_free_bytes));
    sheet.row(lang.pick("值班联系", "on duty"), on_duty(status, names));
    for recovery in &status.recoveries {
        sheet.row(lang.pick("恢复中", "recovering"), recovering(recovery, names, lang));
    }
    for warning in &status.warnings {
        sheet.row(lang.pick("注意", "attention"), in_language(warning, lang));
    }
    sheet.row(lang.pick("数据巡检", "data check"), scrub(status, lang));
    sheet.row(lang.pick("后台任务", "tasks"), tasks(&status.tasks, lang));
    let (links, logs) = (links(&status.links, names, lang), logs(&status.logs, names, lang));
    format!("{}\n{links}\n\n{logs}\n", sheet.text())
}

/// Whom to call in each city: the own one first.
fn on_duty(status: &pb::Status, names: &Names) -> String {
    let told = cities(status).filter_map(|city| {
        let (contact, phone) = names.duty(city)?;
        Some([&*names.city(city), contact, phone].join(" ").replace("  ", " "))
    });
    told.collect::<Vec<_>>().join("\n")
}

/// The same for programs.
fn duties(status: &pb::Status, names: &Names) -> Value {
    let told = cities(status).filter_map(|city| {
        let (contact, phone) = names.duty(city)?;
        Some(json!({ "city": json::city(city), "contact": contact, "phone": phone }))
    });
    told.collect()
}

fn cities(status: &pb::Status) -> impl Iterator<Item = u32> {
    std::iter::once(status.city).chain(status.links.iter().map(|link| link.city))
}

/// When all data were last read again, and what is damaged.
fn scrub(status: &pb::Status, lang: Lang) -> String {
    let Some(scrub) = &status.scrub else {
        return lang.pick("尚未开始", "not begun").to_owned();
    };
    let mut told = match &scrub.last_end_time {
        None => lang.pick("首次核对尚未完成".to_owned(), "the first one is under way".to_owned()),
        Some(at) => {
            let (at, bytes) = (when::time(Some(at)), mebibytes(scrub.last_bytes));
            lang.pick(format!("上次全部核对 {at}，{bytes}"), format!("last full {at}, {bytes}"))
        }
    };
    let (ranges, here) =
        (status.damage.len(), status.damage.iter().filter(|one| one.only_here).count());
    if ranges > 0 {
        told += &lang.pick(
            format!("；损坏 {ranges} 处，其中仅本市存有 {here} 处"),
            format!("; {ranges} damaged, {here} of them held only here"),
        );
    }
    told
}

/// Each task with its age in seconds, and what is wrong with it.
fn tasks(tasks: &[pb::Task], lang: Lang) -> String {
    let one = |task: &pb::Task| {
        let [zh, en] = watchdog::words(&task.name);
        let (what, seconds) = (lang.pick(zh, en), task.age_ms / 1000);
        let late = if task.late { lang.pick("（超时）", " (late)") } else { "" };
        let again = match task.restart_count {
            0 => String::new(),
            n => lang.pick(format!("（重启 {n} 次）"), format!(" (restarted {n}x)")),
        };
        let age = lang.pick(format!("{seconds} 秒前"), format!("{seconds} s ago"));
        format!("{what} {age}{late}{again}")
    };
    tasks.iter().map(one).collect::<Vec<_>>().join(lang.pick("；", "; "))
}

fn mebibytes(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}

fn recovering(recovery: &pb::Recovery, names: &Names, lang: Lang) -> String {
    let agreement = names.agreement(&recovery.agreement);
    if recovery.epoch_needed {
        return lang.pick(
            format!("{agreement}：请先用城市密钥执行 liandong epoch new"),
            format!("{agreement}: first run liandong epoch new with the city key"),
        );
    }
    let waiting = names.list(recovery.waiting_for.iter().copied());
    lang.pick(
        format!("{agreement}：等待 {waiting} 补齐"),
        format!("{agreement}: waiting for {waiting}"),
    )
}

fn links(links: &[pb::Link], names: &Names, lang: Lang) -> comfy_table::Table {
    let headers = lang.pick(
        ["城市", "连接", "地址", "自", "最近来信", "收", "发", "说明"],
        ["city", "link", "address", "since", "last heard", "received", "sent", "why"],
    );
    let mut table = table::table(&headers);
    for link in links {
        table.add_row([
            names.city(link.city),
            words::link(link.state(), lang).to_owned(),
            table::clean(&link.address),
            when::time(link.since_time.as_ref()),
            when::time(link.last_frame_time.as_ref()),
            mebibytes(link.received_bytes),
            mebibytes(link.sent_bytes),
            table::clean(&link.reason),
        ]);
    }
    table
}

fn logs(logs: &[pb::Log], names: &Names, lang: Lang) -> comfy_table::Table {
    let headers = lang.pick(
        ["协议", "哪市记录", "已存", "已生效", "落后", "未生效操作", "系统送达", "说明"],
        ["agreement", "records of", "held", "readable", "behind", "no effect", "held by", "note"],
    );
    let mut table = table::table(&headers);
    for log in logs {
        let holders = log.cosignatures.iter().filter(|one| one.size >= log.stored_size);
        table.add_row([
            names.agreement(&log.agreement),
            names.city(log.city),
            log.stored_size.to_string(),
            log.applied_size.to_string(),
            behind(log, lang),
            log.misfit_count.to_string(),
            names.list(holders.map(|one| one.city)),
            note(log, names, lang),
        ]);
    }
    table
}

fn behind(log: &pb::Log, lang: Lang) -> String {
    if log.lag_entries == 0 {
        return lang.pick("无", "no").to_owned();
    }
    let (entries, seconds) = (log.lag_entries, log.lag_seconds);
    lang.pick(format!("{entries} 条，{seconds} 秒"), format!("{entries}, {seconds} s"))
}

fn note(log: &pb::Log, names: &Names, lang: Lang) -> String {
    let mut notes = Vec::new();
    if log.standing {
        notes.push(lang.pick("已停止接收", "stands still").to_owned());
    }
    if !log.cosignature_contradictions.is_empty() {
        let by = names.list(log.cosignature_contradictions.iter().map(|one| one.city));
        notes.push(lang.pick(
            format!("{by} 的系统送达签名互相矛盾"),
            format!("cosignatures of {by} contradict"),
        ));
    }
    if !log.waiting_for.is_empty() {
        notes.push(lang.pick("等待前序记录到达", "waiting for an earlier record").to_owned());
    }
    if log.last_source != 0 && log.last_source != log.city {
        let via = names.city(log.last_source);
        notes.push(lang.pick(format!("经{via}转来"), format!("came by way of {via}")));
    }
    notes.join(lang.pick("；", "; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> pb::Status {
        pb::Status {
            city: 371_500,
            writable: false,
            not_writable_reason: "磁盘错误".to_owned(),
            journal_bytes: (5 << 20) + (1 << 19),
            links: vec![pb::Link {
                city: 130_400,
                state: pb::LinkState::Down.into(),
                reason: "nobody listens".to_owned(),
                ..pb::Link::default()
            }],
            logs: vec![pb::Log {
                city: 370_900,
                stored_size: 4,
                lag_entries: 2,
                lag_seconds: 7,
                last_source: 371_400,
                waiting_for: "ab:3".to_owned(),
                cosignatures: vec![
                    pb::Cosignature { city: 130_400, size: 4, ..Default::default() },
                    pb::Cosignature { city: 410_900, size: 3, ..Default::default() },
                ],
                ..pb::Log::default()
            }],
            ..pb::Status::default()
        }
    }

    #[test]
    fn status_is_told_in_the_words_of_its_users() {
        let text = text(&status(), &Names::new(Lang::Zh), Lang::Zh);
        for want in [
            "本市节点停止写入（磁盘错误），可查询",
            "5.5 MiB",
            "未连接，正在重试",
            "2 条，7 秒",
            "等待前序记录到达；经德州转来",
        ] {
            assert!(text.contains(want), "{want}\n{text}");
        }
        assert!(!text.contains("濮阳"), "a city that holds less does not hold it all\n{text}");
    }

    #[test]
    fn whom_to_call_is_told_of_each_city_that_says_so() {
        let mut names = Names::new(Lang::Zh);
        let member = |city, phone: &str, contact: &str| pb::Member {
            city,
            duty_phone: phone.to_owned(),
            duty_contact: contact.to_owned(),
            ..Default::default()
        };
        let members = vec![member(371_500, "0635-1", ""), member(130_400, "0310-2", "示例值班室")];
        names.learn(&[pb::Agreement { members, ..Default::default() }]);
        let link = |city| pb::Link { city, ..Default::default() };
        let links = vec![link(130_400), link(410_900)];
        let status = pb::Status { city: 371_500, links, ..Default::default() };
        assert_eq!(on_duty(&status, &names), "聊城 0635-1\n邯郸 示例值班室 0310-2");
        assert!(text(&status, &names, Lang::Zh).contains("邯郸 示例值班室 0310-2"));
        let told = duties(&status, &names);
        assert_eq!(
            told[1],
            json!({"city": json::city(130_400), "contact": "示例值班室", "phone": "0310-2"})
        );
    }

    #[test]
    fn words_of_the_machinery_stay_out() {
        let names = Names::new(Lang::En);
        let text = text(&status(), &names, Lang::En).to_lowercase();
        for word in ["epoch", "journal", "feed", "heads", "guard", "frontier", "fold", "misfit"] {
            assert!(!text.contains(word), "{word}\n{text}");
        }
        assert!(!text.split_whitespace().any(|word| word == "log" || word == "logs"), "{text}");
    }
}
