//! What is asked of the next target.

use crate::openai::Endpoint;
use crate::openai::request::RequestHead;
use crate::openai::resume::vendor::{Style, first, stream};
use crate::openai::resume::{Original, Plan, PrefillForm, Refusal};
use crate::openai::stream::Delivered;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

/// An answer of which this has been delivered.
fn after(endpoint: Endpoint, text: &str) -> Delivered {
    let whole = stream(text, &Style { endpoint, sizes: vec![1], ..Style::plain("a") });
    let end = whole.windows(20).rposition(|w| w.starts_with(b"data:") && w.len() == 20).unwrap_or(0);
    // Cut before the finish reason.
    let finish = memchr::memmem::find(&whole, b"\"finish_reason\":\"").map_or(end, |at| at);
    first(endpoint, &whole[..finish]).1
}

fn chat(text: &str) -> Delivered {
    after(Endpoint::ChatCompletions, text)
}

fn ask(endpoint: Endpoint, body: &Value, plan: Plan, delivered: &Delivered) -> Result<Value, Refusal> {
    let body = Bytes::from(body.to_string());
    let head = RequestHead::parse(endpoint, None, &body).unwrap();
    let out = Original::read(&body, &head)?.body(plan, delivered)?;
    RequestHead::parse(endpoint, None, &out).expect("it can be prepared for a target");
    Ok(serde_json::from_slice(&out).unwrap())
}

fn ask_chat(body: &Value, plan: Plan, text: &str) -> Result<Value, Refusal> {
    ask(Endpoint::ChatCompletions, body, plan, &chat(text))
}

const PREFILL: Plan = Plan::Prefill(PrefillForm::LastAssistant);

#[test]
fn each_form_of_prefill_is_the_vendors_own() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5});
    let message = |members: Value| {
        let mut expected = body.clone();
        let mut message = json!({"role": "assistant", "content": "He said: \"né\" \\"});
        message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        expected["messages"].as_array_mut().unwrap().push(message);
        expected
    };
    for (form, mut expected) in [
        (PrefillForm::LastAssistant, message(json!({}))),
        (PrefillForm::VllmContinue, message(json!({}))),
        (PrefillForm::MistralPrefix, message(json!({"prefix": true}))),
        (PrefillForm::DeepSeekPrefix, message(json!({"prefix": true}))),
        (PrefillForm::Partial, message(json!({"partial": true}))),
    ] {
        if form == PrefillForm::VllmContinue {
            expected["continue_final_message"] = json!(true);
            expected["add_generation_prompt"] = json!(false);
        }
        let asked = ask_chat(&body, Plan::Prefill(form), "He said: \"né\" \\ \n");
        assert_eq!(asked, Ok(expected), "{form:?}");
    }
    assert_eq!(ask_chat(&body, Plan::Prefill(PrefillForm::None), "Hi"), Err(Refusal::NoPrefill));
    assert_eq!(PrefillForm::DeepSeekPrefix.base_path(), Some("/beta"));
    let told =
        json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "add_generation_prompt": true});
    let asked = ask_chat(&told, Plan::Prefill(PrefillForm::VllmContinue), "a").unwrap();
    assert_eq!(asked["add_generation_prompt"], false, "what the client said is replaced");
}

#[test]
fn a_continuation_has_the_text_and_an_instruction() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let asked = ask_chat(&body, Plan::Continue, "Once upon ").unwrap();
    let messages = asked["messages"].as_array().unwrap();
    assert_eq!(messages[1], json!({"role": "assistant", "content": "Once upon "}));
    assert_eq!((messages.len(), &messages[2]["role"]), (3, &json!("user")));
}

