//! What an own entry says it has seen: heads of other logs that moved since the last entry.

use crate::domain::{CaseContribution, CaseMove, Event};
use crate::ids::{LogId, Position};
use crate::journal::Disk;
use crate::limits::AFTER_MAX;
use crate::log::Head;
use crate::node::core::Core;
use crate::store::Store;
use crate::view;

impl<D: Disk, S: Store> Core<D, S> {
    /// Heads of other logs of the agreement, as applied here for sure, that this log has not named
    /// yet; if there are too many, those in `needed` first.
    pub(super) fn news(&mut self, log: LogId, needed: &[LogId]) -> Vec<Head> {
        let Some(own) = self.logs.get(log) else { return Vec::new() };
        let agreement = own.manifest.agreement;
        let heads: Vec<Head> = self
            .logs
            .of_agreement(agreement)
            .filter(|l| l.id != log)
            .map(|l| {
                #[cfg(feature = "planted-bugs")]
                if crate::planted::is_on("stored-heads-in-after") {
                    return l.durable;
                }
                l.sure_head()
            })
            .collect();
        let rows = self.group_rows();
        let news = heads.into_iter().filter(|h| view::named(&rows, log, h.log) < h.size);
        most_needed(news.collect(), needed, AFTER_MAX)
    }
}

/// At most `max` heads, the needed ones first, in ascending order of logs.
fn most_needed(mut heads: Vec<Head>, needed: &[LogId], max: usize) -> Vec<Head> {
    heads.sort_unstable_by_key(|h| (!needed.contains(&h.log), h.log));
    heads.truncate(max);
    heads.sort_unstable_by_key(|h| h.log);
    heads
}

/// Logs that an entry's author must have seen for it to take effect: those of its `prev`, of the
/// entries it answers, and of the opening of its record.
pub(super) fn needed_logs(
    prev: Option<Position>,
    opened_at: Option<Position>,
    event: &Event,
) -> Vec<LogId> {
    let one = [prev, opened_at, named_entry(event)].into_iter().flatten();
    one.chain(named_of_plan(event)).map(|at| at.log).collect()
}

/// The entries on which a word or a move of a plan rests.
fn named_of_plan(event: &Event) -> Vec<Position> {
    if let Event::PlanMove(mv) = event {
        return mv.names();
    }
    if let Event::PlanAct(act) = event { act.names() } else { Vec::new() }
}

/// The entry that an event answers or opens up, if it does.
pub(super) fn named_entry(event: &Event) -> Option<Position> {
    match event {
        Event::CaseMove(
            CaseMove::ProposalAdopted { proposal, .. } | CaseMove::ProposalRefused { proposal, .. },
        ) => Some(*proposal),
        Event::Contribution(CaseContribution::AssistanceAnswered { request }) => Some(*request),
        Event::Contribution(
            CaseContribution::PartGranted { entry, .. }
            | CaseContribution::MilestoneWithdrawn { entry },
        ) => Some(*entry),
        Event::Contribution(CaseContribution::Evidence { place, .. }) => Some(place.entry),
        Event::Contribution(CaseContribution::Referral(act)) => act.names(),
        Event::CaseMove(_)
        | Event::Contribution(_)
        | Event::ActorIntroduced
        | Event::RecoveryOverridden { .. }
        | Event::CharterAdopted { .. }
        | Event::PartErased { .. }
        | Event::CaseOpened { .. }
        | Event::NoticeIssued { .. }
        | Event::NoticeAct(_)
        | Event::MeetingCalled { .. }
        | Event::MeetingAct(_)
        | Event::SiteRegistered { .. }
        | Event::SiteAct(_)
        | Event::UnitRegistered { .. }
        | Event::UnitAct(_)
        | Event::PlanOpened { .. }
        | Event::PlanMove(_)
        | Event::PlanAct(_)
        | Event::Newer => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Hash;

    #[test]
    fn what_is_needed_is_never_cut_off() {
        let log = |n: u8| LogId::new([n; 32]);
        let head = |n| Head { log: log(n), size: 1, root: Hash::new([0; 32]) };
        let all: Vec<Head> = (0..200).map(head).collect();
        let kept = most_needed(all.clone(), &[log(199), log(150)], 64);
        assert_eq!(kept.len(), 64);
        assert!(kept.contains(&head(199)) && kept.contains(&head(150)) && kept.contains(&head(61)));
        assert!(kept.is_sorted_by_key(|h| h.log), "a header names logs in ascending order");
        assert_eq!(most_needed(all[..3].to_vec(), &[log(9)], 64), all[..3]);
    }
}
