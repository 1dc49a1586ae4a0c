//! What all pages have in common: head, navigation, language, and pages that say no.
//!
//! In scope: the frame. Out of scope: what stands in it.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, Uri, header};
use maud::{DOCTYPE, Markup, html};

use super::Console;
use super::api::Client;
use super::done::Marks;
use super::form::Form;
use super::refusal::Refusal;
use super::visitor::{Door, LANGUAGE_COOKIE, Visitor};
use crate::domain::plan::ready::PlanRules;
use crate::domain::{Date, Language};
use crate::lang::Lang;
use crate::shown::names::Names;
use crate::trust::spiffe::Role;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;
use crate::wire::words;

/// The main pages, as the navigation has them: path, Chinese, English.
const PAGES: [(&str, &str, &str); 7] = [
    ("/", "待办", "Inbox"),
    ("/cases", "案件", "Cases"),
    ("/due", "时限", "Deadlines"),
    ("/map", "地图", "Map"),
    ("/notices", "信息通报", "Notices"),
    ("/plans", "联合行动", "Joint actions"),
    ("/links", "互联与通讯录", "Links and contacts"),
];

/// What a page needs to be made: who looks, the API in their name, what cities are called.
pub struct Desk {
    /// Who looks.
    pub visitor: Visitor,
    /// The API as they call it.
    pub client: Client,
    /// What cities and agreements are called.
    pub names: Names,
    /// The own city.
    pub city: u32,
    /// Agreements of the own city.
    pub agreements: Vec<pb::Agreement>,
    /// Today in Beijing.
    pub today: Option<Date>,
    /// Parameters of plans.
    pub plan_rules: PlanRules,
    /// That something was just recorded.
    marks: Marks,
}

/// Every page begins with it, before anything of a body is read.
impl FromRequestParts<Console> for Desk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await;
        Self::open(console, visitor.map_err(IntoResponse::into_response)?).await
    }
}

impl Desk {
    /// Asks for what every page needs.
    ///
    /// # Errors
    /// A page that says why nothing can be shown.
    async fn open(console: &Console, visitor: Visitor) -> Result<Self, Response> {
        let client = console.api.of(&visitor);
        let request = pb::ListAgreementsRequest { page_size: 200, page_token: String::new() };
        let answer = client.agreements().list_agreements(request).await;
        let names = Names::new(visitor.lang);
        let (city, today) = (console.city.as_u32(), (console.today)());
        let (marks, plan_rules) = (console.marks.clone(), console.plan_rules);
        let agreements = Vec::new();
        let mut desk = Self { visitor, client, names, city, agreements, today, plan_rules, marks };
        match answer {
            Ok(answer) => desk.agreements = answer.into_inner().agreements,
            Err(status) => return Err(desk.no(&status)),
        }
        desk.names.learn(&desk.agreements);
        Ok(desk)
    }

    /// The language of the page.
    #[must_use]
    pub const fn lang(&self) -> Lang {
        self.visitor.lang
    }

    /// A refusal of the console itself, from the table that all refusals are in.
    #[must_use]
    pub fn refuse(&self, reason: &'static str) -> tonic::Status {
        Refused::new(reason).status(self.lang().pick(Language::Zh, Language::En))
    }

    /// Whether the role may call a method, asked before a step of its form is answered.
    ///
    /// # Errors
    /// The refusal that the call would meet.
    pub fn check_may(&self, method: &str) -> Result<(), tonic::Status> {
        if self.visitor.may(method) {
            return Ok(());
        }
        let role = self.visitor.standing.as_ref().map_or("", |(role, _)| role.name());
        let refused = Refused::new("ROLE_NOT_ALLOWED").with("role", role).with("method", method);
        Err(refused.status(self.lang().pick(Language::Zh, Language::En)))
    }

