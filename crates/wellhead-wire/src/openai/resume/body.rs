//! The request for the rest of an answer: the client's own, with what was delivered added by spans.

use super::{Plan, PrefillForm, Refusal};
use crate::json::{self, Cursor, Member, ObjectSpan, Splice, Text, push_quoted};
use crate::openai::Endpoint;
use crate::openai::request::RequestHead;
use crate::openai::stream::Delivered;
use bytes::Bytes;
use std::ops::Range;

/// What a model is told that shall go on with somebody else's answer. Without a word on the language but that it be
/// the same, since the conversation may be in any.
const INSTRUCTION: &str = "Your last message was cut off in the middle. Continue it from exactly where it stops, in the \
     same language, tone and format. Write only what comes next: repeat nothing, add no preamble and no comment.";

const KEYS: [&str; 20] = [
    "messages",
    "prompt",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "best_of",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "echo",
    "suffix",
    "continue_final_message",
    "add_generation_prompt",
    "guided_json",
    "guided_regex",
    "grammar",
];

/// How the output is constrained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Free,
    JsonObject,
    JsonSchema,
    /// Something vendor-made.
    Other,
}

/// The request whose answer broke off.
#[derive(Debug)]
pub struct Original<'a> {
    body: &'a Bytes,
    endpoint: Endpoint,
    object: ObjectSpan,
    members: [Option<Member>; KEYS.len()],
}

impl<'a> Original<'a> {
    /// Reads the client's body again. It costs one scan, and only when a stream has broken off.
    pub fn read(body: &'a Bytes, head: &RequestHead) -> Result<Self, Refusal> {
        if !head.endpoint.streams_chunks() {
            return Err(Refusal::Endpoint);
        }
        let spans = json::scan(body, &KEYS).map_err(|_| Refusal::Unreadable)?;
        Ok(Self { body, endpoint: head.endpoint, object: spans.object, members: spans.members })
    }

    /// The plans that may be tried, the best first; `best` as the model's setting says. What `can_prefill` is for
    /// one target is asked with [`Self::refusal`].
    pub fn order(&self, best: bool) -> impl Iterator<Item = Plan> + use<> {
        let prefill = Plan::Prefill(PrefillForm::LastAssistant);
        // A grammar that the target enforces may begin anew behind a prefill; a restart has the right one.
        let exact =
            if self.form() == Form::Free { [prefill, Plan::Restart] } else { [Plan::Restart, prefill] };
        exact.into_iter().chain(best.then_some(Plan::Continue))
    }

    /// Whether the answer has to be JSON as a whole.
    pub fn wants_json(&self) -> bool {
        matches!(self.form(), Form::JsonObject | Form::JsonSchema)
    }

    /// Why a plan is not open; `None` if it is. See the table of the module.
    pub fn refusal(&self, plan: Plan, delivered: &Delivered) -> Option<Refusal> {
        let others = delivered.others();
        if delivered.finished() {
            return Some(Refusal::Finished);
        }
        if others.choices
            || self.number("n").is_some_and(|n| n != 1)
            || self.number("best_of").is_some_and(|n| n > 1)
        {
            return Some(Refusal::SeveralAnswers);
        }
        if others.logprobs || self.is_set("logprobs") || self.is_set("top_logprobs") {
            return Some(Refusal::Logprobs);
        }
        if others.tool_call || others.refusal || others.media || !delivered.is_complete() {
            return Some(Refusal::NotPlainText);
        }
        match plan {
            Plan::Restart => None,
            Plan::Prefill(form) => self.refuses_prefill(form, delivered),
            Plan::Continue => self.refuses_continuation(delivered),
        }
    }

