//! The parties and points of cases, for searching: kept in memory and nowhere else.
//!
//! In scope: the text of each case's party and its point, read from the journal ahead of being
//! asked for. Out of scope: what fits ([`crate::domain::party_search`], [`Rectangle`]), how it is
//! found among many ([`texts`]), pages and counts (`rpc::case_list`).
//!
//! No byte of a part is put into the rows, so names cannot lie there. Tags of pieces of names
//! could, but would have to be rebuilt at every change of what fits; the whole text of a hundred
//! thousand names is made from the journal in seconds. A text is kept with the entry that carries
//! it. A case that changed is *unread* until its row was looked at again, and its record read if
//! that is another one; a part that is not here yet is asked for again each time. When an erasure
//! was applied the text of its case is forgotten, within seconds and before anything more is
//! answered.
//!
//! Invariants:
//! 1. What is found is what a look into every case's own part would find.
//!    (`f32_search_equals_a_look_into_every_case`, `totals_are_exact_at_every_moment_of_a_storm`)
//! 2. Only parts for all members are read. (the first of these)
//! 3. While the texts are whole, every case opened up to `read_to` has its text as of then or is
//!    unread, and no text is put in place of a newer one. (the second of these)

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::party_search::{PartyQuery, PartyText};
use crate::domain::place::{Coordinates, Rectangle};
use crate::domain::{CaseRecord, Uscc};
use crate::ids::{AgreementId, CaseKey, Position};
use crate::limits::{SCAN_ROWS_MAX, SEARCH_CASES_MAX};
use crate::log::{Audience, PartKind};
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, FeedEntry};

mod texts;

use self::texts::Texts;

/// A case as a search looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The case.
    pub case: CaseKey,
    /// Apply number of its opening.
    pub opened: u64,
    /// The entry that carries its record.
    pub record_at: Position,
}

/// What of a record is searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    party: Option<PartyText>,
    point: Option<Coordinates>,
}

impl Said {
    fn of(record: &CaseRecord) -> Self {
        let party = record.party.as_ref().map(PartyText::of);
        Self { party, point: record.coordinates }
    }
}

/// What somebody looks for in records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    party: Option<PartyQuery>,
    within: Option<Rectangle>,
}

impl Query {
    /// By party, place or both; `None` for neither.
    #[must_use]
    pub fn of(party: Option<PartyQuery>, within: Option<Rectangle>) -> Option<Self> {
        (party.is_some() || within.is_some()).then_some(Self { party, within })
    }

    fn takes(&self, said: &Said) -> bool {
        let name = said.party.as_ref().map_or("", PartyText::name);
        self.takes_parts(name, said.party.as_ref().and_then(PartyText::uscc), said.point)
    }

    fn takes_parts(&self, name: &str, uscc: Option<Uscc>, point: Option<Coordinates>) -> bool {
        self.party.as_ref().is_none_or(|party| party.takes_text(name, uscc))
            && self.within.is_none_or(|area| point.is_some_and(|point| area.has(point)))
    }
}

/// The cases that fit, as of one moment.
#[derive(Clone, Debug)]
pub struct Fitting {
    /// Apply numbers of their openings, newest first.
    pub opened: Vec<u64>,
    /// Apply number as of which these are all; what has changed since is to be looked at again.
    pub as_of: u64,
}

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
    /// How often a walk over all cases was begun, or everything was forgotten.
    begun: u64,
    /// Somebody walks, or has walked, since everything was forgotten.
    walking: bool,
    /// All cases were walked.
    whole: bool,
    texts: Texts,
    /// Cases that changed since they were read, or that could not be read.
    unread: HashMap<CaseKey, Unread>,
}

struct Unread {
    /// Apply number of its last change.
    changed: u64,
    /// It could not be read: nothing is read ahead for it again.
    tried: bool,
}

impl Known {
    /// Forgets the case of an entry of which something was erased.
    fn forget(&mut self, reader: &Reader, entry: Position, changed: u64) {
        match view::applied_entry(&reader.view(), entry) {
            Some(found) => {
                let case = found.subject.map(|subject| (found.agreement, subject));
                self.forget_case(case, changed);
            }
            None => self.forget_all(),
        }
    }

