#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Fit, MODEL_BYTES_MAX, Part, PrepareFlags, RequestHead, prepare, prepare_parts};
use crate::openai::Endpoint;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

const AS_IT_IS: Fit = Fit { no_developer: false, no_names: false, short_tool_ids: false, random_seed: false };
const OPENAI: PrepareFlags = PrepareFlags { stream_usage: true, max_tokens_only: false, fit: AS_IT_IS };
const OLD: PrepareFlags = PrepareFlags { stream_usage: false, max_tokens_only: true, fit: AS_IT_IS };
const STRICT: PrepareFlags = PrepareFlags {
    fit: Fit { no_developer: true, no_names: true, short_tool_ids: true, random_seed: true },
    ..OPENAI
};

fn chat(body: &str) -> RequestHead {
    RequestHead::parse(Endpoint::ChatCompletions, None, body.as_bytes()).unwrap()
}

/// As a copy; what is made of the parts has to be the same.
fn prepared(body: &str, model: &str, flags: PrepareFlags) -> String {
    let bytes = Bytes::copy_from_slice(body.as_bytes());
    let head = chat(body);
    let copy = prepare(&bytes, &head, model, flags);
    assert_eq!(joined(&prepare_parts(&bytes, &head, model, flags), &bytes), copy, "{body} {flags:?}");
    String::from_utf8(copy.to_vec()).unwrap()
}

/// What a reader of the parts makes of them.
fn joined(parts: &[Part], body: &[u8]) -> Vec<u8> {
    let bytes = |part: &Part| match part {
        Part::Kept(range) => body[range.clone()].to_vec(),
        Part::New(bytes) => bytes.to_vec(),
    };
    parts.iter().flat_map(bytes).collect()
}

