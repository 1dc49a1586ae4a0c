//! A plan comes to the same in every order, chain and words, and to what the set of its entries
//! says by the definition.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names what it is about")]

use std::collections::{BTreeMap, BTreeSet};

use super::super::plan_words::{WordSort, plan_words};
use super::super::{
    FoldEntry, MemRows, PlanView, apply, fold_hash, plan, plan_takes_more, unit_bookings,
};
use super::{AGREEMENT, Rng, Written, city, has_seen, log, shuffled};
use crate::domain::draw::commitment;
use crate::domain::plan::{
    Answer, AnswerKind, DrawRule, Plan, PlanAct, PlanCity, PlanDay, PlanFacts, PlanKind, PlanMove,
    PlanStage, PlanWord, Seen, Sent, SentUnit, Targets, TierWeights, next, open,
};
use crate::domain::{Department, Event};
use crate::ids::{CityCode, Hash, LogId, Position, SubjectId};
use crate::limits::PLAN_WORDS_MAX;
use crate::log::{Envelope, Head, Subject, SubjectKind, subject_id};

/// The initiator writes in two logs, as after a restore.
const LOGS: [(u8, u32, u64); 4] =
    [(1, 371_500, 1), (2, 130_400, 1), (3, 371_500, 2), (4, 371_400, 1)];
const ENTRIES: usize = 40;

fn members() -> Vec<CityCode> {
    [130_400, 371_400, 371_500].map(city).to_vec()
}

fn opening() -> Position {
    Position { log: log(1), index: 0 }
}

fn facts(draws: bool, with_third: bool) -> PlanFacts {
    let rule = DrawRule {
        sites: 1,
        host_officers: 2,
        guest_officers: 0,
        weights: TierWeights { key: 1, general: 1, special: 1 },
        pool: Hash::new([7; 32]),
        pool_size: 3,
        spares_withholders: false,
    };
    let all = members();
    let cities = all.iter().filter(|one| with_third || **one != city(371_400));
    PlanFacts {
        kind: if draws { PlanKind::DoubleRandom } else { PlanKind::EmergencyDrill },
        cities: cities.map(|city| PlanCity { city: *city, needs: Vec::new() }).collect(),
        departments: vec![Department::EcologyEnvironment],
        days: vec![PlanDay { at: "2026-12-01上午".parse().unwrap(), overtime: false }],
        targets: if draws { Targets::Draw(rule) } else { Targets::None },
    }
}

/// What a city adds to a draw: the same in every run.
fn random(by: CityCode, attempt: u32) -> [u8; 32] {
    let mut random = [attempt as u8; 32];
    random[..4].copy_from_slice(&by.as_u32().to_be_bytes());
    random
}

