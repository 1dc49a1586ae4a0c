//! Answers to a plan as they are shown: what was said, what is sent now, what became of it.
//!
//! In scope: the answers that count, all answers in the order they are shown. Out of scope: the
//! plan around them ([`super::plan_read`]).

use std::collections::BTreeMap;

use prost::Message;

use super::plan_read::text;
use super::plan_service::PlanApi;
use crate::domain::plan::{Answer, PlanWord, Resolution, Sent};
use crate::ids::{CityCode, Position};
use crate::limits::PLAN_ANSWERS_SHOWN_MAX;
use crate::node::plan_look::PlanKey;
use crate::view::{self, PlanView, Spoken, WordSort};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_shown as write;

impl PlanApi {
    /// The answers that count, of each city the newest.
    pub(super) fn answers(&self, key: PlanKey, found: &PlanView) -> Vec<pb::PlanAnswer> {
        let reader = self.desk.node.reader();
        let resolutions = self.resolutions(key, found, Some(found.plan.at));
        let mut spoken: Vec<Spoken> = Vec::new();
        for (city, (place, _)) in &found.heard.answers {
            let at = (found.plan.at, *place);
            spoken.extend(view::plan_word_at(&reader.view(), key, (WordSort::Answer, *city), at));
        }
        let answer = |one: &Spoken| self.answer(key, found, one, &resolutions);
        spoken.iter().filter_map(answer).collect()
    }

    /// All answers to all revisions that `room` bytes have place for: those to the newest revision
    /// first, of each city its newest in turn. No clock orders them, so none crowds others out.
    pub(super) fn all_answers(&self, key: PlanKey, room: usize) -> Vec<pb::PlanAnswer> {
        let reader = self.desk.node.reader();
        let Some(found) = view::plan(&reader.view(), key.0, key.1) else { return Vec::new() };
        let mut spoken: Vec<Spoken> = Vec::new();
        for round in found.plan.rounds.iter().rev() {
            if spoken.len() >= PLAN_ANSWERS_SHOWN_MAX {
                break;
            }
            let mut cities: Vec<_> = round
                .cities
                .iter()
                .map(|city| self.said(key, *city, round.at).into_iter().peekable())
                .collect();
            while cities.iter_mut().any(|words| words.peek().is_some()) {
                spoken.extend(cities.iter_mut().filter_map(Iterator::next));
            }
        }
        spoken.truncate(PLAN_ANSWERS_SHOWN_MAX);
        let resolutions = self.resolutions(key, &found, None);
        let (mut shown, mut bytes) = (Vec::new(), 0);
        for one in &spoken {
            let Some(answer) = self.answer(key, &found, one, &resolutions) else { continue };
            bytes += answer.encoded_len();
            if bytes > room {
                break;
            }
            shown.push(answer);
        }
        shown
    }

    /// What a city has said to a revision, the newest first, as far as it is shown.
    fn said(&self, key: PlanKey, city: CityCode, revision: Position) -> Vec<Spoken> {
        let reader = self.desk.node.reader();
        let rows = reader.in_pieces();
        let mut said: Vec<Spoken> = Vec::new();
        for sort in [WordSort::Answer, WordSort::Comment] {
            let mut left = PLAN_ANSWERS_SHOWN_MAX;
            view::plan_words(&rows, key, (sort, city), Some(revision), &mut |one| {
                said.push(one);
                left -= 1;
                left > 0
            });
        }
        said.sort_by_key(|one| std::cmp::Reverse(one.place));
        said
    }

    fn answer(
        &self,
        key: PlanKey,
        found: &PlanView,
        spoken: &Spoken,
        resolutions: &BTreeMap<Position, (Resolution, Position)>,
    ) -> Option<pb::PlanAnswer> {
        let reader = self.desk.node.reader();
        let PlanWord::Answered(answer) = &spoken.act.word else { return None };
        let facts = view::plan_facts_at(&reader.view(), spoken.act.revision);
        let days = facts.map(|facts| facts.days).unwrap_or_default();
        let mut written = write::answer_to_pb((spoken.city, answer), key.0, &days);
        let at = spoken.place.at;
        written.entry = at.to_string();
        written.revision = spoken.act.revision.to_string();
        written.answer_time = Some(read::timestamp(spoken.record_time_ms));
        written.text = text(&reader, at);
        let newest = found.heard.answers.get(&spoken.city).map(|(place, _)| *place);
        written.counts = spoken.act.revision == found.plan.at && newest == Some(spoken.place);
        if written.counts
            && let Some((sent, at, when)) = self.swapped(key, spoken)
        {
            let now = write::sent_to_pb(&sent, key.0, &days);
            written.confirmed = written.sent.replace(now);
            (written.swap_entry, written.swap_time) = (at.to_string(), Some(read::timestamp(when)));
        }
        if let Some((resolution, by)) = resolutions.get(&at) {
            written.resolution = write::resolution_number(*resolution);
            written.resolution_text = text(&reader, *by);
        }
        Some(written)
    }

    /// What a city sends instead of what it had confirmed, by which entry, and when.
    fn swapped(&self, key: PlanKey, confirmed: &Spoken) -> Option<(Sent, Position, i64)> {
        let (city, revision) = (confirmed.city, Some(confirmed.act.revision));
        let PlanWord::Answered(Answer::Confirm { .. }) = confirmed.act.word else { return None };
        let mut found = None;
        let reader = self.desk.node.reader();
        view::plan_words(&reader.view(), key, (WordSort::Swap, city), revision, &mut |spoken| {
            if let PlanWord::UnitsSwapped(sent) = spoken.act.word
                && spoken.place > confirmed.place
            {
                found = Some((sent, spoken.place.at, spoken.record_time_ms));
            }
            false
        });
        found
    }

    /// What became of answers to a revision, or to all, by the newest entry that says so.
    fn resolutions(
        &self,
        key: PlanKey,
        found: &PlanView,
        revision: Option<Position>,
    ) -> BTreeMap<Position, (Resolution, Position)> {
        let reader = self.desk.node.reader();
        let rows = reader.in_pieces();
        let mut all = BTreeMap::new();
        let sort = (WordSort::Resolution, found.plan.initiator);
        // An answer is resolved in the revision it speaks of, of which the newest word comes first.
        view::plan_words(&rows, key, sort, revision, &mut |spoken| {
            if let PlanWord::AnswerResolved { answer, resolution } = spoken.act.word {
                all.entry(answer).or_insert((resolution, spoken.place.at));
            }
            true
        });
        all
    }
}
