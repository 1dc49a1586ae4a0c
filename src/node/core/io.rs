//! What goes into a [`super::Core`] and what comes out: plain values.

use bytes::Bytes;

use crate::api::order::{Assignment, KeptDraft, OrderError};
use crate::api::request::{Repetition, Request, WriteError, Written};
use crate::api::status::NodeStatus;
use crate::ids::{AgreementId, CityCode, LogId, Position, SubjectId};
use crate::sync::{Frame, LinkId};
use crate::wire::status::Refused;

/// The two clocks, read by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back.
    pub mono_ms: u64,
    /// Wall clock, milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
}

/// Ties an answer to the call that waits for it.
pub type Ticket = u64;

/// What happens to a node.
#[derive(Debug)]
pub enum Input {
    /// Somebody wants to write. Answered after the next [`Input::Commit`] that can.
    Write(Ticket, Box<Request>),
    /// Somebody wants to know what came of a request that he sends again. Answered like a write.
    Repeated(Ticket, Box<Repetition>),
    /// Signed charters, cards and manifests, from a file or from an administrator.
    Notes(Ticket, Vec<Bytes>),
    /// Somebody wants to know how the node is.
    Status(Ticket),
    /// A connection to a member city stands.
    LinkUp {
        /// Its number.
        link: LinkId,
        /// The city its certificate proves.
        city: CityCode,
        /// We dialled.
        by_us: bool,
        /// Where to.
        address: String,
    },
    /// A connection is gone.
    LinkDown {
        /// Its number.
        link: LinkId,
        /// Why, for the operator.
        reason: String,
    },
    /// A dial did not succeed.
    DialFailed {
        /// The city.
        city: CityCode,
        /// Why, for the operator.
        reason: String,
    },
    /// A frame came.
    Frame(LinkId, Frame),
    /// A frame came that cannot be read.
    BadFrame(LinkId, Box<Refused>),
    /// An [`Output::Serve`] is done.
    Served {
        /// The link.
        link: LinkId,
        /// The log.
        log: LogId,
        /// First entry asked for.
        from: u64,
        /// First entry not sent.
        next: u64,
        /// Signed bytes sent.
        bytes: u64,
    },
    /// An operator suspends a city.
    Suspend {
        /// Answered by [`Output::Ordered`] once it is on disk.
        ticket: Ticket,
        /// The city.
        city: CityCode,
        /// Why.
        reason: String,
        /// Who: role and id.
        by: String,
    },
    /// An operator lifts what is suspended of a city.
    Resume {
        /// Answered by [`Output::Ordered`] once it is on disk.
        ticket: Ticket,
        /// The city.
        city: CityCode,
        /// Who: role and id.
        by: String,
    },
    /// Somebody assigns a case within the own city.
    Assign {
        /// Answered by [`Output::Ordered`] once it is on disk.
        ticket: Ticket,
        /// The case.
        case: (AgreementId, SubjectId),
        /// To whom, and what is remembered.
        assignment: Assignment,
        /// Etag of the assignment it replaces; empty for none.
        etag: String,
    },
    /// Somebody of the own city saves a draft of a plan, or throws one away.
    KeepDraft {
        /// Answered by [`Output::Ordered`] once it is on disk.
        ticket: Ticket,
        /// The draft.
        draft: (AgreementId, SubjectId),
        /// What it says now.
        kept: KeptDraft,
        /// Etag of the version it replaces; empty for none.
        etag: String,
    },
    /// Some time has passed.
    Tick,
    /// Write what has gathered, sync, answer.
    Commit,
}

/// What the shell must do. Everything that depends on the disk comes after its sync.
#[derive(Debug)]
pub enum Output {
    /// Answer a write.
    Written(Ticket, Result<Written, WriteError>),
    /// Answer a handing-in of notes: one line each.
    NotesDone(Ticket, Vec<Result<String, String>>),
    /// Answer an operator's order.
    Ordered(Ticket, Result<(), OrderError>),
    /// Answer a question for the status.
    Status(Ticket, Box<NodeStatus>),
    /// Send a frame.
    Send(LinkId, Frame),
    /// Read a stretch of a log, send it, report [`Input::Served`].
    Serve {
        /// The link.
        link: LinkId,
        /// The city at its other end.
        city: CityCode,
        /// The log.
        log: LogId,
        /// First entry.
        from: u64,
        /// Stop once this many bytes were sent.
        bytes_max: u64,
    },
    /// Read narrow parts and send those the city may hold.
    ServeParts {
        /// The link.
        link: LinkId,
        /// The city at its other end.
        city: CityCode,
        /// The entry.
        entry: Position,
        /// Which of its parts.
        parts: Vec<u32>,
    },
    /// End a link.
    Close(LinkId, &'static str),
    /// Entries were applied, up to this apply number.
    Applied(u64),
    /// Charters or cards changed: look again whom to dial.
    MembersChanged,
    /// Stop in order and start again: everything is to be folded anew. Until then it goes on as
    /// before.
    StartAnew,
}
