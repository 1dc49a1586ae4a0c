//! Evidence as the record lists it: what it is, when it was taken, its digests. Not its bytes.

use super::code::coded;
use super::date::Date;
use super::facts::DataLevel;
use super::invalid::{Invalid, InvalidReason};
use super::officer::CertNo;
use super::text::Line;
use crate::ids::{Hash, unhex};
use crate::limits::{
    ADDRESS_BYTES_MAX, COLLECTORS_MAX, EVIDENCE_FILE_BYTES_MAX, MIME_BYTES_MAX, NAME_BYTES_MAX,
    REFERENCE_BYTES_MAX,
};

coded! {
    /// Working kinds of evidence; the statutory ones are in 行政处罚法 art. 46.
    EvidenceKind {
        Documentary "DOCUMENTARY" "书证" "document";
        Physical "PHYSICAL" "物证" "physical evidence";
        AudioVisual "AUDIO_VISUAL" "视听资料" "audio or video";
        ElectronicData "ELECTRONIC_DATA" "电子数据" "electronic data";
        Witness "WITNESS" "证人证言" "witness statement";
        PartyStatement "PARTY_STATEMENT" "当事人陈述" "statement of the party";
        ExpertOpinion "EXPERT_OPINION" "鉴定意见" "expert opinion";
        InspectionRecord "INSPECTION_RECORD" "现场检查（勘察）笔录" "inspection record";
        InterviewRecord "INTERVIEW_RECORD" "调查询问笔录" "interview record";
        MonitoringReport "MONITORING_REPORT" "监测报告" "monitoring report";
        UavImagery "UAV_IMAGERY" "无人机影像" "drone imagery";
        OnlineMonitoringData "ONLINE_MONITORING_DATA" "在线监控数据" "on-line monitoring data";
        PowerMonitoringData "POWER_MONITORING_DATA" "用电监控数据" "power monitoring data";
    }
}

impl EvidenceKind {
    /// The level it has unless an officer says otherwise: people are heard and seen in interview
    /// records and videos.
    #[must_use]
    pub const fn default_level(self) -> DataLevel {
        match self {
            Self::InterviewRecord | Self::AudioVisual => DataLevel::Restricted,
            Self::Documentary
            | Self::Physical
            | Self::ElectronicData
            | Self::Witness
            | Self::PartyStatement
            | Self::ExpertOpinion
            | Self::InspectionRecord
            | Self::MonitoringReport
            | Self::UavImagery
            | Self::OnlineMonitoringData
            | Self::PowerMonitoringData => DataLevel::General,
        }
    }
}

/// One item of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Its number, unique in the record.
    pub id: Line,
    /// What it is.
    pub kind: EvidenceKind,
    /// Its title.
    pub title: Line,
    /// The day it was taken.
    pub collected_on: Date,
    /// Who took it, at most [`COLLECTORS_MAX`].
    pub collectors: Vec<CertNo>,
    /// Where it was taken.
    pub place: Option<Line>,
    /// Media type of the file, lower case.
    pub mime: String,
    /// Size of the file in bytes, 1 to [`EVIDENCE_FILE_BYTES_MAX`].
    pub size_bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Hash,
    /// SM3 of the file (GB/T 32905), if the author computed it.
    pub sm3: Option<[u8; 32]>,
    /// How widely it may be shown.
    pub level: DataLevel,
    /// Legal review done; 处罚法 art. 41 wants it of evidence from devices.
    pub reviewed_legal: bool,
    /// Technical review done; 处罚法 art. 41 wants it of evidence from devices.
    pub reviewed_technical: bool,
}

/// Evidence as it is typed or sent. Empty texts mean "not given".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidenceDraft {
    /// See [`Evidence::id`].
    pub id: String,
    /// Code of an [`EvidenceKind`].
    pub kind: String,
    /// See [`Evidence::title`].
    pub title: String,
    /// `YYYY-MM-DD`.
    pub collected_on: String,
    /// Certificate numbers.
    pub collectors: Vec<String>,
    /// See [`Evidence::place`]; may be empty.
    pub place: String,
    /// Such as `application/pdf`.
    pub mime: String,
    /// Bytes.
    pub size_bytes: u64,
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// 64 lower-case hexadecimal digits, or empty.
    pub sm3: String,
    /// Code of a [`DataLevel`]; empty for the default of the kind.
    pub level: String,
    /// See [`Evidence::reviewed_legal`].
    pub reviewed_legal: bool,
    /// See [`Evidence::reviewed_technical`].
    pub reviewed_technical: bool,
}

