//! Where client and target speak different dialects: the request is written anew for the target, and what comes back is
//! turned into the client's dialect before anything else looks at it, so that all that watches over an answer knows one
//! dialect only.

mod aside;

pub(crate) use aside::{aside, aside_answer};

use crate::exchange::{Call, Early, Exchange, Own};
use crate::plan::{Native, Voice};
use crate::replay::{self, Kept};
use crate::stages::attempt::{Missed, UpstreamError};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use std::sync::Arc;
use wellhead_http::names;
use wellhead_types::{Cause, Failure, Retry, Scope, Side, Stage};
use wellhead_wire::chat::{CustomTools, Dialect, Encoded, ErrorShown, Origin, Role, Shown};
use wellhead_wire::failure::upstream_message;
use wellhead_wire::openai::request::{RequestHead, prepare};
use wellhead_wire::openai::{Endpoint, chat};
use wellhead_wire::translate::{
    Inbound, Untranslatable, counted, encode_error, encode_request, kept_answer, kept_request,
    restored_answer, write_count, write_request,
};

/// What a target is sent.
pub(crate) struct Written {
    pub(crate) encoded: Encoded,
    /// It is the client's own body.
    pub(crate) is_kept: bool,
}

/// The body for a target whose dialect is not OpenAI's, or whose client's is not. Where both are the same the client's own
/// is kept, unless something in it has to be different for this target.
pub(crate) async fn body(call: &Call<'_>, voice: &Arc<Voice>) -> Result<Written, Missed> {
    let own = voice.clone();
    let kept = self::own(call, voice).cloned();
    let length = usize::try_from(call.body_bytes).unwrap_or(usize::MAX);
    // What a client of another dialect asked for is known without loss.
    let translated = match call.asked.filter(|_| call.is_foreign()) {
        Some(asked) => {
            let (asked, counts) = (asked.clone(), call.endpoint == Endpoint::CountTokens);
            let work = move || {
                let write = if counts { write_count } else { write_request };
                let encoded = write(own.way, &asked.request, &own.target, &own.losses)?;
                let kept = kept.and_then(|kept| kept_request(own.way, &kept.body, &encoded, &own.target));
                Ok(match kept {
                    Some(body) => Written { encoded: Encoded { body, ..encoded }, is_kept: true },
                    None => Written { encoded, is_kept: false },
                })
            };
            call.worker.disk.translate(length, work).await
        }
        None => {
            let source = source(call).await?;
            let work = move || {
                let encoded = encode_request(own.way, &source, &own.target, &own.losses)?;
                Ok(Written { encoded, is_kept: false })
            };
            call.worker.disk.translate(length, work).await
        }
    };
    match translated {
        Some(Ok(written)) => Ok(written),
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

/// What the client sent, if this target speaks its dialect. The rest of an answer that broke off is asked for in OpenAI's.
pub(crate) fn own<'a>(call: &Call<'a>, voice: &Voice) -> Option<&'a Arc<Own>> {
    let is_same = |own: &&Arc<Own>| own.dialect == voice.way.dialect && own.dialect != Dialect::Responses;
    call.own.filter(|own| is_same(own) && call.resume.is_none())
}

/// Anthropic's API: the version and the betas that the client asked for, beside those that the provider is configured with.
/// What was written anew is of the version that the provider's headers name.
pub(crate) fn versions(own: &Own, is_kept: bool, betas: &[HeaderValue], headers: &mut HeaderMap) {
    if own.dialect != Dialect::Anthropic {
        return;
    }
    if is_kept {
        headers.insert(&names::ANTHROPIC_VERSION, HeaderValue::from_static(own.version.as_str()));
    }
    let configured = headers.get_all(&names::ANTHROPIC_BETA).iter().cloned();
    let mut all: Vec<u8> = Vec::new();
    for value in configured.chain(betas.iter().cloned()) {
        for beta in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if !beta.is_empty() && !all.split(|byte| *byte == b',').any(|known| known == beta) {
                all.extend_from_slice(if all.is_empty() { b"" } else { b"," });
                all.extend_from_slice(beta);
            }
        }
    }
    if let Ok(value) = HeaderValue::from_bytes(&all)
        && !all.is_empty()
    {
        headers.insert(&names::ANTHROPIC_BETA, value);
    }
}

