//! Our trees, notes and signatures against implementations by others.
//!
//! `ct-merkle` and `tlog_tiles` know RFC 6962, `signed_note` and `tlog_tiles` the C2SP formats,
//! `ed25519-dalek` the signatures. What we make they must accept byte for byte, what they make we
//! must accept, and what they refuse we must refuse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ed25519_dalek::{Signer as _, Verifier as _};
use liandong::ids::{Hash, LogId, hex, unhex};
use liandong::log::merkle::{
    consistency_proof, empty_root, inclusion_proof, node_hash, root_of, verify_consistency,
    verify_inclusion,
};
use liandong::log::note::{cosign_line, sign_line};
use liandong::log::{
    Checkpoint, Frontier, Head, LeafSource, Note, NoteAlg, NoteKey, SignatureLine,
    SignedCheckpoint, SigningKey, VerifyingKey, cosign, leaf_hash, origin, verify_cosignature,
    witness_name,
};
use sha2::Sha256;
use tlog_tiles::tlog;

/// Every pair of sizes up to here is tried.
const SIZE_MAX: usize = 300;

fn leaf_bytes(index: usize) -> Vec<u8> {
    // Lengths 0 to 7, so that leaves are not all of one size.
    format!("{index:07}").into_bytes()[..index % 8].to_vec()
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&leaf_bytes(index))).collect()
}

fn theirs(hash: Hash) -> tlog::Hash {
    tlog::Hash(*hash.as_bytes())
}

fn all_theirs(hashes: &[Hash]) -> Vec<tlog::Hash> {
    hashes.iter().copied().map(theirs).collect()
}

fn concatenated(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The vectors that certificate-transparency implementations share.
#[test]
fn the_known_vectors_of_rfc_6962_hold() {
    let inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<Hash> = inputs.iter().map(|i| leaf_hash(&unhex(i).unwrap())).collect();
    let mut frontier = Frontier::new();
    assert_eq!(empty_root().to_string(), roots[0]);
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(&frontier.root().to_string(), root, "size {size}");
        assert_eq!(&root_of(&leaves, size as u64).unwrap().to_string(), root, "size {size}");
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf);
        }
    }
    let (left, right) = (leaves[0], leaves[1]);
    assert_eq!(tlog::node_hash(theirs(left), theirs(right)), theirs(node_hash(left, right)));
    assert_eq!(tlog::record_hash(b"\x10"), theirs(leaf_hash(b"\x10")));
}

#[test]
fn inclusion_proofs_agree_for_every_index_of_every_size() {
    let leaves = leaves(SIZE_MAX);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut frontier = Frontier::new();
    let mut compared = 0;
    for size in 1..=SIZE_MAX {
        tree.push(leaf_bytes(size - 1));
        frontier.push(leaves[size - 1]);
        let root = frontier.root();
        assert_eq!(tree.root().as_bytes()[..], root.as_bytes()[..], "root at {size}");
        let size_u64 = size as u64;
        for index in 0..size {
            let at = index as u64;
            let proof = inclusion_proof(&leaves, at, size_u64).unwrap();
            let want = tree.prove_inclusion(index);
            assert_eq!(concatenated(&proof), want.as_bytes(), "{index} of {size}");
            let leaf = leaves[index];
            assert!(verify_inclusion(leaf, at, size_u64, &proof, root), "{index} of {size}");
            assert!(!verify_inclusion(leaf, at, size_u64, &proof, leaves[299]));
            let check =
                tlog::check_record(&all_theirs(&proof), size_u64, theirs(root), at, theirs(leaf));
            assert!(check.is_ok(), "{index} of {size}: {check:?}");
            // The same proof for the neighbour: both sides say the same.
            let next = (at + 1) % size_u64;
            let ours = verify_inclusion(leaf, next, size_u64, &proof, root);
            let check =
                tlog::check_record(&all_theirs(&proof), size_u64, theirs(root), next, theirs(leaf));
            assert_eq!(ours, check.is_ok(), "{index} as {next} of {size}");
            compared += 1;
        }
    }
    assert_eq!(compared, SIZE_MAX * (SIZE_MAX + 1) / 2);
}

