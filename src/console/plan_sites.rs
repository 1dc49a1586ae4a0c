//! The sites of a joint action in the form of a proposal: which, when each is visited, and under
//! which exception.
//!
//! Beside each site that is ticked stand three fields, in the order of the sites: `visit` names it,
//! `at` is its half day, `why` its exception. Where none is chosen, a host's sites are spread over
//! all of the plan. One that is chosen and is none of the plan's is refused at its field; only one
//! that stands as a plan had it before its days were changed goes along with them ([`followed`]).
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
use super::refusal::Refusal;
use super::{codes, register};
use crate::domain::{HalfDay, Period};
use crate::lang::Lang;
use crate::shown::plan::parts as say;
use crate::shown::text::clean;
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

/// Whether a half day is chosen that is none of these; without days all are open.
fn is_astray(at: &str, days: &[HalfDay]) -> bool {
    !days.is_empty() && at != ANY && !days.iter().any(|day| value(*day) == at)
}

/// A half day of a field in words.
fn word_of(at: &str, lang: Lang) -> String {
    let half: Option<HalfDay> = at.replace("AM", "上午").replace("PM", "下午").parse().ok();
    half.map_or_else(|| clean(at), |at| say::span(Some(&half_day_to_pb(at)), None, lang))
}

/// What the half day of a site is called where it is refused.
fn field_at(site: &str) -> String {
    format!("at-{site}")
}

/// Refuses half days that are chosen for ticked sites and are none of the plan's.
fn check_chosen(form: &Form, days: &[HalfDay], lang: Lang) -> Result<(), Refusal> {
    let chosen = chosen(form);
    let astray = form.all("site").filter_map(|site| Some((site, chosen.get(site)?.at)));
    let astray = astray.filter(|(_, at)| is_astray(at, days));
    let fields: Vec<(String, String)> = astray
        .map(|(site, at)| {
            let at = word_of(at, lang);
            let what = lang.pick(
                format!("{at}不在方案的时间内，请另选时间或选“自动”"),
                format!("{at} is no half day of the plan: choose another one, or any"),
            );
            (field_at(site), what)
        })
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    let what = lang.pick(
        "有检查对象所选的时间不在方案的时间内",
        "a half day is chosen for a site that is none of the plan's",
    );
    Err(Refusal { reason: "FIELD".to_owned(), what: what.to_owned(), fields, ..Refusal::default() })
}

/// The form in which visits go along with days that were changed: a half day that stands as it was
/// `before`, and is none of the plan's any more, is left to the console. Nobody chose it here.
pub fn followed(form: &Form, before: &Form, lang: Lang) -> Form {
    let Ok(period) = plan_new::period(form, lang) else { return form.clone() };
    let days: Vec<HalfDay> = period.half_days().collect();
    let was = chosen(before);
    let goes_along = |site: &str, at: &str| {
        is_astray(at, &days) && was.get(site).is_some_and(|before| before.at == at)
    };
    let mut pairs: Vec<(String, String)> = form.fields().collect();
    pairs.retain(|(name, _)| !["visit", "at", "why"].contains(&name.as_str()));
    for (site, Choice { at, why }) in chosen(form) {
        let at = if goes_along(site, at) { ANY } else { at };
        let all = [("visit", site), ("at", at), ("why", why)];
        pairs.extend(all.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    Form::of(pairs)
}

/// The visits that a form proposes; without days they have none either.
///
/// # Errors
/// [`Refusal`] at each half day that is none of the plan's.
pub async fn visits(
    desk: &Desk,
    form: &Form,
    period: Option<Period>,
) -> Result<Vec<pb::VisitDraft>, Refusal> {
    let sites: Vec<&str> = form.all("site").collect();
    let days: Vec<HalfDay> = period.into_iter().flat_map(Period::half_days).collect();
    check_chosen(form, &days, desk.lang())?;
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
    Ok(sites.iter().copied().zip(first).map(visit).collect())
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
            (beside(of, form, (&sites.all, &sites.hosts), &days))
        }
    }
}

