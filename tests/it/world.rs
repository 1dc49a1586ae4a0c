//! A world in memory: several cities with the real core, journal and exchange, on disks that lose
//! what was not synced and links that come and go. The same seed gives the same run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use liandong::api::request::{Caller, Command, Request, WriteError, Written};
use liandong::domain::{CaseMove, CaseRecord, CaseStep, Date};
use liandong::ids::{AgreementId, CityCode, Hash, LogId, NodeId, Position, SubjectId};
use liandong::journal::{Grown, Guard, Journal, JournalOptions, MemDisk};
use liandong::log::keys::{SigningKey, VerifyingKey};
use liandong::log::manifest::{HashAlgorithm, Manifest, SignatureAlgorithm, SignedManifest};
use liandong::log::{ActorRole, Head};
use liandong::node::core::{Core, CoreParts, Entropy as _, Input, KeyRing, Now, Output, Settings};
use liandong::node::reader::Reader;
use liandong::store::{MemStore, WriteBehind};
use liandong::sync::{Frame, LinkId};
use liandong::trust::keys::HmacKey;
use liandong::view;

use super::notes;
use super::rogue::Author;
use super::sim::moves;

pub use super::sim::moves::facts;
pub use super::sim::rng::Rng;

pub const CITIES: [u32; 5] = [371_500, 130_400, 410_900, 371_400, 370_900];

/// 2026-11-20 10:00 in Beijing.
const START_MS: i64 = 1_795_140_000_000;

pub fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

/// Shared with the world, as a folder of keys is with whoever adds one.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<Vec<[u8; 32]>>>);

impl KeyRing for Keys {
    fn find(&self, public: VerifyingKey) -> Option<SigningKey> {
        let seeds = self.0.lock().unwrap();
        seeds
            .iter()
            .map(|seed| SigningKey::from_seed(seed).unwrap())
            .find(|key| key.verifying_key() == public)
    }
}

type MemCore = Core<MemDisk, MemStore>;

pub struct City {
    pub code: CityCode,
    node: NodeId,
    disk: MemDisk,
    keys: Keys,
    /// Epoch written in an agreement, from 1, and its log.
    epochs: BTreeMap<usize, u64>,
    logs: BTreeMap<(usize, u64), LogId>,
    core: Option<MemCore>,
    reader: Option<Reader<MemDisk, MemStore>>,
    starts: u64,
    /// On another path, outside backups.
    guard: Option<Guard>,
    /// Its rows outlive a crash, as sled's do; else they are made again at every start.
    pub keeps_rows: bool,
    rows: Option<Arc<WriteBehind<MemStore>>>,
    /// Below this much free disk, writes are refused; bytes.
    pub disk_low_bytes: u64,
    /// How far its wall clock is ahead of the others'; milliseconds.
    pub clock_ahead_ms: i64,
    /// What it takes in of one log of another city on one day.
    pub log_entries_per_day_max: u64,
    pub log_bytes_per_day_max: u64,
}

impl City {
    /// The log it writes in the `k`th agreement, by its newest epoch.
    pub fn log(&self, k: usize) -> LogId {
        self.logs[&(k, self.epochs.get(&k).copied().unwrap_or(1))]
    }
}

#[derive(Clone, Debug)]
struct Wire {
    a: usize,
    b: usize,
    /// Frames on their way to a and to b.
    to: [VecDeque<Frame>; 2],
}

#[derive(Default, Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    pub crashes: u64,
    pub frames_lost: u64,
    pub cuts: u64,
    pub acked: u64,
    pub refused: u64,
    pub unanswered: u64,
    pub relayed: u64,
}

pub struct World {
    pub rng: Rng,
    pub cities: Vec<City>,
    notes: Vec<Vec<Bytes>>,
    links: BTreeMap<LinkId, Wire>,
    next_link: LinkId,
    cut: BTreeSet<(usize, usize)>,
    now_ms: u64,
    next_ticket: u64,
    waiting: BTreeMap<(usize, u64), ()>,
    pub acked: Vec<(usize, Written)>,
    pub agreements: Vec<(AgreementId, Vec<usize>)>,
    pub effects: Effects,
    /// What every write was answered, by ticket.
    pub answers: BTreeMap<u64, Result<Written, WriteError>>,
    city_keys: Vec<SigningKey>,
    charters: Vec<Hash>,
}

