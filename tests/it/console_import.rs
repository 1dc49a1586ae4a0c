//! Cases from a sheet, by page: pasted, or sent as a file; and what becomes of files that are too
//! large or come while others are read.

use http::{Request, StatusCode};
use liandong::limits::{
    CONSOLE_FILE_BYTES_MAX, CONSOLE_FILES_MAX, CONSOLE_SHEET_BYTES_MAX, CONSOLE_SHEET_ROWS_MAX,
};
use liandong::trust::spiffe::Role;

use super::api::{HERE, Pair, create, fresh, list_all, sample};
use super::console::{Browser, FROM_HERE, Page, page_of};
use super::kills::quick_plan;
use super::nodes::{Nodes, until};
use super::power::Medium;
use super::sheets::case;

const HEADINGS: &str = "自有系统,自有系统编号,案由,线索来源,污染要素,违法类型,发现时间,登记日期,\
                        统一社会信用代码,当事单位名称,经度,纬度,坐标系,边界范围外共享理由,简要情况";
const USUAL: &str = "投诉举报,水,超标排放水污染物,2026/8/3 9:48";
const KIND: &str = "multipart/form-data; boundary=edge";

/// A form with a file, as a browser writes it.
fn multipart(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
    }
    // One that was not chosen comes without a name.
    let (name, bytes) = file.unwrap_or_default();
    let head =
        format!("--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"");
    body.extend_from_slice(format!("{head}\r\ncontent-type: text/csv\r\n\r\n").as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    body
}

async fn send(
    browser: &Browser,
    path: &str,
    fields: &[(&str, &str)],
    file: Option<(&str, &[u8])>,
) -> Page {
    let request = Request::post(format!("https://node.test{path}"))
        .header("content-type", KIND)
        .header(FROM_HERE.0, FROM_HERE.1);
    browser.ask(request, multipart(fields, file)).await
}

/// As people do it: what is opened was checked.
async fn import(browser: &Browser, go: &str, text: &str) -> Page {
    let checked = send(browser, "/cases/import", &[("text", text), ("go", "check")], None).await;
    if go == "check" {
        return checked;
    }
    let fields = [("text", text), ("checked", mark(&checked)), ("go", go)];
    send(browser, "/cases/import", &fields, None).await
}

/// What a page says that was checked; empty where nothing can be opened.
fn mark(page: &Page) -> &str {
    let rest = page.text.split_once("name=\"checked\" value=\"");
    rest.map_or("", |(_, rest)| rest.split('"').next().unwrap())
}

/// The cells of a row of the report, as they stand in the page.
fn cells(page: &Page, row: u64) -> String {
    let (_, rest) = page.text.split_once(&format!("<th scope=\"row\">{row}</th>")).unwrap();
    rest.split("</tr>").next().unwrap().to_owned()
}

fn refused_at(page: &Page, field: &str, word: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{word}");
    let mark = format!("id=\"{field}-wrong\">");
    let (_, rest) = page.text.split_once(&mark).unwrap_or_else(|| panic!("{word}: {}", page.text));
    assert!(rest.split("</p>").next().unwrap().contains(word), "{word}: {rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_imported_by_page_row_by_row_and_once() {
    let pair = Pair::start().await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    for page in ["/cases", "/cases/new"] {
        assert!(browser.get(page).await.text.contains("href=\"/cases/import\""), "{page}");
    }
    let script = "<script>window.hit=1</script>";
    let rows = [
        format!("执法平台,A-1,示例{script},{USUAL},2026/8/3 0:00,,,,,,,"),
        format!("执法平台,A-2,示例,{script},水,超标排放水污染物,2026/8/3 9:48,,,,,,,,"),
        format!("执法平台,A-3,示例,{USUAL},8/3/2026,,,,,,,"),
        format!("执法平台,A-4,示例,{USUAL},2026-08-03,,,116.9,36.6,EPSG:4490,,"),
        format!("执法平台,A-5,示例,{USUAL},2026-08-03,,,,,,,\"逗号,\r\n换行\""),
    ];
    let text = format!("{HEADINGS}\r\n{}", rows.join("\r\n"));
    let wrong = |page: &Page| {
        for (row, column, reason) in [
            (3, "线索来源", "CODE_UNKNOWN"),
            (4, "登记日期", "DATE_ORDER"),
            (5, "边界范围外共享理由", "OUTSIDE_BELT"),
        ] {
            let told = cells(page, row);
            assert!(told.contains("未登记") && told.contains(column), "{told}");
            assert!(told.contains(reason), "{told}");
        }
        assert!(cells(page, 3).contains("&lt;script&gt;"), "{}", cells(page, 3));
        assert!(!page.text.contains(script) && page.text.contains("data-still"));
    };
    let checked = import(&browser, "check", &text).await;
    assert_eq!(checked.status, StatusCode::OK, "{}", checked.text);
    assert!(checked.text.contains("共 5 行：可登记 2，已有 0，未登记 3"), "{}", checked.text);
    assert!(checked.text.contains("value=\"import\"") && checked.text.contains("执法平台,A-5"));
    wrong(&checked);
    assert!(list_all(&pair.here, &pair.agreement).await.is_empty(), "only checked");
    let done = import(&browser, "import", &text).await;
    assert!(done.text.contains("共 5 行：新登记 2，已有 0，未登记 3"), "{}", done.text);
    wrong(&done);
    let cases = list_all(&pair.here, &pair.agreement).await;
    assert_eq!(cases[0].record.as_ref().unwrap().summary, "逗号,\n换行");
    let titles = cases.iter().map(|case| case.record.as_ref().unwrap().title.as_str());
    assert_eq!(titles.collect::<Vec<_>>(), ["示例", &format!("示例{script}")]);
    assert!(cells(&done, 2).contains(&page_of(&cases[1])), "{}", cells(&done, 2));
    // Once more, as cells that were copied out of a spreadsheet, and from the command line.
    let own: String = [&rows[0], &rows[4]].map(|row| format!("{row}\n")).concat();
    let plain = own.replace("逗号,", "逗号;");
    let tabs = format!("{HEADINGS}\n{plain}").replace(',', "\t").replace(';', ",");
    for go in ["check", "import"] {
        let again = import(&browser, go, &tabs).await;
        assert!(again.text.contains("已有 2，未登记 0"), "{}", again.text);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    // As spreadsheets save it.
    std::fs::write(&file, format!("{HEADINGS}\n{own}").replace("\r\n", "\n")).unwrap();
    let ran = case(&pair.nodes, HERE, &["import", file.to_str().unwrap(), "--json"]);
    assert_eq!((ran.code, ran.json()["existing"].as_u64()), (0, Some(2)), "{}", ran.err);
    // Something else under a number that is taken.
    let other = tabs.replace("示例<", "另一案由<");
    let changed = import(&browser, "import", &other).await;
    assert!(cells(&changed, 2).contains("CHANGED"), "{}", changed.text);
    assert_eq!(list_all(&pair.here, &pair.agreement).await, cases);
}

/// The number that stands behind a word of a page.
fn number_after(page: &Page, word: &str) -> usize {
    let (_, rest) = page.text.split_once(word).unwrap_or_else(|| panic!("{word}: {}", page.text));
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_that_stops_half_way_says_where_and_is_gone_on_with() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    let Some(medium) = Medium::new(&nodes.fleet.folder(HERE).join("data")) else { return };
    medium.start(&mut nodes, HERE);
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    until("the agreement is here", || async {
        client.cases().create_case(sample(&agreement, 0)).await.ok()
    })
    .await;
    let rows = (1..=CONSOLE_SHEET_ROWS_MAX)
        .map(|nth| format!("执法平台,H-{nth},示例,{USUAL},2026-08-03,,,,,,,"))
        .collect::<Vec<_>>();
    let text = format!("{HEADINGS}\r\n{}", rows.join("\r\n"));
    let browser = Browser::open(&nodes, HERE, Role::Coordinator).await;
    let fail = async {
        until("some rows are recorded", || async {
            (list_all(&client, &agreement).await.len() > 3).then_some(())
        })
        .await;
        medium.fail_syncs(true);
    };
    let (half, ()) = tokio::join!(import(&browser, "import", &text), fail);
    assert!(half.text.contains("STORAGE_FAILED"), "{}", half.text);
    let (at, created) = (number_after(&half, "中途停止（第 "), number_after(&half, "新登记 "));
    // The first row is that of the headings.
    assert!(created >= 2 && at == created + 2, "{at} {created}");
    assert!(half.text.contains(&format!("在第 {at} 行停止：该行")), "{}", half.text);
    medium.fail_syncs(false);
    nodes.kill(HERE);
    medium.lose_power();
    medium.start(&mut nodes, HERE);
    let client = nodes.client(HERE).await;
    let kept = list_all(&client, &agreement).await.len() - 1;
    assert!((created..=created + 1).contains(&kept), "{kept} kept, {created} told");
    let browser = Browser::open(&nodes, HERE, Role::Coordinator).await;
    let done = import(&browser, "import", &text).await;
    assert_eq!(number_after(&done, "已有 "), kept, "{}", done.text);
    assert_eq!(number_after(&done, "未登记 "), 0, "{}", done.text);
    assert_eq!(list_all(&client, &agreement).await.len(), rows.len() + 1, "none twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_comes_as_a_file_and_what_is_no_sheet_is_refused_at_its_field() {
    let pair = Pair::start().await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let row = |number: usize| format!("执法平台,B-{number},示例建材,{USUAL},2026-08-03,,,,,,,\r\n");
    let text = format!("{HEADINGS}\r\n{}", row(1));
    let (gbk, _, lost) = encoding_rs::GBK.encode(&text);
    assert!(!lost);
    let file = async |fields: &[(&str, &str)], bytes: &[u8]| {
        send(&browser, "/cases/import", fields, Some(("a.csv", bytes))).await
    };
    let checked = file(&[("go", "check")], &gbk).await;
    assert!(checked.text.contains("可登记 1"), "{}", checked.text);
    let (_, sheet) = checked.text.split_once("<textarea ").unwrap();
    assert!(sheet.contains("执法平台,B-1,示例建材"), "it stands there as text: {sheet}");
    // What was not checked is only checked: another file or system, and what was never sent before.
    let (seen, second) = (mark(&checked), format!("{text}{}", row(2)));
    assert_eq!(seen.len(), 64, "{}", checked.text);
    for (fields, bytes) in [
        (&[("go", "import"), ("checked", seen)][..], second.as_bytes()),
        (&[("go", "import"), ("checked", seen), ("system", "另一平台")][..], &gbk[..]),
        (&[("go", "import")][..], &gbk[..]),
    ] {
        let again = file(fields, bytes).await;
        assert!(again.text.contains("这次只检查，未登记任何一行"), "{}", again.text);
        assert!(again.text.contains("检查结果（未登记）") && !mark(&again).is_empty());
    }
    assert!(list_all(&pair.here, &pair.agreement).await.is_empty(), "only checked");
    let done = file(&[("go", "import"), ("text", "案由"), ("checked", seen)], &gbk).await;
    assert!(done.text.contains("新登记 1"), "a file goes before text: {}", done.text);
    let english = "title,source,medium,violation,discovered at\n示例,举报";
    let (unproved, _, _) = encoding_rs::GBK.encode(english);
    refused_at(&file(&[], &unproved).await, "import-file", "GB18030");
    let told = file(&[("encoding", "gb18030")], &unproved).await;
    assert!(told.text.contains("共 1 行"), "{}", told.text);
    refused_at(&file(&[], b"PK\x03\x04").await, "import-file", "工作簿");
    refused_at(&file(&[], &vec![b'x'; CONSOLE_SHEET_BYTES_MAX + 1]).await, "import-file", "1 MiB");
    for (text, word) in [
        ("", "没有表头"),
        (HEADINGS, "没有内容"),
        (&text.replace("案由", "案名"), "案名"),
        (&(text.clone() + &"长".repeat(CONSOLE_SHEET_BYTES_MAX / 3)), "KiB"),
        (&"长".repeat(CONSOLE_SHEET_BYTES_MAX), "KiB"),
    ] {
        refused_at(&import(&browser, "import", text).await, "import-text", word);
    }
    let many: String = (0..=CONSOLE_SHEET_ROWS_MAX).map(row).collect();
    let many = import(&browser, "import", &format!("{HEADINGS}\r\n{many}")).await;
    refused_at(&many, "import-text", "未登记任何一行");
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 1);
    // The headings that are given out can be filled in.
    let template = browser.get("/cases/template.csv").await;
    assert!(template.headers["content-disposition"].to_str().unwrap().contains("template.csv"));
    refused_at(&import(&browser, "check", &template.text).await, "import-text", "没有内容");
    // Whoever may open no case has no form, and sends none.
    let auditor = Browser::open(&pair.nodes, HERE, Role::Auditor).await;
    assert!(!auditor.get("/cases").await.text.contains("/cases/import"));
    let page = auditor.get("/cases/import").await;
    assert!(page.text.contains("您的身份只能查看") && !page.text.contains("<textarea"));
    let fresh = format!("{HEADINGS}\r\n{}", row(2));
    let refused = import(&auditor, "import", &fresh).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("ROLE_NOT_ALLOWED"), "{}", refused.text);
    let elsewhere = Request::post("https://node.test/cases/import")
        .header("content-type", KIND)
        .header("sec-fetch-site", "cross-site");
    let body = multipart(&[("text", &fresh), ("go", "import")], None);
    assert_eq!(browser.ask(elsewhere, body).await.status, StatusCode::FORBIDDEN);
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_taken_leaves_what_was_typed() {
    let pair = Pair::start().await;
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let (path, id) = (format!("{}/evidence/add", page_of(&case)), fresh());
    let typed = [("title", "排口照片"), ("id", "E9"), ("request_id", &*id)];
    let kept = |page: &Page, word: &str| {
        refused_at(page, "add-file", word);
        for value in ["排口照片", "E9", &id] {
            assert!(page.text.contains(&format!("value=\"{value}\"")), "{value}: {}", page.text);
        }
    };
    let large = vec![0; CONSOLE_FILE_BYTES_MAX + 1];
    kept(&send(&browser, &path, &typed, Some(("a.jpg", &large))).await, "超过 32 MiB");
    // While as many as are read at a time are on their way, also before any part has a head; a name
    // that is none, so that nothing is written before they are.
    let body = multipart(&typed, Some(("a.jpg", &[1; 64])));
    let mut coming = Vec::new();
    for nth in 0..CONSOLE_FILES_MAX {
        let request = Request::post(format!("https://node.test{path}"))
            .header("content-type", KIND)
            .header(FROM_HERE.0, FROM_HERE.1);
        let sent = if nth % 2 == 0 { 16 } else { body.len() - 32 };
        coming.push(browser.begin(request, &body[..sent]).await);
    }
    let busy = super::nodes::until("places are taken", || async {
        let page = send(&browser, &path, &typed, Some(("a/b", b"x"))).await;
        page.text.contains("BUSY").then_some(page)
    })
    .await;
    refused_at(&busy, "add-file", "稍候再试");
    assert!(busy.text.contains("填写的内容也未保存"), "{}", busy.text);
    // Photographs hold up no sheet.
    let sheet = format!("{HEADINGS}\r\n执法平台,C-1,示例,{USUAL},2026-08-03,,,,,,,\r\n");
    let checked = import(&browser, "check", &sheet).await;
    assert!(checked.text.contains("可登记 1"), "{}", checked.text);
    drop(coming);
    super::nodes::until("places are free again", || async {
        let page = send(&browser, &path, &typed, Some(("a/b", b"x"))).await;
        (!page.text.contains("BUSY")).then_some(())
    })
    .await;
}
