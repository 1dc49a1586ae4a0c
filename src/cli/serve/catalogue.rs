//! The catalogue a node serves with.
//!
//! In scope: reading the file. Out of scope: what is in it ([`crate::domain::catalogue`]).

use std::io::Read;
use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::config::Config;
use crate::domain::catalogue::Catalogue;
use crate::limits::CATALOGUE_BYTES_MAX;

/// The catalogue that comes with the program, or the operator's own in its place.
pub(super) fn read(config: &Config) -> Result<Arc<Catalogue>, Failure> {
    let Some(path) = &config.catalogue_file else { return Ok(Catalogue::shipped()) };
    let file = path.display();
    let failed = |why: &dyn std::fmt::Display| {
        let zh = format!("代码目录 {file} 无法使用（catalogue_file）");
        super::local(&zh, &format!("the catalogue {file} cannot be used (catalogue_file)"), why)
    };
    // One byte more than is taken tells that it is too large.
    let mut bytes = Vec::new();
    let open = std::fs::File::open(path);
    let read =
        open.and_then(|file| file.take(CATALOGUE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|e| failed(&e))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        // Cut in the middle of a character: its size is told below.
        Err(e) if e.as_bytes().len() > CATALOGUE_BYTES_MAX => {
            String::from_utf8_lossy(e.as_bytes()).into_owned()
        }
        Err(e) => return Err(failed(&format!("须存为 UTF-8 · save it as UTF-8: {e}"))),
    };
    Catalogue::parse(&text).map(Arc::new).map_err(|e| failed(&e))
}
