//! The parties of cases, for searching: kept in memory and nowhere else.
//!
//! In scope: the text of each case's party, read from the journal when it is first asked for. Out
//! of scope: what fits ([`crate::domain::party_search`]), pages and counts (`rpc::case_list`).
//!
//! No byte of a part is put into the rows, so names cannot lie there. Tags of pieces of names
//! could, but would have to be rebuilt at every change of what fits; the whole text of a hundred
//! thousand names takes some ten megabytes and is made from the journal in seconds. A text is kept
//! with the entry that carries it and counts only while that entry holds the case's record, so
//! nothing has to be followed to be exact. A part that is not here yet is asked for again each
//! time. When an erasure was applied the text of its case is forgotten, within seconds and before
//! anything more is answered.
//!
//! Invariants:
//! 1. What is found is what a look into every case's own part would find.
//!    (`f32_search_equals_a_look_into_every_case`)
//! 2. Only parts for all members are read. (the same test)

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::api::request::PartContent;
use crate::domain::party_search::{PartyQuery, PartyText};
use crate::ids::{AgreementId, CaseKey, Position};
use crate::limits::SEARCH_CASES_MAX;
use crate::log::{Audience, PartKind};
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view;

/// Texts of parties.
#[derive(Clone, Default)]
pub struct Search {
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// How often something was forgotten for an erasure.
    erasures: u64,
    /// All parties have been read since everything was forgotten, and those changed up to here.
    ahead_to: Option<u64>,
    parties: HashMap<CaseKey, Kept>,
}

/// The party of a record; `None` when the record names none.
struct Kept {
    record_at: Position,
    party: Option<PartyText>,
}

impl Known {
    /// Forgets the case of an entry of which something was erased.
    fn forget(&mut self, reader: &Reader, entry: Position) {
        match view::applied_entry(&reader.view(), entry) {
            Some(found) => {
                let case = found.subject.map(|subject| (found.agreement, subject));
                case.map(|case| self.parties.remove(&case));
                // What is being read meanwhile is not kept.
                self.erasures += 1;
            }
            None => self.forget_all(),
        }
    }

    fn forget_all(&mut self) {
        self.parties.clear();
        (self.ahead_to, self.erasures) = (None, self.erasures + 1);
    }
}

impl Known {
    /// Whether the party of a case is one that is searched for; `None` where it is not in memory.
    fn takes(&self, query: &PartyQuery, case: CaseKey, record_at: Position) -> Option<bool> {
        let kept = self.parties.get(&case).filter(|kept| kept.record_at == record_at)?;
        Some(kept.party.as_ref().is_some_and(|party| query.takes(party)))
    }
}

impl Search {
    /// Forgets the cases that have changed since the last look, and those of which something was
    /// erased.
    pub fn look(&self, reader: &Reader) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.feed != Some(reader.feed_id()) {
            let read_to = reader.apply_number(&reader.view());
            *known = Known { feed: Some(reader.feed_id()), read_to, ..Known::default() };
        }
        while let Some((changes, last)) = pieces::changes(reader, known.read_to) {
            for change in &changes {
                if let Some(subject) = change.case() {
                    known.parties.remove(&(change.agreement, subject));
                }
            }
            for change in &changes {
                match pieces::erased(reader, change) {
                    Ok(Some(entry)) => known.forget(reader, entry),
                    Ok(None) => {}
                    // It might be an erasure.
                    Err(_) => known.forget_all(),
                }
            }
            known.read_to = last;
        }
    }

    /// Reads parties ahead, all of them the first time and those of changed cases later, so that
    /// no search waits for it. Call it off the threads that serve, again and again.
    pub fn follow(&self, node: &NodeHandle) {
        let reader = node.reader();
        self.look(&reader);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (ahead_to, read_to) = (known.ahead_to, known.read_to);
        known.ahead_to = Some(ahead_to.unwrap_or(read_to));
        drop(known);
        let Some(mut read_to) = ahead_to else { return self.walk(node, &reader) };
        while let Some((changes, last)) = pieces::changes(&reader, read_to) {
            for change in changes {
                if let Some(subject) = change.case() {
                    self.read(&reader, (change.agreement, subject));
                }
            }
            read_to = last;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            // Unless all was forgotten meanwhile.
            known.ahead_to = known.ahead_to.map(|ahead_to| ahead_to.max(read_to));
        }
    }

    fn walk(&self, node: &NodeHandle, reader: &Reader) {
        let agreements: Vec<AgreementId> = node.book().iter().map(|(id, _)| *id).collect();
        for agreement in agreements {
            pieces::cases(reader, agreement, &mut |subject| {
                self.read(reader, (agreement, subject));
                true
            });
        }
    }

    fn read(&self, reader: &Reader, case: CaseKey) {
        let found = view::case(&reader.view(), case.0, case.1);
        if let Some(found) = found {
            self.with_party(reader, case, found.record_at, |_| ());
        }
    }

    /// Whether the party of a case fits. No view may be held: the journal may be read.
    #[must_use]
    pub fn takes(
        &self,
        reader: &Reader,
        query: &PartyQuery,
        case: CaseKey,
        record_at: Position,
    ) -> bool {
        let fits = |party: Option<&PartyText>| party.is_some_and(|party| query.takes(party));
        self.with_party(reader, case, record_at, fits)
    }

    /// Leaves out what is known not to fit; one lock for all.
    pub fn leave_out<T>(
        &self,
        query: &PartyQuery,
        left: &mut Vec<T>,
        of: impl Fn(&T) -> (CaseKey, Position),
    ) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|one| {
            let (case, record_at) = of(one);
            known.takes(query, case, record_at).unwrap_or(true)
        });
    }

    /// The same where the party is known; `None` where the journal must be read for it.
    #[must_use]
    pub fn takes_known(
        &self,
        query: &PartyQuery,
        case: CaseKey,
        record_at: Position,
    ) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.takes(query, case, record_at)
    }

    fn with_party<T>(
        &self,
        reader: &Reader,
        case: CaseKey,
        record_at: Position,
        f: impl FnOnce(Option<&PartyText>) -> T,
    ) -> T {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = known.parties.get(&case)
            && kept.record_at == record_at
        {
            return f(kept.party.as_ref());
        }
        let erasures = known.erasures;
        drop(known);
        let Some(party) = party_at(reader, record_at) else { return f(None) };
        let answer = f(party.as_ref());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Not what was read before an erasure that is seen by now.
        let room = known.parties.len() < SEARCH_CASES_MAX || known.parties.contains_key(&case);
        if room && known.erasures == erasures {
            known.parties.insert(case, Kept { record_at, party });
        }
        answer
    }
}

/// The party that an entry's record names; `None` while the record cannot be read here.
fn party_at(reader: &Reader, at: Position) -> Option<Option<PartyText>> {
    let entry = reader.entry(at).ok()?.entry;
    let parts = &entry.envelope.parts;
    let open = |part: &crate::log::PartRef| {
        part.kind == PartKind::CaseRecord && part.audience == Audience::AllMembers
    };
    let place = parts.iter().position(open)?;
    match reader.part(&entry, place).ok()?? {
        PartContent::CaseRecord(record) => Some(record.party.as_ref().map(PartyText::of)),
        PartContent::Person(_)
        | PartContent::CaseNumber { .. }
        | PartContent::Text(_)
        | PartContent::Evidence(_)
        | PartContent::ActorCertificate(_)
        | PartContent::Notice(_)
        | PartContent::Meeting(_)
        | PartContent::Custody(_)
        | PartContent::Referral(_) => None,
    }
}
