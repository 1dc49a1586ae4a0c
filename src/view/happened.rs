//! What happened in a case, with its legal dates: what deadlines are worked out from, and what
//! statistics count.
//!
//! In scope: reading them. Out of scope: what follows from them ([`crate::domain`]).
//!
//! Invariant: what is read is what a look through the whole history finds.
//! (`dated_lines_are_those_of_the_whole_history`)

use std::collections::BTreeSet;

use super::case_chain::Step;
use super::case_view::{CaseView, HistoryEntry, dated};
use super::fold::{Effect, EntryRow, FoldEntry, What, names};
use super::keys;
use super::rows::{ReadRows, get};
use crate::domain::awaited::{self, Waiting};
use crate::domain::deadline::{self, Happened};
use crate::domain::statistics::{self, Fact};
use crate::domain::{CaseContribution, CaseMove, CaseState, Date};
use crate::ids::{AgreementId, CaseKey, CityCode, Position, SubjectId};

/// Everything that took effect in a case, in the order of its history.
#[must_use]
pub fn happened(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<Happened> {
    let mut entries: Vec<HistoryEntry> = Vec::new();
    dated(rows, agreement, subject, &mut |entry| {
        if !matches!(entry.effect, Effect::Misfit(_) | Effect::Newer) {
            entries.push(entry);
        }
        true
    });
    of_entries(rows, entries)
}

/// The same by a look through the whole history.
#[cfg(test)]
pub(super) fn happened_by_history(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<Happened> {
    let mut found: Vec<HistoryEntry> = Vec::new();
    super::history(rows, agreement, subject, 0, &mut |entry| {
        if !matches!(entry.effect, Effect::Misfit(_) | Effect::Newer) {
            found.push(entry);
        }
        true
    });
    of_entries(rows, found)
}

/// What is awaited in a case, by whom. Of most cases it is told without their history.
#[must_use]
pub fn awaited(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): CaseKey,
    found: &CaseView,
) -> Vec<Waiting> {
    if found.case.transfer.is_none() && found.contribution_count == 0 {
        return Vec::new();
    }
    awaited::awaited(&found.case, &happened(rows, agreement, subject))
}

/// When a person of a city acknowledged an offer, and when it was made, by the clocks of their
/// authors.
#[must_use]
pub fn acknowledged(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): CaseKey,
    (offer, by): (Position, CityCode),
) -> (Option<i64>, Option<i64>) {
    let (mut acknowledged, mut offered) = (None, None);
    dated(rows, agreement, subject, &mut |entry| {
        if entry.position == offer {
            offered = Some(entry.record_time_ms);
        } else if entry.city == by
            && !matches!(entry.effect, Effect::Misfit(_) | Effect::Newer)
            && get::<EntryRow>(rows, &keys::entry(entry.position))
                .is_some_and(|row| matches!(row.what, What::Acknowledgement(of) if of == offer))
        {
            acknowledged = Some(entry.record_time_ms);
        }
        acknowledged.is_none() || offered.is_none()
    });
    (acknowledged, offered)
}

/// What must be remembered of a contribution.
pub(super) fn what_of(
    rows: &impl ReadRows,
    entry: &FoldEntry<'_>,
    view: &CaseView,
    contribution: &CaseContribution,
) -> What {
    match contribution {
        CaseContribution::ProposalMade => What::Proposal,
        CaseContribution::TransferRecallRequested => What::Recall,
        CaseContribution::AssistanceRequested { to, due_on } => {
            What::AssistanceRequest { to: *to, due_on: *due_on }
        }
        CaseContribution::AssistanceAnswered { request } => What::AssistanceAnswer(*request),
        CaseContribution::MilestoneRecorded { milestone, effective_on } => {
            What::Milestone(*milestone, *effective_on)
        }
        CaseContribution::Referral(act) if act.on().is_some() => What::Referral(act.clone()),
        CaseContribution::PoliceDetentionTransferred { effective_on } => {
            What::Detention(*effective_on)
        }
        CaseContribution::MilestoneWithdrawn { entry } => What::Withdrawal(*entry),
        // Whatever came first here: a later offer was not seen by whoever acknowledges the first.
        CaseContribution::TransferAcknowledged if entry.has_seen(rows, view.last_move) => {
            What::Acknowledgement(view.last_move)
        }
        CaseContribution::TransferAcknowledged
        | CaseContribution::NoteAdded
        | CaseContribution::EvidenceAdded
        | CaseContribution::Evidence { .. }
        | CaseContribution::Referral(_)
        | CaseContribution::PartsReceived
        | CaseContribution::PartGranted { .. }
        | CaseContribution::ContinuedIn { .. }
        | CaseContribution::ContinuedFrom { .. } => What::Other,
    }
}

