//! `GET /v1/models`: exactly the names that this key may send as `model`, in a stable order, without asking anybody. In
//! the form of the client's dialect.

use crate::body::GatewayBody;
use crate::plan::{AppPlan, Plan};
use crate::rescue::Refusal;
use http::Response;
use http::header::{self, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use wellhead_wire::chat::Dialect;
use wellhead_wire::openai::request::BadRequest;

/// Most names on a page, of both vendors.
const PAGE_MAX: usize = 1000;
/// Names on a page of Anthropic's, if the client does not say.
const ANTHROPIC_PAGE: usize = 20;
/// The same of Gemini's.
const GEMINI_PAGE: usize = 50;
/// An alias has no date; the list is not to change by itself.
const CREATED_AT: &str = "1970-01-01T00:00:00Z";

/// The list. In OpenAI's form it is one page; the others cut it as the query asks.
pub(crate) fn list<'a>(
    names: impl Iterator<Item = &'a str>,
    form: Option<Dialect>,
    query: Option<&str>,
) -> Result<Response<GatewayBody>, Refusal> {
    let names: Vec<&str> = names.collect();
    let body = match form {
        Some(Dialect::Anthropic) => anthropic(&names, query)?,
        Some(Dialect::Gemini) => gemini(&names, query)?,
        _ => {
            let data: Vec<Value> = names.into_iter().map(|name| model(name, None)).collect();
            json!({ "object": "list", "data": data })
        }
    };
    Ok(answer(&body))
}

/// One model, if the key may use it.
pub(crate) fn one(
    plan: &Plan,
    app: &AppPlan,
    id: &str,
    form: Option<Dialect>,
) -> Option<Response<GatewayBody>> {
    (plan.routes.contains_key(id) && app.may_use(id)).then(|| answer(&model(id, form)))
}

/// `created` is required by OpenAI's dialect and means nothing for an alias: 0, so that the list never changes by itself.
fn model(name: &str, form: Option<Dialect>) -> Value {
    match form {
        Some(Dialect::Anthropic) => {
            json!({ "type": "model", "id": name, "display_name": name, "created_at": CREATED_AT })
        }
        Some(Dialect::Gemini) => json!({
            "name": format!("models/{name}"),
            "displayName": name,
            "supportedGenerationMethods":
                ["generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"],
        }),
        _ => json!({ "id": name, "object": "model", "created": 0, "owned_by": "wellhead" }),
    }
}

/// One page, behind or before a name.
fn anthropic(names: &[&str], query: Option<&str>) -> Result<Value, Refusal> {
    let limit = size(query, "limit")?.unwrap_or(ANTHROPIC_PAGE);
    let place = |name: &'static str| match value(query, name) {
        None => Ok(None),
        Some(id) => {
            let found = names.iter().position(|known| *known == id);
            found.map(Some).ok_or_else(|| bad(name, "expected the id of a model in this list"))
        }
    };
    let (after, before) = (place("after_id")?, place("before_id")?);
    let end = before.unwrap_or(names.len());
    let (start, end) = match (after, before) {
        (None, Some(end)) => (end.saturating_sub(limit), end),
        (after, _) => {
            let start = after.map_or(0, |after| after + 1);
            (start, end.min(start + limit))
        }
    };
    let page = names.get(start..end).unwrap_or_default();
    let has_more = if after.is_none() && before.is_some() { start > 0 } else { end < names.len() };
    let data: Vec<Value> = page.iter().map(|name| model(name, Some(Dialect::Anthropic))).collect();
    Ok(json!({ "data": data, "first_id": page.first(), "last_id": page.last(), "has_more": has_more }))
}

/// One page; the token of the next one is the last name of this one.
fn gemini(names: &[&str], query: Option<&str>) -> Result<Value, Refusal> {
    let size = size(query, "pageSize")?.unwrap_or(GEMINI_PAGE);
    let start = match value(query, "pageToken") {
        None => 0,
        Some(token) => {
            let found = names.iter().position(|known| *known == token);
            found.ok_or_else(|| bad("pageToken", "expected the `nextPageToken` of a page of this list"))? + 1
        }
    };
    let end = names.len().min(start + size);
    let page = names.get(start..end).unwrap_or_default();
    let models: Vec<Value> = page.iter().map(|name| model(name, Some(Dialect::Gemini))).collect();
    let mut body = json!({ "models": models });
    if let (Some(last), true) = (page.last(), end < names.len()) {
        body["nextPageToken"] = (*last).into();
    }
    Ok(body)
}

/// A size of pages.
fn size(query: Option<&str>, name: &'static str) -> Result<Option<usize>, Refusal> {
    let Some(text) = value(query, name) else { return Ok(None) };
    match text.parse() {
        Ok(size) if (1..=PAGE_MAX).contains(&size) => Ok(Some(size)),
        _ => Err(bad(name, "expected a number from 1 to 1000")),
    }
}

/// What a query says under this name.
pub(crate) fn value(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(given, value)| *given == name && !value.is_empty())?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn bad(name: &'static str, expected: &str) -> Refusal {
    let message = format!("`{name}` in the query: {expected}");
    Refusal::body_invalid(BadRequest { message, param: Some(name), code: "invalid_value" })
}

fn answer(body: &Value) -> Response<GatewayBody> {
    let mut response = Response::new(GatewayBody::whole(body.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
