//! A stream whose first token is late, and that had nobody else to go to when it was asked for: those who rested then may
//! work by now. So it is looked at again, and not waited for until its deadline whatever happens to the others.

use super::{ATTEMPT_MIN, Ladder, TARGETS_MAX, TargetView, bit};
use crate::breaker::Class;
use crate::{Nanos, SECOND};

/// How often is looked, from the limit on that would have counted with an alternative: as often as a failure moves a
/// target behind the others.
const LOOK_EVERY: Nanos = SECOND;

/// What becomes of a late attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Somebody else works: it is given up.
    Leave,
    /// Nobody else does. It is waited for, and looked at again at this moment.
    Until(Nanos),
    /// There will be no time for anybody else: it is waited for until the deadline.
    Stay,
}

impl Ladder {
    /// Those who could answer instead of `current`, as bits, whatever is the matter with them now.
    pub const fn others(&self, targets: usize, current: usize) -> u64 {
        self.fit(targets) & !bit(current)
    }
}

/// Looks at `others`. Only who is not known to fail is somebody to go to: whoever leaves a slow target for one that is down
/// ends with nothing.
pub fn look(others: u64, view: &dyn Fn(usize) -> TargetView, now: Nanos, deadline: Nanos) -> Late {
    if now.saturating_add(ATTEMPT_MIN) >= deadline {
        return Late::Stay;
    }
    let works = |i: usize| {
        let view = view(i);
        view.class <= Class::Unknown && view.is_free(now)
    };
    if (0..TARGETS_MAX).any(|i| others & bit(i) != 0 && works(i)) {
        return Late::Leave;
    }
    let next = now.saturating_add(LOOK_EVERY);
    if next.saturating_add(ATTEMPT_MIN) < deadline { Late::Until(next) } else { Late::Stay }
}
