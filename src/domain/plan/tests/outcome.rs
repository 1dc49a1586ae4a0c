//! Results, their summary, and the entries of a calendar.

use super::decide::{decide_results, decide_summarize};
use super::ics::{Entry, Shown, calendar};
use super::results::{Sum, Totals, totals};
use super::summary::{Summarised, summary};
use super::*;
use crate::domain::site::CheckMode;

fn report(site: u8, nth: u32, checks: &[(Department, u32, u32)]) -> VisitReport {
    let check = |(department, items, problems): &(Department, u32, u32)| {
        let (department, items, problems) = (*department, *items, *problems);
        DepartmentCheck { department, items, problems }
    };
    VisitReport {
        site: id(site),
        nth,
        on: date("2026-12-08"),
        outcome: VisitOutcome::Checked,
        mode: CheckMode::OnSite,
        checks: checks.iter().map(check).collect(),
        samples: 0,
        clues: 0,
    }
}

const EEB: Department = Department::EcologyEnvironment;
const WATER: Department = Department::Water;
const HOUSING: Department = Department::Housing;

/// Five sites: two checked by several departments, one twice, one from afar, one that does not
/// produce.
fn reports() -> Vec<(CityCode, VisitReport)> {
    let mut sampled = report(1, 0, &[(EEB, 12, 2), (WATER, 5, 0)]);
    (sampled.samples, sampled.clues) = (3, 3);
    let mut afar = report(3, 0, &[(EEB, 4, 1)]);
    afar.mode = CheckMode::OffSite;
    let mut shut = report(4, 0, &[]);
    shut.outcome = VisitOutcome::NotProducing;
    vec![
        (handan(), sampled),
        (handan(), report(1, 1, &[(EEB, 3, 0)])),
        (liaocheng(), report(2, 0, &[(EEB, 12, 0), (HOUSING, 2, 1), (WATER, 5, 1)])),
        (liaocheng(), afar),
        (puyang(), shut),
        (puyang(), report(5, 0, &[(EEB, 10, 0)])),
    ]
}

fn all() -> Totals {
    totals(reports().iter().map(|(city, report)| (*city, report)), [id(1), id(5)])
}

#[test]
fn f30_totals_by_department_and_city_are_the_sum_of_the_sites() {
    let Totals { all, departments, cities, .. } = all();
    assert_eq!(all, Sum { sites: 4, visits: 5, items: 53, problems: 5 });
    let of = |department: Department| departments[&department];
    assert_eq!(of(EEB), Sum { sites: 4, visits: 5, items: 41, problems: 3 });
    assert_eq!(of(WATER), Sum { sites: 2, visits: 2, items: 10, problems: 1 });
    assert_eq!(of(HOUSING), Sum { sites: 1, visits: 1, items: 2, problems: 1 });
    assert_eq!(cities[&handan()], Sum { sites: 1, visits: 2, items: 20, problems: 2 });
    let sum = |sums: Vec<Sum>| {
        let of = |field: fn(&Sum) -> u32| sums.iter().map(field).sum::<u32>();
        (of(|s| s.items), of(|s| s.problems))
    };
    assert_eq!(sum(departments.into_values().collect()), (all.items, all.problems));
    assert_eq!(sum(cities.into_values().collect()), (all.items, all.problems));
    let Totals { on_site, off_site, not_producing, not_checked, joint_checks, samples, .. } =
        super::outcome::all();
    assert_eq!((on_site, off_site, not_producing, not_checked), (3, 1, 1, 0));
    assert_eq!((joint_checks, samples), (2, 3));
    // Targets without any report were not checked, each once.
    let all = reports();
    let some = || all.iter().map(|(city, report)| (*city, report));
    assert_eq!(totals(some(), [id(1), id(7), id(8), id(7)]).not_checked, 2);
    // Refused: a report without checks, one with a department twice, one of a visit without end.
    let bad = [
        report(1, 0, &[]),
        report(1, 0, &[(EEB, 1, 0), (EEB, 1, 0)]),
        report(1, 0, &[(EEB, 0, 0)]),
        report(1, 0, &[(EEB, 1_000, 0)]),
        report(1, 62, &[(EEB, 1, 0)]),
        VisitReport { outcome: VisitOutcome::NotChecked, ..report(1, 0, &[(EEB, 1, 0)]) },
    ];
    assert!(bad.iter().all(|report| report.check().is_err()));
    assert!(reports().iter().all(|(_, report)| report.check().is_ok()));
}

