//! Canonical to bytes and back, for random conversations.

use super::super::{Options, StreamEncoder, decode_answer, decode_request, encode_answer, encode_request};
use super::{origin, read, shown, target};
use crate::chat::{Answer, Dialect, Losses, ReasoningMode, Request, StopKind, ToolKind};
use crate::checks::chat::{Can, answer, events, folded, request, seeds, without_words};

/// What Ollama can express.
const CAN: Can = Can {
    dialect: Dialect::Ollama,
    stops: &[StopKind::End, StopKind::Length, StopKind::ToolCalls],
    reasoning_modes: &[ReasoningMode::Enabled, ReasoningMode::Disabled],
    stream_usage_always: true,
    system: true,
    system_anywhere: true,
    user_after_results: true,
    prefill: true,
    image_base64: true,
    reasoning: true,
    reasoning_unsigned: true,
    tools: true,
    parallel_calls: true,
    any_schema: true,
    result_images: true,
    result_names: true,
    max_tokens: true,
    temperature: true,
    top_p: true,
    top_k: true,
    p_floor: true,
    penalties: true,
    repetition_penalty: true,
    seed: true,
    stop_texts: true,
    logprobs: true,
    json_object: true,
    json_schema: true,
    stream: true,
    created: true,
    answer_images: true,
    alternates: false,
    ..Can::NONE
};

/// The dialect does not say what an image is; the generator's are of one kind whatever they are called.
fn with_image_types(request: &mut Request) {
    use crate::chat::{Part, ToolResult};
    fn visit(parts: &mut [Part]) {
        for part in parts {
            match part {
                Part::Image { media, .. } => media.media_type = Some("image/png".into()),
                Part::ToolResult(ToolResult { parts, .. }) => visit(parts),
                _ => {}
            }
        }
    }
    request.messages.iter_mut().for_each(|message| visit(&mut message.parts));
}

#[test]
fn requests_come_back_as_they_were() {
    for seed in 0..seeds() {
        let asked = request(seed, &CAN);
        let encoded =
            encode_request(&asked, &target(), &Losses::allowed(["n"]), &Options::default()).unwrap();
        let mut expected = Request { model: target().origin.model, ..asked };
        with_image_types(&mut expected);
        assert!(expected.tools.iter().all(|tool| matches!(tool.kind, ToolKind::Function { .. })));
        assert_eq!(decode_request(&encoded.body).unwrap(), expected, "seed {seed}: {:?}", encoded.body);
        assert_eq!(encoded.dropped, [], "seed {seed}");
    }
}

/// Answers have no names, and one candidate.
fn nameless(seed: u64) -> Answer {
    let mut answer = Answer { id: None, ..answer(seed, &CAN) };
    for part in answer.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
        if let crate::chat::Part::Image { media, .. } = part {
            media.media_type = Some("image/png".into());
        }
    }
    answer
}

#[test]
fn answers_come_back_as_they_were() {
    for seed in 0..seeds() {
        let said = nameless(seed);
        let body = encode_answer(&said, &shown(said.model.as_deref().unwrap()));
        let mut read = without_words(decode_answer(&body, &origin()).unwrap());
        read.rest = crate::chat::Rest::default();
        assert_eq!(read, said, "seed {seed}: {body:?}");
    }
}

#[test]
fn streams_come_back_as_they_were() {
    for seed in 0..seeds() {
        let said = nameless(seed);
        let mut encoder = StreamEncoder::new(shown(said.model.as_deref().unwrap()));
        let mut bytes = Vec::new();
        for event in events(seed, &CAN) {
            encoder.push(&event, &mut bytes);
        }
        let (read, whole) = read(bytes.chunks(1 + usize::try_from(seed % 97).unwrap())).unwrap();
        assert!(whole, "seed {seed}");
        assert_eq!(without_words(folded(read)), said, "seed {seed}: {}", String::from_utf8_lossy(&bytes));
    }
}
