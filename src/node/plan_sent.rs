//! What a city sends to a plan, by what it has said so far.
//!
//! In scope: which of its words counts. Out of scope: the units themselves
//! ([`super::plan_look`]), what is booked ([`crate::view::booked`]).
//!
//! Invariants:
//! 1. A recusal that was declared holds until it is taken back by name.
//!    (`f19_a_recusal_outlasts_the_next_word_about_units`)

use std::collections::BTreeMap;

use crate::domain::plan::{AnswerKind, PlanWord, Recusal, Sent};
use crate::ids::{CityCode, Position};
use crate::journal::Disk;
use crate::node::plan_look::{Desk, PlanKey};
use crate::view::{self, Place, PlanView, ReadRows, WordSort};

impl<R: ReadRows, D: Disk> Desk<'_, R, D> {
    /// What a city that has confirmed sends, as it counts now.
    pub(super) fn sent_by(&self, key: PlanKey, view: &PlanView, city: CityCode) -> Option<Sent> {
        let booked = view::booked(self.rows, key, city)?;
        let counts = booked.revision == view.plan.at;
        counts.then(|| self.last_sent(key, view, city)).flatten()
    }

    /// What a city that has confirmed said last that it sends, its units free again or not.
    #[must_use]
    pub fn last_sent(&self, key: PlanKey, view: &PlanView, city: CityCode) -> Option<Sent> {
        let revision = view.plan.at;
        let (place, kind) = *view.heard.answers.get(&city)?;
        if kind != AnswerKind::Confirm {
            return None;
        }
        let mut found = None;
        view::plan_words(self.rows, key, (WordSort::Swap, city), Some(revision), &mut |spoken| {
            if let PlanWord::UnitsSwapped(sent) = spoken.act.word
                && spoken.place > place
            {
                found = Some(sent);
            }
            false
        });
        found.or_else(|| self.confirmed(key, (revision, place.at), city))
    }

    /// The same of all cities.
    #[must_use]
    pub fn all_last_sent(&self, key: PlanKey, view: &PlanView) -> BTreeMap<CityCode, Sent> {
        let cities = view.plan.facts.participants();
        cities.filter_map(|city| Some((city, self.last_sent(key, view, city)?))).collect()
    }

    /// What a city sends by one confirmation.
    pub(super) fn confirmed(
        &self,
        key: PlanKey,
        (revision, at): (Position, Position),
        city: CityCode,
    ) -> Option<Sent> {
        let mut found = None;
        view::plan_words(self.rows, key, (WordSort::Answer, city), Some(revision), &mut |spoken| {
            if spoken.place.at != at {
                return true;
            }
            if let PlanWord::Answered(answer) = &spoken.act.word {
                found = answer.sent().cloned();
            }
            false
        });
        found
    }

    /// Who of a city is not to go where, by its newest word that sends anybody; also when another
    /// answer has come since, and when the plan was revised: a recusal holds until it is taken back
    /// by name.
    #[must_use]
    pub fn declared(&self, key: PlanKey, view: &PlanView, city: CityCode) -> Vec<Recusal> {
        let revisions = view.plan.rounds.iter().rev();
        let mut words = revisions.map(|round| self.declared_to(key, round.at, city));
        words.find_map(|said| said).unwrap_or_default()
    }

    /// The same by the words to one revision; `None` where none of them sends anybody.
    fn declared_to(
        &self,
        key: PlanKey,
        revision: Position,
        city: CityCode,
    ) -> Option<Vec<Recusal>> {
        let mut newest: Option<(Place, Vec<Recusal>)> = None;
        for sort in [WordSort::Answer, WordSort::Swap] {
            let of = (sort, city);
            view::plan_words(self.rows, key, of, Some(revision), &mut |spoken| {
                let sent = if let PlanWord::Answered(answer) = &spoken.act.word {
                    answer.sent()
                } else if let PlanWord::UnitsSwapped(sent) = &spoken.act.word {
                    Some(sent)
                } else {
                    None
                };
                let Some(sent) = sent else { return true };
                if newest.as_ref().is_none_or(|(place, _)| *place < spoken.place) {
                    newest = Some((spoken.place, sent.recusals.clone()));
                }
                false
            });
        }
        newest.map(|(_, recusals)| recusals)
    }
}
