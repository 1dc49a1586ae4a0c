//! Stored bytes of evidence between real nodes: rot, what a receipt says, who has served whom, what
//! comes back after a disk is lost, whom wrong bytes are blamed on.

use liandong::api::request::PartContent;
use liandong::cli::connect::Client;
use liandong::domain::evidence::EvidenceDraft;
use liandong::domain::{CaseContribution, Event, Evidence};
use liandong::ids::{Position, hex};
use liandong::log::{Audience, PartKind, subject_id};
use liandong::sync::Frame;
use liandong::wire::part::encode_part;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{HERE, THERE, create, fact, fresh, get, ready, refused, sample};
use super::evidence_files::{
    CHUNK, DEZHOU, below, content, download, fetch, file, folder, hashes, how_far, list, read_as,
    start, upload,
};
use super::nodes::{Nodes, exe, plan, until};
use super::rogue::{About, Author, Rogue, city};
use super::stage::opened;

fn lay_out(more: &str) -> Nodes {
    let mut plan = plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]);
    plan.extra_config += more;
    Nodes::start_all(&plan)
}

async fn store_of(client: &Client) -> pb::EvidenceStore {
    let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    status.into_inner().status.unwrap().evidence_store.unwrap_or_default()
}

/// A case whose evidence lies in this city, and which the other one knows.
async fn with_a_file(nodes: &Nodes, bytes: &[u8]) -> (Client, Client, String) {
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    let case = create(&here, sample(&agreement, 0)).await.unwrap().name;
    list(&here, &case, "E01", bytes, bytes.len() as u64).await;
    upload(&here, start(&case, bytes, 0), bytes, 100_000).await.unwrap();
    until("the list is there", || async { file(&there, &case, bytes).await.ok() }).await;
    (here, there, case)
}

