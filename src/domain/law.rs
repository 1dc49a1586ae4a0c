//! Legal bases: law, article, item, and the days between which that text was in force.
//!
//! In scope: the shape. Out of scope: which text applies to an act; the catalogue offers
//! candidates ([`crate::domain::catalogue`]) and an officer chooses.

use super::date::Date;
use super::invalid::{Invalid, InvalidReason};
use super::text::Line;
use crate::limits::NAME_BYTES_MAX;
use std::fmt;

/// Number of an article (条): 1 to 9999, with 1 to 99 behind it for one inserted later
/// (第三百三十八条之一 is `338-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Article {
    number: u16,
    inserted: u8,
}

impl Article {
    /// Reads `1107` or `338-1`.
    ///
    /// # Errors
    /// `ARTICLE_FORMAT` for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let (number, inserted) = match text.split_once('-') {
            Some((number, inserted)) => (number, Some(inserted)),
            None => (text, None),
        };
        let read = |part: &str, digits: usize| {
            let shape = (1..=digits).contains(&part.len())
                && !part.starts_with('0')
                && part.bytes().all(|b| b.is_ascii_digit());
            if shape { part.parse::<u16>().ok() } else { None }
        };
        let inserted = inserted.map_or(Some(0), |part| read(part, 2));
        match (read(number, 4), inserted.and_then(|part| u8::try_from(part).ok())) {
            (Some(number), Some(inserted)) => Ok(Self { number, inserted }),
            (None, _) | (_, None) => Err(InvalidReason::ArticleFormat.into()),
        }
    }

    /// It was inserted between two others (之一).
    #[must_use]
    pub const fn is_inserted(self) -> bool {
        self.inserted != 0
    }

    /// Its number, 1 to 9999.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }
}

impl fmt::Display for Article {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inserted {
            0 => write!(f, "{}", self.number),
            inserted => write!(f, "{}-{inserted}", self.number),
        }
    }
}

/// One article as the ground of a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LegalBasis {
    /// Full name of the law.
    pub law: Line,
    /// The article.
    pub article: Article,
    /// Item (项) in it, from 1, if one is meant.
    pub item: Option<u16>,
    /// First day this text was in force, if known.
    pub effective_from: Option<Date>,
    /// Last day this text was in force; `None` while it is.
    pub effective_to: Option<Date>,
}

/// A legal basis as it is typed or sent. Empty texts mean "not given".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LegalBasisDraft {
    /// See [`LegalBasis::law`].
    pub law: String,
    /// See [`Article::parse`].
    pub article: String,
    /// Item, from 1.
    pub item: Option<u16>,
    /// `YYYY-MM-DD` or empty.
    pub effective_from: String,
    /// `YYYY-MM-DD` or empty.
    pub effective_to: String,
}

impl LegalBasis {
    /// Reads a legal basis.
    ///
    /// # Errors
    /// The first field that is wrong, by name; `DATES_ORDER` if the text ends before it begins.
    pub fn parse(draft: &LegalBasisDraft) -> Result<Self, Invalid> {
        let day = |text: &str, field: &str| match text {
            "" => Ok(None),
            text => Date::parse(text).map(Some).map_err(|wrong| wrong.at(field)),
        };
        if draft.item == Some(0) {
            return Err(Invalid::from(InvalidReason::ArticleFormat).at("item"));
        }
        let basis = Self {
            law: Line::parse(&draft.law, NAME_BYTES_MAX).map_err(|wrong| wrong.at("law"))?,
            article: Article::parse(&draft.article).map_err(|wrong| wrong.at("article"))?,
            item: draft.item,
            effective_from: day(&draft.effective_from, "effective_from")?,
            effective_to: day(&draft.effective_to, "effective_to")?,
        };
        match (basis.effective_from, basis.effective_to) {
            (Some(from), Some(to)) if from > to => {
                Err(Invalid::from(InvalidReason::DatesOrder).at("effective_to"))
            }
            (None | Some(_), None | Some(_)) => Ok(basis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn articles_have_one_spelling() {
        for good in ["1107", "1", "338-1", "9999-99"] {
            assert_eq!(Article::parse(good).unwrap().to_string(), good);
        }
        for bad in ["", "0", "01", "10000", "338-", "338-0", "338-100", "-1", "第99条", "99(2)"] {
            assert_eq!(Article::parse(bad).unwrap_err().reason(), "ARTICLE_FORMAT", "{bad}");
        }
    }

    #[test]
    fn a_text_does_not_end_before_it_begins() {
        let mut draft = LegalBasisDraft {
            law: "中华人民共和国大气污染防治法".into(),
            article: "99".into(),
            item: Some(2),
            effective_from: "2016-01-01".into(),
            effective_to: "2026-08-14".into(),
        };
        assert!(LegalBasis::parse(&draft).is_ok());
        draft.effective_from = "2026-08-15".into();
        let wrong = LegalBasis::parse(&draft).unwrap_err();
        assert_eq!((wrong.field.as_deref(), wrong.reason()), (Some("effective_to"), "DATES_ORDER"));
        draft.item = Some(0);
        assert_eq!(LegalBasis::parse(&draft).unwrap_err().reason(), "ARTICLE_FORMAT");
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9-]{0,8}|.*") {
            if let Ok(article) = Article::parse(&text) {
                prop_assert_eq!(article.to_string(), text);
            }
        }
    }
}
