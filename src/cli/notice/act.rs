//! `liandong notice ack`, `report`, `end`: what is added to a notice.

use clap::Args;
use tonic::Response;

use super::issue::done;
use super::name;
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;

/// Arguments of what is added.
#[derive(Args, Debug)]
pub struct ActArgs {
    /// 通报编号（列表中的前几位）或全名 · the beginning of its id as lists show it, or its name
    #[arg(value_name = "NOTICE")]
    pub notice: String,
    /// 说明 · what is said
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

macro_rules! act {
    ($(#[$doc:meta])* $name:ident = $request:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Failure`] when the node refuses.
        pub async fn $name(session: &Session, args: ActArgs) -> Result<(), Failure> {
            let request = pb::$request {
                name: name(session, &args.notice).await?,
                text: args.text,
                request_id: args.write.request_id(),
                acting_for: args.write.acting_for(),
            };
            let request_id = request.request_id.clone();
            let mut notices = session.client.notices();
            let answer = act!(@call notices, request, $request).map(Response::into_inner);
            done(session, &request_id, answer.map(|done| (done.notice, done.receipt)))
        }
    };
    (@call $notices:ident, $request:ident, AcknowledgeNoticeRequest) => {
        $notices.acknowledge_notice($request).await
    };
    (@call $notices:ident, $request:ident, ReportOnNoticeRequest) => {
        $notices.report_on_notice($request).await
    };
    (@call $notices:ident, $request:ident, EndNoticeRequest) => {
        $notices.end_notice($request).await
    };
}

act! {
    /// Acknowledges (签收).
    acknowledge = AcknowledgeNoticeRequest
}
act! {
    /// Reports news (续报, 反馈).
    report = ReportOnNoticeRequest
}
act! {
    /// Ends a notice (解除).
    end = EndNoticeRequest
}
