//! All limits of one app, admitted as one decision.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use crate::concurrency::{Concurrency, Permit};
use crate::gcra::{Admitted, Denied, Gcra, NEVER};
use crate::headers::{LimitHeaders, Window};
use crate::tokens::{Reservation, Tokens};

/// When to come back after the limit on requests in flight was hit. Nobody knows when a place gets free; one second
/// is what the shortest model answers take, and official clients add their own jitter to it.
const CONCURRENCY_RETRY_MS: u64 = 1_000;

/// What to say to a request that no waiting helps: a limit of 0 changes only when a person changes it.
const NEVER_RETRY_S: u64 = 3_600;

/// The limits of one app, shared between threads. A limit that is not set costs nothing and admits everything.
#[derive(Debug)]
pub struct AppLimits {
    requests: Optional<Gcra>,
    tokens: Optional<Tokens>,
    concurrency: Concurrency,
}

/// A limit that a reload may switch on and off; what was used is remembered over both.
#[derive(Debug)]
struct Optional<T> {
    on: AtomicBool,
    limit: T,
}

impl<T> Optional<T> {
    fn get(&self) -> Option<&T> {
        self.on.load(Relaxed).then_some(&self.limit)
    }
}

/// Which limit was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// Requests per minute.
    Requests,
    /// Tokens per minute.
    Tokens,
    /// Requests in flight.
    Concurrency,
}

impl Which {
    /// The word in error texts, headers and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Concurrency => "concurrency",
        }
    }
}

/// A request that is over a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitHit {
    /// The limit that was hit; when several are, the one checked first: concurrency, requests, tokens.
    pub which: Which,
    /// Its value: per minute, or in flight.
    pub limit: u64,
    /// What the request needed of it.
    pub needed: u64,
    /// What was left of it.
    pub remaining: u64,
    /// When it is worth trying again. Not clamped: what clients are told is clamped where it is written.
    pub retry_after: Duration,
    /// All limits as they stand, for the answer's headers.
    pub headers: Box<LimitHeaders>,
}

/// A request that was admitted and has not ended.
///
/// `settle` replaces the estimate by the real usage. Dropping it instead (a panic, a cancelled future) gives the place
/// in flight back and keeps request and estimated tokens charged: without the true number the estimate is the best
/// there is, and a caller that breaks off early must not get its tokens for nothing.
#[derive(Debug)]
#[must_use = "dropping an admission gives its place back at once and leaves the estimate charged"]
pub struct Admission {
    limits: Arc<AppLimits>,
    reservation: Option<Reservation>,
    headers: LimitHeaders,
    _permit: Permit,
}

impl AppLimits {
    /// Limits per minute and in flight; `None` is unlimited.
    pub fn new(rpm: Option<u64>, tpm: Option<u64>, concurrency: Option<u64>) -> Self {
        let requests = rpm.unwrap_or(1);
        Self {
            requests: Optional { on: AtomicBool::new(rpm.is_some()), limit: Gcra::new(requests, requests) },
            tokens: Optional { on: AtomicBool::new(tpm.is_some()), limit: Tokens::new(tpm.unwrap_or(1)) },
            concurrency: Concurrency::new(concurrency.unwrap_or(u64::MAX)),
        }
    }

    /// Changes the limits and keeps what was used: a reload resets nothing.
    pub fn set(&self, rpm: Option<u64>, tpm: Option<u64>, concurrency: Option<u64>, now_ns: u64) {
        if let Some(rpm) = rpm {
            self.requests.limit.set_limit(rpm, rpm, now_ns);
        }
        if let Some(tpm) = tpm {
            self.tokens.limit.set_limit(tpm, now_ns);
        }
        self.requests.on.store(rpm.is_some(), Relaxed);
        self.tokens.on.store(tpm.is_some(), Relaxed);
        self.concurrency.set_max(concurrency.unwrap_or(u64::MAX));
    }

