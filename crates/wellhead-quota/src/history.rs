//! What was taken lately and how much of it came back: a short history, from which a refund sees how much of what is
//! owed now was taken *after* the tokens that it gives back.
//!
//! Tokens are noted on one line that only grows, cut into slices of time. Noting is two atomic additions; the slices
//! are behind a mutex that refunds hold for well under a microsecond, and that taking never waits for.

use std::collections::VecDeque;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Shortest time between two cuts, and so what a refund may fall short by: a slice counts as taken at its end. Two
/// seconds are a thirtieth of a minute's tokens.
pub(crate) const SLICE_NS: u64 = 2_000_000_000;

/// Closed slices that are remembered. In a bucket that is never full meanwhile they cover ten minutes or more, the
/// time that official clients wait for an answer; they take 12 KiB then, and next to nothing in a bucket at rest.
pub(crate) const SLICES_MAX: usize = 300;

/// The history of one limit.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct History {
    /// Tokens noted since the beginning; wraps around.
    noted: AtomicU64,
    /// Latest time at which any were noted.
    latest_ns: AtomicU64,
    /// When the open slice is due to be closed.
    due_ns: AtomicU64,
    past: Mutex<Past>,
}

/// Where on the line some tokens were noted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How many.
    pub(crate) tokens: u64,
    /// The line's end after them.
    end: u64,
}

#[derive(Debug, Default)]
struct Past {
    /// Oldest first; without gaps on the line.
    closed: VecDeque<Slice>,
    /// The one that is being added to; its `last_ns` is not known yet.
    open: Slice,
    /// When the limit was last changed.
    changed_ns: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Slice {
    /// Where on the line it begins. It ends where the next one begins.
    start: u64,
    /// How much of it was given back.
    returned: u64,
    /// Nothing in it was noted later than this.
    last_ns: u64,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            noted: AtomicU64::new(0),
            latest_ns: AtomicU64::new(0),
            due_ns: AtomicU64::new(SLICE_NS),
            past: Mutex::new(Past::default()),
        }
    }

    /// Notes tokens *before* they are taken from the bucket: whoever finds them in the bucket finds them here too.
    ///
    /// `is_full` says whether the bucket is full now, so that nothing taken before matters any more.
    pub(crate) fn note(&self, tokens: u64, now_ns: u64, is_full: impl FnOnce() -> bool) -> Entry {
        if now_ns >= self.due_ns.load(Relaxed) {
            self.cut(now_ns, is_full);
        }
        // The time first: whoever sees the tokens sees a time that is not before theirs.
        self.latest_ns.fetch_max(now_ns, Relaxed);
        Entry { tokens, end: self.noted.fetch_add(tokens, Release).wrapping_add(tokens) }
    }

    /// Closes the open slice and begins the next. When somebody holds the lock, the slice just gets a little longer.
    fn cut(&self, now_ns: u64, is_full: impl FnOnce() -> bool) {
        let mut past = match self.past.try_lock() {
            Ok(past) => past,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.due_ns.store(now_ns.saturating_add(SLICE_NS), Relaxed);
        let end = self.noted.load(Acquire);
        let last_ns = self.latest_ns.load(Relaxed);
        if is_full() {
            past.closed.clear();
        }
        if past.closed.len() == SLICES_MAX {
            past.closed.pop_front();
        }
        let open = past.open;
        past.closed.push_back(Slice { last_ns, ..open });
        past.open = Slice { start: end, ..Slice::default() };
    }

    /// The slices. Nobody else gives anything back or changes the limit while they are held.
    pub(crate) fn lock(&self) -> Held<'_> {
        // Nothing panics while holding it, and what it holds is whole between any two statements.
        Held { history: self, past: self.past.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// The slices of a history, locked.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    history: &'a History,
    past: MutexGuard<'a, Past>,
}

impl Held<'_> {
    /// In which slice these tokens were noted; `None` when it is forgotten.
    pub(crate) fn find(&self, entry: &Entry) -> Option<usize> {
        let closed = &self.past.closed;
        let oldest = closed.front().unwrap_or(&self.past.open).start;
        let start = entry.end.wrapping_sub(entry.tokens).wrapping_sub(oldest);
        // What lies before the oldest slice wraps around and is beyond the end.
        if start >= self.history.noted.load(Acquire).wrapping_sub(oldest) {
            return None;
        }
        if start >= self.past.open.start.wrapping_sub(oldest) {
            return Some(closed.len());
        }
        closed.partition_point(|slice| slice.start.wrapping_sub(oldest) <= start).checked_sub(1)
    }

    /// When a bucket would be full again of which nothing but what came after `entry` had been taken: never too early,
    /// and too late by no more than a slice takes, or by what others are taking at this very moment.
    ///
    /// That is the history played again from there on. Each slice counts as taken at its end, and all that was taken
    /// before a change of the limit as taken at the change, when the bucket's speed changed too.
    pub(crate) fn later_ns(&self, slice: usize, entry: &Entry, interval_ns: u64) -> u64 {
        let noted = self.history.noted.load(Acquire);
        let latest_ns = self.history.latest_ns.load(Relaxed);
        let Past { closed, open, changed_ns } = &*self.past;
        let mut full_ns = 0_u64;
        for index in slice..=closed.len() {
            let this = closed.get(index).unwrap_or(open);
            let is_open = index == closed.len();
            let end = if is_open { noted } else { closed.get(index + 1).unwrap_or(open).start };
            let mut tokens = end.wrapping_sub(this.start).wrapping_sub(this.returned);
            if index == slice {
                // What came later within the slice is no more than all that followed, and no more than what is left
                // of the slice besides this.
                tokens = tokens.saturating_sub(entry.tokens).min(end.wrapping_sub(entry.end));
            }
            if tokens > 0 {
                let taken_ns = if is_open { latest_ns } else { this.last_ns }.max(*changed_ns);
                full_ns = full_ns.max(taken_ns).saturating_add(interval_ns.saturating_mul(tokens));
            }
        }
        full_ns
    }

    /// Remembers that some of the tokens of this slice were given back.
    pub(crate) fn give_back(&mut self, slice: usize, tokens: u64) {
        let Past { closed, open, .. } = &mut *self.past;
        let slice = closed.get_mut(slice).unwrap_or(open);
        slice.returned = slice.returned.wrapping_add(tokens);
    }

    /// Remembers that the limit changes now.
    pub(crate) fn limit_changes(&mut self, now_ns: u64) {
        self.past.changed_ns = now_ns.max(self.history.latest_ns.load(Relaxed));
    }

    /// Forgets everything: nothing that was noted until now can be found any more.
    pub(crate) fn forget(&mut self) {
        self.past.closed.clear();
        self.past.open = Slice { start: self.history.noted.load(Acquire), ..Slice::default() };
    }
}
