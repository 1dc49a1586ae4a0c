//! The configuration of a node: read once, checked once, then immutable.
//!
//! In scope: `liandong.toml`, its defaults, what may not be combined, where its files lie.
//! Out of scope: what the files it names contain (certificates, people, borders).
//!
//! Invariants:
//! 1. A [`Config`] holds absolute or file-relative paths resolved against its own folder.
//!    (`paths_are_taken_from_the_files_folder`)
//! 2. The guard never lies inside the data folder, so that one restore cannot bring both back.
//!    (`the_guard_may_not_lie_in_the_data_folder`)
//! 3. An unknown setting is refused. (`an_unknown_setting_is_refused`)

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use crate::ids::{CityCode, NodeId};
use crate::lang::Lang;
use crate::limits;

pub mod calendar_feed;
mod console;
mod deadlines;
mod error;
pub mod evidence;
pub mod hook;
mod joint;
mod raw;

pub use calendar_feed::CalendarFeed;
pub use console::Console;
pub use deadlines::Deadlines;
pub use error::{ConfigError, Reason};
use evidence::EvidencePlace;
pub use hook::Hook;
pub use joint::Joint;

/// Settings of one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Own city.
    pub city: CityCode,
    /// This installation.
    pub node: NodeId,
    /// Journal, views, inbox.
    pub data_dir: PathBuf,
    /// Tells a restored copy from a grown one; outside `data_dir` and outside backups.
    pub guard_file: PathBuf,
    /// Log, cosigning and node keys.
    pub keys_dir: PathBuf,
    /// People and systems with certificates of other issuers.
    pub people_file: PathBuf,
    /// Borders as GeoJSON.
    pub boundaries_file: Option<PathBuf>,
    /// Workdays of more years than the program knows.
    pub workdays_file: Option<PathBuf>,
    /// A catalogue of laws, departments and divisions in the place of the program's own.
    pub catalogue_file: Option<PathBuf>,
    /// Lengths of terms that no source at hand gives.
    pub deadlines: Deadlines,
    /// What this city sets for joint action.
    pub joint: Joint,
    /// What this city sets for the console.
    pub console: Console,
    /// Where this city is nudged; `None`: nowhere.
    pub hook: Option<Hook>,
    /// Where office calendars read busy times; `None`: nowhere.
    pub calendar_feed: Option<CalendarFeed>,
    /// Where whole evidence files lie.
    pub evidence: EvidencePlace,
    /// Language of messages.
    pub lang: Lang,
    /// Port for nodes of member cities.
    pub peer: Port,
    /// Port for the own city's systems and people.
    pub api: Port,
    /// Limits an operator may move.
    pub limits: Limits,
    /// Log output.
    pub log: Log,
}

/// A port and the TLS files behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate chain, PEM, leaf first.
    pub cert: PathBuf,
    /// Private key, PKCS#8 PEM.
    pub key: PathBuf,
    /// CA certificates of the own city, PEM; at least one.
    pub ca: Vec<PathBuf>,
    /// Revocation lists, PEM.
    pub crl: Vec<PathBuf>,
}

