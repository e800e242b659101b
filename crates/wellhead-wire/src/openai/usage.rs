//! Usage, as the vendors of the OpenAI family write it, in one shape.

use crate::json::{self, Cursor, ScanError};
use wellhead_types::Usage;

/// The raw counts, before they are made consistent.
#[derive(Debug, Default)]
struct Counts {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
    written: Option<u64>,
    audio_input: u64,
    audio_output: u64,
    audio_cached: u64,
    image_input: u64,
    image_output: u64,
    audio_ms: u64,
    searches: u64,
}

/// Reads a `usage` object. `None` if it is `null`, not an object, not JSON, or counts nothing.
pub fn read_usage(usage: &[u8]) -> Option<Usage> {
    let mut cursor = Cursor::new(usage).ok()?;
    let usage = usage_at(&mut cursor).ok()?;
    cursor.end().ok()?;
    usage
}

/// Reads the value at the cursor as usage.
pub(super) fn usage_at(cursor: &mut Cursor<'_>) -> Result<Option<Usage>, ScanError> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(|_| None);
    }
    let mut counts = Counts::default();
    cursor.object(|cursor, name| {
        let set =
            |slot: &mut Option<u64>, cursor: &mut Cursor<'_>| number(cursor).map(|n| *slot = n.or(*slot));
        match &*name.decode() {
            "prompt_tokens" | "input_tokens" => set(&mut counts.input, cursor),
            "completion_tokens" | "output_tokens" => set(&mut counts.output, cursor),
            "total_tokens" => set(&mut counts.total, cursor),
            // DeepSeek, Together, Mistral: beside the details that OpenAI has.
            "prompt_cache_hit_tokens" | "cached_tokens" | "num_cached_tokens" => {
                set(&mut counts.cached, cursor)
            }
            "reasoning_tokens" => set(&mut counts.reasoning, cursor),
            "prompt_tokens_details" | "input_tokens_details" | "input_token_details" => {
                details(cursor, &mut counts, |counts| (&mut counts.audio_input, &mut counts.image_input))
            }
            "completion_tokens_details" | "output_tokens_details" | "output_token_details" => {
                details(cursor, &mut counts, |counts| (&mut counts.audio_output, &mut counts.image_output))
            }
            // Transcripts by time (OpenAI), and time beside tokens (Mistral).
            "seconds" | "prompt_audio_seconds" => {
                millis(cursor).map(|ms| counts.audio_ms = ms.unwrap_or(counts.audio_ms))
            }
            // Cohere's rerank.
            "search_units" => number(cursor).map(|n| counts.searches = n.unwrap_or(0)),
            _ => cursor.skip().map(drop),
        }
    })?;
    Ok(counts.settle())
}

fn details(
    cursor: &mut Cursor<'_>,
    counts: &mut Counts,
    kinds: fn(&mut Counts) -> (&mut u64, &mut u64),
) -> Result<(), ScanError> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(drop);
    }
    let read = cursor.object(|cursor, name| {
        if name.is("cached_tokens") {
            counts.cached = number(cursor)?.or(counts.cached);
        } else if name.is("reasoning_tokens") {
            counts.reasoning = number(cursor)?.or(counts.reasoning);
        } else if name.is("audio_tokens") {
            *kinds(counts).0 = number(cursor)?.unwrap_or(0);
        } else if name.is("image_tokens") {
            *kinds(counts).1 = number(cursor)?.unwrap_or(0);
        } else if name.is("cached_tokens_details") {
            let span = cursor.skip()?;
            let audio = json::find(cursor.slice(span), &["audio_tokens"]);
            counts.audio_cached = audio.and_then(plain).unwrap_or(0);
        } else if name.is("cache_write_tokens") {
            counts.written = number(cursor)?.or(counts.written);
        } else {
            cursor.skip()?;
        }
        Ok(())
    });
    read.map(drop)
}

fn plain(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Seconds, with a fraction or without, as milliseconds.
pub(super) fn millis(cursor: &mut Cursor<'_>) -> Result<Option<u64>, ScanError> {
    let span = cursor.skip()?;
    // What is no number has no value.
    let seconds =
        cursor.text(span).parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked; `as` saturates"
    )]
    let millis = seconds.map(|seconds| (seconds * 1000.0).round() as u64);
    Ok(millis)
}

/// A count; `None` for `null`, negative numbers and everything that is no number. Fractions are cut off.
fn number(cursor: &mut Cursor<'_>) -> Result<Option<u64>, ScanError> {
    let is_number = matches!(cursor.peek(), Some(b'-' | b'0'..=b'9'));
    let span = cursor.skip()?;
    if !is_number {
        return Ok(None);
    }
    let text = cursor.text(span);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked; `as` saturates"
    )]
    let from_float = || text.parse::<f64>().ok().filter(|f| *f >= 0.0).map(|f| f as u64);
    Ok(text.parse().ok().or_else(from_float))
}

