//! What the sites and units of a plan are called, and finding one by what people call it.
//!
//! In scope: names of enterprises, credit codes, certificate numbers, beginnings of ids. Out of
//! scope: what may be done with them.

use std::collections::BTreeSet;

use super::agreement_of;
use crate::cli::case::Session;
use crate::cli::failure::{Exit, Failure};
use crate::cli::short_id::SHORT_MIN;
use crate::lang::Lang;
use crate::limits::SITES_LOOKED_AT_MAX;
use crate::shown::plan::{Labels, named_in};
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// Pages of a list that are looked through: all sites that a node looks at.
const PAGES_MAX: usize = SITES_LOOKED_AT_MAX / 200;

/// Something that can be named: its resource name, its city, and what people call it.
#[derive(Clone, Debug)]
pub struct Thing {
    name: String,
    city: u32,
    called: Vec<String>,
}

/// Sites and units of an agreement.
#[derive(Clone, Debug, Default)]
pub struct Register {
    things: Vec<Thing>,
    labels: Labels,
}

impl Register {
    /// The sites and units that a plan names. A node that does not tell costs names, nothing else.
    pub async fn of(session: &Session, plan: &pb::Plan, answers: &[pb::PlanAnswer]) -> Self {
        Self::named(session, agreement_of(&plan.name), named_in(plan, answers)).await
    }

    /// These sites and units. A node that does not tell costs names, nothing else.
    pub async fn named(
        session: &Session,
        parent: &str,
        (mut sites, mut units): (BTreeSet<String>, BTreeSet<String>),
    ) -> Self {
        let mut found = Self::default();
        if !sites.is_empty() {
            let _ = found.read_sites(session, parent, Some(&mut sites)).await;
        }
        if !units.is_empty() {
            let _ = found.read_units(session, parent, Some(&mut units)).await;
        }
        found
    }

    /// All sites of an agreement.
    ///
    /// # Errors
    /// [`Failure`] when the node refuses.
    pub async fn sites(session: &Session, parent: &str) -> Result<Self, Failure> {
        let mut found = Self::default();
        found.read_sites(session, parent, None).await?;
        Ok(found)
    }

    /// All units of an agreement.
    ///
    /// # Errors
    /// [`Failure`] when the node refuses.
    pub async fn units(session: &Session, parent: &str) -> Result<Self, Failure> {
        let mut found = Self::default();
        found.read_units(session, parent, None).await?;
        Ok(found)
    }

    /// All sites and units of an agreement.
    ///
    /// # Errors
    /// [`Failure`] when the node refuses.
    pub async fn all(session: &Session, parent: &str) -> Result<Self, Failure> {
        let mut found = Self::sites(session, parent).await?;
        found.read_units(session, parent, None).await?;
        Ok(found)
    }

