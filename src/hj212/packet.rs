//! One packet: the fields of a data segment (HJ 212-2017 6.3), without its password.
//!
//! In scope: the header, the groups of the command parameters, the flag. Out of scope: bytes
//! around the segment ([`super::frame`]), what the numbers mean ([`super::judge`]).
//!
//! HJ 212-2025 is in force beside HJ 212-2017: the version in the flag is kept and never judged,
//! and fields that are not known here are kept as they are. (`unknown_fields_are_kept`)
//!
//! Invariant: a packet is made of [`Field`]s, none of which is a password.
//! (`no_password_comes_through`)

use super::field::Field;
use super::refused::{Refusal, Refused};
use crate::limits::{HJ212_MN_BYTES_MAX, HJ212_PARTS_MAX};

/// The `Flag` of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Version of the standard: 0 of 2005, 1 of 2017; others as they are.
    pub version: u8,
    /// The packet is one of several.
    pub split: bool,
    /// The sender wants an answer.
    pub ack: bool,
}

/// Which of several packets one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// How many there are (PNUM), 1 to [`HJ212_PARTS_MAX`].
    pub of: usize,
    /// Which one (PNO), from 1.
    pub number: usize,
}

/// A packet whose header is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Number of the request: 17 digits, a time to the millisecond.
    pub qn: String,
    /// Kind of system, such as 31 (air source) or 32 (water source).
    pub st: u8,
    /// Command, such as 2061 (hour data).
    pub cn: u16,
    /// The station: letters and digits.
    pub mn: String,
    /// Version, split, answer.
    pub flag: Flag,
    /// Which part of a split packet.
    pub part: Option<Part>,
    header: Pieces,
    groups: Vec<Pieces>,
}

/// Fields between separators; none where there was nothing between two of them.
type Pieces = Vec<Option<Field>>;

impl Packet {
    /// Reads a data segment; bytes around it are gone already.
    ///
    /// # Errors
    /// [`Refused`], which holds nothing of the segment.
    pub fn parse(segment: &[u8]) -> Result<Self, Refused> {
        if !segment.iter().all(|b| b.is_ascii_graphic() || *b == b' ') {
            return Err(Refusal::NotAscii.into());
        }
        let text = std::str::from_utf8(segment).map_err(|_| Refusal::NotAscii)?;
        let (header, body) = text.split_once("CP=&&").ok_or(Refusal::NoCp)?;
        let body = body.strip_suffix("&&").ok_or(Refusal::NoCp)?;
        let header = read_fields(header, ';')?;
        let groups: Vec<Pieces> =
            body.split(';').map(|group| read_fields(group, ',')).collect::<Result<_, _>>()?;
        // What held only a password is gone; an empty body is one empty group.
        let mut groups: Vec<Pieces> =
            groups.into_iter().filter(|group| !group.is_empty()).collect();
        if groups.is_empty() {
            groups.push(vec![None]);
        }
        let flag = read_flag(&header)?;
        Ok(Self {
            qn: read(&header, "QN", |text| {
                let fits = text.len() == 17 && text.bytes().all(|b| b.is_ascii_digit());
                fits.then(|| text.to_owned())
            })?,
            st: read(&header, "ST", |text| number(text, 2)?.try_into().ok())?,
            cn: read(&header, "CN", |text| number(text, 4)?.try_into().ok())?,
            mn: read(&header, "MN", station)?,
            part: read_part(&header, flag)?,
            flag,
            header,
            groups,
        })
    }

    /// Fields of the command parameters.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.groups.iter().flatten().flatten()
    }

    /// Whether two packets have the same command parameters.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.groups == other.groups
    }

    /// The segment byte for byte as it came, but for passwords, which are left out with their
    /// names.
    #[must_use]
    pub fn line(&self) -> String {
        let join = |pieces: &Pieces, by: &str| {
            let text = |piece: &Option<Field>| piece.as_ref().map_or_else(String::new, Field::text);
            pieces.iter().map(text).collect::<Vec<_>>().join(by)
        };
        let groups: Vec<String> = self.groups.iter().map(|group| join(group, ",")).collect();
        format!("{}CP=&&{}&&", join(&self.header, ";"), groups.join(";"))
    }
}

fn read_fields(text: &str, by: char) -> Result<Pieces, Refused> {
    let mut pieces = Pieces::new();
    for piece in text.split(by) {
        if piece.is_empty() {
            pieces.push(None);
            continue;
        }
        let Some(field) = Field::parse(piece)? else { continue };
        if pieces.iter().flatten().any(|other| other.name() == field.name()) {
            return Err(Refusal::FieldTwice.into());
        }
        pieces.push(Some(field));
    }
    Ok(pieces)
}

fn find<'a>(header: &'a Pieces, name: &str) -> Option<&'a str> {
    header.iter().flatten().find(|field| field.name() == name).map(Field::value)
}

/// A required field of the header.
fn read<T>(
    header: &Pieces,
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Refused> {
    let text = find(header, name).ok_or(Refused::at(Refusal::FieldMissing, name))?;
    parse(text).ok_or(Refused::at(Refusal::FieldValue, name))
}

/// A number of exactly or, for `0`, at most four digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let fits = if digits == 0 { (1..=4).contains(&text.len()) } else { text.len() == digits };
    let all = text.bytes().all(|b| b.is_ascii_digit());
    if fits && all { text.parse().ok() } else { None }
}

fn station(text: &str) -> Option<String> {
    let fits = (1..=HJ212_MN_BYTES_MAX).contains(&text.len());
    (fits && text.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| text.to_owned())
}

