//! Frozen formats: every byte that later versions must read, and the document that explains them.
//!
//! Each golden file in `tests/fixtures/v1` is made here from fixed keys and values, compared byte
//! for byte, and read back with today's code. A line or file that is missing is added by
//! `LIANDONG_BLESS=1`; one that is there is never changed.
//!
//! In scope: notes, logs, ids, frames, journal, guard, field numbers. Headers and parts, one for
//! each kind and code, are in `src/wire/tests`.

mod codes;
mod document;
mod frames;
mod golden;
mod journal;
mod log;
mod node;
mod notes;
mod sample;
