//! `liandong plan verify-draw`: works a draw out again, without a node and without trusting one.
//!
//! In scope: reading the file, telling what differs. Out of scope: its form and comparing
//! ([`crate::shown::draw`]), the rule ([`crate::domain::draw`]).

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::table;
use crate::lang::Lang;
use crate::limits::DRAW_FILE_BYTES_MAX;
use crate::shown::draw::{Fault, Outcome, Published, WorkedOut};

/// Arguments.
#[derive(Args, Debug)]
pub struct VerifyDrawArgs {
    /// 公布的抽取（JSON） · the published draw
    file: PathBuf,
}

/// Works the draw out again and compares.
///
/// # Errors
/// [`Failure`] when the file cannot be read, what was shown is not what was committed to, or
/// somebody else should have been drawn.
pub(super) fn run(context: &Context, args: &VerifyDrawArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let published = read(args, lang)?;
    let found = published.worked_out(lang).map_err(failure)?;
    let cities = published.cities();
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
        let groups: Vec<_> = found.outcomes.iter().map(group).collect();
        let seed = found.seed.as_str();
        let teams = found.teams.as_ref();
        let teams = teams.map(|one| json!({ "visits": one.visits, "right": one.wrong.is_none() }));
        let cancelled_late = published.of_plan(lang).is_some();
        let all = json!({ "seed": seed, "cities": cities, "groups": groups, "teams": teams,
                          "cancelled_late": cancelled_late });
        context.print_json(&all);
    } else {
        println!("{}", text(&found, &cities, lang));
        published.of_plan(lang).inspect(|said| println!("{said}"));
        println!("{}", published.of_officers(lang));
    }
    let teams = found.teams.and_then(|one| one.wrong);
    match found.outcomes.iter().find_map(|one| one.difference(lang)).or(teams) {
        None => Ok(()),
        Some(what) => Err(differs(what, lang)),
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
    Published::read(&bytes, lang).map_err(|why| {
        Failure::local(format!("{shown}：{why}"))
            .advise(lang.pick("格式见 docs/draw.md", "docs/draw.md has the form of the file"))
    })
}

fn text(found: &WorkedOut, cities: &[String], lang: Lang) -> String {
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
    let seed = table::clean(found.seed.as_str());
    let mut lines = vec![by, lang.pick(format!("种子：{seed}"), format!("seed: {seed}"))];
    lines.extend(found.outcomes.iter().map(|one| one.text(lang)));
    lines.extend(found.teams.as_ref().map(|one| one.text(lang)));
    lines.join("\n")
}

fn failure(fault: Fault) -> Failure {
    let mut failure = match fault.reason {
        Some(reason) => Failure::new(Exit::Refused, reason, fault.what),
        None => Failure::local(fault.what),
    };
    failure.details.extend(fault.group);
    failure
}

fn differs(what: String, lang: Lang) -> Failure {
    Failure::new(Exit::Refused, "DRAW_DIFFERS", what).advise(lang.pick(
        "核对名单和权重是否与承诺之前一致；仍不一致的，请发起市说明",
        "compare the pool and weights with those before the commitments; then ask the initiator",
    ))
}
