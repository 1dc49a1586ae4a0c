//! Words for the codes in a case's facts and record.

use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Where the clue came from.
#[must_use]
pub fn source(source: pb::Source, lang: Lang) -> &'static str {
    use pb::Source as S;
    let (zh, en) = match source {
        S::Unspecified => ("未填", "not given"),
        S::Complaint => ("投诉举报", "complaint"),
        S::OnlineMonitoring => ("在线监控", "online monitoring"),
        S::PowerMonitoring => ("用电监控", "power monitoring"),
        S::UavPatrol => ("无人机巡查", "drone patrol"),
        S::DoubleRandom => ("双随机抽查", "random inspection"),
        S::JointInspection => ("联合检查", "joint inspection"),
        S::PeerNotification => ("外市通报", "notice of another city"),
        S::SpecialCampaign => ("专项行动", "campaign"),
        S::SuperiorAssignment => ("上级交办", "assigned from above"),
        S::Incident => ("突发事件", "incident"),
        S::Media => ("媒体反映", "media"),
    };
    lang.pick(zh, en)
}

/// What was polluted or how.
#[must_use]
pub fn medium(medium: pb::Medium, lang: Lang) -> &'static str {
    use pb::Medium as M;
    let (zh, en) = match medium {
        M::Unspecified => ("未填", "not given"),
        M::Air => ("大气", "air"),
        M::Water => ("水", "water"),
        M::SolidWaste => ("固体废物", "solid waste"),
        M::Soil => ("土壤", "soil"),
        M::Noise => ("噪声", "noise"),
        M::Radiation => ("放射性", "radiation"),
        M::Ecology => ("生态", "ecology"),
    };
    lang.pick(zh, en)
}

/// The suspected violation.
#[must_use]
pub fn violation(violation: pb::Violation, lang: Lang) -> &'static str {
    use pb::Violation as V;
    let (zh, en) = match violation {
        V::Unspecified => ("未填", "not given"),
        V::AirExceed => ("超标排放大气污染物", "air emissions above the limit"),
        V::WaterExceed => ("超标排放水污染物", "water discharge above the limit"),
        V::PermitLimitExceed => ("超许可排放", "above the permit"),
        V::NoPermit => ("无证排污", "discharge without a permit"),
        V::EvasionAir => ("逃避监管排放大气污染物", "evading control of air emissions"),
        V::EvasionWater => ("逃避监管排放水污染物", "evading control of water discharge"),
        V::FacilityNotRun => ("不正常运行治污设施", "treatment not run properly"),
        V::AutoMonitorFault => ("自动监测设备不正常运行", "automatic monitoring not run properly"),
        V::MonitorDataDistorted => ("监测数据失真", "monitoring data distorted"),
        V::EiaUnapproved => ("未批先建", "built without approval"),
        V::NotAccepted => ("未验先投", "run before acceptance"),
        V::VocUncollected => ("挥发性有机物未收集治理", "organic vapours not collected"),
        V::DustUncovered => ("物料未覆盖扬尘", "dust from uncovered material"),
        V::HazwasteStorage => ("危险废物贮存不规范", "hazardous waste stored improperly"),
        V::HazwasteDumping => ("倾倒危险废物", "hazardous waste dumped"),
        V::SolidWasteDumping => ("倾倒固体废物", "solid waste dumped"),
        V::CrossProvinceWaste => ("跨省非法转移固体废物", "solid waste moved across provinces"),
        V::OutfallIllegal => ("违法设置排污口", "illegal outfall"),
        V::NoiseExceed => ("工业噪声超标", "industrial noise above the limit"),
        V::StrawBurning => ("露天焚烧秸秆", "straw burning"),
        V::HeavyWeatherSite => ("重污染天气应急措施未落实", "heavy-pollution measures not taken"),
        V::Obstruction => ("阻碍检查", "inspection obstructed"),
    };
    lang.pick(zh, en)
}

