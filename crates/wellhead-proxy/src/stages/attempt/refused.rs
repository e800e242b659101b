//! Error answers: read, classified, freed of our key.

use super::open::{join, next};
use super::{Begun, Limit, Missed, UpstreamError, credential, missed};
use crate::exchange::Call;
use crate::plan::KeyPlan;
use crate::translate;
use bytes::Bytes;
use http::HeaderMap;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use wellhead_net::InBody;
use wellhead_types::{Cause, Failure, Retry, Scope, Stage};
use wellhead_wire::failure::{Vendor, classify};
use wellhead_wire::openai::Endpoint;

/// Largest error body that is read, and passed on where the request is at fault.
const ERROR_BYTES_MAX: usize = 256 * 1024;

/// Time for an error's body: the status alone is enough to go on, and somebody else could be answering.
const ERROR_BODY_MAX: Duration = Duration::from_secs(1);

/// An error answer: read, classified, kept in case that it is passed on.
pub(super) async fn refused(
    call: &Call<'_>,
    begun: &Begun,
    status: u16,
    headers: HeaderMap,
    mut body: InBody,
) -> Missed {
    let (key, limit) = (begun.key(call.route), begun.terms.limit.settled(call));
    let soon = Instant::now() + ERROR_BODY_MAX;
    let limit = Limit { at: limit.at.min(soon), ..limit };
    let mut pieces = VecDeque::new();
    let mut bytes = 0;
    while bytes <= ERROR_BYTES_MAX {
        match next(&mut body, limit).await {
            Ok(Some(chunk)) => {
                bytes += chunk.len();
                pieces.push_back(chunk);
            }
            // An error that breaks off is still an error; what came of it is enough to classify it.
            Ok(None) | Err(_) => break,
        }
    }
    let body = without_key(join(pieces, bytes), key);
    if let Some(cloud) = key.and_then(|key| key.cloud.as_deref()).filter(|_| matches!(status, 401 | 403)) {
        credential::heed_clock(cloud, &headers);
    }
    if (300..400).contains(&status) {
        let detail = format!("a redirect ({status}), which is never followed with a credential");
        let failure = Failure {
            status: Some(status),
            scope: Scope::Endpoint,
            ..Failure::endpoint(Stage::Headers, Cause::ProtocolError, detail)
        };
        return missed(failure);
    }
    let wall_s = call.worker.gateway.clock.wall_ns(call.now()) / 1_000_000_000;
    let vendor = Vendor::of_kind(&call.target(begun.number).provider.kind.name);
    let mut failure = classify(vendor, status, &headers, &body, wall_s);
    if call.endpoint == Endpoint::CountTokens && matches!(status, 404 | 405 | 501) {
        // Many that speak a vendor's dialect do not count. That says nothing about their answers.
        failure = Failure { scope: Scope::Request, retry: Retry::Elsewhere, ..failure };
    }
    let answer = || match call.is_foreign_at(begun.number) {
        false => UpstreamError { status, headers, body },
        true => translate::upstream_error(status, &body, &failure),
    };
    let answer = (failure.retry == Retry::Never).then(answer);
    Missed::Failed(failure, answer)
}

/// Some vendors repeat the key that they reject. It is ours, and nobody else's business.
fn without_key(body: Bytes, key: Option<&KeyPlan>) -> Bytes {
    let Some(key) = key else { return body };
    let body = without(body, key.secret.expose());
    let fetched = key.cloud.as_deref().and_then(|cloud| cloud.credential.material());
    let secrets = fetched.iter().flat_map(|material| material.secrets());
    secrets.fold(body, |body, secret| without(body, secret.expose()))
}

fn without(body: Bytes, secret: &str) -> Bytes {
    let secret = secret.as_bytes();
    if secret.is_empty() || memchr::memmem::find(&body, secret).is_none() {
        return body;
    }
    let mut masked = Vec::with_capacity(body.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(&body, secret) {
        masked.extend_from_slice(&body[from..at]);
        masked.extend_from_slice(b"***");
        from = at + secret.len();
    }
    masked.extend_from_slice(&body[from..]);
    masked.into()
}
