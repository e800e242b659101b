//! Answers that worked, as plain data, so that they can be kept for `Idempotency-Key`; and what handlers read.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Query, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use wellhead_store::PAGE_ROWS_MAX;

use super::problem::{FieldError, Problem};

/// Rows of a page when nothing is said.
const PAGE_ROWS_DEFAULT: u32 = 100;

/// Most rows of a page: the store is asked for one more, to know whether there are more.
const LIMIT_MAX: u32 = PAGE_ROWS_MAX - 1;

/// Longest cursor: the longest name.
const CURSOR_BYTES_MAX: usize = 256;

/// A successful answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Value>,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) const fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: None }
    }

    /// Adds a header; text that is no header value is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, axum::Json(body)).into_response(),
            None => self.status.into_response(),
        };
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A JSON body: the bytes that came and what they mean. No body counts as `{}`.
pub(crate) struct JsonBody {
    pub(crate) bytes: Bytes,
    pub(crate) value: Value,
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = media_type_is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unreadable(&rejection))?;
        if bytes.is_empty() {
            return Ok(Self { bytes, value: Value::Object(serde_json::Map::new()) });
        }
        // A form of a foreign web page cannot send this type without asking first; and nobody answers such questions.
        if !is_json {
            let detail = "send the body with `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail));
        }
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "malformed-json", format!("the body is not JSON: {error}"))
        })?;
        Ok(Self { bytes, value })
    }
}

fn media_type_is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(given)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence == "application/merge-patch+json"
}

fn unreadable(rejection: &BytesRejection) -> Problem {
    let status = rejection.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(status, "body-too-large", "the body is larger than 1 MiB");
    }
    Problem::new(StatusCode::BAD_REQUEST, "body-incomplete", "the body ended before it was complete")
}

/// Query parameters by name.
pub(crate) type Parameters = Query<HashMap<String, String>>;

/// Which part of a listing is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) cursor: Option<String>,
    pub(crate) limit: u32,
}

impl Page {
    /// Reads `cursor` and `limit`; refuses other parameters, which would be ignored otherwise.
    pub(crate) fn of(parameters: &HashMap<String, String>) -> Result<Self, Problem> {
        let mut page = Self { cursor: None, limit: PAGE_ROWS_DEFAULT };
        for (name, value) in parameters {
            match name.as_str() {
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    let expected = || format!("limit is {value:?}; expected a number from 1 to {LIMIT_MAX}");
                    page.limit = limit.ok_or_else(|| Problem::bad_parameter("limit", expected()))?;
                }
                "cursor" if value.len() <= CURSOR_BYTES_MAX => page.cursor = Some(value.clone()),
                "cursor" => return Err(Self::bad_cursor()),
                _ => {
                    let detail =
                        format!("there is no parameter {name:?}; this listing knows cursor and limit");
                    return Err(Problem::bad_parameter(name, detail));
                }
            }
        }
        Ok(page)
    }

    /// The cursor as a number.
    pub(crate) fn numeric_cursor(&self) -> Result<Option<u64>, Problem> {
        self.cursor.as_ref().map(|text| text.parse().map_err(|_| Self::bad_cursor())).transpose()
    }

    fn bad_cursor() -> Problem {
        Problem::bad_parameter(
            "cursor",
            "not a cursor of this listing; use next_cursor of the page before as it is",
        )
    }

    /// How many rows to ask the store for.
    pub(crate) const fn rows_wanted(&self) -> u32 {
        self.limit + 1
    }

    /// The page as JSON; `rows` holds one more than the limit if there is more, each with the cursor behind it.
    pub(crate) fn answer(&self, rows: Vec<(String, Value)>) -> Reply {
        self.answer_up_to(rows, None)
    }

    /// As `answer`; `horizon` is set if there is more beyond it although not enough rows were found before it.
    pub(crate) fn answer_up_to(&self, mut rows: Vec<(String, Value)>, horizon: Option<String>) -> Reply {
        let cut = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let next = if cut { rows.last().map(|(cursor, _)| cursor.clone()) } else { horizon };
        let items: Vec<Value> = rows.into_iter().map(|(_, item)| item).collect();
        Reply::ok(serde_json::json!({ "items": items, "next_cursor": next }))
    }
}

/// The version in `If-Match`, which every change of an app has to name.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<u64, Problem> {
    let required = || {
        let detail =
            "send `If-Match` with the ETag of the app as you read it, so that nobody's change is lost";
        Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition-required", detail)
    };
    let value = headers.get(header::IF_MATCH).ok_or_else(required)?;
    let version = value.to_str().ok().and_then(|v| v.strip_prefix("\"v")?.strip_suffix('"')?.parse().ok());
    version.ok_or_else(|| {
        let detail =
            "If-Match holds no ETag of an app (such as \"v12\"); lists, weak tags and * are not taken";
        Problem::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", detail)
            .with("errors", serde_json::json!([FieldError::parameter("If-Match", detail)]))
    })
}
