//! Real nodes for tests: `liandong serve` processes in temporary folders, on loopback.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use liandong::cli::connect::Client;
use liandong::cli::fleet::{Fleet, Plan};
use liandong::import::draft;
use liandong::lang::Lang;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What must come true comes true within this time, even on a machine under load.
pub const WITHIN: Duration = Duration::from_secs(60);

/// Tests call more often than people do.
const QUICK_CALLERS: &str = "[limits]\nperson_calls_per_s_max = 1000000\n";

/// Cities with running processes; they end with the test.
pub struct Nodes {
    pub fleet: Fleet,
    children: BTreeMap<u32, Child>,
    _folder: TempDir,
}

pub fn plan(cities: &[u32], agreements: &[(&str, &[u32])]) -> Plan {
    Plan {
        cities: cities.to_vec(),
        agreements: agreements.iter().map(|(n, m)| ((*n).to_owned(), m.to_vec())).collect(),
        base_port: None,
        boundaries: Some(include_str!("../../data/cities.geojson").to_owned()),
        extra_config: QUICK_CALLERS.to_owned(),
    }
}

pub fn exe() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_liandong"))
}

impl Nodes {
    /// Lays the cities out; nothing runs yet.
    pub fn lay_out(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Fleet::open_or_lay_out(&folder.path().join("fleet"), plan).unwrap();
        Self { fleet, children: BTreeMap::new(), _folder: folder }
    }

    /// Lets every city know the workdays of all years: what its doctor says does not depend on the
    /// day on which the test runs.
    pub fn announce_all_years(&self) {
        let years: Vec<i32> = (2025..2200).collect();
        let all = serde_json::json!({ "years": years, "off_days": [], "make_up_workdays": [] });
        for city in &self.fleet.cities {
            let folder = self.fleet.folder(city.code);
            std::fs::write(folder.join("all-years.json"), all.to_string()).unwrap();
            let config = folder.join("liandong.toml");
            let text = std::fs::read_to_string(&config).unwrap();
            std::fs::write(&config, format!("workdays_file = \"all-years.json\"\n{text}")).unwrap();
        }
    }

    /// Lays the cities out and starts them all.
    pub fn start_all(plan: &Plan) -> Self {
        let mut nodes = Self::lay_out(plan);
        for code in &plan.cities {
            nodes.start(*code);
        }
        nodes
    }

    pub fn start(&mut self, code: u32) {
        let child = self.fleet.start(exe(), code).unwrap();
        self.children.insert(code, child);
    }

    /// Starts a city's process with additions to its environment.
    pub fn start_with(&mut self, code: u32, env: &[(&str, &Path)]) {
        let mut command = self.fleet.command(exe(), code).unwrap();
        let child = command.envs(env.iter().copied()).spawn().unwrap();
        self.children.insert(code, child);
    }

    /// Starts a city's process by another program, which gets these arguments and then the node's
    /// own program and arguments, but for the parent with which it ends: that one has to name it.
    pub fn start_by(&mut self, code: u32, program: &str, args: &[String]) {
        let node = self.fleet.command(exe(), code).unwrap();
        let log = self.fleet.folder(code).join("serve.log");
        let log = std::fs::File::options().append(true).open(log).unwrap();
        let mut command = Command::new(program);
        let own: Vec<_> = node.get_args().take_while(|a| *a != "--die-with-parent").collect();
        command.args(args).arg(node.get_program()).args(own);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.children.insert(code, command.spawn().unwrap());
    }

    pub fn pid(&self, code: u32) -> u32 {
        self.children[&code].id()
    }

    /// Ends a process with SIGKILL.
    pub fn kill(&mut self, code: u32) {
        let mut child = self.children.remove(&code).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Whether the process is there still.
    pub fn is_running(&mut self, code: u32) -> bool {
        self.children.get_mut(&code).is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    pub async fn client(&self, code: u32) -> Client {
        self.client_as(code, Role::Coordinator).await
    }

    pub async fn client_as(&self, code: u32, role: Role) -> Client {
        self.fleet.connect(code, role, Lang::En).await.unwrap()
    }

    /// What the process has written to its log.
    pub fn log(&self, code: u32) -> String {
        std::fs::read_to_string(self.fleet.folder(code).join("serve.log")).unwrap_or_default()
    }
}

/// Sends a signal to a process that a test has started.
pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    // One that has just died needs none.
    let _ = kill_process(pid, signal);
}

impl Drop for Nodes {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for code in self.fleet.cities.iter().map(|c| c.code) {
                let log = self.log(code);
                let from = log.lines().count().saturating_sub(20);
                let tail: Vec<&str> = log.lines().skip(from).collect();
                eprintln!("serve.log of {code}:\n{}", tail.join("\n"));
            }
        }
        for child in self.children.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Asks again and again until the answer is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl FnMut() -> F) -> T {
    until_or(what, ask, || async { String::new() }).await
}

/// The same; `explain` says how things stand when it does not come.
pub async fn until_or<T, F, E>(
    what: &str,
    mut ask: impl FnMut() -> F,
    explain: impl FnOnce() -> E,
) -> T
where
    F: Future<Output = Option<T>>,
    E: Future<Output = String>,
{
    let begun = Instant::now();
    while begun.elapsed() < WITHIN {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not come true\n{}", explain().await);
}

/// Links and logs of a node, for whoever reads a failed test.
pub async fn standing(client: &Client) -> String {
    let status = match client.nodes().get_status(pb::GetStatusRequest {}).await {
        Ok(status) => status.into_inner().status.unwrap_or_default(),
        Err(status) => return status.to_string(),
    };
    let mut text = format!("{} {:?}\n", status.city, status.warnings);
    for l in &status.links {
        let (state, strikes) = (l.state(), l.strike_count);
        text += &format!("  link {} {state:?} strikes {strikes} {}\n", l.city, l.reason);
    }
    for l in &status.logs {
        let sizes = (l.stored_size, l.applied_size, l.announced_size);
        text += &format!("  log {} {sizes:?} from {} {}\n", l.city, l.last_source, l.waiting_for);
    }
    text
}

/// A request that opens the sample case `nth` in an agreement.
pub fn opening(agreement: &str, nth: usize, request_id: &str) -> pb::CreateCaseRequest {
    let drafts = draft::read_all(include_str!("../../demo/sample-cases.json")).unwrap();
    let mut draft = drafts[nth].clone();
    // What not every member may have is in no record of others; `evidence_levels` looks at it.
    draft.record.evidence.retain(|item| item.level() != pb::DataLevel::Restricted);
    pb::CreateCaseRequest {
        parent: agreement.to_owned(),
        facts: Some(draft.facts),
        record: Some(draft.record),
        person: draft.person,
        external_ref: None,
        effective_on: draft.reported_on,
        request_id: request_id.to_owned(),
        acting_for: None,
        validate_only: false,
    }
}

/// A request that opens a small case with this title, wherever the agreement lies.
pub fn case_request(agreement: &str, title: &str) -> pb::CreateCaseRequest {
    let mut request = opening(agreement, 0, &uuid::Uuid::new_v4().to_string());
    let record = pb::CaseRecord {
        title: title.to_owned(),
        belt_reason: "试验".to_owned(),
        ..pb::CaseRecord::default()
    };
    request.record = Some(record);
    request
}
