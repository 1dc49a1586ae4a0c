//! Two real processes: a case written in one city is read in the other.

use liandong::wire::pb::v1 as pb;

use super::nodes::{Nodes, opening, plan, until};

const CITIES: [u32; 2] = [371_500, 130_400];

#[tokio::test(flavor = "multi_thread")]
async fn a_case_written_in_one_city_is_read_in_the_other() {
    let nodes = Nodes::start_all(&plan(&CITIES, &[("聊邯", &CITIES)]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(371_500).await, nodes.client(130_400).await);
    let create = || async {
        // The folder's notes are taken in a moment after the start.
        match here.cases().create_case(opening(&agreement, 0, "first")).await {
            Ok(answer) => Some(answer.into_inner()),
            Err(status) if status.code() == tonic::Code::NotFound => None,
            Err(status) => panic!("{status:?}"),
        }
    };
    let written = until("the agreement is here", create).await.case.unwrap();
    let read = || async {
        let request = pb::GetCaseRequest { name: written.name.clone() };
        there.cases().get_case(request).await.ok().map(|answer| answer.into_inner().case.unwrap())
    };
    let read = until("the case is in the other city", read).await;
    assert_eq!(read.etag, written.etag);
    assert_eq!(read.record, written.record);
    assert_eq!(read.number, written.number);
}
