//! The eight sample plans, each from its proposal to the state that is recorded of it, by commands
//! that a node would decide on.
//!
//! The samples say days, not half days: both halves are taken. Their pools become pools of a joint
//! draw, so other sites are drawn than by the seeds they publish; the numbers are theirs.

use serde_json::Value;

use super::answer::{Said, answer_that_counts, sent_that_counts};
use super::decide::*;
use super::lots::{Outcome, PoolSite, officers_of, outcome, pool_digest};
use super::results::totals;
use super::*;
use crate::domain::draw::{Randomness, commitment};
use crate::domain::half_day::Period;
use crate::domain::site::{CheckMode, LeftOut, Listing, ListingStatus};
use crate::ids::Hash;

const PLANS: &str = include_str!("../../../../demo/sample-plans.json");
const MEMBERS: [u32; 5] = [130_400, 370_900, 371_400, 371_500, 410_900];

fn hashed(text: &str) -> SubjectId {
    let hash = Hash::of(&[text.as_bytes()]);
    SubjectId::new(std::array::from_fn(|place| hash.as_bytes()[place]))
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[][..], Vec::as_slice)
}

fn city_of(text: &str) -> CityCode {
    CityCode::parse(text).unwrap()
}

fn random(code: CityCode) -> Randomness {
    *Hash::of(&[b"sample", &code.as_u32().to_be_bytes()]).as_bytes()
}

fn department(code: &str) -> Department {
    match code {
        "EEB" => Department::EcologyEnvironment,
        "MKT" => Department::MarketSupervision,
        "HUD" => Department::Housing,
        "WRD" => Department::Water,
        "PSB" => Department::PublicSecurity,
        "HLT" => Department::Health,
        other => panic!("{other}"),
    }
}

fn facts_of(sample: &Value, pool: &[PoolSite]) -> PlanFacts {
    let days = texts(&sample["operation_days"]).into_iter().flat_map(|on| {
        let halves = Period::day(date(on)).half_days();
        halves.map(|at| PlanDay { at, overtime: false })
    });
    let weights = TierWeights { key: 1, general: 1, special: 1 };
    let targets = match sample["draw"].is_object() {
        false => Targets::None,
        true => Targets::Draw(DrawRule {
            sites: list(&sample["targets"]).len() as u32,
            host_officers: 2,
            guest_officers: 1,
            weights,
            pool: pool_digest(pool),
            pool_size: pool.iter().filter(|one| one.left_out.is_none()).count() as u32,
            spares_withholders: false,
        }),
    };
    let needs = |code: &str| {
        let team = list(&sample["teams"]).iter().find(|team| team["city"] == code);
        let count = |kind, count: u64| Need { kind, department: None, count: count as u32 };
        let all = team.map(|team| {
            let number = |key: &str| team[key].as_u64().unwrap();
            let officers = list(&team["officers"]).len() as u64;
            let vehicles = count(UnitKind::Vehicle, number("vehicles"));
            vec![count(UnitKind::Officer, officers), vehicles, count(UnitKind::Uav, number("uav"))]
        });
        all.unwrap_or_default().into_iter().filter(|need| need.count > 0).collect()
    };
    let cities = texts(&sample["participants"])
        .into_iter()
        .map(|code| PlanCity { city: city_of(code), needs: needs(code) });
    let departments = list(&sample["departments"]);
    PlanFacts {
        kind: PlanKind::parse(sample["type"].as_str().unwrap()).unwrap(),
        cities: cities.collect(),
        departments: departments
            .iter()
            .map(|one| department(one["code"].as_str().unwrap()))
            .collect(),
        days: days.collect(),
        targets,
    }
}

/// A plan on its way.
struct Course<'a> {
    sample: &'a Value,
    id: SubjectId,
    world: World,
    said: BTreeMap<CityCode, Vec<(u64, PlanAct)>>,
    random: BTreeMap<CityCode, Randomness>,
}

