//! Manifests: what a log is, said once before its first entry; its SHA-256 is the log's id.
//!
//! The text names city, agreement, node, epoch, keys and algorithms. The city key, which is not
//! on the node, signs it. A node that takes over opens the next epoch, whose prologue pins how
//! far the log before it reached.
//!
//! In scope: text, id, signature. Out of scope: whether the charter lists this city and key
//! ([`crate::trust`]).
//!
//! Invariants:
//! 1. One log, one text: what parses renders to the same bytes. (`manifests_round_trip`)
//! 2. An unknown algorithm is told apart before anything that depends on it is read.
//!    (`an_unknown_algorithm_is_an_error_of_its_own`)

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::entry::Head;
use super::keys::{KeyError, SigningKey, VerifyingKey};
use super::merkle::{TREE_SIZE_MAX, digest, empty_root};
use super::note::{Note, NoteAlg, NoteError, NoteKey, SignatureLine};
use super::text::{TextError, TextReader, TextWriter, parse_canonical};
use crate::ids::{AgreementId, CityCode, Hash, LogId, NodeId};

/// The first line of a manifest.
const FIRST_LINE: &str = "liandong/manifest/v1";

/// Why a manifest is refused. The log it describes is not taken up; others are unaffected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not the canonical text of a manifest. Retrying cannot help.
    #[error("manifest is not in canonical form")]
    Text(#[from] TextError),
    /// A key of the manifest is not a key. Its node must make another one.
    #[error("{key} of the manifest is not valid")]
    Key {
        /// Which key.
        key: &'static str,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// Values that cannot stand together: see [`Manifest::check`]. Retrying cannot help.
    #[error("manifest contradicts itself: {what}")]
    Contradiction {
        /// What does not fit.
        what: &'static str,
    },
    /// The log uses an algorithm that this version does not know. Upgrade to read it.
    #[error("unknown {what} algorithm {name}")]
    UnknownAlgorithm {
        /// `signature` or `hash`.
        what: &'static str,
        /// What the manifest calls it; at most 32 characters of it.
        name: String,
    },
    /// Not a note, or not signed by the city's key. Counts against the peer.
    #[error("manifest is not a note signed by its city")]
    Note(#[source] NoteError),
    /// Signed, but for another city than the one asked about.
    #[error("manifest is of city {got}, expected {expected}")]
    WrongCity {
        /// The city asked about.
        expected: CityCode,
        /// The city it names.
        got: CityCode,
    },
}

/// How a log's checkpoints and cosignatures are signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SignatureAlgorithm {
    /// Ed25519 as in RFC 8032, strict.
    Ed25519,
}

/// How a log's entries and parts are hashed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "ed25519",
        })
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
        })
    }
}

impl FromStr for SignatureAlgorithm {
    type Err = ManifestError;
    fn from_str(name: &str) -> Result<Self, ManifestError> {
        match name {
            "ed25519" => Ok(Self::Ed25519),
            _ => Err(unknown("signature", name)),
        }
    }
}

impl FromStr for HashAlgorithm {
    type Err = ManifestError;
    fn from_str(name: &str) -> Result<Self, ManifestError> {
        match name {
            "sha256" => Ok(Self::Sha256),
            _ => Err(unknown("hash", name)),
        }
    }
}

fn unknown(what: &'static str, name: &str) -> ManifestError {
    ManifestError::UnknownAlgorithm { what, name: name.chars().take(32).collect() }
}

/// What a log is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The agreement under which it is written.
    pub agreement: AgreementId,
    /// The city that writes it.
    pub city: CityCode,
    /// The installation that writes it.
    pub node: NodeId,
    /// Which log of this city in this agreement, from 1.
    pub epoch: u64,
    /// SHA-256 of the charter's text under which it begins.
    pub charter: Hash,
    /// Signs the log's checkpoints.
    pub log_key: VerifyingKey,
    /// Cosigns other cities' checkpoints; never the log key.
    pub cosign_key: VerifyingKey,
    /// How checkpoints and cosignatures are signed.
    pub signature: SignatureAlgorithm,
    /// How entries and parts are hashed.
    pub hash: HashAlgorithm,
    /// The log of the epoch before, as far as its entries are carried on; never in epoch 1.
    pub prologue: Option<Head>,
}

impl Manifest {
    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> String {
        let prologue = self.prologue.map_or_else(
            || "none".to_owned(),
            |Head { log, size, root }| format!("{log} {size} {root}"),
        );
        TextWriter::new(FIRST_LINE)
            .line("agreement", self.agreement)
            .line("city", self.city)
            .line("node", self.node)
            .line("epoch", self.epoch)
            .line("charter", self.charter)
            .line("log_key", self.log_key)
            .line("cosign_key", self.cosign_key)
            .line("signature", self.signature)
            .line("hash", self.hash)
            .line("prologue", prologue)
            .finish()
    }

