//! People and systems at work: they open, move, hand on and dispute cases, add to them, ask twice
//! at once, and ask again with the same id when no answer came, because it may be done already.

use std::collections::BTreeMap;

use liandong::api::request::{Caller, Command, NewPart, PartContent, Request, WriteError, Written};
use liandong::domain::{CaseContribution, CaseMove, Date, PersonRecord};
use liandong::ids::{AgreementId, CityCode, SubjectId};
use liandong::log::{ActorRole, Audience};
use liandong::node::core::Input;
use liandong::view::{self, CaseView};

use super::cast::Cast;
use super::erasures;
use super::evidence;
use super::meetings;
use super::moves;
use super::node::SimReader;
use super::notices;
use super::plans;
use super::referrals;
use super::rng::Rng;
use super::sites;
use super::tally::{Fault, State};
use super::units;
use super::world::{Event, World};

/// A caller gives up waiting after this time, milliseconds.
const PATIENCE_MS: u64 = 9_000;
const TRIES_MAX: u32 = 6;
const CLIENTS_PER_CITY: usize = 2;
/// Cases a person looks at.
const CASES_SHOWN: usize = 8;

/// One who writes.
pub struct Client {
    city: usize,
    caller: Caller,
    rng: Rng,
    call: Option<Call>,
    made: u64,
    /// An answered request, for asking again later.
    last: Option<Request>,
}

#[derive(Clone)]
struct Call {
    request: Request,
    sent: u64,
    tries: u32,
}

/// A call under way.
struct Open {
    client: usize,
    request: Request,
    node: usize,
    life: u64,
    sent: u64,
    changed: bool,
}

pub struct Workload {
    pub clients: Vec<Client>,
    open: BTreeMap<u64, Open>,
    next_ticket: u64,
    marks: u64,
}

impl Workload {
    pub fn new(cast: &Cast, rng: &mut Rng) -> Self {
        let mut clients = Vec::new();
        for city in 0..cast.codes.len() {
            for n in 0..CLIENTS_PER_CITY {
                let caller = Caller {
                    identity: format!("coordinator/{n}"),
                    role: ActorRole::Coordinator,
                    certificate_number: format!("3715009900{n}"),
                };
                let rng = rng.fork();
                clients.push(Client { city, caller, rng, call: None, made: 0, last: None });
            }
        }
        Self { clients, open: BTreeMap::new(), next_ticket: 1, marks: 0 }
    }

    /// Text that can be found again on disks and links.
    pub fn marked(&mut self, text: &str) -> String {
        self.marks += 1;
        format!("{text} ~{:08}~", self.marks)
    }

    /// Those who write at a city.
    pub fn clients_of(&self, city: usize) -> Vec<usize> {
        (0..self.clients.len()).filter(|c| self.clients[*c].city == city).collect()
    }

    /// The process died: its callers hear nothing.
    pub fn lost(&mut self, node: usize) -> u64 {
        let before = self.open.len();
        self.open.retain(|_, o| o.node != node);
        (before - self.open.len()) as u64
    }

    /// Those who write at a city ask for nothing again that they have asked for.
    pub fn give_up(&mut self, city: usize) {
        for client in self.clients.iter_mut().filter(|client| client.city == city) {
            (client.call, client.last) = (None, None);
        }
    }

    /// A call that a living process has not answered for this long.
    pub fn unanswered(&self, now: u64, over_ms: u64) -> Option<(u64, usize, u64)> {
        let late = self.open.iter().find(|(_, o)| now.saturating_sub(o.sent) > over_ms);
        late.map(|(ticket, o)| (*ticket, o.node, o.life))
    }

    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }
}

impl World {
    /// A client looks whether it has been answered.
    pub fn patience(&mut self, client: usize) {
        let call = self.work.clients[client].call.clone();
        if let Some(call) = call.filter(|call| self.now >= call.sent + PATIENCE_MS) {
            self.try_again(client, call);
        }
    }

    /// A client has a moment.
    pub fn client(&mut self, client: usize) {
        if self.calm || self.work.clients[client].call.is_some() {
            return;
        }
        let Some(request) = self.next_request(client) else { return };
        let at_once = self.work.clients[client].rng.one_in(12);
        self.work.clients[client].call =
            Some(Call { request: request.clone(), sent: self.now, tries: 1 });
        self.ask(client, request.clone(), false);
        if at_once {
            self.tally.fault(Fault::AtOnce, 1);
            self.ask(client, request, false);
        }
    }

