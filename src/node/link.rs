//! One connection to one member city, whoever dialled: two tasks, one reading, one writing.
//!
//! In scope: moving frames between the core and a stream, reading stretches from disk for the
//! other side, slow readers. Out of scope: what frames mean ([`crate::node::core`]).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use crate::ids::CityCode;
use crate::node::core::{Input, Output};
use crate::node::writer::{LinkOrder, NodeHandle};
use crate::sync::{Frame, LinkId};

/// Frames that may wait between the writing task and the stream.
pub const OUTGOING_MAX: usize = 16;
/// Orders that may wait for a slow reader before its link is ended.
const ORDERS_MAX: usize = 16 * 1024;
/// A reader that takes nothing for this long is dead.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

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

/// Runs a link until either side ends it; returns why it ended.
pub async fn run(
    node: NodeHandle,
    end: LinkEnd,
    incoming: impl Stream<Item = Result<Frame, Status>> + Send + 'static,
    outgoing: mpsc::Sender<Frame>,
) -> String {
    let link = NEXT_LINK.fetch_add(1, Ordering::Relaxed);
    let _counted = node.count_link(end.city);
    let (orders_tx, orders) = mpsc::unbounded_channel();
    node.open_link(link, end.city, end.by_us, end.address.clone(), orders_tx).await;
    let reading = read(node.clone(), link, incoming);
    let writing = write(node.clone(), orders, outgoing);
    let reason = tokio::select! {
        reason = reading => reason,
        reason = writing => reason,
    };
    tracing::info!(city = %end.city, link, %reason, "link ended");
    node.tell(Input::LinkDown { link, reason: reason.clone() }).await;
    reason
}

async fn read(
    node: NodeHandle,
    link: LinkId,
    incoming: impl Stream<Item = Result<Frame, Status>>,
) -> String {
    tokio::pin!(incoming);
    while let Some(frame) = incoming.next().await {
        match frame {
            // Waits while the core is busy: the other side then waits for us.
            Ok(frame) => node.tell(Input::Frame(link, frame)).await,
            Err(status) => return status.message().to_owned(),
        }
    }
    "closed by the other side".to_owned()
}

async fn write(
    node: NodeHandle,
    mut orders: mpsc::UnboundedReceiver<LinkOrder>,
    outgoing: mpsc::Sender<Frame>,
) -> String {
    while let Some(order) = orders.recv().await {
        if orders.len() > ORDERS_MAX {
            return "reads too slowly".to_owned();
        }
        let sent = match order {
            LinkOrder::Send(frame) => send(&outgoing, frame).await,
            LinkOrder::Close(why) => return why.to_owned(),
            LinkOrder::Perform(output) => perform(&node, &outgoing, output).await,
        };
        if let Err(why) = sent {
            return why;
        }
    }
    "the node is stopping".to_owned()
}

async fn send(outgoing: &mpsc::Sender<Frame>, frame: Frame) -> Result<(), String> {
    match tokio::time::timeout(SEND_TIMEOUT, outgoing.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("closed by the other side".to_owned()),
        Err(_) => Err("reads nothing for 30 s".to_owned()),
    }
}

/// Reads what the core said may be read, off its thread, and sends it.
async fn perform(
    node: &NodeHandle,
    outgoing: &mpsc::Sender<Frame>,
    output: Output,
) -> Result<(), String> {
    let reader = node.reader();
    match output {
        Output::Serve { link, city, log, from, bytes_max } => {
            let read =
                tokio::task::spawn_blocking(move || reader.stretch(city, log, from, bytes_max));
            let stretch = read.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
            for batch in stretch.batches {
                send(outgoing, Frame::Batch(batch)).await?;
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
                    send(outgoing, Frame::LateParts { entry, parts }).await
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
        | Output::MembersChanged => Ok(()),
    }
}
