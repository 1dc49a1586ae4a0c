//! The fold does not depend on the order of arrival: random entries of three logs, one of them of a
//! city that writes in two, applied in many causal orders and folded once more from the plain set.

mod evidence;

use std::collections::BTreeMap;

use super::happened::happened_by_history;
use super::{CaseView, FoldEntry, MemRows, apply, case, fold_hash, happened, notice};
use crate::domain::{
    self, AuthorityLevel, Case, CaseContribution as C, CaseFacts, CaseMove as M, CaseStep,
    DataLevel, Date, Event, Medium, NoticeAct, NoticeKind, NoticeLevel, ReferralKind, Source,
    Violation,
};
use crate::ids::{AgreementId, CityCode, Hash, LogId, Position};
use crate::log::{Envelope, Head, Subject, SubjectKind, subject_id};

const AGREEMENT: AgreementId = AgreementId::new([9; 16]);
/// Logs with their cities and epochs; 371500 writes in two, as only a faulty or restored city does.
const LOGS: [(u8, u32, u64); 3] = [(1, 371_500, 1), (2, 130_400, 1), (3, 371_500, 2)];
const ENTRIES: usize = 14;

/// A small generator: the same seed gives the same numbers everywhere.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

#[derive(Clone)]
struct Written {
    city: CityCode,
    epoch: u64,
    envelope: Envelope,
    event: Event,
}

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

fn members() -> Vec<CityCode> {
    [130_400, 371_400, 371_500].map(city).to_vec()
}

fn log(n: u8) -> LogId {
    LogId::new([n; 32])
}

fn facts(uncertain: bool) -> CaseFacts {
    CaseFacts {
        source: Source::Complaint,
        medium: Medium::Water,
        violation: Violation::WaterExceed,
        county_code: None,
        discovered_time_ms: 0,
        occurred_from: None,
        occurred_to: None,
        data_level: DataLevel::General,
        borders: Vec::new(),
        border_uncertain: uncertain,
        belt_exception: false,
        has_point: false,
    }
}

fn any_event(rng: &mut Rng, named: Position) -> Event {
    let effective_on = Date::parse("2026-11-20").unwrap();
    let to = rng.pick(&members());
    let moves = [
        M::Stepped { step: CaseStep::VerificationStarted, effective_on },
        M::Stepped { step: CaseStep::VerificationStarted, effective_on },
        M::Stepped { step: rng.pick(CaseStep::ALL), effective_on },
        M::Amended { facts: facts(rng.below(2) == 0), effective_on },
        M::TransferOffered { to, effective_on },
        M::TransferOffered { to, effective_on },
        M::TransferAccepted { effective_on },
        M::TransferAccepted { effective_on },
        M::TransferReturned { effective_on },
        M::TransferDisputed { effective_on },
        M::JurisdictionDesignated {
            city: to,
            authority: AuthorityLevel::Ministry,
            designated_on: effective_on,
            effective_on,
        },
        M::ProposalRefused { proposal: named, effective_on },
    ];
    let contributions = [
        C::NoteAdded,
        C::ProposalMade,
        C::AssistanceAnswered { request: named },
        C::AssistanceRequested { to, due_on: effective_on },
        C::PartsReceived,
        referrals::said(referrals::refer(ReferralKind::Crime)),
        referrals::said(referrals::answer(named)),
        referrals::said(referrals::tag(rng.below(2) as u32 + 1, rng.below(2) == 0)),
        referrals::said(referrals::tag(1, true)),
    ];
    if rng.below(5) > 0 {
        Event::CaseMove(rng.pick(&moves))
    } else {
        Event::Contribution(rng.pick(&contributions))
    }
}

/// A move that fits now, if a few tries find one.
fn likely_event(rng: &mut Rng, view: &CaseView, by: CityCode) -> Event {
    let mut event = any_event(rng, view.last_move);
    for _ in 0..20 {
        if let Event::CaseMove(mv) = &event
            && domain::next(&view.case, by, &members(), mv).is_ok()
        {
            break;
        }
        event = any_event(rng, view.last_move);
    }
    event
}

