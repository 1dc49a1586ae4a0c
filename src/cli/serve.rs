//! `liandong serve`: a node of one city, until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use crate::audit::Audit;
use crate::config::{Config, Port};
use crate::console::map_ground::Ground;
use crate::domain::calendar::{Term, WorkCalendar};
use crate::domain::catalogue::Catalogue;
use crate::domain::deadline::Terms;
use crate::domain::plan::ready::PlanRules;
use crate::geo::Boundaries;
use crate::journal::{Grown, Guard, Journal, JournalOptions, RealDisk};
use crate::lang::Lang;
use crate::log::keys::{SigningKey, VerifyingKey};
use crate::node::alert::Alerts;
use crate::node::clock::{SystemClock, SystemEntropy, wall_ms};
use crate::node::core::{Core, CoreParts, Entropy, Input, KeyRing, PlanBasis, Settings};
use crate::node::due::Due;
use crate::node::guard::GuardKeeper;
use crate::node::nudge::Nudger;
use crate::node::reader::Reader;
use crate::node::ringer::Reached;
use crate::node::same_act::SameActs;
use crate::node::scrub::Scrub;
use crate::node::shell::Shell;
use crate::node::writer::{self, NodeHandle};
use crate::rpc::evidence_fetch::Holder;
use crate::rpc::gate::GateLimits;
use crate::rpc::peer_service::PeerApi;
use crate::rpc::server;
use crate::rpc::under_way::WritesUnderWay;
use crate::store::{SledStore, WriteBehind};
use crate::trust::keys::{self, HmacKey};

mod calendar_feed;
mod catalogue;
mod evidence;
mod files;
mod inbox;
mod links;
pub mod newcomers;
mod progress;
mod reload;

use self::newcomers::NewcomersArgs;
use self::progress::Progress;
use self::reload::Reload;

/// How often the inbox is looked at and the core hears that time has passed.
const TICK: Duration = Duration::from_millis(250);

/// How long open streams may go on once the node is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// Arguments of `serve`.
#[derive(clap::Args, Debug)]
pub struct ServeArgs {
    /// 配置文件 · configuration file
    #[arg(long, default_value = "liandong.toml")]
    pub config: PathBuf,
    /// 拒绝使用 liandong pki 试用证书 · refuse certificates made by `liandong pki`
    #[arg(long)]
    pub production: bool,
    /// 只供本市使用，不与其他市连接，供检修和演练；记录留待恢复连接后送达 · serve the own city only and
    /// talk to no other one, for maintenance and drills; what is recorded goes out afterwards
    #[arg(long)]
    pub offline: bool,
    /// The way in for newcomers, of the demo only.
    #[command(flatten)]
    pub newcomers: NewcomersArgs,
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
    let newcomers = args.newcomers.listen(&config, lang).await?;
    crate::telemetry::init(&config.log)
        .map_err(|e| local("日志无法输出", "logging could not start", e))?;
    let catalogue = catalogue::read(&config)?;
    let reload = Reload::begin(&config, args.production, lang)?;
    let peer_listener = if args.offline { None } else { Some(listen(&config.peer).await?) };
    let api_listener = listen(&config.api).await?;
    let feed_listener = calendar_feed::listen(&config).await?;
    let clock = SystemClock::start();
    let ground = tokio::task::block_in_place(|| ground(&config))?;
    let boundaries = ground.boundaries.clone();
    let node = tokio::task::block_in_place(|| start(&config, clock, boundaries, lang))?;
    let stop = CancellationToken::new();
    reload.set_cas(&node);
    keep_ticking(&node, config.data_dir.join("inbox"), &stop);
    let dialer = links::dialer(&node, &reload, args.offline);
    let (alerts, reached) = (Alerts::default(), Reached::default());
    links::ringer(dialer.clone(), reached.clone()).start(stop.clone());
    dialer.clone().start(stop.clone());
    let store = evidence::store(&config, &node, &stop)?;
    scrub(&config, &node, &stop)?;
    tracing::info!(city = %config.city, "serving");
    let peer = peer_listener.map(|one| reload.peer_acceptor().run(one, stop.clone()));
    let api = reload.api_acceptor().run(api_listener, stop.clone());
    let newcomers = newcomers.map(|door| door.with(&config, reload.people(), reload.live()));
    reload.start(node.clone(), stop.clone());
    let age = Duration::from_secs(config.limits.connection_age_s_max);
    let audit = audit(&config, node.shell())?;
    let holder = Holder::new(node.clone(), store.clone(), audit.clone());
    let peers = PeerApi { node: node.clone(), alerts: alerts.clone(), holder };
    let serve_peer = async {
        let Some(peer) = peer else {
            stop.cancelled().await;
            return Ok(());
        };
        server::serve_peers(peers, age / 2, peer, stop.clone()).await
    };
    let gate = (gate_limits(&config), config.joint.site_checks_a_year_max, newcomers);
    let writes = WritesUnderWay::default();
    let due = due(&config)?;
    nudge(&config, &node, due.clone(), &stop);
    let acts = same_acts(&config, &node, Arc::clone(&catalogue), &stop);
    let noting = (audit.clone(), writes.clone(), due, acts, catalogue);
    let files = evidence::files((&node, &audit), store, dialer);
    evidence::check(&config, &files, &stop);
    calendar_feed::start(feed_listener, &config, &node, &stop);
    let ringing = (alerts, reached, files, ground);
    let serve_api = server::serve_api(node.clone(), noting, ringing, gate, age, api, stop.clone());
    tokio::spawn(stop_on_signal(stop.clone()));
    tokio::spawn(stop_to_start_anew(node.start_anew(), stop.clone()));
    let served = async { tokio::join!(serve_peer, serve_api) };
    let ended = tokio::select! {
        (one, two) = served => one.and(two),
        () = patience(&stop) => Ok(()),
    };
    node.stop().await;
    // What was written and not noted yet has its line before the process ends.
    let _ = tokio::time::timeout(STOP_WITHIN, writes.ended()).await;
    audit.flush();
    ended.map_err(|e| local("服务中断", "the server ended", e))?;
    match *node.start_anew().borrow() {
        true => Err(start_anew()),
        false => Ok(()),
    }
}

