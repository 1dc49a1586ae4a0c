//! Crashes, torn tails, damage, full disks.

use super::*;

fn options() -> JournalOptions {
    JournalOptions { journal_id: [5; 16], segment_bytes_max: 4096 }
}

fn open(disk: &MemDisk) -> (Journal<MemDisk>, OpenReport) {
    Journal::open(disk.clone(), options()).unwrap()
}

fn all(journal: &Journal<MemDisk>) -> Vec<(u64, Vec<u8>)> {
    let mut found = Vec::new();
    journal
        .reader()
        .scan(0, &mut |at, _, payload| {
            found.push((at.number, payload.to_vec()));
            true
        })
        .unwrap();
    found
}

fn payload(n: u64) -> Vec<u8> {
    vec![n as u8 + 1; 50 + (n as usize * 37) % 400]
}

#[test]
fn numbers_go_on_over_segments() {
    let disk = MemDisk::new();
    let (mut journal, report) = open(&disk);
    assert!(report.created);
    let mut refs = Vec::new();
    for n in 0..60 {
        refs.push(journal.append(RecordKind::Batch, &payload(n)).unwrap());
        if n % 7 == 0 {
            journal.commit().unwrap();
        }
    }
    journal.commit().unwrap();
    assert!(refs.last().unwrap().segment > 3, "several segments");
    let (journal, report) = open(&disk);
    assert_eq!(report, OpenReport::default());
    assert_eq!(journal.next_record(), 60);
    let want: Vec<_> = (0..60).map(|n| (n, payload(n))).collect();
    assert_eq!(all(&journal), want);
    for (n, at) in refs.iter().enumerate() {
        let read = journal.reader().read(*at).unwrap();
        assert_eq!(read, (RecordKind::Batch, payload(n as u64)));
    }
    let mut from = Vec::new();
    journal
        .reader()
        .scan(41, &mut |at, _, _| {
            from.push(at.number);
            true
        })
        .unwrap();
    assert_eq!(from, (41..60).collect::<Vec<_>>());
}

#[test]
fn a_crash_at_any_write_loses_nothing_acknowledged() {
    for crash_at in 0..220 {
        let disk = MemDisk::new();
        let (mut journal, _) = open(&disk);
        let mut acked = 0;
        disk.fail_write_after(crash_at);
        for n in 0..200 {
            if journal.append(RecordKind::Batch, &payload(n)).is_err() {
                break;
            }
            match journal.commit() {
                Ok(()) => acked = n + 1,
                Err(_) => break,
            }
        }
        disk.crash(crash_at * 7919 + 3);
        let (mut journal, _) = open(&disk);
        let found = all(&journal);
        assert!(found.len() as u64 >= acked, "crash at {crash_at}: {acked} acked");
        for (n, (number, bytes)) in found.iter().enumerate() {
            assert_eq!((*number, bytes), (n as u64, &payload(n as u64)), "crash at {crash_at}");
        }
        // And it goes on.
        let next = journal.append(RecordKind::Local, b"on").unwrap();
        journal.commit().unwrap();
        assert_eq!(next.number, found.len() as u64);
        assert_eq!(all(&open(&disk).0).len(), found.len() + 1);
    }
}

#[test]
fn a_disk_that_lies_about_syncs_is_caught_by_the_same_test() {
    let mut lost = 0;
    for seed in 0..20 {
        let disk = MemDisk::new();
        disk.set_drop_syncs(true);
        let (mut journal, _) = open(&disk);
        for n in 0..20 {
            journal.append(RecordKind::Batch, &payload(n)).unwrap();
            journal.commit().unwrap();
        }
        disk.crash(seed * 31 + 1);
        let left = Journal::open(disk, options()).map_or(0, |(journal, _)| all(&journal).len());
        lost += 20 - left;
    }
    assert!(lost > 0, "the crash model loses what was not synced");
}

