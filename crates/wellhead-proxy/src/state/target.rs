//! The health of one target, shared by all workers. A calm one, which answers and has nothing to prove, costs no lock,
//! nor does one that is left alone until its wait is over: what requests need to know of them is in atomics, and the
//! state machines behind the mutex are asked only around failures.

use super::fault::LastFault;
use super::latency::Latencies;
use super::load::Load;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use wellhead_resilience::balance::PeakEwma;
use wellhead_resilience::breaker::{
    Admission, Attempt, Blow, Breaker, Class, Evidence, Kind, Passive, Phase, Pool, Transition,
};
use wellhead_resilience::diagnose::Fault;
use wellhead_resilience::tiers::{LastLight, last_light};
use wellhead_resilience::{Nanos, Rng};

/// Workers with an estimate of their own; more share.
const ESTIMATES: usize = 8;
/// Whether a probe is back is looked at this often by those who wait for it.
const PROBE_PAUSE: Nanos = last_light::PAUSE;

/// What is known of one target.
#[derive(Debug, Default)]
pub(crate) struct TargetState {
    pub(crate) in_flight: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) passive: Passive,
    pub(crate) latencies: Latencies,
    pub(crate) load: Load,
    /// Neither requests nor their successes have anything to ask or tell the lock.
    calm: AtomicBool,
    last_fault: LastFault,
    /// It is open until then, and there is no more to know of it, so that an outage costs the requests that others
    /// answer no lock. 0: the lock has to be asked.
    open_until: AtomicU64,
    open_by_rate: AtomicBool,
    /// 0: never.
    recovered_at: AtomicU64,
    health: Mutex<Health>,
    /// One per worker, so that the locks are never waited for.
    estimates: [OnceLock<Box<Mutex<PeakEwma>>>; ESTIMATES],
}

#[derive(Debug, Default)]
struct Health {
    breaker: Breaker,
    light: LastLight,
}

/// The right to send one request. Handed back with what became of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry(Option<last_light::Entry>);

/// Another request was quicker, or the state has changed since it was looked at.
#[derive(Debug)]
pub(crate) struct Unavailable;

/// What a request needs to know to choose.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) class: Class,
    pub(crate) rests_until: Option<Nanos>,
    /// When the last light has room; `None`: now.
    pub(crate) room_at: Option<Nanos>,
    /// The upstream asked not to be asked before.
    pub(crate) asked_until: Option<Nanos>,
}

/// What a report has changed.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    pub(crate) transition: Option<Transition>,
    /// It was left alone, and answers again.
    pub(crate) is_back: bool,
    /// Somebody who waits may find room now.
    pub(crate) makes_room: bool,
}

impl TargetState {
    /// How willing it is.
    pub(crate) fn look(&self, now: Nanos) -> Look {
        if self.calm.load(Relaxed) {
            return Look { class: Class::Ok, rests_until: None, room_at: None, asked_until: None };
        }
        let until = self.open_until.load(Relaxed);
        if until > now {
            return Look { class: Class::Open, rests_until: Some(until), room_at: None, asked_until: None };
        }
        self.look_closely(now)
    }

    /// The same from the state machines themselves.
    fn look_closely(&self, now: Nanos) -> Look {
        let Health { breaker, light } = &*self.health();
        let class = breaker.class(now);
        // A probe under way is the one request that may be there.
        let probed = breaker.phase() == Phase::Probing && class == Class::Open;
        let soon = now.saturating_add(PROBE_PAUSE);
        Look {
            class,
            rests_until: breaker.rests_until().map(|until| if probed { until.min(soon) } else { until }),
            room_at: light.opens_at(now).or_else(|| probed.then_some(soon)),
            asked_until: breaker.asked_until(now),
        }
    }

    /// Asks for the right to send, as the probe or as the last light where that is needed.
    pub(crate) fn enter(
        &self,
        now: Nanos,
        last_light: bool,
    ) -> Result<(Entry, Option<Transition>), Unavailable> {
        if self.calm.load(Relaxed) {
            return Ok((Entry::default(), None));
        }
        let mut health = self.health();
        let Health { breaker, light } = &mut *health;
        if breaker.asked_until(now).is_some() || !light.has_room(now) {
            return Err(Unavailable);
        }
        let probe = match breaker.try_probe(now) {
            Admission::Free => None,
            Admission::Probe(transition) => Some(transition),
            Admission::Later if last_light && breaker.phase() == Phase::Open => {
                light.light(now);
                None
            }
            Admission::Later => return Err(Unavailable),
        };
        let entry = Entry(if light.is_lit() { light.try_enter(now) } else { None });
        self.copy(&health, now);
        Ok((entry, probe))
    }

