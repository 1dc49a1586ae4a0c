//! `liandong meeting call`.

use clap::Args;
use tonic::Response;

use super::act::done;
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::when;
use crate::ids::CityCode;
use crate::wire::pb::v1 as pb;

/// Arguments of a new meeting.
#[derive(Args, Debug)]
pub struct CallArgs {
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 会议日期 · the day of the meeting
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: pb::Date,
    /// 会议名称 · what it is, in one line
    #[arg(long)]
    pub title: String,
    /// 议程 · agenda
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// 地点 · where
    #[arg(long, default_value = "", hide_default_value = true)]
    pub address: String,
    /// 主持市（默认本市） · city that chairs it; the own city when absent
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub chair: Option<CityCode>,
    /// 不按轮值（将记录在案） · set the rota aside; this is recorded
    #[arg(long)]
    pub out_of_turn: bool,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Calls a meeting.
///
/// # Errors
/// [`Failure`] when the node refuses; when the answer was lost it names the flags for a safe retry.
pub async fn run(session: &Session, args: CallArgs) -> Result<(), Failure> {
    let request = pb::CreateMeetingRequest {
        parent: name::agreement(session, args.agreement.as_deref()).await?,
        on: Some(args.on),
        chair: args.chair.map_or(0, CityCode::as_u32),
        out_of_turn: args.out_of_turn,
        record: Some(pb::MeetingRecord {
            title: args.title,
            text: args.text,
            address: args.address,
        }),
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.meetings().create_meeting(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.meeting, done.receipt)))
}
