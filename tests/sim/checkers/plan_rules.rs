//! A second opinion on plans, from the entries alone and by none of the program's functions: by
//! which moves a plan has come where it stands, what its schedule rests on, whom its cities have
//! booked. So a mistake of the table of moves itself is seen, which [`super::plans`] shares.
//!
//! Out of scope: whether facts are well formed, what is drawn ([`super::draws`]), how much may be
//! said of one plan, what is compared with all this ([`super::plan_oracle`]).

use std::collections::{BTreeMap, BTreeSet};

use liandong::domain::Event;
use liandong::domain::plan::{Answer, PlanAct, PlanFacts, PlanMove, PlanStage, PlanWord, Targets};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::limits::PLAN_DRAWS_MAX;
use liandong::log::{SubjectKind, subject_id};

use super::draws::{Bytes32, bound_by};
use super::fold::Known;

pub(super) type Place = (u64, Position);

/// Something a city has said that counts.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub city: CityCode,
    pub place: Place,
    pub by: &'a Known,
    pub act: &'a PlanAct,
}

/// The entries about one plan whose authors had seen its opening.
pub(super) struct Entries<'a> {
    pub known: &'a BTreeMap<Position, Known>,
    pub subject: SubjectId,
    pub opening: Position,
    pub initiator: CityCode,
    pub facts: &'a PlanFacts,
    /// By place.
    pub moves: Vec<(Position, &'a Known, &'a PlanMove)>,
    /// By place.
    pub words: Vec<Word<'a>>,
}

/// Where its moves have brought a plan.
#[derive(Clone)]
pub(super) struct Story<'a> {
    pub stage: PlanStage,
    pub facts: &'a PlanFacts,
    /// The entry that made the present revision, and which one that is.
    pub revision: (Position, u32),
    pub last: Position,
    pub moves: u32,
    pub answers: Vec<Position>,
    pub attempt: u32,
    pub draw: Option<Position>,
    pub bound: BTreeMap<CityCode, Bytes32>,
    pub used: BTreeSet<Bytes32>,
    pub withheld: BTreeSet<CityCode>,
    /// Who had not shown its part when the plan was revised.
    pub silent: BTreeSet<CityCode>,
    /// It was cancelled when some had shown theirs.
    pub late_cancel: bool,
    /// Each time it was scheduled: by which move, by what facts, on which answers.
    pub scheduled: Vec<(Position, &'a PlanFacts, Vec<Position>)>,
    /// Why a move that would be the next has no effect.
    pub refused: Option<String>,
}

fn cities(facts: &PlanFacts) -> Vec<CityCode> {
    facts.cities.iter().map(|one| one.city).collect()
}

/// Its answer, comments excepted.
pub(super) fn as_answer(word: &PlanWord) -> Option<&Answer> {
    match word {
        PlanWord::Answered(Answer::Comment) => None,
        PlanWord::Answered(answer) => Some(answer),
        _ => None,
    }
}

fn about(entry: &Known, subject: SubjectId) -> bool {
    let of = entry.envelope.subject;
    of.kind == SubjectKind::Plan && of.id == Some(subject)
}

/// All plans that were opened.
pub(super) fn plans(known: &BTreeMap<Position, Known>) -> Vec<Entries<'_>> {
    let opened = known.iter().filter_map(|(opening, opener)| {
        let of = opener.envelope.subject;
        let Event::PlanOpened { facts } = &opener.event else { return None };
        let opens = of.kind == SubjectKind::Plan && of.id.is_none();
        opens.then(|| Entries::of(known, (*opening, opener.city), facts))
    });
    opened.collect()
}

impl<'a> Entries<'a> {
    fn of(
        known: &'a BTreeMap<Position, Known>,
        (opening, initiator): (Position, CityCode),
        facts: &'a PlanFacts,
    ) -> Self {
        let (subject, moves, words) = (subject_id(opening), Vec::new(), Vec::new());
        let mut plan = Self { known, subject, opening, initiator, facts, moves, words };
        let all = known.iter().filter(|(_, one)| about(one, subject) && one.saw(opening));
        let mut all: Vec<(&Position, &Known)> = all.collect();
        all.sort_by_key(|(at, one)| (one.epoch, **at));
        for (at, one) in all {
            match &one.event {
                Event::PlanMove(mv) => plan.moves.push((*at, one, mv)),
                Event::PlanAct(act) if plan.may_say(one, act) => {
                    let (city, place) = (one.city, (one.epoch, *at));
                    plan.words.push(Word { city, place, by: one, act });
                }
                _ => {}
            }
        }
        plan
    }

