//! Links and frames: what other nodes say, checked before the exchange acts on it.

use bytes::Bytes;

use crate::api::status::LinkStatus;
use crate::ids::{AgreementId, CityCode, LogId};
use crate::journal::{Disk, RecordKind};
use crate::log::checkpoint::{self, SignedCheckpoint};
use crate::log::note::SignatureLine;
use crate::log::{ForkProof, Head};
use crate::node::core::ingest::refuse;
use crate::node::core::io::Output;
use crate::node::core::logs::{Held, Log, contradicts};
use crate::node::core::rows::{self, CosignatureRow};
use crate::node::core::{Core, Now, keys};
use crate::node::load;
use crate::store::Store;
use crate::sync::frame::PROTOCOL;
use crate::sync::{AgreementState, Cosign, Frame, Hello, LinkId, LogState};
use crate::view::Rows;
use crate::wire;

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
        let actions = self.exchange.link_up(now.mono_ms, link, city, by_us);
        if self.exchange.city_of(link).is_some() {
            let status = LinkStatus {
                city,
                up: false,
                dialled_by_us: by_us,
                address,
                since_ms: now.wall_ms,
                reason: "waiting for its greeting".to_owned(),
                heard_ms: now.wall_ms,
            };
            self.links.insert(city, status);
        }
        self.perform(actions)
    }

    pub(super) fn link_down(&mut self, now: Now, link: LinkId, reason: String) -> Vec<Output> {
        if let Some(city) = self.exchange.city_of(link)
            && let Some(status) = self.links.get_mut(&city)
        {
            status.up = false;
            status.since_ms = now.wall_ms;
            status.reason = reason;
        }
        let actions = self.exchange.link_down(now.mono_ms, &self.logs, link);
        self.perform(actions)
    }

    pub(super) fn dial_failed(&mut self, now: Now, city: CityCode, reason: String) {
        self.heard_from(city);
        if self.exchange.link_to(city).is_some() {
            return;
        }
        let since_ms = self.links.get(&city).filter(|l| !l.up).map_or(now.wall_ms, |l| l.since_ms);
        let address = self.book.card(city).and_then(|c| c.addresses.first().cloned());
        let status = LinkStatus {
            city,
            up: false,
            dialled_by_us: true,
            address: address.unwrap_or_default(),
            since_ms,
            reason,
            heard_ms: self.links.get(&city).map_or(0, |l| l.heard_ms),
        };
        self.links.insert(city, status);
    }

    /// The own greeting for one city: only agreements of which both are members.
    pub(super) fn hello(&mut self, city: CityCode) -> Frame {
        let shared: Vec<_> = self.logs.shared_agreements(city).collect();
        let mut agreements = Vec::with_capacity(shared.len());
        let mut members = Vec::new();
        for id in shared {
            let Some(agreement) = self.book.get(id) else { continue };
            members.extend(agreement.cities());
            let charter = agreement.charter.hash();
            self.cosign_for_greeting(id);
            let logs = self.logs.of_agreement(id);
            let state = |log: &Log| LogState {
                log: log.id,
                checkpoint: Some(log.durable_checkpoint.clone()).filter(|c| !c.is_empty()),
                cosignatures: log.cosigned.values().map(|h| h.cosign.clone()).collect(),
            };
            let (manifests, logs) = logs.map(|l| (l.note.clone(), state(l))).unzip();
            agreements.push(AgreementState { agreement: id, charter, manifests, logs });
        }
        members.sort_unstable();
        members.dedup();
        let cards = members.iter().filter_map(|c| self.book.card_note(*c)).cloned().collect();
        Frame::Hello(Hello {
            protocol_min: *PROTOCOL.start(),
            protocol_max: *PROTOCOL.end(),
            instance: self.settings.instance,
            agreements,
            cards,
            clock_ms: 0,
        })
    }

    pub(super) fn frame(&mut self, now: Now, link: LinkId, frame: Frame) -> Vec<Output> {
        let Some(city) = self.exchange.city_of(link) else { return Vec::new() };
        self.exchange.heard(now.mono_ms, link);
        if let Some(status) = self.links.get_mut(&city) {
            status.heard_ms = now.wall_ms;
        }
        let greeted = self.exchange.greeted().any(|(id, _)| id == link);
        if !greeted && !matches!(frame, Frame::Hello(_)) {
            return vec![Output::Close(link, "spoke before its greeting")];
        }
        match frame {
            Frame::Hello(hello) => self.greeted(now, link, city, hello),
            Frame::Manifest(note) => self.peer_manifest(now, city, note),
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
            Frame::FetchParts { .. } => vec![refuse(link, "NOT_FOUND", None, 0, "no such log")],
            Frame::LateParts { entry, parts } => self.late_parts(city, entry, parts),
            Frame::Refuse { reason, log, expected, detail } => {
                tracing::warn!(%city, %reason, ?log, expected, %detail, "turned away by a member");
                Vec::new()
            }
            Frame::Ping { number, pong: false, .. } => {
                vec![Output::Send(link, Frame::Ping { number, pong: true, clock_ms: now.wall_ms })]
            }
            Frame::Ping { .. } => Vec::new(),
            Frame::Charter(note) | Frame::Card(note) => self.peer_note(now, city, note),
        }
    }

    fn greeted(&mut self, now: Now, link: LinkId, city: CityCode, hello: Hello) -> Vec<Output> {
        if hello.protocol_max < *PROTOCOL.start() || hello.protocol_min > *PROTOCOL.end() {
            let min = u64::from(*PROTOCOL.start());
            let detail = "no protocol in common";
            return vec![
                refuse(link, "PROTOCOL_TOO_OLD", None, min, detail),
                Output::Close(link, detail),
            ];
        }
        let mut outputs = Vec::new();
        for card in hello.cards {
            outputs.extend(self.peer_note(now, city, card));
        }
        let mut sizes = Vec::new();
        for state in hello.agreements {
            let Some(known) = self.book.get(state.agreement) else { continue };
            if !known.cities().contains(&city) {
                continue;
            }
            if known.charter.hash() != state.charter {
                outputs.push(refuse(
                    link,
                    "STALE_CHARTER",
                    None,
                    0,
                    "another charter is in force here",
                ));
                continue;
            }
            for note in state.manifests {
                outputs.extend(self.peer_manifest(now, city, note));
            }
            let mut shown = Vec::new();
            for log in state.logs {
                let size = self.shown_size(city, log.log, log.checkpoint);
                shown.push((log.log, size));
                for cosign in log.cosignatures {
                    outputs.extend(self.cosigned(now, Some(link), city, cosign));
                }
            }
            self.member_has_shown(state.agreement, city, &shown);
            sizes.extend(shown);
        }
        self.heard_from(city);
        if let Some(status) = self.links.get_mut(&city) {
            status.up = true;
            status.since_ms = now.wall_ms;
            status.reason = String::new();
        }
        let actions = self.exchange.hello(now.mono_ms, &self.logs, link, &sizes);
        outputs.extend(self.perform(actions));
        outputs.extend(self.ask_for_missing());
        outputs
    }

    /// The size a genuine checkpoint of a log proves; 0 for anything else.
    fn shown_size(&mut self, city: CityCode, log: LogId, checkpoint: Option<Bytes>) -> u64 {
        let Some(note) = checkpoint.filter(|_| self.logs.may_see(city, log)) else { return 0 };
        let Some(found) = self.logs.get(log) else { return 0 };
        let signed = match SignedCheckpoint::verify(&note, log, &found.manifest.log_key) {
            Ok(signed) => signed,
            Err(error) => {
                tracing::warn!(%log, %city, %error, "a checkpoint is not genuine");
                return 0;
            }
        };
        let head = signed.head();
        self.witness(&signed);
        self.shown_later(city, log, head.size);
        let own = self.logs.get(log).is_some_and(Log::is_own);
        if own && self.logs.get(log).is_some_and(|l| head.size > l.appended()) {
            self.found_restored(log, head.size);
        }
        head.size
    }

    /// Two signed checkpoints of one size with different roots prove a fork; it is kept for ever.
    pub(super) fn witness(&mut self, shown: &SignedCheckpoint) {
        let head = shown.head();
        let Some(held) = self.checkpoint_at(head.log, head.size) else { return };
        if !contradicts(&held.head(), &head) {
            return;
        }
        let Some(proof) = ForkProof::of(&held, shown) else { return };
        let log = head.log;
        tracing::error!(%log, size = head.size, "two signed histories of one log");
        self.group.small.push((RecordKind::ForkProof, proof.encode(log)));
        self.group.dirty = true;
        self.warnings
            .push(format!("两份记录不一致（已保全证据）：日志 {log}，第 {} 条", head.size));
        if let Some(found) = self.logs.get_mut(log) {
            found.fork = Some(proof);
        }
    }

    /// The signed checkpoint held for exactly this size, if a batch ends there.
    fn checkpoint_at(&mut self, log: LogId, size: u64) -> Option<SignedCheckpoint> {
        let found = self.logs.get(log)?;
        let key = found.manifest.log_key;
        let note = if found.durable.size == size {
            found.durable_checkpoint.clone()
        } else {
            let index = size.checked_sub(1).filter(|i| *i < found.durable.size)?;
            let reader = self.journal.reader();
            let batch = load::batch_at(&self.group_rows(), &reader, log, index).ok()?;
            (batch.from + batch.entries.len() as u64 == size).then_some(batch.checkpoint)?
        };
        SignedCheckpoint::verify(&note, log, &key).ok()
    }

    fn announced(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        log: LogId,
        checkpoint: Bytes,
    ) -> Vec<Output> {
        if !self.logs.may_see(city, log) {
            return vec![refuse(link, "NOT_FOUND", None, 0, "no such log")];
        }
        let size = self.shown_size(city, log, Some(checkpoint));
        if size == 0 {
            return vec![refuse(link, "BAD_CHECKPOINT", Some(log), size, "not genuine")];
        }
        let actions = self.exchange.peer_has(now.mono_ms, &self.logs, link, log, size);
        self.perform(actions)
    }

    /// Signs that everything up to the durable head of a log lies here.
    pub(super) fn cosign(&mut self, now: Now, log: LogId) -> Option<Cosign> {
        let found = self.logs.get(log)?;
        if found.fork.is_some() || found.durable.size == 0 {
            return None;
        }
        let head = found.durable;
        let own = self.logs.own(found.manifest.agreement).filter(|o| o.id != log)?;
        let (witness, keys) = (own.id, own.own.as_ref()?);
        let time_s = u64::try_from(now.wall_ms / 1000).unwrap_or(0);
        let line = checkpoint::cosign(head, witness, &keys.cosign, time_s);
        let line = Bytes::from(line.as_str().to_owned());
        let cosign = Cosign { log, size: head.size, root: head.root, witness, line };
        let held = Held { cosign: cosign.clone(), time_s };
        self.logs.get_mut(log)?.cosigned.insert(witness, held);
        Some(cosign)
    }

    /// A greeting shows that this city holds what it holds, also after a restart.
    fn cosign_for_greeting(&mut self, agreement: AgreementId) {
        let (own, now) = (self.settings.city, self.now);
        let Some(witness) = self.logs.own(agreement).map(|l| l.id) else { return };
        let unsigned = |l: &&Log| {
            let held = l.cosigned.get(&witness).map_or(0, |h| h.cosign.size);
            l.manifest.city != own && held < l.durable.size
        };
        let unsigned = self.logs.of_agreement(agreement).filter(unsigned).map(|l| l.id);
        for log in unsigned.collect::<Vec<_>>() {
            let _ = self.cosign(now, log);
        }
    }

    /// A cosignature: kept if it is genuine and news, and passed on towards the log's author.
    fn cosigned(
        &mut self,
        _now: Now,
        link: Option<LinkId>,
        city: CityCode,
        cosign: Cosign,
    ) -> Vec<Output> {
        let Some(time_s) = self.check_cosignature(city, &cosign) else { return Vec::new() };
        let log = cosign.log;
        let Some(found) = self.logs.get_mut(log) else { return Vec::new() };
        let known = found.cosigned.get(&cosign.witness).map_or(0, |h| h.cosign.size);
        if cosign.size <= known {
            return Vec::new();
        }
        let (origin, followed) = (found.manifest.city, !found.is_own());
        found.cosigned.insert(cosign.witness, Held { cosign: cosign.clone(), time_s });
        // Lazily: it rides with the next group, and is sent again if it is lost before.
        let payload = wire::peer::encode_cosign(&cosign);
        self.group.small.push((RecordKind::Cosignature, payload.into()));
        let row = CosignatureRow { root: cosign.root, time_s, line: cosign.line.clone() };
        let row = rows::encode(&row);
        let key = keys::cosignature(log, cosign.witness, cosign.size);
        self.group_rows().put(key, row);
        if !followed {
            return Vec::new();
        }
        let to_origin = self.exchange.link_to(origin);
        let others = || {
            let other =
                |(id, c): &(LinkId, CityCode)| Some(*id) != link && self.logs.may_see(*c, log);
            self.exchange.greeted().filter(other).map(|(id, _)| id).collect::<Vec<_>>()
        };
        let targets = to_origin.map_or_else(others, |id| vec![id]);
        targets.into_iter().map(|id| Output::Send(id, Frame::Cosign(cosign.clone()))).collect()
    }

    /// When the witness signed, if the cosignature is genuine and does not contradict what is here.
    fn check_cosignature(&mut self, city: CityCode, cosign: &Cosign) -> Option<u64> {
        if !self.logs.may_see(city, cosign.log) {
            return None;
        }
        let (log, witness) = (self.logs.get(cosign.log)?, self.logs.get(cosign.witness)?);
        let same_agreement = log.manifest.agreement == witness.manifest.agreement;
        if !same_agreement || log.manifest.city == witness.manifest.city {
            return None;
        }
        let head = Head { log: cosign.log, size: cosign.size, root: cosign.root };
        let text = std::str::from_utf8(&cosign.line).ok()?;
        let line = SignatureLine::parse(text).ok()?;
        let key = witness.manifest.cosign_key;
        match checkpoint::verify_cosignature(&line, head, cosign.witness, &key) {
            Ok(time_s) => {
                let held = self.checkpoint_at(cosign.log, cosign.size).map(|c| c.head());
                (!held.is_some_and(|held| contradicts(&held, &head))).then_some(time_s)
            }
            Err(error) => {
                tracing::warn!(%city, log = %cosign.log, %error, "a cosignature is not genuine");
                None
            }
        }
    }

    pub(super) fn tick(&mut self, now: Now) -> Vec<Output> {
        let actions = self.exchange.tick(now.mono_ms, now.wall_ms, &self.logs);
        let mut outputs = self.perform(actions);
        outputs.extend(self.ask_for_missing());
        outputs.extend(self.ask_to_mend(now));
        outputs
    }
}
