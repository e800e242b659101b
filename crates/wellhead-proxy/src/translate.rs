//! Where client and target speak different dialects: the request is written anew for the target, and what comes back is
//! turned into the client's dialect before anything else looks at it, so that all that watches over an answer knows one
//! dialect only.

use crate::exchange::Call;
use crate::plan::Voice;
use crate::replay::{self, Kept};
use crate::stages::attempt::{Missed, UpstreamError};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use std::sync::Arc;
use wellhead_types::{Cause, Failure, Retry, Scope, Side, Stage};
use wellhead_wire::chat::{Encoded, ErrorShown, Role, Shown};
use wellhead_wire::failure::upstream_message;
use wellhead_wire::openai::chat;
use wellhead_wire::openai::request::{RequestHead, prepare};
use wellhead_wire::translate::{
    Inbound, Untranslatable, decode_answer, encode_error, encode_request, write_request,
};

/// The body for a target whose dialect is not the client's.
pub(crate) async fn body(call: &Call<'_>, voice: &Arc<Voice>) -> Result<Encoded, Missed> {
    let own = voice.clone();
    let length = usize::try_from(call.body_bytes).unwrap_or(usize::MAX);
    // What a client of another dialect asked for is known without loss.
    let translated = match call.asked.filter(|_| call.is_foreign()) {
        Some(asked) => {
            let asked = asked.clone();
            let work = move || write_request(own.way, &asked, &own.target, &own.losses);
            call.worker.disk.translate(length, work).await
        }
        None => {
            let source = source(call).await?;
            let work = move || encode_request(own.way, &source, &own.target, &own.losses);
            call.worker.disk.translate(length, work).await
        }
    };
    match translated {
        Some(Ok(encoded)) => Ok(encoded),
        Some(Err(refused)) => Err(untranslatable(&refused)),
        None => Err(lost()),
    }
}

/// The body for a target of the client's own dialect, in whose conversation others have thought.
pub(crate) async fn without_foreign_thoughts(call: &Call<'_>, number: usize) -> Result<Bytes, Missed> {
    let source = source(call).await?;
    let (endpoint, length) = (call.endpoint, source.len());
    let work = move || {
        let body = Bytes::from(chat::without_foreign_thoughts(&source)?);
        let head = RequestHead::parse(endpoint, None, &body).ok()?;
        Some((body, head))
    };
    let (body, head) = call.worker.disk.translate(length, work).await.flatten().ok_or_else(lost)?;
    let target = call.target(number);
    Ok(prepare(&body, &head, &target.model, replay::flags(target)))
}

/// Parameters that the target was not told of, as the header lists them.
#[derive(Debug, Clone)]
pub(crate) struct Dropped(pub(crate) HeaderValue);

impl Dropped {
    /// `None` if the target was told everything.
    pub(crate) fn of(encoded: &Encoded) -> Option<Self> {
        /// Longest list: a conversation of pictures would fill a header with its parts.
        const LIST_BYTES_MAX: usize = 1024;
        let mut list = String::new();
        for dropped in &encoded.dropped {
            let separator = if list.is_empty() { "" } else { ", " };
            if list.len() + separator.len() + dropped.param.len() > LIST_BYTES_MAX {
                list.push_str(", ...");
                break;
            }
            list.push_str(separator);
            list.push_str(&dropped.param);
        }
        let value = HeaderValue::from_str(&list).ok().filter(|value| !value.is_empty());
        value.map(Self)
    }
}

impl Call<'_> {
    /// What the client asked for is known better than OpenAI Chat could say it. The rest of an answer is asked for in that
    /// dialect alone.
    pub(crate) fn is_foreign(&self) -> bool {
        self.asked.is_some() && self.resume.is_none_or(|resume| resume.changed().is_none())
    }
}

impl Call<'_> {
    /// A client of another dialect has written the beginning of the answer itself.
    pub(crate) fn begins_answer(&self) -> bool {
        let last = self.asked.filter(|_| self.is_foreign()).and_then(|asked| asked.messages.last());
        last.is_some_and(|last| last.role == Role::Assistant)
    }
}

/// What the client wrote, or what is asked instead of it where an answer is gone on with.
async fn source(call: &Call<'_>) -> Result<Bytes, Missed> {
    if let Some((body, _)) = call.resume.and_then(|resume| resume.changed()) {
        return Ok(body.clone());
    }
    match call.body {
        Kept::Memory(body) => Ok(body.clone()),
        Kept::Once(bytes, _) => bytes.peek().ok_or_else(lost),
        Kept::File(file, _) => {
            let length = usize::try_from(call.body_bytes).map_err(|_| lost())?;
            file.clone().read(length).await.map_err(|_| lost())
        }
    }
}

/// The body could not be had: no fault of the target's.
fn lost() -> Missed {
    let detail = "the request's body could not be had to be translated";
    let failure = Failure::endpoint(Stage::Prepare, Cause::Internal, detail);
    Missed::Failed(Failure { side: Side::Gateway, scope: Scope::Request, ..failure }, None)
}

/// Another target may be able to do what this one cannot; if none is, the client is told what it was.
fn untranslatable(refused: &Untranslatable) -> Missed {
    let message = refused.to_string();
    let failure = Failure {
        side: Side::Client,
        scope: Scope::Request,
        retry: Retry::Elsewhere,
        ..Failure::endpoint(Stage::Prepare, Cause::BadRequest, message.clone())
    };
    Missed::Failed(failure, Some(error(400, refused.code(), &message, refused.param())))
}

/// An error answer of a target of another dialect, as its client may read it.
pub(crate) fn upstream_error(status: u16, body: &[u8], failure: &Failure) -> UpstreamError {
    let message = upstream_message(body).unwrap_or_else(|| failure.detail.clone());
    error(status, failure.cause.as_str(), &message, None)
}

fn error(status: u16, code: &str, message: &str, param: Option<&str>) -> UpstreamError {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // The dialect has no place for the request's id; it is in a header.
    let shown = ErrorShown { status, code, message, param, request_id: "" };
    UpstreamError { status, headers, body: encode_error(&shown) }
}

/// What turns a stream of the target's into the client's dialect, if it speaks another one.
pub(crate) fn inbound(call: &Call<'_>, number: usize) -> Option<Box<Inbound>> {
    let target = call.target(number);
    target.native.as_ref()?;
    let voice = &target.voice;
    let event_bytes_max = call.plan.limits.event_bytes_max;
    Some(Box::new(Inbound::new(voice.way.dialect, &voice.target.origin, shown(call, voice), event_bytes_max)))
}

/// A whole answer in the client's dialect.
pub(crate) async fn answer(call: &Call<'_>, voice: &Arc<Voice>, body: Bytes) -> Result<Bytes, Failure> {
    let (own, shown) = (voice.clone(), shown(call, voice));
    let length = body.len();
    let work = move || decode_answer(own.way.dialect, &body, &own.target.origin, &shown);
    let translated = call.worker.disk.translate(length, work).await;
    translated.unwrap_or_else(|| {
        let detail = "the answer could not be translated";
        Err(Failure { side: Side::Gateway, ..Failure::endpoint(Stage::FirstToken, Cause::Internal, detail) })
    })
}

/// Names for what the target leaves without.
fn shown(call: &Call<'_>, voice: &Voice) -> Shown {
    let wall_ns = call.worker.gateway.clock.wall_ns(call.now());
    Shown {
        model: voice.target.origin.model.clone(),
        id: format!("{:016x}", call.worker.gateway.entropy.next()).into(),
        created: wall_ns / 1_000_000_000,
        // What the client did not ask for is taken out where the stream is watched.
        stream_usage: true,
    }
}
