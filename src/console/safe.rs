//! What every answer says to the browser, and which requests are not listened to.
//!
//! A client certificate is shown by the browser on requests that other sites cause too. So a write
//! must come from a page of this node: browsers say where a request comes from in `Sec-Fetch-Site`
//! (Fetch Metadata), older ones in `Origin`.
//!
//! In scope: headers. Out of scope: who may do what.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use crate::trust::acceptor::Peer;
use crate::trust::people::Standing;

/// What may run, load and be sent: what this node serves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A request that no listener of ours has let in.
#[derive(Debug)]
pub struct NoPeer;

impl IntoResponse for NoPeer {
    fn into_response(self) -> Response {
        (StatusCode::UNAUTHORIZED, "no certificate\n").into_response()
    }
}

/// Refuses writes from elsewhere; puts our headers to every answer.
pub async fn guard(request: Request, next: Next) -> Response {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let peer = request.extensions().get::<Peer>();
    let is_somebody =
        peer.is_some_and(|peer| matches!(peer.people.standing(&peer.identity), Standing::Is(..)));
    // Nothing is read of what nobody sends.
    let answer = if !reads && !is_somebody {
        NoPeer.into_response()
    } else if reads || is_from_here(request.headers(), request.uri()) {
        next.run(request).await
    } else {
        (
            StatusCode::FORBIDDEN,
            "操作未执行：请求不是从本控制台的页面发出的，请从页面上重新操作\n\
             not done: the request did not come from a page of this console; do it from the page\n",
        )
            .into_response()
    };
    with_headers(answer)
}

fn with_headers(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    let all: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in all {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Cases stay out of the browser's cache; assets say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

/// Whether a request was caused by a page of this node.
pub fn is_from_here(headers: &HeaderMap, uri: &http::Uri) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    // Over HTTP/2 the host stands in the request's address.
    let host = uri.authority().map(http::uri::Authority::as_str).or_else(|| text(header::HOST));
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => origin == host,
        (None, _) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_from_another_site_is_refused() {
        let asked = |all: &[(&'static str, &str)], uri: &str| {
            let headers: HeaderMap = all
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            is_from_here(&headers, &uri.parse().unwrap())
        };
        let (short, long) = ("/case", "https://node.example:7443/case");
        assert!(asked(&[("sec-fetch-site", "same-origin")], short));
        assert!(asked(&[("origin", "https://node.example:7443")], long));
        assert!(asked(&[("origin", "http://127.0.0.1:80"), ("host", "127.0.0.1:80")], short));
        for (headers, uri) in [
            (&[][..], short),
            (&[("sec-fetch-site", "cross-site")], short),
            (&[("sec-fetch-site", "same-site")], short),
            (&[("sec-fetch-site", "none")], short),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://node.example:7443")], long),
            (&[("origin", "https://evil.example")], long),
            (&[("origin", "null"), ("host", "127.0.0.1:80")], short),
            (&[("origin", "https://node.example")], long),
            (&[("host", "127.0.0.1:80")], short),
        ] {
            assert!(!asked(headers, uri), "{headers:?} {uri}");
        }
    }

    #[tokio::test]
    async fn every_answer_says_what_may_run() {
        let answer = with_headers("x".into_response());
        let policy = answer.headers().get("content-security-policy").unwrap().to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
        let kept = ([(header::CACHE_CONTROL, "max-age=9")], "x").into_response();
        assert_eq!(with_headers(kept).headers().get("cache-control").unwrap(), "max-age=9");
    }
}
