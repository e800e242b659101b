//! What the owner of a deferred request is told about it.

use serde_json::{Value, json};
use wellhead_resilience::defer::{Entry, Id, State};

/// Where a request's state is.
pub(super) fn status_path(id: Id) -> String {
    format!("/v1/deferred/{id}")
}

/// Where its answer is.
pub(super) fn result_path(id: Id) -> String {
    format!("/v1/deferred/{id}/result")
}

/// Everything about a request but its bodies.
pub(super) fn document(entry: &Entry) -> Value {
    let request = &entry.request;
    let mut document = json!({
        "id": request.id,
        "object": "deferred",
        "status": entry.word(),
        "model": request.model,
        "endpoint": request.endpoint,
        "request_id": request.request_id,
        "created_at": request.accepted_ms / 1_000,
        "expires_at": request.expires_ms / 1_000,
        "tries": entry.tries,
        "status_url": status_path(request.id),
    });
    match &entry.state {
        State::Queued => {}
        State::Running { since_ms, .. } => document["started_at"] = json!(since_ms / 1_000),
        State::Finished(end) => {
            document["finished_at"] = json!(end.at_ms / 1_000);
            document["kept_until"] = json!(end.keep_until_ms / 1_000);
            document["result_url"] = json!(result_path(request.id));
            if end.status > 0 {
                document["result_status"] = json!(end.status);
            }
            if let Some(code) = &end.code {
                document["code"] = json!(code);
            }
        }
    }
    if let Some(delivery) = &entry.delivery {
        document["webhook"] = json!({
            "taken": delivery.taken,
            "tries": delivery.tries,
            "last": delivery.last,
            "next_at": delivery.next_ms.map(|ms| ms / 1_000),
        });
    }
    document
}
