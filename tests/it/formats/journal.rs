//! The journal: a segment with a record of each kind, their payloads, the guard.

use std::fs;

use bytes::Bytes;
use liandong::ids::{AgreementId, SubjectId, hex, unhex};
use liandong::journal::segment::{self, SegmentHeader};
use liandong::journal::{
    Grown, Guard, Journal, JournalOptions, LocalFact, RealDisk, RecordKind, SuspensionFact, record,
};
use liandong::log::manifest::SignedManifest;
use liandong::log::{ForkProof, PartSlot, SignedCheckpoint};
use liandong::trust::card::SignedCard;
use liandong::trust::charter::SignedCharter;
use liandong::wire::peer::{encode_cosign, encode_late_part, parse_cosign, parse_late_part};

use super::golden;
use super::sample::{self, HANDAN, LIAOCHENG, city, city_key, key, manifest};

const SEGMENT: &str = "journal/00000000.seg";
const JOURNAL_ID: [u8; 16] = [0x91; 16];

/// A record of each kind and all batches, in an order in which a node could have written them.
fn records() -> Vec<(&'static str, RecordKind, Vec<u8>)> {
    let batches = sample::batches();
    let batch = |n: usize| liandong::wire::batch::encode_batch(&batches[n].batch);
    let PartSlot::Bytes(person) = &batches[0].batch.entries[2].parts[2] else { panic!() };
    let late = encode_late_part(sample::opening(), 2, person);
    let signed = SignedCheckpoint::sign(batches[1].head, &key(0x21));
    let proof = ForkProof::of(&signed, &sample::second_history()).unwrap();
    let log = manifest(LIAOCHENG).log_id();
    let shown = LocalFact::Shown { log, city: city(HANDAN), size: 6 };
    let own_card = sample::card().sign(&city_key(LIAOCHENG)).unwrap();
    let note = |of: u32| sample::manifest_note(manifest(of)).to_vec();
    vec![
        ("charter", RecordKind::Charter, sample::charter_note(&sample::charter()).to_vec()),
        ("card", RecordKind::Card, own_card.to_vec()),
        ("manifest", RecordKind::Manifest, note(LIAOCHENG)),
        ("manifest_130400", RecordKind::Manifest, note(HANDAN)),
        ("batch_0", RecordKind::Batch, batch(0)),
        ("batch_1", RecordKind::Batch, batch(1)),
        ("batch_2", RecordKind::Batch, batch(2)),
        ("cosignature", RecordKind::Cosignature, encode_cosign(&sample::cosignature())),
        ("late_part", RecordKind::LatePart, late),
        ("batch_3", RecordKind::Batch, batch(3)),
        ("fork_proof", RecordKind::ForkProof, proof.encode(log).to_vec()),
        // What an early version reserved: nothing writes an empty one, and readers pass over it.
        ("suspension", RecordKind::Suspension, Vec::new()),
        ("local_shown", RecordKind::Local, shown.encode()),
    ]
}

/// The segment without the zeroes that are reserved behind its last record.
fn segment_bytes() -> Vec<u8> {
    let header =
        SegmentHeader { number: 0, journal_id: JOURNAL_ID, first_record: 0, generation: 0 };
    let mut bytes = header.encode();
    for (number, (_, kind, payload)) in records().iter().enumerate() {
        record::encode(&mut bytes, *kind, number as u64, payload);
    }
    bytes
}

