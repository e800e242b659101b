//! The simulator as its owner sees it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::core::Core;
use crate::fault::Rule;
use crate::log::{LoggedRequest, WaitError};
use crate::net::{accept, acceptor};
use crate::options::SimOptions;

/// Connections that may wait to be accepted: a load test opens thousands at once.
const BACKLOG_MAX: u32 = 4096;

/// A running simulator. Dropping it ends it as [`Sim::shutdown`] does, but without waiting.
pub struct Sim {
    core: Arc<Core>,
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Sim {
    /// Starts a simulator on the current tokio runtime; it answers as soon as this returns.
    ///
    /// # Errors
    /// The address cannot be listened on, the TLS identity cannot be used, or there is no tokio runtime.
    pub fn start(options: SimOptions) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let tls = options.tls.as_ref().map(acceptor).transpose()?;
        let socket = if options.addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A simulator that was killed is to be started again on its port at once.
        socket.set_reuseaddr(true)?;
        socket.bind(options.addr)?;
        let listener = socket.listen(BACKLOG_MAX)?;
        let addr = listener.local_addr()?;
        let core = Arc::new(Core::new(options));
        let (stop, stopped) = watch::channel(false);
        let accepting = runtime.spawn(accept::run(Arc::clone(&core), listener, tls, stopped));
        Ok(Self { core, addr, stop, accepting: Mutex::new(Some(accepting)) })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a client takes as base URL: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        let scheme = if self.core.options.tls.is_some() { "https" } else { "http" };
        let base = self.core.options.base_paths.first().map_or("", String::as_str);
        format!("{scheme}://{}{base}", self.addr)
    }

    /// The log, the oldest request first. Control calls are not in it.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.core.log.read()
    }

    /// Forgets every request, also those under way.
    pub fn clear_log(&self) {
        self.core.log.clear();
    }

    /// Adds a fault rule; the newest that matches a request counts.
    pub fn set_fault(&self, rule: impl Into<Rule>) {
        self.core.add_rule(rule.into());
    }

    /// Removes every fault rule.
    pub fn clear_faults(&self) {
        self.core.rules().clear();
    }

    /// Requests under way.
    pub fn in_flight(&self) -> usize {
        self.core.log.in_flight()
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.core.connections_open()
    }

    /// Waits until `predicate` holds for the log, and returns that log. It is asked again whenever a request comes,
    /// its head or a token of its answer is sent, or it ends.
    ///
    /// # Errors
    /// It did not hold within `limit`; the error has the log.
    pub async fn wait_for(
        &self,
        predicate: impl Fn(&[LoggedRequest]) -> bool,
        limit: Duration,
    ) -> Result<Vec<LoggedRequest>, WaitError> {
        self.core.log.wait_for(predicate, limit).await
    }

    /// Closes the listener and resets every connection, as the death of the process would; returns once all are
    /// closed. The log stays readable. Calling it twice is harmless.
    pub async fn shutdown(&self) {
        self.end();
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(accepting) = accepting
            && let Err(error) = accepting.await
        {
            tracing::warn!(%error, "the simulator did not end in order");
        }
    }

    fn end(&self) {
        self.core.log.stop();
        // Fails only if nothing listens any more, which is what is wanted.
        let _ = self.stop.send(true);
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.end();
    }
}
