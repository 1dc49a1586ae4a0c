//! P4 for police, procuratorate and campaign tags: what a process shows of a case is what the set
//! of its applied entries comes to, by the rule written down a second time. A word counts of a city
//! that handled the case as far as its author had seen: a hand-over that it had seen, and that fits
//! when the moves before it are made in their order, gave it the case, and none after that took it
//! away. Of the words about a tag the one after most hand-overs counts, then the highest by (epoch,
//! log, index).

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::referral::{Referral, ReferralAct};
use liandong::domain::{self, Campaign, Case, CaseContribution, CaseMove, Event};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::{SubjectKind, subject_id};
use liandong::view;

use super::Checks;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// Entries about one case whose authors had seen it.
struct About<'a> {
    opened_at: Position,
    opener: &'a Known,
    entries: BTreeMap<Position, &'a Known>,
    members: &'a [CityCode],
    /// Hand-overs that fit on their own way from the opening: to whom, and those before them.
    handed: BTreeMap<Position, (CityCode, Vec<Position>)>,
}

impl Checks {
    /// Compares what was said of the cases of an agreement with its applied entries.
    pub(super) fn referrals_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
        tally: &mut Tally,
    ) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        let members = cast.members(pact);
        let said: BTreeSet<SubjectId> = known.values().filter_map(of_case).collect();
        for subject in said {
            let Some(about) = About::of(known, subject, &members) else { continue };
            let (words, tags) = about.told(tally);
            let shown: BTreeSet<Position> = view::referral_words(&rows, agreement, subject)
                .into_iter()
                .map(|word| word.line.position)
                .collect();
            if shown != words {
                let what = format!("P4 {at}: case {subject}");
                return self.fail(format!("{what} shows {shown:?} of the police, not {words:?}"));
            }
            let case = view::case(&rows, agreement, subject);
            let shown: Vec<Campaign> = case.iter().flat_map(|case| case.campaigns()).collect();
            if shown != tags {
                let what = format!("P4 {at}: case {subject}");
                return self.fail(format!("{what} is tagged {shown:?}, not {tags:?}"));
            }
        }
    }
}

fn of_case(entry: &Known) -> Option<SubjectId> {
    let about = entry.envelope.subject;
    let said = matches!(entry.event, Event::Contribution(CaseContribution::Referral(_)));
    about.id.filter(|_| said && about.kind == SubjectKind::Case)
}

impl<'a> About<'a> {
    fn of(
        known: &'a BTreeMap<Position, Known>,
        subject: SubjectId,
        members: &'a [CityCode],
    ) -> Option<Self> {
        let opens = |(at, entry): &(&Position, &Known)| {
            subject_id(**at) == subject && matches!(entry.event, Event::CaseOpened { .. })
        };
        let (opened_at, opener) = known.iter().find(opens).map(|(at, entry)| (*at, entry))?;
        let here = |at: Position, entry: &Known| {
            let about = entry.envelope.subject;
            let of_it = about.id == Some(subject) && about.kind == SubjectKind::Case;
            at == opened_at || (of_it && entry.saw(opened_at))
        };
        let entries = known.iter().filter(|(at, entry)| here(**at, entry));
        let entries = entries.map(|(at, entry)| (*at, entry)).collect();
        let handed = BTreeMap::new();
        let mut about = Self { opened_at, opener, entries, members, handed };
        let taken = |entry: &&Known| {
            matches!(entry.event, Event::CaseMove(CaseMove::TransferAccepted { .. }))
        };
        let places: Vec<Position> =
            about.entries.iter().filter(|(_, e)| taken(e)).map(|(at, _)| *at).collect();
        for at in places {
            if let Some((_, mut before)) = about.way(at) {
                // The last of them is the hand-over itself.
                before.pop();
                let to = about.entries[&at].city;
                about.handed.insert(at, (to, before));
            }
        }
        Some(about)
    }

