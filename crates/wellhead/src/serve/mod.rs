//! `wellhead serve`: both planes in one process. Start reading at [`run`]: what is brought up in which order, and why.

mod banner;
mod drain;
mod logging;
mod offers;
mod plane;
mod practice;

use anyhow::Context;
use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;
use wellhead_catalog::Catalog;
use wellhead_config::Snapshot;
use wellhead_config::snapshot;
use wellhead_control::{
    ConfigSource, Configurator, ConfiguratorOptions, ControlOptions, ControlPlane, FirstLoadError,
};
use wellhead_net::{
    Drain, Runtime, ServeLimits, WorkerHandles, bind_all, bind_one, serve_connections, spawn_workers,
};
use wellhead_proxy::{Deferred, Gateway, GatewayOptions};
use wellhead_store::{DataDir, SqliteStore};
use wellhead_telemetry::{AccessLog, Conventions, Metrics, OtlpOptions, Telemetry, TelemetryOptions};

/// Exit code for an invalid configuration.
const EXIT_INVALID_CONFIG: u8 = 3;
/// More workers than this bring nothing on the machines that gateways run on (decision 3).
const WORKERS_MAX: usize = 8;
/// How often idle upstream connections are looked through.
const REAP_EVERY: Duration = Duration::from_secs(10);

/// Options of `wellhead serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ServeArgs {
    /// Configuration file; without one, the practice provider is served.
    #[arg(long, short, value_name = "FILE", env = "WELLHEAD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Directory for keys, accounts and state.
    #[arg(long, value_name = "DIR", env = "WELLHEAD_DATA_DIR", default_value = "wellhead-data")]
    pub(crate) data_dir: PathBuf,
    /// Address for applications, instead of the configuration's.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address for administration, instead of the configuration's.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) admin: Option<SocketAddr>,
    /// Host names under which the admin listener may be addressed, besides IP addresses and localhost.
    #[arg(long = "admin-host", value_name = "NAME", env = "WELLHEAD_ADMIN_HOSTS", value_delimiter = ',')]
    pub(crate) admin_hosts: Vec<String>,
}

/// Runs until a signal ends it.
///
/// # Errors
/// When something that it needs cannot be had: the message says what, and what to do.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let _writes_the_rest_when_dropped = logging::start();
    raise_descriptor_limit();
    let data_dir = Arc::new(DataDir::open(&args.data_dir)?);
    let control = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("control")
        .enable_all()
        .build()
        .context("the control runtime could not be started")?;
    let handle = control.handle().clone();
    control.block_on(async {
        // The practice provider is there before the configuration that names it.
        let practice = practice::start(args).await?;
        let configurator = configurator(args, &data_dir, practice.as_ref()).await?;
        let first = match configurator.load_first().await {
            Ok(first) => first,
            Err(FirstLoadError::Invalid(diagnostics)) => {
                banner::invalid(&diagnostics);
                return Ok(ExitCode::from(EXIT_INVALID_CONFIG));
            }
            Err(error) => return Err(error.into()),
        };
        let mut boot = (*first.snapshot.boot).clone();
        boot.gateway = args.listen.unwrap_or(boot.gateway);
        if let Some(admin) = args.admin {
            // In the file this needs `server: {admin_exposed: true}`; the command line has no such consent.
            anyhow::ensure!(
                admin.ip().is_loopback() || !boot.admin.ip().is_loopback(),
                "--admin {admin} would expose the management API beyond this machine; set `listen.admin` and \
                 `server.admin_exposed: true` in the configuration instead"
            );
            boot.admin = admin;
        }
        // Listeners before anything is announced: a taken port must fail at once.
        let listeners = Listeners::bind(&boot)?;
        let (gateway_at, admin_at) = (listeners.gateway_address()?, listeners.admin.local_addr()?);
        let data =
            DataPlane::start(&boot, &first.snapshot, listeners.gateway, &data_dir, &handle, gateway_at)?;
        let plane = ControlPlane::start(ControlOptions {
            configurator: configurator.clone(),
            data_plane: Arc::new(plane::Plane::new(
                data.gateway.clone(),
                data.metrics.clone(),
                data.drain.clone(),
            )),
            listener: listeners.admin,
            token: data_dir.admin_token().clone(),
            hosts: args.admin_hosts.clone(),
        })
        .await?;
        data_dir.write_admin_address(admin_at)?;
        let key = practice::key(practice.as_ref(), &configurator, &first).await?;
        banner::Banner {
            first: &first,
            source: configurator.status().source.clone(),
            data_dir: &data_dir,
            gateway: gateway_at,
            admin: admin_at,
            practice_key: key,
            offers: if practice.is_some() { offers::found() } else { Vec::new() },
            ready_in: started.elapsed(),
        }
        .print();
        notify_systemd();
        drain::reopen_logs_on_hangup(data.telemetry.clone());
        drain::until_stopped(&data.drain, &boot, &data.gateway, data.workers, data.replay).await;
        plane.shutdown().await;
        let telemetry = data.telemetry;
        tokio::task::spawn_blocking(move || telemetry.shutdown()).await?;
        Ok(ExitCode::SUCCESS)
    })
}

async fn configurator(
    args: &ServeArgs,
    data_dir: &Arc<DataDir>,
    practice: Option<&practice::Practice>,
) -> anyhow::Result<Arc<Configurator>> {
    let source = match (&args.config, practice) {
        (Some(path), _) => ConfigSource::File(path.clone()),
        (None, Some(practice)) => practice.source(),
        (None, None) => anyhow::bail!("neither a configuration nor the practice provider"),
    };
    let catalog = Catalog::builtin().context("the built-in catalogue is damaged")?;
    let kinds: Vec<_> = catalog.kinds().cloned().collect();
    let store = SqliteStore::open(&data_dir.database()).await?;
    Ok(Configurator::new(ConfiguratorOptions {
        source,
        data_dir: data_dir.clone(),
        store,
        kinds: Arc::new(kinds),
    }))
}

