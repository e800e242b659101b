//! Requests: every member, every old form, what is refused and how.

use super::super::{
    Options, Params, PrefillMark, ReasoningBack, Style, ThinkingForm, decode_request, encode_request,
};
use super::{everything, origin, target};
use crate::chat::{
    Abilities, BadBody, Effort, Encoded, Losses, Opaque, Origin, Part, ReasoningMode, Role, Source, Target,
    ToolChoice, Unsupported,
};
use serde_json::{Value, json};

const FULL: &str = include_str!("full_request.json");

pub(super) fn encode(body: &Value, options: &Options) -> Result<(Value, Vec<String>), Unsupported> {
    encode_for(body, options, &target(), &Losses::NONE)
}

pub(super) fn encode_for(
    body: &Value,
    options: &Options,
    target: &Target,
    losses: &Losses,
) -> Result<(Value, Vec<String>), Unsupported> {
    let request = decode_request(body.to_string().as_bytes()).unwrap();
    let Encoded { body, dropped, .. } = encode_request(&request, target, losses, options)?;
    let dropped = dropped.into_iter().map(|dropped| dropped.param.into_owned()).collect();
    Ok((serde_json::from_slice(&body).unwrap(), dropped))
}

pub(super) fn ask(more: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_request_with_every_member_comes_out_as_it_was() {
    let full: Value = serde_json::from_str(FULL).unwrap();
    let (encoded, dropped) = encode(&full, &everything()).unwrap();
    assert_eq!(dropped, Vec::<String>::new());
    for (name, value) in full.as_object().unwrap() {
        assert_eq!(&encoded[name], value, "{name}");
    }
    assert_eq!(encoded.as_object().unwrap().len(), full.as_object().unwrap().len());
}

#[test]
fn a_request_with_every_member_is_understood() {
    let request = decode_request(FULL.as_bytes()).unwrap();
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, Developer, System, Tool, User};
    assert_eq!(roles, [System, Developer, User, Assistant, Tool, Assistant, Assistant, User, Assistant]);
    assert_eq!(request.messages[4].parts.len(), 2, "results that follow each other are one message");
    let Part::Image { media, .. } = &request.messages[2].parts[2] else { panic!() };
    assert_eq!(media.source, Source::Base64("iVBORw0KGgo=".into()));
    assert_eq!(media.media_type.as_deref(), Some("image/png"));
    let thoughts: Vec<_> = request.messages[3]
        .parts
        .iter()
        .filter_map(|part| if let Part::Reasoning(thought) = part { Some(thought) } else { None })
        .collect();
    assert_eq!(thoughts.len(), 3);
    assert!(thoughts[1].is_summary && thoughts[2].is_redacted && !thoughts[0].is_redacted);
    assert_eq!(request.sampling.max_tokens, Some(1000));
    assert_eq!(request.reasoning.unwrap().effort, Some(Effort::High));
    assert!(request.stream_usage);
    let own = request.rest.of(crate::chat::Dialect::Chat).unwrap();
    let names: Vec<&String> = own.keys().collect();
    let left = [
        "stream_options",
        "safety_identifier",
        "prediction",
        "prompt_cache_options",
        "store",
        "web_search_options",
    ];
    assert_eq!(names, left);
}