#[test]
fn consistency_proofs_agree_for_every_pair_of_sizes() {
    let leaves = leaves(SIZE_MAX);
    let roots: Vec<Hash> = (0..=SIZE_MAX).map(|n| root_of(&leaves, n as u64).unwrap()).collect();
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut compared = 0;
    for new in 1..=SIZE_MAX {
        tree.push(leaf_bytes(new - 1));
        let new_u64 = new as u64;
        assert!(verify_consistency(0, roots[0], new_u64, roots[new], &[]));
        assert_eq!(consistency_proof(&leaves, 0, new_u64), Some(vec![]));
        for old in 1..=new {
            let old_u64 = old as u64;
            let proof = consistency_proof(&leaves, old_u64, new_u64).unwrap();
            let want = tree.prove_consistency(new - old);
            assert_eq!(concatenated(&proof), want.as_bytes(), "{old} to {new}");
            let verify = |old_root, proof: &[Hash]| {
                verify_consistency(old_u64, old_root, new_u64, roots[new], proof)
            };
            assert!(verify(roots[old], &proof), "{old} to {new}");
            assert!(!verify(roots[old - 1], &proof), "{old} to {new}");
            let check = tlog::check_tree(
                &all_theirs(&proof),
                new_u64,
                theirs(roots[new]),
                old_u64,
                theirs(roots[old]),
            );
            assert!(check.is_ok(), "{old} to {new}: {check:?}");
            if let [shorter @ .., _] = &proof[..] {
                assert!(!verify(roots[old], shorter), "{old} to {new}, cut");
            }
            assert!(!verify(roots[old], &[&proof[..], &[roots[1]]].concat()));
            compared += 1;
        }
    }
    assert_eq!(compared, SIZE_MAX * (SIZE_MAX + 1) / 2);
}

/// Proofs for sizes near powers of two that no test could fill, from a made-up source.
#[test]
fn proofs_of_large_trees_agree_with_another_verifier() {
    /// All leaves are the same, so perfect subtrees are known at every level.
    struct Uniform(Vec<Hash>);
    impl LeafSource for Uniform {
        fn leaf(&self, _index: u64) -> Option<Hash> {
            self.0.first().copied()
        }
        fn subtree(&self, level: u32, _index: u64) -> Option<Hash> {
            self.0.get(level as usize).copied()
        }
    }
    let mut levels = vec![leaf_hash(b"same")];
    for level in 0..63 {
        levels.push(node_hash(levels[level], levels[level]));
    }
    let source = Uniform(levels);
    for bits in [1_u32, 8, 20, 31, 32, 33, 61, 62] {
        for new in [(1 << bits) - 1, 1 << bits, (1 << bits) + 1, (1 << bits) * 3 / 2 + 5_u64] {
            let root = root_of(&source, new).unwrap();
            for old in [1, 2, new / 3, new / 2, new / 2 + 1, new - 1] {
                if old == 0 || old > new {
                    continue;
                }
                let old_root = root_of(&source, old).unwrap();
                let proof = consistency_proof(&source, old, new).unwrap();
                assert!(verify_consistency(old, old_root, new, root, &proof), "{old} to {new}");
                let wire = all_theirs(&proof);
                let check = tlog::check_tree(&wire, new, theirs(root), old, theirs(old_root));
                assert!(check.is_ok(), "{old} to {new}");
                let leaf = source.0[0];
                let proof = inclusion_proof(&source, old - 1, new).unwrap();
                assert!(proof.len() <= 64);
                assert!(verify_inclusion(leaf, old - 1, new, &proof, root), "{old} of {new}");
                let wire = all_theirs(&proof);
                let check = tlog::check_record(&wire, new, theirs(root), old - 1, theirs(leaf));
                assert!(check.is_ok(), "{old} of {new}");
            }
        }
    }
}

const LOG: LogId = LogId::new([0x1c; 32]);
const WITNESS: LogId = LogId::new([0x77; 32]);

