//! Where an export goes: standard output, or a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::files;
use crate::lang::Lang;

/// Where an export goes.
pub(in crate::cli) struct Target {
    out: BufWriter<Box<dyn Write + Send>>,
    file: Option<Place>,
    lang: Lang,
}

/// A file under another name until it is whole.
struct Place {
    draft: PathBuf,
    path: PathBuf,
    force: bool,
    handle: File,
    done: bool,
}

impl Target {
    pub(in crate::cli) fn stdout(lang: Lang) -> Self {
        Self { out: BufWriter::new(Box::new(io::stdout())), file: None, lang }
    }

    /// A file that will take this name.
    pub(in crate::cli) fn file(path: &Path, force: bool, lang: Lang) -> Result<Self, Failure> {
        check(path, force, lang)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let open = || {
            let handle = File::options().write(true).create_new(true).mode(0o600).open(&draft)?;
            Ok((handle.try_clone()?, handle))
        };
        let (handle, out) = open().map_err(|error| files::not_written(path, &error, lang))?;
        let path = path.to_owned();
        let file = Some(Place { draft, path, force, handle, done: false });
        Ok(Self { out: BufWriter::new(Box::new(out)), file, lang })
    }

    pub(in crate::cli) fn put(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(|error| self.failed(&error))
    }

    /// Gives the file its name.
    pub(in crate::cli) fn finish(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| self.failed(&error))?;
        let Some(mut file) = self.file.take() else { return Ok(()) };
        check(&file.path, file.force, self.lang)?;
        file.publish().map_err(|error| files::not_written(&file.path, &error, self.lang))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        let output = Path::new(self.lang.pick("标准输出", "standard output"));
        let path = self.file.as_ref().map_or(output, |file| file.path.as_path());
        files::not_written(path, error, self.lang)
    }
}

impl Place {
    fn publish(&mut self) -> io::Result<()> {
        self.handle.sync_all()?;
        if !self.force {
            // Unlike a renaming, a new link never takes the place of something.
            match fs::hard_link(&self.draft, &self.path) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // A disk without such links; it was looked for a moment ago.
                Err(_) => {}
            }
        }
        fs::rename(&self.draft, &self.path)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.draft);
        }
    }
}

/// Nothing is in the way.
fn check(path: &Path, force: bool, lang: Lang) -> Result<(), Failure> {
    let shown = path.display();
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    if !there.is_file() {
        return Err(Failure::local(lang.pick(
            format!("{shown}：是链接、目录或设备，不写入"),
            format!("{shown}: is a link, a folder or a device, which are not written to"),
        ))
        .advise(lang.pick("另选文件名", "choose another name")));
    }
    if force {
        return Ok(());
    }
    let there = io::Error::from(io::ErrorKind::AlreadyExists);
    Err(files::not_written(path, &there, lang)
        .advise(lang.pick("要覆盖则加 --force", "use --force to replace it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_no_link_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let write = |path: &Path, text: &str, force| {
            let mut target = Target::file(path, force, Lang::En)?;
            target.put(text)?;
            target.finish()
        };
        write(&path, "one", false).unwrap();
        assert!(write(&path, "two", false).unwrap_err().what.contains("there already"));
        write(&path, "three", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for force in [false, true] {
            assert!(write(&link, "four", force).unwrap_err().what.contains("link"));
        }
        // Somebody puts a link there while it is being written.
        let late = folder.path().join("late.csv");
        for force in [false, true] {
            let mut target = Target::file(&late, force, Lang::En).unwrap();
            target.put("five").unwrap();
            std::os::unix::fs::symlink(&path, &late).unwrap();
            assert!(target.finish().is_err());
            fs::remove_file(&late).unwrap();
        }
        // What is given up leaves nothing.
        Target::file(&late, false, Lang::En).unwrap().put("six").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
