//! The store of evidence files, as it is configured, and the task that keeps it.
//!
//! What is wrong with a store on another machine is found out while the node runs: everything else
//! goes on, and `doctor` says it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::super::failure::Failure;
use super::local;
use crate::audit::Audit;
use crate::config::Config;
use crate::config::evidence::{EvidencePlace, S3Place};
use crate::evidence::{Elsewhere, EvidenceLimits, EvidenceStore};
use crate::limits::EVIDENCE_DOWNLOADS_MAX;
use crate::node::dial::Dialer;
use crate::node::evidence::keep_collecting;
use crate::node::evidence_scrub::EvidenceScrub;
use crate::node::writer::NodeHandle;
use crate::rpc::evidence_files::EvidenceFileApi;

/// Opens it and begins to keep it.
pub(super) fn store(
    config: &Config,
    node: &NodeHandle,
    stop: &CancellationToken,
) -> Result<EvidenceStore, Failure> {
    let limits = EvidenceLimits {
        file_bytes_max: config.limits.evidence_file_bytes_max,
        folder_bytes_max: config.limits.evidence_folder_bytes_max,
        pending_bytes_max: config.limits.evidence_pending_bytes_max,
        // A file must not take the room that the next case needs.
        disk_low_bytes: config.limits.disk_low_bytes.saturating_mul(2),
    };
    let folder = config.data_dir.join("evidence");
    let store = open(&folder, limits, &config.evidence);
    let store =
        store.map_err(|e| local("证据目录无法使用", "the evidence folder cannot be used", e))?;
    keep_collecting(store.clone(), node, stop.clone());
    Ok(store)
}

/// What serves them on the api port, and brings them here.
pub(super) fn files(
    (node, audit): (&NodeHandle, &Audit),
    store: EvidenceStore,
    dialer: Dialer,
) -> EvidenceFileApi {
    let reading = Arc::new(Semaphore::new(EVIDENCE_DOWNLOADS_MAX));
    EvidenceFileApi { node: node.clone(), audit: audit.clone(), store, dialer, reading }
}

/// Begins to read them again, for as long as the node runs.
pub(super) fn check(config: &Config, files: &EvidenceFileApi, stop: &CancellationToken) {
    let (store, node) = (files.store.clone(), files.node.clone());
    let files = files.clone();
    let scrub = EvidenceScrub {
        store,
        node,
        file: config.data_dir.join("evidence-check.json"),
        period: Duration::from_secs(config.limits.evidence_scrub_s),
        bring: Arc::new(move |city, case, sha256| {
            let files = files.clone();
            Box::pin(async move { files.bring_back(city, case, sha256).await })
        }),
    };
    scrub.start(stop.clone());
}

fn open(
    folder: &Path,
    limits: EvidenceLimits,
    place: &EvidencePlace,
) -> std::io::Result<EvidenceStore> {
    match place {
        EvidencePlace::Folder => EvidenceStore::open(folder, limits),
        EvidencePlace::S3(place) => {
            let name = match place.prefix.as_str() {
                "" => format!("{}/{}", place.endpoint, place.bucket),
                prefix => format!("{}/{}/{prefix}", place.endpoint, place.bucket),
            };
            let elsewhere = Elsewhere { name, store: reach(place) };
            EvidenceStore::open_elsewhere(folder, limits, elsewhere)
        }
    }
}

#[cfg(not(feature = "s3"))]
fn reach(_: &S3Place) -> Result<Arc<dyn object_store::ObjectStore>, String> {
    // The configuration is refused before it comes to this.
    Err("this program was built without the s3 store".to_owned())
}

#[cfg(feature = "s3")]
fn reach(place: &S3Place) -> Result<Arc<dyn object_store::ObjectStore>, String> {
    use crate::evidence::s3::S3;
    use crate::trust::{tls, web};

    let tls = match place.is_https() {
        true => {
            let cas = web::cas(place.ca.as_deref(), "evidence.ca")?;
            Some(tls::client_of_the_web(cas).map_err(|e| format!("no TLS: {e}"))?)
        }
        false => None,
    };
    let store = S3 {
        endpoint: place.endpoint.clone(),
        bucket: place.bucket.clone(),
        prefix: place.prefix.clone(),
        region: place.region.clone(),
        virtual_hosted: place.virtual_hosted,
        key: key(place)?,
        tls: tls.map(Arc::new),
    };
    store.open()
}

/// Name and secret of the key: of the file, or of the environment. What cannot be read is never
/// repeated.
#[cfg(feature = "s3")]
fn key(place: &S3Place) -> Result<crate::evidence::s3::S3Key, String> {
    use crate::evidence::s3::S3Key;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        id: String,
        secret: String,
    }

    let Some(path) = &place.key_file else {
        let said = |name: &str| {
            let set = std::env::var(name).ok().filter(|value| !value.is_empty());
            set.ok_or_else(|| format!("no key: name a file with evidence.key_file, or set {name}"))
        };
        let id = said("LIANDONG_S3_KEY_ID")?;
        return Ok(S3Key { id, secret: said("LIANDONG_S3_KEY_SECRET")? });
    };
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let written: Result<Written, _> = toml::from_str(&text);
    let Written { id, secret } = written
        .map_err(|_| format!("{}: write id = \"..\" and secret = \"..\"", path.display()))?;
    Ok(S3Key { id, secret })
}
