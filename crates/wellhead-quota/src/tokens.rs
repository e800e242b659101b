//! Tokens per minute. What a request costs is known only when its answer has ended, so an estimate is taken in
//! advance and trued up or down afterwards.

use crate::gcra::{Admitted, Denied, Gcra, WINDOW_NS};

/// A limit on tokens per minute, with a burst of one full minute.
#[derive(Debug)]
pub struct Tokens {
    gcra: Gcra,
}

/// Tokens taken in advance. Hand it to `Tokens::settle`; a reservation that is dropped stays charged as estimated.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a reservation that is not settled stays charged in full"]
pub struct Reservation {
    /// Tokens taken.
    charged: u64,
    /// When the last of them will have been refilled, if nothing is given back before.
    paid_off_ns: u64,
    /// What is left after it.
    after: Admitted,
}

impl Reservation {
    /// Tokens taken in advance.
    pub fn charged(&self) -> u64 {
        self.charged
    }

    /// What was left when they had been taken.
    pub fn after(&self) -> Admitted {
        self.after
    }
}

impl Tokens {
    /// A limit of `limit_per_minute` tokens; nothing is used yet. 0 admits nothing.
    pub fn new(limit_per_minute: u64) -> Self {
        Self { gcra: Gcra::new(limit_per_minute, limit_per_minute) }
    }

    /// The limit per minute.
    pub fn limit(&self) -> u64 {
        self.gcra.limit()
    }

    /// Takes `estimate` tokens if they are there; takes nothing when it denies.
    ///
    /// An estimate above the whole limit needs a full bucket and empties it; the rest becomes debt, at most one
    /// minute's worth. So a request that is larger than a minute's tokens is possible and delays what follows, and
    /// nobody gets in sooner by asking for more. An estimate of 0 is denied only while there is debt.
    ///
    /// # Errors
    ///
    /// `Denied` says when to come back.
    pub fn reserve(&self, estimate: u64, now_ns: u64) -> Result<Reservation, Denied> {
        let rate = self.gcra.rate();
        let need_ns = rate.cost_ns(estimate.min(rate.burst()));
        let charge_ns = rate.cost_ns(estimate).min(need_ns.saturating_add(WINDOW_NS));
        let (after, paid_off_ns) = self.gcra.take(rate, need_ns, charge_ns, now_ns)?;
        let charged =
            if charge_ns == need_ns { estimate } else { estimate.min(rate.burst().saturating_mul(2)) };
        Ok(Reservation { charged, paid_off_ns, after })
    }

    /// Replaces the estimate by what was used. Cancelling is settling with what was used until then, maybe 0.
    ///
    /// More than the estimate is charged at once and may become debt (see `Gcra::charge`). Less is given back, but
    /// for what time has refilled already: a bucket that filled up again while the answer was running does not get
    /// the same tokens a second time. Declared slack: where reservations overlap, a refund that follows another one can
    /// give back up to one reservation too much, because the queue has moved since.
    #[expect(clippy::needless_pass_by_value, reason = "by value, so that a reservation is settled only once")]
    pub fn settle(&self, reservation: Reservation, actual: u64, now_ns: u64) {
        let Reservation { charged, paid_off_ns, after: _ } = reservation;
        if actual >= charged {
            if actual > charged {
                self.gcra.charge(actual - charged, now_ns);
            }
            return;
        }
        let unpaid_ns = paid_off_ns.saturating_sub(now_ns);
        self.gcra.refund_ns(self.gcra.rate().cost_ns(charged - actual).min(unpaid_ns), now_ns);
    }

    /// What could be used now and when all is free again.
    pub fn peek(&self, now_ns: u64) -> Admitted {
        self.gcra.peek(now_ns)
    }

    /// Changes the limit and keeps what was used (see `Gcra::set_limit`).
    pub fn set_limit(&self, limit_per_minute: u64, now_ns: u64) {
        self.gcra.set_limit(limit_per_minute, limit_per_minute, now_ns);
    }
}
