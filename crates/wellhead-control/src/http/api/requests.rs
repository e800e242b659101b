//! The stories of requests that did not go straight.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::Shared;
use crate::http::problem::Problem;

/// What happened to one request.
pub(in crate::http) async fn explain(
    State(admin): Shared,
    Path(request_id): Path<String>,
) -> Result<Response, Problem> {
    if let Some(story) = admin.data_plane.explain(&request_id) {
        return Ok(axum::Json(&*story).into_response());
    }
    let kept = admin.data_plane.stories_kept();
    let detail = format!(
        "nothing is kept of request {request_id:?}; kept are the newest requests since the start that failed, were \
         rescued or were not taken on: {} now, at most {} or {} MiB. Of requests that went straight there is only the \
         access record",
        kept.stories,
        kept.stories_max,
        kept.bytes_max >> 20,
    );
    Err(Problem::new(StatusCode::NOT_FOUND, "request-not-kept", detail).with("kept", json!(kept)))
}
