//! What a vendor's error body says, whatever its shape.

use serde_json::Value;

/// Error bodies longer than this are not read: no vendor writes them, and a message never needs so much.
pub const ERROR_BODY_BYTES_MAX: usize = 256 * 1024;

/// Longest message taken over.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 2048;

/// The facts of one error body.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What it says to people.
    pub(super) message: Option<String>,
    /// Its words for machines (type, code, status, reason), in lower case, each between spaces.
    pub(super) words: String,
    /// A status inside the body, where it differs from that of HTTP.
    pub(super) status: Option<u16>,
    /// `RetryInfo.retryDelay` of Google's error details.
    pub(super) retry_delay: Option<String>,
    /// Message and everything else that may name the cause, in lower case.
    pub(super) haystack: String,
}

impl Facts {
    pub(super) fn read(body: &[u8]) -> Self {
        let mut facts = Self::default();
        if body.len() > ERROR_BODY_BYTES_MAX {
            return facts;
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => facts.visit_root(&value),
            Err(_) => facts.message = plain_text(body),
        }
        let message = facts.message.as_deref().unwrap_or("");
        let raw = std::mem::take(&mut facts.haystack);
        facts.haystack = format!("{message} {raw}").to_lowercase();
        facts
    }

    /// Whether one of the body's words for machines is exactly `word`.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.split(' ').any(|w| w == word)
    }

    fn visit_root(&mut self, value: &Value) {
        match value {
            // Gemini's OpenAI-compatible endpoint wraps the error into an array.
            Value::Array(items) => {
                if let Some(first) = items.first() {
                    self.visit_object(first);
                }
            }
            Value::String(text) => self.set_message(text),
            _ => self.visit_object(value),
        }
    }

    fn visit_object(&mut self, value: &Value) {
        for key in ["error", "detail", "errors", "base_resp"] {
            match value.get(key) {
                Some(Value::String(text)) => self.set_message(text),
                Some(Value::Array(items)) => {
                    if let Some(first) = items.first() {
                        self.visit_leaf(first);
                    }
                }
                Some(inner @ Value::Object(_)) => self.visit_leaf(inner),
                _ => {}
            }
        }
        self.visit_leaf(value);
    }

    fn visit_leaf(&mut self, value: &Value) {
        for key in ["message", "msg", "status_msg", "error_message", "title"] {
            if let Some(text) = value.get(key).and_then(Value::as_str) {
                self.set_message(text);
            }
        }
        if let Value::String(text) = value {
            self.set_message(text);
        }
        for key in ["type", "code", "status", "reason", "error_code", "error_type", "__type"] {
            self.add_word(value.get(key));
        }
        for key in ["code", "status", "status_code", "statusCode"] {
            self.set_status(value.get(key));
        }
        for key in ["details", "innererror", "metadata"] {
            match value.get(key) {
                Some(Value::Array(items)) => items.iter().take(16).for_each(|item| self.visit_detail(item)),
                Some(inner) => self.visit_detail(inner),
                None => {}
            }
        }
    }

    /// Google's `details[]`, Azure's `innererror`, OpenRouter's `metadata`, Anthropic's `details.error_code`.
    fn visit_detail(&mut self, value: &Value) {
        for key in ["code", "reason", "error_code"] {
            self.add_word(value.get(key));
        }
        if let Some(delay) = value.get("retryDelay").and_then(Value::as_str) {
            self.retry_delay = Some(delay.to_owned());
        }
        if let Some(raw) = value.get("raw").and_then(Value::as_str) {
            self.haystack.push_str(bounded(raw));
        }
    }

    /// The first message wins: the outer ones are generic or repeat it.
    fn set_message(&mut self, text: &str) {
        if self.message.is_none() && !text.trim().is_empty() {
            self.message = Some(bounded(text.trim()).to_owned());
        }
    }

    fn add_word(&mut self, value: Option<&Value>) {
        if let Some(word) = value.and_then(Value::as_str) {
            self.words.push_str(&bounded(word).to_lowercase().replace(' ', "_"));
            self.words.push(' ');
        }
    }

    fn set_status(&mut self, value: Option<&Value>) {
        let number = match value {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64(),
            None => None,
        };
        let status = number.and_then(|n| u16::try_from(n).ok()).filter(|n| (400..600).contains(n));
        self.status = self.status.or(status);
    }
}

/// The message for people in a vendor's error body: the vendor's own words, at most 2 KiB of them. `None` if there are
/// none, for example in an HTML page.
pub fn upstream_message(body: &[u8]) -> Option<String> {
    Facts::read(body).message
}

fn plain_text(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.is_empty() || text.starts_with(['<', '{', '[']) { None } else { Some(bounded(text).to_owned()) }
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX)]
}
