//! Connections of one worker. A request never crosses a thread: each worker keeps its own connections, so taking and
//! returning one is a push and a pop under a lock that nobody else holds.

use crate::connect::{Connection, Connector};
use crate::endpoint::Endpoint;
use crate::h1::{self, Socket};
use crate::{InBody, OutBody, SendError};
use http::{Request, Response};
use hyper::client::conn::http2;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Limits of one worker's pool.
#[derive(Debug, Clone)]
pub struct PoolLimits {
    /// Idle HTTP/1.1 connections kept per endpoint. More than this only after a burst; they are closed.
    pub idle_per_endpoint_max: usize,
    /// Idle connections older than this are not used again: most servers close after 60 to 75 s.
    pub idle_max: Duration,
    /// Streams on one HTTP/2 connection before another is opened; 100 is the least that RFC 9113 recommends to allow.
    pub streams_per_connection_max: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            idle_per_endpoint_max: 256,
            idle_max: Duration::from_secs(50),
            streams_per_connection_max: 100,
        }
    }
}

/// The pool of one worker.
#[derive(Debug)]
pub struct Pool {
    connector: Connector,
    limits: PoolLimits,
    slots: Mutex<HashMap<Arc<Endpoint>, Arc<Slot>>>,
}

/// How soon a reused connection must end for its request to count as never seen: a round trip within a continent.
const STALE_WITHIN: Duration = Duration::from_millis(100);
/// Connections to one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    idle: Mutex<Vec<(Socket, Instant)>>,
    multiplexed: Mutex<Vec<Multiplexed>>,
}

#[derive(Debug, Clone)]
struct Multiplexed {
    sender: http2::SendRequest<OutBody>,
    streams: Arc<AtomicUsize>,
}

/// Which HTTP version a request is being built for: HTTP/1.1 takes a path, HTTP/2 a whole URI.
pub type BuildRequest<'a> = dyn Fn(http::Version) -> Request<OutBody> + Send + Sync + 'a;

impl Pool {
    /// An empty pool.
    pub fn new(connector: Connector, limits: PoolLimits) -> Self {
        Self { connector, limits, slots: Mutex::default() }
    }

    /// Sends one request and waits for the response's headers. `build` is called once per connection tried: a reused
    /// connection that turns out to be closed is replaced silently, which is no attempt of the caller's.
    ///
    /// Dropping the future, or the body of the response, cancels the request at the upstream at once.
    pub async fn send(
        &self,
        endpoint: &Arc<Endpoint>,
        build: &BuildRequest<'_>,
    ) -> Result<Response<InBody>, SendError> {
        let slot = self.slot(endpoint);
        if let Some(socket) = self.take_idle(&slot) {
            let sent = Instant::now();
            match h1::send(socket, build(http::Version::HTTP_11)).await {
                Ok(response) => return Ok(InBody::h1(response, slot, self.limits.idle_per_endpoint_max)),
                // The peer closed the idle connection while the request went out. One that took longer to say nothing
                // was working on it. Replaced once, by a fresh connection, if there is still something to send.
                Err(unanswered) if unanswered.repeatable && sent.elapsed() < STALE_WITHIN => {}
                Err(unanswered) => return Err(unanswered.error),
            }
        }
        if let Some(shared) = self.take_multiplexed(&slot) {
            match Box::pin(send_h2(shared, build)).await {
                Err(e) if e.unprocessed => {}
                outcome => return outcome,
            }
        }
        // Boxed: a handshake's state is many times a request's, and would be carried along by every request.
        match Box::pin(self.connector.connect(endpoint)).await? {
            Connection::H1(socket) => {
                let response = h1::send(socket, build(http::Version::HTTP_11)).await.map_err(|e| e.error)?;
                Ok(InBody::h1(response, slot, self.limits.idle_per_endpoint_max))
            }
            Connection::H2(sender) => {
                let shared = Multiplexed { sender, streams: Arc::default() };
                lock(&slot.multiplexed).push(shared.clone());
                Box::pin(send_h2(shared, build)).await
            }
        }
    }

    /// Closes idle connections that are too old. Called now and then by the worker.
    pub fn reap(&self) {
        let slots: Vec<_> = lock(&self.slots).values().cloned().collect();
        for slot in slots {
            lock(&slot.idle)
                .retain_mut(|(socket, since)| since.elapsed() < self.limits.idle_max && socket.is_quiet());
            lock(&slot.multiplexed).retain(|shared| !shared.sender.is_closed());
        }
        lock(&self.slots).retain(|_, slot| Arc::strong_count(slot) > 1 || !slot.is_empty());
    }

    fn slot(&self, endpoint: &Arc<Endpoint>) -> Arc<Slot> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(endpoint) {
            return slot.clone();
        }
        let slot = Arc::<Slot>::default();
        slots.insert(endpoint.clone(), slot.clone());
        slot
    }

    /// The connection used last: the one that the peer is least likely to have closed.
    fn take_idle(&self, slot: &Slot) -> Option<Socket> {
        let mut idle = lock(&slot.idle);
        while let Some((mut socket, since)) = idle.pop() {
            if since.elapsed() < self.limits.idle_max && socket.is_quiet() {
                return Some(socket);
            }
        }
        None
    }

    fn take_multiplexed(&self, slot: &Slot) -> Option<Multiplexed> {
        let mut all = lock(&slot.multiplexed);
        all.retain(|shared| !shared.sender.is_closed());
        let free = |shared: &&Multiplexed| {
            shared.sender.is_ready()
                && shared.streams.load(Ordering::Relaxed) < self.limits.streams_per_connection_max
        };
        all.iter().filter(free).min_by_key(|shared| shared.streams.load(Ordering::Relaxed)).cloned()
    }
}

impl Slot {
    /// Takes a connection back.
    pub(crate) fn put(&self, socket: Socket, idle_max: usize) {
        let mut idle = lock(&self.idle);
        if idle.len() < idle_max {
            idle.push((socket, Instant::now()));
        }
    }

    fn is_empty(&self) -> bool {
        lock(&self.idle).is_empty() && lock(&self.multiplexed).is_empty()
    }
}

async fn send_h2(mut shared: Multiplexed, build: &BuildRequest<'_>) -> Result<Response<InBody>, SendError> {
    let count = StreamCount::new(shared.streams);
    shared.sender.ready().await.map_err(|e| SendError { unprocessed: true, ..SendError::from_hyper(&e) })?;
    let response = shared
        .sender
        .send_request(build(http::Version::HTTP_2))
        .await
        .map_err(|e| SendError::from_hyper(&e))?;
    Ok(response.map(|incoming| InBody::h2(incoming, count)))
}

/// Counts one stream for as long as it lives.
#[derive(Debug)]
pub(crate) struct StreamCount(Arc<AtomicUsize>);

impl StreamCount {
    fn new(streams: Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(streams)
    }
}

impl Drop for StreamCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
