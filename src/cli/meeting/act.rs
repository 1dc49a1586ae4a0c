//! What a write to a meeting came to; `liandong meeting cancel`.

use clap::Args;
use tonic::{Response, Status};

use super::{name, shape, show};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::Failure;
use crate::cli::written::{self, Shown};
use crate::wire::pb::v1 as pb;

/// Arguments of a cancellation.
#[derive(Args, Debug)]
pub struct CancelArgs {
    /// 会议编号（列表中的前几位）或全名 · the beginning of its id as lists show it, or its name
    #[arg(value_name = "MEETING")]
    pub meeting: String,
    /// 原因 · why
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Cancels.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn cancel(session: &Session, args: CancelArgs) -> Result<(), Failure> {
    let request = pb::CancelMeetingRequest {
        name: name(session, &args.meeting).await?,
        text: args.text,
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.meetings().cancel_meeting(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.meeting, done.receipt)))
}

/// Prints what a write came to.
pub(super) fn done(
    session: &Session,
    request_id: &str,
    answer: Result<(Option<pb::Meeting>, Option<pb::WriteReceipt>), Status>,
) -> Result<(), Failure> {
    let shown = Shown { key: "meeting", shape: shape::meeting, text: show::text };
    written::done(session, request_id, answer, &shown)
}
