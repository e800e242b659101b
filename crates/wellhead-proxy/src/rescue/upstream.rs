//! When everything has been tried: what the client is told, and whether its SDK should come back.

use super::{Refusal, pass_on, refuse};
use crate::body::GatewayBody;
use crate::settle::{Books, since};
use crate::stages::attempt::GaveUp;
use http::Response;
use std::time::Duration;
use wellhead_http::proxy_status::ProxyStatus;
use wellhead_resilience::Nanos;
use wellhead_resilience::ladder::End;
use wellhead_types::{Failure, Outcome, Side};

/// A recovery that is expected within this is worth the SDK's own retry (decision 18).
const RETRY_WITHIN: Duration = Duration::from_secs(60);

/// The answer to a request for which nothing is left to try.
pub(crate) fn gave_up(gave_up: GaveUp, retried_before: bool, books: Box<Books>) -> Response<GatewayBody> {
    if let (End::PassOn, Some(answer)) = (gave_up.end, gave_up.answer) {
        return pass_on(answer.status, &answer.headers, answer.body, books);
    }
    let now = books.worker().gateway.clock.now();
    refuse(
        &refusal(gave_up.end, gave_up.last.as_ref(), retried_before, now, books.record.attempts.len()),
        books,
    )
}

/// What a stream whose headers are already with the client ends with when nothing is left to try.
pub(crate) fn in_stream(gave_up: &GaveUp, books: &Books) -> Refusal {
    let now = books.worker().gateway.clock.now();
    refusal(gave_up.end, gave_up.last.as_ref(), false, now, books.record.attempts.len())
}

/// What a stream that broke off after its first content ends with.
pub(crate) fn interrupted(code: &'static str, message: &str) -> Refusal {
    Refusal { code, message: message.into(), ..refusal(End::PassOn, None, false, 0, 1) }
}

fn unavailable() -> ProxyStatus {
    ProxyStatus::new("destination_unavailable")
}

fn refusal(end: End, last: Option<&Failure>, retried_before: bool, now: Nanos, attempts: usize) -> Refusal {
    let tried = match attempts {
        0 => "No target could be asked".to_owned(),
        1 => "The one attempt failed".to_owned(),
        n => format!("All {n} attempts failed"),
    };
    let why =
        last.map_or(String::new(), |failure| format!(", the last one with `{}`", failure.cause.as_str()));
    let (status, code, kind, recovery, what) = match end {
        End::RateLimited { recovery } => {
            (429, "upstream_rate_limited", "rate_limit_error", recovery, "every target is rate limited")
        }
        End::TimedOut { recovery } => {
            (504, "upstream_timeout", "timeout_error", recovery, "no target answered in time")
        }
        End::NoHealthyUpstream { recovery } => {
            (503, "no_healthy_upstream", "server_error", recovery, "no target can answer now")
        }
        // The upstream's answer was to be passed on, but none was kept: it was in a stream.
        End::PassOn => (502, "upstream_rejected", "server_error", None, "the upstream refused the request"),
    };
    let after = recovery.map(|at| since(now, at));
    let soon = after.is_some_and(|after| after <= RETRY_WITHIN);
    let should_retry = match end {
        End::RateLimited { .. } => after.is_none() || soon,
        // Once: a caller that has come back already is not sent round again.
        End::TimedOut { .. } => !retried_before,
        End::NoHealthyUpstream { .. } => soon,
        End::PassOn => false,
    };
    let back = after
        .map_or(String::new(), |after| format!(" Recovery is expected in {:.1} s.", after.as_secs_f64()));
    Refusal {
        status,
        code,
        kind,
        message: format!("{tried}{why}: {what}.{back}").into(),
        param: None,
        source: Side::Provider,
        should_retry: Some(should_retry),
        retry_after: after,
        proxy_status: Some(Box::new(last.map_or_else(unavailable, ProxyStatus::from_failure))),
        limits: None,
        allow: None,
        outcome: Outcome::Failed,
        closes_connection: false,
    }
}
