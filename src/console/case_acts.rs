//! What the forms of a case end in: one call of the API each.
//!
//! In scope: from fields to a request, and the page again when it is refused. Out of scope: whether
//! it may be done, which the service decides.

use axum::extract::Path;
use axum::response::Response;
use tonic::Status;

use super::case::{self, Again};
use super::form::Form;
use super::layout::{self, Desk};
use super::parts;
use super::refusal::Refusal;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Why a form did not become a write.
pub enum No {
    /// The console could not read a field.
    Field(Refusal),
    /// The service refused.
    Said(Status),
}

impl No {
    /// As the page shows it.
    #[must_use]
    pub fn refusal(self, lang: Lang) -> Refusal {
        match self {
            Self::Field(refusal) => refusal,
            Self::Said(status) => Refusal::of(&status, lang),
        }
    }
}

impl From<Status> for No {
    fn from(status: Status) -> Self {
        Self::Said(status)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Field(refusal)
    }
}

/// Does what a form asks for, and shows the case afterwards.
pub async fn act(
    desk: Desk,
    Path((agreement, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let name = parts::name_of("cases", &Path((agreement, id)));
    let refusal = match ask(&desk, &name, &act, &form).await {
        Ok(()) => return layout::to(&format!("{}?done=1", parts::page_of("case", &name))),
        Err(no) => no.refusal(desk.lang()),
    };
    let again = Again { act: &act, form: &form, refusal: &refusal };
    match case::page(&desk, &name, &Form::default(), Some(&again)).await {
        Ok(page) => refused(page),
        Err(status) => desk.no(&status),
    }
}

/// The page again: nothing was done.
pub fn refused(mut page: Response) -> Response {
    *page.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
    page
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
        "acknowledge" => {
            let request = pb::AcknowledgeTransferRequest {
                name: name.to_owned(),
                text: form.text("text").to_owned(),
                request_id: form.text("request_id").to_owned(),
                acting_for: None,
            };
            cases.acknowledge_transfer(request).await?;
        }
        "note" => {
            let request = pb::AddNoteRequest {
                name: name.to_owned(),
                text: form.text("text").to_owned(),
                request_id: form.text("request_id").to_owned(),
                ..Default::default()
            };
            cases.add_note(request).await?;
        }
        _ => return Err(desk.refuse("NOT_FOUND").into()),
    }
    Ok(())
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
