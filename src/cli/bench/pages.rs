//! The console of a city with many cases, while its node takes writes: how long a page takes at the
//! server, how large it is, and how soon an open page is told of something new.
//!
//! In scope: the server's time. Out of scope: drawing, which the browser does (`tests/console`).

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tonic::Status;
use tonic::body::Body;

use super::Bench;
use super::lists;
use super::load::{self, Operation, Until, ratio, refused};
use super::report::{Bound, Figure, Report};
use super::stage::AddNote;
use crate::cli::connect::Client;
use crate::cli::failure::Failure;

/// What is asked of a page.
const SOON: (&str, Bound) = ("p99 < 30 ms", Bound::PercentilesAtMost(30.0, 30.0));
/// What is asked of its size.
const SMALL: (&str, Bound) = ("≤ 150 KiB", Bound::AtMost(150.0));
/// What is asked of an event: with the page that is fetched then, within 200 ms.
const AT_ONCE: (&str, Bound) = ("p99 < 200 ms", Bound::PercentilesAtMost(200.0, 200.0));
/// Pages: id, path, Chinese, English.
const PAGES: [(&str, &str, &str, &str); 4] = [
    ("inbox", "/", "待办", "the inbox"),
    ("cases", "/cases", "案件列表", "the list of cases"),
    ("turn", "/cases?turn=371500", "待本市办理的案件", "cases to be handled here"),
    ("plans", "/plans", "联合行动", "joint actions"),
];
/// Events waited for: every other one at once behind the one before, when a page waits longest.
const EVENTS: u64 = 40;

/// Measures pages and events.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let (stage, clients) = lists::fill(bench, "pages", report).await?;
    let client = clients.first().ok_or_else(|| Failure::local("no connection"))?;
    bench.say("首次读取（建立索引）", "the first reading (makes the indexes)");
    for (id, path, zh, en) in PAGES {
        // Longer than a call may take: the first one is cut short and made again.
        let mut tries = 60;
        let bytes = loop {
            match page(client, path).await {
                Ok(bytes) => break bytes,
                Err(status) if tries == 0 => return Err(refused("page", &status)),
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
            tries -= 1;
        };
        let (zh, en) = (format!("网页大小：{zh}"), format!("size of a page: {en}"));
        let kib = ratio(bytes, 1024);
        let figure = Figure::new(&format!("console.{id}.size"), &zh, &en, kib, "KiB");
        report.add(figure.within(SMALL.0, SMALL.1));
    }
    let mut adders = stage.note_adders(&clients, "pages-notes").await?;
    let mut noting = adders.pop().ok_or_else(|| Failure::local("no connection"))?;
    let told = events(client, &mut noting).await?;
    let (zh, en) = ("登记到网页得知并取回", "from a write to the page that shows it");
    report.add(told.figure("console.event", zh, en).within(AT_ONCE.0, AT_ONCE.1));
    let mut writing = lists::writing(&stage, &clients, "pages").await?;
    for (id, path, zh, en) in PAGES {
        bench.say(&format!("网页：{zh}"), &format!("page: {en}"));
        let asking = Ask { client: client.clone(), path };
        let outcome = load::run(vec![asking], Until::Elapsed(bench.load_for / 2)).await?;
        let (zh, en) = (format!("网页：{zh}"), format!("page: {en}"));
        let figure = outcome.figure(&format!("console.{id}"), &zh, &en);
        report.add(figure.within(SOON.0, SOON.1));
        writing.check().await?;
    }
    Ok(())
}

/// Asks for one page again and again.
struct Ask {
    client: Client,
    path: &'static str,
}

impl Operation for Ask {
    async fn call(&mut self, _: u64) -> Result<(), Status> {
        page(&self.client, self.path).await.map(drop)
    }
}

/// Reads a page to its end; how many bytes it has.
async fn page(client: &Client, path: &str) -> Result<u64, Status> {
    let answer = client.page(path).await?;
    if !answer.status().is_success() {
        return Err(Status::unavailable(format!("{path}: {}", answer.status())));
    }
    let body = answer.into_body().collect().await?;
    Ok(u64::try_from(body.to_bytes().len()).unwrap_or(u64::MAX))
}

/// Writes, one after the other, and how long each takes until the page with it is here.
async fn events(client: &Client, noting: &mut AddNote) -> Result<load::Outcome, Failure> {
    let wrong = |status: Status| refused("page", &status);
    let mut events = client.page("/events").await.map_err(wrong)?.into_body();
    next(&mut events).await.map_err(wrong)?;
    let mut outcome = load::Outcome::default();
    for nth in 0..EVENTS {
        // As somebody who looks at a quiet page.
        if nth % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let begun = Instant::now();
        noting.add(nth).await.map_err(wrong)?;
        next(&mut events).await.map_err(wrong)?;
        page(client, "/").await.map_err(wrong)?;
        let took = begun.elapsed();
        outcome.calls += 1;
        outcome.elapsed += took;
        outcome.micros.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
    outcome.micros.sort_unstable();
    Ok(outcome)
}

/// The next event; signs of life are passed over.
async fn next(events: &mut Body) -> Result<(), Status> {
    while let Some(frame) = events.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        if data.windows(8).any(|piece| piece == b"applied\n") {
            return Ok(());
        }
    }
    Err(Status::unavailable("the events have ended"))
}
