//! Ringing other cities: an own emergency is offered to every city it is for, at once and over a
//! connection of its own, until that city's node says that its entry is there or a person there has
//! acknowledged it. A city that nobody can dial is not rung; its entry comes over the link.
//!
//! In scope: whom to ring and when again. Out of scope: what an alert is ([`crate::node::alert`]),
//! the exchange, which carries the entry itself.
//!
//! Invariants:
//! 1. Only what is synced here rings: notices are found in the feed of what is applied.
//! 2. A city that cannot be reached holds up no other. (`f28_...`)

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::limits::RINGS_KEPT_MAX;
use crate::log::SubjectKind;
use crate::node::clock::wall_ms;
use crate::node::dial::Dialer;
use crate::node::pieces;
use crate::node::reader::LoadedEntry;
use crate::node::watchdog::Pulse;
use crate::view::{self, NoticeView};

/// First pause after a city could not be rung; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// Longest pause: an emergency is offered again within this time of a city's return.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A ring that takes longer, over a connection that stands, has failed.
const RING_TIMEOUT: Duration = Duration::from_secs(10);
/// A city that rings keeps that in memory only, until the entry is there: it is offered again.
const RING_AGAIN: Duration = Duration::from_secs(60);
/// How often pauses are looked at.
const TICK: Duration = Duration::from_millis(250);

/// What one ring comes to: it rings; true when the entry is there as well.
pub type Ringing = Pin<Box<dyn Future<Output = Result<bool, String>> + Send>>;
/// Rings over an open channel.
pub type Ring = Arc<dyn Fn(Channel, AgreementId, LoadedEntry) -> Ringing + Send + Sync>;

/// When cities said that they ring, milliseconds since 1970-01-01 UTC; clones share it.
#[derive(Clone, Default)]
pub struct Rung(Arc<Mutex<BTreeMap<(Position, CityCode), i64>>>);

impl Rung {
    /// Since when a city rings for the notice that this entry opened.
    #[must_use]
    pub fn since(&self, at: Position, city: CityCode) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(at, city)).copied()
    }

    fn note(&self, at: Position, city: CityCode) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((at, city)).or_insert_with(wall_ms);
        if all.len() > RINGS_KEPT_MAX {
            all.pop_first();
        }
    }
}

/// What ringing needs.
#[derive(Clone)]
pub struct Ringer {
    /// How cities are reached.
    pub dialer: Dialer,
    /// Rings over an open channel.
    pub ring: Ring,
    /// Who rings.
    pub rung: Rung,
}

/// When to ring a city again.
struct Next {
    at: Instant,
    pause: Duration,
}

/// One city to be rung for one notice.
type Call = (AgreementId, SubjectId, CityCode);

#[derive(Default)]
struct Open {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// Own emergencies that go on.
    notices: BTreeMap<(AgreementId, SubjectId), NoticeView>,
    next: BTreeMap<Call, Next>,
    under_way: BTreeSet<Call>,
    /// Where the entry itself is: nothing more to do.
    there: BTreeSet<Call>,
}

impl Ringer {
    /// Keeps ringing until `stop`.
    pub fn start(self, stop: CancellationToken) {
        let watchdog = self.dialer.node.shell().watchdog.clone();
        watchdog.keep("ring", stop, move |pulse| self.clone().run(pulse));
    }

