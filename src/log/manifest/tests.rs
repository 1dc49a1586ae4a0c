//! Tests of manifests: the frozen text, unknown algorithms, contradictions, round trips.

use proptest::prelude::*;

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn sample() -> Manifest {
    Manifest {
        agreement: AgreementId::new([1; 16]),
        city: CityCode::parse("371500").unwrap(),
        node: NodeId::new([2; 16]),
        epoch: 2,
        charter: Hash::new([3; 32]),
        log_key: key(1).verifying_key(),
        cosign_key: key(2).verifying_key(),
        signature: SignatureAlgorithm::Ed25519,
        hash: HashAlgorithm::Sha256,
        prologue: Some(Head { log: LogId::new([4; 32]), size: 9, root: Hash::new([5; 32]) }),
    }
}

/// Frozen: this text and this id must never change.
#[test]
fn the_text_and_the_id_are_fixed() {
    let text = "liandong/manifest/v1\n\
        agreement: 01010101010101010101010101010101\n\
        city: 371500\n\
        node: 02020202020202020202020202020202\n\
        epoch: 2\n\
        charter: 0303030303030303030303030303030303030303030303030303030303030303\n\
        log_key: 8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\n\
        cosign_key: 8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394\n\
        signature: ed25519\n\
        hash: sha256\n\
        prologue: 0404040404040404040404040404040404040404040404040404040404040404 9 \
        0505050505050505050505050505050505050505050505050505050505050505\n";
    assert_eq!(sample().text(), text);
    assert_eq!(Manifest::parse(text), Ok(sample()));
    assert_eq!(sample().log_id().as_bytes(), digest(text.as_bytes()).as_bytes());
    let first = Manifest { epoch: 1, prologue: None, ..sample() };
    assert!(first.text().ends_with("\nprologue: none\n"));
    assert_eq!(Manifest::parse(&first.text()), Ok(first.clone()));
    assert_ne!(first.log_id(), sample().log_id());
}

#[test]
fn an_unknown_algorithm_is_an_error_of_its_own() {
    let text = sample().text();
    // Also when the keys no longer look like ours.
    let sm2 = text.replace("ed25519", "sm2").replace("log_key: 8a", "log_key: 04ff8a");
    let error = Manifest::parse(&sm2).unwrap_err();
    let unknown = |what, name: &str| ManifestError::UnknownAlgorithm { what, name: name.into() };
    assert_eq!(error, unknown("signature", "sm2"));
    let sm3 = text.replace("sha256", "sm3");
    assert_eq!(Manifest::parse(&sm3), Err(unknown("hash", "sm3")));
    let long = text.replace("sha256", &"界".repeat(100));
    assert_eq!(Manifest::parse(&long), Err(unknown("hash", &"界".repeat(32))));
}

#[test]
fn contradictions_are_refused() {
    let Some(pin) = sample().prologue else { panic!("the sample has one") };
    let bad = [
        Manifest { epoch: 0, ..sample() },
        Manifest { epoch: 1, ..sample() },
        Manifest { cosign_key: sample().log_key, ..sample() },
        Manifest { prologue: Some(Head { size: 0, ..pin }), ..sample() },
        Manifest { prologue: Some(Head { size: u64::MAX, ..pin }), ..sample() },
    ];
    for manifest in bad {
        let error = Manifest::parse(&manifest.text()).unwrap_err();
        assert!(matches!(error, ManifestError::Contradiction { .. }), "{error}");
        assert!(SignedManifest::sign(manifest, &key(9)).is_err());
    }
    let zero = "00".repeat(32);
    let weak = sample().text().replace(&sample().log_key.to_string(), &zero);
    let small = ManifestError::Key { key: "log_key", source: KeyError::SmallOrder };
    assert_eq!(Manifest::parse(&weak), Err(small));
}

#[test]
fn only_the_city_key_signs_a_manifest() {
    let city = sample().city;
    let signed = SignedManifest::sign(sample(), &key(9)).unwrap();
    let public = key(9).verifying_key();
    assert_eq!(SignedManifest::verify(signed.note(), city, &public), Ok(signed.clone()));
    let other = SignedManifest::verify(signed.note(), city, &key(8).verifying_key());
    assert_eq!(other, Err(ManifestError::Note(NoteError::NotSigned)));
    let handan = CityCode::parse("130400").unwrap();
    let wrong = SignedManifest::verify(signed.note(), handan, &public);
    assert_eq!(wrong, Err(ManifestError::WrongCity { expected: handan, got: city }));
    let text = String::from_utf8(signed.note().to_vec()).unwrap();
    let changed = SignedManifest::verify(&text.replace(" 9 ", " 8 ").into(), city, &public);
    assert!(matches!(changed, Err(ManifestError::Note(NoteError::BadSignature { .. }))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn manifests_round_trip(
        ids in any::<([u8; 16], [u8; 16], [u8; 32])>(),
        epoch in 1_u64..,
        seeds in (0_u8..100, 100_u8..),
        pin in any::<([u8; 32], [u8; 32])>(),
        size in 1_u64..=TREE_SIZE_MAX,
        pinned in any::<bool>(),
    ) {
        let head = Head { log: LogId::new(pin.0), size, root: Hash::new(pin.1) };
        let manifest = Manifest {
            agreement: AgreementId::new(ids.0),
            node: NodeId::new(ids.1),
            charter: Hash::new(ids.2),
            epoch,
            log_key: key(seeds.0).verifying_key(),
            cosign_key: key(seeds.1).verifying_key(),
            prologue: (pinned && epoch > 1).then_some(head),
            ..sample()
        };
        prop_assert_eq!(Manifest::parse(&manifest.text()), Ok(manifest));
    }

    #[test]
    fn a_changed_byte_is_refused_or_another_manifest(at in 0_usize..600, with in any::<u8>()) {
        let mut bytes = sample().text().into_bytes();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = with;
        }
        if let Ok(text) = String::from_utf8(bytes) && let Ok(manifest) = Manifest::parse(&text) {
            prop_assert_eq!(manifest.text(), text);
        }
    }
}
