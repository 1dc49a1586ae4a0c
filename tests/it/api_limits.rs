//! Limits of the api port, lowered so that they are met.

use std::time::Duration;

use bytes::Bytes;
use liandong::cli::connect::Client;
use liandong::limits::CALLS_PER_CONNECTION_MAX;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::api::{HERE, ready, refused};
use super::api_raw::{Raw, framed};
use super::nodes::{Nodes, plan};

const WHO: &str = "/liandong.v1.NodeService/WhoAmI";

async fn who(client: &Client) -> Result<(), Status> {
    client.nodes().who_am_i(pb::WhoAmIRequest {}).await.map(drop)
}

fn one_city(limits: &str) -> Nodes {
    let mut plan = plan(&[HERE, 130_400], &[("聊邯", &[HERE, 130_400])]);
    plan.extra_config = format!("[limits]\n{limits}\n");
    let mut nodes = Nodes::lay_out(&plan);
    nodes.start(HERE);
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_may_call_so_often_and_others_are_served() {
    let nodes = one_city("person_calls_per_s_max = 1");
    let client = nodes.client(HERE).await;
    let mut refusals = Vec::new();
    // A burst of twenty seconds' worth, and at most as many more as seconds pass meanwhile.
    for _ in 0..200 {
        if let Err(status) = client.nodes().who_am_i(pb::WhoAmIRequest {}).await {
            refusals.push(status);
        }
    }
    assert!(refusals.len() > 50, "{} of 200 were refused", refusals.len());
    let status = refusals.pop().unwrap();
    assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
    let want = (Code::ResourceExhausted, "RATE_LIMITED".to_owned());
    assert_eq!(refused::<()>(Err(status)), want);
    // How the node is can be asked all the same, and systems have a rate of their own.
    client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    let system = nodes.client_as(HERE, Role::System).await;
    for _ in 0..200 {
        system.nodes().who_am_i(pb::WhoAmIRequest {}).await.unwrap();
    }
    let mut raw = Raw::dial(&nodes, Role::Coordinator).await;
    let health = tonic_health::pb::HealthCheckRequest { service: "liandong.v1.CaseService".into() };
    for _ in 0..50 {
        let answer = raw.call("/grpc.health.v1.Health/Check", &[], framed(&health)).await.unwrap();
        assert_eq!(answer.reason().unwrap().0, Code::Ok);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_over_the_places_wait_or_are_told_to_come_back() {
    let nodes = one_city(
        "calls_per_connection_max = 60\ncalls_running_max = 2\nperson_calls_per_s_max = 100000",
    );
    let client = nodes.client(HERE).await;
    ready(&client, &nodes.fleet.agreements[0].name()).await;
    // Calls that never send their message hold places until their deadline; more come meanwhile.
    let stalled = tokio::sync::Mutex::new(Vec::new());
    let busy = super::nodes::until("the waiting room is full", || async {
        let raw = Raw::dial(&nodes, Role::Inspector).await;
        for _ in 0..60 {
            let call = raw.stall(WHO).await;
            stalled.lock().await.push(call);
        }
        // A call that finds room waits, and gives up so that the next may find none.
        let call = tokio::time::timeout(Duration::from_millis(300), who(&client)).await;
        call.ok()?.err()
    })
    .await;
    assert_eq!(refused::<()>(Err(busy)), (Code::ResourceExhausted, "BUSY".into()));
    client.nodes().get_status(pb::GetStatusRequest {}).await.expect("status takes no place");
    drop(stalled);
    super::nodes::until("the places are given back", || async { who(&client).await.ok() }).await;
    let mut raw = Raw::dial(&nodes, Role::Coordinator).await;
    let answer = raw.call(WHO, &[], Bytes::from_static(&[0; 5])).await.unwrap();
    assert_eq!(answer.reason().unwrap().0, Code::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_too_many_calls_is_told_to_come_back_at_once() {
    let nodes = one_city("person_calls_per_s_max = 100000");
    let client = nodes.client(HERE).await;
    ready(&client, &nodes.fleet.agreements[0].name()).await;
    let raw = tokio::sync::Mutex::new(Raw::dial(&nodes, Role::Inspector).await);
    let stalled = tokio::sync::Mutex::new(Vec::new());
    for _ in 1..CALLS_PER_CONNECTION_MAX {
        stalled.lock().await.push(raw.lock().await.stall(WHO).await);
    }
    // The seventeenth: refused while sixteen are under way. A stream that has begun shows only when
    // the node has read it, and one that stalls ends after a while, so there is one more each time.
    let busy = super::nodes::until("the connection is full", || async {
        stalled.lock().await.push(raw.lock().await.stall(WHO).await);
        let answer = raw.lock().await.call(WHO, &[], Bytes::from_static(&[0; 5])).await.unwrap();
        answer.reason().filter(|(code, _)| *code != Code::Ok)
    });
    assert_eq!(busy.await, (Code::ResourceExhausted, "BUSY".to_owned()));
    // Others are served, and how the node is can be asked over that very connection.
    who(&client).await.unwrap();
    let status = "/liandong.v1.NodeService/GetStatus";
    let asked = raw.lock().await.call(status, &[], Bytes::from_static(&[0; 5])).await;
    assert_eq!(asked.unwrap().reason().unwrap().0, Code::Ok);
    drop(stalled);
    super::nodes::until("the places are given back", || async {
        let answer = raw.lock().await.call(WHO, &[], Bytes::from_static(&[0; 5])).await.unwrap();
        answer.reason().filter(|(code, _)| *code == Code::Ok)
    })
    .await;
}
