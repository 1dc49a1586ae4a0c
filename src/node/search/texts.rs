//! The texts of parties, side by side in one run of bytes: a word is looked for in all of them at
//! once, at the speed of memory.
//!
//! A list of pieces of words (two characters each) would answer rare words sooner, take several
//! times the memory, and be of no help with 有限公司, which stands in every name. Here a hundred
//! thousand names are some four megabytes, and looking through them takes about a millisecond.
//!
//! A case takes 120 bytes, its place in a table of 40, and its name: some 260 with the slack of
//! both. What is taken away is written over at once. Of a rectangle every row is asked.
//!
//! In scope: keeping texts, finding those that fit. Out of scope: reading them, when they must go
//! ([`super`]).
//!
//! Invariant: what fits is what [`Query::takes`] says of each text by itself.
//! (`what_is_found_in_all_texts_is_what_each_one_says`)

use std::collections::HashMap;
use std::mem::size_of;

use memchr::memmem::Finder;

use super::{Query, Said, Sought};
use crate::domain::Uscc;
use crate::domain::party_search::PartyText;
use crate::domain::place::Coordinates;
use crate::ids::CaseKey;

/// Between two names, and in place of those that were taken away: stands in no text.
const NO_TEXT: u8 = 0xff;
/// Rows taken away that are left where they are.
const GONE_LEFT: usize = 64;

/// One case.
struct Row {
    sought: Sought,
    uscc: Option<Uscc>,
    point: Option<Coordinates>,
    gone: bool,
}

// What the header says of memory.
const _: () = assert!(size_of::<Row>() + size_of::<u32>() <= 120);

/// The texts, each with its case.
#[derive(Default)]
pub(super) struct Texts {
    /// Names, each with [`NO_TEXT`] behind it.
    names: Vec<u8>,
    /// In the order of their names.
    rows: Vec<Row>,
    /// Where the name of each row begins.
    starts: Vec<u32>,
    row_of: HashMap<CaseKey, u32>,
    gone: usize,
}

impl Texts {
    /// Cases in it.
    pub(super) fn len(&self) -> usize {
        self.row_of.len()
    }

    /// Whether the text of a case is here, whichever entry it was read from.
    pub(super) fn has(&self, case: CaseKey) -> bool {
        self.row_of.contains_key(&case)
    }

    /// Keeps what a case says, in place of what it had; without a party it fits none, without a
    /// point no rectangle. Whether there was room.
    pub(super) fn put(&mut self, sought: Sought, said: &Said) -> bool {
        self.remove(sought.case);
        let ends = (u32::try_from(self.names.len()), u32::try_from(self.rows.len()));
        let (Ok(start), Ok(row)) = ends else { return false };
        let (party, point) = (said.party.as_ref(), said.point);
        self.names.extend_from_slice(party.map_or("", PartyText::name).as_bytes());
        self.names.push(NO_TEXT);
        self.starts.push(start);
        let uscc = party.and_then(PartyText::uscc);
        self.row_of.insert(sought.case, row);
        self.rows.push(Row { sought, uscc, point, gone: false });
        true
    }

    /// Forgets a case: nothing of its party stays in memory.
    pub(super) fn remove(&mut self, case: CaseKey) {
        let Some(nth) = self.row_of.remove(&case).and_then(|row| usize::try_from(row).ok()) else {
            return;
        };
        let (from, to) = self.bounds(nth);
        if let Some(name) = self.names.get_mut(from..to) {
            name.fill(NO_TEXT);
        }
        if let Some(row) = self.rows.get_mut(nth) {
            (row.uscc, row.point, row.gone) = (None, None, true);
        }
        self.gone += 1;
        if self.gone > GONE_LEFT + self.rows.len() / 2 {
            self.close_up();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.names.fill(NO_TEXT);
        *self = Self::default();
    }

    /// Whether what a case says fits; `None` where it is not here as of that record.
    pub(super) fn takes(&self, query: &Query, sought: &Sought) -> Option<bool> {
        let nth = usize::try_from(*self.row_of.get(&sought.case)?).ok()?;
        let row = self.rows.get(nth).filter(|row| row.sought.record_at == sought.record_at)?;
        Some(query.takes_parts(self.name(nth), row.uscc, row.point))
    }

    /// Whether the text of a case is here as of that record.
    pub(super) fn is_of(&self, sought: &Sought) -> bool {
        let row = self.row_of.get(&sought.case).and_then(|row| usize::try_from(*row).ok());
        let row = row.and_then(|nth| self.rows.get(nth));
        row.is_some_and(|row| row.sought.record_at == sought.record_at)
    }

    /// The openings of all cases that fit, newest first.
    pub(super) fn fitting(&self, query: &Query) -> Vec<u64> {
        let mut found = Vec::new();
        match query.party.as_ref().and_then(|party| Some((party, party.longest_word()?))) {
            Some((party, word)) => {
                let whole = party.is_one_word() && query.within.is_none();
                self.with_word(word, &mut |nth, row| {
                    if whole || query.takes_parts(self.name(nth), row.uscc, row.point) {
                        found.push(row.sought.opened);
                    }
                });
            }
            None => {
                let fits = |row: &&Row| !row.gone && query.takes_parts("", row.uscc, row.point);
                found.extend(self.rows.iter().filter(fits).map(|row| row.sought.opened));
            }
        }
        // They lie in runs that rise or fall, which this sort is quick with.
        found.sort_by_key(|opened| std::cmp::Reverse(*opened));
        found
    }

    /// Every row in whose name a word stands, once each.
    fn with_word(&self, word: &str, f: &mut dyn FnMut(usize, &Row)) {
        let (finder, mut from) = (Finder::new(word), 0);
        while let Some(at) = self.names.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            let behind = self.starts.partition_point(|start| (*start as usize) <= at);
            let Some(nth) = behind.checked_sub(1) else { return };
            if let Some(row) = self.rows.get(nth).filter(|row| !row.gone) {
                f(nth, row);
            }
            from = self.bounds(nth).1 + 1;
        }
    }

