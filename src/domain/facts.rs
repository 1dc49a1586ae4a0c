//! The structural facts of a case: what its header says about it, in numbers and codes only.
//!
//! Nothing here was typed by anybody, so nothing here can identify a person, and it stays for
//! ever. Titles, names and exact places are in [`crate::domain::record`], which can be erased.

use super::code::coded;
use super::date::Date;
use super::division::CountyCode;
use super::refusal::Refusal;
use super::violation::Violation;
use crate::ids::CityCode;
use crate::limits::MEMBERS_MAX;

coded! {
    /// How a case came to the authority's notice.
    Source {
        Complaint "COMPLAINT" "投诉举报" "complaint";
        OnlineMonitoring "ONLINE_MONITORING" "在线监控" "on-line monitoring";
        PowerMonitoring "POWER_MONITORING" "用电监控" "power monitoring";
        UavPatrol "UAV_PATROL" "无人机巡查" "drone patrol";
        DoubleRandom "DOUBLE_RANDOM" "双随机抽查" "double-random inspection";
        JointInspection "JOINT_INSPECTION" "联合检查" "joint inspection";
        PeerNotification "PEER_NOTIFICATION" "毗邻市通报" "notice from a neighbouring city";
        SpecialCampaign "SPECIAL_CAMPAIGN" "专项行动" "special campaign";
        SuperiorAssignment "SUPERIOR_ASSIGNMENT" "上级交办" "assigned from above";
        Incident "INCIDENT" "突发环境事件" "incident";
        Media "MEDIA" "媒体曝光" "media report";
    }
}

coded! {
    /// What is harmed.
    Medium {
        Air "AIR" "大气" "air";
        Water "WATER" "水" "water";
        SolidWaste "SOLID_WASTE" "固体废物" "solid waste";
        Soil "SOIL" "土壤" "soil";
        Noise "NOISE" "噪声" "noise";
        Radiation "RADIATION" "辐射" "radiation";
        Ecology "ECOLOGY" "生态" "ecology";
    }
}

coded! {
    /// How widely content may be shown (数据安全法 art. 21).
    DataLevel {
        Public "PUBLIC" "公开" "public";
        General "GENERAL" "一般" "general";
        Restricted "RESTRICTED" "受限" "restricted";
        SecretNotExchanged "SECRET_NOT_EXCHANGED" "不交换" "secret, not exchanged";
    }
}

impl DataLevel {
    /// Whether every member of the agreement may have it.
    #[must_use]
    pub const fn is_for_all_members(self) -> bool {
        match self {
            Self::Public | Self::General => true,
            Self::Restricted | Self::SecretNotExchanged => false,
        }
    }
}

/// How far the place is from the shared border with one other member.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct BorderDistance {
    /// The other member.
    pub city: CityCode,
    /// Whole metres to that city's area.
    pub metres: u32,
}

/// What the header says about a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct CaseFacts {
    /// How it came to notice.
    pub source: Source,
    /// What is harmed.
    pub medium: Medium,
    /// Catalogue code of the act.
    pub violation: Violation,
    /// Six-digit GB/T 2260 county code of the place, if known.
    pub county_code: Option<u32>,
    /// Instant of discovery, milliseconds since 1970-01-01T00:00Z.
    pub discovered_time_ms: i64,
    /// First day of the act, if known.
    pub occurred_from: Option<Date>,
    /// Last day of the act; `None` while it goes on or is not known.
    pub occurred_to: Option<Date>,
    /// How widely the case may be shown.
    pub data_level: DataLevel,
    /// Distances to the other members, ascending by city, computed by the author's node.
    pub borders: Vec<BorderDistance>,
    /// The author's geometry could not tell on which side of the border the place lies.
    pub border_uncertain: bool,
    /// The author exchanges it although it lies outside the agreement's border belt.
    pub belt_exception: bool,
    /// Exact coordinates are in a part of the record.
    pub has_point: bool,
}

impl CaseFacts {
    /// The smallest distance to another member in whole metres, if any is known.
    #[must_use]
    pub fn nearest_border(&self) -> Option<u32> {
        self.borders.iter().map(|border| border.metres).min()
    }

