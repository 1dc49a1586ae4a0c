//! What plans name and samples do not have as records: sites with their places, and units.
//!
//! A site stands where a sample case of the same enterprise has it, else where one of its county
//! has its own, and says so. Certificates are valid for years.
//!
//! In scope: registering each once in each agreement. Out of scope: plans ([`super`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::acts::{Caller, answered};
use super::sample::{self, Sample, city_of};
use crate::cli::failure::Failure;
use crate::import::draft::Draft;
use crate::wire::pb::v1 as pb;

/// Resource names of what was registered.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// By agreement and credit code.
    pub sites: BTreeMap<(String, String), String>,
    /// By agreement, city and label.
    pub units: BTreeMap<(String, u32, String), String>,
}

/// One thing that is registered.
#[derive(Debug, Clone, PartialEq)]
enum Thing {
    Site { uscc: String, listed: bool },
    Unit { label: String, kind: i32 },
}

/// What is known of an enterprise.
#[derive(Debug, Clone, Default)]
struct Known {
    name: String,
    industry: String,
    location: Option<pb::Location>,
    media: Vec<i32>,
}

/// Registers all that these plans name, every city at the same time.
///
/// # Errors
/// The first [`Failure`].
pub async fn register(
    callers: &BTreeMap<u32, Caller>,
    agreements: &BTreeMap<Vec<u32>, String>,
    (plans, drafts): (&[Sample], &[Draft]),
) -> Result<Register, Failure> {
    let known = Arc::new(Book::of(drafts)?);
    let mut work = JoinSet::new();
    for (city, things) in things(plans, agreements)? {
        let caller = callers.get(&city).ok_or_else(|| Failure::local(format!("{city}")))?.clone();
        let known = Arc::clone(&known);
        work.spawn(async move { known.register(&caller, things).await });
    }
    let mut register = Register::default();
    while let Some(ended) = work.join_next().await {
        let done = ended.map_err(|e| Failure::local(format!("registering broke off: {e}")))??;
        register.sites.extend(done.sites);
        register.units.extend(done.units);
    }
    Ok(register)
}

/// What each city has to register, by agreement.
fn things(
    plans: &[Sample],
    agreements: &BTreeMap<Vec<u32>, String>,
) -> Result<BTreeMap<u32, Vec<(String, Thing)>>, Failure> {
    let name = |members: &Vec<u32>| {
        let found = agreements.get(members).cloned();
        found.ok_or_else(|| Failure::local(format!("no agreement of {members:?}")))
    };
    let listed: BTreeSet<(Vec<u32>, String)> = sample::listed(plans);
    let mut things: BTreeMap<u32, Vec<(String, Thing)>> = BTreeMap::new();
    for (members, uscc) in sample::sites(plans) {
        let city = city_of(&uscc).ok_or_else(|| Failure::local(uscc.clone()))?;
        let agreement = name(&members)?;
        let listed = listed.contains(&(members, uscc.clone()));
        things.entry(city).or_default().push((agreement, Thing::Site { uscc, listed }));
    }
    for (members, city, label, kind) in sample::units(plans) {
        let agreement = name(&members)?;
        things.entry(city).or_default().push((agreement, Thing::Unit { label, kind }));
    }
    Ok(things)
}

/// What samples know of enterprises.
struct Book {
    by_uscc: BTreeMap<String, Known>,
    by_county: BTreeMap<String, pb::Location>,
}

impl Book {
    fn of(drafts: &[Draft]) -> Result<Self, Failure> {
        let mut book = Self { by_uscc: BTreeMap::new(), by_county: BTreeMap::new() };
        for (uscc, name) in sample::names()? {
            book.by_uscc.entry(uscc).or_default().name = name;
        }
        for draft in drafts {
            let Some(party) = &draft.record.party else { continue };
            let Some(location) = &draft.record.location else { continue };
            let county = format!("{:06}", draft.facts.county_code);
            book.by_county.entry(county).or_insert_with(|| location.clone());
            let known = book.by_uscc.entry(party.uscc.clone()).or_default();
            known.name.clone_from(&party.name);
            known.industry.clone_from(&party.industry_code);
            known.location = Some(location.clone());
            known.media = vec![draft.facts.medium];
        }
        Ok(book)
    }

