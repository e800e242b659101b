//! What is counted per route.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use wellhead_types::{Name, Outcome, Priority, Usage};

use super::atomics::{Histogram, Sharded};
use super::labels::ByLabel;
use super::substitute::Substitute;
use crate::record::RequestRecord;

/// Endpoint templates per route; the AI surface has about a dozen.
const ENDPOINTS_MAX: usize = 16;

/// From 5 ms to beyond ten minutes, doubling: a cached answer, an embedding, a long reasoning answer.
pub(crate) const DURATION_MS: [u64; 18] = [
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000,
    640_000, 1_280_000,
];

/// The OpenTelemetry buckets for the time to the first token, and two above: held requests take longer.
pub(crate) const FIRST_TOKEN_MS: [u64; 18] =
    [1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000, 20_000, 40_000];

/// Kinds of tokens, as the label `type` names them.
pub(crate) const TOKEN_TYPES: [&str; 5] = ["input", "output", "cached_input", "reasoning", "audio"];

/// Metrics of one route (a model as clients name it).
#[derive(Debug)]
pub struct RouteMetrics {
    name: Name,
    /// Requests that had to wait, in the order of `Held::ALL`. Few, so that all workers share them.
    pub(crate) held: [AtomicU64; Held::ALL.len()],
    /// Second attempts for late streams, in the order of `Hedged::ALL`. Few, as those.
    pub(crate) hedges: [AtomicU64; Hedged::ALL.len()],
    /// Requests that something else has answered, in the order of `Substitute::ALL`.
    pub(crate) substituted: [AtomicU64; Substitute::ALL.len()],
    /// What waiting for room came to, by class, in the order of `Priority::ALL`.
    pub(crate) queue: [QueueMetrics; Priority::ALL.len()],
    pub(crate) shards: Sharded<RouteShard>,
}

/// One class of a route's queue. Requests that wait are few, so that all workers share it.
#[derive(Debug, Default)]
pub(crate) struct QueueMetrics {
    pub(crate) waits: AtomicU64,
    pub(crate) shed: AtomicU64,
    pub(crate) sojourn: Histogram<{ DURATION_MS.len() }>,
}

/// What became of a second attempt for a late stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hedged {
    /// It answered first.
    Won = 0,
    /// The first attempt answered first.
    Lost = 1,
    /// It failed.
    Failed = 2,
    /// The client left while both ran.
    Left = 3,
}

impl Hedged {
    /// Every result.
    pub const ALL: [Self; 4] = [Self::Won, Self::Lost, Self::Failed, Self::Left];

    /// The word in the label `result`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

/// What became of a request that nobody could take when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// It waited, and somebody began to answer.
    Answered = 0,
    /// It waited, and was given up.
    Failed = 1,
    /// It was told at once that it would be in vain.
    Refused = 2,
    /// Its client left while it waited.
    Left = 3,
}

impl Held {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Answered, Self::Failed, Self::Refused, Self::Left];

    /// The word in the label `outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Left => "left",
        }
    }
}

/// One worker's share.
#[derive(Debug, Default)]
pub(crate) struct RouteShard {
    pub(crate) requests: ByLabel<[AtomicU64; Outcome::ALL.len()], ENDPOINTS_MAX>,
    pub(crate) duration: Histogram<{ DURATION_MS.len() }>,
    pub(crate) first_token: Histogram<{ FIRST_TOKEN_MS.len() }>,
    pub(crate) tokens: [AtomicU64; TOKEN_TYPES.len()],
    pub(crate) replay_skipped: AtomicU64,
}

impl RouteMetrics {
    pub(crate) fn new(name: Name) -> Self {
        Self {
            name,
            held: Default::default(),
            hedges: Default::default(),
            substituted: Default::default(),
            queue: Default::default(),
            shards: Sharded::default(),
        }
    }

    /// The route's label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts a request that had to wait.
    pub fn count_held(&self, outcome: Held) {
        self.held[outcome as usize].fetch_add(1, Relaxed);
    }

    /// Counts a second attempt for a late stream.
    pub fn count_hedge(&self, result: Hedged) {
        self.hedges[result as usize].fetch_add(1, Relaxed);
    }

    /// Counts a request that something else has answered than the model that was asked for.
    pub fn count_substitute(&self, by: Substitute) {
        self.substituted[by as usize].fetch_add(1, Relaxed);
    }

    /// Counts a request that was refused because there was no room for it in time.
    pub fn count_shed(&self, class: Priority) {
        self.queue[class.index()].shed.fetch_add(1, Relaxed);
    }

    /// Counts a request that has waited for room, until it was sent.
    pub fn observe_wait(&self, class: Priority, waited: Duration) {
        self.queue[class.index()].sojourn.observe(&DURATION_MS, waited);
    }

    /// Says how many requests of each class wait, in the order of `Priority::ALL`.
    pub fn set_queued(&self, lengths: [usize; Priority::ALL.len()]) {
        self.queue.iter().zip(lengths).for_each(|(class, length)| class.waits.store(length as u64, Relaxed));
    }

    /// Counts a settled request. `worker` is the worker that calls: different workers then write different lines.
    pub fn record(&self, worker: usize, record: &RequestRecord) {
        let shard = self.shards.get(worker);
        let outcomes = shard.requests.get(record.endpoint);
        if let Some(counter) = outcome_index(record.outcome).and_then(|i| outcomes.get(i)) {
            counter.fetch_add(1, Relaxed);
        }
        shard.duration.observe(&DURATION_MS, record.duration);
        if let (true, Some(first_byte)) = (record.streamed, record.first_byte) {
            shard.first_token.observe(&FIRST_TOKEN_MS, first_byte);
        }
        if !record.replay {
            shard.replay_skipped.fetch_add(1, Relaxed);
        }
        if let Some(usage) = &record.usage {
            for (counter, count) in shard.tokens.iter().zip(by_type(usage)) {
                if count > 0 {
                    counter.fetch_add(count, Relaxed);
                }
            }
        }
    }
}

/// In the order of `TOKEN_TYPES`.
fn by_type(usage: &Usage) -> [u64; TOKEN_TYPES.len()] {
    let Usage { input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, audio_tokens, .. } =
        *usage;
    [input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, audio_tokens]
}

fn outcome_index(outcome: Outcome) -> Option<usize> {
    Outcome::ALL.iter().position(|o| *o == outcome)
}
