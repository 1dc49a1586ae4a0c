//! Who looks at a page, and in which language.
//!
//! In scope: what a request says of them. Out of scope: letting anybody in: the certificate was
//! checked before, and each call checks the role again.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use super::safe::NoPeer;
use crate::lang::Lang;
use crate::trust::acceptor::Peer;
use crate::trust::people::Standing;
use crate::trust::roles;
use crate::trust::spiffe::Role;

/// The cookie that remembers the language.
pub const LANGUAGE_COOKIE: &str = "liandong-lang";

/// How somebody came to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// With a certificate.
    Certificate,
    /// With a ticket of the demo.
    Ticket,
}

/// Somebody who looks at a page.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The connection's identity.
    pub peer: Peer,
    /// In what capacity, and under which number; nobody where the certificate is not enrolled.
    pub standing: Option<(Role, String)>,
    /// The language of the page.
    pub lang: Lang,
    /// How they came in.
    pub door: Door,
    /// The page they are on, with its query.
    pub here: String,
    /// They sent a form: a page that answers with a form again holds what they typed.
    pub has_typed: bool,
}

impl Visitor {
    /// Whether the role may call a method; the call itself decides.
    #[must_use]
    pub fn may(&self, method: &str) -> bool {
        let access = roles::access(method);
        self.standing.as_ref().is_some_and(|(role, _)| access.is_some_and(|one| one.allows(*role)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = NoPeer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoPeer> {
        let peer = parts.extensions.get::<Peer>().cloned().ok_or(NoPeer)?;
        let standing = match peer.people.standing(&peer.identity) {
            Standing::Is(role, id) => Some((role, id)),
            Standing::Disabled | Standing::Unknown => None,
        };
        let door = parts.extensions.get::<Door>().copied().unwrap_or(Door::Certificate);
        let here = here(&parts.method, &parts.uri);
        let (lang, has_typed) = (language(&parts.headers), parts.method == http::Method::POST);
        Ok(Self { peer, standing, lang, door, here, has_typed })
    }
}

/// The page that can be asked for again: of a form that was sent, the one it stands on.
fn here(method: &http::Method, uri: &http::Uri) -> String {
    let asked = uri.path_and_query().map_or("/", |one| one.as_str());
    if *method != http::Method::POST
        || !["/case/", "/plan/", "/notice/"].iter().any(|page| asked.starts_with(page))
    {
        return asked.to_owned();
    }
    uri.path().rsplit_once('/').map_or("/", |(page, _)| page).to_owned()
}

/// The language that was chosen, else the one the browser asks for first; Chinese when in doubt.
fn language(headers: &HeaderMap) -> Lang {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    if let Some(chosen) = cookie(headers, LANGUAGE_COOKIE) {
        return chosen.parse().unwrap_or_default();
    }
    let first = text(http::header::ACCEPT_LANGUAGE).and_then(|tags| tags.split(',').next());
    let is_english = first.is_some_and(|tag| tag.trim().to_ascii_lowercase().starts_with("en"));
    if is_english { Lang::En } else { Lang::Zh }
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(http::header::COOKIE).iter().filter_map(|one| one.to_str().ok());
    let mut pairs = all.flat_map(|one| one.split(';')).filter_map(|one| one.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(http::HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_language_is_the_one_chosen_then_the_browsers_then_chinese() {
        use http::header::{ACCEPT_LANGUAGE, COOKIE};
        for (given, want) in [
            (headers(&[]), Lang::Zh),
            (headers(&[(ACCEPT_LANGUAGE, "en-GB,en;q=0.9,zh;q=0.8")]), Lang::En),
            (headers(&[(ACCEPT_LANGUAGE, "zh-CN,en;q=0.9")]), Lang::Zh),
            (headers(&[(ACCEPT_LANGUAGE, "fr")]), Lang::Zh),
            (headers(&[(ACCEPT_LANGUAGE, "en"), (COOKIE, "a=b; liandong-lang=zh")]), Lang::Zh),
            (headers(&[(COOKIE, "liandong-lang=en")]), Lang::En),
            (headers(&[(COOKIE, "liandong-lang=xx")]), Lang::Zh),
        ] {
            assert_eq!(language(&given), want, "{given:?}");
        }
    }
}
