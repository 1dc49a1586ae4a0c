//! Sites and units by what people call them.
//!
//! In scope: reading as many as a page needs. Out of scope: what may be done with them.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use tonic::Status;

use super::form::Form;
use super::layout::Desk;
use crate::domain::unit::calendar;
use crate::domain::{HalfDay, Language};
use crate::lang::Lang;
use crate::limits::{CONSOLE_CHOICES_MAX, SITES_LOOKED_AT_MAX};
use crate::shown::plan::{Labels, named_in, short};
use crate::shown::text::clean;
use crate::wire::case as case_wire;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::{half_day_from_pb, period_from_pb};

/// Things on a page of the API's lists.
const PAGE: i32 = 200;
/// Pages that are looked through for what a plan names.
const PAGES_MAX: usize = SITES_LOOKED_AT_MAX / 200;

/// What the sites and units of a plan are called. What the node does not tell has its id.
pub async fn labels(desk: &Desk, plan: &pb::Plan, answers: &[pb::PlanAnswer]) -> Labels {
    let (mut sites, mut units) = named_in(plan, answers);
    let parent = super::parts::agreement_of(&plan.name);
    let mut found = Labels::default();
    // Names are a comfort: a page without them is still true.
    let learn = |site: pb::Site| found.learn(site.name, &site.record.unwrap_or_default().name);
    let _ = read_sites(desk, &parent, &mut sites, learn).await;
    let _ = read_units(desk, &parent, &mut units, &mut found).await;
    found
}

/// Learns what some sites of an agreement are called.
pub async fn learn_sites(
    desk: &Desk,
    parent: &str,
    mut wanted: BTreeSet<String>,
    found: &mut Labels,
) {
    // As above: what the node does not tell has its id.
    let learn = |site: pb::Site| found.learn(site.name, &site.record.unwrap_or_default().name);
    let _ = read_sites(desk, parent, &mut wanted, learn).await;
}

/// The cities where some sites stand, all of one agreement. A site that the node does not tell is
/// refused when it is proposed.
pub async fn hosts(desk: &Desk, sites: &[&str]) -> BTreeMap<String, u32> {
    let mut wanted: BTreeSet<String> = sites.iter().map(|site| (*site).to_owned()).collect();
    let parent = sites.first().map(|site| super::parts::agreement_of(site)).unwrap_or_default();
    let mut hosts = BTreeMap::new();
    let _ = read_sites(desk, &parent, &mut wanted, |site| {
        hosts.insert(site.name, site.city);
    })
    .await;
    hosts
}

