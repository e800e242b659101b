//! Names to addresses, once per process. A set that worked is never emptied by an error: the last good one is held.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wellhead_types::{Cause, Stage};

use crate::SendError;

/// How long an answer is taken as fresh. The system's resolver tells no TTL; 30 s follows a moved name quickly enough.
const FRESH: Duration = Duration::from_secs(30);
/// Time for one look-up.
const LOOKUP_MAX: Duration = Duration::from_secs(5);
/// Names held; beyond it the cache is emptied of what is not fresh, then refuses to grow.
const NAMES_MAX: usize = 10_000;

/// Addresses of one name.
pub(crate) type Addresses = Arc<[SocketAddr]>;

#[derive(Clone)]
struct Entry {
    addresses: Addresses,
    at: Instant,
    refreshing: bool,
}

/// A cache in front of the system's resolver.
#[derive(Default, Clone)]
pub struct Resolver(Arc<Mutex<HashMap<(String, u16), Entry>>>);

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    /// Addresses of `host`, in the order in which to try them. A stale answer is given at once and refreshed in the
    /// background; only a name never seen before waits for the network.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Addresses, SendError> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Arc::new([SocketAddr::new(ip, port)]));
        }
        let key = (host.to_owned(), port);
        match self.cached(&key) {
            Cached::Fresh(addresses) => Ok(addresses),
            Cached::Stale(addresses) => {
                let this = self.clone();
                tokio::spawn(async move {
                    let _outcome_is_kept_in_the_cache = this.refresh(key).await;
                });
                Ok(addresses)
            }
            Cached::Missing => self.refresh(key).await,
        }
    }

    fn cached(&self, key: &(String, u16)) -> Cached {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get_mut(key) {
            None => Cached::Missing,
            Some(entry) if entry.refreshing || entry.at.elapsed() < FRESH => {
                Cached::Fresh(entry.addresses.clone())
            }
            Some(entry) => {
                entry.refreshing = true;
                Cached::Stale(entry.addresses.clone())
            }
        }
    }

    async fn refresh(&self, key: (String, u16)) -> Result<Addresses, SendError> {
        let looked_up = tokio::time::timeout(LOOKUP_MAX, tokio::net::lookup_host(key.clone())).await;
        let found = match looked_up {
            Ok(Ok(addresses)) => addresses.collect::<Vec<_>>(),
            Ok(Err(error)) => return Err(self.failed(&key, &error.to_string())),
            Err(_) => return Err(self.failed(&key, "no answer within 5 s")),
        };
        if found.is_empty() {
            return Err(self.failed(&key, "the answer is empty"));
        }
        let addresses: Addresses = found.into();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= NAMES_MAX {
            entries.retain(|_, entry| entry.at.elapsed() < FRESH);
        }
        if entries.len() < NAMES_MAX {
            entries
                .insert(key, Entry { addresses: addresses.clone(), at: Instant::now(), refreshing: false });
        }
        Ok(addresses)
    }

    /// Keeps what is known for another period, and says what went wrong.
    fn failed(&self, key: &(String, u16), what: &str) -> SendError {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(key) {
            entry.at = Instant::now();
            entry.refreshing = false;
            tracing::warn!(
                host = key.0,
                error = what,
                "name resolution failed; the last good addresses stay in use"
            );
        }
        SendError::new(Stage::Resolve, Cause::DnsError, format!("resolve {}: {what}", key.0))
    }
}

enum Cached {
    Fresh(Addresses),
    Stale(Addresses),
    Missing,
}
