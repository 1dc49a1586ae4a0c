//! The network's floor: an empty call over mutual TLS (`grpc.health.v1.Health/Check`).
//!
//! In scope: what tonic, HTTP/2 and TLS take when the node does nothing. Out of scope: writes.

use tonic::Status;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::Bench;
use super::load::{self, Operation, Until};
use super::report::Report;
use super::stage::{HERE, Stage};
use crate::cli::connect::Wire;
use crate::cli::failure::Failure;

/// Numbers of clients that calls and writes are measured at.
pub const CLIENTS: [usize; 3] = [1, 16, 64];

struct Empty(HealthClient<Wire>);

impl Operation for Empty {
    async fn call(&mut self, _: u64) -> Result<(), Status> {
        self.0.check(HealthCheckRequest { service: String::new() }).await.map(|_| ())
    }
}

/// Measures it at 1, 16 and 64 clients, each with a connection of its own.
pub async fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let mut stage = Stage::lay_out(bench, "calls", &[HERE, super::stage::THERE])?;
    stage.start(HERE).await?;
    for count in CLIENTS {
        bench.say(&format!("空调用，{count} 个客户端"), &format!("empty calls, {count} clients"));
        let clients = stage.clients(HERE, count).await?;
        let calls = clients.iter().map(|client| Empty(client.health())).collect();
        let outcome = load::run(calls, Until::Elapsed(bench.load_for)).await?;
        let (zh, en) = (
            format!("空调用（双向 TLS），{count} 个客户端"),
            format!("empty call over mutual TLS, {count} clients"),
        );
        report.add(outcome.figure(&format!("call.{count}"), &zh, &en));
    }
    Ok(())
}