    /// An answer has begun.
    pub(crate) fn on_answering(&self, attempt: Attempt, entry: &mut Entry) -> Changed {
        if self.calm.load(Relaxed) {
            return Changed::default();
        }
        self.change(attempt.now, |health| {
            let entered = entry.0.take();
            if let Some(entry) = entered {
                health.light.on_success(entry, attempt.now);
            }
            (health.breaker.on_answering(attempt), entered.is_some())
        })
    }

    /// An answer has come to its end.
    pub(crate) fn on_success(&self, attempt: Attempt, entry: Entry) -> Changed {
        self.passive.on_success(attempt.now);
        if self.calm.load(Relaxed) {
            return Changed::default();
        }
        self.change(attempt.now, |health| {
            if let Some(entry) = entry.0 {
                health.light.on_success(entry, attempt.now);
            }
            (health.breaker.on_success(attempt, &self.passive), entry.0.is_some())
        })
    }

    /// An attempt failed, through whoever's fault.
    pub(crate) fn on_failure(
        &self,
        attempt: Attempt,
        blow: Blow,
        pool: Pool,
        entry: Entry,
        rng: &mut Rng,
    ) -> Changed {
        let now = attempt.now;
        self.change(now, |health| {
            if let Some(entry) = entry.0 {
                match blow.kind {
                    Kind::Fault => health.light.on_failure(entry, now),
                    Kind::Answered => health.light.on_success(entry, now),
                    Kind::Silent => health.light.on_given_up(entry, now),
                }
            }
            let makes_room = entry.0.is_some() && blow.kind != Kind::Fault;
            (health.breaker.on_failure(attempt, blow, pool, &self.passive, rng), makes_room)
        })
    }

    /// An attempt ended without saying anything about the target.
    pub(crate) fn on_given_up(&self, attempt: Attempt, entry: Entry) -> Changed {
        if self.calm.load(Relaxed) {
            return Changed::default();
        }
        self.change(attempt.now, |health| {
            if let Some(entry) = entry.0 {
                health.light.on_given_up(entry, attempt.now);
            }
            (health.breaker.on_given_up(attempt), entry.0.is_some())
        })
    }

    /// What is known of it, for people.
    pub(crate) fn evidence(&self) -> Evidence {
        self.health().breaker.evidence(&self.passive)
    }

    /// Notes what went wrong, whoever's fault it was.
    pub(crate) fn note_fault(&self, fault: Fault) {
        self.last_fault.set(fault);
    }

    /// What went wrong last.
    pub(crate) fn last_fault(&self) -> Option<Fault> {
        self.last_fault.get()
    }

    pub(crate) fn is_open_by_rate(&self) -> bool {
        self.open_by_rate.load(Relaxed)
    }

    pub(crate) fn recovered_at(&self) -> Option<Nanos> {
        Some(self.recovered_at.load(Relaxed)).filter(|at| *at != 0)
    }

    /// This worker's estimate of the time to answer.
    pub(crate) fn estimate<T>(&self, worker: usize, now: Nanos, what: impl FnOnce(&mut PeakEwma) -> T) -> T {
        let mine =
            self.estimates[worker % ESTIMATES].get_or_init(|| Box::new(Mutex::new(PeakEwma::new(now))));
        what(&mut mine.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// It is back and took so long to answer: what it took before counts for no worker.
    pub(crate) fn on_recovery(&self, took: Nanos, now: Nanos) {
        for estimate in self.estimates.iter().filter_map(OnceLock::get) {
            estimate.lock().unwrap_or_else(PoisonError::into_inner).on_recovery(took, now);
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, now: Nanos, change: impl FnOnce(&mut Health) -> (Option<Transition>, bool)) -> Changed {
        let mut health = self.health();
        let (transition, makes_room) = change(&mut health);
        self.copy(&health, now);
        let is_back = transition.is_some_and(|t| {
            matches!((t.from, t.to), (Phase::Open | Phase::Probing, Phase::Suspect | Phase::Ok))
        });
        Changed { transition, is_back, makes_room }
    }

    /// The copies that are read without the lock are written under it.
    fn copy(&self, health: &Health, now: Nanos) {
        let Health { breaker, light } = health;
        let plain = !light.is_lit() && breaker.asked_until(now).is_none();
        self.calm.store(plain && breaker.is_calm(), Relaxed);
        let open = plain && breaker.phase() == Phase::Open;
        self.open_until.store(breaker.rests_until().filter(|_| open).unwrap_or(0), Relaxed);
        self.open_by_rate.store(breaker.is_open_by_rate(), Relaxed);
        self.recovered_at.store(breaker.recovered_at().unwrap_or(0), Relaxed);
    }
}

#[cfg(test)]
mod tests;
