//! How a node is: plain values behind `NodeService`.
//!
//! In scope: what is shown of links, logs, recovery. Out of scope: how it is found out.

use bytes::Bytes;

use crate::ids::{AgreementId, CityCode, Hash, LogId, NodeId};

/// State of the link to one member city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// The other city.
    pub city: CityCode,
    /// Connected and greeted.
    pub up: bool,
    /// We dialled.
    pub dialled_by_us: bool,
    /// Address last used.
    pub address: String,
    /// Since when, milliseconds since 1970-01-01 UTC.
    pub since_ms: i64,
    /// Why it is not up.
    pub reason: String,
    /// Something last came over it, milliseconds since 1970-01-01 UTC.
    pub heard_ms: i64,
    /// Times since start that something wrong came from there and was turned away.
    pub strikes: u64,
    /// Times since start that something came that was here already.
    pub duplicates: u64,
}

/// A cosignature held for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignatureStatus {
    /// The witness's city.
    pub city: CityCode,
    /// Size it covers.
    pub size: u64,
    /// When it signed, seconds since 1970-01-01 UTC, by its clock.
    pub time_s: u64,
    /// The whole signature line.
    pub line: Bytes,
}

/// What a member has cosigned and cannot be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContradictionStatus {
    /// The member.
    pub city: CityCode,
    /// Its own log, whose cosigning key has signed.
    pub witness: LogId,
    /// The signed manifest of that log.
    pub manifest: Bytes,
    /// What shows it.
    pub proof: crate::log::WitnessProof,
}

/// One log as this node holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStatus {
    /// The log.
    pub log: LogId,
    /// Its agreement.
    pub agreement: AgreementId,
    /// Its author.
    pub city: CityCode,
    /// Its epoch, from 1.
    pub epoch: u64,
    /// Entries stored.
    pub stored: u64,
    /// Entries applied.
    pub applied: u64,
    /// Largest size announced by anybody.
    pub announced: u64,
    /// Root over the stored entries.
    pub root: Hash,
    /// Signed checkpoint over them; empty while the log is empty.
    pub checkpoint: Bytes,
    /// Newest cosignature of each witness.
    pub cosignatures: Vec<CosignatureStatus>,
    /// From which city the last stretch came.
    pub last_source: Option<CityCode>,
    /// What its next entry waits for.
    pub waiting_for: Option<(LogId, u64)>,
    /// Entries that did not take effect.
    pub misfits: u64,
    /// Stands still here.
    pub standing: bool,
    /// Two signed checkpoints that contradict each other.
    pub fork: Option<crate::log::ForkProof>,
    /// Cosignatures of it that contradict each other or the log, one for each member.
    pub contradictions: Vec<ContradictionStatus>,
    /// Signed manifest.
    pub manifest: Bytes,
    /// This node writes it.
    pub own: bool,
    /// For how long it has been behind, seconds.
    pub lag_s: u64,
    /// When the first entry was written that no other city is known to hold, milliseconds since
    /// 1970-01-01 UTC; own logs only.
    pub alone_since_ms: Option<i64>,
}

/// A log of a restored node whose moves still wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryStatus {
    /// The agreement.
    pub agreement: AgreementId,
    /// The log that ended.
    pub old_log: LogId,
    /// Members not heard from.
    pub waiting_for: Vec<CityCode>,
    /// A new epoch must be made first.
    pub epoch_needed: bool,
}

/// What is suspended on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspensionStatus {
    /// The city.
    pub city: CityCode,
    /// One log that has outrun its daily quota; `None` when an operator suspended the whole city.
    pub log: Option<LogId>,
    /// Since when, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who: role and id; empty for the quota.
    pub by: String,
    /// It is lifted from the next start on.
    pub resuming: bool,
}

/// A member of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Division code.
    pub city: CityCode,
    /// Name.
    pub name: String,
    /// Short name.
    pub short_name: String,
    /// Its signature is on the charter.
    pub signed: bool,
    /// Its card is here.
    pub card_known: bool,
    /// Telephone of its officer on duty, from its card; empty without.
    pub duty_phone: String,
    /// Who answers it, such as a duty desk, from its card; empty without.
    pub duty_contact: String,
}

/// An agreement this node knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementStatus {
    /// The agreement.
    pub agreement: AgreementId,
    /// Title.
    pub title: String,
    /// Short name.
    pub short_name: String,
    /// Version of the charter, from 1.
    pub version: u32,
    /// SHA-256 of its text.
    pub charter: Hash,
    /// The signed text.
    pub note: Bytes,
    /// Members, ascending by code.
    pub members: Vec<MemberStatus>,
    /// First day of the term.
    pub begin_on: crate::domain::Date,
    /// Last day of the term.
    pub end_on: crate::domain::Date,
    /// Width of the belt in metres.
    pub belt_metres: u32,
    /// Signed by every member.
    pub complete: bool,
    /// This node has a log in it and may write.
    pub writable: bool,
}

/// A task that comes round again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    /// Its name, for programs.
    pub name: String,
    /// When it last came round, milliseconds since 1970-01-01 UTC.
    pub done_ms: Option<i64>,
    /// Since then, or since its start, milliseconds.
    pub age_ms: u64,
    /// From this age on it is late, milliseconds.
    pub late_ms: u64,
    /// Times it was started again.
    pub restarts: u64,
    /// When and why it was last started again.
    pub restarted: Option<(i64, String)>,
    /// Why it could not come round, since it last did.
    pub failure: Option<String>,
    /// It has not come round for too long.
    pub is_late: bool,
    /// It is started again by itself.
    pub is_kept: bool,
}

