//! Has more in flight only meant more waiting? Below its capacity an endpoint's latency does not depend on how many
//! requests are in flight; above it, the two grow in proportion (Little's law). The slope of one over the other, both
//! as logarithms and with the past fading, is therefore near 0 or near 1.

/// Weight of the newest window: about the last ten count.
const SHARE: f64 = 0.1;
/// The least spread of ln(in flight) that says anything; a fifth of a tenth either way.
const SPREAD_MIN: f64 = 0.000_4;
/// From this slope on, more in flight is more waiting than work.
const SLOPE_MAX: f64 = 0.5;

/// A fading regression.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard {
    begun: bool,
    in_flight: f64,
    latency: f64,
    spread: f64,
    together: f64,
}

impl Guard {
    /// Adds one window's means, both positive. Returns whether growth has been useless lately.
    pub(super) fn on_window(&mut self, in_flight: f64, latency: f64) -> bool {
        let (x, y) = (in_flight.ln(), latency.ln());
        if !self.begun {
            (self.begun, self.in_flight, self.latency) = (true, x, y);
            return false;
        }
        let (dx, dy) = (x - self.in_flight, y - self.latency);
        self.in_flight += SHARE * dx;
        self.latency += SHARE * dy;
        self.spread = (1.0 - SHARE) * (self.spread + SHARE * dx * dx);
        self.together = (1.0 - SHARE) * (self.together + SHARE * dx * dy);
        self.spread >= SPREAD_MIN && self.together > SLOPE_MAX * self.spread
    }
}
