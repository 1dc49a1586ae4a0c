//! One step of a script as one call of the API.

use tonic::{Response, Status};

use super::script::{Act, Script, Step};
use crate::cli::case::steps;
use crate::cli::case::write::{Done, Prepared, add_request, move_request};
use crate::cli::connect::Client;
use crate::import::draft::Draft;
use crate::wire::pb::v1 as pb;

/// The own system's name under which the demo's cases are numbered.
const SYSTEM: &str = "liandong-demo";

/// Asks a node to make a step; `entries` are those of the steps before.
///
/// # Errors
/// The node's refusal, or that no answer came.
pub async fn ask(
    client: &Client,
    script: &Script,
    entries: &[String],
    step: &Step,
    p: &Prepared,
) -> Result<Response<Done>, Status> {
    let mut cases = client.cases();
    match &step.act {
        Act::Open(draft) => cases.create_case(opening(draft, &script.id, p)).await.map(Done::of),
        Act::Step(taken) => steps::ask(client, *taken, p).await,
        Act::Offer(to) => {
            let request = move_request!(OfferTransferRequest, p, to_city: *to);
            cases.offer_transfer(request).await.map(Done::of)
        }
        Act::Accept => {
            cases.accept_transfer(move_request!(AcceptTransferRequest, p)).await.map(Done::of)
        }
        Act::Return => {
            cases.return_transfer(move_request!(ReturnTransferRequest, p)).await.map(Done::of)
        }
        Act::Dispute => {
            cases.dispute_transfer(move_request!(DisputeTransferRequest, p)).await.map(Done::of)
        }
        Act::Designate { city, document } => {
            let request = move_request!(
                DesignateJurisdictionRequest, p,
                city: *city,
                authority: pb::AuthorityLevel::Ministry.into(),
                designated_on: p.effective_on,
                document_number: (*document).to_owned(),
            );
            cases.designate_jurisdiction(request).await.map(Done::of)
        }
        Act::Adopt(nth) => {
            let proposal = entries.get(*nth).cloned().unwrap_or_default();
            let request = move_request!(
                AdoptProposalRequest, p,
                proposal: proposal,
                facts: None,
                record: None,
            );
            cases.adopt_proposal(request).await.map(Done::of)
        }
        Act::Acknowledge => {
            let request = add_request!(AcknowledgeTransferRequest, p);
            cases.acknowledge_transfer(request).await.map(Done::of)
        }
        Act::ReceiveParts => {
            let request = add_request!(RecordPartsReceivedRequest, p);
            cases.record_parts_received(request).await.map(Done::of)
        }
        Act::Note => {
            let request = add_request!(AddNoteRequest, p, cities: Vec::new());
            cases.add_note(request).await.map(Done::of)
        }
        Act::Propose => {
            let request = add_request!(ProposeAmendmentRequest, p, record: None);
            cases.propose_amendment(request).await.map(Done::of)
        }
    }
}

/// The request that opens a case.
pub fn opening(draft: &Draft, id: &str, p: &Prepared) -> pb::CreateCaseRequest {
    pb::CreateCaseRequest {
        parent: p.name.clone(),
        facts: Some(draft.facts.clone()),
        record: Some(draft.record.clone()),
        person: draft.person.clone(),
        // Unique in its city: also a node that has forgotten the request opens it only once.
        external_ref: Some(pb::ExternalRef { system: SYSTEM.to_owned(), number: id.to_owned() }),
        effective_on: p.effective_on,
        request_id: p.request_id.clone(),
        acting_for: p.acting_for.clone(),
        validate_only: false,
    }
}
