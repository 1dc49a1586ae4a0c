//! The listener of the calendar feed: HTTP/1.1, one request a connection.
//!
//! It speaks plain http, since the office's own proxy in front of it has the certificate that its
//! calendars trust; so it is on loopback unless the operator says otherwise. `GET` and `HEAD` of
//! the one secret address are answered. Every other path and method is the same bare 404, so that
//! nobody finds out what is nearly right; what is no request at all the library refuses itself. No
//! request is logged: its path is the secret.
//!
//! What strangers can do who reach the port is to keep subscribers waiting. They cost one task
//! each, so many at a time, for so long, and nothing of the other ports.
//!
//! In scope: sockets, bounds, headers. Out of scope: the text ([`super`]).
//!
//! Invariants:
//! 1. Who does not know the address is told the same whatever he asks, by whatever method.
//!    (`a_feed_answers_its_own_address_and_nothing_else`)
//! 2. A connection ends within its time, and what comes beyond the places is closed.
//!    (`a_slow_reader_of_the_feed_is_cut_and_too_many_are_turned_away`)

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{CalendarFeed, Made};
use crate::limits::{
    CALENDAR_FEED_CONNECTIONS_MAX, CALENDAR_FEED_HEAD_BYTES_MAX, CALENDAR_FEED_HEAD_MS_MAX,
    CALENDAR_FEED_HEADERS_MAX, CALENDAR_FEED_PER_S_MAX, CALENDAR_FEED_REQUEST_MS_MAX,
};
use crate::rpc::rate::Rates;
use crate::trust::feed_secret::FeedSecret;

/// When the system has no more connections, a moment later it may.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);
/// A calendar need not ask again within so many seconds.
const MAX_AGE: &str = "private, max-age=300";
const TEXT: &str = "text/calendar; charset=utf-8";

type Answer = Response<Full<Bytes>>;

impl CalendarFeed {
    /// Serves whoever connects until `stop`.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(CALENDAR_FEED_CONNECTIONS_MAX));
        let rates = Arc::new(Mutex::new(Rates::default()));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            };
            // Beyond the places it is closed, and nobody waits behind a crowd that never speaks.
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let (feed, rates, stop) = (Arc::clone(&self), Arc::clone(&rates), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = feed.one(stream, &rates) => {}
                }
                drop(place);
            });
        }
    }

    /// One connection, with one request.
    async fn one(&self, stream: TcpStream, rates: &Mutex<Rates>) {
        let answer =
            service_fn(async |request| Ok::<_, Infallible>(self.answer(&request, rates).await));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(CALENDAR_FEED_HEAD_MS_MAX))
            .max_buf_size(CALENDAR_FEED_HEAD_BYTES_MAX)
            .max_headers(CALENDAR_FEED_HEADERS_MAX)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), answer);
        let within = Duration::from_millis(CALENDAR_FEED_REQUEST_MS_MAX);
        // What went wrong is the caller's affair, and may name the path.
        let _ = tokio::time::timeout(within, connection).await;
    }

    async fn answer(&self, request: &Request<Incoming>, rates: &Mutex<Rates>) -> Answer {
        let paid = {
            let mut rates = rates.lock().unwrap_or_else(PoisonError::into_inner);
            rates.pay("", CALENDAR_FEED_PER_S_MAX, Instant::now())
        };
        if paid.is_err() {
            let mut busy = bare(StatusCode::TOO_MANY_REQUESTS);
            busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            return busy;
        }
        match self.asked(request).await {
            Some(made) => found(&made, request),
            None => bare(StatusCode::NOT_FOUND),
        }
    }

    /// The feed, if it is asked for by its address.
    async fn asked(&self, request: &Request<Incoming>) -> Option<Made> {
        let (method, uri) = (request.method(), request.uri());
        let reads = *method == Method::GET || *method == Method::HEAD;
        let token = uri.path().strip_prefix("/calendar/")?.strip_suffix(".ics")?;
        if !reads || uri.query().is_some() {
            return None;
        }
        let (token, file) = (token.to_owned(), self.secret_file.clone());
        let read = move || FeedSecret::read(&file).ok().filter(|secret| secret.is(&token));
        let secret = tokio::task::spawn_blocking(read).await.ok()??;
        self.text(secret).await
    }
}

fn found(made: &Made, request: &Request<Incoming>) -> Answer {
    let known = request.headers().get(header::IF_NONE_MATCH).map(HeaderValue::as_bytes);
    // A proxy that compresses makes the tag a weak one.
    let plain = known.map(|known| known.strip_prefix(b"W/").unwrap_or(known));
    let is_known = plain == Some(made.etag.as_bytes());
    let mut answer = match is_known {
        true => bare(StatusCode::NOT_MODIFIED),
        false => Response::new(Full::new(made.text.clone())),
    };
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(MAX_AGE));
    if let Ok(etag) = HeaderValue::from_str(&made.etag) {
        headers.insert(header::ETAG, etag);
    }
    answer
}

/// An answer that says nothing but its number.
fn bare(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
