//! The generic cell rate algorithm: a rate limit in one number, the theoretical arrival time (TAT).
//!
//! The TAT is the moment at which everything admitted so far is paid off. A request of cost `c` moves it `c`
//! intervals into the future, from now or from where it is, whichever is later; it is admitted if the TAT then lies
//! no further ahead of now than the burst. One compare-and-swap decides, so parallel callers can never be admitted
//! beyond the limit together, and there is nothing to reset when a window ends.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// One minute, the window that limits are given for.
pub const WINDOW_NS: u64 = 60_000_000_000;

/// `retry_after_ns` of a request that no amount of waiting makes admissible.
pub const NEVER: u64 = u64::MAX;

/// A rate limit shared between threads.
///
/// Limits are exact up to rounding the interval between two units up to a whole nanosecond: never more than the limit
/// is admitted, and at `n` per minute at most `n / 6e8` percent less. Limits above 6e10 per minute count as 6e10.
///
/// All fields fit one cache line and are read together; the alignment keeps two limits from sharing a line.
#[derive(Debug)]
#[repr(align(64))]
pub struct Gcra {
    /// Theoretical arrival time, nanoseconds.
    tat_ns: AtomicU64,
    /// Nanoseconds that one unit of cost takes to be paid off; `u64::MAX` when the limit is 0.
    interval_ns: AtomicU64,
    /// Units that may be used at once.
    burst: AtomicU64,
    /// Units per minute, as configured.
    limit: AtomicU64,
}

/// A request that may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Units that could still be used now.
    pub remaining: u64,
    /// Nanoseconds until nothing counts as used any more.
    pub reset_ns: u64,
}

/// A request that has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// Nanoseconds after which the same request would be admitted if nobody else came; `NEVER` if it cannot be.
    pub retry_after_ns: u64,
    /// Units that could still be used now: fewer than were asked for.
    pub remaining: u64,
    /// Nanoseconds until nothing counts as used any more.
    pub reset_ns: u64,
}

/// The numbers of a limit, read once per decision so that a reload in between cannot mix them within it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    interval_ns: u64,
    burst: u64,
}

impl Rate {
    fn new(limit_per_minute: u64, burst: u64) -> Self {
        if limit_per_minute == 0 {
            return Self { interval_ns: u64::MAX, burst: 0 };
        }
        Self { interval_ns: WINDOW_NS.div_ceil(limit_per_minute), burst: burst.max(1) }
    }

    pub(crate) fn cost_ns(self, cost: u64) -> u64 {
        self.interval_ns.saturating_mul(cost)
    }

    /// Most that may be charged at once: all there can be and one window of debt, rounded up to whole units.
    pub(crate) fn most(self) -> u64 {
        self.burst.saturating_add(WINDOW_NS.div_ceil(self.interval_ns))
    }

    pub(crate) fn burst(self) -> u64 {
        self.burst
    }

    fn burst_ns(self) -> u64 {
        self.cost_ns(self.burst)
    }

    /// Furthest that the TAT may lie ahead of now: everything used, and one window of debt on top.
    fn debt_ns_max(self) -> u64 {
        self.burst_ns().saturating_add(WINDOW_NS)
    }

    fn remaining(self, used_ns: u64) -> u64 {
        self.burst_ns().saturating_sub(used_ns) / self.interval_ns
    }

    /// The TAT after a request that is charged `charge_ns` and admitted if at least `need_ns` are there.
    fn next(self, tat_ns: u64, need_ns: u64, charge_ns: u64, now_ns: u64) -> Result<u64, Denied> {
        let base = tat_ns.max(now_ns);
        let used = base - now_ns;
        // At the end of time (584 years of uptime) additions overflow: deny rather than stop counting.
        let possible = need_ns != NEVER && self.burst > 0;
        let fits = possible && used.checked_add(need_ns).is_some_and(|sum| sum <= self.burst_ns());
        base.checked_add(charge_ns).filter(|_| fits).ok_or_else(|| denied(self, need_ns, used))
    }
}

