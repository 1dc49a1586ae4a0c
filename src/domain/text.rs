//! Free text, bounded and visible.
//!
//! Control characters break terminals and logs, and characters that turn the direction of
//! writing make a name look like another; both are refused rather than removed, so that what is
//! signed is what was typed. Space around the text is dropped, CR LF (browsers) becomes LF.

use super::invalid::{Invalid, InvalidReason};
use std::fmt;

/// Text of one or more lines, not empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

/// Text of exactly one line, not empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(String);

impl Text {
    /// Reads text of at most `bytes_max` bytes of UTF-8; newline and tab are allowed inside.
    ///
    /// # Errors
    /// `TEXT_EMPTY`, `TEXT_TOO_LONG`, `TEXT_CONTROL` or `TEXT_BIDI`.
    pub fn parse(text: &str, bytes_max: usize) -> Result<Self, Invalid> {
        // Before any copy: what is far too long is not worth one.
        if text.len() > bytes_max.saturating_mul(2) {
            return Err(Invalid::with_limit(InvalidReason::TextTooLong, bytes_max));
        }
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidReason::TextEmpty.into());
        }
        if text.len() > bytes_max {
            return Err(Invalid::with_limit(InvalidReason::TextTooLong, bytes_max));
        }
        match text.chars().find_map(fault) {
            Some(reason) => Err(reason.into()),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Line {
    /// Reads one line of at most `bytes_max` bytes of UTF-8.
    ///
    /// # Errors
    /// As [`Text::parse`], and `TEXT_LINE_BREAK` for a newline or tab inside.
    pub fn parse(text: &str, bytes_max: usize) -> Result<Self, Invalid> {
        let Text(text) = Text::parse(text, bytes_max)?;
        if text.contains(['\n', '\t']) {
            return Err(InvalidReason::TextLineBreak.into());
        }
        Ok(Self(text))
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a character, if anything.
fn fault(c: char) -> Option<InvalidReason> {
    match c {
        '\n' | '\t' => None,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some(InvalidReason::TextBidi)
        }
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}' => Some(InvalidReason::TextControl),
        c if c.is_control() => Some(InvalidReason::TextControl),
        _ => None,
    }
}

macro_rules! shown_as_text {
    ($($name:ident)+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    )+};
}
shown_as_text!(Text Line);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reason(text: &str) -> &'static str {
        Line::parse(text, 30).map_or_else(|wrong| wrong.reason(), |_| "")
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        assert_eq!(reason("莘县示例纸业"), "");
        assert_eq!(reason(" \n\t"), "TEXT_EMPTY");
        assert_eq!(reason("十个汉字三十个字节刚好"), "TEXT_TOO_LONG");
        assert_eq!(reason("十个汉字三十字节刚好"), "");
        assert_eq!(reason("a\0b"), "TEXT_CONTROL");
        assert_eq!(reason("a\u{85}b"), "TEXT_CONTROL");
        assert_eq!(reason("a\rb"), "TEXT_CONTROL");
        assert_eq!(reason("a\u{202e}fdp.exe"), "TEXT_BIDI");
        assert_eq!(reason("a\u{2067}b"), "TEXT_BIDI");
        assert_eq!(reason("a\nb"), "TEXT_LINE_BREAK");
        assert_eq!(Text::parse(" a\r\n\tb ", 30).unwrap().as_str(), "a\n\tb");
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_is_stable(text in "\\PC*|.*|(?s).{0,40}", max in 0_usize..64) {
            if let Ok(read) = Text::parse(&text, max) {
                prop_assert!(read.as_str().len() <= max);
                prop_assert_eq!(Text::parse(read.as_str(), max), Ok(read.clone()));
            }
            let _ = Line::parse(&text, max);
        }
    }
}
