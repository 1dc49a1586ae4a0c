//! What cities are called.
//!
//! In scope: names from the signed agreements, with those of the catalogue as a fallback.
//! Out of scope: whether a city is a member of anything.

use std::collections::BTreeMap;

use super::text::clean;
use crate::domain::catalogue::{Catalogue, Division};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// What cities and agreements are called, in one language.
#[derive(Clone, Debug)]
pub struct Names {
    lang: Lang,
    cities: BTreeMap<u32, String>,
    agreements: BTreeMap<String, String>,
    duties: BTreeMap<u32, (String, String)>,
}

impl Names {
    /// The usual names only.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        let catalogue = Catalogue::shipped();
        let cities =
            catalogue.divisions().iter().filter(|one| CityCode::from_u32(one.code).is_ok());
        let name = |one: &Division| {
            let zh = one.zh.as_str().trim_end_matches('市');
            (one.code, lang.pick(zh, one.en.as_str()).to_owned())
        };
        Self {
            lang,
            cities: cities.map(name).collect(),
            agreements: BTreeMap::new(),
            duties: BTreeMap::new(),
        }
    }

    /// Takes names from agreements; English names of known cities stay.
    pub fn learn(&mut self, agreements: &[pb::Agreement]) {
        for agreement in agreements {
            self.agreements.insert(agreement.name.clone(), agreement.short_name.clone());
            for member in &agreement.members {
                if !member.duty_phone.is_empty() {
                    let duty = (clean(&member.duty_contact), clean(&member.duty_phone));
                    self.duties.insert(member.city, duty);
                }
                let name = member.display_name.trim_end_matches('市');
                if !name.is_empty() {
                    self.cities.entry(member.city).or_insert_with(|| name.to_owned());
                }
            }
        }
    }

    /// A city's name, or its code.
    #[must_use]
    pub fn city(&self, code: u32) -> String {
        match self.cities.get(&code) {
            Some(name) => clean(name),
            None if code == 0 => self.lang.pick("无", "nobody").to_owned(),
            None => format!("{code:06}"),
        }
    }

    /// Who is on duty in a city, which may be empty, and the telephone, as its card gives them.
    #[must_use]
    pub fn duty(&self, code: u32) -> Option<(&str, &str)> {
        self.duties.get(&code).map(|(contact, phone)| (contact.as_str(), phone.as_str()))
    }

    /// Several cities, joined.
    #[must_use]
    pub fn list(&self, codes: impl IntoIterator<Item = u32>) -> String {
        let names: Vec<_> = codes.into_iter().map(|code| self.city(code)).collect();
        names.join(self.lang.pick("、", ", "))
    }

    /// An agreement's short name, or its id.
    #[must_use]
    pub fn agreement(&self, name: &str) -> String {
        let known = self.agreements.get(name).filter(|short| !short.is_empty());
        clean(known.map_or(name.trim_start_matches("agreements/"), String::as_str))
    }

    /// 办理权：现由 邯郸 处理.
    #[must_use]
    pub fn turn(&self, code: u32) -> String {
        match (code, self.lang) {
            (0, Lang::Zh) => "无（已归档）".to_owned(),
            (0, Lang::En) => "nobody (archived)".to_owned(),
            (code, Lang::Zh) => format!("现由 {} 处理", self.city(code)),
            (code, Lang::En) => format!("with {}", self.city(code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_agreements_and_codes_are_the_last_resort() {
        let mut names = Names::new(Lang::Zh);
        assert_eq!(names.city(370_800), "370800");
        let member = |city, name: &str| pb::Member {
            city,
            display_name: name.to_owned(),
            ..pb::Member::default()
        };
        names.learn(&[pb::Agreement {
            name: "agreements/00".to_owned(),
            short_name: "聊济".to_owned(),
            members: vec![member(370_800, "济宁市"), member(371_500, "聊城市")],
            ..pb::Agreement::default()
        }]);
        assert_eq!(names.list([370_800, 371_500]), "济宁、聊城");
        assert_eq!(names.agreement("agreements/00"), "聊济");
        assert_eq!(names.turn(130_400), "现由 邯郸 处理");
        assert_eq!(Names::new(Lang::En).turn(130_400), "with Handan");
    }
}
