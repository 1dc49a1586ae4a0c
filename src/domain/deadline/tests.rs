//! Vectors, the samples, and what stops a clock.

use super::*;
use crate::domain::facts::CaseFacts;
use crate::domain::fixtures;
use crate::domain::transition;
use crate::ids::LogId;
use CaseState as S;
use Milestone as M;
use proptest::prelude::*;

const SAMPLES: &str = include_str!("../../../demo/sample-cases.json");

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

pub(super) fn at(index: u64) -> Position {
    Position { log: LogId::new([1; 32]), index }
}

fn facts() -> CaseFacts {
    fixtures::facts()
}

const OWN: u32 = 371_500;
const OTHER: u32 = 130_400;

/// A case in this state, and what happened: each a state or a milestone, with its date.
#[derive(Clone)]
pub(super) struct Told {
    case: Case,
    history: Vec<Happened>,
}

impl Told {
    fn opened(on: &str) -> Self {
        let case = transition::open(city(OWN), facts(), date(on));
        let opened = Happened { by: city(OWN), on: date(on), what: What::Became(S::ClueReported) };
        Self { case, history: vec![opened] }
    }

    pub(super) fn became(mut self, state: CaseState, on: &str) -> Self {
        self.case.state = state;
        self.case.turn = (state != S::Archived).then_some(self.case.handling);
        self.push(What::Became(state), on)
    }

    pub(super) fn milestone(self, one: Milestone, on: &str) -> Self {
        self.push(What::Milestone(one), on)
    }

    pub(super) fn push(self, what: What, on: &str) -> Self {
        let by = self.case.handling.as_u32();
        self.push_by(by, what, on)
    }

    pub(super) fn push_by(mut self, by: u32, what: What, on: &str) -> Self {
        self.history.push(Happened { by: city(by), on: date(on), what });
        self
    }

    pub(super) fn len(&self) -> u64 {
        self.history.len() as u64
    }

    fn offered(mut self, on: &str) -> Self {
        let returns_to = self.case.state;
        let (from, to) = (self.case.handling, city(OTHER));
        self.case.transfer = Some(crate::domain::Transfer { from, to, returns_to });
        self.case.state = S::TransferredOut;
        self.case.turn = Some(to);
        self.push(What::Became(S::TransferredOut), on)
    }

    fn taken_over(mut self, on: &str) -> Self {
        self.case.transfer = None;
        self.case.state = S::TransferAccepted;
        self.case.handling = city(OTHER);
        self.case.turn = Some(city(OTHER));
        self.case.handled_by = vec![city(OTHER), city(OWN)];
        self.push(What::Became(S::TransferAccepted), on)
    }

    fn all(&self) -> Vec<Deadline> {
        let last = at(self.history.len() as u64 - 1);
        deadlines(&self.case, last, &self.history, &Terms::default(), &WorkCalendar::shipped())
    }

    /// The last day of a clock, if it runs; `None` as well while it is suspended.
    pub(super) fn due(&self, clock: Clock) -> Option<String> {
        let found = self.all().into_iter().find(|d| d.clock == clock)?;
        found.last.map(|last| last.on.to_string())
    }

    pub(super) fn clocks(&self) -> Vec<(Clock, u32)> {
        self.all().into_iter().map(|d| (d.clock, d.city.as_u32())).collect()
    }
}

pub(super) fn filed(on: &str) -> Told {
    Told::opened(on).became(S::ClueVerifying, on).became(S::Filed, on)
}

