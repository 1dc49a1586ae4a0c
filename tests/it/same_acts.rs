//! The same act filed twice: hints at real nodes, in one agreement and across two, and nothing for
//! a city that is not in both.

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use tonic::Code;

use super::api::{HERE, THERE, create, fresh, get, ready, refused, sample};
use super::nodes::{Nodes, exe, plan, until};

const THIRD: u32 = 410_900;

struct Three {
    nodes: Nodes,
    /// Of the first two cities.
    near: String,
    /// Of the second and the third.
    far: String,
    here: Client,
    there: Client,
    third: Client,
}

impl Three {
    async fn start() -> Self {
        let agreements: [(&str, &[u32]); 2] = [("聊邯", &[HERE, THERE]), ("邯濮", &[THERE, THIRD])];
        let nodes = Nodes::start_all(&plan(&[HERE, THERE, THIRD], &agreements));
        let [near, far] = [0, 1].map(|nth| nodes.fleet.agreements[nth].name());
        let here = nodes.client(HERE).await;
        let there = nodes.client(THERE).await;
        let third = nodes.client(THIRD).await;
        ready(&here, &near).await;
        ready(&there, &near).await;
        ready(&there, &far).await;
        ready(&third, &far).await;
        Self { nodes, near, far, here, there, third }
    }

