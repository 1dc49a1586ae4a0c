//! Sheets that lie on this machine.
//!
//! In scope: opening them; what is wrong with one, with its name. Out of scope: how it is written
//! and what it says ([`crate::import`]).

use std::fs::File;
use std::io;
use std::path::Path;

use super::failure::Failure;
use crate::import::in_pieces;
use crate::lang::Lang;
use crate::limits::IMPORT_BYTES_MAX;
use crate::shown::table::Wrong;

/// Opens a sheet; gives its size, too.
///
/// # Errors
/// [`Failure`] when it is no plain file, or too large.
pub fn open(path: &Path, lang: Lang) -> Result<(File, u64), Failure> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
    };
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(Failure::local(
            lang.pick(format!("{shown}：不是普通文件"), format!("{shown}: is not a plain file")),
        ));
    }
    if about.len() > IMPORT_BYTES_MAX {
        return Err(Failure::local(lang.pick(
            format!("{shown}：{} 字节，上限 {IMPORT_BYTES_MAX}", about.len()),
            format!("{shown}: {} bytes, the limit is {IMPORT_BYTES_MAX}", about.len()),
        ))
        .advise(in_pieces(lang)));
    }
    Ok((File::open(path).map_err(unreadable)?, about.len()))
}

/// What is wrong with a sheet as a whole.
pub fn unusable(path: &Path, wrong: &Wrong, lang: Lang) -> Failure {
    let (shown, what) = (path.display(), &wrong.what);
    Failure::local(lang.pick(format!("{shown}：{what}"), format!("{shown}: {what}")))
        .advise(&wrong.advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_no_sheet() {
        let folder = tempfile::tempdir().unwrap();
        assert!(open(folder.path(), Lang::En).is_err());
    }

    #[test]
    fn a_huge_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge.csv");
        // A hole: it takes no place on the disk.
        let file = File::create(&path).unwrap();
        file.set_len(IMPORT_BYTES_MAX + 1).unwrap();
        let refused = open(&path, Lang::En).unwrap_err();
        assert!(refused.what.contains(&format!("the limit is {IMPORT_BYTES_MAX}")), "{refused:?}");
        assert!(refused.what.contains(&(IMPORT_BYTES_MAX + 1).to_string()), "{refused:?}");
        file.set_len(IMPORT_BYTES_MAX).unwrap();
        assert_eq!(open(&path, Lang::En).unwrap().1, IMPORT_BYTES_MAX);
    }
}
