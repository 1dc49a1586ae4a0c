//! What is kept beside a file: what it was called, its SM3, and the cases that name it.

use serde::{Deserialize, Serialize};

use crate::ids::{AgreementId, CityCode, SubjectId, hex, unhex};
use crate::limits::EVIDENCE_CASES_MAX;

/// A case that names a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CaseRef {
    /// Its agreement.
    pub agreement: AgreementId,
    /// The case.
    pub subject: SubjectId,
}

/// What is known of a file besides its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// SM3 of its bytes.
    pub sm3: [u8; 32],
    /// Its size in bytes.
    pub size: u64,
    /// What it was called by who sent it; checked by him who asks us to keep it.
    pub name: String,
    /// Cases for which it was taken, at most [`EVIDENCE_CASES_MAX`].
    pub cases: Vec<CaseRef>,
    /// How its bytes came here: for which case, and from whom; `None`: from people of this city.
    /// Not for every case: that somebody wanted what was here already brought no bytes.
    pub came: Vec<(CaseRef, Option<CityCode>)>,
    /// Since when none of them names it, milliseconds since 1970-01-01 UTC.
    pub unnamed_since_ms: Option<i64>,
}

/// The same as it lies on the disk.
#[derive(Serialize, Deserialize)]
struct Written {
    sm3: String,
    size: u64,
    name: String,
    cases: Vec<(String, String)>,
    #[serde(default)]
    came: Vec<(String, String, Option<u32>)>,
    #[serde(default)]
    unnamed_since_ms: Option<i64>,
}

impl About {
    /// What it is called in a case: only the one for which it came first has named it.
    #[must_use]
    pub fn name_for(&self, case: CaseRef) -> Option<&str> {
        (self.cases.first() == Some(&case)).then_some(self.name.as_str())
    }

    /// Whether the city that lists it in a case may have it by that list alone: it gave the bytes
    /// itself, or people of this city sent them for that case. Then it learns nothing that it did
    /// not have, or was not meant to have.
    #[must_use]
    pub fn gives_back(&self, case: CaseRef, lister: CityCode) -> bool {
        self.came.iter().any(|(of, from)| *of == case && from.is_none_or(|from| from == lister))
    }

    /// Whether its bytes came here for a case: another city sent all of them, or people of this one
    /// did. That somebody wanted for it what was here already is not enough.
    #[must_use]
    pub fn came_for(&self, case: CaseRef) -> bool {
        // It came for its first case, also before it was written down how.
        self.cases.first() == Some(&case) || self.came.iter().any(|(of, _)| *of == case)
    }

    /// Remembers how bytes came; false when there is nothing to remember.
    pub(super) fn has_come(&mut self, case: CaseRef, from: Option<CityCode>) -> bool {
        let fits = self.came.len() < EVIDENCE_CASES_MAX && !self.came.contains(&(case, from));
        if fits {
            self.came.push((case, from));
        }
        fits
    }

    /// Remembers one more case; false when there is nothing to remember.
    pub(super) fn add(&mut self, case: CaseRef) -> bool {
        let fits = self.cases.len() < EVIDENCE_CASES_MAX && !self.cases.contains(&case);
        if fits {
            self.cases.push(case);
        }
        fits
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let case = |case: &CaseRef| (case.agreement.to_string(), case.subject.to_string());
        let came = |(of, from): &(CaseRef, Option<CityCode>)| {
            let (agreement, subject) = case(of);
            (agreement, subject, from.map(CityCode::as_u32))
        };
        let written = Written {
            sm3: hex(&self.sm3),
            size: self.size,
            name: self.name.clone(),
            cases: self.cases.iter().map(case).collect(),
            came: self.came.iter().map(came).collect(),
            unnamed_since_ms: self.unnamed_since_ms,
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// `None` for what we did not write so.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(bytes).ok()?;
        let case_of = |agreement: &str, subject: &str| {
            let agreement = AgreementId::parse(agreement).ok()?;
            Some(CaseRef { agreement, subject: SubjectId::parse(subject).ok()? })
        };
        let case = |(agreement, subject): &(String, String)| case_of(agreement, subject);
        let came = |(agreement, subject, from): &(String, String, Option<u32>)| {
            let from = from.map(CityCode::from_u32).transpose().ok()?;
            Some((case_of(agreement, subject)?, from))
        };
        Some(Self {
            sm3: unhex(&written.sm3)?.try_into().ok()?,
            size: written.size,
            name: written.name,
            cases: written.cases.iter().map(case).collect::<Option<_>>()?,
            came: written.came.iter().map(came).collect::<Option<_>>()?,
            unnamed_since_ms: written.unnamed_since_ms,
        })
    }
}
