//! The processes of the cities: start, wait until ready, kill, bring back, stop.
//!
//! In scope: that no process outlives the demo, however it ends. Out of scope: folders, keys and
//! agreements ([`crate::cli::fleet`]).
//!
//! Invariants:
//! 1. Processes are started by one thread that lives as long as the demo, because the kernel ends
//!    them with that thread. (`the_processes_end_with_the_demo`)
//! 2. A city is ready when every agreement of its charters takes writes and every member's card
//!    is there, not when its port answers. (`a_city_is_ready_when_all_its_agreements_are`)

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use crate::cli::connect::Client;
use crate::cli::failure::Failure;
use crate::cli::fleet::{Agreement, City, Fleet, ports};
use crate::cli::serve::newcomers::TICKETS;
use crate::console::ticket::ENTER;
use crate::lang::Lang;
use crate::trust::spiffe::Role;
use crate::wire::pb::v1 as pb;

/// Notes are taken in within a moment; a machine under load is slow.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a process may take to end by itself.
const STOP_WITHIN: Duration = Duration::from_secs(4);
/// Between two looks at something that is about to come true.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A thread that starts processes and lives on.
struct Starter(mpsc::Sender<(Command, oneshot::Sender<io::Result<Child>>)>);

impl Starter {
    fn begin() -> Self {
        let (ask, asked) = mpsc::channel::<(Command, oneshot::Sender<io::Result<Child>>)>();
        std::thread::spawn(move || {
            for (mut command, answer) in asked {
                // Whoever asked may be gone; the child is then ended by its own drop.
                let _ = answer.send(command.spawn());
            }
        });
        Self(ask)
    }

    async fn start(&self, command: Command) -> Result<Child, Failure> {
        let gone = || Failure::local("the starting thread is gone");
        let (answer, answered) = oneshot::channel();
        self.0.send((command, answer)).map_err(|_| gone())?;
        let started = answered.await.map_err(|_| gone())?;
        started.map_err(|e| Failure::local(format!("liandong serve: {e}")))
    }
}

/// How to reach a city's node in each capacity that the demo acts in.
#[derive(Clone)]
pub struct Door {
    /// The city's own case system, which may ask often.
    pub system: Client,
    /// The person who deals with other cities.
    pub coordinator: Client,
}

impl Door {
    /// The connection of a role.
    #[must_use]
    pub const fn of(&self, role: Role) -> &Client {
        match role {
            Role::System => &self.system,
            Role::Coordinator | Role::Inspector | Role::Auditor | Role::Admin => &self.coordinator,
        }
    }
}

/// The way in for newcomers to one city: on this machine, and once.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// Where.
    pub address: SocketAddr,
    /// With what.
    pub ticket: String,
}

impl Welcome {
    /// One for each city; with a first port, those behind the cities' own two each.
    fn of_all(fleet: &Fleet, base_port: Option<u16>) -> Result<BTreeMap<u32, Self>, Failure> {
        let count = fleet.cities.len();
        let behind = u16::try_from(2 * count).unwrap_or(u16::MAX);
        let ports = ports::pick(count, base_port.map(|base| base.saturating_add(behind)))?;
        let one = |(city, address): (&City, SocketAddr)| {
            (city.code, Self { address, ticket: uuid::Uuid::new_v4().simple().to_string() })
        };
        Ok(fleet.cities.iter().zip(ports).map(one).collect())
    }

    /// What is typed into a browser.
    #[must_use]
    pub fn link(&self) -> String {
        format!("http://{}{ENTER}?ticket={}", self.address, self.ticket)
    }
}

/// A running process and those before it.
struct Process {
    child: Child,
    earlier: Vec<u32>,
}

/// The cities of a fleet with their processes.
pub struct Cities {
    /// Where they lie.
    pub fleet: Fleet,
    /// The way in for newcomers, by city.
    pub welcomes: BTreeMap<u32, Welcome>,
    exe: PathBuf,
    lang: Lang,
    starter: Starter,
    processes: BTreeMap<u32, Process>,
}

impl Cities {
    /// The cities, none of which runs yet.
    ///
    /// # Errors
    /// [`Failure`] when this program cannot find itself.
    pub fn new(fleet: Fleet, base_port: Option<u16>, lang: Lang) -> Result<Self, Failure> {
        let exe = std::env::current_exe();
        let exe = exe.map_err(|e| Failure::local(format!("the program's own file: {e}")))?;
        let (starter, processes) = (Starter::begin(), BTreeMap::new());
        let welcomes = Welcome::of_all(&fleet, base_port)?;
        Ok(Self { fleet, welcomes, exe, lang, starter, processes })
    }

    /// Their codes, in the order of the plan.
    #[must_use]
    pub fn codes(&self) -> Vec<u32> {
        self.fleet.cities.iter().map(|city| city.code).collect()
    }

    /// This program's file.
    #[must_use]
    pub const fn exe(&self) -> &PathBuf {
        &self.exe
    }

    /// Process ids of a city before the present one.
    #[must_use]
    pub fn earlier_pids(&self, code: u32) -> &[u32] {
        self.processes.get(&code).map_or(&[], |process| process.earlier.as_slice())
    }

