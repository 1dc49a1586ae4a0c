//! Pieces that several pages have: refusals, fields of forms, sheets, links to records.
//!
//! In scope: HTML for one thing each. Out of scope: pages.

use std::collections::BTreeMap;

use axum::extract::Path;
use maud::{Markup, html};

use super::form::Form;
use super::layout::Desk;
use super::refusal::Refusal;
use crate::lang::Lang;
use crate::shown::plan::changes::{Change, or_none};
use crate::shown::sheet::Sheet;
use crate::wire::pb::v1 as pb;

/// A record as its page's address names it: agreement and id, 32 hexadecimal digits each.
pub type At = Path<(String, String)>;

/// The resource name of a record, such as a case (`cases`).
#[must_use]
pub fn name_of(kind: &str, Path((agreement, id)): &At) -> String {
    format!("agreements/{agreement}/{kind}/{id}")
}

/// The address of a record's page, such as `/case/…`.
#[must_use]
pub fn page_of(page: &str, name: &str) -> String {
    let mut parts = name.split('/');
    let (agreement, id) = (parts.nth(1).unwrap_or_default(), parts.nth(1).unwrap_or_default());
    format!("/{page}/{agreement}/{id}")
}

/// The agreement of a record.
#[must_use]
pub fn agreement_of(name: &str) -> String {
    name.split('/').take(2).collect::<Vec<_>>().join("/")
}

/// What an agreement's name ends in.
#[must_use]
pub fn id_of(agreement: &str) -> &str {
    agreement.trim_start_matches("agreements/")
}

/// The agreement that a form names.
#[must_use]
pub fn parent(form: &Form) -> String {
    format!("agreements/{}", form.text("agreement"))
}

/// The same, if the own city is in it; the only one there is when the form names none.
#[must_use]
pub fn agreement<'a>(desk: &'a Desk, form: &Form) -> Option<&'a pb::Agreement> {
    match (desk.agreements.as_slice(), form.text("agreement")) {
        ([only], "") => Some(only),
        (all, _) => all.iter().find(|one| one.name == parent(form)),
    }
}

/// Agreements to choose from, each a link to the page that asks.
#[must_use]
pub fn choose_agreement(desk: &Desk, page: &str) -> Markup {
    html! {
        p { (desk.lang().pick("先选择联动协议：", "Choose the agreement first:")) }
        ul .matters {
            @for one in &desk.agreements {
                li {
                    a .what href={ (page) "?agreement=" (id_of(&one.name)) } {
                        (one.short_name) " " (one.display_name)
                    }
                    p .how { (desk.names.list(one.members.iter().map(|member| member.city))) }
                }
            }
        }
    }
}

/// Why something was not done, and what to do.
#[must_use]
pub fn refused(refusal: &Refusal, lang: Lang) -> Markup {
    let heading = if refusal.is_unknown {
        lang.pick("结果未知：", "Not known: ")
    } else {
        lang.pick("操作未执行：", "Not done: ")
    };
    refused_as(heading, refusal, lang)
}

/// The same where some of it was done.
#[must_use]
pub fn refused_as(heading: &str, refusal: &Refusal, lang: Lang) -> Markup {
    html! {
        div .refused role="alert" {
            p { strong { (heading) } (refusal.what) }
            @for (_, text) in refusal.fields.iter().filter(|(_, text)| *text != refusal.what) {
                p { (text) }
            }
            @if !refusal.advice.is_empty() {
                p { (lang.pick("怎么办：", "What to do: ")) (refusal.advice) }
            }
            @if !refusal.reason.is_empty() && refusal.reason != "FIELD" {
                p .soft { (lang.pick("原因代码：", "reason: ")) (refusal.reason) }
            }
        }
    }
}

/// Instead of a form, for whoever may not send it.
#[must_use]
pub fn only_looks(title: &str, refusal: Option<&Refusal>, lang: Lang) -> Markup {
    html! {
        h1 { (title) }
        @if let Some(refusal) = refusal { (refused(refusal, lang)) }
        p .soft { (lang.pick("您的身份只能查看。", "Your role reads only.")) }
    }
}

/// Rows of label and value.
#[must_use]
pub fn sheet(sheet: &Sheet) -> Markup {
    html! {
        dl .sheet {
            @for (label, value) in sheet.rows() {
                dt { (label) }
                dd { (value) }
            }
        }
    }
}

/// Two versions of something, one beside the other, wherever they differ.
#[must_use]
pub fn versions(all: &[Change], heads: [&str; 2], lang: Lang) -> Markup {
    let row = |one: &Change| (one.label.to_owned(), [one.before.clone(), one.after.clone()]);
    compared(heads, &all.iter().map(row).collect::<Vec<_>>(), lang)
}