#[test]
fn the_samples_have_these_dates() {
    let samples: serde_json::Value = serde_json::from_str(SAMPLES).unwrap();
    let (mut equal, mut rolled, mut assumed) = (0, 0, 0);
    for sample in samples["cases"].as_array().unwrap() {
        let dates = &sample["deadlines"];
        let on = |state: &str| {
            let mut all = sample["timeline"].as_array().unwrap().iter();
            all.find(|t| t["state"] == state).map(|t| t["on"].as_str().unwrap().to_owned())
        };
        let mut same = |ours: Option<String>, theirs: &serde_json::Value| {
            assert_eq!(ours.as_deref(), theirs.as_str(), "{}", sample["case_id"]);
            equal += 1;
        };
        let reported = on("CLUE_REPORTED").unwrap();
        same(Told::opened(&reported).due(Clock::Filing), &dates["filing_due_on"]);
        if let (Some(on), true) = (on("FILED"), dates["decision_due_on"].is_string()) {
            let ours = filed(&on).due(Clock::Decision).unwrap();
            // The samples do not roll the end of the 90 days on over days off.
            let theirs = dates["decision_due_on"].as_str().unwrap();
            if ours != theirs {
                let calendar = WorkCalendar::shipped();
                let day_off = super::super::calendar::DayKind::DayOff;
                assert_eq!(calendar.day(date(theirs)), day_off, "{}", sample["case_id"]);
                rolled += 1;
            } else {
                equal += 1;
            }
        }
        if let (Some(on), true) = (on("NOTICE_SERVED"), dates["hearing_request_due_on"].is_string())
        {
            let told = filed(&on).became(S::NoticeServed, &on);
            let ours = told.due(Clock::HearingRequest);
            assert_eq!(ours.as_deref(), dates["hearing_request_due_on"].as_str());
            equal += 1;
        }
        if let (Some(on), true) = (on("DECIDED"), dates["payment_due_on"].is_string()) {
            // They take the decision for received on the day after it.
            let received = date(&on).plus_days(1).unwrap().to_string();
            let told = filed(&on).became(S::Decided, &on);
            assert_eq!(told.due(Clock::Payment), None, "nobody pays what was not served");
            let ours = told.milestone(M::DecisionServed, &received).due(Clock::Payment);
            assert_eq!(ours.as_deref(), dates["payment_due_on"].as_str(), "{}", sample["case_id"]);
            assumed += 1;
        }
    }
    assert_eq!((equal, rolled, assumed), (78, 6, 15));
}

#[test]
fn f14_a_suspended_period_moves_the_date() {
    let case = filed("2026-07-03").became(S::Investigating, "2026-07-06");
    assert_eq!(case.due(Clock::Decision).as_deref(), Some("2026-10-08"));
    // While it is tested there is no date; two overlapping reasons count each day once.
    let case = case.milestone(M::TestingBegun, "2026-07-10");
    assert_eq!(case.due(Clock::Decision), None);
    assert!(case.all().iter().any(|d| d.clock == Clock::Decision && d.suspended));
    let case = case
        .milestone(M::AppraisalBegun, "2026-07-12")
        .milestone(M::TestingEnded, "2026-07-20")
        .milestone(M::AppraisalEnded, "2026-07-22");
    // 90 and 12 days after 2026-07-03.
    assert_eq!(case.due(Clock::Decision).as_deref(), Some("2026-10-13"));
    assert_eq!(case.all()[0].suspended_days, 12);
    // A hearing suspends it from its opening to the next move.
    let heard =
        filed("2026-03-02").became(S::NoticeServed, "2026-03-09").became(S::Hearing, "2026-03-20");
    assert_eq!(heard.due(Clock::Decision), None);
    // Tested again on the day of a result: that result was of the first sample.
    let again = filed("2026-07-03")
        .milestone(M::TestingBegun, "2026-07-10")
        .milestone(M::TestingEnded, "2026-07-20")
        .milestone(M::TestingBegun, "2026-07-20");
    assert!(again.all()[0].suspended, "the laboratory has a sample");
    assert_eq!((again.due(Clock::Decision), again.all()[0].suspended_days), (None, 10));
    let again = again.milestone(M::TestingEnded, "2026-07-22");
    assert_eq!(again.due(Clock::Decision).as_deref(), Some("2026-10-13"));
    // So with two samples that are away at once.
    let two = filed("2026-07-03")
        .milestone(M::TestingBegun, "2026-07-10")
        .milestone(M::TestingBegun, "2026-07-12")
        .milestone(M::TestingEnded, "2026-07-20");
    assert!(two.all()[0].suspended);
    let two = two.milestone(M::TestingEnded, "2026-07-22");
    assert_eq!(two.due(Clock::Decision).as_deref(), Some("2026-10-13"));
    // A sample that was sent while it was a clue: the days from the filing on count, no other.
    let sent = |on: &str, back: Option<&str>| {
        let told = Told::opened("2026-06-29").milestone(M::TestingBegun, on);
        let told = told.became(S::ClueVerifying, "2026-06-29").became(S::Filed, "2026-07-03");
        back.into_iter().fold(told, |told, back| told.milestone(M::TestingEnded, back))
    };
    assert!(sent("2026-06-30", None).all()[0].suspended);
    let back = sent("2026-06-30", Some("2026-07-15"));
    assert_eq!(back.due(Clock::Decision).as_deref(), Some("2026-10-13"));
    assert_eq!(back.all()[0].suspended_days, 12);
    for back in ["2026-07-01", "2026-07-03"] {
        let back = sent("2026-06-30", Some(back));
        assert_eq!(back.due(Clock::Decision).as_deref(), Some("2026-10-08"));
        assert_eq!((back.all()[0].suspended, back.all()[0].suspended_days), (false, 0));
    }
    // What a city that never had the case calls a milestone stops nothing.
    let mut other = filed("2026-07-03");
    other.history.push(Happened {
        by: city(OTHER),
        on: date("2026-07-10"),
        what: What::Milestone(M::TestingBegun),
    });
    assert_eq!(other.due(Clock::Decision).as_deref(), Some("2026-10-08"));
}

