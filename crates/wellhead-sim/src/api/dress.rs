//! The headers that a vendor puts on every answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::core::Core;
use crate::fault::Plan;
use crate::mind::{Rng, hash};
use crate::reply::{Body, Reply};

/// The limits that the headers speak of. They are shown, not enforced: a 429 is a fault to be asked for.
const REQUESTS_PER_MINUTE: u64 = 10_000;
const TOKENS_PER_MINUTE: u64 = 2_000_000;
const MINUTE: Duration = Duration::from_secs(60);

/// What was used of the current minute.
#[derive(Debug, Default)]
pub(crate) struct Window(Mutex<Used>);

#[derive(Debug, Default, Clone, Copy)]
struct Used {
    since: Option<Instant>,
    requests: u64,
    tokens: u64,
}

impl Window {
    /// Counts a request; returns what is used now, and the time until the minute is over.
    fn count(&self, tokens: u64, now: Instant) -> (Used, Duration) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match used.since {
            Some(since) if now.saturating_duration_since(since) < MINUTE => since,
            _ => {
                *used = Used { since: Some(now), ..Used::default() };
                now
            }
        };
        used.requests += 1;
        used.tokens += tokens;
        (*used, MINUTE.saturating_sub(now.saturating_duration_since(since)))
    }
}

/// Adds the usual headers, but for those that the answer has already.
pub(crate) fn dress(core: &Core, mut reply: Reply, number: u64, plan: &Plan) -> Reply {
    let tokens = match reply.body {
        Body::Whole { tokens, .. } => tokens,
        Body::Events(_) => 1,
    };
    let (used, left) = core.window.count(tokens, Instant::now());
    let pace = plan.first_token.as_millis() + plan.pace.as_millis() * u128::from(tokens);
    let mut add = |name: &str, value: String| {
        if !reply.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
            reply.headers.push((name.to_owned(), value));
        }
    };
    add("date", httpdate::fmt_http_date(SystemTime::now()));
    add("server", "wellhead-sim".to_owned());
    add("x-request-id", Rng::new(hash(core.options.seed, &number.to_le_bytes())).id("req_", 32));
    add("openai-processing-ms", pace.to_string());
    add("openai-version", "2020-10-01".to_owned());
    add("x-ratelimit-limit-requests", REQUESTS_PER_MINUTE.to_string());
    add("x-ratelimit-limit-tokens", TOKENS_PER_MINUTE.to_string());
    add("x-ratelimit-remaining-requests", REQUESTS_PER_MINUTE.saturating_sub(used.requests).to_string());
    add("x-ratelimit-remaining-tokens", TOKENS_PER_MINUTE.saturating_sub(used.tokens).to_string());
    add("x-ratelimit-reset-requests", reset(left));
    add("x-ratelimit-reset-tokens", reset(left));
    reply
}

/// A duration as OpenAI writes it: `1m0s`, `12s`, `20ms`.
fn reset(left: Duration) -> String {
    match left.as_secs() {
        0 => format!("{}ms", left.as_millis()),
        seconds @ 1..60 => format!("{seconds}s"),
        seconds => format!("{}m{}s", seconds / 60, seconds % 60),
    }
}