impl Gcra {
    /// A limit of `limit_per_minute`, of which `burst` may be used at once; nothing is used yet.
    ///
    /// A burst as large as the limit lets a full minute's worth go at once and then refills evenly: 60 per minute
    /// admit 60 immediately, then one per second. A burst of 0 counts as 1; a limit of 0 admits nothing.
    pub fn new(limit_per_minute: u64, burst: u64) -> Self {
        let rate = Rate::new(limit_per_minute, burst);
        Self {
            tat_ns: AtomicU64::new(0),
            interval_ns: AtomicU64::new(rate.interval_ns),
            burst: AtomicU64::new(rate.burst),
            limit: AtomicU64::new(limit_per_minute),
        }
    }

    /// The limit per minute, as it was set.
    pub fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    pub(crate) fn rate(&self) -> Rate {
        Rate { interval_ns: self.interval_ns.load(Relaxed), burst: self.burst.load(Relaxed) }
    }

    /// Takes `cost` units if they are there. Takes nothing when it denies.
    ///
    /// A cost of 0 is denied only while there is debt.
    ///
    /// # Errors
    ///
    /// `Denied` says when to come back; its wait is `NEVER` when `cost` exceeds the burst.
    pub fn check(&self, cost: u64, now_ns: u64) -> Result<Admitted, Denied> {
        let rate = self.rate();
        self.take(rate, rate.cost_ns(cost), rate.cost_ns(cost), now_ns)
    }

    /// Takes `charge_ns` if at least `need_ns` are there.
    pub(crate) fn take(
        &self,
        rate: Rate,
        need_ns: u64,
        charge_ns: u64,
        now_ns: u64,
    ) -> Result<Admitted, Denied> {
        let mut tat = self.tat_ns.load(Relaxed);
        loop {
            let next = rate.next(tat, need_ns, charge_ns, now_ns)?;
            // Released: whoever sees this TAT sees what was written before it was taken.
            match self.tat_ns.compare_exchange_weak(tat, next, Release, Relaxed) {
                Ok(_) => {
                    let used = next - now_ns;
                    return Ok(Admitted { remaining: rate.remaining(used), reset_ns: used });
                }
                Err(seen) => tat = seen,
            }
        }
    }

    /// Says whether `take` would take, without taking.
    pub(crate) fn probe(&self, rate: Rate, need_ns: u64, charge_ns: u64, now_ns: u64) -> Result<(), Denied> {
        rate.next(self.tat_ns.load(Relaxed), need_ns, charge_ns, now_ns).map(|_| ())
    }

    /// Takes `cost` units whether they are there or not, because they were used already.
    ///
    /// What goes beyond the burst becomes debt that has to be paid off before anything is admitted again. Debt is
    /// bounded by one minute beyond an empty bucket, so that one enormous answer, or one wrong number from a vendor,
    /// cannot lock an app out for hours; the excess is forgiven.
    pub fn charge(&self, cost: u64, now_ns: u64) {
        let rate = self.rate();
        let cost_ns = rate.cost_ns(cost);
        let ceiling = now_ns.saturating_add(rate.debt_ns_max());
        self.update(|tat| tat.max(tat.max(now_ns).saturating_add(cost_ns).min(ceiling)));
    }

    /// As `charge`, but only whole units are charged or forgiven. Returns how many were charged.
    pub(crate) fn charge_whole(&self, rate: Rate, cost: u64, now_ns: u64) -> u64 {
        let ceiling = now_ns.saturating_add(rate.debt_ns_max());
        let room = |tat: u64| ceiling.saturating_sub(tat.max(now_ns)) / rate.interval_ns;
        let old = self.update(|tat| match cost.min(room(tat)) {
            0 => tat,
            charged => tat.max(now_ns).saturating_add(rate.cost_ns(charged)),
        });
        cost.min(room(old))
    }

