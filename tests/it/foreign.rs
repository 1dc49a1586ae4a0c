//! Clients nobody here wrote talk to real nodes: Python's grpcio, `buf curl`, grpc-java.
//!
//! In scope: that a stranger's TLS, HTTP/2 and protobuf get along with ours: create, read in the
//! other city, pages, an error with its details, refused certificates, a watch that resumes.
//! Out of scope: what the answers mean; other tests ask that through our own client.
//!
//! The tools lie under `target/ci`, put there by `.ci/steps/foreign-clients.sh` and
//! `.ci/steps/java.sh`. Without them a test is skipped, which fails under `LIANDONG_NO_SKIP=1`;
//! Java alone may be missing there too, and says so.

mod buf_curl;
mod java;
mod python;
mod tools;
mod tunnel;

use std::path::PathBuf;

use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::nodes::{Nodes, opening, plan, until};

const HERE: u32 = 371_500;
const THERE: u32 = 130_400;

/// Two neighbouring cities with one agreement, both ready to be written to.
struct TwoCities {
    nodes: Nodes,
    agreement: String,
}

/// The files a client needs to call a node.
#[derive(Clone)]
struct Files {
    api: String,
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
}

impl TwoCities {
    async fn start() -> Self {
        let nodes = Nodes::start_all(&plan(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
        let agreement = nodes.fleet.agreements[0].name();
        for city in [HERE, THERE] {
            let client = nodes.client(city).await;
            let ready = || async {
                let request = pb::GetAgreementRequest { name: agreement.clone() };
                let answer = client.agreements().get_agreement(request).await.ok()?;
                answer.into_inner().agreement.filter(|a| a.writable)
            };
            until("the agreement is here", ready).await;
        }
        Self { nodes, agreement }
    }

    /// How a person of `city` calls the node of `city`.
    fn files(&self, city: u32) -> Files {
        let profile = self.nodes.fleet.profile(city, Role::Coordinator);
        Files { api: profile.api, ca: profile.ca, cert: profile.cert, key: profile.key }
    }

    /// The node of `HERE`, called with the certificate of somebody from `THERE`.
    fn strangers_files(&self) -> Files {
        let (here, there) = (self.files(HERE), self.files(THERE));
        Files { cert: there.cert, key: there.key, ..here }
    }

    /// Opens a sample case through our own client; the name of the case.
    async fn open_case(&self, nth: usize, request_id: &str) -> String {
        let request = opening(&self.agreement, nth, request_id);
        let client = self.nodes.client(HERE).await;
        client.cases().create_case(request).await.unwrap().into_inner().case.unwrap().name
    }
}

/// Samples shared by exactly these two cities and opened here.
fn samples() -> Vec<usize> {
    let text = include_str!("../../demo/sample-cases.json");
    let drafts = liandong::import::draft::read_all(text).unwrap();
    let fits = |draft: &liandong::import::draft::Draft| {
        draft.shared_with == [THERE, HERE] && draft.case_id.starts_with("LD-371500-")
    };
    let found: Vec<_> = (0..drafts.len()).filter(|nth| fits(&drafts[*nth])).collect();
    assert!(found.len() >= 5, "{} samples", found.len());
    found
}

/// One line for each check that held.
fn holds(what: &str) {
    println!("ok   {what}");
}