#[test]
fn a_transfer_has_its_own_clocks_and_the_senders_run_on() {
    let case = Told::opened("2026-09-18").became(S::ClueVerifying, "2026-09-18");
    assert_eq!(case.clocks(), [(Clock::Filing, OWN)]);
    let case = case.offered("2026-09-18");
    let all = [(Clock::Filing, OWN), (Clock::TransferAck, OTHER), (Clock::TransferAnswer, OTHER)];
    assert_eq!(case.clocks(), all);
    assert_eq!(case.due(Clock::TransferAck).as_deref(), Some("2026-09-21"));
    // An acknowledgement of another offer does not count, nor one of another city.
    let offer = at(case.history.len() as u64 - 1);
    for (by, acknowledged, runs) in
        [(OTHER, at(0), true), (OWN, offer, true), (OTHER, offer, false)]
    {
        let mut seen = case.clone();
        let what = What::Acknowledged(acknowledged);
        seen.history.push(Happened { by: city(by), on: date("2026-09-21"), what });
        let (terms, calendar) = (Terms::default(), WorkCalendar::shipped());
        let all = deadlines(&seen.case, offer, &seen.history, &terms, &calendar);
        assert_eq!(all.iter().any(|d| d.clock == Clock::TransferAck), runs);
    }
    // The receiver decides anew, and owes the sender reports and the outcome.
    let taken = Told::opened("2026-08-03").offered("2026-08-04").taken_over("2026-08-06");
    assert_eq!(taken.clocks(), [(Clock::Filing, OTHER), (Clock::Progress, OTHER)]);
    assert_eq!(taken.due(Clock::Filing).as_deref(), Some("2026-08-27"));
    assert_eq!(taken.due(Clock::Progress).as_deref(), Some("2026-09-07"));
    let reported = taken.milestone(M::ProgressReported, "2026-08-20");
    assert_eq!(reported.due(Clock::Progress).as_deref(), Some("2026-09-20"));
    let closed = reported.became(S::Closed, "2026-09-30");
    assert_eq!(closed.clocks(), [(Clock::Outcome, OTHER)]);
    assert_eq!(closed.due(Clock::Outcome).as_deref(), Some("2026-10-13"));
    assert_eq!(closed.clone().milestone(M::OutcomeReported, "2026-10-08").clocks(), []);
    // The report is owed by whoever archives the case at once, and by nobody who handled it first.
    let archived = closed.became(S::Archived, "2026-09-30");
    assert_eq!(archived.clocks(), [(Clock::Outcome, OTHER)]);
    assert_eq!(archived.due(Clock::Outcome).as_deref(), Some("2026-10-13"));
    assert_eq!(archived.milestone(M::OutcomeReported, "2026-10-08").clocks(), []);
    let own = filed("2026-09-01").became(S::Withdrawn, "2026-09-02");
    assert_eq!(own.became(S::Archived, "2026-09-03").clocks(), []);
}

