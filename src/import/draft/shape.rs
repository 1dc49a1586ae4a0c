//! The sample-case shape, field by field, nothing checked yet.

use serde::Deserialize;

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that only describe are read so that others can be refused")]
pub(super) struct Raw {
    pub case_id: Option<String>,
    record_version: Option<u64>,
    state: Option<String>,
    pub originating_city: Option<String>,
    handling_city: Option<String>,
    counterpart_city: Option<String>,
    pub title: String,
    pub source: String,
    pub medium: String,
    pub violation_code: String,
    violation_zh: Option<String>,
    pub discovered_at: String,
    pub occurred_from: Option<String>,
    pub occurred_to: Option<String>,
    pub location: Option<Location>,
    pub party: Option<Party>,
    pub person: Option<Person>,
    #[serde(default)]
    pub pollutants: Vec<Pollutant>,
    #[serde(default)]
    pub legal_basis: Vec<Basis>,
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    #[serde(default)]
    pub officers: Vec<Officer>,
    #[serde(default)]
    pub timeline: Vec<Moment>,
    deadlines: Option<serde_json::Value>,
    pub penalty: Option<Penalty>,
    pub transfer: Option<Transfer>,
    pub data_level: Option<String>,
    #[serde(default)]
    pub shared_with: Vec<String>,
    pub case_no: Option<String>,
    pub summary_zh: Option<String>,
    pub law_choice_zh: Option<String>,
    pub belt_reason: Option<String>,
    pub agreement: Option<String>,
    pub external_ref: Option<External>,
    pub reported_on: Option<String>,
    turn_city: Option<String>,
    last_effective_on: Option<String>,
    only_here: Option<u64>,
    misfit_count: Option<u64>,
    campaigns: Option<String>,
}

/// The number in the own system.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct External {
    #[serde(default)]
    pub system: String,
    #[serde(default)]
    pub number: String,
}

/// A decimal as a JSON number or a string.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Decimal {
    Number(serde_json::Number),
    Text(String),
}

/// Where.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that only describe are read so that others can be refused")]
pub(super) struct Location {
    pub lon: Option<Decimal>,
    pub lat: Option<Decimal>,
    pub crs: Option<String>,
    pub county_code: Option<String>,
    county_zh: Option<String>,
    pub address_zh: Option<String>,
    border_distance_m: Option<u64>,
}

/// Who is accused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that only describe are read so that others can be refused")]
pub(super) struct Party {
    pub r#type: String,
    pub name: Option<String>,
    pub uscc: Option<String>,
    pub masked_name: Option<String>,
    pub industry_code: Option<String>,
    industry_zh: Option<String>,
    #[serde(default)]
    pub positive_list: bool,
    pub permit_no: Option<String>,
}

/// A natural person.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub name: String,
    #[serde(default)]
    pub id_number: String,
    #[serde(default)]
    pub phone: String,
    #[serde(default)]
    pub address: String,
}

/// A measured excess.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that only describe are read so that others can be refused")]
pub(super) struct Pollutant {
    pub code: String,
    name_zh: Option<String>,
    pub value: Decimal,
    pub unit: String,
    pub limit: Decimal,
    pub exceed_multiple: Option<Decimal>,
    pub statistic: Option<String>,
}

/// An article of a law.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Basis {
    pub law: String,
    pub article: String,
    pub item: Option<u32>,
    pub effective_from: Option<String>,
    pub effective_to: Option<String>,
}

/// One piece of evidence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that only describe are read so that others can be refused")]
pub(super) struct Evidence {
    pub evidence_id: String,
    pub kind: String,
    pub title_zh: String,
    pub collected_on: Option<String>,
    pub mime: Option<String>,
    pub size_bytes: u64,
    pub digest: Digest,
    content_utf8: Option<String>,
    pub level: Option<String>,
    #[serde(default)]
    pub collectors: Vec<String>,
    pub place: Option<String>,
    #[serde(default)]
    pub reviewed_legal: bool,
    #[serde(default)]
    pub reviewed_technical: bool,
}

/// Digests of a file, hexadecimal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digest {
    pub sha256: String,
    pub sm3: Option<String>,
}

/// An officer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Officer {
    pub cert_no: String,
    pub org_zh: Option<String>,
}

/// One line of the history.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that only describe are read so that others can be refused")]
pub(super) struct Moment {
    seq: Option<u32>,
    pub state: String,
    pub on: String,
    pub actor_city: String,
}

/// The penalty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Penalty {
    pub kinds: Vec<String>,
    pub fine_cny: Option<i64>,
    pub fine_fen: Option<i64>,
    #[serde(default)]
    pub proposed: bool,
    pub decision_no: Option<String>,
}

/// A transfer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that only describe are read so that others can be refused")]
pub(super) struct Transfer {
    pub kind: String,
    from: Option<String>,
    pub to: String,
    copied_to: Option<String>,
    pub reason_zh: Option<String>,
    sent_on: Option<String>,
    ack_due_on: Option<String>,
    feedback_due_on: Option<String>,
    pub acknowledged_on: Option<String>,
}
