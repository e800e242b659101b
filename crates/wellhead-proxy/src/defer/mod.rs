//! Deferred answers (survival.md R10, docs/reference/deferred.md): a request is written down, its client gets a 202 and
//! a place where the answer will be, and the answer is fetched from a target when one is there.
//!
//! * [`accept`]: from a request to a durable record and its 202.
//! * [`replay`]: one task per process, on a thread and with connections of its own: what is asked when, and in which
//!   order.
//! * [`run`]: one attempt for one request. Whom it asks is durable before it is asked.
//! * [`webhook`]: telling the owner.
//! * [`fetch`]: what the owner asks about it later.
//! * [`journal`], [`files`]: the log. What it means is decided in `wellhead_resilience::defer`.

mod accept;
mod counts;
mod document;
mod fetch;
mod files;
mod journal;
mod replay;
mod run;
mod webhook;

pub(crate) use accept::{attempts, now_or_later};
pub(crate) use fetch::{Asked, fetch, find};

use crate::gateway::Gateway;
use counts::Counts;
use journal::Journal;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use wellhead_config::snapshot;
use wellhead_resilience::defer::{Limits, State};
use wellhead_telemetry::DeferredFigures;

/// The deferred requests of a process.
#[derive(Debug)]
pub struct Deferred {
    journal: Journal,
    counts: Counts,
}

impl Deferred {
    /// Reads the log in `dir`, which need not exist, and starts its thread.
    ///
    /// # Errors
    /// It cannot be read, or was written by a newer version. It is not passed over: what is in it has been promised to
    /// somebody.
    pub fn open(dir: PathBuf) -> io::Result<Self> {
        Ok(Self { journal: Journal::open(dir)?, counts: Counts::default() })
    }

    /// What is known of all of them, at this time in milliseconds since 1970.
    pub(crate) fn figures(&self, now_ms: u64) -> DeferredFigures {
        let outbox = self.journal.outbox();
        let mut figures = DeferredFigures {
            bytes: outbox.total().bytes,
            disk_bytes: self.journal.disk_bytes(),
            outcomes: self.counts.outcomes().to_vec(),
            webhooks: self.counts.webhooks().to_vec(),
            ..DeferredFigures::default()
        };
        for entry in outbox.iter() {
            match entry.state {
                State::Queued => {
                    let age_ms = now_ms.saturating_sub(entry.request.accepted_ms);
                    figures.oldest_s = figures.oldest_s.max(age_ms / 1_000);
                    figures.queued += 1;
                }
                State::Running { .. } => figures.running += 1,
                State::Finished(_) => figures.kept += 1,
            }
        }
        figures
    }

    /// Something may be possible now that was not before: a new configuration.
    pub(crate) fn nudge(&self) {
        self.journal.nudge();
    }
}

/// Starts answering deferred requests: a thread with a runtime and connections of its own, which ends with the drain.
/// `worker` is its number in metrics and records.
///
/// # Errors
/// The thread cannot be started.
pub fn start_replay(gateway: &Arc<Gateway>, worker: usize) -> io::Result<JoinHandle<()>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    let worker = gateway.worker(worker);
    std::thread::Builder::new().name("deferred".to_owned()).spawn(move || {
        runtime.block_on(replay::replay(worker));
        runtime.shutdown_background();
    })
}

/// The limits as the decider wants them.
fn limits(configured: &snapshot::Defer) -> Limits {
    Limits {
        requests_max: configured.requests_max,
        bytes_max: configured.bytes_max,
        app_requests_max: configured.app_requests_max,
        app_bytes_max: configured.app_bytes_max,
    }
}
