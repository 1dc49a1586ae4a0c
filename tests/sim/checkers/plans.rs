//! P4 for plans: what a process shows of a plan is what the set of its applied entries comes to, by
//! the rules written down a second time: which words fit, which of them an author had seen, which
//! move comes next, what each city has booked. And nobody is booked twice: no city has confirmed
//! one unit of an agreement for two plans at a time. (One officer of two agreements is two units
//! here; `f16_an_officer_is_in_one_place_at_a_time` has him.)

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::Event;
use liandong::domain::draw::commitment;
use liandong::domain::plan::answer::{Found, Said, fits};
use liandong::domain::plan::booking::booking;
use liandong::domain::plan::{
    AnswerKind, Plan, PlanAct, PlanFacts, PlanMove, PlanStage, PlanWord, Seen, next, open,
};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::{SubjectKind, subject_id};
use liandong::view;

use super::Checks;
use super::draws::Draw;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

/// An entry's place among those of its city.
type Place = (u64, Position);

/// A word that fits.
struct Word<'a> {
    city: CityCode,
    place: Place,
    act: &'a PlanAct,
}

/// The entries of an agreement, as those about one plan are looked up in them.
struct Set<'a> {
    known: &'a BTreeMap<Position, Known>,
    opening: Position,
    subject: SubjectId,
    members: &'a [CityCode],
}

impl<'a> Set<'a> {
    /// An entry of this plan that another one's author had seen.
    fn seen_by(&self, by: &Known, at: Position) -> Option<&'a Known> {
        let named = self.known.get(&at).filter(|_| by.saw(at))?;
        let about = named.envelope.subject;
        let same = about.kind == SubjectKind::Plan && about.id == Some(self.subject);
        let counts = at == self.opening || (same && named.saw(self.opening));
        counts.then_some(named)
    }

    /// Whether it is a move of the initiator that names a move before it, or the opening.
    fn stands(&self, one: &Known) -> bool {
        let opener = &self.known[&self.opening];
        let is_move =
            |one: &Known| matches!(one.event, Event::PlanOpened { .. } | Event::PlanMove(_));
        let first = one.envelope.subject.id.is_none();
        let from = one.envelope.prev.and_then(|at| self.seen_by(one, at));
        one.city == opener.city && (first || from.is_some_and(is_move))
    }

    fn facts_at(&self, by: &Known, at: Position) -> Option<&'a PlanFacts> {
        match &self.seen_by(by, at).filter(|one| self.stands(one))?.event {
            Event::PlanOpened { facts } | Event::PlanMove(PlanMove::Revised { facts }) => {
                Some(facts)
            }
            _ => None,
        }
    }

    /// Where a site stands, as far as an author knew.
    fn host(&self, by: &Known, site: SubjectId) -> Option<CityCode> {
        let is = |(at, one): &(&Position, &Known)| {
            let about = one.envelope.subject;
            let registers = matches!(one.event, Event::SiteRegistered { .. });
            registers
                && about.kind == SubjectKind::Site
                && about.id.is_none()
                && subject_id(**at) == site
        };
        let (at, one) = self.known.iter().find(is)?;
        let Event::SiteRegistered { facts } = &one.event else { return None };
        let valid = facts.county.as_u32() / 100 == one.city.as_u32() / 100;
        (valid && by.saw(*at)).then_some(one.city)
    }

    fn fits(&self, initiator: CityCode, by: &Known, act: &PlanAct) -> bool {
        let participants: Option<Vec<CityCode>> =
            self.facts_at(by, act.revision).map(|facts| facts.participants().collect());
        let entry = match &act.word {
            PlanWord::DrawRevealed { draw, .. } => matches!(
                self.seen_by(by, *draw).filter(|one| self.stands(one)).map(|one| &one.event),
                Some(Event::PlanMove(PlanMove::Scheduled { .. } | PlanMove::Redrawn { .. }))
            ),
            PlanWord::AnswerResolved { answer, .. } => {
                self.seen_by(by, *answer).is_some_and(|one| match &one.event {
                    Event::PlanAct(of) => {
                        let answers = matches!(of.word, PlanWord::Answered(_));
                        answers && of.revision == act.revision && self.fits(initiator, one, of)
                    }
                    _ => false,
                })
            }
            _ => true,
        };
        let site = match &act.word {
            PlanWord::CheckedIn(arrival) => Some(arrival.site),
            PlanWord::VisitReported(report) => Some(report.site),
            PlanWord::FindingOpened { site, .. } => Some(*site),
            _ => None,
        };
        let host = site.and_then(|site| self.host(by, site));
        let participants = participants.as_deref();
        fits(by.city, act, &Found { initiator, participants, entry, host }).is_ok()
    }

    /// The words that fit, in their order.
    fn words(&self, initiator: CityCode) -> Vec<Word<'a>> {
        let of = self.known.iter().filter_map(|(at, one)| {
            let about = one.envelope.subject;
            let same = about.kind == SubjectKind::Plan && about.id == Some(self.subject);
            let Event::PlanAct(act) = &one.event else { return None };
            let fits = same && one.saw(self.opening) && self.fits(initiator, one, act);
            fits.then_some(Word { city: one.city, place: (one.epoch, *at), act })
        });
        let mut words: Vec<Word<'_>> = of.collect();
        words.sort_by_key(|word| word.place);
        words
    }

    fn draw<'b>(&'b self, plan: &'b Plan, words: &[Word<'b>]) -> Draw<'b> {
        let said = words.iter().map(|word| (word.city, word.place.1, word.act)).collect();
        Draw { known: self.known, subject: self.subject, plan, said }
    }

    /// The chain: plan, last move, number of moves.
    fn chain(&self, words: &[Word<'_>]) -> Option<(Plan, Position, u32)> {
        let opener = &self.known[&self.opening];
        let Event::PlanOpened { facts } = &opener.event else { return None };
        let mut plan = open(opener.city, (self.opening, facts), self.members).ok()?;
        let (mut last, mut count) = (self.opening, 1);
        loop {
            let mut candidates: Vec<(&Position, &Known)> = self
                .known
                .iter()
                .filter(|(_, one)| one.envelope.prev == Some(last))
                .filter(|(_, one)| one.envelope.subject.id == Some(self.subject))
                .collect();
            candidates.sort_by_key(|(at, one)| (one.epoch, **at));
            let found = candidates.into_iter().find_map(|(at, one)| {
                let Event::PlanMove(mv) = &one.event else { return None };
                let fits = one.envelope.subject.kind == SubjectKind::Plan
                    && one.saw(last)
                    && one.saw(self.opening);
                let seen = seen(&plan, self.subject, words, &|at| one.saw(at));
                let moved = next(&plan, one.city, (*at, mv), &seen, self.members);
                fits.then_some((*at, moved.ok()?))
            });
            let Some((at, moved)) = found else { return Some((plan, last, count)) };
            (last, plan, count) = (at, moved, count + 1);
        }
    }
}

