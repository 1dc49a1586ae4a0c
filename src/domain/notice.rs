//! Notices (信息通报): one city tells others something and wants to know that a person has read it.
//!
//! In scope: kinds, levels, who is told, who may acknowledge, report and end, when acknowledging
//! is overdue. Out of scope: how an emergency rings, which cities hold it.
//!
//! A notice is no chain of moves: nobody has a turn, everything but its opening is a contribution.
//! What two entries say alike counts once, by the lowest place, so that every node shows the same.
//!
//! Invariant: what [`opens`] and [`fits`] forbid has no effect on any node.
//! (`what_a_notice_must_be_to_be_one`, `who_may_do_what_with_a_notice`)

use super::calendar::{LastDay, Term, WorkCalendar};
use super::code::coded;
use super::date::Date;
use super::invalid::Invalid;
use super::refusal::{Misfit, Refusal};
use super::text::{Line, Text};
use crate::ids::CityCode;
use crate::limits::{
    ADDRESS_BYTES_MAX, FREE_TEXT_BYTES_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX, TITLE_BYTES_MAX,
};

coded! {
    /// What a notice is about. All but the first ring.
    NoticeKind {
        General "GENERAL" "信息通报" "notice";
        Emergency "EMERGENCY" "突发环境事件通报" "emergency";
        HeavyPollution "HEAVY_POLLUTION" "重污染天气通报" "heavy-pollution days";
    }
}

coded! {
    /// How grave an emergency is (应急联动: four levels), the first the gravest.
    NoticeLevel {
        One "I" "Ⅰ级" "level I";
        Two "II" "Ⅱ级" "level II";
        Three "III" "Ⅲ级" "level III";
        Four "IV" "Ⅳ级" "level IV";
    }
}

impl NoticeKind {
    /// Whether it rings at the cities it is for.
    #[must_use]
    pub const fn rings(self) -> bool {
        match self {
            Self::General => false,
            Self::Emergency | Self::HeavyPollution => true,
        }
    }
}

/// A notice as its opening says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// How grave; with every kind but [`NoticeKind::General`].
    pub level: Option<NoticeLevel>,
    /// Who tells.
    pub issuer: CityCode,
    /// Who is told, ascending.
    pub addressees: Vec<CityCode>,
}

/// What may be added to a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeAct {
    /// A person in a city that is told has read it (签收).
    Acknowledged,
    /// News of it: from its issuer (续报), or from a city that was told (反馈).
    Reported,
    /// It is over (解除).
    Ended,
}

/// What a notice says, for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NoticeRecord {
    /// In one line.
    pub title: Line,
    /// What happened, what is asked of the others.
    pub text: Text,
    /// Where.
    pub address: Option<Line>,
    /// Whom to ask.
    pub contact: Option<Line>,
    /// Telephone of the contact.
    pub phone: Option<Line>,
}

/// The texts of a notice as they are typed or sent; empty means not given.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoticeDraft<'a> {
    /// See [`NoticeRecord::title`].
    pub title: &'a str,
    /// See [`NoticeRecord::text`].
    pub text: &'a str,
    /// See [`NoticeRecord::address`].
    pub address: &'a str,
    /// See [`NoticeRecord::contact`].
    pub contact: &'a str,
    /// See [`NoticeRecord::phone`].
    pub phone: &'a str,
}

impl NoticeRecord {
    /// Reads the texts.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn parse(draft: NoticeDraft<'_>) -> Result<Self, Vec<Invalid>> {
        let line = |text: &str, field: &str, max| Line::parse(text, max).map_err(|e| e.at(field));
        let optional = |text: &str, field: &str, max| match text.trim() {
            "" => Ok(None),
            text => line(text, field, max).map(Some),
        };
        let title = line(draft.title, "title", TITLE_BYTES_MAX);
        let text = Text::parse(draft.text, FREE_TEXT_BYTES_MAX).map_err(|e| e.at("text"));
        let address = optional(draft.address, "address", ADDRESS_BYTES_MAX);
        let contact = optional(draft.contact, "contact", NAME_BYTES_MAX);
        let phone = optional(draft.phone, "phone", REFERENCE_BYTES_MAX);
        match (title, text, address, contact, phone) {
            (Ok(title), Ok(text), Ok(address), Ok(contact), Ok(phone)) => {
                Ok(Self { title, text, address, contact, phone })
            }
            (title, text, address, contact, phone) => {
                let wrong = [title.err(), text.err(), address.err(), contact.err(), phone.err()];
                Err(wrong.into_iter().flatten().collect())
            }
        }
    }
}

