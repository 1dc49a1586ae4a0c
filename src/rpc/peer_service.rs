//! The exchange between member cities: streams into links, alerts, and who has a notice.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::evidence_fetch::{Holder, Served};
use super::notice_read;
use crate::domain::code::Language;
use crate::ids::{AgreementId, SubjectId};
use crate::log::Entry;
use crate::node::alert::Alerts;
use crate::node::link::{self, Incoming, LinkEnd, OUTGOING_MAX, Outgoing};
use crate::node::traffic::Traffic;
use crate::node::writer::NodeHandle;
use crate::sync::Frame;
use crate::trust::acceptor::Peer;
use crate::trust::people::Standing;
use crate::trust::spiffe::Subject;
use crate::view;
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

    async fn holds_notice(
        &self,
        request: Request<pb::HoldsNoticeRequest>,
    ) -> Result<Response<pb::HoldsNoticeResponse>, Status> {
        let city = self.caller(&request)?.identity.city;
        let refuse = |refused: Refused| refused.status(Language::En);
        let asked = peer::parse_holds_notice(request.get_ref());
        let (agreement, subject) = asked.map_err(|error| refuse(status::of_wire(&error)))?;
        let (reader, own) = (self.node.reader(), self.node.city());
        let suspended = self.node.book().is_suspended(city);
        let looked = tokio::task::spawn_blocking(move || {
            let found = view::notice(&reader.view(), agreement, subject)?;
            let notice = &found.notice;
            // Nobody learns how far the notice of another city has got.
            if notice.issuer != city || !notice.addressees.contains(&own) || suspended {
                return None;
            }
            let opening = reader.entry(found.opened_at).ok()?;
            Some(notice_read::record(&reader, &opening).is_some())
        });
        let held = looked.await.ok().flatten();
        let held = held.ok_or_else(|| refuse(Refused::new("NOT_FOUND")))?;
        Ok(Response::new(pb::HoldsNoticeResponse { held }))
    }
}

/// Asks over an open channel whether the text of an own notice is there.
///
/// # Errors
/// The status with which the other side refused: also `UNIMPLEMENTED`, by a node of before.
pub async fn holds_notice(
    channel: tonic::transport::Channel,
    agreement: AgreementId,
    notice: SubjectId,
) -> Result<bool, Status> {
    let mut client = pb::peer_service_client::PeerServiceClient::new(channel)
        .max_decoding_message_size(crate::limits::PEER_MESSAGE_BYTES_MAX);
    let answer = client.holds_notice(peer::holds_notice_to_pb(agreement, notice)).await?;
    Ok(answer.into_inner().held)
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