/// Whether today's code takes a payload, and writes it again as it was.
fn takes(kind: RecordKind, payload: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(payload);
    match kind {
        RecordKind::Manifest => SignedManifest::peek(&bytes).is_ok_and(|m| {
            let public = city_key(m.city.as_u32()).verifying_key();
            SignedManifest::verify(&bytes, m.city, &public).is_ok()
        }),
        RecordKind::Charter => SignedCharter::parse(&bytes).is_ok(),
        RecordKind::Card => {
            SignedCard::verify(&bytes, &city_key(LIAOCHENG).verifying_key()).is_ok()
        }
        RecordKind::Batch => liandong::wire::batch::parse_batch(bytes)
            .is_ok_and(|batch| liandong::wire::batch::encode_batch(&batch) == payload),
        RecordKind::LatePart => parse_late_part(payload)
            .is_ok_and(|late| encode_late_part(late.entry, late.part, &late.bytes) == payload),
        RecordKind::Cosignature => {
            parse_cosign(payload).is_ok_and(|cosign| encode_cosign(&cosign) == payload)
        }
        RecordKind::ForkProof => ForkProof::decode(&bytes).is_some_and(|(log, proof)| {
            proof.check(log, &manifest(LIAOCHENG).log_key).is_ok() && proof.encode(log) == payload
        }),
        RecordKind::Suspension => {
            payload.is_empty()
                || SuspensionFact::decode(payload).is_some_and(|f| f.encode() == payload)
        }
        RecordKind::Local => LocalFact::decode(payload).is_some_and(|f| f.encode() == payload),
        RecordKind::Newer => false,
    }
}

#[test]
fn a_golden_segment_is_opened_and_every_record_is_taken() {
    golden::assert_file(SEGMENT, &segment_bytes());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("00000000.seg"), golden::file(SEGMENT)).unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    let options = JournalOptions { journal_id: [0; 16], ..JournalOptions::default() };
    let (mut journal, report) = Journal::open(disk, options).unwrap();
    assert!(!report.created && report.cut_bytes == 0 && report.damage.is_empty(), "{report:?}");
    assert_eq!(journal.journal_id(), JOURNAL_ID);
    let mut found = Vec::new();
    let mut offsets = Vec::new();
    journal
        .reader()
        .scan(0, &mut |at, kind, payload| {
            found.push((kind, payload.to_vec()));
            offsets.push(at);
            true
        })
        .unwrap();
    for (kind, payload) in &found {
        assert!(takes(*kind, payload), "{kind:?}");
    }
    for kind in RecordKind::ALL {
        assert!(found.iter().any(|(k, _)| *k == kind), "no golden record of kind {kind:?}");
    }
    for (number, at) in offsets.iter().enumerate() {
        assert_eq!((at.number, at.offset % 8), (number as u64, 0));
        assert_eq!(journal.reader().read(*at).unwrap(), found[number]);
    }
    // It is a journal, not a museum: it goes on.
    let next = journal.append(RecordKind::Local, b"later\0").unwrap();
    journal.commit().unwrap();
    assert_eq!(next.number, found.len() as u64);
}

#[test]
fn golden_records_stay_as_they_are() {
    let framed = |kind, payload: &[u8]| {
        let mut bytes = Vec::new();
        record::encode(&mut bytes, kind, 0, payload);
        hex(&bytes)
    };
    let small = ["cosignature", "late_part", "suspension", "local_shown"];
    let restored = LocalFact::Restored { log: manifest(LIAOCHENG).log_id(), size: 9 };
    let mut made: Vec<_> = records()
        .iter()
        .filter(|(name, ..)| small.contains(name))
        .map(|(name, kind, payload)| ((*name).to_owned(), framed(*kind, payload)))
        .collect();
    made.push(("local_restored".to_owned(), framed(RecordKind::Local, &restored.encode())));
    made.push(("local_assigned".to_owned(), framed(RecordKind::Local, &assigned().encode())));
    made.push(("local_drafted".to_owned(), framed(RecordKind::Local, &drafted().encode())));
    let cut = LocalFact::Cut { mark: [8; 16] };
    made.push(("local_cut".to_owned(), framed(RecordKind::Local, &cut.encode())));
    for fact in suspensions() {
        let name = suspension_line(&fact).to_owned();
        made.push((name, framed(RecordKind::Suspension, &fact.encode())));
    }
    let header =
        SegmentHeader { number: 2, journal_id: JOURNAL_ID, first_record: 77, generation: 1 };
    made.push(("segment_header".to_owned(), hex(&header.encode())));
    golden::assert_lines("records.txt", "small records with their frames, as record 0", &made);
    for (name, line) in golden::lines("records.txt") {
        let bytes = unhex(&line).unwrap();
        if name == "segment_header" {
            assert_eq!(SegmentHeader::decode(&bytes), Some(header));
            assert_eq!(bytes.len(), segment::HEADER_BYTES);
            continue;
        }
        let header = record::decode_header(&bytes).unwrap();
        let payload = record::decode_payload(header, &bytes).unwrap();
        assert!(takes(header.kind, payload), "{name}");
        assert_eq!(framed(header.kind, payload), line, "{name}");
    }
}

