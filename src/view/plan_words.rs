//! What the cities have said to plans, as it lies beside them: by plan, sort, city, revision and
//! place. So the newest word of a city is found without reading the others.
//!
//! In scope: the rows, walking them. Out of scope: which words fit, and what is made of them
//! ([`super::plan_view`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::keys;
use super::rows::{ReadRows, Rows, get, put};
use super::unit_view::Place;
use crate::domain::plan::{Answer, PlanAct, PlanWord};
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use crate::limits::{PLAN_VISIT_WORDS_MAX, PLAN_WORDS_MAX};

/// Sorts of words, as they lie beside a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WordSort {
    /// Answers that are no comments.
    Answer,
    /// Other units sent.
    Swap,
    /// Commitments to a draw.
    Commitment,
    /// Parts of a draw shown.
    Reveal,
    /// All results in.
    Results,
    /// Arrivals.
    CheckIn,
    /// What came of visits.
    Report,
    /// What is followed up.
    Finding,
    /// Comments.
    Comment,
    /// Units free again.
    Release,
    /// What became of answers.
    Resolution,
}

impl WordSort {
    /// Those that [`Heard`] is made of.
    pub(super) const HEARD: [Self; 4] =
        [Self::Answer, Self::Commitment, Self::Reveal, Self::Results];

    /// Of which sort something said is.
    #[must_use]
    pub const fn of(word: &PlanWord) -> Self {
        match word {
            PlanWord::Answered(Answer::Comment) => Self::Comment,
            PlanWord::Answered(_) => Self::Answer,
            PlanWord::UnitsSwapped(_) => Self::Swap,
            PlanWord::DrawCommitted { .. } => Self::Commitment,
            PlanWord::DrawRevealed { .. } => Self::Reveal,
            PlanWord::ResultsReported => Self::Results,
            PlanWord::CheckedIn(_) => Self::CheckIn,
            PlanWord::VisitReported(_) => Self::Report,
            PlanWord::FindingOpened { .. } => Self::Finding,
            PlanWord::UnitsReleased => Self::Release,
            PlanWord::AnswerResolved { .. } => Self::Resolution,
        }
    }

    /// Whether several of one city may be looked through, because attempts differ.
    pub(super) const fn is_of_an_attempt(self) -> bool {
        matches!(self, Self::Commitment | Self::Reveal)
    }

    /// Words that one log may say to one revision.
    const fn most(self) -> u32 {
        match self {
            Self::CheckIn | Self::Report | Self::Finding | Self::Resolution => PLAN_VISIT_WORDS_MAX,
            Self::Answer
            | Self::Swap
            | Self::Commitment
            | Self::Reveal
            | Self::Results
            | Self::Comment
            | Self::Release => PLAN_WORDS_MAX,
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Answer => 1,
            Self::Swap => 2,
            Self::Commitment => 3,
            Self::Reveal => 4,
            Self::Results => 5,
            Self::CheckIn => 6,
            Self::Report => 7,
            Self::Finding => 8,
            Self::Comment => 9,
            Self::Release => 10,
            Self::Resolution => 11,
        }
    }
}

/// Something a city has said to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Who.
    pub city: CityCode,
    /// Where it stands.
    pub place: Place,
    /// The author's clock, milliseconds since 1970-01-01 UTC.
    pub record_time_ms: i64,
    /// What.
    pub act: PlanAct,
}

/// Walks what a city has said of a sort, of one revision or of all, until `f` says no: within a
/// revision the newest first.
pub fn plan_words(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    (sort, city): (WordSort, CityCode),
    revision: Option<Position>,
    f: &mut dyn FnMut(Spoken) -> bool,
) {
    let base = keys::plan_acts(agreement, subject, sort.byte(), city);
    let lowest = Position { log: LogId::new([0; LogId::LEN]), index: 0 };
    let highest = Position { log: LogId::new([255; LogId::LEN]), index: u64::MAX };
    let end = |at: Position, byte: u8| {
        let place = Place { epoch: u64::from_be_bytes([byte; 8]), at: lowest };
        let place = if byte == 0 { place } else { Place { at: highest, ..place } };
        act_key(&base, at, place)
    };
    let from = end(revision.unwrap_or(lowest), 0);
    let mut to = end(revision.unwrap_or(highest), 255);
    to.push(0);
    rows.scan(&from, &to, true, &mut |key, value| {
        let row = postcard::from_bytes::<(i64, PlanAct)>(value).ok();
        let Some((place, (record_time_ms, act))) = place_of(key).zip(row) else { return true };
        f(Spoken { city, place, record_time_ms, act })
    });
}

