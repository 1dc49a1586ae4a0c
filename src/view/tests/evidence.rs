//! Evidence: what was said of it is the same in every order of arrival.

use super::*;
use crate::domain::{DeclineGround, EvidenceAct as A, EvidencePlace};
use crate::log::{Audience, PartKind, PartRef};
use crate::view::{evidence, evidence_standing};

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;
const THIRD: u32 = 371_400;

fn at(n: u8, index: u64) -> Position {
    Position { log: log(n), index }
}

fn place(index: u64) -> EvidencePlace {
    EvidencePlace { entry: at(1, index), part: 0, item: 3 }
}

/// An entry of a log about the case; `after` names sizes of other logs.
fn entry(
    (n, code, epoch): (u8, u32, u64),
    index: u64,
    after: &[(u8, u64)],
    event: Event,
) -> Written {
    let head = |(n, size): &(u8, u64)| Head { log: log(*n), size: *size, root: Hash::new([0; 32]) };
    let id = ((n, index) != (1, 0)).then(|| subject_id(at(1, 0)));
    let envelope = Envelope {
        subject: Subject { kind: SubjectKind::Case, id },
        after: after.iter().map(head).collect(),
        record_time_ms: i64::from(n) * 1_000,
        ..bare(n, index)
    };
    Written { city: city(code), epoch, envelope, event }
}

fn list(index: u64, audience: Audience) -> Written {
    let mut entry = entry((1, HERE, 1), index, &[], Event::Contribution(C::EvidenceAdded));
    entry.envelope.parts =
        vec![PartRef { kind: PartKind::Evidence, audience, digest: Hash::new([1; 32]) }];
    entry
}

fn said(place: EvidencePlace, act: A) -> Event {
    Event::Contribution(C::Evidence { place, act })
}

