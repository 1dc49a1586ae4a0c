//! What happened to a case, entry by entry, as people read it.

use super::names::Names;
use super::{evidence, referral, text, when};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// When it was recorded, by its author's clock.
#[must_use]
pub fn recorded(entry: &pb::HistoryEntry, lang: Lang) -> String {
    let mut text = when::time(entry.record_time.as_ref());
    if entry.clock_suspect {
        text.push_str(lang.pick("（时钟存疑）", " (clock in doubt)"));
    }
    text
}

/// What became of it.
#[must_use]
pub fn result(entry: &pb::HistoryEntry, lang: Lang) -> String {
    match entry.effect() {
        pb::EntryEffect::Move => words::state(entry.state(), lang).to_owned(),
        effect @ pb::EntryEffect::Misfit => {
            let (word, why) =
                (words::effect(effect, lang), words::misfit(&entry.misfit_reason, lang));
            let why = text::clean(&why);
            lang.pick(format!("{word}（与流程不符：{why}）"), format!("{word} ({why})"))
        }
        effect @ (pb::EntryEffect::Contribution
        | pb::EntryEffect::Newer
        | pb::EntryEffect::Unspecified) => words::effect(effect, lang).to_owned(),
    }
}

/// The item of evidence it is about, why it is declined, who handed it to whom, and texts.
#[must_use]
pub fn said(entry: &pb::HistoryEntry, lang: Lang) -> String {
    use pb::entry_header::Event;
    let mut said: Vec<String> = entry.evidence.iter().map(evidence::named).collect();
    let event = entry.header.as_ref().and_then(|header| header.event.as_ref());
    if let Some(Event::EvidenceDeclined(declined)) = event {
        said.push(words::decline_ground(declined.ground(), lang).to_owned());
    }
    said.extend(entry.listed.iter().map(evidence::named));
    said.extend(entry.custody.iter().map(|record| evidence::hand_over(record, lang)));
    said.extend(entry.referral.iter().map(referral::told));
    said.extend(entry.texts.iter().map(|one| text::clean(one)));
    if !entry.erased_parts.is_empty() {
        said.push(lang.pick("部分内容已依法删除", "some of its content is erased").to_owned());
    }
    said.join(lang.pick("；", "; "))
}

/// Who wrote it: the city, and of the own one the person as well; those of others stay at home.
#[must_use]
pub fn by(entry: &pb::HistoryEntry, names: &Names, lang: Lang) -> String {
    let city = names.city(entry.city);
    if entry.acted_by.is_empty() {
        return city;
    }
    let actor = entry.header.as_ref().and_then(|header| header.actor.clone()).unwrap_or_default();
    let (role, who) = (words::actor_role(actor.role(), lang), text::clean(&entry.acted_by));
    lang.pick(format!("{city} {role} {who}"), format!("{city}, {role} {who}"))
}

/// The case as its moves up to one had made it; none where that move is not among them. A part that
/// is not here leaves a gap: what stood there before is not what counted then.
#[must_use]
pub fn as_of(case: &pb::Case, entries: &[pb::HistoryEntry], last: &str) -> Option<pb::Case> {
    use pb::entry_header::Event;
    let mut then = pb::Case { facts: None, record: None, person: None, ..case.clone() };
    let carries = |entry: &pb::HistoryEntry, kind| {
        entry.header.iter().flat_map(|header| &header.parts).any(|part| part.kind() == kind)
    };
    // A move is applied behind the one it moves from, so they stand in the order of the chain.
    for entry in entries.iter().filter(|entry| entry.effect() == pb::EntryEffect::Move) {
        let facts = match entry.header.as_ref().and_then(|header| header.event.as_ref()) {
            Some(Event::CaseOpened(opened)) => opened.facts.as_ref(),
            Some(Event::CaseAmended(amended)) => amended.facts.as_ref(),
            Some(Event::ProposalAdopted(adopted)) => adopted.facts.as_ref(),
            Some(_) | None => None,
        };
        then.facts = facts.cloned().or(then.facts);
        if carries(entry, pb::PartKind::CaseRecord) {
            // With what was taken out of it for some cities only, as the case itself is shown.
            then.record = entry.record.clone().map(|mut record| {
                record.evidence.extend(entry.listed.iter().cloned());
                record
            });
        }
        if carries(entry, pb::PartKind::Person) {
            then.person.clone_from(&entry.person);
        }
        if entry.entry == last {
            return Some(then);
        }
    }
    None
}

/// Why something that was said did not take effect, in brackets; nothing where it did.
#[must_use]
pub fn not_taken(misfit_reason: &str, lang: Lang) -> String {
    if misfit_reason.is_empty() {
        return String::new();
    }
    let why = text::clean(&words::misfit(misfit_reason, lang));
    lang.pick(format!("（未生效：{why}）"), format!(" (did not take effect: {why})"))
}

/// 邯郸已存 14:05. What another city wrote lies there and in the `own` city; its receipts do not
/// say so.
#[must_use]
pub fn held(entry: &pb::HistoryEntry, own: u32, names: &Names, lang: Lang) -> String {
    let one = |holding: &pb::Holding| {
        let (city, since) = (names.city(holding.city), when::time(holding.hold_time.as_ref()));
        lang.pick(format!("{city}已存 {since}"), format!("{city} {since}"))
    };
    let author = names.city(entry.city);
    let both = lang.pick(format!("{author}、本市"), format!("{author}, here"));
    let mut all: Vec<String> = (entry.city != own).then_some(both).into_iter().collect();
    all.extend(entry.holdings.iter().map(one));
    if all.is_empty() {
        return lang.pick("仅在本市", "only here").to_owned();
    }
    all.join(lang.pick("，", ", "))
}

/// Who of the own city did something: the role in words, and the number of the certificate.
#[must_use]
pub fn who(role_and_id: &str, lang: Lang) -> String {
    let known = role_and_id.split_once('/').and_then(|(role, id)| {
        let name = format!("ACTOR_ROLE_{}", role.to_ascii_uppercase());
        pb::ActorRole::from_str_name(&name).map(|role| (role, id))
    });
    match known {
        Some((role, id)) => format!("{} {}", words::actor_role(role, lang), text::clean(id)),
        None => text::clean(role_and_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_then_has_what_was_taken_out_of_it_for_some_cities() {
        let item = |id: &str| pb::Evidence { id: id.to_owned(), ..Default::default() };
        let part = pb::PartRef { kind: pb::PartKind::CaseRecord.into(), ..Default::default() };
        let opened = pb::HistoryEntry {
            entry: "a:0".to_owned(),
            effect: pb::EntryEffect::Move.into(),
            header: Some(pb::EntryHeader { parts: vec![part], ..Default::default() }),
            record: Some(pb::CaseRecord { evidence: vec![item("E1")], ..Default::default() }),
            listed: vec![item("E2")],
            ..Default::default()
        };
        let added = pb::HistoryEntry {
            entry: "a:1".to_owned(),
            effect: pb::EntryEffect::Contribution.into(),
            listed: vec![item("E3")],
            ..Default::default()
        };
        let then = as_of(&pb::Case::default(), &[opened, added], "a:0").unwrap();
        let ids = then.record.unwrap().evidence.into_iter().map(|one| one.id);
        assert_eq!(ids.collect::<Vec<_>>(), ["E1", "E2"]);
    }
}
