//! A list over agreements, the newest here first: which records there are, and what of them one
//! answer holds.
//!
//! Every agreement is walked by itself, and no walk goes on for ever. Where one ended, what lies
//! below it in the others is not shown either: the next page begins there.
//!
//! In scope: places, pages. Out of scope: filters, tokens ([`super::page_token`]), what a record
//! looks like.

use prost::Message;

use crate::ids::{AgreementId, SubjectId};
use crate::limits::PAGE_BYTES_MAX;
use crate::node::reader::Reader;
use crate::wire::status::Refused;

/// A record in its agreement.
pub(super) type Key = (AgreementId, SubjectId);

/// How records of a kind are walked: from below an apply number, until it is told to stop.
pub(super) type Walk<'a> =
    &'a dyn Fn(AgreementId, Option<u64>, &mut dyn FnMut(SubjectId, u64, bool) -> bool);

/// What was found, newest first.
pub(super) struct Found {
    /// Records that are taken, by the apply number of their opening.
    pub places: Vec<(u64, Key)>,
    /// What lies below this may be incomplete: there the walk over one of the agreements ended.
    pub low: Option<u64>,
    /// More records were there than are looked at.
    pub partial: bool,
    /// Apply number as of which it is so.
    pub as_of: u64,
}

/// Walks the records of some agreements until `want` are taken of each, and at most `most` looked
/// at. The walk tells of each record the apply number of its opening, and whether it is taken.
pub(super) fn find(
    reader: &Reader,
    agreements: &[AgreementId],
    (below, want): (Option<u64>, usize),
    most: usize,
    walk: Walk<'_>,
) -> Found {
    let as_of = reader.apply_number(&reader.view());
    let (mut places, mut low, mut partial) = (Vec::new(), None, false);
    for agreement in agreements {
        let (mut here, mut looked) = (0, 0);
        walk(*agreement, below, &mut |subject, opened, taken| {
            looked += 1;
            if taken {
                here += 1;
                places.push((opened, (*agreement, subject)));
            }
            let more = here < want && looked < most;
            if !more {
                // Below this nothing of the agreement was looked at.
                low = low.max(Some(opened));
                partial |= looked >= most;
            }
            more
        });
    }
    places.sort_unstable_by_key(|(opened, _)| std::cmp::Reverse(*opened));
    Found { places, low, partial, as_of }
}

impl Found {
    /// As many as an answer holds, and below which apply number the next one begins.
    pub(super) fn page<M: Message>(
        &self,
        size: usize,
        written: &dyn Fn(Key) -> Result<Option<M>, Refused>,
    ) -> Result<(Vec<M>, Option<u64>), Refused> {
        let (mut bytes, mut page, mut next) = (0, Vec::new(), self.low);
        let is_whole = |(opened, _): &&(u64, Key)| self.low.is_none_or(|low| *opened >= low);
        for (opened, key) in self.places.iter().filter(is_whole) {
            let Some(one) = written(*key)? else { continue };
            bytes += one.encoded_len();
            if page.len() == size || (bytes > PAGE_BYTES_MAX && !page.is_empty()) {
                // It is the first of the next page.
                next = Some(opened + 1);
                break;
            }
            page.push(one);
        }
        Ok((page, next))
    }
}
