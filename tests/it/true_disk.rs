//! A real node on a file system that is really full: a small tmpfs of its own, in a user and mount
//! namespace. Nothing is preloaded, and nothing tells less space than there is.
//!
//! Where no such namespace can be made, the test says so; then the library of `full_disk.rs` stands
//! in, and the test below whose files may not grow (`RLIMIT_FSIZE`), which runs everywhere.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use rustix::process::Signal;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use super::crash_points::small_segments;
use super::disk::{health, open, reason};
use super::kills::quick_plan;
use super::nodes::{Nodes, opening, signal, until};

const HERE: u32 = 371_500;
/// Bytes of the file system: some low-water marks of the plan.
const SIZE: &str = "48m";

/// The low-water mark of the plan, bytes.
const LOW: u64 = 8 << 20;

/// Lays the data folder on a tmpfs and runs the node there, again whenever it ends, for as long as
/// the test runs.
const SCRIPT: &str = r#"
data=$1 size=$2 test=$3; shift 3
cp -a "$data" "$data.was" && mount -t tmpfs -o size="$size" tmpfs "$data" || exit 9
cp -a "$data.was/." "$data" || exit 9
while [ -d "/proc/$test" ]; do "$@" --die-with-parent "$$"; done
"#;

fn can_have_namespaces() -> bool {
    let mut tried = Command::new("unshare");
    tried.args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).stderr(Stdio::null());
    tried.status().is_ok_and(|status| status.success())
}

/// The node on its own file system.
struct Place {
    nodes: Nodes,
    /// The data folder, as seen from outside the namespace.
    data: PathBuf,
    agreement: String,
}

impl Place {
    async fn new() -> Self {
        let mut nodes = Nodes::lay_out(&small_segments());
        let data = nodes.fleet.folder(HERE).join("data");
        let test = std::process::id().to_string();
        let args = ["-rm", "sh", "-c", SCRIPT, "sh", data.to_str().unwrap(), SIZE, &test]
            .map(str::to_owned);
        nodes.start_by(HERE, "unshare", &args);
        let inside = format!("/proc/{}/root", nodes.pid(HERE));
        let data = Path::new(&inside).join(data.strip_prefix("/").unwrap());
        let agreement = nodes.fleet.agreements[0].name();
        Self { nodes, data, agreement }
    }

    /// The node itself, below the shell that starts it.
    fn node(&self) -> Option<u32> {
        let shell = self.nodes.pid(HERE);
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        children.ok()?.split_whitespace().next()?.parse().ok()
    }

    /// It dies, and the shell starts it again on the same file system.
    async fn restart(&self) -> Client {
        let before = self.node();
        signal(before.unwrap(), Signal::KILL);
        let anew = || async { self.node().filter(|pid| Some(*pid) != before) };
        until("it is started again", anew).await;
        self.nodes.client(HERE).await
    }

    fn filler(&self) -> PathBuf {
        self.data.join("filler")
    }

    /// Leaves half the low-water mark.
    fn fill_up(&self) {
        let free = || rustix::fs::statvfs(&self.data).map(|s| s.f_bavail * s.f_frsize).unwrap();
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while free() > LOW / 2 {
            file.write_all(&[7; 1 << 16]).unwrap();
        }
    }

    /// Leaves not a byte.
    fn fill(&self) {
        let mut file = std::fs::File::options().append(true).open(self.filler()).unwrap();
        for piece in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![7; piece]).is_ok() {}
        }
        let full = file.write_all(&[7]).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let node = self.node();
        // The shell first, else it would start another one.
        signal(self.nodes.pid(HERE), Signal::KILL);
        node.into_iter().for_each(|pid| signal(pid, Signal::KILL));
    }
}

