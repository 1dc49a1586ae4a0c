//! What was said of police and procuratorate, as people and programs read it.

use serde_json::{Value, json};

use crate::cli::json::{city, date};
use crate::cli::{when, words};
use crate::wire::pb::v1 as pb;
use pb::referral_word::Said;

/// A word as JSON.
#[must_use]
pub fn shape(word: &pb::ReferralWord) -> Value {
    let said = match &word.said {
        Some(Said::Referred(said)) => json!({
            "what": "REFERRED",
            "kind": words::short(said.kind().as_str_name(), "REFERRAL_KIND_"),
            "papers": said
                .papers()
                .map(|one| words::short(one.as_str_name(), "REFERRAL_PAPER_"))
                .collect::<Vec<_>>(),
            "decided_on": date(said.decided_on.as_ref()),
            "handed_over_on": date(said.handed_over_on.as_ref()),
        }),
        Some(Said::Answered(said)) => json!({
            "what": "ANSWERED",
            "referral": position(said.referral.as_ref()),
            "answer": words::short(said.answer().as_str_name(), "POLICE_ANSWER_"),
            "answered_on": date(said.answered_on.as_ref()),
        }),
        Some(Said::Copied(said)) => json!({
            "what": "COPIED",
            "referral": position(said.referral.as_ref()),
            "paper": words::short(said.paper().as_str_name(), "COPIED_PAPER_"),
            "copied_on": date(said.copied_on.as_ref()),
        }),
        Some(Said::Opined(said)) => json!({
            "what": "OPINED",
            "referral": position(said.referral.as_ref()),
            "opinion": words::short(said.opinion().as_str_name(), "PROCURATORATE_OPINION_"),
            "opined_on": date(said.opined_on.as_ref()),
        }),
        None => json!({ "what": null }),
    };
    let more = [
        ("entry", json!(word.entry)),
        ("city", city(word.city)),
        ("record_time", json!(when::rfc3339(word.record_time.as_ref()))),
        ("record", word.record.as_ref().map(record).unwrap_or_default()),
    ];
    more.into_iter().fold(said, |said, (key, value)| crate::cli::json::with(said, key, value))
}

/// Organ, document and text as JSON.
#[must_use]
pub fn record(record: &pb::ReferralRecord) -> Value {
    json!({
        "organ": record.organ,
        "document_number": record.document_number,
        "text": record.text,
    })
}

fn position(at: Option<&pb::EntryPosition>) -> Value {
    at.map_or(Value::Null, |at| json!(format!("{}:{}", crate::ids::hex(&at.log_id), at.index)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::names::Names;
    use crate::lang::Lang;
    use crate::shown::referral::line;

    fn day(day: i32) -> Option<pb::Date> {
        Some(pb::Date { year: 2026, month: 11, day })
    }

    #[test]
    fn words_are_shown_with_their_days_and_cannot_steer_the_terminal() {
        let referred = pb::CaseReferred {
            kind: pb::ReferralKind::Crime.into(),
            papers: vec![pb::ReferralPaper::Letter.into(), pb::ReferralPaper::Report.into()],
            decided_on: day(19),
            handed_over_on: day(20),
        };
        let record = pb::ReferralRecord {
            organ: "示例市公安局".into(),
            document_number: "示例移〔2026〕1号".into(),
            text: "共\u{1b}[2J 3 页".into(),
        };
        let word = pb::ReferralWord {
            entry: "ab:3".into(),
            city: 130_400,
            said: Some(Said::Referred(referred.clone())),
            record: Some(record),
            ..Default::default()
        };
        let names = Names::new(Lang::Zh);
        let text = line(&word, &names, Lang::Zh);
        let want = "2026-11-20 涉嫌犯罪移送（2026-11-19 决定），材料：案件移送书、案件调查报告；\
                    示例市公安局 示例移〔2026〕1号 共";
        assert!(text.starts_with(want) && text.ends_with("（邯郸登记）"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        let shown = shape(&word);
        assert_eq!((&shown["papers"][1], &shown["kind"]), (&json!("REPORT"), &json!("CRIME")));
        assert_eq!((&shown["city"], &shown["entry"]), (&json!("130400"), &json!("ab:3")));
        assert_eq!(shown["record"]["organ"], "示例市公安局");
        let decided = pb::CaseReferred { handed_over_on: None, papers: Vec::new(), ..referred };
        let said = Some(Said::Referred(decided));
        let only = line(&pb::ReferralWord { said, ..word }, &names, Lang::Zh);
        assert!(only.starts_with("2026-11-19 决定涉嫌犯罪移送，尚未移交；"), "{only}");
    }
}
