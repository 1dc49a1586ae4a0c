//! Cosignatures: "every header up to this size, and every part of these entries that is for all
//! members, owed to me and not erased, lies on my disk", and their way to the log's author.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::ids::{CityCode, LogId};
use crate::journal::{Disk, RecordKind};
use crate::log::Head;
use crate::log::checkpoint;
use crate::log::note::SignatureLine;
use crate::node::core::contradictions::Stands;
use crate::node::core::io::Output;
use crate::node::core::logs::{Held, Log};
use crate::node::core::rows::{self, CosignatureRow};
use crate::node::core::{Core, Now, keys};
use crate::store::Store;
use crate::sync::{Cosign, Frame, LinkId};
use crate::view::Rows;
use crate::wire;

impl<D: Disk, S: Store> Core<D, S> {
    /// Signs that everything up to the durable head of a log lies here, if that is so and news.
    pub(super) fn cosign(&mut self, now: Now, log: LogId) -> Option<Cosign> {
        let found = self.logs.get(log)?;
        let head = found.durable;
        let own_city = found.manifest.city == self.settings.city;
        if own_city || found.fork.is_some() || head.size == 0 || self.poisoned.is_some() {
            return None;
        }
        let own = self.logs.own(found.manifest.agreement).filter(|o| o.id != log && o.is_own())?;
        let (witness, keys) = (own.id, own.own.as_ref()?);
        // Nobody can check what a log signs whose manifest has not gone out yet.
        // (`nothing_is_cosigned_in_a_log_that_nobody_has_heard_of`)
        let unheard =
            |(kind, note): &(RecordKind, Bytes)| *kind == RecordKind::Manifest && *note == own.note;
        if self.group.small.iter().any(unheard) {
            return None;
        }
        if found.cosigned.get(&witness).is_some_and(|h| h.cosign.size >= head.size) {
            return None;
        }
        // Before signing: while a part is owed this is asked at every tick.
        if self.owes_below(log, head.size) {
            return None;
        }
        let time_s = u64::try_from(now.wall_ms / 1000).unwrap_or(0);
        let line = checkpoint::cosign(head, witness, &keys.cosign, time_s);
        let line = Bytes::from(line.as_str().to_owned());
        let cosign = Cosign { log, size: head.size, root: head.root, witness, line };
        self.keep_cosignature(cosign.clone(), time_s);
        Some(cosign)
    }

    /// Cosigns what was not cosigned when it came: before a restart, or while a part was owed.
    /// Asked at every tick, when nearly everything is cosigned.
    pub(super) fn cosign_what_is_due(&mut self, now: Now) -> Vec<Output> {
        let witnesses = self.logs.own_ids();
        let is_due = |l: &&Log| {
            let witness = witnesses.get(&l.manifest.agreement);
            let signed = witness.and_then(|witness| l.cosigned.get(witness));
            let done = signed.is_some_and(|held| held.cosign.size >= l.durable.size);
            witness.is_some() && !done && !l.is_own() && l.durable.size > 0
        };
        let logs: Vec<LogId> = self.logs.iter().filter(is_due).map(|l| l.id).collect();
        let mut outputs = Vec::new();
        for log in logs {
            let Some(cosign) = self.cosign(now, log) else { continue };
            outputs.extend(self.towards_author(None, &cosign));
        }
        outputs
    }

    /// Lazily: it rides with the next group, and is signed or sent again if it is lost before.
    fn keep_cosignature(&mut self, cosign: Cosign, time_s: u64) {
        let payload = wire::peer::encode_cosign(&cosign);
        self.group.small.push((RecordKind::Cosignature, payload.into()));
        let row = CosignatureRow { root: cosign.root, time_s, line: cosign.line.clone() };
        let row = rows::encode(&row);
        let key = keys::cosignature(cosign.log, cosign.witness, cosign.size);
        self.group_rows().put(key, row);
        if let Some(found) = self.logs.get_mut(cosign.log) {
            found.cosigned.insert(cosign.witness, Held { cosign, time_s });
        }
    }

