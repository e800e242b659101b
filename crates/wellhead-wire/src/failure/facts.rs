//! What a vendor's error body says, whatever its shape.

use http::HeaderMap;
use serde_json::Value;

/// Error bodies longer than this are not read: no vendor writes them, and a message never needs so much.
pub const ERROR_BODY_BYTES_MAX: usize = 256 * 1024;

/// Longest message taken over.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 2048;

/// All that is searched for phrases: the message, and what stands beside and behind it.
const PROSE_BYTES_MAX: usize = 2 * ERROR_MESSAGE_BYTES_MAX;

/// Words for machines that are kept. Vendors write at most eight.
const WORDS_MAX: usize = 32;

/// Longest word for machines; what is longer is prose.
const WORD_BYTES_MAX: usize = 128;

/// Items looked at in an array: errors come first, Google's details are five at most.
const ITEMS_MAX: usize = 16;

/// Errors lie at most this deep: an array, the error, its details, their violations, and one wrapping of all that.
const DEPTH_MAX: usize = 8;

/// Members that hold the error itself; what they say comes before what stands beside them.
const INNER: [&str; 9] =
    ["error", "errors", "detail", "base_resp", "response", "err", "message", "choices", "x_groq"];

/// Members that say more about the error.
const DETAILS: [&str; 7] =
    ["details", "innererror", "inner_error", "metadata", "violations", "promptFeedback", "parameters"];

/// Members for people.
const PROSE: [&str; 10] = [
    "message",
    "msg",
    "Message",
    "status_msg",
    "error_message",
    "error_msg",
    "err_msg",
    "description",
    "title",
    "raw",
];

/// Members for machines.
const WORDS: [&str; 16] = [
    "type",
    "code",
    "status",
    "reason",
    "error_code",
    "error_type",
    "err_code",
    "__type",
    "blockReason",
    "finish_reason",
    "category",
    "quotaId",
    "status_code",
    "raw_status",
    "name",
    "limit_source",
];

/// When to come back, in the body's own words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum BodyWait {
    /// A duration as text: Google's `RetryInfo.retryDelay`.
    Text(String),
    /// Seconds.
    Seconds(f64),
    /// A reset as in a header, repeated in the body.
    Reset(String),
}

/// The facts of one error body.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What it says to people.
    pub(super) message: Option<String>,
    /// Its words for machines (type, code, status, reason), in lower case.
    pub(super) words: Vec<String>,
    /// A status inside the body, where it differs from that of HTTP.
    pub(super) status: Option<u16>,
    /// When to come back.
    pub(super) wait: Option<BodyWait>,
    /// There is no body.
    pub(super) is_empty: bool,
    /// Message and everything else that may name the cause, in lower case.
    prose: String,
}

