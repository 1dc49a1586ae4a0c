//! Clues from on-line monitoring data (HJ 212-2017), by the real program at real nodes: from a file
//! and over TCP, the refusals, and the password that is nowhere afterwards.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use liandong::cli::connect::Client;
use liandong::hj212::Framer;
use liandong::hj212::frame::wrap;
use liandong::ids::hex;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use rustix::process::Signal;
use serde_json::Value;

use super::api::{HERE, Pair, create, get, list_all, sample};
use super::evidence_files::{below, download, fetch, file, hashes};
use super::nodes::{Nodes, exe, signal, until};

const WATER: &str = include_str!("../../examples/hj212/water.txt");
const AIR: &str = include_str!("../../examples/hj212/air.txt");
const LIMITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hj212/limits.toml");
const WATER_MN: &str = "LD371522YYYY9001000000A1";
const AIR_MN: &str = "LD371522YYYY9001000000B2";
/// The passwords of what is made here: like nothing else on the disk.
const SECRET: &str = "Xq7Zk9Vw";

/// `liandong ingest hj212` as a coordinator of the first city.
fn ingest(nodes: &Nodes, args: &[&str]) -> Command {
    ingest_as(nodes, Role::Coordinator, args)
}

fn ingest_as(nodes: &Nodes, role: Role, args: &[&str]) -> Command {
    let profile = nodes.fleet.profile(HERE, role);
    let mut command = Command::new(exe());
    command.args(["ingest", "hj212", "--limits", LIMITS, "--lang", "en", "--json"]);
    command.args(["--api", &profile.api]).args(args);
    command.arg("--cert").arg(&profile.cert).arg("--key").arg(&profile.key);
    command.arg("--ca").arg(&profile.ca);
    command
}

/// What a run printed: its report, and all of it as text.
fn report(output: &Output) -> (Value, String) {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let all = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
    let value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {all}"));
    (value, all)
}

/// A packet as devices send it, its password ours.
fn packet(st: u8, cn: u16, mn: &str, flag: &str, body: &str) -> Vec<u8> {
    wrap(&format!(
        "QN=20261102110000123;ST={st};CN={cn};PW={SECRET};MN={mn};Flag={flag};CP=&&{body}&&"
    ))
}

/// Everything in a folder and below that holds this text.
fn files_with(folder: &Path, text: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).is_ok_and(|b| b.windows(text.len()).any(|w| w == text)) {
            found.push(path);
        }
    }
    found
}

async fn numbered(client: &Client, number: &str) -> Vec<pb::Case> {
    let request = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        external_number: number.to_owned(),
        ..pb::ListCasesRequest::default()
    };
    client.cases().list_cases(request).await.unwrap().into_inner().cases
}

/// A packet in two parts.
fn halves() -> [Vec<u8>; 2] {
    [
        ("7;PNUM=2;PNO=1", "w01018-Avg=60,w01018-Flag=N"),
        ("7;PNUM=2;PNO=2", "w21003-Avg=6,w21003-Flag=N"),
    ]
    .map(|(flag, values)| {
        packet(32, 2061, WATER_MN, flag, &format!("DataTime=20261102160000;{values}"))
    })
}

