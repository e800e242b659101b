//! Random conversations, answers and streams: there and back again.

use super::{origin, shown, target};
use crate::chat::{
    Answer, Dialect, Effort, Losses, Media, Part, ReasoningMode, Request, Source, StopKind, ToolChoice,
};
use crate::checks;
use crate::checks::chat::{Can, answer, claimed, events, folded, request, seeds, without_words};
use crate::gemini::{
    Options, Service, StreamEncoder, decode_answer, decode_request, encode_answer, encode_request,
};
use proptest::prelude::*;

const NEW: &str = "gemini-3-flash-preview";
const OLD: &str = "gemini-2.5-flash";

/// What the dialect can express, whatever the model.
const CAN: Can = Can {
    dialect: Dialect::Gemini,
    stops: &[
        StopKind::End,
        StopKind::Length,
        StopKind::ToolCalls,
        StopKind::Filter,
        StopKind::MalformedCall,
        StopKind::Other,
    ],
    stream_usage_always: true,
    system: true,
    prefill: true,
    user_after_results: true,
    text_parts: true,
    free_order: true,
    media_anywhere: true,
    image_base64: true,
    image_url: true,
    audio_base64: true,
    video_base64: true,
    video_url: true,
    document_base64: true,
    document_url: true,
    document_title: true,
    reasoning: true,
    reasonings: true,
    reasoning_unsigned: true,
    reasoning_opaque: true,
    reasoning_hidden: true,
    text_opaque: true,
    call_opaque: true,
    tools: true,
    parallel_calls: true,
    bare_tools: true,
    any_schema: true,
    result_errors: true,
    result_names: true,
    choice_auto: true,
    choice_none: true,
    choice_required: true,
    choice_tool: true,
    max_tokens: true,
    temperature: true,
    top_p: true,
    top_k: true,
    penalties: true,
    seed: true,
    stop_texts: true,
    logprobs: true,
    candidates: true,
    format_text: true,
    json_object: true,
    json_schema: true,
    show_reasoning: true,
    stream: true,
    metadata: true,
    created: true,
    answer_images: true,
    usage_cached: true,
    usage_reasoning: true,
    ..Can::NONE
};

/// Gemini 2.5: budgets.
const CAN_OLD: Can = Can { reasoning_modes: &[ReasoningMode::Disabled], budget: true, ..CAN };
/// Gemini 3: levels, media in results, allowed tools.
const CAN_NEW: Can =
    Can { effort: true, result_images: true, image_detail: true, choice_allowed: true, ..CAN };

/// What the dialect says in another way that means the same.
fn normal(mut request: Request) -> Request {
    let parts = request.messages.iter_mut().flat_map(|message| &mut message.parts);
    for part in parts {
        match part {
            // Google shows no other thoughts.
            Part::Reasoning(reasoning) => reasoning.is_summary = true,
            Part::ToolResult(result) => result.parts.iter_mut().for_each(typed),
            part => typed(part),
        }
    }
    if let Some(ask) = &mut request.reasoning {
        ask.show = ask.show.take().map(|_| "auto".into());
        ask.effort = ask.effort.map(|effort| effort.min(Effort::High));
    }
    if let Some(ToolChoice::Allowed { names, required: true }) = &request.tool_choice
        && let [name] = &names[..]
    {
        request.tool_choice = Some(ToolChoice::Tool(name.clone()));
    }
    request
}

/// Google wants to know the type; the level of detail that is everybody's default is not written.
fn typed(part: &mut Part) {
    let (media, fallback): (&mut Media, &str) = match part {
        Part::Image { media, detail, .. } => {
            if detail.as_deref() == Some("auto") {
                *detail = None;
            }
            (media, "image/jpeg")
        }
        Part::Video { media } => (media, "video/mp4"),
        Part::Document { media, .. } => (media, "application/pdf"),
        _ => return,
    };
    if matches!(media.source, Source::Url(_)) {
        media.media_type = Some(fallback.into());
    }
}

/// Without what is written for calls that the model did not make.
fn unfilled(mut request: Request) -> Request {
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        if let Part::ToolCall(call) = part
            && call.opaque.as_ref().is_some_and(|opaque| &*opaque.data == "skip_thought_signature_validator")
        {
            call.opaque = None;
        }
    }
    request
}

