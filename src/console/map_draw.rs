//! The picture of a map: cities, borders with their belt, what is marked, the legend.
//!
//! Colours and shapes both tell media apart (the colours are those of Okabe and Ito), so that
//! prints and people who see few colours lose nothing. All that styles it stands in attributes and
//! classes: pages may hold no styles of their own.
//!
//! In scope: SVG. Out of scope: what is marked ([`super::map_marks`]), where ([`super::map_view`]).
//!
//! Invariants:
//! 1. What others typed stands escaped in the picture. (`script_in_a_title_is_text`)
//! 2. A page with the map stays under 400 KiB. (`a_page_of_5000_cases_has_a_size`)

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};

use super::map_ground::Ground;
use super::map_marks::{Kind, Mark};
use super::map_view::{HEIGHT, View, WIDTH};
use crate::geo::Line;
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::limits::MAP_MARKS_BYTES_MAX;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Symbols around 0 0: id, fill, path.
const SYMBOLS: [(&str, &str, &str); 13] = [
    ("m0", "#ffffff", "M-2-7h4v5h5v4h-5v5h-4v-5h-5v-4h5z"),
    ("m1", "#56b4e9", "M-6.5 0a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0z"),
    ("m2", "#0072b2", "M0-9C3-4 6-1 6 2.5A6 6 0 0 1-6 2.5C-6-1-3-4 0-9z"),
    ("m3", "#d55e00", "M-6-6H6V6H-6z"),
    ("m4", "#e69f00", "M0-8.5L7.5 0L0 8.5L-7.5 0z"),
    ("m5", "#cc79a7", "M0-8L7.5 6H-7.5z"),
    ("m6", "#f0e442", "M-3.8-6.5H3.8L7.5 0L3.8 6.5H-3.8L-7.5 0z"),
    ("m7", "#009e73", "M0-9L2.5-3L9-2.7L4 1.4L5.6 7.6L0 4L-5.6 7.6L-4 1.4L-9-2.7L-2.5-3z"),
    ("s0", "#ffffff", "M-8 7V-1L-3 2V-1L2 2V-8H7V7zM-10-10L10 10M10-10L-10 10"),
    ("s1", "#222222", SITE),
    ("s2", "#8a9299", SITE),
    ("s3", "#ffffff", SITE),
    ("v", "#5b2a86", "M-6 9V-9H-4.4V-8H7L4.5-4.2L7-.5H-4.4V9z"),
];

/// A plant with its chimney.
const SITE: &str = "M-8 7V-1L-3 2V-1L2 2V-8H7V7z";

/// Half the width of an outline, and more.
const LINE: f64 = 2.0;

/// A city of the map.
#[derive(Clone, Debug)]
pub struct City {
    /// Its code.
    pub code: CityCode,
    /// Its Chinese name.
    pub zh: String,
    /// Its English name.
    pub en: String,
    /// It is the own city.
    pub own: bool,
}

/// What lies under the marks.
pub struct Base<'a> {
    /// Which part.
    pub view: View,
    /// Borders.
    pub ground: &'a Ground,
    /// Cities that are drawn.
    pub cities: &'a [City],
    /// Belts: two cities, ascending, and metres on either side.
    pub belts: &'a [((CityCode, CityCode), u32)],
    /// The language.
    pub lang: Lang,
}

/// Marks as they are drawn and listed, as many as a page has room for.
#[derive(Default)]
pub struct Drawn {
    /// In the picture.
    pub picture: String,
    /// In the list.
    pub list: String,
    /// How many.
    pub count: usize,
    /// How many are not in the picture.
    pub outside: usize,
    /// How many more would be in the picture.
    pub left_out: usize,
}

fn symbol(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Case(medium, open) => {
            let id = match medium {
                pb::Medium::Unspecified => "m0",
                pb::Medium::Air => "m1",
                pb::Medium::Water => "m2",
                pb::Medium::SolidWaste => "m3",
                pb::Medium::Soil => "m4",
                pb::Medium::Noise => "m5",
                pb::Medium::Radiation => "m6",
                pb::Medium::Ecology => "m7",
            };
            (id, if open { "o" } else { "c" })
        }
        Kind::Site(tier) => match tier {
            pb::SiteTier::Key => ("s1", "o"),
            pb::SiteTier::General | pb::SiteTier::Unspecified => ("s2", "o"),
            pb::SiteTier::Special => ("s3", "o"),
        },
        Kind::Shut => ("s0", "o"),
        Kind::Visit => ("v", "o"),
    }
}

