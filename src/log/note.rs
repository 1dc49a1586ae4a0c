//! C2SP signed notes: a text and whole lines of signatures below it.
//!
//! A note is `text`, an empty line, and one or more lines `— <key name> <base64 of key id and
//! signature>`. The text ends in a line feed, which is part of what is signed. Lines are kept as
//! they came, so a note renders to the bytes it was read from.
//!
//! In scope: splitting, rendering, key ids, the two signature types in use.
//! Out of scope: what a text says ([`crate::log::checkpoint`], [`crate::log::manifest`]).
//!
//! Invariants:
//! 1. A note that parses renders to the same bytes. (`notes_round_trip`)
//! 2. Lines of unknown keys change nothing; a wrong line of a known key refuses the note.
//!    (`only_known_keys_are_judged`)
//! 3. What is kept of a verified note has lines of known keys only.
//!    (`a_note_does_not_grow_on_its_way`)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::keys::{SIGNATURE_LEN, SigningKey, VerifyingKey};
use super::merkle::digest;
use crate::limits::{NOTE_BYTES_MAX, NOTE_LINE_BYTES_MAX, NOTE_SIGNATURES_MAX};

/// Em dash and space: how every signature line begins.
const DASH: &str = "\u{2014} ";
/// Bytes of a cosignature: eight of time, then the signature.
const COSIGNATURE_LEN: usize = 8 + SIGNATURE_LEN;

/// Why a note is refused. Nothing was taken from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More bytes, lines or signatures than limits.rs allows. Retrying cannot help.
    #[error("{what} of the note is {got}, at most {limit} is allowed")]
    TooLarge {
        /// Which measure.
        what: &'static str,
        /// What was given.
        got: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Not a note: not UTF-8, control characters, no text or no signature block.
    #[error("text is not a signed note")]
    Malformed,
    /// A line below the text is not a signature line. The note was cut or changed on its way.
    #[error("line {at} of the signatures is malformed")]
    Line {
        /// Which line, from 0.
        at: usize,
    },
    /// A key name is empty or contains white space, control characters or a plus sign.
    #[error("key name is not allowed")]
    KeyName,
    /// A line by a key we know does not hold: forged or damaged. Counts against the sender.
    #[error("signature of {name} does not match")]
    BadSignature {
        /// The key's name.
        name: String,
    },
    /// None of the keys asked about has signed.
    #[error("note is not signed by a known key")]
    NotSigned,
}

/// What a key signs, by its C2SP number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoteAlg {
    /// 0x01: Ed25519 over the text.
    Ed25519,
    /// 0x04: cosignature/v1, Ed25519 over a time and the text.
    CosignatureV1,
}

impl NoteAlg {
    /// The number that goes into the key id.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }
}

/// A public key as notes name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NoteKey {
    name: String,
    alg: NoteAlg,
    key: VerifyingKey,
}

impl NoteKey {
    /// A key under a name.
    ///
    /// # Errors
    /// [`NoteError::KeyName`] if C2SP does not allow the name.
    pub fn new(name: &str, alg: NoteAlg, key: VerifyingKey) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), alg, key })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn alg(&self) -> NoteAlg {
        self.alg
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> VerifyingKey {
        self.key
    }

    /// The C2SP key id: first 4 bytes of SHA-256(name || LF || algorithm || key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.alg, &self.key)
    }

    /// Whether this key claims to have made `line`: same name and same key id.
    #[must_use]
    pub fn claims(&self, line: &SignatureLine) -> bool {
        line.name() == self.name && line.key_id() == self.id()
    }

    /// Checks `line` against `text`. Gives the time a cosignature names (seconds since
    /// 1970-01-01 UTC, any value: its author's clock), `None` for a plain signature.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`], also if the line names another key.
    pub fn verify_line(&self, line: &SignatureLine, text: &str) -> Result<Option<u64>, NoteError> {
        let bad = || NoteError::BadSignature { name: self.name.clone() };
        if !self.claims(line) {
            return Err(bad());
        }
        let signature = line.signature();
        match self.alg {
            NoteAlg::Ed25519 => {
                self.key.verify(text.as_bytes(), signature).map_err(|_| bad())?;
                Ok(None)
            }
            NoteAlg::CosignatureV1 => {
                let (time, signature) = signature.split_first_chunk::<8>().ok_or_else(bad)?;
                let time_s = u64::from_be_bytes(*time);
                let message = cosigned(time_s, text);
                self.key.verify(message.as_bytes(), signature).map_err(|_| bad())?;
                Ok(Some(time_s))
            }
        }
    }
}

