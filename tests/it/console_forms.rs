//! Every field of every form, as the pages themselves list them: what is typed into it is text,
//! on the page that refuses it and on all that show it afterwards.

use std::collections::BTreeSet;

use http::{Request, StatusCode};
use liandong::trust::spiffe::Role;

use super::api::{HERE, Pair, THERE, create, sample, verify};
use super::console::{Browser, EVIL, FROM_HERE, Page, page_of};
use super::console_new::{CASE, with};

/// A form of a page.
#[derive(Debug)]
struct Form {
    action: String,
    has_file: bool,
    /// Names, and what is in them when the page is opened.
    fields: Vec<(String, String)>,
}

/// The value of an attribute of a tag, as text.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    Some(plain.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// The forms of a page that write, in their order.
fn forms(page: &str) -> Vec<Form> {
    let all = page.split("<form ").skip(1).map(|rest| rest.split("</form>").next().unwrap());
    let all = all.map(|text| {
        let head = format!(" {}", text.split('>').next().unwrap());
        let tags = text.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
        let mut fields = Vec::new();
        for tag in tags.clone() {
            let option = tag.starts_with("option ");
            let chosen = option && tag.ends_with(" selected");
            if let (true, Some((_, value)), Some(first)) =
                (option, fields.last_mut(), attribute(tag, "value"))
            {
                let value: &mut String = value;
                if value.is_empty() || chosen {
                    *value = first;
                }
            }
            let field = ["input ", "textarea ", "select "].iter().any(|kind| tag.starts_with(kind));
            let Some(name) = attribute(tag, "name").filter(|_| field) else { continue };
            let kind = attribute(tag, "type").unwrap_or_default();
            let off = kind == "checkbox" && !tag.contains(" checked");
            let value = attribute(tag, "value").filter(|_| !off);
            fields.push((name, value.unwrap_or_default()));
        }
        Form {
            action: attribute(&head, "action").unwrap_or_default(),
            has_file: head.contains("multipart/form-data"),
            fields: if head.contains("method=\"post\"") { fields } else { Vec::new() },
        }
    });
    all.filter(|form| !form.fields.is_empty() && form.action != "/language").collect()
}

/// What was walked through.
#[derive(Default)]
struct Walked {
    /// Actions without their records, and fields.
    fields: BTreeSet<(String, String)>,
    /// Fields whose marks were recorded.
    recorded: BTreeSet<(String, String)>,
    /// Where they are shown.
    pages: BTreeSet<String>,
}

impl Walked {
    /// Sends every form of a page with marks in each field, one after the other, and in all at once.
    async fn walk(
        &mut self,
        browser: &Browser,
        path: &str,
        (valid, left_out): (&[(&str, &str)], &[&str]),
    ) {
        let first = browser.get(path).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        harmless(path, &first);
        let here = path.split('?').next().unwrap();
        self.pages.insert(path.to_owned());
        let walked = |form: &Form| !left_out.iter().any(|one| form.action.ends_with(one));
        for form in forms(&first.text).into_iter().filter(walked) {
            let each = 0..form.fields.len();
            for nth in std::iter::once(form.fields.len()).chain(each) {
                // What the form holds may have changed with the last one that was recorded.
                let page = browser.get(path).await;
                let now = forms(&page.text).into_iter().find(|now| now.action == form.action);
                let Some(mut now) = now else { break };
                let marked = now.fields.get(nth).map(|(name, _)| name.clone());
                if marked.as_deref() == Some("request_id") {
                    continue;
                }
                for (name, value) in &mut now.fields {
                    let given = valid.iter().find(|(valid, _)| valid == name);
                    let typed = !["etag", "request_id", "agreement"].contains(&name.as_str());
                    if let Some((_, given)) = given {
                        (*given).clone_into(value);
                    } else if value.is_empty() && marked.is_none() && typed {
                        EVIL.clone_into(value);
                    }
                    if marked.as_ref() == Some(name) {
                        EVIL.clone_into(value);
                    }
                }
                let answer = send(browser, &now).await;
                harmless(&form.action, &answer);
                let action = form.action.trim_start_matches(here).to_owned();
                let field = (action, marked.unwrap_or_default());
                self.fields.insert(field.clone());
                if answer.status != StatusCode::SEE_OTHER {
                    let why = answer.text.split("role=\"alert\"").nth(1).unwrap_or(&answer.text);
                    println!("{path} {field:?}: {}", why.chars().take(300).collect::<String>());
                } else {
                    self.recorded.insert(field);
                    let to = answer.leads_to().split('?').next().unwrap();
                    self.pages.insert(to.to_owned());
                }
            }
        }
    }
}

