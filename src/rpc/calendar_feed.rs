//! The calendar feed: when this city is out on joint actions, for office calendars that read an
//! address now and then.
//!
//! A feed shows settled plans of all agreements in which this city takes part: when, how often and
//! when that was last changed, and one word that is the same for all of them. It is made from the
//! days and the stage of a plan, and looks at no text. One that is revised leaves it until all have
//! confirmed again.
//!
//! In scope: which plans are looked at, and the text, kept for a moment. Out of scope: who reads it
//! ([`http`]), which plans are shown and how ([`crate::domain::plan::ics`]).
//!
//! Invariants:
//! 1. Nothing that anybody typed, and no name, number or place is in a feed.
//!    (`a_feed_shows_times_and_nothing_else`)

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Mutex;

use super::plan_calendar::stamp;
use crate::domain::plan::ics::{self, Entry, Shown};
use crate::ids::{AgreementId, SubjectId, hex};
use crate::lang::Lang;
use crate::limits::{
    CALENDAR_FEED_FRESH_MS, CALENDAR_FEED_LOOKED_AT_MAX, CALENDAR_PLANS_MAX, PAGE_BYTES_MAX,
};
use crate::log::merkle::digest;
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::trust::feed_secret::FeedSecret;
use crate::view::PlanView;

mod http;

/// Bytes of one entry, with room.
const ENTRY_BYTES: usize = 512;

/// The feed of a node.
pub struct CalendarFeed {
    node: NodeHandle,
    secret_file: PathBuf,
    lang: Lang,
    last: Arc<Mutex<Option<Made>>>,
}

/// A feed as it was made.
#[derive(Clone)]
struct Made {
    at: Instant,
    secret: FeedSecret,
    text: Bytes,
    /// Quoted, as it is sent.
    etag: String,
}

impl CalendarFeed {
    /// The feed of this node; whoever knows the secret in this file may read it.
    #[must_use]
    pub fn new(node: NodeHandle, secret_file: PathBuf, lang: Lang) -> Self {
        Self { node, secret_file, lang, last: Arc::default() }
    }

    /// The feed, made anew unless the last one is fresh. One is made at a time, also when whoever
    /// asked has left.
    async fn text(&self, secret: FeedSecret) -> Option<Made> {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        let fresh = Duration::from_millis(CALENDAR_FEED_FRESH_MS);
        let serves = |made: &&Made| made.secret == secret && made.at.elapsed() < fresh;
        if let Some(made) = last.as_ref().filter(serves) {
            return Some(made.clone());
        }
        let (node, lang) = (self.node.clone(), self.lang);
        let work = move || {
            let text = text(&node, lang, &secret);
            // Fresh from when it is there: whoever has waited for it takes it.
            let at = Instant::now();
            let etag = format!("\"{}\"", hex(digest(text.as_bytes()).as_bytes()));
            let made = Made { at, secret, text: text.into(), etag };
            *last = Some(made.clone());
            made
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

/// Settled plans of all agreements, in the order of their days: whose agreement one is of shows
/// nowhere.
fn text(node: &NodeHandle, lang: Lang, secret: &FeedSecret) -> String {
    let (reader, city, today) = (node.reader(), node.city(), node.today());
    let mut plans: Vec<(SubjectId, PlanView)> = Vec::new();
    let agreements: Vec<AgreementId> = node.book().iter().map(|(id, _)| *id).collect();
    for agreement in agreements {
        let mut looked = 0;
        pieces::plans(&reader, agreement, None, &mut |subject, view| {
            looked += 1;
            let answer = view.answers().get(&city).copied();
            if ics::is_in_feed(&view.plan, (city, answer), today) {
                plans.push((subject, view));
            }
            looked < CALENDAR_FEED_LOOKED_AT_MAX
        });
        // What is over makes room, then what is furthest ahead.
        plans.sort_by_key(|(subject, view)| {
            (ics::distance(&view.plan, today), ics::first_day(&view.plan), *subject)
        });
        plans.truncate(CALENDAR_PLANS_MAX);
    }
    let mut bytes = 0;
    plans.retain(|(_, view)| {
        bytes += ENTRY_BYTES * usize::try_from(view.plan.days_max).unwrap_or(usize::MAX);
        bytes <= PAGE_BYTES_MAX
    });
    plans.sort_by_key(|(subject, view)| (ics::first_day(&view.plan), *subject));
    written(&reader, &plans, Shown::Busy { word: word(lang), key: secret.key() })
}

fn written(reader: &Reader, plans: &[(SubjectId, PlanView)], shown: Shown<'_>) -> String {
    ics::calendar(plans.iter().map(|(id, view)| {
        let stamp_ms = stamp(reader, view.last_move, view.opened_ms);
        Entry { id: *id, plan: &view.plan, shown, stamp_ms }
    }))
}

/// What every entry is called.
fn word(lang: Lang) -> &'static str {
    lang.pick("联合执法行动", "Joint action")
}
