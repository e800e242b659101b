//! The same dialect in and out keeps everything.

use super::{FULL_ANSWER, FULL_REQUEST, json, origin, shown, target, vertex};
use crate::chat::{Dialect, Effort, Format, Losses, Part, Role, Source, StopKind, ToolChoice, ToolKind};
use crate::gemini::{decode_answer, decode_request, encode_answer, encode_request};
use serde_json::{Map, Value, json};

const MODEL: &str = "gemini-3.8-flash";

#[test]
fn every_field_of_a_request_survives() {
    let request = decode_request(FULL_REQUEST.as_bytes(), MODEL, false).unwrap();
    let encoded = encode_request(&request, &target(MODEL), &Losses::NONE, vertex(MODEL)).unwrap();
    assert_eq!(json(&encoded.body), json(FULL_REQUEST.as_bytes()));
    assert_eq!(encoded.dropped, []);
}

#[test]
fn every_field_of_a_request_has_its_place() {
    let request = decode_request(FULL_REQUEST.as_bytes(), MODEL, true).unwrap();
    assert!(request.stream && request.stream_usage);
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    // The response that only this dialect knows stands between the others.
    assert_eq!(
        roles,
        [Role::System, Role::User, Role::Assistant, Role::Tool, Role::User, Role::Tool, Role::User]
    );
    let kinds: Vec<&str> = request.messages[1].parts.iter().map(kind).collect();
    assert_eq!(kinds, ["text", "image", "document", "image", "audio", "video", "other", "other", "other"]);
    assert!(matches!(&request.messages[1].parts[1], Part::Image { detail: Some(d), .. } if &**d == "high"));
    assert!(matches!(&request.messages[1].parts[2], Part::Document { title: Some(t), media, .. }
            if &**t == "Report" && matches!(media.source, Source::File(_))));
    let kinds: Vec<&str> = request.messages[2].parts.iter().map(kind).collect();
    assert_eq!(
        kinds,
        [
            "reasoning",
            "text",
            "call",
            "call",
            "other",
            "other",
            "other",
            "other",
            "other",
            "reasoning",
            "image",
            "other"
        ]
    );
    let Part::ToolResult(result) = &request.messages[3].parts[1] else { panic!() };
    assert!(result.is_error && result.parts == [Part::text("no clock")]);
    let Part::ToolResult(result) = &request.messages[5].parts[0] else { panic!() };
    assert_eq!(result.parts, [Part::text("{\"hour\":7}")]);

    let sampling = &request.sampling;
    assert_eq!((sampling.max_tokens, sampling.top_k, sampling.seed), (Some(1000), Some(40), Some(7)));
    assert_eq!((sampling.temperature, sampling.top_p), (Some(0.5), Some(0.75)));
    assert_eq!(
        (sampling.candidates, sampling.logprobs, sampling.top_logprobs),
        (Some(2), Some(true), Some(3))
    );
    assert_eq!((sampling.frequency_penalty, sampling.presence_penalty), (Some(0.25), Some(-0.25)));
    assert_eq!(sampling.stop, ["END", "\n\n"]);
    assert!(matches!(request.output.format, Some(Format::JsonSchema { .. })));
    assert_eq!(request.output.modalities, ["text".into(), "image".into()]);
    let ask = request.reasoning.as_ref().unwrap();
    assert_eq!((ask.effort, ask.show.as_deref()), (Some(Effort::Low), Some("auto")));
    assert!(
        matches!(&request.tool_choice, Some(ToolChoice::Allowed { names, required: false }) if names.len() == 2)
    );
    assert_eq!(request.tools.len(), 5);
    assert!(matches!(request.tools[2].kind, ToolKind::Hosted(Dialect::Gemini, _)));
    assert_eq!(request.service_tier.as_deref(), Some("flex"));
    let rest: Vec<&str> = request.rest.foreign_to(Dialect::Chat).collect();
    assert_eq!(
        rest,
        [
            "toolConfig.functionCallingConfig.streamFunctionCallArguments",
            "toolConfig.retrievalConfig",
            "toolConfig.includeServerSideToolInvocations",
            "generationConfig.speechConfig",
            "generationConfig.mediaResolution",
            "generationConfig.audioTimestamp",
            "generationConfig.enableAffectiveDialog",
            "generationConfig.routingConfig",
            "generationConfig.imageConfig",
            "safetySettings",
            "cachedContent",
            "modelArmorConfig",
            "store",
        ],
        "named as the client wrote them"
    );
}

fn kind(part: &Part) -> &'static str {
    match part {
        Part::Text { .. } => "text",
        Part::Image { .. } => "image",
        Part::Audio { .. } => "audio",
        Part::Video { .. } => "video",
        Part::Document { .. } => "document",
        Part::Refusal(_) => "refusal",
        Part::Reasoning(_) => "reasoning",
        Part::ToolCall(_) => "call",
        Part::ToolResult(_) => "result",
        Part::Other(..) => "other",
    }
}

