//! Headers: read back, newer, impossible, hostile.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test that fails loudly")]

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::formats::numbers_of;
use super::values::{any_envelope, bare_envelope, city, envelope, every_event};
use super::{assert_golden, golden};
use crate::domain::{CaseContribution, Event};
use crate::ids::{ActorId, Hash, SubjectId};
use crate::limits::HEADER_BYTES_MAX;
use crate::log::{
    ActorRef, ActorRole, Audience, Envelope, PartKind, PartRef, Subject, SubjectKind,
};
use crate::wire::entry::{encode_header, parse_header};
use crate::wire::pb::v1 as pb;
use crate::wire::{WireError, entry::ParsedHeader};

fn read(bytes: Vec<u8>) -> Result<ParsedHeader, WireError> {
    parse_header(&Bytes::from(bytes))
}

/// A header with some fields changed behind the encoder's back.
fn changed(change: impl FnOnce(&mut pb::EntryHeader)) -> Result<ParsedHeader, WireError> {
    let (_, event) = every_event().into_iter().find(|(name, _)| *name == "case_opened").unwrap();
    let mut header = pb::EntryHeader::decode(encode_header(&envelope(), &event)).unwrap();
    change(&mut header);
    read(header.encode_to_vec())
}

fn event(header: &mut pb::EntryHeader) -> &mut pb::CaseOpened {
    match header.event.as_mut().unwrap() {
        pb::entry_header::Event::CaseOpened(opened) => opened,
        other => panic!("{other:?}"),
    }
}

#[test]
fn headers_read_back() {
    for (name, event) in every_event() {
        for envelope in [envelope(), bare_envelope(SubjectKind::Case)] {
            let parsed = parse_header(&encode_header(&envelope, &event)).unwrap();
            assert_eq!(
                parsed,
                ParsedHeader { envelope, event: event.clone(), newer: false },
                "{name}"
            );
        }
    }
}

#[test]
fn golden_headers_stay_as_they_are() {
    let full = every_event()
        .into_iter()
        .map(|(name, event)| (name.to_owned(), encode_header(&envelope(), &event).to_vec()));
    let bare = SubjectKind::Actor;
    let bare = encode_header(&bare_envelope(bare), &Event::ActorIntroduced).to_vec();
    let mut made: Vec<_> = full.collect();
    made.push(("bare".to_owned(), bare));
    made.extend(every_kind().into_iter().map(|(name, envelope)| {
        let note = Event::Contribution(CaseContribution::NoteAdded);
        (name, encode_header(&envelope, &note).to_vec())
    }));
    assert_golden("headers.txt", &made);
    for (name, bytes) in golden("headers.txt") {
        let parsed = read(bytes).unwrap();
        assert!(!parsed.newer, "{name}");
    }
}

/// A bare header for each role, subject kind, part kind and audience, and for what stands alone.
fn every_kind() -> Vec<(String, Envelope)> {
    use ActorRole as R;
    use PartKind as P;
    use SubjectKind as S;
    let bare = || bare_envelope(S::Case);
    let mut all = Vec::new();
    for role in [R::Coordinator, R::Inspector, R::System, R::Auditor, R::Admin, R::Node] {
        let actor = Some(ActorRef { role, id: ActorId::new([4; 16]) });
        all.push((format!("role_{role:?}"), Envelope { actor, ..bare() }));
    }
    for kind in [S::Case, S::Plan, S::Site, S::Unit, S::Notice] {
        all.push((format!("subject_{kind:?}"), bare_envelope(kind)));
    }
    for kind in [S::Meeting, S::Actor, S::Log, S::Agreement] {
        let subject = Subject { kind, id: Some(SubjectId::new([8; 16])) };
        all.push((format!("subject_{kind:?}"), Envelope { subject, ..bare() }));
    }
    let part = |kind, audience| PartRef { kind, audience, digest: Hash::new([9; 32]) };
    let cases = [P::CaseRecord, P::Person, P::CaseNumber, P::Text, P::Evidence];
    let others =
        [P::ActorCertificate, P::Notice, P::Meeting, P::Custody, P::Referral, P::Site, P::Unit];
    let plans = [P::Plan, P::PlanPool, P::PlanNumber];
    for kind in cases.into_iter().chain(others).chain(plans) {
        let parts = vec![part(kind, Audience::AllMembers)];
        all.push((format!("part_{kind:?}"), Envelope { parts, ..bare() }));
    }
    let cities = |count: u32| (0..count).map(|n| city(370_100 + n * 100)).collect();
    for (name, audience) in [
        ("all_members", Audience::AllMembers),
        ("handling_city", Audience::HandlingCity),
        ("one_city", Audience::Cities(cities(1))),
        ("sixteen_cities", Audience::Cities(cities(16))),
    ] {
        let parts = vec![part(P::Text, audience)];
        all.push((format!("audience_{name}"), Envelope { parts, ..bare() }));
    }
    let full = envelope();
    let tags = full.request;
    all.push(("only_request".to_owned(), Envelope { request: tags, ..bare() }));
    all.push(("only_prev".to_owned(), Envelope { prev: full.prev, ..bare() }));
    all.push(("only_after".to_owned(), Envelope { after: full.after, ..bare() }));
    let acting_for = full.acting_for;
    all.push(("acting_for".to_owned(), Envelope { actor: full.actor, acting_for, ..bare() }));
    all.push(("index_of_63_bits".to_owned(), Envelope { index: u64::MAX >> 1, ..bare() }));
    all
}

