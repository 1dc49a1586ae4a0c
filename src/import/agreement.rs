//! Which agreement is meant.
//!
//! In scope: resource names, ids, short names, members. Out of scope: asking for the list.

use crate::ids::AgreementId;
use crate::lang::Lang;
use crate::shown::table::Wrong;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// `agreements/{32 hex}` from that, from 32 hexadecimal digits, or from a UUID.
#[must_use]
pub fn resource_name(given: &str) -> Option<String> {
    let id = given.strip_prefix("agreements/").unwrap_or(given);
    let id = uuid::Uuid::parse_str(id).ok()?;
    Some(format!("agreements/{}", AgreementId::new(*id.as_bytes())))
}

/// The only one with this short name.
#[must_use]
pub fn called<'a>(all: &'a [pb::Agreement], short_name: &str) -> Option<&'a pb::Agreement> {
    single(all, |one| one.short_name == short_name)
}

/// The only one that the own city can write in.
#[must_use]
pub fn only(all: &[pb::Agreement]) -> Option<&pb::Agreement> {
    single(all, |one| one.writable)
}

/// The only one whose members are exactly these cities, which ascend.
#[must_use]
pub fn of<'a>(all: &'a [pb::Agreement], cities: &[u32]) -> Option<&'a pb::Agreement> {
    single(all, |one| one.members.iter().map(|member| member.city).eq(cities.iter().copied()))
}

fn single(all: &[pb::Agreement], fits: impl Fn(&pb::Agreement) -> bool) -> Option<&pb::Agreement> {
    let mut fitting = all.iter().filter(|one| fits(one));
    let first = fitting.next();
    first.filter(|_| fitting.next().is_none())
}

/// A row is of no agreement, or may be of several.
pub(super) fn unclear(all: &[pb::Agreement], given: Option<&str>, lang: Lang) -> Wrong {
    let what = match given.map(clean) {
        Some(given) => lang.pick(
            format!("没有唯一的联动协议“{given}”"),
            format!("there is no single agreement {given:?}"),
        ),
        None => lang.pick("没有指明联动协议", "no agreement was named").to_owned(),
    };
    let names: Vec<String> = all.iter().map(|one| clean(&one.short_name)).collect();
    let names = names.join(lang.pick("、", ", "));
    let advice = lang.pick(
        format!("此格写下列简称之一：{names}；或为未写协议的各行指明一个"),
        format!("write one of these: {names}; or name one for all rows that name none"),
    );
    Wrong::new("AGREEMENT_UNCLEAR", what, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreements_are_named_in_three_ways() {
        let want = Some("agreements/0198f3c26d1e7a408f553b1c9a2e7d10".to_owned());
        for given in [
            "0198f3c2-6d1e-7a40-8f55-3b1c9a2e7d10",
            "0198f3c26d1e7a408f553b1c9a2e7d10",
            "agreements/0198f3c26d1e7a408f553b1c9a2e7d10",
        ] {
            assert_eq!(resource_name(given), want);
        }
        assert_eq!(resource_name("聊邯"), None);
    }

    #[test]
    fn one_is_meant_or_none() {
        let member = |city| pb::Member { city, ..Default::default() };
        let one = |short_name: &str, cities: &[u32]| pb::Agreement {
            short_name: short_name.to_owned(),
            members: cities.iter().copied().map(member).collect(),
            writable: short_name == "甲",
            ..Default::default()
        };
        let all = [one("甲", &[1, 2]), one("乙", &[1, 2, 3]), one("乙", &[2, 3])];
        assert_eq!((called(&all, "甲"), called(&all, "乙")), (Some(&all[0]), None));
        assert_eq!((only(&all), of(&all, &[2, 3])), (Some(&all[0]), Some(&all[2])));
        assert_eq!((only(&all[1..]), of(&all, &[1])), (None, None));
        let wrong = unclear(&all, Some("丙"), Lang::Zh);
        assert!(wrong.what.contains("“丙”") && wrong.advice.contains("甲、乙、乙"), "{wrong:?}");
    }
}
