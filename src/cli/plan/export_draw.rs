//! `liandong plan export-draw`: the draw of a plan as a file that anybody can work out again.
//!
//! In scope: what a node shows of a draw, in the form of `docs/draw.md`. Out of scope: working it
//! out ([`super::verify_draw`]). Teams are drawn by tickets of their own and are not in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::read;
use super::verify_draw::SCHEMA;
use crate::cli::case::Session;
use crate::cli::case::export::target::Target;
use crate::cli::failure::{Exit, Failure};
use crate::ids::hex;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// What the one group of a file is called.
const GROUP: &str = "检查对象";

/// Arguments.
#[derive(Args, Debug)]
pub struct ExportDrawArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 写入此文件（默认写到标准输出） · file to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// 文件已存在时覆盖 · replace a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// Writes it.
///
/// # Errors
/// [`Failure`] when nothing is drawn yet, or the file cannot be written.
pub async fn run(session: &Session, args: ExportDrawArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let published = published(&plan).ok_or_else(|| not_drawn(lang))?;
    let text = format!("{published:#}\n");
    let Some(path) = &args.out else {
        print!("{text}");
        return Ok(());
    };
    let mut target = Target::file(path, args.force, lang)?;
    target.put(&text)?;
    target.finish()?;
    let shown = path.display().to_string();
    match session.context.json {
        true => session.context.print_json(&json!({ "file": shown })),
        false => println!("{}", lang.pick(format!("已写入 {shown}"), format!("written: {shown}"))),
    }
    Ok(())
}

/// The draw of a plan; `None` before all have shown their parts, and where not all of it was shown.
fn published(plan: &pb::Plan) -> Option<Value> {
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
        (id, 1) => json!(id),
        (id, weight) => json!({ "id": id, "weight": weight }),
    };
    let pool: Vec<Value> = plan.pool.iter().filter(may).map(member).collect();
    let drawn: Vec<&str> = plan
        .visits
        .iter()
        .filter(|visit| !visit.by_default)
        .filter_map(|visit| visit.site.rsplit('/').next())
        .collect();
    let by_city = |all: BTreeMap<u32, &str>| -> Map<String, Value> {
        all.into_iter().map(|(city, text)| (format!("{city:06}"), json!(text))).collect()
    };
    let commitments = draw.commitments.iter().map(|one| (one.city, one.commitment.as_str()));
    let reveals = draw.reveals.iter().map(|one| (one.city, one.random.as_str()));
    let is_whole = !draw.seed.is_empty() && !plan.visits_are_partial && !drawn.is_empty();
    is_whole.then(|| {
        json!({
            "schema": SCHEMA,
            "plan_id": plan.name.rsplit('/').next(),
            "revision": plan.revision,
            "commitments": by_city(commitments.collect()),
            "reveals": by_city(reveals.collect()),
            "groups": [{ "name": GROUP, "pool": pool, "drawn": drawn }],
        })
    })
}

fn not_drawn(lang: Lang) -> Failure {
    let failure = Failure::new(
        Exit::Refused,
        "NOT_DRAWN",
        lang.pick(
            "这个方案没有可导出的抽取结果".to_owned(),
            "nothing is drawn in this plan that could be exported".to_owned(),
        ),
    );
    failure.advise(lang.pick(
        "双随机方案排定并由各市公开随机数后再导出",
        "export it once the plan is settled and all cities have shown their parts",
    ))
}
