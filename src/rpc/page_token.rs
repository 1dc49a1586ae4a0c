//! Page tokens: a place in a list, sealed so that only the same caller with the same filter can
//! go on from it.

use crate::node::writer::NodeHandle;
use crate::trust::keys::HmacKey;
use crate::wire::status::Refused;

/// Seals page tokens: bound to caller and filter.
pub struct Seal {
    key: HmacKey,
    caller: Vec<u8>,
    filter: Vec<u8>,
}

impl Seal {
    /// The seal of a caller and a filter.
    #[must_use]
    pub fn new(node: &NodeHandle, caller: &str, filter: Vec<u8>) -> Self {
        let key = HmacKey::new(node.page_key());
        Self { key, caller: caller.as_bytes().to_vec(), filter }
    }

    /// The token of a place.
    #[must_use]
    pub fn close(&self, place: u64) -> String {
        let tag = self.key.tag(&[&self.caller, &self.filter, &place.to_be_bytes()]);
        format!("{place}.{tag}")
    }

    /// The place of a token; `None` for an empty one.
    ///
    /// # Errors
    /// `PAGE_TOKEN` when it is not of this caller and filter.
    pub fn open(&self, token: &str) -> Result<Option<u64>, Refused> {
        if token.is_empty() {
            return Ok(None);
        }
        let bad = || Refused::new("PAGE_TOKEN").at("page_token");
        let (place, _) = token.split_once('.').ok_or_else(bad)?;
        let place: u64 = place.parse().map_err(|_| bad())?;
        if self.close(place) == token { Ok(Some(place)) } else { Err(bad()) }
    }
}
