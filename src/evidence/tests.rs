//! The folder of evidence files: cuts, wrong bytes, limits, collecting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::hashes::BothHashes;
use super::*;
use crate::ids::{AgreementId, CityCode, Hash, SubjectId};
use crate::limits::{EVIDENCE_UNNAMED_MS, EVIDENCE_UPLOADS_PER_CALLER_MAX};

const BYTES: &[u8] = b"PK\x03\x04 an archive that nobody unpacks, in five chunks";
const CHUNK: usize = 12;

fn digests(bytes: &[u8]) -> (Hash, [u8; 32]) {
    let mut hashes = BothHashes::new();
    hashes.update(bytes);
    hashes.finish()
}

fn sha256(bytes: &[u8]) -> Hash {
    digests(bytes).0
}

fn wanted(bytes: &[u8]) -> Wanted {
    let case = CaseRef { agreement: AgreementId::new([1; 16]), subject: SubjectId::new([2; 16]) };
    Wanted {
        sha256: sha256(bytes),
        sm3: digests(bytes).1,
        size: bytes.len() as u64,
        name: "证据.zip".into(),
        case,
        from: None,
    }
}

fn open(folder: &tempfile::TempDir) -> EvidenceStore {
    EvidenceStore::open(folder.path(), limits(100, 150, u64::MAX)).unwrap()
}

fn limits(file_bytes_max: u64, folder_bytes_max: u64, pending_bytes_max: u64) -> EvidenceLimits {
    EvidenceLimits { file_bytes_max, folder_bytes_max, pending_bytes_max, disk_low_bytes: 0 }
}

fn places(store: &EvidenceStore) -> (usize, u64) {
    let held = store.lock();
    (held.under_way.len(), held.used())
}

async fn put(store: &EvidenceStore, bytes: &[u8]) -> Result<About, EvidenceError> {
    let mut incoming = store.begin("a", wanted(bytes), 0)?;
    incoming.append(&Bytes::copy_from_slice(bytes))?;
    incoming.finish().await
}

#[tokio::test]
async fn a_cut_after_any_chunk_goes_on() {
    for cut in 0..=BYTES.len().div_ceil(CHUNK) {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = BYTES.split_at((cut * CHUNK).min(BYTES.len()));
        let mut incoming = open(&folder).begin("a", wanted(BYTES), 0).unwrap();
        for chunk in before.chunks(CHUNK) {
            incoming.append(&Bytes::copy_from_slice(chunk)).unwrap();
        }
        drop(incoming);
        // Another process.
        let store = open(&folder);
        let staged = store.staged(sha256(BYTES));
        assert_eq!(staged, before.len() as u64);
        assert!(matches!(store.about(sha256(BYTES)).await, Err(EvidenceError::NotHere)));
        let wrong = store.begin("a", wanted(BYTES), staged + 1).map(drop).unwrap_err();
        assert!(matches!(wrong, EvidenceError::WrongOffset { expected, .. } if expected == staged));
        let mut incoming = store.begin("b", wanted(BYTES), staged).unwrap();
        for chunk in after.chunks(CHUNK) {
            incoming.append(&Bytes::copy_from_slice(chunk)).unwrap();
        }
        let known = incoming.finish().await.unwrap();
        assert_eq!(store.about(sha256(BYTES)).await.unwrap(), known);
        let read = store.read((sha256(BYTES), known.size), 3, 1_000).await.unwrap();
        assert_eq!(read, BYTES[3..]);
        assert_eq!((store.staged(sha256(BYTES)), places(&store)), (0, (0, known.size)));
        assert_eq!(places(&open(&folder)), (0, known.size), "counted again");
    }
}

#[tokio::test]
async fn a_wrong_byte_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mut changed = BYTES.to_vec();
    changed[7] ^= 1;
    let no_sm3 = Wanted { sm3: [0; 32], ..wanted(BYTES) };
    for (sent, wanted, wrong) in
        [(changed.as_slice(), wanted(BYTES), "sha256"), (BYTES, no_sm3, "sm3")]
    {
        let mut incoming = store.begin("a", wanted, 0).unwrap();
        incoming.append(&Bytes::copy_from_slice(sent)).unwrap();
        let refused = incoming.finish().await.unwrap_err();
        assert!(matches!(refused, EvidenceError::WrongDigest { field } if field == wrong));
        assert_eq!((store.staged(sha256(BYTES)), places(&store)), (0, (0, 0)));
        assert!(matches!(store.about(sha256(BYTES)).await, Err(EvidenceError::NotHere)));
    }
    // One byte too many, one too few.
    let mut incoming = store.begin("a", wanted(BYTES), 0).unwrap();
    incoming.append(&Bytes::copy_from_slice(BYTES)).unwrap();
    assert!(matches!(
        incoming.append(&Bytes::copy_from_slice(b"x")),
        Err(EvidenceError::Long { .. })
    ));
    drop(incoming);
    assert_eq!(store.staged(sha256(BYTES)), 0);
    let mut incoming = store.begin("a", wanted(BYTES), 0).unwrap();
    incoming.append(&Bytes::copy_from_slice(&BYTES[1..])).unwrap();
    assert!(matches!(incoming.finish().await, Err(EvidenceError::Short { .. })));
    assert_eq!(store.staged(sha256(BYTES)), BYTES.len() as u64 - 1, "it may go on");
}

