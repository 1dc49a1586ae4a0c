//! The first page: what awaits the own city, what it awaits of others, what is due soon.
//!
//! In scope: one line a matter, with who has the turn, until when, held there since when, and
//! whether a person there has acknowledged it. Out of scope: doing it, on the record's page.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::layout::Desk;
use super::parts::page_of;
use crate::lang::Lang;
use crate::limits::CONSOLE_MATTERS_MAX;
use crate::shown::{case as shown_case, plan as shown_plan, text::clean, when};
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// All agreements of the own city.
const ALL: &str = "agreements/-";
/// How far ahead something is due soon, in days.
const SOON_DAYS: i64 = 14;

/// One line of a column.
struct Matter {
    page: String,
    tag: &'static str,
    what: String,
    how: Vec<Markup>,
}

/// A column: its lines, and how many there are in all when that is known.
struct Column {
    matters: Vec<Matter>,
    more: bool,
}

/// Shows it.
pub async fn show(desk: Desk) -> Response {
    let read = tokio::try_join!(for_us(&desk), for_others(&desk), due(&desk), in_hand(&desk));
    let (ours, theirs, due, in_hand) = match read {
        Ok(read) => read,
        Err(status) => return desk.no(&status),
    };
    let lang = desk.lang();
    let title = lang.pick("待办", "Inbox");
    let own_turn = format!("/cases?turn={}", desk.city);
    let main = html! {
        h1 { (title) }
        div .columns {
            (column("ours", lang.pick("待我市办理", "Awaits us"), &ours, lang))
            (column("theirs", lang.pick("等对方", "Awaits others"), &theirs, lang))
            (column("due", lang.pick("快到期", "Due soon"), &due, lang))
        }
        p {
            a href=(own_turn) { (lang.pick("本市在办案件", "cases whose turn is ours")) }
            " " span .count { (in_hand) }
        }
    };
    desk.page(title, &main)
}

fn column(id: &str, title: &str, column: &Column, lang: Lang) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) {
                (title) " "
                span .count { (column.matters.len()) @if column.more { "+" } }
            }
            @if column.matters.is_empty() { p .soft { (lang.pick("暂无", "nothing")) } }
            ul .matters {
                @for one in &column.matters {
                    li {
                        a .what href=(one.page) { (one.what) }
                        p .how {
                            span .tag { (one.tag) }
                            @for how in &one.how { " · " (how) }
                        }
                    }
                }
            }
        }
    }
}

/// Cases in one state, at most as many as a column shows and one more.
fn cases(state: pb::CaseState) -> pb::ListCasesRequest {
    pb::ListCasesRequest {
        parent: ALL.to_owned(),
        states: vec![state.into()],
        page_size: page_size(),
        ..Default::default()
    }
}

fn page_size() -> i32 {
    i32::try_from(CONSOLE_MATTERS_MAX).unwrap_or(i32::MAX)
}

/// What the own city is to do: transfers offered to it, notices, plans.
async fn for_us(desk: &Desk) -> Result<Column, Status> {
    let lang = desk.lang();
    let offered =
        pb::ListCasesRequest { turn_city: desk.city, ..cases(pb::CaseState::TransferredOut) };
    let notices = pb::ListNoticesRequest {
        parent: ALL.to_owned(),
        filter: pb::NoticeFilter::Awaiting.into(),
        page_size: page_size(),
        ..Default::default()
    };
    let plans = pb::ListPlansRequest {
        parent: ALL.to_owned(),
        awaits_own_city: true,
        page_size: page_size(),
        ..Default::default()
    };
    let (mut cases, mut notice, mut plan) =
        (desk.client.cases(), desk.client.notices(), desk.client.plans());
    let (offered, notices, plans) = tokio::try_join!(
        cases.list_cases(offered),
        notice.list_notices(notices),
        plan.list_plans(plans)
    )?;
    let (offered, notices, plans) =
        (offered.into_inner(), notices.into_inner(), plans.into_inner());
    let more = [&offered.next_page_token, &notices.next_page_token, &plans.next_page_token]
        .into_iter()
        .any(|token| !token.is_empty());
    let mut matters: Vec<Matter> =
        notices.notices.iter().map(|one| unacknowledged(one, desk)).collect();
    matters.extend(offered.cases.iter().map(|case| {
        let from = desk.names.city(case.transfer_from);
        let what = lang.pick(format!("{from}移送，待答复"), format!("{from} hands it over"));
        Matter { how: vec![text(what), since(case, lang)], ..of_case(case, lang) }
    }));
    matters.extend(plans.plans.iter().map(|plan| of_plan(plan, desk, |city| city == desk.city)));
    Ok(Column { matters, more })
}

