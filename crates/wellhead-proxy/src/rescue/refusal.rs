//! What the gateway itself says no to, and why: one constructor per situation.

use std::time::Duration;
use wellhead_http::proxy_status::ProxyStatus;
use wellhead_quota::{LimitHeaders, LimitHit};
use wellhead_types::{Diagnosis, Outcome, Side};
use wellhead_wire::openai::request::BadRequest;

/// A recovery that is expected within this is worth the SDK's own retry (decision 18).
pub(super) const RETRY_WITHIN: Duration = Duration::from_secs(60);

/// An honest no, before it is written as HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    /// What is behind it, where that is an outage and not the client.
    pub(crate) cause: Option<Diagnosis>,
    /// `error.type`, in OpenAI's words.
    pub(crate) kind: &'static str,
    pub(crate) message: Box<str>,
    pub(crate) param: Option<&'static str>,
    pub(crate) source: Side,
    pub(crate) should_retry: Option<bool>,
    /// The true time; headers are clamped to 60 s.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) proxy_status: Option<Box<ProxyStatus>>,
    pub(crate) limits: Option<Box<LimitHeaders>>,
    pub(crate) allow: Option<&'static str>,
    pub(crate) outcome: Outcome,
    /// The request's body was not read to its end.
    pub(crate) closes_connection: bool,
}

impl Refusal {
    /// The client's fault: never worth a retry.
    pub(super) fn client(
        status: u16,
        code: &'static str,
        kind: &'static str,
        message: impl Into<Box<str>>,
    ) -> Self {
        Self {
            status,
            code,
            cause: None,
            kind,
            message: message.into(),
            param: None,
            source: Side::Client,
            should_retry: Some(false),
            retry_after: None,
            proxy_status: None,
            limits: None,
            allow: None,
            outcome: Outcome::Rejected,
            closes_connection: false,
        }
    }

    /// Our own limit: worth a retry.
    pub(super) fn shed(message: impl Into<Box<str>>, after: Duration) -> Self {
        Self {
            cause: Some(Diagnosis::Overloaded),
            source: Side::Gateway,
            should_retry: Some(true),
            retry_after: Some(after),
            proxy_status: Some(by_gateway(Diagnosis::Overloaded)),
            outcome: Outcome::Shed,
            closes_connection: true,
            ..Self::client(503, "overloaded", "server_error", message)
        }
    }

    pub(crate) fn path_invalid(why: &dyn std::fmt::Display) -> Self {
        Self::client(400, "invalid_path", "invalid_request_error", format!("The path is refused: {why}."))
    }

    pub(crate) fn headers_invalid(why: &dyn std::fmt::Display) -> Self {
        Self::client(
            400,
            "invalid_headers",
            "invalid_request_error",
            format!("The headers are refused: {why}."),
        )
    }

    pub(crate) fn headers_too_large(bytes_max: usize) -> Self {
        let message = format!(
            "The headers are larger than {bytes_max} bytes (`limits.header_bytes_max` of the gateway)."
        );
        Self::client(431, "headers_too_large", "invalid_request_error", message)
    }

    pub(crate) fn path_unknown(method: &str, path: &str, base_url: &str) -> Self {
        let message = format!(
            "Nothing is served at {method} {path}. The base URL for SDKs is {base_url} (for example {base_url}/chat/completions)."
        );
        Self::client(404, "unknown_path", "invalid_request_error", message)
    }

    pub(crate) fn method(method: &str, path: &str, allow: &'static str) -> Self {
        let message = format!("{path} does not take {method}; use {allow}.");
        Self {
            allow: Some(allow),
            ..Self::client(405, "method_not_allowed", "invalid_request_error", message)
        }
    }

    pub(crate) fn stateful(path: &str) -> Self {
        let message = format!(
            "{path} keeps state at one vendor, which Wellhead does not support yet. Send it to the vendor directly."
        );
        Self::client(501, "not_supported_yet", "invalid_request_error", message)
    }

    pub(crate) fn key_missing(none_exists: bool) -> Self {
        let hint = if none_exists { " No key exists yet: make one with `wellhead key create`." } else { "" };
        let message = format!(
            "No API key was sent. Send one as `Authorization: Bearer KEY`, `x-api-key` or `api-key`.{hint}"
        );
        Self::client(401, "missing_api_key", "authentication_error", message)
    }

    pub(crate) fn key_unknown() -> Self {
        let message = "This API key is not known here. Check it, or make one with `wellhead key create`.";
        Self::client(401, "invalid_api_key", "authentication_error", message)
    }

