//! Desks that carry double-random draws to their end: in one seed of so many two or three cities
//! keep officers and sites for it, and take every step of a draw that is theirs to take.
//!
//! Some keep their reveal back for a while. One may lose the key of its node once it is bound: it
//! can show nothing any more, is named, and all draw again with fresh commitments.
//!
//! In scope: which seeds, and what a desk does next. Out of scope: whether what is drawn is right
//! ([`super::checkers::draws`]).

use liandong::api::plan::{PlanAsk, PlanAsked, PlanSaid, PlanStep};
use liandong::api::request::Command;
use liandong::domain::plan::lots::{PoolSite, pool_digest};
use liandong::domain::plan::ready::PlanRules;
use liandong::domain::plan::{
    Answer, AnswerKind, DepartmentCheck, DrawRule, PlanCity, PlanDay, PlanFacts, PlanKind,
    PlanStage, Recusal, Sent, SentUnit, Targets, TierWeights, VisitOutcome, VisitReport,
};
use liandong::domain::site::{CheckMode, LeftOut, SiteFacts, SiteTier};
use liandong::domain::{
    CountyCode, Date, Department, Half, HalfDay, Medium, UnitFacts, UnitKind, UnitRecord,
};
use liandong::ids::{AgreementId, CityCode, Position, SubjectId};
use liandong::node::plan_look::{Desk, Looked, PlanKey};
use liandong::view::{self, PlanView, ReadRows, SiteView, UnitView};

use super::cast::Cast;
use super::node::SimReader;
use super::plans;
use super::rng::Rng;
use super::sites::{self, CHECKS_A_YEAR};
use super::world::{Event, World};

/// In one seed of so many; in none with small quotas or suspended cities.
const DRAWS_EVERY: u64 = 4;
/// Moments of each desk in a time of work, and the time between them, milliseconds.
const MOMENTS: u64 = 13;
const MOMENT_MS: u64 = 9_000;
/// Moments without a move after which whoever proposed a plan gives it up.
const PATIENCE: u32 = 18;
/// What a city keeps ready.
const OFFICERS: usize = 3;
const SITES: usize = 2;
/// Sites in a list.
const POOL_MAX: usize = 6;
/// Plans that a desk looks through.
const LOOKED_THROUGH: usize = 24;

/// The desks of a run, and what they remember.
pub struct Desks {
    pact: usize,
    /// Who takes part; the first proposes.
    cities: Vec<usize>,
    rng: Rng,
    /// Who is to lose the key of its node.
    forgetful: Option<usize>,
    /// Of whom what it is bound to cannot be shown any more.
    lost: Option<(usize, SubjectId, u32)>,
    /// The last move that the proposer has seen, and moments since.
    waited: (Option<Position>, u32),
}

impl Desks {
    /// Those of a seed, by chances of its own: the other seeds stay what they were.
    pub fn of_seed(seed: u64, cast: &Cast, liar: Option<usize>) -> Option<Self> {
        if seed % DRAWS_EVERY != 2 {
            return None;
        }
        let mut rng = Rng::new(seed ^ 0xD4A3);
        let pact = rng.below(cast.pacts.len());
        let mut left = cast.pacts[pact].members.clone();
        let mut cities = Vec::new();
        for _ in 0..2 + rng.below(2) {
            if !left.is_empty() {
                cities.push(left.remove(rng.below(left.len())));
            }
        }
        let forgetful = (!rng.one_in(3)).then(|| rng.pick(&cities));
        let forgetful = forgetful.filter(|city| liar != Some(*city));
        Some(Self { pact, cities, rng, forgetful, lost: None, waited: (None, 0) })
    }
}

/// What a desk sees.
struct Around<'a> {
    agreement: AgreementId,
    city: usize,
    code: CityCode,
    cities: Vec<CityCode>,
    reader: &'a SimReader,
    agreements: &'a [AgreementId],
    today: Date,
    text: String,
}

impl World {
    /// Sets the moments of the desks in a time of work.
    pub fn set_desks(&mut self, begin: u64) {
        let Some(desks) = &mut self.desks else { return };
        let mut times = Vec::new();
        for moment in 0..MOMENTS {
            for city in &desks.cities {
                let at = begin + moment * MOMENT_MS + desks.rng.between(0, MOMENT_MS);
                times.push((at, *city));
            }
        }
        times.into_iter().for_each(|(at, city)| self.at(at, Event::Desk(city)));
    }

    /// A desk has a moment.
    pub fn desk(&mut self, city: usize) {
        let Some(mut desks) = self.desks.take().filter(|_| !self.calm) else { return };
        let command = self.due_at(&mut desks, city);
        self.desks = Some(desks);
        if let Some(command) = command {
            self.write_now(city, command);
        }
    }

