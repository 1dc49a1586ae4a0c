//! From a parsed command line to the function that does it. One line a command.

use super::failure::Failure;
use super::{
    Command, Context, agreement, bench, card, case, catalog, check, demo, doctor, epoch, erase,
    evidence, fork, hook, ingest, meeting, notice, paper, people, pki, plan, rebuild, roles, serve,
    site, status, suspend, unit, watch,
};

/// Runs the command.
pub(super) async fn dispatch(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args, context.lang).await,
        Command::Demo(args) => demo::run(context, args).await,
        Command::Case(args) => case::run(&context.with(args.profile), args.command).await,
        Command::Notice(args) => notice::run(&context.with(args.profile), args.command).await,
        Command::Meeting(args) => meeting::run(&context.with(args.profile), args.command).await,
        Command::Unit(args) => unit::run(&context.with(args.profile), args.command).await,
        Command::Site(args) => site::run(&context.with(args.profile), args.command).await,
        Command::Evidence(args) => evidence::run(&context.with(args.profile), args.command).await,
        Command::Ingest(args) => ingest::run(&context.with(args.profile), args.command).await,
        Command::Catalog(args) => catalog::run(&context.with(args.profile.clone()), args).await,
        Command::Watch(args) => watch::run(context, args).await,
        Command::Status(args) => status::run(context, args).await,
        Command::Check(args) => check::run(context, args).await,
        Command::Hook(args) => hook::run(context, args).await,
        Command::Fork(args) => fork::run(&context.with(args.profile), args.command).await,
        Command::Suspend(args) => suspend::suspend(context, args).await,
        Command::Erase(args) => erase::erase(context, args).await,
        Command::Resume(args) => suspend::resume(context, args).await,
        Command::Doctor(args) => doctor::run(context, args).await,
        Command::Agreement(args) => agreement::run(&context.with(args.profile), args.command).await,
        Command::Card(args) => card::run(&context.with(args.profile), args.command).await,
        Command::People(args) => people::run(context, args),
        Command::Rebuild(args) => rebuild::run(context, args).await,
        Command::Roles => roles::run(context),
        Command::Verify(args) => paper::run(context, args).await,
        Command::Pki(args) => pki::run(context, args),
        Command::Plan(args) => plan::run(&context.with(args.profile), args.command).await,
        Command::Epoch(args) => epoch::run(context, args).await,
        Command::Bench(args) => bench::run(context, args).await,
    }
}
