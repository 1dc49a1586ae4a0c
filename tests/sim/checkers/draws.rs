//! P4 for draws: what a process shows as drawn is what the entries come to, worked out here from
//! the texts of the formats: commitments, seed, tickets, targets, teams. Nobody steers: whoever bound
//! itself had seen no reveal, and neither had those who said which officers come. Who withholds is
//! named, and nothing is drawn then. Nobody is drawn where he is recused.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use liandong::api::request::PartContent;
use liandong::domain::plan::lots::{self, Outcome, PoolSite};
use liandong::domain::plan::{Answer, DrawRule, Plan, PlanAct, PlanMove, PlanWord, Recusal, Sent};
use liandong::domain::site::{LeftOut, SiteTier};
use liandong::domain::{Date, Event, HalfDay, UnitKind};
use liandong::ids::{CityCode, Position, SubjectId};
use liandong::log::{PartKind, PartSlot, SubjectKind, subject_id};
use liandong::view::PlanView;
use liandong::wire;

use super::Checks;
use super::fold::Known;
use crate::sim::cast::Cast;
use crate::sim::draws;
use crate::sim::node::Node;
use crate::sim::tally::{State, Tally};

pub(super) type Bytes32 = [u8; 32];

/// One plan with a draw, as the entries have it.
pub(super) struct Draw<'a> {
    pub known: &'a BTreeMap<Position, Known>,
    pub subject: SubjectId,
    pub plan: &'a Plan,
    /// The acts that fit.
    pub said: Vec<(CityCode, Position, &'a PlanAct)>,
}

/// A site that is to be visited.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    site: SubjectId,
    host: CityCode,
    at: HalfDay,
    by_default: bool,
    lead: Vec<SubjectId>,
    guests: Vec<SubjectId>,
}

fn sha256(pieces: &[&[u8]]) -> Bytes32 {
    digest(&SHA256, &pieces.concat()).as_ref().try_into().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a city is bound to that will show this.
pub(super) fn bound_by(
    plan: SubjectId,
    revision: u32,
    city: CityCode,
    random: &Bytes32,
) -> Bytes32 {
    let code = format!("{:06}", city.as_u32());
    let revision = revision.to_be_bytes();
    sha256(&[b"liandong/draw/v1", plan.as_bytes(), &revision, code.as_bytes(), random])
}

impl Draw<'_> {
    /// What the entry that began this attempt binds the cities to, and where each said so.
    fn bound(&self) -> Result<BTreeMap<CityCode, (Position, Bytes32)>, String> {
        let draw = self.plan.resting.draw.ok_or("no entry has begun the draw")?;
        let named = match &self.known[&draw].event {
            Event::PlanMove(
                PlanMove::Scheduled { commitments, .. } | PlanMove::Redrawn { commitments, .. },
            ) => commitments,
            other => return Err(format!("{draw} begins no draw: {other:?}")),
        };
        let mut bound = BTreeMap::new();
        for at in named {
            let one = self.known.get(at).ok_or_else(|| format!("{at} is not here"))?;
            let Event::PlanAct(PlanAct {
                revision,
                word: PlanWord::DrawCommitted { attempt, commitment },
            }) = &one.event
            else {
                return Err(format!("{at} commits to nothing"));
            };
            if (*revision, *attempt) != (self.plan.at, self.plan.resting.attempt) {
                return Err(format!("{at} commits to attempt {attempt} of {revision}"));
            }
            if !self.known[&draw].saw(*at) {
                return Err(format!("{draw} rests on {at}, which its author had not seen"));
            }
            bound.insert(one.city, (*at, *commitment.as_bytes()));
        }
        let participants: Vec<CityCode> = self.plan.facts.participants().collect();
        if bound.keys().copied().collect::<Vec<_>>() != participants {
            return Err(format!("{draw} binds {:?} of {participants:?}", bound.keys()));
        }
        Ok(bound)
    }

    /// What was shown that counts, and where.
    fn shown(
        &self,
        bound: &BTreeMap<CityCode, (Position, Bytes32)>,
    ) -> BTreeMap<CityCode, (Position, Bytes32)> {
        let mut shown = BTreeMap::new();
        for (city, at, act) in &self.said {
            let PlanWord::DrawRevealed { draw, random } = &act.word else { continue };
            let commitment = bound_by(self.subject, self.plan.revision, *city, random);
            let same = act.revision == self.plan.at && Some(*draw) == self.plan.resting.draw;
            if same && bound.get(city).is_some_and(|(_, of)| *of == commitment) {
                shown.entry(*city).or_insert((*at, *random));
            }
        }
        shown
    }

    /// Nobody chose what it adds, or who comes, having seen what another one adds.
    fn steered(
        &self,
        bound: &BTreeMap<CityCode, (Position, Bytes32)>,
        shown: &BTreeMap<CityCode, (Position, Bytes32)>,
    ) -> Option<String> {
        let answers = self.plan.resting.answers.iter();
        let before = bound.values().map(|(at, _)| at).chain(answers);
        for at in before {
            let seen = shown.values().find(|(reveal, _)| self.known[at].saw(*reveal));
            if let Some((reveal, _)) = seen {
                return Some(format!("whoever wrote {at} had seen the reveal {reveal}"));
            }
        }
        let used = &self.plan.resting.used;
        let again = bound.values().find(|(_, of)| used.iter().any(|one| one.as_bytes() == of));
        again.map(|(at, _)| format!("{at} commits to what was used before"))
    }

    /// Of each city the officers that it sends by the answer the plan rests on, and who keeps away.
    fn officers(&self) -> BTreeMap<CityCode, Sent> {
        let registered: BTreeMap<SubjectId, CityCode> = self
            .known
            .iter()
            .filter_map(|(at, one)| {
                let about = one.envelope.subject;
                let opens = about.kind == SubjectKind::Unit && about.id.is_none();
                let Event::UnitRegistered { facts } = &one.event else { return None };
                let certified = facts.department.is_some()
                    && facts.valid_from.zip(facts.valid_until).is_some_and(|(a, b)| a <= b);
                let is = opens && facts.kind == UnitKind::Officer && certified;
                is.then_some((subject_id(*at), one.city))
            })
            .collect();
        let mut officers = BTreeMap::new();
        for at in &self.plan.resting.answers {
            let one = &self.known[at];
            let Event::PlanAct(PlanAct { word: PlanWord::Answered(answer), .. }) = &one.event
            else {
                continue;
            };
            let Answer::Confirm { sent } = answer else { continue };
            let mut sent = sent.clone();
            sent.units.retain(|unit| registered.get(&unit.unit) == Some(&one.city));
            officers.insert(one.city, sent);
        }
        officers
    }
}

