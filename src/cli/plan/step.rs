//! Moves of the initiator: `liandong plan schedule`, `redraw`, `begin`, `summarize`, `cancel`.

use clap::Args;
use tonic::Response;

use super::{Sent, read, send};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::confirm;
use crate::cli::failure::Failure;
use crate::cli::table;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments of a move.
#[derive(Args, Debug)]
pub struct StepArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 所依据的版本（默认现取） · etag it rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of a summary.
#[derive(Args, Debug)]
pub struct SummarizeArgs {
    /// Which plan.
    #[command(flatten)]
    pub step: StepArgs,
    /// 补充说明（总结按结果自动生成） · what the summary made of the results does not say
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
}

/// Arguments of a cancellation.
#[derive(Args, Debug)]
pub struct CancelArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 取消原因 · why
    #[arg(long, short = 'm')]
    pub text: String,
    /// 不再询问 · do not ask
    #[arg(long)]
    pub yes: bool,
    /// 所依据的版本（默认现取） · etag it rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Moves a plan.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: StepArgs, step: pb::PlanStep) -> Result<(), Failure> {
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    perform(session, (plan, step), (String::new(), args.etag), &args.write).await
}

/// Summarises.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn summarize(session: &Session, args: SummarizeArgs) -> Result<(), Failure> {
    let plan = read(session, &args.step.plan).await?.plan.unwrap_or_default();
    let step = pb::PlanStep::Summarize;
    perform(session, (plan, step), (args.text, args.step.etag), &args.step.write).await
}

/// Cancels.
///
/// # Errors
/// [`Failure`] when nobody says yes, or the node refuses.
pub async fn cancel(session: &Session, args: CancelArgs) -> Result<(), Failure> {
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    confirm::confirm(&warning(&plan, session.context.lang), args.yes, session.context.lang)?;
    let step = pb::PlanStep::Cancel;
    perform(session, (plan, step), (args.text, args.etag), &args.write).await
}

fn warning(plan: &pb::Plan, lang: Lang) -> String {
    let title = plan.record.as_ref().map(|record| table::clean(&record.title)).unwrap_or_default();
    let number = table::clean(&plan.number);
    lang.pick(
        format!("取消 {number} {title}：取消后不能恢复，只能另行发起。"),
        format!(
            "To cancel {number} {title} cannot be taken back; it would have to be proposed anew."
        ),
    )
}

async fn perform(
    session: &Session,
    (plan, step): (pb::Plan, pb::PlanStep),
    (text, etag): (String, Option<String>),
    write: &WriteArgs,
) -> Result<(), Failure> {
    let etag = etag.unwrap_or(plan.etag);
    let sent = Sent::on_etag(write, &etag);
    let request = pb::MovePlanRequest {
        name: plan.name,
        etag,
        step: step.into(),
        text,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, move_plan(request))
}
