//! P5: what a city has erased reaches nobody from whoever has heard of it, and goes from every disk.
//!
//! Which parts are erased is told from what their authors wrote. Out of scope: disks that have
//! rotted, where a part may lie in what cannot be read as a record any more, or was given up.

use std::collections::BTreeMap;

use liandong::domain::Event;
use liandong::ids::Position;
use liandong::journal::{Journal, JournalOptions};
use liandong::log::PartSlot;
use liandong::sync::Frame;

use super::Checks;
use crate::sim::cast::Cast;
use crate::sim::node::Node;

/// Erased parts, and the entries that erase them.
#[derive(Default)]
pub struct Erased(BTreeMap<(Position, u32), Position>);

impl Checks {
    /// An entry as its author wrote it.
    pub(super) fn learn_erasure(&mut self, cast: &Cast, by: Position, event: &Event) {
        let Event::PartErased { entry, part, .. } = event else { return };
        let author = |at: &Position| cast.logs.get(&at.log).map(|log| (log.pact, log.city));
        if author(&by) == author(entry) {
            self.erased.0.entry((*entry, *part)).or_insert(by);
        }
    }

    /// Whether a process has applied what erases a part.
    pub(super) fn has_erased(&self, cast: &Cast, at: usize, part: (Position, u32)) -> bool {
        // Where two histories may exist another entry may stand in its place.
        let by = self.erased.0.get(&part).filter(|by| !self.may_fork(cast, by.log));
        by.is_some_and(|by| {
            let applied = self.feeds.of[at].applied.get(&by.log);
            applied.is_some_and(|applied| *applied > by.index)
        })
    }

    /// A frame on its way from a process.
    pub(super) fn check_erased(&mut self, cast: &Cast, at: usize, frame: &Frame) {
        let mut given: Vec<(Position, u32)> = Vec::new();
        match frame {
            Frame::Batch(raw) => {
                for (index, entry) in (raw.from..).zip(&raw.entries) {
                    let slots = (0..).zip(&entry.parts);
                    let there = slots.filter(|(_, slot)| matches!(slot, PartSlot::Bytes(_)));
                    let position = Position { log: raw.log, index };
                    given.extend(there.map(|(part, _)| (position, part)));
                }
            }
            Frame::LateParts { entry, parts } => {
                given.extend(parts.iter().map(|(part, _)| (*entry, *part)));
            }
            _ => return,
        }
        if let Some((entry, part)) = given.into_iter().find(|part| self.has_erased(cast, at, *part))
        {
            self.fail(format!("P5 {at} gives part {part} of {entry}, which it knows is erased"));
        }
    }

    /// At the end: no whole record holds the text of a part that this process has erased.
    pub(super) fn check_gone_from_disk(&mut self, cast: &Cast, at: usize, node: &Node) {
        if self.has_rotted(at) || self.erased.0.is_empty() {
            return;
        }
        let opened = Journal::open(node.disk.copy(), JournalOptions::default());
        let Ok((journal, _)) = opened else { return };
        let mut marks = Vec::new();
        let read = journal.reader().scan(0, &mut |_, _, payload| {
            super::audience::each_mark(payload, &mut |mark| marks.push(mark));
            true
        });
        read.unwrap();
        let lies = marks.into_iter().find(|mark| {
            let places: Vec<_> = self.audience.places(*mark).collect();
            let gone = |(entry, part): &(Position, usize)| {
                u32::try_from(*part).is_ok_and(|part| self.has_erased(cast, at, (*entry, part)))
            };
            !places.is_empty() && places.iter().all(gone)
        });
        if let Some(mark) = lies {
            self.fail(format!("P5 text {mark} is erased and lies on the disk of {at}"));
        }
    }
}
