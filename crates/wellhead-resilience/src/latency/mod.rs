//! How long silence may last: limits for the first byte and between two pieces of a stream, learnt per (target, model,
//! streamed or not) and, where the proxy keys it so, per reasoning or not (decision 10). Before enough is known, and
//! above what is configured, the configured or default limit counts.

mod sketch;
#[cfg(test)]
mod tests;

pub use sketch::{Quantile, SAMPLES_MIN, Sketch};

use crate::{Nanos, SECOND};
use wellhead_types::planted::{self, Planted};

/// Limit to the first token of a stream while nothing is known.
pub const FIRST_DEFAULT: Nanos = 12 * SECOND;
/// The same for a model that has been seen thinking: it may do so for long before it says a word.
pub const FIRST_THINKING: Nanos = 60 * SECOND;
/// Longest learnt limit of such a model, unless its own is configured.
pub const FIRST_THINKING_MAX: Nanos = 300 * SECOND;
/// Shortest learnt limit of a stream: below it, a failover costs more (a prompt paid twice) than it saves.
pub const FIRST_FLOOR: Nanos = 2 * SECOND;
/// Shortest learnt limit of an unstreamed call: how long it takes depends on how much is asked for.
pub const WHOLE_FLOOR: Nanos = 30 * SECOND;
/// Shortest learnt limit within a stream; vendors pause for seconds while they build a tool call or check a text.
pub const IDLE_FLOOR: Nanos = 5 * SECOND;
/// The same for models that think in silence: how long depends on the question.
pub const IDLE_THINKING_FLOOR: Nanos = 20 * SECOND;

/// What is asked about a call that is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstAsk {
    /// The answer is asked for as a stream.
    pub streamed: bool,
    /// Somebody else could answer instead.
    pub alternative: bool,
    /// The target has been seen thinking.
    pub thinking: bool,
    /// The model's own limit, if it has one for this kind of call: no learnt limit is above it.
    pub configured: Option<Nanos>,
    /// Until the deadline.
    pub remaining: Nanos,
}

/// What has been learnt, as plain numbers: small enough to be copied to where no lock is needed to read it. `None`
/// before [`SAMPLES_MIN`] samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// The time to the first token that one in two calls exceeds.
    pub p50: Option<Nanos>,
    /// One in twenty: when to hedge.
    pub p95: Option<Nanos>,
    /// One in a hundred.
    pub p99: Option<Nanos>,
    /// The longest silence of a stream that one in a thousand exceeds.
    pub silence: Option<Nanos>,
}

/// What is known of one (target, model, streamed or not).
#[derive(Debug, Clone, Default)]
pub struct Latency {
    first: Sketch,
    silence: Sketch,
}

impl Latency {
    /// The first token (streamed) or the answer's headers (unstreamed) came after this time.
    pub fn on_first(&mut self, elapsed: Nanos, now: Nanos) {
        self.first.record(elapsed, now);
    }

    /// Nothing came within the limit, which was this long. It counts as a lower bound: without it, a target that got
    /// slower than its limit would look quick for ever.
    pub fn on_first_missed(&mut self, limit: Nanos, now: Nanos) {
        self.first.record(limit, now);
    }

    /// The attempt was cancelled (its client left, a hedge won) after this time without a first token. That it took at
    /// least so long says something only if it was long.
    pub fn on_cancelled(&mut self, elapsed: Nanos, now: Nanos) {
        if self.known().p95.is_some_and(|p95| elapsed >= p95) {
            self.first.record(elapsed, now);
        }
    }

    /// A stream ended, by itself or by a stall; its longest silence after the first token was this. One sample per
    /// stream: a pause in one answer of ten would be lost among a thousand quick tokens, and cut.
    pub fn on_silence(&mut self, longest: Nanos, now: Nanos) {
        self.silence.record(longest, now);
    }

    /// What has been learnt so far.
    pub fn known(&self) -> Known {
        Known {
            p50: self.first.quantile(Quantile::P50),
            p95: self.first.quantile(Quantile::P95),
            p99: self.first.quantile(Quantile::P99),
            silence: self.silence.quantile(Quantile::P999),
        }
    }
}

impl Known {
    /// How long to wait for the first token or the answer; `None`: until the deadline. Without an alternative there is
    /// nothing to gain by giving up.
    pub fn first_limit(&self, ask: FirstAsk) -> Option<Nanos> {
        if !ask.alternative {
            return None;
        }
        if planted::has(Planted::LatencyLimitIsNothing) {
            return Some(crate::MILLI);
        }
        if ask.streamed {
            let (start, ceiling) = match ask.configured {
                Some(configured) => (configured, configured),
                None if ask.thinking => (FIRST_THINKING, FIRST_THINKING_MAX),
                None => (FIRST_DEFAULT, FIRST_DEFAULT),
            };
            return Some(
                self.p99.map_or(start, |p99| p99.saturating_add(p99 / 2).max(FIRST_FLOOR).min(ceiling)),
            );
        }
        // Twice the factor of a stream, because length adds to slowness. A caller in a hurry has no time for that: half of
        // it belongs to whoever answers instead, unless the target is known to need more.
        let learnt = self.p99.map(|p99| {
            let patient = p99.saturating_mul(3).max(WHOLE_FLOOR);
            patient.min((ask.remaining / 2).max(p99.saturating_add(p99 / 2)))
        });
        learnt.into_iter().chain(ask.configured).min()
    }

    /// Longest silence after the first token, never above `configured`, which counts until enough is known: from
    /// outside, a model that thinks in silence cannot be told from one that has stalled.
    pub fn idle_limit(&self, thinking: bool, configured: Nanos) -> Nanos {
        let floor = if thinking { IDLE_THINKING_FLOOR } else { IDLE_FLOOR };
        self.silence.map_or(configured, |p999| p999.saturating_mul(3).max(floor).min(configured))
    }
}
