//! Views are only views: whatever happens to their folder, the journal brings them back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use liandong::cli::connect::Client;
use liandong::node::core::rows::ROWS_VERSION;
use liandong::store::{SledStore, Store};
use liandong::wire::pb::v1 as pb;

use super::kills::quick_plan;
use super::nodes::{Nodes, opening, until};

const HERE: u32 = 371_500;
/// Stands in the text of every case here.
const PLANTED: &str = "暗管偷排夜间直入徒骇河PLANTED-7f3a";

async fn open(client: &Client, agreement: &str, n: usize) -> pb::Case {
    let mut request = opening(agreement, n % 20, &format!("case-{n}"));
    request.record.as_mut().unwrap().title = format!("{PLANTED}第{n}号");
    let (system, number) = (format!("系统{PLANTED}"), format!("号{PLANTED}{n}"));
    request.external_ref = Some(pb::ExternalRef { system, number });
    until("the node takes writes", || async {
        let answer = client.cases().create_case(request.clone()).await;
        answer.ok().map(|a| a.into_inner().case.unwrap())
    })
    .await
}

async fn all(nodes: &Nodes, agreement: &str) -> Vec<pb::Case> {
    let client = nodes.client(HERE).await;
    let request =
        pb::ListCasesRequest { parent: agreement.to_owned(), page_size: 200, ..Default::default() };
    client.cases().list_cases(request).await.unwrap().into_inner().cases
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Whether some file below a folder contains these bytes.
pub fn holds(folder: &Path, wanted: &[u8]) -> bool {
    files(folder).iter().any(|file| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    })
}

/// The bytes of a case's id.
pub fn id_of(name: &str) -> Vec<u8> {
    let id = name.rsplit('/').next().unwrap();
    (0..id.len()).step_by(2).map(|i| u8::from_str_radix(&id[i..i + 2], 16).unwrap()).collect()
}

fn set_aside(data: &Path) -> Vec<String> {
    let names = std::fs::read_dir(data).unwrap().map(|e| e.unwrap().file_name());
    let names = names.map(|n| n.to_string_lossy().into_owned());
    names.filter(|n| n.starts_with("views.damaged-")).collect()
}

/// Flips bytes all over the file that holds the rows.
fn spoil(views: &Path) -> bool {
    let file = views.join("db");
    let mut bytes = std::fs::read(&file).unwrap();
    for at in (4_096..bytes.len()).step_by(997) {
        bytes[at] ^= 0x5a;
    }
    std::fs::write(file, bytes).is_ok()
}