impl World {
    /// `members` are indexes into the first `n` of [`CITIES`], one list for each agreement.
    pub fn new(seed: u64, n: usize, members: &[&[usize]]) -> Self {
        let mut rng = Rng::new(seed);
        let codes: Vec<CityCode> = CITIES.iter().take(n).map(|c| city(*c)).collect();
        let city_keys: Vec<SigningKey> =
            (0..n).map(|i| SigningKey::from_seed(&[i as u8 + 1; 32]).unwrap()).collect();
        let mut cities: Vec<City> = codes
            .iter()
            .enumerate()
            .map(|(i, code)| City {
                code: *code,
                node: NodeId::new([i as u8 + 1; 16]),
                disk: MemDisk::new(),
                keys: Keys::default(),
                epochs: BTreeMap::new(),
                logs: BTreeMap::new(),
                core: None,
                reader: None,
                starts: 0,
                guard: None,
                keeps_rows: false,
                rows: None,
                disk_low_bytes: 0,
                clock_ahead_ms: 0,
                log_entries_per_day_max: u64::MAX,
                log_bytes_per_day_max: u64::MAX,
            })
            .collect();
        let mut all_notes = vec![Vec::new(); n];
        let mut agreements = Vec::new();
        let mut charters = Vec::new();
        for (k, list) in members.iter().enumerate() {
            let mut list: Vec<usize> = list.to_vec();
            list.sort_by_key(|i| codes[*i]);
            let id = AgreementId::new([k as u8 + 100; 16]);
            let named: Vec<_> = list.iter().map(|i| (codes[*i], &city_keys[*i])).collect();
            let (charter, note) = notes::charter(id, &format!("{k}"), &named);
            charters.push(charter);
            for i in &list {
                all_notes[*i].push(note.clone());
            }
            for i in &list {
                let manifest = manifest(&mut cities[*i], id, 1, charter, None, (k * 16 + *i) as u8);
                cities[*i].logs.insert((k, 1), manifest.log_id());
                let signed = SignedManifest::sign(manifest, &city_keys[*i]).unwrap();
                all_notes[*i].push(signed.note().clone());
            }
            agreements.push((id, list));
        }
        for list in &mut all_notes {
            for (code, key) in codes.iter().zip(&city_keys) {
                list.push(notes::card(*code, 1, &["mem"], key));
            }
        }
        rng.next();
        let mut world = Self {
            rng,
            cities,
            notes: all_notes,
            links: BTreeMap::new(),
            next_link: 1,
            cut: BTreeSet::new(),
            now_ms: 0,
            next_ticket: 1,
            waiting: BTreeMap::new(),
            acked: Vec::new(),
            agreements,
            effects: Effects::default(),
            answers: BTreeMap::new(),
            city_keys,
            charters,
        };
        for i in 0..n {
            world.start(i);
        }
        world
    }

    pub fn now(&self) -> Now {
        Now { mono_ms: self.now_ms, wall_ms: START_MS + self.now_ms as i64 }
    }

    /// The clocks of one city.
    fn now_at(&self, i: usize) -> Now {
        let now = self.now();
        Now { wall_ms: now.wall_ms + self.cities[i].clock_ahead_ms, ..now }
    }

