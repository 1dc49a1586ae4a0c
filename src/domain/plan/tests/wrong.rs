//! What may be wrong with what a city says: each with its field, its rule and where that is from.

use super::decide::{Bound, decide_commit};
use super::*;
use crate::domain::code::Language;
use crate::domain::half_day::Period;
use crate::domain::site::CheckMode;
use crate::ids::Hash;

fn sent(units: &[u8], recusals: &[u8]) -> Sent {
    let unit = |unit: &u8| SentUnit { unit: id(*unit), span: None };
    let recusal = |officer: &u8| Recusal { officer: id(*officer), site: None };
    Sent {
        units: units.iter().map(unit).collect(),
        recusals: recusals.iter().map(recusal).collect(),
    }
}

fn late(first: u8, last: u8) -> Sent {
    let mut sent = sent(&[1], &[]);
    sent.units[0].span = Some(Span { first, last });
    sent
}

fn arrives(officers: &[u8], guests: &[u8], nth: u32) -> PlanWord {
    let ids = |list: &[u8]| list.iter().map(|one| id(*one)).collect();
    let (officers, guests) = (ids(officers), ids(guests));
    PlanWord::CheckedIn(CheckIn { site: id(1), nth, on: date("2026-12-08"), officers, guests })
}

fn reports(change: impl Fn(&mut VisitReport)) -> PlanWord {
    let department = Department::EcologyEnvironment;
    let mut report = VisitReport {
        site: id(1),
        nth: 0,
        on: date("2026-12-08"),
        outcome: VisitOutcome::Checked,
        mode: CheckMode::OnSite,
        checks: vec![DepartmentCheck { department, items: 1, problems: 0 }],
        samples: 0,
        clues: 0,
    };
    change(&mut report);
    PlanWord::VisitReported(report)
}

/// What is said, and the field that is wrong in it; none where nothing is.
fn rows() -> Vec<(PlanWord, Option<&'static str>)> {
    let confirm = |sent| PlanWord::Answered(Answer::Confirm { sent });
    let many: Vec<u8> = (0..=64).collect();
    let team: Vec<u8> = (1..=17).collect();
    let others = |periods| PlanWord::Answered(Answer::OtherDays { periods });
    let morning = half("2026-12-10上午");
    let twice = vec![Period::new(morning, morning).unwrap(); 2];
    vec![
        (confirm(sent(&[1, 2], &[1])), None),
        (confirm(sent(&[1, 1], &[])), Some("sent.units")),
        (PlanWord::UnitsSwapped(sent(&[2, 1], &[])), Some("sent.units")),
        (confirm(late(1, 0)), Some("sent.units.last")),
        (confirm(late(0, 62)), Some("sent.units.last")),
        (confirm(sent(&[1], &[2, 2])), Some("sent.recusals")),
        (confirm(sent(&[1], &many)), Some("sent.recusals")),
        (others(twice), Some("periods")),
        (others(Vec::new()), Some("periods")),
        (arrives(&[1, 2], &[3], 0), None),
        (arrives(&[1], &[], 0), Some("officers")),
        (arrives(&[1, 1], &[], 0), Some("officers")),
        (arrives(&team, &[], 0), Some("officers")),
        (arrives(&[18, 19], &team, 0), Some("guests")),
        (arrives(&[1, 2], &[2], 0), Some("guests")),
        (arrives(&[1, 2], &[], 62), Some("nth")),
        (reports(|_| {}), None),
        (reports(|r| r.checks.clear()), Some("result.checks")),
        (reports(|r| r.checks.push(r.checks[0])), Some("result.checks")),
        (reports(|r| r.checks[0].items = 0), Some("result.checks.items")),
        (reports(|r| r.checks[0].items = 1_000), Some("result.checks.items")),
        (reports(|r| r.checks[0].problems = 1_000), Some("result.checks.problems")),
        (reports(|r| r.outcome = VisitOutcome::NotChecked), Some("result.outcome")),
        (reports(|r| r.samples = 1_000), Some("result.samples")),
        (reports(|r| r.clues = 1_000), Some("result.clues")),
        (reports(|r| r.nth = 62), Some("nth")),
        (PlanWord::FindingOpened { site: id(1), nth: 62, case: None }, Some("nth")),
        (PlanWord::DrawCommitted { attempt: 9, commitment: Hash::new([1; 32]) }, Some("attempt")),
    ]
}

/// Called by the table of what a plan may lack.
pub(super) fn everything_that_may_be_wrong_has_its_field() {
    let (cities, record) = ([handan(), liaocheng()], |id: SubjectId| id.to_string());
    let found = Found {
        initiator: liaocheng(),
        participants: Some(&cities),
        entry: true,
        host: Some(handan()),
    };
    let mut fields = BTreeSet::new();
    for (row, (word, want)) in rows().into_iter().enumerate() {
        let act = PlanAct { revision: at(0, 1), word };
        let got = super::answer::fits(handan(), &act, &found).map_err(PlanRefusal::from);
        assert_eq!(got.as_ref().err().map(|wrong| wrong.field()), want, "row {row}");
        let Err(wrong) = got else { continue };
        assert_eq!(wrong.reason(), "PLAN_INVALID", "row {row}");
        let (((rule, english), (source, _)), _) = wrong.rule().unwrap();
        assert!(!rule.is_empty() && !source.is_empty() && english.is_ascii(), "row {row}");
        let names = Names { city: &name, record: &record };
        let told = wrong.explain(Language::Zh, &names).why;
        assert_eq!(told, format!("填写不合规：{rule}（{source}）"), "row {row}");
        fields.insert(wrong.field());
    }
    // The rest is named by moves, which a node makes by itself.
    let all: BTreeSet<&str> = Wrong::OF_ACTS.iter().map(|wrong| wrong.field()).collect();
    let of_moves = BTreeSet::from(["answers", "commitments", "results", "withheld"]);
    assert_eq!(&all - &of_moves, fields);
    let certified = Wrong::Officers.rule().1;
    assert_eq!(certified.0, "行政处罚法第四十二条");
}

/// Behind the last attempt there is none, and that is what a city is told.
#[test]
fn the_attempt_behind_the_last_is_one_too_many() {
    let mut world = World::new();
    let rule = DrawRule {
        sites: 1,
        host_officers: 2,
        guest_officers: 0,
        weights: TierWeights { key: 1, general: 1, special: 1 },
        pool: Hash::new([0; 32]),
        pool_size: 1,
        spares_withholders: false,
    };
    world.plan.facts.targets = Targets::Draw(rule);
    world.plan.resting.attempt = 8;
    world.plan.stage = PlanStage::Executing;
    let bound = Bound { committed: false, revealed: true, withheld: true, lost: false };
    let known = (&world.rules, world.today);
    let (at, by) = (world.plan.at, handan());
    let refused = decide_commit(&world.plan, by, (at, 9), bound, known).unwrap_err();
    assert_eq!(refused.reason(), "TOO_MANY_DRAWS");
}
