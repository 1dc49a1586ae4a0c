//! A city with many plans of joint action and many units, while its node takes writes.
//!
//! Five cities register their units; two of them open the plans, each with its own officers, and
//! then only one node is left, which is asked. All of it comes in through the API.
//!
//! In scope: how long an answer takes. Out of scope: what is asked ([`super::plan_asks`]), whether
//! it is right (`tests/it/plans_listed.rs`, `tests/it/units.rs`).

use std::time::{Duration, Instant};

use super::Bench;
use super::load::{self, Until, ratio, refused};
use super::plan_asks::{Ask, LISTS, OTHERS};
use super::plan_fill::{FillPlans, FillUnits, Names, Of};
use super::report::{Bound, Figure, Report};
use super::stage::{FIVE, HERE, Stage, THERE};
use super::steady::{NotesAnd, Writing};
use crate::cli::failure::Failure;
use crate::domain::Date;

/// Clients that fill it, at each of two cities.
const CLIENTS: usize = 32;
/// What is asked of lists, and of free and busy.
const SOON: (&str, Bound) = ("p99 < 20 ms", Bound::PercentilesAtMost(20.0, 20.0));
/// What is asked of a search for windows.
const SEARCH: (&str, Bound) = ("p99 < 100 ms", Bound::PercentilesAtMost(100.0, 100.0));

/// Measures how fast it is filled, and every question.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "plans", &FIVE)?;
    for city in FIVE {
        stage.start(city).await?;
    }
    let today = today()?;
    let of = |city| Of { parent: stage.agreement.clone(), city, today, officers: Names::default() };
    let cities = FIVE.map(of);
    bench.say(
        &format!("五市各登记 {} 个执法单元", bench.units),
        &format!("registering {} units in each of five cities", bench.units),
    );
    for of in &cities {
        fill_units(&stage, bench, of).await?;
    }
    FIVE.into_iter().filter(|city| ![HERE, THERE].contains(city)).for_each(|city| stage.stop(city));
    let names = Names::default();
    fill_plans(&stage, bench, (&cities, &names), report).await?;
    stage.stop(THERE);
    let clients = stage.clients(HERE, CLIENTS).await?;
    let client = clients.first().ok_or_else(|| Failure::local("no connection"))?;
    bench.say("首次读取（建立索引）", "the first reading (makes the indexes)");
    let ask = |id| Ask::new(client, (&stage.agreement, today), &names, id);
    for (id, zh, en) in LISTS.into_iter().chain(OTHERS) {
        first(ask(id), (id, zh, en), report).await?;
    }
    let notes = stage.note_adders(&clients, "plans-notes").await?;
    let here = cities.iter().find(|of| of.city == HERE).cloned();
    let here = here.ok_or_else(|| Failure::local("no city"))?;
    let more = FillPlans::of(&clients, &here, ("more", bench.plans), &Names::default());
    let both = notes.into_iter().zip(more).map(|(notes, opens)| NotesAnd { notes, opens });
    let mut writing = Writing::begin(both.collect());
    for (id, zh, en) in LISTS.into_iter().chain(OTHERS) {
        bench.say(&format!("联合执法：{zh}"), &format!("joint actions: {en}"));
        let outcome = load::run(vec![ask(id)], Until::Elapsed(bench.load_for / 2)).await?;
        let (zh, en) = (format!("联合执法：{zh}"), format!("joint actions: {en}"));
        let (text, bound) = if id.ends_with("slots") { SEARCH } else { SOON };
        let figure = outcome.figure(&format!("plans.{id}"), &zh, &en);
        report.add(figure.within(text, bound));
        writing.check().await?;
    }
    Ok(())
}

/// So many calls of each client come to this many in all.
fn calls(all: u64) -> Until {
    Until::Calls(all.div_ceil(u64::try_from(CLIENTS).unwrap_or(1)))
}

async fn fill_units(stage: &Stage, bench: &Bench, of: &Of) -> Result<(), Failure> {
    let clients = stage.clients(of.city, CLIENTS).await?;
    load::run(FillUnits::of(&clients, of, bench.units), calls(bench.units)).await?;
    has_come(stage, of.city).await
}

/// Half of them by each of two cities, at the same time.
async fn fill_plans(
    stage: &Stage,
    bench: &Bench,
    (cities, names): (&[Of], &Names),
    report: &mut Report,
) -> Result<(), Failure> {
    bench.say(&format!("发起 {} 个方案", bench.plans), &format!("opening {} plans", bench.plans));
    let mut fill = Vec::new();
    for of in cities.iter().filter(|of| [HERE, THERE].contains(&of.city)) {
        let clients = stage.clients(of.city, CLIENTS).await?;
        fill.extend(FillPlans::of(&clients, of, ("fill", 0), names));
    }
    let filled = load::run(fill, calls(bench.plans / 2)).await?;
    let (zh, en) = ("发起方案，两市各 32 个客户端", "open plans, 32 clients at each of two cities");
    report.add(filled.figure("plans.fill", zh, en));
    has_come(stage, THERE).await
}

/// Waits until what a city has written is readable here.
async fn has_come(stage: &Stage, city: u32) -> Result<(), Failure> {
    let (there, here) = (stage.clients(city, 1).await?, stage.clients(HERE, 1).await?);
    for (there, here) in there.iter().zip(&here) {
        let size = stage.far_of(there, city).await?.stored;
        let has = async || Ok(stage.far_of(here, city).await?.applied >= size);
        stage.until("readable here", has).await?;
    }
    Ok(())
}

/// Asks once: indexes in memory are made by the first who asks. How many a list has, and how long
/// the first answer took.
async fn first(
    mut ask: Ask,
    (id, zh, en): (&'static str, &str, &str),
    report: &mut Report,
) -> Result<(), Failure> {
    // Longer than a call may take: the first one is cut short and made again.
    let (begun, mut tries) = (Instant::now(), 60);
    let (total, whole) = loop {
        match ask.ask().await {
            Ok(answer) => break answer,
            Err(status) if tries == 0 => return Err(refused("question", &status)),
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
        tries -= 1;
    };
    let seconds = begun.elapsed().as_secs_f64();
    let (first_zh, first_en) = (format!("首次：{zh}"), format!("the first: {en}"));
    report.add(Figure::new(&format!("plans.{id}.first"), &first_zh, &first_en, seconds, "s"));
    if LISTS.iter().any(|(list, ..)| *list == id) {
        let partly = if whole { ("", "") } else { ("（未数完）", " (not all counted)") };
        let (zh, en) = (format!("{zh}，合计{}", partly.0), format!("{en}, in all{}", partly.1));
        let total = ratio(u64::from(total), 1);
        report.add(Figure::new(&format!("plans.{id}.total"), &zh, &en, total, "plans"));
    }
    Ok(())
}

fn today() -> Result<Date, Failure> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(0));
    Date::beijing(millis).ok_or_else(|| Failure::local("the clock of this machine is wrong"))
}
