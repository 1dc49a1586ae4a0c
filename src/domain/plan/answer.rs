//! What the cities of a plan say to it, each in its own log: answers to a revision, the units it
//! sends, what it adds to a draw, what came of it.
//!
//! All of these are contributions: they fit whatever the plan's stage, also a closed one, and only
//! [`super::decide`] may refuse them. So nothing a city says can be made void by what another city
//! writes at the same time.
//!
//! Every act names the entry that made the revision it speaks of ([`PlanAct::revision`]), not a
//! number. It fits when that entry is a revision of this plan, in the chain or not, when its author
//! had seen it and takes part in it; so whether it fits depends on no chain and no arrival. What
//! counts are the acts that name the entry of the present revision.
//!
//! Of several answers of a city to the same revision the newest counts, by (epoch, log id, index);
//! a comment is no answer and displaces none. A city that swaps its own units
//! ([`PlanWord::UnitsSwapped`]) still has confirmed: what it sends is what it said last behind its
//! confirmation. A withdrawal after the plan is scheduled is a fact beside the plan, which the
//! initiator has to resolve. Reports, arrivals and findings count for targets of the plan only; of
//! one visit the newest.
//!
//! In scope: which of several words of a city counts. Out of scope: which entries there are, and
//! which of them somebody has seen (the view).
//!
//! Invariants:
//! 1. What counts does not depend on the order in which entries arrive.
//!    (`the_newest_answer_counts_in_whatever_order_they_arrive`)
//! 2. Swapping units voids no confirmation. (`units_swapped_behind_a_confirmation_are_those_sent`)

use serde::{Deserialize, Serialize};

use super::facts::HOST_OFFICERS_MIN;
use super::results::{VisitReport, check_nth};
use super::{PlanMisfit, Wrong};
use crate::domain::code::coded;
use crate::domain::date::Date;
use crate::domain::draw::Randomness;
use crate::domain::half_day::Period;
use crate::ids::{CityCode, Hash, Position, SubjectId};
use crate::limits::{
    PLAN_DRAWS_MAX, PLAN_HALF_DAYS_MAX, PLAN_PERIODS_MAX, PLAN_RECUSALS_MAX, PLAN_TEAM_MAX,
    PLAN_UNITS_MAX,
};

coded! {
    /// What sort of answer something is.
    AnswerKind {
        Comment "COMMENT" "意见建议" "comment";
        Tentative "TENTATIVE" "初步同意" "tentative";
        Confirm "CONFIRM" "确认参加" "confirmed";
        ChangesRequested "CHANGES_REQUESTED" "要求调整" "changes requested";
        OtherDays "OTHER_DAYS" "建议改期" "other days proposed";
        Decline "DECLINE" "不参加" "declined";
        Withdraw "WITHDRAW" "退出" "withdrawn";
    }
}

coded! {
    /// What became of a proposal of a city (意见采纳情况).
    Resolution {
        Adopted "ADOPTED" "采纳" "adopted";
        Partly "PARTLY" "部分采纳" "adopted in part";
        NotAdopted "NOT_ADOPTED" "未采纳" "not adopted";
    }
}

/// An officer who is not to go to a site (回避). Why is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recusal {
    /// Which officer; he need not be sent.
    pub officer: SubjectId,
    /// To which site; absent, he has nothing to do with the whole plan.
    pub site: Option<SubjectId>,
}

impl Recusal {
    /// Whether it keeps an officer from a site.
    #[must_use]
    pub fn keeps(&self, officer: SubjectId, site: SubjectId) -> bool {
        self.officer == officer && self.site.is_none_or(|of| of == site)
    }
}

/// Half days of a plan, by their places in [`super::PlanFacts::days`], both in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first one, from 0.
    pub first: u8,
    /// The last one.
    pub last: u8,
}

/// A unit that a city sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SentUnit {
    /// Which.
    pub unit: SubjectId,
    /// On which half days; absent, on all of them. Places behind the plan's last are no half days.
    pub span: Option<Span>,
}

impl SentUnit {
    /// Whether it comes on the half day at a place of the plan's list.
    #[must_use]
    pub fn comes(&self, place: usize) -> bool {
        self.span.is_none_or(|Span { first, last }| {
            (usize::from(first)..=usize::from(last)).contains(&place)
        })
    }
}

/// What a city sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sent {
    /// Its units, each once, ascending, at most [`PLAN_UNITS_MAX`].
    pub units: Vec<SentUnit>,
    /// Who of the city does not go where, ascending, at most [`PLAN_RECUSALS_MAX`].
    pub recusals: Vec<Recusal>,
}