/// One line of signature, kept as it came.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SignatureLine {
    /// The whole line without its line feed.
    line: String,
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

impl SignatureLine {
    /// Reads a line, without its line feed. Any algorithm is taken: who does not know the key
    /// does not know what its signatures look like.
    ///
    /// # Errors
    /// [`NoteError::TooLarge`], [`NoteError::Line`], [`NoteError::KeyName`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        if line.len() > NOTE_LINE_BYTES_MAX {
            let (got, limit) = (line.len(), NOTE_LINE_BYTES_MAX);
            return Err(NoteError::TooLarge { what: "signature line", got, limit });
        }
        let bad = NoteError::Line { at: 0 };
        let body = line.strip_prefix(DASH).ok_or(bad.clone())?;
        let (name, text) = body.split_once(' ').ok_or(bad.clone())?;
        check_name(name)?;
        // The decoder refuses missing padding and stray bits, so the line has one spelling.
        let bytes = STANDARD.decode(text).map_err(|_| bad.clone())?;
        let (key_id, signature) = bytes.split_first_chunk::<4>().ok_or(bad.clone())?;
        if signature.is_empty() {
            return Err(bad);
        }
        let (key_id, signature) = (*key_id, signature.to_vec());
        Ok(Self { line: line.to_owned(), name: name.to_owned(), key_id, signature })
    }

    /// Puts a line together; `name` must be known to be allowed.
    fn made(name: &str, key_id: [u8; 4], signature: Vec<u8>) -> Self {
        let text = STANDARD.encode([key_id.as_slice(), &signature].concat());
        Self { line: format!("{DASH}{name} {text}"), name: name.to_owned(), key_id, signature }
    }

    /// Signs `text` under a name known to be allowed.
    pub(super) fn signed(name: &str, key: &SigningKey, text: &str) -> Self {
        let id = key_id(name, NoteAlg::Ed25519, &key.verifying_key());
        Self::made(name, id, key.sign(text.as_bytes()).to_vec())
    }

    /// Cosigns `text` under a name known to be allowed.
    pub(super) fn cosigned(name: &str, key: &SigningKey, time_s: u64, text: &str) -> Self {
        let id = key_id(name, NoteAlg::CosignatureV1, &key.verifying_key());
        let mut signature = Vec::with_capacity(COSIGNATURE_LEN);
        signature.extend_from_slice(&time_s.to_be_bytes());
        signature.extend_from_slice(&key.sign(cosigned(time_s, text).as_bytes()));
        Self::made(name, id, signature)
    }

    /// The whole line as it came, without its line feed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.line
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id.
    #[must_use]
    pub const fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// What follows the key id, 1 byte or more; 64 bytes for Ed25519, 72 for a cosignature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// A key's word on a note, once checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified<'a> {
    /// The key, one of those asked about.
    pub key: &'a NoteKey,
    /// The first of its lines.
    pub line: &'a SignatureLine,
    /// The time of a cosignature, in seconds since 1970-01-01 UTC by its author's clock.
    pub time_s: Option<u64>,
}

