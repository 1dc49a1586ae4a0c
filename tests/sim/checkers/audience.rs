//! P5: no byte of an agreement reaches a city outside it, and no narrow part a city that may not
//! hold it. Looked at on every frame, and on the disks.
//!
//! Who may hold a part is worked out here from what people asked for and what their cities
//! wrote, not from the views.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use liandong::domain::{CaseContribution, CaseMove, Event};
use liandong::ids::{CityCode, LogId, Position, SubjectId};
use liandong::journal::{Journal, JournalOptions};
use liandong::log::manifest::SignedManifest;
use liandong::log::{Audience, Envelope, PartSlot, subject_id};
use liandong::sync::{Frame, RawBatch};
use liandong::view::{self, ReadRows};
use liandong::wire;

use super::Checks;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// An entry that carries a text that can be found again.
#[derive(PartialEq, Eq)]
struct Mark {
    at: Position,
    part: usize,
}

#[derive(Default)]
pub struct Watch {
    /// Of each text: one that was lost with its entry is written again when its caller repeats.
    marks: BTreeMap<u64, Vec<Mark>>,
    /// Cities that have taken a case over.
    handled: BTreeSet<(SubjectId, CityCode)>,
    granted: BTreeSet<(Position, usize, CityCode)>,
    /// Of which log each manifest is that was ever sent: greetings are full of them.
    manifests: BTreeMap<Bytes, Option<LogId>>,
}

impl Watch {
    fn of_manifest(&mut self, note: &Bytes) -> Option<LogId> {
        let peeked = || SignedManifest::peek(note).ok().map(|manifest| manifest.log_id());
        *self.manifests.entry(note.clone()).or_insert_with(peeked)
    }

    /// A part as its author wrote it.
    pub fn learn(&mut self, at: Position, part: usize, envelope: &Envelope, bytes: &[u8]) {
        each_mark(bytes, &mut |mark| {
            let places = self.marks.entry(mark).or_default();
            if !places.contains(&Mark { at, part }) {
                places.push(Mark { at, part });
            }
        });
        let _ = envelope;
    }

    /// Where a text was written.
    pub fn places(&self, mark: u64) -> impl Iterator<Item = (Position, usize)> + '_ {
        self.marks.get(&mark).into_iter().flatten().map(|m| (m.at, m.part))
    }

    pub fn took_over(&mut self, subject: SubjectId, city: CityCode) {
        self.handled.insert((subject, city));
    }

    pub fn granted(&mut self, at: Position, part: usize, to: CityCode) {
        self.granted.insert((at, part, to));
    }
}

/// Numbers between two tildes.
pub(super) fn each_mark(bytes: &[u8], f: &mut dyn FnMut(u64)) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| *b == b'~') {
        rest = &rest[at + 1..];
        let Some(digits) = rest.get(..8).filter(|_| rest.get(8) == Some(&b'~')) else { continue };
        if let Some(mark) = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()) {
            f(mark);
        }
    }
}

impl Checks {
    /// Whether a city may hold a part of an entry.
    fn may_hold(&self, cast: &Cast, envelope: &Envelope, part: usize, city: usize) -> bool {
        let Some(written) = cast.logs.get(&envelope.log) else { return false };
        if !cast.pacts[written.pact].members.contains(&city) {
            return false;
        }
        let (at, code) = (envelope.position(), cast.codes[city]);
        let Some(part_ref) = envelope.parts.get(part) else { return false };
        if written.city == city || self.audience.granted.contains(&(at, part, code)) {
            return true;
        }
        match &part_ref.audience {
            Audience::AllMembers => true,
            Audience::Cities(cities) => cities.contains(&code),
            Audience::HandlingCity => {
                let subject = envelope.subject.id.unwrap_or_else(|| subject_id(at));
                self.turns.opened_by(subject) == Some(city)
                    || self.audience.handled.contains(&(subject, code))
            }
        }
    }

