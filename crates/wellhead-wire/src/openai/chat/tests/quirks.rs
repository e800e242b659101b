//! One test per quirk that vendors of the family have (docs/reference/quirks.md says whose).

use super::super::{Options, Param, Params, ReasoningBack, ThinkingForm};
use super::requests::{ask, encode, encode_for};
use super::target;
use crate::chat::{Abilities, Losses, Target};
use serde_json::{Value, json};

fn dropped_and(more: &Value, options: &Options) -> (Value, Vec<String>) {
    encode(&ask(more), options).unwrap_or_else(|refused| panic!("{refused}: {more}"))
}

/// Refused by this name; left out, and listed under it, where that is allowed.
fn refused(more: &Value, options: &Options, param: &str, says: &str) -> Value {
    let refused = encode(&ask(more), options).unwrap_err();
    assert_eq!(refused.param, param, "{more}");
    assert!(refused.message.contains(says), "{}", refused.message);
    let (body, dropped) = encode_for(&ask(more), options, &target(), &Losses::allowed([param])).unwrap();
    assert!(dropped.iter().any(|dropped| dropped == param), "{dropped:?}");
    body
}

#[test]
fn content_of_nothing_but_text_is_one_text() {
    let options = Options { content_as_text: true, ..Options::default() };
    let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    let (body, _) = dropped_and(&json!({"messages": [{"role": "user", "content": parts}]}), &options);
    assert_eq!(body["messages"][0]["content"], "a\nb");
    let image = json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://e.org/a"}}]);
    let (body, _) = dropped_and(&json!({"messages": [{"role": "user", "content": image}]}), &options);
    assert_eq!(body["messages"][0]["content"], image, "a picture needs the list");
}

#[test]
fn instructions_go_to_the_beginning_and_become_one() {
    let options = Options { system_first: true, no_developer: true, ..Options::default() };
    let messages = json!([
        {"role": "system", "content": "a"}, {"role": "developer", "content": "b", "name": "n"},
        {"role": "user", "content": "x"}, {"role": "assistant", "content": "y"},
        {"role": "system", "content": "c"}, {"role": "user", "content": "z"},
    ]);
    let (body, dropped) = dropped_and(&json!({"messages": messages}), &options);
    let texts =
        json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "text", "text": "c"}]);
    assert_eq!(body["messages"][0], json!({"role": "system", "content": texts}));
    let roles: Vec<&str> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert_eq!(dropped, ["messages[4].role", "messages[1].name"], "what has lost its place is said");
    let (body, dropped) = dropped_and(&json!({"messages": [messages[0], messages[2]]}), &options);
    assert_eq!((&body["messages"][0], dropped.len()), (&messages[0], 0));
}

#[test]
fn neighbours_of_one_role_become_one() {
    let options = Options { alternates: true, content_as_text: true, ..Options::default() };
    let call = json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let messages = json!([
        {"role": "user", "content": "a"}, {"role": "user", "content": "b"},
        {"role": "assistant", "content": null, "tool_calls": call},
        {"role": "tool", "tool_call_id": "c", "content": "1"}, {"role": "tool", "tool_call_id": "c", "content": "2"},
        {"role": "user", "content": "d"},
    ]);
    let (body, _) = dropped_and(&json!({"messages": messages}), &options);
    let roles: Vec<&str> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"], "results stay what they are");
    assert_eq!(body["messages"][0]["content"], "a\nb");
}

#[test]
fn a_named_tool_is_the_only_one_that_is_offered() {
    let options = Options { no_named_tool: true, ..Options::default() };
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let named = json!({"type": "function", "function": {"name": "g"}});
    let more = json!({"tools": [tool("f"), tool("g"), tool("h")], "tool_choice": named});
    let (body, _) = dropped_and(&more, &options);
    assert_eq!((&body["tools"], &body["tool_choice"]), (&json!([tool("g")]), &json!("required")));
    let allowed =
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool("f"), tool("h")]}});
    let more = json!({"tools": [tool("f"), tool("g"), tool("h")], "tool_choice": allowed});
    let (body, _) = dropped_and(&more, &options);
    assert_eq!((&body["tools"], &body["tool_choice"]), (&json!([tool("f"), tool("h")]), &json!("auto")));
    let (body, _) = dropped_and(&json!({"tools": [tool("f"), tool("g")], "tool_choice": "auto"}), &options);
    assert_eq!(body["tools"].as_array().unwrap().len(), 2);
}

