//! What was said so far: checked as a vendor would, and boiled down to what the answer depends on.

use serde_json::{Map, Value};

use crate::api::params::{given, missing};
use crate::mind::{count, hash};
use crate::reply::{self, Reply};

/// Tokens that the frame of one message costs.
const MESSAGE_TOKENS: u64 = 4;
/// Tokens of an image in low detail.
const IMAGE_TOKENS: u64 = 85;
/// Tokens of a sound or a file, whatever is in it.
const MEDIA_TOKENS: u64 = 50;

const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// A conversation, boiled down.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    pub(crate) hash: u64,
    pub(crate) last_user: String,
    pub(crate) tokens: u64,
    pub(crate) after_tool: bool,
    pub(crate) prefill: Option<String>,
}

impl Talk {
    /// Reads `messages` of a chat.
    pub(crate) fn from_chat(object: &Map<String, Value>) -> Result<Self, Reply> {
        let messages = match given(object, "messages") {
            None => return Err(missing("messages")),
            Some(Value::Array(messages)) if messages.is_empty() => {
                let message = "Invalid 'messages': there must be at least one message.";
                return Err(reply::error(
                    400,
                    "invalid_request_error",
                    Some("empty_array"),
                    Some("messages"),
                    message,
                ));
            }
            Some(Value::Array(messages)) => messages,
            Some(_) => {
                let message = "Invalid type for 'messages': expected an array of objects.";
                return Err(reply::error(
                    400,
                    "invalid_request_error",
                    Some("invalid_type"),
                    Some("messages"),
                    message,
                ));
            }
        };
        let mut talk = Self { tokens: 3, ..Self::default() };
        for (index, message) in messages.iter().enumerate() {
            talk.add(index, message)?;
        }
        let begun =
            messages.last().filter(|last| role(last) == "assistant" && last.get("tool_calls").is_none());
        if let Some(begun) = begun {
            talk.prefill = begun.get("content").map(|content| content_text(content).0);
        }
        // The beginning of the answer is no part of the question.
        let asked = messages.get(..messages.len() - usize::from(begun.is_some())).unwrap_or(messages);
        talk.hash = serde_json::to_vec(asked).map_or(0, |bytes| hash(0, &bytes));
        Ok(talk)
    }

    fn add(&mut self, index: usize, message: &Value) -> Result<(), Reply> {
        let at = |member: &str| format!("messages[{index}]{member}");
        if !message.is_object() {
            return Err(reply::invalid(&at(""), &format!("Invalid '{}': expected an object.", at(""))));
        }
        let role = role(message);
        if !ROLES.contains(&role) {
            let text = format!("Invalid value for '{}': known are {}.", at(".role"), ROLES.join(", "));
            return Err(reply::invalid(&at(".role"), &text));
        }
        let (text, tokens) = match message.get("content") {
            None | Some(Value::Null) if role == "assistant" => (String::new(), 0),
            Some(content @ (Value::String(_) | Value::Array(_))) => {
                check_parts(content, &at(".content"))?;
                content_text(content)
            }
            _ => {
                let text = format!(
                    "Invalid value for '{}': expected a string or an array of parts.",
                    at(".content")
                );
                return Err(reply::invalid(&at(".content"), &text));
            }
        };
        if role == "tool" && given_text(message, "tool_call_id").is_none() {
            return Err(missing(&at(".tool_call_id")));
        }
        self.tokens += MESSAGE_TOKENS + tokens;
        if let Some(calls) = message.get("tool_calls") {
            self.tokens += count(&calls.to_string());
        }
        self.after_tool = matches!(role, "tool" | "function");
        if role == "user" {
            self.last_user = text;
        }
        Ok(())
    }
}

fn given_text<'a>(message: &'a Value, name: &str) -> Option<&'a str> {
    message.get(name).and_then(Value::as_str)
}

fn role(message: &Value) -> &str {
    given_text(message, "role").unwrap_or("")
}

fn check_parts(content: &Value, at: &str) -> Result<(), Reply> {
    for (index, part) in content.as_array().into_iter().flatten().enumerate() {
        let wanted = match given_text(part, "type") {
            Some("text") => part.get("text").is_some_and(Value::is_string),
            Some("image_url") => part.pointer("/image_url/url").is_some_and(Value::is_string),
            Some("input_audio") => part.pointer("/input_audio/data").is_some_and(Value::is_string),
            Some("file") => part.get("file").is_some_and(Value::is_object),
            Some("refusal") => part.get("refusal").is_some_and(Value::is_string),
            _ => false,
        };
        if !wanted {
            let at = format!("{at}[{index}]");
            let text = format!(
                "Invalid part '{at}': expected text, image_url, input_audio, file or refusal with its content."
            );
            return Err(reply::invalid(&at, &text));
        }
    }
    Ok(())
}

/// The text of a message's content, in whichever dialect, and all its tokens.
pub(crate) fn content_text(content: &Value) -> (String, u64) {
    let Value::Array(parts) = content else {
        let text = content.as_str().unwrap_or("").to_owned();
        let tokens = count(&text);
        return (text, tokens);
    };
    let (mut text, mut tokens) = (String::new(), 0);
    for part in parts {
        match given_text(part, "type").unwrap_or("") {
            "image_url" | "input_image" => tokens += IMAGE_TOKENS,
            "input_audio" | "file" | "input_file" => tokens += MEDIA_TOKENS,
            _ => {
                let piece = given_text(part, "text").or_else(|| given_text(part, "refusal")).unwrap_or("");
                tokens += count(piece);
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(piece);
            }
        }
    }
    (text, tokens)
}