impl Sent {
    /// Whether its lists are short and in order.
    ///
    /// # Errors
    /// What is [`Wrong`].
    pub fn check(&self) -> Result<(), Wrong> {
        let Self { units, recusals } = self;
        let some =
            |Span { first, last }: Span| first <= last && usize::from(last) < PLAN_HALF_DAYS_MAX;
        if units.len() > PLAN_UNITS_MAX || !units.is_sorted_by(|one, next| one.unit < next.unit) {
            Err(Wrong::Units)
        } else if !units.iter().all(|one| one.span.is_none_or(some)) {
            Err(Wrong::UnitDays)
        } else if recusals.len() > PLAN_RECUSALS_MAX || !recusals.is_sorted_by(|a, b| a < b) {
            Err(Wrong::Recusals)
        } else {
            Ok(())
        }
    }

    /// Adds what was declared before and was not taken back: who is kept from where is not
    /// forgotten with the next word about units. Taken back without a site are all of an officer.
    pub fn keep(&mut self, declared: &[Recusal], lifted: &[Recusal]) {
        let lifts = |one: &Recusal| {
            lifted.iter().any(|lift| {
                lift.officer == one.officer && (lift.site.is_none() || lift.site == one.site)
            })
        };
        let stays = |one: &&Recusal| !self.recusals.contains(one) && !lifts(one);
        let kept: Vec<Recusal> = declared.iter().filter(stays).copied().collect();
        self.recusals.extend(kept);
        self.recusals.sort_unstable();
    }

    /// Whether a unit is sent at all.
    #[must_use]
    pub fn has(&self, unit: SubjectId) -> bool {
        self.units.iter().any(|one| one.unit == unit)
    }

    /// Whether an officer of the city is kept from a site.
    #[must_use]
    pub fn keeps(&self, officer: SubjectId, site: SubjectId) -> bool {
        self.recusals.iter().any(|one| one.keeps(officer, site))
    }
}

/// An answer to a revision. What is said in words is a part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// Something to think about; displaces no answer.
    Comment,
    /// Probably; these units are held until then.
    Tentative {
        /// Last day on which they are held.
        hold_until: Date,
        /// What would be sent.
        sent: Sent,
    },
    /// The city comes, with these units, which are booked.
    Confirm {
        /// What is sent.
        sent: Sent,
    },
    /// Not like this; the words say what to change.
    ChangesRequested,
    /// Not then, but then.
    OtherDays {
        /// When the city could come, ascending and apart, 1 to [`PLAN_PERIODS_MAX`].
        periods: Vec<Period>,
    },
    /// The city does not come.
    Decline,
    /// The city had confirmed and does not come after all; the words say why.
    Withdraw,
}

impl Answer {
    /// What sort of answer this is.
    #[must_use]
    pub const fn kind(&self) -> AnswerKind {
        match self {
            Self::Comment => AnswerKind::Comment,
            Self::Tentative { .. } => AnswerKind::Tentative,
            Self::Confirm { .. } => AnswerKind::Confirm,
            Self::ChangesRequested => AnswerKind::ChangesRequested,
            Self::OtherDays { .. } => AnswerKind::OtherDays,
            Self::Decline => AnswerKind::Decline,
            Self::Withdraw => AnswerKind::Withdraw,
        }
    }

    /// What the city sends, or would send.
    #[must_use]
    pub const fn sent(&self) -> Option<&Sent> {
        match self {
            Self::Tentative { sent, .. } | Self::Confirm { sent } => Some(sent),
            Self::Comment
            | Self::ChangesRequested
            | Self::OtherDays { .. }
            | Self::Decline
            | Self::Withdraw => None,
        }
    }

    /// The same, to be changed.
    pub const fn sent_mut(&mut self) -> Option<&mut Sent> {
        match self {
            Self::Tentative { sent, .. } | Self::Confirm { sent } => Some(sent),
            Self::Comment
            | Self::ChangesRequested
            | Self::OtherDays { .. }
            | Self::Decline
            | Self::Withdraw => None,
        }
    }

    fn check(&self) -> Result<(), Wrong> {
        match self {
            Self::Tentative { sent, .. } | Self::Confirm { sent } => sent.check(),
            Self::OtherDays { periods } => {
                let few = (1..=PLAN_PERIODS_MAX).contains(&periods.len());
                let apart = periods.is_sorted_by(|one, next| one.last() < next.first());
                if few && apart { Ok(()) } else { Err(Wrong::Periods) }
            }
            Self::Comment | Self::ChangesRequested | Self::Decline | Self::Withdraw => Ok(()),
        }
    }
}

