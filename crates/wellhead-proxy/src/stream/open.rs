//! From response headers to the commit point. Until content has begun, a failure costs the client nothing.

use super::Live;
use crate::exchange::Exchange;
use crate::stages::attempt::Limit;
use http_body_util::BodyExt;
use tokio::time::Instant;
use wellhead_net::InBody;
use wellhead_types::{Cause, Failure, Stage};

/// Events held before the commit point. Role and reasoning deltas of minutes fit; what is more is taken as content.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// Reads a stream up to its first content, or, where the model delivers whole answers only, to its end. `limit` is the
/// moment at which patience with the first content ends.
pub(crate) async fn open(exchange: &Exchange, body: InBody, limit: Limit) -> Result<Box<Live>, Failure> {
    let mut live = Box::new(Live::new(body, exchange));
    let atomic = exchange.route.model.atomic;
    let mut read_bytes = 0;
    let mut limit = limit;
    loop {
        let frame = match tokio::time::timeout_at(limit.at, live.body.frame()).await {
            Ok(frame) => frame,
            Err(_) if live.stage() == Stage::Stream => {
                return Err(limit.failure(Stage::Stream, Cause::IdleTimeout));
            }
            Err(_) => return Err(limit.failure(Stage::FirstToken, Cause::FirstTokenTimeout)),
        };
        let chunk = match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => chunk,
                Err(_trailers) => continue,
            },
            Some(Err(error)) => return Err(Failure { stage: Stage::FirstToken, ..error.into() }),
            None => return ended(live),
        };
        read_bytes += chunk.len();
        let begun = live.absorb(chunk)?;
        if live.terminal {
            return Ok(live);
        }
        if atomic {
            bounded(exchange, read_bytes, live.stage())?;
            if begun {
                limit = until_next(exchange);
            }
            continue;
        }
        if begun || read_bytes.saturating_sub(live.kept_bytes()) > HELD_BYTES_MAX {
            return Ok(live);
        }
        pass_on_early(exchange, &mut live);
    }
}

/// A whole answer that is held back has to fit what any answer may take in memory.
fn bounded(exchange: &Exchange, read_bytes: usize, stage: Stage) -> Result<(), Failure> {
    if read_bytes as u64 <= exchange.plan.limits.inspect_bytes_max {
        return Ok(());
    }
    let detail = "a stream that is delivered whole is larger than inspect_bytes_max";
    Err(Failure::endpoint(stage, Cause::ResponseTooLarge, detail))
}

/// Until the next piece of a stream that has begun: the silence that a stream may have, within the deadline.
fn until_next(exchange: &Exchange) -> Limit {
    let idle = Instant::now() + exchange.route.model.stream_idle_timeout;
    let deadline = exchange.worker.gateway.clock.instant(exchange.deadline);
    Limit { at: idle.min(deadline), by_deadline: deadline < idle }
}

/// The stream ended before any content. A complete one (an empty answer, a refusal by the vendor's filter) is an
/// answer; anything else is a cut.
fn ended(mut live: Box<Live>) -> Result<Box<Live>, Failure> {
    live.close()?;
    if live.finish().complete {
        live.add_terminator();
        live.terminal = true;
        return Ok(live);
    }
    let detail = "the stream ended before its first content";
    Err(Failure::endpoint(Stage::FirstToken, Cause::ResponseIncomplete, detail))
}

/// When the client already has its headers, reasoning need not wait for the commit. Behind a joint it waits: the client
/// is in the middle of the answer.
fn pass_on_early(exchange: &Exchange, live: &mut Live) {
    if exchange.resume.is_some() {
        return;
    }
    if let Some(early) = exchange.early.as_ref().filter(|early| early.is_open()) {
        early.push(live.ready.take_all());
    }
}
