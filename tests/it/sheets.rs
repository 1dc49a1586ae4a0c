//! Cases in and out of files, by the commands people type.

use std::path::{Path, PathBuf};
use std::process::Command;

use liandong::import::draft;
use liandong::limits::IMPORT_ROWS_MAX;
use liandong::wire::pb::v1 as pb;
use serde_json::{Value, json};

use super::api::{HERE, Pair, THERE, list_all};
use super::nodes::{Nodes, exe};

const SAMPLES: &str = include_str!("../../demo/sample-cases.json");

/// What a command printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.err))
    }
}

/// `liandong case ...` as a coordinator of a city.
pub fn case(nodes: &Nodes, city: u32, args: &[&str]) -> Ran {
    run(nodes, city, &[&["case"], args].concat())
}

fn run(nodes: &Nodes, city: u32, args: &[&str]) -> Ran {
    let profile = nodes.fleet.folder(city).join("client.toml");
    let mut command = Command::new(exe());
    command.args(args).arg("--profile").arg(profile);
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    Ran { code: output.status.code().unwrap(), out: output.stdout, err }
}

/// Sample cases of these two cities that the first one opened, as they stand in the file.
fn samples() -> Vec<Value> {
    let all: Value = serde_json::from_str(SAMPLES).unwrap();
    let ours = |case: &&Value| {
        case["originating_city"] == json!(HERE.to_string())
            && case["shared_with"] == json!([THERE.to_string(), HERE.to_string()])
    };
    all["cases"].as_array().unwrap().iter().filter(ours).cloned().collect()
}