    /// Runs the command line at the second city.
    fn said(&self, args: &[&str]) -> String {
        let mut command = std::process::Command::new(exe());
        command.arg("case").args(args).args(["--profile", "client.toml"]);
        let output = command.current_dir(self.nodes.fleet.folder(THERE)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

async fn shown(client: &Client, case: &str) -> pb::SameActs {
    let request = pb::GetCaseRequest { name: case.to_owned() };
    client.cases().get_case(request).await.unwrap().into_inner().same_acts.unwrap()
}

/// Waits until a city shows exactly these other records of a case.
async fn hinted(client: &Client, case: &pb::Case, others: &[&pb::Case]) -> Vec<pb::SameActHint> {
    let mut want: Vec<String> = others.iter().map(|other| other.name.clone()).collect();
    want.sort();
    until("the hints are there", || async {
        get(client, &case.name).await.ok()?;
        let acts = shown(client, &case.name).await;
        assert_eq!((acts.name, acts.total_size as usize), (case.name.clone(), acts.hints.len()));
        let mut names: Vec<String> = acts.hints.iter().map(|hint| hint.name.clone()).collect();
        names.sort();
        (names == want && !acts.incomplete).then_some(acts.hints)
    })
    .await
}

/// Names of the cases a list shows, with the names of the records beside each, sorted.
async fn listed(client: &Client, handling_city: u32) -> Vec<(String, Vec<String>)> {
    let request = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        handling_city,
        has_same_act_hints: true,
        ..Default::default()
    };
    let page = client.cases().list_cases(request).await.unwrap().into_inner();
    assert_eq!(
        (page.cases.len(), page.same_acts.len()),
        (page.total_size as usize, page.cases.len())
    );
    let pairs = page.cases.into_iter().zip(page.same_acts).map(|(case, acts)| {
        assert_eq!(case.name, acts.name);
        (case.name, acts.hints.into_iter().map(|hint| hint.name).collect())
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    pairs
}

fn pairs_of(pairs: &[(&pb::Case, &pb::Case)]) -> Vec<(String, Vec<String>)> {
    let one = |(a, b): &(&pb::Case, &pb::Case)| (a.name.clone(), vec![b.name.clone()]);
    let mut pairs: Vec<_> = pairs.iter().map(one).collect();
    pairs.sort();
    pairs
}

/// A step of the plain way, on this day.
macro_rules! step {
    ($client:expr, $case:expr, $method:ident, $request:ident, $on:expr) => {{
        let request = pb::$request {
            name: $case.name.clone(),
            etag: $case.etag.clone(),
            request_id: fresh(),
            effective_on: Some(liandong::cli::when::parse_date($on).unwrap()),
            ..pb::$request::default()
        };
        $client.cases().$method(request).await.unwrap().into_inner().case.unwrap()
    }};
}

/// The same act as another city writes it down: a few hundred metres off, under its own title.
fn second_sight(agreement: &str, nth: usize) -> pb::CreateCaseRequest {
    let mut request = sample(agreement, nth);
    let record = request.record.as_mut().unwrap();
    record.title = "同一企业，另一市所记".to_owned();
    let place = record.location.as_mut().unwrap();
    let north: f64 = place.latitude.parse::<f64>().unwrap() + 0.002;
    place.latitude = format!("{north:.6}");
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn f26_the_same_act_filed_twice_is_shown() {
    let mut three = Three::start().await;
    // One pair in one agreement, one across two, and a case of its own.
    let first = create(&three.here, sample(&three.near, 0)).await.unwrap();
    let second = create(&three.there, second_sight(&three.near, 0)).await.unwrap();
    let left = create(&three.here, sample(&three.near, 2)).await.unwrap();
    let right = create(&three.third, second_sight(&three.far, 2)).await.unwrap();
    let lone = create(&three.here, sample(&three.near, 3)).await.unwrap();
    let seen = hinted(&three.here, &first, &[&second]).await;
    let metres = seen[0].metres.unwrap();
    assert!((200..240).contains(&metres), "0.002 degrees of latitude are 222 m, not {metres}");
    assert_eq!((seen[0].number.clone(), seen[0].handling_city), (second.number.clone(), THERE));
    assert_eq!(seen[0].overlap_from, first.facts.as_ref().unwrap().occurred_from);
    assert_eq!((seen[0].filed_on, seen[0].other_filed_on, seen[0].linked), (None, None, false));
    assert_eq!(hinted(&three.there, &second, &[&first]).await[0].metres, Some(metres));
    // Only the city that is in both agreements sees the second pair.
    hinted(&three.there, &left, &[&right]).await;
    hinted(&three.there, &right, &[&left]).await;
    hinted(&three.there, &lone, &[]).await;
    hinted(&three.here, &left, &[]).await;
    hinted(&three.third, &right, &[]).await;
    for (client, case) in [(&three.here, &right), (&three.third, &left), (&three.third, &first)] {
        let absent = get(client, &case.name).await;
        assert_eq!(refused(absent), (Code::NotFound, "NOT_FOUND".to_owned()));
    }
    let both = [(&first, &second), (&second, &first), (&left, &right), (&right, &left)];
    assert_eq!(listed(&three.there, 0).await, pairs_of(&both));
    assert_eq!(listed(&three.there, THERE).await, pairs_of(&both[1..2]));
    assert_eq!(listed(&three.here, 0).await, pairs_of(&both[..2]));
    assert_eq!(listed(&three.third, 0).await, []);
    who_was_first(&three, first.clone(), &second).await;
    after_the_end(&three, &first, &second, &left, &right).await;
    // The index is made anew at a start.
    three.nodes.kill(THERE);
    three.nodes.start(THERE);
    three.there = three.nodes.client(THERE).await;
    assert_eq!(listed(&three.there, 0).await, pairs_of(&both));
    corrected(&three, &second, &first).await;
    refusals(&three).await;
}

/// Who filed first, and that a decision was made, is said at both ends.
async fn who_was_first(three: &Three, first: pb::Case, second: &pb::Case) {
    let first =
        step!(three.here, first, start_verification, StartVerificationRequest, "2026-01-05");
    let first = step!(three.here, first, file_case, FileCaseRequest, "2026-01-06");
    let day = |on: &str| Some(liandong::cli::when::parse_date(on).unwrap());
    let there = &three.there;
    until("the other city knows of the filing", || async {
        let hints = shown(there, &second.name).await.hints;
        (hints[0].other_filed_on == day("2026-01-06") && hints[0].filed_on.is_none()).then_some(())
    })
    .await;
    assert_eq!(shown(&three.here, &first.name).await.hints[0].filed_on, day("2026-01-06"));
    let text = three.said(&["show", &second.number]);
    for want in ["疑似重复", &first.number, "由聊城管辖", "第二十五条"] {
        assert!(text.contains(want), "{want}: {text}");
    }
    let first =
        step!(three.here, first, start_investigation, StartInvestigationRequest, "2026-01-07");
    let first = step!(three.here, first, serve_notice, ServeNoticeRequest, "2026-01-08");
    step!(three.here, first, decide_case, DecideCaseRequest, "2026-01-20");
    until("the other city knows of the decision", || async {
        let hints = shown(there, &second.name).await.hints;
        (hints[0].other_decided_on == day("2026-01-20")).then_some(())
    })
    .await;
    let text = three.said(&["duplicates"]);
    assert!(text.contains("共 1 对") && text.contains("不得再次罚款"), "{text}");
    assert!(three.said(&["duplicates", "--city", "410900"]).contains("共 1 对"));
}

/// A dismissed clue is shown still; a link marks a pair and hides nothing.
async fn after_the_end(
    three: &Three,
    first: &pb::Case,
    second: &pb::Case,
    left: &pb::Case,
    right: &pb::Case,
) {
    let gone = step!(three.here, left, start_verification, StartVerificationRequest, "2026-11-01");
    let gone = step!(three.here, gone, dismiss_clue, DismissClueRequest, "2026-11-02");
    assert_eq!(gone.state(), pb::CaseState::ClueDismissed);
    let link = pb::LinkContinuationRequest {
        name: right.name.clone(),
        other_case: left.name.clone(),
        continued_from: true,
        request_id: fresh(),
        ..Default::default()
    };
    three.there.cases().link_continuation(link).await.unwrap();
    let there = &three.there;
    until("the dismissed clue is shown, and the link", || async {
        let hint = shown(there, &right.name).await.hints.pop()?;
        let back = shown(there, &left.name).await.hints.pop()?;
        (hint.state() == pb::CaseState::ClueDismissed && hint.linked && back.linked).then_some(())
    })
    .await;
    hinted(&three.there, second, &[first]).await;
}

/// A record that is corrected to another firm is no pair any more.
async fn corrected(three: &Three, second: &pb::Case, first: &pb::Case) {
    let case = get(&three.there, &second.name).await.unwrap();
    let mut record = case.record.clone().unwrap();
    record.party.as_mut().unwrap().uscc = "91371522YYYY90011A".to_owned();
    record.party.as_mut().unwrap().permit_number = String::new();
    let update = pb::UpdateCaseRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        facts: case.facts.clone(),
        record: Some(record),
        text: "当事人更正".to_owned(),
        request_id: fresh(),
        ..Default::default()
    };
    three.there.cases().update_case(update).await.unwrap();
    hinted(&three.there, second, &[]).await;
    hinted(&three.here, first, &[]).await;
    assert_eq!(listed(&three.here, 0).await, []);
    assert!(three.said(&["duplicates"]).contains("没有疑似同一违法行为的案件"));
}

async fn refusals(three: &Three) {
    let list =
        async |request: pb::ListCasesRequest| refused(three.here.cases().list_cases(request).await);
    let base = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        has_same_act_hints: true,
        ..Default::default()
    };
    let elsewhere = pb::ListCasesRequest { parent: three.far.clone(), ..base.clone() };
    assert_eq!(list(elsewhere).await, (Code::NotFound, "NOT_FOUND".to_owned()));
    let many = pb::ListCasesRequest { states: vec![1; 17], ..base.clone() };
    assert_eq!(list(many).await, (Code::InvalidArgument, "FILTER_TOO_COMPLEX".to_owned()));
    let token = pb::ListCasesRequest { page_token: "not-a-token".to_owned(), ..base };
    assert_eq!(list(token).await, (Code::InvalidArgument, "PAGE_TOKEN".to_owned()));
}
