//! What every write has in common: request id, etag, legal date, officer; sending and reporting.
//!
//! In scope: the common arguments, one way to send, what is printed afterwards.
//! Out of scope: which call it is.
//!
//! A write is sent once. If its answer is lost, request id and etag are printed: asking again with
//! both cannot do it twice.

use std::future::Future;

use serde_json::json;
use tonic::{Response, Status};

use super::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::{json as shape, status_text, table, when, words};
use crate::wire::pb::v1 as pb;

/// Arguments of every write.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct WriteArgs {
    /// 重试时沿用的请求编号 · request id of an earlier try
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// 系统代办时的执法证号 · officer a system acts for
    #[arg(long, value_name = "CERTIFICATE")]
    pub acting_for: Option<String>,
}

impl WriteArgs {
    /// The id given, or a fresh one.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.request_id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string())
    }

    /// The officer given.
    #[must_use]
    pub fn acting_for(&self) -> Option<pb::ActingFor> {
        let certificate_number = self.acting_for.clone()?;
        Some(pb::ActingFor { certificate_number })
    }
}

/// Arguments of a move.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct MoveArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
    /// 所依据的案件版本（默认现取） · etag the move rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// 法律日期，默认今天 · legal date, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
    /// 理由或说明 · reason or note
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of an addition that moves nothing.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct AddArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
    /// 说明 · what is said
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// A write whose common fields are filled in.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Resource name of the case; empty when it is opened.
    pub name: String,
    /// Etag; empty on additions.
    pub etag: String,
    /// Legal date.
    pub effective_on: Option<pb::Date>,
    /// Reason or note.
    pub text: String,
    /// Request id.
    pub request_id: String,
    /// Officer.
    pub acting_for: Option<pb::ActingFor>,
}

impl Prepared {
    /// Finds the case and fills in a move.
    ///
    /// # Errors
    /// [`Failure`] when the case is not found.
    pub async fn movement(session: &Session, args: MoveArgs) -> Result<Self, Failure> {
        // With both given nothing is looked up, so that a retry sends exactly the same bytes.
        let (name, etag) = match (args.case.starts_with("agreements/"), args.etag) {
            (true, Some(etag)) => (args.case, etag),
            (_, etag) => {
                let case = name::case(session, &args.case).await?;
                (case.name, etag.unwrap_or(case.etag))
            }
        };
        Ok(Self {
            name,
            etag,
            effective_on: args.on,
            text: args.text,
            request_id: args.write.request_id(),
            acting_for: args.write.acting_for(),
        })
    }

    /// Finds the case and fills in an addition.
    ///
    /// # Errors
    /// [`Failure`] when the case is not found.
    pub async fn addition(session: &Session, args: AddArgs) -> Result<Self, Failure> {
        let name = if args.case.starts_with("agreements/") {
            args.case
        } else {
            name::case(session, &args.case).await?.name
        };
        Ok(Self { text: args.text, ..Self::opening(name, &args.write) })
    }

    /// Fills in what an opening needs.
    #[must_use]
    pub fn opening(name: String, write: &WriteArgs) -> Self {
        Self {
            name,
            etag: String::new(),
            effective_on: None,
            text: String::new(),
            request_id: write.request_id(),
            acting_for: write.acting_for(),
        }
    }

    /// The flags that make a retry safe.
    #[must_use]
    pub fn retry_flags(&self) -> String {
        let etag =
            if self.etag.is_empty() { String::new() } else { format!(" --etag {}", self.etag) };
        format!("--request-id {}{etag}", self.request_id)
    }
}

/// Fills a request of a move from a [`Prepared`] and further fields.
macro_rules! move_request {
    ($kind:ident, $prepared:expr $(, $field:ident: $value:expr)* $(,)?) => {{
        let prepared = &$prepared;
        $crate::wire::pb::v1::$kind {
            name: prepared.name.clone(),
            etag: prepared.etag.clone(),
            effective_on: prepared.effective_on,
            text: prepared.text.clone(),
            request_id: prepared.request_id.clone(),
            acting_for: prepared.acting_for.clone(),
            $($field: $value,)*
        }
    }};
}
pub(crate) use move_request;

/// Fills a request of an addition from a [`Prepared`] and further fields.
macro_rules! add_request {
    ($kind:ident, $prepared:expr $(, $field:ident: $value:expr)* $(,)?) => {{
        let prepared = &$prepared;
        $crate::wire::pb::v1::$kind {
            name: prepared.name.clone(),
            text: prepared.text.clone(),
            request_id: prepared.request_id.clone(),
            acting_for: prepared.acting_for.clone(),
            $($field: $value,)*
        }
    }};
}
pub(crate) use add_request;

