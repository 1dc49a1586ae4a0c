//! Every misfit, refusal and finding has its own reason and words in both languages.

use super::ready::Finding;
use super::*;
use crate::domain::code::Language;
use crate::domain::site::LeftOut;

fn misfits() -> Vec<PlanMisfit> {
    let (stage, kind) = (PlanStage::Cancelled, PlanMoveKind::Amend);
    let (city, initiator) = (handan(), liaocheng());
    vec![
        PlanMisfit::Invalid(Wrong::Units),
        PlanMisfit::NotAMember { city },
        PlanMisfit::NotInitiator { initiator },
        PlanMisfit::NotParticipant { city },
        PlanMisfit::NotHost,
        PlanMisfit::StageForbids { stage, kind },
        PlanMisfit::RevisionUnknown,
        PlanMisfit::EntryUnknown,
        PlanMisfit::TooManyRevisions,
        PlanMisfit::AnswerDoesNotCarry { city },
        PlanMisfit::CommitmentMissing { city },
        PlanMisfit::TooManyDraws { attempt: 8 },
        PlanMisfit::WithholdersDiffer { city },
        PlanMisfit::WithheldTwice { city },
        PlanMisfit::ResultsMissing { city },
        PlanMisfit::NoDraw,
    ]
}

fn findings() -> Vec<Finding> {
    let (city, unit, site, on) = (handan(), id(1), id(2), date("2026-12-08"));
    let (at, missing) = (half("2026-12-08上午"), 2);
    let (kind, department) = (UnitKind::Officer, Some(Department::Water));
    let mut all = vec![
        Finding::DayPast { on },
        Finding::OutsideTerm { on },
        Finding::RestDay { on },
        Finding::CalendarUnknown { on },
        Finding::NotConfirmed { city, answer: None },
        Finding::Withdrawn { city },
        Finding::Short { city, kind, department, missing },
        Finding::UnitForeign { city, unit },
        Finding::UnitRetired { city, kind, unit },
        Finding::CertificateInvalid { city, unit, on },
        Finding::DoubleBooked { city, unit, at },
        Finding::SiteUnknown { site },
        Finding::SiteForeign { site, city },
        Finding::HostShort { city, site, at, missing },
        Finding::PoolDiffers,
        Finding::PoolSiteDiffers { site },
        Finding::DrawShort { city, at, missing },
        Finding::NotCommitted { city },
        Finding::RevealMissing { city },
    ];
    all.extend(LeftOut::ALL.iter().map(|why| Finding::SiteLeftOut { site, why: *why }));
    all
}

fn facts_refusals() -> Vec<FactsRefusal> {
    use FactsRefusal as F;
    let (city, site, kind) = (handan(), id(2), PlanKind::DoubleRandom);
    vec![
        F::Participants,
        F::InitiatorMissing { initiator: city },
        F::ParticipantNotMember { city },
        F::Needs { city },
        F::Departments,
        F::Days,
        F::TargetsOfKind { kind },
        F::Visits,
        F::VisitDays { site },
        F::VisitTwice { site },
        F::DrawRule,
    ]
}

fn refusals() -> Vec<PlanRefusal> {
    use PlanRefusal as R;
    let (city, site, on) = (handan(), id(2), date("2026-12-08"));
    let stage = PlanStage::Executing;
    let mut all = vec![
        R::OldRevision { revision: 2 },
        R::AnswerTooLate { stage },
        R::WrongAttempt { attempt: 1 },
        R::ConfirmAnew,
        R::RevealFirst,
        R::CommitTooLate { stage },
        R::RevealStage { stage },
        R::CheckInStage { stage },
        R::ReportStage { stage },
        R::VisitStopped { site, why: LeftOut::Closed },
        R::VisitUnknown { site, visits: 1 },
        R::ArrivalDay { on },
        R::OfficerRecused { officer: id(1) },
        R::OfficerNotSent { officer: id(1) },
        R::DepartmentNotIn { department: Department::Water },
        R::ReportTooLate { until: on },
        R::ResultChanged { newest: None },
        R::NoClue { site },
        R::NothingConfirmed,
        R::UnitsNeeded,
        R::HoldUntil { hold_until: on, latest: on },
        R::Periods,
        R::Committed,
        R::NobodyWithholds,
        R::RevealTooEarly { from: on },
        R::RevealMismatch,
        R::Revealed,
        R::BeginTooEarly { first: on },
        R::NotVisited { site },
        R::SiteUnknown { site },
        R::TeamTooSmall { got: 1, least: 2 },
        R::ReportDay { on, first: on, last: on },
        R::ResultsMissing { site },
        R::ResultsNotIn { city },
        R::AllResultsIn,
        R::CaseElsewhere { case: id(3), city },
    ];
    all.extend(facts_refusals().into_iter().map(R::Facts));
    all.extend(misfits().into_iter().map(R::Misfit));
    all.extend(findings().into_iter().map(|finding| R::Lacking { finding, more: 1 }));
    all
}

#[test]
fn every_refusal_has_its_own_reason_and_words_in_both_languages() {
    let record = |id: SubjectId| format!("〔{}〕", id.as_bytes()[0]);
    let names = Names { city: &name, record: &record };
    let latin = Names { city: &|code| code.to_string(), record: &|id| id.to_string() };
    let mut reasons = BTreeSet::new();
    for refusal in refusals() {
        let reason = refusal.reason();
        assert!(reasons.insert(reason), "{reason} stands twice");
        assert!(reason.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{reason}");
        let zh = refusal.explain(Language::Zh, &names);
        for text in [&zh.why, &zh.todo] {
            assert!(text.chars().any(|c| c > '\u{2e80}') && !text.ends_with('。'), "{text}");
            // Words that mean something else in law.
            assert!(!text.contains("受理") && !text.contains("送达回证"), "{text}");
        }
        let en = refusal.explain(Language::En, &latin);
        for text in [en.why, en.todo] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
            assert!(text.is_ascii(), "{text}");
        }
    }
}

#[test]
fn a_refusal_says_what_is_lacking_by_what_rule_and_from_where() {
    let record = |_: SubjectId| "1304…011".to_owned();
    let names = Names { city: &name, record: &record };
    let (city, at) = (handan(), half("2026-12-08上午"));
    let finding = Finding::DoubleBooked { city, unit: id(1), at };
    let told = PlanRefusal::Lacking { finding, more: 0 }.explain(Language::Zh, &names);
    assert_eq!(told.why, "邯郸的1304…011在2026-12-08上午已有安排");
    assert_eq!(told.todo, "同一人员、车辆同一时段只能参加一项行动（联动规则），请补正后再办理");
    let finding = Finding::HostShort { city, site: id(2), at, missing: 1 };
    let told = PlanRefusal::Lacking { finding, more: 2 }.explain(Language::Zh, &names);
    assert!(told.why.ends_with("属地邯郸缺执法人员1名；另有 2 项不符合"), "{}", told.why);
    assert!(
        told.todo.contains("国办发〔2024〕54号（属地管辖）、行政处罚法第四十二条（不少于两人）"),
        "{}",
        told.todo
    );
}
