//! Why a command about a site is not carried out, and what people are told.

use super::{EXCEPTIONS_SOURCE, LeftOut, Visit};
use crate::domain::date::Date;
use crate::domain::division::CountyCode;
use crate::domain::refusal::Refusal;
use crate::ids::{CityCode, Position, SubjectId};

type Pair = (&'static str, &'static str);
const OURS: Pair = ("联动规则", "rules of the cooperation");

/// Why the deciding node does not carry out a command about a site. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SiteRefusal {
    /// A site belongs to the city in whose area it stands.
    #[error("county {county} is not in the area of {city}")]
    CountyNotOwn {
        /// The county given.
        county: CountyCode,
        /// Who asks.
        city: CityCode,
    },
    /// The enterprise has a site in this agreement already. Go on with that one, or say that this
    /// is another plant.
    #[error("the credit code is that of site {site}")]
    Known {
        /// The site that has the credit code.
        site: SubjectId,
    },
    /// Somebody changed it since it was read. Read it again.
    #[error("site was changed meanwhile, it is at {current}")]
    Changed {
        /// Its etag now.
        current: Position,
    },
    /// The list is left before it is entered.
    #[error("last day {expires_on} on the list is before the first, {admitted_on}")]
    ListingDates {
        /// First day.
        admitted_on: Date,
        /// Last day.
        expires_on: Date,
    },
    /// A removal has a basis, and nothing else has one.
    #[error("basis of a removal is given exactly when a site is removed")]
    RemovalBasis {
        /// It is removed, and the basis is missing.
        removed: bool,
    },
    /// Checks are of what has been.
    #[error("check is on {on}, after today, {today}")]
    CheckInFuture {
        /// The date given.
        on: Date,
        /// Today in Beijing.
        today: Date,
    },
    /// Older checks are in nobody's count any more: the day was mistyped.
    #[error("check is on {on}, before {since}")]
    CheckTooOld {
        /// The date given.
        on: Date,
        /// The first day that is taken.
        since: Date,
    },
    /// A check of a plan is written by the report of its visit, which knows who was sent.
    #[error("a check of a plan is reported in the plan, not recorded by itself")]
    PlanUnknown,
    /// It would take the site off the list until then. Keep the first day and move the last.
    #[error("site is on the positive list, the renewal begins on {admitted_on}, after {today}")]
    RenewalBeginsLater {
        /// First day of the renewal.
        admitted_on: Date,
        /// Today in Beijing.
        today: Date,
    },
    /// Nobody has so many plants in one city: somebody has the wrong credit code.
    #[error("the credit code has {most} sites in this agreement already")]
    TooManyPlants {
        /// At most so many.
        most: usize,
    },
    /// It is shut. Change its facts first if it works again, or name an exception.
    #[error("site is closed")]
    Closed,
    /// It is on the positive list. Check it off site, or name an exception.
    #[error("site is on the positive list until {until}")]
    PositiveList {
        /// Last day on the list.
        until: Date,
    },
    /// It was visited as often as may be. Check it off site, or name an exception.
    #[error("enterprise was visited {made} times in {year}, {reserved} more planned, cap {most}")]
    Capped {
        /// Calendar year.
        year: i32,
        /// Checks that count.
        made: u32,
        /// Visits reserved by plans.
        reserved: u32,
        /// The cap.
        most: u32,
    },
}

