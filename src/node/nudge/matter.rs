//! What waits for the own city, and how a nudge says so: kinds, counts and numbers, no content.
//!
//! In scope: the message. Out of scope: finding what waits ([`super::follow`]), sending.
//!
//! Invariant: of a record only its number and id are in a message.
//! (`nudge_by_https_says_what_waits_and_never_what_it_says`)

use std::cmp::Reverse;

use serde::Serialize;

use crate::domain::Date;
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::limits::NUDGE_RECORDS_NAMED_MAX;

/// Digits of an id that people are shown, as in lists.
const SHORT: usize = 8;
/// A number that is longer was typed by somebody: it is left out.
const NUMBER_CHARS_MAX: usize = 48;

/// Why the city is nudged, what is gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// An emergency notice that this city has not acknowledged.
    Emergency,
    /// A transfer that was offered to this city.
    Transfer,
    /// A transfer that this city has disputed, and has to return or to record the designation of.
    Dispute,
    /// A request to give a case back that this city has not answered.
    Recall,
    /// An answer that this city owes, and whose last day is over.
    AnswerOverdue,
    /// A request for help that this city has not answered.
    Assistance,
    /// A proposal to amend a case that this city handles.
    Proposal,
    /// A joint plan that this city has not answered.
    Plan,
    /// A notice that this city has not acknowledged.
    Notice,
    /// Another term of this city that ends soon.
    Deadline,
    /// A term of this city whose last day is over.
    DeadlineOver,
}

/// All kinds.
const KINDS: [Kind; 11] = [
    Kind::Emergency,
    Kind::Transfer,
    Kind::Dispute,
    Kind::Recall,
    Kind::AnswerOverdue,
    Kind::Assistance,
    Kind::Proposal,
    Kind::Plan,
    Kind::Notice,
    Kind::Deadline,
    Kind::DeadlineOver,
];

/// What most kinds do, one and several of them.
const AWAITS: [&str; 2] = ["awaits", "await"];

impl Kind {
    /// What waits, in Chinese, and its measure word.
    const fn zh(self) -> (&'static str, &'static str) {
        match self {
            Self::Emergency => ("份突发事件通报", "待本市签收"),
            Self::Transfer => ("件移送", "待本市接收"),
            Self::Dispute => ("件管辖争议", "待本市处理"),
            Self::Recall => ("项退还请求", "待本市答复"),
            Self::AnswerOverdue => ("项答复", "已超过期限"),
            Self::Assistance => ("项协助请求", "待本市答复"),
            Self::Proposal => ("项修改建议", "待本市答复"),
            Self::Plan => ("份联合行动方案", "待本市答复"),
            Self::Notice => ("份通报", "待本市签收"),
            Self::Deadline => ("项时限", "即将到期"),
            Self::DeadlineOver => ("项时限", "已经届满"),
        }
    }

    /// One and several in English, and what of them.
    const fn en(self) -> (&'static str, &'static str, [&'static str; 2]) {
        match self {
            Self::Emergency => ("one emergency notice", "emergency notices", AWAITS),
            Self::Transfer => ("one transfer", "transfers", AWAITS),
            Self::Dispute => ("one jurisdiction dispute", "jurisdiction disputes", AWAITS),
            Self::Recall => {
                ("one request to give a case back", "requests to give a case back", AWAITS)
            }
            Self::AnswerOverdue => {
                ("one overdue answer", "overdue answers", ["is owed by", "are owed by"])
            }
            Self::Assistance => ("one request for help", "requests for help", AWAITS),
            Self::Proposal => ("one proposal", "proposals", AWAITS),
            Self::Plan => ("one joint plan", "joint plans", AWAITS),
            Self::Notice => ("one notice", "notices", AWAITS),
            Self::Deadline => ("one deadline", "deadlines", ["is near for", "are near for"]),
            Self::DeadlineOver => {
                ("one deadline", "deadlines", ["has passed for", "have passed for"])
            }
        }
    }

    /// It is told once and not again: nobody can keep a term any more that is over.
    #[must_use]
    pub const fn is_told_once(self) -> bool {
        match self {
            Self::DeadlineOver => true,
            Self::Emergency
            | Self::Transfer
            | Self::Dispute
            | Self::Recall
            | Self::AnswerOverdue
            | Self::Assistance
            | Self::Proposal
            | Self::Plan
            | Self::Notice
            | Self::Deadline => false,
        }
    }
}

/// One thing that waits. Another offer of the same case is another matter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matter {
    /// Why.
    pub kind: Kind,
    /// The last day of a term that is over: the newest come first.
    pub over_on: Option<Reverse<Date>>,
    /// The record's agreement.
    pub agreement: AgreementId,
    /// The record.
    pub subject: SubjectId,
    /// What else tells it from others: an entry, or a term and its last day.
    pub which: String,
}