/// What looks for records of one act.
fn same_acts(
    config: &Config,
    node: &NodeHandle,
    catalogue: Arc<Catalogue>,
    stop: &CancellationToken,
) -> SameActs {
    let acts = SameActs::new(config.limits.same_act_metres_max, catalogue)
        .holding(config.limits.same_act_cases_max);
    acts.start(node, stop.clone());
    acts
}

/// Nudges the own city, if a hook is configured.
fn nudge(config: &Config, node: &NodeHandle, due: Due, stop: &CancellationToken) {
    if let Some(hook) = &config.hook {
        let file = config.data_dir.join("hook.json");
        let (node, hook) = (node.clone(), Arc::new(hook.clone()));
        Nudger { node, due, hook, file }.start(stop.clone());
    }
}

/// Becomes a new process with the same arguments, id and parent: whoever looks after this one need
/// not do anything. Returns only if that is not possible.
fn start_anew() -> Failure {
    use std::os::unix::process::CommandExt;
    tracing::info!("starts again: everything is folded anew");
    // The running program itself, whatever lies at its path by now.
    let mut args = std::env::args_os();
    let mut again = std::process::Command::new("/proc/self/exe");
    let error = again.arg0(args.next().unwrap_or_default()).args(args).exec();
    local("请重新启动本市节点，视图将由日志重建", "start the node again, it folds anew", error)
}

/// A suspension was lifted, or a lost manifest is here again: the node stops in order, after the
/// answer to that had time to leave.
async fn stop_to_start_anew(mut wanted: watch::Receiver<bool>, stop: CancellationToken) {
    if wanted.wait_for(|wanted| *wanted).await.is_ok() {
        tokio::time::sleep(TICK).await;
        stop.cancel();
    }
}

/// The audit of this node, checked.
fn audit(config: &Config, shell: &Shell) -> Result<Audit, Failure> {
    let folder = config.data_dir.join("audit");
    let pulse = shell.watchdog.watch("audit");
    let round = Box::new(move || pulse.done());
    Audit::start(&folder, config.limits.audit_days, wall_ms(), round)
        .map_err(|e| local("审计记录无法写入", "the audit cannot be written", e))
}

/// The own certificates as they lie on disk: what they are, last moment in seconds since
/// 1970-01-01 UTC.
///
/// # Errors
/// [`Failure`] naming the first file that cannot be used.
pub(super) fn own_certificates(config: &Config, lang: Lang) -> Result<Vec<(String, i64)>, Failure> {
    files::Files::read(config, false, lang).map(|files| files.ends(config))
}

