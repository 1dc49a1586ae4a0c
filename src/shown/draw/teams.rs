//! Officers in the file of a published draw: who might go where, who goes, and working it out
//! again.
//!
//! Officers stand there by the ids that their entries have. Names and certificate numbers stay with
//! their city, so that an id is a certain person only that city can tell.
//!
//! In scope: this section of the file, comparing. Out of scope: the rest of it ([`super`]), the
//! rule ([`crate::domain::plan::lots`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Fault, field};
use crate::domain::draw::Seed;
use crate::domain::plan::lots::{Team, VisitAt, teams};
use crate::domain::plan::{Recusal, Sent, SentUnit, Span};
use crate::ids::{CityCode, SubjectId, hex};
use crate::lang::Lang;
use crate::limits::{PLAN_HALF_DAYS_MAX, PLAN_POOL_MAX, PLAN_TEAM_MAX, PLAN_UNITS_MAX};
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// Stands for every site among those that an officer does not go to.
const EVERYWHERE: &str = "*";

/// Who may go, and who goes to each site.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Teams {
    half_days: u8,
    lead_officers: u32,
    guest_officers: u32,
    /// By city code.
    officers: BTreeMap<String, Vec<Officer>>,
    visits: Vec<Visit>,
}

/// An officer who may be drawn.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Officer {
    id: String,
    /// First and last half day on which he comes, from 0; absent, he comes on all.
    #[serde(skip_serializing_if = "Option::is_none")]
    half_days: Option<(u8, u8)>,
    /// Sites to which he does not go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recused: Vec<String>,
}

/// A target, and its team.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Visit {
    site: String,
    city: String,
    half_day: u8,
    lead: Vec<String>,
    guests: Vec<String>,
}

impl Teams {
    /// The teams of a plan that is drawn; `None` where its node does not say who might be drawn.
    pub(super) fn of(plan: &pb::Plan, draw: &pb::PlanDraw, rule: &pb::DrawRule) -> Option<Self> {
        let id = |name: &String| name.rsplit('/').next().unwrap_or_default().to_owned();
        let ids = |names: &[String]| names.iter().map(id).collect();
        let visit = |one: &pb::PlanVisit| {
            let place = plan.days.iter().position(|day| day.at == one.first)?;
            Some(Visit {
                site: id(&one.site),
                city: format!("{:06}", one.city),
                half_day: u8::try_from(place).ok()?,
                lead: ids(&one.lead),
                guests: ids(&one.guests),
            })
        };
        let of_city = |one: &pb::DrawOfficers| {
            let sent = one.sent.clone().unwrap_or_default();
            let officer = |unit: &pb::SentUnit| officer(unit, &sent.recusals);
            let all = sent.units.iter().map(officer).collect::<Option<_>>()?;
            Some((format!("{:06}", one.city), all))
        };
        if draw.officers.is_empty() {
            return None;
        }
        Some(Self {
            half_days: u8::try_from(plan.days.len()).ok()?,
            lead_officers: rule.host_officers,
            guest_officers: rule.guest_officers,
            officers: draw.officers.iter().map(of_city).collect::<Option<_>>()?,
            visits: plan.visits.iter().map(visit).collect::<Option<_>>()?,
        })
    }

    /// How many sites have a team.
    pub(super) fn len(&self) -> usize {
        self.visits.len()
    }

    /// The first place at which it does not come out as published; `drawn` are the sites that were
    /// drawn, in their order, before which those stand that are targets without a draw.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be worked out.
    pub(super) fn difference(
        &self,
        seed: &Seed,
        drawn: &[&str],
        lang: Lang,
    ) -> Result<Option<String>, Fault> {
        let visits = self.visits(lang)?;
        let officers = self.officers(lang)?;
        let sites: Vec<&str> = self.visits.iter().map(|one| one.site.as_str()).collect();
        let (named, last) = sites.split_at(sites.len().saturating_sub(drawn.len()));
        if last != drawn || !named.is_sorted_by(|a, b| a < b) {
            let what = lang.pick(
                "各次检查的对象和顺序与抽取结果不符",
                "sites of the visits are not those that were drawn, in their order",
            );
            return Ok(Some(what.to_owned()));
        }
        let mut of_city: BTreeMap<CityCode, usize> = BTreeMap::new();
        let worked_out = teams(seed, &visits, (self.lead_officers, self.guest_officers), &officers);
        for ((visit, (_, host, place)), team) in self.visits.iter().zip(&visits).zip(&worked_out) {
            let before = of_city.entry(*host).or_default();
            let right = *before % usize::from(self.half_days).max(1);
            *before += 1;
            if let Some(wrong) = visit.difference((*place, right), team, lang) {
                return Ok(Some(wrong));
            }
        }
        Ok(None)
    }

