//! What a plan may lack, one thing at a time.

use super::ready::{
    Finding, Force, Remark, of_city, of_host, of_scheduled, remarks, to_begin, to_schedule,
};
use super::*;
use crate::domain::code::Language;
use crate::domain::site::{LeftOut, Listing, ListingStatus, VisitException, Visited};

type Change = fn(&mut World);
type Row = (Change, &'static [&'static str]);

/// What is changed, and what that makes the plan lack.
fn rows() -> Vec<Row> {
    [of_days_and_answers(), of_units(), of_sites()].concat()
}

fn of_days_and_answers() -> Vec<Row> {
    vec![
        (|_| {}, &[]),
        (|w| w.today = date("2026-12-09"), &["2026-12-08 已经过去"]),
        (|w| w.term.1 = date("2026-12-08"), &["2026-12-09 不在协议有效期内"]),
        (
            |w| w.plan.facts.days[2].at = half("2026-12-12上午"),
            &["2026-12-12 为休息日，未注明加班"],
        ),
        (
            |w| w.plan.facts.days[2].at = half("2027-01-12上午"),
            &["2027-01-12 是否上班尚不确定（当年放假安排未公布），须待公布或注明加班"],
        ),
        (
            |w| {
                w.plan.facts.days[2] = PlanDay { at: half("2026-12-12上午"), overtime: true };
            },
            &[],
        ),
        (
            |w| {
                w.rules.rest_days_flagged = false;
                w.plan.facts.days[2].at = half("2026-12-12上午");
            },
            &[],
        ),
        (
            |w| {
                w.answers.insert(handan(), AnswerKind::ChangesRequested);
                w.sent.remove(&handan());
            },
            &["邯郸尚未确认本版方案（现为“要求调整”）"],
        ),
        (
            |w| {
                w.answers.remove(&handan());
                w.sent.remove(&handan());
            },
            &["邯郸尚未答复本版方案"],
        ),
        (
            |w| {
                w.answers.insert(puyang(), AnswerKind::Withdraw);
                w.sent.remove(&puyang());
            },
            &["濮阳已退出"],
        ),
    ]
}

fn of_units() -> Vec<Row> {
    vec![
        (|w| drop(sent(w).drain(..2)), &["邯郸缺执法人员2名", HOST]),
        (|w| sent(w).truncate(3), &["邯郸缺执法车辆1辆"]),
        (
            |w| w.plan.facts.cities[0].needs[1].department = Some(Department::Water),
            &["邯郸缺水利执法车辆1辆"],
        ),
        (|w| sent(w)[3].unit = id(250), &["〔250〕不是邯郸登记的人员或装备", "邯郸缺执法车辆1辆"]),
        (
            |w| sent(w)[3].unit = units_of(1)[3],
            &["〔113〕不是邯郸登记的人员或装备", "邯郸缺执法车辆1辆"],
        ),
        (|w| unit(w, 3).retired = true, &["邯郸的〔103〕已停用", "邯郸缺执法车辆1辆"]),
        (|w| unit(w, 0).retired = true, &["邯郸的〔100〕已离岗", "邯郸缺执法人员1名"]),
        // Who comes on one half day only is missing on the others, and asked only for that one.
        (
            |w| {
                sent(w)[0].span = Some(Span { first: 0, last: 0 });
                unit(w, 0).taken.insert(half("2026-12-08下午"));
            },
            &["邯郸缺执法人员1名"],
        ),
        // Where the ecology department takes part, its officers lead.
        (
            |w| {
                unit(w, 0).department = Department::Water;
                unit(w, 1).department = Department::Water;
            },
            &[HOST],
        ),
        (
            |w| {
                w.plan.facts.departments = vec![Department::Water];
                w.units.values_mut().for_each(|one| one.department = Department::Water);
            },
            &[],
        ),
        (
            |w| unit(w, 0).valid.1 = Some(date("2026-12-08")),
            &["邯郸的〔100〕执法证在 2026-12-09 不在有效期内", "邯郸缺执法人员1名"],
        ),
        (
            |w| unit(w, 0).valid.0 = Some(date("2026-12-09")),
            &["邯郸的〔100〕执法证在 2026-12-08 不在有效期内", "邯郸缺执法人员1名"],
        ),
        (
            |w| {
                unit(w, 0).taken.insert(half("2026-12-08下午"));
            },
            &["邯郸的〔100〕在2026-12-08下午已有安排", "邯郸缺执法人员1名"],
        ),
    ]
}

