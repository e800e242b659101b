//! What is written for targets: the traps of wire.md, section 2, by number.

use super::{CLAUDE, GPT, LLAMA, MISTRAL, NEWER, NOVA, body, encode, target};
use crate::bedrock::{Options, encode_request};
use crate::chat::{
    Abilities, CacheHint, Dialect, Effort, Format, Losses, Media, Message, Opaque, Origin, Part, Reasoning,
    ReasoningAsk, ReasoningMode, Request, Rest, Role, Source, Target, Tool, ToolCall, ToolChoice, ToolKind,
    ToolResult,
};
use serde_json::{Value, json};

fn user(text: &str) -> Message {
    Message::new(Role::User, vec![Part::text(text)])
}

fn asking(messages: Vec<Message>) -> Request {
    Request { model: "mine".into(), messages, ..Request::default() }
}

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

fn result(id: &str, text: &str, is_error: bool) -> Part {
    Part::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        parts: vec![Part::text(text)],
        is_error,
        cache: None,
    })
}

fn tool(name: &str) -> Tool {
    let kind = ToolKind::Function { name: name.into(), description: None, parameters: None, strict: None };
    Tool { kind, cache: None, rest: Rest::default() }
}

/// A conversation in the middle of its tools.
fn with_tools() -> Request {
    let mut request = asking(vec![
        user("weather?"),
        Message::new(Role::Assistant, vec![call("a", "get_weather", "{}"), call("b", "get_time", "{}")]),
        Message::new(Role::Tool, vec![result("a", "sunny", false)]),
        Message::new(Role::Tool, vec![result("b", "no clock", true)]),
    ]);
    request.tools = vec![tool("get_weather"), tool("get_time")];
    request
}

/// The parameter that is refused, and that it can be left out.
fn refused(request: &Request, model: &str, param: &str) -> Value {
    let error = encode(request, model, &Losses::NONE).unwrap_err();
    assert_eq!(error.param, param, "{error}");
    let allowed = Losses::allowed([param]);
    let encoded = encode(request, model, &allowed).unwrap();
    assert!(encoded.dropped.iter().any(|dropped| dropped.param == param), "{:?}", encoded.dropped);
    super::json(&encoded.body)
}

/// What was left out without asking.
fn noted(request: &Request, model: &str) -> Vec<String> {
    let encoded = encode(request, model, &Losses::NONE).unwrap();
    encoded.dropped.iter().map(|dropped| dropped.param.to_string()).collect()
}

#[test]
fn trap_1_instructions_stand_where_the_model_reads_them() {
    let system = |text: &str| Message::new(Role::System, vec![Part::text(text)]);
    let developer = Message::new(Role::Developer, vec![Part::text("two")]);
    let assistant = Message::new(Role::Assistant, vec![Part::text("hm")]);
    let request = asking(vec![system("one"), developer, user("a"), system("three"), assistant, user("b")]);
    let written = body(&request, CLAUDE);
    assert_eq!(written["system"], json!([{"text": "one"}, {"text": "two"}, {"text": "three"}]));
    assert_eq!(noted(&request, CLAUDE), ["messages.role"]);
    let written = body(&request, NEWER);
    assert_eq!(written["system"], json!([{"text": "one"}, {"text": "two"}]));
    assert_eq!(written["messages"][1], json!({"role": "system", "content": [{"text": "three"}]}));
    assert_eq!(noted(&request, NEWER), Vec::<String>::new());
}

