//! Many cases, as a city would have them after some years: hardly two of one party, on many days,
//! some of them gone on with.
//!
//! In scope: what each is. Out of scope: how many, and how fast ([`super::lists`],
//! [`super::acts`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tonic::Status;

use super::load::Operation;
use super::stage::Stage;
use crate::cli::connect::{Client, Wire};
use crate::cli::failure::Failure;
use crate::domain::{InvalidReason, Uscc};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::case_service_client::CaseServiceClient;

/// Every so many cases one goes on to be verified.
const VERIFIED_EVERY: u64 = 8;
/// Of so many cases one is filed twice.
const TWICE_EVERY: u64 = 100;
/// Different days on which cases were discovered and reported.
const DAYS: u64 = 200;
/// Who moves them on: an inspector of the fleet.
const OFFICER: &str = "37150099002";

/// Opens cases, hardly two of them of one party, on many days, and moves some of them on.
#[derive(Clone)]
pub struct Fill {
    cases: CaseServiceClient<Wire>,
    samples: Arc<Vec<pb::CreateCaseRequest>>,
    run: String,
    /// Number of the first party: runs share none.
    first: u64,
    /// Every how many cases the party comes again; 0: never.
    parties: u64,
    /// Numbers given out; shared by all clients of a run.
    next: Arc<AtomicU64>,
}

impl Fill {
    /// One for each client.
    pub fn of(
        stage: &Stage,
        clients: &[Client],
        run: &str,
        (first, parties): (u64, u64),
    ) -> Result<Vec<Self>, Failure> {
        let samples = Arc::new(stage.openings()?);
        let next = Arc::new(AtomicU64::new(0));
        let one = |client: &Client| Self {
            cases: client.cases(),
            samples: Arc::clone(&samples),
            run: run.to_owned(),
            first,
            parties,
            next: Arc::clone(&next),
        };
        Ok(clients.iter().map(one).collect())
    }

    /// The request that opens case `nth`.
    fn request(&self, nth: u64) -> pb::CreateCaseRequest {
        let request_id = format!("{}-{nth}", self.run);
        let nth = if nth % TWICE_EVERY == 1 { nth - 1 } else { nth };
        let count = u64::try_from(self.samples.len()).unwrap_or(1).max(1);
        let sample = usize::try_from(nth % count).ok().and_then(|place| self.samples.get(place));
        let mut request = sample.cloned().unwrap_or_default();
        request.request_id = request_id;
        let day = i64::try_from(nth / count % DAYS).unwrap_or(0);
        if let Some(facts) = &mut request.facts {
            // Earlier, so that nothing lies in the future.
            facts.discover_time_ms -= day * 86_400_000;
            (facts.occurred_from, facts.occurred_to) = (None, None);
        }
        request.effective_on = request.effective_on.and_then(|on| earlier(on, day));
        let party = self.first + if self.parties == 0 { nth } else { nth % self.parties };
        if let Some(record) = &mut request.record {
            record.party = Some(pb::Party {
                r#type: pb::PartyType::LegalPerson.into(),
                name: format!("示例第{party}号化工有限公司"),
                uscc: uscc(party),
                ..pb::Party::default()
            });
        }
        request
    }

    /// Opens the next one.
    pub async fn open(&mut self) -> Result<(), Status> {
        let nth = self.next.fetch_add(1, Ordering::Relaxed);
        let request = self.request(nth);
        let on = request.effective_on;
        let case = self.cases.create_case(request).await?.into_inner().case.unwrap_or_default();
        if nth.is_multiple_of(VERIFIED_EVERY) {
            let request = pb::StartVerificationRequest {
                name: case.name,
                etag: case.etag,
                effective_on: on,
                request_id: format!("{}-{nth}-verified", self.run),
                acting_for: Some(pb::ActingFor { certificate_number: OFFICER.to_owned() }),
                ..pb::StartVerificationRequest::default()
            };
            self.cases.start_verification(request).await?;
        }
        Ok(())
    }
}

impl Operation for Fill {
    async fn call(&mut self, _: u64) -> Result<(), Status> {
        self.open().await
    }
}

/// A credit code for each number; both of its check characters are found by trying.
fn uscc(nth: u64) -> String {
    let body = format!("91371522{:08}", nth % 100_000_000);
    let mut code = String::new();
    for org in "0123456789X".chars() {
        for check in "0123456789ABCDEFGHJKLMNPQRTUWXY".chars() {
            code = format!("{body}{org}{check}");
            match Uscc::parse(&code) {
                Ok(_) => return code,
                Err(wrong) if wrong == InvalidReason::UsccOrgCheck.into() => break,
                Err(_) => {}
            }
        }
    }
    code
}

/// So many days earlier.
fn earlier(on: pb::Date, days: i64) -> Option<pb::Date> {
    let date = crate::domain::Date::parse(&format!("{:04}-{:02}-{:02}", on.year, on.month, on.day));
    let then = crate::domain::Date::from_days_since_epoch(date.ok()?.days_since_epoch() - days)?;
    crate::cli::when::parse_date(&then.to_string()).ok()
}
