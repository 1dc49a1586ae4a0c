//! What people see while the demo runs: a bar, and lines with the time since the start.
//!
//! In scope: standard error. Out of scope: results ([`super::report`]).

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::lang::Lang;

/// Shows how far the demo is.
pub struct Show {
    begun: Instant,
    bar: ProgressBar,
    lang: Lang,
}

impl Show {
    /// Begins now.
    #[must_use]
    pub fn begin(lang: Lang) -> Self {
        Self { begun: Instant::now(), bar: ProgressBar::hidden(), lang }
    }

    /// What it speaks.
    #[must_use]
    pub const fn lang(&self) -> Lang {
        self.lang
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Says a line, in the reader's language.
    pub fn say(&self, zh: &str, en: &str) {
        let elapsed = self.elapsed().as_secs_f64();
        let text = self.lang.pick(zh, en);
        self.bar.suspend(|| eprintln!("[{elapsed:6.2} s] {text}"));
    }

    /// Begins a stretch of `total` writes. Where nobody looks (no terminal) no bar is drawn.
    pub fn begin_bar(&mut self, total: usize) {
        let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX));
        let template = self.lang.pick(
            "{elapsed_precise} {bar:40} {pos}/{len} 步 {msg}",
            "{elapsed_precise} {bar:40} {pos}/{len} steps {msg}",
        );
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        self.bar = bar;
    }

    /// The bar, for whoever moves it on.
    #[must_use]
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Ends the bar.
    pub fn end_bar(&self) {
        self.bar.finish_and_clear();
    }
}
