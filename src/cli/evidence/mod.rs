//! `liandong evidence`: files of evidence and what is said of them, from the command line.
//!
//! In scope: arguments, which call they become. Out of scope: what is allowed, which the node
//! decides.

use clap::Subcommand;

use super::Context;
use super::case::Session;
use super::failure::Failure;
use super::profile::ProfileArgs;

pub mod add;
pub mod files;
pub mod record;
mod sending;
pub mod standing;

pub use sending::{Parcel, Unsent, deliver, send};

/// `liandong evidence`.
#[derive(clap::Args, Debug)]
pub struct EvidenceArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: EvidenceCommand,
}

/// What can be done with evidence, and said of it.
#[derive(Subcommand, Debug)]
pub enum EvidenceCommand {
    /// 把文件列入未结案件的证据清单并上传；中断后再次运行即续传 · list a file in an open case and send it
    Add(Box<add::AddArgs>),
    /// Files.
    #[command(flatten)]
    Files(files::FileCommand),
    /// 登记接收：本市已取得文件，摘要与清单一致 · record that this city holds the file listed
    Receipt(record::ReceiptArgs),
    /// 认可一份证据（证据互认，由人决定） · recognise an item, as a person
    Recognise(record::RecogniseArgs),
    /// 不认可一份证据，写明原因（由人决定） · decline an item with a reason, as a person
    Decline(record::DeclineArgs),
    /// 登记原件移交：谁交给谁 · record who handed the original to whom
    Custody(Box<record::CustodyArgs>),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: EvidenceCommand) -> Result<(), Failure> {
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = Session { context: context.clone(), client, names };
    match command {
        EvidenceCommand::Add(args) => add::add(&session, *args).await,
        EvidenceCommand::Files(command) => files::run(&session, command).await,
        EvidenceCommand::Receipt(args) => record::receipt(&session, args).await,
        EvidenceCommand::Recognise(args) => record::recognise(&session, args).await,
        EvidenceCommand::Decline(args) => record::decline(&session, args).await,
        EvidenceCommand::Custody(args) => record::custody(&session, *args).await,
    }
}