    /// Starts a city's node on whatever its disk holds.
    pub fn start(&mut self, i: usize) {
        let now = self.now_at(i);
        let mut rng = Rng::new(self.rng.next());
        let entry = &mut self.cities[i];
        entry.starts += 1;
        let mut instance = [0; 16];
        rng.fill(&mut instance);
        let options =
            JournalOptions { journal_id: [i as u8 + 1; 16], segment_bytes_max: 256 * 1024 };
        let (journal, report) = Journal::open(entry.disk.clone(), options).unwrap();
        let id = journal.journal_id();
        if report.created {
            entry.guard = Some(Guard::begin(entry.guard.take(), id));
        }
        let kept = entry.rows.take().filter(|_| entry.keeps_rows);
        let rows = kept.unwrap_or_else(|| Arc::new(WriteBehind::synchronous(MemStore::default())));
        entry.rows = Some(Arc::clone(&rows));
        let (read_rows, journal_reader) = (Arc::clone(&rows), journal.reader());
        let parts = CoreParts {
            settings: Settings {
                city: entry.code,
                node: entry.node,
                instance,
                disk_low_bytes: entry.disk_low_bytes,
                border_uncertain_metres: 1_700,
                site_checks_a_year_max: liandong::limits::SITE_CHECKS_A_YEAR,
                plans: liandong::node::core::PlanBasis::default(),
                log_entries_per_day_max: entry.log_entries_per_day_max,
                log_bytes_per_day_max: entry.log_bytes_per_day_max,
                api_address: String::new(),
                peer_address: String::new(),
            },
            journal,
            rows,
            entropy: Box::new(rng),
            keyring: Box::new(entry.keys.clone()),
            node_key: HmacKey::new([i as u8; 32]),
            boundaries: None,
        };
        let guard = entry.guard.clone();
        let judge = |grown: &Grown| Guard::compare(guard.as_ref(), (id, report.created), grown);
        let core = Core::open(parts, now, &judge, &mut |_, _| {}).unwrap();
        entry.guard = Some(Guard::going_on(entry.guard.take(), id));
        let key = HmacKey::new([i as u8; 32]);
        entry.reader = Some(Reader::new(read_rows, journal_reader, core.feed_id(), key));
        entry.core = Some(core);
        if entry.starts == 1 {
            let notes = self.notes[i].clone();
            self.input(i, Input::Notes(0, notes));
            self.input(i, Input::Commit);
        }
    }

    /// The process stops in order and starts again.
    pub fn stop_and_start(&mut self, i: usize) {
        self.crash(i);
        self.start(i);
    }

    /// The process is stopped and its disk replaced by an older copy of it.
    pub fn restore(&mut self, i: usize, copy: &MemDisk) {
        self.crash(i);
        self.cities[i].disk = copy.copy();
    }

    /// What a backup of a city's data folder would hold; its guard lies elsewhere.
    pub fn backup(&self, i: usize) -> MemDisk {
        self.cities[i].disk.copy()
    }

    pub fn disk(&self, i: usize) -> &MemDisk {
        &self.cities[i].disk
    }

    /// The guard is lost.
    pub fn lose_guard(&mut self, i: usize) {
        self.cities[i].guard = None;
    }

    /// The own log of a city in the `k`th agreement that it writes, or wrote last.
    pub fn own_log(&self, i: usize, k: usize) -> Head {
        self.head_at(i, self.cities[i].log(k)).unwrap()
    }

    /// A city's committed state.
    pub fn reader(&self, i: usize) -> &Reader<MemDisk, MemStore> {
        self.cities[i].reader.as_ref().unwrap()
    }

    /// A link between two cities, as soon as there is one.
    pub fn link(&mut self, i: usize, j: usize) -> LinkId {
        loop {
            let joins = |w: &Wire| (w.a.min(w.b), w.a.max(w.b)) == (i.min(j), i.max(j));
            if let Some((link, _)) = self.links.iter().find(|(_, w)| joins(w)) {
                return *link;
            }
            self.step();
        }
    }

    /// What a city holds of a log.
    pub fn head_at(&self, i: usize, log: LogId) -> Option<Head> {
        let core = self.cities[i].core.as_ref().unwrap();
        core.heads().map(|(head, _)| head).find(|head| head.log == log)
    }

    /// Charters, own manifests and cards, as an operator hands them in.
    pub fn notes(&self, i: usize) -> Vec<Bytes> {
        self.notes[i].clone()
    }

    /// `liandong epoch new`: the city goes on in a new log that pins the one here.
    pub fn new_epoch(&mut self, i: usize, k: usize) {
        self.new_epoch_after(i, k, self.own_log(i, k));
    }

    /// The same, where the newest log that is here is not the newest one there was.
    pub fn new_epoch_after(&mut self, i: usize, k: usize, old: Head) {
        let note = self.epoch_note(i, k, old);
        self.input(i, Input::Notes(0, vec![note]));
        self.input(i, Input::Commit);
    }