impl Facts {
    /// Reads a body, and of the headers those that name the error.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let mut facts = Self { is_empty: body.trim_ascii().is_empty(), ..Self::default() };
        if let Some(kind) = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()) {
            facts.add_aws_type(kind);
        }
        if body.len() <= ERROR_BODY_BYTES_MAX {
            match serde_json::from_slice::<Value>(body) {
                Ok(value) => facts.visit(&value, 0),
                Err(_) => facts.plain_text(body),
            }
        }
        facts.prose = facts.prose.to_lowercase();
        facts
    }

    /// The name of an AWS exception: `ThrottlingException:http://…`, `com.amazon.coral#ThrottlingException`.
    pub(super) fn add_aws_type(&mut self, kind: &str) {
        let name = kind.split(':').next().unwrap_or(kind);
        self.add_word(name.rsplit('#').next().unwrap_or(name).trim());
    }

    /// Whether one of the body's words for machines is exactly `word`.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    /// Whether what is said to people holds a phrase.
    pub(super) fn says(&self, phrase: &str) -> bool {
        self.prose.contains(phrase)
    }

    /// What follows a phrase in what is said to people, for each of its places.
    pub(super) fn after<'a>(&'a self, phrase: &'a str) -> impl Iterator<Item = &'a str> {
        self.prose.match_indices(phrase).map(|(at, _)| &self.prose[at + phrase.len()..])
    }

    /// The first message wins: the outer ones are generic or repeat it.
    fn visit(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Array(items) if depth < DEPTH_MAX => {
                items.iter().take(ITEMS_MAX).for_each(|item| self.visit(item, depth + 1));
            }
            Value::String(text) => self.say(text, depth),
            Value::Object(members) if depth < DEPTH_MAX => {
                for name in INNER {
                    match members.get(name) {
                        // Prose of the object itself, which comes after what its error says.
                        Some(Value::String(_)) if name == "message" => {}
                        Some(inner) => self.visit(inner, depth + 1),
                        None => {}
                    }
                }
                self.visit_members(members, depth);
                for name in DETAILS {
                    if let Some(inner @ (Value::Array(_) | Value::Object(_))) = members.get(name) {
                        self.visit(inner, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn visit_members(&mut self, members: &serde_json::Map<String, Value>, depth: usize) {
        for name in PROSE {
            if let Some(text) = members.get(name).and_then(Value::as_str) {
                self.say(text, depth);
            }
        }
        for name in WORDS {
            match members.get(name) {
                Some(Value::String(text)) if name == "__type" => self.add_aws_type(text),
                // MiniMax's codes are those of others in other words.
                Some(Value::Number(code)) if name == "status_code" && members.contains_key("status_msg") => {
                    self.add_word(&format!("base_resp:{code}"));
                }
                Some(Value::String(text)) => self.add_word(text),
                Some(Value::Number(number)) => self.add_word(&number.to_string()),
                _ => {}
            }
        }
        for name in ["code", "status", "status_code", "statusCode"] {
            self.set_status(members.get(name));
        }
        self.set_wait(members);
    }

    fn set_wait(&mut self, members: &serde_json::Map<String, Value>) {
        let text = |name| members.get(name).and_then(Value::as_str);
        let number = |name| members.get(name).and_then(Value::as_f64);
        let found = text("retryDelay")
            .map(|delay| BodyWait::Text(bounded(delay, WORD_BYTES_MAX).to_owned()))
            .or_else(|| number("retry_after").or_else(|| number("estimated_time")).map(BodyWait::Seconds))
            .or_else(|| number("retry_after_ms").map(|ms| BodyWait::Seconds(ms / 1000.0)))
            // OpenRouter repeats the headers of its answer.
            .or_else(|| {
                let headers = members.get("headers")?;
                let reset = headers.get("X-RateLimit-Reset").or_else(|| headers.get("x-ratelimit-reset"))?;
                let reset = reset.as_str().map_or_else(|| reset.to_string(), str::to_owned);
                Some(BodyWait::Reset(bounded(&reset, WORD_BYTES_MAX).to_owned()))
            });
        if self.wait.is_none() {
            self.wait = found;
        }
    }

    /// Takes over what is said to people. A gateway in between may have put a whole error into the text of its own.
    fn say(&mut self, text: &str, depth: usize) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if text.starts_with(['{', '['])
            && depth < DEPTH_MAX
            && let Ok(inner) = serde_json::from_str::<Value>(text)
        {
            // Below another's error, its words are about that one's key and money, not ours.
            let words = self.words.len();
            let status = self.status;
            self.visit(&inner, depth + 1);
            self.words.truncate(words);
            self.status = status;
            return;
        }
        let room = PROSE_BYTES_MAX.saturating_sub(self.prose.len());
        self.prose.push_str(bounded(text, ERROR_MESSAGE_BYTES_MAX.min(room)));
        self.prose.push('\n');
        if self.message.is_none() {
            self.message = Some(bounded(text, ERROR_MESSAGE_BYTES_MAX).to_owned());
        }
    }

    fn plain_text(&mut self, body: &[u8]) {
        let Ok(text) = std::str::from_utf8(body) else { return };
        if !text.trim().starts_with(['<', '{', '[']) {
            self.say(text, DEPTH_MAX);
        }
    }

    fn add_word(&mut self, word: &str) {
        if !word.is_empty() && word.len() <= WORD_BYTES_MAX && self.words.len() < WORDS_MAX {
            self.words.push(word.to_lowercase());
        }
    }

    fn set_status(&mut self, value: Option<&Value>) {
        let number = match value {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        let status = number.and_then(|n| u16::try_from(n).ok()).filter(|n| (400..600).contains(n));
        self.status = self.status.or(status);
    }
}

/// The message for people in a vendor's error body: the vendor's own words, at most 2 KiB of them. `None` if there are
/// none, for example in an HTML page.
pub fn upstream_message(body: &[u8]) -> Option<String> {
    Facts::read(&HeaderMap::new(), body).message
}

fn bounded(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
