//! `POST /v1/chat/completions`.

mod messages;
mod stream;
mod tools;

pub(crate) use messages::{Talk, content_text};
pub(crate) use stream::json;
pub(crate) use tools::{choice as tool_choice, tools};

use serde_json::{Map, Value};

use super::params::{flag, given, number, text, texts};
use super::{Call, params};
use crate::mind::{Answer, Ask, Format, Said, Stop, answer};
use crate::options::CHOICES_MAX;
use crate::reply::{self, Reply};
use stream::ChatEvents;
use tools::call_json;

/// What stays the same over all answers and events of one request.
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
}

/// Answers a chat.
pub(crate) fn chat(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    let model = call.parsed.known_model()?;
    let choices = number(object, "n", 1, CHOICES_MAX)?.unwrap_or(1);
    let ask = ask(call, object, model, choices)?;
    let streamed = flag(object, "stream")?;
    let include_usage = include_usage(object, streamed)?;
    let answers: Vec<Answer> =
        (0..choices).map(|index| answer(&ask, call.core.options.seed, index)).collect();
    let frame = Frame { id: call.id("chatcmpl-", 29), created: call.created(), model: model.to_owned() };
    let usage = usage(ask.prompt_tokens, &answers);
    if streamed {
        let usage = include_usage.then_some(usage);
        return Ok(Reply::events(Box::new(ChatEvents::new(&frame, answers, usage))));
    }
    let tokens = answers.iter().map(Answer::tokens).max().unwrap_or(0);
    let choices: Vec<Value> =
        answers.iter().enumerate().map(|(index, answer)| choice_json(index, answer)).collect();
    let body = serde_json::json!({
        "id": frame.id, "object": "chat.completion", "created": frame.created, "model": frame.model,
        "choices": choices, "usage": usage, "service_tier": "default", "system_fingerprint": FINGERPRINT,
    });
    Ok(Reply::json(200, &body, tokens))
}

/// What stands for the version of the fake model.
pub(crate) const FINGERPRINT: &str = "fp_wellhead_sim";

/// Is the model one that thinks before it answers?
pub(crate) fn reasons(model: &str) -> bool {
    model.contains("reason")
}

fn ask(call: &Call<'_>, object: &Map<String, Value>, model: &str, choices: u64) -> Result<Ask, Reply> {
    let talk = Talk::from_chat(object)?;
    let tools = tools(object)?;
    let choice = tool_choice(object, &tools)?;
    // The newer name wins, as it does at the vendor.
    let tokens_max = match number(object, "max_completion_tokens", 1, u64::MAX)? {
        Some(max) => Some(max),
        None => number(object, "max_tokens", 1, u64::MAX)?,
    };
    check_sampling(object)?;
    Ok(Ask {
        hash: talk.hash,
        last_user: talk.last_user,
        prompt_tokens: talk.tokens + tools::tokens(object),
        tools,
        choice,
        parallel: given(object, "parallel_tool_calls") != Some(&Value::Bool(false)),
        after_tool: talk.after_tool,
        prefill: talk.prefill,
        format: format(object)?,
        tokens_wanted: call.tokens_each(usize::try_from(choices).unwrap_or(usize::MAX)),
        tokens_max,
        stop: texts(object, "stop")?.unwrap_or_default(),
        reasons: reasons(model),
        practice: model.starts_with("practice"),
    })
}

fn check_sampling(object: &Map<String, Value>) -> Result<(), Reply> {
    for (name, low, high) in [
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ] {
        if let Some(value) = given(object, name)
            && !value.as_f64().is_some_and(|value| (low..=high).contains(&value))
        {
            return Err(reply::invalid(
                name,
                &format!("Invalid value for '{name}': expected a number from {low} to {high}."),
            ));
        }
    }
    Ok(())
}

fn include_usage(object: &Map<String, Value>, streamed: bool) -> Result<bool, Reply> {
    match given(object, "stream_options") {
        None => Ok(false),
        Some(Value::Object(options)) if streamed => flag(options, "include_usage"),
        Some(Value::Object(_)) => Err(reply::invalid(
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is true.",
        )),
        Some(_) => {
            Err(reply::invalid("stream_options", "Invalid value for 'stream_options': expected an object."))
        }
    }
}

fn format(object: &Map<String, Value>) -> Result<Format, Reply> {
    let Some(format) = given(object, "response_format") else { return Ok(Format::Text) };
    let Some(format) = format.as_object() else {
        return Err(reply::invalid(
            "response_format",
            "Invalid value for 'response_format': expected an object.",
        ));
    };
    match text(format, "type")? {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Object),
        Some("json_schema") => match format.get("json_schema").and_then(|named| named.get("schema")) {
            Some(schema @ Value::Object(_)) => Ok(Format::Schema(schema.clone())),
            _ => Err(params::missing("response_format.json_schema.schema")),
        },
        _ => Err(reply::invalid(
            "response_format.type",
            "Invalid value for 'response_format.type': known are text, json_object, json_schema.",
        )),
    }
}

/// The word for why an answer ended.
pub(crate) const fn finish_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "stop",
        Stop::Length => "length",
        Stop::Tools => "tool_calls",
    }
}

fn choice_json(index: usize, answer: &Answer) -> Value {
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    match &answer.said {
        Said::Text(text) => drop(message.insert("content".into(), text.as_str().into())),
        Said::Calls(calls) => {
            message.insert("content".into(), Value::Null);
            message.insert("tool_calls".into(), calls.iter().map(call_json).collect());
        }
    }
    if let Some(reasoning) = &answer.reasoning {
        message.insert("reasoning_content".into(), reasoning.as_str().into());
    }
    message.insert("refusal".into(), Value::Null);
    message.insert("annotations".into(), serde_json::json!([]));
    serde_json::json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish_reason(answer.stop)})
}

/// Token counts, with the details that a vendor gives.
pub(crate) fn usage(prompt: u64, answers: &[Answer]) -> Value {
    let written: u64 = answers.iter().map(Answer::tokens).sum();
    let reasoning: u64 = answers.iter().map(Answer::reasoning_tokens).sum();
    serde_json::json!({
        "prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}
