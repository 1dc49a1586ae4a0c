//! Words of police and procuratorate, and campaign tags: judged by what their author had seen, and
//! the same in every order of arrival.

use super::*;
use crate::domain::{
    Campaign, PoliceAnswer, Referral, ReferralAct as A, ReferralKind, ReferralPaper,
};
use crate::view::{Effect, ReadRows, history, referral_words};

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

fn at(n: u8, index: u64) -> Position {
    Position { log: log(n), index }
}

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn campaign(number: u32) -> Campaign {
    Campaign::from_number(number).unwrap()
}

pub(super) fn said(act: A) -> C {
    C::Referral(act)
}

pub(super) fn refer(kind: ReferralKind) -> A {
    let (decided_on, handed) = (day("2026-11-19"), day("2026-11-20"));
    let referral = Referral { kind, decided_on, handed_over_on: Some(handed) };
    A::Referred { referral, papers: vec![ReferralPaper::Letter, ReferralPaper::Report] }
}

pub(super) fn answer(referral: Position) -> A {
    A::Answered { referral, answer: PoliceAnswer::Returned, on: day("2026-11-21") }
}

pub(super) fn tag(number: u32, on: bool) -> A {
    A::Tagged { campaign: campaign(number), on }
}

/// An entry of a log about the case; `after` names sizes of other logs.
fn entry(
    (n, code): (u8, u32),
    index: u64,
    after: &[(u8, u64)],
    (event, prev): (Event, Option<Position>),
) -> Written {
    let head = |(n, size): &(u8, u64)| Head { log: log(*n), size: *size, root: Hash::new([0; 32]) };
    let id = ((n, index) != (1, 0)).then(|| subject_id(at(1, 0)));
    let envelope = Envelope {
        subject: Subject { kind: SubjectKind::Case, id },
        after: after.iter().map(head).collect(),
        prev,
        ..bare(n, index)
    };
    Written { city: city(code), epoch: 1, envelope, event }
}

/// A case goes from here to there. Here still speaks while it has not seen that, and once it has.
fn entries() -> Vec<Written> {
    let on = day("2026-11-20");
    let mv = |mv, prev| (Event::CaseMove(mv), Some(prev));
    let opened = (Event::CaseOpened { facts: facts(false), effective_on: on }, None);
    let verified = M::Stepped { step: CaseStep::VerificationStarted, effective_on: on };
    let offered = M::TransferOffered { to: city(THERE), effective_on: on };
    let (here, there) = ((1, HERE), (2, THERE));
    vec![
        entry(here, 0, &[], opened),
        entry(here, 1, &[], mv(verified, at(1, 0))),
        entry(here, 2, &[], word(refer(ReferralKind::Crime))),
        entry(here, 3, &[], word(tag(2, true))),
        entry(here, 4, &[], mv(offered, at(1, 1))),
        // Misfits: there it is not handled yet; it has not seen the referral, nor is it one.
        entry(there, 0, &[(1, 2)], word(refer(ReferralKind::Detention))),
        entry(there, 1, &[], word(tag(3, true))),
        entry(there, 2, &[(1, 5)], mv(M::TransferAccepted { effective_on: on }, at(1, 4))),
        entry(there, 3, &[], word(answer(at(1, 2)))),
        entry(there, 4, &[], word(answer(at(1, 3)))),
        entry(there, 5, &[], word(tag(2, false))),
        entry(there, 6, &[], word(tag(4, true))),
        // Cut off, it still handles the case as far as it knows.
        entry(here, 5, &[], word(answer(at(1, 2)))),
        entry(here, 6, &[], word(tag(2, true))),
        entry(here, 7, &[], word(tag(5, true))),
        entry(here, 8, &[], word(tag(4, false))),
        // Misfits: now it knows.
        entry(here, 9, &[(2, 3)], word(refer(ReferralKind::Crime))),
        entry(here, 10, &[], word(tag(5, false))),
    ]
}

fn rows_of(entries: &[Written]) -> MemRows {
    let (mut rows, members) = (MemRows::default(), members());
    for (number, written) in (1..).zip(entries) {
        let entry = FoldEntry {
            agreement: AGREEMENT,
            city: written.city,
            epoch: written.epoch,
            prologue: None,
            members: &members,
            envelope: &written.envelope,
            event: &written.event,
        };
        apply(&mut rows, &entry, number);
    }
    rows
}