/// One word of a city, by the revision it speaks of and its place.
#[must_use]
pub fn plan_word_at(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    (sort, city): (WordSort, CityCode),
    (revision, place): (Position, Place),
) -> Option<Spoken> {
    let base = keys::plan_acts(agreement, subject, sort.byte(), city);
    let (record_time_ms, act) = get(rows, &act_key(&base, revision, place))?;
    Some(Spoken { city, place, record_time_ms, act })
}

fn act_key(base: &[u8], revision: Position, place: Place) -> Vec<u8> {
    let position = |at: Position| {
        let index = at.index.to_be_bytes();
        [at.log.as_bytes().as_slice(), &index].concat()
    };
    let epoch = place.epoch.to_be_bytes();
    [base, &position(revision), &epoch, &position(place.at)].concat()
}

/// The place at the end of a key of [`act_key`].
fn place_of(key: &[u8]) -> Option<Place> {
    let (_, last) = key.split_at_checked(key.len().checked_sub(8 + LogId::LEN + 8)?)?;
    let (epoch, last) = last.split_first_chunk::<8>()?;
    let (log, index) = last.split_first_chunk::<{ LogId::LEN }>()?;
    let index = u64::from_be_bytes(index.try_into().ok()?);
    let at = Position { log: LogId::new(*log), index };
    Some(Place { epoch: u64::from_be_bytes(*epoch), at })
}

/// Counts one more word of a log; no when there are as many as there may be. A log is applied in
/// its order, so which ones are too many is the same everywhere.
pub(super) fn count<R: Rows>(
    rows: &mut R,
    (agreement, subject): (AgreementId, SubjectId),
    log: LogId,
    act: &PlanAct,
) -> bool {
    let sort = WordSort::of(&act.word);
    let key = keys::plan_count(agreement, subject, (sort.byte(), log), act.revision);
    let before: u32 = get(rows, &key).unwrap_or(0);
    if before >= sort.most() {
        return false;
    }
    put(rows, key, &(before + 1));
    true
}

/// Whether a log may say one more word of a sort to a revision.
#[must_use]
pub fn plan_takes_more(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    log: LogId,
    act: &PlanAct,
) -> bool {
    let sort = WordSort::of(&act.word);
    let key = keys::plan_count(agreement, subject, (sort.byte(), log), act.revision);
    get::<u32>(rows, &key).unwrap_or(0) < sort.most()
}

/// Lays a word beside its plan.
pub(super) fn lay<R: Rows>(
    rows: &mut R,
    (agreement, subject): (AgreementId, SubjectId),
    city: CityCode,
    (place, record_time_ms): (Place, i64),
    act: &PlanAct,
) {
    let sort = WordSort::of(&act.word);
    let base = keys::plan_acts(agreement, subject, sort.byte(), city);
    put(rows, act_key(&base, act.revision, place), &(record_time_ms, act));
    if let PlanWord::FindingOpened { site, nth, case: Some(case) } = act.word {
        let index = place.at.index.to_be_bytes();
        let of: [&[u8]; 3] = [subject.as_bytes(), place.at.log.as_bytes(), &index];
        put(
            rows,
            keys::case_finding(agreement, case, &of),
            &CaseFinding { plan: subject, site, nth },
        );
    }
}

/// A visit of a plan that led to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CaseFinding {
    /// The plan.
    pub plan: SubjectId,
    /// The site that was visited.
    pub site: SubjectId,
    /// Which visit there.
    pub nth: u32,
}

/// The visits that led to a case by what the cities where their sites stand have said, ascending.
#[must_use]
pub fn case_findings(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    case: SubjectId,
    most: usize,
) -> BTreeSet<CaseFinding> {
    let from = keys::case_finding(agreement, case, &[]);
    let mut to = from.clone();
    if let Some(sort) = to.last_mut() {
        *sort = 1;
    }
    let mut found = BTreeSet::new();
    rows.scan(&from, &to, false, &mut |_, value| {
        found.extend(postcard::from_bytes::<CaseFinding>(value));
        found.len() < most
    });
    found
}

/// What of the words of a plan must be equal everywhere.
pub(super) fn each_word_row(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    f: &mut dyn FnMut(&[u8], &[u8]),
) {
    let from = keys::plan(agreement, subject);
    let behind_record = from.len();
    let (mut from, mut to) = (from.clone(), from);
    for key in [&mut from, &mut to] {
        if let Some(prefix) = key.first_mut() {
            *prefix = b'Z';
        }
    }
    to.push(u8::MAX);
    rows.scan(&from, &to, false, &mut |key, value| {
        f(key.get(behind_record..).unwrap_or_default(), value);
        true
    });
}
