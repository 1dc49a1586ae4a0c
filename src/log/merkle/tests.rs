//! Tests of trees without another implementation; `tests/it/log_oracles.rs` has those with.

use super::*;

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

#[test]
fn a_frontier_has_the_root_of_its_leaves() {
    let all = leaves(130);
    let mut frontier = Frontier::new();
    for (size, leaf) in (0..).zip(&all) {
        assert_eq!(frontier.size(), size);
        assert_eq!(Some(frontier.root()), root_of(&all, size), "size {size}");
        frontier.push(*leaf);
    }
}

#[test]
fn a_frontier_takes_back_only_its_own_parts() {
    let mut frontier = Frontier::new();
    leaves(11).into_iter().for_each(|leaf| frontier.push(leaf));
    let (size, edge) = frontier.parts();
    assert_eq!((size, edge.len()), (11, 3));
    assert_eq!(Frontier::from_parts(size, edge.to_vec()).as_ref(), Some(&frontier));
    assert_eq!(Frontier::from_parts(12, edge.to_vec()), None, "12 has two one bits");
    assert_eq!(Frontier::from_parts(0, edge.to_vec()), None);
    assert_eq!(Frontier::from_parts(u64::MAX, vec![edge[0]; 64]), None);
    assert!(Frontier::from_parts(TREE_SIZE_MAX, vec![edge[0]; 63]).is_some());
}

#[test]
fn proofs_are_refused_after_any_change() {
    let all = leaves(21);
    let root = root_of(&all, 21).unwrap();
    let proof = inclusion_proof(&all, 13, 21).unwrap();
    let leaf = all[13];
    assert!(verify_inclusion(leaf, 13, 21, &proof, root));
    assert!(!verify_inclusion(all[12], 13, 21, &proof, root));
    assert!(!verify_inclusion(leaf, 12, 21, &proof, root));
    assert!(!verify_inclusion(leaf, 13, 21, &proof[1..], root));
    assert!(!verify_inclusion(leaf, 13, 21, &[&proof[..], &[root]].concat(), root));
    let old = root_of(&all, 13).unwrap();
    let path = consistency_proof(&all, 13, 21).unwrap();
    assert!(verify_consistency(13, old, 21, root, &path));
    assert!(!verify_consistency(12, old, 21, root, &path));
    assert!(!verify_consistency(13, root, 21, root, &path));
    assert!(!verify_consistency(13, old, 21, old, &path));
    assert!(!verify_consistency(13, old, 21, root, &path[1..]));
    assert!(!verify_consistency(13, old, 21, root, &[]));
}

#[test]
fn numbers_at_the_edge_of_64_bits_do_no_harm() {
    let all = leaves(3);
    let hash = all[0];
    for number in [0, 1, 2, u64::MAX >> 1, u64::MAX - 1, u64::MAX] {
        for other in [0, 1, 3, u64::MAX >> 1, u64::MAX - 1, u64::MAX] {
            for count in [0, 1, 63, 64, 65] {
                let proof = vec![hash; count];
                let _ = verify_inclusion(hash, number, other, &proof, hash);
                let _ = verify_consistency(number, hash, other, hash, &proof);
            }
            if number > 3 || other > 3 {
                assert_eq!(inclusion_proof(&all, number, other), None);
            }
        }
        if number > 3 {
            assert_eq!(root_of(&all, number), None);
            assert_eq!(consistency_proof(&all, 3, number), None);
        }
    }
}

#[test]
fn an_empty_tree_starts_every_tree_but_has_one_root() {
    let all = leaves(4);
    let root = root_of(&all, 4).unwrap();
    assert!(verify_consistency(0, empty_root(), 4, root, &[]));
    assert!(!verify_consistency(0, root, 4, root, &[]));
    assert!(!verify_consistency(5, root, 4, root, &[]));
    assert!(!verify_inclusion(all[0], 0, 0, &[], empty_root()));
}

#[test]
fn subtrees_at_hand_are_used_instead_of_leaves() {
    struct Upper(Vec<Hash>);
    impl LeafSource for Upper {
        fn leaf(&self, index: u64) -> Option<Hash> {
            self.0.leaf(index).filter(|_| index >= 4)
        }
        fn subtree(&self, level: u32, index: u64) -> Option<Hash> {
            (level == 2 && index == 0).then(|| root_of(&self.0, 4)).flatten()
        }
    }
    let all = leaves(7);
    assert_eq!(root_of(&Upper(all.clone()), 7), root_of(&all, 7));
    assert_eq!(root_of(&Upper(all), 3), None, "leaves 0 to 3 are gone");
}

#[test]
fn a_proof_that_stops_half_way_is_refused() {
    let all = leaves(8);
    let root = root_of(&all, 8).unwrap();
    assert!(!verify_inclusion(root, 0, 8, &[], root), "the root is not a leaf");
    let half = root_of(&all, 4).unwrap();
    let other = inclusion_proof(&all, 0, 8).unwrap()[2];
    assert!(!verify_inclusion(half, 0, 8, &[other], root), "nor is an inner node");
    assert!(!verify_consistency(4, root, 8, root, &[]), "nor did the tree stand still");
    assert!(!verify_consistency(2, half, 8, half, &[]));
}
