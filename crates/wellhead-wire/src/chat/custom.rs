//! Tools with free text for targets that know only functions.
//!
//! OpenAI's coding agents give the model tools that take plain text by a grammar. Every other vendor's tools take an
//! object, so the text becomes the one member of an object on its way out, and a text again on its way back. The grammar
//! is told to the model in words; that it holds to it cannot be promised.

use super::{Answer, Delta, Event, Part, PartKind, Request, ToolKind};
use serde_json::{Value, json};

/// The member that holds the text.
const INPUT: &str = "input";

/// The tools that were turned into functions, and what came of their calls so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomTools {
    names: Vec<Box<str>>,
    /// Arguments of open calls. Each is bounded by the decoder that they come from.
    open: Vec<(u32, u32, String)>,
}

impl CustomTools {
    /// Those that a client knows, whatever was made of them on the way to a target. `None` if there are none.
    pub fn of(request: &Request) -> Option<Self> {
        let custom = |tool: &super::Tool| match &tool.kind {
            ToolKind::Custom { name, .. } => Some(name.clone()),
            _ => None,
        };
        let names: Vec<Box<str>> = request.tools.iter().filter_map(custom).collect();
        (!names.is_empty()).then_some(Self { names, open: Vec::new() })
    }

    /// Turns them into functions, in the tools and in the conversation. `None` if there are none.
    pub fn into_functions(request: &mut Request) -> Option<Self> {
        let mut names = Vec::new();
        for tool in &mut request.tools {
            if let ToolKind::Custom { name, description, format } = &mut tool.kind {
                names.push(name.clone());
                let description = described(description.take(), format.as_ref());
                let name = std::mem::take(name);
                let strict = None;
                tool.kind = ToolKind::Function { name, description, parameters: Some(schema()), strict };
            }
        }
        for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
            if let Part::ToolCall(call) = part
                && call.is_custom
            {
                call.is_custom = false;
                call.arguments = json!({INPUT: std::mem::take(&mut call.arguments)}).to_string();
            }
        }
        (!names.is_empty()).then_some(Self { names, open: Vec::new() })
    }

    /// Gives the calls of an answer back as the client knows them.
    pub fn restore(&self, answer: &mut Answer) {
        for part in answer.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
            if let Part::ToolCall(call) = part
                && !call.is_custom
                && self.names.contains(&call.name)
            {
                call.is_custom = true;
                call.arguments = text_of(std::mem::take(&mut call.arguments));
            }
        }
    }

    /// Hands an event on as the client knows it, where there are such tools, and as it is where there are none.
    pub fn pass(customs: Option<&mut Self>, event: Event, sink: &mut dyn FnMut(&Event)) {
        let Some(customs) = customs else { return sink(&event) };
        let mut out = Vec::new();
        customs.push(event, &mut out);
        out.iter().for_each(sink);
    }

    /// The same for a stream. The text of a call comes when it is whole: a piece of JSON is no piece of text.
    pub fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::PartStart { candidate, part, kind: PartKind::ToolCall { id, name, is_custom: false } }
                if self.names.contains(&name) =>
            {
                self.open.push((candidate, part, String::new()));
                let kind = PartKind::ToolCall { id, name, is_custom: true };
                out.push(Event::PartStart { candidate, part, kind });
            }
            Event::Delta { candidate, part, delta: Delta::Arguments(more) } => {
                match self.open.iter_mut().find(|open| (open.0, open.1) == (candidate, part)) {
                    Some(open) => open.2.push_str(&more),
                    None => out.push(Event::Delta { candidate, part, delta: Delta::Arguments(more) }),
                }
            }
            Event::PartEnd { candidate, part } => {
                let at = self.open.iter().position(|open| (open.0, open.1) == (candidate, part));
                if let Some(at) = at {
                    let text = text_of(self.open.swap_remove(at).2);
                    let delta = Delta::Arguments(text);
                    out.push(Event::Delta { candidate, part, delta });
                }
                out.push(Event::PartEnd { candidate, part });
            }
            other => out.push(other),
        }
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {INPUT: {"type": "string", "description": "The whole input, as plain text"}},
        "required": [INPUT],
        "additionalProperties": false,
    })
}

