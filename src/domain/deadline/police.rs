//! Terms that run with referrals to the police and what the procuratorate said.
//!
//! In scope: when they begin and end. Out of scope: who may say so ([`crate::domain::referral`]).
//!
//! What is decided and what is handed over may be two entries. Of the referrals of one kind that
//! were handed over the newest counts, so a case that goes to the police again begins a new term.
//! An answer that it was forwarded (转送) begins the term of the next organ.

use super::running::Reading;
use super::{Clock, Deadline, Milestone, What};
use crate::domain::case::CaseState;
use crate::domain::date::Date;
use crate::domain::referral::{
    PoliceAnswer, ProcuratorateOpinion, Referral, ReferralAct, ReferralKind,
};
use crate::ids::Position;

impl What {
    /// What a word of police or procuratorate begins or ends; `None` of a campaign tag.
    #[must_use]
    pub const fn of_referral(at: Position, act: &ReferralAct) -> Option<Self> {
        Some(match act {
            ReferralAct::Referred { referral, .. } => Self::Referred(at, *referral),
            ReferralAct::Answered { referral, answer, .. } => {
                Self::PoliceAnswered { referral: *referral, answer: *answer }
            }
            ReferralAct::Copied { .. } => Self::Copied,
            ReferralAct::Opined { opinion, .. } => Self::Opined(*opinion),
            ReferralAct::Tagged { .. } => return None,
        })
    }
}

