//! Links and frames: what other nodes say, and who answers it.
//!
//! In scope: links coming and going, frames to the right place, refusals. Out of scope: greetings
//! ([`super::greet`]), checkpoints and forks ([`super::witness`]), cosignatures
//! ([`super::receipts`]), batches ([`super::ingest`]), narrow parts ([`super::parts`]).

use crate::domain::both;
use crate::ids::{CityCode, LogId};
use crate::journal::Disk;
use crate::node::core::io::Output;
use crate::node::core::{Core, Now};
use crate::store::Store;
use crate::sync::{Action, Frame, LinkId};
use crate::wire::status::Refused;

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn link_up(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        by_us: bool,
        address: String,
    ) -> Vec<Output> {
        if self.logs.shared_agreements(city).next().is_none() {
            return vec![Output::Close(link, "no agreement with this city")];
        }
        if self.suspensions.has(city) {
            return self.refuse_suspended(link);
        }
        let actions = self.exchange.link_up(now.mono_ms, link, city, by_us);
        if self.exchange.city_of(link).is_some() {
            self.links.connected(now, link, city, by_us, address);
        }
        self.perform(actions)
    }

    pub(super) fn link_down(&mut self, now: Now, link: LinkId, reason: &str) -> Vec<Output> {
        self.links.down(now, link, reason);
        let actions = self.exchange.link_down(now.mono_ms, &self.logs, link);
        self.perform(actions)
    }

    pub(super) fn dial_failed(&mut self, now: Now, city: CityCode, reason: String) {
        self.heard_from(city);
        let address = self.book.card(city).and_then(|c| c.addresses.first());
        self.links.failed(now, city, address, reason);
    }

    /// Refuses and ends a link; what it said before stands.
    pub(super) fn end_link(
        &mut self,
        now: Now,
        link: LinkId,
        refused: &Refused,
        why: &'static str,
    ) -> Vec<Output> {
        let mut outputs = vec![refuse(link, refused, None), Output::Close(link, why)];
        outputs.extend(self.link_down(now, link, why));
        outputs
    }

    /// Refuses something wrong, and counts it against whoever sent it.
    pub(super) fn strike(
        &mut self,
        now: Now,
        link: LinkId,
        refused: &Refused,
        log: Option<LogId>,
    ) -> Vec<Output> {
        if let Some(city) = self.exchange.city_of(link) {
            self.links.strike(now, city);
            let facts = refused.facts();
            tracing::warn!(%city, reason = refused.reason(), ?facts, "turned away");
        }
        vec![refuse(link, refused, log)]
    }

    /// A frame that could not be read.
    pub(super) fn bad_frame(&mut self, now: Now, link: LinkId, refused: &Refused) -> Vec<Output> {
        self.exchange.heard(now.mono_ms, link);
        let outputs = self.strike(now, link, refused, None);
        if self.exchange.is_greeted(link) {
            return outputs;
        }
        self.end_link(now, link, refused, "its greeting cannot be read")
    }

    pub(super) fn frame(&mut self, now: Now, link: LinkId, frame: Frame) -> Vec<Output> {
        let Some(city) = self.exchange.city_of(link) else { return Vec::new() };
        self.exchange.heard(now.mono_ms, link);
        self.links.heard(now, city);
        let frame = match (frame, self.exchange.is_greeted(link)) {
            (Frame::Hello(hello), false) => return self.hello_came(now, link, city, hello),
            (frame @ Frame::Refuse { .. }, false) => frame,
            (_, false) => {
                let refused = Refused::new("MALFORMED").with("detail", "spoke before its greeting");
                self.links.strike(now, city);
                return self.end_link(now, link, &refused, "spoke before its greeting");
            }
            (frame, true) => frame,
        };
        match frame {
            Frame::Hello(_) => {
                let refused = Refused::new("MALFORMED").with("detail", "greeted twice");
                self.links.strike(now, city);
                self.end_link(now, link, &refused, "greeted twice")
            }
            Frame::Manifest(note) => self.peer_manifest(now, link, city, note),
            Frame::Announce { log, checkpoint } => self.announced(now, link, city, log, checkpoint),
            Frame::Subscribe { log, from, credit } => {
                let actions = self.exchange.subscribe(&self.logs, link, log, from, credit);
                self.perform(actions)
            }
            Frame::Unsubscribe { log } => {
                self.exchange.unsubscribe(link, log);
                Vec::new()
            }
            Frame::Credit { log, bytes } => {
                let actions = self.exchange.credit(&self.logs, link, log, bytes);
                self.perform(actions)
            }
            Frame::Batch(raw) => self.batch(now, link, raw),
            Frame::Cosign(cosign) => self.cosigned(now, Some(link), city, cosign),
            Frame::FetchParts { entry, parts } if self.logs.may_see(city, entry.log) => {
                vec![Output::ServeParts { link, city, entry, parts }]
            }
            Frame::FetchParts { .. } => vec![refuse(link, &Refused::new("NOT_FOUND"), None)],
            Frame::LateParts { entry, parts } if self.logs.may_see(city, entry.log) => {
                self.late_parts(now, link, entry, parts)
            }
            Frame::LateParts { .. } => vec![refuse(link, &Refused::new("NOT_FOUND"), None)],
            Frame::Refuse { reason, log, facts, .. } => {
                self.refused_by(now, link, city, &reason, log, &facts)
            }
            Frame::Ping { number, pong: false, clock_ms } => {
                self.clocks.said(now, city, clock_ms);
                vec![Output::Send(link, Frame::Ping { number, pong: true, clock_ms: now.wall_ms })]
            }
            Frame::Ping { number, clock_ms, .. } => {
                self.clocks.said(now, city, clock_ms);
                let actions = self.exchange.pong(link, number);
                self.perform(actions)
            }
            Frame::Charter(note) | Frame::Card(note) => self.peer_note(now, city, note),
            Frame::Fork(proof) => self.fork_shown(now, link, city, &proof),
        }
    }

    /// The other side turned something of ours away.
    fn refused_by(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        reason: &str,
        log: Option<LogId>,
        facts: &[(String, String)],
    ) -> Vec<Output> {
        tracing::warn!(%city, %reason, ?log, ?facts, "turned away by a member");
        match (reason, log) {
            ("DUPLICATE_INSTANCE", _) => {
                self.warn(both(
                    &format!("{city} 发现本节点有两份同时运行，请立即停掉其中一份"),
                    &format!("{city} sees two copies of this node running: stop one at once"),
                ));
                Vec::new()
            }
            ("CITY_SUSPENDED", _) => {
                let why = "该市已暂停与本市的交换，请联系该市管理员 · that city has suspended this \
                           one; speak with its operator (CITY_SUSPENDED)";
                let mut outputs = vec![Output::Close(link, "suspended by the other side")];
                self.links.down(now, link, why);
                outputs.extend(self.link_down(now, link, why));
                outputs
            }
            ("BAD_CHECKPOINT", Some(log)) => {
                self.suspect(city, log);
                Vec::new()
            }
            // An ended log is taken on the strength of who has cosigned it, and that is told to its
            // author only. (`whoever_turns_away_an_ended_log_is_told_who_has_cosigned_it`)
            ("LOG_STANDING", Some(log)) if self.logs.may_see(city, log) => {
                let cosigned = self.logs.get(log).into_iter().flat_map(|l| l.cosigned.values());
                let told = cosigned.map(|held| Frame::Cosign(held.cosign.clone()));
                told.map(|frame| Output::Send(link, frame)).collect()
            }
            // It holds the log and cannot read it there: another member may.
            ("ENTRY_CORRUPT", Some(log)) if self.exchange.source_of(log) == Some(link) => {
                let actions = self.exchange.rest_source(now.mono_ms, &self.logs, link, log);
                self.perform(actions)
            }
            _ => Vec::new(),
        }
    }

    /// Two processes say that they are one node: the newer link ends, both are told.
    pub(super) fn duplicate(&mut self, now: Now, kept: LinkId, refused: LinkId) -> Vec<Output> {
        let city = self.exchange.city_of(kept);
        let shown = city.map_or_else(String::new, |c| c.to_string());
        tracing::error!(city = %shown, "two copies of one node are running");
        self.warn(both(
            &format!("{shown} 的节点有两份同时运行，请与该市联系"),
            &format!("two copies of the node of {shown} are running: speak with that city"),
        ));
        let reason = Refused::new("DUPLICATE_INSTANCE");
        let why = "another copy of this node is linked";
        self.links.down(now, refused, why);
        vec![
            refuse(refused, &reason, None),
            Output::Close(refused, why),
            refuse(kept, &reason, None),
        ]
    }

    /// Nothing of a log could be read for a member that follows it: it must ask another one.
    pub(super) fn served(
        &mut self,
        link: LinkId,
        log: LogId,
        (from, next): (u64, u64),
        bytes: u64,
    ) -> Vec<Output> {
        let actions = self.exchange.served(&self.logs, link, log, from, next, bytes);
        let mut outputs = self.perform(actions);
        if next <= from && self.exchange.city_of(link).is_some() {
            let refused = Refused::new("ENTRY_CORRUPT").with("range", format!("{log}:{from}"));
            outputs.push(refuse(link, &refused, Some(log)));
        }
        outputs
    }

    /// Ends the links to these cities, so that both sides greet anew.
    pub(super) fn greet_anew(&mut self, now: Now, cities: &[CityCode]) -> Vec<Output> {
        let links: Vec<LinkId> = self
            .exchange
            .greeted()
            .filter(|(_, city)| cities.contains(city))
            .map(|(link, _)| link)
            .collect();
        let why = "the agreements have changed";
        let mut outputs = Vec::new();
        for link in links {
            outputs.push(Output::Close(link, why));
            outputs.extend(self.link_down(now, link, why));
        }
        outputs
    }

    pub(super) fn tick(&mut self, now: Now) -> Vec<Output> {
        let actions: Vec<Action> = self.exchange.tick(now.mono_ms, now.wall_ms, &self.logs);
        let mut outputs = self.perform(actions);
        outputs.extend(self.cosign_what_is_due(now));
        outputs.extend(self.ask_for_missing(now));
        outputs.extend(self.ask_to_mend(now));
        outputs.extend(self.look_at_passed(now));
        self.confirm_received(now);
        self.erase_what_is_due(now);
        outputs
    }
}

/// The frame that says why something was turned away.
pub(super) fn refuse(link: LinkId, refused: &Refused, log: Option<LogId>) -> Output {
    let number = |(key, value): &(&'static str, String)| {
        matches!(*key, "expected" | "known" | "size" | "min").then(|| value.parse().ok()).flatten()
    };
    let expected = refused.facts().iter().find_map(number).unwrap_or(0);
    let facts = refused.facts().iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    let frame = Frame::Refuse {
        reason: refused.reason().to_owned(),
        log,
        expected,
        detail: refused.english(),
        facts: facts.collect(),
    };
    Output::Send(link, frame)
}