#[test]
fn a_failed_sync_poisons() {
    let disk = MemDisk::new();
    let (mut journal, _) = open(&disk);
    journal.append(RecordKind::Batch, b"one").unwrap();
    journal.commit().unwrap();
    disk.set_fail_syncs(true);
    journal.append(RecordKind::Batch, b"two").unwrap();
    assert!(matches!(journal.commit(), Err(JournalError::Poisoned(_))));
    disk.set_fail_syncs(false);
    assert!(matches!(journal.append(RecordKind::Batch, b"x"), Err(JournalError::Poisoned(_))));
    assert!(journal.commit().is_err(), "a sync is never tried again");
    assert_eq!(all(&journal).first().unwrap().1, b"one");
}

#[test]
fn a_full_disk_leaves_nothing_half() {
    let disk = MemDisk::new();
    let (mut journal, _) = open(&disk);
    journal.append(RecordKind::Batch, b"one").unwrap();
    journal.commit().unwrap();
    disk.set_full(true);
    let mut failed = 0;
    for n in 0..40 {
        journal.append(RecordKind::Batch, &payload(n)).unwrap();
        if let Err(error) = journal.commit() {
            assert!(matches!(error, JournalError::NoSpace(_)), "{error}");
            journal.abort();
            failed += 1;
        }
    }
    assert!(failed > 0 && !journal.is_poisoned());
    let before = all(&journal);
    disk.set_full(false);
    journal.append(RecordKind::Batch, b"again").unwrap();
    journal.commit().unwrap();
    assert_eq!(all(&journal).len(), before.len() + 1);
    let (reopened, report) = open(&disk);
    assert_eq!((all(&reopened), report.damage.len()), (all(&journal), 0));
}

#[test]
fn a_flipped_bit_in_the_middle_is_damage_and_the_rest_stays_readable() {
    let disk = MemDisk::new();
    let (mut journal, _) = open(&disk);
    let mut refs = Vec::new();
    for n in 0..6 {
        refs.push(journal.append(RecordKind::Batch, &payload(n)).unwrap());
    }
    journal.commit().unwrap();
    disk.damage("00000000.seg", refs[2].offset as usize + 30, 0x10);
    let (journal, report) = open(&disk);
    assert_eq!(report.damage, vec![Damage { segment: 0, from_record: 2, to_record: 3 }]);
    assert_eq!(report.cut_bytes, 0);
    assert!(matches!(journal.reader().read(refs[2]), Err(JournalError::Damaged { .. })));
    assert_eq!(journal.reader().read(refs[3]).unwrap().1, payload(3));
    assert_eq!(journal.next_record(), 6);
}

#[test]
fn a_missing_segment_is_damage_and_the_rest_stays_readable() {
    let disk = MemDisk::new();
    let (mut journal, _) = open(&disk);
    let mut refs = Vec::new();
    for n in 0..60 {
        refs.push(journal.append(RecordKind::Batch, &payload(n)).unwrap());
        journal.commit().unwrap();
    }
    disk.remove(&segment::file_name(1)).unwrap();
    let lost: Vec<_> = refs.iter().filter(|at| at.segment == 1).collect();
    let (journal, report) = open(&disk);
    let (from_record, to_record) = (lost[0].number, lost[0].number + lost.len() as u64);
    assert_eq!(report.damage, vec![Damage { segment: 1, from_record, to_record }]);
    assert_eq!(all(&journal).len(), 60 - lost.len());
    assert!(matches!(journal.reader().read(*lost[0]), Err(JournalError::Damaged { .. })));
    assert_eq!(journal.damaged().len(), lost.len());
    assert_eq!(journal.next_record(), 60);
}

#[test]
fn a_zeroed_page_is_damage_that_whoever_reads_it_tells() {
    let disk = MemDisk::new();
    let (mut journal, _) = open(&disk);
    let refs: Vec<_> =
        (0..12).map(|n| journal.append(RecordKind::Batch, &payload(n)).unwrap()).collect();
    journal.commit().unwrap();
    let from = u64::from(refs[3].offset);
    disk.write_at("00000000.seg", from, &vec![0; 512]).unwrap();
    assert!(journal.damaged().is_empty());
    assert!(matches!(journal.reader().read(refs[3]), Err(JournalError::Damaged { .. })));
    assert_eq!(journal.damaged().into_iter().collect::<Vec<_>>(), vec![3]);
    let (journal, report) = open(&disk);
    assert_eq!(report.damage.len(), 1);
    assert_eq!(report.damage[0].from_record, 3);
    assert!(report.damage[0].to_record > 4, "more than one record was in the page");
    assert_eq!(journal.damaged().len() as u64, report.damage[0].to_record - 3);
}

