//! Visits of a plan for answers: who came, what came of it in numbers and in words, how it was
//! keyed in, what is followed up, and what is not as the draw had it.
//!
//! In scope: reading. Out of scope: the rest of a plan ([`super::plan_read`]), which visits there
//! are ([`crate::node::plan_look`]).

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;

use super::plan_read::{number, texts};
use super::plan_service::PlanApi;
use super::words::record_name;
use crate::api::request::PartContent;
use crate::domain::plan::arrivals::{at_several, exchanged, unlike, without_arrival};
use crate::domain::plan::decide::{is_afterwards, is_late};
use crate::domain::plan::lots::named_although_revealed;
use crate::domain::plan::ready::Remark;
use crate::domain::plan::{CheckIn, PlanWord, VisitReport};
use crate::domain::{Date, UnitKind};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::limits::{PLAN_CASES_SHOWN_MAX, PLAN_VISITS_BYTES_MAX};
use crate::log::{PartKind, PartSlot};
use crate::node::plan_look::{Desk, Looked, PlanKey, PlanVisit};
use crate::node::reader::Reader;
use crate::view::{self, CaseFinding, PlanView, Spoken, WordSort};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_call as call;
use crate::wire::plan_shown as write;
use crate::wire::status::Refused;
use crate::wire::{site, unit};

/// A visit: its site, and which one there.
type Place = (SubjectId, u32);

/// The newest that was keyed in of each visit.
pub(super) type Keyed<T> = BTreeMap<Place, KeyedIn<T>>;

/// Something that was keyed in of a visit.
pub(super) struct KeyedIn<T> {
    /// By whom.
    pub(super) city: CityCode,
    /// What.
    pub(super) said: T,
    at: Position,
    record_time_ms: i64,
    /// How many earlier ones it corrects.
    corrections: u32,
}

/// Cases opened from a visit.
type Followed = BTreeMap<Place, BTreeSet<SubjectId>>;

/// The text of an entry.
enum Words {
    None,
    Here(String),
    Erased,
    Missing,
}

impl PlanApi {
    /// What the cities have reported of visits, the newest of each.
    pub(super) fn reports(&self, key: PlanKey, found: &PlanView) -> Keyed<VisitReport> {
        self.keyed(key, found, WordSort::Report, &|word| {
            let PlanWord::VisitReported(report) = word else { return None };
            Some(((report.site, report.nth), report))
        })
    }

    /// Who has come to each visit.
    pub(super) fn arrivals(&self, key: PlanKey, found: &PlanView) -> Keyed<CheckIn> {
        self.keyed(key, found, WordSort::CheckIn, &|word| {
            let PlanWord::CheckedIn(arrival) = word else { return None };
            Some(((arrival.site, arrival.nth), arrival))
        })
    }

    fn keyed<T>(
        &self,
        key: PlanKey,
        found: &PlanView,
        sort: WordSort,
        of: &dyn Fn(PlanWord) -> Option<(Place, T)>,
    ) -> Keyed<T> {
        let mut all: Keyed<T> = BTreeMap::new();
        self.each_word(key, found, sort, &mut |spoken| {
            let Spoken { city, place: stands, record_time_ms, act } = spoken;
            let Some((place, said)) = of(act.word) else { return };
            let one = KeyedIn { city, said, at: stands.at, record_time_ms, corrections: 0 };
            let known = all.entry(place);
            known.and_modify(|newest| newest.corrections += 1).or_insert(one);
        });
        all
    }

    /// Cases opened from each visit.
    pub(super) fn followed(&self, key: PlanKey, found: &PlanView) -> Followed {
        let mut cases = Followed::new();
        self.each_word(key, found, WordSort::Finding, &mut |spoken| {
            if let PlanWord::FindingOpened { site, nth, case: Some(case) } = spoken.act.word {
                cases.entry((site, nth)).or_default().insert(case);
            }
        });
        cases
    }

    /// What the cities have said of a sort to the present revision, of each the newest first.
    fn each_word(
        &self,
        key: PlanKey,
        found: &PlanView,
        sort: WordSort,
        take: &mut dyn FnMut(Spoken),
    ) {
        let reader = self.desk.node.reader();
        let rows = reader.in_pieces();
        for city in found.plan.facts.participants() {
            view::plan_words(&rows, key, (sort, city), Some(found.plan.at), &mut |spoken| {
                take(spoken);
                true
            });
        }
    }

