//! Evidence between real nodes: what is written down of it. Receipt, recognition, custody.

use std::process::Output;

use bytes::Bytes;
use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::ids::hex;
use liandong::log::merkle::digest;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use pb::entry_header::Event;
use prost::Message;
use tonic::{Code, Status};

use super::api::{HERE, Pair, THERE, fresh, history, refused};
use super::nodes::{exe, until};

const PHOTO: &str = "暗管照片";
const REPORT: &str = "监测报告";
const FILM: &str = "执法记录仪视频";

fn sha256(file: &str) -> Bytes {
    digest(file.as_bytes()).as_bytes().to_vec().into()
}

/// A day near today in Beijing.
fn day(ahead: i64) -> pb::Date {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let today = Date::beijing(i64::try_from(now).unwrap()).unwrap();
    let day = today.plus_days(ahead).unwrap();
    pb::Date { year: day.year(), month: i32::from(day.month()), day: i32::from(day.day()) }
}

fn item(id: &str, file: &str) -> pb::Evidence {
    pb::Evidence {
        id: id.into(),
        kind: pb::EvidenceKind::MonitoringReport.into(),
        title: file.into(),
        collected_on: Some(day(-3)),
        mime: "application/pdf".into(),
        size_bytes: file.len() as u64,
        sha256: sha256(file),
        level: pb::DataLevel::General.into(),
        ..Default::default()
    }
}

async fn list(client: &Client, case: &str, evidence: Vec<pb::Evidence>) -> String {
    let request = pb::AddEvidenceRequest {
        name: case.into(),
        evidence,
        request_id: fresh(),
        ..Default::default()
    };
    let answer = client.cases().add_evidence(request).await.unwrap().into_inner();
    answer.receipt.unwrap().entry
}

/// Somebody who says something of evidence in a case.
struct Desk<'a> {
    client: &'a Client,
    case: &'a str,
}

type Said = Result<pb::EvidenceStanding, Status>;

impl Desk<'_> {
    fn receipt_of(&self, id: &str, file: &str) -> pb::RecordReceiptRequest {
        pb::RecordReceiptRequest {
            name: self.case.into(),
            evidence_id: id.into(),
            sha256: sha256(file),
            request_id: fresh(),
            ..Default::default()
        }
    }

    async fn ask_receipt(&self, asked: pb::RecordReceiptRequest) -> Said {
        let answer = self.client.evidence().record_receipt(asked).await;
        answer.map(|answer| answer.into_inner().standing.unwrap())
    }

    async fn receipt(&self, id: &str, file: &str) -> Said {
        self.ask_receipt(self.receipt_of(id, file)).await
    }

    async fn recognise(&self, id: &str) -> Said {
        let request = pb::RecogniseEvidenceRequest {
            name: self.case.into(),
            evidence_id: id.into(),
            text: "予以认可".into(),
            request_id: fresh(),
            ..Default::default()
        };
        let answer = self.client.evidence().recognise_evidence(request).await;
        answer.map(|answer| answer.into_inner().standing.unwrap())
    }

    async fn decline(&self, id: &str, ground: i32, text: &str) -> Said {
        let request = pb::DeclineEvidenceRequest {
            name: self.case.into(),
            evidence_id: id.into(),
            ground,
            text: text.into(),
            request_id: fresh(),
            ..Default::default()
        };
        let answer = self.client.evidence().decline_evidence(request).await;
        answer.map(|answer| answer.into_inner().standing.unwrap())
    }

    async fn custody(&self, id: &str, from: &str, on: Option<pb::Date>) -> Said {
        let request = pb::RecordCustodyRequest {
            name: self.case.into(),
            evidence_id: id.into(),
            record: Some(hand_over(from)),
            handed_on: on,
            request_id: fresh(),
            ..Default::default()
        };
        let answer = self.client.evidence().record_custody(request).await;
        answer.map(|answer| answer.into_inner().standing.unwrap())
    }
}

fn hand_over(from: &str) -> pb::CustodyRecord {
    pb::CustodyRecord {
        from: from.into(),
        to: "邯郸市支队 李某".into(),
        address: "莘县分局".into(),
        text: "封条 017 完好".into(),
    }
}