#[test]
fn every_other_clock_begins_and_ends() {
    let case = filed("2026-03-02").milestone(M::EvidenceRegistered, "2026-03-03");
    assert_eq!(case.due(Clock::Registration).as_deref(), Some("2026-03-12"));
    let case = case.milestone(M::EvidenceRegistrationDecided, "2026-03-10");
    assert_eq!(case.due(Clock::Registration), None);
    let case = case.milestone(M::RectificationOrdered, "2026-03-11");
    assert!(case.due(Clock::SecondLook).is_some());
    let case = case.milestone(M::RectificationChecked, "2026-04-01");
    assert_eq!(case.due(Clock::SecondLook), None);
    let case = case.milestone(M::CrimeSuspected, "2026-04-02");
    assert_eq!(case.due(Clock::CrimeDecision).as_deref(), Some("2026-04-07"));
    let kept = case.clone().milestone(M::CrimeNotReferred, "2026-04-03");
    assert_eq!(kept.due(Clock::CrimeDecision), None);
    let police = case.became(S::TransferredPolice, "2026-04-03");
    assert_eq!(police.clocks(), [(Clock::PoliceAnswer, OWN)]);
    assert_eq!(police.due(Clock::PoliceAnswer).as_deref(), Some("2026-04-07"));
    assert_eq!(police.milestone(M::PoliceAnswered, "2026-04-05").clocks(), []);
    let notice = filed("2026-03-02").became(S::NoticeServed, "2026-03-09");
    assert_eq!(notice.due(Clock::HearingRequest).as_deref(), Some("2026-03-16"));
    let notice = notice.milestone(M::HearingNotified, "2026-03-10");
    assert_eq!(notice.due(Clock::HearingNotice).as_deref(), Some("2026-03-19"));
    let decided = filed("2026-03-02").became(S::Decided, "2026-03-30");
    assert_eq!(decided.due(Clock::Service).as_deref(), Some("2026-04-09"));
    let served = decided.milestone(M::DecisionServed, "2026-04-01");
    assert_eq!(served.due(Clock::Service), None);
    assert_eq!(served.due(Clock::Payment).as_deref(), Some("2026-04-16"));
    // Six months for a suit roll from 10-01 to 10-08, and three more go into an unknown year.
    let court = served.all().into_iter().find(|d| d.clock == Clock::CourtEnforcement).unwrap();
    assert_eq!(court.from, date("2026-10-08"));
    let last = LastDay { on: date("2027-01-08"), latest: date("2027-01-22") };
    assert_eq!(court.last, Some(last));
    assert_eq!(served.milestone(M::FinePaid, "2026-04-10").clocks(), []);
    let extended = Told::opened("2026-09-21").milestone(M::FilingExtended, "2026-09-22");
    assert_eq!(extended.due(Clock::Filing).as_deref(), Some("2026-11-09"));
    let asked = What::Asked { request: at(7), to: city(OTHER), due_on: date("2026-03-20") };
    let helped = filed("2026-03-02").push(asked, "2026-03-03");
    let help = helped.all().into_iter().find(|d| d.clock == Clock::Assistance).unwrap();
    assert_eq!((help.city, help.last.map(|l| l.on)), (city(OTHER), Some(date("2026-03-20"))));
    let answer =
        |by| Happened { by: city(by), on: date("2026-03-05"), what: What::Answered(at(7)) };
    for (by, runs) in [(OWN, true), (OTHER, false)] {
        let mut answered = helped.clone();
        answered.history.push(answer(by));
        assert_eq!(answered.clocks().contains(&(Clock::Assistance, OTHER)), runs);
    }
    // Two requests of one day, in whichever order they arrived.
    let later = What::Asked { request: at(8), to: city(OTHER), due_on: date("2026-03-24") };
    let both = helped.push(later, "2026-03-03");
    let swapped = filed("2026-03-02").push(later, "2026-03-03").push(asked, "2026-03-03");
    assert_eq!(both.all(), swapped.all());
    assert_eq!(filed("2026-03-02").became(S::Archived, "2026-03-03").clocks(), []);
}