fn ours(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn dalek(seed: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
}

fn verifier_text(key: &NoteKey) -> String {
    let bytes = [&[key.alg().number()], key.key().as_bytes().as_slice()].concat();
    format!("{}+{}+{}", key.name(), hex(&key.id()), STANDARD.encode(bytes))
}

fn signer(key: &NoteKey, seed: u8) -> signed_note::StandardSigner {
    let secret = STANDARD.encode([&[1], [seed; 32].as_slice()].concat());
    let text = format!("PRIVATE+KEY+{}+{}+{secret}", key.name(), hex(&key.id()));
    signed_note::StandardSigner::new(&text).unwrap()
}

fn known(key: &NoteKey) -> signed_note::VerifierList {
    let verifier = signed_note::StandardVerifier::new(&verifier_text(key)).unwrap();
    signed_note::VerifierList::new(vec![Box::new(verifier)])
}

#[test]
fn keys_and_signatures_agree() {
    for seed in 0..64 {
        let (us, them) = (ours(seed), dalek(seed));
        assert_eq!(us.verifying_key().as_bytes(), them.verifying_key().as_bytes());
        let message = vec![seed; usize::from(seed) * 7];
        let signature = us.sign(&message);
        assert_eq!(signature, them.sign(&message).to_bytes());
        let theirs = ed25519_dalek::Signature::from_bytes(&signature);
        assert!(them.verifying_key().verify_strict(&message, &theirs).is_ok());
        assert!(us.verifying_key().verify(&message, &them.sign(&message).to_bytes()).is_ok());
        assert!(us.verifying_key().verify(b"else", &signature).is_err());
    }
}

#[test]
fn weak_keys_agree() {
    // Small order in both encodings of each point; y of 0, 1, -1 and the two of order eight.
    let weak = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    for text in weak {
        for sign in [0, 0x80] {
            let mut bytes: [u8; 32] = unhex(text).unwrap().try_into().unwrap();
            bytes[31] |= sign;
            if let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&bytes) {
                assert!(key.is_weak(), "{}", hex(&bytes));
            }
            assert!(VerifyingKey::parse(&bytes).is_err(), "{}", hex(&bytes));
        }
    }
    // Under such a key one signature fits many messages, which is why it is refused.
    let identity = ed25519_dalek::VerifyingKey::from_bytes(&{
        let mut one = [0; 32];
        one[0] = 1;
        one
    });
    let mut forged = [0; 64];
    forged[0] = 1;
    let forged = ed25519_dalek::Signature::from_bytes(&forged);
    assert!(identity.unwrap().verify(b"anything", &forged).is_ok());
    // What the oracle takes as a strong key, we take.
    for low in 2..=255 {
        let mut bytes = [0; 32];
        bytes[0] = low;
        if ed25519_dalek::VerifyingKey::from_bytes(&bytes).is_ok_and(|key| !key.is_weak()) {
            assert!(VerifyingKey::parse(&bytes).is_ok(), "{low}");
        }
    }
}

#[test]
fn notes_agree_both_ways() {
    let texts = ["a\n", "two\nlines\n", "边界\n\nblank line\n", "\n", "trailing blank\n\n"];
    for (seed, text) in (1..).zip(texts) {
        let name = format!("liandong/city/{seed}71500");
        let key = NoteKey::new(&name, NoteAlg::Ed25519, ours(seed).verifying_key()).unwrap();
        // Ours, read there.
        let line = sign_line(&name, &ours(seed), text).unwrap();
        let note = Note::new(text.to_owned(), vec![line]).unwrap();
        let there = signed_note::Note::from_bytes(note.render().as_bytes()).unwrap();
        assert_eq!(there.text(), text.as_bytes());
        let (verified, _) = there.verify(&known(&key)).unwrap();
        assert_eq!(verified[0].id().to_be_bytes(), key.id());
        // Theirs, read here; the same bytes.
        let mut there = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        there.add_sigs(&[&signer(&key, seed)]).unwrap();
        assert_eq!(there.to_bytes(), note.render().as_bytes());
        let here = Note::parse(&there.to_bytes()).unwrap();
        assert_eq!(here.verify(&[key]).unwrap().len(), 1);
    }
}

/// Whatever one side takes for a well-formed note with one sound line, so does the other.
#[test]
fn spoiled_notes_are_refused_alike() {
    let key = NoteKey::new("k", NoteAlg::Ed25519, ours(1).verifying_key()).unwrap();
    let line = sign_line("k", &ours(1), "a\nb\n").unwrap();
    let good = Note::new("a\nb\n".to_owned(), vec![line]).unwrap().render();
    let (mut taken, mut refused) = (0, 0);
    for at in 0..good.len() {
        for with in [b'\n', b' ', b'+', b'=', b'A', 0x00, 0x0d, 0x7f, 0xff] {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = with;
            let here = Note::parse(&bytes);
            let here = here.is_ok_and(|n| n.verify(std::slice::from_ref(&key)).is_ok());
            let there = signed_note::Note::from_bytes(&bytes);
            let there = there.is_ok_and(|n| n.verify(&known(&key)).is_ok());
            assert_eq!(here, there, "byte {at} as {with:#x}");
            taken += u32::from(here);
            refused += u32::from(!here);
        }
    }
    assert!(taken > 0 && refused > 500, "{taken} taken, {refused} refused");
}

