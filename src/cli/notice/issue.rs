//! `liandong notice send`.

use clap::Args;
use tonic::{Response, Status};

use super::{shape, show};
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::words;
use crate::cli::written::{self, Shown};
use crate::domain::Words;
use crate::domain::notice::NoticeKind;
use crate::ids::CityCode;
use crate::wire::pb::v1 as pb;

/// Arguments of a new notice.
#[derive(Args, Debug)]
pub struct SendArgs {
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 种类：信息通报、突发环境事件通报、重污染天气通报，或 GENERAL 等代码 · what it is about
    #[arg(long, default_value = "GENERAL", value_parser = kind)]
    pub kind: pb::NoticeKind,
    /// 级别 1 至 4（突发事件、重污染天气） · level from 1 to 4, of an emergency
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=4))]
    pub level: Option<i32>,
    /// 发给哪些市（可重复；默认全体成员） · cities it is for; all other members when absent
    #[arg(long = "to", value_name = "CODE", value_parser = CityCode::parse)]
    pub to: Vec<CityCode>,
    /// 标题 · what it is, in one line
    #[arg(long)]
    pub title: String,
    /// 正文：情况、请对方做什么 · what happened, what is asked of the others
    #[arg(long, short = 'm')]
    pub text: String,
    /// 地点 · where
    #[arg(long, default_value = "", hide_default_value = true)]
    pub address: String,
    /// 联系人 · whom to ask
    #[arg(long, default_value = "", hide_default_value = true)]
    pub contact: String,
    /// 联系电话 · telephone of the contact
    #[arg(long, default_value = "", hide_default_value = true)]
    pub phone: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

fn kind(text: &str) -> Result<pb::NoticeKind, String> {
    words::parse_notice_kind(text).ok_or_else(|| {
        let all: Vec<&str> = NoticeKind::ALL.iter().map(Words::zh).collect();
        format!("可用 · use one of: {}", all.join("、"))
    })
}

/// Issues a notice.
///
/// # Errors
/// [`Failure`] when the node refuses; when the answer was lost it names the flags for a safe retry.
pub async fn run(session: &Session, args: SendArgs) -> Result<(), Failure> {
    let request = pb::CreateNoticeRequest {
        parent: name::agreement(session, args.agreement.as_deref()).await?,
        kind: args.kind.into(),
        level: args.level.unwrap_or(0),
        cities: args.to.iter().map(|city| city.as_u32()).collect(),
        record: Some(pb::NoticeRecord {
            title: args.title,
            text: args.text,
            address: args.address,
            contact: args.contact,
            phone: args.phone,
        }),
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.notices().create_notice(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.notice, done.receipt)))
}

/// Prints what a write came to.
pub(super) fn done(
    session: &Session,
    request_id: &str,
    answer: Result<(Option<pb::Notice>, Option<pb::WriteReceipt>), Status>,
) -> Result<(), Failure> {
    let shown = Shown { key: "notice", shape: shape::notice, text: show::text };
    written::done(session, request_id, answer, &shown)
}
