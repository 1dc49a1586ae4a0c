//! One thing that a plan lacks: reason, rule, source, and the words.
//!
//! In scope: words in Chinese and English. Out of scope: when something is lacking ([`super`]).

use crate::domain::code::{Language, Words, coded};
use crate::domain::date::Date;
use crate::domain::department::Department;
use crate::domain::half_day::HalfDay;
use crate::domain::plan::answer::AnswerKind;
use crate::domain::site::LeftOut;
use crate::domain::unit_kind::UnitKind;
use crate::ids::{CityCode, SubjectId};

coded! {
    /// Whether a rule can be set otherwise.
    Force {
        Law "LAW" "法律法规和规定" "law";
        Rule "RULE" "联动规则" "rule of the cooperation";
        Parameter "PARAMETER" "协议参数" "parameter of the agreement";
    }
}

/// Something that a plan lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// A day lies behind.
    DayPast {
        /// Which.
        on: Date,
    },
    /// There is no agreement on a day.
    OutsideTerm {
        /// Which.
        on: Date,
    },
    /// A rest day without the overtime flag.
    RestDay {
        /// Which.
        on: Date,
    },
    /// Whether a day is worked is not known yet.
    CalendarUnknown {
        /// Which.
        on: Date,
    },
    /// A city has not confirmed this revision.
    NotConfirmed {
        /// Which.
        city: CityCode,
        /// What it has said instead.
        answer: Option<AnswerKind>,
    },
    /// A city has taken its confirmation back.
    Withdrawn {
        /// Which.
        city: CityCode,
    },
    /// A city sends fewer than it is asked for.
    Short {
        /// Which.
        city: CityCode,
        /// Of what.
        kind: UnitKind,
        /// Of which department, if that is asked.
        department: Option<Department>,
        /// How many are missing.
        missing: u32,
    },
    /// A unit that is not known, or belongs to another city.
    UnitForeign {
        /// Who sends it.
        city: CityCode,
        /// Which.
        unit: SubjectId,
    },
    /// A unit that does not serve any more.
    UnitRetired {
        /// Who sends it.
        city: CityCode,
        /// What it is.
        kind: UnitKind,
        /// Which.
        unit: SubjectId,
    },
    /// A certificate that is not valid on a day.
    CertificateInvalid {
        /// Who sends the officer.
        city: CityCode,
        /// Which.
        unit: SubjectId,
        /// The first such day.
        on: Date,
    },
    /// A unit that is elsewhere at the same time.
    DoubleBooked {
        /// Who sends it.
        city: CityCode,
        /// Which.
        unit: SubjectId,
        /// The first such half day.
        at: HalfDay,
    },
    /// A site that is not known.
    SiteUnknown {
        /// Which.
        site: SubjectId,
    },
    /// A site that stands in a city that does not take part.
    SiteForeign {
        /// Which.
        site: SubjectId,
        /// Where it stands.
        city: CityCode,
    },
    /// A site that is not to be visited.
    SiteLeftOut {
        /// Which.
        site: SubjectId,
        /// Why.
        why: LeftOut,
    },
    /// The city where a site stands cannot lead there.
    HostShort {
        /// Which.
        city: CityCode,
        /// Where.
        site: SubjectId,
        /// When.
        at: HalfDay,
        /// Certified officers missing.
        missing: u32,
    },
    /// The list of sites is not that of the revision, has a site twice, or too few with tickets.
    PoolDiffers,
    /// What the list says of an own site is not so: its city, its tier, or why it was left out.
    PoolSiteDiffers {
        /// Which.
        site: SubjectId,
    },
    /// A city cannot lead at as many sites as may be drawn for one half day.
    DrawShort {
        /// Which.
        city: CityCode,
        /// When.
        at: HalfDay,
        /// Certified officers missing.
        missing: u32,
    },
    /// A city is not bound to its part of the draw.
    NotCommitted {
        /// Which.
        city: CityCode,
    },
    /// A city has not shown its part of the draw, or something else.
    RevealMissing {
        /// Which.
        city: CityCode,
    },
}

/// A sentence in Chinese and in English.
pub type Pair = (&'static str, &'static str);
/// A rule and where it comes from.
pub type Rule = (Pair, Pair);

/// Of a rule that has no other source.
pub(in crate::domain::plan) const OURS: Pair = ("联动规则", "rules of the cooperation");
/// Of a rule that an agreement may set otherwise.
pub(in crate::domain::plan) const NO_SOURCE: Pair =
    ("协议参数（无文件依据）", "parameter of the agreement, no source");
