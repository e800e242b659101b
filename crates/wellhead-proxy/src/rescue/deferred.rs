//! What there is to say no to where answers may come later.

use super::Refusal;
use std::time::Duration;
use wellhead_resilience::defer::How;
use wellhead_types::{Outcome, Side};

impl Refusal {
    /// The code of an idempotency key that belongs to another request.
    pub(crate) const KEY_REUSED: &'static str = "idempotency_key_reused";

    pub(crate) fn stream_not_deferrable() -> Self {
        let message = "A streamed answer cannot come later: send `stream: false` with `Prefer: respond-async`, \
                       or leave the header out.";
        Self {
            param: Some("stream"),
            ..Self::client(400, "stream_not_deferrable", "invalid_request_error", message)
        }
    }

    pub(crate) fn deferred_too_large(bytes_max: usize) -> Self {
        let message = format!(
            "The request body is larger than {bytes_max} bytes, more than is kept for an answer that comes later; \
             send it without `Prefer: respond-async`."
        );
        Self::client(413, "body_too_large", "invalid_request_error", message)
    }

    pub(crate) fn key_invalid(bytes_max: usize) -> Self {
        let message = format!("`Idempotency-Key` must be 1 to {bytes_max} printable ASCII characters.");
        Self::client(400, "invalid_idempotency_key", "invalid_request_error", message)
    }

    pub(crate) fn key_reused() -> Self {
        let message = "This `Idempotency-Key` was used for another request of this app; use a new key for each \
                       request, and the same only to repeat it.";
        Self::client(422, Self::KEY_REUSED, "invalid_request_error", message)
    }

    pub(crate) fn deferred_full(setting: &str) -> Self {
        let message = format!(
            "No more requests can be kept to be answered later (`{setting}` of the gateway). Fetch and wait, or send \
             without `Prefer: respond-async`."
        );
        // Places are given back when results have been kept for long enough, which nobody knows to the second.
        Self { closes_connection: false, ..Self::shed(message, Duration::from_secs(30)) }
    }

    pub(crate) fn deferred_unwritten() -> Self {
        let message = "The gateway cannot write requests down now, so it promises no later answer.";
        Self { closes_connection: false, ..Self::shed(message, Duration::from_secs(5)) }
    }

    pub(crate) fn deferred_unread() -> Self {
        let message = "The answer is kept, but cannot be read from the gateway's disk now.";
        Self {
            source: Side::Gateway,
            should_retry: Some(true),
            retry_after: Some(Duration::from_secs(5)),
            outcome: Outcome::Failed,
            ..Self::client(503, "deferred_unreadable", "server_error", message)
        }
    }

    pub(crate) fn deferred_unknown() -> Self {
        let message =
            "No deferred request of this app has this id; its answer may have been kept for long enough.";
        Self::client(404, "deferred_not_found", "invalid_request_error", message)
    }

    pub(crate) fn deferred_not_queued(state: &str) -> Self {
        let message = format!("Only a request that waits can be taken back; this one is {state}.");
        Self::client(409, "deferred_not_queued", "invalid_request_error", message)
    }

    /// The end of a request that has no answer.
    pub(crate) fn deferred_ended(how: How, code: Option<&str>) -> Self {
        let provider = |status, code, message: &str| Self {
            source: Side::Provider,
            ..Self::client(status, code, "server_error", message)
        };
        match (how, code) {
            (How::Cancelled, _) => {
                let message = "This request was taken back before it was answered.";
                Self::client(410, "deferred_cancelled", "invalid_request_error", message)
            }
            (How::Expired, _) => provider(
                504,
                "deferred_expired",
                "No target could answer within the time that an answer was worth waiting for (`defer.within` of the model).",
            ),
            (_, Some(Self::RESULT_TOO_LARGE)) => {
                provider(502, Self::RESULT_TOO_LARGE, "The answer came, and was too large to be kept.")
            }
            _ => provider(
                502,
                Self::OUTCOME_UNKNOWN,
                "The connection or the gateway broke down while a target worked on this request. It may have been done, \
                 so it was not sent again.",
            ),
        }
    }

    /// The code of a request that may have been done.
    pub(crate) const OUTCOME_UNKNOWN: &'static str = "deferred_outcome_unknown";
    /// The code of an answer that cannot be kept.
    pub(crate) const RESULT_TOO_LARGE: &'static str = "deferred_result_too_large";
}
