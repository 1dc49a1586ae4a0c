//! The rules of a case, searched exhaustively: every interleaving of three cities up to a depth,
//! over the real table of moves and the real fold, honest, with a lying city, and with a city that
//! was put back to an older copy. A rule taken away brings the error back that it is there for.
//!
//! In scope: the slots of a case, a new epoch after a restore; and by rules written down here, the
//! answers to a plan, and a charter by which a city leaves, on which nodes do not act yet. Out of
//! scope: links and disks, which the simulation breaks.

mod charters;
mod folds;
mod interleave;
mod plans;
mod search;

use charters::Charters;
use folds::Rule;
use plans::Plans;
use search::{Found, Setting, explore};

const HONEST: Setting =
    Setting { rule: Rule::Prev, faulty: false, restore: false, gate: true, depth: 7 };
const FAULTY: Setting = Setting { faulty: true, depth: 3, ..HONEST };
const RESTORED: Setting = Setting { restore: true, depth: 5, ..HONEST };

fn run(setting: Setting) -> Found {
    let found = explore(setting);
    println!(
        "{setting:?}: {} states, {} with the case elsewhere, {} in a second epoch, {} confluences",
        found.states, found.handed_over, found.second_epochs, found.confluences
    );
    found
}

/// What must be so whoever lies and whatever is lost.
fn holds(found: &Found) {
    let wrong = found.two_writers.as_ref().or(found.diverged.as_ref());
    if let Some(trace) = wrong.or(found.no_way_forward.as_ref()) {
        panic!("{trace}");
    }
    assert!(found.handed_over > 0, "nothing happened: {found:?}");
}

#[test]
fn honest_cities_never_both_move_and_always_go_on() {
    let found = run(HONEST);
    holds(&found);
    assert_eq!(found.honest_misfit, None);
}

#[test]
fn a_lying_city_neither_splits_nor_stops_the_others() {
    holds(&run(FAULTY));
}

#[test]
fn a_restored_city_that_asks_first_breaks_nothing() {
    let found = run(RESTORED);
    holds(&found);
    assert_eq!(found.honest_misfit, None);
    assert!(found.second_epochs > 0);
}

#[test]
fn without_asking_first_a_restored_city_moves_what_another_may_move() {
    let found = run(Setting { gate: false, ..RESTORED });
    let trace = found.two_writers.expect("two honest cities may move");
    assert!(trace.contains("is put back to"), "{trace}");
    assert!(found.honest_misfit.is_some(), "an acceptance or a move is lost");
}

#[test]
fn judged_by_arrival_a_lying_city_splits_the_others() {
    let found = run(Setting { rule: Rule::Arrival, ..FAULTY });
    assert!(found.diverged.is_some(), "{found:?}");
}

const PLAN_DEPTH: usize = 4;

/// No two views, nobody stuck, no honest entry in vain, nothing scheduled against better knowledge.
fn plan_holds(found: &interleave::Found) {
    let wrong = found.diverged.as_ref().or(found.stuck.as_ref()).or(found.wrong.as_ref());
    if let Some(trace) = wrong.or(found.two_movers.as_ref()) {
        panic!("{trace}");
    }
}

#[test]
fn answers_to_a_plan_never_split_a_view_whoever_asks() {
    plan_holds(&Plans { rule: plans::Rule::NamedAndSeen, lies: false }.explore(PLAN_DEPTH));
    plan_holds(&Plans { rule: plans::Rule::NamedAndSeen, lies: true }.explore(PLAN_DEPTH));
}

#[test]
fn a_plan_judged_by_arrival_splits_the_views() {
    let found = Plans { rule: plans::Rule::Arrival, lies: false }.explore(PLAN_DEPTH);
    assert!(found.diverged.is_some() && found.wrong.is_some(), "{found:?}");
}

#[test]
fn a_plan_that_only_names_answers_rests_on_one_known_to_be_taken_back() {
    let found = Plans { rule: plans::Rule::Named, lies: true }.explore(PLAN_DEPTH);
    assert_eq!(found.diverged, None);
    let trace = found.wrong.expect("a lying initiator finds one");
    assert!(trace.contains("knew to be taken back"), "{trace}");
}

const LEAVING: Charters = Charters { folded_anew: true, heir: true, heir_waits: true, lies: false };
const LEAVING_DEPTH: usize = 5;

fn leaving_holds(found: &interleave::Found) {
    let wrong = found.two_movers.as_ref().or(found.diverged.as_ref());
    if let Some(trace) = wrong.or(found.stuck.as_ref()) {
        panic!("{trace}");
    }
}

#[test]
fn a_city_that_leaves_neither_splits_nor_stops_the_others() {
    leaving_holds(&LEAVING.explore(LEAVING_DEPTH));
    leaving_holds(&Charters { lies: true, ..LEAVING }.explore(LEAVING_DEPTH - 1));
}

#[test]
fn a_closing_head_that_acts_from_its_arrival_on_splits_the_views() {
    let found = Charters { folded_anew: false, ..LEAVING }.explore(LEAVING_DEPTH);
    assert!(found.diverged.is_some(), "{found:?}");
}

#[test]
fn without_an_heir_the_turn_of_a_city_that_left_is_lost() {
    let found = Charters { heir: false, ..LEAVING }.explore(LEAVING_DEPTH);
    assert!(found.stuck.is_some(), "{found:?}");
}

#[test]
fn an_heir_that_does_not_wait_moves_beside_a_city_that_has_not_adopted() {
    let found = Charters { heir_waits: false, ..LEAVING }.explore(LEAVING_DEPTH);
    assert!(found.two_movers.is_some(), "{found:?}");
}
