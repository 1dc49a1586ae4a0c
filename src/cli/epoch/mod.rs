//! `liandong epoch`: begins a log of this node, the first one or the next after a restore.
//!
//! The node's keys are made here and stay here; the city key signs the manifest, on this machine
//! or on another one that is kept off the network.
//!
//! In scope: asking what the node holds, making the manifest, handing it in. Out of scope: what a
//! node does with it ([`crate::node`]).

use clap::Subcommand;

use super::Context;
use super::failure::Failure;

pub mod known;
pub mod new;
pub mod sign;

/// `liandong epoch`.
#[derive(clap::Args, Debug)]
pub struct EpochArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: EpochCommand,
}

/// What can be done with logs of this node.
#[derive(Subcommand, Debug)]
pub enum EpochCommand {
    /// 在一份协议中开始记录：首次启用，或恢复旧备份、更换节点之后 · begin the records of this node in
    /// an agreement: the first time, or after a restore or a change of node
    New(Box<new::NewArgs>),
    /// 用城市密钥签署申请（可在另一台机器上） · sign a request with the city key, anywhere
    Sign(sign::SignArgs),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, args: EpochArgs) -> Result<(), Failure> {
    match args.command {
        EpochCommand::New(args) => new::run(context, *args).await,
        EpochCommand::Sign(args) => sign::run(context, &args),
    }
}
