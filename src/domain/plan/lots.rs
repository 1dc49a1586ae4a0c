//! The draw of a plan: who commits and reveals, what withholding means, what is drawn.
//!
//! 1. Whoever proposes the plan names the pool: sites that may be visited, with positive list, caps
//!    and closed sites already left out ([`super::ready`] checks that before the commitments). Its
//!    digest and the rule stand in the header of the revision, the list is a part.
//! 2. Every participant commits to 32 random bytes for this revision and attempt
//!    ([`crate::domain::draw::commitment`]); `Scheduled` names one commitment of each. The officers
//!    who may be drawn, and who is recused from where, are those of the answers that `Scheduled`
//!    rests on, so nobody chooses them after a reveal. Units swapped behind that change who comes,
//!    never what was drawn.
//! 3. On the day each city reveals. What it shows counts when it is what it was bound to, whenever
//!    it comes; anything else is no reveal. The seed is that of [`Seed::joint`].
//! 4. A city that does not reveal is named, and nothing is drawn. Then the initiator may draw again
//!    with fresh commitments of *all* at the next attempt, and, unless the rule spares them, all
//!    sites of the pool that stand in a city that withheld are targets, besides those drawn from
//!    the rest. So withholding never takes a site out. Whoever does not want this makes a new
//!    revision, which everybody sees.
//!
//! ```text
//! pool digest      = SHA-256("liandong/draw-pool/v1" || for each site, ascending by id:
//!                            id, 16 || city, 4 big-endian || weight, 4 big-endian)
//! identifier       = lower-case hex of a site's or an officer's id, 32 characters
//! site ticket      = that of `crate::domain::draw`, with the site's weight
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
//! 2. Withholding takes no site of the own city out.
//!    (`who_withholds_has_all_its_sites_among_the_targets`)
//! 3. The host city leads everywhere it can. (`hosts_lead_at_every_site_that_is_drawn`)

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Sent;
use super::facts::{DrawRule, TierWeights};
use super::state::Plan;
use super::teams::seat;
use crate::domain::draw::{DrawError, Member, Pool, Randomness, Seed, commitment};
use crate::domain::half_day::HalfDay;
use crate::domain::site::SiteTier;
use crate::ids::{CityCode, Hash, SubjectId};

/// Begins what the digest of a pool is of.
const POOL: &[u8] = b"liandong/draw-pool/v1";
/// Stands between the pieces of a ticket.
const BETWEEN: char = '\u{1f}';

/// A site that may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolSite {
    /// Which.
    pub site: SubjectId,
    /// Where it stands.
    pub city: CityCode,
    /// Its tier when the pool was made.
    pub tier: SiteTier,
}

/// The digest of a pool; the order of the sites does not matter.
#[must_use]
pub fn pool_digest(sites: &[PoolSite], weights: TierWeights) -> Hash {
    let mut sorted = sites.to_vec();
    sorted.sort_unstable();
    let mut bytes = Vec::with_capacity(sorted.len() * 24);
    for PoolSite { site, city, tier } in sorted {
        bytes.extend_from_slice(site.as_bytes());
        bytes.extend_from_slice(&city.as_u32().to_be_bytes());
        bytes.extend_from_slice(&weights.of(tier).to_be_bytes());
    }
    Hash::of(&[POOL, &bytes])
}

/// Whether these are the sites that a rule speaks of.
#[must_use]
pub fn is_pool_of(rule: &DrawRule, sites: &[PoolSite]) -> bool {
    usize::try_from(rule.pool_size) == Ok(sites.len())
        && pool_digest(sites, rule.weights) == rule.pool
}

/// Whether a city shows what it was bound to at the present attempt.
#[must_use]
pub fn is_reveal(id: SubjectId, plan: &Plan, city: CityCode, random: &Randomness) -> bool {
    let bound = plan.resting.commitments.get(&city);
    bound == Some(&commitment(id, plan.revision, city, random))
}

/// Who has not revealed at the present attempt, ascending.
#[must_use]
pub fn withholding(plan: &Plan, reveals: &BTreeMap<CityCode, Randomness>) -> Vec<CityCode> {
    let bound = plan.resting.commitments.keys();
    bound.filter(|city| !reveals.contains_key(*city)).copied().collect()
}

/// Who was named as withholding, and has revealed at an earlier attempt all the same, before or
/// after. `shown` is everything that cities have shown for this revision.
#[must_use]
pub fn named_although_revealed(
    id: SubjectId,
    plan: &Plan,
    shown: impl IntoIterator<Item = (CityCode, Randomness)>,
) -> BTreeSet<CityCode> {
    let Plan { resting, revision, .. } = plan;
    let was_bound = |(city, random): &(CityCode, Randomness)| {
        resting.used.contains(&commitment(id, *revision, *city, random))
    };
    let cities = shown.into_iter().filter(was_bound).map(|(city, _)| city);
    cities.filter(|city| resting.withheld.contains(city)).collect()
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
}

