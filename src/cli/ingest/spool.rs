//! What is to be drafted, kept on disk until the node has all of it: one file a message, its
//! packets without their passwords, one line each. Beside them, in `parts`, one file for each part
//! of a split packet whose other parts have not come, and in `drafted` an empty file for each clue
//! that lay here, so that what a device sends anew for it is told from what is no clue.
//!
//! In scope: writing whole or not at all, reading back, joining parts. Out of scope: when to try
//! again.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::clue::Clue;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::hj212::packet::Part;
use crate::hj212::{Joined, Joiner, Message, Packet, Refusal, Refused};
use crate::lang::Lang;
use crate::limits::{
    HJ212_PARTS_MAX, HJ212_SEGMENT_BYTES_MAX, HJ212_SPOOL_FILES_MAX, HJ212_SPOOL_PARTS_MAX,
};

/// The folder of parts.
const PARTS: &str = "parts";
/// The folder of clues that lay here, by their numbers.
const DRAFTED: &str = "drafted";

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
        if clue.is_over && !self.was_drafted(&clue.number) {
            make_room(&self.folder.join(DRAFTED), HJ212_SPOOL_FILES_MAX);
            put(&self.folder.join(DRAFTED).join(&clue.number), b"", lang)?;
        }
        put(&path, clue.evidence.as_bytes(), lang)?;
        Ok(path)
    }

    /// Whether a clue of this number lay here; the oldest numbers are forgotten.
    #[must_use]
    pub fn was_drafted(&self, number: &str) -> bool {
        self.folder.join(DRAFTED).join(number).exists()
    }

    /// Keeps a part of a split packet, and joins it with those that lie there, whichever connection
    /// or run they came by. They stay until [`Spool::drop_parts`].
    ///
    /// # Errors
    /// [`Failure`] when it cannot be written; within it what [`Joiner::take`] refuses.
    pub fn join(
        &self,
        packet: &Packet,
        part: Part,
        lang: Lang,
    ) -> Result<Result<Joined, Refused>, Failure> {
        let own = self.part(packet, part);
        if !own.exists() {
            put(&own, format!("{}\n", packet.line()).as_bytes(), lang)?;
            // The folder of the parts may be new.
            let synced = fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| files::not_written(&own, &error, lang))?;
        }
        // What came first stays. A file that cannot be read has not come.
        let one = |path: &Path| packets(path).ok().and_then(|mut all| all.pop());
        if one(&own).is_some_and(|first| !first.says_the_same(packet)) {
            return Ok(Err(Refusal::SplitDiffers.into()));
        }
        let mut joiner = Joiner::default();
        for number in (1..=part.of).filter(|number| *number != part.number) {
            let Some(other) = one(&self.part(packet, Part { number, ..part })) else { continue };
            if let Err(refused) = joiner.take(other) {
                return Ok(Err(refused));
            }
        }
        Ok(joiner.take(packet.clone()))
    }

    /// Forgets the parts of a packet.
    pub fn drop_parts(&self, packet: &Packet, part: Part) {
        for number in 1..=part.of {
            // Left behind, it goes with the oldest.
            let _ = fs::remove_file(self.part(packet, Part { number, ..part }));
        }
    }

    /// Makes room for one more part: the oldest go, whose others never came. Gives how many.
    #[must_use]
    pub fn make_room_for_part(&self) -> usize {
        make_room(&self.folder.join(PARTS), HJ212_SPOOL_PARTS_MAX)
    }

    fn part(&self, packet: &Packet, part: Part) -> PathBuf {
        let Packet { qn, mn, cn, st, .. } = packet;
        let name = format!("{mn}-{qn}-{cn}-{st}-{}of{}.txt", part.number, part.of);
        self.folder.join(PARTS).join(name)
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
    let mut joiner = Joiner::default();
    for packet in packets(path)? {
        match joiner.take(packet) {
            Ok(Joined::Whole(message)) => return Ok(message),
            Ok(Joined::Waiting) => {}
            Err(refused) => return Err(refused.to_string()),
        }
    }
    Err("SPLIT_INCOMPLETE".to_owned())
}

/// The packets in a file.
fn packets(path: &Path) -> Result<Vec<Packet>, String> {
    let bytes_max = HJ212_PARTS_MAX * (HJ212_SEGMENT_BYTES_MAX + 1);
    let mut text = String::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let opened = fs::File::open(path).map(|file| file.take(limit));
    let read = opened.and_then(|mut file| file.read_to_string(&mut text));
    read.map_err(|error: io::Error| error.to_string())?;
    let packet = |line: &str| Packet::parse(line.as_bytes()).map_err(|why| why.to_string());
    text.lines().map(packet).collect()
}

/// Makes room for one more file where so many may be: the oldest go. Gives how many.
fn make_room(folder: &Path, most: usize) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let over = (paths.len() + 1).saturating_sub(most);
    if over == 0 {
        return 0;
    }
    let aged = |path: PathBuf| Some((path.metadata().ok()?.modified().ok()?, path));
    let mut aged: Vec<_> = paths.into_iter().filter_map(aged).collect();
    aged.sort();
    aged.into_iter().take(over).filter(|(_, path)| fs::remove_file(path).is_ok()).count()
}

/// Writes a file, whole or not at all.
fn put(path: &Path, bytes: &[u8], lang: Lang) -> Result<(), Failure> {
    // A name of its own: two connections may bring one hour at a time.
    let draft = path.with_file_name(format!(".{}", uuid::Uuid::new_v4()));
    files::write_new(&draft, bytes, lang)?;
    let folder = path.parent().unwrap_or(path);
    let moved = fs::rename(&draft, path).and_then(|()| fs::File::open(folder)?.sync_all());
    moved.map_err(|error| files::not_written(path, &error, lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: usize, body: &str) -> (Packet, Part) {
        let text = format!(
            "QN=20261102100000123;ST=32;CN=2061;PW=1;MN=A;Flag=7;PNUM=2;PNO={number};CP=&&{body}&&"
        );
        (Packet::parse(text.as_bytes()).unwrap(), Part { of: 2, number })
    }

    #[test]
    fn parts_are_joined_over_restarts_and_until_they_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let join = |(packet, part): &(Packet, Part)| {
            let spool = Spool::open(folder.path(), Lang::En).unwrap();
            spool.join(packet, *part, Lang::En).unwrap()
        };
        let (one, two) = (part(1, "a=1"), part(2, "b=2"));
        assert_eq!(join(&two), Ok(Joined::Waiting));
        assert_eq!(join(&two), Ok(Joined::Waiting), "sent again");
        assert_eq!(join(&part(2, "b=3")), Err(Refusal::SplitDiffers.into()));
        // Whatever could not be done with the whole, the last part alone brings it again.
        for _ in 0..2 {
            let Ok(Joined::Whole(message)) = join(&one) else { panic!("both are there") };
            assert_eq!(message.evidence(), format!("{}\n{}\n", one.0.line(), two.0.line()));
        }
        let spool = Spool::open(folder.path(), Lang::En).unwrap();
        assert!(spool.list().is_empty(), "none of them is a message");
        spool.drop_parts(&one.0, one.1);
        assert_eq!(join(&one), Ok(Joined::Waiting));
    }

    #[test]
    fn parts_whose_others_never_come_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), Lang::En).unwrap();
        let parts = folder.path().join("parts");
        fs::create_dir(&parts).unwrap();
        for nth in 0..HJ212_SPOOL_PARTS_MAX {
            fs::write(parts.join(nth.to_string()), "").unwrap();
        }
        assert_eq!((spool.make_room_for_part(), spool.make_room_for_part()), (1, 0));
    }
}
