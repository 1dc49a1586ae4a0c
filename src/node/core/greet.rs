//! Greetings: what two nodes tell each other first, and only of agreements both have signed.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::ids::{AgreementId, CityCode, LogId};
use crate::journal::Disk;
use crate::limits;
use crate::node::core::follow::refuse;
use crate::node::core::io::Output;
use crate::node::core::logs::Log;
use crate::node::core::{Core, Now};
use crate::store::Store;
use crate::sync::frame::PROTOCOL;
use crate::sync::{AgreementState, Frame, Greeting, Hello, LinkId, LogState};
use crate::wire::status::Refused;

/// Frames that follow a greeting; what is left out comes with the next one.
const FRAMES_MAX: usize = 1024;

impl<D: Disk, S: Store> Core<D, S> {
    /// The own greeting for one city: only agreements of which both are members.
    pub(super) fn hello(&mut self, now: Now, city: CityCode) -> Frame {
        let shared: Vec<_> = self.logs.shared_agreements(city).collect();
        let mut agreements = Vec::with_capacity(shared.len());
        let mut members = Vec::new();
        for id in shared.into_iter().take(limits::HELLO_AGREEMENTS_MAX) {
            let Some(agreement) = self.book.get(id) else { continue };
            members.extend(agreement.cities());
            let charter = agreement.charter.hash();
            let (manifests, logs) = self.log_states(id, city);
            agreements.push(AgreementState { agreement: id, charter, manifests, logs });
        }
        members.sort_unstable();
        members.dedup();
        let cards = members.iter().filter_map(|c| self.book.card_note(*c)).cloned();
        Frame::Hello(Hello {
            protocol_min: *PROTOCOL.start(),
            protocol_max: *PROTOCOL.end(),
            instance: self.settings.instance,
            agreements,
            cards: cards.take(limits::HELLO_CARDS_MAX).collect(),
            clock_ms: now.wall_ms,
        })
    }

    /// Manifests and states of the logs of an agreement, those of `city` first: it must hear of
    /// them whatever else is left out.
    fn log_states(&self, agreement: AgreementId, city: CityCode) -> (Vec<Bytes>, Vec<LogState>) {
        let mut logs: Vec<&Log> = self.logs.of_agreement(agreement).collect();
        logs.sort_by_key(|l| (l.manifest.city != city, std::cmp::Reverse(l.manifest.epoch)));
        let state = |log: &Log| LogState {
            log: log.id,
            checkpoint: Some(log.durable_checkpoint.clone()).filter(|c| !c.is_empty()),
            // They follow as frames, so that a greeting stays small.
            cosignatures: Vec::new(),
        };
        let logs = logs.into_iter().take(limits::HELLO_LOGS_MAX);
        logs.map(|l| (l.note.clone(), state(l))).unzip()
    }

    /// What `city` should have besides the greeting, in frames: between the own greeting and this
    /// one something may have come that neither of them names.
    fn after_greeting(&self, city: CityCode, listed: &BTreeSet<Bytes>) -> Vec<Frame> {
        let seen = || self.logs.iter().filter(|l| self.logs.may_see(city, l.id));
        let news = seen().map(|l| &l.note).filter(|note| !listed.contains(*note));
        let manifests = news.cloned().map(Frame::Manifest);
        let forks = seen().filter_map(|l| l.fork.as_ref().map(|proof| proof.encode(l.id)));
        // Over its own logs, and over logs whose author is not linked here, to be passed on.
        let due = |log: &&Log| {
            let author = log.manifest.city;
            !log.is_own() && (author == city || self.exchange.link_to(author).is_none())
        };
        // And what that city itself has signed of logs that ended: it may have lost it with the
        // entries, which it may take back only where a city has cosigned them.
        let by_them = |witness: &LogId| {
            self.logs.get(*witness).is_some_and(|witness| witness.manifest.city == city)
        };
        let told = |log: &&Log, witness: &LogId| due(log) || (!log.is_own() && by_them(witness));
        let cosignatures = seen().flat_map(|l| {
            let told = l.cosigned.iter().filter(move |(witness, _)| told(&l, witness));
            told.map(|(_, held)| held.cosign.clone())
        });
        let forks = forks.map(Frame::Fork);
        forks.chain(manifests).chain(cosignatures.map(Frame::Cosign)).take(FRAMES_MAX).collect()
    }

