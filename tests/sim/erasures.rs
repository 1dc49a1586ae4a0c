//! People who have parts of their city's entries erased (依法删除).

use liandong::api::request::Command;
use liandong::domain::ErasureReason;
use liandong::ids::{AgreementId, CityCode, Position, SubjectId};
use liandong::log::PartKind;
use liandong::view;

use super::node::SimReader;
use super::rng::Rng;

/// Entries of a case among which one is chosen.
const HISTORY_SHOWN: usize = 64;

/// Erases something that this city has said in a case; perhaps it is erased already.
pub fn next(
    reader: &SimReader,
    (agreement, subject): (AgreementId, SubjectId),
    code: CityCode,
    rng: &mut Rng,
) -> Option<Command> {
    let mut own: Vec<Position> = Vec::new();
    let rows = reader.view();
    view::history(&rows, agreement, subject, 0, &mut |entry| {
        let found = view::applied_entry(&rows, entry.position);
        own.extend(found.filter(|e| e.city == code).map(|_| entry.position));
        own.len() < HISTORY_SHOWN
    });
    drop(rows);
    if own.is_empty() {
        return None;
    }
    let entry = rng.pick(&own);
    let parts = reader.entry(entry).ok()?.entry.envelope.parts;
    let says = |kind| matches!(kind, PartKind::CaseRecord | PartKind::Person | PartKind::Text);
    let named = (0..).zip(&parts).filter(|(_, part)| says(part.kind));
    let named: Vec<u32> = named.map(|(part, _)| part).collect();
    if named.is_empty() {
        return None;
    }
    let reason = ErasureReason::Law;
    Some(Command::ErasePart { agreement, entry, part: rng.pick(&named), reason })
}
