//! `buf curl` over reflection: no generated code at all on the client's side.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use prost::Message;
use serde_json::{Value, json};
use tokio::process::Command;
use tonic_types::pb as details;

use super::tools::{self, Ended};
use super::{Files, HERE, THERE, TwoCities, holds};
use crate::nodes::until;

/// A call of a method, or of none when only reflection is asked.
fn curl(files: &Files, args: &[&str], path: &str) -> Option<Command> {
    let mut command = tools::buf()?;
    command.args(["curl", "--protocol", "grpc"]).arg("--cacert").arg(&files.ca);
    command.arg("--cert").arg(&files.cert).arg("--key").arg(&files.key).args(args);
    command.arg(format!("https://{}{path}", files.api));
    Some(command)
}

async fn ask(files: &Files, args: &[&str]) -> Ended {
    tools::run(curl(files, args, "").unwrap()).await
}

async fn call(files: &Files, method: &str, body: &Value) -> Ended {
    let path = format!("/liandong.v1.{method}");
    tools::run(curl(files, &["-d", &body.to_string()], &path).unwrap()).await
}

fn read(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn creation(agreement: &str, longitude: &str, latitude: &str) -> Value {
    json!({
        "parent": agreement,
        "requestId": format!("buf-{longitude}"),
        "facts": {
            "source": "SOURCE_COMPLAINT", "medium": "MEDIUM_WATER",
            "violation": "VIOLATION_OUTFALL_ILLEGAL", "countyCode": 371_525,
            "discoverTimeMs": "1795000000000",
            "occurredFrom": {"year": 2026, "month": 11, "day": 1},
            "dataLevel": "DATA_LEVEL_GENERAL",
        },
        "record": {
            "title": "界河暗管排污", "summary": "群众反映有暗管向界河排水",
            "location": {
                "longitude": longitude, "latitude": latitude, "crs": "EPSG:4490",
                "address": "示例村北侧",
            },
            "party": {"type": "PARTY_TYPE_UNKNOWN"},
        },
    })
}

/// A detail of an error, decoded.
fn detail<M: Message + Default>(error: &Value, kind: &str) -> M {
    let details = error["details"].as_array().unwrap_or_else(|| panic!("{error}"));
    let found = details.iter().find(|d| d["type"] == kind);
    let bytes = found.and_then(|d| d["value"].as_str()).unwrap_or_else(|| panic!("{error}"));
    M::decode(STANDARD_NO_PAD.decode(bytes).unwrap().as_slice()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn buf_curl_calls_over_reflection() {
    if tools::buf().is_none() {
        return;
    }
    let cities = TwoCities::start().await;
    let (here, there) = (cities.files(HERE), cities.files(THERE));

    let services = ask(&here, &["--list-services"]).await.succeeded();
    for wanted in ["AgreementService", "CaseService", "CatalogService", "NodeService"] {
        assert!(services.contains(&format!("liandong.v1.{wanted}")), "{services}");
    }
    assert!(services.contains("grpc.health.v1.Health"), "{services}");
    assert!(!services.contains("liandong.peer"), "not served on this port: {services}");
    holds("buf curl: lists services by reflection");

    let methods = ask(&here, &["--list-methods"]).await.succeeded();
    for wanted in ["CaseService/CreateCase", "CaseService/WatchCases", "NodeService/WhoAmI"] {
        assert!(methods.contains(&format!("liandong.v1.{wanted}")), "{methods}");
    }
    holds("buf curl: lists methods");

    let good = creation(&cities.agreement, "115.329563", "36.531049");
    let made = read(&call(&here, "CaseService/CreateCase", &good).await.succeeded());
    let name = made["case"]["name"].as_str().unwrap();
    holds("buf curl: creates a case");

    let get = json!({ "name": name });
    let got = read(&call(&here, "CaseService/GetCase", &get).await.succeeded());
    assert_eq!(got["case"]["record"]["title"], "界河暗管排污");
    let elsewhere = || async {
        let got = call(&there, "CaseService/GetCase", &get).await;
        (got.code == 0).then(|| read(&got.out))
    };
    let found = until("the case is in the other city", elsewhere).await;
    assert_eq!(found["case"]["etag"], got["case"]["etag"]);
    holds("buf curl: reads it here and in the other city");

    let swapped = creation(&cities.agreement, "36.531049", "115.329563");
    let refused = call(&here, "CaseService/CreateCase", &swapped).await;
    assert_ne!(refused.code, 0);
    let error = read(&refused.err);
    assert_eq!(error["code"], "invalid_argument");
    let info: details::ErrorInfo = detail(&error, "google.rpc.ErrorInfo");
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("liandong", "LON_LAT_SWAPPED"));
    let bad: details::BadRequest = detail(&error, "google.rpc.BadRequest");
    assert_eq!(bad.field_violations[0].field, "record.location");
    let said: details::LocalizedMessage = detail(&error, "google.rpc.LocalizedMessage");
    assert_eq!(said.locale, "zh-CN");
    holds("buf curl: shows an error with its details");

    let list = json!({ "parent": cities.agreement });
    let unknown = call(&cities.strangers_files(), "CaseService/ListCases", &list).await;
    assert_ne!(unknown.code, 0);
    assert!(!unknown.err.contains("ErrorInfo"), "refused in the handshake: {}", unknown.err);
    call(&here, "CaseService/ListCases", &list).await.succeeded();
    holds("buf curl: another city's certificate is refused");
}
