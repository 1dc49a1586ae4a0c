//! Quantities: measured decimals kept as text, and money in fen. No float anywhere.

use super::invalid::{Invalid, InvalidReason};
use crate::limits::{DECIMAL_CHARS_MAX, FEN_MAX};
use std::fmt;

/// A decimal number as it was measured, such as `102.6` or `0.50`.
///
/// There is one spelling for a number at a given precision: no plus sign, no exponent, no leading
/// zeros, no minus zero. Zeros at the end stay, because they say how exact the number is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// Reads a number of at most [`DECIMAL_CHARS_MAX`] characters.
    ///
    /// # Errors
    /// `DECIMAL_LENGTH` or `DECIMAL_FORMAT`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > DECIMAL_CHARS_MAX {
            return Err(Invalid::with_limit(InvalidReason::DecimalLength, DECIMAL_CHARS_MAX));
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = match digits.split_once('.') {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (digits, None),
        };
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let one_spelling = number(whole)
            && decimals.is_none_or(number)
            && (whole == "0" || !whole.starts_with('0'))
            && (text == digits || digits.bytes().any(|b| (b'1'..=b'9').contains(&b)));
        if one_spelling {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidReason::DecimalFormat.into())
        }
    }

    /// The number as text, ASCII, at most [`DECIMAL_CHARS_MAX`] characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount of money in fen (0.01 yuan), 0 to [`FEN_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

impl Fen {
    /// Takes a number of fen.
    ///
    /// # Errors
    /// `MONEY_RANGE` below 0 or above [`FEN_MAX`].
    pub fn new(fen: i64) -> Result<Self, Invalid> {
        if (0..=FEN_MAX).contains(&fen) {
            Ok(Self(fen))
        } else {
            Err(InvalidReason::MoneyRange.into())
        }
    }

    /// Reads yuan with at most two decimals, such as `286000` or `286000.50`.
    ///
    /// # Errors
    /// `MONEY_FORMAT` or `MONEY_RANGE`.
    pub fn parse_yuan(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::from(InvalidReason::MoneyFormat);
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return Err(bad()),
            Some(parts) => parts,
            None => (text, ""),
        };
        let all_digits = whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 2 || !all_digits {
            return Err(bad());
        }
        let fen =
            format!("{whole}{decimals:0<2}").parse().map_err(|_| InvalidReason::MoneyRange)?;
        Self::new(fen)
    }

    /// The number of fen.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0
    }
}

/// Yuan with two decimals.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_spelling_for_each_number() {
        for good in ["0", "102.6", "0.50", "-3.2", "-0.01", "111.0", "123456789012345678901234"] {
            assert_eq!(Decimal::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "-", ".5", "5.", "+1", "01", "00", "-0", "-0.0", "1e3", "1,5", "１", " 1", "NaN"]
        {
            assert_eq!(Decimal::parse(bad).unwrap_err().reason(), "DECIMAL_FORMAT", "{bad}");
        }
        let long = Decimal::parse("1234567890123456789012345").unwrap_err();
        assert_eq!((long.reason(), long.limit), ("DECIMAL_LENGTH", Some(24)));
    }

    #[test]
    fn money_is_whole_fen() {
        assert_eq!(Fen::parse_yuan("286000").unwrap().as_i64(), 28_600_000);
        assert_eq!(Fen::parse_yuan("0.5").unwrap().to_string(), "0.50");
        assert_eq!(Fen::new(-1).unwrap_err().reason(), "MONEY_RANGE");
        assert_eq!(Fen::new(FEN_MAX + 1).unwrap_err().reason(), "MONEY_RANGE");
        assert_eq!(Fen::parse_yuan("99999999999999999999").unwrap_err().reason(), "MONEY_RANGE");
        for bad in ["", "-1", "1.", ".5", "1.234", "1e3", "￥1"] {
            assert_eq!(Fen::parse_yuan(bad).unwrap_err().reason(), "MONEY_FORMAT", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "-?[0-9.]{0,26}|.*", fen in 0..=FEN_MAX) {
            let _ = Decimal::parse(&text);
            let _ = Fen::parse_yuan(&text);
            let money = Fen::new(fen).unwrap();
            prop_assert_eq!(Fen::parse_yuan(&money.to_string()), Ok(money));
        }
    }
}
