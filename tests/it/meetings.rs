//! Joint meetings between real nodes: whose turn it is, minutes, confirmations.

use std::process::Output;

use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::log::merkle::digest;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{HERE, THERE, fresh, ready, refused};
use super::nodes::{Nodes, exe, plan, until};

const DEZHOU: u32 = 371_400;
const MINUTES: &str = "一、通报今年联合执法情况\n二、商定明年计划\n";

fn day(text: &str) -> Option<pb::Date> {
    let day: Date = text.parse().unwrap();
    Some(pb::Date { year: day.year(), month: i32::from(day.month()), day: i32::from(day.day()) })
}

/// The first day of the year in which yesterday lay, today, and a day that lies ahead.
fn around_today() -> [String; 3] {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let today = Date::beijing(i64::try_from(now).unwrap()).unwrap();
    let (before, ahead) = (today.plus_days(-1).unwrap(), today.plus_days(2).unwrap());
    [format!("{}-01-01", before.year()), today.to_string(), ahead.to_string()]
}

fn record(title: &str) -> Option<pb::MeetingRecord> {
    let (title, text) = (title.to_owned(), "议程：联合执法".to_owned());
    Some(pb::MeetingRecord { title, text, address: "德州市".into() })
}

fn meeting(parent: &str, on: &str) -> pb::CreateMeetingRequest {
    pb::CreateMeetingRequest {
        parent: parent.to_owned(),
        on: day(on),
        record: record("联席会议"),
        request_id: fresh(),
        ..Default::default()
    }
}

async fn call(client: &Client, asked: pb::CreateMeetingRequest) -> Result<pb::Meeting, Status> {
    client.meetings().create_meeting(asked).await.map(|answer| answer.into_inner().meeting.unwrap())
}

async fn get(client: &Client, name: &str) -> Result<pb::Meeting, Status> {
    let request = pb::GetMeetingRequest { name: name.to_owned() };
    client.meetings().get_meeting(request).await.map(|answer| answer.into_inner().meeting.unwrap())
}

async fn minutes(client: &Client, name: &str, held_on: &str) -> Result<pb::Meeting, Status> {
    let request = pb::RecordMinutesRequest {
        name: name.to_owned(),
        minutes_hash: digest(MINUTES.as_bytes()).as_bytes().to_vec().into(),
        held_on: day(held_on),
        record: record("会议纪要"),
        request_id: fresh(),
        acting_for: None,
    };
    let answer = client.meetings().record_minutes(request).await;
    answer.map(|answer| answer.into_inner().meeting.unwrap())
}

async fn confirm(client: &Client, name: &str, read: &str) -> Result<pb::Meeting, Status> {
    let request = pb::ConfirmMinutesRequest {
        name: name.to_owned(),
        minutes_hash: digest(read.as_bytes()).as_bytes().to_vec().into(),
        text: "同意".into(),
        request_id: fresh(),
        acting_for: None,
    };
    let answer = client.meetings().confirm_minutes(request).await;
    answer.map(|answer| answer.into_inner().meeting.unwrap())
}

async fn cancel(client: &Client, name: &str) -> Result<pb::Meeting, Status> {
    let (name, request_id) = (name.to_owned(), fresh());
    let request = pb::CancelMeetingRequest { name, request_id, ..Default::default() };
    let answer = client.meetings().cancel_meeting(request).await;
    answer.map(|answer| answer.into_inner().meeting.unwrap())
}

async fn next(client: &Client, agreement: &str) -> pb::GetNextChairResponse {
    let request = pb::GetNextChairRequest { name: agreement.to_owned() };
    client.meetings().get_next_chair(request).await.unwrap().into_inner()
}

async fn list(client: &Client) -> Vec<pb::Meeting> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let parent = "agreements/-".to_owned();
        let request = pb::ListMeetingsRequest { parent, page_size: 1, page_token };
        let page = client.meetings().list_meetings(request).await.unwrap().into_inner();
        all.extend(page.meetings);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// A meeting once a node shows so much of it.
async fn seen(client: &Client, name: &str, so_far: impl Fn(&pb::Meeting) -> bool) -> pb::Meeting {
    let so_far = &so_far;
    let ask = || async move { get(client, name).await.ok().filter(|meeting| so_far(meeting)) };
    until("a meeting gets so far", ask).await
}

