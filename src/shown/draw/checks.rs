//! The draw of a plan worked out again, told as one thing after the other that has to be so.
//!
//! In scope: which things, in words. Out of scope: working out ([`super`]).

use super::{Group, Published, Seed};
use crate::lang::Lang;
use crate::shown::names::Names;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::plan_shown::pool_digest;

/// One thing that was looked at when a draw was worked out again.
#[derive(Debug)]
pub struct Check {
    /// What.
    pub what: String,
    /// What is wrong; none when it passed.
    pub wrong: Option<String>,
}

impl Group {
    /// Whether it comes out as published.
    fn check(&self, seed: Option<&Seed>, lang: Lang) -> Check {
        let (name, drawn, listed) = (clean(&self.name), self.drawn.len(), self.pool.len());
        let what = lang.pick(
            format!("{name}：按种子从 {listed} 个中重新抽取 {drawn} 个，对象和顺序与结果一致"),
            format!("{name}: {drawn} of {listed} drawn again by the seed, in the same order"),
        );
        let wrong = match seed.map(|seed| self.drawn_again(seed, lang)) {
            None => Some(lang.pick("没有种子，无法计算", "there is no seed").to_owned()),
            Some(Ok(outcome)) => outcome.difference(lang),
            Some(Err(fault)) => Some(fault.what),
        };
        Check { what, wrong }
    }
}

impl Published {
    /// What is wrong with the officers; none where the file has none.
    fn teams_differ(&self, seed: Option<&Seed>, lang: Lang) -> Option<Option<String>> {
        self.teams.as_ref()?;
        match seed.map(|seed| self.teams(seed, lang)) {
            None => Some(Some(lang.pick("没有种子，无法计算", "there is no seed").to_owned())),
            Some(Ok(found)) => found.map(|one| one.wrong),
            Some(Err(fault)) => Some(Some(fault.what)),
        }
    }
}

