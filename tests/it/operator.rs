//! What the guide for a first deployment says, typed as it says it.

use std::process::Command;
use std::time::Duration;

use super::deploy::{City, run, two_cities};
use super::nodes::{exe, until};

#[tokio::test(flavor = "multi_thread")]
async fn two_cities_are_deployed_with_commands_and_exchange_a_case() {
    let top = tempfile::tempdir().unwrap();
    let (mut a, mut b) = two_cities(top.path());
    a.start();
    b.start();
    a.client("client.toml").await;
    b.client("client.toml").await;

    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/sample-cases.json");
    let list = std::fs::read_to_string(samples).unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let pick = list["cases"][0]["case_id"].as_str().unwrap().to_owned();
    let new = ["case", "new", "--from", samples, "--pick", &pick, "--agreement", "聊邯"];
    let create = || async { a.run(&new).ok() };
    let written = until("a case can be opened", create).await;
    let number = || async {
        let cases = b.run(&["case", "list", "--all"]).ok()?;
        cases["cases"].as_array()?.first().map(|case| case["number"].to_string())
    };
    let number = until("the case is in the other city", number).await;
    assert_eq!(written["case"]["number"].to_string(), number, "{written}");

    // What the node holds, in the words of its operator.
    let shown = a.run(&["agreement", "show", "聊邯"]).unwrap();
    assert_eq!(shown["agreements"][0]["charter"]["complete"], true, "{shown}");
    assert_eq!(shown["agreements"][0]["writable"], true);
    assert_eq!(a.run(&["agreement", "verify", "聊邯"]).unwrap()["valid"], true);

    // The views come back from the journal, but not under a running node.
    let refused = b.run(&["rebuild"]).unwrap_err();
    assert_eq!(refused["error"]["reason"], "NODE_RUNNING");
    b.stop();
    let rebuilt = b.run(&["rebuild"]).unwrap();
    assert!(rebuilt["entries"].as_u64().unwrap() >= 2, "{rebuilt}");
    b.start();
    b.client("client.toml").await;
    let cases = b.run(&["case", "list", "--all"]).unwrap();
    assert_eq!(cases["cases"][0]["number"].to_string(), number);

    // A new card with another telephone goes over the api port.
    let card = ["card", "new", "--after", "card-371500.note", "--duty-phone", "0635-12369"];
    let card = [&card[..], &["--duty-contact", "示例支队值班室"]].concat();
    assert_eq!(a.run(&card).unwrap()["number"], 2);
    let checked = ["card", "show", "card-371500-2.note", "--charter", "../聊邯.371500.agreement"];
    let checked = a.run(&checked).unwrap();
    assert_eq!(checked["duty_phone"], "0635-12369");
    assert_eq!(checked["duty_contact"], "示例支队值班室");
    let add = ["card", "add", "card-371500-2.note", "--profile", "client-admin.toml"];
    let added = a.run(&add).unwrap();
    assert!(added["notes"][0]["result"].as_str().unwrap().starts_with("ok"), "{added}");
    let status = a.run(&["status"]).unwrap();
    assert_eq!(status["on_duty"][0]["contact"], "示例支队值班室", "{status}");
    // Whoever changes only one of the two keeps the other; a name needs a number.
    let next = ["card", "new", "--after", "card-371500-2.note", "--duty-phone", "0635-1"];
    assert_eq!(a.run(&next).unwrap()["duty_contact"], "示例支队值班室");
    let card = ["card", "new", "--after", "card-371500.note", "--duty-contact", "值班室"];
    assert!(a.run(&card).unwrap_err()["error"].to_string().contains("--duty-phone"));
    let denied = ["card", "add", "card-371500-2.note", "--profile", "client.toml"];
    assert_eq!(a.run(&denied).unwrap_err()["error"]["reason"], "ROLE_NOT_ALLOWED");
}

#[test]
fn half_signed_and_changed_agreements_are_told_apart() {
    let top = tempfile::tempdir().unwrap();
    let (a, _b) = two_cities(top.path());
    let half = "../聊邯.371500.agreement";
    let add = ["agreement", "add", half, "--config", "liandong.toml"];
    let refused = a.run(&add).unwrap_err();
    assert_eq!(refused["error"]["reason"], "CHARTER_INCOMPLETE", "{refused}");
    let verdict = a.run(&["agreement", "verify", half]).unwrap_err();
    assert!(verdict["error"]["details"].to_string().contains("130400"), "{verdict}");

    let whole = top.path().join("whole");
    let merge = ["agreement", "merge", "聊邯.371500.agreement", "聊邯.130400.agreement"];
    let merge = [&merge[..], &["--out", "whole"]].concat();
    assert_eq!(run(top.path(), &merge).unwrap()["complete"], true);
    assert!(run(top.path(), &merge).is_err(), "nothing is overwritten");
    assert_eq!(run(top.path(), &["agreement", "verify", "whole"]).unwrap()["valid"], true);

    let text = std::fs::read_to_string(&whole).unwrap();
    std::fs::write(&whole, text.replace("belt_metres: 10000", "belt_metres: 90000")).unwrap();
    let spoiled = run(top.path(), &["agreement", "show", "whole"]).unwrap_err();
    assert_eq!(spoiled["error"]["exit"], 5, "{spoiled}");

    let stranger = City::init(top.path(), 410_900);
    let key = stranger.path("city.key");
    let sign = ["agreement", "sign", "聊邯.agreement", "--city-key", &key];
    assert_eq!(run(top.path(), &sign).unwrap_err()["error"]["exit"], 5);
}

#[test]
fn trial_certificates_are_refused_in_production() {
    let top = tempfile::tempdir().unwrap();
    let city = City::init(top.path(), 371_500);
    let mut child = Command::new(exe())
        .args(["serve", "--production", "--lang", "en", "--json"])
        .current_dir(&city.folder)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("trying out"), "{said}");
}

#[test]
fn keys_are_for_their_owner_only_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let top = tempfile::tempdir().unwrap();
    let city = City::init(top.path(), 371_500);
    let again = ["pki", "init", "--city", "371500", "--dir", "."];
    assert_eq!(city.run(&again).unwrap_err()["error"]["exit"], 5);
    let mut keys = 0;
    for folder in [city.folder.clone(), city.folder.join("certs")] {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().extension().is_some_and(|e| e == "key") {
                let mode = entry.metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
                keys += 1;
            }
        }
    }
    assert_eq!(keys, 8, "city, CA, node and five identities");
    let public = city.run(&["pki", "city-key", "--show", "city.key"]).unwrap();
    assert_eq!(public["city_key"], city.key.as_str());
}

#[test]
fn the_script_makes_a_city() {
    let top = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/certs/make.sh");
    let made = Command::new("sh")
        .args([script, "371500", "here"])
        .env("LIANDONG", exe())
        .current_dir(top.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for file in ["city.key", "certs/node.pem", "liandong.toml", "card-371500.note"] {
        assert!(top.path().join("here").join(file).exists(), "{file}");
    }
}
