//! Probes and metrics. Liveness depends on nothing; readiness never on an upstream or the database: the gateway serves
//! from its last snapshot.

use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::reply::Parameters;

/// The process runs and its control plane answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// 200 when requests of applications can be taken, else 503. `?verbose` lists the checks.
pub(super) async fn readyz(State(admin): Shared, Query(parameters): Parameters) -> Response {
    let checks = [
        ("configuration loaded", admin.configurator.snapshot().is_some()),
        ("listeners bound", admin.data_plane.is_listening()),
        ("not draining", !admin.data_plane.is_draining()),
    ];
    let ready = checks.iter().all(|(_, passed)| *passed);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if !parameters.contains_key("verbose") {
        return (status, if ready { "ready\n" } else { "not ready\n" }).into_response();
    }
    let line = |(name, passed): &(&str, bool)| format!("[{}] {name}\n", if *passed { '+' } else { '-' });
    (status, checks.iter().map(line).collect::<String>()).into_response()
}

/// Prometheus text.
pub(super) async fn metrics(State(admin): Shared) -> Response {
    let mut response = admin.data_plane.metrics_text().into_response();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}