    /// What an entry of an honest city lets others hold.
    pub(super) fn learn_audience(
        &mut self,
        cast: &Cast,
        city: usize,
        envelope: &Envelope,
        event: &Event,
    ) {
        let code = cast.codes[city];
        match (event, envelope.subject.id) {
            (Event::CaseMove(mv), Some(subject)) if mv.hands_over() => {
                self.audience.took_over(subject, code);
            }
            (Event::Contribution(CaseContribution::PartGranted { entry, part, to }), _) => {
                self.audience.granted(*entry, *part as usize, *to);
            }
            _ => {}
        }
    }

    /// What an applied entry of a city that may lie lets others hold: what the views say of it, but
    /// of what was made up only that it takes what an honest city has offered to it.
    pub(super) fn learn_from_feed(
        &mut self,
        cast: &Cast,
        rows: &impl ReadRows,
        envelope: &Envelope,
        event: &Event,
    ) {
        let Some(written) = cast.logs.get(&envelope.log) else { return };
        match (event, envelope.subject.id) {
            (Event::CaseOpened { .. }, None) => {
                self.turns.opened(subject_id(envelope.position()), written.city);
            }
            (Event::CaseMove(mv), Some(subject))
                if mv.hands_over()
                    && (!written.forged || self.was_offered(cast, envelope, written.city)) =>
            {
                let case = view::case(rows, cast.pacts[written.pact].id, subject);
                if case.is_some_and(|c| c.case.handled_by.contains(&cast.codes[written.city])) {
                    self.audience.took_over(subject, cast.codes[written.city]);
                }
            }
            (Event::Contribution(CaseContribution::PartGranted { entry, part, to }), _)
                if cast.logs.get(&entry.log).is_some_and(|l| l.city == written.city) =>
            {
                self.audience.granted(*entry, *part as usize, *to);
            }
            _ => {}
        }
    }

    /// Whether a move goes on from an honest city's offer to this one.
    fn was_offered(&self, cast: &Cast, mv: &Envelope, to: usize) -> bool {
        let offer = mv.prev.and_then(|prev| self.truth_of(cast, prev));
        offer.is_some_and(|offer| {
            let to = cast.codes[to];
            let offers =
                |mv: &CaseMove| matches!(mv, CaseMove::TransferOffered { to: t, .. } if *t == to);
            offer.envelope.subject.id == mv.subject.id
                && matches!(&offer.event, Event::CaseMove(mv) if offers(mv))
        })
    }

    /// A frame on its way to a city.
    pub(super) fn check_audience(
        &mut self,
        cast: &Cast,
        from: usize,
        to: usize,
        frame: &Frame,
        tally: &mut Tally,
    ) {
        let named: Vec<LogId> = match frame {
            Frame::Hello(hello) => {
                for state in &hello.agreements {
                    let pact = cast.pact_of(state.agreement).map(|k| &cast.pacts[k]);
                    if pact.is_none_or(|p| !p.members.contains(&to)) {
                        let what = format!("{from} greets {to} with {}", state.agreement);
                        return self.fail(format!("P5 {what}"));
                    }
                }
                let manifests = hello.agreements.iter().flat_map(|a| a.manifests.iter());
                let peeked: Vec<LogId> =
                    manifests.filter_map(|note| self.audience.of_manifest(note)).collect();
                let listed = hello.agreements.iter().flat_map(|a| a.logs.iter().map(|l| l.log));
                peeked.into_iter().chain(listed).collect()
            }
            Frame::Manifest(note) => self.audience.of_manifest(note).into_iter().collect(),
            Frame::Announce { log, .. }
            | Frame::Subscribe { log, .. }
            | Frame::Unsubscribe { log }
            | Frame::Credit { log, .. } => vec![*log],
            Frame::Batch(raw) => {
                self.check_batch(cast, from, to, raw, tally);
                vec![raw.log]
            }
            Frame::Cosign(cosign) => {
                if let Some(by) = cast.logs.get(&cosign.witness).map(|l| l.city)
                    && cast.logs.get(&cosign.log).is_some_and(|l| l.city == to)
                {
                    self.receipt(cast, cosign.log, cosign.size, by, tally);
                }
                vec![cosign.log, cosign.witness]
            }
            Frame::FetchParts { entry, .. } => vec![entry.log],
            Frame::LateParts { entry, parts } => {
                let parts = parts.iter().map(|(part, _)| *part as usize);
                self.check_late(cast, to, *entry, parts.collect());
                vec![entry.log]
            }
            Frame::Refuse { log, .. } => log.iter().copied().collect(),
            Frame::Ping { .. } | Frame::Charter(_) | Frame::Card(_) | Frame::Fork(_) => return,
        };
        for log in named {
            if !cast.may_see(to, log) {
                let kind = crate::sim::net::said(frame);
                return self.fail(format!("P5 {from} tells {to} of log {log}: {kind}"));
            }
        }
    }

