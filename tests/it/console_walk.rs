//! Walks through the forms of the console as its pages list them, and types into each field what
//! would be a script or would turn a line around if it were not shown as text.

use std::collections::BTreeSet;
use std::path::Path;

use http::{Request, StatusCode};

use super::console::{Browser, EVIL, FROM_HERE, Page};

/// A name that reads otherwise than it is: what follows the mark is shown from right to left.
const TURNED: &str = "名\u{202e}gpj.exe";

/// What a field is when a form is filled in with what may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Any text.
    Text,
    /// A box to tick.
    Box,
    /// A button that leads to this action; empty unless it is the one that is marked.
    Button,
    /// Anything else: what the page has in it, unless something valid is given.
    Other,
}

/// A field of a form.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    kind: Kind,
    /// What is in it when the page is opened.
    value: String,
    /// What a box stands for.
    ticked: String,
    /// What a browser sends of it when nobody touches it.
    untouched: Option<String>,
}

/// A form of a page, for one of the actions that its buttons lead to.
#[derive(Clone, Debug)]
pub struct Form {
    action: String,
    reads: bool,
    has_file: bool,
    fields: Vec<Field>,
}

/// In a field of [`Walked::walk`]: tick the box.
pub const TICK: &str = "*";

/// The value of an attribute of a tag, as text.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next().map(plain)
}

fn plain(text: &str) -> String {
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    plain.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The fields of a form's text; of its buttons those that lead to `action` and say more than "go".
fn fields(text: &str, action: &str, own: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for part in text.split('<').skip(1) {
        let (tag, inside) = part.split_once('>').unwrap();
        let option = tag.starts_with("option ");
        if let (true, Some(field), Some(value)) =
            (option, fields.last_mut(), attribute(tag, "value"))
            && (field.untouched.is_none() || tag.ends_with(" selected"))
        {
            field.untouched = Some(value);
        }
        if let (true, Some(field), Some(value)) =
            (option, fields.last_mut(), attribute(tag, "value"))
            && (field.value.is_empty() || tag.ends_with(" selected"))
        {
            field.value = value;
        }
        let Some(name) = attribute(tag, "name") else { continue };
        let value = attribute(tag, "value").unwrap_or_default();
        let untouched = match tag.split(' ').next() {
            Some("select") => None,
            Some("textarea") => Some(plain(inside)),
            _ => Some(value.clone()),
        };
        let of = |kind, value: String, ticked| {
            let (name, untouched) = (name.clone(), untouched.clone());
            Field { name, kind, value, ticked, untouched }
        };
        let kind = attribute(tag, "type").unwrap_or_default();
        fields.push(if tag.starts_with("button ") {
            let to = attribute(tag, "formaction").unwrap_or_else(|| own.to_owned());
            if path_of(&to) != action || name == "go" {
                continue;
            }
            of(Kind::Button, String::new(), String::new())
        } else if tag.starts_with("textarea ") || ["text", "file"].contains(&&*kind) {
            of(Kind::Text, value, String::new())
        } else if kind == "checkbox" {
            let on = tag.contains(" checked");
            of(Kind::Box, if on { value.clone() } else { String::new() }, value)
        } else if tag.starts_with("input ") || tag.starts_with("select ") {
            of(Kind::Other, value, String::new())
        } else {
            continue;
        });
    }
    fields
}

impl Form {
    /// One of a page, with what a browser sends of it when nobody touches it.
    pub fn untouched(page: &Page, action: &str) -> Self {
        let mut all = forms(&page.text).into_iter();
        let found = all.find(|one| one.action.ends_with(action));
        let mut form = found.unwrap_or_else(|| panic!("no {action}: {}", page.text));
        for field in &mut form.fields {
            if !matches!(field.kind, Kind::Box | Kind::Button) {
                field.value = field.untouched.clone().unwrap_or_default();
            }
        }
        form
    }

    /// The same with something in a field; of boxes that one is ticked and no other.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let mut named = 0;
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            let is_it = field.kind != Kind::Box || field.ticked == value;
            field.value = if is_it { value.to_owned() } else { String::new() };
            named += 1;
        }
        assert!(named > 0, "{name}: {self:?}");
        self
    }

    /// What is in a field.
    pub fn value(&self, name: &str) -> &str {
        &self.fields.iter().find(|field| field.name == name).unwrap().value
    }

    pub async fn send(&self, browser: &Browser) -> Page {
        send(browser, self).await
    }
}

/// An address without the part of the page that it scrolls to.
fn path_of(action: &str) -> &str {
    action.split('#').next().unwrap()
}

