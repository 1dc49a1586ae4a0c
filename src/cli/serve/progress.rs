//! How far a long replay is: a bar for people at a terminal. Log lines come from the core.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::lang::Lang;

/// A replay shorter than this needs no words.
const QUIET: Duration = Duration::from_secs(1);

/// Progress of a replay.
pub(crate) struct Progress {
    begun: Instant,
    bar: Option<ProgressBar>,
    lang: Lang,
}

impl Progress {
    /// Nothing done yet.
    pub(crate) fn new(lang: Lang) -> Self {
        Self { begun: Instant::now(), bar: None, lang }
    }

    /// `done` of `all` records are in the views.
    pub(crate) fn at(&mut self, done: u64, all: u64) {
        if !done.is_multiple_of(64) || self.begun.elapsed() < QUIET {
            return;
        }
        if std::io::stderr().is_terminal() {
            let lang = self.lang;
            let bar = self.bar.get_or_insert_with(|| bar(all, lang));
            bar.set_position(done);
        }
    }

    /// The replay is over.
    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(all: u64, lang: Lang) -> ProgressBar {
    let template = lang.pick(
        "由日志重建视图 {bar:30} {human_pos}/{human_len}，剩余 {eta}",
        "views from the journal {bar:30} {human_pos}/{human_len}, {eta} left",
    );
    let bar = ProgressBar::new(all);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
