//! Faults that change what is answered: another status, an error inside a 200, a page instead of JSON.

use bytes::Bytes;
use serde_json::Value;

use super::{Fault, Faults};
use crate::reply::{self, Body, Reply};

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n\
    <body><h1>Sign in to continue</h1><p>Your session has expired.</p></body></html>\n";
const BROKEN: &str =
    "{\"id\":\"chatcmpl-broken\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"mess";

/// The answer that `faults` make of `reply`.
pub(crate) fn disguise(reply: Reply, faults: &Faults) -> Reply {
    faults.0.iter().fold(reply, |reply, fault| match fault {
        Fault::Status { code, headers, body, retry_after } => {
            let mut answer = status(*code, body.as_ref());
            answer.headers.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
            answer.headers.extend(retry_after.iter().map(|value| ("retry-after".to_owned(), value.clone())));
            answer
        }
        Fault::ErrorIn200 => same_framing(reply, &reply::trouble().to_string()),
        Fault::WrongContentType => {
            Reply::bytes(200, "text/html; charset=utf-8", Bytes::from_static(PAGE.as_bytes()), 0)
        }
        Fault::EmptyBody => {
            Reply { status: 200, body: Body::Whole { bytes: Bytes::new(), tokens: 0 }, ..reply }
        }
        Fault::BadJson => same_framing(reply, BROKEN),
        _ => reply,
    })
}

/// `text` as the whole answer: the only event of a stream, or the JSON body.
fn same_framing(reply: Reply, text: &str) -> Reply {
    match reply.body {
        Body::Events(_) => {
            let bytes = Bytes::from(format!("data: {text}\n\n"));
            Reply { status: 200, headers: reply.headers, body: Body::Whole { bytes, tokens: 0 } }
        }
        Body::Whole { .. } => Reply::bytes(200, "application/json", Bytes::from(text.to_owned()), 0),
    }
}

fn status(code: u16, body: Option<&Value>) -> Reply {
    match body {
        Some(Value::String(text)) => {
            Reply::bytes(code, "text/plain; charset=utf-8", Bytes::from(text.clone()), 0)
        }
        Some(value) => Reply::json(code, value, 0),
        None => {
            let (kind, name, message) = words(code);
            reply::error(code, kind, name, None, message)
        }
    }
}

/// Type, code and message that vendors of the OpenAI family send with a status.
fn words(code: u16) -> (&'static str, Option<&'static str>, &'static str) {
    match code {
        401 => ("invalid_request_error", Some("invalid_api_key"), "The API key is not valid."),
        402 => ("insufficient_quota", Some("insufficient_quota"), "There is no credit left on this account."),
        403 => ("invalid_request_error", Some("forbidden"), "This key may not do that."),
        404 => ("invalid_request_error", Some("model_not_found"), "The model does not exist."),
        408 => ("timeout", Some("request_timeout"), "The request took too long."),
        409 => ("conflict", Some("conflict"), "Another request is in the way."),
        429 => ("requests", Some("rate_limit_exceeded"), "Too many requests; slow down."),
        503 => ("service_unavailable_error", Some("service_unavailable"), "The service is overloaded."),
        500..600 => ("server_error", Some("server_error"), "The server had an error."),
        _ => ("invalid_request_error", None, "The request was not accepted."),
    }
}
