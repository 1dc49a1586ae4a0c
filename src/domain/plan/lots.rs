//! The draw of a plan: who commits and reveals, what withholding means, what is drawn.
//!
//! 1. Whoever proposes the plan names the pool: a list of sites, with city and tier, and those that
//!    were left out, with the reason. Its digest and the rule stand in the header of the revision,
//!    the list is a part. Every host checks its own sites before it confirms
//!    ([`super::ready::of_host`]): city, tier, reasons, and that none is omitted.
//! 2. Every participant commits to 32 random bytes for this revision and attempt
//!    ([`crate::domain::draw::commitment`]); while the plan is open it may do so again, and
//!    `Scheduled` names one commitment of each, the newest it had seen.
//! 3. The officers who may be drawn, and who is recused from where, are those of the answers that
//!    `Scheduled` rests on, so nobody chooses them after a reveal. Who is an officer, and whose, is
//!    said by the entry that registered him, which never changes ([`officers_of`]). A certificate
//!    that has expired since, or a unit swapped behind the confirmation, changes who comes and
//!    never what was drawn: the next by the same tickets stands in ([`super::arrivals`]).
//! 4. From the reveal day on each city reveals, and names the entry that began the attempt; the
//!    initiator may earlier, once another city has. What a city shows counts when that entry began
//!    the present attempt of the present revision, and it is what the city was bound to
//!    ([`reveals_that_count`]); so nothing shown before `Scheduled` counts. The seed is that of
//!    [`Seed::joint`].
//! 5. A city that does not reveal is named, and nothing is drawn. Then, from the reveal day on, the
//!    initiator may draw again with fresh commitments of *all* at the next attempt. A city commits
//!    to the next attempt only when it has revealed at this one (or its node has another key and
//!    can no longer reveal). Unless the rule spares them, all sites of the pool that stand in a
//!    city that withheld, and may be drawn, are targets, besides those drawn from the rest. So
//!    withholding takes no site out, *as long as the city commits again*: one that never does stops
//!    the draw. Then the initiator makes a new revision without it, which everybody sees, or
//!    cancels. With `spares_withholders` each city may withhold once.
//! 6. A new revision makes a new draw. An initiator that has seen parts of others and makes one
//!    without having shown its own has withheld it, as in 5 ([`super::state`]).
//!
//! ```text
//! pool digest      = SHA-256("liandong/draw-pool/v1" || for each site, ascending by id:
//!                            id, 16 || city, 4 big-endian || tier, 1 || left out, 1)
//! tier             = 1 key, 2 general, 3 special
//! left out         = 0 may be drawn, 1 closed, 2 positive list, 3 yearly cap
//! identifier       = lower-case hex of a site's or an officer's id, 32 characters
//! site ticket      = that of `crate::domain::draw`, with the weight of the site's tier
//! officer's ticket = SHA-256(seed || 0x1F || site || 0x1F || officer)
//! ```
//! (fixed)
//!
//! The i-th site of a city in the order of targets is visited on the plan's half day number
//! i mod (their number): so visits of one city are spread. Teams of a half day are filled by
//! [`super::teams`], whoever has the smallest ticket first.
//!
//! In scope: what follows from what stands in the logs; anybody can work it out again. Out of
//! scope: random bytes (the shell), when a list is shown to people.
//!
//! Invariants:
//! 1. A recused officer is never drawn for that site. (`f19_recused_officers_are_never_drawn`)
//! 2. A city that withholds and commits again has all its sites among the targets.
//!    (`who_withholds_has_all_its_sites_among_the_targets`)
//! 3. The host city leads everywhere it can. (`hosts_lead_at_every_site_that_is_drawn`)
//! 4. Nothing is drawn from a list that is not that of the revision.
//!    (`nothing_is_drawn_from_another_list`)

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{PlanAct, PlanWord, Sent, SentUnit};
use super::facts::DrawRule;
use super::state::Plan;
use super::teams::seat;
use crate::domain::draw::{DrawError, Member, Pool, Randomness, Seed, commitment};
use crate::domain::half_day::HalfDay;
use crate::domain::site::{LeftOut, SiteTier};
use crate::domain::unit_kind::UnitKind;
use crate::ids::{CityCode, Hash, Position, SubjectId};
use crate::limits::PLAN_POOL_MAX;

/// Begins what the digest of a pool is of.
const POOL: &[u8] = b"liandong/draw-pool/v1";
/// Stands between the pieces of a ticket.
const BETWEEN: char = '\u{1f}';

/// A site of the list, whether it may be drawn or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolSite {
    /// Which.
    pub site: SubjectId,
    /// Where it stands.
    pub city: CityCode,
    /// Its tier when the pool was made.
    pub tier: SiteTier,
    /// Why it may not be drawn.
    pub left_out: Option<LeftOut>,
}

