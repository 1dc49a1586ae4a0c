//! What is marked on a map: cases, sites, visits of joint actions.
//!
//! In scope: reading them, where each lies, what is said of it. Out of scope: how it is drawn.

use std::collections::HashMap;

use tonic::Status;

use super::layout::Desk;
use super::parts::page_of;
use crate::geo::Point;
use crate::limits::{CONSOLE_READ_MAX, MAP_PLANS_MAX};
use crate::shown::plan::parts::span;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Things on a page of the API's lists.
const PAGE: i32 = 200;
/// Characters of a title that stand at a mark.
const TITLE_CHARS: usize = 24;

/// What sort of thing is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A case: its medium, and whether there is still something to do.
    Case(pb::Medium, bool),
    /// A site that works, by its pool.
    Site(pb::SiteTier),
    /// A site that is shut.
    Shut,
    /// A visit of a joint action.
    Visit,
}

/// Something that is marked.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Where.
    pub at: Point,
    /// What sort of thing.
    pub kind: Kind,
    /// Where a click on it leads; empty where there is no page.
    pub href: String,
    /// What people call it.
    pub name: String,
    /// More of it, in one line.
    pub about: String,
    /// Its resource name, where a joint action can be planned from it; else empty.
    pub record: String,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Found {
    /// What can be marked, the newest first.
    pub marks: Vec<Mark>,
    /// How many have no coordinates.
    pub placeless: usize,
    /// How many were not read.
    pub unread: usize,
    /// Visits of sites that were not read.
    pub siteless: usize,
}

/// Whether nothing is left to be done about a case in this state.
#[must_use]
pub fn is_closed(state: pb::CaseState) -> bool {
    use pb::CaseState as S;
    match state {
        S::ClueDismissed
        | S::Closed
        | S::Archived
        | S::NoPenalty
        | S::Withdrawn
        | S::Revoked
        | S::ClosedOutside => true,
        S::Unspecified
        | S::ClueReported
        | S::ClueVerifying
        | S::Filed
        | S::Investigating
        | S::NoticeServed
        | S::Hearing
        | S::Decided
        | S::Enforcing
        | S::CourtEnforcement
        | S::TransferredPolice
        | S::TransferredOut
        | S::TransferAccepted
        | S::TransferDisputed
        | S::Designated => false,
    }
}

/// A place as a record has it.
#[must_use]
pub fn place(location: Option<&pb::Location>) -> Option<Point> {
    let e7 = |text: &str| {
        let degrees: f64 = text.parse().ok()?;
        degrees.is_finite().then(|| (degrees * 1e7).round() as i64)
    };
    let location = location?;
    Point::new(e7(&location.longitude)?, e7(&location.latitude)?).ok()
}

/// The beginning of a title.
fn cut(title: &str) -> String {
    let title = clean(title);
    match title.char_indices().nth(TITLE_CHARS) {
        Some((end, _)) => format!("{}…", title.get(..end).unwrap_or_default()),
        None => title,
    }
}

/// Reads cases, page by page.
///
/// # Errors
/// The service's refusal.
pub async fn cases(desk: &Desk, mut request: pb::ListCasesRequest) -> Result<Found, Status> {
    let mut found = Found::default();
    let mut read = 0;
    request.page_size = PAGE;
    loop {
        let page = desk.client.cases().list_cases(request.clone()).await?.into_inner();
        for case in &page.cases {
            match case_mark(case, desk) {
                Some(mark) => found.marks.push(mark),
                None => found.placeless += 1,
            }
        }
        read += page.cases.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(found);
        }
        if read >= CONSOLE_READ_MAX {
            found.unread = (page.total_size as usize).saturating_sub(read);
            return Ok(found);
        }
    }
}

/// What is marked of a case; none when it has no place.
#[must_use]
pub fn case_mark(case: &pb::Case, desk: &Desk) -> Option<Mark> {
    let lang = desk.lang();
    let record = case.record.as_ref()?;
    let medium = case.facts.as_ref().map_or(pb::Medium::Unspecified, pb::CaseFacts::medium);
    Some(Mark {
        at: place(record.location.as_ref())?,
        kind: Kind::Case(medium, !is_closed(case.state())),
        href: page_of("case", &case.name),
        name: clean(&case.number),
        about: format!(
            "{} · {} · {} · {}",
            cut(&record.title),
            words::medium(medium, lang),
            words::state(case.state(), lang),
            desk.names.city(case.handling_city)
        ),
        record: case.name.clone(),
    })
}

/// Sites of all agreements or of one city, by their names.
///
/// # Errors
/// The service's refusal.
pub async fn sites(desk: &Desk, city: u32) -> Result<(Vec<pb::Site>, usize), Status> {
    let mut request = pb::ListSitesRequest {
        parent: "agreements/-".to_owned(),
        page_size: PAGE,
        city,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let page = desk.client.sites().list_sites(request.clone()).await?.into_inner();
        all.extend(page.sites);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok((all, 0));
        }
        if all.len() >= CONSOLE_READ_MAX {
            let unread = (page.total_size as usize).saturating_sub(all.len());
            return Ok((all, unread));
        }
    }
}

/// What is marked of sites that may pollute a medium, or any.
#[must_use]
pub fn site_marks(sites: &[pb::Site], medium: pb::Medium, desk: &Desk) -> Found {
    let mut found = Found::default();
    for site in sites {
        let facts = site.facts.clone().unwrap_or_default();
        if medium != pb::Medium::Unspecified && !facts.media().any(|one| one == medium) {
            continue;
        }
        match site_mark(site, &facts, desk) {
            Some(mark) => found.marks.push(mark),
            None => found.placeless += 1,
        }
    }
    found
}

