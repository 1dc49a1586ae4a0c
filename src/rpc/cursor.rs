//! Feed cursors: a place in the order of application of one journal.

use crate::ids::hex;
use crate::node::writer::NodeHandle;
use crate::wire::status::Refused;

/// The cursor behind apply number `apply`.
#[must_use]
pub fn at(node: &NodeHandle, apply: u64) -> String {
    format!("{}:{apply}", hex(&node.reader().feed_id()))
}

/// The apply number behind which to go on; the present for an empty cursor.
///
/// # Errors
/// `CURSOR_FORMAT`, or `CURSOR_GONE` when it is of another journal or ahead of this one.
pub fn read(node: &NodeHandle, cursor: &str) -> Result<u64, Refused> {
    let reader = node.reader();
    let now = reader.apply_number(&reader.view());
    if cursor.is_empty() {
        return Ok(now);
    }
    let wrong = || Refused::new("CURSOR_FORMAT").at("cursor");
    let (journal, apply) = cursor.split_once(':').ok_or_else(wrong)?;
    let apply: u64 = apply.parse().map_err(|_| wrong())?;
    if journal != hex(&reader.feed_id()) || apply > now {
        return Err(Refused::new("CURSOR_GONE"));
    }
    Ok(apply)
}