/// A text and its signatures, well formed but not verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// Puts a note together.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if the text does not end in a line feed, contains another control
    /// character below U+0020 or there is no signature; [`NoteError::TooLarge`].
    pub fn new(text: String, signatures: Vec<SignatureLine>) -> Result<Self, NoteError> {
        check_text(&text)?;
        check_max("number of signatures", signatures.len(), NOTE_SIGNATURES_MAX)?;
        if signatures.is_empty() {
            return Err(NoteError::Malformed);
        }
        let lines: usize = signatures.iter().map(|line| line.line.len() + 1).sum();
        check_max("length", text.len() + 1 + lines, NOTE_BYTES_MAX)?;
        Ok(Self { text, signatures })
    }

    /// Reads a note from its bytes.
    ///
    /// # Errors
    /// Any [`NoteError`] but those of [`Self::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        check_max("length", bytes.len(), NOTE_BYTES_MAX)?;
        let all = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        // The last empty line ends the text: signature lines are never empty.
        let (text, below) = all.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let below = below.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut signatures = Vec::new();
        for (at, line) in below.split('\n').enumerate() {
            check_max("number of signatures", at + 1, NOTE_SIGNATURES_MAX)?;
            signatures.push(SignatureLine::parse(line).map_err(|error| match error {
                NoteError::Line { at: _ } => NoteError::Line { at },
                other @ (NoteError::TooLarge { .. }
                | NoteError::Malformed
                | NoteError::KeyName
                | NoteError::BadSignature { .. }
                | NoteError::NotSigned) => other,
            })?);
        }
        Self::new(format!("{text}\n"), signatures)
    }

    /// The note's bytes as text.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = format!("{}\n", self.text);
        for line in &self.signatures {
            out.push_str(&line.line);
            out.push('\n');
        }
        out
    }

    /// The text with its final line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, 1 to 16, in the order of the note.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Checks every line that names one of `keys`, and says which keys have signed, each at most
    /// once, in the order of the note. Lines of other keys are ignored.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] if a line of a known key does not hold, even if another line
    /// of that key does; [`NoteError::NotSigned`] if no line names a known key.
    pub fn verify<'a>(&'a self, keys: &'a [NoteKey]) -> Result<Vec<Verified<'a>>, NoteError> {
        let mut verified: Vec<Verified<'a>> = Vec::new();
        for line in &self.signatures {
            for key in keys.iter().filter(|key| key.claims(line)) {
                let time_s = key.verify_line(line, &self.text)?;
                if verified.iter().all(|seen| seen.key != key) {
                    verified.push(Verified { key, line, time_s });
                }
            }
        }
        if verified.is_empty() { Err(NoteError::NotSigned) } else { Ok(verified) }
    }

    /// The note's bytes with the lines of these keys and no others, each key's once: what is kept
    /// and passed on, so that nobody can make a note grow on its way.
    #[must_use]
    pub fn only(&self, verified: &[Verified<'_>]) -> Bytes {
        let mut out = format!("{}\n", self.text);
        for one in verified {
            out.push_str(&one.line.line);
            out.push('\n');
        }
        out.into()
    }
}

/// Signs a note's text (0x01) under `name`.
///
/// # Errors
/// [`NoteError::KeyName`], [`NoteError::Malformed`] if no note can have this text.
pub fn sign_line(name: &str, key: &SigningKey, text: &str) -> Result<SignatureLine, NoteError> {
    check_name(name)?;
    check_text(text)?;
    Ok(SignatureLine::signed(name, key, text))
}

/// Cosigns a note's text (0x04) under `name`; `time_s` is seconds since 1970-01-01 UTC.
///
/// # Errors
/// As [`sign_line`].
pub fn cosign_line(
    name: &str,
    key: &SigningKey,
    time_s: u64,
    text: &str,
) -> Result<SignatureLine, NoteError> {
    check_name(name)?;
    check_text(text)?;
    Ok(SignatureLine::cosigned(name, key, time_s, text))
}

/// What a cosignature/v1 signs.
fn cosigned(time_s: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

/// First 4 bytes of SHA-256(name || LF || algorithm || key).
fn key_id(name: &str, alg: NoteAlg, key: &VerifyingKey) -> [u8; 4] {
    let all = digest(&[name.as_bytes(), b"\n", &[alg.number()], key.as_bytes()].concat());
    let [a, b, c, d, ..] = *all.as_bytes();
    [a, b, c, d]
}

/// C2SP: not empty, no Unicode white space, no plus sign; and no control character, which no
/// part of a note may contain.
fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    if name.is_empty() || name.chars().any(bad) { Err(NoteError::KeyName) } else { Ok(()) }
}

/// C2SP: ends in a line feed, and no other character below U+0020.
fn check_text(text: &str) -> Result<(), NoteError> {
    check_max("length", text.len(), NOTE_BYTES_MAX)?;
    let clean = text.bytes().all(|b| b >= b' ' || b == b'\n');
    if clean && text.ends_with('\n') { Ok(()) } else { Err(NoteError::Malformed) }
}

fn check_max(what: &'static str, got: usize, limit: usize) -> Result<(), NoteError> {
    if got > limit { Err(NoteError::TooLarge { what, got, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
