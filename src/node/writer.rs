//! The thread that drives the core, and the handle everybody else holds.
//!
//! Natural batching: while one sync runs, the next inputs queue; no timers. The queue is bounded:
//! who writes too fast waits, who cannot wait is told [`WriteError::Busy`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::api::order::OrderError;
use crate::api::request::{Repetition, Request, WriteError, Written};
use crate::api::status::NodeStatus;
use crate::domain::Date;
use crate::domain::plan::ready::PlanRules;
use crate::ids::CityCode;
use crate::journal::RealDisk;
use crate::limits::PEER_MESSAGE_BYTES_MAX;
use crate::node::alone;
use crate::node::clock::SystemClock;
use crate::node::core::{AgreementBook, Core, Input, Output, Ticket};
use crate::node::guard::GuardKeeper;
use crate::node::reader::Reader;
use crate::node::shell::{ANSWER_WITHIN, Shell};
use crate::node::traffic::{Linked, Links, Traffic};
use crate::node::watchdog::Pulse;
use crate::store::SledStore;
use crate::sync::{Frame, LinkId};

/// Inputs that may wait for the writer: two full groups.
const QUEUE_MAX: usize = 1024;
/// Inputs taken into one group at the most.
const GROUP_MAX: usize = 512;
/// Bytes of other cities' entries taken into one group: whoever asks something waits for no more.
const GROUP_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Bytes of frames of one city that may wait to be written: two of the largest.
const FRAME_ROOM: usize = 2 * PEER_MESSAGE_BYTES_MAX;
/// Frames of one city that may wait: people's calls stand in the same queue, behind no more than
/// this many of each city.
const FRAMES_MAX: usize = 64;

/// What a link is told by the core.
#[derive(Debug)]
pub enum LinkOrder {
    /// Send a frame.
    Send(Frame),
    /// Perform the output: read and send.
    Perform(Output),
    /// End.
    Close(&'static str),
}

/// The way in to a link.
#[derive(Debug)]
pub struct LinkDoor {
    /// What it is to do.
    pub orders: mpsc::Sender<LinkOrder>,
    /// Cancelled when it does not keep up.
    pub overrun: CancellationToken,
}

pub(super) enum Answer {
    Write(oneshot::Sender<Result<Written, WriteError>>),
    Notes(oneshot::Sender<Vec<Result<String, String>>>),
    Order(oneshot::Sender<Result<(), OrderError>>),
    Status(oneshot::Sender<NodeStatus>),
}

enum Message {
    Input(Input),
    /// With the room it takes until it is written.
    Frame(LinkId, Frame, Option<OwnedSemaphorePermit>),
    Ask(Box<dyn FnOnce(Ticket) -> Input + Send>, Answer),
    Open {
        link: LinkId,
        city: CityCode,
        by_us: bool,
        address: String,
        door: LinkDoor,
    },
    Stop(oneshot::Sender<()>),
}

/// A cheap handle on a running node.
#[derive(Clone)]
pub struct NodeHandle {
    messages: mpsc::Sender<Message>,
    reader: Reader,
    applied: watch::Receiver<u64>,
    book: watch::Receiver<Arc<AgreementBook>>,
    page_key: [u8; 32],
    city: CityCode,
    linked: Links,
    warnings: Arc<Mutex<Vec<String>>>,
    presentable: Arc<watch::Sender<bool>>,
    rooms: Arc<Mutex<BTreeMap<CityCode, Arc<Semaphore>>>>,
    healthy: watch::Receiver<bool>,
    pub(super) start_anew: watch::Receiver<bool>,
    traffic: Arc<Mutex<BTreeMap<CityCode, Arc<Traffic>>>>,
    plan_rules: PlanRules,
    shell: Shell,
}

impl NodeHandle {
    /// Counts a link to a city for as long as the answer lives.
    #[must_use]
    pub fn count_link(&self, city: CityCode) -> Linked {
        self.linked.count(city)
    }

