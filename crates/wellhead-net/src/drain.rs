//! Ending without losing a request (contract.md 2.4).

use std::sync::Arc;
use tokio::sync::watch;

/// How far the shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum DrainPhase {
    /// Serving.
    #[default]
    Serving,
    /// Still accepting, but telling clients to come back elsewhere.
    Announced,
    /// No new connections; requests under way are finished.
    Closing,
    /// Everything is closed at once.
    Now,
}

/// The switch that all workers watch. Phases only go forward.
#[derive(Debug, Clone)]
pub struct Drain {
    sender: Arc<watch::Sender<DrainPhase>>,
}

impl Default for Drain {
    fn default() -> Self {
        Self { sender: Arc::new(watch::Sender::new(DrainPhase::Serving)) }
    }
}

impl Drain {
    /// Moves on to a phase; going back does nothing.
    pub fn advance(&self, to: DrainPhase) {
        self.sender.send_if_modified(|phase| {
            let forward = to > *phase;
            if forward {
                *phase = to;
            }
            forward
        });
    }

    /// The phase now.
    pub fn phase(&self) -> DrainPhase {
        *self.sender.borrow()
    }

    /// Waits until a phase has been reached.
    pub async fn reached(&self, phase: DrainPhase) {
        let mut phases = self.sender.subscribe();
        // The sender lives as long as `self`: waiting cannot fail.
        drop(phases.wait_for(|now| *now >= phase).await);
    }
}
