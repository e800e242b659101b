//! Random conversations, answers and streams: from the model to the wire and back nothing changes that this dialect can
//! express.

use super::{origin, shown, target};
use crate::anthropic::{
    Options, StreamDecoder, StreamEncoder, Version, decode_answer, decode_request, encode_answer,
    encode_request,
};
use crate::chat::{
    Answer, Dialect, Effort, Losses, Part, ReasoningAsk, ReasoningMode, Request, Shown, StopKind, Target,
    ToolChoice,
};
use crate::checks::chat::{Can, answer, claimed, events, folded, request, seeds, without_words};
use crate::sse::{Framer, Verdict};
use serde_json::{Value, json};

/// What a request can say. Ids of files, budgets and the like depend on each other; the other tests have them.
const ASKED: Can = Can {
    dialect: Dialect::Anthropic,
    stops: &[StopKind::End],
    reasoning_modes: &[ReasoningMode::Adaptive, ReasoningMode::BetweenTools, ReasoningMode::Disabled],
    alternates: true,
    always_limited: true,
    stream_usage_always: true,
    system: true,
    prefill: true,
    user_after_results: true,
    text_parts: true,
    free_order: true,
    media_anywhere: true,
    image_base64: true,
    image_url: true,
    document_base64: true,
    document_url: true,
    document_text: true,
    document_title: true,
    document_notes: true,
    reasoning: true,
    reasonings: true,
    reasoning_opaque: true,
    reasoning_hidden: true,
    redacted: true,
    tools: true,
    parallel_calls: true,
    strict_tools: true,
    any_schema: true,
    result_parts: true,
    result_images: true,
    result_errors: true,
    choice_auto: true,
    choice_none: true,
    choice_required: true,
    choice_tool: true,
    parallel_flag: true,
    cache_parts: true,
    cache_results: true,
    cache_tools: true,
    cache_ttl: true,
    cache_all: true,
    max_tokens: true,
    temperature: true,
    top_p: true,
    top_k: true,
    stop_texts: true,
    json_schema: true,
    effort: true,
    show_reasoning: true,
    stream: true,
    user: true,
    service_tier: true,
    ..Can::NONE
};

/// What an answer can say.
const SAID: Can = Can {
    stops: &[
        StopKind::End,
        StopKind::Length,
        StopKind::Sequence,
        StopKind::ToolCalls,
        StopKind::Refusal,
        StopKind::Pause,
        StopKind::ContextWindow,
    ],
    stop_sequence: true,
    citations: true,
    answer_texts: true,
    adjacent: true,
    usage_cached: true,
    usage_reasoning: true,
    interleaves: true,
    pings: true,
    service_tier: false,
    ..ASKED
};

/// The client knows the model by the name that the answer has.
fn named(said: &Answer) -> Shown {
    Shown { model: said.model.clone().unwrap_or_default(), ..shown() }
}

/// What two ways of saying the same become, and words that this dialect has fewer of.
fn normal(mut request: Request) -> Request {
    match (&request.tool_choice, request.parallel_tool_calls) {
        (None, Some(false)) => request.tool_choice = Some(ToolChoice::Auto),
        (None | Some(ToolChoice::None), _) => request.parallel_tool_calls = None,
        _ => {}
    }
    if let Some(ask) = &mut request.reasoning {
        ask.effort = ask.effort.map(|effort| effort.max(Effort::Low));
        let shows = ask.mode == ReasoningMode::Adaptive;
        ask.show = ask.show.take().filter(|_| shows).map(|_| "auto".into());
    }
    request.reasoning = request.reasoning.filter(|ask| *ask != ReasoningAsk::default());
    request
}

#[test]
fn what_is_asked_comes_back() {
    for seed in 0..seeds() {
        let asked = normal(request(seed, &ASKED));
        let mut origin = origin();
        origin.model = asked.model.clone();
        let target = Target { origin, ..target() };
        let encoded = encode_request(&asked, &target, &Losses::NONE, Options::default())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(encoded.dropped, [], "seed {seed}");
        let read = decode_request(&encoded.body, Version::V2023).unwrap_or_else(|error| {
            panic!("seed {seed}: {error}\n{}", String::from_utf8_lossy(&encoded.body))
        });
        assert_eq!(read, asked, "seed {seed}");
    }
}

#[test]
fn what_is_said_comes_back() {
    for seed in 0..seeds() {
        let mut said = answer(seed, &SAID);
        if let Some(usage) = &mut said.usage {
            usage.cache_write_tokens = (usage.input_tokens - usage.cached_input_tokens) / 2;
            usage.cache_write_1h_tokens = usage.cache_write_tokens / 3;
        }
        let body = encode_answer(&said, &named(&said));
        let read =
            decode_answer(&body, &origin()).unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        assert_eq!(without_words(read), claimed(without_words(said), &origin()), "seed {seed}");
    }
}

#[test]
fn what_is_streamed_comes_back_whatever_the_cuts() {
    for seed in 0..seeds() {
        let said = folded(events(seed, &SAID));
        let mut encoder = StreamEncoder::new(named(&said));
        let mut bytes = Vec::new();
        for event in events(seed, &SAID) {
            encoder.push(&event, &mut bytes);
        }
        let mut framer = Framer::new(1 << 20);
        let mut decoder = StreamDecoder::new(origin());
        let mut read = Vec::new();
        for chunk in crate::checks::cut(seed, &bytes) {
            let mut on_event = |event: crate::sse::Event<'_>| {
                decoder.push(&event, &mut read).unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
                Verdict::Drop
            };
            framer.push(chunk, &mut on_event, &mut Vec::new()).unwrap();
        }
        assert!(decoder.finish(&mut read), "seed {seed}");
        assert_eq!(without_words(folded(read)), claimed(without_words(said), &origin()), "seed {seed}");
    }
}

#[test]
fn proofs_of_every_vendor_pass_through_a_client() {
    let can = Can { origins: true, text_opaque: true, call_opaque: true, citations: false, ..SAID };
    for seed in 0..seeds() {
        let said = answer(seed, &can);
        let body: Value = serde_json::from_slice(&encode_answer(&said, &shown())).unwrap();
        let turns =
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": body["content"]}]);
        let again = json!({"model": "m", "max_tokens": 1, "messages": turns});
        let read = decode_request(again.to_string().as_bytes(), Version::V2026).unwrap();
        let parts: Vec<Part> = read.messages.into_iter().nth(1).map(|turn| turn.parts).unwrap_or_default();
        assert_eq!(parts, said.candidates[0].parts, "seed {seed}");
    }
}

#[test]
fn the_newer_version_takes_what_is_written_for_it() {
    let can = Can { temperature: false, top_p: false, top_k: false, ..ASKED };
    let options = Options { version: Version::V2026, ..Options::default() };
    for seed in 0..seeds() / 10 {
        let asked = normal(request(seed, &can));
        let encoded = encode_request(&asked, &target(), &Losses::NONE, options).unwrap();
        decode_request(&encoded.body, Version::V2026).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}
