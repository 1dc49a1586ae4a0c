//! Where a slow reading stands, in a small file beside the data: the scrub of the journal and the
//! check of evidence files go on there after a start.
//!
//! Losing it costs a reading from the beginning, so it is not synced, and one that cannot be read
//! is a reading that has not begun.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the file says, or the beginning.
pub fn read<T: DeserializeOwned + Default>(file: &Path) -> T {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Writes it beside and renames it, so that half of one is never read.
pub fn write<T: Serialize>(file: &Path, place: &T) {
    let beside = file.with_extension("new");
    let text = serde_json::to_string(place).unwrap_or_default();
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
    if let Err(error) = written {
        tracing::warn!(file = %file.display(), %error, "could not note where a reading stands");
    }
}
