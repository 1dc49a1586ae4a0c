//! Looking ahead in a replay: what damage has put further on in the journal.
//!
//! Damage was fetched again, or a note was handed in again, and lies behind what rests on it. The
//! journal is looked through once, and only when something is missing that may come.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ids::LogId;
use crate::journal::{Disk, RecordKind, RecordRef};
use crate::log::SignedManifest;
use crate::node::core::Core;
use crate::node::core::logs::Log;
use crate::store::Store;
use crate::wire;

/// What the journal holds from where a replay began.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    /// Of each log, the first entry of each batch and the one behind its last.
    ranges: BTreeMap<LogId, Vec<(u64, u64)>>,
    manifests: BTreeMap<LogId, (RecordRef, Bytes)>,
    charters: Vec<(RecordRef, Bytes)>,
}

impl Ahead {
    /// Whether entries come that follow the first so many of a log.
    fn continues(&self, log: LogId, appended: u64) -> bool {
        let mut ranges = self.ranges.get(&log).into_iter().flatten();
        ranges.any(|(from, end)| *from <= appended && appended < *end)
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether a replay still comes to entries of a log that follow what is here of it; or the
    /// group that is being written, whose stretches lie in the journal behind everything else.
    /// (`a_fork_in_the_group_of_a_stretch_releases_as_in_a_replay`)
    pub(super) fn comes_again(&mut self, log: LogId) -> bool {
        if self.group.coming.contains(&log) {
            return true;
        }
        let Some(appended) = self.logs.get(log).map(Log::appended) else { return false };
        self.ahead().is_some_and(|ahead| ahead.continues(log, appended))
    }

    /// Adds a log of which there are batches, if its manifest comes further on: it rotted, and was
    /// handed in again, perhaps with its charter.
    /// (`what_lay_here_before_a_manifest_was_lost_is_read_again`)
    pub(super) fn add_from_ahead(&mut self, log: LogId) -> bool {
        let Some(ahead) = self.ahead() else { return false };
        let Some((record, note)) = ahead.manifests.get(&log).cloned() else { return false };
        let charters = ahead.charters.clone();
        let claimed = SignedManifest::peek(&note).map(|manifest| manifest.agreement);
        if claimed.is_ok_and(|agreement| self.book.get(agreement).is_none()) {
            for (record, charter) in charters {
                self.note_small(record);
                self.replay_small(RecordKind::Charter, charter);
            }
        }
        let Ok(signed) = self.check_manifest(&note) else { return false };
        // A replay that is cut off goes on behind this place, and must know the log.
        self.note_small(record);
        self.insert_log(signed);
        self.place_manifest(&note);
        self.load_cosignatures_around(log);
        true
    }

    /// What the rest of the journal holds; `None` unless a replay is under way.
    fn ahead(&mut self) -> Option<&Ahead> {
        let from = self.replayed_from?;
        if self.ahead.is_none() {
            self.ahead = Some(self.look_ahead(from));
        }
        self.ahead.as_ref()
    }

    fn look_ahead(&self, from: u64) -> Ahead {
        let mut ahead = Ahead::default();
        let read = self.journal.reader().scan(from, &mut |record, kind, payload| {
            let payload = Bytes::copy_from_slice(payload);
            if kind == RecordKind::Manifest {
                if let Ok(manifest) = SignedManifest::peek(&payload) {
                    ahead.manifests.insert(manifest.log_id(), (record, payload));
                }
            } else if kind == RecordKind::Charter {
                ahead.charters.push((record, payload));
            } else if kind == RecordKind::Batch
                && let Ok(batch) = wire::batch::parse_batch(payload)
            {
                let end = batch.from + batch.entries.len() as u64;
                ahead.ranges.entry(batch.log).or_default().push((batch.from, end));
            }
            true
        });
        if let Err(error) = read {
            tracing::error!(%error, "could not look ahead in the journal");
        }
        ahead
    }
}
