//! Requests of other dialects, and what clients get wrong.

use super::{json, origin, target, vertex};
use crate::chat::{
    Abilities, CacheHint, Dialect, Effort, Format, Losses, Media, Message, Opaque, Origin, Part, Reasoning,
    ReasoningAsk, ReasoningMode, Request, Rest, Role, Source, Target, Tool, ToolCall, ToolChoice, ToolKind,
    ToolResult, Unsupported,
};
use crate::gemini::{Options, Service, decode_request, encode_request};
use serde_json::{Value, json};

const NEW: &str = "gemini-3.8-flash";
const OLD: &str = "gemini-2.5-flash";

fn studio(model: &str) -> Options {
    Options::of(Service::AiStudio, model)
}

fn written(request: &Request, model: &str) -> (Value, Vec<String>) {
    let encoded = encode_request(request, &target(model), &Losses::NONE, studio(model)).unwrap();
    let dropped = encoded.dropped.iter().map(|dropped| dropped.param.to_string()).collect();
    (json(&encoded.body), dropped)
}

fn refused(request: &Request, model: &str) -> String {
    let Unsupported { param, message } =
        encode_request(request, &target(model), &Losses::NONE, studio(model)).unwrap_err();
    assert!(message.contains(&*param), "{message}");
    // The same is left out where that is allowed.
    let losses = Losses::allowed([&*param]);
    let encoded = encode_request(request, &target(model), &losses, studio(model)).unwrap();
    assert!(encoded.dropped.iter().any(|dropped| dropped.param == param));
    param.into_owned()
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.to_owned(),
        is_custom: false,
        opaque: None,
        cache: None,
    })
}

fn result(id: &str, text: &str) -> Part {
    let parts = vec![Part::text(text)];
    Part::ToolResult(ToolResult { call_id: id.into(), name: None, parts, is_error: false, cache: None })
}

fn user(text: &str) -> Message {
    Message::new(Role::User, vec![Part::text(text)])
}

fn of(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::default() }
}

fn function(name: &str, parameters: Option<Value>) -> Tool {
    let kind = ToolKind::Function { name: name.into(), description: None, parameters, strict: None };
    Tool { kind, cache: None, rest: Rest::default() }
}

/// A conversation as an OpenAI client tells it.
fn conversation() -> Request {
    let image = Media { source: Source::Url("https://example.org/a.png?x=1".into()), media_type: None };
    let data = Media { source: Source::Url("data:image/webp;base64,UklGRg==".into()), media_type: None };
    let thought = Reasoning {
        text: "Somebody else's thought".into(),
        opaque: Some(Opaque {
            dialect: Dialect::Anthropic,
            origin: Some(Origin { provider: "anthropic".into(), model: "claude".into() }),
            data: "ErUB".into(),
        }),
        ..Reasoning::default()
    };
    let mut request = of(vec![
        Message::new(Role::System, vec![Part::text("Be brief.")]),
        Message::new(Role::Developer, vec![Part::text("Be kind.")]),
        Message { name: Some("alice".into()), ..user("Weather?") },
        Message::new(
            Role::User,
            vec![
                Part::Image { media: image, detail: Some("low".into()), cache: Some(CacheHint::default()) },
                Part::Image { media: data, detail: Some("auto".into()), cache: None },
            ],
        ),
        Message::new(
            Role::Assistant,
            vec![
                Part::Reasoning(thought),
                Part::text(""),
                call("call_a", "weather", "{\"city\":\"Bern\", \"n\": 12345678901234567890}"),
                call("call_b", "weather", ""),
            ],
        ),
        Message::new(Role::Tool, vec![result("call_a", "21")]),
        Message::new(Role::Tool, vec![result("call_b", "{\"t\":7}")]),
        Message::new(Role::System, vec![Part::text("From now on, shout.")]),
        user("And?"),
    ]);
    request.tools = vec![function(
        "weather",
        Some(json!({"type": "object", "properties": {"city": {"type": "string"}}})),
    )];
    request.tool_choice = Some(ToolChoice::Tool("weather".into()));
    request.sampling.max_tokens = Some(100);
    request.output.format = Some(Format::JsonObject);
    request.reasoning = Some(ReasoningAsk { effort: Some(Effort::Medium), ..ReasoningAsk::default() });
    request.user = Some("u".into());
    request
}

