//! One turn: two honest cities never move from one entry, and nobody moves out of turn.

use std::collections::BTreeMap;

use liandong::domain::{CaseMove, CaseState, Event};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::subject_id;

use super::Checks;
use super::logs::Truth;
use crate::sim::cast::Cast;

/// Whose move it is in a case, by rules written down a second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub turn: Option<CityCode>,
    pub handling: CityCode,
    offer: Option<(CityCode, CityCode)>,
}

impl Turn {
    pub fn opened(by: CityCode) -> Self {
        Self { turn: Some(by), handling: by, offer: None }
    }

    /// The turn after a move that took effect; nothing when that city could not make it.
    pub fn after(&self, by: CityCode, mv: &CaseMove, members: &[CityCode]) -> Option<Self> {
        if self.turn != Some(by) {
            return None;
        }
        let settled = |handling: CityCode| Self { turn: Some(handling), handling, offer: None };
        Some(match mv {
            CaseMove::TransferOffered { to, .. } if self.offer.is_none() => {
                Self { turn: Some(*to), handling: self.handling, offer: Some((by, *to)) }
            }
            CaseMove::TransferAccepted { .. } if self.offer.is_some() => settled(by),
            CaseMove::TransferReturned { .. } => settled(self.offer?.0),
            CaseMove::TransferDisputed { .. } => self.offer.map(|_| self.clone())?,
            CaseMove::JurisdictionDesignated { city, .. } if members.contains(city) => {
                self.offer?;
                Self { turn: Some(*city), ..self.clone() }
            }
            CaseMove::JurisdictionDesignated { .. } => settled(self.handling),
            CaseMove::Stepped { step, .. } if by == self.handling => {
                let ends = step.leads_to() == CaseState::Archived;
                Self { turn: (!ends).then_some(by), ..self.clone() }
            }
            CaseMove::Amended { .. }
            | CaseMove::ProposalAdopted { .. }
            | CaseMove::ProposalRefused { .. }
                if by == self.handling && self.offer.is_none() =>
            {
                self.clone()
            }
            CaseMove::TransferOffered { .. }
            | CaseMove::TransferAccepted { .. }
            | CaseMove::Stepped { .. }
            | CaseMove::Amended { .. }
            | CaseMove::ProposalAdopted { .. }
            | CaseMove::ProposalRefused { .. }
            | CaseMove::Opened { .. } => return None,
        })
    }
}

#[derive(Default)]
pub struct Turns {
    opened: BTreeMap<SubjectId, usize>,
    /// Who moved from an entry, and where.
    moved: BTreeMap<(SubjectId, Position), Position>,
}

impl Turns {
    pub fn opened(&mut self, subject: SubjectId, by: usize) {
        self.opened.insert(subject, by);
    }

    pub fn opened_by(&self, subject: SubjectId) -> Option<usize> {
        self.opened.get(&subject).copied()
    }
}

impl Checks {
    /// A city that does not lie has written an entry.
    pub(super) fn learn_move(&mut self, cast: &Cast, city: usize, truth: &Truth) {
        let at = truth.envelope.position();
        self.learn_audience(cast, city, &truth.envelope, &truth.event);
        match (&truth.event, truth.envelope.subject.id, truth.envelope.prev) {
            (Event::CaseOpened { .. }, None, _) => {
                self.turns.opened(subject_id(at), city);
            }
            // Of an entry that has two histories each may lead on.
            (Event::CaseMove(_), Some(_), Some(prev)) if self.may_fork(cast, prev.log) => {}
            (Event::CaseMove(_), Some(subject), Some(prev)) => {
                let first = *self.turns.moved.entry((subject, prev)).or_insert(at);
                // A move that rotted before anybody else had it never was.
                let lost = self.restored.contains(&city) || self.rotted.contains(&city);
                let known =
                    |n: usize| n != city && self.logs.held[n].get(&first.log) > Some(&first.index);
                if first != at && (!lost || (0..self.logs.ever.len()).any(known)) {
                    self.fail(format!("two honest moves from {prev}: {first} and {at}"));
                }
            }
            (Event::CaseMove(_), _, _) => {
                self.fail(format!("{at} is a move that names no case or no entry before it"));
            }
            _ => {}
        }
    }
}
