//! Terms that run with referrals to the police and what the procuratorate said.
//!
//! In scope: when they begin and end. Out of scope: who may say so ([`crate::domain::referral`]).
//!
//! What is decided and what is handed over may be two entries. Of the referrals of one kind that
//! were handed over the newest counts, so a case that goes to the police again begins a new term.
//! An answer that it was forwarded (转送) begins the term of the next organ. Of two words of one day
//! the one at the later place counts: the order of arrival is each node's own. Only the letter of a
//! referral of a crime ends the term of the copy.

use std::collections::BTreeSet;

use super::running::Reading;
use super::{Clock, Deadline, Milestone, What};
use crate::domain::case::CaseState;
use crate::domain::date::Date;
use crate::domain::referral::{
    CopiedPaper, PoliceAnswer, ProcuratorateOpinion, Referral, ReferralAct, ReferralKind,
};
use crate::ids::Position;

impl What {
    /// What a word of police or procuratorate begins or ends; `None` of a campaign tag.
    #[must_use]
    pub const fn of_referral(at: Position, act: &ReferralAct) -> Option<Self> {
        Some(match act {
            ReferralAct::Referred { referral, .. } => Self::Referred(at, *referral),
            ReferralAct::Answered { referral, answer, .. } => {
                Self::PoliceAnswered { at, referral: *referral, answer: *answer }
            }
            ReferralAct::Copied { referral, paper, .. } => {
                Self::Copied { referral: *referral, paper: *paper }
            }
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
        let asked = |what| matches!(what, What::Opined(ProcuratorateOpinion::HandOver));
        let asked = self.history.iter().filter(|h| asked(h.what)).map(|h| h.on).max();
        let asked = asked.filter(|on| !self.was_handed_over_since(*on));
        let terms = self.terms;
        let mut all = self.run(Clock::CrimeHandOver, to_hand_over, terms.crime_hand_over);
        let to_copy = decided.filter(|on| !self.was_letter_copied_since(*on));
        all.extend(self.run(Clock::ProcuratorateCopy, to_copy, terms.procuratorate_copy));
        all.extend(self.run(Clock::OpinionHandOver, asked, terms.opinion_hand_over));
        let crime = self.unanswered(ReferralKind::Crime);
        let crime = crime.filter(|on| self.answered_otherwise().is_none_or(|end| end < *on));
        all.extend(self.run(Clock::PoliceAnswer, crime, terms.police_answer));
        let (clock, term) = (Clock::DetentionAnswer, terms.detention_answer);
        all.extend(match self.plain_detention() {
            None => self.run(clock, self.unanswered(ReferralKind::Detention), term),
            plain => self.unless(Milestone::PoliceAnswered, clock, plain, term),
        });
        all
    }

    fn referrals(&self, kind: ReferralKind) -> impl Iterator<Item = (Position, Referral)> + '_ {
        self.history.iter().filter_map(move |h| match h.what {
            What::Referred(at, referral) if referral.kind == kind => Some((at, referral)),
            What::Referred(..)
            | What::Became(_)
            | What::Edited
            | What::Judged(_)
            | What::Proposed(_)
            | What::Recalled
            | What::Milestone(_)
            | What::Acknowledged(_)
            | What::Asked { .. }
            | What::Answered(_)
            | What::DetentionHandedOver
            | What::PoliceAnswered { .. }
            | What::Copied { .. }
            | What::Opined(_) => None,
        })
    }

    /// When the case was last handed over for detention by an entry that is no referral and that no
    /// answer can name: by a city that has handled it, and by no referral since.
    fn plain_detention(&self) -> Option<Date> {
        let plain = self.history.iter().filter(|h| {
            h.what == What::DetentionHandedOver && self.case.handled_by.contains(&h.by)
        });
        let referred = self.referrals(ReferralKind::Detention);
        let referred = referred.filter_map(|(_, one)| one.handed_over_on).max();
        plain.map(|h| h.on).max().filter(|on| Some(*on) > referred)
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

    /// Whether the letter of a referral of a crime was copied.
    fn was_letter_copied_since(&self, day: Date) -> bool {
        let crimes: BTreeSet<Position> =
            self.referrals(ReferralKind::Crime).map(|(at, _)| at).collect();
        let of_crime = |what| {
            matches!(what, What::Copied { referral, paper: CopiedPaper::Letter }
                if crimes.contains(&referral))
        };
        self.history.iter().any(|h| h.on >= day && of_crime(h.what))
    }

    /// Since when the police owe an answer to the newest referral of a kind.
    fn unanswered(&self, kind: ReferralKind) -> Option<Date> {
        let handed = self.referrals(kind).filter_map(|(at, one)| Some((one.handed_over_on?, at)));
        let (on, newest) = handed.max()?;
        let answers = self.history.iter().filter_map(|h| match h.what {
            What::PoliceAnswered { at, referral, answer } if referral == newest => {
                Some(((h.on, at), answer))
            }
            What::PoliceAnswered { .. }
            | What::Referred(..)
            | What::DetentionHandedOver
            | What::Became(_)
            | What::Edited
            | What::Judged(_)
            | What::Proposed(_)
            | What::Recalled
            | What::Milestone(_)
            | What::Acknowledged(_)
            | What::Asked { .. }
            | What::Answered(_)
            | What::Copied { .. }
            | What::Opined(_) => None,
        });
        match answers.max_by_key(|(when, _)| *when) {
            None => Some(on),
            Some(((forwarded_on, _), PoliceAnswer::Forwarded)) => Some(forwarded_on),
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
        // One after the other, and after all referrals.
        let place = at(100 + told.len());
        answer_at(told, place, (referral, answer), on)
    }

    fn answer_at(
        told: Told,
        at: Position,
        (referral, answer): (Position, PoliceAnswer),
        on: &str,
    ) -> Told {
        told.push(What::PoliceAnswered { at, referral, answer }, on)
    }

    fn copy(told: Told, referral: Position, paper: CopiedPaper, on: &str) -> Told {
        told.push(What::Copied { referral, paper }, on)
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
        let copied = copy(handed, at(5), CopiedPaper::Letter, "2026-11-11");
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

    /// A week of holidays puts off days, and no hours.
    #[test]
    fn the_24_hours_run_through_holidays() {
        let told = filed("2026-09-21").milestone(M::CrimeSuspected, "2026-09-28");
        assert_eq!(told.due(Clock::CrimeDecision).as_deref(), Some("2026-10-08"));
        let decided = refer(told, at(5), Crime, ("2026-09-30", None));
        assert_eq!(decided.due(Clock::CrimeHandOver).as_deref(), Some("2026-10-01"));
        assert_eq!(decided.due(Clock::ProcuratorateCopy).as_deref(), Some("2026-10-01"));
        let handed = refer(decided, at(6), Crime, ("2026-09-30", Some("2026-09-30")));
        assert_eq!(handed.due(Clock::PoliceAnswer).as_deref(), Some("2026-10-08"));
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

    /// Entries of before there were referrals begin the same term.
    #[test]
    fn a_detention_without_papers_is_answered_too() {
        let told = filed("2026-11-02").push(What::DetentionHandedOver, "2026-11-02");
        assert_eq!(told.due(Clock::DetentionAnswer).as_deref(), Some("2026-11-05"));
        assert_eq!(told.due(Clock::PoliceAnswer), None);
        let early = told.clone().milestone(M::PoliceAnswered, "2026-11-01");
        assert!(early.due(Clock::DetentionAnswer).is_some(), "before it was handed over");
        let done = told.clone().milestone(M::PoliceAnswered, "2026-11-03");
        assert_eq!(done.due(Clock::DetentionAnswer), None);
        // Recorded again as a referral, its answer counts.
        let again = refer(told, at(5), Detention, ("2026-11-02", Some("2026-11-02")));
        assert_eq!(again.due(Clock::DetentionAnswer).as_deref(), Some("2026-11-05"));
        let done = answer(again, at(5), PoliceAnswer::NotDetained, "2026-11-03");
        assert_eq!(done.due(Clock::DetentionAnswer), None);
        // What a city says that never had the case begins nothing.
        let other = filed("2026-11-02").push_by(130_400, What::DetentionHandedOver, "2026-11-02");
        assert_eq!(other.due(Clock::DetentionAnswer), None);
    }

    /// Each node has its own order of what arrives; the terms are the same on all.
    #[test]
    fn words_of_one_day_count_by_their_place() {
        let handed =
            |told, place| refer(told, at(place), Crime, ("2026-11-02", Some("2026-11-02")));
        let (filed_at, forwarded) = (at(7), (at(5), PoliceAnswer::Forwarded));
        for (place, due) in [(at(6), None), (at(8), Some("2026-11-06"))] {
            let told = handed(filed("2026-11-02"), 5);
            let answers = [(filed_at, (at(5), PoliceAnswer::Filed)), (place, forwarded)];
            for [first, second] in [answers, [answers[1], answers[0]]] {
                let one = answer_at(told.clone(), first.0, first.1, "2026-11-03");
                let both = answer_at(one, second.0, second.1, "2026-11-03");
                assert_eq!(both.due(Clock::PoliceAnswer).as_deref(), due, "{first:?}");
            }
        }
        // Of two referrals of one day the answer to the one at the later place counts.
        for [first, second] in [[5, 6], [6, 5]] {
            let both = handed(handed(filed("2026-11-02"), first), second);
            let early = answer(both.clone(), at(5), PoliceAnswer::Filed, "2026-11-03");
            assert!(early.due(Clock::PoliceAnswer).is_some(), "{first} {second}");
            let late = answer(both, at(6), PoliceAnswer::Filed, "2026-11-03");
            assert_eq!(late.due(Clock::PoliceAnswer), None, "{first} {second}");
        }
    }

    #[test]
    fn only_the_letter_of_a_crime_ends_the_term_of_its_copy() {
        let told = refer(filed("2026-11-02"), at(5), Crime, ("2026-11-03", None));
        let told = refer(told, at(6), Detention, ("2026-11-03", Some("2026-11-03")));
        let due = |referral, paper| {
            let copied = copy(told.clone(), referral, paper, "2026-11-03");
            copied.due(Clock::ProcuratorateCopy)
        };
        for paper in CopiedPaper::ALL.iter().copied() {
            let ends = paper == CopiedPaper::Letter;
            assert_eq!(due(at(5), paper).is_none(), ends, "{paper}");
            assert!(due(at(6), paper).is_some(), "of a detention: {paper}");
        }
        // What was copied between the decision and the hand-over counts when both are told.
        let copied = copy(told, at(5), CopiedPaper::Letter, "2026-11-03");
        let handed = refer(copied, at(8), Crime, ("2026-11-03", Some("2026-11-04")));
        assert_eq!(handed.due(Clock::ProcuratorateCopy), None);
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
