//! Notes: charter, card, manifest, checkpoint, cosignature, fork proof, and ids.

use bytes::Bytes;
use liandong::ids::{Hash, LogId, Position, SubjectId, hex, unhex};
use liandong::log::checkpoint::{
    SignedCheckpoint, cosign, origin, verify_cosignature, witness_name,
};
use liandong::log::keys::{KeyError, VerifyingKey};
use liandong::log::manifest::{SignedManifest, city_key_name};
use liandong::log::merkle::leaf_hash;
use liandong::log::note::{Note, NoteAlg, NoteKey, SignatureLine};
use liandong::log::{ForkProof, Head, subject_id};
use liandong::trust::card::SignedCard;
use liandong::trust::charter::SignedCharter;

use super::golden;
use super::sample::{self, HANDAN, LIAOCHENG, city_key, key, manifest};

fn note(file: &str) -> Bytes {
    golden::file(file).into()
}

#[test]
fn charters() {
    for (file, made) in
        [("charter.note", sample::charter()), ("charter-amended.note", sample::amended())]
    {
        golden::assert_file(file, &sample::charter_note(&made));
        let read = SignedCharter::parse(&note(file)).unwrap();
        read.check_complete().unwrap();
        assert_eq!(read.charter(), &made, "{file}");
        assert_eq!(read.signed().len(), made.members.len());
    }
}

#[test]
fn cards() {
    let key = city_key(LIAOCHENG);
    golden::assert_file("card.note", &sample::card().sign(&key).unwrap());
    let read = SignedCard::verify(&note("card.note"), &key.verifying_key()).unwrap();
    assert_eq!(read.card(), &sample::card());
}

#[test]
fn manifests() {
    for (file, made) in [
        ("manifest.note", manifest(LIAOCHENG)),
        ("manifest-130400.note", manifest(HANDAN)),
        ("manifest-epoch2.note", sample::next_manifest()),
    ] {
        golden::assert_file(file, &sample::manifest_note(made.clone()));
        let public = city_key(made.city.as_u32()).verifying_key();
        let read = SignedManifest::verify(&note(file), made.city, &public).unwrap();
        assert_eq!(read.manifest(), &made, "{file}");
    }
}

#[test]
fn checkpoints_and_cosignatures() {
    let head = sample::batches()[1].head;
    let signed = SignedCheckpoint::sign(head, &key(0x21));
    golden::assert_file("checkpoint.note", signed.note());
    let witness = manifest(HANDAN).log_id();
    let line = cosign(head, witness, &key(0x32), sample::COSIGNED_S);
    let both = [signed.note().as_ref(), line.as_str().as_bytes(), b"\n"].concat();
    golden::assert_file("checkpoint-cosigned.note", &both);

    let (log_key, cosign_key) = (manifest(LIAOCHENG).log_key, manifest(HANDAN).cosign_key);
    for file in ["checkpoint.note", "checkpoint-cosigned.note"] {
        let read = SignedCheckpoint::verify(&note(file), head.log, &log_key).unwrap();
        assert_eq!(read.head(), head, "{file}");
    }
    let lines = Note::parse(&note("checkpoint-cosigned.note")).unwrap();
    let second: &SignatureLine = &lines.signatures()[1];
    let time = verify_cosignature(second, head, witness, &cosign_key);
    assert_eq!(time, Ok(sample::COSIGNED_S));
}

