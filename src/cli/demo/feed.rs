//! Walks cases through their scripts, each step through the API of the city that makes it.
//!
//! In scope: waiting until a city holds what its step rests on, asking again when an answer was
//! lost. Out of scope: what the steps are ([`super::script`]); killing and starting processes.
//!
//! Invariants:
//! 1. A step is sent with the same bytes however often it is asked, so it is done once.
//!    (`a_second_run_adds_nothing`)
//! 2. A city is asked to move only when it holds the moves and contributions before.
//!    (`five_cities_agree_and_strangers_can_check_it`)
//! 3. However fast the cities are, something is left to do while one of them is away.
//!    (`something_is_left_to_do_without_the_city_that_goes`)

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::sync::watch;

use super::ask;
use super::cities::Door;
use super::script::{Script, Sort, Step};
use crate::cli::case::write::{Done, Prepared};
use crate::cli::failure::{Exit, Failure};
use crate::cli::status_text;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// All cities run: each holds what was written, and answers, well within this time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// Refusals of a node that only has too much to do.
const COME_BACK: [&str; 2] = ["BUSY", "RATE_LIMITED"];

/// How far the scripts are: steps done, by the place of the script.
pub type Progress = Vec<usize>;

/// Where the demo is with the city that it kills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It runs, and will be killed.
    Before,
    /// It is away.
    Away,
    /// It is back, and ready.
    Back,
}

/// Steps after which a script waits until a city is away; `None` for one that needs that city: it
/// goes on, so that the city is killed in the middle of something.
#[must_use]
pub fn waits_after(script: &Script, away: u32) -> Option<usize> {
    let needed = script.steps.iter().any(|step| step.city == away);
    (!needed).then_some(script.steps.len() / 2)
}

/// What came of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walked {
    /// Steps done now.
    pub new: usize,
    /// Steps that had been done in an earlier run.
    pub replayed: usize,
    /// Somebody has gone on with the case since an earlier run; it was left alone.
    pub left_alone: usize,
}

/// Everything a script needs to be walked.
pub struct Feed {
    /// Doors to the cities.
    pub doors: BTreeMap<u32, Door>,
    /// Names of the agreements, by their members.
    pub agreements: BTreeMap<Vec<u32>, String>,
    /// The folder is new: nobody else can have moved the cases.
    pub fresh: bool,
    /// Language of refusals.
    pub lang: Lang,
    /// Moved on with every step.
    pub bar: ProgressBar,
    /// Told of every step.
    pub progress: watch::Sender<Progress>,
    /// The city that is killed.
    pub away: u32,
    /// Whether it is away.
    pub stage: watch::Receiver<Stage>,
}

/// A script under way.
struct Walk<'a> {
    script: &'a Script,
    parent: &'a str,
    /// The case's name, once it is open.
    name: String,
    etag: String,
    /// Entries of the steps so far.
    entries: Vec<String>,
    moves: u32,
    contributions: u32,
    /// The city that made the last step.
    last: u32,
}

impl Feed {
    /// Walks every script to its end, all at the same time.
    ///
    /// # Errors
    /// The first [`Failure`], naming case and step.
    pub async fn walk_all(self: Arc<Self>, scripts: Vec<Script>) -> Result<Walked, Failure> {
        let mut walks = tokio::task::JoinSet::new();
        for (place, script) in scripts.into_iter().enumerate() {
            let feed = Arc::clone(&self);
            walks.spawn(async move { feed.walk(place, &script).await });
        }
        let mut all = Walked::default();
        while let Some(ended) = walks.join_next().await {
            let ended = ended.map_err(|e| Failure::local(format!("a script broke off: {e}")))?;
            let walked = ended?;
            all.new += walked.new;
            all.replayed += walked.replayed;
            all.left_alone += walked.left_alone;
        }
        Ok(all)
    }

