//! The two servers: which services stand on which port, and within what bounds.
//!
//! In scope: assembling. Out of scope: sockets and TLS ([`crate::trust::acceptor`]); what the
//! services do.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::Layer;
use tower::util::BoxCloneSyncService;

use super::agreement_service::AgreementApi;
use super::case_service::CaseApi;
use super::catalog_lists::Lists;
use super::catalog_service::CatalogApi;
use super::desk::Desk;
use super::evidence_files::EvidenceFileApi;
use super::evidence_service::EvidenceApi;
use super::front;
use super::gate::{GateLayer, GateLimits};
use super::meeting_service::MeetingApi;
use super::node_service::NodeApi;
use super::notice_service::NoticeApi;
use super::peer_service::PeerApi;
use super::plan_service::PlanApi;
use super::referral_service::ReferralApi;
use super::site_service::SiteApi;
use super::under_way::WritesUnderWay;
use super::unit_service::UnitApi;
use crate::audit::Audit;
use crate::console::api::{Api, Services};
use crate::console::map_ground::Ground;
use crate::console::ticket::{self, Tickets};
use crate::console::{self, Console};
use crate::domain::catalogue::Catalogue;
use crate::limits::{
    API_ANSWER_BYTES_MAX, API_MESSAGE_BYTES_MAX, API_STREAMS_MAX, CALL_HEADERS_BYTES_MAX,
    EVIDENCE_RECEIPTS_MAX, PEER_CALL_MS_MAX, PEER_MESSAGE_BYTES_MAX, PEER_STREAMS_MAX,
};
use crate::node::alert::Alerts;
use crate::node::due::Due;
use crate::node::plan_roll::PlanRoll;
use crate::node::ringer::Reached;
use crate::node::roll::Roll;
use crate::node::roster::Roster;
use crate::node::same_act::SameActs;
use crate::node::search::Search;
use crate::node::writer::NodeHandle;
use crate::trust::acceptor::Conn;
use crate::wire::DESCRIPTORS;
use crate::wire::pb::peer_v1::peer_service_server::PeerServiceServer;
use crate::wire::pb::v1::agreement_service_server::AgreementServiceServer;
use crate::wire::pb::v1::case_service_server::CaseServiceServer;
use crate::wire::pb::v1::catalog_service_server::CatalogServiceServer;
use crate::wire::pb::v1::evidence_file_service_server::EvidenceFileServiceServer;
use crate::wire::pb::v1::evidence_service_server::EvidenceServiceServer;
use crate::wire::pb::v1::meeting_service_server::MeetingServiceServer;
use crate::wire::pb::v1::node_service_server::NodeServiceServer;
use crate::wire::pb::v1::notice_service_server::NoticeServiceServer;
use crate::wire::pb::v1::plan_service_server::PlanServiceServer;
use crate::wire::pb::v1::referral_service_server::ReferralServiceServer;
use crate::wire::pb::v1::site_service_server::SiteServiceServer;
use crate::wire::pb::v1::unit_service_server::UnitServiceServer;

/// What the api port offers, as reflection names it.
const API_SERVICES: [&str; 14] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "liandong.v1.AgreementService",
    "liandong.v1.CaseService",
    "liandong.v1.CatalogService",
    "liandong.v1.EvidenceFileService",
    "liandong.v1.EvidenceService",
    "liandong.v1.ReferralService",
    "liandong.v1.MeetingService",
    "liandong.v1.NodeService",
    "liandong.v1.NoticeService",
    "liandong.v1.SiteService",
    "liandong.v1.UnitService",
    "liandong.v1.PlanService",
];

/// Why a port could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Listening or serving failed.
    #[error("the server ended")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors of this program cannot be served.
    #[error("reflection could not be set up")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves member cities' nodes until `stop`. Connections end at the age of `age`.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_peers(
    peers: PeerApi,
    age: Duration,
    incoming: impl Stream<Item = io::Result<Conn>>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let service = PeerServiceServer::new(peers)
        .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX);
    Server::builder()
        // Of a call, not of a stream, which answers at once and goes on.
        .timeout(Duration::from_millis(PEER_CALL_MS_MAX))
        .max_connection_age(jittered(age))
        .max_concurrent_streams(Some(PEER_STREAMS_MAX))
        .http2_max_header_list_size(CALL_HEADERS_BYTES_MAX)
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await?;
    Ok(())
}

/// Between two looks at what has changed, for lists: some hundred entries of a busy node.
const INDEXES_FOLLOW: Duration = Duration::from_millis(250);
/// Between two readings ahead of parties.
const SEARCH_FOLLOWS: Duration = Duration::from_secs(2);