/// Until the decision is known to be served the case owes its service, whatever is done meanwhile.
#[test]
fn a_decision_that_is_enforced_is_served_first() {
    let decided = filed("2026-03-02").became(S::Decided, "2026-03-30");
    let enforcing = decided.became(S::Enforcing, "2026-04-02");
    assert_eq!(enforcing.clocks(), [(Clock::Service, OWN)]);
    assert_eq!(enforcing.due(Clock::Service).as_deref(), Some("2026-04-09"));
    let served = enforcing.milestone(M::DecisionServed, "2026-04-01");
    assert_eq!(served.clocks(), [(Clock::Payment, OWN), (Clock::CourtEnforcement, OWN)]);
    assert_eq!(served.due(Clock::Payment).as_deref(), Some("2026-04-16"));
}

/// What was decided of one thing ends the term of no other.
#[test]
fn each_end_ends_what_began_first() {
    for (begins, ends, clock, [first, second]) in [
        (
            M::EvidenceRegistered,
            M::EvidenceRegistrationDecided,
            Clock::Registration,
            ["2026-03-12", "2026-03-18"],
        ),
        (
            M::RectificationOrdered,
            M::RectificationChecked,
            Clock::SecondLook,
            ["2026-04-02", "2026-04-08"],
        ),
        (
            M::CrimeSuspected,
            M::CrimeNotReferred,
            Clock::CrimeDecision,
            ["2026-03-06", "2026-03-12"],
        ),
    ] {
        let case =
            filed("2026-03-02").milestone(begins, "2026-03-03").milestone(begins, "2026-03-09");
        assert_eq!(case.due(clock).as_deref(), Some(first), "the first is not put off");
        for on in ["2026-03-09", "2026-03-10"] {
            let one = case.clone().milestone(ends, on);
            assert_eq!(one.due(clock).as_deref(), Some(second), "{clock}, ended on {on}");
            assert_eq!(one.milestone(ends, on).due(clock), None, "{clock}, both on {on}");
        }
        let early =
            filed("2026-03-02").milestone(ends, "2026-03-02").milestone(begins, "2026-03-03");
        assert_eq!(early.due(clock).as_deref(), Some(first), "{clock}: nothing had begun");
    }
    // A suspicion behind a decision to hand over has a term of its own, and an end.
    let case = filed("2026-03-02").milestone(M::CrimeSuspected, "2026-03-03");
    let case =
        case.became(S::TransferredPolice, "2026-03-04").became(S::Investigating, "2026-03-06");
    assert_eq!(case.due(Clock::CrimeDecision), None);
    let case = case.milestone(M::CrimeSuspected, "2026-03-09");
    assert_eq!(case.due(Clock::CrimeDecision).as_deref(), Some("2026-03-12"));
    let kept = case.milestone(M::CrimeNotReferred, "2026-03-10");
    assert_eq!(kept.due(Clock::CrimeDecision), None);
}

/// What would count for nothing is refused, and names the first day that counts.
#[test]
fn a_milestone_is_not_before_what_it_follows() {
    let wrong = |told: &Told, one: Option<Milestone>, on: &str| match check_date(
        &told.case,
        &told.history,
        one,
        date(on),
    ) {
        Ok(()) => None,
        Err(Refusal::EffectiveTooEarly { not_before, .. }) => Some(not_before.to_string()),
        Err(other) => panic!("{other}"),
    };
    // Discovered before it was reported.
    let mut told = Told::opened("2026-03-09");
    told.case.facts.discovered_time_ms = date("2026-03-02").beijing_ms().start;
    for one in Milestone::ALL.iter().copied().map(Some).chain([None]) {
        let first = if one == Some(M::FilingExtended) { "2026-03-09" } else { "2026-03-02" };
        assert_eq!(wrong(&told, one, first), None, "{one:?}");
        assert_eq!(wrong(&told, one, "2025-03-09").as_deref(), Some(first), "{one:?}");
    }
    let taken = told.offered("2026-03-10").taken_over("2026-03-12");
    for one in [M::FilingExtended, M::ProgressReported] {
        assert_eq!(wrong(&taken, Some(one), "2026-03-12"), None);
        assert_eq!(wrong(&taken, Some(one), "2026-03-11").as_deref(), Some("2026-03-12"));
    }
    let ended = taken
        .became(S::NoticeServed, "2026-03-20")
        .became(S::Decided, "2026-03-30")
        .became(S::Enforcing, "2026-04-02")
        .became(S::Closed, "2026-04-20");
    for (one, first, early) in [
        (M::HearingNotified, "2026-03-20", "2026-03-19"),
        (M::DecisionServed, "2026-03-30", "2026-03-29"),
        (M::FinePaid, "2026-03-30", "2025-04-01"),
        (M::OutcomeReported, "2026-04-20", "2026-04-19"),
    ] {
        assert_eq!(wrong(&ended, Some(one), first), None, "{one}");
        assert_eq!(wrong(&ended, Some(one), early).as_deref(), Some(first), "{one}");
    }
}

