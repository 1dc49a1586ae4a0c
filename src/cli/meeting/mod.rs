//! `liandong meeting`: joint meetings from the command line.
//!
//! In scope: arguments, which call they become, finding a meeting by the beginning of its id.
//! Out of scope: what is allowed, which the node decides.

use clap::Subcommand;

use super::Context;
use super::case::Session;
use super::failure::{Exit, Failure};
use super::names::Names;
use super::profile::ProfileArgs;
use crate::wire::pb::v1 as pb;

pub mod act;
pub mod call;
pub mod list;
pub mod minutes;
pub mod shape;
pub mod show;

/// Pages looked through for a meeting that is named by the beginning of its id.
const PAGES_MAX: usize = 10;
/// Hexadecimal digits of an id that lists show.
const SHORT: usize = 8;
/// Fewer digits name nothing.
const SHORT_MIN: usize = 4;

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
    let names = Names::from_node(&client, context.lang).await;
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

/// The short form of a meeting's name.
fn short(name: &str) -> &str {
    let id = name.rsplit('/').next().unwrap_or(name);
    id.get(..SHORT).unwrap_or(id)
}

/// The name of a meeting given as such, or by the beginning of its id.
async fn name(session: &Session, given: &str) -> Result<String, Failure> {
    if given.starts_with("agreements/") {
        return Ok(given.to_owned());
    }
    let lang = session.context.lang;
    let none = |why: String| {
        Failure::new(Exit::Refused, "NOT_FOUND", why).advise(lang.pick(
            "用 liandong meeting list 中的编号（至少 4 位）或全名",
            "give a number of liandong meeting list, at least 4 digits, or a full name",
        ))
    };
    let found = if given.len() >= SHORT_MIN { matching(session, given).await? } else { Vec::new() };
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(none(lang.pick(format!("找不到会议 {given}"), format!("no meeting {given}")))),
        several => {
            let mut failure = none(lang.pick(
                format!("{given} 对应多次会议"),
                format!("{given} begins the id of several meetings"),
            ));
            failure.details.extend(several.iter().cloned());
            Err(failure)
        }
    }
}

async fn matching(session: &Session, given: &str) -> Result<Vec<String>, Failure> {
    let given = given.to_ascii_lowercase();
    let (mut found, mut page_token) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let parent = "agreements/-".to_owned();
        let request = pb::ListMeetingsRequest { parent, page_size: 200, page_token };
        let answer = session.client.meetings().list_meetings(request).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        let begins =
            |name: &String| name.rsplit('/').next().is_some_and(|id| id.starts_with(&given));
        found.extend(page.meetings.into_iter().map(|meeting| meeting.name).filter(begins));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(found)
}
