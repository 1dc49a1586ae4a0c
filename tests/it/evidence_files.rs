//! Bytes of evidence between real nodes: cuts anywhere, wrong bytes, limits, who gets them.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};

use liandong::cli::connect::Client;
use liandong::evidence::BothHashes;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::peer_v1 as peer;
use liandong::wire::pb::peer_v1::fetch_evidence_response::Content as Served;
use liandong::wire::pb::peer_v1::peer_service_client::PeerServiceClient;
use liandong::wire::pb::v1 as pb;
use liandong::wire::pb::v1::download_response::Content as Down;
use liandong::wire::pb::v1::upload_request::Content as Up;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::api::{HERE, THERE, create, fact, fresh, history, ready, refused, sample};
use super::nodes::{Nodes, exe, plan, until};
use super::rogue::channel;

pub const DEZHOU: u32 = 371_400;
/// Of the nodes here.
const FILE_BYTES_MAX: u64 = 2_000_000;
pub const CHUNK: usize = 1_000;

fn lay_out(cities: &[u32], agreements: &[(&str, &[u32])]) -> Nodes {
    let mut plan = plan(cities, agreements);
    plan.extra_config += &format!("evidence_file_bytes_max = {FILE_BYTES_MAX}\n");
    Nodes::start_all(&plan)
}

/// Bytes that are nowhere alike.
pub fn content(length: usize, seed: u8) -> Vec<u8> {
    let byte = |i: usize| (i.wrapping_mul(31) ^ (i >> 8).wrapping_mul(7)) as u8 ^ seed;
    (0..length).map(byte).collect()
}

pub fn hashes(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut hashes = BothHashes::new();
    hashes.update(bytes);
    let (sha256, sm3) = hashes.finish();
    (sha256.as_bytes().to_vec(), sm3.to_vec())
}

fn item(id: &str, bytes: &[u8], size: u64) -> pb::Evidence {
    pb::Evidence {
        id: id.to_owned(),
        kind: pb::EvidenceKind::ElectronicData.into(),
        title: format!("证据 {id}"),
        collected_on: Some(pb::Date { year: 2026, month: 3, day: 2 }),
        mime: "application/zip".into(),
        size_bytes: size,
        sha256: hashes(bytes).0.into(),
        ..pb::Evidence::default()
    }
}

/// Lists bytes as evidence of a case.
pub async fn list(client: &Client, case: &str, id: &str, bytes: &[u8], size: u64) {
    let request = pb::AddEvidenceRequest {
        name: case.to_owned(),
        evidence: vec![item(id, bytes, size)],
        request_id: fresh(),
        ..pb::AddEvidenceRequest::default()
    };
    client.cases().add_evidence(request).await.unwrap();
}

pub fn start(case: &str, bytes: &[u8], offset: usize) -> pb::UploadStart {
    let (sha256, sm3) = hashes(bytes);
    pb::UploadStart {
        case_name: case.to_owned(),
        sha256: sha256.into(),
        sm3: sm3.into(),
        size_bytes: bytes.len() as u64,
        display_name: "现场录像.zip".into(),
        mime: "application/zip".into(),
        offset: offset as u64,
    }
}

fn up(content: Up) -> pb::UploadRequest {
    pb::UploadRequest { content: Some(content) }
}

pub async fn upload(
    client: &Client,
    start: pb::UploadStart,
    bytes: &[u8],
    chunk: usize,
) -> Result<pb::EvidenceFile, Status> {
    let mut messages = vec![up(Up::Start(start))];
    messages.extend(bytes.chunks(chunk).map(|chunk| up(Up::Chunk(chunk.to_vec().into()))));
    let answer = client.evidence_files().upload(tokio_stream::iter(messages)).await;
    answer.map(|answer| answer.into_inner().file.unwrap())
}