#[test]
fn totals_by_department_and_city_are_the_sum_of_the_sites() {
    // Any half of the reports: what is counted of a whole is the sum of its parts.
    let reports = reports();
    for mask in 0_u32..64 {
        let some = || reports.iter().zip(0..).filter(move |(_, bit)| mask >> bit & 1 == 1);
        let totals = totals(some().map(|((city, report), _)| (*city, report)), []);
        let problems: u32 = some().map(|((_, report), _)| report.problems()).sum();
        assert_eq!(totals.all.problems, problems);
        assert_eq!(totals.departments.values().map(|sum| sum.problems).sum::<u32>(), problems);
        assert_eq!(totals.cities.values().map(|sum| sum.problems).sum::<u32>(), problems);
        assert_eq!(totals.cities.values().map(|sum| sum.sites).sum::<u32>(), totals.all.sites);
        assert_eq!(totals.on_site + totals.off_site, totals.all.sites);
    }
}

#[test]
fn shares_are_rounded_half_up() {
    let share = |off_site, sites| {
        let all = Sum { sites, ..Sum::default() };
        Totals { all, off_site, ..Totals::default() }.off_site_per_mille()
    };
    assert_eq!(share(0, 0), None);
    assert_eq!((share(0, 3), share(1, 3), share(2, 3)), (Some(0), Some(333), Some(667)));
    assert_eq!((share(1, 16), share(1, 2_000), share(1, 2_001)), (Some(63), Some(1), Some(0)));
}

static NOBODY: BTreeSet<CityCode> = BTreeSet::new();

fn summarised<'a>(facts: &'a PlanFacts, totals: &'a Totals) -> Summarised<'a> {
    Summarised {
        title: "冀鲁豫三市涉水企业联合执法行动",
        initiator: liaocheng(),
        facts,
        totals,
        cases: 2,
        withheld: &NOBODY,
        silent: &NOBODY,
        late_revisions: 0,
        name: &name,
    }
}