/// Limits an operator may move; each default stands in [`crate::limits`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Below this much free disk, writes are refused.
    pub disk_low_bytes: u64,
    /// Size at which a journal segment is closed: smaller ones are rewritten faster at an erasure.
    pub segment_bytes_max: u64,
    /// Size of a page nobody asked a size for.
    pub page_size_default: u32,
    /// Largest page.
    pub page_size_max: u32,
    /// Connections one port keeps open.
    pub connections_max: u32,
    /// Longest TLS handshake.
    pub handshake_ms_max: u64,
    /// Age at which a connection is ended.
    pub connection_age_s_max: u64,
    /// Calls of one api connection that run at a time.
    pub calls_per_connection_max: u32,
    /// Calls of the api port that run at a time.
    pub calls_running_max: u32,
    /// Calls a second of one person.
    pub person_calls_per_s_max: u32,
    /// Calls a second of one enforcement system.
    pub system_calls_per_s_max: u32,
    /// Days audit files are kept.
    pub audit_days: u32,
    /// A periodic task that has not come round for this long is started again.
    pub task_late_s: u64,
    /// Within this time the whole journal is read again.
    pub scrub_s: u64,
    /// From this age on, entries that no other city holds are told of.
    pub alone_s: u64,
    /// Entries of one log of another city that are taken in on one day.
    pub log_entries_per_day_max: u64,
    /// The same in signed bytes.
    pub log_bytes_per_day_max: u64,
    /// Largest evidence file.
    pub evidence_file_bytes_max: u64,
    /// Bytes of all evidence files and of what is on its way.
    pub evidence_folder_bytes_max: u64,
    /// Bytes of one city's files that are not finished; one of the largest always fits.
    pub evidence_pending_bytes_max: u64,
    /// Within this time every stored evidence file is read again.
    pub evidence_scrub_s: u64,
    /// Within so many metres two records may be of one act.
    pub same_act_metres_max: u32,
    /// Cases with a party in the index of acts; with 0 nothing is looked for.
    pub same_act_cases_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            disk_low_bytes: limits::DISK_LOW_BYTES,
            segment_bytes_max: limits::SEGMENT_BYTES_MAX,
            page_size_default: limits::PAGE_SIZE_DEFAULT,
            page_size_max: limits::PAGE_SIZE_MAX,
            connections_max: limits::CONNECTIONS_MAX,
            handshake_ms_max: limits::HANDSHAKE_MS_MAX,
            connection_age_s_max: limits::CONNECTION_AGE_S_MAX,
            calls_per_connection_max: at_most_u32(limits::CALLS_PER_CONNECTION_MAX),
            calls_running_max: at_most_u32(limits::CALLS_RUNNING_MAX),
            person_calls_per_s_max: limits::PERSON_CALLS_PER_S_MAX,
            system_calls_per_s_max: limits::SYSTEM_CALLS_PER_S_MAX,
            audit_days: limits::AUDIT_DAYS,
            task_late_s: limits::TASK_LATE_S,
            scrub_s: limits::SCRUB_S,
            alone_s: limits::ALONE_S,
            log_entries_per_day_max: limits::LOG_ENTRIES_PER_DAY_MAX,
            log_bytes_per_day_max: limits::LOG_BYTES_PER_DAY_MAX,
            evidence_file_bytes_max: limits::EVIDENCE_UPLOAD_BYTES_MAX,
            evidence_folder_bytes_max: limits::EVIDENCE_FOLDER_BYTES_MAX,
            evidence_pending_bytes_max: limits::EVIDENCE_PENDING_BYTES_MAX,
            evidence_scrub_s: limits::EVIDENCE_SCRUB_S,
            same_act_metres_max: limits::SAME_ACT_METRES,
            same_act_cases_max: at_most_u32(limits::SAME_ACT_CASES_MAX),
        }
    }
}

const fn at_most_u32(limit: usize) -> u32 {
    if limit > u32::MAX as usize { u32::MAX } else { limit as u32 }
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs, one object a line.
    Json,
}

/// Log output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// What is shown, as in `RUST_LOG`.
    pub filter: String,
}

