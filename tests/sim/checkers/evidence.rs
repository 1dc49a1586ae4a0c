//! P4 for evidence: what a process shows of an item is what the set of its applied entries comes
//! to, by the rule written down a second time. A receipt counts of a city that may hold the list as
//! far as its author had seen; a finding counts after an own receipt, the lowest by (epoch, log,
//! index); hand-overs all count.

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::{
    CaseContribution, CaseMove, Date, DeclineGround, Event, EvidenceAct, EvidencePlace,
};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::{Audience, PartKind, SubjectKind, subject_id};
use liandong::view::{self, EvidenceView};

use super::Checks;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// What the entries about an item come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    receipts: BTreeMap<CityCode, (u64, Position)>,
    findings: BTreeMap<CityCode, ((u64, Position), Option<DeclineGround>)>,
    custody: BTreeSet<(Date, Position)>,
}

impl Checks {
    /// Compares what was said of the evidence of an agreement with its applied entries.
    pub(super) fn evidence_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
        tally: &mut Tally,
    ) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        let members = cast.members(pact);
        let said: Vec<Saying<'_>> = known.iter().filter_map(|(at, k)| saying(*at, k)).collect();
        let mut told: BTreeMap<(SubjectId, EvidencePlace), Told> = BTreeMap::new();
        // First receipts and hand-overs, which rest on nothing that was said of the item.
        for one in &said {
            let item = told.entry((one.subject, one.place)).or_default();
            let Some(listed_by) = entitled(known, one, &members) else { continue };
            match one.act {
                EvidenceAct::Received if one.entry.city != listed_by => {
                    let first = item.receipts.entry(one.entry.city).or_insert(one.rank());
                    *first = one.rank().min(*first);
                }
                EvidenceAct::HandedOver { on } => {
                    item.custody.insert((on, one.at));
                }
                _ => {}
            }
        }
        for one in &said {
            let ground = match one.act {
                EvidenceAct::Recognised => None,
                EvidenceAct::Declined { ground } => Some(ground),
                _ => continue,
            };
            let received = said.iter().any(|other| {
                other.act == EvidenceAct::Received
                    && (other.subject, other.place) == (one.subject, one.place)
                    && other.entry.city == one.entry.city
                    && one.entry.saw(other.at)
                    && entitled(known, other, &members).is_some()
            });
            let Some(listed_by) = entitled(known, one, &members).filter(|_| received) else {
                continue;
            };
            if one.entry.city == listed_by {
                continue;
            }
            let finding = (one.rank(), ground);
            let findings = &mut told.entry((one.subject, one.place)).or_default().findings;
            let first = findings.entry(one.entry.city).or_insert(finding);
            *first = finding.min(*first);
        }
        for ((subject, place), told) in told {
            let shown = of(&view::evidence(&rows, (agreement, subject), place));
            if shown != told {
                return self.fail(format!("P4 {at}: {place:?}: {shown:?}, not {told:?}"));
            }
            if told.findings.values().any(|(_, ground)| ground.is_some()) {
                tally.reached(State::EvidenceDeclined);
            }
            if told.findings.values().any(|(_, ground)| ground.is_none()) {
                tally.reached(State::EvidenceRecognised);
            }
        }
    }
}

fn of(shown: &EvidenceView) -> Told {
    Told {
        receipts: shown.receipts().iter().map(|(c, said)| (*c, (said.epoch, said.at))).collect(),
        findings: shown
            .judged
            .iter()
            .map(|(city, one)| (*city, ((one.said.epoch, one.said.at), one.ground)))
            .collect(),
        custody: shown.custody.iter().map(|step| (step.on, step.said.at)).collect(),
    }
}

/// An entry that says something of an item, about a case that its author had seen.
struct Saying<'a> {
    at: Position,
    entry: &'a Known,
    subject: SubjectId,
    place: EvidencePlace,
    act: EvidenceAct,
}

impl Saying<'_> {
    fn rank(&self) -> (u64, Position) {
        (self.entry.epoch, self.at)
    }
}

fn saying(at: Position, entry: &Known) -> Option<Saying<'_>> {
    let Event::Contribution(CaseContribution::Evidence { place, act }) = &entry.event else {
        return None;
    };
    let about = entry.envelope.subject;
    let subject = about.id.filter(|_| about.kind == SubjectKind::Case)?;
    Some(Saying { at, entry, subject, place: *place, act: *act })
}

/// The opening of a case.
fn opening(known: &BTreeMap<Position, Known>, subject: SubjectId) -> Option<(Position, &Known)> {
    let opens = |(at, entry): &(&Position, &Known)| {
        subject_id(**at) == subject && matches!(entry.event, Event::CaseOpened { .. })
    };
    known.iter().find(opens).map(|(at, entry)| (*at, entry))
}

/// Who listed the item, if the author had seen the list and it is for its city.
fn entitled(
    known: &BTreeMap<Position, Known>,
    one: &Saying<'_>,
    members: &[CityCode],
) -> Option<CityCode> {
    let EvidencePlace { entry: at, part, item } = one.place;
    let (opened_at, opener) = opening(known, one.subject)?;
    let about = |at: Position, entry: &Known| {
        at == opened_at
            || (entry.envelope.subject.id == Some(one.subject)
                && entry.envelope.subject.kind == SubjectKind::Case
                && entry.saw(opened_at))
    };
    let list = known.get(&at).filter(|list| about(at, list) && one.entry.saw(at))?;
    let named = list.envelope.parts.get(part as usize)?;
    let holds = matches!(named.kind, PartKind::Evidence | PartKind::CaseRecord);
    if !holds || item >= 64 || !one.entry.saw(opened_at) {
        return None;
    }
    let city = one.entry.city;
    let accepted = || {
        known.iter().any(|(at, entry)| {
            let prev = entry.envelope.prev;
            let from = prev.and_then(|prev| known.get(&prev).map(|entry| (prev, entry)));
            let moves = from.is_some_and(|(prev, from)| {
                entry.saw(prev)
                    && about(prev, from)
                    && matches!(from.event, Event::CaseMove(_) | Event::CaseOpened { .. })
            });
            entry.city == city
                && one.entry.saw(*at)
                && about(*at, entry)
                && moves
                && matches!(entry.event, Event::CaseMove(CaseMove::TransferAccepted { .. }))
        })
    };
    let granted = || {
        known.iter().any(|(place, entry)| {
            let given =
                Event::Contribution(CaseContribution::PartGranted { entry: at, part, to: city });
            entry.event == given
                && entry.city == list.city
                && about(*place, entry)
                && entry.saw(at)
                && members.contains(&city)
                && one.entry.saw(*place)
        })
    };
    let held = match &named.audience {
        Audience::AllMembers => true,
        Audience::HandlingCity => opener.city == city || accepted(),
        Audience::Cities(cities) => cities.contains(&city),
    };
    (list.city == city || held || granted()).then_some(list.city)
}
