//! From a settled request to its access record, without the request waiting for it.
//!
//! A worker pushes the record to its own bounded list: an uncontended lock and a move, no system call, nobody woken.
//! One writer thread takes all lists every 50 ms, writes the lines in one piece and hands the records on to the trace
//! exporter. When the disk or the terminal stalls, the lists fill and further records are dropped and counted.

mod json;
mod line;
mod output;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io, mem, thread};

use crate::metrics::Metrics;
use crate::otlp::{self, EndpointError, Exporter, OtlpOptions};
use crate::record::RequestRecord;
use output::Output;

/// Records that wait per worker. At 50 ms between two collections it takes 160,000 requests per second and worker to
/// fill it; a stalled disk fills it with some 8 MB.
pub const RECORDS_PER_WORKER_MAX: usize = 8_192;

/// How long a record waits at most before it is written, and how often an idle process wakes up for nothing.
const COLLECT_INTERVAL: Duration = Duration::from_millis(50);

/// The same while there is much to write: on a machine with one core, a long batch is a pause for every request.
const BUSY_INTERVAL: Duration = Duration::from_millis(2);

/// Records in one round from which on there is much to write.
const BUSY_RECORDS: usize = 32;

/// Where access records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// Standard output.
    Stdout {
        /// Whether it is a terminal: short lines for people instead of JSON.
        tty: bool,
    },
    /// This file, appended to, created with permissions for its owner only.
    File(PathBuf),
    /// Nowhere. Traces are still exported.
    Off,
}

/// How telemetry runs.
#[derive(Debug)]
pub struct TelemetryOptions {
    /// Where access records go.
    pub access_log: AccessLog,
    /// Number of workers that emit; at least 1.
    pub workers: usize,
    /// Where to count what telemetry itself loses.
    pub metrics: Arc<Metrics>,
    /// Where traces go, if anywhere.
    pub otlp: Option<OtlpOptions>,
}

