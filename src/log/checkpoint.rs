//! Checkpoints: a city's signed word on size and root of its log, and other cities' cosignatures.
//!
//! A checkpoint's text is exactly three lines: origin `liandong/log/<64 hex>`, size, root in
//! base64. No extension lines: nothing else can be smuggled under the signature. The log key
//! signs under the origin as its name; witnesses cosign under `liandong/witness/<64 hex>`.
//!
//! In scope: text, signatures. Out of scope: whether a checkpoint's root is that of the entries
//! ([`crate::log::batch`]), proof that two checkpoints contradict ([`crate::log::fork`]).
//!
//! Invariants:
//! 1. A cosignature holds for one log, size, root and witness. (`a_cosignature_holds_for_one_head`)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::entry::Head;
use super::keys::{SigningKey, VerifyingKey};
use super::merkle::{TREE_SIZE_MAX, empty_root};
use super::note::{Note, NoteAlg, NoteError, NoteKey, SignatureLine};
use crate::ids::{Hash, LogId};

/// Why a checkpoint, a cosignature or a fork proof is refused. Nothing was taken from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is malformed or the log key's line on it does not hold. Counts against the peer.
    #[error("checkpoint is not a note signed by its log key")]
    Note(#[source] NoteError),
    /// Not the three lines of a checkpoint in their one form. Counts against the peer.
    #[error("text is not a checkpoint")]
    Malformed,
    /// A checkpoint of another log. Counts against the peer.
    #[error("checkpoint belongs to log {got}, expected {expected}")]
    WrongLog {
        /// The log asked about.
        expected: LogId,
        /// The log it names.
        got: LogId,
    },
    /// A cosignature that names another witness or does not hold. Ignore it and report it.
    #[error("cosignature of {witness} does not match")]
    BadCosignature {
        /// The witness asked about, by its own log.
        witness: LogId,
    },
    /// Both checkpoints are genuine, and one history may well contain both.
    #[error("the two checkpoints do not contradict each other")]
    NoContradiction,
}

/// The first line of a log's checkpoints, and the name of its key.
#[must_use]
pub fn origin(log: LogId) -> String {
    format!("liandong/log/{log}")
}

/// The name under which a city cosigns; `own` is the witness's own log.
#[must_use]
pub fn witness_name(own: LogId) -> String {
    format!("liandong/witness/{own}")
}

/// What a checkpoint says: not signed, not verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Log, size and root.
    pub head: Head,
}

impl Checkpoint {
    /// The three lines.
    #[must_use]
    pub fn text(&self) -> String {
        let Head { log, size, root } = self.head;
        format!("{}\n{size}\n{}\n", origin(log), STANDARD.encode(root.as_bytes()))
    }

    /// Reads the three lines.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] unless the text is what [`Self::text`] writes, the size is
    /// at most [`TREE_SIZE_MAX`] and an empty log has the empty root.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let read = || {
            let (first, rest) = text.split_once('\n')?;
            let (second, third) = rest.split_once('\n')?;
            let log = LogId::parse(first.strip_prefix("liandong/log/")?).ok()?;
            let size = second.parse().ok().filter(|size| *size <= TREE_SIZE_MAX)?;
            let root = Hash::from_slice(&STANDARD.decode(third.strip_suffix('\n')?).ok()?).ok()?;
            (size > 0 || root == empty_root()).then_some(Self { head: Head { log, size, root } })
        };
        let checkpoint = read().ok_or(CheckpointError::Malformed)?;
        if checkpoint.text() == text { Ok(checkpoint) } else { Err(CheckpointError::Malformed) }
    }
}

/// A checkpoint whose log key's signature was checked, with the note it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint {
    head: Head,
    note: Bytes,
}

impl SignedCheckpoint {
    /// Signs `head` with its log's key. `head.size` must be at most [`TREE_SIZE_MAX`].
    #[must_use]
    pub fn sign(head: Head, key: &SigningKey) -> Self {
        let text = Checkpoint { head }.text();
        let line = SignatureLine::signed(&origin(head.log), key, &text);
        Self { head, note: format!("{text}\n{}\n", line.as_str()).into() }
    }

    /// Reads a note that must be a checkpoint of `log` signed by `key`. Other lines on it, such as
    /// cosignatures, are not judged and not kept.
    ///
    /// # Errors
    /// Any [`CheckpointError`] but those of cosignatures and forks.
    pub fn verify(bytes: &Bytes, log: LogId, key: &VerifyingKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes).map_err(CheckpointError::Note)?;
        let Checkpoint { head } = Checkpoint::parse(note.text())?;
        if head.log != log {
            return Err(CheckpointError::WrongLog { expected: log, got: head.log });
        }
        let key = NoteKey::new(&origin(log), NoteAlg::Ed25519, *key);
        let keys = [key.map_err(CheckpointError::Note)?];
        let verified = note.verify(&keys).map_err(CheckpointError::Note)?;
        Ok(Self { head, note: note.only(&verified) })
    }

    /// Log, size and root.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The note's bytes, with the log key's line only.
    #[must_use]
    pub const fn note(&self) -> &Bytes {
        &self.note
    }
}