impl Config {
    /// Reads and checks a configuration, and that the files it names can be read.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, setting, reason and what to do.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let unread = |source: std::io::Error| ConfigError::Unread { file: file.clone(), source };
        let size = std::fs::metadata(&file).map_err(unread)?.len();
        if size > limits::CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge { file, size });
        }
        let text = std::fs::read_to_string(&file).map_err(unread)?;
        let config = Self::parse(&text, &file)?;
        config.check_files()?;
        Ok(config)
    }

    /// Parses a configuration that lies at `file`; touches no disk.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, setting, reason and what to do.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let raw: raw::Raw = toml::from_str(text)
            .map_err(|source| ConfigError::Syntax { file: file.to_owned(), source })?;
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        let at = Resolver { file, folder };
        let config = Self {
            file: file.to_owned(),
            city: CityCode::parse(&raw.city).map_err(|_| at.bad("city", Reason::City(raw.city)))?,
            node: uuid::Uuid::parse_str(&raw.node)
                .map(|id| NodeId::new(*id.as_bytes()))
                .map_err(|_| at.bad("node", Reason::Node(raw.node)))?,
            data_dir: at.path("data_dir", &raw.data_dir)?,
            guard_file: at.path("guard_file", &raw.guard_file)?,
            keys_dir: at.path("keys_dir", &raw.keys_dir)?,
            people_file: at.path("people_file", &raw.people_file)?,
            boundaries_file: raw
                .boundaries_file
                .map(|path| at.path("boundaries_file", &path))
                .transpose()?,
            workdays_file: raw
                .workdays_file
                .map(|path| at.path("workdays_file", &path))
                .transpose()?,
            catalogue_file: raw
                .catalogue_file
                .map(|path| at.path("catalogue_file", &path))
                .transpose()?,
            deadlines: raw.deadlines.check(&at)?,
            joint: raw.joint.check(&at)?,
            console: raw.console.check(&at)?,
            hook: raw.hook.map(|hook| hook.check(&at)).transpose()?,
            calendar_feed: raw.calendar_feed.map(|feed| feed.check(&at)).transpose()?,
            evidence: raw.evidence.check(&at)?,
            lang: raw.lang,
            peer: at.port("peer", raw.peer)?,
            api: at.port("api", raw.api)?,
            limits: at.limits(&raw.limits)?,
            log: Log { format: raw.log.format, filter: raw.log.filter },
        };
        config.check()?;
        Ok(config)
    }

    /// What may not be combined.
    fn check(&self) -> Result<(), ConfigError> {
        let at = Resolver { file: &self.file, folder: Path::new("") };
        if self.guard_file.starts_with(&self.data_dir) {
            return Err(at.bad("guard_file", Reason::GuardInData));
        }
        if self.keys_dir.starts_with(&self.data_dir) {
            return Err(at.bad("keys_dir", Reason::KeysInData));
        }
        let same_port = self.peer.listen.port() != 0 && self.peer.listen == self.api.listen;
        if same_port {
            return Err(at.bad("api.listen", Reason::SamePort(self.api.listen)));
        }
        if let Some(feed) = self.calendar_feed {
            let others = [self.peer.listen, self.api.listen];
            if feed.listen.port() != 0 && others.contains(&feed.listen) {
                return Err(at.bad("calendar_feed.listen", Reason::SamePort(feed.listen)));
            }
        }
        Ok(())
    }

    /// Whether the files it names are there; folders may still have to be made.
    fn check_files(&self) -> Result<(), ConfigError> {
        let ports = [("peer", &self.peer), ("api", &self.api)];
        let mut files = Vec::new();
        for (name, port) in ports {
            files.push((format!("{name}.cert"), &port.cert));
            files.push((format!("{name}.key"), &port.key));
            files.extend(port.ca.iter().map(|path| (format!("{name}.ca"), path)));
            files.extend(port.crl.iter().map(|path| (format!("{name}.crl"), path)));
        }
        files.extend(self.boundaries_file.iter().map(|path| ("boundaries_file".to_owned(), path)));
        files.extend(self.workdays_file.iter().map(|path| ("workdays_file".to_owned(), path)));
        files.extend(self.catalogue_file.iter().map(|path| ("catalogue_file".to_owned(), path)));
        if let Some(Hook { target: hook::HookTarget::Post { ca: Some(ca), .. }, .. }) = &self.hook {
            files.push(("hook.ca".to_owned(), ca));
        }
        for (field, path) in files {
            std::fs::File::open(path).map_err(|source| ConfigError::Setting {
                file: self.file.clone(),
                field: field.clone(),
                reason: Reason::Unreadable { path: path.clone(), why: source.to_string() },
            })?;
        }
        Ok(())
    }
}

