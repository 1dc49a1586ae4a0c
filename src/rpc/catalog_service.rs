//! Code lists, and which articles come into question for an act.
//!
//! In scope: pages of lists, one answer for an act. Out of scope: what the lists hold
//! ([`super::catalog_lists`]), what is refused on writing ([`super::case_basis`]).

use tonic::{Request, Response, Status};

use super::caller::{Called, called};
use super::catalog_lists::Lists;
use super::page_token::{self, Seal};
use crate::audit::Audit;
use crate::limits::{PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT};
use crate::node::writer::NodeHandle;
use crate::wire::catalog::{act, choice_out};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::catalog_service_server::CatalogService;
use crate::wire::status::Refused;
use prost::Message;

/// The service.
pub struct CatalogApi {
    /// The node.
    pub node: NodeHandle,
    /// Where callers who are turned away are noted.
    pub audit: Audit,
    /// The lists.
    pub lists: Lists,
}

impl CatalogApi {
    fn door(&self) -> (&NodeHandle, &Audit) {
        (&self.node, &self.audit)
    }

    /// One page of a list.
    fn page(&self, who: &Called, asked: &pb::ListRequest) -> Result<pb::ListResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let (all, etag) = self.lists.of(&asked.parent, &self.node)?;
        // Another catalogue has other places: a token of one is no token of the other.
        let filter = [b"catalog ".as_slice(), etag.as_bytes(), asked.parent.as_bytes()].concat();
        let seal = Seal::new(&self.node, &who.caller.identity, filter);
        let [skip] = seal.open::<1>(&asked.page_token)?.unwrap_or([0]);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in all.iter().skip(skip).take(size) {
            bytes += item.encoded_len();
            if bytes > PAGE_BYTES_MAX && !items.is_empty() {
                break;
            }
            items.push(item.clone());
        }
        let shown = skip.saturating_add(items.len());
        let more = (shown < all.len()).then(|| seal.close(&[shown as u64]));
        Ok(pb::ListResponse {
            items,
            next_page_token: more.unwrap_or_default(),
            total_size: u32::try_from(all.len()).unwrap_or(u32::MAX),
            catalog_version: self.lists.catalogue().version().to_owned(),
            etag,
        })
    }

    fn bases(
        &self,
        asked: &pb::FindLegalBasesRequest,
    ) -> Result<pb::FindLegalBasesResponse, Refused> {
        let today = self.node.today().ok_or(Refused::new("OUTSIDE_TERM"))?;
        let (violation, act) = act(asked, today)?;
        let catalogue = self.lists.catalogue();
        let (notice_zh, notice_en) = catalogue.notice().clone();
        Ok(pb::FindLegalBasesResponse {
            catalog_version: catalogue.version().to_owned(),
            notice_zh,
            notice_en,
            ..choice_out(&catalogue.choose(violation, act))
        })
    }
}

#[tonic::async_trait]
impl CatalogService for CatalogApi {
    async fn list(
        &self,
        request: Request<pb::ListRequest>,
    ) -> Result<Response<pb::ListResponse>, Status> {
        let method = "/liandong.v1.CatalogService/List";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let page = self.page(&who, request.get_ref());
        page.map(Response::new).map_err(|refused| refused.status(who.language))
    }

    async fn find_legal_bases(
        &self,
        request: Request<pb::FindLegalBasesRequest>,
    ) -> Result<Response<pb::FindLegalBasesResponse>, Status> {
        let method = "/liandong.v1.CatalogService/FindLegalBases";
        let who = called(self.door(), &request, method).map_err(|s| *s)?;
        let found = self.bases(request.get_ref());
        found.map(Response::new).map_err(|refused| refused.status(who.language))
    }
}
