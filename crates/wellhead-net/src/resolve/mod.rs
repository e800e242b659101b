//! Names to addresses, looked up once per process. Never-empty knowledge: no error, empty answer or race takes away
//! addresses that worked.
//!
//! [`names`] decides, [`background`] is the thread that asks and publishes, [`table`] is what workers read, [`servers`]
//! speaks DNS. Look-ups go to the servers of the configuration or of the system; of the other sources that a C library
//! knows, the hosts file counts.

mod background;
mod local;
mod names;
mod order;
mod partly;
mod report;
mod servers;
mod table;

pub use report::{Finding, NameReport, PartlyRefused};

use crate::SendError;
use crate::network::Network;
use background::{Background, Order};
use names::{Fault, FaultKind};
use partly::Partly;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use table::Table;
use tokio::sync::{mpsc, oneshot, watch};
use wellhead_types::{Cause, Stage};

/// What workers may have said before it was heard: one name each for every connection attempt in a burst.
const ORDERS_MAX: usize = 1_024;

/// Addresses of one name.
pub type Addresses = Arc<[SocketAddr]>;

/// Addresses, or why there are none.
type Reply = Result<Arc<[IpAddr]>, Fault>;

/// Whom to ask, and which names to keep fresh.
#[derive(Debug, Clone)]
struct Settings {
    servers: Arc<[SocketAddr]>,
    hosts: Arc<[Arc<str>]>,
    hosts_file: PathBuf,
}

/// Resolves names for all workers of a process; clones share everything. Its thread starts with the first name.
#[derive(Clone)]
pub struct Resolver(Arc<Shared>);

struct Shared {
    table: Arc<Table>,
    partly: Partly,
    settings: watch::Sender<Settings>,
    /// In the place of the machine's network, with the seed of its jitter.
    made_up: Option<(Arc<dyn Network>, u64)>,
    /// `None`: the thread could not be started.
    orders: OnceLock<Option<mpsc::Sender<Order>>>,
}