    /// The signed manifest of the next epoch, not handed in yet.
    pub fn epoch_note(&mut self, i: usize, k: usize, old: Head) -> Bytes {
        let (agreement, charter) = (self.agreements[k].0, self.charters[k]);
        let epoch = self.cities[i].epochs.get(&k).copied().unwrap_or(1) + 1;
        let salt = 100 + (k * 16 + i) as u8;
        let manifest = manifest(&mut self.cities[i], agreement, epoch, charter, Some(old), salt);
        self.cities[i].epochs.insert(k, epoch);
        self.cities[i].logs.insert((k, epoch), manifest.log_id());
        SignedManifest::sign(manifest, &self.city_keys[i]).unwrap().note().clone()
    }

    /// The process dies; its disk keeps what was synced and, by luck, some of what was not.
    pub fn crash(&mut self, i: usize) {
        let seed = self.rng.next();
        self.cities[i].core = None;
        self.cities[i].reader = None;
        self.cities[i].disk.crash(seed);
        let gone: Vec<LinkId> =
            self.links.iter().filter(|(_, w)| w.a == i || w.b == i).map(|(id, _)| *id).collect();
        for link in gone {
            self.drop_link(link, "crashed");
        }
        let lost = self.waiting.keys().filter(|(c, _)| *c == i).count() as u64;
        self.waiting.retain(|(c, _), ()| *c != i);
        self.effects.unanswered += lost;
        self.effects.crashes += 1;
    }

    fn drop_link(&mut self, link: LinkId, why: &str) {
        let Some(wire) = self.links.remove(&link) else { return };
        self.effects.frames_lost += wire.to.iter().map(|q| q.len() as u64).sum::<u64>();
        for i in [wire.a, wire.b] {
            self.input(i, Input::LinkDown { link, reason: why.to_owned() });
        }
    }

