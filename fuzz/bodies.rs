//! What each fuzz target does with bytes from outside, as plain functions.
//!
//! `cargo fuzz` calls them from `fuzz_targets/`, ordinary tests from `tests/it/corpora.rs`. Each
//! says whether the bytes were accepted, and panics when a promise does not hold: what is accepted
//! is written back to the same bytes, and reading never panics.
//!
//! In scope: everything that comes in from other cities, from devices, in files or with a request for a
//! list. Out
//! of scope: what a running node makes of it (`tests/it`).

use bytes::Bytes;
use liandong::geo::Boundaries;
use liandong::hj212::{Framer, Joined, Joiner, Packet};
use liandong::ids::CityCode;
use liandong::journal::{Disk as _, Journal, JournalOptions, MemDisk};
use liandong::log::{Checkpoint, ForkProof, Manifest, Note, SignatureLine};
use liandong::trust::card::Card;
use liandong::trust::charter::{Charter, SignedCharter};
use liandong::trust::people::{People, PeopleFile};
use liandong::trust::spiffe::{self, Identity, Subject};
use liandong::wire;
use liandong::wire::pb::peer::v1 as peer;
use prost::Message as _;
use rustls::pki_types::CertificateDer;

pub mod door;
pub mod lists;
pub mod papers;

/// A body: true when the bytes were accepted.
pub type Body = fn(&[u8]) -> bool;

/// Every target by name; the folders of `fuzz/corpus` have the same names.
pub const TARGETS: [(&str, Body); 19] = [
    ("header", header),
    ("part", part),
    ("batch", batch),
    ("frame", frame),
    ("segment", segment),
    ("note", note),
    ("signature_line", signature_line),
    ("checkpoint", checkpoint),
    ("manifest", manifest),
    ("card", card),
    ("charter", charter),
    ("fork_proof", fork_proof),
    ("certificate", certificate),
    ("files", files),
    ("accept_batch", door::accept),
    ("page_token", lists::page_token),
    ("list_request", lists::list_request),
    ("papers", papers::papers),
    ("hj212", hj212),
];

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

pub fn header(data: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(parsed) = wire::entry::parse_header(&bytes) else { return false };
    if !parsed.newer {
        assert_eq!(wire::entry::encode_header(&parsed.envelope, &parsed.event), bytes);
    }
    true
}

pub fn part(data: &[u8]) -> bool {
    wire::part::parse_part(&Bytes::copy_from_slice(data)).is_ok()
}

pub fn batch(data: &[u8]) -> bool {
    let Ok(batch) = wire::batch::parse_batch(Bytes::copy_from_slice(data)) else { return false };
    let again = wire::batch::encode_batch(&batch);
    assert_eq!(wire::batch::parse_batch(again.into()).as_ref(), Ok(&batch));
    batch.entries.iter().for_each(|entry| drop(wire::entry::parse_header(&entry.header)));
    true
}

pub fn frame(data: &[u8]) -> bool {
    let Ok(frame) = peer::Frame::decode(data) else { return false };
    let Ok(frame) = wire::peer::parse_frame(frame) else { return false };
    let again = wire::peer::frame_to_pb(&frame);
    assert_eq!(wire::peer::parse_frame(again).as_ref(), Ok(&frame));
    true
}

/// A journal of one segment opens or is refused; what it cut once it does not cut again.
pub fn segment(data: &[u8]) -> bool {
    let disk = MemDisk::new();
    disk.create("00000000.seg").expect("memory");
    disk.write_at("00000000.seg", 0, data).expect("memory");
    let Ok((journal, _)) = Journal::open(disk.clone(), JournalOptions::default()) else {
        return false;
    };
    let read = |journal: &Journal<MemDisk>| {
        let mut records = Vec::new();
        let scan = journal.reader().scan(0, &mut |at, kind, payload| {
            records.push((at, kind, payload.to_vec()));
            true
        });
        (scan.is_ok(), records)
    };
    let before = read(&journal);
    let next = journal.next_record();
    let (again, report) = Journal::open(disk, JournalOptions::default()).expect("it opened before");
    assert_eq!(report.cut_bytes, 0, "a tail is cut once");
    assert_eq!((read(&again), again.next_record()), (before, next));
    next > 0
}

