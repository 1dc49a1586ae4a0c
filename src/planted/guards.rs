//! Guards of `docs/faults.md` that can be switched off by name, to prove that a row's test fails
//! without them (`.ci/steps/without-guards.sh`). The names of
//! [`super::NAMES`] can be switched on so too.

use std::sync::OnceLock;

/// Set to a name for a whole run of the tests; read once, also by the nodes that a test starts.
const VARIABLE: &str = "LIANDONG_GUARD_OFF";

/// Whether this guard is off in this process.
#[must_use]
pub fn is_off(name: &str) -> bool {
    static OFF: OnceLock<Option<String>> = OnceLock::new();
    OFF.get_or_init(|| std::env::var(VARIABLE).ok()).as_deref() == Some(name)
}
