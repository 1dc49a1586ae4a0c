//! Which words of a city count, and who may add what.

use super::answer::{Said, answer_that_counts, fits, sent_that_counts};
use super::booking::booking;
use super::*;
use crate::domain::half_day::Period;
use crate::domain::site::CheckMode;
use crate::ids::Hash;

fn answered(revision: u32, answer: Answer) -> PlanAct {
    PlanAct::Answered { revision, answer }
}

fn sends(number: u8) -> Sent {
    Sent { units: vec![id(number)], recusals: Vec::new() }
}

fn confirms(revision: u32, number: u8) -> PlanAct {
    answered(revision, Answer::Confirm { sent: sends(number) })
}

fn swaps(revision: u32, number: u8) -> PlanAct {
    PlanAct::UnitsSwapped { revision, sent: sends(number) }
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
        let kind = |revision| answer_that_counts(revision, said()).map(|(p, a)| (p, a.kind()));
        assert_eq!(kind(1), Some((1, AnswerKind::ChangesRequested)));
        assert_eq!(kind(2), Some((2, AnswerKind::Confirm)));
        assert_eq!(kind(3), None);
        assert_eq!(sent_that_counts(1, said()), None);
        assert_eq!(sent_that_counts(2, said()), Some((2, &sends(2))));
    }
}

#[test]
fn units_swapped_behind_a_confirmation_are_those_sent() {
    // A swap before the confirmation, two behind it, one of another revision.
    let acts = [swaps(1, 1), confirms(1, 2), swaps(1, 3), swaps(1, 4), swaps(2, 5)];
    for order in orders(&acts) {
        let said = || order.iter().map(|(place, act)| Said { place: *place, act });
        assert_eq!(sent_that_counts(1, said()), Some((3, &sends(4))));
        assert_eq!(answer_that_counts(1, said()).map(|(place, _)| place), Some(1));
        assert_eq!(sent_that_counts(2, said()), None);
    }
    let withdrawn = [confirms(1, 1), swaps(1, 2), answered(1, Answer::Withdraw)];
    let said = withdrawn.iter().enumerate().map(|(place, act)| Said { place, act });
    assert_eq!(sent_that_counts(1, said), None);
}

#[test]
fn a_booking_ends_by_the_citys_own_word() {
    let tentative = |number| {
        let hold_until = date("2026-12-05");
        answered(1, Answer::Tentative { hold_until, sent: sends(number) })
    };
    let periods = || vec!["2026-12-10".parse().unwrap()];
    let release = |revision| PlanAct::UnitsReleased { revision };
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
        // A new revision alone frees nobody; the city's word to it does.
        (vec![confirms(1, 2), swaps(2, 9)], Some((1, 2))),
        (vec![confirms(1, 2), confirms(2, 5)], Some((2, 5))),
        (vec![confirms(1, 2), answered(2, Answer::Decline)], None),
    ];
    for (row, (acts, want)) in rows.into_iter().enumerate() {
        let said = acts.iter().enumerate().map(|(place, act)| Said { place, act });
        let got = booking(said.rev());
        let want = want.map(|(revision, number)| (revision, sends(number)));
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
    }
}

/// Every act that a city may add, as it should be.
fn acts() -> Vec<PlanAct> {
    let (revision, attempt) = (1, 1);
    let periods = vec!["2026-12-10".parse().unwrap()];
    vec![
        answered(1, Answer::Comment),
        answered(1, Answer::Tentative { hold_until: date("2026-12-05"), sent: sends(1) }),
        confirms(1, 1),
        answered(1, Answer::ChangesRequested),
        answered(1, Answer::OtherDays { periods }),
        answered(1, Answer::Decline),
        answered(1, Answer::Withdraw),
        swaps(1, 2),
        PlanAct::DrawCommitted { revision, attempt, commitment: Hash::new([1; 32]) },
        PlanAct::DrawRevealed { revision, attempt, random: [1; 32] },
        PlanAct::CheckedIn { site: id(1), officers: vec![id(1), id(2)] },
        PlanAct::VisitReported(report(1)),
        PlanAct::ResultsReported { revision },
        PlanAct::UnitsReleased { revision },
    ]
}