impl Evidence {
    /// Reads one item.
    ///
    /// # Errors
    /// The first field that is wrong, by name.
    pub fn parse(draft: &EvidenceDraft) -> Result<Self, Invalid> {
        let kind = EvidenceKind::parse(&draft.kind).map_err(|wrong| wrong.at("kind"))?;
        let line = |text: &str, max: usize, field: &str| {
            Line::parse(text, max).map_err(|wrong| wrong.at(field))
        };
        Ok(Self {
            id: line(&draft.id, REFERENCE_BYTES_MAX, "id")?,
            kind,
            title: line(&draft.title, NAME_BYTES_MAX, "title")?,
            collected_on: Date::parse(&draft.collected_on)
                .map_err(|wrong| wrong.at("collected_on"))?,
            collectors: parse_collectors(&draft.collectors)
                .map_err(|wrong| wrong.at("collectors"))?,
            place: match draft.place.as_str() {
                "" => None,
                place => Some(line(place, ADDRESS_BYTES_MAX, "place")?),
            },
            mime: parse_mime(&draft.mime).map_err(|wrong| wrong.at("mime"))?,
            size_bytes: parse_size(draft.size_bytes).map_err(|wrong| wrong.at("size_bytes"))?,
            sha256: parse_digest(&draft.sha256).map(Hash::new).map_err(|w| w.at("sha256"))?,
            sm3: match draft.sm3.as_str() {
                "" => None,
                digest => Some(parse_digest(digest).map_err(|wrong| wrong.at("sm3"))?),
            },
            level: parse_level(&draft.level, kind).map_err(|wrong| wrong.at("level"))?,
            reviewed_legal: draft.reviewed_legal,
            reviewed_technical: draft.reviewed_technical,
        })
    }
}

fn parse_collectors(texts: &[String]) -> Result<Vec<CertNo>, Invalid> {
    if texts.len() > COLLECTORS_MAX {
        return Err(Invalid::with_limit(InvalidReason::ListTooLong, COLLECTORS_MAX));
    }
    texts.iter().map(|text| CertNo::parse(text)).collect()
}

fn parse_digest(text: &str) -> Result<[u8; 32], Invalid> {
    let bytes = if text.len() == 64 { unhex(text) } else { None };
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| InvalidReason::Digest.into())
}

/// `type/subtype` of RFC 6838 in lower case, without parameters.
fn parse_mime(text: &str) -> Result<String, Invalid> {
    let name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
    };
    match text.split_once('/') {
        Some((kind, sub)) if text.len() <= MIME_BYTES_MAX && name(kind) && name(sub) => {
            Ok(text.to_owned())
        }
        None | Some(_) => Err(InvalidReason::Mime.into()),
    }
}

fn parse_size(size_bytes: u64) -> Result<u64, Invalid> {
    if (1..=EVIDENCE_FILE_BYTES_MAX).contains(&size_bytes) {
        Ok(size_bytes)
    } else {
        Err(InvalidReason::FileSize.into())
    }
}

fn parse_level(code: &str, kind: EvidenceKind) -> Result<DataLevel, Invalid> {
    let level = if code.is_empty() { kind.default_level() } else { DataLevel::parse(code)? };
    if level == DataLevel::SecretNotExchanged {
        return Err(InvalidReason::LevelSecret.into());
    }
    Ok(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> EvidenceDraft {
        EvidenceDraft {
            id: "E01".into(),
            kind: "INTERVIEW_RECORD".into(),
            title: "调查询问笔录".into(),
            collected_on: "2026-11-18".into(),
            mime: "application/pdf".into(),
            size_bytes: 42,
            sha256: "ab".repeat(32),
            ..EvidenceDraft::default()
        }
    }

    #[test]
    fn interview_records_are_restricted_unless_somebody_decides() {
        assert_eq!(Evidence::parse(&draft()).unwrap().level, DataLevel::Restricted);
        let open = EvidenceDraft { level: "GENERAL".into(), ..draft() };
        assert_eq!(Evidence::parse(&open).unwrap().level, DataLevel::General);
    }

    #[test]
    fn wrong_fields_are_named() {
        let cases = [
            (EvidenceDraft { kind: "RUMOUR".into(), ..draft() }, "kind", "CODE_UNKNOWN"),
            (EvidenceDraft { sha256: "AB".repeat(32), ..draft() }, "sha256", "DIGEST"),
            (EvidenceDraft { sm3: "ab".into(), ..draft() }, "sm3", "DIGEST"),
            (EvidenceDraft { mime: "../etc".into(), ..draft() }, "mime", "MIME"),
            (EvidenceDraft { mime: "a/b; c=d".into(), ..draft() }, "mime", "MIME"),
            (EvidenceDraft { size_bytes: 0, ..draft() }, "size_bytes", "FILE_SIZE"),
            (EvidenceDraft { size_bytes: u64::MAX, ..draft() }, "size_bytes", "FILE_SIZE"),
            (
                EvidenceDraft { level: "SECRET_NOT_EXCHANGED".into(), ..draft() },
                "level",
                "LEVEL_SECRET",
            ),
            (
                EvidenceDraft { collectors: vec![String::new(); 5], ..draft() },
                "collectors",
                "LIST_TOO_LONG",
            ),
        ];
        for (draft, field, reason) in cases {
            let wrong = Evidence::parse(&draft).unwrap_err();
            assert_eq!((wrong.field.as_deref(), wrong.reason()), (Some(field), reason));
        }
    }
}
