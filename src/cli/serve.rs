//! `liandong serve`: a node of one city, until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use super::failure::Failure;
use crate::config::{Config, Port};
use crate::geo::Boundaries;
use crate::journal::{Guard, Journal, JournalOptions, RealDisk};
use crate::lang::Lang;
use crate::limits::{API_MESSAGE_BYTES_MAX, PEER_MESSAGE_BYTES_MAX};
use crate::log::keys::{SigningKey, VerifyingKey};
use crate::node::clock::{SystemClock, SystemEntropy};
use crate::node::core::{Core, CoreParts, Entropy, Input, KeyRing, Settings};
use crate::node::dial::Dialer;
use crate::node::guard::GuardKeeper;
use crate::node::reader::Reader;
use crate::node::writer::{self, NodeHandle};
use crate::rpc::agreement_service::AgreementApi;
use crate::rpc::case_service::CaseApi;
use crate::rpc::node_service::NodeApi;
use crate::rpc::peer_service::{self, PeerApi};
use crate::store::{SledStore, WriteBehind};
use crate::trust::keys::{self, HmacKey};
use crate::wire::DESCRIPTORS;
use crate::wire::pb::peer_v1::peer_service_server::PeerServiceServer;
use crate::wire::pb::v1::agreement_service_server::AgreementServiceServer;
use crate::wire::pb::v1::case_service_server::CaseServiceServer;
use crate::wire::pb::v1::node_service_server::NodeServiceServer;

mod files;
mod inbox;
mod progress;
mod reload;

use self::progress::Progress;
use self::reload::Reload;

/// Connections are ended at this age, so that identities are checked anew.
const CONNECTION_AGE: Duration = Duration::from_secs(30 * 60);
/// How often the inbox is looked at and the core hears that time has passed.
const TICK: Duration = Duration::from_millis(250);

/// What the api port offers, as reflection names it.
const API_SERVICES: [&str; 5] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "liandong.v1.AgreementService",
    "liandong.v1.CaseService",
    "liandong.v1.NodeService",
];

/// Arguments of `serve`.
#[derive(clap::Args, Debug)]
pub struct ServeArgs {
    /// 配置文件 · configuration file
    #[arg(long, default_value = "liandong.toml")]
    pub config: PathBuf,
    /// 拒绝使用 liandong pki 试用证书 · refuse certificates made by `liandong pki`
    #[arg(long)]
    pub production: bool,
    /// 随父进程退出（供演示使用） · end with the parent process of this id (for the demo)
    #[arg(long, hide = true, value_name = "PID")]
    pub die_with_parent: Option<i32>,
}

/// Secret keys of own logs, by file.
struct FolderKeys(PathBuf);

impl KeyRing for FolderKeys {
    fn find(&self, public: VerifyingKey) -> Option<SigningKey> {
        let entries = std::fs::read_dir(&self.0).ok()?;
        let files = entries
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.extension().is_some_and(|e| e == "pem"));
        files.filter_map(|path| keys::load(&path).ok()).find(|k| k.verifying_key() == public)
    }
}

fn local(zh: &str, en: &str, why: impl std::fmt::Display) -> Failure {
    Failure::local(format!("{zh} · {en}: {why}"))
}