#[test]
fn fork_proofs() {
    let signed = SignedCheckpoint::sign(sample::batches()[1].head, &key(0x21));
    let proof = ForkProof::of(&signed, &sample::second_history()).unwrap();
    let log = manifest(LIAOCHENG).log_id();
    golden::assert_file("fork-proof.bin", &proof.encode(log));
    let (of, read) = ForkProof::decode(&note("fork-proof.bin")).unwrap();
    assert_eq!((of, &read), (log, &proof));
    let (lower, higher) = read.check(log, &manifest(LIAOCHENG).log_key).unwrap();
    assert_eq!(lower.size, higher.size);
    // Of two sizes: what the longer one begins with is not what the shorter one says.
    let short = Head { size: 4, root: Hash::new([0xee; 32]), ..signed.head() };
    let short = SignedCheckpoint::sign(short, &key(0x21));
    let headers = sample::batches()[..2].to_vec().into_iter().flat_map(|b| b.batch.entries);
    let leaves: Vec<Hash> = headers.map(|entry| leaf_hash(&entry.header)).collect();
    let proof = ForkProof::of_sizes(&short, &signed, &leaves).unwrap();
    golden::assert_file("fork-proof-sizes.bin", &proof.encode(log));
    let (of, read) = ForkProof::decode(&note("fork-proof-sizes.bin")).unwrap();
    assert_eq!((of, &read), (log, &proof));
    let (lower, higher) = read.check(log, &manifest(LIAOCHENG).log_key).unwrap();
    assert_eq!((lower.size, higher.size), (4, 6));
}

#[test]
fn ids_keys_and_tags() {
    let positions = [
        Position { log: LogId::new([0; 32]), index: 0 },
        Position { log: LogId::new([0xab; 32]), index: 258 },
        sample::opening(),
    ];
    let mut made = Vec::new();
    for at in positions {
        made.push((format!("subject_id_{}_{}", at.log, at.index), subject_id(at).to_string()));
    }
    for of in [manifest(LIAOCHENG), manifest(HANDAN), sample::next_manifest()] {
        made.push((format!("log_id_{}_{}", of.city, of.epoch), of.log_id().to_string()));
        let own = of.log_id();
        let named = [
            (city_key_name(of.city), NoteAlg::Ed25519, city_key(of.city.as_u32()).verifying_key()),
            (origin(own), NoteAlg::Ed25519, of.log_key),
            (witness_name(own), NoteAlg::CosignatureV1, of.cosign_key),
        ];
        for (name, alg, public) in named {
            let id = NoteKey::new(&name, alg, public).unwrap().id();
            let line = (format!("key_id_{name}"), hex(&id));
            if !made.contains(&line) {
                made.push(line);
            }
        }
    }
    made.push(("charter_hash".to_owned(), sample::charter().hash().to_string()));
    let tag = |fields: &[&[u8]]| sample::node_key().tag(fields).to_string();
    let caller: &[u8] = b"spiffe://371500/system/case-system";
    made.push(("tag_request".to_owned(), tag(&[b"request", caller, b"request-1"])));
    made.push(("tag_body".to_owned(), tag(&[b"body", b"request-1"])));
    made.push(("tag_of_nothing".to_owned(), tag(&[])));
    golden::assert_lines("ids.txt", "ids, key ids and tags of the sample, hexadecimal", &made);
    // What is derived from a position is derived from what the golden lines say.
    for (name, value) in golden::lines("ids.txt") {
        let Some(of) = name.strip_prefix("subject_id_") else { continue };
        let at: Position = of.replace('_', ":").parse().unwrap();
        assert_eq!(subject_id(at), SubjectId::parse(&value).unwrap());
    }
}

#[test]
fn keys_that_must_be_refused() {
    let mut made: Vec<(String, String)> = [
        ("4", "00".repeat(32)),
        ("1", format!("01{}", "00".repeat(31))),
        ("2", format!("ec{}7f", "ff".repeat(30))),
        ("8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned()),
        (
            "8_negative",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85".to_owned(),
        ),
        ("8_other", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".to_owned()),
        (
            "8_other_negative",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa".to_owned(),
        ),
    ]
    .into_iter()
    .map(|(order, key)| (format!("small_order_{order}"), key))
    .collect();
    let mut field = [0xff; 32];
    field[31] = 0x7f;
    for low in [0xed, 0xee, 0xff] {
        field[0] = low;
        made.push((format!("not_canonical_{low:x}"), hex(&field)));
    }
    golden::assert_lines("refused-keys.txt", "public keys that no version takes", &made);
    for (name, value) in golden::lines("refused-keys.txt") {
        let refused = VerifyingKey::parse(&unhex(&value).unwrap()).unwrap_err();
        let small = name.starts_with("small");
        assert_eq!(refused == KeyError::SmallOrder, small, "{name}");
    }
}
