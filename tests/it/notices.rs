//! Notices between real nodes: who is rung, who holds them, who has acknowledged them.

use std::time::Duration;

use liandong::cli::connect::Client;
use liandong::domain::{Event, NoticeKind, NoticeLevel};
use liandong::log::{Subject, SubjectKind};
use liandong::sync::{Frame, RawEntry};
use liandong::trust::spiffe::Role;
use liandong::wire::pb::peer_v1 as peer;
use liandong::wire::pb::peer_v1::peer_service_client::PeerServiceClient;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{self, HERE, THERE, create, fresh, ready, refused, sample};
use super::console::Browser;
use super::nodes::{Nodes, plan, until};
use super::proxy::{Mesh, Mode};
use super::rogue::{self, About, Author, Rogue};

const DEZHOU: u32 = 371_400;
/// Kept to the members it is for, however it travels.
const SECRET: &str = "仅供邯郸知悉的内情";

fn record(title: &str) -> Option<pb::NoticeRecord> {
    let (title, text) = (title.to_owned(), format!("{title}：请关闭下游取水口"));
    Some(pb::NoticeRecord { title, text, phone: "0635-0000000".into(), ..Default::default() })
}

fn notice(parent: &str, title: &str) -> pb::CreateNoticeRequest {
    pb::CreateNoticeRequest {
        parent: parent.to_owned(),
        kind: pb::NoticeKind::Emergency.into(),
        level: pb::NoticeLevel::Two.into(),
        record: record(title),
        request_id: fresh(),
        ..Default::default()
    }
}

async fn issue(client: &Client, asked: pb::CreateNoticeRequest) -> Result<pb::Notice, Status> {
    client.notices().create_notice(asked).await.map(|answer| answer.into_inner().notice.unwrap())
}

async fn get(client: &Client, name: &str) -> Result<pb::Notice, Status> {
    let request = pb::GetNoticeRequest { name: name.to_owned() };
    client.notices().get_notice(request).await.map(|answer| answer.into_inner().notice.unwrap())
}

async fn acknowledge(client: &Client, name: &str, text: &str) -> Result<pb::Notice, Status> {
    let request = pb::AcknowledgeNoticeRequest {
        name: name.to_owned(),
        text: text.to_owned(),
        request_id: fresh(),
        acting_for: None,
    };
    let answer = client.notices().acknowledge_notice(request).await;
    answer.map(|answer| answer.into_inner().notice.unwrap())
}

async fn end(client: &Client, name: &str) -> Result<pb::Notice, Status> {
    let (name, request_id) = (name.to_owned(), fresh());
    let request = pb::EndNoticeRequest { name, request_id, ..Default::default() };
    let answer = client.notices().end_notice(request).await;
    answer.map(|answer| answer.into_inner().notice.unwrap())
}

async fn list(client: &Client, filter: pb::NoticeFilter) -> Vec<String> {
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let parent = "agreements/-".to_owned();
        let filter = filter.into();
        let request = pb::ListNoticesRequest { parent, filter, page_size: 2, page_token };
        let page = client.notices().list_notices(request).await.unwrap().into_inner();
        names.extend(page.notices.into_iter().map(|notice| notice.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return names;
        }
    }
}

fn of(notice: &pb::Notice, city: u32) -> pb::NoticeRecipient {
    *notice.recipients.iter().find(|one| one.city == city).unwrap()
}

/// A notice once it has got so far with a city.
async fn seen(
    client: &Client,
    name: &str,
    city: u32,
    so_far: impl Fn(&pb::NoticeRecipient) -> bool,
) -> pb::Notice {
    let so_far = &so_far;
    let ask = || async move {
        let notice = get(client, name).await.ok()?;
        so_far(&of(&notice, city)).then_some(notice)
    };
    until("a notice gets so far", ask).await
}

/// What a city has to acknowledge by when.
async fn due(client: &Client, city: u32) -> Vec<(String, pb::Deadline)> {
    let parent = "agreements/-".to_owned();
    let request = pb::ListDeadlinesRequest { parent, city, ..Default::default() };
    let page = client.cases().list_deadlines(request).await.unwrap().into_inner();
    assert_eq!(page.total_size as usize, page.deadlines.len());
    page.deadlines.into_iter().map(|one| (one.name, one.deadline.unwrap())).collect()
}

