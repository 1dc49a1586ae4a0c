//! Fork proofs: that a city has signed two histories of one log, proved from its id and key alone.
//!
//! Two signed checkpoints of one size with different roots are one. Where the two histories have no
//! checkpoint of one size, the longer one tells against the shorter: hashes of its tree that lead
//! to its signed root also lead to the root over its first entries, and that is not the one signed
//! for that size. A proof of consistency that fails, or does not come, shows nothing: whoever made
//! it may have made it badly.
//!
//! In scope: what proves a fork, and the bytes of it. Out of scope: who looks for one
//! ([`crate::node`]).
//!
//! Invariants:
//! 1. Only signatures of the log's own key make a fork proof, and only over two roots that cannot
//!    both be true. (`only_two_signed_roots_of_one_size_prove_a_fork`,
//!    `a_longer_history_proves_that_it_has_another_beginning`)

use bytes::Bytes;

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::entry::Head;
use super::keys::VerifyingKey;
use super::merkle::{LeafSource, PATH_MAX, prefix_path, prefix_root};
use crate::ids::{Hash, LogId};

/// Two checkpoints of one log that cannot both be true, signed by the log's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForkProof {
    /// The smaller one; of one size, the one with the lower root, so that both orders of discovery
    /// give the same proof.
    pub lower: Bytes,
    /// The other one.
    pub higher: Bytes,
    /// Empty at one size. Else hashes of the tree of the larger one, from which its root follows,
    /// and the root that it has at the size of the smaller one.
    pub path: Vec<Hash>,
}

impl ForkProof {
    /// Puts two checkpoints of one size together if they contradict each other; `None` if they do
    /// not.
    #[must_use]
    pub fn of(one: &SignedCheckpoint, other: &SignedCheckpoint) -> Option<Self> {
        let (low, high) = if one.head() <= other.head() { (one, other) } else { (other, one) };
        let proof = Self { lower: low.note().clone(), higher: high.note().clone(), path: vec![] };
        contradict(low.head(), high.head()).then_some(proof)
    }

    /// Puts a checkpoint together with a smaller one that the history of the larger one does not
    /// begin with; `None` if it does, or `leaves`, those of the larger one, are not all at hand.
    #[must_use]
    pub fn of_sizes(
        smaller: &SignedCheckpoint,
        larger: &SignedCheckpoint,
        leaves: &(impl LeafSource + ?Sized),
    ) -> Option<Self> {
        let path = prefix_path(leaves, smaller.head().size, larger.head().size)?;
        is_other_beginning(smaller.head(), larger.head(), &path).then(|| Self {
            lower: smaller.note().clone(),
            higher: larger.note().clone(),
            path,
        })
    }

    /// The bytes kept in the journal and sent. At one size: the log, the length of the lower note
    /// as 4 bytes big-endian, the lower note, the higher note. Else: the log, 4 zero bytes, either
    /// note behind its length, the hashes.
    #[must_use]
    pub fn encode(&self, log: LogId) -> Bytes {
        let mut bytes = log.as_bytes().to_vec();
        let length = |note: &Bytes| u32::try_from(note.len()).unwrap_or(u32::MAX).to_be_bytes();
        if !self.path.is_empty() {
            bytes.extend_from_slice(&[0; 4]);
        }
        bytes.extend_from_slice(&length(&self.lower));
        bytes.extend_from_slice(&self.lower);
        if !self.path.is_empty() {
            bytes.extend_from_slice(&length(&self.higher));
        }
        bytes.extend_from_slice(&self.higher);
        self.path.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
        bytes.into()
    }

    /// Reads back [`Self::encode`]; whether it proves anything is for [`Self::check`] to say.
    #[must_use]
    pub fn decode(bytes: &Bytes) -> Option<(LogId, Self)> {
        let (log, rest) = bytes.split_at_checked(LogId::LEN)?;
        let log = LogId::from_slice(log).ok()?;
        let keep = Bytes::copy_from_slice;
        let Some(rest) = rest.strip_prefix(&[0; 4]) else {
            let (lower, higher) = take_note(rest)?;
            return Some((log, Self { lower: keep(lower), higher: keep(higher), path: vec![] }));
        };
        let (lower, rest) = take_note(rest)?;
        let (higher, rest) = take_note(rest)?;
        let (hashes, odd) = rest.as_chunks::<32>();
        if !odd.is_empty() || hashes.is_empty() || hashes.len() > PATH_MAX {
            return None;
        }
        let path = hashes.iter().map(|hash| Hash::new(*hash)).collect();
        Some((log, Self { lower: keep(lower), higher: keep(higher), path }))
    }

    /// The same proof with the log key's lines only.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn verified(&self, log: LogId, key: &VerifyingKey) -> Result<Self, CheckpointError> {
        self.check(log, key)?;
        let only = |note| SignedCheckpoint::verify(note, log, key).map(|s| s.note().clone());
        Ok(Self { lower: only(&self.lower)?, higher: only(&self.higher)?, path: self.path.clone() })
    }

    /// Proves anew, from nothing but the log's id and key, that its city signed two histories.
    /// Gives both heads, [`Self::lower`] first.
    ///
    /// # Errors
    /// Any error of [`SignedCheckpoint::verify`] for either note;
    /// [`CheckpointError::NoContradiction`] if both hold but prove nothing, or stand in the wrong
    /// order.
    pub fn check(&self, log: LogId, key: &VerifyingKey) -> Result<(Head, Head), CheckpointError> {
        let lower = SignedCheckpoint::verify(&self.lower, log, key)?.head();
        let higher = SignedCheckpoint::verify(&self.higher, log, key)?.head();
        let proves = match self.path.is_empty() {
            true => contradict(lower, higher) && lower.root < higher.root,
            false => is_other_beginning(lower, higher, &self.path),
        };
        if proves { Ok((lower, higher)) } else { Err(CheckpointError::NoContradiction) }
    }
}

