//! `liandong plan`: joint actions.
//!
//! In scope: verifying a draw. Out of scope: plans themselves, which nodes do not exchange yet.

mod verify_draw;

use clap::{Args, Subcommand};

use super::Context;
use super::failure::Failure;

/// Arguments.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PlanCommand,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum PlanCommand {
    /// 复核双随机抽取：由公布的承诺、随机数和名单重新计算 · work a draw out again from what was published
    VerifyDraw(verify_draw::VerifyDrawArgs),
}

/// Does it.
///
/// # Errors
/// [`Failure`] as the command says.
pub fn run(context: &Context, args: &PlanArgs) -> Result<(), Failure> {
    match &args.command {
        PlanCommand::VerifyDraw(args) => verify_draw::run(context, args),
    }
}
