//! One request as one line. The names of the JSON members are a promise: they are added to, never changed.
//!
//! | Member | Meaning |
//! | --- | --- |
//! | `time` | start, RFC 3339 in UTC |
//! | `request_id`, `trace_id`, `span_id` | ids; the span is the gateway's |
//! | `app`, `key_id` | who asked; null if not identified |
//! | `route` | model name that was asked for; null if unknown |
//! | `endpoint`, `method`, `operation` | what was asked |
//! | `status` | what the client saw; 0 if it left before |
//! | `outcome`, `rung` | how it ended, how far it fell |
//! | `priority` | `critical`, `default`, `best-effort` or `bulk` |
//! | `code` | error code or null |
//! | `streamed` | whether a stream was asked for |
//! | `duration_ms`, `first_byte_ms`, `overhead_ms` | milliseconds with three decimals |
//! | `request_bytes`, `response_bytes` | body sizes |
//! | `usage` | null, or `input_tokens`, `output_tokens`, `cached_input_tokens`, `reasoning_tokens`, `audio_tokens`, |
//! | | `cache_write_tokens`, `cache_write_1h_tokens`, `audio_output_tokens`, `cached_audio_tokens`, `image_input_tokens`, |
//! | | `image_output_tokens`, `audio_ms` (audio read), `images` (made), `searches` |
//! | `usage_estimated` | whether `usage` was estimated here |
//! | `cost_nanos` | what all attempts cost together, in nano-dollars (10⁻⁹ US dollars); null if nothing was used or a price is unknown |
//! | `price_unknown` | whether something was used whose price or amount is unknown |
//! | `replay` | whether the body was kept for further attempts; false if the memory for that was used up |
//! | `target` | who was asked last; null if nobody |
//! | `attempts` | `target`, `key_id`, `span_id`, `status`, `result`, `offset_ms`, `duration_ms`, `first_byte_ms`, `cost_nanos`, |
//! | | `price_unknown` each |
//!
//! Every member is always there. There are no prompts, answers or keys in it.

use std::io::{self, Write};

use wellhead_catalog::Cost;
use wellhead_types::Usage;

use super::json::Json;
use crate::record::{AttemptRecord, RequestRecord};
use crate::time::{Rfc3339, clock};

/// Makes JSON lines; one for many, because neighbours share their second.
pub(super) struct JsonLines {
    time: Rfc3339,
}

impl JsonLines {
    pub(super) const fn new() -> Self {
        Self { time: Rfc3339::new() }
    }

    /// Appends the record's line with its line feed.
    pub(super) fn add(&mut self, to: &mut Vec<u8>, record: &RequestRecord) {
        let mut json = Json(to);
        json.raw("{\"time\":\"").raw(self.time.text(record.started_unix_ns));
        identity(&mut json, record);
        result(&mut json, record);
        usage(&mut json, record.usage);
        json.raw(",\"usage_estimated\":").boolean(record.usage_estimated);
        cost(&mut json, record.cost);
        json.raw(",\"replay\":").boolean(record.replay);
        json.raw(",\"target\":").text_or_null(record.attempts.last().map(|attempt| &*attempt.target));
        json.raw(",\"attempts\":[");
        for (index, record) in record.attempts.iter().enumerate() {
            attempt(json.raw(if index == 0 { "{" } else { ",{" }), record);
        }
        json.raw("]}\n");
    }
}

/// Goes on after the value of `time`, whose quote is still open: who asked for what.
fn identity(json: &mut Json<'_>, record: &RequestRecord) {
    // Neither form of a request id has anything to escape: hexadecimal digits, or the few characters taken over.
    json.raw("\",\"request_id\":\"").raw(record.request_id.encode(&mut [0; 36]));
    json.raw("\",\"trace_id\":\"").hex(&record.trace.trace_id);
    json.raw("\",\"span_id\":\"").hex(&record.trace.span_id);
    json.raw("\",\"app\":").text_or_null(record.app.as_deref());
    json.raw(",\"key_id\":").text_or_null(record.key_id.as_deref());
    json.raw(",\"route\":").text_or_null(record.route.as_deref());
    json.raw(",\"endpoint\":\"").escaped(record.endpoint);
    json.raw("\",\"method\":\"").escaped(record.method);
    json.raw("\",\"operation\":\"").escaped(record.operation);
    json.raw("\"");
}

/// What came of it, how long it took, how much it was.
fn result(json: &mut Json<'_>, record: &RequestRecord) {
    json.raw(",\"status\":").integer(record.status);
    json.raw(",\"outcome\":\"").raw(record.outcome.as_str());
    json.raw("\",\"rung\":\"").raw(record.rung.as_str());
    json.raw("\",\"priority\":\"").raw(record.priority.as_str());
    json.raw("\",\"code\":").text_or_null(record.code);
    json.raw(",\"streamed\":").boolean(record.streamed);
    json.raw(",\"duration_ms\":").millis(record.duration);
    json.raw(",\"first_byte_ms\":").millis_or_null(record.first_byte);
    json.raw(",\"overhead_ms\":").millis(record.overhead);
    json.raw(",\"request_bytes\":").integer(record.request_bytes);
    json.raw(",\"response_bytes\":").integer(record.response_bytes);
}

