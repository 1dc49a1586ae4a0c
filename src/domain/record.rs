//! The content of a case that people edit: texts, names, exact place, evidence list, penalty.
//!
//! In scope: reading it once from what was typed or sent, all mistakes at a time. Out of scope:
//! how it is encoded, and the facts in the header ([`crate::domain::facts`]).
//!
//! Invariant: whatever [`CaseRecord::parse`] returns fits one part. (`the_whole_record_is_bounded`)

use super::code::coded;
use super::evidence::{Evidence, EvidenceDraft};
use super::invalid::{Invalid, InvalidReason};
use super::law::{LegalBasis, LegalBasisDraft};
use super::officer::{CertNo, Officer};
use super::party::Party;
use super::place::Coordinates;
use super::pollutant::{Measurement, MeasurementDraft};
use super::quantity::Fen;
use super::refusal::Refusal;
use super::text::{Line, Text};
use super::uscc::Uscc;
use crate::limits::{
    ADDRESS_BYTES_MAX, CASE_RECORD_BYTES_MAX, EVIDENCE_MAX, LEGAL_BASES_MAX, NAME_BYTES_MAX,
    OFFICERS_MAX, POLLUTANTS_MAX, REFERENCE_BYTES_MAX, SUMMARY_BYTES_MAX, TITLE_BYTES_MAX,
};

coded! {
    /// Kinds of penalty (行政处罚法 art. 9) that an environmental authority decides itself.
    PenaltyKind {
        Warning "WARNING" "警告" "warning";
        PublicCriticism "PUBLIC_CRITICISM" "通报批评" "public criticism";
        Fine "FINE" "罚款" "fine";
        GainsConfiscated "GAINS_CONFISCATED" "没收违法所得" "gains confiscated";
        GoodsConfiscated "GOODS_CONFISCATED" "没收非法财物" "goods confiscated";
        LicenceSuspended "LICENCE_SUSPENDED" "暂扣许可证件" "licence suspended";
        GradeLowered "GRADE_LOWERED" "降低资质等级" "grade lowered";
        LicenceRevoked "LICENCE_REVOKED" "吊销许可证件" "licence revoked";
        ActivityLimited "ACTIVITY_LIMITED" "限制开展生产经营活动" "activity limited";
        ProductionStopped "PRODUCTION_STOPPED" "责令停产停业" "production stopped";
        Shutdown "SHUTDOWN" "责令关闭" "shut down";
        OccupationLimited "OCCUPATION_LIMITED" "限制从业" "occupation limited";
    }
}

/// A number that the own system gave the case; unique in its city.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalRef {
    /// Name of that system.
    pub system: Line,
    /// The number there.
    pub number: Line,
}

impl ExternalRef {
    /// Reads a system's name and its number; both empty means none.
    ///
    /// # Errors
    /// [`Invalid`] when one is missing, too long or has characters that cannot be printed.
    pub fn parse(system: &str, number: &str) -> Result<Option<Self>, Invalid> {
        let read = |text: &str, field: &str| match text {
            "" => Err(Invalid::from(InvalidReason::Required).at(field)),
            text => Line::parse(text, REFERENCE_BYTES_MAX).map_err(|wrong| wrong.at(field)),
        };
        if system.is_empty() && number.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { system: read(system, "system")?, number: read(number, "number")? }))
    }
}

/// What was or is to be imposed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Penalty {
    /// At least one kind, each once.
    pub kinds: Vec<PenaltyKind>,
    /// The fine; given exactly when the kinds include one.
    pub fine: Option<Fen>,
    /// Announced only, not decided yet.
    pub proposed: bool,
    /// Number of the decision.
    pub decision_no: Option<Line>,
}

/// A penalty as it is typed or sent. Empty texts mean "not given".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PenaltyDraft {
    /// Codes of [`PenaltyKind`]s.
    pub kinds: Vec<String>,
    /// Fine in fen.
    pub fine_fen: Option<i64>,
    /// See [`Penalty::proposed`].
    pub proposed: bool,
    /// May be empty.
    pub decision_no: String,
}

