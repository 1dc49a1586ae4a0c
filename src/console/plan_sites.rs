//! The sites of a joint action in the form of a proposal: which, when each is visited, and under
//! which exception.
//!
//! Beside each site that is ticked stand three fields, in the order of the sites: `visit` names it,
//! `at` is its half day, `why` its exception. Where no half day of the plan is chosen, a host's
//! sites are spread over all of them.
//!
//! In scope: choosing, spreading. Out of scope: whether a site may be visited so, which the service
//! says.
//!
//! Invariants:
//! 1. However many sites and half days there are, what is chosen beside them has a bound.
//!    (`what_stands_beside_the_sites_has_a_size`)

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::form::Form;
use super::layout::Desk;
use super::parts::Filled;
use super::plan_new::{self, MORE_SITES, To};
use super::{codes, register};
use crate::domain::{HalfDay, Period};
use crate::lang::Lang;
use crate::shown::plan::parts as say;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::half_day_to_pb;

/// A half day that is left to the console.
pub const ANY: &str = "-";
/// What may be chosen from beside the sites of one page, together: some 50 KiB.
const OPTIONS_MAX: usize = 600;

/// What is chosen for a site, as its fields have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// Its half day, or [`ANY`].
    pub at: &'a str,
    /// The number of its exception.
    pub why: &'a str,
}

/// What is chosen for the sites of a form; nothing for those that were ticked since.
pub fn chosen(form: &Form) -> BTreeMap<&str, Choice<'_>> {
    let choices = form.all("at").zip(form.all("why")).map(|(at, why)| Choice { at, why });
    form.all("visit").zip(choices).collect()
}

/// The fields of a visit, as a plan has it.
pub fn fields_of(visit: &pb::PlanVisit, first: Option<HalfDay>) -> [(&'static str, String); 3] {
    let at = first.map_or_else(|| ANY.to_owned(), value);
    [("visit", visit.site.clone()), ("at", at), ("why", visit.exception.to_string())]
}

/// A half day as a field has it.
fn value(at: HalfDay) -> String {
    let (date, half) = plan_new::half(at);
    format!("{date}{half}")
}

/// The visits that a form proposes; without days they have none either.
pub async fn visits(desk: &Desk, form: &Form, period: Option<Period>) -> Vec<pb::VisitDraft> {
    let sites: Vec<&str> = form.all("site").collect();
    let days: Vec<HalfDay> = period.into_iter().flat_map(Period::half_days).collect();
    let hosts = match days.len() {
        // There is nothing to spread.
        0 | 1 => BTreeMap::new(),
        _ => register::hosts(desk, &sites).await,
    };
    let chosen = chosen(form);
    let first = arranged(&sites, &days, &hosts, &chosen);
    let visit = |(site, first): (&str, Option<HalfDay>)| pb::VisitDraft {
        site: site.to_owned(),
        first: first.map(half_day_to_pb),
        last: None,
        // What is no number is no exception: the service refuses it.
        exception: chosen.get(site).map_or(0, |one| one.why.parse().unwrap_or(i32::MAX)),
    };
    sites.iter().copied().zip(first).map(visit).collect()
}

/// When each site is visited: on the half day that is chosen for it, or on that of the plan on
/// which its host has the fewest, the first of these. So where nothing is chosen, the sites of a
/// host are handed out in turn, as a draw does.
fn arranged(
    sites: &[&str],
    days: &[HalfDay],
    hosts: &BTreeMap<String, u32>,
    chosen: &BTreeMap<&str, Choice<'_>>,
) -> Vec<Option<HalfDay>> {
    let given = |site: &str| {
        let at = chosen.get(site)?.at;
        days.iter().copied().find(|day| value(*day) == at)
    };
    let host = |site: &str| hosts.get(site).copied().unwrap_or(0);
    let mut taken: BTreeMap<(u32, HalfDay), usize> = BTreeMap::new();
    for site in sites {
        if let Some(at) = given(site) {
            *taken.entry((host(site), at)).or_default() += 1;
        }
    }
    let arrange = |site: &&str| {
        given(site).or_else(|| {
            let of = |day: &&HalfDay| taken.get(&(host(site), **day)).copied().unwrap_or(0);
            let at = *days.iter().min_by_key(of)?;
            *taken.entry((host(site), at)).or_default() += 1;
            Some(at)
        })
    };
    sites.iter().map(arrange).collect()
}

/// The sites to choose from, and what is chosen for those that are ticked.
pub fn fields(of: &Filled<'_>, form: &Form, sites: &register::Choices, to: &To<'_>) -> Markup {
    let (lang, step) = (of.lang, to.step("sites"));
    let period = plan_new::period(form, lang).ok();
    let days: Vec<HalfDay> = period.into_iter().flat_map(Period::half_days).collect();
    html! {
        div #sites {
            (of.choices("site", lang.pick("检查对象（抽取时为名单，不选则为全部）",
                "sites to visit (with a draw: its list, all when none)"), &sites.all, &[]))
            (sites.unlisted("site", lang))
            (sites.rest(MORE_SITES, &step, lang))
            button .second formaction=(step) name="arrange" value="1" {
                (lang.pick("为勾选的对象选择时间和例外情形", "Choose when, and exceptions, of those ticked"))
            }
            span .soft {
                (lang.pick("不选时，同一市的对象依次分到各个半天",
                    "else those of a city are spread over the half days"))
            }
            (beside(form, (&sites.all, &sites.hosts), &days, lang))
        }
    }
}

