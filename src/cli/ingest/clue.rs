//! A clue as it is drafted: the case, its number in this system, and the data as evidence.
//!
//! In scope: which texts and codes go into the case. Out of scope: sending it.
//!
//! What is typed into the record is Chinese, whatever language the command speaks.

use crate::domain::Words;
use crate::domain::code::Language;
use crate::evidence::BothHashes;
use crate::hj212::{Kind, Message, Over, Station, Verdict};
use crate::ids::{Hash, hex};
use crate::wire::pb::v1 as pb;

/// The name of this system in `external_ref`.
pub const SYSTEM: &str = "HJ212";

/// Characters of a firm's name in a title, which is shorter than a name may be.
const NAME_CHARS: usize = 80;

/// A clue before it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Clue {
    /// Its number in this system: MN, time, and the kind of data if it is not hours. The node takes
    /// each number once.
    pub number: String,
    /// Which agreement its station names.
    pub agreement: Option<String>,
    /// The packets without their passwords, one line each.
    pub evidence: String,
    /// SHA-256 of `evidence`.
    pub sha256: Hash,
    /// SM3 of `evidence`.
    pub sm3: [u8; 32],
    /// What it is about.
    pub facts: pb::CaseFacts,
    /// Its texts.
    pub record: pb::CaseRecord,
    /// Some value is beyond its limit. Else it opens nothing: it is another message of the time of
    /// a clue, and is listed there, because it may speak for the party.
    pub is_over: bool,
}

impl Clue {
    /// Drafts.
    #[must_use]
    pub fn of(message: &Message, station: &Station, verdict: &Verdict) -> Self {
        let digits = verdict.at.digits();
        let mn = &message.first().mn;
        let number = format!("{mn}-{digits}{}", verdict.kind.suffix());
        let evidence = message.evidence();
        let mut hashes = BothHashes::new();
        hashes.update(evidence.as_bytes());
        let (sha256, sm3) = hashes.finish();
        let mut record = record(station, verdict, mn);
        record.evidence.push(pb::Evidence {
            size_bytes: evidence.len() as u64,
            sha256: sha256.as_bytes().to_vec().into(),
            sm3: sm3.to_vec().into(),
            ..item(&number, station, verdict)
        });
        Self {
            is_over: !verdict.over.is_empty(),
            facts: facts(station, verdict),
            agreement: station.agreement.clone(),
            number,
            evidence,
            sha256,
            sm3,
            record,
        }
    }

    /// The name of its evidence file, here and at the node: other packets of one hour have another.
    /// What opens the clue of an hour comes first in the order of names.
    #[must_use]
    pub fn file_name(&self) -> String {
        let digest = hex(self.sha256.as_bytes());
        let again = if self.is_over { "" } else { "other-" };
        format!("{}-{again}{}.txt", self.number, digest.get(..16).unwrap_or_default())
    }

    /// The request that opens it.
    #[must_use]
    pub fn request(&self, parent: String, officer: Option<&str>) -> pb::CreateCaseRequest {
        let external = pb::ExternalRef { system: SYSTEM.to_owned(), number: self.number.clone() };
        pb::CreateCaseRequest {
            parent,
            facts: Some(self.facts.clone()),
            record: Some(self.record.clone()),
            person: None,
            external_ref: Some(external),
            effective_on: None,
            request_id: uuid::Uuid::now_v7().to_string(),
            acting_for: acting_for(officer),
            validate_only: false,
        }
    }

    /// The request that lists its packets in a case that has others of the same time. Whoever
    /// sends it again within 30 days adds nothing.
    #[must_use]
    pub fn addition(&self, name: String, officer: Option<&str>) -> pb::AddEvidenceRequest {
        let digest = hex(self.sha256.as_bytes());
        let named = |item: &pb::Evidence| pb::Evidence {
            id: format!("{}-{}", item.id, digest.get(..16).unwrap_or_default()),
            ..item.clone()
        };
        let text = if self.is_over {
            format!("同一时段重新上传的报文，内容与原报文不同。{}", self.record.summary)
        } else {
            "同一时段的另一份报文：其中没有可以认定的超标数值（未超过限值，或者数据标记表明数据无效）。\
             请与原线索核对。"
                .to_owned()
        };
        pb::AddEvidenceRequest {
            name,
            text,
            evidence: self.record.evidence.iter().map(named).collect(),
            request_id: digest,
            acting_for: acting_for(officer),
        }
    }
}

fn acting_for(officer: Option<&str>) -> Option<pb::ActingFor> {
    officer.map(|number| pb::ActingFor { certificate_number: number.to_owned() })
}