/// Entries as cities that have applied this and that could write them, in one causal order.
fn any_entries(seed: u64) -> Vec<Written> {
    let mut rng = Rng(seed);
    let mut written: Vec<Written> = Vec::new();
    let mut sizes: BTreeMap<LogId, u64> = BTreeMap::new();
    let mut known: BTreeMap<(LogId, LogId), u64> = BTreeMap::new();
    let opening = Position { log: log(1), index: 0 };
    for turn in 0..ENTRIES {
        // Mostly a city that has the turn and has seen everything, else anybody who has seen less.
        let view = (turn > 0).then(|| fold(&written).1);
        let sensible = view.as_ref().filter(|_| rng.below(3) > 0);
        let with_turn = |(_, code, _): &&(u8, u32, u64)| {
            sensible.is_some_and(|view| view.case.turn == Some(city(*code)))
        };
        let able: Vec<_> = LOGS.iter().filter(with_turn).copied().collect();
        let (n, code, epoch) = match turn {
            0 => LOGS[0],
            _ => rng.pick(if able.is_empty() { &LOGS } else { &able }),
        };
        let own = log(n);
        let mut after = Vec::new();
        for (other, size) in sizes.iter().filter(|(other, _)| **other != own) {
            let seen = known.entry((own, *other)).or_insert(0);
            let behind = if able.is_empty() { rng.below((*size - *seen + 1) as usize) } else { 0 };
            let now = *size - behind as u64;
            if now > *seen {
                *seen = now;
                after.push(Head { log: *other, size: now, root: Hash::new([0; 32]) });
            }
        }
        let index = *sizes.get(&own).unwrap_or(&0);
        let back = written.len().min(4);
        let named = match back {
            0 => opening,
            _ => written[written.len() - 1 - rng.below(back)].envelope.position(),
        };
        let (event, id) = match turn {
            0 => {
                let effective_on = Date::parse("2026-11-19").unwrap();
                (Event::CaseOpened { facts: facts(false), effective_on }, None)
            }
            _ => (any_event(&mut rng, named), Some(subject_id(opening))),
        };
        let (event, named) = match sensible.filter(|_| !able.is_empty()) {
            Some(view) => (likely_event(&mut rng, view, city(code)), view.last_move),
            None => (event, named),
        };
        let prev = matches!(event, Event::CaseMove(_)).then_some(named);
        let envelope = Envelope {
            log: own,
            index,
            record_time_ms: rng.below(1_000) as i64,
            clock_suspect: false,
            after,
            actor: None,
            acting_for: None,
            request: None,
            subject: Subject { kind: SubjectKind::Case, id },
            prev,
            parts: Vec::new(),
        };
        sizes.insert(own, index + 1);
        written.push(Written { city: city(code), epoch, envelope, event });
    }
    written
}

/// The same entries in another order that keeps each log's own and everything in `after` before.
fn shuffled(entries: &[Written], rng: &mut Rng) -> Vec<Written> {
    let (mut left, mut applied) = (entries.to_vec(), BTreeMap::<LogId, u64>::new());
    let mut order = Vec::new();
    while !left.is_empty() {
        let size = |log: LogId| applied.get(&log).copied().unwrap_or(0);
        let ready = |w: &Written| {
            w.envelope.index == size(w.envelope.log)
                && w.envelope.after.iter().all(|head| head.size <= size(head.log))
        };
        let places: Vec<usize> =
            left.iter().enumerate().filter(|(_, w)| ready(w)).map(|(at, _)| at).collect();
        let next = left.remove(rng.pick(&places));
        applied.insert(next.envelope.log, next.envelope.index + 1);
        order.push(next);
    }
    order
}

