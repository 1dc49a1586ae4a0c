//! Linkage agreements.

use tonic::{Request, Response, Status};

use super::audit_line;
use super::caller::{Called, called};
use super::desk::check_request_id;
use super::page_token::{self, Seal};
use crate::api::status::AgreementStatus;
use crate::audit::Audit;
use crate::domain::{InvalidReason, Language};
use crate::limits::{NOTES_MAX, PAGE_SIZE_DEFAULT};
use crate::node::writer::NodeHandle;
use crate::wire::case::{date_out, parent, wrong};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::agreement_service_server::AgreementService;
use crate::wire::status::Refused;

/// The service.
pub struct AgreementApi {
    /// The node.
    pub node: NodeHandle,
    /// Where deeds are noted.
    pub audit: Audit,
}

fn written(status: &AgreementStatus) -> pb::Agreement {
    let member = |m: &crate::api::status::MemberStatus| pb::Member {
        city: m.city.as_u32(),
        display_name: m.name.clone(),
        short_name: m.short_name.clone(),
        signed: m.signed,
        card_known: m.card_known,
        duty_phone: m.duty_phone.clone(),
        duty_contact: m.duty_contact.clone(),
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
    /// What a caller passes first.
    fn door(&self) -> (&NodeHandle, &Audit) {
        (&self.node, &self.audit)
    }

    async fn all(&self) -> Vec<AgreementStatus> {
        self.node.status().await.map(|s| s.agreements).unwrap_or_default()
    }

    /// One page, in the order of ids.
    async fn page(
        &self,
        who: &Called,
        asked: &pb::ListAgreementsRequest,
    ) -> Result<pb::ListAgreementsResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let seal = Seal::new(&self.node, &who.caller.identity, b"agreements".to_vec());
        let [skip] = seal.open::<1>(&asked.page_token)?.unwrap_or([0]);
        let all = self.all().await;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let agreements: Vec<_> = all.iter().skip(skip).take(size).map(written).collect();
        let shown = skip.saturating_add(agreements.len());
        let more = (shown < all.len()).then(|| seal.close(&[shown as u64]));
        let next_page_token = more.unwrap_or_default();
        Ok(pb::ListAgreementsResponse { agreements, next_page_token })
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
        let method = "/liandong.v1.AgreementService/ListAgreements";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let page = self.page(&who, request.get_ref()).await;
        page.map(Response::new).map_err(|refused| refused.status(who.language))
    }

    async fn get_agreement(
        &self,
        request: Request<pb::GetAgreementRequest>,
    ) -> Result<Response<pb::GetAgreementResponse>, Status> {
        let who = called(self.door(), &request, "/liandong.v1.AgreementService/GetAgreement")
            .map_err(|s| *s)?;
        let found = self.one(&request.get_ref().name).await;
        let found = found.map_err(|refused| refused.status(who.language))?;
        Ok(Response::new(pb::GetAgreementResponse { agreement: Some(written(&found)) }))
    }

    async fn add_agreement_files(
        &self,
        request: Request<pb::AddAgreementFilesRequest>,
    ) -> Result<Response<pb::AddAgreementFilesResponse>, Status> {
        let method = "/liandong.v1.AgreementService/AddAgreementFiles";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let mut deed = audit_line::deed(&self.node, &who, method, "agreements/-");
        let asked = request.into_inner();
        let checked = check_request_id(&asked.request_id).and_then(|()| match asked.notes.len() {
            0 => Err(wrong("notes", InvalidReason::Required)),
            NOTES_MAX.. => Err(wrong("notes", InvalidReason::ListTooLong)),
            _ => Ok(()),
        });
        deed.outcome = checked.as_ref().err().map_or("OK", Refused::reason);
        self.audit.note(deed);
        checked.map_err(|refused| refused.status(who.language))?;
        let node = self.node.clone();
        // In a task of its own: a caller who gives up does not stop a write half-way.
        let added = tokio::spawn(async move { node.add_notes(asked.notes).await }).await;
        let results = added.map_err(|_| Refused::new("STOPPING").status(who.language))?;
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
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
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
            let (begin, end) = (found.begin_on, found.end_on);
            findings.push(match who.language {
                Language::Zh => format!("今日不在协议有效期内（{begin}—{end}）"),
                Language::En => format!("today lies outside the term, {begin} to {end}"),
            });
        }
        let unknown = found.members.iter().filter(|m| !m.card_known);
        findings.extend(unknown.map(|m| match who.language {
            Language::Zh => format!("尚无{}的名片，无法与其连接", m.name),
            Language::En => format!("no card of {} is here, so it cannot be reached", m.name),
        }));
        let valid = findings.is_empty();
        Ok(Response::new(pb::VerifyAgreementResponse { valid, findings }))
    }
}
