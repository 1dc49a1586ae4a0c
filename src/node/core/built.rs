//! What every own entry is checked for before it is written.

use crate::api::request::WriteError;
use crate::limits;
use crate::log::entry::check_entry;
use crate::log::{Entry, PartSlot};

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
