//! Reaching other cities with own notices: an emergency is offered to every city it is for, at
//! once and over a connection of its own, until that city's node says that its entry is there or a
//! person there has acknowledged it. Of a notice whose text is for some members only, those members
//! are asked whether they have the text: no receipt tells. A city that nobody can dial is neither
//! rung nor asked; its entry comes over the link.
//!
//! In scope: whom to ring or ask and when again. Out of scope: what an alert is
//! ([`crate::node::alert`]), the exchange, which carries the entry itself.
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
/// Longest pause between two questions whether a city has a text: nothing waits for the answer.
const ASK_PAUSE_MAX: Duration = Duration::from_secs(300);
/// How often pauses are looked at.
const TICK: Duration = Duration::from_millis(250);

/// What one ring comes to: it rings; true when the entry is there as well.
pub type Ringing = Pin<Box<dyn Future<Output = Result<bool, String>> + Send>>;
/// Rings over an open channel.
pub type Ring = Arc<dyn Fn(Channel, AgreementId, LoadedEntry) -> Ringing + Send + Sync>;
/// Asks over an open channel whether the text of a notice is there.
pub type Ask = Arc<dyn Fn(Channel, AgreementId, SubjectId) -> Ringing + Send + Sync>;

/// When cities first said something of a notice, milliseconds since 1970-01-01 UTC.
type Said = BTreeMap<(Position, CityCode), i64>;

/// How far own notices have got, by what other cities' nodes said since this one was started, by
/// the entry that opened the notice; clones share it.
#[derive(Clone, Default)]
pub struct Reached(Arc<Mutex<[Said; 2]>>);

impl Reached {
    /// Since when a city rings.
    #[must_use]
    pub fn rings_since(&self, at: Position, city: CityCode) -> Option<i64> {
        let [rung, _] = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rung.get(&(at, city)).copied()
    }

    /// Since when a city is known to have the text; it may have come earlier.
    #[must_use]
    pub fn held_since(&self, at: Position, city: CityCode) -> Option<i64> {
        let [_, held] = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&(at, city)).copied()
    }

    fn note(&self, errand: Errand, at: Position, city: CityCode) {
        let [rung, held] = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = match errand {
            Errand::Ring => rung,
            Errand::Ask => held,
        };
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
    /// Asks over an open channel.
    pub ask: Ask,
    /// How far notices have got.
    pub reached: Reached,
}

/// Why a city is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    /// An emergency rings there.
    Ring,
    /// Whether the text is there.
    Ask,
}

/// An own notice that somebody has to acknowledge yet.
struct Awaiting {
    view: NoticeView,
    /// Its text is for some members only; not looked at yet, if absent.
    narrow: Option<bool>,
}

impl Awaiting {
    fn wants(&self, errand: Errand) -> bool {
        match errand {
            Errand::Ring => self.view.notice.kind.rings(),
            Errand::Ask => self.narrow == Some(true),
        }
    }
}

/// When to ring a city again.
struct Next {
    at: Instant,
    pause: Duration,
}

/// One city to be called for one notice.
type Call = (AgreementId, SubjectId, CityCode, Errand);

#[derive(Default)]
struct Open {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// Own notices to ring or to ask for.
    notices: BTreeMap<(AgreementId, SubjectId), Awaiting>,
    next: BTreeMap<Call, Next>,
    under_way: BTreeSet<Call>,
    /// Where the entry, or the text, is: nothing more to do.
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

    /// Cities to be called now, one notice at a time for each errand: no question delays a ring.
    fn due(&self, open: &Open) -> Vec<Call> {
        let mut due = Vec::new();
        for errand in [Errand::Ring, Errand::Ask] {
            let under_way = open.under_way.iter().filter(|(.., of)| *of == errand);
            let mut busy: BTreeSet<CityCode> = under_way.map(|(_, _, city, _)| *city).collect();
            for (key, awaiting) in open.notices.iter().filter(|(_, one)| one.wants(errand)) {
                let calls = self.to_call(*key, &awaiting.view, errand, open);
                due.extend(calls.filter(|(_, _, city, _)| busy.insert(*city)));
            }
        }
        due
    }

