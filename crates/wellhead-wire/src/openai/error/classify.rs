//! From a vendor's error to the two questions that matter: whose fault, and can another attempt help.

use super::facts::Facts;
use super::{phrases, retry_after};
use http::HeaderMap;
use std::time::Duration;
use wellhead_types::{Cause, Failure, Retry, Scope, Side, Stage};

/// Judges an answer that is not a success. `now_unix_s` is needed for dates in `Retry-After`.
///
/// The body is read in every shape that vendors use, and it outweighs the status: the same 429 means "wait" or "no
/// money left", the same 400 "wrong request", "wrong key" or "too long for this model".
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8], now_unix_s: u64) -> Failure {
    let facts = Facts::read(body);
    let wait = retry_after::read(status, headers, &facts, now_unix_s);
    let said_retry =
        headers.get("x-should-retry").is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"true"));
    let mut judgement = judge(status, &facts, wait.is_some());
    // The vendor knows better than a table whether its 4xx is final.
    if judgement.cause == Cause::BadRequest && said_retry {
        judgement = Judgement { retry: Retry::Elsewhere, side: Side::Provider, ..judgement };
    }
    judgement.into_failure(status, Stage::Headers, wait, &facts)
}

/// Judges an error that came inside a success. Causes that say what to rest are kept; everything else is the
/// provider's fault, whatever it claims, because a success was announced.
pub(crate) fn classify_in_success(status: u16, body: &[u8], stage: Stage) -> Failure {
    let facts = Facts::read(body);
    let wait = retry_after::from_body(&facts);
    let claimed = facts.status.unwrap_or_else(|| status_of_words(&facts));
    let mut judgement = judge(claimed, &facts, wait.is_some());
    if matches!(
        judgement.cause,
        Cause::Status5xx
            | Cause::BadRequest
            | Cause::Conflict409
            | Cause::RequestTimeout408
            | Cause::ProtocolError
    ) {
        judgement = ERROR_IN_SUCCESS;
    }
    judgement.into_failure(status, stage, wait, &facts)
}

/// A success that holds no answer.
pub(crate) fn success_failure(status: u16, stage: Stage, detail: &str) -> Failure {
    let mut failure = ERROR_IN_SUCCESS.into_failure(status, stage, None, &Facts::default());
    detail.clone_into(&mut failure.detail);
    failure
}

/// Bytes that are not what the protocol promises.
pub(crate) fn protocol_failure(status: u16, stage: Stage, detail: impl Into<String>) -> Failure {
    Failure { status: Some(status), ..Failure::endpoint(stage, Cause::ProtocolError, detail) }
}

const ERROR_IN_SUCCESS: Judgement = Judgement::provider(Scope::Endpoint, Cause::ErrorInSuccess);

#[derive(Clone, Copy)]
struct Judgement {
    side: Side,
    scope: Scope,
    retry: Retry,
    cause: Cause,
}

impl Judgement {
    const fn provider(scope: Scope, cause: Cause) -> Self {
        Self { side: Side::Provider, scope, retry: Retry::Elsewhere, cause }
    }

    const fn client(cause: Cause) -> Self {
        Self { side: Side::Client, scope: Scope::Request, retry: Retry::Never, cause }
    }

    fn into_failure(self, status: u16, stage: Stage, wait: Option<Duration>, facts: &Facts) -> Failure {
        let words = facts.words.trim_end();
        let message = facts.message.as_deref().unwrap_or("(no message)");
        Failure {
            side: self.side,
            scope: self.scope,
            stage,
            retry: self.retry,
            cause: self.cause,
            status: Some(status),
            retry_after: if self.retry == Retry::Never { None } else { wait },
            detail: format!("status {status} [{words}] {message}"),
        }
    }
}

/// The vendor's words for "everybody has to wait", under whatever status.
const OVERLOADED: [&str; 2] = ["overloaded_error", "engine_overloaded_error"];

