//! CAs of addresses that are no member's: a robot that is nudged, a store of evidence files.
//!
//! In scope: which file they stand in. Out of scope: TLS with them ([`super::tls`]); members, whose
//! CAs come from their cards.

use std::io::Read;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::limits::HOOK_CA_BYTES_MAX;

/// Where systems keep the CAs they trust: Debian and Ubuntu, Red Hat and openEuler, SUSE, Alpine.
const SYSTEM_CAS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The CA certificates of a file, or of the system; `setting` names the file.
///
/// # Errors
/// When there are none, or they cannot be read; names the file, or the setting.
pub fn cas(file: Option<&Path>, setting: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let system = || SYSTEM_CAS.iter().map(Path::new).find(|path| path.exists());
    let none = || format!("this system has no list of CAs; name a file with {setting}");
    let path = file.or_else(system).ok_or_else(none)?;
    let bad = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let mut pem = Vec::new();
    let open = std::fs::File::open(path).map_err(|e| bad(&e))?;
    open.take(HOOK_CA_BYTES_MAX).read_to_end(&mut pem).map_err(|e| bad(&e))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).flatten().collect();
    if found.is_empty() { Err(bad(&"no CA certificates in it")) } else { Ok(found) }
}
