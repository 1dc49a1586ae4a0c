//! One entry into the rows: what became of it.

use serde::{Deserialize, Serialize};

use super::case_chain::MoveRow;
use super::case_view::RecordRef;
use super::case_view::{CaseView, HistoryRow};
use super::evidence_view::{self, List, lists_of};
use super::meeting_view::MeetingView;
use super::notice_view::NoticeView;
use super::plan_chain::PlanMoveRow;
use super::plan_view::PlanView;
use super::rows::{ReadRows, Rows, get, put};
use super::site_view::SiteView;
use super::unit_view::UnitView;
use super::{audience, case_view, chain, happened, keys, record, referral_view};
use crate::domain::deadline::Milestone;
use crate::domain::{self, CaseContribution, CaseMove, CaseState, Date, Event, ReferralAct};
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use crate::log::{Envelope, Head, PartKind, SubjectKind, subject_id};

/// An entry whose turn it is, with what must be known around it.
#[derive(Clone, Copy, Debug)]
pub struct FoldEntry<'a> {
    /// The agreement of its log.
    pub agreement: AgreementId,
    /// The author of its log.
    pub city: CityCode,
    /// The epoch of its log.
    pub epoch: u64,
    /// What its log pins of an older one.
    pub prologue: Option<Head>,
    /// Members under the charter in force, ascending.
    pub members: &'a [CityCode],
    /// Its structural fields.
    pub envelope: &'a Envelope,
    /// What happened.
    pub event: &'a Event,
}

impl FoldEntry<'_> {
    /// Whether the author had seen an entry when writing this one.
    pub(super) fn has_seen(&self, rows: &impl ReadRows, at: Position) -> bool {
        if at.log == self.envelope.log {
            return at.index < self.envelope.index;
        }
        let pinned = self.prologue.filter(|head| head.log == at.log).map_or(0, |head| head.size);
        at.index < named(rows, self.envelope.log, at.log).max(pinned)
    }
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// It opened a record.
    Opened,
    /// A move that took effect.
    Move,
    /// A contribution.
    Contribution,
    /// It did not take effect, for this reason of the published table.
    Misfit(String),
    /// Of a kind this version does not know.
    Newer,
    /// It is about the log, an actor or the agreement.
    Other,
}

/// The outcome of [`apply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What became of the entry.
    pub effect: Effect,
    /// The record it is about, if it is about one.
    pub subject: Option<(SubjectKind, SubjectId)>,
    /// An earlier choice was taken back: the record was folded again.
    pub refolded: bool,
}

/// What the fold must remember of an entry to judge those that name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryRow {
    pub agreement: AgreementId,
    pub subject: Option<SubjectId>,
    pub city: CityCode,
    pub apply: u64,
    pub what: What,
    /// Its parts that may hold a list of evidence.
    pub lists: Vec<List>,
}

/// The roles an entry may play for later ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    Move(MoveRow),
    Proposal,
    /// Of the offer that stands.
    Recall,
    AssistanceRequest {
        to: CityCode,
        due_on: Date,
    },
    AssistanceAnswer(Position),
    /// Of the offer that its author had seen as the last move.
    Acknowledgement(Position),
    Milestone(Milestone, Date),
    /// Of the milestone or detention that this entry recorded.
    Withdrawal(Position),
    /// Of police or procuratorate; a campaign tag has no date and is none.
    Referral(ReferralAct),
    /// A detention was handed over, without papers: said before there were referrals.
    Detention(Date),
    PlanMove(Box<PlanMoveRow>),
    /// To this revision of a plan.
    PlanAnswer(Position),
    Other,
}

impl What {
    /// Whether deadlines, statistics or what is awaited are worked out from it.
    const fn is_dated(&self) -> bool {
        !matches!(self, Self::PlanMove(_) | Self::PlanAnswer(_) | Self::Other)
    }
}

/// The largest size of `other` that `log` has named in its applied entries.
#[must_use]
pub fn named(rows: &(impl ReadRows + ?Sized), log: LogId, other: LogId) -> u64 {
    get(rows, &keys::seen(log, other)).unwrap_or(0)
}

