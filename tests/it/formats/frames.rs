//! Frames of the exchange: one of each kind, with the sample's own content.

use bytes::Bytes;
use liandong::ids::{Position, hex, unhex};
use liandong::log::PartSlot;
use liandong::sync::{AgreementState, Frame, Hello, LogState};
use liandong::wire::DESCRIPTORS;
use liandong::wire::pb::peer_v1;
use liandong::wire::peer::{frame_to_pb, parse_frame};
use prost::Message;
use prost_types::FileDescriptorSet;

use super::golden;
use super::sample::{self, AGREEMENT, LIAOCHENG, manifest};

const FILE: &str = "frames.txt";

fn hello() -> Hello {
    let checkpoint = golden_note("checkpoint.note");
    Hello {
        protocol_min: 1,
        protocol_max: 1,
        instance: [0x81; 16],
        agreements: vec![AgreementState {
            agreement: AGREEMENT,
            charter: sample::charter().hash(),
            manifests: vec![golden_note("manifest.note")],
            logs: vec![
                LogState {
                    log: manifest(LIAOCHENG).log_id(),
                    checkpoint: Some(checkpoint),
                    cosignatures: vec![sample::cosignature()],
                },
                LogState {
                    log: manifest(sample::HANDAN).log_id(),
                    checkpoint: None,
                    cosignatures: Vec::new(),
                },
            ],
        }],
        cards: vec![golden_note("card.note")],
        clock_ms: 1_795_140_000_000,
    }
}

fn golden_note(file: &str) -> Bytes {
    golden::file(file).into()
}

/// A frame of each kind; the batch shows all three things that can stand in a part's place.
fn frames() -> Vec<(&'static str, Frame)> {
    let log = manifest(LIAOCHENG).log_id();
    let batches = sample::batches();
    let mut batch = batches[0].batch.clone();
    let PartSlot::Bytes(person) = batch.entries[2].parts[2].clone() else { panic!() };
    batch.entries[2].parts[1] = PartSlot::ErasedBy(Position { log, index: 9 });
    batch.entries[2].parts[2] = PartSlot::Withheld;
    let entry = sample::opening();
    let detail = "前面的记录还没到".to_owned();
    let refuse = |log, expected, detail| Frame::Refuse {
        reason: "LOG_GAP".to_owned(),
        log,
        expected,
        detail,
        facts: Vec::new(),
    };
    let mismatch = Frame::Refuse {
        reason: "CITY_MISMATCH".to_owned(),
        log: Some(log),
        expected: 0,
        detail: String::new(),
        facts: [("cert", "130400"), ("claimed", "371500")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
    };
    vec![
        ("hello", Frame::Hello(hello())),
        ("manifest", Frame::Manifest(golden_note("manifest.note"))),
        ("announce", Frame::Announce { log, checkpoint: golden_note("checkpoint.note") }),
        ("subscribe", Frame::Subscribe { log, from: 3, credit: 1 << 20 }),
        ("unsubscribe", Frame::Unsubscribe { log }),
        ("credit", Frame::Credit { log, bytes: 65_536 }),
        ("batch", Frame::Batch(batch)),
        ("cosign", Frame::Cosign(sample::cosignature())),
        ("fetch_parts", Frame::FetchParts { entry, parts: vec![2] }),
        ("late_parts", Frame::LateParts { entry, parts: vec![(2, person)] }),
        ("refuse", refuse(Some(log), 3, detail)),
        ("refuse_bare", refuse(None, 0, String::new())),
        ("refuse_facts", mismatch),
        ("fork_proof", Frame::Fork(std::fs::read(golden::path("fork-proof.bin")).unwrap().into())),
        ("ping", Frame::Ping { number: 7, pong: false, clock_ms: 1_795_140_000_000 }),
        ("pong", Frame::Ping { number: 7, pong: true, clock_ms: 1_795_140_000_250 }),
        ("charter", Frame::Charter(golden_note("charter.note"))),
        ("card", Frame::Card(golden_note("card.note"))),
    ]
}

#[test]
fn golden_frames_stay_as_they_are() {
    let encoded = |frame: &Frame| hex(&frame_to_pb(frame).encode_to_vec());
    let made: Vec<_> =
        frames().iter().map(|(name, frame)| ((*name).to_owned(), encoded(frame))).collect();
    golden::assert_lines(FILE, "a frame of each kind between nodes, without its length", &made);
    for (name, line) in golden::lines(FILE) {
        let frame = peer_v1::Frame::decode(Bytes::from(unhex(&line).unwrap())).unwrap();
        assert_eq!(encoded(&parse_frame(frame).unwrap()), line, "{name}");
    }
}

#[test]
fn every_kind_of_frame_has_a_golden_line() {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let peer = files.file.iter().find(|f| f.package() == "liandong.peer.v1").unwrap();
    let frame = peer.message_type.iter().find(|m| m.name() == "Frame").unwrap();
    assert!(frame.field.len() >= 14);
    let lines = golden::lines(FILE);
    for field in &frame.field {
        // The first bytes of a frame are the key of the one field that is set.
        let key = (field.number() as u32) << 3 | 2;
        let starts = |line: &str| {
            let bytes = unhex(line).unwrap();
            prost::encoding::decode_varint(&mut bytes.as_slice()) == Ok(u64::from(key))
        };
        assert!(lines.iter().any(|(_, line)| starts(line)), "no golden {}", field.name());
    }
}
