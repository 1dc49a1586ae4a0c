//! Sheets for the field (现场检查记录表): one for each visit, to be filled in by hand and keyed in
//! afterwards as the result of the visit.
//!
//! In scope: what is known of a visit, and boxes for the same things that a result asks for. Out of
//! scope: the inspection record that the bureau's own procedure asks for.
//!
//! Invariants:
//! 1. A page of sheets stays under 150 KiB. (`a_page_of_sheets_has_a_size`)

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Paper, bureau, ruled};
use crate::console::layout::Desk;
use crate::lang::Lang;
use crate::shown::plan::{Labels, parts as word};
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Sheets of one printing: as many as a page has room for, and more than a team takes along.
const SHEETS_MAX: usize = 16;

/// Sheets for the visits of a plan from a place on, at most [`SHEETS_MAX`].
pub async fn papers(plan: &pb::Plan, labels: &Labels, from: usize, desk: &Desk) -> Vec<Paper> {
    let mut sites: BTreeMap<&str, pb::Site> = BTreeMap::new();
    let mut papers = Vec::new();
    for visit in plan.visits.iter().skip(from).take(SHEETS_MAX) {
        if !sites.contains_key(visit.site.as_str()) {
            // What the node does not tell is left blank.
            let request = pb::GetSiteRequest { name: visit.site.clone() };
            let answer = desk.client.sites().get_site(request).await;
            let site = answer.ok().and_then(|answer| answer.into_inner().site).unwrap_or_default();
            sites.insert(&visit.site, site);
        }
        let site = sites.get(visit.site.as_str());
        let mast = bureau(desk, &plan.name, visit.city);
        papers.push(paper(plan, visit, site, labels, mast));
    }
    papers
}

/// Which visits have no sheet here, and where theirs are; nothing while all have one.
pub fn others(plan: &pb::Plan, from: usize, here: &str, lang: Lang) -> Markup {
    let all = plan.visits.len();
    let last = (from + SHEETS_MAX).min(all);
    let parts = (0..all).step_by(SHEETS_MAX);
    html! {
        @if all > SHEETS_MAX {
            p .hint .noprint {
                (lang.pick(
                    format!("共 {all} 份，这里是第 {} 至 {last} 份；每次最多 {SHEETS_MAX} 份：", from + 1),
                    format!("{all} sheets, here {} to {last}; {SHEETS_MAX} at a time: ", from + 1),
                ))
                @for first in parts {
                    a href={ (here) "?from=" (first) }
                        aria-current=[(first == from).then_some("page")] {
                        (first + 1) "–" ((first + SHEETS_MAX).min(all))
                    }
                    " "
                }
            }
        }
        @if plan.visits_are_partial {
            p .hint .noprint {
                (lang.pick("检查安排过多，节点一次未能全部给出，记录表不全。",
                    "There are more visits than the node tells at a time: sheets are missing."))
            }
        }
    }
}

fn paper(
    plan: &pb::Plan,
    visit: &pb::PlanVisit,
    site: Option<&pb::Site>,
    labels: &Labels,
    mast: String,
) -> Paper {
    let record = site.and_then(|site| site.record.clone()).unwrap_or_default();
    let title = plan.record.as_ref().map_or_else(String::new, |one| clean(&one.title));
    let place = record.location.unwrap_or_default();
    let place = format!("{} {} {}", place.address, place.longitude, place.latitude);
    let media = site.and_then(|site| site.facts.as_ref()).map(|facts| {
        facts.media().map(|one| words::medium(one, Lang::Zh)).collect::<Vec<_>>().join("、")
    });
    let nth =
        if visit.nth > 0 { format!("（第 {} 次）", visit.nth + 1) } else { String::new() };
    let mut sheet = Sheet::default();
    sheet
        .row("行动名称", title)
        .row("检查对象", format!("{}{nth}", labels.label(&visit.site)))
        .row("统一社会信用代码", clean(&record.uscc))
        .row("排污许可证编号", clean(&record.permit_number))
        .row("地点", clean(place.trim()))
        .row("涉及要素", media.unwrap_or_default())
        .row("安排时间", word::span(visit.first.as_ref(), visit.last.as_ref(), Lang::Zh))
        .row("抽中人员", labels.list(&visit.lead, Lang::Zh))
        .row("抽中外市人员", labels.list(&visit.guests, Lang::Zh));
    let departments: Vec<&str> =
        plan.departments().map(|one| words::department(one, Lang::Zh)).collect();
    Paper {
        mast,
        title: "现场检查记录表".to_owned(),
        number: clean(&plan.number),
        to: String::new(),
        body: html! { (ruled(&sheet)) (boxes(&departments)) },
        signers: Vec::new(),
        on: String::new(),
        one_page: true,
    }
}

