//! What the index knows of one case: read from its row, its record and its history.
//!
//! In scope: reading. Out of scope: keeping it up to date ([`super`]).

use super::index::{Known, Reading};
use crate::api::request::PartContent;
use crate::domain::same_act::{self, Act, PartyKey};
use crate::domain::{CaseContribution, CaseRecord, Date, Event};
use crate::ids::{CaseKey, Position};
use crate::log::PartKind;
use crate::node::load::ReadError;
use crate::node::pieces::PIECE;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, Effect, HistoryEntry};

/// Reads a case; what was known `before` spares reading the record again if it is the same.
pub(super) fn read(
    node: &NodeHandle,
    reader: &Reader,
    case: CaseKey,
    before: Option<Known>,
) -> Reading {
    let (agreement, subject) = case;
    let member = node.book().get(agreement).is_some_and(|a| a.cities().contains(&node.city()));
    if !member {
        return Reading::Nothing;
    }
    let rows = reader.view();
    let Some(view) = view::case(&rows, agreement, subject) else { return Reading::Nothing };
    let facts = &view.case.facts;
    let decided_on = if same_act::may_be_decided(view.case.state) {
        same_act::decided_on(&view::happened(&rows, agreement, subject))
    } else {
        None
    };
    drop(rows);
    let (mut told, mut act) = (Told::default(), None);
    if let Some(before) = before {
        told = before.told;
        act = (before.record_at == view.record_at).then_some(before.act.with(facts, decided_on));
    }
    let act = match act {
        Some(act) => act,
        None => match record(reader, view.record_at) {
            Err(ReadError::NotFound | ReadError::Unreadable { .. }) | Ok(None) => {
                return Reading::Nothing;
            }
            Err(ReadError::Damaged { .. }) => return Reading::Damaged,
            Ok(Some(record)) => {
                let Some(party) = &record.party else { return Reading::Nothing };
                let key = PartyKey::of(party);
                let tag = reader.party_tag(&key.fields());
                Act::new((tag, &key), facts, record.coordinates, decided_on)
            }
        },
    };
    let (opened, record_at) = (view.opened_apply, view.record_at);
    Reading::Act(Known { act, opened, decided_on, record_at, told })
}

fn record(reader: &Reader, at: Position) -> Result<Option<CaseRecord>, ReadError> {
    let loaded = reader.entry(at)?;
    let parts = &loaded.entry.envelope.parts;
    let Some(place) = parts.iter().position(|p| p.kind == PartKind::CaseRecord) else {
        return Ok(None);
    };
    Ok(match reader.part(&loaded.entry, place)? {
        Some(PartContent::CaseRecord(record)) => Some(*record),
        Some(_) | None => None,
    })
}

/// What the history of a case tells for those who look at a hint.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Cases it is linked with as one.
    pub links: Vec<CaseKey>,
    /// Legal date of its first filing.
    pub filed_on: Option<Date>,
    /// The number people say, once it was read: it is never another one, nor erased.
    pub number: Option<Box<str>>,
    /// Apply number up to which all this is so.
    pub read_to: u64,
}

impl Told {
    /// With what came since. A link is never taken back, so each entry is looked at once for it; a
    /// filing may be, by what is applied later.
    pub(super) fn and_since(self, reader: &Reader, case: CaseKey) -> Self {
        let Self { mut links, number, read_to, .. } = self;
        let (more, read_to) = links_behind(reader, case, read_to);
        links.extend(more);
        // Read last: it knows at least what was read for links.
        let filed_on = same_act::filed_on(&view::happened(&reader.view(), case.0, case.1));
        Self { links, filed_on, number, read_to }
    }
}

/// Cases that a history behind this apply number links with this one, and how far that was read.
fn links_behind(
    reader: &Reader,
    (agreement, subject): CaseKey,
    behind: u64,
) -> (Vec<CaseKey>, u64) {
    let (mut links, mut read_to) = (Vec::new(), behind);
    loop {
        let mut entries: Vec<HistoryEntry> = Vec::new();
        view::history(&reader.view(), agreement, subject, read_to + 1, &mut |entry| {
            entries.push(entry);
            entries.len() < PIECE
        });
        let Some(last) = entries.last().map(|entry| entry.apply) else { return (links, read_to) };
        read_to = last;
        let added = entries.iter().filter(|entry| entry.effect == Effect::Contribution);
        links.extend(added.filter_map(|entry| link(reader, entry.position)));
    }
}

fn link(reader: &Reader, at: Position) -> Option<CaseKey> {
    let event = reader.entry(at).ok()?.event;
    if let Event::Contribution(
        CaseContribution::ContinuedIn { agreement, subject }
        | CaseContribution::ContinuedFrom { agreement, subject },
    ) = event
    {
        return Some((agreement, subject));
    }
    None
}