    async fn walk(&self, place: usize, script: &Script) -> Result<Walked, Failure> {
        let parent = self.agreements.get(&script.members).ok_or_else(|| {
            Failure::local(format!("{}: no agreement of {:?}", script.id, script.members))
        })?;
        let mut walk = Walk {
            script,
            parent,
            name: String::new(),
            etag: String::new(),
            entries: Vec::new(),
            moves: 0,
            contributions: 0,
            last: 0,
        };
        let mut walked = Walked::default();
        let waits_after = waits_after(script, self.away);
        for (nth, step) in script.steps.iter().enumerate() {
            if waits_after == Some(nth) {
                // Whoever ends it has broken off, and with it everything.
                let _ = self.stage.clone().wait_for(|stage| *stage != Stage::Before).await;
            }
            match self.step(&mut walk, step).await {
                Ok(receipt) if receipt.replayed => walked.replayed += 1,
                Ok(_) => walked.new += 1,
                Err(failure) if !self.fresh && failure.exit == Exit::Refused => {
                    walked.left_alone = 1;
                    break;
                }
                Err(failure) => return Err(failure),
            }
            self.done(place, 1);
        }
        let left = script.steps.len().saturating_sub(walk.entries.len());
        self.done(place, left);
        Ok(walked)
    }

    fn is_one_away(&self) -> bool {
        *self.stage.borrow() == Stage::Away
    }

    fn done(&self, place: usize, steps: usize) {
        self.bar.inc(u64::try_from(steps).unwrap_or(0));
        self.progress.send_modify(|progress| {
            if let Some(done) = progress.get_mut(place) {
                *done += steps;
            }
        });
    }

    /// Makes one step and remembers what the next ones rest on.
    async fn step(&self, walk: &mut Walk<'_>, step: &Step) -> Result<pb::WriteReceipt, Failure> {
        let nth = walk.entries.len();
        let about = || format!("{} #{nth}, {:06}", walk.script.id, step.city);
        let door = self.doors.get(&step.city).ok_or_else(|| Failure::local(about()))?;
        if nth > 0 && step.city != walk.last {
            let held = self.until_held(door, walk).await;
            held.map_err(|failure| failure.detail(about()))?;
        }
        let opening = step.act.sort() == Sort::Opening;
        let acting_for = step.officer();
        let prepared = Prepared {
            name: if opening { walk.parent.to_owned() } else { walk.name.clone() },
            etag: walk.etag.clone(),
            effective_on: step.on,
            text: step.text.clone(),
            request_id: format!("demo-{}-{nth}", walk.script.id),
            acting_for: acting_for.map(|certificate_number| pb::ActingFor { certificate_number }),
        };
        let done = self.write(door, walk, step, &prepared).await;
        let Done { case, receipt } = done.map_err(|failure| failure.detail(about()))?;
        match step.act.sort() {
            Sort::Opening | Sort::Move => {
                walk.etag.clone_from(&receipt.entry);
                walk.moves += 1;
            }
            Sort::Contribution => walk.contributions += 1,
        }
        walk.name = case.name;
        walk.entries.push(receipt.entry.clone());
        walk.last = step.city;
        Ok(receipt)
    }

    /// Asks until an answer comes: a city may be away for a while.
    async fn write(
        &self,
        door: &Door,
        walk: &Walk<'_>,
        step: &Step,
        prepared: &Prepared,
    ) -> Result<Done, Failure> {
        let mut begun = Instant::now();
        let client = door.of(step.act.caller());
        loop {
            if self.is_one_away() {
                begun = Instant::now();
            }
            let refused = match ask::ask(client, walk.script, &walk.entries, step, prepared).await {
                Ok(done) => return Ok(done.into_inner()),
                Err(status) => status_text::write_failure(
                    &status,
                    client.last_dial().as_ref(),
                    &prepared.retry_flags(),
                    self.lang,
                ),
            };
            let again = refused.exit == Exit::Unknown || COME_BACK.contains(&&*refused.reason);
            if !again || begun.elapsed() > PATIENCE {
                return Err(refused);
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// Waits until a city's node holds every step so far.
    async fn until_held(&self, door: &Door, walk: &Walk<'_>) -> Result<(), Failure> {
        let mut begun = Instant::now();
        let client = &door.system;
        loop {
            if self.is_one_away() {
                begun = Instant::now();
            }
            let request = pb::GetCaseRequest { name: walk.name.clone() };
            let missing = match client.cases().get_case(request).await {
                Ok(answer) => {
                    let case = answer.into_inner().case.unwrap_or_default();
                    if case.move_count >= walk.moves
                        && case.contribution_count >= walk.contributions
                    {
                        return Ok(());
                    }
                    Failure::new(Exit::NotSynced, "NOT_SYNCED", case.etag)
                }
                Err(status) => client.failure(&status),
            };
            if begun.elapsed() > PATIENCE {
                return Err(missing);
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }
}
