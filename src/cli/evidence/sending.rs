//! Sending the bytes of a file to the own node.
//!
//! In scope: one upload, going on where it was cut. Out of scope: which file, and what is said.

use std::io::{self, Read, Seek, SeekFrom};

use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use crate::cli::connect::Client;
use crate::limits::EVIDENCE_CHUNK_BYTES;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::upload_request::Content;

/// How often an upload that was cut is taken up again by itself.
const TRIES: usize = 3;

/// A file that a case lists, as it is to be sent.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The case that lists it.
    pub case_name: String,
    /// SHA-256.
    pub sha256: Vec<u8>,
    /// SM3.
    pub sm3: Vec<u8>,
    /// Its length.
    pub size: u64,
    /// What it is called.
    pub display_name: String,
}

/// Why a file was not sent.
#[derive(Debug)]
pub enum Unsent {
    /// Its bytes cannot be read.
    Unread(io::Error),
    /// The node's answer.
    Answered(Status),
}

impl From<Status> for Unsent {
    fn from(status: Status) -> Self {
        Self::Answered(status)
    }
}

/// Sends a file, and goes on where it was cut; of one that is there already, the node wants no
/// byte. `open` gives its bytes, `bar` what shows how far it is from an offset on.
///
/// # Errors
/// [`Unsent`]: what came of it stays at the node, and another call goes on with it.
pub async fn deliver<R: Read + Seek + Send + 'static>(
    client: &Client,
    parcel: &Parcel,
    open: impl Fn() -> io::Result<R>,
    bar: impl Fn(u64) -> ProgressBar,
) -> Result<pb::EvidenceFile, Unsent> {
    let mut tries = TRIES;
    loop {
        let file = about(client, parcel.case_name.clone(), parcel.sha256.clone()).await?;
        let start = pb::UploadStart {
            case_name: parcel.case_name.clone(),
            sha256: parcel.sha256.clone().into(),
            sm3: parcel.sm3.clone().into(),
            size_bytes: parcel.size,
            display_name: parcel.display_name.clone(),
            mime: file.mime.clone(),
            offset: if file.here { 0 } else { file.offset },
        };
        let until = if file.here { 0 } else { parcel.size };
        let (sender, messages) = mpsc::channel(4);
        let (mut bytes, bar) = (open().map_err(Unsent::Unread)?, bar(start.offset));
        let counted = bar.clone();
        let reading = tokio::task::spawn_blocking(move || {
            send(&mut bytes, (start, until), &sender, &mut |sent| counted.inc(sent))
        });
        let sent = client.evidence_files().upload(ReceiverStream::new(messages)).await;
        let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        bar.finish_and_clear();
        read.map_err(Unsent::Unread)?;
        match sent {
            Ok(answer) => return Ok(answer.into_inner().file.unwrap_or_default()),
            // It goes on where it was.
            Err(status)
                if tries > 1 && matches!(status.code(), Code::Aborted | Code::Unavailable) =>
            {
                tries -= 1;
            }
            Err(status) => return Err(status.into()),
        }
    }
}

/// What the node knows of a file that a case lists.
///
/// # Errors
/// The node's answer.
pub async fn about(
    client: &Client,
    case_name: String,
    sha256: Vec<u8>,
) -> Result<pb::EvidenceFile, Status> {
    let request = pb::GetFileRequest { case_name, sha256: sha256.into() };
    let answer = client.evidence_files().get_file(request).await?;
    Ok(answer.into_inner().file.unwrap_or_default())
}

/// Hands over the start and then the file's bytes, from the start's offset to `until`, as long as
/// somebody takes them; `taken` is told how many each time. Blocks: not for threads that serve.
///
/// # Errors
/// When the file cannot be read.
pub fn send(
    file: &mut (impl Read + Seek),
    (start, until): (pb::UploadStart, u64),
    sender: &mpsc::Sender<pb::UploadRequest>,
    taken: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let mut at = start.offset;
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
