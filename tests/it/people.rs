//! Identities at run time: enrolled, disabled, revoked; files half written.

use std::path::Path;

use liandong::cli::connect::Client;
use liandong::lang::Lang;
use liandong::wire::pb::v1 as pb;

use super::certs;
use super::console::Browser;
use super::deploy::{City, two_cities};
use super::nodes::until;

async fn started(top: &Path) -> City {
    let (mut city, _) = two_cities(top);
    city.start();
    city.client("client.toml").await;
    city
}

async fn watch(client: &Client) -> tonic::Streaming<pb::WatchCasesResponse> {
    let request = pb::WatchCasesRequest { parent: "agreements/-".to_owned(), ..Default::default() };
    client.cases_streaming().watch_cases(request).await.unwrap().into_inner()
}

/// Waits until a stream is ended by the node; what comes before is of no interest.
async fn ends(what: &str, stream: tonic::Streaming<pb::WatchCasesResponse>) {
    let stream = tokio::sync::Mutex::new(stream);
    let ended = || async {
        let mut stream = stream.lock().await;
        let next = stream.message();
        match tokio::time::timeout(std::time::Duration::from_millis(200), next).await {
            Ok(Ok(Some(_))) | Err(_) => None,
            Ok(Ok(None) | Err(_)) => Some(()),
        }
    };
    until(what, ended).await;
}

async fn who_am_i(city: &City, profile: &str) -> Result<pb::WhoAmIResponse, String> {
    match Client::open(&city.profile(profile), Lang::En).await {
        Ok(client) => Ok(client.me),
        Err(failure) => Err(failure.reason),
    }
}

/// Whether the audit has a line of a call that was refused for this reason.
fn audited(city: &City, reason: &str) -> bool {
    let Ok(files) = std::fs::read_dir(city.path("data/audit")) else { return false };
    files.flatten().any(|file| {
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        text.lines().any(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            line["outcome"] == reason && line["method"] == "/liandong.v1.NodeService/WhoAmI"
        })
    })
}

