//! From response headers to the commit point. Until content has begun, a failure costs the client nothing.

use super::{CLOSE_MAX, Live};
use crate::exchange::Call;
use crate::settle::Signs;
use crate::stages::attempt::{Begun, Limit};
use crate::translate::{self, Customs};
use http_body_util::BodyExt;
use tokio::time::Instant;
use wellhead_net::InBody;
use wellhead_resilience::Nanos;
use wellhead_types::{Cause, Failure, Stage};

/// Events held before the commit point. Role and reasoning deltas of minutes fit; what is more is taken as content.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// A stream whose first content is there.
pub(crate) struct Begins {
    pub(crate) live: Box<Live>,
    /// When its first token came. Reasoning is one, although it commits to nothing (decision 9).
    pub(crate) first_at: Option<Nanos>,
}

/// Reads a stream up to its first content, or, where the model delivers whole answers only, to its end. Patience with
/// the first token ends with the attempt's limit; from then on silence counts.
pub(crate) async fn open(
    call: &Call<'_>,
    begun: &Begun,
    body: InBody,
    customs: Option<Customs>,
    signs: Option<&Signs>,
) -> Result<Begins, Failure> {
    let mut live = Box::new(Live::new(body, call, translate::inbound(call, begun.number, customs)));
    let (mut first_at, mut read_bytes, mut thoughts) = (None, 0, 0);
    let mut limit = begun.terms.limit;
    loop {
        let frame = match tokio::time::timeout_at(limit.at, live.body.frame()).await {
            Ok(frame) => frame,
            Err(_) if first_at.is_none() && !live.has_finished() && limit.others != 0 => {
                let Some(later) = limit.later(call) else {
                    return Err(limit.failure(Stage::FirstToken, Cause::FirstTokenTimeout));
                };
                limit = later;
                continue;
            }
            // What is missing is the end signal at most.
            Err(_) if live.has_finished() => return Ok(Begins { live: over(live), first_at }),
            Err(_) if first_at.is_some() => return Err(limit.failure(live.stage(), Cause::IdleTimeout)),
            Err(_) => return Err(limit.failure(Stage::FirstToken, Cause::FirstTokenTimeout)),
        };
        let chunk = match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => chunk,
                Err(_trailers) => continue,
            },
            Some(Err(_)) if live.has_finished() => return Ok(Begins { live: over(live), first_at }),
            Some(Err(error)) => return Err(Failure { stage: Stage::FirstToken, ..error.into() }),
            None => return ended(live).map(|live| Begins { live, first_at }),
        };
        read_bytes += chunk.len();
        let had_finished = live.has_finished();
        let content = live.absorb(chunk)?;
        // Behind a joint, what repeats the old text is no token of the rest.
        let thinks = live.reasoning_events() > thoughts && call.resume.is_none();
        thoughts = live.reasoning_events();
        if (content || thinks) && first_at.is_none() {
            first_at = Some(call.now());
            signs.inspect(|signs| signs.begin());
        }
        if live.terminal {
            // An end signal with nothing before it must not reach the client: that would look like an answer.
            return live.finish().failure.map_or(Ok(Begins { live, first_at }), Err);
        }
        let atomic = call.route.model.atomic;
        if live.has_finished() {
            if !had_finished {
                limit = Limit { at: limit.at.min(Instant::now() + CLOSE_MAX), ..limit };
            }
        } else if thinks || (atomic && content) {
            limit = until_next(call, begun.number);
        }
        if atomic {
            bounded(call, read_bytes, live.stage())?;
            continue;
        }
        if content || read_bytes.saturating_sub(live.kept_bytes()) > HELD_BYTES_MAX {
            return Ok(Begins { live, first_at });
        }
        pass_on_early(call, &mut live, signs);
    }
}

/// A whole answer that is held back has to fit what any answer may take in memory.
fn bounded(call: &Call<'_>, read_bytes: usize, stage: Stage) -> Result<(), Failure> {
    if read_bytes as u64 <= call.plan.limits.inspect_bytes_max {
        return Ok(());
    }
    let detail = "a stream that is delivered whole is larger than inspect_bytes_max";
    Err(Failure::endpoint(stage, Cause::ResponseTooLarge, detail))
}

/// Until the next token of a stream that has begun: the silence that a stream may have, within the deadline.
fn until_next(call: &Call<'_>, target: usize) -> Limit {
    let idle = Instant::now() + call.route.idle_limit(Some(target));
    let deadline = call.worker.gateway.clock.instant(call.deadline);
    Limit { at: idle.min(deadline), by_deadline: deadline < idle, others: 0 }
}

/// The stream ended before any content. A complete one (an empty answer, a refusal by the vendor's filter) is an
/// answer; anything else is a cut.
fn ended(mut live: Box<Live>) -> Result<Box<Live>, Failure> {
    live.close()?;
    if live.finish().complete {
        return Ok(over(live));
    }
    let detail = "the stream ended before its first content";
    Err(Failure::endpoint(Stage::FirstToken, Cause::ResponseIncomplete, detail))
}

/// A whole answer, with the end signal that it may lack.
fn over(mut live: Box<Live>) -> Box<Live> {
    live.add_terminator();
    live.terminal = true;
    live
}

/// When the client already has its headers, reasoning need not wait for the commit. Behind a joint it waits: the client
/// is in the middle of the answer. And while two attempts run, because only one of them will have said it. And where a
/// stream cannot be joined to what another target has begun (Responses).
fn pass_on_early(call: &Call<'_>, live: &mut Live, signs: Option<&Signs>) {
    if call.resume.is_some() || signs.is_some_and(Signs::is_quiet) || !call.endpoint.streams_chunks() {
        return;
    }
    if let Some(early) = call.early.filter(|early| early.is_open()) {
        early.name(live.identity());
        early.push(live.ready.take_all());
    }
}
