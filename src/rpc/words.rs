//! What people are told about a refused write: cities by name, and what could be done instead.

use super::plan_read::content;
use crate::api::request::{Command, PartContent, WriteError};
use crate::domain::text::Line;
use crate::domain::{Language, MoveKind, allowed_moves};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::log::PartKind;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view;
use crate::wire::status::{self, Refused, Told};

/// The case a command is about, if there is one yet.
pub(super) const fn case_of(command: &Command) -> Option<(AgreementId, SubjectId)> {
    match command {
        Command::MoveCase { agreement, subject, .. }
        | Command::Contribute { agreement, subject, .. } => Some((*agreement, *subject)),
        Command::OpenCase { .. }
        | Command::IssueNotice { .. }
        | Command::ActOnNotice { .. }
        | Command::CallMeeting { .. }
        | Command::ActOnMeeting { .. }
        | Command::RegisterSite { .. }
        | Command::ActOnSite { .. }
        | Command::RegisterUnit { .. }
        | Command::ChangeUnit { .. }
        | Command::BookUnit { .. }
        | Command::Plan { .. }
        | Command::ErasePart { .. }
        | Command::OverrideRecovery { .. } => None,
    }
}

/// A refused write, in the caller's words.
pub(super) fn refusal(
    node: &NodeHandle,
    language: Language,
    (agreement, case): (AgreementId, Option<(AgreementId, SubjectId)>),
    error: &WriteError,
) -> Refused {
    let allowed = case.map(|case| allowed(node, case)).unwrap_or_default();
    let city = |city| city_name(node, city);
    let reader = node.reader();
    let record = |id| record_name(&reader, agreement, id);
    status::of_write(error, &Told { language, city: &city, record: &record, allowed: &allowed })
}

/// How people call a site or a unit: a firm, a certificate number, a plate.
pub(super) fn record_name(reader: &Reader, agreement: AgreementId, id: SubjectId) -> String {
    let rows = reader.view();
    let site = view::site(&rows, agreement, id).map(|one| one.record_at());
    let unit = view::unit(&rows, agreement, id).and_then(|one| one.record_at);
    drop(rows);
    let firm = site.and_then(|at| content(reader, at, PartKind::Site));
    if let Some(PartContent::Site(record)) = firm {
        return record.name.as_str().to_owned();
    }
    let number = unit.and_then(|place| content(reader, place.at, PartKind::Unit));
    if let Some(PartContent::Unit(record)) = number {
        return Line::as_str(&record.number).to_owned();
    }
    status::short_id(id)
}

/// What the own city could do now.
fn allowed(node: &NodeHandle, (agreement, subject): (AgreementId, SubjectId)) -> Vec<MoveKind> {
    let case = view::case(&node.reader().view(), agreement, subject);
    let members = node.book().get(agreement).map(|a| a.cities()).unwrap_or_default();
    case.map(|case| allowed_moves(&case.case, node.city(), &members)).unwrap_or_default()
}

/// A city's name for people: as an agreement calls it, else its code.
pub(super) fn city_name(node: &NodeHandle, city: CityCode) -> String {
    node.book().city_name(city)
}
