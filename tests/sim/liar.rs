//! One city that lies as far as its keys let it: it writes a second log by hand, signs two
//! histories, and changes what its node says.
//!
//! Everything it signs is genuine. What it makes up goes to one honest city, which passes it on
//! as it passes on anything.

use bytes::Bytes;
use liandong::api::request::Command;
use liandong::domain::{self, CaseMove, CaseState, CaseStep, Date, Event};
use liandong::ids::{ActorId, AgreementId, CityCode, Hash, LogId, Position, SubjectId};
use liandong::log::checkpoint::SignedCheckpoint;
use liandong::log::keys::SigningKey;
use liandong::log::manifest::SignedManifest;
use liandong::log::merkle::{Frontier, leaf_hash};
use liandong::log::{ActorRef, ActorRole, Envelope, Head, PartSlot, Subject, SubjectKind};
use liandong::node::core::Input;
use liandong::sync::{Frame, LinkId, RawBatch, RawEntry};
use liandong::view::{self, CaseView, Effect, ReadRows};
use liandong::wire;

use super::cast::{Cast, Keys};
use super::rng::Rng;
use super::tally::{Fault, State, Tally};
use super::world::World;

/// Moves of a case that are looked through.
const STEPS_SHOWN: usize = 24;

/// One log written by hand.
struct Forged {
    log: LogId,
    pact: usize,
    key: SigningKey,
    frontier: Frontier,
    manifest: Bytes,
    /// What was sent last, for signing something else in its place.
    last: Option<(Frontier, RawBatch)>,
    named: Vec<(LogId, u64)>,
}

pub struct Liar {
    pub city: usize,
    pub rng: Rng,
    forged: Option<Forged>,
    /// An old checkpoint of its own log.
    word: Option<Frame>,
}

impl Liar {
    pub fn new(city: usize, rng: Rng) -> Self {
        Self { city, rng, forged: None, word: None }
    }

    /// What its node says, changed now and then.
    pub fn twist(&mut self, cast: &Cast, frame: Frame, tally: &mut Tally) -> Frame {
        if !self.rng.one_in(40) {
            if let Frame::Announce { log, .. } = &frame
                && self.word.is_none()
                && cast.logs.get(log).is_some_and(|l| l.city == self.city)
            {
                self.word = Some(frame.clone());
            }
            return frame;
        }
        match frame {
            Frame::Batch(mut raw) if self.rng.one_in(2) => {
                let slots = raw.entries.iter_mut().flat_map(|e| e.parts.iter_mut());
                let mut blanked = 0;
                for slot in slots.filter(|slot| matches!(slot, PartSlot::Bytes(_))) {
                    *slot = PartSlot::Withheld;
                    blanked += 1;
                }
                tally.fault(Fault::PartsBlanked, u64::from(blanked > 0));
                Frame::Batch(raw)
            }
            Frame::Batch(mut raw) => {
                raw.checkpoint = flip(&raw.checkpoint, &mut self.rng);
                tally.fault(Fault::ForgedBatch, 1);
                Frame::Batch(raw)
            }
            Frame::Cosign(mut cosign) => {
                cosign.line = flip(&cosign.line, &mut self.rng);
                tally.fault(Fault::ForgedReceipt, 1);
                Frame::Cosign(cosign)
            }
            Frame::Announce { .. } if self.word.is_some() => {
                tally.fault(Fault::StaleWord, 1);
                self.word.clone().unwrap()
            }
            other => other,
        }
    }
}

fn flip(bytes: &Bytes, rng: &mut Rng) -> Bytes {
    let mut bytes = bytes.to_vec();
    let at = rng.below(bytes.len());
    bytes[at] ^= 1 << rng.below(7);
    bytes.into()
}

/// What one made-up entry says.
struct Saying {
    kind: Fault,
    event: CaseMove,
    subject: SubjectId,
    prev: Position,
    after: Vec<Head>,
}

/// A move that took effect, as an honest city shows it.
struct Step {
    at: Position,
    by: CityCode,
    state: Option<CaseState>,
}

/// The moves of a case that took effect, in order of application.
fn steps(rows: &impl ReadRows, agreement: AgreementId, subject: SubjectId) -> Vec<Step> {
    let mut steps = Vec::new();
    view::history(rows, agreement, subject, 0, &mut |entry| {
        if matches!(entry.effect, Effect::Opened | Effect::Move) {
            steps.push(Step { at: entry.position, by: entry.city, state: entry.state });
        }
        steps.len() < STEPS_SHOWN
    });
    steps
}

impl World {
    /// The liar makes something up.
    pub fn lie(&mut self) {
        let Some(mut liar) = self.liar.take() else { return };
        if !self.calm {
            self.make_up(&mut liar);
        }
        self.liar = Some(liar);
    }

