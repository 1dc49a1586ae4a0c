//! Papers of a case: the letter by which it is handed over (案件移送函) and the answer to it
//! (移送回执), for each time that it was.
//!
//! In scope: what they say. Out of scope: handing over, which is done in the record and not by
//! paper.
//!
//! Invariants:
//! 1. A letter says what the case was when it was offered: nothing that came later stands over the
//!    seal of the city that sent it. (`a_letter_says_what_the_case_was_when_it_was_offered`)

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::proof::Proof;
use super::{Paper, agreement_title, bureau, day, names, paragraphs, ruled};
use crate::console::form::Query;
use crate::console::layout::{self, Desk};
use crate::console::parts;
use crate::lang::Lang;
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::shown::{case as say, history, when};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::entry_header::Event;

/// Shows a paper of a case: of the transfer whose offer is named, or of the last one.
pub async fn show(
    desk: Desk,
    Path((agreement, id, what)): Path<(String, String, String)>,
    Query(query): Query,
    uri: http::Uri,
) -> Response {
    if !["transfer", "receipt"].contains(&what.as_str()) {
        return layout::no_such_page(desk, uri).await;
    }
    let (name, lang) = (parts::name_of("cases", &Path((agreement, id))), desk.lang());
    let asked = pb::GetCaseRequest { name: name.clone() };
    let mut one = desk.client.cases();
    let mut all = desk.client.cases();
    let read = tokio::try_join!(one.get_case(asked), crate::console::case::whole(&mut all, &name));
    let (case, entries) = match read {
        Ok((answer, entries)) => (answer.into_inner().case.unwrap_or_default(), entries),
        Err(status) => return desk.no(&status),
    };
    let back = parts::page_of("case", &name);
    let (all, named) = (Transfer::all(&entries), query.text("offer"));
    let is_it = |one: &&Transfer<'_>| named.is_empty() || one.offer.entry == named;
    let Some(transfer) = all.iter().rfind(is_it) else {
        if !named.is_empty() {
            return layout::no_such_page(desk, uri).await;
        }
        return nothing(
            &desk,
            &back,
            [
                lang.pick("本案没有移送记录", "This case was never handed over"),
                lang.pick(
                    "移送函和移送回执在登记移送后才能打印。",
                    "Letter and receipt can be printed once a transfer is recorded.",
                ),
            ],
        );
    };
    let case = history::as_of(&case, &entries, &transfer.offer.entry).unwrap_or_default();
    if case.record.is_none() {
        return nothing(&desk, &back, [
            lang.pick("本市看不到移送时的案情", "What it said when it was offered is not here"),
            lang.pick("移送时的案情未对本市开放、尚未送达或已依法删除，不能打印移送函和移送回执；如有需要，请向移送市索取。",
                "It is not open to this city, has not arrived yet or is erased, so there is no \
                 letter and no receipt; ask the city that sent it."),
        ]);
    }
    let (paper, entry) = match what.as_str() {
        "transfer" => (letter(&case, transfer, &desk), transfer.offer),
        _ => (receipt(&case, transfer, &desk), transfer.newest()),
    };
    let proof =
        Proof::of(&desk, (&clean(&case.number), &name), (&entry.entry, &entry.entry_hash)).await;
    super::page(&desk, &paper.title.clone(), &back, &[paper], &proof)
}

/// That there is nothing to print, and why.
fn nothing(desk: &Desk, back: &str, [title, why]: [&str; 2]) -> Response {
    let main = html! {
        h1 { (title) }
        p { (why) }
        p { a href=(back) { (desk.lang().pick("返回案件", "back to the case")) } }
    };
    desk.page(title, &main)
}

/// Links to the papers of a transfer, where an entry of a case offers one.
pub fn links(page: &str, entry: &pb::HistoryEntry, lang: Lang) -> Markup {
    html! {
        @if offered_to(entry).is_some() {
            p .papers .noprint {
                (lang.pick("打印：", "print: "))
                @for (what, zh, en) in super::OF_A_CASE {
                    a href={ (page) "/print/" (what) "?offer=" (entry.entry) } {
                        (lang.pick(zh, en))
                    }
                    " "
                }
            }
        }
    }
}

/// The last offer of a case, if it was ever handed over and so has papers.
#[must_use]
pub fn last_offer(entries: &[pb::HistoryEntry]) -> Option<&pb::HistoryEntry> {
    entries.iter().rfind(|entry| offered_to(entry).is_some())
}