    /// Requests in flight, counted whether limited or not.
    pub fn in_flight(&self) -> u64 {
        self.concurrency.in_flight()
    }

    /// Admits one request that will use about `estimate` tokens, or takes nothing at all.
    ///
    /// While one request is being refused for its tokens, its request unit is taken for a moment: a neighbour may be
    /// refused for it, but never are more admitted than the limits allow.
    ///
    /// # Errors
    ///
    /// The limit that was hit and when to come back.
    pub fn admit(self: &Arc<Self>, estimate: u64, now_ns: u64) -> Result<Admission, LimitHit> {
        let Some(permit) = self.concurrency.try_acquire() else {
            return Err(self.concurrency_hit(now_ns));
        };
        let requests = match self.requests.get() {
            None => None,
            Some(gcra) => match gcra.check(1, now_ns) {
                Ok(after) => Some(Window::new(gcra.limit(), after)),
                Err(denied) => return Err(self.hit(Which::Requests, gcra.limit(), 1, denied, now_ns)),
            },
        };
        let reservation = match self.tokens.get() {
            None => None,
            Some(tokens) => match tokens.reserve(estimate, now_ns) {
                Ok(reservation) => Some(reservation),
                Err(denied) => {
                    if requests.is_some() {
                        self.requests.limit.refund(1, now_ns);
                    }
                    return Err(self.hit(Which::Tokens, tokens.limit(), estimate, denied, now_ns));
                }
            },
        };
        let tokens = reservation.as_ref().map(|r| Window::new(self.tokens.limit.limit(), r.after()));
        let headers = LimitHeaders { requests, tokens, concurrency: self.concurrency_window() };
        Ok(Admission { limits: Arc::clone(self), reservation, headers, _permit: permit })
    }

    /// All limits as they stand.
    pub fn headers(&self, now_ns: u64) -> LimitHeaders {
        LimitHeaders {
            requests: self.requests.get().map(|gcra| Window::new(gcra.limit(), gcra.peek(now_ns))),
            tokens: self.tokens.get().map(|tokens| Window::new(tokens.limit(), tokens.peek(now_ns))),
            concurrency: self.concurrency_window(),
        }
    }

    fn concurrency_window(&self) -> Option<Window> {
        let max = self.concurrency.max();
        let remaining = max.saturating_sub(self.concurrency.in_flight());
        (max != u64::MAX).then(|| Window::new(max, Admitted { remaining, reset_ns: 0 }))
    }

    fn hit(&self, which: Which, limit: u64, needed: u64, denied: Denied, now_ns: u64) -> LimitHit {
        let retry_after = match denied.retry_after_ns {
            NEVER => Duration::from_secs(NEVER_RETRY_S),
            ns => Duration::from_nanos(ns),
        };
        let headers = Box::new(self.headers(now_ns));
        LimitHit { which, limit, needed, remaining: denied.remaining, retry_after, headers }
    }

    fn concurrency_hit(&self, now_ns: u64) -> LimitHit {
        LimitHit {
            which: Which::Concurrency,
            limit: self.concurrency.max(),
            needed: 1,
            remaining: 0,
            retry_after: Duration::from_millis(CONCURRENCY_RETRY_MS),
            headers: Box::new(self.headers(now_ns)),
        }
    }
}

impl Admission {
    /// The limits as they stood when this request had been admitted.
    pub fn headers(&self) -> &LimitHeaders {
        &self.headers
    }

    /// Ends the request: gives its place back and replaces the estimate by the tokens it really used. A request that
    /// was cancelled, or failed before a target read it, settles with what was used until then, maybe 0. The request
    /// itself stays counted.
    pub fn settle(mut self, actual_tokens: u64, now_ns: u64) {
        if let Some(reservation) = self.reservation.take() {
            self.limits.tokens.limit.settle(reservation, actual_tokens, now_ns);
        }
    }
}
