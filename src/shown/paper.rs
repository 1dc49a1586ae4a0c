//! What the code on a paper says, and reading it again.
//!
//! In scope: the text. Out of scope: the picture of it ([`crate::console`]), comparing it with a
//! node's records ([`crate::cli`]).

use std::fmt::Write as _;

/// How a text begins.
const FIRST: &str = "liandong paper 1";

/// By what a paper can be looked up and compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaperText {
    /// The record's number.
    pub number: String,
    /// Its resource name.
    pub name: String,
    /// Position of the entry it rests on, `<log>:<index>`; empty where none is known.
    pub entry: String,
    /// Hash of that entry in its log, 64 hexadecimal digits; empty where it is not known.
    pub hash: String,
    /// Entries in the log when the paper was printed, and their root.
    pub log: Option<(u64, String)>,
    /// When that was, in Beijing.
    pub printed: String,
}

impl PaperText {
    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{FIRST}\n{}\n{}\n", self.number, self.name);
        // Writing to a string does not fail.
        if !self.entry.is_empty() {
            let _ = writeln!(text, "entry {}", self.entry);
        }
        if !self.hash.is_empty() {
            let _ = writeln!(text, "hash {}", self.hash);
        }
        if let Some((size, root)) = &self.log {
            let _ = writeln!(text, "log {size} {root}");
        }
        let _ = write!(text, "printed {}", self.printed);
        text
    }

    /// Reads a text; scanners may have made its lines one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix(FIRST)?;
        let mut words = rest.split_whitespace();
        let mut paper = Self {
            number: words.next()?.to_owned(),
            name: words.next()?.to_owned(),
            ..Self::default()
        };
        while let Some(label) = words.next() {
            match label {
                "entry" => words.next()?.clone_into(&mut paper.entry),
                "hash" => words.next()?.clone_into(&mut paper.hash),
                "log" => {
                    let size = words.next()?.parse().ok()?;
                    paper.log = Some((size, words.next()?.to_owned()));
                }
                "printed" => paper.printed = words.by_ref().collect::<Vec<_>>().join(" "),
                _ => return None,
            }
        }
        Some(paper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_whatever_became_of_its_lines() {
        let paper = PaperText {
            number: "LD-聊邯-2026-聊0001".to_owned(),
            name: "agreements/00aa/cases/11bb".to_owned(),
            entry: "ab:7".to_owned(),
            hash: "cd".repeat(32),
            log: Some((9, "ef".repeat(32))),
            printed: "2026-11-20 14:05".to_owned(),
        };
        let text = paper.text();
        assert_eq!(PaperText::parse(&text), Some(paper.clone()));
        assert_eq!(PaperText::parse(&text.replace('\n', "  \r\n")), Some(paper.clone()));
        assert_eq!(PaperText::parse(&text.replace('\n', " ")), Some(paper));
        let numbers = "liandong paper 1 a b log x y";
        for bad in ["", "liandong paper 1", "liandong paper 2\na\nb", numbers] {
            assert_eq!(PaperText::parse(bad), None, "{bad}");
        }
        let bare = PaperText { number: "a".into(), name: "b".into(), ..PaperText::default() };
        assert_eq!(PaperText::parse(&bare.text()), Some(bare));
    }
}