/// The forms of a page, in their order, one for each action; but for the choice of a language.
fn forms(page: &str) -> Vec<Form> {
    let mut all = Vec::new();
    for text in page.split("<form ").skip(1).map(|rest| rest.split("</form>").next().unwrap()) {
        let head = format!(" {}", text.split('>').next().unwrap());
        let own = attribute(&head, "action").unwrap_or_default();
        let buttons = text.split("<button ").skip(1).map(|tag| tag.split('>').next().unwrap());
        let others = buttons.filter_map(|tag| attribute(&format!(" {tag}"), "formaction"));
        let mut actions: Vec<String> =
            others.chain([own.clone()]).map(|one| path_of(&one).to_owned()).collect();
        actions.sort();
        actions.dedup();
        for action in actions.into_iter().filter(|action| action != "/language") {
            all.push(Form {
                reads: head.contains("method=\"get\""),
                has_file: head.contains("multipart/form-data"),
                fields: fields(text, &action, &own),
                action,
            });
        }
    }
    all
}

/// An action without the record it is of.
fn kind_of(action: &str) -> String {
    let is_id = |part: &&str| part.len() == 32 && part.bytes().all(|b| b.is_ascii_hexdigit());
    action.split('/').filter(|part| !is_id(part)).collect::<Vec<_>>().join("/")
}

/// What was walked through.
#[derive(Default)]
pub struct Walked {
    /// Actions without their records, and fields, that pages had.
    seen: BTreeSet<(String, String)>,
    /// Those that were filled in with marks.
    pub fields: BTreeSet<(String, String)>,
    /// Fields whose marks were recorded; an empty name for all that take text at once.
    pub recorded: BTreeSet<(String, String)>,
    /// Where they are shown.
    pub pages: BTreeSet<String>,
}

impl Walked {
    /// What pages had of forms whose action begins so, and nobody typed into.
    pub fn left_out(&self, action: &str) -> Vec<&(String, String)> {
        let all = self.seen.difference(&self.fields);
        all.filter(|(of, field)| of.starts_with(action) && field != "request_id").collect()
    }

    /// Notes the forms of a page, which must be harmless.
    pub fn look(&mut self, what: &str, page: &Page) {
        harmless(what, page);
        for form in forms(&page.text) {
            let action = kind_of(&form.action);
            self.seen.extend(form.fields.into_iter().map(|one| (action.clone(), one.name)));
        }
    }

    /// Sends every form of a page with marks in each field: in all at once, which is refused, in
    /// all that take any text, which is recorded, and in one after the other.
    pub async fn walk(
        &mut self,
        browser: &Browser,
        path: &str,
        (valid, left_out): (&[(&str, &str)], &[&str]),
    ) {
        let takes = |action: &str| !left_out.iter().any(|one| action.ends_with(one));
        self.walk_those(browser, path, valid, takes).await;
    }

    /// The same with the forms that have one of some actions.
    pub async fn walk_only(
        &mut self,
        browser: &Browser,
        path: &str,
        (valid, only): (&[(&str, &str)], &[&str]),
    ) {
        let takes = |action: &str| only.iter().any(|one| action.ends_with(one));
        self.walk_those(browser, path, valid, takes).await;
    }

    async fn walk_those(
        &mut self,
        browser: &Browser,
        path: &str,
        valid: &[(&str, &str)],
        takes: impl Fn(&str) -> bool,
    ) {
        let first = browser.get(path).await;
        assert_eq!(first.status, StatusCode::OK, "{path}: {}", first.text);
        self.look(path, &first);
        self.pages.insert(path.to_owned());
        for form in forms(&first.text).into_iter().filter(|form| takes(&form.action)) {
            self.spoil(browser, &form).await;
            for nth in std::iter::once(form.fields.len()).chain(0..form.fields.len()) {
                // What the form holds may have changed with the last one that was recorded.
                let page = browser.get(path).await;
                let now = forms(&page.text).into_iter().find(|now| now.action == form.action);
                let Some(mut now) = now else { break };
                let marked = now.fields.get(nth).map(|one| one.name.clone());
                if marked.as_deref() == Some("request_id") {
                    continue;
                }
                for field in &mut now.fields {
                    let given = valid.iter().find(|(name, _)| *name == field.name);
                    if let Some((_, given)) = given {
                        let ticks = *given == TICK;
                        field.value = if ticks { field.ticked.clone() } else { (*given).into() };
                    } else if field.kind == Kind::Text && marked.is_none() {
                        field.value = EVIL.to_owned();
                    }
                    if marked.as_ref() == Some(&field.name) {
                        field.value = EVIL.to_owned();
                    }
                }
                self.press(browser, path, &now, marked.unwrap_or_default()).await;
            }
        }
    }

    /// Sends the forms of a page that has come with everything in them marked.
    pub async fn spoil_all(&mut self, browser: &Browser, page: &Page) {
        self.look("a step", page);
        for form in forms(&page.text) {
            self.spoil(browser, &form).await;
        }
    }

    /// Sends a form with a mark in everything, also in what nobody types into; but for the
    /// agreement, without which some pages have no form.
    async fn spoil(&mut self, browser: &Browser, form: &Form) {
        for mark in [EVIL, TURNED] {
            let mut spoilt = form.clone();
            for field in spoilt.fields.iter_mut() {
                if ["request_id", "agreement"].contains(&&*field.name) {
                    continue;
                }
                field.value = mark.to_owned();
            }
            self.press(browser, "all marked", &spoilt, String::new()).await;
        }
        let action = kind_of(&form.action);
        self.fields.extend(form.fields.iter().map(|one| (action.clone(), one.name.clone())));
    }