    /// A link of the liar's to an honest city of an agreement.
    fn way_out(&self, city: usize, pact: usize) -> Vec<(LinkId, usize)> {
        let honest = |n: usize| {
            n != city && self.nodes[n].is_up() && self.cast.pacts[pact].members.contains(&n)
        };
        let of = |l: &super::net::Link| {
            let side = l.ends.iter().position(|n| self.nodes[*n].city == city)?;
            let other = l.ends[1 - side];
            (l.open == [true, true] && honest(other)).then_some(other)
        };
        self.net.links.iter().filter_map(|(id, l)| Some((*id, of(l)?))).collect()
    }

    fn make_up(&mut self, liar: &mut Liar) {
        let pact = liar
            .forged
            .as_ref()
            .map_or_else(|| liar.rng.pick(&self.cast.pacts_of(liar.city)), |forged| forged.pact);
        let ways = self.way_out(liar.city, pact);
        if ways.is_empty() {
            return;
        }
        let (link, node) = liar.rng.pick(&ways);
        if liar.forged.is_none() {
            liar.forged = Some(self.second_log(liar.city, pact));
        }
        let Some(saying) = self.saying(liar, pact, node) else { return };
        self.tally.fault(saying.kind, 1);
        let forged = liar.forged.as_mut().unwrap();
        let batch = forged.write(&saying, self.nodes[node].now(self.now).wall_ms);
        let manifest = Frame::Manifest(forged.manifest.clone());
        self.trace.note(self.now, "lie", &[node as u64], || {
            format!("to {node}: {:?} of {} from {}", saying.event, saying.subject, saying.prev)
        });
        for frame in [manifest, Frame::Batch(batch)] {
            self.input(node, Input::Frame(link, frame));
            self.input(node, Input::Commit);
        }
        self.move_too(liar, pact, &saying);
        let forks = liar.rng.one_in(3) && ways.len() > 1;
        if forks {
            self.sign_another(liar, &ways, node, &saying);
        }
        if forks || saying.kind == Fault::ImpossibleAfter {
            // That log goes no further anywhere: the next lie needs another one.
            liar.forged = None;
        }
    }

    /// Its own node moves the same case from the same entry, not having seen what was made up.
    fn move_too(&mut self, liar: &mut Liar, pact: usize, saying: &Saying) {
        let (own, agreement) = (self.cast.codes[liar.city], self.cast.pacts[pact].id);
        let Some(reader) = self.nodes[liar.city].reader.clone() else { return };
        let case = view::case(&reader.view(), agreement, saying.subject);
        let Some(case) = case.filter(|c| c.case.turn == Some(own) && c.last_move == saying.prev)
        else {
            return;
        };
        let Some(effective_on) = Date::beijing(self.nodes[liar.city].now(self.now).wall_ms) else {
            return;
        };
        let others = self.others(liar.city, pact);
        let fitting: Vec<CaseMove> = CaseStep::ALL
            .iter()
            .map(|step| CaseMove::Stepped { step: *step, effective_on })
            .chain([
                CaseMove::TransferAccepted { effective_on },
                CaseMove::TransferOffered { to: liar.rng.pick(&others), effective_on },
            ])
            .filter(|mv| domain::next(&case.case, own, &self.members(pact), mv).is_ok())
            .collect();
        if fitting.is_empty() {
            return;
        }
        let (subject, etag, mv) = (saying.subject, saying.prev, liar.rng.pick(&fitting));
        self.tally.fault(Fault::MovedTwice, 1);
        let command = Command::MoveCase { agreement, subject, etag, mv, parts: Vec::new() };
        self.write_now(liar.city, command);
    }

    fn members(&self, pact: usize) -> Vec<CityCode> {
        self.cast.pacts[pact].members.iter().map(|m| self.cast.codes[*m]).collect()
    }

    fn others(&self, city: usize, pact: usize) -> Vec<CityCode> {
        let own = self.cast.codes[city];
        self.members(pact).into_iter().filter(|code| *code != own).collect()
    }

    /// The next epoch, though nothing was restored; or one beside the log that is written, of the
    /// same epoch: the lowest of several moves may then be in either of them.
    fn second_log(&mut self, city: usize, pact: usize) -> Forged {
        let next = (self.seed + self.cast.logs.len() as u64) % 2;
        let epoch = self.cast.newest_epoch(city, pact) + next;
        let manifest = self.cast.manifest(city, pact, epoch, None, true, &Keys::default());
        let log = SignedManifest::peek(&manifest).unwrap().log_id();
        let written = self.cast.logs[&log].clone();
        let key = SigningKey::from_seed(&written.seeds[0]).unwrap();
        self.tally.fault(Fault::SecondLog, 1);
        Forged {
            log,
            pact,
            key,
            frontier: Frontier::new(),
            manifest,
            last: None,
            named: Vec::new(),
        }
    }

