//! Where messages are judged and clues are drafted, for all streams of a run.
//!
//! In scope: limits, what is kept until the node has it, what to do when that fails, counting.
//! Out of scope: streams and sockets, calls to the node ([`super::office`]).
//!
//! Where there is a spool, packets lie in it before their clue is drafted, and until the node has
//! the bytes that the clue lists. So no clue lists what can be lost, wherever this ends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clue::Clue;
use super::office::{self, Office};
use super::report::{Outcome, Report};
use super::spool::{self, Spool};
use super::stations::Stations;
use crate::cli::failure::{Exit, Failure};
use crate::domain::Date;
use crate::hj212::{Joined, Kind, Message, NotJudged, Packet, Refusal, Refused, judge};
use crate::lang::Lang;
use crate::node::clock::wall_ms;

/// Why a message stays in the spool folder.
const NO_CLUE_NOW: &str = "NOT_A_CLUE_NOW";

/// What judges and drafts.
pub struct Desk {
    /// Language of what is said.
    pub lang: Lang,
    /// Limits.
    pub stations: Stations,
    /// Which data counts.
    pub kinds: BTreeSet<Kind>,
    /// By station: one clue at a time, so that what a connection has in hand is not tried again
    /// beside it.
    pub turns: BTreeMap<String, tokio::sync::Mutex<()>>,
    /// Where messages lie until the node has all of them.
    pub spool: Option<Spool>,
    /// The node; none in a dry run.
    pub office: Option<Office>,
    /// What came of it all.
    pub report: Mutex<Report>,
    /// Files of the spool that the node refuses or nobody can read: left to the next run.
    pub left: Mutex<BTreeSet<PathBuf>>,
}

/// What became of a message.
#[derive(Debug)]
pub enum Taken {
    /// It is dealt with, or kept: a device that asks may be answered.
    Done,
    /// It is wrong: no answer.
    Refused,
    /// It is not kept, and its clue not drafted or without its bytes: no answer, so that it is
    /// sent again.
    Failed(Failure),
}

impl Desk {
    /// The counts.
    pub fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a part of a split packet of a device and joins it with its others, so that nothing is
    /// answered that lies in memory only; `None` for what is no part, or never becomes a clue.
    pub fn join(&self, packet: &Packet) -> Option<Result<Result<Joined, Refused>, Failure>> {
        let counts = Kind::of(packet.cn).is_some_and(|kind| self.kinds.contains(&kind));
        let (spool, part) = self.spool.as_ref().zip(packet.part)?;
        if !counts || !self.stations.contains_key(&packet.mn) {
            return None;
        }
        for _ in 0..spool.make_room_for_part() {
            self.report().refuse(0, Refusal::SplitIncomplete.into());
        }
        let joined = spool.join(packet, part, self.lang);
        Some(joined.inspect_err(|failure| self.say(&packet.mn, failure)))
    }

    /// A message is dealt with, or kept as a whole: its parts are not needed any more.
    pub fn drop_parts(&self, packet: &Packet) {
        if let Some((spool, part)) = self.spool.as_ref().zip(packet.part) {
            spool.drop_parts(packet, part);
        }
    }

    /// Judges a message that began at this byte of its stream, and drafts what there is to draft.
    pub async fn take(&self, offset: u64, message: &Message) -> Taken {
        let clue = match self.judged(message, true) {
            Ok(clue) => clue,
            Err(refused) => {
                self.report().refuse(offset, refused);
                return Taken::Refused;
            }
        };
        let Some(clue) = clue else { return Taken::Done };
        let _turn = self.turn(&message.first().mn).await;
        let kept = match self.spool.as_ref().map(|spool| spool.keep(&clue, self.lang)).transpose() {
            Ok(kept) => kept,
            Err(failure) => return self.failed(clue, failure),
        };
        match self.draft(&clue).await {
            Ok(outcome) => {
                self.report().end(clue, outcome);
                // Left behind, it is tried again and found to be there.
                let _ = kept.map(std::fs::remove_file);
                Taken::Done
            }
            Err(failure) if kept.is_some() => {
                self.say(&clue.number, &failure);
                self.report().end(clue, Outcome::Spooled(failure.reason));
                Taken::Done
            }
            Err(failure) => self.failed(clue, failure),
        }
    }