impl SiteRefusal {
    /// The refusal of a visit that is left out.
    pub(super) fn of(why: LeftOut, visit: &Visit<'_>) -> Self {
        let Visit { on, visited, .. } = *visit;
        match why {
            LeftOut::Closed => Self::Closed,
            LeftOut::PositiveList => {
                Self::PositiveList { until: visit.listing.map_or(on, |listing| listing.expires_on) }
            }
            LeftOut::Capped => Self::Capped {
                year: on.year(),
                made: visited.made,
                reserved: visited.reserved,
                most: visited.most,
            },
        }
    }

    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::CountyNotOwn { .. } => "COUNTY_NOT_OWN",
            Self::Known { .. } => "SITE_KNOWN",
            Self::Changed { .. } => "SITE_CHANGED",
            Self::ListingDates { .. } => "LISTING_DATES",
            Self::RemovalBasis { .. } => "REMOVAL_BASIS",
            Self::CheckInFuture { .. } => "CHECK_IN_FUTURE",
            Self::CheckTooOld { .. } => "CHECK_TOO_OLD",
            Self::PlanUnknown => "CHECK_PLAN_UNKNOWN",
            Self::RenewalBeginsLater { .. } => "LISTING_BEGINS_LATER",
            Self::TooManyPlants { .. } => "SITE_PLANTS",
            Self::Closed => "SITE_CLOSED",
            Self::PositiveList { .. } => "SITE_ON_POSITIVE_LIST",
            Self::Capped { .. } => "SITE_CAPPED",
        }
    }

    /// The field of the request it is about.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::CountyNotOwn { .. } => "facts.county_code",
            Self::Known { .. } | Self::TooManyPlants { .. } => "record.uscc",
            Self::Changed { .. } => "etag",
            Self::ListingDates { .. } => "listing.expires_on",
            Self::RemovalBasis { .. } => "listing.removed_for",
            Self::RenewalBeginsLater { .. } => "listing.admitted_on",
            Self::CheckInFuture { .. } | Self::CheckTooOld { .. } => "check.on",
            Self::PlanUnknown => "check.plan_id",
            Self::Closed | Self::PositiveList { .. } | Self::Capped { .. } => "check.exception",
        }
    }

    /// The rule behind it and where that comes from, each in Chinese and English; none where
    /// somebody was only faster.
    #[must_use]
    pub const fn rule(self) -> Option<(Pair, Pair)> {
        let why = match self {
            Self::Closed => LeftOut::Closed,
            Self::PositiveList { .. } => LeftOut::PositiveList,
            Self::Capped { .. } => LeftOut::Capped,
            Self::Changed { .. } => return None,
            Self::CountyNotOwn { .. } => {
                return Some((("检查对象由所在地的市登记", "a site is of its own city"), OURS));
            }
            Self::Known { .. } | Self::TooManyPlants { .. } => {
                let one = "an enterprise is registered once, or as another plant";
                return Some((("同一企业只登记一次，另有厂区的注明", one), OURS));
            }
            Self::ListingDates { .. }
            | Self::RemovalBasis { .. }
            | Self::RenewalBeginsLater { .. } => {
                let whole = "a listing has its days in order, and a removal its reason";
                return Some((("正面清单起止日期须前后相接，移出须有原因", whole), OURS));
            }
            Self::CheckInFuture { .. } | Self::CheckTooOld { .. } => {
                let made = "checks are of what was made, since the year before";
                return Some((("只登记上年以来已开展的检查", made), OURS));
            }
            Self::PlanUnknown => {
                let by = "checks of a plan are recorded by the reports of its visits";
                return Some((("方案内的检查由方案的结果登记", by), OURS));
            }
        };
        Some((why.rule(), why.source()))
    }

    /// Why it was not done and what to do, in Chinese.
    pub(in crate::domain) fn zh(self, city: &dyn Fn(CityCode) -> String) -> (String, String) {
        let pair = |why: String, todo: &str| (why, todo.to_owned());
        let (exceptions, _) = EXCEPTIONS_SOURCE;
        match self {
            Self::CountyNotOwn { county, city: by } => pair(
                format!("{county} 不在{}辖区内", city(by)),
                "检查对象由所在地的市登记，请核对县级区划代码",
            ),
            Self::Known { site } => pair(
                format!("这一信用代码在本协议中已登记为检查对象 {site}"),
                "请在该检查对象上修改；确是同一企业另一厂区的，请注明另一厂区",
            ),
            Self::Changed { current } => pair(
                format!("检查对象在此期间已有修改，现为 {current}"),
                "请重新查看后再决定是否更改",
            ),
            Self::ListingDates { admitted_on, expires_on } => pair(
                format!("到期日期 {expires_on} 早于列入日期 {admitted_on}"),
                "请核对正面清单的起止日期",
            ),
            Self::RemovalBasis { removed: true } => {
                pair("移出正面清单没有填写原因".to_owned(), "请选择移出原因")
            }
            Self::RemovalBasis { removed: false } => {
                pair("没有移出正面清单，却填写了移出原因".to_owned(), "请去掉移出原因")
            }
            Self::CheckInFuture { on, today } => {
                pair(format!("检查日期 {on} 晚于今天（{today}）"), "检查结束后再登记")
            }
            Self::CheckTooOld { on, since } => pair(
                format!("检查日期 {on} 早于 {since}"),
                "只登记上年1月1日以来的检查，请核对日期",
            ),
            Self::PlanUnknown => {
                pair("属于联合检查计划的检查请在计划中报告结果".to_owned(), "此处计划编号请留空")
            }
            Self::RenewalBeginsLater { admitted_on, today } => pair(
                format!("现有清单今天（{today}）仍有效，列入日期改为 {admitted_on} 会造成中断"),
                "续期请保留原列入日期，只改到期日期",
            ),
            Self::TooManyPlants { most } => {
                pair(format!("这一信用代码在本协议中已登记 {most} 个检查对象"), "请核对信用代码")
            }
            Self::Closed => pair(
                "该对象已关停，不安排现场检查".to_owned(),
                "恢复生产的，请先修改登记；有例外情形的，请注明",
            ),
            Self::PositiveList { until } => (
                format!(
                    "该企业在正面清单内（有效期至 {until}），一般不开展现场检查（{}）",
                    LeftOut::PositiveList.source().0
                ),
                format!("可开展非现场检查；有例外情形的，请注明（{exceptions}）"),
            ),
            Self::Capped { year, made, reserved, most } => (
                format!(
                    "该企业 {year} 年现场检查已 {made} 次、已排定 {reserved} 次，达到年度上限 {most} \
                     次（国办发〔2024〕54号；次数由本市设定）"
                ),
                format!("可开展非现场检查；有例外情形的，请注明（{exceptions}）"),
            ),
        }
    }

    /// What to do, in English; why is its text.
    pub(in crate::domain) const fn en(self) -> &'static str {
        match self {
            Self::CountyNotOwn { .. } => "the city where it stands registers it, check the county",
            Self::Known { .. } => "change that site, or say that this is another plant",
            Self::Changed { .. } => "read it again, then decide",
            Self::ListingDates { .. } => "check both days",
            Self::RemovalBasis { removed: true } => "say why it was removed",
            Self::RemovalBasis { removed: false } => "leave the basis out",
            Self::CheckInFuture { .. } => "record it once it was made",
            Self::CheckTooOld { .. } => "check the day",
            Self::PlanUnknown => "leave the plan out",
            Self::RenewalBeginsLater { .. } => "keep the first day, move the last",
            Self::TooManyPlants { .. } => "check the credit code",
            Self::Closed => "change its facts if it works again, or name an exception",
            Self::PositiveList { .. } => {
                "check it off site, or name an exception, for which no text was at hand; the list \
                 is that of a guideline of April 2021, whose text was not at hand either"
            }
            Self::Capped { .. } => {
                "check it off site, or name an exception; the cap is that of document 54 of 2024 \
                 of the State Council's office, its number a setting"
            }
        }
    }
}

impl From<SiteRefusal> for Refusal {
    fn from(refusal: SiteRefusal) -> Self {
        Self::Site(refusal)
    }
}