    /// What a revision says that an author had seen: a move of the initiator, behind another one.
    pub fn revision(&self, by: &Known, at: Position) -> Option<&'a PlanFacts> {
        if at == self.opening {
            return Some(self.facts);
        }
        let one = self.known.get(&at).filter(|one| by.saw(at) && one.saw(self.opening))?;
        let Event::PlanMove(PlanMove::Revised { facts }) = &one.event else { return None };
        let from = one.envelope.prev?;
        let behind = from == self.opening
            || self.known.get(&from).is_some_and(|before| {
                let moves = matches!(before.event, Event::PlanMove(_));
                moves && about(before, self.subject) && before.saw(self.opening)
            });
        let stands = about(one, self.subject) && one.city == self.initiator;
        (stands && behind && one.saw(from)).then_some(facts)
    }

    /// Whoever takes part by the revision that he speaks of.
    fn may_say(&self, by: &Known, act: &PlanAct) -> bool {
        self.revision(by, act.revision).is_some_and(|facts| cities(facts).contains(&by.city))
    }

    /// The newest word of a sort that a city has said to a revision, of those somebody had seen.
    pub fn newest<T>(
        &self,
        (city, revision): (CityCode, Position),
        by: &Known,
        sort: impl Fn(&'a PlanWord) -> Option<T>,
    ) -> Option<(Place, T)> {
        let said = self.words.iter().rev().filter(|word| {
            word.city == city && word.act.revision == revision && by.saw(word.place.1)
        });
        said.filter_map(|word| Some((word.place, sort(&word.act.word)?))).next()
    }

    /// The moves one after the other; with somebody, only those that it had seen.
    pub fn story(&self, seen_by: Option<&Known>) -> Story<'a> {
        let mut story = Story {
            stage: PlanStage::Open,
            facts: self.facts,
            revision: (self.opening, 1),
            last: self.opening,
            moves: 1,
            answers: Vec::new(),
            attempt: 0,
            draw: None,
            bound: BTreeMap::new(),
            used: BTreeSet::new(),
            withheld: BTreeSet::new(),
            silent: BTreeSet::new(),
            late_cancel: false,
            scheduled: Vec::new(),
            refused: None,
        };
        loop {
            let mut refused = None;
            let from_here = self.moves.iter().filter(|(at, by, _)| {
                let behind = by.envelope.prev == Some(story.last) && by.saw(story.last);
                behind && seen_by.is_none_or(|one| one.saw(*at))
            });
            let mut next = from_here.map(|(at, by, mv)| (*at, self.moved(&story, (*at, by), mv)));
            let next = next.find_map(|(at, after)| match after {
                Ok(after) => Some(after),
                Err(why) => {
                    refused = Some(format!("{at}: {why}"));
                    None
                }
            });
            let Some(after) = next else { return Story { refused, ..story } };
            story = after;
        }
    }

    fn moved(
        &self,
        story: &Story<'a>,
        (at, by): (Position, &Known),
        mv: &'a PlanMove,
    ) -> Result<Story<'a>, String> {
        use PlanStage::{Cancelled, Executing, Open, Scheduled, Summarized};
        if by.city != self.initiator {
            return Err(format!("{} did not propose it", by.city));
        }
        let from: &[PlanStage] = match mv {
            PlanMove::Opened { .. } => &[],
            PlanMove::Revised { .. } => &[Open, Scheduled],
            PlanMove::Scheduled { .. } => &[Open],
            PlanMove::Redrawn { .. } => &[Scheduled, Executing],
            PlanMove::Begun => &[Scheduled],
            PlanMove::Summarized { .. } => &[Executing],
            PlanMove::Amended | PlanMove::Cancelled => &[Open, Scheduled, Executing],
        };
        if !from.contains(&story.stage) {
            return Err(format!("not while {:?}", story.stage));
        }
        let mut after = Story { last: at, moves: story.moves + 1, refused: None, ..story.clone() };
        match mv {
            PlanMove::Revised { facts } => {
                let unseen = self.unseen(story, by);
                // All unseen, or nobody bound: nothing was shown yet.
                if unseen.len() < story.bound.len() {
                    for city in unseen {
                        if city == self.initiator {
                            after.withheld.insert(city);
                        } else if !after.withheld.contains(&city) {
                            after.silent.insert(city);
                        }
                    }
                }
                revised(&mut after, at, facts);
            }
            PlanMove::Scheduled { answers, commitments } => {
                self.all_confirm(story, by, answers)?;
                (after.stage, after.answers) = (Scheduled, answers.clone());
                after.scheduled.push((at, story.facts, answers.clone()));
                if matches!(story.facts.targets, Targets::Draw(_)) {
                    after.bound = self.all_bound(story, by, commitments)?;
                    (after.attempt, after.draw) = (1, Some(at));
                } else if !commitments.is_empty() {
                    return Err("nothing is drawn".to_owned());
                }
            }
            PlanMove::Redrawn { commitments, withheld } => {
                self.all_silent(story, by, withheld)?;
                after.bound = self.all_bound(story, by, commitments)?;
                after.used.extend(story.bound.values());
                after.withheld.extend(withheld);
                after.silent = &after.silent - &after.withheld;
                (after.attempt, after.draw) = (story.attempt + 1, Some(at));
            }
            PlanMove::Begun => after.stage = Executing,
            PlanMove::Summarized { results } => {
                self.all_results(story, by, results)?;
                after.stage = Summarized;
            }
            PlanMove::Cancelled => {
                after.stage = Cancelled;
                let unseen = self.unseen(story, by);
                if unseen.len() < story.bound.len() {
                    after.late_cancel = true;
                    after.silent.extend(unseen.iter().filter(|c| !story.withheld.contains(*c)));
                }
            }
            PlanMove::Opened { .. } | PlanMove::Amended => {}
        }
        Ok(after)
    }

    /// One answer of each participant to this revision is named: its newest, and it confirms.
    fn all_confirm(&self, story: &Story<'_>, by: &Known, named: &[Position]) -> Result<(), String> {
        let cities = cities(story.facts);
        for (place, city) in cities.iter().enumerate() {
            let newest = self.newest((*city, story.revision.0), by, as_answer);
            let confirms = newest.is_some_and(|((_, at), answer)| {
                named.get(place) == Some(&at) && matches!(answer, Answer::Confirm { .. })
            });
            if !confirms {
                return Err(format!("{city} has not confirmed what is scheduled: {newest:?}"));
            }
        }
        if named.len() == cities.len() { Ok(()) } else { Err("answers of strangers".to_owned()) }
    }

    /// Each is bound to something fresh, by its newest commitment to the attempt that comes.
    fn all_bound(
        &self,
        story: &Story<'_>,
        by: &Known,
        named: &[Position],
    ) -> Result<BTreeMap<CityCode, Bytes32>, String> {
        let mut bound = BTreeMap::new();
        for city in cities(story.facts) {
            let newest = self.newest((city, story.revision.0), by, |word| match word {
                PlanWord::DrawCommitted { attempt, commitment } => {
                    (*attempt == story.attempt + 1).then(|| *commitment.as_bytes())
                }
                _ => None,
            });
            let Some(((_, at), bytes)) = newest else { return Err(format!("{city} is not bound")) };
            let old = story.used.contains(&bytes) || story.bound.values().any(|one| *one == bytes);
            if named.get(bound.len()) != Some(&at) || old {
                return Err(format!("{at} does not bind {city}"));
            }
            bound.insert(city, bytes);
        }
        if bound.len() == named.len() { Ok(bound) } else { Err("more are bound".to_owned()) }
    }

    /// Of whom somebody had seen no part that they were bound to.
    fn unseen(&self, story: &Story<'_>, by: &Known) -> Vec<CityCode> {
        let shown = |(city, bytes): &(&CityCode, &Bytes32)| {
            let (revision, number) = story.revision;
            let reveal = self.newest((**city, revision), by, |word| match word {
                PlanWord::DrawRevealed { draw, random } if Some(*draw) == story.draw => {
                    (bound_by(self.subject, number, **city, random) == **bytes).then_some(())
                }
                _ => None,
            });
            reveal.is_some()
        };
        let silent = story.bound.iter().filter(|one| !shown(one));
        silent.map(|(city, _)| *city).collect()
    }

    /// Some have not shown their parts, and just those are named.
    fn all_silent(&self, story: &Story<'_>, by: &Known, named: &[CityCode]) -> Result<(), String> {
        let Targets::Draw(rule) = &story.facts.targets else { return Err("no draw".to_owned()) };
        let silent = self.unseen(story, by);
        let again = silent.iter().any(|city| story.withheld.contains(city));
        if silent.is_empty() || silent != named {
            return Err(format!("{silent:?} are silent, not {named:?}"));
        }
        match (again && rule.spares_withholders) || story.attempt >= PLAN_DRAWS_MAX {
            true => Err("drawn too often".to_owned()),
            false => Ok(()),
        }
    }

    /// Of each that has not gone, the newest word that its results are in is named.
    fn all_results(&self, story: &Story<'_>, by: &Known, named: &[Position]) -> Result<(), String> {
        let mut owed = Vec::new();
        for city in cities(story.facts) {
            let key = (city, story.revision.0);
            if let Some((_, Answer::Withdraw)) = self.newest(key, by, as_answer) {
                continue;
            }
            let said = self.newest(key, by, |word| match word {
                PlanWord::ResultsReported => Some(()),
                _ => None,
            });
            let Some(((_, at), ())) = said else { return Err(format!("{city} owes its results")) };
            owed.push(at);
        }
        if owed == named { Ok(()) } else { Err(format!("{owed:?}, not {named:?}")) }
    }
}

/// What a revision before rested on is void, but for the names.
fn revised<'a>(story: &mut Story<'a>, at: Position, facts: &'a PlanFacts) {
    story.answers.clear();
    story.bound.clear();
    story.used.clear();
    (story.attempt, story.draw) = (0, None);
    (story.stage, story.facts) = (PlanStage::Open, facts);
    story.revision = (at, story.revision.1 + 1);
}
