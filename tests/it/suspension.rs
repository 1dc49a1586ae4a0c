//! A city is suspended and resumed on one of three real nodes, over mutual TLS.

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt;

use super::console::Browser;
use super::nodes::{Nodes, case_request, exe, plan, standing, until, until_or};

/// Who suspends, whom, and who goes on with both.
const A: u32 = 371_500;
const B: u32 = 130_400;
const C: u32 = 410_900;

async fn status(client: &Client) -> Option<pb::Status> {
    client.nodes().get_status(pb::GetStatusRequest {}).await.ok()?.into_inner().status
}

async fn link(client: &Client, city: u32) -> pb::Link {
    let status = status(client).await.unwrap_or_default();
    status.links.into_iter().find(|l| l.city == city).unwrap_or_default()
}

async fn titles(client: &Client, agreement: &str) -> Option<Vec<String>> {
    let request =
        pb::ListCasesRequest { parent: agreement.to_owned(), page_size: 200, ..Default::default() };
    let list = client.cases().list_cases(request).await.ok()?.into_inner();
    let title = |case: pb::Case| case.record.map(|record| record.title).unwrap_or_default();
    let mut titles: Vec<String> = list.cases.into_iter().map(title).collect();
    titles.sort();
    Some(titles)
}

async fn fold_hash(client: &Client, agreement: &str) -> Option<pb::GetFoldHashResponse> {
    let request = pb::GetFoldHashRequest { agreement: agreement.to_owned() };
    Some(client.nodes().get_fold_hash(request).await.ok()?.into_inner())
}

async fn open(client: &Client, agreement: &str, title: &str) -> pb::Case {
    let write = || async {
        let answer = client.cases().create_case(case_request(agreement, title)).await;
        answer.ok().and_then(|answer| answer.into_inner().case)
    };
    until("a case can be opened", write).await
}

async fn shows(client: &Client, agreement: &str, want: &[&str]) {
    let look = || async { (titles(client, agreement).await? == want).then_some(()) };
    until_or("the cases are shown", look, || standing(client)).await;
}

fn reason(status: &tonic::Status) -> (Code, String) {
    let info = status.get_error_details().error_info().map(|info| info.reason.clone());
    (status.code(), info.unwrap_or_default())
}

fn stop(city: u32, reason: &str) -> pb::SuspendCityRequest {
    let request_id = uuid::Uuid::new_v4().to_string();
    pb::SuspendCityRequest { city, reason: reason.to_owned(), request_id }
}

fn go_on(city: u32) -> pb::ResumeCityRequest {
    pb::ResumeCityRequest { city, request_id: uuid::Uuid::new_v4().to_string() }
}