    pub fn cut(&mut self, i: usize, j: usize) {
        self.cut.insert((i.min(j), i.max(j)));
        self.effects.cuts += 1;
        let gone: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, w)| (w.a.min(w.b), w.a.max(w.b)) == (i.min(j), i.max(j)))
            .map(|(id, _)| *id)
            .collect();
        for link in gone {
            self.drop_link(link, "cut");
        }
    }

    pub fn heal(&mut self) {
        self.cut.clear();
    }

    pub fn is_up(&self, i: usize) -> bool {
        self.cities[i].core.is_some()
    }

    /// Connects whoever is up, not cut and not connected; a random side dials.
    pub fn connect(&mut self) {
        let n = self.cities.len();
        for i in 0..n {
            for j in i + 1..n {
                let joined = |w: &Wire| (w.a.min(w.b), w.a.max(w.b)) == (i, j);
                let linked = self.links.values().any(joined);
                if linked || self.cut.contains(&(i, j)) || !self.is_up(i) || !self.is_up(j) {
                    continue;
                }
                let (a, b) = if self.rng.one_in(2) { (i, j) } else { (j, i) };
                let link = self.next_link;
                self.next_link += 1;
                self.links.insert(link, Wire { a, b, to: Default::default() });
                let (city_a, city_b) = (self.cities[a].code, self.cities[b].code);
                let address = String::new();
                let up =
                    |city, by_us| Input::LinkUp { link, city, by_us, address: address.clone() };
                let (to_a, to_b) = (up(city_b, true), up(city_a, false));
                self.input(a, to_a);
                self.input(b, to_b);
            }
        }
    }

    pub fn input(&mut self, i: usize, input: Input) {
        let now = self.now_at(i);
        let Some(core) = self.cities[i].core.as_mut() else { return };
        let outputs = core.on(now, input);
        self.perform(i, outputs);
    }

    /// What the core of a city answers to an input, not performed.
    pub fn ask(&mut self, i: usize, input: Input) -> Vec<Output> {
        let now = self.now_at(i);
        self.cities[i].core.as_mut().unwrap().on(now, input)
    }

    /// Time passes, and nothing else.
    pub fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// A city as a test plays it: its keys, and the log it writes in the `k`th agreement.
    pub fn author(&mut self, i: usize, k: usize) -> Author {
        self.author_of(i, k, 1, (k * 16 + i) as u8)
    }

    /// The same, of another log of that city: the next ones have another `epoch`.
    pub fn author_of(&mut self, i: usize, k: usize, epoch: u64, salt: u8) -> Author {
        let (agreement, charter) = (self.agreements[k].0, self.charters[k]);
        let manifest = manifest(&mut self.cities[i], agreement, epoch, charter, None, salt);
        let find = |key| self.cities[i].keys.find(key).unwrap();
        let keys = [find(manifest.log_key), find(manifest.cosign_key)];
        let signed = SignedManifest::sign(manifest, &self.city_keys[i]).unwrap();
        Author::with((agreement, charter), signed.note().clone(), keys)
    }

    /// A card that a city signs.
    pub fn card(&self, i: usize, number: u64, addresses: &[&str]) -> Bytes {
        notes::card(self.cities[i].code, number, addresses, &self.city_keys[i])
    }

    fn send(&mut self, from: usize, link: LinkId, frame: Frame) {
        if let Some(wire) = self.links.get_mut(&link) {
            let side = usize::from(wire.a == from);
            wire.to[side].push_back(frame);
        }
    }

    fn perform(&mut self, i: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Written(ticket, result) => self.answered(i, ticket, result),
                Output::Send(link, frame) => self.send(i, link, frame),
                Output::Close(link, why) => self.drop_link(link, why),
                Output::Serve { link, city, log, from, bytes_max } => {
                    let reader = self.cities[i].reader.clone().unwrap();
                    // As the link does: what cannot be read is told as nothing read.
                    let stretch = reader.stretch(city, log, from, bytes_max);
                    let (batches, next, bytes) = match stretch {
                        Ok(stretch) => (stretch.batches, stretch.next, stretch.bytes),
                        Err(_) => (Vec::new(), from, 0),
                    };
                    for batch in batches {
                        self.send(i, link, Frame::Batch(batch));
                    }
                    self.input(i, Input::Served { link, log, from, next, bytes });
                }
                Output::ServeParts { link, city, entry, parts } => {
                    let reader = self.cities[i].reader.clone().unwrap();
                    let parts = reader.parts_for(city, entry, &parts).unwrap_or_default();
                    if !parts.is_empty() {
                        self.send(i, link, Frame::LateParts { entry, parts });
                    }
                }
                Output::NotesDone(_, results) => {
                    for result in results {
                        // A city is handed the cards of all, also of those it shares nothing with.
                        if let Err(why) = result {
                            assert!(why.contains("no agreement here"), "{why}");
                        }
                    }
                }
                Output::Ordered(_, done) => assert_eq!(done, Ok(())),
                Output::StartAnew => self.stop_and_start(i),
                Output::Status(..) | Output::Applied(_) | Output::MembersChanged => {}
            }
        }
    }

    fn answered(&mut self, i: usize, ticket: u64, result: Result<Written, WriteError>) {
        self.waiting.remove(&(i, ticket));
        self.answers.insert(ticket, result.clone());
        match result {
            Ok(written) => {
                self.effects.acked += 1;
                self.acked.push((i, written));
            }
            Err(_) => self.effects.refused += 1,
        }
    }

    /// Moves time, delivers some frames, commits, ticks.
    pub fn step(&mut self) {
        self.now_ms += 50;
        self.connect();
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            for side in 0..2 {
                for _ in 0..self.rng.below(6) {
                    let Some(wire) = self.links.get_mut(&link) else { break };
                    let to = if side == 0 { wire.a } else { wire.b };
                    let Some(frame) = wire.to[side].pop_front() else { break };
                    self.input(to, Input::Frame(link, frame));
                }
            }
        }
        for i in 0..self.cities.len() {
            let now = self.now();
            if self.now_ms.is_multiple_of(250) {
                self.input(i, Input::Tick);
            }
            let wants = self.cities[i].core.as_ref().is_some_and(|c| c.wants_commit(now));
            if wants && self.rng.one_in(2) {
                self.input(i, Input::Commit);
            }
            let grown = self.cities[i].core.as_ref().and_then(Core::guard_mark);
            if self.now_ms.is_multiple_of(1_000)
                && let Some((guard, grown)) = self.cities[i].guard.as_mut().zip(grown)
            {
                guard.raise(&grown);
            }
        }
    }

    /// Runs without new work until everything has settled.
    pub fn settle(&mut self) {
        self.heal();
        for i in 0..self.cities.len() {
            if !self.is_up(i) {
                self.start(i);
            }
        }
        for _ in 0..600 {
            self.step();
        }
    }

    /// The process finds its folder empty; the operator hands in the notes again.
    pub fn start_anew(&mut self, i: usize) {
        self.cities[i].starts = 0;
        self.start(i);
    }

    pub fn guard(&self, i: usize) -> Option<Guard> {
        self.cities[i].guard.clone()
    }

    pub fn set_guard(&mut self, i: usize, guard: Option<Guard>) {
        self.cities[i].guard = guard;
    }

    /// `i` dials `j` and is refused.
    pub fn dial_refused(&mut self, i: usize, j: usize) {
        let (city, reason) = (self.cities[j].code, "connection refused".to_owned());
        self.input(i, Input::DialFailed { city, reason });
    }

    pub fn write(&mut self, i: usize, request_id: &str, command: Command) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let request = Request {
            caller: Caller {
                identity: "coordinator/one".to_owned(),
                role: ActorRole::Coordinator,
                certificate_number: "37150099001".to_owned(),
            },
            acting_for: None,
            request_id: request_id.to_owned(),
            body: format!("{command:?}").into_bytes(),
            validate_only: false,
            command,
        };
        if self.is_up(i) {
            self.waiting.insert((i, ticket), ());
            self.input(i, Input::Write(ticket, Box::new(request)));
        }
        ticket
    }

    pub fn open_case(
        &mut self,
        i: usize,
        agreement: AgreementId,
        request_id: &str,
        title: &str,
    ) -> u64 {
        let effective_on = today();
        let command = Command::OpenCase {
            agreement,
            facts: facts(),
            record: Box::new(record(title)),
            person: None,
            external_ref: None,
            effective_on,
        };
        self.write(i, request_id, command)
    }

    /// Cases of an agreement as one city sees them.
    pub fn cases(&self, i: usize, agreement: AgreementId) -> Vec<(SubjectId, view::CaseView)> {
        let Some(reader) = self.cities[i].reader.as_ref() else { return Vec::new() };
        let rows = reader.view();
        let mut all = Vec::new();
        view::cases_newest_first(&rows, agreement, None, &mut |subject, case| {
            all.push((subject, case));
            true
        });
        all.sort_by_key(|(subject, _)| *subject);
        all
    }

    /// A random move of a random case that this city may move now.
    pub fn random_move(&mut self, i: usize, request_id: &str) {
        let code = self.cities[i].code;
        let mine: Vec<usize> =
            (0..self.agreements.len()).filter(|k| self.agreements[*k].1.contains(&i)).collect();
        let (agreement, members) = self.agreements[mine[self.rng.below(mine.len())]].clone();
        let cases = self.cases(i, agreement);
        if cases.is_empty() {
            return;
        }
        let (subject, case) = cases[self.rng.below(cases.len())].clone();
        if case.case.turn != Some(code) {
            return;
        }
        let members: Vec<CityCode> = members.iter().map(|m| self.cities[*m].code).collect();
        let others: Vec<CityCode> = members.iter().copied().filter(|c| *c != code).collect();
        let effective_on = today();
        let step = |step| CaseMove::Stepped { step, effective_on };
        let moves = [
            step(CaseStep::VerificationStarted),
            step(CaseStep::ClueDismissed),
            CaseMove::TransferOffered { to: others[self.rng.below(others.len())], effective_on },
            CaseMove::TransferAccepted { effective_on },
            CaseMove::TransferReturned { effective_on },
            CaseMove::TransferDisputed { effective_on },
        ];
        let mv = moves[self.rng.below(moves.len())].clone();
        let etag = case.last_move;
        let command = Command::MoveCase { agreement, subject, etag, mv, parts: Vec::new() };
        self.write(i, request_id, command);
    }

    pub fn heads(&self, i: usize) -> BTreeMap<LogId, (u64, u64, Hash)> {
        let core = self.cities[i].core.as_ref().unwrap();
        core.heads().map(|(head, applied)| (head.log, (head.size, applied, head.root))).collect()
    }

    pub fn holds(&self, i: usize, at: Position) -> bool {
        self.cities[i].reader.as_ref().is_some_and(|r| r.entry(at).is_ok())
    }

    pub fn fold_hash(&self, i: usize, agreement: AgreementId) -> Hash {
        let heads: Vec<Head> = self.cities[i].core.as_ref().unwrap().applied_heads(agreement);
        view::fold_hash(&self.cities[i].reader.as_ref().unwrap().view(), agreement, &heads)
    }
}