impl Counts {
    fn settle(self) -> Option<Usage> {
        let tokens = self.input.is_some() || self.output.is_some() || self.total.is_some();
        if !tokens && self.audio_ms == 0 && self.searches == 0 {
            return None;
        }
        let total = self.total.unwrap_or(0);
        let reasoning = self.reasoning.unwrap_or(0);
        // Embedding vendors give only the total.
        let input = self.input.unwrap_or_else(|| total.saturating_sub(self.output.unwrap_or(0)));
        let mut output = self.output.unwrap_or_else(|| total.saturating_sub(input));
        // Some count reasoning beside the completion; the total tells.
        if reasoning > 0
            && input.checked_add(output).and_then(|sum| sum.checked_add(reasoning)) == Some(total)
        {
            output += reasoning;
        }
        let cached = self.cached.unwrap_or(0).min(input);
        let audio_output = self.audio_output.min(output);
        Some(Usage {
            input_tokens: input,
            output_tokens: output,
            cached_input_tokens: cached,
            reasoning_tokens: reasoning.min(output),
            audio_tokens: self.audio_input.min(input).saturating_add(audio_output),
            cache_write_tokens: self.written.unwrap_or(0).min(input - cached),
            cache_write_1h_tokens: 0,
            audio_output_tokens: audio_output,
            cached_audio_tokens: self.audio_cached.min(cached),
            image_input_tokens: self.image_input.min(input),
            image_output_tokens: self.image_output.min(output),
            audio_ms: self.audio_ms,
            images: 0,
            searches: self.searches,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::read_usage;
    use wellhead_types::Usage;

    fn usage(input: u64, output: u64, cached: u64, reasoning: u64, audio: u64) -> Usage {
        Usage {
            input_tokens: input,
            output_tokens: output,
            cached_input_tokens: cached,
            reasoning_tokens: reasoning,
            audio_tokens: audio,
            ..Usage::default()
        }
    }

    #[test]
    fn every_vendors_counts_come_out_in_the_openai_convention() {
        for (text, expected) in [
            (
                r#"{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},
                   "completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":2,"accepted_prediction_tokens":0}}"#,
                Usage { audio_output_tokens: 2, ..usage(19, 10, 4, 3, 3) },
            ),
            // What was written to the cache and what was read from it are both part of the input.
            (
                r#"{"input_tokens":90,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":30},"output_tokens":8}"#,
                Usage { cache_write_tokens: 30, ..usage(90, 8, 40, 0, 0) },
            ),
            (
                r#"{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":50}}"#,
                Usage { cache_write_tokens: 4, ..usage(9, 2, 5, 0, 0) },
            ),
            (
                r#"{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":7},"total_tokens":123}"#,
                usage(36, 87, 6, 7, 0),
            ),
            // DeepSeek
            (
                r#"{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":5,"prompt_cache_miss_tokens":4}"#,
                usage(9, 2, 5, 0, 0),
            ),
            // Together, Mistral
            (r#"{"prompt_tokens":9,"completion_tokens":2,"cached_tokens":3}"#, usage(9, 2, 3, 0, 0)),
            (
                r#"{"prompt_tokens":9,"completion_tokens":2,"num_cached_tokens":3,"prompt_audio_seconds":null}"#,
                usage(9, 2, 3, 0, 0),
            ),
            // Groq's seconds, OpenRouter's cost: not tokens.
            (
                r#"{"queue_time":0.1,"prompt_tokens":5,"prompt_time":0.2,"completion_tokens":6,"cost":0.01,"is_byok":false}"#,
                usage(5, 6, 0, 0, 0),
            ),
            // Voyage, Jina
            (r#"{"total_tokens":12}"#, usage(12, 0, 0, 0, 0)),
            // xAI: reasoning beside the completion
            (
                r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,"completion_tokens_details":{"reasoning_tokens":100}}"#,
                usage(10, 105, 0, 100, 0),
            ),
            // Transcripts by time, and by both
            (r#"{"type":"duration","seconds":3}"#, Usage { audio_ms: 3_000, ..Usage::default() }),
            (
                r#"{"prompt_audio_seconds":203.25,"prompt_tokens":4,"total_tokens":639,"completion_tokens":635}"#,
                Usage { audio_ms: 203_250, ..usage(4, 635, 0, 0, 0) },
            ),
            // Cohere's rerank
            (r#"{"search_units":2}"#, Usage { searches: 2, ..Usage::default() }),
            // Pictures in tokens
            (
                r#"{"total_tokens":100,"input_tokens":50,"output_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},
                   "output_tokens_details":{"image_tokens":50}}"#,
                Usage { image_input_tokens: 40, image_output_tokens: 50, ..usage(50, 50, 0, 0, 0) },
            ),
            // Audio in the cache (realtime)
            (
                r#"{"total_tokens":30,"input_tokens":20,"output_tokens":10,"input_token_details":{"text_tokens":8,"audio_tokens":12,"cached_tokens":6,
                   "cached_tokens_details":{"text_tokens":1,"audio_tokens":5}}}"#,
                Usage { cached_audio_tokens: 5, ..usage(20, 10, 6, 0, 12) },
            ),
            // more reasoning or cache than there can be
            (
                r#"{"prompt_tokens":10,"completion_tokens":5,"cached_tokens":50,"reasoning_tokens":9}"#,
                usage(10, 5, 10, 5, 0),
            ),
            (
                r#"{"prompt_tokens":3.0,"completion_tokens":-1,"prompt_tokens_details":null}"#,
                usage(3, 0, 0, 0, 0),
            ),
        ] {
            assert_eq!(read_usage(text.as_bytes()), Some(expected), "{text}");
        }
        for text in [
            "null",
            "{}",
            "[]",
            "7",
            "",
            r#"{"type":"duration","seconds":-3}"#,
            r#"{"seconds":"3"}"#,
            r#"{"prompt_tokens":1"#,
        ] {
            assert_eq!(read_usage(text.as_bytes()), None, "{text}");
        }
    }
}