/// Begins to read all data again, for as long as the node runs.
fn scrub(config: &Config, node: &NodeHandle, stop: &CancellationToken) -> Result<(), Failure> {
    let scrub = Scrub {
        journal: node.reader().journal(),
        shell: node.shell().clone(),
        file: config.data_dir.join("scrub.json"),
        period: Duration::from_secs(config.limits.scrub_s),
    };
    scrub.start(stop.clone()).map_err(|e| local("无法启动", "could not start", e))
}

fn gate_limits(config: &Config) -> GateLimits {
    let limits = &config.limits;
    let size = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    GateLimits {
        per_connection_max: size(limits.calls_per_connection_max),
        running_max: size(limits.calls_running_max),
        person_per_s_max: limits.person_calls_per_s_max,
        system_per_s_max: limits.system_calls_per_s_max,
        ..GateLimits::default()
    }
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
    // A disk that does not answer must not keep the process: what is synced is safe.
    tokio::time::sleep(STOP_WITHIN * 4).await;
    std::process::exit(0);
}

/// Streams that never end must not keep a node from stopping in order.
async fn patience(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(STOP_WITHIN).await;
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
    boundaries: Option<Arc<Boundaries>>,
    lang: Lang,
) -> Result<NodeHandle, Failure> {
    let mut random = SystemEntropy;
    let (mut journal_id, mut instance, mut page_key) = ([0; 16], [0; 16], [0; 32]);
    random.fill(&mut journal_id);
    random.fill(&mut instance);
    random.fill(&mut page_key);
    let disk = RealDisk::open(&config.data_dir.join("journal"));
    let disk = disk.map_err(|e| local("数据目录无法使用", "the data folder cannot be used", e))?;
    let options = JournalOptions { journal_id, segment_bytes_max: config.limits.segment_bytes_max };
    check_unused(config)?;
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
    let (id, journal_reader) = (journal.journal_id(), journal.reader());
    let (read_rows, read_key) = (Arc::clone(&rows), node_key.clone());
    let guard = open_guard(config, id, report.created)?;
    let settings = Settings {
        city: config.city,
        node: config.node,
        instance,
        disk_low_bytes: config.limits.disk_low_bytes,
        border_uncertain_metres: crate::geo::UNCERTAIN_METRES_DEFAULT,
        site_checks_a_year_max: config.joint.site_checks_a_year_max,
        plans: PlanBasis { calendar: Arc::new(calendar(config)?), rules: PlanRules::default() },
        log_entries_per_day_max: config.limits.log_entries_per_day_max,
        log_bytes_per_day_max: config.limits.log_bytes_per_day_max,
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
        boundaries,
    };
    let judge = |grown: &Grown| Guard::compare(guard.as_ref(), (id, report.created), grown);
    let mut progress = Progress::new(lang);
    let core = Core::open(parts, clock.now(), &judge, &mut |done, all| progress.at(done, all))
        .map_err(|e| local("无法启动", "could not start", e))?;
    progress.done();
    let reader = Reader::new(read_rows, journal_reader, core.feed_id(), read_key);
    let guard = Guard::going_on(guard, id);
    let keeper = GuardKeeper::new(config.guard_file.clone(), guard);
    let shell = Shell::new(clock, config.limits.task_late_s.saturating_mul(1000));
    let limits = &config.limits;
    shell.know(|known| {
        (known.disk_low_bytes, known.alone_s) = (limits.disk_low_bytes, limits.alone_s);
    });
    writer::start(core, clock, keeper, reader, page_key, config.city, shell)
        .map_err(|e| local("无法启动", "could not start", e))
}

/// Two nodes on one folder would write over each other.
fn check_unused(config: &Config) -> Result<(), Failure> {
    let held = SledStore::try_lock(&config.data_dir.join("views"))
        .map_err(|e| local("数据目录无法使用", "the data folder cannot be used", e))?;
    if held.is_some() {
        return Ok(());
    }
    let folder = config.data_dir.display();
    Err(Failure::local(format!(
        "数据目录 {folder} 正被另一个进程使用：请先停止它，或检查配置中的 data_dir · \
         {folder} is in use by another process: stop it, or check data_dir"
    )))
}

