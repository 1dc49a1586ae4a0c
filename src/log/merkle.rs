//! RFC 6962 Merkle trees over leaf hashes: frontier, root, inclusion and consistency proofs.
//!
//! A leaf is `SHA-256(0x00 || bytes)`, an inner node `SHA-256(0x01 || left || right)`, the empty
//! tree `SHA-256("")`. The sizes and indexes given to the verifying functions come from a peer:
//! no value of theirs may panic, overflow or make the work exceed 64 hashes a proof.
//!
//! In scope: the tree. Out of scope: who signed its root ([`crate::log::checkpoint`]), where leaf
//! hashes are kept ([`crate::store`]).
//!
//! Invariants:
//! 1. A frontier of size `n` has exactly one hash for each one bit of `n`.
//!    (`a_frontier_takes_back_only_its_own_parts`)
//! 2. Every proof made here is accepted here and by two other implementations, and no longer
//!    once a bit of it is changed. (`log_oracles`)

use aws_lc_rs::digest::{Context, SHA256};

use crate::ids::Hash;

/// Largest number of entries a tree may have: far beyond any log, and small enough that one more
/// always fits 64 bits.
pub const TREE_SIZE_MAX: u64 = u64::MAX >> 1;

/// SHA-256 of `bytes`, as part digests and log ids use it. Not a leaf.
#[must_use]
pub fn digest(bytes: &[u8]) -> Hash {
    Hash::of(&[bytes])
}

/// SHA-256 of what comes piece by piece, as of a file that is larger than memory.
pub struct Digester(Context);

impl Default for Digester {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Digester {
    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces; the same as [`digest`] of them in one.
    #[must_use]
    pub fn finish(self) -> Hash {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        Hash::new(hash)
    }
}

/// The leaf of `bytes`: SHA-256(0x00 || bytes).
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Hash::of(&[&[0], bytes])
}

/// The parent of two nodes: SHA-256(0x01 || left || right).
#[must_use]
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash::of(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// The right edge of a tree: enough to go on appending and to know the root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    /// Number of leaves, at most [`TREE_SIZE_MAX`].
    size: u64,
    /// Roots of the perfect subtrees, largest (leftmost) first; one for each one bit of `size`.
    edge: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, edge: Vec::new() }
    }

    /// Takes back what [`Self::parts`] gave: `None` if `edge` has not one hash for each one bit
    /// of `size`, or `size` is above [`TREE_SIZE_MAX`].
    #[must_use]
    pub fn from_parts(size: u64, edge: Vec<Hash>) -> Option<Self> {
        let fits = size <= TREE_SIZE_MAX && u32::try_from(edge.len()) == Ok(size.count_ones());
        fits.then_some(Self { size, edge })
    }

    /// The size and the edge, leftmost subtree first: what must be kept to go on later.
    #[must_use]
    pub fn parts(&self) -> (u64, &[Hash]) {
        (self.size, &self.edge)
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Every trailing one bit is a perfect subtree that this leaf completes into a larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                node = node_hash(left, node);
            }
        }
        self.edge.push(node);
        // Sizes start at or below 2^63 - 1, and nobody lives to push the other half.
        self.size = self.size.saturating_add(1);
    }

    /// The root over all leaves pushed so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.edge.iter().rev();
        let Some(last) = from_right.next() else { return empty_root() };
        from_right.fold(*last, |right, left| node_hash(*left, right))
    }
}

/// Where leaf hashes can be looked up.
pub trait LeafSource {
    /// The leaf hash of entry `index`, from 0; `None` if it is not here.
    fn leaf(&self, index: u64) -> Option<Hash>;

    /// The root of the perfect subtree of 2^`level` leaves that starts at leaf
    /// `index` * 2^`level`, if it is at hand. Whoever keeps some of these makes proofs and old
    /// roots cheap; the answer `None` (the default) is always right and costs only time.
    fn subtree(&self, _level: u32, _index: u64) -> Option<Hash> {
        None
    }
}

impl LeafSource for [Hash] {
    fn leaf(&self, index: u64) -> Option<Hash> {
        self.get(usize::try_from(index).ok()?).copied()
    }
}

impl LeafSource for Vec<Hash> {
    fn leaf(&self, index: u64) -> Option<Hash> {
        self.as_slice().leaf(index)
    }
}

/// The root over the first `size` leaves; `None` if one of them is missing.
#[must_use]
pub fn root_of(source: &(impl LeafSource + ?Sized), size: u64) -> Option<Hash> {
    if size == 0 { Some(empty_root()) } else { range_root(source, 0, size) }
}

