//! What every city holds, as its own node tells it.
//!
//! In scope: asking; nothing is computed here. Out of scope: comparing ([`super::agree`]).

use std::collections::BTreeMap;

use super::cities::Door;
use crate::cli::connect::Client;
use crate::cli::failure::Failure;
use crate::cli::fleet::Fleet;
use crate::wire::pb::v1 as pb;

/// One city.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CityPicture {
    /// How its node is.
    pub status: pb::Status,
    /// Every log it holds.
    pub logs: Vec<pb::Log>,
    /// Agreements it knows, by name.
    pub agreements: Vec<String>,
    /// Cases by agreement, newest first; `None` where the node knows no such agreement.
    pub cases: BTreeMap<String, Option<Vec<pb::Case>>>,
}

/// All cities, by code.
pub type Picture = BTreeMap<u32, CityPicture>;

/// Asks every city for its logs, and for its cases when `with_cases`.
///
/// # Errors
/// [`Failure`] of a city that cannot be reached.
pub async fn take(
    doors: &BTreeMap<u32, Door>,
    fleet: &Fleet,
    with_cases: bool,
) -> Result<Picture, Failure> {
    let mut picture = Picture::new();
    for (code, door) in doors {
        picture.insert(*code, one(&door.system, fleet, with_cases).await?);
    }
    Ok(picture)
}

async fn one(client: &Client, fleet: &Fleet, with_cases: bool) -> Result<CityPicture, Failure> {
    let failed = |status: tonic::Status| client.failure(&status);
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.map_err(failed)?;
    let status = answer.into_inner().status.unwrap_or_default();
    let request = pb::ListLogsRequest { parent: "agreements/-".to_owned() };
    let answer = client.nodes().list_logs(request).await.map_err(failed)?;
    let logs = answer.into_inner().logs;
    let request = pb::ListAgreementsRequest { page_size: 200, page_token: String::new() };
    let answer = client.agreements().list_agreements(request).await.map_err(failed)?;
    let agreements = answer.into_inner().agreements.into_iter().map(|a| a.name).collect();
    let mut cases = BTreeMap::new();
    if with_cases {
        for agreement in &fleet.agreements {
            cases.insert(agreement.name(), all_cases(client, &agreement.name()).await?);
        }
    }
    Ok(CityPicture { status, logs, agreements, cases })
}

/// Every case of an agreement, all pages; `None` where the agreement is not known.
async fn all_cases(client: &Client, parent: &str) -> Result<Option<Vec<pb::Case>>, Failure> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListCasesRequest {
            parent: parent.to_owned(),
            page_size: 200,
            page_token,
            ..pb::ListCasesRequest::default()
        };
        let page = match client.cases().list_cases(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                let failure = client.failure(&status);
                return if failure.reason == "NOT_FOUND" { Ok(None) } else { Err(failure) };
            }
        };
        let for_all = |mut case: pb::Case| {
            // What goes with the handling of a case is in no record of others.
            let record = case.record.iter_mut();
            record.for_each(|one| {
                one.evidence.retain(|item| item.level() != pb::DataLevel::Restricted)
            });
            case
        };
        all.extend(page.cases.into_iter().map(for_all));
        if page.next_page_token.is_empty() {
            return Ok(Some(all));
        }
        page_token = page.next_page_token;
    }
}