/// Flips a bit of a file where it is stored.
fn rot(nodes: &Nodes, code: u32, bytes: &[u8], at: usize) {
    let digest = hex(&hashes(bytes).0);
    let path = folder(nodes, code, "files").join(&digest[..2]).join(&digest);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(&path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_a_stored_file_that_rots_is_set_aside_and_fetched_again() {
    let mut nodes = lay_out("evidence_scrub_s = 2\n");
    let bytes = content(700_000, 4);
    let (here, there, case) = with_a_file(&nodes, &bytes).await;
    fetch(&there, &case, &bytes).await.unwrap();
    rot(&nodes, THERE, &bytes, 650_000);
    until("it is found, and its right bytes are here again", || async {
        let found = nodes.log(THERE).contains("has rotted");
        let again = file(&there, &case, &bytes).await.unwrap().here;
        (found && again && store_of(&there).await.rotten_count == 0).then_some(())
    })
    .await;
    assert_eq!(download(&there, &case, &bytes, 0).await.unwrap(), bytes);
    assert!(below(&folder(&nodes, THERE, "rotten")).is_empty(), "nothing is left of it");

    // Nobody else is there to give it: it is not served, and people are told.
    nodes.kill(THERE);
    rot(&nodes, HERE, &bytes, 3);
    let digest = hashes(&bytes).0;
    until("it is found", || async {
        let store = store_of(&here).await;
        (store.rotten_count == 1 && store.rotten_sha256[0] == digest).then_some(())
    })
    .await;
    let away = download(&here, &case, &bytes, 0).await;
    assert_eq!(refused(away), (Code::FailedPrecondition, "FILE_NOT_HERE".into()));
    let mut doctor = std::process::Command::new(exe());
    doctor.args(["doctor", "--profile", "client.toml", "--json"]);
    let said = doctor.current_dir(nodes.fleet.folder(HERE)).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let told = said["findings"].as_array().unwrap().iter().any(|one| {
        let what = one["what"].as_str().unwrap();
        one["area"] == "evidence" && one["level"] == "red" && what.contains(&hex(&digest)[..8])
    });
    assert!(told, "{said}");
    // Its owner sends it once more.
    assert_eq!(how_far(&here, &case, &bytes).await, (0, false));
    assert!(upload(&here, start(&case, &bytes, 0), &bytes, 100_000).await.unwrap().here);
    assert_eq!(download(&here, &case, &bytes, 0).await.unwrap(), bytes);
    until("it is told", || async { (store_of(&here).await.rotten_count == 0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_a_stored_file_that_rots_is_told_to_who_reads_it() {
    let nodes = lay_out("");
    let bytes = content(700_000, 16);
    let (_here, there, case) = with_a_file(&nodes, &bytes).await;
    fetch(&there, &case, &bytes).await.unwrap();
    assert_eq!(download(&there, &case, &bytes, 0).await.unwrap(), bytes);
    // The last byte: all others are right, and have been sent.
    rot(&nodes, THERE, &bytes, bytes.len() - 1);
    let wrong = download(&there, &case, &bytes, 0).await;
    assert_eq!(refused(wrong), (Code::DataLoss, "FILE_CORRUPT".into()));
    assert!(!file(&there, &case, &bytes).await.unwrap().here, "it is set aside");
    let away = download(&there, &case, &bytes, 0).await;
    assert_eq!(refused(away), (Code::FailedPrecondition, "FILE_NOT_HERE".into()));
    fetch(&there, &case, &bytes).await.unwrap();
    assert_eq!(download(&there, &case, &bytes, 0).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_what_a_city_has_not_finished_has_a_limit_of_its_own() {
    let nodes = lay_out("evidence_file_bytes_max = 10000\nevidence_pending_bytes_max = 15000\n");
    let bytes = content(8_000, 30);
    let (here, there, case) = with_a_file(&nodes, &bytes).await;
    let more = [31, 32, 33].map(|seed| content(8_000, seed));
    for (nth, bytes) in more.iter().enumerate() {
        list(&there, &case, &format!("F0{nth}"), bytes, 8_000).await;
    }
    let [first, second, third] = &more;
    for begun in [first, second] {
        let cut = upload(&there, start(&case, begun, 0), &begun[..4_000], CHUNK).await;
        assert_eq!(refused(cut).1, "UPLOAD_SHORT");
    }
    let full = upload(&there, start(&case, third, 0), third, CHUNK).await.unwrap_err();
    assert_eq!((fact(&full, "used"), fact(&full, "limit")), ("8000".into(), "15000".into()));
    let full = refused(Err::<(), _>(full));
    assert_eq!(full, (Code::ResourceExhausted, "EVIDENCE_PENDING_FULL".into()));
    assert_eq!(how_far(&there, &case, third).await, (0, false));
    // Others are not in the way of that, and whoever finishes has room again.
    assert!(fetch(&there, &case, &bytes).await.unwrap().here);
    let rest = start(&case, first, 4_000);
    assert!(upload(&there, rest, &first[4_000..], CHUNK).await.unwrap().here);
    assert!(upload(&there, start(&case, third, 0), third, CHUNK).await.unwrap().here);
    drop(here);
}

fn receipt_of(case: &str, bytes: &[u8]) -> pb::RecordReceiptRequest {
    let (sha256, sm3) = hashes(bytes);
    pb::RecordReceiptRequest {
        name: case.to_owned(),
        evidence_id: "E01".to_owned(),
        sha256: sha256.into(),
        sm3: sm3.into(),
        request_id: fresh(),
        ..pb::RecordReceiptRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f25_a_receipt_looks_at_what_is_stored() {
    let nodes = lay_out("");
    let bytes = content(300_000, 7);
    let (_here, there, case) = with_a_file(&nodes, &bytes).await;
    fetch(&there, &case, &bytes).await.unwrap();
    let ask = async |asked: &pb::RecordReceiptRequest| {
        there.evidence().record_receipt(asked.clone()).await.map(|said| said.into_inner())
    };
    let good = receipt_of(&case, &bytes);
    let short = pb::RecordReceiptRequest { sm3: vec![1; 31].into(), ..good.clone() };
    assert_eq!(refused(ask(&short).await), (Code::InvalidArgument, "DIGEST".into()));
    let differs = async |asked: &pb::RecordReceiptRequest, what: &str| {
        let said = ask(asked).await.unwrap_err();
        assert_eq!(fact(&said, "digest"), what);
        let wanted = (Code::FailedPrecondition, "EVIDENCE_STORED_DIFFERS".to_owned());
        assert_eq!(refused(Err::<(), _>(said)), wanted);
    };
    let other = pb::RecordReceiptRequest { sm3: vec![1; 32].into(), ..good.clone() };
    differs(&other, "SM3").await;
    // What is stored is read, not what was once written down of it.
    rot(&nodes, THERE, &bytes, 200_000);
    differs(&good, "SHA-256").await;
    assert!(!file(&there, &case, &bytes).await.unwrap().here, "it is set aside");
    differs(&good, "SHA-256").await;
    fetch(&there, &case, &bytes).await.unwrap();
    let done = ask(&good).await.unwrap();
    assert_eq!(done.standing.as_ref().unwrap().receipts.len(), 1);
    // Whoever asks again has the first answer.
    rot(&nodes, THERE, &bytes, 200_000);
    let again = ask(&good).await.unwrap();
    assert!(again.receipt.unwrap().replayed && again.standing == done.standing);
}

/// Lines of the audit that have a word.
fn audit_lines(nodes: &Nodes, code: u32, word: &str) -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    for path in below(&nodes.fleet.folder(code).join("data/audit")) {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().filter(|line| line.contains(word));
        found.extend(lines.filter_map(|line| serde_json::from_str(line).ok()));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_whoever_is_served_a_file_leaves_a_line() {
    let nodes = lay_out("");
    let bytes = content(3 * CHUNK, 8);
    let (_here, there, case) = with_a_file(&nodes, &bytes).await;
    let nothing = content(50, 9);
    read_as(&nodes, (THERE, HERE), &case, &nothing, 0).await.unwrap_err();
    fetch(&there, &case, &bytes).await.unwrap();
    let lines = until("the line is written", || async {
        let lines = audit_lines(&nodes, HERE, "FetchEvidence");
        (!lines.is_empty()).then_some(lines)
    })
    .await;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let digest = hex(&hashes(&bytes).0);
    assert_eq!((&line["name"], &line["file"]), (&case.as_str().into(), &digest.as_str().into()));
    assert!(line["who"].as_str().unwrap().contains(&THERE.to_string()), "{line}");
    // And nothing else: neither what the file is called nor what it is.
    let fields: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let mut known = ["file", "from", "method", "name", "outcome", "prev", "serial", "time", "who"];
    known.sort_unstable();
    let mut fields = fields;
    fields.sort_unstable();
    assert_eq!(fields, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_what_a_city_gave_it_gets_back_after_its_disk_is_lost() {
    let members = [HERE, THERE, DEZHOU];
    let mut nodes = Nodes::lay_out(&plan(&members, &[("聊邯德", &members)]));
    nodes.start(HERE);
    nodes.start(THERE);
    let agreement = nodes.fleet.agreements[0].name();
    let bytes = content(400_000, 10);
    let (_here, there, case) = with_a_file(&nodes, &bytes).await;
    // Not before it has given it.
    let early = read_as(&nodes, (HERE, THERE), &case, &bytes, 0).await.unwrap_err();
    assert_eq!(early.code(), Code::NotFound);
    fetch(&there, &case, &bytes).await.unwrap();
    nodes.kill(HERE);
    std::fs::remove_dir_all(nodes.fleet.folder(HERE).join("data/evidence")).unwrap();
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    ready(&here, &agreement).await;
    assert!(!file(&here, &case, &bytes).await.unwrap().here);
    let back = until("it is back", || async { fetch(&here, &case, &bytes).await.ok() }).await;
    assert_eq!((back.here, back.display_name.as_str()), (true, "现场录像.zip"));
    assert_eq!(download(&here, &case, &bytes, 0).await.unwrap(), bytes);

    // A digest that it has only heard of gets it nothing, whatever people there want to read.
    let secret = content(3_000, 11);
    let inner = create(&there, sample(&agreement, 1)).await.unwrap().name;
    list(&there, &inner, "E01", &secret, secret.len() as u64).await;
    upload(&there, start(&inner, &secret, 0), &secret, CHUNK).await.unwrap();
    let bait = create(&here, sample(&agreement, 2)).await.unwrap().name;
    list(&here, &bait, "E01", &secret, secret.len() as u64).await;
    until("the bait is there", || async { file(&there, &bait, &secret).await.ok() }).await;
    let ask = async || read_as(&nodes, (HERE, THERE), &bait, &secret, 0).await;
    assert_eq!(ask().await.unwrap_err().code(), Code::NotFound);
    assert!(fetch(&there, &bait, &secret).await.unwrap().here, "it is there already");
    assert_eq!(ask().await.unwrap_err().code(), Code::NotFound, "wanting it gives it to nobody");
    let third = async || read_as(&nodes, (DEZHOU, THERE), &bait, &secret, 0).await;
    assert_eq!(third().await.unwrap_err().code(), Code::NotFound, "nor to a third city");
    // Sending it for that case is giving it.
    upload(&there, start(&bait, &secret, 0), &secret, CHUNK).await.unwrap();
    assert_eq!(ask().await.unwrap(), secret);
    assert_eq!(third().await.unwrap(), secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_wrong_bytes_are_blamed_on_who_sent_them() {
    let nodes = lay_out("");
    let bytes = content(400_000, 12);
    let (here, there, case) = with_a_file(&nodes, &bytes).await;
    // Half of it lies there already, sent by somebody else, and it is wrong.
    let wrong = content(200_000, 13);
    let half = upload(&there, start(&case, &bytes, 0), &wrong, 100_000).await;
    assert_eq!(refused(half).1, "UPLOAD_SHORT");
    assert!(fetch(&there, &case, &bytes).await.unwrap().here, "whoever sent the rest was right");
    assert_eq!(download(&there, &case, &bytes, 0).await.unwrap(), bytes);
    // The same, and this time the city is wrong too.
    let more = content(400_000, 14);
    list(&here, &case, "E02", &more, more.len() as u64).await;
    upload(&here, start(&case, &more, 0), &more, 100_000).await.unwrap();
    until("the list is there", || async { file(&there, &case, &more).await.ok() }).await;
    upload(&there, start(&case, &more, 0), &wrong, 100_000).await.unwrap_err();
    rot(&nodes, HERE, &more, 300_000);
    let refusal = fetch(&there, &case, &more).await.unwrap_err();
    assert_eq!(fact(&refusal, "city"), HERE.to_string());
    assert_eq!(refused(Err::<(), _>(refusal)), (Code::DataLoss, "WRONG_BYTES".into()));
    assert_eq!(how_far(&there, &case, &more).await, (0, false));
    assert_eq!(nodes.log(THERE).matches("a city sent other bytes").count(), 1);
}

/// Waits until a node knows a case by its name, then until its lists name a file.
async fn is_listed(client: &Client, case: &str, bytes: &[u8]) {
    until("the list is there", || async { file(client, case, bytes).await.ok() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_a_list_that_is_opened_to_one_more_city_lets_it_have_the_file() {
    let members = [HERE, THERE, DEZHOU];
    let mut nodes = Nodes::lay_out(&plan(&members, &[("聊邯德", &members)]));
    let mut author = Author::of(&nodes, DEZHOU);
    nodes.start(HERE);
    nodes.start(THERE);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    let bytes = content(2 * CHUNK, 15);
    let log = author.log;
    let at = |index| Position { log, index };
    let subject = subject_id(at(0));
    let case = format!("{agreement}/cases/{subject}");
    let opening = author.entry(0, &opened(), About::case(None), &[]);
    let item = EvidenceDraft {
        id: "E01".to_owned(),
        kind: "ELECTRONIC_DATA".to_owned(),
        title: "只给一市看的证据".to_owned(),
        collected_on: "2026-03-02".to_owned(),
        mime: "application/zip".to_owned(),
        size_bytes: bytes.len() as u64,
        sha256: hex(&hashes(&bytes).0),
        ..EvidenceDraft::default()
    };
    let items = PartContent::Evidence(vec![Evidence::parse(&item).unwrap()]);
    let part =
        (PartKind::Evidence, Audience::Cities(vec![city(HERE)]), encode_part(&items, [3; 16]));
    let added = Event::Contribution(CaseContribution::EvidenceAdded);
    let about = About::case(Some(subject));
    let listing = author.entry_of(1, &added, about.clone(), &[part]);
    let rogue = Rogue::greeted(&nodes, DEZHOU, HERE, &author).await;
    let batch = author.batch(vec![opening, listing]);
    rogue.say(Frame::Batch(batch.clone())).await;
    author.wrote(&batch);
    is_listed(&here, &case, &bytes).await;
    upload(&here, start(&case, &bytes, 0), &bytes, CHUNK).await.unwrap();
    until("the case is there", || async { get(&there, &case).await.ok() }).await;
    let unseen = fetch_from(&there, &case, &bytes, HERE).await;
    assert_eq!(refused(unseen), (Code::NotFound, "EVIDENCE_NOT_LISTED".into()));
    let early = read_as(&nodes, (THERE, HERE), &case, &bytes, 0).await.unwrap_err();
    assert_eq!(early.code(), Code::NotFound);

    let opened = CaseContribution::PartGranted { entry: at(1), part: 0, to: city(THERE) };
    let opened = author.entry(0, &Event::Contribution(opened), about, &[]);
    let batch = author.batch(vec![opened]);
    rogue.say(Frame::Batch(batch.clone())).await;
    author.wrote(&batch);
    is_listed(&there, &case, &bytes).await;
    let brought = until("this city knows that it may give it", || async {
        fetch_from(&there, &case, &bytes, HERE).await.ok()
    })
    .await;
    assert!(brought.here);
    assert_eq!(download(&there, &case, &bytes, 0).await.unwrap(), bytes);
}

pub async fn fetch_from(
    client: &Client,
    case: &str,
    bytes: &[u8],
    from_city: u32,
) -> Result<pb::EvidenceFile, Status> {
    let (case_name, sha256) = (case.to_owned(), hashes(bytes).0.into());
    let request = pb::FetchRequest { case_name, sha256, from_city };
    let mut answers = client.evidence_files().fetch(request).await?.into_inner();
    loop {
        let answer = answers.message().await?.expect("the last message has the file");
        if let Some(file) = answer.file {
            return Ok(file);
        }
    }
}