#[test]
fn trap_2_turns_alternate_and_results_come_first() {
    let mut request = with_tools();
    request.messages.insert(0, user("Hello."));
    request.messages.push(user("And?"));
    let written = body(&request, CLAUDE);
    let turns = written["messages"].as_array().unwrap();
    let roles: Vec<&Value> = turns.iter().map(|turn| &turn["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(turns[0]["content"], json!([{"text": "Hello."}, {"text": "weather?"}]));
    assert_eq!(
        turns[2]["content"],
        json!([
            {"toolResult": {"toolUseId": "a", "content": [{"text": "sunny"}]}},
            {"toolResult": {"toolUseId": "b", "content": [{"text": "no clock"}], "status": "error"}},
            {"text": "And?"},
        ])
    );
    // A text between results goes behind them.
    let at = request.messages.len() - 2;
    request.messages.swap(at, at + 1);
    assert_eq!(body(&request, CLAUDE)["messages"][2], turns[2]);
    // Models that refuse both in one turn hear it within the last result.
    let written = body(&request, LLAMA);
    assert_eq!(
        written["messages"][2]["content"],
        json!([
            {"toolResult": {"toolUseId": "a", "content": [{"text": "sunny"}]}},
            {"toolResult": {"toolUseId": "b", "content": [{"text": "no clock"}, {"text": "And?"}]}},
        ])
    );
    assert_eq!(noted(&request, LLAMA), ["messages.is_error"]);
    // But for what no result can hold.
    let audio = Part::Audio {
        media: media(Source::Base64("AAAA".into()), Some("audio/wav")),
        id: None,
        transcript: None,
    };
    request.messages.push(Message::new(Role::User, vec![audio.clone()]));
    assert_eq!(
        body(&request, LLAMA)["messages"][2]["content"][2],
        json!({"audio": {"format": "wav", "source": {"bytes": "AAAA"}}})
    );
    let heard =
        ToolResult { call_id: "b".into(), name: None, parts: vec![audio], is_error: false, cache: None };
    request.messages[3].parts = vec![Part::ToolResult(heard)];
    refused(&request, LLAMA, "messages[3].content[0].content[0]");
}

#[test]
fn trap_2_a_conversation_begins_with_the_user() {
    let request = asking(vec![Message::new(Role::Assistant, vec![Part::text("Hello.")]), user("Hi.")]);
    let written = refused(&request, CLAUDE, "messages");
    assert_eq!(written["messages"], json!([{"role": "user", "content": [{"text": "Hi."}]}]));
}

#[test]
fn what_says_nothing_is_not_written() {
    let blank = Message::new(Role::Assistant, vec![Part::text(" \n")]);
    let request = asking(vec![user("a"), blank, user("b")]);
    let written = body(&request, CLAUDE);
    assert_eq!(written["messages"], json!([{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]));
}

#[test]
fn trap_3_tools_that_a_conversation_speaks_of_are_known_to_the_service() {
    let mut request = with_tools();
    request.tools.clear();
    let written = body(&request, CLAUDE);
    let names: Vec<&Value> = written["toolConfig"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["toolSpec"]["name"])
        .collect();
    assert_eq!(names, ["get_weather", "get_time"]);
    assert_eq!(written["toolConfig"].get("toolChoice"), None);
    // Results whose calls were cut off, as long conversations are shortened.
    let request = asking(vec![user("a"), Message::new(Role::Tool, vec![result("x", "7", false)])]);
    assert_eq!(body(&request, CLAUDE)["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    // Nothing of tools, nothing of them.
    let mut request = asking(vec![user("a")]);
    request.parallel_tool_calls = Some(true);
    assert_eq!(body(&request, CLAUDE).get("toolConfig"), None);
}

#[test]
fn trap_3_no_tool_may_be_called() {
    let mut request = with_tools();
    request.tool_choice = Some(ToolChoice::None);
    let written = body(&request, CLAUDE);
    let said = written["toolConfig"]["tools"][0]["toolSpec"]["description"].as_str().unwrap();
    assert!(said.contains("cannot be called"), "the dialect has no word for it: {said}");
    request.messages.truncate(1);
    assert_eq!(body(&request, CLAUDE).get("toolConfig"), None, "they are not offered");
}

#[test]
fn trap_5_calls_without_arguments_have_an_empty_object() {
    for (arguments, input) in
        [("", json!({})), ("{}", json!({})), ("[1]", json!({"input": "[1]"})), ("{\"a\":1}", json!({"a": 1}))]
    {
        let mut request = with_tools();
        request.messages[1].parts[0] = call("a", "get_weather", arguments);
        assert_eq!(body(&request, CLAUDE)["messages"][1]["content"][0]["toolUse"]["input"], input);
    }
}

#[test]
fn trap_6_ids_and_names_have_letters_that_the_service_takes() {
    let mut request = with_tools();
    request.messages[1].parts[0] = call("größe 1", "functions.get", "{}");
    request.messages[2].parts[0] = result("größe 1", "sunny", false);
    for model in [CLAUDE, MISTRAL] {
        let written = body(&request, model);
        let said = &written["messages"][1]["content"][0]["toolUse"];
        assert_eq!(said["name"], "functions_get");
        assert_eq!(written["messages"][2]["content"][0]["toolResult"]["toolUseId"], said["toolUseId"]);
        let id = said["toolUseId"].as_str().unwrap();
        assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c)), "{id}");
        assert!(model != MISTRAL || id.len() == 9, "{id}");
    }
    request.tools[0] = tool("functions.get");
    let written = refused(&request, CLAUDE, "tools[0].name");
    assert_eq!(written["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    request.tool_choice = Some(ToolChoice::Tool("functions.get".into()));
    assert_eq!(refused(&request, CLAUDE, "tools[0].name")["toolConfig"].get("toolChoice"), None);
}

#[test]
fn trap_7_thoughts_go_back_to_where_they_came_from_and_nowhere_else() {
    let thought = |dialect: Dialect, model: &str, is_redacted: bool| {
        let origin = Some(Origin { provider: "aws".into(), model: model.into() });
        let opaque = Some(Opaque { dialect, origin, data: "c2ln".into() });
        let text = if is_redacted { String::new() } else { "Hm.".to_owned() };
        Part::Reasoning(Reasoning { text, opaque, is_redacted, ..Reasoning::default() })
    };
    let said = |part: Part| {
        asking(vec![user("a"), Message::new(Role::Assistant, vec![part, Part::text("b")]), user("c")])
    };
    let written = body(&said(thought(Dialect::Bedrock, CLAUDE, false)), CLAUDE);
    assert_eq!(
        written["messages"][1]["content"][0],
        json!({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}})
    );
    let written = body(&said(thought(Dialect::Bedrock, CLAUDE, true)), CLAUDE);
    assert_eq!(
        written["messages"][1]["content"][0],
        json!({"reasoningContent": {"redactedContent": "c2ln"}})
    );
    for foreign in [
        thought(Dialect::Bedrock, NOVA, false),
        thought(Dialect::Anthropic, CLAUDE, false),
        thought(Dialect::Gemini, CLAUDE, true),
    ] {
        let request = said(foreign);
        assert_eq!(body(&request, CLAUDE)["messages"][1]["content"], json!([{"text": "b"}]));
        assert_eq!(noted(&request, CLAUDE), ["messages.reasoning"]);
    }
}

fn thinking(ask: ReasoningAsk) -> Request {
    let mut request = asking(vec![user("a")]);
    request.reasoning = Some(ask);
    request.sampling.max_tokens = Some(20_000);
    request
}

#[test]
fn trap_7_models_are_asked_to_think_in_their_vendors_words() {
    let effort = |effort| ReasoningAsk { effort: Some(effort), ..ReasoningAsk::default() };
    let budget =
        ReasoningAsk { mode: ReasoningMode::Enabled, budget_tokens: Some(4000), ..ReasoningAsk::default() };
    let fields = |ask: &ReasoningAsk, model: &str| {
        let written = body(&thinking(ask.clone()), model);
        (written["additionalModelRequestFields"].clone(), written["outputConfig"]["effort"].clone())
    };
    assert_eq!(
        fields(&effort(Effort::Low), CLAUDE),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}), Value::Null)
    );
    assert_eq!(
        fields(&budget, CLAUDE),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 4000}}), Value::Null)
    );
    assert_eq!(
        fields(&effort(Effort::High), NEWER),
        (json!({"thinking": {"type": "adaptive"}}), json!("high"))
    );
    assert_eq!(fields(&budget, NEWER), (json!({"thinking": {"type": "adaptive"}}), json!("medium")));
    assert_eq!(
        fields(&effort(Effort::Max), NOVA),
        (json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}), Value::Null)
    );
    assert_eq!(
        fields(&effort(Effort::None), NOVA),
        (json!({"reasoningConfig": {"type": "disabled"}}), Value::Null)
    );
    assert_eq!(fields(&effort(Effort::Medium), GPT), (json!({"reasoning_effort": "medium"}), Value::Null));
    assert_eq!(fields(&effort(Effort::None), LLAMA), (Value::Null, Value::Null));
    refused(&thinking(effort(Effort::Low)), LLAMA, "reasoning_effort");
    refused(&thinking(budget.clone()), LLAMA, "thinking");
    let mut narrow = thinking(effort(Effort::Low));
    narrow.sampling.max_tokens = Some(500);
    assert_eq!(noted(&narrow, CLAUDE), ["reasoning_effort"]);
    let mut narrow = thinking(budget);
    narrow.sampling.max_tokens = Some(500);
    refused(&narrow, CLAUDE, "thinking.budget_tokens");
    let none = Target { can: Abilities { reasoning: false, ..Abilities::default() }, ..target(CLAUDE) };
    let asked = thinking(effort(Effort::Low));
    assert_eq!(
        encode_request(&asked, &none, &Losses::NONE, Options::of(CLAUDE)).unwrap_err().param,
        "reasoning_effort"
    );
}

