//! The cast: cities, their keys, the agreements between them, and the notes they are given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use liandong::ids::{AgreementId, CityCode, Hash, LogId, NodeId};
use liandong::log::Head;
use liandong::log::keys::{SigningKey, VerifyingKey};
use liandong::log::manifest::{HashAlgorithm, Manifest, SignatureAlgorithm, SignedManifest};
use liandong::node::core::KeyRing;

use super::notes;

/// Neighbours along one border.
pub const CITIES: [u32; 7] = [371_500, 130_400, 410_900, 371_400, 370_900, 371_700, 370_800];

/// Secret keys of one node's logs, shared with the world as a folder of keys is.
#[derive(Clone, Default)]
pub struct Keys(Arc<Mutex<Vec<Pair>>>);

/// A public key, and what the secret one is made from.
type Pair = (VerifyingKey, [u8; 32]);

impl Keys {
    pub fn add(&self, seed: [u8; 32]) {
        let public = SigningKey::from_seed(&seed).unwrap().verifying_key();
        self.0.lock().unwrap().push((public, seed));
    }
}

impl KeyRing for Keys {
    fn find(&self, public: VerifyingKey) -> Option<SigningKey> {
        let all = self.0.lock().unwrap();
        let (_, seed) = all.iter().find(|(of, _)| *of == public)?;
        Some(SigningKey::from_seed(seed).unwrap())
    }
}

/// One agreement.
#[derive(Clone)]
pub struct Pact {
    pub id: AgreementId,
    /// Places in the cast, by code.
    pub members: Vec<usize>,
    pub charter: Hash,
}

/// A log that some city has announced.
#[derive(Clone)]
pub struct Written {
    pub city: usize,
    pub pact: usize,
    pub epoch: u64,
    /// Written by somebody who lies.
    pub forged: bool,
    pub seeds: [[u8; 32]; 2],
    pub manifest: Manifest,
}

pub struct Cast {
    pub codes: Vec<CityCode>,
    pub pacts: Vec<Pact>,
    pub logs: BTreeMap<LogId, Written>,
    keys: Vec<SigningKey>,
    /// What each city's node is handed at its first start.
    pub notes: Vec<Vec<Bytes>>,
}

impl Cast {
    /// The members of an agreement.
    pub fn members(&self, pact: usize) -> Vec<CityCode> {
        self.pacts[pact].members.iter().map(|m| self.codes[*m]).collect()
    }

    /// `members` are places in [`CITIES`], one list for each agreement; `rings` one for each city.
    pub fn new(n: usize, members: &[Vec<usize>], rings: &[Keys]) -> Self {
        let codes: Vec<CityCode> =
            CITIES.iter().take(n).map(|c| CityCode::from_u32(*c).unwrap()).collect();
        let keys = (0..n).map(|i| SigningKey::from_seed(&[i as u8 + 1; 32]).unwrap()).collect();
        let (pacts, logs, notes) = (Vec::new(), BTreeMap::new(), vec![Vec::new(); n]);
        let mut cast = Self { codes, pacts, logs, keys, notes };
        for (k, list) in members.iter().enumerate() {
            let mut list = list.clone();
            list.sort_by_key(|i| cast.codes[*i]);
            let id = AgreementId::new([k as u8 + 100; 16]);
            let named: Vec<_> = list.iter().map(|i| (cast.codes[*i], &cast.keys[*i])).collect();
            let (charter, note) = notes::charter(id, &format!("{k}"), &named);
            list.iter().for_each(|i| cast.notes[*i].push(note.clone()));
            cast.pacts.push(Pact { id, members: list.clone(), charter });
            for i in list {
                let manifest = cast.manifest(i, k, 1, None, false, &rings[i]);
                cast.notes[i].push(manifest);
            }
        }
        for list in &mut cast.notes {
            for (code, key) in cast.codes.iter().zip(&cast.keys) {
                list.push(notes::card(*code, 1, &["mem"], key));
            }
        }
        cast
    }

    /// A signed manifest of the next log of a city, whose keys go to `ring`.
    pub fn manifest(
        &mut self,
        city: usize,
        pact: usize,
        epoch: u64,
        prologue: Option<Head>,
        forged: bool,
        ring: &Keys,
    ) -> Bytes {
        let mut seeds = [[self.logs.len() as u8 + 7; 32]; 2];
        seeds[0][..3].copy_from_slice(&[city as u8, pact as u8, epoch as u8]);
        seeds[1][..4].copy_from_slice(&[city as u8, pact as u8, epoch as u8, 1]);
        let keys = seeds.map(|s| SigningKey::from_seed(&s).unwrap().verifying_key());
        seeds.iter().for_each(|seed| ring.add(*seed));
        let manifest = Manifest {
            agreement: self.pacts[pact].id,
            city: self.codes[city],
            node: node_id(city),
            epoch,
            charter: self.pacts[pact].charter,
            log_key: keys[0],
            cosign_key: keys[1],
            signature: SignatureAlgorithm::Ed25519,
            hash: HashAlgorithm::Sha256,
            prologue,
        };
        let id = manifest.log_id();
        let written = Written { city, pact, epoch, forged, seeds, manifest: manifest.clone() };
        self.logs.insert(id, written);
        SignedManifest::sign(manifest, &self.keys[city]).unwrap().note().clone()
    }

    /// Places of the agreements of which a city is a member.
    pub fn pacts_of(&self, city: usize) -> Vec<usize> {
        (0..self.pacts.len()).filter(|k| self.pacts[*k].members.contains(&city)).collect()
    }

    pub fn pact_of(&self, id: AgreementId) -> Option<usize> {
        self.pacts.iter().position(|p| p.id == id)
    }

    pub fn place(&self, code: CityCode) -> Option<usize> {
        self.codes.iter().position(|c| *c == code)
    }

    /// Whether a city is a member of the agreement of a log.
    pub fn may_see(&self, city: usize, log: LogId) -> bool {
        self.logs.get(&log).is_some_and(|l| self.pacts[l.pact].members.contains(&city))
    }

    /// Cities that share an agreement with one.
    pub fn partners(&self, city: usize) -> Vec<usize> {
        let shared = |other: &usize| {
            *other != city
                && self.pacts_of(city).iter().any(|k| self.pacts[*k].members.contains(other))
        };
        (0..self.codes.len()).filter(shared).collect()
    }

    /// The highest epoch of a city in an agreement.
    pub fn newest_epoch(&self, city: usize, pact: usize) -> u64 {
        let of = |l: &&Written| l.city == city && l.pact == pact;
        self.logs.values().filter(of).map(|l| l.epoch).max().unwrap_or(0)
    }
}

pub fn node_id(city: usize) -> NodeId {
    NodeId::new([city as u8 + 1; 16])
}
