//! What a revision of a plan says in its header: who, when, with what, where.
//!
//! Headers are at most 16 KiB, so everything here is bounded, and a visit names its half days by
//! their places in the plan's list. The worst case is added up in a test
//! (`the_largest_revision_fits_a_header`).
//!
//! In scope: the shape, and what of it holds on every node. Out of scope: what people read
//! ([`super::PlanRecord`]), and whether the plan can be carried out ([`super::ready`]).

use serde::{Deserialize, Serialize};

use super::{FactsRefusal, PlanMisfit, Wrong};
use crate::domain::code::coded;
use crate::domain::department::Department;
use crate::domain::half_day::HalfDay;
use crate::domain::site::{SiteTier, VisitException};
use crate::domain::slots::{Need, check_needs};
use crate::ids::{CityCode, Hash, SubjectId};
use crate::limits::{
    DRAW_WEIGHT_MAX, MEMBERS_MAX, PLAN_HALF_DAYS_MAX, PLAN_POOL_MAX, PLAN_TEAM_MAX, PLAN_VISITS_MAX,
};

/// Certified officers of the host city at a visit, at least (行政处罚法 art. 42: no fewer than two;
/// 国办发〔2024〕54号: only those whose area it is in charge).
pub const HOST_OFFICERS_MIN: u32 = 2;

coded! {
    /// What sort of joint action a plan is for.
    PlanKind {
        JointInspection "JOINT_INSPECTION" "联合检查" "joint inspection";
        CrossInspection "CROSS_INSPECTION" "交叉检查" "cross inspection";
        JointCampaign "JOINT_CAMPAIGN" "联合专项行动" "joint campaign";
        DoubleRandom "DOUBLE_RANDOM" "跨市双随机抽查" "double-random inspection";
        EmergencyDrill "EMERGENCY_DRILL" "应急联动演练" "emergency drill";
        TrainingExchange "TRAINING_EXCHANGE" "交叉练兵" "training exchange";
    }
}

impl PlanKind {
    /// Whether a plan of this kind may have these targets.
    ///
    /// An inspection has some; a double-random one draws them; a drill has none. A campaign may be
    /// a patrol, and an exchange may visit sites or not.
    #[must_use]
    pub const fn takes(self, targets: &Targets) -> bool {
        match (self, targets) {
            (Self::JointInspection | Self::CrossInspection, Targets::None)
            | (Self::DoubleRandom, Targets::None | Targets::Named(_))
            | (Self::EmergencyDrill, Targets::Named(_) | Targets::Draw(_))
            | (Self::TrainingExchange, Targets::Draw(_)) => false,
            (
                Self::JointInspection | Self::CrossInspection,
                Targets::Named(_) | Targets::Draw(_),
            )
            | (Self::JointCampaign, Targets::None | Targets::Named(_) | Targets::Draw(_))
            | (Self::DoubleRandom, Targets::Draw(_))
            | (Self::EmergencyDrill, Targets::None)
            | (Self::TrainingExchange, Targets::None | Targets::Named(_)) => true,
        }
    }
}

/// A half day on which the action takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlanDay {
    /// Which.
    pub at: HalfDay,
    /// It may be a rest day: whoever plans knows, and has it approved at home.
    pub overtime: bool,
}

/// A city of a plan, and what it is to bring.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanCity {
    /// Which.
    pub city: CityCode,
    /// What it is to bring.
    pub needs: Vec<Need>,
}

/// A visit to a site that is named from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlannedVisit {
    /// Which site.
    pub site: SubjectId,
    /// Place of its first half day in [`PlanFacts::days`], from 0.
    pub first: u8,
    /// Place of its last half day, both of them in it.
    pub last: u8,
    /// Why it is visited in spite of the positive list or the yearly cap.
    pub exception: Option<VisitException>,
}

/// Tickets of a site in a draw, by its tier; 0 leaves the tier out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TierWeights {
    /// Of key sites.
    pub key: u32,
    /// Of general ones.
    pub general: u32,
    /// Of special ones.
    pub special: u32,
}

