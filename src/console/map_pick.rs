//! Planning a joint action from what was chosen on the map.
//!
//! Cases and sites are ticked in the list beside the map, which keeps them while one looks around.
//! From them follow the cities, the sites near the cases, and the page of a new plan with all of
//! that filled in.
//!
//! In scope: choosing, what follows from it. Out of scope: proposing ([`super::plan_new`]).

use std::collections::BTreeSet;

use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use tonic::Status;

use super::ending::refused;
use super::form::{Form, Query};
use super::layout::Desk;
use super::map_draw::{self, Drawn};
use super::map_marks::{self, Mark};
use super::map_view::View;
use super::parts::{self, agreement_of};
use super::plan_new;
use super::refusal::Refusal;
use crate::geo::{Point, metres_between};
use crate::lang::Lang;
use crate::limits::{CONSOLE_NEAR_SITES_MAX, CONSOLE_PICKS_MAX};
use crate::shown::plan::short;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;

/// How far from a case a site is near it.
const NEAR_METRES: u32 = 5_000;

/// Choosing on the map: the query, and what is ticked in it, while somebody chooses.
pub struct Picking<'a> {
    query: &'a Form,
    may: bool,
    picked: Option<BTreeSet<&'a str>>,
}

impl<'a> Picking<'a> {
    /// As a query says, for who may propose.
    #[must_use]
    pub fn of(query: &'a Form, desk: &Desk) -> Self {
        let may = desk.visitor.may("/liandong.v1.PlanService/CreatePlan");
        let choosing = may && !query.text("choose").is_empty();
        Self { query, may, picked: choosing.then(|| query.all("pick").collect()) }
    }

    /// What is ticked; none while nobody chooses.
    #[must_use]
    pub const fn picked(&self) -> Option<&BTreeSet<&'a str>> {
        self.picked.as_ref()
    }

    /// To choosing, or out of it.
    #[must_use]
    pub fn link(&self, lang: Lang) -> Markup {
        let none = Form::parse(self.query.with("pick", "").as_bytes());
        html! {
            @if self.picked.is_some() {
                p .noprint {
                    a href={ "/map?" (none.with("choose", "")) } {
                        (lang.pick("不再选择", "stop choosing"))
                    }
                }
            } @else if self.may {
                p .noprint {
                    a #map-choose href={ "/map?" (self.query.with("choose", "1")) } {
                        (lang.pick("选择案件和检查对象，发起联合行动",
                            "choose cases and sites for a joint action"))
                    }
                }
            }
        }
    }

    /// The list of what is on the map; while somebody chooses, with boxes and what is ticked
    /// elsewhere.
    #[must_use]
    pub fn list(&self, all: &[Mark], view: &View, drawn: &Drawn, lang: Lang) -> Markup {
        let list = html! { ul .marks { (PreEscaped(&drawn.list)) } };
        let Some(picked) = &self.picked else { return list };
        let is_here = |mark: &&Mark| picked.contains(mark.record.as_str());
        let (here, away): (Vec<&Mark>, Vec<&Mark>) =
            all.iter().filter(is_here).partition(|mark| drawn.list.contains(&mark.record));
        let found: BTreeSet<&str> =
            here.iter().chain(&away).map(|mark| mark.record.as_str()).collect();
        let unknown = picked.iter().filter(|name| !found.contains(*name));
        // What of the query is not the choice itself.
        let rest = Form::parse(self.query.with("pick", "").as_bytes());
        html! {
            form #picks method="get" action="/map/plan" {
                @for (name, value) in rest.pairs() {
                    input type="hidden" name=(name) value=(value);
                }
                p {
                    button { (lang.pick("在此发起联合行动", "Plan a joint action here")) }
                    " "
                    button .second formaction="/map" {
                        (lang.pick("保留所选，继续看图", "Keep these and look on"))
                    }
                }
                @if found.len() > here.len() || picked.len() > found.len() {
                    h3 { (lang.pick("已选，不在图上", "Chosen, not in the picture")) }
                    ul {
                        @for mark in &away { (map_draw::in_list(mark, Some(picked))) }
                        @for name in unknown {
                            li {
                                label .inline {
                                    input type="checkbox" name="pick" value=(name) checked;
                                    (clean(short(name)))
                                }
                            }
                        }
                    }
                }
                (list)
                @if !view.is_whole() {
                    p .soft {
                        (lang.pick("只列出图中可见的；移动地图时，已勾选的保留。",
                            "Only what is in the picture is listed; what is ticked stays so."))
                    }
                }
            }
        }
    }
}