fn site_mark(site: &pb::Site, facts: &pb::SiteFacts, desk: &Desk) -> Option<Mark> {
    let lang = desk.lang();
    let record = site.record.as_ref()?;
    let media: Vec<&str> = facts.media().map(|one| words::medium(one, lang)).collect();
    let shut = if facts.closed { lang.pick(" · 已关停", " · shut") } else { "" };
    Some(Mark {
        at: place(record.location.as_ref())?,
        kind: if facts.closed { Kind::Shut } else { Kind::Site(facts.tier()) },
        href: page_of("site", &site.name),
        name: cut(&record.name),
        about: format!(
            "{} · {} · {}{shut}",
            words::site_tier(facts.tier(), lang),
            media.join(lang.pick("、", ", ")),
            desk.names.city(site.city)
        ),
        record: site.name.clone(),
    })
}

/// Visits of joint actions between two days, at sites of which all were read or not.
///
/// # Errors
/// The service's refusal.
pub async fn visits(
    desk: &Desk,
    (sites, is_all): (&[pb::Site], bool),
    city: u32,
    days: (Option<pb::Date>, Option<pb::Date>),
) -> Result<Found, Status> {
    let sites: HashMap<&str, &pb::Site> =
        sites.iter().map(|site| (site.name.as_str(), site)).collect();
    let request = pb::ListPlansRequest {
        parent: "agreements/-".to_owned(),
        city,
        from: days.0,
        until: days.1,
        page_size: PAGE,
        ..Default::default()
    };
    let page = desk.client.plans().list_plans(request).await?.into_inner();
    let cancelled = |plan: &&pb::Plan| plan.state() == pb::PlanState::Cancelled;
    let plans: Vec<&pb::Plan> = page.plans.iter().filter(|plan| !cancelled(plan)).collect();
    // Of those on other pages some may be cancelled: too many are said to be unread, never too few.
    let unlisted = (page.total_size as usize).saturating_sub(page.plans.len());
    let unread = unlisted + plans.len().saturating_sub(MAP_PLANS_MAX);
    let mut found = Found { unread, ..Found::default() };
    for plan in plans.into_iter().take(MAP_PLANS_MAX) {
        let request = pb::GetPlanRequest { name: plan.name.clone() };
        let answer = desk.client.plans().get_plan(request).await?.into_inner();
        let plan = answer.plan.unwrap_or_default();
        for visit in plan.visits.iter().filter(|visit| is_between(visit, days)) {
            let site = sites.get(visit.site.as_str()).copied();
            match visit_mark(&plan, visit, site, desk) {
                Some(mark) => found.marks.push(mark),
                None if site.is_none() && !is_all => found.siteless += 1,
                None => found.placeless += 1,
            }
        }
    }
    Ok(found)
}

/// Whether a visit has a day between two.
fn is_between(visit: &pb::PlanVisit, (from, until): (Option<pb::Date>, Option<pb::Date>)) -> bool {
    let key = |date: &pb::Date| (date.year, date.month, date.day);
    let day = |at: Option<&pb::HalfDay>| at.and_then(|at| at.on.as_ref()).map(key);
    let first = day(visit.first.as_ref());
    let last = day(visit.last.as_ref()).or(first);
    let (from, until) = (from.as_ref().map(key), until.as_ref().map(key));
    until.is_none_or(|until| first.is_some_and(|first| first <= until))
        && from.is_none_or(|from| last.is_some_and(|last| last >= from))
}

fn visit_mark(
    plan: &pb::Plan,
    visit: &pb::PlanVisit,
    site: Option<&pb::Site>,
    desk: &Desk,
) -> Option<Mark> {
    let lang = desk.lang();
    let record = site?.record.as_ref()?;
    let title = plan.record.as_ref().map_or("", |record| record.title.as_str());
    Some(Mark {
        at: place(record.location.as_ref())?,
        kind: Kind::Visit,
        href: page_of("plan", &plan.name),
        name: clean(&plan.number),
        about: format!(
            "{} · {} · {} · {}",
            span(visit.first.as_ref(), visit.last.as_ref(), lang),
            cut(&record.name),
            cut(title),
            desk.names.city(visit.city)
        ),
        record: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_or_is_none() {
        let at = |longitude: &str, latitude: &str| {
            let (longitude, latitude) = (longitude.to_owned(), latitude.to_owned());
            place(Some(&pb::Location { longitude, latitude, ..Default::default() }))
        };
        assert_eq!(at("115.98", "36.45"), Point::new(1_159_800_000, 364_500_000).ok());
        for (lon, lat) in [("", ""), ("NaN", "36"), ("115", "inf"), ("1e9", "36"), ("x", "36")] {
            assert_eq!(at(lon, lat), None, "{lon} {lat}");
        }
        assert_eq!(place(None), None);
    }

    #[test]
    fn seven_states_leave_nothing_to_do() {
        assert_eq!(words::states().into_iter().filter(|one| is_closed(*one)).count(), 7);
    }

    #[test]
    fn a_visit_is_of_its_days() {
        let date = |day| Some(pb::Date { year: 2026, month: 12, day });
        let half = |day| Some(pb::HalfDay { on: date(day), ..Default::default() });
        let visit = pb::PlanVisit { first: half(8), last: half(9), ..Default::default() };
        for (from, until, wanted) in [
            (None, None, true),
            (date(9), date(10), true),
            (date(10), None, false),
            (None, date(7), false),
            (None, date(8), true),
        ] {
            assert_eq!(is_between(&visit, (from, until)), wanted, "{from:?} {until:?}");
        }
    }

    #[test]
    fn long_titles_are_cut_at_a_character() {
        assert_eq!(cut("短"), "短");
        let long = cut(&"倾倒".repeat(40));
        assert_eq!(long.chars().count(), TITLE_CHARS + 1);
    }
}
