//! What the demo does with a case, step by step, and the steps that a recorded history means.
//!
//! In scope: from a timeline to steps; who makes a step and in what capacity. Out of scope:
//! sending them ([`super::feed`]); the cases that no record exists of ([`super::scripted`]).
//!
//! Invariants:
//! 1. The same step is the same request in every run, so that a node recognises a repetition.
//!    (`scripts_are_the_same_every_time`)
//! 2. What a script will add to the logs is known before it runs. (`the_count_is_the_samples_own`)

use std::collections::BTreeSet;

use super::alarm::Alarm;
use super::film;
use super::plans::sample::{self, Sample};
use crate::cli::failure::Failure;
use crate::import::draft::{Draft, Moment};
use crate::trust::spiffe::Role;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::{CaseState, CaseStep};

/// What a city does with a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Opens it.
    Open(Box<Draft>),
    /// A plain step.
    Step(CaseStep),
    /// Offers it to another city.
    Offer(u32),
    /// Takes it over.
    Accept,
    /// Gives it back.
    Return,
    /// Denies its competence.
    Dispute,
    /// Records which city the ministry designated, by which document.
    Designate {
        /// The designated city.
        city: u32,
        /// Number of the document.
        document: &'static str,
    },
    /// Adopts what step number `.0` of this script proposed.
    Adopt(usize),
    /// A person acknowledges an offer.
    Acknowledge,
    /// The files of an accepted transfer are complete.
    ReceiveParts,
    /// Adds a note.
    Note,
    /// Proposes a change.
    Propose,
}

/// What sort of entry an act becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The first move.
    Opening,
    /// A further move.
    Move,
    /// Something beside the chain.
    Contribution,
}

impl Act {
    /// What sort of entry it becomes.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        match self {
            Self::Open(_) => Sort::Opening,
            Self::Step(_)
            | Self::Offer(_)
            | Self::Accept
            | Self::Return
            | Self::Dispute
            | Self::Designate { .. }
            | Self::Adopt(_) => Sort::Move,
            Self::Acknowledge | Self::ReceiveParts | Self::Note | Self::Propose => {
                Sort::Contribution
            }
        }
    }

    /// Who calls the node for it: the city's own system for what it records itself, a coordinator
    /// for what passes between cities.
    #[must_use]
    pub const fn caller(&self) -> Role {
        match self {
            Self::Open(_) | Self::Step(_) => Role::System,
            Self::Offer(_)
            | Self::Accept
            | Self::Return
            | Self::Dispute
            | Self::Designate { .. }
            | Self::Adopt(_)
            | Self::Acknowledge
            | Self::ReceiveParts
            | Self::Note
            | Self::Propose => Role::Coordinator,
        }
    }
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The city that makes it.
    pub city: u32,
    /// What it does.
    pub act: Act,
    /// Legal date of a move.
    pub on: Option<pb::Date>,
    /// Reason or note.
    pub text: String,
}

impl Step {
    /// Certificate number of the officer for whom the city's system acts.
    #[must_use]
    pub fn officer(&self) -> Option<String> {
        (self.act.caller() == Role::System).then(|| format!("{:06}99002", self.city))
    }
}

/// The life of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Its name, also its number in the originating city's own system.
    pub id: String,
    /// Members of the agreement it belongs to, ascending.
    pub members: Vec<u32>,
    /// The steps, the opening first.
    pub steps: Vec<Step>,
}

/// What scripts will add to the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Cases opened.
    pub openings: usize,
    /// Further moves.
    pub moves: usize,
    /// Contributions.
    pub contributions: usize,
    /// Notices issued.
    pub notices: usize,
    /// Acknowledgements of notices.
    pub acknowledgements: usize,
    /// Sites and units registered, positive lists, and all that is said of plans.
    pub plans: usize,
    /// People and systems introduced before their first entry in an agreement.
    pub introductions: usize,
}

impl Count {
    /// Entries in all.
    #[must_use]
    pub const fn entries(&self) -> usize {
        let notices = self.notices + self.acknowledgements;
        let cases = self.openings + self.moves + self.contributions;
        cases + notices + self.plans + self.introductions
    }

    /// What these scripts, an emergency, the film and these plans will add.
    #[must_use]
    pub fn of(scripts: &[Script], alarm: &Alarm, plans: &[Sample]) -> Self {
        let mut count = Self::default();
        let mut introduced = BTreeSet::new();
        for script in scripts {
            for step in &script.steps {
                match step.act.sort() {
                    Sort::Opening => count.openings += 1,
                    Sort::Move => count.moves += 1,
                    Sort::Contribution => count.contributions += 1,
                }
                let caller = step.act.caller().name().to_owned();
                introduced.insert((script.members.clone(), step.city, caller));
                introduced.extend(step.officer().map(|o| (script.members.clone(), step.city, o)));
            }
        }
        (count.notices, count.acknowledgements) = (1, alarm.told.len());
        count.openings += film::ENTRIES.0;
        count.contributions += film::ENTRIES.1;
        let coordinator = Role::Coordinator.name();
        introduced.extend(
            alarm.members.iter().map(|city| (alarm.members.clone(), *city, coordinator.to_owned())),
        );
        count.plans = plans.iter().map(Sample::entries).sum::<usize>()
            + sample::sites(plans).len()
            + sample::listed(plans).len()
            + sample::units(plans).len();
        for plan in plans {
            let writes = |city| (plan.members.clone(), city, coordinator.to_owned());
            introduced.extend(plan.writers().map(writes));
        }
        count.introductions = introduced.len();
        count
    }
}

