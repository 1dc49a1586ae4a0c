//! Content that not every member may have, opened to one more city by command and by page.

use http::StatusCode;
use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{HERE, THERE, create, fresh, get, history, ready, refused, sample};
use super::console::{Browser, FROM_HERE, page_of};
use super::evidence_files::DEZHOU;
use super::nodes::{Nodes, plan, until};
use super::sheets;

/// Opens a part of an entry of a case to one more city.
pub async fn grant(
    client: &Client,
    case: &str,
    (entry, part): (&str, u32),
    to_city: u32,
) -> Result<(), Status> {
    let request = pb::GrantPartRequest {
        name: case.to_owned(),
        entry: entry.to_owned(),
        part,
        to_city,
        request_id: fresh(),
        ..Default::default()
    };
    client.cases().grant_part(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_opened_to_a_city_by_command_and_by_page() {
    let members = [HERE, THERE, DEZHOU];
    let nodes = Nodes::start_all(&plan(&members, &[("聊邯德", &members)]));
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let dezhou = nodes.client(DEZHOU).await;
    for client in [&here, &there, &dezhou] {
        ready(client, &agreement).await;
    }
    let mut opening = sample(&agreement, 0);
    opening.record.as_mut().unwrap().evidence.clear();
    let name = "赵真名".to_owned();
    opening.person = Some(pb::PersonRecord { name, ..pb::PersonRecord::default() });
    let case = create(&here, opening).await.unwrap();
    for client in [&there, &dezhou] {
        let case = until("it is there", || async { get(client, &case.name).await.ok() }).await;
        assert_eq!(case.person, None);
    }
    // The only part there is need not be named; it comes to the city that was named, and no other.
    let grant = |city: u32, more: &[&str]| {
        sheets::case(&nodes, city, &[&["grant", &case.name], more].concat())
    };
    let own = grant(HERE, &["--to", "371500"]);
    assert!(own.code == 1 && own.err.contains("SELF_NAMED"), "{}", own.err);
    let done = grant(HERE, &["--to", "371400", "-m", "协助询问"]);
    assert_eq!(done.code, 0, "{}", done.err);
    until("the person is there", || async { get(&dezhou, &case.name).await.ok()?.person }).await;
    let none = grant(THERE, &["--to", "371400"]);
    assert!(none.code == 1 && none.err.contains("PART_NOT_GRANTABLE"), "{}", none.err);
    let shown = sheets::case(&nodes, HERE, &["show", &case.name]);
    let shown = String::from_utf8(shown.out).unwrap();
    assert!(shown.contains("授权查看") && shown.contains("聊城授权德州查看"), "{shown}");
    let shown = sheets::case(&nodes, HERE, &["show", &case.name, "--json"]).json();
    assert_eq!(shown["granted"][0]["to_city"], "371400", "{shown}");
    assert_eq!(shown["granted"][0]["entry"], history(&here, &case.name).await[0].entry, "{shown}");
    // With another one it must be said which is meant; both are listed.
    let note =
        sheets::case(&nodes, HERE, &["note", &case.name, "-m", "只给邯郸", "--only-for", "130400"]);
    assert_eq!(note.code, 0, "{}", note.err);
    let which = grant(HERE, &["--to", "371400"]);
    assert_eq!(which.code, 2, "{}", which.err);
    assert_eq!(which.err.matches("--part ").count(), 2, "{}", which.err);
    assert!(which.err.contains("自然人信息") && which.err.contains("只给邯郸"), "{}", which.err);

    by_page(&nodes, &case).await;
    let again = || async { get(&there, &case.name).await.ok()?.person };
    until("the person is in the other city as well", again).await;
    assert!(history(&here, &case.name).await.iter().all(|one| one.misfit_reason.is_empty()));
}

async fn by_page(nodes: &Nodes, case: &pb::Case) {
    let at = page_of(case);
    let [coordinator, auditor] = [
        Browser::open(nodes, HERE, Role::Coordinator).await,
        Browser::open(nodes, HERE, Role::Auditor).await,
    ];
    let page = coordinator.get(&at).await.text;
    assert!(page.contains("聊城授权德州查看"), "{page}");
    let (_, form) = page.split_once("id=\"act-grant\"").expect("a form");
    let form = form.split("</form>").next().unwrap();
    assert!(form.contains("自然人信息") && form.contains("只给邯郸"), "{form}");
    let (_, option) = form.split_once("<option value=\"").unwrap();
    let (_, option) = option.split_once("<option value=\"").expect("behind the empty one");
    let person = option.split('"').next().unwrap();
    // Who may not sees no form, and is refused all the same; a city without own content has none.
    let seen = auditor.get(&at).await.text;
    assert!(seen.contains("聊城授权德州查看") && !seen.contains("act-grant"), "{seen}");
    let other = Browser::open(nodes, THERE, Role::Coordinator).await;
    assert!(!other.get(&at).await.text.contains("act-grant"));
    let send = async |browser: &Browser, entry: &str, to_city: &str| {
        let id = fresh();
        let fields = [("entry", entry), ("to_city", to_city), ("request_id", &*id)];
        browser.post(&format!("{at}/grant"), &[FROM_HERE], &fields).await
    };
    let refused_page = send(&auditor, person, "130400").await;
    assert_eq!(refused_page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused_page.text.contains("ROLE_NOT_ALLOWED"), "{}", refused_page.text);
    let entry = person.split('/').next().unwrap();
    let of_auditor = nodes.client_as(HERE, Role::Auditor).await;
    let wrong = grant(&of_auditor, &case.name, (entry, 1), THERE).await;
    assert_eq!(refused(wrong), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".into()));
    let gone = person.replace(['1', '2', '3', '4', '5', '6'], "0");
    for (entry, to_city, field) in [
        ("", "130400", "entry"),
        (&*gone, "130400", "entry"),
        (person, "", "to_city"),
        (person, "371500", "to_city"),
        (person, "410900", "to_city"),
    ] {
        let page = send(&coordinator, entry, to_city).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{entry} {to_city}");
        let mark = format!("id=\"grant-{field}-wrong\"");
        assert!(page.text.contains(&mark), "{entry} {to_city}: {}", page.text);
    }
    let done = send(&coordinator, person, "130400").await;
    let page = coordinator.get(done.leads_to()).await.text;
    assert!(page.contains("聊城授权邯郸查看"), "{page}");
}
