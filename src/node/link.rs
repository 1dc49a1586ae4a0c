//! One connection to one member city, whoever dialled: two tasks, one reading, one writing.
//!
//! In scope: moving frames between the core and a stream, reading stretches from disk for the
//! other side, slow readers. Out of scope: what frames mean ([`crate::node::core`]).
//!
//! Memory is bounded whatever the other side does: what it sends waits within a room of bytes that
//! its city has here, what it is sent waits within a number of orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::ids::CityCode;
use crate::node::core::{Input, Output};
use crate::node::writer::{LinkDoor, LinkOrder, NodeHandle};
use crate::sync::{Frame, LinkId};
use crate::wire::status::Refused;

/// Frames that may wait between the writing task and the stream.
pub const OUTGOING_MAX: usize = 16;
/// Orders that may wait for a slow reader before its link is ended: frames of some hundred bytes;
/// stretches are read when their turn comes.
const ORDERS_MAX: usize = 4096;
/// A reader that takes nothing for this long is dead.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the other side may take to hear why a link ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

static NEXT_LINK: AtomicU64 = AtomicU64::new(1);

/// Who is at the other end, and how the connection came about.
#[derive(Clone, Debug)]
pub struct LinkEnd {
    /// The city its certificate proves.
    pub city: CityCode,
    /// We dialled.
    pub by_us: bool,
    /// Its address, for people.
    pub address: String,
}

/// What comes out of a stream.
#[derive(Debug)]
pub enum Incoming {
    /// A frame, and how many bytes it took.
    Frame(Frame, usize),
    /// One that cannot be read; the stream itself is whole.
    Bad(Box<Refused>),
    /// One of a kind that only newer programs send.
    Newer,
}

/// Writes a frame as its stream wants it.
pub type Written<T> = Arc<dyn Fn(Frame) -> T + Send + Sync>;

/// The way out of a link.
pub struct Outgoing<T> {
    /// Where frames go.
    pub frames: mpsc::Sender<T>,
    /// Writes a frame.
    pub written: Written<T>,
    /// Writes why the stream ends, where that side of the stream can.
    pub failed: Option<fn(Status) -> T>,
}

/// Runs a link until either side ends it; returns why it ended.
pub async fn run<T: Send + 'static>(
    node: NodeHandle,
    end: LinkEnd,
    incoming: impl Stream<Item = Result<Incoming, Status>> + Send + 'static,
    outgoing: Outgoing<T>,
) -> String {
    let link = NEXT_LINK.fetch_add(1, Ordering::Relaxed);
    let _counted = node.count_link(end.city);
    let (orders_tx, orders) = mpsc::channel(ORDERS_MAX);
    let overrun = CancellationToken::new();
    let door = LinkDoor { orders: orders_tx, overrun: overrun.clone() };
    node.open_link(link, end.city, end.by_us, end.address.clone(), door).await;
    let (written, last) = (outgoing.written, outgoing.failed.map(|f| (outgoing.frames.clone(), f)));
    let reading = read(node.clone(), link, end.city, incoming);
    let writing = write(node.clone(), orders, outgoing.frames, written);
    tokio::pin!(reading);
    let reason = tokio::select! {
        ended = &mut reading => match ended {
            Ok(()) => "closed by the other side".to_owned(),
            Err(status) => {
                let reason = status.message().to_owned();
                if let Some((frames, failed)) = last {
                    let _ = tokio::time::timeout(LAST_WORDS, frames.send(failed(status))).await;
                }
                reason
            }
        },
        reason = writing => {
            // All is said; the other side ends the stream once it has heard it.
            drop(last);
            let _ = tokio::time::timeout(LAST_WORDS, reading).await;
            reason
        }
        () = overrun.cancelled() => "reads too slowly".to_owned(),
    };
    tracing::info!(city = %end.city, link, %reason, "link ended");
    node.tell(Input::LinkDown { link, reason: reason.clone() }).await;
    reason
}

async fn read(
    node: NodeHandle,
    link: LinkId,
    city: CityCode,
    incoming: impl Stream<Item = Result<Incoming, Status>>,
) -> Result<(), Status> {
    tokio::pin!(incoming);
    while let Some(next) = incoming.next().await {
        match next? {
            // Waits while the core is busy: the other side then waits for us.
            Incoming::Frame(frame, bytes) => node.take_frame(link, city, frame, bytes).await,
            Incoming::Bad(refused) => node.tell(Input::BadFrame(link, refused)).await,
            Incoming::Newer => {}
        }
    }
    Ok(())
}

async fn write<T>(
    node: NodeHandle,
    mut orders: mpsc::Receiver<LinkOrder>,
    outgoing: mpsc::Sender<T>,
    written: Written<T>,
) -> String {
    while let Some(order) = orders.recv().await {
        let sent = match order {
            LinkOrder::Send(frame) => send(&outgoing, written(frame)).await,
            LinkOrder::Close(why) => return why.to_owned(),
            LinkOrder::Perform(output) => perform(&node, &outgoing, &written, output).await,
        };
        if let Err(why) = sent {
            return why;
        }
    }
    "the node is stopping".to_owned()
}

async fn send<T>(outgoing: &mpsc::Sender<T>, frame: T) -> Result<(), String> {
    match tokio::time::timeout(SEND_TIMEOUT, outgoing.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("closed by the other side".to_owned()),
        Err(_) => Err("reads nothing for 30 s".to_owned()),
    }
}

/// Reads what the core said may be read, off its thread, and sends it.
async fn perform<T>(
    node: &NodeHandle,
    outgoing: &mpsc::Sender<T>,
    written: &Written<T>,
    output: Output,
) -> Result<(), String> {
    let reader = node.reader();
    match output {
        Output::Serve { link, city, log, from, bytes_max } => {
            let read =
                tokio::task::spawn_blocking(move || reader.stretch(city, log, from, bytes_max));
            // What cannot be read is reported as nothing read: the other side asks elsewhere.
            let stretch = read.await.map_err(|e| e.to_string())?.unwrap_or_else(|error| {
                tracing::error!(%city, %log, from, %error, "could not read a stretch");
                crate::node::reader::Stretch { next: from, ..Default::default() }
            });
            for batch in stretch.batches {
                send(outgoing, written(Frame::Batch(batch))).await?;
            }
            let (next, bytes) = (stretch.next, stretch.bytes);
            node.tell(Input::Served { link, log, from, next, bytes }).await;
            Ok(())
        }
        Output::ServeParts { city, entry, parts, .. } => {
            let read = tokio::task::spawn_blocking(move || reader.parts_for(city, entry, &parts));
            let found = read.await.map_err(|e| e.to_string())?;
            match found {
                Ok(parts) if !parts.is_empty() => {
                    send(outgoing, written(Frame::LateParts { entry, parts })).await
                }
                Ok(_) => Ok(()),
                Err(error) => {
                    tracing::warn!(%city, %entry, %error, "could not read parts for a member");
                    Ok(())
                }
            }
        }
        Output::Written(..)
        | Output::NotesDone(..)
        | Output::Status(..)
        | Output::Send(..)
        | Output::Close(..)
        | Output::Applied(_)
        | Output::Ordered(..)
        | Output::StartAnew
        | Output::MembersChanged => Ok(()),
    }
}