/// Without a flag, as devices of 2005 may send it, nothing is split and nothing wants an answer.
fn read_flag(header: &Pieces) -> Result<Flag, Refused> {
    let bits = match find(header, "Flag") {
        None => 0,
        Some(text) => number(text, 0)
            .and_then(|bits| u8::try_from(bits).ok())
            .ok_or(Refused::at(Refusal::FieldValue, "Flag"))?,
    };
    Ok(Flag { version: bits >> 2, split: bits & 2 != 0, ack: bits & 1 != 0 })
}

fn read_part(header: &Pieces, flag: Flag) -> Result<Option<Part>, Refused> {
    let given = |name: &'static str| match find(header, name) {
        None => Ok(None),
        Some(text) => match number(text, 0).and_then(|n| usize::try_from(n).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(Refused::at(Refusal::FieldValue, name)),
        },
    };
    match (flag.split, given("PNUM")?, given("PNO")?) {
        (false, None | Some(0 | 1), _) => Ok(None),
        (true, Some(of), _) if of > HJ212_PARTS_MAX => {
            Err(Refused::over(Refusal::SplitTooMany, HJ212_PARTS_MAX))
        }
        (true, Some(of), Some(number)) if (1..=of).contains(&number) => {
            Ok(Some(Part { of, number }))
        }
        (false, Some(_), _) | (true, _, _) => Err(Refusal::Split.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "QN=20261102100000123;ST=32;CN=2061;PW=123456;MN=LD371522A1;";

    fn parse(text: &str) -> Result<Packet, Refused> {
        Packet::parse(text.as_bytes())
    }

    #[test]
    fn no_password_comes_through() {
        let text = format!("{HEAD}Flag=5;CP=&&DataTime=20261102090000;PW=654321,NewPW=777888&&");
        let packet = parse(&text).unwrap();
        let all = format!("{packet:?} {}", packet.line());
        for secret in ["123456", "654321", "777888", "PW"] {
            assert!(!all.contains(secret), "{all}");
        }
        assert_eq!(
            packet.line(),
            "QN=20261102100000123;ST=32;CN=2061;MN=LD371522A1;Flag=5;CP=&&DataTime=20261102090000&&"
        );
        assert_eq!(parse(&packet.line()), Ok(packet));
    }

    #[test]
    fn evidence_is_what_was_sent_byte_for_byte_but_for_the_password() {
        for (body, want) in [
            ("", ""),
            (";", ";"),
            ("a=1;;b=2,,c= ;", "a=1;;b=2,,c= ;"),
            ("a=1;PW=9;b=2", "a=1;b=2"),
            ("PW=9", ""),
            ("PW=9,a=1", "a=1"),
            (",PW=9", ""),
            ("a=1,PW=9;", "a=1;"),
        ] {
            let line = parse(&format!(";{HEAD}Flag=5CP=&&{body}&&")).unwrap().line();
            let head = HEAD.replace("PW=123456;", "");
            assert_eq!(line, format!(";{head}Flag=5CP=&&{want}&&"), "{body}");
            assert_eq!(parse(&line).unwrap().line(), line, "{body}");
        }
    }

    #[test]
    fn unknown_fields_are_kept() {
        let text = format!("{HEAD}Flag=9;Sign=ab12;CP=&&DataTime=20261102090000;x-New=1,y=2&&");
        let packet = parse(&text).unwrap();
        assert_eq!(packet.flag, Flag { version: 2, split: false, ack: true });
        assert!(packet.line().contains("Sign=ab12;CP=&&") && packet.line().contains("x-New=1,y=2"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let end = "Flag=5;CP=&&&&";
        let rows = [
            (format!("{HEAD}{end}"), None),
            (format!("{HEAD}CP=&&&&"), None),
            (format!("{HEAD}Flag=5;CP=&&"), Some(Refusal::NoCp.into())),
            (format!("{HEAD}Flag=5"), Some(Refusal::NoCp.into())),
            (format!("{HEAD}Flag=256;CP=&&&&"), Some(Refused::at(Refusal::FieldValue, "Flag"))),
            (format!("{HEAD}Flag=7;CP=&&&&"), Some(Refusal::Split.into())),
            (format!("{HEAD}Flag=7;PNUM=2;PNO=3;CP=&&&&"), Some(Refusal::Split.into())),
            (format!("{HEAD}Flag=5;PNUM=2;PNO=1;CP=&&&&"), Some(Refusal::Split.into())),
            (
                format!("{HEAD}Flag=7;PNUM=99;PNO=1;CP=&&&&"),
                Some(Refused::over(Refusal::SplitTooMany, HJ212_PARTS_MAX)),
            ),
            (format!("{HEAD}ST=31;{end}"), Some(Refusal::FieldTwice.into())),
            (format!("{HEAD}工;{end}"), Some(Refusal::NotAscii.into())),
            (format!("ST=32;CN=2061;MN=A;{end}"), Some(Refused::at(Refusal::FieldMissing, "QN"))),
            (
                format!("QN=1;ST=32;CN=2061;MN=A;{end}"),
                Some(Refused::at(Refusal::FieldValue, "QN")),
            ),
            (
                format!("QN=20261102100000123;ST=32;CN=2061;MN=A/../B;{end}"),
                Some(Refused::at(Refusal::FieldValue, "MN")),
            ),
        ];
        for (text, want) in rows {
            let got = parse(&text).err();
            assert_eq!(got, want, "{text}");
            assert!(!format!("{got:?}").contains("123456"));
        }
        let part = parse(&format!("{HEAD}Flag=7;PNUM=2;PNO=1;CP=&&&&")).unwrap().part;
        assert_eq!(part, Some(Part { of: 2, number: 1 }));
    }
}
