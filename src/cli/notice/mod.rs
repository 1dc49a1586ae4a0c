//! `liandong notice`: notices between cities from the command line.
//!
//! In scope: arguments, which call they become, finding a notice by the beginning of its id.
//! Out of scope: what is allowed, which the node decides.

use clap::Subcommand;

use super::Context;
use super::case::Session;
use super::failure::{Exit, Failure};
use super::names::Names;
use super::profile::ProfileArgs;
use crate::wire::pb::v1 as pb;

pub mod act;
pub mod issue;
pub mod list;
pub mod shape;
pub mod show;
pub mod watch;

/// Pages looked through for a notice that is named by the beginning of its id.
const PAGES_MAX: usize = 10;
/// Hexadecimal digits of an id that lists show.
const SHORT: usize = 8;
/// Fewer digits name nothing.
const SHORT_MIN: usize = 4;

/// `liandong notice`.
#[derive(clap::Args, Debug)]
pub struct NoticeArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: NoticeCommand,
}

/// What can be done with notices.
#[derive(Subcommand, Debug)]
pub enum NoticeCommand {
    /// 发出通报；突发事件立即提醒各市 · issue a notice; an emergency rings at once
    Send(Box<issue::SendArgs>),
    /// 通报一览：待签收、已发出 · list notices
    List(list::ListArgs),
    /// 查看一份通报及各市签收情况 · show one, and how far it has got with each city
    Show(show::ShowArgs),
    /// 签收通报（由人签收） · acknowledge a notice, as a person
    Ack(act::ActArgs),
    /// 续报或反馈情况 · report news
    Report(act::ActArgs),
    /// 解除（由发出市） · end a notice, by its issuer
    End(act::ActArgs),
    /// 持续接收通报，突发事件响铃 · follow notices; emergencies ring
    Watch(watch::WatchArgs),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: NoticeCommand) -> Result<(), Failure> {
    let client = context.connect().await?;
    let names = Names::from_node(&client, context.lang).await;
    let session = Session { context: context.clone(), client, names };
    match command {
        NoticeCommand::Send(args) => issue::run(&session, *args).await,
        NoticeCommand::List(args) => list::run(&session, args).await,
        NoticeCommand::Show(args) => show::run(&session, args).await,
        NoticeCommand::Ack(args) => act::acknowledge(&session, args).await,
        NoticeCommand::Report(args) => act::report(&session, args).await,
        NoticeCommand::End(args) => act::end(&session, args).await,
        NoticeCommand::Watch(args) => watch::run(session, args).await,
    }
}

/// The short form of a notice's name.
fn short(name: &str) -> &str {
    let id = name.rsplit('/').next().unwrap_or(name);
    id.get(..SHORT).unwrap_or(id)
}

/// The name of a notice given as such, or by the beginning of its id.
async fn name(session: &Session, given: &str) -> Result<String, Failure> {
    if given.starts_with("agreements/") {
        return Ok(given.to_owned());
    }
    let lang = session.context.lang;
    let none = |why: String| {
        Failure::new(Exit::Refused, "NOT_FOUND", why).advise(lang.pick(
            "用 liandong notice list 中的编号（至少 4 位）或全名",
            "give a number of liandong notice list, at least 4 digits, or a full name",
        ))
    };
    let found = if given.len() >= SHORT_MIN { matching(session, given).await? } else { Vec::new() };
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(none(lang.pick(format!("找不到通报 {given}"), format!("no notice {given}")))),
        several => {
            let mut failure = none(lang.pick(
                format!("{given} 对应多份通报"),
                format!("{given} begins the id of several notices"),
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
        let request = pb::ListNoticesRequest { parent, filter: 0, page_size: 200, page_token };
        let answer = session.client.notices().list_notices(request).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        let begins =
            |name: &String| name.rsplit('/').next().is_some_and(|id| id.starts_with(&given));
        found.extend(page.notices.into_iter().map(|notice| notice.name).filter(begins));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(found)
}