#[test]
fn completions_grow_their_prompt() {
    let endpoint = Endpoint::Completions;
    let delivered = after(endpoint, "b\"c\n");
    for (prompt, expected) in [(json!("a\n"), json!("a\nb\"c")), (json!([" a"]), json!([" ab\"c"]))] {
        let body = json!({"model": "m", "prompt": prompt, "max_tokens": 10});
        let asked = ask(endpoint, &body, PREFILL, &delivered).unwrap();
        assert_eq!(
            (&asked["prompt"], &asked["max_tokens"]),
            (&expected, &json!(7)),
            "the line end is asked again"
        );
    }
    for refused in [
        json!({"model": "m", "prompt": ["a", "b"]}),
        json!({"model": "m", "prompt": [1, 2]}),
        json!({"model": "m", "prompt": "a", "echo": true}),
        json!({"model": "m", "prompt": "a", "suffix": "z"}),
        json!({"model": "m"}),
    ] {
        assert_eq!(ask(endpoint, &refused, PREFILL, &delivered), Err(Refusal::Prompt), "{refused}");
    }
    let many = json!({"model": "m", "prompt": "a", "best_of": 2});
    assert_eq!(ask(endpoint, &many, Plan::Restart, &delivered), Err(Refusal::SeveralAnswers));
}

#[test]
fn limits_shrink_by_what_was_delivered_and_never_to_nothing() {
    let body = |limit: u64| json!({"model": "m", "messages": [{}], "max_tokens": limit, "max_completion_tokens": limit + 1});
    // Four events, of which the last is white space.
    let asked = ask_chat(&body(10), PREFILL, "abc ").unwrap();
    assert_eq!((&asked["max_tokens"], &asked["max_completion_tokens"]), (&json!(7), &json!(8)));
    let asked = ask_chat(&body(10), Plan::Continue, "abc ").unwrap();
    assert_eq!(asked["max_tokens"], 6);
    assert_eq!(ask_chat(&body(3), PREFILL, "abc "), Err(Refusal::LimitUsedUp));
    assert_eq!(ask_chat(&body(3), Plan::Restart, "abc "), Ok(body(3)), "a restart gets all of it");
}

#[test]
fn what_must_not_be_joined_is_refused_with_the_reason() {
    let with = |members: Value| {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        body
    };
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let json_schema = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {}}});
    let open = None;
    for (members, prefill, restart, continued) in [
        (json!({}), open, open, open),
        (
            json!({"n": 2}),
            Some(Refusal::SeveralAnswers),
            Some(Refusal::SeveralAnswers),
            Some(Refusal::SeveralAnswers),
        ),
        (json!({"n": null, "logprobs": false}), open, open, open),
        (
            json!({"logprobs": true}),
            Some(Refusal::Logprobs),
            Some(Refusal::Logprobs),
            Some(Refusal::Logprobs),
        ),
        (
            json!({"top_logprobs": 2}),
            Some(Refusal::Logprobs),
            Some(Refusal::Logprobs),
            Some(Refusal::Logprobs),
        ),
        (json!({"response_format": {"type": "text"}}), open, open, open),
        (json!({"response_format": {"type": "json_object"}}), open, open, Some(Refusal::Structured)),
        (json!({"response_format": json_schema}), open, open, Some(Refusal::Structured)),
        (
            json!({"response_format": {"type": "grammar"}}),
            Some(Refusal::Structured),
            open,
            Some(Refusal::Structured),
        ),
        (json!({"guided_json": {}}), Some(Refusal::Structured), open, Some(Refusal::Structured)),
        (json!({"tools": tools}), open, open, Some(Refusal::Tools)),
        (json!({"tools": tools, "tool_choice": "none"}), open, open, open),
        (
            json!({"tools": tools, "tool_choice": "required"}),
            Some(Refusal::Tools),
            open,
            Some(Refusal::Tools),
        ),
        (json!({"functions": [{"name": "f"}]}), open, open, Some(Refusal::Tools)),
        (json!({"tools": []}), open, open, open),
        (
            json!({"messages": [{"role": "assistant", "content": "I"}]}),
            Some(Refusal::OwnPrefill),
            open,
            Some(Refusal::OwnPrefill),
        ),
        (json!({"continue_final_message": true}), Some(Refusal::OwnPrefill), open, Some(Refusal::OwnPrefill)),
        (json!({"messages": []}), Some(Refusal::Unreadable), open, Some(Refusal::Unreadable)),
        (json!({"messages": "Hi"}), Some(Refusal::Unreadable), open, Some(Refusal::Unreadable)),
    ] {
        let body = with(members);
        for (plan, expected) in [(PREFILL, prefill), (Plan::Restart, restart), (Plan::Continue, continued)] {
            assert_eq!(ask_chat(&body, plan, "I am").err(), expected, "{plan:?} {body}");
        }
    }
    let json_object = with(json!({"response_format": {"type": "json_object"}}));
    let partial = Plan::Prefill(PrefillForm::Partial);
    assert_eq!(ask_chat(&json_object, partial, "{"), Err(Refusal::Structured), "Moonshot");
    assert_eq!(ask_chat(&with(json!({})), PREFILL, " \n"), Err(Refusal::NoText));
    let bytes = Bytes::from_static(b"{\"model\":\"m\"}");
    let head = RequestHead::parse(Endpoint::Responses, None, &bytes).unwrap();
    assert_eq!(Original::read(&bytes, &head).err(), Some(Refusal::Endpoint));
}

