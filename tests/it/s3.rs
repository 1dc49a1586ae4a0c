//! Evidence files in an S3-compatible store: real nodes, and a server that nobody here wrote (moto).
//!
//! `.ci/steps/s3.sh` installs it under `target/ci`. Without it these tests are skipped, which fails
//! under `LIANDONG_NO_SKIP=1`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use liandong::cli::connect::Client;
use liandong::evidence::s3::{S3, S3Key};
use liandong::evidence::{
    CaseRef, Collected, Elsewhere, EvidenceError, EvidenceLimits, EvidenceStore, IsNamed, Wanted,
};
use liandong::ids::{AgreementId, Hash, SubjectId};
use liandong::wire::pb::v1 as pb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::Code;

use super::api::{HERE, THERE, create, ready, refused, sample};
use super::evidence_files::{
    below, content, download, fetch, file, folder, hanging, hashes, how_far, list, start, upload,
};
use super::nodes::{Nodes, exe, plan, until};

const KEY_ID: &str = "NameOfTheKey";
const SECRET: &str = "TheSecretOfTheKey";
const DAY_MS: i64 = 24 * 3_600_000;

/// The server; it ends with the test.
struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Moto {
    /// Starts it with one bucket; `None`: it is not installed, and that is allowed.
    async fn start() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/ci/moto/bin/moto_server");
        if !program.exists() {
            let no_skip = std::env::var("LIANDONG_NO_SKIP").is_ok_and(|v| v == "1");
            assert!(!no_skip, "no {}: run .ci/steps/s3.sh", program.display());
            println!("skipped: no {}; .ci/steps/s3.sh makes it", program.display());
            return None;
        }
        let address = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap()
        };
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = Self { child: quiet.spawn().unwrap(), address };
        until("the server of the store answers", || async {
            moto.make_bucket().await.then_some(())
        })
        .await;
        Some(moto)
    }

    async fn make_bucket(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address).await else { return false };
        let request = "PUT /liandong HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\
            Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, \
            SignedHeaders=host, Signature=0\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer.starts_with("HTTP/1.1 200")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A door in front of the server, which can be shut; whoever is inside is thrown out.
struct Door {
    address: SocketAddr,
    shut: watch::Sender<bool>,
}

impl Door {
    async fn before(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shut, seen) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut outer, _)) = listener.accept().await {
                let mut seen = seen.clone();
                tokio::spawn(async move {
                    let through = async {
                        let mut inner = TcpStream::connect(to).await?;
                        tokio::io::copy_bidirectional(&mut outer, &mut inner).await
                    };
                    tokio::select! {
                        _ = seen.wait_for(|shut| *shut) => {}
                        _ = through => {}
                    }
                });
            }
        });
        Self { address, shut }
    }
}

/// Writes where a city's files go, with its key beside it.
fn configure(nodes: &Nodes, code: u32, address: SocketAddr, bucket: &str) {
    let folder = nodes.fleet.folder(code);
    let key = format!("id = \"{KEY_ID}\"\nsecret = \"{SECRET}\"\n");
    std::fs::write(folder.join("s3.toml"), key).unwrap();
    let file = folder.join("liandong.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text += &format!(
        "\n[evidence]\nstore = \"s3\"\nendpoint = \"http://{address}\"\nbucket = \"{bucket}\"\n\
         prefix = \"cities/{code}\"\nkey_file = \"s3.toml\"\n"
    );
    std::fs::write(file, text).unwrap();
}

async fn store_of(client: &Client) -> pb::EvidenceStore {
    let status = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    status.into_inner().status.unwrap().evidence_store.unwrap_or_default()
}

/// Its status is as old as a round of the task that keeps the store.
async fn until_store(client: &Client, what: &str, is_so: impl Fn(&pb::EvidenceStore) -> bool) {
    until(what, || async { is_so(&store_of(client).await).then_some(()) }).await;
}

