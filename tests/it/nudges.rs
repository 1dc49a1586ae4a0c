//! Nudges of real nodes: what leaves by HTTPS and by a command, what never does, and what a hook
//! that refuses or hangs holds up.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use liandong::ids::{CityCode, NodeId};
use liandong::trust::{pki, tls};
use liandong::wire::pb::v1 as pb;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::api::{HERE, Pair, THERE, create, fresh, ready, sample, verify};
use super::nodes::{Nodes, exe, plan, until, until_or};
use super::plans;

/// Stands in title, text, address, party and person of what is sent.
const MARK: &str = "机密标记甲乙丙";
/// A robot's key, in the path.
const KEY: &str = "k-4711-S3CRET";

/// An HTTPS server that keeps every byte it gets and answers as it is told; 200 otherwise.
struct Robot {
    port: u16,
    got: Arc<Mutex<Vec<Vec<u8>>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
}

const REFUSED: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
const ELSEWHERE: &str =
    "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nnobody reads this";
/// Keeps the connection open and says nothing.
const SILENCE: &str = "";

impl Robot {
    /// Its CA is written to `ca`.
    async fn start(ca_file: &Path, answers: &[&'static str]) -> Self {
        let city = CityCode::parse("371500").unwrap();
        let ca = pki::issue_ca(city).unwrap();
        std::fs::write(ca_file, &ca.cert_pem).unwrap();
        let address = ["127.0.0.1".parse().unwrap()];
        let own = pki::issue_node(&ca, city, NodeId::new([7; 16]), &[], &address).unwrap();
        let chain = vec![CertificateDer::from(own.cert_der)];
        let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let robot = Self {
            port: listener.local_addr().unwrap().port(),
            got: Arc::default(),
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
        };
        let (got, answers) = (Arc::clone(&robot.got), Arc::clone(&robot.answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, got, answers) = (acceptor.clone(), got.clone(), answers.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let request = read_request(&mut stream).await;
                    got.lock().unwrap().push(request);
                    let answer = answers.lock().unwrap().pop_front().unwrap_or(FINE);
                    if answer == SILENCE {
                        std::future::pending::<()>().await;
                    }
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        robot
    }

    fn got(&self) -> Vec<Vec<u8>> {
        self.got.lock().unwrap().clone()
    }

    fn hook(&self) -> String {
        format!("url = \"https://127.0.0.1:{}/send?key={KEY}\"\nca = \"hook-ca.pem\"\n", self.port)
    }
}

async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).await.unwrap_or(0);
        all.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&all).to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|t| t.split_once("\r\n"));
        let length: Option<usize> = length.and_then(|(n, _)| n.parse().ok());
        let head = text.find("\r\n\r\n").map(|at| at + 4);
        let whole =
            matches!((head, length), (Some(head), Some(length)) if all.len() >= head + length);
        if read == 0 || whole {
            return all;
        }
    }
}

/// The JSON of a request.
fn said(request: &[u8]) -> Value {
    let text = String::from_utf8(request.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("POST /send?key={KEY} HTTP/1.1\r\n")), "{head}");
    serde_json::from_str(body).unwrap()
}

/// What a nudge is about: kind and count.
fn kinds(nudge: &Value) -> Vec<(String, u64)> {
    let all = nudge["awaits"].as_array().unwrap().iter();
    all.map(|one| (one["kind"].as_str().unwrap().into(), one["count"].as_u64().unwrap())).collect()
}

