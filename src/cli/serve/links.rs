//! What reaches other cities: the dialler of links, and the ringer of notices.
//!
//! In scope: what they are made of. Out of scope: when they reach for whom ([`crate::node`]).

use std::sync::Arc;

use super::reload::Reload;
use crate::node::dial::{self, Dialer};
use crate::node::ringer::{self, Reached, Ringer};
use crate::node::writer::NodeHandle;
use crate::rpc::peer_service;

/// What dials other cities.
pub(super) fn dialer(node: &NodeHandle, reload: &Reload, offline: bool) -> Dialer {
    if offline {
        tracing::warn!("started with --offline: no other city is reached");
    }
    Dialer {
        node: node.clone(),
        tls: reload.peer_context(),
        own: reload.own(),
        call: Arc::new(|node, channel, end| {
            tokio::spawn(async move {
                let ended = peer_service::call(node, channel, end).await;
                ended.map_err(|status| dial::reason(&status, None))
            })
        }),
        offline,
    }
}

/// What rings other cities.
pub(super) fn ringer(dialer: Dialer, reached: Reached) -> Ringer {
    let ring: ringer::Ring = Arc::new(|channel, agreement, entry| {
        Box::pin(async move {
            let rung = peer_service::ring(channel, agreement, &entry.entry).await;
            rung.map_err(|status| dial::reason(&status, None))
        })
    });
    let ask: ringer::Ask = Arc::new(|channel, agreement, subject| {
        Box::pin(async move {
            let held = peer_service::holds_notice(channel, agreement, subject).await;
            held.map_err(|status| dial::reason(&status, None))
        })
    });
    Ringer { dialer, ring, ask, reached }
}