/// What a city that sees this plan might say, mostly something that helps it on.
fn any_event(rng: &mut Rng, by: CityCode, view: &PlanView, rows: &MemRows) -> Event {
    let id = subject_id(opening());
    let plan = &view.plan;
    let seen = view.seen(rows, (AGREEMENT, id));
    let participants = || plan.facts.participants();
    let say = |word| Event::PlanAct(PlanAct { revision: plan.at, word });
    let bound = plan.facts.draw().is_none() || view.heard.commitments.contains_key(&by);
    if by == plan.initiator && rng.below(3) > 0 && (bound || rng.below(3) == 0) {
        let named = |of: &BTreeMap<CityCode, (Position, Hash)>| -> Vec<Position> {
            participants().filter_map(|c| of.get(&c).map(|(at, _)| *at)).collect()
        };
        let answers = participants().filter_map(|c| seen.answers.get(&c).map(|(at, _)| *at));
        let scheduled = PlanMove::Scheduled {
            answers: answers.collect(),
            commitments: named(&seen.commitments),
        };
        let silent = plan.resting.commitments.keys().filter(|c| !seen.revealed.contains(*c));
        let redrawn = PlanMove::Redrawn {
            commitments: named(&seen.commitments),
            withheld: silent.copied().collect(),
        };
        let results = participants().filter_map(|c| seen.results.get(&c).copied()).collect();
        let revised = PlanMove::Revised { facts: facts(rng.below(3) > 0, rng.below(2) == 0) };
        let likely = match plan.stage {
            PlanStage::Open => scheduled.clone(),
            PlanStage::Scheduled if plan.facts.draw().is_some() && rng.below(3) > 0 => {
                let fresh = participants().all(|city| seen.commitments.contains_key(&city));
                if fresh { redrawn.clone() } else { PlanMove::Amended }
            }
            PlanStage::Scheduled => PlanMove::Begun,
            PlanStage::Executing | PlanStage::Summarized | PlanStage::Cancelled => {
                PlanMove::Summarized { results }
            }
        };
        let cancelled = if rng.below(4) == 0 { PlanMove::Cancelled } else { PlanMove::Amended };
        let all = [likely.clone(), likely.clone(), likely, revised, scheduled, redrawn, cancelled];
        return Event::PlanMove(rng.pick(&all));
    }
    let attempt = plan.resting.attempt + u32::from(rng.below(4) > 0);
    let bound_to = |attempt| commitment(id, plan.revision, by, &random(by, attempt));
    let (hash, next) = (bound_to(attempt), bound_to(plan.resting.attempt + 1));
    let shown = random(by, plan.resting.attempt.max(1));
    let confirm = PlanWord::Answered(Answer::Confirm { sent: Sent::default() });
    let words = [
        confirm.clone(),
        confirm,
        PlanWord::Answered(Answer::Decline),
        PlanWord::Answered(Answer::Comment),
        PlanWord::DrawCommitted { attempt, commitment: hash },
        PlanWord::DrawCommitted { attempt, commitment: hash },
        PlanWord::DrawRevealed { draw: plan.resting.draw.unwrap_or(plan.at), random: shown },
        PlanWord::ResultsReported,
    ];
    let mut word = rng.pick(&words);
    let answered = view.heard.answers.get(&by).map(|(_, kind)| *kind);
    if plan.stage == PlanStage::Open && answered != Some(AnswerKind::Confirm) && rng.below(2) == 0 {
        word = words[0].clone();
    }
    if !bound && (plan.stage == PlanStage::Scheduled || word == words[0]) && rng.below(4) > 0 {
        word = PlanWord::DrawCommitted { attempt: plan.resting.attempt + 1, commitment: next };
    }
    if plan.stage == PlanStage::Executing && rng.below(2) == 0 {
        word = PlanWord::ResultsReported;
    }
    say(word)
}

fn any_entries(seed: u64) -> Vec<Written> {
    let mut rng = Rng(seed);
    let mut rows = MemRows::default();
    let mut written: Vec<Written> = Vec::new();
    let mut sizes: BTreeMap<LogId, u64> = BTreeMap::new();
    let mut known: BTreeMap<(LogId, LogId), u64> = BTreeMap::new();
    for turn in 0..ENTRIES {
        let (n, code, epoch) = if turn == 0 { LOGS[0] } else { rng.pick(&LOGS) };
        let own = log(n);
        let mut after = Vec::new();
        // Mostly a city has seen everything.
        let lags = rng.below(4) == 0;
        for (other, size) in sizes.iter().filter(|(other, _)| **other != own) {
            let seen = known.entry((own, *other)).or_insert(0);
            let behind = if lags { rng.below((*size - *seen + 1) as usize) } else { 0 };
            let now = *size - behind as u64;
            if now > *seen {
                *seen = now;
                after.push(Head { log: *other, size: now, root: Hash::new([0; 32]) });
            }
        }
        let index = *sizes.get(&own).unwrap_or(&0);
        let (event, prev, id) = if turn == 0 {
            (Event::PlanOpened { facts: facts(seed.is_multiple_of(2), true) }, None, None)
        } else {
            let view = plan(&rows, AGREEMENT, subject_id(opening())).unwrap();
            let event = any_event(&mut rng, city(code), &view, &rows);
            let moves: Vec<Position> = written
                .iter()
                .filter(|w| !matches!(w.event, Event::PlanAct(_)))
                .map(|w| w.envelope.position())
                .collect();
            let stale = rng.pick(&moves);
            let prev = if rng.below(5) == 0 { stale } else { view.last_move };
            let prev = matches!(event, Event::PlanMove(_)).then_some(prev);
            (event, prev, Some(subject_id(opening())))
        };
        let subject = Subject { kind: SubjectKind::Plan, id };
        let envelope = Envelope { subject, after, prev, ..super::bare(n, index) };
        sizes.insert(own, index + 1);
        written.push(Written { city: city(code), epoch, envelope, event });
        add(&mut rows, written.last().unwrap(), turn as u64 + 1);
    }
    written
}