/// A certificate of the city's CA without a SPIFFE id, as on an existing USB key.
fn unnamed(city: &City) {
    let ca = certs::Ca::load(&city.folder.join("certs"));
    let leaf = certs::Leaf { uri: None, ..certs::Leaf::client("unused") };
    ca.issue(&leaf).write(&city.folder.join("certs"), "usb");
    let text = std::fs::read_to_string(city.path("client.toml")).unwrap();
    let text = text.replace("coordinator", "usb") + "city = \"371500\"\n";
    std::fs::write(city.path("client-usb.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_certificate_is_enrolled_disabled_and_let_in_again() {
    let top = tempfile::tempdir().unwrap();
    let city = started(top.path()).await;
    unnamed(&city);
    assert_eq!(who_am_i(&city, "client-usb.toml").await.unwrap_err(), "CERT_UNKNOWN");

    let add = ["people", "add", "certs/usb.pem", "--role", "inspector", "--id", "37150088001"];
    city.run(&add).unwrap();
    let known = || async { who_am_i(&city, "client-usb.toml").await.ok() };
    let me = until("the enrolled certificate is known", known).await;
    assert_eq!((me.role.as_str(), me.id.as_str()), ("inspector", "37150088001"));

    // It cannot be used on the port between cities.
    let refused = certs::knock(city.peer, Some(&certs::Pair::load(&city.folder, "usb"))).await;
    assert!(refused.is_err(), "{refused:?}");

    let client = Client::open(&city.profile("client-usb.toml"), Lang::En).await.unwrap();
    let stream = watch(&client).await;
    let disable = ["people", "disable", "inspector/37150088001", "--reason", "调离"];
    city.run(&disable).unwrap();
    ends("the stream of a disabled person", stream).await;
    let out = || async {
        let answer = who_am_i(&city, "client-usb.toml").await;
        answer.err().filter(|reason| reason == "PERSON_DISABLED")
    };
    until("the disabled are told so", out).await;

    city.run(&["people", "enable", "inspector/37150088001"]).unwrap();
    until("the enabled are back", known).await;
    // Both refusals stand in the audit.
    for reason in ["CERT_UNKNOWN", "PERSON_DISABLED"] {
        let noted = || async { audited(&city, reason).then_some(()) };
        until("the refused are in the audit", noted).await;
    }
    let list = city.run(&["people", "list"]).unwrap();
    assert_eq!(list["person"][0]["id"], "37150088001");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_certificate_opens_pages_once_it_is_enrolled() {
    let top = tempfile::tempdir().unwrap();
    let city = started(top.path()).await;
    unnamed(&city);
    let browser = Browser::with(&city.profile("client-usb.toml")).await;
    let page = browser.get("/cases").await;
    assert_eq!(page.status, http::StatusCode::FORBIDDEN);
    for word in ["CERT_UNKNOWN", "证书未登记", "SM2 密钥暂不支持"] {
        assert!(page.text.contains(word), "{word}: {}", page.text);
    }
    // No button that nobody answers.
    assert!(!page.text.contains("<form"), "{}", page.text);
    let events = browser.get("/events").await;
    assert_eq!(events.status, http::StatusCode::UNAUTHORIZED, "nobody is told anything");
    let add = ["people", "add", "certs/usb.pem", "--role", "inspector", "--id", "37150088001"];
    city.run(&add).unwrap();
    let opened = || async {
        let page = browser.get("/cases").await;
        let is_known = page.text.contains("执法人员 37150088001");
        (page.status == http::StatusCode::OK && is_known).then_some(page.text)
    };
    let page = until("the enrolled certificate opens a page", opened).await;
    assert!(page.contains(r#"action="/language""#), "{page}");
    let chosen = [("lang", "en"), ("back", "/cases")];
    let chosen = browser.post("/language", &[super::console::FROM_HERE], &chosen).await;
    assert_eq!(chosen.leads_to(), "/cases");
    assert!(browser.get("/links").await.text.contains("SM2 密钥暂不支持"));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_file_changes_nothing_and_is_shown() {
    let top = tempfile::tempdir().unwrap();
    let city = started(top.path()).await;
    let good = std::fs::read(city.path("people.toml")).unwrap();
    std::fs::write(city.path("people.toml"), "[[person]]\nissuer = \"4a").unwrap();
    let pem = std::fs::read_to_string(city.path("certs/node.pem")).unwrap();
    std::fs::write(city.path("certs/node.pem"), &pem[..pem.len() / 2]).unwrap();
    let shown = |what: &'static str| {
        let city = &city;
        move || async move { city.warnings().contains(what).then_some(()) }
    };
    until("half a list of people is shown", shown("people.toml")).await;
    until("half a certificate is shown", shown("node.pem")).await;
    assert!(who_am_i(&city, "client.toml").await.is_ok(), "the last good ones are in force");

    std::fs::write(city.path("people.toml"), good).unwrap();
    std::fs::write(city.path("certs/node.pem"), pem).unwrap();
    let quiet = || async { (!city.warnings().contains("原有")).then_some(()) };
    until("whole files are taken", quiet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_loses_its_streams_and_comes_in_no_more() {
    let top = tempfile::tempdir().unwrap();
    let city = started(top.path()).await;
    let inspector = city.client("client-inspector.toml").await;
    let stream = watch(&inspector).await;
    city.run(&["pki", "revoke", "certs/inspector.pem"]).unwrap();
    ends("the stream of a revoked certificate", stream).await;
    let out = || async { who_am_i(&city, "client-inspector.toml").await.err() };
    until("the revoked certificate is refused", out).await;
    assert!(who_am_i(&city, "client.toml").await.is_ok(), "others stay");
    let request = pb::ListCasesRequest::default();
    assert!(
        inspector.cases().list_cases(request).await.is_err(),
        "an old channel is worth nothing"
    );
}
