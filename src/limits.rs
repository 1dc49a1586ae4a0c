//! Every limit, named once, with its reason. Zero never means "no limit".

/// A header holds no text; the largest has 64 heads, 8 parts and 15 distances.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Fits a 20-page summary; evidence travels elsewhere.
pub const PART_BYTES_MAX: usize = 64 * 1024;
/// One slot for each kind of content an event may carry.
pub const PARTS_MAX: usize = 8;
/// Header and parts together.
pub const ENTRY_BYTES_MAX: usize = 256 * 1024;
/// One checkpoint signature covers at most this many entries.
pub const BATCH_ENTRIES_MAX: usize = 256;
/// Keeps one batch well inside one gRPC message and one journal record.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Heads of other logs an entry may name in `after`.
pub const AFTER_MAX: usize = 64;
/// A signed note with its 16 signature lines, charters included.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// One signature line of a note (C2SP allows more; ours never need it).
pub const NOTE_LINE_BYTES_MAX: usize = 8 * 1024;
/// A charter has at most 16 members, so a note needs at most 16 lines.
pub const NOTE_SIGNATURES_MAX: usize = 16;
/// Members of one agreement; two is the least that can exchange anything.
pub const MEMBERS_MAX: usize = 16;
/// Journal segment. Small enough to rewrite at an erasure, large enough to be rare.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Journal record payload: a batch with its parts and its checkpoint.
pub const RECORD_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Space reserved ahead of the journal's end, so that a full disk fails before a byte is written.
pub const JOURNAL_RESERVE_BYTES: u64 = 4 * 1024 * 1024;
/// Below this much free disk, writes are refused and reads go on (default of a setting).
pub const DISK_LOW_BYTES: u64 = 512 * 1024 * 1024;
/// A page nobody asked a size for.
pub const PAGE_SIZE_DEFAULT: u32 = 50;
/// The largest page; more is clamped.
pub const PAGE_SIZE_MAX: u32 = 200;
/// Connections one port keeps open at a time; the next ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: u32 = 512;
/// A TLS handshake takes milliseconds; whoever needs longer holds a place open on purpose.
pub const HANDSHAKE_MS_MAX: u64 = 5_000;
/// Connections are ended at this age, so that identities are checked anew.
pub const CONNECTION_AGE_S_MAX: u64 = 3_600;
/// A configuration is read whole; a larger file is not one.
pub const CONFIG_BYTES_MAX: u64 = 64 * 1024;