fn of_sites() -> Vec<Row> {
    vec![
        (|w| w.sites.retain(|site, _| *site != id(1)), &["〔1〕不在名录库内"]),
        (
            |w| w.sites.get_mut(&id(1)).unwrap().city = xingtai(),
            &["〔1〕位于邢台，该市未参加本次行动"],
        ),
        (|w| left_out(w, LeftOut::PositiveList), &["〔1〕：正面清单"]),
        (|w| left_out(w, LeftOut::Capped), &["〔1〕：已达年度检查频次上限"]),
        (|w| left_out(w, LeftOut::Closed), &["〔1〕：已关停"]),
        (
            |w| {
                let site = Some(id(1));
                let recusal = |officer: u8| Recusal { officer: id(officer), site };
                w.sent.get_mut(&handan()).unwrap().recusals = vec![recusal(100), recusal(101)];
            },
            &[HOST],
        ),
        // Two sites of Handan at once need four officers, and it sends three.
        (
            |w| w.sites.get_mut(&id(2)).unwrap().city = handan(),
            &["2026-12-08上午检查〔2〕，属地邯郸缺执法人员1名"],
        ),
        (|w| w.rules.host_officers = 1, &[]),
        (
            |w| w.rules.host_officers = 4,
            &[
                HOST,
                "2026-12-08上午检查〔2〕，属地聊城缺执法人员1名",
                "2026-12-08下午检查〔2〕，属地聊城缺执法人员1名",
                "2026-12-09上午检查〔3〕，属地濮阳缺执法人员1名",
            ],
        ),
    ]
}

const HOST: &str = "2026-12-08上午检查〔1〕，属地邯郸缺执法人员1名";

fn sent(world: &mut World) -> &mut Vec<SentUnit> {
    &mut world.sent.get_mut(&handan()).unwrap().units
}

fn unit(world: &mut World, place: usize) -> &mut UnitStanding {
    world.units.get_mut(&units_of(0)[place]).unwrap()
}

fn left_out(world: &mut World, why: LeftOut) {
    let site = world.sites.get_mut(&id(1)).unwrap();
    match why {
        LeftOut::Closed => site.closed = true,
        LeftOut::PositiveList => site.listings = vec![listed()],
        LeftOut::Capped => {
            site.visited.insert(2026, one_left(0));
        }
    }
}

fn listed() -> Listing {
    Listing {
        status: ListingStatus::Active,
        admitted_on: date("2025-01-01"),
        expires_on: date("2027-12-31"),
        removed_for: None,
        monitoring: Vec::new(),
    }
}

/// So many visits are left under a cap of three.
fn one_left(left: u32) -> Visited {
    Visited { made: 3 - left, reserved: 0, most: 3 }
}

fn record(id: SubjectId) -> String {
    format!("〔{}〕", id.as_bytes()[0])
}

fn in_chinese(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|one| one.explain(Language::Zh, &name, &record)).collect()
}

#[test]
fn everything_a_plan_may_lack_in_a_table() {
    for (row, (change, want)) in rows().into_iter().enumerate() {
        let mut world = World::new();
        change(&mut world);
        assert_eq!(in_chinese(&to_schedule(&world.look())), want, "row {row}");
        for finding in to_schedule(&world.look()) {
            let ((rule, _), (source, _)) = finding.rule();
            assert!(!rule.is_empty() && !source.is_empty(), "row {row}");
            let english = finding.explain(Language::En, &|code| code.to_string(), &record);
            assert!(!english.ends_with('.') && !finding.field().is_empty(), "{english}");
        }
    }
    super::wrong::everything_that_may_be_wrong_has_its_field();
}

