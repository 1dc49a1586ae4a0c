//! A real node dies at the n-th call that changes a file: at every n, one run each.
//!
//! A preloaded library counts the calls on the node's data, guard and keys and ends the process
//! in place of the n-th; a write may happen by half before. The run has a first start with its
//! agreement, cases, notes, moves, a change of segments, a stop in order, views that are built
//! anew, and more of it. Afterwards the node starts again and must have everything that was
//! acknowledged, and what was not, whole or not at all. Each place is tried twice: the second time
//! the power fails too, and what was not synced is gone.
//!
//! Sixteen runs in `cargo test`, others each day; `LIANDONG_CRASH_POINTS=all`
//! (`.ci/steps/crash-points.sh`) makes all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use liandong::cli::connect::Client;
use liandong::cli::fleet::Plan;
use liandong::ids::LogId;
use liandong::journal::{Journal, JournalOptions, RealDisk, RecordKind};
use liandong::lang::Lang;
use liandong::log::{Frontier, SignedCheckpoint, SignedManifest, VerifyingKey, leaf_hash};
use liandong::trust::spiffe::Role;
use liandong::wire;
use liandong::wire::pb::v1 as pb;
use rustix::process::Signal;
use tonic::{Code, Status};

use super::kills::quick_plan;
use super::nodes::{Nodes, opening, signal};
use super::power::{Medium, copy};
use super::shim::{Faults, Word};

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

/// One thing that is done to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open(usize),
    Note(usize),
    Verify(usize),
    Offer(usize),
    /// Stopped in order and started again; with `true` its views are gone.
    Restart(bool),
}

impl Step {
    /// The case it is done to, by its number here.
    fn of(self) -> Option<usize> {
        match self {
            Self::Open(n) | Self::Note(n) | Self::Verify(n) | Self::Offer(n) => Some(n),
            Self::Restart(_) => None,
        }
    }
}

/// Some two hundred calls on files come of these.
fn script() -> Vec<Step> {
    let mut steps = Vec::new();
    for n in 0..7 {
        steps.push(Step::Open(n));
        steps.push(Step::Note(n / 2));
    }
    steps.extend([Step::Verify(0), Step::Offer(0), Step::Restart(true), Step::Verify(1)]);
    for n in 7..14 {
        steps.push(Step::Open(n));
    }
    steps.extend([Step::Verify(9), Step::Offer(9), Step::Restart(false), Step::Open(14)]);
    steps
}

/// A case that is opened once everything was looked at: life goes on.
const AFTERWARDS: usize = 99;

/// The summary fills a segment of the least size after a dozen cases.
const SUMMARY_CHARS: usize = 7_000;

/// Two cities whose segments and disks may be small.
pub fn small_segments() -> Plan {
    let limits = "segment_bytes_max = 262144\ndisk_low_bytes = 8388608\n";
    let plan = quick_plan();
    Plan { extra_config: format!("{}{limits}", plan.extra_config), ..plan }
}

/// What the node has said, and the one thing it has not answered.
#[derive(Default)]
struct Told {
    cases: BTreeMap<usize, pb::Case>,
    notes: BTreeMap<usize, Vec<usize>>,
    pending: Option<Step>,
}

enum End {
    Died,
    Finished,
}