#[test]
fn checkpoints_agree_both_ways() {
    for size in [1, 2, 1_000_000, u64::MAX >> 1] {
        let head = Head { log: LOG, size, root: leaf_hash(&size.to_be_bytes()) };
        let signed = SignedCheckpoint::sign(head, &ours(1));
        let name = origin(LOG);
        let key = NoteKey::new(&name, NoteAlg::Ed25519, ours(1).verifying_key()).unwrap();
        let there = signed_note::Note::from_bytes(signed.note()).unwrap();
        assert_eq!(there.verify(&known(&key)).unwrap().0.len(), 1);
        let read = tlog_tiles::checkpoint::Checkpoint::from_bytes(there.text()).unwrap();
        assert_eq!((read.origin(), read.size()), (&name[..], size));
        assert_eq!((read.hash(), read.extension()), (&theirs(head.root), ""));
        // Theirs, signed there, read here.
        let made = tlog_tiles::checkpoint::Checkpoint::new(&name, size, theirs(head.root), "");
        let text = made.unwrap().to_bytes();
        let mut note = signed_note::Note::new(&text, &[]).unwrap();
        note.add_sigs(&[&signer(&key, 1)]).unwrap();
        let note = Bytes::from(note.to_bytes());
        let here = SignedCheckpoint::verify(&note, LOG, &ours(1).verifying_key()).unwrap();
        assert_eq!((here.head(), here.note()), (head, signed.note()));
        // Extension lines are good C2SP, but not ours.
        let hash = theirs(head.root);
        let extended = tlog_tiles::checkpoint::Checkpoint::new(&name, size, hash, "more\n");
        let text = String::from_utf8(extended.unwrap().to_bytes()).unwrap();
        assert!(Checkpoint::parse(&text).is_err());
    }
}

/// C2SP cosignature/v1, put together here by hand from its specification.
#[test]
fn cosignatures_agree_both_ways() {
    let head = Head { log: LOG, size: 20_852_163, root: leaf_hash(b"root") };
    let time_s = 1_679_315_147_u64;
    let text = Checkpoint { head }.text();
    let message = format!("cosignature/v1\ntime {time_s}\n{text}");
    let name = witness_name(WITNESS);
    let public = dalek(9).verifying_key();
    let id_input = [name.as_bytes(), b"\n\x04", public.as_bytes()].concat();
    let id = <Sha256 as sha2::Digest>::digest(&id_input)[..4].to_vec();
    // Theirs, read here.
    let signature = dalek(9).sign(message.as_bytes()).to_bytes();
    let bytes = [&id[..], &time_s.to_be_bytes(), &signature].concat();
    let by_hand = format!("\u{2014} {name} {}", STANDARD.encode(bytes));
    let line = SignatureLine::parse(&by_hand).unwrap();
    assert_eq!(verify_cosignature(&line, head, WITNESS, &ours(9).verifying_key()), Ok(time_s));
    // Ours is the same line, and holds there.
    let made = cosign(head, WITNESS, &ours(9), time_s);
    assert_eq!(made.as_str(), by_hand);
    assert_eq!(cosign_line(&name, &ours(9), time_s, &text).unwrap(), made);
    let there = signed_note::Signature::from_bytes(made.as_str().as_bytes()).unwrap();
    assert_eq!((there.name(), there.id().to_be_bytes().to_vec()), (&name[..], id));
    let (time, signature) = there.signature().split_first_chunk::<8>().unwrap();
    let signature = ed25519_dalek::Signature::from_slice(signature).unwrap();
    let signed = format!("cosignature/v1\ntime {}\n{text}", u64::from_be_bytes(*time));
    assert!(public.verify_strict(signed.as_bytes(), &signature).is_ok());
}
