//! How far offers of transfer have got: who holds them, who has acknowledged them, until when they
//! are to be answered.
//!
//! In scope: one case. Out of scope: lists ([`super::case_list`]), the terms themselves
//! ([`crate::domain::deadline`]).

use super::case_service::CaseApi;
use super::holdings::Witnesses;
use crate::domain::CaseState;
use crate::ids::CaseKey;
use crate::node::reader::Reader;
use crate::view::{self, CaseView};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;

impl CaseApi {
    /// How far the offer has got that a case waits in; nothing where it waits in none.
    pub(super) fn transfer(
        &self,
        reader: &Reader,
        witnesses: &Witnesses,
        case: CaseKey,
        found: &CaseView,
    ) -> pb::TransferStanding {
        let Some(transfer) = found.case.transfer else { return pb::TransferStanding::default() };
        if found.case.state != CaseState::TransferredOut {
            return pb::TransferStanding::default();
        }
        // While it waits for an answer nothing but the offer can have been its last move.
        let offer = found.last_move;
        let rows = reader.view();
        let (acknowledged, offered) = view::acknowledged(&rows, case, (offer, transfer.to));
        let due = self.due.of_case(&self.node, &rows, case, found);
        drop(rows);
        let now_ms = self.node.now_ms();
        let due = due.iter().filter(|term| term.city == transfer.to);
        let held = witnesses.holding(reader, offer).get(&transfer.to).copied();
        pb::TransferStanding {
            offer_time: offered.map(read::timestamp),
            hold_time: held.map(read::timestamp),
            acknowledge_time: acknowledged.map(read::timestamp),
            deadlines: due.map(|term| read::deadline_to_pb(term, now_ms)).collect(),
        }
    }
}