/// Draws. `reveals` are those that count ([`is_reveal`]), `officers` what each city sends of
/// officers by the answers that the plan rests on; other units are left out of it.
///
/// # Errors
/// [`DrawError`]: nothing is drawn; who withholds is named.
pub fn outcome(
    id: SubjectId,
    plan: &Plan,
    pool: &[PoolSite],
    reveals: &BTreeMap<CityCode, Randomness>,
    officers: &BTreeMap<CityCode, Sent>,
) -> Result<Outcome, DrawError> {
    let seed = Seed::joint(id, plan.revision, &plan.resting.commitments, reveals)?;
    let mut targets = match plan.facts.draw() {
        Some(rule) => sites(plan, rule, pool, &seed)?,
        None => Vec::new(),
    };
    if let Some(rule) = plan.facts.draw() {
        staff(&mut targets, rule, &seed, officers);
    }
    Ok(Outcome { seed, targets })
}

/// The sites, without teams.
fn sites(
    plan: &Plan,
    rule: &DrawRule,
    pool: &[PoolSite],
    seed: &Seed,
) -> Result<Vec<Target>, DrawError> {
    let mut pool = pool.to_vec();
    pool.sort_unstable();
    let withheld = &plan.resting.withheld;
    let by_default = |one: &PoolSite| !rule.spares_withholders && withheld.contains(&one.city);
    let (defaults, rest): (Vec<PoolSite>, Vec<PoolSite>) = pool.into_iter().partition(by_default);
    let by_id: BTreeMap<String, PoolSite> =
        rest.iter().map(|one| (one.site.to_string(), *one)).collect();
    // A tier without tickets is not in the pool that is drawn from.
    let members: Vec<Member> = by_id
        .iter()
        .map(|(id, one)| Member { id: id.clone(), weight: rule.weights.of(one.tier) })
        .filter(|member| member.weight > 0)
        .collect();
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
fn staff(
    targets: &mut [Target],
    rule: &DrawRule,
    seed: &Seed,
    officers: &BTreeMap<CityCode, Sent>,
) {
    let none = Sent::default();
    let half_days: BTreeSet<HalfDay> = targets.iter().map(|one| one.at).collect();
    for at in half_days {
        let now = |targets: &[Target]| -> Vec<(SubjectId, CityCode)> {
            let now = targets.iter().filter(|one| one.at == at);
            now.map(|one| (one.site, one.host)).collect()
        };
        let visits = now(targets);
        let hosts: BTreeSet<CityCode> = visits.iter().map(|(_, host)| *host).collect();
        let mut teams: BTreeMap<SubjectId, (Vec<SubjectId>, Vec<SubjectId>)> = BTreeMap::new();
        for host in hosts {
            let own: Vec<SubjectId> =
                visits.iter().filter(|(_, city)| *city == host).map(|(site, _)| *site).collect();
            let sent = officers.get(&host).unwrap_or(&none);
            let order = |site| ranked(seed, site, &[sent], &BTreeSet::new());
            for (site, team) in own.iter().zip(seat(&own, rule.host_officers, &order)) {
                teams.entry(*site).or_default().0 = team;
            }
        }
        let busy: BTreeSet<SubjectId> =
            teams.values().flat_map(|(lead, _)| lead.iter().copied()).collect();
        let all: Vec<SubjectId> = visits.iter().map(|(site, _)| *site).collect();
        let host_of: BTreeMap<SubjectId, CityCode> = visits.iter().copied().collect();
        let order = |site: SubjectId| {
            let others = officers.iter().filter(|(city, _)| host_of.get(&site) != Some(*city));
            let others: Vec<&Sent> = others.map(|(_, sent)| sent).collect();
            ranked(seed, site, &others, &busy)
        };
        for (site, team) in all.iter().zip(seat(&all, rule.guest_officers, &order)) {
            teams.entry(*site).or_default().1 = team;
        }
        for target in targets.iter_mut().filter(|one| one.at == at) {
            (target.lead, target.guests) = teams.remove(&target.site).unwrap_or_default();
        }
    }
}

/// Officers who may go to a site, whoever has the smallest ticket first.
fn ranked(
    seed: &Seed,
    site: SubjectId,
    sent: &[&Sent],
    busy: &BTreeSet<SubjectId>,
) -> Vec<SubjectId> {
    let may = |sent: &&Sent, officer: &SubjectId| {
        let recused = |one: &super::answer::Recusal| one.officer == *officer && one.site == site;
        !busy.contains(officer) && !sent.recusals.iter().any(recused)
    };
    let of = |sent: &&Sent| -> Vec<SubjectId> {
        sent.units.iter().filter(|officer| may(sent, officer)).copied().collect()
    };
    let ticket = |officer: SubjectId| {
        let text = format!("{}{BETWEEN}{site}{BETWEEN}{officer}", seed.as_str());
        (Hash::of(&[text.as_bytes()]), officer)
    };
    let mut tickets: Vec<(Hash, SubjectId)> = sent.iter().flat_map(of).map(ticket).collect();
    tickets.sort_unstable();
    tickets.into_iter().map(|(_, officer)| officer).collect()
}
