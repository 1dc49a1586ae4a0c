//! `liandong case move CASE STEP`: the sixteen plain moves, by their Chinese or English names.

use clap::Args;
use tonic::{Response, Status};

use super::Session;
use super::write::{Done, MoveArgs, Prepared, move_request, send};
use crate::cli::connect::Client;
use crate::cli::failure::Failure;
use crate::cli::words;
use crate::lang::Lang;
use crate::wire::pb::v1::CaseStep;

/// Arguments.
#[derive(Args, Debug)]
pub struct StepArgs {
    /// The case and what every move has.
    #[command(flatten)]
    pub movement: MoveArgs,
    /// 办理步骤，如 立案 或 file · the step, such as file
    #[arg(value_name = "STEP")]
    pub step: String,
}

/// Makes the move.
///
/// # Errors
/// [`Failure`] when the step is unknown or the node refuses.
pub async fn run(session: &Session, args: StepArgs) -> Result<(), Failure> {
    let step =
        words::parse_step(&args.step).ok_or_else(|| unknown(&args.step, session.context.lang))?;
    let prepared = Prepared::movement(session, args.movement).await?;
    send(session, &prepared, ask(&session.client, step, &prepared)).await
}

fn unknown(given: &str, lang: Lang) -> Failure {
    let all: Vec<_> = words::steps()
        .into_iter()
        .map(|one| {
            let (zh, en) = words::step(one);
            lang.pick(format!("{zh} ({en})"), en.to_owned())
        })
        .collect();
    Failure::usage(lang.pick(format!("没有“{given}”这一步"), format!("no step {given:?}")))
        .advise(lang.pick("可用：", "use one of: ").to_owned() + &all.join(lang.pick("、", ", ")))
}

macro_rules! calls {
    ($cases:expr, $step:expr, $p:expr; $($variant:ident: $method:ident $request:ident,)*) => {{
        let mut cases = $cases;
        match $step {
            CaseStep::Unspecified => Err(Status::invalid_argument("no step was chosen")),
            $(CaseStep::$variant => {
                let request = move_request!($request, $p);
                cases.$method(request).await.map(Done::of)
            })*
        }
    }};
}

/// Asks the node to make a plain move.
///
/// # Errors
/// The node's refusal, or that no answer came.
pub async fn ask(
    client: &Client,
    step: CaseStep,
    prepared: &Prepared,
) -> Result<Response<Done>, Status> {
    calls! { client.cases(), step, prepared;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_lists_the_known_ones() {
        let text = unknown("受理", Lang::Zh).text(Lang::Zh);
        assert!(text.contains("立案 (file)") && text.contains("归档 (archive)"), "{text}");
    }
}
