//! Proofs of forks, and against witnesses, outside a node: exported, and verified by other people's
//! code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use liandong::ids::LogId;

use super::nodes::{Nodes, exe};

fn fork(nodes: &Nodes, city: u32, args: &[&str]) -> std::process::Output {
    std::process::Command::new(exe())
        .args(["fork", "--profile", "client.toml"])
        .args(args)
        .current_dir(nodes.fleet.folder(city))
        .output()
        .unwrap()
}

/// A node exports the proof against a log, and `signed_note` and `tlog_tiles` agree with it.
pub fn is_exported(nodes: &Nodes, city: u32, log: LogId) {
    let listed = fork(nodes, city, &["list", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(said["proofs"][0]["log_id"], log.to_string());
    let exported = fork(nodes, city, &["export", "proof", "--log", &log.to_string()[..8]]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let folder = nodes.fleet.folder(city).join("proof");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let key = String::from_utf8(read("key.txt")).unwrap();
    let verifier = signed_note::StandardVerifier::new(key.trim_end()).unwrap();
    let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    let [one, other] = ["lower.note", "higher.note"].map(|name| {
        let note = signed_note::Note::from_bytes(&read(name)).unwrap();
        assert_eq!(note.verify(&known).unwrap().0.len(), 1, "{name}");
        let text = note.text().to_vec();
        let checkpoint = tlog_tiles::checkpoint::Checkpoint::from_bytes(&text).unwrap();
        assert_eq!(checkpoint.origin(), format!("liandong/log/{log}"));
        (checkpoint.size(), text)
    });
    assert_eq!(one.0, other.0, "one size");
    assert_ne!(one.1, other.1, "two roots");
    // The manifest names the key, and the city that answers for it.
    let manifest = String::from_utf8(read("manifest.note")).unwrap();
    assert!(manifest.starts_with("liandong/manifest/v1\n"), "{manifest}");
    // What was exported is evidence: it is not written over.
    assert!(!fork(nodes, city, &["export", "proof"]).status.success());
    assert_eq!(fork(nodes, city, &["export", "other", "--log", "zz"]).status.code(), Some(1));
}

/// A node exports what is kept against a witness over a log, and both lines hold for whoever reads
/// the C2SP specification: checked by hand here.
pub fn is_exported_against(nodes: &Nodes, city: u32, log: LogId, witness: LogId) {
    let listed = fork(nodes, city, &["list", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(said["proofs"][0]["kind"], "COSIGNATURES");
    assert_eq!(said["proofs"][0]["log_id"], log.to_string());
    assert_eq!(said["proofs"][0]["signer_log_id"], witness.to_string());
    let exported = fork(nodes, city, &["export", "against", "--log", &witness.to_string()[..8]]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let folder = nodes.fleet.folder(city).join("against");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let key = read("key.txt");
    // The last field may hold a + of its own; its first byte says cosignature/v1.
    let fields: Vec<&str> = key.trim_end().splitn(3, '+').collect();
    assert_eq!(fields[0], format!("liandong/witness/{witness}"));
    let public = STANDARD.decode(fields[2]).unwrap();
    assert_eq!(public[0], 4);
    let public = VerifyingKey::from_bytes(public[1..].try_into().unwrap()).unwrap();
    let texts = ["cosigned.note", "contradicting.note"].map(|file| {
        let note = read(file);
        let (text, line) = note.split_once("\n\n").unwrap();
        let text = format!("{text}\n");
        let signature = STANDARD.decode(line.trim_end().rsplit(' ').next().unwrap()).unwrap();
        let time = u64::from_be_bytes(signature[4..12].try_into().unwrap());
        let signed = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = Signature::from_slice(&signature[12..]).unwrap();
        assert!(public.verify_strict(signed.as_bytes(), &signature).is_ok(), "{file}");
        text
    });
    let lines = texts.each_ref().map(|text| text.lines().collect::<Vec<_>>());
    assert_eq!(lines[0][..2], lines[1][..2], "one log, one size");
    assert_ne!(lines[0][2], lines[1][2], "two roots");
    assert!(read("manifest.note").starts_with("liandong/manifest/v1\n"));
}
