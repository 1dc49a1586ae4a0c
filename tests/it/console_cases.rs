//! The list of cases by page: filtered as the API filters, what is wrong told at its field.

use std::collections::BTreeSet;

use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, Pair, create, fresh, list_all, sample};
use super::console::Browser;
use super::sheets;

/// The cases that a page of the list, or a file of it, names.
fn numbers(text: &str, all: &[pb::Case]) -> BTreeSet<String> {
    let named = all.iter().filter(|case| text.contains(&case.number));
    named.map(|case| case.number.clone()).collect()
}

fn taken(all: &[pb::Case], takes: impl Fn(&pb::Case) -> bool) -> BTreeSet<String> {
    all.iter().filter(|case| takes(case)).map(|case| case.number.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_of_an_area_are_listed_by_page_by_command_and_as_a_file() {
    let pair = Pair::start().await;
    for nth in 0..12 {
        pair.open(&pair.here, nth).await;
    }
    let all = list_all(&pair.here, &pair.agreement).await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let county = |case: &pb::Case| case.facts.as_ref().unwrap().county_code;
    let first = county(&all[0]);
    let of_city = |code: u32| code / 100 == first / 100;
    assert!(all.iter().any(|case| !of_city(county(case))), "another city is there");
    for (area, want) in [
        (first, taken(&all, |case| county(case) == first)),
        (first / 100 * 100, taken(&all, |case| of_city(county(case)))),
    ] {
        let page = browser.get(&format!("/cases?county={area}")).await.text;
        assert_eq!(numbers(&page, &all), want, "{area}");
        assert!(page.contains(&format!("<option value=\"{area}\" selected>")), "{page}");
        let file = browser.get(&format!("/cases.csv?county={area}")).await.text;
        assert_eq!(numbers(&file, &all), want, "{area}");
        let told = sheets::case(&pair.nodes, HERE, &["list", "--county", &area.to_string()]);
        let told = String::from_utf8(told.out).unwrap();
        assert_eq!(numbers(&told, &all), want, "{area}: {told}");
    }
    let at = all[0].record.as_ref().unwrap().location.clone().unwrap();
    let [lon, lat] = [&at.longitude, &at.latitude].map(|text| text.parse::<f64>().unwrap());
    let spot = [lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001].map(|one| format!("{one:.6}"));
    let spot = spot.join(",");
    let told = sheets::case(&pair.nodes, HERE, &["list", "--box", &spot]);
    let told = numbers(&String::from_utf8(told.out).unwrap(), &all);
    assert!(told.contains(&all[0].number) && told.len() < all.len(), "{told:?}");
    let page = browser.get(&format!("/cases?box={}", spot.replace(',', "%EF%BC%8C"))).await.text;
    assert_eq!(numbers(&page, &all), told, "{page}");
    for (area, why) in [("115,36,116", "四个数"), ("116,36,115,37", "先填西、南")] {
        let page = browser.get(&format!("/cases?box={area}")).await.text;
        assert!(wrong(&page, "box").is_some_and(|said| said.contains(why)), "{page}");
    }
    assert_eq!(sheets::case(&pair.nodes, HERE, &["list", "--box", "1,2"]).code, 2);
    for (area, why) in [("370000", "区划代码应为"), ("聊城", "不是整数")] {
        let typed = form_urlencoded::byte_serialize(area.as_bytes()).collect::<String>();
        let page = browser.get(&format!("/cases?county={typed}")).await.text;
        assert!(wrong(&page, "county").is_some_and(|said| said.contains(why)), "{page}");
        assert!(numbers(&page, &all).is_empty(), "nothing is shown of another list");
        let told = sheets::case(&pair.nodes, HERE, &["list", "--county", area]);
        assert_eq!(told.code, 2, "{}", told.err);
    }
}

/// What is wrong with a field of the filter.
fn wrong<'a>(page: &'a str, field: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("id=\"filter-{field}-wrong\">"))?;
    rest.split('<').next()
}

#[tokio::test(flavor = "multi_thread")]
async fn rarer_filters_of_the_api_are_on_the_page_and_hold_for_its_file() {
    let pair = Pair::start().await;
    let mut cases = Vec::new();
    for nth in 0..4 {
        cases.push(pair.open(&pair.here, nth).await);
    }
    let mut opening = sample(&pair.agreement, 5);
    opening.external_ref =
        Some(pb::ExternalRef { system: "执法".into(), number: "甲-1".into() });
    cases.push(create(&pair.here, opening).await.unwrap());
    // The same as the fourth: one act, filed twice.
    cases.push(pair.open(&pair.here, 3).await);
    let assigned = pb::AssignCaseRequest {
        name: cases[1].name.clone(),
        assignee: "张三".to_owned(),
        request_id: fresh(),
        ..Default::default()
    };
    pair.here.cases().assign_case(assigned).await.unwrap();
    let tagged = pb::TagCampaignRequest {
        name: cases[2].name.clone(),
        campaign: 2,
        request_id: fresh(),
        ..Default::default()
    };
    pair.here.referrals().tag_campaign(tagged).await.unwrap();
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let typed = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let rows = |page: &str| page.split_once("<tbody>").map(|(_, rows)| rows.to_owned());
    for (query, want) in [
        (format!("assignee={}", typed("张三")), vec![1]),
        (format!("assignee={}", typed("张")), vec![]),
        ("campaign=2".to_owned(), vec![2]),
        (format!("external={}", typed("甲-1")), vec![4]),
        ("only=same_act".to_owned(), vec![3, 5]),
        (format!("only=same_act&assignee={}", typed("张三")), vec![]),
        ("only=suspended".to_owned(), vec![]),
    ] {
        let want: BTreeSet<_> =
            want.into_iter().map(|nth: usize| cases[nth].number.clone()).collect();
        let page = browser.get(&format!("/cases?{query}")).await.text;
        assert!(page.contains("<details class=\"more\" open>"), "{query}: {page}");
        assert_eq!(numbers(&rows(&page).unwrap(), &cases), want, "{query}");
        assert!(page.contains(&format!("共 {} 件", want.len())), "{query}: {page}");
        let file = browser.get(&format!("/cases.csv?{query}")).await.text;
        assert_eq!(numbers(&file, &cases), want, "{query}: {file}");
        // What was chosen is chosen still, and the file's link asks for the same.
        assert!(page.contains(&format!("/cases.csv?{}", query.replace('&', "&amp;"))), "{page}");
    }
    let page = browser.get("/cases?only=same_act").await.text;
    assert!(
        page.contains("value=\"same_act\" checked") && page.contains("疑似同一行为："),
        "{page}"
    );
    let page = browser.get("/cases").await.text;
    assert!(
        page.contains("<details class=\"more\">") && !page.contains("疑似同一行为："),
        "{page}"
    );
    assert_eq!(numbers(&page, &cases).len(), cases.len());
    for (query, field, why) in [
        ("campaign=999", "campaign", ""),
        ("campaign=x", "campaign", "不是整数"),
        ("near=130400", "metres", "须同时填写"),
        ("metres=500", "near", "须同时填写"),
        ("uscc=9137", "uscc", "8 位"),
    ] {
        let page = browser.get(&format!("/cases?{query}")).await.text;
        assert!(wrong(&page, field).is_some_and(|said| said.contains(why)), "{query}: {page}");
    }
}
