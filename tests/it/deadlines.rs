//! Deadlines over the API of real nodes: what runs, whose it is, when it ends, what stops it.

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use pb::DeadlineClock as C;
use pb::Milestone as M;
use tonic::{Code, Status};

use super::api::{HERE, Pair, THERE, create, fresh, history, refused, sample};
use super::console::{Browser, FROM_HERE, page_of};
use super::nodes::until;

fn day(text: &str) -> pb::Date {
    liandong::cli::when::parse_date(text).unwrap()
}

/// A line as people would write it down: last day, clock, case.
type Line = (String, C, String);

async fn due(client: &Client, city: u32, until: Option<&str>, page_size: i32) -> Vec<Line> {
    let (mut lines, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListDeadlinesRequest {
            parent: "agreements/-".to_owned(),
            city,
            until: until.map(day),
            page_size,
            page_token,
            ..pb::ListDeadlinesRequest::default()
        };
        let page = client.cases().list_deadlines(request).await.unwrap().into_inner();
        assert_eq!(page.calendar_years, [2025, 2026]);
        for line in page.deadlines {
            let deadline = line.deadline.unwrap();
            assert_eq!(deadline.city, if city == 0 { HERE } else { city });
            let on = liandong::cli::when::date(deadline.due_on.as_ref());
            lines.push((on, deadline.clock(), line.name));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            assert_eq!(page.total_size as usize, lines.len());
            return lines;
        }
    }
}

async fn opened(pair: &Pair, on: &str) -> pb::Case {
    let mut request = sample(&pair.agreement, 0);
    request.effective_on = Some(day(on));
    create(&pair.here, request).await.unwrap()
}

/// A step of the plain way, on this day.
macro_rules! step {
    ($client:expr, $case:expr, $method:ident, $request:ident, $on:expr) => {{
        let request = pb::$request {
            name: $case.name.clone(),
            etag: $case.etag.clone(),
            request_id: fresh(),
            effective_on: Some(day($on)),
            ..pb::$request::default()
        };
        $client.cases().$method(request).await.unwrap().into_inner().case.unwrap()
    }};
}

