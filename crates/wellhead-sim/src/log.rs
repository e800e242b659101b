//! The request log: what the provider saw, bounded, and readable while requests are under way.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::fault::Faults;
use crate::net::Request;
use crate::options::{LOG_BYTES_MAX, SimOptions};

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Everything that was to be sent was sent.
    Finished,
    /// The client closed the connection (HTTP/2: reset the stream) before that.
    ClientDisconnected,
    /// A fault broke it off.
    Cut,
    /// The simulator was shut down.
    ShutDown,
}

/// One request as the provider saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoggedRequest {
    /// Counts the requests, from 1.
    pub id: u64,
    /// Since the simulator started.
    #[serde(rename = "at_ms", serialize_with = "milliseconds")]
    pub at: Duration,
    /// `POST`, `GET`, ...
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What followed `?`.
    pub query: Option<String>,
    /// `HTTP/1.1`, `HTTP/1.0` or `HTTP/2`.
    pub version: &'static str,
    /// The connection's number: equal numbers, one connection.
    pub connection: u64,
    /// In the order and the spelling in which they came.
    pub headers: Vec<(String, String)>,
    /// The body, up to `body_kept_bytes_max`.
    #[serde(serialize_with = "text")]
    pub body: Bytes,
    /// The body's whole length.
    pub body_bytes: u64,
    /// The model that it asks for, without any faults in the name.
    pub model: Option<String>,
    /// The API key that it carries.
    pub key: Option<String>,
    /// The faults that were applied, in text form.
    pub fault: Option<String>,
    /// It repeated an answered request by its `Idempotency-Key`: no work was done.
    pub replayed: bool,
    /// Work was done for it, whether the client has got the answer or not.
    pub worked: bool,
    /// The status that was sent; `None` before the head of the answer.
    pub status: Option<u16>,
    /// Tokens of the answer that were sent up to now.
    pub tokens_sent: u64,
    /// `None` while the answer is under way.
    pub ended: Option<Ended>,
    /// When it ended, since the simulator started.
    #[serde(rename = "ended_at_ms", serialize_with = "milliseconds_if_any")]
    pub ended_at: Option<Duration>,
}

impl LoggedRequest {
    /// The first header of that name, whatever its spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none, or was too long to be kept whole.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn milliseconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64() * 1000.0)
}

fn milliseconds_if_any<S: serde::Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => milliseconds(time, to),
        None => to.serialize_none(),
    }
}

fn text<S: serde::Serializer>(body: &Bytes, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&String::from_utf8_lossy(body))
}