/// Draws and lists marks, the first before others, until the page is full. Where a joint action is
/// planned from some of them, those are ticked that were before.
#[must_use]
pub fn marks(all: &[Mark], view: &View, picked: Option<&BTreeSet<&str>>) -> Drawn {
    let mut drawn = Drawn::default();
    for mark in all {
        if !view.shows(mark.at) {
            drawn.outside += 1;
            continue;
        }
        let (picture, list) =
            (in_picture(mark, view).into_string(), in_list(mark, picked).into_string());
        let bytes = drawn.picture.len() + drawn.list.len() + picture.len() + list.len();
        if drawn.left_out > 0 || bytes > MAP_MARKS_BYTES_MAX {
            drawn.left_out += 1;
            continue;
        }
        drawn.count += 1;
        // What comes first lies on top of what comes later.
        drawn.picture.insert_str(0, &picture);
        drawn.list.push_str(&list);
    }
    drawn
}

fn in_picture(mark: &Mark, view: &View) -> Markup {
    let (x, y) = view.place(mark.at);
    let (id, class) = symbol(mark.kind);
    let inner = html! {
        title { (mark.name) " " (mark.about) }
        use href={ "#" (id) } x=(format!("{x:.1}")) y=(format!("{y:.1}")) class=(class) {}
    };
    html! {
        @if mark.href.is_empty() { g { (inner) } } @else { a href=(mark.href) { (inner) } }
    }
}

/// A line of the list; with a box to be ticked where that is wanted.
pub fn in_list(mark: &Mark, picked: Option<&BTreeSet<&str>>) -> Markup {
    let picked = picked.filter(|_| !mark.record.is_empty());
    html! {
        li {
            @if let Some(picked) = picked {
                input type="checkbox" name="pick" value=(mark.record) aria-label=(mark.name)
                    checked[picked.contains(mark.record.as_str())];
                " "
            }
            @if mark.href.is_empty() { (mark.name) } @else { a href=(mark.href) { (mark.name) } }
            " " (mark.about)
        }
    }
}

/// The picture.
#[must_use]
pub fn picture(base: &Base<'_>, marks: &Drawn) -> Markup {
    let Base { view, lang, .. } = base;
    let (east, north) = view.unit();
    html! {
        svg .map #map-picture viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="group" tabindex="0"
            aria-label=(lang.pick("地图；图上各点在下方列表中都有", "map; the list below has all its points"))
            data-lon=(format!("{:.6}", view.lon)) data-lat=(format!("{:.6}", view.lat))
            data-zoom=(format!("{:.3}", view.zoom))
            data-east=(format!("{east:.9}")) data-north=(format!("{north:.9}")) {
            defs {
                @for (id, fill, path) in SYMBOLS { path id=(id) fill=(fill) d=(path) {} }
            }
            rect width=(WIDTH) height=(HEIGHT) fill="#e9edf0" {}
            (ground(base))
            (PreEscaped(&marks.picture))
            (names(base))
            (scale(view, *lang))
        }
    }
}

/// Cities and belts.
fn ground(base: &Base<'_>) -> Markup {
    let Some(boundaries) = base.ground.boundaries.as_deref() else { return html! {} };
    let view = base.view;
    let outlines: Vec<(&City, Vec<Line>)> =
        base.cities.iter().map(|city| (city, boundaries.outline(city.code))).collect();
    let belts = base.belts.iter().filter_map(|(cities, metres)| {
        let shared = base.ground.shared.iter().find(|one| one.cities == *cities)?;
        Some((&shared.lines, f64::from(*metres) / view.metres()))
    });
    let belts: Vec<(&Vec<Line>, f64)> = belts.collect();
    let thin = outlines.iter().flat_map(|(_, lines)| lines.iter().map(|line| (line, LINE)));
    let wide = belts.iter().flat_map(|(lines, wide)| lines.iter().map(|line| (line, *wide)));
    let metres = view.coarseness(&thin.chain(wide).collect::<Vec<_>>());
    html! {
        @for (nth, (city, lines)) in outlines.iter().enumerate() {
            defs { path id={ "b" (nth) } d=(view.path(lines, metres, LINE)) {} }
            use .city .own[city.own] href={ "#b" (nth) } {}
        }
        // One sheet of colour, or it would be darker where belts of several borders meet.
        g .belts {
            @for (lines, wide) in &belts {
                path .belt stroke-width=(format!("{:.1}", 2.0 * wide))
                    d=(view.path(lines, metres, *wide)) {}
            }
        }
        @for (nth, _) in outlines.iter().enumerate() { use .line href={ "#b" (nth) } {} }
    }
}