/// A service of the api port, within the sizes of its messages.
macro_rules! sized {
    ($server:ident: $api:expr) => {
        $server::new($api)
            .max_decoding_message_size(API_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(API_ANSWER_BYTES_MAX)
    };
}

/// The door of newcomers: where it stands, and who may come in.
pub type Newcomers = (TcpListener, Tickets);

/// Serves the own city's people and systems until `stop`. Connections end at the age of `age`; an
/// enterprise is checked on site at most `checks_a_year_max` times a year.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_api(
    node: NodeHandle,
    (audit, writes, due, acts, catalogue): (Audit, WritesUnderWay, Due, SameActs, Arc<Catalogue>),
    (alerts, reached, files, ground): (Alerts, Reached, EvidenceFileApi, Ground),
    (limits, checks_a_year_max, newcomers): (GateLimits, u32, Option<Newcomers>),
    age: Duration,
    incoming: impl Stream<Item = io::Result<Conn>>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    tokio::spawn(keep_health(health, node.clone(), stop.clone()));
    let (roll, roster, planned) = (Roll::default(), Roster::default(), PlanRoll::default());
    let rolls = (roll.clone(), roster.clone(), planned.clone());
    tokio::spawn(keep_indexes(due.clone(), rolls, node.clone(), stop.clone()));
    let search = Search::default();
    tokio::spawn(keep_search(search.clone(), node.clone(), stop.clone()));
    let reflection = described().build_v1()?;
    let desk = Desk { node: node.clone(), audit: audit.clone(), writes: writes.clone() };
    let (its_desk, store) = (desk.clone(), files.store.clone());
    let checking = Arc::new(Semaphore::new(EVIDENCE_RECEIPTS_MAX));
    let evidence = sized!(EvidenceServiceServer: EvidenceApi { desk: its_desk, store, checking });
    let referrals = ReferralApi { desk: desk.clone(), catalogue: Arc::clone(&catalogue) };
    let referrals = sized!(ReferralServiceServer: referrals);
    let meetings = sized!(MeetingServiceServer: MeetingApi { desk: desk.clone() });
    let sites = sized!(SiteServiceServer: SiteApi { desk: desk.clone(), checks_a_year_max });
    let units = sized!(UnitServiceServer: UnitApi::new(desk.clone(), due.clone(), roster));
    let (its_desk, its_due) = (desk.clone(), due.clone());
    let plans = PlanApi { desk: its_desk, due: its_due, roll: planned, checks_a_year_max };
    let plans = sized!(PlanServiceServer: plans);
    let notices =
        sized!(NoticeServiceServer: NoticeApi { desk, due: due.clone(), alerts, reached });
    let files = sized!(EvidenceFileServiceServer: files);
    let lists = Lists::new(Arc::clone(&catalogue), *due.terms());
    let (its_node, its_audit, its_clock) = (node.clone(), audit.clone(), node.clone());
    let catalog = CatalogApi { node: its_node.clone(), audit: its_audit.clone(), lists };
    let catalog = sized!(CatalogServiceServer: catalog);
    let agreements = AgreementApi { node: its_node.clone(), audit: its_audit.clone() };
    let agreements = sized!(AgreementServiceServer: agreements);
    let nodes = NodeApi { node: its_node, audit: its_audit, due: due.clone() };
    let nodes = sized!(NodeServiceServer: nodes);
    let counting = Arc::new(Semaphore::new(1));
    let cases = CaseApi { node, audit, writes, due, acts, catalogue, roll, search, counting };
    let cases = sized!(CaseServiceServer: cases);
    let services = Routes::new(health_service)
        .add_service(reflection)
        .add_service(cases)
        .add_service(catalog)
        .add_service(agreements)
        .add_service(nodes)
        .add_service(notices)
        .add_service(meetings)
        .add_service(sites)
        .add_service(evidence)
        .add_service(referrals)
        .add_service(files)
        .add_service(units)
        .add_service(plans);
    let services = BoxCloneSyncService::new(GateLayer::new(limits).layer(services.prepare()));
    let pages = pages(services.clone(), its_clock, newcomers, ground, &stop);
    Server::builder()
        .max_connection_age(jittered(age))
        .max_concurrent_streams(Some(API_STREAMS_MAX))
        .http2_max_header_list_size(CALL_HEADERS_BYTES_MAX)
        .http2_keepalive_interval(Some(Duration::from_secs(60)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .add_routes(front::routes(services, pages))
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await?;
    Ok(())
}

/// The console over these services, and the door of newcomers to it.
fn pages(
    services: Services,
    node: NodeHandle,
    newcomers: Option<Newcomers>,
    ground: Ground,
    stop: &CancellationToken,
) -> Router {
    let pages = console::routes(Console {
        marks: console::done::Marks::default(),
        api: Api::new(services),
        city: node.city(),
        ground,
        changes: node.applied(),
        listening: console::events::Listening::default(),
        stop: stop.clone(),
        plan_rules: node.plan_rules(),
        today: Arc::new(move || node.today()),
    });
    if let Some((door, tickets)) = newcomers {
        tokio::spawn(let_newcomers_in(door, ticket::behind(tickets, pages.clone()), stop.clone()));
    }
    pages
}

/// Serves the door of newcomers until `stop`; it is a convenience of the demo, so that nothing else
/// ends with it.
async fn let_newcomers_in(door: TcpListener, pages: Router, stop: CancellationToken) {
    let pages = pages.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(door, pages).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "the door of newcomers is closed");
    }
}

