//! A member city whose node is somebody else's program: it has the city's keys and certificate,
//! and says whatever a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use liandong::domain::Event;
use liandong::ids::{ActorId, AgreementId, CityCode, LogId, SubjectId};
use liandong::log::checkpoint::SignedCheckpoint;
use liandong::log::keys::SigningKey;
use liandong::log::manifest::SignedManifest;
use liandong::log::merkle::{Frontier, digest, leaf_hash};
use liandong::log::{
    ActorRef, ActorRole, Audience, Envelope, Head, PartKind, PartRef, PartSlot, Subject,
    SubjectKind,
};
use liandong::sync::{AgreementState, Frame, Hello, LogState, RawBatch, RawEntry};
use liandong::trust::charter::SignedCharter;
use liandong::trust::keys;
use liandong::trust::tls::{CaDirectory, Credentials, Revocations, TlsContext};
use liandong::wire::entry::encode_header;
use liandong::wire::pb::peer_v1 as pb;
use liandong::wire::pb::peer_v1::peer_service_client::PeerServiceClient;
use liandong::wire::peer::{frame_to_pb, parse_frame};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Status, Streaming};

use super::nodes::Nodes;

/// An honest node answers within this time, even on a machine under load.
const WITHIN: Duration = Duration::from_secs(30);

pub fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

/// The keys of a city in one agreement, and the log it would write honestly.
pub struct Author {
    pub agreement: AgreementId,
    pub charter: liandong::ids::Hash,
    pub manifest: Bytes,
    pub log: LogId,
    pub key: SigningKey,
    pub cosign_key: SigningKey,
    pub frontier: Frontier,
    actor: ActorRef,
    /// Its entries say that its clock is in doubt.
    pub clock_suspect: bool,
}

impl Author {
    /// Of a city whose node does not run, from the files it would have read.
    pub fn of(nodes: &Nodes, code: u32) -> Self {
        let folder = nodes.fleet.folder(code);
        let id = &nodes.fleet.agreements[0].id;
        let read = |what: &str| {
            Bytes::from(std::fs::read(folder.join(format!("data/inbox/{what}-{id}.note"))).unwrap())
        };
        let charter = SignedCharter::parse(&read("charter")).unwrap().charter().clone();
        let manifest = read("manifest");
        let key = |what: &str| keys::load(&folder.join(format!("keys/{id}-epoch1-{what}.pem")));
        Self {
            agreement: charter.agreement,
            charter: charter.hash(),
            log: SignedManifest::peek(&manifest).unwrap().log_id(),
            manifest,
            key: key("log").unwrap(),
            cosign_key: key("cosign").unwrap(),
            frontier: Frontier::new(),
            actor: ActorRef { role: ActorRole::Coordinator, id: ActorId::new([7; 16]) },
            clock_suspect: false,
        }
    }

    /// Of a city that has no folder: what its node would hold.
    pub fn with(
        (agreement, charter): (AgreementId, liandong::ids::Hash),
        manifest: Bytes,
        [key, cosign_key]: [SigningKey; 2],
    ) -> Self {
        let log = SignedManifest::peek(&manifest).unwrap().log_id();
        let frontier = Frontier::new();
        let actor = ActorRef { role: ActorRole::Coordinator, id: ActorId::new([7; 16]) };
        let clock_suspect = false;
        Self { agreement, charter, manifest, log, key, cosign_key, frontier, actor, clock_suspect }
    }

    /// An entry for the next index but `ahead`, with these texts as parts for all.
    pub fn entry(&self, ahead: u64, event: &Event, about: About, parts: &[Bytes]) -> RawEntry {
        let parts: Vec<_> = parts.iter().map(|b| (Audience::AllMembers, b.clone())).collect();
        self.entry_for(ahead, event, about, &parts)
    }

    /// The same, each text with its audience.
    pub fn entry_for(
        &self,
        ahead: u64,
        event: &Event,
        about: About,
        parts: &[(Audience, Bytes)],
    ) -> RawEntry {
        let text = |(audience, bytes): &(Audience, Bytes)| {
            (PartKind::Text, audience.clone(), bytes.clone())
        };
        self.entry_of(ahead, event, about, &parts.iter().map(text).collect::<Vec<_>>())
    }

