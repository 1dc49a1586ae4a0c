//! A real node on a disk that is full, or that fails, and on one that is well again.
//!
//! The preloaded library tells of a full disk and makes calls fail with the errors of one.

use liandong::cli::connect::Client;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt;

use super::crash_points::small_segments;
use super::disk::{health, open, reason};
use super::nodes::{Nodes, until};
use super::shim::{ALL, Faults, SEGMENTS, VIEWS, Word};

const HERE: u32 = 371_500;
/// As the operating system numbers them.
const EIO: u64 = 5;
const ENOSPC: u64 = 28;

/// One node, with one case.
struct Place {
    nodes: Nodes,
    faults: Faults,
    agreement: String,
    kept: pb::Case,
}

impl Place {
    async fn new() -> Option<Self> {
        let mut nodes = Nodes::lay_out(&small_segments());
        let faults = Faults::new(&nodes.fleet.folder(HERE))?;
        faults.start(&mut nodes, HERE);
        let agreement = nodes.fleet.agreements[0].name();
        let client = nodes.client(HERE).await;
        let first = || async { open(&client, &agreement, "kept").await.ok() };
        let kept = until("a first case", first).await;
        drop(client);
        Some(Self { nodes, faults, agreement, kept })
    }

    async fn client(&self) -> Client {
        self.nodes.client(HERE).await
    }

    /// It dies and is started again, with the faults as they are set.
    async fn restart(&mut self, client: Client) -> Client {
        drop(client);
        self.nodes.kill(HERE);
        self.faults.start(&mut self.nodes, HERE);
        self.client().await
    }

    /// How many cases there are, on one page.
    async fn cases(&self, client: &Client) -> usize {
        let request = pb::ListCasesRequest {
            parent: self.agreement.clone(),
            page_size: 200,
            ..Default::default()
        };
        client.cases().list_cases(request).await.unwrap().into_inner().cases.len()
    }

    async fn refused(&self, client: &Client, id: &str) -> (Code, String, Status) {
        let status = open(client, &self.agreement, id).await.unwrap_err();
        (status.code(), reason(&status), status)
    }

    async fn reads(&self, client: &Client) {
        let request = pb::GetCaseRequest { name: self.kept.name.clone() };
        let read = client.cases().get_case(request).await.unwrap().into_inner().case.unwrap();
        assert_eq!(read.etag, self.kept.etag);
        self.cases(client).await;
    }
}

fn disk_low() -> (Code, String) {
    (Code::ResourceExhausted, "DISK_LOW".to_owned())
}

fn storage_failed() -> (Code, String) {
    (Code::Unavailable, "STORAGE_FAILED".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_reads_go_on_and_a_restart_changes_nothing() {
    let Some(mut place) = Place::new().await else { return };
    let full = |place: &Place, full: bool| {
        place.faults.set(Word::FreeTold, u64::from(full));
        place.faults.set(Word::WriteErrno, if full { ENOSPC } else { 0 });
    };
    let client = place.client().await;
    full(&place, true);
    let (code, why, status) = place.refused(&client, "two").await;
    assert_eq!((code, why), disk_low());
    assert!(status.get_error_details().retry_info().is_some(), "it says when to come back");
    place.reads(&client).await;
    assert_eq!(health(&client).await, ServingStatus::Serving);
    // It starts on the full disk as well: nothing can be written, not even the views.
    let client = place.restart(client).await;
    place.reads(&client).await;
    let (code, why, _) = place.refused(&client, "two").await;
    assert_eq!((code, why), disk_low());
    // Space comes back, and nobody restarts anything.
    full(&place, false);
    open(&client, &place.agreement, "two").await.unwrap();
    place.reads(&client).await;
    assert!(place.faults.get(Word::Failed) > 0, "nothing failed: the test tests nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_that_finds_no_space_leaves_nothing_behind() {
    let Some(mut place) = Place::new().await else { return };
    let client = place.client().await;
    // The disk says that there is space and has none: the first to notice is the reservation.
    place.faults.set(Word::Failing, SEGMENTS);
    place.faults.set(Word::ReserveErrno, ENOSPC);
    let mut opened = 0;
    let refused = loop {
        let mut request = super::nodes::opening(&place.agreement, 0, &format!("big-{opened}"));
        request.record.as_mut().unwrap().summary = "摘".repeat(7_000);
        match client.cases().create_case(request).await {
            Ok(_) => opened += 1,
            Err(status) => break status,
        }
        assert!(opened < 100, "no segment was ever full");
    };
    assert_eq!((refused.code(), reason(&refused)), disk_low());
    place.reads(&client).await;
    assert_eq!(health(&client).await, ServingStatus::Serving);
    place.faults.set(Word::ReserveErrno, 0);
    for id in ["after", "and-on"] {
        open(&client, &place.agreement, id).await.unwrap();
    }
    let client = place.restart(client).await;
    assert_eq!(place.cases(&client).await, opened + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_or_sync_that_fails_is_never_acknowledged_or_tried_again() {
    let rows = [(Word::WriteErrno, EIO), (Word::WriteErrno, ENOSPC), (Word::SyncErrno, ENOSPC)];
    for (nth, (word, error)) in rows.into_iter().enumerate() {
        let Some(mut place) = Place::new().await else { return };
        let client = place.client().await;
        place.faults.set(Word::Failing, SEGMENTS);
        place.faults.set(word, error);
        let (code, why, _) = place.refused(&client, "lost").await;
        assert_eq!((code, why), storage_failed(), "row {nth}");
        // Well again, but what it made of the failed write nobody knows.
        place.faults.set(word, 0);
        let (code, why, _) = place.refused(&client, "later").await;
        assert_eq!((code, why), storage_failed(), "row {nth}");
        until("health says so", || async {
            (health(&client).await == ServingStatus::NotServing).then_some(())
        })
        .await;
        place.reads(&client).await;
        let client = place.restart(client).await;
        for id in ["kept", "lost", "later"] {
            open(&client, &place.agreement, id).await.unwrap();
        }
        assert_eq!(health(&client).await, ServingStatus::Serving);
    }
}

/// Rows are written behind the journal: their failure costs no write that was acknowledged. Once the
/// engine itself has noticed, which it does by its own clock, nothing is decided on its rows any
/// more: writes are refused until a restart.
#[tokio::test(flavor = "multi_thread")]
async fn views_that_cannot_be_written_cost_nothing_that_was_acknowledged() {
    let Some(mut place) = Place::new().await else { return };
    let client = place.client().await;
    place.faults.set(Word::Failing, VIEWS);
    place.faults.set(Word::WriteErrno, EIO);
    place.faults.set(Word::SyncErrno, EIO);
    let mut kept = 1;
    let mut written = |opened: Result<pb::Case, Status>| match opened {
        Ok(_) => kept += 1,
        Err(status) => assert_eq!((status.code(), reason(&status)), storage_failed()),
    };
    for n in 0..20 {
        written(open(&client, &place.agreement, &format!("more-{n}")).await);
    }
    until("the views have failed", || async { (place.faults.get(Word::Failed) > 0).then_some(()) })
        .await;
    written(open(&client, &place.agreement, "last").await);
    // Well again before it dies; what has failed is not tried again.
    place.faults.set(Word::Failing, ALL);
    place.faults.set(Word::WriteErrno, 0);
    place.faults.set(Word::SyncErrno, 0);
    let client = place.restart(client).await;
    assert_eq!(place.cases(&client).await, kept);
    open(&client, &place.agreement, "after").await.unwrap();
    place.reads(&client).await;
}