    /// The visits, as the rule wants them.
    fn visits(&self, lang: Lang) -> Result<Vec<VisitAt>, Fault> {
        let (days, most) = (usize::from(self.half_days), PLAN_TEAM_MAX);
        let seats = self.lead_officers.max(self.guest_officers);
        if !(1..=PLAN_HALF_DAYS_MAX).contains(&days) || seats > most {
            return Err(wrong("half_days", lang));
        }
        let mut seen = BTreeSet::new();
        let visit = |one: &Visit| {
            let site = SubjectId::parse(&one.site).ok().filter(|site| seen.insert(*site))?;
            Some((site, CityCode::parse(&one.city).ok()?, usize::from(one.half_day)))
        };
        let visits: Option<Vec<VisitAt>> = self.visits.iter().map(visit).collect();
        let visits = visits.filter(|all| all.len() <= PLAN_POOL_MAX);
        visits.ok_or_else(|| wrong("visits", lang))
    }

    /// The officers who may be drawn, as the rule wants them: each in one city, once.
    fn officers(&self, lang: Lang) -> Result<BTreeMap<CityCode, Sent>, Fault> {
        let mut seen = BTreeSet::new();
        let mut of_city = |(city, all): (&String, &Vec<Officer>)| {
            let mut sent = Sent::default();
            for one in all {
                let officer = SubjectId::parse(&one.id).ok().filter(|id| seen.insert(*id))?;
                let span = one.half_days.map(|(first, last)| Span { first, last });
                sent.units.push(SentUnit { unit: officer, span });
                for site in &one.recused {
                    let site = match site.as_str() {
                        EVERYWHERE => None,
                        site => Some(SubjectId::parse(site).ok()?),
                    };
                    sent.recusals.push(Recusal { officer, site });
                }
            }
            let fits = sent.units.len() <= PLAN_UNITS_MAX;
            Some((CityCode::parse(city).ok()?, sent)).filter(|_| fits)
        };
        let all: Option<_> = self.officers.iter().map(&mut of_city).collect();
        all.ok_or_else(|| wrong("officers", lang))
    }
}

impl Visit {
    fn difference(
        &self,
        (place, right): (usize, usize),
        (lead, guests): &Team,
        lang: Lang,
    ) -> Option<String> {
        let site = clean(&self.site);
        if place != right {
            return Some(lang.pick(
                format!("{site}：公布在第 {} 个半天，应在第 {} 个半天", place + 1, right + 1),
                format!("{site}: half day {} is published, and should be {}", place + 1, right + 1),
            ));
        }
        let differs = |published: &[String], right: &[SubjectId]| {
            let right: Vec<String> = right.iter().map(SubjectId::to_string).collect();
            (published != right).then(|| (clean(&published.join(" ")), right.join(" ")))
        };
        let (got, want) = differs(&self.lead, lead).or_else(|| differs(&self.guests, guests))?;
        Some(lang.pick(
            format!("{site}：公布的执法人员为 {got}，按种子应为 {want}"),
            format!("{site}: officers {got} are published, and by the seed should be {want}"),
        ))
    }
}

fn officer(unit: &pb::SentUnit, recusals: &[pb::Recusal]) -> Option<Officer> {
    let half_days = match &unit.span {
        Some(span) => Some((u8::try_from(span.first).ok()?, u8::try_from(span.last).ok()?)),
        None => None,
    };
    let of = recusals.iter().filter(|one| one.officer_id == unit.unit_id);
    let site = |one: &pb::Recusal| match one.site_id.is_empty() {
        true => EVERYWHERE.to_owned(),
        false => hex(&one.site_id),
    };
    Some(Officer { id: hex(&unit.unit_id), half_days, recused: of.map(site).collect() })
}

fn wrong(name: &str, lang: Lang) -> Fault {
    let why = lang.pick("内容不符合格式", "not of the form that is described");
    field(&format!("teams.{name}"), why)
}