/// Applies one entry.
///
/// The caller guarantees that its log is applied below it and that everything in its `after` is
/// applied. `apply_number` is the entry's place in the feed.
pub fn apply<R: Rows>(rows: &mut R, entry: &FoldEntry<'_>, apply_number: u64) -> Applied {
    let log = entry.envelope.log;
    for head in &entry.envelope.after {
        if head.size > named(rows, log, head.log) {
            put(rows, keys::seen(log, head.log), &head.size);
        }
    }
    let at = entry.envelope.position();
    let applied = match entry.envelope.subject.kind {
        SubjectKind::Case => apply_to_case(rows, entry, apply_number),
        SubjectKind::Notice => record::apply::<NoticeView, R>(rows, entry, apply_number),
        SubjectKind::Meeting => record::apply::<MeetingView, R>(rows, entry, apply_number),
        SubjectKind::Site => record::apply::<SiteView, R>(rows, entry, apply_number),
        SubjectKind::Unit => record::apply::<UnitView, R>(rows, entry, apply_number),
        SubjectKind::Plan => record::apply::<PlanView, R>(rows, entry, apply_number),
        SubjectKind::Actor | SubjectKind::Log | SubjectKind::Agreement | SubjectKind::Newer => {
            apply_to_none(rows, entry, apply_number)
        }
    };
    let record = applied.subject.and_then(|(kind, id)| RecordRef::of(kind, id));
    put(rows, keys::feed(apply_number), &(entry.agreement, record, at));
    applied
}

/// An entry about no record that is folded.
fn apply_to_none<R: Rows>(rows: &mut R, entry: &FoldEntry<'_>, apply: u64) -> Applied {
    let subject = entry.envelope.subject.id.map(|id| (entry.envelope.subject.kind, id));
    let effect = match entry.event {
        Event::Newer => Effect::Newer,
        Event::CaseOpened { .. }
        | Event::CaseMove(_)
        | Event::Contribution(_)
        | Event::NoticeIssued { .. }
        | Event::NoticeAct(_)
        | Event::MeetingCalled { .. }
        | Event::MeetingAct(_)
        | Event::SiteRegistered { .. }
        | Event::SiteAct(_)
        | Event::UnitRegistered { .. }
        | Event::UnitAct(_)
        | Event::PlanOpened { .. }
        | Event::PlanMove(_)
        | Event::PlanAct(_) => misfit("WRONG_SUBJECT"),
        Event::ActorIntroduced
        | Event::RecoveryOverridden { .. }
        | Event::CharterAdopted { .. }
        | Event::PartErased { .. } => Effect::Other,
    };
    remember(rows, entry, None, apply, What::Other);
    Applied { effect, subject, refolded: false }
}

/// The author had not seen the case: not counted in the case, and shown in its history.
pub(super) const SUBJECT_UNSEEN: &str = "SUBJECT_UNSEEN";

pub(super) fn misfit(reason: &str) -> Effect {
    Effect::Misfit(reason.to_owned())
}

pub(super) fn remember<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: Option<SubjectId>,
    apply: u64,
    what: What,
) {
    let lists = lists_of(entry.envelope);
    let (agreement, city) = (entry.agreement, entry.city);
    if let Some(subject) = subject.filter(|_| what.is_dated()) {
        // Found without the notes between them, of which there may be thousands.
        put(rows, keys::dated(agreement, subject, apply), &());
    }
    let row = EntryRow { agreement, subject, city, apply, what, lists };
    put(rows, keys::entry(entry.envelope.position()), &row);
}

/// A line in the history of the record that an entry is about; the state is that of a case.
pub(super) fn note_history<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    (effect, state): (&Effect, Option<CaseState>),
    apply: u64,
) {
    let row = HistoryRow {
        position: entry.envelope.position(),
        city: entry.city,
        effect: effect.clone(),
        state,
        record_time_ms: entry.envelope.record_time_ms,
    };
    put(rows, keys::history(entry.agreement, subject, apply), &row);
}