/// What was chosen, of one agreement.
#[derive(Default)]
struct Chosen {
    agreement: String,
    cases: Vec<pb::Case>,
    sites: Vec<pb::Site>,
    /// How many are of other agreements, and left out.
    others: usize,
}

/// The page of a new plan, filled in by what was chosen.
pub async fn plan(desk: Desk, Query(query): Query) -> Response {
    let lang = desk.lang();
    let count = query.all("pick").collect::<BTreeSet<_>>().len();
    let wrong = match count {
        0 => Some(lang.pick(
            "还没有勾选案件或检查对象".to_owned(),
            "no case and no site is ticked".to_owned(),
        )),
        many if many > CONSOLE_PICKS_MAX => Some(lang.pick(
            format!("勾选了 {many} 项，一次最多 {CONSOLE_PICKS_MAX} 项"),
            format!("{many} are ticked, {CONSOLE_PICKS_MAX} at most"),
        )),
        _ => None,
    };
    if let Some(wrong) = wrong {
        let rest = query.with("choose", "1");
        let title = lang.pick("在图上选择", "Choosing on the map");
        let main = html! {
            h1 { (title) }
            (parts::refused(&Refusal::field("pick", wrong), lang))
            p { a href={ "/map?" (rest) } { (lang.pick("回到地图", "back to the map")) } }
        };
        return refused(desk.page(title, &main));
    }
    let answer = match read(&desk, &query).await {
        Ok(chosen) => filled(&desk, &chosen).await,
        Err(status) => Err(status),
    };
    let page = match answer {
        Ok((form, note)) => plan_new::page(&desk, &form, None, &note).await,
        Err(status) => Err(status),
    };
    page.unwrap_or_else(|status| desk.no(&status))
}

/// Reads what is of the agreement that most of it is of.
async fn read(desk: &Desk, query: &Form) -> Result<Chosen, Status> {
    let picks: BTreeSet<&str> = query.all("pick").collect();
    let of = |agreement: &str| picks.iter().filter(|name| agreement_of(name) == agreement).count();
    let most = desk.agreements.iter().max_by_key(|one| of(&one.name));
    let agreement = most.filter(|one| of(&one.name) > 0).map(|one| one.name.clone());
    let agreement = agreement.ok_or_else(|| desk.refuse("NOT_FOUND"))?;
    let others = picks.len() - of(&agreement);
    let mut chosen = Chosen { agreement, others, ..Chosen::default() };
    for name in picks.into_iter().filter(|name| agreement_of(name) == chosen.agreement) {
        let name = name.to_owned();
        if name.contains("/sites/") {
            let answer = desk.client.sites().get_site(pb::GetSiteRequest { name }).await?;
            chosen.sites.extend(answer.into_inner().site);
        } else {
            let answer = desk.client.cases().get_case(pb::GetCaseRequest { name }).await?;
            chosen.cases.extend(answer.into_inner().case);
        }
    }
    Ok(chosen)
}

/// A site of an agreement, and how far from the nearest of some places.
fn near<'a>(places: &[Point], sites: &'a [pb::Site]) -> Vec<(u32, &'a pb::Site)> {
    let far = |site: &'a pb::Site| {
        let at = map_marks::place(site.record.as_ref()?.location.as_ref())?;
        let metres = places.iter().map(|place| metres_between(*place, at)).min()?;
        Some((metres, site))
    };
    // Neither what is shut nor what is on the positive list is visited without a reason.
    let may = |site: &&pb::Site| {
        !site.listed_today && !site.facts.as_ref().is_some_and(|facts| facts.closed)
    };
    let mut near: Vec<_> = sites.iter().filter(may).filter_map(far).collect();
    near.retain(|(metres, _)| *metres <= NEAR_METRES);
    near.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
    near
}