#[test]
fn old_and_foreign_forms_are_understood() {
    let request = decode_request(
        json!({
            "model": "m", "max_tokens": 100.0, "stop": "END", "n": 1, "tool_choice": "any",
            "thinking": {"type": "enabled", "budget_tokens": 2000}, "safety_identifier": "s",
            "messages": [
                {"role": "user", "content": ["bare", {"type": "image_url", "image_url": "https://e.org/a"}]},
                {"role": "assistant", "content": "", "reasoning": "hm", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
                {"role": "tool", "tool_call_id": "c", "content": []},
            ],
            "tools": [{"type": "function", "function": {"name": "f"}}],
        })
        .to_string()
        .as_bytes(),
    )
    .unwrap();
    assert_eq!((request.sampling.max_tokens, request.sampling.stop.len()), (Some(100), 1));
    assert_eq!((request.tool_choice, request.user.as_deref()), (Some(ToolChoice::Required), Some("s")));
    let asked = request.reasoning.unwrap();
    assert_eq!((asked.mode, asked.budget_tokens), (ReasoningMode::Enabled, Some(2000)));
    let [Part::Reasoning(thought), Part::ToolCall(call)] = &request.messages[1].parts[..] else { panic!() };
    assert_eq!((thought.text.as_str(), call.arguments.as_str()), ("hm", "{}"), "trap 5: empty arguments");
    let Part::ToolResult(result) = &request.messages[2].parts[0] else { panic!() };
    assert_eq!(result.parts, [Part::text("")]);
}

#[test]
fn functions_of_old_become_tools_and_their_calls_find_their_results() {
    let body = json!({
        "model": "m",
        "functions": [{"name": "f", "description": "d", "parameters": {"type": "object"}}],
        "function_call": {"name": "f"},
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "2"},
        ],
    });
    assert!(Style::of(body.to_string().as_bytes()).functions);
    assert!(!Style::of(FULL.as_bytes()).functions);
    let (encoded, _) = encode(&body, &Options::default()).unwrap();
    assert_eq!(encoded["tools"][0]["function"]["name"], "f");
    assert_eq!(encoded["tool_choice"], json!({"type": "function", "function": {"name": "f"}}));
    let ids: Vec<&Value> = [1, 3].iter().map(|at| &encoded["messages"][at]["tool_calls"][0]["id"]).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0], &encoded["messages"][2]["tool_call_id"]);
    assert_eq!(ids[1], &encoded["messages"][4]["tool_call_id"]);
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = |more: Value| match decode_request(ask(&more).to_string().as_bytes()) {
        Err(BadBody::Field(field)) => (field.param, field.code),
        other => panic!("{other:?}"),
    };
    for (more, param, code) in [
        (json!({"model": null}), "model", "missing_required_parameter"),
        (json!({"messages": []}), "messages", "invalid_value"),
        (json!({"messages": "Hi"}), "messages", "invalid_type"),
        (json!({"messages": [{"role": "robot", "content": "x"}]}), "messages[0].role", "invalid_value"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content", "missing_required_parameter"),
        (json!({"messages": [{"role": "user", "content": 7}]}), "messages[0].content", "invalid_value"),
        (json!({"messages": [{"role": "assistant"}]}), "messages[0].content", "missing_required_parameter"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}),
            "messages[0].content[0].image_url.url",
            "missing_required_parameter",
        ),
        (
            json!({"messages": [{"role": "tool", "content": "x"}]}),
            "messages[0].tool_call_id",
            "missing_required_parameter",
        ),
        (json!({"tools": [{"type": "function"}]}), "tools[0].function", "missing_required_parameter"),
        (json!({"tool_choice": "maybe"}), "tool_choice", "invalid_value"),
        (json!({"temperature": "hot"}), "temperature", "invalid_type"),
        (json!({"max_tokens": 1, "max_completion_tokens": 2}), "max_tokens", "invalid_value"),
        (json!({"reasoning_effort": "enormous"}), "reasoning_effort", "invalid_value"),
        (
            json!({"response_format": {"type": "json_schema"}}),
            "response_format.json_schema",
            "missing_required_parameter",
        ),
        (json!({"stop": [1]}), "stop[0]", "invalid_type"),
    ] {
        assert_eq!(wrong(more.clone()), (param.to_owned(), code), "{more}");
    }
}

