//! `[hook]`: where this city is nudged when something waits for it. Without the table nobody is.
//!
//! In scope: an address or a command, how often, what counts as near. Out of scope: what waits
//! ([`crate::node::nudge`]).
//!
//! Invariants:
//! 1. Whatever is printed of an address is its host and port: robots have their key in the path.
//!    (`nudge_settings_are_checked_and_an_address_keeps_its_secret`)
//! 2. Plain http goes to this machine only. (the same)

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, Reason, Resolver};
use crate::limits::{HOOK_TEXT_BYTES_MAX, HOOK_WORDS_MAX};

/// Where and when to nudge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// Where.
    pub target: HookTarget,
    /// Link to the own city's console, put into every nudge.
    pub console: Option<String>,
    /// Terms that end within so many days are told of; today is 0.
    pub due_within_days: u32,
    /// A matter is told again after so many seconds if nobody has acted.
    pub again_s: u64,
    /// So many seconds are waited for more matters before a nudge leaves.
    pub gather_s: u64,
    /// Two nudges are at least so many seconds apart.
    pub every_s: u64,
    /// A nudge that takes longer than so many seconds has failed.
    pub timeout_s: u64,
}

/// Where a nudge goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HookTarget {
    /// HTTP POST.
    Post {
        /// Where.
        url: HookUrl,
        /// CA certificates, PEM, in the place of the system's.
        ca: Option<PathBuf>,
    },
    /// A program and its arguments.
    Command(Vec<String>),
}

impl HookTarget {
    /// For people and log lines: no path, no query, no arguments, where keys may stand.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Post { url, .. } => url.to_string(),
            Self::Command(words) => words.first().cloned().unwrap_or_default(),
        }
    }
}

/// An address; only its host and port are ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HookUrl {
    /// Over TLS.
    pub is_https: bool,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl std::fmt::Display for HookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}/…", self.host, self.port)
    }
}

impl std::fmt::Debug for HookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl HookUrl {
    fn parse(text: &str) -> Result<Self, Reason> {
        let uri: http::Uri = text.parse().map_err(|_| Reason::HookUrl)?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        // A name and a password before the host would have to be sent as a header.
        let plain = uri.authority().is_some_and(|all| !all.as_str().contains('@'));
        if host.is_empty() || !plain || text.len() > HOOK_TEXT_BYTES_MAX || text.contains('#') {
            return Err(Reason::HookUrl);
        }
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if host == "127.0.0.1" => false,
            Some("http") => return Err(Reason::HookPlain),
            Some(_) | None => return Err(Reason::HookUrl),
        };
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        Ok(Self { is_https, host, port, path })
    }
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    url: Option<String>,
    ca: Option<PathBuf>,
    command: Option<Vec<String>>,
    console: Option<String>,
    due_within_days: Option<u32>,
    again_s: Option<u64>,
    gather_s: Option<u64>,
    every_s: Option<u64>,
    timeout_s: Option<u64>,
}

const DAY_S: u64 = 86_400;

impl Raw {
    pub(super) fn check(self, at: &Resolver<'_>) -> Result<Hook, ConfigError> {
        let target = match (self.url, self.command) {
            (Some(url), None) => {
                let url = HookUrl::parse(&url).map_err(|reason| at.bad("hook.url", reason))?;
                let ca = self.ca.map(|path| at.path("hook.ca", &path)).transpose()?;
                if ca.is_some() && !url.is_https {
                    return Err(at.bad("hook.ca", Reason::HookCa));
                }
                HookTarget::Post { url, ca }
            }
            (None, Some(_)) if self.ca.is_some() => return Err(at.bad("hook.ca", Reason::HookCa)),
            (None, Some(words)) => HookTarget::Command(command(words, at)?),
            (Some(_), Some(_)) | (None, None) => return Err(at.bad("hook", Reason::HookTarget)),
        };
        if let Some(console) = &self.console {
            let uri: Option<http::Uri> = console.parse().ok();
            let scheme = uri.as_ref().and_then(http::Uri::scheme_str);
            let fits = console.len() <= HOOK_TEXT_BYTES_MAX && !console.contains('@');
            if !fits || !matches!(scheme, Some("https" | "http")) {
                return Err(at.bad("hook.console", Reason::HookUrl));
            }
        }
        let within = |name: &str, set: Option<u64>, usual, least, most| {
            let got = set.unwrap_or(usual);
            let bad = || at.bad(&format!("hook.{name}"), Reason::Range { got, least, most });
            if (least..=most).contains(&got) { Ok(got) } else { Err(bad()) }
        };
        let days = within("due_within_days", self.due_within_days.map(u64::from), 3, 0, 60)?;
        Ok(Hook {
            target,
            console: self.console,
            due_within_days: u32::try_from(days).unwrap_or(u32::MAX),
            again_s: within("again_s", self.again_s, DAY_S, 5, 30 * DAY_S)?,
            gather_s: within("gather_s", self.gather_s, 10, 0, 3_600)?,
            every_s: within("every_s", self.every_s, 300, 1, DAY_S)?,
            timeout_s: within("timeout_s", self.timeout_s, 10, 1, 60)?,
        })
    }
}

/// No shell looks at the words, and no `PATH` finds the program: what runs is what is written.
fn command(words: Vec<String>, at: &Resolver<'_>) -> Result<Vec<String>, ConfigError> {
    let absolute = words.first().is_some_and(|program| Path::new(program).is_absolute());
    let short = words.iter().all(|word| word.len() <= HOOK_TEXT_BYTES_MAX && !word.contains('\0'));
    if absolute && short && words.len() <= HOOK_WORDS_MAX {
        Ok(words)
    } else {
        Err(at.bad("hook.command", Reason::HookCommand))
    }
}
