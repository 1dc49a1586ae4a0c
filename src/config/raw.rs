//! `liandong.toml` as it is written: shapes and defaults, nothing checked yet.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Console, Deadlines, Joint, LogFormat};
use crate::lang::Lang;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub city: String,
    pub node: String,
    pub data_dir: PathBuf,
    #[serde(default = "guard_file")]
    pub guard_file: PathBuf,
    pub keys_dir: PathBuf,
    pub people_file: PathBuf,
    pub boundaries_file: Option<PathBuf>,
    pub workdays_file: Option<PathBuf>,
    pub catalogue_file: Option<PathBuf>,
    #[serde(default)]
    pub lang: Lang,
    pub peer: Port,
    pub api: Port,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub deadlines: Deadlines,
    #[serde(default)]
    pub joint: Joint,
    #[serde(default)]
    pub console: Console,
    pub hook: Option<super::hook::Raw>,
    pub calendar_feed: Option<super::calendar_feed::Raw>,
    #[serde(default)]
    pub evidence: super::evidence::Raw,
    #[serde(default)]
    pub log: Log,
}

/// `[peer]` and `[api]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Port {
    pub listen: String,
    pub cert: PathBuf,
    pub key: PathBuf,
    pub ca: Vec<PathBuf>,
    #[serde(default)]
    pub crl: Vec<PathBuf>,
}

/// `[limits]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub disk_low_bytes: Option<u64>,
    pub segment_bytes_max: Option<u64>,
    pub page_size_default: Option<u32>,
    pub page_size_max: Option<u32>,
    pub connections_max: Option<u32>,
    pub handshake_ms_max: Option<u64>,
    pub connection_age_s_max: Option<u64>,
    pub calls_per_connection_max: Option<u32>,
    pub calls_running_max: Option<u32>,
    pub person_calls_per_s_max: Option<u32>,
    pub system_calls_per_s_max: Option<u32>,
    pub audit_days: Option<u32>,
    pub task_late_s: Option<u64>,
    pub scrub_s: Option<u64>,
    pub alone_s: Option<u64>,
    pub log_entries_per_day_max: Option<u64>,
    pub log_bytes_per_day_max: Option<u64>,
    pub evidence_file_bytes_max: Option<u64>,
    pub evidence_folder_bytes_max: Option<u64>,
    pub evidence_pending_bytes_max: Option<u64>,
    pub evidence_scrub_s: Option<u64>,
    pub same_act_metres_max: Option<u32>,
    pub same_act_cases_max: Option<u32>,
}

/// `[log]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    #[serde(default)]
    pub format: LogFormat,
    #[serde(default = "filter")]
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: filter() }
    }
}

fn guard_file() -> PathBuf {
    PathBuf::from("guard")
}

fn filter() -> String {
    "liandong=info,warn".to_owned()
}