    /// The body to send, to be read and prepared for the target like any other.
    ///
    /// A prefill has no white space at its end: some vendors refuse it. Limits on the output are lowered by what was
    /// delivered, counted so that it is rather too little ([`Delivered::tokens`]): an answer may come out a little
    /// longer than it would have, but never cut short.
    pub fn body(&self, plan: Plan, delivered: &Delivered) -> Result<Bytes, Refusal> {
        if let Some(refusal) = self.refusal(plan, delivered) {
            return Err(refusal);
        }
        let mut splice = Splice::new(self.body);
        match plan {
            Plan::Restart => return Ok(self.body.clone()),
            Plan::Prefill(form) => {
                self.lower_limits(&mut splice, delivered.solid_tokens())?;
                let text = delivered.text().trim_ascii_end();
                if self.endpoint == Endpoint::Completions {
                    self.extend_prompt(&mut splice, text)?;
                } else {
                    self.append(&mut splice, &assistant(text, form.mark()))?;
                }
                if form == PrefillForm::VllmContinue && self.endpoint == Endpoint::ChatCompletions {
                    self.set(&mut splice, "continue_final_message", b"true");
                    self.set(&mut splice, "add_generation_prompt", b"false");
                }
            }
            Plan::Continue => {
                self.lower_limits(&mut splice, delivered.tokens())?;
                let mut messages = assistant(delivered.text(), "");
                messages.extend_from_slice(b",{\"role\":\"user\",\"content\":");
                push_quoted(&mut messages, INSTRUCTION);
                messages.push(b'}');
                self.append(&mut splice, &messages)?;
            }
        }
        Ok(splice.finish())
    }

    fn refuses_prefill(&self, form: PrefillForm, delivered: &Delivered) -> Option<Refusal> {
        if delivered.text().trim_ascii().is_empty() {
            return Some(Refusal::NoText);
        }
        if self.limit_is_used_up(delivered.solid_tokens()) {
            return Some(Refusal::LimitUsedUp);
        }
        if self.endpoint == Endpoint::Completions {
            let extends = self.prompt().is_some() && !self.is_set("echo") && !self.is_set("suffix");
            return (!extends).then_some(Refusal::Prompt);
        }
        if form == PrefillForm::None {
            return Some(Refusal::NoPrefill);
        }
        let moonshot = form == PrefillForm::Partial && self.form() == Form::JsonObject;
        if moonshot || self.form() == Form::Other {
            return Some(Refusal::Structured);
        }
        if self.forces_a_call() {
            return Some(Refusal::Tools);
        }
        self.refuses_to_grow()
    }

    fn refuses_continuation(&self, delivered: &Delivered) -> Option<Refusal> {
        if self.endpoint != Endpoint::ChatCompletions {
            return Some(Refusal::Endpoint);
        }
        if delivered.text().trim_ascii().is_empty() {
            return Some(Refusal::NoText);
        }
        if self.limit_is_used_up(delivered.tokens()) {
            return Some(Refusal::LimitUsedUp);
        }
        if self.form() != Form::Free {
            return Some(Refusal::Structured);
        }
        let offered = |key| self.value(key).is_some_and(|value| !matches!(value, b"null" | b"[]"));
        if (offered("tools") && self.value("tool_choice") != Some(b"\"none\"")) || offered("functions") {
            return Some(Refusal::Tools);
        }
        self.refuses_to_grow()
    }

    /// Whether a message of ours can stand at the end.
    fn refuses_to_grow(&self) -> Option<Refusal> {
        let continues = self.value("continue_final_message") == Some(b"true");
        match self.last_message() {
            None => Some(Refusal::Unreadable),
            Some(last) => {
                let role = json::find(last, &["role"]).and_then(Text::parse);
                (continues || role.is_some_and(|role| role.is("assistant"))).then_some(Refusal::OwnPrefill)
            }
        }
    }

    fn member(&self, key: &str) -> Option<&Member> {
        let index = KEYS.iter().position(|known| *known == key)?;
        self.members.get(index)?.as_ref()
    }