/// The editable content of a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CaseRecord {
    /// What the case is called.
    pub title: Line,
    /// What happened.
    pub summary: Option<Text>,
    /// Exact place.
    pub coordinates: Option<Coordinates>,
    /// The place in words.
    pub address: Option<Line>,
    /// Who is suspected, if known.
    pub party: Option<Party>,
    /// Industry of the party (GB/T 4754), such as C3021.
    pub industry_code: Option<String>,
    /// Number of the party's discharge permit (排污许可证编号).
    pub permit_no: Option<String>,
    /// The party was on the positive list (正面清单) when this was written.
    pub positive_list: bool,
    /// Measured values.
    pub pollutants: Vec<Measurement>,
    /// Articles.
    pub legal_basis: Vec<LegalBasis>,
    /// Why that text of the law was chosen.
    pub law_choice: Option<Text>,
    /// Evidence, each id once.
    pub evidence: Vec<Evidence>,
    /// Officers, each certificate once.
    pub officers: Vec<Officer>,
    /// Number of the filing, such as 聊环立字〔2026〕005号.
    pub case_no: Option<Line>,
    /// Penalty, once there is one.
    pub penalty: Option<Penalty>,
    /// Why a case outside the border belt belongs into the agreement.
    pub belt_reason: Option<Text>,
}

/// A record as it is typed or sent. Empty texts mean "not given".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseDraft {
    /// Required.
    pub title: String,
    /// See [`CaseRecord::summary`].
    pub summary: String,
    /// Longitude, latitude and reference system; see [`Coordinates::parse`].
    pub coordinates: Option<(String, String, String)>,
    /// See [`CaseRecord::address`].
    pub address: String,
    /// Name of a firm; with `party_uscc`.
    pub party_name: String,
    /// Credit code of a firm.
    pub party_uscc: String,
    /// Masked name of a natural person, instead of the two above.
    pub party_masked_name: String,
    /// See [`CaseRecord::industry_code`].
    pub industry_code: String,
    /// See [`CaseRecord::permit_no`].
    pub permit_no: String,
    /// See [`CaseRecord::positive_list`].
    pub positive_list: bool,
    /// See [`CaseRecord::pollutants`].
    pub pollutants: Vec<MeasurementDraft>,
    /// See [`CaseRecord::legal_basis`].
    pub legal_basis: Vec<LegalBasisDraft>,
    /// See [`CaseRecord::law_choice`].
    pub law_choice: String,
    /// See [`CaseRecord::evidence`].
    pub evidence: Vec<EvidenceDraft>,
    /// Certificate number and unit.
    pub officers: Vec<(String, String)>,
    /// See [`CaseRecord::case_no`].
    pub case_no: String,
    /// See [`CaseRecord::penalty`].
    pub penalty: Option<PenaltyDraft>,
    /// See [`CaseRecord::belt_reason`].
    pub belt_reason: String,
}

