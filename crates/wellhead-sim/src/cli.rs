//! `wellhead sim`: a simulator that runs until it is interrupted.

use std::io::{self, Write};

use crate::fault::Faults;
use crate::options::SimOptions;
use crate::sim::Sim;

/// What `wellhead sim` is started with.
#[derive(Debug, Clone, Default)]
pub struct CliOptions {
    /// The simulator itself.
    pub sim: SimOptions,
    /// Faults that happen to every request.
    pub faults: Option<Faults>,
    /// Threads; 0 takes one for each core.
    pub threads: usize,
}

/// Runs a simulator in the foreground until SIGINT or SIGTERM, telling on `out` where it listens.
///
/// # Errors
/// It cannot listen, there are no threads to be had, or `out` cannot be written.
pub fn run_cli(options: CliOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if options.threads > 0 {
        builder.worker_threads(options.threads);
    }
    builder.enable_all().build()?.block_on(async {
        // Before anything is printed: who reads that may send the signal at once.
        let mut signals = Signals::new()?;
        let keys = options.sim.api_keys.is_some();
        let sim = Sim::start(options.sim)?;
        writeln!(out, "The simulator answers on {}", sim.base_url())?;
        if let Some(faults) = options.faults.filter(|faults| !faults.0.is_empty()) {
            writeln!(out, "Every request meets: {faults}")?;
            sim.set_fault(faults);
        }
        let key = if keys { " -H 'authorization: Bearer YOUR_KEY'" } else { "" };
        let body = r#"{"model":"practice","messages":[{"role":"user","content":"Hello"}]}"#;
        writeln!(out, "Try: curl{key} {}/chat/completions -d '{body}'", sim.base_url())?;
        out.flush()?;
        signals.wait().await;
        sim.shutdown().await;
        Ok(())
    })
}

/// SIGINT and SIGTERM, caught from the moment this is made.
#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn wait(&mut self) {
        let _ = self.0.recv().await;
    }
}
