//! Every refusal has words in both languages.

use super::*;
use crate::domain::case::{CaseState, CaseStep};
use crate::domain::fixtures::city;

#[test]
fn a_coordinator_reads_whose_turn_it_is_and_what_can_be_done() {
    let name = |code: CityCode| match code.as_u32() {
        130_400 => "邯郸".to_owned(),
        other => other.to_string(),
    };
    let allowed = [MoveKind::Step(CaseStep::Filed), MoveKind::OfferTransfer];
    let mut to = Listener {
        language: Language::Zh,
        city: &name,
        record: &|id| id.to_string(),
        allowed: &allowed,
    };
    let state = CaseState::TransferredOut;
    let turn = Misfit::NotYourTurn { turn: city(130_400), state };
    assert_eq!(turn.explain(&to).why, "办理权：现由邯郸处理（已移送，待对方答复）");
    let kind = MoveKind::Step(CaseStep::Closed);
    let early = Refusal::from(Misfit::MoveNotAllowed { state: CaseState::ClueVerifying, kind });
    assert_eq!(early.explain(&to).why, "案件现为“线索核查中”，不能“结案”");
    assert_eq!(early.explain(&to).todo, "现在可以：立案、移送");
    to.language = Language::En;
    assert_eq!(early.explain(&to).todo, "possible now: file the case, transfer to another city");
}

#[test]
fn every_refusal_has_a_reason_of_its_own_and_two_sentences() {
    use crate::domain::fixtures::date;
    use crate::domain::notice::NoticeRefusal;
    use Refusal as R;
    let (today, city, state) = (date("2026-11-20"), city(130_400), CaseState::Filed);
    let (from, to, sender, receiver, handling) = (city, city, city, city, city);
    let (effective_on, last, due_on, designated_on) = (today, today, today, today);
    let mut all: Vec<Refusal> = misfits(city, state).into_iter().map(R::from).collect();
    all.extend([
        R::EffectiveInFuture { effective_on, today, field: "effective_on" },
        R::EffectiveBeforeLast { effective_on, last },
        R::EffectiveTooEarly { effective_on, not_before: last },
        R::NoSuchMilestone,
        R::PointRequired,
        R::PointRemoved,
        R::OfficersMissing { got: 1 },
        R::DesignatedInFuture { designated_on, today },
        R::AuthorityNotCommon { from, to },
        R::SecretNotExchanged,
        R::CountyUnknown,
        R::DiscoveredInFuture { today },
        R::OccurredAfterDiscovery { discovered_on: today },
        R::OccurredOrder,
        R::OccurredInFuture { today },
        R::Borders,
        R::OutsideBelt { nearest_m: 2, belt_m: 1 },
        R::NoTransfer { state },
        R::NotReceiver { receiver },
        R::NotSender { sender },
        R::HandlingCityOnly { handling },
        R::SelfNamed { field: "to_city" },
        R::DueInPast { due_on, today },
        R::OwnProposal,
        R::NothingToReceive,
        R::NoSuchPart { part: 8 },
        R::Notice(NoticeRefusal::LevelMissing),
        R::Notice(NoticeRefusal::LevelNotAllowed),
        R::Notice(NoticeRefusal::Acknowledged),
        R::Notice(NoticeRefusal::Ended),
    ]);
    all.extend(meetings(city, today).map(R::Meeting));
    all.extend(units(today).map(R::Unit));
    all.extend(referrals(today).map(R::Referral));
    all.extend(sites(city, today).map(R::Site));
    let name = |code: CityCode| code.to_string();
    let reasons: std::collections::BTreeSet<_> = all.iter().map(Refusal::reason).collect();
    assert_eq!(reasons.len(), all.len());
    for refusal in all {
        for language in [Language::Zh, Language::En] {
            let told = refusal.explain(&Listener {
                language,
                city: &name,
                record: &|id| id.to_string(),
                allowed: &[],
            });
            for sentence in [told.why, told.todo] {
                let chinese = sentence.chars().any(|c| c > '\u{2e80}');
                assert_eq!(chinese, language == Language::Zh, "{sentence}");
                assert!(!sentence.ends_with(['。', '.']), "{sentence}");
            }
        }
    }
}

fn misfits(city: CityCode, state: CaseState) -> Vec<Misfit> {
    let kind = MoveKind::AcceptTransfer;
    vec![
        Misfit::CaseArchived,
        Misfit::AlreadyOpen,
        Misfit::NotAMember { city },
        Misfit::NotYourTurn { turn: city, state },
        Misfit::TransferPending { state },
        Misfit::MoveNotAllowed { state, kind },
        Misfit::SelfTransfer,
        Misfit::ReceiverNotMember { city, field: "to_city" },
        Misfit::NotAddressed { city },
        Misfit::NoticeInvalid,
        Misfit::NotIssuer { issuer: city },
        Misfit::MeetingInvalid,
        Misfit::NotChair { chair: city },
        Misfit::SiteInvalid,
        Misfit::NotSiteCity { owner: city },
        Misfit::UnitInvalid,
        Misfit::NotUnitCity { city },
    ]
}

fn sites(city: CityCode, on: crate::domain::Date) -> [crate::domain::site::SiteRefusal; 13] {
    use crate::domain::site::SiteRefusal as S;
    let county = crate::domain::CountyCode::from_u32(371_522).unwrap();
    [
        S::CountyNotOwn { county, city },
        S::Known { site: crate::ids::SubjectId::new([1; 16]) },
        S::Changed { current: crate::domain::fixtures::position() },
        S::ListingDates { admitted_on: on, expires_on: on },
        S::RemovalBasis { removed: true },
        S::CheckInFuture { on, today: on },
        S::CheckTooOld { on, since: on },
        S::PlanUnknown,
        S::RenewalBeginsLater { admitted_on: on, today: on },
        S::TooManyPlants { most: 100 },
        S::Closed,
        S::PositiveList { until: on },
        S::Capped { year: 2026, made: 3, reserved: 0, most: 3 },
    ]
}

fn meetings(
    city: CityCode,
    today: crate::domain::Date,
) -> [crate::domain::meeting::MeetingRefusal; 9] {
    use crate::domain::meeting::MeetingRefusal as M;
    [
        M::NotTurnToChair { due: city },
        M::ChairNotMember { city },
        M::OutsideTerm { on: today, field: "on" },
        M::HeldInFuture { held_on: today, today },
        M::Held,
        M::Cancelled,
        M::MinutesMissing,
        M::MinutesDiffer,
        M::Confirmed,
    ]
}

fn units(today: crate::domain::Date) -> [crate::domain::unit::UnitRefusal; 5] {
    use crate::domain::unit::UnitRefusal as U;
    [
        U::Known { unit: crate::ids::SubjectId::new([7; 16]) },
        U::Retired,
        U::WholeCity,
        U::PeriodPast { last: today, today },
        U::PeriodTooFar { last: today, today },
    ]
}

/// All but the one that says what HandlingCityOnly says.
fn referrals(not_before: crate::domain::Date) -> [crate::domain::referral::ReferralRefusal; 7] {
    use crate::domain::referral::ReferralRefusal as F;
    [
        F::Unknown,
        F::NotHandedOver,
        F::TooEarly { not_before, field: "answered_on" },
        F::WrongAnswer,
        F::Papers,
        F::Tagged,
        F::NotTagged,
    ]
}

#[test]
fn words_that_mean_something_else_in_law_are_not_used() {
    let source = include_str!("../words.rs");
    for text in [source, include_str!("../case.rs"), include_str!("../kind.rs")] {
        for word in ["受理", "送达回证"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
