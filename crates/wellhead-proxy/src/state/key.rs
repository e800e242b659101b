//! The rests of one provider key, shared by all workers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wellhead_resilience::Nanos;
use wellhead_resilience::key_rest::{DOUBTED, KeyRest, UNAVAILABLE, Why};
use wellhead_types::{Cause, Failure, Name, Scope};

use crate::clock::nanos;

/// What is known of one key.
#[derive(Debug, Default)]
pub(crate) struct KeyState {
    /// From then on nothing of this key rests: saves the lock on every request.
    quiet_from: AtomicU64,
    rest: Mutex<KeyRest<Name>>,
}

impl KeyState {
    /// When the key may be used for the model; `None` means now.
    pub(crate) fn rests_until(&self, model: &Name, now: Nanos) -> Option<Nanos> {
        if self.quiet_from.load(Relaxed) <= now {
            return None;
        }
        self.rest().rests_until(model, now)
    }

    /// Whether what rests is limited, rather than rejected or spent.
    pub(crate) fn is_limited(&self, now: Nanos) -> bool {
        self.quiet_from.load(Relaxed) > now && self.rest().whole(now).is_none()
    }

    /// The key answered to a request that was sent at `began`. Returns whether it was believed to rest.
    pub(crate) fn on_success(&self, model: &Name, began: Nanos, now: Nanos) -> bool {
        let rested = self.quiet_from.load(Relaxed) > now;
        if rested {
            self.change(|rest| rest.on_success(model, began));
        }
        rested
    }

    /// Takes note of a failure if it is the key's.
    pub(crate) fn on_failure(&self, failure: &Failure, model: &Name, now: Nanos) {
        let after = failure.retry_after.map(|after: Duration| nanos(after));
        match (failure.scope, failure.cause) {
            (Scope::Key, Cause::QuotaExhausted) => {
                self.change(|rest| rest.on_refused(Why::Exhausted, after, now));
            }
            (Scope::Key, Cause::CredentialUnavailable) => {
                self.change(|rest| rest.on_refused_for(Why::Unavailable, after.unwrap_or(UNAVAILABLE), now));
            }
            (Scope::Key, _) => self.change(|rest| rest.on_refused(Why::Rejected, after, now)),
            (Scope::KeyModel, _) => self.change(|rest| rest.on_limited(model.clone(), after, now)),
            _ => {}
        }
    }

    /// It was rejected, and is being fetched anew: it may be right soon.
    pub(crate) fn on_doubt(&self, now: Nanos) {
        self.change(|rest| rest.on_refused_for(Why::Rejected, DOUBTED, now));
    }

    /// For `/status`.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&KeyRest<Name>) -> T) -> T {
        read(&self.rest())
    }

    fn change(&self, change: impl FnOnce(&mut KeyRest<Name>)) {
        let mut rest = self.rest();
        change(&mut rest);
        self.quiet_from.store(rest.quiet_from(), Relaxed);
    }

    fn rest(&self) -> MutexGuard<'_, KeyRest<Name>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
