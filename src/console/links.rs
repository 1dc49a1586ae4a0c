//! Cities: how each can be reached, since when, and what to look at on the own node.

use axum::response::Response;
use maud::{Markup, html};

use super::layout::Desk;
use crate::lang::Lang;
use crate::shown::text::in_language;
use crate::shown::{link as shown_link, when};
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// From so many days before its end on a certificate is warned of.
const CERTIFICATE_DAYS: i64 = 30;

/// Shows them.
pub async fn show(desk: Desk) -> Response {
    let status = match desk.client.nodes().get_status(pb::GetStatusRequest {}).await {
        Ok(answer) => answer.into_inner().status.unwrap_or_default(),
        Err(status) => return desk.no(&status),
    };
    let lang = desk.lang();
    let title = lang.pick("互联与通讯录", "Links and contacts");
    let main = html! {
        h1 { (title) }
        (own(&status, &desk))
        h2 { (lang.pick("各市", "Cities")) }
        div .scroll tabindex="0" role="region" aria-label=(lang.pick("各市", "Cities")) {
            table {
                thead {
                    tr {
                        th scope="col" { (lang.pick("城市", "city")) }
                        th scope="col" { (lang.pick("连接", "link")) }
                        th scope="col" { (lang.pick("自", "since")) }
                        th scope="col" { (lang.pick("最近收到", "last heard")) }
                        th scope="col" { (lang.pick("值班联系", "on duty")) }
                        th scope="col" { (lang.pick("待送达该市", "not there yet")) }
                        th scope="col" { (lang.pick("待接收", "not here yet")) }
                        th scope="col" { (lang.pick("证书", "certificates")) }
                        th scope="col" { (lang.pick("说明", "note")) }
                    }
                }
                tbody {
                    (own_row(&status, &desk))
                    @for link in &status.links { (row(link, &status, &desk)) }
                }
            }
        }
        h2 { (lang.pick("联动协议", "Signed agreements")) }
        (agreements(&desk))
    };
    desk.page(title, &main)
}

fn own(status: &pb::Status, desk: &Desk) -> Markup {
    let lang = desk.lang();
    html! {
        h2 { (lang.pick("本市节点", "Own node")) }
        p {
            @if status.writable {
                span .ok { (lang.pick("可登记和办理", "takes writes")) }
            } @else {
                span .late {
                    (lang.pick("停止写入，可查询：", "read-only: "))
                    (in_language(&status.not_writable_reason, lang))
                }
            }
        }
        @for warning in &status.warnings { p .hint { (in_language(warning, lang)) } }
        p .soft { (super::layout::keys_note(lang)) }
    }
}

/// The own city among the others: its telephone, and how long its certificates last.
fn own_row(status: &pb::Status, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let now = status.server_time.unwrap_or_default().seconds;
    html! {
        tr {
            th scope="row" { (desk.names.city(desk.city)) }
            td { (lang.pick("本市节点", "own node")) }
            td { (when::time(status.start_time.as_ref())) }
            td {}
            td { (on_duty(desk.city, desk)) }
            td {}
            td {}
            td {
                @for one in &status.certificates {
                    p { (file_name(&one.name)) " " (left(one.expire_time.as_ref(), now, lang)) }
                }
            }
            td {}
        }
    }
}

/// How many days a certificate has left.
fn left(end: Option<&prost_types::Timestamp>, now_s: i64, lang: Lang) -> Markup {
    let days = (end.copied().unwrap_or_default().seconds - now_s).div_euclid(86_400);
    let left = match days < 0 {
        true => lang.pick("已过期".to_owned(), "expired".to_owned()),
        false => lang.pick(format!("还有 {days} 天到期"), format!("{days} days left")),
    };
    html! { span .late[days < CERTIFICATE_DAYS] { (left) } }
}

fn row(link: &pb::Link, status: &pb::Status, desk: &Desk) -> Markup {
    let lang = desk.lang();
    let up = link.state() == pb::LinkState::Up;
    let next = match &link.next_dial_time {
        Some(at) => {
            let at = when::time(Some(at));
            lang.pick(format!("下次重连 {at}"), format!("tried again {at}"))
        }
        None => String::new(),
    };
    let waiting = behind(link.city, status);
    let now = status.server_time.unwrap_or_default().seconds;
    html! {
        tr {
            th scope="row" { (desk.names.city(link.city)) }
            td { span .ok[up] .late[!up] { (words::link(link.state(), lang)) } }
            td { (when::time(link.since_time.as_ref())) }
            td { (when::time(link.last_frame_time.as_ref())) }
            td { (on_duty(link.city, desk)) }
            td {
                @if waiting == 0 { (lang.pick("无", "none")) }
                @else { (lang.pick(format!("{waiting} 条"), format!("{waiting} entries"))) }
            }
            td { (lag(link.city, status, lang)) }
            td {
                @if let Some(end) = &link.certificate_expire_time {
                    (left(Some(end), now, lang))
                    @if end.seconds - now < CERTIFICATE_DAYS * 86_400 {
                        " " (lang.pick("请该市换发节点证书", "ask that city to renew it"))
                    }
                }
            }
            td { (shown_link::why(link, lang)) " " (next) }
        }
    }
}

/// A certificate's file without its folder, which is nobody's business on a page.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Who is on duty in a city and the telephone, as its card gives them.
fn on_duty(city: u32, desk: &Desk) -> Markup {
    html! {
        @match desk.names.duty(city) {
            Some(("", phone)) => { (phone) },
            Some((contact, phone)) => { (contact) " " (phone) },
            None => { span .soft { (desk.lang().pick("名片未填", "not on its card")) } },
        }
    }
}

/// Entries of the own city that a city has not confirmed to hold.
fn behind(city: u32, status: &pb::Status) -> u64 {
    let missing = |log: &pb::Log| {
        let held = log.cosignatures.iter().find(|one| one.city == city).map_or(0, |one| one.size);
        log.stored_size.saturating_sub(held)
    };
    let own = status.logs.iter().filter(|log| log.own);
    own.filter(|log| log.cosignatures.iter().any(|one| one.city == city)).map(missing).sum()
}

/// How far the own node is behind a city: entries known to be there and not here, and since when.
fn lag(city: u32, status: &pb::Status, lang: Lang) -> String {
    let logs = || status.logs.iter().filter(|log| log.city == city);
    let entries: u64 = logs().map(|log| log.lag_entries).sum();
    let minutes = logs().map(|log| log.lag_seconds).max().unwrap_or(0) / 60;
    match entries {
        0 => lang.pick("无", "none").to_owned(),
        _ => lang.pick(
            format!("{entries} 条，已 {minutes} 分钟"),
            format!("{entries} entries, for {minutes} min"),
        ),
    }
}

fn agreements(desk: &Desk) -> Markup {
    let lang = desk.lang();
    html! {
        div .scroll tabindex="0" role="region" aria-label=(lang.pick("联动协议", "Agreements")) {
            table {
                thead {
                    tr {
                        th scope="col" { (lang.pick("简称", "short name")) }
                        th scope="col" { (lang.pick("名称", "title")) }
                        th scope="col" { (lang.pick("成员", "members")) }
                        th scope="col" { (lang.pick("期限", "term")) }
                    }
                }
                tbody {
                    @for one in &desk.agreements {
                        tr {
                            th scope="row" { (one.short_name) }
                            td { (one.display_name) }
                            td { (desk.names.list(one.members.iter().map(|member| member.city))) }
                            td {
                                (when::date(one.begin_on.as_ref())) " – "
                                (when::date(one.end_on.as_ref()))
                            }
                        }
                    }
                }
            }
        }
    }
}