    /// The same with parts of any kind.
    pub fn entry_of(
        &self,
        ahead: u64,
        event: &Event,
        about: About,
        parts: &[(PartKind, Audience, Bytes)],
    ) -> RawEntry {
        let part = |(kind, audience, bytes): &(PartKind, Audience, Bytes)| PartRef {
            kind: *kind,
            audience: audience.clone(),
            digest: digest(bytes),
        };
        let envelope = Envelope {
            log: self.log,
            index: self.frontier.size() + ahead,
            record_time_ms: 1_795_140_000_000,
            clock_suspect: self.clock_suspect,
            after: about.after,
            actor: Some(self.actor),
            acting_for: None,
            request: None,
            subject: about.subject,
            prev: about.prev,
            parts: parts.iter().map(part).collect(),
        };
        let parts = parts.iter().map(|(_, _, bytes)| PartSlot::Bytes(bytes.clone())).collect();
        RawEntry { header: encode_header(&envelope, event), parts }
    }

    /// The entry that introduces the one who writes.
    pub fn introduction(&self, ahead: u64) -> RawEntry {
        let id = Some(SubjectId::new([7; 16]));
        let subject = Subject { kind: SubjectKind::Actor, id };
        self.entry(ahead, &Event::ActorIntroduced, About::subject(subject), &[])
    }

    /// The next entries as a batch, which does not change what this author holds.
    pub fn batch(&self, entries: Vec<RawEntry>) -> RawBatch {
        let head = self.head_after(&entries);
        let checkpoint = SignedCheckpoint::sign(head, &self.key).note().clone();
        RawBatch { log: self.log, from: self.frontier.size(), entries, checkpoint }
    }

    pub fn head_after(&self, entries: &[RawEntry]) -> Head {
        let mut frontier = self.frontier.clone();
        entries.iter().for_each(|e| frontier.push(leaf_hash(&e.header)));
        Head { log: self.log, size: frontier.size(), root: frontier.root() }
    }

    /// Takes a batch for written.
    pub fn wrote(&mut self, batch: &RawBatch) {
        batch.entries.iter().for_each(|e| self.frontier.push(leaf_hash(&e.header)));
    }

    pub fn hello(&self) -> Hello {
        let state = LogState { log: self.log, checkpoint: None, cosignatures: Vec::new() };
        Hello {
            protocol_min: 1,
            protocol_max: 1,
            instance: [9; 16],
            agreements: vec![AgreementState {
                agreement: self.agreement,
                charter: self.charter,
                manifests: vec![self.manifest.clone()],
                logs: vec![state],
            }],
            cards: Vec::new(),
            clock_ms: 0,
        }
    }
}

/// What an entry is about, and what its author had seen.
#[derive(Clone)]
pub struct About {
    pub subject: Subject,
    pub prev: Option<liandong::ids::Position>,
    pub after: Vec<Head>,
}

impl About {
    pub fn subject(subject: Subject) -> Self {
        Self { subject, prev: None, after: Vec::new() }
    }

    pub fn case(id: Option<SubjectId>) -> Self {
        Self::subject(Subject { kind: SubjectKind::Case, id })
    }
}

/// A stream to an honest node.
pub struct Rogue {
    requests: mpsc::Sender<pb::ExchangeRequest>,
    answers: Streaming<pb::ExchangeResponse>,
    pings: u64,
    /// Frames that came while something else was waited for.
    pub heard: Vec<Frame>,
}

/// A channel to the peer port of `to`, with the certificate of `by`.
pub async fn channel(nodes: &Nodes, by: u32, to: u32) -> Result<Channel, tonic::transport::Error> {
    let own = nodes.fleet.folder(by).join("certs");
    let chain = |path| CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect();
    let credentials = Credentials {
        chain: chain(own.join("node.pem")),
        key: PrivateKeyDer::from_pem_file(own.join("node.key")).unwrap(),
    };
    let cas = CaDirectory::default();
    let theirs = nodes.fleet.folder(to).join("certs/ca.pem");
    cas.set(std::iter::once((city(to), chain(theirs))).collect());
    let context = TlsContext { city: city(by), cas, revocations: Revocations::default() };
    let refused = Arc::new(Mutex::new(None));
    let config = context.peer_client(credentials, city(to), &[], refused).unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let target = nodes.fleet.city(to).unwrap().peer;
    let dial = tower::service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move {
            let tcp = tokio::net::TcpStream::connect(target).await?;
            let name = rustls::pki_types::ServerName::try_from("peer.liandong").unwrap();
            Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, tcp).await?))
        }
    });
    let endpoint = Endpoint::from_shared(format!("http://{target}")).unwrap();
    let origin: Uri = "https://peer.liandong".parse().unwrap();
    endpoint.origin(origin).connect_with_connector(dial).await
}

