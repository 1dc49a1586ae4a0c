//! The desk reads pass: who asks, a thread that may wait for a disk, the audit.
//!
//! In scope: what reading methods of all services with a [`Desk`] have in common, so that none
//! shows anything without its line. Out of scope: what each reads, and streams.

use tonic::{Request, Response, Status};

use super::audit_line::AuditLine;
use super::caller::{Called, called};
use super::desk::Desk;
use crate::api::request::Written;
use crate::ids::{AgreementId, SubjectId};
use crate::wire::status::Refused;

impl Desk {
    /// Reads for a caller, aside. What it shows of other cities it says in the line, which is
    /// about what `name` takes out of the request.
    pub(super) async fn read<Q: Send + 'static, T: Send + 'static>(
        &self,
        request: Request<Q>,
        method: &'static str,
        name: fn(&Q) -> &str,
        read: impl FnOnce(&Called, &Q, &mut AuditLine) -> Result<T, Refused> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let who = called(self.door(), &request, method).map_err(|status| *status)?;
        let (desk, asked, language) = (self.clone(), request.into_inner(), who.language);
        let done = tokio::task::spawn_blocking(move || {
            let mut line = AuditLine::new(desk.door(), &who, method, name(&asked));
            let done = read(&who, &asked, &mut line);
            line.end(&done);
            done
        });
        let done = done.await.unwrap_or(Err(Refused::new("STOPPING")));
        done.map(Response::new).map_err(|refused| refused.status(language))
    }
}

/// A record as it is after a write; nothing where it cannot be read.
pub(super) async fn after<V: Send + 'static>(
    written: Written,
    one: impl FnOnce(AgreementId, SubjectId) -> Result<(V, u64), Refused> + Send + 'static,
) -> Option<V> {
    let (agreement, subject) = (written.agreement, written.subject?);
    let read = tokio::task::spawn_blocking(move || one(agreement, subject));
    read.await.ok()?.ok().map(|(shown, _)| shown)
}