    pub(crate) fn encoded_body() -> Self {
        let message =
            "Compressed request bodies are not understood; send the body without `content-encoding`.";
        Self {
            closes_connection: true,
            ..Self::client(415, "encoded_body", "invalid_request_error", message)
        }
    }

    pub(crate) fn body_too_large(bytes_max: u64) -> Self {
        let message = format!(
            "The request body is larger than {bytes_max} bytes (`limits.body_bytes_max` of the gateway)."
        );
        Self {
            closes_connection: true,
            ..Self::client(413, "body_too_large", "invalid_request_error", message)
        }
    }

    pub(crate) fn body_too_slow(limit: Duration) -> Self {
        let message = format!("No piece of the request body came within {} s.", limit.as_secs_f64());
        Self {
            closes_connection: true,
            should_retry: Some(true),
            ..Self::client(408, "body_too_slow", "invalid_request_error", message)
        }
    }

    pub(crate) fn body_broken(why: &str) -> Self {
        let message = format!("The request body could not be read: {why}.");
        Self { closes_connection: true, ..Self::client(400, "body_broken", "invalid_request_error", message) }
    }

    pub(crate) fn replay_memory() -> Self {
        let message = "The gateway holds as many request bodies as it may (`limits.replay_bytes_max`).";
        Self::shed(message, Duration::from_secs(1))
    }

    /// Targets work, and have no room for the request in time.
    pub(crate) fn crowded(after: Duration) -> Self {
        let message = format!(
            "Every target works on as much as it can take, and the request would have waited too long for its turn. \
             Come back in {:.1} s.",
            after.as_secs_f64()
        );
        let should_retry = Some(after <= RETRY_WITHIN);
        Self { should_retry, closes_connection: false, ..Self::shed(message, after) }
    }

    pub(crate) fn body_invalid(bad: BadRequest) -> Self {
        Self { param: bad.param, ..Self::client(400, bad.code, "invalid_request_error", bad.message) }
    }

    pub(crate) fn model_unknown(model: &str, meant: Option<&str>, allowed: &[&str]) -> Self {
        let meant = meant.map_or_else(String::new, |name| format!("Did you mean `{name}`? "));
        let message = format!(
            "The model `{}` does not exist, or this key may not use it. {meant}{}",
            short(model),
            models(allowed)
        );
        Self {
            param: Some("model"),
            cause: Some(Diagnosis::ModelUnknown),
            proxy_status: Some(by_gateway(Diagnosis::ModelUnknown)),
            ..Self::client(404, "model_not_found", "invalid_request_error", message)
        }
    }

    pub(crate) fn endpoint_unserved(model: &str, endpoint: &str) -> Self {
        let message = format!("No target of the model `{}` serves {endpoint}.", short(model));
        Self {
            param: Some("model"),
            ..Self::client(404, "endpoint_not_served", "invalid_request_error", message)
        }
    }

    pub(crate) fn region(model: &str) -> Self {
        let message = format!(
            "The model `{}` is not served in a region that this key's app is allowed to use.",
            short(model)
        );
        Self { param: Some("model"), ..Self::client(403, "region_not_allowed", "permission_error", message) }
    }

    pub(crate) fn limit(app: &str, hit: &LimitHit) -> Self {
        let unit = match hit.which.as_str() {
            "concurrency" => "requests in flight",
            "tokens" => "tokens per minute",
            _ => "requests per minute",
        };
        let message = format!("The app `{app}` is at its limit of {} {unit}.", hit.limit);
        Self {
            source: Side::Gateway,
            should_retry: Some(true),
            retry_after: Some(hit.retry_after),
            limits: Some(hit.headers.clone()),
            ..Self::client(429, "rate_limit_exceeded", "rate_limit_error", message)
        }
    }
}

/// What `Proxy-Status` says of a cause that lies here.
fn by_gateway(cause: Diagnosis) -> Box<ProxyStatus> {
    Box::new(ProxyStatus::new(cause.proxy_status()).details(cause.as_str()))
}

/// What the caller could have meant.
fn models(allowed: &[&str]) -> String {
    if allowed.is_empty() {
        return "This key may use no model.".to_owned();
    }
    format!("This key may use: {}.", allowed.join(", "))
}

/// A name as it was sent, cut to a length that fits a sentence.
fn short(name: &str) -> String {
    const CHARS_MAX: usize = 100;
    let cut: String = name.chars().take(CHARS_MAX).collect();
    if cut.len() < name.len() { format!("{cut}…") } else { cut }
}