    /// Whether a connection to a city stands.
    #[must_use]
    pub fn is_linked(&self, city: CityCode) -> bool {
        self.linked.has(city)
    }

    /// What was exchanged with a city so far, for whoever counts and whoever shows it.
    #[must_use]
    pub fn traffic(&self, city: CityCode) -> Arc<Traffic> {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(traffic.entry(city).or_default())
    }

    /// False once a write or sync has failed: nothing is written until a restart, reads go on.
    #[must_use]
    pub fn healthy(&self) -> watch::Receiver<bool> {
        self.healthy.clone()
    }

    /// Own city.
    #[must_use]
    pub fn city(&self) -> CityCode {
        self.city
    }

    /// Parameters of plans, as own commands are judged by them.
    #[must_use]
    pub fn plan_rules(&self) -> PlanRules {
        self.plan_rules
    }

    /// Writes; returns once it is on disk.
    ///
    /// # Errors
    /// [`WriteError`]: nothing was written.
    pub async fn write(&self, request: Request) -> Result<Written, WriteError> {
        self.written(Box::new(|ticket| Input::Write(ticket, Box::new(request)))).await
    }

    /// What came of a request of which no command can be made now, if it was written.
    ///
    /// # Errors
    /// [`WriteError`]: it was not.
    pub async fn first_answer(&self, again: Repetition) -> Result<Written, WriteError> {
        self.written(Box::new(|ticket| Input::Repeated(ticket, Box::new(again)))).await
    }

    async fn written(
        &self,
        ask: Box<dyn FnOnce(Ticket) -> Input + Send>,
    ) -> Result<Written, WriteError> {
        let (answer, wait) = oneshot::channel();
        self.ask(ask, Answer::Write(answer)).await;
        wait.await.unwrap_or_else(|_| {
            Err(WriteError::StorageFailed { detail: "the node is stopping".to_owned() })
        })
    }

    /// How the node is; `None` while it stops. A writing thread that hangs is said, and what was
    /// known before it hung.
    pub async fn status(&self) -> Option<NodeStatus> {
        let asked = async {
            let (answer, wait) = oneshot::channel();
            self.ask(Box::new(Input::Status), Answer::Status(answer)).await;
            wait.await.ok()
        };
        let mut status = match tokio::time::timeout(ANSWER_WITHIN, asked).await {
            Ok(status) => self.shell.complete(status?),
            Err(_) => self.shell.instead()?,
        };
        status.shell.views_failure = self.reader.failure().map(|error| error.to_string());
        let reader = self.reader.clone();
        let mut status = tokio::task::spawn_blocking(move || {
            alone::tell(&reader, &mut status);
            status
        })
        .await
        .ok()?;
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        status.warnings.extend(warnings.iter().cloned());
        drop(warnings);
        Some(status)
    }

    /// What the shell around the core knows of itself.
    #[must_use]
    pub fn shell(&self) -> &Shell {
        &self.shell
    }

    /// Replaces what the shell adds to the warnings: certificates that end, files that are wrong.
    /// `presentable` is false while an own certificate is past its end.
    pub fn set_warnings(&self, warnings: Vec<String>, presentable: bool) {
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        self.presentable.send_if_modified(|before| {
            let changed = *before != presentable;
            *before = presentable;
            changed
        });
    }

    /// False while an own certificate is past its end: nobody who looks would let us in.
    #[must_use]
    pub fn presentable(&self) -> watch::Receiver<bool> {
        self.presentable.subscribe()
    }

    pub(super) async fn ask(&self, ask: Box<dyn FnOnce(Ticket) -> Input + Send>, answer: Answer) {
        // A closed channel drops the answer's sender, which the waiting side sees.
        let _ = self.messages.send(Message::Ask(ask, answer)).await;
    }

    /// Tells the core something.
    pub async fn tell(&self, input: Input) {
        let _ = self.messages.send(Message::Input(input)).await;
    }