    /// Writes the visits as far as there is room, then what was said of them in words.
    pub(super) fn add_visits(
        &self,
        key: PlanKey,
        looked: &Looked,
        (arrivals, reports): (&Keyed<CheckIn>, &Keyed<VisitReport>),
        plan: &mut pb::Plan,
    ) {
        let reader = self.desk.node.reader();
        let cases = self.followed(key, &looked.view);
        let ended_ms = ended_ms(&reader, &looked.view);
        let targets = looked.outcome.iter().flat_map(|outcome| &outcome.targets);
        let teams: BTreeMap<SubjectId, _> =
            targets.map(|one| (one.site, (&one.lead, &one.guests))).collect();
        let units = |ids: &[SubjectId]| ids.iter().map(|id| unit::name_of(key.0, *id)).collect();
        let visit = |visit: &PlanVisit| {
            let place = (visit.site, visit.nth);
            let (arrival, report) = (arrivals.get(&place), reports.get(&place));
            let team = teams.get(&visit.site);
            let followed = cases.get(&place).into_iter().flatten().take(PLAN_CASES_SHOWN_MAX);
            let entry = (&looked.view, ended_ms);
            pb::PlanVisit {
                site: site::name_of(key.0, visit.site),
                city: looked.host(visit.site).map_or(0, |city| city.as_u32()),
                nth: visit.nth,
                first: visit.half_days.first().map(|at| unit::half_day_to_pb(*at)),
                last: visit.half_days.last().map(|at| unit::half_day_to_pb(*at)),
                exception: write::exception_number(visit.exception),
                by_default: visit.by_default,
                lead: team.map(|(lead, _)| units(lead)).unwrap_or_default(),
                guests: team.map(|(_, guests)| units(guests)).unwrap_or_default(),
                arrival: arrival.map(|one| write::arrival_to_pb(&one.said, key.0)),
                arrival_entry: arrival.map(|one| one.entry(one.said.on, entry)),
                result: report.map(|one| write::report_to_pb(&one.said)),
                result_entry: report.map(|one| one.entry(one.said.on, entry)),
                cases: followed.map(|case| read::name_of(key.0, *case)).collect(),
                ..pb::PlanVisit::default()
            }
        };
        let (mut bytes, mut said) = (0, Vec::new());
        for one in looked.visits() {
            let shown = visit(&one);
            bytes += shown.encoded_len();
            if bytes > PLAN_VISITS_BYTES_MAX {
                plan.visits_are_partial = true;
                break;
            }
            plan.visits.push(shown);
            said.push(reports.get(&(one.site, one.nth)).map(|one| one.at));
        }
        for (shown, at) in plan.visits.iter_mut().zip(said) {
            match at.map_or(Words::None, |at| words(&reader, at)) {
                Words::None => {}
                Words::Here(text) if bytes + text.len() <= PLAN_VISITS_BYTES_MAX => {
                    bytes += text.len();
                    shown.text = text;
                }
                Words::Here(_) => {
                    (shown.text_is_missing, plan.visits_are_partial) = (true, true);
                }
                Words::Erased => shown.text_is_erased = true,
                Words::Missing => shown.text_is_missing = true,
            }
        }
    }

