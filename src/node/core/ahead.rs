//! Looking ahead in a replay: what damage has put further on in the journal.
//!
//! Damage was fetched again, or a note was handed in again, and lies behind what rests on it. The
//! journal is looked through once, and only when something is missing that may come.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ids::LogId;
use crate::journal::{Disk, RecordKind};
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
    manifests: BTreeMap<LogId, Bytes>,
}

impl Ahead {
    /// How far a log goes without a gap, when this much of it is here.
    fn reach(&self, log: LogId, appended: u64) -> u64 {
        let ranges = self.ranges.get(&log).map_or(&[][..], Vec::as_slice);
        let mut reach = appended;
        while let Some((_, end)) = ranges.iter().find(|(from, end)| *from <= reach && reach < *end)
        {
            reach = *end;
        }
        reach
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether a replay still comes to entries of a log that follow what is here of it.
    pub(super) fn comes_again(&mut self, log: LogId) -> bool {
        let Some(appended) = self.logs.get(log).map(Log::appended) else { return false };
        self.ahead().is_some_and(|ahead| ahead.reach(log, appended) > appended)
    }

    /// Adds a log of which there are batches, if its manifest comes further on: it rotted, and was
    /// handed in again. (`what_lay_here_before_a_manifest_was_lost_is_read_again`)
    pub(super) fn add_from_ahead(&mut self, log: LogId) -> bool {
        let note = self.ahead().and_then(|ahead| ahead.manifests.get(&log).cloned());
        let Some(signed) = note.and_then(|note| self.check_manifest(&note).ok()) else {
            return false;
        };
        let note = signed.note().clone();
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
        let read = self.journal.reader().scan(from, &mut |_, kind, payload| {
            let payload = Bytes::copy_from_slice(payload);
            if kind == RecordKind::Manifest {
                if let Ok(manifest) = SignedManifest::peek(&payload) {
                    ahead.manifests.insert(manifest.log_id(), payload);
                }
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
