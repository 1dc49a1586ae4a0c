//! Content that not every member may have (授权查看材料): what a city may open to another one, and
//! what was opened to whom, read off a history.
//!
//! In scope: finding both, in words. Out of scope: whether it may be done, which the service
//! decides; the files of an item of evidence.

use super::names::Names;
use super::{evidence, history, when};
use crate::ids::hex;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::entry_header::Event;
use crate::wire::words;

/// Characters of what an entry says that a label has.
const LABEL_CHARS: usize = 40;

/// A part that other members lack something of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grantable {
    /// Position of its entry.
    pub entry: String,
    /// Which of the entry's parts, from 0.
    pub part: u32,
    /// When, by what, and what it holds.
    pub label: String,
}

/// The parts of its own entries that a city may open to others, in their order; of lists that all
/// members read, those with a file that not all may have.
#[must_use]
pub fn grantable(entries: &[pb::HistoryEntry], own: u32, lang: Lang) -> Vec<Grantable> {
    let record = entries.iter().rfind(|one| {
        one.effect() == pb::EntryEffect::Move && has_part(one, pb::PartKind::CaseRecord)
    });
    let record = record.map(|one| one.entry.as_str());
    let mut all = Vec::new();
    for entry in entries.iter().filter(|one| one.city == own) {
        for (nth, part) in (0..).zip(parts(entry)) {
            let of = |kind| part.kind() == kind;
            let files = if of(pb::PartKind::CaseRecord) {
                record == Some(entry.entry.as_str())
                    && keeps(entry.record.iter().flat_map(|record| &record.evidence))
            } else {
                of(pb::PartKind::Evidence)
                    && keeps(&entry.listed)
                    && !parts(entry).any(|one| of(one.kind()) && is_narrow(one))
            };
            if (is_narrow(part) || files) && !entry.erased_parts.contains(&nth) {
                let label = label(entry, nth, lang);
                all.push(Grantable { entry: entry.entry.clone(), part: nth, label });
            }
        }
    }
    all
}

/// That a part was opened to one more city.
#[derive(Clone, Copy, Debug)]
pub struct Granted<'a> {
    /// The entry that says so.
    pub by: &'a pb::HistoryEntry,
    /// What it says.
    pub said: &'a pb::PartGranted,
}

impl Granted<'_> {
    /// Position of the entry whose part it is.
    #[must_use]
    pub fn entry(&self) -> String {
        let at = self.said.entry.clone().unwrap_or_default();
        format!("{}:{}", hex(&at.log_id), at.index)
    }
}

/// What was opened to whom, in the order in which it was; what did not take effect is left out.
pub fn granted(entries: &[pb::HistoryEntry]) -> impl Iterator<Item = Granted<'_>> {
    let counts = |one: &&pb::HistoryEntry| one.effect() == pb::EntryEffect::Contribution;
    entries.iter().filter(counts).filter_map(|by| {
        let event = by.header.as_ref()?.event.as_ref()?;
        if let Event::PartGranted(said) = event { Some(Granted { by, said }) } else { None }
    })
}

/// The same, a line each.
#[must_use]
pub fn lines(entries: &[pb::HistoryEntry], names: &Names, lang: Lang) -> String {
    let line = |one: Granted<'_>| {
        let (from, to) = (names.city(one.by.city), names.city(one.said.city));
        let (time, at) = (when::time(one.by.record_time.as_ref()), one.entry());
        let of = entries.iter().find(|entry| entry.entry == at);
        let what = of.map_or(at, |of| label(of, one.said.part, lang));
        lang.pick(
            format!("{time} {from}授权{to}查看：{what}"),
            format!("{time} {from} lets {to} have: {what}"),
        )
    };
    granted(entries).map(line).collect::<Vec<_>>().join("\n")
}

fn parts(entry: &pb::HistoryEntry) -> impl Iterator<Item = &pb::PartRef> {
    entry.header.iter().flat_map(|header| &header.parts)
}

fn has_part(entry: &pb::HistoryEntry, kind: pb::PartKind) -> bool {
    parts(entry).any(|part| part.kind() == kind)
}

fn is_narrow(part: &pb::PartRef) -> bool {
    let audience = part.audience.as_ref().map(pb::Audience::kind);
    audience.is_some_and(|kind| kind != pb::AudienceKind::AllMembers)
}

/// Whether the file of one of these items is not for all members.
fn keeps<'a>(items: impl IntoIterator<Item = &'a pb::Evidence>) -> bool {
    items.into_iter().any(|item| item.level() == pb::DataLevel::Restricted)
}

