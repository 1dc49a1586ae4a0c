//! Damage in the journal: which entries lay there, and fetching them again from a member.
//!
//! Reads of such an entry are refused until then; everything else goes on. What comes is checked
//! like any other batch, against the tree below it and, where that can be read, the signed tree
//! above it, and appended to the journal: the rows then name the new record. Of a log with two
//! histories nothing is taken without that.
//!
//! In scope: batches and late parts that the views know of. Out of scope: finding damage before
//! anybody reads it; views that have to be rebuilt over it ([`super::replay`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{CityCode, LogId};
use crate::journal::{Disk, RecordRef};
use crate::log::Audience;
use crate::log::checkpoint::SignedCheckpoint;
use crate::log::merkle::{Frontier, leaf_hash};
use crate::node::core::follow::refuse;
use crate::node::core::ingest::{NotTaken, Taken};
use crate::node::core::io::Output;
use crate::node::core::logs::Log;
use crate::node::core::rows::{self, BatchRow};
use crate::node::core::{Core, Now, keys};
use crate::node::load;
use crate::store::Store;
use crate::sync::{Frame, LinkId, RawBatch};
use crate::view::{self, ReadRows, Rows};
use crate::wire::entry::ParsedHeader;
use crate::wire::status::Refused;

/// A member that was asked and has sent nothing is left for another after this time, in
/// milliseconds.
const ANSWER_MS: u64 = 5_000;
/// Credit for one stretch and no more, in bytes.
pub(super) const CREDIT_BYTES: u64 = 1;

/// What is damaged here and known to the views.
#[derive(Debug, Default)]
pub(super) struct Mending {
    /// First entry and the one behind the last, by log.
    gaps: BTreeMap<(LogId, u64), u64>,
    /// Records that were looked up.
    known: BTreeSet<u64>,
    /// Of them, those that hold notes and not entries: nobody sends them again.
    notes: u64,
    /// When a member was last asked, how often, and for which stretch.
    asked_ms: Option<u64>,
    asked: usize,
    last: Option<(LogId, u64)>,
}

impl Mending {
    pub(super) fn count(&self) -> usize {
        self.gaps.len() + self.known.len()
    }