    /// Somebody at a city writes this now, and asks again as anybody does.
    pub fn write_now(&mut self, city: usize, command: Command) {
        let free = |c: &usize| self.work.clients[*c].call.is_none();
        let Some(client) = self.work.clients_of(city).into_iter().find(free) else { return };
        let request = self.request(client, command);
        let call = Call { request: request.clone(), sent: self.now, tries: 1 };
        self.work.clients[client].call = Some(call);
        self.ask(client, request, false);
    }

    fn try_again(&mut self, client: usize, mut call: Call) {
        if call.tries >= TRIES_MAX {
            self.work.clients[client].call = None;
            return;
        }
        self.tally.fault(Fault::TimedOut, 1);
        call.tries += 1;
        call.sent = self.now;
        let request = call.request.clone();
        self.work.clients[client].call = Some(call);
        self.ask(client, request, false);
    }

    /// Sends a request to a process of the client's city.
    fn ask(&mut self, client: usize, request: Request, changed: bool) {
        let city = self.work.clients[client].city;
        self.at(self.now + PATIENCE_MS, Event::Patience(client));
        let up: Vec<usize> = (0..self.nodes.len())
            .filter(|n| self.nodes[*n].city == city && self.nodes[*n].is_up())
            .collect();
        if up.is_empty() {
            return;
        }
        let node = self.work.clients[client].rng.pick(&up);
        let ticket = self.work.next_ticket;
        self.work.next_ticket += 1;
        self.trace.note(self.now, "ask", &[node as u64, ticket], || {
            format!("{node}: {ticket} {} {}", request.request_id, moves::said(&request.command))
        });
        let (life, sent) = (self.nodes[node].life, self.now);
        let open = Open { client, request: request.clone(), node, life, sent, changed };
        self.work.open.insert(ticket, open);
        self.heat(node);
        self.input(node, Input::Write(ticket, Box::new(request)));
    }

    /// A process has answered a call.
    pub fn answer(&mut self, node: usize, ticket: u64, result: Result<Written, WriteError>) {
        let Some(open) = self.work.open.remove(&ticket) else {
            return self.checks.fail(format!("{node} answered call {ticket} that nobody made"));
        };
        if self.now > open.sent + 2_000 && result.is_ok() {
            self.tally.reached(State::Gated);
        }
        match &result {
            Ok(written) if written.replayed => self.tally.reached(State::Replayed),
            Ok(_) => {
                self.tally.acked += 1;
                self.note_success(&open.request.command);
            }
            Err(error) => {
                self.tally.refused += 1;
                self.note_refusal(node, error);
            }
        }
        let n = &self.nodes[node];
        self.checks.answered(&self.cast, node, n, &open.request, &result);
        if let Ok(written) = result.as_ref()
            && !written.replayed
        {
            self.checks.session_wrote(node, open.client, written.position);
        }
        let client = &mut self.work.clients[open.client];
        if !open.changed && client.call.as_ref().is_some_and(|c| c.request == open.request) {
            client.call = None;
            if result.is_ok() {
                client.last = Some(open.request);
            }
        }
    }

    fn note_success(&mut self, command: &Command) {
        let state = match command {
            Command::MoveCase { mv: CaseMove::TransferReturned { .. }, .. } => State::Returned,
            Command::MoveCase { mv: CaseMove::ProposalAdopted { .. }, .. } => State::Proposed,
            Command::Contribute { contribution: CaseContribution::PartGranted { .. }, .. } => {
                State::Granted
            }
            Command::ErasePart { .. } => State::Erased,
            _ => return,
        };
        self.tally.reached(state);
    }

