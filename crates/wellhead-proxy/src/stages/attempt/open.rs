//! From the head of an answer to one that can be committed to: a stream with its first content, JSON that has been read
//! whole, the first piece of anything else.

use super::kind::{Kind, accepts, coding, kind};
use super::refused::refused;
use super::{Begun, Limit, Missed, missed};
use crate::answer::{Content, Opened};
use crate::exchange::{Call, Early};
use crate::settle::Signs;
use crate::stream;
use crate::translate::{self, Customs, Dropped, Original};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Response, header};
use http_body_util::BodyExt;
use std::collections::VecDeque;
use std::sync::Arc;
use wellhead_net::InBody;
use wellhead_types::{Cause, Failure, Stage, Usage};
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::answer::inspect;
use wellhead_wire::translate::beside::Kept;

/// From response headers to an answer that can be committed to. `signs` are there if another attempt may run beside it.
pub(crate) async fn open(
    call: &Call<'_>,
    begun: &Begun,
    response: Response<InBody>,
    signs: Option<&Signs>,
) -> Result<Opened, Missed> {
    let limit = begun.terms.limit.settled(call);
    let (mut parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    if !parts.status.is_success() {
        return Err(Box::pin(refused(call, begun, status, parts.headers, body)).await);
    }
    let native = call.is_foreign_at(begun.number);
    let customs = parts.extensions.remove::<Customs>();
    if native {
        // It is about the target's own bytes.
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    // What has to be translated cannot be passed on unread.
    let translated = native || call.asked.is_some();
    let late = call.resume.is_some() || call.early.is_some_and(Early::is_open);
    let (mut first_at, mut original) = (None, None);
    let content = match kind(&parts.headers, call.head.stream, native) {
        // The client has been promised a stream.
        Kind::Json | Kind::Bytes if late => {
            let detail = "an answer in one piece to a request for a stream";
            return Err(missed(Failure::endpoint(Stage::FirstToken, Cause::ErrorInSuccess, detail)));
        }
        kind if let Some(coding) = coding(&parts.headers) => {
            if translated {
                return Err(missed(compressed()));
            }
            encoded(call, coding, &kind, body, limit).await.map_err(missed)?
        }
        Kind::Events => {
            let opened = stream::open(call, begun, body, customs, signs).await.map_err(missed)?;
            if native {
                // The target's framing is its own.
                let events = HeaderValue::from_static("text/event-stream");
                parts.headers.insert(header::CONTENT_TYPE, events);
            }
            first_at = opened.first_at;
            Content::Stream(opened.live)
        }
        Kind::Json => {
            let kept = if native { parts.extensions.remove::<Arc<Kept>>() } else { None };
            let (content, own) =
                whole(call, begun.number, body, (kept, customs), limit).await.map_err(missed)?;
            original = own;
            content
        }
        Kind::Html => {
            let detail = "a page of HTML instead of an answer";
            return Err(missed(Failure::endpoint(Stage::FirstToken, Cause::ErrorInSuccess, detail)));
        }
        Kind::Bytes if translated => {
            let detail = "something else than JSON or a stream, which cannot be translated";
            return Err(missed(Failure::endpoint(Stage::FirstToken, Cause::ErrorInSuccess, detail)));
        }
        Kind::Bytes => first_piece(body, limit).await.map_err(missed)?,
    };
    let (rung, dropped) = (begun.terms.rung, parts.extensions.remove::<Dropped>());
    Ok(Opened {
        target: begun.number,
        rung,
        first_at,
        status,
        headers: parts.headers,
        dropped,
        original: original.map(Box::new),
        content,
    })
}

/// A compressed answer cannot be watched. An unstreamed one is relayed if the client takes compressed answers; a
/// stream is refused, because its end could not be told from a cut.
async fn encoded(
    call: &Call<'_>,
    coding: &[u8],
    kind: &Kind,
    body: InBody,
    limit: Limit,
) -> Result<Content, Failure> {
    if matches!(kind, Kind::Events) || !accepts(call, coding) {
        return Err(compressed());
    }
    first_piece(body, limit).await
}

fn compressed() -> Failure {
    let detail = "a compressed answer that was not asked for";
    Failure::endpoint(Stage::Headers, Cause::ProtocolError, detail)
}

/// A JSON answer is read whole, so that an error inside a 200 or a cut can still be followed by another attempt. One
/// larger than the limit is relayed from there on.
async fn whole(
    call: &Call<'_>,
    number: usize,
    mut body: InBody,
    (kept, customs): (Option<Arc<Kept>>, Option<Customs>),
    limit: Limit,
) -> Result<(Content, Option<Original>), Failure> {
    let max = usize::try_from(call.plan.limits.inspect_bytes_max).unwrap_or(usize::MAX);
    let target = call.target(number);
    let is_foreign = call.is_foreign_at(number);
    let voice = call.native(number).map(|(voice, _)| voice);
    let mut read: VecDeque<Bytes> = VecDeque::new();
    let mut bytes = 0;
    while let Some(chunk) = next(&mut body, limit).await? {
        bytes += chunk.len();
        read.push_back(chunk);
        if bytes > max && is_foreign {
            let detail = "an answer that has to be translated is larger than inspect_bytes_max";
            return Err(Failure::endpoint(Stage::FirstToken, Cause::ResponseTooLarge, detail));
        }
        if bytes > max {
            return Ok((Content::Relay(read, body), None));
        }
    }
    let mut original = None;
    let mut whole = join(read, bytes);
    if let (Some(aside), Some(kept)) = (target.aside(call.endpoint), kept) {
        // Boxed, as below: every request would carry it.
        let read = Box::pin(translate::aside_answer(call, &target.voice, aside.form, kept, whole)).await?;
        return Ok((Content::Whole(read.body, read.usage.map(Box::new)), None));
    }
    if let Some(voice) = voice {
        (whole, original) = Box::pin(translate::answer(call, voice, customs, whole)).await?;
    }
    let inspected = inspect(call.endpoint, &whole)?;
    // Nothing is used by being counted.
    let counts = call.endpoint == Endpoint::CountTokens;
    let usage = if counts { Some(Usage::default()) } else { inspected.usage };
    Ok((Content::Whole(whole, usage.map(Box::new)), original))
}

/// Audio and other bytes: committed to when the first piece is there. Nothing at all is no answer.
async fn first_piece(mut body: InBody, limit: Limit) -> Result<Content, Failure> {
    match next(&mut body, limit).await? {
        Some(first) => Ok(Content::Relay(VecDeque::from([first]), body)),
        None => Err(Failure::endpoint(Stage::FirstToken, Cause::ErrorInSuccess, "the body is empty")),
    }
}

/// The next piece of an answer that has not been committed to.
pub(super) async fn next(body: &mut InBody, limit: Limit) -> Result<Option<Bytes>, Failure> {
    loop {
        match tokio::time::timeout_at(limit.at, body.frame()).await {
            Err(_) => return Err(limit.failure(Stage::FirstToken, Cause::FirstTokenTimeout)),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(Failure { stage: Stage::FirstToken, ..error.into() }),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

pub(super) fn join(mut pieces: VecDeque<Bytes>, bytes: usize) -> Bytes {
    if pieces.len() == 1 {
        return pieces.pop_front().unwrap_or_default();
    }
    let mut joined = BytesMut::with_capacity(bytes);
    pieces.iter().for_each(|piece| joined.extend_from_slice(piece));
    joined.freeze()
}
