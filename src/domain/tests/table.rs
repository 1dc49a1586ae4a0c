//! The transition table against the reviewed list, and as a walk through every reachable case.

use crate::domain::case::{Case, CaseMove, CaseState, CaseStep, Transfer};
use crate::domain::fixtures::{city, date, every_move, facts};
use crate::domain::kind::MoveKind;
use crate::domain::refusal::Misfit;
use crate::domain::transition::{allowed_moves, next, open, steps_from};
use crate::ids::CityCode;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const REVIEWED: &str = include_str!("../../../tests/fixtures/case-moves.txt");
const SENDABLE: [CaseState; 3] =
    [CaseState::ClueVerifying, CaseState::Investigating, CaseState::TransferAccepted];

fn originating() -> CityCode {
    city(371_500)
}
fn handling() -> CityCode {
    city(130_400)
}
fn receiver() -> CityCode {
    city(410_900)
}
fn other() -> CityCode {
    city(371_400)
}
fn outsider() -> CityCode {
    city(370_900)
}

/// A case that `originating` opened and `handling` took over.
fn standing(state: CaseState) -> Case {
    let turn = if state == CaseState::Archived { None } else { Some(handling()) };
    let mut handled_by = vec![originating(), handling()];
    handled_by.sort_unstable();
    let opened = open(originating(), facts(), date("2026-11-18"));
    Case { state, handling: handling(), turn, handled_by, ..opened }
}

fn in_transfer(state: CaseState, returns_to: CaseState, turn: CityCode) -> Case {
    let transfer = Some(Transfer { from: handling(), to: receiver(), returns_to });
    Case { turn: Some(turn), transfer, ..standing(state) }
}

type Roles = BTreeMap<CityCode, &'static str>;

/// Every situation a case can be in, with its name and who is who in it.
fn situations() -> Vec<(String, Case, Roles)> {
    let settled = Roles::from([
        (originating(), "originating"),
        (handling(), "handling"),
        (other(), "other"),
        (outsider(), "outsider"),
    ]);
    let mut moving = settled.clone();
    moving.extend([(handling(), "sender"), (receiver(), "receiver")]);
    let mut all = Vec::new();
    for state in CaseState::ALL.iter().copied() {
        let answered = [CaseState::TransferredOut, CaseState::TransferDisputed].contains(&state);
        if !answered && state != CaseState::Designated {
            all.push((state.to_string(), standing(state), settled.clone()));
            continue;
        }
        for from in SENDABLE {
            if answered {
                let case = in_transfer(state, from, receiver());
                all.push((format!("{state} ({from})"), case, moving.clone()));
                continue;
            }
            for turn in [originating(), handling(), receiver(), other()] {
                let name = format!("{state} ({from}) to {}", moving[&turn]);
                all.push((name, in_transfer(state, from, turn), moving.clone()));
            }
        }
    }
    all
}

#[test]
fn the_table_is_the_reviewed_list() {
    let mut allowed = BTreeSet::new();
    let mut tried = 0;
    let on = date("2026-11-19");
    for (name, case, roles) in situations() {
        let cities: Vec<CityCode> = roles.keys().copied().collect();
        let members: Vec<CityCode> =
            cities.iter().copied().filter(|city| *city != outsider()).collect();
        for by in &cities {
            for mv in every_move(&cities, on) {
                tried += 1;
                let Ok(after) = next(&case, *by, &members, &mv) else { continue };
                let mut event = mv.kind().to_string();
                if let CaseMove::TransferOffered { to, .. }
                | CaseMove::JurisdictionDesignated { city: to, .. } = mv
                {
                    event = format!("{event} to {}", roles[&to]);
                }
                let turn = after.turn.map_or("nobody", |turn| roles[&turn]);
                let who = roles[by];
                allowed.insert(format!("{name} | {who} | {event} -> {} | {turn}", after.state));
            }
        }
    }
    let reviewed: BTreeSet<String> = REVIEWED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let surprising: Vec<_> = allowed.difference(&reviewed).collect();
    let missing: Vec<_> = reviewed.difference(&allowed).collect();
    assert!(surprising.is_empty() && missing.is_empty(), "{surprising:#?} {missing:#?}");
    assert_eq!(allowed.len(), 127, "changing this number is a change of policy");
    assert_eq!(tried, 18 * 4 * 32 + 18 * 5 * 34, "a situation or a move is no longer tried");
}

#[test]
fn exactly_one_city_may_move_in_every_reachable_state() {
    let members = [city(130_400), city(371_500), city(410_900)];
    let cities = [city(130_400), city(370_900), city(371_500), city(410_900)];
    let on = date("2026-11-19");
    let moves = every_move(&cities, on);
    let mut seen = HashSet::new();
    let mut waiting = vec![open(city(371_500), facts(), on)];
    let mut states = BTreeSet::new();
    let mut steps = BTreeSet::new();
    while let Some(case) = waiting.pop() {
        if !seen.insert(case.clone()) {
            continue;
        }
        states.insert(case.state);
        let mut movers = BTreeSet::new();
        for by in cities {
            for mv in &moves {
                if let Ok(after) = next(&case, by, &members, mv) {
                    movers.insert(by);
                    if let CaseMove::Stepped { step, .. } = mv {
                        steps.insert(*step);
                    }
                    waiting.push(after);
                }
            }
            let listed = !allowed_moves(&case, by, &members).is_empty();
            assert_eq!(listed, movers.contains(&by), "{case:?} {by}");
        }
        assert_eq!(movers.into_iter().collect::<Vec<_>>(), Vec::from_iter(case.turn), "{case:?}");
        check_shape(&case, &members);
    }
    assert_eq!(states, CaseState::ALL.iter().copied().collect(), "every state is reached");
    assert_eq!(steps, CaseStep::ALL.iter().copied().collect(), "every step is of use");
    assert_eq!(seen.len(), 377, "changing this number is a change of policy");
}

