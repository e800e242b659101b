//! The name servers, and how one record is looked up with them. Nothing is remembered here, but for the server that
//! answered last: what is known about names is for [`super::names`] to decide.

use super::names::{Answer, Family, Told};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Resolver, TokioResolver};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Time for one question to one server, before it is asked a second and last time. Both together, and the head start
/// of another server, fit within the usual 2 s to connect: a request that finds no server says that, and not that its
/// time was over. What a resolver with a cold cache needs more time for is in its cache at the next look-up.
const QUERY_MAX: Duration = Duration::from_millis(800);
/// How long one server may be silent before the next one is asked as well.
const HEAD_START: Duration = Duration::from_millis(300);
/// Time for one look-up over all servers and search domains.
const LOOKUP_MAX: Duration = Duration::from_secs(5);
/// Addresses of one family that are kept; no client tries more, and some answers have hundreds.
const ADDRESSES_MAX: usize = 32;

/// Whom to ask, and for what.
pub(super) struct Servers {
    servers: Vec<Server>,
    /// Domains that short names are tried in, and the number of dots that make a name not short (resolv.conf(5)).
    search: Vec<Name>,
    ndots: usize,
    /// Why there are none.
    problem: Option<String>,
    /// The one that answered last: a dead one should not cost its head start every time.
    preferred: AtomicUsize,
}

struct Server {
    address: SocketAddr,
    client: TokioResolver,
}

impl Servers {
    /// These servers, and names as they are written.
    pub(super) fn explicit(addresses: &[SocketAddr]) -> Self {
        Self::new(addresses.iter().map(|address| (*address, ResolverOpts::default())), Vec::new(), 1)
    }

    /// The servers and search domains of the system (`/etc/resolv.conf`).
    pub(super) fn of_the_system() -> Self {
        match read_system_conf() {
            Ok((config, options)) => {
                let address = |server: &NameServerConfig| {
                    let port = server.connections.first().map_or(53, |connection| connection.port);
                    (SocketAddr::new(server.ip, port), options.clone())
                };
                // The machine's own domain counts where no search list replaces it.
                let search = match config.search() {
                    [] => config.domain().cloned().into_iter().collect(),
                    list => list.to_vec(),
                };
                Self::new(config.name_servers().iter().map(address), search, options.ndots)
            }
            Err(error) => Self {
                problem: Some(format!(
                    "the system names no server ({error}); set `dns.servers` in the configuration"
                )),
                ..Self::new(std::iter::empty(), Vec::new(), 1)
            },
        }
    }

    fn new(
        addresses: impl Iterator<Item = (SocketAddr, ResolverOpts)>,
        search: Vec<Name>,
        ndots: usize,
    ) -> Self {
        let (mut servers, mut problem): (Vec<Server>, _) = (Vec::new(), None);
        for (address, options) in addresses {
            if servers.iter().any(|server| server.address == address) {
                continue;
            }
            match client(address, options) {
                Ok(client) => servers.push(Server { address, client }),
                Err(error) => problem = Some(format!("{address} cannot be asked: {error}")),
            }
        }
        Self { servers, search, ndots, problem, preferred: AtomicUsize::new(0) }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.servers.len()
    }

    /// Looks one record up. Always answers, within [`LOOKUP_MAX`].
    pub(super) async fn look_up(
        self: Arc<Self>,
        host: &str,
        family: Family,
        avoid: Option<SocketAddr>,
    ) -> Told {
        if let (true, Some(problem)) = (self.servers.is_empty(), &self.problem) {
            return failed(None, problem.clone());
        }
        let Ok(name) = Name::from_str_relaxed(host) else {
            return failed(None, "not a name that servers know".to_owned());
        };
        match tokio::time::timeout(LOOKUP_MAX, self.search(name, family, avoid)).await {
            Ok(told) => told,
            Err(_) => failed(None, format!("no answer within {LOOKUP_MAX:?}")),
        }
    }

    /// Goes through the search domains until one of them knows the name. An error ends the walk: the next candidate
    /// may be another host altogether.
    async fn search(&self, name: Name, family: Family, avoid: Option<SocketAddr>) -> Told {
        let mut told = failed(None, "no server".to_owned());
        for candidate in candidates(&name, &self.search, self.ndots) {
            told = self.ask(candidate, family, avoid).await;
            if told.answer != Answer::NoSuchName {
                break;
            }
        }
        told
    }

    /// Asks the servers one after another; a further one when the one before fails or is silent. The first word about
    /// the name wins.
    async fn ask(&self, name: Name, family: Family, avoid: Option<SocketAddr>) -> Told {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let mut order: Vec<usize> = (0..self.servers.len()).collect();
        let address = |i: usize| self.servers.get(i).map(|server| server.address);
        order.sort_by_key(|i| (avoid.is_some() && address(*i) == avoid, *i != preferred));
        let mut waiting = order.into_iter().filter_map(|i| self.servers.get(i).map(|server| (i, server)));
        let mut running = tokio::task::JoinSet::new();
        let mut last = failed(None, "no server".to_owned());
        loop {
            let next = waiting.next();
            if let Some((i, server)) = next {
                let (client, address, name) = (server.client.clone(), server.address, name.clone());
                running.spawn(async move { (i, query(&client, address, name, family).await) });
            }
            let patience = if next.is_some() { HEAD_START } else { Duration::MAX };
            match tokio::time::timeout(patience, running.join_next()).await {
                Ok(Some(Ok((_, told @ Told { answer: Answer::Failed(_), .. })))) => last = told,
                Ok(Some(Ok((i, told)))) => {
                    self.preferred.store(i, Ordering::Relaxed);
                    return told;
                }
                Ok(Some(Err(error))) => last = failed(None, format!("the look-up broke: {error}")),
                Ok(None) => return last,
                Err(_) => {}
            }
        }
    }
}