    async fn read_sites(
        &mut self,
        session: &Session,
        parent: &str,
        mut wanted: Option<&mut BTreeSet<String>>,
    ) -> Result<(), Failure> {
        let mut request = pb::ListSitesRequest {
            parent: parent.to_owned(),
            page_size: 200,
            ..pb::ListSitesRequest::default()
        };
        for _ in 0..PAGES_MAX {
            let answer = session.client.sites().list_sites(request.clone()).await;
            let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
            for site in page.sites {
                let record = site.record.unwrap_or_default();
                self.add(site.name, site.city, vec![record.name, record.uscc], &mut wanted);
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() || wanted.as_ref().is_some_and(|all| all.is_empty()) {
                break;
            }
        }
        Ok(())
    }

    async fn read_units(
        &mut self,
        session: &Session,
        parent: &str,
        mut wanted: Option<&mut BTreeSet<String>>,
    ) -> Result<(), Failure> {
        let mut request = pb::ListUnitsRequest {
            parent: parent.to_owned(),
            page_size: 200,
            with_retired: true,
            ..pb::ListUnitsRequest::default()
        };
        for _ in 0..PAGES_MAX {
            let answer = session.client.units().list_units(request.clone()).await;
            let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
            for unit in page.units {
                let record = unit.record.unwrap_or_default();
                self.add(unit.name, unit.city, vec![record.number], &mut wanted);
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() || wanted.as_ref().is_some_and(|all| all.is_empty()) {
                break;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        name: String,
        city: u32,
        called: Vec<String>,
        wanted: &mut Option<&mut BTreeSet<String>>,
    ) {
        if let Some(wanted) = wanted {
            wanted.remove(&name);
        }
        if let Some(label) = called.first() {
            self.labels.learn(name.clone(), label);
        }
        self.things.push(Thing { name, city, called });
    }

    /// What people call them.
    #[must_use]
    pub const fn labels(&self) -> &Labels {
        &self.labels
    }

    /// A site by its name, credit code, the beginning of its id, or its resource name.
    ///
    /// # Errors
    /// [`Failure`] when there is none or more than one.
    pub fn site(&self, given: &str, lang: Lang) -> Result<String, Failure> {
        let advice = lang.pick(
            "写企业全称、信用代码，或 liandong site list 中的编号（至少 4 位）",
            "give its name, its credit code, or 4 digits of its id in liandong site list",
        );
        self.find("/sites/", given, &|_| true).map_err(|several| {
            unknown((given, lang.pick("检查对象", "site")), several, lang).advise(advice)
        })
    }

    /// A unit by its number, the beginning of its id, or its resource name. Numbers of other cities
    /// may be anything, so the caller says whose it may be.
    ///
    /// # Errors
    /// [`Failure`] when there is none or more than one.
    pub fn unit(
        &self,
        given: &str,
        of: &dyn Fn(u32) -> bool,
        lang: Lang,
    ) -> Result<String, Failure> {
        let advice = lang.pick(
            "写证号、牌号，或 liandong unit list 中的编号（至少 4 位）",
            "give its number, or at least 4 digits of its id in liandong unit list",
        );
        self.find("/units/", given, of).map_err(|several| {
            unknown((given, lang.pick("执法力量", "unit")), several, lang).advise(advice)
        })
    }

    fn find(
        &self,
        kind: &str,
        given: &str,
        of: &dyn Fn(u32) -> bool,
    ) -> Result<String, Vec<String>> {
        if given.starts_with("agreements/") {
            return Ok(given.to_owned());
        }
        let (upper, lower) = (given.to_uppercase(), given.to_ascii_lowercase());
        let things = || {
            let all = self.things.iter();
            all.filter(|one| one.name.contains(kind) && of(one.city))
        };
        let called = |one: &&Thing| one.called.iter().any(|name| name.to_uppercase() == upper);
        let begins = |one: &&Thing| {
            let id = one.name.rsplit('/').next().unwrap_or_default();
            lower.len() >= SHORT_MIN && id.starts_with(&lower)
        };
        let mut found: Vec<&Thing> = things().filter(called).collect();
        if found.is_empty() {
            found = things().filter(begins).collect();
        }
        match found.as_slice() {
            [one] => Ok(one.name.clone()),
            several => Err(several.iter().map(|one| one.name.clone()).collect()),
        }
    }
}

fn unknown((given, what): (&str, &str), several: Vec<String>, lang: Lang) -> Failure {
    let given = clean(given);
    let said = match several.is_empty() {
        true => lang.pick(format!("找不到{what} {given}"), format!("no {what} {given}")),
        false => {
            lang.pick(format!("{given} 对应多个{what}"), format!("{given} is more than one {what}"))
        }
    };
    let mut failure = Failure::new(Exit::Refused, "NOT_FOUND", said);
    failure.details = several;
    failure
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A site, an officer here, and one of the same number there.
    pub(in crate::cli::plan) fn sample() -> Register {
        let mut register = Register::default();
        let id = |kind: &str, first: &str| format!("agreements/0/{kind}/{first}{}", "0".repeat(24));
        let uscc = "91371522YYYY90011A";
        let mut add = |name: String, city, called: &[&str]| {
            let called = called.iter().map(|one| (*one).to_owned()).collect();
            register.add(name, city, called, &mut None);
        };
        add(id("sites", "abcd1234"), 371_500, &["示例1号纸业", uscc]);
        add(id("sites", "abcd5678"), 371_500, &["示例2号纸业", uscc]);
        add(id("units", "11112222"), 371_500, &["37150099001"]);
        add(id("units", "33334444"), 130_400, &["37150099001"]);
        register
    }

    #[test]
    fn things_are_found_by_what_people_call_them() {
        let register = sample();
        let site = |given: &str| register.site(given, Lang::Zh).map_err(|f| f.details.len());
        for given in ["示例1号纸业", "abcd1", "ABCD1234"] {
            assert!(site(given).unwrap().contains("/sites/abcd1234"), "{given}");
        }
        assert_eq!(site("91371522yyyy90011a"), Err(2), "two plants of one enterprise");
        assert_eq!((site("abcd"), site("abc"), site("1111")), (Err(2), Err(0), Err(0)));
        assert_eq!(site("agreements/0/sites/x").unwrap(), "agreements/0/sites/x");
        let unit = |own: bool| register.unit("37150099001", &|c| (c == 371_500) == own, Lang::En);
        assert!(unit(true).unwrap().contains("/11112222"));
        assert!(unit(false).unwrap().contains("/33334444"));
        assert_eq!(register.labels().label("agreements/0/sites/ffff00001111"), "ffff0000");
    }
}