impl Course<'_> {
    fn begin(sample: &Value) -> Course<'_> {
        let one = |uscc: &str, left_out| PoolSite {
            site: hashed(uscc),
            city: city_of(&format!("{}00", &uscc[2..6])),
            tier: SiteTier::Key,
            left_out,
        };
        let pool = texts(&sample["draw"]["pool"]).into_iter().map(|uscc| one(uscc, None));
        let listed = texts(&sample["draw"]["excluded_positive_list"]).into_iter();
        let listed = listed.map(|uscc| one(uscc, Some(LeftOut::PositiveList)));
        let pool: Vec<PoolSite> = pool.chain(listed).collect();
        let mut world = World::new();
        world.today = date(sample["created_on"].as_str().unwrap());
        (world.answers, world.sent, world.units) = <_>::default();
        world.sites = pool
            .iter()
            .map(|one| {
                let listed = one.left_out.map(|_| Listing {
                    status: ListingStatus::Active,
                    admitted_on: date("2025-01-01"),
                    expires_on: date("2027-12-31"),
                    removed_for: None,
                    monitoring: Vec::new(),
                });
                let listings = listed.into_iter().collect();
                (one.site, SiteStanding { listings, ..standing(one.city) })
            })
            .collect();
        let initiator = city_of(sample["initiator"].as_str().unwrap());
        let World { calendar, term, today, rules, .. } = &world;
        let time = Time { calendar, term: *term, today: *today, rules };
        let members = MEMBERS.map(city);
        let mv = decide_open(initiator, facts_of(sample, &pool), &members, time).unwrap();
        let PlanMove::Opened { facts } = mv else { panic!("opened") };
        world.plan = open(initiator, (rev(1), &facts), &members).unwrap();
        world.pool = pool;
        let id = hashed(sample["plan_id"].as_str().unwrap());
        Course { sample, id, world, said: BTreeMap::new(), random: BTreeMap::new() }
    }

    fn say(&mut self, by: CityCode, word: PlanWord) {
        let act = says(1, word);
        answer::fits(by, &act, &self.world.plan.found(rev(1), Some(by))).unwrap();
        let said = self.said.entry(by).or_default();
        said.push((said.len() as u64, act));
        let world = &mut self.world;
        let said = self.said[&by].iter().map(|(place, act)| Said { place: *place, act });
        if let Some((_, answer)) = answer_that_counts(rev(1), said.clone()) {
            world.answers.insert(by, answer.kind());
        }
        if let Some((_, sent)) = sent_that_counts(rev(1), said) {
            world.sent.insert(by, sent.clone());
        }
    }

    fn seen(&self) -> Seen {
        let mut seen = Seen { revealed: self.world.revealed.clone(), ..Seen::default() };
        for (log, (by, said)) in (0..).zip(&self.said) {
            for (place, act) in said {
                let here = at(log, *place);
                match &act.word {
                    PlanWord::Answered(answer) => {
                        seen.answers.insert(*by, (here, answer.kind()));
                    }
                    PlanWord::DrawCommitted { commitment, .. } => {
                        seen.commitments.insert(*by, (here, *commitment));
                    }
                    PlanWord::ResultsReported => {
                        seen.results.insert(*by, here);
                    }
                    PlanWord::UnitsSwapped(_)
                    | PlanWord::DrawRevealed { .. }
                    | PlanWord::CheckedIn(_)
                    | PlanWord::VisitReported(_)
                    | PlanWord::FindingOpened { .. }
                    | PlanWord::UnitsReleased
                    | PlanWord::AnswerResolved { .. } => {}
                }
            }
        }
        seen
    }

    /// The units of a city's team, as the sample names them; missing numbers are derived.
    fn sent(&mut self, code: CityCode) -> Sent {
        let text = code.to_string();
        let team = list(&self.sample["teams"]).iter().find(|team| team["city"] == text.as_str());
        let mut units = Vec::new();
        let mut add = |kind, name: String| {
            let valid = (Some(date("2024-01-01")), Some(date("2028-12-31")));
            let (department, retired) = (Department::EcologyEnvironment, false);
            let taken = BTreeSet::new();
            let standing = UnitStanding { city: code, kind, department, valid, retired, taken };
            self.world.units.insert(hashed(&name), standing);
            units.push(hashed(&name));
        };
        if let Some(team) = team {
            texts(&team["officers"]).iter().for_each(|no| add(UnitKind::Officer, (*no).to_owned()));
            for (kind, key) in [(UnitKind::Vehicle, "vehicles"), (UnitKind::Uav, "uav")] {
                for number in 0..team[key].as_u64().unwrap() {
                    add(kind, format!("{code} {key} {number}"));
                }
            }
        }
        units.sort_unstable();
        // Officers who were left out take no part at all.
        let recused = texts(&self.sample["draw"]["recused_officers"][&text]).into_iter();
        let recused = recused.map(|no| Recusal { officer: hashed(no), site: None });
        let mut recusals: Vec<Recusal> = recused.collect();
        recusals.sort_unstable();
        Sent { recusals, ..sent_of(&units) }
    }

    fn answers(&mut self) {
        let sample = self.sample;
        for word in list(&sample["confirmations"]) {
            let by = city_of(word["city"].as_str().unwrap());
            self.world.today = date(word["on"].as_str().unwrap());
            let answer = match word["decision"].as_str().unwrap() {
                "CONFIRMED" => Answer::Confirm { sent: self.sent(by) },
                "CHANGES_REQUESTED" => Answer::ChangesRequested,
                "DECLINED" => Answer::Decline,
                other => panic!("{other}"),
            };
            if let Answer::Confirm { sent } = &answer {
                self.world.sent.insert(by, sent.clone());
            }
            decide_answer(&self.world.look(), by, (rev(1), &answer), None).unwrap();
            let confirms = answer.kind() == AnswerKind::Confirm;
            self.say(by, PlanWord::Answered(answer));
            if confirms && self.world.plan.facts.draw().is_some() {
                let bound = commitment(self.id, 1, by, &random(by));
                let now = (&PlanRules::default(), self.world.today);
                let fresh =
                    Bound { committed: false, revealed: false, withheld: false, lost: false };
                decide_commit(&self.world.plan, by, (rev(1), 1), fresh, now).unwrap();
                self.say(by, PlanWord::DrawCommitted { attempt: 1, commitment: bound });
                self.world.committed.insert(by);
            }
        }
    }

    fn go(&mut self, mv: &PlanMove) {
        let (plan, seen) = (&self.world.plan, self.seen());
        self.world.plan =
            next(plan, plan.initiator, (at(9, 2), mv), &seen, &MEMBERS.map(city)).unwrap();
    }

    fn schedule(&mut self) {
        let (by, seen) = (self.world.plan.initiator, self.seen());
        let mv = decide_schedule(&self.world.look(), by, &seen, &MEMBERS.map(city)).unwrap();
        self.go(&mv);
    }

    fn reveal_and_begin(&mut self) -> Outcome {
        self.world.today = self.world.plan.facts.days[0].at.on;
        let cities: Vec<CityCode> = self.world.plan.facts.participants().collect();
        for by in &cities {
            let (shown, now) = (random(*by), (&PlanRules::default(), self.world.today));
            let draw = self.world.plan.resting.draw.unwrap();
            let (plan, none) = ((self.id, &self.world.plan), BTreeSet::new());
            decide_reveal(plan, *by, (draw, &shown), &none, now).unwrap();
            self.say(*by, PlanWord::DrawRevealed { draw, random: shown });
            self.random.insert(*by, shown);
            self.world.revealed.insert(*by);
        }
        let registered =
            |unit: SubjectId| self.world.units.get(&unit).map(|one| (one.city, one.kind));
        let sent = officers_of(&self.world.sent, &registered);
        let World { plan, pool, .. } = &self.world;
        let drawn = outcome(self.id, plan, pool, &self.random, &sent).unwrap();
        let visit = |one: &lots::Target| ReadyVisit {
            site: one.site,
            half_days: vec![one.at],
            exception: None,
            by_default: one.by_default,
        };
        self.world.drawn = drawn.targets.iter().map(visit).collect();
        let by = self.world.plan.initiator;
        let mv = decide_begin(&self.world.look(), by, &MEMBERS.map(city)).unwrap();
        self.go(&mv);
        drawn
    }

    /// Reports of as many sites as the sample says, that come to its numbers.
    fn report(&mut self, drawn: &Outcome) -> Vec<(CityCode, VisitReport)> {
        let number = |key: &str| self.sample["results"][key].as_u64().unwrap() as u32;
        let (mut problems, mut samples) = (number("problems_found"), number("joint_samples"));
        let mut clues = number("clues_opened");
        let (sites, joint) = (number("sites_checked") as usize, number("one_entry_multi_checks"));
        let departments = self.world.plan.facts.departments.clone();
        let mut reports = Vec::new();
        for (place, target) in (0..).zip(drawn.targets.iter().take(sites)) {
            let count = if place < joint { 2 } else { 1 };
            let found = std::mem::take(&mut problems);
            let check = |(place, department): (usize, &Department)| DepartmentCheck {
                department: *department,
                items: 10,
                problems: if place == 0 { found } else { 0 },
            };
            let checks = departments.iter().take(count).enumerate().map(check).collect();
            reports.push((
                target.host,
                VisitReport {
                    site: target.site,
                    nth: 0,
                    on: target.at.on,
                    outcome: VisitOutcome::Checked,
                    mode: CheckMode::OnSite,
                    checks,
                    samples: std::mem::take(&mut samples),
                    clues: std::mem::take(&mut clues),
                },
            ));
        }
        self.world.today = self.world.plan.facts.days.last().unwrap().at.on;
        for (by, report) in &reports {
            let here = Visited { host: Some(*by), visits: 1 };
            let now = (&PlanRules::default(), self.world.today);
            decide_report(&self.world.plan, *by, report, here, now).unwrap();
            self.say(*by, PlanWord::VisitReported(report.clone()));
        }
        reports
    }
}

