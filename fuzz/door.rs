//! Target `accept_batch`: a genuine stretch, changed as the input says, at the one door.
//!
//! An input is a little program: what the follower holds, which stretch is sent, then changes. So
//! the fuzzer gets past signatures and hashes, which no flipped byte does. The stretch travels as
//! bytes, as between two nodes.
//!
//! In scope: order, roots, signatures, cosignatures on the note, parts. Out of scope: bytes that
//! are no batch at all (`bodies::batch`).

use std::sync::OnceLock;

use bytes::Bytes;
use liandong::ids::{Hash, LogId, Position};
use liandong::log::checkpoint::{SignedCheckpoint, cosign, verify_cosignature};
use liandong::log::merkle::{Frontier, digest, leaf_hash, root_of};
use liandong::log::{Accepted, accept_batch};
use liandong::log::{Audience, Batch, Entry, Head, Note, PartSlot, SignatureLine, SigningKey};
use liandong::sync::{RawBatch, RawEntry};
use liandong::wire;

/// 371500's log in the sample: three batches, seven entries.
const STRETCHES: [&[u8]; 3] = [
    include_bytes!("corpus/batch/batch_0"),
    include_bytes!("corpus/batch/batch_1"),
    include_bytes!("corpus/batch/batch_3"),
];
/// Whoever cosigns: the log of 130400 in the sample is not needed, only its name.
const WITNESS: LogId = LogId::new([0x77; 32]);

/// The log as its author wrote it.
struct Genuine {
    log: LogId,
    entries: Vec<RawEntry>,
    leaves: Vec<Hash>,
}

fn genuine() -> &'static Genuine {
    static LOG: OnceLock<Genuine> = OnceLock::new();
    LOG.get_or_init(|| {
        let read = |bytes: &&[u8]| wire::batch::parse_batch(Bytes::copy_from_slice(bytes));
        let stretches: Vec<RawBatch> = STRETCHES.iter().map(|s| read(s).expect("sample")).collect();
        let log = stretches[0].log;
        let entries: Vec<RawEntry> = stretches.into_iter().flat_map(|s| s.entries).collect();
        let leaves = entries.iter().map(|e| leaf_hash(&e.header)).collect();
        Genuine { log, entries, leaves }
    })
}

fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&[byte; 32]).expect("a key")
}

/// The author's key, as the sample has it.
fn log_key() -> SigningKey {
    key(0x21)
}

/// Reads the program; zeros after its end.
struct Steps<'a>(&'a [u8]);

impl Steps<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.next()) % n.max(1)
    }
}

/// What is sent, and what the one who changed it was able to.
struct Sent {
    raw: RawBatch,
    /// Entries the follower holds.
    held: usize,
    /// The author signed what he likes.
    lied: bool,
    /// Cosignatures that the witness really made, with what it signed.
    cosigned: Vec<(Head, String)>,
}

impl Sent {
    fn new(steps: &mut Steps<'_>) -> Self {
        let all = genuine();
        let held = steps.below(all.entries.len() + 1);
        let from = steps.below(all.entries.len());
        let to = (from + 1 + steps.below(all.entries.len())).min(all.entries.len());
        let root = root_of(&all.leaves, to as u64).expect("sample");
        let head = Head { log: all.log, size: to as u64, root };
        let checkpoint = SignedCheckpoint::sign(head, &log_key()).note().clone();
        let entries = all.entries[from..to].to_vec();
        let raw = RawBatch { log: all.log, from: from as u64, entries, checkpoint };
        Self { raw, held, lied: false, cosigned: Vec::new() }
    }

    fn entry(&mut self, steps: &mut Steps<'_>) -> Option<&mut RawEntry> {
        let at = steps.below(self.raw.entries.len());
        self.raw.entries.get_mut(at)
    }