impl CaseRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// Every wrong field, in the order of the form; never an empty list.
    pub fn parse(draft: &CaseDraft) -> Result<Self, Vec<Invalid>> {
        let mut c = Collector::default();
        let title = c.take("title", Line::parse(&draft.title, TITLE_BYTES_MAX).map(Some));
        let summary = c.text("summary", &draft.summary, SUMMARY_BYTES_MAX);
        let coordinates = c.take("coordinates", parse_coordinates(draft.coordinates.as_ref()));
        let address = c.line("address", &draft.address, ADDRESS_BYTES_MAX);
        let party = c.take("party", parse_party(draft));
        let industry_code = c.take("industry_code", parse_industry(&draft.industry_code));
        let permit_no = c.take("permit_no", parse_permit_no(&draft.permit_no));
        let pollutants =
            c.list("pollutants", &draft.pollutants, POLLUTANTS_MAX, Measurement::parse);
        let legal_basis =
            c.list("legal_basis", &draft.legal_basis, LEGAL_BASES_MAX, LegalBasis::parse);
        let law_choice = c.text("law_choice", &draft.law_choice, ADDRESS_BYTES_MAX);
        let evidence = c.list("evidence", &draft.evidence, EVIDENCE_MAX, Evidence::parse);
        let officers = c.list("officers", &draft.officers, OFFICERS_MAX, parse_officer);
        let case_no = c.line("case_no", &draft.case_no, REFERENCE_BYTES_MAX);
        let penalty = c.take("penalty", draft.penalty.as_ref().map(parse_penalty).transpose());
        let belt_reason = c.text("belt_reason", &draft.belt_reason, ADDRESS_BYTES_MAX);
        c.unique("evidence", evidence.iter().map(|item| item.id.as_str()));
        c.unique("officers", officers.iter().map(|officer| officer.cert_no.as_str()));
        if draft.encoded_bytes_at_most() > CASE_RECORD_BYTES_MAX {
            c.wrong.push(Invalid::with_limit(InvalidReason::RecordTooLarge, CASE_RECORD_BYTES_MAX));
        }
        let (Some(title), true) = (title, c.wrong.is_empty()) else {
            return Err(c.wrong);
        };
        Ok(Self {
            title,
            summary,
            coordinates,
            address,
            party,
            industry_code,
            permit_no,
            positive_list: draft.positive_list,
            pollutants,
            legal_basis,
            law_choice,
            evidence,
            officers,
            case_no,
            penalty,
            belt_reason,
        })
    }

    /// Checks what a case needs before it is filed (立案): a place and two certified officers
    /// (行政处罚法 art. 42).
    ///
    /// # Errors
    /// [`Refusal::PointRequired`] or [`Refusal::OfficersMissing`].
    pub fn check_filing(&self) -> Result<(), Refusal> {
        if self.coordinates.is_none() {
            return Err(Refusal::PointRequired);
        }
        match self.officers.len() {
            got @ 0..=1 => Err(Refusal::OfficersMissing { got }),
            _ => Ok(()),
        }
    }
}

impl CaseDraft {
    /// An upper bound of the record's size in bytes in any tag-length-value encoding with at most
    /// 8 bytes around each field.
    #[must_use]
    pub fn encoded_bytes_at_most(&self) -> usize {
        const FIELD: usize = 8;
        const FIXED: usize = 24 * (FIELD + 10);
        let texts = |all: &[&str]| all.iter().map(|text| text.len() + FIELD).sum::<usize>();
        let mut bytes = FIXED
            + texts(&[&self.title, &self.summary, &self.address, &self.belt_reason])
            + texts(&[&self.party_name, &self.party_uscc, &self.party_masked_name])
            + texts(&[&self.industry_code, &self.permit_no, &self.law_choice, &self.case_no]);
        for m in &self.pollutants {
            bytes += texts(&[&m.code, &m.value, &m.unit, &m.limit, &m.exceed_multiple, ""]) + FIELD;
        }
        for basis in &self.legal_basis {
            bytes += texts(&[&basis.law, &basis.article, "2026-08-15", "2026-08-15", ""]) + FIELD;
        }
        for item in &self.evidence {
            bytes += texts(&[&item.id, &item.title, &item.place, &item.mime, "2026-08-15", ""]);
            bytes += item.collectors.iter().map(|cert| cert.len() + FIELD).sum::<usize>();
            bytes += 2 * (32 + FIELD) + 6 * FIELD;
        }
        for (cert_no, unit) in &self.officers {
            bytes += texts(&[cert_no, unit]) + FIELD;
        }
        if let Some(penalty) = &self.penalty {
            bytes += texts(&[&penalty.decision_no]) + FIELD * (3 + penalty.kinds.len());
        }
        bytes
    }
}

/// Gathers what is wrong while the fields are read one after the other.
#[derive(Default)]
struct Collector {
    wrong: Vec<Invalid>,
}

impl Collector {
    fn take<T>(&mut self, field: &str, read: Result<Option<T>, Invalid>) -> Option<T> {
        read.unwrap_or_else(|wrong| {
            self.wrong.push(wrong.at(field));
            None
        })
    }

    fn line(&mut self, field: &str, text: &str, bytes_max: usize) -> Option<Line> {
        if text.is_empty() {
            None
        } else {
            self.take(field, Line::parse(text, bytes_max).map(Some))
        }
    }

    fn text(&mut self, field: &str, text: &str, bytes_max: usize) -> Option<Text> {
        if text.is_empty() {
            None
        } else {
            self.take(field, Text::parse(text, bytes_max).map(Some))
        }
    }