/// What somebody had seen of the words to the present revision.
fn seen(
    plan: &Plan,
    subject: SubjectId,
    words: &[Word<'_>],
    saw: &dyn Fn(Position) -> bool,
) -> Seen {
    let mut seen = Seen::default();
    let present = |word: &&Word<'_>| {
        word.act.revision == plan.at && plan.facts.has(word.city) && saw(word.place.1)
    };
    for Word { city, place, act } in words.iter().filter(present) {
        match &act.word {
            PlanWord::Answered(answer) if answer.kind() != AnswerKind::Comment => {
                seen.answers.insert(*city, (place.1, answer.kind()));
            }
            PlanWord::DrawCommitted { attempt, commitment }
                if *attempt == plan.resting.attempt + 1 && plan.facts.draw().is_some() =>
            {
                seen.commitments.insert(*city, (place.1, *commitment));
            }
            PlanWord::DrawRevealed { draw, random } => {
                let shown = commitment(subject, plan.revision, *city, random);
                let bound = plan.resting.commitments.get(city) == Some(&shown);
                if bound && plan.resting.draw == Some(*draw) {
                    seen.revealed.insert(*city);
                }
            }
            PlanWord::ResultsReported => {
                seen.results.insert(*city, place.1);
            }
            _ => {}
        }
    }
    seen
}

