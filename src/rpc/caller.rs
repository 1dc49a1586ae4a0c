//! Who calls: from the connection's certificate to a caller, checked on every call.

use tonic::{Request, Status};

use super::audit_line;
use crate::api::request::Caller;
use crate::audit::{Audit, Deed};
use crate::domain::code::Language;
use crate::log::ActorRole;
use crate::node::writer::NodeHandle;
use crate::trust::acceptor::Peer;
use crate::trust::people::Standing;
use crate::trust::roles;
use crate::trust::spiffe::Role;
use crate::wire::status::{self, Refused};

/// A caller who may make the call, and the language to answer in.
#[derive(Clone, Debug)]
pub struct Called {
    /// Who.
    pub caller: Caller,
    /// In what capacity.
    pub role: Role,
    /// The connection.
    pub peer: Peer,
    /// The language of refusals.
    pub language: Language,
}

/// Checks who makes a call of `method`. Whoever is turned away here leaves a line in the audit.
///
/// # Errors
/// `CERT_UNKNOWN`, `CERT_REVOKED`, `PERSON_DISABLED` or `ROLE_NOT_ALLOWED`.
pub fn called<T>(
    (node, audit): (&NodeHandle, &Audit),
    request: &Request<T>,
    method: &'static str,
) -> Result<Called, Box<Status>> {
    let language = status::language(request.metadata());
    let refuse = |refused: Refused| Box::new(refused.status(language));
    let peer = request.extensions().get::<Peer>().cloned();
    let peer = peer.ok_or_else(|| refuse(Refused::new("CERT_UNKNOWN")))?;
    let (role, id) = allowed(&peer, method).map_err(|refused| {
        let deed = audit_line::deed_of(node, &peer, method, "");
        audit.note_refused(Deed { outcome: refused.reason(), ..deed });
        refuse(refused)
    })?;
    // The same name whether the certificate carries it or `people.toml` gives it.
    let identity = format!("{}/{id}", role.name());
    let caller = Caller { identity, role: actor_role(role), certificate_number: id };
    Ok(Called { caller, role, peer, language })
}

/// In what capacity, and under which number, a connection may call `method`.
fn allowed(peer: &Peer, method: &str) -> Result<(Role, String), Refused> {
    let (role, id) = match peer.people.standing(&peer.identity) {
        Standing::Is(role, id) => (role, id),
        Standing::Disabled => return Err(Refused::new("PERSON_DISABLED")),
        Standing::Unknown => {
            let (issuer, serial) = (&peer.identity.issuer, &peer.identity.serial);
            tracing::warn!(%issuer, %serial, "a certificate called that nobody has enrolled");
            return Err(Refused::new("CERT_UNKNOWN"));
        }
    };
    if peer.revoked.is_cancelled() {
        return Err(Refused::new("CERT_REVOKED"));
    }
    if !roles::access(method).is_some_and(|access| access.allows(role)) {
        let refused = Refused::new("ROLE_NOT_ALLOWED").with("role", role.name());
        return Err(refused.with("method", method));
    }
    Ok((role, id))
}

const fn actor_role(role: Role) -> ActorRole {
    match role {
        Role::Coordinator => ActorRole::Coordinator,
        Role::Inspector => ActorRole::Inspector,
        Role::System => ActorRole::System,
        Role::Auditor => ActorRole::Auditor,
        Role::Admin => ActorRole::Admin,
    }
}