/// What reflection tells: only what this port serves, for the descriptors hold the exchange between
/// cities too.
fn described() -> tonic_reflection::server::Builder<'static> {
    let described = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    API_SERVICES.iter().fold(described, |builder, name| builder.with_service_name(*name))
}

/// Ten per cent more or less, so that nodes started together do not redial together.
fn jittered(age: Duration) -> Duration {
    let permille = 900 + u32::try_from(uuid::Uuid::new_v4().as_u128() % 201).unwrap_or(100);
    age * permille / 1_000
}

/// Brings what lists are read from up to date, so that whoever asks finds little left to do; and
/// makes it at the start, because that walks all cases and plans. Should it end, a list does it
/// itself.
async fn keep_indexes(
    due: Due,
    rolls: (Roll, Roster, PlanRoll),
    node: NodeHandle,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        let (due, (roll, roster, plans), node) = (due.clone(), rolls.clone(), node.clone());
        let looked = tokio::task::spawn_blocking(move || {
            drop(roll.open(&node));
            drop(roster.open(&node));
            drop(plans.open(&node));
            due.look(&node);
        });
        if let Err(error) = looked.await {
            tracing::error!(%error, "lists could not be brought up to date; tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(INDEXES_FOLLOW) => {},
            () = stop.cancelled() => {},
        }
    }
}

/// Reads the parties of new and changed cases ahead, and forgets what was erased. Should it end, a
/// search reads what it needs itself.
async fn keep_search(search: Search, node: NodeHandle, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let (search, node) = (search.clone(), node.clone());
        if let Err(error) = tokio::task::spawn_blocking(move || search.follow(&node)).await {
            tracing::error!(%error, "parties could not be read ahead; tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(SEARCH_FOLLOWS) => {},
            () = stop.cancelled() => {},
        }
    }
}