fn usage(json: &mut Json<'_>, usage: Option<Usage>) {
    let Some(usage) = usage else {
        json.raw(",\"usage\":null");
        return;
    };
    // Every count by name: one that is added to `Usage` must be decided on here.
    let Usage {
        input_tokens,
        output_tokens,
        cached_input_tokens,
        reasoning_tokens,
        audio_tokens,
        cache_write_tokens,
        cache_write_1h_tokens,
        audio_output_tokens,
        cached_audio_tokens,
        image_input_tokens,
        image_output_tokens,
        audio_ms,
        images,
        searches,
    } = usage;
    json.raw(",\"usage\":{\"input_tokens\":").integer(input_tokens);
    json.raw(",\"output_tokens\":").integer(output_tokens);
    json.raw(",\"cached_input_tokens\":").integer(cached_input_tokens);
    json.raw(",\"reasoning_tokens\":").integer(reasoning_tokens);
    json.raw(",\"audio_tokens\":").integer(audio_tokens);
    json.raw(",\"cache_write_tokens\":").integer(cache_write_tokens);
    json.raw(",\"cache_write_1h_tokens\":").integer(cache_write_1h_tokens);
    json.raw(",\"audio_output_tokens\":").integer(audio_output_tokens);
    json.raw(",\"cached_audio_tokens\":").integer(cached_audio_tokens);
    json.raw(",\"image_input_tokens\":").integer(image_input_tokens);
    json.raw(",\"image_output_tokens\":").integer(image_output_tokens);
    json.raw(",\"audio_ms\":").integer(audio_ms);
    json.raw(",\"images\":").integer(images);
    json.raw(",\"searches\":").integer(searches);
    json.raw("}");
}

/// One of `attempts`, without its opening brace.
fn attempt(json: &mut Json<'_>, record: &AttemptRecord) {
    json.raw("\"target\":\"").escaped(&record.target);
    json.raw("\",\"key_id\":").text_or_null(record.key_id.as_deref());
    json.raw(",\"span_id\":\"").hex(&record.span_id);
    json.raw("\",\"status\":");
    match record.status {
        Some(status) => json.integer(status),
        None => json.raw("null"),
    };
    json.raw(",\"result\":\"").escaped(record.result);
    json.raw("\",\"offset_ms\":").millis(record.offset);
    json.raw(",\"duration_ms\":").millis(record.duration);
    json.raw(",\"first_byte_ms\":").millis_or_null(record.first_byte);
    cost(json, record.cost);
    json.raw("}");
}

fn cost(json: &mut Json<'_>, cost: Cost) {
    json.raw(",\"cost_nanos\":");
    match cost.nanos() {
        Some(nanos) => json.integer(nanos),
        None => json.raw("null"),
    };
    json.raw(",\"price_unknown\":").boolean(cost == Cost::Unknown);
}

/// Appends a short line for a person at a terminal:
/// `12:03:04.125 200 ok/direct chat gpt-4o -> openai/gpt-4o 812 ms, first 211 ms, 120+340 tokens, $0.003700000, app web`.
///
/// # Errors
///
/// None for a `Vec`; otherwise what `to` says.
pub(super) fn human(mut to: impl Write, record: &RequestRecord) -> io::Result<()> {
    write!(to, "{} ", clock(record.started_unix_ns))?;
    match record.status {
        0 => write!(to, "---")?,
        status => write!(to, "{status}")?,
    }
    let route = record.route.as_deref().unwrap_or(record.endpoint).escape_debug();
    write!(to, " {}/{} {} {route}", record.outcome.as_str(), record.rung.as_str(), record.operation)?;
    for attempt in &record.attempts {
        write!(to, " -> {}", attempt.target.escape_debug())?;
        if attempt.result != "ok" {
            write!(to, " ({})", attempt.result)?;
        }
    }
    write!(to, " {} ms", record.duration.as_millis())?;
    if let Some(first) = record.first_byte.filter(|_| record.streamed) {
        write!(to, ", first {} ms", first.as_millis())?;
    }
    if let Some(usage) = record.usage {
        let about = if record.usage_estimated { "~" } else { "" };
        write!(to, ", {about}{}+{} tokens", usage.input_tokens, usage.output_tokens)?;
    }
    match record.cost {
        Cost::Nothing => (),
        Cost::Unknown => write!(to, ", price unknown")?,
        Cost::Known(cost) => write!(to, ", ${cost}")?,
    }
    if !record.replay {
        write!(to, ", without replay")?;
    }
    if let Some(app) = &record.app {
        write!(to, ", app {}", app.escape_debug())?;
    }
    if let Some(code) = record.code {
        write!(to, ", {code}")?;
    }
    writeln!(to)
}

#[cfg(test)]
mod tests;
