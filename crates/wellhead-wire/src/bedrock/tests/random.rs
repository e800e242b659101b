//! Random conversations, answers and streams: there and back again.

use super::streams::decode;
use super::{CLAUDE, FULL_ANSWER, FULL_REQUEST, NEWER, STREAM, encode, json, origin, shown};
use crate::bedrock::{StreamEncoder, decode_answer, decode_request, encode_answer};
use crate::chat::{
    Answer, Dialect, Effort, Losses, Part, ReasoningAsk, ReasoningMode, Request, Rest, StopKind, ToolChoice,
};
use crate::checks;
use crate::checks::chat::{Can, answer, claimed, events, folded, request, seeds, without_words};
use proptest::prelude::*;
use std::collections::HashSet;

/// What the dialect can express, whatever the model.
pub(super) const CAN: Can = Can {
    dialect: Dialect::Bedrock,
    stops: &[
        StopKind::End,
        StopKind::Length,
        StopKind::Sequence,
        StopKind::ToolCalls,
        StopKind::Filter,
        StopKind::ContextWindow,
        StopKind::MalformedCall,
    ],
    stream_usage_always: true,
    system: true,
    prefill: true,
    user_after_results: true,
    text_parts: true,
    free_order: true,
    media_anywhere: true,
    image_base64: true,
    audio_base64: true,
    video_base64: true,
    document_base64: true,
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
    choice_required: true,
    choice_tool: true,
    cache_parts: true,
    cache_calls: true,
    cache_results: true,
    cache_tools: true,
    cache_ttl: true,
    max_tokens: true,
    temperature: true,
    top_p: true,
    top_k: true,
    stop_texts: true,
    json_schema: true,
    schema_name: true,
    stream: true,
    metadata: true,
    stop_sequence: true,
    citations: true,
    answer_texts: true,
    adjacent: true,
    answer_images: true,
    usage_cached: true,
    interleaves: true,
    pings: true,
    ..Can::NONE
};

/// Models that decide themselves how much to think.
const CAN_NEWER: Can = Can {
    reasoning_modes: &[ReasoningMode::Adaptive, ReasoningMode::BetweenTools, ReasoningMode::Disabled],
    effort: true,
    show_reasoning: true,
    ..CAN
};

/// What the dialect says in another way that means the same.
fn normal(mut request: Request) -> Request {
    let mut names = HashSet::new();
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        match part {
            // The dialect wants a name, and each one once.
            Part::Document { title, .. } => {
                let plain = title.take().unwrap_or_else(|| "document".into());
                let numbered = (2..).map(|number| format!("{plain} ({number})"));
                let name = std::iter::once(plain.to_string())
                    .chain(numbered)
                    .find(|name| names.insert(name.clone()));
                *title = name.map(Into::into);
            }
            // There is one word for both.
            Part::Audio { media, .. } => assert!(media.media_type.is_some()),
            _ => {}
        }
    }
    // Without a text nothing tells how hard to think.
    if let Some(ask) = &mut request.reasoning {
        ask.effort = ask.effort.map(|effort| effort.max(Effort::Low));
        let shows = matches!(ask.mode, ReasoningMode::Adaptive)
            || (ask.mode == ReasoningMode::Default && ask.effort.is_some());
        ask.show = ask.show.take().filter(|_| shows).map(|_| "auto".into());
        if ask.mode == ReasoningMode::Default && ask.effort.is_some() {
            ask.mode = ReasoningMode::Adaptive;
        }
    }
    request.reasoning = request.reasoning.filter(|ask| *ask != ReasoningAsk::default());
    // The letters that labels may have.
    if let Some(labels) = &mut request.metadata {
        labels.retain(|name, _| !name.contains('"'));
    }
    // Asked for with the texts that end the answer.
    request
}

/// What a client of the dialect is given to say besides.
fn without_paths(mut request: Request) -> Request {
    let mut rest = request.rest.of(Dialect::Bedrock).cloned().unwrap_or_default();
    if rest.shift_remove("additionalModelResponseFieldPaths").is_some() {
        request.rest = Rest::new(Dialect::Bedrock, rest);
    }
    request
}

/// Sampling and demanded calls do not go with thinking that was asked for by effort alone: that is tested elsewhere.
fn fitting(mut request: Request) -> Request {
    let thinks = request.reasoning.as_ref().is_some_and(|ask| ask.mode == ReasoningMode::Default);
    if thinks {
        (request.sampling.temperature, request.sampling.top_p, request.sampling.top_k) = (None, None, None);
        if !matches!(request.tool_choice, None | Some(ToolChoice::Auto)) {
            request.tool_choice = None;
        }
    }
    request
}