/// To whom an entry that took effect offers the case.
fn offered_to(entry: &pb::HistoryEntry) -> Option<u32> {
    match event(entry) {
        Some(Event::TransferOffered(offered)) if counts(entry) => Some(offered.to),
        Some(_) | None => None,
    }
}

/// A transfer: the offer, and what the receiving city said to it.
struct Transfer<'a> {
    offer: &'a pb::HistoryEntry,
    to: u32,
    acknowledged: Option<&'a pb::HistoryEntry>,
    /// Accepted, returned or disputed.
    answer: Option<(&'static str, &'a pb::HistoryEntry)>,
}

fn event(entry: &pb::HistoryEntry) -> Option<&Event> {
    entry.header.as_ref()?.event.as_ref()
}

fn counts(entry: &pb::HistoryEntry) -> bool {
    [pb::EntryEffect::Move, pb::EntryEffect::Contribution].contains(&entry.effect())
}

impl<'a> Transfer<'a> {
    /// Those of a history, the first one first.
    fn all(entries: &'a [pb::HistoryEntry]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for entry in entries.iter().filter(|entry| counts(entry)) {
            if let Some(to) = offered_to(entry) {
                all.push(Self { offer: entry, to, acknowledged: None, answer: None });
            } else if let Some(last) = all.last_mut().filter(|last| last.to == entry.city) {
                last.hear(entry);
            }
        }
        all
    }

    /// What the receiving city said to it; of several, the first word.
    fn hear(&mut self, entry: &'a pb::HistoryEntry) {
        let word = match event(entry) {
            Some(Event::TransferAccepted(_)) => "同意接收",
            Some(Event::TransferReturned(_)) => "退回",
            Some(Event::TransferDisputed(_)) => "提出管辖争议",
            Some(Event::TransferAcknowledged(_)) => {
                self.acknowledged = self.acknowledged.or(Some(entry));
                return;
            }
            Some(_) | None => return,
        };
        self.answer = self.answer.or(Some((word, entry)));
    }

    /// The entry that a receipt rests on.
    fn newest(&self) -> &'a pb::HistoryEntry {
        self.answer.map(|(_, entry)| entry).or(self.acknowledged).unwrap_or(self.offer)
    }
}

fn letter(case: &pb::Case, transfer: &Transfer<'_>, desk: &Desk) -> Paper {
    let names = names(desk);
    let from = bureau(desk, &case.name, transfer.offer.city);
    let title = case.record.as_ref().map_or_else(String::new, |record| clean(&record.title));
    let mut sheet = Sheet::default();
    sheet
        .row("案件编号", clean(&case.number))
        .row("首报市", names.city(case.originating_city))
        .row("移送日期", when::date(transfer.offer.effective_on.as_ref()));
    say::content(&mut sheet, case, &names, Lang::Zh);
    if let Some(person) = &case.person {
        sheet.row("自然人", clean(&person.name));
    }
    let reason = transfer.offer.texts.join("\n");
    let body = html! {
        p {
            "我市在边界地区执法中发现并登记下列案件（线索）。经审查，拟由贵市办理。现按照"
            (agreement_title(desk, &case.name))
            "将该案移送贵市，请审查后在联动系统中答复是否接收。"
        }
        (ruled(&sheet))
        @if !reason.trim().is_empty() { h2 { "移送理由" } (paragraphs(&reason)) }
        p { "有关证据材料清单见上表，电子文件以联动系统所存为准。" }
        p { "联系人：" span .blank {} "　联系电话：" span .blank {} }
    };
    Paper {
        mast: from.clone(),
        title: format!("案件移送函（{title}）"),
        number: clean(&case.number),
        to: bureau(desk, &case.name, transfer.to),
        body,
        signers: vec![from],
        on: day(transfer.offer.effective_on.as_ref()),
        one_page: false,
    }
}