/// The digest of a list, by the text of its format.
fn pool_digest(pool: &[PoolSite]) -> Bytes32 {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for one in pool {
        let tier = match one.tier {
            SiteTier::Key => 1,
            SiteTier::General => 2,
            SiteTier::Special => 3,
        };
        let left_out = match one.left_out {
            None => 0,
            Some(LeftOut::Closed) => 1,
            Some(LeftOut::PositiveList) => 2,
            Some(LeftOut::Capped) => 3,
        };
        let mut row = one.site.as_bytes().to_vec();
        row.extend_from_slice(&one.city.as_u32().to_be_bytes());
        row.extend_from_slice(&[tier, left_out]);
        rows.push(row);
    }
    rows.sort();
    sha256(&[b"liandong/draw-pool/v1", &rows.concat()])
}

fn tickets(rule: &DrawRule, one: &PoolSite) -> u32 {
    match one.tier {
        _ if one.left_out.is_some() => 0,
        SiteTier::Key => rule.weights.key,
        SiteTier::General => rule.weights.general,
        SiteTier::Special => rule.weights.special,
    }
}

/// The smallest ticket of a site.
fn rank(seed: &str, site: SubjectId, tickets: u32) -> Bytes32 {
    let id = hex(site.as_bytes());
    let first = format!("{seed}\u{1f}{id}");
    let more = (1..tickets).map(|n| format!("{seed}\u{1f}{id}\u{1f}{n}"));
    std::iter::once(first).chain(more).map(|text| sha256(&[text.as_bytes()])).min().unwrap()
}

/// Targets without their teams.
fn targets(plan: &Plan, rule: &DrawRule, pool: &[PoolSite], seed: &str) -> Vec<Target> {
    let may: Vec<&PoolSite> = pool.iter().filter(|one| tickets(rule, one) > 0).collect();
    let withheld =
        |one: &PoolSite| !rule.spares_withholders && plan.resting.withheld.contains(&one.city);
    let mut owed: Vec<&PoolSite> = may.iter().copied().filter(|one| withheld(one)).collect();
    owed.sort_by_key(|one| one.site);
    let mut rest: Vec<(Bytes32, &PoolSite)> = may
        .into_iter()
        .filter(|one| !withheld(one))
        .map(|one| (rank(seed, one.site, tickets(rule, one)), one))
        .collect();
    rest.sort_by_key(|(ticket, one)| (*ticket, one.site));
    let drawn = rest.into_iter().take(rule.sites as usize).map(|(_, one)| (one, false));
    let all = owed.into_iter().map(|one| (one, true)).chain(drawn);
    let mut so_far: BTreeMap<CityCode, usize> = BTreeMap::new();
    all.map(|(one, by_default)| {
        let nth = so_far.entry(one.city).or_default();
        let at = plan.facts.days[*nth % plan.facts.days.len()].at;
        *nth += 1;
        let (site, host) = (one.site, one.city);
        Target { site, host, at, by_default, lead: Vec::new(), guests: Vec::new() }
    })
    .collect()
}

