//! New logs of a node: two fresh keys and the manifest that names them.
//!
//! The keys stay on the node; the city key signs the manifest, here or on another machine.

use std::path::Path;

use super::keys::{self, KeyFileError};
use crate::ids::{AgreementId, CityCode, Hash, NodeId};
use crate::log::Head;
use crate::log::manifest::{HashAlgorithm, Manifest, ManifestError, SignatureAlgorithm};

/// Why a log could not be begun; key files already made stay and do no harm.
#[derive(Debug, thiserror::Error)]
pub enum NewLogError {
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The values cannot stand together.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Of which city, in which agreement, after which log.
#[derive(Clone, Copy, Debug)]
pub struct NewLog {
    /// The agreement.
    pub agreement: AgreementId,
    /// Hash of its charter in force.
    pub charter: Hash,
    /// The city that will write.
    pub city: CityCode,
    /// The node that will write.
    pub node: NodeId,
    /// From 1; one more than the log it replaces.
    pub epoch: u64,
    /// Where the log it replaces ended; none for the first epoch.
    pub prologue: Option<Head>,
}

impl NewLog {
    /// Makes the log's two keys in `keys_dir` and its manifest, which still needs the city's
    /// signature.
    ///
    /// # Errors
    /// [`NewLogError`]; also when keys of this agreement and epoch are there already.
    pub fn request(&self, keys_dir: &Path) -> Result<Manifest, NewLogError> {
        let name = |what: &str| {
            keys_dir.join(format!("{}-epoch{}-{what}.pem", self.agreement, self.epoch))
        };
        let log_key = keys::generate(&name("log"))?.verifying_key();
        let cosign_key = keys::generate(&name("cosign"))?.verifying_key();
        let manifest = Manifest {
            agreement: self.agreement,
            city: self.city,
            node: self.node,
            epoch: self.epoch,
            charter: self.charter,
            log_key,
            cosign_key,
            signature: SignatureAlgorithm::Ed25519,
            hash: HashAlgorithm::Sha256,
            prologue: self.prologue,
        };
        manifest.check()?;
        Ok(manifest)
    }
}
