//! Connecting to the own city's node: dial, prove who we are, find out who answers.
//!
//! In scope: TCP, TLS 1.3 with client certificate, and telling at which step it failed.
//! Out of scope: what is asked afterwards; what a refusal of the node says
//! ([`super::status_text`]).

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, TrustAnchor};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_health::pb::health_client::HealthClient;

use super::dial_error::DialError;
use super::failure::Failure;
use super::names::Names;
use super::profile::Profile;
use super::status_text;
use super::verify::{CityNode, Identity};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::agreement_service_client::AgreementServiceClient;
use crate::wire::pb::v1::case_service_client::CaseServiceClient;
use crate::wire::pb::v1::catalog_service_client::CatalogServiceClient;
use crate::wire::pb::v1::evidence_file_service_client::EvidenceFileServiceClient;
use crate::wire::pb::v1::evidence_service_client::EvidenceServiceClient;
use crate::wire::pb::v1::meeting_service_client::MeetingServiceClient;
use crate::wire::pb::v1::node_service_client::NodeServiceClient;
use crate::wire::pb::v1::notice_service_client::NoticeServiceClient;
use crate::wire::pb::v1::plan_service_client::PlanServiceClient;
use crate::wire::pb::v1::referral_service_client::ReferralServiceClient;
use crate::wire::pb::v1::site_service_client::SiteServiceClient;
use crate::wire::pb::v1::unit_service_client::UnitServiceClient;

/// A dial that takes longer has met a filter, not a slow city.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// A channel with our headers.
pub type Wire = InterceptedService<Channel, Headers>;

/// What is needed to dial: address and TLS settings.
#[derive(Clone)]
pub struct Dialler {
    /// `host:port`.
    pub api: String,
    /// City of the node.
    pub city: CityCode,
    tls: Arc<ClientConfig>,
}

impl Dialler {
    /// Reads the files of a profile.
    ///
    /// # Errors
    /// [`Failure`] naming the file that is missing or wrong.
    pub fn new(profile: &Profile, lang: Lang) -> Result<Self, Failure> {
        let certs = read_certs(&profile.cert, lang)?;
        let key = PrivateKeyDer::from_pem_file(&profile.key)
            .map_err(|error| bad_pem(&profile.key, &error, lang))?;
        let anchors = read_certs(&profile.ca, lang)?
            .iter()
            .map(|ca| webpki::anchor_from_trusted_cert(ca).map(|anchor| anchor.to_owned()))
            .collect::<Result<Vec<TrustAnchor<'static>>, _>>()
            .map_err(|error| bad_pem(&profile.ca, &error, lang))?;
        let own = certs.first().and_then(Identity::of);
        let city = profile.city.or(own.map(|own| own.city)).ok_or_else(|| {
            Failure::local(lang.pick(
                "不知道所连节点应属哪个城市：本人证书中没有 SPIFFE 编号",
                "which city the node must belong to is not known: the certificate has no SPIFFE id",
            ))
            .advise(lang.pick("加 --node-city 代码", "use --node-city CODE"))
        })?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = CityNode::new(city, anchors, Arc::clone(&provider));
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|builder| {
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
                    .with_client_auth_cert(certs, key)
            });
        let mut tls = config.map_err(|error| {
            Failure::local(lang.pick(
                format!("证书与私钥不能一起使用（{error}）"),
                format!("certificate and key do not work together ({error})"),
            ))
            .advise(
                lang.pick("检查 cert 与 key 是否成对", "check that cert and key belong together"),
            )
        })?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        tls.enable_sni = false;
        tls.resumption = rustls::client::Resumption::disabled();
        Ok(Self { api: profile.api.clone(), city, tls: Arc::new(tls) })
    }

    /// Opens the TCP connection.
    ///
    /// # Errors
    /// [`DialError`] of the TCP step.
    pub async fn tcp(&self) -> Result<TcpStream, DialError> {
        let addresses = tokio::net::lookup_host(&self.api).await;
        let addresses: Vec<_> =
            addresses.map_err(|error| DialError::Address(error.to_string()))?.collect();
        let dial = tokio::time::timeout(DIAL_TIMEOUT, TcpStream::connect(addresses.as_slice()));
        let stream = dial.await.map_err(|_| DialError::silent())?.map_err(DialError::tcp)?;
        // Small messages must not wait for each other; failing to say so costs time, not safety.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Does the TLS handshake.
    ///
    /// # Errors
    /// [`DialError`] of the TLS or the certificate step.
    pub async fn tls(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, DialError> {
        let name = ServerName::from(std::net::Ipv4Addr::LOCALHOST); // Never looked at.
        let connect = TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp);
        let done = tokio::time::timeout(DIAL_TIMEOUT, connect).await;
        done.map_err(|_| DialError::silent_tls())?.map_err(|error| DialError::tls(&error))
    }

    /// A channel that dials on its own; the last dial error is kept in the slot.
    async fn channel(&self, slot: &DialSlot) -> Result<Channel, tonic::transport::Error> {
        let endpoint = Endpoint::from_static("http://liandong") // http: TLS is ours, not tonic's.
            .origin(http::Uri::from_static("https://api.liandong"))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(10));
        let (dialler, slot) = (self.clone(), slot.clone());
        let connect = tower::service_fn(move |_: http::Uri| {
            let (dialler, slot) = (dialler.clone(), slot.clone());
            async move {
                let dialled = match dialler.tcp().await {
                    Ok(tcp) => dialler.tls(tcp).await,
                    Err(error) => Err(error),
                };
                slot.put(dialled.as_ref().err().cloned());
                dialled.map(TokioIo::new).map_err(io::Error::other)
            }
        });
        endpoint.connect_with_connector(connect).await
    }
}

