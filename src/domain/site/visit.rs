//! Whether a site may be visited on a day: closed, positive list, yearly cap, and exceptions.
//!
//! In scope: the verdict, and by what rule. Out of scope: how many checks there were (whoever asks
//! counts them over all sites of one enterprise that are of the own city).
//!
//! The cap is law: one authority visits one enterprise only so often in a calendar year (国办发
//! 〔2024〕54号). The number is a setting, since each authority makes its own known. What is checked
//! off site is no visit. A check under an exception is not counted to the cap.

use super::{Listing, VisitException};
use crate::domain::code::coded;
use crate::domain::date::Date;

coded! {
    /// Why a site is left out.
    LeftOut {
        Closed "CLOSED" "已关停" "closed";
        PositiveList "POSITIVE_LIST" "正面清单" "positive list";
        Capped "CAPPED" "已达年度检查频次上限" "yearly cap reached";
    }
}

/// Where the exceptions come from: people have to know that it is no text that was read.
pub const EXCEPTIONS_SOURCE: (&str, &str) = (
    "例外情形清单未核对到文件依据，请以本省规定为准",
    "no text was at hand for the list of exceptions; the rules of the province count",
);

impl LeftOut {
    /// The rule, in Chinese and English.
    #[must_use]
    pub const fn rule(self) -> (&'static str, &'static str) {
        match self {
            Self::Closed => ("已关停的对象不安排现场检查", "a closed site is not visited"),
            Self::PositiveList => (
                "正面清单内的企业在有效期内一般不开展现场检查",
                "an enterprise on the positive list is not visited while it is on it",
            ),
            Self::Capped => (
                "同一行政机关对同一企业的现场检查不得超过公布的年度频次上限",
                "one authority visits one enterprise at most as often a year as it has made known",
            ),
        }
    }

    /// Where the rule comes from, in Chinese and English.
    #[must_use]
    pub const fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::Closed => {
                ("本市登记的检查对象状态", "what the own city has recorded of the site")
            }
            Self::PositiveList => (
                "2021年4月正面清单指导意见（原文未核对）",
                "guideline on positive lists of April 2021, its text was not at hand",
            ),
            Self::Capped => (
                "国办发〔2024〕54号；次数由本市设定",
                "document 54 of 2024 of the State Council's office; the number is a setting",
            ),
        }
    }
}

/// How often an enterprise was and will be visited in the year of the day asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visited {
    /// Checks that count, over all sites of the enterprise.
    pub made: u32,
    /// Visits that plans have reserved.
    pub reserved: u32,
    /// At most so many a year; 0 for no cap.
    pub most: u32,
}

impl Visited {
    /// One more visit would be beyond the cap.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.most > 0 && self.made.saturating_add(self.reserved) >= self.most
    }
}

/// What is known of a visit.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The day.
    pub on: Date,
    /// The site is closed.
    pub closed: bool,
    /// Where the site stands on the positive list, if it ever stood on it; or another site of the
    /// same enterprise that is on it that day, for the list is one of enterprises.
    pub listing: Option<&'a Listing>,
    /// What counts to the cap.
    pub visited: Visited,
    /// Why the visit is needed all the same.
    pub exception: Option<VisitException>,
}

/// What comes of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing stands against it.
    Fine,
    /// It would be left out, but for the exception.
    Excepted {
        /// What stands against it.
        why: LeftOut,
        /// What lets it pass.
        by: VisitException,
    },
    /// It is left out.
    LeftOut(LeftOut),
}

/// Whether a site may be visited. Of several reasons against it the first counts, in the order of
/// [`LeftOut`].
#[must_use]
pub fn may_visit(visit: &Visit<'_>) -> Verdict {
    let listed = visit.listing.is_some_and(|listing| listing.is_listed(visit.on));
    let why = match (visit.closed, listed, visit.visited.is_full()) {
        (true, _, _) => LeftOut::Closed,
        (false, true, _) => LeftOut::PositiveList,
        (false, false, true) => LeftOut::Capped,
        (false, false, false) => return Verdict::Fine,
    };
    match visit.exception {
        Some(by) => Verdict::Excepted { why, by },
        None => Verdict::LeftOut(why),
    }
}