#[test]
fn every_kind_has_a_golden_header() {
    let headers: Vec<pb::EntryHeader> = golden("headers.txt")
        .into_iter()
        .map(|(_, bytes)| pb::EntryHeader::decode(bytes.as_slice()).unwrap())
        .collect();
    // The key of the event is the last one of a header: its fields are written in their order.
    let event = |h: &pb::EntryHeader| {
        let (whole, without) = (h.encode_to_vec(), {
            let bare = pb::EntryHeader { event: None, ..h.clone() };
            bare.encoded_len()
        });
        prost::encoding::decode_key(&mut &whole[without..]).unwrap().0 as i32
    };
    let has = |what: &str, list: &str, of: &dyn Fn(&pb::EntryHeader) -> Vec<i32>| {
        let seen: Vec<i32> = headers.iter().flat_map(of).collect();
        for (name, number) in numbers_of(list) {
            assert!(seen.contains(&number), "no golden header with {what} {name}");
        }
    };
    has("event", "EntryHeader", &|h| vec![event(h)]);
    has("role", "ActorRole", &|h| h.actor.iter().map(|a| a.role).collect());
    has("subject", "SubjectKind", &|h| h.subject.iter().map(|s| s.kind).collect());
    has("part", "PartKind", &|h| h.parts.iter().map(|p| p.kind).collect());
    let audience = |p: &pb::PartRef| p.audience.as_ref().unwrap().kind;
    has("audience", "AudienceKind", &|h| h.parts.iter().map(audience).collect());
}

#[test]
fn an_unknown_field_makes_a_header_newer() {
    for (name, event) in every_event() {
        let mut bytes = encode_header(&envelope(), &event).to_vec();
        encode_key(999, WireType::Varint, &mut bytes);
        encode_varint(1, &mut bytes);
        let parsed = read(bytes).unwrap();
        assert_eq!((parsed.newer, &parsed.event), (true, &Event::Newer), "{name}");
        assert_eq!(parsed.envelope, envelope(), "what is known of it is still read");
    }
}

#[test]
fn an_unknown_kind_of_event_makes_a_header_newer() {
    let mut bytes = encode_header(&envelope(), &Event::Newer).to_vec();
    encode_key(150, WireType::LengthDelimited, &mut bytes);
    encode_varint(0, &mut bytes);
    let parsed = read(bytes).unwrap();
    assert!(parsed.newer);
    assert_eq!(parsed.envelope, envelope());
}

#[test]
fn another_encoding_of_the_same_header_is_newer() {
    let (_, event) = every_event().remove(0);
    let mut bytes = encode_header(&bare_envelope(SubjectKind::Actor), &event).to_vec();
    // The same format version once more, as an overlong number.
    bytes.extend_from_slice(&[0x08, 0x81, 0x00]);
    let parsed = read(bytes).unwrap();
    assert!(parsed.newer);
}

#[test]
fn unknown_codes_make_a_header_newer() {
    let newer = |parsed: Result<ParsedHeader, WireError>| {
        let parsed = parsed.unwrap();
        assert_eq!((parsed.newer, &parsed.event), (true, &Event::Newer));
        parsed.envelope
    };
    newer(changed(|h| event(h).facts.as_mut().unwrap().source = 77));
    newer(changed(|h| event(h).facts.as_mut().unwrap().violation = -5));
    let envelope = newer(changed(|h| h.subject.as_mut().unwrap().kind = 99));
    assert_eq!(envelope.subject.kind, SubjectKind::Newer);
    let envelope = newer(changed(|h| h.parts[1].kind = 99));
    assert_eq!(envelope.parts[1].kind, PartKind::Newer);
    let envelope = newer(changed(|h| h.actor.as_mut().unwrap().role = 99));
    assert_eq!(envelope.actor, None);
    assert_eq!(envelope.acting_for.unwrap().role, ActorRole::Inspector);
}

