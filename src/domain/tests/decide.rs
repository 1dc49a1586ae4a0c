//! What the deciding city checks beside the table.

use crate::domain::case::{AuthorityLevel, Case, CaseContribution, CaseMove, CaseState, CaseStep};
use crate::domain::decide::{decide, decide_contribution, decide_open};
use crate::domain::facts::CaseFacts;
use crate::domain::fixtures::{city, date, facts, position};
use crate::domain::transition::{next, open};
use crate::ids::{AgreementId, CityCode, SubjectId};

const TODAY: &str = "2026-11-20";

fn liaocheng() -> CityCode {
    city(371_500)
}
fn handan() -> CityCode {
    city(130_400)
}
fn puyang() -> CityCode {
    city(410_900)
}
fn dezhou() -> CityCode {
    city(371_400)
}
fn members() -> [CityCode; 4] {
    [handan(), dezhou(), liaocheng(), puyang()]
}

fn verifying(facts: CaseFacts) -> Case {
    let opened = open(liaocheng(), facts, date("2026-11-18"));
    after(&opened, liaocheng(), &step(CaseStep::VerificationStarted, "2026-11-19"))
}

fn after(case: &Case, by: CityCode, mv: &CaseMove) -> Case {
    next(case, by, &members(), mv).unwrap()
}

fn step(step: CaseStep, on: &str) -> CaseMove {
    CaseMove::Stepped { step, effective_on: date(on) }
}

fn offer(to: CityCode) -> CaseMove {
    CaseMove::TransferOffered { to, effective_on: date("2026-11-19") }
}

/// The reason of a refusal, empty if there was none.
fn asked(case: &Case, by: CityCode, mv: &CaseMove) -> &'static str {
    match decide(case, by, &members(), date(TODAY), mv) {
        Ok(event) => {
            assert_eq!(&event, mv, "the event is the command");
            ""
        }
        Err(refusal) => refusal.reason(),
    }
}

#[test]
fn a_legal_date_lies_between_the_last_move_and_today() {
    let case = verifying(facts());
    for (on, want) in [
        ("2026-11-18", "EFFECTIVE_BEFORE_LAST"),
        ("2026-11-19", ""),
        ("2026-11-20", ""),
        ("2026-11-21", "EFFECTIVE_IN_FUTURE"),
    ] {
        assert_eq!(asked(&case, liaocheng(), &step(CaseStep::Filed, on)), want, "{on}");
    }
}

#[test]
fn a_move_dated_ahead_elsewhere_does_not_block_the_case() {
    let ahead = after(
        &verifying(facts()),
        liaocheng(),
        &CaseMove::TransferOffered { to: handan(), effective_on: date("2099-01-01") },
    );
    let accept = |on| CaseMove::TransferAccepted { effective_on: date(on) };
    assert_eq!(asked(&ahead, handan(), &accept("2026-11-19")), "EFFECTIVE_BEFORE_LAST");
    assert_eq!(asked(&ahead, handan(), &accept(TODAY)), "");
    assert_eq!(after(&ahead, handan(), &accept(TODAY)).last_effective_on, date(TODAY));
}

#[test]
fn filing_needs_a_place_and_keeps_it() {
    let nowhere = CaseFacts { has_point: false, ..facts() };
    let file = step(CaseStep::Filed, TODAY);
    assert_eq!(asked(&verifying(nowhere.clone()), liaocheng(), &file), "POINT_REQUIRED");
    let case = verifying(facts());
    let remove = CaseMove::Amended { facts: nowhere, effective_on: date(TODAY) };
    assert_eq!(asked(&case, liaocheng(), &remove), "");
    assert_eq!(asked(&after(&case, liaocheng(), &file), liaocheng(), &remove), "POINT_REMOVED");
}

#[test]
fn new_facts_are_checked_wherever_they_come_in() {
    let wrong = CaseFacts { county_code: Some(1), ..facts() };
    let case = verifying(facts());
    let on = date(TODAY);
    let amend = CaseMove::Amended { facts: wrong.clone(), effective_on: on };
    let adopt = CaseMove::ProposalAdopted {
        proposal: position(),
        facts: Some(wrong.clone()),
        effective_on: on,
    };
    assert_eq!(asked(&case, liaocheng(), &amend), "COUNTY_CODE");
    assert_eq!(asked(&case, liaocheng(), &adopt), "COUNTY_CODE");
    let opening = |by, facts: &CaseFacts, on: &str| {
        decide_open(by, &members(), date(TODAY), facts, date(on))
            .map_or_else(|refusal| refusal.reason(), |_| "")
    };
    assert_eq!(opening(liaocheng(), &wrong, TODAY), "COUNTY_CODE");
    assert_eq!(opening(city(370_900), &facts(), TODAY), "NOT_A_MEMBER");
    assert_eq!(opening(liaocheng(), &facts(), "2026-11-21"), "EFFECTIVE_IN_FUTURE");
    assert_eq!(opening(liaocheng(), &facts(), TODAY), "");
}

