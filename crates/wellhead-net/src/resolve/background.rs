//! The one thread per process that looks names up. It owns what is known, and publishes sets for the workers.

use super::local::{Hosts, Watched};
use super::names::{Answer, Ask, Facts, Family, Fault, FaultKind, Names, Told, Verdict};
use super::order::{has_route, ordered};
use super::servers::Servers;
use super::table::Table;
use super::{Reply, Settings};
use crate::network::{NameAnswer, Network};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// Requests that wait for a first answer, over all names. More than the connections that clients can have by default.
const WAITERS_MAX: usize = 32_768;
/// How often the system's list of servers is looked at.
const SYSTEM_EVERY: Duration = Duration::from_secs(5);
/// How often names are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// The system's list of servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What workers have to say.
#[derive(Debug)]
pub(super) enum Order {
    /// This name is in use; who has no address yet waits for one.
    Want { host: Arc<str>, reply: Option<oneshot::Sender<Reply>> },
    /// No address of this name could be connected to.
    Doubt(Arc<str>),
}

type Done = (Arc<str>, Family, Told);

/// State of the thread.
pub(super) struct Background {
    table: Arc<Table>,
    orders: mpsc::Receiver<Order>,
    settings: watch::Receiver<Settings>,
    names: Names,
    servers: Arc<Servers>,
    hosts: Hosts,
    system: Watched,
    /// In the place of servers, files and routes.
    made_up: Option<Arc<dyn Network>>,
    running: JoinSet<Done>,
    waiting: HashMap<Arc<str>, Vec<oneshot::Sender<Reply>>>,
    waiters: usize,
    look_at_system: Duration,
    sweep_at: Duration,
}

impl Background {
    pub(super) fn new(
        table: Arc<Table>,
        orders: mpsc::Receiver<Order>,
        settings: watch::Receiver<Settings>,
        seed: u64,
        made_up: Option<Arc<dyn Network>>,
    ) -> Self {
        let hosts = Hosts::new(&settings.borrow().hosts_file);
        Self {
            table,
            orders,
            settings,
            names: Names::new(seed),
            servers: Arc::new(Servers::explicit(&[])),
            hosts,
            system: Watched::new(RESOLV_CONF),
            made_up,
            running: JoinSet::new(),
            waiting: HashMap::new(),
            waiters: 0,
            look_at_system: Duration::ZERO,
            sweep_at: SWEEP_EVERY,
        }
    }