/// Plays a sample as far as it went; what people are shown at its end.
fn play(sample: &Value) -> PlanState {
    let mut course = Course::begin(sample);
    let members = MEMBERS.map(city);
    course.answers();
    let want = sample["state"].as_str().unwrap();
    let by = course.world.plan.initiator;
    let scheduled = ["SCHEDULED", "EXECUTING", "RESULTS_REPORTED", "SUMMARIZED"].contains(&want);
    if scheduled {
        course.schedule();
    } else {
        // Not one of those that went no further could have been scheduled.
        let early = decide_schedule(&course.world.look(), by, &course.seen(), &members);
        assert_eq!(early.unwrap_err().reason() == "CALENDAR_UNKNOWN", want == "CONSULTING");
    }
    let mut all_in = false;
    if scheduled && want != "SCHEDULED" {
        let drawn = course.reveal_and_begin();
        let reports = course.report(&drawn);
        let targets = drawn.targets.iter().map(|one| one.site);
        let totals = totals(reports.iter().map(|(host, report)| (*host, report)), targets);
        let number = |key: &str| sample["results"][key].as_u64().unwrap() as u32;
        assert_eq!(totals.all.sites, number("sites_checked"));
        assert_eq!(totals.all.problems, number("problems_found"));
        assert_eq!(totals.samples, number("joint_samples"));
        assert_eq!(totals.clues, number("clues_opened"));
        assert_eq!(totals.not_checked as usize, drawn.targets.len() - reports.len());
        assert_eq!(totals.joint_checks, number("one_entry_multi_checks"));
        all_in = reports.len() == drawn.targets.len();
        let cities: Vec<CityCode> = course.world.plan.facts.participants().collect();
        for by in cities {
            let open = drawn.targets.iter().skip(reports.len()).filter(|one| one.host == by);
            let open: Vec<SubjectId> = open.map(|one| one.site).collect();
            let today = course.world.today;
            let done = decide_results(&course.world.plan, by, Ok(&open), today);
            assert_eq!(done.is_ok(), open.is_empty());
            if done.is_ok() {
                course.say(by, PlanWord::ResultsReported);
            }
        }
    }
    if want == "SUMMARIZED" {
        let mv = decide_summarize(&course.world.plan, by, &course.seen(), &members).unwrap();
        course.go(&mv);
    }
    if want == "CANCELLED" {
        let plan = &course.world.plan;
        let mv = decide_plain(plan, by, PlanMove::Cancelled, false, &members).unwrap();
        course.go(&mv);
    }
    shown(&course.world.plan, course.world.answers.values().copied(), all_in)
}

#[test]
fn all_eight_sample_plans_reach_their_recorded_states() {
    let all: Value = serde_json::from_str(PLANS).unwrap();
    let plans = list(&all["plans"]);
    assert_eq!(plans.len(), 8);
    for sample in plans {
        let state = play(sample);
        assert_eq!(state.code(), sample["state"].as_str().unwrap(), "{}", sample["plan_id"]);
    }
}