    /// Checks what only the deciding node can know; a fold takes facts as they are.
    ///
    /// # Errors
    /// A [`Refusal`] naming the first fact that cannot be right on `today` (Beijing).
    pub fn check(&self, today: Date) -> Result<(), Refusal> {
        if self.data_level == DataLevel::SecretNotExchanged {
            return Err(Refusal::SecretNotExchanged);
        }
        if self.county_code.is_some_and(|code| CountyCode::from_u32(code).is_err()) {
            return Err(Refusal::CountyUnknown);
        }
        let discovered_on =
            Date::beijing(self.discovered_time_ms).ok_or(Refusal::DiscoveredInFuture { today })?;
        if discovered_on > today {
            return Err(Refusal::DiscoveredInFuture { today });
        }
        if self.occurred_from.is_some_and(|from| from > discovered_on) {
            return Err(Refusal::OccurredAfterDiscovery { discovered_on });
        }
        match (self.occurred_from, self.occurred_to) {
            (Some(from), Some(to)) if from > to => return Err(Refusal::OccurredOrder),
            (_, Some(to)) if to > today => return Err(Refusal::OccurredInFuture { today }),
            (_, None | Some(_)) => {}
        }
        let ascending = self.borders.is_sorted_by(|a, b| a.city < b.city);
        if ascending && self.borders.len() < MEMBERS_MAX { Ok(()) } else { Err(Refusal::Borders) }
    }

    /// Checks the place against the agreement's border belt in whole metres.
    ///
    /// # Errors
    /// [`Refusal::OutsideBelt`] when every known distance is larger and no exception is claimed.
    /// Without any distance the belt cannot be judged and nothing is refused.
    pub fn check_belt(&self, belt_m: u32) -> Result<(), Refusal> {
        match self.nearest_border() {
            Some(nearest_m) if nearest_m > belt_m && !self.belt_exception => {
                Err(Refusal::OutsideBelt { nearest_m, belt_m })
            }
            None | Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::{city, date, facts};

    fn refused(change: impl FnOnce(&mut CaseFacts)) -> &'static str {
        let mut facts = facts();
        change(&mut facts);
        facts.check(date("2026-11-20")).map_or_else(|refusal| refusal.reason(), |()| "")
    }

    #[test]
    fn facts_that_cannot_be_right_are_refused() {
        let day = 86_400_000;
        assert_eq!(refused(|_| ()), "");
        assert_eq!(refused(|f| f.data_level = DataLevel::SecretNotExchanged), "LEVEL_SECRET");
        assert_eq!(refused(|f| f.county_code = Some(371_500)), "COUNTY_CODE");
        assert_eq!(refused(|f| f.discovered_time_ms += 30 * day), "DISCOVERED_IN_FUTURE");
        assert_eq!(refused(|f| f.discovered_time_ms = i64::MAX), "DISCOVERED_IN_FUTURE");
        let late = Some(date("2026-11-19"));
        assert_eq!(refused(|f| f.occurred_from = late), "OCCURRED_AFTER_DISCOVERY");
        assert_eq!(refused(|f| f.occurred_to = Some(date("2026-11-21"))), "OCCURRED_IN_FUTURE");
        assert_eq!(refused(|f| f.occurred_to = Some(date("2026-10-01"))), "OCCURRED_ORDER");
        let border = BorderDistance { city: city(371_500), metres: 1 };
        assert_eq!(refused(|f| f.borders = vec![border, border]), "BORDERS");
    }

    #[test]
    fn the_belt_counts_the_nearest_border_and_takes_exceptions() {
        let mut facts = facts();
        facts.borders = vec![
            BorderDistance { city: city(130_400), metres: 9_000 },
            BorderDistance { city: city(410_900), metres: 5_001 },
        ];
        let outside = Refusal::OutsideBelt { nearest_m: 5_001, belt_m: 5_000 };
        assert_eq!(facts.check_belt(5_000), Err(outside));
        assert_eq!(facts.check_belt(5_001), Ok(()));
        facts.belt_exception = true;
        assert_eq!(facts.check_belt(5_000), Ok(()));
    }
}
