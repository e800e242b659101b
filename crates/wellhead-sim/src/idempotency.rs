//! `Idempotency-Key`, as vendors understand it: the first request with a key is worked on, a repetition gets the same
//! answer without any work, another request with the key is refused. Errors are not remembered. The log says which
//! requests were repetitions, so that a test can count the work.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::mind::hash;
use crate::net::Request;
use crate::reply::{self, Body, Reply};

/// Answers that are remembered, the newest ones: more than a test asks for.
const REMEMBERED_MAX: usize = 20_000;
/// The header.
const HEADER: &str = "idempotency-key";

/// What has been worked on.
#[derive(Default)]
pub(crate) struct Worked(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    by_key: HashMap<String, Answer>,
    order: VecDeque<String>,
}

struct Answer {
    request: u64,
    status: u16,
    headers: Vec<(String, String)>,
    bytes: Bytes,
    tokens: u64,
}

impl Worked {
    /// The answer to a repetition, or the refusal of another request with a key that was used.
    pub(crate) fn replay(&self, request: &Request) -> Option<Reply> {
        let key = key(request)?;
        let answers = self.answers();
        let known = answers.by_key.get(&key)?;
        if known.request != fingerprint(request) {
            let message = "This Idempotency-Key was used with another request.";
            return Some(reply::error(
                422,
                "invalid_request_error",
                Some("idempotency_error"),
                None,
                message,
            ));
        }
        let body = Body::Whole { bytes: known.bytes.clone(), tokens: known.tokens };
        let reply = Reply { status: known.status, headers: known.headers.clone(), body };
        Some(reply.with("idempotent-replayed", "true"))
    }

    /// Remembers an answer in one piece that is none of an error.
    pub(crate) fn remember(&self, request: &Request, reply: &Reply) {
        let (Some(key), Body::Whole { bytes, tokens }) = (key(request), &reply.body) else { return };
        if !(200..300).contains(&reply.status) {
            return;
        }
        let answer = Answer {
            request: fingerprint(request),
            status: reply.status,
            headers: reply.headers.clone(),
            bytes: bytes.clone(),
            tokens: *tokens,
        };
        let mut answers = self.answers();
        if answers.by_key.insert(key.clone(), answer).is_none() {
            answers.order.push_back(key);
        }
        if answers.order.len() > REMEMBERED_MAX
            && let Some(oldest) = answers.order.pop_front()
        {
            answers.by_key.remove(&oldest);
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        // A map of answers has no half-done state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keys belong to accounts.
fn key(request: &Request) -> Option<String> {
    let key = request.header(HEADER)?;
    Some(format!("{} {key}", request.key().unwrap_or_default()))
}

fn fingerprint(request: &Request) -> u64 {
    hash(hash(0, request.path.as_bytes()), &request.body)
}
