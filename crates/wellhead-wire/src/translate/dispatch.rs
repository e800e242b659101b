//! Which dialect is whose.

use super::{Frame, Heading, Manner, Way};
use crate::anthropic::Version;
use crate::chat::{
    Answer, BadBody, CustomTools, Dialect, Encoded, ErrorShown, Event, Losses, Origin, Request, Shown,
    Target, Unsupported,
};
use crate::openai::chat;
use crate::openai::responses::{self, Echo};
use crate::{anthropic, bedrock, cohere, gemini, ollama};
use bytes::Bytes;
use std::sync::Arc;
use wellhead_types::Failure;

/// Tools with free text become functions where the target has no others.
pub(super) fn encode_request(
    way: Way,
    request: &Request,
    target: &Target,
    losses: &Losses,
) -> Result<Encoded, Unsupported> {
    let knows_text = match way.dialect {
        Dialect::Responses => true,
        Dialect::Chat => !way.quirks.no_custom_tools,
        _ => false,
    };
    if knows_text || CustomTools::of(request).is_none() {
        return encode(way, request, target, losses);
    }
    let mut functions = request.clone();
    let customs = CustomTools::into_functions(&mut functions).map(Box::new);
    let encoded = encode(way, &functions, target, losses)?;
    Ok(Encoded { customs, ..encoded })
}

fn encode(
    Way { dialect, service, quirks }: Way,
    request: &Request,
    target: &Target,
    losses: &Losses,
) -> Result<Encoded, Unsupported> {
    match dialect {
        Dialect::Anthropic => anthropic::encode_request(request, target, losses, anthropic_options(target)),
        Dialect::Gemini => {
            let options = gemini::Options::of(service, &target.origin.model);
            gemini::encode_request(request, target, losses, options)
        }
        Dialect::Cohere => cohere::encode_request(request, target, losses),
        Dialect::Ollama => {
            let options = ollama::Options::of(&target.origin.model);
            ollama::encode_request(request, target, losses, &options)
        }
        Dialect::Bedrock => {
            let options = bedrock::Options::of(&target.origin.model);
            bedrock::encode_request(request, target, losses, options)
        }
        Dialect::Responses => responses::encode_request(request, target, losses),
        _ => chat::encode_request(request, target, losses, &quirks),
    }
}

/// What is written anew is of the older version: all targets take it.
pub(super) fn anthropic_options(target: &Target) -> anthropic::Options {
    anthropic::Options { version: Version::V2023, ..anthropic::Options::of(&target.origin.model) }
}

pub(super) fn decode_answer(dialect: Dialect, body: &[u8], origin: &Origin) -> Result<Answer, Failure> {
    match dialect {
        Dialect::Anthropic => anthropic::decode_answer(body, origin),
        Dialect::Gemini => gemini::decode_answer(body, origin),
        Dialect::Cohere => cohere::decode_answer(body, origin),
        Dialect::Ollama => ollama::decode_answer(body, origin),
        Dialect::Bedrock => bedrock::decode_answer(body, origin),
        Dialect::Responses => responses::decode_answer(body, origin),
        _ => chat::decode_answer(body, origin),
    }
}

/// The request, and what its answer has to repeat of it.
pub(super) fn decode_request(
    dialect: Dialect,
    body: &[u8],
    heading: Heading<'_>,
) -> Result<(Request, Arc<Echo>), BadBody> {
    let request = match dialect {
        Dialect::Anthropic => anthropic::decode_request(body, heading.version)?,
        Dialect::Gemini => gemini::decode_request(body, heading.model, heading.stream)?,
        Dialect::Cohere => cohere::decode_request(body)?,
        Dialect::Ollama => ollama::decode_request(body)?,
        Dialect::Bedrock => bedrock::decode_request(body, heading.model, heading.stream)?,
        Dialect::Responses => {
            let (request, echo) = responses::decode_request_and_echo(body)?;
            return Ok((request, Arc::new(echo)));
        }
        _ => chat::decode_request(body)?,
    };
    Ok((request, Arc::default()))
}