    fn say(&self, what: &str, failure: &Failure) {
        eprintln!("{what}\n{}", failure.text(self.lang));
    }

    fn failed(&self, clue: Clue, failure: Failure) -> Taken {
        self.say(&clue.number, &failure);
        self.report().end(clue, Outcome::Failed(failure.reason.clone()));
        Taken::Failed(failure)
    }

    async fn turn(&self, mn: &str) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        Some(self.turns.get(mn)?.lock().await)
    }

    /// Compares with the limits; none when there is nothing to draft and no clue of that time was
    /// drafted before. What is tried again is counted already.
    fn judged(&self, message: &Message, count: bool) -> Result<Option<Clue>, Refused> {
        let today = Date::beijing(wall_ms()).unwrap_or(Date::EARLIEST);
        let mn = &message.first().mn;
        let station = self.stations.get(mn);
        match judge(message, station, &self.kinds, today) {
            Ok(verdict) => {
                if count {
                    self.report().judge(&verdict);
                }
                let clue = station.map(|station| Clue::of(message, station, &verdict));
                Ok(clue.filter(|clue| clue.is_over || self.was_drafted(&clue.number)))
            }
            Err(NotJudged::Passed(why)) => {
                if count {
                    self.report().pass(why, mn);
                }
                Ok(None)
            }
            Err(NotJudged::Refused(refused)) => Err(refused),
        }
    }

    /// Whether a clue of this number was kept in the spool folder before, or drafted by this run.
    fn was_drafted(&self, number: &str) -> bool {
        let noted = self.spool.as_ref().is_some_and(|spool| spool.was_drafted(number));
        noted || self.report().was_drafted(number)
    }

    /// Has the node draft a clue and take the bytes that it lists.
    async fn draft(&self, clue: &Clue) -> Result<Outcome, Failure> {
        match &self.office {
            Some(office) if clue.is_over => office.draft(clue, self.lang).await,
            Some(office) => {
                let outcome = office.list_anew(clue, self.lang).await?;
                outcome.ok_or_else(|| self.no_clue_now())
            }
            None if self.report().has(&clue.number) => Ok(Outcome::AlreadyThere),
            None => Ok(Outcome::WouldBe),
        }
    }

    /// Tries again what lies in the spool; stops when the node cannot be reached.
    pub async fn try_again(&self) {
        let Some(spool) = self.spool.as_ref().filter(|_| self.office.is_some()) else { return };
        let mut said = BTreeSet::new();
        for path in spool.list() {
            if self.left().contains(&path) {
                continue;
            }
            let Err(failure) = self.again(&path).await else { continue };
            let for_now = office::NO_ROOM.contains(&failure.reason.as_str());
            // A full folder says the same of each.
            if !for_now || said.insert(failure.reason.clone()) {
                self.say(&path.display().to_string(), &failure);
            }
            if failure.exit != Exit::Refused {
                return;
            }
            if !for_now {
                self.left().insert(path);
            }
        }
    }

    fn left(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message was answered, so the device has it no more: limits or options of this run are no
    /// reason to lose it, nor is a clue that is not there yet.
    fn no_clue_now(&self) -> Failure {
        Failure::new(
            Exit::Refused,
            NO_CLUE_NOW,
            self.lang.pick(
                "按本次限值和选项不生成线索，报文保留；不需要的请自行删除",
                "no clue by the limits and options of this run; it is kept, delete it if it is not \
                 wanted",
            ),
        )
    }

    /// Tries one file of the spool again.
    async fn again(&self, path: &Path) -> Result<(), Failure> {
        let _turn = self.turn(&spool::station(path)).await;
        // The connection that had it in hand is done with it.
        if !path.exists() {
            return Ok(());
        }
        let unreadable = |why: String| Failure::new(Exit::Refused, "UNREADABLE", why);
        let message = spool::read(path).map_err(unreadable)?;
        let judged = self.judged(&message, false).map_err(|why| unreadable(why.to_string()))?;
        let clue = judged.ok_or_else(|| self.no_clue_now())?;
        let outcome = self.draft(&clue).await?;
        self.report().end(clue, outcome);
        // Left behind, it is found to be there.
        let _ = std::fs::remove_file(path);
        Ok(())
    }
}