#[test]
fn quirks_of_vendors_are_written() {
    let body = ask(&json!({
        "max_completion_tokens": 9, "stream": true, "user": "u", "metadata": {"a": "b"}, "service_tier": "auto",
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "n"},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_a-long-one", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "Abcdefg12", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_a-long-one", "content": "1"},
            {"role": "tool", "tool_call_id": "Abcdefg12", "content": "2"},
            {"role": "assistant", "content": "So"},
        ],
    }));
    let options = Options {
        max_tokens_only: true,
        content_as_text: true,
        no_developer: true,
        no_stream_usage: true,
        short_tool_ids: true,
        without: Params::LABELS,
        no_names: true,
        reasoning_back: ReasoningBack::ContentAlways,
        prefill: PrefillMark::Prefix,
        ..Options::default()
    };
    let (encoded, dropped) = encode(&body, &options).unwrap();
    let mut dropped = dropped;
    dropped.sort();
    assert_eq!(dropped, ["metadata", "name", "service_tier", "user"]);
    assert_eq!((&encoded["max_tokens"], &encoded["max_completion_tokens"]), (&json!(9), &Value::Null));
    assert_eq!(encoded["stream_options"], Value::Null);
    assert_eq!(encoded["messages"][0], json!({"role": "system", "content": "a\nb"}));
    let call = &encoded["messages"][2]["tool_calls"][0];
    let id = call["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "trap 6: {id}");
    assert_eq!(encoded["messages"][3]["tool_call_id"], call["id"]);
    assert_eq!(encoded["messages"][4]["tool_call_id"], "Abcdefg12", "what is right already stays");
    assert_eq!(encoded["messages"][5]["prefix"], json!(true));
    assert_eq!(encoded["messages"][2]["reasoning_content"], " ", "DeepSeek wants it on every turn");
    for (mark, name, at) in [
        (PrefillMark::Partial, "partial", "/messages/5/partial"),
        (PrefillMark::Continue, "continue_final_message", "/continue_final_message"),
    ] {
        let (encoded, _) = encode(&body, &Options { prefill: mark, ..options }).unwrap();
        assert_eq!(encoded.pointer(at), Some(&json!(true)), "{name}");
    }
}

#[test]
fn thinking_is_asked_for_in_every_vendors_form() {
    let encode = |ask_for: Value, thinking: ThinkingForm| {
        encode(&ask(&ask_for), &Options { thinking, ..Options::default() }).unwrap()
    };
    let effort = json!({"reasoning_effort": "low"});
    let off = json!({"reasoning_effort": "none"});
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 20_000}});
    for (asked, form, pointer, expected, dropped) in [
        (&effort, ThinkingForm::Effort, "/reasoning_effort", json!("low"), 0),
        (&off, ThinkingForm::Effort, "/reasoning_effort", json!("none"), 0),
        (&budget, ThinkingForm::Effort, "/reasoning_effort", json!("high"), 1),
        (&effort, ThinkingForm::Reasoning, "/reasoning", json!({"effort": "low"}), 0),
        (&budget, ThinkingForm::Reasoning, "/reasoning", json!({"max_tokens": 20_000, "enabled": true}), 0),
        (&effort, ThinkingForm::Thinking, "/thinking", json!({"type": "enabled"}), 1),
        (&off, ThinkingForm::Thinking, "/thinking", json!({"type": "disabled"}), 0),
        (&budget, ThinkingForm::Enable, "/thinking_budget", json!(20_000), 0),
        (&off, ThinkingForm::Enable, "/enable_thinking", json!(false), 0),
        (&off, ThinkingForm::Template, "/chat_template_kwargs", json!({"enable_thinking": false}), 0),
    ] {
        let (encoded, lost) = encode(asked.clone(), form);
        assert_eq!(encoded.pointer(pointer), Some(&expected), "{form:?}");
        assert_eq!(lost.len(), dropped, "{form:?}: {lost:?}");
    }
}