fn apply_to_case<R: Rows>(rows: &mut R, entry: &FoldEntry<'_>, apply: u64) -> Applied {
    let at = entry.envelope.position();
    let (subject, outcome) = match (entry.envelope.subject.id, entry.event) {
        (None, Event::CaseOpened { facts, effective_on }) => {
            let subject = subject_id(at);
            let case = domain::open(entry.city, facts.clone(), *effective_on);
            open_case(rows, entry, subject, case, apply);
            (subject, (Effect::Opened, false))
        }
        (Some(subject), event) => (subject, on_case(rows, entry, subject, event, apply)),
        (None, _) => {
            remember(rows, entry, None, apply, What::Other);
            let effect = misfit("SUBJECT_MISSING");
            return Applied { effect, subject: None, refolded: false };
        }
    };
    let (effect, refolded) = outcome;
    audience::note_narrow(rows, entry, subject);
    let state = case_view::state_after(rows, entry.agreement, subject, &effect);
    note_history(rows, entry, subject, (&effect, state), apply);
    Applied { effect, subject: Some((SubjectKind::Case, subject)), refolded }
}

fn open_case<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    case: domain::Case,
    apply: u64,
) {
    let at = entry.envelope.position();
    let carries = |kind| entry.envelope.parts.iter().any(|p| p.kind == kind);
    let view = CaseView {
        case: case.clone(),
        opened_at: at,
        last_move: at,
        record_at: at,
        person_at: carries(PartKind::Person).then_some(at),
        handed_at: at,
        campaigns: Vec::new(),
        move_count: 1,
        contribution_count: 0,
        misfit_count: 0,
        needs_newer: false,
        parts_received_by: Vec::new(),
        last_record_time_ms: entry.envelope.record_time_ms,
        last_apply: apply,
        opened_apply: apply,
    };
    put(rows, keys::case(entry.agreement, subject), &view);
    put(rows, keys::opened(entry.agreement, apply), &subject);
    let what = What::Move(MoveRow::opening(entry, case));
    remember(rows, entry, Some(subject), apply, what);
}

fn on_case<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    event: &Event,
    apply: u64,
) -> (Effect, bool) {
    let view = case_view::case(rows, entry.agreement, subject);
    let known = view.filter(|view| entry.has_seen(rows, view.opened_at));
    let Some(mut view) = known else {
        remember(rows, entry, None, apply, What::Other);
        return (misfit(SUBJECT_UNSEEN), false);
    };
    let (effect, refolded) = match event {
        Event::CaseMove(mv) => {
            let barred = bar(rows, entry, subject, mv);
            if barred.is_none() && mv.hands_over() {
                evidence_view::note_acceptance(rows, entry, subject);
            }
            let row = MoveRow::of(entry, mv, barred);
            if mv.hands_over() {
                referral_view::note_hand_over(rows, entry, subject, &view, &row);
            }
            remember(rows, entry, Some(subject), apply, What::Move(row.clone()));
            chain::extend(rows, (entry.agreement, subject), &mut view, &row)
        }
        Event::Contribution(contribution) => {
            let what = happened::what_of(rows, entry, &view, contribution);
            remember(rows, entry, Some(subject), apply, what);
            (contribute(rows, entry, subject, &mut view, contribution), false)
        }
        Event::Newer => {
            remember(rows, entry, Some(subject), apply, What::Other);
            view.needs_newer = true;
            (Effect::Newer, false)
        }
        Event::CaseOpened { .. }
        | Event::NoticeIssued { .. }
        | Event::NoticeAct(_)
        | Event::MeetingCalled { .. }
        | Event::MeetingAct(_)
        | Event::SiteRegistered { .. }
        | Event::SiteAct(_)
        | Event::UnitRegistered { .. }
        | Event::UnitAct(_)
        | Event::PlanOpened { .. }
        | Event::PlanMove(_)
        | Event::PlanAct(_)
        | Event::ActorIntroduced
        | Event::RecoveryOverridden { .. }
        | Event::CharterAdopted { .. }
        | Event::PartErased { .. } => {
            remember(rows, entry, Some(subject), apply, What::Other);
            (misfit("WRONG_SUBJECT"), false)
        }
    };
    if let Effect::Misfit(_) = effect {
        view.misfit_count += 1;
    }
    // The latest, not the last to arrive: the same on every node.
    view.last_record_time_ms = view.last_record_time_ms.max(entry.envelope.record_time_ms);
    view.last_apply = apply;
    put(rows, keys::case(entry.agreement, subject), &view);
    (effect, refolded)
}

