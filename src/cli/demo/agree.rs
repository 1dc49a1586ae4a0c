//! Whether all cities agree, and if not, in what they differ.
//!
//! In scope: comparing what the nodes told. Out of scope: asking them ([`super::picture`]).
//!
//! Invariants:
//! 1. Agreement means: every log of every agreement with one size and root on all its members,
//!    everything applied, every member's receipt at the author; the same cases, field by field;
//!    and nothing at all of it on any other node. (`every_difference_is_named`)

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::cities::Door;
use super::picture::{self, CityPicture, Picture};
use crate::cli::failure::{Exit, Failure};
use crate::cli::fleet::{Agreement, Fleet};
use crate::cli::names::Names;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// More differences than this help nobody.
const DIFFERENCES_SHOWN_MAX: usize = 20;

/// Waits until all agree.
///
/// # Errors
/// [`Exit::NotSynced`] with what still differs after `within`.
pub async fn until_all_agree(
    doors: &BTreeMap<u32, Door>,
    fleet: &Fleet,
    within: Duration,
    lang: Lang,
) -> Result<Picture, Failure> {
    let begun = Instant::now();
    let compare = Compare { fleet, names: Names::new(lang), lang };
    loop {
        // Cases are many; they are looked at when nothing else differs.
        let mut left = match picture::take(doors, fleet, false).await {
            Ok(picture) => compare.logs(&picture),
            Err(failure) => vec![failure.what],
        };
        if left.is_empty() {
            match picture::take(doors, fleet, true).await {
                Ok(picture) => {
                    left = compare.everything(&picture);
                    if left.is_empty() {
                        return Ok(picture);
                    }
                }
                Err(failure) => left.push(failure.what),
            }
        }
        if begun.elapsed() > within {
            let seconds = within.as_secs();
            let what = lang.pick(
                format!("{seconds} 秒内各市未达成一致，差异 {} 处", left.len()),
                format!("after {seconds} s the cities differ in {} places", left.len()),
            );
            let failure = Failure::new(Exit::NotSynced, "NOT_SYNCED", what);
            let shown = left.into_iter().take(DIFFERENCES_SHOWN_MAX);
            return Err(shown.fold(failure, Failure::detail));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Compares what the cities of a fleet hold.
struct Compare<'a> {
    fleet: &'a Fleet,
    names: Names,
    lang: Lang,
}

impl Compare<'_> {
    fn everything(&self, picture: &Picture) -> Vec<String> {
        let mut left = self.logs(picture);
        for agreement in &self.fleet.agreements {
            self.cases(picture, agreement, &mut left);
        }
        left
    }

    fn logs(&self, picture: &Picture) -> Vec<String> {
        let mut left = Vec::new();
        for agreement in &self.fleet.agreements {
            for author in &agreement.members {
                let own = picture.get(author).and_then(|city| own_log(city, &agreement.name()));
                match own {
                    Some(own) => self.log(picture, agreement, own, &mut left),
                    None => left.push(self.about(agreement, *author, "没有记录", "no log")),
                }
            }
            let outside = picture.iter().filter(|(code, _)| !agreement.members.contains(code));
            for (code, city) in outside {
                let known = city.agreements.contains(&agreement.name());
                if known || city.logs.iter().any(|log| log.agreement == agreement.name()) {
                    let (zh, en) = ("不是成员却有其内容", "is no member and yet holds it");
                    left.push(self.about(agreement, *code, zh, en));
                }
            }
        }
        left
    }

    /// One log on all members.
    fn log(&self, picture: &Picture, of: &Agreement, own: &pb::Log, left: &mut Vec<String>) {
        for member in &of.members {
            let held = picture
                .get(member)
                .and_then(|city| city.logs.iter().find(|log| log.log_id == own.log_id));
            let whose = self.names.city(own.city);
            let Some(held) = held else {
                let zh = format!("没有{whose}的记录");
                left.push(self.about(of, *member, &zh, &format!("has nothing of {whose}")));
                continue;
            };
            let (size, wanted) = (held.stored_size, own.stored_size);
            if size != wanted || held.root != own.root {
                let zh = format!("{whose}的记录：{size} 条，应为 {wanted} 条或根不同");
                let en = format!("of {whose}: {size} of {wanted}, or another root");
                left.push(self.about(of, *member, &zh, &en));
            }
            if held.applied_size != size || !held.waiting_for.is_empty() || held.standing {
                let zh = format!("{whose}的记录：{size} 条中 {} 条已生效", held.applied_size);
                let en = format!("of {whose}: {} of {size} readable", held.applied_size);
                left.push(self.about(of, *member, &zh, &en));
            }
            if held.misfit_count != 0 {
                let zh = format!("{whose}的记录：{} 条未生效", held.misfit_count);
                let en = format!("of {whose}: {} did not take effect", held.misfit_count);
                left.push(self.about(of, *member, &zh, &en));
            }
            let receipt = own.cosignatures.iter().any(|c| c.city == *member && c.size >= wanted);
            if *member != own.city && wanted > 0 && !receipt {
                let zh = format!("{whose}尚未收到系统送达");
                let en = format!("{whose} has no receipt of it yet");
                left.push(self.about(of, *member, &zh, &en));
            }
        }
    }

    /// The cases of an agreement on all cities.
    fn cases(&self, picture: &Picture, of: &Agreement, left: &mut Vec<String>) {
        let mut first: Option<BTreeMap<&str, pb::Case>> = None;
        for (code, city) in picture {
            let cases = city.cases.get(&of.name()).and_then(Option::as_ref);
            match (of.members.contains(code), cases) {
                (false, None) => {}
                (false, Some(_)) => {
                    left.push(self.about(of, *code, "不是成员却能查到", "is no member, yet reads"));
                }
                (true, None) => left.push(self.about(of, *code, "查不到案件", "reads no cases")),
                (true, Some(cases)) => {
                    let cases: BTreeMap<_, _> =
                        cases.iter().map(|case| (case.name.as_str(), shared(case))).collect();
                    let Some(first) = &first else {
                        first = Some(cases);
                        continue;
                    };
                    self.same_cases(of, *code, first, &cases, left);
                }
            }
        }
    }

    fn same_cases(
        &self,
        of: &Agreement,
        code: u32,
        first: &BTreeMap<&str, pb::Case>,
        cases: &BTreeMap<&str, pb::Case>,
        left: &mut Vec<String>,
    ) {
        for (name, case) in cases {
            if first.get(name) != Some(case) {
                let zh = format!("案件 {} 与他市不同", case.number);
                let en = format!("case {} differs from another city's", case.number);
                left.push(self.about(of, code, &zh, &en));
            }
        }
        for (_, case) in first.iter().filter(|(name, _)| !cases.contains_key(*name)) {
            let zh = format!("没有案件 {}", case.number);
            left.push(self.about(of, code, &zh, &format!("has no case {}", case.number)));
        }
    }

    fn about(&self, agreement: &Agreement, code: u32, zh: &str, en: &str) -> String {
        let (short, city) = (&agreement.short_name, self.names.city(code));
        format!("{short} {city}: {}", self.lang.pick(zh, en))
    }
}

/// The log that a city writes in an agreement.
#[must_use]
pub fn own_log<'a>(city: &'a CityPicture, agreement: &str) -> Option<&'a pb::Log> {
    city.logs.iter().find(|log| log.own && log.agreement == agreement)
}