fn assigned() -> LocalFact {
    LocalFact::Assigned {
        agreement: AgreementId::new([1; 16]),
        subject: SubjectId::new([2; 16]),
        at_ms: 1_795_140_000_000,
        by: "coordinator/37150011".to_owned(),
        assignee: "张三".to_owned(),
        remark: "周五前复查".to_owned(),
    }
}

fn drafted() -> LocalFact {
    LocalFact::Drafted {
        agreement: AgreementId::new([1; 16]),
        draft: SubjectId::new([3; 16]),
        at_ms: 1_795_140_000_000,
        by: "coordinator/37150011".to_owned(),
        content: vec![0x08, 0x01],
    }
}

#[test]
fn every_word_of_a_local_record_has_a_golden_line() {
    // A new fact does not compile here until it has a line.
    let line = |fact: &LocalFact| match fact {
        LocalFact::Shown { .. } => "local_shown",
        LocalFact::Restored { .. } => "local_restored",
        LocalFact::Assigned { .. } => "local_assigned",
        LocalFact::Drafted { .. } => "local_drafted",
        LocalFact::Cut { .. } => "local_cut",
    };
    let log = manifest(LIAOCHENG).log_id();
    for fact in [
        LocalFact::Shown { log, city: city(HANDAN), size: 6 },
        LocalFact::Restored { log, size: 9 },
        LocalFact::Cut { mark: [8; 16] },
        assigned(),
        drafted(),
    ] {
        let bytes = unhex(&golden::line("records.txt", line(&fact))).unwrap();
        let header = record::decode_header(&bytes).unwrap();
        assert_eq!(LocalFact::decode(record::decode_payload(header, &bytes).unwrap()), Some(fact));
    }
}

/// A suspension of each word.
fn suspensions() -> [SuspensionFact; 3] {
    let log = manifest(HANDAN).log_id();
    let (city, at_ms, by) = (city(HANDAN), 1_795_140_000_000, "admin/37150099009".to_owned());
    let (reason, logs) = ("城市密钥失窃".to_owned(), vec![(log, 2)]);
    [
        SuspensionFact::City { city, at_ms, reason, by: by.clone(), logs },
        SuspensionFact::Log { city, at_ms, log, size: 2 },
        SuspensionFact::Resumed { city, at_ms, by },
    ]
}

fn suspension_line(fact: &SuspensionFact) -> &'static str {
    // A new word does not compile here until it has a line.
    match fact {
        SuspensionFact::City { .. } => "suspension_city",
        SuspensionFact::Log { .. } => "suspension_log",
        SuspensionFact::Resumed { .. } => "suspension_resumed",
    }
}

#[test]
fn every_word_of_a_suspension_has_a_golden_line() {
    for fact in suspensions() {
        let bytes = unhex(&golden::line("records.txt", suspension_line(&fact))).unwrap();
        let header = record::decode_header(&bytes).unwrap();
        let payload = record::decode_payload(header, &bytes).unwrap();
        assert_eq!(SuspensionFact::decode(payload), Some(fact));
    }
}

#[test]
fn a_golden_guard_is_read() {
    let batches = sample::batches();
    let sizes = vec![(batches[3].head.log, 7), (batches[2].head.log, 2)];
    let mut guard = Guard { journal_id: JOURNAL_ID, grown: Grown { records: 40, sizes } };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guard");
    guard.write(&path).unwrap();
    golden::assert_file("guard-2.bin", &fs::read(&path).unwrap());
    assert_eq!(Guard::read(&golden::path("guard-2.bin")).unwrap(), Some(guard.clone()));
    // Files of before records were counted.
    guard.grown.records = 0;
    assert_eq!(Guard::read(&golden::path("guard.bin")).unwrap(), Some(guard));
}