fn client(address: SocketAddr, mut options: ResolverOpts) -> Result<TokioResolver, NetError> {
    // The next candidate must be heard of at once, answers are kept elsewhere, and the hosts file has been read.
    options.timeout = QUERY_MAX;
    options.attempts = 1;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.num_concurrent_reqs = 1;
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    // The TTLs of aliases count as well.
    options.preserve_intermediates = true;
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    server.connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
        .map(|mut connection| {
            connection.port = address.port();
            connection
        })
        .into();
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options).build()
}

/// The names to ask for, in order (resolv.conf(5), `search` and `ndots`).
fn candidates(name: &Name, search: &[Name], ndots: usize) -> Vec<Name> {
    let mut whole = name.clone();
    whole.set_fqdn(true);
    if name.is_fqdn() {
        return vec![whole];
    }
    let longer = search.iter().filter_map(|domain| {
        let mut name = name.clone().append_domain(domain).ok()?;
        name.set_fqdn(true);
        Some(name)
    });
    // A name with n labels has n - 1 dots.
    if usize::from(name.num_labels()) > ndots {
        std::iter::once(whole.clone()).chain(longer).collect()
    } else {
        longer.chain(std::iter::once(whole.clone())).collect()
    }
}

async fn query(client: &TokioResolver, server: SocketAddr, name: Name, family: Family) -> Told {
    let wanted = match family {
        Family::V4 => RecordType::A,
        Family::V6 => RecordType::AAAA,
    };
    let answer = match client.lookup(name, wanted).await {
        Ok(found) => {
            let ttl = found.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
            let mut addresses: Vec<_> =
                found.answers().iter().filter_map(|record| address(&record.data)).collect();
            addresses.truncate(ADDRESSES_MAX);
            match addresses.is_empty() {
                true => Answer::Empty,
                false => Answer::Addresses { addresses, ttl: Duration::from_secs(ttl.into()) },
            }
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => match none.response_code {
            ResponseCode::NXDomain => Answer::NoSuchName,
            ResponseCode::NoError => Answer::Empty,
            code => Answer::Failed(format!("{server}: {}", code_text(code))),
        },
        Err(error) => Answer::Failed(format!("{server}: {}", error_text(&error))),
    };
    Told { server: Some(server), answer }
}

/// An address that somebody can be at. Blockers answer with 0.0.0.0, which would connect to this machine.
fn address(data: &RData) -> Option<IpAddr> {
    let address = match data {
        RData::A(a) => IpAddr::V4(a.0),
        RData::AAAA(aaaa) => IpAddr::V6(aaaa.0),
        _ => return None,
    };
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    (!address.is_unspecified() && !address.is_multicast() && !broadcast).then_some(address)
}

fn failed(server: Option<SocketAddr>, text: String) -> Told {
    Told { server, answer: Answer::Failed(text) }
}

fn error_text(error: &NetError) -> String {
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => code_text(*code),
        NetError::Timeout => "no answer (timeout)".to_owned(),
        NetError::Truncated => "the answer was cut short, over TCP too".to_owned(),
        other => other.to_string(),
    }
}

/// The words of `dig`.
fn code_text(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, search: &[&str], ndots: usize) -> Vec<String> {
        let search: Vec<_> = search.iter().map(|text| Name::from_str_relaxed(text).unwrap()).collect();
        let name = Name::from_str_relaxed(name).unwrap();
        candidates(&name, &search, ndots).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn short_names_are_tried_in_the_search_domains_first() {
        let search = ["ns.svc.cluster.local", "cluster.local"];
        assert_eq!(
            asked("model", &search, 1),
            ["model.ns.svc.cluster.local.", "model.cluster.local.", "model."]
        );
        assert_eq!(
            asked("api.example.com", &search, 1),
            ["api.example.com.", "api.example.com.ns.svc.cluster.local.", "api.example.com.cluster.local."]
        );
        // The usual setting within a cluster.
        assert_eq!(asked("api.example.com", &search, 5).last().map(String::as_str), Some("api.example.com."));
    }

    #[test]
    fn a_name_that_ends_in_a_dot_is_asked_for_as_it_is() {
        assert_eq!(asked("api.", &["example.com"], 5), ["api."]);
    }

    #[test]
    fn addresses_that_nobody_can_be_at_are_none() {
        use hickory_resolver::proto::rr::rdata::{A, AAAA};
        assert_eq!(address(&RData::A(A::new(0, 0, 0, 0))), None);
        assert_eq!(address(&RData::A(A::new(255, 255, 255, 255))), None);
        assert_eq!(address(&RData::A(A::new(224, 0, 0, 1))), None);
        assert_eq!(address(&RData::AAAA(AAAA(std::net::Ipv6Addr::UNSPECIFIED))), None);
        assert_eq!(address(&RData::A(A::new(192, 0, 2, 1))), Some(IpAddr::from([192, 0, 2, 1])));
    }
}
