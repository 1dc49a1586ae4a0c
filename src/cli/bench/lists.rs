//! Lists of a city with many cases, while its node takes writes: what is due, and cases by filter.
//!
//! The cases come in through the API as all others do, and how fast that goes is measured as well.
//! Every list is asked for its first page, with the total: that is the dearest one.
//!
//! In scope: how long a page takes. Out of scope: whether it is right (`tests/it/api_lists.rs`,
//! `tests/it/deadlines.rs`).

use std::time::Duration;

use tonic::Status;

use super::Bench;
use super::fill::Fill;
use super::load::{self, Operation, Until, ratio, refused};
use super::report::{Bound, Figure, Report};
use super::stage::{HERE, Stage, THERE};
use super::steady::{NotesAnd, Writing};
use crate::cli::connect::{Client, Wire};
use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::case_service_client::CaseServiceClient;

/// Clients that fill it.
const CLIENTS: usize = 64;
/// What is asked.
const TEXT: &str = "p99 < 20 ms";

/// Measures how fast it is filled, and every list.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let (stage, clients) = fill(bench, "lists", report).await?;
    let client = clients.first().ok_or_else(|| Failure::local("no connection"))?;
    bench.say("首次读取（建立索引）", "the first reading (makes the indexes)");
    warm_up(&stage, client, report).await?;
    let mut writing = writing(&stage, &clients, "lists").await?;
    for (id, zh, en) in LISTS {
        bench.say(&format!("列表：{zh}"), &format!("list: {en}"));
        let asking = Ask { cases: client.cases(), parent: stage.agreement.clone(), id };
        let outcome = load::run(vec![asking], Until::Elapsed(bench.load_for / 2)).await?;
        let (zh, en) = (format!("列表：{zh}"), format!("list: {en}"));
        let figure = outcome.figure(&format!("lists.{id}"), &zh, &en);
        report.add(figure.within(TEXT, Bound::PercentilesAtMost(20.0, 20.0)));
        writing.check().await?;
    }
    Ok(())
}

/// A city with as many cases as are asked for, and connections to it.
///
/// # Errors
/// [`Failure`] when a node cannot be started, or refuses one.
pub(super) async fn fill(
    bench: &Bench,
    name: &str,
    report: &mut Report,
) -> Result<(Stage, Vec<Client>), Failure> {
    let mut stage = Stage::lay_out(bench, name, &[HERE, THERE])?;
    stage.start(HERE).await?;
    bench.say(&format!("登记 {} 件案件", bench.cases), &format!("opening {} cases", bench.cases));
    let clients = stage.clients(HERE, CLIENTS).await?;
    let fill = Fill::of(&stage, &clients, "fill", (0, 0))?;
    let calls = bench.cases.div_ceil(u64::try_from(CLIENTS).unwrap_or(1));
    let filled = load::run(fill, Until::Calls(calls)).await?;
    let (zh, en) = ("登记案件，64 个客户端", "open cases, 64 clients");
    report.add(filled.figure(&format!("{name}.fill"), zh, en));
    Ok((stage, clients))
}

/// Writes that go on beside what is measured: notes, and more cases.
///
/// # Errors
/// [`Failure`] when the node refuses the first ones.
pub(super) async fn writing(
    stage: &Stage,
    clients: &[Client],
    name: &str,
) -> Result<Writing, Failure> {
    let mut noted = stage.opening(String::new())?;
    if let Some(record) = &mut noted.record {
        // Else these would be one act filed over and over again.
        record.party = None;
    }
    let adders = stage.note_adders_to(clients, &format!("{name}-beside"), &noted).await?;
    let more = Fill::of(stage, clients, "more", (10_000_000, 0))?;
    let both = adders.into_iter().zip(more).map(|(notes, opens)| NotesAnd { notes, opens });
    Ok(Writing::begin(both.collect()))
}