/// What holds of every case the table makes.
fn check_shape(case: &Case, members: &[CityCode]) {
    let in_transfer = matches!(
        case.state,
        CaseState::TransferredOut | CaseState::TransferDisputed | CaseState::Designated
    );
    assert_eq!(case.transfer.is_some(), in_transfer, "{case:?}");
    assert_eq!(case.turn.is_none(), case.state == CaseState::Archived, "{case:?}");
    assert!(case.turn.is_none_or(|turn| members.contains(&turn)), "{case:?}");
    if !in_transfer {
        assert!(case.turn.is_none_or(|turn| turn == case.handling), "{case:?}");
    }
    assert!(case.handled_by.is_sorted_by(|a, b| a < b), "{case:?}");
    assert!(case.handled_by.contains(&case.handling) && case.originating == city(371_500));
    assert!(case.transfer.is_none_or(|transfer| transfer.from == case.handling));
}

#[test]
fn nothing_is_edited_during_a_transfer() {
    let members = [originating(), handling(), receiver(), other()];
    let edit = CaseMove::Amended { facts: facts(), effective_on: date("2026-11-19") };
    let from = CaseState::Investigating;
    let try_edit = |case: &Case, by| next(case, by, &members, &edit).unwrap_err();
    let state = CaseState::TransferredOut;
    let offered = in_transfer(state, from, receiver());
    let turn = receiver();
    assert_eq!(try_edit(&offered, handling()), Misfit::NotYourTurn { turn, state });
    let refused = Misfit::NotHandlingCity { handling: handling(), state };
    assert_eq!(try_edit(&offered, receiver()), refused);
    let state = CaseState::Designated;
    let designated = in_transfer(state, from, handling());
    assert_eq!(try_edit(&designated, handling()), Misfit::TransferPending { state });
}

#[test]
fn a_refused_move_says_why() {
    let members = [originating(), handling(), receiver()];
    let on = date("2026-11-19");
    let investigating = standing(CaseState::Investigating);
    let offer = |to| CaseMove::TransferOffered { to, effective_on: on };
    let reason =
        |case: &Case, by, mv: &CaseMove| next(case, by, &members, mv).unwrap_err().reason();
    assert_eq!(reason(&investigating, handling(), &offer(handling())), "SELF_TRANSFER");
    assert_eq!(reason(&investigating, handling(), &offer(outsider())), "RECEIVER_NOT_MEMBER");
    assert_eq!(reason(&investigating, receiver(), &offer(originating())), "NOT_YOUR_TURN");
    assert_eq!(reason(&investigating, outsider(), &offer(originating())), "NOT_A_MEMBER");
    let accept = CaseMove::TransferAccepted { effective_on: on };
    assert_eq!(reason(&investigating, handling(), &accept), "MOVE_NOT_ALLOWED");
    assert_eq!(reason(&standing(CaseState::Archived), handling(), &accept), "CASE_ARCHIVED");
    let opened = CaseMove::Opened { facts: facts(), effective_on: on };
    assert_eq!(reason(&investigating, handling(), &opened), "ALREADY_OPEN");
}

#[test]
fn a_move_carries_its_date_and_its_facts() {
    let members = [originating(), handling()];
    let case = standing(CaseState::Investigating);
    let early = date("2020-01-01");
    let mut changed = facts();
    changed.county_code = None;
    let amend = CaseMove::Amended { facts: changed.clone(), effective_on: early };
    let after = next(&case, handling(), &members, &amend).unwrap();
    assert_eq!((after.last_effective_on, &after.facts), (early, &changed));
    assert_eq!(after.state, case.state);
    let again = next(
        &after,
        handling(),
        &members,
        &CaseMove::ProposalAdopted {
            proposal: crate::domain::fixtures::position(),
            facts: None,
            effective_on: early,
        },
    );
    assert_eq!(again.unwrap().facts, changed);
}

#[test]
fn allowed_moves_are_listed_once_each() {
    let members = [originating(), handling(), receiver(), other()];
    let case = standing(CaseState::ClueVerifying);
    assert_eq!(
        allowed_moves(&case, handling(), &members),
        [
            MoveKind::Step(CaseStep::ClueDismissed),
            MoveKind::Step(CaseStep::Filed),
            MoveKind::OfferTransfer,
            MoveKind::Amend,
            MoveKind::AdoptProposal,
            MoveKind::RefuseProposal,
        ]
    );
    assert_eq!(allowed_moves(&case, receiver(), &members), []);
    let disputed = in_transfer(CaseState::TransferDisputed, CaseState::Investigating, receiver());
    assert_eq!(
        allowed_moves(&disputed, receiver(), &members),
        [MoveKind::AcceptTransfer, MoveKind::ReturnTransfer, MoveKind::Designate,]
    );
    assert!(steps_from(CaseState::TransferDisputed).is_empty());
}
