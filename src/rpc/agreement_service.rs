//! Linkage agreements.

use tonic::{Request, Response, Status};

use super::caller::called;
use crate::api::status::AgreementStatus;
use crate::node::writer::NodeHandle;
use crate::wire::case::{date_out, parent};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::agreement_service_server::AgreementService;
use crate::wire::status::Refused;

/// Notes taken in one call.
const NOTES_MAX: usize = 64;

/// The service.
pub struct AgreementApi {
    /// The node.
    pub node: NodeHandle,
}

fn written(status: &AgreementStatus) -> pb::Agreement {
    let member = |m: &crate::api::status::MemberStatus| pb::Member {
        city: m.city.as_u32(),
        display_name: m.name.clone(),
        short_name: m.short_name.clone(),
        signed: m.signed,
        card_known: m.card_known,
    };
    pb::Agreement {
        name: format!("agreements/{}", status.agreement),
        display_name: status.title.clone(),
        short_name: status.short_name.clone(),
        version: status.version,
        charter_hash: status.charter.to_string(),
        members: status.members.iter().map(member).collect(),
        begin_on: Some(date_out(status.begin_on)),
        end_on: Some(date_out(status.end_on)),
        belt_metres: status.belt_metres,
        complete: status.complete,
        charter_note: status.note.clone(),
        writable: status.writable,
    }
}

impl AgreementApi {
    async fn all(&self) -> Vec<AgreementStatus> {
        self.node.status().await.map(|s| s.agreements).unwrap_or_default()
    }

    async fn one(&self, name: &str) -> Result<AgreementStatus, Refused> {
        let id = parent(name)?.ok_or(Refused::new("NOT_FOUND"))?;
        let found = self.all().await.into_iter().find(|a| a.agreement == id);
        found.ok_or(Refused::new("NOT_FOUND"))
    }
}

#[tonic::async_trait]
impl AgreementService for AgreementApi {
    async fn list_agreements(
        &self,
        request: Request<pb::ListAgreementsRequest>,
    ) -> Result<Response<pb::ListAgreementsResponse>, Status> {
        called(&request, "/liandong.v1.AgreementService/ListAgreements").map_err(|s| *s)?;
        // A city has a few agreements; they fit one page.
        let agreements = self.all().await.iter().map(written).collect();
        Ok(Response::new(pb::ListAgreementsResponse { agreements, next_page_token: String::new() }))
    }

    async fn get_agreement(
        &self,
        request: Request<pb::GetAgreementRequest>,
    ) -> Result<Response<pb::GetAgreementResponse>, Status> {
        let who = called(&request, "/liandong.v1.AgreementService/GetAgreement").map_err(|s| *s)?;
        let found = self.one(&request.get_ref().name).await;
        let found = found.map_err(|refused| refused.status(who.language))?;
        Ok(Response::new(pb::GetAgreementResponse { agreement: Some(written(&found)) }))
    }

    async fn add_agreement_files(
        &self,
        request: Request<pb::AddAgreementFilesRequest>,
    ) -> Result<Response<pb::AddAgreementFilesResponse>, Status> {
        let method = "/liandong.v1.AgreementService/AddAgreementFiles";
        let who = called(&request, method).map_err(|s| *s)?;
        let notes = request.into_inner().notes;
        if notes.is_empty() || notes.len() > NOTES_MAX {
            return Err(Refused::new("INVALID_FIELD").at("notes").status(who.language));
        }
        let results = self.node.add_notes(notes).await;
        let line = |result: Result<String, String>| match result {
            Ok(what) => format!("ok: {what}"),
            Err(why) => format!("refused: {why}"),
        };
        let results = results.into_iter().map(line).collect();
        Ok(Response::new(pb::AddAgreementFilesResponse { results }))
    }

    async fn verify_agreement(
        &self,
        request: Request<pb::VerifyAgreementRequest>,
    ) -> Result<Response<pb::VerifyAgreementResponse>, Status> {
        let method = "/liandong.v1.AgreementService/VerifyAgreement";
        let who = called(&request, method).map_err(|s| *s)?;
        let found = self.one(&request.get_ref().name).await;
        let found = found.map_err(|refused| refused.status(who.language))?;
        let mut findings = Vec::new();
        match crate::trust::charter::SignedCharter::parse(&found.note) {
            Ok(signed) => {
                findings.extend(signed.check_complete().err().map(|e| e.to_string()));
            }
            Err(error) => findings.push(error.to_string()),
        }
        let today = self.node.today();
        if today.is_none_or(|today| today < found.begin_on || found.end_on < today) {
            findings.push(format!("今日不在协议有效期内（{}—{}）", found.begin_on, found.end_on));
        }
        let unknown = found.members.iter().filter(|m| !m.card_known);
        findings.extend(unknown.map(|m| format!("尚无 {} 的名片，无法与其连接", m.name)));
        let valid = findings.is_empty();
        Ok(Response::new(pb::VerifyAgreementResponse { valid, findings }))
    }
}