/// The description with the grammar behind it, in either of the two forms that OpenAI has for it.
fn described(description: Option<String>, format: Option<&Value>) -> Option<String> {
    let grammar = format.map(|format| format.get("grammar").unwrap_or(format));
    let word = |name: &str| grammar?.get(name)?.as_str();
    let Some(definition) = word("definition") else { return description };
    let syntax = word("syntax").unwrap_or("lark");
    let grammar = format!("The input has to follow this grammar ({syntax}):\n{definition}");
    Some(description.map_or_else(|| grammar.clone(), |text| format!("{text}\n\n{grammar}")))
}

/// The text within the arguments. A model that wrote something else meant that.
fn text_of(arguments: String) -> String {
    let Ok(Value::Object(mut object)) = serde_json::from_str(&arguments) else { return arguments };
    match object.get_mut(INPUT).map(Value::take) {
        Some(Value::String(text)) if object.len() == 1 => text,
        _ => arguments,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::CustomTools;
    use crate::chat::{Answer, Part, Request, ToolKind};
    use crate::checks::chat::{Can, answer, folded, request};
    use serde_json::{Value, json};

    const SEEDS: u64 = 2000;

    #[test]
    fn a_request_has_only_functions_then_and_says_the_same() {
        let mut seen = 0;
        for seed in 0..SEEDS {
            let asked = request(seed, &Can::ALL);
            let mut turned = asked.clone();
            let tools = CustomTools::into_functions(&mut turned);
            let custom = |tool: &&crate::chat::Tool| matches!(tool.kind, ToolKind::Custom { .. });
            let names: Vec<_> = asked.tools.iter().filter(custom).map(|tool| tool.name()).collect();
            assert_eq!(tools.is_some(), !names.is_empty(), "seed {seed}");
            assert_eq!(turned.tools.iter().filter(custom).count(), 0, "seed {seed}");
            let all: Vec<_> = asked.tools.iter().map(|tool| tool.name()).collect();
            assert_eq!(turned.tools.iter().map(|tool| tool.name()).collect::<Vec<_>>(), all, "seed {seed}");
            let calls = |request: &Request| -> Vec<_> {
                let parts = request.messages.iter().flat_map(|message| message.parts.clone());
                parts
                    .filter_map(|part| if let Part::ToolCall(call) = part { Some(call) } else { None })
                    .collect()
            };
            for (before, after) in calls(&asked).into_iter().zip(calls(&turned)) {
                let arguments: Value = serde_json::from_str(&after.arguments).unwrap();
                assert!(!after.is_custom && arguments.is_object(), "seed {seed}");
                if before.is_custom {
                    seen += 1;
                    assert_eq!(arguments, json!({"input": before.arguments}), "seed {seed}");
                } else {
                    assert_eq!(after, before, "seed {seed}");
                }
            }
        }
        assert!(seen > 100);
    }

    /// What a target that knows only functions makes of an answer, and the tools that it was told of.
    fn turned(answer: &Answer) -> (Answer, CustomTools) {
        let (mut turned, mut names) = (answer.clone(), Vec::new());
        for part in turned.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
            if let Part::ToolCall(call) = part
                && call.is_custom
            {
                call.is_custom = false;
                call.arguments = json!({"input": call.arguments}).to_string();
                names.push(call.name.clone());
            }
        }
        (turned, CustomTools { names, open: Vec::new() })
    }

    #[test]
    fn calls_come_back_as_the_client_knows_them() {
        for seed in 0..SEEDS {
            let said = Answer { service_tier: None, ..answer(seed, &Can::ALL) };
            let (turned, mut tools) = turned(&said);
            let mut whole = turned.clone();
            tools.restore(&mut whole);
            assert_eq!(whole, said, "seed {seed}");
            let mut events = Vec::new();
            turned.into_events().into_iter().for_each(|event| tools.push(event, &mut events));
            assert_eq!(folded(events), said, "seed {seed}");
            assert!(tools.open.is_empty(), "seed {seed}");
        }
    }

    #[test]
    fn the_grammar_is_told_in_words_and_other_arguments_are_left_alone() {
        let grammar = json!({"syntax": "regex", "definition": "[a-z]+"});
        for format in [json!({"type": "grammar", "grammar": &grammar}), grammar] {
            let said = super::described(Some("Runs it.".to_owned()), Some(&format)).unwrap();
            assert_eq!(said, "Runs it.\n\nThe input has to follow this grammar (regex):\n[a-z]+");
        }
        assert_eq!(super::described(None, Some(&json!({"type": "text"}))), None);
        for arguments in ["", "plain", "{\"input\":7}", "{\"input\":\"a\",\"more\":1}", "[\"input\"]"] {
            assert_eq!(super::text_of(arguments.to_owned()), arguments);
        }
    }
}
