//! Ports for the processes of a fleet.
//!
//! In scope: ports that stay free until a process listens there, also while it is down for a
//! moment. Out of scope: who listens.

use std::net::{SocketAddr, TcpListener};
use std::ops::Range;

use crate::cli::failure::Failure;

/// Below lie ports that services have by name.
const FIRST: u16 = 10_240;
/// Where the kernel takes ports of outgoing connections from, unless it says otherwise.
const OUTGOING_DEFAULT: Range<u16> = 32_768..61_000;

/// Ports nobody listens on at the moment, or a row from `base` on.
///
/// # Errors
/// [`Failure`] when `base` is too high or no port is free.
pub(in crate::cli) fn pick(count: usize, base: Option<u16>) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(base) = base {
        let row = (0..count).map(|i| u16::try_from(i).ok().and_then(|i| base.checked_add(i)));
        let row: Option<Vec<u16>> = row.collect();
        let row = row.ok_or_else(|| Failure::usage("base port is too high"))?;
        return Ok(row.into_iter().map(at).collect());
    }
    let outgoing = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let outgoing = outgoing.ok().and_then(|text| range(&text)).unwrap_or(OUTGOING_DEFAULT);
    // Held together while they are picked, so that no two are the same.
    let free = |port: &u16| TcpListener::bind(at(*port)).ok();
    let held: Vec<TcpListener> =
        candidates(&outgoing, chance()).filter_map(|port| free(&port)).take(count).collect();
    if held.len() < count {
        return Err(Failure::local("no free ports on 127.0.0.1"));
    }
    let address = |l: &TcpListener| l.local_addr();
    let found: Result<Vec<_>, _> = held.iter().map(address).collect();
    found.map_err(|e| Failure::local(format!("port: {e}")))
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Two numbers as the kernel writes them: first and last.
fn range(text: &str) -> Option<Range<u16>> {
    let mut numbers = text.split_whitespace().map(str::parse::<u16>);
    let (first, last) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(first..last.saturating_add(1))
}

/// Every port that no outgoing connection can happen to take, from a place of chance on, so that
/// fleets laid out at the same time do not meet. All ports, should the kernel leave none.
fn candidates(outgoing: &Range<u16>, chance: usize) -> impl Iterator<Item = u16> {
    let quiet: Vec<u16> = (FIRST..u16::MAX).filter(|port| !outgoing.contains(port)).collect();
    let all = if quiet.is_empty() { (FIRST..u16::MAX).collect() } else { quiet };
    let from = chance.checked_rem(all.len()).unwrap_or(0);
    let (behind, before) = all.split_at(from);
    let turned: Vec<u16> = before.iter().chain(behind).copied().collect();
    turned.into_iter()
}

fn chance() -> usize {
    let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
    usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_outgoing_connection_can_take_a_picked_port() {
        let outgoing = range("32768\t60999\n").unwrap();
        assert_eq!(outgoing, OUTGOING_DEFAULT);
        let mut all: Vec<u16> = candidates(&outgoing, 12_345).collect();
        assert!(all.iter().all(|port| *port >= FIRST && !outgoing.contains(port)));
        let first = all[0];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 22_528 + 4_535);
        assert_ne!(candidates(&outgoing, 12_346).next(), Some(first));
        assert!(candidates(&(1..u16::MAX), 7).next().is_some(), "better any port than none");
    }

    #[test]
    fn picked_ports_are_different_and_free() {
        let mut picked = pick(10, None).unwrap();
        assert!(picked.iter().all(|address| TcpListener::bind(address).is_ok()));
        picked.sort_unstable();
        picked.dedup();
        assert_eq!(picked.len(), 10);
        assert_eq!(pick(2, Some(7_000)).unwrap(), [at(7_000), at(7_001)]);
        assert!(pick(3, Some(65_534)).is_err());
    }
}