/// Reads the guard. That of a new journal is begun before anything is written to it: a guard that
/// is missing later means that the journal came from somewhere else.
fn open_guard(config: &Config, id: [u8; 16], is_new: bool) -> Result<Option<Guard>, Failure> {
    let guard = Guard::read(&config.guard_file)
        .map_err(|e| local("guard 文件无法读取", "the guard file cannot be read", e))?;
    if !is_new {
        return Ok(guard);
    }
    let guard = Guard::begin(guard, id);
    guard
        .write(&config.guard_file)
        .map_err(|e| local("guard 文件无法写入", "the guard file cannot be written", e))?;
    Ok(Some(guard))
}

/// The calendar that comes with the program and the operator's own.
pub(super) fn calendar(config: &Config) -> Result<WorkCalendar, Failure> {
    let mut calendar = WorkCalendar::shipped();
    if let Some(path) = &config.workdays_file {
        let text = std::fs::read_to_string(path)
            .map_err(|e| local("工作日历无法读取", "the workday calendar cannot be read", e))?;
        let own = WorkCalendar::parse(&text)
            .map_err(|e| local("工作日历无法使用", "the workday calendar cannot be used", e))?;
        calendar = calendar.with(own);
    }
    Ok(calendar)
}

/// The calendar and the terms that the operator has set.
fn due(config: &Config) -> Result<Due, Failure> {
    let calendar = calendar(config)?;
    let (set, usual) = (&config.deadlines, Terms::default());
    let days = |set: Option<u32>, usual| set.map_or(usual, Term::Days);
    let whole_days = |set: Option<u32>, usual| {
        set.map_or(usual, |days: u32| Term::Hours(days.saturating_mul(24)))
    };
    let workdays = |set: Option<u32>, usual| set.map_or(usual, Term::Workdays);
    let terms = Terms {
        filing: days(set.filing_days, workdays(set.filing_workdays, usual.filing)),
        filing_extension: workdays(set.filing_extension_workdays, usual.filing_extension),
        suit: set.suit_months.map_or(usual.suit, Term::Months),
        second_look: days(set.second_look_days, usual.second_look),
        crime_decision: days(set.crime_decision_days, usual.crime_decision),
        police_answer: days(set.police_answer_days, usual.police_answer),
        crime_hand_over: whole_days(set.crime_hand_over_days, usual.crime_hand_over),
        detention_answer: days(set.detention_answer_days, usual.detention_answer),
        procuratorate_copy: whole_days(set.procuratorate_copy_days, usual.procuratorate_copy),
        opinion_hand_over: days(set.opinion_hand_over_days, usual.opinion_hand_over),
        ..usual
    };
    Ok(Due::new(calendar, terms))
}

/// What maps are drawn on.
fn ground(config: &Config) -> Result<Ground, Failure> {
    Ok(Ground::new(boundaries(config)?.map(Arc::new), &config.console.map_approval))
}

/// The borders that are configured.
///
/// # Errors
/// [`Failure`] when they cannot be read or used.
pub(super) fn boundaries(config: &Config) -> Result<Option<Boundaries>, Failure> {
    let Some(path) = &config.boundaries_file else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|e| local("边界数据无法读取", "the borders cannot be read", e))?;
    let parsed = Boundaries::parse(&text);
    parsed.map(Some).map_err(|e| local("边界数据无法使用", "the borders cannot be used", e))
}

/// Tells the core that time passes, looks after the views, and hands in what lies in the inbox.
fn keep_ticking(node: &NodeHandle, inbox: PathBuf, stop: &CancellationToken) {
    let watchdog = &node.shell().watchdog;
    let views = watchdog.watch("views");
    let ticking = node.clone();
    watchdog.keep("tick", stop.clone(), move |pulse| {
        let (node, views) = (ticking.clone(), views.clone());
        async move {
            let mut interval = tokio::time::interval(TICK);
            let mut before = 0;
            loop {
                interval.tick().await;
                node.tell(Input::Tick).await;
                pulse.done();
                let (written, waits) = node.reader().written();
                if let Some(error) = node.reader().failure() {
                    views.failed(&error.to_string());
                } else if !waits || written > before {
                    views.done();
                }
                before = written;
            }
        }
    });
    let taking = node.clone();
    watchdog.keep("inbox", stop.clone(), move |pulse| {
        let (node, inbox) = (taking.clone(), inbox.clone());
        async move {
            let mut interval = tokio::time::interval(TICK);
            loop {
                interval.tick().await;
                inbox::take(&node, &inbox).await;
                pulse.done();
            }
        }
    });
}