    fn part(&mut self, steps: &mut Steps<'_>, to: impl FnOnce(&mut Steps<'_>, &mut PartSlot)) {
        let Some(entry) = self.entry(steps) else { return };
        let at = steps.below(entry.parts.len());
        if let Some(slot) = entry.parts.get_mut(at) {
            to(steps, slot);
        }
    }

    /// The head that these entries make after what is held below them.
    fn head(&self) -> Head {
        let all = genuine();
        let below = usize::try_from(self.raw.from).unwrap_or(usize::MAX).min(all.leaves.len());
        let mut leaves = all.leaves[..below].to_vec();
        leaves.extend(self.raw.entries.iter().map(|e| leaf_hash(&e.header)));
        let size = leaves.len() as u64;
        Head { log: self.raw.log, size, root: root_of(&leaves, size).expect("all leaves") }
    }

    fn change(&mut self, steps: &mut Steps<'_>) {
        match steps.next() % 14 {
            0 => {
                if let Some(entry) = self.entry(steps) {
                    entry.header = flipped(&entry.header, steps);
                }
            }
            1 => self.part(steps, |steps, slot| {
                let index = u64::from(steps.next());
                *slot = PartSlot::ErasedBy(Position { log: genuine().log, index });
            }),
            2 => self.part(steps, |_, slot| *slot = PartSlot::Withheld),
            3 => self.part(steps, |steps, slot| {
                if let PartSlot::Bytes(bytes) = slot {
                    *bytes = flipped(bytes, steps);
                }
            }),
            4 => {
                let len = self.raw.entries.len();
                let (a, b) = (steps.below(len), steps.below(len));
                if len > 0 {
                    self.raw.entries.swap(a, b);
                }
            }
            5 => drop_at(&mut self.raw.entries, steps),
            6 => {
                let at = steps.below(self.raw.entries.len());
                let twice = self.raw.entries.get(at).cloned();
                self.raw.entries.extend(twice);
            }
            7 => self.raw.from = u64::from(steps.next()).wrapping_sub(1),
            8 => self.raw.log = LogId::new([steps.next(); 32]),
            9 => self.raw.checkpoint = flipped(&self.raw.checkpoint, steps),
            10 => {
                self.lied = true;
                let signed = SignedCheckpoint::sign(self.head(), &log_key());
                self.raw.checkpoint = signed.note().clone();
            }
            11 => {
                let signed = SignedCheckpoint::sign(self.head(), &key(0x66));
                self.raw.checkpoint = signed.note().clone();
            }
            12 => self.cosign(steps),
            _ => {
                if let Some(entry) = self.entry(steps) {
                    drop_at(&mut entry.parts, steps);
                }
            }
        }
    }

    /// Another line on the note: by the witness, or by somebody who would like to be one.
    fn cosign(&mut self, steps: &mut Steps<'_>) {
        let (head, who) = (self.head(), if steps.next().is_multiple_of(2) { 0x32 } else { 0x67 });
        let line = cosign(head, WITNESS, &key(who), u64::from(steps.next()));
        if who == 0x32 {
            self.cosigned.push((head, line.as_str().to_owned()));
        }
        let both = [&self.raw.checkpoint[..], line.as_str().as_bytes(), b"\n"].concat();
        self.raw.checkpoint = both.into();
    }
}

fn flipped(bytes: &Bytes, steps: &mut Steps<'_>) -> Bytes {
    let mut changed = bytes.to_vec();
    let at = usize::from(u16::from_be_bytes([steps.next(), steps.next()])) % changed.len().max(1);
    if let Some(byte) = changed.get_mut(at) {
        *byte ^= 1 << steps.below(8);
    }
    changed.into()
}

fn drop_at<T>(list: &mut Vec<T>, steps: &mut Steps<'_>) {
    let at = steps.below(list.len());
    if at < list.len() {
        list.remove(at);
    }
}