    /// Ranges of entries: log, first, behind the last.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (LogId, u64, u64)> + '_ {
        self.gaps.iter().map(|((log, from), to)| (*log, *from, *to))
    }

    /// The same from the one behind the last that was asked for, and round to it: what nobody
    /// holds keeps nothing else waiting. (`what_nobody_holds_keeps_no_other_damage_waiting`)
    fn in_turn(&self) -> Vec<(LogId, u64, u64)> {
        let all: Vec<_> = self.gaps().collect();
        let asked = |(log, from, _): &(LogId, u64, u64)| Some((*log, *from)) <= self.last;
        let (before, behind): (Vec<_>, Vec<_>) = all.into_iter().partition(asked);
        behind.into_iter().chain(before).collect()
    }

    /// Damaged records that hold notes.
    pub(super) fn notes(&self) -> u64 {
        self.notes
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether a stretch that begins here is wanted again.
    pub(super) fn is_damaged(&self, log: LogId, from: u64) -> bool {
        self.mending.gaps.contains_key(&(log, from))
    }

    /// Looks up what lay in records that were found damaged since the last time.
    fn look_for_damage(&mut self) {
        let damaged = self.journal.damaged();
        if damaged.is_subset(&self.mending.known) {
            return;
        }
        let mut gaps = Vec::new();
        let rows = self.group_rows();
        rows.scan(b"b", b"c", false, &mut |key, value| {
            let row = rows::decode::<BatchRow>(value);
            if let Some(row) = row.filter(|row| damaged.contains(&row.record.number)) {
                gaps.extend(parse_batch_key(key).map(|at| (at, row.end)));
            }
            true
        });
        let mut parts = Vec::new();
        rows.scan(b"d", b"e", false, &mut |key, value| {
            let record = rows::decode::<RecordRef>(value);
            if record.is_some_and(|record| damaged.contains(&record.number)) {
                parts.extend(keys::parse_late_part(key));
            }
            true
        });
        let mut notes = 0;
        rows.scan(b"k", b"l", false, &mut |_, value| {
            let record = rows::decode::<RecordRef>(value);
            notes += u64::from(record.is_some_and(|record| damaged.contains(&record.number)));
            true
        });
        self.mending.notes = notes;
        for ((log, from), to) in gaps {
            let entries = to.saturating_sub(from);
            tracing::error!(%log, from, entries, "entries are damaged on this disk");
            self.mending.gaps.insert((log, from), to);
        }
        for (at, part) in parts {
            tracing::error!(entry = %at, part, "a late part is damaged on this disk");
            self.group_rows().delete(&keys::late_part(at, part));
            self.put_missing(at, part);
        }
        self.mending.known = damaged;
    }

    /// Forgets gaps whose entries are read from a new record, and keeps what is left of them.
    fn forget_mended(&mut self) {
        let gaps: Vec<(LogId, u64, u64)> = self.mending.gaps().collect();
        for (log, from, to) in gaps {
            let row = self.group_rows().get(&keys::batch(log, from));
            let Some(row) = row.as_deref().and_then(rows::decode::<BatchRow>) else { continue };
            if self.mending.known.contains(&row.record.number) {
                continue;
            }
            self.mending.gaps.remove(&(log, from));
            if row.end < to {
                self.mending.gaps.insert((log, row.end), to);
            }
        }
    }

    /// Whether any other city is thought to hold entries of a log up to a size: one that has
    /// cosigned them, or its author, unless that one is linked and shows less: it was restored from
    /// an older copy. (`damage_that_its_author_has_lost_as_well_is_only_here`)
    pub(super) fn is_held_elsewhere(&self, log: LogId, size: u64) -> bool {
        let Some(author) = self.logs.get(log).map(|l| l.manifest.city) else { return false };
        let own = self.settings.city;
        let shown = self.exchange.link_to(author).map(|link| self.exchange.announced_by(link, log));
        // Nothing shown is no word: a greeting has room for so many logs.
        let has_less = shown.is_some_and(|shown| shown > 0 && shown < size);
        let mut held = self.cosigned_by(log, |by| by != own);
        (author != own && !has_less) || held.any(|cosign| cosign.size >= size)
    }

    /// Asks one member for the next stretch that is damaged here and that somebody may hold.
    pub(super) fn ask_to_mend(&mut self, now: Now) -> Vec<Output> {
        self.look_for_damage();
        self.forget_mended();
        let waits = |at: u64| now.mono_ms.saturating_sub(at) < ANSWER_MS;
        if self.mending.asked_ms.is_some_and(waits) {
            return Vec::new();
        }
        let mut asked = None;
        for (log, from, _) in self.mending.in_turn() {
            let holders = self.holders_of(log, from);
            let turn = self.mending.asked.checked_rem(holders.len());
            if let Some(link) = turn.and_then(|turn| holders.get(turn)) {
                asked = Some((*link, log, from));
                break;
            }
        }
        let Some((link, log, from)) = asked else { return Vec::new() };
        self.mending.asked_ms = Some(now.mono_ms);
        self.mending.last = Some((log, from));
        self.mending.asked = self.mending.asked.wrapping_add(1);
        let credit = CREDIT_BYTES;
        vec![Output::Send(link, Frame::Subscribe { log, from, credit })]
    }

    /// Links to members that hold an entry of a log: its author, whoever has announced it, and
    /// whoever has cosigned it. Of a log that is sent live from here nothing is announced back.
    /// (`damage_of_what_was_sent_live_is_fetched_from_whoever_cosigned_it`) What lies behind that
    /// entry they need not hold: of batches that were joined here, they may have the first alone.
    /// (`a_member_that_holds_less_gives_back_what_it_has`)
    fn holders_of(&self, log: LogId, index: u64) -> Vec<LinkId> {
        let Some(found) = self.logs.get(log) else { return Vec::new() };
        let cosigned =
            |city: CityCode| self.cosigned_by(log, |by| by == city).any(|c| c.size > index);
        let holds = |(link, city): &(LinkId, CityCode)| {
            self.logs.may_see(*city, log)
                && (self.exchange.announced_by(*link, log) > index
                    || found.manifest.city == *city
                    || cosigned(*city))
        };
        self.exchange.greeted().filter(holds).map(|(link, _)| link).collect()
    }

    /// A stretch that was asked for.
    pub(super) fn mend(&mut self, link: LinkId, city: CityCode, raw: RawBatch) -> Vec<Output> {
        let (log, bytes) = (raw.log, raw.signed_bytes());
        // That link goes back to what it was: a source, or nothing.
        let mut outputs = vec![Output::Send(link, Frame::Unsubscribe { log })];
        let again = self.exchange.resubscribe(&self.logs, link, log);
        outputs.extend(self.perform(again));
        if self.poisoned.is_some() {
            return outputs;
        }
        match self.accept_again(raw) {
            Ok(taken) => {
                let here = self.logs.get(log).map_or(0, Log::appended);
                match taken.accepted.head.size.saturating_sub(here) {
                    0 => {
                        self.group.mended.push((taken.batch, taken.headers));
                        self.group.dirty = true;
                    }
                    news => match self.day_with(log, news, bytes) {
                        Some(day) => self.gather(link, taken, bytes, day),
                        None => outputs.extend(self.suspend_log(self.now, log)),
                    },
                }
            }
            // It may well be what lay here. It is asked for again: a member that has joined the
            // batches gives both at once.
            Err(NotTaken::Standing) => {
                tracing::debug!(%city, %log, "what is damaged below damage waits");
            }
            Err(error) => {
                tracing::warn!(%city, %log, %error, "could not mend a damaged stretch");
                let refused = Refused::new("BAD_BATCH").with("detail", &error);
                outputs.push(refuse(link, &refused, Some(log)));
            }
        }
        outputs
    }

    /// Checks it against the tree below it, and what is here of the tree above.
    fn accept_again(&mut self, raw: RawBatch) -> Result<Taken, NotTaken> {
        let log = raw.log;
        let below = self.frontier_at(log, raw.from).ok_or(NotTaken::Standing)?;
        let taken = self.accept_at(log, &below, raw)?;
        let head = taken.accepted.head;
        let found = self.logs.get(log).ok_or(NotTaken::Standing)?;
        let (durable, forked, key) = (found.durable, found.fork.is_some(), found.manifest.log_key);
        if head.size >= durable.size {
            self.check_end(found, below, &taken)?;
            return Ok(taken);
        }
        let reader = self.journal.reader();
        match load::batch_at(&self.group_rows(), &reader, log, head.size) {
            Ok(next) => {
                let mut frontier = taken.accepted.frontier.clone();
                let known =
                    usize::try_from(head.size.saturating_sub(next.from)).unwrap_or(usize::MAX);
                for entry in next.entries.iter().skip(known) {
                    frontier.push(leaf_hash(&entry.header));
                }
                let signed = SignedCheckpoint::verify(&next.checkpoint, log, &key).ok();
                let is_it = signed.map(|s| s.head().root) == Some(frontier.root());
                if is_it { Ok(taken) } else { Err(NotTaken::Differs) }
            }
            // Its author has signed another history: without what lies above, nothing says which
            // it is. A fork that shows itself only later cannot be told here: rows keep no leaves.
            Err(_) if forked => Err(NotTaken::Standing),
            Err(_) => Ok(taken),
        }
    }

    /// A stretch that reaches the end of what is here or goes beyond it, where whoever sends it has
    /// joined batches: up to that end it is what lay here, and what is behind may be taken.
    /// (`what_goes_beyond_the_end_is_mended_only_with_what_lay_here`)
    fn check_end(&self, log: &Log, mut below: Frontier, taken: &Taken) -> Result<(), NotTaken> {
        let (head, end) = (taken.accepted.head, log.durable);
        let here = usize::try_from(end.size.saturating_sub(below.size())).unwrap_or(usize::MAX);
        let entries = taken.batch.entries.iter().take(here);
        entries.for_each(|entry| below.push(leaf_hash(&entry.header)));
        if below.root() != end.root {
            return Err(NotTaken::Differs);
        }
        let grows = head.size > end.size;
        let stands = log.fork.is_some() || log.shut;
        if grows && (log.is_own() || stands || log.appended() != end.size) {
            return Err(NotTaken::Standing);
        }
        if grows && !self.check_succession(head) {
            return Err(NotTaken::Superseded);
        }
        Ok(())
    }

    /// The right edge of the tree over the first `size` entries, read from the journal.
    fn frontier_at(&mut self, log: LogId, size: u64) -> Option<Frontier> {
        let mut frontier = Frontier::new();
        self.each_leaf(log, size, &mut |leaf| frontier.push(leaf))?;
        Some(frontier)
    }

    /// It is on disk. A log that waited for nothing but this goes on at once, and at this place of
    /// the journal, as in a replay. (`what_waited_for_a_damaged_entry_goes_on_once_it_is_back`)
    pub(super) fn taken_again(&mut self, batch: &RawBatch, headers: &[ParsedHeader]) {
        self.mending.asked_ms = None;
        let own = self.settings.city;
        for (entry, parsed) in batch.entries.iter().zip(headers) {
            for (part, (part_ref, slot)) in
                parsed.envelope.parts.iter().zip(&entry.parts).enumerate()
            {
                let at = parsed.envelope.position();
                let number = u32::try_from(part).unwrap_or(u32::MAX);
                let lacking =
                    part_ref.audience != Audience::AllMembers && self.is_lacking(slot, at, number);
                if lacking && view::may_hold(&self.group_rows(), &parsed.envelope, part, own) {
                    self.note_missing(at, part);
                }
            }
        }
        self.apply_batch(batch, headers);
        self.apply_released();
    }
}

/// Reads back a key of [`keys::batch`].
fn parse_batch_key(key: &[u8]) -> Option<(LogId, u64)> {
    let (log, from) = key.strip_prefix(b"b")?.split_at_checked(32)?;
    Some((LogId::from_slice(log).ok()?, u64::from_be_bytes(from.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Position;

    #[test]
    fn keys_read_back() {
        let at = Position { log: LogId::new([3; 32]), index: 70_000 };
        assert_eq!(parse_batch_key(&keys::batch(at.log, at.index)), Some((at.log, at.index)));
        assert_eq!(keys::parse_late_part(&keys::late_part(at, 2)), Some((at, 2)));
    }
}
