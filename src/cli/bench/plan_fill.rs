//! Units of a city and plans of joint action, as a city would have them after some years: some
//! plans confirmed with officers who are booked for it, some cancelled, on many days.
//!
//! In scope: what each is. Out of scope: how many, and what is asked ([`super::plans`]).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tonic::Status;

use super::load::Operation;
use super::stage::{HERE, THERE};
use crate::cli::connect::{Client, Wire};
use crate::domain::{Date, HalfDay, Period};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::plan_service_client::PlanServiceClient;
use crate::wire::pb::v1::unit_service_client::UnitServiceClient;
use crate::wire::unit::{half_day_to_pb, period_to_pb};

/// A third city that takes part in every third plan.
pub const THIRD: u32 = 371_400;
/// Every so many plans one is confirmed; as many are cancelled.
const CONFIRMED_EVERY: u64 = 4;
/// Days from tomorrow on for which plans are made.
const DAYS: u64 = 300;
/// Every so many plans the name of one is kept.
const KEPT_EVERY: u64 = 16;
/// Of so many units one is no officer.
const THING_EVERY: u64 = 10;
/// What is to be done, as people write it.
const TEXT: &str = "各市执法人员于当日上午八时三十分在指定地点集合，统一着装并携带执法证件；按边界河段分组\
                    巡查入河排污口，核对排污许可与在线监测数据，采样送检；遇突发情况先行处置并立即通报。";

/// Names, given out by one kind of filling and needed by another.
#[derive(Clone, Default)]
pub struct Names(Arc<Mutex<Vec<String>>>);

impl Names {
    fn keep(&self, name: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }

    /// One of them; empty when there is none.
    pub fn nth(&self, nth: u64) -> String {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = usize::try_from(nth).unwrap_or(0).checked_rem(names.len());
        place.and_then(|place| names.get(place)).cloned().unwrap_or_default()
    }

