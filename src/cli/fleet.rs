//! Several cities on one machine, each in a folder of its own: for the demo, the bench and tests.
//!
//! Every city gets what a real one has: its CA, city key, node certificate, people, configuration.
//! Whoever calls this plays all their operators; in real use nobody holds two city keys.
//!
//! In scope: laying the folders out, starting, stopping and reaching the processes. Out of scope:
//! what is done with them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::connect::Client;
use super::failure::Failure;
use super::profile::Profile;
use crate::domain::Date;
use crate::ids::{AgreementId, CityCode, NodeId};
use crate::lang::Lang;
use crate::log::keys::SigningKey;
use crate::log::manifest::SignedManifest;
use crate::trust::card::Card;
use crate::trust::charter::{self, Charter, Deadlines, Member};
use crate::trust::keys;
use crate::trust::new_log::NewLog;
use crate::trust::pki::{self, Issued};
use crate::trust::spiffe::Role;

pub(super) mod ports;

/// The five cities of the border data: code, name, short name.
pub const FIVE: [(u32, &str, &str); 5] = [
    (371_500, "聊城市", "聊"),
    (130_400, "邯郸市", "邯"),
    (410_900, "濮阳市", "濮"),
    (371_400, "德州市", "德"),
    (370_900, "泰安市", "泰"),
];
/// What the fleet keeps of itself in its folder.
const INDEX: &str = "fleet.json";
/// A process that does not answer within this time has not started; a machine under load is slow.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// The people and systems every city gets a certificate for.
const PEOPLE: [(Role, &str); 5] = [
    (Role::Coordinator, "99001"),
    (Role::Inspector, "99002"),
    (Role::System, "case-system"),
    (Role::Auditor, "99003"),
    (Role::Admin, "99004"),
];

/// What to lay out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Cities of [`FIVE`], by code.
    pub cities: Vec<u32>,
    /// Agreements: short name, members by code.
    pub agreements: Vec<(String, Vec<u32>)>,
    /// First port; free ones are picked when absent.
    pub base_port: Option<u16>,
    /// Text of the borders' GeoJSON, if distances are to be computed.
    pub boundaries: Option<String>,
    /// Lines added to every `liandong.toml`, such as a `[limits]` table.
    pub extra_config: String,
}

/// One city of a fleet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct City {
    /// Its code.
    pub code: u32,
    /// Its name.
    pub name: String,
    /// Its node's id.
    pub node: String,
    /// Address for systems and people.
    pub api: SocketAddr,
    /// Address for other cities' nodes.
    pub peer: SocketAddr,
}

/// One agreement of a fleet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Agreement {
    /// Its id.
    pub id: String,
    /// Short name.
    pub short_name: String,
    /// Members, ascending.
    pub members: Vec<u32>,
}

impl Agreement {
    /// The resource name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("agreements/{}", self.id)
    }
}

/// Cities on this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fleet {
    /// The cities, in the order of the plan.
    pub cities: Vec<City>,
    /// The agreements, in the order of the plan.
    pub agreements: Vec<Agreement>,
    #[serde(skip)]
    dir: PathBuf,
}

fn failed(what: &str) -> impl Fn(&dyn std::fmt::Display) -> Failure + '_ {
    move |error| Failure::local(format!("{what}: {error}"))
}

fn city_code(code: u32) -> Result<CityCode, Failure> {
    CityCode::from_u32(code).map_err(|e| failed("city")(&e))
}

fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let shown = path.display().to_string();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(&shown)(&e))?;
    }
    std::fs::write(path, text).map_err(|e| failed(&shown)(&e))
}

fn write_key(path: &Path, pem: &str) -> Result<(), Failure> {
    keys::write_secret(path, pem.as_bytes()).map_err(|e| failed("key")(&e))
}

/// The secrets of one city while its folder is laid out.
struct Operator {
    code: CityCode,
    node: NodeId,
    city_key: SigningKey,
    ca: Issued,
}

