//! The life of a joint-action plan: the first city asks, the two others answer, each in its own
//! log, and the plan is scheduled on answers that are named.
//!
//! In scope: revisions, answers, scheduling, cancelling, by rules written down a second time, so
//! that the wrong ones can be searched as well. Out of scope: sites, draws, bookings; the fold of
//! nodes, whose orders are tried in `src/view/tests/plans.rs`.

use super::interleave::{At, CITIES, Found, Life, Logs, NAMES, Place, explore};

/// By which rule a plan is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An answer moves the plan itself, and all is judged by the state at its arrival.
    Arrival,
    /// Answers have slots of their own, and Scheduled names those it rests on.
    Named,
    /// And each of them is that city's newest among the entries its author had seen.
    NamedAndSeen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Confirmed,
    ChangesRequested,
    Withdrawn,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Revised,
    Cancelled,
    /// For a revision, on these answers.
    Scheduled(usize, Vec<Place>),
    Answered(usize, Answer),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Open,
    /// Asked to change it; only by the rule of arrival.
    Consulting,
    Scheduled,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    phase: Phase,
    revision: usize,
    /// The newest answer of each other city to this revision.
    answers: [Option<(Answer, usize)>; CITIES],
    /// The entry that scheduled it.
    scheduled: Option<Place>,
    misfits: Vec<Place>,
}

pub struct Plans {
    pub rule: Rule,
    pub lies: bool,
}

const REVISIONS_MAX: usize = 2;

impl Plans {
    pub fn explore(self, depth: usize) -> Found {
        let found = explore(&self, (0, Event::Revised), self.lies.then_some(0), depth);
        println!("{:?}, lies {}: {} states", self.rule, self.lies, found.states);
        found
    }

    /// Whether answers, named by an entry of the initiator, carry a revision.
    fn carry(&self, logs: &Logs<Event>, by: Place, revision: usize, named: &[Place]) -> bool {
        let after = logs[by.0][by.1].after;
        [1, 2].iter().all(|city| {
            let Some((_, index)) = named.iter().find(|(log, _)| log == city) else { return false };
            let to = |at: usize| match logs[*city].get(at).map(|entry| &entry.event) {
                Some(Event::Answered(of, answer)) if *of == revision => Some(*answer),
                _ => None,
            };
            let newer = (*index + 1..after[*city]).any(|at| to(at).is_some());
            let newest = self.rule != Rule::NamedAndSeen || !newer;
            to(*index) == Some(Answer::Confirmed) && *index < after[*city] && newest
        })
    }

    fn apply(&self, logs: &Logs<Event>, view: &mut View, place: Place) -> bool {
        match &logs[place.0][place.1].event {
            Event::Revised => {
                if view.phase == Phase::Cancelled {
                    return false;
                }
                let revision = view.revision + 1;
                let misfits = std::mem::take(&mut view.misfits);
                *view = View { revision, misfits, ..EMPTY };
                true
            }
            Event::Cancelled => {
                let fits = view.phase != Phase::Cancelled;
                view.phase = Phase::Cancelled;
                fits
            }
            Event::Scheduled(revision, named) => {
                let confirmed =
                    |city: usize| matches!(view.answers[city], Some((Answer::Confirmed, _)));
                let now = self.rule != Rule::Arrival || (confirmed(1) && confirmed(2));
                let open = view.phase == Phase::Open && *revision == view.revision;
                if !open || !now || !self.carry(logs, place, *revision, named) {
                    return false;
                }
                (view.phase, view.scheduled) = (Phase::Scheduled, Some(place));
                true
            }
            Event::Answered(revision, answer) => self.answered(view, place, *revision, *answer),
        }
    }

    fn answered(&self, view: &mut View, place: Place, revision: usize, answer: Answer) -> bool {
        let current = revision == view.revision;
        if self.rule == Rule::Arrival {
            let fits = match answer {
                Answer::Confirmed | Answer::ChangesRequested => view.phase == Phase::Open,
                Answer::Withdrawn => matches!(view.phase, Phase::Open | Phase::Scheduled),
            };
            if !current || !fits {
                return false;
            }
            if answer == Answer::ChangesRequested {
                view.phase = Phase::Consulting;
            }
        }
        // An answer to an older revision is kept and counts for nothing.
        if current {
            view.answers[place.0] = Some((answer, place.1));
        }
        revision <= view.revision
    }
}

const EMPTY: View = View {
    phase: Phase::Open,
    revision: 0,
    answers: [None; CITIES],
    scheduled: None,
    misfits: Vec::new(),
};

impl Life for Plans {
    type Event = Event;
    type View = View;

    fn view(&self, logs: &Logs<Event>, order: &[Place]) -> View {
        let mut view = EMPTY;
        for place in order {
            if !self.apply(logs, &mut view, *place) {
                view.misfits.push(*place);
            }
        }
        view.misfits.sort_unstable();
        view
    }

    fn choices(&self, at: &At<'_, Event, View>) -> Vec<Event> {
        let view = at.view;
        let open = view.phase == Phase::Open;
        let mut events = Vec::new();
        if at.node != 0 {
            let answer = |answer| Event::Answered(view.revision, answer);
            let given = view.answers[at.node].map(|(answer, _)| answer);
            if open && given != Some(Answer::Confirmed) {
                events.push(answer(Answer::Confirmed));
            }
            if open && given != Some(Answer::ChangesRequested) {
                events.push(answer(Answer::ChangesRequested));
            }
            if given == Some(Answer::Confirmed) && view.phase != Phase::Cancelled {
                events.push(answer(Answer::Withdrawn));
            }
            return events;
        }
        if view.phase != Phase::Cancelled {
            events.push(Event::Cancelled);
            if view.revision < REVISIONS_MAX {
                events.push(Event::Revised);
            }
        }
        let confirmed = |city: usize| match view.answers[city] {
            Some((Answer::Confirmed, index)) => Some((city, index)),
            Some(_) | None => None,
        };
        let named: Vec<Place> = [1, 2].into_iter().filter_map(confirmed).collect();
        if open && (named.len() == 2 || self.lies) {
            events.push(Event::Scheduled(view.revision, named));
        }
        if open && self.lies {
            // Any confirmation it has ever seen.
            let all = |city: usize| (0..at.held[city]).map(move |index| (city, index));
            for one in all(1) {
                events.extend(all(2).map(|two| Event::Scheduled(view.revision, vec![one, two])));
            }
        }
        events
    }

    fn may_move(&self, at: &At<'_, Event, View>) -> bool {
        at.node == 0 && at.view.phase != Phase::Cancelled
    }

    /// Nothing is scheduled against what its author knew; no honest entry is without effect.
    fn wrong(&self, logs: &Logs<Event>, view: &View) -> Option<String> {
        if let Some(at) = view.scheduled
            && let Event::Scheduled(revision, named) = &logs[at.0][at.1].event
        {
            let strict = Plans { rule: Rule::NamedAndSeen, lies: self.lies };
            if !strict.carry(logs, at, *revision, named) {
                return Some("scheduled on an answer that its author knew to be taken back".into());
            }
        }
        let honest = view.misfits.iter().find(|(log, _)| !(self.lies && *log == 0))?;
        Some(format!("{} wrote {honest:?} in vain", NAMES[honest.0]))
    }

    /// Whoever asks can schedule what all have confirmed, and otherwise revise or cancel.
    fn goes_on(&self, _logs: &Logs<Event>, view: &View) -> bool {
        view.phase != Phase::Consulting || view.revision < REVISIONS_MAX
    }
}
