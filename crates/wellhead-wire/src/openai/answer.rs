//! Looking at an unstreamed answer before it is believed: a 200 may hold an error, a page, or nothing.

use super::Endpoint;
use super::usage::{millis, read_usage, usage_at};
use crate::failure::{classify_in_success, has_failed, protocol_failure, success_failure, upstream_message};
use crate::json::{self, Cursor, ScanError};
use wellhead_types::{Failure, Stage, Usage};

#[cfg(test)]
mod tests;

const STATUS: u16 = 200;
const KEYS: [&str; 8] = ["usage", "error", "choices", "base_resp", "meta", "object", "data", "duration"];
const USAGE: usize = 0;

/// What an answer said besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inspected {
    /// What it used, if it says so.
    pub usage: Option<Usage>,
}

/// Checks the body of a 2xx answer. `Err` if it is no answer: empty, an HTML page, an error under a success, a chat
/// without choices, or not JSON where JSON was promised. Speech is bytes and transcripts may be text; they are only
/// checked for the first three.
pub fn inspect(endpoint: Endpoint, body: &[u8]) -> Result<Inspected, Failure> {
    let text = body.trim_ascii_start();
    let failed = |detail| Err(success_failure(STATUS, Stage::FirstToken, detail));
    if body.is_empty() || (text.is_empty() && !may_be_plain(endpoint)) {
        return failed("the body is empty");
    }
    if is_html(text) {
        return failed("the body is an HTML page");
    }
    if may_be_plain(endpoint) && text.first() != Some(&b'{') {
        return Ok(Inspected::default());
    }
    let mut usage = None;
    let spans = json::scan_with(body, &KEYS, |cursor, index| {
        if index == USAGE {
            usage = usage_at(cursor)?;
            return Ok(());
        }
        cursor.skip().map(drop)
    });
    let spans = match spans {
        Ok(spans) => spans,
        // Bytes of a sound, or a transcript, may begin like JSON.
        Err(_) if may_be_plain(endpoint) => return Ok(Inspected::default()),
        Err(error @ ScanError::Syntax { .. }) => {
            return Err(protocol_failure(STATUS, Stage::FirstToken, error.to_string()));
        }
        Err(error) => return failed(&error.to_string()),
    };
    let [_, error, choices, base_resp, meta, object, data, duration] =
        spans.members.map(|member| member.and_then(|m| body.get(m.value)));
    let is_error = error.is_some_and(|value| !matches!(value, b"null" | b"false" | b"\"\"" | b"{}"))
        || object == Some(b"\"error\"")
        || base_resp.is_some_and(has_failed);
    if is_error {
        return Err(classify_in_success(body, Stage::FirstToken));
    }
    if endpoint.streams_chunks() && !choices.is_some_and(has_elements) {
        // Without an answer, a message is what went wrong, in whatever shape.
        return match upstream_message(body) {
            Some(_) => Err(classify_in_success(body, Stage::FirstToken)),
            None => failed("the answer has no choices"),
        };
    }
    let usage = usage.or_else(|| meta.and_then(meta_usage));
    let usage = if endpoint.makes_images() {
        pictures(usage, data)
    } else {
        usage.or_else(|| duration.filter(|_| may_be_plain(endpoint)).and_then(heard))
    };
    Ok(Inspected { usage })
}

/// Pictures are counted in tokens, all of which are pictures if nothing else is said, or one by one.
fn pictures(usage: Option<Usage>, data: Option<&[u8]>) -> Option<Usage> {
    if let Some(usage) = usage.filter(|usage| usage.total() > 0) {
        let all = if usage.image_output_tokens > 0 { usage.image_output_tokens } else { usage.output_tokens };
        return Some(Usage { image_output_tokens: all, ..usage });
    }
    let mut cursor = Cursor::new(data?).ok()?;
    let images = if cursor.peek() == Some(b'[') {
        cursor.array(|cursor| cursor.skip().map(drop)).ok()? as u64
    } else {
        0
    };
    (images > 0).then(|| Usage { images, ..Usage::default() })
}

/// How long a verbose transcript says that its audio is, where it has no usage.
fn heard(duration: &[u8]) -> Option<Usage> {
    let audio_ms = millis(&mut Cursor::new(duration).ok()?).ok()??;
    (audio_ms > 0).then(|| Usage { audio_ms, ..Usage::default() })
}

const fn may_be_plain(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::AudioSpeech | Endpoint::AudioTranscriptions | Endpoint::AudioTranslations)
}

fn is_html(text: &[u8]) -> bool {
    let starts = |tag: &[u8]| text.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    starts(b"<!doctype html") || starts(b"<html")
}

fn has_elements(array: &[u8]) -> bool {
    array.strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii_start().first() != Some(&b']'))
}

/// Cohere's rerank counts in `meta`: tokens where there are any, otherwise what is billed; searches beside them.
fn meta_usage(meta: &[u8]) -> Option<Usage> {
    let tokens = json::find(meta, &["tokens"]).and_then(read_usage);
    let billed = json::find(meta, &["billed_units"]).and_then(read_usage);
    let searches = billed.map_or(0, |billed| billed.searches);
    tokens.map(|tokens| Usage { searches, ..tokens }).or(billed)
}