    /// Where the name of a row begins and ends.
    fn bounds(&self, nth: usize) -> (usize, usize) {
        let at = |nth: usize| self.starts.get(nth).map(|start| *start as usize);
        let end = at(nth + 1).unwrap_or(self.names.len());
        (at(nth).unwrap_or(end), end.saturating_sub(1))
    }

    fn name(&self, nth: usize) -> &str {
        let (from, to) = self.bounds(nth);
        let bytes = self.names.get(from..to).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Closes the gaps.
    fn close_up(&mut self) {
        let mut closed = Self::default();
        for (nth, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.gone) {
            let place = (u32::try_from(closed.names.len()), u32::try_from(closed.rows.len()));
            let (Ok(start), Ok(place)) = place else { break };
            closed.names.extend_from_slice(self.name(nth).as_bytes());
            closed.names.push(NO_TEXT);
            closed.starts.push(start);
            closed.row_of.insert(row.sought.case, place);
            let Row { sought, uscc, point, .. } = *row;
            closed.rows.push(Row { sought, uscc, point, gone: false });
        }
        self.clear();
        *self = closed;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::party::Party;
    use crate::domain::party_search::PartyQuery;
    use crate::domain::place::Rectangle;
    use crate::ids::{AgreementId, LogId, Position, SubjectId};

    fn sought(case: u8, opened: u64, record: u64) -> Sought {
        let record_at = Position { log: LogId::new([1; 32]), index: record };
        let case = (AgreementId::new([2; 16]), SubjectId::new([case; 16]));
        Sought { case, opened, record_at }
    }

    fn at(east: u8) -> Coordinates {
        Coordinates::from_udeg(115_000_000 + i64::from(east), 36_000_000).unwrap()
    }

    /// Firms with one of two codes, or people, at one of three places or none.
    fn said(name: &str, code: u8) -> Said {
        let point = [None, Some(at(0)), Some(at(1)), Some(at(2))][name.len() % 4];
        Said { party: party(name, code), point }
    }

    fn party(name: &str, code: u8) -> Option<PartyText> {
        let party = match code {
            0 => Party::parse_natural(name),
            1 => Party::parse_legal(name, "91371522YYYY90011A"),
            _ => return None,
        };
        party.ok().map(|party| PartyText::of(&party))
    }

    fn query(name: &str, code: bool, east: Option<u8>) -> Option<Query> {
        let party = PartyQuery::parse(name, if code { "91371522YYYY90011A" } else { "" });
        let within = east.and_then(|east| Rectangle::between(at(east), at(east + 1)));
        Query::of(party.ok().flatten(), within)
    }

    proptest! {
        #[test]
        fn what_is_found_in_all_texts_is_what_each_one_says(
            steps in prop::collection::vec(
                (0..40_u8, "[ab甲乙丙（]{1,5}", 0..3_u8, prop::bool::weighted(0.4)), 1..400),
            asked in prop::collection::vec(
                ("[ab甲乙丙（]{0,2} ?[ab甲乙]?", any::<bool>(), prop::option::of(0..2_u8)), 12),
        ) {
            let (mut texts, mut plain) = (Texts::default(), BTreeMap::new());
            for (nth, (case, name, code, goes)) in (0_u64..).zip(steps) {
                // Opened in another order than their numbers; a case keeps its opening.
                let one = sought(case, u64::from(case) * 7 % 41, nth);
                if goes {
                    texts.remove(one.case);
                    plain.remove(&one.opened);
                } else {
                    let said = said(&name, code);
                    prop_assert!(texts.put(one, &said));
                    plain.insert(one.opened, (one, said));
                }
            }
            prop_assert_eq!(texts.len(), plain.len());
            prop_assert!(texts.gone <= GONE_LEFT + texts.rows.len() / 2);
            for query in asked.iter().filter_map(|(name, code, east)| query(name, *code, *east)) {
                let fits = |said: &Said| query.takes(said);
                let want = plain.iter().rev().filter(|(_, (_, said))| fits(said));
                let want: Vec<u64> = want.map(|(opened, _)| *opened).collect();
                prop_assert_eq!(texts.fitting(&query), want, "{:?}", query);
                for (one, said) in plain.values() {
                    prop_assert_eq!(texts.takes(&query, one), Some(fits(said)));
                }
            }
        }
    }

    #[test]
    fn nothing_is_left_of_a_name_that_went() {
        let mut texts = Texts::default();
        texts.put(sought(1, 1, 1), &said("甲厂", 1));
        texts.put(sought(2, 2, 2), &said("乙厂", 1));
        texts.remove(sought(1, 1, 1).case);
        let left: Vec<u8> = texts.names.iter().copied().filter(|b| *b != NO_TEXT).collect();
        assert_eq!(String::from_utf8(left).unwrap(), "乙厂");
        let codes: Vec<bool> = texts.rows.iter().map(|row| row.uscc.is_some()).collect();
        assert_eq!(
            (codes, texts.fitting(&query("", true, None).unwrap())),
            (vec![false, true], vec![2])
        );
        // Read from another entry than the one that holds the record now.
        let query = query("乙", false, None).unwrap();
        assert_eq!(texts.takes(&query, &sought(2, 2, 3)), None);
        assert!(texts.is_of(&sought(2, 2, 2)) && !texts.is_of(&sought(2, 2, 3)));
    }
}
