//! What is asked of a city with many plans and units: lists, one plan, free and busy, windows.
//!
//! In scope: the questions. Out of scope: how often and how fast ([`super::plans`]).

use tonic::Status;

use super::load::Operation;
use super::plan_fill::{Names, THIRD};
use super::stage::{FIVE, HERE};
use crate::cli::connect::{Client, Wire};
use crate::domain::{Date, HalfDay};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::plan_service_client::PlanServiceClient;
use crate::wire::pb::v1::unit_service_client::UnitServiceClient;
use crate::wire::unit::half_day_to_pb;

/// Names, Chinese and English, of the lists of plans.
pub const LISTS: [(&str, &str, &str); 6] = [
    ("all", "全部方案", "all plans"),
    ("state", "按状态", "by state"),
    ("city", "按参加城市", "by city that takes part"),
    ("days", "按日期（一个月）", "by day (one month)"),
    ("awaited", "待本市办理", "that await something of this city"),
    ("page", "全部方案，第二页", "all plans, second page"),
];

/// Names of what else is asked.
pub const OTHERS: [(&str, &str, &str); 5] = [
    ("get", "单个方案", "one plan"),
    ("free-busy", "五市忙闲，90 天", "free and busy of five cities, 90 days"),
    (
        "free-busy-own",
        "本市忙闲及人员，90 天",
        "free and busy of this city with its units, 90 days",
    ),
    ("slots", "查找可行时段，五市，90 天", "windows of five cities, 90 days"),
    ("no-slots", "查找可行时段，全无，五市，90 天", "windows of five cities, 90 days, none fits"),
];

/// Asks one question again and again.
pub struct Ask {
    plans: PlanServiceClient<Wire>,
    units: UnitServiceClient<Wire>,
    parent: String,
    today: Date,
    names: Names,
    /// From the first page.
    token: String,
    id: &'static str,
}

impl Ask {
    /// The question of this name.
    pub fn new(
        client: &Client,
        (parent, today): (&str, Date),
        names: &Names,
        id: &'static str,
    ) -> Self {
        let (plans, units) = (client.plans(), client.units());
        let (parent, names) = (parent.to_owned(), names.clone());
        Self { plans, units, parent, today, names, token: String::new(), id }
    }

    fn day(&self, ahead: i64) -> Option<pb::Date> {
        half_day_to_pb(HalfDay::morning(self.today.plus_days(ahead)?)).on
    }

    fn list(&self) -> pb::ListPlansRequest {
        let mut asked =
            pb::ListPlansRequest { parent: self.parent.clone(), ..pb::ListPlansRequest::default() };
        match self.id {
            "state" => asked.state = pb::PlanState::Confirming.into(),
            "city" => asked.city = THIRD,
            "days" => (asked.from, asked.until) = (self.day(30), self.day(60)),
            "awaited" => asked.awaits_own_city = true,
            _ => asked.page_token.clone_from(&self.token),
        }
        asked
    }

    fn free_busy(&self, cities: &[u32]) -> pb::QueryFreeBusyRequest {
        pb::QueryFreeBusyRequest {
            parent: self.parent.clone(),
            cities: cities.to_vec(),
            from: self.day(1),
            until: self.day(90),
        }
    }

    /// `count` officers of each for three days.
    fn slots(&self, count: u32) -> pb::FindSlotsRequest {
        let kind = pb::UnitKind::Officer.into();
        let city =
            |city| pb::CityNeeds { city, needs: vec![pb::UnitNeed { kind, count, department: 0 }] };
        pb::FindSlotsRequest {
            parent: self.parent.clone(),
            participants: FIVE.map(city).to_vec(),
            days: 3,
            from: self.day(1),
            until: self.day(90),
            overtime: true,
            slots_max: 10,
            ..pb::FindSlotsRequest::default()
        }
    }

    /// How many there are in all, and whether all were counted; 1 for what is no list.
    pub async fn ask(&mut self) -> Result<(u32, bool), Status> {
        match self.id {
            "get" => return self.get(0).await.map(|()| (1, true)),
            "free-busy" => drop(self.units.query_free_busy(self.free_busy(&[])).await?),
            "free-busy-own" => drop(self.units.query_free_busy(self.free_busy(&[HERE])).await?),
            "slots" => drop(self.units.find_slots(self.slots(2)).await?),
            "no-slots" => drop(self.units.find_slots(self.slots(99)).await?),
            _ => {
                let answer = self.plans.list_plans(self.list()).await?.into_inner();
                if self.id == "page" && self.token.is_empty() {
                    self.token = answer.next_page_token;
                }
                return Ok((answer.total_size, !answer.total_is_partial));
            }
        }
        Ok((1, true))
    }

    async fn get(&mut self, nth: u64) -> Result<(), Status> {
        // Not one behind the other: neighbours are read together.
        let name = self.names.nth(nth.wrapping_mul(7_919));
        self.plans.get_plan(pb::GetPlanRequest { name }).await.map(drop)
    }
}

impl Operation for Ask {
    async fn call(&mut self, nth: u64) -> Result<(), Status> {
        if self.id == "get" {
            return self.get(nth).await;
        }
        self.ask().await.map(drop)
    }
}