/// The script of a recorded case.
///
/// # Errors
/// [`Failure`] naming the case whose history holds a line that no step leads to.
pub fn recorded(draft: &Draft) -> Result<Script, Failure> {
    let mut steps = Vec::with_capacity(draft.timeline.len() + 2);
    for moment in &draft.timeline {
        steps.extend(steps_of(draft, moment)?);
    }
    let (id, members) = (draft.case_id.clone(), draft.shared_with.clone());
    Ok(Script { id, members, steps })
}

fn steps_of(draft: &Draft, moment: &Moment) -> Result<Vec<Step>, Failure> {
    use CaseState as S;
    let transfer = draft.transfer.as_ref();
    let reason = || transfer.map(|t| t.reason.clone()).unwrap_or_default();
    let step = |act, text| Step { city: moment.city.as_u32(), act, on: Some(moment.on), text };
    let plain = |step_taken| vec![step(Act::Step(step_taken), String::new())];
    Ok(match moment.state {
        S::ClueReported => vec![step(Act::Open(Box::new(draft.clone())), String::new())],
        S::ClueVerifying => plain(CaseStep::VerificationStarted),
        S::ClueDismissed => {
            vec![step(Act::Step(CaseStep::ClueDismissed), "经核查，违法事实不成立".to_owned())]
        }
        S::Filed => plain(CaseStep::Filed),
        S::Investigating => plain(CaseStep::InvestigationStarted),
        S::NoticeServed => plain(CaseStep::NoticeServed),
        S::Hearing => plain(CaseStep::HearingOpened),
        S::Decided => plain(CaseStep::Decided),
        S::NoPenalty => plain(CaseStep::NoPenaltyDecided),
        S::Withdrawn => plain(CaseStep::Withdrawn),
        S::Revoked => plain(CaseStep::Revoked),
        S::Enforcing => plain(CaseStep::EnforcementStarted),
        S::CourtEnforcement => plain(CaseStep::CourtEnforcementRequested),
        S::Closed => plain(CaseStep::Closed),
        S::Archived => plain(CaseStep::Archived),
        S::TransferredPolice => vec![step(Act::Step(CaseStep::TransferredToPolice), reason())],
        S::TransferredOut => {
            let to = transfer.and_then(|t| t.to).ok_or_else(|| unusable(draft))?;
            vec![step(Act::Offer(to.as_u32()), reason())]
        }
        S::TransferAccepted => {
            let acknowledged = transfer.is_some_and(|t| t.acknowledged);
            let acknowledge = acknowledged.then(|| step(Act::Acknowledge, String::new()));
            let accept = step(Act::Accept, "同意接收，已安排核查".to_owned());
            let received = step(Act::ReceiveParts, "移送材料已收齐".to_owned());
            acknowledge.into_iter().chain([accept, received]).collect()
        }
        S::Unspecified | S::TransferDisputed | S::Designated | S::ClosedOutside => {
            return Err(unusable(draft));
        }
    })
}

fn unusable(draft: &Draft) -> Failure {
    Failure::local(format!("{}: the timeline cannot be walked", draft.case_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::draft;

    fn samples() -> Vec<Script> {
        let drafts = draft::read_all(include_str!("../../../demo/sample-cases.json")).unwrap();
        drafts.iter().map(|draft| recorded(draft).unwrap()).collect()
    }

    #[test]
    fn the_count_is_the_samples_own() {
        let (agreement, members) = ("agreements/0".to_owned(), vec![130_400, 371_500]);
        let alarm = Alarm { agreement, members, issuer: 371_500, told: vec![130_400] };
        let count = Count::of(&samples(), &alarm, &[]);
        // And the case of the film.
        assert_eq!((count.openings, count.moves), (40 + 1, 148));
        // Four transfers, each acknowledged, each with its files received; the list with the film
        // and its receipt.
        assert_eq!(count.contributions, 8 + 2);
        assert_eq!((count.notices, count.acknowledgements), (1, 1));
        assert_eq!(count.entries(), 201 + count.introductions);
    }

    #[test]
    fn scripts_are_the_same_every_time() {
        assert_eq!(samples(), samples());
        let mut ids: Vec<_> = samples().into_iter().map(|script| script.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 40, "request ids are made from them");
    }

    #[test]
    fn a_transfer_is_offered_acknowledged_accepted_and_received() {
        let script = samples().into_iter().find(|s| s.id == "LD-130400-2026-000008").unwrap();
        let acts: Vec<_> = script.steps.iter().skip(2).map(|s| (s.city, s.act.clone())).collect();
        assert_eq!(
            acts,
            [
                (130_400, Act::Offer(371_500)),
                (371_500, Act::Acknowledge),
                (371_500, Act::Accept),
                (371_500, Act::ReceiveParts),
            ]
        );
    }
}
