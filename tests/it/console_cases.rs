//! The list of cases by page: filtered as the API filters, what is wrong told at its field.

use std::collections::BTreeSet;

use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, Pair, list_all};
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
    for (wrong, why) in [("370000", "区划代码应为"), ("聊城", "不是整数")] {
        let typed = form_urlencoded::byte_serialize(wrong.as_bytes()).collect::<String>();
        let page = browser.get(&format!("/cases?county={typed}")).await.text;
        let at_field = page.split_once("id=\"filter-county-wrong\">").map(|(_, rest)| rest);
        assert!(
            at_field.is_some_and(|rest| rest.split('<').next().unwrap().contains(why)),
            "{page}"
        );
        assert!(numbers(&page, &all).is_empty(), "nothing is shown of another list");
        let told = sheets::case(&pair.nodes, HERE, &["list", "--county", wrong]);
        assert_eq!(told.code, 2, "{}", told.err);
    }
}
