//! The command line: one subcommand a file, for people first, for programs with `--json`.
//!
//! In scope: arguments, output, exit codes. Out of scope: what a node does with a request.
//!
//! Invariants:
//! 1. What other people typed reaches a terminal only through [`table::clean`].
//!    (`other_peoples_text_cannot_steer_the_terminal`)
//! 2. A write whose answer was lost says so and names the flags for a safe retry.
//!    (`a_lost_answer_to_a_write_is_not_a_refusal`)
//! 3. Standard output carries results only; progress and errors go to standard error.

use clap::{Parser, Subcommand};

use self::connect::Client;
use self::failure::{EXIT_CODES, Exit, Failure};
use self::profile::{Profile, ProfileArgs};
use crate::lang::Lang;
pub use crate::shown::{names, when};
pub use crate::wire::words;

pub mod agreement;
pub mod bench;
pub mod card;
pub mod case;
pub mod catalog;
pub mod check;
pub mod confirm;
pub mod connect;
pub mod demo;
pub mod dial_error;
mod dispatch;
pub mod doctor;
pub mod epoch;
pub mod erase;
pub mod evidence;
pub mod failure;
pub mod files;
pub mod fleet;
mod follow;
pub mod fork;
pub mod hook;
pub mod ingest;
pub mod json;
pub mod meeting;
pub mod notice;
pub mod page;
pub mod paper;
pub mod people;
pub mod pki;
pub mod plan;
pub mod profile;
pub mod rebuild;
mod report;
pub mod roles;
mod sample_file;
pub mod serve;
mod sheet_file;
mod short_id;
pub mod site;
pub mod status;
pub mod status_text;
pub mod suspend;
pub mod table;
pub mod unit;
pub mod verify;
pub mod watch;
mod written;

/// 联动：相邻城市之间交换边界地区案件，无需中心平台 · neighbouring cities exchange boundary-area
/// cases without a centre
#[derive(Parser, Debug)]
#[command(name = "liandong", version, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(clap::Args, Debug, Clone)]
pub struct Global {
    /// 语言 · language
    #[arg(long, global = true, value_enum, default_value = "zh", env = "LIANDONG_LANG")]
    pub lang: Lang,
    /// 输出 JSON，供程序使用 · JSON for programs
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// 运行本市节点 · run the node of this city
    Serve(serve::ServeArgs),
    /// 演示：本机五市节点、四十件样例案件 · five cities on this machine, forty sample cases
    Demo(demo::DemoArgs),
    /// 案件 · boundary-area cases
    Case(case::CaseArgs),
    /// 信息通报、突发事件通报 · notices to other cities
    Notice(notice::NoticeArgs),
    /// 联席会议：轮值召集、会议纪要 · joint meetings and their minutes
    Meeting(meeting::MeetingArgs),
    /// 执法力量：登记、占用、各市都能参加的时段 · officers, vehicles, drones; free and busy
    Unit(unit::UnitArgs),
    /// 检查对象：登记、正面清单、检查、年度上限 · sites, positive lists, checks, the yearly cap
    Site(site::SiteArgs),
    /// 证据：文件传送、登记接收、证据互认、原件移交 · files, recognition, custody
    Evidence(evidence::EvidenceArgs),
    /// 联合行动：发起、答复、排定、抽取、结果、总结、日历 · joint actions, from draft to summary
    Plan(plan::PlanArgs),
    /// 接入其他系统的数据，生成线索 · clues from other systems' data
    Ingest(ingest::IngestArgs),
    /// 代码目录：各种代码、违法行为的法律依据 · every code list, and legal bases
    Catalog(catalog::CatalogArgs),
    /// 持续接收案件变化，断线后续接 · follow changes, resuming after a drop
    Watch(watch::WatchArgs),
    /// 本市节点与各市连接情况 · how the node and its links are
    Status(status::StatusArgs),
    /// 逐步检查连接：网络、加密、证书、权限、时钟、版本 · check a connection step by step
    Check(check::CheckArgs),
    /// 体检：每个环节是否正常、怎么办 · every dependency, and what to do
    Doctor(doctor::DoctorArgs),
    /// 事项提醒：试发一条，看是否送达 · nudges: send a test and see whether it arrives
    Hook(hook::HookArgs),
    /// 一市两份记录不一致的证据 · proofs that a city signed two histories
    Fork(fork::ForkArgs),
    /// 在本机暂停一市：断开连接，其新记录不生效 · suspend a city on this node, at once
    Suspend(suspend::SuspendArgs),
    /// 恢复已暂停的城市：节点自动重启并重建视图 · lift it; the node starts again by itself
    Resume(suspend::ResumeArgs),
    /// 依法删除本市记录中的一份内容，各市一并删除 · erase a part of an own entry everywhere
    Erase(erase::EraseArgs),
    /// 本市节点在协议中开始或另起记录 · begin the records of this node in an agreement
    Epoch(epoch::EpochArgs),
    /// 联动协议：起草、签署、交给节点 · linkage agreements: draft, sign, hand in
    Agreement(agreement::AgreementArgs),
    /// 本市名片：地址、证书机构、值班电话 · the card of the own city
    Card(card::CardArgs),
    /// 现有证书登记与停用 · enrol certificates, disable identities
    People(people::PeopleArgs),
    /// 由日志重建视图（节点须已停止） · rebuild the views of a stopped node
    Rebuild(rebuild::RebuildArgs),
    /// 各角色权限一览 · who may call what
    Roles,
    /// 核对打印件是否有据 · whether a printed paper rests on a record
    Verify(paper::VerifyArgs),
    /// 城市密钥与试用证书 · city keys, and certificates for trying out
    Pki(pki::PkiArgs),
    /// 在本机测速：写入、交换、补齐，附底线 · measure this machine's speed, with the floors beside it
    Bench(bench::BenchArgs),
}