fn add(rows: &mut MemRows, one: &Written, number: u64) {
    let entry = FoldEntry {
        agreement: AGREEMENT,
        city: one.city,
        epoch: one.epoch,
        prologue: None,
        members: &members(),
        envelope: &one.envelope,
        event: &one.event,
    };
    apply(rows, &entry, number);
}

fn fold(entries: &[Written]) -> (MemRows, Hash) {
    let mut rows = MemRows::default();
    for (number, one) in (1..).zip(entries) {
        add(&mut rows, one, number);
    }
    let hash = fold_hash(&rows, AGREEMENT, &[]);
    (rows, hash)
}

/// What fits of what cities have said, from nothing but the set.
fn fitting(entries: &[Written]) -> Vec<(&Written, &PlanAct)> {
    let find = |at: Position| entries.iter().find(|w| w.envelope.position() == at);
    let fits = |w: &Written, act: &PlanAct| {
        let seen = |at| has_seen(entries, &w.envelope, at);
        // An entry whose author had not seen the plan is of no plan.
        let of_plan = |at| {
            let named = find(at).filter(|_| seen(at))?;
            let is_opening = at == opening();
            (is_opening || has_seen(entries, &named.envelope, opening())).then_some(named)
        };
        // A move of somebody else, or one that names no move before it, makes no revision.
        let stands = |named: &&Written| {
            let is_move = |at| {
                let event = find(at).map(|one| &one.event);
                matches!(event, Some(Event::PlanOpened { .. } | Event::PlanMove(_)))
            };
            let moves_from = |at: Position| {
                let saw = has_seen(entries, &named.envelope, at);
                let about = at == opening()
                    || find(at).is_some_and(|one| has_seen(entries, &one.envelope, opening()));
                saw && about && is_move(at)
            };
            let first = named.envelope.position() == opening();
            named.city == entries[0].city && (first || named.envelope.prev.is_some_and(moves_from))
        };
        let facts = match of_plan(act.revision).filter(stands).map(|named| &named.event) {
            Some(Event::PlanOpened { facts } | Event::PlanMove(PlanMove::Revised { facts })) => {
                facts
            }
            _ => return false,
        };
        let begins = |at| {
            let event = of_plan(at).filter(stands).map(|named| &named.event);
            matches!(
                event,
                Some(Event::PlanMove(PlanMove::Scheduled { .. } | PlanMove::Redrawn { .. }))
            )
        };
        let named = match &act.word {
            PlanWord::DrawRevealed { draw, .. } => begins(*draw),
            PlanWord::DrawCommitted { attempt, .. } => *attempt > 0,
            _ => true,
        };
        seen(opening()) && facts.has(w.city) && named
    };
    let acts = entries.iter().filter_map(|w| {
        let Event::PlanAct(act) = &w.event else { return None };
        fits(w, act).then_some((w, act))
    });
    let mut acts: Vec<_> = acts.collect();
    acts.sort_by_key(|(w, _)| (w.epoch, w.envelope.log, w.envelope.index));
    acts
}

fn seen_by(plan: &Plan, acts: &[(&Written, &PlanAct)], saw: &dyn Fn(Position) -> bool) -> Seen {
    let mut seen = Seen::default();
    for (w, act) in acts.iter().filter(|(w, act)| {
        act.revision == plan.at && plan.facts.has(w.city) && saw(w.envelope.position())
    }) {
        let at = w.envelope.position();
        match &act.word {
            PlanWord::Answered(answer) if answer.kind() != AnswerKind::Comment => {
                seen.answers.insert(w.city, (at, answer.kind()));
            }
            PlanWord::DrawCommitted { attempt, commitment }
                if *attempt == plan.resting.attempt + 1 && plan.facts.draw().is_some() =>
            {
                seen.commitments.insert(w.city, (at, *commitment));
            }
            PlanWord::DrawRevealed { draw, random } => {
                let id = subject_id(opening());
                let bound = plan.resting.commitments.get(&w.city);
                let shown = commitment(id, plan.revision, w.city, random);
                if plan.resting.draw == Some(*draw) && bound == Some(&shown) {
                    seen.revealed.insert(w.city);
                }
            }
            PlanWord::ResultsReported => {
                seen.results.insert(w.city, at);
            }
            _ => {}
        }
    }
    seen
}

