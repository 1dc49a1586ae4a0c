//! The catalogue of violations: code, name, and the articles before and from 2026-08-15.
//!
//! On 2026-08-15 生态环境法典 took the place of the media laws (its art. 1242). Which text applies
//! follows from the date of the act, unless the later rule is lighter (行政处罚法 art. 37); the
//! catalogue only offers articles, an officer chooses. It is data, not law: no code matches on it.

use super::code::coded;

coded! {
    /// What somebody is suspected of, by catalogue code.
    Violation {
        AirExceed "AIR_EXCEED" "超过大气污染物排放标准排放大气污染物"
            "air emission above the standard";
        WaterExceed "WATER_EXCEED" "超过水污染物排放标准排放水污染物"
            "water discharge above the standard";
        PermitLimitExceed "PERMIT_LIMIT_EXCEED" "超过许可排放浓度、许可排放量排放污染物"
            "discharge above the permitted limit";
        NoPermit "NO_PERMIT" "未依法取得排污许可证排放污染物" "discharge without a permit";
        EvasionAir "EVASION_AIR" "通过逃避监管的方式排放大气污染物"
            "air emission evading supervision";
        EvasionWater "EVASION_WATER" "通过逃避监管的方式排放水污染物"
            "water discharge evading supervision";
        FacilityNotRun "FACILITY_NOT_RUN" "未正常运行污染防治设施"
            "treatment facility not run properly";
        AutoMonitorFault "AUTO_MONITOR_FAULT" "未保证自动监测设备正常运行"
            "automatic monitoring not kept running";
        MonitorDataDistorted "MONITOR_DATA_DISTORTED" "监测数据失真" "monitoring data distorted";
        EiaUnapproved "EIA_UNAPPROVED" "环境影响评价文件未经批准擅自开工建设"
            "construction without an approved impact assessment";
        NotAccepted "NOT_ACCEPTED" "环境保护设施未经验收即投入生产"
            "production before the acceptance of protection facilities";
        VocUncollected "VOC_UNCOLLECTED" "含挥发性有机物废气的生产活动未在密闭空间中进行"
            "organic vapours not collected";
        DustUncovered "DUST_UNCOVERED" "易产生扬尘的物料未密闭、未采取有效覆盖措施"
            "dusty material not covered";
        HazwasteStorage "HAZWASTE_STORAGE" "未按照环境保护标准贮存危险废物"
            "hazardous waste stored against the standard";
        HazwasteDumping "HAZWASTE_DUMPING" "擅自倾倒、堆放危险废物" "hazardous waste dumped";
        SolidWasteDumping "SOLID_WASTE_DUMPING" "擅自倾倒、堆放工业固体废物"
            "industrial solid waste dumped";
        CrossProvinceWaste "CROSS_PROVINCE_WASTE" "擅自跨省转移固体废物"
            "solid waste moved across provinces without approval";
        OutfallIllegal "OUTFALL_ILLEGAL" "违反规定设置排污口" "outfall against the rules";
        NoiseExceed "NOISE_EXCEED" "超过噪声排放标准排放工业噪声"
            "industrial noise above the standard";
        StrawBurning "STRAW_BURNING" "在禁止区域露天焚烧秸秆" "straw burnt in a forbidden area";
        HeavyWeatherSite "HEAVY_WEATHER_SITE" "重污染天气期间未落实应急减排措施"
            "emergency cuts ignored in heavy pollution";
        Obstruction "OBSTRUCTION" "拒绝、阻挠监督检查或者弄虚作假"
            "inspection refused or obstructed";
    }
}

coded! {
    /// A law that the catalogue cites.
    Law {
        EcologyCode "ECOLOGY_CODE" "中华人民共和国生态环境法典" "Ecological and Environmental Code";
        Air "AIR_LAW" "中华人民共和国大气污染防治法" "Air Pollution Law";
        Water "WATER_LAW" "中华人民共和国水污染防治法" "Water Pollution Law";
        SolidWaste "SOLID_WASTE_LAW" "中华人民共和国固体废物污染环境防治法" "Solid Waste Law";
        Noise "NOISE_LAW" "中华人民共和国噪声污染防治法" "Noise Pollution Law";
        Assessment "EIA_LAW" "中华人民共和国环境影响评价法" "Impact Assessment Law";
        Protection "PROTECTION_LAW" "中华人民共和国环境保护法" "Environmental Protection Law";
        PermitRegulation "PERMIT_REGULATION" "排污许可管理条例" "Permit Regulation";
        ProjectRegulation "PROJECT_REGULATION" "建设项目环境保护管理条例"
            "Construction Project Regulation";
    }
}

/// An article of a law; item 0 means the whole article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LawArticle {
    /// The law.
    pub law: Law,
    /// Number of the article, from 1.
    pub article: u16,
    /// Item (项) in it, from 1; 0 where the whole article is meant.
    pub item: u16,
}