#[test]
fn trap_7_an_answer_is_worth_more_than_a_thought() {
    let mut request = with_tools();
    request.reasoning = Some(ReasoningAsk { effort: Some(Effort::High), ..ReasoningAsk::default() });
    // The assistant's turn, said by another vendor, began without a thought.
    assert_eq!(body(&request, CLAUDE).get("additionalModelRequestFields"), None);
    assert_eq!(noted(&request, CLAUDE), ["thinking"]);
    request.messages.truncate(1);
    request.tool_choice = Some(ToolChoice::Required);
    assert_eq!(body(&request, CLAUDE).get("additionalModelRequestFields"), None);
    assert_eq!(noted(&request, CLAUDE), ["reasoning_effort"]);
    let mut warm = thinking(ReasoningAsk { effort: Some(Effort::High), ..ReasoningAsk::default() });
    warm.sampling.temperature = Some(1.0);
    assert_eq!(noted(&warm, NEWER), ["temperature"], "repeats the default");
    warm.sampling.temperature = Some(0.25);
    refused(&warm, NEWER, "temperature");
}

#[test]
fn trap_10_which_text_ended_the_answer_is_asked_for() {
    let mut request = asking(vec![user("a")]);
    assert_eq!(body(&request, CLAUDE).get("additionalModelResponseFieldPaths"), None);
    request.sampling.stop = vec!["END".into()];
    assert_eq!(body(&request, CLAUDE)["additionalModelResponseFieldPaths"], json!(["/stop_sequence"]));
    assert_eq!(body(&request, NOVA).get("additionalModelResponseFieldPaths"), None);
    request.sampling.stop.push("\n".into());
    let written = refused(&request, CLAUDE, "stop");
    assert_eq!(written["inferenceConfig"]["stopSequences"], json!(["END"]));
    assert_eq!(body(&request, NOVA)["inferenceConfig"]["stopSequences"], json!(["END", "\n"]));
}