/// Names, Chinese and English, of the lists.
const LISTS: [(&str, &str, &str); 10] = [
    ("due", "三十天内到期", "due within thirty days"),
    ("due-all", "全部期限", "everything that is due"),
    ("open", "全部案件", "all cases"),
    ("state", "按状态", "by state"),
    ("turn", "待本市办理", "to be handled here"),
    ("medium", "按环境要素", "by medium"),
    ("discovered", "按发现日期（一个月）", "by day of discovery (one month)"),
    ("near", "距边界 1 公里内", "within 1 km of the border"),
    ("party", "按当事人", "by party"),
    ("same-act", "疑似同一行为", "that may be of one act"),
];

/// Asks for one list again and again.
struct Ask {
    cases: CaseServiceClient<Wire>,
    parent: String,
    id: &'static str,
}

impl Ask {
    fn cases_asked(&self) -> pb::ListCasesRequest {
        let mut asked =
            pb::ListCasesRequest { parent: self.parent.clone(), ..pb::ListCasesRequest::default() };
        let day = |year, month, day| Some(pb::Date { year, month, day });
        match self.id {
            "state" => asked.states = vec![pb::CaseState::ClueVerifying.into()],
            "turn" => asked.turn_city = HERE,
            "medium" => asked.media = vec![pb::Medium::Water.into()],
            "discovered" => {
                (asked.discovered_from, asked.discovered_to) = (day(2026, 6, 1), day(2026, 6, 30));
            }
            "near" => (asked.near_city, asked.near_metres) = (THERE, 1_000),
            "party" => asked.party_name = "示例第77号化工".to_owned(),
            "same-act" => asked.has_same_act_hints = true,
            _ => {}
        }
        asked
    }

    fn due_asked(&self) -> pb::ListDeadlinesRequest {
        let until = (self.id == "due").then(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let millis = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(0));
            let today = crate::domain::Date::beijing(millis)?;
            let then = crate::domain::Date::from_days_since_epoch(today.days_since_epoch() + 30)?;
            crate::cli::when::parse_date(&then.to_string()).ok()
        });
        pb::ListDeadlinesRequest {
            parent: self.parent.clone(),
            until: until.flatten(),
            ..pb::ListDeadlinesRequest::default()
        }
    }

    /// How many there are in all, and whether all were counted.
    async fn ask(&mut self) -> Result<(u32, bool), Status> {
        if self.id.starts_with("due") {
            let answer = self.cases.list_deadlines(self.due_asked()).await?.into_inner();
            return Ok((answer.total_size, true));
        }
        let answer = self.cases.list_cases(self.cases_asked()).await?.into_inner();
        Ok((answer.total_size, !answer.total_is_partial))
    }
}

impl Operation for Ask {
    async fn call(&mut self, _: u64) -> Result<(), Status> {
        self.ask().await.map(|_| ())
    }
}

/// Asks for each list once: indexes in memory are made by the first who asks. How many each has.
async fn warm_up(stage: &Stage, client: &Client, report: &mut Report) -> Result<(), Failure> {
    for (id, zh, en) in LISTS {
        let mut ask = Ask { cases: client.cases(), parent: stage.agreement.clone(), id };
        // Longer than a call may take: the first one is cut short and made again.
        let mut tries = 60;
        let (total, whole) = loop {
            match ask.ask().await {
                // Until then parties are still read ahead.
                Ok((_, false)) if tries > 50 => tokio::time::sleep(Duration::from_secs(1)).await,
                Ok(answer) => break answer,
                Err(status) if tries == 0 => return Err(refused("list", &status)),
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
            tries -= 1;
        };
        let partly = if whole { ("", "") } else { ("（未数完）", " (not all counted)") };
        let (zh, en) = (format!("列表：{zh}，合计{}", partly.0), format!("list: {en}{}", partly.1));
        let total = ratio(u64::from(total), 1);
        report.add(Figure::new(&format!("lists.{id}.total"), &zh, &en, total, "cases"));
    }
    Ok(())
}
