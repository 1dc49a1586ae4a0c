//! What the code lists hold: every enum of the API, and what the catalogue's file adds.
//!
//! In scope: putting items together. Out of scope: words of enums ([`crate::wire::words`]), the
//! file ([`crate::domain::catalogue`]), pages ([`super::catalog_service`]).
//!
//! Cities that have signed an agreement with this one are divisions too, whatever the file says, so
//! the lists are made anew for every call; they are small.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;

use crate::domain::Campaign;
use crate::domain::catalogue::{CampaignLine, Catalogue, Named, OTHER_CAMPAIGN};
use crate::domain::deadline::Terms;
use crate::domain::pollutant::{POLLUTANTS, UNITS};
use crate::log::merkle::digest;
use crate::node::writer::NodeHandle;
use crate::wire::catalog::{deadline_out, law_out, violation_out};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::catalog_item::Detail;
use crate::wire::status::Refused;
use crate::wire::words::{self, Word};

/// What every list is called in a resource name.
const PARENT: &str = "lists/";
/// The list that says which lists there are.
const LISTS: &str = "lists";

/// The lists of a node.
#[derive(Clone)]
pub struct Lists {
    catalogue: Arc<Catalogue>,
    terms: Terms,
}

/// A list before its items have names.
struct List {
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    items: Vec<pb::CatalogItem>,
}

fn item(number: i32, code: &str, (zh, en): (&str, &str)) -> pb::CatalogItem {
    pb::CatalogItem {
        number,
        code: code.to_owned(),
        word_zh: zh.to_owned(),
        word_en: en.to_owned(),
        ..pb::CatalogItem::default()
    }
}

fn named(one: &Named) -> pb::CatalogItem {
    item(0, &one.code, (one.zh.as_str(), one.en.as_str()))
}

impl Lists {
    /// Of a catalogue, and of the terms this node counts.
    #[must_use]
    pub const fn new(catalogue: Arc<Catalogue>, terms: Terms) -> Self {
        Self { catalogue, terms }
    }

    /// The catalogue.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The values of `lists/{list}`, or of all lists for `lists/-`; and an etag, which is another
    /// one whenever any list says something else.
    ///
    /// # Errors
    /// `NAME_FORMAT`, or `LIST_UNKNOWN` with the lists there are.
    pub fn of(
        &self,
        parent: &str,
        node: &NodeHandle,
    ) -> Result<(Vec<pb::CatalogItem>, String), Refused> {
        let format = || Refused::new("NAME_FORMAT").at("parent").with("expected", "lists/{list}");
        let wanted = parent.strip_prefix(PARENT).ok_or_else(format)?;
        let all = self.all(&cities(node));
        let etag = self.etag(&all);
        if wanted == "-" {
            return Ok((all.into_iter().flat_map(|list| list.items).collect(), etag));
        }
        let names: Vec<&str> = all.iter().map(|list| list.name).collect();
        let possible = names.join(", ");
        let found = all.into_iter().find(|list| list.name == wanted);
        found
            .map(|list| (list.items, etag))
            .ok_or_else(|| Refused::new("LIST_UNKNOWN").at("parent").with("possible", possible))
    }

    fn etag(&self, all: &[List]) -> String {
        let mut said = self.catalogue.version().as_bytes().to_vec();
        for item in all.iter().flat_map(|list| &list.items) {
            said.extend(item.encode_length_delimited_to_vec());
        }
        digest(&said).to_string()
    }

    /// Every list, each item with its name.
    fn all(&self, cities: &BTreeMap<u32, String>) -> Vec<List> {
        let enums = words::lists().iter().map(|list| List {
            name: list.name,
            zh: list.zh,
            en: list.en,
            items: (list.words)().iter().map(|word| self.of_enum(list.of, word)).collect(),
        });
        let mut all: Vec<List> = enums.chain(self.of_file(cities)).collect();
        let names = all.iter().map(|list| item(0, list.name, (list.zh, list.en)));
        let items = names.chain([item(0, LISTS, ("代码表", "lists"))]).collect();
        all.insert(0, List { name: LISTS, zh: "代码表", en: "lists", items });
        for list in &mut all {
            for item in &mut list.items {
                item.parent = format!("{PARENT}{}", list.name);
                item.name = format!("{}/codes/{}", item.parent, item.code);
            }
        }
        all
    }

    fn of_enum(&self, of: &str, word: &Word) -> pb::CatalogItem {
        let detail = match of {
            "Violation" => {
                let bases = |violation| self.catalogue.bases(violation).to_vec();
                violation_out(word.number, bases).map(Detail::Violation)
            }
            "DeadlineClock" => deadline_out(word.number, &self.terms).map(Detail::Deadline),
            _ => None,
        };
        pb::CatalogItem { detail, ..item(word.number, &word.code, (word.zh, word.en)) }
    }

    /// Lists that are not enums.
    fn of_file(&self, cities: &BTreeMap<u32, String>) -> [List; 6] {
        let catalogue = &self.catalogue;
        let law = |law: &Arc<crate::domain::catalogue::Law>| pb::CatalogItem {
            detail: Some(Detail::Law(law_out(law))),
            ..named(&law.name)
        };
        let laws = catalogue.laws().iter().map(law).collect();
        let pollutants = POLLUTANTS.iter().map(|(code, zh, en)| item(0, code, (zh, en))).collect();
        let units = UNITS.iter().map(|unit| item(0, unit, (unit, unit))).collect();
        let departments = catalogue.departments().iter().map(named).collect();
        let number = |code: u32| i32::try_from(code).unwrap_or(0);
        let known = catalogue.divisions();
        let division =
            |code: u32, zh: &str, en: &str| item(number(code), &format!("{code:06}"), (zh, en));
        let mut divisions: Vec<pb::CatalogItem> =
            known.iter().map(|one| division(one.code, one.zh.as_str(), one.en.as_str())).collect();
        let new = cities.iter().filter(|(code, _)| !known.iter().any(|one| one.code == **code));
        divisions.extend(new.map(|(code, name)| division(*code, name, &format!("city {code}"))));
        let other = ("其他专项行动（另填名称）", "another campaign, by its name");
        let of_number = |one: &CampaignLine| pb::CatalogItem {
            number: i32::from(one.number.number()),
            ..named(&one.name)
        };
        let number_of_other = i32::from(Campaign::OTHER.number());
        let campaigns = [item(number_of_other, OTHER_CAMPAIGN, other)].into_iter();
        let campaigns = campaigns.chain(catalogue.campaigns().iter().map(of_number)).collect();
        let list = |name, zh, en, items| List { name, zh, en, items };
        [
            list("laws", "法律法规", "laws", laws),
            list("pollutants", "污染物", "pollutants", pollutants),
            list("units", "计量单位", "units of measurement", units),
            list("departments", "部门", "departments", departments),
            list("divisions", "行政区划", "divisions", divisions),
            list("campaigns", "专项行动", "campaigns", campaigns),
        ]
    }
}

/// Members of the agreements of this node, and what their charters call them.
fn cities(node: &NodeHandle) -> BTreeMap<u32, String> {
    let book = node.book();
    let members = book.iter().flat_map(|(_, agreement)| &agreement.charter.members);
    // A charter mostly names the authority: 聊城市生态环境局.
    let name = |name: &str| name.strip_suffix("生态环境局").unwrap_or(name).to_owned();
    members.map(|member| (member.city.as_u32(), name(&member.name))).collect()
}