#[test]
fn trap_11_the_limit_is_the_clients_but_no_more_than_the_model_can_write() {
    let mut request = asking(vec![user("a")]);
    assert_eq!(body(&request, CLAUDE).get("inferenceConfig"), None, "the vendor's default is the most");
    request.sampling.max_tokens = Some(100_000);
    let short = Target { output_tokens_max: Some(8192), ..target(CLAUDE) };
    let encoded = encode_request(&request, &short, &Losses::NONE, Options::of(CLAUDE)).unwrap();
    assert_eq!(super::json(&encoded.body)["inferenceConfig"]["maxTokens"], 8192);
    request.sampling.max_tokens = Some(0);
    refused(&request, CLAUDE, "max_tokens");
}

#[test]
fn trap_12_sampling_within_what_the_dialect_takes() {
    let mut request = asking(vec![user("a")]);
    request.sampling.temperature = Some(1.5);
    refused(&request, CLAUDE, "temperature");
    request.sampling.temperature = Some(0.5);
    request.sampling.top_k = Some(40);
    let fields = |model: &str| body(&request, model)["additionalModelRequestFields"].clone();
    assert_eq!(fields(CLAUDE), json!({"top_k": 40}));
    assert_eq!(fields(NOVA), json!({"inferenceConfig": {"topK": 40}}));
    assert_eq!(fields("arn:aws:bedrock:us-east-1:1:application-inference-profile/x"), json!({"top_k": 40}));
    refused(&request, LLAMA, "top_k");
    let cold = Target { can: Abilities { sampling: false, ..Abilities::default() }, ..target(NEWER) };
    let refused = encode_request(&request, &cold, &Losses::NONE, Options::of(NEWER)).unwrap_err();
    assert_eq!(refused.param, "temperature");
}