/// What a city commits to is looked at when it commits, and it hears of nothing else.
#[test]
fn a_city_hears_what_is_wrong_with_its_own() {
    for (row, (change, _)) in rows().into_iter().enumerate() {
        let mut world = World::new();
        change(&mut world);
        let of = |city| {
            let mut all = to_schedule(&world.look());
            all.retain(|finding| match finding {
                Finding::Short { city: who, .. }
                | Finding::UnitForeign { city: who, .. }
                | Finding::UnitRetired { city: who, .. }
                | Finding::CertificateInvalid { city: who, .. }
                | Finding::DoubleBooked { city: who, .. }
                | Finding::HostShort { city: who, .. } => *who == city,
                Finding::SiteLeftOut { .. } => city == handan(),
                // Nobody confirms a visit to a site that nobody knows or can lead at.
                Finding::SiteUnknown { .. } | Finding::SiteForeign { .. } => true,
                Finding::DayPast { .. }
                | Finding::OutsideTerm { .. }
                | Finding::RestDay { .. }
                | Finding::CalendarUnknown { .. }
                | Finding::NotConfirmed { .. }
                | Finding::Withdrawn { .. }
                | Finding::PoolDiffers
                | Finding::PoolSiteDiffers { .. }
                | Finding::DrawShort { .. }
                | Finding::NotCommitted { .. }
                | Finding::RevealMissing { .. } => false,
            });
            all
        };
        for city in [handan(), liaocheng(), puyang()] {
            assert_eq!(of_host(&world.look(), city), of(city), "row {row}");
            assert!(of_host(&world.look(), city).starts_with(&of_city(&world.look(), city)));
        }
    }
}

/// A plan that no longer meets the rules says so, and does not begin until it is mended; days that
/// have come are no obstacle any more.
#[test]
fn what_has_changed_since_it_was_scheduled_stands_in_the_way() {
    let mut world = World::new();
    world.plan.stage = PlanStage::Scheduled;
    world.today = date("2026-12-08");
    assert_eq!(to_begin(&world.look()), []);
    sent(&mut world).drain(..2);
    assert_eq!(in_chinese(&to_begin(&world.look())), ["邯郸缺执法人员2名", HOST]);
    world.answers.insert(handan(), AnswerKind::Withdraw);
    world.sent.remove(&handan());
    assert_eq!(in_chinese(&to_begin(&world.look())), ["邯郸已退出"]);
}

pub(super) fn with_draw() -> World {
    let mut world = World::new();
    let all = (1..).zip([handan(), liaocheng(), puyang()]);
    let pool = all.map(|(number, city)| lots::PoolSite {
        site: id(number),
        city,
        tier: SiteTier::Key,
        left_out: None,
    });
    world.pool = pool.collect();
    let weights = TierWeights { key: 1, general: 1, special: 1 };
    world.plan.facts.targets = Targets::Draw(DrawRule {
        sites: 2,
        host_officers: 2,
        guest_officers: 1,
        weights,
        pool: lots::pool_digest(&world.pool),
        pool_size: 3,
        spares_withholders: false,
    });
    world.committed = [handan(), liaocheng(), puyang()].into();
    world
}