/// When an entry was made, what it is, and what its part holds.
fn label(entry: &pb::HistoryEntry, part: u32, lang: Lang) -> String {
    let event = entry.header.as_ref().and_then(|header| header.event.as_ref());
    let found = (0..).zip(parts(entry)).find(|(nth, _)| *nth == part).map(|(_, part)| part);
    let kind = found.map_or(pb::PartKind::Unspecified, pb::PartRef::kind);
    let files = match found.is_some_and(is_narrow) {
        true => "",
        false => lang.pick("所列受限证据文件", ": restricted files that it lists"),
    };
    // What the part says; of a person it says nothing.
    let said = if kind == pb::PartKind::Evidence {
        let items = entry.listed.iter().zip(&entry.listed_parts);
        let of_part = items.filter(|(_, in_part)| **in_part == part);
        let named: Vec<String> = of_part.map(|(item, _)| evidence::named(item)).collect();
        named.join(lang.pick("；", "; "))
    } else if kind == pb::PartKind::Text {
        history::said(entry, lang)
    } else {
        String::new()
    };
    let said: String = said.chars().take(LABEL_CHARS).collect();
    let what = format!("{}{files}", words::part_kind(kind, lang));
    let at = format!("{} {}", history::recorded(entry, lang), words::event(event, lang));
    let more = if said.is_empty() { said } else { lang.pick("，", ", ").to_owned() + &said };
    lang.pick(format!("{at}（{what}{more}）"), format!("{at} ({what}{more})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 371_500;

    fn entry(
        index: u64,
        city: u32,
        parts: &[(pb::PartKind, pb::AudienceKind)],
    ) -> pb::HistoryEntry {
        let part = |(kind, audience): &(pb::PartKind, pb::AudienceKind)| pb::PartRef {
            kind: (*kind).into(),
            audience: Some(pb::Audience { kind: (*audience).into(), cities: Vec::new() }),
            ..Default::default()
        };
        pb::HistoryEntry {
            entry: format!("{}:{index}", "ab".repeat(32)),
            city,
            effect: pb::EntryEffect::Move.into(),
            header: Some(pb::EntryHeader {
                parts: parts.iter().map(part).collect(),
                event: Some(Event::NoteAdded(pb::NoteAdded {})),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn restricted() -> Vec<pb::Evidence> {
        vec![pb::Evidence { level: pb::DataLevel::Restricted.into(), ..Default::default() }]
    }

    #[test]
    fn only_what_others_lack_of_own_entries_may_be_opened() {
        use pb::AudienceKind::{AllMembers, Cities, HandlingCity};
        use pb::PartKind as K;
        let mut all = vec![
            entry(0, OWN, &[(K::CaseRecord, AllMembers), (K::Person, HandlingCity)]),
            entry(1, 130_400, &[(K::Text, HandlingCity)]),
            entry(2, OWN, &[(K::Text, AllMembers)]),
            entry(3, OWN, &[(K::Text, Cities)]),
            entry(4, OWN, &[(K::Evidence, AllMembers), (K::Evidence, HandlingCity)]),
            entry(5, OWN, &[(K::Evidence, AllMembers)]),
        ];
        let ids = |all: &[pb::HistoryEntry]| -> Vec<(char, u32)> {
            let found = grantable(all, OWN, Lang::Zh);
            found.iter().map(|one| (one.entry.chars().last().unwrap(), one.part)).collect()
        };
        assert_eq!(ids(&all), [('0', 1), ('3', 0), ('4', 1)]);
        // Of a list that all members read, the files that they may not have.
        all[4].listed = restricted();
        all[5].listed = restricted();
        all[0].record = Some(pb::CaseRecord { evidence: restricted(), ..Default::default() });
        assert_eq!(ids(&all), [('0', 0), ('0', 1), ('3', 0), ('4', 1), ('5', 0)]);
        // Another city has written the record anew: its list is that city's to open.
        all.push(entry(6, 130_400, &[(K::CaseRecord, AllMembers)]));
        all[0].erased_parts = vec![1];
        assert_eq!(ids(&all), [('3', 0), ('4', 1), ('5', 0)]);
    }

    #[test]
    fn what_was_opened_is_told_with_what_it_holds() {
        let mut all = vec![entry(
            0,
            OWN,
            &[
                (pb::PartKind::CaseRecord, pb::AudienceKind::AllMembers),
                (pb::PartKind::Person, pb::AudienceKind::HandlingCity),
            ],
        )];
        let said = pb::PartGranted {
            entry: Some(pb::EntryPosition { log_id: vec![0xab; 32].into(), index: 0 }),
            part: 1,
            city: 130_400,
        };
        let mut by = entry(1, OWN, &[]);
        by.header.as_mut().unwrap().event = Some(Event::PartGranted(said));
        by.effect = pb::EntryEffect::Contribution.into();
        all.push(by.clone());
        let text = lines(&all, &Names::new(Lang::Zh), Lang::Zh);
        assert!(text.contains("聊城授权邯郸查看") && text.contains("自然人信息"), "{text}");
        all[1].effect = pb::EntryEffect::Misfit.into();
        assert_eq!(lines(&all, &Names::new(Lang::Zh), Lang::Zh), "", "it did not take effect");
    }

    #[test]
    fn each_list_is_told_by_what_stands_in_it() {
        use pb::AudienceKind::{AllMembers, HandlingCity};
        let kind = pb::PartKind::Evidence;
        let mut one =
            entry(0, OWN, &[(kind, AllMembers), (kind, HandlingCity), (kind, HandlingCity)]);
        let item = |title: &str| pb::Evidence { title: title.to_owned(), ..Default::default() };
        one.listed = vec![item("照片"), item("录像"), item("询问笔录")];
        one.listed_parts = vec![0, 1, 2];
        let all = grantable(&[one], OWN, Lang::Zh);
        let [film, interview] = all.as_slice() else { panic!("{all:?}") };
        assert!(film.label.contains("录像") && !film.label.contains("笔录"), "{film:?}");
        assert!(interview.label.contains("笔录") && !interview.label.contains("录像"));
    }
}