#[tokio::test]
async fn a_part_that_was_not_synced_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let limits = limits(1 << 23, 1 << 24, u64::MAX);
    let store = EvidenceStore::open(folder.path(), limits).unwrap();
    // Long enough for one sync on its way, and for another one.
    let chunk = Bytes::from(vec![7; 1 << 19]);
    let whole = chunk.repeat(12);
    let begin = || store.begin("a", wanted(&whole), 0).unwrap().on_a_failing_disk();
    for (chunks, ends) in [(8, false), (12, true)] {
        let mut incoming = begin();
        for _ in 0..chunks {
            incoming.append(&chunk).unwrap();
        }
        if ends {
            assert!(matches!(incoming.finish().await, Err(EvidenceError::Disk(_))));
        } else {
            // It is cut before anybody hears of the failure.
            drop(incoming);
        }
        assert_eq!((store.staged(sha256(&whole)), places(&store)), (0, (0, 0)), "{chunks}");
    }
    // The second sync is told that the first one failed; what came after that is gone as well.
    let mut incoming = store.begin("a", wanted(&chunk.repeat(16)), 0).unwrap().on_a_failing_disk();
    let failed = (0..16).find_map(|_| incoming.append(&chunk).err());
    assert!(matches!(failed, Some(EvidenceError::Disk(_))), "{failed:?}");
    drop(incoming);
    assert_eq!((store.staged(sha256(&chunk.repeat(16))), places(&store)), (0, (0, 0)));
}

#[tokio::test]
async fn announced_bytes_count_against_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let large = |byte: u8| [byte; 70];
    let first = store.begin("a", wanted(&large(1)), 0).unwrap();
    assert!(matches!(store.begin("b", wanted(&large(1)), 0), Err(EvidenceError::Busy)));
    let second = store.begin("a", wanted(&large(2)), 0).unwrap();
    assert_eq!(EVIDENCE_UPLOADS_PER_CALLER_MAX, 2);
    assert!(matches!(store.begin("a", wanted(&[3; 2]), 0), Err(EvidenceError::Busy)));
    let full = store.begin("b", wanted(&large(3)), 0).map(drop).unwrap_err();
    assert!(matches!(full, EvidenceError::FolderFull { used: 140, limit: 150 }), "{full:?}");
    drop((first, second));
    assert_eq!(places(&store), (0, 0));
    let large = store.begin("a", wanted(&[4; 101]), 0).map(drop).unwrap_err();
    assert!(matches!(large, EvidenceError::TooLarge { got: 101, limit: 100 }));
    let limits = EvidenceLimits { disk_low_bytes: u64::MAX, ..store.limits };
    let low = EvidenceStore::open(folder.path(), limits).unwrap();
    let refused = low.begin("a", wanted(BYTES), 0).map(drop).unwrap_err();
    assert!(matches!(refused, EvidenceError::DiskLow { .. }));
    assert_eq!(places(&low), (0, 0));
}