    /// Starts a city.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub async fn start(&mut self, code: u32) -> Result<u32, Failure> {
        let command = self.command(code)?;
        self.start_by(code, command).await
    }

    fn command(&self, code: u32) -> Result<Command, Failure> {
        let mut command = self.fleet.command(&self.exe, code)?;
        if let Some(welcome) = self.welcomes.get(&code) {
            let certificate = self.fleet.folder(code).join("certs/coordinator.pem");
            command.arg("--newcomers").arg(welcome.address.to_string());
            command.arg("--newcomers-as").arg(certificate);
            command.env(TICKETS, &welcome.ticket);
        }
        Ok(command)
    }

    async fn start_by(&mut self, code: u32, command: Command) -> Result<u32, Failure> {
        let child = self.starter.start(command).await?;
        let pid = child.id();
        let earlier = match self.processes.remove(&code) {
            Some(before) => before.earlier.into_iter().chain([before.child.id()]).collect(),
            None => Vec::new(),
        };
        self.processes.insert(code, Process { child, earlier });
        Ok(pid)
    }

    /// Starts a city that serves itself alone and talks to no other one.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub async fn start_offline(&mut self, code: u32) -> Result<u32, Failure> {
        let mut command = self.command(code)?;
        command.arg("--offline");
        self.start_by(code, command).await
    }

    /// Ends a city with SIGKILL, as a power cut would.
    ///
    /// # Errors
    /// [`Failure`] when it did not run.
    pub fn kill(&mut self, code: u32) -> Result<u32, Failure> {
        let wrong = |e: &dyn std::fmt::Display| Failure::local(format!("{code}: {e}"));
        let process = self.processes.get_mut(&code).ok_or_else(|| wrong(&"does not run"))?;
        process.child.kill().map_err(|e| wrong(&e))?;
        process.child.wait().map_err(|e| wrong(&e))?;
        Ok(process.child.id())
    }

    /// Waits until a city takes writes in every agreement it has signed.
    ///
    /// # Errors
    /// [`Failure`] with the process's last words when it has ended, or with what is missing.
    pub async fn ready(&mut self, code: u32) -> Result<Door, Failure> {
        let begun = Instant::now();
        let door = self.door(code).await?;
        loop {
            let missing = match missing(&door, &self.fleet, code).await {
                Ok(missing) if missing.is_empty() => return Ok(door),
                Ok(missing) => missing.join(", "),
                Err(failure) => failure.what,
            };
            self.check_alive(code)?;
            if begun.elapsed() > READY_WITHIN {
                let what = self.lang.pick("节点未就绪", "the node is not ready");
                return Err(Failure::local(format!("{code}: {what}: {missing}")));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn door(&mut self, code: u32) -> Result<Door, Failure> {
        let (fleet, lang) = (self.fleet.clone(), self.lang);
        let connect = async {
            let system = fleet.connect(code, Role::System, lang).await?;
            let coordinator = fleet.connect(code, Role::Coordinator, lang).await?;
            Ok(Door { system, coordinator })
        };
        tokio::pin!(connect);
        loop {
            tokio::select! {
                door = &mut connect => return door,
                () = tokio::time::sleep(LOOK_AGAIN) => self.check_alive(code)?,
            }
        }
    }

    fn check_alive(&mut self, code: u32) -> Result<(), Failure> {
        let process = self.processes.get_mut(&code);
        let ended = process.and_then(|process| process.child.try_wait().ok().flatten());
        let Some(status) = ended else { return Ok(()) };
        let what = self.lang.pick(
            format!("{code} 的节点已退出（{status}）"),
            format!("the node of {code} has ended ({status})"),
        );
        let words = self.fleet.last_words(code).into_iter();
        Err(words.fold(Failure::local(what), Failure::detail))
    }
}

impl Drop for Cities {
    fn drop(&mut self) {
        for process in self.processes.values() {
            let _ = kill_process(Pid::from_child(&process.child), Signal::TERM);
        }
        let begun = Instant::now();
        for process in self.processes.values_mut() {
            while matches!(process.child.try_wait(), Ok(None)) {
                if begun.elapsed() > STOP_WITHIN {
                    let _ = process.child.kill();
                    let _ = process.child.wait();
                    break;
                }
                std::thread::sleep(LOOK_AGAIN);
            }
        }
    }
}

/// What a city still lacks before it can write in all its agreements.
async fn missing(door: &Door, fleet: &Fleet, code: u32) -> Result<Vec<String>, Failure> {
    let request = pb::ListAgreementsRequest { page_size: 200, page_token: String::new() };
    let answer = door.system.agreements().list_agreements(request).await;
    let answer = answer.map_err(|status| door.system.failure(&status))?;
    Ok(lacking(&answer.into_inner().agreements, &fleet.agreements, code))
}

/// Agreements of a city in which it cannot write yet, or cannot reach every member.
fn lacking(known: &[pb::Agreement], signed: &[Agreement], code: u32) -> Vec<String> {
    let lacks = |name: &str| {
        let found = known.iter().find(|a| a.name == name);
        !found.is_some_and(|a| {
            a.complete && a.writable && a.members.iter().all(|member| member.card_known)
        })
    };
    let own = signed.iter().filter(|a| a.members.contains(&code));
    own.filter(|a| lacks(&a.name())).map(|a| a.short_name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_city_is_ready_when_all_its_agreements_are() {
        let signed = |id: &str, members: [u32; 2]| Agreement {
            id: id.to_owned(),
            short_name: id.to_owned(),
            members: members.to_vec(),
        };
        let all =
            [signed("a", [1, 2]), signed("b", [1, 3]), signed("c", [2, 3]), signed("d", [1, 4])];
        let known = |id: &str, writable, card_known| pb::Agreement {
            name: format!("agreements/{id}"),
            complete: true,
            writable,
            members: vec![pb::Member { card_known, ..pb::Member::default() }],
            ..pb::Agreement::default()
        };
        let here = [known("a", true, true), known("b", false, true), known("d", true, false)];
        assert_eq!(lacking(&here, &all, 1), ["b", "d"]);
        assert_eq!(lacking(&here, &all, 2), ["c"], "one that is not here at all");
        assert_eq!(lacking(&here[..1], &all[..1], 1), Vec::<String>::new());
    }
}