/// An upload that neither ends nor goes on: its first bytes are at the node.
pub async fn hanging(
    client: &Client,
    start: pb::UploadStart,
    bytes: &[u8],
) -> (tokio::task::JoinHandle<()>, mpsc::Sender<pb::UploadRequest>) {
    let (sender, messages) = mpsc::channel(64);
    let files = client.evidence_files();
    let wanted = start.offset + bytes.len() as u64;
    let (case, sha256) = (start.case_name.clone(), start.sha256.clone());
    sender.send(up(Up::Start(start))).await.unwrap();
    sender.send(up(Up::Chunk(bytes.to_vec().into()))).await.unwrap();
    let mut calling = files.clone();
    let call = tokio::spawn(async move {
        let _ = calling.upload(ReceiverStream::new(messages)).await;
    });
    until("the first bytes are there", || async {
        let request = pb::GetUploadRequest { case_name: case.clone(), sha256: sha256.clone() };
        let far = files.clone().get_upload(request).await.unwrap().into_inner();
        (far.offset == wanted).then_some(())
    })
    .await;
    (call, sender)
}

pub async fn how_far(client: &Client, case: &str, bytes: &[u8]) -> (u64, bool) {
    let (case_name, sha256) = (case.to_owned(), hashes(bytes).0.into());
    let request = pb::GetUploadRequest { case_name, sha256 };
    let far = client.evidence_files().get_upload(request).await.unwrap().into_inner();
    (far.offset, far.here)
}

pub async fn file(client: &Client, case: &str, bytes: &[u8]) -> Result<pb::EvidenceFile, Status> {
    let request = pb::GetFileRequest { case_name: case.to_owned(), sha256: hashes(bytes).0.into() };
    client.evidence_files().get_file(request).await.map(|a| a.into_inner().file.unwrap())
}

pub async fn download(
    client: &Client,
    case: &str,
    bytes: &[u8],
    offset: usize,
) -> Result<Vec<u8>, Status> {
    let request = pb::DownloadRequest {
        case_name: case.to_owned(),
        sha256: hashes(bytes).0.into(),
        offset: offset as u64,
    };
    let mut answers = client.evidence_files().download(request).await?.into_inner();
    let mut got = Vec::new();
    while let Some(answer) = answers.message().await? {
        match answer.content.unwrap() {
            Down::File(file) => assert_eq!((file.here, got.len()), (true, 0)),
            Down::Chunk(chunk) => got.extend_from_slice(&chunk),
        }
    }
    Ok(got)
}

/// Has a node bring a file here.
pub async fn fetch(client: &Client, case: &str, bytes: &[u8]) -> Result<pb::EvidenceFile, Status> {
    let (case_name, sha256) = (case.to_owned(), hashes(bytes).0.into());
    let request = pb::FetchRequest { case_name, sha256, from_city: 0 };
    let mut answers = client.evidence_files().fetch(request).await?.into_inner();
    loop {
        let answer = answers.message().await?.expect("the last message has the file");
        if let Some(file) = answer.file {
            return Ok(file);
        }
    }
}

/// Reads a file from `to` as the node of `by` would.
pub async fn read_as(
    nodes: &Nodes,
    (by, to): (u32, u32),
    case: &str,
    bytes: &[u8],
    offset: usize,
) -> Result<Vec<u8>, Status> {
    let (agreement, subject) = liandong::wire::case::case_name(case).unwrap();
    let request = peer::FetchEvidenceRequest {
        agreement_id: agreement.as_bytes().to_vec().into(),
        subject_id: subject.as_bytes().to_vec().into(),
        sha256: hashes(bytes).0.into(),
        offset: offset as u64,
    };
    let mut client = PeerServiceClient::new(channel(nodes, by, to).await.unwrap());
    let mut answers = client.fetch_evidence(request).await?.into_inner();
    let mut got = Vec::new();
    while let Some(answer) = answers.message().await? {
        if let Served::Chunk(chunk) = answer.content.unwrap() {
            got.extend_from_slice(&chunk);
        }
    }
    Ok(got)
}

