//! Lists of sites: pages, total, and the cursor to watch from.
//!
//! In scope: what a list is asked to show, one page of an answer. Out of scope: what a site looks
//! like ([`super::site_read`]).

use prost::Message;

use super::caller::Called;
use super::cursor;
use super::page_token::{self, Seal};
use super::site_service::SiteApi;
use crate::domain::site::SiteTier;
use crate::domain::{CountyCode, Date};
use crate::ids::{AgreementId, CityCode, Tag};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT, SITES_LOOKED_AT_MAX};
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

/// A site that is to be shown, by the apply number of its opening.
type Place = (u64, SiteKey);

/// What was found, newest first.
struct Found {
    places: Vec<Place>,
    /// What lies below this may be incomplete: there the walk over one of the agreements ended.
    low: Option<u64>,
    /// More sites were there than are looked at.
    partial: bool,
    as_of: u64,
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
        let (mut bytes, mut sites, mut next) = (0, Vec::new(), found.low);
        let is_whole = |(opened, _): &&Place| found.low.is_none_or(|low| *opened >= low);
        for (opened, key) in found.places.iter().filter(is_whole) {
            let seen = view::site(&reader.view(), key.0, key.1);
            let Some(seen) = seen else { continue };
            let site = self.written(*key, &seen)?;
            bytes += site.encoded_len();
            if sites.len() == size || (bytes > PAGE_BYTES_MAX && !sites.is_empty()) {
                // It is the first of the next page.
                next = Some(opened + 1);
                break;
            }
            sites.push(site);
        }
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
        let places = found.map(|(key, view)| (view.opened_apply, key)).collect();
        return Found { places: newest_first(places), low: None, partial, as_of };
    }
    let (mut places, mut low, mut partial) = (Vec::new(), None, false);
    for agreement in &filter.agreements {
        let (mut here, mut looked) = (0, 0);
        pieces::sites(reader, *agreement, below, &mut |subject, view| {
            looked += 1;
            if filter.takes(&view) {
                here += 1;
                places.push((view.opened_apply, (*agreement, subject)));
            }
            let more = here < want && looked < SITES_LOOKED_AT_MAX;
            if !more {
                // Below this nothing of the agreement was looked at.
                low = low.max(Some(view.opened_apply));
                partial |= looked >= SITES_LOOKED_AT_MAX;
            }
            more
        });
    }
    Found { places: newest_first(places), low, partial, as_of }
}

fn newest_first(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_unstable_by_key(|(opened, _)| std::cmp::Reverse(*opened));
    places
}