/// The same in `snake_case`, but for what is the client's own.
fn snake(value: Value) -> Value {
    const OPAQUE: [&str; 8] = [
        "args",
        "response",
        "parametersJsonSchema",
        "responseJsonSchema",
        "labels",
        "partMetadata",
        "partialArgs",
        "safetySettings",
    ];
    match value {
        Value::Array(items) => items.into_iter().map(snake).collect(),
        Value::Object(members) => {
            let renamed = members.into_iter().map(|(name, value)| {
                let value = if OPAQUE.contains(&name.as_str()) { value } else { snake(value) };
                let mut out = String::new();
                for c in name.chars() {
                    if c.is_ascii_uppercase() {
                        out.push('_');
                    }
                    out.push(c.to_ascii_lowercase());
                }
                (out, value)
            });
            Value::Object(renamed.collect::<Map<String, Value>>())
        }
        value => value,
    }
}

#[test]
fn snake_case_says_the_same() {
    let mut body = json(FULL_REQUEST.as_bytes());
    // What is kept as it is written is not compared.
    for kept in ["toolConfig", "modelArmorConfig", "safetySettings"] {
        body.as_object_mut().unwrap().remove(kept);
    }
    for kept in ["speechConfig", "routingConfig", "imageConfig"] {
        body["generationConfig"].as_object_mut().unwrap().remove(kept);
    }
    body["tools"].as_array_mut().unwrap().truncate(1);
    for content in body["contents"].as_array_mut().unwrap() {
        content["parts"].as_array_mut().unwrap().retain(|part| {
            ![
                "videoMetadata",
                "partMetadata",
                "executableCode",
                "codeExecutionResult",
                "toolCall",
                "toolResponse",
            ]
            .iter()
            .any(|name| part.get(name).is_some())
                && part["mediaResolution"].get("numTokens").is_none()
                && part["functionCall"].get("willContinue").is_none()
                && part["functionResponse"].get("willContinue").is_none()
                && part.get("thought") != Some(&json!(true))
        });
    }
    let camel = decode_request(body.to_string().as_bytes(), MODEL, false).unwrap();
    let snaked = snake(body).to_string();
    assert!(snaked.contains("\"system_instruction\"") && snaked.contains("\"inline_data\""));
    assert_eq!(decode_request(snaked.as_bytes(), MODEL, false).unwrap(), camel);
}

#[test]
fn every_field_of_an_answer_survives() {
    let answer = decode_answer(FULL_ANSWER.as_bytes(), &origin(MODEL)).unwrap();
    let mut unmarked = answer.clone();
    // Towards clients, signatures say where they came from; here only the rest is compared.
    for part in unmarked.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
        let opaque = match part {
            Part::Text { opaque, .. } => opaque,
            Part::Reasoning(reasoning) => &mut reasoning.opaque,
            Part::ToolCall(call) => &mut call.opaque,
            _ => continue,
        };
        if let Some(opaque) = opaque {
            assert_eq!(opaque.origin.take(), Some(origin(MODEL)));
        }
    }
    assert_eq!(json(&encode_answer(&unmarked, &shown(MODEL))), json(FULL_ANSWER.as_bytes()));
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cached_input_tokens), (107, 50, 60));
    assert_eq!((usage.reasoning_tokens, usage.audio_tokens), (30, 10));
    assert_eq!(answer.created, Some(1_795_341_600));
    let [first, second] = &answer.candidates[..] else { panic!() };
    // wire.md, trap 10: STOP with calls.
    assert_eq!(first.stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    assert_eq!(second.stop.as_ref().unwrap().kind, StopKind::Length);
    assert_eq!(first.logprobs.as_ref().unwrap()["content"][0]["token"], "It");
}

#[test]
fn a_client_gets_back_what_it_was_given() {
    let answer = decode_answer(FULL_ANSWER.as_bytes(), &origin(MODEL)).unwrap();
    let told = json(&encode_answer(&answer, &shown(MODEL)));
    // The client sends the turn back; the target gets its own signatures, another one none.
    let body = json!({"contents": [told["candidates"][0]["content"]]}).to_string();
    let request = decode_request(body.as_bytes(), MODEL, false).unwrap();
    assert_eq!(request.messages[0].parts, answer.candidates[0].parts);
    let same = encode_request(&request, &target(MODEL), &Losses::NONE, vertex(MODEL)).unwrap();
    assert_eq!(json(&same.body)["contents"][0], json(FULL_ANSWER.as_bytes())["candidates"][0]["content"]);
    let other =
        encode_request(&request, &target("gemini-2.5-pro"), &Losses::NONE, vertex("gemini-2.5-pro")).unwrap();
    assert!(!String::from_utf8_lossy(&other.body).contains("thoughtSignature"));
    assert_eq!(other.dropped.iter().map(|dropped| &*dropped.param).collect::<Vec<_>>(), ["reasoning"]);
}
