//! Which terms run in one case, read off its state and what happened.

use super::{Clock, Deadline, Happened, Milestone, Terms, What};
use crate::domain::calendar::{LastDay, Term, WorkCalendar};
use crate::domain::case::{Case, CaseState};
use crate::domain::date::Date;
use crate::ids::Position;

use CaseState as S;
use Milestone as M;

/// An outcome that the handling city knows: none of a case that ended outside.
const ENDED: [CaseState; 5] = [S::Closed, S::ClueDismissed, S::NoPenalty, S::Withdrawn, S::Revoked];

fn became(history: &[Happened], states: &[CaseState]) -> Option<Date> {
    let became = |h: &&Happened| matches!(h.what, What::Became(s) if states.contains(&s));
    history.iter().rev().find(became).map(|h| h.on)
}

/// The day before which something cannot have happened in a case, as far as its history tells: what
/// it follows, or else the opening or the discovery, whichever came first. `None` of a milestone is
/// a detention that was handed over.
pub(super) fn not_before(
    case: &Case,
    history: &[Happened],
    milestone: Option<Milestone>,
) -> Option<Date> {
    let opened = history.first().map(|h| h.on);
    let follows = match milestone {
        Some(M::FilingExtended) => became(history, &[S::TransferAccepted]).or(opened),
        Some(M::ProgressReported) => became(history, &[S::TransferAccepted]),
        Some(M::HearingNotified) => became(history, &[S::NoticeServed]),
        Some(M::DecisionServed | M::FinePaid) => became(history, &[S::Decided]),
        Some(M::OutcomeReported) => became(history, &ENDED),
        Some(
            M::EvidenceRegistered
            | M::EvidenceRegistrationDecided
            | M::TestingBegun
            | M::TestingEnded
            | M::AppraisalBegun
            | M::AppraisalEnded
            | M::PublicNoticeBegun
            | M::PublicNoticeEnded
            | M::RectificationOrdered
            | M::RectificationChecked
            | M::CrimeSuspected
            | M::CrimeNotReferred
            | M::PoliceAnswered,
        )
        | None => None,
    };
    let discovered = Date::beijing(case.facts.discovered_time_ms);
    follows.or_else(|| opened.into_iter().chain(discovered).min())
}

/// One case, while its terms are worked out.
pub(super) struct Reading<'a> {
    pub case: &'a Case,
    pub last_move: Position,
    pub history: &'a [Happened],
    pub terms: &'a Terms,
    pub calendar: &'a WorkCalendar,
}

