//! Which credential may be used for which model (decision 17): a rejected or exhausted key rests whole, a rate limit
//! rests the key for one model only, because vendors limit per model.

use crate::{Nanos, SECOND};
use wellhead_types::planted::{self, Planted};

/// A rejected key is asked again after this: keys get re-enabled, and a wrong one costs one failover per pause.
pub const REJECTED: Nanos = 60 * SECOND;
/// A key without credit is asked again after this, unless the vendor says that it takes longer.
pub const EXHAUSTED: Nanos = 300 * SECOND;
/// And after this at the latest, although a spending limit lasts for weeks: people raise it at any time, and one
/// failover an hour costs nothing.
pub const EXHAUSTED_MAX: Nanos = 3600 * SECOND;
/// A key that could not be fetched is asked for again after this.
pub const UNAVAILABLE: Nanos = SECOND;
/// A fetched key that is rejected is fetched anew; it is asked again after this, once.
pub const DOUBTED: Nanos = 6 * SECOND;
/// Rest after a rate limit that names no time.
pub const LIMITED_DEFAULT: Nanos = 5 * SECOND;
/// Shortest rest after a rate limit: an upstream that asks for none would be asked again in a loop.
pub const LIMITED_MIN: Nanos = SECOND / 4;
/// Longest rest that an upstream can ask for.
pub const LIMITED_MAX: Nanos = 300 * SECOND;
/// Models remembered per key; beyond it the one that recovers first is forgotten.
const MODELS_MAX: usize = 256;

/// Why a whole key rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// 401 or 403.
    Rejected,
    /// Credit or quota is spent.
    Exhausted,
    /// It could not be fetched from whoever gives it out.
    Unavailable,
}

/// The rests of one key. `M` identifies a model.
#[derive(Debug, Clone)]
pub struct KeyRest<M> {
    whole: Option<(Why, Nanos)>,
    models: Vec<(M, Nanos)>,
    /// When the newest of all this was learnt.
    learnt_at: Nanos,
}

impl<M> Default for KeyRest<M> {
    fn default() -> Self {
        Self { whole: None, models: Vec::new(), learnt_at: 0 }
    }
}

impl<M: PartialEq> KeyRest<M> {
    /// The key was rejected or is out of credit, which lasts for `retry_after` if the vendor says so.
    pub fn on_refused(&mut self, why: Why, retry_after: Option<Nanos>, now: Nanos) {
        let length = match why {
            Why::Rejected => REJECTED,
            Why::Exhausted => retry_after.unwrap_or(EXHAUSTED).clamp(EXHAUSTED, EXHAUSTED_MAX),
            Why::Unavailable => UNAVAILABLE,
        };
        self.on_refused_for(why, length, now);
    }

    /// The same for so long: where it is known when that may change.
    pub fn on_refused_for(&mut self, why: Why, length: Nanos, now: Nanos) {
        self.learnt_at = now;
        let length = length.clamp(LIMITED_MIN, EXHAUSTED_MAX);
        let until = now.saturating_add(length);
        let later = self.whole.is_none_or(|(_, old)| old < until);
        if later {
            self.whole = Some((why, until));
        }
    }

    /// The key is limited for one model. A later, shorter limit never shortens the rest.
    pub fn on_limited(&mut self, model: M, retry_after: Option<Nanos>, now: Nanos) {
        if planted::has(Planted::KeyRestIgnoresRetryAfter) {
            return;
        }
        self.learnt_at = now;
        let until =
            now.saturating_add(retry_after.unwrap_or(LIMITED_DEFAULT).clamp(LIMITED_MIN, LIMITED_MAX));
        self.models.retain(|(_, until)| *until > now);
        if let Some((_, old)) = self.models.iter_mut().find(|(m, _)| *m == model) {
            *old = until.max(*old);
            return;
        }
        if self.models.len() >= MODELS_MAX {
            let first = self.models.iter().enumerate().min_by_key(|(_, (_, until))| *until).map(|(i, _)| i);
            if let Some(first) = first {
                self.models.swap_remove(first);
            }
        }
        self.models.push((model, until));
    }

    /// The key answered for this model to a request that was sent at `began`: whatever was believed of both is over.
    /// The answer to a request that had been let in before the key was limited says nothing about that.
    pub fn on_success(&mut self, model: &M, began: Nanos) {
        if began > self.learnt_at {
            self.whole = None;
            self.models.retain(|(m, _)| m != model);
        }
    }

    /// When the key may be used for the model; `None` means now.
    pub fn rests_until(&self, model: &M, now: Nanos) -> Option<Nanos> {
        let whole = self.whole.map(|(_, until)| until);
        let limited = self.models.iter().find(|(m, _)| m == model).map(|(_, until)| *until);
        whole.into_iter().chain(limited).max().filter(|until| *until > now)
    }

