//! P4 for meetings: what a process shows of a meeting is what the set of its applied entries comes
//! to, by the rule written down a second time: minutes and cancellations count of the chair or the
//! convener, the lowest by (epoch, log, index); of a city's confirmations the highest. The last
//! meeting that was held is the last of those.

use std::collections::BTreeMap;

use liandong::domain::{Date, Event, MeetingAct};
use liandong::ids::{CityCode, Hash, Position, SubjectId};
use liandong::log::{SubjectKind, subject_id};
use liandong::view::{self, MeetingView};

use super::Checks;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// What the entries about a meeting come to.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    minutes: Option<(Position, CityCode, Hash, Date)>,
    confirmed: Vec<(CityCode, Position, Hash)>,
    cancelled: Option<Position>,
    misfits: u32,
}

impl Checks {
    /// Compares the meetings of an agreement with its applied entries.
    pub(super) fn meetings_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
        tally: &mut Tally,
    ) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        let mut last = None;
        for (opening, opener) in known {
            let subject = subject_id(*opening);
            let Event::MeetingCalled { chair, .. } = &opener.event else { continue };
            let opens = opener.envelope.subject.id.is_none();
            if opener.envelope.subject.kind != SubjectKind::Meeting || !opens {
                continue;
            }
            let Some(shown) = view::meeting(&rows, agreement, subject) else {
                return self.fail(format!("P4 {at}: meeting {subject} is not shown"));
            };
            let told = told(known, (*opening, [opener.city, *chair]), subject);
            if of(&shown) != told {
                let got = of(&shown);
                return self.fail(format!("P4 {at}: meeting {subject}: {got:?}, not {told:?}"));
            }
            if let Some((_, recorder, digest, held_on)) = told.minutes {
                last = last.max(Some((held_on, *opening, *chair)));
                let by_another = |c: &(CityCode, _, Hash)| c.2 == digest && c.0 != recorder;
                if told.confirmed.iter().any(by_another) {
                    tally.reached(State::MinutesConfirmed);
                }
            }
        }
        let ever = Date::new(2199, 12, 31).unwrap();
        let shown = view::last_sitting(&rows, agreement, ever).map(|s| (s.on, s.at, s.chair));
        if shown != last {
            self.fail(format!("P4 {at}: held last {shown:?}, not {last:?}"));
        }
    }
}

fn of(shown: &MeetingView) -> Told {
    let confirmed =
        |(city, (said, digest)): &(CityCode, (view::Said, Hash))| (*city, said.at, *digest);
    Told {
        minutes: shown.minutes.map(|m| (m.said.at, m.city, m.digest, m.held_on)),
        confirmed: shown.confirmed.iter().map(confirmed).collect(),
        cancelled: shown.cancelled.map(|said| said.at),
        misfits: shown.misfit_count,
    }
}

fn told(
    known: &BTreeMap<Position, Known>,
    (opening, may): (Position, [CityCode; 2]),
    subject: SubjectId,
) -> Told {
    let mut minutes: BTreeMap<(u64, Position), (CityCode, Hash, Date)> = BTreeMap::new();
    let mut cancelled: BTreeMap<(u64, Position), ()> = BTreeMap::new();
    let mut confirmed: BTreeMap<CityCode, BTreeMap<(u64, Position), Hash>> = BTreeMap::new();
    let mut misfits = 0;
    for (at, entry) in known {
        let about = entry.envelope.subject;
        let same = about.kind == SubjectKind::Meeting && about.id == Some(subject);
        if !same || !entry.saw(opening) || entry.event == Event::Newer {
            continue;
        }
        let (mine, place) = (may.contains(&entry.city), (entry.epoch, *at));
        match &entry.event {
            Event::MeetingAct(MeetingAct::MinutesRecorded { digest, held_on }) if mine => {
                minutes.insert(place, (entry.city, *digest, *held_on));
            }
            Event::MeetingAct(MeetingAct::Cancelled) if mine => {
                cancelled.insert(place, ());
            }
            Event::MeetingAct(MeetingAct::MinutesConfirmed { digest }) => {
                confirmed.entry(entry.city).or_default().insert(place, *digest);
            }
            _ => misfits += 1,
        }
    }
    let minutes = minutes.first_key_value();
    let newest = |(city, all): (CityCode, BTreeMap<(u64, Position), Hash>)| {
        all.last_key_value().map(|((_, at), digest)| (city, *at, *digest))
    };
    Told {
        minutes: minutes.map(|((_, at), (city, digest, on))| (*at, *city, *digest, *on)),
        confirmed: confirmed.into_iter().filter_map(newest).collect(),
        cancelled: cancelled.first_key_value().map(|((_, at), ())| *at),
        misfits,
    }
}
