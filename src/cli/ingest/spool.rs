//! What is to be drafted, kept on disk until the node has all of it: one file a message, its
//! packets without their passwords, one line each.
//!
//! In scope: writing whole or not at all, reading back. Out of scope: when to try again.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::clue::Clue;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::hj212::{Joined, Joiner, Message, Packet};
use crate::lang::Lang;
use crate::limits::{HJ212_PARTS_MAX, HJ212_SEGMENT_BYTES_MAX, HJ212_SPOOL_FILES_MAX};

/// A folder of messages.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be made.
    pub fn open(folder: &Path, lang: Lang) -> Result<Self, Failure> {
        files::make_folder(&folder.join("x"), lang)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keeps a message and gives its path; what lies there already stays.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be written, or too many lie there.
    pub fn keep(&self, clue: &Clue, lang: Lang) -> Result<PathBuf, Failure> {
        let path = self.folder.join(clue.file_name());
        if path.exists() {
            return Ok(path);
        }
        if self.list().len() >= HJ212_SPOOL_FILES_MAX {
            let shown = self.folder.display();
            return Err(Failure::local(lang.pick(
                format!("{shown} 中已有 {HJ212_SPOOL_FILES_MAX} 个待办文件，不再接收"),
                format!("{shown} holds {HJ212_SPOOL_FILES_MAX} files, no more are taken"),
            )));
        }
        // A name of its own: two connections may bring one hour at a time.
        let draft = self.folder.join(format!(".{}.{}", clue.number, uuid::Uuid::new_v4()));
        files::write_new(&draft, clue.evidence.as_bytes(), lang)?;
        let moved =
            fs::rename(&draft, &path).and_then(|()| fs::File::open(&self.folder)?.sync_all());
        moved.map_err(|error| files::not_written(&path, &error, lang))?;
        Ok(path)
    }

    /// Everything that lies there, oldest hour of a station first.
    #[must_use]
    pub fn list(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let ours = |path: &PathBuf| {
            let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            !hidden && path.extension().is_some_and(|end| end == "txt")
        };
        let mut found: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(ours).collect();
        found.sort();
        found
    }
}

/// The station whose message lies in a file.
#[must_use]
pub fn station(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('-').next().unwrap_or_default().to_owned()
}

/// Reads a message back.
///
/// # Errors
/// Why it is none, in words without its content.
pub fn read(path: &Path) -> Result<Message, String> {
    let bytes_max = HJ212_PARTS_MAX * (HJ212_SEGMENT_BYTES_MAX + 1);
    let mut text = String::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let opened = fs::File::open(path).map(|file| file.take(limit));
    let read = opened.and_then(|mut file| file.read_to_string(&mut text));
    read.map_err(|error: io::Error| error.to_string())?;
    let mut joiner = Joiner::default();
    for line in text.lines() {
        let packet = Packet::parse(line.as_bytes()).map_err(|refused| refused.to_string())?;
        match joiner.take(packet) {
            Ok(Joined::Whole(message)) => return Ok(message),
            Ok(Joined::Waiting) => {}
            Err(refused) => return Err(refused.to_string()),
        }
    }
    Err("SPLIT_INCOMPLETE".to_owned())
}
