//! Tells open pages that there is something new, as server-sent events.
//!
//! An event says that something was applied and nothing of what: the page asks for itself again, in
//! the name of whoever looks at it.
//!
//! In scope: when to tell. Out of scope: what is shown then.

use std::convert::Infallible;
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
/// every open page ask as often. The first change after a quiet time is told at once.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// Between two signs of life.
const ALIVE: Duration = Duration::from_secs(15);

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
    tokio::spawn(tell(visitor.peer, console.changes, console.stop, send));
    let events = tokio_stream::wrappers::ReceiverStream::new(events);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

/// Whoever is let in no more hears nothing more. A connection with a certificate ends as a whole;
/// for one that came by the demo's door this sees to it.
async fn tell(
    peer: Peer,
    mut changes: watch::Receiver<u64>,
    stop: CancellationToken,
    send: tokio::sync::mpsc::Sender<Result<Event, Infallible>>,
) {
    loop {
        // What is there by now is on the page that begins to listen.
        changes.borrow_and_update();
        let event = Event::default().event("applied").data("1");
        if send.send(Ok(event)).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(AT_MOST_EVERY) => {}
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
    use std::sync::Arc;

    use super::*;
    use crate::ids::{CityCode, Hash};
    use crate::trust::people::PeopleBook;
    use crate::trust::spiffe::{Identity, Role, Subject};

    #[tokio::test]
    async fn whoever_is_revoked_hears_nothing_more() {
        let identity = Identity {
            city: CityCode::from_u32(371_500).unwrap(),
            subject: Subject::Person(Role::Coordinator, "demo".to_owned()),
            serial: "01".to_owned(),
            issuer: Hash::new([7; 32]),
            not_after_s: 0,
        };
        let peer = Peer {
            identity: Arc::new(identity),
            address: "127.0.0.1:1".parse().unwrap(),
            revoked: CancellationToken::new(),
            people: PeopleBook::default(),
        };
        let (applied, changes) = watch::channel(0);
        let (send, mut events) = tokio::sync::mpsc::channel(1);
        let told = tokio::spawn(tell(peer.clone(), changes, CancellationToken::new(), send));
        assert!(events.recv().await.is_some(), "the beginning");
        applied.send(1).unwrap();
        assert!(events.recv().await.is_some(), "what was applied");
        peer.revoked.cancel();
        assert!(events.recv().await.is_none(), "the end");
        told.await.unwrap();
    }
}
