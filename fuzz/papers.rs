//! Target `papers`: what people hand in by file and members send over a link, against one node.
//!
//! An input is papers with the byte 0x1e between them: copies of a charter, cards, manifests. They
//! go through the command line's own reading, then as files to a node that knows nothing, then as
//! frames to a node that has the sample's charter.
//!
//! In scope: which papers are taken. Out of scope: what one paper says (`bodies::charter`, `card`,
//! `manifest`).

use std::sync::Arc;

use bytes::Bytes;
use liandong::cli::agreement::paper::Paper;
use liandong::ids::{CityCode, NodeId};
use liandong::journal::{GuardVerdict, Journal, JournalOptions, MemDisk};
use liandong::lang::Lang;
use liandong::log::keys::{SigningKey, VerifyingKey};
use liandong::node::core::{Core, CoreParts, Entropy, Input, KeyRing, Now, Output, Settings};
use liandong::store::{MemStore, WriteBehind};
use liandong::sync::{Frame, Hello};
use liandong::trust::card::SignedCard;
use liandong::trust::charter::SignedCharter;
use liandong::trust::keys::HmacKey;

const CHARTER: &[u8] = include_bytes!("corpus/charter/charter-signed");
/// Between papers; no note holds it.
const BETWEEN: u8 = 0x1e;
/// More than anybody hands in at once.
const PAPERS_MAX: usize = 8;
const NOW: Now = Now { mono_ms: 0, wall_ms: 1_795_140_000_000 };
const LINK: u64 = 1;

struct Same;

impl Entropy for Same {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

struct NoKeys;

impl KeyRing for NoKeys {
    fn find(&self, _: VerifyingKey) -> Option<SigningKey> {
        None
    }
}

type MemCore = Core<MemDisk, MemStore>;

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).expect("a city")
}

/// A node of 371500 that knows nobody.
fn node(disk: &MemDisk) -> MemCore {
    let (journal, _) = Journal::open(disk.clone(), JournalOptions::default()).expect("memory");
    let settings = Settings {
        city: city(371_500),
        node: NodeId::new([0x41; 16]),
        instance: [1; 16],
        disk_low_bytes: 0,
        log_entries_per_day_max: u64::MAX,
        log_bytes_per_day_max: u64::MAX,
        border_uncertain_metres: 1_700,
        site_checks_a_year_max: 3,
        plans: liandong::node::core::PlanBasis::default(),
        api_address: String::new(),
        peer_address: String::new(),
    };
    let parts = CoreParts {
        settings,
        journal,
        rows: Arc::new(WriteBehind::synchronous(MemStore::default())),
        entropy: Box::new(Same),
        keyring: Box::new(NoKeys),
        node_key: HmacKey::new([7; 32]),
        boundaries: None,
    };
    Core::open(parts, NOW, &|_| GuardVerdict::Consistent, &mut |_, _| {}).expect("memory")
}

/// By file; how many were taken.
fn hand_in(core: &mut MemCore, papers: Vec<Bytes>) -> usize {
    drop(core.on(NOW, Input::Notes(1, papers)));
    let done = core.on(NOW, Input::Commit);
    let results = done.into_iter().find_map(|output| {
        let Output::NotesDone(1, results) = output else { return None };
        Some(results)
    });
    results.expect("every handing-in is answered").iter().filter(|r| r.is_ok()).count()
}

/// Whatever a node goes by was signed by whom it concerns.
fn check(core: &MemCore) {
    let own = city(371_500);
    for (id, agreement) in core.book().iter() {
        let signed = SignedCharter::parse(&agreement.note).expect("it was read before");
        assert_eq!(signed.check_complete().map_err(|e| e.to_string()), Ok(()));
        assert_eq!(signed.charter(), &agreement.charter);
        assert_eq!(signed.charter().agreement, *id);
        assert!(agreement.cities().contains(&own), "an agreement of others");
        for member in agreement.cities() {
            let Some(note) = core.book().card_note(member) else { continue };
            let keys = core.book().keys_of(member);
            let card = SignedCard::verify_any(note, &keys).expect("only its city signs a card");
            assert_eq!(Some(card.card()), core.book().card(member));
            assert_eq!(card.card().city, member);
        }
    }
}

/// What the command line makes of copies of one charter is a charter with the same signatures.
fn on_paper(papers: &[Bytes]) {
    let mut joined: Option<Paper> = None;
    for paper in papers.iter().filter_map(|bytes| Paper::parse(bytes).ok()) {
        match &mut joined {
            Some(known) => drop(known.join(paper, Lang::En)),
            None => joined = Some(paper),
        }
    }
    let Some(paper) = joined else { return };
    let signed: usize = paper.charter.members.len() - paper.missing().len();
    assert_eq!(signed, paper.signed.len(), "who has signed is a member");
    if let Ok(bytes) = paper.bytes() {
        let again = Paper::parse(&bytes).expect("own bytes");
        assert_eq!((again.charter, again.signed), (paper.charter, paper.signed));
    }
}

/// Over a link to 130400: cards and manifests may be news, a charter never is.
fn over_a_link(papers: Vec<Bytes>) {
    let mut core = node(&MemDisk::new());
    assert_eq!(hand_in(&mut core, vec![Bytes::from_static(CHARTER)]), 1);
    let charters = |core: &MemCore| -> Vec<Bytes> {
        core.book().iter().map(|(_, agreement)| agreement.note.clone()).collect()
    };
    let before = charters(&core);
    let from = city(130_400);
    let up = Input::LinkUp { link: LINK, city: from, by_us: true, address: String::new() };
    drop(core.on(NOW, up));
    let hello = Hello {
        protocol_min: 1,
        protocol_max: 1,
        instance: [2; 16],
        agreements: Vec::new(),
        cards: papers.clone(),
        clock_ms: NOW.wall_ms,
    };
    drop(core.on(NOW, Input::Frame(LINK, Frame::Hello(hello))));
    for paper in papers {
        for frame in [Frame::Card, Frame::Charter, Frame::Manifest] {
            drop(core.on(NOW, Input::Frame(LINK, frame(paper.clone()))));
        }
    }
    drop(core.on(NOW, Input::Commit));
    check(&core);
    assert_eq!(charters(&core), before, "a charter comes by file only");
}

/// True when a node took any of them by file.
pub fn papers(data: &[u8]) -> bool {
    let papers: Vec<Bytes> =
        data.split(|byte| *byte == BETWEEN).take(PAPERS_MAX).map(Bytes::copy_from_slice).collect();
    on_paper(&papers);
    let disk = MemDisk::new();
    let mut core = node(&disk);
    let taken = hand_in(&mut core, papers.clone());
    check(&core);
    // What was taken is there after a start.
    let notes = |core: &MemCore| -> Vec<Bytes> {
        core.book().iter().map(|(_, agreement)| agreement.note.clone()).collect()
    };
    assert_eq!(notes(&node(&disk)), notes(&core));
    over_a_link(papers);
    taken > 0
}