impl TierWeights {
    /// Of a tier.
    #[must_use]
    pub const fn of(self, tier: SiteTier) -> u32 {
        match tier {
            SiteTier::Key => self.key,
            SiteTier::General => self.general,
            SiteTier::Special => self.special,
        }
    }
}

/// By what rule targets are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DrawRule {
    /// How many sites, 1 to the size of the pool.
    pub sites: u32,
    /// Officers of the host city at each, [`HOST_OFFICERS_MIN`] to [`PLAN_TEAM_MAX`].
    pub host_officers: u32,
    /// Officers of the other cities at each, together, 0 to [`PLAN_TEAM_MAX`].
    pub guest_officers: u32,
    /// Tickets by tier.
    pub weights: TierWeights,
    /// The list of sites, and of those left out of it: [`super::lots::pool_digest`]. The list
    /// itself is a part.
    pub pool: Hash,
    /// How many of it may be drawn, 1 to [`PLAN_POOL_MAX`].
    pub pool_size: u32,
    /// When a city withholds its reveal and all draw again, its sites are drawn like all others. By
    /// default, without this, all of them are targets.
    pub spares_withholders: bool,
}

/// Where the action goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Targets {
    /// To no site.
    None,
    /// To these, ascending by site and half day.
    Named(Vec<PlannedVisit>),
    /// To those that are drawn.
    Draw(DrawRule),
}

/// What of a revision stands in its header.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanFacts {
    /// What sort of action.
    pub kind: PlanKind,
    /// Who takes part, the initiator too, ascending; 2 to [`MEMBERS_MAX`].
    pub cities: Vec<PlanCity>,
    /// Whose departments check, each once, ascending; at least one.
    pub departments: Vec<Department>,
    /// When, ascending; 1 to [`PLAN_HALF_DAYS_MAX`].
    pub days: Vec<PlanDay>,
    /// Where.
    pub targets: Targets,
}

impl PlanFacts {
    /// Brings every list into its order; what stands in one twice stays twice, and is refused.
    ///
    /// Days stay as they are when visits name places among them: sorting would shift the visits.
    /// Unsorted ones are refused then.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.cities.sort_by_key(|one| one.city);
        self.departments.sort_unstable();
        match &mut self.targets {
            Targets::Named(visits) => visits.sort_by_key(|visit| (visit.site, visit.first)),
            Targets::None | Targets::Draw(_) => self.days.sort_unstable(),
        }
        self
    }

    /// The cities.
    pub fn participants(&self) -> impl Iterator<Item = CityCode> + '_ {
        self.cities.iter().map(|one| one.city)
    }

    /// Whether a city takes part.
    #[must_use]
    pub fn has(&self, city: CityCode) -> bool {
        self.cities.iter().any(|one| one.city == city)
    }

    /// How many days it takes, whole or half ones.
    #[must_use]
    pub fn day_count(&self) -> u32 {
        let mut days: Vec<_> = self.days.iter().map(|day| day.at.on).collect();
        days.dedup();
        u32::try_from(days.len()).unwrap_or(u32::MAX)
    }

    /// The rule of its draw, if there is one.
    #[must_use]
    pub const fn draw(&self) -> Option<&DrawRule> {
        match &self.targets {
            Targets::Draw(rule) => Some(rule),
            Targets::None | Targets::Named(_) => None,
        }
    }

    /// The visits that are named.
    #[must_use]
    pub fn visits(&self) -> &[PlannedVisit] {
        match &self.targets {
            Targets::Named(visits) => visits,
            Targets::None | Targets::Draw(_) => &[],
        }
    }

    /// The half days of a visit.
    pub fn half_days_of(&self, visit: &PlannedVisit) -> impl Iterator<Item = HalfDay> + '_ {
        let (first, last) = (usize::from(visit.first), usize::from(visit.last));
        let places = self.days.get(first..=last.max(first)).unwrap_or(&[]);
        places.iter().map(|day| day.at)
    }

    /// What is wrong with it, as far as headers tell; the same for commands and for what others
    /// have signed.
    ///
    /// # Errors
    /// [`FactsRefusal`] with the first thing that is wrong.
    pub fn check(&self, initiator: CityCode, members: &[CityCode]) -> Result<(), FactsRefusal> {
        self.check_cities(initiator, members)?;
        let ascending = self.departments.is_sorted_by(|one, next| one < next);
        if self.departments.is_empty() || !ascending {
            return Err(FactsRefusal::Departments);
        }
        let days = self.days.len();
        let ascending = self.days.is_sorted_by(|one, next| one.at < next.at);
        if !(1..=PLAN_HALF_DAYS_MAX).contains(&days) || !ascending {
            return Err(FactsRefusal::Days);
        }
        if !self.kind.takes(&self.targets) {
            return Err(FactsRefusal::TargetsOfKind { kind: self.kind });
        }
        match &self.targets {
            Targets::None => Ok(()),
            Targets::Named(visits) => check_visits(visits, days),
            Targets::Draw(rule) => rule.check(),
        }
    }

    fn check_cities(&self, initiator: CityCode, members: &[CityCode]) -> Result<(), FactsRefusal> {
        let ascending = self.cities.is_sorted_by(|one, next| one.city < next.city);
        if !(2..=MEMBERS_MAX).contains(&self.cities.len()) || !ascending {
            return Err(FactsRefusal::Participants);
        }
        if !self.has(initiator) {
            return Err(FactsRefusal::InitiatorMissing { initiator });
        }
        let stranger = self.participants().find(|city| !members.contains(city));
        if let Some(city) = stranger {
            return Err(FactsRefusal::ParticipantNotMember { city });
        }
        match self.cities.iter().find(|one| check_needs(&one.needs).is_err()) {
            Some(one) => Err(FactsRefusal::Needs { city: one.city }),
            None => Ok(()),
        }
    }
}

