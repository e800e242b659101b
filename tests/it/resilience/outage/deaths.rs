//! How a target dies, and comes back at the same address.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use wellhead_sim::{LoggedRequest, Rule, Sim, SimOptions};

use crate::support::{LIMIT, fault, sim_with};

/// Connections that try to fill the queue of a listener that accepts nobody; it has room for one.
const FILLERS: usize = 3;

/// The ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// The process is gone: its connections are reset, and nobody listens.
    Gone,
    /// A partition: connections are reset, new ones are never made and never refused.
    Unreachable,
    /// It accepts, reads, and never answers.
    Silent,
    /// It answers with errors.
    Failing,
    /// It breaks off after the headers.
    Resetting,
}

impl Death {
    const fn fault(self) -> Option<&'static str> {
        match self {
            Self::Gone | Self::Unreachable => None,
            Self::Silent => Some("silence"),
            Self::Failing => Some("status:503"),
            Self::Resetting => Some("reset-after-headers"),
        }
    }
}

/// A listener that accepts nobody and whose queue is full, so that whoever connects waits.
struct Hole {
    _listener: TcpListener,
    _fillers: JoinSet<()>,
}

impl Hole {
    async fn dig(addr: SocketAddr) -> Self {
        let listener = socket(addr).listen(0).unwrap();
        let (made, mut first) = tokio::sync::mpsc::channel(FILLERS);
        let mut fillers = JoinSet::new();
        for _ in 0..FILLERS {
            let made = made.clone();
            fillers.spawn(async move {
                let connected = TcpStream::connect(addr).await;
                let _ = made.send(()).await;
                std::future::pending::<()>().await;
                drop(connected);
            });
        }
        // The first one fills the queue; the others wait like everybody else.
        tokio::time::timeout(LIMIT, first.recv()).await.unwrap();
        Self { _listener: listener, _fillers: fillers }
    }
}

/// A socket of this address, whoever else is bound to it without listening.
fn socket(addr: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(addr).unwrap();
    socket
}

/// A simulator that can die and come back.
pub(super) struct Mortal {
    addr: SocketAddr,
    /// Bound and not listening: while the simulator is gone, connections are refused, and no other program is given
    /// the port.
    _reserved: TcpSocket,
    sim: Option<Sim>,
    hole: Option<Hole>,
    pace: Duration,
}

impl Mortal {
    pub(super) fn start(pace: Duration) -> Self {
        let reserved = socket((Ipv4Addr::LOCALHOST, 0).into());
        let addr = reserved.local_addr().unwrap();
        let mut mortal = Self { addr, _reserved: reserved, sim: None, hole: None, pace };
        mortal.rise();
        mortal
    }

    fn rise(&mut self) {
        let options = SimOptions {
            addr: self.addr,
            token_pace: self.pace,
            tokens_default: 24,
            ..SimOptions::default()
        };
        self.sim = Some(sim_with(options));
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    pub(super) async fn die(&mut self, how: Death) {
        if let Some(text) = how.fault() {
            return self.sim.as_ref().unwrap().set_fault(Rule::always(fault(text)));
        }
        self.sim.take().unwrap().shutdown().await;
        if how == Death::Unreachable {
            self.hole = Some(Hole::dig(self.addr).await);
        }
    }

    /// From now on it answers again. Returns when that was.
    pub(super) fn come_back(&mut self) -> Instant {
        self.hole = None;
        match &self.sim {
            Some(sim) => sim.clear_faults(),
            None => self.rise(),
        }
        Instant::now()
    }

    pub(super) fn clear_log(&self) {
        if let Some(sim) = &self.sim {
            sim.clear_log();
        }
    }

    /// What it has seen, as far as there was somebody to see.
    pub(super) fn seen(&self) -> Vec<LoggedRequest> {
        self.sim.as_ref().map_or_else(Vec::new, Sim::requests)
    }
}