    /// Cities that may be called for one notice now.
    fn to_call(
        &self,
        (agreement, subject): (AgreementId, SubjectId),
        view: &NoticeView,
        errand: Errand,
        open: &Open,
    ) -> impl Iterator<Item = Call> {
        let (node, now) = (&self.dialer.node, Instant::now());
        let (own, book) = (node.city(), node.book());
        let members = book.get(agreement).map(|a| a.cities()).unwrap_or_default();
        let all = view.notice.addressees.iter().filter(move |city| **city != own);
        all.map(move |city| (agreement, subject, *city, errand)).filter(move |call| {
            let (_, _, city, _) = call;
            let waits = open.next.get(call).is_some_and(|next| next.at > now);
            let done = !view.awaits(*city) || open.there.contains(call);
            // Whoever is cut off has no text; nobody dials to be told so.
            let worth = errand == Errand::Ring || node.is_linked(*city);
            members.contains(city) && !book.is_suspended(*city) && worth && !waits && !done
        })
    }

    fn ended(&self, open: &mut Open, call: Call, done: Result<bool, String>) {
        open.under_way.remove(&call);
        let (_, _, city, errand) = call;
        let says = matches!((&done, errand), (Ok(_), Errand::Ring) | (Ok(true), Errand::Ask));
        // Nobody needs to know any more of one that everybody has acknowledged meanwhile.
        let Some(at) = open.opened_at(call) else { return };
        if says {
            self.reached.note(errand, at, city);
        }
        let last = open.next.get(&call).map(|next| next.pause * 2);
        let (at, pause) = match (done, errand) {
            (Ok(there), _) if there => {
                open.there.insert(call);
                return;
            }
            (Ok(_), Errand::Ring) => (RING_AGAIN, PAUSE_FIRST),
            // Also where its entry has not come yet, which is an error there.
            (answer, Errand::Ask) => {
                if let Err(reason) = answer {
                    tracing::debug!(%city, %reason, "whether it has a notice is not known");
                }
                let pause = last.unwrap_or(PAUSE_FIRST).min(ASK_PAUSE_MAX);
                (pause, pause)
            }
            (Err(reason), Errand::Ring) => {
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
        let (agreement, subject, city, errand) = call;
        let at = at.ok_or("the notice is gone")?;
        // Dialling has a limit of its own for each address on the card.
        let channel = self.dialer.reach(city).await?;
        let answer = match errand {
            Errand::Ring => {
                let reader = self.dialer.node.reader();
                let entry = tokio::task::spawn_blocking(move || reader.entry(at)).await;
                let entry = entry.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
                (self.ring)(channel, agreement, entry)
            }
            Errand::Ask => (self.ask)(channel, agreement, subject),
        };
        let answer = tokio::time::timeout(RING_TIMEOUT, answer).await;
        answer.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// Own notices to ring or to ask for, as of now. The first look walks all notices.
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
        // The walk is over: nobody reads entries within it.
        for one in open.notices.values_mut().filter(|one| one.narrow.is_none()) {
            let opening = reader.entry(one.view.opened_at).ok();
            one.narrow = Some(opening.is_some_and(|one| one.entry.envelope.has_narrow_part()));
        }
        open.notices.retain(|_, one| one.wants(Errand::Ring) || one.wants(Errand::Ask));
        open
    }

    fn take(&self, key: (AgreementId, SubjectId), view: NoticeView, open: &mut Open) {
        let node = &self.dialer.node;
        let own = view.notice.issuer == node.city();
        let awaits = own && view.notice.addressees.iter().any(|city| view.awaits(*city));
        if awaits {
            open.notices.insert(key, Awaiting { view, narrow: None });
        } else {
            open.notices.remove(&key);
            open.next.retain(|(agreement, subject, ..), _| (*agreement, *subject) != key);
            open.there.retain(|(agreement, subject, ..)| (*agreement, *subject) != key);
        }
    }
}

impl Open {
    fn opened_at(&self, (agreement, subject, ..): Call) -> Option<Position> {
        self.notices.get(&(agreement, subject)).map(|one| one.view.opened_at)
    }
}
