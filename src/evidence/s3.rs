//! An S3-compatible store: how one speaks to it.
//!
//! HTTP/1.1 over the TLS of the exchange, with the CAs of the configuration or the system. The
//! client that `object_store` would bring has a TLS set-up and a list of CAs of its own.
//!
//! In scope: sockets, time limits, connections that are used again. Out of scope: what is put there
//! ([`super::objects`]); signatures, retries and XML, which are `object_store`'s.
//!
//! Invariants:
//! 1. Neither part of the key is ever printed. (`neither_part_of_a_key_is_printed`)
//! 2. Plain http goes nowhere unless the settings say so. (`plain_http_is_for_who_asks_for_it`)

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A connection stands within this time, or the machine is away.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A request and its answer, of 8 MiB at the most, take no longer: 140 kB/s.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Nothing that is asked for is larger: a page of a list, a range of a file.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Connections that are kept for the next request.
const IDLE_MAX: usize = 8;
/// A request that failed is tried again so often.
const RETRIES_MAX: usize = 3;
/// Not begun again after this time: somebody waits for the answer.
const RETRY_WITHIN: Duration = Duration::from_secs(20);

/// Where a store is and what opens it.
pub struct S3 {
    /// Its address, `https://host[:port]`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// What every name in it begins with; may be empty.
    pub prefix: String,
    /// Region, as requests are signed for it.
    pub region: String,
    /// The bucket is a part of the address's host, not of its path.
    pub virtual_hosted: bool,
    /// Name and secret of the key.
    pub key: S3Key,
    /// TLS; without it plain http is spoken.
    pub tls: Option<Arc<ClientConfig>>,
}

/// Name and secret of a key.
pub struct S3Key {
    /// Its name (access key id).
    pub id: String,
    /// The secret.
    pub secret: String,
}

impl fmt::Debug for S3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Key(..)")
    }
}

impl S3 {
    /// The store; nothing is sent yet.
    ///
    /// # Errors
    /// Which setting cannot be used.
    pub fn open(self) -> Result<Arc<dyn ObjectStore>, String> {
        let uri: Uri = self.endpoint.parse().map_err(|_| "the endpoint is no address")?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let is_plain = uri.scheme_str() == Some("http");
        if is_plain != self.tls.is_none() {
            return Err("http and TLS do not go together".to_owned());
        }
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                ..Default::default()
            },
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_WITHIN,
        };
        let machine = Machine { host, port, tls: self.tls };
        let store = AmazonS3Builder::new()
            .with_endpoint(self.endpoint)
            .with_bucket_name(self.bucket)
            .with_region(self.region)
            .with_virtual_hosted_style_request(self.virtual_hosted)
            .with_allow_http(is_plain)
            .with_access_key_id(self.key.id)
            .with_secret_access_key(self.key.secret)
            .with_retry(retry)
            .with_http_connector(machine)
            .build();
        let store = store.map_err(|error| error.to_string())?;
        Ok(match self.prefix.as_str() {
            "" => Arc::new(store),
            prefix => Arc::new(PrefixStore::new(store, prefix)),
        })
    }
}

/// The machine that is spoken to.
#[derive(Clone)]
struct Machine {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl HttpConnector for Machine {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Speaker { machine: self.clone(), idle: Mutex::default() }))
    }
}

/// One who speaks to it over connections that it keeps.
struct Speaker {
    machine: Machine,
    idle: Mutex<Vec<SendRequest<HttpRequestBody>>>,
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.machine.fmt(f)
    }
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
enum SpeakError {
    #[error("no answer within {} s", ANSWER_WITHIN.as_secs())]
    Late,
    #[error("no connection within {} s", CONNECT_WITHIN.as_secs())]
    Unreached,
    #[error("no such name")]
    Name,
}

#[tonic::async_trait]
impl HttpService for Speaker {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.speak(request)).await;
        answer.map_err(|_| HttpError::new(HttpErrorKind::Timeout, SpeakError::Late))?
    }
}

impl Speaker {
    async fn speak(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut sender = match self.take_idle() {
            Some(sender) => sender,
            None => self.dial().await?,
        };
        let authority = request.uri().authority().map_or("", |all| all.as_str());
        let host = HeaderValue::from_str(authority);
        let host = host.map_err(|e| HttpError::new(HttpErrorKind::Unknown, e))?;
        request.headers_mut().entry(header::HOST).or_insert(host);
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
        let answer = sender.send_request(request).await.map_err(|error| {
            // A connection that was closed meanwhile: nothing has been sent.
            let unsent = error.is_canceled() || error.is_closed();
            let kind = if unsent { HttpErrorKind::Request } else { HttpErrorKind::Interrupted };
            HttpError::new(kind, error)
        })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|e| HttpError::new_boxed(HttpErrorKind::Interrupted, e))?;
        self.keep(sender);
        Ok(HttpResponse::from_parts(head, HttpResponseBody::from(body.to_bytes())))
    }

    fn take_idle(&self) -> Option<SendRequest<HttpRequestBody>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|sender| !sender.is_closed());
        idle.pop()
    }

    fn keep(&self, sender: SendRequest<HttpRequestBody>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX && !sender.is_closed() {
            idle.push(sender);
        }
    }

    async fn dial(&self) -> Result<SendRequest<HttpRequestBody>, HttpError> {
        let dialled = tokio::time::timeout(CONNECT_WITHIN, self.connect()).await;
        dialled.map_err(|_| HttpError::new(HttpErrorKind::Connect, SpeakError::Unreached))?
    }

    async fn connect(&self) -> Result<SendRequest<HttpRequestBody>, HttpError> {
        let Machine { host, port, tls } = &self.machine;
        let failed = |e| HttpError::new(HttpErrorKind::Connect, e);
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(failed)?;
        // Small requests follow each other.
        stream.set_nodelay(true).map_err(failed)?;
        let Some(tls) = tls else { return begin(stream).await };
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| HttpError::new(HttpErrorKind::Unknown, SpeakError::Name))?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
        begin(stream.map_err(failed)?).await
    }
}

/// Begins to speak HTTP; a task of its own drives the connection until its sender is dropped.
async fn begin<S>(stream: S) -> Result<SendRequest<HttpRequestBody>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let hands = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = hands.map_err(|e| HttpError::new(HttpErrorKind::Connect, e))?;
    tokio::spawn(connection);
    Ok(sender)
}
