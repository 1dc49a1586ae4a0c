//! Where the demo keeps its cities: a folder that stays, or one that ends with it.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;

/// A folder; a temporary one is removed when this goes out of scope.
pub struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// The folder that was asked for, or a new one that only its owner can read.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be made.
    pub fn open(asked: Option<&Path>) -> Result<Self, Failure> {
        let temporary = asked.is_none();
        let path = asked.map_or_else(
            || std::env::temp_dir().join(format!("liandong-demo-{}", uuid::Uuid::now_v7())),
            Path::to_owned,
        );
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|e| Failure::local(format!("{}: {e}", path.display())))?;
        Ok(Self { path, temporary })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It ends with the demo.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.temporary
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
