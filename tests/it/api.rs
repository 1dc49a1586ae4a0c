//! Two cities for the tests of the API, and what these tests have in common.

use std::sync::atomic::{AtomicU64, Ordering};

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::nodes::{Nodes, opening, plan, until};

pub const HERE: u32 = 371_500;
pub const THERE: u32 = 130_400;

/// Two cities with one agreement, ready to be written to.
pub struct Pair {
    pub nodes: Nodes,
    pub here: Client,
    pub there: Client,
    pub agreement: String,
}

impl Pair {
    pub async fn start() -> Self {
        let nodes = Nodes::start_all(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
        let agreement = nodes.fleet.agreements[0].name();
        let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
        ready(&here, &agreement).await;
        ready(&there, &agreement).await;
        Self { nodes, here, there, agreement }
    }

    /// Opens the sample case `nth` at one of the cities.
    pub async fn open(&self, client: &Client, nth: usize) -> pb::Case {
        create(client, sample(&self.agreement, nth)).await.unwrap()
    }

    /// Waits until a city shows this state of a case.
    pub async fn held(&self, client: &Client, case: &pb::Case) -> pb::Case {
        until("the case is in the other city", || async {
            get(client, &case.name).await.ok().filter(|there| there.etag == case.etag)
        })
        .await
    }
}

/// Waits until a node may write in an agreement.
pub async fn ready(client: &Client, agreement: &str) {
    until("the agreement is writable", || async {
        let request = pb::GetAgreementRequest { name: agreement.to_owned() };
        let answer = client.agreements().get_agreement(request).await.ok()?;
        answer.into_inner().agreement.filter(|a| a.writable).map(drop)
    })
    .await;
}

/// A request id that nobody used yet.
pub fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("request-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A sample case that any city may open: far places give a reason.
pub fn sample(agreement: &str, nth: usize) -> pb::CreateCaseRequest {
    let mut request = opening(agreement, nth, &fresh());
    request.record.as_mut().unwrap().belt_reason = "测试用例".to_owned();
    request
}

pub async fn create(client: &Client, request: pb::CreateCaseRequest) -> Result<pb::Case, Status> {
    client.cases().create_case(request).await.map(|answer| answer.into_inner().case.unwrap())
}

pub async fn get(client: &Client, name: &str) -> Result<pb::Case, Status> {
    let request = pb::GetCaseRequest { name: name.to_owned() };
    client.cases().get_case(request).await.map(|answer| answer.into_inner().case.unwrap())
}

pub async fn note(client: &Client, name: &str, text: &str) -> Result<pb::WriteReceipt, Status> {
    let request = pb::AddNoteRequest {
        name: name.to_owned(),
        text: text.to_owned(),
        request_id: fresh(),
        ..pb::AddNoteRequest::default()
    };
    client.cases().add_note(request).await.map(|answer| answer.into_inner().receipt.unwrap())
}

/// Starts verification of a clue.
pub async fn verify(client: &Client, case: &pb::Case) -> Result<pb::Case, Status> {
    let request = pb::StartVerificationRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        request_id: fresh(),
        ..pb::StartVerificationRequest::default()
    };
    let answer = client.cases().start_verification(request).await;
    answer.map(|answer| answer.into_inner().case.unwrap())
}

pub async fn history(client: &Client, name: &str) -> Vec<pb::HistoryEntry> {
    let (mut entries, mut token) = (Vec::new(), String::new());
    loop {
        let request =
            pb::GetCaseHistoryRequest { name: name.to_owned(), page_size: 0, page_token: token };
        let page = client.cases().get_case_history(request).await.unwrap().into_inner();
        entries.extend(page.entries);
        token = page.next_page_token;
        if token.is_empty() {
            return entries;
        }
    }
}

/// All cases an agreement shows, newest first.
pub async fn list_all(client: &Client, parent: &str) -> Vec<pb::Case> {
    let (mut cases, mut token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListCasesRequest {
            parent: parent.to_owned(),
            page_size: 200,
            page_token: token,
            ..pb::ListCasesRequest::default()
        };
        let page = client.cases().list_cases(request).await.unwrap().into_inner();
        cases.extend(page.cases);
        token = page.next_page_token;
        if token.is_empty() {
            return cases;
        }
    }
}

/// A refusal that tells everything it must: its code and reason.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no reason in {status:?}"));
    assert_eq!(info.domain, "liandong");
    let said = details.localized_message().unwrap();
    assert_eq!(said.locale, "en", "{status:?}");
    for text in [said.message.as_str(), status.message()] {
        let holes = text.contains('{') && info.reason != "NAME_FORMAT";
        assert!(!text.is_empty() && !holes, "{status:?}");
    }
    let code = status.code();
    if code == Code::InvalidArgument && info.metadata.contains_key("field") {
        assert!(details.bad_request().is_some(), "{status:?}");
    }
    if code == Code::FailedPrecondition {
        assert!(details.precondition_failure().is_some(), "{status:?}");
    }
    if code == Code::ResourceExhausted && !info.reason.ends_with("_TOO_LARGE") {
        assert!(details.retry_info().is_some(), "{status:?}");
    }
    (status.code(), info.reason.clone())
}

/// A fact that a refusal carries for programs.
pub fn fact(status: &Status, key: &str) -> String {
    let info = status.get_details_error_info().unwrap();
    info.metadata.get(key).unwrap_or_else(|| panic!("no {key} in {info:?}")).clone()
}
