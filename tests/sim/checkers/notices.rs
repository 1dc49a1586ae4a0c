//! P4 for notices: what a process shows of a notice is what the set of its applied entries comes
//! to, by the rule written down a second time: an acknowledgement counts of a city that was told,
//! an end of the issuer, the lowest by (epoch, log, index); whoever had not seen the opening says
//! nothing.

use std::collections::BTreeMap;

use liandong::domain::{Event, NoticeAct};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::{SubjectKind, subject_id};
use liandong::view::{self, NoticeView};

use super::Checks;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// What the entries about a notice come to.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    acknowledged: Vec<(CityCode, Position)>,
    ended: Option<Position>,
    reports: u32,
    misfits: u32,
}

impl Checks {
    /// Compares the notices of an agreement with its applied entries.
    pub(super) fn notices_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
        tally: &mut Tally,
    ) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        for (opening, opener) in known {
            let subject = subject_id(*opening);
            let Event::NoticeIssued { addressees, .. } = &opener.event else { continue };
            let opens = opener.envelope.subject.id.is_none();
            if opener.envelope.subject.kind != SubjectKind::Notice || !opens {
                continue;
            }
            let Some(shown) = view::notice(&rows, agreement, subject) else {
                return self.fail(format!("P4 {at}: notice {subject} is not shown"));
            };
            let told = told(known, (*opening, opener.city), subject, addressees);
            if of(&shown) != told {
                let got = of(&shown);
                return self.fail(format!("P4 {at}: notice {subject}: {got:?}, not {told:?}"));
            }
            note_states(&shown, tally);
        }
    }
}

fn of(shown: &NoticeView) -> Told {
    Told {
        acknowledged: shown.acknowledged.iter().map(|(city, said)| (*city, said.at)).collect(),
        ended: shown.ended.map(|said| said.at),
        reports: shown.report_count,
        misfits: shown.misfit_count,
    }
}

fn told(
    known: &BTreeMap<Position, Known>,
    (opening, issuer): (Position, CityCode),
    subject: SubjectId,
    addressees: &[CityCode],
) -> Told {
    let mut acknowledged: BTreeMap<CityCode, (u64, Position)> = BTreeMap::new();
    let mut ended: Option<(u64, Position)> = None;
    let (mut reports, mut misfits) = (0, 0);
    for (at, entry) in known {
        let about = entry.envelope.subject;
        let same = about.kind == SubjectKind::Notice && about.id == Some(subject);
        if !same || !entry.saw(opening) || entry.event == Event::Newer {
            continue;
        }
        let (mine, place) = (addressees.contains(&entry.city), (entry.epoch, *at));
        match &entry.event {
            Event::NoticeAct(NoticeAct::Acknowledged) if mine => {
                let first = acknowledged.entry(entry.city).or_insert(place);
                *first = place.min(*first);
            }
            Event::NoticeAct(NoticeAct::Ended) if entry.city == issuer => {
                ended = Some(ended.map_or(place, |first| place.min(first)));
            }
            Event::NoticeAct(NoticeAct::Reported) if mine || entry.city == issuer => reports += 1,
            _ => misfits += 1,
        }
    }
    Told {
        acknowledged: acknowledged.into_iter().map(|(city, (_, at))| (city, at)).collect(),
        ended: ended.map(|(_, at)| at),
        reports,
        misfits,
    }
}

fn note_states(shown: &NoticeView, tally: &mut Tally) {
    let all = shown.notice.addressees.iter().all(|city| shown.has_acknowledged(*city));
    if all && shown.notice.addressees.len() > 1 {
        tally.reached(State::Acknowledged);
    }
    if shown.ended.is_some() {
        tally.reached(State::NoticeEnded);
    }
}
