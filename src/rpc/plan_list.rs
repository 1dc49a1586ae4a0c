//! Lists of plans: pages, total, and the cursor to watch from.
//!
//! In scope: what a list is asked to show, one page of an answer. Out of scope: what a plan looks
//! like ([`super::plan_read`]).

use prost::Message;

use super::caller::Called;
use super::cursor;
use super::holdings::Witnesses;
use super::page_token::{self, Seal};
use super::plan_service::PlanApi;
use crate::domain::plan::PlanState;
use crate::domain::{Date, HalfDay};
use crate::ids::{AgreementId, CityCode};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT};
use crate::node::plan_roll::Line;
use crate::view;
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
    /// Only those that await something of the own city on this day; no plan where the day is not
    /// known.
    awaits_own_city: Option<Option<Date>>,
    /// The own city and such a day: only those in which it takes part and that await something of
    /// others.
    awaits_others: Option<(CityCode, Option<Date>)>,
    /// Only those that have ended and hold units of the own city on such a day or later.
    holds_own_units: Option<Option<Date>>,
}

impl Filter {
    fn takes(&self, line: &Line) -> bool {
        let is_on = |from: Option<Date>, today| from.zip(today).is_some_and(|(f, t)| f <= t);
        self.agreements.contains(&line.plan.0)
            && self.city.is_none_or(|city| line.has(city))
            && self.state.is_none_or(|state| state == line.state)
            && line.is_within(self.from, self.until)
            && self.awaits_own_city.is_none_or(|today| is_on(line.awaited_from, today))
            && self
                .awaits_others
                .is_none_or(|(own, today)| line.has(own) && is_on(line.others_from, today))
            && self.holds_own_units.is_none_or(|today| {
                let today = today.map(|today| HalfDay::morning(today).number());
                line.held_to.zip(today).is_some_and(|(to, today)| today <= to)
            })
    }
}

impl PlanApi {
    /// One page of a list; with witnesses it tells who holds each plan.
    pub(super) fn page(
        &self,
        who: &Called,
        asked: &pb::ListPlansRequest,
        witnesses: Option<&Witnesses>,
    ) -> Result<pb::ListPlansResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let filter = self.filter(asked)?;
        let bound =
            pb::ListPlansRequest { page_token: String::new(), page_size: 0, ..asked.clone() };
        let bound = [b"plans ".as_slice(), &read::request_body(&bound)].concat();
        let seal = Seal::new(&self.desk.node, &who.caller.identity, bound);
        let from = seal.open::<2>(&asked.page_token)?;
        let roll = self.roll.open(&self.desk.node);
        let as_of = roll.as_of();
        let below = from.map(|[below, _]| below);
        let mut fits = roll.newest_first(below).filter(|line| filter.takes(line));
        // One more tells whether there is a next page; the first page counts all.
        let lines: Vec<_> = fits.by_ref().take(size + 1).map(|l| (l.plan, l.opened)).collect();
        let total = match from {
            Some([_, total]) => total,
            None => (lines.len() + fits.by_ref().count()) as u64,
        };
        drop(fits);
        drop(roll);
        let (mut plans, mut bytes, mut next) = (Vec::new(), 0, None);
        // Where the next page begins when the last of these is on this one.
        let behind = lines.last().filter(|_| lines.len() > size).map(|(_, opened)| *opened);
        let (reader, own) = (self.desk.node.reader(), self.desk.node.city());
        let rules = self.desk.node.plan_rules();
        for (plan, opened) in lines {
            let rows = reader.view();
            let booked = view::booked(&rows, plan, own);
            let Some(seen) = view::plan(&rows, plan.0, plan.1) else { continue };
            drop(rows);
            // It is the first of the next page.
            let next_from = Some(opened + 1);
            if plans.len() == size {
                next = next_from;
                break;
            }
            // It may have been moved since the roll was read.
            if !filter.takes(&Line::of(plan, (&seen, booked), (own, &rules))) {
                continue;
            }
            let mut shown = self.written(plan, &seen);
            shown.holdings =
                witnesses.map(|all| all.others(&reader, seen.last_move, own)).unwrap_or_default();
            bytes += shown.encoded_len();
            if bytes > PAGE_BYTES_MAX && !plans.is_empty() {
                next = next_from;
                break;
            }
            plans.push(shown);
        }
        Ok(pb::ListPlansResponse {
            plans,
            next_page_token: next
                .or(behind)
                .map(|below| seal.close(&[below, total]))
                .unwrap_or_default(),
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
            total_is_partial: false,
            cursor: cursor::at(&self.desk.node, as_of),
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
            awaits_own_city: asked.awaits_own_city.then(|| self.desk.node.today()),
            awaits_others: asked
                .awaits_others
                .then(|| (self.desk.node.city(), self.desk.node.today())),
            holds_own_units: asked.holds_own_units.then(|| self.desk.node.today()),
        })
    }
}
