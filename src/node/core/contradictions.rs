//! Members whose cosignatures cannot be true: found, kept for ever, sent on and shown.
//!
//! A cosignature that contradicts another one of the same witness, or the log's own checkpoint, is
//! never counted as a receipt. It goes into the journal as any cosignature does, so that a replay
//! finds the same. One proof is kept for each log and witness.
//!
//! In scope: comparing, keeping, sending on. Out of scope: whether a cosignature is genuine
//! ([`super::receipts`]), what proves anything ([`crate::log::witness_proof`]).
//!
//! Invariants:
//! 1. What contradicts is never a receipt, live or in a replay.
//!    (`cosignatures_that_contradict_are_kept_against_the_member`)
//! 2. Of a log that is known to have two histories nobody is accused for having one of them.
//!    (`whoever_holds_the_other_of_two_histories_is_not_accused`)

use bytes::Bytes;

use crate::domain::both;
use crate::ids::LogId;
use crate::journal::{Disk, RecordKind};
use crate::log::note::SignatureLine;
use crate::log::{Head, WitnessProof};
use crate::node::core::io::Output;
use crate::node::core::logs::{Log, contradicts};
use crate::node::core::rows::{self, CosignatureRow, WitnessProofRow};
use crate::node::core::{Core, keys};
use crate::store::Store;
use crate::sync::{Cosign, Frame};
use crate::view::{ReadRows, Rows};
use crate::wire;

/// How a genuine cosignature stands to what is known.
pub(super) enum Stands {
    /// It may be true.
    Fits,
    /// It contradicts what is known, and proves something.
    Proves(WitnessProof),
    /// It is of one of two histories.
    OfAFork,
}

fn head_of(cosign: &Cosign) -> Head {
    Head { log: cosign.log, size: cosign.size, root: cosign.root }
}

fn line_of(line: &Bytes) -> Option<SignatureLine> {
    SignatureLine::parse(std::str::from_utf8(line).ok()?).ok()
}

impl<D: Disk, S: Store> Core<D, S> {
    /// The cosignature held of this witness for exactly this size.
    pub(super) fn cosignature_at(&mut self, cosign: &Cosign) -> Option<CosignatureRow> {
        let key = keys::cosignature(cosign.log, cosign.witness, cosign.size);
        self.group_rows().get(&key).and_then(|row| rows::decode(&row))
    }

    /// Compares a genuine cosignature with the others of its witness, then with the log itself.
    pub(super) fn stands(&mut self, cosign: &Cosign) -> Stands {
        let (head, witness) = (head_of(cosign), cosign.witness);
        let Some(line) = line_of(&cosign.line) else { return Stands::Fits };
        let row = self
            .cosignature_at(cosign)
            .and_then(|row| Some((Head { root: row.root, ..head }, line_of(&row.line)?)));
        let Some(found) = self.logs.get(cosign.log) else { return Stands::Fits };
        let is_forked = found.fork.is_some();
        let proof = found.contradictions.get(&witness);
        let shown = proof.map(|proof| proof.lines(witness)).unwrap_or_default();
        let mut others = row.into_iter().chain(shown);
        let two =
            others.find_map(|(other, its)| WitnessProof::of_two((other, &its), (head, &line)));
        if let Some(proof) = two {
            return Stands::Proves(proof);
        }
        match self.contradicted_by(head) {
            None => Stands::Fits,
            Some(_) if is_forked => Stands::OfAFork,
            Some(checkpoint) => {
                let proof = WitnessProof::of_log((head, &line), &checkpoint);
                proof.map_or(Stands::Fits, Stands::Proves)
            }
        }
    }

    /// Keeps what proves something, and sends it on.
    pub(super) fn contradicted(&mut self, cosign: &Cosign, proof: WitnessProof) -> Vec<Output> {
        if !self.keep_witness_proof(cosign.log, cosign.witness, proof) {
            return Vec::new();
        }
        let payload = wire::peer::encode_cosign(cosign);
        self.group.small.push((RecordKind::Cosignature, payload.into()));
        self.send_witness_proof(cosign.log, cosign.witness);
        Vec::new()
    }