fn harmless(what: &str, page: &Page) {
    for mark in ["<script>window", "<img src=x"] {
        assert!(!page.text.contains(mark), "{what}: {}", page.text);
    }
}

async fn send(browser: &Browser, form: &Form) -> Page {
    if !form.has_file {
        let fields: Vec<_> = form.fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        return browser.post(&form.action, &[FROM_HERE], &fields).await;
    }
    let mut body = String::new();
    for (name, value) in &form.fields {
        let file = if name != "file" {
            String::new()
        } else if value == EVIL {
            "; filename=\"%22><script>window.hit=1</script>.txt\"\r\ncontent-type: text/html".into()
        } else {
            "; filename=\"a.txt\"\r\ncontent-type: text/plain".into()
        };
        let line = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n");
        body += &format!("{line}\r\n{value}\r\n");
    }
    let request = Request::post(format!("https://node.test{}", form.action))
        .header("content-type", "multipart/form-data; boundary=edge")
        .header(FROM_HERE.0, FROM_HERE.1);
    browser.ask(request, &format!("{body}--edge--\r\n")).await
}

const NOT_TEXT: [&str; 22] = [
    "effective_on",
    "record.party.masked_name",
    "record.party.industry_code",
    "record.party.permit_number",
    "record.party.positive_list",
    "person.id_number",
    "person.phone",
    "record.pollutants[0].code",
    "record.pollutants[0].value",
    "record.pollutants[0].unit",
    "record.pollutants[0].limit",
    "record.pollutants[0].statistic",
    "record.pollutants[1].code",
    "record.pollutants[1].value",
    "record.pollutants[1].unit",
    "record.pollutants[1].limit",
    "record.pollutants[1].statistic",
    "record.pollutants[2].code",
    "record.pollutants[2].value",
    "record.pollutants[2].unit",
    "record.pollutants[2].limit",
    "record.pollutants[2].statistic",
];
const OFFICERS: [(&str, &str); 6] = [
    ("record.officers[0].unit", "执法一队"),
    ("record.officers[1].unit", "执法一队"),
    ("record.officers[2].unit", "执法一队"),
    ("record.officers[0].certificate_number", "37150099001"),
    ("record.officers[1].certificate_number", "37150099002"),
    ("record.officers[2].certificate_number", "37150099003"),
];

/// What other forms take that is no text.
const DAYS: [(&str, &str); 7] = [
    ("effective_on", ""),
    ("due_on", ""),
    ("designated_on", "2026-01-05"),
    ("milestone", "1"),
    ("city", "371500"),
    ("authority", "2"),
    ("assignment", ""),
];

