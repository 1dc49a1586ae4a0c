//! Sites and units by what people call them.
//!
//! In scope: reading as many as a page needs. Out of scope: what may be done with them.

use std::collections::BTreeSet;

use tonic::Status;

use super::layout::Desk;
use crate::limits::{CONSOLE_CHOICES_MAX, SITES_LOOKED_AT_MAX};
use crate::shown::plan::{Labels, named_in};
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// Things on a page of the API's lists.
const PAGE: i32 = 200;
/// Pages that are looked through for what a plan names.
const PAGES_MAX: usize = SITES_LOOKED_AT_MAX / 200;

/// What the sites and units of a plan are called. What the node does not tell has its id.
pub async fn labels(desk: &Desk, plan: &pb::Plan, answers: &[pb::PlanAnswer]) -> Labels {
    let (mut sites, mut units) = named_in(plan, answers);
    let parent = super::parts::agreement_of(&plan.name);
    let mut found = Labels::default();
    // Names are a comfort: a page without them is still true.
    let _ = read_sites(desk, &parent, &mut sites, &mut found).await;
    let _ = read_units(desk, &parent, &mut units, &mut found).await;
    found
}

async fn read_sites(
    desk: &Desk,
    parent: &str,
    wanted: &mut BTreeSet<String>,
    found: &mut Labels,
) -> Result<(), Status> {
    let mut request =
        pb::ListSitesRequest { parent: parent.to_owned(), page_size: PAGE, ..Default::default() };
    for _ in 0..PAGES_MAX {
        if wanted.is_empty() {
            break;
        }
        let page = desk.client.sites().list_sites(request.clone()).await?.into_inner();
        for site in page.sites {
            wanted.remove(&site.name);
            found.learn(site.name, &site.record.unwrap_or_default().name);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(())
}

async fn read_units(
    desk: &Desk,
    parent: &str,
    wanted: &mut BTreeSet<String>,
    found: &mut Labels,
) -> Result<(), Status> {
    let mut request = pb::ListUnitsRequest {
        parent: parent.to_owned(),
        page_size: PAGE,
        with_retired: true,
        ..Default::default()
    };
    for _ in 0..PAGES_MAX {
        if wanted.is_empty() {
            break;
        }
        let page = desk.client.units().list_units(request.clone()).await?.into_inner();
        for unit in page.units {
            wanted.remove(&unit.name);
            found.learn(unit.name, &unit.record.unwrap_or_default().number);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(())
}

/// The own city's units of an agreement, to choose from: name, and what people call it.
///
/// # Errors
/// The service's refusal.
pub async fn own_units(desk: &Desk, parent: &str) -> Result<Vec<(String, String)>, Status> {
    let request = pb::ListUnitsRequest {
        parent: parent.to_owned(),
        city: desk.city,
        page_size: CONSOLE_CHOICES_MAX,
        ..Default::default()
    };
    let page = desk.client.units().list_units(request).await?.into_inner();
    let lang = desk.lang();
    let named = |unit: pb::Unit| {
        let kind = crate::wire::words::unit_kind(unit.kind(), lang);
        let record = unit.record.unwrap_or_default();
        (unit.name, format!("{kind} {} {}", clean(&record.number), clean(&record.team)))
    };
    let whole = |unit: &pb::Unit| unit.kind() == pb::UnitKind::WholeCity;
    Ok(page.units.into_iter().filter(|unit| !whole(unit)).map(named).collect())
}

/// Sites of an agreement, to choose from: name, and what people call it.
///
/// # Errors
/// The service's refusal.
pub async fn sites(desk: &Desk, parent: &str) -> Result<Vec<(String, String)>, Status> {
    let request = pb::ListSitesRequest {
        parent: parent.to_owned(),
        page_size: CONSOLE_CHOICES_MAX,
        ..Default::default()
    };
    let page = desk.client.sites().list_sites(request).await?.into_inner();
    let lang = desk.lang();
    let named = |site: pb::Site| {
        let city = desk.names.city(site.city);
        let listed = if site.listed_today {
            lang.pick("（正面清单）", " (positive list)")
        } else {
            ""
        };
        let record = site.record.unwrap_or_default();
        (site.name, format!("{city} {}{listed}", clean(&record.name)))
    };
    Ok(page.sites.into_iter().map(named).collect())
}