/// The path from leaf `index` up to the root over the first `size` leaves, lowest sibling first;
/// `None` if `index` is not below `size`, `size` is above [`TREE_SIZE_MAX`] or a leaf is missing.
#[must_use]
pub fn inclusion_proof(
    source: &(impl LeafSource + ?Sized),
    index: u64,
    size: u64,
) -> Option<Vec<Hash>> {
    if index >= size || size > TREE_SIZE_MAX {
        return None;
    }
    let mut proof = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(range_root(source, middle, to)?);
            to = middle;
        } else {
            proof.push(range_root(source, from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` leads from `leaf` at `index` to `root` over `size` leaves (RFC 9162, 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    // `node` and `last`: this node's number and the last node's, on the level being climbed.
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            // A last node without a right sibling rises unchanged until it is a right child.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Proof that the first `old` leaves are still the start of the first `new` ones; empty if `old`
/// is 0 or equals `new`. `None` if `old` is above `new`, `new` is above [`TREE_SIZE_MAX`] or a
/// leaf is missing.
#[must_use]
pub fn consistency_proof(
    source: &(impl LeafSource + ?Sized),
    old: u64,
    new: u64,
) -> Option<Vec<Hash>> {
    if old > new || new > TREE_SIZE_MAX {
        return None;
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Some(proof);
    }
    let (mut from, mut to) = (0, new);
    // Whether the subtree in hand is the whole old tree, whose root the verifier has.
    let mut whole = true;
    while to > old {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(range_root(source, middle, to)?);
            to = middle;
        } else {
            proof.push(range_root(source, from, middle)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(range_root(source, from, to)?);
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that the tree (`old_size`, `old_root`) is the start of the tree
/// (`new_size`, `new_root`) (RFC 9162, 2.1.4.2). An empty tree is the start of every tree.
#[must_use]
pub fn verify_consistency(
    old_size: u64,
    old_root: Hash,
    new_size: u64,
    new_root: Hash,
    proof: &[Hash],
) -> bool {
    if old_size > new_size {
        return false;
    }
    if old_size == new_size {
        return proof.is_empty() && old_root == new_root;
    }
    if old_size == 0 {
        return proof.is_empty() && old_root == empty_root();
    }
    let (start, path) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        let Some((start, path)) = proof.split_first() else { return false };
        (*start, path)
    };
    climb(old_size, new_size, start, path) == Some((old_root, new_root))
}

/// Both roots to which a path leads, from the largest subtree that ends where the old tree ends;
/// `None` if it is too short or too long.
fn climb(old_size: u64, new_size: u64, start: Hash, path: &[Hash]) -> Option<(Hash, Hash)> {
    let (mut node, mut last) = (old_size.checked_sub(1)?, new_size.checked_sub(1)?);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(*sibling, old_hash);
            new_hash = node_hash(*sibling, new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(new_hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old_hash, new_hash))
}

/// Hashes of a proof made by [`prefix_path`]: one for each level, and the one it starts from.
pub const PATH_MAX: usize = 65;

/// Hashes of the tree over the first `new` leaves from which [`prefix_root`] gives the root over
/// the first `old` of them: a proof of consistency that takes nobody's word for the old root.
/// `None` if `old` is 0 or not below `new`, `new` is above [`TREE_SIZE_MAX`] or a leaf is missing.
#[must_use]
pub fn prefix_path(source: &(impl LeafSource + ?Sized), old: u64, new: u64) -> Option<Vec<Hash>> {
    if old == 0 || old >= new {
        return None;
    }
    let mut path = consistency_proof(source, old, new)?;
    if old.is_power_of_two() {
        // Left out there, because it is the old root.
        path.insert(0, range_root(source, 0, old)?);
    }
    Some(path)
}

/// The root over the first `old` leaves of the tree (`size`, `root`), if `path` leads to that root.
#[must_use]
pub fn prefix_root(old: u64, (size, root): (u64, Hash), path: &[Hash]) -> Option<Hash> {
    if old == 0 || old >= size {
        return None;
    }
    let (start, path) = path.split_first()?;
    let (old_hash, new_hash) = climb(old, size, *start, path)?;
    (new_hash == root).then_some(old_hash)
}

/// Where RFC 6962 splits `count` leaves (2 or more): the largest power of two below `count`.
const fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The root over leaves `from`..`to`, at least one, where the range is a node of an RFC 6962
/// tree.
fn range_root(source: &(impl LeafSource + ?Sized), from: u64, to: u64) -> Option<Hash> {
    let count = to.checked_sub(from)?;
    if count.is_power_of_two() && from.is_multiple_of(count) {
        let level = count.trailing_zeros();
        if let Some(known) = source.subtree(level, from >> level) {
            return Some(known);
        }
    }
    if count <= 1 {
        return if count == 1 { source.leaf(from) } else { None };
    }
    // At most 64 calls deep: no child is larger than the largest power of two below its parent.
    let middle = from + split(count);
    Some(node_hash(range_root(source, from, middle)?, range_root(source, middle, to)?))
}

#[cfg(test)]
mod tests;
