//! Lists of sites: pages, total, and the cursor to watch from.
//!
//! In scope: what a list is asked to show, one page of an answer. Out of scope: what a site looks
//! like ([`super::site_read`]).

use super::caller::Called;
use super::cursor;
use super::page_token::{self, Seal};
use super::site_service::SiteApi;
use super::walk::{self, Found};
use crate::domain::site::SiteTier;
use crate::domain::{CountyCode, Date};
use crate::ids::{AgreementId, CityCode, Tag};
use crate::limits::{PAGE_SIZE_DEFAULT, SITES_LOOKED_AT_MAX};
use crate::node::core::site_codes::SiteKey;
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::view::{self, SiteView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::site as write;
use crate::wire::status::Refused;

/// A filter that was read.
struct Filter {
    agreements: Vec<AgreementId>,
    city: Option<CityCode>,
    county: Option<CountyCode>,
    tier: Option<SiteTier>,
    listed_on: Option<Date>,
    unlisted_on: Option<Date>,
    /// Of the credit code.
    code: Option<Tag>,
}

impl Filter {
    fn takes(&self, view: &SiteView) -> bool {
        let facts = &view.facts.1;
        self.city.is_none_or(|city| city == view.city)
            && self.county.is_none_or(|county| county == facts.county)
            && self.tier.is_none_or(|tier| tier == facts.tier)
            && self.listed_on.is_none_or(|on| view.is_listed(on))
            && self.unlisted_on.is_none_or(|on| !view.is_listed(on))
    }
}

impl SiteApi {
    /// One page of a list.
    pub(super) fn page(
        &self,
        who: &Called,
        asked: &pb::ListSitesRequest,
    ) -> Result<pb::ListSitesResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let filter = self.filter(asked)?;
        let bound =
            pb::ListSitesRequest { page_token: String::new(), page_size: 0, ..asked.clone() };
        let bound = [b"sites ".as_slice(), &read::request_body(&bound)].concat();
        let seal = Seal::new(&self.desk.node, &who.caller.identity, bound);
        let from = seal.open::<3>(&asked.page_token)?;
        let reader = self.desk.node.reader();
        // One more tells whether there is a next page; the first page counts all.
        let want = if from.is_some() { size + 1 } else { SITES_LOOKED_AT_MAX };
        let own = self.desk.node.city();
        let found = find(&reader, own, &filter, (from.map(|[below, ..]| below), want));
        let (total, partial) = match from {
            Some([_, total, partial]) => (total, partial != 0),
            None => (found.places.len() as u64, found.partial),
        };
        let written = |key: SiteKey| {
            let seen = view::site(&reader.view(), key.0, key.1);
            seen.map(|seen| self.written(key, &seen)).transpose()
        };
        let (sites, next) = found.page(size, &written)?;
        let token = |below| seal.close(&[below, total, u64::from(partial)]);
        Ok(pb::ListSitesResponse {
            sites,
            next_page_token: next.map(token).unwrap_or_default(),
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
            total_is_partial: partial,
            cursor: cursor::at(&self.desk.node, found.as_of),
        })
    }

    fn filter(&self, asked: &pb::ListSitesRequest) -> Result<Filter, Refused> {
        let book = self.desk.node.book();
        let agreements = match read::parent(&asked.parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let given = |code: u32| (code != 0).then_some(code);
        let uscc = write::uscc(&asked.uscc)?;
        Ok(Filter {
            agreements,
            city: given(asked.city).map(|code| read::city("city", code)).transpose()?,
            county: given(asked.county_code)
                .map(|code| write::county("county_code", code))
                .transpose()?,
            tier: write::tier(asked.tier)?,
            listed_on: read::date("listed_on", asked.listed_on.as_ref())?,
            unlisted_on: read::date("unlisted_on", asked.unlisted_on.as_ref())?,
            code: uscc.map(|uscc| self.desk.node.reader().site_tag(&uscc)),
        })
    }
}

fn find(
    reader: &Reader,
    own: CityCode,
    filter: &Filter,
    (below, want): (Option<u64>, usize),
) -> Found {
    let as_of = reader.apply_number(&reader.view());
    if let Some(tag) = filter.code {
        let (found, partial) = reader.sites_of(own, tag);
        let takes = |((agreement, _), view): &(SiteKey, SiteView)| {
            let is_below = below.is_none_or(|below| view.opened_apply < below);
            is_below && filter.agreements.contains(agreement) && filter.takes(view)
        };
        let found = found.into_iter().filter(takes);
        let mut places: Vec<_> = found.map(|(key, view)| (view.opened_apply, key)).collect();
        places.sort_unstable_by_key(|(opened, _)| std::cmp::Reverse(*opened));
        return Found { places, low: None, partial, as_of };
    }
    let want = (below, want);
    walk::find(reader, &filter.agreements, want, SITES_LOOKED_AT_MAX, &|agreement, below, f| {
        pieces::sites(reader, agreement, below, &mut |subject, view| {
            f(subject, view.opened_apply, filter.takes(&view))
        });
    })
}
