//! Bytes that no honest client sends: answered with a refusal, or the stream ends; never a panic,
//! and everybody else is served on.

use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use liandong::cli::connect::Dialler;
use liandong::lang::Lang;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use prost::Message;
use rand::{Rng, SeedableRng};
use tokio::io::AsyncWriteExt;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::api::{HERE, Pair, sample};
use super::nodes::Nodes;

/// HTTP/2 without any gRPC on our side.
pub struct Raw(SendRequest<Bytes>);

/// A call whose message is not sent.
pub struct Stalled {
    _parts: (SendRequest<Bytes>, h2::client::ResponseFuture, h2::SendStream<Bytes>),
}

/// What came back: the status if there was one, the data.
#[derive(Debug)]
pub struct Answer {
    pub status: Option<Status>,
    pub data: Bytes,
}

impl Answer {
    pub fn reason(&self) -> Option<(Code, String)> {
        let status = self.status.as_ref()?;
        let info = status.get_details_error_info();
        Some((status.code(), info.map(|info| info.reason).unwrap_or_default()))
    }

    /// The message of a good answer.
    pub fn message<M: Message + Default>(&self) -> M {
        M::decode(&self.data[5..]).unwrap()
    }
}

impl Raw {
    pub async fn dial(nodes: &Nodes, role: Role) -> Self {
        let dialler = Dialler::new(&nodes.fleet.profile(HERE, role), Lang::En).unwrap();
        let tls = dialler.tls(dialler.tcp().await.unwrap()).await.unwrap();
        let (send, connection) = h2::client::handshake(tls).await.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    /// Begins a call and never sends its message; it ends when what is returned is dropped.
    pub async fn stall(&self, path: &str) -> Stalled {
        let request = Request::post(format!("https://api.liandong{path}"))
            .header("content-type", "application/grpc")
            .body(())
            .unwrap();
        let mut send = self.0.clone().ready().await.unwrap();
        let (response, stream) = send.send_request(request, false).unwrap();
        Stalled { _parts: (send, response, stream) }
    }

    /// Begins a call, never sends its message, and waits for the answer's headers.
    async fn unfinished(&self, path: &str, headers: &[(&str, &str)]) -> HeaderMap {
        let mut request = Request::post(format!("https://api.liandong{path}"))
            .header("content-type", "application/grpc");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut send = self.0.clone().ready().await.unwrap();
        let (response, _stream) = send.send_request(request.body(()).unwrap(), false).unwrap();
        response.await.unwrap().headers().clone()
    }

    /// Sends a call; `None` when the stream was cut off.
    pub async fn call(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Option<Answer> {
        let mut request = Request::post(format!("https://api.liandong{path}"))
            .header("content-type", "application/grpc")
            .header("accept-language", "en")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut send = self.0.clone().ready().await.ok()?;
        let (response, mut stream) = send.send_request(request.body(()).ok()?, false).ok()?;
        // Refused before all was sent: the answer is what counts.
        let _ = stream.send_data(body, true);
        let response = response.await.ok()?;
        let headers = response.headers().clone();
        let mut body = response.into_body();
        let mut data = BytesMut::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk.ok()?;
            let _ = body.flow_control().release_capacity(chunk.len());
            data.extend_from_slice(&chunk);
        }
        let trailers: Option<HeaderMap> = body.trailers().await.ok()?;
        let from = |headers: &HeaderMap| Status::from_header_map(headers);
        let status = from(&headers).or_else(|| trailers.as_ref().and_then(from));
        Some(Answer { status, data: data.freeze() })
    }
}

/// A message with its frame.
pub fn framed(message: &impl Message) -> Bytes {
    frame(0, &message.encode_to_vec())
}

fn frame(flag: u8, bytes: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(flag);
    out.put_u32(u32::try_from(bytes.len()).unwrap());
    out.put_slice(bytes);
    out.freeze()
}

const LIST: &str = "/liandong.v1.CaseService/ListCases";
const CREATE: &str = "/liandong.v1.CaseService/CreateCase";

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_and_everybody_is_served_on() {
    let pair = Pair::start().await;
    let mut raw = Raw::dial(&pair.nodes, Role::Coordinator).await;
    let good =
        framed(&pb::ListCasesRequest { parent: pair.agreement.clone(), ..Default::default() });
    let malformed = Some((Code::InvalidArgument, "MALFORMED".to_owned()));
    let rows: Vec<(&str, Bytes)> = vec![
        ("nothing", Bytes::new()),
        ("a frame cut in its head", Bytes::from_static(&[0, 0, 0])),
        ("a frame that promises more", Bytes::from_static(&[0, 0, 0, 0, 9, 1])),
        ("an unknown flag", frame(7, &[])),
        ("a field that runs over the end", frame(0, &[0x0a, 0xff, 0x01])),
        ("a group", frame(0, &[0x0b, 0x0b, 0x0b])),
        ("a varint without an end", frame(0, &[0xff; 11])),
        ("no UTF-8", frame(0, &[0x0a, 0x02, 0xc3, 0x28])),
        ("compressed, without saying how", frame(1, &[1, 2, 3])),
    ];
    for (what, body) in rows {
        let answer = raw.call(LIST, &[], body).await.unwrap_or_else(|| panic!("{what}: cut off"));
        assert_eq!(answer.reason(), malformed, "{what}: {answer:?}");
        let answer = raw.call(LIST, &[], good.clone()).await.expect(what);
        assert_eq!(answer.reason(), Some((Code::Ok, String::new())), "after {what}");
    }
    // Any bytes at all, on the methods that read most.
    let mut random = rand::rngs::StdRng::seed_from_u64(2);
    let sound = sample(&pair.agreement, 3).encode_to_vec();
    for round in 0..300 {
        let mut bytes = if round % 2 == 0 { sound.clone() } else { vec![0; 200] };
        for _ in 0..random.random_range(1..6) {
            let place = random.random_range(0..bytes.len());
            bytes[place] = random.random();
        }
        let answer = raw.call(CREATE, &[], frame(0, &bytes)).await.expect("not cut off");
        let (code, reason) = answer.reason().unwrap();
        let known = code == Code::Ok || liandong::wire::reasons::find(&reason).is_some();
        assert!(known, "round {round}: {answer:?}");
    }
    too_large(&mut raw, &pair).await;
    no_http_at_all(&pair).await;
    assert!(raw.call(LIST, &[], good).await.is_some(), "the connection stands");
    assert!(!pair.nodes.log(HERE).contains("panicked"), "{}", pair.nodes.log(HERE));
}

async fn too_large(raw: &mut Raw, pair: &Pair) {
    let want = Some((Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned()));
    let mut large = sample(&pair.agreement, 3);
    large.record.as_mut().unwrap().summary = "x".repeat(1_100_000);
    let size = large.encoded_len().to_string();
    let answer = raw.call(CREATE, &[], framed(&large)).await.unwrap();
    assert_eq!(answer.reason(), want);
    let info = answer.status.unwrap().get_details_error_info().unwrap();
    assert_eq!((&info.metadata["limit"], &info.metadata["got"]), (&"1048576".to_owned(), &size));
    // Only promised: refused before it is sent.
    let promise = Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(raw.call(CREATE, &[], promise).await.unwrap().reason(), want);
    // Many small elements in few bytes.
    let mut many = sample(&pair.agreement, 3);
    many.record.as_mut().unwrap().officers = vec![pb::Officer::default(); 100_000];
    let answer = raw.call(CREATE, &[], framed(&many)).await.unwrap();
    assert_eq!(answer.reason(), want);
    let said = answer.status.unwrap().get_details_localized_message().unwrap();
    assert_eq!(said.locale, "en", "{said:?}");
}

async fn no_http_at_all(pair: &Pair) {
    let profile = pair.nodes.fleet.profile(HERE, Role::Coordinator);
    let dialler = Dialler::new(&profile, Lang::En).unwrap();
    for bytes in [vec![0; 10_000], b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0xff; 64]] {
        let mut tls = dialler.tls(dialler.tcp().await.unwrap()).await.unwrap();
        let _ = tls.write_all(&bytes).await;
        let _ = tls.flush().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_speaks_our_words() {
    let pair = Pair::start().await;
    let mut raw = Raw::dial(&pair.nodes, Role::Coordinator).await;
    let empty = frame(0, &[]);
    let unknown = Some((Code::Unimplemented, "METHOD_UNKNOWN".to_owned()));
    for path in ["/liandong.v1.CaseService/Fly", "/liandong.v9.Other/Fly", "/", "/x"] {
        let answer = raw.call(path, &[], empty.clone()).await.expect(path);
        assert_eq!(answer.reason(), unknown, "{path}");
    }
    let late = raw.unfinished(LIST, &[("grpc-timeout", "200m")]).await;
    let late = Status::from_header_map(&late).unwrap();
    let late = (late.code(), late.get_details_error_info().unwrap().reason);
    assert_eq!(late, (Code::DeadlineExceeded, "DEADLINE".into()));
    let packed = raw.call(LIST, &[("grpc-encoding", "br")], frame(1, &[1])).await.unwrap();
    assert_eq!(packed.reason(), Some((Code::InvalidArgument, "MALFORMED".into())));
    // Headers over the limit end their stream, and nothing else.
    let long = "x".repeat(20_000);
    let answer = raw.call(LIST, &[("x-long", &long)], empty.clone()).await;
    assert!(answer.is_none_or(|answer| answer.data.is_empty()), "not served");
    let mut again = Raw::dial(&pair.nodes, Role::Coordinator).await;
    let health = tonic_health::pb::HealthCheckRequest::default();
    let health = again.call("/grpc.health.v1.Health/Check", &[], framed(&health)).await.unwrap();
    let health: tonic_health::pb::HealthCheckResponse = health.message();
    assert_eq!(
        health.status,
        tonic_health::pb::health_check_response::ServingStatus::Serving as i32
    );
}
