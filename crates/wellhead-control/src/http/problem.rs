//! Errors as RFC 9457 problem details. `type` is a stable word per problem; `errors` point at fields (RFC 6901) or
//! query parameters.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use wellhead_store::StoreError;

use crate::{ChangeError, ReloadError};

/// One thing that is wrong with a request.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// JSON Pointer into the body; empty for the body as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// Name of the query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// What is wrong and what would be right.
    pub(crate) detail: String,
}

impl FieldError {
    pub(crate) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }

    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.to_owned()), detail: detail.into() }
    }
}

/// An answer that says what went wrong and what to do.
#[derive(Debug)]
pub(crate) struct Problem(Box<Content>);

#[derive(Debug)]
struct Content {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// `code` is the last part of `type`; `detail` is one sentence for a person.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let (errors, members, headers) = Default::default();
        Self(Box::new(Content { status, code, detail: detail.into(), errors, members, headers }))
    }

    /// The request's body or parameters are wrong.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => only.detail.clone(),
            many => format!("{} things are wrong with the request; see errors", many.len()),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", detail);
        problem.0.errors = errors;
        problem
    }

    /// A wrong query parameter.
    pub(crate) fn bad_parameter(name: &str, detail: impl Into<String>) -> Self {
        let error = FieldError::parameter(name, detail);
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", error.detail.clone());
        problem.0.errors = vec![error];
        problem
    }

    /// Adds a member of our own.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        // The detail is for the log: it may name files.
        tracing::error!(error, "the management API failed");
        let detail = "the store failed; the log of Wellhead says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Content { status, code, detail, errors, members, headers } = *self.0;
        let mut body = json!({
            "type": format!("urn:wellhead:problem:{code}"),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
        });
        if let Some(object) = body.as_object_mut() {
            if !errors.is_empty() {
                object.insert("errors".to_owned(), json!(errors));
            }
            object.extend(members);
        }
        let mut response = (status, body.to_string()).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response.headers_mut().extend(headers);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::AppExists(_) => {
                let mut problem = Self::new(StatusCode::CONFLICT, "app-exists", detail);
                problem.0.errors =
                    vec![FieldError::at("/name", "choose another name, or change the existing app")];
                problem
            }
            StoreError::AppMissing(_) => Self::new(StatusCode::NOT_FOUND, "app-not-found", detail),
            StoreError::KeyMissing { .. } => Self::new(StatusCode::NOT_FOUND, "key-not-found", detail),
            StoreError::VersionMismatch { .. } => {
                let detail = "the app has changed since it was read; read it again and repeat the change";
                Self::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", detail)
            }
            StoreError::TooMany { .. } => {
                Self::new(StatusCode::CONFLICT, "too-many", format!("{detail}; revoke or delete some first"))
            }
            StoreError::OutOfRange { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", detail)
            }
            StoreError::Damaged { .. } | StoreError::Database { .. } | StoreError::Migrate(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::ManagedByFile { app, origin } => {
                let detail = format!(
                    "app {app:?} is declared in {origin}; edit it there and save: it takes effect without a restart"
                );
                Self::new(StatusCode::CONFLICT, "managed-by-file", detail).with("managed_by", origin)
            }
            ChangeError::Invalid(diagnostics) => {
                Self::invalid(diagnostics.iter().map(|d| FieldError::at("", d.to_string())).collect())
            }
            ChangeError::Store(error) => error.into(),
            ChangeError::NotPublished(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a change is stored but not in effect"
                );
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "not-in-effect", error.to_string())
            }
            ChangeError::Randomness => Self::internal(&error),
        }
    }
}

impl From<ReloadError> for Problem {
    fn from(error: ReloadError) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-configuration", error.to_string());
        let messages = error.messages();
        match error {
            ReloadError::Invalid(diagnostics) => {
                problem.with("diagnostics", json!(diagnostics)).with("messages", messages)
            }
            _ => problem.with("messages", messages),
        }
    }
}