// wire.md, traps 1, 2, 5, 6, 7, 15.
#[test]
fn a_conversation_of_another_dialect_becomes_turns() {
    let (body, dropped) = written(&conversation(), NEW);
    let expected = json!({
        "contents": [
            {"role": "user", "parts": [
                {"text": "Weather?"},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://example.org/a.png?x=1"}, "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}},
                {"inlineData": {"mimeType": "image/webp", "data": "UklGRg=="}},
            ]},
            {"role": "model", "parts": [
                {"functionCall": {"id": "call_a", "name": "weather", "args": {"city": "Bern", "n": 12_345_678_901_234_567_890_u64}},
                 "thoughtSignature": "skip_thought_signature_validator"},
                {"functionCall": {"id": "call_b", "name": "weather", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "call_a", "name": "weather", "response": {"output": "21"}}},
                {"functionResponse": {"id": "call_b", "name": "weather", "response": {"t": 7}}},
                {"text": "From now on, shout."},
                {"text": "And?"},
            ]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "tools": [{"functionDeclarations": [{"name": "weather",
            "parametersJsonSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
        "generationConfig": {"maxOutputTokens": 100, "responseMimeType": "application/json",
            "thinkingConfig": {"thinkingLevel": "MEDIUM"}},
    });
    assert_eq!(body, expected);
    assert_eq!(dropped, ["messages[2].name", "cache_control", "reasoning", "messages[7].role", "user"]);
}

// wire.md, trap 7: the documented value only where it is needed.
#[test]
fn only_new_models_get_the_value_for_calls_they_did_not_make() {
    let (body, _) = written(&conversation(), OLD);
    assert!(!body.to_string().contains("thoughtSignature"), "{body}");
    let mut own = conversation();
    if let Some(Part::ToolCall(call)) = own.messages[4].parts.get_mut(2) {
        call.opaque =
            Some(Opaque { dialect: Dialect::Gemini, origin: Some(origin(NEW)), data: "T3du".into() });
    }
    let (body, _) = written(&own, NEW);
    assert_eq!(body["contents"][1]["parts"][0]["thoughtSignature"], "T3du", "a real one is never replaced");
    assert!(body["contents"][1]["parts"][1].get("thoughtSignature").is_none(), "only the first of a turn");
    let (body, dropped) = written(&own, "gemini-3.1-pro");
    assert_eq!(body["contents"][1]["parts"][0]["thoughtSignature"], "skip_thought_signature_validator");
    assert!(dropped.contains(&"reasoning".to_owned()), "another model's signature is not sent");
}

// wire.md, trap 6.
#[test]
fn ids_that_the_model_never_gave_are_not_sent_to_it() {
    let body = json!({"contents": [
        {"role": "user", "parts": [{"text": "x"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}, {"functionCall": {"name": "g", "args": {"a": 1}}}]},
        {"role": "function", "parts": [{"functionResponse": {"name": "g", "response": {}}}, {"functionResponse": {"name": "f", "response": {}}}]},
    ]});
    let request = decode_request(body.to_string().as_bytes(), OLD, false).unwrap();
    let Part::ToolCall(first) = &request.messages[1].parts[0] else { panic!() };
    let Part::ToolResult(second) = &request.messages[2].parts[1] else { panic!() };
    assert_eq!((&first.id, &*first.arguments), (&second.call_id, "{}"));
    let (written, _) = written(&request, OLD);
    let responses = &written["contents"][2]["parts"];
    assert_eq!(
        responses[0]["functionResponse"],
        json!({"name": "f", "response": {}}),
        "in the order of the calls"
    );
    assert!(!written.to_string().contains("\"id\""), "{written}");
}

#[test]
fn results_may_hold_media_where_the_model_takes_them_there() {
    let image = Part::Image {
        media: Media { source: Source::Base64("iVBORw0KGgo=".into()), media_type: None },
        detail: None,
        cache: None,
    };
    let mut request = of(vec![
        user("x"),
        Message::new(Role::Assistant, vec![call("a", "see", "{}")]),
        Message::new(Role::Tool, vec![result("a", "done")]),
    ]);
    if let Some(Part::ToolResult(result)) = request.messages[2].parts.get_mut(0) {
        result.parts.push(image);
        result.parts.push(Part::text("twice"));
    }
    let blob = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}});
    let (body, _) = written(&request, NEW);
    let inside = json!({"id": "a", "name": "see", "response": {"output": "done\ntwice"}, "parts": [blob]});
    assert_eq!(body["contents"][2]["parts"], json!([{"functionResponse": inside}]));
    let (body, _) = written(&request, OLD);
    assert_eq!(body["contents"][2]["parts"][1], blob, "beside the result");
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let hello = || of(vec![user("x")]);
    let with = |change: &dyn Fn(&mut Request)| {
        let mut request = hello();
        change(&mut request);
        refused(&request, NEW)
    };
    assert_eq!(with(&|r| r.sampling.p_floor = Some(0.1)), "min_p");
    assert_eq!(with(&|r| r.sampling.repetition_penalty = Some(1.1)), "repetition_penalty");
    assert_eq!(with(&|r| r.sampling.logit_bias = Some(serde_json::Map::new())), "logit_bias");
    assert_eq!(with(&|r| r.sampling.seed = Some(1 << 40)), "seed");
    assert_eq!(with(&|r| r.output.audio = Some(serde_json::Map::new())), "audio");
    assert_eq!(
        with(&|r| {
            r.tools = vec![function("f", None)];
            r.parallel_tool_calls = Some(false);
        }),
        "parallel_tool_calls"
    );
    assert_eq!(
        with(&|r| {
            let kind = ToolKind::Custom { name: "patch".into(), description: None, format: None };
            r.tools = vec![Tool { kind, cache: None, rest: Rest::default() }];
        }),
        "tools[0]"
    );
    assert_eq!(
        with(&|r| {
            let kind = ToolKind::Hosted(Dialect::Responses, json!({"type": "web_search"}));
            r.tools = vec![Tool { kind, cache: None, rest: Rest::default() }];
        }),
        "tools[0]"
    );
    assert_eq!(
        with(&|r| r.rest =
            Rest::new(Dialect::Chat, json!({"web_search_options": 1}).as_object().unwrap().clone())),
        "web_search_options"
    );
    let file = Media { source: Source::File("file-abc".into()), media_type: None };
    assert_eq!(
        with(&|r| r.messages[0].parts.push(Part::Image { media: file.clone(), detail: None, cache: None })),
        "messages[0].content[1]"
    );
    assert_eq!(
        with(&|r| r.messages[0].parts.push(Part::Other(Dialect::Anthropic, json!({})))),
        "messages[0].content[1]"
    );
    assert_eq!(
        with(&|r| r.messages.push(Message::new(Role::Tool, vec![result("nobody", "x")]))),
        "messages[1].content[0]"
    );
    let (_, dropped) = written(
        &Request {
            rest: Rest::new(Dialect::Chat, json!({"store": true}).as_object().unwrap().clone()),
            metadata: Some(serde_json::Map::new()),
            cache_key: Some("k".into()),
            service_tier: Some("auto".into()),
            ..hello()
        },
        NEW,
    );
    assert_eq!(
        dropped,
        ["service_tier", "metadata", "prompt_cache_key", "store"],
        "hints do not stop a request"
    );
}

#[test]
fn what_a_model_cannot_do_is_refused_by_name() {
    let able = Abilities::default();
    let check = |can: Abilities, change: &dyn Fn(&mut Request)| {
        let mut request = of(vec![user("x")]);
        change(&mut request);
        let target = Target { can, ..target(NEW) };
        let refused = encode_request(&request, &target, &Losses::NONE, studio(NEW)).unwrap_err();
        refused.param.into_owned()
    };
    let tools = |r: &mut Request| {
        r.tools = vec![function("f", None)];
        r.tool_choice = Some(ToolChoice::Required);
    };
    assert_eq!(check(Abilities { tools: false, ..able }, &tools), "tools");
    assert_eq!(check(Abilities { forced_tool: false, ..able }, &tools), "tool_choice");
    let warm = |r: &mut Request| r.sampling.temperature = Some(1.0);
    assert_eq!(check(Abilities { sampling: false, ..able }, &warm), "temperature");
    let stop = |r: &mut Request| r.sampling.stop = vec!["x".into()];
    assert_eq!(check(Abilities { stop: false, ..able }, &stop), "stop");
    let json = |r: &mut Request| r.output.format = Some(Format::JsonObject);
    assert_eq!(check(Abilities { json_object: false, ..able }, &json), "response_format");
    let think = |r: &mut Request| {
        r.reasoning = Some(ReasoningAsk { effort: Some(Effort::High), ..ReasoningAsk::default() });
    };
    assert_eq!(check(Abilities { reasoning: false, ..able }, &think), "reasoning_effort");
    let image = |r: &mut Request| {
        let media = Media { source: Source::Base64("QUJD".into()), media_type: None };
        r.messages[0].parts.push(Part::Image { media, detail: None, cache: None });
    };
    assert_eq!(check(Abilities { images: false, ..able }, &image), "messages[0].content[1]");
    // wire.md, section 3: newer models do not go on with their own turn.
    let prefill = |r: &mut Request| r.messages.push(Message::new(Role::Assistant, vec![Part::text("I")]));
    assert_eq!(check(Abilities { prefill: false, ..able }, &prefill), "messages[1]");
}

// wire.md, trap 7: Google's own table for efforts.
#[test]
fn efforts_become_levels_or_budgets() {
    let thinking = |ask: ReasoningAsk, model: &str| {
        let request = Request { reasoning: Some(ask), ..of(vec![user("x")]) };
        let (body, dropped) = written(&request, model);
        (body["generationConfig"]["thinkingConfig"].clone(), dropped.contains(&"reasoning_effort".to_owned()))
    };
    let effort = |effort| ReasoningAsk { effort: Some(effort), ..ReasoningAsk::default() };
    let level = |level: &str| json!({"thinkingLevel": level});
    let budget = |budget: i64| json!({"thinkingBudget": budget});
    for (asked, model, expected, is_changed) in [
        (effort(Effort::Low), NEW, level("LOW"), false),
        (effort(Effort::Minimal), NEW, level("LOW"), true),
        (effort(Effort::Minimal), "gemini-3-flash-preview", level("MINIMAL"), false),
        (effort(Effort::Medium), "gemini-3-pro-preview", level("HIGH"), true),
        (effort(Effort::Max), NEW, level("HIGH"), true),
        (effort(Effort::None), NEW, level("LOW"), true),
        (effort(Effort::None), OLD, budget(0), false),
        (effort(Effort::None), "gemini-2.5-pro", budget(128), true),
        (effort(Effort::Low), OLD, budget(1024), false),
        (effort(Effort::Medium), OLD, budget(8192), false),
        (effort(Effort::High), OLD, budget(24_576), false),
        (effort(Effort::Max), "gemini-2.5-pro", budget(32_768), false),
        (
            ReasoningAsk { budget_tokens: Some(100_000), ..ReasoningAsk::default() },
            OLD,
            budget(24_576),
            false,
        ),
        (ReasoningAsk { mode: ReasoningMode::Adaptive, ..ReasoningAsk::default() }, OLD, budget(-1), false),
        (
            ReasoningAsk {
                mode: ReasoningMode::Enabled,
                show: Some("auto".into()),
                ..ReasoningAsk::default()
            },
            NEW,
            json!({"includeThoughts": true}),
            false,
        ),
        (ReasoningAsk { mode: ReasoningMode::Enabled, ..ReasoningAsk::default() }, NEW, Value::Null, false),
    ] {
        assert_eq!(thinking(asked.clone(), model), (expected, is_changed), "{asked:?} {model}");
    }
}

// wire.md, trap 14.
#[test]
fn old_models_get_schemas_in_their_subset() {
    let schema = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "additionalProperties": false});
    let mut request = of(vec![user("x")]);
    request.tools = vec![
        function("f", Some(schema.clone())),
        function("empty", Some(json!({"type": "object", "properties": {}}))),
    ];
    request.output.format = Some(Format::JsonSchema { name: None, description: None, schema, strict: None });
    let (body, dropped) = written(&request, "gemini-2.0-flash");
    let subset = json!({"type": "OBJECT", "properties": {"a": {"nullable": true, "type": "STRING"}}});
    assert_eq!(
        body["tools"][0]["functionDeclarations"],
        json!([{"name": "f", "parameters": subset}, {"name": "empty"}])
    );
    assert_eq!(
        body["generationConfig"],
        json!({"responseSchema": subset, "responseMimeType": "application/json"})
    );
    assert_eq!(dropped, ["tools[0].parameters", "response_format"]);
}

#[test]
fn strict_tools_and_allowed_tools_use_the_modes_there_are() {
    let mut request = of(vec![user("x")]);
    request.tools = vec![function("f", None), function("g", None)];
    request.tool_choice = Some(ToolChoice::Allowed { names: vec!["g".into()], required: false });
    let (body, _) = written(&request, NEW);
    let calling = json!({"mode": "VALIDATED", "allowedFunctionNames": ["g"]});
    assert_eq!(body["toolConfig"]["functionCallingConfig"], calling);
    let (body, _) = written(&request, OLD);
    assert_eq!(body["tools"], json!([{"functionDeclarations": [{"name": "g"}]}]), "the other is not shown");
    request.tool_choice = None;
    request.tools[0].kind =
        ToolKind::Function { name: "f".into(), description: None, parameters: None, strict: Some(true) };
    assert_eq!(written(&request, NEW).0["toolConfig"]["functionCallingConfig"]["mode"], "VALIDATED");
    let (body, dropped) = written(&request, OLD);
    assert!(body.get("toolConfig").is_none() && dropped == ["tools[0].strict"]);
    for (choice, mode) in
        [(ToolChoice::Auto, "AUTO"), (ToolChoice::None, "NONE"), (ToolChoice::Required, "ANY")]
    {
        request.tool_choice = Some(choice);
        assert_eq!(written(&request, OLD).0["toolConfig"]["functionCallingConfig"], json!({"mode": mode}));
    }
}

#[test]
fn instructions_alone_are_what_the_user_says() {
    let (body, _) = written(&of(vec![Message::new(Role::System, vec![Part::text("Say hi.")])]), NEW);
    assert_eq!(body, json!({"contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]}));
}

#[test]
fn arguments_that_are_no_object_are_told_as_they_are() {
    let mut request = of(vec![
        user("x"),
        Message::new(Role::Assistant, vec![call("a", "f", "{\"cut\": \"of"), call("b", "f", "[1]")]),
    ]);
    request.messages.push(user("y"));
    let (body, _) = written(&request, OLD);
    assert_eq!(body["contents"][1]["parts"][0]["functionCall"]["args"], json!({"input": "{\"cut\": \"of"}));
    assert_eq!(body["contents"][1]["parts"][1]["functionCall"]["args"], json!({"input": "[1]"}));
}

#[test]
fn documents_keep_what_is_said_of_them() {
    let document = |source: Source, citable: Option<bool>| Part::Document {
        media: Media { source, media_type: Some("application/pdf".into()) },
        title: Some("Report".into()),
        context: Some("From last year.".into()),
        citable,
        cache: None,
    };
    let request = of(vec![Message::new(Role::User, vec![document(Source::Base64("QUJD".into()), None)])]);
    let parts = json!([{"text": "From last year."}, {"inlineData": {"mimeType": "application/pdf", "data": "QUJD", "displayName": "Report"}}]);
    let encoded = encode_request(&request, &target(NEW), &Losses::NONE, vertex(NEW)).unwrap();
    assert_eq!(json(&encoded.body)["contents"][0]["parts"], parts);
    let (body, dropped) = written(&request, NEW);
    assert!(!body.to_string().contains("displayName") && dropped == ["messages[0].content[0].title"]);
    let text =
        of(vec![Message::new(Role::User, vec![document(Source::Text("All of it.".into()), Some(true))])]);
    assert_eq!(refused(&text, NEW), "messages[0].content[0].citations");
}

#[test]
fn errors_of_clients_name_the_member() {
    for (body, param) in [
        ("{", None),
        ("[]", None),
        (r#"{"contents": 7}"#, Some("contents")),
        (r#"{"contents": [{"role": "assistant", "parts": []}]}"#, Some("contents[0].role")),
        (r#"{"contents": [{"parts": [{"text": 7}]}]}"#, Some("contents[0].parts[0].text")),
        (
            r#"{"contents": [{"parts": [{"functionCall": {"args": {}}}]}]}"#,
            Some("contents[0].parts[0].functionCall.name"),
        ),
        (
            r#"{"contents": [{"parts": [{"inline_data": {"mime_type": "image/png"}}]}]}"#,
            Some("contents[0].parts[0].inlineData.data"),
        ),
        (r#"{"system_instruction": "x"}"#, Some("systemInstruction")),
        (r#"{"generationConfig": {"temperature": "hot"}}"#, Some("generationConfig.temperature")),
        (r#"{"generationConfig": {"topK": -1}}"#, Some("generationConfig.topK")),
        (
            r#"{"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOTS"}}}"#,
            Some("generationConfig.thinkingConfig.thinkingLevel"),
        ),
        (
            r#"{"generationConfig": {"thinkingConfig": {"thinkingBudget": -5}}}"#,
            Some("generationConfig.thinkingConfig.thinkingBudget"),
        ),
        (
            r#"{"toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}}"#,
            Some("toolConfig.functionCallingConfig.mode"),
        ),
        (
            r#"{"tools": [{"functionDeclarations": [{"description": "x"}]}]}"#,
            Some("tools[0].functionDeclarations[0].name"),
        ),
    ] {
        let bad = decode_request(body.as_bytes(), "m", false).unwrap_err();
        assert_eq!(bad.param(), param, "{body}: {bad}");
    }
    let deep = format!("{{\"contents\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(decode_request(deep.as_bytes(), "m", false).is_err());
}

#[test]
fn a_long_conversation_is_translated_quickly() {
    let turns: Vec<Value> = (0..500)
        .flat_map(|n| {
            let text = "All work and no play makes Jack a dull boy. ".repeat(20);
            [
                json!({"role": "user", "parts": [{"text": text}]}),
                json!({"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"n": n, "text": text}}}]}),
                json!({"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "ok"}}}]}),
                json!({"role": "model", "parts": [{"text": "Done."}]}),
            ]
        })
        .collect();
    let body = json!({"contents": turns}).to_string();
    assert!(body.len() > 900_000);
    let mut took = std::time::Duration::MAX;
    for _ in 0..20 {
        let started = std::time::Instant::now();
        let request = decode_request(body.as_bytes(), OLD, false).unwrap();
        let encoded = encode_request(&request, &target(OLD), &Losses::NONE, studio(OLD)).unwrap();
        took = took.min(started.elapsed());
        assert_eq!(encoded.body.len(), body.len());
    }
    // The bar is 5 ms of CPU in a release build; this only sees that nothing is quadratic.
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
    println!("{} bytes in {took:?}", body.len());
}

/// Coding agents send `context_management` with every question, frameworks their vendor's filters and caches.
#[test]
fn what_is_a_hint_anywhere_is_left_out_everywhere() {
    let hints = ["context_management", "betas", "prompt_cache_retention", "safety_identifier", "prediction"];
    let mut request = of(vec![user("x")]);
    let members = hints.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    request.rest = Rest::new(Dialect::Anthropic, members);
    let quirks = crate::openai::chat::Options::default();
    let chat = crate::openai::chat::encode_request(&request, &target(NEW), &Losses::NONE, &quirks).unwrap();
    let chat: Vec<&str> = chat.dropped.iter().map(|dropped| &*dropped.param).collect();
    assert_eq!(chat, hints);
    assert_eq!(written(&request, NEW).1, hints);
}
