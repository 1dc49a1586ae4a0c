//! Which words of a city count, and who may add what.

use super::answer::{Said, answer_that_counts, fits, sent_that_counts};
use super::booking::booking;
use super::*;
use crate::domain::half_day::Period;
use crate::domain::site::CheckMode;
use crate::ids::Hash;

fn sends(number: u8) -> Sent {
    sent_of(&[id(number)])
}

fn confirms(revision: u64, number: u8) -> PlanAct {
    answered(revision, Answer::Confirm { sent: sends(number) })
}

fn swaps(revision: u64, number: u8) -> PlanAct {
    says(revision, PlanWord::UnitsSwapped(sends(number)))
}

/// Every order of these.
fn orders(acts: &[PlanAct]) -> Vec<Vec<(usize, &PlanAct)>> {
    let mut all = vec![Vec::new()];
    for _ in acts {
        all = all
            .into_iter()
            .flat_map(|order: Vec<(usize, &PlanAct)>| {
                let rest: Vec<_> = acts.iter().enumerate().collect();
                let rest = rest.into_iter().filter(|(at, _)| !order.iter().any(|(o, _)| o == at));
                rest.map(|one| [order.clone(), vec![one]].concat()).collect::<Vec<_>>()
            })
            .collect();
    }
    all
}

#[test]
fn the_newest_answer_counts_in_whatever_order_they_arrive() {
    let acts = [
        confirms(1, 1),
        answered(1, Answer::ChangesRequested),
        confirms(2, 2),
        answered(1, Answer::Comment),
        answered(2, Answer::Comment),
    ];
    for order in orders(&acts) {
        let said = || order.iter().map(|(place, act)| Said { place: *place, act });
        let kind = |revision| answer_that_counts(rev(revision), said()).map(|(p, a)| (p, a.kind()));
        assert_eq!(kind(1), Some((1, AnswerKind::ChangesRequested)));
        assert_eq!(kind(2), Some((2, AnswerKind::Confirm)));
        assert_eq!(kind(3), None);
        assert_eq!(sent_that_counts(rev(1), said()), None);
        assert_eq!(sent_that_counts(rev(2), said()), Some((2, &sends(2))));
    }
}

#[test]
fn units_swapped_behind_a_confirmation_are_those_sent() {
    // A swap before the confirmation, two behind it, one of another revision.
    let acts = [swaps(1, 1), confirms(1, 2), swaps(1, 3), swaps(1, 4), swaps(2, 5)];
    for order in orders(&acts) {
        let said = || order.iter().map(|(place, act)| Said { place: *place, act });
        assert_eq!(sent_that_counts(rev(1), said()), Some((3, &sends(4))));
        assert_eq!(answer_that_counts(rev(1), said()).map(|(place, _)| place), Some(1));
        assert_eq!(sent_that_counts(rev(2), said()), None);
    }
    let withdrawn = [confirms(1, 1), swaps(1, 2), answered(1, Answer::Withdraw)];
    let said = withdrawn.iter().enumerate().map(|(place, act)| Said { place, act });
    assert_eq!(sent_that_counts(rev(1), said), None);
}

#[test]
fn a_booking_ends_by_the_citys_own_word() {
    let tentative = |number| {
        let hold_until = date("2026-12-05");
        answered(1, Answer::Tentative { hold_until, sent: sends(number) })
    };
    let periods = || vec!["2026-12-10".parse().unwrap()];
    let release = |revision| says(revision, PlanWord::UnitsReleased);
    // What was said, and whose unit of which revision is booked.
    let rows = [
        (vec![], None),
        (vec![answered(1, Answer::Comment)], None),
        (vec![tentative(1)], Some((1, 1))),
        (vec![tentative(1), confirms(1, 2)], Some((1, 2))),
        (vec![confirms(1, 2), swaps(1, 3), answered(1, Answer::Comment)], Some((1, 3))),
        (vec![confirms(1, 2), answered(1, Answer::Withdraw)], None),
        (vec![confirms(1, 2), answered(1, Answer::Withdraw), confirms(1, 4)], Some((1, 4))),
        (vec![confirms(1, 2), answered(1, Answer::OtherDays { periods: periods() })], None),
        (vec![confirms(1, 2), release(1)], None),
        (vec![confirms(1, 2), release(1), confirms(2, 5)], Some((2, 5))),
        // A release of an old revision frees nobody of a newer one; one before a confirmation,
        // nobody.
        (vec![confirms(1, 2), confirms(2, 5), release(1)], Some((2, 5))),
        (vec![confirms(1, 2), confirms(2, 5), release(2)], None),
        (vec![release(1), confirms(1, 2)], Some((1, 2))),
        // A new revision alone frees nobody; the city's word to it does.
        (vec![confirms(1, 2), swaps(2, 9)], Some((1, 2))),
        (vec![confirms(1, 2), confirms(2, 5)], Some((2, 5))),
        (vec![confirms(1, 2), answered(2, Answer::Decline)], None),
    ];
    for (row, (acts, want)) in rows.into_iter().enumerate() {
        let said = acts.iter().enumerate().map(|(place, act)| Said { place, act });
        let got = booking(said.rev());
        let want = want.map(|(revision, number)| (rev(revision), sends(number)));
        assert_eq!(got.map(|one| (one.revision, one.sent.clone())), want, "row {row}");
    }
    let held = [tentative(1)];
    let said = held.iter().enumerate().map(|(place, act)| Said { place, act });
    let held = booking(said).unwrap();
    assert!(held.holds(date("2026-12-05")) && !held.holds(date("2026-12-06")));
}

