//! Canonical to bytes and back, for random conversations.

use super::super::{StreamEncoder, decode_answer, decode_request, encode_answer, encode_request};
use super::{origin, read, shown, target};
use crate::chat::{Answer, Dialect, Format, Losses, ReasoningMode, Request, StopKind};
use crate::checks::chat::{Can, answer, events, folded, request, without_words};

const SEEDS: u64 = 3000;

/// What Cohere can express.
const CAN: Can = Can {
    dialect: Dialect::Cohere,
    stops: &[StopKind::End, StopKind::Length, StopKind::Sequence, StopKind::ToolCalls],
    reasoning_modes: &[ReasoningMode::Enabled, ReasoningMode::Disabled],
    stream_usage_always: true,
    system: true,
    system_anywhere: true,
    user_after_results: true,
    prefill: true,
    text_parts: true,
    media_anywhere: true,
    image_base64: true,
    image_url: true,
    image_detail: true,
    reasoning: true,
    reasonings: true,
    reasoning_unsigned: true,
    tools: true,
    parallel_calls: true,
    any_schema: true,
    result_parts: true,
    choice_none: true,
    choice_required: true,
    max_tokens: true,
    temperature: true,
    top_p: true,
    top_k: true,
    penalties: true,
    seed: true,
    stop_texts: true,
    format_text: true,
    json_object: true,
    json_schema: true,
    budget: true,
    stream: true,
    citations: true,
    adjacent: true,
    usage_cached: true,
    interleaves: true,
    alternates: false,
    ..Can::NONE
};

/// Moved to where the dialect's bounds are.
fn within_bounds(mut asked: Request) -> Request {
    let sampling = &mut asked.sampling;
    sampling.top_p = sampling.top_p.map(|p| p.min(0.99));
    sampling.frequency_penalty = sampling.frequency_penalty.map(f64::abs);
    sampling.presence_penalty = sampling.presence_penalty.map(f64::abs);
    if !asked.tools.is_empty() {
        asked.output.format = asked.output.format.filter(|format| *format == Format::Text);
    }
    if let Some(ask) = &mut asked.reasoning
        && ask.mode == ReasoningMode::Default
    {
        ask.mode = ReasoningMode::Enabled;
    }
    asked
}

#[test]
fn requests_come_back_as_they_were() {
    for seed in 0..SEEDS {
        let asked = within_bounds(request(seed, &CAN));
        let encoded = encode_request(&asked, &target(), &Losses::NONE).unwrap();
        let expected = Request { model: target().origin.model, ..asked };
        assert_eq!(decode_request(&encoded.body).unwrap(), expected, "seed {seed}: {:?}", encoded.body);
        assert_eq!(encoded.dropped, [], "seed {seed}");
    }
}

/// Answers do not say their model.
fn nameless(seed: u64) -> Answer {
    Answer { model: None, ..answer(seed, &CAN) }
}

#[test]
fn answers_come_back_as_they_were() {
    for seed in 0..SEEDS {
        let said = nameless(seed);
        let body = encode_answer(&said, &shown());
        let read = without_words(decode_answer(&body, &origin()).unwrap());
        assert_eq!(read, said, "seed {seed}: {body:?}");
    }
}

#[test]
fn streams_come_back_as_they_were() {
    for seed in 0..SEEDS {
        let said = nameless(seed);
        let mut encoder = StreamEncoder::new(shown());
        let mut bytes = Vec::new();
        for event in events(seed, &CAN) {
            encoder.push(&event, &mut bytes);
        }
        let (read, whole) = read(bytes.chunks(1 + usize::try_from(seed % 97).unwrap())).unwrap();
        assert!(whole, "seed {seed}");
        assert_eq!(without_words(folded(read)), said, "seed {seed}: {}", String::from_utf8_lossy(&bytes));
    }
}