#[test]
fn trap_13_what_the_dialect_has_no_word_for_is_refused_by_name() {
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 13] = [
        ("n", |request| request.sampling.candidates = Some(2)),
        ("seed", |request| request.sampling.seed = Some(7)),
        ("logprobs", |request| request.sampling.logprobs = Some(true)),
        ("top_logprobs", |request| request.sampling.top_logprobs = Some(3)),
        ("frequency_penalty", |request| request.sampling.frequency_penalty = Some(0.5)),
        ("presence_penalty", |request| request.sampling.presence_penalty = Some(0.5)),
        ("repetition_penalty", |request| request.sampling.repetition_penalty = Some(1.5)),
        ("min_p", |request| request.sampling.p_floor = Some(0.5)),
        ("logit_bias", |request| request.sampling.logit_bias = json!({"7": 1}).as_object().cloned()),
        ("modalities", |request| request.output.modalities = vec!["text".into(), "audio".into()]),
        ("response_format", |request| request.output.format = Some(Format::JsonObject)),
        ("web_search_options", |request| {
            request.rest =
                Rest::new(Dialect::Chat, json!({"web_search_options": {}}).as_object().unwrap().clone());
        }),
        ("tools[0]", |request| {
            let kind = ToolKind::Hosted(Dialect::Anthropic, json!({"type": "web_search_20250305"}));
            request.tools = vec![Tool { kind, cache: None, rest: Rest::default() }];
        }),
    ];
    for (param, change) in changes {
        let mut request = asking(vec![user("a")]);
        change(&mut request);
        refused(&request, CLAUDE, param);
    }
    // What happens anyway needs no word.
    let mut request = asking(vec![user("a")]);
    request.sampling.candidates = Some(1);
    request.sampling.frequency_penalty = Some(0.0);
    request.sampling.logprobs = Some(false);
    assert_eq!(noted(&request, CLAUDE), Vec::<String>::new());
    // Hints and labels are left out.
    request.rest = Rest::new(Dialect::Chat, json!({"store": true}).as_object().unwrap().clone());
    (request.user, request.cache_key) = (Some("u".into()), Some("k".into()));
    assert_eq!(noted(&request, CLAUDE), ["prompt_cache_key", "store", "user"]);
}

#[test]
fn a_guardrail_is_named_by_clients_of_any_dialect() {
    let mut request = asking(vec![user("a")]);
    let members = json!({
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "streamProcessingMode": "async"},
        "performanceConfig": {"latency": "optimized"},
        "additionalModelRequestFields": {"anthropic_beta": ["x"], "top_k": 7},
    });
    request.rest = Rest::new(Dialect::Chat, members.as_object().unwrap().clone());
    request.sampling.top_k = Some(40);
    let written = body(&request, CLAUDE);
    assert_eq!(written["guardrailConfig"], json!({"guardrailIdentifier": "g", "guardrailVersion": "1"}));
    assert_eq!(written["performanceConfig"], json!({"latency": "optimized"}));
    assert_eq!(written["additionalModelRequestFields"], json!({"top_k": 7, "anthropic_beta": ["x"]}));
    request.stream = true;
    assert_eq!(body(&request, CLAUDE)["guardrailConfig"]["streamProcessingMode"], "async");
    assert_eq!(noted(&request, CLAUDE), Vec::<String>::new());
}

#[test]
fn trap_14_schemas_are_objects_and_formats_are_texts() {
    let mut request = asking(vec![user("a")]);
    let schema = json!({"properties": {"x": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"const": 1}}});
    let kind = ToolKind::Function {
        name: "f".into(),
        description: Some(String::new()),
        parameters: Some(schema),
        strict: Some(true),
    };
    request.tools = vec![Tool { kind, cache: None, rest: Rest::default() }, tool("g")];
    let written = body(&request, CLAUDE);
    let spec = &written["toolConfig"]["tools"][0]["toolSpec"];
    assert_eq!(spec["inputSchema"]["json"]["type"], "object");
    assert_eq!((spec.get("description"), &spec["strict"]), (None, &json!(true)));
    assert_eq!(
        written["toolConfig"]["tools"][1]["toolSpec"]["inputSchema"],
        json!({"json": {"type": "object", "properties": {}}})
    );
    let kind = ToolKind::Function {
        name: "f".into(),
        description: None,
        parameters: Some(json!(true)),
        strict: None,
    };
    request.tools[0].kind = kind;
    refused(&request, CLAUDE, "tools[0]");
    let mut request = asking(vec![user("a")]);
    let schema = json!({"type": "object"});
    request.output.format =
        Some(Format::JsonSchema { name: Some("n".into()), description: None, schema, strict: Some(true) });
    assert_eq!(
        body(&request, CLAUDE)["outputConfig"]["textFormat"],
        json!({"type": "json_schema", "structure": {"jsonSchema": {"schema": "{\"type\":\"object\"}", "name": "n"}}})
    );
    let none = Target { can: Abilities { json_schema: false, ..Abilities::default() }, ..target(CLAUDE) };
    assert_eq!(
        encode_request(&request, &none, &Losses::NONE, Options::of(CLAUDE)).unwrap_err().param,
        "response_format"
    );
}

