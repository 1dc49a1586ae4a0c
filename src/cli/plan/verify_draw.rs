//! `liandong plan verify-draw`: works a draw out again, without a node and without trusting one.
//!
//! In scope: the file of a published draw (`docs/draw.md`), comparing, telling what differs. Out of
//! scope: the rule ([`crate::domain::draw`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::cli::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::table;
use crate::domain::draw::{DrawError, Member, Pool, Randomness, Seed};
use crate::ids::{CityCode, Hash, SubjectId, unhex};
use crate::lang::Lang;
use crate::limits::{DRAW_FILE_BYTES_MAX, DRAW_POOL_MAX, DRAW_WEIGHT_MAX};

/// The form of a file; another one has another name.
pub(super) const SCHEMA: &str = "liandong-draw/1";

/// Arguments.
#[derive(Args, Debug)]
pub struct VerifyDrawArgs {
    /// 公布的抽取（JSON） · the published draw
    file: PathBuf,
}

/// A published draw.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Published {
    schema: String,
    /// Of the plan, 32 hexadecimal digits; with commitments.
    plan_id: Option<String>,
    /// Of the plan; with commitments.
    revision: Option<u32>,
    /// By city code: what each had published before.
    #[serde(default)]
    commitments: BTreeMap<String, String>,
    /// By city code: the 32 bytes each has shown.
    #[serde(default)]
    reveals: BTreeMap<String, String>,
    /// In their place: one seed, of a draw that one city made.
    seed: Option<String>,
    groups: Vec<Group>,
}

/// One pool, and who was drawn from it.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    pool: Vec<Written>,
    drawn: Vec<String>,
}

/// A member of a pool: an identifier, with a weight if it is not 1.
#[derive(Deserialize, Debug)]
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
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Weighted {
    id: String,
    weight: u32,
}

/// How one pool came out.
struct Outcome {
    name: String,
    pool: usize,
    drawn: Vec<String>,
    expected: Vec<String>,
}

impl Outcome {
    fn is_right(&self) -> bool {
        self.drawn == self.expected
    }

    /// The first place at which another one should stand, from 1.
    fn first_wrong(&self) -> Option<usize> {
        self.drawn
            .iter()
            .zip(&self.expected)
            .position(|(drawn, right)| drawn != right)
            .map(|n| n + 1)
    }
}

/// Works the draw out again and compares.
///
/// # Errors
/// [`Failure`] when the file cannot be read, what was shown is not what was committed to, or
/// somebody else should have been drawn.
pub(super) fn run(context: &Context, args: &VerifyDrawArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let published = read(args, lang)?;
    check_groups(&published.groups, lang)?;
    let seed = seed(&published, lang)?;
    let cities: Vec<String> = published.reveals.keys().cloned().collect();
    let mut outcomes = Vec::new();
    for group in published.groups {
        outcomes.push(drawn_again(group, &seed, lang)?);
    }
    if context.json {
        let group = |one: &Outcome| {
            json!({
                "name": one.name,
                "pool_size": one.pool,
                "drawn": one.drawn,
                "expected": one.expected,
                "right": one.is_right(),
            })
        };
        let groups: Vec<_> = outcomes.iter().map(group).collect();
        context.print_json(&json!({ "seed": seed.as_str(), "cities": cities, "groups": groups }));
    } else {
        println!("{}", text(&seed, &cities, &outcomes, lang));
    }
    match outcomes.iter().find(|one| !one.is_right()) {
        None => Ok(()),
        Some(wrong) => Err(differs(wrong, lang)),
    }
}

fn read(args: &VerifyDrawArgs, lang: Lang) -> Result<Published, Failure> {
    let shown = args.file.display();
    let mut bytes = Vec::new();
    File::open(&args.file)
        .and_then(|file| file.take(DRAW_FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            Failure::local(lang.pick(
                format!("{shown}：无法读取（{error}）"),
                format!("{shown}: cannot be read ({error})"),
            ))
        })?;
    if bytes.len() as u64 > DRAW_FILE_BYTES_MAX {
        return Err(Failure::local(lang.pick(
            format!("{shown}：超过 {DRAW_FILE_BYTES_MAX} 字节，不是公布的抽取"),
            format!("{shown}: more than {DRAW_FILE_BYTES_MAX} bytes, no published draw"),
        )));
    }
    let unfit = |why: String| {
        let what = format!("{shown}：{why}");
        Failure::local(what)
            .advise(lang.pick("格式见 docs/draw.md", "docs/draw.md has the form of the file"))
    };
    let published: Published = serde_json::from_slice(&bytes).map_err(|e| unfit(e.to_string()))?;
    match published.schema.as_str() {
        SCHEMA => Ok(published),
        other => Err(unfit(lang.pick(
            format!("schema 为“{}”，应为 {SCHEMA}", table::clean(other)),
            format!("schema is {}, not {SCHEMA}", table::clean(other)),
        ))),
    }
}

