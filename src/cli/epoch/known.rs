//! What a node knows of an agreement: asked of the running node, else read from its journal, and
//! in both cases from the notes that still wait in its inbox.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use bytes::Bytes;

use crate::cli::connect::Client;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::profile::{Profile, ProfileArgs};
use crate::config::Config;
use crate::ids::{AgreementId, Hash, LogId};
use crate::journal::{Journal, JournalOptions, RealDisk, RecordKind};
use crate::lang::Lang;
use crate::log::Head;
use crate::log::manifest::{Manifest, SignedManifest};
use crate::log::merkle::{Frontier, leaf_hash};
use crate::store::SledStore;
use crate::trust::charter::SignedCharter;
use crate::wire;
use crate::wire::pb::v1 as pb;

/// A log of the own city.
#[derive(Clone, Debug)]
pub struct OwnLog {
    /// What it is.
    pub manifest: Manifest,
    /// How far it is stored here.
    pub head: Head,
    /// The largest size anybody has shown, `head.size` when nobody has shown more.
    pub announced: u64,
    /// Its manifest still waits in the inbox.
    pub in_inbox: bool,
}

/// What is known of the agreements of a node.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Complete and incomplete charters.
    pub charters: Vec<SignedCharter>,
    /// Logs of the own city in all agreements.
    pub logs: Vec<OwnLog>,
    /// The node runs.
    pub running: bool,
}

/// The lock of a node's data: `None` when a running node holds it.
///
/// # Errors
/// [`Failure`] when the data folder cannot be used.
pub fn lock(config: &Config, lang: Lang) -> Result<Option<File>, Failure> {
    SledStore::try_lock(&config.data_dir.join("views")).map_err(|error| {
        Failure::local(lang.pick(
            format!("{}：数据目录无法使用（{error}）", config.data_dir.display()),
            format!("{}: the data folder cannot be used ({error})", config.data_dir.display()),
        ))
    })
}

impl Known {
    /// Asks the node if it runs, else reads its journal; the inbox in both cases.
    ///
    /// # Errors
    /// [`Failure`] when neither works.
    pub async fn of_node(
        config: &Config,
        profile: &ProfileArgs,
        lang: Lang,
    ) -> Result<Self, Failure> {
        let mut known = match lock(config, lang)? {
            Some(_held) => Self::from_journal(config, lang)?,
            None => Self::from_api(config, profile, lang).await?,
        };
        known.read_inbox(config);
        Ok(known)
    }

    /// The charter of an agreement named by id, resource name or short name.
    #[must_use]
    pub fn charter(&self, wanted: &str) -> Option<&SignedCharter> {
        self.charters.iter().find(|c| is_named(c, wanted))
    }

    /// The newest log of the own city in an agreement.
    #[must_use]
    pub fn newest(&self, agreement: AgreementId) -> Option<&OwnLog> {
        let of = self.logs.iter().filter(|l| l.manifest.agreement == agreement);
        of.max_by_key(|l| (l.manifest.epoch, !l.in_inbox))
    }

    fn from_journal(config: &Config, lang: Lang) -> Result<Self, Failure> {
        let folder = config.data_dir.join("journal");
        if !folder.exists() {
            return Ok(Self::default()); // A node that was never started.
        }
        let failed = |error: &dyn std::fmt::Display| {
            Failure::local(lang.pick(
                format!("{}：日志无法读取（{error}）", folder.display()),
                format!("{}: the journal cannot be read ({error})", folder.display()),
            ))
        };
        let disk = RealDisk::open(&folder).map_err(|e| failed(&e))?;
        let (journal, _) =
            Journal::open(disk, JournalOptions::default()).map_err(|e| failed(&e))?;
        let mut known = Self::default();
        let mut grown: BTreeMap<LogId, Frontier> = BTreeMap::new();
        let scanned = journal.reader().scan(0, &mut |_, kind, payload| {
            known.take_record(config, kind, payload, &mut grown);
            true
        });
        scanned.map_err(|e| failed(&e))?;
        for log in &mut known.logs {
            if let Some(frontier) = grown.get(&log.head.log) {
                log.head = Head { size: frontier.size(), root: frontier.root(), ..log.head };
                log.announced = log.head.size;
            }
        }
        Ok(known)
    }

