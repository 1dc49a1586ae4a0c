//! How a node is: counted bytes, equal fold hashes, the audit.

use std::collections::BTreeSet;
use std::time::Instant;

use liandong::cli::connect::Client;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use serde_json::Value;

use super::api::{HERE, Pair, THERE, fresh, get, history, list_all, note, verify};
use super::nodes::{WITHIN, until, until_or};

async fn fold(client: &Client, agreement: &str) -> pb::GetFoldHashResponse {
    let request = pb::GetFoldHashRequest { agreement: agreement.to_owned() };
    client.nodes().get_fold_hash(request).await.unwrap().into_inner()
}

async fn status(client: &Client) -> pb::Status {
    let answer = client.nodes().get_status(pb::GetStatusRequest {}).await.unwrap();
    answer.into_inner().status.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_show_how_they_are_and_that_they_agree() {
    let pair = Pair::start().await;
    for nth in 0..6 {
        let case = pair.open(&pair.here, nth).await;
        verify(&pair.here, &case).await.unwrap();
        pair.open(&pair.there, nth).await;
    }
    let (here, there) = until("both have applied the same", || async {
        let here = fold(&pair.here, &pair.agreement).await;
        let there = fold(&pair.there, &pair.agreement).await;
        (here.heads == there.heads && here.case_count == 12).then_some((here, there))
    })
    .await;
    assert_eq!(here, there);
    assert_eq!(here.heads.len(), 2);
    assert_eq!(here.fold_hash.len(), 64);
    let request = pb::ListLogsRequest { parent: pair.agreement.clone() };
    let logs = pair.here.nodes().list_logs(request).await;
    for log in logs.unwrap().into_inner().logs {
        let head = here.heads.iter().find(|head| head.log_id == log.log_id).unwrap();
        assert_eq!((head.size, &head.root), (log.applied_size, &log.root));
        assert_eq!((log.stored_size, log.lag_entries), (log.applied_size, 0));
        let source = if log.own { 0 } else { THERE };
        assert_eq!((log.last_source, log.own), (source, log.city == HERE));
    }
    let any = list_all(&pair.here, &pair.agreement).await.remove(0);
    note(&pair.here, &any.name, "又一条").await.unwrap();
    assert_ne!(fold(&pair.here, &pair.agreement).await.fold_hash, here.fold_hash);
    for client in [&pair.here, &pair.there] {
        let status = status(client).await;
        let [link] = status.links.as_slice() else { panic!("{:?}", status.links) };
        assert_eq!(link.state(), pb::LinkState::Up);
        assert!(link.received_bytes > 1_000 && link.sent_bytes > 1_000, "{link:?}");
        assert!(status.writable && status.pid > 0 && status.apply_number >= 18);
        assert!(!status.version.is_empty() && status.disk_free_bytes > 0);
        // Whether the holidays of the next year should be known depends on when the test runs.
        let years = !status.missing_calendar_years.is_empty();
        let of_years = status.warnings.iter().filter(|w| w.contains("workdays_file")).count();
        assert_eq!((status.warnings.len(), of_years), (usize::from(years), usize::from(years)));
    }
}

/// The audit of a city, once it has this many lines.
async fn audit(pair: &Pair, code: u32, count: usize) -> Vec<Value> {
    let folder = pair.nodes.fleet.folder(code).join("data/audit");
    until("the audit is written", || async {
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(&folder).ok()? {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            // The last one may still be being written.
            let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            lines.extend(whole.map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
        (lines.len() >= count).then_some(lines)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_looks_at_other_cities_leave_a_line() {
    let mut pair = Pair::start().await;
    let case = pair.open(&pair.here, 3).await;
    get(&pair.here, &case.name).await.unwrap();
    history(&pair.here, &case.name).await;
    list_all(&pair.here, &pair.agreement).await;
    let stale = pb::Case { etag: format!("{}:9", "0".repeat(64)), ..case.clone() };
    verify(&pair.here, &stale).await.unwrap_err();
    let lines = audit(&pair, HERE, 2).await;
    assert_eq!(lines.len(), 2, "looking at own records leaves none: {lines:?}");
    assert_eq!(lines[0]["method"], "/liandong.v1.CaseService/CreateCase");
    assert_eq!(lines[0]["who"], format!("{HERE}/coordinator/{HERE}99001"));
    assert_eq!(
        (&lines[0]["name"], &lines[0]["entry"]),
        (&case.name.as_str().into(), &case.etag.as_str().into())
    );
    assert!(lines[0]["from"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(lines[1]["outcome"], "STALE_ETAG");
    // The other city looks.
    pair.held(&pair.there, &case).await;
    let auditor = pair.nodes.client_as(THERE, Role::Auditor).await;
    get(&auditor, &case.name).await.unwrap();
    history(&auditor, &case.name).await;
    list_all(&auditor, "agreements/-").await;
    let by_auditor = |line: &Value| line["who"].as_str().unwrap().contains("/auditor/");
    let lines = until("the three looks are noted", || async {
        let lines = audit(&pair, THERE, 3).await;
        let lines: Vec<Value> = lines.into_iter().filter(by_auditor).collect();
        (lines.len() >= 3).then_some(lines)
    })
    .await;
    let methods: Vec<&str> = lines.iter().map(|line| line["method"].as_str().unwrap()).collect();
    let want = ["GetCase", "GetCaseHistory", "ListCases"];
    assert_eq!(methods, want.map(|method| format!("/liandong.v1.CaseService/{method}")));
    assert!(lines.iter().all(|line| line["cases"] == 1), "{lines:?}");
    // A line taken out shows at the next start.
    let folder = pair.nodes.fleet.folder(HERE).join("data/audit");
    liandong::audit::check(&folder).unwrap();
    let before = fresh();
    pair.nodes.kill(HERE);
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("CreateCase", "DeleteCase", 1)).unwrap();
    pair.nodes.start(HERE);
    let again = pair.nodes.client(HERE).await;
    let warnings = status(&again).await.warnings;
    assert!(warnings.iter().any(|warning| warning.contains("审计")), "{warnings:?} {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_leaves_its_line_too() {
    let pair = Pair::start().await;
    let case = pair.open(&pair.here, 3).await;
    let begun = Instant::now();
    note(&pair.here, &case.name, "等到答复").await.unwrap();
    let whole = begun.elapsed();
    let (patient, mut told) = (history(&pair.here, &case.name).await.len(), 0);
    // Now and then before the node has the call, now and then while it is being written. How long
    // that takes depends on the machine: on until there is one that nobody was told of.
    let begun = Instant::now();
    loop {
        for parts in 0..24_u32 {
            let call = note(&pair.here, &case.name, "放弃等待");
            let answered = tokio::time::timeout(whole * parts / 24, call).await;
            told += usize::from(answered.is_ok_and(|answer| answer.is_ok()));
        }
        if history(&pair.here, &case.name).await.len() > patient + told {
            break;
        }
        assert!(begun.elapsed() < WITHIN, "none of those given up was written, {told} were told");
    }
    let entries = history(&pair.here, &case.name).await;
    let unnoted = || async {
        let lines = audit(&pair, HERE, 2).await;
        let noted: BTreeSet<&str> =
            lines.iter().filter_map(|line| line["entry"].as_str()).collect();
        let all = entries.iter().map(|e| e.entry.as_str());
        all.filter(|e| !noted.contains(e)).map(str::to_owned).collect::<Vec<_>>()
    };
    until_or(
        "every entry has its line",
        || async { unnoted().await.is_empty().then_some(()) },
        || async { format!("{:?} of {}", unnoted().await, entries.len()) },
    )
    .await;
}