/// With sealed lists the checks apply to the pool, before the commitments count.
#[test]
fn a_draw_is_checked_on_its_pool_and_its_commitments() {
    let lacks = |change: &dyn Fn(&mut World)| {
        let mut world = with_draw();
        change(&mut world);
        in_chinese(&to_schedule(&world.look()))
    };
    assert_eq!(lacks(&|_| {}), [""; 0]);
    let differs = ["抽取名录与方案所载不一致"];
    assert_eq!(lacks(&|w| w.pool[0].tier = SiteTier::Special), differs);
    assert_eq!(lacks(&|w| w.pool[0].site = id(9)), ["抽取名录与方案所载不一致"]);
    assert_eq!(lacks(&|w| w.pool.truncate(2)), ["抽取名录与方案所载不一致"]);
    assert_eq!(lacks(&|w| left_out(w, LeftOut::PositiveList)), ["〔1〕：正面清单"]);
    assert_eq!(lacks(&|w| w.committed.retain(|city| *city != puyang())), ["濮阳尚未提交抽取承诺"]);
    assert_eq!(lacks(&|w| drop(sent(w).drain(..2))), ["邯郸缺执法人员2名", HOST]);
    // Handan hears of its own sites before it confirms, the others do not.
    let mut world = with_draw();
    left_out(&mut world, LeftOut::Capped);
    assert_eq!(in_chinese(&of_host(&world.look(), handan())), ["〔1〕：已达年度检查频次上限"]);
    assert_eq!(of_host(&world.look(), puyang()), []);
    // At the reveal: whoever withholds is named, and what was drawn is looked at like named visits.
    let mut world = with_draw();
    world.plan.stage = PlanStage::Scheduled;
    let bound = |code| (code, crate::ids::Hash::new([1; 32]));
    world.plan.resting.commitments = [handan(), liaocheng(), puyang()].map(bound).into();
    world.revealed = [handan(), liaocheng()].into();
    assert_eq!(in_chinese(&to_begin(&world.look())), ["濮阳尚未公开随机数"]);
    world.revealed.insert(puyang());
    world.drawn = vec![visit(1, "2026-12-08上午")];
    assert_eq!((to_begin(&world.look()), remarks(&world.look())), (vec![], vec![]));
    // Whoever swaps then has to lead where the draw leads, whatever else stands in the list.
    let mut other = world.clone();
    other.sites.get_mut(&id(2)).unwrap().closed = true;
    left_out(&mut other, LeftOut::Capped);
    assert_eq!(of_scheduled(&other.look(), handan()), []);
    assert_ne!(of_host(&other.look(), handan()), []);
    sent(&mut other).drain(..2);
    other.plan.facts.cities[0].needs.clear();
    assert_eq!(of_scheduled(&other.look(), handan()), [], "the one visit is not made any more");
    sent(&mut world).drain(..2);
    world.plan.facts.cities[0].needs.clear();
    assert_eq!(in_chinese(&to_begin(&world.look())), [HOST]);
    assert_eq!(in_chinese(&of_scheduled(&world.look(), handan())), [HOST]);
    let drawn = std::mem::take(&mut world.drawn);
    assert_eq!(in_chinese(&of_scheduled(&world.look(), handan())), [HOST], "it may lead there");
    world.drawn = drawn;
    // A target by default is owed, and a site listed since is not visited: both are no obstacles.
    world.drawn[0].by_default = true;
    assert_eq!(to_begin(&world.look()), []);
    assert_eq!(remarks(&world.look()), [Remark::Owed { site: id(1) }]);
    world.drawn[0].by_default = false;
    left_out(&mut world, LeftOut::PositiveList);
    assert_eq!(to_begin(&world.look()), []);
    let why = LeftOut::PositiveList;
    assert_eq!(remarks(&world.look()), [Remark::VisitStopped { site: id(1), why }]);
    world.plan.resting.withheld.insert(puyang());
    world.plan.late_revisions = 2;
    world.plan.silent.insert(liaocheng());
    let texts: Vec<String> = remarks(&world.look())
        .into_iter()
        .map(|one| one.explain(Language::Zh, &name, &record))
        .collect();
    assert_eq!(
        texts,
        [
            "濮阳此前未按承诺公开随机数",
            "有市公开随机数后方案修订，当时聊城尚未公开",
            "随机数公开后方案又修订 2 次，等于重新抽取",
            "〔1〕正面清单，本次不再检查",
        ]
    );
}

