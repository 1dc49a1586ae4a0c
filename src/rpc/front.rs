//! What comes to the api port: calls go to the services, everything else to the pages.
//!
//! In scope: telling one from the other. Out of scope: both.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body as PageBody;
use http::header::CONTENT_TYPE;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Service, ServiceExt};

use crate::console::api::Services;
use crate::console::safe::is_from_here;

/// Services and pages of one port.
#[derive(Clone)]
struct Front {
    services: Services,
    pages: Router,
}

/// The services and the pages together.
pub(super) fn routes(services: Services, pages: Router) -> Routes {
    Routes::from(Router::new().fallback_service(Front { services, pages }))
}

/// A call says so in its content type, in every dialect of gRPC.
fn is_call(headers: &http::HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

impl Service<http::Request<PageBody>> for Front {
    type Response = http::Response<PageBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, asked: http::Request<PageBody>) -> Self::Future {
        // No program sends these; a browser does, perhaps because of another site.
        let by_page = [http::header::ORIGIN.as_str(), "sec-fetch-site"]
            .into_iter()
            .any(|name| asked.headers().contains_key(name));
        if is_call(asked.headers()) && by_page && !is_from_here(asked.headers(), asked.uri()) {
            let mut refused = http::Response::new(PageBody::empty());
            *refused.status_mut() = http::StatusCode::FORBIDDEN;
            Box::pin(std::future::ready(Ok(refused)))
        } else if is_call(asked.headers()) {
            let answer = self.services.clone().oneshot(asked.map(Body::new));
            Box::pin(async move { answer.await.map(|answer| answer.map(PageBody::new)) })
        } else {
            Box::pin(self.pages.clone().oneshot(asked))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_by_its_content_type() {
        let of =
            |kind: &str| is_call(&[(CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect());
        assert!(of("application/grpc") && of("application/grpc+proto"));
        assert!(!of("application/x-www-form-urlencoded") && !is_call(&http::HeaderMap::new()));
    }
}
