//! Charters: the text of a linkage agreement (联动协议), signed by every member.
//!
//! In scope: the canonical text, its hash, signatures. Out of scope: what a member may do under
//! it ([`crate::domain`], [`crate::node`]).

use std::str::FromStr;

use bytes::Bytes;

use crate::domain::Date;
use crate::ids::{AgreementId, CityCode, Hash};
use crate::limits::{AMENDMENTS_MAX, MEMBERS_MAX};
use crate::log::keys::{SigningKey, VerifyingKey};
use crate::log::manifest::city_key_name;
use crate::log::merkle::digest;
use crate::log::note::{Note, NoteAlg, NoteError, NoteKey, SignatureLine, sign_line};
use crate::log::text::{FreeText, TextError, TextReader, TextWriter, parse_canonical};
use crate::trust::amendment::{self, Amendment};

/// First line of the text.
pub const FIRST_LINE: &str = "liandong/charter/v1";

/// Why a charter is not one.
#[derive(Debug, thiserror::Error)]
pub enum CharterError {
    /// The text is not in its one form.
    #[error("charter is not readable")]
    Text(#[from] TextError),
    /// The note around it is not readable, or a signature is wrong.
    #[error("charter is not a note signed by its members")]
    Note(#[from] NoteError),
    /// Its values cannot stand together.
    #[error("charter contradicts itself: {0}")]
    Contradiction(&'static str),
    /// Members have not signed.
    #[error("charter lacks the signatures of {0:?}")]
    Unsigned(Vec<CityCode>),
}

/// A member city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Division code.
    pub city: CityCode,
    /// Short name of one or two characters, as it stands in running numbers.
    pub short_name: String,
    /// Name.
    pub name: String,
    /// Signs charters, cards and manifests; never on the node.
    pub city_key: VerifyingKey,
    /// SHA-256 of a recovery key kept in a safe, if there is one.
    pub recovery_key: Option<Hash>,
}

/// Deadlines of an agreement: parameters, not law; the defaults are a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Acknowledging a notice, workdays.
    pub notice_ack_workdays: u32,
    /// Acknowledging a transfer, workdays.
    pub transfer_ack_workdays: u32,
    /// Accepting or returning a transfer, workdays.
    pub transfer_answer_workdays: u32,
    /// Reporting progress, every so many days.
    pub progress_days: u32,
    /// Reporting the outcome after closing, workdays.
    pub outcome_workdays: u32,
    /// Emergency notice, minutes.
    pub emergency_minutes: u32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            notice_ack_workdays: 1,
            transfer_ack_workdays: 2,
            transfer_answer_workdays: 5,
            progress_days: 30,
            outcome_workdays: 5,
            emergency_minutes: 60,
        }
    }
}

/// The text of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charter {
    /// The agreement, the same over all its charters.
    pub agreement: AgreementId,
    /// From 1.
    pub version: u32,
    /// Hash of the charter before; none in version 1.
    pub supersedes: Option<Hash>,
    /// Short name used in running numbers, such as 聊邯.
    pub short_name: String,
    /// Title.
    pub title: String,
    /// First day of the term.
    pub begin_on: Date,
    /// Last day of the term.
    pub end_on: Date,
    /// Width of the border belt in metres.
    pub belt_metres: u32,
    /// Deadlines.
    pub deadlines: Deadlines,
    /// Members, ascending by code, 2 to 16.
    pub members: Vec<Member>,
    /// Pairs of members that share a border, each and all ascending.
    pub border_pairs: Vec<(CityCode, CityCode)>,
    /// What becomes of logs, turns and parts; none in version 1.
    pub amendments: Vec<Amendment>,
}

impl Charter {
    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> String {
        let hash_or_none = |hash: &Option<Hash>| hash.map_or("none".to_owned(), |h| h.to_string());
        let d = &self.deadlines;
        let member = |m: &Member| {
            let recovery = hash_or_none(&m.recovery_key);
            format!("{} {} {recovery} {} {}", m.city, m.city_key, m.short_name, m.name)
        };
        TextWriter::new(FIRST_LINE)
            .line("agreement", self.agreement)
            .line("version", self.version)
            .line("supersedes", hash_or_none(&self.supersedes))
            .line("short_name", &self.short_name)
            .line("title", &self.title)
            .line("begin_on", self.begin_on)
            .line("end_on", self.end_on)
            .line("belt_metres", self.belt_metres)
            .line("notice_ack_workdays", d.notice_ack_workdays)
            .line("transfer_ack_workdays", d.transfer_ack_workdays)
            .line("transfer_answer_workdays", d.transfer_answer_workdays)
            .line("progress_days", d.progress_days)
            .line("outcome_workdays", d.outcome_workdays)
            .line("emergency_minutes", d.emergency_minutes)
            .list("member", self.members.iter().map(member))
            .list("border", self.border_pairs.iter().map(|(a, b)| format!("{a} {b}")))
            .list("amendment", &self.amendments)
            .finish()
    }

