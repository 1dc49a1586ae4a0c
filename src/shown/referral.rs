//! What was said of police and procuratorate, as people read it.

use super::names::Names;
use super::{text, when};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;
use pb::referral_word::Said;

/// A word in a line.
#[must_use]
pub fn line(word: &pb::ReferralWord, names: &Names, lang: Lang) -> String {
    let said = match &word.said {
        Some(Said::Referred(said)) => referred(said, lang),
        Some(Said::Answered(said)) => {
            let what = words::police_answer(said.answer(), lang);
            format!("{} {what}", when::date(said.answered_on.as_ref()))
        }
        Some(Said::Copied(said)) => {
            let (on, what) = (when::date(said.copied_on.as_ref()), said.paper());
            let what = words::copied_paper(what, lang);
            lang.pick(
                format!("{on} 抄送检察院：{what}"),
                format!("{on} copied to the procuratorate: {what}"),
            )
        }
        Some(Said::Opined(said)) => {
            let what = words::procuratorate_opinion(said.opinion(), lang);
            format!("{} {what}", when::date(said.opined_on.as_ref()))
        }
        None => lang.pick("未知事项", "unknown").to_owned(),
    };
    let about = word.record.as_ref().map(|one| about(one, lang)).unwrap_or_default();
    let city = names.city(word.city);
    lang.pick(format!("{said}{about}（{city}登记）"), format!("{said}{about} ({city})"))
}

fn referred(said: &pb::CaseReferred, lang: Lang) -> String {
    let (kind, decided) =
        (words::referral_kind(said.kind(), lang), when::date(said.decided_on.as_ref()));
    let papers: Vec<_> = said.papers().map(|one| words::referral_paper(one, lang)).collect();
    let papers = match papers.is_empty() {
        true => String::new(),
        false => {
            let papers = papers.join(lang.pick("、", ", "));
            lang.pick(format!("，材料：{papers}"), format!(", papers: {papers}"))
        }
    };
    match &said.handed_over_on {
        None => lang.pick(
            format!("{decided} 决定{kind}，尚未移交{papers}"),
            format!("{decided} {kind}: decided, not handed over{papers}"),
        ),
        handed => {
            let handed = when::date(handed.as_ref());
            lang.pick(
                format!("{handed} {kind}（{decided} 决定）{papers}"),
                format!("{handed} {kind}, decided {decided}{papers}"),
            )
        }
    }
}

fn about(record: &pb::ReferralRecord, lang: Lang) -> String {
    match told(record) {
        told if told.is_empty() => told,
        told => format!("{}{told}", lang.pick("；", "; ")),
    }
}

/// Organ, document and text, in a few words.
#[must_use]
pub fn told(record: &pb::ReferralRecord) -> String {
    let all = [&record.organ, &record.document_number, &record.text];
    let all = all.into_iter().map(|one| text::clean(one)).filter(|one| !one.is_empty());
    all.collect::<Vec<_>>().join(" ")
}