/// The form of a new plan by what was chosen, and what was done to it.
async fn filled(desk: &Desk, chosen: &Chosen) -> Result<(Form, Markup), Status> {
    let lang = desk.lang();
    let place = |case: &pb::Case| map_marks::place(case.record.as_ref()?.location.as_ref());
    let places: Vec<Point> = chosen.cases.iter().filter_map(place).collect();
    let (mut sites, unread) = match places.is_empty() {
        true => (Vec::new(), 0),
        false => map_marks::sites(desk, 0).await?,
    };
    let own: BTreeSet<&str> = chosen.sites.iter().map(|site| site.name.as_str()).collect();
    let of = chosen.agreement.as_str();
    sites.retain(|site| agreement_of(&site.name) == of && !own.contains(site.name.as_str()));
    let near = near(&places, &sites);
    let proposed = near.iter().take(CONSOLE_NEAR_SITES_MAX).map(|(_, site)| *site);
    let proposed: Vec<&pb::Site> = chosen.sites.iter().chain(proposed).collect();
    let members = desk.agreements.iter().filter(|one| one.name == of).flat_map(|one| &one.members);
    let members: BTreeSet<u32> = members.map(|member| member.city).collect();
    let cities = chosen.cases.iter().map(|case| case.handling_city);
    let cities = cities.chain(proposed.iter().map(|site| site.city)).chain([desk.city]);
    let cities: BTreeSet<u32> = cities.filter(|city| members.contains(city)).collect();
    let mut pairs = vec![("agreement".to_owned(), of.trim_start_matches("agreements/").to_owned())];
    // One city alone makes no joint action: then all members stay ticked.
    if cities.len() > 1 {
        for city in cities {
            pairs.push(("city".to_owned(), city.to_string()));
            pairs.push((format!("officers-{city}"), "2".to_owned()));
        }
    }
    pairs.extend(proposed.iter().map(|site| ("site".to_owned(), site.name.clone())));
    let numbers: Vec<String> = chosen.cases.iter().map(|case| clean(&case.number)).collect();
    if !numbers.is_empty() {
        let text = lang.pick("涉及案件：", "Cases: ");
        pairs.push(("text".to_owned(), format!("{text}{}", numbers.join(lang.pick("、", ", ")))));
    }
    let told = told(chosen, places.len(), (near.len(), unread), lang);
    Ok((Form::of(pairs), html! { p .hint role="status" { (told) } }))
}

/// What follows from what was chosen, and what does not.
fn told(chosen: &Chosen, placed: usize, (near, unread): (usize, usize), lang: Lang) -> String {
    let (cases, sites) = (chosen.cases.len(), chosen.sites.len());
    let (shown, kilometres) = (near.min(CONSOLE_NEAR_SITES_MAX), NEAR_METRES / 1_000);
    let mut all = vec![
        lang.pick(
            format!("已按图上所选的 {cases} 起案件、{sites} 个检查对象填入参加市和检查对象"),
            format!("filled in by {cases} cases and {sites} sites chosen on the map"),
        ),
        lang.pick(
            format!("案件 {kilometres} 公里内另有 {near} 个检查对象，勾选了最近的 {shown} 个"),
            format!("{near} more sites lie within {kilometres} km, the nearest {shown} are ticked"),
        ),
    ];
    let mut more = |count: usize, zh: &str, en: &str| {
        if count > 0 {
            all.push(lang.pick(zh, en).replace("{}", &count.to_string()));
        }
    };
    more(chosen.others, "所选有 {} 项属于其他协议，未填入", "{} of them are of other agreements");
    more(cases - placed, "{} 起案件没有坐标", "{} cases have no coordinates");
    more(unread, "较早登记的 {} 个检查对象没有查找", "{} older sites were not looked at");
    let end = lang.pick(
        "。已关停和正面清单内的没有勾选，请核对后再发起。",
        ". Closed and listed sites are not; look it through before you propose it.",
    );
    format!("{}{end}", all.join(lang.pick("；", "; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_near_by_their_distance_and_left_out_by_their_state() {
        let site = |name: &str, latitude: &str, closed, listed_today| pb::Site {
            name: name.to_owned(),
            listed_today,
            facts: Some(pb::SiteFacts { closed, ..Default::default() }),
            record: Some(pb::SiteRecord {
                location: Some(pb::Location {
                    longitude: "115.98".into(),
                    latitude: latitude.into(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let sites = [
            site("far", "36.50", false, false),
            site("second", "36.47", false, false),
            site("shut", "36.45", true, false),
            site("listed", "36.45", false, true),
            site("first", "36.46", false, false),
            site("nowhere", "", false, false),
        ];
        let place = Point::new(1_159_800_000, 364_500_000).unwrap();
        let names: Vec<&str> =
            near(&[place], &sites).iter().map(|(_, site)| site.name.as_str()).collect();
        assert_eq!(names, ["first", "second"]);
        assert!(near(&[], &sites).is_empty());
    }

    #[test]
    fn what_was_not_filled_in_is_said() {
        let chosen = Chosen { cases: vec![pb::Case::default(); 2], others: 3, ..Chosen::default() };
        let said = told(&chosen, 1, (25, 7), Lang::Zh);
        for part in [
            "2 起案件、0 个",
            "另有 25 个",
            "最近的 20 个",
            "3 项属于其他协议",
            "1 起案件没有",
            "7 个检查对象没有查找",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
