//! Names of files that people chose, for showing only: no file of ours is ever called so.
//!
//! A name travels to other cities and ends in somebody's download folder. So it is refused here
//! when it could lead out of a folder, mean a device, or look like another name.
//!
//! In scope: one name, without its folder. Out of scope: what the file holds; it is known by its
//! digest.
//!
//! Invariants:
//! 1. A [`FileName`] joined to a folder stays in that folder, on Linux and on Windows.
//!    (`names_that_climb_or_deceive_are_refused`)

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::invalid::{Invalid, InvalidReason};
use crate::limits::FILE_NAME_BYTES_MAX;

/// A name that is safe to show and to save under, in NFC.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileName(String);

/// Names that Windows opens as devices, with any ending.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

impl FileName {
    /// Reads a name; composed characters get their one form (NFC), nothing else is changed.
    ///
    /// # Errors
    /// `BAD_FILENAME`, with the limit where the name is too long.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::from(InvalidReason::BadFilename);
        let fits = |name: &str| match name.len() > FILE_NAME_BYTES_MAX {
            true => Err(Invalid::with_limit(InvalidReason::BadFilename, FILE_NAME_BYTES_MAX)),
            false => Ok(()),
        };
        // Before any copy: normalising makes a text at most three times as long.
        fits(text)?;
        let name: String = text.nfc().collect();
        fits(&name)?;
        let edges = name.starts_with(' ') || name.ends_with([' ', '.']);
        if name.is_empty() || edges || name.chars().any(is_bad) || is_device(&name) {
            return Err(bad());
        }
        // `.` and `..` end with a dot; `.bashrc` and the like are hidden from who looks for them.
        if name.starts_with('.') {
            return Err(bad());
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Separators and wildcards of either system, and what cannot be seen or turns the direction.
fn is_bad(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        // Spaces that are not a space, tags, private use: names that look alike and are not.
        || (c.is_whitespace() && c != ' ' && c != '\u{3000}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = |device: &str| {
        let rest = stem.strip_prefix(device).unwrap_or_default();
        rest.chars().count() == 1 && rest.chars().all(|c| "0123456789¹²³".contains(c))
    };
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn names_that_climb_or_deceive_are_refused() {
        let long = "长".repeat(100);
        let at_limit = "长".repeat(FILE_NAME_BYTES_MAX / 3);
        let rows: &[(&str, Option<&str>)] = &[
            ("现场检查笔录.pdf", Some("现场检查笔录.pdf")),
            ("IMG 0001.JPG", Some("IMG 0001.JPG")),
            ("e\u{301}.txt", Some("é.txt")),
            ("console.log", Some("console.log")),
            ("COM10.txt", Some("COM10.txt")),
            ("嵌套.tar.gz", Some("嵌套.tar.gz")),
            (&at_limit, Some(&at_limit)),
            (&long, None),
            ("", None),
            (".", None),
            ("..", None),
            ("...", None),
            (".bashrc", None),
            ("../../etc/x", None),
            ("..\\x", None),
            ("/etc/passwd", None),
            ("C:x", None),
            ("a/b", None),
            ("x.pdf ", None),
            (" x.pdf", None),
            ("x.pdf.", None),
            ("a\0b", None),
            ("a\nb", None),
            ("a\u{9b}31m", None),
            ("报告\u{202e}fdp.exe", None),
            ("a\u{2066}b", None),
            ("a\u{200b}b", None),
            ("a\u{200f}b", None),
            ("a\u{feff}b", None),
            ("a\u{a0}b", None),
            ("NUL", None),
            ("nul.txt", None),
            ("aux .tar", None),
            ("com1", None),
            ("LPT¹.txt", None),
            ("CONOUT$", None),
            ("a*?.txt", None),
            ("a|b", None),
        ];
        for (given, want) in rows {
            let got = FileName::parse(given);
            assert_eq!(got.as_ref().ok().map(FileName::as_str), *want, "{given:?}");
            match got {
                Ok(name) => {
                    let joined = Path::new("/down").join(name.as_str());
                    assert_eq!(joined.parent(), Some(Path::new("/down")), "{given:?}");
                }
                Err(wrong) => assert_eq!(wrong.reason(), "BAD_FILENAME", "{given:?}"),
            }
        }
    }
}