/// Resolves paths against the file's folder and names the file in errors.
struct Resolver<'a> {
    file: &'a Path,
    folder: &'a Path,
}

impl Resolver<'_> {
    fn bad(&self, field: &str, reason: Reason) -> ConfigError {
        ConfigError::Setting { file: self.file.to_owned(), field: field.to_owned(), reason }
    }

    fn path(&self, field: &str, given: &Path) -> Result<PathBuf, ConfigError> {
        if given.as_os_str().is_empty() {
            return Err(self.bad(field, Reason::Empty));
        }
        Ok(tidy(&self.folder.join(given)))
    }

    fn paths(&self, field: &str, given: &[PathBuf]) -> Result<Vec<PathBuf>, ConfigError> {
        given.iter().map(|path| self.path(field, path)).collect()
    }

    fn port(&self, name: &str, raw: raw::Port) -> Result<Port, ConfigError> {
        let field = |part: &str| format!("{name}.{part}");
        let listen = raw
            .listen
            .parse()
            .map_err(|_| self.bad(&field("listen"), Reason::Address(raw.listen.clone())))?;
        if raw.ca.is_empty() {
            return Err(self.bad(&field("ca"), Reason::Empty));
        }
        Ok(Port {
            listen,
            cert: self.path(&field("cert"), &raw.cert)?,
            key: self.path(&field("key"), &raw.key)?,
            ca: self.paths(&field("ca"), &raw.ca)?,
            crl: self.paths(&field("crl"), &raw.crl)?,
        })
    }

    fn limits(&self, raw: &raw::Limits) -> Result<Limits, ConfigError> {
        let standard = Limits::default();
        let limits = Limits {
            disk_low_bytes: raw.disk_low_bytes.unwrap_or(standard.disk_low_bytes),
            segment_bytes_max: raw.segment_bytes_max.unwrap_or(standard.segment_bytes_max),
            page_size_default: raw.page_size_default.unwrap_or(standard.page_size_default),
            page_size_max: raw.page_size_max.unwrap_or(standard.page_size_max),
            connections_max: raw.connections_max.unwrap_or(standard.connections_max),
            handshake_ms_max: raw.handshake_ms_max.unwrap_or(standard.handshake_ms_max),
            connection_age_s_max: raw.connection_age_s_max.unwrap_or(standard.connection_age_s_max),
            calls_per_connection_max: raw
                .calls_per_connection_max
                .unwrap_or(standard.calls_per_connection_max),
            calls_running_max: raw.calls_running_max.unwrap_or(standard.calls_running_max),
            person_calls_per_s_max: raw
                .person_calls_per_s_max
                .unwrap_or(standard.person_calls_per_s_max),
            system_calls_per_s_max: raw
                .system_calls_per_s_max
                .unwrap_or(standard.system_calls_per_s_max),
            audit_days: raw.audit_days.unwrap_or(standard.audit_days),
            task_late_s: raw.task_late_s.unwrap_or(standard.task_late_s),
            scrub_s: raw.scrub_s.unwrap_or(standard.scrub_s),
            alone_s: raw.alone_s.unwrap_or(standard.alone_s),
            log_entries_per_day_max: raw
                .log_entries_per_day_max
                .unwrap_or(standard.log_entries_per_day_max),
            log_bytes_per_day_max: raw
                .log_bytes_per_day_max
                .unwrap_or(standard.log_bytes_per_day_max),
            evidence_file_bytes_max: raw
                .evidence_file_bytes_max
                .unwrap_or(standard.evidence_file_bytes_max),
            evidence_folder_bytes_max: raw
                .evidence_folder_bytes_max
                .unwrap_or(standard.evidence_folder_bytes_max),
            evidence_pending_bytes_max: raw
                .evidence_pending_bytes_max
                .unwrap_or(standard.evidence_pending_bytes_max),
            evidence_scrub_s: raw.evidence_scrub_s.unwrap_or(standard.evidence_scrub_s),
            same_act_metres_max: raw.same_act_metres_max.unwrap_or(standard.same_act_metres_max),
            same_act_cases_max: raw.same_act_cases_max.unwrap_or(standard.same_act_cases_max),
        };
        self.check_limits(&limits).map(|()| limits)
    }

    fn check_limits(&self, limits: &Limits) -> Result<(), ConfigError> {
        let ranges = [
            // No smaller than the largest entry.
            (
                "segment_bytes_max",
                limits.segment_bytes_max,
                limits::ENTRY_BYTES_MAX as u64,
                limits::SEGMENT_BYTES_MAX,
            ),
            // Two segments must stay free for an erasure.
            ("disk_low_bytes", limits.disk_low_bytes, 2 * limits.segment_bytes_max, u64::MAX),
            ("page_size_max", limits.page_size_max.into(), 1, limits::PAGE_SIZE_MAX.into()),
            ("page_size_default", limits.page_size_default.into(), 1, limits.page_size_max.into()),
            ("connections_max", limits.connections_max.into(), 8, 65_536),
            ("handshake_ms_max", limits.handshake_ms_max, 100, 60_000),
            ("connection_age_s_max", limits.connection_age_s_max, 10, 86_400),
            ("calls_per_connection_max", limits.calls_per_connection_max.into(), 1, 1_024),
            ("calls_running_max", limits.calls_running_max.into(), 1, 65_536),
            ("person_calls_per_s_max", limits.person_calls_per_s_max.into(), 1, 1_000_000),
            ("system_calls_per_s_max", limits.system_calls_per_s_max.into(), 1, 1_000_000),
            // Six months are the law's least.
            ("audit_days", limits.audit_days.into(), 184, 36_500),
            // A dial alone may take 5 s for each address.
            ("task_late_s", limits.task_late_s, 10, 86_400),
            ("scrub_s", limits.scrub_s, 1, 30 * 86_400),
            ("alone_s", limits.alone_s, 1, 365 * 86_400),
            // No smaller than one batch, or nothing would ever be taken in.
            (
                "log_entries_per_day_max",
                limits.log_entries_per_day_max,
                limits::BATCH_ENTRIES_MAX as u64,
                u64::MAX,
            ),
            (
                "log_bytes_per_day_max",
                limits.log_bytes_per_day_max,
                limits::BATCH_BYTES_MAX as u64,
                u64::MAX,
            ),
            (
                "evidence_file_bytes_max",
                limits.evidence_file_bytes_max,
                1,
                limits::EVIDENCE_FILE_BYTES_MAX,
            ),
            ("evidence_folder_bytes_max", limits.evidence_folder_bytes_max, 1, u64::MAX),
            ("evidence_pending_bytes_max", limits.evidence_pending_bytes_max, 1, u64::MAX),
            ("evidence_scrub_s", limits.evidence_scrub_s, 1, 365 * 86_400),
            (
                "same_act_metres_max",
                limits.same_act_metres_max.into(),
                1,
                limits::SAME_ACT_METRES_MAX.into(),
            ),
            (
                "same_act_cases_max",
                limits.same_act_cases_max.into(),
                0,
                limits::SAME_ACT_CASES_MAX as u64,
            ),
        ];
        for (name, got, least, most) in ranges {
            if !(least..=most).contains(&got) {
                return Err(self.bad(&format!("limits.{name}"), Reason::Range { got, least, most }));
            }
        }
        Ok(())
    }
}

/// Removes `.` and resolves `..` by name, so that paths can be compared before they exist.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            Component::ParentDir
            | Component::Normal(_)
            | Component::RootDir
            | Component::Prefix(_) => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests;