    /// Other members of the agreements, or of one of them.
    #[must_use]
    pub fn others(&self, agreement: Option<&str>) -> Vec<u32> {
        let here = |one: &&pb::Agreement| agreement.is_none_or(|name| one.name == name);
        let members = self.agreements.iter().filter(here).flat_map(|one| &one.members);
        let mut all: Vec<u32> = members.map(|member| member.city).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|city| *city != self.city);
        all
    }

    /// Sends the browser to a page which says that something was recorded.
    #[must_use]
    pub fn recorded(&self, page: &str) -> Response {
        to(&self.marks.with_mark(page))
    }

    /// Whether something was recorded a moment ago on the page that is looked at.
    #[must_use]
    pub fn has_just_recorded(&self, query: &Form) -> bool {
        let page = self.visitor.here.split('?').next().unwrap_or_default();
        self.marks.is_fresh(page, query.text("done"))
    }

    /// A page of this desk.
    #[must_use]
    pub fn page(&self, title: &str, main: &Markup) -> Response {
        frame(&self.visitor, &self.names.city(self.city), title, main).into_response()
    }

    /// A page that says why something cannot be shown.
    #[must_use]
    pub fn no(&self, status: &tonic::Status) -> Response {
        let refusal = Refusal::of(status, self.lang());
        let title = self.lang().pick("无法显示", "Cannot be shown");
        let main = html! {
            h1 { (title) }
            (super::parts::refused(&refusal, self.lang()))
            @if self.visitor.standing.is_none() { p .soft { (keys_note(self.lang())) } }
            p { a href="/" { (self.lang().pick("返回待办", "back to the inbox")) } }
        };
        (code(status.code()), self.page(title, &main)).into_response()
    }
}

/// The status that a browser is told.
fn code(code: tonic::Code) -> StatusCode {
    match code {
        tonic::Code::NotFound => StatusCode::NOT_FOUND,
        tonic::Code::PermissionDenied | tonic::Code::Unauthenticated => StatusCode::FORBIDDEN,
        tonic::Code::ResourceExhausted | tonic::Code::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        tonic::Code::Ok
        | tonic::Code::Cancelled
        | tonic::Code::Unknown
        | tonic::Code::InvalidArgument
        | tonic::Code::DeadlineExceeded
        | tonic::Code::AlreadyExists
        | tonic::Code::FailedPrecondition
        | tonic::Code::Aborted
        | tonic::Code::OutOfRange
        | tonic::Code::Unimplemented
        | tonic::Code::Internal
        | tonic::Code::DataLoss => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// What a role is called.
fn role(role: Role, lang: Lang) -> &'static str {
    let same = match role {
        Role::Coordinator => pb::ActorRole::Coordinator,
        Role::Inspector => pb::ActorRole::Inspector,
        Role::System => pb::ActorRole::System,
        Role::Auditor => pb::ActorRole::Auditor,
        Role::Admin => pb::ActorRole::Admin,
    };
    words::actor_role(same, lang)
}

fn frame(visitor: &Visitor, city: &str, title: &str, main: &Markup) -> Markup {
    let lang = visitor.lang;
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (city) " · " (lang.pick("联动", "liandong")) }
                link rel="stylesheet" href="/assets/console.css";
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                script src="/assets/console.js" defer {}
            }
            body {
                a .skip href="#main" { (lang.pick("跳到正文", "skip to content")) }
                header {
                    p .brand { strong { (lang.pick("联动", "liandong")) } " " (city) }
                    nav aria-label=(lang.pick("主导航", "main")) { (navigation(visitor)) }
                    (person(visitor))
                }
                @if visitor.door == Door::Ticket { (demo_note(lang)) }
                p #live role="status" aria-live="polite" data-here=(visitor.here)
                    data-typed=[visitor.has_typed.then_some("1")]
                    data-lost=(lang.pick("与节点的连接中断，正在重连，页面内容可能不是最新",
                        "the connection to the node is lost, trying again; this page may be old"))
                    data-keep=(lang.pick("与节点的连接中断，尚未提交，填写的内容保留在本页：恢复连接后请再次提交",
                        "the connection to the node is lost and nothing was sent; what you typed \
                         stays here: send it again once the connection is back"))
                    data-over=(lang.pick("本页已不再更新，请重新打开，",
                        "this page is no longer kept up to date, open it again: "))
                    data-pause=(lang.pick("暂停自动更新", "pause updates"))
                    data-go=(lang.pick("恢复自动更新", "go on updating"))
                    data-renewed=(lang.pick("页面已更新 ", "the page was updated "))
                    data-new=(lang.pick("有新的变化，", "something has changed, "))
                    data-show=(lang.pick("点此显示", "show it")) {}
                p #news .unseen role="status" aria-live="polite" {}
                main #main tabindex="-1" { (main) }
            }
        }
    }
}

