//! Lines and their chain.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Deed, Untold};
use crate::ids::Hash;
use crate::log::merkle::digest;

/// Why a chain does not hold. The files are as they were.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// A line does not name the one before it: something was changed or taken out.
    #[error("line {line} of {file} does not follow the one before it")]
    Broken {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A file could not be read.
    #[error("{file} could not be read")]
    Unread {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// One line, as it is written.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    who: &'a str,
    serial: &'a str,
    from: &'a str,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting_for: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    cases: u32,
    outcome: &'a str,
    #[serde(skip_serializing_if = "is_none")]
    missing: u64,
    #[serde(skip_serializing_if = "is_none")]
    refused: u64,
    prev: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(cases: &u32) -> bool {
    *cases == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// The link of a line to the one before it.
#[derive(Deserialize)]
struct Link {
    prev: String,
}

/// Beijing time, for people.
fn beijing(time_ms: i64) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    jiff::Timestamp::from_millisecond(time_ms)
        .map(|at| at.to_zoned_datetime(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
        .unwrap_or_default()
}

/// Writes a line, without its end.
pub(super) fn line(deed: &Deed, untold: Untold, prev: Hash) -> Vec<u8> {
    let line = Line {
        time: beijing(deed.time_ms),
        who: &deed.who,
        serial: &deed.serial,
        from: &deed.from,
        method: deed.method,
        acting_for: deed.acting_for.as_deref(),
        name: &deed.name,
        entry: deed.entry.as_deref(),
        file: deed.file.as_deref(),
        cases: deed.cases,
        outcome: deed.outcome,
        missing: untold.missing,
        refused: untold.refused,
        prev: prev.to_string(),
    };
    // These types have no failing serializers.
    serde_json::to_vec(&line).unwrap_or_default()
}

/// What the next line names.
pub(super) fn hash(line: &[u8]) -> Hash {
    digest(line)
}

/// The hash of the last whole line of a text, and how many bytes whole lines take.
pub(super) fn last(text: &[u8]) -> Option<(Hash, usize)> {
    let end = text.iter().rposition(|b| *b == b'\n')?;
    let whole = text.get(..end)?;
    let line = whole.rsplit(|b| *b == b'\n').next()?;
    Some((hash(line), end + 1))
}

/// Checks that the lines of one file follow each other; returns the hash of the last.
///
/// `before` is the hash of the last line of the file before, if that is still here.
///
/// # Errors
/// [`ChainError::Broken`] at the first line that does not follow.
pub(super) fn check_text(
    file: &str,
    text: &[u8],
    before: Option<Hash>,
) -> Result<Option<Hash>, ChainError> {
    let mut prev = before;
    let end = text.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    let whole = text.get(..end).unwrap_or_default();
    if whole.is_empty() {
        return Ok(before);
    }
    for (place, line) in whole.split(|b| *b == b'\n').enumerate() {
        let link = serde_json::from_slice::<Link>(line).ok().map(|link| link.prev);
        let follows = match (&link, prev) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(link), Some(prev)) => *link == prev.to_string(),
        };
        if !follows {
            return Err(ChainError::Broken { file: file.to_owned(), line: place + 1 });
        }
        prev = Some(hash(line));
    }
    Ok(prev)
}

/// Checks every file of an audit folder, oldest first; returns the number of files.
///
/// # Errors
/// [`ChainError`].
pub fn check(folder: &Path) -> Result<usize, ChainError> {
    let files = super::file::list(folder);
    let mut prev = None;
    for path in &files {
        let file = path.display().to_string();
        let text = std::fs::read(path)
            .map_err(|source| ChainError::Unread { file: file.clone(), source })?;
        prev = check_text(&file, &text, prev)?;
    }
    Ok(files.len())
}
