//! `liandong catalog`: code lists, and which articles come into question for an act.
//!
//! In scope: asking the node, showing. Out of scope: what the lists hold, and any choice: whoever
//! files a case writes its legal basis down.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connect::Client;
use super::failure::Failure;
use super::profile::ProfileArgs;
use super::words::short;
use super::{Context, json as shape, table, when, words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use pb::catalog_item::Detail;

/// Arguments.
#[derive(Args, Debug)]
pub struct CatalogArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// 代码表，如 violations；不填则列出全部代码表 · a list; without one, which lists there are
    #[arg(value_name = "LIST")]
    pub list: Option<String>,
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<CatalogCommand>,
}

/// What else can be asked.
#[derive(Subcommand, Debug)]
pub enum CatalogCommand {
    /// 某违法行为可适用的条文，从旧兼从轻 · articles for an act, and lighter later ones
    Basis(BasisArgs),
}

/// Arguments of a question for legal bases.
#[derive(Args, Debug)]
pub struct BasisArgs {
    /// 违法行为代码，如 HAZWASTE_STORAGE · code of the violation
    #[arg(value_name = "VIOLATION", value_parser = violation)]
    pub violation: pb::Violation,
    /// 行为起始日 · first day of the act
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub from: Option<pb::Date>,
    /// 行为终止日，仍在持续的不填 · last day of the act; absent while it goes on
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub to: Option<pb::Date>,
    /// 作出决定之日，默认今天 · day of the decision, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub decided: Option<pb::Date>,
}

fn violation(text: &str) -> Result<pb::Violation, String> {
    let code = text.to_ascii_uppercase().replace('-', "_");
    let found = pb::Violation::from_str_name(&format!("VIOLATION_{code}"));
    let known = found.filter(|one| *one != pb::Violation::Unspecified);
    known.ok_or_else(|| {
        "没有这个代码，见 liandong catalog violations · no such code, see that list".to_owned()
    })
}

/// Lists, or answers what is asked.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(context: &Context, args: CatalogArgs) -> Result<(), Failure> {
    let client = context.connect().await?;
    if let Some(CatalogCommand::Basis(asked)) = args.command {
        return basis(context, &client, asked).await;
    }
    let list = args.list.as_deref().unwrap_or("lists");
    let (items, last) = all(&client, list).await?;
    if context.json {
        context.print_json(&json!({
            "items": items.iter().map(item_shape).collect::<Vec<_>>(),
            "total_size": last.total_size,
            "catalog_version": last.catalog_version,
            "etag": last.etag,
        }));
    } else {
        print!("{}", list_text(&items, &last.catalog_version, context.lang));
    }
    Ok(())
}

/// Every page of a list, and the last answer.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn all(
    client: &Client,
    list: &str,
) -> Result<(Vec<pb::CatalogItem>, pb::ListResponse), Failure> {
    let parent = format!("lists/{list}");
    let (mut items, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListRequest { parent: parent.clone(), page_size: 200, page_token };
        let answer = client.catalog().list(request).await;
        let mut page = answer.map_err(|status| client.failure(&status))?.into_inner();
        items.append(&mut page.items);
        if page.next_page_token.is_empty() {
            return Ok((items, page));
        }
        page_token = std::mem::take(&mut page.next_page_token);
    }
}

fn list_text(items: &[pb::CatalogItem], version: &str, lang: Lang) -> String {
    let headers =
        lang.pick(["代码", "编号", "含义", "说明"], ["code", "number", "meaning", "more"]);
    let mut lines = table::table(&headers);
    for item in items {
        let number = if item.number == 0 { String::new() } else { item.number.to_string() };
        let word = lang.pick(&item.word_zh, &item.word_en);
        lines.add_row([
            table::clean(&item.code),
            number,
            table::clean(word),
            detail_text(item.detail.as_ref(), lang),
        ]);
    }
    let version = table::clean(version);
    lang.pick(
        format!("{lines}\n共 {} 项，目录版本 {version}\n", items.len()),
        format!("{lines}\n{} values, catalogue {version}\n", items.len()),
    )
}