/// Why the deciding node does not carry out a command about a notice. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeRefusal {
    /// An emergency has one of four levels.
    #[error("level of the emergency is missing")]
    LevelMissing,
    /// A plain notice has no level.
    #[error("level is given for a notice that is no emergency")]
    LevelNotAllowed,
    /// One acknowledgement of a city is enough.
    #[error("notice is acknowledged by this city already")]
    Acknowledged,
    /// A notice ends once.
    #[error("notice has ended already")]
    Ended,
}

impl NoticeRefusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::LevelMissing => "LEVEL_MISSING",
            Self::LevelNotAllowed => "LEVEL_NOT_ALLOWED",
            Self::Acknowledged => "NOTICE_ACKNOWLEDGED",
            Self::Ended => "NOTICE_ENDED",
        }
    }

    /// The field of the request that is at fault.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::LevelMissing | Self::LevelNotAllowed => "level",
            Self::Acknowledged | Self::Ended => "name",
        }
    }

    /// Why it was not done and what to do, in Chinese.
    pub(super) fn zh(self) -> (String, String) {
        let (why, todo) = match self {
            Self::LevelMissing => ("这类通报须分级", "请填写Ⅰ至Ⅳ级"),
            Self::LevelNotAllowed => {
                ("一般信息通报不分级", "请去掉级别，或改为突发环境事件、重污染天气通报")
            }
            Self::Acknowledged => ("本市已签收这份通报", "无需再次签收，可以反馈情况"),
            Self::Ended => ("这份通报已经解除", "无需再次解除；情况有变的，请另发通报"),
        };
        (why.to_owned(), todo.to_owned())
    }

    /// What to do, in English; why is its text.
    pub(super) const fn en(self) -> &'static str {
        match self {
            Self::LevelMissing => "give a level from I to IV",
            Self::LevelNotAllowed => "leave the level out, or choose another kind",
            Self::Acknowledged => "nothing to do, news may still be reported",
            Self::Ended => "nothing to do, issue a new notice if needed",
        }
    }
}

impl From<NoticeRefusal> for Refusal {
    fn from(refusal: NoticeRefusal) -> Self {
        Self::Notice(refusal)
    }
}

/// Whether a notice may be opened like this; the same for commands and for what others have signed.
///
/// # Errors
/// [`Misfit::NoticeInvalid`]: it is counted and opens nothing.
pub fn opens(notice: &Notice, members: &[CityCode]) -> Result<(), Misfit> {
    let Notice { kind, level, issuer, addressees } = notice;
    let ascending = addressees.windows(2).all(|pair| match pair {
        [one, next] => one < next,
        _ => true,
    });
    let named = !addressees.is_empty() && ascending;
    let known = addressees.iter().all(|city| members.contains(city) && city != issuer);
    if named && known && kind.rings() == level.is_some() {
        Ok(())
    } else {
        Err(Misfit::NoticeInvalid)
    }
}

/// Whether a city may add this; the same for commands and for what others have signed.
///
/// # Errors
/// A [`Misfit`]: it is shown and has no effect.
pub fn fits(notice: &Notice, by: CityCode, act: NoticeAct) -> Result<(), Misfit> {
    let (issuer, told) = (notice.issuer == by, notice.addressees.contains(&by));
    match act {
        NoticeAct::Acknowledged if !told => Err(Misfit::NotAddressed { city: by }),
        NoticeAct::Reported if !told && !issuer => Err(Misfit::NotAddressed { city: by }),
        NoticeAct::Ended if !issuer => Err(Misfit::NotIssuer { issuer: notice.issuer }),
        NoticeAct::Acknowledged | NoticeAct::Reported | NoticeAct::Ended => Ok(()),
    }
}

