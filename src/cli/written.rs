//! What a write to a record other than a case came to, for people and programs.
//!
//! In scope: one way to say it. Out of scope: cases ([`super::case::write`]), what is written.

use serde_json::{Value, json};
use tonic::Status;

use super::case::Session;
use super::failure::Failure;
use super::names::Names;
use super::{json as forms, status_text};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// How a kind of record is shown.
pub(super) struct Shown<T> {
    /// Its name in JSON.
    pub key: &'static str,
    /// As JSON.
    pub shape: fn(&T) -> Value,
    /// As text.
    pub text: fn(&T, &Names, Lang) -> String,
}

/// Prints what a write came to.
///
/// # Errors
/// [`Failure`] with the node's refusal; when the answer was lost it names the flags for a safe
/// retry.
pub(super) fn done<T: Default>(
    session: &Session,
    request_id: &str,
    answer: Result<(Option<T>, Option<pb::WriteReceipt>), Status>,
    shown: &Shown<T>,
) -> Result<(), Failure> {
    let lang = session.context.lang;
    let (record, receipt) = answer.map_err(|status| {
        let (dial, retry) = (session.client.last_dial(), format!("--request-id {request_id}"));
        status_text::write_failure(&status, dial.as_ref(), &retry, lang)
    })?;
    let (record, receipt) = (record.unwrap_or_default(), receipt.unwrap_or_default());
    if session.context.json {
        session.context.print_json(&json!({
            shown.key: (shown.shape)(&record),
            "receipt": forms::receipt(&receipt),
            "request_id": request_id,
        }));
        return Ok(());
    }
    let said = match receipt.replayed {
        true => lang.pick("先前已办理", "had been done before"),
        false => lang.pick("已办理", "done"),
    };
    print!("{said}\n{}", (shown.text)(&record, &session.names, lang));
    Ok(())
}
