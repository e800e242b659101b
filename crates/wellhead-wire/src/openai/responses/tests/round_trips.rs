//! Canonical to bytes and back, for random conversations.

use super::super::{StreamEncoder, decode_answer, decode_request, encode_answer, encode_request};
use super::{origin, read, shown, target};
use crate::chat::{
    Answer, Dialect, Losses, Message, Opaque, Part, Request, Rest, Source, StopKind, ToolKind,
};
use crate::checks::chat::{Can, answer, claimed, events, folded, request, seeds, without_words};
use serde_json::{Value, json};

/// What Responses can express.
const CAN: Can = Can {
    dialect: Dialect::Responses,
    stops: &[StopKind::End, StopKind::Length, StopKind::ToolCalls, StopKind::Refusal, StopKind::Filter],
    reasoning_modes: &[],
    stream_usage_always: true,
    names: false,
    audio_ids: false,
    video_base64: false,
    video_url: false,
    document_text: false,
    document_notes: false,
    result_errors: false,
    result_names: false,
    // An item that its vendor did not sign is none to it.
    reasoning_unsigned: false,
    redacted: false,
    text_opaque: false,
    call_opaque: false,
    bare_tools: false,
    // The lifetimes of caches are others here.
    cache_parts: false,
    cache_calls: false,
    cache_results: false,
    cache_tools: false,
    cache_all: false,
    top_k: false,
    p_floor: false,
    penalties: false,
    repetition_penalty: false,
    seed: false,
    stop_texts: false,
    logit_bias: false,
    candidates: false,
    modalities: false,
    budget: false,
    answer_audio: false,
    usage_audio: false,
    stop_sequence: false,
    ..Can::ALL
};

fn expected_of(asked: &Request) -> Request {
    let mut expected = Request { model: target().origin.model, ..asked.clone() };
    for part in expected.messages.iter_mut().flat_map(|message: &mut Message| &mut message.parts) {
        if let Part::Document { media, title, .. } = part
            && matches!(media.source, Source::Base64(_))
        {
            title.get_or_insert_with(|| "document.pdf".into());
        }
    }
    for tool in &mut expected.tools {
        if let ToolKind::Function { strict, .. } = &mut tool.kind {
            strict.get_or_insert(false);
        }
    }
    expected.rest = Rest::new(
        Dialect::Responses,
        json!({"include": ["reasoning.encrypted_content"]}).as_object().unwrap().clone(),
    );
    expected
}

#[test]
fn requests_come_back_as_they_were() {
    for seed in 0..seeds() {
        let asked = request(seed, &CAN);
        let encoded = encode_request(&asked, &target(), &Losses::NONE).unwrap();
        assert_eq!(encoded.dropped, [], "seed {seed}");
        let body = String::from_utf8_lossy(&encoded.body);
        let read =
            decode_request(&encoded.body).unwrap_or_else(|error| panic!("seed {seed}: {error}: {body}"));
        assert_eq!(read, expected_of(&asked), "seed {seed}: {body}");
    }
}

fn expected(seed: u64, can: &Can) -> Answer {
    let said = answer(seed, can);
    let id = said.id.as_deref().map(|id| format!("resp_{id}").into());
    claimed(Answer { id, model: Some("chat".into()), ..said }, &origin())
}

/// What a response repeats of its question.
fn without_rest(answer: Answer) -> Answer {
    without_words(Answer { rest: Rest::default(), ..answer })
}

#[test]
fn answers_come_back_as_they_were() {
    for seed in 0..seeds() {
        let said = answer(seed, &CAN);
        let body = encode_answer(&said, &shown());
        let mut read = without_rest(decode_answer(&body, &origin()).unwrap());
        if said.service_tier.is_none() {
            read.service_tier = None;
        }
        let mut expected = expected(seed, &CAN);
        with_text(&mut expected);
        assert_eq!(without_thought_ids(read), without_thought_ids(expected), "seed {seed}: {body:?}");
    }
}

/// Probabilities stand with a text.
fn with_text(answer: &mut Answer) {
    for candidate in &mut answer.candidates {
        if !candidate.parts.iter().any(|part| matches!(part, Part::Text { .. })) {
            candidate.logprobs = None;
        }
    }
}

/// Thoughts always have an id here.
fn without_thought_ids(mut answer: Answer) -> Answer {
    for part in answer.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
        if let Part::Reasoning(thought) = part
            && thought.id.as_deref().is_none_or(|id| id.starts_with("rs_a"))
        {
            thought.id = None;
        }
    }
    answer
}

#[test]
fn streams_come_back_as_they_were() {
    let can = Can { logprobs: false, ..CAN };
    for seed in 0..seeds() {
        let mut encoder = StreamEncoder::new(shown());
        let mut bytes = Vec::new();
        for event in events(seed, &can) {
            encoder.push(&event, &mut bytes);
        }
        let (read, whole) = read(bytes.chunks(1 + usize::try_from(seed % 97).unwrap())).unwrap();
        assert!(whole, "seed {seed}");
        let expected = Answer { service_tier: None, ..expected(seed, &can) };
        let read = without_words(folded(read));
        assert_eq!(
            without_thought_ids(read),
            without_thought_ids(expected),
            "seed {seed}: {}",
            String::from_utf8_lossy(&bytes)
        );
        super::streams::check_order(&String::from_utf8_lossy(&bytes));
    }
}

/// Whatever dialect a proof is of, and wherever it stands, a client keeps it and brings it back.
#[test]
fn proofs_of_any_origin_survive_a_client() {
    let can = Can {
        origins: true,
        text_opaque: true,
        call_opaque: true,
        redacted: true,
        reasoning_unsigned: true,
        ..CAN
    };
    for seed in 0..seeds() {
        let said = answer(seed, &can);
        let whole: Value = serde_json::from_slice(&encode_answer(&said, &shown())).unwrap();
        let mut encoder = StreamEncoder::new(shown());
        let mut bytes = Vec::new();
        said.clone().into_events().iter().for_each(|event| encoder.push(event, &mut bytes));
        let text = String::from_utf8(bytes).unwrap();
        let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
        let streamed: Value = serde_json::from_str(last).unwrap();
        for output in [&whole["output"], &streamed["response"]["output"]] {
            let asked = json!({"model": "m", "input": output});
            let parts = &said.candidates[0].parts;
            let Ok(read) = decode_request(asked.to_string().as_bytes()) else {
                assert!(parts.is_empty(), "seed {seed}: {asked}");
                continue;
            };
            let proofs = |parts: &[Part]| -> Vec<(Option<Opaque>, bool)> {
                let proof = |part: &Part| match part {
                    Part::Reasoning(thought) => Some((thought.opaque.clone(), thought.is_redacted)),
                    Part::ToolCall(call) => Some((call.opaque.clone(), false)),
                    Part::Text { opaque, .. } => Some((opaque.clone(), false)),
                    _ => None,
                };
                parts.iter().filter_map(proof).filter(|(proof, _)| proof.is_some()).collect()
            };
            let all: Vec<Part> = read.messages.into_iter().flat_map(|message| message.parts).collect();
            assert_eq!(proofs(&all), proofs(parts), "seed {seed}: {asked}");
        }
    }
}
