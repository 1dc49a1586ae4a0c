//! What the cities of a plan say to it, each in its own log: answers to a revision, the units it
//! sends, what it adds to a draw, what came of it.
//!
//! All of these are contributions: they fit whatever the plan's stage, also a closed one, and only
//! [`super::decide`] may refuse them. So nothing a city says can be made void by what another city
//! writes at the same time.
//!
//! An answer is to one revision. Of several answers of a city to the same revision the newest
//! counts, by (epoch, log id, index); a comment is no answer and displaces none. An answer to an
//! old revision counts for nothing. A city that swaps its own units ([`PlanAct::UnitsSwapped`])
//! still has confirmed: what it sends is what it said last behind its confirmation. A withdrawal
//! after the plan is scheduled is a fact beside the plan, which the initiator has to resolve.
//!
//! In scope: which of several words of a city counts. Out of scope: which entries there are, and
//! which of them somebody has seen (the view).
//!
//! Invariants:
//! 1. What counts does not depend on the order in which entries arrive.
//!    (`the_newest_answer_counts_in_whatever_order_they_arrive`)
//! 2. Swapping units voids no confirmation. (`units_swapped_behind_a_confirmation_are_those_sent`)

use serde::{Deserialize, Serialize};

use super::results::VisitReport;
use super::{Plan, PlanMisfit};
use crate::domain::code::coded;
use crate::domain::date::Date;
use crate::domain::draw::Randomness;
use crate::domain::half_day::Period;
use crate::ids::{CityCode, Hash, SubjectId};
use crate::limits::{PLAN_PERIODS_MAX, PLAN_RECUSALS_MAX, PLAN_TEAM_MAX, PLAN_UNITS_MAX};

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

/// An officer who is not to go to a site (回避). Why is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recusal {
    /// Which officer.
    pub officer: SubjectId,
    /// To which site.
    pub site: SubjectId,
}

/// What a city sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sent {
    /// Its units, ascending, at most [`PLAN_UNITS_MAX`].
    pub units: Vec<SubjectId>,
    /// Who of them does not go where, ascending, at most [`PLAN_RECUSALS_MAX`].
    pub recusals: Vec<Recusal>,
}

impl Sent {
    /// Whether its lists are short and in order, and who is recused is sent.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let Self { units, recusals } = self;
        let short = units.len() <= PLAN_UNITS_MAX && recusals.len() <= PLAN_RECUSALS_MAX;
        let ascending = units.is_sorted_by(|one, next| one < next)
            && recusals.is_sorted_by(|one, next| one < next);
        let sent = |recusal: &Recusal| units.binary_search(&recusal.officer).is_ok();
        short && ascending && recusals.iter().all(sent)
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

    fn is_whole(&self) -> bool {
        match self {
            Self::Tentative { sent, .. } | Self::Confirm { sent } => sent.is_whole(),
            Self::OtherDays { periods } => {
                let few = (1..=PLAN_PERIODS_MAX).contains(&periods.len());
                few && periods.is_sorted_by(|one, next| one.last() < next.first())
            }
            Self::Comment | Self::ChangesRequested | Self::Decline | Self::Withdraw => true,
        }
    }
}

/// What a city may add to a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PlanAct {
    /// An answer to a revision.
    Answered {
        /// Which, from 1.
        revision: u32,
        /// The answer.
        answer: Answer,
    },
    /// A city that has confirmed sends other units.
    UnitsSwapped {
        /// Of which revision.
        revision: u32,
        /// All that it sends from now on.
        sent: Sent,
    },
    /// A city binds itself to its part of a draw.
    DrawCommitted {
        /// Of which revision.
        revision: u32,
        /// At which attempt, from 1.
        attempt: u32,
        /// See [`crate::domain::draw::commitment`].
        commitment: Hash,
    },
    /// A city shows its part of a draw.
    DrawRevealed {
        /// Of which revision.
        revision: u32,
        /// At which attempt.
        attempt: u32,
        /// What it had bound itself to.
        random: Randomness,
    },
    /// The team has arrived at a site (到场).
    CheckedIn {
        /// Which site.
        site: SubjectId,
        /// Officers of the host city, ascending, at most [`PLAN_TEAM_MAX`].
        officers: Vec<SubjectId>,
    },
    /// What came of a visit; of several reports of one visit the newest counts.
    VisitReported(VisitReport),
    /// All results of the city are in.
    ResultsReported {
        /// Of which revision.
        revision: u32,
    },
    /// The city's units are free again: the plan has ended, or has another revision.
    UnitsReleased {
        /// Of which revision they were.
        revision: u32,
    },
}

