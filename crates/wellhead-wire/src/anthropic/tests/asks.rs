//! How much to think, from every way in which clients say it to every way in which models are asked.

use super::{asking, client, read, refused, says, target, written, written_with};
use crate::anthropic::{Options, Thinking, Version, decode_request};
use crate::chat::{Effort, Losses, ReasoningAsk, ReasoningMode, Request, Role, ToolChoice};
use serde_json::{Value, json};

fn options(thinking: Thinking) -> Options {
    Options { thinking, ..Options::default() }
}

fn thinking(ask: ReasoningAsk) -> Request {
    let mut request = asking(vec![says(Role::User, "a")]);
    request.sampling.max_tokens = Some(20_000);
    request.reasoning = Some(ask);
    request
}

fn effort(effort: Effort) -> ReasoningAsk {
    ReasoningAsk { effort: Some(effort), ..ReasoningAsk::default() }
}

fn said(ask: ReasoningAsk, style: Thinking) -> (Value, Value) {
    let body = written(&thinking(ask), &target(), options(style));
    let effort = body.pointer("/output_config/effort").cloned().unwrap_or_default();
    (body.get("thinking").cloned().unwrap_or_default(), effort)
}

#[test]
fn every_form_of_this_dialect_survives() {
    for thinking in [
        json!({"type": "adaptive"}),
        json!({"type": "adaptive", "display": "omitted"}),
        json!({"type": "enabled", "budget_tokens": 1024}),
        json!({"type": "enabled", "budget_tokens": 8999, "display": "summarized"}),
        json!({"type": "disabled"}),
        json!({"type": "between_tools"}),
    ] {
        for effort in [Value::Null, json!("low"), json!("max")] {
            let mut body = client(&json!({"thinking": thinking}));
            if !effort.is_null() {
                body["output_config"] = json!({"effort": effort});
            }
            let again = written(&Request { model: "m".into(), ..read(&body) }, &target(), Options::default());
            assert_eq!(again["thinking"], thinking);
            assert_eq!(again.pointer("/output_config/effort").cloned().unwrap_or_default(), effort);
        }
    }
    let body = client(&json!({"output_config": {"effort": "xhigh"}}));
    let again = written(&read(&body), &target(), Options::default());
    assert_eq!((again.get("thinking"), &again["output_config"]), (None, &json!({"effort": "xhigh"})));
}

#[test]
fn an_effort_becomes_what_the_model_takes() {
    assert_eq!(said(effort(Effort::High), Thinking::AsAsked), (Value::Null, json!("high")));
    assert_eq!(said(effort(Effort::High), Thinking::Adaptive), (json!({"type": "adaptive"}), json!("high")));
    assert_eq!(
        said(effort(Effort::Minimal), Thinking::Adaptive),
        (json!({"type": "adaptive"}), json!("low"))
    );
    let budget = json!({"type": "enabled", "budget_tokens": 16_384});
    assert_eq!(said(effort(Effort::High), Thinking::Budget), (budget, Value::Null));
    for style in [Thinking::AsAsked, Thinking::Adaptive, Thinking::Budget] {
        assert_eq!(said(effort(Effort::None), style), (json!({"type": "disabled"}), Value::Null));
        assert_eq!(said(ReasoningAsk::default(), style), (Value::Null, Value::Null));
    }
}

#[test]
fn a_budget_becomes_what_the_model_takes() {
    let budget = |tokens| ReasoningAsk { budget_tokens: Some(tokens), ..ReasoningAsk::default() };
    let enabled = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    assert_eq!(said(budget(5000), Thinking::AsAsked).0, enabled(5000));
    assert_eq!(said(budget(100), Thinking::AsAsked).0, enabled(1024), "fewer the vendor refuses");
    assert_eq!(said(budget(30_000), Thinking::Budget).0, enabled(10_000), "the answer needs room");
    assert_eq!(said(budget(5000), Thinking::Adaptive), (json!({"type": "adaptive"}), json!("medium")));
    assert_eq!(said(budget(0), Thinking::Adaptive).0, json!({"type": "disabled"}), "Gemini's way to say no");
    let mut request = thinking(budget(2000));
    request.sampling.max_tokens = Some(1024);
    assert_eq!(refused(&request, &target(), options(Thinking::Budget)), "thinking.budget_tokens");
}

#[test]
fn every_mode_is_understood_by_older_and_newer_models() {
    let mode = |mode| ReasoningAsk { mode, ..ReasoningAsk::default() };
    let adaptive = json!({"type": "adaptive"});
    for asked in [ReasoningMode::Enabled, ReasoningMode::Adaptive] {
        assert_eq!(said(mode(asked), Thinking::AsAsked).0, adaptive);
        assert_eq!(said(mode(asked), Thinking::Adaptive).0, adaptive);
        assert_eq!(said(mode(asked), Thinking::Budget).0, json!({"type": "enabled", "budget_tokens": 8192}));
    }
    let hidden = ReasoningAsk { show: Some("none".into()), ..mode(ReasoningMode::Enabled) };
    assert_eq!(said(hidden, Thinking::Adaptive).0, json!({"type": "adaptive", "display": "omitted"}));
}

#[test]
fn trap_7_a_demanded_call_is_worth_more_than_a_thought_that_nobody_named() {
    let mut request = thinking(effort(Effort::High));
    request.tools =
        read(&client(&json!({"tools": [{"name": "f", "input_schema": {"type": "object"}}]}))).tools;
    request.tool_choice = Some(ToolChoice::Required);
    let (body, dropped) = written_with(&request, &target(), &Losses::NONE, options(Thinking::Adaptive));
    assert_eq!((body.get("thinking"), dropped), (None, vec!["reasoning_effort".to_owned()]));
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
}

#[test]
fn sampling_beside_thoughts_is_refused_by_name() {
    let mut request = thinking(effort(Effort::High));
    request.sampling.temperature = Some(0.2);
    assert_eq!(refused(&request, &target(), options(Thinking::Budget)), "temperature");
    written(&request, &target(), options(Thinking::AsAsked));
}

#[test]
fn a_model_that_does_not_think_is_not_asked_to() {
    let mut plain = target();
    plain.can.reasoning = false;
    assert_eq!(
        refused(&thinking(effort(Effort::Low)), &plain, options(Thinking::Adaptive)),
        "reasoning_effort"
    );
    let enabled = ReasoningAsk { budget_tokens: Some(2000), ..ReasoningAsk::default() };
    assert_eq!(refused(&thinking(enabled), &plain, options(Thinking::Adaptive)), "thinking");
    written(&thinking(effort(Effort::None)), &plain, options(Thinking::Adaptive));
}

#[test]
fn what_the_vendor_would_refuse_is_refused_with_the_members_name() {
    for (changes, param) in [
        (json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens"),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 1023}}), "thinking.budget_tokens"),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 9000}}), "thinking.budget_tokens"),
        (json!({"thinking": {"type": "much"}}), "thinking.type"),
        (json!({"thinking": {"type": "disabled", "budget_tokens": 5000}}), "thinking.budget_tokens"),
        (json!({"thinking": {"type": "adaptive", "display": "all"}}), "thinking.display"),
        (json!({"output_config": {"effort": "none"}}), "output_config.effort"),
        (json!({"output_config": {"format": {"type": "json_object"}}}), "output_config.format.type"),
        (json!({"output_config": {"format": {"type": "json_schema"}}}), "output_config.format.schema"),
    ] {
        let body = client(&changes).to_string();
        let bad = decode_request(body.as_bytes(), Version::V2023).unwrap_err();
        assert_eq!(bad.param(), Some(param), "{bad}");
    }
}