/// `has_wait`: the vendor said when to come back, which nobody does who waits for money.
fn judge(status: u16, facts: &Facts, has_wait: bool) -> Judgement {
    let key = |cause| Judgement::provider(Scope::Key, cause);
    let model_unknown = Judgement::provider(Scope::TargetModel, Cause::ModelUnknown);
    match status {
        _ if status == 529 || OVERLOADED.iter().any(|word| facts.has_word(word)) => {
            Judgement::provider(Scope::Provider, Cause::Overloaded)
        }
        402 => key(Cause::QuotaExhausted),
        429 => {
            let quota = phrases::is_quota_code(facts)
                || (!has_wait && !facts.has_word("resource_exhausted") && phrases::is_quota(facts));
            if quota {
                key(Cause::QuotaExhausted)
            } else {
                Judgement::provider(Scope::KeyModel, Cause::RateLimited)
            }
        }
        408 => Judgement::provider(Scope::Endpoint, Cause::RequestTimeout408),
        409 => Judgement::provider(Scope::Request, Cause::Conflict409),
        // Bedrock's ModelErrorException: the model failed, not the request.
        424 => Judgement::provider(Scope::Endpoint, Cause::Status5xx),
        401 => key(Cause::KeyRejected),
        403 if phrases::is_quota(facts) => key(Cause::QuotaExhausted),
        403 if phrases::is_filtered(facts) => Judgement::client(Cause::ContentFiltered),
        403 if phrases::is_model_unknown(facts, false) => model_unknown,
        403 => key(Cause::KeyRejected),
        404 if phrases::is_model_unknown(facts, true) => model_unknown,
        404 => Judgement::client(Cause::BadRequest),
        // Too large for this key's tokens per minute: another target may take it, waiting will not help.
        413 if facts.has_word("rate_limit_exceeded") => {
            Judgement::provider(Scope::Request, Cause::RateLimited)
        }
        400..=499 => judge_bad_request(facts),
        503 => Judgement::provider(Scope::Endpoint, Cause::Overloaded),
        500..=599 if phrases::is_overload(facts) => Judgement::provider(Scope::Provider, Cause::Overloaded),
        500..=599 => Judgement::provider(Scope::Endpoint, Cause::Status5xx),
        // Informational, success or redirect: not an answer to this request.
        _ => Judgement::provider(Scope::Endpoint, Cause::ProtocolError),
    }
}

fn judge_bad_request(facts: &Facts) -> Judgement {
    if phrases::is_context_length(facts) {
        Judgement::client(Cause::ContextLength)
    } else if phrases::is_filtered(facts) {
        Judgement::client(Cause::ContentFiltered)
    } else if phrases::is_quota(facts) {
        Judgement::provider(Scope::Key, Cause::QuotaExhausted)
    } else if phrases::is_key(facts) {
        Judgement::provider(Scope::Key, Cause::KeyRejected)
    } else if phrases::is_model_unknown(facts, false) {
        Judgement::provider(Scope::TargetModel, Cause::ModelUnknown)
    } else {
        Judgement::client(Cause::BadRequest)
    }
}

/// The status that an in-band error would have had, from its type or code.
fn status_of_words(facts: &Facts) -> u16 {
    const TABLE: &[(&str, u16)] = &[
        ("rate_limit_error", 429),
        ("rate_limit_exceeded", 429),
        ("too_many_requests", 429),
        ("insufficient_quota", 429),
        ("overloaded_error", 529),
        ("authentication_error", 401),
        ("invalid_api_key", 401),
        ("permission_error", 403),
        ("billing_error", 402),
        ("model_not_found", 404),
        ("not_found_error", 404),
        ("context_length_exceeded", 400),
        ("content_filter", 400),
        ("invalid_request_error", 400),
        ("service_unavailable", 503),
    ];
    TABLE.iter().find(|(word, _)| facts.has_word(word)).map_or(500, |(_, status)| *status)
}
