//! A hostile member, case by case: whatever its node says, an honest one stores nothing wrong,
//! says why, and goes on serving the others.

use std::collections::BTreeMap;

use bytes::Bytes;
use liandong::cli::connect::Client;
use liandong::domain::{CaseContribution, CaseMove, CaseStep, Event};
use liandong::ids::{Hash, LogId, Position, SubjectId};
use liandong::log::checkpoint::{self, SignedCheckpoint};
use liandong::log::manifest::{Manifest, SignedManifest};
use liandong::log::{Head, PartSlot, subject_id};
use liandong::sync::{Cosign, Frame, RawBatch, RawEntry};
use liandong::trust::keys;
use liandong::wire::pb::{peer_v1, v1 as pb};

use super::exchange::{arrived, create, logs};
use super::nodes::{Nodes, plan, standing, until, until_or};
use super::rogue::{About, Author, Rogue, city};
use super::world;

const HONEST: u32 = 371_500;
const OTHER: u32 = 410_900;
const ROGUE: u32 = 130_400;

/// Two honest nodes, and a member whose node is ours to play.
struct Ground {
    nodes: Nodes,
    honest: Client,
    other: Client,
    agreement: String,
    author: Author,
}

/// What must not change: sizes, roots, cases.
type State = (BTreeMap<u32, (u64, u64, String)>, Vec<pb::Case>);

impl Ground {
    async fn laid() -> Self {
        let members = [HONEST, OTHER, ROGUE];
        let mut nodes = Nodes::lay_out(&plan(&members, &[("聊濮邯", &members)]));
        let author = Author::of(&nodes, ROGUE);
        nodes.start(HONEST);
        nodes.start(OTHER);
        let agreement = nodes.fleet.agreements[0].name();
        let (honest, other) = (nodes.client(HONEST).await, nodes.client(OTHER).await);
        let case = create(&honest, &agreement, "敌意来临之前").await;
        arrived(&other, &case.name).await;
        let ground = Self { nodes, honest, other, agreement, author };
        // The honest nodes know the log that is to be abused.
        ground.rogue().await.settled().await;
        ground
    }

    async fn rogue(&self) -> Rogue {
        Rogue::greeted(&self.nodes, ROGUE, HONEST, &self.author).await
    }

    async fn state(&self) -> State {
        let held = logs(&self.honest, &self.agreement).await.into_iter();
        let held = held.map(|(city, l)| (city, (l.stored_size, l.applied_size, l.root)));
        let request = pb::ListCasesRequest { parent: self.agreement.clone(), ..Default::default() };
        let cases = self.honest.cases().list_cases(request).await.unwrap().into_inner().cases;
        (held.collect(), cases)
    }

    /// A genuine batch is taken; afterwards it stands at both honest nodes.
    async fn takes(&mut self, rogue: &mut Rogue, entries: Vec<RawEntry>) -> RawBatch {
        let batch = self.author.batch(entries);
        rogue.say(Frame::Batch(batch.clone())).await;
        self.author.wrote(&batch);
        let (size, root) = (self.author.frontier.size(), self.author.frontier.root().to_string());
        for client in [&self.honest, &self.other] {
            let held = || async {
                let log = logs(client, &self.agreement).await.remove(&ROGUE)?;
                (log.stored_size == size && log.root == root).then_some(())
            };
            until_or("a genuine batch is held", held, || standing(client)).await;
        }
        batch
    }

    async fn strikes(&self) -> u64 {
        let status = self.honest.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
        let links = status.into_inner().status.unwrap().links;
        links.iter().find(|l| l.city == ROGUE).map_or(0, |l| l.strike_count)
    }

    /// The honest nodes still exchange with each other, and nothing broke on the way.
    async fn goes_on(&self) {
        let there = create(&self.honest, &self.agreement, "照常").await;
        arrived(&self.other, &there.name).await;
        let back = create(&self.other, &self.agreement, "照常").await;
        arrived(&self.honest, &back.name).await;
        for code in [HONEST, OTHER] {
            assert!(!self.nodes.log(code).contains("panicked"), "{}", self.nodes.log(code));
        }
    }
}