#[test]
fn a_torn_tail_is_cut_and_never_comes_back() {
    let disk = MemDisk::new();
    let (mut journal, _) = open(&disk);
    journal.append(RecordKind::Batch, b"kept").unwrap();
    journal.commit().unwrap();
    let torn = journal.append(RecordKind::Batch, &[7; 300]).unwrap();
    journal.commit().unwrap();
    disk.damage("00000000.seg", torn.offset as usize + 200, 1);
    let (mut journal, report) = open(&disk);
    assert!(report.cut_bytes > 0 && report.damage.is_empty());
    assert_eq!(journal.append(RecordKind::Batch, b"new").unwrap().number, torn.number);
    journal.commit().unwrap();
    let found = all(&open(&disk).0);
    assert_eq!(found, vec![(0, b"kept".to_vec()), (1, b"new".to_vec())]);
}

#[test]
fn the_real_disk_keeps_the_same_promises_while_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(&folder.path().join("journal")).unwrap();
    let (mut journal, _) = Journal::open(disk.clone(), options()).unwrap();
    let reader = journal.reader();
    for n in 0..50 {
        let at = journal.append(RecordKind::Batch, &payload(n)).unwrap();
        journal.commit().unwrap();
        assert_eq!(reader.read(at).unwrap().1, payload(n));
    }
    drop(journal);
    let (journal, report) = Journal::open(disk, options()).unwrap();
    assert_eq!((journal.next_record(), report), (50, OpenReport::default()));
    assert!(journal.free_bytes().unwrap() > 0);
}

#[test]
fn a_segment_with_records_is_never_thrown_away() {
    let disk = MemDisk::new();
    let (mut journal, _) = open(&disk);
    journal.append(RecordKind::Batch, b"kept").unwrap();
    journal.commit().unwrap();
    let name = segment::file_name(0);
    let spoil = |at: u64, byte: u8| disk.write_at(&name, at, &[byte]).unwrap();
    // A damaged header over an acknowledged record.
    spoil(20, 0xff);
    let refused = Journal::open(disk.clone(), options()).unwrap_err();
    assert!(matches!(refused, JournalError::BadSegment { segment: 0, .. }), "{refused}");
    spoil(20, 5);
    assert_eq!(all(&open(&disk).0), [(0, b"kept".to_vec())]);
    // A segment of a newer version, even an empty one.
    disk.create(&segment::file_name(1)).unwrap();
    disk.write_at(&segment::file_name(1), 0, &segment::MAGIC).unwrap();
    disk.write_at(&segment::file_name(1), 8, &2_u32.to_le_bytes()).unwrap();
    let refused = Journal::open(disk.clone(), options()).unwrap_err();
    assert!(refused.to_string().contains("newer version"), "{refused}");
    assert!(disk.list().unwrap().contains(&segment::file_name(1)), "nothing was removed");
}

const SECRET: &[u8] = b"a name that must go";

/// A journal of several segments with a secret in some records; where those lie.
fn with_secrets(disk: &MemDisk) -> (Journal<MemDisk>, Vec<RecordRef>) {
    let (mut journal, _) = open(disk);
    let mut secret = Vec::new();
    for n in 0..40 {
        let hides = n % 5 == 4;
        let bytes = if hides { [SECRET, &payload(n)].concat() } else { payload(n) };
        let at = journal.append(RecordKind::Batch, &bytes).unwrap();
        secret.extend(hides.then_some(at));
        journal.commit().unwrap();
    }
    (journal, secret)
}

fn holds_secret(disk: &MemDisk) -> usize {
    let files = disk.contents();
    files.iter().map(|(_, bytes)| memchr::memmem::find_iter(bytes, SECRET).count()).sum()
}

fn blanked(secret: &[RecordRef]) -> Vec<Instead> {
    secret.iter().map(|at| (*at, payload(at.number))).collect()
}

