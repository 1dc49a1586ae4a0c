//! A way in for newcomers: in the demo, a one-time ticket replaces the certificate.
//!
//! The door stands on an address of its own on this machine only, and is opened by nothing but the
//! demo. Whoever comes with the ticket is the person whose certificate the demo names, for as long
//! as the node runs; a ticket that was used lets nobody else in.
//!
//! In scope: tickets and the sessions they begin. Out of scope: when such a door may stand
//! ([`crate::cli`]).
//!
//! Invariants:
//! 1. A ticket begins one session. (`a_ticket_lets_one_browser_in_once`)

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use http::{StatusCode, header};
use tokio_util::sync::CancellationToken;

use super::form::Form;
use super::visitor::{Door, cookie};
use crate::ids::CityCode;
use crate::trust::acceptor::Peer;
use crate::trust::people::PeopleBook;
use crate::trust::spiffe::Identity;

/// Where a ticket is shown.
pub const ENTER: &str = "/enter";
/// Sessions at a time: the pages of a demo are opened by hand.
const SESSIONS_MAX: usize = 64;

/// The door of one city's console.
#[derive(Clone)]
pub struct Tickets {
    city: CityCode,
    as_whom: Arc<Identity>,
    people: PeopleBook,
    revoked: CancellationToken,
    state: Arc<Mutex<Held>>,
}

/// Tickets that were not used, sessions that were begun, and how new numbers are made.
struct Held {
    tickets: BTreeSet<String>,
    sessions: BTreeSet<String>,
}

impl Tickets {
    /// A door for these tickets; who comes in is `as_whom`, until that is `revoked`.
    #[must_use]
    pub fn new(
        city: CityCode,
        as_whom: Arc<Identity>,
        people: PeopleBook,
        revoked: CancellationToken,
        tickets: impl IntoIterator<Item = String>,
    ) -> Self {
        let held = Held { tickets: tickets.into_iter().collect(), sessions: BTreeSet::new() };
        Self { city, as_whom, people, revoked, state: Arc::new(Mutex::new(held)) }
    }

    /// The name of the cookie. Browsers keep one cookie for all ports of an address, so each city
    /// has its own.
    fn cookie(&self) -> String {
        format!("liandong-session-{}", self.city)
    }

    /// Begins a session for a ticket that was not used yet.
    fn begin(&self, ticket: &str) -> Option<String> {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if held.sessions.len() >= SESSIONS_MAX || !held.tickets.remove(ticket) {
            return None;
        }
        // 122 random bits of the operating system.
        let session = uuid::Uuid::new_v4().to_string();
        held.sessions.insert(session.clone());
        Some(session)
    }

    fn knows(&self, session: &str) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sessions.contains(session)
    }

    fn peer(&self, address: SocketAddr) -> Peer {
        Peer {
            identity: Arc::clone(&self.as_whom),
            address,
            revoked: self.revoked.clone(),
            people: self.people.clone(),
        }
    }
}

/// The routes of the console behind a door.
pub fn behind(tickets: Tickets, console: Router) -> Router {
    console.layer(middleware::from_fn_with_state(tickets, pass))
}

async fn pass(
    State(tickets): State<Tickets>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    if !is_named_by_address(request.headers()) {
        return no(
            StatusCode::FORBIDDEN,
            ["请用演示打印的地址访问", "use the address that the demo printed"],
        );
    }
    if tickets.revoked.is_cancelled() {
        return no(
            StatusCode::FORBIDDEN,
            [
                "此入口所用的证书已被吊销或停用",
                "the certificate of this door was revoked or disabled",
            ],
        );
    }
    if request.uri().path() == ENTER {
        let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
        return match tickets.begin(query.text("ticket")) {
            Some(session) => {
                let name = tickets.cookie();
                let cookie = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict");
                // Not a redirection: a browser that comes from elsewhere would not send a strict
                // cookie on it.
                let to = [(header::REFRESH, "0; url=/".to_owned()), (header::SET_COOKIE, cookie)];
                (to, "正在进入 · entering\n").into_response()
            }
            None => no(
                StatusCode::FORBIDDEN,
                [
                    "此链接已用过或不存在：每个链接只能用一次。请用原来的浏览器打开本页首页，或重新运行 demo 取得新链接",
                    "this link was used, or there is none: each works once. Use the browser that \
                     used it, or run the demo again for a new one",
                ],
            ),
        };
    }
    let known = cookie(request.headers(), &tickets.cookie()).is_some_and(|one| tickets.knows(one));
    if !known {
        return no(
            StatusCode::UNAUTHORIZED,
            ["请用演示打印的一次性链接进入", "come in by the one-time link that the demo printed"],
        );
    }
    request.extensions_mut().insert(tickets.peer(address));
    request.extensions_mut().insert(Door::Ticket);
    next.run(request).await
}

/// A page elsewhere whose name is made to mean this machine (DNS rebinding) names itself as the
/// host; the demo's links name the address.
fn is_named_by_address(headers: &http::HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| host.parse::<SocketAddr>().is_ok_and(|one| one.ip().is_loopback()))
}

fn no(status: StatusCode, [zh, en]: [&str; 2]) -> Response {
    (status, format!("{zh}\n{en}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Hash;
    use crate::trust::spiffe::{Role, Subject};

    fn tickets() -> Tickets {
        let city = CityCode::from_u32(371_500).unwrap();
        let as_whom = Identity {
            city,
            subject: Subject::Person(Role::Coordinator, "demo".to_owned()),
            serial: "01".to_owned(),
            issuer: Hash::new([7; 32]),
            not_after_s: 0,
        };
        let (book, revoked) = (PeopleBook::default(), CancellationToken::new());
        Tickets::new(city, Arc::new(as_whom), book, revoked, ["one".to_owned()])
    }

    #[test]
    fn a_ticket_lets_one_browser_in_once() {
        let tickets = tickets();
        assert_eq!(tickets.begin("other"), None);
        let session = tickets.begin("one").unwrap();
        assert_eq!(tickets.begin("one"), None);
        assert!(tickets.knows(&session) && !tickets.knows("one") && !tickets.knows(""));
    }

    #[test]
    fn only_the_address_itself_names_the_door() {
        let named = |host: &str| {
            is_named_by_address(&[(header::HOST, host.parse().unwrap())].into_iter().collect())
        };
        assert!(named("127.0.0.1:8080") && named("[::1]:8080"));
        for bad in ["evil.example:8080", "127.0.0.1", "localhost:8080", "192.0.2.1:80"] {
            assert!(!named(bad), "{bad}");
        }
    }
}