#[test]
fn requests_survive() {
    for (model, can) in [(CLAUDE, CAN), (NEWER, CAN_NEWER)] {
        for seed in 0..seeds() {
            let said = fitting(request(seed, &can));
            let encoded = encode(&said, model, &Losses::NONE)
                .unwrap_or_else(|refused| panic!("seed {seed}: {refused}"));
            let read = decode_request(&encoded.body, &said.model, said.stream).unwrap_or_else(|bad| {
                panic!("seed {seed}: {bad}: {}", String::from_utf8_lossy(&encoded.body))
            });
            assert_eq!(
                without_paths(read),
                normal(said),
                "seed {seed}: {}",
                String::from_utf8_lossy(&encoded.body)
            );
        }
    }
}

/// The answer's name and its model's have no place in the dialect.
fn nameless(mut answer: Answer) -> Answer {
    (answer.id, answer.model) = (None, None);
    answer
}

#[test]
fn answers_survive() {
    let can = Can { service_tier: true, ..CAN };
    for seed in 0..seeds() {
        let said = answer(seed, &can);
        let body = encode_answer(&said, &shown());
        let mut read =
            decode_answer(&body, &origin(CLAUDE)).unwrap_or_else(|bad| panic!("seed {seed}: {bad:?}"));
        // How long it took, and which text ended it, which was read.
        read.rest = Rest::default();
        let expected = nameless(claimed(said, &origin(CLAUDE)));
        assert_eq!(without_words(read), expected, "seed {seed}: {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn streams_survive() {
    for seed in 0..seeds() {
        let said = events(seed, &CAN);
        let whole = answer(seed, &CAN);
        let (mut encoder, mut stream) = (StreamEncoder::new(&shown()), Vec::new());
        said.iter().for_each(|event| encoder.push(event, &mut stream));
        let cuts: Vec<usize> = if seed % 50 == 0 { (1..stream.len()).collect() } else { Vec::new() };
        let (read, is_whole) = decode(&stream, &cuts).unwrap_or_else(|bad| panic!("seed {seed}: {bad:?}"));
        assert!(is_whole, "seed {seed}");
        let expected = nameless(claimed(whole, &origin(CLAUDE)));
        assert_eq!(without_words(folded(read)), expected, "seed {seed}");
    }
}

#[test]
fn proofs_of_every_vendor_pass_through_a_client() {
    let can = Can { origins: true, citations: false, ..CAN };
    for seed in 0..seeds() / 4 {
        let said = answer(seed, &can);
        let body = json(&encode_answer(&said, &shown()));
        let turns = serde_json::json!({"messages": [body["output"]["message"]]});
        let read = decode_request(turns.to_string().as_bytes(), "m", false).unwrap();
        assert_eq!(read.messages[0].parts, said.candidates[0].parts, "seed {seed}");
    }
}

/// What hostile bodies and streams are made of.
fn pieces() -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = [FULL_REQUEST, FULL_ANSWER]
        .into_iter()
        .map(|text| json(text.as_bytes()).to_string().into_bytes())
        .collect();
    let stream = json(STREAM.as_bytes());
    pieces.extend(
        stream.as_array().unwrap().iter().map(|item| super::streams::framed(&serde_json::json!([item]))),
    );
    pieces.push(super::streams::exception("throttlingException", &serde_json::json!({"message": "m"})));
    pieces.extend(stream.as_array().unwrap().iter().map(|item| {
        super::streams::framed(&serde_json::json!([{"contentBlockDelta": item}, {"contentBlockStart": item}]))
    }));
    let odd = [
        r#"{"messages":[{"role":"user","content":[{"cachePoint":{"type":"default"}},{"text":null,"image":{"format":"png","source":{"bytes":""}}}]}]}"#,
        r#"{"output":{"message":{"content":[{"toolUse":{"toolUseId":"","name":"","input":[1]}},{"text":"x","image":1}]}},"stopReason":7}"#,
        r#"{"Output":{"__type":"x"}}"#,
        "{",
        "",
    ];
    pieces.extend(odd.map(|text| text.as_bytes().to_vec()));
    pieces
}

#[test]
fn mutated_bodies_break_nothing() {
    for seed in 0..500 {
        for valid in [FULL_REQUEST, FULL_ANSWER] {
            checks::bedrock_codec(seed, &checks::codecs::mutated(seed, valid));
        }
    }
}

proptest! {
    #[test]
    fn no_input_panics(seed: u64, picks in prop::collection::vec(prop::sample::select(pieces()), 0..8), cut in 0..100_usize, byte: u8) {
        let mut bytes = picks.concat();
        checks::bedrock_codec(seed, &bytes);
        // Broken somewhere.
        if !bytes.is_empty() {
            let at = bytes.len() * cut / 100;
            if let Some(broken) = bytes.get_mut(at) {
                *broken = byte;
            }
            checks::bedrock_codec(seed, &bytes);
        }
    }
}
