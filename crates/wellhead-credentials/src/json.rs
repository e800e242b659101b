//! Answers of those who give out tokens.

use crate::client::Answer;
use crate::error::{FetchError, Trouble};
use crate::material::{Fetched, Material};
use serde_json::Value;
use std::time::Duration;
use wellhead_types::Secret;

/// Bytes of what others say that are repeated in an error.
const SAID_BYTES_MAX: usize = 400;

/// A token of OAuth 2.0 (RFC 6749 section 5): `access_token` and `expires_in`. `secrets`: what was sent, and must not be
/// repeated if the answer repeats it.
pub(crate) fn token(
    answer: &Answer,
    from: &str,
    secrets: &[&Secret],
    fix: &str,
) -> Result<Fetched, FetchError> {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    if !(200..300).contains(&answer.status) {
        return Err(FetchError::new(Trouble::Refused, from, said(answer, value.as_ref(), secrets), fix));
    }
    let malformed = |what: &str| FetchError::new(Trouble::Malformed, from, what, "");
    let value = value.ok_or_else(|| malformed("the answer is no JSON"))?;
    let text = value.get("access_token").and_then(Value::as_str);
    let text = text.ok_or_else(|| malformed("the answer has no access_token"))?;
    let seconds = value.get("expires_in").and_then(number);
    let seconds =
        seconds.ok_or_else(|| malformed("the answer does not say when the token expires (expires_in)"))?;
    Ok(Fetched { material: Material::token(text, from)?, lifetime: Some(Duration::from_secs(seconds)) })
}

/// A number, also one written as a text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// What a refusal says: status, code and description.
pub(crate) fn said(answer: &Answer, value: Option<&Value>, secrets: &[&Secret]) -> String {
    let mut said = format!("status {}", answer.status);
    let member = |name: &str| value.and_then(|value| value.get(name)).and_then(Value::as_str);
    for text in
        ["error", "error_description", "Code", "Message", "code", "message"].into_iter().filter_map(member)
    {
        said.push_str(": ");
        said.push_str(text);
    }
    discreet(&said, secrets)
}

/// One line of bounded length, without these secrets.
pub(crate) fn discreet(text: &str, secrets: &[&Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
        text = text.replace(secret.expose(), "***");
    }
    let end = text.floor_char_boundary(SAID_BYTES_MAX);
    text[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
