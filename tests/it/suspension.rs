//! A city is suspended and resumed on one of three real nodes, over mutual TLS.

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt;

use super::nodes::{Nodes, case_request, plan, standing, until, until_or};

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
