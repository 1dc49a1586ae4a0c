//! Notices, as the rows hold them, and what an entry about one comes to.
//!
//! In scope: folding entries about notices. Out of scope: who may do what
//! ([`crate::domain::notice`]), cases ([`super::fold`]).
//!
//! A notice has no chain. Of entries that say the same of one city, the one lowest by (epoch, log,
//! index) is shown, so that the order of arrival changes nothing.

use serde::{Deserialize, Serialize};

use super::fold::FoldEntry;
use super::keys;
use super::record::{self, Added, Counted, Record};
use super::rows::{ReadRows, Rows};
use crate::domain::Event;
use crate::domain::notice::{Notice, NoticeAct, fits, opens};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::SubjectKind;

/// Where and when a city said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// Epoch of its log.
    pub epoch: u64,
    /// The entry.
    pub at: Position,
    /// The author's clock, milliseconds since 1970-01-01 UTC.
    pub record_time_ms: i64,
}

impl Said {
    pub(super) fn by(entry: &FoldEntry<'_>) -> Self {
        let (at, record_time_ms) = (entry.envelope.position(), entry.envelope.record_time_ms);
        Self { epoch: entry.epoch, at, record_time_ms }
    }
}

/// A notice as the fold has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// What its opening says.
    pub notice: Notice,
    /// The entry that opened it.
    pub opened_at: Position,
    /// Clock of its author, milliseconds since 1970-01-01 UTC.
    pub issued_ms: i64,
    /// Who has acknowledged it, ascending by city.
    pub acknowledged: Vec<(CityCode, Said)>,
    /// When it was ended.
    pub ended: Option<Said>,
    /// News added.
    pub report_count: u32,
    /// Entries that did not take effect.
    pub misfit_count: u32,
    /// An entry of a newer kind holds it.
    pub needs_newer: bool,
    /// Apply number of the last entry here.
    pub last_apply: u64,
    /// Apply number of the opening here.
    pub opened_apply: u64,
}

impl NoticeView {
    /// Whether a city that was told has acknowledged it.
    #[must_use]
    pub fn has_acknowledged(&self, city: CityCode) -> bool {
        self.acknowledged.binary_search_by_key(&city, |(city, _)| *city).is_ok()
    }

    /// Whether it waits for a city: told, not acknowledged, not over.
    #[must_use]
    pub fn awaits(&self, city: CityCode) -> bool {
        self.ended.is_none()
            && self.notice.addressees.contains(&city)
            && !self.has_acknowledged(city)
    }

    fn say(&mut self, by: CityCode, act: NoticeAct, said: Said) {
        match act {
            NoticeAct::Acknowledged => {
                match self.acknowledged.binary_search_by_key(&by, |(city, _)| *city) {
                    Ok(place) => {
                        if let Some((_, first)) = self.acknowledged.get_mut(place) {
                            *first = said.min(*first);
                        }
                    }
                    Err(place) => self.acknowledged.insert(place, (by, said)),
                }
            }
            NoticeAct::Reported => self.report_count += 1,
            NoticeAct::Ended => self.ended = Some(self.ended.map_or(said, |first| said.min(first))),
        }
    }
}

/// One notice.
#[must_use]
pub fn notice(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Option<NoticeView> {
    record::read(rows, agreement, subject)
}

/// Walks the notices of an agreement from the one opened last here, or from below apply number
/// `below`, until `f` says no.
pub fn notices_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(SubjectId, NoticeView) -> bool,
) {
    record::newest_first(rows, agreement, below, f);
}

impl Record for NoticeView {
    const KIND: SubjectKind = SubjectKind::Notice;

    fn key(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
        keys::notice(agreement, subject)
    }

    fn opened_key(agreement: AgreementId, apply: u64) -> Option<Vec<u8>> {
        Some(keys::notice_opened(agreement, apply))
    }

    fn open(entry: &FoldEntry<'_>, apply: u64) -> Option<Result<Self, &'static str>> {
        let Event::NoticeIssued { kind, level, addressees } = entry.event else { return None };
        let (issuer, addressees) = (entry.city, addressees.clone());
        let notice = Notice { kind: *kind, level: *level, issuer, addressees };
        let fits = opens(&notice, entry.members).map_err(|wrong| wrong.reason());
        Some(fits.map(|()| Self {
            notice,
            opened_at: entry.envelope.position(),
            issued_ms: entry.envelope.record_time_ms,
            acknowledged: Vec::new(),
            ended: None,
            report_count: 0,
            misfit_count: 0,
            needs_newer: false,
            last_apply: apply,
            opened_apply: apply,
        }))
    }

    fn opened_at(&self) -> Position {
        self.opened_at
    }

    fn counted(&mut self) -> Counted<'_> {
        let Self { misfit_count, needs_newer, last_apply, .. } = self;
        Counted { misfit_count, needs_newer, last_apply }
    }

    fn add<R: Rows>(&mut self, _: &mut R, entry: &FoldEntry<'_>, _: SubjectId) -> Option<Added> {
        let Event::NoticeAct(act) = entry.event else { return None };
        let fits = fits(&self.notice, entry.city, *act).map_err(|wrong| wrong.reason());
        if fits.is_ok() {
            self.say(entry.city, *act, Said::by(entry));
        }
        Some(Added::contribution(fits))
    }
}