/// What the cities are called, in both languages.
fn names(base: &Base<'_>) -> Markup {
    let Some(boundaries) = base.ground.boundaries.as_deref() else { return html! {} };
    let places = base.cities.iter().filter_map(|city| {
        let middle = boundaries.middle(city.code).filter(|middle| base.view.shows(*middle))?;
        Some((city, base.view.place(middle)))
    });
    html! {
        @for (city, (x, y)) in places {
            g .name {
                text x=(x.round()) y=(y.round()) font-size="21" lang="zh-CN" { (city.zh) }
                text x=(x.round()) y=(y.round() + 17.0) font-size="13" lang="en" { (city.en) }
            }
        }
    }
}

/// A bar of a round length.
fn scale(view: &View, lang: Lang) -> Markup {
    let most = view.metres() * 160.0;
    let lengths = (0..7).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u32.pow(power)));
    let metres = lengths.take_while(|one| f64::from(*one) <= most).last().unwrap_or(1);
    let long = f64::from(metres) / view.metres();
    let said = match metres {
        1_000.. => lang.pick(format!("{} 公里", metres / 1_000), format!("{} km", metres / 1_000)),
        _ => lang.pick(format!("{metres} 米"), format!("{metres} m")),
    };
    let (left, foot) = (20.0, HEIGHT - 18.0);
    html! {
        g .scale {
            path d=(format!("M{left} {0}V{foot}H{1:.1}V{0}", foot - 6.0, left + long)) {}
            text x=(left + 4.0) y=(foot - 5.0) font-size="13" { (said) }
        }
    }
}

/// What the symbols mean.
#[must_use]
pub fn legend(sites: bool, visits: bool, belts: &[u32], lang: Lang) -> Markup {
    let media = (1..).map_while(|number| pb::Medium::try_from(number).ok());
    let tiers = [pb::SiteTier::Key, pb::SiteTier::General, pb::SiteTier::Special];
    let row = |id: &str, class: &str, word: &str| {
        html! {
            li {
                svg width="22" height="22" viewBox="-11 -11 22 22" aria-hidden="true" {
                    use href={ "#" (id) } class=(class) {}
                }
                (word)
            }
        }
    };
    let belts: Vec<String> = belts.iter().map(|metres| kilometres(*metres)).collect();
    html! {
        ul .legend aria-label=(lang.pick("图例", "legend")) {
            @for medium in media {
                (row(symbol(Kind::Case(medium, true)).0, "o", words::medium(medium, lang)))
            }
            (row("m1", "o", lang.pick("实线：办理中", "full line: open")))
            (row("m1", "c", lang.pick("虚线、浅色：已办结", "broken line, pale: closed")))
            @if sites {
                @for tier in tiers {
                    @let word = words::site_tier(tier, lang);
                    (row(symbol(Kind::Site(tier)).0, "o",
                        &lang.pick(format!("检查对象（{word}）"), format!("site ({word})"))))
                }
                (row(symbol(Kind::Shut).0, "o",
                    lang.pick("检查对象（已关停，打叉）", "site (shut, crossed)")))
            }
            @if visits { (row("v", "o", lang.pick("联合行动检查安排", "visit of a joint action"))) }
            @if !belts.is_empty() {
                li {
                    svg width="22" height="22" viewBox="-11 -11 22 22" aria-hidden="true" {
                        g .belts { path .belt stroke-width="14" d="M-7 0H7" {} }
                        path .line d="M-11 0H11" {}
                    }
                    (lang.pick("边界地区，界线两侧各 ", "border belt, on either side "))
                    (belts.join(lang.pick("、", ", "))) (lang.pick(" 公里", " km"))
                }
            }
        }
    }
}

