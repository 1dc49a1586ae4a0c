//! What was said of an item of evidence, as people read it.

use super::names::Names;
use super::text::clean;
use super::when;
use crate::ids::hex;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

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
    format!("{} {}", clean(&item.id), clean(&item.title))
}

/// Who handed an original to whom, in one line.
#[must_use]
pub fn hand_over(record: &pb::CustodyRecord, lang: Lang) -> String {
    let (from, to) = (clean(&record.from), clean(&record.to));
    let at = match clean(&record.address) {
        address if address.is_empty() => address,
        address => lang.pick(format!("（{address}）"), format!(" ({address})")),
    };
    let said = said(&record.text, lang);
    lang.pick(format!("{from}移交给{to}{at}{said}"), format!("{from} handed it to {to}{at}{said}"))
}

fn said(text: &str, lang: Lang) -> String {
    match clean(text) {
        text if text.is_empty() => text,
        text => lang.pick(format!("：{text}"), format!(": {text}")),
    }
}
