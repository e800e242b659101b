//! Tokens per minute. What a request costs is known only when its answer has ended, so an estimate is taken in
//! advance and trued up or down afterwards.

use crate::gcra::{Admitted, Denied, Gcra, WINDOW_NS};
use crate::history::{Entry, History};

/// A limit on tokens per minute, with a burst of one full minute.
///
/// Taking tokens waits for nobody; giving some back holds a short lock of this limit.
#[derive(Debug)]
pub struct Tokens {
    gcra: Gcra,
    history: History,
}

/// Tokens taken in advance. Hand it to `Tokens::settle`; a reservation that is dropped stays charged as estimated.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a reservation that is not settled stays charged in full"]
pub struct Reservation {
    /// Tokens taken, and where in the history.
    entry: Entry,
    /// What is left after it.
    after: Admitted,
}

impl Reservation {
    /// Tokens taken in advance.
    pub fn charged(&self) -> u64 {
        self.entry.tokens
    }

    /// What was left when they had been taken.
    pub fn after(&self) -> Admitted {
        self.after
    }
}

impl Tokens {
    /// A limit of `limit_per_minute` tokens; nothing is used yet. 0 admits nothing.
    pub fn new(limit_per_minute: u64) -> Self {
        Self { gcra: Gcra::new(limit_per_minute, burst(limit_per_minute)), history: History::new() }
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
        let tokens = estimate.min(rate.most());
        let charge_ns = rate.cost_ns(tokens);
        self.gcra.probe(rate, need_ns, charge_ns, now_ns)?;
        let entry = self.note(tokens, now_ns);
        match self.gcra.take(rate, need_ns, charge_ns, now_ns) {
            Ok(after) => Ok(Reservation { entry, after }),
            Err(denied) => {
                // Somebody else was faster.
                self.forget(&entry, tokens);
                Err(denied)
            }
        }
    }

    /// Replaces the estimate by what was used. Cancelling is settling with what was used until then, maybe 0.
    ///
    /// More than the estimate is charged at once and may become debt, bounded as in `Gcra::charge`; what is forgiven is
    /// forgiven in whole tokens.
    ///
    /// Less gives back what would be there now if only what was used had ever been taken. Tokens that time has
    /// refilled meanwhile are not given twice: a bucket that was full while the answer was running owes nothing.
    ///
    /// * Never does it give back more, in whatever order requests end: at all times at least as much counts as used
    ///   as if the usage of all settled requests had been known when they were admitted. Clocks that disagree while
    ///   their threads meet here may add what refills in the time by which they disagree.
    /// * It gives back less by at most what refills in two seconds (`SLICE_NS`), and what other threads are taking at
    ///   the same instant. Such shortfalls do not add up: they overlap, and are gone when the bucket is full.
    /// * Nothing comes back of a reservation that is older than the history (ten minutes in which the bucket was never
    ///   full), that a limit of 0 came after, or that is settled under one. A reservation that outlives a change of
    ///   the limit gets back what would be there if nothing taken after it had been refilled before the change.
    pub fn settle(&self, reservation: Reservation, actual: u64, now_ns: u64) {
        let Reservation { entry, after: _ } = reservation;
        if actual > entry.tokens {
            self.charge(actual - entry.tokens, now_ns);
        } else if actual < entry.tokens {
            self.refund(&entry, entry.tokens - actual, now_ns);
        }
    }

    fn charge(&self, extra: u64, now_ns: u64) {
        let rate = self.gcra.rate();
        let extra = extra.min(rate.most());
        let entry = self.note(extra, now_ns);
        let charged = self.gcra.charge_whole(rate, extra, now_ns);
        if charged < extra {
            self.forget(&entry, extra - charged);
        }
    }

    /// Without these tokens, the bucket would be as many fuller, but no fuller than what was taken later leaves it.
    fn refund(&self, entry: &Entry, unused: u64, now_ns: u64) {
        let mut history = self.history.lock();
        let Some(slice) = history.find(entry) else { return };
        // Under the lock, under which the limit changes: slices and rate belong together.
        let rate = self.gcra.rate();
        if rate.burst() > 0 {
            let later_ns = || history.later_ns(slice, entry, rate.cost_ns(1));
            self.gcra.refund_ns(rate.cost_ns(unused), now_ns, later_ns);
        }
        history.give_back(slice, unused);
    }

    fn note(&self, tokens: u64, now_ns: u64) -> Entry {
        self.history.note(tokens, now_ns, || self.gcra.peek(now_ns).reset_ns == 0)
    }

    /// Some of the tokens were noted and then not taken.
    fn forget(&self, entry: &Entry, tokens: u64) {
        let mut history = self.history.lock();
        if let Some(slice) = history.find(entry) {
            history.give_back(slice, tokens);
        }
    }

    /// What could be used now and when all is free again.
    pub fn peek(&self, now_ns: u64) -> Admitted {
        self.gcra.peek(now_ns)
    }

    /// Changes the limit and keeps what was used (see `Gcra::set_limit`).
    pub fn set_limit(&self, limit_per_minute: u64, now_ns: u64) {
        let mut history = self.history.lock();
        let old = self.gcra.limit();
        if old != limit_per_minute {
            history.limit_changes(now_ns);
        }
        if (old == 0) != (limit_per_minute == 0) {
            // Time owed is kept, but stands for other numbers of tokens now.
            history.forget();
        }
        self.gcra.set_limit(limit_per_minute, burst(limit_per_minute), now_ns);
    }
}

/// A minute's tokens. A unit takes at least a nanosecond, so no minute has more than this.
fn burst(limit_per_minute: u64) -> u64 {
    limit_per_minute.min(WINDOW_NS)
}