/// The samples, and one packet of each kind that does not count.
fn mixed() -> Vec<u8> {
    let over = "w01018-Avg=83.2,w01018-Flag=N";
    let at = |hour: &str, rest: &str| format!("DataTime=20261102{hour}0000;{rest}");
    let water = |flag: &str, body: &str| packet(32, 2061, WATER_MN, flag, body);
    let bad_crc = {
        let mut packet = water("5", &at("10", over));
        let digit = packet.len() - 3;
        packet[digit] = if packet[digit] == b'0' { b'1' } else { b'0' };
        packet
    };
    let mut gbk = b"QN=20261102110000123;ST=32;CN=2061;MN=A;Flag=5;CP=&&N=".to_vec();
    gbk.extend_from_slice(&[0xc1, 0xc4, b'&', b'&']);
    let crc = liandong::hj212::crc::crc16(&gbk);
    let crc = format!("{crc:04X}").into_bytes();
    let gbk = [format!("##{:04}", gbk.len()).into_bytes(), gbk, crc];
    [
        WATER.as_bytes().to_vec(),
        b"noise\n".to_vec(),
        AIR.as_bytes().to_vec(),
        bad_crc,
        gbk.concat(),
        water("5", &at("11", "w01018-Avg=83.2,w01018-Flag=D")),
        water("5", &at("12", "w01018-Avg=501,w01018-Flag=N")),
        water("5", &at("13", "w01018-Avg=83.2,w01018-Flag=T")),
        water("5", &at("14", "w01018-Avg=49.9,w01018-Flag=N")),
        water("5", &at("15", "w01018-Avg=8x,w01018-Flag=N")),
        packet(32, 2011, WATER_MN, "5", &at("10", "w01018-Rtd=99,w01018-Flag=N")),
        packet(32, 2061, "OTHER", "5", &at("10", over)),
        packet(21, 2061, WATER_MN, "5", &at("10", over)),
        water("5", "DataTime=20991102100000;w01018-Avg=83.2,w01018-Flag=N"),
        water("5", "DataTime=20261102101500;w01018-Avg=83.2,w01018-Flag=N"),
        wrap(&format!("QN=1;ST=32;CN=2061;PW={SECRET};MN=A;Flag=5;CP=&&&&")),
        halves().concat(),
        b"##0200QN=".to_vec(),
    ]
    .concat()
}