    /// Something that does not fit, about a case that an honest city shows.
    fn saying(&mut self, liar: &mut Liar, pact: usize, node: usize) -> Option<Saying> {
        let reader = self.nodes[node].reader.clone()?;
        let agreement = self.cast.pacts[pact].id;
        let mut cases: Vec<(SubjectId, CaseView)> = Vec::new();
        view::cases_newest_first(&reader.view(), agreement, None, &mut |subject, case| {
            cases.push((subject, case));
            cases.len() < 8
        });
        if cases.is_empty() {
            return None;
        }
        let own = self.cast.codes[liar.city];
        let others = self.others(liar.city, pact);
        let rng = &mut liar.rng;
        let again = cases.iter().find_map(|(subject, _)| {
            let steps = steps(&reader.view(), agreement, *subject);
            let moved = steps.iter().rposition(|step| step.by == own).filter(|place| *place > 0)?;
            Some((*subject, steps[moved - 1].at, steps[moved - 1].state))
        });
        let mine: Vec<_> =
            cases.iter().filter(|(_, c)| c.case.turn == Some(own)).cloned().collect();
        let twice = !mine.is_empty() && rng.one_in(2);
        let (subject, case) = if twice { rng.pick(&mine) } else { rng.pick(&cases) };
        let heads = self.nodes[node].core.as_ref()?.applied_heads(agreement);
        let forged = liar.forged.as_mut()?;
        let mut after: Vec<Head> =
            heads.into_iter().filter(|h| h.log != forged.log && h.size > 0).collect();
        after.retain(|h| !forged.named.contains(&(h.log, h.size)));
        let effective_on = Date::beijing(self.nodes[node].now(self.now).wall_ms)?;
        let older: Vec<Position> = steps(&reader.view(), agreement, subject)
            .into_iter()
            .map(|step| step.at)
            .filter(|at| *at != case.last_move)
            .collect();
        let offer = CaseMove::TransferOffered { to: rng.pick(&others), effective_on };
        let accept = CaseMove::TransferAccepted { effective_on };
        let (mut subject, mut prev) = (subject, case.last_move);
        let (kind, event) = match rng.below(9) {
            6 | 7 if let Some((moved, from, state)) = again => {
                (subject, prev) = (moved, from);
                let taken = state == Some(CaseState::TransferredOut);
                (Fault::MovedTwice, if taken { accept } else { offer })
            }
            0 | 2 if twice && !older.is_empty() => {
                prev = rng.pick(&older);
                (Fault::WrongPrev, offer)
            }
            0 | 1 if twice => (Fault::OfferedTwice, offer),
            0 | 2 => {
                prev = cases.iter().map(|(_, c)| c.last_move).find(|p| *p != prev)?;
                (Fault::WrongPrev, offer)
            }
            3 if rng.one_in(2) => {
                after.first_mut()?.size += 1_000;
                (Fault::ImpossibleAfter, offer)
            }
            4 => {
                after.first_mut()?.root = Hash::new([7; 32]);
                (Fault::FalseRoot, offer)
            }
            _ if case.case.turn != Some(own) => (Fault::Uninvited, accept),
            _ => (Fault::OfferedTwice, offer),
        };
        forged.named.extend(after.iter().map(|h| (h.log, h.size)));
        Some(Saying { kind, event, subject, prev, after })
    }

    /// Another history of what was just sent, for another city.
    fn sign_another(
        &mut self,
        liar: &mut Liar,
        ways: &[(LinkId, usize)],
        not: usize,
        saying: &Saying,
    ) {
        let Some((link, node)) = ways.iter().copied().find(|(_, n)| *n != not) else { return };
        let forged = liar.forged.as_mut().unwrap();
        let Some((before, _)) = forged.last.clone() else { return };
        let after = std::mem::replace(&mut forged.frontier, before);
        let other = forged.write(saying, 1_795_140_000_000);
        forged.frontier = after;
        self.tally.fault(Fault::Forked, 1);
        let manifest = Frame::Manifest(forged.manifest.clone());
        for frame in [manifest, Frame::Batch(other)] {
            self.input(node, Input::Frame(link, frame));
            self.input(node, Input::Commit);
        }
        self.tally.reached(State::Refusal);
    }
}

impl Forged {
    /// The next entry of the log, and the signature under it.
    fn write(&mut self, saying: &Saying, record_time_ms: i64) -> RawBatch {
        let before = self.frontier.clone();
        let mut after = saying.after.clone();
        after.sort_unstable_by_key(|h| h.log);
        let envelope = Envelope {
            log: self.log,
            index: self.frontier.size(),
            record_time_ms,
            clock_suspect: false,
            after,
            actor: Some(ActorRef { role: ActorRole::Coordinator, id: ActorId::new([9; 16]) }),
            acting_for: None,
            request: None,
            subject: Subject { kind: SubjectKind::Case, id: Some(saying.subject) },
            prev: Some(saying.prev),
            parts: Vec::new(),
        };
        let event = Event::CaseMove(saying.event.clone());
        let header = wire::entry::encode_header(&envelope, &event);
        self.frontier.push(leaf_hash(&header));
        let (log, size, root) = (self.log, self.frontier.size(), self.frontier.root());
        let checkpoint = SignedCheckpoint::sign(Head { log, size, root }, &self.key);
        let entries = vec![RawEntry { header, parts: Vec::new() }];
        let checkpoint = checkpoint.note().clone();
        let batch = RawBatch { log, from: before.size(), entries, checkpoint };
        self.last = Some((before, batch.clone()));
        batch
    }
}
