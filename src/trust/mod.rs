//! Trust: who is who, by which key, until when.
//!
//! In scope: charters, cards, secret keys, TLS identities and configurations, roles. Out of
//! scope: what a role's commands mean ([`crate::domain`]), logs and notes ([`crate::log`]).

pub mod acceptor;
pub mod amendment;
pub mod card;
pub mod charter;
pub mod feed_secret;
pub mod keys;
pub mod new_log;
pub mod people;
pub mod pki;
pub mod roles;
pub mod spiffe;
pub mod tls;
pub mod web;
