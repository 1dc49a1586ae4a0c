//! Libraries that are preloaded into a node, compiled by the test with the system's C compiler.
//!
//! [`Faults`] ends a process at a chosen call, makes calls fail or hang, fills the disk and moves
//! the clock; what it does is set while the node runs. The medium that forgets is in
//! [`super::power`].

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::nodes::Nodes;

/// Compiles `tests/shim/NAME.c`, once in a run of the tests; `None` where there is no C compiler
/// and tests may be skipped.
pub fn compile(name: &'static str) -> Option<PathBuf> {
    static MEDIUM: OnceLock<Option<PathBuf>> = OnceLock::new();
    static FAULTS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let slot = if name == "faults" { &FAULTS } else { &MEDIUM };
    slot.get_or_init(|| compile_now(name)).clone()
}

fn compile_now(name: &str) -> Option<PathBuf> {
    // One of each process: two runs of the tests must not write over each other's.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let shim = folder.join(format!("{name}-{}.so", std::process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/shim/{name}.c"));
    let compiled = ["cc", "gcc", "clang"].iter().find_map(|compiler| {
        let mut command = Command::new(compiler);
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(&source).arg("-ldl");
        command.status().ok()
    });
    let Some(status) = compiled else {
        let no_skip = std::env::var_os("LIANDONG_NO_SKIP").is_some_and(|v| v == "1");
        assert!(!no_skip, "no C compiler, and LIANDONG_NO_SKIP=1 forbids to skip this test");
        eprintln!("skipped: no C compiler");
        return None;
    };
    assert!(status.success(), "{name}.c does not compile");
    Some(shim)
}

/// Files of these kinds can be chosen.
pub const SEGMENTS: u64 = 1;
pub const VIEWS: u64 = 2;
pub const ALL: u64 = 31;

/// Words of the shim's state, in the order of `struct state` in `faults.c`.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    Calls = 0,
    DieAt = 1,
    Torn = 2,
    Counted = 3,
    ClockMs = 4,
    FreeTold = 5,
    WriteErrno = 6,
    SyncErrno = 7,
    Failing = 8,
    DiedKind = 9,
    DiedClass = 10,
    Failed = 11,
    ReserveErrno = 12,
    Hanging = 13,
}

const WORDS: u64 = 14;

/// Faults for the node of one city.
pub struct Faults {
    shim: PathBuf,
    state: PathBuf,
    words: File,
    folders: PathBuf,
}

impl Faults {
    /// For the node that lies in `city`: its data, its guard and its keys. Nothing fails yet.
    pub fn new(city: &Path) -> Option<Self> {
        let shim = compile("faults")?;
        let state = city.join("faults.state");
        let words =
            File::options().read(true).write(true).create(true).truncate(false).open(&state);
        let words = words.unwrap();
        words.set_len(WORDS * 8).unwrap();
        let folders = ["data", "guard", "keys"].map(|f| city.join(f).display().to_string());
        let faults = Self { shim, state, words, folders: folders.join(":").into() };
        faults.set(Word::Counted, ALL);
        faults.set(Word::Failing, ALL);
        Some(faults)
    }

    pub fn set(&self, word: Word, value: u64) {
        self.words.write_all_at(&value.to_le_bytes(), word as u64 * 8).unwrap();
    }

    pub fn get(&self, word: Word) -> u64 {
        let mut bytes = [0; 8];
        self.words.read_exact_at(&mut bytes, word as u64 * 8).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// The wall clock of the node is this far ahead.
    pub fn set_clock(&self, ahead_ms: i64) {
        self.set(Word::ClockMs, ahead_ms.cast_unsigned());
    }

    /// Which call was the last.
    pub fn died_at(&self) -> String {
        let kind = self.get(Word::DiedKind).to_le_bytes();
        let kind = String::from_utf8_lossy(&kind).trim_end_matches('\0').to_owned();
        let class = match self.get(Word::DiedClass) {
            SEGMENTS => "journal",
            VIEWS => "views",
            4 => "guard",
            8 => "audit",
            _ => "other",
        };
        format!("{kind} {class}")
    }

    pub fn start(&self, nodes: &mut Nodes, code: u32) {
        self.start_over(nodes, code, None);
    }

    /// Starts the node; `below` is preloaded behind this shim, with its own environment.
    pub fn start_over(
        &self,
        nodes: &mut Nodes,
        code: u32,
        below: Option<(&Path, &[(&str, &Path)])>,
    ) {
        let preload = match below {
            Some((shim, _)) => format!("{}:{}", self.shim.display(), shim.display()).into(),
            None => self.shim.clone(),
        };
        let mut env: Vec<(&str, &Path)> = vec![
            ("LD_PRELOAD", &preload),
            ("SHIM_FOLDERS", &self.folders),
            ("SHIM_STATE", &self.state),
        ];
        env.extend(below.iter().flat_map(|(_, env)| env.iter().copied()));
        nodes.start_with(code, &env);
    }
}