#[test]
fn reads_what_routing_and_limits_need() {
    let head = chat(
        r#"{"model":"gpt\u002dx","messages":[],"stream":true,"n":3,"max_tokens":10,"max_completion_tokens":20,"stream_options":{"include_usage":true}}"#,
    );
    assert_eq!((&*head.model, head.stream, head.n), ("gpt-x", true, 3));
    assert_eq!((head.max_output_tokens, head.asked_usage), (Some(20), true));
    let plain = chat(r#"{"model":"m","max_tokens":-1,"n":null,"stream":null}"#);
    assert_eq!((plain.stream, plain.n, plain.max_output_tokens, plain.asked_usage), (false, 1, None, false));
    let responses =
        RequestHead::parse(Endpoint::Responses, None, br#"{"model":"m","max_output_tokens":7}"#).unwrap();
    assert_eq!((responses.max_output_tokens, responses.asked_usage), (Some(7), true));
}

#[test]
fn bad_bodies_are_refused_with_the_parameter_and_the_remedy() {
    let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(MODEL_BYTES_MAX + 1));
    for (body, code, param, says) in [
        ("{}", "missing_required_parameter", Some("model"), "GET /v1/models"),
        (r#"{"model":5}"#, "invalid_type", Some("model"), "must be a string"),
        (r#"{"model":null}"#, "invalid_type", Some("model"), "must be a string"),
        (r#"{"model":""}"#, "invalid_value", Some("model"), "must not be empty"),
        (long.as_str(), "invalid_value", Some("model"), "longer than 512"),
        (r#"{"model":"a","model":"b"}"#, "invalid_value", Some("model"), "twice"),
        (r#"{"model":"a","stream":"yes"}"#, "invalid_type", Some("stream"), "true or false"),
        ("[1]", "invalid_type", None, "JSON object"),
        (r#"{"model":"a",}"#, "invalid_json", None, "at byte 13"),
        ("", "invalid_json", None, "at byte 0"),
        ("--x\r\n", "invalid_json", None, "at byte 1"),
    ] {
        let error = RequestHead::parse(Endpoint::ChatCompletions, None, body.as_bytes()).unwrap_err();
        assert_eq!((error.code, error.param), (code, param), "{body}");
        assert!(error.message.contains(says), "{body}: {}", error.message);
    }
}

#[test]
fn moderations_may_leave_the_model_out() {
    let body = Bytes::from_static(br#"{"input":"x"}"#);
    let head = RequestHead::parse(Endpoint::Moderations, None, &body).unwrap();
    assert_eq!(&*head.model, "omni-moderation-latest");
    assert_eq!(prepare(&body, &head, "omni-moderation-latest", OPENAI), body);
    assert_eq!(prepare(&body, &head, "other", OPENAI), r#"{"model":"other","input":"x"}"#);
}

#[test]
fn nothing_to_change_means_the_same_memory() {
    for body in [
        r#"{"model":"m","messages":[]}"#,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"model":"m","max_completion_tokens":5}"#,
    ] {
        let bytes = Bytes::copy_from_slice(body.as_bytes());
        let out = prepare(&bytes, &chat(body), "m", OPENAI);
        assert_eq!((out.as_ptr(), out.len()), (bytes.as_ptr(), bytes.len()), "{body}");
    }
}

#[test]
fn only_what_must_change_changes() {
    for (body, flags, expected) in [
        (r#"{ "model" : "a", "x":1.10 }"#, OPENAI, r#"{ "model" : "v\"m", "x":1.10 }"#),
        (
            r#"{"model":"a","stream":true}"#,
            OPENAI,
            r#"{"stream_options":{"include_usage":true},"model":"v\"m","stream":true}"#,
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{ "include_usage":false }}"#,
            OPENAI,
            r#"{"model":"v\"m","stream":true,"stream_options":{ "include_usage":true }}"#,
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_obfuscation":false}}"#,
            OPENAI,
            r#"{"model":"v\"m","stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}"#,
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{}}"#,
            OPENAI,
            r#"{"model":"v\"m","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":null}"#,
            OPENAI,
            r#"{"model":"v\"m","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":7}"#,
            OPENAI,
            r#"{"model":"v\"m","stream":true,"stream_options":7}"#,
        ),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage":true}}"#,
            OLD,
            r#"{"model":"v\"m","stream":true}"#,
        ),
        (r#"{"model":"a","stream":true}"#, OLD, r#"{"model":"v\"m","stream":true}"#),
        (r#"{"model":"a","max_completion_tokens":5}"#, OLD, r#"{"model":"v\"m","max_tokens":5}"#),
        (
            r#"{"max_completion_tokens":5,"model":"a","max_tokens":6}"#,
            OLD,
            r#"{"model":"v\"m","max_tokens":6}"#,
        ),
        // Both of the last two go away, and with them the comma before the first of them.
        (
            r#"{"model":"a","stream":true,"max_tokens":6 , "stream_options":{}, "max_completion_tokens":5 }"#,
            OLD,
            r#"{"model":"v\"m","stream":true,"max_tokens":6    }"#,
        ),
    ] {
        assert_eq!(prepared(body, "v\"m", flags), expected, "{body} {flags:?}");
    }
}

#[test]
fn endpoints_without_chunks_get_no_stream_options() {
    let body = Bytes::from_static(br#"{"model":"m","stream":true,"max_completion_tokens":1}"#);
    for endpoint in [Endpoint::Responses, Endpoint::AudioSpeech, Endpoint::ImagesGenerations] {
        let head = RequestHead::parse(endpoint, None, &body).unwrap();
        assert_eq!(prepare(&body, &head, "m", PrepareFlags { max_tokens_only: true, ..OPENAI }), body);
    }
}

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n\0RIFF\r\n--b\r\n\
    Content-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--b\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--b--\r\n";

#[test]
fn forms_are_routed_and_rewritten_like_json() {
    let body = Bytes::from_static(FORM.as_bytes());
    let kind = Some("multipart/form-data; boundary=b");
    let head = RequestHead::parse(Endpoint::AudioTranscriptions, kind, &body).unwrap();
    assert_eq!((&*head.model, head.stream), ("whisper", true));
    assert_eq!(prepare(&body, &head, "whisper", OPENAI).as_ptr(), body.as_ptr());
    assert_eq!(prepare(&body, &head, "v-2", OPENAI), FORM.replace("whisper\r\n", "v-2\r\n"));
    for model in ["whisper", "v-2"] {
        let parts = prepare_parts(&body, &head, model, OPENAI);
        assert_eq!(joined(&parts, &body), prepare(&body, &head, model, OPENAI));
    }

    let json = br#"{"model":"gpt-image","prompt":"x"}"#;
    let head =
        RequestHead::parse(Endpoint::ImagesEdits, Some("application/json; charset=utf-8"), json).unwrap();
    assert_eq!(&*head.model, "gpt-image");
    let error = RequestHead::parse(Endpoint::AudioTranscriptions, None, &body).unwrap_err();
    assert_eq!(error.code, "invalid_form");
    assert!(error.message.contains("boundary"), "{}", error.message);
}

#[test]
fn the_estimate_counts_text_by_bytes_and_media_flat() {
    let text = format!(r#"{{"model":"m","max_tokens":100,"n":2,"prompt":"{}"}}"#, "word ".repeat(4000));
    let tokens = chat(&text).estimate_tokens(text.as_bytes());
    assert_eq!(tokens, text.len() as u64 / 4 + 200);
    let image = "iVBORw0KGgo".repeat(100_000);
    let body = format!(r#"{{"model":"m","url":"data:image/png;base64,{image}","max_tokens":0}}"#);
    let tokens = chat(&body).estimate_tokens(body.as_bytes());
    assert!((1000..1100).contains(&tokens), "{tokens}");
    let endless = format!(r#"{{"model":"m","max_tokens":{},"n":4000000000}}"#, u64::MAX);
    assert_eq!(chat(&endless).estimate_tokens(endless.as_bytes()), u64::MAX, "saturates");
    let embed = br#"{"model":"m","input":"abcdefgh"}"#;
    let head = RequestHead::parse(Endpoint::Embeddings, None, embed).unwrap();
    assert_eq!(head.estimate_tokens(embed), embed.len() as u64 / 4);
}

proptest! {
    #[test]
    fn a_prepared_body_means_the_same_but_for_what_was_set(
        text in any::<String>(), number: f64, model in "\\PC{1,20}", stream: bool, old: bool, asked in 0..5_u8,
    ) {
        let mut body = json!({ "messages": [{ "content": text, "model": 1 }], "temperature": number, "model": "a", "stream": stream });
        match asked {
            0 => {}
            1 => body["stream_options"] = json!({ "include_usage": true }),
            2 => body["stream_options"] = json!({ "include_usage": false, "x": [text] }),
            3 => body["stream_options"] = json!({ "x": 1 }),
            _ => body["max_completion_tokens"] = json!(77),
        }
        let bytes = Bytes::from(serde_json::to_vec(&body).unwrap());
        let head = RequestHead::parse(Endpoint::ChatCompletions, None, &bytes).unwrap();
        let flags = if old { OLD } else { OPENAI };
        let out = prepare(&bytes, &head, &model, flags);
        let parts = prepare_parts(&bytes, &head, &model, flags);
        prop_assert_eq!(joined(&parts, &bytes), &out[..], "in parts it is the same body");
        let new: usize = parts.iter().map(|part| if let Part::New(new) = part { new.len() } else { 0 }).sum();
        prop_assert!(new < 100 + model.len() * 6, "the rest of the body is referred to, not copied");

        let mut expected: Value = serde_json::from_slice(&bytes).unwrap();
        expected["model"] = json!(model);
        if stream && !old {
            expected["stream_options"]["include_usage"] = json!(true);
        }
        let members = expected.as_object_mut().unwrap();
        if old && stream {
            members.remove("stream_options");
        }
        if old && let Some(limit) = members.remove("max_completion_tokens") {
            members.insert("max_tokens".to_owned(), limit);
        }
        prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
        let messages = serde_json::to_vec(&body["messages"]).unwrap();
        prop_assert!(memchr::memmem::find(&out, &messages).is_some(), "the client's bytes survive");
    }
}

#[test]
fn what_a_target_of_the_same_dialect_refuses_is_changed_and_nothing_else() {
    let body = r#"{ "model":"m", "seed" : 7, "messages": [ {"role":"developer","content":"x","name":"n"},
        {"name":"n", "role":"user","content":[{"type":"text","text":"\"developer\" \u00e9","name":"kept"}]},
        {"role":"assistant","content":null,"tool_calls":[{"id":"call_a-long-one","type":"function","function":{"name":"f","arguments":"{\"id\":\"call_a-long-one\"}"}},
            {"type":"function","function":{"name":"f","arguments":"{}"},"id":"Abcdefg12"}]},
        {"role":"tool","name":"f","tool_call_id":"call_a-long-one","content":"1"},
        {"role":"tool","tool_call_id":"Abcdefg12","content":"2"}], "name":"kept" }"#;
    assert_eq!(prepared(body, "m", OPENAI), body, "OpenAI takes it as it is");
    let fitted = prepared(body, "m", STRICT);
    let value: Value = serde_json::from_str(&fitted).unwrap();
    assert_eq!((&value["random_seed"], value.get("seed")), (&json!(7), None));
    assert_eq!(value["messages"][0], json!({"role": "system", "content": "x"}));
    assert_eq!(value["messages"][1].get("name"), None);
    assert_eq!(value["messages"][3]["name"], "f", "results may name their tool");
    let id = value["messages"][2]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "wire.md, trap 6: {id}");
    assert_eq!(value["messages"][3]["tool_call_id"], id);
    // Undone by hand, it is what the client wrote.
    let mut undone =
        fitted.replace("\"random_seed\" : 7", "\"seed\" : 7").replace("\"system\"", "\"developer\"");
    undone = undone
        .replace(id, "call_a-long-one")
        .replace("\"content\":\"x\"}", "\"content\":\"x\",\"name\":\"n\"}");
    undone = undone.replace("{ \"role\":\"user\"", "{\"name\":\"n\", \"role\":\"user\"");
    assert_eq!(undone, body);
}

#[test]
fn what_holds_nothing_strange_keeps_its_bytes_at_strict_targets() {
    for body in [
        r#"{"model":"m","messages":[{"role":"system","content":"say \"developer\" and \"seed\""}]}"#,
        r#"{"model":"m","messages":[{"role":"tool","tool_call_id":"Abcdefg12","content":"x"}],"random_seed":1,"seed":2}"#,
        r#"{"model":"m","messages":"developer","tools":[{"function":{"name":"developer"}}]}"#,
        r#"{"model":"m","messages":[7,{"role":"developer","role":"developer"},{"name":1,"name":2}]}"#,
    ] {
        assert_eq!(prepared(body, "m", STRICT), body);
    }
    let long = format!(r#"{{"model":"m","seed":1,"user":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(prepared(&long, "m", STRICT), long, "too long to be looked through");
}