    fn forget_case(&mut self, case: Option<CaseKey>, changed: u64) {
        if let Some(case) = case {
            self.texts.remove(case);
            self.unread.insert(case, Unread { changed, tried: false });
        }
        // What is being read meanwhile is not kept.
        self.erasures += 1;
    }

    fn forget_all(&mut self) {
        self.texts.clear();
        self.unread.clear();
        (self.walking, self.whole) = (false, false);
        self.erasures += 1;
        self.begun += 1;
    }
}

impl Search {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in which cases have changed since the last look, and forgets those of which something
    /// was erased.
    pub fn look(&self, reader: &Reader) {
        let mut known = self.lock();
        if known.feed != Some(reader.feed_id()) {
            known.forget_all();
            known.feed = Some(reader.feed_id());
            known.read_to = reader.apply_number(&reader.view());
        }
        while let Some((changes, last)) = pieces::changes(reader, known.read_to) {
            for change in &changes {
                if let Some(subject) = change.case() {
                    let unread = Unread { changed: change.apply, tried: false };
                    known.unread.insert((change.agreement, subject), unread);
                }
            }
            for change in &changes {
                match pieces::erased(reader, change) {
                    Ok(Some(entry)) => known.forget(reader, entry, change.apply),
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
        let mut known = self.lock();
        if !known.walking {
            known.walking = true;
            known.begun += 1;
            let begun = known.begun;
            drop(known);
            self.walk(node, &reader);
            let mut known = self.lock();
            // Unless all was forgotten meanwhile.
            known.whole |= known.begun == begun;
            return;
        }
        let fresh = known.unread.iter().filter(|(_, unread)| !unread.tried);
        let fresh: Vec<CaseKey> = fresh.map(|(case, _)| *case).collect();
        drop(known);
        fresh.into_iter().for_each(|case| self.read(&reader, case));
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

    /// Reads a case, if what is here of it is not as it stands. No view may be held.
    fn read(&self, reader: &Reader, case: CaseKey) {
        let erasures = self.lock().erasures;
        let rows = reader.view();
        let as_of = reader.apply_number(&rows);
        let found = view::case(&rows, case.0, case.1);
        drop(rows);
        let Some(found) = found else { return };
        let sought = Sought { case, opened: found.opened_apply, record_at: found.record_at };
        if self.lock().settle_known(&sought, as_of) {
            return;
        }
        let said = said_at(reader, sought.record_at);
        let mut known = self.lock();
        // Not what was read before an erasure that is seen by now.
        if known.erasures == erasures {
            known.settle(sought, as_of, said.as_ref());
        }
    }

    /// All cases that fit; `None` while not all parties are in memory, or when something
    /// was erased meanwhile. Reads those that have changed: no view may be held.
    #[must_use]
    pub fn fitting(&self, reader: &Reader, query: &Query) -> Option<Fitting> {
        let known = self.lock();
        let (as_of, erasures) = (known.read_to, known.erasures);
        let many = known.unread.len() > SCAN_ROWS_MAX as usize;
        let unread: Vec<CaseKey> = known.unread.keys().copied().collect();
        if many || !known.whole {
            return None;
        }
        drop(known);
        unread.into_iter().for_each(|case| self.read(reader, case));
        // What was seen to change meanwhile is looked at again anyway, as it is behind `as_of`.
        self.lock().all_fitting(query, (as_of, erasures))
    }

    /// The cases of which something was erased by these entries; it is forgotten here. What an
    /// entry erased that lies damaged nobody can tell. No view may be held: the journal is read.
    #[must_use]
    pub fn erased(&self, reader: &Reader, entries: &[FeedEntry]) -> Vec<CaseKey> {
        let erased = entries.iter().filter_map(|entry| pieces::erased(reader, entry).ok()?);
        let erased: Vec<Position> = erased.collect();
        if erased.is_empty() {
            return Vec::new();
        }
        self.look(reader);
        let rows = reader.view();
        let case = |at: Position| {
            let found = view::applied_entry(&rows, at)?;
            Some((found.agreement, found.subject?))
        };
        erased.into_iter().filter_map(case).collect()
    }

    /// Whether what a case says fits. No view may be held: the journal may be read.
    #[must_use]
    pub fn takes(&self, reader: &Reader, query: &Query, sought: &Sought) -> bool {
        self.takes_known(query, sought).unwrap_or_else(|| {
            said_at(reader, sought.record_at).is_some_and(|said| query.takes(&said))
        })
    }

    /// The same where that is known; `None` where the journal must be read for it.
    #[must_use]
    pub fn takes_known(&self, query: &Query, sought: &Sought) -> Option<bool> {
        self.lock().texts.takes(query, sought)
    }
}

impl Known {
    /// All cases that fit, if nothing was erased since then. The text of such a case is not here,
    /// or was not kept when it was read, and the erasure names no case that would be looked at
    /// again.
    fn all_fitting(&self, query: &Query, (as_of, erasures): (u64, u64)) -> Option<Fitting> {
        let is_all = self.whole && self.erasures == erasures;
        is_all.then(|| Fitting { opened: self.texts.fitting(query), as_of })
    }

    /// Whether what was seen of a case at `as_of` is as new as what is known to have changed.
    fn is_due(&self, case: CaseKey, as_of: u64) -> bool {
        match self.unread.get(&case) {
            Some(unread) => unread.changed <= as_of,
            None => !self.texts.has(case),
        }
    }

    /// A case stood so at `as_of`: whether its text is here already. A text of another record goes.
    fn settle_known(&mut self, sought: &Sought, as_of: u64) -> bool {
        if !self.is_due(sought.case, as_of) {
            // Somebody was quicker.
            return true;
        }
        if self.texts.is_of(sought) {
            self.unread.remove(&sought.case);
            return true;
        }
        self.texts.remove(sought.case);
        let unread = Unread { changed: as_of, tried: true };
        self.unread.entry(sought.case).or_insert(unread).tried = true;
        false
    }

    /// What a case said as it stood at `as_of`; `None` where it could not be read.
    fn settle(&mut self, sought: Sought, as_of: u64, said: Option<&Said>) {
        if !self.is_due(sought.case, as_of) {
            return;
        }
        let Some(said) = said else { return };
        if self.texts.len() >= SEARCH_CASES_MAX || !self.texts.put(sought, said) {
            // From now on cases are looked at one by one.
            self.whole = false;
            self.begun += 1;
        }
        self.unread.remove(&sought.case);
    }
}

/// What an entry's record says; `None` while it cannot be read here. Of a record that is not for
/// all members nothing is searched.
fn said_at(reader: &Reader, at: Position) -> Option<Said> {
    let entry = reader.entry(at).ok()?.entry;
    let parts = &entry.envelope.parts;
    let open = |part: &crate::log::PartRef| {
        part.kind == PartKind::CaseRecord && part.audience == Audience::AllMembers
    };
    let Some(place) = parts.iter().position(open) else { return Some(Said::default()) };
    let content = reader.part(&entry, place).ok()??;
    content.case_record().map(Said::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::party::Party;
    use crate::ids::{LogId, SubjectId};

    /// The erasure is looked at between the reading of what has changed and the answer.
    #[test]
    fn what_fits_is_not_called_all_when_something_was_erased_meanwhile() {
        let case = (AgreementId::new([1; 16]), SubjectId::new([2; 16]));
        let record_at = Position { log: LogId::new([3; 32]), index: 4 };
        let party = Party::parse_legal("甲乙公司", "91371522YYYY90011A").unwrap();
        let query = Query::of(PartyQuery::parse("甲乙", "").unwrap(), None).unwrap();
        let said = Said { party: Some(PartyText::of(&party)), point: None };
        let mut known = Known { whole: true, read_to: 9, ..Known::default() };
        assert!(known.texts.put(Sought { case, opened: 7, record_at }, &said));
        let begun = (known.read_to, known.erasures);
        let fitting = known.all_fitting(&query, begun).unwrap();
        assert_eq!((fitting.opened, fitting.as_of), (vec![7], 9));
        known.forget_case(Some(case), 10);
        assert!(known.all_fitting(&query, begun).is_none());
        assert_eq!(known.all_fitting(&query, (10, known.erasures)).unwrap().opened, [0_u64; 0]);
    }
}