#[test]
fn a_designation_comes_from_a_common_superior() {
    let on = date(TODAY);
    let dispute = CaseMove::TransferDisputed { effective_on: date("2026-11-19") };
    let disputed = |to| after(&after(&verifying(facts()), liaocheng(), &offer(to)), to, &dispute);
    let designate = |authority, designated_on: &str| CaseMove::JurisdictionDesignated {
        city: liaocheng(),
        authority,
        designated_on: date(designated_on),
        effective_on: on,
    };
    let provincial = designate(AuthorityLevel::ProvincialDepartment, TODAY);
    assert_eq!(asked(&disputed(handan()), handan(), &provincial), "AUTHORITY_NOT_COMMON");
    assert_eq!(asked(&disputed(dezhou()), dezhou(), &provincial), "");
    let ministry = designate(AuthorityLevel::Ministry, TODAY);
    assert_eq!(asked(&disputed(handan()), handan(), &ministry), "");
    let ahead = designate(AuthorityLevel::Ministry, "2026-11-21");
    assert_eq!(asked(&disputed(handan()), handan(), &ahead), "DESIGNATED_IN_FUTURE");
}

fn gave(case: &Case, by: CityCode, contribution: &CaseContribution) -> &'static str {
    decide_contribution(case, by, &members(), date(TODAY), contribution)
        .map_or_else(|refusal| refusal.reason(), |()| "")
}

#[test]
fn each_side_of_an_offer_has_its_own_contribution() {
    use CaseContribution as C;
    let case = verifying(facts());
    let offered = after(&case, liaocheng(), &offer(handan()));
    let (seen, recall) = (C::TransferAcknowledged, C::TransferRecallRequested);
    assert_eq!(gave(&case, handan(), &seen), "NO_TRANSFER");
    assert_eq!(gave(&offered, handan(), &seen), "");
    assert_eq!(gave(&offered, liaocheng(), &seen), "NOT_RECEIVER");
    assert_eq!(gave(&offered, puyang(), &seen), "NOT_RECEIVER");
    assert_eq!(gave(&offered, liaocheng(), &recall), "");
    assert_eq!(gave(&offered, handan(), &recall), "NOT_SENDER");
    assert_eq!(gave(&offered, puyang(), &recall), "NOT_SENDER");
    let accepted =
        after(&offered, handan(), &CaseMove::TransferAccepted { effective_on: date(TODAY) });
    assert_eq!(gave(&accepted, handan(), &seen), "NO_TRANSFER");
    assert_eq!(gave(&accepted, handan(), &C::PartsReceived), "");
    assert_eq!(gave(&accepted, liaocheng(), &C::PartsReceived), "");
    assert_eq!(gave(&accepted, puyang(), &C::PartsReceived), "NOTHING_TO_RECEIVE");
    assert_eq!(gave(&case, liaocheng(), &C::PartsReceived), "NOTHING_TO_RECEIVE");
}

#[test]
fn some_contributions_are_for_the_handling_city_and_some_are_not() {
    use CaseContribution as C;
    let case = verifying(facts());
    let ask = |to, on| C::AssistanceRequested { to, due_on: date(on) };
    assert_eq!(gave(&case, liaocheng(), &ask(handan(), "2026-11-20")), "");
    assert_eq!(gave(&case, liaocheng(), &ask(handan(), "2026-11-19")), "DUE_IN_PAST");
    assert_eq!(gave(&case, liaocheng(), &ask(liaocheng(), "2026-11-20")), "SELF_NAMED");
    assert_eq!(gave(&case, liaocheng(), &ask(city(370_900), "2026-11-20")), "RECEIVER_NOT_MEMBER");
    assert_eq!(gave(&case, handan(), &ask(puyang(), "2026-11-20")), "NOT_HANDLING_CITY");
    let police = |on| C::PoliceDetentionTransferred { effective_on: date(on) };
    assert_eq!(gave(&case, liaocheng(), &police(TODAY)), "");
    assert_eq!(gave(&case, liaocheng(), &police("2026-11-21")), "EFFECTIVE_IN_FUTURE");
    assert_eq!(gave(&case, handan(), &police(TODAY)), "NOT_HANDLING_CITY");
    assert_eq!(gave(&case, liaocheng(), &C::ProposalMade), "OWN_PROPOSAL");
    assert_eq!(gave(&case, handan(), &C::ProposalMade), "");
    let grant = |part| C::PartGranted { entry: position(), part, to: puyang() };
    assert_eq!(gave(&case, handan(), &grant(7)), "");
    assert_eq!(gave(&case, handan(), &grant(8)), "NO_SUCH_PART");
    assert_eq!(gave(&case, puyang(), &grant(0)), "SELF_NAMED");
}

#[test]
fn closed_and_archived_cases_still_take_contributions() {
    use CaseContribution as C;
    let dismissed =
        after(&verifying(facts()), liaocheng(), &step(CaseStep::ClueDismissed, "2026-11-19"));
    let archived = after(&dismissed, liaocheng(), &step(CaseStep::Archived, "2026-11-19"));
    assert_eq!(archived.state, CaseState::Archived);
    let (agreement, subject) = (AgreementId::new([1; 16]), SubjectId::new([2; 16]));
    for by in members() {
        for contribution in [
            C::NoteAdded,
            C::EvidenceAdded,
            C::AssistanceAnswered { request: position() },
            C::ContinuedIn { agreement, subject },
            C::ContinuedFrom { agreement, subject },
        ] {
            assert_eq!(gave(&archived, by, &contribution), "", "{contribution:?}");
        }
    }
    assert_eq!(gave(&archived, handan(), &C::ProposalMade), "CASE_ARCHIVED");
    assert_eq!(gave(&archived, city(370_900), &C::NoteAdded), "NOT_A_MEMBER");
}