/// Language and form of output, and where the node is.
#[derive(Clone, Debug)]
pub struct Context {
    /// Language.
    pub lang: Lang,
    /// JSON instead of text.
    pub json: bool,
    /// Flags that win over the profile.
    pub profile: ProfileArgs,
}

impl Context {
    /// The same with the connection flags of a command.
    #[must_use]
    pub fn with(&self, profile: ProfileArgs) -> Self {
        Self { profile, ..self.clone() }
    }

    /// The client profile.
    ///
    /// # Errors
    /// [`Failure`] naming what is missing.
    pub fn profile(&self) -> Result<Profile, Failure> {
        Profile::load(&self.profile, self.lang)
    }

    /// An open connection to the own city's node.
    ///
    /// # Errors
    /// [`Failure`] that says at which step it failed.
    pub async fn connect(&self) -> Result<Client, Failure> {
        Client::open(&self.profile()?, self.lang).await
    }

    /// Prints one JSON value.
    pub fn print_json(&self, value: &serde_json::Value) {
        println!("{value:#}");
    }
}

/// Runs a command line to its end; prints the failure, if there is one.
pub async fn run(cli: Cli) -> Exit {
    let Global { lang, json } = cli.global;
    let context = Context { lang, json, profile: ProfileArgs::default() };
    match dispatch::dispatch(&context, cli.command).await {
        Ok(()) => Exit::Ok,
        // All is said already.
        Err(failure) if failure.what.is_empty() => failure.exit,
        Err(failure) => {
            if json {
                eprintln!("{}", failure.json());
            } else {
                eprintln!("{}", failure.text(lang));
            }
            failure.exit
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_documents_exit_codes() {
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("退出码") && help.contains("  4  "), "{help}");
    }

    const UNDERSTOOD: &[&str] = &[
        "liandong case new --from a.json --pick X --agreement 聊邯",
        "liandong case list --mine --state 已立案 --state CLOSED --all --json",
        "liandong case show LD-聊邯-2026-聊0005 --lang en",
        "liandong case move LD-1 立案 --on 2026-11-20 --text 理由",
        "liandong case move LD-1 file --etag ab:3 --request-id r",
        "liandong case transfer LD-1 --to 130400",
        "liandong case accept LD-1 --acting-for 37150099011",
        "liandong case designate LD-1 --city 130400 --authority ministry \
         --designated-on 2026-11-20 --document 1号",
        "liandong case assign LD-1 --to 张三 --remark 下周复查 --json",
        "liandong case assign LD-1 --clear",
        "liandong case assign LD-1 --to 张三 --etag ab12",
        "liandong case assign LD-1 --to 张三 --replace",
        "liandong case list --assignee 张三",
        "liandong case note LD-1 -m 说明 --only-for 130400",
        "liandong case refuse LD-1 ab:3 --text 理由",
        "liandong catalog",
        "liandong catalog violations --json",
        "liandong catalog basis HAZWASTE_STORAGE --from 2026-07-01 --to 2026-08-14",
        "liandong catalog basis HAZWASTE_STORAGE --decided 2026-09-01 --json",
        "liandong watch --cursor c --count 3",
        "liandong --json status --api 127.0.0.1:1",
        "liandong case --api 127.0.0.1:1 list",
        "liandong case list --api 127.0.0.1:1 --node-city 371500",
        "liandong check 127.0.0.1:7444",
        "liandong doctor --config liandong.toml --json",
        "liandong hook test --config liandong.toml --json",
        "liandong suspend 130400 --reason 密钥失窃",
        "liandong resume 130400 --json",
        "liandong fork list --json",
        "liandong fork export proof --log 3f2a",
        "liandong epoch new --agreement 聊邯 --city-key city.key --yes",
        "liandong agreement draft --short-name 聊邯 --member 371500:聊:聊城:ab",
        "liandong agreement sign a.agreement --city-key city.key",
        "liandong agreement add a b c --config liandong.toml",
        "liandong agreement add a --api 127.0.0.1:1",
        "liandong agreement verify 聊邯 --json",
        "liandong card new --config liandong.toml --address a:1 --number 2",
        "liandong people add a.pem --role inspector --id 37150011 --name 张",
        "liandong people disable coordinator/1 --reason 离岗",
        "liandong people enable --serial 0a:1b --config a.toml",
        "liandong people list --json",
        "liandong roles --lang en",
        "liandong pki init --city 371500 --dir a",
        "liandong pki officer --city 371500 --role admin --id 1",
        "liandong pki revoke a.pem b.pem --json",
        "liandong epoch sign a.request --city-key city.key --json",
        "liandong demo --cities 2 --until-synced --json --dir d --base-port 7000",
        "liandong bench --quick --json --only calls,five",
        "liandong ingest hj212 - --limits a.toml --dry-run",
        "liandong ingest hj212 a.txt --limits a.toml --data hour,day --spool s",
        "liandong ingest hj212 --listen 9012 --limits a.toml --spool s --idle-s 60",
        "liandong notice send --kind EMERGENCY --level 2 --to 130400 --title a -m b",
        "liandong notice send --kind 重污染天气通报 --level 1 --title a --text b --phone 1",
        "liandong notice list --which awaiting --json",
        "liandong notice ack 3f9a --text 已关闭 --acting-for 37150099011",
        "liandong notice watch --cursor c --count 3",
    ];
    const NOT_UNDERSTOOD: &[&str] = &[
        "liandong case list --page-size 0",
        "liandong case list --state 受理",
        "liandong case list --near 130400",
        "liandong case transfer LD-1 --to 371522",
        "liandong case move LD-1 立案 --on 2026-02-30",
        "liandong case new --lon 115",
        "liandong people disable",
        "liandong catalog basis",
        "liandong catalog basis AIR_EXCEED --from 2026-02-30",
        "liandong hook",
        "liandong suspend 130400",
        "liandong resume",
        "liandong people add a.pem --role chief --id 1",
        "liandong demo --cities 6",
        "liandong ingest hj212 --limits a.toml",
        "liandong ingest hj212 a.txt",
        "liandong ingest hj212 a.txt --listen 9012 --limits a.toml --spool s",
        "liandong ingest hj212 --listen 9012 --limits a.toml",
        "liandong ingest hj212 --listen host:9012 --limits a.toml --spool s",
        "liandong notice send --kind EMERGENCY --level 5 --title a -m b",
        "liandong notice send --kind 移送 --title a -m b",
        "liandong notice send --title a",
    ];

    #[test]
    fn lines_are_understood() {
        for line in UNDERSTOOD {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
        for line in NOT_UNDERSTOOD {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn lines_about_many_cases_are_understood() {
        for line in [
            "liandong case import a.csv --dry-run --encoding gb18030 --system 执法平台",
            "liandong case import --template",
            "liandong case export --csv --out a.csv --force --mine --state 已立案",
            "liandong case export --ndjson --agreement 聊邯",
            "liandong case list --party 纸业 --uscc 91371522YYYY90011A --medium 水 --medium AIR",
            "liandong case list --from 2026-08-01 --to 2026-08-31 --near 130400 --within 500",
            "liandong case stats --month 2026-09 --agreement 聊邯 --csv",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
        for line in [
            "liandong case import",
            "liandong case import a.csv --encoding latin-1",
            "liandong case stats --month 2026-13",
            "liandong case list --medium 天",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
