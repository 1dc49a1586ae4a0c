//! Joint meetings (联席会议): who chairs the next one, who may call it, what its minutes are.
//!
//! In scope: the rota, what may be added to a meeting, when the yearly one is missing. Out of
//! scope: the minutes themselves, of which only a digest is kept; the words of refusals
//! ([`MeetingRefusal`]).
//!
//! The rota goes by members in ascending order of their codes. What moves it on is a meeting that
//! was held, that is, one with minutes of its chair, or minutes that its chair has confirmed: who
//! calls a meeting cannot use up the turn of whom he names as its chair. Neither a year without one
//! nor a cancelled one passes a city over, a city that has left is passed over. A meeting called
//! out of turn is recorded as such. Like a notice a meeting has no turns: what is added is a
//! contribution.
//!
//! Invariants:
//! 1. A year without a meeting takes no city's turn away. (`the_rota_in_a_table`)
//! 2. What [`fits`] forbids has no effect on any node. (`who_may_add_what_to_a_meeting`)
//! 3. What [`opens`] forbids makes no meeting.
//!    (`an_opening_that_no_member_may_write_makes_no_meeting`)
//! 4. Minutes that more than half of the members stand by stay.
//!    (`minutes_that_most_members_confirmed_are_displaced_by_nothing_that_comes_late`)
//! 5. Who calls a meeting cannot use up another's turn. (`a_convener_uses_up_nobody_elses_turn`)

mod refusal;

pub use refusal::MeetingRefusal;

use super::code::coded;
use super::date::Date;
use super::invalid::Invalid;
use super::refusal::{Misfit, Refusal};
use super::text::{Line, Text};
use crate::ids::{CityCode, Hash, Position};
use crate::limits::{ADDRESS_BYTES_MAX, FREE_TEXT_BYTES_MAX, MEETING_NUMBER_MAX, TITLE_BYTES_MAX};

coded! {
    /// Where a meeting stands.
    MeetingState {
        Called "CALLED" "已召集" "called";
        Held "HELD" "已召开" "held";
        Cancelled "CANCELLED" "已取消" "cancelled";
    }
}

/// A meeting as its opening says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Meeting {
    /// The day it is called for.
    pub on: Date,
    /// Which of its year, from 1, as far as its convener knew.
    pub number: u32,
    /// Who calls it.
    pub convener: CityCode,
    /// Who chairs it.
    pub chair: CityCode,
    /// Whose turn it was to chair, as far as its convener knew.
    pub due_chair: CityCode,
}

impl Meeting {
    /// Called by another city than the one whose turn it was, or chaired by another.
    #[must_use]
    pub fn is_out_of_turn(&self) -> bool {
        self.chair != self.due_chair || self.convener != self.due_chair
    }
}

/// Minutes that a city has recorded. The order of `P` is that of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded<P> {
    /// Which entry.
    pub place: P,
    /// SHA-256 of the file.
    pub digest: Hash,
}

/// Which of the minutes recorded count: those that most cities stand by, and of several the lowest
/// by `P`.
///
/// `words` is the first thing each city said of the minutes, its own recording or a confirmation;
/// it binds that city, whatever it says later. So minutes that more than half of the members stand
/// by are displaced by nothing, whoever records what and whatever comes late. It is not every
/// member, because then one that is silent would keep minutes open for ever; nor any one, because
/// two cities may confirm different minutes before they hear of each other.
#[must_use]
pub fn minutes_that_count<P: Ord + Copy>(
    recorded: impl IntoIterator<Item = Recorded<P>>,
    words: &[Hash],
) -> Option<P> {
    let stand_by = |one: &Recorded<P>| words.iter().filter(|digest| **digest == one.digest).count();
    let ranked = recorded.into_iter().map(|one| (std::cmp::Reverse(stand_by(&one)), one.place));
    ranked.min().map(|(_, place)| place)
}

/// A meeting that was held. The order is that of time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Sitting {
    /// The day it was held.
    pub on: Date,
    /// Its opening: orders meetings of one day.
    pub at: Position,
    /// Who chaired it.
    pub chair: CityCode,
}

/// What may be added to a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeetingAct {
    /// It was held, and there are minutes (会议纪要).
    MinutesRecorded {
        /// SHA-256 of the file.
        digest: Hash,
        /// The day it was held.
        held_on: Date,
    },
    /// A person of a member has read the minutes and agrees (确认纪要).
    MinutesConfirmed {
        /// SHA-256 of what was read.
        digest: Hash,
    },
    /// It is not held (取消).
    Cancelled,
}

/// What was added to a meeting so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Who recorded minutes, and their digest.
    pub minutes: Option<(CityCode, Hash)>,
    /// It was cancelled.
    pub cancelled: bool,
    /// The city that asks has confirmed these minutes.
    pub confirmed: bool,
}

/// What is called for, or what was decided, for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MeetingRecord {
    /// In one line.
    pub title: Line,
    /// Agenda or decisions.
    pub text: Option<Text>,
    /// Where.
    pub address: Option<Line>,
}