fn report(number: u8) -> VisitReport {
    VisitReport {
        site: id(number),
        nth: 0,
        on: date("2026-12-08"),
        outcome: VisitOutcome::NotProducing,
        mode: CheckMode::OnSite,
        checks: Vec::new(),
        samples: 0,
        clues: 0,
    }
}

fn arrival(officers: &[u8], guests: &[u8]) -> CheckIn {
    let ids = |list: &[u8]| list.iter().map(|number| id(*number)).collect();
    let (officers, guests) = (ids(officers), ids(guests));
    CheckIn { site: id(1), nth: 0, on: date("2026-12-08"), officers, guests }
}

/// Every act that a city may add, as it should be.
fn words() -> Vec<PlanWord> {
    let attempt = 1;
    let periods = vec!["2026-12-10".parse().unwrap()];
    let answers = [
        Answer::Comment,
        Answer::Tentative { hold_until: date("2026-12-05"), sent: sends(1) },
        Answer::Confirm { sent: sends(1) },
        Answer::ChangesRequested,
        Answer::OtherDays { periods },
        Answer::Decline,
        Answer::Withdraw,
    ];
    let mut words: Vec<PlanWord> = answers.into_iter().map(PlanWord::Answered).collect();
    words.extend([
        PlanWord::UnitsSwapped(sends(2)),
        PlanWord::DrawCommitted { attempt, commitment: Hash::new([1; 32]) },
        PlanWord::DrawRevealed { draw: at(1, 20), random: [1; 32] },
        PlanWord::CheckedIn(arrival(&[1, 2], &[3])),
        PlanWord::VisitReported(report(1)),
        PlanWord::FindingOpened { site: id(1), nth: 0, case: Some(id(60)) },
        PlanWord::FindingOpened { site: id(1), nth: 0, case: None },
        PlanWord::ResultsReported,
        PlanWord::UnitsReleased,
    ]);
    words
}

/// Whatever the stage, whatever the chain: what a city says is never made void by what another city
/// writes. All that is asked was seen by its author.
#[test]
fn participants_add_to_a_plan_at_every_stage_and_others_never() {
    for stage in PlanStage::ALL {
        let plan = Plan { stage: *stage, ..opened() };
        for word in words() {
            let act = says(1, word);
            for by in [handan(), liaocheng(), puyang()] {
                assert_eq!(fits(by, &act, &plan.found(rev(1), Some(by))), Ok(()), "{act:?}");
            }
            let got = fits(xingtai(), &act, &plan.found(rev(1), Some(xingtai())));
            assert_eq!(got, Err(PlanMisfit::NotParticipant { city: xingtai() }), "{act:?}");
        }
    }
}

#[test]
fn an_act_fits_its_revision_and_its_site() {
    let plan = opened();
    let mut fewer = facts();
    fewer.cities.remove(0);
    let revised = moved(&plan, &PlanMove::Revised { facts: fewer }, &Seen::default()).unwrap();
    let fit = |plan: &Plan, by, act: &PlanAct, host| fits(by, act, &plan.found(act.revision, host));
    // Handan took part in the first revision, and its answer to that still fits.
    assert_eq!(fit(&revised, handan(), &confirms(1, 1), None), Ok(()));
    let gone = PlanMisfit::NotParticipant { city: handan() };
    assert_eq!(fit(&revised, handan(), &confirms(2, 1), None), Err(gone));
    for revision in [0, 2, u64::MAX] {
        let unknown = fit(&plan, handan(), &confirms(revision, 1), None);
        assert_eq!(unknown, Err(PlanMisfit::RevisionUnknown));
    }
    // A second revision 2, in a log that the chain rule did not pick: its author had seen it, so it
    // fits; but it counts for nothing.
    let other = PlanAct { revision: at(8, 2), ..confirms(2, 1) };
    let cities = [handan(), liaocheng()];
    let found = Found { participants: Some(&cities), ..plan.found(at(8, 2), None) };
    assert_eq!(fits(handan(), &other, &found), Ok(()));
    let said = [Said { place: 1, act: &other }];
    assert_eq!(answer_that_counts(revised.at, said), None);
    // A site elsewhere and one that was not seen are the same misfit.
    for word in [
        PlanWord::VisitReported(report(1)),
        PlanWord::CheckedIn(arrival(&[1, 2], &[])),
        PlanWord::FindingOpened { site: id(1), nth: 0, case: None },
    ] {
        for host in [Some(puyang()), None] {
            let got = fit(&plan, handan(), &says(1, word.clone()), host);
            assert_eq!(got, Err(PlanMisfit::NotHost));
        }
    }
}