fn detail_text(detail: Option<&Detail>, lang: Lang) -> String {
    match detail {
        Some(Detail::Violation(violation)) => {
            let lines = violation.bases.iter().map(|basis| basis_text(basis, lang));
            lines.collect::<Vec<_>>().join("\n")
        }
        Some(Detail::Deadline(deadline)) => {
            deadline.terms.iter().map(|term| term_text(term, lang)).collect::<Vec<_>>().join("\n")
        }
        Some(Detail::Law(law)) => {
            let (from, to) =
                (when::date(law.effective_from.as_ref()), when::date(law.effective_to.as_ref()));
            let mut text = lang.pick(format!("{from} 起"), format!("from {from}"));
            if !to.is_empty() {
                text = format!("{from} – {to}");
            }
            text + unread(law.verified, lang)
        }
        None => String::new(),
    }
}

fn unread(verified: bool, lang: Lang) -> &'static str {
    if verified { "" } else { lang.pick("（未核对原文）", " (text not read)") }
}

fn term_text(term: &pb::CatalogTerm, lang: Lang) -> String {
    let source = table::clean(lang.pick(&term.source_zh, &term.source_en));
    if term.length == 0 {
        return source;
    }
    let setter = words::term_setter(term.setter(), lang);
    let unit = words::term_unit(term.unit(), lang);
    lang.pick(
        format!("{}{unit}：{source}，{setter}", term.length),
        format!("{} {unit}: {source}, {setter}", term.length),
    )
}

/// An article with its fine, on one line.
fn basis_text(one: &pb::CatalogBasis, lang: Lang) -> String {
    let basis = one.basis.clone().unwrap_or_default();
    let mut text = match lang {
        Lang::Zh => {
            let item =
                if basis.item == 0 { String::new() } else { format!("第{}项", basis.item) };
            format!("《{}》第{}条{item}：", basis.law, basis.article)
        }
        Lang::En => {
            let item = if basis.item == 0 { String::new() } else { format!("({})", basis.item) };
            format!("{} art. {}{item}: ", one.law_en, basis.article)
        }
    };
    text.push_str(&fine_text(one, lang));
    text.push_str(unread(one.verified, lang));
    let note = lang.pick(&one.note_zh, &one.note_en);
    if !note.is_empty() {
        text.push_str(lang.pick("；", "; "));
        text.push_str(note);
    }
    table::clean(&text)
}

fn fine_text(one: &pb::CatalogBasis, lang: Lang) -> String {
    let range = |range: &pb::FineRange| {
        let (least, most) = (money(range.least_fen, lang), money(range.most_fen, lang));
        let amount = lang.pick(format!("{least}至{most}"), format!("{least} to {most}"));
        let case = lang.pick(&range.case_zh, &range.case_en);
        if case.is_empty() { amount } else { format!("{case} {amount}") }
    };
    match one.fine_kind() {
        pb::FineKind::Ranges => {
            let ranges: Vec<String> = one.fines.iter().map(range).collect();
            ranges.join(lang.pick("，", ", "))
        }
        pb::FineKind::Formula => lang.pick(&one.formula_zh, &one.formula_en).clone(),
        kind @ (pb::FineKind::Unspecified | pb::FineKind::Absent | pb::FineKind::Unstated) => {
            words::fine_kind(kind, lang).to_owned()
        }
    }
}

/// An amount as people write fines: 10万元, 500元; in English plain yuan.
fn money(fen: i64, lang: Lang) -> String {
    let yuan = fen / 100;
    match lang {
        Lang::Zh if yuan >= 10_000 && yuan % 10_000 == 0 => format!("{}万元", yuan / 10_000),
        Lang::Zh => format!("{yuan}元"),
        Lang::En => format!("{yuan} yuan"),
    }
}

async fn basis(context: &Context, client: &Client, asked: BasisArgs) -> Result<(), Failure> {
    let request = pb::FindLegalBasesRequest {
        violation: asked.violation.into(),
        occurred_from: asked.from,
        occurred_to: asked.to,
        decided_on: asked.decided,
    };
    let answer = client.catalog().find_legal_bases(request).await;
    let found = answer.map_err(|status| client.failure(&status))?.into_inner();
    if context.json {
        context.print_json(&found_shape(&found));
    } else {
        print!("{}", found_text(&found, context.lang));
    }
    Ok(())
}