    fn check_batch(
        &mut self,
        cast: &Cast,
        from: usize,
        to: usize,
        raw: &RawBatch,
        tally: &mut Tally,
    ) {
        if cast.logs.get(&raw.log).is_some_and(|l| l.city != from) {
            tally.reached(State::Relayed);
        }
        for (index, entry) in (raw.from..).zip(&raw.entries) {
            let at = Position { log: raw.log, index };
            let parsed = self.truth_of(cast, at).map(|t| t.envelope.clone());
            let parsed = parsed
                .or_else(|| wire::entry::parse_header(&entry.header).ok().map(|p| p.envelope));
            let Some(envelope) = parsed else { continue };
            for (part, slot) in entry.parts.iter().enumerate() {
                let for_all =
                    envelope.parts.get(part).is_some_and(|p| p.audience == Audience::AllMembers);
                match slot {
                    PartSlot::Bytes(bytes) => {
                        if !self.may_hold(cast, &envelope, part, to) {
                            return self.fail(format!("P5 {from} sends {to} part {part} of {at}"));
                        }
                        self.check_marks(cast, to, bytes, "a link");
                    }
                    PartSlot::Withheld if for_all => {
                        let what = "leaves out a part that is for all";
                        return self.fail(format!("P2 {from} sends {to} {at} and {what}"));
                    }
                    PartSlot::Withheld | PartSlot::ErasedBy(_) => {}
                }
            }
        }
    }

    fn check_late(&mut self, cast: &Cast, to: usize, at: Position, parts: Vec<usize>) {
        let Some(envelope) = self.truth_of(cast, at).map(|t| t.envelope.clone()) else { return };
        for part in parts {
            if !self.may_hold(cast, &envelope, part, to) {
                return self.fail(format!("P5 {to} is sent part {part} of {at} later"));
            }
        }
    }

    fn check_marks(&mut self, cast: &Cast, city: usize, bytes: &[u8], place: &str) {
        let mut found = Vec::new();
        each_mark(bytes, &mut |mark| found.push(mark));
        for mark in found {
            let places: Vec<(Position, usize)> = self.audience.places(mark).collect();
            let mut of_others = None;
            for (at, part) in places {
                let Some(envelope) = self.truth_of(cast, at).map(|t| t.envelope.clone()) else {
                    continue;
                };
                if self.may_hold(cast, &envelope, part, city) {
                    of_others = None;
                    break;
                }
                of_others = Some(at);
            }
            if let Some(at) = of_others {
                let what = format!("text {mark} of {at} on {place} of {city}");
                return self.fail(format!("P5 {what}, which may not hold it"));
            }
        }
    }

    /// Everything on the disk of a process. Where it has rotted only whole records: a flipped bit
    /// makes one number into another.
    pub fn search_disk(&mut self, cast: &Cast, at: usize, node: &Node) {
        let mut files = Vec::new();
        if self.has_rotted(at) {
            let opened = Journal::open(node.disk.copy(), JournalOptions::default());
            let Ok((journal, _)) = opened else { return };
            let whole = journal.reader().scan(0, &mut |_, _, payload| {
                files.push(payload.to_vec());
                true
            });
            whole.unwrap();
        } else {
            node.disk.each(&mut |_, bytes| files.push(bytes.to_vec()));
        }
        for bytes in files {
            self.check_marks(cast, node.city, &bytes, "the disk");
        }
    }
}
