//! The program's own log, on stderr: for people in a terminal, JSON lines elsewhere. `WELLHEAD_LOG` sets the level.
//!
//! Lines go through a bounded queue to a thread of their own: a terminal or a collector that stops reading must never
//! stop a worker. What does not fit is dropped.

use std::io::IsTerminal;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Lines that wait for a slow reader; about 4 MB at the usual length.
const LINES_MAX: usize = 16_384;

/// Starts logging. A second call changes nothing. Dropping the guard writes what is waiting.
pub(super) fn start() -> WorkerGuard {
    let filter =
        EnvFilter::try_from_env("WELLHEAD_LOG").unwrap_or_else(|_| EnvFilter::new("warn,wellhead=info"));
    let terminal = std::io::stderr().is_terminal();
    let (writer, guard) =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES_MAX).finish(std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    let started = if terminal {
        builder.with_ansi(std::env::var_os("NO_COLOR").is_none()).try_init()
    } else {
        builder.json().try_init()
    };
    // Already started, by a test in the same process: its choice stands.
    drop(started);
    guard
}