/// What comes into question, for people.
fn found_text(found: &pb::FindLegalBasesResponse, lang: Lang) -> String {
    let day = when::date(found.judged_on.as_ref());
    let mut text = match (found.goes_on, lang) {
        (true, Lang::Zh) => format!("按行为仍在持续、以 {day} 的条文判断：\n"),
        (true, Lang::En) => format!("the act is taken to go on; texts of {day}:\n"),
        (false, Lang::Zh) => format!("行为终了日 {day} 有效的条文：\n"),
        (false, Lang::En) => format!("texts in force on the last day of the act, {day}:\n"),
    };
    for basis in &found.in_force {
        text.push_str(&format!("  {}\n", basis_text(basis, lang)));
    }
    if found.in_force.is_empty() {
        text.push_str(lang.pick(
            "  目录中没有当时的条文，请查原文\n",
            "  the catalogue has none; look the law up\n",
        ));
    }
    if !found.later.is_empty() {
        text.push_str(lang.pick("此后施行的条文（从旧兼从轻）：\n", "later texts:\n"));
    }
    for later in &found.later {
        let mark = if later.flagged { "! " } else { "  " };
        let basis = basis_text(&later.later.clone().unwrap_or_default(), lang);
        let verdict = words::basis_verdict(later.verdict(), lang);
        text.push_str(&format!("{mark}{basis}\n"));
        let against = later.earlier.as_ref().map(|earlier| basis_text(earlier, lang));
        text.push_str(&match (against, lang) {
            (Some(earlier), Lang::Zh) => format!("    {verdict}；对照 {earlier}\n"),
            (Some(earlier), Lang::En) => format!("    {verdict}; against {earlier}\n"),
            (None, _) => format!("    {verdict}\n"),
        });
    }
    let notice = table::clean(lang.pick(&found.notice_zh, &found.notice_en));
    let version = table::clean(&found.catalog_version);
    text.push_str(&lang.pick(
        format!("仅供参考，适用哪一条由办案人员决定。目录 {version}：{notice}\n"),
        format!("An aid only: the officer decides. Catalogue {version}: {notice}\n"),
    ));
    text
}

/// Says on standard error which articles come into question for a case that was opened without a
/// legal basis. A node that does not know costs the hint, nothing else.
pub async fn hint(client: &Client, facts: &pb::CaseFacts, lang: Lang) {
    let request = pb::FindLegalBasesRequest {
        violation: facts.violation,
        occurred_from: facts.occurred_from,
        occurred_to: facts.occurred_to,
        decided_on: None,
    };
    if let Ok(answer) = client.catalog().find_legal_bases(request).await {
        let found = found_text(&answer.into_inner(), lang);
        eprint!(
            "{}{found}",
            lang.pick("本案未填法律依据，供参考：\n", "no legal basis was given; for your help:\n")
        );
    }
}

fn found_shape(found: &pb::FindLegalBasesResponse) -> Value {
    let later = |later: &pb::LaterBasis| {
        json!({
            "later": later.later.as_ref().map(basis_shape),
            "earlier": later.earlier.as_ref().map(basis_shape),
            "verdict": short(later.verdict().as_str_name(), "BASIS_VERDICT_"),
            "flagged": later.flagged,
        })
    };
    json!({
        "in_force": found.in_force.iter().map(basis_shape).collect::<Vec<_>>(),
        "later": found.later.iter().map(later).collect::<Vec<_>>(),
        "judged_on": shape::date(found.judged_on.as_ref()),
        "goes_on": found.goes_on,
        "catalog_version": found.catalog_version,
        "notice_zh": found.notice_zh,
        "notice_en": found.notice_en,
    })
}

