//! grpc-java through `examples/java`.

use liandong::wire::pb::v1 as pb;
use tokio::process::Command;

use super::tools::{self, Running};
use super::tunnel::Tunnel;
use super::{Files, HERE, THERE, TwoCities, holds, samples};
use crate::nodes::until;

fn client(files: &Files, args: &[&str]) -> Option<Command> {
    let mut command = tools::java()?;
    command.arg(&files.api).arg(&files.ca).arg(&files.cert).arg(&files.key).args(args);
    Some(command)
}

/// The case's name in a line `cursor <tab> name <tab> title`.
fn name_in(line: &str) -> String {
    line.split('\t').nth(1).unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn java_creates_and_resumes_a_watch() {
    if tools::java().is_none() {
        return;
    }
    let cities = TwoCities::start().await;
    let files = cities.files(HERE);
    let tunnel = Tunnel::to(&files.api).await;
    let through = Files { api: tunnel.address.to_string(), ..files.clone() };
    let mine = cities.nodes.client(HERE).await;
    let list = pb::ListCasesRequest { parent: cities.agreement.clone(), ..Default::default() };
    let cursor = mine.cases().list_cases(list).await.unwrap().into_inner().cursor;
    let watch = ["watch", &cities.agreement, "3", &cursor];
    let mut watch = Running::start(client(&through, &watch).unwrap());

    let create = ["create", &cities.agreement, "界河暗管排污"];
    let made = tools::run(client(&files, &create).unwrap()).await.succeeded();
    let name = name_in(&made);
    assert!(made.trim_end().ends_with("界河暗管排污"), "{made}");
    holds("java: creates a case with a client certificate");

    let there = cities.nodes.client(THERE).await;
    let read = || async {
        let request = pb::GetCaseRequest { name: name.clone() };
        there.cases().get_case(request).await.ok()
    };
    until("the case is in the other city", read).await;
    holds("java: the case is read in the other city");

    assert_eq!(name_in(&watch.line().await.unwrap()), name);
    tunnel.cut();
    let missed = cities.open_case(samples()[0], "java-1").await;
    tunnel.mend();
    assert_eq!(name_in(&watch.line().await.unwrap()), missed);
    let last = cities.open_case(samples()[1], "java-2").await;
    assert_eq!(name_in(&watch.line().await.unwrap()), last);
    watch.ends_well().await;
    holds("java: a watch resumes after a drop, nothing missed, nothing twice");

    let swapped = [&create[..], &["36.531049", "115.329563", "371525"]].concat();
    let refused = tools::run(client(&files, &swapped).unwrap()).await.failed(2);
    assert!(refused.contains("record.location"), "{refused}");
    holds("java: decodes an error's details");
}