/// Runs a node until Ctrl-C or SIGTERM.
///
/// # Errors
/// [`Failure`] naming what keeps it from starting.
pub async fn run(args: ServeArgs, lang: Lang) -> Result<(), Failure> {
    if let Some(parent) = args.die_with_parent {
        die_with(parent)?;
    }
    let config = Config::load(&args.config).map_err(|e| Failure::local(e.text(lang)))?;
    crate::telemetry::init(&config.log)
        .map_err(|e| local("日志无法输出", "logging could not start", e))?;
    let reload = Reload::begin(&config, args.production, lang)?;
    let peer_listener = listen(&config.peer).await?;
    let api_listener = listen(&config.api).await?;
    let clock = SystemClock::start();
    let node = tokio::task::block_in_place(|| start(&config, clock, lang))?;
    let stop = CancellationToken::new();
    reload.set_cas(&node);
    tokio::spawn(tick(node.clone(), config.data_dir.join("inbox"), stop.clone()));
    let dialer = Dialer {
        node: node.clone(),
        tls: reload.peer_context(),
        own: reload.own(),
        call: Arc::new(|node, channel, end| {
            tokio::spawn(async move {
                let ended = peer_service::call(node, channel, end).await;
                ended.map_err(|status| status.message().to_owned())
            })
        }),
    };
    tokio::spawn(dialer.run(stop.clone()));
    tracing::info!(city = %config.city, "serving");
    let peer = reload.peer_acceptor().run(peer_listener, stop.clone());
    let api = reload.api_acceptor().run(api_listener, stop.clone());
    tokio::spawn(reload.run(node.clone(), stop.clone()));
    let serve_peer =
        peer_server(&node).serve_with_incoming_shutdown(peer, stop.clone().cancelled_owned());
    let serve_api =
        api_server(&node).await?.serve_with_incoming_shutdown(api, stop.clone().cancelled_owned());
    tokio::spawn(stop_on_signal(stop.clone()));
    let (one, two) = tokio::join!(serve_peer, serve_api);
    node.stop().await;
    one.and(two).map_err(|e| local("服务中断", "the server ended", e))
}

/// Asks the kernel to end this process with its parent, which may be gone already.
fn die_with(parent: i32) -> Result<(), Failure> {
    use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|e| local("无法随父进程退出", "cannot be made to end with the parent", e))?;
    // Whoever ended before the line above sends no signal any more; somebody else is the parent.
    if getppid().map(Pid::as_raw_pid) == Some(parent) {
        Ok(())
    } else {
        Err(local("父进程已退出", "the parent has ended", parent))
    }
}

async fn stop_on_signal(stop: CancellationToken) {
    let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
    stop.cancel();
    // Streams that never end must not keep the process: what is synced is safe.
    tokio::time::sleep(Duration::from_secs(2)).await;
    std::process::exit(0);
}

fn peer_server(node: &NodeHandle) -> tonic::transport::server::Router {
    let service = PeerServiceServer::new(PeerApi { node: node.clone() })
        .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX);
    Server::builder()
        .max_connection_age(CONNECTION_AGE)
        .max_concurrent_streams(Some(32))
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .add_service(service)
}