fn basis_shape(one: &pb::CatalogBasis) -> Value {
    let range = |range: &pb::FineRange| {
        json!({
            "least_fen": range.least_fen,
            "most_fen": range.most_fen,
            "case_code": range.case_code,
            "case_zh": range.case_zh,
            "case_en": range.case_en,
        })
    };
    json!({
        "basis": one.basis.as_ref().map(shape::legal_basis),
        "law_code": one.law_code,
        "law_en": one.law_en,
        "offered_from": shape::date(one.offered_from.as_ref()),
        "offered_to": shape::date(one.offered_to.as_ref()),
        "fine_kind": short(one.fine_kind().as_str_name(), "FINE_KIND_"),
        "fines": one.fines.iter().map(range).collect::<Vec<_>>(),
        "formula_zh": one.formula_zh,
        "formula_en": one.formula_en,
        "verified": one.verified,
        "note_zh": one.note_zh,
        "note_en": one.note_en,
        "about": one.about,
    })
}

fn item_shape(item: &pb::CatalogItem) -> Value {
    let (mut violation, mut deadline, mut law) = (Value::Null, Value::Null, Value::Null);
    match &item.detail {
        Some(Detail::Violation(one)) => {
            violation = json!({
                "title_zh": one.title_zh,
                "title_en": one.title_en,
                "bases": one.bases.iter().map(basis_shape).collect::<Vec<_>>(),
            });
        }
        Some(Detail::Deadline(one)) => {
            let term = |term: &pb::CatalogTerm| {
                json!({
                    "length": term.length,
                    "unit": short(term.unit().as_str_name(), "TERM_UNIT_"),
                    "setter": short(term.setter().as_str_name(), "TERM_SETTER_"),
                    "source_zh": term.source_zh,
                    "source_en": term.source_en,
                })
            };
            let terms = one.terms.iter().map(term).collect::<Vec<_>>();
            deadline = json!({ "terms": terms, "window": one.window });
        }
        Some(Detail::Law(one)) => {
            law = json!({
                "effective_from": shape::date(one.effective_from.as_ref()),
                "effective_to": shape::date(one.effective_to.as_ref()),
                "last_article": one.last_article,
                "verified": one.verified,
            });
        }
        None => {}
    }
    json!({
        "name": item.name,
        "parent": item.parent,
        "number": item.number,
        "code": item.code,
        "word_zh": item.word_zh,
        "word_en": item.word_en,
        "violation": violation,
        "deadline": deadline,
        "law": law,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Violation;
    use crate::domain::catalogue::{Act, Catalogue};
    use crate::wire::catalog::choice_out;

    fn found(violation: Violation, to: &str) -> pb::FindLegalBasesResponse {
        let day = |text: &str| crate::domain::Date::parse(text).unwrap();
        let act = Act::new(None, Some(day(to)), day("2026-11-28")).unwrap();
        choice_out(&Catalogue::shipped().choose(violation, act))
    }

    #[test]
    fn a_lighter_text_is_marked_with_both_ranges() {
        let text = found_text(&found(Violation::HazwasteStorage, "2026-08-14"), Lang::Zh);
        assert!(text.contains("第112条第6项：10万元至100万元\n"), "{text}");
        assert!(
            text.contains("! 《中华人民共和国生态环境法典》第1175条第4项：5万元至20万元"),
            "{text}"
        );
        assert!(text.contains("新法较轻，可能须适用；对照"), "{text}");
        let text = found_text(&found(Violation::FacilityNotRun, "2026-08-14"), Lang::En);
        assert!(text.contains("the catalogue has none") && !text.contains("! "), "{text}");
        assert!(text.contains("no text of the time of the act\n"), "{text}");
        let text = found_text(&found(Violation::StrawBurning, "2026-08-14"), Lang::Zh);
        assert!(text.contains("500元至2000元") && !text.contains("! "), "{text}");
    }

    #[test]
    fn other_peoples_catalogue_cannot_steer_the_terminal() {
        let item = pb::CatalogItem { code: "A\u{1b}[2J".to_owned(), ..Default::default() };
        assert!(!list_text(&[item], "\u{1b}", Lang::Zh).contains('\u{1b}'));
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(violation("hazwaste-storage"), Ok(pb::Violation::HazwasteStorage));
        assert!(violation("UNSPECIFIED").is_err() && violation("X").is_err());
    }
}