    fn take_record(
        &mut self,
        config: &Config,
        kind: RecordKind,
        payload: &[u8],
        grown: &mut BTreeMap<LogId, Frontier>,
    ) {
        match kind {
            RecordKind::Manifest | RecordKind::Charter => {
                self.take_note(config, &Bytes::copy_from_slice(payload), false);
            }
            RecordKind::Batch => {
                let Ok(batch) = wire::batch::parse_batch(Bytes::copy_from_slice(payload)) else {
                    return;
                };
                let frontier = grown.entry(batch.log).or_default();
                if frontier.size() == batch.from {
                    for entry in &batch.entries {
                        frontier.push(leaf_hash(&entry.header));
                    }
                }
            }
            RecordKind::Card
            | RecordKind::LatePart
            | RecordKind::Cosignature
            | RecordKind::ForkProof
            | RecordKind::Suspension
            | RecordKind::Local
            | RecordKind::Newer => {}
        }
    }

    /// Keeps charters, and manifests of the own city.
    fn take_note(&mut self, config: &Config, note: &Bytes, in_inbox: bool) {
        if let Ok(charter) = SignedCharter::parse(note) {
            if !self.charters.iter().any(|c| c.charter().hash() == charter.charter().hash()) {
                self.charters.push(charter);
            }
        } else if let Ok(manifest) = SignedManifest::peek(note)
            && manifest.city == config.city
            && !self.logs.iter().any(|l| l.manifest == manifest)
        {
            let head = Head { log: manifest.log_id(), size: 0, root: Frontier::new().root() };
            self.logs.push(OwnLog { manifest, head, announced: 0, in_inbox });
        }
    }

    fn read_inbox(&mut self, config: &Config) {
        let Ok(entries) = std::fs::read_dir(files::inbox(config)) else { return };
        for path in entries.flatten().map(|e| e.path()).filter(|p| p.is_file()) {
            if let Ok(bytes) = std::fs::read(path) {
                self.take_note(config, &bytes.into(), true);
            }
        }
    }

    async fn from_api(config: &Config, profile: &ProfileArgs, lang: Lang) -> Result<Self, Failure> {
        let client = Client::open(&profile_beside(config, profile, lang)?, lang).await?;
        let request = pb::ListAgreementsRequest { page_size: 200, page_token: String::new() };
        let answer = client.agreements().list_agreements(request).await;
        let answer = answer.map_err(|status| client.failure(&status))?;
        let mut known = Self { running: true, ..Self::default() };
        for agreement in answer.into_inner().agreements {
            known.take_note(config, &agreement.charter_note, false);
        }
        let answer = client
            .nodes()
            .list_logs(pb::ListLogsRequest { parent: "agreements/-".to_owned() })
            .await;
        let answer = answer.map_err(|status| client.failure(&status))?;
        for log in answer.into_inner().logs {
            let manifest = SignedManifest::peek(&log.manifest_note);
            let root = Hash::parse(&log.root);
            let (Ok(manifest), Ok(root)) = (manifest, root) else { continue };
            if manifest.city != config.city {
                continue;
            }
            let head = Head { log: manifest.log_id(), size: log.stored_size, root };
            let announced = log.announced_size.max(log.stored_size);
            known.logs.push(OwnLog { manifest, head, announced, in_inbox: false });
        }
        Ok(known)
    }
}

/// The profile given, else the `client.toml` that lies beside the configuration.
///
/// # Errors
/// [`Failure`] naming what is missing.
pub fn profile_beside(
    config: &Config,
    given: &ProfileArgs,
    lang: Lang,
) -> Result<Profile, Failure> {
    let beside = config.file.parent().unwrap_or_else(|| Path::new(".")).join("client.toml");
    let profile = match &given.profile {
        None if beside.exists() => ProfileArgs { profile: Some(beside), ..given.clone() },
        None | Some(_) => given.clone(),
    };
    Profile::load(&profile, lang)
}

/// Whether people mean this agreement by `wanted`.
fn is_named(charter: &SignedCharter, wanted: &str) -> bool {
    let charter = charter.charter();
    let bare = wanted.strip_prefix("agreements/").unwrap_or(wanted);
    charter.short_name == wanted
        || uuid::Uuid::parse_str(bare).is_ok_and(|id| id.as_bytes() == charter.agreement.as_bytes())
}