#[test]
fn a_word_about_another_entry_needs_that_entry() {
    let plan = opened();
    let resolution = Resolution::Partly;
    let resolves = says(1, PlanWord::AnswerResolved { answer: at(0, 4), resolution });
    let shows = says(1, PlanWord::DrawRevealed { draw: at(1, 20), random: [1; 32] });
    for (act, by, entry, want) in [
        (&resolves, liaocheng(), true, Ok(())),
        (&resolves, liaocheng(), false, Err(PlanMisfit::EntryUnknown)),
        (&resolves, handan(), true, Err(PlanMisfit::NotInitiator { initiator: liaocheng() })),
        (&shows, handan(), true, Ok(())),
        // Before anything was scheduled there is no such entry.
        (&shows, handan(), false, Err(PlanMisfit::EntryUnknown)),
    ] {
        let found = Found { entry, ..plan.found(rev(1), None) };
        assert_eq!(fits(by, act, &found), want, "{act:?}");
    }
}

#[test]
fn what_is_not_as_it_should_be_has_no_effect() {
    let fit =
        |word: PlanWord| fits(handan(), &says(1, word), &opened().found(rev(1), Some(handan())));
    let unit = |unit: u8, span: Option<(u8, u8)>| {
        let span = span.map(|(first, last)| Span { first, last });
        SentUnit { unit: id(unit), span }
    };
    let recusal = |officer: u8, site: Option<u8>| {
        let site = site.map(id);
        Recusal { officer: id(officer), site }
    };
    for (row, (units, recusals, whole)) in [
        (vec![unit(1, None), unit(2, None)], vec![recusal(1, Some(9)), recusal(2, None)], true),
        (vec![], vec![], true),
        (vec![unit(2, None), unit(1, None)], vec![], false),
        (vec![unit(1, None), unit(1, Some((0, 0)))], vec![], false),
        (vec![unit(1, Some((0, 61)))], vec![], true),
        (vec![unit(1, Some((1, 0)))], vec![], false),
        (vec![unit(1, Some((0, 62)))], vec![], false),
        (vec![unit(1, None)], vec![recusal(1, Some(9)), recusal(1, Some(9))], false),
        // An officer who was left out because of a recusal is not sent.
        (vec![unit(1, None)], vec![recusal(2, None)], true),
    ]
    .into_iter()
    .enumerate()
    {
        let sent = Sent { units, recusals };
        let got = fit(PlanWord::Answered(Answer::Confirm { sent }));
        assert_eq!(got.is_ok(), whole, "row {row}");
    }
    let periods = |texts: &[&str]| -> Vec<Period> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    for (texts, whole) in [
        (&["2026-12-10", "2026-12-11上午"][..], true),
        (&[], false),
        (&["2026-12-10", "2026-12-10下午"], false),
        (&["2026-12-11", "2026-12-10"], false),
    ] {
        let got = fit(PlanWord::Answered(Answer::OtherDays { periods: periods(texts) }));
        assert_eq!(got.is_ok(), whole, "{texts:?}");
    }
    let commitment = Hash::new([1; 32]);
    let bound = fit(PlanWord::DrawCommitted { attempt: 0, commitment });
    assert_eq!(bound, Err(PlanMisfit::Invalid(Wrong::Attempt)));
    // Two officers of the host city at least, nobody twice, and on no side both.
    for (officers, guests, whole) in [
        (&[1, 2][..], &[][..], true),
        (&[1, 2], &[3, 4], true),
        (&[], &[3], false),
        (&[1], &[3], false),
        (&[2, 1], &[], false),
        (&[1, 1], &[], false),
        (&[1, 2], &[4, 3], false),
        (&[1, 2], &[2], false),
    ] {
        let got = fit(PlanWord::CheckedIn(arrival(officers, guests)));
        assert_eq!(got.is_ok(), whole, "{officers:?} {guests:?}");
    }
    let late = CheckIn { nth: 62, ..arrival(&[1, 2], &[]) };
    assert_eq!(fit(PlanWord::CheckedIn(late)), Err(PlanMisfit::Invalid(Wrong::Nth)));
    let odd = VisitReport { outcome: VisitOutcome::Checked, ..report(1) };
    assert_eq!(fit(PlanWord::VisitReported(odd)), Err(PlanMisfit::Invalid(Wrong::ChecksMissing)));
    let clue = VisitReport { clues: 1, ..report(1) };
    assert_eq!(fit(PlanWord::VisitReported(clue)), Err(PlanMisfit::Invalid(Wrong::NotChecked)));
}
