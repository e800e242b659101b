//! Puts credentials on requests that clouds give out: a token as it is, or a signature over the request. Waits only while
//! there is none at all.

use super::{Begun, Missed, missed};
use crate::exchange::Call;
use crate::plan::{CloudKey, Uris};
use bytes::Bytes;
use http::header::{AUTHORIZATION, DATE, HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::time::Instant;
use wellhead_config::snapshot::Signing;
use wellhead_credentials::sigv4::{BodyHash, BodyHasher, Parts, sign};
use wellhead_credentials::{AwsKeys, Material, Unready};
use wellhead_net::OutBody;
use wellhead_types::{Cause, Failure, Retry, Scope, Side, Stage};

/// Longest wait for a credential that is being fetched for the first time: another target could be answering.
const FIRST_FETCH_MAX: Duration = Duration::from_secs(10);
/// Larger bodies are hashed on the blocking pool (decision 7): with this much it takes less than a millisecond.
const HASHED_AT_ONCE_BYTES_MAX: usize = 256 * 1024;
/// What signed headers begin with: what clients send under such names is not theirs to say.
const SIGNED_PREFIX: &str = "x-amz-";

/// Headers that authorise one attempt.
#[derive(Debug)]
pub(super) struct Authorized {
    headers: Vec<(HeaderName, HeaderValue)>,
    is_signed: bool,
}

impl Authorized {
    /// Puts them on a request.
    pub(super) fn put(&self, headers: &mut HeaderMap) {
        if self.is_signed {
            let signed = |name: &HeaderName| name.as_str().starts_with(SIGNED_PREFIX);
            let foreign: Vec<HeaderName> = headers.keys().filter(|name| signed(name)).cloned().collect();
            for name in foreign {
                headers.remove(name);
            }
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// The headers for one attempt, which waits for its credential if there is none yet.
pub(super) async fn authorize(
    call: &Call<'_>,
    begun: &Begun,
    cloud: &CloudKey,
    body: &OutBody,
    uris: &Uris,
) -> Result<Authorized, Missed> {
    let patience = begun.terms.limit.at.min(Instant::now() + FIRST_FETCH_MAX);
    let material = cloud.credential.ready(patience).await.map_err(|unready| missed(unavailable(unready)))?;
    match (&*material, &cloud.signing) {
        (Material::Aws(keys), Some(signing)) => {
            let hash = hash(call, body).await.map_err(|failure| missed(call.blame(failure)))?;
            signed(call, begun, cloud, uris, (keys, signing), hash).map_err(missed)
        }
        (Material::Token { header, .. }, _) => {
            Ok(Authorized { headers: vec![(AUTHORIZATION, header.clone())], is_signed: false })
        }
        (Material::Aws(_), None) => Err(missed(internal("keys of AWS for requests that are not signed"))),
    }
}

/// A server that says that a request is unauthorised may mean that its clock says something else than ours: signatures
/// are good for five minutes.
pub(super) fn heed_clock(cloud: &CloudKey, headers: &HeaderMap) {
    if cloud.signing.is_none() {
        return;
    }
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let since = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
    if let Some(since) = since {
        cloud.credential.heed_clock(since.as_secs());
    }
}

fn signed(
    call: &Call<'_>,
    begun: &Begun,
    cloud: &CloudKey,
    uris: &Uris,
    (keys, signing): (&AwsKeys, &Signing),
    body: BodyHash,
) -> Result<Authorized, Failure> {
    let host = &call.target(begun.number).provider.host;
    let parts = Parts {
        method: "POST",
        host: host.to_str().map_err(|_| internal("the host cannot be signed"))?,
        path: uris.origin.path(),
        query: uris.origin.query().unwrap_or_default(),
        body,
    };
    let headers = sign(&parts, keys, signing, cloud.credential.wall_s()).map_err(|what| internal(&what))?;
    Ok(Authorized { headers, is_signed: true })
}

/// The hash of a body. One in a file is read twice: now, and when it is sent.
async fn hash(call: &Call<'_>, body: &OutBody) -> Result<BodyHash, Failure> {
    let Some(pieces) = body.in_memory() else {
        let (mut hasher, mut body) = (BodyHasher::default(), body.clone());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| internal(&error.to_string()))?;
            hasher.update(frame.data_ref().map_or(&[][..], |piece| piece));
        }
        return Ok(hasher.finish());
    };
    if pieces.iter().map(Bytes::len).sum::<usize>() <= HASHED_AT_ONCE_BYTES_MAX {
        return Ok(of_pieces(&pieces));
    }
    let permit = call.worker.disk.hash().await;
    let job = tokio::task::spawn_blocking(move || {
        let hash = of_pieces(&pieces);
        drop(permit);
        hash
    });
    job.await.map_err(|error| internal(&error.to_string()))
}

fn of_pieces(pieces: &[Bytes]) -> BodyHash {
    let mut hasher = BodyHasher::default();
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finish()
}

/// Nothing was sent, because there is no credential: another key may have one.
fn unavailable(unready: Unready) -> Failure {
    let detail =
        unready.error.map_or_else(|| "the credential is being fetched".to_owned(), |e| e.to_string());
    Failure {
        side: Side::Provider,
        scope: Scope::Key,
        stage: Stage::Prepare,
        retry: Retry::Elsewhere,
        cause: Cause::CredentialUnavailable,
        status: None,
        retry_after: Some(unready.next),
        detail,
    }
}

fn internal(what: &str) -> Failure {
    let failure = Failure::endpoint(Stage::Prepare, Cause::Internal, what);
    Failure { side: Side::Gateway, scope: Scope::Request, ..failure }
}
