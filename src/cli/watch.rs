//! `liandong watch`: changes of cases as they take effect here, resumed after a drop.
//!
//! In scope: what is followed, how a change is printed. Out of scope: following
//! ([`super::follow`]); what changed inside a case, which `case history` shows.
//!
//! With `--json` every change is one line: `{"cursor", "entry", "case"}`.

use clap::Args;
use serde_json::json;
use tonic::{Response, Status, Streaming};

use super::connect::Client;
use super::failure::Failure;
use super::follow::{Followed, follow};
use super::names::Names;
use super::profile::ProfileArgs;
use super::{Context, case, json as shape, table, when, words};
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

/// Where a watch stands.
struct Watch {
    context: Context,
    parent: String,
    cursor: String,
    left: Option<u64>,
    names: Names,
}

/// Follows until Ctrl-C, the count, or a refusal.
///
/// # Errors
/// [`Failure`] when the first connection fails or the node refuses to resume.
pub async fn run(context: &Context, args: WatchArgs) -> Result<(), Failure> {
    let context = &context.with(args.profile);
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = case::Session { context: context.clone(), client, names };
    let parent = match &args.agreement {
        Some(given) => case::name::agreement(&session, Some(given)).await?,
        None => "agreements/-".to_owned(),
    };
    let case::Session { client, names, .. } = session;
    let (cursor, left) = (args.cursor, args.count);
    let watch = Watch { context: context.clone(), parent, cursor, left, names };
    follow(context, client, watch).await
}

impl Followed for Watch {
    type Message = pb::WatchCasesResponse;

    const COMMAND: &'static str = "liandong watch";

    fn cursor(&self) -> &str {
        &self.cursor
    }

    async fn open(&self, client: &Client) -> Result<Streaming<Self::Message>, Status> {
        let request =
            pb::WatchCasesRequest { parent: self.parent.clone(), cursor: self.cursor.clone() };
        client.cases_streaming().watch_cases(request).await.map(Response::into_inner)
    }

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
}

impl Watch {
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