impl PoolSite {
    /// Its tickets; none when it is left out, or its tier is.
    #[must_use]
    pub fn weight(&self, rule: &DrawRule) -> u32 {
        if self.left_out.is_some() { 0 } else { rule.weights.of(self.tier) }
    }
}

const fn tier_byte(tier: SiteTier) -> u8 {
    match tier {
        SiteTier::Key => 1,
        SiteTier::General => 2,
        SiteTier::Special => 3,
    }
}

const fn reason_byte(left_out: Option<LeftOut>) -> u8 {
    match left_out {
        None => 0,
        Some(LeftOut::Closed) => 1,
        Some(LeftOut::PositiveList) => 2,
        Some(LeftOut::Capped) => 3,
    }
}

/// The digest of a pool; the order of the sites does not matter.
#[must_use]
pub fn pool_digest(sites: &[PoolSite]) -> Hash {
    let mut sorted = sites.to_vec();
    sorted.sort_unstable();
    let mut bytes = Vec::with_capacity(sorted.len() * 22);
    for PoolSite { site, city, tier, left_out } in sorted {
        bytes.extend_from_slice(site.as_bytes());
        bytes.extend_from_slice(&city.as_u32().to_be_bytes());
        bytes.extend_from_slice(&[tier_byte(tier), reason_byte(left_out)]);
    }
    Hash::of(&[POOL, &bytes])
}

/// Whether this is the list that a rule speaks of: each site once, as many that may be drawn as it
/// says, enough of them with tickets, and the same digest.
#[must_use]
pub fn is_pool_of(rule: &DrawRule, sites: &[PoolSite]) -> bool {
    let ids: BTreeSet<SubjectId> = sites.iter().map(|one| one.site).collect();
    let may = sites.iter().filter(|one| one.left_out.is_none()).count();
    let tickets = sites.iter().filter(|one| one.weight(rule) > 0).count();
    ids.len() == sites.len()
        && sites.len() <= PLAN_POOL_MAX
        && usize::try_from(rule.pool_size) == Ok(may)
        && usize::try_from(rule.sites).is_ok_and(|asked| asked <= tickets)
        && pool_digest(sites) == rule.pool
}

/// Whether a city shows, at the present attempt, what it was bound to. `draw` is the entry that it
/// names.
#[must_use]
pub fn is_reveal(
    id: SubjectId,
    plan: &Plan,
    city: CityCode,
    (draw, random): (Position, &Randomness),
) -> bool {
    let bound = plan.resting.commitments.get(&city);
    plan.resting.draw == Some(draw) && bound == Some(&commitment(id, plan.revision, city, random))
}

/// The reveals that count, of all acts that fit: of the present revision and attempt, and what
/// their cities were bound to. When they come does not matter.
#[must_use]
pub fn reveals_that_count<'a>(
    id: SubjectId,
    plan: &Plan,
    acts: impl IntoIterator<Item = (CityCode, &'a PlanAct)>,
) -> BTreeMap<CityCode, Randomness> {
    let of = acts.into_iter().filter(|(_, act)| act.revision == plan.at);
    let shown = of.filter_map(|(city, act)| match &act.word {
        PlanWord::DrawRevealed { draw, random } => Some((city, *draw, *random)),
        PlanWord::Answered(_)
        | PlanWord::UnitsSwapped(_)
        | PlanWord::DrawCommitted { .. }
        | PlanWord::CheckedIn(_)
        | PlanWord::VisitReported(_)
        | PlanWord::FindingOpened { .. }
        | PlanWord::ResultsReported
        | PlanWord::UnitsReleased
        | PlanWord::AnswerResolved { .. } => None,
    });
    let counts = shown.filter(|(city, draw, random)| is_reveal(id, plan, *city, (*draw, random)));
    counts.map(|(city, _, random)| (city, random)).collect()
}

/// The officers who may be drawn: of what each city sends by the answers that the plan rests on,
/// those that are registered as officers of that city. `registered` reads the entry that opened a
/// unit; certificates, and whether he still serves, are not asked.
#[must_use]
pub fn officers_of(
    answers: &BTreeMap<CityCode, Sent>,
    registered: &dyn Fn(SubjectId) -> Option<(CityCode, UnitKind)>,
) -> BTreeMap<CityCode, Sent> {
    let of = |(city, sent): (&CityCode, &Sent)| {
        let is = |one: &&SentUnit| registered(one.unit) == Some((*city, UnitKind::Officer));
        let units = sent.units.iter().filter(is).copied().collect();
        (*city, Sent { units, recusals: sent.recusals.clone() })
    };
    answers.iter().map(of).collect()
}