fn seed(published: &Published, lang: Lang) -> Result<Seed, Failure> {
    let is_joint = !(published.commitments.is_empty() && published.reveals.is_empty());
    if let Some(seed) = &published.seed {
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
    let plan = published.plan_id.as_deref().and_then(|id| SubjectId::parse(id).ok());
    let plan = plan.ok_or_else(|| field("plan_id", wrong_id))?;
    let missing = lang.pick("缺少", "missing");
    let revision = published.revision.ok_or_else(|| field("revision", missing))?;
    let hash = |text: &str| Hash::parse(text).ok();
    let random = |text: &str| unhex(text).and_then(|bytes| Randomness::try_from(bytes).ok());
    let commitments = of_cities(&published.commitments, "commitments", hash, lang)?;
    let reveals = of_cities(&published.reveals, "reveals", random, lang)?;
    Seed::joint(plan, revision, &commitments, &reveals).map_err(|error| refused(&error, lang))
}

/// What each city has published.
fn of_cities<T>(
    written: &BTreeMap<String, String>,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
    lang: Lang,
) -> Result<BTreeMap<CityCode, T>, Failure> {
    let one = |(city, text): (&String, &String)| Some((CityCode::parse(city).ok()?, parse(text)?));
    let wrong =
        lang.pick("应为市级代码和 64 位十六进制数", "not a city code and 64 hexadecimal digits");
    written
        .iter()
        .map(|pair| {
            one(pair).ok_or_else(|| field(&format!("{name}.{}", table::clean(pair.0)), wrong))
        })
        .collect()
}

/// Somebody is drawn from every pool, and nobody stands in two, where one ticket would count twice.
fn check_groups(groups: &[Group], lang: Lang) -> Result<(), Failure> {
    if groups.is_empty() || groups.iter().any(|group| group.drawn.is_empty()) {
        return Err(field("groups", lang.pick("没有抽取结果", "nobody was drawn")));
    }
    let mut seen = BTreeSet::new();
    let mut members = groups.iter().flat_map(|group| &group.pool).map(Written::id);
    match members.find(|id| !seen.insert(*id)) {
        Some(id) => Err(refused(&DrawError::Twice(id.to_owned()), lang)),
        None => Ok(()),
    }
}

fn drawn_again(group: Group, seed: &Seed, lang: Lang) -> Result<Outcome, Failure> {
    let members = group.pool.into_iter().map(|written| match written {
        Written::Plain(id) => Member { id, weight: 1 },
        Written::Weighted(Weighted { id, weight }) => Member { id, weight },
    });
    let of_group = |error: DrawError| {
        let mut failure = refused(&error, lang);
        failure.details.push(table::clean(&group.name));
        failure
    };
    let pool = Pool::new(members.collect()).map_err(of_group)?;
    let expected = pool.draw(seed, group.drawn.len()).map_err(of_group)?;
    let expected = expected.into_iter().map(str::to_owned).collect();
    Ok(Outcome { name: group.name, pool: pool.len(), drawn: group.drawn, expected })
}

fn text(seed: &Seed, cities: &[String], outcomes: &[Outcome], lang: Lang) -> String {
    let by = match cities {
        [] => lang.pick(
            "随机数：由公布方一方给定，不是各市共同形成".to_owned(),
            "randomness: given by whoever published it, not by the cities together".to_owned(),
        ),
        all => lang.pick(
            format!("随机数：{} 共同形成", all.join("、")),
            format!("randomness: of {} together", all.join(", ")),
        ),
    };
    let seed = table::clean(seed.as_str());
    let mut lines = vec![by, lang.pick(format!("种子：{seed}"), format!("seed: {seed}"))];
    for one in outcomes {
        let (name, pool, drawn) = (table::clean(&one.name), one.pool, one.drawn.len());
        let said = match one.is_right() {
            true => lang.pick("一致", "as published"),
            false => lang.pick("不一致", "NOT as published"),
        };
        lines.push(lang.pick(
            format!("{name}：{pool} 个中抽取 {drawn} 个，复核{said}"),
            format!("{name}: {drawn} of {pool}, {said}"),
        ));
    }
    lines.join("\n")
}

fn differs(wrong: &Outcome, lang: Lang) -> Failure {
    let place = wrong.first_wrong().unwrap_or_default();
    let right = |list: &[String]| {
        list.get(place.saturating_sub(1)).map(|id| table::clean(id)).unwrap_or_default()
    };
    let (name, got, want) =
        (table::clean(&wrong.name), right(&wrong.drawn), right(&wrong.expected));
    Failure::new(
        Exit::Refused,
        "DRAW_DIFFERS",
        lang.pick(
            format!("{name}：第 {place} 个公布为 {got}，按公布的种子应为 {want}"),
            format!("{name}: number {place} is {got}, and by the seed should be {want}"),
        ),
    )
    .advise(lang.pick(
        "核对名单和权重是否与承诺之前一致；仍不一致的，请发起市说明",
        "compare the pool and weights with those before the commitments; then ask the initiator",
    ))
}

fn field(name: &str, why: &str) -> Failure {
    Failure::local(format!("{name}: {why}"))
}

/// What is wrong with a draw, and what to do.
fn refused(error: &DrawError, lang: Lang) -> Failure {
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
        DrawError::BadId(id) => ("BAD_ID", format!("名单中的“{}”不能参加抽取", table::clean(id))),
        DrawError::Twice(id) => ("TWICE", format!("名单中 {} 出现两次", table::clean(id))),
        DrawError::Weight { id, got } => {
            let id = table::clean(id);
            ("WEIGHT", format!("{id} 的权重为 {got}，应为 1 至 {DRAW_WEIGHT_MAX}"))
        }
        DrawError::TooFew { asked, there } => {
            ("TOO_FEW", format!("名单只有 {there} 个，抽取了 {asked} 个"))
        }
    };
    Failure::new(Exit::Refused, reason, lang.pick(zh, table::clean(&error.to_string())))
}