async fn milestone(
    client: &Client,
    case: &pb::Case,
    what: i32,
    on: &str,
) -> Result<pb::Case, Status> {
    let request = pb::RecordMilestoneRequest {
        name: case.name.clone(),
        milestone: what,
        effective_on: Some(day(on)),
        request_id: fresh(),
        ..pb::RecordMilestoneRequest::default()
    };
    client.cases().record_milestone(request).await.map(|answer| answer.into_inner().case.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_what_is_due_is_listed_exactly() {
    let mut pair = Pair::start().await;
    // A clue, a case that is investigated, a case that is decided.
    let clue = opened(&pair, "2026-09-21").await;
    let clue = step!(pair.here, clue, start_verification, StartVerificationRequest, "2026-09-21");
    let filed = opened(&pair, "2026-07-03").await;
    let filed = step!(pair.here, filed, start_verification, StartVerificationRequest, "2026-07-03");
    let filed = step!(pair.here, filed, file_case, FileCaseRequest, "2026-07-03");
    let decided = opened(&pair, "2026-03-02").await;
    let decided =
        step!(pair.here, decided, start_verification, StartVerificationRequest, "2026-03-02");
    let decided = step!(pair.here, decided, file_case, FileCaseRequest, "2026-03-03");
    let decided =
        step!(pair.here, decided, start_investigation, StartInvestigationRequest, "2026-03-04");
    let decided = step!(pair.here, decided, serve_notice, ServeNoticeRequest, "2026-03-16");
    let decided = step!(pair.here, decided, decide_case, DecideCaseRequest, "2026-03-30");
    milestone(&pair.here, &decided, M::DecisionServed.into(), "2026-04-01").await.unwrap();
    let line = |on: &str, clock, case: &pb::Case| (on.to_owned(), clock, case.name.clone());
    let all = [
        line("2026-04-16", C::Payment, &decided),
        line("2026-10-08", C::Decision, &filed),
        line("2026-10-19", C::Filing, &clue),
        line("2027-01-08", C::CourtEnforcement, &decided),
    ];
    for page_size in [0, 1, 3] {
        assert_eq!(due(&pair.here, 0, None, page_size).await, all);
    }
    assert_eq!(due(&pair.here, HERE, Some("2026-10-08"), 0).await, all[..2]);
    assert_eq!(due(&pair.here, HERE, Some("2026-04-15"), 0).await, []);
    // The other city sees the same.
    let there = pair.there.clone();
    until("the other city has it all", || async {
        (due(&there, HERE, None, 0).await == all).then_some(())
    })
    .await;
    // A suspended period moves the date: while it is tested there is none.
    milestone(&pair.here, &filed, M::TestingBegun.into(), "2026-07-10").await.unwrap();
    let asked = pb::GetCaseRequest { name: filed.name.clone() };
    let shown = pair.here.cases().get_case(asked).await.unwrap().into_inner().deadlines;
    assert!(shown.len() == 2 && shown[1].suspended && shown[1].due_on.is_none(), "{shown:?}");
    // The act was discovered in time: that is shown, and nobody is told to do it.
    let found = (shown[0].clock(), shown[0].due_on, shown[0].met, shown[0].overdue);
    assert_eq!(found, (C::Discovery, Some(day("2027-11-23")), true, false));
    assert_eq!(due(&pair.here, 0, Some("2026-12-31"), 0).await.len(), 2);
    suspended(&pair, &filed).await;
    milestone(&pair.here, &filed, M::TestingEnded.into(), "2026-07-20").await.unwrap();
    assert_eq!(suspended_page(&pair.here, None).await, (Vec::new(), 0));
    assert!(due(&pair.here, 0, None, 0).await.contains(&line("2026-10-12", C::Decision, &filed)));
    // An offer gives the receiver something to do; taking it over begins anew.
    let offer = pb::OfferTransferRequest {
        name: clue.name.clone(),
        etag: clue.etag.clone(),
        to_city: THERE,
        request_id: fresh(),
        effective_on: Some(day("2026-09-22")),
        ..pb::OfferTransferRequest::default()
    };
    let offered = pair.here.cases().offer_transfer(offer).await.unwrap().into_inner().case.unwrap();
    pair.held(&pair.there, &offered).await;
    let theirs =
        [line("2026-09-24", C::TransferAck, &clue), line("2026-09-30", C::TransferAnswer, &clue)];
    assert_eq!(due(&pair.there, THERE, None, 0).await, theirs);
    let seen = pb::AcknowledgeTransferRequest {
        name: clue.name.clone(),
        request_id: fresh(),
        ..pb::AcknowledgeTransferRequest::default()
    };
    pair.there.cases().acknowledge_transfer(seen).await.unwrap();
    assert_eq!(due(&pair.there, THERE, None, 0).await, theirs[1..]);
    step!(pair.there, offered, accept_transfer, AcceptTransferRequest, "2026-09-23");
    let theirs = [line("2026-10-21", C::Filing, &clue), line("2026-10-23", C::Progress, &clue)];
    assert_eq!(due(&pair.there, THERE, None, 0).await, theirs);
    // The index is made anew at a start.
    pair.nodes.kill(THERE);
    pair.nodes.start(THERE);
    pair.there = pair.nodes.client(THERE).await;
    assert_eq!(due(&pair.there, THERE, None, 0).await, theirs);
    refusals(&pair, &filed).await;
    archived_at_once(&pair, &clue).await;
}

async fn withdraw(
    client: &Client,
    case: &pb::Case,
    entry: &str,
    request_id: &str,
) -> Result<pb::WriteReceipt, Status> {
    let request = pb::WithdrawMilestoneRequest {
        name: case.name.clone(),
        entry: entry.to_owned(),
        request_id: request_id.to_owned(),
        ..pb::WithdrawMilestoneRequest::default()
    };
    let answer = client.cases().withdraw_milestone(request).await?;
    Ok(answer.into_inner().receipt.unwrap())
}

/// The position of the last milestone that was recorded.
async fn last_milestone(client: &Client, case: &pb::Case) -> String {
    use pb::entry_header::Event;
    let all = history(client, &case.name).await;
    let is_one = |entry: &&pb::HistoryEntry| {
        let header = entry.header.as_ref().unwrap();
        matches!(header.event, Some(Event::MilestoneRecorded(_)))
    };
    all.iter().rfind(is_one).unwrap().entry.clone()
}

/// A milestone on the wrong case, or of the wrong day, is taken back by call, page and command;
/// the terms are what they were without it, at both ends and after a start that reads all anew.
#[tokio::test(flavor = "multi_thread")]
async fn f14_a_milestone_recorded_by_mistake_is_taken_back() {
    let mut pair = Pair::start().await;
    let case = opened(&pair, "2026-03-02").await;
    let case = step!(pair.here, case, start_verification, StartVerificationRequest, "2026-03-02");
    let case = step!(pair.here, case, file_case, FileCaseRequest, "2026-03-03");
    let case = step!(pair.here, case, start_investigation, StartInvestigationRequest, "2026-03-04");
    let case = step!(pair.here, case, serve_notice, ServeNoticeRequest, "2026-03-16");
    let case = step!(pair.here, case, decide_case, DecideCaseRequest, "2026-03-30");
    let owed = |payment: &str, court: &str| {
        let line = |on: &str, clock| (on.to_owned(), clock, case.name.clone());
        [line(payment, C::Payment), line(court, C::CourtEnforcement)]
    };
    milestone(&pair.here, &case, M::DecisionServed.into(), "2026-04-01").await.unwrap();
    let served = owed("2026-04-16", "2027-01-08");
    assert_eq!(due(&pair.here, 0, None, 0).await, served);
    // By call: paid is another case's fine.
    milestone(&pair.here, &case, M::FinePaid.into(), "2026-04-10").await.unwrap();
    assert_eq!(due(&pair.here, 0, None, 0).await, []);
    let paid = last_milestone(&pair.here, &case).await;
    let none = (Code::FailedPrecondition, "NO_SUCH_MILESTONE".to_owned());
    until("the other city has it", || async {
        let all = history(&pair.there, &case.name).await;
        all.iter().any(|entry| entry.entry == paid).then_some(())
    })
    .await;
    assert_eq!(refused(withdraw(&pair.there, &case, &paid, &fresh()).await), none, "not its own");
    let other = format!("{}:0", paid.split(':').next().unwrap());
    assert_eq!(refused(withdraw(&pair.here, &case, &other, &fresh()).await), none);
    assert_eq!(refused(withdraw(&pair.here, &case, "", &fresh()).await).0, Code::InvalidArgument);
    let id = fresh();
    let first = withdraw(&pair.here, &case, &paid, &id).await.unwrap();
    let again = withdraw(&pair.here, &case, &paid, &id).await.unwrap();
    assert_eq!((again.entry, again.replayed), (first.entry, true));
    assert_eq!(due(&pair.here, 0, None, 0).await, served);
    assert_eq!(refused(withdraw(&pair.here, &case, &paid, &fresh()).await), none, "once");
    // By page: served twenty days later than it was.
    let wrong = "2026-04-21";
    milestone(&pair.here, &case, M::DecisionServed.into(), wrong).await.unwrap();
    assert_eq!(due(&pair.here, 0, None, 0).await[0].0, "2026-05-06");
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let page = page_of(&case);
    assert!(browser.get(&page).await.text.contains("2026-04-21 处罚决定已送达</option>"));
    let (late, id) = (last_milestone(&pair.here, &case).await, fresh());
    let fields = [("entry", late.as_str()), ("request_id", id.as_str()), ("text", "日期有误")];
    browser.post(&format!("{page}/withdraw"), &[FROM_HERE], &fields).await;
    assert_eq!(due(&pair.here, 0, None, 0).await, served);
    let shown = browser.get(&page).await.text;
    assert!(shown.contains("撤回误登的事项") && shown.contains("日期有误"), "{shown}");
    assert!(!shown.contains("2026-04-21 处罚决定已送达</option>"), "{shown}");
    // By command.
    milestone(&pair.here, &case, M::FinePaid.into(), "2026-04-10").await.unwrap();
    let paid = last_milestone(&pair.here, &case).await;
    let args = ["milestone", case.name.as_str(), "--withdraw", paid.as_str()];
    let done = super::sheets::case(&pair.nodes, HERE, &args);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(due(&pair.here, 0, None, 0).await, served);
    // The other city, also when it makes its views anew.
    let there = || async { (due(&pair.there, HERE, None, 0).await == served).then_some(()) };
    until("the other city has it all", there).await;
    pair.nodes.kill(THERE);
    std::fs::remove_dir_all(pair.nodes.fleet.folder(THERE).join("data/views")).unwrap();
    pair.nodes.start(THERE);
    pair.there = pair.nodes.client(THERE).await;
    let there = || async { (due(&pair.there, HERE, None, 0).await == served).then_some(()) };
    until("all is read again", there).await;
}

/// The suspended terms of the first city, by the days they began with, and how many there are.
async fn suspended_page(client: &Client, from: Option<&str>) -> (Vec<Line>, u32) {
    let request = pb::ListDeadlinesRequest {
        parent: "agreements/-".to_owned(),
        city: HERE,
        from: from.map(day),
        suspended: true,
        ..pb::ListDeadlinesRequest::default()
    };
    let page = client.cases().list_deadlines(request.clone()).await.unwrap().into_inner();
    assert_eq!(page.total_size as usize, page.deadlines.len());
    let request = pb::ListDeadlinesRequest { suspended: false, ..request };
    let plain = client.cases().list_deadlines(request).await.unwrap().into_inner();
    assert_eq!(plain.suspended_size, page.suspended_size, "every list tells of them");
    let line = |one: pb::CaseDeadline| {
        let term = one.deadline.unwrap();
        assert!(term.suspended && term.due_on.is_none(), "{term:?}");
        (liandong::cli::when::date(term.begin_on.as_ref()), term.clock(), one.name)
    };
    (page.deadlines.into_iter().map(line).collect(), page.suspended_size)
}

/// A term without a last day is in a list of its own, at both ends: somebody may have forgotten to
/// record that the test has ended.
async fn suspended(pair: &Pair, filed: &pb::Case) {
    let one = (vec![("2026-07-03".to_owned(), C::Decision, filed.name.clone())], 1);
    assert_eq!(suspended_page(&pair.here, None).await, one);
    assert_eq!(suspended_page(&pair.here, Some("2026-07-03")).await, one);
    assert_eq!(suspended_page(&pair.here, Some("2026-07-04")).await, (Vec::new(), 1));
    let there = || async { (suspended_page(&pair.there, None).await == one).then_some(()) };
    until("the other city sees it", there).await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let listed = browser.get("/due?show=suspended").await.text;
    assert!(listed.contains(&filed.number), "{listed}");
    assert!(listed.contains("中止中（2026-07-03 起算）"), "{listed}");
    let all = browser.get("/due?show=all").await.text;
    assert!(all.contains("另有 1 项中止中") && !all.contains(&filed.number), "{all}");
    let shown = browser.get(&page_of(filed)).await.text;
    assert!(shown.contains("中止中（2026-07-03 起算）"), "{shown}");
}

/// The receiver dismisses what it took over and archives it on one day: the sender still waits for
/// the outcome, late or not, and both ends say so.
async fn archived_at_once(pair: &Pair, clue: &pb::Case) {
    let day = "2026-09-24";
    let asked = pb::GetCaseRequest { name: clue.name.clone() };
    let case = pair.there.cases().get_case(asked).await.unwrap().into_inner().case.unwrap();
    let case = step!(pair.there, case, start_verification, StartVerificationRequest, day);
    let case = step!(pair.there, case, dismiss_clue, DismissClueRequest, day);
    let case = step!(pair.there, case, archive_case, ArchiveCaseRequest, day);
    let owed = [("2026-10-09".to_owned(), C::Outcome, clue.name.clone())];
    let owed_here = || async { (due(&pair.here, THERE, None, 0).await == owed).then_some(()) };
    until("the sender sees what is owed", owed_here).await;
    assert_eq!(due(&pair.there, THERE, None, 0).await, owed);
    let asked = pb::GetCaseRequest { name: clue.name.clone() };
    let shown = pair.there.cases().get_case(asked).await.unwrap().into_inner().deadlines;
    assert!(shown.len() == 1 && shown[0].overdue, "{shown:?}");
    milestone(&pair.there, &case, M::OutcomeReported.into(), day).await.unwrap();
    assert_eq!(due(&pair.there, THERE, None, 0).await, []);
}

async fn refusals(pair: &Pair, filed: &pb::Case) {
    let ended = M::TestingEnded.into();
    let other = milestone(&pair.there, filed, ended, "2026-07-20").await;
    assert_eq!(refused(other), (Code::PermissionDenied, "NOT_HANDLING_CITY".to_owned()));
    let ahead = milestone(&pair.here, filed, ended, "2099-01-01").await;
    assert_eq!(refused(ahead).1, "EFFECTIVE_IN_FUTURE");
    let slip = milestone(&pair.here, filed, ended, "2016-07-20").await;
    assert_eq!(refused(slip), (Code::FailedPrecondition, "EFFECTIVE_TOO_EARLY".to_owned()));
    for (number, reason) in [(0, "REQUIRED"), (99, "CODE_UNKNOWN")] {
        let answer = milestone(&pair.here, filed, number, "2026-07-20").await;
        assert_eq!(refused(answer), (Code::InvalidArgument, reason.to_owned()));
    }
    let list = async |request: pb::ListDeadlinesRequest| {
        refused(pair.here.cases().list_deadlines(request).await).1
    };
    let parent = "agreements/-".to_owned();
    let with = pb::ListDeadlinesRequest { parent: parent.clone(), ..Default::default() };
    let page_token = "not-a-token".to_owned();
    assert_eq!(list(pb::ListDeadlinesRequest { page_token, ..with.clone() }).await, "PAGE_TOKEN");
    assert_eq!(list(pb::ListDeadlinesRequest { city: 7, ..with.clone() }).await, "CITY_CODE");
    let first = pb::ListDeadlinesRequest { page_size: 1, ..with.clone() };
    let page = pair.here.cases().list_deadlines(first.clone()).await.unwrap().into_inner();
    let page_token = page.next_page_token;
    let moved = pb::ListDeadlinesRequest { page_token, city: THERE, ..first };
    assert_eq!(list(moved).await, "PAGE_TOKEN", "it is bound to its filter");
}
