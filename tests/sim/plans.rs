//! What somebody at a desk might do next about plans of joint action: propose one, move it, answer
//! it, take part in its draw, report its visits; mostly what helps it on, sometimes anything.

use liandong::api::plan::{PlanAsk, PlanAsked, PlanSaid, PlanStep};
use liandong::api::request::Command;
use liandong::domain::plan::lots::{PoolSite, pool_digest};
use liandong::domain::plan::{
    Answer, AnswerKind, DepartmentCheck, DrawRule, PlanCity, PlanDay, PlanDraft, PlanFacts,
    PlanKind, PlanRecord, PlanStage, PlanWord, PlannedVisit, Resolution, Sent, SentUnit, Targets,
    TierWeights, VisitOutcome, VisitReport,
};
use liandong::domain::site::CheckMode;
use liandong::domain::{Date, Department, Half, HalfDay, UnitKind};
use liandong::ids::{AgreementId, CityCode, Position, SubjectId};
use liandong::view::{self, PlanView, ReadRows, SiteView, UnitView, WordSort};

use super::rng::Rng;

/// Plans a person looks at.
const SHOWN: usize = 3;

/// The newest plans of an agreement.
pub fn newest(rows: &impl ReadRows, agreement: AgreementId) -> Vec<(SubjectId, PlanView)> {
    let mut all = Vec::new();
    view::plans_newest_first(rows, agreement, None, &mut |subject, plan| {
        all.push((subject, plan));
        all.len() < SHOWN
    });
    all
}

/// What somebody sees around plans.
pub struct Around<'a> {
    pub code: CityCode,
    pub members: &'a [CityCode],
    pub plans: Vec<(SubjectId, PlanView)>,
    pub units: Vec<(SubjectId, UnitView)>,
    pub sites: Vec<(SubjectId, SiteView)>,
    /// The newest report of the own city of each site, by the opening of its plan.
    pub reported: Vec<((Position, SubjectId), Position)>,
    pub text: String,
    pub today: Date,
}

/// What a city has reported of these plans, by site: the newest of each first.
pub fn reported(
    rows: &impl ReadRows,
    agreement: AgreementId,
    code: CityCode,
    plans: &[(SubjectId, PlanView)],
) -> Vec<((Position, SubjectId), Position)> {
    let mut all = Vec::new();
    for (subject, plan) in plans {
        let (key, sort) = ((agreement, *subject), (WordSort::Report, code));
        view::plan_words(rows, key, sort, Some(plan.plan.at), &mut |spoken| {
            if let PlanWord::VisitReported(report) = spoken.act.word {
                all.push(((plan.opened_at, report.site), spoken.place.at));
            }
            true
        });
    }
    all
}

/// A new plan, or something about one of these.
pub fn next(agreement: AgreementId, around: &Around<'_>, rng: &mut Rng) -> Command {
    let command = |subject, what| {
        let ask = Box::new(PlanAsk { subject, what });
        Command::Plan { agreement, ask }
    };
    if around.plans.is_empty() || rng.one_in(25) {
        let (facts, pool) = facts(around, rng);
        return command(
            None,
            PlanAsked::Open { facts, record: record(&around.text), pool, from: None },
        );
    }
    if !rng.one_in(6) {
        // Mostly what helps the newest plan on that this city can help on.
        let useful = around
            .plans
            .iter()
            .find_map(|(subject, plan)| Some((*subject, helpful(plan, around, rng)?)));
        if let Some((subject, what)) = useful {
            return command(Some(subject), what);
        }
    }
    let (subject, plan) = rng.pick(&around.plans);
    let what = if plan.plan.initiator == around.code && rng.one_in(2) {
        PlanAsked::Move { etag: plan.last_move, step: step(&plan, around, rng) }
    } else {
        let revision = if rng.one_in(12) { plan.opened_at } else { plan.plan.at };
        let word = said(&plan, around, rng);
        let text = rng.one_in(3).then(|| around.text.clone());
        PlanAsked::Say { revision, word, lifted: Vec::new(), text }
    };
    command(Some(subject), what)
}

