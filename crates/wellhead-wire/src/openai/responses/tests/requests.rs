//! Requests of clients, and requests for targets.

use super::super::{decode_request, decode_request_and_echo, encode_request};
use super::{FULL_REQUEST, origin, target};
use crate::chat::{
    BadBody, CustomTools, Dialect, Effort, Losses, Message, Opaque, Origin, Part, Reasoning, Request, Role,
    ToolChoice, ToolKind,
};
use serde_json::{Value, json};

fn full() -> Request {
    decode_request(FULL_REQUEST.as_bytes()).unwrap()
}

fn written(request: &Request) -> Value {
    let encoded = encode_request(request, &target(), &Losses::NONE).unwrap();
    serde_json::from_slice(&encoded.body).unwrap()
}

fn refused(body: Value) -> (String, String, &'static str) {
    match decode_request(body.to_string().as_bytes()).unwrap_err() {
        BadBody::Field(bad) => (bad.param, bad.message, bad.code),
        other => panic!("{other}"),
    }
}

#[test]
fn every_member_has_its_place_in_the_canonical_model() {
    let request = full();
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, Developer, System, Tool, User};
    assert_eq!(roles, [System, Developer, User, User, Assistant, Tool, Assistant, User, User]);
    assert_eq!(request.messages[0].parts, [Part::text("Be brief.")]);
    assert_eq!(request.messages[3].parts.len(), 8);
    let Part::Text { cache: Some(hint), .. } = &request.messages[3].parts[0] else { panic!() };
    assert_eq!(hint.ttl_seconds, Some(1800));
    let turn = &request.messages[4];
    let Part::Reasoning(thought) = &turn.parts[0] else { panic!("{turn:?}") };
    assert_eq!((thought.text.as_str(), thought.is_summary), ("First.\n\nSecond.", true));
    assert_eq!(thought.opaque.as_ref().map(|opaque| &*opaque.data), Some("gAAAAB=="));
    let calls: Vec<(&str, &str, bool)> = turn
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some((&*call.name, &*call.arguments, call.is_custom)),
            _ => None,
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("shell", "{\"cmd\":\"ls\"}", false),
            ("apply_patch", "*** Begin Patch", true),
            // Wire.md, trap 5: no arguments are an empty object.
            ("agents__close_agent", "{}", false),
        ]
    );
    assert_eq!(request.messages[5].parts.len(), 3, "results are one message");
    assert_eq!(request.messages[6].parts[0], Part::Refusal("I will not.".into()));
    assert!(matches!(request.messages[6].parts[1], Part::Other(Dialect::Responses, _)));
    let names: Vec<_> = request.tools.iter().map(|tool| tool.name()).collect();
    assert_eq!(
        names,
        [Some("shell"), Some("apply_patch"), Some("agents__spawn_agent"), Some("agents__close_agent"), None]
    );
    let ToolKind::Custom { format: Some(format), .. } = &request.tools[1].kind else { panic!() };
    assert_eq!(format["grammar"]["syntax"], "lark", "as Chat Completions nests it");
    let chosen = ToolChoice::Allowed { names: vec!["shell".into(), "apply_patch".into()], required: true };
    assert_eq!(request.tool_choice, Some(chosen));
    assert_eq!((request.sampling.logprobs, request.sampling.top_logprobs), (Some(true), Some(2)));
    assert_eq!(request.reasoning.as_ref().unwrap().effort, Some(Effort::High));
    assert_eq!(request.user.as_deref(), Some("person-1"));
    assert!(request.stream && request.stream_usage);
    let rest: Vec<_> = request.rest.foreign_to(Dialect::Chat).collect();
    assert_eq!(rest, ["include", "safety_identifier", "truncation", "client_metadata"]);
}

