//! Who has to do something about a case that another city waits for: what a city sees first when
//! it opens its page. Terms are not asked: a dispute has none, and a proposal has none.
//!
//! In scope: transfers, requests for help, proposals to amend. Out of scope: what the handling city
//! has to do by itself, which its terms tell ([`super::deadline`]); plans
//! ([`super::plan::awaited`]).
//!
//! Invariants:
//! 1. A case in a transfer always awaits the city whose turn it is.
//!    (`a_transfer_awaits_whose_turn_it_is`)
//! 2. What was answered awaits nobody. (`what_was_answered_awaits_nobody`)

use super::case::{Case, CaseState};
use super::code::coded;
use super::date::Date;
use super::deadline::{Happened, What};
use crate::ids::{CityCode, Position};

coded! {
    /// What another city waits for in a case.
    CaseAwaited {
        TransferAnswer "TRANSFER_ANSWER" "答复移送" "answer the transfer";
        Dispute "DISPUTE" "退还案件或登记指定管辖" "return the case or record the designation";
        Designation "DESIGNATION" "按指定管辖接收案件" "take the case as designated";
        Recall "RECALL" "答复退还请求" "answer the request to give it back";
        Assistance "ASSISTANCE" "答复协助请求" "answer the request for help";
        Proposal "PROPOSAL" "采纳或不采纳建议" "adopt or refuse the proposal";
    }
}

/// One thing that a city is to do and another waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who is to do it.
    pub city: CityCode,
    /// Who waits for it.
    pub by: CityCode,
    /// What.
    pub what: CaseAwaited,
    /// The entry that asks for it; none of a transfer, whose last move does.
    pub asked: Option<Position>,
    /// Since which day in Beijing, where the history tells.
    pub since: Option<Date>,
    /// By when, where whoever asks has said so.
    pub due_on: Option<Date>,
}

/// What is awaited in a case: its transfer first, then the rest in the order it was asked for.
/// `history` is everything that took effect in it, in order.
#[must_use]
pub fn awaited(case: &Case, history: &[Happened]) -> Vec<Waiting> {
    // Nobody may do anything about a case in the archive.
    let Some(turn) = case.turn else { return Vec::new() };
    let mut all: Vec<Waiting> = transfer(case, turn, history).into_iter().collect();
    let judged = |at: Position| history.iter().any(|h| h.what == What::Judged(at));
    let answered = |request: Position, to: CityCode| {
        history.iter().any(|h| h.by == to && h.what == What::Answered(request))
    };
    for happened in history {
        let (by, since) = (happened.by, Some(happened.on));
        let waiting = |city, what| Waiting { city, by, what, asked: None, since, due_on: None };
        if let What::Asked { request, to, due_on } = happened.what
            && case.handled_by.contains(&by)
            && !answered(request, to)
        {
            let (asked, due_on) = (Some(request), Some(due_on));
            all.push(Waiting { asked, due_on, ..waiting(to, CaseAwaited::Assistance) });
        }
        if let What::Proposed(at) = happened.what
            && by != case.handling
            && !judged(at)
        {
            let asked = Some(at);
            all.push(Waiting { asked, ..waiting(case.handling, CaseAwaited::Proposal) });
        }
    }
    all
}

