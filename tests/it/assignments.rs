//! Assignments: shown in the own city, and in no byte that leaves it.

use std::path::Path;
use std::process::{Command, Output};

use liandong::cli::connect::Client;
use liandong::ids::{LogId, Position};
use liandong::sync::Frame;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use liandong::wire::peer::frame_to_pb;
use prost::Message;
use tonic::{Code, Status};

use super::api::{HERE, Pair, THERE, create, fresh, get, note, ready, refused, sample};
use super::nodes::{Nodes, exe, plan};
use super::rogue::{Author, Rogue};

const NAME: &str = "张三-MARK-5c1d7e";
const REMARK: &str = "周五前复查 REMARK-MARK-90ab3f";
/// Said to everybody, so that it is known what a search finds.
const SAID: &str = "SAID-TO-ALL-77e0d2";

/// By somebody who has just read the case.
async fn assign(client: &Client, case: &str, said: (&str, &str)) -> Result<pb::Case, Status> {
    let standing = get(client, case).await.ok().and_then(|case| case.assignment);
    assign_in_place_of(client, case, said, standing.unwrap_or_default().etag).await
}

async fn assign_in_place_of(
    client: &Client,
    case: &str,
    (assignee, remark): (&str, &str),
    etag: String,
) -> Result<pb::Case, Status> {
    let request = pb::AssignCaseRequest {
        name: case.to_owned(),
        assignee: assignee.to_owned(),
        remark: remark.to_owned(),
        etag,
        request_id: fresh(),
    };
    client.cases().assign_case(request).await.map(|answer| answer.into_inner().case.unwrap())
}

async fn assigned_to(client: &Client, agreement: &str, assignee: &str) -> Vec<String> {
    let request = pb::ListCasesRequest {
        parent: agreement.to_owned(),
        assignee: assignee.to_owned(),
        ..Default::default()
    };
    let page = client.cases().list_cases(request).await.unwrap().into_inner();
    assert_eq!(page.total_size as usize, page.cases.len());
    page.cases.into_iter().map(|case| case.name).collect()
}

/// Names of files below a folder that hold these bytes.
pub fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if let Ok(content) = std::fs::read(&path)
            && content.windows(bytes.len()).any(|window| window == bytes)
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn run(nodes: &Nodes, code: u32, args: &[&str]) -> Output {
    let mut command = Command::new(exe());
    command.arg("case").args(args).args(["--profile", "client.toml"]);
    command.current_dir(nodes.fleet.folder(code)).output().unwrap()
}

