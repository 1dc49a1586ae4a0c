//! What of a call goes into the audit.
//!
//! Writes always leave a line; reads when they showed another city's records or were refused; every
//! call of somebody who may not make it.

use super::caller::Called;
use crate::audit::{Audit, Deed};
use crate::ids::CityCode;
use crate::node::writer::NodeHandle;
use crate::trust::acceptor::Peer;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// A line under way.
pub(super) struct AuditLine {
    audit: Audit,
    own: u32,
    deed: Deed,
}

/// What a caller did, as far as it is known before it is done.
pub(super) fn deed(node: &NodeHandle, who: &Called, method: &'static str, name: &str) -> Deed {
    deed_of(node, &who.peer, method, name)
}

/// The same of a connection, whether it may call or not.
pub(super) fn deed_of(node: &NodeHandle, peer: &Peer, method: &'static str, name: &str) -> Deed {
    Deed {
        time_ms: node.now_ms(),
        who: peer.identity.to_string(),
        serial: peer.identity.serial.clone(),
        from: peer.address.to_string(),
        method,
        // Names of ours have 90 characters at the most; what is longer is no name.
        name: name.chars().take(120).collect(),
        outcome: "OK",
        ..Deed::default()
    }
}

impl AuditLine {
    /// The line of a read.
    pub(super) fn new(
        (node, audit): (&NodeHandle, &Audit),
        who: &Called,
        method: &'static str,
        name: &str,
    ) -> Self {
        let own = node.city().as_u32();
        Self { audit: audit.clone(), own, deed: deed(node, who, method, name) }
    }

    /// Counts cases that another city opened.
    pub(super) fn foreign<'a>(&mut self, cases: impl Iterator<Item = &'a pb::Case>) {
        let foreign = cases.filter(|case| case.originating_city != self.own).count();
        self.deed.cases += u32::try_from(foreign).unwrap_or(u32::MAX);
    }

    /// Counts cases of other cities that were shown beside a case.
    pub(super) fn hinted<'a>(&mut self, acts: impl Iterator<Item = &'a pb::SameActs>) {
        acts.flat_map(|one| &one.hints).for_each(|hint| self.shown_of(hint.originating_city));
    }

    /// Counts a record whose opening city is known.
    pub(super) fn shown(&mut self, originating: CityCode) {
        self.shown_of(originating.as_u32());
    }

    /// The same, by the city's code.
    pub(super) fn shown_of(&mut self, originating: u32) {
        self.deed.cases += u32::from(originating != self.own);
    }

    /// Writes the line, if the read deserves one.
    pub(super) fn end<T>(self, outcome: &Result<T, Refused>) {
        let outcome = outcome.as_ref().err().map_or("OK", Refused::reason);
        if self.deed.cases > 0 || outcome != "OK" {
            self.audit.note(Deed { outcome, ..self.deed });
        }
    }
}
