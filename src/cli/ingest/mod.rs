//! `liandong ingest`: clues from other systems' data.
//!
//! In scope: reading, judging against limits, drafting clues through the own node's API.
//! Out of scope: what the data means ([`crate::hj212`]), what a node allows.

use clap::Subcommand;

use super::Context;
use super::failure::Failure;
use super::profile::ProfileArgs;

pub mod clue;
pub mod desk;
pub mod hj212;
pub mod intake;
pub mod listen;
pub mod office;
pub mod report;
pub mod spool;
pub mod stations;

/// `liandong ingest`.
#[derive(clap::Args, Debug)]
pub struct IngestArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: IngestCommand,
}

/// What can be read.
#[derive(Subcommand, Debug)]
pub enum IngestCommand {
    /// 污染源在线监测数据（HJ 212-2017）：超标小时生成线索 · on-line monitoring data: hours above
    /// their limits become clues
    Hj212(Box<hj212::Hj212Args>),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: IngestCommand) -> Result<(), Failure> {
    match command {
        IngestCommand::Hj212(args) => hj212::run(context, *args).await,
    }
}
