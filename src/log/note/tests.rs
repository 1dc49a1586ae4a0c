//! Tests of signed notes: a published note, known and unknown keys, limits, round trips.

use proptest::prelude::*;

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn note_key(name: &str, seed: u8) -> NoteKey {
    NoteKey::new(name, NoteAlg::Ed25519, key(seed).verifying_key()).unwrap()
}

/// The example of golang.org/x/mod/sumdb/note, signed by somebody else's program.
const EXAMPLE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf\
    qdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn a_published_note_verifies() {
    let public = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let public = VerifyingKey::parse(&public[1..]).unwrap();
    let keys = [NoteKey::new("PeterNeumann", NoteAlg::Ed25519, public).unwrap()];
    assert_eq!(keys[0].id(), [0xc7, 0x4f, 0x20, 0xa3]);
    let note = Note::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(note.render(), EXAMPLE);
    assert_eq!(note.verify(&keys).unwrap().len(), 1);
    let changed = Note::parse(EXAMPLE.replace("your", "our").as_bytes()).unwrap();
    let bad = NoteError::BadSignature { name: "PeterNeumann".to_owned() };
    assert_eq!(changed.verify(&keys), Err(bad));
}

#[test]
fn only_known_keys_are_judged() {
    let text = "a\n";
    let good = sign_line("good", &key(1), text).unwrap();
    let forged = sign_line("good", &key(1), "b\n").unwrap();
    let stranger = SignatureLine::parse("\u{2014} stranger AAAAAAE=").unwrap();
    let known = [note_key("good", 1), note_key("absent", 3)];
    let verify = |lines: &[&SignatureLine]| {
        let lines = lines.iter().map(|line| (*line).clone()).collect();
        let note = Note::new(text.to_owned(), lines).unwrap();
        note.verify(&known).map(|all| all.len())
    };
    let bad = Err(NoteError::BadSignature { name: "good".to_owned() });
    assert_eq!(verify(&[&stranger, &good]), Ok(1));
    assert_eq!(verify(&[&good, &good]), Ok(1), "one key counts once");
    assert_eq!(verify(&[&good, &forged]), bad);
    assert_eq!(verify(&[&stranger]), Err(NoteError::NotSigned));
    // The same name with another key is another key.
    let other = sign_line("good", &key(2), text).unwrap();
    assert_eq!(verify(&[&other]), Err(NoteError::NotSigned));
}

#[test]
fn a_note_does_not_grow_on_its_way() {
    let text = "a\n";
    let line = |name, seed| sign_line(name, &key(seed), text).unwrap();
    let (good, second) = (line("good", 1), line("second", 2));
    let plain = Note::new(text.to_owned(), vec![good.clone(), second.clone()]).unwrap();
    let lines = vec![line("other", 3), good.clone(), line("good", 4), second, good];
    let grown = Note::new(text.to_owned(), lines).unwrap();
    let keys = [note_key("second", 2), note_key("good", 1)];
    let kept = grown.only(&grown.verify(&keys).unwrap());
    assert_eq!(kept, plain.render(), "each known key's line once, in the order of the note");
    let again = Note::parse(&kept).unwrap();
    assert_eq!(again.only(&again.verify(&keys).unwrap()), kept);
}

#[test]
fn a_cosignature_covers_its_time() {
    let name = "witness";
    let line = cosign_line(name, &key(1), 1_679_315_147, "a\n").unwrap();
    let public = key(1).verifying_key();
    let witness = NoteKey::new(name, NoteAlg::CosignatureV1, public).unwrap();
    assert_eq!(witness.verify_line(&line, "a\n"), Ok(Some(1_679_315_147)));
    assert!(witness.verify_line(&line, "b\n").is_err());
    let mut bytes = line.signature().to_vec();
    bytes[7] ^= 1;
    let later = SignatureLine::made(name, line.key_id(), bytes);
    assert!(witness.verify_line(&later, "a\n").is_err());
    // As a plain signature the line belongs to nobody: the algorithm is in the key id.
    assert!(!note_key(name, 1).claims(&line));
}

#[test]
fn malformed_notes_are_refused() {
    let line = sign_line("k", &key(1), "a\n").unwrap();
    let note = |text: &str| Note::parse(text.replace('%', line.as_str()).as_bytes());
    assert!(note("a\n\n%\n").is_ok());
    assert!(note("a\n\nb\n\n%\n").is_ok(), "a text may have empty lines");
    for bad in ["", "a\n", "a\n%\n", "a\n\n%", "a\n\n%\n\n", "a\r\n\n%\n", "a\n\n\n", "a\n\n%\t\n"]
    {
        assert!(note(bad).is_err(), "{bad:?}");
    }
    for bad in ["a\n\n- k AAAAAAE=\n", "a\n\n% \n", "a\n\n\u{2014} k\n"] {
        assert_eq!(note(bad), Err(NoteError::Line { at: 0 }), "{bad:?}");
    }
    for bad in ["AAAAAA==", "AAAAAAE", "AAAAAAF=", "AAAA AAE=", ""] {
        assert!(SignatureLine::parse(&format!("{DASH}k {bad}")).is_err(), "{bad:?}");
    }
    for bad in ["", "a+b", "a b", "a\u{3000}b", "a\nb", "a\u{1}"] {
        assert!(sign_line(bad, &key(1), "a\n").is_err(), "{bad:?}");
    }
    assert_eq!(Note::parse(&[0xff, b'\n', b'\n']), Err(NoteError::Malformed));
}

#[test]
fn limits_hold() {
    let line = sign_line("k", &key(1), "a\n").unwrap();
    let many = |count| Note::new("a\n".to_owned(), vec![line.clone(); count]);
    assert!(many(NOTE_SIGNATURES_MAX).is_ok());
    assert!(matches!(many(NOTE_SIGNATURES_MAX + 1), Err(NoteError::TooLarge { .. })));
    assert_eq!(many(0), Err(NoteError::Malformed));
    let long = format!("{DASH}{} AAAAAAE=", "n".repeat(NOTE_LINE_BYTES_MAX));
    assert!(matches!(SignatureLine::parse(&long), Err(NoteError::TooLarge { .. })));
    let text = format!("{}\n", "x".repeat(NOTE_BYTES_MAX - 10));
    let whole = Note::new(text, vec![line.clone()]);
    assert!(matches!(whole, Err(NoteError::TooLarge { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn notes_round_trip(
        text in "[^\\x00-\\x1f]{0,40}(\n[^\\x00-\\x1f]{0,9}){0,4}",
        times in prop::collection::vec(any::<u64>(), 1..5),
    ) {
        let text = format!("{text}\n");
        let lines: Vec<_> =
            times.iter().map(|t| cosign_line("w", &key(1), *t, &text).unwrap()).collect();
        let note = Note::new(text, lines).unwrap();
        let again = Note::parse(note.render().as_bytes()).unwrap();
        prop_assert_eq!(&again, &note);
        let witness = NoteKey::new("w", NoteAlg::CosignatureV1, key(1).verifying_key()).unwrap();
        prop_assert_eq!(again.verify(&[witness]).unwrap()[0].time_s, Some(times[0]));
    }

    #[test]
    fn bytes_that_parse_render_to_themselves(
        cut in 0_usize..300,
        at in 0_usize..300,
        with in any::<u8>(),
    ) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = with;
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 8));
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.render().into_bytes(), bytes);
        }
    }
}