    /// Reads the canonical text.
    ///
    /// # Errors
    /// [`CharterError`] but those of signatures.
    pub fn parse(text: &str) -> Result<Self, CharterError> {
        let charter = parse_canonical(text, FIRST_LINE, read, Self::text)?;
        charter.check()?;
        Ok(charter)
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn hash(&self) -> Hash {
        digest(self.text().as_bytes())
    }

    /// Checks that the values can stand together.
    ///
    /// # Errors
    /// [`CharterError::Contradiction`].
    pub fn check(&self) -> Result<(), CharterError> {
        let no = |what| Err(CharterError::Contradiction(what));
        if !(2..=MEMBERS_MAX).contains(&self.members.len()) {
            return no("an agreement has 2 to 16 members");
        }
        if !self.members.is_sorted_by(|a, b| a.city < b.city) {
            return no("members stand in ascending order, each once");
        }
        let keys: Vec<_> = self.members.iter().map(|m| *m.city_key.as_bytes()).collect();
        let mut unique = keys.clone();
        unique.sort_unstable();
        unique.dedup();
        if unique.len() != keys.len() {
            return no("two members have the same key");
        }
        let mut shorts: Vec<_> = self.members.iter().map(|m| &m.short_name).collect();
        shorts.sort_unstable();
        shorts.dedup();
        if shorts.len() != self.members.len() {
            return no("two members have the same short name");
        }
        if self.begin_on > self.end_on {
            return no("it ends before it begins");
        }
        if (self.version == 1) != self.supersedes.is_none() || self.version == 0 {
            return no("versions count from 1, and only the first supersedes nothing");
        }
        let member = |city: &CityCode| self.members.iter().any(|m| m.city == *city);
        let pairs = &self.border_pairs;
        if !pairs.iter().all(|(a, b)| a < b && member(a) && member(b))
            || !pairs.is_sorted_by(|a, b| a < b)
        {
            return no("border pairs name members, in ascending order, each once");
        }
        if self.version == 1 && !self.amendments.is_empty() {
            return no("the first charter amends nothing");
        }
        let is_member = |city| member(&city);
        amendment::check(&self.amendments, is_member).map_err(CharterError::Contradiction)
    }

    /// The number people say: `LD-<agreement>-<year>-<city><number>`, at least four digits.
    /// `None` when the city is no member.
    #[must_use]
    pub fn running_number(&self, city: CityCode, year: i32, number: u32) -> Option<String> {
        let member = self.members.iter().find(|m| m.city == city)?;
        Some(format!("LD-{}-{year}-{}{number:04}", self.short_name, member.short_name))
    }

    /// Whether a text is such a number, of any member. What a member writes into a record may be
    /// anything.
    #[must_use]
    pub fn is_running_number(&self, text: &str) -> bool {
        let rest = text.strip_prefix("LD-").and_then(|rest| rest.strip_prefix(&*self.short_name));
        let parts = rest.and_then(|rest| rest.strip_prefix('-')).and_then(|r| r.split_once('-'));
        let Some((year, number)) = parts else { return false };
        let made = |member: &Member| {
            let number = number.strip_prefix(&*member.short_name)?.parse().ok()?;
            self.running_number(member.city, year.parse().ok()?, number)
        };
        // Four digits, as of a calendar year: a shorter one would be made the same way.
        year.len() == 4 && self.members.iter().any(|member| made(member).as_deref() == Some(text))
    }

    /// A member's signature line over the text. What others would refuse is not signed.
    ///
    /// # Errors
    /// [`CharterError`].
    pub fn sign(&self, city: CityCode, key: &SigningKey) -> Result<SignatureLine, CharterError> {
        if Self::parse(&self.text())? != *self {
            return Err(CharterError::Contradiction("its text does not say what it is"));
        }
        Ok(sign_line(&city_key_name(city), key, &self.text())?)
    }

    fn note_keys(&self) -> Result<Vec<NoteKey>, NoteError> {
        let key = |m: &Member| NoteKey::new(&city_key_name(m.city), NoteAlg::Ed25519, m.city_key);
        self.members.iter().map(key).collect()
    }
}

fn read(lines: &mut TextReader<'_>) -> Result<Charter, CharterError> {
    let free = |text: &str| FreeText::from_str(text).map(|t| t.as_str().to_owned());
    Ok(Charter {
        agreement: lines.parsed("agreement")?,
        version: lines.parsed("version")?,
        supersedes: read_hash("supersedes", lines.value("supersedes")?)?,
        short_name: read_short("short_name", lines.value("short_name")?, 8)?,
        title: free(lines.value("title")?)?,
        begin_on: read_date("begin_on", lines.value("begin_on")?)?,
        end_on: read_date("end_on", lines.value("end_on")?)?,
        belt_metres: lines.parsed("belt_metres")?,
        deadlines: Deadlines {
            notice_ack_workdays: lines.parsed("notice_ack_workdays")?,
            transfer_ack_workdays: lines.parsed("transfer_ack_workdays")?,
            transfer_answer_workdays: lines.parsed("transfer_answer_workdays")?,
            progress_days: lines.parsed("progress_days")?,
            outcome_workdays: lines.parsed("outcome_workdays")?,
            emergency_minutes: lines.parsed("emergency_minutes")?,
        },
        members: read_all(lines.list("member", MEMBERS_MAX)?, read_member)?,
        border_pairs: read_all(lines.list("border", MEMBERS_MAX * MEMBERS_MAX)?, read_pair)?,
        amendments: read_all(lines.list("amendment", AMENDMENTS_MAX)?, Amendment::from_str)?,
    })
}

fn read_all<T>(
    values: Vec<&str>,
    read: impl Fn(&str) -> Result<T, TextError>,
) -> Result<Vec<T>, TextError> {
    values.into_iter().map(read).collect()
}

fn read_hash(key: &'static str, value: &str) -> Result<Option<Hash>, TextError> {
    match value {
        "none" => Ok(None),
        value => Hash::parse(value).map(Some).map_err(|_| TextError::Value { key }),
    }
}

fn read_date(key: &'static str, value: &str) -> Result<Date, TextError> {
    Date::parse(value).map_err(|_| TextError::Value { key })
}

/// One to `chars_max` letters or digits of any script.
fn read_short(key: &'static str, value: &str, chars_max: usize) -> Result<String, TextError> {
    let sized = (1..=chars_max).contains(&value.chars().count());
    let plain = value.chars().all(char::is_alphanumeric);
    if sized && plain { Ok(value.to_owned()) } else { Err(TextError::Value { key }) }
}

fn read_member(value: &str) -> Result<Member, TextError> {
    let bad = || TextError::Value { key: "member" };
    let mut fields = value.splitn(5, ' ');
    let mut next = || fields.next().ok_or_else(bad);
    let city = CityCode::parse(next()?).map_err(|_| bad())?;
    let city_key = VerifyingKey::parse_hex(next()?).map_err(|_| bad())?;
    let recovery_key = read_hash("member", next()?)?;
    let short_name = read_short("member", next()?, 2)?;
    let name = FreeText::from_str(next()?)?.as_str().to_owned();
    Ok(Member { city, short_name, name, city_key, recovery_key })
}

fn read_pair(value: &str) -> Result<(CityCode, CityCode), TextError> {
    let bad = || TextError::Value { key: "border" };
    let (a, b) = value.split_once(' ').ok_or_else(bad)?;
    let city = |text| CityCode::parse(text).map_err(|_| bad());
    Ok((city(a)?, city(b)?))
}

/// A charter with whatever signatures it carries; none of them wrong.
#[derive(Clone, Debug)]
pub struct SignedCharter {
    charter: Charter,
    note: Bytes,
    signed: Vec<CityCode>,
}

impl SignedCharter {
    /// Reads a note that must be a charter; every signature of a member's key must be right.
    ///
    /// # Errors
    /// [`CharterError`].
    pub fn parse(bytes: &Bytes) -> Result<Self, CharterError> {
        let note = Note::parse(bytes)?;
        let charter = Charter::parse(note.text())?;
        let keys = charter.note_keys()?;
        let verified = match note.verify(&keys) {
            Ok(verified) => verified,
            Err(NoteError::NotSigned) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let names: Vec<&str> = verified.iter().map(|v| v.key.name()).collect();
        let signed = charter
            .members
            .iter()
            .map(|m| m.city)
            .filter(|city| names.contains(&city_key_name(*city).as_str()))
            .collect();
        // Without any signature it is a draft, which is kept by nobody.
        let note = if verified.is_empty() { bytes.clone() } else { note.only(&verified) };
        Ok(Self { charter, note, signed })
    }

    /// The charter.
    #[must_use]
    pub const fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The note's bytes, with lines of members only.
    #[must_use]
    pub const fn note(&self) -> &Bytes {
        &self.note
    }

    /// Members that have signed, ascending.
    #[must_use]
    pub fn signed(&self) -> &[CityCode] {
        &self.signed
    }

    /// Whether every member has signed.
    ///
    /// # Errors
    /// [`CharterError::Unsigned`] naming those who have not.
    pub fn check_complete(&self) -> Result<(), CharterError> {
        let members = self.charter.members.iter().map(|m| m.city);
        let missing: Vec<_> = members.filter(|city| !self.signed.contains(city)).collect();
        if missing.is_empty() { Ok(()) } else { Err(CharterError::Unsigned(missing)) }
    }
}

/// Puts a charter and signature lines together to a note.
///
/// # Errors
/// [`CharterError::Note`] when the lines make no note.
pub fn note(charter: &Charter, lines: Vec<SignatureLine>) -> Result<Bytes, CharterError> {
    Ok(Note::new(charter.text(), lines)?.render().into())
}

#[cfg(test)]
mod tests;
