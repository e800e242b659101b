//! Gradient2: the limit follows the ratio of the usual latency to the present one, and grows by a small queue while
//! that ratio is good. The usual latency itself drifts upwards in a lasting overload, so a [`Guard`] also watches
//! whether more in flight has only meant more waiting.

use super::guard::Guard;
use crate::{MILLI, Nanos, SECOND};

/// Where the limit starts: enough for most model servers, too little to hurt one.
const START: f64 = 20.0;
/// Lowest limit: an endpoint with fewer could not show that it has recovered.
pub const IN_FLIGHT_LIMIT_MIN: u32 = 4;
/// Highest limit: beyond it, sockets and memory of the gateway are the bottleneck.
pub const IN_FLIGHT_LIMIT_MAX: u32 = 1_000;
/// The present latency may be this many times the usual one before the limit falls.
const TOLERANCE: f64 = 1.5;
/// Samples over which the usual latency is averaged.
const LONG_SAMPLES: f64 = 600.0;
/// Samples of which a plain mean is the first guess at the usual latency.
const WARM_UP_SAMPLES: f64 = 10.0;
/// Share of the new limit in each step.
const SMOOTHING: f64 = 0.2;
/// What the limit grows towards at least, in each step: the queue that is tolerated at the endpoint.
const QUEUE_MIN: f64 = 4.0;
/// The limit falls to this share when an attempt was dropped for overload, once per window.
const AFTER_DROP: f64 = 0.9;
/// Refusals within one window do not lower the limit below this share of what it was.
const AFTER_REFUSALS: f64 = 0.5;
/// The limit falls to this share while more in flight only means more waiting.
const AFTER_GUARD: f64 = 0.95;
/// Fewer samples say nothing about the present latency.
const WINDOW_SAMPLES_MIN: u32 = 10;
/// A window lasts for one usual latency, so that it sees what the last step did, within these bounds.
const WINDOW_MIN: Nanos = 10 * MILLI;
const WINDOW_MAX: Nanos = 2 * SECOND;

/// What has been seen since the last step.
#[derive(Debug, Clone, Default)]
struct Window {
    began: Option<Nanos>,
    samples: u32,
    drops: u32,
    /// Refusals do not lower the limit below this within the window; 0 before the first.
    floor: f64,
    latency_sum: f64,
    in_flight_sum: f64,
    in_flight_peak: u32,
}

/// The limit of one endpoint.
#[derive(Debug, Clone)]
pub struct Limit {
    limit: f64,
    /// The usual latency in nanoseconds, and the samples in it.
    long: f64,
    long_samples: f64,
    /// The usual latency is known from calmer times. It does not drift then, and the guard against that is not needed;
    /// its long memory of the way down would only take the limit below the capacity.
    anchored: bool,
    window: Window,
    guard: Guard,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            limit: START,
            long: 0.0,
            long_samples: 0.0,
            anchored: false,
            window: Window::default(),
            guard: Guard::default(),
        }
    }
}

impl Limit {
    /// How many requests may be in flight.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 4..=1000 at every step"
    )]
    pub const fn in_flight_max(&self) -> u32 {
        self.limit as u32
    }

    /// An attempt answered after this latency; `in_flight` counts the endpoint's attempts, this one included. Returns
    /// the limit.
    pub fn on_sample(&mut self, latency: Nanos, in_flight: u32, now: Nanos) -> u32 {
        // A microsecond at least, so that no ratio has a zero in it.
        let latency = (latency as f64).max(1_000.0);
        self.see(in_flight, now);
        self.window.samples += 1;
        self.window.latency_sum += latency;
        self.window.in_flight_sum += f64::from(in_flight.max(1));
        self.long_samples = (self.long_samples + 1.0).min(LONG_SAMPLES);
        let share = if self.long_samples <= WARM_UP_SAMPLES {
            1.0 / self.long_samples
        } else {
            2.0 / (LONG_SAMPLES + 1.0)
        };
        if !self.anchored {
            self.long += (latency - self.long) * share;
        }
        self.close_if_full(now);
        self.in_flight_max()
    }

    /// An attempt was refused for overload, or timed out. Rate limits of a key are none of the endpoint's business.
    /// Returns the limit.
    pub fn on_drop(&mut self, in_flight: u32, now: Nanos) -> u32 {
        self.see(in_flight, now);
        if self.window.drops == 0 {
            self.set(self.limit * AFTER_DROP);
        }
        self.window.drops += 1;
        self.close_if_full(now);
        self.in_flight_max()
    }

    /// A limit that begins with what was in flight when it turned out to be too much; `usual` is the latency without a
    /// queue, and is believed.
    pub fn at(in_flight: u32, usual: Nanos) -> Self {
        let mut limit =
            Self { long: usual as f64, long_samples: LONG_SAMPLES, anchored: true, ..Self::default() };
        limit.set(f64::from(in_flight));
        limit
    }

    /// An attempt was refused while the endpoint was working on `others`: that many it takes, and hardly more. One
    /// refusal too many is not believed blindly, because it may concern somebody else's load: within a window the limit
    /// is halved at most. Returns the limit.
    pub fn on_refusal(&mut self, others: u32, now: Nanos) -> u32 {
        self.see(others, now);
        if self.window.drops == 0 {
            self.window.floor = self.limit * AFTER_REFUSALS;
        }
        let taken = f64::from(others);
        if taken < self.limit {
            self.set(taken.max(self.window.floor));
        } else if self.window.drops == 0 {
            self.set(self.limit * AFTER_DROP);
        }
        self.window.drops += 1;
        self.close_if_full(now);
        self.in_flight_max()
    }

    fn see(&mut self, in_flight: u32, now: Nanos) {
        self.window.began.get_or_insert(now);
        self.window.in_flight_peak = self.window.in_flight_peak.max(in_flight);
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean of u64 is within u64, and the cast saturates"
    )]
    fn close_if_full(&mut self, now: Nanos) {
        let window = &self.window;
        let length = (self.long as Nanos).clamp(WINDOW_MIN, WINDOW_MAX);
        let old_enough = window.began.is_some_and(|began| now >= began.saturating_add(length));
        if old_enough && window.samples.saturating_add(window.drops) >= WINDOW_SAMPLES_MIN {
            let window = std::mem::take(&mut self.window);
            self.step(&window);
        }
    }

    fn step(&mut self, window: &Window) {
        if window.samples == 0 {
            return;
        }
        let samples = f64::from(window.samples);
        let short = window.latency_sum / samples;
        let queueing = !self.anchored && self.guard.on_window(window.in_flight_sum / samples, short);
        // The usual latency is from a time of overload that is over.
        if !self.anchored && self.long > 2.0 * short {
            self.long *= 0.95;
        }
        // While few are sent, their latency says nothing about the limit. A drop has had its effect already.
        if f64::from(window.in_flight_peak) < self.limit / 2.0 || window.drops > 0 {
            return;
        }
        if queueing {
            self.set(self.limit * AFTER_GUARD);
            return;
        }
        let gradient = (TOLERANCE * self.long / short).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + self.limit.sqrt().max(QUEUE_MIN);
        self.set(self.limit + (wanted - self.limit) * SMOOTHING);
    }

    fn set(&mut self, limit: f64) {
        self.limit = limit.clamp(f64::from(IN_FLIGHT_LIMIT_MIN), f64::from(IN_FLIGHT_LIMIT_MAX));
    }
}