#[test]
fn a_segment_written_anew_loses_what_it_should_and_nothing_else_at_any_crash() {
    let want: Vec<_> = (0..40).map(|n| (n, payload(n))).collect();
    let plain = |found: Vec<(u64, Vec<u8>)>| -> Vec<_> {
        let strip = |b: Vec<u8>| b.strip_prefix(SECRET).map_or(b.clone(), <[u8]>::to_vec);
        found.into_iter().map(|(n, bytes)| (n, strip(bytes))).collect()
    };
    let (mut kept, mut gone) = (0, 0);
    for crash_at in 0..12 {
        let disk = MemDisk::new();
        let (mut journal, secret) = with_secrets(&disk);
        disk.fail_write_after(crash_at);
        let segments: BTreeSet<u32> = secret.iter().map(|at| at.segment).collect();
        let mut done = BTreeSet::new();
        for segment in &segments {
            match journal.rewrite(*segment, &blanked(&secret)) {
                Ok(()) => done.insert(*segment),
                Err(JournalError::Rewrite(_)) => break,
                Err(error) => panic!("{error}"),
            };
        }
        disk.crash(crash_at * 7919 + 5);
        let (mut journal, report) = open(&disk);
        assert_eq!((report.damage, report.cut_bytes), (vec![], 0), "crash at {crash_at}");
        assert_eq!(plain(all(&journal)), want, "crash at {crash_at}");
        for at in &secret {
            let (_, bytes) = journal.reader().read(*at).unwrap();
            let is_gone = !bytes.starts_with(SECRET);
            assert!(is_gone || !done.contains(&at.segment), "crash at {crash_at}: it came back");
            (kept, gone) = (kept + usize::from(!is_gone), gone + usize::from(is_gone));
        }
        // And it goes on, to the end.
        let next = journal.append(RecordKind::Local, b"on").unwrap();
        journal.commit().unwrap();
        assert_eq!(next.number, 40);
        for segment in segments {
            journal.rewrite(segment, &blanked(&secret)).unwrap();
        }
        assert_eq!((holds_secret(&disk), all(&journal).len()), (0, 41));
        assert!(disk.contents().iter().all(|(name, _)| name.ends_with(".seg")));
        assert_eq!(open(&disk).1, OpenReport::default());
        // What is read again finds no damage where a record became shorter.
        let mut at = Some(ScrubAt::default());
        while let Some(from) = at {
            let found = journal.reader().scrub(from, 512).unwrap();
            assert_eq!((found.damaged, found.bad_header), (0, false));
            at = found.next;
        }
    }
    assert!(kept > 0 && gone > 0, "crashes fell before and after it");
}

#[test]
fn nothing_is_written_anew_that_has_no_room_or_no_space() {
    let disk = MemDisk::new();
    let (mut journal, secret) = with_secrets(&disk);
    let before = all(&journal);
    let (at, other) = (secret[0], secret[1]);
    let longer = vec![(at, vec![1; 4000])];
    assert!(matches!(journal.rewrite(at.segment, &longer), Err(JournalError::Damaged { .. })));
    let moved = vec![(RecordRef { number: other.number, ..at }, payload(0))];
    assert!(matches!(journal.rewrite(at.segment, &moved), Err(JournalError::Damaged { .. })));
    disk.set_full(true);
    let full = journal.rewrite(at.segment, &blanked(&secret));
    assert!(matches!(full, Err(JournalError::NoSpace(_))));
    assert!(matches!(journal.rewrite(99, &[]), Err(JournalError::Read(_))));
    assert_eq!((all(&journal), journal.is_poisoned()), (before, false));
    // A left-over of a power cut is taken away at the start.
    disk.set_full(false);
    disk.create(&segment::new_file_name(at.segment)).unwrap();
    let (mut journal, _) = open(&disk);
    journal.rewrite(at.segment, &blanked(&secret)).unwrap();
    disk.set_fail_syncs(true);
    let failed = journal.rewrite(other.segment, &blanked(&secret));
    assert!(matches!(failed, Err(JournalError::Rewrite(_))), "the old one is as it was");
}
