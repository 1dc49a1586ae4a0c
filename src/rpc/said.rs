//! What was said of a notice or a meeting since it was opened: the newest, in order, within bounds.
//!
//! In scope: which entries are shown, and what they have alike. Out of scope: what each of them
//! says ([`super::notice_read`], [`super::meeting_read`]).

use prost::Message;

use crate::api::request::PartContent;
use crate::ids::{AgreementId, SubjectId};
use crate::limits::{NOTICE_ENTRIES_LOOKED_AT_MAX, NOTICE_MISFITS_SHOWN_MAX, PAGE_BYTES_MAX};
use crate::log::PartSlot;
use crate::node::reader::{LoadedEntry, Reader};
use crate::view::{self, Effect, HistoryEntry};

/// The newest `most` words as messages, oldest first. What did not take effect must not crowd out
/// what did.
pub(super) fn newest<M: Message>(
    reader: &Reader,
    (agreement, subject): (AgreementId, SubjectId),
    most: usize,
    written: &dyn Fn(&HistoryEntry) -> M,
) -> Vec<M> {
    let (mut found, mut looked, mut misfits) = (Vec::new(), 0, 0);
    view::history_newest_first(&reader.view(), agreement, subject, &mut |entry| {
        looked += 1;
        let misfit = matches!(entry.effect, Effect::Misfit(_));
        misfits += usize::from(misfit);
        if entry.effect != Effect::Opened && !(misfit && misfits > NOTICE_MISFITS_SHOWN_MAX) {
            found.push(entry);
        }
        looked < NOTICE_ENTRIES_LOOKED_AT_MAX && found.len() < most
    });
    let (mut words, mut bytes) = (Vec::new(), 0);
    for entry in &found {
        let word = written(entry);
        bytes += word.encoded_len();
        if bytes > PAGE_BYTES_MAX {
            break;
        }
        words.push(word);
    }
    words.reverse();
    words
}

/// The first part of an entry that is here.
pub(super) fn first_part(reader: &Reader, loaded: &LoadedEntry) -> Option<PartContent> {
    let bytes = |slot: &PartSlot| matches!(slot, PartSlot::Bytes(_));
    let place = loaded.entry.parts.iter().position(bytes)?;
    reader.part(&loaded.entry, place).ok().flatten()
}

/// Why an entry took no effect; empty when it did.
pub(super) fn misfit_reason(entry: &HistoryEntry) -> String {
    match &entry.effect {
        Effect::Misfit(reason) => reason.clone(),
        Effect::Opened | Effect::Move | Effect::Contribution | Effect::Newer | Effect::Other => {
            String::new()
        }
    }
}
