//! Everything that the admin listener answers, as one table. The OpenAPI document is compared with it in the tests.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, patch, post};

use super::problem::Problem;
use super::{Admin, api, guard, health, status};

/// Largest request body. An app with ten thousand model names fits.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Longest time for one answer, reading the request's body included. A reload of the largest file takes seconds.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// One operation.
pub(crate) struct Route {
    /// HTTP method in capitals.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests compare it with the OpenAPI document"))]
    pub(crate) method: &'static str,
    /// Path with `{parameters}`.
    pub(crate) path: &'static str,
    handler: MethodRouter<Arc<Admin>>,
}

/// The table.
pub(crate) fn table() -> Vec<Route> {
    let route = |method, path, handler| Route { method, path, handler };
    vec![
        route("GET", "/livez", get(health::livez)),
        route("GET", "/healthz", get(health::livez)),
        route("GET", "/readyz", get(health::readyz)),
        route("GET", "/status", get(status::status)),
        route("GET", "/metrics", get(health::metrics)),
        route("GET", "/api/v1/openapi.json", get(api::openapi)),
        route("GET", "/api/v1/status", get(api::status)),
        route("GET", "/api/v1/requests/{request_id}", get(api::requests::explain)),
        route("GET", "/api/v1/apps", get(api::apps::list)),
        route("POST", "/api/v1/apps", post(api::apps::create)),
        route("GET", "/api/v1/apps/{name}", get(api::apps::read)),
        route("PATCH", "/api/v1/apps/{name}", patch(api::apps::update)),
        route("DELETE", "/api/v1/apps/{name}", delete(api::apps::remove)),
        route("GET", "/api/v1/apps/{name}/keys", get(api::keys::list)),
        route("POST", "/api/v1/apps/{name}/keys", post(api::keys::create)),
        route("GET", "/api/v1/apps/{name}/keys/{id}", get(api::keys::read)),
        route("DELETE", "/api/v1/apps/{name}/keys/{id}", delete(api::keys::revoke)),
        route("GET", "/api/v1/generations", get(api::generations::list)),
        route("POST", "/api/v1/reload", post(api::generations::reload)),
    ]
}

/// The table as a service, behind the guard and the limits.
pub(crate) fn router(admin: Arc<Admin>) -> Router {
    let mut router = Router::new();
    for Route { path, handler, .. } in table() {
        router = router.route(path, handler);
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        // From here on inwards to outwards: limits, then who may ask, then headers that every answer carries.
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(answer_in_time))
        .layer(from_fn_with_state(Arc::clone(&admin), guard::admit))
        .layer(from_fn(common_headers))
        .with_state(admin)
}

async fn not_found(request: Request) -> Problem {
    let detail =
        format!("nothing is at {}; the API is described at /api/v1/openapi.json", request.uri().path());
    Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
}

async fn method_not_allowed(State(_): State<Arc<Admin>>, request: Request) -> Problem {
    let detail = format!("{} cannot be done with {}", request.method(), request.uri().path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}

async fn answer_in_time(request: Request, next: Next) -> Response {
    let too_late = || {
        let detail = format!("no answer within {} s; a change may still happen", ANSWER_TIME_MAX.as_secs());
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail).into_response()
    };
    let answered = if request.method().is_safe() {
        tokio::time::timeout(ANSWER_TIME_MAX, next.run(request)).await.ok()
    } else {
        // A change that has begun is finished although its client has gone: what is stored but not published (a key
        // that is revoked, say) would not be in effect. What is left to do after the body was read is short.
        let task = tokio::spawn(next.run(request));
        match tokio::time::timeout(ANSWER_TIME_MAX, task).await {
            Ok(Ok(response)) => Some(response),
            Ok(Err(_)) => {
                let detail = "a bug of this program; its log says more";
                Some(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response())
            }
            Err(_) => None,
        }
    };
    answered.unwrap_or_else(too_late)
}

async fn common_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
