//! A storm of writes against a real node that is about to die, and what must be true afterwards.
//!
//! Every write is noted before it is sent. When the process is gone some were answered, some were
//! not; after the restart the first must all be there, each of the others whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use liandong::cli::connect::Client;
use liandong::domain::Event;
use liandong::journal::{Journal, JournalOptions, RealDisk, RecordKind};
use liandong::trust::spiffe::Role;
use liandong::wire;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::nodes::{Nodes, opening, until};

/// Writes that are under way at a time: enough for a group in the sync and a queue behind it.
const WRITERS: usize = 24;
/// A kill counts only with at least this many writes unanswered.
pub const IN_FLIGHT_MIN: usize = 8;

/// One write, as it was sent.
#[derive(Clone)]
enum Ask {
    Create(Box<pb::CreateCaseRequest>),
    Note(pb::AddNoteRequest),
}

/// What an answer said.
#[derive(Clone)]
struct Answered {
    case: pb::Case,
    receipt: pb::WriteReceipt,
}

struct Asked {
    role: Role,
    ask: Ask,
    answered: Option<Answered>,
}

/// What became of the writes of one or more rounds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub kills: usize,
    pub acknowledged: usize,
    /// Acknowledged and not there, or not whole.
    pub missing: usize,
    pub unanswered: usize,
    pub present: usize,
    pub absent: usize,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.acknowledged += other.acknowledged;
        self.missing += other.missing;
        self.unanswered += other.unanswered;
        self.present += other.present;
        self.absent += other.absent;
    }
}

/// The writes of one node over all its lives.
pub struct Storm {
    pub code: u32,
    agreement: String,
    template: pb::CreateCaseRequest,
    next: Arc<AtomicUsize>,
    numbers: BTreeMap<String, String>,
    sent: usize,
}

struct Clients {
    all: Vec<(Role, Arc<Client>)>,
}

impl Clients {
    async fn open(nodes: &Nodes, code: u32) -> Self {
        let mut all = Vec::new();
        for role in [Role::Coordinator, Role::System, Role::Coordinator, Role::System] {
            all.push((role, Arc::new(nodes.client_as(code, role).await)));
        }
        Self { all }
    }

    fn of(&self, role: Role) -> &Client {
        &self.all.iter().find(|(r, _)| *r == role).unwrap().1
    }
}

async fn send(client: &Client, ask: &Ask) -> Result<Answered, Status> {
    match ask {
        Ask::Create(request) => {
            let answer = client.cases().create_case((**request).clone()).await?.into_inner();
            Ok(Answered { case: answer.case.unwrap(), receipt: answer.receipt.unwrap() })
        }
        Ask::Note(request) => {
            let answer = client.cases().add_note(request.clone()).await?.into_inner();
            Ok(Answered { case: answer.case.unwrap(), receipt: answer.receipt.unwrap() })
        }
    }
}

impl Storm {
    pub fn new(nodes: &Nodes, code: u32) -> Self {
        let agreement = nodes.fleet.agreements[0].name();
        let template = opening(&agreement, 0, "template");
        let next = Arc::new(AtomicUsize::new(0));
        Self { code, agreement, template, next, numbers: BTreeMap::new(), sent: 0 }
    }

    /// Waits until the node takes writes in the agreement.
    pub async fn ready(&mut self, nodes: &Nodes) {
        let client = nodes.client(self.code).await;
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let ask = create(&self.template, Role::Coordinator, n);
        until("the node takes writes", || async {
            match send(&client, &ask).await {
                Ok(answered) => Some(answered),
                Err(status) if status.code() == Code::NotFound => None,
                Err(status) => panic!("{status:?}"),
            }
        })
        .await;
        self.sent += 1;
    }