fn fact<'a>(facts: &'a [(String, String)], key: &str) -> &'a str {
    facts.iter().find(|(k, _)| k == key).map_or("", |(_, value)| value)
}

fn opened() -> Event {
    Event::CaseOpened { facts: world::facts(), effective_on: world::today() }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_for_another_city() {
    let ground = Ground::laid().await;
    let mut rogue = ground.rogue().await;
    let before = ground.state().await;
    // A log of Liaocheng, signed by Handan's city key.
    let folder = ground.nodes.fleet.folder(ROGUE);
    let city_key = keys::load(&folder.join("city.key")).unwrap();
    let own = SignedManifest::peek(&ground.author.manifest).unwrap();
    let forged = Manifest { city: city(HONEST), epoch: 2, ..own };
    // The signature is right for the name of Handan only.
    let forged = SignedManifest::sign(forged, &city_key).unwrap().note().clone();
    rogue.say(Frame::Manifest(forged)).await;
    let (reason, _, facts) = rogue.refusal().await;
    assert_eq!(reason, "CITY_MISMATCH");
    assert_eq!((fact(&facts, "cert"), fact(&facts, "claimed")), ("130400", "371500"));
    // Entries for the log that the honest node itself writes.
    let log = logs(&ground.honest, &ground.agreement).await.remove(&HONEST).unwrap();
    let mut batch = ground.author.batch(vec![ground.author.introduction(0)]);
    batch.log = liandong::ids::LogId::parse(&log.log_id).unwrap();
    rogue.say(Frame::Batch(batch)).await;
    let (reason, _, facts) = rogue.refusal().await;
    assert_eq!(reason, "CITY_MISMATCH");
    assert_eq!((fact(&facts, "cert"), fact(&facts, "claimed")), ("130400", "371500"));
    rogue.settled().await;
    assert_eq!(ground.state().await, before);
    assert_eq!(ground.strikes().await, 2);
    ground.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_batches_are_refused_whole() {
    let mut ground = Ground::laid().await;
    let mut rogue = ground.rogue().await;
    let first = ground.author.introduction(0);
    ground.takes(&mut rogue, vec![first]).await;
    let before = ground.state().await;
    let author = &ground.author;
    let text = Bytes::from_static(b"a part that is no protobuf");
    let genuine = author.batch(vec![
        author.entry(0, &opened(), About::case(None), std::slice::from_ref(&text)),
        author.entry(1, &opened(), About::case(None), &[text]),
    ]);
    let resigned = |key| {
        let head = author.head_after(&genuine.entries);
        SignedCheckpoint::sign(head, key).note().clone()
    };
    let mut bad_signature = genuine.clone();
    bad_signature.checkpoint = resigned(&author.cosign_key);
    let mut header = genuine.clone();
    header.entries[1].header = author.entry(1, &opened(), About::case(None), &[]).header;
    header.entries[1].parts.clear();
    let mut part = genuine.clone();
    part.entries[0].parts[0] = PartSlot::Bytes(Bytes::from_static(b"another part"));
    let mut other_log = genuine.clone();
    let theirs = logs(&ground.honest, &ground.agreement).await.remove(&OTHER).unwrap();
    let theirs = liandong::ids::LogId::parse(&theirs.log_id).unwrap();
    let head = Head { log: theirs, ..author.head_after(&genuine.entries) };
    other_log.checkpoint = SignedCheckpoint::sign(head, &author.key).note().clone();
    // Entries of a third city, under Handan's signature.
    let mut third = genuine.clone();
    (third.log, third.from) =
        (theirs, logs(&ground.honest, &ground.agreement).await[&OTHER].stored_size);
    let rows = [
        ("key", bad_signature, 3),
        ("header", header, 3),
        ("part", part, 2),
        ("context", other_log, 3),
        ("city", third, 0),
    ];
    for (what, batch, size) in rows {
        let log = batch.log.to_string();
        rogue.say(Frame::Batch(batch)).await;
        let (reason, number, facts) = rogue.refusal().await;
        assert_eq!(
            (reason.as_str(), fact(&facts, "log")),
            ("BAD_CHECKPOINT", log.as_str()),
            "{what}"
        );
        assert_eq!(number.to_string(), fact(&facts, "size"), "{what}");
        assert!(size == 0 || number == size, "{what}: {number}");
        rogue.settled().await;
        assert_eq!(ground.state().await, before, "{what}");
    }
    assert_eq!(ground.strikes().await, 5);
    // The genuine ones are taken all the same, later and over the same stream.
    ground.author.wrote(&RawBatch { entries: Vec::new(), ..genuine.clone() });
    ground.takes(&mut rogue, genuine.entries).await;
    ground.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_cosigns_two_roots_is_shown_and_the_proof_exported() {
    let mut ground = Ground::laid().await;
    let rogue = ground.rogue().await;
    let log = logs(&ground.honest, &ground.agreement).await.remove(&HONEST).unwrap();
    let witness = ground.author.log;
    let head = Head {
        log: LogId::parse(&log.log_id).unwrap(),
        size: log.stored_size,
        root: Hash::parse(&log.root).unwrap(),
    };
    for root in [head.root, Hash::new([5; 32])] {
        let line = checkpoint::cosign(Head { root, ..head }, witness, &ground.author.cosign_key, 7);
        let line = Bytes::from(line.as_str().to_owned());
        let Head { log, size, .. } = head;
        rogue.say(Frame::Cosign(Cosign { log, size, root, witness, line })).await;
    }
    for round in 0..2 {
        // The other node has it from the honest one.
        for client in [&ground.honest, &ground.other] {
            let shown = || async {
                let log = logs(client, &ground.agreement).await.remove(&HONEST)?;
                let accused = log.cosignature_contradictions.iter().map(|c| c.city);
                (accused.collect::<Vec<_>>() == [ROGUE]).then_some(log)
            };
            let log = until_or("the proof is shown", shown, || standing(client)).await;
            assert!(!log.standing, "the log itself goes on");
            let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
            let warnings = status.into_inner().status.unwrap().warnings;
            assert!(warnings.iter().any(|w| w.contains("130400")), "{warnings:?}");
        }
        ground.goes_on().await;
        if round == 0 {
            ground.nodes.kill(HONEST);
            ground.nodes.start(HONEST);
            ground.honest = ground.nodes.client(HONEST).await;
        }
    }
    tokio::task::block_in_place(|| {
        super::forks::is_exported_against(&ground.nodes, HONEST, head.log, witness);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_signed_histories_are_kept_and_told_to_everybody() {
    let mut ground = Ground::laid().await;
    let mut rogue = ground.rogue().await;
    let entries = vec![ground.author.introduction(0), ground.author.introduction(1)];
    ground.takes(&mut rogue, entries).await;
    let before = ground.state().await;
    let head = Head { log: ground.author.log, size: 2, root: Hash::new([5; 32]) };
    let checkpoint = SignedCheckpoint::sign(head, &ground.author.key).note().clone();
    rogue.say(Frame::Announce { log: ground.author.log, checkpoint }).await;
    for client in [&ground.honest, &ground.other] {
        let stands = || async {
            let log = logs(client, &ground.agreement).await.remove(&ROGUE)?;
            let proof = log.contradicting_checkpoints.len();
            (log.standing && proof == 2).then_some(log)
        };
        let log = until_or("the log stands still", stands, || standing(client)).await;
        assert_eq!(log.stored_size, 2, "nothing is taken back");
        let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
        let warnings = status.into_inner().status.unwrap().warnings;
        assert!(warnings.iter().any(|w| w.contains("130400")), "{warnings:?}");
    }
    // Its next entry is not taken, neither here nor there; everybody else goes on.
    let next = ground.author.batch(vec![ground.author.introduction(0)]);
    rogue.say(Frame::Batch(next)).await;
    assert_eq!(rogue.refusal().await.0, "FORK_DETECTED");
    assert_eq!(ground.state().await.0, before.0);
    ground.goes_on().await;
    // It survives a restart, and whoever greets is told.
    ground.nodes.kill(HONEST);
    ground.nodes.start(HONEST);
    ground.honest = ground.nodes.client(HONEST).await;
    let stands = || async {
        let log = logs(&ground.honest, &ground.agreement).await.remove(&ROGUE)?;
        (log.standing && log.contradicting_checkpoints.len() == 2).then_some(())
    };
    until("it still stands after a restart", stands).await;
    tokio::task::block_in_place(|| {
        super::forks::is_exported(&ground.nodes, HONEST, ground.author.log);
    });
    let mut rogue = ground.rogue().await;
    let proof = |f: &Frame| matches!(f, Frame::Fork(_)).then_some(());
    rogue.wait("the proof", proof).await;
    ground.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_are_refused_and_repetitions_counted() {
    let mut ground = Ground::laid().await;
    let mut rogue = ground.rogue().await;
    let first = ground.author.introduction(0);
    let batch = ground.takes(&mut rogue, vec![first]).await;
    let before = ground.state().await;
    let mut ahead = ground.author.batch(vec![ground.author.introduction(0)]);
    ahead.from += 4;
    rogue.say(Frame::Batch(ahead)).await;
    let (reason, expected, facts) = rogue.refusal().await;
    assert_eq!((reason.as_str(), expected, fact(&facts, "expected")), ("LOG_GAP", 1, "1"));
    rogue.say(Frame::Batch(batch.clone())).await;
    rogue.say(Frame::Batch(batch)).await;
    rogue.settled().await;
    assert!(rogue.refusals().is_empty(), "{:?}", rogue.refusals());
    assert_eq!(ground.state().await, before);
    let status = ground.honest.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    let links = status.into_inner().status.unwrap().links;
    let link = links.iter().find(|l| l.city == ROGUE).unwrap();
    assert_eq!((link.duplicate_count, link.strike_count), (2, 0));
    ground.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_and_the_stream_goes_on() {
    let mut ground = Ground::laid().await;
    let mut rogue = ground.rogue().await;
    let before = ground.state().await;
    let author = &ground.author;
    let bytes = |len: usize| Bytes::from(vec![1; len]);
    let part = |len| author.entry(0, &opened(), About::case(None), &[bytes(len)]);
    let mut header = author.introduction(0);
    header.header = bytes(16 * 1024 + 1);
    let parts = vec![bytes(60_000); 5];
    let entry = author.entry(0, &opened(), About::case(None), &parts);
    let many: Vec<RawEntry> = (0..257).map(|n| author.introduction(n)).collect();
    let heavy: Vec<RawEntry> =
        (0..20).map(|n| author.entry(n, &opened(), About::case(None), &[bytes(60_000)])).collect();
    let rows = [
        ("header", vec![header], 16 * 1024, 16 * 1024 + 1),
        ("part", vec![part(64 * 1024 + 1)], 64 * 1024, 64 * 1024 + 1),
        ("entry", vec![entry], 256 * 1024, 0),
        ("entries", many, 256, 257),
        ("batch", heavy, 1024 * 1024, 0),
    ];
    for (what, entries, limit, got) in rows {
        rogue.say(Frame::Batch(author.batch(entries))).await;
        let (reason, _, facts) = rogue.refusal().await;
        assert_eq!(reason, "MESSAGE_TOO_LARGE", "{what}");
        assert_eq!(fact(&facts, "limit"), limit.to_string(), "{what}");
        let told: usize = fact(&facts, "got").parse().unwrap();
        assert!(told > limit && (got == 0 || told == got), "{what}: {told}");
        rogue.settled().await;
    }
    assert_eq!(ground.state().await, before);
    // One frame over the limit is refused before it is read; that stream ends, the next one goes
    // on where the log stands.
    let frame = peer_v1::Frame { frame: Some(peer_v1::frame::Frame::Card(bytes(3 << 20))) };
    rogue.say_raw(peer_v1::ExchangeRequest { frame: Some(frame) }).await;
    let status = rogue.ended().await.expect("the stream ends with a reason");
    assert!(status.message().starts_with("too large"), "{status:?}");
    let mut rogue = ground.rogue().await;
    let first = ground.author.introduction(0);
    ground.takes(&mut rogue, vec![first]).await;
    ground.goes_on().await;
}

/// A field this version does not know, at the end of a header.
fn with_unknown_field(entry: &RawEntry) -> RawEntry {
    let mut header = entry.header.to_vec();
    // Field 2000, a number.
    header.extend([0x80, 0x7d, 0x01]);
    RawEntry { header: header.into(), parts: entry.parts.clone() }
}

/// An event of a kind this version does not know.
fn of_unknown_kind(author: &Author, subject: SubjectId, ahead: u64) -> RawEntry {
    let note = Event::Contribution(CaseContribution::NoteAdded);
    let known = author.entry(ahead, &note, About::case(Some(subject)), &[]);
    let header = pb::EntryHeader { event: None, ..header_of(&known) };
    let mut header = prost::Message::encode_to_vec(&header);
    // Field 499, an empty message.
    header.extend([0x9a, 0x1f, 0x00]);
    RawEntry { header: header.into(), parts: Vec::new() }
}

fn header_of(entry: &RawEntry) -> pb::EntryHeader {
    prost::Message::decode(entry.header.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_newer_is_kept_passed_on_and_holds_its_case() {
    for unknown_kind in [false, true] {
        let mut ground = Ground::laid().await;
        let mut rogue = ground.rogue().await;
        let opening = ground.author.entry(0, &opened(), About::case(None), &[]);
        let at = Position { log: ground.author.log, index: 0 };
        ground.takes(&mut rogue, vec![opening]).await;
        let subject = subject_id(at);
        let name = format!("{}/cases/{subject}", ground.agreement);
        let case = arrived(&ground.other, &name).await;
        assert!(!case.needs_newer_version);
        let note = Event::Contribution(CaseContribution::NoteAdded);
        let newer = if unknown_kind {
            of_unknown_kind(&ground.author, subject, 0)
        } else {
            let about = About::case(Some(subject));
            with_unknown_field(&ground.author.entry(0, &note, about, &[]))
        };
        // The root is that of the bytes as they were sent, here and behind the relay.
        ground.takes(&mut rogue, vec![newer]).await;
        for client in [&ground.honest, &ground.other] {
            let held = || async {
                let request = pb::GetCaseRequest { name: name.clone() };
                let case = client.cases().get_case(request).await.ok()?.into_inner().case?;
                case.needs_newer_version.then_some(())
            };
            until_or("the case waits for a newer version", held, || standing(client)).await;
            let log = logs(client, &ground.agreement).await.remove(&ROGUE).unwrap();
            assert_eq!((log.applied_size, log.standing), (2, false), "the log itself goes on");
        }
        let add = pb::AddNoteRequest {
            name: name.clone(),
            text: "补充".to_owned(),
            request_id: "held".to_owned(),
            ..Default::default()
        };
        let refused = ground.honest.cases().add_note(add).await.unwrap_err();
        assert!(refused.message().contains("newer version"), "{refused:?}");
        let next = ground.author.introduction(0);
        ground.takes(&mut rogue, vec![next]).await;
        ground.goes_on().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_protocols_and_charters_are_told_what_is_current() {
    let ground = Ground::laid().await;
    let before = ground.state().await;
    let mut old = Rogue::open(&ground.nodes, ROGUE, HONEST).await;
    let mut hello = ground.author.hello();
    (hello.protocol_min, hello.protocol_max) = (0, 0);
    old.say(Frame::Hello(hello)).await;
    let (reason, _, facts) = old.refusal().await;
    assert_eq!((reason.as_str(), fact(&facts, "min")), ("PROTOCOL_TOO_OLD", "1"));
    old.ended().await;
    let mut stale = Rogue::open(&ground.nodes, ROGUE, HONEST).await;
    let mut hello = ground.author.hello();
    hello.agreements[0].charter = Hash::new([3; 32]);
    stale.say(Frame::Hello(hello)).await;
    let (reason, _, facts) = stale.refusal().await;
    let current = ground.author.charter.to_string();
    assert_eq!((reason.as_str(), fact(&facts, "current")), ("STALE_CHARTER", current.as_str()));
    stale.settled().await;
    assert_eq!(ground.state().await, before);
    ground.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_old_moves_anything_back() {
    let mut ground = Ground::laid().await;
    let mut rogue = ground.rogue().await;
    let first = ground.author.introduction(0);
    let one = ground.takes(&mut rogue, vec![first]).await;
    let second = ground.author.introduction(0);
    ground.takes(&mut rogue, vec![second]).await;
    rogue.say(Frame::Announce { log: one.log, checkpoint: one.checkpoint.clone() }).await;
    let (reason, known, facts) = rogue.refusal().await;
    assert_eq!((reason.as_str(), known, fact(&facts, "known")), ("STALE_CHECKPOINT", 2, "2"));
    // Cosignatures of the honest log, newest first: the older one changes nothing.
    let theirs = logs(&ground.honest, &ground.agreement).await.remove(&HONEST).unwrap();
    let log = liandong::ids::LogId::parse(&theirs.log_id).unwrap();
    let newest = theirs.checkpoint.clone();
    let key = SignedManifest::peek(&theirs.manifest_note).unwrap().log_key;
    let newest = SignedCheckpoint::verify(&newest, log, &key).unwrap().head();
    for head in [newest, Head { size: 1, ..newest }] {
        let line = checkpoint::cosign(head, ground.author.log, &ground.author.cosign_key, 77);
        let cosign = Cosign {
            log,
            size: head.size,
            root: head.root,
            witness: ground.author.log,
            line: line.as_str().to_owned().into(),
        };
        rogue.say(Frame::Cosign(cosign)).await;
    }
    rogue.settled().await;
    let theirs = logs(&ground.honest, &ground.agreement).await.remove(&HONEST).unwrap();
    let held = theirs.cosignatures.iter().find(|c| c.city == ROGUE).unwrap();
    assert_eq!(held.size, newest.size);
    let state = ground.state().await;
    assert_eq!(state.0[&ROGUE].0, 2);
    ground.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_greet_is_not_heard() {
    let ground = Ground::laid().await;
    let before = ground.state().await;
    let log = ground.author.log;
    let mut rude = Rogue::open(&ground.nodes, ROGUE, HONEST).await;
    rude.say(Frame::Subscribe { log, from: 0, credit: 1 << 20 }).await;
    let (reason, _, facts) = rude.refusal().await;
    assert_eq!(
        (reason.as_str(), fact(&facts, "detail")),
        ("MALFORMED", "spoke before its greeting")
    );
    rude.ended().await;
    // Twice is once too often.
    let mut twice = ground.rogue().await;
    twice.say(Frame::Hello(ground.author.hello())).await;
    let (reason, _, facts) = twice.refusal().await;
    assert_eq!((reason.as_str(), fact(&facts, "detail")), ("MALFORMED", "greeted twice"));
    twice.ended().await;
    assert_eq!(ground.state().await, before);
    ground.goes_on().await;
}

/// Resident memory of a process in MiB.
pub fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_floods_cost_nothing_that_lasts() {
    let ground = Ground::laid().await;
    let before = ground.state().await;
    let mut rogue = ground.rogue().await;
    // A frame that cannot be, and frames of kinds that only newer programs send.
    let announce = peer_v1::Announce { log_id: Bytes::from_static(b"abc"), ..Default::default() };
    let frame = peer_v1::Frame { frame: Some(peer_v1::frame::Frame::Announce(announce)) };
    rogue.say_raw(peer_v1::ExchangeRequest { frame: Some(frame) }).await;
    assert_eq!(rogue.refusal().await.0, "MALFORMED");
    for frame in [None, Some(peer_v1::Frame { frame: None })] {
        for _ in 0..2_000 {
            rogue.say_raw(peer_v1::ExchangeRequest { frame: frame.clone() }).await;
        }
    }
    rogue.settled().await;
    let pid = ground.nodes.pid(HONEST);
    let quiet = resident_mib(pid);
    // Subscriptions to logs nobody knows: the same silence as for logs one may not see.
    for nth in 0..20_000_u32 {
        let mut id = [1; 32];
        id[..4].copy_from_slice(&nth.to_be_bytes());
        let log = liandong::ids::LogId::new(id);
        rogue.say(Frame::Subscribe { log, from: u64::MAX, credit: u64::MAX }).await;
        rogue.say(Frame::Credit { log, bytes: u64::MAX }).await;
    }
    rogue.settled().await;
    assert!(rogue.heard.iter().all(|f| !matches!(f, Frame::Batch(_))));
    // Questions whose answers are not read: the link may end, the memory does not grow.
    let log = liandong::ids::LogId::new([8; 32]);
    let mut asked = 0;
    while asked < 50_000 {
        let entry = Position { log, index: 0 };
        let frame = Frame::FetchParts { entry, parts: vec![0] };
        let said = tokio::time::timeout(std::time::Duration::from_secs(2), rogue.say(frame)).await;
        if said.is_err() {
            break;
        }
        asked += 1;
    }
    let after = resident_mib(pid);
    assert!(
        after < quiet + 64,
        "{quiet} MiB before the flood, {after} MiB after {asked} questions"
    );
    assert_eq!(ground.state().await, before);
    ground.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_after_holds_only_its_own_log() {
    let mut ground = Ground::laid().await;
    let mut rogue = ground.rogue().await;
    let theirs = logs(&ground.honest, &ground.agreement).await.remove(&HONEST).unwrap();
    let log = liandong::ids::LogId::parse(&theirs.log_id).unwrap();
    let root = Hash::new([6; 32]);
    let mut about = About::case(None);
    // A root that is not the one held is a claim: it is shown and changes nothing.
    about.after = vec![Head { log, size: theirs.stored_size, root }];
    let claimed = ground.author.entry(0, &opened(), about.clone(), &[]);
    ground.takes(&mut rogue, vec![claimed]).await;
    let warned = || async {
        let status = ground.honest.nodes().get_status(pb::GetStatusRequest {}).await.ok()?;
        let warnings = status.into_inner().status?.warnings;
        warnings.iter().any(|w| w.contains("130400") && w.contains("371500")).then_some(())
    };
    until("the claim is shown", warned).await;
    // A move from an entry that its author never named.
    let last_move = Position { log, index: theirs.stored_size - 1 };
    let mut moved = About::case(Some(subject_id(last_move)));
    moved.prev = Some(last_move);
    let step = CaseStep::VerificationStarted;
    let event = Event::CaseMove(CaseMove::Stepped { step, effective_on: world::today() });
    let unseen = ground.author.entry(0, &event, moved, &[]);
    ground.takes(&mut rogue, vec![unseen]).await;
    about.after = vec![Head { log, size: 1_000_000, root }];
    let waiting = ground.author.entry(0, &opened(), about, &[]);
    ground.takes(&mut rogue, vec![waiting]).await;
    for client in [&ground.honest, &ground.other] {
        let waits = || async {
            let log = logs(client, &ground.agreement).await.remove(&ROGUE)?;
            (log.applied_size == 2 && !log.waiting_for.is_empty()).then_some(log)
        };
        let shown = until_or("the log waits", waits, || standing(client)).await;
        assert_eq!(shown.waiting_for, format!("{log}:1000000"));
        assert_eq!((shown.misfit_count, shown.standing), (1, false));
    }
    ground.goes_on().await;
}