    /// The newest moment at which anything of this key rests; past it, nobody needs to ask.
    pub fn quiet_from(&self) -> Nanos {
        self.models
            .iter()
            .map(|(_, until)| *until)
            .chain(self.whole.map(|(_, until)| until))
            .max()
            .unwrap_or(0)
    }

    /// Why the whole key rests, and until when.
    pub fn whole(&self, now: Nanos) -> Option<(Why, Nanos)> {
        self.whole.filter(|(_, until)| *until > now)
    }

    /// Models that the key is limited for, and until when.
    pub fn limited(&self, now: Nanos) -> impl Iterator<Item = (&M, Nanos)> {
        self.models.iter().filter(move |(_, until)| *until > now).map(|(m, until)| (m, *until))
    }
}

#[cfg(test)]
mod tests {
    use super::{EXHAUSTED, EXHAUSTED_MAX, KeyRest, LIMITED_DEFAULT, LIMITED_MAX, MODELS_MAX, REJECTED, Why};
    use crate::SECOND;

    #[test]
    fn a_limit_rests_one_model_and_a_rejection_the_whole_key() {
        let mut key = KeyRest::default();
        key.on_limited("a", Some(2 * SECOND), 0);
        assert_eq!(key.rests_until(&"a", 0), Some(2 * SECOND));
        assert_eq!(key.rests_until(&"b", 0), None);
        key.on_refused(Why::Rejected, None, 0);
        assert_eq!(key.rests_until(&"b", 0), Some(REJECTED));
        assert_eq!(key.rests_until(&"b", REJECTED), None);
        key.on_refused(Why::Exhausted, None, 0);
        key.on_refused(Why::Rejected, Some(u64::MAX), 0);
        assert_eq!(key.whole(0), Some((Why::Exhausted, EXHAUSTED)));
    }

    #[test]
    fn a_key_that_is_fetched_rests_until_the_next_try() {
        let mut key = KeyRest::default();
        key.on_refused_for(Why::Unavailable, 3 * SECOND, SECOND);
        assert_eq!(
            (key.whole(SECOND), key.rests_until(&"a", SECOND)),
            (Some((Why::Unavailable, 4 * SECOND)), Some(4 * SECOND))
        );
        assert_eq!(key.rests_until(&"a", 4 * SECOND), None);
        key.on_refused_for(Why::Unavailable, 0, 4 * SECOND);
        assert!(key.rests_until(&"a", 4 * SECOND).is_some(), "nobody is asked in a loop");
        key.on_success(&"a", 5 * SECOND);
        assert_eq!(key.whole(4 * SECOND), None);
    }

    #[test]
    fn a_shorter_limit_never_shortens_and_an_upstream_cannot_banish_for_ever() {
        let mut key = KeyRest::default();
        key.on_limited(1, Some(10 * SECOND), 0);
        key.on_limited(1, Some(SECOND), 0);
        key.on_limited(1, None, 0);
        assert_eq!(key.rests_until(&1, 0), Some(10 * SECOND));
        key.on_limited(2, Some(u64::MAX), 5);
        assert_eq!(key.rests_until(&2, 5), Some(LIMITED_MAX + 5));
        key.on_limited(3, None, 7);
        assert_eq!(key.rests_until(&3, 7), Some(LIMITED_DEFAULT + 7));
        key.on_success(&2, 8);
        assert_eq!(key.rests_until(&2, 5), None);
    }

    #[test]
    fn spent_credit_rests_as_long_as_the_vendor_says_but_is_asked_again_within_the_hour() {
        for (told, rests) in [
            (None, EXHAUSTED),
            (Some(SECOND), EXHAUSTED),
            (Some(EXHAUSTED_MAX - 1), EXHAUSTED_MAX - 1),
            (Some(8 * 86_400 * SECOND), EXHAUSTED_MAX),
        ] {
            let mut key = KeyRest::<&str>::default();
            key.on_refused(Why::Exhausted, told, 7);
            assert_eq!(key.whole(7), Some((Why::Exhausted, rests + 7)), "{told:?}");
        }
    }

    #[test]
    fn the_answer_to_an_earlier_request_shortens_nothing() {
        let mut key = KeyRest::default();
        key.on_limited("a", Some(3 * SECOND), 10 * SECOND);
        key.on_success(&"a", 9 * SECOND);
        key.on_success(&"a", 10 * SECOND);
        assert_eq!(key.rests_until(&"a", 11 * SECOND), Some(13 * SECOND));
        key.on_success(&"a", 11 * SECOND);
        assert_eq!(key.rests_until(&"a", 11 * SECOND), None);
    }

    #[test]
    fn the_list_of_models_is_bounded() {
        let mut key = KeyRest::default();
        for model in 0..MODELS_MAX * 3 {
            key.on_limited(model, Some(SECOND + model as u64), 0);
        }
        assert_eq!(key.limited(0).count(), MODELS_MAX);
        assert_eq!(key.quiet_from(), SECOND + (MODELS_MAX * 3 - 1) as u64);
    }
}
