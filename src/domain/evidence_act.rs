//! What is said of an item of evidence after it was listed: that its bytes arrived, whether it is
//! recognised (证据互认), who handed the original to whom (证据移交).
//!
//! In scope: who may say what. Out of scope: what evidence is ([`crate::domain::evidence`]), files.
//!
//! None of it is a move. Recognising evidence of another city is that city's finding, not a change
//! of the evidence: the list and its digests stay as they were signed.
//!
//! Invariant: what [`fits`] forbids has no effect on any node. (`who_may_say_what_of_evidence`)

use super::code::coded;
use super::date::Date;
use super::invalid::Invalid;
use super::refusal::Refusal;
use super::text::{Line, Text};
use crate::ids::{CityCode, Position};
use crate::limits::{ADDRESS_BYTES_MAX, CUSTODY_STEPS_MAX, FREE_TEXT_BYTES_MAX, NAME_BYTES_MAX};

coded! {
    /// Why a city does not recognise evidence of another one. Articles are of 行政处罚法 (2021).
    DeclineGround {
        /// Art. 46: what was taken by unlawful means proves nothing.
        Unlawful "UNLAWFUL" "取证程序不合法" "taken unlawfully";
        /// Art. 42: two certified officers, who show their certificates.
        Officers "OFFICERS" "执法人员少于两名或未出示证件" "fewer than two certified officers";
        /// Art. 41: devices need legal and technical review.
        Unreviewed "UNREVIEWED" "电子技术监控未经法制和技术审核" "device not reviewed";
        /// Monitoring needs an accredited laboratory (CMA).
        Laboratory "LABORATORY" "监测机构没有相应资质" "laboratory not accredited";
        /// Art. 46: evidence is verified before it proves anything.
        Unverified "UNVERIFIED" "无法查证属实" "cannot be verified";
        Unreadable "UNREADABLE" "文件残缺或无法打开" "file incomplete or unreadable";
        Custody "CUSTODY" "移交保管记录不连续" "chain of custody has a gap";
        Irrelevant "IRRELEVANT" "与本案事实无关" "does not bear on the facts";
        Other "OTHER" "其他原因（见说明）" "another reason, see the text";
    }
}

/// One item of a list of evidence, by its place.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct EvidencePlace {
    /// The entry whose part the list is.
    pub entry: Position,
    /// Which of its parts, from 0.
    pub part: u32,
    /// Which of the list, from 0.
    pub item: u32,
}

/// What may be said of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum EvidenceAct {
    /// The city holds its bytes, and their digest is the one listed.
    Received,
    /// The city recognises it.
    Recognised,
    /// The city does not recognise it; the reason in words is a part.
    Declined {
        /// Why.
        ground: DeclineGround,
    },
    /// The original was handed over; from whom to whom is a part.
    HandedOver {
        /// The day.
        on: Date,
    },
}

/// What an item is to the city that speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Who listed it.
    pub listed_by: CityCode,
    /// The list is for the city that speaks.
    pub entitled: bool,
    /// That city has recorded its receipt.
    pub received: bool,
    /// That city has recognised or declined it.
    pub judged: bool,
    /// Hand-overs that city has recorded so far.
    pub handed_over: usize,
}

/// Why something about an item of evidence is not said, or has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceRefusal {
    /// There is no such list in the case, or the author has not seen it.
    #[error("no such item of evidence in this case")]
    Unknown,
    /// The list is for other cities. Ask its city to open it.
    #[error("the list of evidence is not for this city")]
    Withheld,
    /// Who listed it stands for it anyway.
    #[error("the evidence is of the own city")]
    Own,
    /// Only who has the bytes can judge them.
    #[error("receipt of the evidence is not recorded")]
    NotReceived,
    /// One receipt is enough.
    #[error("receipt of the evidence is recorded already")]
    Received,
    /// One finding counts.
    #[error("the evidence is recognised or declined already")]
    Judged,
    /// A chain has an end, for each city.
    #[error("this city has recorded {CUSTODY_STEPS_MAX} hand-overs of the evidence already")]
    CustodyFull,
}

