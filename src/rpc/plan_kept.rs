//! Drafts of plans that the node keeps for its own city, and proposing from one.
//!
//! A draft is saved as it is: what a plan must have is asked of it when it is proposed. Its name is
//! made of its caller and request id, so that saving it twice makes one of it.
//!
//! In scope: what a draft may be, pages of them, what is said of one that is proposed. Out of
//! scope: keeping and ending them ([`crate::node::core::drafts`]), what is proposed
//! ([`super::plan_draft`]).

use std::future::Future;

use bytes::Bytes;
use prost::Message;
use tonic::{Request, Response, Status};

use super::audit_line;
use super::caller::{Called, called};
use super::desk::{Desk, check_request_id};
use super::node_service::order_refused;
use super::page_token::{self, Seal};
use super::plan_service::PlanApi;
use crate::api::order::{KeptDraft, OrderError};
use crate::domain::InvalidReason;
use crate::ids::{AgreementId, SubjectId};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT, PLAN_DRAFT_KEPT_BYTES_MAX};
use crate::node::core::drafts::DraftKey;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_call as write;
use crate::wire::status::Refused;

/// The draft that a plan is said to come from, and the etag it was read with.
pub(super) fn origin(
    asked: &pb::CreatePlanRequest,
) -> Result<Option<(SubjectId, String)>, Refused> {
    if asked.from_draft.is_empty() {
        return Ok(None);
    }
    let key = write::draft_name(&asked.from_draft)?;
    if read::parent(&asked.parent)? != Some(key.0) {
        return Err(Refused::new("OTHER_AGREEMENT").at("from_draft"));
    }
    Ok(Some((key.1, etag(&asked.draft_etag, "draft_etag")?)))
}

fn etag(text: &str, field: &'static str) -> Result<String, Refused> {
    if text.is_empty() { Err(Refused::new("ETAG_REQUIRED").at(field)) } else { Ok(text.to_owned()) }
}

fn name_of((agreement, draft): DraftKey) -> String {
    write::draft_name_of(agreement, draft)
}

/// What is kept of a draft.
fn content(draft: Option<&pb::PlanDraft>) -> Result<Bytes, Refused> {
    let required = |field| read::wrong(field, InvalidReason::Required);
    let draft = draft.ok_or_else(|| required("draft"))?;
    let title = draft.record.as_ref().map_or("", |record| record.title.trim());
    if title.is_empty() {
        return Err(required("draft.record.title"));
    }
    let (got, limit) = (draft.encoded_len(), PLAN_DRAFT_KEPT_BYTES_MAX);
    if got > limit {
        let large = Refused::new("DRAFT_TOO_LARGE").at("draft");
        return Err(large.with("got", got).with("limit", limit));
    }
    write::sizes(draft)?;
    Ok(draft.encode_to_vec().into())
}

fn shown(key: DraftKey, (kept, etag): (KeptDraft, String)) -> pb::SavedDraft {
    pb::SavedDraft {
        name: name_of(key),
        draft: pb::PlanDraft::decode(kept.content).ok(),
        update_time: Some(read::timestamp(kept.at_ms)),
        updated_by: kept.by,
        etag,
    }
}

impl Desk {
    /// Does what concerns this node alone, in a task of its own: a caller who gives up does not
    /// stop it half-way.
    async fn keep<Q: Send + 'static, T: Send + 'static, F>(
        &self,
        request: Request<Q>,
        (method, name): (&'static str, fn(&Q) -> &str),
        act: impl FnOnce(Called, Q) -> F,
    ) -> Result<Response<T>, Status>
    where
        F: Future<Output = Result<T, Refused>> + Send + 'static,
    {
        let who = called(self.door(), &request, method).map_err(|status| *status)?;
        let (asked, language) = (request.into_inner(), who.language);
        let mut deed = audit_line::deed(&self.node, &who, method, name(&asked));
        // A stop waits for the write and its line.
        let place = self.writes.begin().map_err(|refused| refused.status(language))?;
        let (desk, act) = (self.clone(), act(who, asked));
        let done = tokio::spawn(async move {
            let _under_way = place;
            let done = act.await;
            deed.outcome = done.as_ref().err().map_or("OK", Refused::reason);
            desk.audit.note(deed);
            done
        });
        let done = done.await.unwrap_or(Err(Refused::new("STOPPING")));
        done.map(Response::new).map_err(|refused| refused.status(language))
    }
}

impl PlanApi {
    pub(super) async fn create_kept(
        &self,
        request: Request<pb::CreateDraftRequest>,
        method: &'static str,
    ) -> Result<Response<pb::CreateDraftResponse>, Status> {
        let api = self.clone();
        let act = async move |who: Called, asked: pb::CreateDraftRequest| {
            check_request_id(&asked.request_id)?;
            let agreement = read::parent(&asked.parent)?.ok_or(Refused::new("NOT_FOUND"))?;
            let content = content(asked.draft.as_ref())?;
            let key = (agreement, api.new_id(&who, agreement, &asked.request_id)?);
            let kept = api.keep(&who, key, (content, String::new())).await;
            kept.map_err(|error| {
                // What stands was saved by this request, or by another one with its id.
                if matches!(error, OrderError::DraftChanged { .. }) {
                    return Refused::new("IDEMPOTENCY_MISMATCH").with("first_entry", name_of(key));
                }
                order_refused(&error)
            })?;
            Ok(pb::CreateDraftResponse { draft: api.saved(key).await })
        };
        self.desk.keep(request, (method, |asked| &asked.parent), act).await
    }

