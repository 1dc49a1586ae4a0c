//! Evidence files: messages to our types and back.

use super::case::wrong;
use super::pb::peer_v1 as peer;
use super::pb::v1 as pb;
use super::status::{self, Refused};
use crate::domain::{Evidence, InvalidReason};
use crate::ids::{AgreementId, CityCode, Hash, SubjectId};

/// A file as a city asks another for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The agreement.
    pub agreement: AgreementId,
    /// The case that lists the file.
    pub subject: SubjectId,
    /// Its SHA-256.
    pub sha256: Hash,
    /// First byte wanted.
    pub offset: u64,
}

/// Reads what another city asks for.
///
/// # Errors
/// [`Refused`] `MALFORMED`.
pub fn asked(request: &peer::FetchEvidenceRequest) -> Result<Asked, Refused> {
    let bad = |field: &'static str| Refused::new("MALFORMED").with("detail", field);
    Ok(Asked {
        agreement: AgreementId::from_slice(&request.agreement_id)
            .map_err(|_| bad("agreement_id"))?,
        subject: SubjectId::from_slice(&request.subject_id).map_err(|_| bad("subject_id"))?,
        sha256: Hash::from_slice(&request.sha256).map_err(|_| bad("sha256"))?,
        offset: request.offset,
    })
}

/// Writes what is asked of another city.
#[must_use]
pub fn asked_to_pb(asked: &Asked) -> peer::FetchEvidenceRequest {
    peer::FetchEvidenceRequest {
        agreement_id: asked.agreement.as_bytes().to_vec().into(),
        subject_id: asked.subject.as_bytes().to_vec().into(),
        sha256: asked.sha256.as_bytes().to_vec().into(),
        offset: asked.offset,
    }
}

/// Reads a SHA-256.
///
/// # Errors
/// [`Refused`] `REQUIRED` or `DIGEST`, naming the field.
pub fn sha256(bytes: &[u8]) -> Result<Hash, Refused> {
    digest("sha256", bytes).map(Hash::new)
}

/// Reads an SM3.
///
/// # Errors
/// [`Refused`] `REQUIRED` or `DIGEST`, naming the field.
pub fn sm3(bytes: &[u8]) -> Result<[u8; 32], Refused> {
    digest("sm3", bytes)
}

fn digest(field: &str, bytes: &[u8]) -> Result<[u8; 32], Refused> {
    if bytes.is_empty() {
        return Err(wrong(field, InvalidReason::Required));
    }
    bytes.try_into().map_err(|_| wrong(field, InvalidReason::Digest))
}

/// What the list of a case says of a file.
#[must_use]
pub fn listed(case_name: &str, item: &Evidence, city: CityCode) -> pb::EvidenceFile {
    pb::EvidenceFile {
        case_name: case_name.to_owned(),
        sha256: item.sha256.as_bytes().to_vec().into(),
        sm3: item.sm3.map(|sm3| sm3.to_vec()).unwrap_or_default().into(),
        size_bytes: item.size_bytes,
        mime: item.mime.clone(),
        evidence_id: item.id.to_string(),
        title: item.title.to_string(),
        listing_city: city.as_u32(),
        ..pb::EvidenceFile::default()
    }
}

/// The reason that another city's node gave, if it is one of ours.
#[must_use]
pub fn reason_of(status: &tonic::Status) -> Option<String> {
    use tonic_types::StatusExt;
    let known = status::is_ours(status);
    known.then(|| status.get_details_error_info().map(|info| info.reason)).flatten()
}
