//! Pure deciders: what to try next, how long to wait, what to rest. No clock, no randomness, no I/O: `now` is a
//! monotonic reading in nanoseconds from any fixed origin, and the seed is an argument, so a history can be replayed.

pub mod backoff;
pub mod balance;
pub mod breaker;
pub mod budget;
pub mod cache;
pub mod concurrency;
pub mod defer;
pub mod diagnose;
pub mod fair;
pub mod hedge;
pub mod hold;
pub mod key_rest;
pub mod ladder;
pub mod latency;
pub mod ramp;
mod rng;
pub mod substitute;
pub mod tiers;

pub use rng::Rng;

/// Monotonic time in nanoseconds since an origin that the caller chose.
pub type Nanos = u64;

/// Nanoseconds in a millisecond.
pub const MILLI: Nanos = 1_000_000;
/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;
