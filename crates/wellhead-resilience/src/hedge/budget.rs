//! How many second attempts may be sent: two for every hundred streams, and few saved up.

/// Streams that pay for one hedge: 2 %.
const STREAMS_PER_HEDGE: u32 = 50;

/// Hedges that can be saved up. More would let a quiet night pay for doubling the load of a slow morning.
pub const SAVED_HEDGES_MAX: u32 = 10;

/// The hedges of one model. Starts empty, so that at no time more than 2 % have been sent.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    /// In fiftieths of a hedge.
    saved: u32,
}

impl Budget {
    /// A stream was asked for.
    pub fn on_stream(&mut self) {
        self.saved = (self.saved + 1).min(SAVED_HEDGES_MAX * STREAMS_PER_HEDGE);
    }

    /// Whether there is enough for a hedge.
    pub const fn has_hedge(&self) -> bool {
        self.saved >= STREAMS_PER_HEDGE
    }

    /// Pays for a hedge. Returns false, and takes nothing, if there is not enough.
    pub const fn try_take(&mut self) -> bool {
        match self.saved.checked_sub(STREAMS_PER_HEDGE) {
            Some(left) => {
                self.saved = left;
                true
            }
            None => false,
        }
    }

    /// A hedge that was paid for could not be sent.
    pub fn give_back(&mut self) {
        self.saved = (self.saved + STREAMS_PER_HEDGE).min(SAVED_HEDGES_MAX * STREAMS_PER_HEDGE);
    }
}