/// The chain by its definition: plan, last move, number of moves, redraws among them.
fn chain_of(entries: &[Written]) -> (Plan, Position, u32, u32) {
    let Event::PlanOpened { facts } = &entries[0].event else { panic!() };
    let mut plan = open(entries[0].city, (opening(), facts), &members()).unwrap();
    let acts = fitting(entries);
    let (mut last, mut count, mut redrawn) = (opening(), 1, 0);
    loop {
        let mut candidates: Vec<&Written> =
            entries.iter().filter(|w| w.envelope.prev == Some(last)).collect();
        candidates.sort_by_key(|w| (w.epoch, w.envelope.log, w.envelope.index));
        let found = candidates.into_iter().find_map(|w| {
            let Event::PlanMove(mv) = &w.event else { return None };
            let saw = |at| has_seen(entries, &w.envelope, at);
            if !saw(last) || !saw(opening()) {
                return None;
            }
            let seen = seen_by(&plan, &acts, &saw);
            let at = w.envelope.position();
            Some((at, mv, next(&plan, w.city, (at, mv), &seen, &members()).ok()?))
        });
        let Some((at, mv, moved)) = found else { return (plan, last, count, redrawn) };
        redrawn += u32::from(matches!(mv, PlanMove::Redrawn { .. }));
        (last, plan, count) = (at, moved, count + 1);
    }
}

#[test]
fn every_causal_order_gives_the_same_plan() {
    let mut stages: BTreeSet<PlanStage> = BTreeSet::new();
    let (mut refolded, mut redraws) = (0, 0);
    for seed in 0..100 {
        let entries = any_entries(seed);
        let (rows, hash) = fold(&entries);
        let view = plan(&rows, AGREEMENT, subject_id(opening())).unwrap();
        let (defined, last, count, redrawn) = chain_of(&entries);
        let folded = (&view.plan, view.last_move, view.move_count);
        assert_eq!(folded, (&defined, last, count), "seed {seed}: not the fold of the set");
        let mut rng = Rng(seed ^ 0xabcd);
        for _ in 0..6 {
            let (rows, other) = fold(&shuffled(&entries, &mut rng));
            let again = plan(&rows, AGREEMENT, subject_id(opening())).unwrap();
            assert_eq!(again.plan, view.plan, "seed {seed}");
            assert_eq!(again.heard, view.heard, "seed {seed}");
            assert_eq!(again.misfit_count, view.misfit_count, "seed {seed}");
            assert_eq!(other, hash, "seed {seed}");
        }
        stages.insert(view.plan.stage);
        redraws += redrawn;
        let from: Vec<_> = entries.iter().filter_map(|w| w.envelope.prev).collect();
        refolded += usize::from(from.iter().any(|at| from.iter().filter(|o| *o == at).count() > 1));
    }
    // Seeds in which nothing happens would prove nothing.
    assert_eq!(stages.len(), PlanStage::ALL.len(), "{stages:?}");
    assert!(refolded > 60, "{refolded} runs with two moves from one entry");
    assert!(redraws > 3, "{redraws} draws were made again");
}

#[test]
fn what_is_heard_of_a_plan_is_what_was_said() {
    let id = subject_id(opening());
    let mut heard = 0;
    for seed in 0..60 {
        let entries = any_entries(seed);
        let (rows, _) = fold(&entries);
        let view = plan(&rows, AGREEMENT, id).unwrap();
        let acts = fitting(&entries);
        let seen = seen_by(&view.plan, &acts, &|_| true);
        let answers: BTreeMap<_, _> =
            view.heard.answers.iter().map(|(c, (place, kind))| (*c, (place.at, *kind))).collect();
        assert_eq!(answers, seen.answers, "seed {seed}");
        let reported: BTreeMap<_, _> =
            view.heard.reported.iter().map(|(c, place)| (*c, place.at)).collect();
        assert_eq!(reported, seen.results, "seed {seed}");
        assert_eq!(view.heard.revealed, seen.revealed, "seed {seed}");
        assert_eq!(view.seen(&rows, (AGREEMENT, id)), seen, "seed {seed}");
        heard += seen.answers.len() + seen.revealed.len();
        let mut count = 0;
        for by in members() {
            let sorts = [
                WordSort::Answer,
                WordSort::Comment,
                WordSort::Commitment,
                WordSort::Reveal,
                WordSort::Results,
            ];
            for sort in sorts {
                plan_words(&rows, (AGREEMENT, id), (sort, by), None, &mut |spoken| {
                    assert_eq!((WordSort::of(&spoken.act.word), spoken.city), (sort, by));
                    count += 1;
                    true
                });
            }
        }
        assert_eq!(count, acts.len(), "seed {seed}: every word lies beside the plan once");
    }
    assert!(heard > 60, "{heard} words were heard");
}

