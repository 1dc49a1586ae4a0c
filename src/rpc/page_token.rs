//! Page tokens: a place in a list, sealed so that only the same caller with the same filter can
//! go on from it.
//!
//! A token is `<start>-<number>-...-<tag>`: the start of this process that gave it, the numbers it
//! carries, and a tag over these, the caller and the filter. The key outlives a restart, so that a
//! token from before one is known as expired and not taken for a forgery.

use crate::ids::{Tag, hex};
use crate::limits::PAGE_SIZE_MAX;
use crate::node::writer::NodeHandle;
use crate::wire::status::Refused;

/// A tag over fields that nobody else can make.
type Tagging = Box<dyn Fn(&[&[u8]]) -> Tag + Send + Sync>;

/// Seals page tokens: bound to caller and filter.
pub struct Seal {
    tag: Tagging,
    /// Names this start of the process.
    start: String,
    caller: Vec<u8>,
    filter: Vec<u8>,
}

impl Seal {
    /// The seal of a caller and a filter.
    #[must_use]
    pub fn new(node: &NodeHandle, caller: &str, filter: Vec<u8>) -> Self {
        let reader = node.reader().clone();
        Self::by(Box::new(move |fields| reader.seal(fields)), node.page_key(), caller, filter)
    }

    /// The seal of whoever makes these tags; `page_key` is another one after every start.
    #[must_use]
    pub fn by(tag: Tagging, page_key: [u8; 32], caller: &str, filter: Vec<u8>) -> Self {
        let start = tag(&[b"page start", &page_key]);
        let start = hex(start.as_bytes().get(..4).unwrap_or_default());
        Self { tag, start, caller: caller.as_bytes().to_vec(), filter }
    }

    /// The token that carries these numbers.
    #[must_use]
    pub fn close(&self, numbers: &[u64]) -> String {
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        self.sealed(&format!("{}-{}", self.start, numbers.join("-")))
    }

    fn sealed(&self, text: &str) -> String {
        let caller = self.caller.as_slice();
        #[cfg(feature = "planted-bugs")]
        let caller = if crate::planted::is_on("page-token-for-anybody") { &[] } else { caller };
        let fields = [b"page".as_slice(), caller, &self.filter, text.as_bytes()];
        format!("{text}-{}", (self.tag)(&fields))
    }

    /// The `N` numbers of a token; `None` for an empty one.
    ///
    /// # Errors
    /// `PAGE_TOKEN` when it is not of this caller and filter, `TOKEN_EXPIRED` when it is from
    /// before the node's restart.
    pub fn open<const N: usize>(&self, token: &str) -> Result<Option<[u64; N]>, Refused> {
        if token.is_empty() {
            return Ok(None);
        }
        let bad = || Refused::new("PAGE_TOKEN").at("page_token");
        let (text, _) = token.rsplit_once('-').ok_or_else(bad)?;
        if self.sealed(text) != token {
            return Err(bad());
        }
        let (start, numbers) = text.split_once('-').ok_or_else(bad)?;
        if start != self.start {
            return Err(Refused::new("TOKEN_EXPIRED"));
        }
        let numbers: Result<Vec<u64>, _> = numbers.split('-').map(str::parse).collect();
        let numbers = numbers.ok().and_then(|numbers| <[u64; N]>::try_from(numbers).ok());
        numbers.map(Some).ok_or_else(bad)
    }
}

/// Reads a page size: `standard` for 0, more than the largest is clamped.
///
/// # Errors
/// `PAGE_SIZE` for a negative one.
pub fn size(asked: i32, standard: usize) -> Result<usize, Refused> {
    let bad = |_| Refused::new("PAGE_SIZE").at("page_size").with("limit", PAGE_SIZE_MAX);
    match usize::try_from(asked).map_err(bad)? {
        0 => Ok(standard),
        size => Ok(size.min(PAGE_SIZE_MAX as usize)),
    }
}
