//! Where messages are judged and clues are drafted, for all streams of a run.
//!
//! In scope: limits, evidence files, the call to the node, what to do when it fails, counting.
//! Out of scope: streams and sockets.
//!
//! A clue has one number for each station and time (`external_ref`), and a node takes a number
//! once: the same packet twice makes one clue, whoever sends it, also after a lost answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tonic::Code;
use tonic_types::StatusExt;

use super::clue::Clue;
use super::report::{Outcome, Report};
use super::spool::{self, Spool};
use super::stations::Stations;
use crate::cli::case::Session;
use crate::cli::failure::{Exit, Failure};
use crate::cli::{files, status_text};
use crate::domain::Date;
use crate::hj212::{Kind, Message, NotJudged, Refused, judge};
use crate::lang::Lang;
use crate::node::clock::wall_ms;
use crate::wire::pb::v1 as pb;

/// The node that drafts.
pub struct Office {
    /// The connection.
    pub session: Session,
    /// Agreements by what stations call them; `None` for those that name none.
    pub parents: BTreeMap<Option<String>, String>,
    /// Certificate number of the officer a system acts for.
    pub officer: Option<String>,
}

/// What judges and drafts.
pub struct Desk {
    /// Language of what is said.
    pub lang: Lang,
    /// Limits.
    pub stations: Stations,
    /// Which data counts.
    pub kinds: BTreeSet<Kind>,
    /// Where evidence is saved.
    pub evidence: Option<PathBuf>,
    /// Where messages wait for the node.
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
    /// Its clue could not be drafted and is kept nowhere: no answer, so that it is sent again.
    Failed(Failure),
}

