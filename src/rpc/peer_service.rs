//! The exchange between member cities: streams into links, and alerts.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::evidence_fetch::{Holder, Served};
use crate::domain::code::Language;
use crate::ids::AgreementId;
use crate::log::Entry;
use crate::node::alert::Alerts;
use crate::node::link::{self, Incoming, LinkEnd, OUTGOING_MAX, Outgoing};
use crate::node::traffic::Traffic;
use crate::node::writer::NodeHandle;
use crate::sync::Frame;
use crate::trust::acceptor::Peer;
use crate::trust::people::Standing;
use crate::trust::spiffe::Subject;
use crate::wire::pb::peer_v1 as pb;
use crate::wire::pb::peer_v1::peer_service_server::PeerService;
use crate::wire::peer;
use crate::wire::status::{self, Refused};

/// The service.
pub struct PeerApi {
    /// The node.
    pub node: NodeHandle,
    /// What has rung.
    pub alerts: Alerts,
    /// Evidence files for who may hold them.
    pub holder: Holder,
}

impl PeerApi {
    /// The node that calls: of a member city, or an own stand-by.
    fn caller<T>(&self, request: &Request<T>) -> Result<Peer, Status> {
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
        Ok(who)
    }
}

/// Frames that go out of a server stream.
type Answers = Pin<Box<dyn Stream<Item = Result<pb::ExchangeResponse, Status>> + Send>>;

/// Reads one message of a stream, and counts it; a frame that cannot be read does not end it.
fn read(traffic: &Traffic, next: Result<Option<pb::Frame>, Status>) -> Result<Incoming, Status> {
    let next = next.map_err(|failed| status::of_library(failed, Language::En))?;
    let bytes = next.as_ref().map_or(0, Message::encoded_len);
    traffic.received.fetch_add(bytes as u64, Ordering::Relaxed);
    let Some(frame) = next.filter(|f| f.frame.is_some()) else { return Ok(Incoming::Newer) };
    Ok(match peer::parse_frame(frame) {
        Ok(frame) => Incoming::Frame(frame, bytes),
        Err(error) => Incoming::Bad(Box::new(status::of_wire(&error))),
    })
}

/// Writes a frame that goes to a city, and counts it.
fn write(traffic: &Traffic, frame: &Frame) -> pb::Frame {
    let frame = peer::frame_to_pb(frame);
    traffic.sent.fetch_add(frame.encoded_len() as u64, Ordering::Relaxed);
    frame
}

#[tonic::async_trait]
impl PeerService for PeerApi {
    type ExchangeStream = Answers;
    type FetchEvidenceStream = Served;

    async fn fetch_evidence(
        &self,
        request: Request<pb::FetchEvidenceRequest>,
    ) -> Result<Response<Served>, Status> {
        let who = self.caller(&request)?;
        let served = self.holder.serve(&who, &request.into_inner()).await;
        served.map(Response::new).map_err(|refused| refused.status(Language::En))
    }

    async fn exchange(
        &self,
        request: Request<Streaming<pb::ExchangeRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let who = self.caller(&request)?;
        let traffic = self.node.traffic(who.identity.city);
        traffic.certificate_end_s.store(who.identity.not_after_s, Ordering::Relaxed);
        let counted = Arc::clone(&traffic);
        let incoming = request.into_inner().map(move |next| read(&counted, next.map(|f| f.frame)));
        let (frames, answers) = mpsc::channel(OUTGOING_MAX);
        let address = who.address.to_string();
        let end = LinkEnd { city: who.identity.city, by_us: false, address };
        let written =
            move |frame: Frame| Ok(pb::ExchangeResponse { frame: Some(write(&traffic, &frame)) });
        let outgoing = Outgoing { frames, written: Arc::new(written), failed: Some(Err) };
        tokio::spawn(link::run(self.node.clone(), end, incoming, outgoing));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn alert(
        &self,
        request: Request<pb::AlertRequest>,
    ) -> Result<Response<pb::AlertResponse>, Status> {
        let who = self.caller(&request)?;
        let refuse = |refused: Refused| refused.status(Language::En);
        let alert = peer::parse_alert(request.into_inner());
        let alert = alert.map_err(|error| refuse(status::of_wire(&error)))?;
        let city = who.identity.city;
        let applied = self.alerts.take(&self.node, city, alert).await.map_err(|refused| {
            // Counted by the caller's side as well; a line for each would fill the disk.
            tracing::debug!(%city, reason = refused.reason(), "an alert was not taken");
            refuse(refused)
        })?;
        Ok(Response::new(pb::AlertResponse { applied }))
    }
}

/// Rings over an open channel; true when the entry itself is there already.
///
/// # Errors
/// The status with which the other side refused.
pub async fn ring(
    channel: tonic::transport::Channel,
    agreement: AgreementId,
    entry: &Entry,
) -> Result<bool, Status> {
    let mut client = pb::peer_service_client::PeerServiceClient::new(channel)
        .max_decoding_message_size(crate::limits::PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(crate::limits::PEER_MESSAGE_BYTES_MAX);
    let answer = client.alert(peer::alert_to_pb(agreement, entry)).await?;
    Ok(answer.into_inner().applied)
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
    let (frames, requests) = mpsc::channel(OUTGOING_MAX);
    let traffic = node.traffic(end.city);
    let counted = Arc::clone(&traffic);
    let written = move |frame: Frame| pb::ExchangeRequest { frame: Some(write(&traffic, &frame)) };
    let mut client = pb::peer_service_client::PeerServiceClient::new(channel)
        .max_decoding_message_size(crate::limits::PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(crate::limits::PEER_MESSAGE_BYTES_MAX);
    let answer = client.exchange(ReceiverStream::new(requests)).await?;
    let incoming = answer.into_inner().map(move |next| read(&counted, next.map(|f| f.frame)));
    let outgoing = Outgoing { frames, written: Arc::new(written), failed: None };
    Ok(link::run(node, end, incoming, outgoing).await)
}
