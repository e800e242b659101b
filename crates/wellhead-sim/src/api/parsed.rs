//! The body of a request, read once.

use serde_json::{Map, Value};

use crate::media::Form;
use crate::net::Request;
use crate::reply::{self, Reply};

/// A request's body in the form that its content type names.
#[derive(Debug)]
enum Content {
    Empty,
    Json(Value),
    Form(Form),
    Wrong(String),
}

/// What was read from a request besides its head.
#[derive(Debug)]
pub(crate) struct Parsed {
    content: Content,
    model: Option<String>,
}

impl Parsed {
    pub(crate) fn new(request: &Request) -> Self {
        let content = content(request);
        let model = match &content {
            Content::Json(value) => value.get("model").and_then(Value::as_str).map(str::to_owned),
            Content::Form(form) => form.text("model").map(str::to_owned),
            Content::Empty | Content::Wrong(_) => None,
        };
        // Azure names the deployment in the path.
        let deployment =
            request.path.strip_prefix("/openai/deployments/").and_then(|rest| rest.split('/').next());
        let model = model.or_else(|| deployment.map(str::to_owned));
        Self { content, model }
    }

    /// The model, without the faults that its name may have carried.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Takes the faults off the model's name.
    pub(crate) fn take_model_faults(&mut self) -> Option<String> {
        let (model, faults) = self.model.as_ref()?.split_once('+')?;
        let faults = faults.to_owned();
        self.model = Some(model.to_owned());
        Some(faults)
    }

    /// The body as JSON object.
    pub(crate) fn object(&self) -> Result<&Map<String, Value>, Reply> {
        let message = match &self.content {
            Content::Json(Value::Object(object)) => return Ok(object),
            Content::Json(_) => "The request body must be a JSON object.".to_owned(),
            Content::Empty => "The request has no body; it must be a JSON object.".to_owned(),
            Content::Form(_) => "This endpoint takes JSON, not a form.".to_owned(),
            Content::Wrong(why) => why.clone(),
        };
        Err(reply::error(400, "invalid_request_error", None, None, &message))
    }

    /// The body as multipart form.
    pub(crate) fn form(&self) -> Result<&Form, Reply> {
        let message = match &self.content {
            Content::Form(form) => return Ok(form),
            Content::Wrong(why) => why.as_str(),
            Content::Empty | Content::Json(_) => "This endpoint takes multipart/form-data.",
        };
        Err(reply::error(400, "invalid_request_error", None, None, message))
    }

    /// The model that must be there and must exist.
    pub(crate) fn known_model(&self) -> Result<&str, Reply> {
        match self.model() {
            None | Some("") => Err(reply::invalid("model", "The request must name a model.")),
            Some(model) if model.starts_with("unknown-") => Err(unknown(model)),
            Some(model) => Ok(model),
        }
    }
}

/// The answer to a model that does not exist.
pub(crate) fn unknown(model: &str) -> Reply {
    let message = format!("The model `{model}` does not exist, or this key has no access to it.");
    reply::error(404, "invalid_request_error", Some("model_not_found"), Some("model"), &message)
}

fn content(request: &Request) -> Content {
    let kind = request.header("content-type").unwrap_or("");
    if kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        return match Form::read(kind, &request.body) {
            Ok(form) => Content::Form(form),
            Err(why) => Content::Wrong(why),
        };
    }
    if request.body.is_empty() {
        return Content::Empty;
    }
    match serde_json::from_slice(&request.body) {
        Ok(value) => Content::Json(value),
        Err(error) => Content::Wrong(format!("The request body is not valid JSON: {error}.")),
    }
}