/// The next ring of a watch.
async fn ring(stream: &mut tonic::Streaming<pb::WatchNoticesResponse>) -> pb::Notice {
    loop {
        let next = tokio::time::timeout(super::nodes::WITHIN, stream.message()).await;
        let next = next.expect("it rings").unwrap().expect("the watch goes on");
        if next.ring {
            return next.notice.unwrap();
        }
    }
}

async fn watch(client: &Client) -> tonic::Streaming<pb::WatchNoticesResponse> {
    let parent = "agreements/-".to_owned();
    let request = pb::WatchNoticesRequest { parent, cursor: String::new() };
    client.notices_streaming().watch_notices(request).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn f28_an_emergency_rings_everywhere_and_waits_for_who_is_away() {
    let mut nodes =
        Nodes::start_all(&plan(&[HERE, THERE, DEZHOU], &[("聊邯德", &[HERE, THERE, DEZHOU])]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    nodes.kill(DEZHOU);
    let mut bell = watch(&there).await;
    let asked = notice(&agreement, "马颊河上游泄漏");
    let issued = issue(&here, asked.clone()).await.unwrap();
    let cities: Vec<u32> = issued.recipients.iter().map(|one| one.city).collect();
    assert_eq!(cities, [THERE, DEZHOU], "all other members");
    assert!(!issued.awaits_acknowledgement && issued.due_time.is_some() && issued.due_on.is_none());

    // Whoever can be reached is rung and told what it says.
    let rung = ring(&mut bell).await;
    assert_eq!((&rung.name, &rung.record), (&issued.name, &issued.record));
    assert!(rung.awaits_acknowledgement);
    let held = |one: &pb::NoticeRecipient| one.ring_time.is_some() && one.hold_time.is_some();
    let at_home = seen(&here, &issued.name, THERE, held).await;
    let away = of(&at_home, DEZHOU);
    assert_eq!((away.ring_time, away.hold_time, away.acknowledge_time), (None, None, None));

    // A person there acknowledges it, once.
    until("the entry is there", || async {
        get(&there, &issued.name).await.ok().filter(|n| !n.arriving)
    })
    .await;
    assert_eq!(list(&there, pb::NoticeFilter::Awaiting).await, [issued.name.as_str()]);
    // It stands among that city's terms, at either end.
    for client in [&here, &there] {
        let all = due(client, THERE).await;
        let [(name, term)] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((name, term.due_time), (&issued.name, issued.due_time));
        assert_eq!((term.clock(), term.overdue), (pb::DeadlineClock::EmergencyAck, false));
    }
    let done = acknowledge(&there, &issued.name, "已关闭取水口").await.unwrap();
    assert_eq!(due(&there, THERE).await, []);
    assert!(!done.awaits_acknowledgement && of(&done, THERE).acknowledge_time.is_some());
    assert!(list(&there, pb::NoticeFilter::Awaiting).await.is_empty());
    let at_home = seen(&here, &issued.name, THERE, |one| one.acknowledge_time.is_some()).await;
    assert_eq!(at_home.reports.len(), 1);
    assert_eq!(at_home.reports[0].text, "已关闭取水口");
    let open = list(&here, pb::NoticeFilter::Unacknowledged).await;
    assert_eq!(open, [issued.name.as_str()], "the city that is away has not");

    // The same request again is the same notice.
    assert_eq!(issue(&here, asked).await.unwrap().name, issued.name);
    refusals(&nodes, &here, &there, &agreement, &issued.name).await;

    // The city that was away is rung when it is back, also by a process that was started since.
    nodes.kill(HERE);
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    nodes.start(DEZHOU);
    let dezhou = nodes.client(DEZHOU).await;
    let rung = ring(&mut watch(&dezhou).await).await;
    assert_eq!(rung.name, issued.name);
    seen(&here, &issued.name, DEZHOU, |one| one.ring_time.is_some()).await;
    until("the entry is there", || async { acknowledge(&dezhou, &issued.name, "").await.ok() })
        .await;
    seen(&here, &issued.name, DEZHOU, |one| one.acknowledge_time.is_some()).await;
    assert!(list(&here, pb::NoticeFilter::Unacknowledged).await.is_empty());
    // One request id is one request, also where two methods have the same fields.
    let (name, text, request_id) = (issued.name.clone(), "水质恢复".to_owned(), fresh());
    let news = pb::ReportOnNoticeRequest { name, text, request_id, acting_for: None };
    here.notices().report_on_notice(news.clone()).await.unwrap();
    let pb::ReportOnNoticeRequest { name, text, request_id, .. } = news;
    let end_it = pb::EndNoticeRequest { name, text, request_id, acting_for: None };
    let refusal = refused(here.notices().end_notice(end_it).await);
    assert_eq!(refusal, (Code::AlreadyExists, "IDEMPOTENCY_MISMATCH".to_owned()));
    let ended = end(&here, &issued.name).await.unwrap();
    assert!(ended.end_time.is_some() && ended.recipients.iter().all(|one| !one.overdue));
}

/// The link is full and barely moves; what was written first has not come when it rings.
#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_goes_ahead_of_what_waits_in_a_full_link() {
    let cities = [HERE, THERE];
    let (mut nodes, mesh) = Mesh::lay_out(&plan(&cities, &[("聊邯", &cities)])).await;
    // The other city dials, so that the link can be held while new connections are open.
    mesh.set_dialled(HERE, THERE, Mode::Cut);
    nodes.start(HERE);
    nodes.start(THERE);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    let first = create(&here, sample(&agreement, 0)).await.unwrap();
    let there = &there;
    let comes = |name: String| async move {
        until("a case comes", || async { api::get(there, &name).await.ok() }).await;
    };
    comes(first.name).await;
    let mut bell = watch(there).await;
    mesh.set_dialled(THERE, HERE, Mode::Drip);
    mesh.set_dialled(HERE, THERE, Mode::Open);
    let mut bulk = Vec::new();
    for nth in 1..=12 {
        bulk.push(create(&here, sample(&agreement, nth)).await.unwrap().name);
    }
    let issued = issue(&here, notice(&agreement, "马颊河上游泄漏")).await.unwrap();
    let rung = ring(&mut bell).await;
    assert_eq!((&rung.name, &rung.record), (&issued.name, &issued.record));
    assert!(rung.arriving, "its entry waits in the link");
    for name in &bulk {
        let none = refused(api::get(there, name).await);
        assert_eq!(none, (Code::NotFound, "NOT_FOUND".to_owned()), "the link was held");
    }
    mesh.set_dialled(THERE, HERE, Mode::Open);
    for name in bulk {
        comes(name).await;
    }
    let held = |one: &pb::NoticeRecipient| one.ring_time.is_some() && one.hold_time.is_some();
    seen(&here, &issued.name, THERE, held).await;
}

async fn refusals(nodes: &Nodes, here: &Client, there: &Client, agreement: &str, name: &str) {
    let told = |reason: &str| (Code::PermissionDenied, reason.to_owned());
    let bad = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    let late = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    assert_eq!(refused(acknowledge(here, name, "").await), told("NOT_ADDRESSED"));
    assert_eq!(refused(acknowledge(there, name, "").await), late("NOTICE_ACKNOWLEDGED"));
    assert_eq!(refused(end(there, name).await), told("NOT_ISSUER"));
    let one = |change: &dyn Fn(&mut pb::CreateNoticeRequest)| {
        let mut asked = notice(agreement, "不应发出");
        change(&mut asked);
        async move { refused(issue(here, asked).await) }
    };
    assert_eq!(one(&|asked| asked.level = 0).await, bad("LEVEL_MISSING"));
    let general = pb::NoticeKind::General.into();
    assert_eq!(one(&|asked| asked.kind = general).await, bad("LEVEL_NOT_ALLOWED"));
    assert_eq!(one(&|asked| asked.kind = 0).await, bad("REQUIRED"));
    assert_eq!(one(&|asked| asked.kind = 99).await, bad("CODE_UNKNOWN"));
    assert_eq!(one(&|asked| asked.cities = vec![HERE]).await, bad("SELF_NAMED"));
    let stranger = one(&|asked| asked.cities = vec![410_900]).await;
    assert_eq!(stranger.1, "RECEIVER_NOT_MEMBER");
    assert_eq!(one(&|asked| asked.cities = vec![THERE; 17]).await, bad("LIST_TOO_LONG"));
    assert_eq!(one(&|asked| asked.record = None).await, bad("REQUIRED"));
    assert_eq!(one(&|asked| asked.parent = "agreements/x".into()).await, bad("NAME_FORMAT"));
    let long = |asked: &mut pb::CreateNoticeRequest| {
        asked.record.as_mut().unwrap().text = "长".repeat(6_000);
    };
    assert_eq!(one(&long).await, bad("TEXT_TOO_LONG"));
    // Whoever may only read issues nothing; a system acknowledges for an officer only.
    let auditor = nodes.client_as(HERE, Role::Auditor).await;
    let refusal = refused(issue(&auditor, notice(agreement, "不应发出")).await);
    assert_eq!(refusal, told("ROLE_NOT_ALLOWED"));
    let system = nodes.client_as(THERE, Role::System).await;
    assert_eq!(refused(acknowledge(&system, name, "").await), bad("ACTING_FOR_REQUIRED"));
    let nobody = format!("{agreement}/notices/{}", "0".repeat(32));
    assert_eq!(refused(get(here, &nobody).await), (Code::NotFound, "NOT_FOUND".to_owned()));
    assert_eq!(list(here, pb::NoticeFilter::Unspecified).await, [name], "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_to_one_city_is_read_by_that_city_only() {
    let cities = [HERE, THERE, DEZHOU];
    let mut nodes = Nodes::start_all(&plan(&cities, &[("聊邯德", &cities)]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let dezhou = nodes.client(DEZHOU).await;
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    let asked = pb::CreateNoticeRequest {
        kind: pb::NoticeKind::General.into(),
        level: 0,
        cities: vec![THERE],
        record: record(SECRET),
        ..notice(&agreement, "")
    };
    let issued = issue(&here, asked).await.unwrap();
    assert!(issued.due_on.is_some() && issued.due_time.is_none());
    until("the entry is there", || async { get(&there, &issued.name).await.ok() }).await;
    // Its last day stands among that city's terms, at either end, until somebody acknowledges it.
    for client in [&here, &there] {
        let all = due(client, THERE).await;
        let [(name, term)] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((name, term.due_on, term.due_time), (&issued.name, issued.due_on, None));
        assert_eq!((term.clock(), term.city), (pb::DeadlineClock::NoticeAck, THERE));
        assert_eq!((term.met, term.overdue), (false, false));
        assert_eq!(due(client, HERE).await, []);
    }
    pages_say_what_is_known(&mut nodes, &issued).await;
    let here = nodes.client(HERE).await;
    acknowledge(&there, &issued.name, SECRET).await.unwrap();
    let waits = due(&there, THERE).await;
    assert!(waits.iter().all(|(name, _)| *name != issued.name), "{waits:?}");
    let told = |notice: pb::Notice| (notice.record, notice.reports[0].text.clone());
    let ask = || async {
        let notice = get(&dezhou, &issued.name).await.ok()?;
        (!notice.reports.is_empty()).then_some(notice)
    };
    let outside = until("the others know that there is one", ask).await;
    assert!(!outside.awaits_acknowledgement);
    assert_eq!(outside.text_state(), pb::NoticeTextState::NotForUs);
    assert_eq!(told(outside), (None, String::new()));
    let inside = seen(&here, &issued.name, THERE, |one| one.acknowledge_time.is_some()).await;
    assert_eq!(inside.text_state(), pb::NoticeTextState::Here);
    let waits = due(&here, THERE).await;
    assert!(waits.iter().all(|(name, _)| *name != issued.name), "{waits:?}");
    let so_far = of(&inside, THERE);
    assert!(so_far.hold_time.is_some() && !so_far.hold_unknown);
    let page = page(&nodes, HERE, &issued.name).await;
    assert!(page.contains("系统送达 ") && page.contains("已签收 "), "{page}");
    assert!(!page.contains("尚未送达") && !page.contains("尚不知是否送达"), "{page}");
    assert_eq!(told(inside), (issued.record, SECRET.to_owned()));
    let refusal = refused(acknowledge(&dezhou, &issued.name, "").await);
    assert_eq!(refusal, (Code::PermissionDenied, "NOT_ADDRESSED".to_owned()));
    // Not one byte of it lies on the third city's disk.
    let folder = nodes.fleet.folder(DEZHOU).join("data");
    assert!(!super::rebuild::holds(&folder, SECRET.as_bytes()), "{}", folder.display());
}

/// The page of a notice at a city.
async fn page(nodes: &Nodes, city: u32, name: &str) -> String {
    let browser = Browser::open(nodes, city, Role::Coordinator).await;
    let parts: Vec<&str> = name.split('/').collect();
    browser.get(&format!("/notice/{}/{}", parts[1], parts[3])).await.text
}

/// A notice to one city, which has it and has not acknowledged it yet: its receipt proves nothing
/// of the text, so its node is asked, also by a process that was started since.
async fn pages_say_what_is_known(nodes: &mut Nodes, issued: &pb::Notice) {
    nodes.kill(HERE);
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    let held = seen(&here, &issued.name, THERE, |one| one.hold_time.is_some()).await;
    let so_far = of(&held, THERE);
    assert_eq!((so_far.acknowledge_time, so_far.hold_unknown), (None, false));
    let sender = page(nodes, HERE, &issued.name).await;
    assert!(sender.contains("系统送达 ") && sender.contains("未签收"), "{sender}");
    assert!(!sender.contains("尚未送达") && !sender.contains("尚不知是否送达"), "{sender}");
    let receiver = page(nodes, THERE, &issued.name).await;
    assert!(receiver.contains("正文已收到") && !receiver.contains("未知"), "{receiver}");
    // An emergency says that it has rung there.
    let agreement = issued.name.split("/notices").next().unwrap();
    let asked =
        pb::CreateNoticeRequest { cities: vec![THERE], ..notice(agreement, "管道破裂") };
    let urgent = issue(&here, asked).await.unwrap();
    let reached = |one: &pb::NoticeRecipient| one.ring_time.is_some() && one.hold_time.is_some();
    seen(&here, &urgent.name, THERE, reached).await;
    let sender = page(nodes, HERE, &urgent.name).await;
    assert!(sender.contains("已提醒 ") && sender.contains("系统送达 "), "{sender}");
}

/// Nobody knows when it was issued, but since when it is here: from then on it is to be
/// acknowledged, and stands among what is due.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_a_doubtful_clock_has_a_term_from_when_it_was_held() {
    let cities = [HERE, THERE];
    let mut nodes = Nodes::lay_out(&plan(&cities, &[("聊邯", &cities)]));
    nodes.start(HERE);
    let (agreement, here) = (nodes.fleet.agreements[0].name(), nodes.client(HERE).await);
    ready(&here, &agreement).await;
    let mut handan = Author::of(&nodes, THERE);
    handan.clock_suspect = true;
    let greeted = Rogue::greeted(&nodes, THERE, HERE, &handan).await;
    // By its author's clock it was issued days ago.
    for kind in [NoticeKind::Emergency, NoticeKind::General] {
        let batch = handan.batch(vec![emergency(&handan, kind, &[HERE])]);
        greeted.say(Frame::Batch(batch.clone())).await;
        handan.wrote(&batch);
    }
    let terms = until("both have terms that stay", || async {
        let before = due(&here, HERE).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        (before.len() == 2 && due(&here, HERE).await == before).then_some(before)
    })
    .await;
    for (name, term) in &terms {
        let notice = get(&here, name).await.unwrap();
        assert!(notice.clock_suspect && !term.overdue && !of(&notice, HERE).overdue);
        assert_eq!(notice.due_time, term.due_time);
        let clock = if notice.kind() == pb::NoticeKind::Emergency {
            pb::DeadlineClock::EmergencyAck
        } else {
            pb::DeadlineClock::NoticeAck
        };
        assert_eq!(term.clock(), clock);
    }
    for (name, _) in terms {
        acknowledge(&here, &name, "").await.unwrap();
    }
    assert_eq!(due(&here, HERE).await, []);
}

/// An emergency of this author's city, as it would be written next, for these cities.
fn emergency(author: &Author, kind: NoticeKind, to: &[u32]) -> RawEntry {
    let addressees = to.iter().map(|code| rogue::city(*code)).collect();
    let level = kind.rings().then_some(NoticeLevel::One);
    let event = Event::NoticeIssued { kind, level, addressees };
    let subject = Subject { kind: SubjectKind::Notice, id: None };
    author.entry(0, &event, About::subject(subject), &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_taken_from_its_own_city_only() {
    let cities = [HERE, THERE, DEZHOU];
    let mut nodes = Nodes::lay_out(&plan(&cities, &[("聊邯德", &cities)]));
    nodes.start(HERE);
    let (agreement, here) = (nodes.fleet.agreements[0].name(), nodes.client(HERE).await);
    ready(&here, &agreement).await;
    let (handan, dezhou) = (Author::of(&nodes, THERE), Author::of(&nodes, DEZHOU));
    // Nothing is known of its log before it has greeted.
    let ring = async |by: u32, author: &Author, entry: RawEntry| {
        // So many a second are looked at.
        tokio::time::sleep(Duration::from_millis(150)).await;
        let channel = rogue::channel(&nodes, by, HERE).await.unwrap();
        let mut client = PeerServiceClient::new(channel);
        let request = peer::AlertRequest {
            agreement_id: author.agreement.as_bytes().to_vec().into(),
            entry: Some(pb::Entry { header: entry.header, parts: Vec::new() }),
        };
        client.alert(request).await.map(|answer| answer.into_inner().applied)
    };
    let reason = |answer: Result<bool, Status>| refused(answer).1;
    let genuine = emergency(&handan, NoticeKind::Emergency, &[HERE]);
    assert_eq!(reason(ring(THERE, &handan, genuine.clone()).await), "NOT_FOUND");
    let mut greeted = Rogue::greeted(&nodes, THERE, HERE, &handan).await;
    greeted.settled().await;
    Rogue::greeted(&nodes, DEZHOU, HERE, &dezhou).await.settled().await;
    let ask = || async {
        (reason(ring(DEZHOU, &handan, genuine.clone()).await) == "CITY_MISMATCH").then_some(())
    };
    until("the logs are known", ask).await;
    let invalid = "ALERT_INVALID";
    let others = emergency(&handan, NoticeKind::Emergency, &[DEZHOU]);
    assert_eq!(reason(ring(THERE, &handan, others).await), invalid);
    let quiet = emergency(&handan, NoticeKind::General, &[HERE]);
    assert_eq!(reason(ring(THERE, &handan, quiet).await), invalid);
    assert_eq!(reason(ring(THERE, &handan, handan.introduction(0)).await), invalid);
    let garbage = RawEntry { header: vec![0xff; 40].into(), parts: Vec::new() };
    let answer = ring(THERE, &handan, garbage).await;
    assert!(["NOT_FOUND", invalid].contains(&reason(answer).as_str()));
    assert!(list(&here, pb::NoticeFilter::Unspecified).await.is_empty(), "nothing has rung");

    // The real one rings, is shown as on its way, and cannot be acknowledged before it is here.
    let mut bell = watch(&here).await;
    assert!(!ring(THERE, &handan, genuine.clone()).await.unwrap());
    let rung = self::ring(&mut bell).await;
    assert!(rung.arriving && rung.issuing_city == THERE && rung.record.is_none());
    assert_eq!(list(&here, pb::NoticeFilter::Awaiting).await, [rung.name.as_str()]);
    let refusal = refused(acknowledge(&here, &rung.name, "").await);
    assert_eq!(refusal, (Code::Unavailable, "NOTICE_ARRIVING".to_owned()));
    greeted.say(Frame::Batch(handan.batch(vec![genuine.clone()]))).await;
    let here_now = || async { get(&here, &rung.name).await.ok().filter(|n| !n.arriving) };
    let late = until("the entry has come", here_now).await;
    assert!(of(&late, HERE).overdue, "its author's clock says days ago: {late:?}");
    assert!(ring(THERE, &handan, genuine.clone()).await.unwrap(), "it is there already");
    let done = acknowledge(&here, &rung.name, "").await.unwrap();
    assert!(!done.awaits_acknowledgement && !of(&done, HERE).overdue);

    // What is no notice opens nothing, and whoever reads it can go on writing.
    let mut handan = handan;
    handan.wrote(&handan.batch(vec![genuine]));
    let malformed = [vec![HERE, HERE], vec![HERE, DEZHOU], vec![THERE], Vec::new(), vec![410_900]];
    for cities in malformed {
        let entry = emergency(&handan, NoticeKind::Emergency, &cities);
        let batch = handan.batch(vec![entry]);
        greeted.say(Frame::Batch(batch.clone())).await;
        handan.wrote(&batch);
    }
    greeted.settled().await;
    let taken = || async {
        let request = pb::ListLogsRequest { parent: agreement.clone() };
        let logs = here.nodes().list_logs(request).await.ok()?.into_inner().logs;
        let log = logs.into_iter().find(|log| log.city == THERE)?;
        (log.applied_size == handan.frontier.size()).then_some(log)
    };
    let log = until("the malformed ones are applied", taken).await;
    assert_eq!(log.misfit_count, 5);
    assert_eq!(list(&here, pb::NoticeFilter::Unspecified).await, [rung.name]);
    issue(&here, notice(&agreement, "照常发出")).await.unwrap();
}