impl Matter {
    /// Its name in the file that remembers what was told.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{:?} {} {} {}", self.kind, self.agreement, self.subject, self.which)
    }
}

/// A nudge, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nudge {
    /// Of this shape, 1.
    version: u32,
    /// Somebody tries the hook out; nothing waits.
    test: bool,
    /// The own city.
    city: u32,
    /// One sentence for people.
    text: Text,
    /// What waits, by kind.
    awaits: Vec<Awaits>,
    /// The own console, if it was configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Text {
    zh: String,
    en: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Awaits {
    kind: Kind,
    count: usize,
    records: Vec<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Named {
    /// LD-... of a case, the first digits of the id of anything else.
    number: String,
    id: String,
}

impl Nudge {
    /// Nothing waits: it only shows whether a nudge arrives.
    #[must_use]
    pub fn test(city: CityCode, link: Option<String>) -> Self {
        let zh = "联动系统提醒测试：收到即表示提醒可用，没有待办事项".to_owned();
        let en = "a test nudge of liandong: nothing awaits your city".to_owned();
        let (city, text, awaits) = (city.as_u32(), Text { zh, en }, Vec::new());
        Self { version: 1, test: true, city, text, awaits, link }
    }

    /// About these matters; `number` gives the number of a case.
    pub fn about(
        city: CityCode,
        matters: &[Matter],
        link: Option<String>,
        mut number: impl FnMut(&Matter) -> Option<String>,
    ) -> Self {
        let (mut awaits, mut zh, mut en) = (Vec::new(), Vec::new(), Vec::new());
        for kind in KINDS {
            let of_kind: Vec<&Matter> = matters.iter().filter(|m| m.kind == kind).collect();
            if of_kind.is_empty() {
                continue;
            }
            let count = of_kind.len();
            let records: Vec<Named> = of_kind
                .iter()
                .take(NUDGE_RECORDS_NAMED_MAX)
                .map(|matter| {
                    let id = matter.subject.to_string();
                    let short = || id.get(..SHORT).unwrap_or(&id).to_owned();
                    let number = number(matter).filter(|text| is_number(text));
                    Named { number: number.unwrap_or_else(short), id }
                })
                .collect();
            let ((what, how), (one, several, does)) = (kind.zh(), kind.en());
            let numbers: Vec<&str> = records.iter().map(|named| named.number.as_str()).collect();
            let more = if count > numbers.len() { ["等", ", ..."] } else { [""; 2] };
            let [one_does, several_do] = does;
            zh.push(format!("{count}{what}{how}：{}{}", numbers.join("、"), more[0]));
            let head = if count == 1 {
                format!("{one} {one_does}")
            } else {
                format!("{count} {several} {several_do}")
            };
            en.push(format!("{head} your city, {}{}", numbers.join(", "), more[1]));
            awaits.push(Awaits { kind, count, records });
        }
        let text = Text { zh: zh.join("；"), en: en.join("; ") };
        Self { version: 1, test: false, city: city.as_u32(), text, awaits, link }
    }

    /// As JSON in UTF-8, a few KiB at most.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Numbers come from the city that opened the case: what does not look like one is not passed on.
fn is_number(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '-';
    text.starts_with("LD-") && text.chars().all(fits) && text.chars().count() <= NUMBER_CHARS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matter(kind: Kind, nth: u8) -> Matter {
        let (agreement, subject) = (AgreementId::new([9; 16]), SubjectId::new([nth; 16]));
        Matter { kind, over_on: None, agreement, subject, which: String::new() }
    }

    #[test]
    fn nudge_texts_name_kinds_counts_and_numbers() {
        let city = CityCode::parse("371500").unwrap();
        let one = Nudge::about(city, &[matter(Kind::Transfer, 1)], None, |_| {
            Some("LD-聊邯-2026-聊0005".to_owned())
        });
        assert_eq!(one.text.zh, "1件移送待本市接收：LD-聊邯-2026-聊0005");
        assert_eq!(one.text.en, "one transfer awaits your city, LD-聊邯-2026-聊0005");
        let mut many: Vec<Matter> = (0..12).map(|nth| matter(Kind::Deadline, nth)).collect();
        many.push(matter(Kind::Emergency, 7));
        let text = Nudge::about(city, &many, None, |_| Some("举报人 张三".to_owned())).text;
        assert!(text.zh.starts_with("1份突发事件通报待本市签收：07070707；12项时限"), "{text:?}");
        assert!(text.en.starts_with("one emergency notice awaits your city, 07070707; 12 dead"));
        assert!(text.en.ends_with("09090909, ...") && !text.zh.contains("张三"), "{text:?}");
    }
}