/// A history once it is so far.
async fn seen(
    client: &Client,
    case: &str,
    so_far: impl Fn(&[pb::HistoryEntry]) -> bool,
) -> Vec<pb::HistoryEntry> {
    let so_far = &so_far;
    let ask = || async move { Some(history(client, case).await).filter(|all| so_far(all)) };
    until("a history gets so far", ask).await
}

fn count(history: &[pb::HistoryEntry], is: fn(&Event) -> bool) -> usize {
    let event = |entry: &pb::HistoryEntry| entry.header.clone().and_then(|header| header.event);
    history.iter().filter_map(event).filter(is).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn f25_evidence_is_received_recognised_and_handed_over() {
    let mut pair = Pair::start().await;
    let case = pair.open(&pair.here, 0).await;
    pair.held(&pair.there, &case).await;
    let listed = vec![item("E-1", PHOTO), item("E-2", REPORT), item("E-3", FILM)];
    let entry = list(&pair.here, &case.name, listed.clone()).await;
    seen(&pair.there, &case.name, |all| all.iter().any(|one| one.entry == entry)).await;
    let here = Desk { client: &pair.here, case: &case.name };
    let there = Desk { client: &pair.there, case: &case.name };
    let before = history(&pair.there, &case.name).await;
    refusals(&pair, (&here, &there)).await;

    // Receipt: once, and the same request once more is the same entry.
    let asked = there.receipt_of("E-1", PHOTO);
    let standing = there.ask_receipt(asked.clone()).await.unwrap();
    assert_eq!((standing.entry.as_str(), standing.listing_city), (entry.as_str(), HERE));
    assert_eq!(standing.receipts.iter().map(|one| one.city).collect::<Vec<_>>(), [THERE]);
    assert_eq!(there.ask_receipt(asked).await.unwrap(), standing, "the same request again");
    let late = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    assert_eq!(refused(there.receipt("E-1", PHOTO).await), late("EVIDENCE_RECEIVED"));
    there.receipt("E-2", REPORT).await.unwrap();

    // One is recognised, one is not; either once.
    let standing = there.recognise("E-1").await.unwrap();
    let found = &standing.verdicts[..];
    assert!(matches!(found, [one] if one.recognised && one.city == THERE), "{found:?}");
    assert_eq!(refused(there.recognise("E-1").await), late("EVIDENCE_JUDGED"));
    let officers = pb::EvidenceDeclineGround::Officers.into();
    assert_eq!(refused(there.decline("E-1", officers, "一").await), late("EVIDENCE_JUDGED"));
    let standing = there.decline("E-2", officers, "只有一人签名，请补正").await.unwrap();
    let [verdict] = &standing.verdicts[..] else { panic!("{standing:?}") };
    assert!(!verdict.recognised && verdict.ground == officers);
    assert_eq!(verdict.text, "只有一人签名，请补正");

    // The original goes to the other city, as both record it.
    let standing = here.custody("E-1", "聊城市支队 王某", Some(day(-1))).await.unwrap();
    let [step] = &standing.custody[..] else { panic!("{standing:?}") };
    assert_eq!((step.city, step.handed_on), (HERE, Some(day(-1))));
    assert_eq!(step.record, Some(hand_over("聊城市支队 王某")));

    both_timelines(&pair, &case.name, (&before, &listed, &entry)).await;

    // The same id for another file: which one is meant must be said.
    let other = list(&pair.there, &case.name, vec![item("E-1", FILM)]).await;
    seen(&pair.here, &case.name, |all| all.iter().any(|one| one.entry == other)).await;
    assert_eq!(refused(here.receipt("E-1", FILM).await), late("EVIDENCE_AMBIGUOUS"));
    let asked = pb::RecordReceiptRequest { entry: other.clone(), ..here.receipt_of("E-1", FILM) };
    let standing = here.ask_receipt(asked).await.unwrap();
    assert_eq!((standing.entry, standing.listing_city), (other, THERE));

    by_hand(&pair, &case.name);
    // All of it after a start, when the rows are there already and when they are made anew.
    pair.nodes.kill(HERE);
    std::fs::remove_dir_all(pair.nodes.fleet.folder(HERE).join("data/views")).unwrap();
    pair.nodes.start(HERE);
    let client = pair.nodes.client(HERE).await;
    super::api::ready(&client, &pair.agreement).await;
    let here = Desk { client: &client, case: &case.name };
    let over = |all: &[pb::HistoryEntry]| {
        count(all, |event| matches!(event, Event::CustodyRecorded(_))) == 2
    };
    seen(&client, &case.name, over).await;
    let standing = here.custody("E-3", "聊城市支队 王某", None).await.unwrap();
    assert_eq!((standing.receipts.len(), standing.custody.len()), (1, 2), "{standing:?}");
    assert_eq!(standing.custody[0].record.clone().unwrap().from, "档案室");
}

async fn both_timelines(
    pair: &Pair,
    case: &str,
    (before, listed, entry): (&[pb::HistoryEntry], &[pb::Evidence], &str),
) {
    let whole = |all: &[pb::HistoryEntry]| all.len() >= before.len() + 5;
    for client in [&pair.here, &pair.there] {
        let all = seen(client, case, whole).await;
        let said: Vec<_> = all.iter().filter(|one| one.evidence.is_some()).collect();
        assert_eq!(said.len(), 5, "{all:?}");
        for one in &said {
            assert_eq!(one.effect(), pb::EntryEffect::Contribution, "{one:?}");
            // The digest is the one listed, and stands in no header of these.
            let shown = one.evidence.as_ref().unwrap();
            let mut listed = listed.iter().filter(|item| item.id == shown.id);
            assert_eq!(listed.next().map(|item| &item.sha256), Some(&shown.sha256));
            let header = one.header.as_ref().unwrap().encode_to_vec();
            assert!(!header.windows(32).any(|bytes| bytes == shown.sha256), "{one:?}");
        }
        assert_eq!(count(&all, |event| matches!(event, Event::EvidenceReceived(_))), 2);
        assert_eq!(count(&all, |event| matches!(event, Event::EvidenceRecognised(_))), 1);
        assert_eq!(count(&all, |event| matches!(event, Event::EvidenceDeclined(_))), 1);
        assert!(all.iter().any(|one| one.texts == ["只有一人签名，请补正"]), "{all:?}");
        let custody: Vec<_> = all.iter().filter_map(|one| one.custody.clone()).collect();
        assert_eq!(custody, [hand_over("聊城市支队 王某")]);
        // The list itself is as it was signed.
        let list = |all: &[pb::HistoryEntry]| {
            all.iter().find(|one| one.entry == entry).and_then(|one| one.header.clone())
        };
        assert!(list(&all).is_some() && list(&all) == list(before));
    }
}

async fn refusals(pair: &Pair, (here, there): (&Desk<'_>, &Desk<'_>)) {
    let bad = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    let told = |reason: &str| (Code::PermissionDenied, reason.to_owned());
    let late = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    let none = |reason: &str| (Code::NotFound, reason.to_owned());
    let before = history(there.client, there.case).await;
    let officers = pb::EvidenceDeclineGround::Officers.into();
    // Not the receiver, no such item, another file, not received yet.
    assert_eq!(refused(here.receipt("E-1", PHOTO).await), late("OWN_EVIDENCE"));
    assert_eq!(refused(here.recognise("E-1").await), late("OWN_EVIDENCE"));
    assert_eq!(refused(there.receipt("E-9", PHOTO).await), none("EVIDENCE_UNKNOWN"));
    assert_eq!(refused(there.receipt("E-1", REPORT).await), late("EVIDENCE_DIFFERS"));
    assert_eq!(refused(there.recognise("E-1").await), late("EVIDENCE_NOT_RECEIVED"));
    let early = there.decline("E-1", officers, "签名不全").await;
    assert_eq!(refused(early), late("EVIDENCE_NOT_RECEIVED"));
    // A reason is given, by its code and in words.
    assert_eq!(refused(there.decline("E-1", officers, " ").await), bad("REQUIRED"));
    assert_eq!(refused(there.decline("E-1", 0, "签名不全").await), bad("REQUIRED"));
    assert_eq!(refused(there.decline("E-1", 99, "签名不全").await), bad("CODE_UNKNOWN"));
    let long = "长".repeat(6_000);
    assert_eq!(refused(there.decline("E-1", officers, &long).await), bad("TEXT_TOO_LONG"));
    // Fields that are missing or wrong.
    let one = |change: &dyn Fn(&mut pb::RecordReceiptRequest)| {
        let mut asked = there.receipt_of("E-1", PHOTO);
        change(&mut asked);
        async move { refused(there.ask_receipt(asked).await) }
    };
    assert_eq!(one(&|asked| asked.sha256 = Bytes::new()).await, bad("REQUIRED"));
    assert_eq!(one(&|asked| asked.sha256 = vec![1; 31].into()).await, bad("DIGEST"));
    assert_eq!(one(&|asked| asked.evidence_id = String::new()).await, bad("REQUIRED"));
    assert_eq!(one(&|asked| asked.entry = "x".into()).await, bad("POSITION_FORMAT"));
    let elsewhere = format!("{}:9", "ab".repeat(32));
    assert_eq!(one(&|asked| asked.entry = elsewhere.clone()).await, none("EVIDENCE_UNKNOWN"));
    assert_eq!(one(&|asked| asked.name = "cases/x".into()).await, bad("NAME_FORMAT"));
    let nobody = format!("{}/cases/{}", pair.agreement, "0".repeat(32));
    assert_eq!(one(&|asked| asked.name = nobody.clone()).await, none("NOT_FOUND"));
    // Hand-overs of tomorrow, of before there was evidence, by nobody.
    let tomorrow = here.custody("E-1", "王某", Some(day(1))).await;
    assert_eq!(refused(tomorrow), bad("EFFECTIVE_IN_FUTURE"));
    let early = here.custody("E-1", "王某", Some(day(-4))).await;
    assert_eq!(refused(early), bad("CUSTODY_BEFORE_COLLECTED"));
    assert_eq!(refused(here.custody("E-1", "", None).await), bad("TEXT_EMPTY"));
    // Whoever may only read says nothing; a system recognises for an officer only.
    let auditor = pair.nodes.client_as(THERE, Role::Auditor).await;
    let auditor = Desk { client: &auditor, ..*there };
    assert_eq!(refused(auditor.receipt("E-1", PHOTO).await), told("ROLE_NOT_ALLOWED"));
    let system = pair.nodes.client_as(THERE, Role::System).await;
    let system = Desk { client: &system, ..*there };
    assert_eq!(refused(system.recognise("E-1").await), bad("ACTING_FOR_REQUIRED"));
    assert_eq!(history(there.client, there.case).await.len(), before.len(), "nothing was written");
}

/// From the command line: a file in hand is compared, and stays where it is.
fn by_hand(pair: &Pair, case: &str) {
    let run = |code: u32, args: &[&str]| -> Output {
        let mut command = std::process::Command::new(exe());
        command.args(["evidence", "--profile", "client.toml"]).args(args).arg("--json");
        command.current_dir(pair.nodes.fleet.folder(code)).output().unwrap()
    };
    let said = |output: &Output| {
        String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
    };
    let folder = pair.nodes.fleet.folder(THERE);
    std::fs::write(folder.join("film.mp4"), FILM).unwrap();
    std::fs::write(folder.join("other.mp4"), PHOTO).unwrap();
    let other = run(THERE, &["receipt", case, "E-3", "other.mp4"]);
    assert!(!other.status.success() && said(&other).contains("EVIDENCE_DIFFERS"), "{other:?}");
    let received = run(THERE, &["receipt", case, "E-3", "film.mp4"]);
    assert!(received.status.success(), "{received:?}");
    assert!(said(&received).contains(&hex(&sha256(FILM))), "{received:?}");
    let ground = ["--ground", "监测机构没有相应资质", "--text", "请补附表"];
    let declined = run(THERE, &[["decline", case, "E-3"].as_slice(), &ground].concat());
    assert!(declined.status.success() && said(&declined).contains("LABORATORY"), "{declined:?}");
    let twice = run(THERE, &["recognise", case, "E-3"]);
    assert!(!twice.status.success() && said(&twice).contains("EVIDENCE_JUDGED"), "{twice:?}");
    let sides = ["--from", "档案室", "--to", "办案人员 王某"];
    let custody = run(HERE, &[["custody", case, "E-3"].as_slice(), &sides].concat());
    assert!(custody.status.success() && said(&custody).contains("档案室"), "{custody:?}");
    let data = folder.join("data");
    assert!(!super::rebuild::holds(&data, b"film.mp4"), "the file itself is not stored");
}