fn unacknowledged(notice: &pb::Notice, desk: &Desk) -> Matter {
    let lang = desk.lang();
    let city = desk.names.city(notice.issuing_city);
    let due = match &notice.due_time {
        Some(at) => when::time(Some(at)),
        None => when::date(notice.due_on.as_ref()),
    };
    let own = notice.recipients.iter().find(|one| one.city == desk.city);
    let late = own.is_some_and(|one| one.overdue);
    let until = lang.pick(format!("{due} 前签收"), format!("acknowledge by {due}"));
    let until = html! { span .late[late] { (until) } };
    Matter {
        page: page_of("notice", &notice.name),
        tag: lang.pick("通报", "notice"),
        what: super::notices::title(notice, lang),
        how: vec![text(city), until],
    }
}

/// What other cities are to do: answer transfers, acknowledge notices, act in plans.
async fn for_others(desk: &Desk) -> Result<Column, Status> {
    let lang = desk.lang();
    let offered =
        pb::ListCasesRequest { handling_city: desk.city, ..cases(pb::CaseState::TransferredOut) };
    let notices = pb::ListNoticesRequest {
        parent: ALL.to_owned(),
        filter: pb::NoticeFilter::Unacknowledged.into(),
        page_size: page_size(),
        ..Default::default()
    };
    let plans = pb::ListPlansRequest {
        parent: ALL.to_owned(),
        city: desk.city,
        page_size: page_size(),
        ..Default::default()
    };
    let (mut cases, mut notice, mut plan) =
        (desk.client.cases(), desk.client.notices(), desk.client.plans());
    let (offered, notices, plans) = tokio::try_join!(
        cases.list_cases(offered),
        notice.list_notices(notices),
        plan.list_plans(plans)
    )?;
    let (offered, notices, plans) =
        (offered.into_inner(), notices.into_inner(), plans.into_inner());
    let more = [&offered.next_page_token, &notices.next_page_token, &plans.next_page_token]
        .into_iter()
        .any(|token| !token.is_empty());
    let mut matters = Vec::new();
    for case in &offered.cases {
        let to = desk.names.city(case.transfer_to);
        let what = lang.pick(format!("待{to}答复"), format!("{to} is to answer"));
        let mut how = vec![text(what)];
        how.extend(reached(desk, case).await);
        matters.push(Matter { how, ..of_case(case, lang) });
    }
    for notice in &notices.notices {
        let missing = notice.recipients.iter().filter(|one| one.acknowledge_time.is_none());
        let late = missing.clone().any(|one| one.overdue);
        let cities = desk.names.list(missing.map(|one| one.city));
        let what = lang.pick(format!("{cities}未签收"), format!("not acknowledged by {cities}"));
        matters.push(Matter {
            page: page_of("notice", &notice.name),
            tag: lang.pick("通报", "notice"),
            what: super::notices::title(notice, lang),
            how: vec![html! { span .late[late] { (what) } }],
        });
    }
    let awaits = |plan: &&pb::Plan| plan.awaited.iter().any(|one| one.city != desk.city);
    let awaited = plans.plans.iter().filter(awaits);
    matters.extend(awaited.map(|plan| of_plan(plan, desk, |city| city != desk.city)));
    Ok(Column { matters, more })
}

