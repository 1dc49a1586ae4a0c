//! A published draw: its file, and what working it out again says.
//!
//! In scope: the file (`docs/draw.md`) from a plan and from bytes, comparing, in words. Out of
//! scope: the rule ([`crate::domain::draw`]), who goes to each site ([`teams`]), telling each thing
//! that was looked at ([`checks`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::text::clean;
use crate::domain::draw::{DrawError, Member, Pool, Randomness, Seed, commitment};
use crate::ids::{CityCode, Hash, SubjectId, hex, unhex};
use crate::lang::Lang;
use crate::limits::{DRAW_POOL_MAX, DRAW_WEIGHT_MAX};
use crate::wire::pb::v1 as pb;

pub mod checks;
mod teams;

use teams::Teams;

/// The form of a file; another one has another name.
const SCHEMA: &str = "liandong-draw/1";
/// What the one group of a plan's file is called.
const GROUP: &str = "检查对象";

/// A published draw.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Published {
    schema: String,
    /// Of the plan, 32 hexadecimal digits; with commitments.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_id: Option<String>,
    /// Of the plan; with commitments.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    /// By city code: what each had published before.
    #[serde(default)]
    commitments: BTreeMap<String, String>,
    /// By city code: the 32 bytes each has shown.
    #[serde(default)]
    reveals: BTreeMap<String, String>,
    /// In their place: one seed, of a draw that one city made.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    groups: Vec<Group>,
    /// The plan was cancelled after cities had shown their parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cancelled_late: bool,
    /// Who goes to the sites that were drawn; absent in files of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    teams: Option<Teams>,
}

/// One pool, and who was drawn from it.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    pool: Vec<Written>,
    drawn: Vec<String>,
}

/// A member of a pool: an identifier, with a weight if it is not 1.
#[derive(Serialize, Deserialize, Debug)]
#[serde(untagged)]
enum Written {
    Plain(String),
    Weighted(Weighted),
}

impl Written {
    fn id(&self) -> &str {
        match self {
            Self::Plain(id) | Self::Weighted(Weighted { id, .. }) => id,
        }
    }

    fn member(&self) -> Member {
        match self {
            Self::Plain(id) => Member { id: id.clone(), weight: 1 },
            Self::Weighted(Weighted { id, weight }) => Member { id: id.clone(), weight: *weight },
        }
    }
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Weighted {
    id: String,
    weight: u32,
}

/// What is wrong with a file or a draw.
#[derive(Debug)]
pub struct Fault {
    /// The stable reason; none where the file itself is not one.
    pub reason: Option<&'static str>,
    /// In words.
    pub what: String,
    /// The group it is about.
    pub group: Option<String>,
}

/// How one pool came out.
#[derive(Debug)]
pub struct Outcome {
    /// What the group is called.
    pub name: String,
    /// How many are in its pool.
    pub pool: usize,
    /// Who was published, in order.
    pub drawn: Vec<String>,
    /// Who comes out.
    pub expected: Vec<String>,
}

impl Outcome {
    /// Whether it came out as published.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.drawn == self.expected
    }

    /// The first place at which another one should stand, from 1, and who was published there and
    /// who should be.
    #[must_use]
    pub fn first_wrong(&self) -> Option<(usize, &str, &str)> {
        let mut pairs = self.drawn.iter().zip(&self.expected).enumerate();
        let (place, (drawn, right)) = pairs.find(|(_, (drawn, right))| drawn != right)?;
        Some((place + 1, drawn, right))
    }

    /// How it came out, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let (name, pool, drawn) = (clean(&self.name), self.pool, self.drawn.len());
        let said = match self.is_right() {
            true => lang.pick("一致", "as published"),
            false => lang.pick("不一致", "NOT as published"),
        };
        lang.pick(
            format!("{name}：{pool} 个中抽取 {drawn} 个，复核{said}"),
            format!("{name}: {drawn} of {pool}, {said}"),
        )
    }

    /// Where it differs first; none when it does not.
    #[must_use]
    pub fn difference(&self, lang: Lang) -> Option<String> {
        let (place, got, want) = self.first_wrong()?;
        let (name, got, want) = (clean(&self.name), clean(got), clean(want));
        Some(lang.pick(
            format!("{name}：第 {place} 个公布为 {got}，按公布的种子应为 {want}"),
            format!("{name}: number {place} is {got}, and by the seed should be {want}"),
        ))
    }
}