#[test]
fn whether_a_call_is_demanded() {
    let choice = |choice: ToolChoice, model: &str| {
        let mut request = with_tools();
        request.tool_choice = Some(choice);
        let config = body(&request, model)["toolConfig"].clone();
        (config["toolChoice"].clone(), config["tools"].as_array().unwrap().len())
    };
    assert_eq!(choice(ToolChoice::Auto, CLAUDE), (json!({"auto": {}}), 2));
    assert_eq!(choice(ToolChoice::Required, CLAUDE), (json!({"any": {}}), 2));
    assert_eq!(
        choice(ToolChoice::Tool("get_time".into()), CLAUDE),
        (json!({"tool": {"name": "get_time"}}), 2)
    );
    // Models of this vendor can only be told to call any.
    assert_eq!(choice(ToolChoice::Tool("get_time".into()), MISTRAL), (json!({"any": {}}), 1));
    let allowed = ToolChoice::Allowed { names: vec!["get_time".into()], required: true };
    assert_eq!(choice(allowed, NOVA), (json!({"any": {}}), 1));

    let mut request = with_tools();
    (request.parallel_tool_calls, request.tool_choice) =
        (Some(false), Some(ToolChoice::Tool("get_time".into())));
    let written = body(&request, CLAUDE);
    assert_eq!(written["toolConfig"].get("toolChoice"), None, "said in one place only");
    assert_eq!(
        written["additionalModelRequestFields"]["tool_choice"],
        json!({"type": "tool", "disable_parallel_tool_use": true, "name": "get_time"})
    );
    refused(&request, NOVA, "parallel_tool_calls");
    let none = Target { can: Abilities { forced_tool: false, ..Abilities::default() }, ..target(NOVA) };
    request.parallel_tool_calls = None;
    assert_eq!(
        encode_request(&request, &none, &Losses::NONE, Options::of(NOVA)).unwrap_err().param,
        "tool_choice"
    );
}

fn media(source: Source, media_type: Option<&str>) -> Media {
    Media { source, media_type: media_type.map(Into::into) }
}

fn image(source: Source, media_type: Option<&str>) -> Part {
    Part::Image { media: media(source, media_type), detail: None, cache: None }
}

