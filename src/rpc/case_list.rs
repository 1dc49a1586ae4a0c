//! Lists of cases: filters, pages, total, and the cursor to watch from.

use super::caller::Called;
use super::case_read;
use super::case_service::CaseApi;
use super::cursor;
use super::page_token::Seal;
use crate::domain::CaseState;
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::view::{self, CaseView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// Cases looked at for one page and its total.
const SCAN_ROWS_MAX: u32 = 20_000;
/// Largest page; more is clamped.
const PAGE_SIZE_MAX: usize = 200;

impl CaseApi {
    /// One page of a list.
    pub(super) fn list(
        &self,
        who: &Called,
        asked: &pb::ListCasesRequest,
    ) -> Result<pb::ListCasesResponse, Refused> {
        let size = usize::try_from(asked.page_size)
            .map_err(|_| Refused::new("PAGE_SIZE").at("page_size"))?;
        let size = if size == 0 { 50 } else { size.min(PAGE_SIZE_MAX) };
        if asked.states.len() > 16 {
            return Err(Refused::new("FILTER_TOO_COMPLEX").at("states"));
        }
        if (asked.near_city == 0) != (asked.near_metres == 0) {
            return Err(Refused::new("FILTER_INCOMPLETE").at("near_metres"));
        }
        let only = read::parent(&asked.parent)?;
        let book = self.node.book();
        let agreements: Vec<AgreementId> = match only {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let mut filter = asked.clone();
        filter.page_token = String::new();
        filter.page_size = 0;
        let seal = Seal::new(&self.node, &who.caller.identity, read::request_body(&filter));
        let after = seal.open(&asked.page_token)?;
        let states = read::states(&asked.states)?;
        let reader = self.node.reader();
        let rows = reader.view();
        let mut found: Vec<(AgreementId, SubjectId, CaseView)> = Vec::new();
        let (mut looked, mut total) = (0, 0);
        for agreement in agreements {
            view::cases_newest_first(&rows, agreement, None, &mut |subject, view| {
                looked += 1;
                if matches(asked, &states, &view) {
                    total += 1;
                    if after.is_none_or(|after| view.opened_apply < after) {
                        found.push((agreement, subject, view));
                    }
                }
                looked < SCAN_ROWS_MAX
            });
        }
        let apply = reader.apply_number(&rows);
        drop(rows);
        found.sort_by_key(|(_, _, view)| std::cmp::Reverse(view.opened_apply));
        let mut cases = Vec::new();
        let mut next = String::new();
        for (agreement, subject, view) in found {
            if cases.len() == size {
                break;
            }
            let case = case_read::written(&self.node, &reader, agreement, subject, &view);
            if wanted(asked, &case) {
                cases.push(case);
                next = seal.close(view.opened_apply);
            }
        }
        if cases.len() < size {
            next = String::new();
        }
        Ok(pb::ListCasesResponse {
            cases,
            next_page_token: next,
            total_size: total,
            total_is_partial: looked >= SCAN_ROWS_MAX,
            cursor: cursor::at(&self.node, apply),
        })
    }
}

fn matches(asked: &pb::ListCasesRequest, states: &[CaseState], view: &CaseView) -> bool {
    let case = &view.case;
    let city = |wanted: u32, got: Option<CityCode>| {
        wanted == 0 || got.is_some_and(|got| got.as_u32() == wanted)
    };
    let near = asked.near_city == 0
        || case
            .facts
            .borders
            .iter()
            .any(|b| b.city.as_u32() == asked.near_city && b.metres <= asked.near_metres);
    (states.is_empty() || states.contains(&case.state))
        && city(asked.handling_city, Some(case.handling))
        && city(asked.originating_city, Some(case.originating))
        && city(asked.turn_city, case.turn)
        && near
}

/// What only the parts can tell.
fn wanted(asked: &pb::ListCasesRequest, case: &pb::Case) -> bool {
    let external = case.external_ref.as_ref().map_or("", |e| e.number.as_str());
    (asked.number.is_empty() || asked.number == case.number)
        && (asked.external_number.is_empty() || asked.external_number == external)
}