    /// Tells the core what came over a link, once there is room for it: what a city sends and is
    /// not written yet takes at most [`FRAME_ROOM`] here.
    pub async fn take_frame(&self, link: LinkId, city: CityCode, frame: Frame, bytes: usize) {
        let room = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            let room = rooms.entry(city).or_insert_with(|| Arc::new(Semaphore::new(FRAME_ROOM)));
            Arc::clone(room)
        };
        let bytes = u32::try_from(bytes.clamp(FRAME_ROOM / FRAMES_MAX, FRAME_ROOM)).unwrap_or(1);
        // The semaphore is never closed.
        let permit = room.acquire_many_owned(bytes).await.ok();
        let _ = self.messages.send(Message::Frame(link, frame, permit)).await;
    }

    /// Registers a link, so that the core can speak to it.
    pub async fn open_link(
        &self,
        link: LinkId,
        city: CityCode,
        by_us: bool,
        address: String,
        door: LinkDoor,
    ) {
        let open = Message::Open { link, city, by_us, address, door };
        let _ = self.messages.send(open).await;
    }

    /// Ends the writer after what it has in hand.
    pub async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        if self.messages.send(Message::Stop(done)).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Reads committed state.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The committed apply number, for those who watch.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.clone()
    }

    /// Agreements and cards.
    #[must_use]
    pub fn book(&self) -> Arc<AgreementBook> {
        self.book.borrow().clone()
    }

    /// Changes of agreements and cards, for whoever dials.
    #[must_use]
    pub fn book_changes(&self) -> watch::Receiver<Arc<AgreementBook>> {
        self.book.clone()
    }

    /// Wall clock, milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        crate::node::clock::wall_ms()
    }

    /// Today in Beijing; `None` when the clock is out of all range.
    #[must_use]
    pub fn today(&self) -> Option<Date> {
        Date::beijing(self.now_ms())
    }

    /// Key under which page tokens are sealed; fresh at every start.
    #[must_use]
    pub fn page_key(&self) -> [u8; 32] {
        self.page_key
    }
}

/// Starts the writer thread.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(
    mut core: Core<RealDisk, SledStore>,
    clock: SystemClock,
    mut guard: GuardKeeper,
    reader: Reader,
    page_key: [u8; 32],
    city: CityCode,
    shell: Shell,
) -> std::io::Result<NodeHandle> {
    let (messages, inbox) = mpsc::channel(QUEUE_MAX);
    guard.watched(shell.watchdog.watch("guard"));
    for output in core.on(clock.now(), Input::Status(0)) {
        // For whoever asks while the thread hangs, from its first moment on.
        if let Output::Status(_, status) = output {
            let _ = shell.complete(*status);
        }
    }
    let (applied_tx, applied) = watch::channel(core.apply_number());
    let (book_tx, book) = watch::channel(Arc::new(core.book().clone()));
    let (healthy_tx, healthy) = watch::channel(true);
    let (start_anew_tx, start_anew) = watch::channel(false);
    let plan_rules = core.plan_rules();
    let mut writer = Writer {
        core,
        clock,
        guard,
        inbox,
        answers: BTreeMap::new(),
        links: BTreeMap::new(),
        held: Vec::new(),
        next_ticket: 0,
        applied: applied_tx,
        book: book_tx,
        healthy: healthy_tx,
        start_anew: start_anew_tx,
        pulse: shell.watchdog.watch("writer"),
    };
    std::thread::Builder::new().name("writer".to_owned()).spawn(move || writer.run())?;
    Ok(NodeHandle {
        messages,
        reader,
        applied,
        book,
        page_key,
        city,
        linked: Links::default(),
        warnings: Arc::default(),
        presentable: Arc::new(watch::Sender::new(true)),
        rooms: Arc::default(),
        healthy,
        start_anew,
        traffic: Arc::default(),
        plan_rules,
        shell,
    })
}