/// Who has not revealed at the present attempt, ascending.
#[must_use]
pub fn withholding(plan: &Plan, reveals: &BTreeMap<CityCode, Randomness>) -> Vec<CityCode> {
    let bound = plan.resting.commitments.keys();
    bound.filter(|city| !reveals.contains_key(*city)).copied().collect()
}

/// Who was named as withholding at an attempt, and has revealed at that one all the same, before or
/// after: it stays named, and this is told beside. `shown` is everything that cities have shown,
/// each with the entry of the revision that it is about.
#[must_use]
pub fn named_although_revealed(
    id: SubjectId,
    plan: &Plan,
    shown: impl IntoIterator<Item = (CityCode, Position, Randomness)>,
) -> BTreeSet<CityCode> {
    let number = |at: Position| {
        let place = plan.rounds.iter().position(|round| round.at == at)?;
        u32::try_from(place).ok()?.checked_add(1)
    };
    let missed = |(city, at, random): &(CityCode, Position, Randomness)| {
        let bound = number(*at).map(|revision| commitment(id, revision, *city, random));
        bound.is_some_and(|bound| plan.resting.missed.contains(&bound))
    };
    shown.into_iter().filter(missed).map(|(city, ..)| city).collect()
}

/// A site that is to be visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which.
    pub site: SubjectId,
    /// Where it stands: this city leads.
    pub host: CityCode,
    /// When.
    pub at: HalfDay,
    /// It is a target because its city withheld, and was not drawn.
    pub by_default: bool,
    /// Officers of the host city.
    pub lead: Vec<SubjectId>,
    /// Officers of the others.
    pub guests: Vec<SubjectId>,
}

/// What comes of a draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// From what it follows.
    pub seed: Seed,
    /// The targets: those by default, ascending, then those drawn, in the order of the draw.
    pub targets: Vec<Target>,
    /// Who might be drawn, by city.
    pub officers: BTreeMap<CityCode, Sent>,
}

/// Why nothing is drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDrawn {
    /// Somebody withholds, or fewer are there than are asked for.
    #[error(transparent)]
    Draw(DrawError),
    /// The list is not the one whose digest stands in the revision. Get that one.
    #[error("list is not the one whose digest stands in the revision")]
    OtherPool,
}

/// Draws. `reveals` are those that count ([`reveals_that_count`]), `officers` those that may be
/// drawn ([`officers_of`]).
///
/// # Errors
/// [`NotDrawn`]: nothing is drawn; who withholds is named.
pub fn outcome(
    id: SubjectId,
    plan: &Plan,
    pool: &[PoolSite],
    reveals: &BTreeMap<CityCode, Randomness>,
    officers: &BTreeMap<CityCode, Sent>,
) -> Result<Outcome, NotDrawn> {
    let seed = Seed::joint(id, plan.revision, &plan.resting.commitments, reveals);
    let seed = seed.map_err(NotDrawn::Draw)?;
    let officers = officers.clone();
    let Some(rule) = plan.facts.draw() else {
        return Ok(Outcome { seed, targets: Vec::new(), officers });
    };
    if !is_pool_of(rule, pool) {
        return Err(NotDrawn::OtherPool);
    }
    let mut targets = sites(plan, rule, pool, &seed).map_err(NotDrawn::Draw)?;
    staff(plan, &mut targets, &seed, &officers);
    Ok(Outcome { seed, targets, officers })
}

/// The sites, without teams.
fn sites(
    plan: &Plan,
    rule: &DrawRule,
    pool: &[PoolSite],
    seed: &Seed,
) -> Result<Vec<Target>, DrawError> {
    // What is left out, or of a tier without tickets, is neither drawn nor a target by default.
    let mut pool: Vec<PoolSite> = pool.iter().filter(|one| one.weight(rule) > 0).copied().collect();
    pool.sort_unstable();
    let withheld = &plan.resting.withheld;
    let by_default = |one: &PoolSite| !rule.spares_withholders && withheld.contains(&one.city);
    let (defaults, rest): (Vec<PoolSite>, Vec<PoolSite>) = pool.into_iter().partition(by_default);
    let by_id: BTreeMap<String, PoolSite> =
        rest.iter().map(|one| (one.site.to_string(), *one)).collect();
    let members: Vec<Member> =
        by_id.iter().map(|(id, one)| Member { id: id.clone(), weight: one.weight(rule) }).collect();
    // Fewer are left only when those of a city that withheld are targets already.
    let count = usize::try_from(rule.sites).unwrap_or(usize::MAX).min(members.len());
    let members = Pool::new(members)?;
    let drawn = members.draw(seed, count)?;
    let drawn = drawn.into_iter().filter_map(|id| by_id.get(id).copied());
    let all = defaults.into_iter().map(|one| (one, true)).chain(drawn.map(|one| (one, false)));
    let mut of_city: BTreeMap<CityCode, usize> = BTreeMap::new();
    let days = &plan.facts.days;
    let mut targets = Vec::new();
    for (PoolSite { site, city: host, .. }, by_default) in all {
        let before = of_city.entry(host).or_default();
        let Some(day) = days.get(*before % days.len().max(1)) else { continue };
        *before += 1;
        let (lead, guests) = (Vec::new(), Vec::new());
        targets.push(Target { site, host, at: day.at, by_default, lead, guests });
    }
    Ok(targets)
}