/// Files below a folder.
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

pub fn folder(nodes: &Nodes, code: u32, what: &str) -> PathBuf {
    nodes.fleet.folder(code).join("data/evidence").join(what)
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_uploads_are_cut_anywhere_and_refused_precisely() {
    let mut nodes = lay_out(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]);
    let agreement = nodes.fleet.agreements[0].name();
    let mut here = nodes.client(HERE).await;
    ready(&here, &agreement).await;
    let case = create(&here, sample(&agreement, 0)).await.unwrap().name;
    let bytes = content(4 * CHUNK + 17, 1);
    let unlisted = upload(&here, start(&case, &bytes, 0), &bytes, CHUNK).await;
    assert_eq!(refused(unlisted), (Code::NotFound, "EVIDENCE_NOT_LISTED".into()));
    list(&here, &case, "E01", &bytes, bytes.len() as u64).await;
    refusals(&nodes, &here, &case, &bytes).await;

    // Cut after every chunk: by its end, by the caller's going away, by the node's death.
    for (nth, chunk) in bytes.chunks(CHUNK).enumerate() {
        let at = nth * CHUNK;
        assert_eq!(how_far(&here, &case, &bytes).await, (at as u64, false));
        match nth {
            0 | 3 => {
                let short = upload(&here, start(&case, &bytes, at), chunk, CHUNK).await;
                assert_eq!(refused(short), (Code::Aborted, "UPLOAD_SHORT".into()));
            }
            1 => {
                let (call, sender) = hanging(&here, start(&case, &bytes, at), chunk).await;
                let second = upload(&here, start(&case, &bytes, at), chunk, CHUNK).await;
                assert_eq!(refused(second), (Code::ResourceExhausted, "BUSY".into()));
                call.abort();
                drop(sender);
                until("its place is free", || async {
                    let start = start(&case, &bytes, 0);
                    let again = upload(&here, start, &[], CHUNK).await;
                    (refused(again).1 == "UPLOAD_OFFSET").then_some(())
                })
                .await;
            }
            2 => {
                let _hanging = hanging(&here, start(&case, &bytes, at), chunk).await;
                nodes.kill(HERE);
                nodes.start(HERE);
                here = nodes.client(HERE).await;
            }
            _ => {
                let done = upload(&here, start(&case, &bytes, at), chunk, CHUNK).await.unwrap();
                assert_eq!((done.here, done.display_name.as_str()), (true, "现场录像.zip"));
            }
        }
    }
    for offset in (0..=bytes.len()).step_by(CHUNK) {
        assert_eq!(download(&here, &case, &bytes, offset).await.unwrap(), bytes[offset..]);
    }
    let beyond = download(&here, &case, &bytes, bytes.len() + 1).await;
    assert_eq!(refused(beyond), (Code::OutOfRange, "OFFSET_BEYOND_END".into()));
    // Sending it once more sends nothing, and may say nothing else of it than is true.
    let again = upload(&here, start(&case, &bytes, 0), &[], CHUNK).await.unwrap();
    assert!(again.here);
    let other_sm3 = pb::UploadStart { sm3: vec![1; 32].into(), ..start(&case, &bytes, 0) };
    mismatch(upload(&here, other_sm3, &[], CHUNK).await, "sm3");
    let other = create(&here, sample(&agreement, 1)).await.unwrap().name;
    let size_bytes = bytes.len() as u64 + 1;
    list(&here, &other, "E01", &bytes, size_bytes).await;
    let other_size = pb::UploadStart { size_bytes, ..start(&other, &bytes, 0) };
    mismatch(upload(&here, other_size, &[], CHUNK).await, "size_bytes");
    // Nothing on the disk is called as somebody wished, and nothing else is left.
    let left = below(&folder(&nodes, HERE, ""));
    let digest = |path: &PathBuf| path.file_name().unwrap().len() == 64;
    assert!(left.len() == 2 && left.iter().all(digest), "{left:?}");
    abandoned(&mut nodes, &case).await;
}

