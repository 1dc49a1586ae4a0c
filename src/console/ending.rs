//! What every form ends in: the page where something was done, or the form again with what was
//! typed and why nothing was.
//!
//! In scope: that ending, for all forms. Out of scope: what a form asks for (`*_acts` and pages);
//! the words of a refusal ([`super::refusal`]).

use axum::response::Response;
use tonic::Status;

use super::layout::Desk;
use super::refusal::Refusal;
use crate::lang::Lang;

/// Why a form did not become a write.
pub enum No {
    /// The console could not read a field.
    Field(Refusal),
    /// The service refused.
    Said(Status),
}

impl No {
    /// The same for a form whose fields are those of one part of the request.
    #[must_use]
    pub fn within(self, part: &str, lang: Lang) -> Self {
        Self::Field(self.refusal(lang).within(part))
    }

    /// The same for a form whose fields have other names than those of the request.
    #[must_use]
    pub fn placed(self, places: &[(&str, &str)], lang: Lang) -> Self {
        Self::Field(self.refusal(lang).placed(places))
    }

    /// As the page shows it.
    #[must_use]
    pub fn refusal(self, lang: Lang) -> Refusal {
        match self {
            Self::Field(refusal) => refusal,
            Self::Said(status) => Refusal::of(&status, lang),
        }
    }
}

impl From<Status> for No {
    fn from(status: Status) -> Self {
        Self::Said(status)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Field(refusal)
    }
}

/// What every form ends in: the page where it was done, or the page of the form again, which then
/// says why nothing was done.
pub async fn end(
    desk: &Desk,
    done: Result<String, No>,
    again: impl AsyncFnOnce(&Refusal) -> Result<Response, Status>,
) -> Response {
    let refusal = match done {
        Ok(page) => return desk.recorded(&page),
        Err(no) => no.refusal(desk.lang()),
    };
    match again(&refusal).await {
        Ok(page) => refused(page),
        Err(status) => desk.no(&status),
    }
}

/// The page again: nothing was done.
pub fn refused(mut page: Response) -> Response {
    *page.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
    page
}