/// An entry about the plan, whose author has seen everything before it.
fn said(all: &[Written], (n, code, epoch): (u8, u32, u64), event: Event) -> Written {
    let count = |log| all.iter().filter(|w| w.envelope.log == log).count() as u64;
    let others = LOGS.iter().map(|(n, ..)| log(*n)).filter(|other| *other != log(n));
    let after = others.filter(|other| count(*other) > 0);
    let after = after.map(|log| Head { log, size: count(log), root: Hash::new([0; 32]) }).collect();
    let id = (!all.is_empty()).then(|| subject_id(opening()));
    let subject = Subject { kind: SubjectKind::Plan, id };
    let envelope = Envelope { subject, after, ..super::bare(n, count(log(n))) };
    Written { city: city(code), epoch, envelope, event }
}

fn confirms(unit: Option<u8>) -> Event {
    let unit = unit.map(|id| SentUnit { unit: SubjectId::new([id; 16]), span: None });
    let sent = Sent { units: unit.into_iter().collect(), recusals: Vec::new() };
    let answer = if sent.units.is_empty() { Answer::Decline } else { Answer::Confirm { sent } };
    Event::PlanAct(PlanAct { revision: opening(), word: PlanWord::Answered(answer) })
}

#[test]
fn nobody_books_or_frees_the_units_of_others() {
    let opened = Event::PlanOpened { facts: facts(false, true) };
    let mut all = vec![said(&[], LOGS[0], opened)];
    let mut rows = MemRows::default();
    add(&mut rows, &all[0], 1);
    let unit = SubjectId::new([0x61; 16]);
    let busy = |rows: &MemRows, code| {
        let mut busy = Vec::new();
        unit_bookings(rows, (AGREEMENT, unit), city(code), &mut |_, one| busy.extend(one.busy));
        busy.len()
    };
    // Their own city sends them; another one names them too, and then takes that back.
    let words = [(LOGS[1], Some(0x61)), (LOGS[3], Some(0x61)), (LOGS[3], None)];
    for (number, (who, unit)) in (2..).zip(words) {
        let one = said(&all, who, confirms(unit));
        add(&mut rows, &one, number);
        all.push(one);
        assert_eq!(busy(&rows, 130_400), 1, "after {number}");
    }
    assert_eq!((busy(&rows, 371_400), busy(&rows, 371_500)), (0, 0));
}

#[test]
fn a_log_says_as_much_as_it_may_and_no_more() {
    let mut all = vec![said(&[], LOGS[0], Event::PlanOpened { facts: facts(false, true) })];
    let mut rows = MemRows::default();
    add(&mut rows, &all[0], 1);
    let comment = Answer::Comment;
    let comment = PlanAct { revision: opening(), word: PlanWord::Answered(comment) };
    for number in 0..u64::from(PLAN_WORDS_MAX) + 3 {
        let one = said(&all, LOGS[1], Event::PlanAct(comment.clone()));
        add(&mut rows, &one, number + 2);
        all.push(one);
    }
    let view = plan(&rows, AGREEMENT, subject_id(opening())).unwrap();
    assert_eq!((view.contribution_count, view.misfit_count), (PLAN_WORDS_MAX, 3));
    assert!(!plan_takes_more(&rows, (AGREEMENT, subject_id(opening())), log(2), &comment));
    assert!(plan_takes_more(&rows, (AGREEMENT, subject_id(opening())), log(4), &comment));
}

#[test]
fn a_move_of_somebody_else_makes_no_revision() {
    let mut all = vec![said(&[], LOGS[0], Event::PlanOpened { facts: facts(false, false) })];
    let mut rows = MemRows::default();
    add(&mut rows, &all[0], 1);
    // A member that does not take part writes a revision in which it does, and answers that.
    let mut revised =
        said(&all, LOGS[3], Event::PlanMove(PlanMove::Revised { facts: facts(false, true) }));
    revised.envelope.prev = Some(opening());
    add(&mut rows, &revised, 2);
    let revision = revised.envelope.position();
    all.push(revised);
    let act = PlanAct { revision, word: PlanWord::Answered(Answer::Comment) };
    add(&mut rows, &said(&all, LOGS[3], Event::PlanAct(act)), 3);
    let view = plan(&rows, AGREEMENT, subject_id(opening())).unwrap();
    assert_eq!((view.contribution_count, view.misfit_count, view.plan.revision), (0, 2, 1));
}
