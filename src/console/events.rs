//! Tells open pages that there is something new, as server-sent events.
//!
//! An event says that something was applied and nothing of what: the page asks for itself again, in
//! the name of whoever looks at it.
//!
//! In scope: when to tell. Out of scope: what is shown then.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio::sync::watch;
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;

use super::Console;
use super::safe::NoPeer;
use super::visitor::Visitor;
use crate::trust::acceptor::Peer;

/// Between two events of one page: a node that takes hundreds of entries a second must not make
/// every open page ask as often. The first change after a quiet time is told at once; one that
/// comes sooner waits so long, and is seen within 200 ms with the page that is fetched then.
const AT_MOST_EVERY: Duration = Duration::from_millis(140);
/// How much longer it is for each page that is open: while a node is busy without a pause, all of
/// them together ask for 200 pages a second at most. Up to 28 open pages never wait longer.
const OF_ALL_AT_MOST_EVERY: Duration = Duration::from_millis(5);
/// Between two signs of life.
const ALIVE: Duration = Duration::from_secs(15);

/// The pages that listen.
#[derive(Clone, Default)]
pub struct Listening(Arc<Open>);

/// Each of them holds one more of it.
#[derive(Default)]
struct Open(Arc<()>);

impl Listening {
    /// How long a page hears nothing after an event.
    fn pause(&self) -> Duration {
        let open = Arc::strong_count(&self.0.0).saturating_sub(1);
        let open = u32::try_from(open).unwrap_or(u32::MAX);
        AT_MOST_EVERY.max(OF_ALL_AT_MOST_EVERY.saturating_mul(open))
    }
}

/// Follows what is applied.
pub async fn follow(
    State(console): State<Console>,
    visitor: Visitor,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, NoPeer> {
    // Whoever is nobody here is not told that anything happens.
    if visitor.standing.is_none() {
        return Err(NoPeer);
    }
    let (send, events) = tokio::sync::mpsc::channel(1);
    tokio::spawn(tell(visitor.peer, console.changes, (console.listening, console.stop), send));
    let events = tokio_stream::wrappers::ReceiverStream::new(events);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

/// Whoever is let in no more hears nothing more. A connection with a certificate ends as a whole;
/// for one that came by the demo's door this sees to it.
async fn tell(
    peer: Peer,
    mut changes: watch::Receiver<u64>,
    (listening, stop): (Listening, CancellationToken),
    send: tokio::sync::mpsc::Sender<Result<Event, Infallible>>,
) {
    let _open = Arc::clone(&listening.0.0);
    loop {
        // What is there by now is on the page that begins to listen.
        changes.borrow_and_update();
        let event = Event::default().event("applied").data("1");
        if send.send(Ok(event)).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(listening.pause()) => {}
            () = send.closed() => return,
            () = stop.cancelled() => return,
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = send.closed() => return,
            () = peer.revoked.cancelled() => return,
            () = stop.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::ids::{CityCode, Hash};
    use crate::trust::people::PeopleBook;
    use crate::trust::spiffe::{Identity, Role, Subject};

    fn peer() -> Peer {
        let identity = Identity {
            city: CityCode::from_u32(371_500).unwrap(),
            subject: Subject::Person(Role::Coordinator, "demo".to_owned()),
            serial: "01".to_owned(),
            issuer: Hash::new([7; 32]),
            not_after_s: 0,
        };
        Peer {
            identity: Arc::new(identity),
            address: "127.0.0.1:1".parse().unwrap(),
            revoked: CancellationToken::new(),
            people: PeopleBook::default(),
        }
    }

    #[tokio::test]
    async fn whoever_is_revoked_hears_nothing_more() {
        let peer = peer();
        let (applied, changes) = watch::channel(0);
        let (send, mut events) = tokio::sync::mpsc::channel(1);
        let rest = (Listening::default(), CancellationToken::new());
        let told = tokio::spawn(tell(peer.clone(), changes, rest, send));
        assert!(events.recv().await.is_some(), "the beginning");
        applied.send(1).unwrap();
        assert!(events.recv().await.is_some(), "what was applied");
        peer.revoked.cancel();
        assert!(events.recv().await.is_none(), "the end");
        told.await.unwrap();
    }
    #[tokio::test]
    async fn what_follows_at_once_is_told_soon_and_a_busy_node_is_not_followed_entry_by_entry() {
        let (applied, changes) = watch::channel(0);
        let (send, mut events) = tokio::sync::mpsc::channel(1);
        let rest = (Listening::default(), CancellationToken::new());
        tokio::spawn(tell(peer(), changes, rest, send));
        assert!(events.recv().await.is_some(), "the beginning");
        // The event before is a moment ago: with time to fetch the page, 200 ms are kept.
        for nth in 1..4 {
            let begun = Instant::now();
            applied.send(nth).unwrap();
            assert!(events.recv().await.is_some(), "{nth}");
            assert!(begun.elapsed() < Duration::from_millis(180), "{nth}: {:?}", begun.elapsed());
        }
        // Quiet for a while: at once.
        tokio::time::sleep(AT_MOST_EVERY * 2).await;
        let begun = Instant::now();
        applied.send(4).unwrap();
        assert!(events.recv().await.is_some());
        assert!(begun.elapsed() < AT_MOST_EVERY / 2, "{:?}", begun.elapsed());
        // An entry every few milliseconds: one event for many of them, and the last one is told.
        let begun = Instant::now();
        let counting = tokio::spawn(async move {
            let mut told = 0_u32;
            let quiet = Duration::from_millis(400);
            while tokio::time::timeout(quiet, events.recv()).await.is_ok() {
                told += 1;
            }
            told
        });
        for nth in 5..105 {
            applied.send(nth).unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let windows = u32::try_from(begun.elapsed().as_millis() / AT_MOST_EVERY.as_millis());
        let told = counting.await.unwrap();
        assert!((2..=windows.unwrap() + 1).contains(&told), "{told} events");
    }

    #[test]
    fn all_open_pages_together_ask_so_often_and_no_oftener() {
        let listening = Listening::default();
        assert_eq!(
            listening.clone().pause(),
            AT_MOST_EVERY,
            "pages that are only made do not count"
        );
        let open: Vec<_> = (0..28).map(|_| Arc::clone(&listening.0.0)).collect();
        assert_eq!(listening.pause(), AT_MOST_EVERY);
        let more: Vec<_> = (0..172).map(|_| Arc::clone(&listening.0.0)).collect();
        assert_eq!(listening.pause(), Duration::from_secs(1), "200 pages, each once a second");
        drop((open, more));
        assert_eq!(listening.pause(), AT_MOST_EVERY);
    }
}
