//! The two versions of the API, and bodies that are refused.

use super::{client, read, target, written_with};
use crate::anthropic::{
    Options, Version, decode_count, decode_count_answer, decode_request, encode_count, encode_count_answer,
};
use crate::chat::{BadBody, Losses, Part, Role, Source};
use serde_json::{Value, json};
use wellhead_types::Cause;

fn bad(body: &Value, version: Version) -> String {
    match decode_request(body.to_string().as_bytes(), version) {
        Ok(_) => panic!("{body} is taken"),
        Err(BadBody::Field(field)) => field.param,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn versions_are_read_from_headers_and_bodies() {
    for (value, version) in [
        ("2023-06-01", Some(Version::V2023)),
        (" 2026-10-21 ", Some(Version::V2026)),
        ("vertex-2023-10-16", Some(Version::V2023)),
        ("bedrock-2023-05-31", Some(Version::V2023)),
        ("2023-01-01", None),
        ("", None),
    ] {
        assert_eq!(Version::from_header(value), version, "{value}");
    }
    for version in [Version::V2023, Version::V2026] {
        assert_eq!(Version::from_header(version.as_str()), Some(version));
    }
}

#[test]
fn the_newer_version_refuses_what_the_vendor_took_out() {
    let document =
        json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}});
    let blocks = json!({"type": "document", "source": {"type": "content", "content": "d"}});
    let cited = json!([{"type": "text", "text": "t", "citations": [{"type": "char_location"}]}]);
    let turns = |role: &str, content: &Value| json!({"messages": [{"role": "user", "content": "a"}, {"role": role, "content": content}]});
    for (changes, param) in [
        (json!({"temperature": 1}), "temperature"),
        (json!({"top_p": 1}), "top_p"),
        (json!({"top_k": 5}), "top_k"),
        (turns("assistant", &json!([document])), "messages[1].content[0]"),
        (turns("assistant", &json!([blocks])), "messages[1].content[0]"),
        (turns("user", &cited), "messages[1].content[0].citations"),
    ] {
        let body = client(&changes);
        assert_eq!(bad(&body, Version::V2026), param);
        decode_request(body.to_string().as_bytes(), Version::V2023).unwrap();
    }
    for changes in [
        json!({"temperature": null}),
        turns("user", &json!([document])),
        turns("assistant", &cited),
        turns("user", &json!([{"type": "text", "text": "t", "citations": []}])),
    ] {
        decode_request(client(&changes).to_string().as_bytes(), Version::V2026).unwrap();
    }
}

#[test]
fn a_bad_body_is_refused_with_the_members_name() {
    let content = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
    for (changes, param) in [
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": -1}), "max_tokens"),
        (json!({"model": 7}), "model"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": "Hi"}), "messages"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (json!({"messages": [{"role": "robot", "content": "a"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user", "content": 7}]}), "messages[0].content"),
        (json!({"system": [{"type": "image", "source": {"type": "url", "url": "u"}}]}), "system[0]"),
        (content(json!({"text": "a"})), "messages[0].content[0].type"),
        (content(json!({"type": "text"})), "messages[0].content[0].text"),
        (content(json!({"type": "image"})), "messages[0].content[0].source"),
        (
            content(json!({"type": "image", "source": {"type": "base64"}})),
            "messages[0].content[0].source.data",
        ),
        (content(json!({"type": "tool_result"})), "messages[0].content[0].tool_use_id"),
        (
            content(
                json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "2h"}}),
            ),
            "messages[0].content[0].cache_control.ttl",
        ),
        (json!({"tools": [{"name": "f"}]}), "tools[0].input_schema"),
        (json!({"tool_choice": {"type": "tool"}}), "tool_choice.name"),
        (json!({"tool_choice": {"type": "some"}}), "tool_choice.type"),
        (json!({"tool_choice": {"type": "auto", "disable_parallel": true}}), "tool_choice.disable_parallel"),
        (json!({"stop_sequences": "END"}), "stop_sequences"),
    ] {
        assert_eq!(bad(&client(&changes), Version::V2023), param, "{changes}");
    }
    let error = decode_request(b"{\"model\": }", Version::V2023).unwrap_err();
    assert!(matches!(error, BadBody::Syntax { offset: 11, .. }), "{error:?}");
}

#[test]
fn results_become_a_message_of_their_own_before_what_the_user_says() {
    let body = client(&json!({"messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}, "caller": {"type": "direct"}}]},
        {"role": "user", "content": [
            {"type": "text", "text": "late"},
            {"type": "tool_result", "tool_use_id": "1"},
        ]},
        {"role": "assistant", "content": "b"},
        {"role": "assistant", "content": "c"},
    ]}));
    let request = read(&body);
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::Tool, Role::User, Role::Assistant]);
    assert!(matches!(&request.messages[1].parts[0], Part::ToolCall(call) if call.arguments == "{}"));
    assert_eq!(request.messages[4].parts.len(), 2, "neighbours are one turn");
}

#[test]
fn documents_and_images_keep_what_they_say_of_themselves() {
    let full: Value = serde_json::from_str(include_str!("request_full.json")).unwrap();
    let parts = read(&full).messages.remove(1).parts;
    assert!(
        matches!(&parts[3], Part::Image { media, .. } if media.source == Source::File("file_011CN".into()))
    );
    assert!(matches!(&parts[4], Part::Other(..)), "an option that no other dialect has");
    let Part::Document { title, context, citable, cache, .. } = &parts[5] else { panic!("{:?}", parts[5]) };
    assert_eq!(
        (title.as_deref(), context.as_deref(), *citable),
        (Some("Report"), Some("Of last year"), Some(true))
    );
    assert_eq!(cache.unwrap().ttl_seconds, None);
    assert!(matches!(&parts[9], Part::Other(..)) && matches!(&parts[10], Part::Other(..)));
}

#[test]
fn a_count_is_a_request_without_what_only_an_answer_needs() {
    let mut body =
        client(&json!({"system": "s", "temperature": 0.5, "stream": true, "metadata": {"user_id": "u"}}));
    body.as_object_mut().unwrap().shift_remove("max_tokens");
    let request = decode_count(body.to_string().as_bytes(), Version::V2023).unwrap();
    assert!(!request.stream);
    let encoded = encode_count(&request, &target(), &Losses::NONE, Options::default()).unwrap();
    let expected =
        json!({"model": "claude-x", "system": "s", "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(serde_json::from_slice::<Value>(&encoded.body).unwrap(), expected);
    assert_eq!(&*encode_count_answer(14), b"{\"input_tokens\":14}");
    assert_eq!(decode_count_answer(b"{\"input_tokens\":14}").unwrap(), 14);
    let cause = |body: &[u8]| decode_count_answer(body).unwrap_err().cause;
    assert_eq!(cause(b"{}"), Cause::ErrorInSuccess);
    assert_eq!(cause(b"<html>"), Cause::ProtocolError);
    assert_eq!(
        cause(br#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#),
        Cause::RateLimited
    );
}

#[test]
fn the_older_name_of_the_format_is_still_read() {
    let schema = json!({"type": "object"});
    let body = client(&json!({"output_format": {"type": "json_schema", "schema": schema}}));
    let (body, _) = written_with(&read(&body), &target(), &Losses::NONE, Options::default());
    assert_eq!(body["output_config"]["format"]["schema"], schema);
    assert_eq!(body.get("output_format"), None);
}
