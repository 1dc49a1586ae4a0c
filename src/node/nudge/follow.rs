//! What waits for the own city, kept by following the feed.
//!
//! In scope: what other cities wait for in cases, plans, emergencies; terms come from the index
//! that has them ([`crate::node::due`]). Out of scope: what is said of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::matter::{Kind, Matter};
use crate::domain::Date;
use crate::domain::awaited::CaseAwaited;
use crate::domain::deadline::{Clock, Deadline};
use crate::domain::plan::awaited::Awaited;
use crate::ids::{AgreementId, SubjectId};
use crate::log::SubjectKind;
use crate::node::due::{Due, Key, Span};
use crate::node::pieces;
use crate::node::plan_roll::awaited_on;
use crate::node::reader::Reader;
use crate::node::writer::NodeHandle;
use crate::view::{self, NoticeView, PlanView};

type Record = (AgreementId, SubjectId);

/// What waits as of now.
#[derive(Default)]
pub(super) struct Follow {
    /// The feed it follows; none before the first look.
    feed: Option<[u8; 16]>,
    read_to: u64,
    /// What other cities wait for, by record, and emergencies.
    records: BTreeMap<Record, Vec<Matter>>,
    /// Terms, and as of which entry and day they were looked up.
    terms: BTreeSet<Matter>,
    terms_of: Option<(u64, Date)>,
    /// All of it, the gravest first.
    pub waiting: BTreeSet<Matter>,
}

impl Follow {
    /// Brings it up to what is applied. The first look walks all cases and notices: call it off the
    /// threads that serve.
    pub fn look(mut self, node: &NodeHandle, due: &Due, days: u32) -> Self {
        let reader = node.reader();
        let before = (self.feed, self.read_to, self.terms_of);
        if self.feed != Some(reader.feed_id()) {
            self = Self { feed: Some(reader.feed_id()), ..Self::default() };
            self.read_to = reader.apply_number(&reader.view());
            let agreements: Vec<AgreementId> = node.book().iter().map(|(id, _)| *id).collect();
            for agreement in agreements {
                pieces::cases(&reader, agreement, &mut |subject| {
                    self.look_at_case(node, &reader, (agreement, subject));
                    true
                });
                pieces::notices(&reader, agreement, None, &mut |subject, view| {
                    self.take_notice(node, (agreement, subject), &view);
                    true
                });
                pieces::plans(&reader, agreement, None, &mut |subject, view| {
                    self.take_plan(node, (agreement, subject), &view);
                    true
                });
            }
        }
        self.catch_up(node, &reader);
        self.look_up_terms(node, due, days);
        if before != (self.feed, self.read_to, self.terms_of) {
            // Not cut: what was told must be known as long as it stands, and leaves room for the
            // rest (the ledger cuts).
            self.waiting = self.records.values().flatten().chain(&self.terms).cloned().collect();
        }
        self
    }

    fn catch_up(&mut self, node: &NodeHandle, reader: &Reader) {
        while let Some((changes, last)) = pieces::changes(reader, self.read_to) {
            for change in changes {
                let agreement = change.agreement;
                if let Some(subject) = change.case() {
                    self.look_at_case(node, reader, (agreement, subject));
                }
                if let Some(subject) = change.record_of(SubjectKind::Notice)
                    && let Some(notice) = view::notice(&reader.view(), agreement, subject)
                {
                    self.take_notice(node, (agreement, subject), &notice);
                }
                if let Some(subject) = change.record_of(SubjectKind::Plan)
                    && let Some(plan) = view::plan(&reader.view(), agreement, subject)
                {
                    self.take_plan(node, (agreement, subject), &plan);
                }
            }
            self.read_to = last;
        }
    }