pub fn today() -> Date {
    Date::beijing(START_MS).unwrap()
}

pub fn record(title: &str) -> CaseRecord {
    moves::record(title, false)
}

fn manifest(
    city: &mut City,
    agreement: AgreementId,
    epoch: u64,
    charter: Hash,
    prologue: Option<Head>,
    salt: u8,
) -> Manifest {
    let mut seeds = [[salt; 32], [salt; 32]];
    seeds[0][0] = epoch as u8;
    seeds[1][0] = epoch as u8 + 128;
    let keys = seeds.map(|s| SigningKey::from_seed(&s).unwrap().verifying_key());
    city.keys.0.lock().unwrap().extend(seeds);
    Manifest {
        agreement,
        city: city.code,
        node: city.node,
        epoch,
        charter,
        log_key: keys[0],
        cosign_key: keys[1],
        signature: SignatureAlgorithm::Ed25519,
        hash: HashAlgorithm::Sha256,
        prologue,
    }
}

fn run(seed: u64) -> World {
    let mut world = World::new(seed, 3, &[&[0, 1, 2], &[0, 1]]);
    for turn in 0..400 {
        world.step();
        let i = world.rng.below(3);
        let id = format!("{seed}-{turn}");
        match world.rng.below(12) {
            0 | 1 => {
                let k = world.rng.below(2);
                let (agreement, members) = world.agreements[k].clone();
                if members.contains(&i) {
                    world.open_case(i, agreement, &id, &format!("示例案件 {id}"));
                }
            }
            2..=6 => world.random_move(i, &id),
            7 if world.rng.one_in(4) => {
                let j = (i + 1) % 3;
                world.cut(i, j);
            }
            8 if world.rng.one_in(2) => world.heal(),
            9 if world.rng.one_in(8) => world.crash(i),
            10 if !world.is_up(i) => world.start(i),
            _ => {}
        }
    }
    world.settle();
    world
}