/// Visits are few, at half days of the plan, and those of one site do not overlap.
fn check_visits(visits: &[PlannedVisit], days: usize) -> Result<(), FactsRefusal> {
    if !(1..=PLAN_VISITS_MAX).contains(&visits.len()) {
        return Err(FactsRefusal::Visits);
    }
    let outside =
        |visit: &&PlannedVisit| visit.first > visit.last || usize::from(visit.last) >= days;
    if let Some(visit) = visits.iter().find(outside) {
        return Err(FactsRefusal::VisitDays { site: visit.site });
    }
    let behind = |one: &PlannedVisit, next: &PlannedVisit| {
        one.site < next.site || (one.site == next.site && one.last < next.first)
    };
    let wrong = visits.iter().zip(visits.iter().skip(1)).find(|(one, next)| !behind(one, next));
    match wrong {
        Some((_, visit)) => Err(FactsRefusal::VisitTwice { site: visit.site }),
        None => Ok(()),
    }
}

impl DrawRule {
    fn check(&self) -> Result<(), FactsRefusal> {
        let pool = u32::try_from(PLAN_POOL_MAX).unwrap_or(u32::MAX);
        let TierWeights { key, general, special } = self.weights;
        let weights = [key, general, special];
        let weighed = weights.iter().all(|weight| *weight <= DRAW_WEIGHT_MAX)
            && weights.iter().any(|weight| *weight > 0);
        let teams = (HOST_OFFICERS_MIN..=PLAN_TEAM_MAX).contains(&self.host_officers)
            && self.guest_officers <= PLAN_TEAM_MAX;
        let sized =
            (1..=pool).contains(&self.pool_size) && (1..=self.pool_size).contains(&self.sites);
        if weighed && teams && sized { Ok(()) } else { Err(FactsRefusal::DrawRule) }
    }
}

/// Whether a plan may be opened or revised like this, on every node.
///
/// # Errors
/// [`PlanMisfit::Invalid`]: it is counted and has no effect.
pub(super) fn fits(
    facts: &PlanFacts,
    initiator: CityCode,
    members: &[CityCode],
) -> Result<(), PlanMisfit> {
    facts.check(initiator, members).map_err(|wrong| PlanMisfit::Invalid(Wrong::Facts(wrong)))
}