fn transfer(case: &Case, turn: CityCode, history: &[Happened]) -> Option<Waiting> {
    let transfer = case.transfer?;
    let became = |h: &&Happened| h.what == What::Became(case.state);
    let begun = history.iter().rposition(|h| became(&h));
    let after = begun.and_then(|at| history.get(at..)).unwrap_or_default();
    let recalled = after.iter().any(|h| h.what == What::Recalled && h.by == transfer.from);
    let what = if case.state == CaseState::TransferDisputed {
        CaseAwaited::Dispute
    } else if case.state == CaseState::Designated {
        CaseAwaited::Designation
    } else if recalled {
        CaseAwaited::Recall
    } else {
        CaseAwaited::TransferAnswer
    };
    let since = after.first().map(|h| h.on);
    // Whoever is named by the superior is waited for by the other one.
    let by = if turn == transfer.from { transfer.to } else { transfer.from };
    Some(Waiting { city: turn, by, what, asked: None, since, due_on: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Transfer;
    use crate::domain::fixtures::{city, date, facts};
    use crate::domain::transition;
    use crate::ids::LogId;

    const OWN: u32 = 371_500;
    const OTHER: u32 = 130_400;

    fn at(index: u64) -> Position {
        Position { log: LogId::new([7; 32]), index }
    }

    fn said(by: u32, what: What) -> Happened {
        Happened { by: city(by), on: date("2026-03-02"), what }
    }

    fn opened() -> (Case, Vec<Happened>) {
        let case = transition::open(city(OWN), facts(), date("2026-03-01"));
        (case, vec![said(OWN, What::Became(CaseState::ClueReported))])
    }

    fn told(case: &Case, history: &[Happened]) -> Vec<(CaseAwaited, u32, u32)> {
        let all = awaited(case, history);
        all.iter().map(|one| (one.what, one.city.as_u32(), one.by.as_u32())).collect()
    }

    #[test]
    fn a_transfer_awaits_whose_turn_it_is() {
        let (mut case, mut history) = opened();
        assert_eq!(told(&case, &history), []);
        let (from, to) = (city(OWN), city(OTHER));
        case.transfer = Some(Transfer { from, to, returns_to: case.state });
        for (state, turn, by, what) in [
            (CaseState::TransferredOut, OTHER, OWN, CaseAwaited::TransferAnswer),
            (CaseState::TransferDisputed, OTHER, OWN, CaseAwaited::Dispute),
            (CaseState::Designated, OTHER, OWN, CaseAwaited::Designation),
            (CaseState::Designated, OWN, OTHER, CaseAwaited::Designation),
        ] {
            (case.state, case.turn) = (state, Some(city(turn)));
            history.push(said(by, What::Became(state)));
            assert_eq!(told(&case, &history), [(what, turn, by)]);
        }
        // A request to give it back is of the offer that stands, not of an earlier one.
        history.push(said(OWN, What::Recalled));
        (case.state, case.turn) = (CaseState::TransferredOut, Some(city(OTHER)));
        history.push(said(OWN, What::Became(CaseState::TransferredOut)));
        assert_eq!(told(&case, &history), [(CaseAwaited::TransferAnswer, OTHER, OWN)]);
        history.push(said(OWN, What::Recalled));
        assert_eq!(told(&case, &history), [(CaseAwaited::Recall, OTHER, OWN)]);
    }

    #[test]
    fn what_was_answered_awaits_nobody() {
        let (mut case, mut history) = opened();
        let due_on = date("2026-03-20");
        history.push(said(OWN, What::Asked { request: at(5), to: city(OTHER), due_on }));
        history.push(said(OTHER, What::Proposed(at(6))));
        let both = [(CaseAwaited::Assistance, OTHER, OWN), (CaseAwaited::Proposal, OWN, OTHER)];
        assert_eq!(told(&case, &history), both);
        let days: Vec<_> = awaited(&case, &history).iter().map(|one| one.due_on).collect();
        assert_eq!(days, [Some(due_on), None]);
        // An answer counts if it is of whoever was asked.
        history.push(said(372_900, What::Answered(at(5))));
        assert_eq!(told(&case, &history), both);
        history.push(said(OTHER, What::Answered(at(5))));
        assert_eq!(told(&case, &history), both[1..]);
        history.push(said(OWN, What::Judged(at(6))));
        assert_eq!(told(&case, &history), []);
        history.push(said(OTHER, What::Proposed(at(9))));
        assert_eq!(told(&case, &history).len(), 1);
        case.turn = None;
        assert_eq!(told(&case, &history), [], "in the archive");
    }
}
