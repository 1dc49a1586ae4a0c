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
use liandong::log::merkle::digest;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use rustix::process::Signal;
use serde_json::Value;

use super::api::{HERE, Pair, create, get, list_all, sample};
use super::nodes::{Nodes, exe, signal};

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
        water("7;PNUM=2;PNO=1", "DataTime=20261102160000;w01018-Avg=60,w01018-Flag=N"),
        water("7;PNUM=2;PNO=2", "DataTime=20261102160000;w21003-Avg=6,w21003-Flag=N"),
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
    let (file, evidence) = (folder.path().join("day.txt"), folder.path().join("evidence"));
    std::fs::write(&file, mixed()).unwrap();
    let node = pair.nodes.fleet.folder(HERE);
    let before = files_with(&node, b"123456").len();
    let args = [file.to_str().unwrap(), "--evidence-dir", evidence.to_str().unwrap()];
    let dry = ingest(&pair.nodes, &[&args[..], &["--dry-run"]].concat()).output().unwrap();
    let (shown, dry) = report(&dry);
    check_report(&shown);
    assert_eq!((&shown["would_be_drafted"], evidence.exists()), (&3.into(), false));
    assert!(list_all(&pair.here, &pair.agreement).await.is_empty());

    let (done, said) = report(&ingest(&pair.nodes, &args).output().unwrap());
    check_report(&done);
    assert_eq!((&done["drafted"], &done["already_there"]), (&3.into(), &0.into()), "{done:#}");
    check_clues(&pair, &evidence, &done).await;

    // The same once more, from standard input: nothing new, and no evidence without a clue.
    let again = ["-", "--evidence-dir", evidence.to_str().unwrap()];
    let input = std::fs::File::open(&file).unwrap();
    let again = ingest(&pair.nodes, &again).stdin(input).output().unwrap();
    assert_eq!(again.status.code(), Some(0));
    let (again, said_again) = report(&again);
    assert_eq!((&again["drafted"], &again["already_there"]), (&0.into(), &3.into()));
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 3);
    assert_eq!(std::fs::read_dir(&evidence).unwrap().count(), 3);

    // The same hour in another packet: no second clue, no evidence that belongs to none.
    let anew = "DataTime=20261102090000;w01018-Avg=90,w01018-Flag=N";
    std::fs::write(folder.path().join("anew.txt"), packet(32, 2061, WATER_MN, "4", anew)).unwrap();
    let anew = folder.path().join("anew.txt");
    let args = [anew.to_str().unwrap(), args[1], args[2]];
    let (anew, _) = report(&ingest(&pair.nodes, &args).output().unwrap());
    assert_eq!((&anew["drafted"], &anew["already_there"]), (&0.into(), &1.into()));
    assert_eq!(std::fs::read_dir(&evidence).unwrap().count(), 3);

    // The passwords are nowhere: not in what was said, nor in the evidence, nor at the nodes.
    for text in [&dry, &said, &said_again] {
        assert!(!text.contains(SECRET) && !text.contains("PW=1"), "{text}");
    }
    assert_eq!(files_with(&evidence, b"PW"), [""; 0].map(PathBuf::from));
    assert_eq!(files_with(pair.nodes.fleet.dir(), SECRET.as_bytes()), [""; 0].map(PathBuf::from));
    assert_eq!(files_with(&evidence, b"123456"), [""; 0].map(PathBuf::from));
    assert_eq!(files_with(&node, b"123456").len(), before);
    refusals(&pair, &file).await;
}

async fn check_clues(pair: &Pair, evidence: &Path, done: &Value) {
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
    let [item] = &record.evidence[..] else { panic!("{:?}", record.evidence) };
    assert_eq!(item.kind(), pb::EvidenceKind::OnlineMonitoringData);
    assert!(item.title.contains("已去除访问密码 PW"), "{}", item.title);
    assert!(!item.reviewed_legal && !item.reviewed_technical);
    let named = done["clues"].as_array().unwrap().iter().find(|c| c["number"] == *number).unwrap();
    let bytes = std::fs::read(evidence.join(named["evidence_file"].as_str().unwrap())).unwrap();
    assert_eq!(item.sha256, digest(&bytes).as_bytes().to_vec());
    assert_eq!(named["evidence_sha256"], hex(&item.sha256));
    assert_eq!(item.size_bytes as usize, bytes.len());
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("QN=20261102100000123;ST=32;CN=2061;MN="), "{text}");

    // NOx has flag D: only dust is in the clue; SO2 is below its limit.
    let air = numbered(&pair.here, &format!("{AIR_MN}-20261102090000")).await.remove(0);
    assert_eq!(air.facts.unwrap().violation(), pb::Violation::AirExceed);
    let dust = &air.record.unwrap().pollutants;
    assert_eq!((dust.len(), dust[0].code.as_str(), dust[0].value.as_str()), (1, "a34013", "12.6"));
    // Both halves of the split packet.
    let split = numbered(&pair.here, &format!("{WATER_MN}-20261102160000")).await.remove(0);
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
    // The node goes away: the hour is kept, without its password, and answered.
    pair.nodes.kill(HERE);
    device.write_all(&hour(2, 12)).unwrap();
    assert_eq!(answer(&mut device).unwrap().cn, 9014);
    let kept = spool.join(format!("{WATER_MN}-20261102120000.txt"));
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(text.starts_with("QN=") && !text.contains("PW"), "{text}");
    let (report, said) = listener.stop();
    assert_eq!((&report["drafted"], &report["already_there"]), (&2.into(), &1.into()), "{said}");
    assert_eq!((&report["spooled"], &report["connections"]), (&1.into(), &2.into()), "{said}");
    assert_eq!(report["packets"]["refused"]["CRC"], 1, "{said}");
    assert!(!said.contains(SECRET) && said.contains("CONNECTION_LOST"), "{said}");

    // Back again: the next run drafts it; without a spool, a failure is not answered.
    pair.nodes.start(HERE);
    pair.here = pair.nodes.client(HERE).await;
    super::api::ready(&pair.here, &pair.agreement).await;
    let nothing = folder.path().join("nothing.txt");
    std::fs::write(&nothing, "").unwrap();
    let args = [nothing.to_str().unwrap(), spool_args[0], spool_args[1]];
    let output = ingest(&pair.nodes, &args).output().unwrap();
    assert_eq!((self::report(&output).0["drafted"].clone(), kept.exists()), (1.into(), false));
    let listener = Listener::start(&pair.nodes, &[]);
    let mut device = listener.connect();
    pair.nodes.kill(HERE);
    device.write_all(&hour(2, 13)).unwrap();
    assert!(answer(&mut device).is_none(), "closed without an answer");
    // So the device sends again, and this time the node is there.
    pair.nodes.start(HERE);
    pair.here = pair.nodes.client(HERE).await;
    super::api::ready(&pair.here, &pair.agreement).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn f37_noise_and_silence_end_a_connection_and_no_other() {
    let pair = Pair::start().await;
    let listener = Listener::start(&pair.nodes, &["--idle-s", "1"]);
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
