//! Own meetings: from what is asked to what will be written.
//!
//! In scope: whose turn it is as far as this node knows, which meeting of the year it is. Out of
//! scope: who may do what ([`crate::domain::meeting`]), building entries ([`super::write`]).

use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::meeting::{self, Call, Meeting, MeetingAct, MeetingRecord, MeetingState};
use crate::domain::{Date, Event, Misfit, Refusal};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::journal::Disk;
use crate::limits::MEETINGS_LOOKED_AT_MAX;
use crate::log::{Audience, Subject, SubjectKind};
use crate::node::core::Core;
use crate::node::core::write::{Decided, Draft};
use crate::store::Store;
use crate::view::{self, ReadRows};

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn decide_meeting(
        &mut self,
        agreement: AgreementId,
        today: Date,
        (on, chair, out_of_turn): (Date, Option<CityCode>, bool),
        record: &MeetingRecord,
    ) -> Result<Decided, WriteError> {
        let members = self.logs.members(agreement).to_vec();
        let by = self.settings.city;
        let rows = self.group_rows();
        let last = view::last_sitting(&rows, agreement, today);
        let number = number(&rows, agreement, on.year());
        let not_member = || Refusal::from(Misfit::NotAMember { city: by });
        let due = meeting::next_chair(&members, last).ok_or_else(not_member)?;
        let call = Call { on, number, chair, out_of_turn };
        let called = meeting::decide_call(by, &members, self.term(agreement)?, due, call)?;
        let Meeting { on, number, chair, due_chair, convener: _ } = called;
        let content = PartContent::Meeting(Box::new(record.clone()));
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Meeting, id: None },
            prev: None,
            event: Event::MeetingCalled { on, number, chair, due_chair },
            parts: vec![NewPart { audience: Audience::AllMembers, content }],
        };
        Ok(Decided { draft, record: None, opened_at: None, opens: None })
    }

    pub(super) fn decide_meeting_act(
        &mut self,
        agreement: AgreementId,
        today: Date,
        (subject, act): (SubjectId, MeetingAct),
        said: Option<&PartContent>,
    ) -> Result<Decided, WriteError> {
        let found = view::meeting(&self.group_rows(), agreement, subject);
        let found = found.ok_or(WriteError::NotFound)?;
        if found.needs_newer {
            return Err(WriteError::NeedsNewerVersion);
        }
        self.check_leaning(agreement, subject, None)?;
        let by = self.settings.city;
        if !self.logs.members(agreement).contains(&by) {
            return Err(Refusal::from(Misfit::NotAMember { city: by }).into());
        }
        let standing = found.standing(by);
        let term = self.term(agreement)?;
        meeting::decide_act(&found.meeting, by, (act, standing), term, today)?;
        let part = |content: &PartContent| NewPart {
            audience: Audience::AllMembers,
            content: content.clone(),
        };
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Meeting, id: Some(subject) },
            prev: None,
            event: Event::MeetingAct(act),
            parts: said.map(part).into_iter().collect(),
        };
        let opened_at = Some(found.opened_at);
        Ok(Decided { draft, record: Some(subject), opened_at, opens: None })
    }

    /// First and last day of an agreement.
    pub(super) fn term(&self, agreement: AgreementId) -> Result<(Date, Date), WriteError> {
        let charter = &self.book.get(agreement).ok_or(WriteError::NotFound)?.charter;
        Ok((charter.begin_on, charter.end_on))
    }
}

/// Which meeting of a year the next one is; cancelled ones do not count.
fn number(rows: &impl ReadRows, agreement: AgreementId, year: i32) -> u32 {
    let (mut looked, mut before) = (0, 0);
    view::meetings_newest_first(rows, agreement, None, &mut |_, view| {
        let counts = match view.state() {
            MeetingState::Called | MeetingState::Held => view.meeting.on.year() == year,
            MeetingState::Cancelled => false,
        };
        before += u32::from(counts);
        looked += 1;
        looked < MEETINGS_LOOKED_AT_MAX
    });
    before + 1
}
