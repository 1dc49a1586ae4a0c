//! Greetings: what two nodes tell each other first, and only of agreements both have signed.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::ids::{AgreementId, CityCode, LogId};
use crate::journal::Disk;
use crate::limits;
use crate::node::core::contradictions::contradicting;
use crate::node::core::follow::refuse;
use crate::node::core::io::Output;
use crate::node::core::logs::Log;
use crate::node::core::{Core, Now};
use crate::store::Store;
use crate::sync::frame::PROTOCOL;
use crate::sync::{AgreementState, Frame, Greeting, Hello, LinkId, LogState};
use crate::wire::status::Refused;

/// Frames that follow a greeting; what is left out comes with the next one.
const FRAMES_MAX: usize = 2048;
/// Bytes that an id, a hash or a note takes beside its own, at the most.
const FRAMING_BYTES: usize = 64;

/// What still fits into a greeting.
struct Room(usize);

impl Room {
    /// Takes room for one thing more, if there is any.
    fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes + FRAMING_BYTES);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

fn state(log: LogId, checkpoint: Bytes) -> LogState {
    LogState {
        log,
        checkpoint: Some(checkpoint).filter(|c| !c.is_empty()),
        // They follow as frames, so that a greeting stays small.
        cosignatures: Vec::new(),
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// The own greeting for one city: only agreements of which both are members, and no more bytes
    /// than a message has room for. (`a_greeting_fits_and_the_rest_follows`)
    pub(super) fn hello(&mut self, now: Now, city: CityCode) -> Frame {
        let shared: Vec<_> = self.logs.shared_agreements(city).collect();
        let mut room = Room(limits::HELLO_BYTES_MAX);
        let mut agreements = Vec::with_capacity(shared.len());
        let mut members = Vec::new();
        for id in shared.into_iter().take(limits::HELLO_AGREEMENTS_MAX) {
            let Some(agreement) = self.book.get(id) else { continue };
            // What is not named of its own logs is not here: all of them, or not the agreement.
            let Some(logs) = self.states_of(id, city, &mut room) else { continue };
            members.extend(agreement.cities());
            let charter = agreement.hash;
            agreements.push(AgreementState { agreement: id, charter, manifests: vec![], logs });
        }
        for state in &mut agreements {
            self.add_logs(state, city, &mut room);
        }
        members.sort_unstable();
        members.dedup();
        let cards = members.iter().filter_map(|c| self.book.card_note(*c));
        let cards = cards.take(limits::HELLO_CARDS_MAX).filter(|card| room.take(card.len()));
        Frame::Hello(Hello {
            protocol_min: *PROTOCOL.start(),
            protocol_max: *PROTOCOL.end(),
            instance: self.settings.instance,
            cards: cards.cloned().collect(),
            agreements,
            clock_ms: now.wall_ms,
        })
    }

    /// States of the logs that `city` itself writes, if all of them fit.
    fn states_of(&self, id: AgreementId, city: CityCode, room: &mut Room) -> Option<Vec<LogState>> {
        let of_city = self.logs.of_agreement(id).filter(|l| l.manifest.city == city);
        let shown = |log: &Log| state(log.id, self.newest_checkpoint(log));
        let states: Vec<LogState> = of_city.map(shown).collect();
        let bytes = |s: &LogState| FRAMING_BYTES + s.checkpoint.as_ref().map_or(0, Bytes::len);
        room.take(states.iter().map(bytes).sum()).then_some(states)
    }

    /// Manifests and states of the logs of an agreement as far as they fit, those of `city` and
    /// new ones first. Manifests that do not fit follow as frames, states are announced.
    fn add_logs(&self, to: &mut AgreementState, city: CityCode, room: &mut Room) {
        let mut logs: Vec<&Log> = self.logs.of_agreement(to.agreement).collect();
        logs.sort_by_key(|l| (l.manifest.city != city, std::cmp::Reverse(l.manifest.epoch)));
        for log in logs.into_iter().take(limits::HELLO_LOGS_MAX) {
            if room.take(log.note.len()) {
                to.manifests.push(log.note.clone());
            }
            if log.manifest.city != city && room.take(log.durable_checkpoint.len()) {
                to.logs.push(state(log.id, log.durable_checkpoint.clone()));
            }
        }
    }

    /// What `city` should have besides the greeting, in frames: between the own greeting and this
    /// one something may have come that neither of them names.
    fn after_greeting(&self, city: CityCode, listed: &BTreeSet<Bytes>) -> Vec<Frame> {
        let seen = || self.logs.iter().filter(|l| self.logs.may_see(city, l.id));
        let news = seen().map(|l| &l.note).filter(|note| !listed.contains(*note));
        let manifests = news.cloned().map(Frame::Manifest);
        let forks = seen().filter_map(|l| l.fork.as_ref().map(|proof| proof.encode(l.id)));
        let cards = self.cards_for(city, listed);
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
        let cosignatures = cosignatures.chain(seen().flat_map(contradicting));
        let forks = forks.map(Frame::Fork);
        let notes = forks.chain(manifests).chain(cards.into_iter().map(Frame::Card));
        notes.chain(cosignatures.map(Frame::Cosign)).take(FRAMES_MAX).collect()
    }

    /// Cards of members of shared agreements that the other side has not shown.
    fn cards_for(&self, city: CityCode, listed: &BTreeSet<Bytes>) -> Vec<Bytes> {
        let shared = self.logs.shared_agreements(city);
        let members: BTreeSet<CityCode> =
            shared.flat_map(|id| self.logs.members(id).iter().copied()).collect();
        let cards = members.into_iter().filter_map(|c| self.book.card_note(c));
        cards.filter(|card| !listed.contains(*card)).cloned().collect()
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
        self.clocks.said(now, city, hello.clock_ms);
        let manifests = hello.agreements.iter().flat_map(|a| a.manifests.iter().cloned());
        let listed: BTreeSet<Bytes> = manifests.chain(hello.cards.iter().cloned()).collect();
        for card in hello.cards {
            outputs.extend(self.peer_note(now, city, card));
        }
        let mut sizes = Vec::new();
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
        let current = known.hash;
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
                outputs.extend(self.cosigned(now, Some(link), city, cosign));
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
