//! Whether a target is given fewer requests than are there. Nobody is held back without evidence: a fast vendor that
//! takes five hundred streams at once takes them, however little is known of it. There are two kinds of evidence, and
//! each has the limit that it speaks of.
//!
//! * **It refuses** (529, 503, a rate limit without a key). Then it said how much it takes: whatever it was working on
//!   when it refused. That limit counts every attempt in flight, streams to their last byte, because a slot of a model
//!   server is taken as long as its answer flows. It falls at once and grows by one request in a second or two.
//! * **It makes everybody wait.** If even the quickest of all answers within ten seconds came much later than answers
//!   usually do, there is a queue inside it that does not empty (the rule of [`super::Codel`]; a mean would be fooled by
//!   long prompts). That limit counts requests that wait for their first content, not streams that flow: a stream's
//!   length says nothing about the queue. It is [`super::Limit`], fed with latencies in units of what is usual, so that
//!   streamed and unstreamed calls can be added up.
//!
//! Both are forgotten when a minute has passed without evidence and without anybody who found no room.

use super::gradient::{IN_FLIGHT_LIMIT_MIN, Limit};
use crate::{MILLI, Nanos, SECOND};
use wellhead_types::planted::{self, Planted};

/// How long is looked for an answer that did not wait: the interval of CoDel for models.
pub const INTERVAL: Nanos = 10 * SECOND;
/// Fewer answers in an interval, or fewer waiting at its end, prove nothing: where the adaptive limit would begin.
const PROOF_MIN: u32 = 20;
/// The quickest answer came later than usual by this: the target of CoDel for models. Shorter queues harm nobody.
const STANDING_MIN: Nanos = 500 * MILLI;
/// While many wait, what is usual rises by this part of itself per interval at most ...
const RISE: Nanos = 10;
/// ... and is at first at most so many times the quickest answer.
const FIRST_TIMES_MAX: Nanos = 3;
/// The least share of those that wait that is taken for being worked on when a limit begins.
const WORKED_ON_MIN: f64 = 0.1;
/// A limit without evidence is forgotten after this.
const FORGET: Nanos = 60 * SECOND;

/// What was seen of one kind of calls (streamed, or not) in an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Whether the calls were streamed.
    pub streamed: bool,
    /// Answers that began.
    pub answers: u32,
    /// The quickest of them.
    pub quickest: Nanos,
    /// What answers take lately, on average.
    pub usual: Nanos,
    /// Requests of the target that wait for their first content now.
    pub waiting: u32,
}

/// The limits in force; `None` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Attempts in flight, to their last byte.
    pub in_flight: Option<u32>,
    /// Attempts that wait for their first content.
    pub waiting: Option<u32>,
}

/// The gate of one target. Lives behind a short mutex; while no limit is in force it is told of intervals and refusals
/// only.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    /// What answers took when there was no queue, for unstreamed and streamed calls; 0 is unknown.
    usual: [Nanos; 2],
    refused: Option<Limit>,
    queued: Option<Limit>,
    evidence_at: Nanos,
}

impl Gate {
    /// The limits in force.
    pub fn limits(&self) -> Limits {
        let number = |limit: &Option<Limit>| limit.as_ref().map(Limit::in_flight_max);
        Limits { in_flight: number(&self.refused), waiting: number(&self.queued) }
    }

    /// An interval is over.
    pub fn on_interval(&mut self, seen: Interval, now: Nanos) {
        let usual = &mut self.usual[usize::from(seen.streamed)];
        let enough = seen.answers >= PROOF_MIN && seen.waiting >= PROOF_MIN;
        let stands = *usual > 0 && seen.quickest > (*usual + *usual / 2).saturating_add(STANDING_MIN);
        if !stands {
            // While the limit is in force, what is seen is what it lets come about, and not what is usual.
            if self.queued.is_none() {
                *usual = believed(*usual, seen);
            }
        } else if enough {
            self.evidence_at = now;
            if self.queued.is_none() {
                self.queued = Some(Limit::at(worked_on(seen, *usual), SECOND));
            }
        }
    }

    /// An answer began after `latency`. `in_flight` and `waiting` count it. To be said while a limit is in force.
    /// `bound_at` is when somebody last found no room.
    pub fn on_answer(
        &mut self,
        streamed: bool,
        latency: Nanos,
        (in_flight, waiting): (u32, u32),
        bound_at: Nanos,
        now: Nanos,
    ) {
        let usual = self.usual[usize::from(streamed)];
        if planted::has(Planted::GateStaysAtItsMinimum) {
            return;
        }
        let ratio = if usual == 0 { 1.0 } else { latency as f64 / usual as f64 };
        if let Some(limit) = &mut self.queued {
            limit.on_sample(nominal(ratio), waiting, now);
        }
        if let Some(limit) = &mut self.refused {
            limit.on_sample(SECOND, in_flight, now);
        }
        if now.saturating_sub(self.evidence_at.max(bound_at)) > FORGET {
            (self.refused, self.queued) = (None, None);
        }
    }

    /// It is not overloaded, but down: what was learnt since then is not about its load.
    pub fn forget(&mut self) {
        (self.refused, self.queued) = (None, None);
    }

    /// It refused an attempt because it has too much to do, while it was working on `others`. One that refuses although
    /// it has next to nothing to do has reasons that are not this gateway's load, and fewer requests are no answer.
    pub fn on_refusal(&mut self, others: u32, now: Nanos) {
        if others < IN_FLIGHT_LIMIT_MIN {
            return;
        }
        self.evidence_at = now;
        if planted::has(Planted::GateStaysAtItsMinimum) {
            self.refused = Some(Limit::at(IN_FLIGHT_LIMIT_MIN, SECOND));
            return;
        }
        let limit = self.refused.get_or_insert_with(|| Limit::at(others.saturating_add(1), SECOND));
        limit.on_refusal(others, now);
    }
}

/// How many of those that wait are being worked on: by Little's law as many as the usual latency is of the present one.
/// One look is not believed blindly, and the rest is learnt.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
fn worked_on(seen: Interval, usual: Nanos) -> u32 {
    let share = (1.5 * usual as f64 / seen.quickest.max(1) as f64).clamp(WORKED_ON_MIN, 1.0);
    (f64::from(seen.waiting) * share) as u32
}

/// What is usual from now on. While few wait, whatever is seen is usual. While many wait, a queue may be what makes it
/// slow: then it rises little by little, and what is not known yet is taken from those who came before the queue was
/// there.
fn believed(usual: Nanos, seen: Interval) -> Nanos {
    if seen.waiting < PROOF_MIN {
        return seen.usual;
    }
    let most = if usual == 0 { seen.quickest.saturating_mul(FIRST_TIMES_MAX) } else { usual + usual / RISE };
    seen.usual.min(most)
}

/// A latency in units of the usual one, which is a second by convention.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio above 0; the cast saturates"
)]
fn nominal(ratio: f64) -> Nanos {
    (ratio * SECOND as f64) as Nanos
}
