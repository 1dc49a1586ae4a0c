//! Reading rows in small pieces, because a reading keeps the writer waiting: all records of
//! an agreement, and what the feed has brought since.
//!
//! In scope: the pieces. Out of scope: what is made of them (the indexes that follow the feed).

use crate::domain::Event;
use crate::ids::{AgreementId, Position, SubjectId};
use crate::node::load::ReadError;
use crate::node::reader::Reader;
use crate::view::{self, FeedEntry};

/// Openings, notices or feed entries read at a time.
pub(super) const PIECE: usize = 256;

/// Every case of an agreement, newest first, until `f` says no. No reading is under way while `f`
/// runs.
pub(super) fn cases(reader: &Reader, agreement: AgreementId, f: &mut dyn FnMut(SubjectId) -> bool) {
    let mut below = None;
    loop {
        let mut openings: Vec<(u64, SubjectId)> = Vec::new();
        view::openings(&reader.view(), agreement, below, &mut |apply, subject| {
            openings.push((apply, subject));
            openings.len() < PIECE
        });
        let Some((lowest, _)) = openings.last().copied() else { return };
        if !openings.into_iter().all(|(_, subject)| f(subject)) {
            return;
        }
        below = Some(lowest);
    }
}

/// Takes a record; no ends the walk.
type Visitor<'a, V> = &'a mut dyn FnMut(SubjectId, V) -> bool;

/// Walks records piece by piece: `read` gives those below an apply number, newest first, and
/// `opened` tells where one was opened.
fn walk<V>(
    mut below: Option<u64>,
    read: &dyn Fn(Option<u64>, Visitor<'_, V>),
    opened: fn(&V) -> u64,
    f: Visitor<'_, V>,
) {
    loop {
        let mut found = Vec::new();
        read(below, &mut |subject, view| {
            found.push((subject, view));
            found.len() < PIECE
        });
        let Some(lowest) = found.last().map(|(_, view)| opened(view)) else { return };
        if !found.into_iter().all(|(subject, view)| f(subject, view)) {
            return;
        }
        below = Some(lowest);
    }
}

/// Writes a walk over all records of a kind.
macro_rules! walks {
    ($($name:ident $view:ident $newest_first:ident)+) => {$(
        #[doc = concat!("Every ", stringify!($view), " of an agreement from below an apply number")]
        /// on, newest first, until `f` says no. No reading is under way while `f` runs.
        pub fn $name(
            reader: &Reader,
            agreement: AgreementId,
            below: Option<u64>,
            f: &mut dyn FnMut(SubjectId, view::$view) -> bool,
        ) {
            let read = |below, f: &mut dyn FnMut(SubjectId, view::$view) -> bool| {
                view::$newest_first(&reader.view(), agreement, below, f);
            };
            walk(below, &read, |view| view.opened_apply, f);
        }
    )+};
}

walks! {
    notices NoticeView notices_newest_first
    meetings MeetingView meetings_newest_first
    sites SiteView sites_newest_first
    plans PlanView plans_newest_first
}

/// What the feed has brought behind an apply number, one piece of it, and up to where that goes;
/// `None` when there is nothing more.
pub(super) fn changes(reader: &Reader, read_to: u64) -> Option<(Vec<FeedEntry>, u64)> {
    let mut changes: Vec<FeedEntry> = Vec::new();
    view::feed(&reader.view(), read_to + 1, &mut |entry| {
        changes.push(entry);
        changes.len() < PIECE
    });
    let last = changes.last()?.apply;
    Some((changes, last))
}

/// The entry of which this one erases a part. An erasure is about no record; of a kind that only
/// newer programs know it erases nothing here.
///
/// # Errors
/// [`ReadError`] when it cannot be read, and so may be an erasure.
pub(super) fn erased(reader: &Reader, change: &FeedEntry) -> Result<Option<Position>, ReadError> {
    if change.record.is_some() {
        return Ok(None);
    }
    let event = reader.entry(change.position)?.event;
    Ok(if let Event::PartErased { entry, .. } = event { Some(entry) } else { None })
}