fn check(world: &World, seed: u64) {
    for (i, written) in &world.acked {
        assert!(world.holds(*i, written.position), "seed {seed}: {} is gone", written.position);
    }
    for (agreement, members) in &world.agreements {
        let heads: Vec<_> = members
            .iter()
            .map(|i| {
                let core = world.cities[*i].core.as_ref().unwrap();
                core.heads_of(*agreement)
            })
            .collect();
        for (head, i) in heads.iter().zip(members) {
            assert_eq!(head, &heads[0], "seed {seed}: city {i} differs in {agreement}");
            assert!(head.iter().all(|(h, applied)| h.size == *applied), "seed {seed}: waiting");
        }
        let views: Vec<Hash> = members.iter().map(|i| world.fold_hash(*i, *agreement)).collect();
        assert!(views.windows(2).all(|w| w[0] == w[1]), "seed {seed}: views differ");
    }
    // The third city is no member of the second agreement: nothing of it is there.
    let (bilateral, _) = world.agreements[1];
    assert!(world.cities[2].core.as_ref().unwrap().heads_of(bilateral).is_empty(), "seed {seed}");
}

#[test]
fn twenty_seeds_of_crash_loss_and_partition_converge() {
    let mut all = Effects::default();
    for seed in 0..20 {
        let world = run(seed);
        check(&world, seed);
        all.crashes += world.effects.crashes;
        all.frames_lost += world.effects.frames_lost;
        all.cuts += world.effects.cuts;
        all.acked += world.effects.acked;
        all.refused += world.effects.refused;
        all.unanswered += world.effects.unanswered;
    }
    // Effects are counted, not intentions: a world in which nothing goes wrong proves nothing.
    assert!(all.crashes > 20 && all.cuts > 20 && all.frames_lost > 20, "{all:?}");
    assert!(all.acked > 500 && all.unanswered > 0, "{all:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, two) = (run(7), run(7));
    assert_eq!(one.effects, two.effects);
    for i in 0..3 {
        assert_eq!(one.heads(i), two.heads(i));
    }
}