    fn due_at(&mut self, desks: &mut Desks, city: usize) -> Option<Command> {
        let reader = self.nodes[city].reader.clone()?;
        let today = Date::beijing(self.nodes[city].now(self.now).wall_ms)?;
        let agreement = self.cast.pacts[desks.pact].id;
        let agreements: Vec<AgreementId> =
            self.cast.pacts_of(city).into_iter().map(|pact| self.cast.pacts[pact].id).collect();
        let around = Around {
            agreement,
            city,
            code: self.cast.codes[city],
            cities: desks.cities.iter().map(|one| self.cast.codes[*one]).collect(),
            reader: &reader,
            agreements: &agreements,
            today,
            text: self.work.marked("draw"),
        };
        let Some((subject, plan)) = around.running() else {
            return around.opened(desks);
        };
        if desks.forgetful == Some(city) && is_bound(&plan, around.code) {
            desks.forgetful = None;
            if self.lose_key(city) {
                desks.lost = Some((city, subject, plan.plan.resting.attempt));
            }
            return None;
        }
        let mine = plan.plan.initiator == around.code;
        if mine {
            let waited =
                if desks.waited.0 == Some(plan.last_move) { desks.waited.1 + 1 } else { 0 };
            desks.waited = (Some(plan.last_move), waited);
        }
        let what = match around.helpful(desks, subject, &plan) {
            Next::Register(command) => return Some(command),
            Next::Plan(what) => what,
            Next::Nothing if mine && desks.waited.1 > PATIENCE => {
                let step = PlanStep::Cancel { text: around.text.clone() };
                PlanAsked::Move { etag: plan.last_move, step }
            }
            Next::Nothing => return None,
        };
        Some(command(agreement, Some(subject), what))
    }
}

/// What a desk would do.
enum Next {
    Nothing,
    Register(Command),
    Plan(PlanAsked),
}

fn command(agreement: AgreementId, subject: Option<SubjectId>, what: PlanAsked) -> Command {
    Command::Plan { agreement, ask: Box::new(PlanAsk { subject, what }) }
}

/// Bound to its part of a draw that waits for it.
fn is_bound(plan: &PlanView, code: CityCode) -> bool {
    plan.plan.stage == PlanStage::Scheduled
        && plan.plan.resting.commitments.contains_key(&code)
        && !plan.heard.revealed.contains(&code)
}

