//! The stage: cities with running nodes, cases to write to, and a look at how far they are.
//!
//! In scope: start, stop, ready, who has stored what. Out of scope: what is measured on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use tonic::Status;

use super::Bench;
use super::load::{Operation, refused};
use crate::cli::connect::{Client, Wire};
use crate::cli::failure::Failure;
use crate::cli::fleet::{Fleet, Plan};
use crate::import::draft;
use crate::lang::Lang;
use crate::trust::spiffe::Role;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::case_service_client::CaseServiceClient;

/// The city that writes.
pub const HERE: u32 = 371_500;
/// Its neighbour.
pub const THERE: u32 = 130_400;
/// All five.
pub const FIVE: [u32; 5] = [371_500, 130_400, 410_900, 371_400, 370_900];

/// What comes true at all comes true within this time.
const WITHIN: Duration = Duration::from_secs(600);
/// How often a node is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A note as people write them, 166 bytes.
const NOTE: &str = "现场复查：外排口已封堵，雨水沟内未见积水；企业已提交整改报告及危险废物转移联单复印件，\
                    下周由两市联合复核。";
/// Lines added to every node's configuration: one system of this bench calls as often as many.
const CONFIG: &str = "[limits]\nsystem_calls_per_s_max = 1000000\ncalls_running_max = 65536\n\
                      calls_per_connection_max = 1024\n";

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Cities of one agreement on this machine; everything ends and goes with it.
pub struct Stage {
    /// The folders and addresses.
    pub fleet: Fleet,
    /// Resource name of the agreement.
    pub agreement: String,
    exe: std::path::PathBuf,
    lang: Lang,
    running: BTreeMap<u32, Running>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.running.clear();
        let _ = std::fs::remove_dir_all(self.fleet.dir());
    }
}

/// How far a log has come at a node.
#[derive(Clone, Debug, Default)]
pub struct Far {
    /// Entries on disk.
    pub stored: u64,
    /// Entries readable.
    pub applied: u64,
    /// Entries the slowest of the other cities has signed for.
    pub cosigned: u64,
    /// Bytes of the checkpoint note.
    pub checkpoint_bytes: u64,
    /// Bytes of one cosignature line.
    pub cosignature_bytes: u64,
    /// The log's id.
    pub log_id: String,
}

impl Stage {
    /// Lays cities out; nothing runs yet.
    pub fn lay_out(bench: &Bench, name: &str, cities: &[u32]) -> Result<Self, Failure> {
        Self::lay_out_with(bench, name, cities, "")
    }

    /// The same with more lines in the `[limits]` of every node.
    pub fn lay_out_with(
        bench: &Bench,
        name: &str,
        cities: &[u32],
        limits: &str,
    ) -> Result<Self, Failure> {
        let plan = Plan {
            cities: cities.to_vec(),
            agreements: vec![("试".to_owned(), cities.to_vec())],
            base_port: None,
            boundaries: Some(include_str!("../../../data/cities.geojson").to_owned()),
            extra_config: format!("{CONFIG}{limits}"),
        };
        let fleet = Fleet::open_or_lay_out(&bench.dir.join(name), &plan)?;
        let agreement = fleet.agreements.first().map(|a| a.name()).unwrap_or_default();
        let (exe, lang) = (bench.exe.clone(), bench.lang);
        Ok(Self { fleet, agreement, exe, lang, running: BTreeMap::new() })
    }

    /// Starts a city's node and waits until it may write.
    pub async fn start(&mut self, city: u32) -> Result<(), Failure> {
        self.spawn(city)?;
        let client = self.fleet.connect(city, Role::System, self.lang).await?;
        let name = self.agreement.clone();
        self.until("agreement", async || {
            let request = pb::GetAgreementRequest { name: name.clone() };
            match client.agreements().get_agreement(request).await {
                Ok(answer) => Ok(answer.into_inner().agreement.is_some_and(|a| a.writable)),
                Err(status) if status.code() == tonic::Code::NotFound => Ok(false),
                Err(status) => Err(refused("agreement", &status)),
            }
        })
        .await
    }

    /// Starts a city's node and waits for nothing.
    pub fn spawn(&mut self, city: u32) -> Result<(), Failure> {
        let child = self.fleet.start(&self.exe, city)?;
        self.running.insert(city, Running(child));
        Ok(())
    }

    /// Ends a city's node.
    pub fn stop(&mut self, city: u32) {
        self.running.remove(&city);
    }

    /// Process id of a city's node.
    pub fn pid(&self, city: u32) -> Option<u32> {
        self.running.get(&city).map(|running| running.0.id())
    }