/// The bytes are not those that were declared, and the field says in what.
fn mismatch(answer: Result<pb::EvidenceFile, Status>, field: &str) {
    let status = answer.unwrap_err();
    let told = status.get_details_bad_request().unwrap().field_violations;
    let told: Vec<&str> = told.iter().map(|one| one.field.as_str()).collect();
    assert_eq!((told, fact(&status, "field").as_str()), (vec![field], field));
    let answer = refused(Err::<(), _>(status));
    assert_eq!(answer, (Code::InvalidArgument, "HASH_MISMATCH".into()));
}

/// What is not as announced is refused precisely, and leaves nothing.
async fn refusals(nodes: &Nodes, here: &Client, case: &str, bytes: &[u8]) {
    let good = || start(case, bytes, 0);
    let with = |change: fn(&mut pb::UploadStart)| {
        let mut start = good();
        change(&mut start);
        start
    };
    let rows = [
        (with(|s| s.display_name = "../../etc/x".into()), Code::InvalidArgument, "BAD_FILENAME"),
        (
            with(|s| s.display_name = "a\u{202e}fdp.exe".into()),
            Code::InvalidArgument,
            "BAD_FILENAME",
        ),
        (with(|s| s.display_name = "长".repeat(1_400)), Code::InvalidArgument, "BAD_FILENAME"),
        (with(|s| s.display_name = "NUL".into()), Code::InvalidArgument, "BAD_FILENAME"),
        (with(|s| s.size_bytes += 1), Code::InvalidArgument, "UPLOAD_DIFFERS"),
        (with(|s| s.mime = "text/html".into()), Code::InvalidArgument, "UPLOAD_DIFFERS"),
        (with(|s| s.sm3 = vec![1; 31].into()), Code::InvalidArgument, "DIGEST"),
        (with(|s| s.case_name = "cases/1".into()), Code::InvalidArgument, "NAME_FORMAT"),
        (with(|s| s.sm3 = vec![1; 32].into()), Code::InvalidArgument, "HASH_MISMATCH"),
        (with(|s| s.offset = 1), Code::Aborted, "UPLOAD_OFFSET"),
    ];
    for (start, code, reason) in rows {
        let shown = format!("{start:?}");
        let answer = upload(here, start, bytes, CHUNK).await;
        assert_eq!(refused(answer), (code, reason.into()), "{shown}");
        assert_eq!(how_far(here, case, bytes).await, (0, false), "{shown}");
    }
    let mut wrong = bytes.to_vec();
    wrong[CHUNK] ^= 1;
    let long = [bytes, b"x"].concat();
    let other_sm3 = with(|s| s.sm3 = vec![1; 32].into());
    for (start, sent, field) in [
        (good(), &wrong, "sha256"),
        (good(), &long, "size_bytes"),
        (other_sm3, &bytes.into(), "sm3"),
    ] {
        mismatch(upload(here, start, sent, CHUNK).await, field);
        assert_eq!(how_far(here, case, bytes).await, (0, false));
    }
    let first = tokio_stream::iter([up(Up::Chunk(vec![1].into()))]);
    let answer = here.evidence_files().upload(first).await;
    assert_eq!(refused(answer), (Code::InvalidArgument, "REQUIRED".into()));
    assert_eq!(how_far(here, case, bytes).await, (0, false));
    // Larger than this node takes, larger than a chunk may be.
    let large = content(100, 9);
    list(here, case, "E09", &large, FILE_BYTES_MAX + 1).await;
    let announced = pb::UploadStart { size_bytes: FILE_BYTES_MAX + 1, ..start(case, &large, 0) };
    let answer = upload(here, announced, &large, CHUNK).await.unwrap_err();
    assert_eq!(fact(&answer, "limit"), FILE_BYTES_MAX.to_string());
    let answer = refused(Err::<(), _>(answer));
    assert_eq!(answer, (Code::ResourceExhausted, "ATTACHMENT_TOO_LARGE".into()));
    let large = content(600 * 1024, 8);
    list(here, case, "E08", &large, large.len() as u64).await;
    let answer = upload(here, start(case, &large, 0), &large, large.len()).await;
    assert_eq!(refused(answer), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".into()));
    assert_eq!(how_far(here, case, &large).await, (0, false));
    let auditor = nodes.client_as(HERE, Role::Auditor).await;
    let answer = upload(&auditor, good(), bytes, CHUNK).await;
    assert_eq!(refused(answer), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".into()));
    let left = below(&folder(nodes, HERE, ""));
    assert!(left.is_empty(), "{left:?}");
}

/// A part that nobody goes on with is gone after a day, and what a case lists is not.
async fn abandoned(nodes: &mut Nodes, case: &str) {
    let here = nodes.client(HERE).await;
    let bytes = content(3 * CHUNK, 5);
    list(&here, case, "E05", &bytes, bytes.len() as u64).await;
    let short = upload(&here, start(case, &bytes, 0), &bytes[..CHUNK], CHUNK).await;
    assert_eq!(refused(short).1, "UPLOAD_SHORT");
    let parts = folder(nodes, HERE, "incoming");
    let part = below(&parts).pop().unwrap();
    nodes.kill(HERE);
    let before = SystemTime::now() - Duration::from_secs(25 * 3600);
    std::fs::File::options().append(true).open(&part).unwrap().set_modified(before).unwrap();
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    until("the part is gone", || async { below(&parts).is_empty().then_some(()) }).await;
    assert_eq!(how_far(&here, case, &bytes).await, (0, false));
    assert_eq!(below(&folder(nodes, HERE, "files")).len(), 1, "a case lists it");
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_evidence_files_cross_by_digest_to_whom_they_are_for() {
    let cities = [HERE, THERE, DEZHOU];
    let nodes = lay_out(&cities, &[("聊邯", &[HERE, THERE]), ("聊德", &[HERE, DEZHOU])]);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let dezhou = nodes.client(DEZHOU).await;
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    ready(&dezhou, &nodes.fleet.agreements[1].name()).await;
    let case = create(&here, sample(&agreement, 0)).await.unwrap().name;
    let bytes = content(1_500_000, 2);
    list(&here, &case, "E01", &bytes, bytes.len() as u64).await;
    let known =
        until("the list is in the other city", || async { file(&there, &case, &bytes).await.ok() })
            .await;
    assert_eq!((known.here, known.listing_city, known.offset), (false, HERE, 0));
    let away = download(&there, &case, &bytes, 0).await;
    assert_eq!(refused(away), (Code::FailedPrecondition, "FILE_NOT_HERE".into()));
    // Nobody has it yet.
    let missing = fetch(&there, &case, &bytes).await.unwrap_err();
    assert_eq!(fact(&missing, "city"), HERE.to_string());
    assert_eq!(refused(Err::<(), _>(missing)), (Code::NotFound, "FILE_NOT_THERE".into()));
    upload(&here, start(&case, &bytes, 0), &bytes, 100_000).await.unwrap();

    // Whoever may not have it hears what one hears of what does not exist.
    let nothing = content(50, 7);
    let unknown = read_as(&nodes, (THERE, HERE), &case, &nothing, 0).await.unwrap_err();
    let outside = read_as(&nodes, (DEZHOU, HERE), &case, &bytes, 0).await.unwrap_err();
    let same = |a: &Status, b: &Status| {
        (a.code(), a.message(), a.details()) == (b.code(), b.message(), b.details())
    };
    assert!(unknown.code() == Code::NotFound && same(&unknown, &outside), "{outside:?}");
    named_by_oneself(&nodes, (&here, &there), &agreement, &unknown).await;
    here_for_another_agreement(&nodes, (&here, &there), &unknown).await;

    // From any offset on, and then by the node itself, which goes on where it was.
    for offset in [0, 1, 262_144, bytes.len() - 1, bytes.len()] {
        let read = read_as(&nodes, (THERE, HERE), &case, &bytes, offset).await.unwrap();
        assert_eq!(read, bytes[offset..]);
    }
    let part = upload(&there, start(&case, &bytes, 0), &bytes[..500_000], 100_000).await;
    assert_eq!(refused(part).1, "UPLOAD_SHORT");
    assert_eq!(file(&there, &case, &bytes).await.unwrap().offset, 500_000);
    let brought = fetch(&there, &case, &bytes).await.unwrap();
    assert_eq!((brought.here, brought.display_name.as_str()), (true, "现场录像.zip"));
    assert_eq!(brought.sm3, hashes(&bytes).1);
    assert_eq!(download(&there, &case, &bytes, 0).await.unwrap(), bytes);
    assert!(fetch(&there, &case, &bytes).await.unwrap().here, "it is there already");
}

/// What is here for one agreement is not here for another one, nor what it is called there.
async fn here_for_another_agreement(
    nodes: &Nodes,
    (here, there): (&Client, &Client),
    unknown: &Status,
) {
    let [one, other] = [0, 1].map(|nth| nodes.fleet.agreements[nth].name());
    let bytes = content(3_000, 5);
    let inner = create(here, sample(&other, 3)).await.unwrap().name;
    list(here, &inner, "E01", &bytes, bytes.len() as u64).await;
    upload(here, start(&inner, &bytes, 0), &bytes, CHUNK).await.unwrap();
    let shared = create(here, sample(&one, 4)).await.unwrap().name;
    list(here, &shared, "E01", &bytes, bytes.len() as u64).await;
    until("the list is there", || async { file(there, &shared, &bytes).await.ok() }).await;
    let held = read_as(nodes, (THERE, HERE), &shared, &bytes, 0).await.unwrap_err();
    assert_eq!((held.code(), held.message()), (unknown.code(), unknown.message()));
    // Whoever is no member is not even asked.
    let from = pb::FetchRequest {
        case_name: shared.clone(),
        sha256: hashes(&bytes).0.into(),
        from_city: DEZHOU,
    };
    let mut answers = there.evidence_files().fetch(from).await.unwrap().into_inner();
    let answer = answers.message().await.map(|_| ());
    assert_eq!(refused(answer), (Code::NotFound, "FILE_NOT_THERE".into()));
    upload(here, start(&shared, &bytes, 0), &bytes, CHUNK).await.unwrap();
    assert_eq!(read_as(nodes, (THERE, HERE), &shared, &bytes, 0).await.unwrap(), bytes);
    let brought = fetch(there, &shared, &bytes).await.unwrap();
    assert_ne!(brought.display_name, "现场录像.zip", "that it is called in another agreement");
}

/// A list of one's own gets nobody the file of another city.
async fn named_by_oneself(
    nodes: &Nodes,
    (here, there): (&Client, &Client),
    agreement: &str,
    unknown: &Status,
) {
    let secret = content(3_000, 3);
    let inner = create(here, sample(agreement, 1)).await.unwrap().name;
    list(here, &inner, "E01", &secret, secret.len() as u64).await;
    upload(here, start(&inner, &secret, 0), &secret, CHUNK).await.unwrap();
    let bait = create(there, sample(agreement, 2)).await.unwrap().name;
    list(there, &bait, "E01", &secret, secret.len() as u64).await;
    until("the bait is there", || async { file(here, &bait, &secret).await.ok() }).await;
    let baited = read_as(nodes, (THERE, HERE), &bait, &secret, 0).await.unwrap_err();
    assert_eq!((baited.code(), baited.message()), (unknown.code(), unknown.message()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_a_wrong_byte_of_another_city_is_thrown_away() {
    let nodes = lay_out(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    let case = create(&here, sample(&agreement, 0)).await.unwrap().name;
    let bytes = content(700_000, 4);
    list(&here, &case, "E01", &bytes, bytes.len() as u64).await;
    upload(&here, start(&case, &bytes, 0), &bytes, 100_000).await.unwrap();
    until("the list is there", || async { file(&there, &case, &bytes).await.ok() }).await;
    let stored = below(&folder(&nodes, HERE, "files")).pop().unwrap();
    let mut wrong = bytes.clone();
    wrong[600_000] ^= 0x10;
    std::fs::write(&stored, &wrong).unwrap();
    let refusal = fetch(&there, &case, &bytes).await.unwrap_err();
    assert_eq!(fact(&refusal, "city"), HERE.to_string());
    assert_eq!(refused(Err::<(), _>(refusal)), (Code::DataLoss, "WRONG_BYTES".into()));
    let known = file(&there, &case, &bytes).await.unwrap();
    assert_eq!((known.here, known.offset), (false, 0));
    assert!(below(&folder(&nodes, THERE, "")).is_empty());
    std::fs::write(&stored, &bytes).unwrap();
    assert!(fetch(&there, &case, &bytes).await.unwrap().here);

    let video = content(900_000, 6);
    list(&here, &case, "E02", &video, video.len() as u64).await;
    until("the list is there", || async { file(&there, &case, &video).await.ok() }).await;
    by_hand(&nodes, &case, &video);
}

/// `liandong evidence`, as people of a city type it.
fn typed(nodes: &Nodes, code: u32, args: &[&str]) -> Output {
    let mut command = std::process::Command::new(exe());
    command.args(["evidence", "--profile", "client.toml"]).args(args).arg("--json");
    command.current_dir(nodes.fleet.folder(code)).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_the_command_line_finds_an_item_in_every_list_of_the_case() {
    let nodes = lay_out(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    let (own, added) = (content(3_000, 20), content(4_000, 21));
    let mut asked = sample(&agreement, 0);
    asked.record.as_mut().unwrap().evidence = vec![item("E01", &own, own.len() as u64)];
    let case = create(&here, asked).await.unwrap().name;
    list(&here, &case, "E02", &added, added.len() as u64).await;
    until("the lists are there", || async { file(&there, &case, &added).await.ok() }).await;
    let digest = liandong::ids::hex(&hashes(&added).0);
    for (id, bytes) in [("E01", &own), ("E02", &added)] {
        let name = format!("{id}.bin");
        std::fs::write(nodes.fleet.folder(HERE).join(&name), bytes).unwrap();
        let sent = typed(&nodes, HERE, &["put", &case, &name]);
        assert!(sent.status.success(), "{sent:?}");
        for what in ["show", "fetch", "get"] {
            let done = typed(&nodes, THERE, &[what, &case, id]);
            assert!(done.status.success() && said(&done).contains(id), "{what} {done:?}");
        }
        assert_eq!(&std::fs::read(nodes.fleet.folder(THERE).join(name)).unwrap(), bytes);
    }
    let by_digest = typed(&nodes, THERE, &["show", &case, &digest[..8]]);
    assert!(by_digest.status.success() && said(&by_digest).contains("E02"), "{by_digest:?}");
    let unknown = typed(&nodes, THERE, &["show", &case, "E03"]);
    assert!(!unknown.status.success() && said(&unknown).contains("E03"), "{unknown:?}");
    // The other city calls another file so: whoever asks says which.
    list(&there, &case, "E02", &own[1..], own.len() as u64 - 1).await;
    let two = typed(&nodes, THERE, &["show", &case, "E02"]);
    assert!(!two.status.success() && said(&two).contains(&digest), "{two:?}");

    // What no list has is listed and sent; run again, it is in one list.
    let film = content(900_000, 22);
    std::fs::write(nodes.fleet.folder(HERE).join("夜查.mp4"), &film).unwrap();
    let words = ["--title", "夜查录像", "--kind", "视听资料", "--on", "2026-08-03"];
    let add = |file: &str| typed(&nodes, HERE, &[&["add", &case, file], &words[..]].concat());
    for _ in 0..2 {
        let sent = add("夜查.mp4");
        assert!(sent.status.success() && said(&sent).contains("\"here\": true"), "{sent:?}");
    }
    let of_film = |entry: &pb::HistoryEntry| {
        entry.listed.iter().filter(|one| one.sha256 == hashes(&film).0).cloned().collect::<Vec<_>>()
    };
    let lists: Vec<_> = history(&here, &case).await.iter().flat_map(of_film).collect();
    let [one] = &lists[..] else { panic!("{lists:?}") };
    assert_eq!((one.kind(), &*one.mime), (pb::EvidenceKind::AudioVisual, "video/mp4"));
    let none = add("没有.mp4");
    assert!(!none.status.success() && said(&none).contains("没有.mp4"), "{none:?}");
}

/// The same from the command line, which goes on with what is there and overwrites nothing.
fn by_hand(nodes: &Nodes, case: &str, video: &[u8]) {
    let sha256 = liandong::ids::hex(&hashes(video).0);
    let run = |code: u32, args: &[&str]| typed(nodes, code, args);
    let (ours, theirs) = (nodes.fleet.folder(HERE), nodes.fleet.folder(THERE));
    std::fs::write(ours.join("录像.mp4"), video).unwrap();
    std::fs::write(ours.join("other.mp4"), &video[1..]).unwrap();
    let other = run(HERE, &["put", case, "other.mp4"]);
    assert!(!other.status.success() && said(&other).contains("EVIDENCE_NOT_LISTED"), "{other:?}");
    let early = run(THERE, &["get", case, &sha256]);
    assert!(!early.status.success() && said(&early).contains("FILE_NOT_HERE"), "{early:?}");
    let sent = run(HERE, &["put", case, "录像.mp4"]);
    assert!(sent.status.success() && said(&sent).contains("录像.mp4"), "{sent:?}");
    let brought = run(THERE, &["fetch", case, &sha256]);
    assert!(brought.status.success(), "{brought:?}");
    let shown = run(THERE, &["show", case, &sha256]);
    assert!(shown.status.success() && said(&shown).contains("\"here\": true"), "{shown:?}");
    // Half of it lies there already.
    let part = theirs.join(format!("录像.mp4.{}.part", &sha256[..8]));
    std::fs::write(&part, &video[..400_000]).unwrap();
    let got = run(THERE, &["get", case, &sha256]);
    assert!(got.status.success(), "{got:?}");
    assert_eq!(std::fs::read(theirs.join("录像.mp4")).unwrap(), video);
    assert!(!part.exists());
    let again = run(THERE, &["get", case, &sha256]);
    assert!(!again.status.success(), "nothing is overwritten: {again:?}");
    // Other bytes before a cut are found out at the end.
    std::fs::write(theirs.join(format!("b.{}.part", &sha256[..8])), b"other bytes").unwrap();
    let wrong = run(THERE, &["get", case, &sha256, "--out", "b"]);
    assert!(!wrong.status.success() && said(&wrong).contains("WRONG_BYTES"), "{wrong:?}");
    assert!(!theirs.join("b").exists());
    // And so is what has rotted on the disk: nothing of it stays.
    let stored = folder(nodes, THERE, "files").join(&sha256[..2]).join(&sha256);
    std::fs::write(stored, content(video.len(), 7)).unwrap();
    let rotten = run(THERE, &["get", case, &sha256, "--out", "c"]);
    assert!(!rotten.status.success() && said(&rotten).contains("FILE_CORRUPT"), "{rotten:?}");
    assert!(
        !theirs.join("c").exists() && !theirs.join(format!("c.{}.part", &sha256[..8])).exists()
    );
}
