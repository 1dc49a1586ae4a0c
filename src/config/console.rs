//! `[console]`: what a city sets for the pages of its own people.
//!
//! In scope: what may be written there. Out of scope: the pages ([`crate::console`]).

use super::{ConfigError, Reason, Resolver};
use crate::lang::Lang;
use crate::limits;

/// Settings of the console.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// 审图号: the number under which the map drawn from `boundaries_file` was approved; empty while
    /// it was not.
    pub map_approval: String,
}

impl Console {
    pub(super) fn check(self, at: &Resolver<'_>) -> Result<Self, ConfigError> {
        let text = &self.map_approval;
        let long = text.len() > limits::MAP_APPROVAL_BYTES_MAX;
        if long || text.chars().any(char::is_control) {
            return Err(at.bad("console.map_approval", Reason::MapApproval));
        }
        Ok(self)
    }
}

/// What is wrong with a map approval number, and what to do.
pub(super) fn no_approval(lang: Lang) -> (String, String) {
    let (what, advice) = lang.pick(
        ("不像审图号", "照批准文件填写，如 GS鲁(2026)0001号，至多 96 字节，不换行"),
        ("is no map approval number", "write it as it was given, on one line of up to 96 bytes"),
    );
    (what.to_owned(), advice.to_owned())
}