pub(super) fn encode_answer(manner: &Manner, answer: &Answer, shown: &Shown) -> Bytes {
    match manner.dialect {
        Dialect::Responses => responses::encode_answer_for(answer, shown, &manner.echo),
        Dialect::Anthropic => anthropic::encode_answer(answer, shown),
        Dialect::Gemini => gemini::encode_answer(answer, shown),
        Dialect::Cohere => cohere::encode_answer(answer, shown),
        Dialect::Ollama => ollama::encode_answer(answer, shown),
        Dialect::Bedrock => bedrock::encode_answer(answer, shown),
        _ => chat::encode_answer(answer, shown),
    }
}

pub(super) fn encode_error(dialect: Dialect, error: &ErrorShown<'_>) -> Bytes {
    match dialect {
        Dialect::Anthropic => anthropic::encode_error(error),
        Dialect::Gemini => gemini::encode_error(error),
        Dialect::Cohere => cohere::encode_error(error),
        Dialect::Ollama => ollama::encode_error(error),
        Dialect::Bedrock => bedrock::encode_error(error),
        Dialect::Responses => responses::encode_error(error),
        _ => chat::encode_error(error),
    }
}

/// Reads the events of one dialect.
#[derive(Debug)]
#[expect(missing_docs, reason = "dialects")]
pub enum Decoder {
    Anthropic(Box<anthropic::StreamDecoder>),
    Gemini(Box<gemini::StreamDecoder>),
    Cohere(Box<cohere::StreamDecoder>),
    Ollama(Box<ollama::StreamDecoder>),
    Bedrock(Box<bedrock::StreamDecoder>),
    Responses(Box<responses::StreamDecoder>),
    Chat(Box<chat::StreamDecoder>),
}

impl Decoder {
    /// For a stream of this dialect from there.
    pub fn new(dialect: Dialect, origin: &Origin) -> Self {
        match dialect {
            Dialect::Anthropic => Self::Anthropic(Box::new(anthropic::StreamDecoder::new(origin.clone()))),
            Dialect::Gemini => Self::Gemini(Box::new(gemini::StreamDecoder::new(origin.clone()))),
            Dialect::Cohere => Self::Cohere(Box::new(cohere::StreamDecoder::new(origin))),
            Dialect::Ollama => Self::Ollama(Box::new(ollama::StreamDecoder::new(origin))),
            Dialect::Bedrock => Self::Bedrock(Box::new(bedrock::StreamDecoder::new(origin.clone()))),
            Dialect::Responses => Self::Responses(Box::new(responses::StreamDecoder::new(origin.clone()))),
            _ => Self::Chat(Box::new(chat::StreamDecoder::new(origin.clone()))),
        }
    }

    /// Takes one piece. Those of another framing than the dialect's own say nothing to it.
    pub fn push(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        match (self, frame) {
            (Self::Anthropic(decoder), Frame::Event(event)) => decoder.push(event, out),
            (Self::Gemini(decoder), Frame::Event(event)) => decoder.push(event, out),
            (Self::Cohere(decoder), Frame::Event(event)) => decoder.push(event, out),
            (Self::Responses(decoder), Frame::Event(event)) => decoder.push(event, out),
            (Self::Chat(decoder), Frame::Event(event)) => decoder.push(event, out),
            (Self::Ollama(decoder), Frame::Line(line)) => decoder.push(line, out),
            (Self::Bedrock(decoder), Frame::Message(message)) => decoder.push(message, out),
            (_, Frame::Event(_) | Frame::Line(_) | Frame::Message(_)) => Ok(()),
        }
    }

    /// The bytes are over. Returns whether the stream ended as its dialect says.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> bool {
        match self {
            Self::Anthropic(decoder) => decoder.finish(out),
            Self::Gemini(decoder) => decoder.finish(out),
            Self::Cohere(decoder) => decoder.finish(out),
            Self::Ollama(decoder) => decoder.finish(out),
            Self::Bedrock(decoder) => decoder.finish(out),
            Self::Responses(decoder) => decoder.finish(out),
            Self::Chat(decoder) => decoder.finish(out),
        }
    }
}