    /// What is not as the draw had it: teams, and who is named as withholding.
    pub(super) fn unlike_the_draw(
        &self,
        key: PlanKey,
        looked: &Looked,
        arrivals: &Keyed<CheckIn>,
    ) -> Result<Vec<Remark>, Refused> {
        let (found, reader) = (&looked.view, self.desk.node.reader());
        let mut shown = Vec::new();
        // Also what was shown for revisions before, by whoever takes part no more.
        for city in &found.plan.resting.withheld {
            let words = (WordSort::Reveal, *city);
            view::plan_words(&reader.in_pieces(), key, words, None, &mut |spoken| {
                if let PlanWord::DrawRevealed { random, .. } = spoken.act.word {
                    shown.push((spoken.city, spoken.act.revision, random));
                }
                true
            });
        }
        let cities = named_although_revealed(key.1, &found.plan, shown).into_iter();
        let mut all: Vec<Remark> = cities.map(|city| Remark::ShownAllTheSame { city }).collect();
        let Some(outcome) = &looked.outcome else { return Ok(all) };
        let (journal, rows) = (reader.journal(), reader.in_pieces());
        let (own, today) = (self.desk.node.city(), self.today()?);
        let (agreements, rules) = (&[][..], self.desk.node.plan_rules());
        let desk = Desk { rows: &rows, journal: &journal, own, most: 0, agreements, today, rules };
        let sent = desk.all_last_sent(key, found);
        let arrived: Vec<&CheckIn> = arrivals.values().map(|one| &one.said).collect();
        let able = |city: CityCode, officer: SubjectId, on: Date| {
            let unit = view::unit(&rows, key.0, officer);
            unit.is_some_and(|one| {
                let serves = one.unit.city == city && one.unit.kind == UnitKind::Officer;
                serves && one.facts.counts_on(on)
            })
        };
        all.extend(exchanged(&found.plan, outcome, &arrived, &sent));
        all.extend(unlike(&found.plan, outcome, &arrived, &|city| sent.get(&city), &able));
        Ok(all)
    }

    /// What is to be said of who was where, by draw or not.
    pub(super) fn of_arrivals(
        looked: &Looked,
        (arrivals, reports): (&Keyed<CheckIn>, &Keyed<VisitReport>),
    ) -> Vec<Remark> {
        let arrived: Vec<&CheckIn> = arrivals.values().map(|one| &one.said).collect();
        let visits = looked.visits();
        let half_days = |site: SubjectId, nth: u32| {
            let visit = visits.iter().find(|one| (one.site, one.nth) == (site, nth));
            visit.map(|one| one.half_days.clone()).unwrap_or_default()
        };
        let mut all = at_several(&looked.view.plan, &arrived, &half_days);
        all.extend(without_arrival(reports.values().map(|one| &one.said), &arrived));
        all
    }
}

impl<T> KeyedIn<T> {
    fn entry(&self, on: Date, (found, ended_ms): (&PlanView, Option<i64>)) -> pb::VisitEntry {
        let behind_end = ended_ms.is_some_and(|ended| ended < self.record_time_ms);
        let recorded = Date::beijing(self.record_time_ms).map(|day| (day, behind_end));
        pb::VisitEntry {
            entry: self.at.to_string(),
            record_time: Some(read::timestamp(self.record_time_ms)),
            afterwards: recorded.is_some_and(|day| is_afterwards(&found.plan, on, day)),
            corrections: self.corrections,
        }
    }
}

/// The visits that led to a case.
pub(super) fn findings(
    reader: &Reader,
    (agreement, case): (AgreementId, SubjectId),
) -> Vec<pb::CaseFinding> {
    let found = view::case_findings(&reader.view(), agreement, case, PLAN_CASES_SHOWN_MAX);
    let shown = |one: CaseFinding| {
        let plan = view::plan(&reader.view(), agreement, one.plan)?;
        let record = texts(reader, plan.record_at);
        Some(pb::CaseFinding {
            plan: call::name_of(agreement, one.plan),
            plan_number: number(reader, plan.opened_at),
            plan_title: record.map(|record| record.title).unwrap_or_default(),
            site: site::name_of(agreement, one.site),
            site_name: record_name(reader, agreement, one.site),
            nth: one.nth,
        })
    };
    found.into_iter().filter_map(shown).collect()
}

/// When the plan was ended, by the clock of whoever did it.
fn ended_ms(reader: &Reader, found: &PlanView) -> Option<i64> {
    let ended = is_late(&found.plan).then(|| reader.entry(found.last_move).ok()).flatten();
    ended.map(|one| one.entry.envelope.record_time_ms)
}

/// What an entry says in words, if anything.
fn words(reader: &Reader, at: Position) -> Words {
    let Ok(loaded) = reader.entry(at) else { return Words::Missing };
    let mut kinds = loaded.entry.envelope.parts.iter();
    let Some(place) = kinds.position(|part| part.kind == PartKind::Text) else {
        return Words::None;
    };
    match (reader.part(&loaded.entry, place), loaded.entry.parts.get(place)) {
        (Ok(Some(PartContent::Text(text))), _) => Words::Here(text),
        (_, Some(PartSlot::ErasedBy(_))) => Words::Erased,
        (_, _) => Words::Missing,
    }
}
