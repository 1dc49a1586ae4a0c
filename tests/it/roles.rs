//! Role by method: the one table against every method a real node answers.

use std::collections::BTreeSet;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use liandong::cli::connect::Dialler;
use liandong::lang::Lang;
use liandong::trust::roles::{self, Access, TABLE};
use liandong::trust::spiffe::Role;
use liandong::wire::DESCRIPTORS;
use prost::Message;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::nodes::{Nodes, plan, until};

const CITY: u32 = 371_500;

/// Every method of every service in `proto/`, as a path.
pub fn methods() -> BTreeSet<String> {
    let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let mut methods = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods
}

#[test]
fn the_table_lists_every_method_once_and_no_other() {
    let listed: BTreeSet<String> = TABLE.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(listed.len(), TABLE.len());
    assert_eq!(listed, methods());
}

pub async fn channel(nodes: &Nodes, code: u32, role: Role) -> Channel {
    nodes.client_as(code, role).await; // The node answers.
    let dialler = Dialler::new(&nodes.fleet.profile(code, role), Lang::En).unwrap();
    let connect = tower::service_fn(move |_: http::Uri| {
        let dialler = dialler.clone();
        async move {
            let tcp = dialler.tcp().await.map_err(std::io::Error::other)?;
            let tls = dialler.tls(tcp).await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(tls))
        }
    });
    Endpoint::from_static("http://liandong").connect_with_connector(connect).await.unwrap()
}

/// Calls a method with an empty request; what the node says first.
async fn call(channel: &Channel, method: &str) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = http::uri::PathAndQuery::try_from(method).unwrap();
    let mut request = Request::new(());
    request.set_timeout(Duration::from_secs(30));
    grpc.server_streaming(request, path, codec).await.map(drop)
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map_or_else(String::new, |info| info.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_call_what_the_table_says_and_nothing_else() {
    let nodes = Nodes::start_all(&plan(&[CITY], &[]));
    let (mut allowed, mut denied) = (0, 0);
    for role in Role::ALL {
        let channel = channel(&nodes, CITY, role).await;
        for method in methods() {
            let access = roles::access(&method).unwrap();
            let answer = || async {
                let answer = call(&channel, &method).await;
                // Too fast for the node: asked again.
                let busy = matches!(&answer, Err(s) if s.code() == Code::ResourceExhausted);
                (!busy).then_some(answer)
            };
            let answer = until("an answer", answer).await;
            let code = answer.as_ref().err().map(Status::code);
            let why = answer.as_ref().err().map(reason).unwrap_or_default();
            let shown = format!("{role:?} {method}: {answer:?}");
            if access == Access::Nodes {
                assert_eq!(code, Some(Code::Unimplemented), "{shown}");
            } else if access.allows(role) {
                assert_ne!(why, "ROLE_NOT_ALLOWED", "{shown}");
                assert_ne!(code, Some(Code::Unimplemented), "{shown}");
                assert_ne!(code, Some(Code::PermissionDenied), "{shown}");
                allowed += 1;
            } else {
                assert_eq!(code, Some(Code::PermissionDenied), "{shown}");
                assert_eq!(why, "ROLE_NOT_ALLOWED", "{shown}");
                denied += 1;
            }
        }
    }
    assert!(allowed > 100 && denied > 50, "{allowed} allowed, {denied} denied");
}
