//! Files of the audit: one a day, kept for so many days.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::chain::{self, ChainError};
use super::{Deed, Untold};
use crate::domain::Date;
use crate::ids::Hash;

/// The newest file, open for the next line.
pub(super) struct Files {
    folder: PathBuf,
    days: u32,
    /// Hash of the last line.
    prev: Hash,
    open: Option<(Date, BufWriter<File>)>,
}

/// The files of a folder, oldest first.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| day_of(path).is_some()).collect();
    files.sort();
    files
}

fn day_of(path: &Path) -> Option<Date> {
    let name = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
    Date::parse(name).ok()
}

impl Files {
    /// Checks the newest file and cuts a torn last line; also says when the chain does not hold.
    pub(super) fn open(
        folder: &Path,
        days: u32,
        today_ms: i64,
    ) -> io::Result<(Self, Option<ChainError>)> {
        std::fs::create_dir_all(folder)?;
        let files = list(folder);
        let mut this =
            Self { folder: folder.to_owned(), days, prev: Hash::new([0; 32]), open: None };
        let mut found = None;
        if let Some(newest) = files.last() {
            let text = std::fs::read(newest)?;
            let older = files.iter().rev().nth(1).map(std::fs::read).transpose()?;
            let older = older.as_deref().and_then(chain::last).map(|(hash, _)| hash);
            found = chain::check_text(&newest.display().to_string(), &text, older).err();
            let last = chain::last(&text);
            let whole = last.map_or(0, |(_, end)| end);
            if whole < text.len() {
                let whole = u64::try_from(whole).unwrap_or(0);
                OpenOptions::new().write(true).open(newest)?.set_len(whole)?;
            }
            this.prev = last.map(|(hash, _)| hash).or(older).unwrap_or(this.prev);
        }
        if let Some(error) = &found {
            tracing::error!(%error, "the audit was changed");
        }
        if let Some(today) = Date::beijing(today_ms) {
            this.drop_old(today);
        }
        Ok((this, found))
    }

    /// Adds a line, which tells of those before it that have none.
    pub(super) fn append(&mut self, deed: &Deed, untold: Untold) -> io::Result<()> {
        let line = chain::line(deed, untold, self.prev);
        self.prev = chain::hash(&line);
        let day = Date::beijing(deed.time_ms)
            .ok_or_else(|| io::Error::other("the clock is out of all range"))?;
        let file = self.file_of(day)?;
        file.write_all(&line)?;
        file.write_all(b"\n")
    }

    /// The file of a day; a clock that goes back writes on in the newest one.
    fn file_of(&mut self, day: Date) -> io::Result<&mut BufWriter<File>> {
        let newer = self.open.as_ref().is_none_or(|(open, _)| *open < day);
        if newer {
            if let Some((_, mut old)) = self.open.take() {
                old.flush()?;
                old.get_ref().sync_data()?;
            }
            let newest = list(&self.folder).last().and_then(|path| day_of(path));
            let day = newest.map_or(day, |newest| newest.max(day));
            let path = self.folder.join(format!("{day}.jsonl"));
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            self.open = Some((day, BufWriter::new(file)));
            self.drop_old(day);
        }
        match &mut self.open {
            Some((_, file)) => Ok(file),
            None => Err(io::Error::other("no audit file is open")),
        }
    }

    /// Hands what is buffered to the operating system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |(_, file)| file.flush())
    }

    fn drop_old(&self, today: Date) {
        let Some(oldest) = today.plus_days(-i64::from(self.days)) else { return };
        for path in list(&self.folder) {
            if day_of(&path).is_some_and(|day| day < oldest)
                && let Err(error) = std::fs::remove_file(&path)
            {
                let file = path.display();
                tracing::warn!(%file, %error, "could not remove an old audit file");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Audit, check};
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn deed(time_ms: i64) -> Deed {
        Deed {
            time_ms,
            who: "coordinator/37150099001".to_owned(),
            method: "/liandong.v1.CaseService/CreateCase",
            outcome: "OK",
            ..Deed::default()
        }
    }

    fn write(folder: &Path, times: &[i64]) -> Audit {
        let audit = Audit::start(folder, 200, times[0], Box::new(|| {})).unwrap();
        times.iter().for_each(|time| audit.note(deed(*time)));
        audit.flush();
        audit
    }

    #[test]
    fn lines_are_chained_over_days_and_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let now = 1_790_000_000_000;
        write(folder.path(), &[now, now, now + DAY_MS]);
        write(folder.path(), &[now + DAY_MS, now + 2 * DAY_MS]);
        assert_eq!(check(folder.path()).unwrap(), 3);
        let text = std::fs::read_to_string(&list(folder.path())[1]).unwrap();
        assert_eq!(text.lines().count(), 2);
        let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(line["who"], "coordinator/37150099001");
        assert!(line["time"].as_str().unwrap().ends_with("+08:00"), "{line}");
    }

    #[test]
    fn a_changed_or_missing_line_shows() {
        let folder = tempfile::tempdir().unwrap();
        let now = 1_790_000_000_000;
        write(folder.path(), &[now; 5]);
        let path = &list(folder.path())[0];
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, text.replacen("CreateCase", "GetCase", 1)).unwrap();
        assert!(matches!(check(folder.path()), Err(ChainError::Broken { line: 2, .. })));
        let without: Vec<&str> =
            text.lines().enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| line).collect();
        std::fs::write(path, without.join("\n") + "\n").unwrap();
        assert!(matches!(check(folder.path()), Err(ChainError::Broken { line: 3, .. })));
        assert!(write(folder.path(), &[now]).trouble().is_some(), "said at the next start");
    }

    #[test]
    fn a_torn_line_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let now = 1_790_000_000_000;
        write(folder.path(), &[now; 3]);
        let path = &list(folder.path())[0];
        let text = std::fs::read(path).unwrap();
        std::fs::write(path, &text[..text.len() - 7]).unwrap();
        assert_eq!(write(folder.path(), &[now]).trouble(), None);
        assert_eq!(check(folder.path()).unwrap(), 1);
        assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 3);
    }

    #[test]
    fn refused_calls_are_counted_apart() {
        let folder = tempfile::tempdir().unwrap();
        let now = 1_790_000_000_000;
        let audit = Audit::start(folder.path(), 200, now, Box::new(|| {})).unwrap();
        let refused = |who: &str| {
            audit.note_refused(Deed { who: who.to_owned(), outcome: "ROLE", ..deed(now) });
        };
        (0..30).for_each(|_| refused("loud"));
        refused("quiet");
        audit.flush();
        let text = std::fs::read_to_string(&list(folder.path())[0]).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |who: &str| lines.iter().filter(|line| line["who"] == who).count();
        assert_eq!((of("loud"), of("quiet")), (10, 1));
        let told: u64 = lines.iter().filter_map(|line| line["refused"].as_u64()).sum();
        assert_eq!(told, 20, "and none of them is a line that was lost: {text}");
        assert!(!text.contains("missing"), "{text}");
    }

    #[test]
    fn old_files_go_after_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let now = 1_790_000_000_000;
        write(folder.path(), &[now]);
        write(folder.path(), &[now + 200 * DAY_MS]);
        assert_eq!(list(folder.path()).len(), 2);
        write(folder.path(), &[now + 201 * DAY_MS]);
        assert_eq!(list(folder.path()).len(), 2, "the first is gone");
        assert_eq!(check(folder.path()).unwrap(), 2);
    }
}
