//! Who sends a part, and for which case. Only he goes on with it, and only he learns how far it
//! is: whoever sends the end of a file has not given the file, and may know nothing of the rest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::about::CaseRef;
use super::store::EvidenceStore;
use crate::ids::{CityCode, Hash, hex};

/// Below the folder, who sends each part lies under the part's digest.
const SENDERS: &str = "senders";

/// For which case, and from which other city; `None`: from people of this one.
pub(super) type Sender = (CaseRef, Option<CityCode>);

/// A sender as he is written down: a line, so that half of one is nobody's.
fn line((case, from): Sender) -> String {
    let from = from.map_or_else(|| "-".to_owned(), |city| city.to_string());
    format!("{} {} {from}\n", case.agreement, case.subject)
}

/// The city of a line; nobody's when only half of it was written.
fn city(line: &str) -> Option<Option<CityCode>> {
    match line.strip_suffix('\n')?.rsplit_once(' ')?.1 {
        "-" => Some(None),
        code => CityCode::parse(code).ok().map(Some),
    }
}

/// Makes the folder, and takes away what is left of parts that are gone; from which city each of
/// the others comes.
pub(super) fn open(
    folder: &Path,
    is_here: impl Fn(Hash) -> bool,
) -> io::Result<BTreeMap<Hash, Option<CityCode>>> {
    let senders = folder.join(SENDERS);
    fs::create_dir_all(&senders)?;
    let mut cities = BTreeMap::new();
    for entry in fs::read_dir(senders)? {
        let entry = entry?;
        match entry.file_name().to_str().and_then(|name| Hash::parse(name).ok()) {
            None => {}
            Some(hash) if is_here(hash) => {
                let line = fs::read_to_string(entry.path()).unwrap_or_default();
                cities.extend(city(&line).map(|city| (hash, city)));
            }
            Some(_) => fs::remove_file(entry.path())?,
        }
    }
    Ok(cities)
}

impl EvidenceStore {
    /// Where a sender goes on with a file of this size: bytes of it that he himself sent for the
    /// same case.
    #[must_use]
    pub fn goes_on_at(
        &self,
        (sha256, size): (Hash, u64),
        case: CaseRef,
        from: Option<CityCode>,
    ) -> u64 {
        let staged = self.staged(sha256);
        // Of another size: somebody announced it so before, and only one of them can be right.
        if staged == 0 || staged > size {
            return 0;
        }
        let written = fs::read(self.sender(sha256)).unwrap_or_default();
        if written == line((case, from)).as_bytes() { staged } else { 0 }
    }

    /// The other city that has begun to send a file for a case, and how many bytes of it.
    #[must_use]
    pub fn fetched(&self, file: (Hash, u64), case: CaseRef) -> Option<(CityCode, u64)> {
        let written = fs::read_to_string(self.sender(file.0)).ok()?;
        let city = city(&written)??;
        let bytes = self.goes_on_at(file, case, Some(city));
        (bytes > 0).then_some((city, bytes))
    }

    /// Cities that may send a file, the one first that has begun: a part is its sender's, and any
    /// other would begin anew.
    #[must_use]
    pub fn begun_first(
        &self,
        mut cities: Vec<CityCode>,
        file: (Hash, u64),
        case: CaseRef,
    ) -> Vec<CityCode> {
        let begun = self.fetched(file, case).map(|(city, _)| city);
        cities.sort_by_key(|city| Some(*city) != begun);
        cities
    }

    /// Begins a part anew for a sender. On the disk no bytes of somebody else are ever his: the
    /// part is empty there before he is written down.
    pub(super) fn begin_anew(&self, sha256: Hash, sender: Sender) -> io::Result<()> {
        File::create(self.part(sha256))?.sync_all()?;
        let mut file = File::create(self.sender(sha256))?;
        file.write_all(line(sender).as_bytes())?;
        file.sync_all()
    }

    /// A part is gone. What stays is taken away when the folder is opened again.
    pub(super) fn forget_sender(&self, sha256: Hash) {
        let _ = fs::remove_file(self.sender(sha256));
    }

    fn sender(&self, sha256: Hash) -> PathBuf {
        self.folder.join(SENDERS).join(hex(sha256.as_bytes()))
    }
}