/// Stops the node and harms its views; rows reach the disk behind the writer's back, so this is
/// tried until there is something to harm. Returns what was set aside before.
pub async fn harm_stopped(
    nodes: &mut Nodes,
    data: &Path,
    harm: &dyn Fn(&Path) -> bool,
) -> Vec<String> {
    for _ in 0..100 {
        nodes.kill(HERE);
        let aside = set_aside(data);
        if harm(&data.join("views")) {
            return aside;
        }
        nodes.start(HERE);
        nodes.client(HERE).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    panic!("nothing to harm");
}

/// Writes a row behind the node's back.
fn put(views: &Path, key: &[u8], value: &[u8]) {
    let opened = SledStore::open(views).unwrap();
    assert_eq!(opened.set_aside, None);
    opened.store.apply(&[(key.to_vec(), Some(value.to_vec()))]).unwrap();
    opened.store.flush().unwrap();
}

/// How many rows with a prefix are on disk.
pub fn count(views: &Path, prefix: u8) -> usize {
    let opened = SledStore::open(views).unwrap();
    let mut found = 0;
    let scan = opened.store.scan(&[prefix], &[prefix + 1], false, &mut |_, _| {
        found += 1;
        true
    });
    scan.unwrap();
    found
}

/// The key of the first row with a prefix, and its value.
fn first(views: &Path, prefix: u8) -> Option<(Vec<u8>, Vec<u8>)> {
    let opened = SledStore::open(views).unwrap();
    let mut found = None;
    let scan = opened.store.scan(&[prefix], &[prefix + 1], false, &mut |key, value| {
        found = Some((key.to_vec(), value.to_vec()));
        false
    });
    scan.unwrap();
    found
}

/// Changes a byte in the middle of the first row with a prefix; false when it is not on disk yet.
fn change(views: &Path, prefix: u8, at: impl Fn(usize) -> usize) -> bool {
    // After a kill the rows may be as an earlier harm left them: then the node has not rebuilt
    // them on disk yet.
    let rebuilt = first(views, b'p').is_some_and(|(_, row)| u32::from(row[0]) == ROWS_VERSION);
    let Some((key, mut value)) = first(views, prefix).filter(|_| rebuilt) else { return false };
    let at = at(value.len());
    value[at] ^= 0x41;
    put(views, &key, &value);
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn views_come_back_whatever_happens_to_their_folder() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    nodes.start(HERE);
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    for n in 0..12 {
        open(&client, &agreement, n).await;
    }
    let before = all(&nodes, &agreement).await;
    assert_eq!(before.len(), 12);
    let data = nodes.fleet.folder(HERE).join("data");
    type Harm = Box<dyn Fn(&Path) -> bool>;
    let wrote = |path: PathBuf, text: &str| std::fs::write(path, text).is_ok();
    let harms: Vec<(&str, bool, Harm)> = vec![
        ("nothing", false, Box::new(|_| true)),
        ("deleted", false, Box::new(|views| std::fs::remove_dir_all(views).is_ok())),
        (
            "a snapshot half written",
            false,
            Box::new(move |views| wrote(views.join("snap.00000000000FFFFF.generating"), "half")),
        ),
        (
            "a configuration of nobody's",
            true,
            Box::new(move |views| wrote(views.join("conf"), "this is no configuration of sled")),
        ),
        ("bytes flipped", false, Box::new(spoil)),
        ("rows of another version", false, Box::new(|views| change(views, b'p', |_| 0))),
        ("a state nobody signed", false, Box::new(|views| change(views, b'l', |n| n / 2))),
        (
            "an engine that failed while running",
            true,
            Box::new(move |views| wrote(views.with_extension("failed"), "planted")),
        ),
    ];
    for (what, aside, harm) in harms {
        let aside_before = harm_stopped(&mut nodes, &data, harm.as_ref()).await;
        nodes.start(HERE);
        assert_eq!(all(&nodes, &agreement).await, before, "{what}");
        let aside_now = set_aside(&data);
        assert!(aside_now.len() <= 1, "{what}: {aside_now:?}");
        assert!(!aside || aside_now != aside_before, "{what}: nothing was set aside");
        // And it goes on: requests are known, numbers are not given twice.
        let client = nodes.client(HERE).await;
        let again = open(&client, &agreement, 3).await;
        assert!(before.contains(&again), "{what}");
    }
    let log = nodes.log(HERE);
    assert!(log.contains("the views contradict the journal"), "a check was made");
    assert!(log.contains("the views will not open"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_a_part_is_in_the_views() {
    let mut nodes = Nodes::lay_out(&quick_plan());
    nodes.start(HERE);
    let agreement = nodes.fleet.agreements[0].name();
    let client = nodes.client(HERE).await;
    let case = open(&client, &agreement, 1).await;
    let request = pb::AddNoteRequest {
        name: case.name.clone(),
        text: PLANTED.to_owned(),
        request_id: PLANTED[PLANTED.len() - 12..].to_owned(),
        ..Default::default()
    };
    client.cases().add_note(request).await.unwrap();
    let data = nodes.fleet.folder(HERE).join("data");
    let views = data.join("views");
    // The id of the case is there once the rows have been written behind and flushed.
    let id = id_of(&case.name);
    until("the rows are on disk", || async { holds(&views, &id).then_some(()) }).await;
    nodes.kill(HERE);
    assert!(holds(&data.join("journal"), PLANTED.as_bytes()), "the journal has it");
    let officer = "37150099001";
    assert!(holds(&data.join("journal"), officer.as_bytes()), "the journal has it");
    let key = std::fs::read(nodes.fleet.folder(HERE).join("keys/node.hmac")).unwrap();
    let found = ["PLANTED", officer, &case.number, "徒骇河", "S-7f3a"];
    for text in found {
        assert!(!holds(&views, text.as_bytes()), "{text} is in the views");
    }
    let key = String::from_utf8_lossy(&key).trim().to_owned();
    assert!(!holds(&views, key.as_bytes()), "the node key is in the views");
}
