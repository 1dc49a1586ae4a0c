//! Batches and frames: read back, bounded, hostile. Their golden bytes are in `tests/it/formats`.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

use super::values::{at, batch};
use crate::ids::{AgreementId, Hash, LogId};
use crate::limits::{BATCH_ENTRIES_MAX, HELLO_AGREEMENTS_MAX, HELLO_LOGS_MAX, NOTE_BYTES_MAX};
use crate::log::PartSlot;
use crate::sync::{AgreementState, Cosign, Frame, Hello, LogState};
use crate::wire::WireError;
use crate::wire::batch::{encode_batch, parse_batch, parse_entry_of};
use crate::wire::pb::{peer_v1, v1};
use crate::wire::peer::{
    LatePart, encode_cosign, encode_late_part, frame_to_pb, parse_cosign, parse_frame,
    parse_late_part,
};

fn log(byte: u8) -> LogId {
    LogId::new([byte; 32])
}

fn cosign() -> Cosign {
    let line = Bytes::from_static("— liandong/witness/… abc=\n".as_bytes());
    Cosign { log: log(1), size: 9, root: Hash::new([2; 32]), witness: log(3), line }
}

fn hello() -> Hello {
    let state = |checkpoint| LogState { log: log(1), checkpoint, cosignatures: vec![cosign()] };
    Hello {
        protocol_min: 1,
        protocol_max: 2,
        instance: [4; 16],
        agreements: vec![AgreementState {
            agreement: AgreementId::new([5; 16]),
            charter: Hash::new([6; 32]),
            manifests: vec![Bytes::from_static(b"manifest")],
            logs: vec![state(Some(Bytes::from_static(b"checkpoint"))), state(None)],
        }],
        cards: vec![Bytes::from_static(b"card")],
        clock_ms: -1,
    }
}

fn frames() -> Vec<(&'static str, Frame)> {
    let note = |text: &'static [u8]| Bytes::from_static(text);
    let refuse = |log| Frame::Refuse {
        reason: "LOG_GAP".into(),
        log,
        expected: 12,
        detail: "前面的记录还没到".into(),
        facts: Vec::new(),
    };
    let facts = vec![("cert".into(), "130400".into()), ("claimed".into(), "371500".into())];
    let refuse_facts = Frame::Refuse {
        reason: "CITY_MISMATCH".into(),
        log: None,
        expected: 0,
        detail: String::new(),
        facts,
    };
    let late = vec![(0, note(b"part")), (7, note(b""))];
    vec![
        ("hello", Frame::Hello(hello())),
        ("manifest", Frame::Manifest(note(b"manifest"))),
        ("announce", Frame::Announce { log: log(1), checkpoint: note(b"checkpoint") }),
        ("subscribe", Frame::Subscribe { log: log(1), from: 0, credit: 1 << 20 }),
        ("unsubscribe", Frame::Unsubscribe { log: log(1) }),
        ("credit", Frame::Credit { log: log(1), bytes: 65_536 }),
        ("batch", Frame::Batch(batch())),
        ("cosign", Frame::Cosign(cosign())),
        ("fetch_parts", Frame::FetchParts { entry: at(1, 2), parts: vec![0, 7] }),
        ("late_parts", Frame::LateParts { entry: at(1, 2), parts: late }),
        ("refuse", refuse(Some(log(1)))),
        ("refuse_bare", refuse(None)),
        ("refuse_facts", refuse_facts),
        ("fork_proof", Frame::Fork(note(b"proof"))),
        ("ping", Frame::Ping { number: 3, pong: true, clock_ms: 5 }),
        ("charter", Frame::Charter(note(b"charter"))),
        ("card", Frame::Card(note(b"card"))),
    ]
}

#[test]
fn frames_read_back() {
    for (name, frame) in frames() {
        let bytes = frame_to_pb(&frame).encode_to_vec();
        let decoded = peer_v1::Frame::decode(Bytes::from(bytes)).unwrap();
        assert_eq!(parse_frame(decoded).unwrap(), frame, "{name}");
    }
}

#[test]
fn a_batch_shares_the_memory_it_came_in() {
    let bytes = Bytes::from(encode_batch(&batch()));
    let range = bytes.as_ptr_range();
    let parsed = parse_batch(bytes).unwrap();
    assert_eq!(parsed, batch());
    for entry in &parsed.entries {
        assert!(range.contains(&entry.header.as_ptr()));
    }
    let PartSlot::Bytes(part) = &parsed.entries[1].parts[0] else { panic!() };
    assert!(range.contains(&part.as_ptr()));
}

#[test]
fn one_entry_of_a_batch_is_read_as_all_of_them_are() {
    let one = batch();
    let bytes = Bytes::from(encode_batch(&one));
    let range = bytes.as_ptr_range();
    for (index, entry) in (one.from..).zip(&one.entries) {
        let read = parse_entry_of(&bytes, index).unwrap().unwrap();
        assert_eq!(&read, entry);
        assert!(range.contains(&read.header.as_ptr()));
    }
    let behind = one.from + one.entries.len() as u64;
    for index in [one.from.checked_sub(1), Some(behind), Some(u64::MAX)].into_iter().flatten() {
        assert_eq!(parse_entry_of(&bytes, index), Ok(None));
    }
    let cut = bytes.slice(..bytes.len() - 1);
    assert!(matches!(parse_entry_of(&cut, one.from), Err(WireError::Unreadable { .. })));
    let many = v1::Batch {
        entries: vec![v1::Entry::default(); BATCH_ENTRIES_MAX + 1],
        ..Default::default()
    };
    let many = parse_entry_of(&Bytes::from(many.encode_to_vec()), 0);
    assert!(matches!(many, Err(WireError::TooMany { .. })));
}