    /// A greeting came over a link that has not greeted before.
    pub(super) fn hello_came(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        hello: Hello,
    ) -> Vec<Output> {
        if hello.protocol_max < *PROTOCOL.start() || hello.protocol_min > *PROTOCOL.end() {
            let refused = Refused::new("PROTOCOL_TOO_OLD").with("min", PROTOCOL.start());
            return self.end_link(now, link, &refused, "no protocol in common");
        }
        let (greeting, actions) = self.exchange.greeting(now.mono_ms, link, hello);
        let mut outputs = self.perform(actions);
        if let Greeting::Take(hello) = greeting {
            outputs.extend(self.greeted(now, link, city, *hello));
        }
        outputs
    }

    pub(super) fn greeted(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        hello: Hello,
    ) -> Vec<Output> {
        let mut outputs = Vec::new();
        for card in hello.cards {
            outputs.extend(self.peer_note(now, city, card));
        }
        let mut sizes = Vec::new();
        let manifests = hello.agreements.iter().flat_map(|a| a.manifests.iter().cloned());
        let listed: BTreeSet<Bytes> = manifests.collect();
        for state in hello.agreements {
            outputs.extend(self.agreement_greeted(now, link, city, state, &mut sizes));
        }
        self.heard_from(city);
        self.links.greeted(now, link, city, self.exchange.is_ours(link));
        let actions = self.exchange.hello(now.mono_ms, &self.logs, link, &sizes);
        outputs.extend(self.perform(actions));
        // What it serves next is taken on the strength of who has cosigned it.
        outputs.extend(self.cosign_what_is_due(now));
        let more = self.after_greeting(city, &listed);
        outputs.extend(more.into_iter().map(|frame| Output::Send(link, frame)));
        self.asking.soon();
        outputs.extend(self.ask_for_missing(now));
        outputs
    }

    /// What a member says of one agreement; nothing is taken of one that it has not signed.
    fn agreement_greeted(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        state: AgreementState,
        sizes: &mut Vec<(LogId, u64)>,
    ) -> Vec<Output> {
        let known = self.book.get(state.agreement).filter(|a| a.cities().contains(&city));
        let Some(known) = known else { return Vec::new() };
        let current = known.charter.hash();
        if current != state.charter {
            let refused = Refused::new("STALE_CHARTER").with("current", current);
            return vec![refuse(link, &refused, None)];
        }
        let mut outputs = Vec::new();
        for note in state.manifests {
            outputs.extend(self.peer_manifest(now, link, city, note));
        }
        let mut shown = Vec::new();
        for log in state.logs {
            let (size, said) = self.checkpoint_greeted(now, link, city, log.log, log.checkpoint);
            outputs.extend(said);
            shown.push((log.log, size));
            for cosign in log.cosignatures {
                outputs.extend(self.cosigned(Some(link), city, cosign));
            }
        }
        self.member_has_shown(state.agreement, city, &shown);
        sizes.extend(shown);
        outputs
    }

    fn checkpoint_greeted(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        log: LogId,
        checkpoint: Option<Bytes>,
    ) -> (u64, Vec<Output>) {
        let Some(note) = checkpoint.filter(|_| self.logs.may_see(city, log)) else {
            return (0, Vec::new());
        };
        match self.shown_size(now, city, log, &note) {
            Ok(shown) => shown,
            Err(refused) => (0, self.strike(now, link, &refused, Some(log))),
        }
    }
}
