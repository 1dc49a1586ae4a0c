//! Cases, histories and the feed, as the rows hold them.

use serde::{Deserialize, Serialize};

use super::fold::{Effect, EntryRow, What};
use super::keys;
use super::referral_view::CampaignTag;
use super::rows::{ReadRows, get};
use crate::domain::{Case, CaseState};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::SubjectKind;

/// A case as the fold has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseView {
    /// State, turn, handling city, facts.
    pub case: Case,
    /// The entry that opened it.
    pub opened_at: Position,
    /// The last move that took effect: the etag.
    pub last_move: Position,
    /// The newest move with a record among its parts.
    pub record_at: Position,
    /// The newest move with a person among its parts.
    pub person_at: Option<Position>,
    /// The last move that handed it over, or the opening.
    pub handed_at: Position,
    /// What was last said of each campaign tag, ascending by campaign.
    pub campaigns: Vec<CampaignTag>,
    /// Moves that took effect, the opening included.
    pub move_count: u32,
    /// Contributions.
    pub contribution_count: u32,
    /// Entries that did not take effect.
    pub misfit_count: u32,
    /// An entry of a newer kind holds it.
    pub needs_newer: bool,
    /// Cities that have confirmed the narrow parts, ascending.
    pub parts_received_by: Vec<CityCode>,
    /// Clock of the author of the last entry, milliseconds since 1970-01-01 UTC.
    pub last_record_time_ms: i64,
    /// Apply number of the last entry here.
    pub last_apply: u64,
    /// Apply number of the opening here.
    pub opened_apply: u64,
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HistoryRow {
    pub position: Position,
    pub city: CityCode,
    pub effect: Effect,
    pub state: Option<CaseState>,
    pub record_time_ms: i64,
}

/// One entry of a case's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it was applied here.
    pub apply: u64,
    /// Where it stands.
    pub position: Position,
    /// Its author's city.
    pub city: CityCode,
    /// What became of it.
    pub effect: Effect,
    /// The case's state after it, on the opening and on moves that took effect.
    pub state: Option<CaseState>,
    /// The author's clock, milliseconds since 1970-01-01 UTC.
    pub record_time_ms: i64,
}

/// A record that the feed names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordRef {
    /// A case.
    Case(SubjectId),
    /// A notice.
    Notice(SubjectId),
    /// A meeting.
    Meeting(SubjectId),
    /// A site.
    Site(SubjectId),
    /// A unit.
    Unit(SubjectId),
    /// A plan.
    Plan(SubjectId),
}

impl RecordRef {
    /// The record of a subject; `None` where its kind has none.
    #[must_use]
    pub const fn of(kind: SubjectKind, id: SubjectId) -> Option<Self> {
        match kind {
            SubjectKind::Case => Some(Self::Case(id)),
            SubjectKind::Notice => Some(Self::Notice(id)),
            SubjectKind::Meeting => Some(Self::Meeting(id)),
            SubjectKind::Site => Some(Self::Site(id)),
            SubjectKind::Unit => Some(Self::Unit(id)),
            SubjectKind::Plan => Some(Self::Plan(id)),
            SubjectKind::Actor | SubjectKind::Log | SubjectKind::Agreement | SubjectKind::Newer => {
                None
            }
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(self) -> SubjectId {
        match self {
            Self::Case(id)
            | Self::Notice(id)
            | Self::Meeting(id)
            | Self::Site(id)
            | Self::Unit(id)
            | Self::Plan(id) => id,
        }
    }
}

/// One entry of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Apply number.
    pub apply: u64,
    /// Its agreement.
    pub agreement: AgreementId,
    /// The record it concerns, if any.
    pub record: Option<RecordRef>,
    /// The entry.
    pub position: Position,
}

impl FeedEntry {
    /// The record it concerns, if it is of this kind.
    #[must_use]
    pub fn record_of(&self, kind: SubjectKind) -> Option<SubjectId> {
        let id = self.record.map(RecordRef::id)?;
        (RecordRef::of(kind, id) == self.record).then_some(id)
    }

    /// The case it concerns, if it is about one.
    #[must_use]
    pub fn case(&self) -> Option<SubjectId> {
        self.record_of(SubjectKind::Case)
    }
}

/// One case.
#[must_use]
pub fn case(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Option<CaseView> {
    get(rows, &keys::case(agreement, subject))
}

/// Walks the cases of an agreement from the one opened last here, or from behind `after` (the
/// apply number of an opening), until `f` says no.
pub fn cases_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    after: Option<u64>,
    f: &mut dyn FnMut(SubjectId, CaseView) -> bool,
) {
    let from = keys::opened(agreement, 0);
    let to = keys::opened(agreement, after.unwrap_or(u64::MAX));
    rows.scan(&from, &to, true, &mut |_, value| {
        let Ok(subject) = postcard::from_bytes::<SubjectId>(value) else { return true };
        case(rows, agreement, subject).is_none_or(|view| f(subject, view))
    });
}

/// Walks the openings of an agreement from the newest here, or from below apply number `below`,
/// until `f` says no.
pub fn openings(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(u64, SubjectId) -> bool,
) {
    let from = keys::opened(agreement, 0);
    let to = keys::opened(agreement, below.unwrap_or(u64::MAX));
    rows.scan(&from, &to, true, &mut |key, value| {
        let subject = postcard::from_bytes::<SubjectId>(value).ok();
        let Some((apply, subject)) = keys::last_number(key).zip(subject) else { return true };
        f(apply, subject)
    });
}

/// What later entries may name an applied entry as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRole {
    /// A move.
    Move,
    /// A proposal.
    Proposal,
    /// A request for help.
    AssistanceRequest,
    /// Nothing that is named.
    Other,
}

