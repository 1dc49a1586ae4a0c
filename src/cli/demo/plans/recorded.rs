//! The file of sample plans, field by field, and its words as ours.
//!
//! In scope: its form. Out of scope: what the demo makes of it ([`super::sample`]).

use serde::Deserialize;

use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;

const PLANS: &str = include_str!("../../../../demo/sample-plans.json");

/// Reads it.
///
/// # Errors
/// [`Failure`] when it cannot be read.
pub fn file() -> Result<File, Failure> {
    serde_json::from_str(PLANS).map_err(|e| Failure::local(format!("sample plans: {e}")))
}

/// The file.
#[derive(Deserialize)]
pub struct File {
    pub as_of: String,
    pub plans: Vec<Raw>,
}

/// A plan.
#[derive(Deserialize)]
pub struct Raw {
    pub plan_id: String,
    pub title_zh: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub theme_zh: String,
    pub state: String,
    pub initiator: String,
    pub participants: Vec<String>,
    pub operation_days: Vec<String>,
    pub departments: Vec<RawCode>,
    pub consultation: Vec<RawOpinion>,
    pub confirmations: Vec<RawAnswer>,
    pub draw: Option<RawDraw>,
    pub targets: Vec<RawTarget>,
    pub teams: Vec<RawTeam>,
    pub results: Option<Results>,
    pub cancel_reason_zh: Option<String>,
}

/// A department.
#[derive(Deserialize)]
pub struct RawCode {
    pub code: String,
}

/// What a city thinks of it.
#[derive(Deserialize)]
pub struct RawOpinion {
    pub city: String,
    pub text_zh: String,
    pub resolution: String,
}

/// What a city answers.
#[derive(Deserialize)]
pub struct RawAnswer {
    pub city: String,
    pub decision: String,
    pub on: String,
    pub note_zh: Option<String>,
}

/// What was drawn from.
#[derive(Deserialize)]
pub struct RawDraw {
    pub pool: Vec<String>,
    pub excluded_positive_list: Vec<String>,
}

/// A site that was visited.
#[derive(Deserialize)]
pub struct RawTarget {
    pub uscc: String,
    pub name_zh: String,
}

/// Who was sent.
#[derive(Deserialize)]
pub struct RawTeam {
    pub city: String,
    pub officers: Vec<String>,
    pub vehicles: u32,
    pub uav: u32,
}

/// What is recorded of the results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Results {
    /// Sites that were checked.
    pub sites_checked: usize,
    /// Problems found at them.
    pub problems_found: u32,
    /// Clues that are followed up.
    pub clues_opened: u32,
    /// Samples taken.
    pub joint_samples: u32,
    /// Sites that several departments checked in one visit.
    pub one_entry_multi_checks: usize,
}

pub fn resolution(code: &str) -> Option<pb::PlanResolution> {
    match code {
        "ACCEPTED" => Some(pb::PlanResolution::Adopted),
        "PARTLY_ACCEPTED" => Some(pb::PlanResolution::Partly),
        _ => None,
    }
}

pub fn decision(code: &str) -> Option<pb::PlanAnswerKind> {
    match code {
        "CONFIRMED" => Some(pb::PlanAnswerKind::Confirm),
        "CHANGES_REQUESTED" => Some(pb::PlanAnswerKind::ChangesRequested),
        "DECLINED" => Some(pb::PlanAnswerKind::Decline),
        _ => None,
    }
}

pub fn department(code: &str) -> Option<pb::Department> {
    match code {
        "EEB" => Some(pb::Department::EcologyEnvironment),
        "MKT" => Some(pb::Department::MarketSupervision),
        "HUD" => Some(pb::Department::Housing),
        "WRD" => Some(pb::Department::Water),
        "PSB" => Some(pb::Department::PublicSecurity),
        "HLT" => Some(pb::Department::Health),
        _ => None,
    }
}
