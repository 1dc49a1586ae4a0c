//! The map: member cities, their common borders, and where cases, sites and visits lie.
//!
//! It is drawn by the node and works without scripting: zooming and moving are links then. A click
//! on a mark leads to its record; a list beneath has all of them in words.
//!
//! In scope: the page and its filter. Out of scope: the picture ([`super::map_draw`]), and whose
//! case it is: a drawn border decides nothing.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use tonic::Status;

use super::Console;
use super::form::{Form, Query};
use super::layout::Desk;
use super::map_draw::{self, Base, City, Drawn};
use super::map_ground::Ground;
use super::map_marks::{self, Found};
use super::map_pick::Picking;
use super::map_view::View;
use super::parts::{self, Filled};
use super::refusal::Refusal;
use crate::geo::Boundaries;
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::shown::names::Names;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// How far a link moves the picture, in its units.
const STEP: f64 = 250.0;

/// Shows the map.
pub async fn show(State(console): State<Console>, desk: Desk, Query(query): Query) -> Response {
    let lang = desk.lang();
    let title = lang.pick("地图", "Map");
    let Some(boundaries) = console.ground.boundaries.as_deref() else {
        return desk.page(title, &html! { h1 { (title) } (no_borders(lang)) });
    };
    let cities = cities(&desk, boundaries);
    let codes: Vec<CityCode> = cities.iter().map(|one| one.code).collect();
    let Some(corners) = boundaries.corners(&codes) else {
        return desk.page(title, &html! { h1 { (title) } (no_borders(lang)) });
    };
    let view = View::of(&query, corners);
    let asked = Asked::of(&query, lang);
    let found = match asked.found(&desk).await {
        Ok(found) => found,
        Err(status) => return desk.no(&status),
    };
    let belts = belts(&desk.agreements);
    let base = Base { view, ground: &console.ground, cities: &cities, belts: &belts, lang };
    let picking = Picking::of(&query, &desk);
    let drawn = map_draw::marks(&found.marks, &view, picking.picked());
    let main = html! {
        h1 { (title) }
        (filter(&query, &desk, asked.refusal.as_ref()))
        @if let Some(refusal) = &asked.refusal { (parts::refused(refusal, lang)) }
        section #map data-still="" {
            (controls(&view, &query, lang))
            (picking.link(lang))
            div .two[picking.picked().is_some()] {
                div {
                    (map_draw::picture(&base, &drawn))
                    (beneath(&asked, &belts, &console.ground, lang))
                }
                div {
                    h2 #map-list tabindex="-1" { (lang.pick("图上各点", "What is on the map")) }
                    p role="status" { (counts(&found, &drawn, lang)) }
                    (picking.list(&found.marks, &view, &drawn, lang))
                }
            }
        }
        script src="/assets/map.js" defer {}
    };
    desk.page(title, &main)
}

/// That there is nothing to draw on, and what to do.
fn no_borders(lang: Lang) -> Markup {
    html! {
        div .hint {
            (lang.pick(
                "本节点没有可用的城市边界，无法绘制地图。请系统管理员在 liandong.toml 中填写 boundaries_file\
                 （GeoJSON，格式见 data/README.md，须包含协议成员市），重新启动节点后即可使用。",
                "This node has no borders of member cities to draw a map on. Ask the administrator \
                 to name a file as boundaries_file in liandong.toml (GeoJSON, see data/README.md) \
                 and to start the node again.",
            ))
        }
        p { a href="/cases" { (lang.pick("查看案件列表", "cases as a list")) } }
    }
}

/// Members of the own agreements whose border is known.
fn cities(desk: &Desk, boundaries: &Boundaries) -> Vec<City> {
    let of = |lang: Lang| {
        let mut names = Names::new(lang);
        names.learn(&desk.agreements);
        names
    };
    let (zh, en) = (of(Lang::Zh), of(Lang::En));
    let others = desk.others(None);
    let known = boundaries
        .cities()
        .filter(|code| code.as_u32() == desk.city || others.contains(&code.as_u32()));
    known
        .map(|code| {
            let (number, own) = (code.as_u32(), code.as_u32() == desk.city);
            City { code, zh: zh.city(number), en: en.city(number), own }
        })
        .collect()
}

/// How wide the belt between two members is: of several agreements of theirs, the widest.
fn belts(agreements: &[pb::Agreement]) -> Vec<((CityCode, CityCode), u32)> {
    let mut all = std::collections::BTreeMap::new();
    for one in agreements {
        let members = one.members.iter().filter_map(|one| CityCode::from_u32(one.city).ok());
        let mut members: Vec<CityCode> = members.collect();
        members.sort_unstable();
        for (place, low) in members.iter().enumerate() {
            for high in members.iter().skip(place + 1) {
                let widest = all.entry((*low, *high)).or_insert(0);
                *widest = one.belt_metres.max(*widest);
            }
        }
    }
    all.into_iter().collect()
}

