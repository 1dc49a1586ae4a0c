//! Proofs against a witness: what a city has cosigned and cannot be true.
//!
//! A cosignature says "these bytes lie on my disk". Two of one witness, over two roots of one size
//! of one log, contradict each other whatever that log's city did. One over another root than the
//! log's own signed checkpoint is untrue as well, unless that city has signed two histories; while
//! no [`super::ForkProof`] is known, it is the witness that has to explain itself.
//!
//! In scope: what proves it, and the notes that show it. Out of scope: who looks for one
//! ([`crate::node`]).
//!
//! Invariants:
//! 1. Nobody is accused but by signatures of his own cosigning key, over roots that cannot both be
//!    true. (`only_two_roots_of_one_size_prove_anything_against_a_witness`)

use bytes::Bytes;

use super::checkpoint::{
    Checkpoint, CheckpointError, SignedCheckpoint, verify_cosignature, witness_name,
};
use super::entry::Head;
use super::fork::contradict;
use super::keys::VerifyingKey;
use super::note::{Note, SignatureLine};
use crate::ids::LogId;

/// Two notes over one size of one log that cannot both be true, the first cosigned by a witness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessProof {
    /// What the witness has cosigned: the three lines of a checkpoint and its line. Of two, the one
    /// with the lower root, so that both orders of discovery give the same proof.
    pub cosigned: Bytes,
    /// The other one it has cosigned, or the checkpoint signed by the log's own key.
    pub against: Bytes,
}

impl WitnessProof {
    /// Puts two cosignatures of one witness together; `None` if they do not contradict.
    #[must_use]
    pub fn of_two(one: (Head, &SignatureLine), other: (Head, &SignatureLine)) -> Option<Self> {
        let (low, high) = if one.0 <= other.0 { (one, other) } else { (other, one) };
        let proof = Self { cosigned: note(low), against: note(high) };
        contradict(low.0, high.0).then_some(proof)
    }

    /// Puts a cosignature and the log's own checkpoint together; `None` if they do not contradict.
    #[must_use]
    pub fn of_log(one: (Head, &SignatureLine), checkpoint: &SignedCheckpoint) -> Option<Self> {
        let proof = Self { cosigned: note(one), against: checkpoint.note().clone() };
        contradict(one.0, checkpoint.head()).then_some(proof)
    }

    /// What `witness` has cosigned of it: heads and lines, as the notes say and without a check.
    #[must_use]
    pub fn lines(&self, witness: LogId) -> Vec<(Head, SignatureLine)> {
        let name = witness_name(witness);
        let read = |bytes: &Bytes| {
            let note = Note::parse(bytes).ok()?;
            let head = Checkpoint::parse(note.text()).ok()?.head;
            let line = note.signatures().iter().find(|line| line.name() == name)?;
            Some((head, line.clone()))
        };
        [&self.cosigned, &self.against].into_iter().filter_map(read).collect()
    }

    /// The witness contradicts itself, and not only the log.
    #[must_use]
    pub fn is_by_itself(&self, witness: LogId) -> bool {
        self.lines(witness).len() == 2
    }

    /// Proves anew, from nothing but ids and keys of the log and of the witness. Gives both heads,
    /// [`Self::cosigned`] first.
    ///
    /// # Errors
    /// [`CheckpointError::BadCosignature`] when a cosignature does not hold, any error of
    /// [`SignedCheckpoint::verify`] for the log's checkpoint, [`CheckpointError::NoContradiction`]
    /// if both hold but prove nothing, or stand in the wrong order.
    pub fn check(
        &self,
        (log, log_key): (LogId, &VerifyingKey),
        (witness, cosign_key): (LogId, &VerifyingKey),
    ) -> Result<(Head, Head), CheckpointError> {
        let lines = self.lines(witness);
        for (head, line) in &lines {
            verify_cosignature(line, *head, witness, cosign_key)?;
        }
        let (one, other, ordered) = match lines.as_slice() {
            [(one, _), (other, _)] => (*one, *other, one.root < other.root),
            [(one, _)] => {
                (*one, SignedCheckpoint::verify(&self.against, log, log_key)?.head(), true)
            }
            _ => return Err(CheckpointError::BadCosignature { witness }),
        };
        let proves = one.log == log && contradict(one, other) && ordered;
        if proves { Ok((one, other)) } else { Err(CheckpointError::NoContradiction) }
    }
}