/// Who may, whom, and with what words.
async fn orders_are_checked(nodes: &Nodes, admin: &Client) {
    let refused = nodes.client(A).await.nodes().suspend_city(stop(C, "试探")).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned()));
    let invalid = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    for (city, why, want) in [
        (C, "", invalid("REQUIRED")),
        (A, "本市", invalid("SELF_NAMED")),
        (7, "无此市", invalid("CITY_CODE")),
        (370_900, "不是成员", (Code::NotFound, "NOT_FOUND".to_owned())),
    ] {
        let refused = admin.nodes().suspend_city(stop(city, why)).await.unwrap_err();
        assert_eq!(reason(&refused), want, "{city} {why}");
    }
    let refused = admin.nodes().resume_city(go_on(C)).await.unwrap_err();
    assert_eq!(
        reason(&refused),
        (Code::FailedPrecondition, "CITY_NOT_SUSPENDED".to_owned()),
        "nothing is suspended yet"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_is_suspended_and_resumed_and_all_agree() {
    let mut nodes = Nodes::start_all(&plan(&[A, B, C], &[("聊邯濮", &[A, B, C])]));
    let agreement = nodes.fleet.agreements[0].name();
    let [a, b, c] = [nodes.client(A).await, nodes.client(B).await, nodes.client(C).await];
    let admin = nodes.client_as(A, Role::Admin).await;
    open(&c, &agreement, "一").await;
    shows(&a, &agreement, &["一"]).await;
    orders_are_checked(&nodes, &admin).await;

    let done = admin.nodes().suspend_city(stop(C, "城市密钥失窃")).await.unwrap().into_inner();
    assert_eq!(done.suspensions[0].reason, "城市密钥失窃");
    assert!(done.suspensions[0].suspended_by.contains("admin"), "{done:?}");
    let ended = link(&a, C).await;
    assert_eq!(ended.state(), pb::LinkState::Refused, "{ended:?}");
    // It calls again and again, and is told why it is not let in.
    let told = || async { link(&c, A).await.reason.contains("CITY_SUSPENDED").then_some(()) };
    until_or("the suspended city is told", told, || standing(&c)).await;

    // Two cities go on with what the third has written; here it is not seen, and B's case is.
    open(&c, &agreement, "二").await;
    shows(&b, &agreement, &["一", "二"]).await;
    open(&b, &agreement, "三").await;
    shows(&a, &agreement, &["一", "三"]).await;
    open(&a, &agreement, "四").await;
    shows(&c, &agreement, &["一", "三", "二", "四"]).await;

    // It holds over a crash.
    nodes.kill(A);
    nodes.start(A);
    let [a, admin] = [nodes.client(A).await, nodes.client_as(A, Role::Admin).await];
    shows(&a, &agreement, &["一", "三", "四"]).await;
    let shown = status(&a).await.unwrap();
    assert_eq!(shown.suspensions.len(), 1, "{shown:?}");
    assert!(shown.warnings.iter().any(|w| w.contains("liandong resume 410900")));
    assert_eq!(link(&a, C).await.state(), pb::LinkState::Refused);
    let list = pb::ListCasesRequest { parent: agreement.clone(), ..Default::default() };
    let cursor = a.cases().list_cases(list).await.unwrap().into_inner().cursor;

    let pid = nodes.pid(A);
    admin.nodes().resume_city(go_on(C)).await.unwrap();
    let look = || async {
        let a = nodes.fleet.connect(A, Role::Coordinator, liandong::lang::Lang::En).await.ok()?;
        let shown = status(&a).await?;
        (shown.suspensions.is_empty() && shown.start_time.is_some()).then_some((a, shown.pid))
    };
    let (a, after) = until("the node has started again by itself", look).await;
    assert_eq!(after, pid, "whoever looks after the process sees no end of it");
    shows(&a, &agreement, &["一", "三", "二", "四"]).await;
    let equal = || async {
        let [one, two, three] =
            [fold_hash(&a, &agreement).await?, fold_hash(&b, &agreement).await?, {
                fold_hash(&c, &agreement).await?
            }];
        (one == two && two == three).then_some(())
    };
    until_or("all agree", equal, || standing(&a)).await;
    let watch = pb::WatchCasesRequest { parent: agreement.clone(), cursor };
    let gone = match a.cases().watch_cases(watch).await {
        Err(refused) => refused,
        Ok(stream) => stream.into_inner().message().await.unwrap_err(),
    };
    assert_eq!(reason(&gone), (Code::OutOfRange, "CURSOR_GONE".to_owned()));
    open(&a, &agreement, "五").await;
    shows(&c, &agreement, &["一", "三", "二", "五", "四"]).await;

    let audit: String = std::fs::read_dir(nodes.fleet.folder(A).join("data/audit"))
        .unwrap()
        .flatten()
        .map(|file| std::fs::read_to_string(file.path()).unwrap_or_default())
        .collect();
    for method in ["NodeService/SuspendCity", "NodeService/ResumeCity"] {
        assert!(audit.contains(method), "{audit}");
    }
}

/// What a command of the node's operator prints, as JSON.
async fn told(nodes: &Nodes, args: &[&str]) -> serde_json::Value {
    let mut command = tokio::process::Command::new(exe());
    command.args(args).args(["--json", "--profile", "client.toml"]);
    let output = command.current_dir(nodes.fleet.folder(A)).output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Titles on a page, the token of the next one, and how many there are.
async fn page(client: &Client, asked: &pb::ListCasesRequest) -> (Vec<String>, String, u32) {
    let list = client.cases().list_cases(asked.clone()).await.unwrap().into_inner();
    let title = |case: pb::Case| case.record.map(|record| record.title).unwrap_or_default();
    (list.cases.into_iter().map(title).collect(), list.next_page_token, list.total_size)
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_that_rest_on_a_suspension_are_listed_page_by_page() {
    let nodes = Nodes::start_all(&plan(&[A, B, C], &[("聊邯濮", &[A, B, C])]));
    let agreement = nodes.fleet.agreements[0].name();
    let [a, b, c] = [nodes.client(A).await, nodes.client(B).await, nodes.client(C).await];
    let admin = nodes.client_as(A, Role::Admin).await;
    open(&b, &agreement, "前").await;
    shows(&a, &agreement, &["前"]).await;
    let base = pb::ListCasesRequest {
        parent: "agreements/-".to_owned(),
        page_size: 2,
        rests_on_suspended: true,
        ..Default::default()
    };
    assert_eq!(page(&a, &base).await, (Vec::new(), String::new(), 0), "nothing is suspended");
    admin.nodes().suspend_city(stop(C, "城市密钥失窃")).await.unwrap();
    open(&a, &agreement, "本市").await;
    open(&c, &agreement, "未收").await;
    shows(&b, &agreement, &["前", "未收", "本市"]).await;
    // From now on what B writes has seen what is not taken here.
    for title in ["一", "二", "三"] {
        open(&b, &agreement, title).await;
    }
    shows(&a, &agreement, &["一", "三", "二", "前", "本市"]).await;

    let (first, token, total) = page(&a, &base).await;
    assert_eq!((first, total), (vec!["三".to_owned(), "二".to_owned()], 3));
    let browser = Browser::open(&nodes, A, Role::Coordinator).await;
    let shown = browser.get("/cases?only=suspended").await.text;
    assert!(shown.contains("共 3 件") && shown.contains("<td>一</td>"), "{shown}");
    assert!(!shown.contains("<td>本市</td>"), "{shown}");
    let next = pb::ListCasesRequest { page_token: token.clone(), ..base.clone() };
    assert_eq!(page(&a, &next).await, (vec!["一".to_owned()], String::new(), 3));
    // A token is of this list and no other.
    let other = pb::ListCasesRequest { rests_on_suspended: false, ..next };
    let refused = a.cases().list_cases(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    assert_eq!(page(&b, &base).await.2, 0, "elsewhere nothing is suspended");

    // Just these cannot be written to.
    let all = pb::ListCasesRequest { page_size: 200, rests_on_suspended: false, ..base.clone() };
    for case in a.cases().list_cases(all).await.unwrap().into_inner().cases {
        let title = case.record.unwrap_or_default().title;
        let note = pb::AddNoteRequest {
            name: case.name,
            text: "示例".to_owned(),
            request_id: uuid::Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let written = a.cases().add_note(note).await.map_err(|refused| reason(&refused));
        let held = Err((Code::FailedPrecondition, "RESTS_ON_SUSPENDED".to_owned()));
        let free = title == "前" || title == "本市";
        assert_eq!(written.map(|_| ()), if free { Ok(()) } else { held }, "{title}");
    }

    // People are told how many, and which.
    let said = told(&nodes, &["doctor"]).await;
    let found = said["findings"].as_array().unwrap().iter().find(|one| one["area"] == "cases");
    let found = found.unwrap_or_else(|| panic!("{said:#}"));
    assert_eq!(found["level"], "yellow", "{found}");
    assert!(found["what"].as_str().unwrap().contains('3'), "{found}");
    let listed = told(&nodes, &["case", "list", "--rests-on-suspended", "--all"]).await;
    assert_eq!(listed["cases"].as_array().map(Vec::len), Some(3), "{listed:#}");

    admin.nodes().resume_city(go_on(C)).await.unwrap();
    until("nothing is held any more", || async {
        let a = nodes.fleet.connect(A, Role::Coordinator, liandong::lang::Lang::En).await.ok()?;
        let all = titles(&a, &agreement).await?;
        let list = a.cases().list_cases(base.clone()).await.ok()?.into_inner();
        (all.len() == 6 && list.total_size == 0).then_some(())
    })
    .await;
}
