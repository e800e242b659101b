//! What has become of deferred requests since the process started.

use super::webhook::Told;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wellhead_resilience::defer::How;

/// Counters.
#[derive(Debug, Default)]
pub(super) struct Counts {
    accepted: AtomicU64,
    refused: AtomicU64,
    ended: [AtomicU64; 4],
    told: [AtomicU64; Told::ALL.len()],
}

impl Counts {
    pub(super) fn accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn ended(&self, how: How) {
        self.ended[how as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn told(&self, told: Told) {
        self.told[told as usize].fetch_add(1, Relaxed);
    }

    /// Every outcome of a webhook with its number.
    pub(super) fn webhooks(&self) -> [(&'static str, u64); Told::ALL.len()] {
        Told::ALL.map(|told| (told.as_str(), self.told[told as usize].load(Relaxed)))
    }

    /// Every outcome of a request with its number.
    pub(super) fn outcomes(&self) -> [(&'static str, u64); 6] {
        let ended = |how: How| (how.as_str(), self.ended[how as usize].load(Relaxed));
        [
            ("accepted", self.accepted.load(Relaxed)),
            ("refused", self.refused.load(Relaxed)),
            ended(How::Completed),
            ended(How::Failed),
            ended(How::Expired),
            ended(How::Cancelled),
        ]
    }
}