#[test]
fn what_was_delivered_decides_too() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let refused = |events: &[Value]| {
        let bytes: String = events.iter().map(|e| format!("data: {{\"choices\":[{e}]}}\n\n")).collect();
        ask(
            Endpoint::ChatCompletions,
            &body,
            Plan::Restart,
            &first(Endpoint::ChatCompletions, bytes.as_bytes()).1,
        )
        .err()
    };
    let text = json!({"index": 0, "delta": {"content": "Hi"}});
    let call = json!({"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}});
    let next = json!({"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"name": "f", "arguments": "{"}}]}});
    assert_eq!(refused(std::slice::from_ref(&text)), None);
    assert_eq!(refused(&[text.clone(), call.clone()]), None, "a call that is held was not delivered");
    assert_eq!(refused(&[text.clone(), call, next]), Some(Refusal::NotPlainText));
    for (delta, expected) in [
        (json!({"delta": {"reasoning_content": "hm"}}), None),
        (json!({"delta": {"refusal": "No"}}), Some(Refusal::NotPlainText)),
        (json!({"delta": {"audio": {"data": "AA=="}}}), Some(Refusal::NotPlainText)),
        (json!({"delta": {"annotations": [{"type": "url_citation"}]}}), Some(Refusal::NotPlainText)),
        (json!({"delta": {"content": [{"type": "text", "text": "x"}]}}), Some(Refusal::NotPlainText)),
        (json!({"delta": {"content": "x"}, "logprobs": {"content": []}}), Some(Refusal::Logprobs)),
        (json!({"delta": {"content": "x"}, "index": 1}), Some(Refusal::SeveralAnswers)),
        (json!({"delta": {}, "finish_reason": "stop"}), Some(Refusal::Finished)),
    ] {
        assert_eq!(refused(&[text.clone(), delta.clone()]), expected, "{delta}");
    }
}

#[test]
fn structured_answers_are_restarted_first_and_best_comes_last() {
    let order = |format: Value, best: bool| {
        let body = Bytes::from(json!({"model": "m", "messages": [], "response_format": format}).to_string());
        let head = RequestHead::parse(Endpoint::ChatCompletions, None, &body).unwrap();
        let original = Original::read(&body, &head).unwrap();
        (original.order(best).map(Plan::as_str).collect::<Vec<_>>(), original.wants_json())
    };
    assert_eq!(order(json!(null), false), (vec!["prefill", "restart"], false));
    assert_eq!(order(json!(null), true), (vec!["prefill", "restart", "continued"], false));
    assert_eq!(order(json!({"type": "json_object"}), false), (vec!["restart", "prefill"], true));
}

proptest! {
    #[test]
    fn whatever_was_said_the_target_reads_it_and_the_rest_of_the_body_is_the_clients(
        text in "\\PC{0,20}[a-z]", system in any::<String>(), number: f64,
    ) {
        let body = json!({"messages": [{"role": "user", "content": system}], "temperature": number, "model": "m"});
        let asked = ask_chat(&body, PREFILL, &text).unwrap();
        let mut expected: Value = serde_json::from_str(&body.to_string()).unwrap();
        expected["messages"].as_array_mut().unwrap().push(json!({"role": "assistant", "content": text}));
        prop_assert_eq!(asked, expected);
    }
}
