//! `liandong hook test`: one nudge that says nothing waits, sent as the configuration says.
//!
//! In scope: trying it and telling what happened. It needs no running node. Out of scope: what is
//! nudged about ([`crate::node::nudge`]).

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::failure::{Exit, Failure};
use super::{Context, files};
use crate::node::nudge::matter::Nudge;
use crate::node::nudge::send;

/// Arguments of `hook`.
#[derive(clap::Args, Debug)]
pub struct HookArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: HookCommand,
}

/// What to do with the hook.
#[derive(clap::Subcommand, Debug)]
pub enum HookCommand {
    /// 按设置试发一条提醒 · send one test nudge as configured
    Test {
        /// 节点配置 · the node's configuration
        #[arg(long, default_value = "liandong.toml")]
        config: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when no hook is configured, or the nudge was not taken.
pub async fn run(context: &Context, args: HookArgs) -> Result<(), Failure> {
    let HookCommand::Test { config } = args.command;
    let lang = context.lang;
    let config = files::config(&config, lang)?;
    let Some(hook) = config.hook else {
        let none = lang.pick("设置文件中没有 [hook]", "the configuration has no [hook]");
        return Err(Failure::local(none).advise(lang.pick(
            "参照 packaging/liandong.example.toml 填写 url 或 command",
            "write a url or a command, as in packaging/liandong.example.toml",
        )));
    };
    let target = hook.target.shown();
    let message = Nudge::test(config.city, hook.console.clone()).bytes();
    let (bytes, begun) = (message.len(), Instant::now());
    let sent = send::send(&hook, message, !context.json).await;
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match sent {
        Ok(said) if context.json => {
            let all = json!({ "target": target, "bytes": bytes, "wait_ms": ms, "result": said });
            context.print_json(&all);
            Ok(())
        }
        Ok(said) => {
            println!(
                "{}",
                lang.pick(
                    format!("已送达 {target}：{said}（{bytes} 字节，{ms} 毫秒）"),
                    format!("taken by {target}: {said} ({bytes} bytes, {ms} ms)"),
                )
            );
            Ok(())
        }
        Err(why) => {
            let what = lang.pick(
                format!("{target} 没有收下：{why}"),
                format!("{target} did not take it: {why}"),
            );
            Err(Failure::new(Exit::Unreachable, "HOOK_FAILED", what).advise(lang.pick(
                "检查 [hook] 的地址、证书（ca）或程序；对方须支持 TLS 1.3 并答复 2xx，程序须以 0 退出",
                "check address, ca or program of [hook]: TLS 1.3 and answer 2xx, or exit code 0",
            )))
        }
    }
}