    /// Writes until the node dies; it is killed `after` the `warm`th answer, in mid-storm.
    async fn blow(&mut self, nodes: &mut Nodes, warm: usize, after: Duration) -> Vec<Asked> {
        let clients = Clients::open(nodes, self.code).await;
        let ledger: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let in_flight = Arc::new(AtomicUsize::new(0));
        let answers = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for writer in 0..WRITERS {
            let (role, client) = clients.all[writer % clients.all.len()].clone();
            let (ledger, in_flight) = (Arc::clone(&ledger), Arc::clone(&in_flight));
            let (answers, next) = (Arc::clone(&answers), Arc::clone(&self.next));
            let template = self.template.clone();
            tasks.push(tokio::spawn(async move {
                let mut last: Option<pb::Case> = None;
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let ask = match &last {
                        Some(case) if n % 3 == 0 => note(case, role, n),
                        Some(_) | None => create(&template, role, n),
                    };
                    let place = {
                        let mut ledger = ledger.lock().unwrap();
                        ledger.push(Asked { role, ask: ask.clone(), answered: None });
                        ledger.len() - 1
                    };
                    in_flight.fetch_add(1, Ordering::SeqCst);
                    let answer = send(&client, &ask).await;
                    in_flight.fetch_sub(1, Ordering::SeqCst);
                    match answer {
                        Ok(answered) => {
                            last = Some(answered.case.clone());
                            ledger.lock().unwrap()[place].answered = Some(answered);
                            answers.fetch_add(1, Ordering::SeqCst);
                        }
                        // The connection is gone; anything else is a refusal and a bug.
                        Err(status) => {
                            let gone = [Code::Unavailable, Code::Unknown, Code::Cancelled];
                            let gone = gone.contains(&status.code())
                                && !status.message().contains("STORAGE");
                            assert!(gone, "{status:?}");
                            return;
                        }
                    }
                }
            }));
        }
        while answers.load(Ordering::SeqCst) < warm {
            assert!(!tasks.iter().all(tokio::task::JoinHandle::is_finished), "nobody writes");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(after).await;
        while in_flight.load(Ordering::SeqCst) < WRITERS {
            tokio::task::yield_now().await;
        }
        nodes.kill(self.code);
        for task in tasks {
            task.await.unwrap();
        }
        Arc::try_unwrap(ledger).ok().unwrap().into_inner().unwrap()
    }

    /// One life and death: a storm, a kill, what `between` does to the disk, a restart, the
    /// checks. With `repeat` unanswered writes are sent again, to learn what became of them.
    pub async fn round(
        &mut self,
        nodes: &mut Nodes,
        (warm, after): (usize, Duration),
        repeat: bool,
        between: impl FnOnce(&mut Nodes),
    ) -> Tally {
        let asked = self.blow(nodes, warm, after).await;
        between(nodes);
        let unanswered = asked.iter().filter(|a| a.answered.is_none()).count();
        let counts = unanswered >= IN_FLIGHT_MIN;
        let mut tally = Tally { kills: usize::from(counts), unanswered, ..Tally::default() };
        self.sent += asked.len();
        let clients = Clients::open(nodes, self.code).await;
        for one in &asked {
            let client = clients.of(one.role);
            if let Some(answered) = &one.answered {
                tally.acknowledged += 1;
                if let Err(why) = self.check_there(client, &one.ask, answered).await {
                    eprintln!("missing: {why}");
                    tally.missing += 1;
                }
                continue;
            }
            if !repeat {
                continue;
            }
            let answered = send(client, &one.ask).await.unwrap();
            if answered.receipt.replayed {
                tally.present += 1;
            } else {
                tally.absent += 1;
            }
            self.check_there(client, &one.ask, &answered).await.unwrap();
            self.check_taken(client, &one.ask, &answered).await;
        }
        tally
    }

    /// The write is there, whole: the record with its number and the entry in the history.
    async fn check_there(
        &mut self,
        client: &Client,
        ask: &Ask,
        answered: &Answered,
    ) -> Result<(), String> {
        let name = answered.case.name.clone();
        let request = pb::GetCaseRequest { name: name.clone() };
        let read = client
            .cases()
            .get_case(request)
            .await
            .map_err(|s| format!("{name}: {}", s.message()))?;
        let case = read.into_inner().case.unwrap();
        if let Ask::Create(request) = ask {
            let record = case.record.as_ref().ok_or_else(|| format!("{name} has no record"))?;
            assert_eq!(record.title, request.record.as_ref().unwrap().title);
            assert_eq!(case.external_ref, request.external_ref);
        }
        if case.number.is_empty() {
            return Err(format!("{name} has no number"));
        }
        let before = self.numbers.insert(case.number.clone(), name.clone());
        assert!(before.is_none_or(|b| b == name), "two cases have the number {}", case.number);
        let request = pb::GetCaseHistoryRequest { name: name.clone(), ..Default::default() };
        let history = client.cases().get_case_history(request).await.unwrap().into_inner();
        let entry = history.entries.iter().find(|e| e.entry == answered.receipt.entry);
        let Some(entry) = entry else {
            return Err(format!("{} is not in the history of {name}", answered.receipt.entry));
        };
        if let Ask::Note(request) = ask
            && entry.texts != vec![request.text.clone()]
        {
            return Err(format!("{}: its text is not there", entry.entry));
        }
        Ok(())
    }