    /// So many connections to a city's node, as one of its systems.
    pub async fn clients(&self, city: u32, count: usize) -> Result<Vec<Client>, Failure> {
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            clients.push(self.fleet.connect(city, Role::System, self.lang).await?);
        }
        Ok(clients)
    }

    /// A request that opens a sample case.
    pub fn opening(&self, request_id: String) -> Result<pb::CreateCaseRequest, Failure> {
        let first = self.openings()?.into_iter().next().unwrap_or_default();
        Ok(pb::CreateCaseRequest { request_id, ..first })
    }

    /// Requests that open each of the sample cases of these two cities; none has an id yet.
    pub fn openings(&self) -> Result<Vec<pb::CreateCaseRequest>, Failure> {
        let drafts = draft::read_all(include_str!("../../../demo/sample-cases.json"))
            .map_err(|error| Failure::local(format!("sample cases: {error}")))?;
        let fits = |d: &draft::Draft| d.shared_with == [THERE, HERE] && d.person.is_none();
        let opening = |draft: draft::Draft| pb::CreateCaseRequest {
            parent: self.agreement.clone(),
            facts: Some(draft.facts),
            record: Some(draft.record),
            effective_on: draft.reported_on,
            ..pb::CreateCaseRequest::default()
        };
        Ok(drafts.into_iter().filter(fits).map(opening).collect())
    }

    /// One operation that adds notes for each client, each to a case of its own.
    pub async fn note_adders(
        &self,
        clients: &[Client],
        run: &str,
    ) -> Result<Vec<AddNote>, Failure> {
        let sample = self.opening(String::new())?;
        self.note_adders_to(clients, run, &sample).await
    }

    /// The same to cases that are opened like this one.
    pub async fn note_adders_to(
        &self,
        clients: &[Client],
        run: &str,
        sample: &pb::CreateCaseRequest,
    ) -> Result<Vec<AddNote>, Failure> {
        let mut adders = Vec::with_capacity(clients.len());
        for (nth, client) in clients.iter().enumerate() {
            let request_id = format!("{run}-{nth}");
            let request = pb::CreateCaseRequest { request_id, ..sample.clone() };
            let made = client.cases().create_case(request).await;
            let made = made.map_err(|status| refused("case", &status))?.into_inner();
            let case = made.case.map(|case| case.name).unwrap_or_default();
            adders.push(AddNote { cases: client.cases(), case, run: format!("{run}-{nth}") });
        }
        Ok(adders)
    }

    /// How far the log of `HERE` has come at a node.
    pub async fn far(&self, client: &Client) -> Result<Far, Failure> {
        self.far_of(client, HERE).await
    }

    /// How far the log of a city has come at a node.
    pub async fn far_of(&self, client: &Client, city: u32) -> Result<Far, Failure> {
        let request = pb::ListLogsRequest { parent: self.agreement.clone() };
        let logs = client.nodes().list_logs(request).await;
        let logs = logs.map_err(|status| refused("logs", &status))?.into_inner().logs;
        let Some(log) = logs.into_iter().find(|log| log.city == city) else {
            return Ok(Far::default());
        };
        let others = self.fleet.cities.len().saturating_sub(1);
        let all = log.cosignatures.len() >= others;
        let line = log.cosignatures.first().map_or(0, |c| c.line.len());
        Ok(Far {
            stored: log.stored_size,
            applied: log.applied_size,
            cosigned: log.cosignatures.iter().map(|c| c.size).min().filter(|_| all).unwrap_or(0),
            checkpoint_bytes: u64::try_from(log.checkpoint.len()).unwrap_or(0),
            cosignature_bytes: u64::try_from(line).unwrap_or(0),
            log_id: log.log_id,
        })
    }

    /// Looks again and again until it is so.
    pub async fn until(
        &self,
        what: &str,
        mut so: impl AsyncFnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        while !so().await? {
            if begun.elapsed() > WITHIN {
                return Err(Failure::local(format!("{what}: not within {WITHIN:?}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// A city's folder.
    pub fn folder(&self, city: u32) -> std::path::PathBuf {
        self.fleet.folder(city)
    }
}

/// Adds a note to a case: a durable write of one entry with one part.
#[derive(Clone)]
pub struct AddNote {
    cases: CaseServiceClient<Wire>,
    case: String,
    run: String,
}

impl AddNote {
    /// Adds it; the position of the entry.
    ///
    /// # Errors
    /// What the node says.
    pub async fn add(&mut self, nth: u64) -> Result<String, Status> {
        let request = pb::AddNoteRequest {
            name: self.case.clone(),
            text: NOTE.to_owned(),
            cities: Vec::new(),
            request_id: format!("{}-{nth}", self.run),
            acting_for: None,
        };
        let added = self.cases.add_note(request).await?.into_inner();
        Ok(added.receipt.map(|receipt| receipt.entry).unwrap_or_default())
    }
}

impl Operation for AddNote {
    async fn call(&mut self, nth: u64) -> Result<(), Status> {
        self.add(nth).await.map(|_| ())
    }
}

/// Bytes of all files below a folder.
pub fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