impl EvidenceRefusal {
    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "EVIDENCE_UNKNOWN",
            Self::Withheld => "EVIDENCE_WITHHELD",
            Self::Own => "OWN_EVIDENCE",
            Self::NotReceived => "EVIDENCE_NOT_RECEIVED",
            Self::Received => "EVIDENCE_RECEIVED",
            Self::Judged => "EVIDENCE_JUDGED",
            Self::CustodyFull => "CUSTODY_FULL",
        }
    }

    /// The field of the request that is at fault: every one of them names the item.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Unknown
            | Self::Withheld
            | Self::Own
            | Self::NotReceived
            | Self::Received
            | Self::Judged
            | Self::CustodyFull => "evidence_id",
        }
    }

    /// Why it was not done and what to do, in Chinese.
    pub(super) fn zh(self) -> (String, String) {
        let (why, todo) = match self {
            Self::Unknown => ("案件中没有这份证据", "请核对证据编号，或刷新后重试"),
            Self::Withheld => ("这份证据清单没有向本市开放", "请联系取证市授权查看"),
            Self::Own => ("这是本市提交的证据", "由收到证据的市登记接收、决定是否互认"),
            Self::NotReceived => ("本市尚未登记接收这份证据", "请先取得文件、登记接收，再作决定"),
            Self::Received => ("本市已登记接收这份证据", "无需再次登记"),
            Self::Judged => ("本市对这份证据已有互认结论", "无需再办；情况有变的，请补充说明"),
            Self::CustodyFull => ("本市登记的移交记录已满", "请在补充说明中登记"),
        };
        (why.to_owned(), todo.to_owned())
    }

    /// What to do, in English; why is its text.
    pub(super) const fn en(self) -> &'static str {
        match self {
            Self::Unknown => "check its id, or reload",
            Self::Withheld => "ask the city that listed it to open the list",
            Self::Own => "cities that received it record receipt and recognise it",
            Self::NotReceived => "get the file and record its receipt first",
            Self::Received => "nothing to do",
            Self::Judged => "nothing to do; add a note if something has changed",
            Self::CustodyFull => "add a note instead",
        }
    }
}

/// Who handed an original to whom, for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CustodyRecord {
    /// Who handed it over.
    pub from: Line,
    /// Who took it.
    pub to: Line,
    /// Where.
    pub address: Option<Line>,
    /// State of the original, seal, number of the receipt.
    pub text: Option<Text>,
}

impl CustodyRecord {
    /// Reads the texts; an empty address or text means not given.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn parse(from: &str, to: &str, address: &str, text: &str) -> Result<Self, Vec<Invalid>> {
        let from = Line::parse(from, NAME_BYTES_MAX).map_err(|e| e.at("from"));
        let to = Line::parse(to, NAME_BYTES_MAX).map_err(|e| e.at("to"));
        let address = match address.trim() {
            "" => Ok(None),
            line => Line::parse(line, ADDRESS_BYTES_MAX).map(Some).map_err(|e| e.at("address")),
        };
        let text = match text.trim() {
            "" => Ok(None),
            _ => Text::parse(text, FREE_TEXT_BYTES_MAX).map(Some).map_err(|e| e.at("text")),
        };
        match (from, to, address, text) {
            (Ok(from), Ok(to), Ok(address), Ok(text)) => Ok(Self { from, to, address, text }),
            (from, to, address, text) => {
                let wrong = [from.err(), to.err(), address.err(), text.err()];
                Err(wrong.into_iter().flatten().collect())
            }
        }
    }
}

/// Whether a city may say this of an item; the same for commands and for what others have signed.
/// Without a standing there is no such item.
///
/// # Errors
/// An [`EvidenceRefusal`]: what was signed is shown and has no effect.
pub fn fits(
    by: CityCode,
    standing: Option<Standing>,
    act: EvidenceAct,
) -> Result<(), EvidenceRefusal> {
    let standing = standing.ok_or(EvidenceRefusal::Unknown)?;
    if !standing.entitled {
        return Err(EvidenceRefusal::Withheld);
    }
    let own = standing.listed_by == by;
    match act {
        EvidenceAct::Received | EvidenceAct::Recognised | EvidenceAct::Declined { .. } if own => {
            Err(EvidenceRefusal::Own)
        }
        EvidenceAct::Recognised | EvidenceAct::Declined { .. } if !standing.received => {
            Err(EvidenceRefusal::NotReceived)
        }
        EvidenceAct::Received
        | EvidenceAct::Recognised
        | EvidenceAct::Declined { .. }
        | EvidenceAct::HandedOver { .. } => Ok(()),
    }
}

