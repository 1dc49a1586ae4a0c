//! What a list is asked to show.
//!
//! In scope: reading the filter, judging a case by it. Out of scope: finding cases
//! ([`super::case_walk`]).

use std::ops::Range;

use crate::domain::division::Area;
use crate::domain::{Campaign, CaseState, Date, Medium};
use crate::ids::{AgreementId, CaseKey, CityCode};
use crate::limits::{FILTER_MEDIA_MAX, FILTER_STATES_MAX};
use crate::node::core::AgreementBook;
use crate::node::core::lean::Leaning;
use crate::node::roll::Line;
use crate::node::same_act::SameActs;
use crate::node::search::Query;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::referral;
use crate::wire::status::Refused;

/// A filter that was read.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Where to look.
    pub agreements: Vec<AgreementId>,
    own: CityCode,
    /// Of the same agreements: who may be meant by a border.
    members: Vec<(AgreementId, Vec<CityCode>)>,
    states: Vec<CaseState>,
    handling: Option<CityCode>,
    turn: Option<CityCode>,
    originating: Option<CityCode>,
    /// Within so many metres of the border with this city.
    near: Option<(CityCode, u32)>,
    media: Vec<Medium>,
    area: Option<Area>,
    campaign: Option<Campaign>,
    /// Instants of discovery, milliseconds since 1970-01-01 UTC: a day is not worked out for each
    /// of many cases.
    discovered: Option<Range<i64>>,
    /// Not judged by [`Self::takes`], which sees no part.
    pub said: Option<Query>,
    /// Only cases of which a move leans on a suspension here; not judged by [`Self::takes`] either.
    pub leaning: Option<Leaning>,
    /// Only those in which the own city is awaited.
    awaits_own: bool,
    /// Only those in which the own city awaits another.
    awaits_others: bool,
    /// Only those assigned to this name. Not judged by [`Self::takes`], which sees no row.
    pub assignee: Option<String>,
    /// Only those of which another record may be of the same act.
    hinted: Option<SameActs>,
}

fn city(field: &'static str, code: u32) -> Result<Option<CityCode>, Refused> {
    if code == 0 { Ok(None) } else { read::city(field, code).map(Some) }
}

fn area(code: u32) -> Result<Option<Area>, Refused> {
    if code == 0 {
        return Ok(None);
    }
    Area::from_u32(code).map(Some).ok_or_else(|| Refused::new("AREA_CODE").at("county_code"))
}

impl Filter {
    /// Reads a filter; `book` has the agreements known here, `own` is the city of this node, `acts`
    /// knows which records may be of one act.
    ///
    /// # Errors
    /// [`Refused`] naming the field; `NOT_FOUND` for an agreement that is not known here.
    pub fn read(
        book: &AgreementBook,
        own: CityCode,
        acts: &SameActs,
        asked: &pb::ListCasesRequest,
    ) -> Result<Self, Refused> {
        if asked.states.len() > FILTER_STATES_MAX {
            let refused = Refused::new("FILTER_TOO_COMPLEX").at("states");
            return Err(refused.with("limit", FILTER_STATES_MAX));
        }
        if asked.media.len() > FILTER_MEDIA_MAX {
            let refused = Refused::new("FILTER_TOO_COMPLEX").at("media");
            return Err(refused.with("limit", FILTER_MEDIA_MAX));
        }
        let near = match (asked.near_city, asked.near_metres) {
            (0, 0) => None,
            (0, _) => return Err(Refused::new("FILTER_INCOMPLETE").at("near_city")),
            (_, 0) => return Err(Refused::new("FILTER_INCOMPLETE").at("near_metres")),
            (code, metres) => Some((read::city("near_city", code)?, metres)),
        };
        let agreements = match read::parent(&asked.parent)? {
            Some(id) => book.get(id).map(|_| vec![id]).ok_or(Refused::new("NOT_FOUND"))?,
            None => book.iter().map(|(id, _)| *id).collect(),
        };
        let members = agreements.iter().filter_map(|id| Some((*id, book.get(*id)?.cities())));
        let members: Vec<(AgreementId, Vec<CityCode>)> = members.collect();
        if let Some((city, _)) = near
            && !members.iter().any(|(_, cities)| cities.contains(&city))
        {
            return Err(Refused::new("NEAR_NOT_MEMBER").at("near_city"));
        }
        Ok(Self {
            agreements,
            own,
            members,
            states: read::states(&asked.states)?,
            handling: city("handling_city", asked.handling_city)?,
            turn: city("turn_city", asked.turn_city)?,
            originating: city("originating_city", asked.originating_city)?,
            near,
            media: read::media(&asked.media)?,
            area: area(asked.county_code)?,
            campaign: match asked.campaign {
                0 => None,
                number => Some(referral::campaign(number)?),
            },
            discovered: discovered((
                read::date("discovered_from", asked.discovered_from.as_ref())?,
                read::date("discovered_to", asked.discovered_to.as_ref())?,
            )),
            said: Query::of(
                read::party_query(&asked.party_name, &asked.party_uscc)?,
                read::within(asked.within.as_ref())?,
            ),
            leaning: None,
            awaits_own: asked.awaits_own_city,
            awaits_others: asked.awaits_others,
            assignee: Some(read::assignee(&asked.assignee)?).filter(|name| !name.is_empty()),
            hinted: asked.has_same_act_hints.then(|| acts.clone()),
        })
    }

