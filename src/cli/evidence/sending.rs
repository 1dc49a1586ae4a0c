//! Sending the bytes of a file to the own node.
//!
//! In scope: the messages of one upload. Out of scope: where it begins, and going on after a cut
//! ([`super::files`], the demo).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tokio::sync::mpsc;

use crate::limits::EVIDENCE_CHUNK_BYTES;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::upload_request::Content;

/// Hands over the start and then the file's bytes, from the start's offset to `until`, as long as
/// somebody takes them; `taken` is told how many each time. Blocks: not for threads that serve.
///
/// # Errors
/// When the file cannot be read.
pub fn send(
    path: &Path,
    (start, until): (pb::UploadStart, u64),
    sender: &mpsc::Sender<pb::UploadRequest>,
    taken: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let mut at = start.offset;
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let message = |content| pb::UploadRequest { content: Some(content) };
    let mut buffer = vec![0; EVIDENCE_CHUNK_BYTES];
    let mut listening = sender.blocking_send(message(Content::Start(start))).is_ok();
    while listening && at < until {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        listening = sender.blocking_send(message(Content::Chunk(bytes.to_vec().into()))).is_ok();
        if listening {
            at += read as u64;
            taken(read as u64);
        }
    }
    Ok(())
}