impl Rogue {
    /// Opens a stream from `by` to `to`; nothing has been said yet.
    pub async fn open(nodes: &Nodes, by: u32, to: u32) -> Self {
        // The other side takes the certificate once the cards are in its journal.
        let begun = tokio::time::Instant::now();
        loop {
            match Self::try_open(nodes, by, to).await {
                Ok(rogue) => return rogue,
                Err(why) => assert!(begun.elapsed() < WITHIN, "no stream: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn try_open(nodes: &Nodes, by: u32, to: u32) -> Result<Self, String> {
        let channel = channel(nodes, by, to).await.map_err(|e| e.to_string())?;
        let (requests, stream) = mpsc::channel(64);
        let mut client = PeerServiceClient::new(channel)
            .max_encoding_message_size(64 << 20)
            .max_decoding_message_size(64 << 20);
        let answer = client.exchange(ReceiverStream::new(stream)).await;
        let answers = answer.map_err(|e| e.to_string())?.into_inner();
        Ok(Self { requests, answers, pings: 0, heard: Vec::new() })
    }

    /// Opens a stream and greets as the city's own node would.
    pub async fn greeted(nodes: &Nodes, by: u32, to: u32, author: &Author) -> Self {
        let mut rogue = Self::open(nodes, by, to).await;
        rogue.say(Frame::Hello(author.hello())).await;
        rogue.wait("its greeting", |f| matches!(f, Frame::Hello(_)).then_some(())).await;
        rogue
    }

    pub async fn say(&self, frame: Frame) {
        self.say_raw(pb::ExchangeRequest { frame: Some(frame_to_pb(&frame)) }).await;
    }

    /// Says something that is no frame of ours; it may have hung up.
    pub async fn say_raw(&self, request: pb::ExchangeRequest) {
        let _ = self.requests.send(request).await;
    }

    /// The next frame, or how the stream ended.
    pub async fn next(&mut self) -> Result<Option<Frame>, Status> {
        let next = tokio::time::timeout(WITHIN, self.answers.message()).await;
        let message = next.expect("an honest node answers or hangs up")?;
        Ok(message.and_then(|m| m.frame).map(|f| parse_frame(f).unwrap()))
    }

    /// Listens until a frame fits; the others are kept.
    pub async fn wait<T>(&mut self, what: &str, fits: impl Fn(&Frame) -> Option<T>) -> T {
        if let Some(at) = self.heard.iter().position(|f| fits(f).is_some()) {
            return fits(&self.heard.remove(at)).unwrap();
        }
        loop {
            let frame = self.next().await.unwrap_or_else(|status| panic!("{what}: {status}"));
            let frame = frame.unwrap_or_else(|| panic!("{what}: the stream ended"));
            match fits(&frame) {
                Some(found) => return found,
                None => self.heard.push(frame),
            }
        }
    }

    /// The next refusal: its reason, the number beside it, its facts.
    pub async fn refusal(&mut self) -> (String, u64, Vec<(String, String)>) {
        let refusal = |frame: &Frame| {
            let Frame::Refuse { reason, expected, facts, .. } = frame else { return None };
            Some((reason.clone(), *expected, facts.clone()))
        };
        self.wait("a refusal", refusal).await
    }

    /// Everything said so far was dealt with, and the link stands.
    pub async fn settled(&mut self) {
        self.pings += 1;
        let wanted = 1_000_000 + self.pings;
        self.say(Frame::Ping { number: wanted, pong: false, clock_ms: 0 }).await;
        let pong = |frame: &Frame| {
            matches!(frame, Frame::Ping { number, pong: true, .. } if *number == wanted)
                .then_some(())
        };
        self.wait("a pong", pong).await;
    }

    /// Refusals heard so far.
    pub fn refusals(&self) -> Vec<&str> {
        self.heard
            .iter()
            .filter_map(|frame| {
                let Frame::Refuse { reason, .. } = frame else { return None };
                Some(reason.as_str())
            })
            .collect()
    }

    /// The stream ends, after whatever else is said first.
    pub async fn ended(&mut self) -> Option<Status> {
        loop {
            match self.next().await {
                Ok(Some(frame)) => self.heard.push(frame),
                Ok(None) => return None,
                Err(status) => return Some(status),
            }
        }
    }
}
