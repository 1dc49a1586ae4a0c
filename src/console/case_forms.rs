//! The forms of a case: what this person may do with it now.
//!
//! A form that was refused is there in any case: what was typed is not lost.
//!
//! In scope: which forms there are, and their fields. Out of scope: what they end in
//! ([`super::case_acts`]); whether it may be done, which the service decides.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::case::{Again, seen};
use super::codes::or_none;
use super::layout::Desk;
use super::parts::{self, Filled, act};
use crate::ids::hex;
use crate::limits::CONSOLE_OPEN_MAX;
use crate::shown::{grants, history, when};
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::entry_header::Event;
use crate::wire::words;

/// Characters of an entry that a choice shows.
const CHOICE_CHARS: usize = 40;

/// The forms of one case.
pub struct Forms<'a> {
    /// The case.
    pub case: &'a pb::Case,
    /// Its history.
    pub entries: &'a [pb::HistoryEntry],
    /// Who looks.
    pub desk: &'a Desk,
    /// The form that was refused.
    pub again: Option<&'a Again<'a>>,
}

/// A method of the case service.
fn method(name: &str) -> String {
    format!("/liandong.v1.CaseService/{name}")
}

impl<'a> Forms<'a> {
    pub(super) fn pick(&self, zh: &'static str, en: &'static str) -> &'static str {
        self.desk.lang().pick(zh, en)
    }

    pub(super) fn of(&self, form: &'a str) -> Filled<'a> {
        let again = self.again.filter(|again| again.act == form);
        let again = again.map(|again| (again.form, again.refusal));
        Filled { form, again, lang: self.desk.lang() }
    }

    /// A form, where it fits and the role may send it.
    fn put(&self, form: &'a str, name: &str, fits: bool, title: &str, more: &Markup) -> Markup {
        self.put_of(form, &method(name), fits, title, more)
    }

    /// The same of a method by its full name.
    pub(super) fn put_of(
        &self,
        form: &'a str,
        method: &str,
        fits: bool,
        title: &str,
        more: &Markup,
    ) -> Markup {
        let filled = self.of(form);
        let shown = filled.again.is_some() || fits && self.desk.visitor.may(method);
        let action = format!("{}/{form}", parts::page_of("case", &self.case.name));
        let fields = html! {
            (filled.kept("etag", &self.case.etag))
            (filled.kept("seen", &seen(self.case, self.desk)))
            (more)
        };
        html! { @if shown { (act(&filled, &action, title, &fields)) } }
    }

    fn why(&self, form: &'a str) -> Markup {
        self.of(form).text("text", self.pick("理由或说明", "reason or note"))
    }

    fn dated(&self, form: &'a str) -> Markup {
        let day = self.pick("法律日期（不填为今天）", "legal date (today)");
        html! { (self.of(form).line("date", "effective_on", day, "")) (self.why(form)) }
    }

    fn ours(&self) -> bool {
        self.case.turn_city == self.desk.city
    }

    pub(super) fn handled(&self) -> bool {
        self.case.handling_city == self.desk.city
    }

    fn others(&self) -> Vec<(String, String)> {
        let others = self.desk.others(Some(&parts::agreement_of(&self.case.name)));
        others.iter().map(|code| (code.to_string(), self.desk.names.city(*code))).collect()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Markup {
        let only =
            self.pick("只发给（都不选，协议各市都能看到）", "only for (none: for all members)");
        let note = html! {
            (self.of("note").text("text", self.pick("说明", "note")))
            (self.of("note").choices("cities", only, &self.others(), &[]))
        };
        html! {
            (self.transfer())
            (self.step())
            (self.offer())
            (self.put("note", "AddNote", true, self.pick("补充说明", "Add a note"), &note))
            (self.help())
            (self.proposals())
            (self.handling())
            (self.grant())
            (self.own())
            @if !self.desk.visitor.may(&method("AddNote")) {
                p .soft { (self.pick("您的身份只能查看。", "Your role reads only.")) }
            }
        }
    }

    /// What is said to a case that was offered.
    fn transfer(&self) -> Markup {
        let state = self.case.state();
        let offered =
            state == pb::CaseState::TransferredOut && self.case.transfer_to == self.desk.city;
        let disputed = state == pb::CaseState::TransferDisputed;
        let named = state == pb::CaseState::Designated && self.ours();
        let sent = self.case.transfer_from == self.desk.city
            && (state == pb::CaseState::TransferredOut || disputed);
        let note = self.of("acknowledge").text("text", self.pick("说明", "note"));
        html! {
            (self.put("acknowledge", "AcknowledgeTransfer", offered,
                self.pick("签收移送", "Acknowledge"), &note))
            (self.put("accept", "AcceptTransfer", offered || named,
                self.pick("同意接收", "Accept"), &self.dated("accept")))
            (self.put("return", "ReturnTransfer", offered || disputed && self.ours(),
                self.pick("退回", "Return"), &self.dated("return")))
            (self.put("dispute", "DisputeTransfer", offered,
                self.pick("提出管辖争议", "Dispute jurisdiction"), &self.dated("dispute")))
            (self.put("designate", "DesignateJurisdiction", disputed && self.ours(),
                self.pick("登记指定管辖", "Record who was designated"), &self.designation()))
            (self.put("recall", "RequestRecall", sent,
                self.pick("请求退还", "Ask for it back"), &self.why("recall")))
        }
    }

    fn designation(&self) -> Markup {
        let of = self.of("designate");
        let own = (self.desk.city.to_string(), self.desk.names.city(self.desk.city));
        let cities: Vec<_> = std::iter::once(own).chain(self.others()).collect();
        let all = (1..).map_while(|one| pb::AuthorityLevel::try_from(one).ok());
        let all =
            all.map(|one| (i32::from(one).to_string(), words::authority(one, of.lang).into()));
        html! {
            (of.choice("city", self.pick("指定由", "designated"), &or_none(self.desk, cities)))
            (of.choice("authority", self.pick("指定机关", "by"),
                &or_none(self.desk, all.collect())))
            (of.line("date", "designated_on", self.pick("指定日期", "on"), ""))
            (of.line("text", "document_number", self.pick("文号", "document number"), ""))
            (self.dated("designate"))
        }
    }

    /// Plain moves: a form that lists those the table of moves allows now.
    fn step(&self) -> Markup {
        let of = self.of("step");
        let word = |step| (i32::from(step).to_string(), words::step_told(step, of.lang).to_owned());
        let all: Vec<_> = self.case.allowed_steps().map(word).collect();
        let choices = html! {
            (of.choice("step", self.pick("下一步", "next step"), &all))
            (self.dated("step"))
        };
        let title = self.pick("办理下一步", "Next step");
        self.put("step", "StartVerification", !all.is_empty(), title, &choices)
    }

    fn offer(&self) -> Markup {
        let cities = self.others();
        let goes_over = case_wire::may_be_offered(self.case.state);
        let fits = self.ours() && self.handled() && goes_over && !cities.is_empty();
        let more = html! {
            (self.of("offer").choice("to_city", self.pick("移送至", "to"),
                &or_none(self.desk, cities)))
            (self.dated("offer"))
        };
        self.put(
            "offer",
            "OfferTransfer",
            fits,
            self.pick("移送他市", "Hand over to another city"),
            &more,
        )
    }

    /// Help that is asked of another city, and the answer.
    fn help(&self) -> Markup {
        let (ask, cities) = (self.of("ask"), self.others());
        let fits = self.handled() && !cities.is_empty();
        let choose = or_none(self.desk, cities);
        let due = self.pick("答复期限（不填为今天）", "answer by (today)");
        let asked = html! {
            (ask.choice("to_city", self.pick("请哪个市协助", "which city"), &choose))
            (ask.line("date", "due_on", due, ""))
            (self.why("ask"))
        };
        let open = open_requests(self.entries, self.desk.city);
        let requests = self.choices(&open);
        let answer = html! {
            (self.of("answer").choice("request",
                self.pick("答复哪项请求", "which request"), &requests))
            (self.unlisted(open.len()))
            (self.why("answer"))
        };
        html! {
            (self.put("ask", "RequestAssistance", fits,
                self.pick("请求协助调查", "Ask for help"), &asked))
            (self.put("answer", "AnswerAssistance", !requests.is_empty(),
                self.pick("答复协助请求", "Answer a request for help"), &answer))
        }
    }

    /// Proposals to the handling city, and what it says to them.
    fn proposals(&self) -> Markup {
        let archived = self.case.state() == pb::CaseState::Archived;
        let all = open_proposals(self.entries);
        let open = self.choices(&all);
        let decides = self.ours() && self.handled() && !open.is_empty();
        let which = |form| {
            let label = self.pick("哪项建议", "which proposal");
            html! {
                (self.of(form).choice("proposal", label, &open))
                (self.unlisted(all.len()))
                (self.dated(form))
            }
        };
        html! {
            (self.put("propose", "ProposeAmendment", !self.handled() && !archived,
                self.pick("向承办市提出建议", "Propose a change"), &self.why("propose")))
            (self.put("adopt", "AdoptProposal", decides,
                self.pick("采纳建议（案情更正另行登记）", "Adopt a proposal"), &which("adopt")))
            (self.put("refuse", "RefuseProposal", decides,
                self.pick("不采纳建议", "Refuse a proposal"), &which("refuse")))
        }
    }

    /// What only the handling city records beside the moves.
    fn handling(&self) -> Markup {
        let of = self.of("milestone");
        let all = (1..).map_while(|one| pb::Milestone::try_from(one).ok());
        let all =
            all.map(|one| (i32::from(one).to_string(), words::milestone(one, of.lang).into()));
        let milestone = html! {
            (of.choice("milestone", self.pick("事项", "what"), &or_none(self.desk, all.collect())))
            (self.dated("milestone"))
        };
        html! {
            (self.put("milestone", "RecordMilestone", self.handled(),
                self.pick("登记影响时限的事项", "Record what a deadline rests on"), &milestone))
            (self.withdraw())
            (self.police())
            (self.put("parts", "RecordPartsReceived",
                self.handled() && self.case.files_outstanding,
                self.pick("登记案卷材料已收到", "Record that the files have arrived"),
                &self.why("parts")))
            (self.link())
        }
    }

    /// Milestones of the own city that count: one that was recorded by mistake is taken back.
    fn withdraw(&self) -> Markup {
        let all = standing_milestones(self.entries, self.desk.city);
        let label = |entry: &&pb::HistoryEntry| {
            let said = header(entry);
            let on = if let Some(Event::MilestoneRecorded(said)) = said {
                said.effective_on
            } else if let Some(Event::PoliceDetentionTransferred(said)) = said {
                said.effective_on
            } else {
                None
            };
            let (on, what) = (when::date(on.as_ref()), words::event(said, self.desk.lang()));
            (entry.entry.clone(), format!("{on} {what}"))
        };
        let choices: Vec<_> = all.iter().map(label).collect();
        let which = self.pick("哪一事项", "which");
        let more = html! {
            (self.of("withdraw").choice("entry", which, &or_none(self.desk, choices)))
            (self.why("withdraw"))
        };
        let title = self.pick("撤回误登的事项", "Take back what was recorded by mistake");
        self.put("withdraw", "WithdrawMilestone", !all.is_empty(), title, &more)
    }

    fn link(&self) -> Markup {
        let of = self.of("link");
        let ways = [
            ("1".to_owned(), self.pick("本案由该案延续而来", "this case continues it").to_owned()),
            ("0".to_owned(), self.pick("本案在该案中延续", "it continues this case").to_owned()),
        ];
        let more = html! {
            (of.line("text", "other_case",
                self.pick("另一协议中的案件编号", "number of the other case"), ""))
            (of.choice("continued_from", self.pick("关系", "how"), &ways))
            (self.why("link"))
        };
        let fits = self.handled() && self.desk.agreements.len() > 1;
        self.put(
            "link",
            "LinkContinuation",
            fits,
            self.pick("关联另一协议的案件", "Link a case of another agreement"),
            &more,
        )
    }

    /// Content of the own city that not all members may have, for one more of them.
    fn grant(&self) -> Markup {
        let (of, cities) = (self.of("grant"), self.others());
        let all = grants::grantable(self.entries, self.desk.city, of.lang);
        let named = |one: grants::Grantable| (format!("{}/{}", one.entry, one.part), one.label);
        let all: Vec<_> = all.into_iter().map(named).collect();
        let fits = !all.is_empty() && !cities.is_empty();
        let more = html! {
            (of.choice("entry", self.pick("哪份材料", "which content"), &or_none(self.desk, all)))
            (of.choice("to_city", self.pick("授权给", "for"), &or_none(self.desk, cities)))
            (self.why("grant"))
        };
        let title = self.pick("授权他市查看受限材料", "Let another city have restricted content");
        self.put("grant", "GrantPart", fits, title, &more)
    }

    /// What stays on this node.
    fn own(&self) -> Markup {
        let of = self.of("assign");
        let now = self.case.assignment.clone().unwrap_or_default();
        let more = html! {
            (of.kept("assignment", &now.etag))
            (of.line("text", "assignee",
                self.pick("本市经办人（空为无）", "who works on it here"), &now.assignee))
            (of.line("text", "remark",
                self.pick("本市备注（不发他市）", "remark, for this city only"), &now.remark))
        };
        self.put(
            "assign",
            "AssignCase",
            true,
            self.pick("本市经办人和备注", "Assign it here"),
            &more,
        )
    }

    /// That there are more than a form lists.
    fn unlisted(&self, all: usize) -> Markup {
        let more = all.saturating_sub(CONSOLE_OPEN_MAX);
        let what = self.desk.lang().pick(
            format!("先列最早的 {CONSOLE_OPEN_MAX} 项，另有 {more} 项待这些办结后列出。"),
            format!(
                "The oldest {CONSOLE_OPEN_MAX} are listed; {more} more follow once these are \
                     answered."
            ),
        );
        html! { @if more > 0 { p .soft { (what) } } }
    }

    /// Entries to choose from, by who said what.
    fn choices(&self, entries: &[&pb::HistoryEntry]) -> Vec<(String, String)> {
        let lang = self.desk.lang();
        let label = |entry: &pb::HistoryEntry| {
            let (city, at) = (self.desk.names.city(entry.city), history::recorded(entry, lang));
            let said: String = history::said(entry, lang).chars().take(CHOICE_CHARS).collect();
            format!("{city} {at} {said}")
        };
        let listed = entries.iter().take(CONSOLE_OPEN_MAX);
        listed.map(|entry| (entry.entry.clone(), label(entry))).collect()
    }
}

fn header(entry: &pb::HistoryEntry) -> Option<&Event> {
    entry.header.as_ref()?.event.as_ref()
}

/// What an entry that took effect says.
pub(super) fn event(entry: &pb::HistoryEntry) -> Option<&Event> {
    let counts = [pb::EntryEffect::Move, pb::EntryEffect::Contribution].contains(&entry.effect());
    header(entry).filter(|_| counts)
}

/// Entries that `asks` and to which no entry `answers` by their position.
fn open(
    entries: &[pb::HistoryEntry],
    asks: impl Fn(&Event) -> bool,
    answers: impl Fn(&Event) -> Option<&pb::EntryPosition>,
) -> Vec<&pb::HistoryEntry> {
    let position = |at: &pb::EntryPosition| format!("{}:{}", hex(&at.log_id), at.index);
    let done: BTreeSet<String> =
        entries.iter().filter_map(event).filter_map(|one| answers(one).map(position)).collect();
    let waits =
        |entry: &&pb::HistoryEntry| event(entry).is_some_and(&asks) && !done.contains(&entry.entry);
    entries.iter().filter(waits).collect()
}

/// Milestones and detentions of a city that it has not taken back.
fn standing_milestones(entries: &[pb::HistoryEntry], city: u32) -> Vec<&pb::HistoryEntry> {
    let milestone = |one: &Event| {
        matches!(one, Event::MilestoneRecorded(_) | Event::PoliceDetentionTransferred(_))
    };
    let mut all = open(entries, milestone, |one| {
        if let Event::MilestoneWithdrawn(said) = one { said.entry.as_ref() } else { None }
    });
    all.retain(|entry| entry.city == city);
    all
}

/// Requests for help to a city that it has not answered.
fn open_requests(entries: &[pb::HistoryEntry], city: u32) -> Vec<&pb::HistoryEntry> {
    let asks = |one: &Event| matches!(one, Event::AssistanceRequested(asked) if asked.to == city);
    open(entries, asks, |one| {
        if let Event::AssistanceAnswered(answer) = one { answer.request.as_ref() } else { None }
    })
}

/// Proposals that the handling city has neither adopted nor refused.
fn open_proposals(entries: &[pb::HistoryEntry]) -> Vec<&pb::HistoryEntry> {
    open(
        entries,
        |one| matches!(one, Event::ProposalMade(_)),
        |one| {
            if let Event::ProposalAdopted(said) = one {
                said.proposal.as_ref()
            } else if let Event::ProposalRefused(said) = one {
                said.proposal.as_ref()
            } else {
                None
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: u64, event: Event) -> pb::HistoryEntry {
        pb::HistoryEntry {
            entry: format!("{}:{index}", "ab".repeat(32)),
            effect: pb::EntryEffect::Contribution.into(),
            header: Some(pb::EntryHeader { event: Some(event), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn what_was_answered_is_not_offered_again() {
        let at = |index| pb::EntryPosition { log_id: vec![0xab; 32].into(), index };
        let ask = |to| Event::AssistanceRequested(pb::AssistanceRequested { to, due_on: None });
        let mut all = vec![
            entry(1, ask(130_400)),
            entry(2, ask(410_900)),
            entry(3, ask(130_400)),
            entry(4, Event::ProposalMade(pb::ProposalMade {})),
        ];
        let ids = |all: &[&pb::HistoryEntry]| -> Vec<char> {
            all.iter().filter_map(|one| one.entry.chars().last()).collect()
        };
        assert_eq!(ids(&open_requests(&all, 130_400)), ['1', '3']);
        assert_eq!(ids(&open_proposals(&all)), ['4']);
        let answer = pb::AssistanceAnswered { request: Some(at(1)) };
        all.push(entry(5, Event::AssistanceAnswered(answer)));
        let refused = pb::ProposalRefused { proposal: Some(at(4)), ..Default::default() };
        all.push(entry(6, Event::ProposalRefused(refused)));
        assert_eq!(ids(&open_requests(&all, 130_400)), ['3']);
        assert!(open_proposals(&all).is_empty());
        all[4].effect = pb::EntryEffect::Misfit.into();
        assert_eq!(ids(&open_requests(&all, 130_400)), ['1', '3'], "what did not take effect");
    }

    #[test]
    fn own_milestones_are_taken_back_once() {
        let at = |index| pb::EntryPosition { log_id: vec![0xab; 32].into(), index };
        let paid = || Event::MilestoneRecorded(pb::MilestoneRecorded::default());
        let mut all = vec![entry(1, paid()), entry(2, paid()), entry(3, paid())];
        all.iter_mut().for_each(|one| one.city = 130_400);
        all[1].city = 371_500;
        let ids = |all: &[pb::HistoryEntry], city| -> Vec<char> {
            let found = standing_milestones(all, city);
            found.iter().filter_map(|one| one.entry.chars().last()).collect()
        };
        assert_eq!(ids(&all, 130_400), ['1', '3']);
        let back = pb::MilestoneWithdrawn { entry: Some(at(1)) };
        all.push(entry(4, Event::MilestoneWithdrawn(back)));
        assert_eq!((ids(&all, 130_400), ids(&all, 371_500)), (vec!['3'], vec!['2']));
    }
}