fn note((head, line): (Head, &SignatureLine)) -> Bytes {
    format!("{}\n{}\n", Checkpoint { head }.text(), line.as_str()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Hash;
    use crate::log::checkpoint::cosign;
    use crate::log::keys::SigningKey;

    const LOG: LogId = LogId::new([0xab; 32]);
    const WITNESS: LogId = LogId::new([0xcd; 32]);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32]).unwrap()
    }

    fn head(size: u64, root: u8) -> Head {
        Head { log: LOG, size, root: Hash::new([root; 32]) }
    }

    fn check(
        proof: &WitnessProof,
        log_seed: u8,
        seed: u8,
    ) -> Result<(Head, Head), CheckpointError> {
        let (log_key, cosign_key) = (key(log_seed).verifying_key(), key(seed).verifying_key());
        proof.check((LOG, &log_key), (WITNESS, &cosign_key))
    }

    #[test]
    fn only_two_roots_of_one_size_prove_anything_against_a_witness() {
        let line = |size, root| cosign(head(size, root), WITNESS, &key(3), 77);
        let (low, high) = (line(3, 1), line(3, 2));
        let proof = WitnessProof::of_two((head(3, 2), &high), (head(3, 1), &low)).unwrap();
        let turned = WitnessProof::of_two((head(3, 1), &low), (head(3, 2), &high));
        assert_eq!(turned.as_ref(), Some(&proof));
        assert_eq!(check(&proof, 1, 3), Ok((head(3, 1), head(3, 2))));
        assert!(proof.is_by_itself(WITNESS));
        let bad = Err(CheckpointError::BadCosignature { witness: WITNESS });
        assert_eq!(check(&proof, 1, 4), bad, "not its key");
        // The same twice, at another time as well; another size.
        let later = cosign(head(3, 1), WITNESS, &key(3), 78);
        assert_eq!(WitnessProof::of_two((head(3, 1), &low), (head(3, 1), &later)), None);
        assert_eq!(WitnessProof::of_two((head(3, 1), &low), (head(4, 2), &line(4, 2))), None);
        let none = Err(CheckpointError::NoContradiction);
        let pair = |cosigned: &Bytes, against: &Bytes| {
            check(&WitnessProof { cosigned: cosigned.clone(), against: against.clone() }, 1, 3)
        };
        assert_eq!(pair(&proof.cosigned, &proof.cosigned), none);
        assert_eq!(pair(&proof.against, &proof.cosigned), none, "the order is fixed");
        // A line under another head is no cosignature of it.
        assert_eq!(pair(&proof.cosigned, &note((head(3, 3), &high))), bad);
        assert_eq!(pair(&Bytes::new(), &Bytes::new()), bad);

        // Against the log's own word.
        let signed = |root, seed| SignedCheckpoint::sign(head(3, root), &key(seed));
        let own = WitnessProof::of_log((head(3, 1), &low), &signed(2, 1)).unwrap();
        assert_eq!(check(&own, 1, 3), Ok((head(3, 1), head(3, 2))));
        assert!(!own.is_by_itself(WITNESS));
        assert_eq!(WitnessProof::of_log((head(3, 1), &low), &signed(1, 1)), None);
        assert!(matches!(check(&own, 2, 3), Err(CheckpointError::Note(_))), "not the log's key");
        assert_eq!(pair(&own.cosigned, signed(1, 1).note()), none);
        let other = LogId::new([0xef; 32]);
        let of_other =
            own.check((other, &key(1).verifying_key()), (WITNESS, &key(3).verifying_key()));
        assert!(of_other.is_err());
    }
}
