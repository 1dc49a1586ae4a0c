//! Which form does what the first page says is to be done.
//!
//! In scope: the names of forms. Out of scope: whether somebody may send one, which the page of the
//! record decides; a link to a form that is not there leads to its page.

use crate::wire::pb::v1 as pb;

/// The form of a case's page by which the own city does what is awaited of it.
#[must_use]
pub fn case_act(what: pb::CaseAwaited, standing: &pb::TransferStanding) -> Option<&'static str> {
    use pb::CaseAwaited as A;
    match what {
        A::TransferAnswer if standing.acknowledge_time.is_none() => Some("acknowledge"),
        A::TransferAnswer | A::Designation => Some("accept"),
        A::Dispute => Some("designate"),
        A::Recall => Some("return"),
        A::Assistance => Some("answer"),
        A::Proposal => Some("adopt"),
        A::Unspecified => None,
    }
}

/// The form of a plan's page by which the own city does what is awaited of it.
#[must_use]
pub const fn plan_act(what: pb::PlanAwaited) -> Option<&'static str> {
    use pb::PlanAwaited as A;
    match what {
        A::Answer => Some("answer"),
        A::Commit => Some("commit"),
        A::Resolve => Some("resolve"),
        A::Schedule => Some("schedule"),
        A::Reveal => Some("reveal"),
        A::Begin => Some("begin"),
        A::Report => Some("results"),
        A::Summarize => Some("summarize"),
        A::Unspecified => None,
    }
}

/// The form of a page by which a term is met, where one form does.
#[must_use]
pub fn term_act(clock: pb::DeadlineClock) -> Option<&'static str> {
    use pb::DeadlineClock as C;
    let forms = [
        (C::TransferAck, "acknowledge"),
        (C::TransferAnswer, "accept"),
        (C::Assistance, "answer"),
        (C::NoticeAck, "acknowledge"),
        (C::EmergencyAck, "acknowledge"),
    ];
    forms.into_iter().find(|(one, _)| *one == clock).map(|(_, form)| form)
}

/// A page with a form of it unfolded: a browser opens what lies folded around its target.
#[must_use]
pub fn to_act(page: String, act: Option<&str>) -> String {
    match act {
        Some(act) => format!("{page}#do-{act}"),
        None => page,
    }
}
