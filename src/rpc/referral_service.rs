//! Police and procuratorate, and campaign tags: every method of `ReferralService`.
//!
//! In scope: which method asks for what. Out of scope: requests into commands and what is shown of
//! them ([`super::referral_record`]), the desk every write passes ([`super::desk`]).

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::case_read;
use super::desk::{self, Desk, WriteRequest};
use super::referral_record;
use crate::api::request::Command;
use crate::domain::catalogue::Catalogue;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::referral_service_server::ReferralService;
use crate::wire::status::Refused;

/// The service.
#[derive(Clone)]
pub struct ReferralApi {
    /// What writing needs.
    pub desk: Desk,
    /// Which campaigns there are.
    pub catalogue: Arc<Catalogue>,
}

/// Says of requests that they write, and may only be checked.
macro_rules! writes {
    ($($request:ident)*) => {$(
        impl WriteRequest for pb::$request {
            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn acting_for(&self) -> Option<&pb::ActingFor> {
                self.acting_for.as_ref()
            }

            fn resource(&self) -> &str {
                &self.name
            }

            fn validate_only(&self) -> bool {
                self.validate_only
            }

            fn body(&self) -> Vec<u8> {
                read::request_body(&Self { validate_only: false, ..self.clone() })
            }
        }
    )*};
}

writes! {
    ReferCaseRequest RecordPoliceAnswerRequest RecordProcuratorateCopyRequest
    RecordProcuratorateOpinionRequest TagCampaignRequest
}

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.ReferralService/", stringify!($name))
    };
}

/// What a write leaves behind.
#[derive(Default)]
struct Done {
    case: Option<pb::Case>,
    words: Vec<pb::ReferralWord>,
    receipt: Option<pb::WriteReceipt>,
}

impl ReferralApi {
    /// Writes, and shows the case afterwards.
    async fn write<T: WriteRequest>(
        &self,
        request: Request<T>,
        method: &'static str,
        command: impl FnOnce(&T) -> Result<Command, Refused>,
    ) -> Result<Done, Status> {
        let written = self.desk.perform(request, method, read::name_of, command).await?;
        let Some(written) = written else { return Ok(Done::default()) };
        let receipt = Some(desk::receipt(written));
        let Some(subject) = written.subject else {
            return Ok(Done { receipt, ..Done::default() });
        };
        let (node, agreement) = (self.desk.node.clone(), written.agreement);
        let after = tokio::task::spawn_blocking(move || {
            let words = referral_record::words(&node.reader(), (agreement, subject));
            (case_read::read(&node, agreement, subject), words)
        });
        let (case, words) = after.await.unwrap_or_default();
        Ok(Done { case, words, receipt })
    }
}

#[tonic::async_trait]
impl ReferralService for ReferralApi {
    async fn refer_case(
        &self,
        request: Request<pb::ReferCaseRequest>,
    ) -> Result<Response<pb::ReferCaseResponse>, Status> {
        let command = |asked: &_| self.referred(asked);
        let Done { case, words, receipt } =
            self.write(request, method!(ReferCase), command).await?;
        Ok(Response::new(pb::ReferCaseResponse { case, referral_words: words, receipt }))
    }

    async fn record_police_answer(
        &self,
        request: Request<pb::RecordPoliceAnswerRequest>,
    ) -> Result<Response<pb::RecordPoliceAnswerResponse>, Status> {
        let command = |asked: &_| self.answered(asked);
        let Done { case, words, receipt } =
            self.write(request, method!(RecordPoliceAnswer), command).await?;
        Ok(Response::new(pb::RecordPoliceAnswerResponse { case, referral_words: words, receipt }))
    }

    async fn record_procuratorate_copy(
        &self,
        request: Request<pb::RecordProcuratorateCopyRequest>,
    ) -> Result<Response<pb::RecordProcuratorateCopyResponse>, Status> {
        let command = |asked: &_| self.copied(asked);
        let Done { case, words, receipt } =
            self.write(request, method!(RecordProcuratorateCopy), command).await?;
        let answer = pb::RecordProcuratorateCopyResponse { case, referral_words: words, receipt };
        Ok(Response::new(answer))
    }

    async fn record_procuratorate_opinion(
        &self,
        request: Request<pb::RecordProcuratorateOpinionRequest>,
    ) -> Result<Response<pb::RecordProcuratorateOpinionResponse>, Status> {
        let command = |asked: &_| self.opined(asked);
        let Done { case, words, receipt } =
            self.write(request, method!(RecordProcuratorateOpinion), command).await?;
        let answer =
            pb::RecordProcuratorateOpinionResponse { case, referral_words: words, receipt };
        Ok(Response::new(answer))
    }

    async fn tag_campaign(
        &self,
        request: Request<pb::TagCampaignRequest>,
    ) -> Result<Response<pb::TagCampaignResponse>, Status> {
        let command = |asked: &_| self.tagged(asked);
        let done = self.write(request, method!(TagCampaign), command).await?;
        Ok(Response::new(pb::TagCampaignResponse { case: done.case, receipt: done.receipt }))
    }
}