async fn read_sites(
    desk: &Desk,
    parent: &str,
    wanted: &mut BTreeSet<String>,
    mut take: impl FnMut(pb::Site),
) -> Result<(), Status> {
    let mut request =
        pb::ListSitesRequest { parent: parent.to_owned(), page_size: PAGE, ..Default::default() };
    for _ in 0..PAGES_MAX {
        if wanted.is_empty() {
            break;
        }
        let page = desk.client.sites().list_sites(request.clone()).await?.into_inner();
        for site in page.sites {
            wanted.remove(&site.name);
            take(site);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(())
}

async fn read_units(
    desk: &Desk,
    parent: &str,
    wanted: &mut BTreeSet<String>,
    found: &mut Labels,
) -> Result<(), Status> {
    let mut request = pb::ListUnitsRequest {
        parent: parent.to_owned(),
        page_size: PAGE,
        with_retired: true,
        ..Default::default()
    };
    for _ in 0..PAGES_MAX {
        if wanted.is_empty() {
            break;
        }
        let page = desk.client.units().list_units(request.clone()).await?.into_inner();
        for unit in page.units {
            wanted.remove(&unit.name);
            found.learn_unit(unit);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(())
}

/// What a form lists to choose from: what was chosen before, then a page of the list.
#[derive(Default)]
pub struct Choices {
    /// Name of each, and what people call it.
    pub all: Vec<(String, String)>,
    /// Those that would be refused, and why.
    pub barred: BTreeMap<String, &'static str>,
    /// Of sites: where they stand.
    pub hosts: BTreeMap<String, u32>,
    /// What was chosen besides, beyond what a form lists.
    unlisted: Vec<String>,
    /// How many there are in the whole list.
    total: usize,
    /// For the next page; empty on the last.
    next: String,
    /// For this page; empty on the first.
    here: String,
}

/// The value of a button that leads back to the first page.
const FIRST_PAGE: &str = "-";

impl Choices {
    /// Of a page of a list and what was chosen on others.
    fn of(chosen: Vec<(String, String)>, page: Vec<(String, String)>, from: Paged<'_>) -> Self {
        let all = chosen.into_iter().chain(page).collect();
        let (total, next) = (from.total as usize, from.next);
        let (barred, hosts, unlisted) = Default::default();
        Self { all, barred, hosts, unlisted, total, next, here: from.token.to_owned() }
    }

    /// What was chosen beyond what is listed, in fields that nobody sees, and how many they are.
    #[must_use]
    pub fn unlisted(&self, name: &str, lang: Lang) -> Markup {
        let count = self.unlisted.len();
        html! {
            @if count > 0 {
                p .soft {
                    (lang.pick(
                        format!("另有 {count} 项已选，数量较多未列出，提交时一并保留。"),
                        format!("{count} more are chosen: too many to be listed, and kept."),
                    ))
                }
                @for value in &self.unlisted { input type="hidden" name=(name) value=(value); }
            }
        }
    }

    /// That the list is longer than what is shown, and buttons that show the form again, as it is
    /// filled in, with another page of it. Any other step leaves the page where it is.
    #[must_use]
    pub fn rest(&self, button: &str, step: &str, lang: Lang) -> Markup {
        let turn = |value: &str, zh: &'static str, en: &'static str| {
            html! {
                button .second formaction=(step) name=(button) value=(value) {
                    (lang.pick(zh, en))
                }
            }
        };
        let (shown, total) = (self.all.len(), self.total);
        html! {
            @if !self.here.is_empty() || !self.next.is_empty() {
                p .soft {
                    (lang.pick(
                        format!("共 {total} 项，这里列出 {shown} 项；翻页时已勾选的保留。"),
                        format!("{total} in all, {shown} of them here; what is ticked stays so. "),
                    ))
                    @if !self.here.is_empty() {
                        (turn(FIRST_PAGE, "回到开头", "from the beginning"))
                    }
                    @if !self.next.is_empty() { (turn(&self.next, "列出后面的", "the next ones")) }
                }
                // After the buttons: of two values the first counts.
                input type="hidden" name=(button) value=(self.here);
            }
        }
    }
}

/// Where a page of a list stands in it.
struct Paged<'a> {
    token: &'a str,
    next: String,
    total: u32,
}

/// The page of a list that a button of [`Choices::rest`] asks for.
fn token<'a>(form: &'a Form, button: &str) -> &'a str {
    match form.text(button) {
        FIRST_PAGE => "",
        token => token,
    }
}

/// When units are to come.
#[derive(Default)]
pub struct Coming {
    /// The half days that are still ahead.
    pub days: BTreeSet<HalfDay>,
    /// Those that are taken for just this.
    pub ours: BTreeSet<String>,
}

/// What stands against sending a unit.
enum Against {
    /// It would be refused on each of the half days.
    All(&'static str),
    /// It can come on these only.
    Part(String),
    /// Nothing.
    Nothing,
}

impl Coming {
    /// What stands against a unit: the half days on which anything is busy are told by the same
    /// service that finds days, and with what it is busy by nobody.
    fn against(&self, unit: &pb::Unit, busy: &Busy, lang: Lang) -> Against {
        let date = |date: Option<&pb::Date>| date.map(|one| (one.year, one.month, one.day));
        let (from, until) = (date(unit.valid_from.as_ref()), date(unit.valid_until.as_ref()));
        let is_out = |at: &HalfDay| {
            let on = date(Some(&case_wire::date_out(at.on)));
            from.is_some() && on < from || until.is_some() && on > until
        };
        let ours = self.ours.contains(&unit.name);
        let taken = busy.units.get(&unit.name);
        let is_busy = |at: &HalfDay| {
            !ours && (busy.whole.contains(at) || taken.is_some_and(|taken| taken.contains(at)))
        };
        let (mut free, mut out) = (Vec::new(), 0);
        for at in &self.days {
            if is_out(at) {
                out += 1;
            } else if !is_busy(at) {
                calendar::join(&mut free, (at.number(), at.number()));
            }
        }
        let count: i64 = free.iter().map(|(first, last)| last - first + 1).sum();
        if self.days.is_empty() || usize::try_from(count).is_ok_and(|one| one == self.days.len()) {
            Against::Nothing
        } else if out == self.days.len() {
            Against::All(lang.pick("届时证件不在有效期内", "certificate not valid then"))
        } else if free.is_empty() {
            Against::All(lang.pick("届时已占用", "busy then"))
        } else {
            let free = calendar::periods(&free);
            let language = lang.pick(Language::Zh, Language::En);
            let free: Vec<_> = free.iter().map(|period| period.text(language)).collect();
            Against::Part(lang.pick(
                format!("（只可参加 {}）", free.join("、")),
                format!(" (only {})", free.join(", ")),
            ))
        }
    }
}

/// What of the own city is busy on some half days.
#[derive(Default)]
struct Busy {
    whole: BTreeSet<HalfDay>,
    units: BTreeMap<String, BTreeSet<HalfDay>>,
}

/// Asks for it. Marks are a comfort: what they do not tell is refused when it is sent.
async fn busy(desk: &Desk, parent: &str, days: &BTreeSet<HalfDay>) -> Busy {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Busy::default() };
    let request = pb::QueryFreeBusyRequest {
        parent: parent.to_owned(),
        cities: vec![desk.city],
        from: Some(case_wire::date_out(first.on)),
        until: Some(case_wire::date_out(last.on)),
    };
    let answer = desk.client.units().query_free_busy(request).await;
    let answer = answer.map(tonic::Response::into_inner).unwrap_or_default();
    let halves = answer.cities.iter().flat_map(|city| &city.half_days);
    let whole = halves.filter(|half| half.whole_city_busy);
    let whole = whole.filter_map(|half| half.at.as_ref().and_then(half_day_from_pb));
    let met = |period: &pb::Period| {
        let period = period_from_pb(period);
        period.into_iter().flat_map(|one| days.range(one.first()..=one.last()).copied())
    };
    let units = answer.units.iter();
    let units = units.map(|unit| (unit.name.clone(), unit.busy.iter().flat_map(met).collect()));
    Busy { whole: whole.collect(), units: units.collect() }
}

/// The own city's units of an agreement, to choose from: those of fields `sent` and `recuse`
/// of forms are chosen, and `button` of the first asks for another page. Those that cannot come are
/// marked.
///
/// # Errors
/// The service's refusal.
pub async fn own_units(
    desk: &Desk,
    parent: &str,
    (forms, button): (&[&Form], &str),
    coming: &Coming,
) -> Result<Choices, Status> {
    let lang = desk.lang();
    let busy = busy(desk, parent, &coming.days).await;
    let mut barred = BTreeMap::new();
    let token = forms.first().map_or("", |form| token(form, button));
    let request = pb::ListUnitsRequest {
        parent: parent.to_owned(),
        city: desk.city,
        page_size: CONSOLE_CHOICES_MAX,
        page_token: token.to_owned(),
        ..Default::default()
    };
    let page = desk.client.units().list_units(request).await?.into_inner();
    let mut named = |unit: pb::Unit| {
        let part = match coming.against(&unit, &busy, lang) {
            Against::All(why) => {
                barred.insert(unit.name.clone(), why);
                String::new()
            }
            Against::Part(when) => when,
            Against::Nothing => String::new(),
        };
        let kind = crate::wire::words::unit_kind(unit.kind(), lang);
        let record = unit.record.unwrap_or_default();
        (unit.name, format!("{kind} {} {}{part}", clean(&record.number), clean(&record.team)))
    };
    let whole = |unit: &pb::Unit| unit.kind() == pb::UnitKind::WholeCity;
    let mut chosen = Vec::new();
    let sent = forms.iter().flat_map(|form| form.all("sent").chain(form.all("recuse")));
    // An answer sends no more than are listed.
    let (missed, _) = missing(sent, page.units.iter().map(|unit| unit.name.as_str()));
    for name in missed {
        let request = pb::GetUnitRequest { name: name.clone() };
        let unit = desk.client.units().get_unit(request).await;
        let unit = unit.ok().and_then(|answer| answer.into_inner().unit);
        chosen.push(unit.map_or_else(|| (name.clone(), clean(short(&name))), &mut named));
    }
    let from = Paged { token, next: page.next_page_token, total: page.total_size };
    let page = page.units.into_iter().filter(|unit| !whole(unit)).map(named).collect();
    Ok(Choices { barred, ..Choices::of(chosen, page, from) })
}

/// Sites of an agreement, to choose from: those of field `site` of a form are chosen, and `button`
/// asks for another page.
///
/// # Errors
/// The service's refusal.
pub async fn sites(
    desk: &Desk,
    parent: &str,
    (form, button): (&Form, &str),
) -> Result<Choices, Status> {
    let lang = desk.lang();
    let token = token(form, button);
    let request = pb::ListSitesRequest {
        parent: parent.to_owned(),
        page_size: CONSOLE_CHOICES_MAX,
        page_token: token.to_owned(),
        ..Default::default()
    };
    let page = desk.client.sites().list_sites(request).await?.into_inner();
    let mut hosts = BTreeMap::new();
    let mut named = |site: pb::Site| {
        let city = desk.names.city(site.city);
        hosts.insert(site.name.clone(), site.city);
        let listed = if site.listed_today {
            lang.pick("（正面清单）", " (positive list)")
        } else {
            ""
        };
        let record = site.record.unwrap_or_default();
        (site.name, format!("{city} {}{listed}", clean(&record.name)))
    };
    let mut chosen = Vec::new();
    let here = page.sites.iter().map(|site| site.name.as_str());
    let (missed, unlisted) = missing(form.all("site"), here);
    for name in missed {
        let request = pb::GetSiteRequest { name: name.clone() };
        let site = desk.client.sites().get_site(request).await;
        let site = site.ok().and_then(|answer| answer.into_inner().site);
        chosen.push(site.map_or_else(|| (name.clone(), clean(short(&name))), &mut named));
    }
    let from = Paged { token, next: page.next_page_token, total: page.total_size };
    let listed = Choices::of(chosen, page.sites.into_iter().map(named).collect(), from);
    Ok(Choices { hosts, unlisted, ..listed })
}

/// What was chosen and is not on a page, each once: no more than a page has, and the others.
fn missing<'a>(
    chosen: impl Iterator<Item = &'a str>,
    page: impl Iterator<Item = &'a str>,
) -> (Vec<String>, Vec<String>) {
    let here: BTreeSet<&str> = page.collect();
    let gone: BTreeSet<&str> = chosen.filter(|name| !here.contains(name)).collect();
    let max = usize::try_from(CONSOLE_CHOICES_MAX).unwrap_or(0);
    let mut listed: Vec<String> = gone.into_iter().map(str::to_owned).collect();
    let others = listed.split_off(listed.len().min(max));
    (listed, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_on_another_page_stays_chosen() {
        let form = Form::parse(b"site=s/1&site=s/9&site=s/9");
        let (listed, others) = missing(form.all("site"), ["s/1", "s/2"].into_iter());
        assert_eq!((listed, others), (vec!["s/9".to_owned()], vec![]));
        let pair = |name: &str| (name.to_owned(), name.to_owned());
        let of = |token, next: &str| {
            let from = Paged { token, next: next.to_owned(), total: 450 };
            Choices::of(vec![pair("s/9")], vec![pair("s/1"), pair("s/2")], from)
        };
        let said = of("t1", "t2").rest("more", "/plans/new/form", Lang::Zh).into_string();
        assert!(said.contains("共 450 项，这里列出 3 项"), "{said}");
        assert!(said.contains(r#"name="more" value="t2""#) && said.contains(r#"value="-""#));
        let kept = said.split_once(r#"type="hidden" name="more" value="t1""#).unwrap().0;
        assert!(kept.contains("t2"), "after the buttons: {said}");
        assert_eq!(of("", "").rest("more", "/plans/new/form", Lang::Zh).into_string(), "");
        // More than are listed: they are sent all the same.
        let many: Vec<String> =
            (0..=CONSOLE_CHOICES_MAX).map(|nth| format!("s/{nth:03}")).collect();
        let (listed, unlisted) = missing(many.iter().map(String::as_str), [].into_iter());
        assert_eq!((listed.len(), &*unlisted), (200, &["s/200".to_owned()][..]));
        let sent = Choices { unlisted, ..of("", "") }.unlisted("site", Lang::Zh).into_string();
        assert!(sent.contains(r#"type="hidden" name="site" value="s/200""#), "{sent}");
        assert!(sent.contains("另有 1 项已选"), "{sent}");
        assert_eq!(token(&Form::parse(b"more=-"), "more"), "");
        assert_eq!(token(&Form::parse(b"more=t2"), "more"), "t2");
    }
}