#[test]
fn a_call_that_cannot_be_demanded_is_refused() {
    let options = Options { no_forced_tool: true, ..Options::default() };
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let body =
        refused(&json!({"tools": tools, "tool_choice": "required"}), &options, "tool_choice", "demand");
    assert_eq!(body.get("tool_choice"), None);
    let (body, dropped) = dropped_and(&json!({"tools": tools, "tool_choice": "auto"}), &options);
    assert_eq!((&body["tool_choice"], dropped.len()), (&json!("auto"), 0));
}

#[test]
fn a_promise_that_is_not_kept_is_not_asked_for() {
    let options = Options { no_strict_tools: true, ..Options::default() };
    let tool = |strict: bool| json!({"type": "function", "function": {"name": "f", "strict": strict}});
    let (body, dropped) = dropped_and(&json!({"tools": [tool(true), tool(false)]}), &options);
    assert_eq!(
        (body["tools"][0]["function"].get("strict"), body["tools"][1]["function"].get("strict")),
        (None, None)
    );
    assert_eq!(dropped, ["tools[0].strict"], "false promises nothing");
}

#[test]
fn a_schema_is_told_in_words_where_there_is_only_json_mode() {
    let options = Options { no_json_schema: true, ..Options::default() };
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
    let format = |strict: Value| {
        json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "x"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": strict}}})
    };
    let (body, dropped) = dropped_and(&format(Value::Null), &options);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(dropped, ["response_format.json_schema"]);
    let told = body["messages"][1]["content"].as_str().unwrap();
    assert!(told.contains("JSON") && told.contains(r#""required":["a"]"#), "{told}");
    assert_eq!(
        (&body["messages"][0]["content"], &body["messages"][2]["content"]),
        (&json!("s"), &json!("x"))
    );
    // A promise is a promise.
    let body = refused(&format(json!(true)), &options, "response_format", "cannot promise");
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    let list = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}});
    let body = refused(&list, &options, "response_format", "cannot hold to");
    assert_eq!(body.get("response_format"), None, "JSON mode knows objects only");
    let (body, dropped) = dropped_and(&json!({"response_format": {"type": "json_object"}}), &options);
    assert_eq!((&body["response_format"]["type"], dropped.len()), (&json!("json_object"), 0));
}

#[test]
fn limits_of_vendors_are_kept_to_by_name() {
    let hot = Options { temperature_max: Some(1), stop_max: Some(2), ..Options::default() };
    refused(&json!({"temperature": 1.5}), &hot, "temperature", "above 1");
    refused(&json!({"stop": ["a", "b", "c"]}), &hot, "stop", "more than the 2");
    let (body, dropped) = dropped_and(&json!({"temperature": 1.0, "top_p": 0.5, "stop": ["a", "b"]}), &hot);
    assert_eq!((&body["temperature"], &body["stop"], dropped.len()), (&json!(1.0), &json!(["a", "b"]), 0));
}

#[test]
fn the_seed_has_its_vendors_name() {
    let options = Options { random_seed: true, ..Options::default() };
    let (body, _) = dropped_and(&json!({"seed": 7}), &options);
    assert_eq!((body.get("seed"), &body["random_seed"]), (None, &json!(7)));
}