/// Whatever the stage: what a city says is never made void by what another city writes.
#[test]
fn participants_add_to_a_plan_at_every_stage_and_others_never() {
    for stage in PlanStage::ALL {
        let plan = Plan { stage: *stage, ..opened() };
        for act in acts() {
            for by in [handan(), liaocheng(), puyang()] {
                assert_eq!(fits(&plan, by, &act, Some(by)), Ok(()), "{act:?}");
            }
            let got = fits(&plan, xingtai(), &act, Some(xingtai()));
            assert_eq!(got, Err(PlanMisfit::NotParticipant { city: xingtai() }), "{act:?}");
        }
    }
}

#[test]
fn an_act_fits_its_revision_and_its_site() {
    let plan = opened();
    let mut fewer = facts();
    fewer.cities.remove(0);
    let mv = PlanMove::Revised { revision: 2, facts: fewer };
    let revised = next(&plan, liaocheng(), &mv, &Seen::default(), &members()).unwrap();
    // Handan took part in the first revision, and its answer to that still fits.
    assert_eq!(fits(&revised, handan(), &confirms(1, 1), None), Ok(()));
    let gone = PlanMisfit::NotParticipant { city: handan() };
    assert_eq!(fits(&revised, handan(), &confirms(2, 1), None), Err(gone));
    for revision in [0, 2, u32::MAX] {
        let unknown = fits(&plan, handan(), &confirms(revision, 1), None);
        assert_eq!(unknown, Err(PlanMisfit::WrongRevision { revision: 1 }));
    }
    let reports = PlanAct::VisitReported(report(1));
    let elsewhere = PlanMisfit::NotHost { host: puyang() };
    assert_eq!(fits(&plan, handan(), &reports, Some(puyang())), Err(elsewhere));
    assert_eq!(fits(&plan, handan(), &reports, None), Err(PlanMisfit::Invalid));
}

#[test]
fn what_is_not_as_it_should_be_has_no_effect() {
    let sent = |units: &[u8], recusals: &[(u8, u8)]| Sent {
        units: units.iter().map(|unit| id(*unit)).collect(),
        recusals: recusals
            .iter()
            .map(|(officer, site)| Recusal { officer: id(*officer), site: id(*site) })
            .collect(),
    };
    for (units, recusals, whole) in [
        (&[1, 2][..], &[(1, 9), (2, 8)][..], true),
        (&[], &[], true),
        (&[2, 1], &[], false),
        (&[1, 1], &[], false),
        (&[1], &[(1, 9), (1, 9)], false),
        (&[1], &[(2, 9)], false),
    ] {
        let act = answered(1, Answer::Confirm { sent: sent(units, recusals) });
        assert_eq!(fits(&opened(), handan(), &act, None).is_ok(), whole, "{units:?} {recusals:?}");
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
        let act = answered(1, Answer::OtherDays { periods: periods(texts) });
        assert_eq!(fits(&opened(), handan(), &act, None).is_ok(), whole, "{texts:?}");
    }
    let (revision, attempt) = (1, 0);
    let act = PlanAct::DrawRevealed { revision, attempt, random: [1; 32] };
    assert_eq!(fits(&opened(), handan(), &act, None), Err(PlanMisfit::Invalid));
    for officers in [vec![], vec![id(2), id(1)], vec![id(1); 2]] {
        let act = PlanAct::CheckedIn { site: id(1), officers };
        assert_eq!(fits(&opened(), handan(), &act, Some(handan())), Err(PlanMisfit::Invalid));
    }
    let odd = VisitReport { outcome: VisitOutcome::Checked, ..report(1) };
    let act = PlanAct::VisitReported(odd);
    assert_eq!(fits(&opened(), handan(), &act, Some(handan())), Err(PlanMisfit::Invalid));
}