/// What a plan awaits of a city; some withhold their part of a draw.
fn helpful(plan: &PlanView, around: &Around<'_>, rng: &mut Rng) -> Option<PlanAsked> {
    let (mine, code) = (plan.plan.initiator == around.code, around.code);
    if !plan.plan.facts.has(code) {
        return None;
    }
    let draws = plan.plan.facts.draw().is_some();
    let heard = &plan.heard;
    let confirmed = |city: CityCode| {
        heard.answers.get(&city).is_some_and(|(_, kind)| *kind == AnswerKind::Confirm)
    };
    let all = |is: &dyn Fn(CityCode) -> bool| plan.plan.facts.participants().all(is);
    let bound = |city: CityCode| !draws || heard.commitments.contains_key(&city);
    let shown = |city: CityCode| !draws || heard.revealed.contains(&city);
    let say = |word| {
        let (revision, lifted) = (plan.plan.at, Vec::new());
        Some(PlanAsked::Say { revision, word, lifted, text: None })
    };
    let go = |step| Some(PlanAsked::Move { etag: plan.last_move, step });
    match plan.plan.stage {
        PlanStage::Open if !confirmed(code) => {
            say(PlanSaid::Answer(Answer::Confirm { sent: sent(around, rng) }))
        }
        PlanStage::Open if !bound(code) => say(PlanSaid::Commit),
        PlanStage::Open if mine && all(&confirmed) && all(&bound) => go(PlanStep::Schedule),
        PlanStage::Scheduled if !shown(code) && !rng.one_in(3) => say(PlanSaid::Reveal),
        PlanStage::Scheduled if mine && all(&shown) => go(PlanStep::Begin),
        PlanStage::Scheduled if mine && all(&bound) => go(PlanStep::Redraw),
        PlanStage::Scheduled if draws && !all(&shown) && !bound(code) => say(PlanSaid::Commit),
        PlanStage::Executing if !heard.reported.contains_key(&code) && rng.one_in(3) => {
            say(report(plan, around, rng))
        }
        PlanStage::Executing if !heard.reported.contains_key(&code) => say(PlanSaid::ResultsIn),
        PlanStage::Executing if mine => {
            go(PlanStep::Summarize { words: Some(around.text.clone()) })
        }
        PlanStage::Summarized | PlanStage::Cancelled if rng.one_in(4) => say(PlanSaid::Release),
        PlanStage::Open
        | PlanStage::Scheduled
        | PlanStage::Executing
        | PlanStage::Summarized
        | PlanStage::Cancelled => None,
    }
}

pub fn record(text: &str) -> Box<PlanRecord> {
    Box::new(PlanRecord::parse(PlanDraft { title: text, ..PlanDraft::default() }).unwrap())
}

fn facts(around: &Around<'_>, rng: &mut Rng) -> (PlanFacts, Vec<PoolSite>) {
    let others: Vec<CityCode> =
        around.members.iter().copied().filter(|city| *city != around.code).collect();
    let mut cities = vec![around.code];
    if rng.one_in(3) {
        cities.extend(others);
    } else {
        cities.push(rng.pick(&others));
    }
    let ahead = if rng.one_in(4) { i64::try_from(rng.below(3)).unwrap() } else { 0 };
    let first = around.today.plus_days(ahead).unwrap();
    let day = |half| PlanDay { at: HalfDay { on: first, half }, overtime: true };
    let days: Vec<PlanDay> = Half::ALL.iter().map(|half| day(*half)).collect();
    let of = |view: &SiteView| cities.contains(&view.city);
    let sites: Vec<_> = around.sites.iter().filter(|(_, view)| of(view)).collect();
    let pool: Vec<PoolSite> = sites
        .iter()
        .map(|(site, view)| PoolSite {
            site: *site,
            city: view.city,
            tier: view.facts.1.tier,
            left_out: None,
        })
        .collect();
    let (kind, targets, pool) = match rng.below(4) {
        0 | 1 if !pool.is_empty() => {
            let rule = DrawRule {
                sites: 1,
                host_officers: 2,
                guest_officers: 1,
                weights: TierWeights { key: 2, general: 1, special: 1 },
                pool: pool_digest(&pool),
                pool_size: u32::try_from(pool.len()).unwrap(),
                spares_withholders: rng.one_in(2),
            };
            (PlanKind::DoubleRandom, Targets::Draw(rule), pool)
        }
        2 if !sites.is_empty() => {
            let (site, _) = *rng.pick(&sites);
            let visit = PlannedVisit { site, first: 0, last: 0, exception: None };
            (PlanKind::JointInspection, Targets::Named(vec![visit]), Vec::new())
        }
        _ => (PlanKind::EmergencyDrill, Targets::None, Vec::new()),
    };
    // All but one department, so that officers of any may lead.
    let departments =
        Department::ALL.iter().copied().filter(|one| *one != Department::EcologyEnvironment);
    let facts = PlanFacts {
        kind,
        cities: cities.into_iter().map(|city| PlanCity { city, needs: Vec::new() }).collect(),
        departments: departments.collect(),
        days,
        targets,
    };
    (facts.sorted(), pool)
}

