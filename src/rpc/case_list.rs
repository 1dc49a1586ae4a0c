//! Lists of cases: pages, total, and the cursor to watch from.
//!
//! In scope: one page of an answer. Out of scope: what is taken ([`super::case_filter`]), how it
//! is found ([`super::case_walk`]).

use prost::Message;

use super::audit_line::AuditLine;
use super::caller::Called;
use super::case_filter::Filter;
use super::case_page::{Found, Walked};
use super::case_read;
use super::case_service::CaseApi;
use super::case_walk::Walk;
use super::cursor;
use super::holdings::Witnesses;
use super::page_token::{self, Seal};
use crate::ids::{AgreementId, CaseKey, SubjectId};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT};
use crate::node::reader::Reader;
use crate::node::roll::Line;
use crate::node::search::Sought;
use crate::view::{self, CaseView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// What is told beside the cases of a page.
#[derive(Clone, Copy)]
struct Beside<'a> {
    /// The records that may be of the same acts.
    hinted: bool,
    /// With those who tell, how far offers of transfer have got.
    witnesses: Option<&'a Witnesses>,
    /// What is awaited.
    awaited: bool,
}

/// A page that was written.
struct Page {
    cases: Vec<pb::Case>,
    /// Of each case, if that was asked for.
    same_acts: Vec<pb::SameActs>,
    /// Of each case, if that was asked for.
    transfers: Vec<pb::TransferStanding>,
    /// Of each case, if that was asked for.
    waitings: Vec<pb::CaseWaitings>,
    /// From where the next page goes on, if there is more.
    place: Option<u64>,
}

impl CaseApi {
    /// One page of a list, off the threads that serve calls.
    pub(super) async fn list_cases_page(
        &self,
        who: Called,
        asked: pb::ListCasesRequest,
    ) -> Result<pb::ListCasesResponse, Refused> {
        let api = self.clone();
        let status = match asked.with_transfers {
            true => Some(self.node.status().await.ok_or(Refused::new("STOPPING"))?),
            false => None,
        };
        let listed = tokio::task::spawn_blocking(move || {
            let mut line = AuditLine::new(
                api.door(),
                &who,
                "/liandong.v1.CaseService/ListCases",
                &asked.parent,
            );
            let witnesses = status.map(|status| Witnesses::of(&status, None));
            let listed = api.list(&who, &asked, witnesses.as_ref());
            line.foreign(listed.iter().flat_map(|page| &page.cases));
            line.hinted(listed.iter().flat_map(|page| &page.same_acts));
            line.end(&listed);
            listed
        });
        listed.await.unwrap_or(Err(Refused::new("STOPPING")))
    }

    fn list(
        &self,
        who: &Called,
        asked: &pb::ListCasesRequest,
        witnesses: Option<&Witnesses>,
    ) -> Result<pb::ListCasesResponse, Refused> {
        let size = page_token::size(asked.page_size, PAGE_SIZE_DEFAULT as usize)?;
        let mut filter = Filter::read(&self.node.book(), self.node.city(), &self.acts, asked)?;
        let bound =
            pb::ListCasesRequest { page_token: String::new(), page_size: 0, ..asked.clone() };
        let seal = Seal::new(&self.node, &who.caller.identity, read::request_body(&bound));
        let from = seal.open::<3>(&asked.page_token)?;
        let awaited = asked.awaits_own_city || asked.awaits_others;
        let beside = Beside { hinted: asked.has_same_act_hints, witnesses, awaited };
        if beside.hinted {
            self.acts.look(&self.node, &|| false);
        }
        let reader = self.node.reader();
        if asked.rests_on_suspended {
            filter.only(reader.leaning());
        }
        if filter.said.is_some() {
            self.search.look(&reader);
        }
        if !asked.number.is_empty() || !asked.external_number.is_empty() {
            let after = from.map(|[place, ..]| place);
            return Ok(self.numbered(&reader, &filter, (asked, beside), (after, size), &seal));
        }
        let walk = Walk {
            node: &self.node,
            roll: &self.roll,
            reader: &reader,
            search: &self.search,
            filter: &filter,
            assignee: filter.assignee.as_deref().map(|name| reader.assignee_tag(name)),
            after: from.map(|[place, ..]| place),
            // One more tells whether there is a next page.
            want: size + 1,
            count: from.is_none(),
        };
        let walked = walk.run();
        let (total, partial) = match from {
            Some([_, total, partial]) => (total, partial != 0),
            None => (walked.total, !walked.complete),
        };
        let Page { cases, same_acts, transfers, waitings, place } =
            self.page(&reader, &walked, size, beside);
        let token = |place| seal.close(&[place, total, u64::from(partial)]);
        Ok(pb::ListCasesResponse {
            cases,
            next_page_token: place.map(token).unwrap_or_default(),
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
            total_is_partial: partial,
            cursor: cursor::at(&self.node, walked.as_of),
            same_acts,
            transfers,
            waitings,
        })
    }