/// Sockets that are bound before anything else happens.
struct Listeners {
    gateway: Vec<TcpListener>,
    admin: TcpListener,
}

impl Listeners {
    fn bind(boot: &snapshot::Boot) -> anyhow::Result<Self> {
        let workers = if boot.shared_runtime { 1 } else { workers(boot.workers) };
        let taken = |address, what: &str| {
            format!(
                "cannot listen on {address} for {what}; is another gateway running? Choose another with `listen:` or --{}",
                if what == "administration" { "admin" } else { "listen" }
            )
        };
        Ok(Self {
            gateway: bind_all(boot.gateway, workers).with_context(|| taken(boot.gateway, "applications"))?,
            admin: bind_one(boot.admin).with_context(|| taken(boot.admin, "administration"))?,
        })
    }

    fn gateway_address(&self) -> anyhow::Result<SocketAddr> {
        let first = self.gateway.first().context("no listener for applications")?;
        Ok(first.local_addr()?)
    }
}

fn workers(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX),
        n => n,
    }
}

/// The running data plane.
struct DataPlane {
    gateway: Arc<Gateway>,
    metrics: Arc<Metrics>,
    telemetry: Arc<Telemetry>,
    drain: Drain,
    workers: WorkerHandles,
    /// Answers deferred requests.
    replay: JoinHandle<()>,
}

impl DataPlane {
    fn start(
        boot: &snapshot::Boot,
        snapshot: &Arc<Snapshot>,
        listeners: Vec<TcpListener>,
        data_dir: &DataDir,
        control: &Handle,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), unix_s));
        let telemetry = Arc::new(Telemetry::start(TelemetryOptions {
            access_log: access_log(&boot.access_log),
            workers: listeners.len(),
            metrics: metrics.clone(),
            otlp: boot.otlp_endpoint.as_ref().map(|endpoint| OtlpOptions {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                conventions: Conventions::from_opt_in(
                    &std::env::var("OTEL_SEMCONV_STABILITY_OPT_IN").unwrap_or_default(),
                ),
                ..OtlpOptions::new(endpoint.clone(), control.clone())
            }),
        })?);
        let drain = Drain::default();
        let options = GatewayOptions {
            hasher: data_dir.hasher(),
            telemetry: telemetry.clone(),
            metrics: metrics.clone(),
            drain: drain.clone(),
            seed: seed(),
            base_url: format!("http://{address}/v1"),
            trace_always: boot.otlp_endpoint.is_some(),
            spill_dir: data_dir.path().to_owned(),
            deferred: Deferred::open(data_dir.path().join("deferred"))
                .context("the requests that are to be answered later cannot be read")?,
        };
        let gateway = Gateway::new(options, snapshot);
        let runtime = if boot.shared_runtime { Runtime::Shared } else { Runtime::PerCore };
        let main = worker_main(&gateway, snapshot, &drain);
        let replay = wellhead_proxy::start_replay(&gateway, listeners.len())?;
        let workers = spawn_workers(listeners, runtime, workers(boot.workers), main)?;
        Ok(Self { gateway, metrics, telemetry, drain, workers, replay })
    }
}

fn worker_main(gateway: &Arc<Gateway>, snapshot: &Snapshot, drain: &Drain) -> Arc<wellhead_net::WorkerMain> {
    let limits = ServeLimits {
        connections_max: snapshot.limits.connections_max,
        header_timeout: snapshot.limits.header_timeout,
        header_bytes_max: snapshot.limits.header_bytes_max,
        streams_max: 256,
    };
    let (gateway, drain, open) = (gateway.clone(), drain.clone(), Arc::<AtomicUsize>::default());
    Arc::new(move |number, listener| {
        let worker = gateway.worker(number);
        let (limits, drain, open) = (limits.clone(), drain.clone(), open.clone());
        Box::pin(async move {
            let reaper = worker.clone();
            let reaping = tokio::spawn(async move {
                let mut ticks = tokio::time::interval(REAP_EVERY);
                loop {
                    ticks.tick().await;
                    reaper.reap();
                }
            });
            serve_connections(listener, limits, drain, open, move |request, _peer| {
                wellhead_proxy::serve(worker.clone(), request)
            })
            .await;
            reaping.abort();
        })
    })
}

fn access_log(configured: &snapshot::AccessLog) -> AccessLog {
    match configured {
        snapshot::AccessLog::Stdout => AccessLog::Stdout { tty: std::io::stdout().is_terminal() },
        snapshot::AccessLog::File(path) => AccessLog::File(path.clone()),
        snapshot::AccessLog::Off => AccessLog::Off,
    }
}

/// The system's randomness through the standard library's hash seeds: ids and jitter need no more.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

/// Thousands of streams need two sockets each; the soft limit is usually 1,024 for historical reasons only.
#[expect(unsafe_code, reason = "two system calls on a struct of our own; no crate in use wraps them")]
fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a valid pointer to an initialised struct and keep nothing of it.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 && limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// `Type=notify` units are told that the listeners are open (sd_notify(3)). Nothing to do elsewhere.
fn notify_systemd() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let Some(text) = path.to_str() else { return };
    let address = match text.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(text),
    };
    let told = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address));
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager could not be told that the gateway is ready");
    }
}