struct Writer {
    core: Core<RealDisk, SledStore>,
    clock: SystemClock,
    guard: GuardKeeper,
    inbox: mpsc::Receiver<Message>,
    answers: BTreeMap<Ticket, Answer>,
    links: BTreeMap<LinkId, LinkDoor>,
    /// Room taken by frames of the group in hand.
    held: Vec<OwnedSemaphorePermit>,
    next_ticket: Ticket,
    applied: watch::Sender<u64>,
    book: watch::Sender<Arc<AgreementBook>>,
    healthy: watch::Sender<bool>,
    start_anew: watch::Sender<bool>,
    /// Comes round with each tick, which comes four times a second.
    pulse: Pulse,
}

impl Writer {
    fn run(&mut self) {
        while let Some(first) = self.inbox.blocking_recv() {
            let mut stop = self.take(first);
            for _ in 1..GROUP_MAX {
                if self.core.gathered_bytes() > GROUP_BYTES_MAX {
                    break;
                }
                let Ok(next) = self.inbox.try_recv() else { break };
                stop = self.take(next).or(stop);
            }
            let now = self.clock.now();
            // Receipts ride with the next group; with the last one, when the node stops.
            let last = stop.is_some() && !self.core.is_poisoned();
            if self.core.wants_commit(now) || last {
                let outputs = self.core.on(now, Input::Commit);
                self.perform(outputs);
                if self.core.is_poisoned() {
                    self.healthy.send_replace(false);
                }
            }
            self.held.clear();
            self.pulse.done();
            self.guard.keep(now, &|| self.core.guard_mark());
            if let Some(done) = stop {
                self.guard.keep_now(self.core.guard_mark());
                let _ = done.send(());
                return;
            }
        }
    }

    fn take(&mut self, message: Message) -> Option<oneshot::Sender<()>> {
        let input = match message {
            Message::Input(input) => input,
            Message::Frame(link, frame, room) => {
                self.held.extend(room);
                Input::Frame(link, frame)
            }
            Message::Ask(ask, answer) => {
                self.next_ticket += 1;
                self.answers.insert(self.next_ticket, answer);
                ask(self.next_ticket)
            }
            Message::Open { link, city, by_us, address, door } => {
                self.links.insert(link, door);
                Input::LinkUp { link, city, by_us, address }
            }
            Message::Stop(done) => return Some(done),
        };
        if let Input::LinkDown { link, .. } = &input {
            self.links.remove(link);
        }
        let outputs = self.core.on(self.clock.now(), input);
        self.perform(outputs);
        None
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Written(ticket, result) => {
                    if let Some(Answer::Write(answer)) = self.answers.remove(&ticket) {
                        // Nobody waits any more: the entry stands all the same.
                        let _ = answer.send(result);
                    }
                }
                Output::NotesDone(ticket, results) => {
                    if let Some(Answer::Notes(answer)) = self.answers.remove(&ticket) {
                        let _ = answer.send(results);
                    }
                }
                Output::Ordered(ticket, done) => {
                    if let Some(Answer::Order(answer)) = self.answers.remove(&ticket) {
                        let _ = answer.send(done);
                    }
                }
                Output::StartAnew => {
                    self.start_anew.send_replace(true);
                }
                Output::Status(ticket, status) => {
                    if let Some(Answer::Status(answer)) = self.answers.remove(&ticket) {
                        let _ = answer.send(*status);
                    }
                }
                Output::Send(link, frame) => self.order(link, LinkOrder::Send(frame)),
                Output::Close(link, why) => self.order(link, LinkOrder::Close(why)),
                Output::Serve { link, .. } | Output::ServeParts { link, .. } => {
                    self.order(link, LinkOrder::Perform(output));
                }
                Output::Applied(number) => {
                    self.applied.send_replace(number);
                }
                Output::MembersChanged => {
                    self.book.send_replace(Arc::new(self.core.book().clone()));
                }
            }
        }
    }

    /// Orders are few and small: frames without stretches, which are read by the link itself. A
    /// link that lets too many of them pile up is ended.
    fn order(&mut self, link: LinkId, order: LinkOrder) {
        let Some(door) = self.links.get(&link) else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = door.orders.try_send(order) {
            door.overrun.cancel();
            self.links.remove(&link);
        }
    }
}
