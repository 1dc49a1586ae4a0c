//! Planted bugs: switched on by name in a simulation, to prove that its checkers find them.
//!
//! Compiled with the feature `planted-bugs` only, and that only with debug assertions: no build
//! that anybody runs a city on can hold one.

#[cfg(not(debug_assertions))]
compile_error!("planted-bugs is for simulations: use `--profile sim`");

pub mod guards;

use std::sync::atomic::{AtomicUsize, Ordering};

/// Every bug; what each breaks stands where it is planted.
pub const NAMES: &[&str] = &[
    "ack-before-sync",
    "skip-directory-sync",
    "accept-a-gap",
    "apply-before-after",
    "no-prev-check",
    "stored-heads-in-after",
    "relay-blanks-parts",
    "fold-in-arrival-order",
    "cosign-before-sync",
    "forget-the-guard",
    "old-epoch-after-restore",
    "move-without-asking",
    "wrong-city-accepts",
    "tell-a-non-member",
    "narrow-part-for-anybody",
    "request-lost-on-restart",
    "feed-in-journal-order",
    "serve-an-erased-part",
    "page-token-for-anybody",
    "resume-without-folding",
    "beyond-the-quota",
    "checks-in-one-agreement",
    "answers-outlive-their-revision",
    "booked-by-several-plans",
    "first-answer-stands",
    "swaps-book-nothing",
    "releases-free-nobody",
    "recused-all-the-same",
    "seed-of-one-city",
    "scheduled-without-an-answer",
    "reported-while-open",
];

/// Place of the one that is on in [`NAMES`], counted from 1.
static ON: AtomicUsize = AtomicUsize::new(0);

/// Switches one on for the whole process, and all others off; false when there is none such.
pub fn switch_on(name: Option<&str>) -> bool {
    let found = name.and_then(|name| NAMES.iter().position(|known| *known == name));
    ON.store(found.map_or(0, |place| place + 1), Ordering::Relaxed);
    found.is_some() == name.is_some()
}

/// Whether this one is on.
#[must_use]
pub fn is_on(name: &str) -> bool {
    let on = ON.load(Ordering::Relaxed).checked_sub(1).and_then(|place| NAMES.get(place));
    on.is_some_and(|on| *on == name) || guards::is_off(name)
}
