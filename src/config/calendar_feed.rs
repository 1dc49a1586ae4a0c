//! `[calendar_feed]`: where office calendars read when this city is out on joint actions. Without
//! the table nothing listens.
//!
//! In scope: the address. Out of scope: the secret part of the path, which lies in a file beside
//! the keys (`trust::feed_secret`); what is shown (`rpc::calendar_feed`).
//!
//! Invariants:
//! 1. It listens on this machine only, unless `allow_network` says otherwise.
//!    (`a_calendar_feed_stays_on_this_machine_unless_somebody_says_so`)

use std::net::SocketAddr;

use serde::Deserialize;

use super::{ConfigError, Reason, Resolver};
use crate::lang::Lang;

/// Where the feed is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CalendarFeed {
    /// Plain http.
    pub listen: SocketAddr,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    listen: String,
    #[serde(default)]
    allow_network: bool,
}

impl Raw {
    pub(super) fn check(self, at: &Resolver<'_>) -> Result<CalendarFeed, ConfigError> {
        let bad = |reason| at.bad("calendar_feed.listen", reason);
        let Ok(listen) = self.listen.parse::<SocketAddr>() else {
            return Err(bad(Reason::Address(self.listen)));
        };
        if !listen.ip().is_loopback() && !self.allow_network {
            return Err(bad(Reason::FeedLeaves));
        }
        Ok(CalendarFeed { listen })
    }
}

/// What is wrong with an address of the network, and what to do.
pub(super) fn leaves(lang: Lang) -> (String, String) {
    let (what, advice) = lang.pick(
        (
            "不是本机地址",
            "日历订阅为明文，请只在本机监听，由本单位的反向代理对外提供；确需在其他地址监听的，\
             另填 allow_network = true",
        ),
        (
            "is not an address of this machine",
            "the feed is plain http: listen on 127.0.0.1 behind the office's own proxy, or write \
             allow_network = true as well",
        ),
    );
    (what.to_owned(), advice.to_owned())
}