    fn value(&self, key: &str) -> Option<&'a [u8]> {
        self.member(key).and_then(|member| self.body.get(member.value.clone()))
    }

    fn number(&self, key: &str) -> Option<u64> {
        std::str::from_utf8(self.value(key)?).ok()?.parse().ok()
    }

    fn is_set(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| !matches!(value, b"null" | b"false" | b"\"\""))
    }

    fn form(&self) -> Form {
        if ["guided_json", "guided_regex", "grammar"].iter().any(|key| self.is_set(key)) {
            return Form::Other;
        }
        let Some(format) = self.value("response_format").filter(|value| *value != b"null") else {
            return Form::Free;
        };
        match json::find(format, &["type"]).and_then(Text::parse) {
            Some(kind) if kind.is("text") => Form::Free,
            Some(kind) if kind.is("json_object") => Form::JsonObject,
            Some(kind) if kind.is("json_schema") => Form::JsonSchema,
            _ => Form::Other,
        }
    }

    fn forces_a_call(&self) -> bool {
        ["tool_choice", "function_call"].iter().any(|key| {
            self.value(key).is_some_and(|value| !matches!(value, b"null" | b"\"auto\"" | b"\"none\""))
        })
    }

    fn last_message(&self) -> Option<&'a [u8]> {
        let messages = self.value("messages")?;
        let mut cursor = Cursor::new(messages).ok()?;
        let mut last: Option<Range<usize>> = None;
        cursor.array(|cursor| cursor.skip().map(|span| last = Some(span))).ok()?;
        messages.get(last?)
    }

    /// The prompt, if it is one text: as it stands in the body, or in a list of its own.
    fn prompt(&self) -> Option<Range<usize>> {
        let member = self.member("prompt")?;
        let mut cursor = Cursor::new(self.body.get(member.value.clone())?).ok()?;
        let mut text = None;
        let count = if cursor.peek() == Some(b'[') {
            cursor.array(|cursor| cursor.string_value().map(|value| text = value)).ok()?
        } else {
            text = cursor.string_value().ok()?;
            1
        };
        let span = text.filter(|_| count == 1)?.span();
        Some(span.start + member.value.start..span.end + member.value.start)
    }

    fn extend_prompt(&self, splice: &mut Splice<'_>, text: &str) -> Result<(), Refusal> {
        let end = self.prompt().ok_or(Refusal::Prompt)?.end - 1;
        let quoted = json::quoted(text);
        splice.replace(end..end, quoted.get(1..quoted.len() - 1).unwrap_or_default());
        Ok(())
    }

    /// Adds to the end of `messages`, which are not empty.
    fn append(&self, splice: &mut Splice<'_>, messages: &[u8]) -> Result<(), Refusal> {
        let end = self.member("messages").ok_or(Refusal::Unreadable)?.value.end - 1;
        splice.replace(end..end, [b",", messages].concat());
        Ok(())
    }

    fn set(&self, splice: &mut Splice<'_>, key: &str, value: &[u8]) {
        match self.member(key) {
            Some(member) => splice.replace(member.value.clone(), value),
            None => splice.insert(self.object, key, value),
        }
    }

    fn limits(&self) -> impl Iterator<Item = (&Member, u64)> {
        ["max_tokens", "max_completion_tokens"]
            .into_iter()
            .filter_map(|key| Some((self.member(key)?, self.number(key)?)))
    }

    fn limit_is_used_up(&self, tokens: u64) -> bool {
        self.limits().any(|(_, limit)| limit <= tokens)
    }

    fn lower_limits(&self, splice: &mut Splice<'_>, tokens: u64) -> Result<(), Refusal> {
        for (member, limit) in self.limits() {
            let left = limit.checked_sub(tokens).filter(|left| *left > 0).ok_or(Refusal::LimitUsedUp)?;
            splice.replace(member.value.clone(), left.to_string());
        }
        Ok(())
    }
}

fn assistant(text: &str, mark: &str) -> Vec<u8> {
    let mut message = b"{\"role\":\"assistant\",\"content\":".to_vec();
    push_quoted(&mut message, text);
    message.extend_from_slice(mark.as_bytes());
    message.push(b'}');
    message
}