/// Why a move can never take effect, whatever else is applied; `None` when it may.
fn bar(
    rows: &impl ReadRows,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    mv: &CaseMove,
) -> Option<&'static str> {
    let wrong = bar_prev(rows, entry, subject, |what| matches!(what, What::Move(_)));
    if wrong.is_some() {
        return wrong;
    }
    match mv {
        CaseMove::ProposalAdopted { proposal, .. } | CaseMove::ProposalRefused { proposal, .. } => {
            let is_proposal = |what: &What| matches!(what, What::Proposal);
            (!names(rows, entry, subject, *proposal, is_proposal)).then_some("PROPOSAL_UNSEEN")
        }
        CaseMove::Opened { .. }
        | CaseMove::Stepped { .. }
        | CaseMove::Amended { .. }
        | CaseMove::TransferOffered { .. }
        | CaseMove::TransferAccepted { .. }
        | CaseMove::TransferReturned { .. }
        | CaseMove::TransferDisputed { .. }
        | CaseMove::JurisdictionDesignated { .. } => None,
    }
}

/// Why what a move names as the entry before it is none.
pub(super) fn bar_prev(
    rows: &impl ReadRows,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    is_move: impl Fn(&What) -> bool,
) -> Option<&'static str> {
    let Some(prev) = entry.envelope.prev else { return Some("PREV_MISSING") };
    if !entry.has_seen(rows, prev) {
        return Some("PREV_UNSEEN");
    }
    let row: Option<EntryRow> = get(rows, &keys::entry(prev));
    let Some(row) = row.filter(|row| row.agreement == entry.agreement) else {
        return Some("PREV_UNSEEN");
    };
    if row.subject != Some(subject) {
        return Some("OTHER_SUBJECT");
    }
    (!is_move(&row.what)).then_some("PREV_NOT_A_MOVE")
}

/// Whether an entry names a seen entry of its own record that plays the role asked for.
pub(super) fn names(
    rows: &impl ReadRows,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    at: Position,
    plays: impl Fn(&What) -> bool,
) -> bool {
    let row: Option<EntryRow> = get(rows, &keys::entry(at));
    entry.has_seen(rows, at)
        && row.is_some_and(|row| row.subject == Some(subject) && plays(&row.what))
}

fn contribute<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    view: &mut CaseView,
    contribution: &CaseContribution,
) -> Effect {
    match contribution {
        CaseContribution::AssistanceAnswered { request } => {
            let asks = |what: &What| matches!(what, What::AssistanceRequest { .. });
            if !names(rows, entry, subject, *request, asks) {
                return misfit("REQUEST_UNSEEN");
            }
        }
        CaseContribution::MilestoneWithdrawn { entry: at } => {
            if !happened::withdraws(rows, entry, subject, *at) {
                return misfit("MILESTONE_UNSEEN");
            }
        }
        CaseContribution::PartGranted { entry: at, part, to } => {
            let row: Option<EntryRow> = get(rows, &keys::entry(*at));
            let own = row.is_some_and(|r| r.city == entry.city && r.subject == Some(subject));
            if !own || !entry.has_seen(rows, *at) || !entry.members.contains(to) {
                return misfit("PART_UNSEEN");
            }
            audience::grant(rows, (*at, *part), *to, entry.envelope.position());
        }
        CaseContribution::Evidence { place, act } => {
            if let Err(wrong) = evidence_view::add(rows, entry, subject, *place, *act) {
                return misfit(wrong.reason());
            }
        }
        CaseContribution::Referral(act) => {
            if let Err(wrong) = referral_view::add(rows, entry, subject, view, act) {
                return misfit(wrong.reason());
            }
        }
        CaseContribution::PartsReceived => {
            if let Err(place) = view.parts_received_by.binary_search(&entry.city) {
                view.parts_received_by.insert(place, entry.city);
            }
        }
        CaseContribution::TransferAcknowledged
        | CaseContribution::TransferRecallRequested
        | CaseContribution::AssistanceRequested { .. }
        | CaseContribution::NoteAdded
        | CaseContribution::EvidenceAdded
        | CaseContribution::ProposalMade
        | CaseContribution::PoliceDetentionTransferred { .. }
        | CaseContribution::MilestoneRecorded { .. }
        | CaseContribution::ContinuedIn { .. }
        | CaseContribution::ContinuedFrom { .. } => {}
    }
    view.contribution_count += 1;
    Effect::Contribution
}