#[test]
fn f31_the_summary_is_generated_from_the_results() {
    let (facts, totals) = (facts(), all());
    let text = summary(&summarised(&facts, &totals));
    assert_eq!(
        text,
        "冀鲁豫三市涉水企业联合执法行动于2026年12月8日至2026年12月9日（共2天）开展，\
         由聊城发起，邯郸、濮阳参加，生态环境、水利等2个部门派员。\n\
         检查企业4家，发现问题5个，形成线索3条（已转为案件2件），采集样品3个；另有1家停产或关停。\n\
         现场检查3家，非现场检查1家，非现场占比25.0%；“进一次门、查多项事”2家。\n\
         分部门：生态环境检查4家、41项，发现问题3个；住建检查1家、2项，发现问题1个；\
         水利检查2家、10项，发现问题1个。\n\
         分市：邯郸检查1家、20项，发现问题2个；聊城检查2家、23项，发现问题3个；\
         濮阳检查1家、10项，发现问题0个。\n"
    );
    // What was not done is not said to have been.
    let mut drill = facts.clone();
    (drill.kind, drill.targets) = (PlanKind::EmergencyDrill, Targets::None);
    drill.days.truncate(1);
    let text = summary(&summarised(&drill, &Totals::default()));
    assert!(text.contains("行动于2026年12月8日开展，由聊城发起"));
    assert!(text.ends_with("等2个部门派员。\n本次行动未安排企业检查。\n"));
    drill.departments.truncate(1);
    let text = summary(&summarised(&drill, &Totals::default()));
    assert!(text.contains("参加，生态环境部门派员。\n"), "{text}");
    let text = summary(&summarised(&facts, &Totals::default()));
    assert!(text.ends_with("本次行动未检查企业。\n"));
    // Refused: before it is carried out, by another city, and while results are missing; each with
    // the field and the rule.
    let summarize = |stage, by, reported: &[CityCode]| {
        let results = (0..).zip(reported).map(|(log, code)| (*code, at(log, 7))).collect();
        let seen = Seen { results, ..World::new().seen() };
        let plan = Plan { stage, ..opened() };
        let refusal = decide_summarize(&plan, by, &seen, &members()).err()?;
        let (((rule, _), (source, _)), _) = refusal.rule().unwrap();
        Some((refusal.reason(), refusal.field(), rule, source))
    };
    let all = [handan(), liaocheng(), puyang()];
    use PlanStage as S;
    assert_eq!(summarize(S::Executing, liaocheng(), &all), None);
    let said = |stage, by, reported: &[CityCode]| {
        let (reason, field, rule, source) = summarize(stage, by, reported).unwrap();
        assert!(rule.contains("总结") && source.contains("联动"), "{rule} {source}");
        (reason, field)
    };
    for stage in [S::Open, S::Scheduled, S::Summarized, S::Cancelled] {
        assert_eq!(said(stage, liaocheng(), &all), ("PLAN_STAGE", "step"), "{stage}");
    }
    assert_eq!(said(S::Executing, handan(), &all), ("NOT_INITIATOR", "name"));
    assert_eq!(said(S::Executing, liaocheng(), &all[1..]), ("RESULTS_NOT_IN", "step"));
    let missing = decide_results(
        &Plan { stage: S::Executing, ..opened() },
        handan(),
        Ok(&[id(1)]),
        date("2026-12-08"),
    );
    let missing = missing.unwrap_err();
    assert_eq!((missing.reason(), missing.field()), ("RESULTS_MISSING", "name"));
    assert!(missing.rule().is_some());
}

/// The calendar of a plan, unfolded into lines.
fn lines(plan: &Plan, shown: Shown<'_>) -> Vec<String> {
    let stamp_ms = date("2026-12-01").days_since_epoch() * 86_400_000 + 3_723_000;
    let text = calendar([Entry { id: id(9), plan, shown, stamp_ms }]);
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    text.replace("\r\n ", "").trim_end().split("\r\n").map(str::to_owned).collect()
}

const ALL: Shown<'_> =
    Shown::All {
        title: "联合检查；一", place: "聊城, 东阿县", text: "", organizer: "聊城"
    };

fn values<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).collect()
}

#[test]
fn a_plan_in_a_calendar_is_this_text() {
    let got = lines(&opened(), ALL);
    let uid = "09".repeat(16);
    let event = |number: u32, start: &str, end: &str| {
        format!(
            "BEGIN:VEVENT|UID:{uid}-{number}@liandong|DTSTAMP:20261201T010203Z|SEQUENCE:0|\
             DTSTART:{start}|DTEND:{end}|\
             ORGANIZER;CN=聊城:urn:x-liandong:371500|SUMMARY:联合检查；一|LOCATION:聊城\\, 东阿县|\
             STATUS:TENTATIVE|TRANSP:OPAQUE|CLASS:PRIVATE|END:VEVENT"
        )
    };
    let want = format!(
        "BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//liandong//joint actions//ZH|CALSCALE:GREGORIAN|\
         METHOD:PUBLISH|{}|{}|END:VCALENDAR",
        event(1, "20261208T003000Z", "20261208T093000Z"),
        event(2, "20261209T003000Z", "20261209T040000Z"),
    );
    assert_eq!(got.join("|"), want);
}