#[test]
fn a_batch_is_bounded() {
    let entries = |count| v1::Batch {
        log_id: Bytes::from_static(&[1; 32]),
        entries: vec![v1::Entry { header: Bytes::from_static(b"h"), parts: vec![] }; count],
        ..Default::default()
    };
    let read = |batch: &v1::Batch| parse_batch(Bytes::from(batch.encode_to_vec()));
    assert!(read(&entries(BATCH_ENTRIES_MAX)).is_ok());
    let error = read(&entries(BATCH_ENTRIES_MAX + 1)).unwrap_err();
    assert!(matches!(error, WireError::TooMany { .. }), "{error}");
    let slot = v1::PartSlot { slot: Some(v1::part_slot::Slot::Withheld(v1::Withheld {})) };
    let mut parts = entries(1);
    parts.entries[0].parts = vec![slot; 9];
    assert!(matches!(read(&parts).unwrap_err(), WireError::TooMany { .. }));
    parts.entries[0].parts = vec![v1::PartSlot { slot: None }];
    assert!(matches!(read(&parts).unwrap_err(), WireError::Missing { .. }));
    assert!(parse_batch(Bytes::from(vec![0; 3 << 20])).is_err());
}

#[test]
fn a_greeting_is_bounded() {
    let read = |change: &dyn Fn(&mut peer_v1::Hello)| {
        let Some(peer_v1::frame::Frame::Hello(mut hello)) =
            frame_to_pb(&Frame::Hello(hello())).frame
        else {
            panic!()
        };
        change(&mut hello);
        parse_frame(peer_v1::Frame { frame: Some(peer_v1::frame::Frame::Hello(hello)) })
    };
    assert!(read(&|_| ()).is_ok());
    let agreements = HELLO_AGREEMENTS_MAX + 1;
    assert!(read(&|h| h.agreements = vec![h.agreements[0].clone(); agreements]).is_err());
    assert!(read(&|h| h.cards = vec![Bytes::from(vec![0; NOTE_BYTES_MAX + 1])]).is_err());
    assert!(read(&|h| h.cards = vec![Bytes::new(); 257]).is_err());
    assert!(read(&|h| h.instance = Bytes::from_static(b"short")).is_err());
    let logs = HELLO_LOGS_MAX + 1;
    assert!(read(&|h| h.agreements[0].manifests = vec![Bytes::new(); logs]).is_err());
    let log = &|h: &mut peer_v1::Hello| {
        let log = h.agreements[0].logs[0].clone();
        h.agreements[0].logs = vec![log; logs];
    };
    assert!(read(log).is_err());
    assert!(read(&|h| h.agreements[0].logs[0].cosignatures = vec![Bytes::new(); 65]).is_err());
}

#[test]
fn frames_of_newer_programs_are_told_apart() {
    let nothing = parse_frame(peer_v1::Frame { frame: None }).unwrap_err();
    assert_eq!(nothing, WireError::Missing { field: "frame" });
}

#[test]
fn small_journal_records_read_back() {
    assert_eq!(parse_cosign(&encode_cosign(&cosign())).unwrap(), cosign());
    let bytes = Bytes::from_static(b"part");
    let late = parse_late_part(&encode_late_part(at(1, 2), 3, &bytes)).unwrap();
    assert_eq!(late, LatePart { entry: at(1, 2), part: 3, bytes });
    assert!(parse_late_part(b"").is_err());
    assert!(parse_cosign(b"\x0a").is_err());
}

#[test]
fn a_long_detail_is_cut_between_characters() {
    let detail = "错".repeat(1_000);
    let refuse = Frame::Refuse {
        reason: "BAD_BATCH".into(),
        log: None,
        expected: 0,
        detail,
        facts: Vec::new(),
    };
    assert!(parse_frame(frame_to_pb(&refuse)).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_flipped_frame_is_read_or_refused(
        pick in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let frames = frames();
        let mut bytes = frame_to_pb(&pick.get(&frames).1).encode_to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        if let Ok(frame) = peer_v1::Frame::decode(Bytes::from(bytes)) {
            let _ = parse_frame(frame);
        }
    }

    #[test]
    fn any_bytes_are_a_batch_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse_late_part(&bytes);
        let _ = parse_cosign(&bytes);
        let bytes = Bytes::from(bytes);
        let _ = parse_entry_of(&bytes, 0);
        if let Ok(batch) = parse_batch(bytes.clone()) {
            for (index, entry) in (batch.from..).zip(&batch.entries) {
                prop_assert_eq!(parse_entry_of(&bytes, index), Ok(Some(entry.clone())));
            }
            prop_assert_eq!(parse_batch(Bytes::from(encode_batch(&batch))).unwrap(), batch);
        }
    }
}