#[test]
fn the_same_dialect_out_says_everything_again() {
    let request = full();
    let mut before: Value = serde_json::from_str(FULL_REQUEST).unwrap();
    let after = written(&request);
    assert_eq!(after["model"], "vendor/model-1");
    assert_eq!(after["store"], false, "what was kept could not be found again");
    for name in ["instructions", "tools", "tool_choice", "text", "reasoning", "metadata", "truncation"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    for name in ["max_output_tokens", "temperature", "top_p", "top_logprobs", "safety_identifier"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    for name in ["prompt_cache_key", "service_tier", "stream", "client_metadata", "parallel_tool_calls"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    let (before, after) = (before["input"].take(), after["input"].as_array().unwrap());
    assert_eq!(after.len(), before.as_array().unwrap().len());
    assert_eq!(after[4]["phase"], "commentary");
    assert_eq!(after[4]["content"][0]["annotations"], before[4]["content"][0]["annotations"]);
    assert_eq!(after[7]["namespace"], "agents");
    assert_eq!(after[9]["type"], "custom_tool_call_output");
    assert_eq!(after[2]["content"], before[2]["content"]);
    assert_eq!(after[12], before[12]);
    // And what is read of that is the same question.
    let again = decode_request(&encode_request(&request, &target(), &Losses::NONE).unwrap().body).unwrap();
    assert_eq!(again.messages, request.messages);
    assert_eq!((again.tools, again.tool_choice), (request.tools, request.tool_choice));
}

#[test]
fn what_lives_at_one_vendor_is_refused_by_name() {
    let ask = |name: &str, value: Value| json!({"model": "m", "input": "x", name: value});
    for (name, value) in [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!("conv_1")),
        ("prompt", json!({"id": "pmpt_1"})),
        ("background", json!(true)),
    ] {
        let (param, message, code) = refused(ask(name, value));
        assert_eq!((&*param, code), (name, "unsupported_parameter"), "{message}");
        assert!(message.starts_with(&format!("`{name}` ")), "{message}");
    }
    let item = json!({"model": "m", "input": [{"type": "item_reference", "id": "msg_1"}]});
    let (param, message, _) = refused(item);
    assert!(param == "input[0].id" && message.contains("send the item itself"), "{message}");
    // What asks for nothing is accepted.
    for (name, value) in [
        ("store", json!(true)),
        ("background", json!(false)),
        ("previous_response_id", Value::Null),
        ("truncation", json!("disabled")),
        ("stream_options", json!({"include_obfuscation": true})),
    ] {
        let request = decode_request(ask(name, value).to_string().as_bytes()).unwrap();
        assert!(request.rest.is_empty(), "{name}: {:?}", request.rest);
    }
}

#[test]
fn errors_name_the_place() {
    let cases = [
        (json!({"model": "m"}), "input"),
        (json!({"input": "x"}), "model"),
        (json!({"model": "m", "input": []}), "input"),
        (json!({"model": "m", "input": 7}), "input"),
        (json!({"model": "m", "input": ["x"]}), "input[0]"),
        (json!({"model": "m", "input": [{"content": "x"}]}), "input[0].type"),
        (json!({"model": "m", "input": [{"role": "tool", "content": "x"}]}), "input[0].role"),
        (json!({"model": "m", "input": [{"role": "user"}]}), "input[0].content"),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0].image_url",
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call_output", "call_id": "c"}]}),
            "input[0].output",
        ),
        (json!({"model": "m", "input": [{"type": "function_call", "name": "f"}]}), "input[0].call_id"),
        (json!({"model": "m", "input": "x", "tools": [{"type": "function"}]}), "tools[0].name"),
        (json!({"model": "m", "input": "x", "tool_choice": "maybe"}), "tool_choice"),
        (json!({"model": "m", "input": "x", "reasoning": {"effort": "much"}}), "reasoning.effort"),
        (json!({"model": "m", "input": "x", "text": {"format": {"type": "yaml"}}}), "text.format.type"),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "json_schema"}}}),
            "text.format.schema",
        ),
    ];
    for (body, place) in cases {
        assert_eq!(refused(body.clone()).0, place, "{body}");
    }
}