    fn look_at_case(&mut self, node: &NodeHandle, reader: &Reader, record: Record) {
        self.records.remove(&record);
        let rows = reader.view();
        let Some(view) = view::case(&rows, record.0, record.1) else { return };
        for waiting in view::awaited(&rows, record, &view) {
            let kind = match waiting.what {
                CaseAwaited::TransferAnswer | CaseAwaited::Designation => Kind::Transfer,
                CaseAwaited::Dispute => Kind::Dispute,
                CaseAwaited::Recall => Kind::Recall,
                CaseAwaited::Proposal => Kind::Proposal,
                // Its term is in the index.
                CaseAwaited::Assistance => continue,
            };
            if waiting.city == node.city() {
                self.keep(record, kind, waiting.asked.unwrap_or(view.last_move).to_string());
            }
        }
    }

    /// The day is none of those that matter to an answer: it is owed until it is given.
    fn take_plan(&mut self, node: &NodeHandle, record: Record, view: &PlanView) {
        self.records.remove(&record);
        let awaited = awaited_on(view, &node.plan_rules(), Date::EARLIEST);
        if awaited.get(&node.city()).is_some_and(|all| all.contains(&Awaited::Answer)) {
            self.keep(record, Kind::Plan, view.record_at.to_string());
        }
    }

    fn take_notice(&mut self, node: &NodeHandle, record: Record, view: &NoticeView) {
        self.records.remove(&record);
        if view.notice.kind.rings() && view.awaits(node.city()) {
            self.keep(record, Kind::Emergency, String::new());
        }
    }

    fn keep(&mut self, (agreement, subject): Record, kind: Kind, which: String) {
        let matter = Matter { kind, over_on: None, agreement, subject, which };
        self.records.entry((agreement, subject)).or_default().push(matter);
    }

    /// Terms of the own city that end within some days, and those that are over, whether or not the
    /// node ran on their last day; notices and requests for help from when they come. The answer to
    /// an offer is not told of while it runs: the offer was, and is told again.
    fn look_up_terms(&mut self, node: &NodeHandle, due: &Due, days: u32) {
        let (applied, today) = (*node.applied().borrow(), node.today());
        let Some(today) = today.filter(|today| self.terms_of != Some((applied, *today))) else {
            return;
        };
        let now_ms = node.now_ms();
        due.look(node);
        let agreements: Vec<AgreementId> = node.book().iter().map(|(id, _)| *id).collect();
        let until = today.plus_days(i64::from(days)).unwrap_or(today);
        let span = Span { until: Some(until), ..Span::of(node.city()) };
        let mut found = due.list(&span, &agreements, None, usize::MAX).0;
        found.extend(due.answers(node.city()));
        let matter = |(key, deadline): (Key, Deadline)| {
            let kind = match (key.clock, deadline.is_over(now_ms)) {
                // An emergency is told of until it is acknowledged, late or not.
                (Clock::EmergencyAck, _) => return None,
                (clock, true) if is_answer(clock) => Kind::AnswerOverdue,
                (Clock::NoticeAck, false) => Kind::Notice,
                (Clock::Assistance, false) => Kind::Assistance,
                (_, true) => Kind::DeadlineOver,
                (clock, false) if !is_answer(clock) && !clock.is_window() => Kind::Deadline,
                (_, false) => return None,
            };
            // Not by its place among the case's terms, which changes when another one ends.
            let which = format!("{:?} {} {}", key.clock, deadline.from, key.on);
            let over_on = kind.is_told_once().then_some(Reverse(key.on));
            Some(Matter { kind, over_on, agreement: key.agreement, subject: key.subject, which })
        };
        self.terms = found.into_iter().filter_map(matter).collect();
        self.terms_of = Some((applied, today));
    }
}

/// What another city waits for.
const fn is_answer(clock: Clock) -> bool {
    matches!(
        clock,
        Clock::TransferAck | Clock::TransferAnswer | Clock::Assistance | Clock::NoticeAck
    )
}

/// The number of a case, if this node may read it.
pub(super) fn number(reader: &Reader, matter: &Matter) -> Option<String> {
    let view = view::case(&reader.view(), matter.agreement, matter.subject)?;
    reader.case_number(&view)
}