fn take_note(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Same log, same size, another root.
pub(super) fn contradict(one: Head, other: Head) -> bool {
    one.log == other.log && one.size == other.size && one.root != other.root
}

/// Same log, and `path` shows that the larger tree has another root at the size of the smaller.
fn is_other_beginning(smaller: Head, larger: Head, path: &[Hash]) -> bool {
    let begins = prefix_root(smaller.size, (larger.size, larger.root), path);
    smaller.log == larger.log && begins.is_some_and(|root| root != smaller.root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::keys::SigningKey;
    use crate::log::merkle::{Frontier, leaf_hash, root_of};

    const LOG: LogId = LogId::new([0xab; 32]);
    const OTHER: LogId = LogId::new([0xcd; 32]);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32]).unwrap()
    }

    fn head(size: u64, root: u8) -> Head {
        Head { log: LOG, size, root: Hash::new([root; 32]) }
    }

    #[test]
    fn only_two_signed_roots_of_one_size_prove_a_fork() {
        let sign = |size, root, seed| SignedCheckpoint::sign(head(size, root), &key(seed));
        let public = key(1).verifying_key();
        let (one, other) = (sign(3, 1, 1), sign(3, 2, 1));
        let proof = ForkProof::of(&one, &other).unwrap();
        assert_eq!(ForkProof::of(&other, &one).as_ref(), Some(&proof));
        assert_eq!(proof.check(LOG, &public), Ok((head(3, 1), head(3, 2))));
        assert_eq!(ForkProof::of(&one, &one), None);
        assert_eq!(ForkProof::of(&one, &sign(4, 2, 1)), None, "another size proves nothing");
        let pair = |lower: &SignedCheckpoint, higher: &SignedCheckpoint| {
            let (lower, higher) = (lower.note().clone(), higher.note().clone());
            ForkProof { lower, higher, path: vec![] }.check(LOG, &public)
        };
        let none = Err(CheckpointError::NoContradiction);
        assert_eq!(pair(&one, &one), none);
        assert_eq!(pair(&one, &sign(4, 2, 1)), none);
        assert_eq!(pair(&other, &one), none, "the order is fixed");
        assert!(matches!(pair(&one, &sign(3, 2, 2)), Err(CheckpointError::Note(_))));
        assert!(proof.check(OTHER, &public).is_err());
    }

    /// Leaves that are the same up to `common`, and then of this history.
    fn leaves(size: u64, common: u64, history: u8) -> Vec<Hash> {
        let leaf = |i: u64| leaf_hash(&[if i < common { 0 } else { history }, i as u8]);
        (0..size).map(leaf).collect()
    }

    fn signed(leaves: &[Hash], size: u64, seed: u8) -> SignedCheckpoint {
        let mut frontier = Frontier::new();
        leaves[..size as usize].iter().for_each(|leaf| frontier.push(*leaf));
        SignedCheckpoint::sign(Head { log: LOG, size, root: frontier.root() }, &key(seed))
    }

    #[test]
    fn a_longer_history_proves_that_it_has_another_beginning() {
        let public = key(1).verifying_key();
        let mut proved = 0;
        for larger in 2..20 {
            for smaller in 1..larger {
                for common in 0..smaller {
                    let (one, two) = (leaves(larger, common, 1), leaves(smaller, common, 2));
                    let (small, large) = (signed(&two, smaller, 1), signed(&one, larger, 1));
                    let proof = ForkProof::of_sizes(&small, &large, &one).unwrap();
                    assert_eq!(proof.check(LOG, &public), Ok((small.head(), large.head())));
                    let kept = ForkProof::decode(&proof.encode(LOG));
                    assert_eq!(kept, Some((LOG, proof.clone())));
                    assert!(proof.path.len() <= PATH_MAX);
                    proved += 1;
                }
                // One history: there is nothing to prove, whatever one says of it.
                let one = leaves(larger, 0, 1);
                let (small, large) = (signed(&one, smaller, 1), signed(&one, larger, 1));
                assert_eq!(ForkProof::of_sizes(&small, &large, &one), None);
                let path = prefix_path(&one, smaller, larger).unwrap();
                assert_eq!(
                    prefix_root(smaller, (larger, large.head().root), &path),
                    root_of(&one, smaller)
                );
                let (lower, higher) = (small.note().clone(), large.note().clone());
                let honest = ForkProof { lower, higher, path };
                let none = Err(CheckpointError::NoContradiction);
                assert_eq!(honest.check(LOG, &public), none);
                for (at, bit) in (0..honest.path.len()).flat_map(|at| [(at, 1), (at, 128)]) {
                    let mut hash = *honest.path[at].as_bytes();
                    hash[7] ^= bit;
                    let mut bent = honest.clone();
                    bent.path[at] = Hash::new(hash);
                    assert_eq!(bent.check(LOG, &public), none, "{smaller} of {larger}: {at}");
                }
                let short = ForkProof { path: honest.path[1..].to_vec(), ..honest.clone() };
                assert!(short.check(LOG, &public).is_err());
            }
        }
        assert!(proved > 1_000);
    }

    #[test]
    fn both_checkpoints_of_a_proof_are_of_the_log_and_its_key() {
        let (one, two) = (leaves(9, 3, 1), leaves(5, 3, 2));
        let public = key(1).verifying_key();
        let check = |small, large| {
            ForkProof::of_sizes(&signed(&two, 5, small), &signed(&one, 9, large), &one)
                .unwrap()
                .check(LOG, &public)
        };
        assert!(check(1, 1).is_ok() && check(2, 1).is_err() && check(1, 2).is_err());
    }
}
