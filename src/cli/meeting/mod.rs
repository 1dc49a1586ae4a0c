//! `liandong meeting`: joint meetings from the command line.
//!
//! In scope: arguments, which call they become, finding a meeting by the beginning of its id.
//! Out of scope: what is allowed, which the node decides.

use clap::Subcommand;

use super::Context;
use super::case::Session;
use super::failure::Failure;
use super::profile::ProfileArgs;
use super::short_id::{self, short};
use crate::wire::pb::v1 as pb;

pub mod act;
pub mod call;
pub mod list;
pub mod minutes;
pub mod shape;
pub mod show;

/// What people call one.
const KIND: short_id::Kind = short_id::Kind {
    list: "liandong meeting list",
    zh: "会议",
    several_zh: "多次会议",
    en: "meeting",
};

/// `liandong meeting`.
#[derive(clap::Args, Debug)]
pub struct MeetingArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: MeetingCommand,
}

/// What can be done with meetings.
#[derive(Subcommand, Debug)]
pub enum MeetingCommand {
    /// 召集联席会议（轮值市） · call a meeting, by the city whose turn it is
    Call(Box<call::CallArgs>),
    /// 会议一览 · list meetings
    List(list::ListArgs),
    /// 查看一次会议、纪要及各市确认情况 · show one, its minutes and who has confirmed them
    Show(show::ShowArgs),
    /// 下一次由哪市召集，今年是否漏开 · whose turn it is, and whether a year was missed
    Next(list::NextArgs),
    /// 登记会议纪要：记下文件摘要，文件不上传 · record minutes by the digest of their file
    Minutes(Box<minutes::MinutesArgs>),
    /// 核对手中的纪要是否就是登记的那一份 · compare a file with the minutes recorded
    Check(minutes::CheckArgs),
    /// 确认会议纪要（由人确认） · confirm the minutes, as a person
    Confirm(minutes::ConfirmArgs),
    /// 取消会议 · cancel a meeting
    Cancel(act::CancelArgs),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: MeetingCommand) -> Result<(), Failure> {
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = Session { context: context.clone(), client, names };
    match command {
        MeetingCommand::Call(args) => call::run(&session, *args).await,
        MeetingCommand::List(args) => list::run(&session, args).await,
        MeetingCommand::Show(args) => show::run(&session, args).await,
        MeetingCommand::Next(args) => list::next(&session, args).await,
        MeetingCommand::Minutes(args) => minutes::record(&session, *args).await,
        MeetingCommand::Check(args) => minutes::check(&session, args).await,
        MeetingCommand::Confirm(args) => minutes::confirm(&session, args).await,
        MeetingCommand::Cancel(args) => act::cancel(&session, args).await,
    }
}

/// The name of a meeting given as such, or by the beginning of its id.
async fn name(session: &Session, given: &str) -> Result<String, Failure> {
    let page = async |page_token| {
        let parent = "agreements/-".to_owned();
        let request = pb::ListMeetingsRequest { parent, page_size: 200, page_token };
        let answer = session.client.meetings().list_meetings(request).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        let names = page.meetings.into_iter().map(|one| one.name).collect();
        Ok((names, page.next_page_token))
    };
    short_id::name(given, &KIND, session.context.lang, page).await
}
