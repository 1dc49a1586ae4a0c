//! Nothing leaks: a city that has not signed an agreement gets, for everything in it, the answer it
//! gets for what does not exist.

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Response, Status};
use tonic_types::StatusExt;

use super::api::{HERE, THERE, create, fresh, note, ready, sample};
use super::nodes::{Nodes, plan};

const THIRD: u32 = 371_400;

/// An agreement, a case, an entry and numbers, real or invented.
struct Names {
    agreement: String,
    case: String,
    entry: String,
    number: String,
    cursor: String,
}

/// An answer without what the question itself said.
fn shown<T: std::fmt::Debug>(answer: Result<Response<T>, Status>, names: &Names) -> String {
    let text = match answer {
        Ok(answer) => format!("{:?}", answer.into_inner()),
        Err(status) => {
            let details = status.get_error_details();
            let reason = details.error_info().map(|info| (&info.reason, &info.metadata));
            let said = details.localized_message().map(|said| &said.message);
            format!("{:?} {} {reason:?} {said:?}", status.code(), status.message())
        }
    };
    for name in [&names.agreement, &names.case, &names.entry, &names.number] {
        assert!(!text.contains(name.as_str()), "{text}");
    }
    text
}

/// Every way to read, and some to write.
async fn ask(client: &Client, admin: &Client, names: &Names) -> Vec<String> {
    let list = |parent: &str| pb::ListCasesRequest { parent: parent.into(), ..Default::default() };
    let numbered = pb::ListCasesRequest { number: names.number.clone(), ..list("agreements/-") };
    let external =
        pb::ListCasesRequest { external_number: names.number.clone(), ..list("agreements/-") };
    let name = names.case.clone();
    let history = pb::GetCaseHistoryRequest { name: name.clone(), ..Default::default() };
    let watch = |parent: &str, cursor: &str| pb::WatchCasesRequest {
        parent: parent.into(),
        cursor: cursor.into(),
    };
    let agreement = names.agreement.clone();
    let step = pb::FileCaseRequest {
        name: name.clone(),
        etag: names.entry.clone(),
        request_id: fresh(),
        ..Default::default()
    };
    let update = pb::UpdateCaseRequest {
        name: name.clone(),
        etag: names.entry.clone(),
        request_id: fresh(),
        ..Default::default()
    };
    let add = pb::AddNoteRequest {
        name: name.clone(),
        text: "试探".into(),
        request_id: fresh(),
        ..Default::default()
    };
    let grant = pb::GrantPartRequest {
        name: name.clone(),
        entry: names.entry.clone(),
        to_city: THIRD,
        request_id: fresh(),
        ..Default::default()
    };
    let go_on = pb::OverrideRecoveryRequest {
        agreement: agreement.clone(),
        cities: vec![THERE],
        text: "试探".into(),
        request_id: fresh(),
    };
    let opening = sample(&agreement, 3);
    let (mut cases, mut nodes) = (client.cases(), client.nodes());
    let mut agreements = client.agreements();
    vec![
        shown(cases.get_case(pb::GetCaseRequest { name: name.clone() }).await, names),
        shown(cases.list_cases(list(&agreement)).await, names),
        shown(cases.list_cases(numbered).await.map(count), names),
        shown(cases.list_cases(external).await.map(count), names),
        shown(cases.get_case_history(history).await, names),
        shown(cases.watch_cases(watch(&agreement, "")).await.map(|_| Response::new(())), names),
        shown(
            cases
                .watch_cases(watch("agreements/-", &names.cursor))
                .await
                .map(|_| Response::new(())),
            names,
        ),
        shown(
            agreements.get_agreement(pb::GetAgreementRequest { name: agreement.clone() }).await,
            names,
        ),
        shown(
            agreements
                .verify_agreement(pb::VerifyAgreementRequest { name: agreement.clone() })
                .await,
            names,
        ),
        shown(nodes.list_logs(pb::ListLogsRequest { parent: agreement.clone() }).await, names),
        shown(
            nodes.get_fold_hash(pb::GetFoldHashRequest { agreement: agreement.clone() }).await,
            names,
        ),
        shown(cases.create_case(opening).await, names),
        shown(cases.file_case(step).await, names),
        shown(cases.update_case(update).await, names),
        shown(cases.add_note(add).await, names),
        shown(cases.grant_part(grant).await, names),
        shown(admin.nodes().override_recovery(go_on).await, names),
    ]
}

/// How many were found; the cursor of the answer moves on its own.
fn count(answer: Response<pb::ListCasesResponse>) -> Response<(usize, u32)> {
    let answer = answer.into_inner();
    Response::new((answer.cases.len(), answer.total_size))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_yours_does_not_exist() {
    let cities = [HERE, THERE, THIRD];
    let signed: [(&str, &[u32]); 2] = [("聊邯", &[HERE, THERE]), ("聊德", &[HERE, THIRD])];
    let nodes = Nodes::start_all(&plan(&cities, &signed));
    let (here, third) = (nodes.client(HERE).await, nodes.client(THIRD).await);
    let admin = nodes.client_as(THIRD, Role::Admin).await;
    let [secret, shared] = [nodes.fleet.agreements[0].name(), nodes.fleet.agreements[1].name()];
    ready(&here, &secret).await;
    ready(&third, &shared).await;
    let mut opening = sample(&secret, 3);
    opening.record.as_mut().unwrap().title = "不可外传的标题".to_owned();
    opening.external_ref =
        Some(pb::ExternalRef { system: "执法系统".into(), number: "LD-外部-7".into() });
    let case = create(&here, opening).await.unwrap();
    let noted = note(&here, &case.name, "不可外传的说明").await.unwrap();
    let list = pb::ListCasesRequest { parent: secret.clone(), ..Default::default() };
    let cursor = here.cases().list_cases(list).await.unwrap().into_inner().cursor;
    let absent = "12345678".repeat(4);
    let real = Names {
        agreement: secret.clone(),
        case: case.name.clone(),
        entry: noted.entry.clone(),
        number: case.number.clone(),
        cursor,
    };
    let invented = Names {
        agreement: format!("agreements/{absent}"),
        case: format!("agreements/{absent}/cases/{absent}"),
        entry: format!("{absent}{absent}:1"),
        number: "LD-无此-2026-聊0009".to_owned(),
        cursor: format!("{absent}:3"),
    };
    let got = ask(&third, &admin, &real).await;
    let want = ask(&third, &admin, &invented).await;
    assert_eq!(got, want);
    let not_found = got.iter().filter(|answer| answer.starts_with("NotFound")).count();
    assert!(not_found >= 12, "{got:#?}");
    // What the node shows of itself counts nothing across agreements.
    let status = third.nodes().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    let logs = status.status.clone().unwrap().logs;
    assert!(!logs.is_empty() && logs.iter().all(|log| log.agreement == shared), "{logs:?}");
    let text = format!(
        "{status:?}{:?}",
        third
            .nodes()
            .list_logs(pb::ListLogsRequest { parent: "agreements/-".into() })
            .await
            .unwrap()
            .into_inner()
    );
    assert!(!text.contains(secret.strip_prefix("agreements/").unwrap()));
}
