//! One process of a city: the real core on a simulated disk, with a clock of its own.

use std::sync::Arc;

use liandong::journal::{Grown, Guard, Journal, JournalOptions};
use liandong::limits;
use liandong::node::core::{Core, CoreParts, Entropy, Now, Settings};
use liandong::node::reader::Reader;
use liandong::store::WriteBehind;
use liandong::trust::keys::HmacKey;

use super::cast::{Cast, Keys, node_id};
use super::disk::SimDisk;
use super::rng::Rng;
use super::rows::SimRows;
use super::sites;

/// 2026-11-20 10:00 in Beijing.
pub const START_MS: i64 = 1_795_140_000_000;
/// Below this much free disk writes are refused; bytes.
pub const DISK_LOW: u64 = 1_000_000;

pub type SimCore = Core<SimDisk, SimRows>;
pub type SimReader = Reader<SimDisk, SimRows>;

/// How a machine's clocks differ from the world's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Added to the wall clock, milliseconds.
    pub off_ms: i64,
    /// Runs this many parts in ten thousand faster, or slower.
    pub drift: i64,
    /// While the machine was suspended its steady clock stood still, milliseconds.
    pub stood_ms: u64,
}

pub struct Node {
    pub city: usize,
    pub disk: SimDisk,
    pub rows: SimRows,
    pub keys: Keys,
    /// How often it got another key for what only it knows.
    pub key: u8,
    pub core: Option<SimCore>,
    pub reader: Option<SimReader>,
    /// On another path, outside backups.
    pub guard: Option<Guard>,
    /// What the running process would write there.
    pub mark: Option<Guard>,
    pub clock: Clock,
    /// Counts starts; what was meant for an earlier process goes nowhere.
    pub life: u64,
    /// Its notes were handed in.
    pub equipped: bool,
    /// It does nothing until then.
    pub stopped_until: u64,
    pub commit_due: bool,
    pub slow_until: u64,
    /// A commit has waited for the slow disk since it became so.
    pub slow_felt: bool,
    pub next_tick: u64,
    pub hot_until: u64,
    pub guard_at: u64,
    pub committed_at: u64,
    pub segment_bytes: u64,
    /// What it takes in of one log of another city on one day.
    pub quota: u64,
}

/// What a start found.
pub struct Started {
    pub created: bool,
    pub cut_bytes: u64,
    pub damaged: usize,
}

impl Node {
    pub fn new(city: usize, segment_bytes: u64, quota: u64) -> Self {
        Self {
            city,
            disk: SimDisk::new(),
            rows: SimRows::default(),
            keys: Keys::default(),
            key: 0,
            core: None,
            reader: None,
            guard: None,
            mark: None,
            clock: Clock::default(),
            life: 0,
            equipped: false,
            stopped_until: 0,
            commit_due: false,
            slow_until: 0,
            slow_felt: false,
            next_tick: 0,
            hot_until: 0,
            guard_at: 0,
            committed_at: 0,
            segment_bytes,
            quota,
        }
    }

    pub fn is_up(&self) -> bool {
        self.core.is_some()
    }

    pub fn now(&self, world_ms: u64) -> Now {
        let drift = world_ms as i64 * self.clock.drift / 10_000;
        Now {
            mono_ms: world_ms - self.clock.stood_ms.min(world_ms),
            wall_ms: START_MS + world_ms as i64 + drift + self.clock.off_ms,
        }
    }

    /// Starts on whatever disk and views hold.
    pub fn start(&mut self, cast: &Cast, world_ms: u64, rng: &mut Rng) -> Result<Started, String> {
        let now = self.now(world_ms);
        let mut entropy = rng.fork();
        let mut instance = [0; 16];
        entropy.fill(&mut instance);
        let mut new_id = [0; 16];
        entropy.fill(&mut new_id);
        let options = JournalOptions { journal_id: new_id, segment_bytes_max: self.segment_bytes };
        let (journal, report) =
            Journal::open(self.disk.clone(), options).map_err(|e| format!("journal: {e}"))?;
        let id = journal.journal_id();
        if report.created {
            self.guard = Some(Guard::begin(self.guard.take(), id));
        }
        if self.rows.is_broken() {
            self.rows = SimRows::default();
        }
        let rows = Arc::new(WriteBehind::synchronous(self.rows.clone()));
        let mut node_key = [self.city as u8; 32];
        node_key[31] ^= self.key << 4;
        let node_key = HmacKey::new(node_key);
        let (read_rows, journal_reader) = (Arc::clone(&rows), journal.reader());
        let read_key = node_key.clone();
        let parts = CoreParts {
            settings: Settings {
                city: cast.codes[self.city],
                node: node_id(self.city),
                instance,
                disk_low_bytes: DISK_LOW,
                border_uncertain_metres: 1_700,
                site_checks_a_year_max: sites::CHECKS_A_YEAR,
                plans: liandong::node::core::PlanBasis::default(),
                log_entries_per_day_max: self.quota,
                log_bytes_per_day_max: limits::LOG_BYTES_PER_DAY_MAX,
                api_address: String::new(),
                peer_address: String::new(),
            },
            journal,
            rows,
            entropy: Box::new(entropy),
            keyring: Box::new(self.keys.clone()),
            node_key,
            boundaries: None,
        };
        let guard = self.guard.clone();
        let judge = |grown: &Grown| Guard::compare(guard.as_ref(), (id, report.created), grown);
        let core = Core::open(parts, now, &judge, &mut |_, _| {}).map_err(|e| e.to_string())?;
        self.mark = Some(Guard::going_on(self.guard.clone(), id));
        self.reader = Some(Reader::new(read_rows, journal_reader, core.feed_id(), read_key));
        self.core = Some(core);
        self.life += 1;
        self.commit_due = false;
        self.next_tick = 0;
        self.guard_at = world_ms;
        let damaged = report.damage.len();
        Ok(Started { created: report.created, cut_bytes: report.cut_bytes, damaged })
    }

    /// The process is gone; the disk is dealt with by whoever stops it.
    pub fn stop(&mut self) {
        self.core = None;
        self.reader = None;
        self.life += 1;
        self.commit_due = false;
        self.stopped_until = 0;
        self.slow_until = 0;
    }
}
