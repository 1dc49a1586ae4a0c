//! Writes: request ids, etags, who acts for whom, receipts.

use std::collections::BTreeSet;

use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::api::{
    HERE, Pair, THERE, create, fact, fresh, get, history, list_all, note, refused, sample, verify,
};
use super::nodes::until;

const OFFICER: &str = "37150099001";

#[tokio::test(flavor = "multi_thread")]
async fn one_request_id_writes_one_entry() {
    let mut pair = Pair::start().await;
    let opening = sample(&pair.agreement, 0);
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (client, opening) = (pair.here.clone(), opening.clone());
            tokio::spawn(async move { client.cases().create_case(opening).await })
        })
        .collect();
    let mut receipts = Vec::new();
    for call in calls {
        receipts.push(call.await.unwrap().unwrap().into_inner().receipt.unwrap());
    }
    let entries: BTreeSet<&str> = receipts.iter().map(|r| r.entry.as_str()).collect();
    assert_eq!(entries.len(), 1, "one entry, which all are told");
    assert_eq!(receipts.iter().filter(|r| !r.replayed).count(), 1);
    let first = receipts[0].entry.clone();
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 1);
    let other = pb::CreateCaseRequest {
        effective_on: Some(pb::Date { year: 2026, month: 11, day: 1 }),
        ..opening.clone()
    };
    let mismatch = |answer: Result<pb::Case, Status>| {
        let status = answer.unwrap_err();
        assert_eq!(fact(&status, "first_entry"), first);
        refused::<()>(Err(status))
    };
    let want = (Code::AlreadyExists, "IDEMPOTENCY_MISMATCH".to_owned());
    assert_eq!(mismatch(create(&pair.here, other.clone()).await), want);
    // Another caller may use the same id.
    let system = pair.nodes.client_as(HERE, Role::System).await;
    create(&system, opening.clone()).await.unwrap();
    // Different requests at the same time with one id: one is written.
    different_at_once(&pair).await;
    pair.nodes.kill(HERE);
    pair.nodes.start(HERE);
    let again = pair.nodes.client(HERE).await;
    let replayed = again.cases().create_case(opening).await.unwrap().into_inner().receipt.unwrap();
    assert_eq!((replayed.entry.as_str(), replayed.replayed), (first.as_str(), true));
    assert_eq!(mismatch(create(&again, other).await), want);
}

