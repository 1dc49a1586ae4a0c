//! P4: the view of a process is the one folded anew from the set of its applied entries, by the
//! rule of the chain written down a second time: of the moves that name the last one, were seen,
//! and fit, the lowest by (epoch, log, index) comes next.

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::{self, Case, CaseContribution, CaseMove, Event};
use liandong::ids::{CityCode, LogId, Position, SubjectId};
use liandong::log::{Envelope, SubjectKind, subject_id};
use liandong::view;

use super::Checks;
use super::turns::Turn;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// An applied entry, with what is known around it.
pub(super) struct Known {
    pub envelope: Envelope,
    pub event: Event,
    pub city: CityCode,
    pub epoch: u64,
    /// Of its log and of all others, how much its author had seen.
    seen: BTreeMap<LogId, u64>,
}

impl Known {
    pub fn saw(&self, at: Position) -> bool {
        if at.log == self.envelope.log {
            return at.index < self.envelope.index;
        }
        self.seen.get(&at.log).is_some_and(|size| at.index < *size)
    }
}

/// What the chain of a case comes to.
pub struct Folded {
    pub case: Case,
    pub last: Position,
    pub moves: u64,
    pub turn: Turn,
    /// Logs with an entry that concerns the case.
    pub logs: BTreeSet<LogId>,
}

impl Checks {
    /// Folds what a process has applied of an agreement, and compares.
    pub fn fold_anew(
        &mut self,
        cast: &Cast,
        at: usize,
        node: &Node,
        pact: usize,
        tally: &mut Tally,
    ) {
        let known = match self.known(cast, at, node, pact) {
            Ok(known) => known,
            Err(why) => return self.fail(why),
        };
        self.notices_anew(cast, (at, node), pact, &known, tally);
        self.meetings_anew(cast, (at, node), pact, &known, tally);
        self.sites_anew(cast, (at, node), pact, &known, tally);
        self.units_anew(cast, (at, node), pact, &known, tally);
        self.plans_anew(cast, (at, node), pact, &known, tally);
        self.plans_by_rules(cast, (at, node), pact, &known);
        self.evidence_anew(cast, (at, node), pact, &known, tally);
        self.referrals_anew(cast, (at, node), pact, &known, tally);
        let folded = match cases_of(cast, at, pact, &known) {
            Ok(folded) => folded,
            Err(why) => return self.fail(why),
        };
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        for (subject, model) in &folded {
            let Some(case) = view::case(&rows, agreement, *subject) else {
                return self.fail(format!("P4 {at}: case {subject} is in the logs and not shown"));
            };
            if case.last_move != model.last || case.case != model.case {
                let (got, want) = (case.last_move, model.last);
                let states = (case.case.state, model.case.state);
                let what = format!("{at}: case {subject} ends at {got} {states:?}");
                return self.fail(format!("P4 {what}, folded anew at {want}"));
            }
            if case.case.turn != model.turn.turn || case.case.handling != model.turn.handling {
                let got = (case.case.turn, case.case.handling);
                return self.fail(format!("turn of {subject} at {at}: {got:?}, {:?}", model.turn));
            }
            note_states(&case.case, tally);
        }
        let shown = view::fold_count(&rows, agreement) as usize;
        if shown != folded.len() {
            let made = folded.len();
            self.fail(format!("P4 {at}: {shown} cases shown, {made} in the logs"));
        }
    }

    /// Every case of an agreement as the set of applied entries has it.
    pub fn folded(
        &self,
        cast: &Cast,
        at: usize,
        node: &Node,
        pact: usize,
    ) -> Result<BTreeMap<SubjectId, Folded>, String> {
        let known = self.known(cast, at, node, pact)?;
        cases_of(cast, at, pact, &known)
    }

    /// The applied entries of an agreement, with what each author had seen.
    fn known(
        &self,
        cast: &Cast,
        at: usize,
        node: &Node,
        pact: usize,
    ) -> Result<BTreeMap<Position, Known>, String> {
        let mut known = BTreeMap::new();
        for (log, size) in &self.feeds.of[at].applied {
            let Some(written) = cast.logs.get(log).filter(|l| l.pact == pact) else { continue };
            let mut seen: BTreeMap<LogId, u64> = BTreeMap::new();
            if let Some(head) = written.manifest.prologue {
                seen.insert(head.log, head.size);
            }
            for index in 0..*size {
                let position = Position { log: *log, index };
                let (envelope, event) = match self.truth_of(cast, position) {
                    Some(truth) => (truth.envelope.clone(), truth.event.clone()),
                    None => match node.reader.as_ref().unwrap().entry(position) {
                        Ok(loaded) => (loaded.entry.envelope, loaded.event),
                        Err(why) => return Err(format!("{at}: {position} is gone: {why}")),
                    },
                };
                for head in &envelope.after {
                    let size = seen.entry(head.log).or_insert(0);
                    *size = head.size.max(*size);
                }
                let (city, epoch) = (cast.codes[written.city], written.epoch);
                let entry = Known { envelope, event, city, epoch, seen: seen.clone() };
                known.insert(position, entry);
            }
        }
        Ok(known)
    }
}

