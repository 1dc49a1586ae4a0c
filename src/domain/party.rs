//! Parties (当事人): a firm by name and credit code, a natural person by a masked name only.
//!
//! The full name of a natural person is never here; it travels in a part for the handling city
//! (PIPL arts. 6 and 28: no more than is needed).

use super::invalid::{Invalid, InvalidReason};
use super::text::Line;
use super::uscc::Uscc;
use crate::limits::NAME_BYTES_MAX;
use std::fmt;

/// Characters that stand for what is left out.
const MASKS: [char; 6] = ['某', '*', '＊', '×', '○', '〇'];
/// Tell apart several people of one surname: 张某甲, 张某乙.
const STEMS: [char; 10] = ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛', '壬', '癸'];

/// Who is suspected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// A legal person or other organisation, sole traders with a credit code included.
    LegalPerson {
        /// Its registered name.
        name: Line,
        /// Its credit code.
        uscc: Uscc,
    },
    /// A natural person.
    NaturalPerson {
        /// Such as 张某某 or 某村民.
        masked_name: MaskedName,
    },
}

impl Party {
    /// Reads a firm.
    ///
    /// # Errors
    /// Those of [`Line::parse`] at `name` and of [`Uscc::parse`] at `uscc`.
    pub fn parse_legal(name: &str, uscc: &str) -> Result<Self, Invalid> {
        Ok(Self::LegalPerson {
            name: Line::parse(name, NAME_BYTES_MAX).map_err(|wrong| wrong.at("name"))?,
            uscc: Uscc::parse(uscc).map_err(|wrong| wrong.at("uscc"))?,
        })
    }

    /// Reads a person's masked name.
    ///
    /// # Errors
    /// Those of [`MaskedName::parse`] at `masked_name`.
    pub fn parse_natural(masked_name: &str) -> Result<Self, Invalid> {
        let masked_name =
            MaskedName::parse(masked_name).map_err(|wrong| wrong.at("masked_name"))?;
        Ok(Self::NaturalPerson { masked_name })
    }
}

/// A name that does not say who it is.
///
/// Either 某 and what kind of person (某村民, at most 8 characters), or a surname of one or two
/// characters and nothing but masks (张某某, 欧阳*), where one of 甲 乙 丙 … may follow.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaskedName(String);

impl MaskedName {
    /// Reads a masked name.
    ///
    /// # Errors
    /// `NAME_NOT_MASKED`, or those of [`Line::parse`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let line = Line::parse(text, NAME_BYTES_MAX)?;
        let chars: Vec<char> = line.as_str().chars().collect();
        let han = |c: &char| ('\u{3400}'..='\u{9fff}').contains(c);
        let masked = |rest: &[char]| {
            let rest = match rest {
                [front @ .., last] if STEMS.contains(last) => front,
                all => all,
            };
            !rest.is_empty() && rest.iter().all(|c| MASKS.contains(c))
        };
        let fits = match chars.as_slice() {
            ['某', kind @ ..] if !kind.is_empty() && kind.len() <= 7 => kind.iter().all(han),
            [a, rest @ ..] if han(a) && masked(rest) => rest.len() <= 7,
            [a, b, rest @ ..] if han(a) && han(b) && masked(rest) => rest.len() <= 6,
            _ => false,
        };
        if fits {
            Ok(Self(line.as_str().to_owned()))
        } else {
            Err(InvalidReason::NameNotMasked.into())
        }
    }

    /// Masks a full name: its first character, then 某 for each further one, at most two.
    ///
    /// # Errors
    /// `NAME_NOT_MASKED` for a name that does not begin with two Chinese characters; write its
    /// masked form by hand.
    pub fn mask(full_name: &str) -> Result<Self, Invalid> {
        let mut chars = full_name.trim().chars();
        let surname = chars.next().map(String::from).unwrap_or_default();
        let rest: String = chars.take(2).map(|_| '某').collect();
        Self::parse(&format!("{surname}{rest}"))
            .map_err(|_| Invalid::from(InvalidReason::NameNotMasked))
    }

    /// The masked name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MaskedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MaskedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_name_never_passes_as_masked() {
        for good in ["某村民", "张某", "张某某", "欧阳某", "李**", "王某甲", "某个体经营者"]
        {
            assert_eq!(MaskedName::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "张三",
            "张三丰",
            "欧阳修文",
            "张某三",
            "某",
            "张某13800138000",
            "某村民372522",
            "Li**",
            "某村民张三丰王五赵六",
        ] {
            assert_eq!(MaskedName::parse(bad).unwrap_err().reason(), "NAME_NOT_MASKED", "{bad}");
        }
        assert_eq!(MaskedName::parse("").unwrap_err().reason(), "TEXT_EMPTY");
    }

    #[test]
    fn masking_keeps_the_surname_only() {
        for (full, masked) in [("张三", "张某"), ("张三丰", "张某某"), ("买买提·艾力", "买某某")]
        {
            assert_eq!(MaskedName::mask(full).unwrap().as_str(), masked);
        }
        assert!(MaskedName::mask("张").is_err());
        assert!(MaskedName::mask("").is_err());
    }

    #[test]
    fn the_field_of_a_firm_is_named() {
        let wrong = Party::parse_legal("示例纸业", "91371522YYYY90011B").unwrap_err();
        assert_eq!((wrong.field.as_deref(), wrong.reason()), (Some("uscc"), "USCC_CHECK"));
        assert!(Party::parse_legal("示例纸业", "91371522YYYY90011A").is_ok());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[张某*甲A1]{0,9}|.*") {
            let _ = MaskedName::parse(&text);
            if let Ok(masked) = MaskedName::mask(&text) {
                prop_assert!(masked.as_str().chars().count() <= 3);
            }
        }
    }
}
