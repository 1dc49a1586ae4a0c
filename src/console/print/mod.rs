//! Papers: what a bureau prints, seals and files of a record.
//!
//! They are laid out like the letters of a Chinese bureau and are always in Chinese, whoever prints
//! them. None is a form that a law prescribes, and each says so at its foot: the number of the
//! letter, the seal and the signatures are the bureau's own.
//!
//! In scope: the frame of a paper, its foot. Out of scope: what each says ([`case`], [`notice`],
//! [`plan`], [`field`]), what its code says ([`proof`]).
//!
//! Invariants:
//! 1. What others typed stands escaped on paper. (`what_others_typed_is_text_on_paper`)

use axum::response::Response;
use maud::{Markup, html};

use self::proof::Proof;
use super::layout::Desk;
use crate::lang::Lang;
use crate::shown::names::Names;
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

pub mod case;
mod field;
pub mod notice;
pub mod plan;
mod proof;

/// Papers of a case that was handed over.
pub const OF_A_CASE: [(&str, &str, &str); 2] =
    [("transfer", "案件移送函", "letter of transfer"), ("receipt", "移送回执", "its receipt")];
/// Papers of a notice.
pub const OF_A_NOTICE: [(&str, &str, &str); 1] = [("letter", "信息通报", "letter")];
/// Papers of a joint action.
pub const OF_A_PLAN: [(&str, &str, &str); 3] = [
    ("plan", "行动方案", "plan"),
    ("field", "现场检查记录表", "sheets for the field"),
    ("summary", "行动总结", "summary"),
];

/// One sheet or several with one head and one foot.
pub struct Paper {
    /// Whose paper: the bureau's name.
    pub mast: String,
    /// What sort of paper, and what about.
    pub title: String,
    /// The record's number.
    pub number: String,
    /// To whom, with the colon left out; empty for papers to nobody in particular.
    pub to: String,
    /// What it says.
    pub body: Markup,
    /// Who signs: bureaus, each with room for its seal.
    pub signers: Vec<String>,
    /// The day in words; empty to be filled in by hand.
    pub on: String,
    /// It has to fit on one page, and fills it.
    pub one_page: bool,
}

/// A page with papers: on a screen with a way back, on paper without.
pub fn page(desk: &Desk, title: &str, back: &str, papers: &[Paper], proof: &Proof) -> Response {
    page_noted(desk, (title, &html! {}), back, papers, proof)
}

/// The same with a note that is not printed.
pub fn page_noted(
    desk: &Desk,
    (title, note): (&str, &Markup),
    back: &str,
    papers: &[Paper],
    proof: &Proof,
) -> Response {
    let lang = desk.lang();
    let main = html! {
        p .noprint {
            a href=(back) { (lang.pick("返回", "back")) } " · "
            (lang.pick(
                "请用浏览器的打印功能（Ctrl+P）打印或存为 PDF；纸张 A4。",
                "Print it or save it as PDF with the browser (Ctrl+P), on A4. It is in Chinese.",
            ))
        }
        (note)
        @for (nth, paper) in papers.iter().enumerate() { (sheet(paper, proof, nth > 0)) }
    };
    desk.page(title, &main)
}

fn sheet(paper: &Paper, proof: &Proof, again: bool) -> Markup {
    html! {
        article .paper .page[paper.one_page] lang="zh-CN" {
            p .mast { (paper.mast) }
            div .numbers {
                span { "系统编号：" (paper.number) }
                span { "文号（发文单位填写）：" span .blank {} }
            }
            h1 { (paper.title) }
            @if !paper.to.is_empty() { p .to { (paper.to) "：" } }
            (paper.body)
            @if !paper.signers.is_empty() {
                div .signers {
                    @for signer in &paper.signers {
                        div .signer {
                            span .seal aria-hidden="true" { "印章" }
                            p { (signer) }
                            p { @if paper.on.is_empty() { "　　　年　　月　　日" } @else { (paper.on) } }
                        }
                    }
                }
            }
            (proof.foot(again))
        }
    }
}

/// Links to papers of a record: the last part of the address, and what each is called.
pub fn links(page: &str, all: &[(&str, &str, &str)], lang: Lang) -> Markup {
    html! {
        p .papers .noprint {
            (lang.pick("打印：", "print: "))
            @for (what, zh, en) in all {
                a href={ (page) "/print/" (what) } { (lang.pick(zh, en)) } " "
            }
        }
    }
}

/// Rows of a sheet as a ruled table.
pub fn ruled(sheet: &Sheet) -> Markup {
    html! {
        table .ruled {
            tbody {
                @for (label, value) in sheet.rows() {
                    tr { th scope="row" { (label) } td { (value) } }
                }
            }
        }
    }
}

/// Text of several lines as paragraphs.
pub fn paragraphs(text: &str) -> Markup {
    html! {
        @for line in text.lines().filter(|line| !line.trim().is_empty()) { p { (clean(line)) } }
    }
}

/// 2026年11月20日; empty when absent.
pub fn day(date: Option<&pb::Date>) -> String {
    date.map_or_else(String::new, |one| format!("{}年{}月{}日", one.year, one.month, one.day))
}

/// The Chinese names of cities and agreements, whatever the page's language.
pub fn names(desk: &Desk) -> Names {
    let mut names = Names::new(Lang::Zh);
    names.learn(&desk.agreements);
    names
}

/// The agreement of a record, as people call it, with its title.
pub fn agreement<'a>(desk: &'a Desk, name: &str) -> Option<&'a pb::Agreement> {
    let of = super::parts::agreement_of(name);
    desk.agreements.iter().find(|one| one.name == of)
}

/// What a member's bureau is called in the agreement; the city's name where that says nothing.
pub fn bureau(desk: &Desk, record: &str, city: u32) -> String {
    let members = agreement(desk, record).map(|one| one.members.as_slice()).unwrap_or_default();
    let member = members.iter().find(|one| one.city == city);
    let name = member.map(|one| clean(&one.display_name)).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| names(desk).city(city))
}

/// 《…》 of the agreement of a record.
pub fn agreement_title(desk: &Desk, record: &str) -> String {
    agreement(desk, record)
        .map_or_else(String::new, |one| format!("《{}》", clean(&one.display_name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_typed_is_text_on_paper() {
        let mut rows = Sheet::default();
        rows.row("案由", "<script>1</script>");
        let bad = || "<img src=x>".to_owned();
        let paper = Paper {
            mast: bad(),
            title: bad(),
            number: bad(),
            to: bad(),
            body: html! { (ruled(&rows)) (paragraphs("<b>\n\n<i>")) },
            signers: vec![bad(), bad()],
            on: bad(),
            one_page: false,
        };
        let said = sheet(&paper, &Proof::default(), false).into_string();
        for tag in ["<img", "<script", "<b>", "<i>"] {
            assert!(!said.contains(tag), "{said}");
        }
        assert_eq!(said.matches("class=\"seal\"").count(), 2);
        assert!(!said.contains("style="), "pages may hold no styles");
    }

    #[test]
    fn days_are_written_out() {
        assert_eq!(day(Some(&pb::Date { year: 2026, month: 1, day: 9 })), "2026年1月9日");
        assert_eq!(day(None), "");
    }
}
