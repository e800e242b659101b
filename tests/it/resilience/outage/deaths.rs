//! How a target dies, and comes back at the same address.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use wellhead_sim::{LoggedRequest, Rule, Sim, SimOptions};

use crate::support::{LIMIT, fault, sim_with};

/// A connection that is not made by then is one that waits.
const FILLED_MAX: Duration = Duration::from_millis(200);

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
    _filler: TcpStream,
}

impl Hole {
    fn dig(addr: SocketAddr) -> Self {
        let began = Instant::now();
        loop {
            // Room for one. If the gateway was quicker, it is thrown out with the listener, and both try again.
            let listener = socket(addr).listen(0).unwrap();
            if let Ok(filler) = TcpStream::connect_timeout(&addr, FILLED_MAX) {
                return Self { _listener: listener, _filler: filler };
            }
            assert!(began.elapsed() < LIMIT, "the queue of {addr} was never ours");
        }
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
            self.hole = Some(Hole::dig(self.addr));
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