    pub(super) async fn update_kept(
        &self,
        request: Request<pb::UpdateDraftRequest>,
        method: &'static str,
    ) -> Result<Response<pb::UpdateDraftResponse>, Status> {
        let api = self.clone();
        let act = async move |who: Called, asked: pb::UpdateDraftRequest| {
            check_request_id(&asked.request_id)?;
            let key = write::draft_name(&asked.name)?;
            let (content, etag) = (content(asked.draft.as_ref())?, etag(&asked.etag, "etag")?);
            let kept = api.keep(&who, key, (content, etag)).await;
            kept.map_err(|error| order_refused(&error))?;
            Ok(pb::UpdateDraftResponse { draft: api.saved(key).await })
        };
        self.desk.keep(request, (method, |asked| &asked.name), act).await
    }

    pub(super) async fn delete_kept(
        &self,
        request: Request<pb::DeleteDraftRequest>,
        method: &'static str,
    ) -> Result<Response<pb::DeleteDraftResponse>, Status> {
        let api = self.clone();
        let act = async move |who: Called, asked: pb::DeleteDraftRequest| {
            check_request_id(&asked.request_id)?;
            let (key, etag) = (write::draft_name(&asked.name)?, etag(&asked.etag, "etag")?);
            let kept = api.keep(&who, key, (Bytes::new(), etag)).await;
            kept.map_err(|error| order_refused(&error))?;
            Ok(pb::DeleteDraftResponse {})
        };
        self.desk.keep(request, (method, |asked| &asked.name), act).await
    }

    fn new_id(
        &self,
        who: &Called,
        agreement: AgreementId,
        request_id: &str,
    ) -> Result<SubjectId, Refused> {
        let identity = who.caller.identity.as_bytes();
        let fields = [b"draft id", identity, agreement.as_bytes(), request_id.as_bytes()];
        let tag = self.desk.node.reader().seal(&fields);
        SubjectId::from_slice(tag.as_bytes()).map_err(|_| Refused::new("INTERNAL"))
    }

    async fn keep(
        &self,
        who: &Called,
        key: DraftKey,
        (content, etag): (Bytes, String),
    ) -> Result<(), OrderError> {
        let by = who.caller.identity.clone();
        let kept = KeptDraft { content, at_ms: self.desk.node.now_ms(), by };
        self.desk.node.keep_draft(key, kept, etag).await
    }

    /// A draft as it is after a write; nothing where it cannot be read.
    async fn saved(&self, key: DraftKey) -> Option<pb::SavedDraft> {
        let reader = self.desk.node.reader().clone();
        let found = tokio::task::spawn_blocking(move || reader.draft(key)).await;
        Some(shown(key, found.ok()??))
    }

    /// One draft.
    pub(super) fn one_kept(&self, asked: &str) -> Result<pb::GetDraftResponse, Refused> {
        let key = write::draft_name(asked)?;
        // One of an agreement that is not of this city is told from none by nobody.
        let found = self.desk.node.reader().draft(key).ok_or(Refused::new("NOT_FOUND"))?;
        Ok(pb::GetDraftResponse { draft: Some(shown(key, found)) })
    }

    /// One page of a list.
    pub(super) fn kept_page(
        &self,
        who: &Called,
        asked: &pb::ListDraftsRequest,
    ) -> Result<pb::ListDraftsResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let book = self.desk.node.book();
        let agreements = match read::parent(&asked.parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let bound = [b"drafts ".as_slice(), asked.parent.as_bytes()].concat();
        let seal = Seal::new(&self.desk.node, &who.caller.identity, bound);
        let below = seal.open::<1>(&asked.page_token)?.map_or(u64::MAX, |[below]| below);
        let reader = self.desk.node.reader();
        let all = reader.drafts(&agreements);
        let mut page = pb::ListDraftsResponse {
            total_size: u32::try_from(all.len()).unwrap_or(u32::MAX),
            ..pb::ListDraftsResponse::default()
        };
        let mut bytes = 0;
        for (key, record) in all.into_iter().filter(|(_, record)| record.number < below) {
            let Some(found) = reader.draft_at(record) else { continue };
            let draft = shown(key, found);
            bytes += draft.encoded_len();
            let is_full = page.drafts.len() == size || bytes > PAGE_BYTES_MAX;
            if is_full && !page.drafts.is_empty() {
                // It is the first of the next page.
                page.next_page_token = seal.close(&[record.number + 1]);
                break;
            }
            page.drafts.push(draft);
        }
        Ok(page)
    }
}