/// Whether a city may add this, on every node. `host` is the city in which the site stands that the
/// act names, if that is known.
///
/// An act is judged against what its author had seen, so the plan given is that of its author's
/// view: a revision that it answers and has not seen is a misfit.
///
/// # Errors
/// A [`PlanMisfit`]: it is shown and has no effect.
pub fn fits(
    plan: &Plan,
    by: CityCode,
    act: &PlanAct,
    host: Option<CityCode>,
) -> Result<(), PlanMisfit> {
    let of_revision = |revision: u32| match plan.participants_of(revision) {
        None => Err(PlanMisfit::WrongRevision { revision: plan.revision }),
        Some(cities) if !cities.contains(&by) => Err(PlanMisfit::NotParticipant { city: by }),
        Some(_) => Ok(()),
    };
    let whole = |whole: bool| if whole { Ok(()) } else { Err(PlanMisfit::Invalid) };
    let at_home = || match host {
        Some(host) if host == by => of_revision(plan.revision),
        Some(host) => Err(PlanMisfit::NotHost { host }),
        None => Err(PlanMisfit::Invalid),
    };
    match act {
        PlanAct::Answered { revision, answer } => {
            of_revision(*revision).and(whole(answer.is_whole()))
        }
        PlanAct::UnitsSwapped { revision, sent } => {
            of_revision(*revision).and(whole(sent.is_whole()))
        }
        PlanAct::DrawCommitted { revision, attempt, .. }
        | PlanAct::DrawRevealed { revision, attempt, .. } => {
            of_revision(*revision).and(whole(*attempt >= 1))
        }
        PlanAct::CheckedIn { officers, .. } => {
            let most = usize::try_from(PLAN_TEAM_MAX).unwrap_or(usize::MAX);
            let few = (1..=most).contains(&officers.len());
            at_home().and(whole(few && officers.is_sorted_by(|one, next| one < next)))
        }
        PlanAct::VisitReported(report) => at_home().and(whole(report.is_whole())),
        PlanAct::ResultsReported { revision } | PlanAct::UnitsReleased { revision } => {
            of_revision(*revision)
        }
    }
}

/// Something a city has said of a revision. The order of `P` is that of entries: epoch, log id,
/// index.
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
    revision: u32,
    said: impl IntoIterator<Item = Said<'a, P>>,
) -> Option<(P, &'a Answer)> {
    let answers = said.into_iter().filter_map(|one| match one.act {
        PlanAct::Answered { answer: Answer::Comment, .. } => None,
        PlanAct::Answered { revision: of, answer } if *of == revision => Some((one.place, answer)),
        PlanAct::Answered { .. }
        | PlanAct::UnitsSwapped { .. }
        | PlanAct::DrawCommitted { .. }
        | PlanAct::DrawRevealed { .. }
        | PlanAct::CheckedIn { .. }
        | PlanAct::VisitReported(_)
        | PlanAct::ResultsReported { .. }
        | PlanAct::UnitsReleased { .. } => None,
    });
    answers.max_by_key(|(place, _)| *place)
}

/// What a city that has confirmed a revision sends: what it said last, in its confirmation or
/// behind it. `None` while its newest answer is another one.
#[must_use]
pub fn sent_that_counts<'a, P: Ord + Copy>(
    revision: u32,
    said: impl IntoIterator<Item = Said<'a, P>> + Clone,
) -> Option<(P, &'a Sent)> {
    let (confirmed, answer) = answer_that_counts(revision, said.clone())?;
    let Answer::Confirm { sent } = answer else { return None };
    let swaps = said.into_iter().filter_map(|one| match one.act {
        PlanAct::UnitsSwapped { revision: of, sent } if *of == revision => Some((one.place, sent)),
        PlanAct::Answered { .. }
        | PlanAct::UnitsSwapped { .. }
        | PlanAct::DrawCommitted { .. }
        | PlanAct::DrawRevealed { .. }
        | PlanAct::CheckedIn { .. }
        | PlanAct::VisitReported(_)
        | PlanAct::ResultsReported { .. }
        | PlanAct::UnitsReleased { .. } => None,
    });
    let newest = swaps.filter(|(place, _)| *place > confirmed).max_by_key(|(place, _)| *place);
    newest.or(Some((confirmed, sent)))
}
