//! What people read of a plan: title, theme, route, safety, contacts, place of meeting.
//!
//! It is a part of the entry that opens, revises or amends the plan, never in a header. An
//! amendment changes nothing else, and voids no answer.
//!
//! In scope: the texts and their limits. Out of scope: what counts ([`super::PlanFacts`]).

use crate::domain::invalid::Invalid;
use crate::domain::record::ExternalRef;
use crate::domain::text::{Line, Text};
use crate::limits::{
    ADDRESS_BYTES_MAX, FREE_TEXT_BYTES_MAX, NAME_BYTES_MAX, PLAN_TEXT_BYTES_MAX, TITLE_BYTES_MAX,
};

/// A plan for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlanRecord {
    /// In one line (行动名称).
    pub title: Line,
    /// What is looked at (检查主题).
    pub theme: Option<Line>,
    /// Tasks and way of working (工作安排).
    pub text: Option<Text>,
    /// Route (路线).
    pub route: Option<Text>,
    /// Safety notes (安全提示).
    pub safety: Option<Text>,
    /// Contacts of the cities (联系人): offices and duty telephones.
    pub contacts: Option<Text>,
    /// Place of meeting (集合地点).
    pub meeting_place: Option<Line>,
    /// Its number in another system (a document, a platform of the province).
    pub external_ref: Option<ExternalRef>,
}

/// A plan as it is typed or sent. Empty texts mean "not given".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanDraft<'a> {
    /// See [`PlanRecord::title`]; required.
    pub title: &'a str,
    /// See [`PlanRecord::theme`].
    pub theme: &'a str,
    /// See [`PlanRecord::text`].
    pub text: &'a str,
    /// See [`PlanRecord::route`].
    pub route: &'a str,
    /// See [`PlanRecord::safety`].
    pub safety: &'a str,
    /// See [`PlanRecord::contacts`].
    pub contacts: &'a str,
    /// See [`PlanRecord::meeting_place`].
    pub meeting_place: &'a str,
    /// See [`PlanRecord::external_ref`]: the system.
    pub external_system: &'a str,
    /// See [`PlanRecord::external_ref`]: the number in it.
    pub external_number: &'a str,
}

impl PlanRecord {
    /// Reads the texts.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn parse(draft: PlanDraft<'_>) -> Result<Self, Vec<Invalid>> {
        let mut wrong = Vec::new();
        let title = Line::parse(draft.title, TITLE_BYTES_MAX);
        let title = title.map_err(|invalid| wrong.push(invalid.at("title")));
        let mut line = |text: &str, field: &str, max: usize| match text.trim() {
            "" => None,
            _ => Line::parse(text, max).map_err(|invalid| wrong.push(invalid.at(field))).ok(),
        };
        let theme = line(draft.theme, "theme", NAME_BYTES_MAX);
        let meeting_place = line(draft.meeting_place, "meeting_place", ADDRESS_BYTES_MAX);
        let mut long = |text: &str, field: &str, max: usize| match text.trim() {
            "" => None,
            _ => Text::parse(text, max).map_err(|invalid| wrong.push(invalid.at(field))).ok(),
        };
        let text = long(draft.text, "text", FREE_TEXT_BYTES_MAX);
        let route = long(draft.route, "route", PLAN_TEXT_BYTES_MAX);
        let safety = long(draft.safety, "safety", PLAN_TEXT_BYTES_MAX);
        let contacts = long(draft.contacts, "contacts", PLAN_TEXT_BYTES_MAX);
        let external = ExternalRef::parse(draft.external_system, draft.external_number);
        let external_ref = external.map_err(|invalid| wrong.push(invalid)).unwrap_or_default();
        match title {
            Ok(title) if wrong.is_empty() => Ok(Self {
                title,
                theme,
                text,
                route,
                safety,
                contacts,
                meeting_place,
                external_ref,
            }),
            Ok(_) | Err(()) => Err(wrong),
        }
    }
}
