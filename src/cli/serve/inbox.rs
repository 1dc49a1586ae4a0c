//! The inbox: signed notes that an operator lays into a folder.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::node::writer::NodeHandle;

/// Charters first, then cards, then manifests: each rests on the one before.
fn rank(note: &[u8]) -> u8 {
    if note.starts_with(b"liandong/charter/") {
        0
    } else if note.starts_with(b"liandong/card/") {
        1
    } else {
        2
    }
}

/// Hands in what lies there, and moves it to `done` or `refused`.
pub(super) async fn take(node: &NodeHandle, inbox: &Path) {
    let Ok(entries) = std::fs::read_dir(inbox) else { return };
    let files = entries.flatten().map(|e| e.path()).filter(|p| p.is_file());
    let mut notes: Vec<(PathBuf, Bytes)> =
        files.filter_map(|p| std::fs::read(&p).ok().map(|b| (p, Bytes::from(b)))).collect();
    if notes.is_empty() {
        return;
    }
    notes.sort_by_key(|(path, note)| (rank(note), path.clone()));
    let results = node.add_notes(notes.iter().map(|(_, note)| note.clone()).collect()).await;
    for ((path, _), result) in notes.iter().zip(results) {
        let (folder, why) = match &result {
            Ok(_) => ("done", None),
            Err(why) => ("refused", Some(why.clone())),
        };
        let target = inbox.join(folder);
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        let _ = std::fs::create_dir_all(&target);
        if let Some(why) = why {
            tracing::warn!(file = %path.display(), %why, "a note in the inbox was refused");
            let _ = std::fs::write(target.join(name.with_extension("why")), why);
        }
        if let Err(error) = std::fs::rename(path, target.join(&name)) {
            tracing::error!(file = %path.display(), %error, "could not move a note");
        }
    }
}
