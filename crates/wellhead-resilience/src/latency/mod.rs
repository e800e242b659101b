//! How long silence may last: limits for the first byte and between two pieces of a stream, learnt per (target, model,
//! streamed or not) and, where the proxy keys it so, per reasoning or not (decision 10). Before enough is known, and
//! above what is configured, the configured or default limit counts.

mod sketch;
#[cfg(test)]
mod tests;

pub use sketch::{Quantile, SAMPLES_MIN, Sketch};

use crate::{Nanos, SECOND};

/// Limit to the first token of a stream while nothing is known.
pub const FIRST_DEFAULT: Nanos = 12 * SECOND;
/// Shortest learnt limit of a stream: below it, a failover costs more (a prompt paid twice) than it saves.
pub const FIRST_FLOOR: Nanos = 2 * SECOND;
/// Shortest learnt limit of an unstreamed call: how long it takes depends on how much is asked for.
pub const WHOLE_FLOOR: Nanos = 30 * SECOND;
/// Longest silence within a stream while nothing is known.
pub const IDLE_DEFAULT: Nanos = 10 * SECOND;
/// The same for models that think in silence.
pub const IDLE_THINKING: Nanos = 60 * SECOND;
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
    /// The model's own limit, if it has one for this kind of call: no learnt limit is above it.
    pub configured: Option<Nanos>,
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
        if self.p95().is_some_and(|p95| elapsed >= p95) {
            self.first.record(elapsed, now);
        }
    }

    /// A stream ended, by itself or by a stall; its longest silence after the first token was this. One sample per
    /// stream: a pause in one answer of ten would be lost among a thousand quick tokens, and cut.
    pub fn on_silence(&mut self, longest: Nanos, now: Nanos) {
        self.silence.record(longest, now);
    }

    /// The learnt time to the first token that one in two calls exceeds.
    pub fn p50(&self) -> Option<Nanos> {
        self.first.quantile(Quantile::P50)
    }

    /// The learnt time to the first token that one in twenty calls exceeds: when to hedge.
    pub fn p95(&self) -> Option<Nanos> {
        self.first.quantile(Quantile::P95)
    }

    /// How long to wait for the first token or the answer; `None`: until the deadline. Without an alternative there is
    /// nothing to gain by giving up.
    pub fn first_limit(&self, ask: FirstAsk) -> Option<Nanos> {
        if !ask.alternative {
            return None;
        }
        let p99 = self.first.quantile(Quantile::P99);
        if ask.streamed {
            let ceiling = ask.configured.unwrap_or(FIRST_DEFAULT);
            return Some(p99.map_or(ceiling, |p99| (p99 + p99 / 2).max(FIRST_FLOOR).min(ceiling)));
        }
        // Twice the factor of a stream, because length adds to slowness.
        let learnt = p99.map(|p99| p99.saturating_mul(3).max(WHOLE_FLOOR));
        learnt.into_iter().chain(ask.configured).min()
    }

    /// Longest silence after the first token, never above `configured`.
    pub fn idle_limit(&self, thinking: bool, configured: Nanos) -> Nanos {
        let (start, floor) =
            if thinking { (IDLE_THINKING, IDLE_THINKING_FLOOR) } else { (IDLE_DEFAULT, IDLE_FLOOR) };
        let learnt = self.silence.quantile(Quantile::P999);
        learnt.map_or(start, |p999| p999.saturating_mul(3).max(floor)).min(configured)
    }
}
