//! Durable writes through the API: notes added to cases (one entry with one part each), and cases.
//!
//! In scope: one node whose neighbour is away, and five nodes of one agreement. Out of scope: when
//! a write is readable elsewhere ([`super::readable`]).

use std::time::Instant;

use tonic::Status;

use super::Bench;
use super::calls::CLIENTS;
use super::load::{self, Operation, Until};
use super::report::{Bound, Figure, Report};
use super::stage::{FIVE, HERE, Stage, THERE};
use crate::cli::connect::Wire;
use crate::cli::failure::Failure;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::case_service_client::CaseServiceClient;

struct Create {
    cases: CaseServiceClient<Wire>,
    request: pb::CreateCaseRequest,
    client: usize,
}

impl Operation for Create {
    async fn call(&mut self, nth: u64) -> Result<(), Status> {
        let mut request = self.request.clone();
        request.request_id = format!("create-{}-{nth}", self.client);
        self.cases.create_case(request).await.map(|_| ())
    }
}

/// Writes at one node; the other member of the agreement is away.
pub async fn alone(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "alone", &[HERE, THERE])?;
    stage.start(HERE).await?;
    for count in CLIENTS {
        bench.say(
            &format!("持久写入（补充说明），{count} 个客户端"),
            &format!("durable writes (notes), {count} clients"),
        );
        let clients = stage.clients(HERE, count).await?;
        let adders = stage.note_adders(&clients, &format!("alone-{count}")).await?;
        let outcome = load::run(adders, Until::Elapsed(bench.load_for)).await?;
        let (zh, en) = (
            format!("持久写入，对方不在，{count} 个客户端"),
            format!("durable write (note), peer away, {count} clients"),
        );
        let figure = outcome
            .figure(&format!("write.alone.{count}"), &zh, &en)
            .over(&format!("call.{count}"));
        report.add(if count == 64 {
            figure.within("× ≥ 0.70", Bound::RatioAtLeast(0.7))
        } else {
            figure
        });
    }
    bench.say("持久写入（新建案件），64 个客户端", "durable writes (cases), 64 clients");
    let clients = stage.clients(HERE, 64).await?;
    let request = stage.opening(String::new())?;
    let make = |(client, connection): (usize, &crate::cli::connect::Client)| Create {
        cases: connection.cases(),
        request: request.clone(),
        client,
    };
    let creates = clients.iter().enumerate().map(make).collect();
    let outcome = load::run(creates, Until::Elapsed(bench.load_for)).await?;
    let (zh, en) = ("新建案件，对方不在，64 个客户端", "create a case, peer away, 64 clients");
    report.add(outcome.figure("create.alone.64", zh, en).over("call.64"));
    Ok(())
}

/// Writes at one of five nodes on this machine; the four others receive.
pub async fn five(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "five", &FIVE)?;
    for city in FIVE {
        stage.start(city).await?;
    }
    let mut others = Vec::new();
    for city in FIVE.into_iter().filter(|city| *city != HERE) {
        others.extend(stage.clients(city, 1).await?);
    }
    let here = stage.clients(HERE, 1).await?;
    for count in CLIENTS {
        bench.say(
            &format!("五市运行，{count} 个客户端写入"),
            &format!("five nodes, {count} clients write"),
        );
        let clients = stage.clients(HERE, count).await?;
        let adders = stage.note_adders(&clients, &format!("five-{count}")).await?;
        let outcome = load::run(adders, Until::Elapsed(bench.load_for)).await?;
        let ended = Instant::now();
        let (zh, en) = (
            format!("持久写入，四市接收，{count} 个客户端"),
            format!("durable write (note), four receivers, {count} clients"),
        );
        let figure =
            outcome.figure(&format!("write.five.{count}"), &zh, &en).over(&format!("call.{count}"));
        report.add(if count == 64 {
            figure.within("> 5000/s", Bound::AtLeast(5000.0))
        } else {
            figure
        });
        for client in &here {
            let size = stage.far(client).await?.stored;
            wait_for(&stage, &others, size).await?;
        }
        let (zh, en) = (
            format!("停止写入后四市全部可读，{count} 个客户端"),
            format!("from the last write to readable in all four, {count} clients"),
        );
        let seconds = ended.elapsed().as_secs_f64();
        report.add(Figure::new(&format!("five.drain.{count}"), &zh, &en, seconds, "s"));
    }
    Ok(())
}

/// Waits until all have applied the log up to `size`.
async fn wait_for(
    stage: &Stage,
    clients: &[crate::cli::connect::Client],
    size: u64,
) -> Result<(), Failure> {
    for client in clients {
        stage
            .until("readable elsewhere", async || Ok(stage.far(client).await?.applied >= size))
            .await?;
    }
    Ok(())
}
