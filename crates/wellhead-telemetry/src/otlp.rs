//! Finished requests as OpenTelemetry traces: OTLP over HTTP in JSON (`POST {endpoint}/v1/traces`).
//!
//! Spans are built from the record after the request has ended, so that tracing costs the request nothing: one SERVER
//! span per request, one CLIENT span per attempt. The exporter sends at most 512 requests at once, every five seconds
//! or as soon as that many have come together, and tries again where OTLP says that it makes sense. What a bounded
//! queue cannot hold is dropped and counted.

mod encode;
mod names;
mod send;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::metrics::{Metrics, Shared};
use crate::record::RequestRecord;
pub use names::Conventions;
use send::{Collector, Sent};

/// Records that wait for the exporter; a collector that is away for five seconds at 400 requests per second fills it.
pub const QUEUE_RECORDS_MAX: usize = 2_048;

/// Records in one message: with a few attempts each about 1 MB of JSON, a quarter of what collectors accept.
pub const BATCH_RECORDS_MAX: usize = 512;

/// Sends of one batch, the first included.
const SENDS_MAX: u32 = 5;

/// How long `shutdown` waits for the last batch.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// Where and how to export.
#[derive(Debug, Clone)]
pub struct OtlpOptions {
    /// Base address of the collector: `http://host:4318`. `/v1/traces` is appended.
    pub endpoint: String,
    /// Runtime on which the exporter runs; not a worker's.
    pub handle: tokio::runtime::Handle,
    /// `service.name`.
    pub service_name: String,
    /// Program version, as `service.version`.
    pub version: String,
    /// Which names the GenAI attributes have.
    pub conventions: Conventions,
    /// Longest time that a record waits for others to be sent with. 5 s unless there is a reason.
    pub interval: Duration,
    /// Longest time for one send, connecting included. 10 s unless there is a reason.
    pub timeout: Duration,
    /// Wait before the second send of a batch; doubles with each further one, up to 30 s. 1 s unless there is a reason.
    pub backoff: Duration,
}

impl OtlpOptions {
    /// The usual options for an endpoint.
    pub fn new(endpoint: impl Into<String>, handle: tokio::runtime::Handle) -> Self {
        Self {
            endpoint: endpoint.into(),
            handle,
            service_name: "wellhead".into(),
            version: String::new(),
            conventions: Conventions::default(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(1),
        }
    }
}

/// Why an address for traces cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointError {
    /// Not an absolute URL with a host.
    Malformed(String),
    /// https, which the exporter does not speak yet.
    Https(String),
    /// Another scheme than http.
    Scheme(String),
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(url) => {
                write!(f, "the OTLP endpoint '{url}' is not a URL; write it as http://host:4318")
            }
            Self::Https(url) => write!(
                f,
                "the OTLP endpoint '{url}' uses https, which is not supported yet; send to a collector on this \
                 machine or network over http"
            ),
            Self::Scheme(url) => {
                write!(f, "the OTLP endpoint '{url}' must begin with http://; OTLP/gRPC is not supported")
            }
        }
    }
}

impl std::error::Error for EndpointError {}

/// The sending half: held by the writer thread.
#[derive(Debug)]
pub(crate) struct Exporter {
    queue: mpsc::Sender<RequestRecord>,
    done: std_mpsc::Receiver<()>,
    metrics: Arc<Shared>,
}

impl Exporter {
    /// Queues a record; drops and counts it when the queue is full.
    pub(crate) fn push(&self, record: RequestRecord) {
        if self.queue.try_send(record).is_err() {
            self.metrics.pipeline.traces_dropped.fetch_add(1, Relaxed);
        }
    }

    /// Sends what is queued and waits for it, at most `FINISH_TIMEOUT`.
    pub(crate) fn finish(self) {
        let Self { queue, done, metrics: _ } = self;
        drop(queue);
        // Either it is done, or time is up, or the runtime is gone: nothing more to wait for.
        let _ = done.recv_timeout(FINISH_TIMEOUT);
    }
}

/// Starts the exporter on its runtime.
pub(crate) fn start(options: OtlpOptions, metrics: &Metrics) -> Result<Exporter, EndpointError> {
    let collector = Collector::parse(&options.endpoint)?;
    let (queue, records) = mpsc::channel(QUEUE_RECORDS_MAX);
    let (done_sender, done) = std_mpsc::sync_channel(1);
    let metrics = Arc::clone(metrics.shared());
    let handle = options.handle.clone();
    let task = Task { options, collector, records, metrics: Arc::clone(&metrics), _done: done_sender };
    handle.spawn(task.run());
    Ok(Exporter { queue, done, metrics })
}

/// The exporting half.
struct Task {
    options: OtlpOptions,
    collector: Collector,
    records: mpsc::Receiver<RequestRecord>,
    metrics: Arc<Shared>,
    /// Dropping it tells `finish` that everything has been tried.
    _done: std_mpsc::SyncSender<()>,
}

impl Task {
    async fn run(mut self) {
        let mut batch = Vec::new();
        while self.fill(&mut batch).await {
            let body = encode::body(&self.options, &batch);
            let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            // Nothing else tells two exporters apart that lost the same collector; the newest span's id is random.
            let jitter = batch.last().map_or(0, |record| record.trace.span_id[0]);
            batch.clear();
            let pipeline = &self.metrics.pipeline;
            match self.deliver(body.into(), jitter).await {
                Ok(rejected) => {
                    pipeline.traces_exported.fetch_add(count.saturating_sub(rejected), Relaxed);
                    pipeline.traces_dropped.fetch_add(rejected.min(count), Relaxed);
                }
                Err(why) => {
                    pipeline.traces_dropped.fetch_add(count, Relaxed);
                    tracing::warn!(endpoint = %self.options.endpoint, requests = count, %why, "traces were lost");
                }
            }
        }
    }

    /// Collects a batch: full, or as old as the interval. False when there is nothing and nothing will come.
    async fn fill(&mut self, batch: &mut Vec<RequestRecord>) -> bool {
        if self.records.recv_many(batch, BATCH_RECORDS_MAX).await == 0 {
            return false;
        }
        let deadline = Instant::now() + self.options.interval;
        while batch.len() < BATCH_RECORDS_MAX {
            let room = BATCH_RECORDS_MAX - batch.len();
            match timeout_at(deadline, self.records.recv_many(batch, room)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        true
    }

    /// Sends a batch until the collector takes it, refuses it, or patience ends. Returns how many it did not want.
    async fn deliver(&self, body: bytes::Bytes, jitter: u8) -> Result<u64, String> {
        let mut backoff = self.options.backoff;
        let mut sends = 1;
        loop {
            let (why, retry_after) = match self.collector.send(body.clone(), self.options.timeout).await {
                Sent::Accepted { rejected } => return Ok(rejected),
                Sent::Refused(why) => return Err(why),
                Sent::TryAgain { why, retry_after } => (why, retry_after),
            };
            if sends >= SENDS_MAX || self.records.is_closed() {
                return Err(format!("{why}; gave up after {sends} sends"));
            }
            sends += 1;
            // Between a half and the whole of the back-off, so that exporters do not come back all at once.
            let jittered = backoff / 2 + backoff * u32::from(jitter) / 512;
            tokio::time::sleep(retry_after.unwrap_or(jittered).min(BACKOFF_MAX)).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }
}

/// Longest wait between two sends, whatever the collector asks for: meanwhile the queue fills.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
