//! Joint meetings, as the rows hold them, and what an entry about one comes to.
//!
//! In scope: folding entries about meetings, which was held last. Out of scope: who may do what
//! ([`crate::domain::meeting`]), cases ([`super::fold`]).
//!
//! Of a city's minutes the first counts, by (epoch, log, index), and of two cities' those that most
//! members stand by ([`minutes_that_count`]), or else the chair's; of cancellations the lowest is
//! shown, of a city's confirmations the highest, since minutes that arrive later may be confirmed
//! anew. Minutes outweigh a cancellation. So the order of arrival changes nothing.

use serde::{Deserialize, Serialize};

use super::fold::FoldEntry;
use super::keys;
use super::notice_view::Said;
use super::record::{self, Added, Counted, Record};
use super::rows::{ReadRows, Rows, put};
use crate::domain::meeting::{
    Meeting, MeetingAct, MeetingState, Recorded, Sitting, Standing, fits, minutes_that_count, opens,
};
use crate::domain::{Date, Event};
use crate::ids::{AgreementId, CityCode, Hash, Position, SubjectId};
use crate::log::SubjectKind;

/// Minutes of a meeting. The order is that in which they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Minutes {
    /// Where and when they were recorded.
    pub said: Said,
    /// By whom.
    pub city: CityCode,
    /// SHA-256 of the file.
    pub digest: Hash,
    /// The day the meeting was held.
    pub held_on: Date,
}

/// A meeting as the fold has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingView {
    /// What its opening says.
    pub meeting: Meeting,
    /// The entry that opened it.
    pub opened_at: Position,
    /// Clock of its author, milliseconds since 1970-01-01 UTC.
    pub called_ms: i64,
    /// The first minutes of each city that recorded any: its chair, who called it.
    pub recorded: Vec<Minutes>,
    /// Those that count.
    pub minutes: Option<Minutes>,
    /// What each city said first of any minutes, recording or confirming; ascending by city.
    pub words: Vec<(CityCode, (Said, Hash))>,
    /// What each city has confirmed last, ascending by city.
    pub confirmed: Vec<(CityCode, (Said, Hash))>,
    /// When it was cancelled.
    pub cancelled: Option<Said>,
    /// Entries that did not take effect.
    pub misfit_count: u32,
    /// An entry of a newer kind holds it.
    pub needs_newer: bool,
    /// Apply number of the last entry here.
    pub last_apply: u64,
    /// Apply number of the opening here.
    pub opened_apply: u64,
}

impl MeetingView {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> MeetingState {
        match (&self.minutes, &self.cancelled) {
            (Some(_), _) => MeetingState::Held,
            (None, Some(_)) => MeetingState::Cancelled,
            (None, None) => MeetingState::Called,
        }
    }

    /// When a city has confirmed the minutes that count.
    #[must_use]
    pub fn confirmation(&self, city: CityCode) -> Option<Said> {
        let minutes = self.minutes?;
        let (_, (said, digest)) = self.confirmed.iter().find(|(who, _)| *who == city)?;
        (*digest == minutes.digest).then_some(*said)
    }

    /// Whether its minutes wait for a member.
    #[must_use]
    pub fn awaits(&self, city: CityCode) -> bool {
        let others = self.minutes.is_some_and(|minutes| minutes.city != city);
        others && self.confirmation(city).is_none()
    }

    /// What was added so far, as a city sees it.
    #[must_use]
    pub fn standing(&self, city: CityCode) -> Standing {
        Standing {
            minutes: self.minutes.map(|minutes| (minutes.city, minutes.digest)),
            cancelled: self.cancelled.is_some(),
            confirmed: self.confirmation(city).is_some(),
        }
    }

    /// It counts for the rota once its chair has said so.
    fn sitting(&self) -> Option<Sitting> {
        let (chair, minutes) = (self.meeting.chair, self.minutes?);
        let says = minutes.city == chair || self.confirmation(chair).is_some();
        says.then_some(Sitting { on: minutes.held_on, at: self.opened_at, chair })
    }

    /// A city has recorded or confirmed minutes: its first word stays.
    fn word(&mut self, by: CityCode, word: (Said, Hash)) {
        match self.words.binary_search_by_key(&by, |(city, _)| *city) {
            Ok(place) => {
                if let Some((_, first)) = self.words.get_mut(place) {
                    *first = word.min(*first);
                }
            }
            Err(place) => self.words.insert(place, (by, word)),
        }
    }