/// Health as it is: whoever writes is sent elsewhere once the disk has failed, an own certificate
/// has ended or the node stops;
/// how the node is can be asked to the end.
async fn keep_health(health: HealthReporter, node: NodeHandle, stop: CancellationToken) {
    let (notices, meetings) =
        (NoticeServiceServer::<NoticeApi>::NAME, MeetingServiceServer::<MeetingApi>::NAME);
    let evidence = EvidenceServiceServer::<EvidenceApi>::NAME;
    let files = EvidenceFileServiceServer::<EvidenceFileApi>::NAME;
    let referrals = ReferralServiceServer::<ReferralApi>::NAME;
    let cases = CaseServiceServer::<CaseApi>::NAME;
    let sites = SiteServiceServer::<SiteApi>::NAME;
    let units = UnitServiceServer::<UnitApi>::NAME;
    let plans = PlanServiceServer::<PlanApi>::NAME;
    let writing = ["", cases, notices, meetings, evidence, referrals, files, sites, units, plans];
    let asking = [
        AgreementServiceServer::<AgreementApi>::NAME,
        CatalogServiceServer::<CatalogApi>::NAME,
        NodeServiceServer::<NodeApi>::NAME,
    ];
    for service in asking {
        health.set_service_status(service, ServingStatus::Serving).await;
    }
    let (mut healthy, mut presentable) = (node.healthy(), node.presentable());
    loop {
        let fit = *healthy.borrow_and_update() && *presentable.borrow_and_update();
        let serving = fit && !stop.is_cancelled();
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in writing {
            health.set_service_status(service, status).await;
        }
        tokio::select! {
            changed = healthy.changed() => if changed.is_err() {
                // The writer is gone: nothing is written any more, whatever the reason.
                for service in writing {
                    health.set_service_status(service, ServingStatus::NotServing).await;
                }
                stop.cancelled().await;
            },
            changed = presentable.changed() => if changed.is_err() { stop.cancelled().await },
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
        if stop.is_cancelled() {
            for service in writing.into_iter().chain(asking) {
                health.set_service_status(service, ServingStatus::NotServing).await;
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_server::Health;
    use tonic_health::server::HealthService;

    use super::*;
    use crate::ids::{CityCode, NodeId};
    use crate::journal::{Grown, Guard, GuardVerdict, Journal, JournalOptions, RealDisk};
    use crate::log::keys::{SigningKey, VerifyingKey};
    use crate::node::clock::{SystemClock, SystemEntropy};
    use crate::node::core::{Core, CoreParts, KeyRing, Settings};
    use crate::node::guard::GuardKeeper;
    use crate::node::reader::Reader;
    use crate::node::shell::Shell;
    use crate::node::writer;
    use crate::store::{SledStore, WriteBehind};
    use crate::trust::keys::HmacKey;

    struct NoKeys;

    impl KeyRing for NoKeys {
        fn find(&self, _: VerifyingKey) -> Option<SigningKey> {
            None
        }
    }

    /// A node of no agreement.
    fn node(folder: &Path) -> NodeHandle {
        std::fs::create_dir(folder.join("journal")).unwrap();
        let disk = RealDisk::open(&folder.join("journal")).unwrap();
        let (journal, _) = Journal::open(disk, JournalOptions::default()).unwrap();
        let store = SledStore::open(&folder.join("views")).unwrap().store;
        let rows = Arc::new(WriteBehind::synchronous(store));
        let (id, key) = (journal.journal_id(), HmacKey::new([1; 32]));
        let reader = Reader::new(Arc::clone(&rows), journal.reader(), id, key.clone());
        let city = CityCode::from_u32(371_500).unwrap();
        let settings = Settings {
            city,
            node: NodeId::new([1; 16]),
            instance: [1; 16],
            disk_low_bytes: 0,
            border_uncertain_metres: 0,
            site_checks_a_year_max: crate::limits::SITE_CHECKS_A_YEAR,
            plans: crate::node::core::PlanBasis::default(),
            log_entries_per_day_max: u64::MAX,
            log_bytes_per_day_max: u64::MAX,
            api_address: String::new(),
            peer_address: String::new(),
        };
        let parts = CoreParts {
            settings,
            journal,
            rows,
            entropy: Box::new(SystemEntropy),
            keyring: Box::new(NoKeys),
            node_key: key,
            boundaries: None,
        };
        let clock = SystemClock::start();
        let judge = |_: &Grown| GuardVerdict::Fresh;
        let core = Core::open(parts, clock.now(), &judge, &mut |_, _| {}).unwrap();
        let guard = GuardKeeper::new(folder.join("guard"), Guard::begin(None, id));
        let shell = Shell::new(clock, 60_000);
        writer::start(core, clock, guard, reader, [1; 32], city, shell).unwrap()
    }

    #[tokio::test]
    async fn a_node_without_its_writer_is_not_healthy() {
        let folder = tempfile::tempdir().unwrap();
        let node = node(folder.path());
        let (reporter, _) = tonic_health::server::health_reporter();
        let health = HealthService::from_health_reporter(reporter.clone());
        let stop = CancellationToken::new();
        let kept = tokio::spawn(keep_health(reporter, node.clone(), stop.clone()));
        let becomes = async |service: &str, wanted: ServingStatus| {
            let begun = std::time::Instant::now();
            loop {
                let request = HealthCheckRequest { service: service.to_owned() };
                let said = health.check(tonic::Request::new(request)).await;
                if said.is_ok_and(|said| said.into_inner().status == wanted as i32) {
                    return;
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "{service} is not {wanted}");
                tokio::task::yield_now().await;
            }
        };
        let (cases, nodes) =
            (CaseServiceServer::<CaseApi>::NAME, NodeServiceServer::<NodeApi>::NAME);
        becomes(cases, ServingStatus::Serving).await;
        // The thread ends, as it would by a panic; the process and its ports go on.
        node.stop().await;
        becomes(cases, ServingStatus::NotServing).await;
        becomes("", ServingStatus::NotServing).await;
        becomes(nodes, ServingStatus::Serving).await;
        stop.cancel();
        becomes(nodes, ServingStatus::NotServing).await;
        kept.await.unwrap();
    }

    #[test]
    fn ages_differ_by_a_tenth_at_most() {
        let age = Duration::from_secs(1_000);
        for _ in 0..100 {
            let got = jittered(age).as_secs();
            assert!((900..=1_100).contains(&got), "{got}");
        }
    }
}