async fn different_at_once(pair: &Pair) {
    let id = fresh();
    let calls: Vec<_> = (0..8)
        .map(|nth| {
            let client = pair.here.clone();
            let opening =
                pb::CreateCaseRequest { request_id: id.clone(), ..sample(&pair.agreement, nth) };
            tokio::spawn(async move { create(&client, opening).await })
        })
        .collect();
    let mut written = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => written += 1,
            Err(status) => {
                let reason = refused::<()>(Err(status));
                assert_eq!(reason, (Code::AlreadyExists, "IDEMPOTENCY_MISMATCH".into()));
            }
        }
    }
    assert_eq!(written, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_need_the_state_they_rest_on() {
    let pair = Pair::start().await;
    let case = pair.open(&pair.here, 3).await;
    let step = |etag: &str| pb::FileCaseRequest {
        name: case.name.clone(),
        etag: etag.to_owned(),
        request_id: fresh(),
        ..Default::default()
    };
    let file = |etag: String| {
        let (client, request) = (pair.here.clone(), step(&etag));
        async move { client.cases().file_case(request).await }
    };
    assert_eq!(refused(file(String::new()).await).1, "ETAG_REQUIRED");
    assert_eq!(refused(file("x:1".into()).await).1, "POSITION_FORMAT");
    let status = file(case.etag.clone()).await.unwrap_err();
    let said = status.get_details_localized_message().unwrap().message;
    assert!(said.contains("start"), "what could be done instead is named: {said}");
    let illegal = (Code::FailedPrecondition, "MOVE_NOT_ALLOWED".to_owned());
    assert_eq!(refused::<()>(Err(status)), illegal);
    let moved = verify(&pair.here, &case).await.unwrap();
    let stale = verify(&pair.here, &case).await.unwrap_err();
    assert_eq!(fact(&stale, "current"), moved.etag);
    assert_eq!(refused::<()>(Err(stale)), (Code::Aborted, "STALE_ETAG".into()));
    // The other city has not the turn, and is told by name who has.
    let there = pair.held(&pair.there, &moved).await;
    let theirs = verify(&pair.there, &there).await.unwrap_err();
    let said = theirs.get_details_localized_message().unwrap().message;
    assert!(said.contains("聊城市"), "{said}");
    assert_eq!(refused::<()>(Err(theirs)), (Code::PermissionDenied, "NOT_YOUR_TURN".into()));
    // Changing the record quotes the etag too.
    let mut record = moved.record.clone().unwrap();
    record.title = "更正后的标题".to_owned();
    let update = |etag: &str| pb::UpdateCaseRequest {
        name: case.name.clone(),
        etag: etag.to_owned(),
        record: Some(record.clone()),
        request_id: fresh(),
        ..Default::default()
    };
    let old = pair.here.cases().update_case(update(&case.etag)).await;
    assert_eq!(refused(old).1, "STALE_ETAG");
    let new = pair.here.cases().update_case(update(&moved.etag)).await.unwrap().into_inner();
    let new = new.case.unwrap();
    assert_eq!(new.record.as_ref().unwrap().title, "更正后的标题");
    assert_eq!(pair.held(&pair.there, &new).await.record, new.record);
}

#[tokio::test(flavor = "multi_thread")]
async fn systems_name_the_officer_and_histories_show_who_holds_what() {
    let pair = Pair::start().await;
    let system = pair.nodes.client_as(HERE, Role::System).await;
    let case = pair.open(&system, 1).await;
    let ask = |officer: Option<&str>| pb::StartVerificationRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        request_id: fresh(),
        acting_for: officer.map(|o| pb::ActingFor { certificate_number: o.to_owned() }),
        ..Default::default()
    };
    let asked = system.cases().start_verification(ask(None)).await;
    assert_eq!(refused(asked), (Code::InvalidArgument, "ACTING_FOR_REQUIRED".into()));
    let asked = system.cases().start_verification(ask(Some("一号"))).await;
    assert_eq!(refused(asked), (Code::InvalidArgument, "CERT_NO".into()));
    let asked = pair.here.cases().start_verification(ask(Some(OFFICER))).await;
    assert_eq!(refused(asked), (Code::InvalidArgument, "ACTING_FOR_NOT_ALLOWED".into()));
    system.cases().start_verification(ask(Some(OFFICER))).await.unwrap();
    note(&pair.here, &case.name, "已联系当地").await.unwrap();
    let held = until("the other city holds every entry", || async {
        let entries = history(&pair.here, &case.name).await;
        let held = |entry: &pb::HistoryEntry| {
            entry.holdings.iter().any(|held| held.city == THERE && held.hold_time.is_some())
        };
        entries.iter().all(held).then_some(entries)
    })
    .await;
    assert!(held.iter().all(|e| e.holdings.iter().all(|held| held.city == THERE)));
    for client in [&pair.here, &pair.there] {
        let entries = until("the history is here", || async {
            get(client, &case.name).await.ok()?;
            let entries = history(client, &case.name).await;
            (entries.len() == 3).then_some(entries)
        })
        .await;
        assert_eq!(entries[0].acting_for, "");
        assert!(!entries[1].acting_for.is_empty() && entries[1].acting_for != entries[1].actor);
        assert_eq!(entries[2].texts, ["已联系当地"]);
        let effects: Vec<_> = entries.iter().map(pb::HistoryEntry::effect).collect();
        use pb::EntryEffect::{Contribution, Move};
        assert_eq!(effects, [Move, Move, Contribution]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_take_no_effect_is_refused() {
    let pair = Pair::start().await;
    let case = pair.open(&pair.here, 2).await;
    let there = pair.held(&pair.there, &case).await;
    let noted = note(&pair.there, &there.name, "请核实").await.unwrap();
    let name = case.name.clone();
    let propose = pb::ProposeAmendmentRequest {
        name: name.clone(),
        text: "建议更正地址".into(),
        request_id: fresh(),
        ..Default::default()
    };
    let proposal = pair
        .there
        .cases()
        .propose_amendment(propose)
        .await
        .unwrap()
        .into_inner()
        .receipt
        .unwrap()
        .entry;
    until("the proposal is here", || async {
        let entries = history(&pair.here, &name).await;
        entries.iter().any(|entry| entry.entry == proposal).then_some(())
    })
    .await;
    let refuse = |proposal: &str, text: &str| pb::RefuseProposalRequest {
        name: name.clone(),
        etag: case.etag.clone(),
        proposal: proposal.to_owned(),
        text: text.to_owned(),
        request_id: fresh(),
        ..Default::default()
    };
    let wrong = pair.here.cases().refuse_proposal(refuse(&noted.entry, "不")).await;
    assert_eq!(refused(wrong), (Code::InvalidArgument, "NO_SUCH_PROPOSAL".into()));
    let silent = pair.here.cases().refuse_proposal(refuse(&proposal, " ")).await;
    assert_eq!(refused(silent).1, "REQUIRED");
    pair.here.cases().refuse_proposal(refuse(&proposal, "地址无误")).await.unwrap();
    let answer = pb::AnswerAssistanceRequest {
        name: name.clone(),
        request: noted.entry.clone(),
        text: "好".into(),
        request_id: fresh(),
        ..Default::default()
    };
    let wrong = pair.there.cases().answer_assistance(answer).await;
    assert_eq!(refused(wrong), (Code::InvalidArgument, "NO_SUCH_REQUEST".into()));
    let grant = pb::GrantPartRequest {
        name: name.clone(),
        entry: noted.entry,
        to_city: THERE,
        request_id: fresh(),
        ..Default::default()
    };
    let wrong = pair.here.cases().grant_part(grant).await;
    assert_eq!(refused(wrong), (Code::InvalidArgument, "PART_NOT_GRANTABLE".into()));
    let link = pb::LinkContinuationRequest {
        name: name.clone(),
        other_case: name.clone(),
        request_id: fresh(),
        ..Default::default()
    };
    let wrong = pair.here.cases().link_continuation(link).await;
    assert_eq!(refused(wrong), (Code::InvalidArgument, "SAME_AGREEMENT".into()));
    assert!(history(&pair.here, &name).await.iter().all(|e| e.misfit_reason.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_checked_is_not_written() {
    let pair = Pair::start().await;
    let opening = sample(&pair.agreement, 0);
    let checked = pb::CreateCaseRequest { validate_only: true, ..opening.clone() };
    let check = async |request: pb::CreateCaseRequest| {
        let answer = pair.here.cases().create_case(request).await?;
        let answer = answer.into_inner();
        Ok::<_, Status>((answer.case, answer.receipt))
    };
    for _ in 0..2 {
        assert_eq!(check(checked.clone()).await.unwrap(), (None, None));
    }
    assert!(list_all(&pair.here, &pair.agreement).await.is_empty());
    // It is refused for what the write would be refused for.
    let mut far = checked.clone();
    let record = far.record.as_mut().unwrap();
    record.belt_reason.clear();
    let at = record.location.as_mut().unwrap();
    (at.longitude, at.latitude) = ("116.9".to_owned(), "36.6".to_owned());
    assert_eq!(refused(check(far).await).1, "OUTSIDE_BELT");
    let ahead = pb::Date { year: 2199, month: 1, day: 1 };
    let ahead = pb::CreateCaseRequest { effective_on: Some(ahead), ..checked.clone() };
    assert_eq!(refused(check(ahead).await).1, "EFFECTIVE_IN_FUTURE");
    // The request id is free still; once it is used, it is answered as the write would be.
    let (case, receipt) = check(opening.clone()).await.unwrap();
    let case = case.unwrap();
    assert!(!receipt.unwrap().replayed && case.number.ends_with("0001"), "no number was used up");
    let (again, receipt) = check(checked.clone()).await.unwrap();
    assert_eq!((again.unwrap().name, receipt.unwrap().replayed), (case.name.clone(), true));
    let other = pb::CreateCaseRequest { effective_on: None, ..checked };
    assert_eq!(refused(check(other).await).1, "IDEMPOTENCY_MISMATCH");
    assert_eq!(list_all(&pair.here, &pair.agreement).await.len(), 1);
}