impl Around<'_> {
    /// The newest draw that has not ended.
    fn running(&self) -> Option<(SubjectId, PlanView)> {
        let (mut found, mut looked) = (None, 0);
        let rows = self.reader.view();
        view::plans_newest_first(&rows, self.agreement, None, &mut |subject, plan| {
            looked += 1;
            let facts = &plan.plan.facts;
            let ours = facts.participants().all(|city| self.cities.contains(&city));
            if facts.draw().is_some() && ours && facts.has(self.code) && !plan.has_ended() {
                found = Some((subject, plan));
            }
            found.is_none() && looked < LOOKED_THROUGH
        });
        found
    }

    /// Without a draw: what is to be kept ready for one, or a new one.
    fn opened(&self, desks: &mut Desks) -> Option<Command> {
        let pool = self.pool();
        let ready =
            |city: &CityCode| pool.iter().any(|one| one.city == *city && one.left_out.is_none());
        let own = pool.iter().filter(|one| one.city == self.code && one.left_out.is_none());
        if own.count() < SITES {
            return Some(self.new_site());
        }
        if self.officers(None).len() < OFFICERS {
            return Some(self.new_officer());
        }
        let proposes = desks.cities.first() == Some(&self.city);
        if !proposes || !self.cities.iter().all(ready) {
            return None;
        }
        let rng = &mut desks.rng;
        let may = pool.iter().filter(|one| one.left_out.is_none()).count();
        let rule = DrawRule {
            sites: u32::try_from(may.min(1 + rng.below(3))).unwrap(),
            host_officers: 2,
            guest_officers: u32::try_from(rng.below(2)).unwrap(),
            weights: TierWeights { key: 2, general: 1, special: 1 + u32::from(rng.one_in(2)) },
            pool: pool_digest(&pool),
            pool_size: u32::try_from(may).unwrap(),
            spares_withholders: rng.one_in(3),
        };
        let day =
            |half: &Half| PlanDay { at: HalfDay { on: self.today, half: *half }, overtime: true };
        // All but one department, as the other plans have it.
        let departments =
            Department::ALL.iter().copied().filter(|one| *one != Department::EcologyEnvironment);
        let cities = self.cities.iter().map(|city| PlanCity { city: *city, needs: Vec::new() });
        let facts = PlanFacts {
            kind: PlanKind::DoubleRandom,
            cities: cities.collect(),
            departments: departments.collect(),
            days: Half::ALL.iter().map(day).collect(),
            targets: Targets::Draw(rule),
        };
        let record = plans::record(&self.text);
        let what = PlanAsked::Open { facts: facts.sorted(), record, pool, from: None };
        Some(command(self.agreement, None, what))
    }

    /// The sites kept for draws, the newest ones first, with what headers say of each.
    fn pool(&self) -> Vec<PoolSite> {
        let mut pool = Vec::new();
        let rows = self.reader.view();
        view::sites_newest_first(&rows, self.agreement, None, &mut |site, found| {
            if found.facts.1.tier == SiteTier::Special && self.cities.contains(&found.city) {
                let left_out = left_out(&found, self.today);
                pool.push(PoolSite { site, city: found.city, tier: SiteTier::Special, left_out });
            }
            pool.len() < POOL_MAX
        });
        pool
    }

    fn new_site(&self) -> Command {
        let facts = SiteFacts {
            county: CountyCode::from_u32(self.code.as_u32() + 22).unwrap(),
            tier: SiteTier::Special,
            media: vec![Medium::Water],
            permit: None,
            closed: false,
        };
        let record = sites::record(&self.text, SiteTier::Special);
        let agreement = self.agreement;
        Command::RegisterSite { agreement, facts, record, another_plant: true }
    }

    fn new_officer(&self) -> Command {
        let facts = UnitFacts {
            kind: UnitKind::Officer,
            department: Some(Department::Water),
            // Clocks are set back by a day.
            valid_from: self.today.plus_days(-3),
            valid_until: self.today.plus_days(200),
            retired: false,
        };
        let record = Box::new(UnitRecord::parse(&self.text, "抽查组").unwrap());
        Command::RegisterUnit { agreement: self.agreement, facts, record }
    }

    /// Own officers who may lead today, and are in no other plan.
    fn officers(&self, plan: Option<SubjectId>) -> Vec<SubjectId> {
        let (mut all, mut may) = (Vec::new(), Vec::new());
        let rows = self.reader.view();
        view::units(&rows, self.agreement, None, &mut |unit, found| {
            let facts = found.facts;
            let leads = facts.department.is_some_and(|of| of != Department::EcologyEnvironment);
            let serves = found.unit.city == self.code && found.unit.kind == UnitKind::Officer;
            if serves && leads && !facts.retired && facts.counts_on(self.today) {
                all.push((unit, found));
            }
            true
        });
        for (unit, found) in all {
            if !self.is_taken(&rows, plan, (unit, &found)) {
                may.push(unit);
            }
        }
        may.sort_unstable();
        may
    }

    fn is_taken(
        &self,
        rows: &impl ReadRows,
        plan: Option<SubjectId>,
        (unit, found): (SubjectId, &UnitView),
    ) -> bool {
        let key = (self.agreement, unit);
        let today = |(first, last): &(i64, i64)| {
            let of = |half: &Half| HalfDay { on: self.today, half: *half }.number();
            Half::ALL.iter().map(of).any(|at| (*first..=*last).contains(&at))
        };
        let year = self.today.year();
        let mut taken = view::unit_busy_in(rows, key, found, year..=year).iter().any(today);
        view::unit_bookings(rows, key, self.code, &mut |by, booked| {
            taken |= plan != Some(by) && booked.busy.iter().any(today);
        });
        taken
    }

    /// What the draw awaits of this city.
    fn helpful(&self, desks: &mut Desks, subject: SubjectId, plan: &PlanView) -> Next {
        let (code, heard) = (self.code, &plan.heard);
        let mine = plan.plan.initiator == code;
        let confirmed = |city: CityCode| {
            heard.answers.get(&city).is_some_and(|(_, kind)| *kind == AnswerKind::Confirm)
        };
        let bound = |city: CityCode| heard.commitments.contains_key(&city);
        let shown = |city: CityCode| heard.revealed.contains(&city);
        let all = |is: &dyn Fn(CityCode) -> bool| plan.plan.facts.participants().all(is);
        let say = |word| {
            let (revision, lifted) = (plan.plan.at, Vec::new());
            Next::Plan(PlanAsked::Say { revision, word, lifted, text: None })
        };
        let go = |step| Next::Plan(PlanAsked::Move { etag: plan.last_move, step });
        let cannot = desks.lost == Some((self.city, subject, plan.plan.resting.attempt));
        match plan.plan.stage {
            PlanStage::Open if !confirmed(code) => self.confirm(desks, subject, plan),
            PlanStage::Open if !bound(code) => say(PlanSaid::Commit),
            PlanStage::Open if mine && all(&confirmed) && all(&bound) => go(PlanStep::Schedule),
            PlanStage::Scheduled if !shown(code) && !cannot => {
                if desks.rng.one_in(3) {
                    Next::Nothing
                } else {
                    say(PlanSaid::Reveal)
                }
            }
            PlanStage::Scheduled if mine && all(&shown) => go(PlanStep::Begin),
            PlanStage::Scheduled if mine && all(&bound) => go(PlanStep::Redraw),
            PlanStage::Scheduled if !all(&shown) && !bound(code) => {
                // Whoever has shown its part gives the others some time.
                if cannot || desks.rng.one_in(2) { say(PlanSaid::Commit) } else { Next::Nothing }
            }
            PlanStage::Executing if !heard.reported.contains_key(&code) => {
                say(self.report(subject, plan))
            }
            PlanStage::Executing if mine && plan.all_reported() => {
                go(PlanStep::Summarize { words: Some(self.text.clone()) })
            }
            PlanStage::Open
            | PlanStage::Scheduled
            | PlanStage::Executing
            | PlanStage::Summarized
            | PlanStage::Cancelled => Next::Nothing,
        }
    }

    /// The city comes with its officers; one may have to keep away from a site, or from all.
    fn confirm(&self, desks: &mut Desks, subject: SubjectId, plan: &PlanView) -> Next {
        let mut officers = self.officers(Some(subject));
        if officers.len() < OFFICERS {
            return Next::Register(self.new_officer());
        }
        officers.truncate(OFFICERS + 1);
        let rng = &mut desks.rng;
        let pool = self.pool();
        let site = (!pool.is_empty() && !rng.one_in(4)).then(|| rng.pick(&pool).site);
        let recusal = Recusal { officer: rng.pick(&officers), site };
        let recusals = if rng.one_in(2) { vec![recusal] } else { Vec::new() };
        let lifted =
            officers.iter().map(|officer| Recusal { officer: *officer, site: None }).collect();
        let units = officers.into_iter().map(|unit| SentUnit { unit, span: None }).collect();
        let word = PlanSaid::Answer(Answer::Confirm { sent: Sent { units, recusals } });
        // Who was to keep away before may come now.
        Next::Plan(PlanAsked::Say { revision: plan.plan.at, word, lifted, text: None })
    }

    /// The next own visit that has no report, or that all results are in.
    fn report(&self, subject: SubjectId, plan: &PlanView) -> PlanSaid {
        let rows = self.reader.view();
        let journal = self.reader.journal();
        let desk = Desk {
            rows: &rows,
            journal: &journal,
            own: self.code,
            most: CHECKS_A_YEAR,
            agreements: self.agreements,
            today: self.today,
            rules: PlanRules::default(),
        };
        let key: PlanKey = (self.agreement, subject);
        let looked = desk.visits(key, plan.clone());
        let reports = desk.reports(key, plan, self.code);
        let open = looked.visits().into_iter().find(|visit| {
            let reported = reports.iter().any(|of| (of.site, of.nth) == (visit.site, visit.nth));
            looked.host(visit.site) == Some(self.code) && !reported
        });
        let Some(visit) = open else { return PlanSaid::ResultsIn };
        let report = VisitReport {
            site: visit.site,
            nth: visit.nth,
            on: self.today,
            outcome: VisitOutcome::Checked,
            mode: CheckMode::OnSite,
            checks: vec![DepartmentCheck { department: Department::Water, items: 3, problems: 1 }],
            samples: 0,
            clues: 0,
        };
        PlanSaid::Report { report, replaces: None }
    }
}