/// What a city says to a revision of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanAct {
    /// The entry that made the revision: that of `Opened` or `Revised`.
    pub revision: Position,
    /// What is said.
    pub word: PlanWord,
}

impl PlanAct {
    /// The entries that it names.
    #[must_use]
    pub fn names(&self) -> Vec<Position> {
        let other = match &self.word {
            PlanWord::DrawRevealed { draw: at, .. }
            | PlanWord::AnswerResolved { answer: at, .. } => Some(*at),
            PlanWord::Answered(_)
            | PlanWord::UnitsSwapped(_)
            | PlanWord::DrawCommitted { .. }
            | PlanWord::CheckedIn(_)
            | PlanWord::VisitReported(_)
            | PlanWord::FindingOpened { .. }
            | PlanWord::ResultsReported
            | PlanWord::UnitsReleased => None,
        };
        [Some(self.revision), other].into_iter().flatten().collect()
    }
}

/// What a city may say to a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PlanWord {
    /// An answer to the revision.
    Answered(Answer),
    /// A city that has confirmed sends other units: all that it sends from now on.
    UnitsSwapped(Sent),
    /// A city binds itself to its part of a draw.
    DrawCommitted {
        /// At which attempt, from 1: the one after those that have begun.
        attempt: u32,
        /// See [`crate::domain::draw::commitment`].
        commitment: Hash,
    },
    /// A city shows its part of a draw.
    DrawRevealed {
        /// The entry that began the attempt: that of `Scheduled` or `Redrawn`. So nothing that was
        /// shown before it counts.
        draw: Position,
        /// What it had bound itself to.
        random: Randomness,
    },
    /// A team has arrived at a site (到场).
    CheckedIn(CheckIn),
    /// What came of a visit.
    VisitReported(VisitReport),
    /// Something found at a visit is followed up (线索).
    FindingOpened {
        /// Which site.
        site: SubjectId,
        /// Which visit there by this plan, from 0.
        nth: u32,
        /// The case that was opened; absent when others follow it up.
        case: Option<SubjectId>,
    },
    /// All results of the city are in.
    ResultsReported,
    /// The city's units are free again: the plan has ended, or has another revision.
    UnitsReleased,
    /// The initiator says what became of an answer of a city (意见采纳情况).
    AnswerResolved {
        /// Which: an answer to the revision.
        answer: Position,
        /// What became of it; why is a part.
        resolution: Resolution,
    },
}

/// An arrival.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CheckIn {
    /// Which site.
    pub site: SubjectId,
    /// Which visit there by this plan, from 0.
    pub nth: u32,
    /// The day.
    pub on: Date,
    /// Officers of the host city, ascending, [`HOST_OFFICERS_MIN`] to [`PLAN_TEAM_MAX`].
    pub officers: Vec<SubjectId>,
    /// Officers of other cities, ascending, at most [`PLAN_TEAM_MAX`]; none of them leads.
    pub guests: Vec<SubjectId>,
}

impl CheckIn {
    /// Who came, officers of the host first.
    pub fn everybody(&self) -> impl Iterator<Item = SubjectId> + '_ {
        self.officers.iter().chain(&self.guests).copied()
    }

    /// Whether its lists are as long as they may be and in order, and nobody stands in both.
    ///
    /// # Errors
    /// What is [`Wrong`].
    pub fn check(&self) -> Result<(), Wrong> {
        let Self { site: _, nth, on: _, officers, guests } = self;
        let many = |list: &[SubjectId]| u32::try_from(list.len()).unwrap_or(u32::MAX);
        let once = |list: &[SubjectId]| list.is_sorted_by(|one, next| one < next);
        if !(HOST_OFFICERS_MIN..=PLAN_TEAM_MAX).contains(&many(officers)) || !once(officers) {
            Err(Wrong::Officers)
        } else if many(guests) > PLAN_TEAM_MAX || !once(guests) {
            Err(Wrong::Guests)
        } else if guests.iter().any(|guest| officers.binary_search(guest).is_ok()) {
            Err(Wrong::GuestLeads)
        } else {
            check_nth(*nth)
        }
    }
}

/// What is known of an act *among the entries that its author had seen*. The view works it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// Who proposed the plan.
    pub initiator: CityCode,
    /// Who takes part by the revision that the act names, in the chain or not.
    pub participants: Option<&'a [CityCode]>,
    /// The other entry that the act names, if it names one, is of this plan and of the sort asked:
    /// a move that began an attempt at a draw, or an answer to the same revision.
    pub entry: bool,
    /// Where the site stands that the act names.
    pub host: Option<CityCode>,
}

