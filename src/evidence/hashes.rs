//! Both digests of a file, over the bytes as they come.

use aws_lc_rs::digest::{Context, SHA256};
use sm3::{Digest, Sm3};

use crate::ids::Hash;

/// SHA-256 and SM3 (GB/T 32905) under way.
pub struct BothHashes {
    pub(super) sha256: Context,
    pub(super) sm3: Sm3,
}

impl Default for BothHashes {
    fn default() -> Self {
        Self::new()
    }
}

impl BothHashes {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { sha256: Context::new(&SHA256), sm3: Sm3::new() }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sm3.update(bytes);
    }

    /// Both digests of what came so far.
    #[must_use]
    pub fn finish(&self) -> (Hash, [u8; 32]) {
        (sha256_of(&self.sha256), self.sm3.clone().finalize().into())
    }
}

/// The SHA-256 of what came so far.
pub(super) fn sha256_of(context: &Context) -> Hash {
    let mut sha256 = [0; 32];
    for (to, from) in sha256.iter_mut().zip(context.clone().finish().as_ref()) {
        *to = *from;
    }
    Hash::new(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::hex;

    #[test]
    fn digests_are_those_of_the_standards() {
        let mut hashes = BothHashes::new();
        hashes.update(b"a");
        hashes.update(b"bc");
        let (sha256, sm3_of_abc) = hashes.finish();
        // FIPS 180-4 and GB/T 32905-2016, appendix A.1.
        assert_eq!(
            hex(sha256.as_bytes()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex(&sm3_of_abc),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }
}