#[test]
fn trap_15_media_are_bytes_with_a_word_for_their_format() {
    let shown = |part: Part| {
        body(&asking(vec![Message::new(Role::User, vec![Part::text("a"), part])]), CLAUDE)["messages"][0]["content"][1].clone()
    };
    let bytes = |text: &str| Source::Base64(text.into());
    assert_eq!(
        shown(image(bytes("iVBORw=="), None)),
        json!({"image": {"format": "png", "source": {"bytes": "iVBORw=="}}})
    );
    assert_eq!(
        shown(image(Source::Url("data:image/jpg;base64,AAAA".into()), None)),
        json!({"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}})
    );
    assert_eq!(
        shown(image(Source::Url("s3://b-1/x.webp".into()), None)),
        json!({"image": {"format": "webp", "source": {"s3Location": {"uri": "s3://b-1/x.webp"}}}})
    );
    let audio = Part::Audio { media: media(bytes("AAAA"), Some("audio/wav")), id: None, transcript: None };
    assert_eq!(shown(audio), json!({"audio": {"format": "wav", "source": {"bytes": "AAAA"}}}));
    let video = Part::Video { media: media(bytes("AAAA"), Some("video/quicktime")) };
    assert_eq!(shown(video), json!({"video": {"format": "mov", "source": {"bytes": "AAAA"}}}));
    for foreign in [
        image(Source::Url("https://example.org/a.png".into()), None),
        image(Source::File("file-1".into()), None),
        image(bytes("AAAA"), Some("image/tiff")),
        image(bytes("AAAA"), None),
        image(Source::Url("s3://b-1/x".into()), None),
    ] {
        let request = asking(vec![Message::new(Role::User, vec![Part::text("a"), foreign])]);
        let written = refused(&request, CLAUDE, "messages[0].content[1]");
        assert_eq!(written["messages"][0]["content"], json!([{"text": "a"}]));
    }
    let said = Message::new(Role::Assistant, vec![image(bytes("iVBORw=="), None), Part::text("b")]);
    refused(&asking(vec![user("a"), said, user("c")]), CLAUDE, "messages[1].content[0]");
}

#[test]
fn trap_15_documents_have_a_name_and_a_text_beside_them() {
    let document = |title: Option<&str>, source: Source, media_type: Option<&str>| Part::Document {
        media: media(source, media_type),
        title: title.map(Into::into),
        context: None,
        citable: None,
        cache: None,
    };
    let pdf = || Source::Base64("JVBERi0x".into());
    let request = asking(vec![Message::new(
        Role::User,
        vec![document(Some("q3_final.pdf"), pdf(), None), document(None, Source::Text("Deep.".into()), None)],
    )]);
    assert_eq!(
        body(&request, CLAUDE)["messages"][0]["content"],
        json!([
            {"text": "q3-final-pdf"},
            {"document": {"format": "pdf", "name": "q3-final-pdf", "source": {"bytes": "JVBERi0x"}}},
            {"document": {"format": "txt", "name": "document", "source": {"text": "Deep."}}},
        ])
    );
    for (media_type, format) in [
        ("text/csv", "csv"),
        ("text/markdown", "md"),
        ("text/x-rust", "txt"),
        ("application/json", "txt"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ] {
        let part = document(None, Source::Base64("QUJD".into()), Some(media_type));
        let written = body(&asking(vec![Message::new(Role::User, vec![Part::text("a"), part])]), CLAUDE);
        assert_eq!(written["messages"][0]["content"][1]["document"]["format"], format);
    }
}

#[test]
fn marks_for_the_cache_are_blocks_and_go_to_models_that_know_them() {
    let cache = Some(CacheHint { ttl_seconds: Some(3600) });
    let text = Part::Text { text: "a".into(), citations: vec![], cache, opaque: None };
    let mut request = asking(vec![Message::new(Role::User, vec![text])]);
    request.tools = vec![Tool { cache: Some(CacheHint::default()), ..tool("f") }];
    let written = body(&request, CLAUDE);
    assert_eq!(written["messages"][0]["content"][1], json!({"cachePoint": {"type": "default", "ttl": "1h"}}));
    assert_eq!(written["toolConfig"]["tools"][1], json!({"cachePoint": {"type": "default"}}));
    let written = body(&request, NOVA);
    assert_eq!(written["messages"][0]["content"][1], json!({"cachePoint": {"type": "default"}}));
    assert_eq!(noted(&request, NOVA), ["tools.cache_control"]);
    assert_eq!(noted(&request, LLAMA), ["messages.cache_control", "tools.cache_control"]);
    let mut request = asking(vec![user("a")]);
    request.cache = Some(CacheHint::default());
    assert_eq!(
        body(&request, CLAUDE)["messages"][0]["content"][1],
        json!({"cachePoint": {"type": "default"}})
    );
}

#[test]
fn an_answer_that_is_begun_is_gone_on_with() {
    let request = asking(vec![user("a"), Message::new(Role::Assistant, vec![Part::text("It is \n")])]);
    assert_eq!(body(&request, CLAUDE)["messages"][1]["content"], json!([{"text": "It is"}]));
    let never = Target { can: Abilities { prefill: false, ..Abilities::default() }, ..target(CLAUDE) };
    let refused = encode_request(&request, &never, &Losses::NONE, Options::of(CLAUDE)).unwrap_err();
    assert_eq!(refused.param, "messages[1]");
}

#[test]
fn labels_and_classes_of_service() {
    let mut request = asking(vec![user("a")]);
    request.metadata = json!({"team": "blau/1", "bad\"": "x", "deep": {}}).as_object().cloned();
    assert_eq!(body(&request, CLAUDE)["requestMetadata"], json!({"team": "blau/1"}));
    assert_eq!(noted(&request, CLAUDE), ["metadata"]);
    for (word, written) in [
        ("auto", Value::Null),
        ("default", json!({"type": "default"})),
        ("flex", json!({"type": "flex"})),
        ("batch", Value::Null),
    ] {
        request.service_tier = Some(word.into());
        assert_eq!(body(&request, CLAUDE)["serviceTier"], written);
    }
}