fn fold(entries: &[Written]) -> (Hash, CaseView) {
    let mut rows = MemRows::default();
    let members = members();
    for (number, entry) in (1..).zip(entries) {
        let entry = FoldEntry {
            agreement: AGREEMENT,
            city: entry.city,
            epoch: entry.epoch,
            prologue: None,
            members: &members,
            envelope: &entry.envelope,
            event: &entry.event,
        };
        apply(&mut rows, &entry, number);
    }
    let subject = subject_id(Position { log: log(1), index: 0 });
    let view = case(&rows, AGREEMENT, subject).unwrap();
    let dated = happened(&rows, AGREEMENT, subject);
    assert_eq!(dated, happened_by_history(&rows, AGREEMENT, subject));
    (fold_hash(&rows, AGREEMENT, &[]), view)
}

/// What an entry's author had seen: the largest sizes its log has named up to and including it.
fn has_seen(entries: &[Written], by: &Envelope, at: Position) -> bool {
    if at.log == by.log {
        return at.index < by.index;
    }
    let named = entries
        .iter()
        .filter(|w| w.envelope.log == by.log && w.envelope.index <= by.index)
        .flat_map(|w| &w.envelope.after)
        .filter(|head| head.log == at.log);
    named.map(|head| head.size).max().unwrap_or(0) > at.index
}

/// The chain by its definition, from nothing but the set: case, last move, number of moves.
fn chain_of(entries: &[Written]) -> (Case, Position, u32) {
    let opening = &entries[0];
    let Event::CaseOpened { facts, effective_on } = &opening.event else { panic!() };
    let mut case = domain::open(opening.city, facts.clone(), *effective_on);
    let (mut last, mut count) = (opening.envelope.position(), 1);
    let find = |at: Position| entries.iter().find(|w| w.envelope.position() == at);
    loop {
        let mut candidates: Vec<&Written> =
            entries.iter().filter(|w| w.envelope.prev == Some(last)).collect();
        candidates.sort_by_key(|w| (w.epoch, w.envelope.log, w.envelope.index));
        let next = candidates.into_iter().find_map(|w| {
            let Event::CaseMove(mv) = &w.event else { return None };
            let seen = |at| has_seen(entries, &w.envelope, at);
            if !seen(last) || !seen(opening.envelope.position()) {
                return None;
            }
            if let M::ProposalRefused { proposal, .. } = mv {
                let event = &find(*proposal)?.event;
                let proposed = *event == Event::Contribution(C::ProposalMade);
                // A proposal counts once its own author had seen the case.
                let about =
                    has_seen(entries, &find(*proposal)?.envelope, opening.envelope.position());
                if !proposed || !about || !seen(*proposal) {
                    return None;
                }
            }
            let case = domain::next(&case, w.city, &members(), mv).ok()?;
            Some((w.envelope.position(), case))
        });
        let Some((at, moved)) = next else { return (case, last, count) };
        (last, case, count) = (at, moved, count + 1);
    }
}

#[test]
fn dated_lines_are_those_of_the_whole_history() {
    // Each fold compares them, in whatever order its entries come.
    for seed in 0..50 {
        let entries = any_entries(seed);
        fold(&entries);
        fold(&shuffled(&entries, &mut Rng(seed)));
    }
}

#[test]
fn every_causal_order_gives_the_same_view() {
    let (mut moved, mut handed_over, mut doubled) = (0, 0, 0);
    for seed in 0..150 {
        let entries = any_entries(seed);
        let (hash, view) = fold(&entries);
        let defined = chain_of(&entries);
        let folded = (view.case.clone(), view.last_move, view.move_count);
        assert_eq!(folded, defined, "seed {seed}: the incremental fold is not the fold of the set");
        let mut rng = Rng(seed ^ 0xabcd);
        for _ in 0..8 {
            let (other, again) = fold(&shuffled(&entries, &mut rng));
            let counts =
                |v: &CaseView| (v.last_move, v.move_count, v.contribution_count, v.misfit_count);
            assert_eq!(counts(&again), counts(&view), "seed {seed}");
            assert_eq!((other, &again.case), (hash, &view.case), "seed {seed}");
        }
        moved += usize::from(view.move_count > 2);
        handed_over += usize::from(view.case.handling != city(371_500));
        let from: Vec<_> = entries.iter().filter_map(|w| w.envelope.prev).collect();
        doubled += usize::from(from.iter().any(|at| from.iter().filter(|o| *o == at).count() > 1));
    }
    // Seeds in which nothing happens would prove nothing.
    assert!(moved > 75, "{moved} cases moved on");
    assert!(handed_over > 5, "{handed_over} cases were handed over");
    assert!(doubled > 75, "{doubled} runs with two moves from one entry");
}

