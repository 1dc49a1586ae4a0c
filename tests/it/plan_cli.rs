//! A joint action from the draft to the summary by the command line only, between two real nodes.

use std::process::Output;

use icalendar::{Component, EventLike};
use liandong::domain::Date;
use serde_json::Value;

use super::api::{HERE, THERE};
use super::nodes::{Nodes, exe, plan, until};

/// A city's own folder, and its command line.
pub struct Desk<'a> {
    pub nodes: &'a Nodes,
    pub city: u32,
}

impl Desk<'_> {
    pub fn run(&self, command: &str, args: &[&str]) -> Output {
        let mut program = std::process::Command::new(exe());
        program.args([command, "--profile", "client.toml"]).args(args);
        program.current_dir(self.nodes.fleet.folder(self.city)).output().unwrap()
    }

    /// What a plan command says that has to succeed.
    pub fn plan(&self, args: &[&str]) -> String {
        let output = self.run("plan", args);
        assert!(output.status.success(), "{args:?}\n{}", said(&output));
        said(&output)
    }

    /// What a plan command says that is refused: exit code 1, and nothing was changed.
    pub fn refused(&self, args: &[&str]) -> String {
        let output = self.run("plan", args);
        assert_eq!(output.status.code(), Some(1), "{args:?}\n{}", said(&output));
        said(&output)
    }

    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.plan(&[args, &["--json"]].concat())).unwrap()
    }

    /// The plan once something is so.
    pub async fn seen(&self, number: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        until(what, || async {
            let shown = self.run("plan", &["show", number, "--json"]);
            let found: Value = serde_json::from_slice(&shown.stdout).ok()?;
            is(&found["plan"]).then(|| found["plan"].clone())
        })
        .await
    }

    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.nodes.fleet.folder(self.city).join(name)
    }
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn today() -> Date {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Date::beijing(i64::try_from(now).unwrap()).unwrap()
}

pub fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// Officers and a site, registered by command line.
pub fn register(here: &Desk<'_>, there: &Desk<'_>) {
    let (from, to) = ("2024-01-01", today().plus_days(900).unwrap().to_string());
    for (desk, number) in [
        (here, "37150099001"),
        (here, "37150099002"),
        (here, "37150099003"),
        (there, "13040099001"),
    ] {
        let officer = ["new", "--kind", "执法人员", "--department", "生态环境", "--number", number];
        let valid = ["--team", "执法一大队", "--valid-from", from, "--valid-until", &to];
        let made = desk.run("unit", &[officer.as_slice(), &valid].concat());
        assert!(made.status.success(), "{}", said(&made));
    }
    let site = ["new", "--name", "示例纸业有限公司", "--uscc", "91371522YYYY90011A"];
    let facts = ["--county", "371522", "--tier", "重点", "--medium", "WATER"];
    let place = ["--industry", "C2221", "--lon", "115.671234", "--lat", "36.233456"];
    let made = here.run("site", &[site.as_slice(), &facts, &place].concat());
    assert!(made.status.success(), "{}", said(&made));
}