/// The same of any number of versions: what each thing is called, and what it is in each of them.
#[must_use]
pub fn compared<const N: usize>(
    heads: [&str; N],
    all: &[(String, [String; N])],
    lang: Lang,
) -> Markup {
    html! {
        section aria-labelledby="both" {
            h2 #both { (lang.pick("两个版本的不同之处", "Where the versions differ")) }
            @if all.is_empty() { p .soft { (lang.pick("没有不同", "nowhere")) } } @else {
                div .scroll {
                    table {
                        thead {
                            tr {
                                th scope="col" { (lang.pick("内容", "what")) }
                                @for head in heads { th scope="col" { (head) } }
                            }
                        }
                        tbody {
                            @for (label, versions) in all {
                                tr {
                                    th scope="row" { (label) }
                                    @for one in versions { td .told { (or_none(one, lang)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A number of the request, by which a write that is sent twice is done once. A form that comes
/// back keeps its own: should its write have been done although the answer was lost, it is not done
/// again.
#[must_use]
pub fn request_id(again: Option<&Form>) -> Markup {
    let kept = again.map(|form| form.text("request_id")).filter(|id| !id.is_empty());
    let id = kept.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
    html! { input type="hidden" name="request_id" value=(id); }
}

/// One form of a page, with what was typed into it if it was refused.
#[derive(Clone, Copy)]
pub struct Filled<'a> {
    /// Distinguishes its fields from those of other forms of the page.
    pub form: &'a str,
    /// What was typed, and why it was refused.
    pub again: Option<(&'a Form, &'a Refusal)>,
    /// The language.
    pub lang: Lang,
}

impl<'a> Filled<'a> {
    fn typed(&self, name: &str, otherwise: &'a str) -> &'a str {
        self.again.map_or(otherwise, |(form, _)| form.text(name))
    }

    /// What was typed and why it was refused; none of a form that is only shown again.
    pub fn refused(&self) -> Option<(&'a Form, &'a Refusal)> {
        self.again.filter(|(_, refusal)| **refusal != Refusal::default())
    }

    /// Why a field was refused.
    #[must_use]
    pub fn wrong(&self, name: &str) -> Option<&'a str> {
        self.again.and_then(|(_, refusal)| refusal.at(name))
    }

    fn field(&self, name: &str, label: &str, input: &Markup) -> Markup {
        let id = self.id(name);
        html! {
            div .field {
                label for=(id) { (label) }
                (input)
                (self.wrong_with(name))
            }
        }
    }

    fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.form)
    }

    /// The same as the page has it, below the field.
    #[must_use]
    pub fn wrong_with(&self, name: &str) -> Markup {
        html! {
            @if let Some(wrong) = self.wrong(name) {
                p .wrong id={ (self.id(name)) "-wrong" } { (wrong) }
            }
        }
    }

    /// What names it for those who cannot see the page.
    #[must_use]
    pub fn described(&self, name: &str) -> Option<String> {
        self.wrong(name).map(|_| format!("{}-wrong", self.id(name)))
    }

    /// What a form was filled in against. It stays what it was when the form comes back, unless the
    /// refusal said that it is out of date and the page shows what is new: nobody acts on a version
    /// that was not shown, and a write whose answer was lost is sent again as it was.
    #[must_use]
    pub fn kept(&self, name: &str, now: &str) -> Markup {
        let before = self.again.filter(|(_, refusal)| !refusal.is_stale);
        // That there was nothing is a version, too.
        let before = before.filter(|(form, _)| form.names().any(|one| one == name));
        let before = before.map(|(form, _)| form.text(name));
        html! { input type="hidden" name=(name) value=(before.unwrap_or(now)); }
    }

    /// The same of something that need not be there: nothing stays nothing.
    #[must_use]
    pub fn kept_or_none(&self, name: &str, now: &str) -> Markup {
        let before = self.again.filter(|(_, refusal)| !refusal.is_stale);
        let before = before.map(|(form, _)| form.text(name));
        html! { input type="hidden" name=(name) value=(before.unwrap_or(now)); }
    }

    /// What is wrong with several fields together.
    #[must_use]
    pub fn wrong_at(&self, name: &str) -> Markup {
        let exactly = |(field, _): &&(String, String)| field == name;
        let found = self.again.and_then(|(_, refusal)| refusal.fields.iter().find(exactly));
        html! { @if let Some((_, wrong)) = found { p .wrong { (wrong) } } }
    }

    /// A field of several lines.
    #[must_use]
    pub fn text(&self, name: &str, label: &str) -> Markup {
        self.paragraph(name, label, "")
    }

    /// The same with something in it at first.
    #[must_use]
    pub fn paragraph(&self, name: &str, label: &str, value: &'a str) -> Markup {
        let wrong = self.wrong(name).map(|_| "true");
        let input = html! {
            textarea id=(self.id(name)) name=(name) rows="3" aria-invalid=[wrong]
                aria-describedby=[self.described(name)] { (self.typed(name, value)) }
        };
        self.field(name, label, &input)
    }

    /// A field of one line of a kind that browsers know, such as `text` or `date`.
    #[must_use]
    pub fn line(&self, kind: &str, name: &str, label: &str, value: &'a str) -> Markup {
        let wrong = self.wrong(name).map(|_| "true");
        let input = html! {
            input type=(kind) id=(self.id(name)) name=(name) value=(self.typed(name, value))
                aria-invalid=[wrong] aria-describedby=[self.described(name)];
        };
        self.field(name, label, &input)
    }

    /// A field of one line with a list of the page to choose from.
    #[must_use]
    pub fn listed(&self, name: &str, label: &str, list: &str) -> Markup {
        let wrong = self.wrong(name).map(|_| "true");
        let input = html! {
            input type="text" id=(self.id(name)) name=(name) value=(self.typed(name, ""))
                list=(list) autocomplete="off" aria-invalid=[wrong]
                aria-describedby=[self.described(name)];
        };
        self.field(name, label, &input)
    }

    /// A field for a whole sheet, with what was typed as it was: its last cells may be empty.
    #[must_use]
    pub fn sheet(&self, name: &str, label: &str) -> Markup {
        let (wrong, typed) = (self.wrong(name).map(|_| "true"), self.again);
        let input = html! {
            textarea id=(self.id(name)) name=(name) rows="12" spellcheck="false" wrap="off"
                aria-invalid=[wrong] aria-describedby=[self.described(name)] {
                // Browsers drop a first line break.
                "\n" (typed.map_or("", |(form, _)| form.raw(name)))
            }
        };
        self.field(name, label, &input)
    }

    /// A file, and what there is to know about it.
    #[must_use]
    pub fn file(&self, label: &str, hint: &str, required: bool) -> Markup {
        let (id, wrong) = (self.id("file"), self.wrong("file").map(|_| "true"));
        let hint_id = format!("{id}-hint");
        let described = self.described("file").map(|wrong| format!("{wrong} {hint_id}"));
        let input = html! {
            input type="file" id=(id) name="file" required[required] aria-invalid=[wrong]
                aria-describedby=(described.unwrap_or_else(|| hint_id.clone()));
            p .soft id=(hint_id) { (hint) }
        };
        self.field("file", label, &input)
    }

    /// A choice of one.
    #[must_use]
    pub fn choice(&self, name: &str, label: &str, all: &[(String, String)]) -> Markup {
        self.chosen(name, label, all, "")
    }

    /// The same with one chosen at first.
    #[must_use]
    pub fn chosen(
        &self,
        name: &str,
        label: &str,
        all: &[(String, String)],
        value: &'a str,
    ) -> Markup {
        let (wrong, chosen) = (self.wrong(name).map(|_| "true"), self.typed(name, value));
        let input = html! {
            select id=(self.id(name)) name=(name) aria-invalid=[wrong]
                aria-describedby=[self.described(name)] {
                @for (value, word) in all {
                    option value=(value) selected[value == chosen] { (word) }
                }
            }
        };
        self.field(name, label, &input)
    }

    /// A choice of several; those of `on` are chosen at first.
    #[must_use]
    pub fn choices(
        &self,
        name: &str,
        label: &str,
        all: &[(String, String)],
        on: &[&str],
    ) -> Markup {
        self.choices_but(name, label, (all, &BTreeMap::new()), on)
    }

    /// The same where some would be refused: why stands beside them, and what is chosen by now can
    /// only be taken back.
    #[must_use]
    pub fn choices_but(
        &self,
        name: &str,
        label: &str,
        (all, barred): (&[(String, String)], &BTreeMap<String, &str>),
        on: &[&str],
    ) -> Markup {
        let chosen = |value: &str| match self.again {
            Some((form, _)) => form.all(name).any(|one| one == value),
            None => on.contains(&value),
        };
        html! {
            fieldset aria-describedby=[self.described(name)] {
                legend { (label) }
                div .choices {
                    @for (value, word) in all {
                        @let (why, is_on) = (barred.get(value), chosen(value));
                        label .soft[why.is_some()] {
                            input type="checkbox" name=(name) value=(value) checked[is_on]
                                disabled[why.is_some() && !is_on];
                            (word)
                            @if let Some(why) = why {
                                (self.lang.pick(format!("（{why}）"), format!(" ({why})")))
                            }
                        }
                    }
                    @if all.is_empty() { span .soft { (self.lang.pick("（没有可选项）", "(none)")) } }
                }
                (self.wrong_with(name))
            }
        }
    }
}

/// A form that is folded away until it is wanted; open when it was refused, or when a link leads to
/// its name, `do-` and what it does: browsers unfold what their target lies in.
#[must_use]
pub fn act(filled: &Filled<'_>, action: &str, title: &str, fields: &Markup) -> Markup {
    html! {
        details .act id={ "act-" (filled.form) } open[filled.again.is_some()] {
            summary { (title) }
            form id={ "do-" (filled.form) } method="post" action=(action) {
                (request_id(filled.again.map(|(form, _)| form)))
                @if let Some((_, refusal)) = filled.refused() { (refused(refusal, filled.lang)) }
                (fields)
                button name="go" value=(filled.form) { (title) }
            }
        }
    }
}

/// What was just done, told on the page that follows; and `where_held`, how the page tells who else
/// has it, if it does.
#[must_use]
pub fn done(query: &Form, desk: &Desk, where_held: &str) -> Markup {
    let said = "已登记，并已存入本市节点。";
    html! {
        @if desk.has_just_recorded(query) {
            div .done role="status" {
                p { (desk.lang().pick(said, "Recorded, and on this city's disk. ")) (where_held) }
            }
        }
    }
}

/// The next page of a list.
#[must_use]
pub fn next(path: &str, query: &Form, token: &str, lang: Lang) -> Markup {
    next_of("page", path, (query, token), lang)
}

/// The next page of one of several lists, which is the one that a field of the query names.
#[must_use]
pub fn next_of(field: &str, path: &str, (query, token): (&Form, &str), lang: Lang) -> Markup {
    html! {
        @if !token.is_empty() || !query.text(field).is_empty() {
            p .pages {
                @if !query.text(field).is_empty() {
                    a href={ (path) "?" (query.with(field, "")) } {
                        (lang.pick("回到第一页", "first page"))
                    }
                }
                @if !token.is_empty() {
                    a href={ (path) "?" (query.with(field, token)) } {
                        (lang.pick("下一页", "next page"))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_pages_name_each_other() {
        let name = "agreements/00aa/cases/11bb";
        assert_eq!(page_of("case", name), "/case/00aa/11bb");
        assert_eq!(name_of("cases", &Path(("00aa".into(), "11bb".into()))), name);
        assert_eq!(agreement_of(name), "agreements/00aa");
        assert_eq!(page_of("case", "x"), "/case//");
    }

    #[test]
    fn what_a_form_was_filled_in_against_stays_until_the_new_is_shown() {
        let kept = |form: &str, refusal: &Refusal| {
            let form = Form::parse(form.as_bytes());
            let filled = Filled { form: "assign", again: Some((&form, refusal)), lang: Lang::Zh };
            filled.kept("assignment", "new").into_string()
        };
        let stale = Refusal { is_stale: true, ..Refusal::default() };
        for (form, refusal, value) in [
            ("assignment=old", &Refusal::default(), "old"),
            ("assignment=", &Refusal::default(), ""),
            ("", &Refusal::default(), "new"),
            ("assignment=", &stale, "new"),
        ] {
            let shown = kept(form, refusal);
            assert!(shown.contains(&format!(r#"value="{value}""#)), "{form}: {shown}");
        }
    }

    #[test]
    fn what_was_typed_and_why_it_was_refused_stand_at_the_field() {
        let form = Form::parse("text=%3Cscript%3E1&to=130400".as_bytes());
        let refusal = Refusal::field("text", "太长".to_owned());
        let filled = Filled { form: "offer", again: Some((&form, &refusal)), lang: Lang::Zh };
        let shown = filled.text("text", "说明").into_string();
        assert!(shown.contains("&lt;script&gt;1</textarea>"), "{shown}");
        assert!(shown.contains(r#"aria-describedby="offer-text-wrong""#), "{shown}");
        assert!(shown.contains(r#"id="offer-text-wrong">太长"#), "{shown}");
        let all = [("0".to_owned(), "无".to_owned()), ("130400".to_owned(), "邯郸".to_owned())];
        let shown = filled.choice("to", "移送至", &all).into_string();
        assert!(shown.contains(r#"<option value="130400" selected>邯郸"#), "{shown}");
    }
}
