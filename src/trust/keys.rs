//! Secret keys: Ed25519 keys in PKCS#8 PEM files, and the node's HMAC key.
//!
//! In scope: making, loading and tagging. Out of scope: what is signed ([`crate::log`]).

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ids::Tag;
use crate::log::keys::{KeyError, SigningKey};

/// PKCS#8 version 1 wrapping of an Ed25519 seed (RFC 8410 section 7): what comes before the seed.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What the two lines around the key name.
const PEM_LABEL: &str = "PRIVATE KEY";

/// Why a key file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read it: `chmod 600` it.
    #[error("{path} can be read by others than its owner; run chmod 600 on it")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It holds no Ed25519 key in PKCS#8 PEM, or not 32 bytes in hexadecimal.
    #[error("{path} holds no key of the expected form")]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// The provider refused the key.
    #[error("{path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyError,
    },
}

pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> KeyFileError + '_ {
    |source| KeyFileError::Io { path: path.to_owned(), source }
}

/// 32 fresh random bytes; `None` when the operating system gives none.
#[must_use]
pub fn random32() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).ok().map(|()| bytes)
}

/// Writes a new secret file that only its owner can read; it must not exist. A crash leaves it
/// whole or not there at all: half a key would keep a node from ever starting.
///
/// # Errors
/// [`KeyFileError::Io`].
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let write = || {
        // Left behind by a crash.
        let _ = std::fs::remove_file(&new);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Unlike a rename, a link never takes the place of another file.
        std::fs::hard_link(&new, path)?;
        std::fs::remove_file(&new)?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(io_error(path))
}

pub(super) fn read_secret(path: &Path) -> Result<String, KeyFileError> {
    let meta = std::fs::metadata(path).map_err(io_error(path))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(io_error(path))
}

/// Makes a signing key and writes it as PKCS#8 PEM.
///
/// # Errors
/// [`KeyFileError`].
pub fn generate(path: &Path) -> Result<SigningKey, KeyFileError> {
    let no_randomness = || io_error(path)(io::Error::other("no randomness"));
    let seed = random32().ok_or_else(no_randomness)?;
    let mut der = PKCS8_PREFIX.to_vec();
    der.extend_from_slice(&seed);
    let body = STANDARD.encode(der);
    let pem = format!("-----BEGIN {PEM_LABEL}-----\n{body}\n-----END {PEM_LABEL}-----\n");
    write_secret(path, pem.as_bytes())?;
    from_seed(path, &seed)
}

/// Loads a signing key from PKCS#8 PEM.
///
/// # Errors
/// [`KeyFileError`].
pub fn load(path: &Path) -> Result<SigningKey, KeyFileError> {
    let text = read_secret(path)?;
    let seed = || {
        let body = text.trim().strip_prefix("-----BEGIN ")?.strip_prefix(PEM_LABEL)?;
        let body = body.strip_prefix("-----")?.strip_suffix("-----")?;
        let body = body.strip_suffix(PEM_LABEL)?.strip_suffix("-----END ")?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        <[u8; 32]>::try_from(der.strip_prefix(&PKCS8_PREFIX)?.get(..32)?).ok()
    };
    let seed = seed().ok_or_else(|| KeyFileError::Form { path: path.to_owned() })?;
    from_seed(path, &seed)
}

fn from_seed(path: &Path, seed: &[u8; 32]) -> Result<SigningKey, KeyFileError> {
    SigningKey::from_seed(seed)
        .map_err(|source| KeyFileError::Key { path: path.to_owned(), source })
}

/// The node's key for tags: requests, actors, numbers. Backed up with the log key; it goes with
/// the city to the next epoch.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}

impl HmacKey {
    /// From 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// The first 16 bytes of HMAC-SHA-256 over the fields, each preceded by its length as 8 bytes
    /// big-endian, so that no two lists of fields run together.
    #[must_use]
    pub fn tag(&self, fields: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for field in fields {
            context.update(&(field.len() as u64).to_be_bytes());
            context.update(field);
        }
        let mut tag = [0; 16];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        Tag::new(tag)
    }

    /// Loads the key, made if the file is missing.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn load_or_generate(path: &Path) -> Result<Self, KeyFileError> {
        if !path.exists() {
            let no_randomness = || io_error(path)(io::Error::other("no randomness"));
            let bytes = random32().ok_or_else(no_randomness)?;
            write_secret(path, format!("{}\n", crate::ids::hex(&bytes)).as_bytes())?;
        }
        let text = read_secret(path)?;
        let bytes = crate::ids::unhex(text.trim()).and_then(|b| <[u8; 32]>::try_from(b).ok());
        bytes.map(Self::new).ok_or_else(|| KeyFileError::Form { path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_and_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.pem");
        let key = generate(&path).unwrap();
        assert_eq!(load(&path).unwrap().verifying_key(), key.verifying_key());
        assert!(matches!(generate(&path), Err(KeyFileError::Io { .. })), "never overwritten");
        assert_eq!(load(&path).unwrap().verifying_key(), key.verifying_key());
        // A crash in the middle of the first attempt is no obstacle to the second.
        let other = folder.path().join("other.pem");
        std::fs::write(folder.path().join("other.pem.new"), "half").unwrap();
        generate(&other).unwrap();
        assert!(!folder.path().join("other.pem.new").exists());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load(&path), Err(KeyFileError::Open { .. })));
    }

    #[test]
    fn fields_do_not_run_together() {
        let key = HmacKey::new([1; 32]);
        assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
        assert_eq!(key.tag(&[b"ab", b"c"]), key.tag(&[b"ab", b"c"]));
    }
}