/// Why telemetry could not start.
#[derive(Debug)]
pub enum StartError {
    /// The access log's file could not be opened.
    OpenFile(PathBuf, io::Error),
    /// The address for traces cannot be used.
    Endpoint(EndpointError),
    /// The system gave no thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenFile(path, e) => write!(f, "cannot open the access log '{}': {e}", path.display()),
            Self::Endpoint(e) => e.fmt(f),
            Self::Thread(e) => write!(f, "cannot start the telemetry thread: {e}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Takes settled requests and makes access records and spans of them.
#[derive(Debug)]
pub struct Telemetry {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
    watch: Option<Watch>,
}

/// Takes records in the place of the writer.
struct Watch(Box<dyn Fn(RequestRecord) + Send + Sync>);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

#[derive(Debug)]
struct Shared {
    lists: Box<[List]>,
    stop: AtomicBool,
    reopen: AtomicBool,
    metrics: Arc<Metrics>,
}

/// One worker's records; its own cache line, so that pushing disturbs no neighbour.
#[derive(Debug, Default)]
#[repr(align(64))]
struct List(Mutex<Vec<RequestRecord>>);

impl Telemetry {
    /// Opens the access log, starts the writer thread and the trace exporter.
    ///
    /// # Errors
    ///
    /// `StartError` says what could not be opened, and names the setting's value.
    pub fn start(options: TelemetryOptions) -> Result<Self, StartError> {
        let TelemetryOptions { access_log, workers, metrics, otlp } = options;
        let output = Output::open(access_log)?;
        let exporter = match otlp {
            Some(options) => Some(otlp::start(options, &metrics).map_err(StartError::Endpoint)?),
            None => None,
        };
        Self::start_with(output, exporter, workers, metrics).map_err(StartError::Thread)
    }

    fn start_with(
        output: Output,
        exporter: Option<Exporter>,
        workers: usize,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let lists = (0..workers.max(1)).map(|_| List::default()).collect();
        let shared =
            Arc::new(Shared { lists, stop: AtomicBool::new(false), reopen: AtomicBool::new(false), metrics });
        let writer = Writer { shared: Arc::clone(&shared), output, exporter, batch: Vec::new() };
        let thread = thread::Builder::new().name("telemetry".into()).spawn(move || writer.run())?;
        let writer = Mutex::new(Some(thread));
        Ok(Self { shared, writer, watch: None })
    }

    /// Telemetry without a writer, a thread or a clock: every record is handed over at once, on the thread that
    /// settles it. For simulations.
    pub fn watched(metrics: Arc<Metrics>, watch: impl Fn(RequestRecord) + Send + Sync + 'static) -> Self {
        let shared = Shared {
            lists: Box::default(),
            stop: AtomicBool::new(false),
            reopen: AtomicBool::new(false),
            metrics,
        };
        Self { shared: Arc::new(shared), writer: Mutex::new(None), watch: Some(Watch(Box::new(watch))) }
    }

    /// Takes a settled request from a worker (0 to `workers` − 1). Never blocks on I/O; drops the record, and counts
    /// that, when `RECORDS_PER_WORKER_MAX` are waiting.
    pub fn emit(&self, worker: usize, record: RequestRecord) {
        if let Some(Watch(watch)) = &self.watch {
            return watch(record);
        }
        let lists = &self.shared.lists;
        let Some(list) = lists.get(worker % lists.len()) else { return };
        let mut list = list.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() < RECORDS_PER_WORKER_MAX {
            list.push(record);
        } else {
            drop(list);
            self.shared.metrics.shared().pipeline.records_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Opens the file of the access log anew before the next line is written, for `logrotate`. Without a file it does
    /// nothing. If it cannot be opened, the old one is kept and a warning logged.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Release);
        self.wake();
    }

    /// Writes what is waiting, gives the exporter up to five seconds to send its last batch, and stops. Emitting
    /// afterwards is dropped at the latest when the list is full. Blocks: call it from a thread that does not drive
    /// the exporter's runtime.
    pub fn shutdown(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.wake();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // An error means that the writer panicked; what it had is lost, and there is nobody left to tell.
            let _ = thread.join();
        }
    }

    fn wake(&self) {
        if let Some(thread) = &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            thread.thread().unpark();
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// The writer thread's own state.
struct Writer {
    shared: Arc<Shared>,
    output: Output,
    exporter: Option<Exporter>,
    batch: Vec<RequestRecord>,
}

impl Writer {
    fn run(mut self) {
        loop {
            // Read before collecting: what was emitted before shutdown() is then in this round.
            let stop = self.shared.stop.load(Ordering::Acquire);
            if self.shared.reopen.swap(false, Ordering::AcqRel) {
                self.output.reopen();
            }
            let records = self.round();
            if stop {
                break;
            }
            thread::park_timeout(if records < BUSY_RECORDS { COLLECT_INTERVAL } else { BUSY_INTERVAL });
        }
        if let Some(exporter) = self.exporter.take() {
            exporter.finish();
        }
    }

    /// Writes what is waiting and says how many records that were.
    fn round(&mut self) -> usize {
        let mut records = 0;
        let pipeline = &self.shared.metrics.shared().pipeline;
        for index in 0..self.shared.lists.len() {
            let Some(list) = self.shared.lists.get(index) else { continue };
            {
                let mut list = list.0.lock().unwrap_or_else(PoisonError::into_inner);
                if list.is_empty() {
                    continue;
                }
                // The emptied batch goes back to the worker, with the room that it has grown.
                mem::swap(&mut *list, &mut self.batch);
            }
            records += self.batch.len();
            for record in &self.batch {
                self.output.add(record, pipeline);
            }
            match &self.exporter {
                Some(exporter) => self.batch.drain(..).for_each(|record| exporter.push(record)),
                None => self.batch.clear(),
            }
        }
        self.output.flush(pipeline);
        records
    }
}

#[cfg(test)]
mod tests;