/// One city's folder, laid out once; every run begins with a copy of it.
struct Place {
    nodes: Nodes,
    agreement: String,
    fresh: PathBuf,
    faults: Faults,
    _fresh: tempfile::TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        let nodes = Nodes::lay_out(&small_segments());
        let agreement = nodes.fleet.agreements[0].name();
        let fresh = tempfile::tempdir().unwrap();
        let folder = nodes.fleet.folder(HERE);
        copy(&folder, &fresh.path().join("city"));
        let faults = Faults::new(&folder)?;
        Some(Self { nodes, agreement, fresh: fresh.path().join("city"), faults, _fresh: fresh })
    }

    fn city(&self) -> PathBuf {
        self.nodes.fleet.folder(HERE)
    }

    fn begin(&mut self) -> Option<Medium> {
        for folder in ["data", "guard", "keys"] {
            std::fs::remove_dir_all(self.city().join(folder)).unwrap();
            copy(&self.fresh.join(folder), &self.city().join(folder));
        }
        let _ = std::fs::remove_file(self.city().join("serve.log"));
        Medium::new(&self.city().join("data"))
    }

    fn start(&mut self, medium: Option<&Medium>) {
        match medium {
            Some(medium) => {
                let (shim, env) = medium.below();
                self.faults.start_over(&mut self.nodes, HERE, Some((shim, &env)));
            }
            None => self.faults.start(&mut self.nodes, HERE),
        }
    }

    /// Connects as long as there is something to connect to.
    async fn connect(&mut self) -> Option<Client> {
        let begun = Instant::now();
        loop {
            if let Ok(client) =
                Client::open(&self.nodes.fleet.profile(HERE, Role::Coordinator), Lang::En).await
            {
                return Some(client);
            }
            if !self.nodes.is_running(HERE) {
                return None;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the node does not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Runs the script until the node dies, or to its end.
    async fn run(&mut self, medium: Option<&Medium>, told: &mut Told) -> End {
        self.start(medium);
        let Some(mut client) = self.connect().await else { return End::Died };
        for step in script() {
            if let Step::Restart(without_views) = step {
                drop(client);
                self.stop().await;
                if without_views {
                    let _ = std::fs::remove_dir_all(self.city().join("data/views"));
                }
                if self.is_due() {
                    return End::Died;
                }
                self.start(medium);
                let Some(again) = self.connect().await else { return End::Died };
                client = again;
                continue;
            }
            told.pending = Some(step);
            match self.ask(&client, step, told).await {
                Ok(case) => {
                    told.note(step, case);
                    told.pending = None;
                }
                Err(status) => {
                    while self.nodes.is_running(HERE) {
                        assert!(self.is_due(), "{step:?}: {status:?}");
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    return End::Died;
                }
            }
        }
        drop(client);
        self.stop().await;
        if self.is_due() { End::Died } else { End::Finished }
    }

    /// Ends the node in order; meanwhile our side of the connections is closed.
    async fn stop(&mut self) {
        signal(self.nodes.pid(HERE), Signal::TERM);
        while self.nodes.is_running(HERE) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn is_due(&self) -> bool {
        let at = self.faults.get(Word::DieAt);
        at != 0 && self.faults.get(Word::Calls) >= at
    }

    async fn ask(&mut self, client: &Client, step: Step, told: &Told) -> Result<pb::Case, Status> {
        let begun = Instant::now();
        loop {
            match send(client, &self.agreement, step, told).await {
                // Until the agreement is taken from the inbox.
                Err(status)
                    if status.code() == Code::NotFound
                        && self.nodes.is_running(HERE)
                        && begun.elapsed() < Duration::from_secs(60) =>
                {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                other => return other.map(|(case, _)| case),
            }
        }
    }

    /// The node starts without faults and has everything it said it has.
    async fn check(&mut self, told: &mut Told) {
        self.nodes.start(HERE);
        let client = self.connect().await.expect("the node starts again");
        let before = list(&client, &self.agreement).await;
        for (n, case) in &told.cases {
            let seen = before.get(&case.name).unwrap_or_else(|| panic!("case {n} is not there"));
            // What was not answered may have happened, to this case and to no other.
            let open = told.pending.is_some_and(|step| step.of() == Some(*n));
            let same = seen == case || open && seen.record == case.record;
            assert!(same, "case {n}: {} for {}", seen.etag, case.etag);
        }
        for (n, notes) in &told.notes {
            let name = told.cases[n].name.clone();
            let request = pb::GetCaseHistoryRequest { name, ..Default::default() };
            let history = client.cases().get_case_history(request).await.unwrap().into_inner();
            let texts: Vec<_> = history.entries.iter().flat_map(|e| e.texts.clone()).collect();
            for note in notes {
                assert!(texts.contains(&text(*note)), "note {note}, acknowledged: {texts:?}");
            }
        }
        for step in told.pending.take().into_iter().chain([Step::Open(AFTERWARDS)]) {
            let (case, replayed) = loop {
                // As in `ask`: the agreement may come only now.
                match send(&client, &self.agreement, step, told).await {
                    Err(s) if s.code() == Code::NotFound => {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                    other => break other.unwrap(),
                }
            };
            let happened =
                match (before.get(&case.name), step.of().and_then(|n| told.cases.get(&n))) {
                    (Some(seen), Some(told)) => seen != told,
                    (seen, _) => seen.is_some(),
                };
            assert_eq!(happened, replayed, "{step:?}: in part");
            told.note(step, case);
        }
        let after = list(&client, &self.agreement).await;
        assert_eq!(after.len(), told.cases.len(), "cases nobody asked for");
        drop(client);
        self.nodes.kill(HERE);
        check_roots(&self.city().join("data/journal"), told.entries());
    }
}

impl Told {
    fn note(&mut self, step: Step, case: pb::Case) {
        let Some(n) = step.of() else { return };
        if step == Step::Note(n) {
            let notes = self.notes.entry(n).or_default();
            notes.push(notes.len());
        }
        self.cases.insert(n, case);
    }

    /// Entries that must be in the own log: those of its cases, and the person's introduction.
    fn entries(&self) -> u64 {
        let of = |case: &pb::Case| u64::from(case.move_count + case.contribution_count);
        1 + self.cases.values().map(of).sum::<u64>()
    }
}

fn text(note: usize) -> String {
    format!("补充说明第{note}号")
}

/// Asks for one step; the same step has the same request id in every life.
async fn send(
    client: &Client,
    agreement: &str,
    step: Step,
    told: &Told,
) -> Result<(pb::Case, bool), Status> {
    let mut cases = client.cases();
    let (case, receipt) = match step {
        Step::Open(n) => {
            let mut request = opening(agreement, 0, &format!("open-{n}"));
            let record = request.record.as_mut().unwrap();
            record.title = format!("断点试验第{n}号");
            record.summary = "摘".repeat(SUMMARY_CHARS);
            let answer = cases.create_case(request).await?.into_inner();
            (answer.case, answer.receipt)
        }
        Step::Note(n) => {
            let nth = told.notes.get(&n).map_or(0, Vec::len);
            let request = pb::AddNoteRequest {
                name: told.cases[&n].name.clone(),
                text: text(nth),
                request_id: format!("note-{n}-{nth}"),
                ..Default::default()
            };
            let answer = cases.add_note(request).await?.into_inner();
            (answer.case, answer.receipt)
        }
        Step::Verify(n) => {
            let case = &told.cases[&n];
            let request = pb::StartVerificationRequest {
                name: case.name.clone(),
                etag: case.etag.clone(),
                request_id: format!("verify-{n}"),
                ..Default::default()
            };
            let answer = cases.start_verification(request).await?.into_inner();
            (answer.case, answer.receipt)
        }
        Step::Offer(n) => {
            let case = &told.cases[&n];
            let request = pb::OfferTransferRequest {
                name: case.name.clone(),
                etag: case.etag.clone(),
                to_city: THERE,
                request_id: format!("offer-{n}"),
                ..Default::default()
            };
            let answer = cases.offer_transfer(request).await?.into_inner();
            (answer.case, answer.receipt)
        }
        Step::Restart(_) => unreachable!("asked of nobody"),
    };
    Ok((case.unwrap(), receipt.unwrap().replayed))
}

/// All cases by name, in full.
async fn list(client: &Client, agreement: &str) -> BTreeMap<String, pb::Case> {
    let request =
        pb::ListCasesRequest { parent: agreement.to_owned(), page_size: 200, ..Default::default() };
    let page = match client.cases().list_cases(request).await {
        Ok(page) => page.into_inner(),
        Err(status) if status.code() == Code::NotFound => return BTreeMap::new(),
        Err(status) => panic!("{status:?}"),
    };
    assert_eq!(page.next_page_token, "", "one page has them all");
    page.cases.into_iter().map(|case| (case.name.clone(), case)).collect()
}

/// Reads the journal of the stopped node: each batch ends at the root that its checkpoint signs,
/// and there are as many entries as were asked for.
fn check_roots(journal: &Path, entries: u64) {
    let disk = RealDisk::open(journal).unwrap();
    let (journal, report) = Journal::open(disk, JournalOptions::default()).unwrap();
    assert!(report.damage.is_empty(), "{report:?}");
    let mut keys: BTreeMap<LogId, VerifyingKey> = BTreeMap::new();
    let mut trees: BTreeMap<LogId, Frontier> = BTreeMap::new();
    let scan = journal.reader().scan(0, &mut |_, kind, payload| {
        let payload = Bytes::copy_from_slice(payload);
        if kind == RecordKind::Manifest {
            let manifest = SignedManifest::peek(&payload).unwrap();
            keys.insert(manifest.log_id(), manifest.log_key);
        }
        if kind == RecordKind::Batch {
            let batch = wire::batch::parse_batch(payload).unwrap();
            let tree = trees.entry(batch.log).or_default();
            assert_eq!(tree.size(), batch.from, "a gap");
            for entry in &batch.entries {
                tree.push(leaf_hash(&entry.header));
            }
            let signed = SignedCheckpoint::verify(&batch.checkpoint, batch.log, &keys[&batch.log]);
            let head = signed.unwrap().head();
            assert_eq!((head.size, head.root), (tree.size(), tree.root()));
        }
        true
    });
    scan.unwrap();
    let sizes: Vec<u64> = trees.values().map(Frontier::size).collect();
    assert_eq!(sizes, [entries], "entries in the own log");
}

/// What the runs came to.
#[derive(Debug, Default)]
struct Tally {
    runs: u64,
    power: u64,
    acknowledged: usize,
    /// Which call was the last, how often.
    calls: BTreeMap<String, usize>,
}

/// One life up to a call, and the next: run 2n and 2n + 1 end at the n-th, the second with the
/// power. False when the script came to its end first.
async fn life(place: &mut Place, run: u64, tally: &Mutex<Tally>) -> bool {
    let (at, power) = (run / 2, run % 2 == 1);
    let Some(medium) = place.begin() else { return false };
    let medium = power.then_some(medium);
    place.faults.set(Word::Calls, 0);
    place.faults.set(Word::Torn, u64::from(at % 3 == 0));
    place.faults.set(Word::DieAt, at);
    let mut told = Told::default();
    let end = place.run(medium.as_ref(), &mut told).await;
    if matches!(end, End::Finished) {
        return false;
    }
    if let Some(medium) = &medium {
        medium.lose_power();
    }
    {
        let mut tally = tally.lock().unwrap();
        tally.runs += 1;
        tally.power += u64::from(power);
        tally.acknowledged += told.cases.len();
        *tally.calls.entry(place.faults.died_at()).or_default() += 1;
    }
    place.check(&mut told).await;
    true
}

/// Which runs are made, of twice as many as there are calls: first run, and every how many.
fn runs(calls: u64) -> (u64, u64) {
    let day = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let asked = std::env::var("LIANDONG_CRASH_POINTS").unwrap_or_default();
    let stride = match asked.as_str() {
        "all" => 1,
        // Odd, so that the power fails in every other.
        _ => (2 * calls / 16) | 1,
    };
    (2 + day % stride, stride)
}

/// A whole run: how many calls it has, more or less; views and audit are written by the way.
fn count_calls(place: &mut Place) -> u64 {
    let mut told = Told::default();
    place.begin();
    assert!(matches!(block_on(place.run(None, &mut told)), End::Finished));
    let calls = place.faults.get(Word::Calls);
    let segments = std::fs::read_dir(place.city().join("data/journal")).unwrap().count();
    assert!(calls > 150 && segments > 1, "{calls} calls, {segments} segments");
    calls
}

/// On this thread: a node ends with the thread that started it.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_crash_at_any_call_on_a_file_loses_nothing_acknowledged() {
    let Some(mut place) = Place::new() else { return };
    let tally = Mutex::new(Tally::default());
    if let Ok(run) = std::env::var("LIANDONG_CRASH_AT") {
        let run: u64 = run.parse().expect("the number of a run");
        assert!(block_on(life(&mut place, run, &tally)), "the script has fewer calls");
        return;
    }
    let calls = count_calls(&mut place);
    let (first, stride) = runs(calls);
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (next, tally) = (&next, &tally);
            scope.spawn(move || {
                let mut place = Place::new().unwrap();
                loop {
                    let run = next.fetch_add(stride, Ordering::Relaxed);
                    eprintln!("LIANDONG_CRASH_AT={run} makes this run again");
                    if !block_on(life(&mut place, run, tally)) {
                        return;
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("{calls} calls, every {stride} of {} runs: {tally:?}", 2 * calls);
    assert!(tally.runs >= calls / stride, "{tally:?}");
    assert!(tally.power > 0 && tally.power < tally.runs, "{tally:?}");
    assert!(tally.acknowledged > 0 && tally.calls.len() > 3, "{tally:?}");
}