/// Where it says that two certified officers check.
pub(in crate::domain::plan) const CERTIFIED: Pair =
    ("行政处罚法第四十二条", "Administrative Penalty Law, art. 42");

impl Finding {
    /// Whether it stands against one visit only.
    #[must_use]
    pub const fn stops_a_visit(self) -> bool {
        matches!(self, Self::SiteLeftOut { .. })
    }

    /// The stable reason, upper-case letters and underscores.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::DayPast { .. } => "PLAN_DAY_PAST",
            Self::OutsideTerm { .. } => "PLAN_OUTSIDE_TERM",
            Self::RestDay { .. } => "REST_DAY",
            Self::CalendarUnknown { .. } => "CALENDAR_UNKNOWN",
            Self::NotConfirmed { .. } => "NOT_CONFIRMED",
            Self::Withdrawn { .. } => "WITHDRAWN",
            Self::Short { .. } => "UNITS_SHORT",
            Self::UnitForeign { .. } => "UNIT_UNKNOWN_OR_FOREIGN",
            Self::UnitRetired { .. } => "UNIT_NOT_IN_SERVICE",
            Self::CertificateInvalid { .. } => "CERTIFICATE_INVALID",
            Self::DoubleBooked { .. } => "DOUBLE_BOOKED",
            Self::SiteUnknown { .. } => "PLAN_SITE_UNKNOWN",
            Self::SiteForeign { .. } => "SITE_OF_NO_PARTICIPANT",
            Self::SiteLeftOut { why: LeftOut::Closed, .. } => "SITE_CLOSED",
            Self::SiteLeftOut { why: LeftOut::PositiveList, .. } => "SITE_ON_POSITIVE_LIST",
            Self::SiteLeftOut { why: LeftOut::Capped, .. } => "SITE_CAPPED",
            Self::HostShort { .. } => "HOST_OFFICERS_MISSING",
            Self::PoolDiffers => "POOL_DIFFERS",
            Self::PoolSiteDiffers { .. } => "POOL_SITE_DIFFERS",
            Self::DrawShort { .. } => "DRAW_OFFICERS_MISSING",
            Self::NotCommitted { .. } => "DRAW_NOT_COMMITTED",
            Self::RevealMissing { .. } => "REVEAL_MISSING",
        }
    }

    /// The field of a request that it concerns.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::DayPast { .. }
            | Self::OutsideTerm { .. }
            | Self::RestDay { .. }
            | Self::CalendarUnknown { .. } => "days",
            Self::NotConfirmed { .. } | Self::Withdrawn { .. } => "answers",
            Self::Short { .. }
            | Self::UnitForeign { .. }
            | Self::UnitRetired { .. }
            | Self::CertificateInvalid { .. }
            | Self::DoubleBooked { .. }
            | Self::DrawShort { .. }
            | Self::HostShort { .. } => "units",
            Self::SiteUnknown { .. } | Self::SiteForeign { .. } | Self::SiteLeftOut { .. } => {
                "targets"
            }
            Self::PoolDiffers | Self::PoolSiteDiffers { .. } => "pool",
            Self::NotCommitted { .. } | Self::RevealMissing { .. } => "draw",
        }
    }

    /// Whether its rule can be set otherwise.
    #[must_use]
    pub const fn force(self) -> Force {
        match self {
            Self::CertificateInvalid { .. }
            | Self::HostShort { .. }
            | Self::DrawShort { .. }
            | Self::SiteForeign { .. }
            | Self::SiteLeftOut { why: LeftOut::Capped, .. } => Force::Law,
            Self::RestDay { .. } | Self::CalendarUnknown { .. } => Force::Parameter,
            Self::DayPast { .. }
            | Self::OutsideTerm { .. }
            | Self::NotConfirmed { .. }
            | Self::Withdrawn { .. }
            | Self::Short { .. }
            | Self::UnitForeign { .. }
            | Self::UnitRetired { .. }
            | Self::DoubleBooked { .. }
            | Self::SiteUnknown { .. }
            | Self::SiteLeftOut { why: LeftOut::Closed | LeftOut::PositiveList, .. }
            | Self::PoolDiffers
            | Self::PoolSiteDiffers { .. }
            | Self::NotCommitted { .. }
            | Self::RevealMissing { .. } => Force::Rule,
        }
    }

    /// The rule and where it comes from, each in Chinese and English.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::CertificateInvalid { .. } => (
                ("执法人员须持有效执法证件", "officers hold a certificate that is valid"),
                CERTIFIED,
            ),
            Self::HostShort { .. } | Self::DrawShort { .. } => (
                (
                    "现场检查由属地执法人员带队，属地持证执法人员不少于两人",
                    "the city where a site stands leads, with at least two certified officers",
                ),
                (
                    "据国办发〔2024〕54号（属地管辖）、行政处罚法第四十二条（不少于两人）",
                    "document 54 of 2024, State Council's office (where it stands); \
                     Administrative Penalty Law, art. 42 (no fewer than two)",
                ),
            ),
            Self::SiteForeign { .. } => (
                (
                    "不得违规异地检查，由属地实施",
                    "sites are checked with the city where they stand",
                ),
                ("国办发〔2024〕54号", "State Council's document 54 of 2024"),
            ),
            Self::SiteLeftOut { why, .. } => (why.rule(), why.source()),
            Self::RestDay { .. } | Self::CalendarUnknown { .. } => (
                ("行动安排在工作日，休息日须注明加班", "actions are on workdays, or say overtime"),
                NO_SOURCE,
            ),
            Self::DoubleBooked { .. } => (
                ("同一人员、车辆同一时段只能参加一项行动", "nobody is in two places at a time"),
                OURS,
            ),
            Self::NotConfirmed { .. } | Self::Withdrawn { .. } => {
                (("参加各市均须确认同一版方案", "all cities confirm the same revision"), OURS)
            }
            Self::Short { .. } | Self::UnitForeign { .. } | Self::UnitRetired { .. } => (
                (
                    "各市按方案派出本市在用的人员和装备",
                    "each city sends what the plan asks, its own",
                ),
                OURS,
            ),
            Self::DayPast { .. } | Self::OutsideTerm { .. } => (
                (
                    "行动日期不早于今天，并在协议有效期内",
                    "days lie ahead and in the agreement's term",
                ),
                OURS,
            ),
            Self::SiteUnknown { .. } | Self::PoolDiffers | Self::PoolSiteDiffers { .. } => {
                (("检查对象须在名录库内，并如实列入", "sites are those of the lists"), OURS)
            }
            Self::NotCommitted { .. } | Self::RevealMissing { .. } => (
                (
                    "抽取须由参加各市共同承诺并公开随机数",
                    "all cities of a draw commit to their part and show it",
                ),
                OURS,
            ),
        }
    }

    /// What is lacking, for people. `name` gives the names of cities, `record` those of sites and
    /// units (a firm, a certificate number, a plate).
    #[must_use]
    pub fn explain(
        self,
        language: Language,
        name: &dyn Fn(CityCode) -> String,
        record: &dyn Fn(SubjectId) -> String,
    ) -> String {
        match language {
            Language::Zh => self.zh(name, record),
            Language::En => self.en(name, record),
        }
    }

    fn zh(self, name: &dyn Fn(CityCode) -> String, record: &dyn Fn(SubjectId) -> String) -> String {
        let zh = Language::Zh;
        match self {
            Self::DayPast { on } => format!("{on} 已经过去"),
            Self::OutsideTerm { on } => format!("{on} 不在协议有效期内"),
            Self::RestDay { on } => format!("{on} 为休息日，未注明加班"),
            Self::CalendarUnknown { on } => {
                format!("{on} 是否上班尚不确定（当年放假安排未公布），须待公布或注明加班")
            }
            Self::NotConfirmed { city, answer: None } => format!("{}尚未答复本版方案", name(city)),
            Self::NotConfirmed { city, answer: Some(answer) } => {
                format!("{}尚未确认本版方案（现为“{}”）", name(city), answer.zh())
            }
            Self::Withdrawn { city } => format!("{}已退出", name(city)),
            Self::Short { city, kind, department, missing } => {
                let of = department.map_or("", |department| department.zh());
                format!("{}缺{of}{}", name(city), kind.counted(missing, zh))
            }
            Self::UnitForeign { city, unit } => {
                format!("{}不是{}登记的人员或装备", record(unit), name(city))
            }
            Self::UnitRetired { city, kind, unit } => {
                let gone = if kind == UnitKind::Officer { "已离岗" } else { "已停用" };
                format!("{}的{}{gone}", name(city), record(unit))
            }
            Self::CertificateInvalid { city, unit, on } => {
                format!("{}的{}执法证在 {on} 不在有效期内", name(city), record(unit))
            }
            Self::DoubleBooked { city, unit, at } => {
                format!("{}的{}在{}已有安排", name(city), record(unit), at.text(zh))
            }
            Self::SiteUnknown { site } => format!("{}不在名录库内", record(site)),
            Self::SiteForeign { site, city } => {
                format!("{}位于{}，该市未参加本次行动", record(site), name(city))
            }
            Self::SiteLeftOut { site, why } => format!("{}：{}", record(site), why.zh()),
            Self::HostShort { city, site, at, missing } => format!(
                "{}检查{}，属地{}缺{}",
                at.text(zh),
                record(site),
                name(city),
                UnitKind::Officer.counted(missing, zh)
            ),
            Self::PoolDiffers => "抽取名录与方案所载不一致".to_owned(),
            Self::PoolSiteDiffers { site } => {
                format!("抽取名录中{}的属地、类别或排除理由与实际不符", record(site))
            }
            Self::DrawShort { city, at, missing } => format!(
                "{}可能抽到的对象较多，属地{}缺{}",
                at.text(zh),
                name(city),
                UnitKind::Officer.counted(missing, zh)
            ),
            Self::NotCommitted { city } => format!("{}尚未提交抽取承诺", name(city)),
            Self::RevealMissing { city } => format!("{}尚未公开随机数", name(city)),
        }
    }

    fn en(self, name: &dyn Fn(CityCode) -> String, record: &dyn Fn(SubjectId) -> String) -> String {
        let en = Language::En;
        match self {
            Self::DayPast { on } => format!("{on} has passed"),
            Self::OutsideTerm { on } => format!("{on} lies outside the term of the agreement"),
            Self::RestDay { on } => format!("{on} is a rest day, and not marked as overtime"),
            Self::CalendarUnknown { on } => format!(
                "whether {on} is worked is not known yet; wait for the notice or mark overtime"
            ),
            Self::NotConfirmed { city, answer: None } => {
                format!("{} has not answered this revision", name(city))
            }
            Self::NotConfirmed { city, answer: Some(answer) } => {
                format!("{} has not confirmed this revision ({})", name(city), answer.en())
            }
            Self::Withdrawn { city } => format!("{} has withdrawn", name(city)),
            Self::Short { city, kind, department, missing } => {
                let of = department.map_or(String::new(), |d| format!(" of {}", d.en()));
                format!("{} is short of {}{of}", name(city), kind.counted(missing, en))
            }
            Self::UnitForeign { city, unit } => {
                format!("{} is no unit of {}", record(unit), name(city))
            }
            Self::UnitRetired { city, unit, kind: _ } => {
                format!("{} of {} is retired", record(unit), name(city))
            }
            Self::CertificateInvalid { city, unit, on } => {
                format!("certificate {} of {} is not valid on {on}", record(unit), name(city))
            }
            Self::DoubleBooked { city, unit, at } => {
                format!("{} of {} is booked on {}", record(unit), name(city), at.text(en))
            }
            Self::SiteUnknown { site } => format!("{} is not on the lists", record(site)),
            Self::SiteForeign { site, city } => {
                format!("{} stands in {}, which does not take part", record(site), name(city))
            }
            Self::SiteLeftOut { site, why } => format!("{}: {}", record(site), why.en()),
            Self::HostShort { city, site, at, missing } => format!(
                "at {} on {}, {}, where it stands, is short of {}",
                record(site),
                at.text(en),
                name(city),
                UnitKind::Officer.counted(missing, en)
            ),
            Self::PoolDiffers => "list of the draw is not that of the plan".to_owned(),
            Self::PoolSiteDiffers { site } => format!(
                "city, tier or reason for leaving out that the list has of {} is not so",
                record(site)
            ),
            Self::DrawShort { city, at, missing } => format!(
                "as many sites as may be drawn for {}, {} is short of {}",
                at.text(en),
                name(city),
                UnitKind::Officer.counted(missing, en)
            ),
            Self::NotCommitted { city } => {
                format!("{} is not bound to its part of the draw", name(city))
            }
            Self::RevealMissing { city } => {
                format!("{} has not shown its part of the draw", name(city))
            }
        }
    }
}