/// Writes the events of one dialect.
#[derive(Debug)]
#[expect(missing_docs, reason = "dialects")]
pub enum Encoder {
    Anthropic(Box<anthropic::StreamEncoder>),
    Gemini(Box<gemini::StreamEncoder>),
    Cohere(Box<cohere::StreamEncoder>),
    Ollama(Box<ollama::StreamEncoder>),
    Bedrock(Box<bedrock::StreamEncoder>),
    Responses(Box<responses::StreamEncoder>),
    Chat(Box<chat::StreamEncoder>),
}

impl Encoder {
    /// For a client who wants it in this manner.
    pub fn new(manner: &Manner, shown: Shown) -> Self {
        match manner.dialect {
            Dialect::Anthropic => Self::Anthropic(Box::new(anthropic::StreamEncoder::new(shown))),
            Dialect::Gemini => Self::Gemini(Box::new(gemini::StreamEncoder::framed(shown, manner.framing))),
            Dialect::Cohere => Self::Cohere(Box::new(cohere::StreamEncoder::new(shown))),
            Dialect::Ollama => Self::Ollama(Box::new(ollama::StreamEncoder::new(shown))),
            Dialect::Bedrock => Self::Bedrock(Box::new(bedrock::StreamEncoder::new(&shown))),
            Dialect::Responses => {
                let echo = manner.echo.clone();
                Self::Responses(Box::new(responses::StreamEncoder::with_echo(shown, echo)))
            }
            _ => Self::Chat(Box::new(chat::StreamEncoder::new(shown))),
        }
    }

    /// Writes what an event is in the dialect; nothing, where it is nothing there yet.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Self::Anthropic(encoder) => encoder.push(event, out),
            Self::Gemini(encoder) => encoder.push(event, out),
            Self::Cohere(encoder) => encoder.push(event, out),
            Self::Ollama(encoder) => encoder.push(event, out),
            Self::Bedrock(encoder) => encoder.push(event, out),
            Self::Responses(encoder) => encoder.push(event, out),
            Self::Chat(encoder) => encoder.push(event, out),
        }
    }

    /// Passes on an event that the target wrote in the client's dialect itself.
    pub fn relay(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Anthropic(encoder) => encoder.relay(raw, out),
            Self::Gemini(encoder) => encoder.relay(raw, out),
            Self::Bedrock(_) | Self::Cohere(_) | Self::Ollama(_) | Self::Responses(_) | Self::Chat(_) => {}
        }
    }

    /// From here on the stream is written here, behind what was passed on.
    pub fn take_over(&mut self, out: &mut Vec<u8>) {
        if let Self::Anthropic(encoder) = self {
            encoder.take_over(out);
        }
    }

    /// Ends a stream that was passed on; `false` if more than its last event is missing.
    pub fn finish_relayed(&mut self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Anthropic(encoder) => encoder.finish_relayed(out),
            Self::Gemini(encoder) => {
                encoder.finish_relayed(out);
                true
            }
            Self::Bedrock(_) | Self::Cohere(_) | Self::Ollama(_) | Self::Responses(_) | Self::Chat(_) => {
                false
            }
        }
    }

    /// Ends the stream with an error, in a way that cannot be taken for its proper end.
    pub fn fail(&mut self, error: &ErrorShown<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Anthropic(_) => out.extend_from_slice(&anthropic::error_event(error)),
            Self::Gemini(encoder) => encoder.fail(error, out),
            Self::Cohere(_) => out.extend_from_slice(&cohere::error_event(error)),
            Self::Ollama(_) => out.extend_from_slice(&ollama::error_line(error)),
            Self::Bedrock(_) => out.extend_from_slice(&bedrock::error_event(error)),
            Self::Responses(encoder) => encoder.fail(error, out),
            Self::Chat(_) => out.extend_from_slice(&chat::error_event(error)),
        }
    }
}
