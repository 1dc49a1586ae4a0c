//! The rules of a case, searched exhaustively: every interleaving of three cities up to a depth,
//! over the real table of moves and the real fold, honest, with a lying city, and with a city that
//! was put back to an older copy. A rule taken away brings the error back that it is there for.
//!
//! In scope: the slots of a case, a new epoch after a restore. Out of scope: links and disks, which
//! the simulation breaks; plans and amended charters, which nodes do not act on yet.

mod folds;
mod search;

use folds::Rule;
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