impl TeamsOutcome {
    /// How they came out, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let said = match self.wrong {
            None => lang.pick("一致", "as published"),
            Some(_) => lang.pick("不一致", "NOT as published"),
        };
        lang.pick(
            format!("执法人员：{} 个对象的人员重新编排，复核{said}", self.visits),
            format!("officers: of {} sites, {said}", self.visits),
        )
    }
}

/// A draw that was worked out again.
#[derive(Debug)]
pub struct WorkedOut {
    /// What its order follows from.
    pub seed: Seed,
    /// How each pool came out.
    pub outcomes: Vec<Outcome>,
    /// How the teams came out; none where the file has no teams.
    pub teams: Option<TeamsOutcome>,
}

/// How the officers came out.
#[derive(Debug)]
pub struct TeamsOutcome {
    /// How many sites have a team.
    pub visits: usize,
    /// Where they differ first; none when they do not.
    pub wrong: Option<String>,
}

impl Published {
    /// The draw of a plan; `None` before all have shown their parts, and where not all of it was
    /// shown.
    #[must_use]
    pub fn of(plan: &pb::Plan) -> Option<Self> {
        let (draw, rule) = (plan.draw.as_ref()?, plan.draw_rule.as_ref()?);
        let weights = rule.weights.unwrap_or_default();
        let weight = |one: &pb::PoolSite| match one.tier() {
            pb::SiteTier::Key => weights.key,
            pb::SiteTier::General => weights.general,
            pb::SiteTier::Special => weights.special,
            pb::SiteTier::Unspecified => 0,
        };
        // All sites of a city that withheld are visited, drawn or not.
        let by_default =
            |one: &pb::PoolSite| !rule.spares_withholders && draw.withheld.contains(&one.city);
        let may = |one: &&pb::PoolSite| one.left_out == 0 && weight(one) > 0 && !by_default(one);
        let member = |one: &pb::PoolSite| match (hex(&one.site_id), weight(one)) {
            (id, 1) => Written::Plain(id),
            (id, weight) => Written::Weighted(Weighted { id, weight }),
        };
        let pool = plan.pool.iter().filter(may).map(member).collect();
        let targets = plan.visits.iter().filter(|visit| !visit.by_default);
        let drawn: Vec<String> =
            targets.filter_map(|visit| visit.site.rsplit('/').next()).map(str::to_owned).collect();
        let by_city = |all: &mut dyn Iterator<Item = (u32, &String)>| {
            all.map(|(city, text)| (format!("{city:06}"), text.clone())).collect()
        };
        let is_whole = !draw.seed.is_empty() && !plan.visits_are_partial && !drawn.is_empty();
        is_whole.then(|| Self {
            schema: SCHEMA.to_owned(),
            plan_id: plan.name.rsplit('/').next().map(str::to_owned),
            revision: Some(plan.revision),
            commitments: by_city(
                &mut draw.commitments.iter().map(|one| (one.city, &one.commitment)),
            ),
            reveals: by_city(&mut draw.reveals.iter().map(|one| (one.city, &one.random))),
            seed: None,
            groups: vec![Group { name: GROUP.to_owned(), pool, drawn }],
            cancelled_late: draw.cancelled_late,
            teams: Teams::of(plan, draw, rule),
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(bytes: &[u8], lang: Lang) -> Result<Self, String> {
        let published: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match published.schema.as_str() {
            SCHEMA => Ok(published),
            other => Err(lang.pick(
                format!("schema 为“{}”，应为 {SCHEMA}", clean(other)),
                format!("schema is {}, not {SCHEMA}", clean(other)),
            )),
        }
    }

    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings and numbers in lists always have a JSON form.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    /// What working it out again shows of the officers, and what nobody else can tell.
    #[must_use]
    pub fn of_officers(&self, lang: Lang) -> &'static str {
        match self.teams {
            Some(_) => lang.pick(
                "可以复核：每个对象由名单中哪些编号的执法人员检查，回避的没有编入。不能复核：编号对应\
                 何人（姓名、证件号不出本市），名单和回避是否齐全，由派出市核对；实际到场人员以方案的\
                 到场记录为准",
                "worked out again: which officers of the lists, by their ids, go to each site, and \
                 that none goes where he is recused. Not by others: whose id it is (names and \
                 certificates stay in the city), and whether lists and recusals are complete, \
                 which the city that sends them can tell; who came is in the arrivals of the plan",
            ),
            None => lang.pick(
                "文件没有执法人员名单（较早版本导出），只复核检查对象",
                "the file has no officers (an earlier version wrote it): only sites are worked out",
            ),
        }
    }

    /// What has to be said of its plan beside what comes out; none mostly.
    #[must_use]
    pub fn of_plan(&self, lang: Lang) -> Option<&'static str> {
        let said = lang.pick(
            "有市公开随机数后，这个方案被取消，抽取结果没有执行，或者没有执行完；\
             就同一行动另行发起的方案会重新抽取",
            "the plan was cancelled after cities had shown their parts: what is drawn was not \
             carried out, or not in full, and the same action proposed anew is drawn again",
        );
        self.cancelled_late.then_some(said)
    }

    /// Codes of the cities that have shown their parts.
    #[must_use]
    pub fn cities(&self) -> Vec<String> {
        self.reveals.keys().cloned().collect()
    }

    /// Works the draw out again.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be, or what was shown is not what was committed to.
    pub fn worked_out(&self, lang: Lang) -> Result<WorkedOut, Fault> {
        self.check_groups(lang)?;
        let seed = self.seed(lang)?;
        let outcomes = self.groups.iter().map(|group| group.drawn_again(&seed, lang));
        let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
        let teams = self.teams(&seed, lang)?;
        Ok(WorkedOut { seed, outcomes, teams })
    }

    /// Works out again who goes where; none where the file does not say.
    fn teams(&self, seed: &Seed, lang: Lang) -> Result<Option<TeamsOutcome>, Fault> {
        let Some(teams) = &self.teams else { return Ok(None) };
        let drawn = self.groups.iter().flat_map(|group| &group.drawn);
        let drawn: Vec<&str> = drawn.map(String::as_str).collect();
        let wrong = teams.difference(seed, &drawn, lang)?;
        Ok(Some(TeamsOutcome { visits: teams.len(), wrong }))
    }

    /// Somebody is drawn from every pool, and nobody stands in two, where one ticket would count
    /// twice.
    fn check_groups(&self, lang: Lang) -> Result<(), Fault> {
        if self.groups.is_empty() || self.groups.iter().any(|group| group.drawn.is_empty()) {
            return Err(field("groups", lang.pick("没有抽取结果", "nobody was drawn")));
        }
        let mut seen = BTreeSet::new();
        let mut members = self.groups.iter().flat_map(|group| &group.pool).map(Written::id);
        match members.find(|id| !seen.insert(*id)) {
            Some(id) => Err(refused(&DrawError::Twice(id.to_owned()), lang)),
            None => Ok(()),
        }
    }

    fn seed(&self, lang: Lang) -> Result<Seed, Fault> {
        let is_joint = !(self.commitments.is_empty() && self.reveals.is_empty());
        if let Some(seed) = &self.seed {
            return match is_joint {
                false => Ok(Seed::published(seed)),
                true => Err(field(
                    "seed",
                    lang.pick(
                        "与 commitments、reveals 不能并存",
                        "stands beside commitments and reveals",
                    ),
                )),
            };
        }
        let wrong_id = lang.pick("应为 32 位十六进制数", "not 32 hexadecimal digits");
        let plan = self.plan().ok_or_else(|| field("plan_id", wrong_id))?;
        let missing = lang.pick("缺少", "missing");
        let revision = self.revision.ok_or_else(|| field("revision", missing))?;
        let commitments = of_cities(&self.commitments, "commitments", committed, lang)?;
        let reveals = of_cities(&self.reveals, "reveals", random, lang)?;
        Seed::joint(plan, revision, &commitments, &reveals).map_err(|error| refused(&error, lang))
    }

    fn plan(&self) -> Option<SubjectId> {
        self.plan_id.as_deref().and_then(|id| SubjectId::parse(id).ok())
    }

    /// Whether what a city has shown is what it had committed to; none where it has not shown it.
    #[must_use]
    pub fn is_kept(&self, city: &str) -> Option<bool> {
        let shown = self.reveals.get(city)?;
        let worked_out = || {
            let (plan, revision) = (self.plan()?, self.revision?);
            Some(commitment(plan, revision, CityCode::parse(city).ok()?, &random(shown)?))
        };
        let published = self.commitments.get(city).and_then(|text| committed(text));
        Some(published.is_some() && published == worked_out())
    }
}

fn committed(text: &str) -> Option<Hash> {
    Hash::parse(text).ok()
}

fn random(text: &str) -> Option<Randomness> {
    unhex(text).and_then(|bytes| Randomness::try_from(bytes).ok())
}

impl Group {
    fn drawn_again(&self, seed: &Seed, lang: Lang) -> Result<Outcome, Fault> {
        let of_group =
            |error: DrawError| Fault { group: Some(clean(&self.name)), ..refused(&error, lang) };
        let members = self.pool.iter().map(Written::member).collect();
        let pool = Pool::new(members).map_err(of_group)?;
        let expected = pool.draw(seed, self.drawn.len()).map_err(of_group)?;
        let expected = expected.into_iter().map(str::to_owned).collect();
        let (name, drawn) = (self.name.clone(), self.drawn.clone());
        Ok(Outcome { name, pool: pool.len(), drawn, expected })
    }
}

/// What each city has published.
fn of_cities<T>(
    written: &BTreeMap<String, String>,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
    lang: Lang,
) -> Result<BTreeMap<CityCode, T>, Fault> {
    let one = |(city, text): (&String, &String)| Some((CityCode::parse(city).ok()?, parse(text)?));
    let wrong =
        lang.pick("应为市级代码和 64 位十六进制数", "not a city code and 64 hexadecimal digits");
    written
        .iter()
        .map(|pair| one(pair).ok_or_else(|| field(&format!("{name}.{}", clean(pair.0)), wrong)))
        .collect()
}

fn field(name: &str, why: &str) -> Fault {
    Fault { reason: None, what: format!("{name}: {why}"), group: None }
}

/// What is wrong with a draw.
fn refused(error: &DrawError, lang: Lang) -> Fault {
    let cities =
        |cities: &[CityCode]| cities.iter().map(CityCode::to_string).collect::<Vec<_>>().join("、");
    let (reason, zh) = match error {
        DrawError::NoReveals => ("NO_REVEALS", "没有任何城市公布随机数".to_owned()),
        DrawError::Withheld(who) => {
            ("REVEAL_WITHHELD", format!("{} 已作承诺，未公布随机数", cities(who)))
        }
        DrawError::NotCommitted(who) => {
            ("NOT_COMMITTED", format!("{} 公布的随机数与其承诺不符", cities(who)))
        }
        DrawError::PoolTooLarge { got } => {
            ("POOL_TOO_LARGE", format!("名单有 {got} 个，最多 {DRAW_POOL_MAX} 个"))
        }
        DrawError::BadId(id) => ("BAD_ID", format!("名单中的“{}”不能参加抽取", clean(id))),
        DrawError::Twice(id) => ("TWICE", format!("名单中 {} 出现两次", clean(id))),
        DrawError::Weight { id, got } => {
            let id = clean(id);
            ("WEIGHT", format!("{id} 的权重为 {got}，应为 1 至 {DRAW_WEIGHT_MAX}"))
        }
        DrawError::TooFew { asked, there } => {
            ("TOO_FEW", format!("名单只有 {there} 个，抽取了 {asked} 个"))
        }
    };
    let what = lang.pick(zh, clean(&error.to_string()));
    Fault { reason: Some(reason), what, group: None }
}
