//! Officers, as other cities see them: certificate number and unit, never a name.

use super::invalid::{Invalid, InvalidReason};
use super::text::Line;
use std::fmt;

/// Number of an enforcement certificate (执法证号), unique in the city that issued it:
/// 8 to 20 digits or capital letters. Lower-case letters are taken and made capital.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertNo(String);

impl CertNo {
    /// Reads a certificate number.
    ///
    /// # Errors
    /// `CERT_NO` for another length or another character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let shape =
            (8..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if shape { Ok(Self(text.to_ascii_uppercase())) } else { Err(InvalidReason::CertNo.into()) }
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CertNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CertNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An officer on a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Officer {
    /// The certificate.
    pub cert_no: CertNo,
    /// The unit (执法队伍) that the officer belongs to.
    pub unit: Line,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn eight_to_twenty_digits_or_capitals() {
        assert_eq!(CertNo::parse("13040099011").unwrap().as_str(), "13040099011");
        assert_eq!(CertNo::parse("sd0099011").unwrap().as_str(), "SD0099011");
        for bad in [
            "",
            "1304009",
            "130400990111304009901",
            "1304-099011",
            "执法证号一二三四",
            "1304 099011",
        ] {
            assert_eq!(CertNo::parse(bad).unwrap_err().reason(), "CERT_NO", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = CertNo::parse(&text);
        }
    }
}