/// How dialling a member city goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialStatus {
    /// The city.
    pub city: CityCode,
    /// When it was last dialled, milliseconds since 1970-01-01 UTC.
    pub last_ms: Option<i64>,
    /// Why the last dial failed.
    pub failure: Option<String>,
    /// When it is dialled next; `None` while it is linked.
    pub next_ms: Option<i64>,
}

/// An own certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateStatus {
    /// What it is for.
    pub name: String,
    /// Its last moment, seconds since 1970-01-01 UTC.
    pub end_s: i64,
}

/// How far the whole journal was read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubStatus {
    /// Within so many seconds all of it is read again.
    pub period_s: u64,
    /// When this reading began, milliseconds since 1970-01-01 UTC.
    pub begun_ms: i64,
    /// Bytes read so far.
    pub bytes: u64,
    /// When the last whole reading was over.
    pub last_end_ms: Option<i64>,
    /// Bytes it read.
    pub last_bytes: u64,
    /// Records it found damaged, those among them that were fetched again since.
    pub last_damaged: u64,
    /// Segments whose own header is damaged.
    pub bad_segments: Vec<u32>,
}

/// How nudging goes. Times are milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookStatus {
    /// Host and port, or the program: never the whole address.
    pub target: String,
    /// Matters that wait for the own city.
    pub waiting: u32,
    /// When a nudge was last taken.
    pub last_ok_ms: Option<i64>,
    /// When one was last tried.
    pub last_try_ms: Option<i64>,
    /// Why that failed.
    pub failure: Option<String>,
    /// When the next one leaves; `None` while there is nothing to tell.
    pub next_ms: Option<i64>,
}

/// How the store of evidence files is. Times are milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceStoreStatus {
    /// Where files lie; empty for the data folder.
    pub place: String,
    /// Bytes of files and parts; `None` while the place has not said.
    pub used: Option<u64>,
    /// Most bytes.
    pub limit: u64,
    /// When a store on another machine last answered.
    pub last_ok_ms: Option<i64>,
    /// Why it cannot be used.
    pub failure: Option<String>,
    /// Files that have rotted and whose right bytes have not come yet.
    pub rotten: Vec<Hash>,
}

/// How reading stored evidence files again goes. Times are milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceCheckStatus {
    /// Within this time every file is read again, seconds.
    pub period_s: u64,
    /// When the reading under way, or the last one, began.
    pub begun_ms: i64,
    /// When the last whole reading was over.
    pub last_end_ms: Option<i64>,
    /// Files it read.
    pub last_files: u64,
    /// Bytes it read.
    pub last_bytes: u64,
    /// Files it found rotten, those among them that are whole again.
    pub last_rotten: u64,
}

/// Entries that are damaged on this disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamageStatus {
    /// The log.
    pub log: LogId,
    /// First entry.
    pub from: u64,
    /// Behind the last.
    pub to: u64,
    /// No other city is known to hold them.
    pub only_here: bool,
}

/// What the shell around the core adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellStatus {
    /// The wall clock now, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// Dialling, by city.
    pub dials: Vec<DialStatus>,
    /// Own certificates.
    pub certificates: Vec<CertificateStatus>,
    /// The reading of the whole journal; `None` before its first slice.
    pub scrub: Option<ScrubStatus>,
    /// How nudging goes; `None` when it is not configured.
    pub hook: Option<HookStatus>,
    /// How the store of evidence files is; `None` before it was first looked at.
    pub evidence: Option<EvidenceStoreStatus>,
    /// How reading stored files again goes; `None` before it has begun.
    pub evidence_check: Option<EvidenceCheckStatus>,
    /// Why the views cannot be relied on.
    pub views_failure: Option<String>,
    /// Below this much free disk, writes are refused.
    pub disk_low_bytes: u64,
    /// From this age on, entries that no other city holds are told of, seconds.
    pub alone_s: u64,
    /// Tasks, by name.
    pub tasks: Vec<TaskStatus>,
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Own city.
    pub city: CityCode,
    /// Node id.
    pub node: NodeId,
    /// Start of the process, milliseconds since 1970-01-01 UTC.
    pub start_ms: i64,
    /// Why writes are not taken, in both languages; `None` when they are.
    pub not_writable: Option<String>,
    /// Links to the members.
    pub links: Vec<LinkStatus>,
    /// Logs.
    pub logs: Vec<LogStatus>,
    /// Agreements.
    pub agreements: Vec<AgreementStatus>,
    /// Recoveries in progress.
    pub recoveries: Vec<RecoveryStatus>,
    /// What is suspended on this node.
    pub suspensions: Vec<SuspensionStatus>,
    /// How far the own clock is ahead of the median of all linked cities, milliseconds.
    pub clock_off_ms: Option<i64>,
    /// Entries damaged on this disk.
    pub damage: Vec<DamageStatus>,
    /// Damaged records that are no entries: agreements, cards, beginnings of logs.
    pub damaged_notes: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Free bytes on its disk.
    pub disk_free_bytes: u64,
    /// What an operator should look at, in both languages.
    pub warnings: Vec<String>,
    /// Journal id.
    pub journal_id: [u8; 16],
    /// Entries applied so far.
    pub apply_number: u64,
    /// Address of the api port.
    pub api_address: String,
    /// Address of the peer port.
    pub peer_address: String,
    /// What the shell knows; empty in what the core says.
    pub shell: ShellStatus,
}