fn navigation(visitor: &Visitor) -> Markup {
    let path = visitor.here.split('?').next().unwrap_or("/");
    let is_here = |page: &str| match page {
        "/" => path == "/",
        page => path.starts_with(page.trim_end_matches('s')),
    };
    html! {
        ul {
            @for (page, zh, en) in PAGES {
                li {
                    a href=(page) aria-current=[is_here(page).then_some("page")] {
                        (visitor.lang.pick(zh, en))
                    }
                }
            }
        }
    }
}

fn person(visitor: &Visitor) -> Markup {
    let lang = visitor.lang;
    let other = lang.pick(Lang::En, Lang::Zh);
    html! {
        div .person {
            span {
                @match &visitor.standing {
                    Some((one, id)) => { (role(*one, lang)) " " (id) },
                    None => { (lang.pick("证书未登记", "certificate not enrolled")) },
                }
            }
            // Of somebody who is not enrolled no form is read.
            @if visitor.standing.is_some() {
                form method="post" action="/language" {
                    input type="hidden" name="back" value=(visitor.here);
                    button .plain name="lang" value=(other.pick("zh", "en")) lang=(other.tag()) {
                        (other.pick("中文", "English"))
                    }
                }
            }
        }
    }
}

/// Which keys open these pages.
#[must_use]
pub const fn keys_note(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => {
            "现有 USB 证书（RSA、ECDSA 密钥）由管理员用 liandong people add 登记后即可使用；\
             国密 SM2 密钥暂不支持"
        }
        Lang::En => {
            "a certificate on an existing USB key (RSA or ECDSA) works once the administrator has \
             enrolled it with liandong people add; SM2 keys do not work yet"
        }
    }
}

/// What whoever came with a ticket has to know.
fn demo_note(lang: Lang) -> Markup {
    html! {
        p .demo {
            (lang.pick(
                "演示环境：您凭一次性链接进入，未使用证书；正式使用时必须持本人证书访问。样例数据均为示例。",
                "Demo: you came in by a one-time link and without a certificate; in real use \
                 everybody needs a certificate of their own. All data are samples.",
            ))
        }
    }
}

/// Remembers the chosen language and goes back.
pub async fn choose_language(form: Form) -> Response {
    let lang = if form.text("lang") == "en" { "en" } else { "zh" };
    let back = Some(form.text("back")).filter(|path| is_own_path(path)).unwrap_or("/");
    let cookie =
        format!("{LANGUAGE_COOKIE}={lang}; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly");
    ([(header::SET_COOKIE, cookie)], to(back)).into_response()
}

/// A path of this node, so that a form can send nobody elsewhere.
fn is_own_path(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    path.starts_with('/') && !path.starts_with("//") && plain
}

/// Sends the browser to another page, after a write.
pub fn to(path: &str) -> Response {
    axum::response::Redirect::to(path).into_response()
}

/// A form that was refused is asked for again by its address: the page it stands on is shown.
pub async fn page_of_form(uri: Uri) -> Response {
    to(uri.path().rsplit_once('/').map_or("/", |(page, _)| page))
}

/// There is no such page.
pub async fn no_such_page(desk: Desk, uri: Uri) -> Response {
    let lang = desk.lang();
    let title = lang.pick("没有这个页面", "There is no such page");
    let main = html! {
        h1 { (title) }
        p { code { (uri.path()) } }
        p { a href="/" { (lang.pick("返回待办", "back to the inbox")) } }
    };
    (StatusCode::NOT_FOUND, desk.page(title, &main)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_gone_back_to() {
        for good in ["/", "/cases?state=4", "/case/a/b"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in [
            "",
            "/\t/evil.example",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nb",
        ] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
