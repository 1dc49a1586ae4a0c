//! Evidence: every method of `EvidenceService`.
//!
//! In scope: which method asks for what. Out of scope: what is written down
//! ([`super::evidence_record`]), the desk every write passes ([`super::desk`]).

use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::caller::called;
use super::desk::{Desk, writes};
use crate::evidence::EvidenceStore;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::evidence_service_server::EvidenceService;

/// The service.
#[derive(Clone)]
pub struct EvidenceApi {
    /// What writing needs.
    pub desk: Desk,
    /// Files that are here.
    pub store: EvidenceStore,
    /// Files read again at a time for a receipt.
    pub checking: Arc<Semaphore>,
}

writes! {
    name: RecordReceiptRequest RecogniseEvidenceRequest DeclineEvidenceRequest RecordCustodyRequest
}

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.EvidenceService/", stringify!($name))
    };
}

#[tonic::async_trait]
impl EvidenceService for EvidenceApi {
    async fn record_receipt(
        &self,
        request: Request<pb::RecordReceiptRequest>,
    ) -> Result<Response<pb::RecordReceiptResponse>, Status> {
        let method = method!(RecordReceipt);
        called(self.desk.door(), &request, method).map_err(|status| *status)?;
        let stored = self.as_stored(request.get_ref()).await;
        // Whoever asks again has the first answer, whatever became of the file meanwhile.
        let command = |asked: &_| self.receipt(asked).and_then(|command| stored.and(Ok(command)));
        let (standing, receipt) = self.write(request, method, command).await?;
        Ok(Response::new(pb::RecordReceiptResponse { standing, receipt }))
    }

    async fn recognise_evidence(
        &self,
        request: Request<pb::RecogniseEvidenceRequest>,
    ) -> Result<Response<pb::RecogniseEvidenceResponse>, Status> {
        let command = |asked: &_| self.recognition(asked);
        let (standing, receipt) = self.write(request, method!(RecogniseEvidence), command).await?;
        Ok(Response::new(pb::RecogniseEvidenceResponse { standing, receipt }))
    }

    async fn decline_evidence(
        &self,
        request: Request<pb::DeclineEvidenceRequest>,
    ) -> Result<Response<pb::DeclineEvidenceResponse>, Status> {
        let command = |asked: &_| self.declined(asked);
        let (standing, receipt) = self.write(request, method!(DeclineEvidence), command).await?;
        Ok(Response::new(pb::DeclineEvidenceResponse { standing, receipt }))
    }

    async fn record_custody(
        &self,
        request: Request<pb::RecordCustodyRequest>,
    ) -> Result<Response<pb::RecordCustodyResponse>, Status> {
        let command = |asked: &_| self.handed_over(asked);
        let (standing, receipt) = self.write(request, method!(RecordCustody), command).await?;
        Ok(Response::new(pb::RecordCustodyResponse { standing, receipt }))
    }
}
