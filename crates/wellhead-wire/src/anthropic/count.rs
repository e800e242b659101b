//! `POST /v1/messages/count_tokens`: how long a prompt is.

use super::answer::STATUS;
use super::request::{Purpose, read};
use super::version::Version;
use super::write::{Options, encode};
use crate::chat::{BadBody, Encoded, Losses, Request, Target, Unsupported};
use crate::failure::{classify_in_success, protocol_failure, success_failure};
use bytes::Bytes;
use serde_json::{Value, json};
use wellhead_types::{Failure, Stage};

/// Reads the body of a request for a count: a request without a limit, which never streams.
///
/// # Errors
/// As [`super::decode_request`].
pub fn decode_count(body: &[u8], version: Version) -> Result<Request, BadBody> {
    read(body, version, Purpose::Count)
}

/// Writes a request for a count. What only matters for an answer is left out.
///
/// # Errors
/// As [`super::encode_request`].
pub fn encode_count(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: Options,
) -> Result<Encoded, Unsupported> {
    encode(request, target, losses, options, Purpose::Count)
}

/// The answer to a client that asked for a count.
pub fn encode_count_answer(input_tokens: u64) -> Bytes {
    json!({"input_tokens": input_tokens}).to_string().into()
}

/// Reads what a target counted.
///
/// # Errors
/// It is no JSON, an error under a success, or holds no count.
pub fn decode_count_answer(body: &[u8]) -> Result<u64, Failure> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| protocol_failure(STATUS, Stage::FirstToken, error.to_string()))?;
    if value.get("error").is_some_and(|error| !error.is_null()) {
        return Err(classify_in_success(body, Stage::FirstToken));
    }
    let count = value.get("input_tokens").and_then(Value::as_u64);
    count.ok_or_else(|| success_failure(STATUS, Stage::FirstToken, "the answer has no `input_tokens`"))
}