/// Decides on a new notice. Without addressees it is for all other members.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_issue(
    by: CityCode,
    members: &[CityCode],
    (kind, level): (NoticeKind, Option<NoticeLevel>),
    addressees: &[CityCode],
) -> Result<Notice, Refusal> {
    if !members.contains(&by) {
        return Err(Misfit::NotAMember { city: by }.into());
    }
    match (kind.rings(), level) {
        (true, None) => return Err(NoticeRefusal::LevelMissing.into()),
        (false, Some(_)) => return Err(NoticeRefusal::LevelNotAllowed.into()),
        (true, Some(_)) | (false, None) => {}
    }
    if addressees.contains(&by) {
        return Err(Refusal::SelfNamed { field: "cities" });
    }
    if let Some(city) = addressees.iter().find(|city| !members.contains(city)) {
        return Err(Misfit::ReceiverNotMember { city: *city, field: "cities" }.into());
    }
    let named = if addressees.is_empty() { members } else { addressees };
    let mut told: Vec<CityCode> = named.iter().copied().filter(|city| *city != by).collect();
    told.sort_unstable();
    told.dedup();
    let notice = Notice { kind, level, issuer: by, addressees: told };
    opens(&notice, members)?;
    Ok(notice)
}

/// Decides on adding to a notice; `done` says that this city has acknowledged it already, or that
/// it has ended.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_act(
    notice: &Notice,
    by: CityCode,
    act: NoticeAct,
    done: bool,
) -> Result<(), Refusal> {
    fits(notice, by, act)?;
    match act {
        NoticeAct::Acknowledged if done => Err(NoticeRefusal::Acknowledged.into()),
        NoticeAct::Ended if done => Err(NoticeRefusal::Ended.into()),
        NoticeAct::Acknowledged | NoticeAct::Ended | NoticeAct::Reported => Ok(()),
    }
}

/// By when a notice is to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckDue {
    /// At this time, milliseconds since 1970-01-01 UTC.
    At(i64),
    /// By the end of this day in Beijing.
    On(LastDay),
}

impl AckDue {
    /// Of a notice written at `issued_ms` by its author's clock: an emergency within so many
    /// minutes, any other by the end of so many workdays, both from the agreement (no law at hand
    /// gives a term). `None` when the clock is out of all range.
    #[must_use]
    pub fn of(
        kind: NoticeKind,
        issued_ms: i64,
        (minutes, workdays): (u32, u32),
        calendar: &WorkCalendar,
    ) -> Option<Self> {
        if kind.rings() {
            return issued_ms.checked_add(i64::from(minutes) * 60_000).map(Self::At);
        }
        let from = Date::beijing(issued_ms)?;
        calendar.last_day(from, Term::Workdays(workdays)).map(Self::On)
    }

