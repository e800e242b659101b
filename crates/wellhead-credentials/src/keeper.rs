//! The one thread per process that fetches credentials (decision 3: background work runs once per process).

use crate::aws::Aws;
use crate::azure::Azure;
use crate::client::Client;
use crate::credential::{Credential, Held, State};
use crate::error::{FetchError, Trouble};
use crate::gcp::Gcp;
use crate::material::{Fetched, Material};
use crate::schedule::Schedule;
use crate::surroundings::Surroundings;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use wellhead_config::snapshot::TokenSource;
use wellhead_net::Connector;

/// Credentials that wait to be begun with: those of one configuration, which come in one burst.
const ORDERS_MAX: usize = 1_024;
/// One fetch, however many questions it takes.
const FETCH_MAX: Duration = Duration::from_secs(25);
/// Whoever is doubted is not fetched again within this.
const DOUBT_MIN: Duration = Duration::from_secs(5);

/// Keeps credentials fresh. Its thread starts with the first one, and ends with the keeper.
#[derive(Debug, Default)]
pub struct Keeper {
    known: Mutex<Vec<Weak<Credential>>>,
    /// `None`: nothing is fetched.
    means: Option<Means>,
    /// `None` within: the thread could not be started.
    orders: OnceLock<Option<mpsc::Sender<Order>>>,
}

#[derive(Debug, Clone)]
struct Means {
    connector: Connector,
    around: Arc<Surroundings>,
    seed: u64,
}

struct Order {
    source: TokenSource,
    state: watch::Sender<State>,
    urge: Arc<Notify>,
    seed: u64,
}

impl Keeper {
    /// Fetches over these connections. `seed` is for the jitter. The default fetches nothing.
    pub fn new(connector: Connector, around: Surroundings, seed: u64) -> Self {
        let means = Means { connector, around: Arc::new(around), seed };
        Self { means: Some(means), ..Self::default() }
    }

    /// The credential of a source: the one that is kept already, or a new one, whose first fetch begins now. It is kept for
    /// as long as somebody holds it.
    pub fn credential(&self, source: &TokenSource) -> Arc<Credential> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|weak| weak.strong_count() > 0);
        if let Some(same) = known.iter().filter_map(Weak::upgrade).find(|one| one.source == *source) {
            return same;
        }
        let (sender, state) = watch::channel(State::default());
        let urge = Arc::<Notify>::default();
        let credential = Arc::new(Credential {
            source: source.clone(),
            state,
            urge: urge.clone(),
            ahead_s: AtomicI64::new(0),
        });
        let number = known.len() as u64;
        known.push(Arc::downgrade(&credential));
        drop(known);
        let seed = self.means.as_ref().map_or(0, |means| means.seed).wrapping_add(number);
        let order = Order { source: source.clone(), state: sender, urge, seed };
        let orders = self.means.as_ref().and_then(|means| self.orders.get_or_init(|| start(means)).as_ref());
        let unsent = match orders {
            Some(orders) => orders.try_send(order).err().map(mpsc::error::TrySendError::into_inner),
            None => Some(order),
        };
        if let Some(order) = unsent {
            let error = FetchError::new(
                Trouble::NoSource,
                "credentials",
                "they are not fetched in this process",
                "restart the gateway",
            );
            order.state.send_replace(State { held: None, trouble: Some((Arc::new(error), Instant::now())) });
        }
        credential
    }
}

/// Fetches once, for whoever examines a provider.
///
/// # Errors
/// Why there is none.
pub async fn fetch_once(
    connector: Connector,
    around: &Surroundings,
    source: &TokenSource,
) -> Result<Material, FetchError> {
    fetch(source, around, &Client::new(connector)).await.map(|fetched| fetched.material)
}

fn start(means: &Means) -> Option<mpsc::Sender<Order>> {
    let (sender, mut orders) = mpsc::channel::<Order>(ORDERS_MAX);
    let Means { connector, around, .. } = means.clone();
    let work = move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "credentials cannot be fetched: no runtime"),
        };
        let client = Arc::new(Client::new(connector));
        runtime.block_on(async {
            while let Some(order) = orders.recv().await {
                let Order { source, state, urge, seed } = order;
                let (around, client) = (around.clone(), client.clone());
                let fetcher = move || {
                    let (source, around, client) = (source.clone(), around.clone(), client.clone());
                    async move { fetch(&source, &around, &client).await }
                };
                // One task per credential of the configuration, which ends when nobody holds it.
                tokio::spawn(keep(state, urge, seed, fetcher));
            }
        });
    };
    match std::thread::Builder::new().name("credentials".to_owned()).spawn(work) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::error!(%error, "credentials cannot be fetched: no thread");
            None
        }
    }
}

/// Fetches one credential again and again, until nobody reads it any more.
async fn keep<F, Fetch>(state: watch::Sender<State>, urge: Arc<Notify>, seed: u64, fetcher: F)
where
    F: Fn() -> Fetch,
    Fetch: Future<Output = Result<Fetched, FetchError>>,
{
    let mut schedule = Schedule::new(seed);
    loop {
        let fetched = tokio::select! {
            fetched = tokio::time::timeout(FETCH_MAX, fetcher()) => fetched,
            () = state.closed() => return,
        };
        let fetched = fetched.unwrap_or_else(|_| Err(late()));
        let now = Instant::now();
        let next = now + publish(&state, fetched, &mut schedule, now);
        let doubted = async {
            urge.notified().await;
            tokio::time::sleep_until(now + DOUBT_MIN).await;
        };
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = doubted => {}
            () = state.closed() => return,
        }
    }
}

/// Makes what came known, and says how long to pause. A failure takes nothing away.
fn publish(
    state: &watch::Sender<State>,
    fetched: Result<Fetched, FetchError>,
    schedule: &mut Schedule,
    now: Instant,
) -> Duration {
    match fetched {
        Ok(fetched) => {
            let pause = schedule.fetched(fetched.lifetime);
            let held = Held::of(fetched, now);
            let before = state.send_replace(State { held: Some(held), trouble: None });
            if let Some((error, _)) = before.trouble {
                tracing::info!(from = error.from, "a credential is there again");
            }
            pause
        }
        Err(error) => {
            let pause = schedule.failed();
            let mut is_new = false;
            let error = Arc::new(error);
            state.send_modify(|state| {
                is_new = state.trouble.as_ref().is_none_or(|(known, _)| **known != *error);
                state.trouble = Some((error.clone(), now + pause));
            });
            if is_new {
                let held = state.borrow().held.as_ref().and_then(|held| held.ends);
                let good_s = held.map(|ends| ends.saturating_duration_since(now).as_secs());
                tracing::warn!(%error, good_for_s = good_s, "a credential cannot be fetched");
            }
            pause
        }
    }
}

async fn fetch(source: &TokenSource, around: &Surroundings, client: &Client) -> Result<Fetched, FetchError> {
    match source {
        TokenSource::Aws(source) => Aws { source, around, client }.fetch().await,
        TokenSource::Gcp(source) => Gcp { source, around, client }.fetch().await,
        TokenSource::Azure(source) => Azure { source, around, client }.fetch().await,
    }
}

fn late() -> FetchError {
    let detail = format!("not done within {} s", FETCH_MAX.as_secs());
    FetchError::new(Trouble::Unreachable, "credentials", detail, "look at the network of this machine")
}

#[cfg(test)]
mod tests;
