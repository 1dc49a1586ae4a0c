//! P4 for meetings: what a process shows of a meeting is what the set of its applied entries comes
//! to, by the rule written down a second time: an opening names members and a number of its year,
//! or opens nothing; minutes and cancellations count of the chair or the convener, of each its first
//! minutes by (epoch, log, index), of the two those by which more members stood first, or else the
//! chair's; of a city's confirmations the highest. The last meeting that was held is the last of
//! those of which their chair said so. Minutes by which most members stand are what a process shows
//! from then on.

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
            let Event::MeetingCalled { chair, due_chair, number, .. } = &opener.event else {
                continue;
            };
            let opens = opener.envelope.subject.id.is_none();
            if opener.envelope.subject.kind != SubjectKind::Meeting || !opens {
                continue;
            }
            let is_member = |city: &CityCode| {
                cast.place(*city).is_some_and(|city| cast.pacts[pact].members.contains(&city))
            };
            let valid = is_member(chair) && is_member(due_chair) && (1..=366).contains(number);
            let shown = view::meeting(&rows, agreement, subject);
            if shown.is_some() != valid {
                return self.fail(format!("P4 {at}: meeting {subject}: valid {valid}, {shown:?}"));
            }
            let Some(shown) = shown else { continue };
            let told = told(known, (*opening, [opener.city, *chair]), subject);
            if of(&shown) != told {
                let got = of(&shown);
                return self.fail(format!("P4 {at}: meeting {subject}: {got:?}, not {told:?}"));
            }
            let members = cast.pacts[pact].members.len();
            if let Some(why) = self.stood_by(at, subject, &shown, members) {
                return self.fail(why);
            }
            if let Some((_, recorder, digest, held_on)) = told.minutes {
                let says = |c: &(CityCode, _, Hash)| c.0 == *chair && c.2 == digest;
                if recorder == *chair || told.confirmed.iter().any(says) {
                    last = last.max(Some((held_on, *opening, *chair)));
                }
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

    /// Minutes that most members stood by at this process are those it shows now.
    fn stood_by(
        &mut self,
        at: usize,
        subject: SubjectId,
        shown: &MeetingView,
        members: usize,
    ) -> Option<String> {
        let minutes = shown.minutes?.digest;
        // Who signs two histories has two first words; others show less than they once did.
        let odd = [&self.excused, &self.restored, &self.rotted];
        if odd.iter().any(|cities| !cities.is_empty()) || !self.ever_suspended.is_empty() {
            return None;
        }
        if let Some(kept) = self.minutes_kept.get(&(at, subject))
            && *kept != minutes
        {
            return Some(format!("P4 {at}: confirmed minutes of {subject} were displaced"));
        }
        let stands = shown.words.iter().filter(|(_, (_, digest))| *digest == minutes).count();
        if 2 * stands > members {
            self.minutes_kept.insert((at, subject), minutes);
        }
        None
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
    let minutes = counts(minutes, &confirmed, may[1]);
    let newest = |(city, all): (CityCode, BTreeMap<(u64, Position), Hash>)| {
        all.last_key_value().map(|((_, at), digest)| (city, *at, *digest))
    };
    Told {
        minutes,
        confirmed: confirmed.into_iter().filter_map(newest).collect(),
        cancelled: cancelled.first_key_value().map(|((_, at), ())| *at),
        misfits,
    }
}

/// Of the first minutes of each city those by which more cities stood with their first word; of
/// several the chair's.
fn counts(
    minutes: BTreeMap<(u64, Position), (CityCode, Hash, Date)>,
    confirmed: &BTreeMap<CityCode, BTreeMap<(u64, Position), Hash>>,
    chair: CityCode,
) -> Option<(Position, CityCode, Hash, Date)> {
    let recorded = minutes.iter().map(|(place, (city, digest, _))| (*city, *place, *digest));
    let read = confirmed.iter().flat_map(|(city, all)| all.iter().map(|(p, d)| (*city, *p, *d)));
    let mut words: Vec<_> = recorded.chain(read).collect();
    words.sort();
    words.dedup_by_key(|(city, ..)| *city);
    let mut best = None;
    let mut seen = Vec::new();
    for ((_, at), (city, digest, on)) in &minutes {
        if seen.contains(city) {
            continue;
        }
        seen.push(*city);
        let stand = words.iter().filter(|(.., word)| word == digest).count();
        let rank = (stand, *city == chair);
        if best.is_none_or(|(most, _)| rank > most) {
            best = Some((rank, (*at, *city, *digest, *on)));
        }
    }
    best.map(|(_, minutes)| minutes)
}