    fn list<D, T>(
        &mut self,
        field: &str,
        drafts: &[D],
        items_max: usize,
        parse: impl Fn(&D) -> Result<T, Invalid>,
    ) -> Vec<T> {
        if drafts.len() > items_max {
            let wrong = Invalid::with_limit(InvalidReason::ListTooLong, items_max);
            self.wrong.push(wrong.at(field));
            return Vec::new();
        }
        let read = |(place, draft)| self.take(&format!("{field}[{place}]"), parse(draft).map(Some));
        drafts.iter().enumerate().filter_map(read).collect()
    }

    fn unique<'a>(&mut self, field: &str, keys: impl Iterator<Item = &'a str>) {
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_unstable();
        if !keys.is_sorted_by(|a, b| a < b) {
            self.wrong.push(Invalid::from(InvalidReason::Duplicate).at(field));
        }
    }
}

pub(super) fn parse_coordinates(
    given: Option<&(String, String, String)>,
) -> Result<Option<Coordinates>, Invalid> {
    given.map(|(lon, lat, crs)| Coordinates::parse(lon, lat, crs)).transpose()
}

fn parse_party(draft: &CaseDraft) -> Result<Option<Party>, Invalid> {
    let firm = !draft.party_name.is_empty() || !draft.party_uscc.is_empty();
    match (firm, draft.party_masked_name.as_str()) {
        (false, "") => Ok(None),
        (true, "") => Party::parse_legal(&draft.party_name, &draft.party_uscc).map(Some),
        (false, masked) => Party::parse_natural(masked).map(Some),
        (true, _) => Err(Invalid::from(InvalidReason::Duplicate).at("masked_name")),
    }
}

/// GB/T 4754: the letter of a section and two to four digits; or nothing.
pub(super) fn parse_industry(text: &str) -> Result<Option<String>, Invalid> {
    match text.as_bytes() {
        [] => Ok(None),
        [b'A'..=b'T', digits @ ..]
            if (2..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) =>
        {
            Ok(Some(text.to_owned()))
        }
        _ => Err(InvalidReason::IndustryCode.into()),
    }
}

/// A credit code, three digits and a check character; or nothing.
pub(super) fn parse_permit_no(text: &str) -> Result<Option<String>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let upper = text.to_ascii_uppercase();
    let fits = upper.split_at_checked(18).is_some_and(|(code, rest)| {
        let shape = matches!(rest.as_bytes(), [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', last]
            if last.is_ascii_alphanumeric());
        shape && Uscc::parse(code).is_ok()
    });
    if fits { Ok(Some(upper)) } else { Err(InvalidReason::PermitNo.into()) }
}

fn parse_officer((cert_no, unit): &(String, String)) -> Result<Officer, Invalid> {
    Ok(Officer {
        cert_no: CertNo::parse(cert_no).map_err(|wrong| wrong.at("cert_no"))?,
        unit: Line::parse(unit, NAME_BYTES_MAX).map_err(|wrong| wrong.at("unit"))?,
    })
}

fn parse_penalty(draft: &PenaltyDraft) -> Result<Penalty, Invalid> {
    let mut kinds = Vec::new();
    for code in &draft.kinds {
        let kind = PenaltyKind::parse(code).map_err(|wrong| wrong.at("kinds"))?;
        if kinds.contains(&kind) {
            return Err(Invalid::from(InvalidReason::Duplicate).at("kinds"));
        }
        kinds.push(kind);
    }
    if kinds.is_empty() {
        return Err(Invalid::from(InvalidReason::Required).at("kinds"));
    }
    if kinds.contains(&PenaltyKind::Fine) != draft.fine_fen.is_some() {
        return Err(Invalid::from(InvalidReason::FineMismatch).at("fine_fen"));
    }
    let fine = draft.fine_fen.map(Fen::new).transpose().map_err(|wrong| wrong.at("fine_fen"))?;
    let decision_no = match draft.decision_no.as_str() {
        "" => None,
        text => Some(Line::parse(text, REFERENCE_BYTES_MAX).map_err(|w| w.at("decision_no"))?),
    };
    Ok(Penalty { kinds, fine, proposed: draft.proposed, decision_no })
}
