//! Passive health of one target: after several failures in a row it rests, and is then asked again by one request at
//! a time. Resting re-orders candidates, it never removes the last one (survival.md 1.8); the ladder sees to that.

use crate::{Nanos, Rng, SECOND};

/// Failures in a row before a target rests. Three tell an outage from a hiccup, and cost three requests a retry each.
pub const FAILURES_IN_A_ROW_MAX: u32 = 3;
/// First rest.
const REST_FIRST: Nanos = SECOND;
/// Longest rest: a recovered target must not stay idle for long.
const REST_MAX: Nanos = 30 * SECOND;

/// What one target's recent past says.
#[derive(Debug, Clone, Default)]
pub struct Rest {
    failures_in_a_row: u32,
    rests: u32,
    until: Option<Nanos>,
}

impl Rest {
    /// An attempt answered: everything is forgiven.
    pub fn on_success(&mut self) {
        *self = Self::default();
    }

    /// An attempt has begun to answer: it may be asked by everybody again. What it did before is forgiven only when an
    /// answer has come to its end, so that a target whose streams all break off still rests.
    pub const fn on_answering(&mut self) {
        self.until = None;
    }

    /// An attempt failed through the target's fault. Returns when the target may be asked again, if it rests now.
    pub fn on_failure(&mut self, now: Nanos, rng: &mut Rng) -> Option<Nanos> {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        if self.failures_in_a_row >= FAILURES_IN_A_ROW_MAX && self.until.is_none_or(|until| until <= now) {
            self.begin(now, rng);
        }
        self.until
    }

    /// A rest is over and one request is about to probe: others keep away until it has ended or the next rest is over.
    /// Returns false if another request was quicker.
    pub fn try_probe(&mut self, now: Nanos, rng: &mut Rng) -> bool {
        match self.until {
            Some(until) if until > now => false,
            Some(_) => {
                self.begin(now, rng);
                true
            }
            None => true,
        }
    }

    /// When the target may be asked again; `None` when it does not rest.
    pub const fn until(&self) -> Option<Nanos> {
        self.until
    }

    /// Failures since the last success.
    pub const fn failures_in_a_row(&self) -> u32 {
        self.failures_in_a_row
    }

    /// Doubles from one second to thirty, ± 50 % so that workers and gateways do not probe in step.
    fn begin(&mut self, now: Nanos, rng: &mut Rng) {
        let length = (REST_FIRST << self.rests.min(5)).min(REST_MAX);
        self.rests = self.rests.saturating_add(1);
        self.until = Some(now.saturating_add(length / 2 + rng.below(length)));
    }
}

#[cfg(test)]
mod tests {
    use super::{FAILURES_IN_A_ROW_MAX, REST_MAX, Rest};
    use crate::{Rng, SECOND};

    #[test]
    fn a_target_rests_only_after_failures_in_a_row() {
        let (mut rest, mut rng) = (Rest::default(), Rng::new(1));
        for _ in 1..FAILURES_IN_A_ROW_MAX {
            assert_eq!(rest.on_failure(0, &mut rng), None);
        }
        rest.on_success();
        for _ in 1..FAILURES_IN_A_ROW_MAX {
            assert_eq!(rest.on_failure(0, &mut rng), None);
        }
        assert!(rest.on_failure(0, &mut rng).is_some());
    }

    #[test]
    fn one_request_probes_at_a_time_and_no_rest_is_for_ever() {
        for seed in 0..1_000 {
            let (mut rest, mut rng, mut now) = (Rest::default(), Rng::new(seed), 0);
            for _ in 0..40 {
                for _ in 0..FAILURES_IN_A_ROW_MAX {
                    rest.on_failure(now, &mut rng);
                }
                let until = rest.until().unwrap_or_else(|| panic!("seed {seed}: not resting"));
                assert!(until > now && until - now <= REST_MAX * 3 / 2, "seed {seed}");
                assert!(!rest.try_probe(until - 1, &mut rng), "seed {seed}");
                assert!(rest.try_probe(until, &mut rng), "seed {seed}");
                assert!(!rest.try_probe(until, &mut rng), "seed {seed}: two probes");
                now = until + SECOND;
            }
            rest.on_success();
            assert!(rest.try_probe(now, &mut rng) && rest.try_probe(now, &mut rng), "seed {seed}");
        }
    }
}
