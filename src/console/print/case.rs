//! Papers of a case: the letter by which it is handed over (案件移送函) and the answer to it
//! (移送回执).
//!
//! In scope: what they say. Out of scope: handing over, which is done in the record and not by
//! paper.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::proof::Proof;
use super::{Paper, agreement_title, bureau, day, names, paragraphs, ruled};
use crate::console::layout::{self, Desk};
use crate::console::parts;
use crate::lang::Lang;
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::shown::{case as say, when};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::entry_header::Event;

/// Shows a paper of a case.
pub async fn show(
    desk: Desk,
    Path((agreement, id, what)): Path<(String, String, String)>,
    uri: http::Uri,
) -> Response {
    if !["transfer", "receipt"].contains(&what.as_str()) {
        return layout::no_such_page(desk, uri).await;
    }
    let name = parts::name_of("cases", &Path((agreement, id)));
    let asked = pb::GetCaseRequest { name: name.clone() };
    let mut one = desk.client.cases();
    let mut all = desk.client.cases();
    let read = tokio::try_join!(one.get_case(asked), crate::console::case::whole(&mut all, &name));
    let (case, entries) = match read {
        Ok((answer, entries)) => (answer.into_inner().case.unwrap_or_default(), entries),
        Err(status) => return desk.no(&status),
    };
    let back = parts::page_of("case", &name);
    let Some(transfer) = Transfer::last(&entries) else {
        return desk.page(desk.lang().pick("没有移送", "No transfer"), &never(&back, desk.lang()));
    };
    let (paper, entry) = match what.as_str() {
        "transfer" => (letter(&case, &transfer, &desk), transfer.offer),
        _ => (receipt(&case, &transfer, &desk), transfer.newest()),
    };
    let proof =
        Proof::of(&desk, (&clean(&case.number), &name), (&entry.entry, &entry.entry_hash)).await;
    super::page(&desk, &paper.title.clone(), &back, &[paper], &proof)
}

/// That there is nothing to print.
fn never(back: &str, lang: Lang) -> Markup {
    html! {
        h1 { (lang.pick("本案没有移送记录", "This case was never handed over")) }
        p {
            (lang.pick("移送函和移送回执在登记移送后才能打印。",
                "Letter and receipt can be printed once a transfer is recorded."))
        }
        p { a href=(back) { (lang.pick("返回案件", "back to the case")) } }
    }
}

/// Whether a case was ever handed over, and so has papers.
#[must_use]
pub fn has_papers(entries: &[pb::HistoryEntry]) -> bool {
    Transfer::last(entries).is_some()
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

impl<'a> Transfer<'a> {
    /// The last one of a history.
    fn last(entries: &'a [pb::HistoryEntry]) -> Option<Self> {
        let counts = |entry: &&pb::HistoryEntry| {
            let effect = entry.effect();
            effect == pb::EntryEffect::Move || effect == pb::EntryEffect::Contribution
        };
        let all: Vec<&pb::HistoryEntry> = entries.iter().filter(counts).collect();
        let offered = |entry: &&pb::HistoryEntry| match event(entry) {
            Some(Event::TransferOffered(offered)) => Some(offered.to),
            Some(_) | None => None,
        };
        let at = all.iter().rposition(|entry| offered(entry).is_some())?;
        let (offer, to) = (*all.get(at)?, offered(all.get(at)?)?);
        let since = || all.iter().skip(at + 1).copied().filter(|entry| entry.city == to);
        let answer = since().find_map(|entry| {
            let event = event(entry)?;
            let words = [
                (matches!(event, Event::TransferAccepted(_)), "同意接收"),
                (matches!(event, Event::TransferReturned(_)), "退回"),
                (matches!(event, Event::TransferDisputed(_)), "提出管辖争议"),
            ];
            words.into_iter().find_map(|(is_it, word)| is_it.then_some((word, entry)))
        });
        let acknowledged =
            since().find(|entry| matches!(event(entry), Some(Event::TransferAcknowledged(_))));
        Some(Self { offer, to, acknowledged, answer })
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
    fn the_last_transfer_has_its_own_answer() {
        let (ours, theirs) = (371_500, 130_400);
        let mut all = vec![
            offer(ours, 1, theirs),
            entry(theirs, 2, Event::TransferReturned(pb::TransferReturned::default())),
            offer(ours, 3, theirs),
        ];
        let last = Transfer::last(&all).unwrap();
        assert_eq!((last.offer.entry.as_str(), last.to), ("ab:3", theirs));
        assert!(last.answer.is_none() && last.newest().entry == "ab:3");
        all.push(entry(theirs, 4, Event::TransferAcknowledged(pb::TransferAcknowledged {})));
        all.push(entry(theirs, 5, Event::TransferAccepted(pb::TransferAccepted::default())));
        let last = Transfer::last(&all).unwrap();
        assert_eq!(last.acknowledged.unwrap().entry, "ab:4");
        assert_eq!((last.answer.unwrap().0, last.newest().entry.as_str()), ("同意接收", "ab:5"));
        for one in &mut all {
            one.effect = pb::EntryEffect::Misfit.into();
        }
        assert!(!has_papers(&all) && !has_papers(&[]), "what did not take effect has no papers");
    }
}
