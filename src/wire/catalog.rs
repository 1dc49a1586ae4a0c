//! The catalogue in messages: legal bases, laws, terms.

use super::case::{date, date_out, wrong};
use super::code::{Code, Read};
use super::pb::v1 as pb;
use super::status::{Refused, bad_fields};
use crate::domain::calendar::Term;
use crate::domain::catalogue::{Act, Basis, Choice, Fine, FineRange, Later, Law};
use crate::domain::deadline::terms::ClockTerm;
use crate::domain::deadline::{Clock, Terms};
use crate::domain::text::Line;
use crate::domain::{Date, InvalidReason, Violation, Words};

/// A violation with its articles.
#[must_use]
pub fn violation_out(
    number: i32,
    bases: impl Fn(Violation) -> Vec<Basis>,
) -> Option<pb::CatalogViolation> {
    let Read::Known(violation) = Violation::read(number) else { return None };
    Some(pb::CatalogViolation {
        title_zh: violation.zh().to_owned(),
        title_en: violation.en().to_owned(),
        bases: bases(violation).iter().map(basis_out).collect(),
    })
}

/// An article.
#[must_use]
pub fn basis_out(basis: &Basis) -> pb::CatalogBasis {
    let text = |line: Option<&Line>| line.map_or_else(String::new, Line::to_string);
    let (fine_kind, fines, formula) = match &basis.fine {
        Fine::Ranges(ranges) => {
            (pb::FineKind::Ranges, ranges.iter().map(range_out).collect(), None)
        }
        Fine::Formula(zh, en) => (pb::FineKind::Formula, Vec::new(), Some((zh, en))),
        Fine::Absent => (pb::FineKind::Absent, Vec::new(), None),
        Fine::Unstated => (pb::FineKind::Unstated, Vec::new(), None),
    };
    pb::CatalogBasis {
        basis: Some(super::record::basis_to_pb(&basis.as_legal_basis())),
        law_code: basis.law.name.code.clone(),
        law_en: basis.law.name.en.to_string(),
        offered_from: Some(date_out(basis.from)),
        offered_to: basis.to.map(date_out),
        fine_kind: fine_kind.into(),
        fines,
        formula_zh: text(formula.map(|(zh, _)| zh)),
        formula_en: text(formula.map(|(_, en)| en)),
        verified: basis.verified,
        note_zh: text(basis.note.as_ref().map(|(zh, _)| zh)),
        note_en: text(basis.note.as_ref().map(|(_, en)| en)),
        about: basis.about.clone().unwrap_or_default(),
    }
}

fn range_out(range: &FineRange) -> pb::FineRange {
    let case = range.case.as_ref();
    pb::FineRange {
        least_fen: range.least.as_i64(),
        most_fen: range.most.as_i64(),
        case_code: case.map_or_else(String::new, |case| case.code.clone()),
        case_zh: case.map_or_else(String::new, |case| case.zh.to_string()),
        case_en: case.map_or_else(String::new, |case| case.en.to_string()),
    }
}

/// A law.
#[must_use]
pub fn law_out(law: &Law) -> pb::CatalogLaw {
    pb::CatalogLaw {
        effective_from: Some(date_out(law.from)),
        effective_to: law.to.map(date_out),
        last_article: law.last_article.map_or(0, u32::from),
        verified: law.verified,
    }
}

/// A deadline with its terms.
#[must_use]
pub fn deadline_out(number: i32, terms: &Terms) -> Option<pb::CatalogDeadline> {
    let Read::Known(clock) = Clock::read(number) else { return None };
    let terms = clock.terms(terms).iter().map(term_out).collect();
    Some(pb::CatalogDeadline { terms, window: clock.is_window() })
}

fn term_out(one: &ClockTerm) -> pb::CatalogTerm {
    let (length, unit) = match one.term {
        Some(Term::Workdays(length)) => (length, pb::TermUnit::Workdays),
        Some(Term::Days(length)) => (length, pb::TermUnit::Days),
        Some(Term::Hours(length)) => (length, pb::TermUnit::Hours),
        Some(Term::Months(length)) => (length, pb::TermUnit::Months),
        None => (0, pb::TermUnit::Unspecified),
    };
    pb::CatalogTerm {
        length,
        unit: unit.into(),
        setter: one.set_by.number(),
        source_zh: one.zh.to_owned(),
        source_en: one.en.to_owned(),
    }
}

/// Reads which act is asked about.
///
/// # Errors
/// `REQUIRED` or `CODE_UNKNOWN` of the violation, a date that is none, `DATES_ORDER`.
pub fn act(asked: &pb::FindLegalBasesRequest, today: Date) -> Result<(Violation, Act), Refused> {
    let violation = match Violation::read(asked.violation) {
        Read::Known(violation) => violation,
        Read::Unset => return Err(wrong("violation", InvalidReason::Required)),
        Read::Newer => return Err(wrong("violation", InvalidReason::CodeUnknown)),
    };
    let from = date("occurred_from", asked.occurred_from.as_ref())?;
    let to = date("occurred_to", asked.occurred_to.as_ref())?;
    let decided_on = date("decided_on", asked.decided_on.as_ref())?.unwrap_or(today);
    let act = Act::new(from, to, decided_on).map_err(|wrong| bad_fields(vec![wrong]))?;
    Ok((violation, act))
}

/// What comes into question.
#[must_use]
pub fn choice_out(choice: &Choice<'_>) -> pb::FindLegalBasesResponse {
    let later = |later: &Later<'_>| pb::LaterBasis {
        later: Some(basis_out(later.basis)),
        earlier: later.earlier.map(basis_out),
        verdict: later.verdict.number(),
        flagged: later.verdict.is_flagged(),
    };
    pb::FindLegalBasesResponse {
        in_force: choice.in_force.iter().map(|basis| basis_out(basis)).collect(),
        later: choice.later.iter().map(later).collect(),
        judged_on: Some(date_out(choice.judged_on)),
        goes_on: choice.goes_on,
        ..pb::FindLegalBasesResponse::default()
    }
}