/// Where the connector leaves the reason of its last failure.
#[derive(Clone, Default)]
pub struct DialSlot(Arc<Mutex<Option<DialError>>>);

impl DialSlot {
    fn put(&self, error: Option<DialError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// The reason, if the last dial failed.
    #[must_use]
    pub fn get(&self) -> Option<DialError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Headers on every call: the reader's language and, on single calls, the deadline.
#[derive(Clone, Copy)]
pub struct Headers {
    lang: Lang,
    timeout: Option<Duration>,
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let tag = tonic::metadata::MetadataValue::from_static(self.lang.tag());
        request.metadata_mut().insert("accept-language", tag);
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        Ok(request)
    }
}

/// An open connection to the own city's node.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    headers: Headers,
    slot: DialSlot,
    lang: Lang,
    /// How the node understands our certificate.
    pub me: pb::WhoAmIResponse,
}

impl Client {
    /// Dials, shakes hands, asks the node who we are to it.
    ///
    /// # Errors
    /// [`Failure`] that says at which step it failed and what to do.
    pub async fn open(profile: &Profile, lang: Lang) -> Result<Self, Failure> {
        Self::over(&Dialler::new(profile, lang)?, profile.timeout_s, lang).await
    }

    /// The same with a dialler that is already there.
    ///
    /// # Errors
    /// [`Failure`] that says at which step it failed and what to do.
    pub async fn over(dialler: &Dialler, timeout_s: u64, lang: Lang) -> Result<Self, Failure> {
        let slot = DialSlot::default();
        let headers = Headers { lang, timeout: Some(Duration::from_secs(timeout_s)) };
        let channel = dialler.channel(&slot).await.map_err(|error| {
            slot.get().unwrap_or_else(|| DialError::after_tls(&error)).failure(&dialler.api, lang)
        })?;
        let mut client = Self { channel, headers, slot, lang, me: pb::WhoAmIResponse::default() };
        let answer = client.nodes().who_am_i(pb::WhoAmIRequest {}).await;
        let answer = answer.map_err(|status| match status_text::transport_cause(&status) {
            // In TLS 1.3 a refused client certificate shows only now.
            Some(cause) => DialError::after_tls(cause).failure(&dialler.api, lang),
            None => client.failure(&status),
        })?;
        client.me = answer.into_inner();
        Ok(client)
    }