/// One list for all, one for whoever handles the case and, by a grant, for the third city.
fn entries() -> Vec<Written> {
    let on = Date::parse("2026-11-20").unwrap();
    let declined = A::Declined { ground: DeclineGround::Officers };
    let opened = Event::CaseOpened { facts: facts(false), effective_on: on };
    let granted = C::PartGranted { entry: at(1, 2), part: 0, to: city(THIRD) };
    let verified = M::Stepped { step: CaseStep::VerificationStarted, effective_on: on };
    let offered = M::TransferOffered { to: city(THERE), effective_on: on };
    let far = EvidencePlace { item: 64, ..place(1) };
    let (here, there, third) = ((1, HERE, 1), (2, THERE, 1), (4, THIRD, 1));
    let mut all = vec![
        entry(here, 0, &[], opened),
        list(1, Audience::AllMembers),
        list(2, Audience::HandlingCity),
        entry(here, 3, &[], Event::Contribution(granted)),
        // Misfit: whoever listed it.
        entry(here, 4, &[], said(place(1), A::Received)),
        entry(here, 5, &[], Event::CaseMove(verified)),
        entry(here, 6, &[], Event::CaseMove(offered)),
        entry(there, 0, &[(1, 2)], said(place(1), A::Received)),
        entry(there, 1, &[], said(place(1), declined)),
        // Misfit: it does not handle the case yet.
        entry(there, 2, &[(1, 7)], said(place(2), A::Received)),
        entry(there, 3, &[], said(place(1), A::HandedOver { on })),
        entry(there, 4, &[], Event::CaseMove(M::TransferAccepted { effective_on: on })),
        entry(there, 5, &[], said(place(2), A::Received)),
        // The same city a second time: of its findings that of the older epoch counts.
        entry((3, THERE, 2), 0, &[(1, 5), (2, 1)], said(place(1), A::Recognised)),
        entry((3, THERE, 2), 1, &[], said(place(1), A::Received)),
        // Misfit: it has not seen that its city took the case over.
        entry((5, THERE, 3), 0, &[(1, 7), (2, 1)], said(place(2), A::Received)),
        // Misfit: it has not seen the grant.
        entry(third, 0, &[(1, 3)], said(place(2), A::Received)),
        entry(third, 1, &[(1, 4)], said(place(2), A::Received)),
        entry(third, 2, &[], said(place(2), A::Recognised)),
        // Misfits: a list has 64 items at the most; it has no receipt of the other one.
        entry(third, 3, &[], said(far, A::Received)),
        entry(third, 4, &[], said(place(1), A::Recognised)),
    ];
    for written in &mut all {
        if let Event::CaseMove(mv) = &written.event {
            let from = if matches!(mv, M::Stepped { .. }) {
                0
            } else if matches!(mv, M::TransferOffered { .. }) {
                5
            } else {
                6
            };
            written.envelope.prev = Some(at(1, from));
        }
    }
    all
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

#[test]
fn evidence_is_the_same_in_every_order() {
    let (all, mut rng) = (entries(), Rng(7));
    let (hash, view) = fold(&all);
    assert_eq!((view.misfit_count, view.case.handling), (6, city(THERE)));
    let case_id = (AGREEMENT, subject_id(at(1, 0)));
    let rows = rows_of(&all);
    let (open, narrow) = (evidence(&rows, case_id, place(1)), evidence(&rows, case_id, place(2)));
    let receipts = |view: &crate::view::EvidenceView| -> Vec<_> {
        view.receipts().iter().map(|(city, said)| (*city, said.at)).collect()
    };
    assert_eq!(receipts(&open), [(city(THERE), at(2, 0))], "the older epoch");
    let finding = open.finding(city(THERE)).unwrap();
    assert_eq!((finding.said.at, finding.ground), (at(2, 1), Some(DeclineGround::Officers)));
    assert_eq!(open.judged.len(), 1, "the third city has no receipt");
    assert_eq!(open.custody.iter().map(|step| step.said.at).collect::<Vec<_>>(), [at(2, 3)]);
    assert_eq!(receipts(&narrow), [(city(THERE), at(2, 5)), (city(THIRD), at(4, 1))]);
    assert_eq!(narrow.finding(city(THIRD)).map(|one| one.ground), Some(None));
    for nth in 0..200 {
        let order = shuffled(&all, &mut rng);
        let (other, again) = fold(&order);
        assert_eq!((other, again.misfit_count), (hash, 6), "order {nth}");
        let rows = rows_of(&order);
        assert_eq!(evidence(&rows, case_id, place(1)), open, "order {nth}");
        assert_eq!(evidence(&rows, case_id, place(2)), narrow, "order {nth}");
    }
    // The hash covers it: one receipt less is another hash, although no case shows it.
    let without: Vec<_> =
        all.iter().filter(|w| w.envelope.position() != at(3, 1)).cloned().collect();
    assert_ne!(fold(&without).0, hash);
}

#[test]
fn what_is_said_goes_to_whoever_may_hold_the_list() {
    let mut all = entries();
    all.truncate(6);
    all.push(list(6, Audience::Cities(vec![city(THIRD)])));
    // A member that does not handle the case gives a list to whoever does.
    let mut gift = list(7, Audience::HandlingCity);
    gift.city = city(THIRD);
    (gift.envelope.log, gift.envelope.index) = (log(6), 0);
    gift.envelope.after = vec![Head { log: log(1), size: 1, root: Hash::new([0; 32]) }];
    all.push(gift);
    let (rows, case_id) = (rows_of(&all), (AGREEMENT, subject_id(at(1, 0))));
    let audience = |place| {
        let found = evidence_standing(&rows, case_id, place, city(THERE), &|_| true);
        found.map(|(standing, audience)| (standing.entitled, audience))
    };
    let cities = |codes: &[u32]| Audience::Cities(codes.iter().copied().map(city).collect());
    assert_eq!(audience(place(1)), Some((true, Audience::AllMembers)));
    assert_eq!(audience(place(2)), Some((false, Audience::HandlingCity)));
    assert_eq!(audience(place(6)), Some((false, cities(&[THIRD, HERE]))));
    let gift = EvidencePlace { entry: at(6, 0), part: 0, item: 0 };
    assert_eq!(audience(gift), Some((false, cities(&[THIRD, HERE]))));
    assert_eq!(audience(place(0)), None, "the opening lists nothing here");
    let unseen = evidence_standing(&rows, case_id, place(1), city(THERE), &|_| false);
    assert_eq!(unseen, None);
    let other = (AGREEMENT, subject_id(at(9, 9)));
    assert_eq!(evidence_standing(&rows, other, place(1), city(THERE), &|_| true), None);
}

#[test]
fn no_city_fills_up_the_chain_of_another() {
    let limit = crate::limits::CUSTODY_STEPS_MAX as u64;
    let over = |day| said(place(1), A::HandedOver { on: Date::new(2026, 11, day).unwrap() });
    let mut all = entries();
    all.truncate(2);
    // The later ones are of an earlier day: they count, and the last ones of the chain do not.
    for index in 0..limit + 3 {
        let after: &[_] = if index == 0 { &[(1, 2)] } else { &[] };
        let day = if index < limit { 12 } else { 11 };
        all.push(entry((4, THIRD, 1), index, after, over(day)));
    }
    all.push(entry((2, THERE, 1), 0, &[(1, 2)], over(13)));
    let case_id = (AGREEMENT, subject_id(at(1, 0)));
    let of = |entries: &[Written]| evidence(&rows_of(entries), case_id, place(1)).custody;
    let chain = of(&all);
    let places: Vec<_> = chain.iter().map(|step| (step.said.at.log, step.said.at.index)).collect();
    let first = [limit, limit + 1, limit + 2].map(|index| (log(4), index));
    let then = (0..limit - 3).map(|index| (log(4), index));
    let want: Vec<_> = first.into_iter().chain(then).chain([(log(2), 0)]).collect();
    assert_eq!(places, want);
    let mut rng = Rng(11);
    for _ in 0..20 {
        assert_eq!(of(&shuffled(&all, &mut rng)), chain);
    }
}
