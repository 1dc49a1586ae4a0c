//! Values that tests share.

use super::case::{AuthorityLevel, CaseMove, CaseStep};
use super::date::Date;
use super::facts::{CaseFacts, DataLevel, Medium, Source};
use super::violation::Violation;
use crate::ids::{CityCode, LogId, Position};

/// A city by number.
pub(crate) fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

/// A day by text.
pub(crate) fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

/// Where some entry is.
pub(crate) fn position() -> Position {
    Position { log: LogId::new([7; 32]), index: 3 }
}

/// Facts found on 2026-11-18, Beijing.
pub(crate) fn facts() -> CaseFacts {
    CaseFacts {
        source: Source::Complaint,
        medium: Medium::Water,
        violation: Violation::WaterExceed,
        county_code: Some(371_522),
        discovered_time_ms: date("2026-11-18").days_since_epoch() * 86_400_000,
        occurred_from: Some(date("2026-11-10")),
        occurred_to: None,
        data_level: DataLevel::General,
        borders: Vec::new(),
        border_uncertain: false,
        belt_exception: false,
        has_point: true,
    }
}

/// One move of every kind, offers and designations to each of the cities.
pub(crate) fn every_move(cities: &[CityCode], on: Date) -> Vec<CaseMove> {
    let mut all: Vec<CaseMove> = CaseStep::ALL
        .iter()
        .map(|step| CaseMove::Stepped { step: *step, effective_on: on })
        .collect();
    for to in cities {
        all.push(CaseMove::TransferOffered { to: *to, effective_on: on });
        all.push(CaseMove::JurisdictionDesignated {
            city: *to,
            authority: AuthorityLevel::Ministry,
            designated_on: on,
            effective_on: on,
        });
    }
    let proposal = position();
    all.extend([
        CaseMove::Opened { facts: facts(), effective_on: on },
        CaseMove::TransferAccepted { effective_on: on },
        CaseMove::TransferReturned { effective_on: on },
        CaseMove::TransferDisputed { effective_on: on },
        CaseMove::Amended { facts: facts(), effective_on: on },
        CaseMove::ProposalAdopted { proposal, facts: Some(facts()), effective_on: on },
        CaseMove::ProposalAdopted { proposal, facts: None, effective_on: on },
        CaseMove::ProposalRefused { proposal, effective_on: on },
    ]);
    all
}