/// Boxes for what a result asks for, in its order, so that it is keyed in line by line.
fn boxes(departments: &[&str]) -> Markup {
    let outcomes = (1..).map_while(|number| pb::VisitOutcome::try_from(number).ok());
    let outcomes = outcomes.map(|one| format!("□ {}", words::visit_outcome(one, Lang::Zh)));
    let modes = (1..).map_while(|number| pb::CheckMode::try_from(number).ok());
    let modes = modes.map(|one| format!("□ {}", words::check_mode(one, Lang::Zh)));
    html! {
        table .ruled .boxes {
            tbody {
                tr { th scope="row" { "检查日期" } td { "　　　年　　月　　日　　时　　分至　　时　　分" } }
                tr { th scope="row" { "结果" } td { (outcomes.collect::<Vec<_>>().join("　")) } }
                tr { th scope="row" { "方式" } td { (modes.collect::<Vec<_>>().join("　")) } }
                @for one in departments {
                    tr {
                        th scope="row" { (one) }
                        td { "检查　　　　项，发现问题　　　　个" }
                    }
                }
                tr { th scope="row" { "样品、线索" } td { "样品　　　　个，线索　　　　条" } }
            }
        }
        div .room { "现场情况及问题：" }
        table .ruled .boxes {
            tbody {
                tr { th scope="row" { "被检查单位意见" } td .some { "签名：　　　　　　　　　　日期：" } }
                tr {
                    th scope="row" { "检查人员" }
                    td .some { "签名及执法证号（不少于两人）：" }
                }
                tr { th scope="row" { "外市人员" } td .some { "签名及执法证号：" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::print::proof::Proof;
    use crate::console::print::sheet;
    use crate::limits::{ADDRESS_BYTES_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX, TITLE_BYTES_MAX};

    #[test]
    fn sheets_that_are_not_here_are_named_with_where_they_are() {
        let of = |count, from| {
            let plan =
                pb::Plan { visits: vec![pb::PlanVisit::default(); count], ..Default::default() };
            others(&plan, from, "/x", Lang::Zh).into_string()
        };
        assert_eq!(of(SHEETS_MAX, 0), "");
        let said = of(40, 16);
        assert!(said.contains("共 40 份，这里是第 17 至 32 份"), "{said}");
        for link in ["/x?from=0", "/x?from=16\" aria-current=\"page\"", "/x?from=32\">33–40"] {
            assert!(said.contains(link), "{link}: {said}");
        }
    }

    #[test]
    fn a_page_of_sheets_has_a_size() {
        let long = |bytes: usize| "示".repeat(bytes / 3);
        let people: Vec<String> = (0..4).map(|nth| format!("units/{nth}")).collect();
        let mut labels = Labels::default();
        for one in &people {
            labels.learn(one.clone(), &long(120));
        }
        labels.learn("site".to_owned(), &long(NAME_BYTES_MAX));
        let location = pb::Location { address: long(ADDRESS_BYTES_MAX), ..Default::default() };
        let record = pb::SiteRecord {
            permit_number: "9".repeat(REFERENCE_BYTES_MAX),
            location: Some(location),
            ..Default::default()
        };
        let facts = pb::SiteFacts { media: (1..8).collect(), ..Default::default() };
        let site = pb::Site { record: Some(record), facts: Some(facts), ..Default::default() };
        let visit = pb::PlanVisit {
            site: "site".to_owned(),
            lead: people.clone(),
            guests: people,
            ..Default::default()
        };
        let title = pb::PlanRecord { title: long(TITLE_BYTES_MAX), ..Default::default() };
        let plan = pb::Plan {
            record: Some(title),
            departments: (1..6).collect(),
            visits: vec![visit.clone(); 60],
            ..Default::default()
        };
        let one = || paper(&plan, &visit, Some(&site), &labels, long(NAME_BYTES_MAX));
        let proof = Proof::sample();
        let bytes = |count: usize| {
            let all = (0..count).map(|nth| sheet(&one(), &proof, nth > 0).into_string().len());
            all.sum::<usize>()
        };
        // What is around the sheets has 10 KiB.
        assert!(bytes(SHEETS_MAX) < 140 * 1024, "{} of 60: {}", bytes(SHEETS_MAX), bytes(60));
        assert!(bytes(SHEETS_MAX) > 60 * 1024, "more sheets have room");
    }

    #[test]
    fn the_boxes_are_those_of_a_result() {
        let said = boxes(&["执法支队", "监测中心"]).into_string();
        for word in ["□ 已检查", "□ 未检查", "□ 现场检查", "执法支队", "监测中心", "样品", "线索"]
        {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}
