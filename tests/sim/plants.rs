//! Planted bugs: each must be found within some hundreds of seeds, or the checkers check nothing.
//!
//! Out of scope: how each is found. No checker knows their names.

#[cfg(feature = "planted-bugs")]
use super::run::{WHOLE, run};

/// A planted bug is found within this many seeds.
#[cfg(feature = "planted-bugs")]
const SEEDS_MAX: u64 = 500;
/// Starts of the search, whose median is told.
#[cfg(feature = "planted-bugs")]
const STARTS: [u64; 3] = [0, 100_000, 200_000];

/// Whether any can be switched on.
pub const ARE_BUILT_IN: bool = cfg!(feature = "planted-bugs");

/// Switches one bug on, or all off.
#[cfg(feature = "planted-bugs")]
pub fn switch_on(name: Option<&str>) -> bool {
    liandong::planted::switch_on(name)
}

/// There are none in this build.
#[cfg(not(feature = "planted-bugs"))]
pub fn switch_on(name: Option<&str>) -> bool {
    name.is_none()
}

/// Every bug that can be switched on.
#[cfg(feature = "planted-bugs")]
pub fn names() -> &'static [&'static str] {
    liandong::planted::NAMES
}

/// There are none in this build.
#[cfg(not(feature = "planted-bugs"))]
pub fn names() -> &'static [&'static str] {
    &[]
}

/// So many of them, others every day, so that all have their turn.
pub fn of_the_day(count: usize) -> Vec<&'static str> {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let day = since_1970.map_or(0, |time| time.as_secs() / 86_400) as usize;
    let turned = names().iter().cycle().skip(day * count % names().len().max(1));
    println!("planted bugs of day {day}:");
    turned.take(count.min(names().len())).copied().collect()
}

/// Looks for these; tells whether each was found.
#[cfg(feature = "planted-bugs")]
pub fn find_all(chosen: &[&str]) -> bool {
    std::panic::set_hook(Box::new(|_| {}));
    let mut well = !chosen.is_empty();
    for name in chosen {
        switch_on(Some(name));
        let found = STARTS.map(|start| first_failure(name, start));
        let mut counts: Vec<u64> =
            found.iter().map(|f| f.as_ref().map_or(SEEDS_MAX, |(n, _)| *n)).collect();
        counts.sort_unstable();
        let missed = found.iter().filter(|f| f.is_none()).count();
        let why = found.into_iter().flatten().next().map_or(String::new(), |(_, why)| why);
        let said = if missed == 0 { "found" } else { "NOT ALWAYS FOUND, tried" };
        println!("{name}: {said} after {counts:?} seeds, median {}: {why:.110}", counts[1]);
        well &= missed == 0;
    }
    switch_on(None);
    well
}

#[cfg(not(feature = "planted-bugs"))]
pub fn find_all(_: &[&str]) -> bool {
    false
}

/// The seeds it takes until one fails, and why it did; seeds run on all cores.
#[cfg(feature = "planted-bugs")]
fn first_failure(name: &str, start: u64) -> Option<(u64, String)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut done = 0;
    while done < SEEDS_MAX {
        let seeds = start + done..start + done + threads;
        let ran: Vec<_> = std::thread::scope(|scope| {
            let begun: Vec<_> =
                seeds.map(|seed| scope.spawn(move || run(seed, WHOLE, false))).collect();
            begun.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        for (seed, why) in ran.into_iter().filter_map(|o| Some((o.seed, o.failure?))) {
            // A seed that fails without the bug has not found it.
            switch_on(None);
            let found = run(seed, WHOLE, false).failure.is_none();
            switch_on(Some(name));
            if found {
                return Some((seed - start + 1, why));
            }
        }
        done += threads;
    }
    None
}
