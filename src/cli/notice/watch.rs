//! `liandong notice watch`: notices as they come; emergencies ring the terminal's bell.
//!
//! With `--json` every change is one line: `{"cursor", "entry", "ring", "notice"}`.

use std::io::IsTerminal;

use clap::Args;
use serde_json::json;
use tonic::{Response, Status, Streaming};

use super::{list, shape, short};
use crate::cli::case::{Session, name};
use crate::cli::connect::Client;
use crate::cli::failure::Failure;
use crate::cli::follow::{Followed, follow};
use crate::cli::names::Names;
use crate::cli::{Context, table, when};
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct WatchArgs {
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
/// [`Failure`] when the node refuses.
pub async fn run(session: Session, args: WatchArgs) -> Result<(), Failure> {
    let parent = match &args.agreement {
        Some(given) => name::agreement(&session, Some(given)).await?,
        None => "agreements/-".to_owned(),
    };
    let Session { context, client, names } = session;
    let (cursor, left) = (args.cursor, args.count);
    let watch = Watch { context: context.clone(), parent, cursor, left, names };
    follow(&context, client, watch).await
}

impl Followed for Watch {
    type Message = pb::WatchNoticesResponse;

    const COMMAND: &'static str = "liandong notice watch";

    fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Whatever waits rings again: nobody should have to start an alarm by hand.
    fn begin_anew(&mut self) -> bool {
        !std::mem::take(&mut self.cursor).is_empty()
    }

    async fn open(&self, client: &Client) -> Result<Streaming<Self::Message>, Status> {
        let (parent, cursor) = (self.parent.clone(), self.cursor.clone());
        let request = pb::WatchNoticesRequest { parent, cursor };
        client.notices_streaming().watch_notices(request).await.map(Response::into_inner)
    }

    fn take(&mut self, change: &pb::WatchNoticesResponse) -> bool {
        if !change.cursor.is_empty() {
            self.cursor.clone_from(&change.cursor);
        }
        let Some(notice) = change.notice.as_ref().filter(|_| !change.heartbeat) else {
            return false;
        };
        if self.context.json {
            let (cursor, entry, ring) = (&change.cursor, &change.entry, change.ring);
            let notice = shape::notice(notice);
            let line = json!({ "cursor": cursor, "entry": entry, "ring": ring, "notice": notice });
            println!("{line}");
        } else {
            if change.ring && std::io::stderr().is_terminal() {
                eprint!("\u{7}");
            }
            println!("{}", self.line(notice, change.ring));
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.left == Some(0)
    }
}

impl Watch {
    /// One change on one line.
    fn line(&self, notice: &pb::Notice, ring: bool) -> String {
        let lang = self.context.lang;
        let title = notice.record.as_ref().map_or("", |record| record.title.as_str());
        let done = notice.recipients.iter().filter(|r| r.acknowledge_time.is_some()).count();
        let urgent = if ring { lang.pick("【紧急】", "URGENT ") } else { "" };
        format!(
            "{}  {}  {urgent}{}  {}  {}  {}",
            when::time(notice.issue_time.as_ref()),
            short(&notice.name),
            list::kind(notice, lang),
            self.names.city(notice.issuing_city),
            table::clean(title),
            lang.pick(
                format!("已签收 {done}/{}", notice.recipients.len()),
                format!("acknowledged by {done} of {}", notice.recipients.len()),
            ),
        )
    }
}