#[test]
fn who_may_hold_a_part_is_never_guessed() {
    let error = changed(|h| h.parts[0].audience.as_mut().unwrap().kind = 9).unwrap_err();
    assert_eq!(error, WireError::NewerFormat { what: "audience", got: 9 });
    let error = changed(|h| h.format_version = 2).unwrap_err();
    assert_eq!(error, WireError::NewerFormat { what: "format version", got: 2 });
}

#[test]
fn impossible_values_are_refused_by_name() {
    let bad = |field| WireError::BadHeader { field };
    let day = |year, month, day| Some(pb::Date { year, month, day });
    let rows: Vec<(Result<ParsedHeader, WireError>, WireError)> = vec![
        (changed(|h| event(h).effective_on = day(2026, 2, 31)), bad("effective_on")),
        (changed(|h| event(h).effective_on = day(2026, 257, 1)), bad("effective_on")),
        (changed(|h| event(h).effective_on = None), bad("effective_on")),
        (changed(|h| event(h).facts = None), WireError::Missing { field: "facts" }),
        (changed(|h| event(h).facts.as_mut().unwrap().source = 0), bad("facts.source")),
        (
            changed(|h| event(h).facts.as_mut().unwrap().border_distances[0].city = 371_522),
            bad("facts.border_distances.city"),
        ),
        (changed(|h| h.subject = None), WireError::Missing { field: "subject" }),
        (changed(|h| h.subject.as_mut().unwrap().kind = 0), bad("subject.kind")),
        (changed(|h| h.format_version = 0), bad("format_version")),
        (
            changed(|h| h.parts[0].audience.as_mut().unwrap().cities = vec![130_400]),
            bad("parts.audience"),
        ),
        (
            changed(|h| h.log_id = Bytes::from_static(&[0; 31])),
            WireError::Length { field: "log_id", got: 31, expected: 32 },
        ),
        (
            changed(|h| h.request_tag = Bytes::new()),
            WireError::Length { field: "request_tag", got: 0, expected: 16 },
        ),
    ];
    for (row, (got, want)) in rows.into_iter().enumerate() {
        assert_eq!(got.unwrap_err(), want, "row {row}");
    }
}

#[test]
fn lists_and_sizes_are_bounded() {
    let many = |error| matches!(error, WireError::TooMany { .. });
    assert!(many(changed(|h| h.after = vec![h.after[0].clone(); 65]).unwrap_err()));
    assert!(many(changed(|h| h.parts = vec![h.parts[0].clone(); 9]).unwrap_err()));
    let cities = vec![city(130_400).as_u32(); 17];
    assert!(many(changed(|h| h.parts[2].audience.as_mut().unwrap().cities = cities).unwrap_err()));
    let error = read(vec![0; HEADER_BYTES_MAX + 1]).unwrap_err();
    assert!(matches!(error, WireError::TooLarge { .. }));
    assert!(read(Vec::new()).is_err());
}

/// Every bit of a header of every kind, one at a time.
#[test]
fn any_flipped_header_is_read_or_refused() {
    let mut wrong = Vec::new();
    for (name, event) in every_event() {
        let header = encode_header(&envelope(), &event).to_vec();
        for bit in 0..header.len() * 8 {
            let mut bytes = header.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(parsed) = read(bytes.clone()) else { continue };
            let again = encode_header(&parsed.envelope, &parsed.event);
            let is_newer = again != bytes || parsed.event == Event::Newer;
            if parsed.newer != is_newer {
                wrong.push((name, bit));
            }
        }
    }
    assert_eq!(wrong, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_header_reads_back(envelope in any_envelope(), pick in any::<prop::sample::Index>()) {
        let events = every_event();
        let (_, event) = pick.get(&events);
        let bytes = encode_header(&envelope, event);
        let parsed = parse_header(&bytes).unwrap();
        prop_assert!(!parsed.newer);
        prop_assert_eq!(&parsed.envelope, &envelope);
        prop_assert_eq!(&parsed.event, event);
        prop_assert_eq!(encode_header(&parsed.envelope, &parsed.event), bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(bytes);
    }
}
