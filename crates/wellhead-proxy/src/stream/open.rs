//! From response headers to the commit point. Until content has begun, a failure costs the client nothing.

use super::Live;
use crate::exchange::Exchange;
use crate::stages::attempt::Limit;
use http_body_util::BodyExt;
use wellhead_net::InBody;
use wellhead_types::{Cause, Failure, Stage};

/// Events held before the commit point. Role and reasoning deltas of minutes fit; what is more is taken as content.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// Reads a stream up to its first content. `limit` is the moment at which patience ends.
pub(crate) async fn open(exchange: &Exchange, body: InBody, limit: Limit) -> Result<Box<Live>, Failure> {
    let mut live = Box::new(Live::new(body, exchange));
    let mut held_bytes = 0;
    loop {
        let frame = match tokio::time::timeout_at(limit.at, live.body.frame()).await {
            Ok(frame) => frame,
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
        held_bytes += chunk.len();
        let commits = live.absorb(chunk)?;
        if commits || live.terminal || held_bytes > HELD_BYTES_MAX {
            return Ok(live);
        }
        pass_on_early(exchange, &mut live);
    }
}

/// The stream ended before any content. A complete one (an empty answer, a refusal by the vendor's filter) is an
/// answer; anything else is a cut.
fn ended(mut live: Box<Live>) -> Result<Box<Live>, Failure> {
    live.close();
    if live.finish().complete {
        live.terminal = true;
        return Ok(live);
    }
    let detail = "the stream ended before its first content";
    Err(Failure::endpoint(Stage::FirstToken, Cause::ResponseIncomplete, detail))
}

/// When the client already has its headers, reasoning need not wait for the commit.
fn pass_on_early(exchange: &Exchange, live: &mut Live) {
    if let Some(early) = exchange.early.as_ref().filter(|early| early.is_open()) {
        early.push(live.ready.drain(..));
    }
}
