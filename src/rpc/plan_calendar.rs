//! A plan, or the plans of an agreement, as a calendar.
//!
//! In scope: which plans are looked at, what is read for each. Out of scope: which are shown, the
//! file ([`crate::domain::plan::ics`]).

use super::plan_read::texts;
use super::plan_service::PlanApi;
use super::words::city_name;
use crate::domain::plan::ics::{self, Entry, Shown};
use crate::ids::{AgreementId, Position, SubjectId};
use crate::limits::{
    CALENDAR_PLANS_MAX, CALENDAR_TEXT_CHARS_MAX, PAGE_BYTES_MAX, PLANS_LOOKED_AT_MAX,
};
use crate::node::pieces;
use crate::node::reader::Reader;
use crate::view::{self, PlanView};
use crate::wire::case as read;
use crate::wire::plan_call as call;
use crate::wire::status::Refused;

impl PlanApi {
    /// A plan, or all plans of an agreement, as a calendar, and whether it was cut.
    pub(super) fn calendar(
        &self,
        name: &str,
        shown_of: &mut dyn FnMut(u32),
    ) -> Result<(String, bool), Refused> {
        let reader = self.desk.node.reader();
        let mut cut = false;
        let plans: Vec<(SubjectId, PlanView, AgreementId)> = if name.contains("/plans/") {
            let (agreement, subject) = call::name(name)?;
            let found = view::plan(&reader.view(), agreement, subject);
            vec![(subject, found.ok_or(Refused::new("NOT_FOUND"))?, agreement)]
        } else {
            let agreement = read::parent(name)?.ok_or(Refused::new("NOT_FOUND"))?;
            if self.desk.node.book().get(agreement).is_none() {
                return Err(Refused::new("NOT_FOUND"));
            }
            let (mut all, mut looked, today) = (Vec::new(), 0, self.desk.node.today());
            pieces::plans(&reader, agreement, None, &mut |subject, view| {
                looked += 1;
                cut = all.len() >= CALENDAR_PLANS_MAX || looked > PLANS_LOOKED_AT_MAX;
                // What was never settled is in no calendar but its own.
                if !cut && ics::is_listed(&view.plan, today) {
                    all.push((subject, view, agreement));
                }
                !cut
            });
            all
        };
        let mut made = Vec::new();
        let mut bytes = 0;
        for (id, found, _) in &plans {
            let texts = texts(&reader, found.record_at).unwrap_or_default();
            // A calendar is no place for all that is written; the plan itself is asked for that.
            let text: String = texts.text.chars().take(CALENDAR_TEXT_CHARS_MAX).collect();
            let days = found.plan.days_max as usize;
            bytes += days * (1_024 + text.len() + texts.title.len() + texts.meeting_place.len());
            if bytes > PAGE_BYTES_MAX && !made.is_empty() {
                cut = true;
                break;
            }
            shown_of(found.plan.initiator.as_u32());
            let organizer = city_name(&self.desk.node, found.plan.initiator);
            let stamp_ms = stamp(&reader, found.last_move, found.opened_ms);
            made.push((*id, &found.plan, texts, (text, organizer), stamp_ms));
        }
        let entries = made.iter().map(|(id, plan, texts, (text, organizer), stamp_ms)| {
            let shown =
                Shown::All { title: &texts.title, place: &texts.meeting_place, text, organizer };
            Entry { id: *id, plan, shown, stamp_ms: *stamp_ms }
        });
        Ok((ics::calendar(entries), cut))
    }
}

/// When an entry was written, by its author's clock.
pub(super) fn stamp(reader: &Reader, at: Position, otherwise: i64) -> i64 {
    reader.entry(at).map_or(otherwise, |loaded| loaded.entry.envelope.record_time_ms)
}
