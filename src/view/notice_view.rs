//! Notices, as the rows hold them, and what an entry about one comes to.
//!
//! In scope: folding entries about notices. Out of scope: who may do what
//! ([`crate::domain::notice`]), cases ([`super::fold`]).
//!
//! A notice has no chain. Of entries that say the same of one city, the one lowest by (epoch, log,
//! index) is shown, so that the order of arrival changes nothing.

use serde::{Deserialize, Serialize};

use super::fold::{
    Applied, Effect, FoldEntry, SUBJECT_UNSEEN, What, misfit, note_history, remember,
};
use super::keys;
use super::rows::{ReadRows, Rows, get, put};
use crate::domain::Event;
use crate::domain::notice::{Notice, NoticeAct, fits, opens};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::log::{SubjectKind, subject_id};

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

    fn add(&mut self, by: CityCode, act: NoticeAct, said: Said) {
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
    get(rows, &keys::notice(agreement, subject))
}

/// Walks the notices of an agreement from the one opened last here, or from below apply number
/// `below`, until `f` says no.
pub fn notices_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(SubjectId, NoticeView) -> bool,
) {
    let from = keys::notice_opened(agreement, 0);
    let to = keys::notice_opened(agreement, below.unwrap_or(u64::MAX));
    rows.scan(&from, &to, true, &mut |_, value| {
        let Ok(subject) = postcard::from_bytes::<SubjectId>(value) else { return true };
        notice(rows, agreement, subject).is_none_or(|view| f(subject, view))
    });
}

/// Applies an entry about a notice.
pub(super) fn apply_to_notice<R: Rows>(rows: &mut R, entry: &FoldEntry<'_>, apply: u64) -> Applied {
    let at = entry.envelope.position();
    let (subject, effect) = match (entry.envelope.subject.id, entry.event) {
        (None, Event::NoticeIssued { kind, level, addressees }) => {
            let subject = subject_id(at);
            let (issuer, addressees) = (entry.city, addressees.clone());
            let notice = Notice { kind: *kind, level: *level, issuer, addressees };
            if let Err(wrong) = opens(&notice, entry.members) {
                remember(rows, entry, None, apply, What::Other);
                let effect = misfit(wrong.reason());
                return Applied { effect, subject: None, refolded: false };
            }
            open(rows, entry, subject, notice, apply);
            (subject, Effect::Opened)
        }
        (Some(subject), event) => (subject, on_notice(rows, entry, subject, event, apply)),
        (None, event) => {
            remember(rows, entry, None, apply, What::Other);
            // Of a kind that only newer programs know: it opens nothing here, and is no fault.
            let newer = *event == Event::Newer;
            let effect = if newer { Effect::Newer } else { misfit("SUBJECT_MISSING") };
            return Applied { effect, subject: None, refolded: false };
        }
    };
    note_history(rows, entry, subject, (&effect, None), apply);
    Applied { effect, subject: Some((SubjectKind::Notice, subject)), refolded: false }
}

fn open<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    notice: Notice,
    apply: u64,
) {
    let view = NoticeView {
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
    };
    put(rows, keys::notice(entry.agreement, subject), &view);
    put(rows, keys::notice_opened(entry.agreement, apply), &subject);
    remember(rows, entry, Some(subject), apply, What::Other);
}

fn on_notice<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    event: &Event,
    apply: u64,
) -> Effect {
    let view = notice(rows, entry.agreement, subject);
    let Some(mut view) = view.filter(|view| entry.has_seen(rows, view.opened_at)) else {
        remember(rows, entry, None, apply, What::Other);
        return misfit(SUBJECT_UNSEEN);
    };
    remember(rows, entry, Some(subject), apply, What::Other);
    let effect = match event {
        Event::NoticeAct(act) => match fits(&view.notice, entry.city, *act) {
            Err(wrong) => misfit(wrong.reason()),
            Ok(()) => {
                let at = entry.envelope.position();
                let record_time_ms = entry.envelope.record_time_ms;
                view.add(entry.city, *act, Said { epoch: entry.epoch, at, record_time_ms });
                Effect::Contribution
            }
        },
        Event::Newer => {
            view.needs_newer = true;
            Effect::Newer
        }
        Event::NoticeIssued { .. }
        | Event::MeetingCalled { .. }
        | Event::MeetingAct(_)
        | Event::SiteRegistered { .. }
        | Event::SiteAct(_)
        | Event::CaseOpened { .. }
        | Event::CaseMove(_)
        | Event::Contribution(_)
        | Event::ActorIntroduced
        | Event::RecoveryOverridden { .. }
        | Event::CharterAdopted { .. }
        | Event::PartErased { .. } => misfit("WRONG_SUBJECT"),
    };
    view.misfit_count += u32::from(matches!(effect, Effect::Misfit(_)));
    view.last_apply = apply;
    put(rows, keys::notice(entry.agreement, subject), &view);
    effect
}