/// Decides on saying something of an item; `today` is the date in Beijing.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_evidence(
    by: CityCode,
    standing: Option<Standing>,
    act: EvidenceAct,
    today: Date,
) -> Result<(), Refusal> {
    fits(by, standing, act)?;
    let standing = standing.ok_or(EvidenceRefusal::Unknown)?;
    match act {
        EvidenceAct::Received if standing.received => Err(EvidenceRefusal::Received.into()),
        EvidenceAct::Recognised | EvidenceAct::Declined { .. } if standing.judged => {
            Err(EvidenceRefusal::Judged.into())
        }
        EvidenceAct::HandedOver { on } if on > today => {
            Err(Refusal::EffectiveInFuture { effective_on: on, today, field: "handed_on" })
        }
        EvidenceAct::HandedOver { .. } if standing.handed_over >= CUSTODY_STEPS_MAX => {
            Err(EvidenceRefusal::CustodyFull.into())
        }
        EvidenceAct::Received
        | EvidenceAct::Recognised
        | EvidenceAct::Declined { .. }
        | EvidenceAct::HandedOver { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::{city, date};

    const HANDAN: u32 = 130_400;
    const LIAOCHENG: u32 = 371_500;

    #[test]
    fn who_may_say_what_of_evidence() {
        use EvidenceAct as A;
        let today = date("2026-11-20");
        let declined = A::Declined { ground: DeclineGround::Officers };
        let over = |on| A::HandedOver { on: date(on) };
        let new = Standing {
            listed_by: city(LIAOCHENG),
            entitled: true,
            received: false,
            judged: false,
            handed_over: 0,
        };
        let (received, full) = (
            Standing { received: true, ..new },
            Standing { handed_over: CUSTODY_STEPS_MAX, ..new },
        );
        let judged = Standing { judged: true, ..received };
        let withheld = Standing { entitled: false, ..received };
        let rows = [
            (HANDAN, None, A::Received, Some("EVIDENCE_UNKNOWN")),
            (HANDAN, Some(withheld), A::Received, Some("EVIDENCE_WITHHELD")),
            (HANDAN, Some(withheld), over("2026-11-20"), Some("EVIDENCE_WITHHELD")),
            (LIAOCHENG, Some(new), A::Received, Some("OWN_EVIDENCE")),
            (LIAOCHENG, Some(received), A::Recognised, Some("OWN_EVIDENCE")),
            (LIAOCHENG, Some(received), declined, Some("OWN_EVIDENCE")),
            (LIAOCHENG, Some(new), over("2026-11-20"), None),
            (HANDAN, Some(new), A::Received, None),
            (HANDAN, Some(received), A::Received, Some("EVIDENCE_RECEIVED")),
            (HANDAN, Some(new), A::Recognised, Some("EVIDENCE_NOT_RECEIVED")),
            (HANDAN, Some(new), declined, Some("EVIDENCE_NOT_RECEIVED")),
            (HANDAN, Some(received), A::Recognised, None),
            (HANDAN, Some(received), declined, None),
            (HANDAN, Some(judged), A::Recognised, Some("EVIDENCE_JUDGED")),
            (HANDAN, Some(judged), declined, Some("EVIDENCE_JUDGED")),
            (HANDAN, Some(new), over("2026-11-21"), Some("EFFECTIVE_IN_FUTURE")),
            (HANDAN, Some(full), over("2026-11-20"), Some("CUSTODY_FULL")),
        ];
        for (row, (by, standing, act, want)) in rows.into_iter().enumerate() {
            let done = decide_evidence(city(by), standing, act, today);
            assert_eq!(done.err().map(|refusal| refusal.reason()), want, "row {row}");
        }
        // What others have signed is judged by less: a second finding is kept, and does not count.
        assert_eq!(fits(city(HANDAN), Some(judged), declined), Ok(()));
        assert_eq!(fits(city(HANDAN), Some(new), declined), Err(EvidenceRefusal::NotReceived));
    }

    #[test]
    fn a_hand_over_names_both_sides() {
        let wrong = CustodyRecord::parse("", "邯郸市支队", "", "\u{202e}").unwrap_err();
        let named: Vec<_> = wrong.iter().filter_map(|w| w.field.as_deref()).collect();
        assert_eq!(named, ["from", "text"]);
        let record = CustodyRecord::parse("聊城市支队", "邯郸市支队", " ", "").unwrap();
        assert_eq!((record.address, record.text), (None, None));
    }
}
