//! When everything has been tried: what the client is told, and whether its SDK should come back.

use super::refusal::RETRY_WITHIN;
use super::{Refusal, pass_on, refuse};
use crate::body::GatewayBody;
use crate::diagnosis;
use crate::settle::{Books, since};
use crate::stages::attempt::GaveUp;
use http::Response;
use wellhead_http::proxy_status::ProxyStatus;
use wellhead_resilience::diagnose::Report;
use wellhead_resilience::ladder::End;
use wellhead_types::{Cause, Diagnosis, Outcome, Side};

/// The answer to a request for which nothing is left to try.
pub(crate) fn gave_up(gave_up: GaveUp, retried_before: bool, mut books: Box<Books>) -> Response<GatewayBody> {
    // Whoever could have done it may be back later: then it is not the request that is at fault.
    let attempts = &books.record.attempts;
    let is_callers = !attempts.is_empty() && attempts.iter().all(|a| a.result == Cause::BadRequest.as_str());
    if let Some(answer) = gave_up.answer.filter(|_| gave_up.end == End::PassOn || is_callers) {
        return pass_on(answer.status, &answer.headers, answer.body, books);
    }
    refuse(&refusal(gave_up.end, retried_before, &mut books), books)
}

/// What a stream whose headers are already with the client ends with when nothing is left to try.
pub(crate) fn in_stream(gave_up: &GaveUp, books: &mut Books) -> Refusal {
    refusal(gave_up.end, false, books)
}

/// What a stream that broke off after its first content ends with.
pub(crate) fn interrupted(code: &'static str, message: &str, books: &mut Books) -> Refusal {
    let report = diagnosis::diagnose(books, None);
    let message = format!("{message} {}", report.message);
    Refusal { code, message: message.into(), ..from_upstream(report) }
}

/// What a stream that has reached the model's longest time ends with.
pub(crate) fn too_long(code: &'static str, message: &str, books: &mut Books) -> Refusal {
    let model = books.route.as_ref().map(|route| route.model.name.clone()).unwrap_or_else(|| "".into());
    let why = "The stream took longer than the model allows.";
    let fix = format!("raise `models.{model}.timeouts.stream_max`");
    let report = diagnosis::known(books, Diagnosis::DeadlineTooShort, why, fix);
    let message = format!("{message} {}", report.message);
    Refusal { code, message: message.into(), ..from_upstream(report) }
}

/// The parts that the cause alone decides.
fn from_upstream(report: &Report) -> Refusal {
    Refusal {
        status: 502,
        code: "upstream_rejected",
        cause: Some(report.diagnosis),
        kind: "server_error",
        message: report.message.as_str().into(),
        param: None,
        source: Side::Provider,
        should_retry: Some(false),
        retry_after: None,
        proxy_status: Some(Box::new(proxy_status(report))),
        limits: None,
        allow: None,
        outcome: Outcome::Failed,
        closes_connection: false,
    }
}

/// RFC 9209: the token, the status that was received, and the code with its sentence, which names nobody.
fn proxy_status(report: &Report) -> ProxyStatus {
    let mut status = ProxyStatus::new(report.proxy_status);
    if report.diagnosis == Diagnosis::DnsNxdomain {
        status = status.rcode("NXDOMAIN");
    }
    if let Some(received) = report.received_status {
        status = status.received_status(received);
    }
    status.details(&format!("{}: {}", report.diagnosis.as_str(), report.message))
}

fn refusal(end: End, retried_before: bool, books: &mut Books) -> Refusal {
    if let End::Overloaded { recovery } = end {
        let now = books.worker().gateway.clock.now();
        return Refusal::crowded(since(now, recovery.unwrap_or(now)));
    }
    let tried = match books.record.attempts.len() {
        0 => "No target could be asked.".to_owned(),
        1 => "The one attempt failed.".to_owned(),
        n => format!("All {n} attempts failed."),
    };
    let (status, code, kind, recovery) = match end {
        End::RateLimited { recovery } => (429, "upstream_rate_limited", "rate_limit_error", recovery),
        End::TimedOut { recovery } => (504, "upstream_timeout", "timeout_error", recovery),
        End::Overloaded { recovery } | End::NoHealthyUpstream { recovery } => {
            (503, "no_healthy_upstream", "server_error", recovery)
        }
        // The upstream's answer was to be passed on, but none was kept: it was in a stream.
        End::PassOn => (502, "upstream_rejected", "server_error", None),
    };
    let now = books.worker().gateway.clock.now();
    let after = recovery.map(|at| since(now, at));
    let soon = after.is_some_and(|after| after <= RETRY_WITHIN);
    let should_retry = match end {
        End::RateLimited { .. } => after.is_none() || soon,
        // Once: a caller that has come back already is not sent round again.
        End::TimedOut { .. } => !retried_before,
        End::Overloaded { .. } | End::NoHealthyUpstream { .. } => soon,
        End::PassOn => false,
    };
    let back = after
        .map_or(String::new(), |after| format!(" Recovery is expected in {:.1} s.", after.as_secs_f64()));
    let report = diagnosis::diagnose(books, recovery);
    Refusal {
        status,
        code,
        kind,
        message: format!("{tried} {}{back}", report.message).into(),
        should_retry: Some(should_retry),
        retry_after: after,
        ..from_upstream(report)
    }
}