    /// Writes a page.
    fn page(&self, reader: &Reader, walked: &Walked, size: usize, beside: Beside<'_>) -> Page {
        let Beside { hinted, witnesses, awaited } = beside;
        let (mut cases, mut same_acts) = (Vec::new(), Vec::new());
        let (mut transfers, mut waitings) = (Vec::new(), Vec::new());
        let (mut bytes, mut last) = (0, None);
        let whole = hinted && self.acts.is_whole();
        for Found { agreement, subject, view } in walked.found.iter().take(size) {
            let case = case_read::written(&self.node, reader, *agreement, *subject, view);
            let acts = hinted.then(|| self.same_acts(reader, (*agreement, *subject), whole));
            let key = (*agreement, *subject);
            let transfer = witnesses.map(|all| self.transfer(reader, all, key, view));
            bytes += case.encoded_len() + acts.as_ref().map_or(0, Message::encoded_len);
            bytes += transfer.as_ref().map_or(0, Message::encoded_len);
            let waiting = awaited.then(|| waitings_of(reader, key, view));
            bytes += waiting.as_ref().map_or(0, Message::encoded_len);
            if bytes > PAGE_BYTES_MAX && !cases.is_empty() {
                break;
            }
            cases.push(case);
            same_acts.extend(acts);
            transfers.extend(transfer);
            waitings.extend(waiting);
            last = Some(view.opened_apply);
        }
        let place = walked.next(cases.len(), last);
        Page { cases, same_acts, transfers, waitings, place }
    }

    /// Cases with a number, found through the index of numbers, a page at a time.
    fn numbered(
        &self,
        reader: &Reader,
        filter: &Filter,
        (asked, beside): (&pb::ListCasesRequest, Beside<'_>),
        (after, size): (Option<u64>, usize),
        seal: &Seal,
    ) -> pb::ListCasesResponse {
        let by_number = |agreement: &AgreementId| {
            reader.case_by_number(*agreement, &asked.number).map(|subject| (*agreement, subject))
        };
        let mut named: Vec<(AgreementId, SubjectId)> = if asked.number.is_empty() {
            reader.cases_by_external(&asked.external_number)
        } else {
            filter.agreements.iter().filter_map(by_number).collect()
        };
        if !asked.number.is_empty() && !asked.external_number.is_empty() {
            let also = reader.cases_by_external(&asked.external_number);
            named.retain(|case| also.contains(case));
        }
        named.retain(|(agreement, _)| filter.agreements.contains(agreement));
        let rows = reader.view();
        let as_of = reader.apply_number(&rows);
        let found = named.into_iter().filter_map(|(agreement, subject)| {
            let view = view::case(&rows, agreement, subject)?;
            let case = (agreement, subject);
            let fits = filter.takes(&Line::of(&rows, case, &view))
                && filter.may_be_one_act((view.opened_apply, case)).0;
            fits.then_some(Found { agreement, subject, view })
        });
        let mut found: Vec<Found> = found.collect();
        drop(rows);
        if let Some(query) = &filter.said {
            found.retain(|found| {
                let Found { agreement, subject, view } = found;
                let (opened, record_at) = (view.opened_apply, view.record_at);
                let sought = Sought { case: (*agreement, *subject), opened, record_at };
                self.search.takes(reader, query, &sought)
            });
        }
        if let Some(leaning) = &filter.leaning {
            found.retain(|f| leaning.has_record(&reader.view(), f.agreement, f.subject));
        }
        if let Some(tag) = filter.assignee.as_deref().map(|name| reader.assignee_tag(name)) {
            found.retain(|found| reader.is_assigned((found.agreement, found.subject), tag));
        }
        found.sort_by_key(|found| std::cmp::Reverse(found.view.opened_apply));
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        found.retain(|found| after.is_none_or(|after| found.view.opened_apply < after));
        let walked = Walked { found, total, low: 0, full_at: None, complete: true, as_of };
        let Page { cases, same_acts, transfers, waitings, place } =
            self.page(reader, &walked, size, beside);
        pb::ListCasesResponse {
            cases,
            next_page_token: place.map(|at| seal.close(&[at, total, 0])).unwrap_or_default(),
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
            total_is_partial: false,
            cursor: cursor::at(&self.node, as_of),
            same_acts,
            transfers,
            waitings,
        }
    }
}

fn waitings_of(reader: &Reader, case: CaseKey, found: &CaseView) -> pb::CaseWaitings {
    let all = view::awaited(&reader.view(), case, found);
    pb::CaseWaitings { waitings: all.iter().map(read::waiting_to_pb).collect() }
}
