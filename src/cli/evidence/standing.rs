//! What was said of an item of evidence so far, as people and programs read it.

use serde_json::{Value, json};

use crate::cli::json::{city, evidence};
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::ids::hex;
use crate::lang::Lang;
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

/// As text: the item, then a line for whatever was said.
#[must_use]
pub fn text(standing: &pb::EvidenceStanding, names: &Names, lang: Lang) -> String {
    let mut lines = Vec::new();
    if let Some(item) = &standing.evidence {
        let of = names.city(standing.listing_city);
        lines.push(lang.pick(
            format!("证据 {}（{of}提交）", named(item)),
            format!("evidence {} (listed by {of})", named(item)),
        ));
        lines.push(format!("SHA-256 {}", hex(&item.sha256)));
    }
    for one in &standing.receipts {
        let (city, time) = (names.city(one.city), when::time(one.receive_time.as_ref()));
        lines.push(lang.pick(format!("{city}已接收 {time}"), format!("received by {city} {time}")));
    }
    for one in &standing.verdicts {
        let (city, time) = (names.city(one.city), when::time(one.judge_time.as_ref()));
        let said = said(&one.text, lang);
        let ground = words::decline_ground(one.ground(), lang);
        lines.push(match one.recognised {
            true => lang.pick(
                format!("{city}认可 {time}{said}"),
                format!("recognised by {city} {time}{said}"),
            ),
            false => lang.pick(
                format!("{city}不认可：{ground} {time}{said}"),
                format!("declined by {city}: {ground} {time}{said}"),
            ),
        });
    }
    for one in &standing.custody {
        let on = when::date(one.handed_on.as_ref());
        lines.push(match &one.record {
            Some(record) => format!("{on} {}", hand_over(record, lang)),
            None => lang.pick(format!("{on} 已移交"), format!("{on} handed over")),
        });
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// An item in a few words: its id and title.
#[must_use]
pub fn named(item: &pb::Evidence) -> String {
    format!("{} {}", table::clean(&item.id), table::clean(&item.title))
}

/// Who handed an original to whom, in one line.
#[must_use]
pub fn hand_over(record: &pb::CustodyRecord, lang: Lang) -> String {
    let (from, to) = (table::clean(&record.from), table::clean(&record.to));
    let at = match table::clean(&record.address) {
        address if address.is_empty() => address,
        address => lang.pick(format!("（{address}）"), format!(" ({address})")),
    };
    let said = said(&record.text, lang);
    lang.pick(format!("{from}移交给{to}{at}{said}"), format!("{from} handed it to {to}{at}{said}"))
}

fn said(text: &str, lang: Lang) -> String {
    match table::clean(text) {
        text if text.is_empty() => text,
        text => lang.pick(format!("：{text}"), format!(": {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
