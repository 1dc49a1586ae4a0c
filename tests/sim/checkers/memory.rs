//! P8: what a process keeps in memory and on disk has a bound that does not grow with time.

use liandong::node::core::sizes::Kept;

use super::Checks;
use crate::sim::node::Node;
use crate::sim::world::World;

/// Bytes on a disk for each byte of signed entries: framing, receipts, what was fetched again.
const BYTES_PER_BYTE: usize = 12;
/// Bytes on a disk beside: notes, local facts, zeroes at ends of segments.
const BYTES_BESIDE: usize = 512 * 1024;

fn over(kept: &[Kept]) -> Option<String> {
    let over = kept.iter().find(|kept| kept.count > kept.at_most)?;
    Some(format!("{} {} in memory, {} at most", over.count, over.what, over.at_most))
}

impl World {
    /// Whether a process has a group under way.
    pub fn gathers(&self) -> bool {
        let cities = self.nodes.iter().take(self.cast.codes.len());
        cities.filter_map(|node| node.core.as_ref()).any(|core| over(&core.gathered()).is_some())
    }

    /// Whatever is kept for peers, logs and callers has its bound; once everybody is silent,
    /// nothing waits.
    pub fn nothing_piles_up_in_memory(&mut self, silent: bool) {
        for at in 0..self.cast.codes.len() {
            let Some(core) = self.nodes[at].core.as_mut() else { continue };
            let mut kept = core.kept();
            if silent {
                kept.extend(core.gathered());
            }
            if let Some(what) = over(&kept) {
                self.checks.fail(format!("P8 {at}: {what}"));
            }
        }
    }
}

impl Checks {
    pub(super) fn check_bounded(&mut self, at: usize, node: &Node) {
        let signed: usize = self.logs.held[at].values().map(|size| *size as usize * 400).sum();
        let written = node.disk.written();
        if written > signed * BYTES_PER_BYTE + BYTES_BESIDE {
            self.fail(format!("P8 {at}: {written} bytes on disk for {signed} of entries"));
        }
    }
}