/// The half day and the exception of each site that is ticked: of as many as a page has room for.
/// What was chosen for others stays.
fn beside(
    form: &Form,
    (all, hosts): (&[(String, String)], &BTreeMap<String, u32>),
    days: &[HalfDay],
    lang: Lang,
) -> Markup {
    let chosen = chosen(form);
    let ticked: BTreeSet<&str> = form.all("site").collect();
    let listed = all.iter().filter(|(site, _)| ticked.contains(site.as_str()));
    let listed: Vec<(&str, &str)> = listed.map(|(site, label)| (&**site, &**label)).collect();
    let names: Vec<&str> = listed.iter().map(|(site, _)| *site).collect();
    let first = arranged(&names, days, hosts, &chosen);
    let exceptions = codes::exceptions(lang);
    // Where sites are drawn, the draw says when.
    let is_drawn = !["", "0"].contains(&form.text("draw_sites"));
    let room = OPTIONS_MAX / (days.len() + exceptions.len() + 2);
    let shown = if is_drawn { 0 } else { room.min(listed.len()) };
    let here: BTreeSet<&str> = names.iter().take(shown).copied().collect();
    let kept = chosen.iter().filter(|(site, _)| ticked.contains(*site) && !here.contains(*site));
    let none = Choice { at: ANY, why: "" };
    html! {
        @if shown > 0 {
            div .scroll tabindex="0" role="region"
                aria-label=(lang.pick("时间和例外情形", "When, and exceptions")) {
                table {
                    thead {
                        tr {
                            th scope="col" { (lang.pick("检查对象", "site")) }
                            th #sites-at scope="col" { (lang.pick("时间", "when")) }
                            th #sites-why scope="col" {
                                (lang.pick("例外情形（正面清单内、已达上限或已关停的须选）",
                                    "exception (listed, at its cap or closed)"))
                            }
                        }
                    }
                    tbody {
                        @for (nth, ((site, label), first)) in
                            listed.iter().zip(first).take(shown).enumerate() {
                            @let choice = chosen.get(site).copied().unwrap_or(none);
                            (row((nth, site, label), choice, (days, first), &exceptions, lang))
                        }
                    }
                }
            }
            @if shown < listed.len() {
                p .soft {
                    @let (all, shown) = (listed.len(), shown);
                    (lang.pick(
                        format!("已勾选 {all} 个，这里列出前 {shown} 个；其余的依次分到各个半天，\
                                 已选的保留。"),
                        format!("{all} are ticked, the first {shown} are here; the others are \
                                 spread, and what was chosen for them stays."),
                    ))
                }
            }
        }
        @for (site, choice) in kept {
            (field("visit", site)) (field("at", choice.at)) (field("why", choice.why))
        }
    }
}