    /// Works until nobody can ask any more.
    pub(super) async fn run(mut self) {
        self.system.has_changed();
        self.configure();
        loop {
            self.start_due();
            self.sweep();
            let next = self.names.next_due().unwrap_or(self.sweep_at).min(self.sweep_at);
            let pause = next.saturating_sub(self.table.now());
            // In this order and not in a random one: what happens must follow from the seed alone.
            tokio::select! {
                biased;
                // Look-ups always answer: what breaks within them is an answer as well.
                Some(Ok((host, family, told))) = self.running.join_next() => self.answered(&host, family, told),
                changed = self.settings.changed() => match changed {
                    Ok(()) => self.configure(),
                    Err(_) => return,
                },
                order = self.orders.recv() => match order {
                    Some(Order::Want { host, reply }) => self.want(host, reply),
                    Some(Order::Doubt(host)) => self.names.doubt(self.table.now(), &host),
                    None => return,
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn configure(&mut self) {
        let settings = self.settings.borrow_and_update().clone();
        let servers = if self.made_up.is_some() {
            settings.servers.len()
        } else {
            self.servers = Arc::new(match &*settings.servers {
                [] => Servers::of_the_system(),
                explicit => Servers::explicit(explicit),
            });
            self.servers.len()
        };
        let left_out = self.names.configure(self.table.now(), &settings.hosts, servers);
        if left_out > 0 {
            tracing::warn!(
                names = left_out,
                "too many host names; these are looked up when they are asked for"
            );
        }
    }

    /// A laptop that changes its network, or a container that gets one, has other servers from then on.
    fn follow_system(&mut self, now: Duration) {
        if self.made_up.is_none() && now >= self.look_at_system && self.settings.borrow().servers.is_empty() {
            self.look_at_system = now + SYSTEM_EVERY;
            if self.system.has_changed() {
                tracing::info!(file = RESOLV_CONF, "the system's name servers are read again");
                self.configure();
            }
        }
    }

    fn want(&mut self, host: Arc<str>, reply: Option<oneshot::Sender<Reply>>) {
        let verdict = self.names.want(self.table.now(), &host);
        let Some(reply) = reply else { return };
        match verdict {
            Verdict::Pending if self.waiters < WAITERS_MAX => {
                let waiting = self.waiting.entry(host).or_default();
                let before = waiting.len();
                waiting.retain(|reply| !reply.is_closed());
                self.waiters = self.waiters + 1 + waiting.len() - before;
                waiting.push(reply);
            }
            Verdict::Pending => {
                answer([reply], &failed(format!("more than {WAITERS_MAX} requests wait for names")));
            }
            Verdict::Refused(fault) => answer([reply], &Err(fault)),
            Verdict::Ready => answer([reply], &self.ready(&host)),
        }
    }

    fn ready(&self, host: &str) -> Reply {
        let known = self.table.get(host).map(|known| known.addresses.clone());
        known.filter(|addresses| !addresses.is_empty()).map_or_else(|| failed("no address".to_owned()), Ok)
    }

    /// Asks everything that is due. What the hosts file knows is answered at once.
    fn start_due(&mut self) {
        let now = self.table.now();
        let due = self.names.due(now);
        if !due.is_empty() {
            self.follow_system(now);
        }
        for Ask { host, family, avoid } in due {
            if let Some(network) = &self.made_up {
                let servers = self.settings.borrow().servers.clone();
                let server = servers.iter().copied().find(|s| Some(*s) != avoid).or(avoid);
                let answer = network.look_up(server, &host, family == Family::V6);
                self.running.spawn(async move {
                    let told = Told { server, answer: answer.await.into() };
                    (host, family, told)
                });
                continue;
            }
            if let Some(all) = self.hosts.look_up(&host) {
                let of_family = |address: &&IpAddr| address.is_ipv4() == (family == Family::V4);
                let answer = Answer::Local(all.iter().filter(of_family).copied().collect());
                self.answered(&host, family, Told { server: None, answer });
                continue;
            }
            let servers = self.servers.clone();
            self.running.spawn(async move {
                let told = servers.look_up(&host, family, avoid).await;
                (host, family, told)
            });
        }
    }

    fn answered(&mut self, host: &Arc<str>, family: Family, told: Told) {
        let now = self.table.now();
        if let Some((before, after)) = self.names.answered(now, host, family, told) {
            log(host, &before, &after);
            let made_up = self.made_up.is_some();
            self.table.publish(host, ordered(&after, |ip| made_up || has_route(ip)), after);
        }
        let reply = match self.names.verdict(now, host) {
            Some(Verdict::Pending) => return,
            Some(Verdict::Refused(fault)) => Err(fault),
            Some(Verdict::Ready) | None => self.ready(host),
        };
        let waiting = self.waiting.remove(host).unwrap_or_default();
        self.waiters -= waiting.len();
        answer(waiting, &reply);
    }

    fn sweep(&mut self) {
        let now = self.table.now();
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now + SWEEP_EVERY;
        for host in self.names.sweep(now) {
            self.table.forget(&host);
        }
    }
}

const fn failed(text: String) -> Reply {
    Err(Fault { kind: FaultKind::Failed, text })
}

impl From<NameAnswer> for Answer {
    fn from(answer: NameAnswer) -> Self {
        match answer {
            NameAnswer::Addresses { addresses, ttl } => Self::Addresses { addresses, ttl },
            NameAnswer::Empty => Self::Empty,
            NameAnswer::NoSuchName => Self::NoSuchName,
            NameAnswer::Failed(text) => Self::Failed(text),
        }
    }
}

fn answer(waiting: impl IntoIterator<Item = oneshot::Sender<Reply>>, reply: &Reply) {
    for waiter in waiting {
        // Who gave up waiting is no longer interested.
        drop(waiter.send(reply.clone()));
    }
}

/// One line per change of state, not per look-up.
fn log(host: &str, before: &Facts, after: &Facts) {
    let addresses = || ordered(after, |_| true);
    match (&before.fault, &after.fault) {
        (_, Some(fault)) if !before.is_empty() && after.is_empty() => {
            tracing::warn!(host, error = fault.text, "the name is gone; nothing is left to connect to");
        }
        (None, Some(fault)) if !after.is_empty() => tracing::warn!(
            host,
            error = fault.text,
            addresses = ?addresses(),
            "name resolution fails (DNS_FAILED_STALE_KEPT); the last good addresses stay in use"
        ),
        (None, Some(fault)) => tracing::warn!(host, error = fault.text, "the name cannot be resolved"),
        (Some(_), None) => tracing::info!(host, addresses = ?addresses(), "name resolution works"),
        _ if before.v4 != after.v4 || before.v6 != after.v6 => {
            tracing::debug!(host, addresses = ?addresses(), "the name has new addresses");
        }
        _ => {}
    }
}