#[tokio::test]
async fn unfinished_files_of_one_city_leave_room_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EvidenceStore::open(folder.path(), limits(100, 1_000, 150)).unwrap();
    let city = |code| Some(CityCode::from_u32(code).unwrap());
    let of = |byte: u8, size, from| Wanted { from, ..wanted(&vec![byte; size]) };
    let send = |store: &EvidenceStore, byte: u8, size, from, bytes: usize| {
        let mut incoming = store.begin("a", of(byte, size, from), 0)?;
        incoming.append(&Bytes::from(vec![byte; bytes])).map(|()| incoming)
    };
    let full = |store: &EvidenceStore, size, from| match send(store, 9, size, from, 0) {
        Err(EvidenceError::PendingFull { from: of, used, limit: 150 }) if of == from => Some(used),
        Err(other) => panic!("{other:?}"),
        Ok(_) => None,
    };
    let store = open();
    // What is announced counts, and what lies there when it was cut; also for another process.
    let (first, here) = (send(&store, 1, 90, None, 60).unwrap(), None);
    assert_eq!((full(&store, 61, here), full(&store, 60, here)), (Some(90), None));
    drop(first);
    drop(send(&store, 2, 70, None, 40).unwrap());
    for store in [store, open()] {
        assert_eq!((full(&store, 51, here), full(&store, 50, here)), (Some(100), None));
        // Of each city alone.
        assert_eq!(full(&store, 100, city(371_500)), None);
    }
    let store = open();
    drop(send(&store, 3, 100, city(371_500), 80).unwrap());
    let others = [city(371_500), city(130_400)].map(|from| full(&store, 71, from));
    assert_eq!(others, [Some(80), None]);
    // It goes on with its own, and what is finished or gone counts no more.
    let mut goes_on = store.begin("a", of(1, 90, None), 60).unwrap();
    goes_on.append(&Bytes::from(vec![1; 30])).unwrap();
    goes_on.finish().await.unwrap();
    assert_eq!((full(&store, 100, here), full(&store, 100, city(371_500))), (None, Some(80)));
    let is_named: IsNamed = Arc::new(|_, _| true);
    let collected = store.collect(i64::MAX, &is_named).await.unwrap();
    assert_eq!((collected.parts, full(&store, 100, city(371_500))), (2, None));
}

#[tokio::test]
async fn a_city_gets_back_what_it_gave_and_what_was_sent_here_for_its_list() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let city = |code| CityCode::from_u32(code).unwrap();
    let (lister, third) = (city(371_500), city(130_400));
    let case =
        |n| CaseRef { agreement: AgreementId::new([1; 16]), subject: SubjectId::new([n; 16]) };
    let mut incoming = store.begin("a", Wanted { from: Some(lister), ..wanted(BYTES) }, 0).unwrap();
    incoming.append(&Bytes::copy_from_slice(BYTES)).unwrap();
    incoming.finish().await.unwrap();
    store.note(sha256(BYTES), case(3), Noted::Wanted).await.unwrap();
    store.note(sha256(BYTES), case(4), Noted::Sent).await.unwrap();
    // It is remembered, and of a file of before nothing is.
    for store in [&store, &open(&folder)] {
        let known = store.about(sha256(BYTES)).await.unwrap();
        for (of, who, gives) in [
            (wanted(BYTES).case, lister, true),
            (wanted(BYTES).case, third, false),
            (case(3), lister, false),
            (case(4), lister, true),
            (case(4), third, true),
            (case(5), lister, false),
        ] {
            assert_eq!(known.gives_back(of, who), gives, "{of:?} {who}");
        }
        let came: Vec<u8> = (2..6).filter(|n| known.came_for(case(*n))).collect();
        assert_eq!(came, [2, 4], "wanting what is here brings no bytes");
    }
    let path = folder.path().join(super::store::about(sha256(BYTES)).as_ref());
    let before = std::fs::read_to_string(&path).unwrap();
    let mut before: serde_json::Value = serde_json::from_str(&before).unwrap();
    before.as_object_mut().unwrap().remove("came").unwrap();
    std::fs::write(&path, before.to_string()).unwrap();
    let known = store.about(sha256(BYTES)).await.unwrap();
    assert!(known.cases.len() == 3 && !known.gives_back(wanted(BYTES).case, lister));
    assert!(known.came_for(wanted(BYTES).case) && !known.came_for(case(3)));
}

