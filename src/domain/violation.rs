//! What somebody may be suspected of: the codes and their names.
//!
//! In scope: the list. Out of scope: which articles punish a violation, which is data
//! ([`crate::domain::catalogue`]): no code matches on it.

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