    /// Boundary-area cases.
    #[must_use]
    pub fn cases(&self) -> CaseServiceClient<Wire> {
        CaseServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// The same without a deadline, for streams.
    #[must_use]
    pub fn cases_streaming(&self) -> CaseServiceClient<Wire> {
        let headers = Headers { timeout: None, ..self.headers };
        CaseServiceClient::with_interceptor(self.channel.clone(), headers)
    }

    /// Notices.
    #[must_use]
    pub fn notices(&self) -> NoticeServiceClient<Wire> {
        NoticeServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// The same without a deadline, for streams.
    #[must_use]
    pub fn notices_streaming(&self) -> NoticeServiceClient<Wire> {
        let headers = Headers { timeout: None, ..self.headers };
        NoticeServiceClient::with_interceptor(self.channel.clone(), headers)
    }

    /// Evidence.
    #[must_use]
    pub fn evidence(&self) -> EvidenceServiceClient<Wire> {
        EvidenceServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Police and procuratorate, and campaign tags.
    #[must_use]
    pub fn referrals(&self) -> ReferralServiceClient<Wire> {
        ReferralServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Joint meetings.
    #[must_use]
    pub fn meetings(&self) -> MeetingServiceClient<Wire> {
        MeetingServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Sites.
    #[must_use]
    pub fn sites(&self) -> SiteServiceClient<Wire> {
        SiteServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Joint actions.
    #[must_use]
    pub fn plans(&self) -> PlanServiceClient<Wire> {
        PlanServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Units, free and busy.
    #[must_use]
    pub fn units(&self) -> UnitServiceClient<Wire> {
        UnitServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Evidence files; without a deadline, as they take as long as they are large.
    #[must_use]
    pub fn evidence_files(&self) -> EvidenceFileServiceClient<Wire> {
        let headers = Headers { timeout: None, ..self.headers };
        EvidenceFileServiceClient::with_interceptor(self.channel.clone(), headers)
    }

    /// How the node is.
    #[must_use]
    pub fn nodes(&self) -> NodeServiceClient<Wire> {
        NodeServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Agreements.
    #[must_use]
    pub fn agreements(&self) -> AgreementServiceClient<Wire> {
        AgreementServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Code lists and legal bases.
    #[must_use]
    pub fn catalog(&self) -> CatalogServiceClient<Wire> {
        CatalogServiceClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// The standard health service: a call that does nothing.
    #[must_use]
    pub fn health(&self) -> HealthClient<Wire> {
        HealthClient::with_interceptor(self.channel.clone(), self.headers)
    }

    /// Asks for a page of the console, as a browser does.
    ///
    /// # Errors
    /// The connection's; whatever the page says is an answer.
    pub async fn page(&self, path: &str) -> Result<http::Response<tonic::body::Body>, Status> {
        let request = http::Request::get(path)
            .header(http::header::ACCEPT_LANGUAGE, self.headers.lang.tag())
            .body(tonic::body::Body::empty())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let answer = tower::ServiceExt::oneshot(self.channel.clone(), request).await;
        answer.map_err(|error| Status::from_error(error.into()))
    }

    /// What cities and agreements are called. A node that does not tell costs names, nothing else.
    pub async fn names(&self, lang: Lang) -> Names {
        let mut names = Names::new(lang);
        let request = pb::ListAgreementsRequest { page_size: 200, page_token: String::new() };
        if let Ok(answer) = self.agreements().list_agreements(request).await {
            names.learn(&answer.into_inner().agreements);
        }
        names
    }

    /// Why the last dial failed, if it did.
    #[must_use]
    pub fn last_dial(&self) -> Option<DialError> {
        self.slot.get()
    }

    /// What a failed read means to the person who asked.
    #[must_use]
    pub fn failure(&self, status: &Status) -> Failure {
        status_text::failure(status, self.slot.get().as_ref(), self.lang)
    }
}

fn read_certs(path: &std::path::Path, lang: Lang) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let certs = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad_pem(path, &error, lang))?;
    if certs.is_empty() {
        return Err(bad_pem(path, &"no certificate in it", lang));
    }
    Ok(certs)
}

fn bad_pem(path: &std::path::Path, error: &dyn std::fmt::Display, lang: Lang) -> Failure {
    let shown = path.display();
    Failure::local(lang.pick(
        format!("{shown}：不能用作 PEM 文件（{error}）"),
        format!("{shown}: cannot be used as a PEM file ({error})"),
    ))
    .advise(lang.pick(
        "检查路径与权限；证书须为 PEM，私钥须为 PKCS#8 PEM",
        "check path and permissions; certificates are PEM, keys PKCS#8 PEM",
    ))
}

#[cfg(test)]
mod tests;