/// What a query asks to be marked.
struct Asked {
    cases: Option<pb::ListCasesRequest>,
    sites: bool,
    /// Only sites that are shut, or only those that are not.
    shut: Option<bool>,
    visits: bool,
    medium: pb::Medium,
    city: u32,
    days: (Option<pb::Date>, Option<pb::Date>),
    refusal: Option<Refusal>,
}

impl Asked {
    fn of(query: &Form, lang: Lang) -> Self {
        let mut refusal = None;
        let mut day = |name: &str| {
            query.date(name, lang).unwrap_or_else(|no| {
                refusal = Some(no);
                None
            })
        };
        let days = (day("from"), day("to"));
        let wants = |what: &str| query.all("what").any(|one| one == what);
        // A form with nothing ticked asks for nothing; a bare address for cases.
        let bare = query.text("shown").is_empty() && query.text("what").is_empty();
        let medium: i32 = query.text("medium").parse().unwrap_or(0);
        let medium = pb::Medium::try_from(medium).unwrap_or_default();
        let media = if medium == pb::Medium::Unspecified { vec![] } else { vec![medium.into()] };
        let cases = pb::ListCasesRequest {
            parent: "agreements/-".to_owned(),
            states: states(query.text("state")),
            media,
            handling_city: query.city("city"),
            discovered_from: days.0,
            discovered_to: days.1,
            ..Default::default()
        };
        Self {
            cases: (bare || wants("cases")).then_some(cases),
            sites: wants("sites"),
            shut: match query.text("sites") {
                "open" => Some(false),
                "shut" => Some(true),
                _ => None,
            },
            visits: wants("visits"),
            medium,
            city: query.city("city"),
            days,
            refusal,
        }
    }

    /// Whether a site is of the city and in the state that is asked for.
    fn takes(&self, site: &pb::Site) -> bool {
        let closed = site.facts.as_ref().is_some_and(|facts| facts.closed);
        (self.city == 0 || site.city == self.city) && self.shut.is_none_or(|shut| shut == closed)
    }

    /// Reads what is asked for: cases before visits before sites, for as many as there is room.
    async fn found(&self, desk: &Desk) -> Result<Found, Status> {
        let mut all = Found::default();
        let mut add = |one: Found| {
            all.marks.extend(one.marks);
            all.placeless += one.placeless;
            all.unread += one.unread;
            all.siteless += one.siteless;
        };
        if self.refusal.is_some() {
            return Ok(all);
        }
        if let Some(request) = &self.cases {
            add(map_marks::cases(desk, request.clone()).await?);
        }
        if self.sites || self.visits {
            // A visit of a city's plan may be at a site of another one.
            let city = if self.visits { 0 } else { self.city };
            let (sites, unread) = map_marks::sites(desk, city).await?;
            if self.visits {
                add(map_marks::visits(desk, (&sites, unread == 0), self.city, self.days).await?);
            }
            if self.sites {
                let sites: Vec<pb::Site> =
                    sites.into_iter().filter(|site| self.takes(site)).collect();
                add(Found { unread, ..map_marks::site_marks(&sites, self.medium, desk) });
            }
        }
        Ok(all)
    }
}

/// States of a choice: all, those that leave something to do or not, or one.
fn states(choice: &str) -> Vec<i32> {
    let numbers = |closed: bool| {
        let all = words::states().into_iter();
        all.filter(|one| map_marks::is_closed(*one) == closed).map(i32::from).collect()
    };
    match choice {
        "open" => numbers(false),
        "closed" => numbers(true),
        number => number.parse().into_iter().filter(|one| *one != 0).collect(),
    }
}

