//! Narrow parts that come later than their batch.

use bytes::Bytes;

use crate::ids::{CityCode, Position};
use crate::journal::{Disk, RecordKind};
use crate::limits;
use crate::log::merkle;
use crate::node::core::io::Output;
use crate::node::core::{Core, keys};
use crate::node::load;
use crate::store::Store;
use crate::sync::Frame;
use crate::view::{ReadRows, Rows};
use crate::wire;

/// Parts asked for at a time: enough for any case, little enough for a tick.
const ASK_MAX: usize = 64;

impl<D: Disk, S: Store> Core<D, S> {
    /// Asks connected members for narrow parts this city may hold and does not have.
    pub(super) fn ask_for_missing(&mut self) -> Vec<Output> {
        let mut missing = Vec::new();
        self.group_rows().scan(b"m", b"n", false, &mut |key, _| {
            missing.extend(keys::parse_missing_part(key));
            missing.len() < ASK_MAX
        });
        let mut outputs = Vec::new();
        for (entry, part) in missing {
            let Some(log) = self.logs.get(entry.log) else { continue };
            let author = self.exchange.link_to(log.manifest.city);
            let members: Vec<_> = self
                .exchange
                .greeted()
                .filter(|(_, city)| self.logs.may_see(*city, entry.log))
                .map(|(link, _)| link)
                .collect();
            let targets = author.map_or(members, |link| vec![link]);
            let frame = Frame::FetchParts { entry, parts: vec![part] };
            outputs.extend(targets.into_iter().map(|link| Output::Send(link, frame.clone())));
        }
        outputs
    }

    /// Takes narrow parts that were asked for and match their header's digests.
    pub(super) fn late_parts(
        &mut self,
        city: CityCode,
        entry: Position,
        parts: Vec<(u32, Bytes)>,
    ) -> Vec<Output> {
        for (part, bytes) in parts.into_iter().take(limits::PARTS_MAX) {
            if self.group_rows().get(&keys::missing_part(entry, part)).is_none() {
                continue;
            }
            let reader = self.journal.reader();
            let digest = load::entry_at(&self.group_rows(), &reader, entry)
                .ok()
                .and_then(|e| e.envelope.parts.get(part as usize).map(|p| p.digest));
            if digest != Some(merkle::digest(&bytes)) || bytes.len() > limits::PART_BYTES_MAX {
                tracing::warn!(%city, %entry, part, "a late part does not match its header");
                continue;
            }
            let payload = wire::peer::encode_late_part(entry, part, &bytes);
            match self.append(RecordKind::LatePart, &payload) {
                Ok(record) => {
                    let row = super::rows::encode(&record);
                    let mut rows = self.group_rows();
                    rows.put(keys::late_part(entry, part), row);
                    rows.delete(&keys::missing_part(entry, part));
                }
                Err(error) => tracing::error!(%error, "could not keep a late part"),
            }
        }
        Vec::new()
    }
}