fn check_report(report: &Value) {
    assert_eq!(report["packets"]["accepted"], 13, "{report:#}");
    let refused = serde_json::json!({
        "CRC": 1, "NOT_ASCII": 1, "DATA_TIME": 1, "FIELD_VALUE": 1, "TRUNCATED": 1,
    });
    assert_eq!(report["packets"]["refused"], refused, "{report:#}");
    let passed = serde_json::json!({
        "OTHER_DATA": 1, "UNKNOWN_STATION": 1, "NOT_A_SOURCE": 1, "IN_FUTURE": 1,
    });
    assert_eq!(report["not_judged"], passed, "{report:#}");
    let ignored = serde_json::json!({
        "NO_LIMIT": 1, "FLAG_D": 2, "FLAG_T": 1, "OVER_RANGE": 1, "BAD_VALUE": 1,
    });
    assert_eq!(report["values"]["ignored"], ignored, "{report:#}");
    assert_eq!((&report["judged"], &report["over_limit"]), (&8.into(), &3.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f37_hour_data_above_its_limits_becomes_a_clue() {
    let pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.txt");
    std::fs::write(&file, mixed()).unwrap();
    let node = pair.nodes.fleet.folder(HERE);
    let before = files_with(&node, b"123456").len();
    let args = [file.to_str().unwrap(), "--dry-run"];
    let (shown, dry) = report(&ingest(&pair.nodes, &args).output().unwrap());
    check_report(&shown);
    assert_eq!(shown["would_be_drafted"], 3);
    assert!(list_all(&pair.here, &pair.agreement).await.is_empty());

    let (done, said) = report(&ingest(&pair.nodes, &args[..1]).output().unwrap());
    check_report(&done);
    assert_eq!((&done["drafted"], &done["already_there"]), (&3.into(), &0.into()), "{done:#}");
    check_clues(&pair, &done).await;
    let files = below(&node.join("data/evidence"));

    // The same once more, from standard input: nothing new.
    let input = std::fs::File::open(&file).unwrap();
    let again = ingest(&pair.nodes, &["-"]).stdin(input).output().unwrap();
    assert_eq!(again.status.code(), Some(0));
    let (again, said_again) = report(&again);
    assert_eq!((&again["drafted"], &again["already_there"]), (&0.into(), &3.into()));
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 3);
    assert_eq!(below(&node.join("data/evidence")), files);

    // The same hour in another packet: no second clue; it is evidence of the first, once.
    let anew = "DataTime=20261102090000;w01018-Avg=90,w01018-Flag=N";
    let (anew, path) = (packet(32, 2061, WATER_MN, "4", anew), folder.path().join("anew.txt"));
    std::fs::write(&path, &anew).unwrap();
    for counts in [(1, 0), (0, 1)] {
        let output = ingest(&pair.nodes, &[path.to_str().unwrap()]).output().unwrap();
        let (done, said) = report(&output);
        assert_eq!(done["drafted"], 0, "{said}");
        let counts: (Value, Value) = (counts.0.into(), counts.1.into());
        assert_eq!((&done["evidence_added"], &done["already_there"]), (&counts.0, &counts.1));
    }
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 3);
    let clue = numbered(&pair.here, &format!("{WATER_MN}-20261102090000")).await.remove(0);
    assert_eq!(download(&pair.here, &clue.name, &sent(&anew), 0).await.unwrap(), sent(&anew));
    assert!(below(&node.join("data/evidence")).len() > files.len());

    // The passwords are nowhere: not in what was said, nor in the evidence, nor at the nodes.
    for text in [&dry, &said, &said_again] {
        assert!(!text.contains(SECRET) && !text.contains("PW=1"), "{text}");
    }
    assert_eq!(files_with(pair.nodes.fleet.dir(), SECRET.as_bytes()), [""; 0].map(PathBuf::from));
    assert_eq!(files_with(&node, b"123456").len(), before);
    refusals(&pair, &file).await;
}

/// What a device sent in one packet, as evidence: its segment without the password.
fn sent(packet: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(packet).unwrap().trim_end();
    let segment = &text["##0000".len()..text.len() - "CRC4".len()];
    let (before, after) = segment.split_once("PW=").unwrap();
    let (_, after) = after.split_once(';').unwrap();
    format!("{before}{after}\n").into_bytes()
}

/// The neighbour has its node bring the evidence of a clue: it is what was sent.
async fn is_fetched(pair: &Pair, number: &str, sent: &[u8]) -> pb::Evidence {
    let clue = numbered(&pair.here, number).await.remove(0);
    pair.held(&pair.there, &clue).await;
    let [item] = &clue.record.unwrap().evidence[..] else { panic!("one item: {number}") };
    let (sha256, sm3) = hashes(sent);
    assert_eq!((&item.sha256[..], &item.sm3[..]), (&sha256[..], &sm3[..]));
    assert!(file(&pair.here, &clue.name, sent).await.unwrap().here, "at the own node");
    assert!(fetch(&pair.there, &clue.name, sent).await.unwrap().here);
    assert_eq!(download(&pair.there, &clue.name, sent, 0).await.unwrap(), sent);
    item.clone()
}

async fn check_clues(pair: &Pair, done: &Value) {
    let number = format!("{WATER_MN}-20261102090000");
    let clue = numbered(&pair.here, &number).await.remove(0);
    let there = pair.held(&pair.there, &clue).await;
    assert_eq!(there.record, clue.record);
    let (facts, record) = (clue.facts.clone().unwrap(), clue.record.clone().unwrap());
    assert_eq!(clue.state(), pb::CaseState::ClueReported);
    assert_eq!(clue.external_ref.unwrap().system, "HJ212");
    assert_eq!(facts.source(), pb::Source::OnlineMonitoring);
    assert_eq!(facts.medium(), pb::Medium::Water);
    assert_eq!(facts.violation(), pb::Violation::WaterExceed);
    assert_eq!((facts.county_code, facts.discover_time_ms), (371_522, 1_793_581_200_000));
    assert_eq!(facts.occurred_from, Some(pb::Date { year: 2026, month: 11, day: 2 }));
    assert_eq!(record.party.unwrap().uscc, "91371522YYYY90011A");
    let measured: Vec<_> = record
        .pollutants
        .iter()
        .map(|p| (p.code.as_str(), p.value.as_str(), p.limit.as_str(), p.exceed_multiple.as_str()))
        .collect();
    assert_eq!(measured, [("w01018", "83.2", "50", "0.66"), ("w21003", "6.21", "5", "0.24")]);
    let first = WATER.split_inclusive('\n').next().unwrap();
    let item = is_fetched(pair, &number, &sent(first.as_bytes())).await;
    assert_eq!(item.kind(), pb::EvidenceKind::OnlineMonitoringData);
    assert!(item.title.contains("已去除访问密码 PW"), "{}", item.title);
    assert!(!item.reviewed_legal && !item.reviewed_technical);
    let named = done["clues"].as_array().unwrap().iter().find(|c| c["number"] == *number).unwrap();
    assert_eq!(named["evidence_sha256"], hex(&item.sha256));

    // NOx has flag D: only dust is in the clue; SO2 is below its limit.
    let air = numbered(&pair.here, &format!("{AIR_MN}-20261102090000")).await.remove(0);
    assert_eq!(air.facts.unwrap().violation(), pb::Violation::AirExceed);
    let dust = &air.record.unwrap().pollutants;
    assert_eq!((dust.len(), dust[0].code.as_str(), dust[0].value.as_str()), (1, "a34013", "12.6"));
    // Both halves of the split packet.
    let number = format!("{WATER_MN}-20261102160000");
    is_fetched(pair, &number, &halves().map(|half| sent(&half)).concat()).await;
    let split = numbered(&pair.here, &number).await.remove(0);
    assert_eq!(split.record.unwrap().pollutants.len(), 2);
}

async fn refusals(pair: &Pair, file: &Path) {
    let file = file.to_str().unwrap();
    // Who may not open cases may not do it this way either; the report names the reason.
    let auditor = ingest_as(&pair.nodes, Role::Auditor, &[file]).output().unwrap();
    assert_eq!(auditor.status.code(), Some(1));
    let (failed, said) = report(&auditor);
    assert_eq!((&failed["failed"], &failed["drafted"]), (&3.into(), &0.into()), "{said}");
    assert!(said.contains("ROLE_NOT_ALLOWED") && !said.contains(SECRET), "{said}");
    // A system may name the officer it acts for; a person acts for nobody.
    let named = [file, "--acting-for", "37150099011"];
    let person = ingest(&pair.nodes, &named).output().unwrap();
    assert_eq!(person.status.code(), Some(1));
    assert!(report(&person).1.contains("ACTING_FOR_NOT_ALLOWED"));
    let system = ingest_as(&pair.nodes, Role::System, &named).output().unwrap();
    assert_eq!(report(&system).0["already_there"], 3);
    // A file of which nothing can be used.
    let wrong = Path::new(file).with_file_name("wrong.txt");
    std::fs::write(&wrong, "##0004PW=15DF3\n##12").unwrap();
    let output = ingest(&pair.nodes, &[wrong.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let reasons = report(&output).0["packets"]["refused"].clone();
    assert_eq!(reasons, serde_json::json!({ "CRC": 1, "TRUNCATED": 1 }));
    for args in [vec![file, "--limits", "nowhere.toml"], vec!["nowhere.txt"]] {
        let mut command = Command::new(exe());
        command.args(["ingest", "hj212", "--dry-run", "--lang", "en"]);
        if args.len() == 1 {
            command.args(["--limits", LIMITS]);
        }
        let output = command.args(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(5));
        assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere"));
    }
}

/// A running listener; it ends with the test.
struct Listener {
    child: Child,
    at: SocketAddr,
    errors: BufReader<std::process::ChildStderr>,
}

impl Listener {
    fn start(nodes: &Nodes, args: &[&str]) -> Self {
        let mut command = ingest(nodes, &[&["--listen", "0"], args].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let at = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
        Self { at: at.parse().unwrap(), child, errors }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Tells it to stop; gives its report, and all it said.
    fn stop(mut self) -> (Value, String) {
        signal(self.child.id(), Signal::INT);
        let (mut out, mut errors) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.errors.read_to_string(&mut errors).unwrap();
        self.child.wait().unwrap();
        (serde_json::from_str(&out).unwrap(), format!("{out}{errors}"))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next packet that the listener sends; `None` when it has closed.
fn answer(stream: &mut TcpStream) -> Option<liandong::hj212::Packet> {
    let (mut framer, mut bytes) = (Framer::default(), [0; 256]);
    loop {
        match stream.read(&mut bytes).unwrap() {
            0 => return None,
            read => {
                if let Some(found) = framer.feed(&bytes[..read]).into_iter().next() {
                    return Some(found.packet.unwrap());
                }
            }
        }
    }
}

fn hour(day: u8, hour: u8) -> Vec<u8> {
    let body = format!("DataTime=202611{day:02}{hour:02}0000;w01018-Avg=83.2,w01018-Flag=N");
    packet(32, 2061, WATER_MN, "5", &body)
}

fn number(day: u8, hour: u8) -> String {
    format!("{WATER_MN}-202611{day:02}{hour:02}0000")
}

/// What lies in a spool folder and waits.
fn waiting(spool: &Path) -> Vec<PathBuf> {
    let drafted = spool.join("drafted");
    below(spool).into_iter().filter(|path| !path.starts_with(&drafted)).collect()
}

/// The node starts again.
async fn back(pair: &mut Pair) {
    pair.nodes.start(HERE);
    pair.here = pair.nodes.client(HERE).await;
    super::api::ready(&pair.here, &pair.agreement).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f37_devices_are_answered_and_nothing_is_lost_while_the_node_is_away() {
    let mut pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let spool_args = ["--spool", spool.to_str().unwrap()];
    let listener = Listener::start(&pair.nodes, &spool_args);
    let mut device = listener.connect();
    // A packet in two pieces, a wrong one, and one that wants no answer before one that does.
    let first = hour(2, 9);
    device.write_all(&first[..50]).unwrap();
    device.flush().unwrap();
    device.write_all(&first[50..]).unwrap();
    let got = answer(&mut device).unwrap();
    assert_eq!((got.cn, got.qn.as_str(), got.mn.as_str()), (9014, "20261102110000123", WATER_MN));
    let mut wrong = hour(2, 10);
    wrong[60] ^= 1;
    device.write_all(&wrong).unwrap();
    let quiet = "DataTime=20261102110000;w01018-Avg=1,w01018-Flag=N";
    device.write_all(&packet(32, 2061, WATER_MN, "4", quiet)).unwrap();
    let air = String::from_utf8(AIR.as_bytes().to_vec()).unwrap();
    device.write_all(air.as_bytes()).unwrap();
    assert_eq!(answer(&mut device).unwrap().mn, AIR_MN, "only the last one");
    // Another device sends the first hour again.
    let mut other = listener.connect();
    other.write_all(&first).unwrap();
    assert_eq!(answer(&mut other).unwrap().cn, 9014);
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 2);
    assert_eq!(waiting(&spool), [""; 0].map(PathBuf::from), "the node has it all");
    is_fetched(&pair, &number(2, 9), &sent(&first)).await;
    // The node goes away: the hour is kept, without its password, and answered.
    pair.nodes.kill(HERE);
    device.write_all(&hour(2, 12)).unwrap();
    assert_eq!(answer(&mut device).unwrap().cn, 9014);
    let [kept] = &waiting(&spool)[..] else { panic!("one file") };
    assert_eq!(std::fs::read(kept).unwrap(), sent(&hour(2, 12)));
    let (report, said) = listener.stop();
    assert_eq!((&report["drafted"], &report["already_there"]), (&2.into(), &1.into()), "{said}");
    assert_eq!((&report["spooled"], &report["connections"]), (&1.into(), &2.into()), "{said}");
    assert_eq!(report["packets"]["refused"]["CRC"], 1, "{said}");
    assert!(!said.contains(SECRET) && said.contains("CONNECTION_LOST"), "{said}");

    // Back again: the next run drafts it, and the other city can have what the device sent.
    back(&mut pair).await;
    let nothing = folder.path().join("nothing.txt");
    std::fs::write(&nothing, "").unwrap();
    let args = [nothing.to_str().unwrap(), spool_args[0], spool_args[1]];
    let output = ingest(&pair.nodes, &args).output().unwrap();
    assert_eq!((self::report(&output).0["drafted"].clone(), kept.exists()), (1.into(), false));
    is_fetched(&pair, &number(2, 12), &sent(&hour(2, 12))).await;
    // What cannot be kept is not answered, and no clue says that it is somewhere.
    let listener = Listener::start(&pair.nodes, &spool_args);
    let mut device = listener.connect();
    std::fs::remove_dir_all(&spool).unwrap();
    std::fs::write(&spool, "no folder").unwrap();
    device.write_all(&hour(2, 13)).unwrap();
    assert!(answer(&mut device).is_none(), "closed without an answer");
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 3);
    // So the device sends again, and this time the folder is there.
    std::fs::remove_file(&spool).unwrap();
    let mut device = listener.connect();
    device.write_all(&hour(2, 13)).unwrap();
    assert_eq!(answer(&mut device).unwrap().cn, 9014);
    let (report, said) = listener.stop();
    assert_eq!((&report["failed"], &report["drafted"]), (&1.into(), &1.into()), "{said}");
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 4);
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), [""; 0].map(PathBuf::from));
    assert_eq!(
        files_with(&pair.nodes.fleet.folder(HERE), SECRET.as_bytes()),
        [""; 0].map(PathBuf::from)
    );
}

/// The node's evidence folder takes so many bytes from its next start on.
async fn room_for(pair: &mut Pair, bytes: u64) {
    pair.nodes.kill(HERE);
    let config = pair.nodes.fleet.folder(HERE).join("liandong.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let kept = text.lines().filter(|line| !line.starts_with("evidence_folder_bytes_max"));
    let setting = format!("[limits]\nevidence_folder_bytes_max = {bytes}");
    let text = kept.map(|line| line.replace("[limits]", &setting) + "\n").collect::<String>();
    std::fs::write(&config, text).unwrap();
    back(pair).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f37_packets_are_kept_until_the_node_has_taken_them_as_evidence() {
    let mut pair = Pair::start().await;
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let (file, nothing) = (folder.path().join("day.txt"), folder.path().join("nothing.txt"));
    let packets = [hour(2, 9), hour(2, 10)];
    std::fs::write(&file, packets.concat()).unwrap();
    std::fs::write(&nothing, "").unwrap();
    let [file, nothing, spool_at] = [&file, &nothing, &spool].map(|path| path.to_str().unwrap());
    let spool_args = ["--spool", spool_at];
    room_for(&mut pair, 1).await;

    // From a file: told, not done, and to be run again.
    let full = ingest(&pair.nodes, &[file]).output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    let (told, said) = report(&full);
    assert_eq!((&told["failed"], &told["drafted"]), (&2.into(), &0.into()), "{said}");
    assert!(said.contains("EVIDENCE_FOLDER_FULL") && said.contains("not uploaded"), "{said}");
    // From a device: the clue is there, its bytes wait, also while other packets of the hour come.
    let listener = Listener::start(&pair.nodes, &spool_args);
    let mut device = listener.connect();
    let body = "DataTime=20261102090000;w01018-Avg=90,w01018-Flag=N";
    let anew = packet(32, 2061, WATER_MN, "5", body);
    for packet in [&packets[0], &packets[0], &anew, &hour(2, 11)] {
        device.write_all(packet).unwrap();
        assert_eq!(answer(&mut device).unwrap().cn, 9014);
    }
    let (told, said) = listener.stop();
    assert_eq!((&told["spooled"], &told["already_there"]), (&4.into(), &0.into()), "{said}");
    assert!(said.contains("EVIDENCE_FOLDER_FULL"), "{said}");
    let mut kept: Vec<_> = waiting(&spool).iter().map(|p| std::fs::read(p).unwrap()).collect();
    kept.sort();
    let mut all = vec![sent(&packets[0]), sent(&anew), sent(&hour(2, 11))];
    all.sort();
    assert_eq!(kept, all);
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 3);
    // Who may not write loses nothing either.
    let auditor = ingest_as(&pair.nodes, Role::Auditor, &[&[file][..], &spool_args].concat());
    let (told, said) = report(&{ auditor }.output().unwrap());
    assert!(told["spooled"] == 2 && said.contains("ROLE_NOT_ALLOWED"), "{said}");
    assert_eq!(waiting(&spool).len(), 4);

    // There is room: a system uploads what waits, and nothing twice.
    room_for(&mut pair, 1_000_000).await;
    for already in [4, 0] {
        let again = [&[nothing][..], &spool_args].concat();
        let (done, said) = report(&ingest_as(&pair.nodes, Role::System, &again).output().unwrap());
        assert_eq!(
            (&done["already_there"], &done["drafted"]),
            (&already.into(), &0.into()),
            "{said}"
        );
    }
    assert_eq!(waiting(&spool), [""; 0].map(PathBuf::from));
    for at in 9..=11 {
        is_fetched(&pair, &number(2, at), &sent(&hour(2, at))).await;
    }
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 3);

    // It lies in the spool before the node is asked: the node hangs, and the listener dies.
    let listener = Listener::start(&pair.nodes, &spool_args);
    let mut device = listener.connect();
    signal(pair.nodes.pid(HERE), Signal::STOP);
    device.write_all(&hour(2, 12)).unwrap();
    until("it is kept", || async { (waiting(&spool).len() == 1).then_some(()) }).await;
    drop(listener);
    signal(pair.nodes.pid(HERE), Signal::CONT);
    let args = [&[nothing][..], &spool_args].concat();
    assert_eq!(ingest(&pair.nodes, &args).output().unwrap().status.code(), Some(0));
    is_fetched(&pair, &number(2, 12), &sent(&hour(2, 12))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f37_an_hour_that_is_taken_back_stands_beside_the_one_that_accused() {
    let mut pair = Pair::start().await;
    let spool = tempfile::tempdir().unwrap();
    let args = ["--spool", spool.path().to_str().unwrap()];
    let listener = Listener::start(&pair.nodes, &args);
    let mut device = listener.connect();
    let mut send = |packet: &[u8]| {
        device.write_all(packet).unwrap();
        assert_eq!(answer(&mut device).unwrap().cn, 9014);
    };
    let anew = |hour: u8, value: &str| {
        let body = format!("DataTime=202611020{hour}0000;w01018-Avg={value}");
        packet(32, 2061, WATER_MN, "5", &body)
    };
    let (below, void) = (anew(9, "40,w01018-Flag=N"), anew(9, "83.2,w01018-Flag=D"));
    for packet in [&hour(2, 9), &below, &void, &below, &anew(8, "40,w01018-Flag=N")] {
        send(packet);
    }
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 1, "an hour below opens nothing");
    let clue = numbered(&pair.here, &number(2, 9)).await.remove(0).name;
    for packet in [&hour(2, 9), &below, &void] {
        assert!(file(&pair.here, &clue, &sent(packet)).await.unwrap().here);
        let comes = || async { fetch(&pair.there, &clue, &sent(packet)).await.ok() };
        assert!(until("the neighbour has it too", comes).await.here);
    }
    // Also while the node is away, and by the next run.
    pair.nodes.kill(HERE);
    let last = anew(9, "41,w01018-Flag=N");
    send(&last);
    send(&anew(8, "41,w01018-Flag=N"));
    assert_eq!(waiting(spool.path()).len(), 1, "what never was a clue is not kept");
    let (told, said) = listener.stop();
    assert_eq!((&told["drafted"], &told["evidence_added"]), (&1.into(), &2.into()), "{said}");
    assert_eq!((&told["already_there"], &told["spooled"]), (&1.into(), &1.into()), "{said}");
    back(&mut pair).await;
    let nothing = tempfile::NamedTempFile::new().unwrap();
    let again = [nothing.path().to_str().unwrap(), args[0], args[1]];
    let (told, said) = report(&ingest(&pair.nodes, &again).output().unwrap());
    assert_eq!(told["evidence_added"], 1, "{said}");
    assert_eq!(waiting(spool.path()), [""; 0].map(PathBuf::from));
    assert!(file(&pair.here, &clue, &sent(&last)).await.unwrap().here);
}

#[tokio::test(flavor = "multi_thread")]
async fn f37_a_part_that_was_answered_outlives_the_listener() {
    let pair = Pair::start().await;
    let spool = tempfile::tempdir().unwrap();
    let args = ["--spool", spool.path().to_str().unwrap()];
    let [first, second] = halves();
    let listener = Listener::start(&pair.nodes, &args);
    let mut device = listener.connect();
    device.write_all(&first).unwrap();
    assert_eq!(answer(&mut device).unwrap().cn, 9014);
    // The device has forgotten it, and nobody has the other part yet.
    drop((device, listener));
    assert!(list_all(&pair.here, &pair.agreement).await.is_empty());
    let listener = Listener::start(&pair.nodes, &args);
    let mut device = listener.connect();
    device.write_all(&second).unwrap();
    assert_eq!(answer(&mut device).unwrap().cn, 9014);
    let (report, said) = listener.stop();
    assert_eq!((&report["drafted"], &report["packets"]["accepted"]), (&1.into(), &1.into()));
    assert!(!said.contains(SECRET), "{said}");
    let bytes = halves().map(|half| sent(&half)).concat();
    is_fetched(&pair, &format!("{WATER_MN}-20261102160000"), &bytes).await;
    assert_eq!(waiting(spool.path()), [""; 0].map(PathBuf::from), "nothing is left of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn f37_noise_and_silence_end_a_connection_and_no_other() {
    let pair = Pair::start().await;
    let spool = tempfile::tempdir().unwrap();
    let spool = spool.path().to_str().unwrap();
    let listener = Listener::start(&pair.nodes, &["--idle-s", "1", "--spool", spool]);
    let mut silent = listener.connect();
    assert!(answer(&mut silent).is_none(), "it is idle");
    let mut noisy = listener.connect();
    // It may be closed while this is being written.
    let _ = noisy.write_all(&vec![b'x'; 200_000]);
    assert!(noisy.read(&mut [0; 1]).map_or(true, |read| read == 0));
    let mut device = listener.connect();
    device.write_all(&hour(2, 9)).unwrap();
    assert_eq!(answer(&mut device).unwrap().cn, 9014);
    let (report, said) = listener.stop();
    assert_eq!((&report["drafted"], &report["connections"]), (&1.into(), &3.into()), "{said}");
    assert!(report["garbage_bytes"].as_u64().unwrap() > 64 * 1024, "{said}");
}

/// Power meters and drones: their sources and evidence go from the file of a case to the other city,
/// with the reviews that 行政处罚法 art. 41 wants.
#[tokio::test(flavor = "multi_thread")]
async fn f37_power_and_drone_records_have_their_own_codes_at_both_ends() {
    let pair = Pair::start().await;
    let text = include_str!("../../examples/case.json");
    for (source, kind, shown) in [
        ("POWER_MONITORING", "POWER_MONITORING_DATA", "用电监控"),
        ("UAV_PATROL", "UAV_IMAGERY", "无人机"),
    ] {
        let mut case: Value = serde_json::from_str(text).unwrap();
        case["source"] = source.into();
        case["evidence"][0]["kind"] = kind.into();
        case["evidence"][0]["reviewed_legal"] = true.into();
        let draft = liandong::import::draft::read(&case.to_string(), None).unwrap();
        let mut request = sample(&pair.agreement, 0);
        request.facts = Some(draft.facts);
        request.record = Some(draft.record);
        let opened = create(&pair.here, request).await.unwrap();
        pair.held(&pair.there, &opened).await;
        let there = get(&pair.there, &opened.name).await.unwrap();
        let name = there.facts.as_ref().unwrap().source();
        assert_eq!(name.as_str_name(), format!("SOURCE_{source}"));
        assert!(liandong::cli::words::source(name, liandong::lang::Lang::Zh).contains(shown));
        let item = &there.record.as_ref().unwrap().evidence[0];
        assert_eq!(item.kind().as_str_name(), format!("EVIDENCE_KIND_{kind}"));
        assert!(item.reviewed_legal && !item.reviewed_technical);
    }
    let mut unknown: Value = serde_json::from_str(text).unwrap();
    unknown["evidence"][0]["kind"] = "UAV".into();
    let refused = liandong::import::draft::read(&unknown.to_string(), None).unwrap_err();
    assert!(refused.to_string().contains("evidence.kind"), "{refused}");
}
