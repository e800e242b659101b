//! Bytes that all requests of a process share, counted for as long as they are really there.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wellhead_config::snapshot::Limits;

/// However small `replay_bytes_max` is, this many bodies of the largest size still fit: a budget for replay must not
/// forbid what `body_bytes_max` allows.
const BODIES_BEYOND_MIN: u64 = 2;

/// Memory that request bodies may take, in bytes, before requests are refused: twice the budget for replay. The second
/// half is for bodies that are being read and for those that are sent without replay.
pub(crate) fn memory_max(limits: &Limits) -> u64 {
    let beyond = limits.replay_bytes_max.max(limits.body_bytes_max.saturating_mul(BODIES_BEYOND_MIN));
    limits.replay_bytes_max.saturating_add(beyond)
}

/// Bytes in use, over all requests of the process.
#[derive(Debug, Default)]
pub(crate) struct Budget(AtomicU64);

impl Budget {
    /// Bytes in use now.
    pub(crate) fn used(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// An empty share of it.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

/// A share of a budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Share {
    /// Bytes that it holds.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes `bytes` more if no more than `max` are then in use by all.
    pub(crate) fn grow(&mut self, bytes: u64, max: u64) -> bool {
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= max);
        let grown = self.budget.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        self.bytes += if grown { bytes } else { 0 };
        grown
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// Ties a share to the memory that it is for: it is given back when the last piece of that memory is gone, be it with
/// the request or in a connection that still sends.
pub(crate) fn bind(bytes: Bytes, share: Share) -> Bytes {
    Bytes::from_owner(Bound { bytes, _share: share })
}

struct Bound {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Bound {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
