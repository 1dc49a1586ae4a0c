//! Checkpoints that others show: how far a log has got elsewhere, and whether its city has signed
//! two histories.
//!
//! Two signed checkpoints of one size with different roots prove a fork, and so does a longer
//! history that does not begin with a shorter one. The proof is kept for
//! ever and sent to every member; the log stands still here, and nothing is taken back. Anything
//! less, such as a root that an entry only names, is a claim: shown, and otherwise without effect.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::domain::both;
use crate::ids::{CityCode, Hash, LogId};
use crate::journal::{Disk, RecordKind};
use crate::log::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::log::merkle::leaf_hash;
use crate::log::{Envelope, ForkProof, Head};
use crate::node::core::follow::refuse;
use crate::node::core::io::Output;
use crate::node::core::logs::{Hold, contradicts};
use crate::node::core::{Core, Now};
use crate::node::load;
use crate::store::Store;
use crate::sync::{Frame, LinkId};
use crate::wire::status::Refused;

/// Warnings kept for people; a city that misbehaves must not fill the memory with them.
const WARNINGS_MAX: usize = 64;
/// A whole log is read when a member turns away what follows its own copy; a member that does so
/// without need must not keep the writer busy. In milliseconds.
pub(super) const LOOK_PAUSE_MS: u64 = 30_000;

/// Logs of which somebody may hold another history.
#[derive(Debug, Default)]
pub(super) struct Looks {
    suspected: BTreeSet<LogId>,
    next_ms: u64,
}

impl Looks {
    pub(super) fn count(&self) -> usize {
        self.suspected.len()
    }