    fn note_refusal(&mut self, node: usize, error: &WriteError) {
        let state = match error {
            WriteError::StaleEtag { .. } => State::StaleEtag,
            WriteError::IdempotencyMismatch { .. } => State::Mismatch,
            WriteError::DiskLow { .. } => State::DiskLow,
            WriteError::StorageFailed { .. } => {
                self.care(node);
                State::StorageFailed
            }
            WriteError::EpochNeeded => {
                self.care(node);
                State::EpochNeeded
            }
            WriteError::Recovering { .. } => State::Recovering,
            WriteError::Suspended { .. } => State::Leans,
            WriteError::Refused(_)
            | WriteError::NotFound
            | WriteError::NoLog
            | WriteError::OutsideTerm
            | WriteError::ExternalRefTaken { .. }
            | WriteError::DraftGone
            | WriteError::DraftChanged { .. }
            | WriteError::OutsideBelt { .. }
            | WriteError::NeedsNewerVersion
            | WriteError::NotErasable { .. }
            | WriteError::NoticeArriving
            | WriteError::Busy
            | WriteError::TooLarge { .. }
            | WriteError::Invalid(_)
            | WriteError::BadField { .. } => return,
        };
        self.tally.reached(state);
    }

    /// Something to write, or something to ask again.
    fn next_request(&mut self, client: usize) -> Option<Request> {
        let c = &mut self.work.clients[client];
        if c.rng.one_in(14)
            && let Some(mut request) = c.last.clone()
        {
            if c.rng.one_in(2) {
                // The same id for something else.
                request.body.push(1);
                self.tally.fault(Fault::Changed, 1);
                self.ask(client, request, true);
                return None;
            }
            return Some(request);
        }
        let city = c.city;
        let node = (0..self.nodes.len())
            .find(|n| self.nodes[*n].city == city && self.nodes[*n].reader.is_some())?;
        let reader = self.nodes[node].reader.clone()?;
        let today = Date::beijing(self.nodes[node].now(self.now).wall_ms)?;
        let command = self.next_command(client, node, &reader, today)?;
        Some(self.request(client, command))
    }

    fn request(&mut self, client: usize, command: Command) -> Request {
        let c = &mut self.work.clients[client];
        c.made += 1;
        let request_id = format!("{client}-{}", c.made);
        let body = format!("{command:?}").into_bytes();
        Request {
            caller: c.caller.clone(),
            acting_for: None,
            request_id,
            body,
            validate_only: false,
            command,
        }
    }

    fn next_command(
        &mut self,
        client: usize,
        node: usize,
        reader: &SimReader,
        today: Date,
    ) -> Option<Command> {
        let city = self.nodes[node].city;
        let mine = self.cast.pacts_of(city);
        let mut rng = self.work.clients[client].rng.fork();
        let pact = rng.pick(&mine);
        let agreement = self.cast.pacts[pact].id;
        let members: Vec<_> =
            self.cast.pacts[pact].members.iter().map(|m| self.cast.codes[*m]).collect();
        let cases = newest_cases(reader, agreement);
        let n = &self.nodes[node];
        self.checks.session_reads(node, n, client, agreement, &cases, &mut self.tally);
        if rng.one_in(4) {
            return Some(self.about_notices(
                reader,
                (agreement, today),
                (city, &members),
                &mut rng,
            ));
        }
        if cases.len() < 2 || rng.one_in(5) {
            return Some(self.open_case(agreement, today, &mut rng));
        }
        let code = self.cast.codes[city];
        let mine: Vec<_> =
            cases.iter().filter(|(_, v)| v.case.turn == Some(code)).cloned().collect();
        let (subject, case) =
            if mine.is_empty() || rng.one_in(4) { rng.pick(&cases) } else { rng.pick(&mine) };
        if rng.one_in(16)
            && let Some(command) = erasures::next(reader, (agreement, subject), code, &mut rng)
        {
            return Some(command);
        }
        if rng.one_in(6) {
            let text = self.work.marked("evidence");
            let rows = reader.view();
            let shown: Vec<SubjectId> = cases.iter().map(|(subject, _)| *subject).collect();
            let (subject, contribution, parts) = evidence::next(
                &rows,
                (agreement, &shown),
                (code, &members),
                (&text, today),
                &mut rng,
            );
            drop(rows);
            return Some(Command::Contribute { agreement, subject, contribution, parts });
        }
        // Of what it has offered a city speaks more than of anything else: see referrals::next.
        let offers = |v: &CaseView| v.case.transfer.is_some_and(|t| t.from == code);
        let has_offered = cases.iter().any(|(_, view)| offers(view));
        if rng.one_in(if has_offered { 2 } else { 8 }) {
            let text = self.work.marked("police");
            let said = (&text[..], today);
            let rows = reader.view();
            let (subject, contribution, parts) =
                referrals::next(&rows, (agreement, &cases), code, said, &mut rng);
            drop(rows);
            return Some(Command::Contribute { agreement, subject, contribution, parts });
        }
        if rng.one_in(4) {
            let rows = reader.view();
            let choice = moves::contribution(
                &rows,
                agreement,
                (subject, &case),
                code,
                &members,
                today,
                &mut rng,
            );
            drop(rows);
            let (contribution, audiences) = choice;
            let parts = self.texts(audiences, "note");
            return Some(Command::Contribute { agreement, subject, contribution, parts });
        }
        let rows = reader.view();
        let mv =
            moves::next_move(&rows, agreement, (subject, &case), code, &members, today, &mut rng);
        drop(rows);
        let parts = match &mv {
            CaseMove::TransferOffered { .. } if rng.one_in(2) => {
                self.texts(vec![Audience::HandlingCity], "reason")
            }
            CaseMove::TransferReturned { .. } => self.texts(vec![Audience::AllMembers], "reason"),
            _ => Vec::new(),
        };
        Some(Command::MoveCase { agreement, subject, etag: case.last_move, mv, parts })
    }

