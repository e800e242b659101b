//! Errors that come inside a success: in the events of a stream, or as the whole body of a 200.
//!
//! | Dialect | Form |
//! | --- | --- |
//! | OpenAI chat | `data: {"error": {…}}`, alone or beside `choices` (OpenRouter) |
//! | OpenAI Responses | `response.failed` with `response.error`; an `error` event |
//! | Anthropic | `event: error` with `{"type":"error","error":{…}}` |
//! | Gemini | `{"error":{…}}`; `promptFeedback.blockReason` |
//! | Bedrock | a message whose `:exception-type` names the exception |
//! | Groq | `event: error` with `error.status_code` |
//! | Cohere | `message-end` with `delta.finish_reason` `ERROR` |
//! | Ollama | a line `{"error":"…"}` |
//! | MiniMax | `base_resp.status_code` other than 0 |
//! | DashScope, own API | `{"code","message","request_id"}` without `output` |
//! | Baidu, first API | `error_code` other than 0 |
//! | Z.ai | `{"code","msg","success":false}` |

use super::facts::Facts;
use super::judge;
use super::vendor::Vendor;
use crate::json;
use http::HeaderMap;
use memchr::memmem;
use wellhead_types::{Failure, Stage};

/// The success that all of them come in.
const STATUS: u16 = 200;

/// Looks at one event, or at the whole body of a success: `None` if it says nothing of an error. `event` is the name of
/// the event, if it has one. Pieces of an answer cost one search for a few bytes.
pub fn in_band(
    vendor: Option<Vendor>,
    event: Option<&[u8]>,
    data: &[u8],
    stage: Stage,
    now_unix_s: u64,
) -> Option<Failure> {
    let named = matches!(event, Some(b"error" | b"exception"));
    (named || is_error(data)).then(|| judge(vendor, None, data, stage, Some(now_unix_s)))
}

/// Judges a message of an AWS event stream whose `:message-type` is `exception` or `error`: its `:exception-type` (or
/// `:error-code`), and its payload.
pub fn aws_exception(exception_type: &str, payload: &[u8], stage: Stage, now_unix_s: u64) -> Failure {
    judge(Some(Vendor::Bedrock), Some(exception_type), payload, stage, Some(now_unix_s))
}

/// The same where the time is not at hand: waits that are dates are left out.
pub(crate) fn exception_in_success(exception_type: &str, payload: &[u8], stage: Stage) -> Failure {
    judge(Some(Vendor::Bedrock), Some(exception_type), payload, stage, None)
}

/// Judges what is known to be an error inside a success, where the time is not at hand: waits that are dates are left
/// out.
pub(crate) fn classify_in_success(body: &[u8], stage: Stage) -> Failure {
    judge(None, None, body, stage, None)
}

/// Whether the status that MiniMax writes into its answers is a failure.
pub(crate) fn has_failed(base_resp: &[u8]) -> bool {
    json::find(base_resp, &["status_code"]).is_some_and(|code| code != b"0")
}

fn judge(
    vendor: Option<Vendor>,
    exception_type: Option<&str>,
    data: &[u8],
    stage: Stage,
    now_unix_s: Option<u64>,
) -> Failure {
    let mut facts = Facts::read(&HeaderMap::new(), data);
    if let Some(kind) = exception_type {
        facts.add_aws_type(kind);
    }
    judge::in_success(vendor, STATUS, &facts, stage, now_unix_s)
}

/// Names that stand in every error under a success, quoted as in JSON.
const TRACES: [&[u8]; 8] = [
    b"\"error\"",
    b"\"ERROR",
    b"\"response.failed\"",
    b"\"base_resp\"",
    b"\"blockReason\"",
    b"\"error_code\"",
    b"\"success\"",
    b"\"request_id\"",
];

/// Whether a body or an event is an error in one of the forms above.
fn is_error(data: &[u8]) -> bool {
    if !TRACES.iter().any(|trace| memmem::find(data, trace).is_some()) {
        return false;
    }
    // Gemini's OpenAI surface wraps the error into an array.
    let data = data.trim_ascii();
    let unwrapped = data.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let data = unwrapped.unwrap_or(data);
    let keys = ["error", "type", "object", "base_resp", "promptFeedback", "error_code", "success"];
    let [error, kind, object, base_resp, feedback, error_code, success] = members(data, keys);
    let delta = || json::find(data, &["delta", "finish_reason"]);
    error.is_some_and(says_something)
        || matches!(kind, Some(b"\"error\"" | b"\"response.failed\""))
        || object == Some(b"\"error\"")
        || base_resp.is_some_and(has_failed)
        || feedback.is_some_and(|feedback| json::find(feedback, &["blockReason"]).is_some())
        || error_code.is_some_and(|code| says_something(code) && code != b"0")
        || success == Some(b"false")
        || delta().is_some_and(|reason| reason.starts_with(b"\"ERROR"))
        || is_bare(data)
}

/// DashScope's own API: a code and a message, and nothing that an answer has.
fn is_bare(data: &[u8]) -> bool {
    let [code, message, request, output, choices] =
        members(data, ["code", "message", "request_id", "output", "choices"]);
    let text = |value: Option<&[u8]>| value.is_some_and(|value| value.starts_with(b"\"") && value != b"\"\"");
    text(code) && text(message) && request.is_some() && output.is_none() && choices.is_none()
}

/// The values of some top-level members.
fn members<'a, const N: usize>(data: &'a [u8], keys: [&'static str; N]) -> [Option<&'a [u8]>; N] {
    keys.map(|key| json::find(data, &[key]))
}

fn says_something(value: &[u8]) -> bool {
    !matches!(value, b"null" | b"false" | b"\"\"" | b"{}" | b"[]")
}