    async fn register(
        &self,
        caller: &Caller,
        things: Vec<(String, Thing)>,
    ) -> Result<Register, Failure> {
        let mut done = Register::default();
        for (agreement, thing) in things {
            match thing {
                Thing::Site { uscc, listed } => {
                    let site = self.site(caller, &agreement, &uscc).await?;
                    // It is there already in a second run.
                    if listed && site.listing.is_none() {
                        list(caller, &site, &uscc).await?;
                    }
                    done.sites.insert((agreement, uscc), site.name);
                }
                Thing::Unit { label, kind } => {
                    let name = unit(caller, &agreement, (&label, kind)).await?;
                    done.units.insert((agreement, caller.city, label), name);
                }
            }
        }
        Ok(done)
    }

    async fn site(&self, caller: &Caller, parent: &str, uscc: &str) -> Result<pb::Site, Failure> {
        let county = uscc.get(2..8).unwrap_or_default();
        let known = self.by_uscc.get(uscc).cloned().unwrap_or_default();
        let tail = uscc.get(14..).unwrap_or_default();
        let name = match known.name.as_str() {
            "" => format!("示例企业{tail}（名称为示例）"),
            name => name.to_owned(),
        };
        let derived = || {
            let of = self.by_county.get(county).cloned().unwrap_or_default();
            pb::Location { address: "位置为示例，取自同县样例案件".to_owned(), ..of }
        };
        let location = known.location.unwrap_or_else(derived);
        let mut media = known.media;
        if media.is_empty() {
            media.push(pb::Medium::Water.into());
        }
        let request = pb::CreateSiteRequest {
            parent: parent.to_owned(),
            facts: Some(pb::SiteFacts {
                county_code: county.parse().unwrap_or_default(),
                tier: pb::SiteTier::General.into(),
                media,
                permit_kind: pb::PermitKind::Simplified.into(),
                closed: false,
            }),
            record: Some(pb::SiteRecord {
                name,
                uscc: uscc.to_owned(),
                permit_number: String::new(),
                industry_code: known.industry,
                location: Some(location),
            }),
            another_plant: false,
            request_id: format!("demo-site-{}-{uscc}", short(parent)),
            acting_for: None,
            validate_only: false,
        };
        let done = answered!(caller, sites().create_site(request))?;
        done.site.ok_or_else(|| Failure::local(format!("{uscc}: no site")))
    }
}

/// Puts a site on the positive list.
async fn list(caller: &Caller, site: &pb::Site, uscc: &str) -> Result<(), Failure> {
    let day = |year, month, day| Some(pb::Date { year, month, day });
    let request = pb::SetListingRequest {
        name: site.name.clone(),
        etag: site.etag.clone(),
        listing: Some(pb::SiteListed {
            status: pb::ListingStatus::Active.into(),
            admitted_on: day(2026, 1, 1),
            expires_on: day(2030, 12, 31),
            removed_for: 0,
            monitoring: vec![pb::MonitoringKind::Online.into()],
        }),
        text: "示例".to_owned(),
        request_id: format!("demo-list-{}-{uscc}", short(&site.name)),
        acting_for: None,
    };
    answered!(caller, sites().set_listing(request)).map(|_| ())
}

async fn unit(
    caller: &Caller,
    parent: &str,
    (label, kind): (&str, i32),
) -> Result<String, Failure> {
    let officer = kind == i32::from(pb::UnitKind::Officer);
    let day = |year| officer.then_some(pb::Date { year, month: 1, day: 1 });
    let team = if officer { "执法支队（示例）" } else { "" };
    let request = pb::CreateUnitRequest {
        parent: parent.to_owned(),
        facts: Some(pb::UnitFacts {
            kind,
            department: pb::Department::EcologyEnvironment.into(),
            valid_from: day(2024),
            valid_until: day(2032),
            retired: false,
        }),
        record: Some(pb::UnitRecord { number: label.to_owned(), team: team.to_owned() }),
        request_id: format!("demo-unit-{}-{}", short(parent), crate::ids::hex(label.as_bytes())),
        acting_for: None,
    };
    let done = answered!(caller, units().create_unit(request))?;
    done.unit.map(|unit| unit.name).ok_or_else(|| Failure::local(format!("{label}: no unit")))
}

/// The last digits of an agreement's id, for request ids.
fn short(name: &str) -> &str {
    let id = name.strip_prefix("agreements/").and_then(|rest| rest.get(..32));
    id.and_then(|id| id.get(20..)).unwrap_or_default()
}