/// Whether an entry takes back a milestone or a detention that its own city recorded in its case.
pub(super) fn withdraws(
    rows: &impl ReadRows,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    at: Position,
) -> bool {
    let row: Option<EntryRow> = get(rows, &keys::entry(at));
    row.is_some_and(|row| row.city == entry.city)
        && names(rows, entry, subject, at, is_withdrawable)
}

const fn is_withdrawable(what: &What) -> bool {
    matches!(what, What::Milestone(..) | What::Detention(_))
}

/// Whether an entry recorded a milestone or a detention of a city in a case, and it counts.
#[must_use]
pub fn milestone_stands(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): CaseKey,
    (city, at): (CityCode, Position),
) -> bool {
    let (mut recorded, mut withdrawn) = (false, false);
    dated(rows, agreement, subject, &mut |entry| {
        let row: Option<EntryRow> = get(rows, &keys::entry(entry.position));
        if let Some(row) = row.filter(|_| entry.effect == Effect::Contribution) {
            let is_it = entry.position == at && entry.city == city;
            recorded |= is_it && is_withdrawable(&row.what);
            withdrawn |= row.what == What::Withdrawal(at);
        }
        true
    });
    recorded && !withdrawn
}

/// What entries that took effect say, in their order; but what was taken back.
fn of_entries(
    rows: &(impl ReadRows + ?Sized),
    entries: impl IntoIterator<Item = HistoryEntry>,
) -> Vec<Happened> {
    let (mut found, mut withdrawn) = (Vec::new(), BTreeSet::new());
    for entry in entries {
        let row: Option<EntryRow> = get(rows, &keys::entry(entry.position));
        let Some(row) = row else { continue };
        if let What::Withdrawal(at) = row.what {
            withdrawn.insert(at);
        }
        found.extend(one(&entry, row).map(|one| (entry.position, one)));
    }
    found.retain(|(at, _)| !withdrawn.contains(at));
    found.into_iter().map(|(_, one)| one).collect()
}

fn one(entry: &HistoryEntry, row: EntryRow) -> Option<Happened> {
    let written = Date::beijing(entry.record_time_ms);
    let (what, on) = match row.what {
        What::Move(row) => match row.step {
            Step::Opening(case) => {
                (deadline::What::Became(CaseState::ClueReported), Some(case.last_effective_on))
            }
            Step::Move(mv) => (of_move(&mv, entry.state?), Some(mv.effective_on())),
        },
        What::Milestone(one, on) => (deadline::What::Milestone(one), Some(on)),
        What::Acknowledgement(offer) => (deadline::What::Acknowledged(offer), written),
        What::AssistanceRequest { to, due_on } => {
            (deadline::What::Asked { request: entry.position, to, due_on }, written)
        }
        What::AssistanceAnswer(request) => (deadline::What::Answered(request), written),
        What::Referral(act) => (deadline::What::of_referral(entry.position, &act)?, act.on()),
        What::Detention(on) => (deadline::What::DetentionHandedOver, Some(on)),
        What::Proposal => (deadline::What::Proposed(entry.position), written),
        What::Recall => (deadline::What::Recalled, written),
        What::Withdrawal(_) | What::PlanMove(_) | What::PlanAnswer(_) | What::Other => return None,
    };
    Some(Happened { by: entry.city, on: on?, what })
}

/// The moves that took effect in a case, as statistics count them.
#[must_use]
pub fn moved(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<Fact> {
    let mut entries: Vec<HistoryEntry> = Vec::new();
    dated(rows, agreement, subject, &mut |entry| {
        if matches!(entry.effect, Effect::Opened | Effect::Move) {
            entries.push(entry);
        }
        true
    });
    let fact = |entry: &HistoryEntry| {
        let row: EntryRow = get(rows, &keys::entry(entry.position))?;
        let What::Move(row) = row.what else { return None };
        let (on, what) = match row.step {
            Step::Opening(case) => (case.last_effective_on, statistics::What::Opened),
            Step::Move(mv) => (mv.effective_on(), statistics::What::of(&mv, entry.state?)),
        };
        Some(Fact { by: entry.city, on, what })
    };
    entries.iter().filter_map(fact).collect()
}

/// A case that comes back goes on where it stood: nothing begins anew.
fn of_move(mv: &CaseMove, state: CaseState) -> deadline::What {
    match mv {
        CaseMove::ProposalAdopted { proposal, .. } | CaseMove::ProposalRefused { proposal, .. } => {
            deadline::What::Judged(*proposal)
        }
        CaseMove::Amended { .. } | CaseMove::TransferReturned { .. } => deadline::What::Edited,
        CaseMove::Opened { .. }
        | CaseMove::Stepped { .. }
        | CaseMove::TransferOffered { .. }
        | CaseMove::TransferAccepted { .. }
        | CaseMove::TransferDisputed { .. }
        | CaseMove::JurisdictionDesignated { .. } => deadline::What::Became(state),
    }
}