/// What `liandong doctor` says of evidence files.
fn doctor(nodes: &Nodes, code: u32) -> serde_json::Value {
    let mut command = Command::new(exe());
    command.args(["doctor", "--profile", "client.toml", "--json"]);
    let said = command.current_dir(nodes.fleet.folder(code)).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let all = said["findings"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["area"] == "evidence").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_holds_whole_files_and_may_be_away_for_a_while() {
    let Some(moto) = Moto::start().await else { return };
    let door = Door::before(moto.address).await;
    let mut nodes = Nodes::lay_out(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    for code in [HERE, THERE] {
        configure(&nodes, code, door.address, "liandong");
        nodes.start(code);
    }
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    until_store(&here, "it is counted", |store| store.counted).await;
    let case = create(&here, sample(&agreement, 0)).await.unwrap().name;

    // Larger than one request, cut in the middle, and gone on with.
    let bytes = content(9_000_000, 2);
    list(&here, &case, "E01", &bytes, bytes.len() as u64).await;
    let half = upload(&here, start(&case, &bytes, 0), &bytes[..4_000_000], 400_000).await;
    assert_eq!(refused(half).1, "UPLOAD_SHORT");
    let rest = start(&case, &bytes, 4_000_000);
    let done = upload(&here, rest, &bytes[4_000_000..], 400_000).await.unwrap();
    assert!(done.here);
    assert!(below(&folder(&nodes, HERE, "")).is_empty(), "nothing stays on the own disk");
    until_store(&here, "it is counted", |store| store.used_bytes == bytes.len() as u64).await;
    for offset in [0, 1, 5_000_000, bytes.len()] {
        assert_eq!(download(&here, &case, &bytes, offset).await.unwrap(), bytes[offset..]);
    }
    // To the other city, which has a store too.
    until("the list is there", || async { file(&there, &case, &bytes).await.ok() }).await;
    assert!(fetch(&there, &case, &bytes).await.unwrap().here);
    assert_eq!(download(&there, &case, &bytes, 0).await.unwrap(), bytes);
    // Other bytes are thrown away before anything is sent.
    let right = content(20_000, 3);
    list(&here, &case, "E02", &right, right.len() as u64).await;
    let wrong = [&right[1..], b"x"].concat();
    let answer = upload(&here, start(&case, &right, 0), &wrong, 10_000).await;
    assert_eq!(refused(answer), (Code::InvalidArgument, "HASH_MISMATCH".into()));
    assert_eq!(how_far(&here, &case, &right).await, (0, false));

    away(&mut nodes, &door, (&case, &agreement), (&bytes, &right)).await;
    for code in [HERE, THERE] {
        let log = nodes.log(code);
        assert!(!log.contains(SECRET) && !log.contains(KEY_ID), "{log}");
    }
}

/// The store goes while a file comes: its part stays, everything else goes on, and so does the
/// upload when it is back; a node starts without it too.
async fn away(
    nodes: &mut Nodes,
    door: &Door,
    (case, agreement): (&str, &str),
    (kept, new): (&[u8], &[u8]),
) {
    let here = nodes.client(HERE).await;
    let (call, sender) = hanging(&here, start(case, new, 0), new).await;
    door.shut.send_replace(true);
    drop(sender);
    call.await.unwrap();
    let gone = download(&here, case, kept, 0).await;
    assert_eq!(refused(gone), (Code::Unavailable, "EVIDENCE_STORE_AWAY".into()));
    until_store(&here, "it is told of", |store| store.counted && !store.error.is_empty()).await;
    let said = doctor(nodes, HERE);
    assert!(said["level"] == "yellow" && said["advice"].as_str().unwrap().contains("[evidence]"));
    create(&here, sample(agreement, 1)).await.unwrap();
    nodes.kill(HERE);
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    create(&here, sample(agreement, 2)).await.unwrap();
    until_store(&here, "it is told of", |store| !store.error.is_empty()).await;
    assert!(!store_of(&here).await.counted);
    assert_eq!(doctor(nodes, HERE)["level"], "red", "it has never answered");
    let early = upload(&here, start(case, new, new.len()), &[], 1).await;
    assert_eq!(refused(early), (Code::Unavailable, "EVIDENCE_STORE_AWAY".into()));
    let parts = below(&folder(nodes, HERE, "incoming"));
    assert_eq!(std::fs::metadata(&parts[0]).unwrap().len(), new.len() as u64, "it stays");

    door.shut.send_replace(false);
    until_store(&here, "it is counted", |store| store.counted).await;
    assert_eq!(how_far(&here, case, new).await, (new.len() as u64, false));
    assert!(upload(&here, start(case, new, new.len()), &[], 1).await.unwrap().here);
    assert_eq!(download(&here, case, new, 0).await.unwrap(), new);
    assert_eq!(download(&here, case, kept, 8_500_000).await.unwrap(), kept[8_500_000..]);
    let all = (kept.len() + new.len()) as u64;
    until_store(&here, "it is counted", |store| store.used_bytes == all).await;
    assert_eq!(doctor(nodes, HERE)["level"], "green");
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_without_its_bucket_or_its_key_is_told_of_and_cases_go_on() {
    let Some(moto) = Moto::start().await else { return };
    let mut nodes = Nodes::lay_out(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    configure(&nodes, HERE, moto.address, "nobody");
    configure(&nodes, THERE, moto.address, "liandong");
    std::fs::write(nodes.fleet.folder(THERE).join("s3.toml"), format!("{SECRET} = 1")).unwrap();
    for code in [HERE, THERE] {
        nodes.start(code);
    }
    let agreement = nodes.fleet.agreements[0].name();
    for code in [HERE, THERE] {
        let client = nodes.client(code).await;
        ready(&client, &agreement).await;
        until_store(&client, "it is told of", |store| !store.error.is_empty()).await;
        assert_eq!(doctor(&nodes, code)["level"], "red");
        create(&client, sample(&agreement, 0)).await.unwrap();
        let told = format!("{:?} {}", store_of(&client).await, nodes.log(code));
        assert!(!told.contains(SECRET) && !told.contains(KEY_ID), "{told}");
    }
}

fn s3(endpoint: String) -> S3 {
    S3 {
        endpoint,
        bucket: "liandong".to_owned(),
        prefix: "alone".to_owned(),
        region: "us-east-1".to_owned(),
        virtual_hosted: false,
        key: S3Key { id: KEY_ID.to_owned(), secret: SECRET.to_owned() },
        tls: None,
    }
}

#[test]
fn neither_part_of_a_key_is_printed() {
    let printed = format!("{:?}", s3("http://127.0.0.1:1".to_owned()).key);
    assert!(!printed.contains(KEY_ID) && !printed.contains(SECRET), "{printed}");
}

#[test]
fn plain_http_is_for_who_asks_for_it() {
    assert!(s3("http://127.0.0.1:1".to_owned()).open().is_ok());
    // Without TLS, nothing is said to who expects it.
    assert!(s3("https://127.0.0.1:1".to_owned()).open().is_err());
    assert!(s3("no address".to_owned()).open().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_is_counted_and_collected_like_the_folder() {
    let Some(moto) = Moto::start().await else { return };
    let parts = tempfile::tempdir().unwrap();
    let open = || {
        let store = s3(format!("http://{}", moto.address)).open();
        let limits = EvidenceLimits {
            file_bytes_max: 100,
            folder_bytes_max: 150,
            pending_bytes_max: 150,
            disk_low_bytes: 0,
        };
        let place = Elsewhere { name: "here".to_owned(), store };
        EvidenceStore::open_elsewhere(parts.path(), limits, place).unwrap()
    };
    let wanted = |bytes: &[u8]| {
        let (sha256, sm3) = hashes(bytes);
        let case =
            CaseRef { agreement: AgreementId::new([1; 16]), subject: SubjectId::new([2; 16]) };
        Wanted {
            sha256: Hash::new(sha256.try_into().unwrap()),
            sm3: sm3.try_into().unwrap(),
            size: bytes.len() as u64,
            name: "证据.zip".to_owned(),
            case,
            from: None,
        }
    };
    let store = open();
    let (bytes, more) = (content(90, 1), content(61, 2));
    // Nothing is taken before it is known how much there is.
    let early = store.begin("a", wanted(&bytes), 0).map(drop).unwrap_err();
    assert!(matches!(early, EvidenceError::Away { .. }), "{early:?}");
    store.probe().await;
    let mut incoming = store.begin("a", wanted(&bytes), 0).unwrap();
    incoming.append(&Bytes::copy_from_slice(&bytes)).unwrap();
    incoming.finish().await.unwrap();
    let sha256 = wanted(&bytes).sha256;
    assert_eq!(store.read((sha256, 90), 10, 20).await.unwrap(), bytes[10..30]);
    // Another process counts it again.
    let store = open();
    store.probe().await;
    assert_eq!(store.state().used, Some(90));
    let full = store.begin("a", wanted(&more), 0).map(drop).unwrap_err();
    assert!(matches!(full, EvidenceError::FolderFull { used: 90, limit: 150 }), "{full:?}");

    let named = Arc::new(AtomicBool::new(true));
    let ask = Arc::clone(&named);
    let is_named: IsNamed = Arc::new(move |_, _| ask.load(Ordering::Relaxed));
    let none = Collected::default();
    assert_eq!(store.collect(400 * DAY_MS, &is_named).await.unwrap(), none);
    named.store(false, Ordering::Relaxed);
    assert_eq!(store.collect(DAY_MS, &is_named).await.unwrap(), none);
    assert_eq!(store.collect(2 * DAY_MS - 1, &is_named).await.unwrap(), none);
    let gone = Collected { parts: 0, files: 1 };
    assert_eq!(store.collect(2 * DAY_MS, &is_named).await.unwrap(), gone);
    assert!(matches!(store.about(sha256).await, Err(EvidenceError::NotHere)));
    assert_eq!(store.state().used, Some(0));
}
