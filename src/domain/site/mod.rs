//! Sites (检查对象): what may be visited, positive lists (正面清单), checks, the yearly cap.
//!
//! In scope: what a site is, who may say what of it, whether it may be visited on a day, what of
//! its checks is counted. Out of scope: which sites are of one enterprise (the node, which alone
//! reads credit codes), plans, the words of refusals ([`SiteRefusal`]).
//!
//! A site belongs to the city in whose area it stands, and only that city says anything of it. It
//! has no turns: of several changes and of several words about its listing the newest counts, and
//! every check counts once.
//!
//! Invariants:
//! 1. What [`fits`] forbids has no effect on any node. (`who_may_say_what_of_a_site`)
//! 2. What [`opens`] forbids makes no site. (`an_opening_of_another_city_makes_no_site`)
//! 3. A site that is left out is left out for a named reason, and an exception is named where one
//!    counts. (`whether_a_site_may_be_visited`)

mod record;
mod refusal;
mod visit;

pub use record::{SiteDraft, SiteRecord};
pub use refusal::SiteRefusal;
pub use visit::{EXCEPTIONS_SOURCE, LeftOut, Verdict, Visit, Visited, may_visit};

use serde::{Deserialize, Serialize};

use super::code::coded;
use super::date::Date;
use super::division::CountyCode;
use super::facts::Medium;
use super::refusal::{Misfit, Refusal};
use crate::ids::{CityCode, SubjectId};

coded! {
    /// In which pool of a double-random draw a site is (双随机名录库).
    SiteTier {
        Key "KEY" "重点" "key";
        General "GENERAL" "一般" "general";
        Special "SPECIAL" "特殊" "special";
    }
}

coded! {
    /// How its discharge is permitted.
    PermitKind {
        KeyManaged "KEY_MANAGED" "排污许可重点管理" "permit, key management";
        Simplified "SIMPLIFIED" "排污许可简化管理" "permit, simplified management";
        Registered "REGISTERED" "排污登记管理" "registration only";
        NotRequired "NOT_REQUIRED" "不需要排污许可" "no permit required";
    }
}

coded! {
    /// Where a site stands on the positive list.
    ListingStatus {
        Active "ACTIVE" "在清单内" "on the list";
        Suspended "SUSPENDED" "暂停" "suspended";
        Removed "REMOVED" "移出清单" "removed";
    }
}

coded! {
    /// Why a site is taken off the positive list. From memory of the practice and no text that was
    /// read for this program, so the list has an OTHER.
    RemovalBasis {
        PenaltyDecision "PENALTY_DECISION" "受到行政处罚" "penalty decision";
        FalsifiedData "FALSIFIED_DATA" "监测数据弄虚作假" "falsified data";
        Incident "INCIDENT" "发生突发环境事件" "environmental incident";
        Lapse "LAPSE" "不再符合条件" "conditions no longer met";
        Other "OTHER" "其他原因（见说明）" "another reason, see the text";
    }
}

coded! {
    /// By what a site on the positive list is watched from afar.
    MonitoringKind {
        Online "ONLINE" "在线监控" "on-line monitoring";
        Power "POWER" "用电监控" "power monitoring";
        Uav "UAV" "无人机巡查" "drone patrols";
        Other "OTHER" "其他非现场方式" "other means from afar";
    }
}

coded! {
    /// How a check is made.
    CheckMode {
        OnSite "ON_SITE" "现场检查" "on site";
        OffSite "OFF_SITE" "非现场检查" "off site";
    }
}

coded! {
    /// Why a site is visited in spite of the positive list or the yearly cap. The list has no
    /// source at hand ([`EXCEPTIONS_SOURCE`]); its last three are general knowledge: lists that
    /// several authorities have made known have them, and none was at hand.
    VisitException {
        Complaint "COMPLAINT" "投诉举报" "complaint";
        OffSiteClue "OFF_SITE_CLUE" "非现场监管发现线索" "clue from off-site monitoring";
        SpecialCampaign "SPECIAL_CAMPAIGN" "上级部署专项行动" "campaign ordered from above";
        Incident "INCIDENT" "突发环境事件处置" "environmental incident";
        PeerTransfer "PEER_TRANSFER" "其他市移送线索" "clue transferred by another city";
        RequestedByEnterprise "REQUESTED_BY_ENTERPRISE" "依企业申请" "the enterprise has asked";
        AssignedBySuperior "ASSIGNED_BY_SUPERIOR" "上级转办交办" "assigned from above";
        FollowUp "FOLLOW_UP" "整改复查" "whether faults were mended";
    }
}