    /// Takes no case but those of which a move leans.
    pub fn only(&mut self, leaning: Leaning) {
        if leaning.is_empty() {
            // Nothing has to be looked through.
            self.agreements.clear();
        }
        self.leaning = Some(leaning);
    }

    /// Lines of the roll tell all that it asks.
    #[must_use]
    pub fn is_by_lines(&self) -> bool {
        self.said.is_none()
            && self.leaning.is_none()
            && self.assignee.is_none()
            && self.hinted.is_none()
    }

    /// Whether a case is to be shown, by its line in the roll: whatever its record says, who works
    /// on it, what it rests on and what may be the same act.
    #[must_use]
    pub fn takes(&self, line: &Line) -> bool {
        self.agreements.contains(&line.case.0)
            && (self.states.is_empty() || self.states.contains(&line.state))
            && self.handling.is_none_or(|city| city == line.handling)
            && self.originating.is_none_or(|city| city == line.originating)
            && self.turn.is_none_or(|city| line.turn == Some(city))
            && self.near.is_none_or(|(city, metres)| self.is_near(line, city, metres))
            && (self.media.is_empty() || self.media.contains(&line.medium))
            && self.area.is_none_or(|area| area.has(line.county))
            && self.campaign.is_none_or(|one| line.campaigns.contains(&one))
            && (!self.awaits_own || line.awaited.iter().any(|(city, _)| *city == self.own))
            && (!self.awaits_others || line.awaited.iter().any(|(_, by)| *by == self.own))
            && self.discovered.as_ref().is_none_or(|then| then.contains(&line.discovered_time_ms))
    }

    /// If hints are asked for: the openings, newest first, of cases that have one or may have one.
    #[must_use]
    pub fn may_have_hints(&self) -> Option<Vec<u64>> {
        self.hinted.as_ref().map(SameActs::opened_of_hinted)
    }

    /// Whether another record may be of the same act as a case, which comes with the apply number
    /// of its opening, if that is asked, and how many it was compared with.
    #[must_use]
    pub fn may_be_one_act(&self, case: (u64, CaseKey)) -> (bool, u32) {
        self.hinted.as_ref().map_or((true, 0), |acts| acts.has_any(case))
    }

    /// A case lists the distance to every member but the author of its facts, who is the one that
    /// is missing. If that is the city asked for, the case lies on its side of the border, and what
    /// counts is how far the own city is.
    fn is_near(&self, line: &Line, city: CityCode, most: u32) -> bool {
        let to = |city| line.borders.iter().find(|b| b.city == city).map(|b| b.metres);
        if let Some(far) = to(city) {
            return far <= most;
        }
        let of = self.members.iter().find(|(id, _)| *id == line.case.0);
        let mut unlisted =
            of.into_iter().flat_map(|(_, cities)| cities).filter(|member| to(**member).is_none());
        let author = unlisted.next().filter(|_| unlisted.next().is_none());
        let far = author.filter(|author| **author == city).and_then(|_| to(self.own));
        far.is_some_and(|far| far <= most)
    }
}

/// From the first day to the last one; none where neither is given.
fn discovered((from, to): (Option<Date>, Option<Date>)) -> Option<Range<i64>> {
    if (from, to) == (None, None) {
        return None;
    }
    let (from, to) = (from.unwrap_or(Date::EARLIEST), to.unwrap_or(Date::LATEST));
    Some(from.beijing_ms().start..to.beijing_ms().end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_discovery_are_told_by_instants() {
        let day = |text: &str| text.parse::<Date>().ok();
        let (before, first, last, after) =
            (day("2026-05-31"), day("2026-06-01"), day("2026-06-30"), day("2026-07-01"));
        let rows = [
            ((first, last), [false, true, true, false]),
            ((first, None), [false, true, true, true]),
            ((None, last), [true, true, true, false]),
            ((last, first), [false; 4]),
        ];
        for (asked, want) in rows {
            let then = discovered(asked).unwrap();
            let has = |at: i64| then.contains(&at);
            for (day, want) in [before, first, last, after].into_iter().zip(want) {
                let of_day = day.unwrap().beijing_ms();
                assert_eq!((has(of_day.start), has(of_day.end - 1)), (want, want), "{day:?}");
            }
            // A clock of another city may say anything; such an instant is of no day.
            assert!(!has(i64::MIN) && !has(i64::MAX));
        }
        assert_eq!(discovered((None, None)), None);
    }
}
