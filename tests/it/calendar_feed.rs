//! The calendar feed: what stands in it, who may read it, and what it costs when strangers knock.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;

use icalendar::Component;
use liandong::limits::{
    CALENDAR_FEED_CONNECTIONS_MAX, CALENDAR_FEED_HEAD_BYTES_MAX, CALENDAR_FEED_PER_S_MAX,
};
use liandong::trust::feed_secret::FEED_SECRET_FILE;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, THERE, fresh};
use super::deploy;
use super::nodes::{Nodes, WITHIN, plan, until};
use super::plans::{
    World, answer, answering, confirm, create, draft, get, needs, seen, site, step, world_set_up,
};

/// Stands in whatever people may write of a plan.
const MARK: &str = "机密记号";

/// A city is given a feed at a port that the system picks; it must not run yet.
fn set_feed(nodes: &Nodes, code: u32) {
    let file = nodes.fleet.folder(code).join("liandong.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let feed = "\n[calendar_feed]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(&file, format!("{text}{feed}")).unwrap();
}

/// Where a city's feed listens, as its log says.
async fn listens(nodes: &Nodes, code: u32) -> SocketAddr {
    until("the feed listens", || async {
        let log = nodes.log(code);
        let line = log.lines().find(|line| line.contains("the calendar feed listens"))?;
        let from = line.find("127.0.0.1:")?;
        line[from..].split_whitespace().next()?.parse().ok()
    })
    .await
}

/// `liandong plan feed-address`: the path it shows, or what it says.
fn make_address(nodes: &Nodes, code: u32, more: &[&str]) -> Result<String, String> {
    let command = ["plan", "feed-address", "--config", "liandong.toml"];
    let made = deploy::run(&nodes.fleet.folder(code), &[&command, more].concat());
    made.map(|made| made["path"].as_str().unwrap().to_owned()).map_err(|said| said.to_string())
}

/// Everything that comes for these bytes until the other side closes.
fn spoken(at: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(WITHIN)).unwrap();
    let mut got = Vec::new();
    // Whoever is cut may find out while he still writes or reads.
    let _ = stream.write_all(bytes);
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        got.extend_from_slice(&piece[..read]);
    }
    got
}

/// The head of an answer without its date, and the body.
fn asked(at: SocketAddr, method: &str, path: &str, more: &str) -> (String, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: feed\r\n{more}\r\n");
    let answer = String::from_utf8(spoken(at, request.as_bytes())).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    (lines.collect::<Vec<_>>().join("\n").to_ascii_lowercase(), body.to_owned())
}