    /// About a notice, a meeting, a site, a unit or a plan.
    fn about_notices(
        &mut self,
        reader: &SimReader,
        (agreement, today): (AgreementId, Date),
        (city, members): (usize, &[CityCode]),
        rng: &mut Rng,
    ) -> Command {
        if rng.one_in(2) {
            let (code, text) = (self.cast.codes[city], self.work.marked("plan"));
            let rows = reader.view();
            let newest = plans::newest(&rows, agreement);
            let around = plans::Around {
                code,
                members,
                reported: plans::reported(&rows, agreement, code, &newest),
                plans: newest,
                units: units::some(&rows, agreement),
                sites: sites::newest(&rows, agreement),
                text,
                today,
            };
            drop(rows);
            return plans::next(agreement, &around, rng);
        }
        if rng.one_in(3) {
            let all = units::some(&reader.view(), agreement);
            let (code, text) = (self.cast.codes[city], self.work.marked("unit"));
            return units::next(agreement, (code, &all), (&text, today), rng);
        }
        if rng.one_in(2) {
            let all = sites::newest(&reader.view(), agreement);
            let (code, text) = (self.cast.codes[city], self.work.marked("site"));
            return sites::next(agreement, (code, members, &all), (&text, today), rng);
        }
        if rng.one_in(2) {
            let all = meetings::newest(&reader.view(), agreement);
            let (code, text) = (self.cast.codes[city], self.work.marked("meeting"));
            return meetings::next(agreement, (code, members, &all), (&text, today), rng);
        }
        let all = notices::newest(&reader.view(), agreement);
        let (code, text) = (self.cast.codes[city], self.work.marked("notice"));
        if all.is_empty() || rng.one_in(4) {
            notices::issue(agreement, (code, members), &text, rng)
        } else {
            notices::act(agreement, (code, &all), text, rng)
        }
    }

    fn texts(&mut self, audiences: Vec<Audience>, what: &str) -> Vec<NewPart> {
        let part = |audience| {
            let content = PartContent::Text(self.work.marked(what));
            NewPart { audience, content }
        };
        audiences.into_iter().map(part).collect()
    }

    fn open_case(&mut self, agreement: AgreementId, today: Date, rng: &mut Rng) -> Command {
        let title = self.work.marked("case");
        let person = rng.one_in(2).then(|| {
            let name = self.work.marked("person");
            PersonRecord::parse(&name, "", "", "").unwrap()
        });
        Command::OpenCase {
            agreement,
            facts: moves::facts(),
            record: Box::new(moves::record(&title, rng.one_in(2))),
            person,
            external_ref: None,
            effective_on: today,
        }
    }
}

fn newest_cases(reader: &SimReader, agreement: AgreementId) -> Vec<(SubjectId, CaseView)> {
    let rows = reader.view();
    let mut all = Vec::new();
    view::cases_newest_first(&rows, agreement, None, &mut |subject, case| {
        all.push((subject, case));
        all.len() < CASES_SHOWN
    });
    all
}