/// What kind of party is accused.
#[must_use]
pub fn party_type(party: pb::PartyType, lang: Lang) -> &'static str {
    let (zh, en) = match party {
        pb::PartyType::Unspecified => ("未填", "not given"),
        pb::PartyType::LegalPerson => ("单位", "organisation"),
        pb::PartyType::NaturalPerson => ("自然人", "natural person"),
        pb::PartyType::Unknown => ("不明", "unknown"),
    };
    lang.pick(zh, en)
}

/// Classification of a record.
#[must_use]
pub fn data_level(level: pb::DataLevel, lang: Lang) -> &'static str {
    let (zh, en) = match level {
        pb::DataLevel::Unspecified => ("未填", "not given"),
        pb::DataLevel::Public => ("公开", "public"),
        pb::DataLevel::General => ("一般", "general"),
        pb::DataLevel::Restricted => ("受限", "restricted"),
        pb::DataLevel::SecretNotExchanged => ("不交换", "secret, not exchanged"),
    };
    lang.pick(zh, en)
}

/// Who designated jurisdiction.
#[must_use]
pub fn authority(level: pb::AuthorityLevel, lang: Lang) -> &'static str {
    use pb::AuthorityLevel as A;
    let (zh, en) = match level {
        A::Unspecified => ("未填", "not given"),
        A::ProvincialDepartment => ("省级生态环境主管部门", "provincial department"),
        A::Ministry => ("国务院生态环境主管部门", "ministry"),
        A::JointSuperior => ("共同的上一级机关", "common superior"),
        A::PeoplesGovernment => ("人民政府", "people's government"),
    };
    lang.pick(zh, en)
}

/// A working kind of evidence.
#[must_use]
pub fn evidence_kind(kind: pb::EvidenceKind, lang: Lang) -> &'static str {
    use pb::EvidenceKind as K;
    let (zh, en) = match kind {
        K::Unspecified => ("未填", "not given"),
        K::Documentary => ("书证", "document"),
        K::Physical => ("物证", "object"),
        K::AudioVisual => ("视听资料", "audio-visual"),
        K::ElectronicData => ("电子数据", "electronic data"),
        K::Witness => ("证人证言", "witness"),
        K::PartyStatement => ("当事人陈述", "statement of the party"),
        K::ExpertOpinion => ("鉴定意见", "expert opinion"),
        K::InspectionRecord => ("现场检查笔录", "inspection record"),
        K::InterviewRecord => ("询问笔录", "interview record"),
        K::MonitoringReport => ("监测报告", "monitoring report"),
        K::UavImagery => ("无人机影像", "drone imagery"),
        K::OnlineMonitoringData => ("在线监控数据", "online monitoring data"),
        K::PowerMonitoringData => ("用电监控数据", "power monitoring data"),
    };
    lang.pick(zh, en)
}

/// A kind of penalty.
#[must_use]
pub fn penalty_kind(kind: pb::PenaltyKind, lang: Lang) -> &'static str {
    use pb::PenaltyKind as K;
    let (zh, en) = match kind {
        K::Unspecified => ("未填", "not given"),
        K::Warning => ("警告", "warning"),
        K::Fine => ("罚款", "fine"),
        K::PublicCriticism => ("通报批评", "public criticism"),
        K::GainsConfiscated => ("没收违法所得", "gains confiscated"),
        K::GoodsConfiscated => ("没收非法财物", "goods confiscated"),
        K::LicenceSuspended => ("暂扣许可证件", "licence suspended"),
        K::GradeLowered => ("降低资质等级", "grade lowered"),
        K::LicenceRevoked => ("吊销许可证件", "licence revoked"),
        K::ActivityLimited => ("限制开展生产经营活动", "activity limited"),
        K::ProductionStopped => ("责令停产停业", "production stopped"),
        K::Shutdown => ("责令关闭", "shut down"),
        K::OccupationLimited => ("限制从业", "occupation limited"),
    };
    lang.pick(zh, en)
}