fn receipt(case: &pb::Case, transfer: &Transfer<'_>, desk: &Desk) -> Paper {
    let from = bureau(desk, &case.name, transfer.to);
    let title = case.record.as_ref().map_or_else(String::new, |record| clean(&record.title));
    let at = |entry: &pb::HistoryEntry| when::time(entry.record_time.as_ref());
    let (word, said) = match &transfer.answer {
        Some((word, entry)) => (*word, entry.texts.join("\n")),
        None => ("", String::new()),
    };
    let mut sheet = Sheet::default();
    sheet
        .row("案件编号", clean(&case.number))
        .row("案由", title.clone())
        .row("移送日期", when::date(transfer.offer.effective_on.as_ref()))
        .row("签收时间", transfer.acknowledged.map_or_else(String::new, at))
        .row(
            "审查结果",
            if word.is_empty() {
                "□ 同意接收　□ 退回　□ 提出管辖争议"
            } else {
                word
            },
        )
        .row(
            "答复日期",
            transfer
                .answer
                .map_or_else(String::new, |(_, one)| when::date(one.effective_on.as_ref())),
        )
        .row("理由", clean(&said));
    let body = html! {
        p {
            "贵市" (day(transfer.offer.effective_on.as_ref())) "移送的下列案件"
            @if word.is_empty() { "，审查结果如下（尚未在系统中答复的，由经办人勾选）。" }
            @else { "我市已收悉，经审查，答复如下。" }
        }
        (ruled(&sheet))
        p { "经办人：" span .blank {} "　联系电话：" span .blank {} }
    };
    Paper {
        mast: from.clone(),
        title: format!("案件移送回执（{title}）"),
        number: clean(&case.number),
        to: bureau(desk, &case.name, transfer.offer.city),
        body,
        signers: vec![from],
        on: transfer.answer.map_or_else(String::new, |(_, one)| day(one.effective_on.as_ref())),
        one_page: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(city: u32, nth: u32, event: Event) -> pb::HistoryEntry {
        pb::HistoryEntry {
            entry: format!("ab:{nth}"),
            city,
            effect: pb::EntryEffect::Move.into(),
            header: Some(pb::EntryHeader { event: Some(event), ..Default::default() }),
            ..Default::default()
        }
    }

    fn offer(city: u32, nth: u32, to: u32) -> pb::HistoryEntry {
        entry(city, nth, Event::TransferOffered(pb::TransferOffered { to, ..Default::default() }))
    }

    #[test]
    fn each_transfer_has_its_own_answer() {
        let (ours, theirs) = (371_500, 130_400);
        let mut all = vec![
            offer(ours, 1, theirs),
            entry(theirs, 2, Event::TransferReturned(pb::TransferReturned::default())),
            offer(ours, 3, theirs),
        ];
        let [first, last] = &Transfer::all(&all)[..] else { panic!("two") };
        assert_eq!((first.answer.unwrap().0, first.newest().entry.as_str()), ("退回", "ab:2"));
        assert_eq!((last.offer.entry.as_str(), last.to), ("ab:3", theirs));
        assert!(last.answer.is_none() && last.newest().entry == "ab:3");
        all.push(entry(theirs, 4, Event::TransferAcknowledged(pb::TransferAcknowledged {})));
        all.push(entry(theirs, 5, Event::TransferAccepted(pb::TransferAccepted::default())));
        let of = Transfer::all(&all);
        let last = of.last().unwrap();
        assert_eq!(last.acknowledged.unwrap().entry, "ab:4");
        assert_eq!((last.answer.unwrap().0, last.newest().entry.as_str()), ("同意接收", "ab:5"));
        assert_eq!(of[0].answer.unwrap().0, "退回");
        for one in &mut all {
            one.effect = pb::EntryEffect::Misfit.into();
        }
        assert!(Transfer::all(&all).is_empty(), "what did not take effect has no papers");
        assert!(last_offer(&all).is_none() && last_offer(&[]).is_none());
    }

    #[test]
    fn a_record_that_is_not_here_is_not_replaced_by_an_older_one() {
        let titled = |title: &str| pb::CaseRecord { title: title.into(), ..Default::default() };
        let carries = |mut entry: pb::HistoryEntry, record: Option<&str>| {
            let part = pb::PartRef { kind: pb::PartKind::CaseRecord.into(), ..Default::default() };
            entry.header.as_mut().unwrap().parts.push(part);
            entry.record = record.map(titled);
            entry
        };
        let opened = || entry(1, 1, Event::CaseOpened(pb::CaseOpened::default()));
        let amended = |nth| entry(1, nth, Event::CaseAmended(pb::CaseAmended::default()));
        let mut all = vec![
            carries(opened(), Some("原")),
            carries(amended(2), Some("改")),
            offer(1, 3, 2),
            carries(amended(4), Some("后")),
        ];
        let case = pb::Case { record: Some(titled("后")), ..Default::default() };
        let title = |all: &[pb::HistoryEntry]| {
            let then = history::as_of(&case, all, &all[2].entry);
            then.unwrap().record.map(|record| record.title)
        };
        assert_eq!(title(&all).as_deref(), Some("改"));
        all[1].record = None;
        assert_eq!(title(&all), None);
        all[1].effect = pb::EntryEffect::Misfit.into();
        assert_eq!(title(&all).as_deref(), Some("原"));
    }
}