    /// The case as a move leaves it when all before it are made, and the hand-overs among them.
    fn way(&self, at: Position) -> Option<(Case, Vec<Position>)> {
        if at == self.opened_at {
            let Event::CaseOpened { facts, effective_on } = &self.opener.event else {
                return None;
            };
            let case = domain::open(self.opener.city, facts.clone(), *effective_on);
            return Some((case, Vec::new()));
        }
        let entry = self.entries.get(&at)?;
        let (Event::CaseMove(mv), Some(prev)) = (&entry.event, entry.envelope.prev) else {
            return None;
        };
        let proposed = |at: &Position| {
            let proposal = Event::Contribution(CaseContribution::ProposalMade);
            entry.saw(*at) && self.entries.get(at).is_some_and(|e| e.event == proposal)
        };
        let named = match mv {
            CaseMove::ProposalAdopted { proposal, .. }
            | CaseMove::ProposalRefused { proposal, .. } => proposed(proposal),
            _ => true,
        };
        if !named || !entry.saw(prev) {
            return None;
        }
        let (case, mut handed) = self.way(prev)?;
        let case = domain::next(&case, entry.city, self.members, mv).ok()?;
        if matches!(mv, CaseMove::TransferAccepted { .. }) {
            handed.push(at);
        }
        Some((case, handed))
    }

    /// After how many hand-overs an author handled the case, if it did as far as it had seen.
    fn handled(&self, author: &Known) -> Option<usize> {
        let seen: Vec<_> = self.handed.iter().filter(|(at, _)| author.saw(**at)).collect();
        let goes_on = |at: &Position| seen.iter().any(|(_, (_, before))| before.contains(at));
        let own = seen.iter().filter(|(at, (to, _))| *to == author.city && !goes_on(at));
        let depth = own.map(|(_, (_, before))| before.len() + 1).max();
        depth.or((self.opener.city == author.city && seen.is_empty()).then_some(0))
    }

    /// Whether a referral counts, that an author names.
    fn referral(&self, author: &Known, at: Position) -> Option<Referral> {
        let entry = self.entries.get(&at).filter(|_| author.saw(at))?;
        let Event::Contribution(CaseContribution::Referral(act)) = &entry.event else {
            return None;
        };
        let ReferralAct::Referred { referral, .. } = act else { return None };
        self.counts(entry, act).then_some(*referral)
    }

    fn counts(&self, author: &Known, act: &ReferralAct) -> bool {
        let not_before = |at, on, day: fn(Referral) -> Option<domain::Date>| {
            let referral = self.referral(author, at);
            referral.is_some_and(|one| day(one).is_some_and(|day| on >= day))
        };
        let fits = match act {
            ReferralAct::Referred { referral, papers } => {
                let once: BTreeSet<_> = papers.iter().collect();
                let in_order = once.len() == papers.len() && papers.is_sorted();
                let handed = referral.handed_over_on;
                in_order && handed.is_none_or(|on| on >= referral.decided_on && !papers.is_empty())
            }
            ReferralAct::Answered { referral, answer, on } => {
                not_before(*referral, *on, |one| one.handed_over_on)
                    && self.referral(author, *referral).is_some_and(|one| answer.is_of(one.kind))
            }
            ReferralAct::Copied { referral, on, .. } => {
                not_before(*referral, *on, |one| Some(one.decided_on))
            }
            ReferralAct::Opined { referral, on, .. } => {
                referral.is_none_or(|at| not_before(at, *on, |one| Some(one.decided_on)))
            }
            ReferralAct::Tagged { .. } => true,
        };
        fits && self.handled(author).is_some()
    }

    /// Words of police and procuratorate that count, and the campaigns of the case.
    fn told(&self, tally: &mut Tally) -> (BTreeSet<Position>, Vec<Campaign>) {
        let mut words = BTreeSet::new();
        let mut tags: BTreeMap<Campaign, ((usize, u64, Position), bool)> = BTreeMap::new();
        for (at, entry) in &self.entries {
            let Event::Contribution(CaseContribution::Referral(act)) = &entry.event else {
                continue;
            };
            if !self.counts(entry, act) {
                continue;
            }
            let depth = self.handled(entry).unwrap_or(0);
            let last = self.handed.values().map(|(_, before)| before.len() + 1).max();
            if last.is_some_and(|last| last > depth) {
                tally.reached(State::SaidBeforeHandOver);
            }
            match act {
                ReferralAct::Tagged { campaign, on } => {
                    let word = ((depth, entry.epoch, *at), *on);
                    let last = tags.entry(*campaign).or_insert(word);
                    *last = word.max(*last);
                }
                act => {
                    if matches!(act, ReferralAct::Answered { .. }) {
                        tally.reached(State::PoliceAnswered);
                    }
                    words.insert(*at);
                }
            }
        }
        let tags = tags.into_iter().filter(|(_, (_, on))| *on).map(|(campaign, _)| campaign);
        (words, tags.collect())
    }
}