fn filter(query: &Form, desk: &Desk, refusal: Option<&Refusal>) -> Markup {
    let lang = desk.lang();
    let pair = |value: &str, zh: &str, en: &str| (value.to_owned(), lang.pick(zh, en).to_owned());
    let any = || pair("", "全部", "all");
    let each = words::states().into_iter();
    let each = each.map(|one| (i32::from(one).to_string(), words::state(one, lang).to_owned()));
    let states = [any(), pair("open", "办理中", "open"), pair("closed", "已办结", "closed")];
    let states: Vec<_> = states.into_iter().chain(each).collect();
    let sites = [any(), pair("open", "未关停", "not shut"), pair("shut", "已关停", "shut")];
    let media = (1..).map_while(|number| pb::Medium::try_from(number).ok());
    let media = media.map(|one| (i32::from(one).to_string(), words::medium(one, lang).to_owned()));
    let media: Vec<_> = [any()].into_iter().chain(media).collect();
    let cities = [desk.city].into_iter().chain(desk.others(None));
    let cities = cities.map(|code| (code.to_string(), desk.names.city(code)));
    let cities: Vec<_> = [any()].into_iter().chain(cities).collect();
    let what = [
        pair("cases", "案件", "cases"),
        pair("visits", "联合行动检查安排", "visits of joint actions"),
        pair("sites", "检查对象", "sites"),
    ];
    let none = Refusal::default();
    let again = Some((query, refusal.unwrap_or(&none)));
    let of = Filled { form: "filter", again, lang };
    let bare = query.text("shown").is_empty() && query.text("what").is_empty();
    let fresh = Filled { form: "filter", again: None, lang };
    html! {
        form .filter #map-filter method="get" action="/map" role="search" {
            input type="hidden" name="shown" value="1";
            @for name in ["x", "y", "zoom", "choose"] {
                input type="hidden" name=(name) value=(query.text(name));
            }
            @for one in query.all("pick") { input type="hidden" name="pick" value=(one); }
            (if bare { fresh } else { of }
                .choices("what", lang.pick("显示", "show"), &what, &["cases"]))
            (of.choice("state", lang.pick("案件状态", "state of cases"), &states))
            (of.choice("sites", lang.pick("检查对象状态", "state of sites"), &sites))
            (of.choice("medium", lang.pick("要素", "medium"), &media))
            (of.choice("city", lang.pick("城市", "city"), &cities))
            (of.line("date", "from", lang.pick("日期自", "from"), ""))
            (of.line("date", "to", lang.pick("至", "to"), ""))
            div .field {
                button { (lang.pick("显示", "Show")) }
                " " a href="/map" { (lang.pick("清空条件", "clear")) }
            }
        }
    }
}

/// Links that move and enlarge the picture, for all who have no wheel or no scripting.
fn controls(view: &View, query: &Form, lang: Lang) -> Markup {
    let to = |by, larger| format!("/map?{}", view.moved(query, by, larger));
    let still = (0.0, 0.0);
    let all = [
        ("in", "＋", "放大", "larger", to(still, 2.0)),
        ("out", "－", "缩小", "smaller", to(still, 0.5)),
        ("west", "←", "向西", "west", to((-STEP, 0.0), 1.0)),
        ("north", "↑", "向北", "north", to((0.0, -STEP), 1.0)),
        ("south", "↓", "向南", "south", to((0.0, STEP), 1.0)),
        ("east", "→", "向东", "east", to((STEP, 0.0), 1.0)),
    ];
    let whole = Form::parse(query.with("zoom", "").as_bytes());
    let whole = Form::parse(whole.with("x", "").as_bytes()).with("y", "");
    html! {
        p .controls .noprint {
            @for (id, sign, zh, en, href) in &all {
                a id={ "map-" (id) } href=(href) title=(lang.pick(zh, en)) {
                    span aria-hidden="true" { (sign) }
                    span .unseen { (lang.pick(zh, en)) }
                }
            }
            a id="map-whole" href={ "/map?" (whole) } { (lang.pick("全图", "whole")) }
            a href="#map-list" { (lang.pick("跳到列表", "skip to the list")) }
            span .soft .scripted {
                (lang.pick("可用鼠标拖动；点图后可用滚轮、方向键和 + − 键",
                    "drag it; after a click on it the wheel, arrow keys, + and - work"))
            }
        }
    }
}

/// Legend, approval, and what it does not say.
fn beneath(
    asked: &Asked,
    belts: &[((CityCode, CityCode), u32)],
    ground: &Ground,
    lang: Lang,
) -> Markup {
    let is_drawn = |cities| ground.shared.iter().any(|one| one.cities == cities);
    let widths = belts.iter().filter(|(cities, metres)| *metres > 0 && is_drawn(*cities));
    let mut widths: Vec<u32> = widths.map(|(_, metres)| *metres).collect();
    widths.sort_unstable();
    widths.dedup();
    html! {
        (map_draw::legend(asked.sites, asked.visits, &widths, lang))
        p .soft {
            @if ground.approval.is_empty() {
                (lang.pick("本图未填写审图号，仅供本单位内部办案参考，不得公开展示或对外印发。",
                    "This map has no approval number (审图号): for work within the office only."))
            } @else {
                (lang.pick("审图号：", "map approval number (审图号): ")) (clean(&ground.approval)) "。"
            }
            " "
            (lang.pick("界线为示意，不作为确定管辖的依据；日期对案件指发现日期，对联合行动指检查日期。",
                "Borders are generalised and decide no jurisdiction. Days are those of discovery \
                 of cases and of visits of joint actions."))
        }
    }
}