/// Cosigns `head` as the city whose own log is `witness`: "we hold this, durably, since then".
/// `time_s` is seconds since 1970-01-01 UTC.
#[must_use]
pub fn cosign(head: Head, witness: LogId, key: &SigningKey, time_s: u64) -> SignatureLine {
    SignatureLine::cosigned(&witness_name(witness), key, time_s, &Checkpoint { head }.text())
}

/// Checks that `line` is the cosignature of `witness` over `head`, and gives its time: seconds
/// since 1970-01-01 UTC by the witness's clock, any value, to be shown and never compared.
///
/// # Errors
/// [`CheckpointError::BadCosignature`], whatever is wrong with it.
pub fn verify_cosignature(
    line: &SignatureLine,
    head: Head,
    witness: LogId,
    key: &VerifyingKey,
) -> Result<u64, CheckpointError> {
    let bad = CheckpointError::BadCosignature { witness };
    NoteKey::new(&witness_name(witness), NoteAlg::CosignatureV1, *key)
        .and_then(|key| key.verify_line(line, &Checkpoint { head }.text()))
        .ok()
        .flatten()
        .ok_or(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId::new([0xab; 32]);
    const WITNESS: LogId = LogId::new([0xcd; 32]);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32]).unwrap()
    }

    fn head(size: u64, root: u8) -> Head {
        Head { log: LOG, size, root: Hash::new([root; 32]) }
    }

    #[test]
    fn a_checkpoint_is_exactly_three_lines() {
        let checkpoint = Checkpoint { head: head(12, 7) };
        let text = checkpoint.text();
        let hex = "ab".repeat(32);
        let root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        assert_eq!(text, format!("liandong/log/{hex}\n12\n{root}\n"));
        assert_eq!(Checkpoint::parse(&text), Ok(checkpoint));
        let refused = [
            text.replace("12", "012"),
            text.replace("12", "+12"),
            text.replace("12", "9223372036854775808"),
            text.replace("12", "0"),
            text.replace("liandong/log", "liandong/witness"),
            text.replace("ab", "AB"),
            text.replace("wc=", "wd="),
            text.replace("wc=", "wc"),
            text.trim_end().to_owned(),
            format!("{text}extension\n"),
            format!("{text}\n"),
            text.replace('\n', "\r\n"),
            String::new(),
        ];
        for bad in refused {
            assert_eq!(Checkpoint::parse(&bad), Err(CheckpointError::Malformed), "{bad:?}");
        }
        let empty = Checkpoint { head: Head { log: LOG, size: 0, root: empty_root() } };
        assert_eq!(Checkpoint::parse(&empty.text()), Ok(empty));
    }

    #[test]
    fn only_the_log_key_signs_a_checkpoint() {
        let signed = SignedCheckpoint::sign(head(3, 1), &key(1));
        let (public, note) = (key(1).verifying_key(), signed.note());
        assert_eq!(SignedCheckpoint::verify(note, LOG, &public), Ok(signed.clone()));
        let other = key(2).verifying_key();
        let unsigned = Err(CheckpointError::Note(NoteError::NotSigned));
        assert_eq!(SignedCheckpoint::verify(note, LOG, &other), unsigned);
        let wrong = Err(CheckpointError::WrongLog { expected: WITNESS, got: LOG });
        assert_eq!(SignedCheckpoint::verify(note, WITNESS, &public), wrong);
        let text = String::from_utf8(note.to_vec()).unwrap().replace("\n3\n", "\n4\n");
        let forged = SignedCheckpoint::verify(&text.into(), LOG, &public);
        assert!(matches!(forged, Err(CheckpointError::Note(NoteError::BadSignature { .. }))));
        // A cosignature on the note is not kept there: cosignatures travel by themselves.
        let line = cosign(signed.head(), WITNESS, &key(3), 1);
        let both = [note.as_ref(), line.as_str().as_bytes(), b"\n"].concat().into();
        assert_eq!(SignedCheckpoint::verify(&both, LOG, &public).unwrap().note(), note);
    }

    #[test]
    fn a_cosignature_holds_for_one_head() {
        let line = cosign(head(3, 1), WITNESS, &key(3), 1_700_000_000);
        let public = key(3).verifying_key();
        let line = SignatureLine::parse(line.as_str()).unwrap();
        assert_eq!(verify_cosignature(&line, head(3, 1), WITNESS, &public), Ok(1_700_000_000));
        let bad = Err(CheckpointError::BadCosignature { witness: WITNESS });
        assert_eq!(verify_cosignature(&line, head(4, 1), WITNESS, &public), bad);
        assert_eq!(verify_cosignature(&line, head(3, 2), WITNESS, &public), bad);
        let other_key = key(4).verifying_key();
        assert_eq!(verify_cosignature(&line, head(3, 1), WITNESS, &other_key), bad);
        assert!(verify_cosignature(&line, head(3, 1), LOG, &public).is_err());
        // The log key's own line on a checkpoint is no cosignature.
        let own =
            SignatureLine::signed(&origin(LOG), &key(3), &Checkpoint { head: head(3, 1) }.text());
        assert_eq!(verify_cosignature(&own, head(3, 1), WITNESS, &public), bad);
    }
}
