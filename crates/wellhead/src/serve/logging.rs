//! The program's own log, on stderr: for people in a terminal, JSON lines elsewhere. `WELLHEAD_LOG` sets the level.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging. A second call changes nothing.
pub(super) fn start() {
    let filter = EnvFilter::try_from_env("WELLHEAD_LOG").unwrap_or_else(|_| EnvFilter::new("warn,wellhead=info"));
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = if terminal {
        builder.with_ansi(std::env::var_os("NO_COLOR").is_none()).try_init()
    } else {
        builder.json().try_init()
    };
    // Already started, by a test in the same process: its choice stands.
    drop(started);
}