fn said(nodes: &Nodes, code: u32, args: &[&str]) -> String {
    let output = run(nodes, code, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn assignments_are_the_own_citys_and_outlive_the_views() {
    let mut pair = Pair::start().await;
    let case = pair.open(&pair.here, 0).await;
    let other = pair.open(&pair.there, 1).await;
    let other = pair.held(&pair.here, &other).await;
    let done = assign(&pair.here, &case.name, (NAME, REMARK)).await.unwrap();
    let own = done.assignment.as_ref().unwrap();
    assert_eq!((own.assignee.as_str(), own.remark.as_str()), (NAME, REMARK));
    assert!(own.assign_time.is_some() && own.assigned_by.starts_with("coordinator/"), "{own:?}");
    assert_eq!((&done.etag, done.contribution_count), (&case.etag, 0), "no step, no addition");
    assert_eq!(get(&pair.here, &case.name).await.unwrap(), done);
    // Also of a case that another city handles; each city has its own.
    assign(&pair.here, &other.name, (NAME, "")).await.unwrap();
    assign(&pair.there, &other.name, ("李四", "")).await.unwrap();
    assert_eq!(
        assigned_to(&pair.here, "agreements/-", NAME).await,
        [other.name.clone(), case.name.clone()]
    );
    assert_eq!(assigned_to(&pair.there, &pair.agreement, "李四").await, vec![other.name.clone()]);
    assert_eq!(assigned_to(&pair.there, &pair.agreement, NAME).await, Vec::<String>::new());
    assert_eq!(assigned_to(&pair.here, &pair.agreement, "张三").await, Vec::<String>::new());
    // Whatever came before it is at the other city by now, and nothing of it.
    note(&pair.here, &case.name, SAID).await.unwrap();
    super::nodes::until("the note is there", || async {
        let there = get(&pair.there, &case.name).await.ok()?;
        assert_eq!(there.assignment, None);
        (there.contribution_count == 1).then_some(())
    })
    .await;
    by_hand(&pair, &case).await;
    refusals(&pair, &case).await;
    let own = get(&pair.here, &case.name).await.unwrap().assignment.unwrap();
    let folder = |code| pair.nodes.fleet.folder(code);
    let (here, there) = (folder(HERE), folder(THERE));
    for mark in [NAME, REMARK] {
        assert_eq!(holding(&there, mark.as_bytes()), Vec::<String>::new());
        let own = holding(&here, mark.as_bytes());
        assert!(!own.is_empty() && own.iter().all(|path| path.contains("journal")), "{own:?}");
    }
    assert!(!holding(&there.join("data/journal"), SAID.as_bytes()).is_empty(), "a search finds");
    // The views are lost: all is made again from the journal.
    pair.nodes.kill(HERE);
    std::fs::remove_dir_all(here.join("data/views")).unwrap();
    pair.nodes.start(HERE);
    let again = pair.nodes.client(HERE).await;
    ready(&again, &pair.agreement).await;
    assert_eq!(get(&again, &case.name).await.unwrap().assignment, Some(own.clone()));
    assert_eq!(assigned_to(&again, "agreements/-", NAME).await, [other.name, case.name.clone()]);
    // Taken back, and that outlives a start too.
    assert_eq!(assign(&again, &case.name, ("", "")).await.unwrap().assignment, None);
    pair.nodes.kill(HERE);
    pair.nodes.start(HERE);
    let again = pair.nodes.client(HERE).await;
    ready(&again, &pair.agreement).await;
    assert_eq!(get(&again, &case.name).await.unwrap().assignment, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_that_was_changed_meanwhile_is_not_overwritten() {
    let mut pair = Pair::start().await;
    let case = pair.open(&pair.here, 0).await;
    let in_place_of = |said: (&'static str, &'static str), etag: &str| {
        let (client, name, etag) = (pair.here.clone(), case.name.clone(), etag.to_owned());
        async move { assign_in_place_of(&client, &name, said, etag).await }
    };
    let changed = |answer| {
        assert_eq!(refused(answer), (Code::Aborted, "ASSIGNMENT_CHANGED".to_owned()));
    };
    changed(in_place_of(("李四", ""), "00").await);
    let first = in_place_of(("张三", "一"), "").await.unwrap().assignment.unwrap();
    // Who has not seen it does not overwrite it, nor clear it.
    changed(in_place_of(("李四", ""), "").await);
    changed(in_place_of(("", ""), "").await);
    // A repetition of what was done is done, whatever it quotes.
    let again = in_place_of(("张三", "一"), "").await.unwrap().assignment.unwrap();
    assert_eq!(again, first, "nothing is written anew");
    let second = in_place_of(("李四", ""), &first.etag).await.unwrap().assignment.unwrap();
    assert!(second.etag != first.etag && !second.etag.is_empty());
    changed(in_place_of(("王五", ""), &first.etag).await);
    // Of many who saw the same one and assign at once, one does.
    let all =
        ["a", "b", "c", "d", "e", "f", "g", "h"].map(|to| in_place_of((to, ""), &second.etag));
    let mut all = tokio::task::JoinSet::from_iter(all);
    let mut done = Vec::new();
    while let Some(answer) = all.join_next().await {
        match answer.unwrap() {
            Ok(case) => done.push(case.assignment.unwrap()),
            refusal => changed(refusal),
        }
    }
    assert_eq!(done.len(), 1, "{done:?}");
    // The etag outlives the views.
    let views = pair.nodes.fleet.folder(HERE).join("data/views");
    pair.nodes.kill(HERE);
    std::fs::remove_dir_all(views).unwrap();
    pair.nodes.start(HERE);
    let here = pair.nodes.client(HERE).await;
    ready(&here, &pair.agreement).await;
    assert_eq!(get(&here, &case.name).await.unwrap().assignment.as_ref(), done.first());
    let clear = |etag: String| assign_in_place_of(&here, &case.name, ("", ""), etag);
    assert_eq!(clear(done.remove(0).etag).await.unwrap().assignment, None);
    assert_eq!(clear("00".to_owned()).await.unwrap().assignment, None, "it is cleared already");
}

async fn by_hand(pair: &Pair, case: &pb::Case) {
    let shown = said(&pair.nodes, HERE, &["show", &case.number]);
    assert!(shown.contains(NAME) && shown.contains(REMARK), "{shown}");
    // What somebody else wrote is not replaced unseen; what is not given stays.
    let other = pair.nodes.client_as(HERE, Role::Inspector).await;
    assign(&other, &case.name, ("赵六", REMARK)).await.unwrap();
    let shown = said(&pair.nodes, HERE, &["show", &case.number]);
    let to = ["assign", &case.number, "--to"];
    let text = run(&pair.nodes, HERE, &[&to[..], &["王五"]].concat());
    let text = String::from_utf8_lossy(&text.stderr).into_owned();
    assert!(text.contains("赵六") && text.contains("--replace"), "{text}");
    let etag = get(&pair.here, &case.name).await.unwrap().assignment.unwrap().etag;
    assert!(shown.contains(&etag) && text.contains(&etag), "{text}");
    let seen = |name, etag| [&to[..], &[name, "--etag", etag]].concat();
    assert!(!run(&pair.nodes, HERE, &seen("王五", "00")).status.success());
    let text = said(&pair.nodes, HERE, &seen("王五", &etag));
    assert!(text.contains("已替换") && text.contains("赵六"), "{text}");
    assert!(text.contains("王五") && text.contains("不发给其他城市"), "{text}");
    let own = get(&pair.here, &case.name).await.unwrap().assignment.unwrap();
    assert_eq!((own.assignee.as_str(), own.remark.as_str()), ("王五", REMARK));
    let listed = said(&pair.nodes, HERE, &["list", "--assignee", "王五"]);
    assert!(listed.contains(&case.number), "{listed}");
    said(&pair.nodes, HERE, &["assign", &case.number, "--to", NAME]);
    let shown = said(&pair.nodes, THERE, &["show", &case.number, "--json"]);
    assert!(shown.contains("\"assignment\": null"), "{shown}");
    assert!(!run(&pair.nodes, HERE, &["assign", &case.number]).status.success());
    assert!(!run(&pair.nodes, HERE, &["assign", "LD-0", "--to", "王五"]).status.success());
}

async fn refusals(pair: &Pair, case: &pb::Case) {
    let long = |bytes: usize| "长".repeat(bytes / 3 + 1);
    for (name, assignee, remark, want) in [
        (case.name.as_str(), long(360), String::new(), "TEXT_TOO_LONG"),
        (&case.name, String::new(), long(3_000), "TEXT_TOO_LONG"),
        (&case.name, "张\n三".to_owned(), String::new(), "TEXT_LINE_BREAK"),
        (&case.name, "张\u{202e}三".to_owned(), String::new(), "TEXT_BIDI"),
        ("agreements/x", "张三".to_owned(), String::new(), "NAME_FORMAT"),
    ] {
        let answer = assign(&pair.here, name, (&assignee, &remark)).await;
        assert_eq!(refused(answer), (Code::InvalidArgument, want.to_owned()));
    }
    let absent = format!("{}/cases/{}", pair.agreement, uuid::Uuid::new_v4().simple());
    let answer = assign(&pair.here, &absent, ("张三", "")).await;
    assert_eq!(refused(answer), (Code::NotFound, "NOT_FOUND".to_owned()));
    let reader = pair.nodes.client_as(HERE, Role::Auditor).await;
    let answer = assign(&reader, &case.name, ("张三", "")).await;
    assert_eq!(refused(answer).0, Code::PermissionDenied);
    let kept = get(&pair.here, &case.name).await.unwrap().assignment.unwrap();
    assert_eq!((kept.assignee.as_str(), kept.remark.as_str()), (NAME, REMARK));
}

#[tokio::test(flavor = "multi_thread")]
async fn assignments_never_leave_the_city() {
    let (nodes, mut wire) = Wire::open().await;
    let agreement = nodes.fleet.agreements[0].name();
    let here = nodes.client(HERE).await;
    let case = create(&here, sample(&agreement, 0)).await.unwrap();
    assign(&here, &case.name, (NAME, REMARK)).await.unwrap();
    note(&here, &case.name, SAID).await.unwrap();
    wire.until(SAID).await;
    // Once more while the other listens, so that whatever is told at once is told now.
    assign(&here, &case.name, (&format!("{NAME}-2"), &format!("{REMARK}-2"))).await.unwrap();
    note(&here, &case.name, &format!("{SAID}-2")).await.unwrap();
    wire.until(&format!("{SAID}-2")).await;
    wire.everything().await;
    for mark in [NAME, REMARK, "MARK-5c1d7e", "MARK-90ab3f"] {
        assert!(!wire.holds(mark), "{mark} left the city");
    }
    let own = get(&here, &case.name).await.unwrap().assignment.unwrap();
    assert_eq!(own.assignee, format!("{NAME}-2"), "and it was there to be sent");
}

/// Another city's connection, which is given everything there is, and every byte that came over it,
/// in the clear.
pub struct Wire {
    rogue: Rogue,
    logs: Vec<LogId>,
    bytes: Vec<u8>,
}

impl Wire {
    /// A node, and a connection to it in the name of another city.
    pub async fn open() -> (Nodes, Self) {
        let mut nodes = Nodes::lay_out(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
        let author = Author::of(&nodes, THERE);
        nodes.start(HERE);
        ready(&nodes.client(HERE).await, &nodes.fleet.agreements[0].name()).await;
        let rogue = Rogue::open(&nodes, THERE, HERE).await;
        rogue.say(Frame::Hello(author.hello())).await;
        let mut wire = Self { rogue, logs: Vec::new(), bytes: Vec::new() };
        let own = loop {
            if let Frame::Hello(hello) = wire.next().await {
                break hello;
            }
        };
        wire.logs = own.agreements[0].logs.iter().map(|log| log.log).collect();
        for log in wire.logs.clone() {
            wire.rogue.say(Frame::Subscribe { log, from: 0, credit: 16 << 20 }).await;
        }
        (nodes, wire)
    }

    /// Asks for everything a city can ask for besides.
    pub async fn everything(&mut self) {
        for log in self.logs.clone() {
            for index in 0..20 {
                let entry = Position { log, index };
                self.rogue.say(Frame::FetchParts { entry, parts: vec![0, 1, 2, 3] }).await;
            }
        }
        self.rogue.say(Frame::Ping { number: 4_711, pong: false, clock_ms: 0 }).await;
        while !matches!(self.next().await, Frame::Ping { number: 4_711, pong: true, .. }) {}
    }

    async fn next(&mut self) -> Frame {
        let frame = self.rogue.next().await.unwrap().unwrap();
        frame_to_pb(&frame).encode(&mut self.bytes).unwrap();
        frame
    }

    pub fn holds(&self, mark: &str) -> bool {
        self.bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
    }

    pub async fn until(&mut self, mark: &str) {
        let mut frames = 0;
        while !self.holds(mark) {
            self.next().await;
            frames += 1;
            assert!(frames < 1_000, "{mark} does not come");
        }
    }
}