#[test]
fn a_notice_is_the_same_in_every_order() {
    let opening = Position { log: log(1), index: 0 };
    let subject = |id| Subject { kind: SubjectKind::Notice, id };
    let entry = |(n, code, epoch): (u8, u32, u64), index, event, saw: bool| Written {
        city: city(code),
        epoch,
        envelope: Envelope {
            subject: subject((n != 1 || index > 0).then(|| subject_id(opening))),
            after: match saw && n != 1 {
                true => vec![Head { log: log(1), size: 1, root: Hash::new([0; 32]) }],
                false => Vec::new(),
            },
            record_time_ms: i64::from(n) * 1_000,
            ..bare(n, index)
        },
        event,
    };
    let issued = Event::NoticeIssued {
        kind: NoticeKind::Emergency,
        level: Some(NoticeLevel::Two),
        addressees: vec![city(371_400)],
    };
    let act = Event::NoticeAct;
    // Two logs of the city it is for, of which the first is the older; one of another city.
    let all = [
        entry((1, 371_500, 1), 0, issued, true),
        entry((3, 371_400, 1), 0, act(NoticeAct::Acknowledged), true),
        entry((2, 371_400, 2), 0, act(NoticeAct::Acknowledged), true),
        entry((4, 130_400, 1), 0, act(NoticeAct::Acknowledged), true),
        entry((5, 371_400, 3), 0, act(NoticeAct::Reported), false),
        entry((1, 371_500, 1), 1, act(NoticeAct::Ended), true),
        entry((1, 371_500, 1), 2, act(NoticeAct::Ended), true),
    ];
    let fold = |order: &[usize]| {
        let mut rows = MemRows::default();
        for (apply_number, at) in (1..).zip(order) {
            let Written { city, epoch, envelope, event } = &all[*at];
            let members = members();
            let entry = FoldEntry {
                agreement: AGREEMENT,
                city: *city,
                epoch: *epoch,
                prologue: None,
                members: &members,
                envelope,
                event,
            };
            apply(&mut rows, &entry, apply_number);
        }
        let view = notice(&rows, AGREEMENT, subject_id(opening)).unwrap();
        (fold_hash(&rows, AGREEMENT, &[]), view)
    };
    let (hash, view) = fold(&[0, 1, 2, 3, 4, 5, 6]);
    let said: Vec<_> = view.acknowledged.iter().map(|(city, said)| (*city, said.at)).collect();
    assert_eq!(said, [(city(371_400), Position { log: log(3), index: 0 })], "the lowest epoch");
    assert_eq!(view.ended.map(|said| said.at.index), Some(1), "the first end");
    assert_eq!((view.report_count, view.misfit_count), (0, 1), "the other city was not told");
    for order in [[0, 2, 1, 3, 5, 6, 4], [0, 5, 6, 4, 3, 2, 1], [0, 3, 2, 5, 1, 4, 6]] {
        assert_eq!(fold(&order).0, hash, "{order:?}");
    }
}

mod calendars;
mod meetings;
mod plans;
mod referrals;
mod sites;
mod units;

fn bare(n: u8, index: u64) -> Envelope {
    Envelope {
        log: log(n),
        index,
        record_time_ms: 0,
        clock_suspect: false,
        after: Vec::new(),
        actor: None,
        acting_for: None,
        request: None,
        subject: Subject { kind: SubjectKind::Case, id: None },
        prev: None,
        parts: Vec::new(),
    }
}
