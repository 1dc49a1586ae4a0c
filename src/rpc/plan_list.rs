//! Lists of plans: pages, total, and the cursor to watch from.
//!
//! In scope: what a list is asked to show, one page of an answer. Out of scope: what a plan looks
//! like ([`super::plan_read`]).

use super::caller::Called;
use super::cursor;
use super::page_token::{self, Seal};
use super::plan_service::PlanApi;
use super::walk::{self, Key};
use crate::domain::Date;
use crate::domain::plan::PlanState;
use crate::ids::{AgreementId, CityCode};
use crate::limits::{PAGE_SIZE_DEFAULT, PLANS_LOOKED_AT_MAX};
use crate::node::pieces;
use crate::view::{self, PlanView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_call as write;
use crate::wire::status::Refused;

/// A filter that was read.
struct Filter {
    agreements: Vec<AgreementId>,
    city: Option<CityCode>,
    state: Option<PlanState>,
    from: Option<Date>,
    until: Option<Date>,
    awaits_own_city: bool,
}

impl Filter {
    fn takes(&self, api: &PlanApi, view: &PlanView) -> bool {
        let facts = &view.plan.facts;
        let days = || facts.days.iter().map(|day| day.at.on);
        let own = api.desk.node.city();
        let (first, last) = (self.from, self.until);
        let within = |on: Date| first.is_none_or(|f| f <= on) && last.is_none_or(|l| on <= l);
        self.city.is_none_or(|city| facts.has(city))
            && self.state.is_none_or(|state| state == view.state())
            && ((first.is_none() && last.is_none()) || days().any(within))
            && (!self.awaits_own_city || api.awaited(view).contains_key(&own))
    }
}

impl PlanApi {
    /// One page of a list.
    pub(super) fn page(
        &self,
        who: &Called,
        asked: &pb::ListPlansRequest,
    ) -> Result<pb::ListPlansResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let filter = self.filter(asked)?;
        let bound =
            pb::ListPlansRequest { page_token: String::new(), page_size: 0, ..asked.clone() };
        let bound = [b"plans ".as_slice(), &read::request_body(&bound)].concat();
        let seal = Seal::new(&self.desk.node, &who.caller.identity, bound);
        let from = seal.open::<3>(&asked.page_token)?;
        let reader = self.desk.node.reader();
        // One more tells whether there is a next page; the first page counts all.
        let want = if from.is_some() { size + 1 } else { PLANS_LOOKED_AT_MAX };
        let want = (from.map(|[below, ..]| below), want);
        let agreements = &filter.agreements;
        let found = walk::find(&reader, agreements, want, PLANS_LOOKED_AT_MAX, &|of, below, f| {
            pieces::plans(&reader, of, below, &mut |subject, view| {
                f(subject, view.opened_apply, filter.takes(self, &view))
            });
        });
        let (total, partial) = match from {
            Some([_, total, partial]) => (total, partial != 0),
            None => (found.places.len() as u64, found.partial),
        };
        let written = |key: Key| {
            let seen = view::plan(&reader.view(), key.0, key.1);
            Ok(seen.map(|seen| self.written(key, &seen)))
        };
        let (plans, next) = found.page(size, &written)?;
        let token = |below| seal.close(&[below, total, u64::from(partial)]);
        Ok(pb::ListPlansResponse {
            plans,
            next_page_token: next.map(token).unwrap_or_default(),
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
            total_is_partial: partial,
            cursor: cursor::at(&self.desk.node, found.as_of),
        })
    }

    fn filter(&self, asked: &pb::ListPlansRequest) -> Result<Filter, Refused> {
        let book = self.desk.node.book();
        let agreements = match read::parent(&asked.parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let given = (asked.city != 0).then_some(asked.city);
        Ok(Filter {
            agreements,
            city: given.map(|code| read::city("city", code)).transpose()?,
            state: write::state(asked.state)?,
            from: read::date("from", asked.from.as_ref())?,
            until: read::date("until", asked.until.as_ref())?,
            awaits_own_city: asked.awaits_own_city,
        })
    }
}
