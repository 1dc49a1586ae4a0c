//! A draft of a plan into what a revision says: places of visits, and the list of a draw.
//!
//! The node makes the list: all sites of the participants in the agreement, or those that are
//! asked for, with those that may not be drawn and why. Of its own sites it knows the cap too; what
//! only another city knows of its sites is said in the draft.
//!
//! In scope: facts and list. Out of scope: whether they are allowed ([`crate::domain::plan`]).

use std::collections::BTreeMap;

use super::plan_read::content;
use super::plan_service::PlanApi;
use super::words::record_name;
use crate::api::request::PartContent;
use crate::domain::plan::lots::{PoolSite, pool_digest};
use crate::domain::plan::{DrawRule, PlanFacts, PlannedVisit, Targets};
use crate::domain::site::{LeftOut, Verdict, Visit, Visited, may_visit};
use crate::domain::{Date, HalfDay};
use crate::ids::{AgreementId, CityCode, SubjectId};
use crate::limits::{PLAN_POOL_MAX, SITES_LOOKED_AT_MAX};
use crate::log::PartKind;
use crate::node::core::site_codes::{checks_made, listing_on, plants};
use crate::node::pieces;
use crate::node::plan_look::PlanKey;
use crate::view::{self, SiteView};
use crate::wire::plan_call::{DraftAsked, DrawAsked, VisitAsked};
use crate::wire::status::Refused;

/// Sites that are left out of a list, and why.
pub(super) type LeftOutSites = BTreeMap<SubjectId, LeftOut>;

impl PlanApi {
    /// What a revision says by a draft, and the list of its draw; what is carried over is left out
    /// of that where it is on it, for the reason it had.
    pub(super) fn facts_of(
        &self,
        agreement: AgreementId,
        draft: &DraftAsked,
        carried: &LeftOutSites,
    ) -> Result<(PlanFacts, Vec<PoolSite>), Refused> {
        let (targets, pool) = match (&draft.draw, draft.visits.is_empty()) {
            (Some(_), false) => return Err(Refused::new("PLAN_TARGETS_TWICE").at("draft.draw")),
            (Some(draw), true) => {
                let pool = self.pool(agreement, draft, (draw, carried))?;
                (Targets::Draw(rule(draw, &pool)), pool)
            }
            (None, true) => (Targets::None, Vec::new()),
            (None, false) => (Targets::Named(visits(draft)?), Vec::new()),
        };
        let facts = PlanFacts {
            kind: draft.kind,
            cities: draft.cities.clone(),
            departments: draft.departments.clone(),
            days: draft.days.clone(),
            targets,
        };
        Ok((facts.sorted(), pool))
    }

    fn pool(
        &self,
        agreement: AgreementId,
        draft: &DraftAsked,
        (draw, carried): (&DrawAsked, &LeftOutSites),
    ) -> Result<Vec<PoolSite>, Refused> {
        let reader = self.desk.node.reader();
        let mut found: BTreeMap<SubjectId, SiteView> = BTreeMap::new();
        let takes = |view: &SiteView| {
            let of = |city: CityCode| draft.cities.iter().any(|one| one.city == city);
            let media = &view.facts.1.media;
            let is_about =
                draw.media.is_empty() || draw.media.iter().any(|one| media.contains(one));
            of(view.city) && is_about && !view.needs_newer
        };
        if draw.pool.is_empty() {
            let mut looked = 0;
            pieces::sites(&reader, agreement, None, &mut |subject, view| {
                looked += 1;
                if takes(&view) {
                    found.insert(subject, view);
                }
                found.len() <= PLAN_POOL_MAX && looked <= SITES_LOOKED_AT_MAX
            });
            if looked > SITES_LOOKED_AT_MAX {
                // A list that lacks some would be drawn from as if it were all.
                let long = Refused::new("LIST_TOO_LONG").at("draft.draw.pool");
                return Err(long.with("limit", SITES_LOOKED_AT_MAX));
            }
        }
        for site in &draw.pool {
            let view = view::site(&reader.view(), agreement, *site);
            let view = view.ok_or(Refused::new("NOT_FOUND").at("draft.draw.pool"))?;
            found.insert(*site, view);
        }
        self.check_left_out(agreement, draw, &found)?;
        if found.len() > PLAN_POOL_MAX {
            let long = Refused::new("LIST_TOO_LONG").at("draft.draw.pool");
            return Err(long.with("limit", PLAN_POOL_MAX));
        }
        let days: Vec<Date> = draft.days.iter().map(|day| day.at.on).collect();
        let site = |(site, view): (&SubjectId, &SiteView)| PoolSite {
            site: *site,
            city: view.city,
            tier: view.facts.1.tier,
            left_out: draw
                .left_out
                .get(site)
                .copied()
                // What stands against it besides may end before the next revision.
                .or_else(|| carried.get(site).copied())
                .or_else(|| self.stands_against((agreement, *site), view, &days)),
        };
        let pool: Vec<PoolSite> = found.iter().map(site).collect();
        let may = |one: &&PoolSite| one.left_out.is_none() && draw.weights.of(one.tier) > 0;
        if !pool.iter().any(|one| may(&one)) {
            return Err(Refused::new("PLAN_POOL_EMPTY").at("draft.draw").unless("pool"));
        }
        Ok(pool)
    }

