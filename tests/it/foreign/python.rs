//! Python's grpcio through `examples/python`.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::process::Command;

use super::tools::{self, Ended, Running};
use super::tunnel::Tunnel;
use super::{Files, HERE, THERE, TwoCities, holds, samples};
use crate::nodes::until;

fn client(files: &Files, args: &[&str]) -> Option<Command> {
    let mut command = tools::python()?;
    command.arg("--api").arg(&files.api).arg("--ca").arg(&files.ca);
    command.arg("--cert").arg(&files.cert).arg("--key").arg(&files.key).args(args);
    Some(command)
}

async fn call(files: &Files, args: &[&str]) -> Ended {
    tools::run(client(files, args).unwrap()).await
}

fn json(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn python_creates_reads_and_pages() {
    if tools::python().is_none() {
        return;
    }
    let cities = TwoCities::start().await;
    let (here, there) = (cities.files(HERE), cities.files(THERE));

    let me = json(&call(&here, &["whoami"]).await.succeeded());
    assert_eq!((&me["city"], &me["role"]), (&HERE.into(), &"coordinator".into()));
    holds("python: connects with a client certificate");

    let create = ["create", "--parent", &cities.agreement, "--title", "界河暗管排污"];
    let made = json(&call(&here, &create).await.succeeded());
    let name = made["case"]["name"].as_str().unwrap();
    assert_eq!(made["case"]["state"], "CASE_STATE_CLUE_REPORTED");
    holds("python: creates a case");

    let read = || async {
        let shown = call(&there, &["show", name]).await;
        (shown.code == 0).then(|| json(&shown.out))
    };
    let shown = until("the case is in the other city", read).await;
    assert_eq!(shown["etag"], made["case"]["etag"]);
    assert_eq!(shown["record"]["title"], "界河暗管排污");
    holds("python: reads it in the other city");

    let mut names = BTreeSet::from([name.to_owned()]);
    for nth in samples().into_iter().take(4) {
        names.insert(cities.open_case(nth, &format!("page-{nth}")).await);
    }
    let list = ["list", "--parent", &cities.agreement, "--page-size", "2"];
    let pages = call(&here, &list).await.succeeded();
    let pages: Vec<Value> = pages.lines().map(json).collect();
    let sizes: Vec<_> = pages.iter().map(|p| p["names"].as_array().unwrap().len()).collect();
    assert_eq!(sizes.iter().filter(|n| **n > 0).copied().collect::<Vec<_>>(), [2, 2, 1]);
    let listed = pages.iter().flat_map(|p| p["names"].as_array().unwrap());
    let listed: Vec<_> = listed.map(|n| n.as_str().unwrap().to_owned()).collect();
    assert_eq!(listed.len(), 5, "no case twice");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), names);
    holds("python: pages through the list");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_refusals() {
    if tools::python().is_none() {
        return;
    }
    let cities = TwoCities::start().await;
    let here = cities.files(HERE);
    let swapped = ["--longitude", "36.531049", "--latitude", "115.329563"];
    let create = ["create", "--parent", &cities.agreement, "--title", "界河暗管排污"];

    let refused = json(&call(&here, &[&create[..], &swapped].concat()).await.failed(2));
    assert_eq!(refused["code"], "INVALID_ARGUMENT");
    let field = refused["fields"][0]["field"].as_str().unwrap();
    assert!(field.starts_with("record.location"), "{refused}");
    assert!(!refused["reason"].as_str().unwrap().is_empty(), "{refused}");
    assert!(!refused["message"].as_str().unwrap().is_ascii(), "Chinese by default: {refused}");
    holds("python: decodes ErrorInfo, BadRequest and LocalizedMessage");

    let english = [&["--lang", "en"], &create[..], &swapped].concat();
    let refused = json(&call(&here, &english).await.failed(2));
    assert!(refused["message"].as_str().unwrap().is_ascii(), "{refused}");
    holds("python: gets the sentence in English when it asks for it");

    let far = ["--longitude", "115.98", "--latitude", "36.45", "--county", "371502"];
    let refused = json(&call(&here, &[&create[..], &far].concat()).await.failed(2));
    assert_eq!(refused["code"], "FAILED_PRECONDITION");
    assert_eq!(refused["reason"], "OUTSIDE_BELT");
    let metres: u32 = refused["metadata"]["metres"].as_str().unwrap().parse().unwrap();
    assert!(metres > 10_000, "{refused}");
    holds("python: reads the facts of a refusal");

    let stranger = cities.strangers_files();
    let refused = json(&call(&stranger, &["whoami"]).await.failed(3));
    assert!(refused["unreachable"].as_str().unwrap().starts_with("UNAVAILABLE"), "{refused}");
    holds("python: another city's certificate is refused");

    let mut nobody = tools::python().unwrap();
    nobody.arg("--api").arg(&here.api).arg("--ca").arg(&here.ca).arg("whoami");
    let refused = json(&tools::run(nobody).await.failed(3));
    assert!(refused["unreachable"].as_str().unwrap().starts_with("UNAVAILABLE"), "{refused}");
    holds("python: no certificate is refused");

    let misled = Files { ca: cities.files(THERE).ca, ..here.clone() };
    let refused = json(&call(&misled, &["whoami"]).await.failed(3));
    assert!(refused["unreachable"].as_str().unwrap().starts_with("UNAVAILABLE"), "{refused}");
    call(&here, &["whoami"]).await.succeeded(); // The same call with the right files.
    holds("python: refuses a node of another city's CA");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_resumes_a_watch() {
    if tools::python().is_none() {
        return;
    }
    let cities = TwoCities::start().await;
    let files = cities.files(HERE);
    let tunnel = Tunnel::to(&files.api).await;
    let through = Files { api: tunnel.address.to_string(), ..files.clone() };
    let cursor = json(&call(&files, &["list", "--page-size", "1"]).await.succeeded());
    let cursor = cursor["cursor"].as_str().unwrap();
    let watch = ["watch", "--parent", &cities.agreement, "--count", "4", "--cursor", cursor];
    let mut watch = Running::start(client(&through, &watch).unwrap());
    let samples = samples();
    let mut made = vec![cities.open_case(samples[0], "watch-0").await];
    let mut seen = vec![json(&watch.line().await.unwrap())];
    tunnel.cut();
    made.push(cities.open_case(samples[1], "watch-1").await);
    made.push(cities.open_case(samples[2], "watch-2").await);
    tunnel.mend();
    seen.push(json(&watch.line().await.unwrap()));
    seen.push(json(&watch.line().await.unwrap()));
    made.push(cities.open_case(samples[3], "watch-3").await);
    seen.push(json(&watch.line().await.unwrap()));
    watch.ends_well().await;
    let seen: Vec<_> = seen.iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(seen, made, "each once, in order");
    holds("python: a watch resumes after a drop, nothing missed, nothing twice");
}