impl Desk {
    /// The counts.
    pub fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
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
        match self.draft(&clue).await {
            Ok(outcome) => {
                self.report().end(clue, outcome);
                Taken::Done
            }
            Err(failure) => self.keep(clue, failure),
        }
    }

    /// Compares with the limits; none when there is nothing to draft. What is tried again is
    /// counted already.
    fn judged(&self, message: &Message, count: bool) -> Result<Option<Clue>, Refused> {
        let today = Date::beijing(wall_ms()).unwrap_or(Date::EARLIEST);
        let mn = &message.first().mn;
        let station = self.stations.get(mn);
        match judge(message, station, &self.kinds, today) {
            Ok(verdict) => {
                if count {
                    self.report().judge(&verdict);
                }
                Ok(station.and_then(|station| Clue::of(message, station, &verdict)))
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

    /// Saves the evidence, then asks the node. What is there already with other evidence, such as
    /// the same hour sent anew, leaves no file behind.
    async fn draft(&self, clue: &Clue) -> Result<Outcome, Failure> {
        let Some(office) = &self.office else {
            let twice = self.report().has(&clue.number);
            return Ok(if twice { Outcome::AlreadyThere } else { Outcome::WouldBe });
        };
        let saved = self.evidence.as_deref().map(|folder| save(folder, clue, self.lang));
        let saved = saved.transpose()?.flatten();
        let outcome = office.create(clue, self.lang).await?;
        if let (Outcome::AlreadyThere, Some(path)) = (&outcome, saved)
            && !office.may_hold_evidence(clue).await
        {
            let _ = std::fs::remove_file(path);
        }
        Ok(outcome)
    }

    /// Puts into the spool what could not be drafted.
    fn keep(&self, clue: Clue, failure: Failure) -> Taken {
        eprintln!("{}\n{}", clue.number, failure.text(self.lang));
        let Some(spool) = &self.spool else {
            self.report().end(clue, Outcome::Failed(failure.reason.clone()));
            return Taken::Failed(failure);
        };
        match spool.keep(&clue, self.lang) {
            Ok(()) => {
                self.report().end(clue, Outcome::Spooled(failure.reason));
                Taken::Done
            }
            Err(full) => {
                eprintln!("{}", full.text(self.lang));
                self.report().end(clue, Outcome::Failed(failure.reason));
                Taken::Failed(full)
            }
        }
    }

    /// Tries again what lies in the spool; stops when the node cannot be reached.
    pub async fn try_again(&self) {
        let Some(spool) = self.spool.as_ref().filter(|_| self.office.is_some()) else { return };
        for path in spool.list() {
            let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).contains(&path);
            if left {
                continue;
            }
            let judged = spool::read(&path).and_then(|message| {
                self.judged(&message, false).map_err(|refused| refused.to_string())
            });
            let drafted = match judged {
                Ok(Some(clue)) => self.draft(&clue).await.map(|outcome| (clue, outcome)),
                // It was answered, so the device has it no more: limits or options of this run are
                // no reason to lose it.
                Ok(None) => Err(Failure::new(
                    Exit::Refused,
                    "NOT_A_CLUE_NOW",
                    self.lang.pick(
                        "按本次限值和选项不生成线索，报文保留；不需要的请自行删除",
                        "no clue by the limits and options of this run; it is kept, delete it \
                         if it is not wanted",
                    ),
                )),
                Err(why) => Err(Failure::new(Exit::Refused, "UNREADABLE", why)),
            };
            match drafted {
                Ok((clue, outcome)) => {
                    self.report().end(clue, outcome);
                    let _ = std::fs::remove_file(&path);
                }
                Err(failure) => {
                    eprintln!("{}\n{}", path.display(), failure.text(self.lang));
                    if failure.exit != Exit::Refused {
                        return;
                    }
                    self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
                }
            }
        }
    }
}

/// Saves the evidence; gives the path if it was not there yet.
fn save(folder: &Path, clue: &Clue, lang: Lang) -> Result<Option<PathBuf>, Failure> {
    let path = folder.join(clue.file_name());
    // Its name has the digest of what is in it.
    if path.exists() {
        return Ok(None);
    }
    files::write_new(&path, clue.evidence.as_bytes(), lang)?;
    Ok(Some(path))
}

impl Office {
    async fn create(&self, clue: &Clue, lang: Lang) -> Result<Outcome, Failure> {
        let parent = self.parents.get(&clue.agreement).cloned().unwrap_or_default();
        let request = clue.request(parent, self.officer.as_deref());
        match self.session.client.cases().create_case(request).await {
            Ok(answer) => {
                let case = answer.into_inner().case.unwrap_or_default();
                Ok(Outcome::Drafted(case.number))
            }
            Err(status) => {
                let taken = status
                    .get_details_error_info()
                    .is_some_and(|info| info.reason == "EXTERNAL_REF_TAKEN");
                if taken {
                    return Ok(Outcome::AlreadyThere);
                }
                let dial = self.session.client.last_dial();
                let mut failure = status_text::failure(&status, dial.as_ref(), lang);
                // Too many calls, or a full disk over there, says nothing about the clue.
                let passing = [
                    Code::Unavailable,
                    Code::DeadlineExceeded,
                    Code::Cancelled,
                    Code::Aborted,
                    Code::ResourceExhausted,
                ];
                if passing.contains(&status.code()) {
                    failure.exit = Exit::Unreachable;
                }
                Err(failure)
            }
        }
    }

    /// Whether a case with this number may rest on exactly this evidence; also when the node does
    /// not say.
    async fn may_hold_evidence(&self, clue: &Clue) -> bool {
        let request = pb::ListCasesRequest {
            parent: "agreements/-".to_owned(),
            external_number: clue.number.clone(),
            ..pb::ListCasesRequest::default()
        };
        let Ok(answer) = self.session.client.cases().list_cases(request).await else { return true };
        let cases = answer.into_inner().cases;
        let mut evidence = cases.iter().flat_map(|case| &case.record).flat_map(|r| &r.evidence);
        cases.is_empty() || evidence.any(|item| item.sha256.as_ref() == clue.sha256.as_bytes())
    }
}
