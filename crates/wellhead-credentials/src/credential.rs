//! What requests read of a credential that is fetched for them.

use crate::error::FetchError;
use crate::material::{Fetched, Material};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};
use wellhead_config::snapshot::TokenSource;

/// Difference of clocks that is left alone: signatures are good for 300 s.
const AHEAD_MAX_S: u64 = 240;

/// A credential, as it is now. Clones of the handle are one credential.
#[derive(Debug)]
pub struct Credential {
    pub(crate) source: TokenSource,
    pub(crate) state: watch::Receiver<State>,
    pub(crate) urge: Arc<Notify>,
    /// Seconds that the clock of those who check signatures is ahead of ours.
    pub(crate) ahead_s: AtomicI64,
}

/// What is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) held: Option<Held>,
    /// Why the newest try failed, and when the next one is made.
    pub(crate) trouble: Option<(Arc<FetchError>, Instant)>,
}

/// Something good.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) material: Arc<Material>,
    /// `None`: it has no end.
    pub(crate) ends: Option<Instant>,
}

impl Held {
    pub(crate) fn of(fetched: Fetched, now: Instant) -> Self {
        let ends = fetched.lifetime.map(|lifetime| now + lifetime);
        Self { material: Arc::new(fetched.material), ends }
    }
}

/// There is no good credential.
#[derive(Debug, Clone)]
pub struct Unready {
    /// Why; `None`: nobody knows yet.
    pub error: Option<Arc<FetchError>>,
    /// When it is tried again.
    pub next: Duration,
}

impl Credential {
    /// What is good now.
    pub fn material(&self) -> Option<Arc<Material>> {
        self.state.borrow().good(Instant::now())
    }

    /// The same; waits until `deadline` while the first one, or one after the end of the last, is being fetched. When the
    /// newest try has failed it does not wait.
    ///
    /// # Errors
    /// There is none; says why and when that may change.
    pub async fn ready(&self, deadline: Instant) -> Result<Arc<Material>, Unready> {
        if let Some(found) = self.state.borrow().verdict() {
            return found;
        }
        let mut state = self.state.clone();
        let settled = async {
            loop {
                if let Some(found) = state.borrow_and_update().verdict() {
                    return found;
                }
                if state.changed().await.is_err() {
                    return Err(Unready { error: None, next: Duration::from_secs(1) });
                }
            }
        };
        let late = Err(Unready { error: None, next: Duration::from_secs(1) });
        timeout_at(deadline, settled).await.unwrap_or(late)
    }

    /// Somebody says that it is not good: it is fetched anew soon, whenever it ends.
    pub fn doubt(&self) {
        self.urge.notify_one();
    }

    /// Now, in seconds since 1970, by the clock of those who check signatures as far as it is known.
    pub fn wall_s(&self) -> u64 {
        crate::time::wall_s().saturating_add_signed(self.ahead_s.load(Ordering::Relaxed))
    }

    /// Somebody who refuses a signature says that it is so many seconds after 1970. A difference that makes signatures bad
    /// is made up for from now on.
    pub fn heed_clock(&self, theirs_s: u64) {
        if theirs_s.abs_diff(self.wall_s()) > AHEAD_MAX_S {
            let ours = crate::time::wall_s();
            let ahead = i64::try_from(theirs_s).unwrap_or(i64::MAX).saturating_sub_unsigned(ours);
            self.ahead_s.store(ahead, Ordering::Relaxed);
            tracing::warn!(
                ahead_s = ahead,
                "the clock of AWS differs from this machine's; signatures follow it"
            );
        }
    }

    /// Why the newest try failed, and in what time the next one is made.
    pub fn trouble(&self) -> Option<(Arc<FetchError>, Duration)> {
        let trouble = self.state.borrow().trouble.clone();
        trouble.map(|(error, next)| (error, next.saturating_duration_since(Instant::now())))
    }
}

impl State {
    fn good(&self, now: Instant) -> Option<Arc<Material>> {
        let held = self.held.as_ref().filter(|held| held.ends.is_none_or(|ends| ends > now))?;
        Some(held.material.clone())
    }

    /// `None`: it is being fetched.
    fn verdict(&self) -> Option<Result<Arc<Material>, Unready>> {
        let now = Instant::now();
        if let Some(good) = self.good(now) {
            return Some(Ok(good));
        }
        let (error, next) = self.trouble.as_ref()?;
        let next = next.saturating_duration_since(now);
        Some(Err(Unready { error: Some(error.clone()), next }))
    }
}