/// The template as somebody fills it in: an inspection today, whatever day of the week it is.
pub fn filled_in(template: &str) -> String {
    let day = today();
    let visit = format!("[[visits]]\nsite = \"示例纸业有限公司\"\nat = \"{day}上午\"\n\n[record]");
    let filled = template
        .replace("overtime = []", &format!("overtime = [\"{day}\"]"))
        .replace(
            "city = \"130400\"\nneeds = [\"执法人员=2\"]",
            "city = \"邯郸\"\nneeds = [\"执法人员=1\"]",
        )
        .replace("\n[record]", &format!("\n{visit}"))
        .replace("\ntitle = \"\"", "\ntitle = \"聊邯交界涉水企业联合检查\"")
        .replace("\nmeeting_place = \"\"", "\nmeeting_place = \"示例镇政府门前\"");
    assert!(filled != template && filled.contains("邯郸"));
    filled
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_action_from_draft_to_summary_by_command_line() {
    let cities = [HERE, THERE];
    let nodes = Nodes::start_all(&plan(&cities, &[("聊邯", &cities)]));
    for city in cities {
        let client = nodes.client(city).await;
        super::api::ready(&client, &nodes.fleet.agreements[0].name()).await;
    }
    let (here, there) = (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
    register(&here, &there);

    // A draft lies on this machine only; it is checked, and then proposed.
    here.plan(&["template", "--out", "draft.toml"]);
    let again = here.run("plan", &["template", "--out", "draft.toml"]);
    assert_eq!(again.status.code(), Some(5), "a draft is never overwritten");
    has(&here.refused(&["new", "draft.toml", "--check"]), &["TEXT_EMPTY", "draft.record.title"]);
    let template = std::fs::read_to_string(here.file("draft.toml")).unwrap();
    std::fs::write(here.file("draft.toml"), filled_in(&template)).unwrap();
    has(&here.plan(&["new", "draft.toml", "--check"]), &["核对通过"]);
    has(&here.plan(&["list"]), &["共 0 个"]);
    let made = here.json(&["new", "draft.toml"]);
    let number = made["plan"]["number"].as_str().unwrap().to_owned();
    assert!(number.starts_with("JA-371500-"), "{number}");
    there.seen(&number, "the plan is there", |_| true).await;
    has(&there.plan(&["list", "--mine"]), &[&number, "邯郸：", "共 1 个"]);

    answers(&here, &there, &number).await;
    visits(&here, &there, &number).await;
    calendar(&there, &number);

    // The copy of an earlier plan is a draft again, of another day and without its number.
    here.plan(&["template", "--from", &number, "--out", "next.toml"]);
    let next = std::fs::read_to_string(here.file("next.toml")).unwrap();
    has(&next, &["聊邯交界涉水企业联合检查", "# 示例纸业有限公司", "kind = \"联合检查\""]);
    has(&here.plan(&["new", "next.toml", "--check", "--lang", "en"]), &["it is fit"]);
}

/// From opinions to the beginning.
async fn answers(here: &Desk<'_>, there: &Desk<'_>, number: &str) {
    has(&there.refused(&["answer", number, "changes"]), &["REQUIRED", "text"]);
    there.plan(&["answer", number, "changes", "--text", "请写明集合地点"]);
    let asked = |plan: &Value| plan["answers"][0]["kind"] == "CHANGES_REQUESTED";
    here.seen(number, "the opinion is here", asked).await;
    has(&here.plan(&["resolve", number, "邯郸", "adopted", "--text", "已写明"]), &["采纳"]);
    here.plan(&["amend", number, "--meeting-place", "示例镇政府门前广场"]);

    // Nothing is settled before all have confirmed; what is lacking is said with its rule.
    let early = here.refused(&["schedule", number]);
    has(&early, &["操作未执行", "NOT_CONFIRMED", "liandong plan show"]);
    has(&here.refused(&["answer", number, "confirm", "--unit", "99999999999"]), &["找不到"]);
    let two = ["--unit", "37150099001", "--unit", "37150099002", "--recuse", "37150099003"];
    let answer = ["answer", number, "confirm"];
    has(&here.plan(&[answer.as_slice(), &two].concat()), &["确认中", "尚缺条件", "依据"]);
    let amended = |plan: &Value| plan["record"]["meeting_place"] == "示例镇政府门前广场";
    there.seen(number, "the texts are there", amended).await;
    let until = today().plus_days(3).unwrap().to_string();
    let one = ["answer", number, "tentative", "--unit", "13040099001", "--until", &until];
    has(&there.plan(&one), &["初步同意", "预留至"]);
    // What was held is sent.
    has(&there.plan(&answer), &["派出 13040099001"]);
    let all = |plan: &Value| {
        let answers = plan["answers"].as_array().unwrap();
        answers.iter().filter(|one| one["kind"] == "CONFIRM").count() == 2
    };
    let whole = here.seen(number, "all have confirmed", all).await;
    assert_eq!(whole["findings"].as_array().unwrap().len(), 0, "{whole:#}");
    here.plan(&["schedule", number]);
    there.seen(number, "it is settled", |plan| plan["state"] == "SCHEDULED").await;
    let three = ["--unit", "37150099001", "--unit", "37150099003"];
    let swap = [["swap", number].as_slice(), &three].concat();
    // Who was recused stays so until that is taken back, whoever is sent.
    has(&here.refused(&swap), &["HOST_OFFICERS_MISSING"]);
    let swapped = here.plan(&[swap.as_slice(), &["--lift", "37150099003"]].concat());
    has(&swapped, &["37150099001", "37150099003"]);
    // Who stays at home is not shown as sent, only as who was when it was confirmed.
    let (sent, confirmed) = swapped.split_once("调整后的力量（确认时派出").expect("both are told");
    assert!(!sent.contains("回避"), "{swapped}");
    assert!(!sent.contains("37150099002") && confirmed.contains("37150099002"), "{swapped}");
    let voided = here.run("plan", &["revise", number, "draft.toml"]);
    assert_eq!(voided.status.code(), Some(2), "nobody has said yes: {}", said(&voided));
    has(&said(&voided), &["已确认参加", "--yes"]);
    has(&here.plan(&["begin", number]), &["执行中"]);
    there.seen(number, "it is begun", |plan| plan["state"] == "EXECUTING").await;
}

/// From the arrival to the summary.
async fn visits(here: &Desk<'_>, there: &Desk<'_>, number: &str) {
    let site = "示例纸业有限公司";
    let team = ["--officer", "37150099001", "--officer", "37150099003", "--guest", "13040099001"];
    has(&here.plan(&[["check-in", number, site].as_slice(), &team].concat()), &["到场"]);
    let on = today().to_string();
    let report = ["report", number, site, "--on", &on, "--check", "生态环境=12/2"];
    let said = "危险废物标识不全";
    let told = [report.as_slice(), &["--samples", "1", "--clues", "1", "-m", said]].concat();
    let told = here.plan(&told);
    has(&told, &["检查项 12 项", "问题 2 个", "线索 1 条", "情况说明：危险废物标识不全"]);
    // Whoever reports it anew is shown what stands there, and names it.
    let again = here.refused(&report);
    has(&again, &["RESULT_CHANGED", said, "--replaces"]);
    let shown = there.seen(number, "the words are there", |one| one["visits"][0]["text"] == said);
    let shown = shown.await["visits"][0]["result_entry"].clone();
    assert!(shown["afterwards"] == false && shown["corrections"] == 0, "{shown}");
    let entry = shown["entry"].as_str().unwrap();
    assert!(again.contains(entry), "{again}");
    let more = ["--samples", "1", "--clues", "1", "-m", "标识已补正", "--replaces", entry];
    has(&here.plan(&[report.as_slice(), &more].concat()), &["情况说明：标识已补正", "更正 1 次"]);
    here.plan(&["finding", number, "91371522YYYY90011A"]);
    has(&here.refused(&["release", number]), &["UNITS_NEEDED"]);
    here.plan(&["results", number]);
    has(&here.refused(&["summarize", number]), &["RESULTS_NOT_IN"]);
    there.plan(&["results", number]);
    let reported = |plan: &Value| plan["state"] == "RESULTS_REPORTED";
    here.seen(number, "all results are in", reported).await;
    let done = here.plan(&["summarize", number]);
    has(&done, &["已总结", "检查企业1家", "发现问题2个"]);
    there.seen(number, "the summary is there", |plan| plan["state"] == "SUMMARIZED").await;
    here.plan(&["release", number]);
    has(&there.plan(&["show", number, "--lang", "en"]), &["summary", "Handan", "answers"]);
    has(&here.plan(&["list", "--state", "已总结", "--city", "130400", "--from", &on]), &[number]);
    has(&here.plan(&["list", "--mine"]), &["共 0 个"]);
}

/// The calendar file, as somebody else's parser reads it.
fn calendar(there: &Desk<'_>, number: &str) {
    there.plan(&["ics", number, "--out", "plan.ics"]);
    let text = std::fs::read_to_string(there.file("plan.ics")).unwrap();
    let calendar: icalendar::Calendar = text.parse().unwrap();
    let event = calendar.components.iter().find_map(|one| one.as_event()).unwrap();
    assert_eq!(event.get_summary(), Some("聊邯交界涉水企业联合检查"));
    assert_eq!(event.get_location(), Some("示例镇政府门前广场"));
    assert!(there.plan(&["ics"]).contains("BEGIN:VEVENT"), "all plans of the agreement");
}
