//! The paper of a notice (信息通报).
//!
//! In scope: what it says. Out of scope: issuing it.

use axum::response::Response;
use maud::html;

use super::proof::Proof;
use super::{Paper, bureau, day, names, paragraphs, ruled};
use crate::console::layout::Desk;
use crate::console::parts::{self, At};
use crate::lang::Lang;
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::shown::when;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Shows it.
pub async fn show(desk: Desk, at: At) -> Response {
    let name = parts::name_of("notices", &at);
    let request = pb::GetNoticeRequest { name: name.clone() };
    let notice = match desk.client.notices().get_notice(request).await {
        Ok(answer) => answer.into_inner().notice.unwrap_or_default(),
        Err(status) => return desk.no(&status),
    };
    let paper = paper(&notice, &desk);
    let back = parts::page_of("notice", &name);
    let proof = Proof::of(&desk, (&paper.number, &name), (&notice.entry, &notice.entry_hash)).await;
    super::page(&desk, &paper.title.clone(), &back, &[paper], &proof)
}

fn paper(notice: &pb::Notice, desk: &Desk) -> Paper {
    let names = names(desk);
    let issuer = bureau(desk, &notice.name, notice.issuing_city);
    let record = notice.record.clone().unwrap_or_default();
    let why = match notice.record {
        Some(_) => "",
        None => words::notice_text(notice.text_state(), Lang::Zh),
    };
    let due = match &notice.due_time {
        Some(at) => when::time(Some(at)),
        None => when::date(notice.due_on.as_ref()),
    };
    let graded = notice.level() != pb::NoticeLevel::Unspecified;
    let level = if graded { words::notice_level(notice.level(), Lang::Zh) } else { "" };
    let mut sheet = Sheet::default();
    sheet
        .row("类别", words::notice_kind(notice.kind(), Lang::Zh))
        .row("级别", level)
        .row("发出时间", when::time(notice.issue_time.as_ref()))
        .row("签收期限", due)
        .row("地点", clean(&record.address))
        .row("解除时间", when::time(notice.end_time.as_ref()))
        .row("联系人", clean(format!("{} {}", record.contact, record.phone).trim()));
    let received = notice.recipients.iter().map(|one| match &one.acknowledge_time {
        Some(at) => format!("{}　{}签收", names.city(one.city), when::time(Some(at))),
        None => format!("{}　尚未签收", names.city(one.city)),
    });
    let received: Vec<String> = received.collect();
    let bureaus: Vec<String> =
        notice.recipients.iter().map(|one| bureau(desk, &notice.name, one.city)).collect();
    let title = if record.title.is_empty() {
        "信息通报".to_owned()
    } else {
        format!("信息通报（{}）", clean(&record.title))
    };
    Paper {
        mast: issuer.clone(),
        title,
        // A notice has no number that people say; the beginning of its id finds it.
        number: crate::shown::plan::short(&notice.name).to_owned(),
        to: bureaus.join("、"),
        body: html! {
            @if why.is_empty() { (paragraphs(&record.text)) } @else { p { (why) } }
            (ruled(&sheet))
            @if !received.is_empty() {
                h2 { "签收情况（打印时）" }
                ul { @for one in &received { li { (one) } } }
            }
        },
        signers: vec![issuer],
        on: day(when::day_of(notice.issue_time.as_ref()).as_ref()),
        one_page: false,
    }
}
