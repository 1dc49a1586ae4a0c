//! `liandong agreement`: drafts, signatures and what a node holds of linkage agreements.
//!
//! In scope: the text from flags or a file, one city's line, handing notes to a node, showing.
//! Out of scope: what stands in a charter ([`crate::trust::charter`]).

use clap::Subcommand;

use super::Context;
use super::failure::Failure;
use super::profile::ProfileArgs;

pub mod add;
pub mod draft;
pub mod paper;
pub mod show;
pub mod sign;

/// `liandong agreement`.
#[derive(clap::Args, Debug)]
pub struct AgreementArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: AgreementCommand,
}

/// What can be done with agreements.
#[derive(Subcommand, Debug)]
pub enum AgreementCommand {
    /// 起草协议文本 · write the text of an agreement
    Draft(Box<draft::DraftArgs>),
    /// 以本市密钥签署 · sign for the own city
    Sign(sign::SignArgs),
    /// 合并各市分别签署的副本 · put copies signed apart together
    Merge(sign::MergeArgs),
    /// 把签齐的协议、名片、记录申请交给节点 · hand charters, cards and manifests to the node
    Add(add::AddArgs),
    /// 查看文件或节点所存的协议 · show a file, or what the node holds
    Show(show::ShowArgs),
    /// 核对签名、期限、名片，指出缺什么 · check signatures, term and cards, and say what is missing
    Verify(show::ShowArgs),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: AgreementCommand) -> Result<(), Failure> {
    match command {
        AgreementCommand::Draft(args) => draft::run(context, *args),
        AgreementCommand::Sign(args) => sign::run(context, &args),
        AgreementCommand::Merge(args) => sign::merge(context, &args),
        AgreementCommand::Add(args) => add::run(context, &args).await,
        AgreementCommand::Show(args) => show::run(context, &args).await,
        AgreementCommand::Verify(args) => show::verify(context, &args).await,
    }
}