/// Since when the other city holds an offered case, and whether a person there acknowledged it.
async fn reached(desk: &Desk, case: &pb::Case) -> Vec<Markup> {
    let lang = desk.lang();
    let request =
        pb::GetCaseHistoryRequest { name: case.name.clone(), page_size: 200, ..Default::default() };
    let Ok(answer) = desk.client.cases().get_case_history(request).await else {
        return Vec::new();
    };
    let entries = answer.into_inner().entries;
    let last = entries.iter().rposition(|one| one.effect() == pb::EntryEffect::Move);
    let since = last.and_then(|at| entries.get(at..)).unwrap_or_default();
    let holds = |one: &pb::HistoryEntry| {
        one.holdings.iter().find(|held| held.city == case.transfer_to).copied()
    };
    let mut out = Vec::new();
    match since.first().and_then(holds) {
        Some(held) => {
            let (city, at) = (desk.names.city(held.city), when::time(held.hold_time.as_ref()));
            let held = lang.pick(format!("{city}已存 {at}"), format!("held by {city} since {at}"));
            out.push(html! { span .ok { (held) } });
        }
        None => out.push(text(lang.pick("尚未送达", "has not arrived").to_owned())),
    }
    let acknowledged = since.iter().find(|one| {
        let event = one.header.as_ref().and_then(|header| header.event.as_ref());
        matches!(event, Some(pb::entry_header::Event::TransferAcknowledged(_)))
    });
    out.push(match acknowledged {
        Some(one) => {
            let at = when::time(one.record_time.as_ref());
            html! { span .ok { (lang.pick(format!("对方已签收 {at}"), format!("acknowledged {at}"))) } }
        }
        None => text(lang.pick("对方未签收", "nobody has acknowledged").to_owned()),
    });
    out
}

/// Terms of the own city that end soon.
async fn due(desk: &Desk) -> Result<Column, Status> {
    let lang = desk.lang();
    let until = desk.today.and_then(|today| today.plus_days(SOON_DAYS));
    let request = pb::ListDeadlinesRequest {
        parent: ALL.to_owned(),
        until: until.map(case_wire::date_out),
        page_size: page_size(),
        ..Default::default()
    };
    let page = desk.client.cases().list_deadlines(request).await?.into_inner();
    let matter = |one: &pb::CaseDeadline| {
        let term = one.deadline.unwrap_or_default();
        let (what, day) = (words::clock(term.clock(), lang), shown_case::due(&term, lang));
        let day = html! { span .late[term.overdue] { (day) } };
        Matter {
            page: page_of("case", &one.name),
            tag: lang.pick("时限", "deadline"),
            what: format!("{} {}", clean(&one.number), clean(&one.title)),
            how: vec![day, text(what.to_owned())],
        }
    };
    let matters = page.deadlines.iter().map(matter).collect();
    Ok(Column { matters, more: !page.next_page_token.is_empty() })
}

/// How many cases have their turn with the own city.
async fn in_hand(desk: &Desk) -> Result<String, Status> {
    let request = pb::ListCasesRequest {
        parent: ALL.to_owned(),
        turn_city: desk.city,
        page_size: 1,
        ..Default::default()
    };
    let page = desk.client.cases().list_cases(request).await?.into_inner();
    Ok(format!("{}{}", page.total_size, if page.total_is_partial { "+" } else { "" }))
}

fn of_case(case: &pb::Case, lang: Lang) -> Matter {
    let title = case.record.as_ref().map_or("", |record| record.title.as_str());
    Matter {
        page: page_of("case", &case.name),
        tag: lang.pick("案件", "case"),
        what: format!("{} {}", clean(&case.number), clean(title)),
        how: Vec::new(),
    }
}

fn of_plan(plan: &pb::Plan, desk: &Desk, of: impl Fn(u32) -> bool) -> Matter {
    let lang = desk.lang();
    let title = plan.record.as_ref().map_or("", |record| record.title.as_str());
    let awaited: Vec<pb::CityAwaited> =
        plan.awaited.iter().filter(|one| of(one.city)).cloned().collect();
    let days = shown_plan::parts::days(&plan.days, lang);
    Matter {
        page: page_of("plan", &plan.name),
        tag: lang.pick("联合行动", "joint action"),
        what: format!("{} {}", clean(&plan.number), clean(title)),
        how: vec![text(shown_plan::parts::awaited(&awaited, &desk.names, lang)), text(days)],
    }
}

fn since(case: &pb::Case, lang: Lang) -> Markup {
    let at = when::time(case.update_time.as_ref());
    text(lang.pick(format!("{at} 登记"), format!("recorded {at}")))
}

fn text(text: String) -> Markup {
    html! { (text) }
}
