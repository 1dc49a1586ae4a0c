//! Tests of the one door: each way to be turned away, and mangled batches that must not get in.

use proptest::prelude::*;

use super::super::checkpoint::CheckpointError;
use super::super::entry::tests::sample_entry;
use super::super::error::EntryError;
use super::super::keys::SigningKey;
use super::super::merkle::digest;
use super::*;
use crate::limits::NOTE_BYTES_MAX;

const LOG: LogId = LogId::new([5; 32]);
const OTHER: LogId = LogId::new([6; 32]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// One city's log as it really is.
struct City {
    entries: Vec<Entry>,
    leaves: Vec<Hash>,
}

impl City {
    fn new(size: u64) -> Self {
        Self::of((0..size).map(|index| sample_entry(LOG, index)).collect())
    }

    fn of(entries: Vec<Entry>) -> Self {
        let leaves = entries.iter().map(|entry| leaf_hash(&entry.header)).collect();
        Self { entries, leaves }
    }

    fn head(&self, size: u64) -> Head {
        Head { log: LOG, size, root: root_of(&self.leaves, size).unwrap() }
    }

    fn frontier(&self, size: usize) -> Frontier {
        let mut frontier = Frontier::new();
        self.leaves[..size].iter().for_each(|leaf| frontier.push(*leaf));
        frontier
    }

    fn batch(&self, from: u64, to: u64) -> Batch {
        let range = usize::try_from(from).unwrap()..usize::try_from(to).unwrap();
        let checkpoint = SignedCheckpoint::sign(self.head(to), &key(1)).note().clone();
        Batch { log: LOG, from, entries: self.entries[range].to_vec(), checkpoint }
    }

    /// What a follower that holds `size` entries says to `batch`.
    fn offer(&self, size: usize, batch: &Batch) -> Result<Accepted, AppendError> {
        let (frontier, known) = (self.frontier(size), self.leaves[..size].to_vec());
        accept_batch(&frontier, &known, LOG, &key(1).verifying_key(), batch, |_, part| part == 1)
    }
}

#[test]
fn only_the_whole_next_stretch_is_taken() {
    let city = City::new(8);
    for size in 0..8_usize {
        let accepted = city.offer(size, &city.batch(size as u64, 8)).unwrap();
        assert_eq!(accepted.head, city.head(8));
        assert_eq!(accepted.frontier, city.frontier(8));
        assert_eq!((accepted.dropped, &accepted.leaves[..]), (0, &city.leaves[size..]));
        assert_eq!(accepted.checkpoint.note(), &city.batch(0, 8).checkpoint);
        assert_eq!(accepted.owed, []);
    }
    let gap = AppendError::Gap { log: LOG, expected: 3, got: 4 };
    assert_eq!(city.offer(3, &city.batch(4, 8)), Err(gap));
    let far = Batch { from: u64::MAX, ..city.batch(4, 8) };
    let gap = AppendError::Gap { log: LOG, expected: 3, got: u64::MAX };
    assert_eq!(city.offer(3, &far), Err(gap));
}

#[test]
fn a_known_front_is_dropped_and_a_known_whole_is_a_duplicate() {
    let city = City::new(8);
    let accepted = city.offer(5, &city.batch(2, 8)).unwrap();
    assert_eq!((accepted.dropped, &accepted.leaves[..]), (3, &city.leaves[5..]));
    assert_eq!(accepted.head, city.head(8));
    for (held, from, to) in [(8, 0, 8), (8, 7, 8), (8, 2, 5), (5, 2, 5)] {
        let duplicate = AppendError::Duplicate { log: LOG, size: to };
        assert_eq!(city.offer(held, &city.batch(from, to)), Err(duplicate), "{from}..{to}");
    }
    // Relayed entries that differ from those held, under genuine checkpoints.
    let mut batch = city.batch(2, 8);
    batch.entries[1].header = Bytes::from_static(b"changed");
    assert_eq!(city.offer(5, &batch), Err(AppendError::Differs { log: LOG, index: 3 }));
    assert_eq!(city.offer(8, &batch), Err(AppendError::Differs { log: LOG, index: 3 }));
    // Our own copy is damaged: not the sender's fault.
    let damaged = accept_batch(
        &city.frontier(5),
        &city.leaves[..3].to_vec(),
        LOG,
        &key(1).verifying_key(),
        &city.batch(2, 8),
        |_, _| false,
    );
    assert_eq!(damaged, Err(AppendError::LeafMissing { log: LOG, size: 4 }));
}

#[test]
fn a_second_history_is_shown_with_its_checkpoint() {
    let city = City::new(6);
    let mut entries = city.entries.clone();
    entries[1].header = Bytes::from_static(b"another past");
    let liar = City::of(entries);
    let contradicts = |batch: &Batch, size| {
        let checkpoint = SignedCheckpoint::verify(&batch.checkpoint, LOG, &key(1).verifying_key());
        AppendError::Contradicts { log: LOG, size, checkpoint: Box::new(checkpoint.unwrap()) }
    };
    // The same size, and a smaller one; the stretch itself may be the same in both histories.
    for (from, to) in [(0, 6), (2, 6), (2, 4)] {
        let batch = liar.batch(from, to);
        assert_eq!(city.offer(6, &batch), Err(contradicts(&batch, to)), "{from}..{to}");
    }
    // A longer one: nobody can tell yet who changed what.
    let mismatch = AppendError::RootMismatch { log: LOG, size: 6 };
    assert_eq!(city.offer(4, &liar.batch(4, 6)), Err(mismatch));
    let differs = AppendError::Differs { log: LOG, index: 1 };
    assert_eq!(city.offer(4, &liar.batch(0, 6)), Err(differs));
}

#[test]
fn checkpoints_must_be_genuine_and_end_where_the_entries_end() {
    let city = City::new(8);
    let bad = |batch: &Batch| match city.offer(3, batch) {
        Err(AppendError::BadCheckpoint { log: LOG, size: 6, source }) => source,
        other => panic!("{other:?}"),
    };
    let with = |checkpoint| Batch { checkpoint, ..city.batch(3, 6) };
    let by_other_key = SignedCheckpoint::sign(city.head(6), &key(2)).note().clone();
    assert!(matches!(bad(&with(by_other_key)), CheckpointError::Note(_)));
    let other_log = Head { log: OTHER, ..city.head(6) };
    let other_log = SignedCheckpoint::sign(other_log, &key(1)).note().clone();
    assert!(matches!(bad(&with(other_log)), CheckpointError::WrongLog { .. }));
    assert!(matches!(bad(&with(Bytes::new())), CheckpointError::Note(_)));
    assert!(matches!(bad(&with(vec![b'a'; NOTE_BYTES_MAX + 1].into())), CheckpointError::Note(_)));

    let stale = AppendError::StaleCheckpoint { log: LOG, known: 3 };
    assert_eq!(city.offer(3, &with(city.batch(0, 2).checkpoint)), Err(stale));
    for covered in [3, 5, 7] {
        let wrong = AppendError::WrongEnd { log: LOG, end: 6, covered };
        assert_eq!(city.offer(3, &with(city.batch(0, covered).checkpoint)), Err(wrong));
    }
}

#[test]
fn announced_checkpoints_never_move_a_log_back() {
    let city = City::new(8);
    let public = key(1).verifying_key();
    let check = |held, note: &Bytes| check_announced(&city.frontier(held), LOG, &public, note);
    let note = city.batch(0, 6).checkpoint;
    assert_eq!(check(3, &note).unwrap().head(), city.head(6));
    assert_eq!(check(6, &note).unwrap().head(), city.head(6));
    assert_eq!(check(7, &note), Err(AppendError::StaleCheckpoint { log: LOG, known: 7 }));
    let lie = SignedCheckpoint::sign(Head { root: digest(b"lie"), ..city.head(6) }, &key(1));
    let contradicts =
        Err(AppendError::Contradicts { log: LOG, size: 6, checkpoint: lie.clone().into() });
    assert_eq!(check(6, lie.note()), contradicts);
    let forged = SignedCheckpoint::sign(city.head(6), &key(2));
    assert!(matches!(check(3, forged.note()), Err(AppendError::BadCheckpoint { .. })));
}

#[test]
fn size_and_log_are_checked_first() {
    let city = City::new(3);
    let batch = Batch { log: OTHER, ..city.batch(0, 3) };
    let wrong = AppendError::WrongLog { expected: LOG, got: OTHER };
    assert_eq!(city.offer(0, &batch), Err(wrong));
    let batch = Batch { entries: vec![], ..city.batch(0, 3) };
    assert_eq!(city.offer(0, &batch), Err(AppendError::Empty { log: LOG }));

    let many = City::new(257);
    assert!(many.offer(1, &many.batch(1, 257)).is_ok());
    let too_many = many.offer(0, &many.batch(0, 257)).unwrap_err();
    let (got, limit) = (257, BATCH_ENTRIES_MAX);
    let what = "number of entries";
    assert_eq!(too_many, AppendError::TooLarge { log: LOG, what, got, limit });

    let mut batch = city.batch(0, 3);
    batch.entries[0].parts[0] = PartSlot::Bytes(vec![0; BATCH_BYTES_MAX].into());
    let got = batch_bytes(&batch.entries);
    let too_large = AppendError::TooLarge { log: LOG, what: "size", got, limit: BATCH_BYTES_MAX };
    assert_eq!(city.offer(0, &batch), Err(too_large));
}

#[test]
fn an_entry_under_a_signed_root_must_still_obey_the_rules() {
    let broken = |change: &dyn Fn(&mut Entry)| {
        let mut entries = City::new(3).entries;
        change(&mut entries[1]);
        let city = City::of(entries);
        city.offer(0, &city.batch(0, 3)).unwrap_err()
    };
    let at = Position { log: LOG, index: 1 };
    let got = Position { log: OTHER, index: 1 };
    let elsewhere = AppendError::WrongPlace { expected: at, got };
    assert_eq!(broken(&|e| e.envelope.log = OTHER), elsewhere);
    let got = Position { log: LOG, index: 2 };
    let elsewhere = AppendError::WrongPlace { expected: at, got };
    assert_eq!(broken(&|e| e.envelope.index = 2), elsewhere);
    let entry = |source| AppendError::Entry { at, source };
    let digest = entry(EntryError::Digest { part: 0 });
    assert_eq!(broken(&|e| e.parts[0] = PartSlot::Bytes("x".into())), digest);
    let own = Head { log: LOG, size: 1, root: Hash::new([0; 32]) };
    assert_eq!(broken(&|e| e.envelope.after = vec![own]), entry(EntryError::AfterSelf));
    assert!(matches!(
        broken(&|e| e.header = vec![7; 16 * 1024 + 1].into()),
        AppendError::Entry { source: EntryError::TooLarge { .. }, .. }
    ));
}

#[test]
fn missing_parts_need_a_reason() {
    let city = City::new(4);
    let at = Position { log: LOG, index: 2 };
    let with = |part: usize, slot: PartSlot| {
        let mut batch = city.batch(1, 4);
        batch.entries[1].parts[part] = slot;
        city.offer(1, &batch)
    };
    // In these tests a follower is in the audience of part 0 and not of part 1.
    let unjust = AppendError::Withheld { at, part: 0 };
    assert_eq!(with(0, PartSlot::Withheld), Err(unjust));
    assert_eq!(with(1, PartSlot::Withheld).unwrap().owed, []);
    for erased_by in [Position { log: LOG, index: 3 }, Position { log: OTHER, index: 0 }] {
        let owed = with(0, PartSlot::ErasedBy(erased_by)).unwrap().owed;
        assert_eq!(owed, [Owed { at, part: 0, erased_by }]);
    }
    let source = EntryError::ErasedBefore { part: 0 };
    assert_eq!(with(0, PartSlot::ErasedBy(at)), Err(AppendError::Entry { at, source }));
    // What is dropped at the front is not judged again, and owes nothing.
    let mut batch = city.batch(1, 4);
    batch.entries[1].parts[0] = PartSlot::Withheld;
    let accepted = city.offer(3, &batch).unwrap();
    assert_eq!((accepted.dropped, accepted.owed), (2, vec![]));
}

/// One way to spoil a batch on its way; `pick` chooses where.
fn mangle(batch: &mut Batch, city: &City, how: u8, pick: usize) {
    let count = batch.entries.len().max(1);
    let at = pick % count;
    match how {
        0 => batch.from = batch.from.wrapping_add(pick as u64),
        1 => batch.from = u64::MAX - pick as u64,
        2 => drop((!batch.entries.is_empty()).then(|| batch.entries.remove(at))),
        3 => batch.entries.reverse(),
        4 => batch.checkpoint = city.batch(0, (pick % 12) as u64 + 1).checkpoint,
        5 => {
            let mut bytes = batch.checkpoint.to_vec();
            let spot = pick % bytes.len();
            bytes[spot] ^= 1 << (pick % 8);
            batch.checkpoint = bytes.into();
        }
        6 => batch.log = LogId::new([u8::try_from(pick % 256).unwrap(); 32]),
        _ => {
            let Some(entry) = batch.entries.get_mut(at) else { return };
            match how {
                7 => entry.header = entry.header.slice(..pick % entry.header.len()),
                8 => entry.parts[0] = PartSlot::Bytes(Bytes::from(pick.to_string())),
                9 => entry.parts[0] = PartSlot::Withheld,
                10 => drop(entry.parts.pop()),
                11 => entry.envelope.index = pick as u64,
                12 => entry.envelope.log = OTHER,
                _ => {
                    let again = entry.clone();
                    batch.entries.insert(at, again);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is done to a batch: no panic, and what gets in is what the city signed.
    #[test]
    fn mangled_batches_never_get_through(
        held in 0_usize..12,
        from in 0_u64..12,
        count in 1_u64..12,
        spoils in prop::collection::vec((0_u8..14, any::<u16>()), 0..3),
    ) {
        let city = City::new(12);
        let to = (from + count).min(12);
        let whole = city.batch(from, to);
        let mut batch = whole.clone();
        for (how, pick) in spoils {
            mangle(&mut batch, &city, how, usize::from(pick));
        }
        match city.offer(held, &batch) {
            Ok(accepted) => {
                let head = accepted.head;
                prop_assert_eq!(head, city.head(head.size));
                prop_assert_eq!(accepted.frontier.root(), head.root);
                let size = usize::try_from(head.size).unwrap();
                prop_assert!(size > held);
                prop_assert_eq!(&accepted.leaves[..], &city.leaves[held..size]);
                for (entry, index) in batch.entries[accepted.dropped..].iter().zip(held..) {
                    prop_assert_eq!(entry, &city.entries[index]);
                }
            }
            Err(error) => {
                let sound = batch == whole && from <= held as u64 && held < to as usize;
                prop_assert!(!sound, "a sound batch was refused: {}", error);
            }
        }
    }
}
