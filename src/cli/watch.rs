//! `liandong watch`: changes of cases as they take effect here, resumed after a drop.
//!
//! In scope: following, resuming from the last cursor, saying where to go on.
//! Out of scope: what changed inside a case; `case history` shows it.
//!
//! With `--json` every change is one line: `{"cursor", "entry", "case"}`.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use tonic::Code;

use super::connect::Client;
use super::failure::Failure;
use super::names::Names;
use super::profile::ProfileArgs;
use super::{Context, case, json as shape, status_text, table, when, words};
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 从此位置续接（默认从现在起） · resume behind this cursor; from now on when absent
    #[arg(long, default_value = "", hide_default_value = true)]
    pub cursor: String,
    /// 收到这么多条变化后结束 · end after so many changes
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
}

/// First wait after a drop; doubled up to the longest.
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// Longest wait between two tries.
const WAIT_LONGEST: Duration = Duration::from_secs(15);

/// Where a watch stands.
struct Watch {
    context: Context,
    parent: String,
    cursor: String,
    left: Option<u64>,
    names: Names,
}

/// How one stream ended.
enum Ended {
    /// As many changes as asked for.
    Enough,
    /// It broke; resume.
    Dropped(Failure),
}

/// Follows until Ctrl-C, the count, or a refusal.
///
/// # Errors
/// [`Failure`] when the first connection fails or the node refuses to resume.
pub async fn run(context: &Context, args: WatchArgs) -> Result<(), Failure> {
    let context = &context.with(args.profile);
    let client = context.connect().await?;
    let names = Names::from_node(&client, context.lang).await;
    let session = case::Session { context: context.clone(), client, names };
    let parent = match &args.agreement {
        Some(given) => case::name::agreement(&session, Some(given)).await?,
        None => "agreements/-".to_owned(),
    };
    let case::Session { client, names, .. } = session;
    let (cursor, left) = (args.cursor, args.count);
    let mut watch = Watch { context: context.clone(), parent, cursor, left, names };
    let ended = tokio::select! {
        ended = watch.follow(client) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if !watch.cursor.is_empty() {
        let lang = context.lang;
        let cursor = &watch.cursor;
        eprintln!(
            "{}",
            lang.pick(
                format!("续接：liandong watch --cursor {cursor}"),
                format!("to go on: liandong watch --cursor {cursor}"),
            )
        );
    }
    ended
}

impl Watch {
    /// Follows over as many connections as it takes.
    async fn follow(&mut self, client: Client) -> Result<(), Failure> {
        let mut client = Some(client);
        let mut wait = WAIT_FIRST;
        loop {
            let before = self.cursor.clone();
            let ended = match client.take() {
                Some(client) => self.one_stream(&client).await?,
                None => match self.context.connect().await {
                    Ok(client) => self.one_stream(&client).await?,
                    Err(failure) => Ended::Dropped(failure),
                },
            };
            let Ended::Dropped(failure) = ended else { return Ok(()) };
            if self.cursor != before {
                wait = WAIT_FIRST;
            }
            let lang = self.context.lang;
            eprintln!(
                "{}",
                lang.pick(
                    format!("连接中断（{}），{} 毫秒后续接", failure.what, wait.as_millis()),
                    format!("dropped ({}), resuming in {} ms", failure.what, wait.as_millis()),
                )
            );
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAIT_LONGEST);
        }
    }

    /// Follows one stream to its end. An error here is final.
    async fn one_stream(&mut self, client: &Client) -> Result<Ended, Failure> {
        let request =
            pb::WatchCasesRequest { parent: self.parent.clone(), cursor: self.cursor.clone() };
        let mut stream = match client.cases_streaming().watch_cases(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return self.judge(client, &status),
        };
        loop {
            match stream.message().await {
                Ok(Some(change)) => {
                    if self.take(&change) {
                        return Ok(Ended::Enough);
                    }
                }
                Ok(None) => {
                    let lang = self.context.lang;
                    let what = lang.pick("节点结束了推送", "the node ended the stream");
                    return Ok(Ended::Dropped(Failure::local(what)));
                }
                Err(status) => return self.judge(client, &status),
            }
        }
    }

    /// Whether a failed stream is worth another try.
    fn judge(&self, client: &Client, status: &tonic::Status) -> Result<Ended, Failure> {
        let failure = client.failure(status);
        let lost = status_text::transport_cause(status).is_some();
        let passing = lost
            || matches!(
                status.code(),
                Code::Unavailable | Code::Cancelled | Code::Aborted | Code::ResourceExhausted
            );
        if passing { Ok(Ended::Dropped(failure)) } else { Err(failure) }
    }

    /// Prints a change, moves the cursor; true when that was the last one asked for.
    fn take(&mut self, change: &pb::WatchCasesResponse) -> bool {
        if !change.cursor.is_empty() {
            self.cursor.clone_from(&change.cursor);
        }
        let Some(case) = change.case.as_ref().filter(|_| !change.heartbeat) else { return false };
        if self.context.json {
            println!(
                "{}",
                json!({
                    "cursor": change.cursor,
                    "entry": change.entry,
                    "case": shape::case(case),
                })
            );
        } else {
            println!("{}", self.line(case));
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.left == Some(0)
    }

    /// One change on one line.
    fn line(&self, case: &pb::Case) -> String {
        let lang = self.context.lang;
        let title = case.record.as_ref().map_or("", |record| record.title.as_str());
        format!(
            "{}  {}  {}  {}  {}",
            when::time(case.update_time.as_ref()),
            table::clean(&case.number),
            words::state(case.state(), lang),
            self.names.turn(case.turn_city),
            table::clean(title),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn heartbeats_move_the_cursor_and_print_nothing() {
        let context = Context { lang: Lang::Zh, json: false, profile: ProfileArgs::default() };
        let names = Names::new(Lang::Zh);
        let (parent, cursor) = (String::new(), String::new());
        let mut watch = Watch { context, parent, cursor, left: Some(1), names };
        let beat = pb::WatchCasesResponse {
            cursor: "c1".to_owned(),
            heartbeat: true,
            ..pb::WatchCasesResponse::default()
        };
        assert!(!watch.take(&beat));
        assert_eq!(watch.cursor, "c1");
        let change = pb::WatchCasesResponse {
            cursor: "c2".to_owned(),
            case: Some(pb::Case { turn_city: 130_400, ..pb::Case::default() }),
            ..pb::WatchCasesResponse::default()
        };
        assert!(watch.take(&change));
        assert_eq!(watch.cursor, "c2");
        assert!(
            watch
                .line(&pb::Case { turn_city: 130_400, ..Default::default() })
                .contains("现由 邯郸 处理")
        );
    }
}
