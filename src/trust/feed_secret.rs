//! The secret part of the calendar feed's address.
//!
//! Whoever has the address may read the feed: office calendars can keep an address and nothing
//! else. So it is a secret of 160 random bits. A command makes it and shows it once; the file holds
//! only its SHA-256, so that neither the file nor a backup of it opens the feed. A node makes none
//! by itself: it could tell nobody but its log, and there no secret belongs. The file is read again
//! at every request, so that the old address is dead at the moment a new one is made.
//!
//! In scope: making, keeping, comparing. Out of scope: who asks ([`crate::rpc::calendar_feed`]).
//!
//! Invariants:
//! 1. The file does not open the feed, and an address that was replaced does not either.
//!    (`the_file_holds_no_address_and_a_new_one_ends_the_old`)

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use super::keys::{KeyFileError, io_error, random32, read_secret, write_secret};
use crate::ids::{hex, unhex};
use crate::log::merkle::digest;

/// The file, in the folder of keys.
pub const FEED_SECRET_FILE: &str = "calendar-feed.sha256";
/// Random bytes of an address.
const TOKEN_BYTES: usize = 20;

/// SHA-256 of the secret part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FeedSecret([u8; 32]);

impl fmt::Debug for FeedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FeedSecret(..)")
    }
}

impl FeedSecret {
    /// Makes a new one and returns it, for the only time; with `replace` in the place of the old.
    ///
    /// # Errors
    /// [`KeyFileError`], also when there is one and it is not to be replaced.
    pub fn make(path: &Path, replace: bool) -> Result<String, KeyFileError> {
        let no_randomness = || io_error(path)(std::io::Error::other("no randomness"));
        let random = random32().ok_or_else(no_randomness)?;
        let token = hex(random.get(..TOKEN_BYTES).ok_or_else(no_randomness)?);
        let text = format!("{}\n", hex(&of(&token)));
        if !replace {
            return write_secret(path, text.as_bytes()).map(|()| token);
        }
        // The old one counts until the new one is whole.
        let draft = path.with_extension("new");
        match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(io_error(&draft)(error));
            }
            Ok(()) | Err(_) => {}
        }
        write_secret(&draft, text.as_bytes())?;
        std::fs::rename(&draft, path).map_err(io_error(path))?;
        Ok(token)
    }

    /// Reads what a request is compared with.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let text = read_secret(path)?;
        let bytes = unhex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| KeyFileError::Form { path: path.to_owned() })
    }

    /// Whether this is the secret part. How long it takes says nothing of how near it was.
    #[must_use]
    pub fn is(&self, token: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&of(token), &self.0).is_ok()
    }

    /// A key that is as long-lived as the address.
    #[must_use]
    pub const fn key(&self) -> &[u8; 32] {
        &self.0
    }
}

fn of(token: &str) -> [u8; 32] {
    *digest(token.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_holds_no_address_and_a_new_one_ends_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FEED_SECRET_FILE);
        assert!(FeedSecret::read(&path).is_err());
        let first = FeedSecret::make(&path, false).unwrap();
        assert!(first.len() == 40 && first.bytes().all(|b| b.is_ascii_hexdigit()), "{first}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let kept = FeedSecret::read(&path).unwrap();
        assert!(kept.is(&first) && !format!("{kept:?}").contains(&first));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&first) && !kept.is(text.trim()) && !kept.is(""));
        assert!(!kept.is(&first[1..]) && !kept.is(&first.to_ascii_uppercase().replace('0', "1")));

        // A refusal changes nothing.
        assert!(FeedSecret::make(&path, false).is_err());
        assert!(FeedSecret::read(&path).unwrap().is(&first));
        let second = FeedSecret::make(&path, true).unwrap();
        let now = FeedSecret::read(&path).unwrap();
        assert!(now.is(&second) && !now.is(&first) && now.key() != kept.key());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(FeedSecret::read(&path), Err(KeyFileError::Open { .. })));
    }
}