impl Reading<'_> {
    /// What runs of police and procuratorate beside any state.
    pub(super) fn of_police(&self) -> Vec<Deadline> {
        let decided = self.decided_on();
        let to_hand_over = decided.filter(|on| !self.was_handed_over_since(*on));
        let copied = |on: Date| self.history.iter().any(|h| h.what == What::Copied && h.on >= on);
        let asked = |what| matches!(what, What::Opined(ProcuratorateOpinion::HandOver));
        let asked = self.history.iter().filter(|h| asked(h.what)).map(|h| h.on).max();
        let asked = asked.filter(|on| !self.was_handed_over_since(*on));
        let terms = self.terms;
        let mut all = self.run(Clock::CrimeHandOver, to_hand_over, terms.crime_hand_over);
        let to_copy = decided.filter(|on| !copied(*on));
        all.extend(self.run(Clock::ProcuratorateCopy, to_copy, terms.procuratorate_copy));
        all.extend(self.run(Clock::OpinionHandOver, asked, terms.opinion_hand_over));
        let crime = self.unanswered(ReferralKind::Crime);
        let crime = crime.filter(|on| self.answered_otherwise().is_none_or(|end| end < *on));
        all.extend(self.run(Clock::PoliceAnswer, crime, terms.police_answer));
        let detention = self.unanswered(ReferralKind::Detention);
        all.extend(self.run(Clock::DetentionAnswer, detention, terms.detention_answer));
        all
    }

    fn referrals(&self, kind: ReferralKind) -> impl Iterator<Item = (Position, Referral)> + '_ {
        self.history.iter().filter_map(move |h| match h.what {
            What::Referred(at, referral) if referral.kind == kind => Some((at, referral)),
            What::Referred(..)
            | What::Became(_)
            | What::Edited
            | What::Milestone(_)
            | What::Acknowledged(_)
            | What::Asked { .. }
            | What::Answered(_)
            | What::PoliceAnswered { .. }
            | What::Copied
            | What::Opined(_) => None,
        })
    }

    /// When it was last decided to refer the case as a crime.
    pub(super) fn decided_on(&self) -> Option<Date> {
        self.referrals(ReferralKind::Crime).map(|(_, referral)| referral.decided_on).max()
    }

    /// Whether a referral of a crime was handed over.
    pub(super) fn is_with_police(&self) -> bool {
        self.referrals(ReferralKind::Crime).any(|(_, one)| one.handed_over_on.is_some())
    }

    fn was_handed_over_since(&self, day: Date) -> bool {
        let by_state = self.became(&[CaseState::TransferredPolice]);
        let mut words = self.referrals(ReferralKind::Crime);
        words.any(|(_, one)| one.handed_over_on.is_some_and(|on| on >= day))
            || by_state.is_some_and(|on| on >= day)
    }

    /// Since when the police owe an answer to the newest referral of a kind.
    fn unanswered(&self, kind: ReferralKind) -> Option<Date> {
        let handed = self.referrals(kind).filter_map(|(at, one)| Some((one.handed_over_on?, at)));
        let (on, newest) = handed.reduce(|a, b| if b.0 >= a.0 { b } else { a })?;
        let answers = self.history.iter().filter_map(|h| match h.what {
            What::PoliceAnswered { referral, answer } if referral == newest => Some((h.on, answer)),
            What::PoliceAnswered { .. }
            | What::Referred(..)
            | What::Became(_)
            | What::Edited
            | What::Milestone(_)
            | What::Acknowledged(_)
            | What::Asked { .. }
            | What::Answered(_)
            | What::Copied
            | What::Opined(_) => None,
        });
        match answers.reduce(|a, b| if b.0 >= a.0 { b } else { a }) {
            None => Some(on),
            Some((forwarded_on, PoliceAnswer::Forwarded)) => Some(forwarded_on),
            Some((
                _,
                PoliceAnswer::Filed
                | PoliceAnswer::NotFiled
                | PoliceAnswer::Returned
                | PoliceAnswer::Detained
                | PoliceAnswer::NotDetained
                | PoliceAnswer::Other,
            )) => None,
        }
    }

    /// The last day on which the answer was told by a milestone, or by taking the case back.
    fn answered_otherwise(&self) -> Option<Date> {
        let told = self.milestones().filter(|(one, _)| *one == Milestone::PoliceAnswered);
        let told = told.map(|(_, on)| on).max();
        let mut with_police = false;
        let mut back = None;
        for happened in self.history {
            let What::Became(state) = happened.what else { continue };
            if with_police && state == CaseState::Investigating {
                back = Some(happened.on);
            }
            with_police = state == CaseState::TransferredPolice;
        }
        told.max(back)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, at, date, filed};
    use super::*;
    use Milestone as M;
    use ReferralKind::{Crime, Detention};

    fn refer(told: Told, at: Position, kind: ReferralKind, days: (&str, Option<&str>)) -> Told {
        let (decided_on, handed_over_on) = (date(days.0), days.1.map(date));
        let what = What::Referred(at, Referral { kind, decided_on, handed_over_on });
        told.push(what, days.1.unwrap_or(days.0))
    }

    fn answer(told: Told, referral: Position, answer: PoliceAnswer, on: &str) -> Told {
        told.push(What::PoliceAnswered { referral, answer }, on)
    }

    #[test]
    fn a_crime_is_handed_over_answered_and_copied() {
        let told = filed("2026-11-02").milestone(M::CrimeSuspected, "2026-11-09");
        assert_eq!(told.due(Clock::CrimeDecision).as_deref(), Some("2026-11-12"));
        assert_eq!(told.due(Clock::CrimeHandOver), None);
        let decided = refer(told, at(5), Crime, ("2026-11-10", None));
        assert_eq!(decided.due(Clock::CrimeDecision), None, "it is decided");
        assert_eq!(decided.due(Clock::CrimeHandOver).as_deref(), Some("2026-11-11"));
        assert_eq!(decided.due(Clock::ProcuratorateCopy).as_deref(), Some("2026-11-11"));
        assert_eq!(decided.due(Clock::PoliceAnswer), None, "they have nothing yet");
        let handed = refer(decided, at(6), Crime, ("2026-11-10", Some("2026-11-11")));
        assert_eq!(handed.due(Clock::CrimeHandOver), None);
        // The third day is a Saturday.
        assert_eq!(handed.due(Clock::PoliceAnswer).as_deref(), Some("2026-11-16"));
        let copied = handed.push(What::Copied, "2026-11-11");
        assert_eq!(copied.due(Clock::ProcuratorateCopy), None);
        let forwarded = answer(copied, at(6), PoliceAnswer::Forwarded, "2026-11-12");
        assert_eq!(forwarded.due(Clock::PoliceAnswer).as_deref(), Some("2026-11-16"));
        let forwarded = answer(forwarded, at(6), PoliceAnswer::Forwarded, "2026-11-16");
        assert_eq!(forwarded.due(Clock::PoliceAnswer).as_deref(), Some("2026-11-19"));
        // Of another referral.
        let stray = answer(forwarded, at(5), PoliceAnswer::Filed, "2026-11-17");
        assert_eq!(stray.due(Clock::PoliceAnswer).as_deref(), Some("2026-11-19"));
        let done = answer(stray.clone(), at(6), PoliceAnswer::Filed, "2026-11-17");
        assert_eq!(done.due(Clock::PoliceAnswer), None);
        let told = stray.milestone(M::PoliceAnswered, "2026-11-17");
        assert_eq!(told.due(Clock::PoliceAnswer), None, "a milestone says it as well");
    }

    #[test]
    fn what_comes_back_and_goes_again_begins_anew() {
        let told = refer(filed("2026-11-02"), at(5), Crime, ("2026-11-02", Some("2026-11-02")));
        let back = answer(told, at(5), PoliceAnswer::Returned, "2026-11-04");
        assert_eq!(back.due(Clock::PoliceAnswer), None);
        let again = refer(back, at(7), Crime, ("2026-11-09", Some("2026-11-09")));
        assert_eq!(again.due(Clock::PoliceAnswer).as_deref(), Some("2026-11-12"));
        // Beside the state of the case there is one term, not two.
        let moved = again.became(CaseState::TransferredPolice, "2026-11-09");
        let of_police = |c: &(Clock, u32)| c.0 == Clock::PoliceAnswer;
        assert_eq!(moved.clocks().into_iter().filter(of_police).count(), 1);
        let back = moved.became(CaseState::Investigating, "2026-11-10");
        assert_eq!(back.due(Clock::PoliceAnswer), None, "the police gave it back");
    }

    #[test]
    fn detentions_and_crimes_are_kept_apart() {
        let days = ("2026-11-02", Some("2026-11-02"));
        let told = refer(filed("2026-11-02"), at(5), Detention, days);
        assert_eq!(told.due(Clock::DetentionAnswer).as_deref(), Some("2026-11-05"));
        for clock in [Clock::PoliceAnswer, Clock::ProcuratorateCopy, Clock::CrimeHandOver] {
            assert_eq!(told.due(clock), None, "{clock}");
        }
        let done = answer(told, at(5), PoliceAnswer::Detained, "2026-11-03");
        assert_eq!(done.due(Clock::DetentionAnswer), None);
    }

    #[test]
    fn an_opinion_that_asks_for_it_begins_a_term() {
        let opinion = |one| What::Opined(one);
        let told = filed("2026-11-02");
        let told = told.push(opinion(ProcuratorateOpinion::Suggestion), "2026-11-03");
        assert_eq!(told.due(Clock::OpinionHandOver), None);
        let told = told.push(opinion(ProcuratorateOpinion::HandOver), "2026-11-09");
        assert_eq!(told.due(Clock::OpinionHandOver).as_deref(), Some("2026-11-12"));
        let decided = refer(told, at(6), Crime, ("2026-11-10", None));
        assert!(decided.due(Clock::OpinionHandOver).is_some(), "deciding is not handing over");
        let handed = refer(decided, at(7), Crime, ("2026-11-10", Some("2026-11-11")));
        assert_eq!(handed.due(Clock::OpinionHandOver), None);
    }
}