/// An answer to a write: the case afterwards and where the write stands.
pub trait Written {
    /// Both, taken apart.
    fn into_parts(self) -> (Option<pb::Case>, Option<pb::WriteReceipt>);
}

macro_rules! written {
    ($($kind:ident)*) => {$(
        impl Written for pb::$kind {
            fn into_parts(self) -> (Option<pb::Case>, Option<pb::WriteReceipt>) {
                (self.case, self.receipt)
            }
        }
    )*};
}

written! {
    CreateCaseResponse UpdateCaseResponse StartVerificationResponse DismissClueResponse
    FileCaseResponse StartInvestigationResponse ServeNoticeResponse OpenHearingResponse
    DecideCaseResponse DecideNoPenaltyResponse WithdrawCaseResponse RevokeDecisionResponse
    StartEnforcementResponse RequestCourtEnforcementResponse CloseCaseResponse ArchiveCaseResponse
    TransferToPoliceResponse ReturnFromPoliceResponse OfferTransferResponse AcceptTransferResponse
    ReturnTransferResponse DisputeTransferResponse DesignateJurisdictionResponse
    AdoptProposalResponse RefuseProposalResponse AcknowledgeTransferResponse RequestRecallResponse
    AddNoteResponse ProposeAmendmentResponse RecordPartsReceivedResponse RecordMilestoneResponse
    ReferCaseResponse RecordPoliceAnswerResponse RecordProcuratorateCopyResponse
    RecordProcuratorateOpinionResponse TagCampaignResponse GrantPartResponse
    WithdrawMilestoneResponse
}

/// What a write leaves behind, whichever call it was.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// The case afterwards.
    pub case: pb::Case,
    /// Where the write stands.
    pub receipt: pb::WriteReceipt,
}

impl Done {
    /// Out of the answer of any write.
    #[must_use]
    pub fn of<R: Written>(answer: Response<R>) -> Response<Self> {
        answer.map(|answer| {
            let (case, receipt) = answer.into_parts();
            Self { case: case.unwrap_or_default(), receipt: receipt.unwrap_or_default() }
        })
    }
}

impl Written for Done {
    fn into_parts(self) -> (Option<pb::Case>, Option<pb::WriteReceipt>) {
        (Some(self.case), Some(self.receipt))
    }
}

/// Sends a write and prints where the case stands afterwards.
///
/// # Errors
/// [`Failure`]; when the answer was lost it names the flags for a safe retry.
pub async fn send<R: Written>(
    session: &Session,
    prepared: &Prepared,
    call: impl Future<Output = Result<Response<R>, Status>>,
) -> Result<(), Failure> {
    let lang = session.context.lang;
    let answer = call.await.map_err(|status| {
        let dial = session.client.last_dial();
        status_text::write_failure(&status, dial.as_ref(), &prepared.retry_flags(), lang)
    })?;
    let (case, receipt) = answer.into_inner().into_parts();
    let (case, receipt) = (case.unwrap_or_default(), receipt.unwrap_or_default());
    if session.context.json {
        session.context.print_json(&json!({
            "case": shape::case(&case),
            "receipt": shape::receipt(&receipt),
            "request_id": prepared.request_id,
        }));
        return Ok(());
    }
    let done = if receipt.replayed {
        lang.pick("先前已办理", "had been done before")
    } else {
        lang.pick("已办理", "done")
    };
    let mut sheet = table::Sheet::default();
    sheet
        .row(lang.pick("结果", "result"), done)
        .row(lang.pick("编号", "number"), case.number.clone())
        .row(lang.pick("状态", "state"), words::state(case.state(), lang))
        .row(lang.pick("办理权", "turn"), session.names.turn(case.turn_city))
        .row(lang.pick("承办市", "handled by"), session.names.city(case.handling_city))
        .row(lang.pick("全名", "name"), case.name.clone());
    print!("{}", sheet.text());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_repeats_request_id_and_etag() {
        let write = WriteArgs { request_id: Some("r1".to_owned()), acting_for: None };
        let mut prepared = Prepared::opening("agreements/a".to_owned(), &write);
        assert_eq!(prepared.retry_flags(), "--request-id r1");
        prepared.etag = "ab:3".to_owned();
        assert_eq!(prepared.retry_flags(), "--request-id r1 --etag ab:3");
        let fresh = Prepared::opening(String::new(), &WriteArgs::default());
        assert_eq!(uuid::Uuid::parse_str(&fresh.request_id).unwrap().get_version_num(), 7);
    }
}