impl Checks {
    /// Compares the plans of an agreement with its applied entries.
    pub(super) fn plans_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        known: &BTreeMap<Position, Known>,
        tally: &mut Tally,
    ) {
        let rows = node.reader.as_ref().unwrap().view();
        let agreement = cast.pacts[pact].id;
        let members: Vec<CityCode> = {
            let mut all: Vec<_> =
                cast.pacts[pact].members.iter().map(|city| cast.codes[*city]).collect();
            all.sort_unstable();
            all
        };
        let mut all = Vec::new();
        for (opening, opener) in known {
            let about = opener.envelope.subject;
            let opens = about.kind == SubjectKind::Plan && about.id.is_none();
            if !opens || !matches!(opener.event, Event::PlanOpened { .. }) {
                continue;
            }
            let (opening, subject, members) = (*opening, subject_id(*opening), &members);
            let set = Set { known, opening, subject, members };
            let words = set.words(opener.city);
            let told = set.chain(&words);
            let shown = view::plan(&rows, agreement, subject);
            let (told, shown) = match (told, shown) {
                (None, None) => continue,
                (Some(told), Some(shown)) => (told, shown),
                (told, shown) => {
                    return self.fail(format!("P4 {at}: plan {subject}: {told:?}, {shown:?}"));
                }
            };
            if (&shown.plan, shown.last_move, shown.move_count) != (&told.0, told.1, told.2) {
                let (got, want) = (shown.last_move, told.1);
                let stages = (shown.plan.stage, told.0.stage);
                return self.fail(format!("P4 {at}: plan {subject} at {got} {want} {stages:?}"));
            }
            let heard = seen(&told.0, subject, &words, &|_| true);
            let answers: BTreeMap<_, _> = shown
                .heard
                .answers
                .iter()
                .map(|(c, (place, kind))| (*c, (place.at, *kind)))
                .collect();
            let reported: BTreeMap<_, _> =
                shown.heard.reported.iter().map(|(c, place)| (*c, place.at)).collect();
            let revealed = &shown.heard.revealed;
            if (&answers, &reported, revealed) != (&heard.answers, &heard.results, &heard.revealed)
            {
                return self.fail(format!("P4 {at}: plan {subject} heard {:?}", shown.heard));
            }
            for city in members {
                let said = words.iter().filter(|word| word.city == *city);
                let said: Vec<Said<'_, Place>> =
                    said.map(|word| Said { place: word.place, act: word.act }).collect();
                let units: Option<BTreeSet<SubjectId>> = booking(said)
                    .map(|found| found.sent.units.iter().map(|one| one.unit).collect());
                let kept = view::booked(&rows, (agreement, subject), *city);
                let kept = kept.map(|one| one.units.into_iter().map(|(unit, _)| unit).collect());
                if units != kept {
                    return self.fail(format!("P4 {at}: {city} in {subject}: {kept:?}, {units:?}"));
                }
            }
            all.push((set, words, told.0, shown));
        }
        // Whatever looks at draws and bookings reads for itself.
        drop(rows);
        for (set, words, plan, shown) in all {
            note(&plan, tally);
            self.draw_anew(cast, (at, node), pact, (&set.draw(&plan, &words), shown), tally);
        }
        self.nobody_twice(cast, (at, node));
    }

    /// No unit of the own city is confirmed for two plans at a time.
    fn nobody_twice(&mut self, cast: &Cast, (at, node): (usize, &Node)) {
        // Of a city that lies or came back with less, two histories may both have booked.
        let odd = [&self.excused, &self.restored, &self.rotted];
        if odd.iter().any(|cities| cities.contains(&node.city)) {
            return;
        }
        let rows = node.reader.as_ref().unwrap().view();
        let mut taken: BTreeMap<(SubjectId, i64), SubjectId> = BTreeMap::new();
        let mut twice = None;
        for pact in &cast.pacts {
            view::bookings_of(&rows, (pact.id, cast.codes[node.city]), &mut |plan, booked| {
                let all = booked.units.iter().filter(|_| booked.hold_until.is_none());
                for (unit, stretches) in all {
                    for half in stretches.iter().flat_map(|(first, last)| *first..=*last) {
                        let other = taken.insert((*unit, half), plan);
                        twice = twice.or(other.map(|other| (*unit, plan, other)));
                    }
                }
                true
            });
        }
        drop(rows);
        if let Some((unit, plan, other)) = twice {
            self.fail(format!("{at}: unit {unit} is in {plan} and in {other} at a time"));
        }
    }
}

fn note(plan: &Plan, tally: &mut Tally) {
    match plan.stage {
        PlanStage::Scheduled => tally.reached(State::PlanScheduled),
        PlanStage::Summarized => tally.reached(State::PlanSummarized),
        PlanStage::Open | PlanStage::Executing | PlanStage::Cancelled => {}
    }
}
