//! The services of the api port, called within the process in the name of whoever looks.
//!
//! In scope: putting the visitor's identity and language to a call. Out of scope: what the services
//! let pass: they see the same [`Peer`] as over the network, behind the same gate.

use std::convert::Infallible;
use std::task::{Context, Poll};

use http::HeaderValue;
use tonic::body::Body;
use tower::Service;
use tower::util::{BoxCloneSyncService, Oneshot};

use super::visitor::Visitor;
use crate::limits::API_ANSWER_BYTES_MAX;
use crate::trust::acceptor::Peer;
pub use crate::wire::patience::patient;
use crate::wire::pb::v1::agreement_service_client::AgreementServiceClient;
use crate::wire::pb::v1::case_service_client::CaseServiceClient;
use crate::wire::pb::v1::catalog_service_client::CatalogServiceClient;
use crate::wire::pb::v1::evidence_file_service_client::EvidenceFileServiceClient;
use crate::wire::pb::v1::evidence_service_client::EvidenceServiceClient;
use crate::wire::pb::v1::node_service_client::NodeServiceClient;
use crate::wire::pb::v1::notice_service_client::NoticeServiceClient;
use crate::wire::pb::v1::plan_service_client::PlanServiceClient;
use crate::wire::pb::v1::referral_service_client::ReferralServiceClient;
use crate::wire::pb::v1::site_service_client::SiteServiceClient;
use crate::wire::pb::v1::unit_service_client::UnitServiceClient;

/// The services behind their gate.
pub type Services = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>;

/// The API, called by nobody yet.
#[derive(Clone)]
pub struct Api(Services);

impl Api {
    /// Over these services.
    #[must_use]
    pub const fn new(services: Services) -> Self {
        Self(services)
    }

    /// The API as a visitor calls it.
    #[must_use]
    pub fn of(&self, visitor: &Visitor) -> Client {
        let language = HeaderValue::from_static(visitor.lang.tag());
        Client(Call { services: self.0.clone(), peer: visitor.peer.clone(), language })
    }
}

/// Calls of one visitor.
#[derive(Clone)]
pub struct Call {
    services: Services,
    peer: Peer,
    language: HeaderValue,
}

impl Service<http::Request<Body>> for Call {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Oneshot<Services, http::Request<Body>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: http::Request<Body>) -> Self::Future {
        call.extensions_mut().insert(self.peer.clone());
        call.headers_mut().insert(http::header::ACCEPT_LANGUAGE, self.language.clone());
        tower::ServiceExt::oneshot(self.services.clone(), call)
    }
}

/// The services as one visitor has them.
#[derive(Clone)]
pub struct Client(Call);

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $client:ident,)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(&self) -> $client<Call> {
            $client::new(self.0.clone()).max_decoding_message_size(API_ANSWER_BYTES_MAX)
        }
    )*};
}

impl Client {
    services! {
        /// Boundary-area cases.
        cases: CaseServiceClient,
        /// Evidence.
        evidence: EvidenceServiceClient,
        /// Evidence files.
        files: EvidenceFileServiceClient,
        /// Notices.
        notices: NoticeServiceClient,
        /// Police and procuratorate.
        referrals: ReferralServiceClient,
        /// Joint actions.
        plans: PlanServiceClient,
        /// Sites.
        sites: SiteServiceClient,
        /// Units.
        units: UnitServiceClient,
        /// Lists of codes.
        catalogs: CatalogServiceClient,
        /// The node.
        nodes: NodeServiceClient,
        /// Agreements.
        agreements: AgreementServiceClient,
    }
}