/// What of a case is the same for all: without what may be done next, which is each city's own,
/// and without the natural person, whom only cities that handled the case may see.
fn shared(case: &pb::Case) -> pb::Case {
    pb::Case { allowed_steps: Vec::new(), person: None, ..case.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fleet::Agreement;

    const HERE: u32 = 371_500;
    const THERE: u32 = 130_400;
    const OUTSIDE: u32 = 371_400;

    fn fleet() -> Fleet {
        let agreement = Agreement {
            id: "a".to_owned(),
            short_name: "聊邯".to_owned(),
            members: vec![THERE, HERE],
        };
        Fleet::of_agreements(vec![agreement])
    }

    fn log(city: u32, own: bool) -> pb::Log {
        let other = if city == HERE { THERE } else { HERE };
        let receipt = pb::Cosignature { city: other, size: 3, ..pb::Cosignature::default() };
        pb::Log {
            log_id: city.to_string(),
            agreement: "agreements/a".to_owned(),
            city,
            stored_size: 3,
            applied_size: 3,
            root: "r".to_owned(),
            cosignatures: vec![receipt],
            own,
            ..pb::Log::default()
        }
    }

    fn picture() -> Picture {
        let case = pb::Case {
            name: "agreements/a/cases/b".to_owned(),
            etag: "e".to_owned(),
            ..pb::Case::default()
        };
        let city = |code: u32| CityPicture {
            logs: vec![log(HERE, code == HERE), log(THERE, code == THERE)],
            agreements: vec!["agreements/a".to_owned()],
            cases: BTreeMap::from([("agreements/a".to_owned(), Some(vec![case.clone()]))]),
            ..CityPicture::default()
        };
        let outside = CityPicture {
            cases: BTreeMap::from([("agreements/a".to_owned(), None)]),
            ..CityPicture::default()
        };
        BTreeMap::from([(HERE, city(HERE)), (THERE, city(THERE)), (OUTSIDE, outside)])
    }

    fn left(change: impl FnOnce(&mut Picture)) -> usize {
        let mut picture = picture();
        change(&mut picture);
        let compare = Compare { fleet: &fleet(), names: Names::new(Lang::En), lang: Lang::En };
        compare.everything(&picture).len()
    }

    fn there(picture: &mut Picture) -> &mut CityPicture {
        picture.get_mut(&THERE).unwrap()
    }

    fn its_case(picture: &mut Picture) -> &mut pb::Case {
        let cases = there(picture).cases.get_mut("agreements/a").unwrap();
        &mut cases.as_mut().unwrap()[0]
    }

    type Change = fn(&mut Picture);

    #[test]
    fn every_difference_is_named() {
        assert_eq!(left(|_| {}), 0);
        assert_eq!(left(|p| its_case(p).allowed_steps.push(1)), 0, "each city's own");
        let rows: [(&str, Change); 11] = [
            ("size", |p| there(p).logs[0].stored_size = 2),
            ("root", |p| there(p).logs[0].root.clear()),
            ("applied", |p| there(p).logs[0].applied_size = 2),
            ("waiting", |p| there(p).logs[0].waiting_for.push('x')),
            ("standing", |p| there(p).logs[0].standing = true),
            ("misfit", |p| there(p).logs[0].misfit_count = 1),
            ("absent", |p| drop(there(p).logs.remove(0))),
            ("receipt", |p| there(p).logs[1].cosignatures.clear()),
            ("field", |p| its_case(p).etag.clear()),
            ("case", |p| there(p).cases.values_mut().flatten().for_each(Vec::clear)),
            ("leak", |p| {
                let log = p[&HERE].logs[0].clone();
                p.get_mut(&OUTSIDE).unwrap().logs.push(log);
            }),
        ];
        for (what, change) in rows {
            assert!(left(change) > 0, "{what}");
        }
    }
}
