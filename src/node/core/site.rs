//! Own sites: from what is asked to what will be written.
//!
//! In scope: credit codes that are here already, counting checks over all agreements, what a
//! command comes to. Out of scope: who may say what and what a visit comes to
//! ([`crate::domain::site`]), which sites are of one enterprise ([`super::site_codes`]), building
//! entries ([`super::write`]).
//!
//! Invariants:
//! 1. However many ask at a time, the checks that count never exceed the cap.
//!    (`f21_the_yearly_cap_of_an_enterprise_is_kept`)
//! 2. Nor after a restore: a check that counts waits until all that this city ever wrote is here,
//!    in every agreement. (`a_check_waits_for_what_a_restore_has_lost_in_any_agreement`)

use std::collections::BTreeSet;

use crate::api::request::{NewPart, PartContent, WriteError};
use crate::domain::site::{
    self, SiteAct, SiteCheck, SiteFacts, SiteRecord, SiteRefusal, Visit, Visited,
};
use crate::domain::{Date, Event, Misfit, Refusal};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};
use crate::journal::Disk;
use crate::limits::SITES_OF_ONE_CODE_MAX;
use crate::log::{Audience, Subject, SubjectKind};
use crate::node::core::Core;
use crate::node::core::site_codes::{Plant, code_tag, listing_on, plants, sites_of, tag_of};
use crate::node::core::write::{Decided, Draft};
use crate::node::plan_reserved::But;
use crate::store::Store;
use crate::view::{self, SiteView};

impl<D: Disk, S: Store> Core<D, S> {
    pub(super) fn decide_site(
        &mut self,
        agreement: AgreementId,
        facts: &SiteFacts,
        record: &SiteRecord,
        another_plant: bool,
    ) -> Result<Decided, WriteError> {
        let members = self.logs.members(agreement).to_vec();
        site::decide_register(self.settings.city, facts, &members)?;
        self.check_new(agreement, None, record, another_plant)?;
        let content = PartContent::Site(Box::new(record.clone()));
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Site, id: None },
            prev: None,
            event: Event::SiteRegistered { facts: facts.clone() },
            parts: vec![NewPart { audience: Audience::AllMembers, content }],
        };
        Ok(Decided { draft, record: None, opened_at: None, opens: None })
    }

    /// Refuses a credit code that another own site of the agreement has, and one plant too many.
    fn check_new(
        &mut self,
        agreement: AgreementId,
        subject: Option<SubjectId>,
        record: &SiteRecord,
        another_plant: bool,
    ) -> Result<(), WriteError> {
        let (own, tag) = (self.settings.city, code_tag(&self.node_key, &record.uscc));
        let rows = self.group_rows();
        let is_of = |site: SubjectId| {
            let found = view::site(&rows, agreement, site);
            found.is_some_and(|view| tag_of(&rows, &view) == Some(tag))
        };
        if subject.is_some_and(is_of) {
            // It keeps the code that it has.
            return Ok(());
        }
        let all = sites_of(&rows, tag, Some(own), usize::MAX).into_iter();
        let here = all.filter(|(of, site)| *of == agreement && Some(*site) != subject);
        let others: Vec<SubjectId> = here.map(|(_, site)| site).collect();
        let known = others.iter().copied().find(|site| is_of(*site)).filter(|_| !another_plant);
        let refusal = match known {
            Some(site) => SiteRefusal::Known { site },
            None if others.len() < SITES_OF_ONE_CODE_MAX => return Ok(()),
            None => SiteRefusal::TooManyPlants { most: SITES_OF_ONE_CODE_MAX },
        };
        Err(Refusal::from(refusal).into())
    }

    pub(super) fn decide_site_act(
        &mut self,
        agreement: AgreementId,
        today: Date,
        (subject, etag): (SubjectId, Option<Position>),
        act: &SiteAct,
        (said, another_plant): (Option<&PartContent>, bool),
    ) -> Result<Decided, WriteError> {
        let found = view::site(&self.group_rows(), agreement, subject);
        let found = found.ok_or(WriteError::NotFound)?;
        if found.needs_newer {
            return Err(WriteError::NeedsNewerVersion);
        }
        self.check_leaning(agreement, subject, None)?;
        let by = self.settings.city;
        if !self.logs.members(agreement).contains(&by) {
            return Err(Refusal::from(Misfit::NotAMember { city: by }).into());
        }
        // First whose it is and what is asked, then what is known of a visit there.
        let listing = found.listing.as_ref().map(|(_, listing)| listing);
        site::decide_act((found.city, listing), by, act, None, today)?;
        if let SiteAct::Checked(check) = act {
            self.check_visit((agreement, subject), &found, (check, today))?;
        }
        let current = found.newest().at;
        if etag.is_some_and(|etag| etag != current) {
            return Err(Refusal::from(SiteRefusal::Changed { current }).into());
        }
        if let Some(PartContent::Site(record)) = said {
            self.check_new(agreement, Some(subject), record, another_plant)?;
        }
        let part = |content: &PartContent| NewPart {
            audience: Audience::AllMembers,
            content: content.clone(),
        };
        let draft = Draft {
            subject: Subject { kind: SubjectKind::Site, id: Some(subject) },
            prev: None,
            event: Event::SiteAct(act.clone()),
            parts: said.map(part).into_iter().collect(),
        };
        let opened_at = Some(found.opened_at);
        Ok(Decided { draft, record: Some(subject), opened_at, opens: None })
    }

    /// Decides on a check by what is known of the enterprise over all agreements.
    fn check_visit(
        &mut self,
        site: (AgreementId, SubjectId),
        found: &SiteView,
        (check, today): (&SiteCheck, Date),
    ) -> Result<(), WriteError> {
        let own = self.settings.city;
        let plants = plants(&self.group_rows(), site, found);
        let visited = match check.counts() {
            true => self.counted((found, &plants), (check.on, today), But::Nothing)?,
            false => Visited::default(),
        };
        let visit = Visit {
            on: check.on,
            closed: found.facts.1.closed,
            listing: listing_on(&plants, check.on).map(|(_, listing)| listing),
            visited,
            exception: check.exception,
        };
        let act = SiteAct::Checked(*check);
        Ok(site::decide_act((found.city, None), own, &act, Some(&visit), today)?)
    }

    /// What counts to the cap of an enterprise before one more check that counts.
    pub(super) fn counted(
        &mut self,
        of: (&SiteView, &[Plant]),
        (on, today): (Date, Date),
        but: But,
    ) -> Result<Visited, WriteError> {
        if self.settings.site_checks_a_year_max > 0 {
            self.check_all_is_here(today)?;
        }
        Ok(self.visits_made(of, (on.year(), today), but))
    }

    /// After a restore or damage own checks may lie with members only, of sites that are not known
    /// here either: a check that counts waits for all of them, in every agreement that still runs.
    /// In one that has ended nobody could go on without a member, so it is not waited for.
    pub(super) fn check_all_is_here(&self, today: Date) -> Result<(), WriteError> {
        let running = self.book.iter().filter(|(_, found)| today <= found.charter.end_on);
        let waiting_for = running.flat_map(|(agreement, _)| self.lacks_own(*agreement));
        let waiting_for: BTreeSet<CityCode> = waiting_for.collect();
        if waiting_for.is_empty() {
            return Ok(());
        }
        Err(WriteError::Recovering { waiting_for: waiting_for.into_iter().collect() })
    }
}
