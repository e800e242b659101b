//! Requests as they are written for targets.

use super::{asking, client, origin, read, refused, says, target, written, written_with};
use crate::anthropic::{Envelope, Options, Thinking, Version};
use crate::chat::{
    CacheHint, Dialect, Format, Losses, Media, Message, Opaque, Origin, Part, Reasoning, ReasoningAsk,
    Request, Rest, Role, Source, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use serde_json::{Map, Value, json};

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        is_custom: false,
        opaque: None,
        cache: None,
    })
}

fn result(id: &str, text: &str) -> Part {
    Part::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        parts: vec![Part::text(text)],
        is_error: false,
        cache: None,
    })
}

fn tool(name: &str) -> Tool {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let kind =
        ToolKind::Function { name: name.into(), description: None, parameters: Some(schema), strict: None };
    Tool { kind, cache: None, rest: Rest::default() }
}

fn messages(request: &Request) -> Value {
    written_with(request, &target(), &Losses::NONE, Options::default()).0["messages"].clone()
}

#[test]
fn every_member_survives_its_way_through_the_model() {
    let full: Value = serde_json::from_str(include_str!("request_full.json")).unwrap();
    let request = read(&full);
    assert_eq!(written(&request, &target(), Options::default()), full);
}

#[test]
fn what_an_openai_client_asks_becomes_this_dialect() {
    let mut request = asking(vec![
        says(Role::System, "Be brief."),
        says(Role::Developer, "Use tools."),
        says(Role::User, "Weather in Bern and Basel?"),
        Message::new(
            Role::Assistant,
            vec![call("call_1", "weather", r#"{"city": "Bern"}"#), call("call_2", "weather", "")],
        ),
        Message::new(Role::Tool, vec![result("call_1", "20")]),
        Message::new(Role::Tool, vec![result("call_2", "21")]),
        says(Role::User, "And now?"),
    ]);
    request.tools = vec![tool("weather")];
    request.tool_choice = Some(ToolChoice::Required);
    request.parallel_tool_calls = Some(false);
    request.output.format = Some(Format::JsonSchema {
        name: Some("w".into()),
        description: None,
        schema: json!({"type": "object"}),
        strict: Some(true),
    });
    request.sampling.stop = vec!["END".into()];
    request.sampling.temperature = Some(0.5);
    request.user = Some("u7".into());
    request.stream = true;
    let expected = json!({
        "model": "claude-x",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Use tools."}],
        "messages": [
            {"role": "user", "content": "Weather in Bern and Basel?"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bern"}},
                {"type": "tool_use", "id": "call_2", "name": "weather", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "20"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "21"},
                {"type": "text", "text": "And now?"},
            ]},
        ],
        "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "stop_sequences": ["END"],
        "temperature": 0.5,
        "metadata": {"user_id": "u7"},
        "stream": true,
    });
    assert_eq!(written(&request, &target(), Options::default()), expected);
}

#[test]
fn trap_1_instructions_keep_their_place_where_the_model_reads_them_there() {
    let conversation = vec![
        says(Role::System, "First"),
        says(Role::User, "A"),
        says(Role::System, "Then"),
        says(Role::Developer, "also"),
        says(Role::Assistant, "B"),
        says(Role::System, "Before the user speaks"),
        says(Role::User, "C"),
    ];
    let body = written(&asking(conversation.clone()), &target(), Options::default());
    assert_eq!(body["system"], "First");
    // The vendor takes one message of instructions at a time, right behind a user's turn.
    let expected = json!([
        {"role": "user", "content": "A"},
        {"role": "system", "content": [{"type": "text", "text": "Then"}, {"type": "text", "text": "also"}]},
        {"role": "assistant", "content": "B"},
        {"role": "user", "content": "C"},
        {"role": "system", "content": "Before the user speaks"},
    ]);
    assert_eq!(body["messages"], expected);

    let mut older = target();
    older.can.system_anywhere = false;
    let (body, dropped) = written_with(&asking(conversation), &older, &Losses::NONE, Options::default());
    let texts: Vec<&Value> = body["system"].as_array().unwrap().iter().map(|block| &block["text"]).collect();
    assert_eq!(texts, ["First", "Then", "also", "Before the user speaks"]);
    assert!(body["messages"].as_array().unwrap().iter().all(|turn| turn["role"] != "system"));
    assert_eq!(dropped, ["messages.role"], "the client is told that they lost their place");
}

#[test]
fn instructions_between_two_answers_have_no_place_but_the_beginning() {
    let request = asking(vec![
        says(Role::User, "A"),
        says(Role::Assistant, "B"),
        says(Role::System, "Now"),
        says(Role::Assistant, "C"),
        says(Role::User, "D"),
    ]);
    let (body, dropped) = written_with(&request, &target(), &Losses::NONE, Options::default());
    assert_eq!((&body["system"], dropped), (&json!("Now"), vec!["messages.role".to_owned()]));
    assert_eq!(body["messages"][1]["content"].as_array().unwrap().len(), 2);
}

#[test]
fn trap_2_turns_alternate_and_results_come_first() {
    let request = asking(vec![
        says(Role::User, "a"),
        says(Role::User, "b"),
        Message::new(Role::Assistant, vec![call("1", "f", "{}")]),
        says(Role::Assistant, "c"),
        says(Role::User, "said before the result"),
        Message::new(Role::Tool, vec![result("1", "r")]),
    ]);
    let mut request = request;
    request.tools = vec![tool("f")];
    let turns = messages(&request);
    let roles: Vec<&Value> = turns.as_array().unwrap().iter().map(|turn| &turn["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let kinds: Vec<&Value> = turns[2]["content"].as_array().unwrap().iter().map(|b| &b["type"]).collect();
    assert_eq!(kinds, ["tool_result", "text"]);
}

#[test]
fn trap_3_tools_that_the_conversation_called_are_known_to_the_target_even_without_tools() {
    let request = asking(vec![
        says(Role::User, "a"),
        Message::new(Role::Assistant, vec![call("1", "f", "{}"), call("2", "g", "{}"), call("3", "f", "{}")]),
        Message::new(Role::Tool, vec![result("1", "r"), result("2", "r"), result("3", "r")]),
    ]);
    let body = written(&request, &target(), Options::default());
    let names: Vec<&Value> = body["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["f", "g"]);
    assert_eq!(body["tool_choice"], json!({"type": "none"}), "and cannot be called");
}

#[test]
fn trap_5_arguments_are_an_object_whatever_was_said() {
    let said = ["", "  ", "{\"a\":12345678901234567890123}", "{\"cut\": ", "[1]", "free text"];
    let calls = said.iter().enumerate().map(|(n, text)| call(&format!("c{n}"), "f", text)).collect();
    let mut request = asking(vec![says(Role::User, "a"), Message::new(Role::Assistant, calls)]);
    request.tools = vec![tool("f")];
    let encoded =
        crate::anthropic::encode_request(&request, &target(), &Losses::NONE, Options::default()).unwrap();
    let text = String::from_utf8(encoded.body.to_vec()).unwrap();
    assert!(text.contains(r#""input":{"a":12345678901234567890123}"#), "numbers keep every digit: {text}");
    let body: Value = serde_json::from_str(&text).unwrap();
    let inputs: Vec<Value> = body["messages"][1]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["input"].clone())
        .collect();
    assert_eq!((&inputs[0], &inputs[1]), (&json!({}), &json!({})));
    assert_eq!(inputs[3], json!({"input": "{\"cut\": "}));
    assert_eq!(inputs[4], json!({"input": "[1]"}));
    assert_eq!(inputs[5], json!({"input": "free text"}));
}

fn thought(text: &str, dialect: Dialect, from: Option<Origin>) -> Part {
    let opaque = Some(Opaque { dialect, origin: from, data: "sig".into() });
    Part::Reasoning(Reasoning { text: text.into(), opaque, ..Reasoning::default() })
}

#[test]
fn trap_7_thoughts_go_back_to_whoever_thought_them_and_to_nobody_else() {
    let other = Origin { provider: "bedrock".into(), model: "claude-x".into() };
    let unsigned = Part::Reasoning(Reasoning { text: "unsigned".into(), ..Reasoning::default() });
    let parts = vec![
        thought("mine", Dialect::Anthropic, Some(origin())),
        thought("the client's", Dialect::Anthropic, None),
        thought("another host's", Dialect::Anthropic, Some(other)),
        thought("another vendor's", Dialect::Gemini, Some(origin())),
        unsigned,
        Part::text("said"),
    ];
    let request =
        asking(vec![says(Role::User, "a"), Message::new(Role::Assistant, parts), says(Role::User, "b")]);
    let (body, dropped) = written_with(&request, &target(), &Losses::NONE, Options::default());
    let expected = json!([
        {"type": "thinking", "thinking": "mine", "signature": "sig"},
        {"type": "thinking", "thinking": "the client's", "signature": "sig"},
        {"type": "text", "text": "said"},
    ]);
    assert_eq!(body["messages"][1]["content"], expected);
    assert_eq!(dropped, ["messages.reasoning"]);
}

#[test]
fn trap_7_a_call_that_another_vendor_made_without_a_thought_turns_thinking_off_for_its_results() {
    let mut request = asking(vec![
        says(Role::User, "a"),
        Message::new(Role::Assistant, vec![thought("x", Dialect::Gemini, None), call("1", "f", "{}")]),
        Message::new(Role::Tool, vec![result("1", "r")]),
    ]);
    request.tools = vec![tool("f")];
    request.sampling.max_tokens = Some(9000);
    request.reasoning = Some(ReasoningAsk { budget_tokens: Some(2000), ..ReasoningAsk::default() });
    let (body, dropped) = written_with(&request, &target(), &Losses::NONE, Options::default());
    assert_eq!(body.get("thinking"), None, "the vendor would answer 400");
    assert_eq!(dropped, ["messages.reasoning", "thinking"]);
    // With its own thought in front of the call it goes on thinking.
    request.messages[1].parts[0] = thought("x", Dialect::Anthropic, Some(origin()));
    assert_eq!(
        written(&request, &target(), Options::default())["thinking"],
        json!({"type": "enabled", "budget_tokens": 2000})
    );
}

#[test]
fn trap_11_the_limit_that_the_vendor_demands_comes_from_the_catalogue() {
    let mut request = asking(vec![says(Role::User, "a")]);
    request.sampling.max_tokens = None;
    let mut known = target();
    known.output_tokens_max = Some(64_000);
    assert_eq!(written(&request, &known, Options::default())["max_tokens"], 64_000);
    assert_eq!(written(&request, &target(), Options::default())["max_tokens"], 4096);
    request.sampling.max_tokens = Some(100_000);
    assert_eq!(written(&request, &known, Options::default())["max_tokens"], 64_000, "more it cannot write");
    request.sampling.max_tokens = Some(0);
    assert_eq!(written(&request, &known, Options::default())["max_tokens"], 0, "warms the cache");
}

#[test]
fn trap_12_sampling_is_refused_by_name_where_it_is_not_taken() {
    let newer = Options { version: Version::V2026, ..Options::default() };
    let mut model = target();
    model.can.sampling = false;
    for (target, options) in [(&target(), newer), (&model, Options::default())] {
        for name in ["temperature", "top_p", "top_k"] {
            let mut request = asking(vec![says(Role::User, "a")]);
            match name {
                "temperature" => request.sampling.temperature = Some(0.5),
                "top_p" => request.sampling.top_p = Some(0.5),
                _ => request.sampling.top_k = Some(5),
            }
            assert_eq!(refused(&request, target, options), name);
            let (body, dropped) = written_with(&request, target, &Losses::allowed([name]), options);
            assert_eq!((body.get(name), dropped), (None, vec![name.to_owned()]));
        }
        let mut request = asking(vec![says(Role::User, "a")]);
        (request.sampling.temperature, request.sampling.top_p) = (Some(1.0), Some(1.0));
        let (body, dropped) = written_with(&request, target, &Losses::NONE, options);
        assert_eq!((body.get("temperature"), dropped.len()), (None, 2), "the defaults change nothing");
    }
    let mut request = asking(vec![says(Role::User, "a")]);
    request.sampling.temperature = Some(1.5);
    assert_eq!(refused(&request, &target(), Options::default()), "temperature", "others go up to 2");
}

#[test]
fn trap_13_what_the_dialect_has_no_word_for_is_refused_by_name() {
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 13] = [
        ("n", |r| r.sampling.candidates = Some(2)),
        ("seed", |r| r.sampling.seed = Some(7)),
        ("logprobs", |r| r.sampling.logprobs = Some(true)),
        ("top_logprobs", |r| r.sampling.top_logprobs = Some(2)),
        ("frequency_penalty", |r| r.sampling.frequency_penalty = Some(0.5)),
        ("presence_penalty", |r| r.sampling.presence_penalty = Some(0.5)),
        ("repetition_penalty", |r| r.sampling.repetition_penalty = Some(1.1)),
        ("min_p", |r| r.sampling.p_floor = Some(0.1)),
        ("logit_bias", |r| {
            r.sampling.logit_bias = Some(Map::from_iter([("5".to_owned(), json!(1))]));
        }),
        ("response_format", |r| r.output.format = Some(Format::JsonObject)),
        ("modalities", |r| r.output.modalities = vec!["text".into(), "audio".into()]),
        ("web_search_options", |r| {
            let rest = Map::from_iter([("web_search_options".to_owned(), json!({}))]);
            r.rest = Rest::new(Dialect::Chat, rest);
        }),
        ("stop", |r| r.sampling.stop = vec!["\n".into()]),
    ];
    for (name, change) in changes {
        let mut request = asking(vec![says(Role::User, "a")]);
        change(&mut request);
        assert_eq!(refused(&request, &target(), Options::default()), name);
        let (_, dropped) = written_with(&request, &target(), &Losses::allowed([name]), Options::default());
        assert_eq!(dropped, [name]);
    }
    // What says nothing but what happens anyway is no loss.
    let mut request = asking(vec![says(Role::User, "a")]);
    (request.sampling.candidates, request.sampling.frequency_penalty) = (Some(1), Some(0.0));
    (request.sampling.logprobs, request.output.format) = (Some(false), Some(Format::Text));
    written(&request, &target(), Options::default());
}

#[test]
fn hints_and_labels_are_left_out_and_named() {
    let mut request = asking(vec![Message { name: Some("bob".into()), ..says(Role::User, "a") }]);
    request.metadata = Some(Map::from_iter([("team".to_owned(), json!("blue"))]));
    request.cache_key = Some("k".into());
    request.service_tier = Some("flex".into());
    request.rest = Rest::new(Dialect::Chat, Map::from_iter([("store".to_owned(), json!(true))]));
    let (_, dropped) = written_with(&request, &target(), &Losses::NONE, Options::default());
    assert_eq!(dropped, ["messages.name", "prompt_cache_key", "store", "metadata", "service_tier"]);
}

#[test]
fn tools_of_other_kinds_are_refused_by_their_place() {
    let mut request = asking(vec![says(Role::User, "a")]);
    let custom = ToolKind::Custom { name: "patch".into(), description: None, format: None };
    request.tools = vec![tool("f"), Tool { kind: custom, cache: None, rest: Rest::default() }];
    assert_eq!(refused(&request, &target(), Options::default()), "tools[1]");
    let hosted = ToolKind::Hosted(Dialect::Responses, json!({"type": "web_search"}));
    request.tools[1].kind = hosted;
    assert_eq!(refused(&request, &target(), Options::default()), "tools[1]");
    request.tools.truncate(1);
    let mut none = target();
    none.can.tools = false;
    assert_eq!(refused(&request, &none, Options::default()), "tools");
    let mut free = target();
    free.can.forced_tool = false;
    request.tool_choice = Some(ToolChoice::Tool("f".into()));
    assert_eq!(refused(&request, &free, Options::default()), "tool_choice");
    let (body, _) = written_with(&request, &free, &Losses::allowed(["tool_choice"]), Options::default());
    assert_eq!(body["tool_choice"], json!({"type": "auto"}));
}

#[test]
fn every_choice_of_tools_has_its_word() {
    let mut request = asking(vec![says(Role::User, "a")]);
    request.tools = vec![tool("f"), tool("g")];
    let mut said = |choice: ToolChoice, parallel: Option<bool>| {
        (request.tool_choice, request.parallel_tool_calls) = (Some(choice), parallel);
        let body = written(&request, &target(), Options::default());
        (body["tool_choice"].clone(), body["tools"].as_array().unwrap().len())
    };
    assert_eq!(said(ToolChoice::Auto, None), (json!({"type": "auto"}), 2));
    assert_eq!(said(ToolChoice::None, Some(false)), (json!({"type": "none"}), 2));
    let any = json!({"type": "any", "disable_parallel_tool_use": false});
    assert_eq!(said(ToolChoice::Required, Some(true)), (any, 2));
    let one = json!({"type": "tool", "name": "g", "disable_parallel_tool_use": true});
    assert_eq!(said(ToolChoice::Tool("g".into()), Some(false)), (one, 2));
    let allowed = ToolChoice::Allowed { names: vec!["g".into()], required: true };
    assert_eq!(said(allowed, None), (json!({"type": "any"}), 1), "by offering no others");
}

fn shows(part: Part) -> Request {
    asking(vec![Message::new(Role::User, vec![part])])
}

fn image(source: Source, media_type: Option<&str>) -> Part {
    let media = Media { source, media_type: media_type.map(Into::into) };
    Part::Image { media, detail: None, cache: None }
}

fn document(source: Source, media_type: Option<&str>) -> Part {
    let media = Media { source, media_type: media_type.map(Into::into) };
    Part::Document { media, title: None, context: None, citable: None, cache: None }
}

#[test]
fn trap_15_media_of_other_dialects_find_their_source() {
    let source = |part: Part| messages(&shows(part))[0]["content"][0]["source"].clone();
    let png = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0K"});
    assert_eq!(source(image(Source::Base64("iVBORw0K".into()), Some("image/png"))), png);
    assert_eq!(source(image(Source::Base64("iVBORw0K".into()), None)), png, "its first bytes say what it is");
    let data = "data:image/png;base64,iVBORw0K".to_owned();
    assert_eq!(source(image(Source::Url(data), None)), png);
    let jpeg = image(Source::Base64("/9j/".into()), Some("image/jpg"));
    assert_eq!(source(jpeg)["media_type"], "image/jpeg");
    let pdf = json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"});
    assert_eq!(source(document(Source::Base64("JVBERi0x".into()), None)), pdf);
    let text = json!({"type": "text", "media_type": "text/plain", "data": "Grüezi"});
    let inline = document(Source::Base64("R3LDvGV6aQ==".into()), Some("text/markdown; charset=utf-8"));
    assert_eq!(source(inline), text);
    assert_eq!(source(document(Source::Text("Grüezi".into()), None)), text);
}

#[test]
fn media_that_the_vendor_cannot_read_are_refused_by_their_place() {
    let sound = Media { source: Source::Base64("UklG".into()), media_type: Some("audio/wav".into()) };
    for part in [
        image(Source::Base64("AAAA".into()), Some("image/tiff")),
        image(Source::Base64("AAAA".into()), None),
        image(Source::File("file-openai".into()), None),
        image(Source::Url("gs://bucket/a.png".into()), None),
        document(Source::Base64("UEsDBA==".into()), Some("application/zip")),
        document(Source::Base64("/w==".into()), Some("text/plain")),
        Part::Audio { media: sound.clone(), id: None, transcript: None },
        Part::Video { media: sound },
        Part::Other(Dialect::Responses, json!({"type": "computer_call"})),
    ] {
        let request = shows(part);
        assert_eq!(refused(&request, &target(), Options::default()), "messages[0].content[0]");
        let (body, _) = written_with(&request, &target(), &Losses::allowed(["*"]), Options::default());
        assert_eq!(body["messages"], json!([]));
    }
    let mut blind = target();
    blind.can.images = false;
    let seen = shows(image(Source::Url("https://example.org/a.png".into()), None));
    assert_eq!(refused(&seen, &blind, Options::default()), "messages[0].content[0]");
}

#[test]
fn texts_that_the_vendor_refuses_are_not_sent() {
    let request = asking(vec![
        says(Role::User, "a"),
        Message::new(Role::Assistant, vec![Part::text("")]),
        Message::new(Role::User, vec![Part::text(" \n"), Part::text("b")]),
        says(Role::Assistant, "The answer is: "),
    ]);
    let turns = messages(&request);
    assert_eq!(turns[0]["content"].as_array().unwrap().len(), 2, "neighbours close up: {turns}");
    assert_eq!(turns[1], json!({"role": "assistant", "content": "The answer is:"}));
}

#[test]
fn a_turn_that_is_to_be_gone_on_with_is_refused_where_the_model_does_not() {
    let request = asking(vec![says(Role::User, "a"), says(Role::Assistant, "b")]);
    let mut newer = target();
    newer.can.prefill = false;
    assert_eq!(refused(&request, &newer, Options::default()), "messages[1]");
    let (body, _) = written_with(&request, &newer, &Losses::allowed(["messages[1]"]), Options::default());
    assert_eq!(body["messages"], json!([{"role": "user", "content": "a"}]));
}

#[test]
fn cache_hints_keep_their_place_and_get_a_lifetime_that_the_vendor_knows() {
    let mut request = read(&client(&json!({})));
    for (seconds, ttl) in
        [(None, None), (Some(60), Some("5m")), (Some(300), Some("5m")), (Some(301), Some("1h"))]
    {
        request.cache = Some(CacheHint { ttl_seconds: seconds });
        let body = written(&request, &target(), Options::default());
        assert_eq!(body["cache_control"]["ttl"].as_str(), ttl);
    }
}

#[test]
fn at_vertex_and_bedrock_the_model_stands_in_the_path_and_the_version_in_the_body() {
    let mut request = asking(vec![says(Role::User, "a")]);
    request.stream = true;
    for (envelope, version, named, streams) in [
        (Envelope::Vertex, Version::V2023, "vertex-2023-10-16", true),
        (Envelope::Vertex, Version::V2026, "2026-10-21", true),
        (Envelope::Bedrock, Version::V2023, "bedrock-2023-05-31", false),
    ] {
        let options = Options { version, envelope, thinking: Thinking::AsAsked };
        let body = written(&request, &target(), options);
        assert_eq!(body["anthropic_version"], named);
        assert_eq!(body.get("model"), None);
        assert_eq!(body.get("stream").is_some(), streams);
    }
}

#[test]
fn a_long_conversation_is_written_within_a_few_milliseconds() {
    // Not a measurement: the point is that nothing here is quadratic, which would take minutes.
    let mut turns = Vec::new();
    for n in 0..20_000 {
        turns.push(Message { name: Some("n".into()), ..says(Role::User, "a") });
        turns.push(Message::new(Role::Assistant, vec![call("same", &format!("f{n}"), "{}")]));
        turns.push(Message::new(Role::Tool, vec![result("same", "r")]));
    }
    let (body, dropped) = written_with(&asking(turns), &target(), &Losses::NONE, Options::default());
    assert_eq!(body["messages"].as_array().unwrap().len(), 40_001);
    assert_eq!(dropped, ["messages.name"]);
}