#[test]
fn an_act_is_discovered_in_time_or_it_is_told() {
    // Discovered on 2026-11-18; acts of two and of five years before, and a day more.
    let found = |occurred_to: Option<&str>| {
        let mut told = Told::opened("2026-11-19");
        told.case.facts.discovered_time_ms = date("2026-11-18").beijing_ms().start;
        told.case.facts.occurred_to = occurred_to.map(date);
        let now = date("2030-01-01").beijing_ms().start;
        let all = told.all().into_iter().filter(|d| d.clock >= Clock::Discovery);
        all.map(|d| (d.clock, d.last.unwrap().on.to_string(), d.is_over(now))).collect::<Vec<_>>()
    };
    let two = |on: &str, over| (Clock::Discovery, on.to_owned(), over);
    let five = |on: &str, over| (Clock::DiscoveryGrave, on.to_owned(), over);
    assert_eq!(found(None), [], "it may go on");
    assert_eq!(found(Some("2024-11-18")), [two("2026-11-18", false)]);
    assert_eq!(
        found(Some("2024-11-17")),
        [two("2026-11-17", true), five("2029-11-17", false)],
        "a holiday puts nothing off"
    );
    assert_eq!(found(Some("2021-11-17")), [two("2023-11-17", true), five("2026-11-17", true)]);
    let mut decided = filed("2026-11-19").became(S::Decided, "2026-11-20");
    decided.case.facts.occurred_to = Some(date("2021-11-17"));
    assert_eq!(decided.clocks(), [(Clock::Service, OWN)]);
}

#[test]
fn an_emergency_is_late_by_the_minute_and_another_notice_by_the_day() {
    let calendar = WorkCalendar::shipped();
    let issued = date("2026-09-30").beijing_ms().start + 36_000_000;
    let of = |kind| Deadline::of_notice(city(OTHER), kind, issued, (60, 1), &calendar).unwrap();
    let emergency = of(NoticeKind::Emergency);
    assert_eq!((emergency.clock, emergency.city), (Clock::EmergencyAck, city(OTHER)));
    assert!(!emergency.is_over(issued + 3_600_000) && emergency.is_over(issued + 3_600_001));
    let general = of(NoticeKind::General);
    assert_eq!((general.clock, general.from), (Clock::NoticeAck, date("2026-09-30")));
    assert_eq!(general.last, Some(LastDay::sure(date("2026-10-08"))));
    let next = date("2026-10-09").beijing_ms().start;
    assert!(!general.is_over(next - 1) && general.is_over(next));
}

proptest! {
    /// Whatever happened on whatever days: no panic, and every clock at most once a city and day.
    #[test]
    fn no_history_breaks_it(
        state in 0..CaseState::ALL.len(),
        happened in proptest::collection::vec((0..40_usize, 0..2_u8, 20_000_i64..21_000), 0..24),
    ) {
        let mut told = Told::opened("2026-01-05").became(CaseState::ALL[state], "2026-01-06");
        for (what, by, day) in happened {
            let on = Date::from_days_since_epoch(day).unwrap();
            let by = city(if by == 0 { OWN } else { OTHER });
            let what = match Milestone::ALL.get(what) {
                Some(one) => What::Milestone(*one),
                None => What::Became(CaseState::ALL[what % CaseState::ALL.len()]),
            };
            told.history.push(Happened { by, on, what });
        }
        let all = told.all();
        prop_assert!(all.len() <= Clock::ALL.len());
        prop_assert!(all.iter().all(|d| d.last.is_none_or(|last| last.on >= d.from)));
    }
}