fn keeps(recusals: &[Recusal], officer: SubjectId, site: SubjectId) -> bool {
    let away = |one: &Recusal| one.officer == officer && one.site.is_none_or(|of| of == site);
    recusals.iter().any(away)
}

/// Seats teams visit by visit, whoever has the smallest ticket first. False when some seat stays
/// empty so: then somebody may have moved for another one, and only what must not be is looked at.
fn seat(plan: &Plan, rule: &DrawRule, all: &mut [Target], of: &Seating<'_>) -> bool {
    let half_days: BTreeSet<HalfDay> = all.iter().map(|one| one.at).collect();
    let mut full = true;
    for at in half_days {
        let place = plan.facts.days.iter().position(|day| day.at == at).unwrap();
        let mut busy: BTreeSet<SubjectId> = BTreeSet::new();
        // Hosts first, then guests.
        for guests in [false, true] {
            let wanted = if guests { rule.guest_officers } else { rule.host_officers } as usize;
            for target in all.iter_mut().filter(|one| one.at == at) {
                let asked = of.asked((target.site, target.host), place, guests);
                let free = asked.into_iter().filter(|officer| !busy.contains(officer));
                let team: Vec<SubjectId> = free.take(wanted).collect();
                busy.extend(&team);
                full &= team.len() == wanted;
                *(if guests { &mut target.guests } else { &mut target.lead }) = team;
            }
        }
    }
    full
}

struct Seating<'a> {
    seed: &'a str,
    officers: &'a BTreeMap<CityCode, Sent>,
}

impl Seating<'_> {
    /// Who may go to a site on a half day, in the order of tickets.
    fn asked(
        &self,
        (site, host): (SubjectId, CityCode),
        place: usize,
        guests: bool,
    ) -> Vec<SubjectId> {
        let cities = self.officers.iter().filter(|(city, _)| (**city == host) != guests);
        let mut asked: Vec<(Bytes32, SubjectId)> = Vec::new();
        for (_, sent) in cities {
            let come = sent.units.iter().filter(|one| {
                let comes = one.span.is_none_or(|span| {
                    usize::from(span.first) <= place && place <= usize::from(span.last)
                });
                comes && !keeps(&sent.recusals, one.unit, site)
            });
            asked.extend(come.map(|one| {
                let (of, id) = (hex(site.as_bytes()), hex(one.unit.as_bytes()));
                let text = format!("{}\u{1f}{of}\u{1f}{id}", self.seed);
                (sha256(&[text.as_bytes()]), one.unit)
            }));
        }
        asked.sort_unstable();
        asked.into_iter().map(|(_, officer)| officer).collect()
    }
}