/// As a node reads it: from bytes, headers parsed.
fn arrived(raw: &RawBatch) -> Option<Batch> {
    let raw = wire::batch::parse_batch(wire::batch::encode_batch(raw).into()).ok()?;
    let read = |entry: RawEntry| {
        let envelope = wire::entry::parse_header(&entry.header).ok()?.envelope;
        Some(Entry { header: entry.header, envelope, parts: entry.parts })
    };
    let entries = raw.entries.into_iter().map(read).collect::<Option<Vec<Entry>>>()?;
    Some(Batch { log: raw.log, from: raw.from, entries, checkpoint: raw.checkpoint })
}

/// True when the stretch was accepted; panics when it should not have been.
pub fn accept(data: &[u8]) -> bool {
    let mut steps = Steps(data);
    let mut sent = Sent::new(&mut steps);
    while !steps.0.is_empty() {
        sent.change(&mut steps);
    }
    check_cosignatures(&sent);
    let Some(batch) = arrived(&sent.raw) else { return false };
    let all = genuine();
    let held = all.leaves[..sent.held].to_vec();
    let mut frontier = Frontier::new();
    held.iter().for_each(|leaf| frontier.push(*leaf));
    let narrow = |entry: &Entry, part: usize| {
        entry.envelope.parts.get(part).is_some_and(|p| p.audience != Audience::AllMembers)
    };
    let public = log_key().verifying_key();
    match accept_batch(&frontier, &held, all.log, &public, &batch, narrow) {
        Ok(accepted) => {
            check(&sent, &batch, held, &accepted);
            true
        }
        Err(_) => false,
    }
}

/// What was accepted is the next stretch, under a root its author signed, with all that is due.
fn check(sent: &Sent, batch: &Batch, mut leaves: Vec<Hash>, accepted: &Accepted) {
    let all = genuine();
    assert!(batch.from <= sent.held as u64, "a gap");
    let new = &batch.entries[accepted.dropped..];
    leaves.extend(new.iter().map(|entry| leaf_hash(&entry.header)));
    let size = batch.from + batch.entries.len() as u64;
    assert_eq!((leaves.len() as u64, accepted.head.size), (size, size));
    assert_eq!(Some(accepted.head.root), root_of(&leaves, size));
    assert_eq!(accepted.frontier.root(), accepted.head.root);
    assert_eq!(accepted.leaves, &leaves[sent.held..]);
    let note = accepted.checkpoint.note();
    let signed = SignedCheckpoint::verify(note, all.log, &log_key().verifying_key());
    assert_eq!(signed.map(|s| s.head()), Ok(accepted.head));
    assert_eq!(Note::parse(note).map(|n| n.signatures().len()), Ok(1), "only the author's line");
    if !sent.lied {
        assert_eq!(leaves, all.leaves[..leaves.len()], "nobody else writes this log");
    }
    let mut owed = 0;
    for entry in new {
        assert_eq!(entry.parts.len(), entry.envelope.parts.len());
        for (slot, named) in entry.parts.iter().zip(&entry.envelope.parts) {
            match slot {
                PartSlot::Bytes(bytes) => assert_eq!(digest(bytes), named.digest),
                PartSlot::ErasedBy(_) => owed += 1,
                PartSlot::Withheld => assert_ne!(named.audience, Audience::AllMembers),
            }
        }
    }
    assert_eq!(accepted.owed.len(), owed);
}

/// Of the lines on the note, only those the witness made count, and for what it signed.
fn check_cosignatures(sent: &Sent) {
    let public = key(0x32).verifying_key();
    let head = sent.head();
    let note = Note::parse(&sent.raw.checkpoint).ok();
    let lines = note.iter().flat_map(|note| note.signatures());
    for line in lines.filter(|l| verify_cosignature(l, head, WITNESS, &public).is_ok()) {
        let made = (head, SignatureLine::as_str(line).to_owned());
        assert!(sent.cosigned.contains(&made), "a cosignature nobody made");
    }
}
