//! Reading: a cheap handle on committed rows and the journal, for the API, pages and links.
//!
//! Everything read here is synced. Blocking, but fast: one row and one journal record a case.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::api::request::PartContent;
use crate::domain::{Event, Uscc};
use crate::ids::{ActorId, AgreementId, CityCode, LogId, Position, SubjectId, Tag};
use crate::journal::{Disk, JournalReader, RealDisk};
use crate::limits::{self, SITES_BY_CODE_MAX};
use crate::log::{Audience, Entry, Head, PartKind, PartSlot, merkle};
use crate::node::core::keys;
use crate::node::core::lean::Leaning;
use crate::node::core::rows::{self, CosignatureRow, LogRow, ProgressRow};
use crate::node::core::site_codes::{self, SiteKey};
use crate::node::load::{self, ReadError};
use crate::node::reading::OnlyReading;
use crate::node::recent::Recent;
use crate::store::{Reading, SledStore, Store, WriteBehind};
use crate::sync::RawBatch;
use crate::trust::keys::HmacKey;
use crate::view::{self, CaseView, ReadRows, SiteView};
use crate::wire;

/// Cases one external number leads to: a city has a few systems, not hundreds.
const CASES_BY_NUMBER_MAX: usize = 64;

/// An entry read back, with what its header says.
#[derive(Clone, Debug)]
pub struct LoadedEntry {
    /// The entry, late parts in their places.
    pub entry: Entry,
    /// What happened.
    pub event: Event,
}

/// A stretch read for a peer.
#[derive(Debug, Default)]
pub struct Stretch {
    /// The batches, with what the peer may not hold withheld.
    pub batches: Vec<RawBatch>,
    /// First index not in them.
    pub next: u64,
    /// Signed bytes in them.
    pub bytes: u64,
}

/// A cheap handle; clones share everything.
pub struct Reader<D: Disk = RealDisk, S: Store = SledStore> {
    rows: Arc<WriteBehind<S>>,
    journal: JournalReader<D>,
    feed_id: [u8; 16],
    node_key: HmacKey,
    recent: Arc<Recent>,
}

impl<D: Disk, S: Store> Clone for Reader<D, S> {
    fn clone(&self) -> Self {
        Self {
            rows: Arc::clone(&self.rows),
            journal: self.journal.clone(),
            feed_id: self.feed_id,
            node_key: self.node_key.clone(),
            recent: Arc::clone(&self.recent),
        }
    }
}

/// Rows that [`InPieces`] reads at a time.
const PIECE_ROWS: usize = 64;

/// Rows, consistent while held. Drop it soon: the writer waits for it. A thread that has one begins
/// no other of the same node (`node/reading.rs`).
pub struct ViewRead<'a, S: Store = SledStore> {
    rows: Reading<'a, S>,
    _only: OnlyReading,
}

impl<S: Store> ReadRows for ViewRead<'_, S> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.rows.get(key) {
            Ok(row) => row,
            Err(error) => {
                tracing::error!(%error, "could not read the views");
                None
            }
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], reverse: bool, f: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        if let Err(error) = self.rows.scan(from, to, reverse, f) {
            tracing::error!(%error, "could not scan the views");
        }
    }
}

/// Rows, read in pieces: between two readings the writer may go on, so what is read may be of two
/// moments. For what takes long and is shown to people.
pub struct InPieces<'a, D: Disk, S: Store>(&'a Reader<D, S>);

impl<D: Disk, S: Store> ReadRows for InPieces<'_, D, S> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.view().get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], reverse: bool, f: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let (mut from, mut to) = (from.to_vec(), to.to_vec());
        loop {
            let mut piece: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            self.0.view().scan(&from, &to, reverse, &mut |key, value| {
                piece.push((key.to_vec(), value.to_vec()));
                piece.len() < PIECE_ROWS
            });
            let Some((last, _)) = piece.last() else { return };
            if reverse {
                to.clone_from(last);
            } else {
                from = [last.as_slice(), &[0]].concat();
            }
            if !piece.iter().all(|(key, value)| f(key, value)) {
                return;
            }
        }
    }
}