/// Whether a city may add this, on every node.
///
/// # Errors
/// A [`PlanMisfit`]: it is shown and has no effect.
pub fn fits(by: CityCode, act: &PlanAct, found: &Found<'_>) -> Result<(), PlanMisfit> {
    match found.participants {
        None => return Err(PlanMisfit::RevisionUnknown),
        Some(cities) if !cities.contains(&by) => {
            return Err(PlanMisfit::NotParticipant { city: by });
        }
        Some(_) => {}
    }
    let whole = |checked: Result<(), Wrong>| checked.map_err(PlanMisfit::Invalid);
    let named = || if found.entry { Ok(()) } else { Err(PlanMisfit::EntryUnknown) };
    // One misfit for a site elsewhere and for one that its author had not seen: which of them it is
    // must not depend on what has arrived here.
    let home = || if found.host == Some(by) { Ok(()) } else { Err(PlanMisfit::NotHost) };
    match &act.word {
        PlanWord::Answered(answer) => whole(answer.check()),
        PlanWord::UnitsSwapped(sent) => whole(sent.check()),
        PlanWord::DrawCommitted { attempt, .. } => {
            let is_one = (1..=PLAN_DRAWS_MAX).contains(attempt);
            whole(if is_one { Ok(()) } else { Err(Wrong::Attempt) })
        }
        PlanWord::DrawRevealed { .. } => named(),
        PlanWord::CheckedIn(arrival) => home().and(whole(arrival.check())),
        PlanWord::VisitReported(report) => home().and(whole(report.check())),
        PlanWord::FindingOpened { nth, .. } => home().and(whole(check_nth(*nth))),
        PlanWord::ResultsReported | PlanWord::UnitsReleased => Ok(()),
        PlanWord::AnswerResolved { .. } if by != found.initiator => {
            Err(PlanMisfit::NotInitiator { initiator: found.initiator })
        }
        PlanWord::AnswerResolved { .. } => named(),
    }
}

/// Something a city has said of a plan. The order of `P` is that of entries: epoch, log id, index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a, P> {
    /// Which entry.
    pub place: P,
    /// What.
    pub act: &'a PlanAct,
}

/// Which answer of a city to a revision counts: its newest that is no comment.
#[must_use]
pub fn answer_that_counts<'a, P: Ord + Copy>(
    revision: Position,
    said: impl IntoIterator<Item = Said<'a, P>>,
) -> Option<(P, &'a Answer)> {
    let of = said.into_iter().filter(|one| one.act.revision == revision);
    of.filter_map(|one| Some((one.place, answer(one.act)?))).max_by_key(|(place, _)| *place)
}

/// What a city that has confirmed a revision sends: what it said last, in its confirmation or
/// behind it. `None` while its newest answer is another one.
#[must_use]
pub fn sent_that_counts<'a, P: Ord + Copy>(
    revision: Position,
    said: impl IntoIterator<Item = Said<'a, P>> + Clone,
) -> Option<(P, &'a Sent)> {
    let (confirmed, answer) = answer_that_counts(revision, said.clone())?;
    let Answer::Confirm { sent } = answer else { return None };
    let of = said.into_iter().filter(|one| one.act.revision == revision && one.place > confirmed);
    let newest = of.filter_map(|one| Some((one.place, swap(one.act)?))).max_by_key(|one| one.0);
    newest.or(Some((confirmed, sent)))
}

/// The answer that an act is, comments excepted.
pub(super) const fn answer(act: &PlanAct) -> Option<&Answer> {
    match &act.word {
        PlanWord::Answered(Answer::Comment) => None,
        PlanWord::Answered(answer) => Some(answer),
        PlanWord::UnitsSwapped(_)
        | PlanWord::DrawCommitted { .. }
        | PlanWord::DrawRevealed { .. }
        | PlanWord::CheckedIn(_)
        | PlanWord::VisitReported(_)
        | PlanWord::FindingOpened { .. }
        | PlanWord::ResultsReported
        | PlanWord::UnitsReleased
        | PlanWord::AnswerResolved { .. } => None,
    }
}

const fn swap(act: &PlanAct) -> Option<&Sent> {
    match &act.word {
        PlanWord::UnitsSwapped(sent) => Some(sent),
        PlanWord::Answered(_)
        | PlanWord::DrawCommitted { .. }
        | PlanWord::DrawRevealed { .. }
        | PlanWord::CheckedIn(_)
        | PlanWord::VisitReported(_)
        | PlanWord::FindingOpened { .. }
        | PlanWord::ResultsReported
        | PlanWord::UnitsReleased
        | PlanWord::AnswerResolved { .. } => None,
    }
}
