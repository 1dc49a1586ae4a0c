//! That something was just recorded, told on the page that follows.
//!
//! The page is asked for with a mark that this process made for it a moment ago. A link cannot make
//! one up, and one that is passed on says nothing after two minutes, or on another page.
//!
//! In scope: marks. Out of scope: what was recorded, which the page shows itself.
//!
//! Invariants:
//! 1. A page says that something was recorded on it only with a mark of its own.
//!    (`a_mark_is_of_one_page_and_fades`)

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::CONSOLE_MARKS_MAX;

/// How long a page goes on saying it: it is renewed whenever something changes.
const LASTS: Duration = Duration::from_secs(120);

/// The marks of a process.
#[derive(Clone, Default)]
pub struct Marks(Arc<Mutex<VecDeque<Mark>>>);

struct Mark {
    text: String,
    page: String,
    made: Instant,
}

impl Marks {
    /// The address of a page with a new mark for it.
    #[must_use]
    pub fn with_mark(&self, page: &str) -> String {
        // 122 random bits of the operating system.
        let text = uuid::Uuid::new_v4().simple().to_string();
        let more = if page.contains('?') { '&' } else { '?' };
        let address = format!("{page}{more}done={text}");
        let page = page.split('?').next().unwrap_or_default();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CONSOLE_MARKS_MAX {
            all.pop_front();
        }
        all.push_back(Mark { text, page: page.to_owned(), made: Instant::now() });
        address
    }

    /// Whether a page was asked for with a mark of its own that has not faded.
    #[must_use]
    pub fn is_fresh(&self, page: &str, text: &str) -> bool {
        self.is_fresh_at(page, text, Instant::now())
    }

    fn is_fresh_at(&self, page: &str, text: &str, now: Instant) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| now.saturating_duration_since(one.made) < LASTS);
        all.iter().any(|one| one.text == text && one.page == page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_page_and_fades() {
        let marks = Marks::default();
        let address = marks.with_mark("/case/a/b");
        let (page, text) = address.split_once("?done=").unwrap();
        assert!(marks.is_fresh(page, text) && marks.is_fresh(page, text), "a page is renewed");
        let of_part = marks.with_mark("/case/a/b?from=3");
        let (page, of_part) = of_part.split_once("?from=3&done=").unwrap();
        assert!(marks.is_fresh(page, of_part), "on whatever part of a page");
        for (page, text) in [("/case/a/c", text), (page, "1"), (page, "")] {
            assert!(!marks.is_fresh(page, text), "{page} {text}");
        }
        assert!(!marks.is_fresh_at(page, text, Instant::now() + LASTS));
        assert!(!marks.is_fresh(page, text), "faded for good");
        for _ in 0..2 * CONSOLE_MARKS_MAX {
            let _ = marks.with_mark("/");
        }
        assert_eq!(marks.0.lock().unwrap().len(), CONSOLE_MARKS_MAX);
    }
}