    /// A site that is said to be left out stands in the list, or somebody means another one; and
    /// one that is said to be closed is, since its header says so to every city.
    fn check_left_out(
        &self,
        agreement: AgreementId,
        draw: &DrawAsked,
        found: &BTreeMap<SubjectId, SiteView>,
    ) -> Result<(), Refused> {
        let field = "draft.draw.left_out";
        let reader = self.desk.node.reader();
        let open = |(site, why): &(&SubjectId, &LeftOut)| {
            let is_open = found.get(*site).is_some_and(|one| !one.facts.1.closed);
            is_open && **why == LeftOut::Closed
        };
        if let Some((site, _)) = draw.left_out.iter().find(open) {
            let name = record_name(&reader, agreement, *site);
            let open = Refused::new("LEFT_OUT_NOT_CLOSED").at(field);
            return Err(open.with("site", site).with("name", name));
        }
        let Some(site) = draw.left_out.keys().find(|site| !found.contains_key(*site)) else {
            return Ok(());
        };
        if view::site(&reader.view(), agreement, *site).is_none() {
            return Err(Refused::new("NOT_FOUND").at(field).with("site", site));
        }
        let name = record_name(&reader, agreement, *site);
        Err(Refused::new("LEFT_OUT_NOT_LISTED").at(field).with("site", site).with("name", name))
    }

    /// What is left out of the list of a plan by hand: for another reason than this node knows on
    /// the days of the plan. The entries do not tell it, but for one that was closed and is open
    /// again: its header does, so it is drawn again. Where the list cannot be read nobody knows it,
    /// and a revision would draw what is left out.
    pub(super) fn left_out_by_hand(&self, key: PlanKey) -> Result<LeftOutSites, Refused> {
        let reader = self.desk.node.reader();
        let found = view::plan(&reader.view(), key.0, key.1);
        let Some((plan, at)) = found.and_then(|one| one.pool_at.map(|at| (one.plan, at))) else {
            return Ok(LeftOutSites::new());
        };
        let Some(PartContent::PlanPool(pool)) = content(&reader, at, PartKind::PlanPool) else {
            return Err(Refused::new("LEFT_OUT_UNREADABLE").at("draft.draw"));
        };
        let days: Vec<Date> = plan.facts.days.iter().map(|day| day.at.on).collect();
        let by_hand = |one: &PoolSite| {
            let why = one.left_out?;
            let site = view::site(&reader.view(), key.0, one.site)?;
            let known = self.stands_against((key.0, one.site), &site, &days);
            let opened = why == LeftOut::Closed && !site.facts.1.closed;
            (known != Some(why) && !opened).then_some((one.site, why))
        };
        Ok(pool.iter().filter_map(by_hand).collect())
    }

    /// Why a site may not be drawn on some day of the plan.
    fn stands_against(
        &self,
        site: (AgreementId, SubjectId),
        view: &SiteView,
        days: &[Date],
    ) -> Option<LeftOut> {
        let reader = self.desk.node.reader();
        let rows = reader.view();
        let own = view.city == self.desk.node.city();
        let plants = if own { plants(&rows, site, view) } else { Vec::new() };
        days.iter().find_map(|on| {
            let listing = if own {
                listing_on(&plants, *on).map(|(_, listing)| listing)
            } else {
                view.listing.as_ref().map(|(_, listing)| listing)
            };
            let most = if own { self.checks_a_year_max } else { 0 };
            let made = checks_made(&plants, on.year());
            let visited = Visited { made, reserved: 0, most };
            let closed = view.facts.1.closed;
            let asked = Visit { on: *on, closed, listing, visited, exception: None };
            if let Verdict::LeftOut(why) = may_visit(&asked) { Some(why) } else { None }
        })
    }
}

fn rule(draw: &DrawAsked, pool: &[PoolSite]) -> DrawRule {
    // Tiers without tickets are counted too: the size is that of the list.
    let may = |one: &&PoolSite| one.left_out.is_none();
    DrawRule {
        sites: draw.sites,
        host_officers: draw.host_officers,
        guest_officers: draw.guest_officers,
        weights: draw.weights,
        pool: pool_digest(pool),
        pool_size: u32::try_from(pool.iter().filter(may).count()).unwrap_or(u32::MAX),
        spares_withholders: draw.spares_withholders,
    }
}

fn visits(draft: &DraftAsked) -> Result<Vec<PlannedVisit>, Refused> {
    let place = |at: HalfDay| {
        let place = draft.days.iter().position(|day| day.at == at);
        let place = place.and_then(|place| u8::try_from(place).ok());
        place.ok_or(Refused::new("VISIT_DAY_NOT_IN_PLAN").at("draft.visits"))
    };
    let visit = |one: &VisitAsked| {
        let (first, last) = one.half_days;
        Ok(PlannedVisit {
            site: one.site,
            first: place(first)?,
            last: place(last)?,
            exception: one.exception,
        })
    };
    draft.visits.iter().map(visit).collect()
}