/// A condition on the log that did not come true in time.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitError {
    /// How long was waited.
    pub waited: Duration,
    /// The log at the end.
    pub requests: Vec<LoggedRequest>,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what was waited for did not happen within {:?}; the log has", self.waited)?;
        for request in &self.requests {
            let LoggedRequest { id, method, path, status, tokens_sent, ended, fault, .. } = request;
            write!(
                f,
                "\n#{id} {method} {path}: status {status:?}, {tokens_sent} tokens, {ended:?}, fault {fault:?}"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for WaitError {}

struct Kept {
    request: LoggedRequest,
    tokens: Arc<AtomicU64>,
}

/// The kept requests; their ids follow each other without gaps, so that the first id finds them all.
#[derive(Default)]
struct Entries {
    kept: VecDeque<Kept>,
    body_bytes: usize,
    total: u64,
}

/// The log of one simulator.
pub(crate) struct Log {
    entries: Mutex<Entries>,
    entries_max: usize,
    body_bytes_max: usize,
    in_flight: AtomicUsize,
    changed: Notify,
    /// Only then is every token worth a notification.
    watchers: AtomicUsize,
    started: Instant,
    stopping: std::sync::atomic::AtomicBool,
}

impl Log {
    pub(crate) fn new(options: &SimOptions) -> Self {
        Self {
            entries: Mutex::default(),
            entries_max: options.log_entries_max,
            body_bytes_max: options.body_kept_bytes_max,
            in_flight: AtomicUsize::new(0),
            changed: Notify::new(),
            watchers: AtomicUsize::new(0),
            started: Instant::now(),
            stopping: false.into(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Nothing panics under this lock; if something did, the log is still a log.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down that a request came.
    pub(crate) fn begin(self: &Arc<Self>, request: &Request, model: Option<&str>, faults: &Faults) -> Entry {
        let tokens = Arc::new(AtomicU64::new(0));
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let id = if self.entries_max > 0 {
            let body = request.body.slice(..request.body.len().min(self.body_bytes_max));
            let logged = LoggedRequest {
                id: 0,
                at: self.started.elapsed(),
                method: request.method.clone(),
                path: request.path.clone(),
                query: request.query.clone(),
                version: request.version,
                connection: request.connection,
                headers: request.headers.clone(),
                // A copy: a slice would keep the whole body alive.
                body: if body.len() < request.body.len() { Bytes::copy_from_slice(&body) } else { body },
                body_bytes: request.body.len() as u64,
                model: model.map(str::to_owned),
                key: request.key().map(str::to_owned),
                fault: (!faults.0.is_empty()).then(|| faults.to_string()),
                replayed: false,
                worked: false,
                status: None,
                tokens_sent: 0,
                ended: None,
                ended_at: None,
            };
            self.keep(Kept { request: logged, tokens: Arc::clone(&tokens) })
        } else {
            let mut entries = self.entries();
            entries.total += 1;
            entries.total
        };
        self.changed.notify_waiters();
        Entry { log: Arc::clone(self), id, tokens, ended: None }
    }

    /// Numbers a request and keeps it, forgetting the oldest beyond the limits.
    fn keep(&self, mut kept: Kept) -> u64 {
        let mut entries = self.entries();
        entries.total += 1;
        let id = entries.total;
        kept.request.id = id;
        entries.body_bytes += kept.request.body.len();
        entries.kept.push_back(kept);
        while entries.kept.len() > self.entries_max
            || (entries.body_bytes > LOG_BYTES_MAX && entries.kept.len() > 1)
        {
            let Some(old) = entries.kept.pop_front() else { break };
            entries.body_bytes -= old.request.body.len();
        }
        id
    }

    /// Changes an entry, if it is still kept.
    fn update(&self, id: u64, change: impl FnOnce(&mut LoggedRequest)) {
        let mut entries = self.entries();
        let first = entries.kept.front().map_or(u64::MAX, |kept| kept.request.id);
        let index = id.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        if let Some(kept) = index.and_then(|index| entries.kept.get_mut(index)) {
            change(&mut kept.request);
        }
    }

    /// A copy of the log, the oldest request first.
    pub(crate) fn read(&self) -> Vec<LoggedRequest> {
        let entries = self.entries();
        let copy = |kept: &Kept| LoggedRequest {
            tokens_sent: kept.tokens.load(Ordering::Relaxed),
            ..kept.request.clone()
        };
        entries.kept.iter().map(copy).collect()
    }

    /// Forgets every request, also those under way.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        entries.kept.clear();
        entries.body_bytes = 0;
    }

    /// Requests under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Requests since the start.
    pub(crate) fn total(&self) -> u64 {
        self.entries().total
    }

    /// Time since the start.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// From now on, answers that are broken off were broken off by the shutdown.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Waits until `predicate` holds for the log.
    pub(crate) async fn wait_for(
        &self,
        predicate: impl Fn(&[LoggedRequest]) -> bool,
        limit: Duration,
    ) -> Result<Vec<LoggedRequest>, WaitError> {
        let _watcher = Watcher::new(&self.watchers);
        let deadline = Instant::now() + limit;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that no change falls between look and wait.
            changed.as_mut().enable();
            let requests = self.read();
            if predicate(&requests) {
                return Ok(requests);
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Err(WaitError { waited: limit, requests: self.read() });
            }
        }
    }
}

struct Watcher<'a>(&'a AtomicUsize);

impl<'a> Watcher<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A request under way. Dropped without [`Entry::end`], its client left or the simulator was shut down.
pub(crate) struct Entry {
    log: Arc<Log>,
    id: u64,
    tokens: Arc<AtomicU64>,
    ended: Option<Ended>,
}

impl Entry {
    /// The number of the request.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// The head of the answer was sent.
    pub(crate) fn status(&self, status: u16) {
        if self.log.entries_max > 0 {
            self.log.update(self.id, |request| request.status = Some(status));
            self.log.changed.notify_waiters();
        }
    }

    /// There is an answer with this status: that of an earlier request, or one that took work unless it is an error.
    pub(crate) fn work(&self, replayed: bool, status: u16) {
        if self.log.entries_max > 0 {
            self.log.update(self.id, |request| {
                (request.replayed, request.worked) = (replayed, !replayed && (200..300).contains(&status));
            });
        }
    }

    /// So many tokens of the answer were sent.
    pub(crate) fn tokens(&self, tokens: u64) {
        self.tokens.store(tokens, Ordering::SeqCst);
        if self.log.watchers.load(Ordering::SeqCst) > 0 {
            self.log.changed.notify_waiters();
        }
    }

    /// The answer ended as it was meant to.
    pub(crate) fn end(mut self, ended: Ended) {
        self.ended = Some(ended);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let broken = || {
            if self.log.stopping.load(Ordering::Relaxed) {
                Ended::ShutDown
            } else {
                Ended::ClientDisconnected
            }
        };
        let ended = self.ended.unwrap_or_else(broken);
        self.log.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.log.entries_max > 0 {
            let at = self.log.started.elapsed();
            self.log.update(self.id, |request| (request.ended, request.ended_at) = (Some(ended), Some(at)));
        }
        self.log.changed.notify_waiters();
    }
}