    async fn run(self, pulse: Pulse) {
        let mut applied = self.dialer.node.applied();
        let mut open = Open::default();
        let mut rings = JoinSet::new();
        loop {
            let (ringer, was) = (self.clone(), std::mem::take(&mut open));
            let looked = tokio::task::spawn_blocking(move || ringer.look(was)).await;
            let Ok(now) = looked else { return };
            open = now;
            for call in self.due(&open) {
                open.under_way.insert(call);
                let (ringer, at) = (self.clone(), open.opened_at(call));
                rings.spawn(async move { (call, ringer.once(call, at).await) });
            }
            pulse.done();
            tokio::select! {
                Some(joined) = rings.join_next() => match joined {
                    Ok((call, done)) => self.ended(&mut open, call, done),
                    // It broke off: everything is begun anew.
                    Err(_) => return,
                },
                changed = applied.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Cities to be rung now, each for one notice at a time.
    fn due(&self, open: &Open) -> Vec<Call> {
        let (own, now) = (self.dialer.node.city(), Instant::now());
        let book = self.dialer.node.book();
        let mut busy: BTreeSet<CityCode> = open.under_way.iter().map(|(.., city)| *city).collect();
        let mut due = Vec::new();
        for ((agreement, subject), view) in &open.notices {
            let members = book.get(*agreement).map(|a| a.cities()).unwrap_or_default();
            for city in view.notice.addressees.iter().filter(|city| **city != own) {
                let call = (*agreement, *subject, *city);
                let waits = open.next.get(&call).is_some_and(|next| next.at > now);
                let done = !view.awaits(*city) || open.there.contains(&call);
                let may = members.contains(city) && !book.is_suspended(*city);
                if may && !waits && !done && busy.insert(*city) {
                    due.push(call);
                }
            }
        }
        due
    }

    fn ended(&self, open: &mut Open, call: Call, done: Result<bool, String>) {
        open.under_way.remove(&call);
        let (_, _, city) = call;
        let (at, pause) = match done {
            Ok(there) => {
                if let Some(at) = open.opened_at(call) {
                    self.rung.note(at, city);
                }
                if there {
                    open.there.insert(call);
                }
                (RING_AGAIN, PAUSE_FIRST)
            }
            Err(reason) => {
                let last = open.next.get(&call).map(|next| next.pause * 2);
                match last {
                    None => tracing::warn!(%city, %reason, "an emergency could not be rung yet"),
                    Some(_) => tracing::debug!(%city, %reason, "nor now"),
                }
                let pause = last.unwrap_or(PAUSE_FIRST).min(PAUSE_MAX);
                (pause, pause)
            }
        };
        open.next.insert(call, Next { at: Instant::now() + at, pause });
    }

    async fn once(self, call: Call, at: Option<Position>) -> Result<bool, String> {
        let (agreement, _, city) = call;
        let at = at.ok_or("the notice is gone")?;
        let reader = self.dialer.node.reader();
        let entry = tokio::task::spawn_blocking(move || reader.entry(at)).await;
        let entry = entry.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        // Dialling has a limit of its own for each address on the card.
        let channel = self.dialer.reach(city).await?;
        let rung = tokio::time::timeout(RING_TIMEOUT, (self.ring)(channel, agreement, entry)).await;
        rung.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// Own emergencies as of now. The first look walks all notices.
    fn look(&self, mut open: Open) -> Open {
        let node = &self.dialer.node;
        let reader = node.reader();
        if open.feed != Some(reader.feed_id()) {
            let under_way = std::mem::take(&mut open.under_way);
            open = Open { feed: Some(reader.feed_id()), under_way, ..Open::default() };
            open.read_to = reader.apply_number(&reader.view());
            let agreements: Vec<AgreementId> = node.book().iter().map(|(id, _)| *id).collect();
            for agreement in agreements {
                pieces::notices(&reader, agreement, None, &mut |subject, view| {
                    self.take((agreement, subject), view, &mut open);
                    true
                });
            }
        }
        while let Some((changes, last)) = pieces::changes(&reader, open.read_to) {
            for (agreement, subject) in changes.iter().filter_map(|change| {
                Some((change.agreement, change.record_of(SubjectKind::Notice)?))
            }) {
                if let Some(view) = view::notice(&reader.view(), agreement, subject) {
                    self.take((agreement, subject), view, &mut open);
                }
            }
            open.read_to = last;
        }
        open
    }

    fn take(&self, key: (AgreementId, SubjectId), view: NoticeView, open: &mut Open) {
        let notice = &view.notice;
        let rings = notice.issuer == self.dialer.node.city() && notice.kind.rings();
        if rings && notice.addressees.iter().any(|city| view.awaits(*city)) {
            open.notices.insert(key, view);
        } else {
            open.notices.remove(&key);
            open.next.retain(|(agreement, subject, _), _| (*agreement, *subject) != key);
            open.there.retain(|(agreement, subject, _)| (*agreement, *subject) != key);
        }
    }
}

impl Open {
    fn opened_at(&self, (agreement, subject, _): Call) -> Option<Position> {
        self.notices.get(&(agreement, subject)).map(|view| view.opened_at)
    }
}