fn step(plan: &PlanView, around: &Around<'_>, rng: &mut Rng) -> PlanStep {
    let likely = match plan.plan.stage {
        PlanStage::Open => PlanStep::Schedule,
        PlanStage::Scheduled if rng.one_in(3) => PlanStep::Redraw,
        PlanStage::Scheduled => PlanStep::Begin,
        PlanStage::Executing | PlanStage::Summarized | PlanStage::Cancelled => {
            PlanStep::Summarize { words: Some(around.text.clone()) }
        }
    };
    match rng.below(30) {
        0 => {
            let (facts, pool) = facts(around, rng);
            PlanStep::Revise { facts, record: record(&around.text), pool }
        }
        1 => PlanStep::Amend { record: record(&around.text) },
        2 => PlanStep::Redraw,
        3 if rng.one_in(2) => PlanStep::Cancel { text: around.text.clone() },
        _ => likely,
    }
}

/// Own units in service.
fn sent(around: &Around<'_>, rng: &mut Rng) -> Sent {
    let serves = |view: &UnitView| {
        let counted = view.unit.kind != UnitKind::WholeCity && !view.facts.retired;
        counted && (view.unit.city == around.code || rng.clone().one_in(20))
    };
    let units = around.units.iter().filter(|(_, view)| serves(view));
    let mut units: Vec<SentUnit> =
        units.map(|(unit, _)| SentUnit { unit: *unit, span: None }).collect();
    if rng.one_in(3) {
        units.truncate(2);
    }
    units.sort_unstable_by_key(|one| one.unit);
    Sent { units, recusals: Vec::new() }
}

fn said(plan: &PlanView, around: &Around<'_>, rng: &mut Rng) -> PlanSaid {
    let draws = plan.plan.facts.draw().is_some();
    let mine = plan.heard.answers.get(&around.code).map(|(_, kind)| *kind);
    let confirmed = mine == Some(AnswerKind::Confirm);
    let confirm = PlanSaid::Answer(Answer::Confirm { sent: sent(around, rng) });
    let committed = plan.heard.commitments.contains_key(&around.code);
    let likely = match plan.plan.stage {
        PlanStage::Open if !confirmed => confirm,
        PlanStage::Open => PlanSaid::Commit,
        PlanStage::Scheduled if draws && !committed && rng.one_in(3) => PlanSaid::Commit,
        PlanStage::Scheduled if draws => PlanSaid::Reveal,
        PlanStage::Scheduled => PlanSaid::Swap(sent(around, rng)),
        PlanStage::Executing if rng.one_in(2) => report(plan, around, rng),
        PlanStage::Executing => PlanSaid::ResultsIn,
        PlanStage::Summarized | PlanStage::Cancelled => PlanSaid::Release,
    };
    match rng.below(40) {
        0 => PlanSaid::Answer(Answer::Decline),
        1 => PlanSaid::Answer(Answer::Comment),
        2 => PlanSaid::Answer(Answer::Withdraw),
        3 => {
            let hold_until = around.today.plus_days(2).unwrap();
            PlanSaid::Answer(Answer::Tentative { hold_until, sent: sent(around, rng) })
        }
        4 => PlanSaid::Release,
        5 => {
            let answers: Vec<_> = plan.heard.answers.values().collect();
            if answers.is_empty() {
                return likely;
            }
            let answer = rng.pick(&answers).0.at;
            PlanSaid::Resolve { answer, resolution: rng.pick(Resolution::ALL) }
        }
        6 => PlanSaid::Reveal,
        7 => report(plan, around, rng),
        _ => likely,
    }
}

fn report(plan: &PlanView, around: &Around<'_>, rng: &mut Rng) -> PlanSaid {
    let own = around.sites.iter().filter(|(_, view)| view.city == around.code);
    let own: Vec<SubjectId> = own.map(|(site, _)| *site).collect();
    let named = plan.plan.facts.visits().iter().map(|visit| visit.site);
    let all: Vec<SubjectId> = named.chain(own).collect();
    if all.is_empty() {
        return PlanSaid::ResultsIn;
    }
    let department = Department::Water;
    let site = rng.pick(&all);
    let newest = around.reported.iter().find(|(of, _)| *of == (plan.opened_at, site));
    let replaces = newest.map(|(_, at)| *at);
    let report = VisitReport {
        site,
        nth: 0,
        on: around.today,
        outcome: VisitOutcome::Checked,
        mode: if rng.one_in(3) { CheckMode::OffSite } else { CheckMode::OnSite },
        checks: vec![DepartmentCheck { department, items: 3, problems: 1 }],
        samples: 0,
        clues: 0,
    };
    PlanSaid::Report { report, replaces }
}
