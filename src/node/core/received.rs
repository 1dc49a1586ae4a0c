//! The receiver's word that the narrow parts of a case it accepted have all arrived.
//!
//! A person may record it. When nobody does, the node writes it by itself, a moment after nothing
//! is missing any more; until then pages say "files outstanding" and the sender's copies stay.

use crate::api::request::{Caller, Command, Request};
use crate::domain::{CaseContribution, Event};
use crate::ids::{AgreementId, SubjectId};
use crate::journal::Disk;
use crate::log::ActorRole;
use crate::node::core::{Core, Now, keys};
use crate::store::Store;
use crate::view::{self, Effect, ReadRows, Rows};

/// Cases looked at in one go.
const CASES_MAX: usize = 64;
/// How long people have to record it themselves, and how long to wait before trying again what was
/// refused, in milliseconds.
const GRACE_MS: u64 = 10_000;

impl<D: Disk, S: Store> Core<D, S> {
    /// An own entry was applied: an acceptance is to be confirmed, a confirmation is done.
    pub(super) fn index_received(
        &mut self,
        agreement: AgreementId,
        subject: SubjectId,
        event: &Event,
        effect: &Effect,
    ) {
        let key = keys::unconfirmed(agreement, subject);
        match event {
            Event::CaseMove(mv) if mv.hands_over() && *effect == Effect::Move => {
                self.group_rows().put(key, Vec::new());
            }
            Event::Contribution(CaseContribution::PartsReceived) => {
                self.group_rows().delete(&key);
            }
            Event::CaseMove(_)
            | Event::Contribution(_)
            | Event::CaseOpened { .. }
            | Event::ActorIntroduced
            | Event::RecoveryOverridden { .. }
            | Event::CharterAdopted { .. }
            | Event::PartErased { .. }
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
            | Event::Newer => {}
        }
    }

    /// Confirms the cases of which everything is here.
    pub(super) fn confirm_received(&mut self, now: Now) {
        if self.poisoned.is_some() {
            return;
        }
        let waiting = self.next_unconfirmed();
        let mut complete = std::mem::take(&mut self.complete);
        let rows = self.group_rows();
        complete.retain(|(agreement, subject), _| {
            rows.get(&keys::unconfirmed(*agreement, *subject)).is_some()
        });
        for case in waiting {
            if !self.has_all_parts(case.0, case.1) || self.check_own_log(case.0).is_err() {
                complete.remove(&case);
                continue;
            }
            let since = complete.entry(case).or_insert(now.mono_ms);
            if now.mono_ms.saturating_sub(*since) >= GRACE_MS {
                *since = now.mono_ms;
                self.confirm(case.0, case.1);
            }
        }
        self.complete = complete;
    }

    /// The cases to be looked at now: each has its turn, however many of those before it are
    /// waiting for parts or may not be written to.
    /// (`a_complete_case_is_confirmed_whatever_waits_before_it`)
    fn next_unconfirmed(&mut self) -> Vec<(AgreementId, SubjectId)> {
        let from = std::mem::take(&mut self.unconfirmed_from).unwrap_or_else(|| b"r".to_vec());
        let (mut waiting, mut last) = (Vec::new(), None);
        self.group_rows().scan(&from, b"s", false, &mut |key, _| {
            waiting.extend(keys::parse_case_value(key.get(1..).unwrap_or_default()));
            last = Some([key, &[0]].concat());
            waiting.len() < CASES_MAX
        });
        self.unconfirmed_from = last.filter(|_| waiting.len() >= CASES_MAX);
        waiting
    }

    fn has_all_parts(&mut self, agreement: AgreementId, subject: SubjectId) -> bool {
        let rows = self.group_rows();
        let missing = |(at, part): (_, usize)| {
            u32::try_from(part).is_ok_and(|part| rows.get(&keys::missing_part(at, part)).is_some())
        };
        !view::narrow_entries(&rows, agreement, subject).into_iter().any(missing)
    }

    fn confirm(&mut self, agreement: AgreementId, subject: SubjectId) {
        let moved = view::case(&self.group_rows(), agreement, subject).map(|c| c.move_count);
        let Some(moved) = moved else { return };
        let contribution = CaseContribution::PartsReceived;
        let name = format!("node/{}", self.settings.node);
        let request = Request {
            caller: Caller {
                identity: name.clone(),
                role: ActorRole::Node,
                certificate_number: name,
            },
            acting_for: None,
            // A case may be accepted, handed on and accepted again.
            request_id: format!("received {subject} {moved}"),
            body: Vec::new(),
            validate_only: false,
            command: Command::Contribute { agreement, subject, contribution, parts: Vec::new() },
        };
        // Nobody waits for the answer: tickets begin at 1.
        self.queue.writes.push((0, Box::new(request)));
    }
}
