//! The end (contract.md 2.4): announce, keep accepting for a while, finish what is under way, then stop. A second
//! signal means now.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use wellhead_config::snapshot::Boot;
use wellhead_net::{Drain, DrainPhase, WorkerHandles};
use wellhead_proxy::Gateway;
use wellhead_telemetry::Telemetry;

/// How long a service keeps accepting after SIGTERM: load balancers need to notice (decision 23).
const SERVICE_MIN: Duration = Duration::from_secs(30);
/// How long closing everything at once may take.
const CUT_MAX: Duration = Duration::from_secs(2);

/// Waits for a signal and drains. Returns when the workers may be joined.
pub(super) async fn until_stopped(
    drain: &Drain,
    boot: &Boot,
    gateway: &Gateway,
    workers: WorkerHandles,
    replay: JoinHandle<()>,
) {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(%error, "signals cannot be received; the process can only be killed");
            std::future::pending::<()>().await;
            return;
        }
    };
    signals.next().await;
    let started = Instant::now();
    drain.advance(DrainPhase::Announced);
    let terminal = std::io::stderr().is_terminal();
    let at_least = boot.drain_min.unwrap_or(if terminal { Duration::ZERO } else { SERVICE_MIN });
    say(&format!(
        "draining: {} requests under way; accepting for another {} s, finishing within {} s (again to stop now)",
        gateway.in_flight(),
        at_least.as_secs(),
        boot.drain_max.as_secs()
    ));
    // Workers end by themselves when their last connection has been answered and closed, and the replay of deferred
    // requests when none is under way. Those that wait are on disk.
    let mut ended = tokio::task::spawn_blocking(move || {
        workers.join();
        if replay.join().is_err() {
            tracing::error!("the replay of deferred requests ended by a panic");
        }
    });
    let drained = async {
        tokio::time::sleep(at_least).await;
        drain.advance(DrainPhase::Closing);
        (&mut ended).await
    };
    let cut = tokio::select! {
        _ = drained => 0,
        () = tokio::time::sleep(boot.drain_max.max(at_least)) => gateway.in_flight(),
        () = signals.next() => gateway.in_flight(),
    };
    drain.advance(DrainPhase::Now);
    if !ended.is_finished() {
        drop(tokio::time::timeout(CUT_MAX, ended).await);
    }
    say(&format!("stopped after {:.1} s; {cut} requests were cut", started.elapsed().as_secs_f64()));
}

/// SIGHUP opens the access log anew, beside reloading the configuration: log rotation needs nothing else.
pub(super) fn reopen_logs_on_hangup(telemetry: Arc<Telemetry>) {
    tokio::spawn(async move {
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
        while hangups.recv().await.is_some() {
            telemetry.reopen();
        }
    });
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// For whoever watches the terminal or the service's log. Nobody watching is fine.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