    fn len(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

/// A city that fills, and from when on its days are.
#[derive(Clone)]
pub struct Of {
    /// The agreement.
    pub parent: String,
    /// The city.
    pub city: u32,
    /// The day of the run.
    pub today: Date,
    /// Officers of the city who may be booked.
    pub officers: Names,
}

impl Of {
    fn day(&self, ahead: u64) -> Date {
        let ahead = i64::try_from(ahead + 1).unwrap_or(1);
        self.today.plus_days(ahead).unwrap_or(self.today)
    }

    fn officer(&self) -> Option<pb::ActingFor> {
        Some(pb::ActingFor { certificate_number: format!("{:06}99002", self.city) })
    }
}

/// Registers units. The first half are officers who are not blocked; the others are, here and there
/// within the next quarter of a year.
#[derive(Clone)]
pub struct FillUnits {
    units: UnitServiceClient<Wire>,
    of: Of,
    count: u64,
    next: Arc<AtomicU64>,
}

impl FillUnits {
    /// One for each client; `count` units in all.
    pub fn of(clients: &[Client], of: &Of, count: u64) -> Vec<Self> {
        let next = Arc::new(AtomicU64::new(0));
        let one = |client: &Client| Self {
            units: client.units(),
            of: of.clone(),
            count,
            next: Arc::clone(&next),
        };
        clients.iter().map(one).collect()
    }

    async fn create(&mut self, nth: u64, is_booked: bool) -> Result<String, Status> {
        let is_thing = !is_booked && nth.is_multiple_of(THING_EVERY);
        let (kind, number) = if is_thing {
            (pb::UnitKind::Vehicle, format!("执法车{:06}-{nth}", self.of.city))
        } else {
            (pb::UnitKind::Officer, format!("{:06}{nth:05}", self.of.city))
        };
        let date =
            |days| self.of.today.plus_days(days).map(|day| half_day_to_pb(HalfDay::morning(day)));
        let validity = |days| if is_thing { None } else { date(days).and_then(|at| at.on) };
        let asked = pb::CreateUnitRequest {
            parent: self.of.parent.clone(),
            facts: Some(pb::UnitFacts {
                kind: kind.into(),
                department: pb::Department::EcologyEnvironment.into(),
                valid_from: validity(-900),
                valid_until: validity(900),
                retired: false,
            }),
            record: Some(pb::UnitRecord { number, team: "执法一大队".to_owned() }),
            request_id: format!("unit-{nth}"),
            acting_for: self.of.officer(),
        };
        let made = self.units.create_unit(asked).await?.into_inner();
        Ok(made.unit.unwrap_or_default().name)
    }
}

impl Operation for FillUnits {
    async fn call(&mut self, _: u64) -> Result<(), Status> {
        let nth = self.next.fetch_add(1, Ordering::Relaxed);
        if nth >= self.count {
            return Ok(());
        }
        let is_booked = nth < self.count / 2;
        let name = self.create(nth, is_booked).await?;
        if is_booked {
            self.of.officers.keep(name);
            return Ok(());
        }
        let period = |week: u64| period_to_pb(Period::day(self.of.day(week * 11 + nth % 11)));
        let asked = pb::BlockUnitRequest {
            name,
            periods: (0..8).map(period).collect(),
            request_id: format!("block-{nth}"),
            acting_for: self.of.officer(),
        };
        self.units.block_unit(asked).await.map(drop)
    }
}

/// Opens plans, and confirms or cancels some of them.
#[derive(Clone)]
pub struct FillPlans {
    plans: PlanServiceClient<Wire>,
    of: Of,
    run: String,
    next: Arc<AtomicU64>,
    names: Names,
}

impl FillPlans {
    /// One for each client; names of some of the plans go to `names`. `first` is the number of the
    /// first one: no two runs of a city book officers for the same.
    pub fn of(clients: &[Client], of: &Of, (run, first): (&str, u64), names: &Names) -> Vec<Self> {
        let next = Arc::new(AtomicU64::new(first));
        let one = |client: &Client| Self {
            plans: client.plans(),
            of: of.clone(),
            run: run.to_owned(),
            next: Arc::clone(&next),
            names: names.clone(),
        };
        clients.iter().map(one).collect()
    }

    /// Which of the confirmed plans this one is.
    fn confirmed(nth: u64) -> Option<u64> {
        nth.is_multiple_of(CONFIRMED_EVERY).then_some(nth / CONFIRMED_EVERY)
    }

    /// On which day a plan takes place: no two officers are booked for it twice.
    fn day(&self, nth: u64) -> Date {
        let pairs = (self.of.officers.len() / 2).max(1);
        let ahead = Self::confirmed(nth).map_or(nth % DAYS, |confirmed| confirmed / pairs % DAYS);
        self.of.day(ahead)
    }

    fn draft(&self, nth: u64) -> pb::PlanDraft {
        let on = self.day(nth);
        let half_days = [HalfDay::morning(on), HalfDay::afternoon(on)];
        let needs = |city| pb::CityNeeds {
            city,
            needs: vec![pb::UnitNeed {
                kind: pb::UnitKind::Officer.into(),
                count: 2,
                department: 0,
            }],
        };
        let third = nth.is_multiple_of(3).then_some(THIRD);
        pb::PlanDraft {
            kind: pb::PlanKind::EmergencyDrill.into(),
            cities: [HERE, THERE].into_iter().chain(third).map(needs).collect(),
            departments: vec![pb::Department::EcologyEnvironment.into()],
            days: half_days
                .map(|at| pb::PlanDay { at: Some(half_day_to_pb(at)), overtime: true })
                .to_vec(),
            record: Some(pb::PlanRecord {
                title: format!("第{nth}号跨界河流突发水污染应急联动演练"),
                theme: "跨界河流突发水污染处置".to_owned(),
                text: TEXT.to_owned(),
                meeting_place: "示例镇政府门前".to_owned(),
                ..pb::PlanRecord::default()
            }),
            ..pb::PlanDraft::default()
        }
    }

    fn confirming(&self, plan: &pb::Plan, nth: u64) -> pb::AnswerPlanRequest {
        let unit = |unit| pb::UnitDraft { unit, ..pb::UnitDraft::default() };
        let pair = Self::confirmed(nth).unwrap_or(0);
        let units = [2 * pair, 2 * pair + 1].map(|officer| unit(self.of.officers.nth(officer)));
        pb::AnswerPlanRequest {
            name: plan.name.clone(),
            revision: plan.revision_entry.clone(),
            kind: pb::PlanAnswerKind::Confirm.into(),
            sent: Some(pb::SentDraft { units: units.to_vec(), recusals: Vec::new() }),
            request_id: format!("{}-{nth}-confirmed", self.run),
            acting_for: self.of.officer(),
            ..pb::AnswerPlanRequest::default()
        }
    }

    fn cancelling(&self, plan: &pb::Plan, nth: u64) -> pb::MovePlanRequest {
        pb::MovePlanRequest {
            name: plan.name.clone(),
            etag: plan.etag.clone(),
            step: pb::PlanStep::Cancel.into(),
            text: "因汛期调整，本次演练取消".to_owned(),
            request_id: format!("{}-{nth}-cancelled", self.run),
            acting_for: self.of.officer(),
        }
    }

    /// Opens the next one, and goes on with it.
    pub async fn open(&mut self) -> Result<(), Status> {
        let nth = self.next.fetch_add(1, Ordering::Relaxed);
        let asked = pb::CreatePlanRequest {
            parent: self.of.parent.clone(),
            draft: Some(self.draft(nth)),
            request_id: format!("{}-{nth}", self.run),
            acting_for: self.of.officer(),
            ..pb::CreatePlanRequest::default()
        };
        let plan = self.plans.create_plan(asked).await?.into_inner().plan.unwrap_or_default();
        if nth.is_multiple_of(KEPT_EVERY) {
            self.names.keep(plan.name.clone());
        }
        match nth % CONFIRMED_EVERY {
            0 => self.plans.answer_plan(self.confirming(&plan, nth)).await.map(drop),
            2 => self.plans.move_plan(self.cancelling(&plan, nth)).await.map(drop),
            _ => Ok(()),
        }
    }
}

impl Operation for FillPlans {
    async fn call(&mut self, _: u64) -> Result<(), Status> {
        self.open().await
    }
}