    /// Sends fields by hand where the pages of the tests do not have the form.
    pub async fn by_hand(
        &mut self,
        browser: &Browser,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let page = browser.post(path, &[FROM_HERE], fields).await;
        self.look(path, &page);
        let action = kind_of(path);
        self.fields.extend(fields.iter().map(|(name, _)| (action.clone(), (*name).to_owned())));
        page
    }

    /// Where forms may be sent, of those that `is_ours`, and none was sent with marks in it.
    pub fn unwalked(&self, is_ours: impl Fn(&str) -> bool) -> Vec<String> {
        let walked: BTreeSet<&str> = self.fields.iter().map(|(action, _)| &**action).collect();
        let left = posted().into_iter().filter(|one| is_ours(one) && !walked.contains(&**one));
        left.collect()
    }

    async fn press(&mut self, browser: &Browser, path: &str, form: &Form, marked: String) {
        let answer = send(browser, form).await;
        self.look(&form.action, &answer);
        let field = (kind_of(&form.action), marked);
        if answer.status == StatusCode::SEE_OTHER {
            self.recorded.insert(field);
            self.pages.insert(answer.leads_to().split('?').next().unwrap().to_owned());
        } else if !form.reads {
            let why = answer.text.split("role=\"alert\"").nth(1).unwrap_or(&answer.text);
            println!("{path} {field:?}: {}", why.chars().take(300).collect::<String>());
        }
    }
}

/// Whether a form is walked with the joint actions: theirs, and the one that only a case has of
/// which there are two agreements.
pub fn is_of_plans(action: &str) -> bool {
    action.starts_with("/plan") || action == "/case/link"
}

/// Every address that takes a form, without its record, as the routers and handlers have them.
fn posted() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console");
    let mut all = BTreeSet::new();
    for file in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = if file.is_file() { std::fs::read_to_string(&file).unwrap() } else { continue };
        for route in text.split(".route(").skip(1).map(|one| one.split("\n}").next().unwrap()) {
            let path = route.split('"').nth(1).unwrap();
            let Some((_, handler)) = route.split_once("post(") else { continue };
            let record = |part: &&str| !["{agreement}", "{id}"].contains(part);
            let path = path.split('/').filter(record).collect::<Vec<_>>().join("/");
            if path.contains("{act}") {
                let (module, name) = handler.split(')').next().unwrap().split_once("::").unwrap();
                let handlers = folder.join(format!("{module}.rs"));
                let acts = acts(&std::fs::read_to_string(handlers).unwrap(), name);
                all.extend(acts.iter().map(|act| path.replace("{act}", act)));
            } else {
                all.insert(path);
            }
        }
    }
    assert!(all.len() > 50, "{all:?}");
    all
}

/// The acts that a handler tells apart, itself or in what it calls.
fn acts(text: &str, handler: &str) -> BTreeSet<String> {
    let arms = |text: &str| -> BTreeSet<String> {
        let arms = text.lines().map(str::trim).filter(|line| line.starts_with('"'));
        let arms = arms.filter_map(|line| line.split_once(" =>"));
        let words = arms.flat_map(|(words, _)| words.split('"').skip(1).step_by(2));
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let own = text.split(&format!("async fn {handler}(")).nth(1).unwrap();
    let own = arms(own.split("\n}\n").next().unwrap());
    if own.is_empty() { arms(text) } else { own }
}

/// Nothing of what was typed runs, and nothing turns a line around outside a field that gives it
/// back to whoever typed it.
pub fn harmless(what: &str, page: &Page) {
    for mark in ["<script>window", "<img src=x"] {
        assert!(!page.text.contains(mark), "{what}: {}", page.text);
    }
    if !page.text.contains('\u{202e}') {
        return;
    }
    let outside = page.text.split("<textarea ").enumerate().map(|(nth, part)| match nth {
        0 => part,
        _ => part.split_once("</textarea>").unwrap().1,
    });
    for part in outside.flat_map(|text| text.split('<')) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let tag = match attribute(tag, "value") {
            Some(_) => tag.split_once(" value=\"").unwrap().0,
            None => tag,
        };
        for shown in [tag, text] {
            assert!(!shown.contains('\u{202e}'), "{what}: {part}");
        }
    }
}

async fn send(browser: &Browser, form: &Form) -> Page {
    let sent = form.fields.iter().filter(|one| {
        // As a browser does: what is not ticked or not pressed is not there.
        !(one.value.is_empty() && matches!(one.kind, Kind::Box | Kind::Button))
    });
    let sent: Vec<(&str, &str)> = sent.map(|one| (&*one.name, &*one.value)).collect();
    if form.reads {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&sent);
        return browser.get(&format!("{}?{}", form.action, query.finish())).await;
    }
    if !form.has_file {
        return browser.post(&form.action, &[FROM_HERE], &sent).await;
    }
    let mut body = String::new();
    for (name, value) in sent {
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
