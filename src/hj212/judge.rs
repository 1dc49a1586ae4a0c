//! Messages against limits: what counts, and what is above its limit.
//!
//! In scope: which data counts, flags, ranges, limits of a station. Out of scope: where limits are
//! kept and what becomes of an excess.
//!
//! A clue is a reason to look, not a proof: only values that the device itself calls normal (flag
//! N) and that its instrument can measure are compared; all others are counted with the reason.
//! (`only_normal_values_within_range_are_compared`)

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::join::{Message, Reading};
use super::number;
use super::refused::{Ignored, Passed, Refusal, Refused};
use super::time::DataTime;
use crate::domain::pollutant::{PollutantCode, Statistic};
use crate::domain::quantity::Decimal;
use crate::domain::{CountyCode, Date, Medium, Uscc, Violation};

/// pH has two bounds and no multiple.
const PH: &str = "w01001";

/// Data that can count, by its command (HJ 212-2017 table 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// CN 2061, means of an hour.
    Hour,
    /// CN 2031, means of a day.
    Day,
    /// CN 2051, means of some minutes.
    Minute,
}

impl Kind {
    /// The kind of a command; `None` for all others.
    #[must_use]
    pub const fn of(cn: u16) -> Option<Self> {
        match cn {
            2061 => Some(Self::Hour),
            2031 => Some(Self::Day),
            2051 => Some(Self::Minute),
            _ => None,
        }
    }

    /// The statistic of its values.
    #[must_use]
    pub const fn statistic(self) -> Statistic {
        match self {
            Self::Hour => Statistic::HourAverage,
            Self::Day => Statistic::DayAverage,
            Self::Minute => Statistic::MinuteAverage,
        }
    }

    /// What follows station and time in the number of a clue.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Hour => "",
            Self::Day => "-D",
            Self::Minute => "-M",
        }
    }

    /// Whether such data can begin at this second.
    fn begins_at(self, at: DataTime) -> bool {
        match self {
            Self::Hour => at.second_of_day().is_multiple_of(3_600),
            Self::Day => at.second_of_day() == 0,
            Self::Minute => at.second_of_day().is_multiple_of(60),
        }
    }
}

/// The limit of one pollutant at one station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Above this is an excess.
    pub max: Option<Decimal>,
    /// Below this is one too (pH).
    pub min: Option<Decimal>,
    /// What the instrument can measure; above it nothing is believed.
    pub range: Option<Decimal>,
    /// Unit of all three and of the device, from the list of units.
    pub unit: &'static str,
    /// The field to compare; when absent `ZsAvg` (converted to the reference oxygen) if the device
    /// sends it, else `Avg`.
    pub field: Option<&'static str>,
}

/// A station, whose it is, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Name of the firm.
    pub party_name: String,
    /// Its credit code.
    pub uscc: Uscc,
    /// Number of its discharge permit; may be empty.
    pub permit_no: String,
    /// The county it lies in.
    pub county: CountyCode,
    /// Degrees east (CGCS2000).
    pub longitude: String,
    /// Degrees north (CGCS2000).
    pub latitude: String,
    /// The place in words; may be empty.
    pub address: String,
    /// Why a place outside the border belt belongs into the agreement; may be empty.
    pub belt_reason: String,
    /// The agreement its clues belong to, if it is not the one of all.
    pub agreement: Option<String>,
    /// By pollutant.
    pub limits: BTreeMap<PollutantCode, Limit>,
}

/// A value beyond its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// What was measured.
    pub code: PollutantCode,
    /// How much.
    pub value: Decimal,
    /// The limit it passes.
    pub limit: Decimal,
    /// Unit of both.
    pub unit: &'static str,
    /// By how many times it is exceeded, where that means something.
    pub multiple: Option<Decimal>,
    /// It lies below the lower limit.
    pub below: bool,
}

/// What a message comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which data.
    pub kind: Kind,
    /// From when it is.
    pub at: DataTime,
    /// What is harmed.
    pub medium: Medium,
    /// What is suspected.
    pub violation: Violation,
    /// Values beyond their limits, by code; often none.
    pub over: Vec<Over>,
    /// Values that were compared.
    pub compared: u64,
    /// Why others were not.
    pub ignored: Vec<Ignored>,
}

/// A message that is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotJudged {
    /// It is wrong.
    Refused(Refused),
    /// It is right and does not count.
    Passed(Passed),
}

