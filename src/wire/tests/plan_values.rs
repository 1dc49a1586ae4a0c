//! Every event of a plan, filled.

use super::values::{at, city};
use crate::domain::plan::{
    Answer, CheckIn, DepartmentCheck, DrawRule, PlanAct, PlanCity, PlanDay, PlanFacts, PlanKind,
    PlanMove, PlanWord, PlannedVisit, Recusal, Resolution, Sent, SentUnit, Span, Targets,
    TierWeights, VisitOutcome, VisitReport,
};
use crate::domain::site::{CheckMode, VisitException};
use crate::domain::slots::Need;
use crate::domain::{Date, Department, Event, HalfDay, UnitKind};
use crate::ids::{Hash, SubjectId};

fn half_day(text: &str) -> HalfDay {
    text.parse().unwrap()
}

fn facts(kind: PlanKind, targets: Targets) -> PlanFacts {
    let need = |department| Need { kind: UnitKind::Officer, department, count: 2 };
    PlanFacts {
        kind,
        cities: vec![
            PlanCity { city: city(130_400), needs: vec![need(None)] },
            PlanCity { city: city(371_500), needs: vec![need(Some(Department::Water))] },
        ],
        departments: vec![Department::EcologyEnvironment, Department::Water],
        days: vec![
            PlanDay { at: half_day("2026-12-01上午"), overtime: false },
            PlanDay { at: half_day("2026-12-05下午"), overtime: true },
        ],
        targets,
    }
}

fn rule() -> DrawRule {
    DrawRule {
        sites: 3,
        host_officers: 2,
        guest_officers: 1,
        weights: TierWeights { key: 3, general: 1, special: 0 },
        pool: Hash::new([0x77; 32]),
        pool_size: 12,
        spares_withholders: true,
    }
}

fn moves() -> Vec<(&'static str, Event)> {
    let site = SubjectId::new([0x51; 16]);
    let exception = Some(VisitException::Complaint);
    let visit = |first, last, exception| PlannedVisit { site, first, last, exception };
    let named = Targets::Named(vec![visit(0, 0, None), visit(1, 1, exception)]);
    let draw = facts(PlanKind::DoubleRandom, Targets::Draw(rule()));
    let positions = || vec![at(2, 3), at(1, 4)];
    let of = Event::PlanMove;
    vec![
        ("plan_opened", Event::PlanOpened { facts: facts(PlanKind::JointInspection, named) }),
        (
            "plan_opened_drill",
            Event::PlanOpened { facts: facts(PlanKind::EmergencyDrill, Targets::None) },
        ),
        ("plan_revised", of(PlanMove::Revised { facts: draw })),
        ("plan_amended", of(PlanMove::Amended)),
        (
            "plan_scheduled",
            of(PlanMove::Scheduled { answers: positions(), commitments: positions() }),
        ),
        (
            "plan_redrawn",
            of(PlanMove::Redrawn { commitments: positions(), withheld: vec![city(130_400)] }),
        ),
        ("plan_begun", of(PlanMove::Begun)),
        ("plan_summarized", of(PlanMove::Summarized { results: positions() })),
        ("plan_cancelled", of(PlanMove::Cancelled)),
    ]
}

/// Events about plans, each by the name of its file.
pub(super) fn plan_events(on: Date) -> Vec<(&'static str, Event)> {
    let (site, officer) = (SubjectId::new([0x51; 16]), SubjectId::new([0x61; 16]));
    let say = |word| Event::PlanAct(PlanAct { revision: at(1, 2), word });
    let answer = |answer| say(PlanWord::Answered(answer));
    let span = Some(Span { first: 0, last: 1 });
    let sent = Sent {
        units: vec![SentUnit { unit: officer, span: None }, SentUnit { unit: site, span }],
        recusals: vec![Recusal { officer, site: None }, Recusal { officer, site: Some(site) }],
    };
    let tentative = Answer::Tentative { hold_until: on, sent: sent.clone() };
    let periods = vec!["2026-12-08 至 2026-12-09上午".parse().unwrap()];
    let officers = vec![officer, SubjectId::new([0x62; 16])];
    let guests = vec![SubjectId::new([0x63; 16])];
    let arrival = CheckIn { site, nth: 1, on, officers, guests };
    let check = DepartmentCheck { department: Department::Water, items: 12, problems: 1 };
    let report = VisitReport {
        site,
        nth: 1,
        on,
        outcome: VisitOutcome::Checked,
        mode: CheckMode::OnSite,
        checks: vec![check],
        samples: 2,
        clues: 1,
    };
    let (commitment, random) = (Hash::new([0x88; 32]), [0x99; 32]);
    let resolution = Resolution::Partly;
    let said = vec![
        ("plan_commented", answer(Answer::Comment)),
        ("plan_tentative", answer(tentative)),
        ("plan_confirmed", answer(Answer::Confirm { sent: sent.clone() })),
        ("plan_changes_requested", answer(Answer::ChangesRequested)),
        ("plan_other_days", answer(Answer::OtherDays { periods })),
        ("plan_declined", answer(Answer::Decline)),
        ("plan_withdrawn", answer(Answer::Withdraw)),
        ("plan_units_swapped", say(PlanWord::UnitsSwapped(sent))),
        ("draw_committed", say(PlanWord::DrawCommitted { attempt: 1, commitment })),
        ("draw_revealed", say(PlanWord::DrawRevealed { draw: at(1, 9), random })),
        ("team_arrived", say(PlanWord::CheckedIn(arrival))),
        ("visit_reported", say(PlanWord::VisitReported(report))),
        ("finding_opened", say(PlanWord::FindingOpened { site, nth: 1, case: Some(officer) })),
        ("finding_elsewhere", say(PlanWord::FindingOpened { site, nth: 0, case: None })),
        ("plan_results_reported", say(PlanWord::ResultsReported)),
        ("plan_units_released", say(PlanWord::UnitsReleased)),
        ("plan_answer_resolved", say(PlanWord::AnswerResolved { answer: at(2, 7), resolution })),
    ];
    moves().into_iter().chain(said).collect()
}