#[test]
fn a_feed_of_busy_times_shows_times_only() {
    let under = |key| lines(&opened(), Shown::Busy { word: "联合执法行动", key });
    let (all, busy) = (lines(&opened(), ALL), under(&[1; 32]));
    assert_eq!(values(&busy, "SUMMARY"), ["联合执法行动", "联合执法行动"]);
    let same = ["METHOD", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "STATUS", "TRANSP", "CLASS"];
    assert!(same.iter().all(|name| values(&busy, name) == values(&all, name)));
    // Nothing else: a property is new here only if somebody has thought about it.
    let names: BTreeSet<&str> = busy.iter().filter_map(|line| line.split(':').next()).collect();
    let frame = ["BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "UID", "SUMMARY"];
    assert_eq!(names, same.into_iter().chain(frame).collect());
    let tells = |line: &String| line.contains("0909") || line.contains("371500");
    assert!(all.iter().any(tells) && !busy.iter().any(tells));
    let uids: BTreeSet<&str> = values(&busy, "UID").into_iter().collect();
    assert_eq!(uids.len(), 2);
    // Two cities' feeds of one plan have no UID in common.
    assert!(values(&under(&[2; 32]), "UID").iter().all(|uid| !uids.contains(uid)));
}

#[test]
fn a_summary_says_who_withheld_and_what_was_revised() {
    let mut facts = facts();
    facts.targets = Targets::Draw(DrawRule {
        sites: 2,
        host_officers: 2,
        guest_officers: 0,
        weights: TierWeights { key: 1, general: 1, special: 1 },
        pool: crate::ids::Hash::new([9; 32]),
        pool_size: 3,
        spares_withholders: false,
    });
    let totals = all();
    let (withheld, silent) = (BTreeSet::from([handan()]), BTreeSet::from([puyang()]));
    let of = summarised(&facts, &totals);
    let of = Summarised { withheld: &withheld, silent: &silent, late_revisions: 1, ..of };
    let text = summary(&of);
    let want = "检查对象由参加各市先行承诺、随后公开随机数，随机抽取产生；\
                邯郸未按承诺公开随机数，已重新抽取，其名录内对象全部列入检查；\
                随机数公开后方案修订1次，修订时濮阳尚未公开。\n";
    assert!(text.contains(want), "{text}");
}

#[test]
fn updates_and_cancellations_keep_their_uids() {
    let world = World::new();
    let go = |plan: &Plan, mv: PlanMove| moved(plan, &mv, &world.seen()).unwrap();
    let first = opened();
    let mut fewer = facts();
    fewer.days = vec![day("2026-12-15下午")];
    fewer.targets = Targets::None;
    fewer.kind = PlanKind::EmergencyDrill;
    let revised = go(&first, PlanMove::Revised { facts: fewer });
    let amended = go(&revised, PlanMove::Amended);
    let named = vec![at(0, 5), at(1, 5), at(2, 5)];
    let mv = PlanMove::Scheduled { answers: named, commitments: Vec::new() };
    let scheduled = go(&amended, mv);
    let cancelled = go(&scheduled, PlanMove::Cancelled);
    let of = |plan: &Plan, name: &str| -> Vec<String> {
        values(&lines(plan, ALL), name).into_iter().map(str::to_owned).collect()
    };
    let uids = of(&first, "UID");
    for (plan, sequence, status) in [
        (&first, "0", ["TENTATIVE", "TENTATIVE"]),
        (&revised, "1", ["TENTATIVE", "CANCELLED"]),
        (&amended, "2", ["TENTATIVE", "CANCELLED"]),
        (&scheduled, "3", ["CONFIRMED", "CANCELLED"]),
        (&cancelled, "4", ["CANCELLED", "CANCELLED"]),
    ] {
        assert_eq!(of(plan, "UID"), uids);
        assert_eq!(of(plan, "SEQUENCE"), [sequence, sequence]);
        assert_eq!(of(plan, "STATUS"), status);
    }
    assert_eq!(of(&revised, "DTSTART")[0], "20261215T060000Z");
}

#[test]
fn lines_are_folded_between_characters() {
    for length in 0..60 {
        let title = format!("{}{}", "a".repeat(length), "汉字；,\\\n".repeat(20));
        let shown = Shown::All { title: &title, place: "", text: &title, organizer: "" };
        let got = lines(&opened(), shown);
        let want = format!("{}{}", "a".repeat(length), "汉字；\\,\\\\\\n".repeat(20));
        assert_eq!(values(&got, "SUMMARY"), [want.as_str(), &want]);
        assert_eq!(values(&got, "DESCRIPTION"), [want.as_str(), &want]);
    }
}
