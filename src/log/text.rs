//! Canonical text: a first line, then `key: value` lines in one fixed order.
//!
//! Manifest, charter and card are signed as such texts. There is exactly one text for each value:
//! whoever parses one renders it again and refuses it unless every byte is the same
//! ([`parse_canonical`]), so two programs never disagree about what was signed.
//!
//! In scope: lines, their order, decimals, free text. Out of scope: what a key means.
//!
//! Invariants:
//! 1. A text that is accepted renders to the same bytes. (`anything_not_canonical_is_refused`)
//! 2. Free text is one line and looks like what it is. (`free_text_is_one_honest_line`)

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::limits::NOTE_BYTES_MAX;

/// Why a text is not the canonical text of anything. Nothing was taken from it.
///
/// Retrying cannot help: ask its author for the text again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Longer than a note may be.
    #[error("text has {got} bytes, at most {NOTE_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length in bytes.
        got: usize,
    },
    /// Another kind of text, or a later version of this one.
    #[error("text does not begin with the line {expected}")]
    FirstLine {
        /// The line it should begin with.
        expected: &'static str,
    },
    /// A line is missing or out of order.
    #[error("expected a line with the key {key}")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// More lines than the list may have.
    #[error("more than {max} lines with the key {key}")]
    TooMany {
        /// The key.
        key: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// The value is not of the kind its key asks for, or out of its range.
    #[error("the value of {key} is not valid")]
    Value {
        /// The key.
        key: &'static str,
    },
    /// Something follows the last line.
    #[error("text goes on after its last line")]
    Trailing,
    /// All values are there but written in another way than the one canonical way.
    #[error("text is not in canonical form")]
    NotCanonical,
}

/// Writes a canonical text.
#[derive(Debug, Clone)]
pub struct TextWriter {
    out: String,
}

impl TextWriter {
    /// Begins a text with its first line, such as `liandong/manifest/v1`.
    #[must_use]
    pub fn new(first_line: &'static str) -> Self {
        Self { out: format!("{first_line}\n") }
    }

    /// Appends `key: value`. What `value` prints must not contain a line feed; types that hold
    /// free text see to that themselves ([`FreeText`]).
    #[must_use]
    pub fn line(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        // Writing to a String cannot fail.
        let _ = writeln!(self.out, "{key}: {value}");
        self
    }

    /// Appends one line for each value, all with the same key; none for an empty list.
    #[must_use]
    pub fn list<T: fmt::Display>(
        self,
        key: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        values.into_iter().fold(self, |writer, value| writer.line(key, value))
    }

    /// The whole text, ending in a line feed.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }
}

/// Reads a canonical text line by line, in the order in which it was written.
#[derive(Debug, Clone)]
pub struct TextReader<'a> {
    rest: &'a str,
}

