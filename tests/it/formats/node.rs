//! A node of today starts on the golden journal: same sizes, same roots, the same case.
//!
//! In scope: that what was stored is understood as it was meant, not only decoded.

use std::fs;
use std::sync::Arc;

use liandong::domain::CaseState;
use liandong::ids::{Hash, NodeId};
use liandong::journal::{Grown, GuardVerdict, Journal, JournalOptions, RealDisk};
use liandong::log::keys::{SigningKey, VerifyingKey};
use liandong::node::core::{Core, CoreParts, Entropy, KeyRing, Now, Settings};
use liandong::node::reader::Reader;
use liandong::store::{MemStore, WriteBehind};
use liandong::view;

use super::golden;
use super::sample::{self, AGREEMENT, HANDAN, LIAOCHENG, city, key, manifest};

struct Silent;

impl Entropy for Silent {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

struct OwnKeys;

impl KeyRing for OwnKeys {
    fn find(&self, public: VerifyingKey) -> Option<SigningKey> {
        [0x21, 0x31].map(key).into_iter().find(|key| key.verifying_key() == public)
    }
}

#[test]
fn a_node_starts_on_the_golden_journal() {
    let folder = tempfile::tempdir().unwrap();
    let segment = golden::file("journal/00000000.seg");
    fs::write(folder.path().join("00000000.seg"), segment).unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    let (journal, _) = Journal::open(disk, JournalOptions::default()).unwrap();
    let rows = Arc::new(WriteBehind::synchronous(MemStore::default()));
    let id = journal.journal_id();
    let reader = Reader::new(Arc::clone(&rows), journal.reader(), id, sample::node_key());
    let settings = Settings {
        city: city(LIAOCHENG),
        node: NodeId::new([0x41; 16]),
        instance: [0; 16],
        disk_low_bytes: 0,
        border_uncertain_metres: 1_700,
        site_checks_a_year_max: liandong::limits::SITE_CHECKS_A_YEAR,
        plans: liandong::node::core::PlanBasis::default(),
        log_entries_per_day_max: u64::MAX,
        log_bytes_per_day_max: u64::MAX,
        api_address: String::new(),
        peer_address: String::new(),
    };
    let parts = CoreParts {
        settings,
        journal,
        rows,
        entropy: Box::new(Silent),
        keyring: Box::new(OwnKeys),
        node_key: sample::node_key(),
        boundaries: None,
    };
    let now = Now { mono_ms: 0, wall_ms: 1_795_140_100_000 };
    let judge = |_: &Grown| GuardVerdict::Consistent;
    let core = Core::open(parts, now, &judge, &mut |_, _| {}).unwrap();

    let (liaocheng, handan) = (manifest(LIAOCHENG).log_id(), manifest(HANDAN).log_id());
    let root = |size: u64| Hash::parse(&golden::line("log.txt", &format!("root_{size}"))).unwrap();
    let mut heads: Vec<_> = core.heads_of(AGREEMENT);
    heads.sort_by_key(|(head, _)| head.log != liaocheng);
    let [(own, own_applied), (other, other_applied)] = heads.as_slice() else { panic!() };
    assert_eq!((own.log, own.size, own.root, *own_applied), (liaocheng, 7, root(7), 7));
    assert_eq!((other.log, other.size, *other_applied), (handan, 2, 2));

    let subject = sample::case().id.unwrap();
    let case = view::case(&reader.view(), AGREEMENT, subject).unwrap();
    assert_eq!(case.case.state, CaseState::TransferAccepted);
    assert_eq!(case.case.handling, city(HANDAN));
    assert_eq!((case.move_count, case.contribution_count, case.misfit_count), (5, 1, 0));
    assert_eq!(case.opened_at, sample::opening());
    assert_eq!((case.last_move.log, case.last_move.index), (handan, 1));
    let number = reader.case_by_number(AGREEMENT, "LD-聊邯濮-2026-聊0001");
    assert_eq!(number, Some(subject));
}