/// A pool made by another city, looked at by the host before it confirms.
#[test]
fn a_host_checks_the_pool_that_another_city_made() {
    type Change<'a> = &'a dyn Fn(&mut World);
    let of = |city, change: Change<'_>| {
        let mut world = with_draw();
        change(&mut world);
        let Targets::Draw(rule) = &mut world.plan.facts.targets else { panic!("draw") };
        rule.pool = lots::pool_digest(&world.pool);
        rule.pool_size = world.pool.iter().filter(|one| one.left_out.is_none()).count() as u32;
        in_chinese(&of_host(&world.look(), city))
    };
    let differs = ["抽取名录中〔1〕的属地、类别或排除理由与实际不符"];
    let claims = |why| move |w: &mut World| w.pool[0].left_out = Some(why);
    let rows: &[(Change<'_>, &[&str])] = &[
        (&|_| {}, &[]),
        (&|w| w.pool[0].city = puyang(), &differs),
        (&|w| w.pool[0].tier = SiteTier::General, &differs),
        // Left out for a reason that its city does not know, and for one that it does.
        (&claims(LeftOut::Capped), &differs),
        (&claims(LeftOut::Closed), &differs),
        (
            &|w| {
                left_out(w, LeftOut::Closed);
                w.pool[0].left_out = Some(LeftOut::Closed);
            },
            &[],
        ),
        (
            &|w| {
                left_out(w, LeftOut::Capped);
                w.pool[0].left_out = Some(LeftOut::Capped);
            },
            &[],
        ),
        (&|w| left_out(w, LeftOut::Closed), &["〔1〕：已关停"]),
        // A site that is not in the list: whether it belongs there no rule can tell.
        (
            &|w| {
                w.sites.insert(id(8), standing(handan()));
            },
            &[],
        ),
        // As many as may be drawn for one half day need officers.
        (
            &|w| {
                w.plan.facts.days.truncate(1);
                w.sites.insert(id(8), standing(handan()));
                let site = lots::PoolSite { site: id(8), ..w.pool[0] };
                w.pool.push(site);
            },
            &["2026-12-08上午可能抽到的对象较多，属地邯郸缺执法人员1名"],
        ),
    ];
    for (row, (change, want)) in rows.iter().enumerate() {
        assert_eq!(of(handan(), *change), *want, "row {row}");
    }
    // What concerns Handan is nothing to the others.
    assert_eq!(of(liaocheng(), &claims(LeftOut::Capped)), [""; 0]);
    // That one of its sites is not closed is: its header says so to everybody.
    assert_eq!(of(liaocheng(), &claims(LeftOut::Closed)), differs);
}

#[test]
fn visits_to_one_enterprise_add_up_to_the_cap() {
    type Change<'a> = &'a dyn Fn(&mut World);
    let lacks = |change: Change<'_>| {
        let mut world = World::new();
        let visit = |number, place| PlannedVisit {
            site: id(number),
            first: place,
            last: place,
            exception: None,
        };
        world.plan.facts.targets = Targets::Named(vec![visit(1, 0), visit(1, 2), visit(4, 1)]);
        world.sites.insert(id(4), standing(handan()));
        for site in [1, 4] {
            world.sites.get_mut(&id(site)).unwrap().visited.insert(2026, one_left(3));
        }
        change(&mut world);
        in_chinese(&to_schedule(&world.look()))
    };
    let left = |w: &mut World, site, left| {
        w.sites.get_mut(&id(site)).unwrap().visited.insert(2026, one_left(left));
    };
    let one_firm = |w: &mut World| {
        for site in [1, 4] {
            w.sites.get_mut(&id(site)).unwrap().enterprise = Some(7);
            left(w, site, 2);
        }
    };
    let except = |w: &mut World, place: usize| {
        let Targets::Named(visits) = &mut w.plan.facts.targets else { panic!("visits") };
        visits[place].exception = Some(VisitException::Complaint);
    };
    let capped = |site: u8| format!("〔{site}〕：已达年度检查频次上限");
    assert_eq!(lacks(&|_| {}), [""; 0]);
    assert_eq!(lacks(&|w| left(w, 1, 2)), [""; 0]);
    // What was reported stands beside its own check, if it made one: it counts no more by itself.
    assert_eq!(
        lacks(&|w| {
            left(w, 1, 1);
            w.reported.insert((id(1), 0));
        }),
        [""; 0]
    );
    assert_eq!(
        lacks(&|w| {
            left(w, 1, 0);
            w.reported.insert((id(1), 0));
        }),
        [capped(1)]
    );
    assert_eq!(
        lacks(&|w| {
            left(w, 1, 0);
            w.reported.extend([(id(1), 0), (id(1), 1)]);
        }),
        [""; 0]
    );
    // Two visits, one left; with the exception of one of them it is enough.
    assert_eq!(lacks(&|w| left(w, 1, 1)), [capped(1)]);
    assert_eq!(
        lacks(&|w| {
            left(w, 1, 1);
            except(w, 0);
        }),
        [""; 0]
    );
    // Three visits to two sites of one enterprise, two left: the last one is too many.
    assert_eq!(lacks(&one_firm), [capped(1)]);
    assert_eq!(
        lacks(&|w| {
            one_firm(w);
            except(w, 2);
        }),
        [""; 0]
    );
}

