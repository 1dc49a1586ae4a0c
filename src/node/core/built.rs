//! Own entries before they are written: in which order those of one command stand, and what each is
//! checked for.

use crate::api::request::WriteError;
use crate::ids::{LogId, Position, SubjectId};
use crate::journal::Disk;
use crate::limits;
use crate::log::entry::check_entry;
use crate::log::{ActorRef, Entry, PartSlot, subject_id};
use crate::node::core::write::{Decided, Draft, Opening};
use crate::node::core::{Core, keys};
use crate::store::Store;

/// The record a command is about, and a running number that was given with the row that counts it.
type Laid = (Option<SubjectId>, Option<(Vec<u8>, u32)>);

/// An entry with who writes it and for whom.
pub(super) type Signed = (ActorRef, Option<ActorRef>, Draft);

impl<D: Disk, S: Store> Core<D, S> {
    /// Lays what was decided behind other drafts of the command; what opens the record stands
    /// before what is said of it. Returns the record, and the running number that was given.
    pub(super) fn lay(
        &self,
        log: LogId,
        decided: Decided,
        (actor, acting_for): (ActorRef, Option<ActorRef>),
        drafts: &mut Vec<Signed>,
    ) -> Result<Laid, WriteError> {
        let Decided { mut draft, mut record, opened_at: _, mut opens } = decided;
        let log_of = self.logs.get(log).ok_or(WriteError::NoLog)?;
        let (agreement, before) = (log_of.manifest.agreement, log_of.appended());
        let next = |drafts: &[Signed]| Position { log, index: before + drafts.len() as u64 };
        let mut counted = None;
        if let Some(Opening::Calendar { opening, mut block, then }) = opens {
            block.subject.id = Some(subject_id(next(drafts)));
            drafts.push((actor, acting_for, *opening));
            drafts.push((actor, acting_for, *block));
            opens = then.map(|then| *then);
        }
        match opens {
            Some(Opening::Number { year, number }) => {
                counted = Some((keys::counter(agreement, year), number));
            }
            Some(Opening::PlanNumber { year, number }) => {
                counted = Some((keys::plan_counter(agreement, year), number));
            }
            Some(Opening::Beside(beside)) => {
                drafts.extend(beside.into_iter().map(|one| (actor, acting_for, one)));
            }
            Some(Opening::First(opening)) => {
                record = Some(subject_id(next(drafts)));
                draft.subject.id = record;
                drafts.push((actor, acting_for, *opening));
            }
            // One calendar is opened once.
            Some(Opening::Calendar { .. }) | None => {}
        }
        drafts.push((actor, acting_for, draft));
        Ok((record, counted))
    }
}

/// No larger than its limits.
pub(super) fn check_size(entry: &Entry) -> Result<(), WriteError> {
    let too_large = |what, limit, got| Err(WriteError::TooLarge { what, limit, got });
    if entry.header.len() > limits::HEADER_BYTES_MAX {
        return too_large("header", limits::HEADER_BYTES_MAX, entry.header.len());
    }
    let sizes = entry.parts.iter().map(|slot| match slot {
        PartSlot::Bytes(bytes) => bytes.len(),
        PartSlot::ErasedBy(_) | PartSlot::Withheld => 0,
    });
    let mut total = entry.header.len();
    for size in sizes {
        if size > limits::PART_BYTES_MAX {
            return too_large("part", limits::PART_BYTES_MAX, size);
        }
        total += size;
    }
    if total > limits::ENTRY_BYTES_MAX {
        return too_large("entry", limits::ENTRY_BYTES_MAX, total);
    }
    Ok(())
}

/// What every member will check. An entry that one of them refuses would stop the log for ever, so
/// whatever led to it, it is not written.
pub(super) fn check_rules(entry: &Entry) -> Result<(), WriteError> {
    check_entry(entry)
        .map_err(|error| WriteError::BadField { field: "entry", reason: error.to_string() })
}