    /// Once it is on disk here.
    fn send_witness_proof(&mut self, log: LogId, witness: LogId) {
        self.group.dirty = true;
        let Some(found) = self.logs.get(log) else { return };
        let frames = contradicting(found).filter(|cosign| cosign.witness == witness);
        let frames: Vec<Frame> = frames.map(Frame::Cosign).collect();
        let members = self.exchange.greeted().filter(|(_, city)| self.logs.may_see(*city, log));
        let sent: Vec<Output> = members
            .flat_map(|(link, _)| frames.iter().map(move |f| Output::Send(link, f.clone())))
            .collect();
        self.group.after.extend(sent);
    }

    /// One for each log and witness: what a witness says against itself is worth more than what it
    /// says against the log. Whether it is news.
    pub(super) fn keep_witness_proof(
        &mut self,
        log: LogId,
        witness: LogId,
        proof: WitnessProof,
    ) -> bool {
        let by_itself = proof.is_by_itself(witness);
        let Some(found) = self.logs.get_mut(log) else { return false };
        let known = found.contradictions.get(&witness);
        if known.is_some_and(|known| known.is_by_itself(witness) || !by_itself) {
            return false;
        }
        let row =
            WitnessProofRow { cosigned: proof.cosigned.clone(), against: proof.against.clone() };
        found.contradictions.insert(witness, proof);
        self.group_rows().put(keys::witness_proof(log, witness), rows::encode(&row));
        self.warn_of_witness(log, witness);
        true
    }

    fn warn_of_witness(&mut self, log: LogId, witness: LogId) {
        let city = |id| self.logs.get(id).map_or_else(String::new, |l| l.manifest.city.to_string());
        let (by, of) = (city(witness), city(log));
        tracing::error!(%log, city = %by, "cosignatures of a member contradict");
        self.warn(both(
            &format!(
                "{by} 的系统送达签名互相矛盾，或与 {of} 的签名记录不符（证据已保全），\
                 请与该市联系核对：{log}"
            ),
            &format!(
                "receipts of {by} contradict each other or the signed records of {of} (the proof \
                 is kept), speak with that city: {log}"
            ),
        ));
    }

    /// A log has grown to its durable head: a cosignature of that size that came before it may be
    /// of another root.
    pub(super) fn judge_cosignatures(&mut self, log: LogId) {
        let Some(found) = self.logs.get(log).filter(|l| l.fork.is_none()) else { return };
        let head = found.durable;
        let wrong = found.cosigned.values().find(|h| contradicts(&head_of(&h.cosign), &head));
        let Some(cosign) = wrong.map(|held| held.cosign.clone()) else { return };
        let Stands::Proves(proof) = self.stands(&cosign) else { return };
        self.keep_witness_proof(log, cosign.witness, proof);
        self.group_rows().delete(&keys::cosignature(log, cosign.witness, cosign.size));
        if let Some(found) = self.logs.get_mut(log) {
            found.cosigned.remove(&cosign.witness);
        }
        self.load_newest_cosignature(log, cosign.witness);
        self.send_witness_proof(log, cosign.witness);
    }

    /// After a start, from the rows.
    pub(super) fn load_witness_proofs(&mut self) {
        let mut kept = Vec::new();
        self.group_rows().scan(b"g", b"h", false, &mut |key, value| {
            kept.extend(keys::parse_witness_proof(key).zip(rows::decode::<WitnessProofRow>(value)));
            true
        });
        for ((log, witness), row) in kept {
            let proof = WitnessProof { cosigned: row.cosigned, against: row.against };
            if let Some(found) = self.logs.get_mut(log) {
                found.contradictions.insert(witness, proof);
                self.warn_of_witness(log, witness);
            }
        }
    }
}

/// The cosignatures that prove something against whoever made them.
pub(super) fn contradicting(log: &Log) -> impl Iterator<Item = Cosign> + '_ {
    log.contradictions.iter().flat_map(|(witness, proof)| {
        let cosign = |(head, line): (Head, SignatureLine)| Cosign {
            log: head.log,
            size: head.size,
            root: head.root,
            witness: *witness,
            line: Bytes::from(line.as_str().to_owned()),
        };
        proof.lines(*witness).into_iter().map(cosign)
    })
}

/// What is shown: nobody is accused of having one of two histories.
pub(super) fn shown(log: &Log) -> impl Iterator<Item = (&LogId, &WitnessProof)> {
    let is_forked = log.fork.is_some();
    log.contradictions.iter().filter(move |(w, proof)| !is_forked || proof.is_by_itself(**w))
}