#[tokio::test]
async fn a_part_goes_on_only_for_its_sender_and_case() {
    let folder = tempfile::tempdir().unwrap();
    let city = |code| CityCode::from_u32(code).unwrap();
    let (lister, third) = (city(371_500), city(130_400));
    let own = wanted(BYTES);
    let elsewhere = CaseRef { subject: SubjectId::new([3; 16]), ..own.case };
    let (sha256, size) = (own.sha256, own.size);
    // People of this city sent all of it, and were cut before its end.
    let store = open(&folder);
    let mut incoming = store.begin("a", own.clone(), 0).unwrap();
    incoming.append(&Bytes::copy_from_slice(BYTES)).unwrap();
    drop(incoming);
    // Also in another process.
    for store in [store, open(&folder)] {
        assert_eq!(store.goes_on_at((sha256, size), own.case, None), size);
        assert_eq!(store.goes_on_at((sha256, size - 1), own.case, None), 0);
        for (case, from) in [
            (own.case, Some(lister)),
            (own.case, Some(third)),
            (elsewhere, None),
            (elsewhere, Some(lister)),
        ] {
            assert_eq!(store.goes_on_at((sha256, size), case, from), 0, "{case:?} {from:?}");
            let other = Wanted { case, from, ..own.clone() };
            let refused = store.begin("b", other, size).map(drop).unwrap_err();
            assert!(matches!(refused, EvidenceError::WrongOffset { expected: 0, .. }));
        }
        assert_eq!(places(&store), (0, size), "and nothing is changed");
    }
    // A city that lists it and sends nothing has given nothing.
    let store = open(&folder);
    let lied = Wanted { from: Some(lister), ..own.clone() };
    let incoming = store.begin("b", lied.clone(), 0).unwrap();
    assert!(matches!(incoming.finish().await, Err(EvidenceError::Short { got: 0, .. })));
    assert!(matches!(store.about(sha256).await, Err(EvidenceError::NotHere)));
    // What it has sent of it is nobody else's either.
    let mut incoming = store.begin("b", lied.clone(), 0).unwrap();
    incoming.append(&Bytes::copy_from_slice(&BYTES[..9])).unwrap();
    drop(incoming);
    assert_eq!(store.goes_on_at((sha256, size), own.case, Some(lister)), 9);
    assert_eq!(store.goes_on_at((sha256, size), own.case, None), 0);
    assert_eq!(store.fetched((sha256, size), own.case), Some((lister, 9)));
    assert_eq!(store.fetched((sha256, size), elsewhere), None);
    let known = put(&store, BYTES).await.unwrap();
    assert!(known.came == [(own.case, None)], "{known:?}");
    assert_eq!(store.fetched((sha256, size), own.case), None);
    assert_eq!(std::fs::read_dir(folder.path().join("senders")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_known_of_a_file_may_rot_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    put(&store, BYTES).await.unwrap();
    let (sha256, size) = (sha256(BYTES), BYTES.len() as u64);
    let path = folder.path().join(super::store::about(sha256).as_ref());
    let good = std::fs::read_to_string(&path).unwrap();
    let sm3 = crate::ids::hex(&digests(BYTES).1);
    let larger = good.replace(&format!("\"size\":{size}"), "\"size\":99");
    for bad in [good.replace(&sm3, &"0".repeat(64)), "{".to_owned(), larger] {
        assert_ne!(bad, good);
        std::fs::write(&path, &bad).unwrap();
        let is_rotten = !bad.contains(&sm3);
        let checked = store.check(sha256, Duration::ZERO).await.unwrap();
        assert_eq!(checked == Checked::Rotten(size), is_rotten, "{bad}");
        assert_eq!(store.is_rotten(sha256), is_rotten);
        let known = put(&store, BYTES).await.unwrap();
        assert_eq!((known.size, known.sm3), (size, digests(BYTES).1), "{bad}");
        let whole = Checked::Whole(size);
        assert_eq!(store.check(sha256, Duration::ZERO).await.unwrap(), whole, "{bad}");
        assert_eq!((store.state().rotten, store.state().used), (vec![], Some(size)), "{bad}");
    }
}

#[tokio::test]
async fn what_has_rotted_and_cannot_be_set_aside_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    put(&store, BYTES).await.unwrap();
    let (sha256, size) = (sha256(BYTES), BYTES.len() as u64);
    // No folder can be made where a file is.
    let rotten = folder.path().join("rotten");
    std::fs::remove_dir_all(&rotten).unwrap();
    std::fs::write(&rotten, "").unwrap();
    let path = folder.path().join(super::store::file(sha256).as_ref());
    let mut wrong = BYTES.to_vec();
    wrong[9] ^= 1;
    std::fs::write(&path, &wrong).unwrap();
    let checked = store.check(sha256, Duration::ZERO).await.unwrap();
    assert_eq!(checked, Checked::Rotten(size));
    assert_eq!(std::fs::read(&path).unwrap(), wrong, "it lies where it was");
    assert_eq!(store.state().rotten, [sha256]);
    assert!(matches!(store.about(sha256).await, Err(EvidenceError::NotHere)));
    assert!(matches!(store.read((sha256, size), 0, 9).await, Err(EvidenceError::NotHere)));
    put(&store, BYTES).await.unwrap();
    assert_eq!(store.read((sha256, size), 0, 9).await.unwrap(), BYTES[..9]);
    assert_eq!((store.state().rotten, store.state().used), (vec![], Some(size)));
}

#[tokio::test]
async fn what_no_record_names_goes_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let named = Arc::new(AtomicBool::new(true));
    let ask = Arc::clone(&named);
    let is_named: IsNamed = Arc::new(move |_, _| ask.load(Ordering::Relaxed));
    put(&store, BYTES).await.unwrap();
    let mut part = store.begin("a", wanted(&[9; 20]), 0).unwrap();
    part.append(&Bytes::copy_from_slice(&[9; 5])).unwrap();
    let now = now();
    let (day, none) = (EVIDENCE_UNNAMED_MS, Collected::default());
    // Named: kept for years, but the part, once nobody goes on with it.
    assert_eq!(store.collect(now + 400 * day, &is_named).await.unwrap(), none);
    drop(part);
    assert_eq!(store.collect(now, &is_named).await.unwrap(), none);
    let gone = Collected { parts: 1, files: 0 };
    assert_eq!(store.collect(now + 2 * day, &is_named).await.unwrap(), gone);
    // No longer named, then named again, then not for a day.
    named.store(false, Ordering::Relaxed);
    assert_eq!(store.collect(now, &is_named).await.unwrap(), none);
    assert_eq!(store.collect(now + day - 1, &is_named).await.unwrap(), none);
    let case = wanted(BYTES).case;
    store.note(sha256(BYTES), case, Noted::Wanted).await.unwrap();
    assert_eq!(store.collect(now + day, &is_named).await.unwrap(), none, "counted anew");
    assert_eq!(store.collect(now + 2 * day - 1, &is_named).await.unwrap(), none);
    let gone = Collected { parts: 0, files: 1 };
    assert_eq!(store.collect(now + 2 * day, &is_named).await.unwrap(), gone);
    assert!(matches!(store.about(sha256(BYTES)).await, Err(EvidenceError::NotHere)));
    assert_eq!((places(&store), places(&open(&folder))), ((0, 0), (0, 0)));
}