impl MeetingRecord {
    /// Reads the texts; empty means not given.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn parse(title: &str, text: &str, address: &str) -> Result<Self, Vec<Invalid>> {
        let title = Line::parse(title, TITLE_BYTES_MAX).map_err(|e| e.at("title"));
        let text = match text.trim() {
            "" => Ok(None),
            _ => Text::parse(text, FREE_TEXT_BYTES_MAX).map(Some).map_err(|e| e.at("text")),
        };
        let address = match address.trim() {
            "" => Ok(None),
            line => Line::parse(line, ADDRESS_BYTES_MAX).map(Some).map_err(|e| e.at("address")),
        };
        match (title, text, address) {
            (Ok(title), Ok(text), Ok(address)) => Ok(Self { title, text, address }),
            (title, text, address) => {
                Err([title.err(), text.err(), address.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// Who chairs the next meeting: the member behind the chair of the last meeting that was held, in
/// ascending order of codes, round again behind the last; the first one when none was held. `None`
/// without members.
#[must_use]
pub fn next_chair(
    members: &[CityCode],
    held: impl IntoIterator<Item = Sitting>,
) -> Option<CityCode> {
    let first = members.iter().min().copied();
    let Some(last) = held.into_iter().max() else { return first };
    let behind = members.iter().filter(|city| **city > last.chair).min().copied();
    behind.or(first)
}

/// Whether the yearly meeting is missing: the agreement was in force in the whole of the last
/// calendar year, and no meeting has been held since that year began. (The agreements of
/// neighbouring cities ask for at least one a year, clause 2.)
#[must_use]
pub fn is_missing(begin_on: Date, last: Option<Sitting>, today: Date) -> bool {
    let last_year = today.year() - 1;
    let whole = Date::new(last_year, 1, 1).is_ok_and(|begins| begin_on <= begins);
    whole && last.is_none_or(|sitting| sitting.on.year() < last_year)
}

/// Whether a meeting may be opened like this; the same for commands and for what others have
/// signed.
///
/// The turn that its convener saw is not judged: what he knew is his own word, and moves no rota.
///
/// # Errors
/// [`Misfit::MeetingInvalid`]: it is counted and opens nothing.
pub fn opens(meeting: &Meeting, members: &[CityCode]) -> Result<(), Misfit> {
    let Meeting { number, convener, chair, due_chair, on: _ } = meeting;
    let known = [convener, chair, due_chair].into_iter().all(|city| members.contains(city));
    if known && (1..=MEETING_NUMBER_MAX).contains(number) {
        Ok(())
    } else {
        Err(Misfit::MeetingInvalid)
    }
}

/// Whether a city may add this; the same for commands and for what others have signed.
///
/// # Errors
/// A [`Misfit`]: it is shown and has no effect.
pub fn fits(meeting: &Meeting, by: CityCode, act: MeetingAct) -> Result<(), Misfit> {
    match act {
        MeetingAct::MinutesRecorded { .. } | MeetingAct::Cancelled => {
            let may = by == meeting.chair || by == meeting.convener;
            if may { Ok(()) } else { Err(Misfit::NotChair { chair: meeting.chair }) }
        }
        MeetingAct::MinutesConfirmed { .. } => Ok(()),
    }
}

/// What a new meeting is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The day.
    pub on: Date,
    /// Which of its year.
    pub number: u32,
    /// Who chairs it; who calls it when absent.
    pub chair: Option<CityCode>,
    /// The caller knows that the rota is set aside.
    pub out_of_turn: bool,
}

/// Decides on a new meeting of an agreement with this term; `due` has the turn to chair.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_call(
    by: CityCode,
    members: &[CityCode],
    term: (Date, Date),
    due: CityCode,
    call: Call,
) -> Result<Meeting, Refusal> {
    if !members.contains(&by) {
        return Err(Misfit::NotAMember { city: by }.into());
    }
    let chair = call.chair.unwrap_or(by);
    if !members.contains(&chair) {
        return Err(MeetingRefusal::ChairNotMember { city: chair }.into());
    }
    within(term, call.on, "on")?;
    let Call { on, number, .. } = call;
    let meeting = Meeting { on, number, convener: by, chair, due_chair: due };
    if meeting.is_out_of_turn() && !call.out_of_turn {
        return Err(MeetingRefusal::NotTurnToChair { due }.into());
    }
    opens(&meeting, members)?;
    Ok(meeting)
}

fn within((begin, end): (Date, Date), on: Date, field: &'static str) -> Result<(), Refusal> {
    let inside = begin <= on && on <= end;
    if inside { Ok(()) } else { Err(MeetingRefusal::OutsideTerm { on, field }.into()) }
}

/// Decides on adding to a meeting of an agreement with this term.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_act(
    meeting: &Meeting,
    by: CityCode,
    (act, standing): (MeetingAct, Standing),
    term: (Date, Date),
    today: Date,
) -> Result<(), Refusal> {
    fits(meeting, by, act)?;
    let Standing { minutes, cancelled, confirmed } = standing;
    let wrong = match (act, minutes) {
        (MeetingAct::MinutesRecorded { .. } | MeetingAct::Cancelled, Some(_)) => {
            MeetingRefusal::Held
        }
        (MeetingAct::MinutesRecorded { .. } | MeetingAct::Cancelled, None) if cancelled => {
            MeetingRefusal::Cancelled
        }
        (MeetingAct::MinutesRecorded { held_on, .. }, None) if held_on > today => {
            MeetingRefusal::HeldInFuture { held_on, today }
        }
        (MeetingAct::MinutesRecorded { held_on, .. }, None) => {
            return within(term, held_on, "held_on");
        }
        (MeetingAct::Cancelled, None) => return Ok(()),
        (MeetingAct::MinutesConfirmed { .. }, None) => MeetingRefusal::MinutesMissing,
        (MeetingAct::MinutesConfirmed { digest }, Some((_, recorded))) if digest != recorded => {
            MeetingRefusal::MinutesDiffer
        }
        (MeetingAct::MinutesConfirmed { .. }, Some((recorder, _))) if recorder == by => {
            MeetingRefusal::Confirmed
        }
        (MeetingAct::MinutesConfirmed { .. }, Some(_)) if confirmed => MeetingRefusal::Confirmed,
        (MeetingAct::MinutesConfirmed { .. }, Some(_)) => return Ok(()),
    };
    Err(wrong.into())
}

#[cfg(test)]
mod tests;