fn ndjson(folder: &Path, name: &str, rows: &[Value]) -> String {
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    write(folder, name, text.as_bytes())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn counts(report: &Value) -> [u64; 4] {
    ["created", "valid", "existing", "refused"].map(|key| report[key].as_u64().unwrap())
}

/// Row, column and reason of what was refused.
fn refusals(report: &Value) -> Vec<(u64, String, String)> {
    let rows = report["rows"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.filter(|row| row["result"] == "REFUSED")
        .map(|row| {
            let refusal = &row["refusal"];
            assert!(!text(&refusal["message"]).is_empty() && !text(&refusal["advice"]).is_empty());
            (row["row"].as_u64().unwrap(), text(&refusal["column"]), text(&refusal["reason"]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once() {
    let pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let rows = samples();
    let count = rows.len() as u64;
    assert!(count >= 5, "{count}");
    let file = ndjson(folder.path(), "own.ndjson", &rows);
    let import = |file: &str, more: &[&str]| {
        case(&pair.nodes, HERE, &[&["import", file, "--json"], more].concat())
    };
    let dry = import(&file, &["--dry-run"]);
    assert_eq!((dry.code, counts(&dry.json())), (0, [0, count, 0, 0]), "{}", dry.err);
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 0, "nothing was written");
    let first = import(&file, &[]);
    assert_eq!((first.code, counts(&first.json())), (0, [count, 0, 0, 0]), "{}", first.err);
    for more in [&[][..], &["--dry-run"]] {
        let again = import(&file, more);
        assert_eq!((again.code, counts(&again.json())), (0, [0, 0, count, 0]), "{}", again.json());
    }
    let cases = list_all(&pair.here, &pair.agreement).await;
    assert_eq!(cases.len() as u64, count);
    let drafts = draft::read_all(SAMPLES).unwrap();
    for case in &cases {
        let external = case.external_ref.clone().unwrap();
        assert_eq!(external.system, "liandong");
        let draft = drafts.iter().find(|draft| draft.case_id == external.number).unwrap();
        assert_eq!(case.record.as_ref().unwrap().title, draft.record.title);
        assert_eq!(case.last_effective_on, draft.reported_on);
    }
    // The same numbers with something else in them.
    let mut changed = rows.clone();
    changed[0]["title"] = json!("另一案由");
    changed[1]["timeline"][0]["on"] = json!("2026-01-02");
    changed.push(rows[2].clone());
    let report = import(&ndjson(folder.path(), "changed.ndjson", &changed), &[]);
    assert_eq!(report.code, 1);
    let (refused, report) = (refusals(&report.json()), report.json());
    assert_eq!(counts(&report), [0, 0, count - 2, 3]);
    let reasons: Vec<_> = refused.iter().map(|(row, _, reason)| (*row, reason.as_str())).collect();
    assert_eq!(reasons, [(1, "CHANGED"), (2, "CHANGED"), (count + 1, "DUPLICATE")]);
    let message = |row: usize| report["rows"][row]["refusal"]["message"].to_string();
    assert!(message(0).contains("：案由；") && message(1).contains("登记日期"), "{report}");
    assert_eq!(list_all(&pair.here, &pair.agreement).await, cases, "nothing was changed");
    two_at_a_time(&pair, folder.path(), &rows).await;
    sheets_are_read_or_refused(&pair, folder.path()).await;
    files_are_refused(&pair, folder.path());
}

/// Somebody starts it twice: each row is opened by one of them.
async fn two_at_a_time(pair: &Pair, folder: &Path, rows: &[Value]) {
    let before = list_all(&pair.here, &pair.agreement).await.len();
    let many: Vec<Value> = (0..60)
        .map(|nth| {
            let mut row = rows[nth % rows.len()].clone();
            row["external_ref"] = json!({ "system": "执法平台", "number": format!("T-{nth}") });
            row
        })
        .collect();
    let file = ndjson(folder, "many.ndjson", &many);
    let import = || case(&pair.nodes, HERE, &["import", &file, "--json"]);
    let both = std::thread::scope(|scope| {
        let both = [scope.spawn(import), scope.spawn(import)];
        both.map(|one| one.join().unwrap())
    });
    let [one, two] = both.map(|ran| {
        assert_eq!(ran.code, 0, "{}", ran.err);
        counts(&ran.json())
    });
    let sums = [0, 1, 2, 3].map(|at| one[at] + two[at]);
    assert_eq!(sums, [60, 0, 60, 0], "{one:?} {two:?}");
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), before + 60);
}

const HEADINGS: &str = "自有系统,自有系统编号,案由,线索来源,污染要素,违法类型,发现时间,登记日期,\
                        统一社会信用代码,当事单位名称,经度,纬度,坐标系,边界范围外共享理由";

/// Rows as Excel in China leaves them: GBK, dates and numbers rewritten.
async fn sheets_are_read_or_refused(pair: &Pair, folder: &Path) {
    let before = list_all(&pair.here, &pair.agreement).await.len();
    let usual = "投诉举报,水,超标排放水污染物";
    let lines = [
        format!("执法平台,A-1,=HYPERLINK(1),{usual},2026/8/3 9:48,2026/8/3 0:00,,,,,,"),
        format!("执法平台,A-2,示例,{usual},2026/8/3 9:48,8/3/2026,,,,,,"),
        format!("执法平台,A-3,示例,{usual},2026/8/3 9:48,46237,,,,,,"),
        format!("执法平台,A-4,示例,{usual},2026/8/3 9:48,2026-08-03,9.13715E+17,示例,,,,"),
        format!("执法平台,A-5,示例,{usual},2026/8/3 9:48,2026-08-03,91371522YYYY90011B,示例,,,,"),
        ",,,,,,,,,,,,,".to_owned(),
        format!("执法平台,A-6,示例,{usual},2026/8/3 9:48,2026-08-03,,,116.9,36.6,EPSG:4490,"),
        format!("执法平台,A-7,示例,{usual},2026/8/3 9:48,2026-08-03,,,115.4,36.2,GCJ-02,"),
        format!("执法平台,,示例,{usual},2026/8/3 9:48,2026-08-03,,,,,,"),
        format!("执法平台,A-8,示例,{usual},2026/8/3 9:48,2099-08-03,,,,,,"),
        "执法平台,A-9".to_owned(),
        format!("执法平台 ,A-1 ,=HYPERLINK(1),{usual},2026/8/3 9:48,2026/8/3 0:00,,,,,,"),
        format!("执法平台,A-10,示例,{usual},2026/8/3 9:48,2026-08-03,,,,,,\"没有写"),
    ];
    let text = format!("{HEADINGS}\r\n{}", lines.join("\r\n"));
    let (gbk, _, lost) = encoding_rs::GBK.encode(&text);
    assert!(!lost);
    let file = write(folder, "excel.csv", &gbk);
    let want = [
        (3, "登记日期", "DATE_ORDER"),
        (4, "登记日期", "EXCEL_SERIAL"),
        (5, "统一社会信用代码", "EXCEL_SCIENTIFIC"),
        (6, "统一社会信用代码", "USCC_CHECK"),
        (8, "边界范围外共享理由", "OUTSIDE_BELT"),
        (9, "坐标系", "CRS_GCJ02"),
        (10, "自有系统编号", "REQUIRED"),
        (11, "登记日期", "EFFECTIVE_IN_FUTURE"),
        (12, "", "CELLS"),
        (13, "", "DUPLICATE"),
        (14, "", "QUOTE_OPEN"),
    ];
    for more in [&["--dry-run"][..], &[]] {
        let ran = case(&pair.nodes, HERE, &[&["import", &file, "--json"], more].concat());
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert_eq!(ran.json()["encoding"], "GB18030");
        let refused = refusals(&ran.json());
        let refused: Vec<_> = refused
            .iter()
            .map(|(row, column, why)| (*row, column.as_str(), why.as_str()))
            .collect();
        assert_eq!(refused, want);
    }
    let cases = list_all(&pair.here, &pair.agreement).await;
    assert_eq!(cases.len(), before + 1, "rows that are right are not held up by others");
    assert_eq!(cases[0].record.as_ref().unwrap().title, "=HYPERLINK(1)", "a cell is data");
    let table = case(&pair.nodes, HERE, &["import", &file]);
    let text = String::from_utf8(table.out).unwrap();
    assert!(text.contains("共 12 行：新登记 0，已有 1，未登记 11"), "{text}");
}

fn files_are_refused(pair: &Pair, folder: &Path) {
    let refused = |name: &str, bytes: &[u8], more: &[&str]| {
        let file = write(folder, name, bytes);
        let ran = case(&pair.nodes, HERE, &[&["import", &file], more].concat());
        assert_eq!((ran.code, ran.out.as_slice()), (5, &b""[..]), "{name}: {}", ran.err);
        ran.err
    };
    let headings = HEADINGS.replace("案由", "案名");
    assert!(refused("a.csv", headings.as_bytes(), &[]).contains("案名"));
    let short = HEADINGS.replace("案由,", "");
    assert!(refused("b.csv", short.as_bytes(), &[]).contains("案由"));
    assert!(refused("c.csv", b"PK\x03\x04", &[]).contains("工作簿"));
    assert!(refused("d.csv", b"title\n\xff", &[]).contains("第 6 字节"));
    let (gbk, _, _) = encoding_rs::GBK.encode("title,source,medium,violation,discovered at\n示例");
    assert!(refused("e.csv", &gbk, &[]).contains("--encoding gb18030"), "nothing proves it");
    assert!(refused("f.csv", &gbk, &["--encoding", "utf-8"]).contains("UTF-8"));
    assert!(refused("g.xlsx", b"", &[]).contains(".csv"));
    assert!(refused("h.csv", b"", &[]).contains("表头"));
    // The template is a file that can be filled in.
    let template = case(&pair.nodes, HERE, &["import", "--template"]).out;
    let file = write(folder, "template.csv", &template);
    let ran = case(&pair.nodes, HERE, &["import", &file, "--json"]);
    assert_eq!((ran.code, counts(&ran.json())), (0, [0; 4]), "{}", ran.err);
    let pipe: PathBuf = folder.join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ran = case(&pair.nodes, HERE, &["import", pipe.to_str().unwrap()]);
    assert_eq!(ran.code, 5, "a pipe is not waited for");
}

/// What a case says, wherever and whenever it was opened.
fn said(case: &pb::Case) -> (Option<pb::CaseFacts>, Option<pb::CaseRecord>, Option<pb::Date>) {
    (case.facts.clone(), case.record.clone(), case.last_effective_on)
}

/// Cases by the numbers of the systems they came from.
fn by_number(cases: &[pb::Case]) -> std::collections::BTreeMap<String, pb::Case> {
    cases.iter().map(|c| (c.external_ref.clone().unwrap_or_default().number, c.clone())).collect()
}

/// The first rows could be written; those behind them are too many.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_too_many_rows_does_nothing() {
    let pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let limit = IMPORT_ROWS_MAX;
    let mut cases = samples()[0].to_string();
    cases.push_str(&"\n{}".repeat(limit));
    let cases = write(folder.path(), "many.ndjson", cases.as_bytes());
    let mut sites = "企业名称,统一社会信用代码,县级代码,类别,污染要素\n\
        示例纸业一厂,91371522YYYY90011A,371522,重点,WATER\n"
        .to_owned();
    sites.push_str(&"甲\n".repeat(limit));
    let sites = write(folder.path(), "many.csv", sites.as_bytes());
    for (kind, file) in [("case", &cases), ("site", &sites)] {
        for more in [&[][..], &["--dry-run"]] {
            let ran = run(&pair.nodes, HERE, &[&[kind, "import", file], more].concat());
            assert_eq!((ran.code, ran.out.as_slice()), (5, &b""[..]), "{}", ran.err);
            for number in [limit, limit + 1] {
                assert!(ran.err.contains(&format!("{number} 行")), "{}", ran.err);
            }
        }
    }
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 0, "nothing was opened");
    let parent = pair.agreement.clone();
    let request = pb::ListSitesRequest { parent, ..Default::default() };
    let page = pair.here.sites().list_sites(request).await.unwrap().into_inner();
    assert!(page.sites.is_empty(), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported() {
    let first = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut rows = samples();
    rows[0]["title"] = json!("=1+1 示例");
    rows[0]["summary_zh"] = json!("一行\n\"引号\"，逗号,");
    rows[1]["external_ref"] = json!({ "system": "执法平台", "number": "202600000000012345" });
    rows[2]["person"] = json!({ "name": "赵真名", "phone": "06351234567" });
    let file = ndjson(folder.path(), "own.ndjson", &rows);
    assert_eq!(case(&first.nodes, HERE, &["import", &file]).code, 0);
    let cases = list_all(&first.here, &first.agreement).await;
    assert!(cases.iter().any(|case| case.person.is_some()));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (flag, name) in [("--csv", "out.csv"), ("--ndjson", "out.ndjson")] {
        let out = path(name);
        let ran = case(&first.nodes, HERE, &["export", flag, "--out", &out, "--json"]);
        assert_eq!((ran.code, ran.json()["cases"].as_u64()), (0, Some(rows.len() as u64)));
        let again = case(&first.nodes, HERE, &["export", flag, "--out", &out]);
        assert!(again.code == 5 && again.err.contains("--force"), "{}", again.err);
        let plain = case(&first.nodes, HERE, &["export", flag]);
        assert_eq!(plain.out, std::fs::read(&out).unwrap(), "the same to standard output");
        // At home nothing is new; elsewhere everything is.
        let home = case(&first.nodes, HERE, &["import", &out, "--json"]);
        assert_eq!(counts(&home.json()), [0, 0, rows.len() as u64, 0], "{}", home.err);
        // There, numbers of here are numbers of other cases.
        let mut text = String::from_utf8(plain.out).unwrap();
        for case in &cases {
            text = text.replace(&case.number, &format!("X-{}", case.number));
        }
        let elsewhere = write(folder.path(), &format!("elsewhere-{name}"), text.as_bytes());
        let second = Pair::start().await;
        let ran = case(&second.nodes, HERE, &["import", &elsewhere, "--json"]);
        assert_eq!((ran.code, counts(&ran.json())[0]), (0, rows.len() as u64), "{}", ran.err);
        let copied = by_number(&list_all(&second.here, &second.agreement).await);
        for (number, original) in by_number(&cases) {
            let copy = &copied[&number];
            assert_eq!(copy.external_ref, original.external_ref);
            assert_eq!(said(copy), said(&original));
            assert_eq!(copy.person, original.person);
        }
    }
    let text = String::from_utf8(std::fs::read(path("out.csv")).unwrap()).unwrap();
    assert!(text.starts_with("\u{feff}编号,联动协议,状态,首报市,"), "{text}");
    assert!(text.contains(",'=1+1 示例,") && text.contains(",\t202600000000012345,"), "{text}");
    assert!(text.split_inclusive('\n').filter(|line| line.ends_with("\r\n")).count() > rows.len());
    what_is_shown_beside(&first, folder.path()).await;
}

/// Filters, cases of other cities, and what no other city holds.
async fn what_is_shown_beside(pair: &Pair, folder: &Path) {
    let export = |city: u32, more: &[&str]| -> Vec<Value> {
        let ran = case(&pair.nodes, city, &[&["export", "--ndjson"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let text = String::from_utf8(ran.out).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = export(HERE, &[]);
    // A case that is here is not opened again under another number of an own system.
    let mut again = all[0].clone();
    again["external_ref"]["number"] = json!("另号-1");
    let ran =
        case(&pair.nodes, HERE, &["import", &ndjson(folder, "again.ndjson", &[again]), "--json"]);
    let refused = refusals(&ran.json());
    assert_eq!(refused, [(1, "自有系统编号".to_owned(), "CHANGED".to_owned())]);
    let moved = list_all(&pair.here, &pair.agreement).await[0].clone();
    super::api::verify(&pair.here, &moved).await.unwrap();
    let verifying = export(HERE, &["--state", "核查中"]);
    assert_eq!(verifying.len(), 1);
    assert_eq!(verifying[0]["case_id"].as_str().unwrap(), moved.number);
    assert!(export(HERE, &["--reported-by", "130400"]).is_empty());
    // The other city sees the same cases, and opens none of them a second time.
    let there = super::nodes::until("the cases are in the other city", || async {
        let rows = export(THERE, &[]);
        (rows.len() == all.len()).then_some(rows)
    })
    .await;
    let file = ndjson(folder, "there.ndjson", &there);
    let ran = case(&pair.nodes, THERE, &["import", &file, "--json"]);
    assert_eq!((ran.code, counts(&ran.json())[3]), (1, all.len() as u64));
    assert!(refusals(&ran.json()).iter().all(|(_, _, reason)| reason == "NOT_OWN_CASE"));
    // Also when a row no longer says whose it is.
    let mut bare = there.clone();
    for row in &mut bare {
        row.as_object_mut().unwrap().remove("originating_city");
    }
    let file = ndjson(folder, "bare.ndjson", &bare);
    let ran = case(&pair.nodes, THERE, &["import", &file, "--json"]);
    let refused = refusals(&ran.json());
    assert_eq!((ran.code, refused.len()), (1, all.len()), "{}", ran.err);
    let at_number = |(_, column, reason): &(u64, String, String)| {
        (column.as_str(), reason.as_str()) == ("编号", "NOT_OWN_CASE")
    };
    assert!(refused.iter().all(at_number), "{refused:?}");
    for wrong in
        [&["export"][..], &["export", "--csv", "--ndjson"], &["export", "--csv", "--force"]]
    {
        assert_eq!(case(&pair.nodes, HERE, wrong).code, 2, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_other_city_holds_is_marked() {
    let mut pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let only_here = |pair: &Pair| -> Vec<u64> {
        let ran = case(&pair.nodes, HERE, &["export", "--ndjson"]);
        let text = String::from_utf8(ran.out).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.map(|row| row["only_here"].as_u64().unwrap()).collect()
    };
    let rows = samples();
    let file = ndjson(folder.path(), "one.ndjson", &rows[..1]);
    assert_eq!(case(&pair.nodes, HERE, &["import", &file]).code, 0);
    let held = || async { (only_here(&pair) == [0]).then_some(()) };
    super::nodes::until("the other city holds it", held).await;
    pair.nodes.kill(THERE);
    let file = ndjson(folder.path(), "two.ndjson", &rows[..2]);
    assert_eq!(case(&pair.nodes, HERE, &["import", &file]).code, 0);
    assert_eq!(only_here(&pair), [1, 0], "newest first");
}