/// What of a site stands in headers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SiteFacts {
    /// The county in which it stands.
    pub county: CountyCode,
    /// Its pool.
    pub tier: SiteTier,
    /// What it may pollute: at least one, ascending.
    pub media: Vec<Medium>,
    /// How its discharge is permitted, if that is known.
    pub permit: Option<PermitKind>,
    /// It is shut (已关停): nothing is left to be checked.
    pub closed: bool,
}

impl SiteFacts {
    fn is_of(&self, city: CityCode) -> bool {
        let ascending = self.media.is_sorted_by(|a, b| a < b) && !self.media.is_empty();
        self.county.belongs_to(city) && ascending
    }
}

/// What is said of a site and the positive list. Of several words the newest counts from the day
/// on which it is said: also for days that lie before it, and for those to come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Listing {
    /// Where it stands.
    pub status: ListingStatus,
    /// First day on the list.
    pub admitted_on: Date,
    /// Last day on the list.
    pub expires_on: Date,
    /// Why it was taken off: given exactly when it was.
    pub removed_for: Option<RemovalBasis>,
    /// By what it is watched, each once, ascending.
    pub monitoring: Vec<MonitoringKind>,
}

impl Listing {
    /// Whether a site is on the list on a day. One that has expired no longer is.
    #[must_use]
    pub fn is_listed(&self, on: Date) -> bool {
        let active = match self.status {
            ListingStatus::Active => true,
            ListingStatus::Suspended | ListingStatus::Removed => false,
        };
        active && self.admitted_on <= on && on <= self.expires_on
    }

    /// A renewal that only begins later would take a site off the list until then: the newest word
    /// counts at once.
    fn check_renewal(&self, before: Option<&Self>, today: Date) -> Result<(), SiteRefusal> {
        let admitted_on = self.admitted_on;
        let later = self.status == ListingStatus::Active && admitted_on > today;
        if later && before.is_some_and(|before| before.is_listed(today)) {
            return Err(SiteRefusal::RenewalBeginsLater { admitted_on, today });
        }
        Ok(())
    }

    /// Checks that its fields go together.
    ///
    /// # Errors
    /// `LISTING_DATES` or `REMOVAL_BASIS`.
    pub fn check(&self) -> Result<(), SiteRefusal> {
        let (admitted_on, expires_on) = (self.admitted_on, self.expires_on);
        if admitted_on > expires_on {
            return Err(SiteRefusal::ListingDates { admitted_on, expires_on });
        }
        let removed = self.status == ListingStatus::Removed;
        if removed == self.removed_for.is_some() {
            Ok(())
        } else {
            Err(SiteRefusal::RemovalBasis { removed })
        }
    }
}

/// A check that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SiteCheck {
    /// The day, in Beijing.
    pub on: Date,
    /// How.
    pub mode: CheckMode,
    /// Why in spite of list and cap; of a routine check none.
    pub exception: Option<VisitException>,
    /// The plan it belongs to, if it belongs to one.
    pub plan: Option<SubjectId>,
    /// A corrected report of the plan takes this check back.
    pub taken_back: bool,
}

impl SiteCheck {
    /// Whether it counts to the yearly cap.
    #[must_use]
    pub const fn counts(&self) -> bool {
        matches!((self.mode, self.exception), (CheckMode::OnSite, None))
    }

    /// Checks what can be checked without knowing the site.
    ///
    /// # Errors
    /// `CHECK_IN_FUTURE`, `CHECK_TOO_OLD` or `CHECK_PLAN_UNKNOWN`.
    pub fn check(&self, today: Date) -> Result<(), SiteRefusal> {
        let on = self.on;
        if on > today {
            return Err(SiteRefusal::CheckInFuture { on, today });
        }
        if let Ok(since) = Date::new(today.year() - 1, 1, 1)
            && on < since
        {
            return Err(SiteRefusal::CheckTooOld { on, since });
        }
        // The field is for plans, of which no node knows any yet: what is typed there now would
        // stand in a header for ever.
        let of_plan = self.plan.is_some() || self.taken_back;
        if of_plan { Err(SiteRefusal::PlanUnknown) } else { Ok(()) }
    }
}

/// Checks of one site in one calendar year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct YearChecks {
    /// On site, counted to the cap.
    pub counted: u32,
    /// On site under an exception, not counted.
    pub excepted: u32,
    /// Off site.
    pub off_site: u32,
}

impl YearChecks {
    /// Takes one more check in, or one out that is taken back.
    pub fn add(&mut self, check: &SiteCheck) {
        let number = match (check.mode, check.exception) {
            (CheckMode::OffSite, _) => &mut self.off_site,
            (CheckMode::OnSite, Some(_)) => &mut self.excepted,
            (CheckMode::OnSite, None) => &mut self.counted,
        };
        // Whoever takes a check back had seen it, so it was taken in before.
        *number = match check.taken_back {
            true => number.saturating_sub(1),
            false => number.saturating_add(1),
        };
    }
}