fn field(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// What is chosen for one site; `first` is when it is visited as things stand.
fn row(
    (nth, site, label): (usize, &str, &str),
    choice: Choice<'_>,
    (days, first): (&[HalfDay], Option<HalfDay>),
    exceptions: &[(String, String)],
    lang: Lang,
) -> Markup {
    let word = |at: HalfDay| say::span(Some(&half_day_to_pb(at)), None, lang);
    let is_given = first.is_some_and(|first| value(first) == choice.at);
    let any = match first.filter(|_| !is_given) {
        Some(at) => lang.pick(format!("自动（{}）", word(at)), format!("any ({})", word(at))),
        None => lang.pick("自动", "any").to_owned(),
    };
    let id = format!("site-{nth}");
    html! {
        tr {
            th id=(id) scope="row" { (label) }
            td {
                (field("visit", site))
                select name="at" aria-labelledby={ (id) " sites-at" } {
                    option value=(ANY) selected[!is_given] { (any) }
                    @for day in days {
                        option value=(value(*day)) selected[is_given && first == Some(*day)] {
                            (word(*day))
                        }
                    }
                }
            }
            td {
                select name="why" aria-labelledby={ (id) " sites-why" } {
                    option value="0" { (lang.pick("无", "none")) }
                    @for (code, word) in exceptions {
                        option value=(code) selected[code == choice.why] { (word) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: usize) -> Vec<HalfDay> {
        let period: Period = "2026-12-08 至 2027-01-20".parse().unwrap();
        period.half_days().take(count).collect()
    }

    #[test]
    fn sites_of_a_host_are_handed_out_in_turn_around_what_is_chosen() {
        let hosts: BTreeMap<String, u32> =
            [("a", 1), ("b", 1), ("x", 2), ("c", 1), ("d", 1)].map(|(s, c)| (s.into(), c)).into();
        let sites = ["a", "x", "b", "c", "d"];
        let days = days(3);
        let places = |form: &str| {
            let form = Form::parse(form.as_bytes());
            let all = arranged(&sites, &days, &hosts, &chosen(&form));
            let place = |at: Option<HalfDay>| days.iter().position(|day| Some(*day) == at).unwrap();
            all.into_iter().map(place).collect::<Vec<_>>()
        };
        assert_eq!(places(""), [0, 0, 1, 2, 0], "each host on its own, from the first again");
        let at = value(days[0]);
        assert_eq!(places(&format!("visit=c&at={at}&why=0")), [1, 0, 2, 0, 0]);
        // A half day that is none of the plan's is no choice.
        assert_eq!(places("visit=c&at=2026-01-01AM&why=0&visit=a&at=-&why=0"), [0, 0, 1, 2, 0]);
        assert_eq!(arranged(&sites, &[], &hosts, &BTreeMap::new()), [None; 5]);
    }

    #[test]
    fn what_was_chosen_is_shown_again_or_kept() {
        let of = |name: &str| (name.to_owned(), format!("聊城 {name}"));
        let (all, hosts, days) = ([of("s/1"), of("s/2")], BTreeMap::new(), days(2));
        let sites = (&all[..], &hosts);
        let form = "site=s/1&site=s/9&visit=s/1&at=2026-12-08PM&why=3&visit=s/9&at=-&why=1\
                    &visit=s/2&at=-&why=0";
        let shown = beside(&Form::parse(form.as_bytes()), sites, &days, Lang::Zh).into_string();
        assert_eq!(shown.matches("<tr>").count(), 2, "a head and what is ticked: {shown}");
        for part in [
            r#"<option value="2026-12-08PM" selected>2026-12-08下午</option>"#,
            r#"<option value="3" selected>"#,
            r#"name="visit" value="s/9"><input type="hidden" name="at" value="-">"#,
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("s/2"), "no longer ticked: {shown}");
        let drawn = Form::parse(format!("{form}&draw_sites=1").as_bytes());
        let shown = beside(&drawn, sites, &days, Lang::Zh).into_string();
        assert!(!shown.contains("<table") && shown.contains(r#"value="2026-12-08PM""#), "{shown}");
    }

    #[test]
    fn what_stands_beside_the_sites_has_a_size() {
        let id = |nth: usize| format!("agreements/{}/sites/{nth:032}", "0".repeat(32));
        let label = "示".repeat(60);
        let all: Vec<_> = (0..200).map(|nth| (id(nth), label.clone())).collect();
        let form = all.iter().map(|(site, _)| ("site".to_owned(), site.clone())).collect();
        let (form, hosts) = (Form::of(form), BTreeMap::new());
        for count in [1, 6, 62] {
            let bytes = beside(&form, (&all, &hosts), &days(count), Lang::Zh).into_string().len();
            assert!(bytes < 60 * 1_024, "{count}: {bytes}");
        }
    }
}