    fn count_minutes(&mut self) {
        // A confirmation is of a file. Of two that name one file with different days, and of two by
        // which as many stand, those of the chair count: it is its meeting.
        let chair = self.meeting.chair;
        let place = |one: &Minutes| (one.city != chair, *one);
        let recorded = |one: &Minutes| Recorded { place: place(one), digest: one.digest };
        let words: Vec<Hash> = self.words.iter().map(|(_, (_, digest))| *digest).collect();
        let counts = minutes_that_count(self.recorded.iter().map(recorded), &words);
        self.minutes = counts.map(|(_, minutes)| minutes);
    }

    fn say(&mut self, by: CityCode, act: MeetingAct, said: Said) {
        match act {
            MeetingAct::MinutesRecorded { digest, held_on } => {
                let minutes = Minutes { said, city: by, digest, held_on };
                match self.recorded.iter_mut().find(|one| one.city == by) {
                    Some(first) => *first = minutes.min(*first),
                    None => self.recorded.push(minutes),
                }
                self.recorded.sort_unstable();
                self.word(by, (said, digest));
            }
            MeetingAct::MinutesConfirmed { digest } => {
                self.word(by, (said, digest));
                match self.confirmed.binary_search_by_key(&by, |(city, _)| *city) {
                    Ok(place) => {
                        if let Some((_, last)) = self.confirmed.get_mut(place) {
                            *last = (said, digest).max(*last);
                        }
                    }
                    Err(place) => self.confirmed.insert(place, (by, (said, digest))),
                }
            }
            MeetingAct::Cancelled => {
                self.cancelled = Some(self.cancelled.map_or(said, |first| said.min(first)));
            }
        }
        self.count_minutes();
    }
}

/// One meeting.
#[must_use]
pub fn meeting(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Option<MeetingView> {
    record::read(rows, agreement, subject)
}

/// Walks the meetings of an agreement from the one opened last here, or from below apply number
/// `below`, until `f` says no.
pub fn meetings_newest_first(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    below: Option<u64>,
    f: &mut dyn FnMut(SubjectId, MeetingView) -> bool,
) {
    record::newest_first(rows, agreement, below, f);
}

/// The meeting of an agreement that was held last, not after `until`: a day ahead, which no honest
/// node writes, moves nothing.
#[must_use]
pub fn last_sitting(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    until: Date,
) -> Option<Sitting> {
    let from = keys::sittings(agreement, i64::MIN);
    let to = keys::sittings(agreement, until.days_since_epoch() + 1);
    let mut last = None;
    rows.scan(&from, &to, true, &mut |_, value| {
        last = postcard::from_bytes::<Sitting>(value).ok();
        last.is_none()
    });
    last
}

impl Record for MeetingView {
    const KIND: SubjectKind = SubjectKind::Meeting;

    fn key(agreement: AgreementId, subject: SubjectId) -> Vec<u8> {
        keys::meeting(agreement, subject)
    }

    fn opened_key(agreement: AgreementId, apply: u64) -> Option<Vec<u8>> {
        Some(keys::meeting_opened(agreement, apply))
    }

    fn open(entry: &FoldEntry<'_>, apply: u64) -> Option<Result<Self, &'static str>> {
        let Event::MeetingCalled { on, number, chair, due_chair } = entry.event else {
            return None;
        };
        let (on, number, convener) = (*on, *number, entry.city);
        let (chair, due_chair) = (*chair, *due_chair);
        let meeting = Meeting { on, number, convener, chair, due_chair };
        let fits = opens(&meeting, entry.members).map_err(|wrong| wrong.reason());
        Some(fits.map(|()| Self {
            meeting,
            opened_at: entry.envelope.position(),
            called_ms: entry.envelope.record_time_ms,
            recorded: Vec::new(),
            minutes: None,
            words: Vec::new(),
            confirmed: Vec::new(),
            cancelled: None,
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

    fn add<R: Rows>(&mut self, rows: &mut R, entry: &FoldEntry<'_>, _: SubjectId) -> Option<Added> {
        let Event::MeetingAct(act) = entry.event else { return None };
        let fits = fits(&self.meeting, entry.city, *act).map_err(|wrong| wrong.reason());
        if fits.is_ok() {
            let before = self.sitting();
            self.say(entry.city, *act, Said::by(entry));
            reseat(rows, entry.agreement, before, self.sitting());
        }
        Some(Added::contribution(fits))
    }
}

/// Keeps the row of a meeting that was held where its day is.
fn reseat<R: Rows>(
    rows: &mut R,
    agreement: AgreementId,
    before: Option<Sitting>,
    after: Option<Sitting>,
) {
    if before == after {
        return;
    }
    let key =
        |sitting: Sitting| keys::sitting(agreement, sitting.on.days_since_epoch(), sitting.at);
    if let Some(sitting) = before {
        rows.delete(&key(sitting));
    }
    if let Some(sitting) = after {
        put(rows, key(sitting), &sitting);
    }
}