    /// To whoever served the stretch, and to the author where it is linked as well. The link that
    /// served it may be gone by now; then it goes as any other.
    pub(super) fn send_receipt(&self, link: LinkId, cosign: &Cosign) -> Vec<Output> {
        let author = self.logs.get(cosign.log).map(|l| l.manifest.city);
        let direct = author.and_then(|author| self.exchange.link_to(author));
        let server = Some(link).filter(|link| self.exchange.is_greeted(*link));
        let targets: BTreeSet<LinkId> = server.into_iter().chain(direct).collect();
        if targets.is_empty() {
            return self.towards_author(None, cosign);
        }
        targets.into_iter().map(|id| Output::Send(id, Frame::Cosign(cosign.clone()))).collect()
    }

    /// To the log's author if it is linked, else to every member that may get it there.
    fn towards_author(&self, from: Option<LinkId>, cosign: &Cosign) -> Vec<Output> {
        let Some(found) = self.logs.get(cosign.log).filter(|l| !l.is_own()) else {
            return Vec::new();
        };
        let author = found.manifest.city;
        let targets: BTreeSet<LinkId> = match self.exchange.link_to(author) {
            Some(link) => BTreeSet::from([link]),
            None => self
                .exchange
                .greeted()
                .filter(|(link, c)| Some(*link) != from && self.logs.may_see(*c, cosign.log))
                .map(|(link, _)| link)
                .collect(),
        };
        targets.into_iter().map(|id| Output::Send(id, Frame::Cosign(cosign.clone()))).collect()
    }

    /// A cosignature: kept if it is genuine and news, and passed on towards the log's author.
    pub(super) fn cosigned(
        &mut self,
        now: Now,
        link: Option<LinkId>,
        city: CityCode,
        cosign: Cosign,
    ) -> Vec<Output> {
        let known = self.logs.get(cosign.log).and_then(|l| l.cosigned.get(&cosign.witness));
        let known = known.map_or(0, |held| held.cosign.size);
        if self.cosignature_at(&cosign).is_some_and(|row| row.root == cosign.root) {
            // A replay, or one that went round.
            return Vec::new();
        }
        let Some(time_s) = self.check_cosignature(now, city, &cosign) else { return Vec::new() };
        match self.stands(&cosign) {
            // Nothing moves back.
            Stands::Fits if cosign.size <= known => return Vec::new(),
            Stands::Fits => {}
            Stands::Proves(proof) => return self.contradicted(&cosign, proof),
            Stands::OfAFork => return Vec::new(),
        }
        self.keep_cosignature(cosign.clone(), time_s);
        self.towards_author(link, &cosign)
    }

    /// When the witness signed, if the cosignature is genuine. One that is not is ignored, and
    /// counted against whoever sent it: nobody passes on what he has not checked.
    fn check_cosignature(&mut self, now: Now, city: CityCode, cosign: &Cosign) -> Option<u64> {
        if !self.logs.may_see(city, cosign.log) {
            return None;
        }
        let (log, witness) = (self.logs.get(cosign.log)?, self.logs.get(cosign.witness)?);
        let same_agreement = log.manifest.agreement == witness.manifest.agreement;
        // Nobody can hold more of an own log than was written, nor of another one than its city
        // has signed as far as this node has seen: it is sent again with the next greeting.
        let written = match log.is_own() {
            true => log.durable.size,
            false => log.durable.size.max(self.exchange.announced(cosign.log)),
        };
        let invented = cosign.size > written;
        #[cfg(feature = "planted-bugs")]
        let invented = invented && !crate::planted::guards::is_off("cosignature");
        if !same_agreement || log.manifest.city == witness.manifest.city || invented {
            return None;
        }
        let head = Head { log: cosign.log, size: cosign.size, root: cosign.root };
        let text = std::str::from_utf8(&cosign.line).ok()?;
        let line = SignatureLine::parse(text).ok()?;
        let key = witness.manifest.cosign_key;
        match checkpoint::verify_cosignature(&line, head, cosign.witness, &key) {
            Ok(time_s) => Some(time_s),
            Err(error) => {
                self.links.strike(now, city);
                tracing::warn!(%city, log = %cosign.log, %error, "a cosignature is not genuine");
                None
            }
        }
    }
}