    /// Under another request id the same external number is refused: it was taken once, by the
    /// case that has it.
    async fn check_taken(&self, client: &Client, ask: &Ask, answered: &Answered) {
        let Ask::Create(request) = ask else { return };
        let mut again = (**request).clone();
        again.request_id.push_str("-again");
        let refused = client.cases().create_case(again).await.unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists, "{refused:?}");
        let taken_by = answered.case.name.rsplit('/').next().unwrap();
        let details = tonic_types::StatusExt::get_error_details(&refused);
        let info = details.error_info().unwrap();
        assert_eq!(info.reason, "EXTERNAL_REF_TAKEN");
        assert_eq!(info.metadata["taken_by"], taken_by);
    }

    /// Reads the journal of the stopped node: every command that was sent stands there exactly
    /// once, with all its entries, in one record.
    pub fn check_commands(&self, data: &Path) {
        let disk = RealDisk::open(&data.join("journal")).unwrap();
        let (journal, report) = Journal::open(disk, JournalOptions::default()).unwrap();
        assert!(report.damage.is_empty(), "{report:?}");
        let mut commands: BTreeMap<[u8; 16], Vec<(u64, u64, bool)>> = BTreeMap::new();
        let mut introduced = BTreeSet::new();
        let scan = journal.reader().scan(0, &mut |at, kind, payload| {
            if kind != RecordKind::Batch {
                return true;
            }
            let batch = wire::batch::parse_batch(Bytes::copy_from_slice(payload)).unwrap();
            for entry in batch.entries {
                let parsed = wire::entry::parse_header(&entry.header).unwrap();
                let envelope = parsed.envelope;
                let introduces = parsed.event == Event::ActorIntroduced;
                if introduces {
                    introduced.insert(envelope.actor.unwrap().id);
                }
                for who in envelope.actor.iter().chain(&envelope.acting_for) {
                    assert!(introduced.contains(&who.id), "an actor nobody introduced");
                }
                let tag = *envelope.request.unwrap().request.as_bytes();
                commands.entry(tag).or_default().push((at.number, envelope.index, introduces));
            }
            true
        });
        scan.unwrap();
        for entries in commands.values() {
            let (record, first, _) = entries[0];
            for (n, (r, index, introduces)) in entries.iter().enumerate() {
                assert_eq!((*r, *index), (record, first + n as u64), "a command cut apart");
                assert_eq!(*introduces, n + 1 < entries.len(), "a command in part");
            }
        }
        assert_eq!(commands.len(), self.sent, "every write stands exactly once");
    }

    pub fn agreement(&self) -> &str {
        &self.agreement
    }
}

fn acting_for(role: Role, n: usize) -> Option<pb::ActingFor> {
    // A fresh officer each time, so that the command has an entry to introduce them.
    (role == Role::System)
        .then(|| pb::ActingFor { certificate_number: format!("3715{:08}", n / 2) })
}

fn create(template: &pb::CreateCaseRequest, role: Role, n: usize) -> Ask {
    let mut request = template.clone();
    request.request_id = format!("storm-{n}");
    request.record.as_mut().unwrap().title = format!("风暴案件第{n}号");
    let (system, number) = ("storm".to_owned(), format!("S-{n}"));
    request.external_ref = Some(pb::ExternalRef { system, number });
    request.acting_for = acting_for(role, n);
    Ask::Create(Box::new(request))
}

fn note(case: &pb::Case, role: Role, n: usize) -> Ask {
    Ask::Note(pb::AddNoteRequest {
        name: case.name.clone(),
        text: format!("补充说明第{n}号"),
        cities: Vec::new(),
        request_id: format!("storm-{n}"),
        acting_for: acting_for(role, n),
    })
}
