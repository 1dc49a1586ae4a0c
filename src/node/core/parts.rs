//! Parts that come later than their batch: narrow ones this city has become entitled to, and ones
//! said to be erased before the erasing entry is here.
//!
//! What is missing is asked of the cities that may hold it, the author's first, again and again
//! with growing pauses, because a city that has it may be away now.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::domain::Event;
use crate::ids::{CityCode, LogId, Position};
use crate::journal::{Disk, RecordKind};
use crate::limits;
use crate::log::{Audience, PartSlot, merkle};
use crate::node::core::follow::refuse;
use crate::node::core::io::Output;
use crate::node::core::{Core, Now, keys, rows};
use crate::node::load;
use crate::store::Store;
use crate::sync::{Frame, LinkId, RawBatch, RawEntry};
use crate::view::{self, ReadRows, Rows};
use crate::wire;
use crate::wire::status::Refused;

/// Parts asked for in a second: enough for any case. Each costs a look at the disk, on the thread
/// that writes.
const ASK_MAX: usize = 64;
/// A second, in milliseconds.
const ASK_TIME_MS: u64 = 1_000;
/// Missing parts looked at in one go; the next look begins behind the last of them.
const LOOK_MAX: usize = 1024;
/// Pauses remembered. Beyond that those that are over are forgotten, then all: better a question
/// too many than a memory that whoever withholds parts can fill.
const PAUSES_MAX: usize = 16 * 1024;
/// Pause after the first question, in milliseconds; it doubles.
const PAUSE_MS: u64 = 1_000;
/// It doubles this often: to about a minute.
const DOUBLINGS_MAX: u32 = 6;

/// When each missing part is asked for again.
#[derive(Debug, Default)]
pub struct Asking {
    /// Next time and questions so far.
    next: BTreeMap<(Position, u32), (u64, u32)>,
    /// The part looked at last. Every missing part has its turn, however many of them one member
    /// withholds.
    last: Option<(Position, u32)>,
    /// Some part of some entry here is, or was, owed.
    owes: bool,
    /// A look has found that nothing is missing, and nothing was noted since.
    complete: bool,
    /// When the running second began, and questions in it.
    spent: (u64, usize),
}

impl Asking {
    /// Somebody new is linked: ask again at once, and with short pauses, for what entitles this
    /// city may take a moment to arrive there.
    pub fn soon(&mut self) {
        self.next.values_mut().for_each(|pause| *pause = (0, 0));
    }

    pub(super) fn count(&self) -> usize {
        self.next.len()
    }

    /// It is here, or erased.
    fn forget(&mut self, part: (Position, u32)) {
        self.next.remove(&part);
    }

    /// How many may be asked for now.
    fn left(&mut self, now: u64) -> usize {
        if now.saturating_sub(self.spent.0) >= ASK_TIME_MS {
            self.spent = (now, 0);
        }
        ASK_MAX.saturating_sub(self.spent.1)
    }

    fn forget_pauses(&mut self, now: u64) {
        if self.next.len() > PAUSES_MAX {
            self.next.retain(|_, (at, _)| now < *at);
        }
        if self.next.len() > PAUSES_MAX {
            self.next.clear();
        }
    }

