//! Connections of one worker. A request never crosses a thread: each worker keeps its own connections, so taking and
//! returning one is a push and a pop under a lock that nobody else holds.

use crate::connect::{Connection, Connector};
use crate::endpoint::Endpoint;
use crate::{OutBody, SendError};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wellhead_types::{Cause, Stage};

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
/// How long an idle connection may take to become free.
const BUSY_MAX: Duration = Duration::from_millis(50);

/// The connection ended without a byte of an answer.
fn closed_silently(error: &hyper::Error) -> bool {
    if error.is_closed() || error.is_incomplete_message() {
        return true;
    }
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| {
        matches!(io.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe)
    })
}

/// Connections to one endpoint.
#[derive(Debug, Default)]
struct Slot {
    idle: Mutex<Vec<(http1::SendRequest<OutBody>, Instant)>>,
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
        while let Some(mut sender) = self.take_idle(&slot) {
            // A connection whose last request was answered before it was read whole is busy with the rest of it.
            if !matches!(tokio::time::timeout(BUSY_MAX, sender.ready()).await, Ok(Ok(()))) {
                continue;
            }
            let sent = Instant::now();
            match sender.send_request(build(http::Version::HTTP_11)).await {
                Ok(response) => {
                    return Ok(InBody::h1(response, sender, &slot, self.limits.idle_per_endpoint_max));
                }
                // Never written: the next one will do.
                Err(e) if e.is_canceled() => {}
                // The peer closed the idle connection while the request went out. One that took longer to say nothing
                // was working on it. Replaced once, by a fresh connection.
                Err(e) if sent.elapsed() < STALE_WITHIN && closed_silently(&e) => break,
                Err(e) => return Err(SendError::from_hyper(&e)),
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
            Connection::H1(mut sender) => {
                let response = sender
                    .send_request(build(http::Version::HTTP_11))
                    .await
                    .map_err(|e| fresh(SendError::from_hyper(&e)))?;
                Ok(InBody::h1(response, sender, &slot, self.limits.idle_per_endpoint_max))
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
                .retain(|(sender, since)| !sender.is_closed() && since.elapsed() < self.limits.idle_max);
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
    fn take_idle(&self, slot: &Slot) -> Option<http1::SendRequest<OutBody>> {
        let mut idle = lock(&slot.idle);
        while let Some((sender, since)) = idle.pop() {
            if !sender.is_closed() && since.elapsed() < self.limits.idle_max {
                return Some(sender);
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
    fn is_empty(&self) -> bool {
        lock(&self.idle).is_empty() && lock(&self.multiplexed).is_empty()
    }
}

/// A fresh connection that ends without a word is no stale one: the upstream took the request and died.
fn fresh(mut error: SendError) -> SendError {
    error.unprocessed = false;
    error
}

async fn send_h2(mut shared: Multiplexed, build: &BuildRequest<'_>) -> Result<Response<InBody>, SendError> {
    let count = StreamCount::new(shared.streams);
    shared.sender.ready().await.map_err(|e| SendError { unprocessed: true, ..SendError::from_hyper(&e) })?;
    let response = shared
        .sender
        .send_request(build(http::Version::HTTP_2))
        .await
        .map_err(|e| SendError::from_hyper(&e))?;
    Ok(response.map(|incoming| InBody { incoming, back: Back::H2 { _count: count } }))
}

/// Counts one stream for as long as it lives.
#[derive(Debug)]
struct StreamCount(Arc<AtomicUsize>);

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

/// The body of a response. When it has been read to its end, its HTTP/1.1 connection goes back to the pool; when it is
/// dropped before, the connection is closed, or the HTTP/2 stream reset.
#[derive(Debug)]
pub struct InBody {
    incoming: Incoming,
    back: Back,
}

#[derive(Debug)]
enum Back {
    H1 { sender: http1::SendRequest<OutBody>, slot: Arc<Slot>, idle_max: usize },
    H2 { _count: StreamCount },
    Done,
}

impl InBody {
    fn h1(
        response: Response<Incoming>,
        sender: http1::SendRequest<OutBody>,
        slot: &Arc<Slot>,
        idle_max: usize,
    ) -> Response<Self> {
        response.map(|incoming| {
            let mut body = Self { incoming, back: Back::H1 { sender, slot: slot.clone(), idle_max } };
            if body.incoming.is_end_stream() {
                body.give_back();
            }
            body
        })
    }

    fn give_back(&mut self) {
        if let Back::H1 { sender, slot, idle_max } = std::mem::replace(&mut self.back, Back::Done)
            && !sender.is_closed()
        {
            let mut idle = lock(&slot.idle);
            if idle.len() < idle_max {
                idle.push((sender, Instant::now()));
            }
        }
    }
}

impl Body for InBody {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        let polled = std::task::ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        if polled.is_none() || (matches!(polled, Some(Ok(_))) && self.incoming.is_end_stream()) {
            self.give_back();
        }
        Poll::Ready(polled.map(|frame| {
            frame.map_err(|e| {
                let cause = if e.is_parse() { Cause::ProtocolError } else { Cause::ResponseIncomplete };
                SendError::new(Stage::Stream, cause, crate::error::chain(&e))
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
