//! Notices changes: the file (and the secrets that it names) by looking every half second, SIGHUP at once, and keys
//! that expire. Polling instead of inotify, because it also works on config maps, bind mounts and network mounts.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch::Receiver;
use tokio::time::MissedTickBehavior;

use crate::Configurator;

/// How often the file is looked at. A change is loaded when two looks in a row agree, so after 0.5 to 1 s.
const POLL: Duration = Duration::from_millis(500);

/// Runs until `stop` changes.
pub(crate) async fn run(configurator: Arc<Configurator>, mut stop: Receiver<bool>) {
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(signal) => Some(signal),
        Err(error) => {
            tracing::error!(%error, "SIGHUP cannot be received; the file is still watched");
            None
        }
    };
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let hung_up = async {
            match &mut hangup {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stop.changed() => return,
            Some(()) = hung_up => {
                // The outcome is in the log, the status and the metrics.
                let _ = configurator.reload("SIGHUP", "system").await;
            }
            _ = ticks.tick() => configurator.tick().await,
        }
    }
}