/// Works out the file of a plan's draw again, and compares it with what the plan shows: each thing
/// that has to be so, passed or not.
#[must_use]
pub fn checks(file: &str, plan: &pb::Plan, names: &Names, lang: Lang) -> Vec<Check> {
    let check = |what: String, wrong: Option<String>| Check { what, wrong };
    let form = lang.pick("导出文件的格式", "form of the exported file").to_owned();
    let published = match Published::read(file.as_bytes(), lang) {
        Ok(published) => published,
        Err(why) => return vec![check(form, Some(why))],
    };
    let groups = lang.pick(
        "名单中各对象只出现一次，且有抽取结果",
        "nobody is listed twice, and somebody was drawn",
    );
    let mut all = vec![
        check(form, None),
        check(groups.to_owned(), published.check_groups(lang).err().map(|fault| fault.what)),
    ];
    for city in published.commitments.keys() {
        let code: Option<u32> = city.parse().ok();
        let name = code.map_or_else(|| clean(city), |code| names.city(code));
        let what = lang.pick(
            format!("{name}公开的随机数与其承诺相符"),
            format!("what {name} has shown is what it committed to"),
        );
        let wrong = match published.is_kept(city) {
            Some(true) => None,
            Some(false) => Some(lang.pick("不相符", "it is not")),
            None => Some(lang.pick("没有公开", "nothing was shown")),
        };
        all.push(check(what, wrong.map(str::to_owned)));
    }
    let listed = plan.draw_rule.as_ref().is_some_and(|rule| {
        pool_digest(&plan.pool).is_some_and(|hash| *rule.pool_hash == *hash.as_bytes())
    });
    all.push(check(
        lang.pick(
            "名单与本版方案签名记录中的摘要一致",
            "the list has the digest that the signed revision names",
        )
        .to_owned(),
        (!listed).then(|| lang.pick("摘要不同", "its digest differs").to_owned()),
    ));
    let shown = plan.draw.as_ref().map_or("", |draw| draw.seed.as_str());
    let seed = published.seed(lang);
    let wrong = match &seed {
        Err(fault) => Some(fault.what.clone()),
        Ok(seed) if seed.as_str() == shown => None,
        Ok(seed) => {
            let seed = clean(seed.as_str());
            Some(lang.pick(format!("算出的种子是 {seed}"), format!("the seed comes to {seed}")))
        }
    };
    let what = lang.pick(
        "由各市随机数算出的种子与方案所示一致",
        "the seed of all parts is the one that the plan shows",
    );
    all.push(check(what.to_owned(), wrong));
    let drawn = published.groups.iter().map(|group| group.check(seed.as_ref().ok(), lang));
    all.extend(drawn);
    if let Some(wrong) = published.teams_differ(seed.as_ref().ok(), lang) {
        let what = lang.pick(
            "按种子重新编排各对象的执法人员，与结果一致，回避的没有编入",
            "officers of each site come out again by the seed, and none where he is recused",
        );
        all.push(check(what.to_owned(), wrong));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draw::{Member, Pool, commitment};
    use crate::ids::{CityCode, Hash, SubjectId, hex};

    /// A plan of two cities whose draw has been shown, with targets as they come out.
    fn drawn() -> pb::Plan {
        let id = SubjectId::new([7; 16]);
        let cities = [130_400_u32, 371_500];
        let part = |city: u32| *Hash::of(&[&city.to_be_bytes()]).as_bytes();
        let code = |city| CityCode::from_u32(city).unwrap();
        let bound = |city| commitment(id, 1, code(city), &part(city));
        let commitments = cities.map(|city| (code(city), bound(city))).into();
        let reveals = cities.map(|city| (code(city), part(city))).into();
        let seed = Seed::joint(id, 1, &commitments, &reveals).unwrap();
        let site = |nth: u8| pb::PoolSite {
            site_id: vec![nth; 16].into(),
            city: 371_500,
            tier: pb::SiteTier::Key.into(),
            left_out: 0,
        };
        let pool: Vec<pb::PoolSite> = (0..9).map(site).collect();
        let members = pool.iter().map(|one| Member { id: hex(&one.site_id), weight: 2 }).collect();
        let targets = Pool::new(members).unwrap();
        let targets = targets.draw(&seed, 3).unwrap();
        let visit =
            |id: &&str| pb::PlanVisit { site: format!("a/sites/{id}"), ..Default::default() };
        let weights = Some(pb::TierWeights { key: 2, general: 1, special: 1 });
        let pool_hash = pool_digest(&pool).unwrap().as_bytes().to_vec().into();
        pb::Plan {
            name: format!("agreements/0/plans/{id}"),
            revision: 1,
            draw_rule: Some(pb::DrawRule { weights, pool_hash, ..Default::default() }),
            visits: targets.iter().map(visit).collect(),
            pool,
            draw: Some(pb::PlanDraw {
                seed: seed.as_str().to_owned(),
                commitments: cities
                    .map(|city| pb::CityCommitment { city, commitment: bound(city).to_string() })
                    .to_vec(),
                reveals: cities
                    .map(|city| pb::DrawReveal { city, random: hex(&part(city)) })
                    .to_vec(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// Places of the checks that did not pass, of how many.
    fn failed(change: impl FnOnce(&mut pb::Plan)) -> (Vec<usize>, usize) {
        let mut plan = drawn();
        change(&mut plan);
        let file = Published::of(&plan).unwrap().text();
        let all = checks(&file, &plan, &Names::new(Lang::Zh), Lang::Zh);
        let wrong = all.iter().enumerate().filter(|(_, one)| one.wrong.is_some());
        (wrong.map(|(nth, _)| nth).collect(), all.len())
    }

    #[test]
    fn each_check_of_a_draw_fails_by_itself() {
        assert_eq!(failed(|_| ()), (vec![], 7));
        assert_eq!(failed(|plan| plan.pool[0].site_id = plan.pool[1].site_id.clone()).0[0], 1);
        let shown =
            |plan: &mut pb::Plan| plan.draw.as_mut().unwrap().reveals[0].random = "0".repeat(64);
        assert_eq!(failed(shown), (vec![2, 5, 6], 7), "other bytes, so no seed and no order");
        let silent = |plan: &mut pb::Plan| {
            plan.draw.as_mut().unwrap().reveals.remove(1);
        };
        assert_eq!(failed(silent), (vec![3, 5, 6], 7));
        let listed = |plan: &mut pb::Plan| plan.pool[0].left_out = 1;
        assert!(failed(listed).0.contains(&4), "another list than the signed one");
        let seed = |plan: &mut pb::Plan| plan.draw.as_mut().unwrap().seed = "0".repeat(64);
        assert_eq!(failed(seed), (vec![5], 7));
        assert_eq!(failed(|plan| plan.visits.swap(0, 2)), (vec![6], 7));
    }

    #[test]
    fn nothing_is_published_before_it_is_drawn_or_of_a_part() {
        let of = |change: fn(&mut pb::Plan)| {
            let mut plan = drawn();
            change(&mut plan);
            Published::of(&plan).is_some()
        };
        assert!(of(|_| ()));
        assert!(!of(|plan| plan.draw = None) && !of(|plan| plan.draw_rule = None));
        assert!(!of(|plan| plan.draw.as_mut().unwrap().seed.clear()));
        assert!(!of(|plan| plan.visits_are_partial = true) && !of(|plan| plan.visits.clear()));
        let other = r#"{"schema":"liandong-draw/2","groups":[]}"#;
        assert!(Published::read(other.as_bytes(), Lang::Zh).unwrap_err().contains("应为"));
    }
}
