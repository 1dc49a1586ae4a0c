//! Tests of the rules every entry obeys, and a sound entry to start from.

use super::*;

/// A sound entry with two parts: one for all members, one for two cities.
pub(in crate::log) fn sample_entry(log: LogId, index: u64) -> Entry {
    let part = |text: &str| Bytes::from(format!("{text} of entry {index}"));
    let cities = ["130400", "371500"].map(|code| CityCode::parse(code).unwrap());
    let named = |kind, audience, bytes: &Bytes| PartRef { kind, audience, digest: digest(bytes) };
    let (text, person) = (part("text"), part("person"));
    let parts = vec![
        named(PartKind::Text, Audience::AllMembers, &text),
        named(PartKind::Person, Audience::Cities(cities.to_vec()), &person),
    ];
    let envelope = Envelope {
        log,
        index,
        record_time_ms: 1_700_000_000_000,
        clock_suspect: false,
        after: vec![],
        actor: None,
        acting_for: None,
        request: None,
        subject: Subject { kind: SubjectKind::Case, id: None },
        prev: None,
        parts,
    };
    let header = Bytes::from(format!("header {index} of {log}"));
    Entry { header, envelope, parts: vec![PartSlot::Bytes(text), PartSlot::Bytes(person)] }
}

const LOG: LogId = LogId::new([5; 32]);

fn head(log: u8, size: u64) -> Head {
    Head { log: LogId::new([log; 32]), size, root: Hash::new([0; 32]) }
}

#[test]
fn sound_entries_pass() {
    let mut entry = sample_entry(LOG, 3);
    assert_eq!(check_entry(&entry), Ok(()));
    entry.envelope.after = (6..).take(AFTER_MAX).map(|log| head(log, 1)).collect();
    entry.envelope.prev = Some(Position { log: LOG, index: 2 });
    entry.parts[0] = PartSlot::ErasedBy(Position { log: LOG, index: 4 });
    entry.parts[1] = PartSlot::Withheld;
    assert_eq!(check_entry(&entry), Ok(()));
    entry.envelope.prev = Some(Position { log: LogId::new([9; 32]), index: 1_000 });
    entry.parts[0] = PartSlot::ErasedBy(Position { log: LogId::new([9; 32]), index: 0 });
    entry.header = vec![1; HEADER_BYTES_MAX].into();
    assert_eq!(check_entry(&entry), Ok(()));
}

#[test]
fn each_broken_rule_is_named() {
    let cities = |codes: &[&str]| {
        Audience::Cities(codes.iter().map(|code| CityCode::parse(code).unwrap()).collect())
    };
    let place = |log: u8, index| Position { log: LogId::new([log; 32]), index };
    let too_large = |what, got, limit| EntryError::TooLarge { what, got, limit };
    type Change<'a> = Box<dyn Fn(&mut Entry) + 'a>;
    let rows: Vec<(Change<'_>, EntryError)> = vec![
        (Box::new(|e| e.header = Bytes::new()), EntryError::NoHeader),
        (
            Box::new(|e| e.header = vec![0; HEADER_BYTES_MAX + 1].into()),
            too_large("header", HEADER_BYTES_MAX + 1, HEADER_BYTES_MAX),
        ),
        (
            Box::new(|e| e.parts[0] = PartSlot::Bytes(vec![0; PART_BYTES_MAX + 1].into())),
            too_large("part", PART_BYTES_MAX + 1, PART_BYTES_MAX),
        ),
        (
            Box::new(|e| e.parts = vec![PartSlot::Bytes(vec![0; ENTRY_BYTES_MAX].into())]),
            too_large("entry", ENTRY_BYTES_MAX + e_header_len(), ENTRY_BYTES_MAX),
        ),
        (
            Box::new(|e| e.envelope.parts = vec![e.envelope.parts[0].clone(); PARTS_MAX + 1]),
            too_large("number of parts", PARTS_MAX + 1, PARTS_MAX),
        ),
        (Box::new(|e| drop(e.parts.pop())), EntryError::Slots { named: 2, slots: 1 }),
        (
            Box::new(|e| e.parts[1] = PartSlot::Bytes("other".into())),
            EntryError::Digest { part: 1 },
        ),
        (
            Box::new(|e| e.envelope.parts[1].audience = cities(&["371500", "130400"])),
            EntryError::Audience { part: 1 },
        ),
        (
            Box::new(|e| e.envelope.parts[1].audience = cities(&["371500", "371500"])),
            EntryError::Audience { part: 1 },
        ),
        (
            Box::new(|e| e.envelope.parts[0].audience = cities(&[])),
            EntryError::Audience { part: 0 },
        ),
        (
            Box::new(|e| {
                let codes = (0..=16).map(|i| CityCode::from_u32(130_100 + i * 100).unwrap());
                e.envelope.parts[0].audience = Audience::Cities(codes.collect());
            }),
            EntryError::Audience { part: 0 },
        ),
        (
            Box::new(|e| e.parts[0] = PartSlot::ErasedBy(place(5, 3))),
            EntryError::ErasedBefore { part: 0 },
        ),
        (
            Box::new(|e| e.envelope.after = (6..).take(65).map(|log| head(log, 1)).collect()),
            too_large("number of heads in after", 65, AFTER_MAX),
        ),
        (Box::new(|e| e.envelope.after = vec![head(7, 1), head(6, 1)]), EntryError::AfterOrder),
        (Box::new(|e| e.envelope.after = vec![head(6, 1), head(6, 2)]), EntryError::AfterOrder),
        (Box::new(|e| e.envelope.after = vec![head(5, 1)]), EntryError::AfterSelf),
        (Box::new(|e| e.envelope.after = vec![head(6, 0)]), EntryError::AfterSize),
        (Box::new(|e| e.envelope.after = vec![head(6, u64::MAX)]), EntryError::AfterSize),
        (Box::new(|e| e.envelope.index = u64::MAX), EntryError::Index),
        (Box::new(|e| e.envelope.prev = Some(place(5, 3))), EntryError::Prev),
        (Box::new(|e| e.envelope.prev = Some(place(6, u64::MAX))), EntryError::Prev),
    ];
    for (row, (change, want)) in rows.into_iter().enumerate() {
        let mut entry = sample_entry(LOG, 3);
        change(&mut entry);
        assert_eq!(check_entry(&entry), Err(want), "row {row}");
    }
}

fn e_header_len() -> usize {
    sample_entry(LOG, 3).header.len()
}

#[test]
fn a_subject_id_follows_from_its_opening_alone() {
    let at = |index| subject_id(Position { log: LOG, index });
    assert_ne!(at(1), at(2));
    let text = [b"liandong/subject/v1\0".as_slice(), &[5; 32], &1_u64.to_be_bytes()].concat();
    assert_eq!(at(1).as_bytes(), &digest(&text).as_bytes()[..16]);
}