/// Waits until a page of another city is here too.
async fn arrived(browser: &Browser, path: &str) {
    super::nodes::until("it is there", || async {
        (browser.get(path).await.status == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn script_in_every_field_of_every_form_is_shown_as_text() {
    let pair = Pair::start().await;
    let here = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let there = Browser::open(&pair.nodes, THERE, Role::Coordinator).await;
    let mut walked = Walked::default();
    let case = create(&pair.here, sample(&pair.agreement, 0)).await.unwrap();
    let case = verify(&pair.here, &case).await.unwrap();
    let mut handed = Vec::new();
    for nth in 1..4 {
        let case = create(&pair.here, sample(&pair.agreement, nth)).await.unwrap();
        handed.push(page_of(&verify(&pair.here, &case).await.unwrap()));
    }
    // What takes numbers and codes only; the rest is marked all at once, too.
    let mut valid = with(&CASE, &pair.agreement, &[("record.summary", "")]);
    valid.retain(|(name, value)| !value.is_empty() && *name != "record.location.address");
    valid.extend(NOT_TEXT.map(|name| (name, "")));
    valid.extend(OFFICERS);
    walked.walk(&here, "/cases/new", (&valid, &[])).await;
    let id = pair.agreement.trim_start_matches("agreements/");
    let notice =
        [("kind", "2"), ("level", "2"), ("record.title", "油膜"), ("record.text", "请协查")];
    walked.walk(&here, &format!("/notices/new?agreement={id}"), (&notice, &[])).await;
    let at = page_of(&case);
    let file = [("kind", "1"), ("collected_on", "2026-11-20"), ("title", "照片"), ("id", "E9")];
    walked.walk(&here, &format!("{at}/evidence"), (&file, &[])).await;
    // Each keeps its own turn, so that all forms of a case are seen.
    let notices: Vec<String> =
        walked.pages.iter().filter(|page| page.starts_with("/notice/")).cloned().collect();
    walked.walk(&here, &at, (&DAYS, &["/step", "/offer"])).await;
    arrived(&there, &at).await;
    // Two proposals each time, so that one is left to be refused.
    walked.walk(&there, &at, (&DAYS, &[])).await;
    walked.walk(&there, &at, (&DAYS, &[])).await;
    super::nodes::until("the proposal is there", || async {
        let page = here.get(&at).await.text;
        (page.matches("提出建议").count() >= 4 && page.contains("act-adopt")).then_some(())
    })
    .await;
    walked.walk(&here, &at, (&DAYS, &["/offer", "/step"])).await;
    walked.walk(&here, &at, (&DAYS, &["/offer"])).await;
    for (nth, path) in handed.iter().enumerate() {
        walked.walk(&here, path, (&DAYS, &["/step"])).await;
        arrived(&there, path).await;
        super::nodes::until("the offer is there", || async {
            there.get(path).await.text.contains("act-accept").then_some(())
        })
        .await;
        walked.walk(&here, path, (&DAYS, &["/step", "/offer"])).await;
        let others = ["/accept", "/return", "/dispute"];
        walked.walk(&there, path, (&DAYS, &others[..nth])).await;
        walked.walk(&there, path, (&DAYS, &others[..nth])).await;
    }
    walked.walk(&here, &notices[0], (&[], &["/end"])).await;
    arrived(&there, &notices[0]).await;
    walked.walk(&there, &notices[0], (&[], &[])).await;
    walked.walk(&here, &notices[0], (&[], &[])).await;
    // Each form was on a page, and what takes any text took this one.
    for form in [
        "/step",
        "/offer",
        "/note",
        "/acknowledge",
        "/accept",
        "/return",
        "/dispute",
        "/recall",
        "/ask",
        "/answer",
        "/propose",
        "/adopt",
        "/refuse",
        "/milestone",
        "/detention",
        "/assign",
        "/designate",
        "/end",
        "/report",
    ] {
        assert!(walked.recorded.iter().any(|(action, _)| action == form), "{:?}", walked.recorded);
    }
    let record = ["", "record.title", "record.summary", "record.party.name", "record.belt_reason"];
    for field in record.into_iter().chain(["person.name"]) {
        let field = ("".to_owned(), field.to_owned());
        assert!(walked.recorded.contains(&field), "{field:?}: {:?}", walked.recorded);
    }
    assert!(walked.fields.len() > 60, "{}", walked.fields.len());
    let mut shown = 0;
    let lists = ["/", "/cases", "/notices", "/map?shown=1&what=cases", "/links", "/cases.csv"];
    let papers = walked.pages.iter().flat_map(|page| {
        let kinds: &[&str] = match page.split('/').nth(1) {
            Some("case") => &["transfer", "receipt"],
            Some("notice") => &["letter"],
            _ => &[],
        };
        kinds.iter().map(move |kind| format!("{page}/print/{kind}"))
    });
    let papers: Vec<String> = papers.filter(|page| !page.contains("/evidence/")).collect();
    let pages = walked.pages.iter().cloned().chain(papers);
    for path in pages.chain(lists.map(str::to_owned)) {
        for browser in [&here, &there] {
            let page = browser.get(&path).await;
            if path != "/cases.csv" {
                harmless(&path, &page);
            }
            shown += page.text.matches("&lt;script&gt;window.hit=1").count();
        }
    }
    assert!(shown > 100, "{shown} marks are shown as text");
}