#[test]
fn tools_of_the_vendor_are_refused_by_their_type_or_left_out_by_it() {
    use crate::anthropic;
    use crate::openai::chat;
    let body = json!({"model": "m", "input": "x", "tools": [{"type": "web_search"}]});
    let request = decode_request(body.to_string().as_bytes()).unwrap();
    let at_chat =
        |losses: &Losses| chat::encode_request(&request, &target(), losses, &chat::Options::default());
    let at_anthropic = |losses: &Losses| {
        anthropic::encode_request(&request, &target(), losses, anthropic::Options::default())
    };
    for refused in [at_chat(&Losses::NONE).unwrap_err(), at_anthropic(&Losses::NONE).unwrap_err()] {
        assert_eq!(refused.param, "tools[0]");
        assert!(refused.message.contains("web_search"), "{}", refused.message);
    }
    for listed in ["web_search", "tools", "*"] {
        let losses = Losses::allowed([listed]);
        for encoded in [at_chat(&losses).unwrap(), at_anthropic(&losses).unwrap()] {
            assert!(encoded.dropped.iter().any(|dropped| dropped.param == "web_search"));
        }
    }
}

#[test]
fn a_function_of_a_group_has_its_groups_name_in_front_where_there_are_no_groups() {
    use crate::openai::chat;
    let (request, echo) = decode_request_and_echo(FULL_REQUEST.as_bytes()).unwrap();
    let losses = Losses::allowed(["*"]);
    let encoded = chat::encode_request(&request, &target(), &losses, &chat::Options::default()).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(body["tools"][2]["function"]["name"], "agents__spawn_agent");
    assert_eq!(echo.names.split("agents__close_agent"), (Some("agents"), "close_agent"));
    assert_eq!(echo.names.split("agents__unknown"), (None, "agents__unknown"));
}

#[test]
fn free_text_tools_are_functions_where_a_target_knows_no_others() {
    let mut request = full();
    let customs = CustomTools::of(&request).unwrap();
    assert_eq!(CustomTools::into_functions(&mut request), Some(customs));
    assert!(request.tools.iter().all(|tool| !matches!(tool.kind, ToolKind::Custom { .. })));
}

fn thought(opaque: Option<Opaque>) -> Request {
    let thought = Reasoning { text: "Hm.".into(), opaque, ..Reasoning::default() };
    let turn = vec![Part::Reasoning(thought), Part::text("Yes.")];
    let messages = vec![Message::new(Role::User, vec![Part::text("?")]), Message::new(Role::Assistant, turn)];
    Request { model: "m".into(), messages, ..Request::default() }
}

/// Wire.md, trap 7: a foreign proof is refused by every vendor that checks them.
#[test]
fn thoughts_go_back_to_their_own_model_only() {
    let proof = |dialect, origin| Some(Opaque { dialect, origin, data: "gAAA".into() });
    let here = written(&thought(proof(Dialect::Responses, Some(origin()))));
    assert_eq!(here["input"][1]["encrypted_content"], "gAAA");
    let elsewhere = Origin { provider: "vendor".into(), model: "other".into() };
    for foreign in [
        proof(Dialect::Responses, Some(elsewhere)),
        proof(Dialect::Anthropic, Some(origin())),
        proof(Dialect::Gemini, None),
        None,
    ] {
        let encoded = encode_request(&thought(foreign), &target(), &Losses::NONE).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(body["input"].as_array().unwrap().len(), 2, "{body}");
        assert_eq!(encoded.dropped[0].param, "reasoning");
    }
}

#[test]
fn what_the_dialect_has_no_form_for_is_refused_by_name() {
    use crate::openai::chat;
    let ask = |name: &str, value: Value| {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], name: value});
        let request = chat::decode_request(body.to_string().as_bytes()).unwrap();
        encode_request(&request, &target(), &Losses::NONE)
    };
    for (name, value) in [
        ("seed", json!(7)),
        ("stop", json!(["END"])),
        ("logit_bias", json!({"1": 2})),
        ("n", json!(2)),
        ("presence_penalty", json!(0.5)),
        ("top_k", json!(4)),
    ] {
        assert_eq!(ask(name, value).unwrap_err().param, name);
    }
    // What is the default anyway needs no form.
    for (name, value) in [("n", json!(1)), ("presence_penalty", json!(0)), ("logit_bias", json!({}))] {
        ask(name, value).unwrap();
    }
    // A client of another dialect cannot ask for the proofs without which a thought could not go on.
    let body: Value = serde_json::from_slice(&ask("user", json!("u")).unwrap().body).unwrap();
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}
