//! What was said of an item of evidence so far, as people and programs read it.

use serde_json::{Value, json};

use crate::cli::json::{city, evidence};
use crate::cli::{when, words};
pub use crate::shown::evidence::text;
use crate::wire::pb::v1 as pb;

/// As JSON.
#[must_use]
pub fn shape(standing: &pb::EvidenceStanding) -> Value {
    let receipt = |one: &pb::EvidenceReceipt| {
        json!({
            "city": city(one.city),
            "receive_time": when::rfc3339(one.receive_time.as_ref()),
            "entry": one.entry,
        })
    };
    let verdict = |one: &pb::EvidenceVerdict| {
        let ground = Some(one.ground()).filter(|_| !one.recognised);
        json!({
            "city": city(one.city),
            "judge_time": when::rfc3339(one.judge_time.as_ref()),
            "recognised": one.recognised,
            "ground": ground.map(|one| words::short(one.as_str_name(), "EVIDENCE_DECLINE_GROUND_")),
            "text": one.text,
            "entry": one.entry,
        })
    };
    let step = |one: &pb::CustodyStep| {
        json!({
            "city": city(one.city),
            "handed_on": when::date(one.handed_on.as_ref()),
            "record": one.record.as_ref().map(custody),
            "entry": one.entry,
        })
    };
    json!({
        "case": standing.name,
        "entry": standing.entry,
        "part": standing.part,
        "item": standing.item,
        "listing_city": city(standing.listing_city),
        "evidence": standing.evidence.as_ref().map(evidence),
        "receipts": standing.receipts.iter().map(receipt).collect::<Vec<_>>(),
        "verdicts": standing.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "custody": standing.custody.iter().map(step).collect::<Vec<_>>(),
    })
}

/// A hand-over as JSON.
#[must_use]
pub fn custody(record: &pb::CustodyRecord) -> Value {
    json!({
        "from": record.from,
        "to": record.to,
        "address": record.address,
        "text": record.text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::names::Names;
    use crate::lang::Lang;

    #[test]
    fn an_item_is_shown_with_all_that_was_said_of_it() {
        let item = pb::Evidence {
            id: "E01".into(),
            title: "采样记录".into(),
            sha256: vec![0xab; 32].into(),
            ..Default::default()
        };
        let verdict = pb::EvidenceVerdict {
            city: 130_400,
            ground: pb::EvidenceDeclineGround::Officers.into(),
            text: "只有一人\u{1b}[2J签名".into(),
            ..Default::default()
        };
        let step = pb::CustodyStep {
            city: 371_500,
            handed_on: Some(pb::Date { year: 2026, month: 11, day: 20 }),
            record: Some(pb::CustodyRecord {
                from: "聊城市支队".into(),
                to: "邯郸市支队".into(),
                address: "莘县".into(),
                text: "封条 017".into(),
            }),
            ..Default::default()
        };
        let standing = pb::EvidenceStanding {
            listing_city: 371_500,
            evidence: Some(item),
            receipts: vec![pb::EvidenceReceipt { city: 130_400, ..Default::default() }],
            verdicts: vec![verdict],
            custody: vec![step],
            ..Default::default()
        };
        let text = text(&standing, &Names::new(Lang::Zh), Lang::Zh);
        assert!(text.starts_with("证据 E01 采样记录（聊城提交）\nSHA-256 abab"), "{text}");
        assert!(text.contains("邯郸已接收"), "{text}");
        assert!(text.contains("邯郸不认可：执法人员少于两名或未出示证件"), "{text}");
        let over = "2026-11-20 聊城市支队移交给邯郸市支队（莘县）：封条 017";
        assert!(text.contains(over), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        let shown = shape(&standing);
        assert_eq!(shown["verdicts"][0]["ground"], "OFFICERS");
        assert_eq!(shown["custody"][0]["record"]["to"], "邯郸市支队");
    }
}
