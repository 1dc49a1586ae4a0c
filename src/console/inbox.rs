//! The first page: what awaits the own city, what it awaits of others, what is due soon.
//!
//! In scope: one line a matter, with who has the turn, until when, held there since when, and
//! whether a person there has acknowledged it. Out of scope: doing it, on the record's page.

use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::case_list::{OURS, THEIRS};
use super::inbox_acts::{case_act, plan_act, term_act, to_act};
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

/// Terms that are over, shown behind those that are coming: the latest, which somebody may still
/// put right.
const OVER_SHOWN: i32 = 6;

/// One line of a column.
struct Matter {
    page: String,
    tag: &'static str,
    what: String,
    how: Vec<Markup>,
}

/// A column: its lines, and where those are that it has no room for.
struct Column {
    matters: Vec<Matter>,
    rest: Vec<Rest>,
    /// What to know of others beside them, and where they are.
    beside: Option<Rest>,
}

/// Lines of one kind that a column has no room for: what they are, with how many there are in all
/// where that is known, and the page that lists them.
struct Rest {
    what: String,
    page: String,
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
                span .count {
                    @match column.rest.first() {
                        Some(rest) => { a href=(rest.page) { (column.matters.len()) "+" } },
                        None => { (column.matters.len()) },
                    }
                }
            }
            @if !column.rest.is_empty() {
                p .soft {
                    (lang.pick("此处未列全：", "not all are here: "))
                    @for (nth, rest) in column.rest.iter().enumerate() {
                        @if nth > 0 { " · " }
                        a href=(rest.page) { (rest.what) }
                    }
                }
            }
            @if let Some(beside) = &column.beside {
                p { a .late href=(beside.page) { (beside.what) } }
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

/// At most as many cases as a column shows, whatever they await.
fn cases() -> pb::ListCasesRequest {
    pb::ListCasesRequest {
        parent: ALL.to_owned(),
        page_size: page_size(),
        with_transfers: true,
        ..Default::default()
    }
}

/// One line a case, with everything in it that these wait for.
fn of_cases(
    page: &pb::ListCasesResponse,
    desk: &Desk,
    of: impl Fn(&pb::CaseWaiting) -> bool,
) -> Vec<Matter> {
    let beside = page.transfers.iter().zip(&page.waitings);
    let matter = |(case, (standing, waitings)): (&pb::Case, (_, &pb::CaseWaitings))| {
        let waitings: Vec<_> = waitings.waitings.iter().filter(|one| of(one)).collect();
        let how = waitings.iter().flat_map(|one| waiting(one, (case, standing), desk)).collect();
        let own = waitings.iter().find(|one| one.city == desk.city);
        let act = own.and_then(|one| case_act(one.what(), standing));
        let plain = of_case(case, desk.lang());
        Matter { how, page: to_act(plain.page, act), ..plain }
    };
    page.cases.iter().zip(beside).map(matter).collect()
}

/// What somebody waits for, and of a transfer how far it has got.
fn waiting(
    one: &pb::CaseWaiting,
    (case, standing): (&pb::Case, &pb::TransferStanding),
    desk: &Desk,
) -> Vec<Markup> {
    let lang = desk.lang();
    let what = words::case_awaited(one.what(), lang);
    let (city, by) = (desk.names.city(one.city), desk.names.city(one.waiting_city));
    let since = when::date(one.since.as_ref());
    let said = if one.city == desk.city {
        lang.pick(format!("待{what}（{by} {since} 提出）"), format!("{what} ({by}, {since})"))
    } else {
        lang.pick(format!("待{city}{what}（{since} 提出）"), format!("{city}: {what} ({since})"))
    };
    let mut how = vec![text(said)];
    if let Some(due_on) = &one.due_on {
        let day = case_wire::date("due_on", Some(due_on)).ok().flatten();
        let late = day.zip(desk.today).is_some_and(|(day, today)| day < today);
        let due = when::date(Some(due_on));
        let until = lang.pick(format!("{due} 前"), format!("by {due}"));
        how.push(html! { span .late[late] { (until) } });
    }
    if standing.offer_time.is_some() && one.what() != pb::CaseAwaited::Assistance {
        how.extend(reached(desk, case, standing));
    }
    how
}

/// Where the cases are that a column has no room for; `whose` is a choice of the list's filter.
fn more_cases(page: &pb::ListCasesResponse, whose: &str, lang: Lang) -> Option<Rest> {
    let total = page.total_size;
    let what = lang.pick(format!("案件共 {total} 件"), format!("{total} cases"));
    let page_of_all = format!("/cases?awaits={whose}");
    (!page.next_page_token.is_empty()).then_some(Rest { what, page: page_of_all })
}

fn more_notices(
    page: &pb::ListNoticesResponse,
    filter: pb::NoticeFilter,
    lang: Lang,
) -> Option<Rest> {
    let what = lang.pick("其余信息通报", "other notices").to_owned();
    let page_of_all = format!("/notices?filter={}", i32::from(filter));
    (!page.next_page_token.is_empty()).then_some(Rest { what, page: page_of_all })
}

fn more_plans(page: &pb::ListPlansResponse, whose: &str, lang: Lang) -> Option<Rest> {
    let total = page.total_size;
    let what = lang.pick(format!("联合行动共 {total} 项"), format!("{total} joint actions"));
    let page_of_all = format!("/plans?{whose}=1");
    (!page.next_page_token.is_empty()).then_some(Rest { what, page: page_of_all })
}

fn page_size() -> i32 {
    i32::try_from(CONSOLE_MATTERS_MAX).unwrap_or(i32::MAX)
}

/// What the own city is to do: cases in which another waits for it, notices, plans.
async fn for_us(desk: &Desk) -> Result<Column, Status> {
    let lang = desk.lang();
    let awaited = pb::ListCasesRequest { awaits_own_city: true, ..cases() };
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
    let (awaited, notices, plans) = tokio::try_join!(
        cases.list_cases(awaited),
        notice.list_notices(notices),
        plan.list_plans(plans)
    )?;
    let (awaited, notices, plans) =
        (awaited.into_inner(), notices.into_inner(), plans.into_inner());
    let held = pb::ListPlansRequest {
        parent: ALL.to_owned(),
        holds_own_units: true,
        page_size: page_size(),
        ..Default::default()
    };
    let held = plan.list_plans(held).await?.into_inner();
    let rest = [
        more_cases(&awaited, OURS, lang),
        more_notices(&notices, pb::NoticeFilter::Awaiting, lang),
        more_plans(&plans, "ours", lang),
        more_plans(&held, "held", lang),
    ];
    let mut matters: Vec<Matter> =
        notices.notices.iter().map(|one| unacknowledged(one, desk)).collect();
    matters.extend(of_cases(&awaited, desk, |one| one.city == desk.city));
    matters.extend(plans.plans.iter().map(|plan| of_plan(plan, desk, |city| city == desk.city)));
    matters.extend(held.plans.iter().map(|plan| {
        Matter {
            how: [
                lang.pick("行动已结束，本市力量仍占用，待释放", "it has ended: free own units"),
                words::plan_state(plan.state(), lang),
            ]
            .map(|how| text(how.to_owned()))
            .to_vec(),
            ..of_plan(plan, desk, |_| false)
        }
    }));
    Ok(Column { matters, rest: rest.into_iter().flatten().collect(), beside: None })
}

fn unacknowledged(notice: &pb::Notice, desk: &Desk) -> Matter {
    let lang = desk.lang();
    let (city, at) = (desk.names.city(notice.issuing_city), when::time(notice.issue_time.as_ref()));
    let issued = lang.pick(format!("{city} {at} 发出"), format!("{city}, issued {at}"));
    let own = notice.recipients.iter().find(|one| one.city == desk.city);
    let late = own.is_some_and(|one| one.overdue);
    Matter {
        page: to_act(page_of("notice", &notice.name), Some("acknowledge")),
        tag: lang.pick("通报", "notice"),
        what: super::notices::title(notice, lang),
        how: [text(issued)].into_iter().chain(until(notice, late, lang)).collect(),
    }
}

/// Until when a notice is to be acknowledged.
fn until(notice: &pb::Notice, late: bool, lang: Lang) -> Option<Markup> {
    let due = match &notice.due_time {
        Some(at) => when::time(Some(at)),
        None => when::date(notice.due_on.as_ref()),
    };
    let until = lang.pick(format!("{due} 前签收"), format!("acknowledge by {due}"));
    (!due.is_empty()).then(|| html! { span .late[late] { (until) } })
}

/// What other cities are to do: in cases that the own city waits in, notices, plans.
async fn for_others(desk: &Desk) -> Result<Column, Status> {
    let lang = desk.lang();
    let awaited = pb::ListCasesRequest { awaits_others: true, ..cases() };
    let notices = pb::ListNoticesRequest {
        parent: ALL.to_owned(),
        filter: pb::NoticeFilter::Unacknowledged.into(),
        page_size: page_size(),
        ..Default::default()
    };
    let plans = pb::ListPlansRequest {
        parent: ALL.to_owned(),
        awaits_others: true,
        page_size: page_size(),
        ..Default::default()
    };
    let (mut cases, mut notice, mut plan) =
        (desk.client.cases(), desk.client.notices(), desk.client.plans());
    let (awaited, notices, plans) = tokio::try_join!(
        cases.list_cases(awaited),
        notice.list_notices(notices),
        plan.list_plans(plans)
    )?;
    let (awaited, notices, plans) =
        (awaited.into_inner(), notices.into_inner(), plans.into_inner());
    let rest = [
        more_cases(&awaited, THEIRS, lang),
        more_notices(&notices, pb::NoticeFilter::Unacknowledged, lang),
        more_plans(&plans, "theirs", lang),
    ];
    let mut matters = of_cases(&awaited, desk, |one| one.waiting_city == desk.city);
    matters.extend(notices.notices.iter().map(|notice| unacknowledged_there(notice, desk)));
    matters.extend(plans.plans.iter().map(|plan| of_plan(plan, desk, |city| city != desk.city)));
    Ok(Column { matters, rest: rest.into_iter().flatten().collect(), beside: None })
}

fn unacknowledged_there(notice: &pb::Notice, desk: &Desk) -> Matter {
    let lang = desk.lang();
    let missing = notice.recipients.iter().filter(|one| one.acknowledge_time.is_none());
    let late = missing.clone().any(|one| one.overdue);
    let cities = desk.names.list(missing.clone().map(|one| one.city));
    let what = lang.pick(format!("{cities}未签收"), format!("not acknowledged by {cities}"));
    let mut how = vec![html! { span .late[late] { (what) } }];
    how.extend(until(notice, late, lang));
    how.extend(missing.map(|one| held(one.city, one.hold_time.as_ref(), desk)));
    Matter {
        page: page_of("notice", &notice.name),
        tag: lang.pick("通报", "notice"),
        what: super::notices::title(notice, lang),
        how,
    }
}

/// Since when a city holds something, or that it may not have it yet.
fn held(city: u32, since: Option<&prost_types::Timestamp>, desk: &Desk) -> Markup {
    let (lang, city) = (desk.lang(), desk.names.city(city));
    match since {
        Some(at) => {
            let at = when::time(Some(at));
            let held = lang.pick(format!("{city}已存 {at}"), format!("held by {city} since {at}"));
            html! { span .ok { (held) } }
        }
        None => {
            text(lang.pick(format!("尚未送达{city}"), format!("not yet known to be in {city}")))
        }
    }
}

/// Since when the city that is to answer holds an offer, whether a person there acknowledged it,
/// and until when it is to be answered.
fn reached(desk: &Desk, case: &pb::Case, standing: &pb::TransferStanding) -> Vec<Markup> {
    let lang = desk.lang();
    let mut out: Vec<Markup> = standing.deadlines.iter().map(|one| term(one, lang)).collect();
    // What stands on this page is here, whether or not the own receipt for it is known yet.
    if case.transfer_to != desk.city || standing.hold_time.is_some() {
        out.push(held(case.transfer_to, standing.hold_time.as_ref(), desk));
    }
    let to = match case.transfer_to == desk.city {
        true => lang.pick("本市", "here").to_owned(),
        false => lang.pick(String::new(), "by ".to_owned()) + &desk.names.city(case.transfer_to),
    };
    out.push(match &standing.acknowledge_time {
        Some(at) => {
            let at = when::time(Some(at));
            let said = lang.pick(format!("{to}已签收 {at}"), format!("acknowledged {to} {at}"));
            html! { span .ok { (said) } }
        }
        None => text(lang.pick(format!("{to}未签收"), format!("not acknowledged {to}"))),
    });
    out
}

/// What is to be done until when.
fn term(term: &pb::Deadline, lang: Lang) -> Markup {
    let (what, day) = (words::clock(term.clock(), lang), shown_case::due(term, lang));
    html! { span .late[term.overdue] { (what) " " (day) } }
}

/// Terms of the own city: those that end soon, soonest first, then those that are over, lately
/// over first, so that what nobody will ever do hides nothing.
async fn due(desk: &Desk) -> Result<Column, Status> {
    let lang = desk.lang();
    let days = |ahead: i64| desk.today.and_then(|today| today.plus_days(ahead));
    let coming = pb::ListDeadlinesRequest {
        until: days(SOON_DAYS).map(case_wire::date_out),
        page_size: page_size(),
        ..super::due::request(super::due::Which::Coming, desk)
    };
    let over = pb::ListDeadlinesRequest {
        page_size: OVER_SHOWN,
        ..super::due::request(super::due::Which::Over, desk)
    };
    let mut cases = desk.client.cases();
    let coming = cases.list_deadlines(coming).await?.into_inner();
    let over = cases.list_deadlines(over).await?.into_inner();
    let matter = |one: &pb::CaseDeadline| {
        let deadline = one.deadline.unwrap_or_default();
        let page = if one.name.contains("/notices/") { "notice" } else { "case" };
        Matter {
            page: to_act(page_of(page, &one.name), term_act(deadline.clock())),
            tag: lang.pick("时限", "deadline"),
            what: format!("{} {}", clean(&one.number), clean(&one.title)).trim().to_owned(),
            how: vec![term(&deadline, lang), text(whose(one, page, desk))],
        }
    };
    let matters = coming.deadlines.iter().chain(&over.deadlines).map(matter).collect();
    let total = coming.total_size;
    let rest = (!coming.next_page_token.is_empty()).then(|| Rest {
        what: lang.pick(
            format!("{SOON_DAYS} 天内共 {total} 项"),
            format!("{total} within {SOON_DAYS} days"),
        ),
        page: "/due".to_owned(),
    });
    let total = over.total_size;
    let beside = (total > 0).then(|| Rest {
        what: lang.pick(
            format!("期限已过 {total} 项（最近的列在后面）"),
            format!("{total} over (the latest stand last)"),
        ),
        page: "/due?show=over".to_owned(),
    });
    Ok(Column { matters, rest: rest.into_iter().collect(), beside })
}

/// Whose turn the case of a term is, and since when it runs; of a notice that nobody has
/// acknowledged it.
fn whose(one: &pb::CaseDeadline, page: &str, desk: &Desk) -> String {
    let term = one.deadline.unwrap_or_default();
    let (lang, since) = (desk.lang(), when::date(term.begin_on.as_ref()));
    if page == "notice" {
        let who = desk.names.city(term.city);
        return lang.pick(format!("{who}未签收"), format!("not acknowledged by {who}"));
    }
    let who = desk.names.city(one.turn_city);
    lang.pick(format!("现由 {who} 处理，{since} 起算"), format!("with {who}, runs since {since}"))
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
    let mut how = vec![
        text(shown_plan::parts::awaited(&awaited, &desk.names, lang)),
        text(days),
        text(words::plan_state(plan.state(), lang).to_owned()),
    ];
    // Whoever moved it last has it; of the others it is known by what they have confirmed.
    let others = awaited.iter().filter(|one| one.city != desk.city && one.city != plan.initiator);
    how.extend(others.map(|one| {
        let held_by = plan.holdings.iter().find(|held| held.city == one.city);
        held(one.city, held_by.and_then(|held| held.hold_time.as_ref()), desk)
    }));
    let own = awaited.iter().find(|one| one.city == desk.city);
    let act = own.and_then(|one| one.what().next()).and_then(plan_act);
    Matter {
        page: to_act(page_of("plan", &plan.name), act),
        tag: lang.pick("联合行动", "joint action"),
        what: format!("{} {}", clean(&plan.number), clean(title)),
        how,
    }
}

fn text(text: String) -> Markup {
    html! { (text) }
}
