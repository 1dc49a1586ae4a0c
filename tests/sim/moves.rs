//! What somebody at a desk might do next with a case: mostly what fits, sometimes not.

use liandong::api::request::Command;
use liandong::domain::{
    self, AuthorityLevel, CaseContribution, CaseDraft, CaseFacts, CaseMove, CaseRecord, CaseState,
    CaseStep, DataLevel, Date, Medium, Source, Violation,
};
use liandong::ids::{AgreementId, CityCode, Position, SubjectId};
use liandong::log::Audience;
use liandong::view::{self, CaseView, EntryRole, ReadRows};

use super::node::START_MS;
use super::rng::Rng;

/// A city that is a member of nothing here.
const OUTSIDE: u32 = 371_300;
/// Entries of a case's history that are looked through.
const HISTORY_SHOWN: usize = 24;

pub fn facts() -> CaseFacts {
    CaseFacts {
        source: Source::Complaint,
        medium: Medium::Water,
        violation: Violation::WaterExceed,
        county_code: None,
        discovered_time_ms: START_MS - 5 * 86_400_000,
        occurred_from: None,
        occurred_to: None,
        data_level: DataLevel::General,
        borders: Vec::new(),
        border_uncertain: false,
        belt_exception: false,
        has_point: false,
    }
}

pub fn record(title: &str, placed: bool) -> CaseRecord {
    let point = || ("115.980000".to_owned(), "36.450000".to_owned(), "CGCS2000".to_owned());
    let coordinates = placed.then(point);
    let draft = CaseDraft { title: title.to_owned(), coordinates, ..CaseDraft::default() };
    CaseRecord::parse(&draft).unwrap()
}

/// A command in a few words.
pub fn said(command: &Command) -> String {
    match command {
        Command::OpenCase { .. } => "open".to_owned(),
        Command::MoveCase { subject, etag, mv, .. } => {
            format!("{:?} {subject} from {etag} {mv:?}", mv.kind())
        }
        Command::Contribute { subject, contribution, .. } => format!("{contribution:?} {subject}"),
        Command::IssueNotice { kind, addressees, .. } => format!("{kind:?} to {addressees:?}"),
        Command::ActOnNotice { subject, act, .. } => format!("{act:?} {subject}"),
        Command::CallMeeting { on, chair, .. } => format!("meeting on {on} under {chair:?}"),
        Command::ActOnMeeting { subject, act, .. } => format!("{act:?} {subject}"),
        Command::RegisterSite { facts, .. } => format!("site {:?} {}", facts.tier, facts.county),
        Command::ActOnSite { subject, act, .. } => format!("{act:?} {subject}"),
        Command::RegisterUnit { facts, .. } => format!("register {:?}", facts.kind),
        Command::ChangeUnit { subject, etag, .. } => format!("change {subject} from {etag}"),
        Command::BookUnit { subject, busy, periods, .. } => {
            format!("{} {subject:?} {periods:?}", if *busy { "block" } else { "free" })
        }
        Command::Plan { ask, .. } => format!("plan {:?} {:?}", ask.subject, ask.what),
        Command::ErasePart { entry, part, .. } => format!("erase part {part} of {entry}"),
        Command::OverrideRecovery { cities, .. } => format!("override {cities:?}"),
    }
}

/// Entries of a case that play a role.
fn entries(
    rows: &impl ReadRows,
    agreement: AgreementId,
    subject: SubjectId,
    role: EntryRole,
) -> Vec<Position> {
    let mut all = Vec::new();
    let mut looked = 0;
    view::history(rows, agreement, subject, 0, &mut |entry| {
        looked += 1;
        let found = view::applied_entry(rows, entry.position);
        if found.is_some_and(|e| e.role == role) {
            all.push(entry.position);
        }
        looked < HISTORY_SHOWN
    });
    all
}

/// A move for the city with this code.
pub fn next_move(
    rows: &impl ReadRows,
    agreement: AgreementId,
    (subject, view): (SubjectId, &CaseView),
    code: CityCode,
    members: &[CityCode],
    today: Date,
    rng: &mut Rng,
) -> CaseMove {
    let effective_on = today;
    let mut all: Vec<CaseMove> =
        CaseStep::ALL.iter().map(|step| CaseMove::Stepped { step: *step, effective_on }).collect();
    let others: Vec<CityCode> = members.iter().copied().filter(|c| *c != code).collect();
    for _ in 0..5 {
        all.push(CaseMove::TransferOffered { to: rng.pick(&others), effective_on });
    }
    for _ in 0..2 {
        all.push(CaseMove::TransferAccepted { effective_on });
        all.push(CaseMove::TransferDisputed { effective_on });
    }
    all.push(CaseMove::TransferReturned { effective_on });
    let outside = CityCode::from_u32(OUTSIDE).unwrap();
    let city = if rng.one_in(4) { outside } else { rng.pick(members) };
    let authority = AuthorityLevel::Ministry;
    let designated_on = today;
    all.push(CaseMove::JurisdictionDesignated { city, authority, designated_on, effective_on });
    all.push(CaseMove::Amended { facts: view.case.facts.clone(), effective_on });
    if let Some(proposal) = entries(rows, agreement, subject, EntryRole::Proposal).last() {
        let proposal = *proposal;
        all.push(CaseMove::ProposalAdopted { proposal, facts: None, effective_on });
        all.push(CaseMove::ProposalRefused { proposal, effective_on });
    }
    let sensible = |mv: &CaseMove| {
        let ends = matches!(
            mv,
            CaseMove::Stepped { step: CaseStep::ClueDismissed | CaseStep::Withdrawn, .. }
        );
        let young = view.case.state == CaseState::ClueReported && view.move_count < 3;
        domain::next(&view.case, code, members, mv).is_ok() && !(ends && young)
    };
    let fitting: Vec<CaseMove> = all.iter().filter(|mv| sensible(mv)).cloned().collect();
    if fitting.is_empty() || rng.one_in(8) { rng.pick(&all) } else { rng.pick(&fitting) }
}

/// Something to add, and who may read what comes with it.
pub fn contribution(
    rows: &impl ReadRows,
    agreement: AgreementId,
    (subject, view): (SubjectId, &CaseView),
    code: CityCode,
    members: &[CityCode],
    today: Date,
    rng: &mut Rng,
) -> (CaseContribution, Vec<Audience>) {
    let others: Vec<CityCode> = members.iter().copied().filter(|c| *c != code).collect();
    let to = rng.pick(&others);
    match rng.below(9) {
        0 | 1 if view.case.handling != code => {
            (CaseContribution::ProposalMade, vec![Audience::AllMembers])
        }
        2 => (CaseContribution::AssistanceRequested { to, due_on: today }, Vec::new()),
        3 => match entries(rows, agreement, subject, EntryRole::AssistanceRequest).last() {
            Some(request) => {
                (CaseContribution::AssistanceAnswered { request: *request }, Vec::new())
            }
            None => (CaseContribution::NoteAdded, vec![Audience::AllMembers]),
        },
        4 | 5 => match view.person_at {
            Some(entry) if view.case.originating == code => {
                (CaseContribution::PartGranted { entry, part: 2, to }, Vec::new())
            }
            Some(_) | None => (CaseContribution::NoteAdded, vec![Audience::HandlingCity]),
        },
        6 => (CaseContribution::NoteAdded, vec![Audience::Cities(vec![to])]),
        7 => (CaseContribution::TransferAcknowledged, Vec::new()),
        _ => (CaseContribution::NoteAdded, vec![Audience::AllMembers, Audience::HandlingCity]),
    }
}
