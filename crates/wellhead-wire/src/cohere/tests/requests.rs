//! Requests: everything the dialect has, and what it has not.

use super::super::{decode_request, encode_request};
use super::target;
use crate::chat::{
    Abilities, Effort, Encoded, Format, Losses, Media, Message, Output, Part, Reasoning, ReasoningAsk,
    ReasoningMode, Request, Rest, Role, Sampling, Source, Target, Tool, ToolCall, ToolChoice, ToolKind,
    ToolResult, Unsupported,
};
use serde_json::{Value, json};

#[test]
fn a_request_with_every_member_comes_out_as_it_was() {
    let full: Value = serde_json::from_str(include_str!("full_request.json")).unwrap();
    let request = decode_request(full.to_string().as_bytes()).unwrap();
    let encoded = encode_request(&request, &target(), &Losses::NONE).unwrap();
    assert_eq!(encoded.dropped, []);
    let written: Value = serde_json::from_slice(&encoded.body).unwrap();
    for (name, value) in full.as_object().unwrap() {
        assert_eq!(&written[name], value, "{name}");
    }
    assert_eq!(written.as_object().unwrap().len(), full.as_object().unwrap().len());
}

#[test]
fn bad_members_are_named() {
    for (body, param) in [
        (json!({"messages": []}), "model"),
        (json!({"model": "m"}), "messages"),
        (json!({"model": "m", "messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id"),
        (json!({"model": "m", "messages": [{"role": "bot", "content": "x"}]}), "messages[0].role"),
        (json!({"model": "m", "messages": [{"role": "user"}]}), "messages[0].content"),
        (json!({"model": "m", "messages": [], "tool_choice": "ANY"}), "tool_choice"),
        (json!({"model": "m", "messages": [], "thinking": {"type": "x"}}), "thinking.type"),
        (json!({"model": "m", "messages": [], "response_format": {"type": "x"}}), "response_format.type"),
        (json!({"model": "m", "messages": [], "tools": [{"type": "function"}]}), "tools[0].function"),
        (json!({"model": "m", "messages": [], "k": "x"}), "k"),
    ] {
        let bad = decode_request(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(bad.param(), Some(param), "{body}: {bad}");
    }
}

fn asked() -> Request {
    Request {
        model: "m".into(),
        messages: vec![Message::new(Role::User, vec![Part::text("Hi")])],
        ..Request::default()
    }
}

fn encode(request: &Request, losses: &Losses) -> Result<Encoded, Unsupported> {
    encode_request(request, &target(), losses)
}

fn written(request: &Request) -> Value {
    serde_json::from_slice(&encode(request, &Losses::NONE).unwrap().body).unwrap()
}

fn refused(request: &Request) -> String {
    encode(request, &Losses::NONE).unwrap_err().param.into_owned()
}

fn dropped(request: &Request) -> Vec<String> {
    let dropped = encode(request, &Losses::NONE).unwrap().dropped;
    dropped.into_iter().map(|dropped| dropped.param.into_owned()).collect()
}

fn tool(name: &str, strict: Option<bool>) -> Tool {
    let kind = ToolKind::Function { name: name.into(), description: None, parameters: None, strict };
    Tool { kind, cache: None, rest: Rest::default() }
}

#[test]
fn one_of_the_tools_is_demanded_by_showing_no_other() {
    let with = |choice| Request {
        tools: vec![tool("f", None), tool("g", None), tool("h", None)],
        tool_choice: Some(choice),
        ..asked()
    };
    let names = |request: &Request| -> Vec<String> {
        let written = written(request);
        let tools = written["tools"].as_array().unwrap().clone();
        tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let one = with(ToolChoice::Tool("g".into()));
    assert_eq!((names(&one), &written(&one)["tool_choice"]), (vec!["g".into()], &json!("REQUIRED")));
    let some = with(ToolChoice::Allowed { names: vec!["g".into(), "h".into()], required: false });
    assert_eq!(names(&some), ["g", "h"]);
    assert_eq!(written(&some).get("tool_choice"), None);
    let all = with(ToolChoice::Required);
    assert_eq!((names(&all).len(), &written(&all)["tool_choice"]), (3, &json!("REQUIRED")));
    assert_eq!(written(&with(ToolChoice::None))["tool_choice"], "NONE");
    assert_eq!(written(&with(ToolChoice::Auto)).get("tool_choice"), None);
    assert_eq!(refused(&with(ToolChoice::Tool("nobody".into()))), "tool_choice");
    let target = Target { can: Abilities { forced_tool: false, ..Abilities::default() }, ..target() };
    let refused = encode_request(&all, &target, &Losses::NONE).unwrap_err();
    assert_eq!(refused.param, "tool_choice");
    // A schema is demanded by the vendor, also where there is nothing to be told.
    assert_eq!(written(&all)["tools"][0]["function"]["parameters"]["type"], "object");
}

#[test]
fn tools_are_strict_together() {
    let with = |strict: &[Option<bool>]| {
        let tools = strict.iter().map(|strict| tool("f", *strict)).collect();
        written(&Request { tools, ..asked() }).get("strict_tools").cloned()
    };
    assert_eq!(with(&[None, Some(true)]), Some(json!(true)));
    assert_eq!(with(&[None, Some(false)]), None);
}

#[test]
fn what_cohere_cannot_do_is_refused_by_name() {
    let sampling = |sampling: Sampling| Request { sampling, ..asked() };
    let shown = |part: Part| {
        let mut request = asked();
        request.messages[0].parts.push(part);
        request
    };
    let media = |source| Media { source, media_type: None };
    let schema = Format::JsonSchema { name: None, description: None, schema: json!({}), strict: None };
    let formatted = |format| Output { format: Some(format), ..Output::default() };
    let custom = ToolKind::Custom { name: "c".into(), description: None, format: None };
    let data = || Source::Base64("QUJD".into());
    for (request, param) in [
        (sampling(Sampling { candidates: Some(2), ..Sampling::default() }), "n"),
        (sampling(Sampling { top_logprobs: Some(3), ..Sampling::default() }), "top_logprobs"),
        (sampling(Sampling { p_floor: Some(0.5), ..Sampling::default() }), "min_p"),
        (sampling(Sampling { repetition_penalty: Some(1.5), ..Sampling::default() }), "repetition_penalty"),
        (sampling(Sampling { presence_penalty: Some(-0.5), ..Sampling::default() }), "presence_penalty"),
        (sampling(Sampling { frequency_penalty: Some(1.5), ..Sampling::default() }), "frequency_penalty"),
        (sampling(Sampling { stop: vec!["x".into(); 6], ..Sampling::default() }), "stop"),
        (
            Request { tools: vec![tool("f", None)], output: formatted(schema.clone()), ..asked() },
            "response_format",
        ),
        (
            Request { tools: vec![tool("f", None)], parallel_tool_calls: Some(false), ..asked() },
            "parallel_tool_calls",
        ),
        (Request { tools: vec![Tool { kind: custom, ..tool("f", None) }], ..asked() }, "tools[0]"),
        (shown(Part::Video { media: media(data()) }), "messages[0].content[1]"),
        (shown(Part::Audio { media: media(data()), id: None, transcript: None }), "messages[0].content[1]"),
        (
            shown(Part::Image { media: media(Source::File("f".into())), detail: None, cache: None }),
            "messages[0].content[1]",
        ),
        (
            shown(Part::Document {
                media: media(data()),
                title: None,
                context: None,
                citable: None,
                cache: None,
            }),
            "messages[0].content[1]",
        ),
    ] {
        assert_eq!(refused(&request), param);
        assert_eq!(
            encode(&request, &Losses::allowed(["*"])).unwrap().dropped.last().map(|dropped| &*dropped.param),
            Some(param)
        );
    }
    // The schema stands under the name that the vendor's SDK gives it.
    let schema = Request { output: formatted(schema), ..asked() };
    assert_eq!(written(&schema)["response_format"], json!({"type": "json_object", "json_schema": {}}));
}

/// Trap 12: `top_p: 1` is what half of all clients send, and out of Cohere's bounds.
#[test]
fn what_means_the_same_within_the_bounds_is_moved_there() {
    let with = |top_p, top_k| Request {
        sampling: Sampling { top_p: Some(top_p), top_k: Some(top_k), ..Sampling::default() },
        ..asked()
    };
    let all = with(1.0, 40);
    assert_eq!((&written(&all)["p"], &written(&all)["k"]), (&json!(0.99), &json!(40)));
    assert_eq!(dropped(&all), [""; 0]);
    let far = with(0.001, 1000);
    assert_eq!((&written(&far)["p"], &written(&far)["k"]), (&json!(0.01), &json!(500)));
    assert_eq!(dropped(&far), ["top_p", "top_k"]);
}

#[test]
fn thinking_is_switched_and_bounded() {
    let with = |mode, effort, budget_tokens| Request {
        reasoning: Some(ReasoningAsk { mode, effort, budget_tokens, show: None }),
        ..asked()
    };
    let budget = with(ReasoningMode::Enabled, None, Some(512));
    assert_eq!(written(&budget)["thinking"], json!({"type": "enabled", "token_budget": 512}));
    for off in [
        with(ReasoningMode::Disabled, None, Some(512)),
        with(ReasoningMode::Default, Some(Effort::None), None),
    ] {
        assert_eq!(written(&off)["thinking"], json!({"type": "disabled"}));
        assert_eq!(dropped(&off), [""; 0]);
    }
    let effort = with(ReasoningMode::Default, Some(Effort::High), None);
    assert_eq!(written(&effort)["thinking"], json!({"type": "enabled"}));
    assert_eq!(dropped(&effort), ["reasoning_effort"], "degrees are not known there");
    let target = Target { can: Abilities { reasoning: false, ..Abilities::default() }, ..target() };
    assert!(encode_request(&effort, &target, &Losses::NONE).is_err());
    let off = with(ReasoningMode::Disabled, None, None);
    let silent = encode_request(&off, &target, &Losses::NONE).unwrap();
    assert!(!String::from_utf8_lossy(&silent.body).contains("thinking"), "it never thinks");
}

/// Traps 1, 2 and 15: instructions stay where they are, each result is a message, and results are texts.
#[test]
fn conversations_of_other_dialects_find_their_places() {
    let call = |id: &str| {
        Part::ToolCall(ToolCall {
            id: id.into(),
            name: "f".into(),
            arguments: "{}".into(),
            is_custom: false,
            opaque: None,
            cache: None,
        })
    };
    let result = |id: &str, parts| {
        Part::ToolResult(ToolResult {
            call_id: id.into(),
            name: Some("f".into()),
            parts,
            is_error: true,
            cache: None,
        })
    };
    let thought = Part::Reasoning(Reasoning { text: "Hm.".into(), ..Reasoning::default() });
    let hidden = Part::Reasoning(Reasoning { is_redacted: true, ..Reasoning::default() });
    let request = Request {
        messages: vec![
            Message::new(Role::User, vec![Part::text("Hi")]),
            Message::new(Role::Assistant, vec![thought, Part::text("I ask."), call("a"), call("b")]),
            // Anthropic's form: results and what the user says in one turn.
            Message::new(
                Role::User,
                vec![
                    result("a", vec![Part::text("1"), Part::text("2")]),
                    result("b", vec![Part::text("3")]),
                    Part::text("Well?"),
                ],
            ),
            Message::new(Role::Assistant, vec![hidden]),
            Message::new(Role::Developer, vec![Part::text("Be kind.")]),
            Message::new(Role::User, vec![Part::text("Go on.")]),
        ],
        ..asked()
    };
    let calls = json!([
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    ]);
    let texts = json!([{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]);
    let thoughts = json!([{"type": "thinking", "thinking": "Hm."}]);
    let expected = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_plan": "I ask.", "tool_calls": calls, "content": thoughts},
        {"role": "tool", "tool_call_id": "a", "content": texts},
        {"role": "tool", "tool_call_id": "b", "content": "3"},
        {"role": "user", "content": "Well?"},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Go on."},
    ]);
    assert_eq!(written(&request)["messages"], expected);
    assert_eq!(dropped(&request), ["is_error", "reasoning"]);
}

#[test]
fn members_of_other_dialects_are_named() {
    let foreign = |name: &str| {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], name: {"a": 1}});
        crate::openai::chat::decode_request(body.to_string().as_bytes()).unwrap()
    };
    assert_eq!(refused(&foreign("web_search_options")), "web_search_options");
    assert_eq!(dropped(&foreign("safety_identifier")), ["safety_identifier"]);
}
