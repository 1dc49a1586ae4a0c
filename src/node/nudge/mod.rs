//! Nudges (提醒): this city's own mail, robot or program is told that something waits here, and
//! never what it says.
//!
//! In scope: when a nudge leaves, what the status shows of it. Out of scope: what waits
//! ([`follow`]), how it is said ([`matter`]), what was told already ([`ledger`]), sending
//! ([`send`]).
//!
//! The task follows the feed beside everything else: nothing waits for it, one nudge is under way
//! at a time, and what comes meanwhile is gathered into the next.
//!
//! Invariants:
//! 1. A hook that hangs or refuses holds up nothing but nudges.
//!    (`nudge_a_hook_that_hangs_holds_up_nothing_else`)
//! 2. No content leaves. (`nudge_by_https_says_what_waits_and_never_what_it_says`)

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use self::follow::Follow;
use self::ledger::{Ledger, PAUSE_MAX_MS};
use self::matter::{Kind, Matter, Nudge};
use crate::api::status::HookStatus;
use crate::config::Hook;
use crate::node::clock::wall_ms;
use crate::node::due::Due;
use crate::node::watchdog::Pulse;
use crate::node::writer::NodeHandle;

mod follow;
mod ledger;
pub mod matter;
pub mod send;

/// How often what is applied is looked at.
const TICK: Duration = Duration::from_secs(1);

/// What nudging needs.
#[derive(Clone)]
pub struct Nudger {
    /// The node.
    pub node: NodeHandle,
    /// Its terms.
    pub due: Due,
    /// Where to, and how often.
    pub hook: Arc<Hook>,
    /// Where it is remembered what was told.
    pub file: PathBuf,
}

/// Nudges about an emergency are at least so far apart: a city that sends many does not flood.
const URGENT_S: u64 = 30;

/// How long is waited for more, and after the nudge before.
#[derive(Clone, Copy)]
struct Pace {
    gather: Duration,
    every_ms: i64,
}

/// How a nudge about these matters ended.
type Ended = (Vec<Matter>, Result<String, String>);

impl Nudger {
    /// Keeps nudging until `stop`.
    pub fn start(self, stop: CancellationToken) {
        let watchdog = self.node.shell().watchdog.clone();
        watchdog.keep("nudge", stop, move |pulse| self.clone().run(pulse));
    }

    async fn run(self, pulse: Pulse) {
        let (mut follow, mut sends) = (Follow::default(), JoinSet::new());
        let mut ledger = Arc::new(Ledger::read(&self.file));
        // Since when something is to be told.
        let mut since: Option<Instant> = None;
        loop {
            let (nudger, was) = (self.clone(), std::mem::take(&mut follow));
            let told = Arc::clone(&ledger);
            let look = move || {
                let now = was.look(&nudger.node, &nudger.due, nudger.hook.due_within_days);
                let due = told.due(&now.waiting, wall_ms(), millis(nudger.hook.again_s));
                (now, due)
            };
            let Ok((now, due)) = tokio::task::spawn_blocking(look).await else { return };
            follow = now;
            since = if due.is_empty() { None } else { since.or_else(|| Some(Instant::now())) };
            let pace = self.pace(&due);
            let gathered = since.is_some_and(|at| at.elapsed() >= pace.gather);
            let may = may_leave_ms(&ledger, pace) <= wall_ms();
            if gathered && may && sends.is_empty() {
                let nudger = self.clone();
                sends.spawn(async move { nudger.once(due).await });
                since = None;
            }
            self.show(&ledger, &follow, since, pace);
            pulse.done();
            tokio::select! {
                Some(joined) = sends.join_next() => match joined {
                    Ok(ended) => {
                        let told = Arc::unwrap_or_clone(ledger);
                        ledger = Arc::new(self.ended(told, &follow, ended).await);
                    }
                    // It broke off: everything is begun anew.
                    Err(_) => return,
                },
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// An emergency waits for nothing else, and not long for the nudge before it.
    fn pace(&self, due: &[Matter]) -> Pace {
        let urgent = due.first().is_some_and(|gravest| gravest.kind == Kind::Emergency);
        let gather = if urgent { Duration::ZERO } else { Duration::from_secs(self.hook.gather_s) };
        let every_s = if urgent { self.hook.every_s.min(URGENT_S) } else { self.hook.every_s };
        Pace { gather, every_ms: millis(every_s) }
    }

    async fn once(self, about: Vec<Matter>) -> Ended {
        let (reader, city) = (self.node.reader(), self.node.city());
        let (link, book) = (self.hook.console.clone(), self.node.book());
        let read = tokio::task::spawn_blocking(move || {
            // The number stands in a part that its author wrote: what is none is not passed on.
            let fits = |one: &Matter, text: &String| {
                book.get(one.agreement).is_some_and(|a| a.charter.is_running_number(text))
            };
            let nudge = Nudge::about(city, &about, link, |one| {
                follow::number(&reader, one).filter(|text| fits(one, text))
            });
            (about, nudge.bytes())
        });
        match read.await {
            Ok((about, bytes)) => (about, send::send(&self.hook, bytes, false).await),
            Err(error) => (Vec::new(), Err(error.to_string())),
        }
    }

    async fn ended(&self, mut ledger: Ledger, follow: &Follow, (about, done): Ended) -> Ledger {
        let address = self.hook.target.shown();
        match (&done, &ledger.failure) {
            (Ok(_), _) => tracing::info!(%address, "nudged"),
            (Err(why), None) => tracing::warn!(%address, %why, "a nudge was not taken"),
            (Err(why), Some(_)) => tracing::debug!(%address, %why, "nor was this one"),
        }
        ledger.ended(&about, &follow.waiting, wall_ms(), done.map(drop));
        let (kept, file) = (ledger.clone(), self.file.clone());
        // Awaited, so that nothing leaves before it is noted what has left.
        let _ = tokio::task::spawn_blocking(move || kept.write(&file)).await;
        ledger
    }

    fn show(&self, ledger: &Ledger, follow: &Follow, since: Option<Instant>, pace: Pace) {
        let next_ms = since.map(|at| {
            let left = pace.gather.saturating_sub(at.elapsed());
            let gathered = wall_ms().saturating_add(millis(left.as_secs()));
            gathered.max(may_leave_ms(ledger, pace))
        });
        let status = HookStatus {
            target: self.hook.target.shown(),
            waiting: u32::try_from(follow.waiting.len()).unwrap_or(u32::MAX),
            last_ok_ms: ledger.last_ok_ms,
            last_try_ms: ledger.last_try_ms,
            failure: ledger.failure.clone(),
            next_ms,
        };
        self.node.shell().know(|shell| shell.hook = Some(status));
    }
}

fn may_leave_ms(ledger: &Ledger, pace: Pace) -> i64 {
    let (now_ms, at_ms) = (wall_ms(), ledger.not_before_ms(pace.every_ms));
    // A clock that was set back is no reason to wait for longer than anything takes.
    let longest_ms = pace.every_ms.max(PAUSE_MAX_MS);
    if at_ms.saturating_sub(now_ms) > longest_ms { now_ms } else { at_ms }
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)
}