impl From<Refused> for NotJudged {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Compares a message with the limits of its station on `today` (Beijing).
///
/// # Errors
/// [`NotJudged`]: it is wrong, or not one of those that count.
pub fn judge(
    message: &Message,
    station: Option<&Station>,
    kinds: &BTreeSet<Kind>,
    today: Date,
) -> Result<Verdict, NotJudged> {
    let packet = message.first();
    let counted = Kind::of(packet.cn).filter(|kind| kinds.contains(kind));
    let kind = counted.ok_or(NotJudged::Passed(Passed::OtherData))?;
    let (medium, violation) = match packet.st {
        31 => (Medium::Air, Violation::AirExceed),
        32 => (Medium::Water, Violation::WaterExceed),
        _ => return Err(NotJudged::Passed(Passed::NotASource)),
    };
    let at = message.data_time()?;
    if !kind.begins_at(at) {
        return Err(Refused::at(Refusal::DataTime, "DataTime").into());
    }
    let readings = message.readings()?;
    let station = station.ok_or(NotJudged::Passed(Passed::UnknownStation))?;
    if at.date() > today {
        return Err(NotJudged::Passed(Passed::InFuture));
    }
    let (over, compared, ignored) = (Vec::new(), 0, Vec::new());
    let mut verdict = Verdict { kind, at, medium, violation, over, compared, ignored };
    for (code, reading) in &readings {
        match compare(code, reading, station) {
            Ok(over) => {
                verdict.compared += 1;
                verdict.over.extend(over);
            }
            Err(why) => verdict.ignored.push(why),
        }
    }
    Ok(verdict)
}

fn compare(code: &str, reading: &Reading, station: &Station) -> Result<Option<Over>, Ignored> {
    let code = PollutantCode::parse(code).map_err(|_| Ignored::NoLimit)?;
    let limit = station.limits.get(&code).ok_or(Ignored::NoLimit)?;
    check_flag(reading.get("Flag").map(String::as_str))?;
    let given = match limit.field {
        Some(field) => reading.get(field),
        None => reading.get("ZsAvg").or_else(|| reading.get("Avg")),
    };
    let value = number::parse(given.ok_or(Ignored::NoValue)?).ok_or(Ignored::BadValue)?;
    let above = |bound: &&Decimal| number::compare(&value, bound) == Ordering::Greater;
    let below = |bound: &&Decimal| number::compare(&value, bound) == Ordering::Less;
    if limit.range.as_ref().is_some_and(|range| above(&range)) {
        return Err(Ignored::OverRange);
    }
    let over_max = limit.max.as_ref().filter(above).map(|bound| (bound.clone(), false));
    let passed =
        over_max.or_else(|| limit.min.as_ref().filter(below).map(|bound| (bound.clone(), true)));
    let Some((bound, below)) = passed else { return Ok(None) };
    let meaningful = !below && code.as_str() != PH;
    let multiple = if meaningful { number::excess(&value, &bound) } else { None };
    Ok(Some(Over { code, value, limit: bound, unit: limit.unit, multiple, below }))
}

/// HJ 212-2017 table 8: only `N` is a normal value.
fn check_flag(flag: Option<&str>) -> Result<(), Ignored> {
    Err(match flag {
        Some("N") => return Ok(()),
        None => Ignored::NoFlag,
        Some("D") => Ignored::Fault,
        Some("M") => Ignored::Maintenance,
        Some("C") => Ignored::Calibration,
        Some("F") => Ignored::Stopped,
        Some("B") => Ignored::Communication,
        Some("T") => Ignored::Above,
        Some(_) => Ignored::OtherFlag,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hj212::join::{Joined, Joiner};
    use crate::hj212::packet::Packet;

    fn decimal(text: &str) -> Option<Decimal> {
        (!text.is_empty()).then(|| Decimal::parse(text).unwrap())
    }

    fn station(limits: &[(&str, &str, &str, &str)]) -> Station {
        let limit = |(code, min, max, range): &(&str, &str, &str, &str)| {
            let (min, max, range) = (decimal(min), decimal(max), decimal(range));
            let limit = Limit { max, min, range, unit: "mg/L", field: None };
            (PollutantCode::parse(code).unwrap(), limit)
        };
        Station {
            party_name: "示例".to_owned(),
            uscc: Uscc::parse("91371522YYYY90011A").unwrap(),
            permit_no: String::new(),
            county: CountyCode::parse("371522").unwrap(),
            longitude: "115.5".to_owned(),
            latitude: "36.2".to_owned(),
            address: String::new(),
            belt_reason: String::new(),
            agreement: None,
            limits: limits.iter().map(limit).collect(),
        }
    }

    fn message(st: u8, cn: u16, body: &str) -> Message {
        let text = format!("QN=20261102100000123;ST={st};CN={cn};PW=1;MN=A;Flag=5;CP=&&{body}&&");
        match Joiner::default().take(Packet::parse(text.as_bytes()).unwrap()) {
            Ok(Joined::Whole(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    fn judged(message: &Message, station: Option<&Station>) -> Result<Verdict, NotJudged> {
        let today = Date::parse("2026-11-02").unwrap();
        judge(message, station, &BTreeSet::from([Kind::Hour]), today)
    }

    #[test]
    fn only_normal_values_within_range_are_compared() {
        let station = station(&[("w01018", "", "50", "500"), ("w01001", "6", "9", "")]);
        let rows: [(&str, Result<Option<&str>, Ignored>); 18] = [
            ("w01018-Avg=83.2,w01018-Flag=N", Ok(Some("0.66"))),
            ("w01018-Avg=50.0,w01018-Flag=N", Ok(None)),
            ("w01018-Avg=10,w01018-ZsAvg=60,w01018-Flag=N", Ok(Some("0.20"))),
            ("w01018-Avg=60,w01018-ZsAvg=10,w01018-Flag=N", Ok(None)),
            ("w01001-Avg=5.9,w01001-Flag=N", Ok(Some(""))),
            ("w01001-Avg=9.1,w01001-Flag=N", Ok(Some(""))),
            ("w01018-Avg=83.2", Err(Ignored::NoFlag)),
            ("w01018-Avg=83.2,w01018-Flag=D", Err(Ignored::Fault)),
            ("w01018-Avg=83.2,w01018-Flag=M", Err(Ignored::Maintenance)),
            ("w01018-Avg=83.2,w01018-Flag=C", Err(Ignored::Calibration)),
            ("w01018-Avg=83.2,w01018-Flag=F", Err(Ignored::Stopped)),
            ("w01018-Avg=83.2,w01018-Flag=B", Err(Ignored::Communication)),
            ("w01018-Avg=83.2,w01018-Flag=T", Err(Ignored::Above)),
            ("w01018-Avg=83.2,w01018-Flag=n", Err(Ignored::OtherFlag)),
            ("w01018-Avg=500.1,w01018-Flag=N", Err(Ignored::OverRange)),
            ("w01018-Avg=nan,w01018-Flag=N", Err(Ignored::BadValue)),
            ("w01018-Max=83.2,w01018-Flag=N", Err(Ignored::NoValue)),
            ("w21003-Avg=83.2,w21003-Flag=N", Err(Ignored::NoLimit)),
        ];
        for (body, want) in rows {
            let message = message(32, 2061, &format!("DataTime=20261102090000;{body}"));
            let verdict = judged(&message, Some(&station)).unwrap();
            let multiple =
                |over: &Over| over.multiple.as_ref().map_or("", Decimal::as_str).to_owned();
            let got = match verdict.ignored.first() {
                Some(why) => Err(*why),
                None => Ok(verdict.over.first().map(multiple)),
            };
            assert_eq!(got, want.map(|over| over.map(str::to_owned)), "{body}");
        }
    }

    #[test]
    fn other_data_is_passed_over_and_wrong_times_are_refused() {
        let station = station(&[("w01018", "", "50", "")]);
        let body = "DataTime=20261102090000;w01018-Avg=83.2,w01018-Flag=N";
        let passed = |why| Err(NotJudged::Passed(why));
        assert_eq!(judged(&message(32, 2011, body), Some(&station)), passed(Passed::OtherData));
        assert_eq!(judged(&message(32, 2051, body), Some(&station)), passed(Passed::OtherData));
        assert_eq!(judged(&message(21, 2061, body), Some(&station)), passed(Passed::NotASource));
        assert_eq!(judged(&message(32, 2061, body), None), passed(Passed::UnknownStation));
        let ahead = body.replace("20261102", "20261103");
        assert_eq!(judged(&message(32, 2061, &ahead), Some(&station)), passed(Passed::InFuture));
        for time in ["20261102090001", "20261102250000", ""] {
            let wrong = body.replace("20261102090000", time);
            let verdict = judged(&message(32, 2061, &wrong), Some(&station));
            let NotJudged::Refused(refused) = verdict.unwrap_err() else { panic!("{time}") };
            assert_eq!(refused.reason, Refusal::DataTime, "{time}");
        }
        let air = judged(&message(31, 2061, body), Some(&station)).unwrap();
        assert_eq!((air.medium, air.violation), (Medium::Air, Violation::AirExceed));
    }
}
