//! Power fails: a preloaded shim keeps what a node synced and forgets the rest.
//!
//! The same test runs against syncs that lie, and must then find something missing: else it could
//! not see a lost write at all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kills::quick_plan;
use super::nodes::Nodes;
use super::shim;
use super::storm::{Storm, Tally};

const HERE: u32 = 371_500;

/// A node whose data folder lies on a medium that forgets what was not synced.
pub struct Medium {
    shim: PathBuf,
    root: PathBuf,
    medium: PathBuf,
    control: PathBuf,
    _folder: tempfile::TempDir,
}

impl Medium {
    /// Compiles the shim; `None` where there is no C compiler and tests may be skipped.
    pub fn new(data: &Path) -> Option<Self> {
        let shim = shim::compile("drop_unsynced")?;
        let folder = tempfile::tempdir().unwrap();
        let medium = folder.path().join("medium");
        let control = folder.path().join("control");
        std::fs::create_dir(&control).unwrap();
        Some(Self { shim, root: data.to_owned(), medium, control, _folder: folder })
    }

    pub fn start(&self, nodes: &mut Nodes, code: u32) {
        let mut env = self.env().to_vec();
        env.push(("LD_PRELOAD", &self.shim));
        nodes.start_with(code, &env);
    }

    /// The library and what it wants to know, for whoever preloads it behind another.
    pub fn below(&self) -> (&Path, [(&'static str, &Path); 3]) {
        (&self.shim, self.env())
    }

    fn env(&self) -> [(&'static str, &Path); 3] {
        [("SHIM_ROOT", &self.root), ("SHIM_MEDIUM", &self.medium), ("SHIM_CONTROL", &self.control)]
    }

    /// From now on syncs report success and do nothing.
    pub fn lie(&self) {
        std::fs::write(self.control.join("lie"), b"").unwrap();
    }

    /// From now on syncs of the journal's segments fail, or work again.
    pub fn fail_syncs(&self, fail: bool) {
        let flag = self.control.join("eio");
        if fail { std::fs::write(flag, b"").unwrap() } else { std::fs::remove_file(flag).unwrap() }
    }

    /// The process is dead and the power was off: what was not synced is gone.
    pub fn lose_power(&self) {
        std::fs::remove_dir_all(&self.root).unwrap();
        copy(&self.medium.join("tree"), &self.root);
        std::fs::remove_dir_all(&self.medium).unwrap();
    }
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Storms that end with the power; `None` when it had to be skipped.
async fn power_losses(rounds: usize, lie: bool) -> Option<Tally> {
    let mut nodes = Nodes::lay_out(&quick_plan());
    let data = nodes.fleet.folder(HERE).join("data");
    let medium = Medium::new(&data)?;
    medium.start(&mut nodes, HERE);
    let mut storm = Storm::new(&nodes, HERE);
    storm.ready(&nodes).await;
    if lie {
        medium.lie();
    }
    let mut all = Tally::default();
    for round in 0..rounds {
        let moment = (20 + round * 13 % 29, Duration::from_micros((round as u64 * 1_777) % 9_000));
        let tally = storm.round(&mut nodes, moment, !lie, |nodes| {
            medium.lose_power();
            medium.start(nodes, HERE);
        });
        all.add(tally.await);
    }
    println!("syncs {}: {all:?}", if lie { "lie" } else { "work" });
    nodes.kill(HERE);
    if !lie {
        storm.check_commands(&data);
    }
    Some(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_loss_takes_nothing_that_was_acknowledged() {
    let Some(all) = power_losses(6, false).await else { return };
    assert_eq!(all.missing, 0, "{all:?}");
    assert!(all.acknowledged >= 6 * 20 && all.absent > 0, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_test_sees_what_lying_syncs_lose() {
    let Some(all) = power_losses(1, true).await else { return };
    assert!(all.acknowledged >= 20 && all.missing > 0, "{all:?}");
}
