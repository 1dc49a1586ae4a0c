//! Unified social credit codes (统一社会信用代码, GB 32100-2015).
//!
//! 18 characters: register department, kind, 6 digits of division, 9 of organisation code (with
//! its own check digit, GB 11714), check digit. Lower-case letters are taken and made capital.

use super::invalid::{Invalid, InvalidReason};
use std::fmt;

/// Digits and capital letters but I, O, S, V, Z; the place of a character is its value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Weights of the first 17 characters: powers of 3 modulo 31.
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Weights of the first 8 characters of the organisation code.
const ORG_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// Characters that the beginning of a code has at least: department, kind and division. Fewer say
/// nothing about whose code it is.
const START_MIN: usize = 8;

/// The beginning of a credit code, for finding those that go on from it, or a whole one.
#[derive(Clone, PartialEq, Eq)]
pub struct UsccStart(String);

impl UsccStart {
    /// Reads 8 to 18 characters; a whole code must be right.
    ///
    /// # Errors
    /// `USCC_START` for fewer than 8 characters; those of [`Uscc::parse`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.chars().count() {
            0..START_MIN => Err(InvalidReason::UsccStart.into()),
            START_MIN..18 => {
                let upper = text.to_ascii_uppercase();
                let wrong = || Invalid::from(InvalidReason::UsccAlphabet);
                has_alphabet(upper.as_bytes()).then_some(Self(upper)).ok_or_else(wrong)
            }
            _ => Uscc::parse(text).map(|whole| Self(whole.as_str().to_owned())),
        }
    }

    /// Whether a code begins so.
    #[must_use]
    pub fn begins(&self, code: &Uscc) -> bool {
        code.as_str().starts_with(&self.0)
    }
}

impl fmt::Debug for UsccStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a code or its beginning has digits and letters where they belong.
fn has_alphabet(code: &[u8]) -> bool {
    code.iter().skip(2).take(6).all(u8::is_ascii_digit) && code.iter().all(|c| ALPHABET.contains(c))
}

/// A credit code whose two check digits are right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc([u8; 18]);

impl Uscc {
    /// Reads 18 characters.
    ///
    /// # Errors
    /// `USCC_LENGTH`, `USCC_ALPHABET`, `USCC_ORG_CHECK` or `USCC_CHECK`, the first that fits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = |reason: InvalidReason| Err(Invalid::from(reason));
        if text.chars().count() != 18 {
            return wrong(InvalidReason::UsccLength);
        }
        let upper = text.to_ascii_uppercase();
        let Ok(code) = <[u8; 18]>::try_from(upper.as_bytes()) else {
            return wrong(InvalidReason::UsccAlphabet);
        };
        if !has_alphabet(&code) {
            return wrong(InvalidReason::UsccAlphabet);
        }
        let [.., _, org_check, check] = code;
        if org_check_digit(code.iter().skip(8)) != org_check {
            return wrong(InvalidReason::UsccOrgCheck);
        }
        if Some(check) != check_digit(&code) {
            wrong(InvalidReason::UsccCheck)
        } else {
            Ok(Self(code))
        }
    }

    /// The code as 18 capital letters and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// GB 11714: digits count as they are, A as 10 to Z as 35; 10 is written X and 11 as 0.
fn org_check_digit<'a>(org: impl Iterator<Item = &'a u8>) -> u8 {
    let value = |c: u8| if c.is_ascii_digit() { c - b'0' } else { c.wrapping_sub(b'A' - 10) };
    let sum: u32 = org.zip(ORG_WEIGHTS).map(|(c, weight)| u32::from(value(*c)) * weight).sum();
    match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => u8::try_from(digit).map_or(0, |digit| b'0' + digit),
    }
}

/// GB 32100: of the first 17 characters.
fn check_digit(code: &[u8; 18]) -> Option<u8> {
    let value = |c: &u8| ALPHABET.iter().position(|a| a == c).and_then(|v| u32::try_from(v).ok());
    let mut sum = 0;
    for (c, weight) in code.iter().zip(WEIGHTS) {
        sum += value(c)? * weight;
    }
    ALPHABET.get(usize::try_from((31 - sum % 31) % 31).ok()?).copied()
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reason(text: &str) -> &'static str {
        Uscc::parse(text).map_or_else(|wrong| wrong.reason(), |_| "")
    }

    #[test]
    fn published_vectors() {
        for good in ["91371522YYYY90011A", "91130425YYYY9002XX", "91410922YYYY900388"] {
            assert_eq!(Uscc::parse(good).unwrap().to_string(), good);
        }
        assert_eq!(reason("91371522YYYY90011B"), "USCC_CHECK");
        assert_eq!(reason("91371522YYYY9OO11A"), "USCC_ALPHABET");
        assert_eq!(reason("91371522YYYY90011"), "USCC_LENGTH");
        assert_eq!(reason("91371522YYYY90011AA"), "USCC_LENGTH");
        assert_eq!(reason("91371522YYYY90021A"), "USCC_ORG_CHECK");
        assert_eq!(reason("9137152AYYYY90011A"), "USCC_ALPHABET");
        assert_eq!(reason("９1371522YYYY90011A"), "USCC_ALPHABET");
        assert_eq!(Uscc::parse("91371522yyyy90011a").unwrap().as_str(), "91371522YYYY90011A");
    }

    #[test]
    fn the_beginning_of_a_code_finds_it() {
        let code = Uscc::parse("91371522YYYY90011A").unwrap();
        for length in START_MIN..=18 {
            let start = UsccStart::parse(&"91371522yyyy90011a"[..length]).unwrap();
            assert!(start.begins(&code), "{start:?}");
        }
        for other in ["91371523", "91371522YYYY9002", "91130425YYYY9002XX"] {
            assert!(!UsccStart::parse(other).unwrap().begins(&code));
        }
        let reason =
            |text: &str| UsccStart::parse(text).map_or_else(|wrong| wrong.reason(), |_| "");
        assert_eq!((reason(""), reason("9137152")), ("USCC_START", "USCC_START"));
        assert_eq!(reason("91371522YYYY90011B"), "USCC_CHECK", "a whole one must be right");
        assert_eq!(reason("91371522YYYY90011AA"), "USCC_LENGTH");
        for wrong in ["9137152A", "91371522I", "９1371522", "1522YYYY9001", "91371522 "] {
            assert_eq!(reason(wrong), "USCC_ALPHABET", "{wrong}");
        }
    }

    #[test]
    fn every_single_wrong_character_is_noticed() {
        let good = b"91371522YYYY90011A";
        for place in 0..good.len() {
            for c in ALPHABET {
                let mut code = *good;
                code[place] = *c;
                let same = code == *good;
                assert_eq!(Uscc::parse(std::str::from_utf8(&code).unwrap()).is_ok(), same);
            }
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9A-Za-z]{18}|.*") {
            if let Ok(code) = Uscc::parse(&text) {
                prop_assert_eq!(code.as_str(), text.to_ascii_uppercase());
            }
        }
    }
}