/// How many are shown, and how many are not and why.
fn counts(found: &Found, drawn: &Drawn, lang: Lang) -> String {
    let mut all = vec![lang.pick(
        format!("图上标出 {} 个点", drawn.count),
        format!("{} points on the map", drawn.count),
    )];
    let mut more = |count: usize, zh: &str, en: &str| {
        if count > 0 {
            let text = lang.pick(zh, en);
            all.push(text.replace("{}", &count.to_string()));
        }
    };
    more(
        drawn.left_out,
        "另有 {} 个点因过密未标出，请放大或缩小条件范围",
        "{} more are left out for want of room: enlarge the map or narrow the filter",
    );
    more(drawn.outside, "{} 个点不在当前范围内", "{} lie outside of it");
    more(found.placeless, "{} 条记录没有坐标，无法标出", "{} records have no coordinates");
    more(
        found.unread,
        "较早的 {} 条记录没有读取，请用日期筛选",
        "{} older ones were not read: narrow the days",
    );
    more(
        found.siteless,
        "{} 次检查的对象登记较早，没有读取，未标出",
        "{} visits are at older sites that were not read",
    );
    format!("{}{}", all.join(lang.pick("；", "; ")), lang.pick("。", "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_borders_the_page_says_what_to_do() {
        for lang in [Lang::Zh, Lang::En] {
            let said = no_borders(lang).into_string();
            assert!(said.contains("boundaries_file") && said.contains("liandong.toml"), "{said}");
        }
    }

    #[test]
    fn states_are_chosen_together_or_one_by_one() {
        assert_eq!((states("open").len(), states("closed").len()), (14, 7));
        assert_eq!((states(""), states("0"), states("x")), (vec![], vec![], vec![]));
        assert_eq!(states("4"), [4]);
    }

    #[test]
    fn a_bare_address_asks_for_cases_and_an_empty_form_for_nothing() {
        let asked = |query: &str| {
            let asked = Asked::of(&Form::parse(query.as_bytes()), Lang::Zh);
            (asked.cases.is_some(), asked.sites, asked.visits, asked.refusal.is_some())
        };
        assert_eq!(asked(""), (true, false, false, false));
        assert_eq!(asked("x=116&zoom=2"), (true, false, false, false));
        assert_eq!(asked("shown=1"), (false, false, false, false));
        assert_eq!(asked("shown=1&what=sites&what=visits"), (false, true, true, false));
        assert_eq!(asked("from=2026-02-30"), (true, false, false, true));
    }

    #[test]
    fn sites_are_chosen_by_their_state() {
        let site = |closed| pb::Site {
            city: 371_500,
            facts: Some(pb::SiteFacts { closed, ..Default::default() }),
            ..Default::default()
        };
        let taken = |query: &str| {
            let asked = Asked::of(&Form::parse(query.as_bytes()), Lang::Zh);
            [false, true].map(|closed| asked.takes(&site(closed)))
        };
        assert_eq!(taken("what=sites"), [true, true]);
        assert_eq!(taken("what=sites&sites=open"), [true, false]);
        assert_eq!(taken("what=sites&sites=shut"), [false, true]);
        assert_eq!(taken("what=sites&sites=shut&city=130400"), [false, false]);
    }

    #[test]
    fn of_two_agreements_the_wider_belt_is_drawn() {
        let agreement = |belt_metres, cities: &[u32]| pb::Agreement {
            belt_metres,
            members: cities
                .iter()
                .map(|city| pb::Member { city: *city, ..Default::default() })
                .collect(),
            ..Default::default()
        };
        let all = belts(&[
            agreement(5_000, &[371_500, 130_400]),
            agreement(10_000, &[130_400, 371_500, 410_900]),
        ]);
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|(cities, metres)| cities.0 < cities.1 && *metres == 10_000));
    }

    #[test]
    fn what_is_not_on_the_map_is_said() {
        let found = Found { placeless: 2, unread: 3, siteless: 6, ..Found::default() };
        let drawn = Drawn { count: 5, outside: 1, left_out: 4, ..Drawn::default() };
        let said = counts(&found, &drawn, Lang::Zh);
        for part in [
            "标出 5 个",
            "4 个点因过密",
            "1 个点不在",
            "2 条记录没有坐标",
            "较早的 3 条",
            "6 次检查的对象登记较早",
        ] {
            assert!(said.contains(part), "{said}");
        }
        let nothing = counts(&Found::default(), &Drawn::default(), Lang::En);
        assert_eq!(nothing, "0 points on the map.");
    }
}
