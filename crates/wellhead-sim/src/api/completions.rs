//! `POST /v1/completions`: the old endpoint, which continues a text.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use super::Call;
use super::chat::{FINGERPRINT, Frame, finish_reason, json as write_json, reasons, usage};
use super::params::{flag, given, missing, number, texts};
use crate::mind::{Answer, Ask, Said, Text, answer, count, hash};
use crate::options::CHOICES_MAX;
use crate::reply::{self, Events, Reply, Step, trouble};

/// Most prompts of one request.
const PROMPTS_MAX: usize = 2048;
/// Tokens when the request sets no limit, as the vendor has it.
const TOKENS_DEFAULT: u64 = 16;

/// Continues each prompt `n` times.
pub(crate) fn completions(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    let model = call.parsed.known_model()?;
    let prompts = prompts(object)?;
    let choices = number(object, "n", 1, CHOICES_MAX)?.unwrap_or(1);
    if prompts.len() as u64 * choices > CHOICES_MAX * 16 {
        return Err(reply::invalid("n", "There are too many prompts for so many choices each."));
    }
    let per_prompt = usize::try_from(choices).unwrap_or(1);
    let tokens_wanted = call.tokens_each(prompts.len() * per_prompt);
    let tokens_max = number(object, "max_tokens", 0, u64::MAX)?.unwrap_or(TOKENS_DEFAULT);
    let stop = texts(object, "stop")?.unwrap_or_default();
    let echo = flag(object, "echo")?;
    let mut answers = Vec::new();
    for prompt in &prompts {
        let ask = Ask {
            hash: hash(0, prompt.as_bytes()),
            last_user: prompt.clone(),
            tokens_wanted,
            tokens_max: Some(tokens_max),
            stop: stop.clone(),
            practice: model.starts_with("practice") && !reasons(model),
            ..Ask::default()
        };
        answers.extend((0..choices).map(|index| answer(&ask, call.core.options.seed, index)));
    }
    let prompt_tokens = prompts.iter().map(|prompt| count(prompt)).sum();
    let usage = usage(prompt_tokens, &answers);
    let echoes = if echo { prompts } else { Vec::new() };
    let frame = Frame { id: call.id("cmpl-", 29), created: call.created(), model: model.to_owned() };
    if flag(object, "stream")? {
        let include = given(object, "stream_options").and_then(Value::as_object);
        let include = include.map(|options| flag(options, "include_usage")).transpose()?.unwrap_or(false);
        let usage = include.then_some(usage);
        return Ok(Reply::events(Box::new(TextEvents::new(&frame, answers, &echoes, per_prompt, usage))));
    }
    let tokens = answers.iter().map(Answer::tokens).max().unwrap_or(0);
    let choices: Vec<Value> = answers
        .iter()
        .enumerate()
        .map(|(index, answer)| {
            let text = format!("{}{}", echoes.get(index / per_prompt).map_or("", String::as_str), said(answer).as_str());
            json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish_reason(answer.stop)})
        })
        .collect();
    let body = json!({
        "id": frame.id, "object": "text_completion", "created": frame.created, "model": frame.model,
        "choices": choices, "usage": usage, "system_fingerprint": FINGERPRINT,
    });
    Ok(Reply::json(200, &body, tokens))
}

/// Texts, or lists of token numbers, of which only the count matters here.
fn prompts(object: &Map<String, Value>) -> Result<Vec<String>, Reply> {
    let wrong = || {
        reply::invalid("prompt", "Invalid value for 'prompt': expected a string, strings, or token numbers.")
    };
    let numbers = |list: &[Value]| !list.is_empty() && list.iter().all(Value::is_u64);
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(list) if numbers(list) => Ok(value.to_string()),
        _ => Err(wrong()),
    };
    match given(object, "prompt") {
        None => Err(missing("prompt")),
        Some(Value::Array(list)) if !numbers(list) => match list.len() {
            0 => Err(wrong()),
            1..=PROMPTS_MAX => list.iter().map(one).collect(),
            _ => Err(reply::invalid("prompt", &format!("There may be at most {PROMPTS_MAX} prompts."))),
        },
        Some(value) => Ok(vec![one(value)?]),
    }
}

fn said(answer: &Answer) -> &Text {
    static EMPTY: Text = Text::empty();
    match &answer.said {
        Said::Text(text) => text,
        Said::Calls(_) => &EMPTY,
    }
}

/// The events of a streamed completion: one choice after the other.
struct TextEvents {
    start: Vec<u8>,
    answers: Vec<Answer>,
    echoes: Vec<String>,
    per_prompt: usize,
    /// The choice and the token that come next; the echo is in front of token 0.
    at: (usize, usize),
    usage: Option<Value>,
    usage_due: bool,
    done: bool,
}

impl TextEvents {
    fn new(
        frame: &Frame,
        answers: Vec<Answer>,
        echoes: &[String],
        per_prompt: usize,
        usage: Option<Value>,
    ) -> Self {
        let mut start = Vec::with_capacity(192);
        let _ = write!(
            start,
            "data: {{\"id\":\"{}\",\"object\":\"text_completion\",\"created\":{},\"model\":",
            frame.id, frame.created
        );
        write_json(&mut start, &frame.model);
        let _ = write!(start, ",\"system_fingerprint\":\"{FINGERPRINT}\",\"choices\":[");
        let usage_due = usage.is_some();
        Self {
            start,
            answers,
            echoes: echoes.to_vec(),
            per_prompt,
            at: (0, 0),
            usage,
            usage_due,
            done: false,
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        if self.done {
            return None;
        }
        if let Some(usage) = self.usage.as_ref().filter(|_| self.usage_due) {
            out.extend_from_slice(&self.start);
            let _ = write!(out, "],\"usage\":{usage}}}\n\n");
            self.usage_due = false;
        } else {
            out.extend_from_slice(b"data: [DONE]\n\n");
            self.done = true;
        }
        Some(Step::Terminator)
    }
}

impl Events for TextEvents {
    fn next(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let (choice, token) = self.at;
        let Some(answer) = self.answers.get(choice) else { return self.end(out) };
        let text = said(answer);
        let last = token >= text.len();
        out.extend_from_slice(&self.start);
        let _ = write!(out, "{{\"index\":{choice},\"text\":");
        let echo = self.echoes.get(choice / self.per_prompt).filter(|_| token == 0);
        match echo {
            Some(echo) => write_json(out, &format!("{echo}{}", text.token(token))),
            None => write_json(out, if last { "" } else { text.token(token) }),
        }
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        let _ = if last { write!(out, "\"{}\"", finish_reason(answer.stop)) } else { write!(out, "null") };
        out.extend_from_slice(if self.usage.is_some() { b"}],\"usage\":null}\n\n" } else { b"}]}\n\n" });
        self.at = if last { (choice + 1, 0) } else { (choice, token + 1) };
        Some(if last { Step::Terminator } else { Step::Token })
    }

    fn error(&mut self, out: &mut Vec<u8>) {
        let _ = write!(out, "data: {}\n\n", trouble());
    }
}
