//! The management API, version 1. Handlers read the request, ask the configurator or the store, and shape the answer.

pub(super) mod apps;
pub(super) mod generations;
pub(super) mod keys;
pub(super) mod requests;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Shared;

/// The description of this API, as it is checked in.
const OPENAPI: &str = include_str!("../../../../../schema/openapi.json");

/// The OpenAPI document.
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// The same JSON as `/status`, behind the token.
pub(super) async fn status(State(admin): Shared) -> Response {
    axum::Json(super::status::current(&admin)).into_response()
}

#[cfg(test)]
mod tests;