    fn may_look(&mut self, now: u64, log: LogId) -> bool {
        if now < self.next_ms || !self.suspected.remove(&log) {
            return false;
        }
        self.next_ms = now + LOOK_PAUSE_MS;
        true
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Tells the operator, once.
    pub(super) fn warn(&mut self, text: String) {
        if self.warnings.len() < WARNINGS_MAX && !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// The size a genuine checkpoint of a log proves, and what follows from it.
    pub(super) fn shown_size(
        &mut self,
        now: Now,
        city: CityCode,
        log: LogId,
        note: &Bytes,
    ) -> Result<(u64, Vec<Output>), Refused> {
        let found = self.logs.get(log).ok_or(Refused::new("NOT_FOUND"))?;
        if found.durable.size > 0 && found.durable_checkpoint == *note {
            // What lies here was checked when it came, and contradicts nothing.
            let size = found.durable.size;
            self.shown_later(city, log, size);
            return Ok((size, Vec::new()));
        }
        let signed = SignedCheckpoint::verify(note, log, &found.manifest.log_key)
            .map_err(|_| Refused::new("BAD_CHECKPOINT").with("log", log).with("size", 0))?;
        let beyond = found.is_own() && signed.head().size > found.appended();
        let outputs = self.witness(now, &signed);
        self.shown_later(city, log, signed.head().size);
        if beyond {
            self.found_restored(log, signed.head().size);
        }
        Ok((signed.head().size, outputs))
    }

    /// Compares a genuine checkpoint with the one held at its size.
    pub(super) fn witness(&mut self, now: Now, shown: &SignedCheckpoint) -> Vec<Output> {
        let head = shown.head();
        if self.logs.get(head.log).is_none_or(|l| l.fork.is_some()) {
            return Vec::new();
        }
        let proof = match self.checkpoint_note_at(head.log, head.size) {
            Some(note) => {
                let held = self.of_another_root(&note, head);
                held.and_then(|held| ForkProof::of(&held, shown))
            }
            None => self.look_below(now, shown),
        };
        proof.map(|proof| self.keep_fork(now, head.log, proof)).unwrap_or_default()
    }

    /// A member has turned away a stretch of a log that is whole here: what it shows of that log
    /// next is looked at closely.
    pub(super) fn suspect(&mut self, city: CityCode, log: LogId) {
        if self.logs.may_see(city, log) {
            self.looks.suspected.insert(log);
        }
    }

    /// Compares a genuine checkpoint at whose size no batch ends here with the entries below it.
    /// Two histories may never have a checkpoint of one size; without this, whoever holds the
    /// shorter one would wait for ever for what others have seen of the longer one.
    /// (`two_histories_without_a_common_size_stop_nobody`,
    /// `whoever_holds_the_longer_history_finds_the_proof`)
    fn look_below(&mut self, now: Now, shown: &SignedCheckpoint) -> Option<ForkProof> {
        let head = shown.head();
        let found = self.logs.get(head.log)?;
        let (size, key) = (found.durable.size, found.manifest.log_key);
        if head.size == 0 || head.size >= size || !self.looks.may_look(now.mono_ms, head.log) {
            return None;
        }
        let note = found.durable_checkpoint.clone();
        let leaves = self.leaves_of(head.log, size)?;
        let longer = SignedCheckpoint::verify(&note, head.log, &key).ok()?;
        ForkProof::of_sizes(shown, &longer, &leaves)
    }

    /// The first `size` leaves of a log, read from the journal.
    pub(super) fn leaves_of(&mut self, log: LogId, size: u64) -> Option<Vec<Hash>> {
        let mut leaves = Vec::new();
        self.each_leaf(log, size, &mut |leaf| leaves.push(leaf))?;
        Some(leaves)
    }

    /// The same one by one; `None` where one of them cannot be read.
    pub(super) fn each_leaf(
        &mut self,
        log: LogId,
        size: u64,
        to: &mut dyn FnMut(Hash),
    ) -> Option<()> {
        let reader = self.journal.reader();
        let mut known = 0;
        while known < size {
            let batch = load::batch_at(&self.group_rows(), &reader, log, known).ok()?;
            let skip = usize::try_from(known.checked_sub(batch.from)?).ok()?;
            let wanted = usize::try_from(size - known).unwrap_or(usize::MAX);
            let entries = batch.entries.iter().skip(skip).take(wanted);
            let before = known;
            for entry in entries {
                to(leaf_hash(&entry.header));
                known += 1;
            }
            if known == before {
                return None;
            }
        }
        Some(())
    }

    /// Keeps a proof, sends it on, and lets the log stand still.
    pub(super) fn keep_fork(&mut self, now: Now, log: LogId, proof: ForkProof) -> Vec<Output> {
        #[cfg(feature = "planted-bugs")]
        if crate::planted::guards::is_off("fork") {
            return Vec::new();
        }
        let Some(found) = self.logs.get_mut(log) else { return Vec::new() };
        let city = found.manifest.city;
        tracing::error!(%log, %city, "two signed histories of one log");
        let encoded = proof.encode(log);
        found.fork = Some(proof);
        if found.own.is_some() {
            // Another copy of this node has signed too: nothing is appended to this log again.
            found.hold = Hold::Restored;
        }
        self.group.small.push((RecordKind::ForkProof, encoded.clone()));
        self.group.dirty = true;
        self.warn_of_fork(log);
        let members = self.exchange.greeted().filter(|(_, c)| self.logs.may_see(*c, log));
        let sent: Vec<Output> =
            members.map(|(link, _)| Output::Send(link, Frame::Fork(encoded.clone()))).collect();
        self.group.after.extend(sent);
        let actions = self.exchange.log_known(now.mono_ms, &self.logs, log);
        self.perform(actions)
    }

    pub(super) fn warn_of_fork(&mut self, log: LogId) {
        let city = self.logs.get(log).map_or_else(String::new, |l| l.manifest.city.to_string());
        self.warn(both(
            &format!("{city} 有两份互相矛盾的签名记录（证据已保全），请与该市联系核对：{log}"),
            &format!("{city} signed two histories (the proof is kept), speak with it: {log}"),
        ));
    }

    /// A member shows the proof of a fork.
    pub(super) fn fork_shown(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        bytes: &Bytes,
    ) -> Vec<Output> {
        let proof = ForkProof::decode(bytes);
        let Some((log, proof)) = proof.filter(|(log, _)| self.logs.may_see(city, *log)) else {
            return vec![refuse(link, &Refused::new("NOT_FOUND"), None)];
        };
        let Some(found) = self.logs.get(log).filter(|l| l.fork.is_none()) else {
            return Vec::new();
        };
        match proof.verified(log, &found.manifest.log_key) {
            Ok(proof) => self.keep_fork(now, log, proof),
            Err(_) => {
                let refused = Refused::new("BAD_CHECKPOINT").with("log", log).with("size", 0);
                self.strike(now, link, &refused, Some(log))
            }
        }
    }

    /// The signed checkpoint held for the size of a head, where its root is another one.
    pub(super) fn contradicted_by(&mut self, head: Head) -> Option<SignedCheckpoint> {
        let note = self.checkpoint_note_at(head.log, head.size)?;
        self.of_another_root(&note, head)
    }

    /// The checkpoint held for exactly this size, if a batch ends there.
    pub(super) fn checkpoint_note_at(&mut self, log: LogId, size: u64) -> Option<Bytes> {
        let found = self.logs.get(log)?;
        if found.durable.size == size {
            return Some(found.durable_checkpoint.clone());
        }
        let index = size.checked_sub(1).filter(|i| *i < found.durable.size)?;
        let reader = self.journal.reader();
        let batch = load::batch_at(&self.group_rows(), &reader, log, index).ok()?;
        (batch.from + batch.entries.len() as u64 == size).then_some(batch.checkpoint)
    }

    /// A checkpoint that is held, if its root is not that of a head of the same size. What is held
    /// was checked when it came: only what will go into a proof is checked again.
    pub(super) fn of_another_root(&self, note: &Bytes, head: Head) -> Option<SignedCheckpoint> {
        if note.starts_with(Checkpoint { head }.text().as_bytes()) {
            return None;
        }
        let key = self.logs.get(head.log)?.manifest.log_key;
        let held = SignedCheckpoint::verify(note, head.log, &key).ok()?;
        contradicts(&held.head(), &head).then_some(held)
    }

    /// A log has grown elsewhere.
    pub(super) fn announced(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        log: LogId,
        checkpoint: Bytes,
    ) -> Vec<Output> {
        if !self.logs.may_see(city, log) {
            return vec![refuse(link, &Refused::new("NOT_FOUND"), None)];
        }
        let (size, mut outputs) = match self.shown_size(now, city, log, &checkpoint) {
            Ok(shown) => shown,
            Err(refused) => return self.strike(now, link, &refused, Some(log)),
        };
        let (known, author) =
            self.logs.get(log).map_or((0, false), |l| (l.durable.size, l.manifest.city == city));
        // A relay that lags behind is no fault; a word that goes back is.
        let goes_back = author || size <= self.exchange.announced_by(link, log);
        let actions = self.exchange.peer_has(now.mono_ms, &self.logs, link, log, size);
        outputs.extend(self.perform(actions));
        if size < known && goes_back {
            let refused = Refused::new("STALE_CHECKPOINT").with("log", log).with("known", known);
            outputs.push(refuse(link, &refused, Some(log)));
        }
        outputs
    }

    /// Shows roots that an entry names and that are not the ones here.
    pub(super) fn note_claims(&mut self, envelope: &Envelope) {
        let wrong: Vec<LogId> = envelope
            .after
            .iter()
            .filter(|claimed| {
                // Roots are computed only where there is something to compare.
                let held = self.logs.get(claimed.log).filter(|l| l.applied() == claimed.size);
                held.is_some_and(|l| contradicts(&l.applied_head(), claimed))
            })
            .map(|claimed| claimed.log)
            .collect();
        for log in wrong {
            let by = envelope.log;
            tracing::warn!(%log, %by, index = envelope.index, "an entry names another root");
            let by = self.logs.get(by).map_or_else(String::new, |l| l.manifest.city.to_string());
            let of = self.logs.get(log).map_or_else(String::new, |l| l.manifest.city.to_string());
            self.warn(both(
                &format!("{by} 的记录称 {of} 的记录与本市所存不同（仅为其陈述）：{log}"),
                &format!("{by} says that records of {of} are other than those held here: {log}"),
            ));
        }
    }
}