pub fn note(data: &[u8]) -> bool {
    let Ok(note) = Note::parse(data) else { return false };
    assert_eq!(note.render().as_bytes(), data);
    true
}

pub fn signature_line(data: &[u8]) -> bool {
    let Some(Ok(line)) = text(data).map(SignatureLine::parse) else { return false };
    assert_eq!(line.as_str().as_bytes(), data);
    true
}

pub fn checkpoint(data: &[u8]) -> bool {
    let Some(Ok(checkpoint)) = text(data).map(Checkpoint::parse) else { return false };
    assert_eq!(checkpoint.text().as_bytes(), data);
    true
}

pub fn manifest(data: &[u8]) -> bool {
    let Some(Ok(manifest)) = text(data).map(Manifest::parse) else { return false };
    assert_eq!(manifest.text().as_bytes(), data);
    true
}

pub fn card(data: &[u8]) -> bool {
    let Some(Ok(card)) = text(data).map(Card::parse) else { return false };
    assert_eq!(card.text().as_bytes(), data);
    true
}

/// A text, or a text with its signatures.
pub fn charter(data: &[u8]) -> bool {
    let signed = SignedCharter::parse(&Bytes::copy_from_slice(data)).is_ok();
    let Some(Ok(charter)) = text(data).map(Charter::parse) else { return signed };
    assert_eq!(charter.text().as_bytes(), data);
    true
}

pub fn fork_proof(data: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(data);
    let Some((log, proof)) = ForkProof::decode(&bytes) else { return false };
    assert_eq!(proof.encode(log), bytes);
    true
}

/// A certificate as a stranger shows it, or the name in one.
pub fn certificate(data: &[u8]) -> bool {
    let city = CityCode::parse("371500").expect("a city");
    let known = Identity::of(&CertificateDer::from(data), city).is_ok();
    let Some(Ok((city, subject))) = text(data).map(spiffe::parse_uri) else { return known };
    let again = match &subject {
        Subject::Node(node) => spiffe::node_uri(city, *node),
        Subject::Person(role, id) => spiffe::person_uri(city, *role, id),
        Subject::Unnamed => panic!("a name of nobody"),
    };
    assert_eq!(spiffe::parse_uri(&again), Ok((city, subject)));
    true
}

/// Files of an operator: borders, people.
pub fn files(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let borders = Boundaries::parse(text).is_ok();
    let Ok(file) = PeopleFile::parse(text) else { return borders };
    let again = file.render().expect("what was read can be written");
    let valid = People::check(&file).is_ok();
    assert_eq!(People::parse(&again).is_ok(), valid);
    true
}

/// Packets of a stream, however it is cut; none of them says its password, and each is read again
/// from what is kept of it.
pub fn hj212(data: &[u8]) -> bool {
    let read = |cut: usize| {
        let mut framer = Framer::default();
        let mut found: Vec<_> = data.chunks(cut).flat_map(|piece| framer.feed(piece)).collect();
        found.extend(framer.finish());
        (found, framer.garbage_bytes())
    };
    let (found, garbage) = read(data.len().max(1));
    assert_eq!(read(7), (found.clone(), garbage));
    let mut joiner = Joiner::default();
    let right = found.iter().filter_map(|one| one.packet.clone().ok());
    // Changed bytes rarely have their CRC: the segment is read without its frame as well.
    let inner = data.get(6..data.len().saturating_sub(6)).unwrap_or_default();
    for packet in right.chain(Packet::parse(inner)).chain(Packet::parse(data)) {
        let line = packet.line();
        assert!(!format!("{packet:?}{line}").to_ascii_uppercase().contains("PW="));
        assert_eq!(Packet::parse(line.as_bytes()).as_ref(), Ok(&packet));
        if let Ok(Joined::Whole(message)) = joiner.take(packet) {
            let _ = (message.data_time(), message.readings());
        }
    }
    garbage == 0 && !found.is_empty() && found.iter().all(|one| one.packet.is_ok())
}