impl<'a> TextReader<'a> {
    /// Begins reading, past the first line.
    ///
    /// # Errors
    /// [`TextError::TooLong`], [`TextError::FirstLine`].
    pub fn new(text: &'a str, first_line: &'static str) -> Result<Self, TextError> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(TextError::TooLong { got: text.len() });
        }
        match text.split_once('\n') {
            Some((first, rest)) if first == first_line => Ok(Self { rest }),
            Some(_) | None => Err(TextError::FirstLine { expected: first_line }),
        }
    }

    /// The value of the next line if its key is `key`; else nothing is read.
    pub fn optional(&mut self, key: &'static str) -> Option<&'a str> {
        let (line, rest) = self.rest.split_once('\n')?;
        let value = line.strip_prefix(key)?.strip_prefix(": ")?;
        self.rest = rest;
        Some(value)
    }

    /// The value of the next line, whose key must be `key`.
    ///
    /// # Errors
    /// [`TextError::Missing`] if the next line has another key or there is none.
    pub fn value(&mut self, key: &'static str) -> Result<&'a str, TextError> {
        self.optional(key).ok_or(TextError::Missing { key })
    }

    /// The value of the next line, read by `T`'s `FromStr`. Numbers written with a sign or a
    /// leading zero come through here and are refused by [`parse_canonical`].
    ///
    /// # Errors
    /// [`TextError::Missing`], [`TextError::Value`].
    pub fn parsed<T: FromStr>(&mut self, key: &'static str) -> Result<T, TextError> {
        self.value(key)?.parse().map_err(|_| TextError::Value { key })
    }

    /// The values of all next lines with this key, 0 to `max` of them.
    ///
    /// # Errors
    /// [`TextError::TooMany`].
    pub fn list(&mut self, key: &'static str, max: usize) -> Result<Vec<&'a str>, TextError> {
        let mut values = Vec::new();
        while let Some(value) = self.optional(key) {
            if values.len() == max {
                return Err(TextError::TooMany { key, max });
            }
            values.push(value);
        }
        Ok(values)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`TextError::Trailing`] if anything is left.
    pub const fn finish(self) -> Result<(), TextError> {
        if self.rest.is_empty() { Ok(()) } else { Err(TextError::Trailing) }
    }
}

/// Reads `text` with `read`, which takes all its lines, and renders the result again: the one
/// door from text to a value that was or will be signed.
///
/// # Errors
/// Those of `read`, and [`TextError`] for a wrong first line, lines left over, or a text that
/// `render` writes in another way.
pub fn parse_canonical<T, E: From<TextError>>(
    text: &str,
    first_line: &'static str,
    read: impl FnOnce(&mut TextReader<'_>) -> Result<T, E>,
    render: impl FnOnce(&T) -> String,
) -> Result<T, E> {
    let mut reader = TextReader::new(text, first_line)?;
    let value = read(&mut reader)?;
    reader.finish()?;
    if render(&value) == text { Ok(value) } else { Err(TextError::NotCanonical.into()) }
}

/// One line of free text, such as a title: 1 to [`FreeText::BYTES_MAX`] bytes.
///
/// No control characters, no line or paragraph separators, no characters that change the
/// direction of writing (a signed title must look like what was signed), and no white space at
/// either end. It need not be in any Unicode normal form; bytes are compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FreeText(String);

impl FreeText {
    /// Longest free text, in bytes: a title of some 300 Chinese characters.
    pub const BYTES_MAX: usize = 1024;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FreeText {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let honest = |c: char| {
            let separator = matches!(c, '\u{2028}' | '\u{2029}');
            let direction = matches!(
                c,
                '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                    | '\u{2066}'..='\u{2069}'
            );
            !(c.is_control() || separator || direction)
        };
        let sized = (1..=Self::BYTES_MAX).contains(&text.len());
        if sized && text.trim() == text && text.chars().all(honest) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::Value { key: "free text" })
        }
    }
}

impl fmt::Display for FreeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Sample {
        title: FreeText,
        count: u64,
        members: Vec<String>,
    }

    fn render(sample: &Sample) -> String {
        TextWriter::new("liandong/sample/v1")
            .line("title", &sample.title)
            .line("count", sample.count)
            .list("member", &sample.members)
            .finish()
    }

    fn parse(text: &str) -> Result<Sample, TextError> {
        parse_canonical(
            text,
            "liandong/sample/v1",
            |lines| {
                Ok(Sample {
                    title: lines.parsed("title")?,
                    count: lines.parsed("count")?,
                    members: lines.list("member", 2)?.into_iter().map(str::to_owned).collect(),
                })
            },
            render,
        )
    }

    const GOOD: &str = "liandong/sample/v1\ntitle: 聊邯 联动\ncount: 10\nmember: a\nmember: b\n";

    #[test]
    fn a_canonical_text_reads_back() {
        let sample = parse(GOOD).unwrap();
        assert_eq!(render(&sample), GOOD);
        assert_eq!((sample.title.as_str(), sample.count), ("聊邯 联动", 10));
        assert_eq!(sample.members, ["a", "b"]);
    }

    #[test]
    fn anything_not_canonical_is_refused() {
        let with = |from: &str, to: &str| parse(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert_eq!(with("10", "010"), TextError::NotCanonical);
        assert_eq!(with("10", "+10"), TextError::NotCanonical);
        assert_eq!(with("10", "-1"), TextError::Value { key: "count" });
        assert_eq!(with("10", "18446744073709551616"), TextError::Value { key: "count" });
        assert_eq!(with("count: ", "count:"), TextError::Missing { key: "count" });
        assert_eq!(with("count: 10\n", ""), TextError::Missing { key: "count" });
        assert_eq!(with("v1", "v2"), TextError::FirstLine { expected: "liandong/sample/v1" });
        assert_eq!(with("b\n", "b"), TextError::Trailing);
        assert_eq!(with("b\n", "b\n\n"), TextError::Trailing);
        assert_eq!(with("b\n", "b\nmember: c\n"), TextError::TooMany { key: "member", max: 2 });
        assert_eq!(with("\ncount", "\r\ncount"), TextError::Value { key: "title" });
        let long = TextError::TooLong { got: NOTE_BYTES_MAX + 1 };
        assert_eq!(parse(&"x".repeat(NOTE_BYTES_MAX + 1)), Err(long));
    }

    #[test]
    fn free_text_is_one_honest_line() {
        for good in ["a", "聊城—邯郸 边界", "a: b", "e\u{301}", &"x".repeat(FreeText::BYTES_MAX)]
        {
            assert_eq!(good.parse::<FreeText>().unwrap().to_string(), good);
        }
        let long = "x".repeat(FreeText::BYTES_MAX + 1);
        for bad in
            ["", " a", "a ", "a\u{3000}", "a\nb", "a\tb", "\0", "a\u{85}b", "a\u{2028}b", &long]
        {
            assert!(bad.parse::<FreeText>().is_err(), "{bad:?}");
        }
        for direction in ['\u{200f}', '\u{202e}', '\u{2066}'] {
            assert!(format!("a{direction}b").parse::<FreeText>().is_err());
        }
    }
}
