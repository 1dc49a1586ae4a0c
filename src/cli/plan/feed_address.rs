//! `liandong plan feed-address`: makes the secret address of the calendar feed, and shows it once.
//!
//! In scope: making and printing. It needs no running node, and one that runs takes the new address
//! at once. Out of scope: how it is kept ([`crate::trust::feed_secret`]).

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::{Context, files};
use crate::trust::feed_secret::{FEED_SECRET_FILE, FeedSecret};

/// Arguments.
#[derive(Args, Debug)]
pub struct FeedAddressArgs {
    /// 节点配置 · the node's configuration
    #[arg(long, default_value = "liandong.toml")]
    pub config: PathBuf,
    /// 更换地址，原地址立即失效 · make another one; the old one stops working at once
    #[arg(long)]
    pub force: bool,
}

/// Makes it.
///
/// # Errors
/// [`Failure`] when no feed is configured, there is an address already, or it cannot be kept.
pub fn run(context: &Context, args: &FeedAddressArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let config = files::config(&args.config, lang)?;
    let Some(feed) = config.calendar_feed else {
        let none =
            lang.pick("设置文件中没有 [calendar_feed]", "the configuration has no [calendar_feed]");
        return Err(Failure::local(none).advise(lang.pick(
            "参照 packaging/liandong.example.toml 填写 listen",
            "write listen, as in packaging/liandong.example.toml",
        )));
    };
    let file = config.keys_dir.join(FEED_SECRET_FILE);
    if file.exists() && !args.force {
        let there = lang.pick(
            "订阅地址已经生成过，只在生成时显示一次",
            "there is an address already; it is shown once, when it is made",
        );
        return Err(Failure::local(there).advise(lang.pick(
            "地址遗失或外泄时加 --force 更换；原地址立即失效，各日历须重新订阅",
            "if it is lost or known to others, make another one with --force; calendars have to \
             subscribe again",
        )));
    }
    let kept = std::fs::create_dir_all(&config.keys_dir).map_err(|error| error.to_string());
    let made =
        kept.and_then(|()| FeedSecret::make(&file, args.force).map_err(|error| error.to_string()));
    let token = made.map_err(|why| {
        Failure::local(lang.pick(
            format!("订阅地址无法保存（{why}）"),
            format!("the address cannot be kept ({why})"),
        ))
    })?;
    let path = format!("/calendar/{token}.ics");
    let url = format!("http://{}{path}", feed.listen);
    if context.json {
        context.print_json(&json!({ "url": url, "path": path }));
        return Ok(());
    }
    println!("{url}");
    // On the other stream, so that the address alone can be piped on.
    eprintln!(
        "{}",
        lang.pick(
            "地址只显示这一次。经反向代理订阅时，把 http://主机:端口 换成代理的 https 地址。\n\
             知道地址的人都能看到本市何时参加联合执法行动（仅时间），请勿转发；外泄时加 --force 更换。",
            "It is shown this once. Behind a proxy, put the proxy's https address in the place of \
             http://host:port.\nWhoever knows it sees when this city is out on joint actions, and \
             nothing else: do not pass it on. If it leaks, make another one with --force.",
        )
    );
    Ok(())
}