/// Gives every target its team.
fn staff(plan: &Plan, targets: &mut [Target], seed: &Seed, officers: &BTreeMap<CityCode, Sent>) {
    let Some(rule) = plan.facts.draw() else { return };
    let place = |at| plan.facts.days.iter().position(|day| day.at == at).unwrap_or(0);
    let visits: Vec<VisitAt> =
        targets.iter().map(|one| (one.site, one.host, place(one.at))).collect();
    let teams = teams(seed, &visits, (rule.host_officers, rule.guest_officers), officers);
    for (target, (lead, guests)) in targets.iter_mut().zip(teams) {
        (target.lead, target.guests) = (lead, guests);
    }
}

/// A visit: which site, where it stands, and the place of its half day in the plan's list.
pub type VisitAt = (SubjectId, CityCode, usize);
/// Who goes: officers of the host city, and officers of the others.
pub type Team = (Vec<SubjectId>, Vec<SubjectId>);

/// The team of each visit, of so many officers of its host and so many of the others.
#[must_use]
pub fn teams(
    seed: &Seed,
    visits: &[VisitAt],
    (leads, guests): (u32, u32),
    officers: &BTreeMap<CityCode, Sent>,
) -> Vec<Team> {
    let none = Sent::default();
    let mut teams: BTreeMap<VisitAt, Team> = BTreeMap::new();
    let half_days: BTreeSet<usize> = visits.iter().map(|(_, _, place)| *place).collect();
    for place in half_days {
        let now: Vec<VisitAt> = visits.iter().filter(|one| one.2 == place).copied().collect();
        let hosts: BTreeSet<CityCode> = now.iter().map(|(_, host, _)| *host).collect();
        let mut busy = BTreeSet::new();
        for host in hosts {
            let own: Vec<VisitAt> = now.iter().filter(|one| one.1 == host).copied().collect();
            let sites: Vec<SubjectId> = own.iter().map(|(site, ..)| *site).collect();
            let sent = officers.get(&host).unwrap_or(&none);
            let order = |site| ranked(seed, (site, place), &[sent], &BTreeSet::new());
            for (visit, lead) in own.into_iter().zip(seat(&sites, leads, &order)) {
                busy.extend(lead.iter().copied());
                teams.entry(visit).or_default().0 = lead;
            }
        }
        let sites: Vec<SubjectId> = now.iter().map(|(site, ..)| *site).collect();
        let host_of: BTreeMap<SubjectId, CityCode> =
            now.iter().map(|(site, host, _)| (*site, *host)).collect();
        let order = |site: SubjectId| {
            let others = officers.iter().filter(|(city, _)| host_of.get(&site) != Some(*city));
            let others: Vec<&Sent> = others.map(|(_, sent)| sent).collect();
            ranked(seed, (site, place), &others, &busy)
        };
        for (visit, guests) in now.iter().zip(seat(&sites, guests, &order)) {
            teams.entry(*visit).or_default().1 = guests;
        }
    }
    visits.iter().map(|visit| teams.remove(visit).unwrap_or_default()).collect()
}

/// Officers who may go to a site on the half day at a place, whoever has the smallest ticket first.
pub(super) fn ranked(
    seed: &Seed,
    (site, place): (SubjectId, usize),
    sent: &[&Sent],
    busy: &BTreeSet<SubjectId>,
) -> Vec<SubjectId> {
    let of = |sent: &&Sent| -> Vec<SubjectId> {
        let comes = sent.units.iter().filter(|one| one.comes(place)).map(|one| one.unit);
        let keeps = |officer: SubjectId| sent.keeps(officer, site);
        #[cfg(feature = "planted-bugs")]
        let keeps = |officer| keeps(officer) && !crate::planted::is_on("recused-all-the-same");
        let may = |officer: &SubjectId| !busy.contains(officer) && !keeps(*officer);
        comes.filter(may).collect()
    };
    let ticket = |officer: SubjectId| {
        let text = format!("{}{BETWEEN}{site}{BETWEEN}{officer}", seed.as_str());
        (Hash::of(&[text.as_bytes()]), officer)
    };
    let mut tickets: Vec<(Hash, SubjectId)> = sent.iter().flat_map(of).map(ticket).collect();
    tickets.sort_unstable();
    tickets.into_iter().map(|(_, officer)| officer).collect()
}