#[test]
fn parameters_that_are_not_known_are_refused_unless_they_say_nothing() {
    let options = Options { without: Param::ALL.into_iter().collect(), ..Options::default() };
    for (name, value) in [
        ("frequency_penalty", json!(0.5)),
        ("presence_penalty", json!(0.5)),
        ("logit_bias", json!({"1": 1})),
        ("logprobs", json!(true)),
        ("n", json!(2)),
        ("seed", json!(1)),
        ("stop", json!("x")),
        ("verbosity", json!("low")),
        ("response_format", json!({"type": "json_object"})),
    ] {
        let body = refused(&json!({name: value}), &options, name, "");
        assert_eq!(body.get(name), None, "{name}");
    }
    let nothing = json!({"frequency_penalty": 0.0, "presence_penalty": 0, "logprobs": false, "top_logprobs": 0, "n": 1,
        "response_format": {"type": "text"}});
    let (body, dropped) = dropped_and(&nothing, &options);
    assert_eq!((body.as_object().unwrap().len(), dropped.len()), (2, 0), "{body}");
    // What changes nothing of the answer, and what vendors decide themselves.
    let labels = json!({"user": "u", "metadata": {"a": "b"}, "service_tier": "auto", "prompt_cache_key": "k",
        "reasoning_effort": "low"});
    let (_, mut dropped) = dropped_and(&labels, &options);
    dropped.sort();
    assert_eq!(dropped, ["metadata", "prompt_cache_key", "reasoning_effort", "service_tier", "user"]);
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let (body, dropped) = dropped_and(&json!({"tools": tools, "parallel_tool_calls": true}), &options);
    assert_eq!((body.get("parallel_tool_calls"), dropped), (None, vec!["parallel_tool_calls".to_owned()]));
    let one = json!({"tools": tools, "parallel_tool_calls": false});
    refused(&one, &options, "parallel_tool_calls", "cannot be turned off");
    let single = Target { can: Abilities { parallel_tools: false, ..Abilities::default() }, ..target() };
    let (_, dropped) = encode_for(&ask(&one), &options, &single, &Losses::NONE).unwrap();
    assert_eq!(dropped, ["parallel_tool_calls"], "it never makes several");
}

#[test]
fn each_parameter_of_open_models_is_known_by_itself() {
    let options = Options { knows: Params::NONE.with(Param::TopK), ..Options::default() };
    let (body, _) = dropped_and(&json!({"top_k": 5}), &options);
    assert_eq!(body["top_k"], 5);
    refused(&json!({"top_k": 5, "min_p": 0.1}), &options, "min_p", "not known");
}

#[test]
fn what_an_assistant_began_is_refused_where_nobody_goes_on_with_it() {
    let options = Options { no_prefill: true, ..Options::default() };
    let messages = json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]);
    let body = refused(&json!({"messages": messages}), &options, "messages[1]", "does not go on with");
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
    let unable = Target { can: Abilities { prefill: false, ..Abilities::default() }, ..target() };
    let of_model =
        encode_for(&ask(&json!({"messages": messages})), &Options::default(), &unable, &Losses::NONE);
    assert_eq!(
        of_model.unwrap_err().param,
        "messages[1]",
        "what the catalogue says of the model counts as well"
    );
    let call = json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let calls =
        json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": null, "tool_calls": call}]);
    assert!(encode(&ask(&json!({"messages": calls})), &options).is_ok());
}

#[test]
fn thoughts_go_back_on_every_turn_where_they_have_to() {
    let options = Options { reasoning_back: ReasoningBack::ContentAlways, ..Options::default() };
    let messages = json!([
        {"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "reasoning_content": "hm"},
        {"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}, {"role": "user", "content": "z"},
    ]);
    let (body, dropped) = dropped_and(&json!({"messages": messages}), &options);
    assert_eq!((&body["messages"][1]["reasoning_content"], dropped.len()), (&json!("hm"), 0));
    assert_eq!(body["messages"][3]["reasoning_content"], " ");
    assert_eq!(body["messages"][4].get("reasoning_content"), None);
}

#[test]
fn thinking_is_switched_and_measured_where_a_vendor_knows_both() {
    let options = Options { thinking: ThinkingForm::ThinkingEffort, ..Options::default() };
    let (body, dropped) = dropped_and(&json!({"reasoning_effort": "low"}), &options);
    assert_eq!((&body["thinking"], &body["reasoning_effort"]), (&json!({"type": "enabled"}), &json!("low")));
    assert!(dropped.is_empty(), "{dropped:?}");
    let (body, _) = dropped_and(&json!({"reasoning_effort": "none"}), &options);
    assert_eq!((&body["thinking"], body.get("reasoning_effort")), (&json!({"type": "disabled"}), None));
}