impl<D: Disk, S: Store> Reader<D, S> {
    /// The views, read in pieces.
    #[must_use]
    pub const fn in_pieces(&self) -> InPieces<'_, D, S> {
        InPieces(self)
    }

    /// A reader over committed rows and a journal.
    #[must_use]
    pub fn new(
        rows: Arc<WriteBehind<S>>,
        journal: JournalReader<D>,
        feed_id: [u8; 16],
        node_key: HmacKey,
    ) -> Self {
        Self { rows, journal, feed_id, node_key, recent: Arc::default() }
    }

    /// The key under which this node makes tags.
    pub(super) fn key(&self) -> &HmacKey {
        &self.node_key
    }

    /// Waits until every row committed so far is written.
    ///
    /// # Errors
    /// [`crate::store::StoreError`] when rows could not be written.
    pub fn flush(&self) -> Result<(), crate::store::StoreError> {
        self.rows.flush()
    }

    /// The journal, for whoever reads all of it.
    #[must_use]
    pub fn journal(&self) -> JournalReader<D> {
        self.journal.clone()
    }

    /// How far the views are written: groups so far, and whether any wait.
    #[must_use]
    pub fn written(&self) -> (u64, bool) {
        self.rows.written()
    }

    /// Why the views can no longer be relied on, if so.
    #[must_use]
    pub fn failure(&self) -> Option<crate::store::StoreError> {
        self.rows.failure()
    }

    /// The views, consistent while held; a thread reads them once at a time.
    #[must_use]
    pub fn view(&self) -> ViewRead<'_, S> {
        let only = OnlyReading::begin(&self.rows);
        ViewRead { rows: self.rows.read(), _only: only }
    }

    /// What is applied here only because something is suspended here.
    #[must_use]
    pub fn leaning(&self) -> Leaning {
        let mut leaning = Vec::new();
        self.view().scan(b"l", b"m", false, &mut |key, value| {
            let log = key.get(1..).and_then(|id| LogId::from_slice(id).ok());
            let from = rows::decode::<LogRow>(value).and_then(|row| row.leans_from);
            leaning.extend(log.zip(from.map(|(size, _)| size)));
            true
        });
        leaning.into_iter().collect()
    }

    /// Entries applied, as of `view`.
    #[must_use]
    pub fn apply_number(&self, view: &ViewRead<'_, S>) -> u64 {
        let row = view.get(keys::PROGRESS);
        row.as_deref().and_then(rows::decode::<ProgressRow>).map_or(0, |p| p.apply_number)
    }

    /// What cursors carry: those of another journal, or of another order of application, cannot be
    /// resumed.
    #[must_use]
    pub fn feed_id(&self) -> [u8; 16] {
        self.feed_id
    }

    /// One entry.
    ///
    /// # Errors
    /// [`ReadError`]: not here, damaged, or unreadable.
    pub fn entry(&self, at: Position) -> Result<LoadedEntry, ReadError> {
        let rows = self.view();
        let (_, row) = load::find_batch(&rows, at).ok_or(ReadError::NotFound)?;
        let read = || load::read_encoded(&self.journal, row.record, at);
        let batch = self.recent.batch(row.record, read)?;
        let (entry, event) = load::entry_in(&rows, &self.journal, &batch, at)?;
        Ok(LoadedEntry { entry, event })
    }

    /// The content of a part; `None` when it is withheld from this city or erased.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`] when its bytes are no part.
    pub fn part(&self, entry: &Entry, part: usize) -> Result<Option<PartContent>, ReadError> {
        match entry.parts.get(part) {
            Some(PartSlot::Bytes(bytes)) => {
                let at = entry.envelope.position();
                let unreadable =
                    |e: wire::WireError| ReadError::Unreadable { at, reason: e.to_string() };
                wire::part::parse_part(bytes).map(Some).map_err(unreadable)
            }
            Some(PartSlot::ErasedBy(_) | PartSlot::Withheld) | None => Ok(None),
        }
    }

    /// The case with a running number, within one agreement.
    #[must_use]
    pub fn case_by_number(&self, agreement: AgreementId, number: &str) -> Option<SubjectId> {
        let tag = self.node_key.tag(&[b"number", &keys::number_text(agreement, number)]);
        let row = self.view().get(&keys::number(tag))?;
        keys::parse_case_value(&row).map(|(_, subject)| subject)
    }

    /// The number people say of a case; `None` when its part is not here.
    #[must_use]
    pub fn case_number(&self, found: &CaseView) -> Option<String> {
        let loaded = self.entry(found.opened_at).ok()?;
        let parts = &loaded.entry.envelope.parts;
        let place = parts.iter().position(|part| part.kind == PartKind::CaseNumber)?;
        let content = self.part(&loaded.entry, place).ok()??;
        let PartContent::CaseNumber { number, .. } = content else { return None };
        Some(number)
    }

    /// The certificate number of somebody of the own city who acted; `None` of those of others.
    #[must_use]
    pub fn certificate(&self, agreement: AgreementId, actor: ActorId) -> Option<String> {
        let at = self.view().get(&keys::introduced(agreement, actor))?;
        let loaded = self.entry(rows::decode(&at)?).ok()?;
        let parts = &loaded.entry.envelope.parts;
        let place = parts.iter().position(|part| part.kind == PartKind::ActorCertificate)?;
        let content = self.part(&loaded.entry, place).ok()??;
        if let PartContent::ActorCertificate(number) = content { Some(number) } else { None }
    }

    /// Cases the own city opened under this number of one of its systems: one for each system.
    #[must_use]
    pub fn cases_by_external(&self, number: &str) -> Vec<(AgreementId, SubjectId)> {
        let tag = self.node_key.tag(&[b"external number", number.as_bytes()]);
        let all = |byte| (AgreementId::new([byte; 16]), SubjectId::new([byte; 16]));
        let ((first, lowest), (last, highest)) = (all(0), all(255));
        let from = keys::external_number(tag, first, lowest);
        let to = keys::external_number(tag, last, highest);
        let mut found = Vec::new();
        self.view().scan(&from, &to, false, &mut |key, _| {
            found.extend(keys::parse_external_number(key));
            found.len() < CASES_BY_NUMBER_MAX
        });
        found
    }

    /// The tag that stands for a credit code in the rows of sites.
    #[must_use]
    pub fn site_tag(&self, uscc: &Uscc) -> Tag {
        site_codes::code_tag(&self.node_key, uscc)
    }

    /// Sites whose credit code has this tag, those of the own city first and at most
    /// [`SITES_BY_CODE_MAX`]; and whether there may be more.
    #[must_use]
    pub fn sites_of(&self, own: CityCode, tag: Tag) -> (Vec<(SiteKey, SiteView)>, bool) {
        let rows = self.view();
        let mut keys = site_codes::sites_of(&rows, tag, Some(own), SITES_BY_CODE_MAX);
        let all = site_codes::sites_of(&rows, tag, None, SITES_BY_CODE_MAX);
        let partial = keys.len().max(all.len()) >= SITES_BY_CODE_MAX;
        let known: BTreeSet<SiteKey> = keys.iter().copied().collect();
        keys.extend(all.into_iter().filter(|key| !known.contains(key)));
        let read = |key: SiteKey| Some((key, view::site(&rows, key.0, key.1)?));
        let found = keys.into_iter().filter_map(read);
        let is_of =
            |(_, found): &(SiteKey, SiteView)| site_codes::tag_of(&rows, found) == Some(tag);
        (found.filter(is_of).collect(), partial)
    }

    /// A tag by which this node knows again what it once said to a caller.
    #[must_use]
    pub fn seal(&self, fields: &[&[u8]]) -> Tag {
        let fields: Vec<&[u8]> = [b"seal".as_slice()].iter().chain(fields).copied().collect();
        self.node_key.tag(&fields)
    }

    /// A tag that stands for a party in memory; nobody without the node's key can make it.
    #[must_use]
    pub fn party_tag(&self, fields: &[&[u8]]) -> Tag {
        let fields: Vec<&[u8]> = [b"party".as_slice()].iter().chain(fields).copied().collect();
        self.node_key.tag(&fields)
    }

    /// The head over what is applied of a log, as of `view`; `None` when nothing is.
    #[must_use]
    pub fn applied_head(&self, view: &ViewRead<'_, S>, log: LogId) -> Option<Head> {
        let row: LogRow = rows::decode(&view.get(&keys::log(log))?)?;
        let (size, edge) = row.applied;
        let frontier = merkle::Frontier::from_parts(size, edge)?;
        (size > 0).then(|| Head { log, size, root: frontier.root() })
    }

    /// Which witness logs hold an entry, and since when (seconds since 1970-01-01 UTC).
    #[must_use]
    pub fn holdings(&self, at: Position, witnesses: &[LogId]) -> Vec<(LogId, u64)> {
        let view = self.view();
        let since = |witness: &LogId| {
            let from = keys::cosignature(at.log, *witness, at.index + 1);
            let to = keys::cosignature(at.log, *witness, u64::MAX);
            let mut first = None;
            view.scan(&from, &to, false, &mut |_, value| {
                first = rows::decode::<CosignatureRow>(value).map(|row| row.time_s);
                false
            });
            first.map(|time_s| (*witness, time_s))
        };
        witnesses.iter().filter_map(since).collect()
    }

    /// Since when anybody but its author holds an entry, milliseconds since 1970-01-01 UTC by the
    /// clock of whoever held it first.
    #[must_use]
    pub fn first_held_ms(&self, at: Position) -> Option<i64> {
        let to = keys::cosignature(at.log, LogId::new([0xff; 32]), u64::MAX);
        let (mut from, mut witnesses) = (keys::cosignature(at.log, LogId::new([0; 32]), 0), vec![]);
        let view = self.view();
        loop {
            let mut next = None;
            view.scan(&from, &to, false, &mut |key, _| {
                next = keys::parse_witness(key);
                false
            });
            let Some(witness) = next else { break };
            from = keys::cosignature(at.log, witness, u64::MAX);
            witnesses.push(witness);
        }
        drop(view);
        let since = self.holdings(at, &witnesses).into_iter().map(|(_, time_s)| time_s).min()?;
        i64::try_from(since).ok()?.checked_mul(1_000)
    }

    /// Reads a stretch of a log for a city: whole batches from `from` on, until `bytes_max` is
    /// reached; parts the city may not hold are withheld.
    ///
    /// # Errors
    /// [`ReadError`]: damaged or unreadable.
    pub fn stretch(
        &self,
        city: CityCode,
        log: LogId,
        from: u64,
        bytes_max: u64,
    ) -> Result<Stretch, ReadError> {
        let mut stretch = Stretch { next: from, ..Stretch::default() };
        while stretch.bytes < bytes_max {
            let at = Position { log, index: stretch.next };
            let found = load::find_batch(&self.view(), at);
            let Some((_, row)) = found else { break };
            let mut batch = match load::read_batch(&self.journal, row.record, at) {
                Ok(batch) => batch,
                // What lies before the damage is sent all the same.
                Err(_) if !stretch.batches.is_empty() => break,
                Err(error) => return Err(error),
            };
            let known = usize::try_from(stretch.next.saturating_sub(batch.from)).unwrap_or(0);
            batch.entries.drain(..known.min(batch.entries.len()));
            batch.from = stretch.next;
            if row.narrow {
                self.withhold(city, &mut batch);
            }
            load::blank_erased(&self.view(), &mut batch);
            if lacks_for_all(&batch) {
                // It was erased, and what erases it is not applied yet: as good as damaged.
                if !stretch.batches.is_empty() {
                    break;
                }
                let reason = "the entry that erases a part is not applied yet".to_owned();
                return Err(ReadError::Unreadable { at, reason });
            }
            stretch.next = row.end;
            stretch.bytes += batch.signed_bytes().max(1);
            match stretch.batches.last_mut() {
                Some(last) if may_join(last, &batch) => join(last, batch),
                Some(_) | None => stretch.batches.push(batch),
            }
        }
        Ok(stretch)
    }

    fn withhold(&self, city: CityCode, batch: &mut RawBatch) {
        let view = self.view();
        for entry in &mut batch.entries {
            let Ok(parsed) = wire::entry::parse_header(&entry.header) else {
                entry.parts.iter_mut().for_each(|slot| *slot = PartSlot::Withheld);
                continue;
            };
            #[cfg(feature = "planted-bugs")]
            if crate::planted::is_on("relay-blanks-parts") {
                entry.parts.iter_mut().for_each(|slot| *slot = PartSlot::Withheld);
            }
            for (part, slot) in entry.parts.iter_mut().enumerate() {
                let may = view::may_hold(&view, &parsed.envelope, part, city);
                if !may && matches!(slot, PartSlot::Bytes(_)) {
                    *slot = PartSlot::Withheld;
                }
            }
        }
    }

    /// The narrow parts of an entry that a city may hold and that are here.
    ///
    /// # Errors
    /// [`ReadError`]: not here, damaged, or unreadable.
    pub fn parts_for(
        &self,
        city: CityCode,
        at: Position,
        parts: &[u32],
    ) -> Result<Vec<(u32, Bytes)>, ReadError> {
        let view = self.view();
        let entry = load::entry_at(&view, &self.journal, at)?;
        let mut found = Vec::new();
        for part in parts {
            let index = *part as usize;
            let Some(part_ref) = entry.envelope.parts.get(index) else { continue };
            if !view::may_hold(&view, &entry.envelope, index, city) {
                continue;
            }
            if let Some(PartSlot::Bytes(bytes)) = entry.parts.get(index)
                && merkle::digest(bytes) == part_ref.digest
            {
                found.push((*part, bytes.clone()));
            }
        }
        Ok(found)
    }
}

/// Whether a part for all members is withheld, which no member takes.
fn lacks_for_all(batch: &RawBatch) -> bool {
    batch.entries.iter().any(|entry| {
        let lacks = |slot: &PartSlot| matches!(slot, PartSlot::Withheld);
        entry.parts.iter().any(lacks)
            && wire::entry::parse_header(&entry.header).is_ok_and(|parsed| {
                let mut named = parsed.envelope.parts.iter().zip(&entry.parts);
                named.any(|(part, slot)| lacks(slot) && part.audience == Audience::AllMembers)
            })
    })
}

/// Whether two consecutive batches fit into one: whoever is far behind checks one signature for
/// both.
fn may_join(first: &RawBatch, second: &RawBatch) -> bool {
    let count = first.entries.len() + second.entries.len();
    let bytes = first.signed_bytes() + second.signed_bytes();
    count <= limits::BATCH_ENTRIES_MAX && bytes <= limits::BATCH_BYTES_MAX as u64
}

/// One batch instead of two, closed by the second one's checkpoint.
fn join(first: &mut RawBatch, second: RawBatch) {
    first.entries.extend(second.entries);
    first.checkpoint = second.checkpoint;
}