    /// Reads the canonical text.
    ///
    /// # Errors
    /// Any [`ManifestError`] but those of signatures.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest = parse_canonical(text, FIRST_LINE, read, Self::text)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Checks that the values can stand together: epochs count from 1, only the first has no log
    /// before it, two keys are two keys, and the prologue's head can exist.
    ///
    /// # Errors
    /// [`ManifestError::Contradiction`].
    pub fn check(&self) -> Result<(), ManifestError> {
        let no = |what| Err(ManifestError::Contradiction { what });
        if self.epoch == 0 {
            return no("epochs count from 1");
        }
        if self.log_key == self.cosign_key {
            return no("log key and cosigning key are the same");
        }
        match self.prologue {
            None => Ok(()),
            Some(_) if self.epoch == 1 => no("no log comes before epoch 1"),
            Some(head) if head.size > TREE_SIZE_MAX => no("prologue is too large"),
            Some(head) if head.size == 0 && head.root != empty_root() => {
                no("prologue is empty but its root is not")
            }
            Some(_) => Ok(()),
        }
    }

    /// The id of the log: SHA-256 of the text with its final line feed, without signatures.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        LogId::new(*digest(self.text().as_bytes()).as_bytes())
    }
}

/// Reads all lines. Algorithms are judged before keys, whose form depends on them.
fn read(lines: &mut TextReader<'_>) -> Result<Manifest, ManifestError> {
    let agreement = lines.parsed("agreement")?;
    let (city, node) = (lines.parsed("city")?, lines.parsed("node")?);
    let (epoch, charter) = (lines.parsed("epoch")?, lines.parsed("charter")?);
    let (log_key, cosign_key) = (lines.value("log_key")?, lines.value("cosign_key")?);
    let signature = lines.value("signature")?.parse()?;
    let hash = lines.value("hash")?.parse()?;
    let key = |key, text| {
        VerifyingKey::parse_hex(text).map_err(|source| ManifestError::Key { key, source })
    };
    Ok(Manifest {
        agreement,
        city,
        node,
        epoch,
        charter,
        log_key: key("log_key", log_key)?,
        cosign_key: key("cosign_key", cosign_key)?,
        signature,
        hash,
        prologue: read_prologue(lines.value("prologue")?)?,
    })
}

/// `none`, or log, size and root with one space between.
fn read_prologue(value: &str) -> Result<Option<Head>, TextError> {
    if value == "none" {
        return Ok(None);
    }
    let head = || {
        let (log, rest) = value.split_once(' ')?;
        let (size, root) = rest.split_once(' ')?;
        let (log, root) = (LogId::parse(log).ok()?, Hash::parse(root).ok()?);
        Some(Head { log, size: size.parse().ok()?, root })
    };
    head().map(Some).ok_or(TextError::Value { key: "prologue" })
}

/// The name of a city's key on manifests, charters and cards: `liandong/city/<code>`.
#[must_use]
pub fn city_key_name(city: CityCode) -> String {
    format!("liandong/city/{city}")
}

/// A manifest whose city signature was checked, with the note it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedManifest {
    manifest: Manifest,
    note: Bytes,
}

impl SignedManifest {
    /// Signs with the city's key.
    ///
    /// # Errors
    /// [`ManifestError::Contradiction`] if the manifest is not one that others would take.
    pub fn sign(manifest: Manifest, city_key: &SigningKey) -> Result<Self, ManifestError> {
        manifest.check()?;
        let text = manifest.text();
        let line = SignatureLine::signed(&city_key_name(manifest.city), city_key, &text);
        Ok(Self { manifest, note: format!("{text}\n{}\n", line.as_str()).into() })
    }

    /// Reads a note that must be a manifest of `city` signed by its key.
    ///
    /// # Errors
    /// [`ManifestError::UnknownAlgorithm`] comes before any check of the signature, so that a
    /// log of a later version is told apart from a forged one.
    pub fn verify(
        bytes: &Bytes,
        city: CityCode,
        key: &VerifyingKey,
    ) -> Result<Self, ManifestError> {
        let note = Note::parse(bytes).map_err(ManifestError::Note)?;
        let manifest = Manifest::parse(note.text())?;
        if manifest.city != city {
            return Err(ManifestError::WrongCity { expected: city, got: manifest.city });
        }
        let key = NoteKey::new(&city_key_name(city), NoteAlg::Ed25519, *key);
        let keys = [key.map_err(ManifestError::Note)?];
        let verified = note.verify(&keys).map_err(ManifestError::Note)?;
        Ok(Self { manifest, note: note.only(&verified) })
    }

    /// What a note claims to be a manifest of, before its signature is checked.
    ///
    /// # Errors
    /// [`ManifestError`] when it is no manifest.
    pub fn peek(bytes: &Bytes) -> Result<Manifest, ManifestError> {
        Manifest::parse(Note::parse(bytes).map_err(ManifestError::Note)?.text())
    }

    /// What it says.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The note's bytes, with the city's line only.
    #[must_use]
    pub const fn note(&self) -> &Bytes {
        &self.note
    }
}

#[cfg(test)]
mod tests;
