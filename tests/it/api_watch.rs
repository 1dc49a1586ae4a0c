//! Watches: nothing is missed, nothing is told twice, and every cursor can be resumed.

use std::time::Duration;

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status, Streaming};

use super::api::{
    HERE, Pair, THERE, create, history, list_all, note, ready, refused, sample, verify,
};
use super::nodes::{Nodes, plan};

/// What must come comes within this time, even on a machine under load.
const WITHIN: Duration = Duration::from_secs(60);

async fn watch(
    client: &Client,
    parent: &str,
    cursor: &str,
) -> Result<Streaming<pb::WatchCasesResponse>, Status> {
    let request = pb::WatchCasesRequest { parent: parent.to_owned(), cursor: cursor.to_owned() };
    client.cases_streaming().watch_cases(request).await.map(tonic::Response::into_inner)
}

/// The next `count` changes, signs of life left out.
async fn changes(
    stream: &mut Streaming<pb::WatchCasesResponse>,
    count: usize,
) -> Vec<pb::WatchCasesResponse> {
    let mut got = Vec::new();
    while got.len() < count {
        let next = tokio::time::timeout(WITHIN, stream.message()).await.expect("a change comes");
        let next = next.unwrap().expect("the watch goes on");
        if !next.heartbeat {
            got.push(next);
        }
    }
    got
}

/// Positions and apply numbers of all entries about the cases of an agreement, as applied here.
async fn everything(client: &Client, agreement: &str) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    for case in list_all(client, agreement).await {
        let entries = history(client, &case.name).await;
        all.extend(entries.into_iter().map(|entry| (entry.apply_number, entry.entry)));
    }
    all.sort();
    all
}

fn apply_of(cursor: &str) -> u64 {
    cursor.rsplit(':').next().unwrap().parse().unwrap()
}

