//! The exchange between member cities: streams into links.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::domain::code::Language;
use crate::node::link::{self, LinkEnd, OUTGOING_MAX};
use crate::node::writer::{NodeHandle, Traffic};
use crate::sync::Frame;
use crate::trust::acceptor::Peer;
use crate::trust::people::Standing;
use crate::trust::spiffe::Subject;
use crate::wire::pb::peer_v1 as pb;
use crate::wire::pb::peer_v1::peer_service_server::PeerService;
use crate::wire::status::{self, Refused};
use crate::wire::{WireError, peer};

/// The service.
pub struct PeerApi {
    /// The node.
    pub node: NodeHandle,
}

/// Frames that go out of a server stream.
type Outgoing = Pin<Box<dyn Stream<Item = Result<pb::ExchangeResponse, Status>> + Send>>;

/// Reads a frame that came from a city, and counts it.
fn read(traffic: &Traffic, frame: Option<pb::Frame>) -> Result<Frame, Status> {
    let bytes = frame.as_ref().map_or(0, Message::encoded_len);
    traffic.received.fetch_add(bytes as u64, Ordering::Relaxed);
    let frame = frame.ok_or(WireError::Missing { field: "frame" });
    frame.and_then(peer::parse_frame).map_err(|e| status::of_wire(&e).status(Language::En))
}

/// Writes a frame that goes to a city, and counts it.
fn write(traffic: &Traffic, frame: &Frame) -> pb::Frame {
    let frame = peer::frame_to_pb(frame);
    traffic.sent.fetch_add(frame.encoded_len() as u64, Ordering::Relaxed);
    frame
}

#[tonic::async_trait]
impl PeerService for PeerApi {
    type ExchangeStream = Outgoing;

    async fn exchange(
        &self,
        request: Request<Streaming<pb::ExchangeRequest>>,
    ) -> Result<Response<Outgoing>, Status> {
        let unknown = || Refused::new("CERT_UNKNOWN").status(Language::En);
        let who = request.extensions().get::<Peer>().cloned().ok_or_else(unknown)?;
        if !matches!(who.identity.subject, Subject::Node(_)) {
            return Err(unknown());
        }
        // The list names identities of the own city only: a stand-by that was taken out.
        let own = who.identity.city == self.node.city();
        if own && who.people.standing(&who.identity) == Standing::Disabled {
            return Err(Refused::new("PERSON_DISABLED").status(Language::En));
        }
        let traffic = self.node.traffic(who.identity.city);
        let counted = Arc::clone(&traffic);
        let incoming =
            request.into_inner().map(move |next| next.and_then(|f| read(&counted, f.frame)));
        let (outgoing, frames) = mpsc::channel(OUTGOING_MAX);
        let address = who.address.to_string();
        let end = LinkEnd { city: who.identity.city, by_us: false, address };
        tokio::spawn(link::run(self.node.clone(), end, incoming, outgoing));
        let written =
            move |frame: Frame| Ok(pb::ExchangeResponse { frame: Some(write(&traffic, &frame)) });
        Ok(Response::new(Box::pin(ReceiverStream::new(frames).map(written))))
    }
}

/// Dials over an open channel and runs the link to its end.
///
/// # Errors
/// The status with which the other side refused.
pub async fn call(
    node: NodeHandle,
    channel: tonic::transport::Channel,
    end: LinkEnd,
) -> Result<String, Status> {
    let (outgoing, frames) = mpsc::channel(OUTGOING_MAX);
    let traffic = node.traffic(end.city);
    let counted = Arc::clone(&traffic);
    let written = move |frame: Frame| pb::ExchangeRequest { frame: Some(write(&traffic, &frame)) };
    let mut client = pb::peer_service_client::PeerServiceClient::new(channel)
        .max_decoding_message_size(crate::limits::PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(crate::limits::PEER_MESSAGE_BYTES_MAX);
    let answer = client.exchange(ReceiverStream::new(frames).map(written)).await?;
    let incoming = answer.into_inner().map(move |next| next.and_then(|f| read(&counted, f.frame)));
    Ok(link::run(node, end, incoming, outgoing).await)
}