impl Reading<'_> {
    pub(super) fn of_handling_city(&self) -> Vec<Deadline> {
        // An offer stops none of the sender's terms.
        let state = self.case.transfer.map_or(self.case.state, |t| t.returns_to);
        let mut all = match state {
            S::ClueReported | S::ClueVerifying | S::TransferAccepted => self.filing(),
            S::Filed | S::Investigating => self.decision(),
            S::NoticeServed => {
                let since = self.became(&[S::NoticeServed]);
                let asked = self.run(Clock::HearingRequest, since, self.terms.hearing_request);
                let hearing = self.last(M::HearingNotified, since);
                let notice = self.run(Clock::HearingNotice, hearing, self.terms.hearing_notice);
                [self.decision(), asked, notice].concat()
            }
            S::Hearing => self.decision(),
            S::Decided | S::Enforcing => self.after_the_decision(),
            // A referral with its papers has a term of its own.
            S::TransferredPolice if self.is_with_police() => Vec::new(),
            S::TransferredPolice => {
                let since = self.became(&[S::TransferredPolice]);
                self.unless(M::PoliceAnswered, Clock::PoliceAnswer, since, self.terms.police_answer)
            }
            // Whoever archives a case at once owes the report all the same.
            S::Closed
            | S::ClueDismissed
            | S::NoPenalty
            | S::Withdrawn
            | S::Revoked
            | S::Archived => {
                let since = self.became(&ENDED).filter(|_| self.was_handed_over());
                self.unless(M::OutcomeReported, Clock::Outcome, since, self.terms.outcome)
            }
            S::CourtEnforcement
            | S::ClosedOutside
            | S::TransferredOut
            | S::TransferDisputed
            | S::Designated => Vec::new(),
        };
        if self.case.turn.is_some() {
            all.extend(self.beside(state));
            all.extend(self.discovery(state));
        }
        all
    }

    fn filing(&self) -> Vec<Deadline> {
        // A city that takes a case over decides anew.
        let since = self.became(&[S::TransferAccepted]).or_else(|| self.opened());
        let mut all = self.run(Clock::Filing, since, self.terms.filing);
        if self.last(M::FilingExtended, since).is_some() {
            for filing in &mut all {
                let more = self.terms.filing_extension;
                filing.last = filing.last.and_then(|end| self.calendar.last_day_after(end, more));
            }
        }
        all
    }

    /// Whether the act was discovered in time, until it is decided what follows from it. These
    /// years roll over no holidays: nobody has to do anything on their last day.
    fn discovery(&self, state: CaseState) -> Vec<Deadline> {
        let open = matches!(
            state,
            S::ClueReported
                | S::ClueVerifying
                | S::TransferAccepted
                | S::Filed
                | S::Investigating
                | S::NoticeServed
                | S::Hearing
        );
        let facts = &self.case.facts;
        let discovered = Date::beijing(facts.discovered_time_ms);
        let Some((ended, discovered)) = facts.occurred_to.zip(discovered).filter(|_| open) else {
            return Vec::new();
        };
        let terms = [
            (Clock::Discovery, self.terms.discovery),
            (Clock::DiscoveryGrave, self.terms.discovery_grave),
        ];
        let mut all = Vec::new();
        for (clock, term) in terms {
            let Some(on) = term.end_unrolled(ended) else { break };
            let met = discovered <= on;
            let last = Some(LastDay::sure(on));
            all.push(Deadline { met, ..Deadline::new(clock, self.case.handling, ended, last) });
            if met {
                break;
            }
        }
        all
    }

    /// Suspended while things are tested or appraised, while a notice is public, and for a hearing.
    fn decision(&self) -> Vec<Deadline> {
        let since = self.became(&[S::Filed]);
        let Some(from) = since else { return Vec::new() };
        let (days, suspended) = self.suspension(from);
        let term = match self.terms.decision {
            Term::Days(term) => Term::Days(term.saturating_add(days)),
            Term::Workdays(term) => Term::Workdays(term.saturating_add(days)),
            Term::Hours(term) => Term::Hours(term.saturating_add(days.saturating_mul(24))),
            Term::Months(term) => Term::Months(term),
        };
        let mut all = self.run(Clock::Decision, since, term);
        for decision in &mut all {
            decision.suspended_days = days;
            decision.suspended = suspended;
            decision.last = decision.last.filter(|_| !suspended);
        }
        all
    }

    /// Neither payment nor the time of art. 53 begins before it is known that the decision was
    /// served, whatever is done meanwhile: until then its service is what is late.
    fn after_the_decision(&self) -> Vec<Deadline> {
        let decided = self.became(&[S::Decided]);
        let served = self.last(M::DecisionServed, decided);
        let mut all = Vec::new();
        if served.is_none() {
            all.extend(self.run(Clock::Service, decided, self.terms.service));
        }
        if self.last(M::FinePaid, decided).is_none() {
            all.extend(self.run(Clock::Payment, served, self.terms.payment));
            let suit_ends = served.and_then(|on| self.calendar.last_day(on, self.terms.suit));
            let term = self.terms.court_enforcement;
            let mut court = self.run(Clock::CourtEnforcement, suit_ends.map(|l| l.on), term);
            for one in &mut court {
                one.last = suit_ends.and_then(|end| self.calendar.last_day_after(end, term));
            }
            all.extend(court);
        }
        all
    }

    /// What runs beside any state.
    fn beside(&self, state: CaseState) -> Vec<Deadline> {
        let mut all = Vec::new();
        for (begins, ends, clock, term) in [
            (
                M::EvidenceRegistered,
                M::EvidenceRegistrationDecided,
                Clock::Registration,
                self.terms.registration,
            ),
            (
                M::RectificationOrdered,
                M::RectificationChecked,
                Clock::SecondLook,
                self.terms.second_look,
            ),
        ] {
            all.extend(self.run(clock, self.open_since(begins, ends, None), term));
        }
        // A decision to hand over answers all that was suspected until then.
        let decided = self.became(&[S::TransferredPolice]).max(self.decided_on());
        let suspected = self.open_since(M::CrimeSuspected, M::CrimeNotReferred, decided);
        all.extend(self.run(Clock::CrimeDecision, suspected, self.terms.crime_decision));
        all.extend(self.of_police());
        let over = ENDED.contains(&state) || state == S::ClosedOutside;
        if self.was_handed_over() && !over {
            let taken = self.became(&[S::TransferAccepted]);
            let since = self.last(M::ProgressReported, taken).or(taken);
            all.extend(self.run(Clock::Progress, since, self.terms.progress));
        }
        all
    }

    pub(super) fn of_transfer(&self) -> Vec<Deadline> {
        let Some(turn) = self.case.turn.filter(|_| self.case.transfer.is_some()) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        let offered = self.became(&[S::TransferredOut]);
        // In a dispute they negotiate, or the common superior decides: art. 25 sets no term.
        if self.case.state == S::TransferredOut {
            let seen = |h: &Happened| h.by == turn && h.what == What::Acknowledged(self.last_move);
            if !self.history.iter().any(seen) {
                all.extend(self.run(Clock::TransferAck, offered, self.terms.transfer_ack));
            }
            all.extend(self.run(Clock::TransferAnswer, offered, self.terms.transfer_answer));
        } else if self.case.state == S::Designated {
            let since = self.became(&[S::Designated]);
            all.extend(self.run(Clock::TransferAnswer, since, self.terms.transfer_answer));
        }
        all.iter_mut().for_each(|deadline| deadline.city = turn);
        all
    }

    pub(super) fn of_help(&self) -> Vec<Deadline> {
        let answered = |request, by| {
            self.history.iter().any(|h| h.by == by && h.what == What::Answered(request))
        };
        let asked = self.history.iter().filter_map(|h| {
            let What::Asked { request, to, due_on } = h.what else { return None };
            let last = Some(LastDay::sure(due_on));
            let deadline = Deadline::new(Clock::Assistance, to, h.on, last);
            let open = self.case.handled_by.contains(&h.by) && !answered(request, to);
            open.then_some(deadline)
        });
        asked.filter(|_| self.case.turn.is_some()).collect()
    }

    /// A term of the handling city, if it has begun.
    pub(super) fn run(&self, clock: Clock, since: Option<Date>, term: Term) -> Vec<Deadline> {
        let last = |from| self.calendar.last_day(from, term);
        let begun = since.map(|from| Deadline::new(clock, self.case.handling, from, last(from)));
        begun.into_iter().collect()
    }

    /// The same, unless a milestone has ended it.
    pub(super) fn unless(
        &self,
        end: Milestone,
        clock: Clock,
        since: Option<Date>,
        term: Term,
    ) -> Vec<Deadline> {
        match self.last(end, since) {
            Some(_) => Vec::new(),
            None => self.run(clock, since, term),
        }
    }

    fn opened(&self) -> Option<Date> {
        self.history.first().map(|h| h.on)
    }

    /// When it last became one of these.
    pub(super) fn became(&self, states: &[CaseState]) -> Option<Date> {
        became(self.history, states)
    }

    /// The last day of a milestone, not before a day.
    fn last(&self, milestone: Milestone, since: Option<Date>) -> Option<Date> {
        let since = since?;
        let all = self.milestones().filter(|(one, on)| *one == milestone && *on >= since);
        all.map(|(_, on)| on).max()
    }

    /// Of the city that handles the case, and of earlier ones until they had handed it over.
    pub(super) fn milestones(&self) -> impl Iterator<Item = (Milestone, Date)> + '_ {
        let taken = self.became(&[S::TransferAccepted]);
        self.history.iter().filter_map(move |h| {
            let What::Milestone(one) = h.what else { return None };
            let earlier =
                self.case.handled_by.contains(&h.by) && taken.is_some_and(|taken| h.on <= taken);
            (h.by == self.case.handling || earlier).then_some((one, h.on))
        })
    }

    /// The first day of what has begun behind a day and not ended: whatever was decided of one
    /// thing ends the term of no other.
    fn open_since(&self, begins: Milestone, ends: Milestone, behind: Option<Date>) -> Option<Date> {
        let spans = self.spans(begins, ends, behind);
        spans.into_iter().find(|(_, end)| end.is_none()).map(|(begin, _)| begin)
    }

    /// What began behind a day, and when it ended. Milestones do not say which of several they are
    /// about: each end is of the one that began first and goes on, and may be of the same day.
    fn spans(
        &self,
        begins: Milestone,
        ends: Milestone,
        behind: Option<Date>,
    ) -> Vec<(Date, Option<Date>)> {
        let of = |wanted: Milestone| -> Vec<Date> {
            let all = self.milestones().filter(|(one, on)| *one == wanted && Some(*on) > behind);
            let mut days: Vec<Date> = all.map(|(_, on)| on).collect();
            days.sort_unstable();
            days
        };
        let mut ended = of(ends).into_iter().peekable();
        let end_of = |begin: Date| {
            while ended.next_if(|end| *end < begin).is_some() {}
            (begin, ended.next())
        };
        of(begins).into_iter().map(end_of).collect()
    }

    fn was_handed_over(&self) -> bool {
        self.case.handled_by.len() > 1
    }

    /// Days of suspension since a day, each counted once, and whether it goes on. What was sent to
    /// be tested before that day counts from it on.
    fn suspension(&self, since: Date) -> (u32, bool) {
        let mut spans: Vec<(Date, Option<Date>)> = Vec::new();
        for (begins, ends) in [
            (M::TestingBegun, M::TestingEnded),
            (M::AppraisalBegun, M::AppraisalEnded),
            (M::PublicNoticeBegun, M::PublicNoticeEnded),
        ] {
            spans.extend(self.spans(begins, ends, None));
        }
        let mut hearing = None;
        for happened in self.history {
            let What::Became(state) = happened.what else { continue };
            spans.extend(hearing.take().map(|begin| (begin, Some(happened.on))));
            hearing = (state == S::Hearing).then_some(happened.on);
        }
        spans.extend(hearing.map(|begin| (begin, None)));
        spans.sort_unstable();
        let (mut days, mut counted_to, mut open) = (0_i64, since, false);
        for (begin, end) in spans {
            let Some(end) = end else {
                open = true;
                continue;
            };
            let begin = begin.max(counted_to);
            if end > begin {
                days += end.days_since_epoch() - begin.days_since_epoch();
                counted_to = end;
            }
        }
        (u32::try_from(days).unwrap_or(u32::MAX), open)
    }
}