#[test]
fn requests_survive() {
    for (model, can) in [(OLD, CAN_OLD), (NEW, CAN_NEW)] {
        let options = Options::of(Service::Vertex, model);
        for seed in 0..seeds() {
            let said = request(seed, &can);
            let encoded = encode_request(&said, &target(model), &Losses::NONE, options)
                .unwrap_or_else(|refused| panic!("seed {seed}: {refused}"));
            let read = decode_request(&encoded.body, &said.model, said.stream).unwrap_or_else(|bad| {
                panic!("seed {seed}: {bad}: {}", String::from_utf8_lossy(&encoded.body))
            });
            assert_eq!(
                unfilled(read),
                normal(said),
                "seed {seed}: {}",
                String::from_utf8_lossy(&encoded.body)
            );
        }
    }
}

fn summarised(mut answer: Answer) -> Answer {
    for part in answer.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
        if let Part::Reasoning(reasoning) = part {
            reasoning.is_summary = true;
        }
    }
    answer
}

#[test]
fn answers_survive() {
    let can = Can { answer_texts: true, adjacent: true, ..CAN };
    for seed in 0..seeds() {
        let said = answer(seed, &can);
        let body = encode_answer(&said, &shown(said.model.as_deref().unwrap()));
        let mut read =
            decode_answer(&body, &origin("m")).unwrap_or_else(|bad| panic!("seed {seed}: {bad:?}"));
        // The raw form is kept beside the common one.
        read.candidates.iter_mut().for_each(|candidate| candidate.rest = crate::chat::Rest::default());
        let expected = summarised(claimed(said, &origin("m")));
        assert_eq!(without_words(read), expected, "seed {seed}: {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn streams_survive() {
    let can = Can { interleaves: true, pings: true, ..CAN };
    for seed in 0..seeds() {
        let said = events(seed, &can);
        let whole = answer(seed, &can);
        let mut encoder = StreamEncoder::new(shown(whole.model.as_deref().unwrap()));
        let mut stream = Vec::new();
        said.iter().for_each(|event| encoder.push(event, &mut stream));
        let cuts: Vec<usize> = if seed % 10 == 0 { (1..stream.len()).collect() } else { Vec::new() };
        let (read, is_whole) =
            super::streams::decode(&stream, &cuts).unwrap_or_else(|bad| panic!("seed {seed}: {bad:?}"));
        assert!(is_whole, "seed {seed}");
        let expected = summarised(claimed(whole, &origin("gemini-3.8-flash")));
        assert_eq!(
            without_words(folded(read)),
            expected,
            "seed {seed}: {}",
            String::from_utf8_lossy(&stream)
        );
    }
}

/// What hostile bodies and streams are made of.
fn pieces() -> Vec<String> {
    let mut pieces: Vec<String> = [super::FULL_REQUEST, super::FULL_ANSWER]
        .into_iter()
        .map(|text| super::json(text.as_bytes()).to_string())
        .collect();
    let chunks = super::json(super::STREAM.as_bytes());
    pieces.extend(chunks.as_array().unwrap().iter().map(|chunk| format!("data: {chunk}\r\n\r\n")));
    let odd = [
        r#"{"contents":[{"parts":[{"functionResponse":{"name":"f"}},{"thoughtSignature":"d2gxfg=="},{}]}]}"#,
        r#"{"contents":{"role":"model","parts":{"function_call":{"name":"f","id":""}}},"tools":{"functionDeclarations":{"name":"f","parameters":{"type":["OBJECT",null]}}}}"#,
        r#"{"generationConfig":{"thinkingConfig":{"new":1},"responseMimeType":"text/x.enum","responseSchema":{"enum":["a"]}},"toolConfig":{"functionCallingConfig":{"new":1}}}"#,
        "data: {\"candidates\":[{\"index\":5000,\"content\":{\"parts\":[{\"text\":\"x\"}]}}]}\n\n",
        "data: {\"candidates\":[{\"content\":{\"parts\":{\"text\":\"x\"}},\"finishReason\":\"finishReason\"}]}\n\n",
        "data: {\"candidates\":[{\"finishReason\":\"STOP\",\"index\":\"1\"}],\"usageMetadata\":7}\n\n",
        "data: {\"error\":{}}\n\n",
        "data: [{\"modelStatus\":{}}]\n\n",
        ": ping\n\n",
        "data: ",
        "{",
        "\n\n",
    ];
    pieces.extend(odd.map(str::to_owned));
    pieces
}

proptest! {
    #[test]
    fn no_input_panics(seed: u64, picks in prop::collection::vec(prop::sample::select(pieces()), 0..8), cut in 0..100_usize, byte: u8) {
        let mut bytes = picks.concat().into_bytes();
        checks::gemini_codec(seed, &bytes);
        // Broken somewhere.
        if !bytes.is_empty() {
            let at = bytes.len() * cut / 100;
            if let Some(broken) = bytes.get_mut(at) {
                *broken = byte;
            }
            checks::gemini_codec(seed, &bytes);
        }
    }
}