fn facts(station: &Station, verdict: &Verdict) -> pb::CaseFacts {
    let day = day(verdict);
    let mut facts = pb::CaseFacts {
        county_code: station.county.as_u32(),
        discover_time_ms: verdict.at.unix_ms(),
        occurred_from: Some(day),
        occurred_to: Some(day),
        has_point: true,
        ..pb::CaseFacts::default()
    };
    facts.set_source(pb::Source::OnlineMonitoring);
    facts.set_data_level(pb::DataLevel::General);
    // By their codes, which are the names of the API.
    let medium = pb::Medium::from_str_name(&format!("MEDIUM_{}", verdict.medium));
    facts.set_medium(medium.unwrap_or_default());
    let violation = pb::Violation::from_str_name(&format!("VIOLATION_{}", verdict.violation));
    facts.set_violation(violation.unwrap_or_default());
    facts
}

fn day(verdict: &Verdict) -> pb::Date {
    let date = verdict.at.date();
    pb::Date { year: date.year(), month: date.month().into(), day: date.day().into() }
}

/// The packets in the list of evidence, but for what tells which bytes they are.
fn item(number: &str, station: &Station, verdict: &Verdict) -> pb::Evidence {
    let (at, data) = (verdict.at, data_zh(verdict.kind));
    let mut item = pb::Evidence {
        id: format!("{SYSTEM}-{number}"),
        title: format!("在线监测{data}报文（HJ 212，{at}，已去除访问密码 PW）"),
        collected_on: Some(day(verdict)),
        mime: "text/plain".to_owned(),
        place: station.address.clone(),
        ..pb::Evidence::default()
    };
    item.set_kind(pb::EvidenceKind::OnlineMonitoringData);
    item
}

fn record(station: &Station, verdict: &Verdict, mn: &str) -> pb::CaseRecord {
    let (at, data) = (verdict.at, data_zh(verdict.kind));
    let medium = verdict.medium.word(Language::Zh);
    let name: String = station.party_name.chars().take(NAME_CHARS).collect();
    let mut party = pb::Party {
        name: station.party_name.clone(),
        uscc: station.uscc.as_str().to_owned(),
        permit_number: station.permit_no.clone(),
        ..pb::Party::default()
    };
    party.set_type(pb::PartyType::LegalPerson);
    pb::CaseRecord {
        title: format!("{name}{medium}污染物在线监测{data}超标（{at}）"),
        summary: summary(verdict, mn),
        location: Some(pb::Location {
            longitude: station.longitude.clone(),
            latitude: station.latitude.clone(),
            crs: "EPSG:4490".to_owned(),
            address: station.address.clone(),
        }),
        party: Some(party),
        pollutants: verdict.over.iter().map(|over| pollutant(over, verdict.kind)).collect(),
        belt_reason: station.belt_reason.clone(),
        ..pb::CaseRecord::default()
    }
}

fn summary(verdict: &Verdict, mn: &str) -> String {
    let over: Vec<String> = verdict.over.iter().map(over_zh).collect();
    format!(
        "监测点 {mn} {} 的{}（自动监测，数据标记 N）：{}。报文去除访问密码后留作证据；自动监测数据用作证据前，\
         应经法制和技术审核（行政处罚法第四十一条）。",
        verdict.at,
        data_zh(verdict.kind),
        over.join("；"),
    )
}

fn over_zh(over: &Over) -> String {
    let Over { code, value, limit, unit, multiple, below } = over;
    let unit = if *unit == "1" { String::new() } else { format!(" {unit}") };
    let bound = if *below { "下限" } else { "限值" };
    let times = multiple.as_ref().map_or_else(String::new, |times| format!("，超标 {times} 倍"));
    let name = code.zh().unwrap_or("污染物");
    format!("{name}（{}）{value}{unit}，{bound} {limit}{unit}{times}", code.as_str())
}

const fn data_zh(kind: Kind) -> &'static str {
    match kind {
        Kind::Hour => "小时数据",
        Kind::Day => "日数据",
        Kind::Minute => "分钟数据",
    }
}

fn pollutant(over: &Over, kind: Kind) -> pb::Pollutant {
    let name = format!("POLLUTANT_STATISTIC_{}", kind.statistic());
    let statistic = pb::PollutantStatistic::from_str_name(&name).unwrap_or_default();
    pb::Pollutant {
        code: over.code.as_str().to_owned(),
        value: over.value.to_string(),
        unit: over.unit.to_owned(),
        limit: over.limit.to_string(),
        statistic: statistic.into(),
        exceed_multiple: over.multiple.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one_of_the_api() {
        use crate::domain::{Medium, Violation};
        for kind in [Kind::Hour, Kind::Day, Kind::Minute] {
            let name = format!("POLLUTANT_STATISTIC_{}", kind.statistic());
            assert!(pb::PollutantStatistic::from_str_name(&name).is_some(), "{name}");
        }
        for (medium, violation) in
            [(Medium::Air, Violation::AirExceed), (Medium::Water, Violation::WaterExceed)]
        {
            assert!(pb::Medium::from_str_name(&format!("MEDIUM_{medium}")).is_some());
            assert!(pb::Violation::from_str_name(&format!("VIOLATION_{violation}")).is_some());
        }
    }
}
