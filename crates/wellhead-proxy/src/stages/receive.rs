//! The body: read whole, within its limits.

use crate::gateway::Gateway;
use crate::replay;
use crate::rescue::Refusal;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;
use wellhead_config::snapshot::Limits;

/// Reads a request's body. Its memory is counted until the last piece of it is gone.
pub(crate) async fn receive(
    gateway: &Gateway,
    limits: &Limits,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<Bytes, Refusal> {
    if headers
        .get(http::header::CONTENT_ENCODING)
        .is_some_and(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Refusal::encoded_body());
    }
    let announced = body.size_hint().exact();
    if announced.is_some_and(|bytes| bytes > limits.body_bytes_max) {
        return Err(Refusal::body_too_large(limits.body_bytes_max));
    }
    let mut share = gateway.replay.share();
    let memory_max = replay::memory_max(limits);
    let mut pieces = Pieces::new(announced);
    loop {
        let Ok(frame) = tokio::time::timeout(limits.body_idle_timeout, body.frame()).await else {
            return Err(Refusal::body_too_slow(limits.body_idle_timeout));
        };
        let data = match frame {
            None => return Ok(replay::bind(pieces.into_bytes(), share)),
            Some(Err(error)) => return Err(Refusal::body_broken(&error.to_string())),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_trailers) => continue,
            },
        };
        if pieces.len() as u64 + data.len() as u64 > limits.body_bytes_max {
            return Err(Refusal::body_too_large(limits.body_bytes_max));
        }
        if !share.grow(data.len() as u64, memory_max) {
            return Err(Refusal::replay_memory());
        }
        pieces.push(data);
    }
}

/// Bytes of a refused body that are still taken, so that a client which writes before it reads gets its answer.
const DISCARD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Time for the same.
const DISCARD_MAX: Duration = Duration::from_secs(5);

/// Reads what is left of a refused body and forgets it, beside the answer. Closing at once would reset the connection,
/// and the client would see the reset instead of the answer.
pub(crate) fn discard(mut body: Incoming) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(async move {
        let reading = async {
            let mut bytes = 0;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > DISCARD_BYTES_MAX {
                    break;
                }
            }
        };
        // Either way the connection is closed behind the answer.
        drop(tokio::time::timeout(DISCARD_MAX, reading).await);
    });
}

/// Pieces of a body, joined without a copy when there is only one.
struct Pieces {
    announced: usize,
    first: Bytes,
    joined: BytesMut,
}

impl Pieces {
    fn new(announced: Option<u64>) -> Self {
        // Checked against `body_bytes_max` before; address space costs nothing until it is filled, growing would copy.
        let announced = announced.unwrap_or(0);
        Self {
            announced: usize::try_from(announced).unwrap_or(0),
            first: Bytes::new(),
            joined: BytesMut::new(),
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.joined.is_empty() {
            self.joined.reserve(self.announced.max(self.first.len() + data.len()));
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.joined.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}
