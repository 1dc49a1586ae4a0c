//! Answers to an offered transfer: accept, return, dispute.

use super::Session;
use super::write::{MoveArgs, Prepared, move_request, send};
use crate::cli::failure::Failure;

/// Accepts (同意接收).
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn accept(session: &Session, args: MoveArgs) -> Result<(), Failure> {
    let prepared = Prepared::movement(session, args).await?;
    let request = move_request!(AcceptTransferRequest, prepared);
    send(session, &prepared, session.client.cases().accept_transfer(request)).await
}

/// Returns (退回).
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn give_back(session: &Session, args: MoveArgs) -> Result<(), Failure> {
    let prepared = Prepared::movement(session, args).await?;
    let request = move_request!(ReturnTransferRequest, prepared);
    send(session, &prepared, session.client.cases().return_transfer(request)).await
}

/// Disputes competence (管辖争议).
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn dispute(session: &Session, args: MoveArgs) -> Result<(), Failure> {
    let prepared = Prepared::movement(session, args).await?;
    let request = move_request!(DisputeTransferRequest, prepared);
    send(session, &prepared, session.client.cases().dispute_transfer(request)).await
}