    /// Gives `cost` units back. What time has refilled meanwhile is not given twice: never more than a full burst
    /// becomes available.
    pub fn refund(&self, cost: u64, now_ns: u64) {
        self.refund_ns(self.rate().cost_ns(cost), now_ns, || 0);
    }

    /// As `refund`, but the TAT falls no lower than the floor. The floor is asked for after the TAT has been read, and
    /// again whenever the TAT has changed meanwhile. That misses no change only while the TAT does nothing but rise:
    /// callers whose floor depends on what others take must not run in parallel to other refunds.
    pub(crate) fn refund_ns(&self, back_ns: u64, now_ns: u64, floor_ns: impl Fn() -> u64) {
        // Below now there is nothing left to give back. A TAT that is there already stays.
        self.update(|tat| tat.saturating_sub(back_ns).max(tat.min(now_ns.max(floor_ns()))));
    }

    /// What could be used now and when all is free again, without taking anything.
    pub fn peek(&self, now_ns: u64) -> Admitted {
        let used = self.tat_ns.load(Relaxed).saturating_sub(now_ns);
        Admitted { remaining: self.rate().remaining(used), reset_ns: used }
    }

    /// Changes the limit and keeps what was used: 40 of 60 used become 40 of the new limit used. Use beyond the new
    /// limit becomes debt, bounded as in `charge`.
    ///
    /// A check that runs at the very same moment may be judged by either limit.
    pub fn set_limit(&self, limit_per_minute: u64, burst: u64, now_ns: u64) {
        let old = self.rate();
        let new = Rate::new(limit_per_minute, burst);
        self.limit.store(limit_per_minute, Relaxed);
        if old.interval_ns == new.interval_ns && old.burst == new.burst {
            return;
        }
        // Whichever way it goes, checks that run meanwhile see too much used rather than too little.
        if new.interval_ns > old.interval_ns {
            self.rescale(old, new, now_ns);
        }
        self.interval_ns.store(new.interval_ns, Relaxed);
        self.burst.store(new.burst, Relaxed);
        if new.interval_ns <= old.interval_ns {
            self.rescale(old, new, now_ns);
        }
    }

    /// Converts what is used from units of the old limit into units of the new one. To or from a limit of 0 there is
    /// no scale to convert by: what is owed stays as long as it is.
    fn rescale(&self, old: Rate, new: Rate, now_ns: u64) {
        if old.burst == 0 || new.burst == 0 {
            return;
        }
        let scale = |used_ns: u64| {
            let scaled = u128::from(used_ns) * u128::from(new.interval_ns) / u128::from(old.interval_ns);
            u64::try_from(scaled).unwrap_or(u64::MAX).min(new.debt_ns_max())
        };
        self.update(|tat| match tat.checked_sub(now_ns) {
            Some(used_ns) => now_ns.saturating_add(scale(used_ns)),
            None => tat,
        });
    }

    /// Replaces the TAT. Returns what it was.
    fn update(&self, next: impl Fn(u64) -> u64) -> u64 {
        let mut tat = self.tat_ns.load(Acquire);
        while let Err(seen) = self.tat_ns.compare_exchange_weak(tat, next(tat), Release, Acquire) {
            tat = seen;
        }
        tat
    }
}

fn denied(rate: Rate, need_ns: u64, used_ns: u64) -> Denied {
    let burst_ns = rate.burst_ns();
    let retry_after_ns = if need_ns > burst_ns || need_ns == NEVER || rate.burst == 0 {
        NEVER
    } else {
        // Both fit: the sum overflows only when `used` is astronomical, and then so is the wait.
        used_ns.saturating_add(need_ns).saturating_sub(burst_ns).max(1)
    };
    Denied { retry_after_ns, remaining: rate.remaining(used_ns), reset_ns: used_ns }
}
