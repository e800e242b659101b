//! Canonical to bytes and back, for random conversations.

use super::super::{
    Options, Params, StreamEncoder, ThinkingForm, decode_answer, decode_request, encode_answer,
    encode_request,
};
use super::{everything, origin, read, shown, target};
use crate::chat::{Answer, Dialect, Losses, Message, Part, ReasoningMode, Request, Source, StopKind};
use crate::checks::chat::{Can, answer, claimed, events, folded, request, seeds, without_words};

/// What Chat Completions can express, with what its vendors have added.
const CAN: Can = Can {
    dialect: Dialect::Chat,
    stops: &[
        StopKind::End,
        StopKind::Length,
        StopKind::Sequence,
        StopKind::ToolCalls,
        StopKind::Refusal,
        StopKind::Filter,
    ],
    reasoning_modes: &[],
    // An assistant's empty text beside calls means nothing to any vendor.
    empty_text: false,
    // `reasoning_content`, `content`, `tool_calls` have no order among themselves.
    free_order: false,
    image_file: false,
    document_text: false,
    document_notes: false,
    result_errors: false,
    cache_calls: false,
    cache_all: false,
    budget: false,
    show_reasoning: false,
    // A message's proof belongs to its last text.
    text_opaque: false,
    answer_texts: false,
    ..Can::ALL
};

/// A file with data has to have a name.
fn with_file_names(messages: &mut [Message]) {
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        if let Part::Document { media, title, .. } = part
            && matches!(media.source, Source::Base64(_))
        {
            title.get_or_insert_with(|| "document.pdf".into());
        }
    }
}

fn there_and_back(seed: u64, can: &Can, options: &Options) {
    let asked = request(seed, can);
    let encoded = encode_request(&asked, &target(), &Losses::NONE, options).unwrap();
    assert_eq!(encoded.dropped, [], "seed {seed}");
    let body = String::from_utf8_lossy(&encoded.body);
    let mut expected = Request { model: target().origin.model, stream_usage: asked.stream, ..asked };
    with_file_names(&mut expected.messages);
    let read = decode_request(&encoded.body).unwrap_or_else(|error| panic!("seed {seed}: {error}: {body}"));
    assert_eq!(read, expected, "seed {seed}: {body}");
}

#[test]
fn requests_come_back_as_they_were() {
    for seed in 0..seeds() {
        there_and_back(seed, &CAN, &everything());
    }
}

#[test]
fn requests_with_budgets_come_back_from_vendors_that_know_them() {
    let modes = &[ReasoningMode::Enabled, ReasoningMode::Disabled];
    let can = Can { reasoning_modes: modes, budget: true, show_reasoning: true, ..CAN };
    let options = Options { thinking: ThinkingForm::Reasoning, ..everything() };
    for seed in 0..seeds() {
        there_and_back(seed, &can, &options);
    }
}

#[test]
fn the_plainest_vendors_get_what_they_can_read() {
    let can = Can {
        names: false,
        reasoning: false,
        call_opaque: false,
        custom_tools: false,
        cache_parts: false,
        cache_results: false,
        cache_tools: false,
        developer: false,
        text_parts: false,
        result_parts: false,
        result_images: false,
        result_names: false,
        image_base64: false,
        image_url: false,
        audio_base64: false,
        video_base64: false,
        video_url: false,
        document_base64: false,
        document_url: false,
        document_file: false,
        top_k: false,
        p_floor: false,
        repetition_penalty: false,
        user: false,
        metadata: false,
        service_tier: false,
        cache_key: false,
        ..CAN
    };
    let options = Options {
        max_tokens_only: true,
        content_as_text: true,
        no_developer: true,
        no_custom_tools: true,
        without: Params::LABELS,
        no_names: true,
        ..Options::default()
    };
    for seed in 0..seeds() {
        there_and_back(seed, &can, &options);
    }
}

fn expected(seed: u64, can: &Can) -> Answer {
    claimed(answer(seed, can), &origin())
}

/// When a sound expires is OpenAI's own affair.
fn without_rest(mut answer: Answer) -> Answer {
    for candidate in &mut answer.candidates {
        candidate.rest = crate::chat::Rest::default();
    }
    without_words(answer)
}

const ANSWERS: Can = Can { text_opaque: true, ..CAN };

#[test]
fn answers_come_back_as_they_were() {
    for seed in 0..seeds() {
        let said = answer(seed, &ANSWERS);
        let body = encode_answer(&said, &shown(said.model.as_deref().unwrap()));
        let read = decode_answer(&body, &origin()).unwrap();
        assert_eq!(without_rest(read), expected(seed, &ANSWERS), "seed {seed}: {body:?}");
    }
}

#[test]
fn streams_come_back_as_they_were() {
    for seed in 0..seeds() {
        let said = answer(seed, &ANSWERS);
        let mut encoder = StreamEncoder::new(shown(said.model.as_deref().unwrap()));
        let mut bytes = Vec::new();
        for event in events(seed, &ANSWERS) {
            encoder.push(&event, &mut bytes);
        }
        let (read, whole) = read(bytes.chunks(1 + usize::try_from(seed % 97).unwrap())).unwrap();
        assert!(whole, "seed {seed}");
        let expected = Answer { service_tier: None, ..expected(seed, &ANSWERS) };
        assert_eq!(without_words(folded(read)), expected, "seed {seed}: {}", String::from_utf8_lossy(&bytes));
    }
}

/// Whatever dialect a proof is of, a client keeps it and brings it back.
#[test]
fn proofs_of_any_origin_survive_a_client() {
    let can = Can { origins: true, ..ANSWERS };
    for seed in 0..seeds() {
        let said = answer(seed, &can);
        let body: serde_json::Value = serde_json::from_slice(&encode_answer(&said, &shown("m"))).unwrap();
        for (choice, candidate) in body["choices"].as_array().unwrap().iter().zip(&said.candidates) {
            let asked = serde_json::json!({"model": "m", "messages": [choice["message"]]});
            let Ok(read) = decode_request(asked.to_string().as_bytes()) else {
                assert!(candidate.parts.is_empty(), "seed {seed}: {asked}");
                continue;
            };
            let proofs = |parts: &[Part]| -> Vec<_> {
                let proof = |part: &Part| match part {
                    Part::Reasoning(thought) => thought.opaque.clone(),
                    Part::ToolCall(call) => call.opaque.clone(),
                    Part::Text { opaque, .. } => opaque.clone(),
                    _ => None,
                };
                parts.iter().filter_map(proof).collect()
            };
            assert_eq!(proofs(&read.messages[0].parts), proofs(&candidate.parts), "seed {seed}: {asked}");
        }
    }
}