/// Every case of an agreement as the set of applied entries has it.
fn cases_of(
    cast: &Cast,
    at: usize,
    pact: usize,
    known: &BTreeMap<Position, Known>,
) -> Result<BTreeMap<SubjectId, Folded>, String> {
    let members = cast.members(pact);
    let mut of: BTreeMap<SubjectId, Vec<Position>> = BTreeMap::new();
    let mut cases = BTreeMap::new();
    for (position, entry) in known {
        match (&entry.event, entry.envelope.subject.id) {
            (Event::CaseOpened { .. }, None)
                if entry.envelope.subject.kind == SubjectKind::Case =>
            {
                of.entry(subject_id(*position)).or_default().insert(0, *position);
            }
            (_, Some(subject)) if entry.envelope.subject.kind == SubjectKind::Case => {
                of.entry(subject).or_default().push(*position);
            }
            _ => {}
        }
    }
    for (subject, entries) in of {
        let opening = entries.iter().find(|e| subject_id(**e) == subject).copied();
        let Some(opening) = opening else { continue };
        let folded = fold_case(known, opening, &entries, &members)
            .map_err(|why| format!("{at}: case {subject}: {why}"))?;
        cases.insert(subject, folded);
    }
    Ok(cases)
}

/// The chain of one case.
fn fold_case(
    known: &BTreeMap<Position, Known>,
    opening: Position,
    entries: &[Position],
    members: &[CityCode],
) -> Result<Folded, String> {
    let opener = &known[&opening];
    let Event::CaseOpened { facts, effective_on } = &opener.event else {
        return Err(format!("{opening} opens nothing"));
    };
    // An entry whose author had not seen the opening is about nothing.
    let about: BTreeSet<Position> =
        entries.iter().copied().filter(|e| *e == opening || known[e].saw(opening)).collect();
    let is = |at: &Position, what: &dyn Fn(&Event) -> bool| {
        about.contains(at) && known.get(at).is_some_and(|k| what(&k.event))
    };
    let moves = |event: &Event| matches!(event, Event::CaseMove(_) | Event::CaseOpened { .. });
    let proposes = |event: &Event| *event == Event::Contribution(CaseContribution::ProposalMade);
    let mut next: BTreeMap<Position, BTreeMap<(u64, Position), &CaseMove>> = BTreeMap::new();
    for at in &about {
        let entry = &known[at];
        let (Event::CaseMove(mv), Some(prev)) = (&entry.event, entry.envelope.prev) else {
            continue;
        };
        let named = match mv {
            CaseMove::ProposalAdopted { proposal, .. }
            | CaseMove::ProposalRefused { proposal, .. } => {
                entry.saw(*proposal) && is(proposal, &proposes)
            }
            _ => true,
        };
        if named && entry.saw(prev) && is(&prev, &moves) {
            next.entry(prev).or_default().insert((entry.epoch, *at), mv);
        }
    }
    let mut folded = Folded {
        case: domain::open(opener.city, facts.clone(), *effective_on),
        last: opening,
        moves: 1,
        turn: Turn::opened(opener.city),
        logs: about.iter().map(|e| e.log).collect(),
    };
    while let Some((at, mv, case)) = next.get(&folded.last).and_then(|from_here| {
        from_here.iter().find_map(|((_, at), mv)| {
            let case = domain::next(&folded.case, known[at].city, members, mv).ok()?;
            Some((*at, *mv, case))
        })
    }) {
        let by = known[&at].city;
        let turn = folded.turn.after(by, mv, members);
        folded.turn = turn.ok_or_else(|| format!("{by} moved out of turn at {at}"))?;
        (folded.case, folded.last, folded.moves) = (case, at, folded.moves + 1);
    }
    Ok(folded)
}

fn note_states(case: &Case, tally: &mut Tally) {
    use liandong::domain::CaseState as S;
    if case.handled_by.len() > 2 {
        tally.reached(State::HandedOn);
    }
    let state = match case.state {
        S::Archived => State::Archived,
        S::TransferDisputed => State::Disputed,
        S::Designated => State::Designated,
        S::ClosedOutside => State::ClosedOutside,
        _ => return,
    };
    tally.reached(state);
}