    /// How often a part was asked for, if it is due again.
    fn due(&mut self, now: u64, part: (Position, u32)) -> Option<u32> {
        let (at, times) = self.next.entry(part).or_insert((0, 0));
        if now < *at {
            return None;
        }
        let asked = *times;
        *at = now + (PAUSE_MS << asked.min(DOUBLINGS_MAX));
        *times = asked.saturating_add(1);
        Some(asked)
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Asks linked cities that may hold them for parts this city may hold and does not have.
    pub(super) fn ask_for_missing(&mut self, now: Now) -> Vec<Output> {
        self.asking.forget_pauses(now.mono_ms);
        let mut outputs = Vec::new();
        let mut left = self.asking.left(now.mono_ms);
        if left == 0 {
            return outputs;
        }
        for (entry, part) in self.look_for_missing() {
            if left == 0 {
                break;
            }
            self.asking.last = Some((entry, part));
            // First whether it is time, then the disk.
            let Some(asked) = self.asking.due(now.mono_ms, (entry, part)) else { continue };
            left -= 1;
            self.asking.spent.1 += 1;
            let holders = self.may_hold_linked(entry, part);
            if holders.is_empty() {
                continue;
            }
            let frame = Frame::FetchParts { entry, parts: vec![part] };
            let whom = holders.get(asked as usize % holders.len()).copied();
            outputs.extend(whom.map(|link| Output::Send(link, frame)));
        }
        outputs
    }

    /// Missing parts from the one behind the last on, and round to it again.
    fn look_for_missing(&mut self) -> Vec<(Position, u32)> {
        // Asked at every tick, and nearly always in vain.
        if self.asking.complete {
            return Vec::new();
        }
        let first = self.asking.last.map_or_else(
            || b"m".to_vec(),
            |(at, part)| {
                let mut behind = keys::missing_part(at, part);
                behind.push(0);
                behind
            },
        );
        let mut missing = Vec::new();
        for (from, to) in [(first.as_slice(), b"n".as_slice()), (b"m", &first)] {
            self.group_rows().scan(from, to, false, &mut |key, _| {
                missing.extend(keys::parse_missing_part(key));
                missing.len() < LOOK_MAX
            });
            if missing.len() >= LOOK_MAX {
                break;
            }
        }
        self.asking.complete = missing.is_empty();
        missing
    }

    /// Links to cities that may hold a part, the author's first.
    fn may_hold_linked(&mut self, entry: Position, part: u32) -> Vec<LinkId> {
        let Some(author) = self.logs.get(entry.log).map(|l| l.manifest.city) else {
            return Vec::new();
        };
        let links: Vec<(LinkId, CityCode)> = self
            .exchange
            .greeted()
            .filter(|(_, city)| self.logs.may_see(*city, entry.log))
            .collect();
        if links.is_empty() {
            return Vec::new();
        }
        let reader = self.journal.reader();
        let rows = self.group_rows();
        let Ok(held) = load::entry_at(&rows, &reader, entry) else { return Vec::new() };
        let may = |city| view::may_hold(&rows, &held.envelope, part as usize, city);
        let mut holders: Vec<(bool, LinkId)> = links
            .into_iter()
            .filter(|(_, city)| may(*city))
            .map(|(link, city)| (city != author, link))
            .collect();
        holders.sort_unstable();
        holders.into_iter().map(|(_, link)| link).collect()
    }

    /// Takes parts that were asked for and match their header's digests.
    pub(super) fn late_parts(
        &mut self,
        now: Now,
        link: LinkId,
        entry: Position,
        parts: Vec<(u32, Bytes)>,
    ) -> Vec<Output> {
        let mut outputs = Vec::new();
        if self.poisoned.is_some() {
            return vec![refuse(link, &Refused::new("STORAGE_FAILED"), None)];
        }
        for (part, bytes) in parts.into_iter().take(limits::PARTS_MAX) {
            if self.group_rows().get(&keys::missing_part(entry, part)).is_none() {
                continue;
            }
            let reader = self.journal.reader();
            let digest = load::entry_at(&self.group_rows(), &reader, entry)
                .ok()
                .and_then(|e| e.envelope.parts.get(part as usize).map(|p| p.digest));
            let fits = !bytes.is_empty() && bytes.len() <= limits::PART_BYTES_MAX;
            if digest != Some(merkle::digest(&bytes)) || !fits {
                let detail = format!("part {part} of {entry} does not match its header");
                let refused = Refused::new("BAD_BATCH").with("detail", detail);
                outputs.extend(self.strike(now, link, &refused, Some(entry.log)));
                continue;
            }
            let payload = wire::peer::encode_late_part(entry, part, &bytes);
            match self.append(RecordKind::LatePart, &payload) {
                Ok(record) => self.index_late_part(entry, part, (rows::encode(&record), &bytes)),
                Err(error) => tracing::error!(%error, "could not keep a late part"),
            }
        }
        outputs
    }

    /// Notes where a late part lies, and that it is neither missing nor owed any more.
    pub(super) fn index_late_part(
        &mut self,
        entry: Position,
        part: u32,
        (row, bytes): (Vec<u8>, &[u8]),
    ) {
        let mut rows = self.group_rows();
        rows.put(keys::late_part(entry, part), row);
        rows.delete(&keys::missing_part(entry, part));
        rows.delete(&keys::owed_part(entry, part));
        self.asking.forget((entry, part));
        self.index_late_site(entry, part, bytes);
    }

    /// Notes parts for all members, of entries from one on, that are said to be erased by an entry
    /// that is not known to do so. A narrow part is none of them: no cosignature speaks of it, and
    /// whoever says so of one that this city may not hold could keep it owed for ever.
    /// (`what_came_late_or_was_erased_is_not_owed_again_when_its_batch_is_mended`)
    pub(super) fn note_owed(&mut self, batch: &RawBatch, from: u64) {
        let entries = (batch.from..).zip(&batch.entries);
        for (index, entry) in entries.filter(|(index, _)| *index >= from) {
            for (part, slot) in (0..).zip(&entry.parts) {
                let at = Position { log: batch.log, index };
                let by = match slot {
                    PartSlot::Bytes(_) => continue,
                    PartSlot::ErasedBy(by) => by,
                    // Of this journal only: it was erased, and the entry that erases it is not
                    // applied any more, or yet.
                    PartSlot::Withheld => &at,
                };
                let came_late = self.group_rows().get(&keys::late_part(at, part)).is_some();
                if came_late || is_narrow(entry, part) || self.is_proven(*by, at, part) {
                    continue;
                }
                self.owe(at, part, *by);
                // Asked for at once: the entry that is said to erase it may never come.
                self.put_missing(at, part);
            }
        }
    }

    /// Notes that a part is missing here: it is asked for.
    pub(super) fn put_missing(&mut self, at: Position, part: u32) {
        if self.group_rows().get(&keys::erased_part(at, part)).is_some() {
            return;
        }
        self.asking.complete = false;
        self.group_rows().put(keys::missing_part(at, part), Vec::new());
    }

    /// Whether a narrow part is lacking here without proof that it was erased: asked for as soon
    /// as this city may hold it, whatever the source of its batch has said.
    pub(super) fn is_lacking(&mut self, slot: &PartSlot, at: Position, part: u32) -> bool {
        match slot {
            PartSlot::Bytes(_) => false,
            PartSlot::Withheld => true,
            PartSlot::ErasedBy(by) => !self.is_proven(*by, at, part),
        }
    }

    fn owe(&mut self, at: Position, part: u32, by: Position) {
        self.asking.owes = true;
        self.group_rows().put(keys::owed_part(at, part), rows::encode(&by));
    }

    /// Whether an entry that is applied here erases a part: the one named, or any other.
    fn is_proven(&mut self, by: Position, at: Position, part: u32) -> bool {
        if self.group_rows().get(&keys::erased_part(at, part)).is_some() {
            return true;
        }
        if self.logs.get(by.log).is_none_or(|l| by.index >= l.applied()) {
            return false;
        }
        let reader = self.journal.reader();
        let Ok(entry) = load::entry_at(&self.group_rows(), &reader, by) else { return false };
        let Ok(parsed) = wire::entry::parse_header(&entry.header) else { return false };
        let Event::PartErased { entry, part: erased, .. } = parsed.event else { return false };
        (entry, erased) == (at, part) && self.erases(by, at)
    }

    /// Whether an entry can erase a part of another one: of the same city, and of one log only what
    /// is below it. What says otherwise erases nothing: a copy without that part would be refused.
    pub(super) fn erases(&self, by: Position, at: Position) -> bool {
        self.same_city(by.log, at.log) && (by.log != at.log || at.index < by.index)
    }

    pub(super) fn same_city(&self, one: LogId, other: LogId) -> bool {
        let city = |log| self.logs.get(log).map(|l| (l.manifest.agreement, l.manifest.city));
        city(one).is_some() && city(one) == city(other)
    }

    /// An entry was applied: the part that it erases is neither owed nor missing any more.
    pub(super) fn settle_owed(&mut self, by: Position, event: &Event) {
        let Event::PartErased { entry, part, .. } = event else { return };
        if self.erases(by, *entry) {
            self.group_rows().put(keys::erased_part(*entry, *part), rows::encode(&by));
            self.group_rows().put(keys::unerased_part(*entry, *part), Vec::new());
            self.group_rows().delete(&keys::owed_part(*entry, *part));
            self.group_rows().delete(&keys::missing_part(*entry, *part));
            self.asking.forget((*entry, *part));
        }
    }

    /// Whether a part below this size of a log is owed to this city.
    pub(super) fn owes_below(&self, log: LogId, size: u64) -> bool {
        if !self.asking.owes {
            return false;
        }
        let from = keys::owed_part(Position { log, index: 0 }, 0);
        let to = keys::owed_part(Position { log, index: size }, 0);
        let mut owes = false;
        // Committed rows only: what came in this group is not on disk yet.
        let scanned = self.rows.read().scan(&from, &to, false, &mut |_, _| {
            owes = true;
            false
        });
        owes || scanned.is_err()
    }

    /// After a start: whether anything is owed.
    pub(super) fn load_owed(&mut self) {
        let mut owes = false;
        self.group_rows().scan(b"v", b"w", false, &mut |_, _| {
            owes = true;
            false
        });
        self.asking.owes |= owes;
    }
}

/// Whether a part is not for all members; also of a header that cannot be read.
fn is_narrow(entry: &RawEntry, part: u32) -> bool {
    let Ok(parsed) = wire::entry::parse_header(&entry.header) else { return true };
    let named = parsed.envelope.parts.get(part as usize);
    named.is_none_or(|named| named.audience != Audience::AllMembers)
}