fn effects(rows: &MemRows) -> BTreeMap<Position, Effect> {
    let mut effects = BTreeMap::new();
    history(rows, AGREEMENT, subject_id(at(1, 0)), 0, &mut |line| {
        effects.insert(line.position, line.effect);
        true
    });
    effects
}

#[test]
fn referrals_are_the_same_in_every_order() {
    let (all, mut rng) = (entries(), Rng(7));
    let (hash, view) = fold(&all);
    let rows = rows_of(&all);
    let misfits: Vec<_> = effects(&rows)
        .into_iter()
        .filter_map(|(at, effect)| match effect {
            Effect::Misfit(reason) => Some((at, reason)),
            Effect::Opened
            | Effect::Move
            | Effect::Contribution
            | Effect::Newer
            | Effect::Other => None,
        })
        .collect();
    let not_handling = |place| (place, "NOT_HANDLING_CITY".to_owned());
    let unknown = (at(2, 4), "REFERRAL_UNKNOWN".to_owned());
    let (new, old) = ([at(2, 0), at(2, 1)], [at(1, 9), at(1, 10)]);
    let mut want: Vec<_> = old.into_iter().chain(new).map(not_handling).collect();
    want.push(unknown);
    assert_eq!(misfits, want);
    let words = |rows: &MemRows| -> Vec<_> {
        let mut words: Vec<_> = referral_words(rows, AGREEMENT, subject_id(at(1, 0)))
            .iter()
            .map(|word| word.line.position)
            .collect();
        words.sort_unstable();
        words
    };
    assert_eq!(words(&rows), [at(1, 2), at(1, 5), at(2, 3)]);
    // A word after more hand-overs counts, however late one after fewer arrives.
    let tags = |view: &CaseView| view.campaigns().collect::<Vec<_>>();
    assert_eq!(tags(&view), [campaign(4), campaign(5)]);
    for nth in 0..300 {
        let order = shuffled(&all, &mut rng);
        let (other, again) = fold(&order);
        assert_eq!((other, tags(&again)), (hash, tags(&view)), "order {nth}");
        assert_eq!(words(&rows_of(&order)), words(&rows), "order {nth}");
    }
    // The hash covers it: another referral in its place is another hash.
    let mut other = all.clone();
    other[2].event = Event::Contribution(said(refer(ReferralKind::Detention)));
    assert_ne!(fold(&other).0, hash);
}

/// One log that accepts an offer many times has accepted it once, and hands the case on for good.
#[test]
fn one_offer_is_accepted_once_by_one_log() {
    let on = day("2026-11-20");
    let mv = |mv, prev| (Event::CaseMove(mv), Some(prev));
    let accepted = || mv(M::TransferAccepted { effective_on: on }, at(1, 4));
    let offered = |to| M::TransferOffered { to: city(to), effective_on: on };
    let (here, there) = ((1, HERE), (2, THERE));
    let mut all = entries()[..5].to_vec();
    all.push(entry(there, 0, &[(1, 5)], accepted()));
    all.extend((1..6).map(|index| entry(there, index, &[], accepted())));
    all.push(entry(there, 6, &[], word(tag(3, true))));
    all.push(entry(there, 7, &[], mv(offered(HERE), at(2, 0))));
    // What goes on from another of them is no hand-over.
    all.push(entry(there, 8, &[], mv(offered(HERE), at(2, 3))));
    all.push(entry(here, 5, &[(2, 9)], mv(M::TransferAccepted { effective_on: on }, at(2, 8))));
    all.push(entry(here, 6, &[], mv(M::TransferAccepted { effective_on: on }, at(2, 7))));
    all.push(entry(here, 7, &[], word(tag(4, true))));
    all.push(entry(there, 9, &[(1, 8)], word(tag(5, true))));
    let handed = |rows: &MemRows| {
        let key = |place| crate::view::keys::handed(AGREEMENT, subject_id(at(1, 0)), place);
        let places = all.iter().map(|written| written.envelope.position());
        places.filter(|place| rows.get(&key(*place)).is_some()).collect::<Vec<_>>()
    };
    let (rows, mut rng, hash) = (rows_of(&all), Rng(11), fold(&all).0);
    assert_eq!(handed(&rows), [at(2, 0), at(1, 6)]);
    let effects = effects(&rows);
    for place in [at(2, 6), at(1, 7)] {
        assert_eq!(effects.get(&place), Some(&Effect::Contribution), "{place}");
    }
    let not_handling = Effect::Misfit("NOT_HANDLING_CITY".to_owned());
    assert_eq!(effects.get(&at(2, 9)), Some(&not_handling), "it has handed the case back");
    for nth in 0..100 {
        let order = shuffled(&all, &mut rng);
        assert_eq!(fold(&order).0, hash, "order {nth}");
        assert_eq!(handed(&rows_of(&order)), handed(&rows), "order {nth}");
    }
}

