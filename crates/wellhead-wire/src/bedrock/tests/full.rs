//! The same dialect in and out keeps everything.

use super::{CLAUDE, FULL_ANSWER, FULL_REQUEST, encode, json, origin, shown};
use crate::bedrock::{decode_answer, decode_request, encode_answer};
use crate::chat::{
    CacheHint, Dialect, Effort, Format, Losses, Part, ReasoningMode, Role, Source, StopKind, ToolChoice,
    ToolKind,
};
use serde_json::{Value, json};

#[test]
fn every_field_of_a_request_survives() {
    let request = decode_request(FULL_REQUEST.as_bytes(), CLAUDE, false).unwrap();
    let encoded = encode(&request, CLAUDE, &Losses::NONE).unwrap();
    let mut expected = json(FULL_REQUEST.as_bytes());
    // How a model of this generation is asked to think: effort is unknown to it.
    expected["outputConfig"].as_object_mut().unwrap().shift_remove("effort");
    assert_eq!(json(&encoded.body), expected);
    assert_eq!(encoded.dropped, []);
}

#[test]
fn every_field_of_a_request_has_its_place() {
    let request = decode_request(FULL_REQUEST.as_bytes(), CLAUDE, true).unwrap();
    assert!(request.stream && request.stream_usage);
    assert_eq!(&*request.model, CLAUDE);
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool, Role::User, Role::Assistant]);
    let hour = Some(CacheHint { ttl_seconds: Some(3600) });
    assert!(matches!(&request.messages[0].parts[2], Part::Text { cache, .. } if *cache == hour));
    let user = &request.messages[1].parts;
    assert!(matches!(&user[0], Part::Text { cache: Some(_), .. }));
    assert!(
        matches!(&user[1], Part::Image { media, .. } if media.media_type.as_deref() == Some("image/png"))
    );
    assert!(
        matches!(&user[2], Part::Image { media, .. } if media.source == Source::Url("s3://bucket-1/a.jpg".into()))
    );
    assert!(matches!(&user[3], Part::Other(Dialect::Bedrock, _)), "with an owner only this dialect knows");
    assert!(
        matches!(&user[4], Part::Document { title: Some(title), context: Some(_), citable: Some(true), cache: Some(_), .. } if &**title == "Report 7")
    );
    assert!(matches!(&user[5], Part::Document { media, .. } if matches!(media.source, Source::Text(_))));
    assert!(matches!(&user[7], Part::Video { .. }) && matches!(&user[9], Part::Audio { .. }));
    let assistant = &request.messages[2].parts;
    assert!(
        matches!(&assistant[0], Part::Reasoning(thought) if thought.opaque.is_some() && !thought.is_redacted)
    );
    assert!(
        matches!(&assistant[1], Part::Reasoning(thought) if thought.is_redacted && thought.text.is_empty())
    );
    assert!(matches!(&assistant[3], Part::Text { citations, .. } if citations.len() == 1));
    assert!(
        matches!(&assistant[4], Part::ToolCall(call) if call.arguments == r#"{"city":"Zürich","days":2}"#)
    );
    assert!(matches!(&assistant[5], Part::ToolCall(call) if call.arguments == "{}" && call.cache.is_some()));
    assert!(matches!(&assistant[6], Part::Other(Dialect::Bedrock, _)), "runs at the vendor");
    let Part::ToolResult(result) = &request.messages[3].parts[1] else { panic!() };
    assert!(result.is_error && result.parts == [Part::text("no clock")]);

    let sampling = &request.sampling;
    assert_eq!(
        (sampling.max_tokens, sampling.temperature, sampling.top_p),
        (Some(4000), Some(0.5), Some(0.75))
    );
    assert_eq!(
        (sampling.top_k, &sampling.stop[..]),
        (Some(40), &["END".to_owned(), "\n\nHuman:".to_owned()][..])
    );
    assert_eq!(request.tools.len(), 3);
    assert!(matches!(&request.tools[0].kind, ToolKind::Function { strict: Some(true), .. }));
    assert!(request.tools[1].cache.is_some());
    assert!(matches!(&request.tools[2].kind, ToolKind::Hosted(Dialect::Bedrock, _)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Auto));
    assert!(matches!(&request.output.format, Some(Format::JsonSchema { name: Some(name), schema, .. })
        if &**name == "well" && schema["required"] == json!(["depth"])));
    let ask = request.reasoning.unwrap();
    assert_eq!(
        (ask.mode, ask.effort, ask.budget_tokens),
        (ReasoningMode::Enabled, Some(Effort::High), Some(2048))
    );
    assert_eq!(request.service_tier.as_deref(), Some("priority"));
    assert_eq!(request.metadata.unwrap()["team"], "blau");
    let rest: Vec<&String> = request.rest.of(Dialect::Bedrock).unwrap().keys().collect();
    assert_eq!(
        rest,
        [
            "additionalModelResponseFieldPaths",
            "guardrailConfig",
            "performanceConfig",
            "promptVariables",
            "additionalModelRequestFields"
        ]
    );
}