    /// Whether the time has run out.
    #[must_use]
    pub fn is_over(&self, now_ms: i64) -> bool {
        match self {
            Self::At(at) => *at < now_ms,
            Self::On(day) => Date::beijing(now_ms).is_some_and(|today| day.is_over(today)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::city;

    fn notice() -> Notice {
        let members = [city(371_500), city(130_400), city(410_900)];
        let kind = (NoticeKind::Emergency, Some(NoticeLevel::Two));
        decide_issue(city(371_500), &members, kind, &[city(130_400)]).unwrap()
    }

    #[test]
    fn who_may_do_what_with_a_notice() {
        use NoticeAct as A;
        let (issuer, told, third) = (city(371_500), city(130_400), city(410_900));
        let fitting = |by| {
            let all = [A::Acknowledged, A::Reported, A::Ended];
            all.map(|act| fits(&notice(), by, act).err().map(|misfit| misfit.reason()))
        };
        assert_eq!(fitting(issuer), [Some("NOT_ADDRESSED"), None, None]);
        assert_eq!(fitting(told), [None, None, Some("NOT_ISSUER")]);
        assert_eq!(
            fitting(third),
            [Some("NOT_ADDRESSED"), Some("NOT_ADDRESSED"), Some("NOT_ISSUER")]
        );
        assert_eq!(
            decide_act(&notice(), told, A::Acknowledged, true).unwrap_err().reason(),
            "NOTICE_ACKNOWLEDGED"
        );
        assert_eq!(
            decide_act(&notice(), issuer, A::Ended, true).unwrap_err().reason(),
            "NOTICE_ENDED"
        );
        assert_eq!(decide_act(&notice(), told, A::Reported, true), Ok(()));
    }

    #[test]
    fn what_a_notice_must_be_to_be_one() {
        let members = [city(130_400), city(371_500), city(410_900)];
        let of = |kind, level, codes: &[u32]| {
            let addressees = codes.iter().map(|code| city(*code)).collect();
            opens(&Notice { kind, level, issuer: city(371_500), addressees }, &members).is_ok()
        };
        let (kind, level) = (NoticeKind::Emergency, Some(NoticeLevel::Four));
        assert!(of(kind, level, &[130_400, 410_900]) && of(NoticeKind::General, None, &[130_400]));
        assert!(!of(kind, None, &[130_400]) && !of(NoticeKind::General, level, &[130_400]));
        let nobody_or_twice: [&[u32]; 3] = [&[], &[130_400, 130_400], &[410_900, 130_400]];
        assert!(nobody_or_twice.iter().all(|cities| !of(kind, level, cities)));
        assert!(!of(kind, level, &[371_500]) && !of(kind, level, &[130_400, 370_900]));
    }

    #[test]
    fn a_notice_goes_to_those_named_or_to_all() {
        let members = [city(371_500), city(130_400), city(410_900)];
        let general = (NoticeKind::General, None);
        let issue = |kind, to: &[CityCode]| decide_issue(members[0], &members, kind, to);
        assert_eq!(issue(general, &[]).unwrap().addressees, [city(130_400), city(410_900)]);
        let twice = [city(410_900), city(130_400), city(410_900)];
        assert_eq!(issue(general, &twice).unwrap().addressees, [city(130_400), city(410_900)]);
        let reason = |kind, to: &[CityCode]| issue(kind, to).unwrap_err().reason();
        assert_eq!(reason(general, &[members[0]]), "SELF_NAMED");
        assert_eq!(reason(general, &[city(370_900)]), "RECEIVER_NOT_MEMBER");
        assert_eq!(reason((NoticeKind::Emergency, None), &[]), "LEVEL_MISSING");
        let level = Some(NoticeLevel::One);
        assert_eq!(reason((NoticeKind::General, level), &[]), "LEVEL_NOT_ALLOWED");
        let stranger = decide_issue(city(370_900), &members, general, &[]);
        assert_eq!(stranger.unwrap_err().reason(), "NOT_A_MEMBER");
    }

    #[test]
    fn emergencies_are_due_in_minutes_and_others_in_workdays() {
        let calendar = WorkCalendar::shipped();
        // 2026-09-30 is the day before a week of holidays; 10:00 in Beijing.
        let midnight = |day: Date| (day.days_since_epoch() * 24 - 8) * 3_600_000;
        let at = midnight("2026-09-30".parse().unwrap()) + 10 * 3_600_000;
        let due = |kind| AckDue::of(kind, at, (60, 1), &calendar).unwrap();
        assert_eq!(due(NoticeKind::Emergency), AckDue::At(at + 3_600_000));
        assert!(!due(NoticeKind::Emergency).is_over(at + 3_600_000));
        assert!(due(NoticeKind::Emergency).is_over(at + 3_600_001));
        let AckDue::On(day) = due(NoticeKind::General) else { panic!("days") };
        assert_eq!(day, LastDay::sure("2026-10-08".parse().unwrap()));
        let begins = midnight(day.on);
        assert!(!due(NoticeKind::General).is_over(begins + 86_399_999));
        assert!(due(NoticeKind::General).is_over(begins + 86_400_000));
        assert_eq!(AckDue::of(NoticeKind::Emergency, i64::MAX, (60, 1), &calendar), None);
        // A year whose holidays are not known is no reason to wait for ever.
        let issued = midnight("2027-01-04".parse().unwrap());
        let due = AckDue::of(NoticeKind::General, issued, (60, 1), &calendar).unwrap();
        let over = |day: &str| due.is_over(midnight(day.parse().unwrap()));
        assert!(!over("2027-01-19") && over("2027-01-20"));
    }

    #[test]
    fn every_wrong_text_is_named() {
        let draft = NoticeDraft { title: "a\nb", phone: "\u{202e}", ..NoticeDraft::default() };
        let wrong = NoticeRecord::parse(draft).unwrap_err();
        let fields: Vec<_> = wrong.iter().filter_map(|w| w.field.as_deref()).collect();
        assert_eq!(fields, ["title", "text", "phone"]);
    }
}