fn status(at: SocketAddr, path: &str) -> u16 {
    let (head, _) = asked(at, "GET", path, "");
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// What a calendar needs of an entry: UID, SEQUENCE, STATUS and TRANSP.
type Event = (String, u32, String, String);

/// The feed as somebody else's parser reads it, once something is so.
async fn read(at: SocketAddr, path: &str, is: impl Fn(&[Event]) -> bool) -> (String, Vec<Event>) {
    until("the feed is as it should be", || async {
        let (head, text) = asked(at, "GET", path, "");
        assert!(head.starts_with("http/1.1 200 ok"), "{head}");
        let calendar: icalendar::Calendar = text.parse().unwrap();
        let events = calendar.components.iter().filter_map(|one| one.as_event());
        let value = |event: &icalendar::Event, name: &str| {
            event.property_value(name).unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
        };
        let one = |event: &icalendar::Event| {
            assert!(event.get_start().is_some() && event.get_end().is_some(), "{text}");
            assert_eq!(event.get_summary(), Some("联合执法行动"));
            assert_eq!(value(event, "CLASS"), "PRIVATE");
            let uid = event.get_uid().unwrap().to_owned();
            let sequence = value(event, "SEQUENCE").parse().unwrap();
            (uid, sequence, value(event, "STATUS"), value(event, "TRANSP"))
        };
        let events: Vec<Event> = events.map(one).collect();
        is(&events).then_some((text, events))
    })
    .await
}

/// Times, and nothing that tells what, where, who, or which.
#[track_caller]
fn no_content(text: &str, plan: &pb::Plan) {
    let id = plan.name.rsplit('/').next().unwrap();
    let agreement = plan.name.split('/').nth(1).unwrap();
    let (here, there) = (HERE.to_string(), THERE.to_string());
    for word in
        [MARK, "纸业", "示例", "聊", "邯", "JA-", "生态", "urn:", id, agreement, &here, &there]
    {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let names: BTreeSet<&str> = text.lines().filter_map(|line| line.split(':').next()).collect();
    let known = "BEGIN END VERSION PRODID CALSCALE METHOD UID DTSTAMP SEQUENCE DTSTART DTEND \
                 SUMMARY STATUS TRANSP CLASS";
    let known: BTreeSet<&str> = known.split_whitespace().collect();
    let strange: Vec<_> = names.difference(&known).filter(|name| !name.starts_with(' ')).collect();
    assert!(strange.is_empty(), "{strange:?} in {text}");
}

/// A plan with the mark wherever people write.
fn marked(sites: &[String]) -> pb::PlanDraft {
    let mut marked = draft(sites);
    let record = marked.record.as_mut().unwrap();
    record.title = format!("{MARK}标题");
    record.meeting_place = format!("{MARK}地点");
    record.safety = format!("{MARK}事项");
    marked
}

/// Settles a plan between both cities.
async fn settled(world: &World, plan: &pb::Plan, units: (&[String], &[String])) -> pb::Plan {
    confirm(&world.here, plan, units.0).await.unwrap();
    let told = seen(&world.there, &plan.name, |_| true).await;
    confirm(&world.there, &told, units.1).await.unwrap();
    let all = seen(&world.here, &plan.name, |plan| plan.answers.len() == 2).await;
    step(&world.here, &all, pb::PlanStep::Schedule, "").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_shows_times_and_nothing_else() {
    let world = world_set_up(&["聊邯", "聊邯二"], |nodes| {
        [HERE, THERE].iter().for_each(|city| set_feed(nodes, *city));
    })
    .await;
    let (nodes, here, there) = (&world.nodes, &world.here, &world.there);
    let (at, far) = (listens(nodes, HERE).await, listens(nodes, THERE).await);
    let path = make_address(nodes, HERE, &[]).unwrap();
    let far_path = make_address(nodes, THERE, &[]).unwrap();

    // What is talked of is in no feed, nor is what was given up before it was settled.
    let place = site(here, &world.agreements[0], 0, 371_522).await;
    let first = create(here, &world.agreements[0], marked(&[place])).await.unwrap();
    let mut drill = marked(&[]);
    drill.cities = vec![needs(THERE, 0), needs(HERE, 0)];
    let dropped = create(here, &world.agreements[1], drill.clone()).await.unwrap();
    step(here, &dropped, pb::PlanStep::Cancel, MARK).await.unwrap();
    read(at, &path, |events| events.is_empty()).await;

    // One of each agreement is settled.
    let first = settled(&world, &first, (&world.officers[..2], &world.guests[..1])).await;
    let second = create(here, &world.agreements[1], drill).await.unwrap();
    settled(&world, &second, (&[], &[])).await;
    let (text, events) = read(at, &path, |events| events.len() == 2).await;
    [&first, &second].iter().for_each(|plan| no_content(&text, plan));
    let goes = |event: &Event| event.2 == "CONFIRMED" && event.3 == "OPAQUE" && event.1 == 1;
    assert!(events.iter().all(goes), "{text}");

    // What people read is amended: the same entry, with a higher SEQUENCE.
    let amending = pb::AmendPlanRequest {
        name: first.name.clone(),
        etag: first.etag.clone(),
        record: Some(pb::PlanRecord {
            meeting_place: format!("{MARK}另一地点"),
            ..first.record.clone().unwrap()
        }),
        request_id: fresh(),
        acting_for: None,
    };
    here.plans().amend_plan(amending).await.unwrap();
    let (text, after) = read(at, &path, |events| events.iter().any(|one| one.1 == 2)).await;
    no_content(&text, &first);
    let uids = |events: &[Event]| -> BTreeSet<String> {
        events.iter().map(|event| event.0.clone()).collect()
    };
    assert!(uids(&events) == uids(&after) && uids(&after).len() == 2);

    // The other city's feed has no UID of this one's, and a city that withdraws is not out.
    let (text, others) = read(far, &far_path, |events| events.len() == 2).await;
    no_content(&text, &first);
    assert!(uids(&others).is_disjoint(&uids(&after)));
    let told = get(there, &first.name).await.unwrap();
    let gone = answering(&told, pb::PlanAnswerKind::Withdraw, MARK);
    answer(there, gone).await.unwrap();
    read(far, &far_path, |events| events.len() == 1).await;

    // One that is talked of anew leaves the feed; cancelled then, it is struck out all the same.
    let now = get(here, &second.name).await.unwrap();
    let mut other = marked(&[]);
    other.cities = vec![needs(THERE, 0), needs(HERE, 0)];
    let revising = pb::RevisePlanRequest {
        name: now.name.clone(),
        etag: now.etag.clone(),
        draft: Some(other),
        request_id: fresh(),
        ..pb::RevisePlanRequest::default()
    };
    let again = here.plans().revise_plan(revising).await.unwrap().into_inner().plan.unwrap();
    let (_, one) = read(at, &path, |events| events.len() == 1).await;
    assert!(uids(&one).is_subset(&uids(&after)));
    step(here, &again, pb::PlanStep::Cancel, MARK).await.unwrap();
    let is_struck_out = |one: &Event| one.2 == "CANCELLED" && one.3 == "TRANSPARENT";
    let (text, struck) = read(at, &path, |events| events.iter().any(is_struck_out)).await;
    no_content(&text, &second);
    assert_eq!(uids(&struck), uids(&after), "the UIDs of before");
    let sequence = struck.iter().find(|one| is_struck_out(one)).unwrap().1;
    assert_eq!(sequence, 3, "settled, revised, cancelled");
    let parent = world.agreements[1].clone();
    let asked = pb::ExportCalendarRequest { name: parent };
    let all = there.plans();
    let text = until("the other city has it", || async {
        let text = all.clone().export_calendar(asked.clone()).await.ok()?.into_inner().calendar;
        text.contains("STATUS:CANCELLED").then_some(text)
    });
    // And neither the one that was given up before it was settled.
    assert_eq!(text.await.matches("BEGIN:VEVENT").count(), 1);

    // A cancelled one is struck out.
    let now = get(here, &first.name).await.unwrap();
    step(here, &now, pb::PlanStep::Cancel, MARK).await.unwrap();
    let is_cancelled = |one: &Event| one.2 == "CANCELLED" && one.3 == "TRANSPARENT" && one.1 == 3;
    let (text, last) = read(at, &path, |events| events.iter().any(is_cancelled)).await;
    no_content(&text, &first);
    assert_eq!(uids(&last), uids(&after));

    for (city, path) in [(HERE, path), (THERE, far_path)] {
        let log = nodes.log(city);
        assert!(!log.contains("/calendar/") && !log.contains(&path[10..50]), "{log}");
    }
}

/// Sockets of a process that listen.
fn listening(pid: u32) -> usize {
    let sockets: BTreeSet<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .collect();
    let tables = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/net/{name}")));
    let lines = tables.iter().flatten().flat_map(|table| table.lines());
    let listens = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[3] == "0A" && sockets.contains(&format!("socket:[{}]", words[9]))
    };
    lines.filter(listens).count()
}

/// One city with a feed, and one without.
async fn one_feed() -> (Nodes, SocketAddr) {
    let mut nodes = Nodes::lay_out(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    set_feed(&nodes, HERE);
    nodes.start(HERE);
    nodes.start(THERE);
    let at = listens(&nodes, HERE).await;
    nodes.client(THERE).await;
    (nodes, at)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_answers_its_own_address_and_nothing_else() {
    let (nodes, at) = one_feed().await;
    // Off unless it is asked for.
    assert_eq!((listening(nodes.pid(HERE)), listening(nodes.pid(THERE))), (3, 2));
    assert!(make_address(&nodes, THERE, &[]).unwrap_err().contains("[calendar_feed]"));

    // Without an address nothing is there to be found, and the log says what to do.
    let nothing = asked(at, "GET", "/calendar/.ics", "");
    assert!(nothing.0.starts_with("http/1.1 404") && nothing.1.is_empty(), "{nothing:?}");
    assert!(nodes.log(HERE).contains("liandong plan feed-address"));

    let path = make_address(&nodes, HERE, &[]).unwrap();
    let (head, text) = asked(at, "GET", &path, "");
    for line in [
        "http/1.1 200 ok",
        "content-type: text/calendar; charset=utf-8",
        "cache-control: private, max-age=300",
    ] {
        assert!(head.lines().any(|one| one == line), "{line}: {head}");
    }
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.contains("METHOD:PUBLISH\r\n"));
    let (looked, nobody) = asked(at, "HEAD", &path, "");
    assert!(looked == head && nobody.is_empty(), "{looked}");
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    for tag in [etag, &format!("W/{etag}")] {
        let (known, nobody) = asked(at, "GET", &path, &format!("If-None-Match: {tag}\r\n"));
        assert!(known.starts_with("http/1.1 304") && nobody.is_empty(), "{known}");
    }

    // All else is one and the same 404.
    let last = path.find(".ics").unwrap() - 1;
    let other = if &path[last..=last] == "0" { "1" } else { "0" };
    let near = format!("{}{other}.ics", &path[..last]);
    let kept =
        std::fs::read_to_string(nodes.fleet.folder(HERE).join("keys").join(FEED_SECRET_FILE));
    let kept = format!("/calendar/{}.ics", kept.unwrap().trim());
    let rows = [
        ("GET", near),
        ("GET", kept),
        ("GET", "/".into()),
        ("GET", "/calendar/".into()),
        ("GET", path.replace(".ics", "")),
        ("GET", format!("{path}/")),
        ("GET", format!("{path}?a=b")),
        ("GET", format!("/{path}")),
        ("GET", path.to_ascii_uppercase()),
        ("POST", path.clone()),
        ("PUT", path.clone()),
        ("DELETE", path.clone()),
        ("OPTIONS", path.clone()),
        ("PROPFIND", path.clone()),
    ];
    for (method, wrong) in rows {
        assert_eq!(asked(at, method, &wrong, ""), nothing, "{method} {wrong}");
    }

    // One connection has one request, and a head has a size.
    let twice = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(2);
    let once = String::from_utf8(spoken(at, twice.as_bytes())).unwrap();
    assert_eq!(once.matches("HTTP/1.1 ").count(), 1, "{once}");
    let long = "x".repeat(2 * CALENDAR_FEED_HEAD_BYTES_MAX);
    let long = spoken(at, format!("GET {path} HTTP/1.1\r\nA: {long}\r\n\r\n").as_bytes());
    assert!(!String::from_utf8_lossy(&long).contains("VCALENDAR"));
    spoken(at, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no http at all\r\n\r\n");

    // A secret that others may read is none; a new address ends the old one.
    let file = nodes.fleet.folder(HERE).join("keys").join(FEED_SECRET_FILE);
    let mode = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    assert_eq!(status(at, &path), 404);
    mode(0o600);
    assert_eq!(status(at, &path), 200);
    assert!(make_address(&nodes, HERE, &[]).unwrap_err().contains("--force"));
    assert_eq!(status(at, &path), 200);
    let fresh = make_address(&nodes, HERE, &["--force"]).unwrap();
    assert_eq!((status(at, &path), status(at, &fresh)), (404, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_of_the_feed_is_cut_and_too_many_are_turned_away() {
    let (nodes, at) = one_feed().await;
    let path = make_address(&nodes, HERE, &[]).unwrap();
    let begin = |_| {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream.write_all(b"GET /calendar/").unwrap();
        stream
    };
    let mut slow: Vec<TcpStream> = (0..CALENDAR_FEED_CONNECTIONS_MAX).map(begin).collect();
    // They have all places: whoever comes now is closed without a word.
    let request = format!("GET {path} HTTP/1.1\r\nHost: feed\r\n\r\n");
    assert_eq!(spoken(at, request.as_bytes()), b"");
    // Each is cut, whatever it goes on to send, and its place is free again.
    for stream in &mut slow {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!String::from_utf8_lossy(&rest).contains("200"), "{rest:?}");
    }
    assert_eq!(status(at, &path), 200);

    // More requests than all subscribers have are told to come back, and then are served again.
    let burst = (0..100 * CALENDAR_FEED_PER_S_MAX).find(|_| status(at, &path) == 429);
    assert!(burst.is_some(), "nobody was told to wait");
    until("it is served again", || async { (status(at, &path) == 200).then_some(()) }).await;
    // The node itself was busy with none of this.
    nodes.client(HERE).await.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
}