/// The half day and the exception of each site that is ticked: of as many as a page has room for.
/// What was chosen for others stays.
fn beside(
    of: &Filled<'_>,
    form: &Form,
    (all, hosts): (&[(String, String)], &BTreeMap<String, u32>),
    days: &[HalfDay],
) -> Markup {
    let (lang, chosen) = (of.lang, chosen(form));
    let ticked: BTreeSet<&str> = form.all("site").collect();
    let listed = all.iter().filter(|(site, _)| ticked.contains(site.as_str()));
    let mut listed: Vec<(&str, &str)> = listed.map(|(site, label)| (&**site, &**label)).collect();
    // What has to be chosen anew stands where there is room.
    let is_right = |site: &str| chosen.get(site).is_none_or(|one| !is_astray(one.at, days));
    listed.sort_by_key(|(site, _)| is_right(site));
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
                            (row(of, (nth, site, label), choice, (days, first), &exceptions))
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
    of: &Filled<'_>,
    (nth, site, label): (usize, &str, &str),
    choice: Choice<'_>,
    (days, first): (&[HalfDay], Option<HalfDay>),
    exceptions: &[(String, String)],
) -> Markup {
    let (lang, at) = (of.lang, field_at(site));
    let astray = is_astray(choice.at, days);
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
                select name="at" aria-labelledby={ (id) " sites-at" }
                    aria-invalid=[of.wrong(&at).map(|_| "true")]
                    aria-describedby=[of.described(&at)] {
                    option value=(ANY) selected[!is_given && !astray] { (any) }
                    @if astray {
                        option value=(choice.at) selected {
                            (word_of(choice.at, lang))
                            (lang.pick("（不在方案时间内）", " (no half day of the plan)"))
                        }
                    }
                    @for day in days {
                        option value=(value(*day)) selected[is_given && first == Some(*day)] {
                            (word(*day))
                        }
                    }
                }
                (of.wrong_with(&at))
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

    const FRESH: Filled<'_> = Filled { form: "new", again: None, lang: Lang::Zh };

    #[test]
    fn visits_go_along_with_changed_days_unless_somebody_chose() {
        let before = Form::parse(b"visit=a&at=2026-12-01AM&why=0&visit=b&at=2026-12-01PM&why=3");
        let form = Form::parse(
            b"first=2026-12-08&last=2026-12-09&visit=a&at=2026-12-01AM&why=0\
              &visit=b&at=2026-12-02PM&why=3&visit=c&at=2026-12-08AM&why=0",
        );
        let followed = followed(&form, &before, Lang::Zh);
        let at: Vec<_> = chosen(&followed).into_values().map(|one| one.at.to_owned()).collect();
        assert_eq!(at, [ANY, "2026-12-02PM", "2026-12-08AM"]);
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
        // A half day that is none of the plan's is no choice, and is refused.
        assert_eq!(places("visit=c&at=2026-01-01AM&why=0&visit=a&at=-&why=0"), [0, 0, 1, 2, 0]);
        let stray = Form::parse(b"site=a&site=c&visit=c&at=2026-01-01AM&why=0&visit=x&at=y&why=0");
        let refusal = check_chosen(&stray, &days, Lang::Zh).unwrap_err();
        assert_eq!(refusal.fields.len(), 1, "x is not ticked: {refusal:?}");
        let (field, what) = &refusal.fields[0];
        assert!(field == "at-c" && what.starts_with("2026-01-01上午不在"), "{refusal:?}");
        assert!(check_chosen(&stray, &[], Lang::Zh).is_ok(), "no days yet");
        assert_eq!(arranged(&sites, &[], &hosts, &BTreeMap::new()), [None; 5]);
    }

    #[test]
    fn what_was_chosen_is_shown_again_or_kept() {
        let of = |name: &str| (name.to_owned(), format!("聊城 {name}"));
        let (all, hosts, days) = ([of("s/1"), of("s/2")], BTreeMap::new(), days(2));
        let sites = (&all[..], &hosts);
        let form = "site=s/1&site=s/9&visit=s/1&at=2026-12-08PM&why=3&visit=s/9&at=-&why=1\
                    &visit=s/2&at=-&why=0";
        let shown = beside(&FRESH, &Form::parse(form.as_bytes()), sites, &days).into_string();
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
        let shown = beside(&FRESH, &drawn, sites, &days).into_string();
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
            let bytes = beside(&FRESH, &form, (&all, &hosts), &days(count)).into_string().len();
            assert!(bytes < 60 * 1_024, "{count}: {bytes}");
        }
    }
}