/// An applied entry, as far as others may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppliedEntry {
    /// Its agreement.
    pub agreement: AgreementId,
    /// The record it is about.
    pub subject: Option<SubjectId>,
    /// Its author.
    pub city: CityCode,
    /// What it may be named as.
    pub role: EntryRole,
}

/// One applied entry; `None` when it is not here, or still waits.
#[must_use]
pub fn applied_entry(rows: &(impl ReadRows + ?Sized), at: Position) -> Option<AppliedEntry> {
    let row: EntryRow = get(rows, &keys::entry(at))?;
    let role = match row.what {
        What::Move(_) => EntryRole::Move,
        What::Proposal => EntryRole::Proposal,
        What::AssistanceRequest { .. } => EntryRole::AssistanceRequest,
        What::AssistanceAnswer(_)
        | What::Acknowledgement(_)
        | What::Recall
        | What::Milestone(..)
        | What::Withdrawal(_)
        | What::Referral(_)
        | What::Detention(_)
        | What::PlanMove(_)
        | What::PlanAnswer(_)
        | What::Other => EntryRole::Other,
    };
    Some(AppliedEntry { agreement: row.agreement, subject: row.subject, city: row.city, role })
}

/// Walks the history of a record in order of application, from apply number `from` on, until `f`
/// says no.
pub fn history(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
    from: u64,
    f: &mut dyn FnMut(HistoryEntry) -> bool,
) {
    let (from, to) =
        (keys::history(agreement, subject, from), keys::history(agreement, subject, u64::MAX));
    walk_history(rows, (&from, &to), false, f);
}

/// The same from the newest entry on.
pub fn history_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
    f: &mut dyn FnMut(HistoryEntry) -> bool,
) {
    let (from, to) =
        (keys::history(agreement, subject, 0), keys::history(agreement, subject, u64::MAX));
    walk_history(rows, (&from, &to), true, f);
}

/// Walks only those lines of a case's history that deadlines and statistics are worked out from:
/// its moves, and what has a day of its own. Notes and lists, of which there may be thousands, are
/// not read.
pub fn dated(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
    f: &mut dyn FnMut(HistoryEntry) -> bool,
) {
    let (from, to) =
        (keys::dated(agreement, subject, 0), keys::dated(agreement, subject, u64::MAX));
    let mut places: Vec<u64> = Vec::new();
    rows.scan(&from, &to, false, &mut |key, _| {
        places.extend(keys::last_number(key));
        true
    });
    for apply in places {
        // What became of a move may have been corrected since: its line says it.
        let row = get::<HistoryRow>(rows, &keys::history(agreement, subject, apply));
        if !row.is_none_or(|row| f(line(apply, row))) {
            return;
        }
    }
}

fn line(apply: u64, row: HistoryRow) -> HistoryEntry {
    let HistoryRow { position, city, effect, state, record_time_ms } = row;
    HistoryEntry { apply, position, city, effect, state, record_time_ms }
}

fn walk_history(
    rows: &(impl ReadRows + ?Sized),
    (from, to): (&[u8], &[u8]),
    reverse: bool,
    f: &mut dyn FnMut(HistoryEntry) -> bool,
) {
    rows.scan(from, to, reverse, &mut |key, value| {
        let row = postcard::from_bytes::<HistoryRow>(value).ok();
        let Some((apply, row)) = keys::last_number(key).zip(row) else { return true };
        f(line(apply, row))
    });
}

/// Walks the feed from apply number `from` on, until `f` says no.
pub fn feed(rows: &(impl ReadRows + ?Sized), from: u64, f: &mut dyn FnMut(FeedEntry) -> bool) {
    rows.scan(&keys::feed(from), &keys::feed(u64::MAX), false, &mut |key, value| {
        let row = postcard::from_bytes::<(AgreementId, Option<RecordRef>, Position)>(value).ok();
        let Some((apply, (agreement, record, position))) = keys::last_number(key).zip(row) else {
            return true;
        };
        f(FeedEntry { apply, agreement, record, position })
    });
}

/// The state to show beside an entry.
pub(super) fn state_after(
    rows: &impl ReadRows,
    agreement: AgreementId,
    subject: SubjectId,
    effect: &Effect,
) -> Option<CaseState> {
    match effect {
        Effect::Opened | Effect::Move => case(rows, agreement, subject).map(|v| v.case.state),
        Effect::Contribution | Effect::Misfit(_) | Effect::Newer | Effect::Other => None,
    }
}