/// Writes without pause in both cities until it is told to stop.
async fn storm(pair: &Pair, stop: &tokio::sync::Notify) {
    let writes = async {
        for nth in 0.. {
            let case = pair.open(&pair.here, nth % 40).await;
            verify(&pair.here, &case).await.unwrap();
            note(&pair.here, &case.name, "补充").await.unwrap();
            pair.open(&pair.there, nth % 40).await;
        }
    };
    tokio::select! {
        () = writes => {}
        () = stop.notified() => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn list_then_watch_misses_and_repeats_nothing() {
    let pair = Pair::start().await;
    for nth in 0..30 {
        pair.open(&pair.here, nth).await;
    }
    let stop = tokio::sync::Notify::new();
    let reading = async {
        for round in 0..4 {
            let request = pb::ListCasesRequest {
                parent: pair.agreement.clone(),
                page_size: 200,
                ..Default::default()
            };
            let listed = pair.here.cases().list_cases(request).await.unwrap().into_inner();
            let as_of = apply_of(&listed.cursor);
            let mut stream = watch(&pair.here, &pair.agreement, &listed.cursor).await.unwrap();
            let told = changes(&mut stream, 12).await;
            // The list is the state as of its cursor: every case has just the entries up to it.
            for case in &listed.cases {
                let entries = history(&pair.here, &case.name).await;
                let upto = entries.iter().filter(|e| e.apply_number <= as_of).count();
                let counted = case.move_count + case.contribution_count + case.misfit_count;
                assert_eq!(counted as usize, upto, "round {round}: {}", case.number);
            }
            let all = everything(&pair.here, &pair.agreement).await;
            let want = all.iter().filter(|(apply, _)| *apply > as_of).take(told.len());
            let want: Vec<&String> = want.map(|(_, entry)| entry).collect();
            let got: Vec<&String> = told.iter().map(|change| &change.entry).collect();
            assert_eq!(got, want, "round {round}");
        }
        stop.notify_one();
    };
    tokio::join!(storm(&pair, &stop), reading);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_resumes_at_every_point() {
    let mut pair = Pair::start().await;
    let request = pb::ListCasesRequest { parent: pair.agreement.clone(), ..Default::default() };
    let start = pair.here.cases().list_cases(request).await.unwrap().into_inner().cursor;
    for nth in 0..6 {
        let case = pair.open(&pair.here, nth).await;
        verify(&pair.here, &case).await.unwrap();
        let theirs = pair.open(&pair.there, nth).await;
        pair.held(&pair.here, &theirs).await;
    }
    let mut whole = watch(&pair.here, &pair.agreement, &start).await.unwrap();
    let whole = changes(&mut whole, 18).await;
    let entries = |changes: &[pb::WatchCasesResponse]| -> Vec<(String, String)> {
        changes.iter().map(|change| (change.cursor.clone(), change.entry.clone())).collect()
    };
    for (at, change) in whole.iter().enumerate().take(17) {
        let mut rest = watch(&pair.here, &pair.agreement, &change.cursor).await.unwrap();
        let rest = changes(&mut rest, 17 - at).await;
        assert_eq!(entries(&rest), entries(&whole[at + 1..]), "behind change {at}");
    }
    // And after a crash, from the middle.
    pair.nodes.kill(HERE);
    pair.nodes.start(HERE);
    let again = pair.nodes.client(HERE).await;
    let mut rest = watch(&again, &pair.agreement, &whole[8].cursor).await.unwrap();
    assert_eq!(entries(&changes(&mut rest, 9).await), entries(&whole[9..]));
    cursors_that_are_none(&again, &pair.agreement, &start).await;
}

async fn cursors_that_are_none(client: &Client, agreement: &str, start: &str) {
    let (journal, _) = start.split_once(':').unwrap();
    let ask = |cursor: String| async move { refused(watch(client, agreement, &cursor).await) };
    let gone = (Code::OutOfRange, "CURSOR_GONE".to_owned());
    assert_eq!(ask(format!("{journal}:999999")).await, gone, "ahead of the journal");
    assert_eq!(ask(format!("{}:1", "0".repeat(32))).await, gone, "of another journal");
    for bad in ["x", "1", ":", "a:b", &format!("{journal}:-1"), &format!("{journal}:")] {
        let reason = ask((*bad).to_owned()).await;
        assert_eq!(reason, (Code::InvalidArgument, "CURSOR_FORMAT".into()), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_its_agreement_only_and_stays_alive() {
    let cities = [HERE, THERE, 371_400];
    let agreements: [(&str, &[u32]); 2] = [("聊邯", &[HERE, THERE]), ("聊德", &[HERE, 371_400])];
    let nodes = Nodes::start_all(&plan(&cities, &agreements));
    let client = nodes.client(HERE).await;
    let [one, other] = [nodes.fleet.agreements[0].name(), nodes.fleet.agreements[1].name()];
    ready(&client, &one).await;
    ready(&client, &other).await;
    let mut stream = watch(&client, &one, "").await.unwrap();
    for nth in 0..5 {
        create(&client, sample(&other, nth)).await.unwrap();
        create(&client, sample(&one, nth)).await.unwrap();
    }
    for change in changes(&mut stream, 5).await {
        assert!(change.case.unwrap().name.starts_with(&one));
    }
    // Also while the other agreement is never quiet for long.
    let busy = async {
        for nth in 0.. {
            create(&client, sample(&other, nth % 40)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let beat = tokio::select! {
        beat = tokio::time::timeout(WITHIN, stream.message()) => beat.expect("a sign of life"),
        () = busy => unreachable!("it goes on for ever"),
    };
    let beat = beat.unwrap().unwrap();
    assert!(beat.heartbeat && beat.case.is_none() && beat.entry.is_empty(), "{beat:?}");
    // The sign of life is a place to resume from, behind what was not shown.
    create(&client, sample(&one, 7)).await.unwrap();
    let mut again = watch(&client, &one, &beat.cursor).await.unwrap();
    assert_eq!(changes(&mut again, 1).await, changes(&mut stream, 1).await);
}