impl Fleet {
    /// Opens the fleet that lies in `dir`, or lays one out.
    ///
    /// # Errors
    /// [`Failure`]: a folder that cannot be written, or holds something else.
    pub fn open_or_lay_out(dir: &Path, plan: &Plan) -> Result<Self, Failure> {
        let dir = std::path::absolute(dir).map_err(|e| failed("folder")(&e))?;
        match std::fs::read_to_string(dir.join(INDEX)) {
            Ok(text) => {
                let mut fleet: Self =
                    serde_json::from_str(&text).map_err(|e| failed("fleet.json")(&e))?;
                fleet.dir = dir;
                Ok(fleet)
            }
            Err(_) => Self::lay_out(dir, plan),
        }
    }

    /// A fleet that lies nowhere, for tests of what compares cities.
    #[cfg(test)]
    #[must_use]
    pub fn of_agreements(agreements: Vec<Agreement>) -> Self {
        Self { cities: Vec::new(), agreements, dir: PathBuf::new() }
    }

    /// Whether a whole fleet lies in `dir`.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        dir.join(INDEX).is_file()
    }

    fn lay_out(dir: PathBuf, plan: &Plan) -> Result<Self, Failure> {
        let addresses = ports::pick(plan.cities.len() * 2, plan.base_port)?;
        let mut cities = Vec::with_capacity(plan.cities.len());
        let mut operators = Vec::with_capacity(plan.cities.len());
        for (code, pair) in plan.cities.iter().zip(addresses.chunks(2)) {
            let (api, peer) = match pair {
                [api, peer] => (*api, *peer),
                _ => continue,
            };
            let name = FIVE.iter().find(|(c, ..)| c == code).map_or("", |(_, name, _)| *name);
            let operator = lay_out_secrets(&dir.join(code.to_string()), city_code(*code)?)?;
            let node = operator.node.to_string();
            cities.push(City { code: *code, name: name.to_owned(), node, api, peer });
            operators.push(operator);
        }
        let mut fleet = Self { cities, agreements: Vec::new(), dir };
        let cards = fleet.cards(&operators)?;
        for (short_name, members) in &plan.agreements {
            fleet.lay_out_agreement(short_name, members, &operators)?;
        }
        for city in &fleet.cities {
            fleet.write_config(city, plan)?;
            for (of, card) in &cards {
                let inbox = fleet.folder(city.code).join("data/inbox");
                write(&inbox.join(format!("card-{of}.note")), card)?;
            }
        }
        // Last: a folder without it was not finished and is laid out again.
        let index = serde_json::to_vec_pretty(&fleet).map_err(|e| failed("fleet.json")(&e))?;
        write(&fleet.dir.join(INDEX), &index)?;
        Ok(fleet)
    }

    fn cards(&self, operators: &[Operator]) -> Result<Vec<(u32, Bytes)>, Failure> {
        let mut cards = Vec::new();
        for (city, operator) in self.cities.iter().zip(operators) {
            let card = Card {
                city: operator.code,
                number: 1,
                nodes: vec![operator.node],
                addresses: vec![city.peer.to_string()],
                cas: vec![operator.ca.cert_der.clone()],
                duty_phone: None,
            };
            let note = card.sign(&operator.city_key).map_err(|e| failed("card")(&e))?;
            cards.push((city.code, note));
        }
        Ok(cards)
    }

    fn lay_out_agreement(
        &mut self,
        short_name: &str,
        members: &[u32],
        operators: &[Operator],
    ) -> Result<(), Failure> {
        let id = AgreementId::new(*uuid::Uuid::now_v7().as_bytes());
        let mut who: Vec<&Operator> =
            operators.iter().filter(|o| members.contains(&o.code.as_u32())).collect();
        who.sort_by_key(|o| o.code);
        let charter = charter_of(id, short_name, &who)?;
        let wrong = |e: &dyn std::fmt::Display| failed("charter")(e);
        let lines: Result<Vec<_>, _> =
            who.iter().map(|o| charter.sign(o.code, &o.city_key)).collect();
        let note = charter::note(&charter, lines.map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
        for operator in &who {
            let folder = self.folder(operator.code.as_u32());
            let new = NewLog {
                agreement: id,
                charter: charter.hash(),
                city: operator.code,
                node: operator.node,
                epoch: 1,
                prologue: None,
            };
            let manifest = new.request(&folder.join("keys")).map_err(|e| failed("log")(&e))?;
            let signed = SignedManifest::sign(manifest, &operator.city_key)
                .map_err(|e| failed("manifest")(&e))?;
            let inbox = folder.join("data/inbox");
            write(&inbox.join(format!("charter-{id}.note")), &note)?;
            write(&inbox.join(format!("manifest-{id}.note")), signed.note())?;
        }
        let members = who.iter().map(|o| o.code.as_u32()).collect();
        let short_name = short_name.to_owned();
        self.agreements.push(Agreement { id: id.to_string(), short_name, members });
        Ok(())
    }

    fn write_config(&self, city: &City, plan: &Plan) -> Result<(), Failure> {
        let folder = self.folder(city.code);
        let mut text = format!(
            "city = \"{}\"\nnode = \"{}\"\ndata_dir = \"data\"\nguard_file = \"guard/guard\"\n\
             keys_dir = \"keys\"\npeople_file = \"people.toml\"\n",
            city.code, city.node
        );
        if let Some(boundaries) = &plan.boundaries {
            write(&folder.join("cities.geojson"), boundaries.as_bytes())?;
            text.push_str("boundaries_file = \"cities.geojson\"\n");
        }
        for (port, address) in [("peer", city.peer), ("api", city.api)] {
            text.push_str(&format!(
                "\n[{port}]\nlisten = \"{address}\"\ncert = \"certs/node.pem\"\n\
                 key = \"certs/node.key\"\nca = [\"certs/ca.pem\"]\n"
            ));
        }
        if !plan.extra_config.is_empty() {
            text.push('\n');
            text.push_str(&plan.extra_config);
        }
        write(&folder.join("liandong.toml"), text.as_bytes())?;
        let profile = format!(
            "api = \"{}\"\ncert = \"certs/coordinator.pem\"\nkey = \"certs/coordinator.key\"\n\
             ca = \"certs/ca.pem\"\n",
            city.api
        );
        write(&folder.join("client.toml"), profile.as_bytes())
    }

    /// The fleet's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A city's folder: `liandong.toml`, `client.toml`, `city.key`, `certs/`, `keys/`, `data/`.
    #[must_use]
    pub fn folder(&self, code: u32) -> PathBuf {
        self.dir.join(code.to_string())
    }

    /// One city.
    #[must_use]
    pub fn city(&self, code: u32) -> Option<&City> {
        self.cities.iter().find(|c| c.code == code)
    }

    /// The agreement whose members are exactly these, in any order.
    #[must_use]
    pub fn agreement_of(&self, members: &[u32]) -> Option<&Agreement> {
        let mut wanted = members.to_vec();
        wanted.sort_unstable();
        self.agreements.iter().find(|a| a.members == wanted)
    }

    /// `liandong serve` of a city, not yet started: for whoever adds to its environment.
    ///
    /// The child ends with the *thread* that starts it: start it from one that lives on.
    ///
    /// # Errors
    /// [`Failure`] when its log file cannot be written.
    pub fn command(&self, exe: &Path, code: u32) -> Result<Command, Failure> {
        let folder = self.folder(code);
        let log = std::fs::File::options().create(true).append(true).open(folder.join("serve.log"));
        let log = log.map_err(|e| failed("serve.log")(&e))?;
        let mut command = Command::new(exe);
        command
            .arg("serve")
            .arg("--config")
            .arg(folder.join("liandong.toml"))
            .arg("--die-with-parent")
            .arg(std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Ok(command)
    }

    /// Starts a city's process.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub fn start(&self, exe: &Path, code: u32) -> Result<Child, Failure> {
        self.command(exe, code)?.spawn().map_err(|e| failed("serve")(&e))
    }

    /// The last lines that a city's process wrote to its log.
    #[must_use]
    pub fn last_words(&self, code: u32) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder(code).join("serve.log")).unwrap_or_default();
        let from = log.lines().count().saturating_sub(5);
        log.lines().skip(from).map(str::to_owned).collect()
    }

    /// How to reach a city's api port as one of its people or systems.
    #[must_use]
    pub fn profile(&self, code: u32, role: Role) -> Profile {
        let certs = self.folder(code).join("certs");
        Profile {
            api: self.city(code).map(|c| c.api.to_string()).unwrap_or_default(),
            cert: certs.join(format!("{}.pem", role.name())),
            key: certs.join(format!("{}.key", role.name())),
            ca: certs.join("ca.pem"),
            city: CityCode::from_u32(code).ok(),
            timeout_s: 30,
        }
    }

    /// Waits until a city's api port answers.
    ///
    /// # Errors
    /// [`Failure`] with the last refusal and the end of the process's own words.
    pub async fn connect(&self, code: u32, role: Role, lang: Lang) -> Result<Client, Failure> {
        let begun = Instant::now();
        loop {
            match Client::open(&self.profile(code, role), lang).await {
                Ok(client) => return Ok(client),
                Err(failure) if begun.elapsed() > READY_WITHIN => {
                    return Err(self.last_words(code).into_iter().fold(failure, Failure::detail));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

fn lay_out_secrets(folder: &Path, code: CityCode) -> Result<Operator, Failure> {
    // What an interrupted attempt left behind is of no use to anybody.
    let _ = std::fs::remove_dir_all(folder);
    for sub in ["certs", "keys", "data/inbox", "guard"] {
        std::fs::create_dir_all(folder.join(sub)).map_err(|e| failed(sub)(&e))?;
    }
    let wrong = |e: &dyn std::fmt::Display| failed("certificate")(e);
    let certs = folder.join("certs");
    let ca = pki::issue_ca(code).map_err(|e| wrong(&e))?;
    write(&certs.join("ca.pem"), ca.cert_pem.as_bytes())?;
    write_key(&certs.join("ca.key"), &ca.key_pem)?;
    let node = NodeId::new(*uuid::Uuid::now_v7().as_bytes());
    let loopback = std::net::IpAddr::from([127, 0, 0, 1]);
    let issued = pki::issue_node(&ca, code, node, &["localhost".to_owned()], &[loopback])
        .map_err(|e| wrong(&e))?;
    write(&certs.join("node.pem"), issued.cert_pem.as_bytes())?;
    write_key(&certs.join("node.key"), &issued.key_pem)?;
    for (role, id) in PEOPLE {
        let id = if role == Role::System { id.to_owned() } else { format!("{code}{id}") };
        let issued = pki::issue_person(&ca, code, role, &id).map_err(|e| wrong(&e))?;
        write(&certs.join(format!("{}.pem", role.name())), issued.cert_pem.as_bytes())?;
        write_key(&certs.join(format!("{}.key", role.name())), &issued.key_pem)?;
    }
    let city_key = keys::generate(&folder.join("city.key")).map_err(|e| failed("city key")(&e))?;
    Ok(Operator { code, node, city_key, ca })
}

fn charter_of(id: AgreementId, short_name: &str, who: &[&Operator]) -> Result<Charter, Failure> {
    let date = |text: &str| Date::parse(text).map_err(|e| failed("date")(&e));
    let member = |o: &&Operator| {
        let known = FIVE.iter().find(|(c, ..)| *c == o.code.as_u32());
        let (name, short) = known.map_or(("", "市"), |(_, name, short)| (*name, *short));
        Member {
            city: o.code,
            short_name: short.to_owned(),
            name: name.to_owned(),
            city_key: o.city_key.verifying_key(),
            recovery_key: None,
        }
    };
    Ok(Charter {
        agreement: id,
        version: 1,
        supersedes: None,
        short_name: short_name.to_owned(),
        title: format!("{short_name}行政边界地区环境执法联动协议（演示）"),
        begin_on: date("2024-01-01")?,
        end_on: date("2030-12-31")?,
        belt_metres: 10_000,
        deadlines: Deadlines::default(),
        members: who.iter().map(member).collect(),
        border_pairs: Vec::new(),
        amendments: Vec::new(),
    })
}
