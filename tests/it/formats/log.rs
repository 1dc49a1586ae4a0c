//! Logs: entries, leaves, roots and proofs.

use bytes::Bytes;
use liandong::domain::Event;
use liandong::ids::{Hash, hex, unhex};
use liandong::log::merkle::{
    consistency_proof, inclusion_proof, leaf_hash, root_of, verify_consistency, verify_inclusion,
};
use liandong::log::{Batch, Entry, Frontier, PartSlot, accept_batch};
use liandong::sync::RawBatch;
use liandong::wire;

use super::golden;
use super::sample::{self, HANDAN, LIAOCHENG, manifest};

const FILE: &str = "log.txt";
const ABOUT: &str = "the log of 371500 in the sample: entries, leaves, roots, proofs; hexadecimal";

fn joined(proof: &[Hash]) -> String {
    if proof.is_empty() {
        return "-".to_owned();
    }
    proof.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn split(proof: &str) -> Vec<Hash> {
    proof.split(',').filter(|p| *p != "-").map(|p| Hash::parse(p).unwrap()).collect()
}

/// Every entry of the log of 371500: header and parts.
fn entries() -> Vec<(Bytes, Vec<PartSlot>)> {
    let log = manifest(LIAOCHENG).log_id();
    let batches = sample::batches();
    let own = batches.into_iter().filter(|sealed| sealed.batch.log == log);
    own.flat_map(|sealed| sealed.batch.entries).map(|e| (e.header, e.parts)).collect()
}

#[test]
fn entries_leaves_roots_and_proofs() {
    let entries = entries();
    let leaves: Vec<Hash> = entries.iter().map(|(header, _)| leaf_hash(header)).collect();
    let mut made = Vec::new();
    for (index, (header, parts)) in entries.iter().enumerate() {
        made.push((format!("header_{index}"), hex(header)));
        for (n, part) in parts.iter().enumerate() {
            let PartSlot::Bytes(bytes) = part else { panic!("{part:?}") };
            made.push((format!("part_{index}_{n}"), hex(bytes)));
        }
        made.push((format!("leaf_{index}"), leaves[index].to_string()));
    }
    let count = leaves.len() as u64;
    for size in 0..=count {
        made.push((format!("root_{size}"), root_of(&leaves, size).unwrap().to_string()));
        for index in 0..size {
            let proof = inclusion_proof(&leaves, index, size).unwrap();
            made.push((format!("inclusion_{index}_{size}"), joined(&proof)));
            let proof = consistency_proof(&leaves, index, size).unwrap();
            made.push((format!("consistency_{index}_{size}"), joined(&proof)));
        }
    }
    golden::assert_lines(FILE, ABOUT, &made);
}

#[test]
fn golden_logs_prove_themselves() {
    let lines = golden::lines(FILE);
    let value = |name: &str| lines.iter().find(|(n, _)| n == name).unwrap().1.clone();
    let root = |size: &str| Hash::parse(&value(&format!("root_{size}"))).unwrap();
    let mut proofs = 0;
    for (name, line) in &lines {
        let words: Vec<&str> = name.split('_').collect();
        match words.as_slice() {
            ["leaf", index] => {
                let header = unhex(&value(&format!("header_{index}"))).unwrap();
                assert_eq!(leaf_hash(&header).to_string(), *line);
                let parsed = wire::entry::parse_header(&Bytes::from(header)).unwrap();
                assert!(!parsed.newer && parsed.envelope.index.to_string() == *index);
            }
            ["part", ..] => {
                wire::part::parse_part(&Bytes::from(unhex(line).unwrap())).unwrap();
            }
            ["inclusion", index, size] => {
                let leaf = Hash::parse(&value(&format!("leaf_{index}"))).unwrap();
                let (index, count) = (index.parse().unwrap(), size.parse().unwrap());
                assert!(verify_inclusion(leaf, index, count, &split(line), root(size)), "{name}");
                proofs += 1;
            }
            ["consistency", old, new] => {
                let (from, to) = (old.parse().unwrap(), new.parse().unwrap());
                let holds = verify_consistency(from, root(old), to, root(new), &split(line));
                assert!(holds, "{name}");
                proofs += 1;
            }
            ["header" | "root", _] => {}
            _ => panic!("{name}"),
        }
    }
    assert_eq!(proofs, 2 * (1..=7).sum::<usize>());
}

fn read(raw: RawBatch) -> (Batch, Vec<Event>) {
    let mut events = Vec::new();
    let entries = raw.entries.into_iter().map(|entry| {
        let parsed = wire::entry::parse_header(&entry.header).unwrap();
        events.push(parsed.event);
        Entry { header: entry.header, envelope: parsed.envelope, parts: entry.parts }
    });
    let entries = entries.collect();
    let batch = Batch { log: raw.log, from: raw.from, entries, checkpoint: raw.checkpoint };
    (batch, events)
}

#[test]
fn golden_batches_are_taken_through_the_one_door() {
    let mut made = Vec::new();
    for (n, sealed) in sample::batches().iter().enumerate() {
        made.push((format!("batch_{n}"), hex(&wire::batch::encode_batch(&sealed.batch))));
    }
    golden::assert_lines("batches.txt", "the batches of the sample, as they are stored", &made);
    let mut frontiers = [Frontier::new(), Frontier::new()];
    let mut leaves: [Vec<Hash>; 2] = [Vec::new(), Vec::new()];
    for (name, line) in golden::lines("batches.txt") {
        let bytes = Bytes::from(unhex(&line).unwrap());
        let raw = wire::batch::parse_batch(bytes.clone()).unwrap();
        assert_eq!(wire::batch::encode_batch(&raw), bytes, "{name}");
        let of = if raw.log == manifest(LIAOCHENG).log_id() { LIAOCHENG } else { HANDAN };
        let slot = usize::from(of == HANDAN);
        let (batch, _) = read(raw);
        let key = manifest(of).log_key;
        let taken =
            accept_batch(&frontiers[slot], &leaves[slot], batch.log, &key, &batch, |_, _| false);
        let taken = taken.unwrap_or_else(|error| panic!("{name}: {error}"));
        frontiers[slot] = taken.frontier;
        leaves[slot].extend(taken.leaves);
    }
    assert_eq!(frontiers[0].size(), 7);
}
