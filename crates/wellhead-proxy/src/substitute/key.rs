//! What an earlier answer is found by: the whole request, however it is spelt, and who may have its answer.

use crate::exchange::Exchange;
use crate::replay::Kept;
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use http::HeaderMap;
use wellhead_config::snapshot::CacheScope;
use wellhead_resilience::cache::{Key, Scope};
use wellhead_types::Name;
use wellhead_wire::json;
use wellhead_wire::openai::Endpoint;

/// Larger requests are not looked for: what they hold (pictures, sound) hardly ever comes a second time.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Bodies up to this size share the connection's read buffer, and would keep all of it alive.
const COPIED_BYTES_MAX: usize = 8 * 1024;

/// A request as the cache sees it.
#[derive(Debug)]
pub(super) struct Question {
    scope: Scope,
    endpoint: Endpoint,
    model: Name,
    /// `openai-beta` changes what an endpoint does. Other headers do not change the answer.
    beta: Vec<u8>,
    body: Bytes,
}

impl Question {
    /// `None` if the request is not in memory, or too large.
    pub(super) fn of(exchange: &Exchange, scope: CacheScope, model: &Name) -> Option<Self> {
        let Kept::Memory(body) = &exchange.body else { return None };
        if body.len() > REQUEST_BYTES_MAX || body.is_empty() {
            return None;
        }
        let app = exchange.books.record.app.clone()?;
        Some(Self {
            scope: if scope == CacheScope::All { Scope::All } else { Scope::App(app) },
            endpoint: exchange.endpoint,
            model: model.clone(),
            beta: beta(&exchange.headers),
            body: body.clone(),
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.len()
    }

    pub(super) const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// For a question that is kept while its answer flows.
    pub(super) fn owned(mut self) -> Self {
        if self.body.len() <= COPIED_BYTES_MAX {
            self.body = Bytes::copy_from_slice(&self.body);
        }
        self
    }

    /// `None` if the request has no canonical form: it says something twice, or is a form.
    pub(super) fn key(&self) -> Option<Key> {
        let canonical = json::canonical(&self.body).ok()?;
        let mut context = Context::new(&SHA256);
        let parts = [self.endpoint.template().as_bytes(), self.model.as_bytes(), &self.beta, &canonical];
        for part in parts {
            // With its length, so that no two lists of parts make the same text.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let digest = context.finish().as_ref().try_into().ok()?;
        Some(Key { scope: self.scope.clone(), digest })
    }
}

fn beta(headers: &HeaderMap) -> Vec<u8> {
    let mut beta = Vec::new();
    for value in headers.get_all("openai-beta") {
        beta.extend_from_slice(value.as_bytes());
        beta.push(b'\n');
    }
    beta
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::{Bytes, Endpoint, Question, Scope};

    fn question() -> Question {
        Question {
            scope: Scope::App("a".into()),
            endpoint: Endpoint::ChatCompletions,
            model: "chat".into(),
            beta: Vec::new(),
            body: Bytes::from_static(br#"{"model":"chat","messages":[]}"#),
        }
    }

    #[test]
    fn the_key_is_that_of_the_whole_request_and_who_may_have_its_answer() {
        let key = question().key().unwrap();
        let same = Bytes::from_static(br#"{ "messages" : [], "mod\u0065l" : "chat" }"#);
        assert_eq!(Question { body: same, ..question() }.key().unwrap(), key);
        let other = Bytes::from_static(br#"{"model":"chat","messages":[],"temperature":0}"#);
        for question in [
            Question { scope: Scope::App("b".into()), ..question() },
            Question { scope: Scope::All, ..question() },
            Question { endpoint: Endpoint::Responses, ..question() },
            Question { model: "other".into(), ..question() },
            Question { beta: b"assistants=v2\n".to_vec(), ..question() },
            Question { body: other, ..question() },
        ] {
            assert_ne!(question.key().unwrap(), key, "{question:?}");
        }
        let twice = Bytes::from_static(br#"{"model":"chat","model":"chat"}"#);
        assert_eq!(Question { body: twice, ..question() }.key(), None);
    }
}
