//! How many second attempts may be sent: two for every hundred streams, and few saved up.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use wellhead_types::planted::{self, Planted};

/// Streams that pay for one hedge: 2 %.
const STREAMS_PER_HEDGE: u32 = 50;

/// Hedges that can be saved up. More would let a quiet night pay for doubling the load of a slow morning.
pub const SAVED_HEDGES_MAX: u32 = 10;

/// The hedges of one model, shared by all threads without a lock: every stream deposits. Starts empty, so that at no
/// time more than 2 % have been sent.
#[derive(Debug, Default)]
pub struct Budget {
    /// In fiftieths of a hedge.
    saved: AtomicU32,
}

impl Budget {
    /// A stream was asked for.
    pub fn on_stream(&self) {
        self.add(1);
    }

    /// Whether there is enough for a hedge.
    pub fn has_hedge(&self) -> bool {
        self.saved.load(Relaxed) >= STREAMS_PER_HEDGE
    }

    /// Pays for a hedge. Returns false, and takes nothing, if there is not enough.
    pub fn try_take(&self) -> bool {
        planted::has(Planted::HedgeAsksTwoAtOnce)
            || self.saved.fetch_update(Relaxed, Relaxed, |saved| saved.checked_sub(STREAMS_PER_HEDGE)).is_ok()
    }

    /// A hedge that was paid for could not be sent.
    pub fn give_back(&self) {
        self.add(STREAMS_PER_HEDGE);
    }

    fn add(&self, more: u32) {
        let full = SAVED_HEDGES_MAX * STREAMS_PER_HEDGE;
        // Not written when nothing changes: in quiet times it is full.
        let _full = self
            .saved
            .fetch_update(Relaxed, Relaxed, |saved| (saved < full).then(|| (saved + more).min(full)));
    }
}