async fn api_server(node: &NodeHandle) -> Result<tonic::transport::server::Router, Failure> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<CaseServiceServer<CaseApi>>().await;
    // Only what this port serves: the descriptors hold the exchange between cities too.
    let named = API_SERVICES.iter().fold(
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET),
        |builder, name| builder.with_service_name(*name),
    );
    let reflection = named
        .build_v1()
        .map_err(|e| local("无法提供反射服务", "could not set up reflection", e))?;
    let cases = CaseServiceServer::new(CaseApi { node: node.clone() })
        .max_decoding_message_size(API_MESSAGE_BYTES_MAX);
    let agreements = AgreementServiceServer::new(AgreementApi { node: node.clone() })
        .max_decoding_message_size(API_MESSAGE_BYTES_MAX);
    let nodes = NodeServiceServer::new(NodeApi { node: node.clone() })
        .max_decoding_message_size(API_MESSAGE_BYTES_MAX);
    Ok(Server::builder()
        .max_connection_age(CONNECTION_AGE * 2)
        .max_concurrent_streams(Some(64))
        .http2_keepalive_interval(Some(Duration::from_secs(60)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(cases)
        .add_service(agreements)
        .add_service(nodes))
}

async fn listen(port: &Port) -> Result<TcpListener, Failure> {
    TcpListener::bind(port.listen).await.map_err(|e| {
        local(
            &format!("无法在 {} 上监听", port.listen),
            &format!("cannot listen on {}", port.listen),
            e,
        )
    })
}

/// Opens journal and views, replays, starts the writer.
pub(super) fn start(
    config: &Config,
    clock: SystemClock,
    lang: Lang,
) -> Result<NodeHandle, Failure> {
    let mut random = SystemEntropy;
    let (mut journal_id, mut instance, mut page_key) = ([0; 16], [0; 16], [0; 32]);
    random.fill(&mut journal_id);
    random.fill(&mut instance);
    random.fill(&mut page_key);
    let disk = RealDisk::open(&config.data_dir.join("journal"));
    let disk = disk.map_err(|e| local("数据目录无法使用", "the data folder cannot be used", e))?;
    let options = JournalOptions { journal_id, ..JournalOptions::default() };
    let views = SledStore::open(&config.data_dir.join("views"));
    let views = views.map_err(|e| local("视图无法打开", "the views will not open", e))?;
    let (journal, report) = Journal::open(disk, options)
        .map_err(|e| local("日志文件无法打开", "the journal will not open", e))?;
    for damage in &report.damage {
        tracing::error!(segment = damage.segment, from = damage.from_record, "damaged records");
    }
    let rows =
        WriteBehind::start(views.store).map_err(|e| local("无法启动", "could not start", e))?;
    let rows = Arc::new(rows);
    std::fs::create_dir_all(&config.keys_dir)
        .map_err(|e| local("密钥目录无法使用", "the keys folder cannot be used", e))?;
    let node_key = HmacKey::load_or_generate(&config.keys_dir.join("node.hmac"))
        .map_err(|e| local("节点密钥无法使用", "the node key cannot be used", e))?;
    let reader =
        Reader::new(Arc::clone(&rows), journal.reader(), journal.journal_id(), node_key.clone());
    let id = journal.journal_id();
    let guard = Guard::read(&config.guard_file)
        .map_err(|e| local("guard 文件无法读取", "the guard file cannot be read", e))?;
    let settings = Settings {
        city: config.city,
        node: config.node,
        instance,
        disk_low_bytes: config.limits.disk_low_bytes,
        border_uncertain_metres: crate::geo::UNCERTAIN_METRES_DEFAULT,
        api_address: config.api.listen.to_string(),
        peer_address: config.peer.listen.to_string(),
    };
    let parts = CoreParts {
        settings,
        journal,
        rows,
        entropy: Box::new(SystemEntropy),
        keyring: Box::new(FolderKeys(config.keys_dir.clone())),
        node_key,
        boundaries: boundaries(config)?,
    };
    let judge = |sizes: &[(crate::ids::LogId, u64)]| Guard::compare(guard.as_ref(), id, sizes);
    if guard.is_none() && report.created {
        // Before the first record: a node killed within its first second is no restored copy.
        let begun = Guard { journal_id: id, sizes: Vec::new() };
        begun
            .write(&config.guard_file)
            .map_err(|e| local("guard 文件无法写入", "the guard file cannot be written", e))?;
    }
    let mut progress = Progress::new(lang);
    let core = Core::open(parts, clock.now(), &judge, &mut |done, all| progress.at(done, all))
        .map_err(|e| local("无法启动", "could not start", e))?;
    progress.done();
    let keeper = GuardKeeper::new(config.guard_file.clone());
    writer::start(core, clock, keeper, reader, page_key, config.city)
        .map_err(|e| local("无法启动", "could not start", e))
}

fn boundaries(config: &Config) -> Result<Option<Boundaries>, Failure> {
    let Some(path) = &config.boundaries_file else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|e| local("边界数据无法读取", "the borders cannot be read", e))?;
    let parsed = Boundaries::parse(&text);
    parsed.map(Some).map_err(|e| local("边界数据无法使用", "the borders cannot be used", e))
}

/// Tells the core that time passes, and hands it what lies in the inbox.
async fn tick(node: NodeHandle, inbox: PathBuf, stop: CancellationToken) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        inbox::take(&node, &inbox).await;
        node.tell(Input::Tick).await;
    }
}