/// Checks of one site in one month that belong to no plan: those of plans are counted from what was
/// reported of the visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MonthChecks {
    /// Which month.
    pub month: (i32, u8),
    /// On site, under an exception or not.
    pub on_site: u32,
    /// Off site.
    pub off_site: u32,
}

impl MonthChecks {
    /// Takes a check in among those of its month; the months stay ascending.
    pub fn count(months: &mut Vec<Self>, check: &SiteCheck) {
        if check.plan.is_some() {
            return;
        }
        let month = (check.on.year(), check.on.month());
        let place = months.binary_search_by_key(&month, |one| one.month).unwrap_or_else(|place| {
            months.insert(place, Self { month, on_site: 0, off_site: 0 });
            place
        });
        if let Some(one) = months.get_mut(place) {
            let number = match check.mode {
                CheckMode::OnSite => &mut one.on_site,
                CheckMode::OffSite => &mut one.off_site,
            };
            *number = number.saturating_add(1);
        }
    }
}

/// What may be said of a site.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SiteAct {
    /// All facts after a change.
    Changed {
        /// The facts.
        facts: SiteFacts,
    },
    /// Where it stands on the positive list.
    Listed(Listing),
    /// A check was made there.
    Checked(SiteCheck),
}

/// Whether a city may open a site like this; the same for commands and for what others have
/// signed.
///
/// # Errors
/// [`Misfit::NotAMember`] or [`Misfit::SiteInvalid`]: it is counted and opens nothing.
pub fn opens(city: CityCode, facts: &SiteFacts, members: &[CityCode]) -> Result<(), Misfit> {
    if !members.contains(&city) {
        return Err(Misfit::NotAMember { city });
    }
    if facts.is_of(city) { Ok(()) } else { Err(Misfit::SiteInvalid) }
}

/// Whether a city may say this of a site of `owner`; the same for commands and for what others have
/// signed.
///
/// # Errors
/// A [`Misfit`]: it is shown and has no effect.
pub fn fits(owner: CityCode, by: CityCode, act: &SiteAct) -> Result<(), Misfit> {
    if by != owner {
        return Err(Misfit::NotSiteCity { owner });
    }
    let holds = match act {
        SiteAct::Changed { facts } => facts.is_of(owner),
        SiteAct::Listed(listing) => {
            listing.check().is_ok() && listing.monitoring.is_sorted_by(|a, b| a < b)
        }
        SiteAct::Checked(check) => check.plan.is_some() || !check.taken_back,
    };
    if holds { Ok(()) } else { Err(Misfit::SiteInvalid) }
}

/// Decides on a new site.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_register(
    by: CityCode,
    facts: &SiteFacts,
    members: &[CityCode],
) -> Result<(), Refusal> {
    check_county(by, facts)?;
    Ok(opens(by, facts, members)?)
}

fn check_county(by: CityCode, facts: &SiteFacts) -> Result<(), SiteRefusal> {
    let county = facts.county;
    if county.belongs_to(by) { Ok(()) } else { Err(SiteRefusal::CountyNotOwn { county, city: by }) }
}

/// Decides on what a city says of a site of `owner` with its listing of before; `visit` is what is
/// known of a visit there on the day of a check.
///
/// # Errors
/// A [`Refusal`]; nothing was written.
pub fn decide_act(
    (owner, before): (CityCode, Option<&Listing>),
    by: CityCode,
    act: &SiteAct,
    visit: Option<&Visit<'_>>,
    today: Date,
) -> Result<(), Refusal> {
    if by != owner {
        return Err(Misfit::NotSiteCity { owner }.into());
    }
    match act {
        SiteAct::Changed { facts } => check_county(by, facts)?,
        SiteAct::Listed(listing) => {
            listing.check()?;
            listing.check_renewal(before, today)?;
        }
        SiteAct::Checked(check) => {
            check.check(today)?;
            match (check.mode, visit.map(|v| (v, may_visit(v)))) {
                (CheckMode::OffSite, _) | (CheckMode::OnSite, None) => {}
                (CheckMode::OnSite, Some((_, Verdict::Fine | Verdict::Excepted { .. }))) => {}
                (CheckMode::OnSite, Some((visit, Verdict::LeftOut(why)))) => {
                    return Err(SiteRefusal::of(why, visit).into());
                }
            }
        }
    }
    Ok(fits(owner, by, act)?)
}

#[cfg(test)]
mod tests;
