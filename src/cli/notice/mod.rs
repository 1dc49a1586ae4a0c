//! `liandong notice`: notices between cities from the command line.
//!
//! In scope: arguments, which call they become, finding a notice by the beginning of its id.
//! Out of scope: what is allowed, which the node decides.

use clap::Subcommand;

use super::Context;
use super::case::Session;
use super::failure::Failure;
use super::profile::ProfileArgs;
use super::short_id::{self, short};
use crate::wire::pb::v1 as pb;

pub mod act;
pub mod issue;
pub mod list;
pub mod shape;
pub mod show;
pub mod watch;

/// What people call one.
const KIND: short_id::Kind = short_id::Kind {
    list: "liandong notice list",
    zh: "通报",
    several_zh: "多份通报",
    en: "notice",
};

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
    let names = client.names(context.lang).await;
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

/// The name of a notice given as such, or by the beginning of its id.
async fn name(session: &Session, given: &str) -> Result<String, Failure> {
    let page = async |page_token| {
        let parent = "agreements/-".to_owned();
        let request = pb::ListNoticesRequest { parent, filter: 0, page_size: 200, page_token };
        let answer = session.client.notices().list_notices(request).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        let names = page.notices.into_iter().map(|one| one.name).collect();
        Ok((names, page.next_page_token))
    };
    short_id::name(given, &KIND, session.context.lang, page).await
}