async fn names(client: &Client, agreement: &str) -> BTreeSet<String> {
    let (mut found, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let request = pb::ListCasesRequest {
            parent: agreement.to_owned(),
            page_size: 200,
            page_token,
            ..Default::default()
        };
        let page = client.cases().list_cases(request).await.unwrap().into_inner();
        found.extend(page.cases.into_iter().map(|case| case.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

async fn refused(client: &Client, agreement: &str, id: &str) {
    let status = open(client, agreement, id).await.unwrap_err();
    let said = (status.code(), reason(&status));
    assert_eq!(said, (Code::ResourceExhausted, "DISK_LOW".to_owned()), "{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_that_is_really_full_nothing_acknowledged_is_lost() {
    if !can_have_namespaces() {
        eprintln!("no user namespaces here: tests/shim/faults.c and RLIMIT_FSIZE stand in");
        return;
    }
    let place = Place::new().await;
    let client = place.nodes.client(HERE).await;
    let agreement = place.agreement.clone();
    let first = until("a first case", || async { open(&client, &agreement, "kept").await.ok() });
    let mut kept = BTreeSet::from([first.await.name]);
    // It fills up while people write.
    let (full, by) = (Arc::new(AtomicBool::new(false)), place.nodes.client(HERE).await);
    let writing = tokio::spawn({
        let (full, agreement) = (Arc::clone(&full), agreement.clone());
        async move {
            let (mut acked, mut refused) = (Vec::new(), 0);
            for nth in 0.. {
                match open(&by, &agreement, &format!("load-{nth}")).await {
                    Ok(case) => acked.push(case.name),
                    Err(status) => {
                        assert_eq!(reason(&status), "DISK_LOW", "{status:?}");
                        refused += 1;
                        if full.load(Ordering::Relaxed) {
                            return (acked, refused);
                        }
                    }
                }
            }
            unreachable!()
        }
    });
    until("some are written", || async {
        (names(&client, &agreement).await.len() > 5).then_some(())
    })
    .await;
    tokio::task::block_in_place(|| place.fill_up());
    full.store(true, Ordering::Relaxed);
    let (acked, count) = writing.await.unwrap();
    tokio::task::block_in_place(|| place.fill());
    assert!(acked.len() > 4 && count > 0, "{} and {count}", acked.len());
    kept.extend(acked);
    refused(&client, &agreement, "later").await;
    assert_eq!(names(&client, &agreement).await, kept);
    assert_eq!(health(&client).await, ServingStatus::Serving);
    // Also after a start, where there is not a byte for anything.
    let client = place.restart().await;
    assert_eq!(names(&client, &agreement).await, kept);
    refused(&client, &agreement, "later").await;
    // Space comes back, and nobody restarts anything.
    std::fs::remove_file(place.filler()).unwrap();
    let after = until("writes resume", || async { open(&client, &agreement, "later").await.ok() });
    kept.insert(after.await.name);
    let client = place.restart().await;
    assert_eq!(names(&client, &agreement).await, kept);
    assert!(!place.nodes.log(HERE).contains("panicked"), "{}", place.nodes.log(HERE));
}

/// Blocks of 512 bytes: room for one piece of the journal, which reserves 1 MiB at a time, and not
/// for two.
const BLOCKS: &str = "3072";

#[tokio::test(flavor = "multi_thread")]
async fn where_no_file_may_grow_any_more_nothing_acknowledged_is_lost() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    let script = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\" --die-with-parent \"$PPID\"";
    let args = ["-c", script, "sh", BLOCKS].map(str::to_owned);
    nodes.start_by(HERE, "sh", &args);
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    let first = until("a first case", || async { open(&client, &agreement, "kept").await.ok() });
    let mut kept = BTreeSet::from([first.await.name]);
    let refused = loop {
        assert!(kept.len() < 2_000, "every file may grow");
        let mut request = opening(&agreement, 0, &format!("more-{}", kept.len()));
        request.record.as_mut().unwrap().summary = "摘".repeat(7_000);
        match client.cases().create_case(request).await {
            Ok(answer) => kept.insert(answer.into_inner().case.unwrap().name),
            Err(status) => break status,
        };
    };
    assert_eq!(reason(&refused), "DISK_LOW", "{refused:?}");
    assert!(kept.len() > 5, "{} only", kept.len());
    assert_eq!(names(&client, &agreement).await, kept);
    nodes.kill(HERE);
    nodes.start(HERE);
    let client = nodes.client(HERE).await;
    kept.insert(open(&client, &agreement, "after").await.unwrap().name);
    assert_eq!(names(&client, &agreement).await, kept);
}
