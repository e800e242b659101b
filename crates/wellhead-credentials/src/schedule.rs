//! When a credential is fetched next. Pure.

use std::time::Duration;
use wellhead_resilience::Rng;

/// How long before its end a credential is fetched anew: what metadata services recommend; they give out the old one
/// until about five minutes before its end.
const LEAD_MAX: Duration = Duration::from_secs(240);
/// Pause when what was fetched ends before it should be fetched anew, so that nobody is asked in a loop.
const PAUSE_MIN: Duration = Duration::from_secs(10);
/// First pause after a failure.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
/// Longest pause after a failure.
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// A credential without an end is looked at again after this: a file may have changed.
const UNENDING: Duration = Duration::from_secs(300);

/// The rhythm of one credential.
#[derive(Debug)]
pub(crate) struct Schedule {
    failures: u32,
    rng: Rng,
}

impl Schedule {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { failures: 0, rng: Rng::new(seed) }
    }

    /// Something was fetched that is good for so long: the pause until the next time. Ahead of the end by a quarter of
    /// the time, at most four minutes, and a little earlier by chance, so that many gateways do not ask at once.
    pub(crate) fn fetched(&mut self, lifetime: Option<Duration>) -> Duration {
        self.failures = 0;
        let Some(lifetime) = lifetime else { return UNENDING + self.jitter(UNENDING / 4) };
        let lead = LEAD_MAX.min(lifetime / 4);
        let pause = lifetime.saturating_sub(lead + self.jitter(lead / 4));
        if pause < PAUSE_MIN { PAUSE_MIN.min(lifetime / 2).max(BACKOFF_MIN) } else { pause }
    }

    /// It failed: the pause doubles from 1 s to 30 s, of which up to a quarter is left to chance.
    pub(crate) fn failed(&mut self) -> Duration {
        let whole = BACKOFF_MAX.min(BACKOFF_MIN * (1 << self.failures.min(5)));
        self.failures = self.failures.saturating_add(1);
        whole - self.jitter(whole / 4)
    }

    fn jitter(&mut self, max: Duration) -> Duration {
        Duration::from_nanos(self.rng.below(u64::try_from(max.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use std::time::Duration;

    #[test]
    fn a_token_is_fetched_ahead_of_its_end_and_not_by_all_at_once() {
        let mut pauses = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let pause = Schedule::new(seed).fetched(Some(Duration::from_secs(3600)));
            assert!((3300..=3360).contains(&pause.as_secs()), "seed {seed}: {pause:?}");
            pauses.insert(pause);
        }
        assert!(pauses.len() > 150, "they spread");
    }

    #[test]
    fn no_lifetime_leads_to_a_loop() {
        for seed in 0..200 {
            for lifetime in [0, 1, 2, 5, 11, 30, 60, 900, 86_400] {
                let pause = Schedule::new(seed).fetched(Some(Duration::from_secs(lifetime)));
                assert!(pause >= Duration::from_secs(1), "{lifetime} s: {pause:?}");
                assert!(lifetime < 2 || pause < Duration::from_secs(lifetime), "{lifetime} s: {pause:?}");
            }
            assert!(Schedule::new(seed).fetched(None) >= Duration::from_secs(300));
        }
    }

    #[test]
    fn pauses_after_failures_grow_to_thirty_seconds_and_begin_anew() {
        let mut schedule = Schedule::new(1);
        let mut most = Duration::ZERO;
        for expected in [1, 2, 4, 8, 16, 30, 30, 30] {
            let pause = schedule.failed();
            let whole = Duration::from_secs(expected);
            assert!(pause <= whole && pause >= whole * 3 / 4, "{expected}: {pause:?}");
            most = most.max(pause);
        }
        schedule.fetched(Some(Duration::from_secs(60)));
        assert!(schedule.failed() <= Duration::from_secs(1));
    }
}