impl Default for Resolver {
    /// With the servers and the hosts file of the system.
    fn default() -> Self {
        Self::with_hosts_file("/etc/hosts")
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    /// With another hosts file (hosts(5)).
    pub fn with_hosts_file(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), None)
    }

    /// Over a network that is made up: without a hosts file, and as a task of the runtime that first needs a name.
    pub(crate) fn over(network: Arc<dyn Network>, seed: u64) -> Self {
        Self::new(PathBuf::new(), Some((network, seed)))
    }

    fn new(hosts_file: PathBuf, made_up: Option<(Arc<dyn Network>, u64)>) -> Self {
        let (settings, _) =
            watch::channel(Settings { servers: Arc::new([]), hosts: Arc::new([]), hosts_file });
        Self(Arc::new(Shared {
            table: Arc::default(),
            partly: Partly::default(),
            settings,
            made_up,
            orders: OnceLock::new(),
        }))
    }

    /// Asks these servers from now on, or those of the system if there are none, and keeps these hosts fresh even when
    /// nobody asks for them. What is known stays known.
    pub fn configure(&self, servers: &[SocketAddr], hosts: impl IntoIterator<Item = impl AsRef<str>>) {
        let mut hosts: Vec<Arc<str>> =
            hosts.into_iter().filter_map(|host| needs_servers(host.as_ref())).map(Into::into).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let start = !hosts.is_empty();
        self.0.settings.send_if_modified(|settings| {
            let changed = *settings.servers != *servers || *settings.hosts != *hosts;
            if changed {
                settings.servers = servers.into();
                settings.hosts = hosts.into();
            }
            changed
        });
        if start {
            // A thread that cannot be started is reported to the first request that needs it.
            self.orders();
        }
    }

    /// Addresses of `host`, in the order in which to try them: at once if it ever had any, whatever their age; only a
    /// name never resolved before waits for the network, a few seconds at most.
    ///
    /// # Errors
    /// No address is known, and the servers have none to tell. [`Cause::NameNotFound`] if they deny the name: for one
    /// that never had an address the first denial says so, which makes nobody lose anything; addresses that worked
    /// are given up only when it is confirmed.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Addresses, SendError> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Arc::new([SocketAddr::new(ip, port)]));
        }
        if let Some(both) = local::localhost(host) {
            return Ok(both.map(|ip| SocketAddr::new(ip, port)).into());
        }
        let because = |cause: Cause, what: &str| {
            SendError::new(Stage::Resolve, cause, format!("resolve {host}: {what}"))
        };
        let failed = |what: &str| because(Cause::DnsError, what);
        let name = host.to_ascii_lowercase();
        let with_port = |all: &[IpAddr]| all.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        if let Some(known) = self.0.table.get(&name).filter(|known| !known.addresses.is_empty()) {
            if self.0.table.tell_use(&known) {
                self.tell(Order::Want { host: name.into(), reply: None });
            }
            return Ok(with_port(&known.addresses));
        }
        let orders = self.orders().ok_or_else(|| failed("the resolver's thread could not be started"))?;
        let (reply, answer) = oneshot::channel();
        let order = Order::Want { host: name.into(), reply: Some(reply) };
        orders.send(order).await.map_err(|_| failed("the resolver has ended"))?;
        match answer.await {
            Ok(Ok(addresses)) => Ok(with_port(&addresses)),
            Ok(Err(Fault { kind: FaultKind::NoSuchName, text })) => Err(because(Cause::NameNotFound, &text)),
            Ok(Err(fault)) => Err(failed(&fault.text)),
            Err(_) => Err(failed("the resolver has ended")),
        }
    }

    /// No address of `host` could be connected to. It is looked up again soon, at most once per second.
    pub fn unreachable(&self, host: &str) {
        if let Some(host) = needs_servers(host) {
            self.tell(Order::Doubt(host.into()));
        }
    }

    /// Some addresses of `host` refused a connection to `port`, and another one answered.
    pub(crate) fn partly_refused(&self, host: &str, port: u16, refusing: Vec<IpAddr>, answering: IpAddr) {
        self.0.partly.saw(Instant::now(), host, port, refusing, answering);
    }

    /// What is known about every name, sorted by name. Names that were never needed, addresses and `localhost` are not
    /// in it, unless some of their addresses refuse connections and others do not.
    pub fn report(&self) -> Vec<NameReport> {
        let mut report = self.0.table.report();
        self.0.partly.add_to(Instant::now(), &mut report);
        report
    }

    /// A hint: when there is no room for it, it may be lost.
    fn tell(&self, order: Order) {
        if let Some(Some(orders)) = self.0.orders.get() {
            drop(orders.try_send(order));
        }
    }

    /// The way to the thread, which is started if need be.
    fn orders(&self) -> Option<&mpsc::Sender<Order>> {
        let start = || {
            let (sender, receiver) = mpsc::channel(ORDERS_MAX);
            let settings = self.0.settings.subscribe();
            let table = self.0.table.clone();
            if let Some((network, seed)) = &self.0.made_up {
                let background = Background::new(table, receiver, settings, *seed, Some(network.clone()));
                tokio::spawn(background.run());
                return Ok(sender);
            }
            let background = Background::new(table, receiver, settings, seed(), None);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let run = move |runtime: tokio::runtime::Runtime| runtime.block_on(background.run());
            let started = runtime.and_then(|runtime| {
                std::thread::Builder::new().name("names".to_owned()).spawn(move || run(runtime))
            });
            started.map(|_runs_by_itself| sender).inspect_err(|error| {
                tracing::error!(%error, "names cannot be resolved: no thread");
            })
        };
        self.0.orders.get_or_init(|| start().ok()).as_ref()
    }
}

/// The name in lower case, unless it is an address or `localhost`.
fn needs_servers(host: &str) -> Option<String> {
    let named = host.parse::<IpAddr>().is_err() && local::localhost(host).is_none();
    named.then(|| host.to_ascii_lowercase())
}

/// The standard library's hash seeds: jitter needs no better randomness.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