/// Why a site may not be drawn, as headers tell: it has no enterprise with other sites.
fn left_out(found: &SiteView, today: Date) -> Option<LeftOut> {
    let of_year = found.years.iter().find(|(year, _)| *year == today.year());
    if found.facts.1.closed {
        Some(LeftOut::Closed)
    } else if found.listing.as_ref().is_some_and(|(_, listing)| listing.is_listed(today)) {
        Some(LeftOut::PositiveList)
    } else {
        of_year.filter(|(_, made)| made.counted >= CHECKS_A_YEAR).map(|_| LeftOut::Capped)
    }
}

/// A plan as a process shows it to people.
pub fn looked(
    (cast, city): (&Cast, usize),
    reader: &SimReader,
    (key, plan): (PlanKey, PlanView),
    today: Date,
) -> Looked {
    let agreements: Vec<AgreementId> =
        cast.pacts_of(city).into_iter().map(|pact| cast.pacts[pact].id).collect();
    let (rows, journal) = (reader.view(), reader.journal());
    let (own, most, agreements) = (cast.codes[city], CHECKS_A_YEAR, agreements.as_slice());
    let rules = PlanRules::default();
    let desk = Desk { rows: &rows, journal: &journal, own, most, agreements, today, rules };
    desk.look(key, plan, None)
}