/// No content in it, wherever one looks.
#[track_caller]
fn no_content(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for word in [MARK, "\\u673a", "纸业", "张某", "举报"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

/// A city is given a hook; it must not run yet.
fn set_hook(nodes: &Nodes, code: u32, lines: &str) {
    let file = nodes.fleet.folder(code).join("liandong.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    if let Some(at) = text.find("\n[hook]") {
        text.truncate(at);
    }
    std::fs::write(&file, format!("{text}\n[hook]\n{lines}")).unwrap();
}

async fn marked(pair: &Pair) -> pb::Case {
    let mut request = sample(&pair.agreement, 0);
    let record = request.record.as_mut().unwrap();
    record.title = format!("{MARK}标题");
    record.belt_reason = format!("{MARK}理由");
    let case = create(&pair.here, request).await.unwrap();
    verify(&pair.here, &case).await.unwrap()
}

async fn offer(pair: &Pair, case: &pb::Case) -> pb::Case {
    let request = pb::OfferTransferRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        to_city: THERE,
        text: format!("{MARK}移送理由"),
        request_id: fresh(),
        ..pb::OfferTransferRequest::default()
    };
    pair.here.cases().offer_transfer(request).await.unwrap().into_inner().case.unwrap()
}

async fn emergency(pair: &Pair) -> pb::Notice {
    let record = pb::NoticeRecord {
        title: format!("{MARK}通报"),
        text: format!("{MARK}：请关闭取水口"),
        phone: "0635-0000000".into(),
        ..Default::default()
    };
    let request = pb::CreateNoticeRequest {
        parent: pair.agreement.clone(),
        kind: pb::NoticeKind::Emergency.into(),
        level: pb::NoticeLevel::Two.into(),
        record: Some(record),
        request_id: fresh(),
        ..Default::default()
    };
    pair.here.notices().create_notice(request).await.unwrap().into_inner().notice.unwrap()
}

/// Two cities of which the receiving one has a hook.
async fn pair(lines: impl FnOnce(&Nodes) -> String) -> Pair {
    let mut nodes = Nodes::lay_out(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    let lines = lines(&nodes);
    set_hook(&nodes, THERE, &lines);
    nodes.start(HERE);
    nodes.start(THERE);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    Pair { nodes, here, there, agreement }
}

async fn hook_status(pair: &Pair) -> pb::Hook {
    let status = pair.there.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    status.into_inner().status.unwrap().hook.unwrap()
}

/// `liandong hook test` of a city.
async fn hook_test(nodes: &Nodes, code: u32) -> (i32, String) {
    let mut command = tokio::process::Command::new(exe());
    command.args(["--lang", "en", "hook", "test"]).current_dir(nodes.fleet.folder(code));
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_by_https_says_what_waits_and_never_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let robot = Robot::start(&ca, &[REFUSED, ELSEWHERE]).await;
    let times = "gather_s = 2\nevery_s = 1\nagain_s = 2592000\n";
    let mut pair = pair(|nodes| {
        std::fs::copy(&ca, nodes.fleet.folder(THERE).join("hook-ca.pem")).unwrap();
        format!("{}{times}console = \"https://console.example/\"\n", robot.hook())
    })
    .await;
    // The first two tries are refused and led elsewhere: it is tried again, and goes nowhere else.
    let cases = [marked(&pair).await, marked(&pair).await, marked(&pair).await];
    for case in &cases {
        offer(&pair, case).await;
    }
    let failures = || async { format!("{:?}\n{}", robot.got(), pair.nodes.log(THERE)) };
    until_or(
        "three transfers are told",
        || async {
            let told = robot.got().into_iter().skip(2);
            let told: u64 = told.flat_map(|r| kinds(&said(&r))).map(|(_, count)| count).sum();
            (told == 3).then_some(())
        },
        failures,
    )
    .await;
    let last = said(robot.got().last().unwrap());
    assert_eq!((last["city"].as_u64(), &last["test"]), (Some(THERE.into()), &Value::Bool(false)));
    assert_eq!(last["link"], "https://console.example/");
    let text = format!("{}{}", last["text"]["zh"], last["text"]["en"]);
    assert!(text.contains("移送待本市接收：LD-聊邯-") && text.contains("your city, LD-"), "{text}");
    // An emergency, once; then nothing more, also over a restart.
    emergency(&pair).await;
    until("the emergency is told", || async {
        let told = said(robot.got().last().unwrap());
        (kinds(&told) == [("EMERGENCY".to_owned(), 1)]).then_some(())
    })
    .await;
    until("that is noted", || async {
        hook_status(&pair).await.next_try_time.is_none().then_some(())
    })
    .await;
    let status = hook_status(&pair).await;
    assert_eq!((status.waiting_count, status.error.as_str()), (4, ""));
    assert!(status.last_success_time.is_some());
    assert_eq!(status.target, format!("https://127.0.0.1:{}/…", robot.port));
    let before = robot.got().len();
    pair.nodes.kill(THERE);
    pair.nodes.start(THERE);
    pair.there = pair.nodes.client(THERE).await;
    ready(&pair.there, &pair.agreement).await;
    let again = marked(&pair).await;
    offer(&pair, &again).await;
    until("the new one is told", || async { (robot.got().len() > before).then_some(()) }).await;
    assert_eq!(kinds(&said(&robot.got()[before])), [("TRANSFER".to_owned(), 1)], "none anew");
    // Every byte that left, and every line that was logged.
    robot.got().iter().for_each(|request| no_content(request));
    assert!(!pair.nodes.log(THERE).contains(KEY), "the robot's key is in the log");
    let (code, text) = hook_test(&pair.nodes, THERE).await;
    assert!(code == 0 && text.contains("answered 200") && !text.contains(KEY), "{text}");
    assert_eq!(said(robot.got().last().unwrap())["test"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_a_notice_and_a_request_for_help_are_told_when_they_come() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let robot = Robot::start(&ca, &[]).await;
    let pair = pair(|nodes| {
        std::fs::copy(&ca, nodes.fleet.folder(THERE).join("hook-ca.pem")).unwrap();
        format!("{}gather_s = 1\nevery_s = 1\nagain_s = 2592000\n", robot.hook())
    })
    .await;
    let case = marked(&pair).await;
    let today = liandong::domain::Date::beijing(liandong::node::clock::wall_ms()).unwrap();
    let due_on = today.plus_days(60).unwrap();
    let request = pb::RequestAssistanceRequest {
        name: case.name,
        text: format!("{MARK}请协助取样"),
        to_city: THERE,
        due_on: liandong::cli::when::parse_date(&due_on.to_string()).ok(),
        request_id: fresh(),
        ..pb::RequestAssistanceRequest::default()
    };
    pair.here.cases().request_assistance(request).await.unwrap();
    let text = format!("{MARK}：请注意");
    let record =
        pb::NoticeRecord { title: format!("{MARK}通报"), text, ..pb::NoticeRecord::default() };
    let request = pb::CreateNoticeRequest {
        parent: pair.agreement.clone(),
        kind: pb::NoticeKind::General.into(),
        record: Some(record),
        request_id: fresh(),
        ..pb::CreateNoticeRequest::default()
    };
    let issued = pair.here.notices().create_notice(request).await.unwrap().into_inner();
    until("both are told", || async {
        let mut told: Vec<_> = robot.got().iter().flat_map(|r| kinds(&said(r))).collect();
        told.sort();
        (told == [("ASSISTANCE".to_owned(), 1), ("NOTICE".to_owned(), 1)]).then_some(())
    })
    .await;
    robot.got().iter().for_each(|request| no_content(request));
    let text = robot.got().iter().map(|r| said(r)["text"].to_string()).collect::<String>();
    assert!(text.contains("1项协助请求待本市答复：LD-聊邯-"), "{text}");
    assert!(text.contains("one notice awaits your city, "), "{text}");
    // Once somebody has signed for it, it waits no more.
    let (name, request_id) = (issued.notice.unwrap().name, fresh());
    let request = pb::AcknowledgeNoticeRequest { name, request_id, ..Default::default() };
    pair.there.notices().acknowledge_notice(request).await.unwrap();
    until("one waits", || async { (hook_status(&pair).await.waiting_count == 1).then_some(()) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_a_term_that_passed_while_nobody_ran_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let robot = Robot::start(&ca, &[]).await;
    let mut pair = Pair::start().await;
    let mut request = sample(&pair.agreement, 0);
    // On 5 January 2026: the last day to decide on filing is long over.
    request.effective_on = Some(pb::Date { year: 2026, month: 1, day: 5 });
    let facts = request.facts.as_mut().unwrap();
    facts.discover_time_ms = 1_767_542_400_000;
    (facts.occurred_from, facts.occurred_to) = (None, None);
    create(&pair.there, request).await.unwrap();
    pair.nodes.kill(THERE);
    std::fs::copy(&ca, pair.nodes.fleet.folder(THERE).join("hook-ca.pem")).unwrap();
    let lines = format!("{}gather_s = 0\nevery_s = 1\nagain_s = 5\n", robot.hook());
    set_hook(&pair.nodes, THERE, &lines);
    pair.nodes.start(THERE);
    until("what is over is told", || async { (!robot.got().is_empty()).then_some(()) }).await;
    let first = said(&robot.got()[0]);
    assert_eq!(kinds(&first), [("DEADLINE_OVER".to_owned(), 1)]);
    let text = format!("{}{}", first["text"]["zh"], first["text"]["en"]);
    assert!(text.contains("1项时限已经届满：LD-") && text.contains("one deadline has passed"));
    pair.there = pair.nodes.client(THERE).await;
    until("that is noted", || async {
        hook_status(&pair).await.next_try_time.is_none().then_some(())
    })
    .await;
    // It is not told again, neither by and by, as other matters are, nor after a start.
    pair.nodes.kill(THERE);
    pair.nodes.start(THERE);
    pair.there = pair.nodes.client(THERE).await;
    ready(&pair.there, &pair.agreement).await;
    emergency(&pair).await;
    until("the emergency is told again", || async { (robot.got().len() > 2).then_some(()) }).await;
    for nudge in robot.got().iter().skip(1).map(|request| said(request)) {
        assert_eq!(kinds(&nudge), [("EMERGENCY".to_owned(), 1)]);
    }
}

/// A case that somebody reported in THERE on a day.
async fn reported(pair: &Pair, (year, month, day): (i32, i32, i32)) -> pb::Case {
    let mut request = sample(&pair.agreement, 0);
    request.effective_on = Some(pb::Date { year, month, day });
    let facts = request.facts.as_mut().unwrap();
    // On the first of January 2024.
    facts.discover_time_ms = 1_704_067_200_000;
    (facts.occurred_from, facts.occurred_to) = (None, None);
    create(&pair.there, request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_of_days_in_a_year_without_a_calendar_says_what_the_list_says() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let robot = Robot::start(&ca, &[]).await;
    let mut pair = Pair::start().await;
    // Of 2024 no notice is known here; of 2025 one is.
    let cases = [reported(&pair, (2024, 3, 4)).await, reported(&pair, (2025, 3, 3)).await];
    pair.nodes.kill(THERE);
    std::fs::copy(&ca, pair.nodes.fleet.folder(THERE).join("hook-ca.pem")).unwrap();
    set_hook(&pair.nodes, THERE, &format!("{}gather_s = 0\nevery_s = 1\n", robot.hook()));
    pair.nodes.start(THERE);
    pair.there = pair.nodes.client(THERE).await;
    ready(&pair.there, &pair.agreement).await;
    let parent = "agreements/-".to_owned();
    let request = pb::ListDeadlinesRequest { parent, city: THERE, ..Default::default() };
    let page = pair.there.cases().list_deadlines(request).await.unwrap().into_inner();
    assert_eq!(page.calendar_years, [2025, 2026]);
    let line = |one: pb::CaseDeadline| {
        let term = one.deadline.unwrap();
        (one.name, term.provisional, term.overdue)
    };
    let listed: Vec<_> = page.deadlines.into_iter().map(line).collect();
    // A provisional day is past all doubt by now: it is over like one that is known.
    let [old, new] = cases.map(|case| case.name);
    assert_eq!(listed, [(old.clone(), true, true), (new.clone(), false, true)]);
    until("both are told", || async { (!robot.got().is_empty()).then_some(()) }).await;
    let told = said(&robot.got()[0]);
    assert_eq!(kinds(&told), [("DEADLINE_OVER".to_owned(), 2)]);
    let ids = told["awaits"][0]["records"].as_array().unwrap().iter();
    let ids: Vec<&str> = ids.map(|one| one["id"].as_str().unwrap()).collect();
    let end = |name: &str| name.rsplit('/').next().unwrap().to_owned();
    assert_eq!(ids, [end(&new), end(&old)], "the newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_a_hook_that_hangs_holds_up_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let robot = Robot::start(&ca, &[SILENCE; 100]).await;
    let pair = pair(|nodes| {
        std::fs::copy(&ca, nodes.fleet.folder(THERE).join("hook-ca.pem")).unwrap();
        format!("{}gather_s = 0\nevery_s = 1\ntimeout_s = 60\n", robot.hook())
    })
    .await;
    let case = marked(&pair).await;
    let case = offer(&pair, &case).await;
    until("the hook hangs", || async { (robot.got().len() == 1).then_some(()) }).await;
    // Exchange and writes go on, in both directions, while it does.
    let there = pair.held(&pair.there, &case).await;
    let request = pb::AcceptTransferRequest {
        name: there.name.clone(),
        etag: there.etag.clone(),
        request_id: fresh(),
        ..pb::AcceptTransferRequest::default()
    };
    let accepted = pair.there.cases().accept_transfer(request).await.unwrap().into_inner();
    pair.held(&pair.here, &accepted.case.unwrap()).await;
    for _ in 0..20 {
        marked(&pair).await;
    }
    assert_eq!(robot.got().len(), 1, "one nudge is under way at a time");
    // The offer was answered: it waits for nobody any more.
    until("nothing waits", || async {
        (hook_status(&pair).await.waiting_count == 0).then_some(())
    })
    .await;
    let status = pair.there.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    let tasks = status.into_inner().status.unwrap().tasks;
    let task = tasks.iter().find(|task| task.name == "nudge").unwrap();
    assert!(!task.late && task.restart_count == 0, "{task:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_by_a_command_gets_no_environment_and_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let (script, out) = (folder.path().join("hook.sh"), folder.path().join("out"));
    std::fs::create_dir(&out).unwrap();
    // One file a message, with the environment and the arguments behind it.
    let body = "f=$(mktemp -p \"$1\" .XXXXXX)\n{ cat; echo; env; pwd; echo \"arg=$2\"; } > \"$f\"\n\
                mv \"$f\" \"$1/m${f##*.}\"\n";
    std::fs::write(&script, body).unwrap();
    let words = [script.to_str().unwrap(), out.to_str().unwrap(), "$(touch /tmp/no); *"];
    let command =
        format!("command = [\"/bin/sh\", {:?}, {:?}, {:?}]\n", words[0], words[1], words[2]);
    let pair = pair(|_| format!("{command}gather_s = 0\nevery_s = 1\nagain_s = 5\n")).await;
    let case = marked(&pair).await;
    offer(&pair, &case).await;
    let messages = || {
        let all = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
        let all = all.filter(|path| path.file_name().unwrap().as_encoded_bytes()[0] == b'm');
        all.map(|path| std::fs::read_to_string(path).unwrap()).collect::<Vec<String>>()
    };
    // Nobody acts: the same matter is told again.
    until("it is told twice", || async { (messages().len() >= 2).then_some(()) }).await;
    for message in messages() {
        no_content(message.as_bytes());
        let (json, rest) = message.split_once('\n').unwrap();
        let nudge: Value = serde_json::from_str(json).unwrap();
        assert_eq!(kinds(&nudge), [("TRANSFER".to_owned(), 1)]);
        assert!(rest.contains("arg=$(touch /tmp/no); *\n"), "{rest}");
        let names = rest.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        // The shell adds PWD and its like.
        let own = ["PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_", "arg"];
        assert!(names.clone().all(|name| own.contains(&name)), "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_a_bad_hook_is_refused_and_a_test_says_what_happened() {
    let nodes = Nodes::lay_out(&plan(&[HERE], &[]));
    let (code, text) = hook_test(&nodes, HERE).await;
    assert!(code == 5 && text.contains("no [hook]"), "{text}");
    set_hook(&nodes, HERE, &format!("url = \"http://example.org/{KEY}\"\n"));
    let served = tokio::process::Command::new(exe())
        .args(["--lang", "en", "serve"])
        .current_dir(nodes.fleet.folder(HERE))
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(served.stderr).unwrap();
    assert_eq!(served.status.code(), Some(5));
    assert!(text.contains("hook.url") && text.contains("what to do: use https"), "{text}");
    assert!(!text.contains(KEY), "{text}");
    // A server whose CA is not the one that is named is not spoken to.
    let ca = nodes.fleet.folder(HERE).join("hook-ca.pem");
    let robot = Robot::start(&ca, &[]).await;
    std::fs::copy(nodes.fleet.folder(HERE).join("certs/ca.pem"), &ca).unwrap();
    set_hook(&nodes, HERE, &robot.hook());
    let (code, text) = hook_test(&nodes, HERE).await;
    assert!(code == 3 && text.contains("no TLS connection") && !text.contains(KEY), "{text}");
    assert!(robot.got().is_empty());
    // A program that never ends is killed with what it has started.
    let marker = nodes.fleet.folder(HERE).join("late");
    let script = format!("(sleep 5; touch {}) & wait", marker.display());
    let words = format!("command = [\"/bin/sh\", \"-c\", {script:?}]\ntimeout_s = 1\n");
    set_hook(&nodes, HERE, &words);
    let (code, text) = hook_test(&nodes, HERE).await;
    assert!(code == 3 && text.contains("no end within 1 s"), "{text}");
    set_hook(&nodes, HERE, "command = [\"/bin/sh\", \"-c\", \"echo oh dear >&2; exit 3\"]\n");
    let (code, text) = hook_test(&nodes, HERE).await;
    assert!(code == 3 && text.contains("exit status: 3") && text.contains("oh dear"), "{text}");
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert!(!marker.exists(), "what it has started lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn nudge_disputes_requests_proposals_and_plans_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let robot = Robot::start(&ca, &[]).await;
    let pair = pair(|nodes| {
        std::fs::copy(&ca, nodes.fleet.folder(THERE).join("hook-ca.pem")).unwrap();
        format!("{}gather_s = 0\nevery_s = 1\nagain_s = 2592000\n", robot.hook())
    })
    .await;
    let told = || {
        let all = robot.got().iter().flat_map(|r| kinds(&said(r))).collect::<Vec<_>>();
        all.into_iter().fold(std::collections::BTreeMap::new(), |mut sums, (kind, count)| {
            *sums.entry(kind).or_insert(0) += count;
            sums
        })
    };
    let waits = |kind: &'static str, count: u64| {
        let failed = || async move { format!("{:?}", told()) };
        let is = move || async move { (told().get(kind) == Some(&count)).then_some(()) };
        until_or(kind, is, failed)
    };
    // The offer was told: that it is to be given back is another matter, told at once.
    let offered = offer(&pair, &marked(&pair).await).await;
    waits("TRANSFER", 1).await;
    let request = pb::RequestRecallRequest {
        name: offered.name.clone(),
        text: format!("{MARK}请退还"),
        request_id: fresh(),
        ..pb::RequestRecallRequest::default()
    };
    pair.here.cases().request_recall(request).await.unwrap();
    waits("RECALL", 1).await;
    // Whoever disputes a transfer has to return it, or record who was designated.
    let other = offer(&pair, &marked(&pair).await).await;
    waits("TRANSFER", 2).await;
    let other = pair.held(&pair.there, &other).await;
    let request = pb::DisputeTransferRequest {
        name: other.name.clone(),
        etag: other.etag.clone(),
        text: format!("{MARK}不在我市"),
        request_id: fresh(),
        ..pb::DisputeTransferRequest::default()
    };
    pair.there.cases().dispute_transfer(request).await.unwrap();
    waits("DISPUTE", 1).await;
    // Two proposals to one case are two matters.
    let other = pair.open(&pair.there, 2).await;
    pair.held(&pair.here, &other).await;
    for count in [1, 2] {
        let request = pb::ProposeAmendmentRequest {
            name: other.name.clone(),
            text: format!("{MARK}经度似有误"),
            request_id: fresh(),
            ..pb::ProposeAmendmentRequest::default()
        };
        pair.here.cases().propose_amendment(request).await.unwrap();
        waits("PROPOSAL", count).await;
    }
    let draft = pb::PlanDraft {
        cities: vec![plans::needs(THERE, 0), plans::needs(HERE, 0)],
        ..plans::draft(&[])
    };
    let made = plans::create(&pair.here, &pair.agreement, draft).await.unwrap();
    waits("PLAN", 1).await;
    assert_eq!(told().get("TRANSFER"), Some(&2), "none anew");
    robot.got().iter().for_each(|request| no_content(request));
    // What was answered waits no more.
    let before = hook_status(&pair).await.waiting_count;
    let seen = plans::seen(&pair.there, &made.name, |_| true).await;
    plans::confirm(&pair.there, &seen, &[]).await.unwrap();
    let fewer = || async { (hook_status(&pair).await.waiting_count == before - 1).then_some(()) };
    until("one fewer waits", fewer).await;
}