impl Exchange {
    /// The client's own body is kept only if somebody can be sent it.
    pub(crate) fn keep_own(&mut self) {
        let targets = &self.route.targets;
        self.own = self
            .own
            .take()
            .filter(|own| targets.iter().any(|target| target.voice.way.dialect == own.dialect));
    }
}

/// A whole answer as its target wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Original(pub(crate) Bytes);
/// Tools with free text that the target was told of as functions.
#[derive(Debug, Clone)]
pub(crate) struct Customs(pub(crate) Box<CustomTools>);

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

    /// How and where a target is asked that is not asked in OpenAI Chat. `None` where the request passes as it is.
    pub(crate) fn native(&self, number: usize) -> Option<(&Arc<Voice>, &Native)> {
        let target = self.target(number);
        let chats = self.endpoint == Endpoint::ChatCompletions;
        let is_typed =
            chats && self.is_foreign() && self.asked.is_some_and(|asked| asked.dialect == Dialect::Responses);
        match target.typed.as_deref().filter(|_| is_typed) {
            Some(typed) => Some((&typed.voice, &typed.native)),
            // A target of OpenAI's family has its other endpoints in any case.
            None if !chats && target.voice.way.dialect == Dialect::Responses => None,
            None => target.native.as_ref().map(|native| (&target.voice, native)),
        }
    }

    /// Whether what the target answers has to be translated.
    pub(crate) fn is_foreign_at(&self, number: usize) -> bool {
        self.native(number).is_some() || self.target(number).aside(self.endpoint).is_some()
    }
}

impl Call<'_> {
    /// A client of another dialect has written the beginning of the answer itself.
    pub(crate) fn begins_answer(&self) -> bool {
        let last = self.asked.filter(|_| self.is_foreign()).and_then(|asked| asked.request.messages.last());
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
pub(crate) fn inbound(call: &Call<'_>, number: usize, customs: Option<Customs>) -> Option<Box<Inbound>> {
    let (voice, _) = call.native(number)?;
    let event_bytes_max = call.plan.limits.event_bytes_max;
    let dialect = voice.way.dialect;
    let inbound = Inbound::new(dialect, &voice.target.origin, shown(call, voice), event_bytes_max)
        .restoring(customs.map(|customs| customs.0));
    // Behind what another target has said already, the client's stream is ours.
    let is_first = call.early.and_then(Early::identity).is_none();
    Some(Box::new(match own(call, voice) {
        Some(_) if is_first => inbound.carrying(dialect, marked(call, voice)),
        _ => inbound,
    }))
}

/// The origin that opaque reasoning has to name, if the next request of the same conversation may go to another target
/// that speaks the dialect and would refuse it. Where there is none, not a byte has to change.
fn marked(call: &Call<'_>, voice: &Voice) -> Option<Origin> {
    let is_other =
        |other: &Voice| other.way.dialect == voice.way.dialect && other.target.origin != voice.target.origin;
    let fallback = call.route.model.fallback.as_ref();
    let switches = fallback.is_some_and(|other| other.model.is_some() || other.larger_model.is_some())
        || call.route.targets.iter().any(|target| is_other(&target.voice));
    switches.then(|| voice.target.origin.clone())
}

/// A whole answer in OpenAI's dialect, and as it came if that is the client's.
pub(crate) async fn answer(
    call: &Call<'_>,
    voice: &Arc<Voice>,
    customs: Option<Customs>,
    body: Bytes,
) -> Result<(Bytes, Option<Original>), Failure> {
    let (own, shown) = (voice.clone(), shown(call, voice));
    let (is_kept, origin) = (self::own(call, voice).is_some(), marked(call, voice));
    let endpoint = call.endpoint;
    let length = body.len();
    let work = move || {
        let customs = customs.as_ref().map(|customs| &*customs.0);
        let dialect = own.way.dialect;
        let answer = match endpoint {
            Endpoint::CountTokens => counted(dialect, &body)?,
            _ => restored_answer(dialect, &body, &own.target.origin, &shown, customs)?,
        };
        Ok((answer, is_kept.then(|| Original(kept_answer(dialect, &body, origin.as_ref())))))
    };
    let translated = call.worker.disk.translate(length, work).await;
    translated.unwrap_or_else(|| Err(unread()))
}

/// The translation of an answer came to nothing: no fault of the target's.
fn unread() -> Failure {
    let detail = "the answer could not be translated";
    Failure { side: Side::Gateway, ..Failure::endpoint(Stage::FirstToken, Cause::Internal, detail) }
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
