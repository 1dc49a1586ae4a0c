//! What the forms of a case end in: one call of the API each.
//!
//! In scope: from fields to a request, and the page again when it is refused. Out of scope: whether
//! it may be done, which the service decides.

use axum::extract::Path;
use axum::response::Response;

use super::case::{self, Again};
use super::case_referral;
use super::ending::{No, end};
use super::form::Form;
use super::layout::Desk;
use super::parts;
use super::refusal::Refusal;
use crate::wire::pb::v1 as pb;

/// Does what a form asks for, and shows the case afterwards.
pub async fn act(
    desk: Desk,
    Path((agreement, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let name = parts::name_of("cases", &Path((agreement, id)));
    let done = ask(&desk, &name, &act, &form).await.map(|()| parts::page_of("case", &name));
    // An entry and its part are one choice.
    let done = done.map_err(|no| no.placed(&[("part", "entry")], desk.lang()));
    let again = async |refusal: &Refusal| {
        let again = Again { act: &act, form: &form, refusal };
        case::page(&desk, &name, &Form::default(), Some(&again)).await
    };
    end(&desk, done, again).await
}

/// A request of a move from the fields that all moves have, and more.
macro_rules! moved {
    ($kind:ident, $name:expr, $form:expr, $on:expr $(, $field:ident: $value:expr)* $(,)?) => {
        pb::$kind {
            name: $name.to_owned(),
            etag: $form.text("etag").to_owned(),
            effective_on: $on,
            text: $form.text("text").to_owned(),
            request_id: $form.text("request_id").to_owned(),
            acting_for: None,
            $($field: $value,)*
        }
    };
}

async fn ask(desk: &Desk, name: &str, act: &str, form: &Form) -> Result<(), No> {
    let on = form.date("effective_on", desk.lang())?;
    let mut cases = desk.client.cases();
    match act {
        "step" => step(desk, name, form, on).await?,
        "offer" => {
            let request =
                moved!(OfferTransferRequest, name, form, on, to_city: form.city("to_city"));
            cases.offer_transfer(request).await?;
        }
        "accept" => {
            cases.accept_transfer(moved!(AcceptTransferRequest, name, form, on)).await?;
        }
        "return" => {
            cases.return_transfer(moved!(ReturnTransferRequest, name, form, on)).await?;
        }
        "dispute" => {
            cases.dispute_transfer(moved!(DisputeTransferRequest, name, form, on)).await?;
        }
        "designate" => {
            let request = moved!(DesignateJurisdictionRequest, name, form, on,
                city: form.city("city"),
                authority: form.text("authority").parse().unwrap_or(0),
                designated_on: Some(form.day("designated_on", desk.lang())?),
                document_number: form.text("document_number").to_owned());
            cases.designate_jurisdiction(request).await?;
        }
        "adopt" => {
            let request = moved!(AdoptProposalRequest, name, form, on,
                proposal: form.text("proposal").to_owned(), facts: None, record: None);
            cases.adopt_proposal(request).await?;
        }
        "refuse" => {
            let request = moved!(RefuseProposalRequest, name, form, on,
                proposal: form.text("proposal").to_owned());
            cases.refuse_proposal(request).await?;
        }
        _ => add(desk, name, act, form, on).await?,
    }
    Ok(())
}

/// A request of an addition from the fields that all additions have, and more.
macro_rules! added {
    ($kind:ident, $name:expr, $form:expr $(, $field:ident: $value:expr)* $(,)?) => {
        pb::$kind {
            name: $name.to_owned(),
            text: $form.text("text").to_owned(),
            request_id: $form.text("request_id").to_owned(),
            acting_for: None,
            $($field: $value,)*
        }
    };
}

/// The cities that are ticked; what is no city is refused, and never read as nobody, which is
/// everybody.
fn chosen(form: &Form) -> Vec<u32> {
    form.all("cities").map(|one| one.parse().unwrap_or(0)).collect()
}

/// What is added beside the moves.
async fn add(
    desk: &Desk,
    name: &str,
    act: &str,
    form: &Form,
    on: Option<pb::Date>,
) -> Result<(), No> {
    let mut cases = desk.client.cases();
    match act {
        "acknowledge" => {
            cases.acknowledge_transfer(added!(AcknowledgeTransferRequest, name, form)).await?;
        }
        "recall" => {
            cases.request_recall(added!(RequestRecallRequest, name, form)).await?;
        }
        "note" => {
            cases.add_note(added!(AddNoteRequest, name, form, cities: chosen(form))).await?;
        }
        "ask" => {
            let due_on = form.date("due_on", desk.lang())?;
            let to_city = form.city("to_city");
            let request =
                added!(RequestAssistanceRequest, name, form, to_city: to_city, due_on: due_on);
            cases.request_assistance(request).await?;
        }
        "answer" => {
            let request = form.text("request").to_owned();
            let request = added!(AnswerAssistanceRequest, name, form, request: request);
            cases.answer_assistance(request).await?;
        }
        "propose" => {
            let request = added!(ProposeAmendmentRequest, name, form, record: None);
            cases.propose_amendment(request).await?;
        }
        "milestone" => {
            let milestone = form.text("milestone").parse().unwrap_or(0);
            let request = added!(RecordMilestoneRequest, name, form,
                milestone: milestone, effective_on: on);
            cases.record_milestone(request).await?;
        }
        "withdraw" => withdraw(desk, name, form).await?,
        "refer" => case_referral::refer(desk, name, form).await?,
        "police-answer" => case_referral::answered(desk, name, form).await?,
        "procuratorate-copy" => case_referral::copied(desk, name, form).await?,
        "grant" => grant(desk, name, form).await?,
        "parts" => {
            cases.record_parts_received(added!(RecordPartsReceivedRequest, name, form)).await?;
        }
        "link" => {
            let other_case = numbered(desk, "agreements/-", form, "other_case").await?;
            let continued_from = form.text("continued_from") == "1";
            let request = added!(LinkContinuationRequest, name, form,
                other_case: other_case, continued_from: continued_from);
            cases.link_continuation(request).await?;
        }
        "assign" => {
            let request = pb::AssignCaseRequest {
                name: name.to_owned(),
                assignee: form.text("assignee").to_owned(),
                remark: form.text("remark").to_owned(),
                etag: form.text("assignment").to_owned(),
                request_id: form.text("request_id").to_owned(),
            };
            cases.assign_case(request).await?;
        }
        _ => return Err(desk.refuse("NOT_FOUND").into()),
    }
    Ok(())
}

/// Takes a milestone back.
async fn withdraw(desk: &Desk, name: &str, form: &Form) -> Result<(), No> {
    let entry = form.text("entry").to_owned();
    let request = added!(WithdrawMilestoneRequest, name, form, entry: entry);
    desk.client.cases().withdraw_milestone(request).await?;
    Ok(())
}

/// Opens a part to one more city.
async fn grant(desk: &Desk, name: &str, form: &Form) -> Result<(), No> {
    // A choice of the form has both; of anything else the service finds no such part.
    let (entry, part) = form.text("entry").rsplit_once('/').unwrap_or_default();
    let part = part.parse().unwrap_or(u32::MAX);
    let request = added!(GrantPartRequest, name, form,
        entry: entry.to_owned(), part: part, to_city: form.city("to_city"));
    desk.client.cases().grant_part(request).await?;
    Ok(())
}

/// The case that has the number which was typed into a field.
pub async fn numbered(desk: &Desk, parent: &str, form: &Form, field: &str) -> Result<String, No> {
    let number = form.text(field).trim();
    let request = pb::ListCasesRequest {
        parent: parent.to_owned(),
        number: number.to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let found = match number {
        "" => Vec::new(),
        _ => desk.client.cases().list_cases(request).await?.into_inner().cases,
    };
    found.into_iter().next().map(|case| case.name).ok_or_else(|| {
        let what = desk.lang().pick("没有这个编号的案件", "no case has this number").to_owned();
        Refusal::field(field, what).into()
    })
}

/// A plain move.
async fn step(desk: &Desk, name: &str, form: &Form, on: Option<pb::Date>) -> Result<(), No> {
    use pb::CaseStep as S;
    let mut cases = desk.client.cases();
    macro_rules! calls {
        ($step:expr; $($variant:ident: $method:ident $request:ident,)*) => {
            match $step {
                S::Unspecified => {
                    let what = desk.lang().pick("请选择下一步", "choose a step").to_owned();
                    return Err(Refusal::field("step", what).into());
                }
                $(S::$variant => {
                    cases.$method(moved!($request, name, form, on)).await?;
                })*
            }
        };
    }
    let number: i32 = form.text("step").parse().unwrap_or(0);
    calls! { S::try_from(number).unwrap_or(S::Unspecified);
        VerificationStarted: start_verification StartVerificationRequest,
        ClueDismissed: dismiss_clue DismissClueRequest,
        Filed: file_case FileCaseRequest,
        InvestigationStarted: start_investigation StartInvestigationRequest,
        NoticeServed: serve_notice ServeNoticeRequest,
        HearingOpened: open_hearing OpenHearingRequest,
        Decided: decide_case DecideCaseRequest,
        NoPenaltyDecided: decide_no_penalty DecideNoPenaltyRequest,
        Withdrawn: withdraw_case WithdrawCaseRequest,
        Revoked: revoke_decision RevokeDecisionRequest,
        EnforcementStarted: start_enforcement StartEnforcementRequest,
        CourtEnforcementRequested: request_court_enforcement RequestCourtEnforcementRequest,
        Closed: close_case CloseCaseRequest,
        Archived: archive_case ArchiveCaseRequest,
        TransferredToPolice: transfer_to_police TransferToPoliceRequest,
        ReturnedByPolice: return_from_police ReturnFromPoliceRequest,
    }
    Ok(())
}
