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

/// What was said of a file in a case, by the history: of each city the first.
#[must_use]
pub fn standing(entries: &[pb::HistoryEntry], sha256: &[u8]) -> pb::EvidenceStanding {
    use pb::entry_header::Event;
    let mut standing = pb::EvidenceStanding::default();
    let about = entries.iter().filter(|one| {
        let item = one.evidence.as_ref();
        one.effect() == pb::EntryEffect::Contribution
            && item.is_some_and(|item| item.sha256 == sha256)
    });
    for entry in about {
        let event = entry.header.as_ref().and_then(|header| header.event.as_ref());
        let (city, time, at) = (entry.city, entry.record_time, entry.entry.clone());
        let judged = |recognised, ground| pb::EvidenceVerdict {
            city,
            judge_time: time,
            recognised,
            ground,
            text: entry.texts.join("\n"),
            entry: at.clone(),
        };
        let verdict = match event {
            Some(Event::EvidenceReceived(_)) => {
                if standing.receipts.iter().all(|one| one.city != city) {
                    let receipt = pb::EvidenceReceipt { city, receive_time: time, entry: at };
                    standing.receipts.push(receipt);
                }
                continue;
            }
            Some(Event::EvidenceRecognised(_)) => judged(true, 0),
            Some(Event::EvidenceDeclined(declined)) => judged(false, declined.ground),
            Some(Event::CustodyRecorded(handed)) => {
                standing.custody.push(pb::CustodyStep {
                    city,
                    handed_on: handed.handed_on,
                    record: entry.custody.clone(),
                    entry: at,
                });
                continue;
            }
            Some(_) | None => continue,
        };
        if standing.verdicts.iter().all(|one| one.city != city) {
            standing.verdicts.push(verdict);
        }
    }
    standing
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_city_the_first_word_on_a_file_counts() {
        use pb::entry_header::Event;
        let entry = |city, byte, effect: pb::EntryEffect, event| pb::HistoryEntry {
            city,
            effect: effect.into(),
            evidence: Some(pb::Evidence { sha256: vec![byte; 32].into(), ..Default::default() }),
            header: Some(pb::EntryHeader { event: Some(event), ..Default::default() }),
            ..Default::default()
        };
        let add = pb::EntryEffect::Contribution;
        let received = || Event::EvidenceReceived(pb::EvidenceReceived::default());
        let recognised = || Event::EvidenceRecognised(pb::EvidenceRecognised::default());
        let declined = || Event::EvidenceDeclined(pb::EvidenceDeclined::default());
        let all = [
            entry(1, 9, pb::EntryEffect::Misfit, recognised()),
            entry(1, 9, add, received()),
            entry(1, 9, add, received()),
            entry(2, 9, add, received()),
            entry(1, 8, add, recognised()),
            entry(1, 9, add, declined()),
            entry(1, 9, add, recognised()),
        ];
        let said = standing(&all, &[9; 32]);
        assert_eq!(said.receipts.iter().map(|one| one.city).collect::<Vec<_>>(), [1, 2]);
        let verdicts: Vec<_> = said.verdicts.iter().map(|one| (one.city, one.recognised)).collect();
        assert_eq!(verdicts, [(1, false)]);
    }
}