#[test]
fn every_field_of_an_answer_survives() {
    let answer = decode_answer(FULL_ANSWER.as_bytes(), &origin(CLAUDE)).unwrap();
    let mut expected = json(FULL_ANSWER.as_bytes());
    // Where thoughts came from is told to clients.
    let content = expected.pointer_mut("/output/message/content").unwrap();
    let proof = "wh1~bedrock~aws~eu.anthropic.claude-sonnet-4-5-20250929-v1:0~";
    content[0]["reasoningContent"]["reasoningText"]["signature"] = json!(format!("{proof}EqQBCkgIARAB"));
    let written = json(&encode_answer(&answer, &shown()));
    let redacted = written.pointer("/output/message/content/1/reasoningContent/redactedContent").unwrap();
    let inner =
        base64::Engine::decode(&base64::prelude::BASE64_STANDARD, redacted.as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(inner).unwrap(), format!("{proof}cmVkYWN0ZWQ="));
    content[1]["reasoningContent"]["redactedContent"] = redacted.clone();
    // A member that is null says nothing.
    assert_eq!(without_nulls(written), without_nulls(expected));
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value["additionalModelResponseFields"].as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

#[test]
fn every_field_of_an_answer_has_its_place() {
    let answer = decode_answer(FULL_ANSWER.as_bytes(), &origin(CLAUDE)).unwrap();
    let parts = &answer.candidates[0].parts;
    assert!(
        matches!(&parts[0], Part::Reasoning(thought) if thought.opaque.as_ref().unwrap().is_for(Dialect::Bedrock, &origin(CLAUDE)))
    );
    assert!(matches!(&parts[1], Part::Reasoning(thought) if thought.is_redacted));
    assert!(
        matches!(&parts[3], Part::Text { text, citations, .. } if text == "Wells are deep" && citations.len() == 1)
    );
    assert!(matches!(&parts[4], Part::Image { .. }));
    assert!(matches!(&parts[6], Part::ToolCall(call) if &*call.id == "tooluse_2" && call.arguments == "{}"));
    assert!(matches!((&parts[7], &parts[8]), (Part::Other(..), Part::Other(..))), "ran at the vendor");
    assert_eq!(answer.candidates[0].stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    assert_eq!(answer.service_tier.as_deref(), Some("default"));
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cached_input_tokens), (1100, 50, 700));
    assert_eq!((usage.cache_write_tokens, usage.cache_write_1h_tokens), (300, 200));
}

#[test]
fn what_is_wrong_in_a_request_is_named() {
    for (body, param) in [
        (r#"{}"#, "messages"),
        (r#"{"messages":[{"role":"user"}]}"#, "messages[0].content"),
        (r#"{"messages":[{"role":"robot","content":[]}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":[{"text":7}]}]}"#, "messages[0].content[0].text"),
        (r#"{"messages":[{"role":"user","content":[{}]}]}"#, "messages[0].content[0].text"),
        (r#"{"messages":[{"role":"user","content":["x"]}]}"#, "messages[0].content[0]"),
        (
            r#"{"messages":[{"role":"user","content":[{"image":{"format":"png"}}]}]}"#,
            "messages[0].content[0].image.source",
        ),
        (
            r#"{"messages":[{"role":"user","content":[]}],"inferenceConfig":{"maxTokens":"x"}}"#,
            "inferenceConfig.maxTokens",
        ),
        (
            r#"{"messages":[{"role":"user","content":[]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f"}}]}}"#,
            "toolConfig.tools[0].toolSpec.inputSchema",
        ),
        (
            r#"{"messages":[{"role":"user","content":[]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{"}}}}}"#,
            "outputConfig.textFormat.structure.jsonSchema.schema",
        ),
    ] {
        let bad = decode_request(body.as_bytes(), "m", false).unwrap_err();
        assert_eq!(bad.param(), Some(param), "{body}: {bad}");
    }
    assert_eq!(decode_request(b"{", "m", false).unwrap_err().code(), "invalid_json");
}