/// Three honest cities that hand a case on, and say words, each knowing what it has heard so far.
fn any_hand_overs(seed: u64) -> Vec<Written> {
    let (mut rng, cities) = (Rng(seed), [(1, HERE), (2, THERE), (4, 371_400)]);
    let mut all = entries()[..2].to_vec();
    let mut heard: BTreeMap<(u8, u8), u64> = BTreeMap::new();
    for _ in 0..40 {
        let (n, code) = rng.pick(&cities);
        let size =
            |n: u8, all: &[Written]| all.iter().filter(|w| w.envelope.log == log(n)).count() as u64;
        let mut after = Vec::new();
        for (other, _) in cities.into_iter().filter(|(other, _)| *other != n) {
            let (known, there) = (heard.entry((n, other)).or_insert(0), size(other, &all));
            // Mostly it is cut off; a log is heard to some place in it.
            if rng.below(3) == 0 && there > *known {
                *known += 1 + rng.below((there - *known) as usize) as u64;
                after.push((other, *known));
            }
        }
        let mut next = entry((n, code), size(n, &all), &after, word(tag(3, true)));
        let seen = seen_by(&all, &next);
        if seen.is_empty() {
            continue;
        }
        let (case, last, _) = chain_of(&seen);
        let (on, to) = (day("2026-11-20"), city(rng.pick(&cities).1));
        let offered = M::TransferOffered { to, effective_on: on };
        let accepted = M::TransferAccepted { effective_on: on };
        let fits = |mv: &&M| domain::next(&case, city(code), &members(), mv).is_ok();
        if let Some(mv) = [accepted, offered].iter().find(fits).filter(|_| rng.below(3) > 0) {
            next.event = Event::CaseMove(mv.clone());
            next.envelope.prev = Some(last);
        }
        all.push(next);
    }
    all
}

fn word(act: A) -> (Event, Option<Position>) {
    (Event::Contribution(said(act)), None)
}

/// What the author of an entry had seen, from the opening on.
fn seen_by(all: &[Written], word: &Written) -> Vec<Written> {
    let with: Vec<Written> = all.iter().chain([word]).cloned().collect();
    let seen = |w: &&Written| has_seen(&with, &word.envelope, w.envelope.position());
    let seen: Vec<Written> = all.iter().filter(seen).cloned().collect();
    match seen.first() {
        Some(first) if first.envelope.position() == at(1, 0) => seen,
        Some(_) | None => Vec::new(),
    }
}

/// A word takes effect if and only if its author handled the case by the chain of what it had seen.
#[test]
fn who_handled_a_case_is_read_off_what_was_seen() {
    let (mut fitting, mut late, mut barred) = (0, 0, 0);
    for seed in 0..100 {
        let all = any_hand_overs(seed);
        let handling = fold(&all).1.case.handling;
        let effects = effects(&rows_of(&shuffled(&all, &mut Rng(seed))));
        for word in all.iter().filter(|w| matches!(w.event, Event::Contribution(_))) {
            let place = word.envelope.position();
            let handled = chain_of(&seen_by(&all, word)).0.handling == word.city;
            let effect = effects.get(&place);
            assert_eq!(effect == Some(&Effect::Contribution), handled, "seed {seed}, {place}");
            fitting += usize::from(handled);
            barred += usize::from(!handled);
            late += usize::from(handled && handling != word.city);
        }
    }
    assert!(fitting > 200 && barred > 200 && late > 50, "{fitting} {barred} {late}");
}