/// Metres as kilometres, without needless zeros.
fn kilometres(metres: u32) -> String {
    match metres % 1_000 {
        0 => (metres / 1_000).to_string(),
        _ => format!("{:.1}", f64::from(metres) / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::console::form::Form;
    use crate::geo::{Boundaries, Point};

    fn ground() -> Ground {
        let map = Boundaries::parse(include_str!("../../data/cities.geojson")).unwrap();
        Ground::new(Some(Arc::new(map)), "")
    }

    fn mark(nth: i64, about: &str) -> Mark {
        Mark {
            at: Point::new(1_159_800_000 + nth * 100, 364_500_000 + nth * 100).unwrap(),
            kind: Kind::Case(pb::Medium::Water, nth % 2 == 0),
            href: format!("/case/{:032x}/{nth:032x}", 7),
            name: format!("LD-聊邯濮-2026-371500{nth:05}"),
            about: about.to_owned(),
            record: format!("agreements/{:032x}/cases/{nth:032x}", 7),
        }
    }

    fn drawn(marks_: &[Mark], query: &str) -> (Drawn, String) {
        let ground = ground();
        let map = ground.boundaries.as_deref().unwrap();
        let cities: Vec<City> = map
            .cities()
            .map(|code| City { code, zh: "聊城".into(), en: "Liaocheng".into(), own: false })
            .collect();
        let codes: Vec<CityCode> = map.cities().collect();
        let view = View::of(&Form::parse(query.as_bytes()), map.corners(&codes).unwrap());
        let belts: Vec<_> = ground.shared.iter().map(|one| (one.cities, 10_000)).collect();
        let (ground, cities) = (&ground, &cities[..]);
        let base = Base { view, ground, cities, belts: &belts, lang: Lang::Zh };
        let marks = marks(marks_, &view, None);
        let picture = picture(&base, &marks).into_string();
        (marks, picture)
    }

    #[test]
    fn a_page_of_5000_cases_has_a_size() {
        // The longest titles, of characters that take most bytes once they are escaped.
        let about = format!("{} · 大气 · 调查取证 · 聊城", "\"&".repeat(12));
        let all: Vec<Mark> = (0..5_000).map(|nth| mark(nth, &about)).collect();
        let (marks, picture) = drawn(&all, "");
        let bytes = picture.len() + marks.list.len();
        assert!(bytes < 380 * 1024, "{bytes}");
        assert!(marks.count > 250, "{}", marks.count);
        assert_eq!(marks.count + marks.left_out + marks.outside, 5_000);
        let (few, _) = drawn(&all[..100], "zoom=64&x=114&y=37");
        assert_eq!((few.count, few.outside), (0, 100));
    }

    #[test]
    fn what_is_planned_from_is_ticked_and_visits_are_not_offered() {
        let (first, second) = (mark(1, ""), mark(2, ""));
        let visit = Mark { record: String::new(), ..mark(3, "") };
        let picked = BTreeSet::from([first.record.as_str()]);
        let said = |mark: &Mark| in_list(mark, Some(&picked)).into_string();
        assert!(said(&first).contains("checked") && said(&first).contains(&first.record));
        assert!(said(&second).contains("checkbox") && !said(&second).contains("checked"));
        assert!(!said(&visit).contains("checkbox"));
        assert!(!in_list(&first, None).into_string().contains("checkbox"));
    }

    #[test]
    fn script_in_a_title_is_text() {
        let mut bad = mark(1, "<script>alert(1)</script>\" onload=\"x");
        bad.name = "</title><script>".to_owned();
        let (marks, picture) = drawn(&[bad], "");
        assert_eq!(marks.count, 1);
        for text in [picture, marks.list] {
            assert!(!text.contains("<script") && text.contains("&lt;script&gt;"), "{text}");
            assert!(!text.contains("\" onload"), "{text}");
        }
    }

    #[test]
    fn nothing_is_styled_inline_and_each_kind_has_a_shape() {
        let (_, picture) = drawn(&[mark(0, ""), mark(1, "")], "");
        assert!(!picture.contains("style=") && !picture.contains("<style"), "no inline styles");
        assert!(picture.contains(r#"class="o""#) && picture.contains(r#"class="c""#));
        let media = (1..).map_while(|number| pb::Medium::try_from(number).ok());
        let ids: Vec<&str> = media.map(|one| symbol(Kind::Case(one, true)).0).collect();
        let of = |id: &&str| SYMBOLS.iter().find(|one| one.0 == *id).map(|one| (one.1, one.2));
        let mut shapes: Vec<_> = ids.iter().map(|id| of(id).unwrap()).collect();
        shapes.sort_unstable();
        shapes.dedup_by(|a, b| a.0 == b.0 || a.1 == b.1);
        assert_eq!(shapes.len(), ids.len());
        let shut = of(&symbol(Kind::Shut).0).unwrap().1;
        for tier in [pb::SiteTier::Key, pb::SiteTier::General, pb::SiteTier::Special] {
            assert_ne!(of(&symbol(Kind::Site(tier)).0).unwrap().1, shut, "told by its shape");
        }
        assert!(legend(true, false, &[], Lang::Zh).into_string().contains("已关停"));
        assert_eq!((kilometres(10_000), kilometres(2_500)), ("10".into(), "2.5".into()));
    }
}