/// One line of the catalogue: which articles punish a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueLine {
    /// The violation.
    pub violation: Violation,
    /// Articles for acts before 2026-08-15; empty where our sources name none.
    pub before: &'static [LawArticle],
    /// Articles for acts from 2026-08-15 on.
    pub from_code: &'static [LawArticle],
}

const fn at(law: Law, article: u16, item: u16) -> LawArticle {
    LawArticle { law, article, item }
}

const fn line(
    violation: Violation,
    before: &'static [LawArticle],
    from_code: &'static [LawArticle],
) -> CatalogueLine {
    CatalogueLine { violation, before, from_code }
}

use Law::{
    Air, Assessment, EcologyCode, Noise, PermitRegulation, ProjectRegulation, Protection,
    SolidWaste, Water,
};
use Violation as V;

/// The catalogue, one line for each violation in the order of [`Violation::ALL`].
///
/// Read in the texts of the laws, but for the two regulations (permit 34, project 23), which are
/// from memory and marked so in the documentation of the domain.
pub const CATALOGUE: &[CatalogueLine] = &[
    line(V::AirExceed, &[at(Air, 99, 2)], &[at(EcologyCode, 1107, 0)]),
    line(V::WaterExceed, &[at(Water, 83, 2)], &[at(EcologyCode, 1107, 0)]),
    line(V::PermitLimitExceed, &[at(PermitRegulation, 34, 0)], &[at(EcologyCode, 1103, 0)]),
    line(V::NoPermit, &[at(Air, 99, 1), at(Water, 83, 1)], &[at(EcologyCode, 1102, 0)]),
    line(V::EvasionAir, &[at(Air, 99, 3), at(Protection, 63, 0)], &[at(EcologyCode, 1108, 0)]),
    line(V::EvasionWater, &[at(Water, 83, 3), at(Protection, 63, 0)], &[at(EcologyCode, 1108, 0)]),
    line(V::FacilityNotRun, &[], &[at(EcologyCode, 1104, 0)]),
    line(V::AutoMonitorFault, &[at(Air, 100, 3), at(Water, 82, 2)], &[at(EcologyCode, 1086, 2)]),
    line(V::MonitorDataDistorted, &[], &[at(EcologyCode, 1087, 0)]),
    line(V::EiaUnapproved, &[at(Assessment, 31, 0)], &[at(EcologyCode, 1095, 0)]),
    line(V::NotAccepted, &[at(ProjectRegulation, 23, 0)], &[at(EcologyCode, 1100, 0)]),
    line(V::VocUncollected, &[at(Air, 108, 1)], &[at(EcologyCode, 1120, 0)]),
    line(V::DustUncovered, &[at(Air, 117, 0)], &[at(EcologyCode, 1130, 0)]),
    line(V::HazwasteStorage, &[at(SolidWaste, 112, 6)], &[at(EcologyCode, 1175, 4)]),
    line(V::HazwasteDumping, &[at(SolidWaste, 112, 3)], &[at(EcologyCode, 1169, 0)]),
    line(V::SolidWasteDumping, &[at(SolidWaste, 102, 7)], &[at(EcologyCode, 1169, 0)]),
    line(
        V::CrossProvinceWaste,
        &[at(SolidWaste, 102, 5), at(SolidWaste, 102, 6)],
        &[at(EcologyCode, 1171, 2), at(EcologyCode, 1171, 3)],
    ),
    line(V::OutfallIllegal, &[at(Water, 84, 0)], &[at(EcologyCode, 1109, 0)]),
    line(V::NoiseExceed, &[at(Noise, 75, 0)], &[at(EcologyCode, 1107, 0)]),
    line(V::StrawBurning, &[at(Air, 119, 0)], &[at(EcologyCode, 1131, 0)]),
    line(V::HeavyWeatherSite, &[at(Air, 121, 0)], &[at(EcologyCode, 1134, 0)]),
    line(V::Obstruction, &[at(Air, 98, 0), at(Water, 81, 0)], &[at(EcologyCode, 1229, 0)]),
];

impl Violation {
    /// Its line of the catalogue; `None` never happens, which a test shows.
    #[must_use]
    pub fn line(self) -> Option<&'static CatalogueLine> {
        CATALOGUE.iter().find(|line| line.violation == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_has_one_line_in_order() {
        let listed: Vec<Violation> = CATALOGUE.iter().map(|line| line.violation).collect();
        assert_eq!(listed, Violation::ALL);
        for line in CATALOGUE {
            assert_eq!(line.violation.line(), Some(line));
            assert!(!line.from_code.is_empty());
            assert!(line.from_code.iter().all(|at| at.law == EcologyCode && at.article <= 1242));
            assert!(line.before.iter().all(|at| at.law != EcologyCode));
        }
    }
}