impl Checks {
    /// Compares what a process shows of a draw with what the entries come to.
    pub(super) fn draw_anew(
        &mut self,
        cast: &Cast,
        (at, node): (usize, &Node),
        pact: usize,
        (draw, shown): (&Draw<'_>, PlanView),
        tally: &mut Tally,
    ) {
        let Some(rule) = draw.plan.facts.draw().filter(|_| draw.plan.resting.attempt > 0) else {
            return;
        };
        let key = (cast.pacts[pact].id, draw.subject);
        // What is drawn does not depend on the day.
        let today = Date::beijing(0).unwrap();
        let reader = node.reader.as_ref().unwrap();
        let shows = || draws::looked((cast, node.city), reader, (key, shown), today).outcome;
        let has_rotted = self.has_rotted(at);
        if let Err(what) = compare(draw, rule, (node, has_rotted), shows, tally) {
            self.fail(format!("P4 {at}: draw of {}: {what}", draw.subject));
        }
    }
}

fn compare(
    draw: &Draw<'_>,
    rule: &DrawRule,
    (node, has_rotted): (&Node, bool),
    shows: impl FnOnce() -> Option<Outcome>,
    tally: &mut Tally,
) -> Result<(), String> {
    let plan = draw.plan;
    let bound = draw.bound()?;
    let reveals = draw.shown(&bound);
    draw.steered(&bound, &reveals).map_or(Ok(()), Err)?;
    let complete = bound.len() == reveals.len();
    note(plan, complete, tally);
    // What it rests on may have rotted away here, or was left out on its way.
    let Some(pool) = pool(node, plan.at) else { return Ok(()) };
    let outcome = match (shows(), complete) {
        (Some(outcome), true) => outcome,
        (None, false) => return Ok(()),
        (None, true) if has_rotted => return Ok(()),
        (outcome, _) => {
            let (shown, all) = (reveals.len(), bound.len());
            return Err(format!("{shown} of {all} have shown their parts, drawn: {outcome:?}"));
        }
    };
    if pool_digest(&pool) != *rule.pool.as_bytes() {
        return Err("drawn from another list".to_owned());
    }
    let pieces: Vec<&[u8]> = std::iter::once(b"liandong/draw-seed/v1".as_slice())
        .chain(reveals.values().map(|(_, random)| random.as_slice()))
        .collect();
    let seed = hex(&sha256(&pieces));
    if outcome.seed.as_str() != seed {
        return Err(format!("seed {}, not {seed}", outcome.seed.as_str()));
    }
    let officers = draw.officers();
    let mut told = targets(plan, rule, &pool, &seed);
    let full = seat(plan, rule, &mut told, &Seating { seed: &seed, officers: &officers });
    let got: Vec<Target> = outcome.targets.into_iter().map(Target::from).collect();
    let places = |all: &[Target]| -> Vec<(SubjectId, CityCode, HalfDay, bool)> {
        all.iter().map(|one| (one.site, one.host, one.at, one.by_default)).collect()
    };
    if places(&got) != places(&told) || (full && got != told) {
        return Err(format!("{got:?}, not {told:?}"));
    }
    never(&got, &officers).map_or(Ok(()), Err)?;
    if got.iter().any(|one| one.by_default) {
        tally.reached(State::TargetByDefault);
    }
    let recusals: Vec<&Recusal> = officers.values().flat_map(|sent| &sent.recusals).collect();
    let away = |one: &Target| recusals.iter().any(|r| r.site.is_none_or(|of| of == one.site));
    if got.iter().any(away) {
        tally.reached(State::RecusedKept);
    }
    Ok(())
}

impl From<lots::Target> for Target {
    fn from(one: lots::Target) -> Self {
        let lots::Target { site, host, at, by_default, lead, guests } = one;
        Self { site, host, at, by_default, lead, guests }
    }
}

/// What must not be of teams, whoever moved for whom.
fn never(targets: &[Target], officers: &BTreeMap<CityCode, Sent>) -> Option<String> {
    let mut sits: BTreeSet<(HalfDay, SubjectId)> = BTreeSet::new();
    for target in targets {
        for officer in target.lead.iter().chain(&target.guests) {
            let leads = target.lead.contains(officer);
            let sent = officers.iter().find(|(_, sent)| sent.has(*officer));
            let Some((city, sent)) = sent else {
                return Some(format!("{officer} was sent by nobody"));
            };
            if keeps(&sent.recusals, *officer, target.site) {
                return Some(format!("{officer} is drawn for {} and recused", target.site));
            }
            if (*city == target.host) != leads {
                return Some(format!("{officer} of {city} leads: {leads}, at {}", target.host));
            }
            if !sits.insert((target.at, *officer)) {
                return Some(format!("{officer} is at two sites on {}", target.at));
            }
        }
    }
    None
}

/// The list of the revision, from its parts.
fn pool(node: &Node, revision: Position) -> Option<Vec<PoolSite>> {
    let loaded = node.reader.as_ref()?.entry(revision).ok()?;
    let parts = &loaded.entry.envelope.parts;
    let place = parts.iter().position(|part| part.kind == PartKind::PlanPool)?;
    let PartSlot::Bytes(bytes) = loaded.entry.parts.get(place)? else { return None };
    match wire::part::parse_part(bytes).ok()? {
        PartContent::PlanPool(pool) => Some(pool),
        _ => None,
    }
}

fn note(plan: &Plan, complete: bool, tally: &mut Tally) {
    if complete {
        tally.reached(State::DrawRevealed);
    }
    if !complete {
        tally.reached(State::RevealWithheld);
    }
    if !plan.resting.withheld.is_empty() {
        tally.reached(State::WithholderNamed);
    }
    if plan.resting.attempt > 1 {
        tally.reached(State::Redrawn);
        if complete {
            tally.reached(State::RedrawRevealed);
        }
    }
}
