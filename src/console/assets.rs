//! The few files that pages load: a stylesheet, a script, an icon.
//!
//! In scope: giving them out with a tag by which the browser keeps them. Out of scope: pages.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

/// Name, type, content.
const ALL: [(&str, &str, &str); 4] = [
    ("console.css", "text/css; charset=utf-8", include_str!("assets/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("assets/console.js")),
    ("map.js", "text/javascript; charset=utf-8", include_str!("assets/map.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// The icon, where browsers look for it on pages that name none.
pub async fn icon(headers: HeaderMap) -> Response {
    one(Path("icon.svg".to_owned()), headers).await
}

/// One file.
pub async fn one(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, kind, content)) = ALL.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Tells one content from another; nothing rests on it but the browser's cache.
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let kept = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|have| have.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    (kept, [(header::CONTENT_TYPE, *kind)], *content).into_response()
}
