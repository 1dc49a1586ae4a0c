//! The page of links, over real nodes: who is reached, what is on its way, whom to call.

use liandong::trust::card::{Card, SignedCard};
use liandong::trust::keys;
use liandong::trust::spiffe::Role;

use super::api::{HERE, Pair, THERE, ready};
use super::console::Browser;
use super::nodes::{Nodes, plan, until};
use super::plans::today;

/// The cells of the row of a table that begins with a city.
fn row(page: &str, city: &str) -> Vec<String> {
    let begin = format!("<th scope=\"row\">{city}</th>");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {city} in {page}"));
    let row = rest.split_once("</tr>").unwrap().0;
    row.split("<td>").skip(1).map(str::to_owned).collect()
}

/// The card of the other city says who is on duty and the telephone, the own one does not.
fn give_numbers(nodes: &Nodes) {
    let key = keys::load(&nodes.fleet.folder(THERE).join("city.key")).unwrap();
    for city in [HERE, THERE] {
        let note = nodes.fleet.folder(city).join(format!("data/inbox/card-{THERE}.note"));
        let card = SignedCard::peek(&std::fs::read(&note).unwrap().into()).unwrap();
        let duty_phone = Some("0310-130400（示例支队值班室）".to_owned());
        std::fs::write(&note, Card { duty_phone, ..card }.sign(&key).unwrap()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_links_tells_in_its_language_who_is_reached_and_what_is_on_its_way() {
    let cities = [HERE, THERE];
    let mut nodes = Nodes::lay_out(&plan(&cities, &[("聊邯", &cities)]));
    give_numbers(&nodes);
    cities.iter().for_each(|city| nodes.start(*city));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    let mut pair = Pair { nodes, here, there, agreement };
    let case = pair.open(&pair.here, 0).await;
    pair.held(&pair.there, &case).await;
    let browser = Browser::open(&pair.nodes, HERE, Role::Coordinator).await;
    let year = today().to_string()[..4].to_owned();
    until("all is told of a city that is linked", || async {
        let page = browser.get("/links").await.text;
        let (theirs, ours) = (row(&page, "邯郸"), row(&page, "聊城"));
        let is_linked = theirs[0].contains("已连接") && theirs[4].starts_with('无');
        (is_linked && ours[6].contains("天到期")).then(|| {
            assert!(theirs[2].starts_with(&year), "last heard: {theirs:?}");
            assert!(theirs[3].starts_with("示例支队值班室 0310-130400"), "{theirs:?}");
            assert!(theirs[5].starts_with('无'), "nothing is on its way: {theirs:?}");
            assert!(theirs[6].contains("天到期"), "its node's certificate: {theirs:?}");
            assert!(ours[3].contains("名片未填") && ours[6].contains(".pem"), "{ours:?}");
        })
    })
    .await;
    pair.nodes.kill(THERE);
    pair.open(&pair.here, 1).await;
    until("it is told that it is not linked and what waits", || async {
        let page = browser.get("/links").await.text;
        let theirs = row(&page, "邯郸");
        (theirs[0].contains("未连接") && theirs[7].contains("liandong doctor")).then(|| {
            assert!(theirs[4].starts_with("1 条"), "{theirs:?}");
            assert!(theirs[7].starts_with("连接不上："), "{theirs:?}");
        })
    })
    .await;
    let request = http::Request::get("https://node.test/links");
    let request = request.header("cookie", "liandong-lang=en");
    let page = browser.ask(request, "").await.text;
    assert!(page.contains("<html lang=\"en\">"), "{page}");
    let theirs = row(&page, "Handan");
    assert!(theirs[7].contains("the administrator runs liandong doctor"), "{theirs:?}");
}