#[tokio::test(flavor = "multi_thread")]
async fn f35_the_chair_rotates_across_a_year_without_a_meeting() {
    let cities = [HERE, THERE, DEZHOU];
    let mut nodes = Nodes::start_all(&plan(&cities, &[("聊邯德", &cities)]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let dezhou = nodes.client(DEZHOU).await;
    for client in [&here, &there, &dezhou] {
        ready(client, &agreement).await;
    }
    let [this_year, today, _] = around_today();
    let first = next(&here, &agreement).await;
    assert_eq!((first.city, first.rota), (THERE, vec![THERE, DEZHOU, HERE]));
    assert!(first.yearly_meeting_missing && first.last_held_on.is_none());

    // The first one of the rota, after one that is cancelled, which takes nobody's turn.
    let idle = call(&there, meeting(&agreement, "2024-03-10")).await.unwrap();
    let idle = cancel(&there, &idle.name).await.unwrap();
    assert_eq!((idle.state(), idle.cancel_time.is_some()), (pb::MeetingState::Cancelled, true));
    assert_eq!(next(&there, &agreement).await.city, THERE);
    let asked = meeting(&agreement, "2024-05-10");
    let called = call(&there, asked.clone()).await.unwrap();
    assert_eq!(called.state(), pb::MeetingState::Called);
    let turn = (called.chair, called.due_chair, called.out_of_turn, called.number);
    assert_eq!(turn, (THERE, THERE, false, 1), "the cancelled one is not counted");
    assert_eq!(call(&there, asked).await.unwrap().name, called.name, "the same request again");
    seen(&here, &called.name, |_| true).await;
    refusals(&nodes, (&here, &there), &agreement, &called.name).await;

    // Its minutes, by their digest, confirmed by another city and not yet by the third.
    let held = minutes(&there, &called.name, "2024-05-11").await.unwrap();
    assert_eq!((held.state(), held.awaits_confirmation), (pb::MeetingState::Held, false));
    let told = seen(&here, &called.name, |meeting| meeting.minutes.is_some()).await;
    assert!(told.awaits_confirmation);
    let recorded = told.minutes.unwrap();
    assert_eq!(recorded.minutes_hash, digest(MINUTES.as_bytes()).as_bytes().as_slice());
    assert_eq!((recorded.city, recorded.held_on), (THERE, day("2024-05-11")));
    assert_eq!(recorded.record, record("会议纪要"));
    let late = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    let other = confirm(&here, &called.name, "另一份").await;
    assert_eq!(refused(other), late("MINUTES_DIFFER"));
    let done = confirm(&here, &called.name, MINUTES).await.unwrap();
    assert!(!done.awaits_confirmation);
    let again = confirm(&here, &called.name, MINUTES).await;
    assert_eq!(refused(again), late("MINUTES_CONFIRMED"));
    assert_eq!(refused(minutes(&there, &called.name, "2024-05-11").await), late("MEETING_HELD"));
    assert_eq!(refused(cancel(&there, &called.name).await), late("MEETING_HELD"));
    let by = |meeting: &pb::Meeting| -> Vec<_> {
        meeting.confirmations.iter().map(|c| (c.city, c.confirm_time.is_some())).collect()
    };
    let at_home = seen(&there, &called.name, |meeting| by(meeting)[1].1).await;
    assert_eq!(by(&at_home), [(DEZHOU, false), (HERE, true)]);
    assert_eq!(at_home.words.last().map(|word| word.text.as_str()), Some("同意"));

    // 2025 went by without one: the second city is still next, and the year is missed.
    seen(&dezhou, &called.name, |meeting| meeting.minutes.is_some()).await;
    let second = next(&dezhou, &agreement).await;
    assert_eq!((second.city, second.last_chair), (DEZHOU, THERE));
    assert_eq!(second.last_held_on, day("2024-05-11"));
    assert!(second.yearly_meeting_missing);
    let called = call(&dezhou, meeting(&agreement, &this_year)).await.unwrap();
    assert_eq!((called.out_of_turn, called.number), (false, 1));
    minutes(&dezhou, &called.name, &this_year).await.unwrap();
    seen(&there, &called.name, |meeting| meeting.minutes.is_some()).await;
    let third = next(&there, &agreement).await;
    assert_eq!((third.city, third.yearly_meeting_missing), (HERE, false));

    // Out of turn, expressly: recorded and shown everywhere, also after a start.
    let aside = pb::CreateMeetingRequest { out_of_turn: true, ..meeting(&agreement, &today) };
    let aside = call(&there, aside).await.unwrap();
    assert_eq!((aside.out_of_turn, aside.chair, aside.due_chair), (true, THERE, HERE));
    let shown = seen(&here, &aside.name, |meeting| meeting.out_of_turn).await;
    assert_eq!((shown.calling_city, shown.due_chair), (THERE, HERE));
    by_hand(&nodes, &aside.name, &today);
    nodes.kill(HERE);
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    seen(&here, &aside.name, |meeting| meeting.minutes.is_some()).await;
    assert_eq!(next(&here, &agreement).await.city, DEZHOU, "behind whoever chaired last");
    assert_eq!(list(&here).await.len(), 4);
}

async fn refusals(nodes: &Nodes, (here, there): (&Client, &Client), agreement: &str, name: &str) {
    let told = |reason: &str| (Code::PermissionDenied, reason.to_owned());
    let bad = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    let late = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    let [_, _, ahead] = around_today();
    let before = list(there).await;
    let turn = refused(call(here, meeting(agreement, "2024-05-10")).await);
    assert_eq!(turn, late("NOT_TURN_TO_CHAIR"));
    assert_eq!(refused(minutes(here, name, "2024-05-10").await), told("NOT_CHAIR"));
    assert_eq!(refused(cancel(here, name).await), told("NOT_CHAIR"));
    assert_eq!(refused(confirm(here, name, MINUTES).await), late("MINUTES_MISSING"));
    assert_eq!(refused(minutes(there, name, &ahead).await), bad("HELD_IN_FUTURE"));
    assert_eq!(refused(minutes(there, name, "2023-12-31").await), bad("MEETING_OUTSIDE_TERM"));
    let one = |change: &dyn Fn(&mut pb::CreateMeetingRequest)| {
        let mut asked = meeting(agreement, "2024-05-10");
        change(&mut asked);
        async move { refused(call(there, asked).await) }
    };
    assert_eq!(one(&|asked| asked.chair = HERE).await, late("NOT_TURN_TO_CHAIR"));
    assert_eq!(one(&|asked| asked.on = day("2023-12-31")).await, bad("MEETING_OUTSIDE_TERM"));
    assert_eq!(one(&|asked| asked.on = None).await, bad("REQUIRED"));
    assert_eq!(one(&|asked| asked.record = None).await, bad("REQUIRED"));
    assert_eq!(one(&|asked| asked.parent = "agreements/x".into()).await, bad("NAME_FORMAT"));
    let stranger = |asked: &mut pb::CreateMeetingRequest| {
        (asked.chair, asked.out_of_turn) = (410_900, true);
    };
    assert_eq!(one(&stranger).await, bad("CHAIR_NOT_MEMBER"));
    let long = |asked: &mut pb::CreateMeetingRequest| {
        asked.record.as_mut().unwrap().text = "长".repeat(6_000);
    };
    assert_eq!(one(&long).await, bad("TEXT_TOO_LONG"));
    let short = pb::ConfirmMinutesRequest {
        name: name.to_owned(),
        minutes_hash: vec![1; 31].into(),
        request_id: fresh(),
        ..Default::default()
    };
    assert_eq!(refused(here.meetings().confirm_minutes(short).await), bad("DIGEST"));
    // Whoever may only read calls nothing; a system confirms for an officer only.
    let auditor = nodes.client_as(THERE, Role::Auditor).await;
    let refusal = refused(call(&auditor, meeting(agreement, "2024-05-10")).await);
    assert_eq!(refusal, told("ROLE_NOT_ALLOWED"));
    let system = nodes.client_as(HERE, Role::System).await;
    assert_eq!(refused(confirm(&system, name, MINUTES).await), bad("ACTING_FOR_REQUIRED"));
    let nobody = format!("{agreement}/meetings/{}", "0".repeat(32));
    assert_eq!(refused(get(here, &nobody).await), (Code::NotFound, "NOT_FOUND".to_owned()));
    assert_eq!(list(there).await, before, "nothing was written");
}

/// Minutes from the command line: recorded by the digest of a file that stays where it is.
fn by_hand(nodes: &Nodes, name: &str, held_on: &str) {
    let folder = nodes.fleet.folder(THERE);
    std::fs::write(folder.join("minutes.txt"), MINUTES).unwrap();
    std::fs::write(folder.join("other.txt"), "另一份").unwrap();
    let run = |args: &[&str]| -> Output {
        let mut command = std::process::Command::new(exe());
        command.args(["meeting", "--profile", "client.toml"]).args(args).arg("--json");
        command.current_dir(&folder).output().unwrap()
    };
    let said = |output: &Output| {
        String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
    };
    let early = run(&["check", name, "minutes.txt"]);
    assert!(!early.status.success() && said(&early).contains("MINUTES_MISSING"), "{early:?}");
    let title = ["--held-on", held_on, "--title", "会议纪要"];
    let recorded = run(&[["minutes", name, "minutes.txt"].as_slice(), &title].concat());
    assert!(recorded.status.success(), "{recorded:?}");
    let hash = digest(MINUTES.as_bytes()).to_string();
    assert!(said(&recorded).contains(&hash), "{recorded:?}");
    let same = run(&["check", name, "minutes.txt"]);
    assert!(same.status.success() && said(&same).contains(&hash), "{same:?}");
    let other = run(&["check", name, "other.txt"]);
    assert!(!other.status.success() && said(&other).contains("MINUTES_DIFFER"), "{other:?}");
    let data = folder.join("data");
    assert!(!super::rebuild::holds(&data, MINUTES.as_bytes()), "the file itself is not stored");
}