#[tokio::test]
async fn what_has_rotted_is_set_aside_until_the_right_bytes_come() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    put(&store, BYTES).await.unwrap();
    let (sha256, size) = (sha256(BYTES), BYTES.len() as u64);
    let whole = || store.check(sha256, Duration::ZERO);
    assert_eq!(whole().await.unwrap(), Checked::Whole(size));
    let path = folder.path().join(super::store::file(sha256).as_ref());
    let mut wrong = BYTES.to_vec();
    wrong[9] ^= 1;
    for rotten in [wrong.as_slice(), &BYTES[1..], b""] {
        std::fs::write(&path, rotten).unwrap();
        assert!(matches!(whole().await.unwrap(), Checked::Rotten(_)), "{rotten:?}");
        assert_eq!(store.check(sha256, Duration::ZERO).await.unwrap(), Checked::Gone);
        assert!(matches!(store.about(sha256).await, Err(EvidenceError::NotHere)), "not served");
        assert!(store.read((sha256, size), 0, 9).await.is_err());
        // What is known of it stays, and so does what it was: somebody may want to look.
        assert_eq!(store.known(sha256).await.unwrap().cases, [wanted(BYTES).case]);
        for store in [&store, &open(&folder)] {
            assert_eq!(store.state().rotten, [sha256]);
            assert_eq!(store.state().used, Some(rotten.len() as u64));
        }
        let known = put(&store, BYTES).await.unwrap();
        assert_eq!(known.cases, [wanted(BYTES).case]);
        assert_eq!(whole().await.unwrap(), Checked::Whole(size));
        for store in [&store, &open(&folder)] {
            assert_eq!((store.state().rotten, store.state().used), (vec![], Some(size)));
        }
    }
    // And it is collected like any other.
    std::fs::write(&path, &wrong).unwrap();
    whole().await.unwrap();
    let is_named: IsNamed = Arc::new(|_, _| false);
    let (now, day) = (now(), EVIDENCE_UNNAMED_MS);
    assert_eq!(store.collect(now, &is_named).await.unwrap(), Collected::default());
    let gone = Collected { parts: 0, files: 1 };
    assert_eq!(store.collect(now + day, &is_named).await.unwrap(), gone);
    assert!(matches!(store.known(sha256).await, Err(EvidenceError::NotHere)));
    assert_eq!((store.state().rotten, store.state().used), (vec![], Some(0)));
}

fn now() -> i64 {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(now.as_millis()).unwrap()
}