/// A plan of 31 December and 4 January: of which year there has to be room for a visit.
#[test]
fn f21_a_plan_over_new_year_is_held_to_the_cap_of_each_year_of_its_days() {
    let capped = |site: u8| format!("〔{site}〕：已达年度检查频次上限");
    let over_new_year = |mut world: World, left: [u32; 2]| {
        let half_days =
            [HalfDay::afternoon(date("2026-12-31")), HalfDay::morning(date("2027-01-04"))];
        world.plan.facts.days = half_days.map(|at| PlanDay { at, overtime: false }).to_vec();
        world.sites.insert(id(4), standing(handan()));
        for site in [1, 4] {
            let site = world.sites.get_mut(&id(site)).unwrap();
            site.enterprise = Some(7);
            site.visited = [(2026, one_left(left[0])), (2027, one_left(left[1]))].into();
        }
        world
    };
    let of_cap = |findings: &[Finding]| {
        let mut found = in_chinese(findings);
        found.retain(|one| one.ends_with("年度检查频次上限"));
        found
    };
    // Two plants of one enterprise: half days of a visit, what is left of both years, who is capped.
    type Visits<'a> = &'a [(u8, u8, u8)];
    let rows: &[(Visits<'_>, [u32; 2], &[u8])] = &[
        (&[(1, 0, 0), (4, 1, 1)], [1, 1], &[]),
        (&[(1, 0, 0), (4, 1, 1)], [1, 0], &[4]),
        (&[(1, 0, 0), (4, 1, 1)], [0, 1], &[1]),
        (&[(1, 1, 1), (4, 1, 1)], [0, 2], &[]),
        (&[(1, 1, 1), (4, 1, 1)], [3, 1], &[4]),
        // On which of its half days a visit is made is seen only when it is reported.
        (&[(1, 0, 1)], [1, 1], &[]),
        (&[(1, 0, 1)], [1, 0], &[1]),
        (&[(1, 0, 1)], [0, 1], &[1]),
        (&[(1, 0, 1), (4, 1, 1)], [3, 1], &[4]),
    ];
    for (visits, left, want) in rows {
        let visit = |(site, first, last): &(u8, u8, u8)| PlannedVisit {
            site: id(*site),
            first: *first,
            last: *last,
            exception: None,
        };
        let mut world = over_new_year(World::new(), *left);
        world.plan.facts.targets = Targets::Named(visits.iter().map(visit).collect());
        let want: Vec<String> = want.iter().copied().map(capped).collect();
        assert_eq!(of_cap(&to_schedule(&world.look())), want, "{visits:?}, {left:?} left");
    }
    // Any site of a list may be drawn on any day, so there is room for all in both years.
    for (left, want) in
        [([2, 2], &[][..]), ([2, 1], &[4]), ([1, 2], &[4]), ([3, 0], &[1, 4]), ([0, 3], &[1, 4])]
    {
        let mut world = over_new_year(with_draw(), left);
        world.pool.push(lots::PoolSite { site: id(4), ..world.pool[0] });
        let Targets::Draw(rule) = &mut world.plan.facts.targets else { panic!("draw") };
        (rule.pool, rule.pool_size) = (lots::pool_digest(&world.pool), 4);
        let want: Vec<String> = want.iter().copied().map(capped).collect();
        assert_eq!(of_cap(&to_schedule(&world.look())), want, "a list, {left:?} left");
    }
}

/// What is law and what is not must be seen: only these are read in a law or a document.
#[test]
fn law_is_told_from_parameters() {
    let (city, unit, site, on) = (handan(), id(1), id(2), date("2026-12-08"));
    let at = half("2026-12-08上午");
    let force = |finding: Finding| finding.force();
    assert_eq!(force(Finding::CertificateInvalid { city, unit, on }), Force::Law);
    assert_eq!(force(Finding::HostShort { city, site, at, missing: 1 }), Force::Law);
    assert_eq!(force(Finding::SiteForeign { site, city }), Force::Law);
    assert_eq!(force(Finding::SiteLeftOut { site, why: LeftOut::Capped }), Force::Law);
    assert_eq!(force(Finding::SiteLeftOut { site, why: LeftOut::PositiveList }), Force::Rule);
    assert_eq!(force(Finding::RestDay { on }), Force::Parameter);
    assert!(Finding::RestDay { on }.rule().1.0.contains("无文件依据"));
    assert_eq!(force(Finding::DoubleBooked { city, unit, at }), Force::Rule);
}