#[test]
fn what_a_target_cannot_do_is_refused_by_name_or_left_out_and_said() {
    let image = json!([{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "https://e.org/a"}}]);
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let none = Abilities {
        tools: false,
        forced_tool: false,
        images: false,
        json_schema: false,
        json_object: false,
        reasoning: false,
        sampling: false,
        stop: false,
        ..Abilities::default()
    };
    let no_force = Abilities { forced_tool: false, ..Abilities::default() };
    for (more, can, param) in [
        (json!({"tools": tools}), none, "tools"),
        (json!({"tools": tools, "tool_choice": "required"}), no_force, "tool_choice"),
        (json!({"messages": [{"role": "user", "content": image}]}), none, "messages[0].content[1]"),
        (json!({"response_format": {"type": "json_object"}}), none, "response_format"),
        (json!({"reasoning_effort": "low"}), none, "reasoning_effort"),
        (json!({"temperature": 0.5}), none, "temperature"),
        (json!({"stop": "x"}), none, "stop"),
        (json!({"top_k": 5}), Abilities::default(), "top_k"),
    ] {
        let target = Target { can, ..target() };
        let refused = encode_for(&ask(&more), &Options::default(), &target, &Losses::NONE).unwrap_err();
        assert_eq!(refused.param, param);
        let allowed = Losses::allowed([param]);
        let (_, dropped) = encode_for(&ask(&more), &Options::default(), &target, &allowed).unwrap();
        assert_eq!(dropped, [param]);
    }
    // What the model does anyway.
    let target = Target { can: none, ..target() };
    let more = json!({"temperature": 1, "reasoning_effort": "none"});
    let (encoded, dropped) = encode_for(&ask(&more), &Options::default(), &target, &Losses::NONE).unwrap();
    assert_eq!((encoded.get("temperature"), dropped.len()), (None, 2));
}

#[test]
fn proofs_go_back_to_where_they_came_from_and_nowhere_else() {
    // Trap 7: a foreign signature is refused by every vendor that checks them.
    let foreign = Origin { provider: "other".into(), model: "m".into() };
    let tagged =
        |origin: Origin, dialect| Opaque { dialect, origin: Some(origin), data: "c2ln".into() }.to_text();
    let body = |proof: &str| {
        ask(&json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": null,
            "reasoning_content": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": proof, "index": 0}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"thought_signature": proof}}}]}]}))
    };
    let encoded = |proof: &str| encode(&body(proof), &everything()).unwrap().0["messages"][1].clone();
    let own = encoded(&tagged(origin(), crate::chat::Dialect::Chat));
    assert_eq!(own["reasoning_details"][0]["signature"], "c2ln");
    assert_eq!(own["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "c2ln");
    for proof in [tagged(foreign, crate::chat::Dialect::Chat), tagged(origin(), crate::chat::Dialect::Gemini)]
    {
        let other = encoded(&proof);
        assert_eq!(other.get("reasoning_details"), None);
        assert_eq!(other["tool_calls"][0].get("extra_content"), None);
    }
}

#[test]
fn a_vendors_own_entries_go_back_with_every_member() {
    let entries = json!([
        {"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "ZW5j", "id": "rs_1", "format": "openai-responses-v1", "index": 1},
    ]);
    let body = ask(
        &json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "reasoning_details": entries}]}),
    );
    let (encoded, _) = encode(&body, &everything()).unwrap();
    let sorted = |value: &Value| {
        let mut all: Vec<String> =
            value.as_object().unwrap().iter().map(|(k, v)| format!("{k}={v}")).collect();
        all.sort();
        all
    };
    for at in 0..2 {
        assert_eq!(sorted(&encoded["messages"][1]["reasoning_details"][at]), sorted(&entries[at]));
    }
}

#[test]
fn images_of_results_go_where_vendors_take_them() {
    // Trap 15: `tool` messages take only text.
    let result = json!([{"type": "text", "text": "seen"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]);
    let body = ask(&json!({"messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": result},
    ]}));
    let (encoded, dropped) = encode(&body, &Options::default()).unwrap();
    assert_eq!(encoded["messages"][2], json!({"role": "tool", "tool_call_id": "c", "content": "seen"}));
    assert_eq!(encoded["messages"][3]["role"], "user");
    assert_eq!(encoded["messages"][3]["content"][1]["type"], "image_url");
    assert_eq!(dropped, Vec::<String>::new());
    let (encoded, _) = encode(&body, &everything()).unwrap();
    assert_eq!(encoded["messages"][2]["content"], result);
}
