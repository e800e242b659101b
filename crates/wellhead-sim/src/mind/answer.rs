//! What a model answers: text, JSON or tool calls, cut by the limits of the request.

use serde_json::{Value, json};

use super::ask::{Ask, Choice, Format, Tool};
use super::prose;
use super::rng::{Rng, hash};
use super::schema::Maker;
use super::text::{Text, count};

/// Letters of one streamed fragment of tool arguments.
const FRAGMENT_CHARS: usize = 6;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    Length,
    Tools,
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON, cut into the fragments that are streamed.
    pub(crate) arguments: Text,
}

/// The content of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Text(Text),
    Calls(Vec<Call>),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) reasoning: Option<Text>,
    pub(crate) said: Said,
    pub(crate) stop: Stop,
}

impl Answer {
    /// Tokens of the reasoning.
    pub(crate) fn reasoning_tokens(&self) -> u64 {
        self.reasoning.as_ref().map_or(0, |text| text.len() as u64)
    }

    /// Tokens of everything, reasoning included.
    pub(crate) fn tokens(&self) -> u64 {
        let said = match &self.said {
            Said::Text(text) => text.len() as u64,
            Said::Calls(calls) => {
                calls.iter().map(|call| call.arguments.len() as u64 + count(&call.name)).sum()
            }
        };
        said + self.reasoning_tokens()
    }
}

/// The answer number `index` to `ask`; the same for the same seed.
pub(crate) fn answer(ask: &Ask, seed: u64, index: u64) -> Answer {
    let mut rng = Rng::new(hash(seed ^ ask.hash, &index.to_le_bytes()));
    let reasoning = ask.reasons.then(|| prose::thoughts(&ask.last_user, &mut rng));
    let called = called(ask);
    if !called.is_empty() {
        let calls = called.into_iter().map(|tool| call(tool, &mut rng)).collect();
        return Answer { reasoning, said: Said::Calls(calls), stop: Stop::Tools };
    }
    let text = remainder(text(ask, &mut rng), ask.prefill.as_deref());
    limit(ask, reasoning, text)
}

/// The tools that are called: none after a tool's result unless forced, else those that the user names.
fn called(ask: &Ask) -> Vec<&Tool> {
    let said = ask.last_user.to_lowercase();
    let mut named: Vec<&Tool> =
        ask.tools.iter().filter(|tool| said.contains(&tool.name.to_lowercase())).collect();
    let first = || ask.tools.first().into_iter().collect::<Vec<_>>();
    match &ask.choice {
        Choice::None => return Vec::new(),
        Choice::Named(name) => named = ask.tools.iter().filter(|tool| tool.name == *name).collect(),
        Choice::Required if named.is_empty() => named = first(),
        Choice::Required => {}
        Choice::Auto if ask.after_tool => return Vec::new(),
        Choice::Auto if named.is_empty() && said.contains("tool") => named = first(),
        Choice::Auto => {}
    }
    if !ask.parallel {
        named.truncate(1);
    }
    named
}

fn call(tool: &Tool, rng: &mut Rng) -> Call {
    let id = rng.id("call_", 24);
    let arguments = match &tool.parameters {
        Value::Object(_) => Maker::new(&tool.parameters, rng.clone()).make(),
        _ => json!({}),
    };
    Call { id, name: tool.name.clone(), arguments: Text::fragments(arguments.to_string(), FRAGMENT_CHARS) }
}

fn text(ask: &Ask, rng: &mut Rng) -> Text {
    match &ask.format {
        Format::Schema(schema) => Text::new(Maker::new(schema, rng.clone()).make().to_string()),
        Format::Object => {
            let answer = prose::prose(&ask.last_user, ask.tokens_wanted, rng);
            Text::new(json!({"answer": answer.as_str()}).to_string())
        }
        Format::Text if ask.practice => prose::practice(&ask.last_user),
        Format::Text => prose::prose(&ask.last_user, ask.tokens_wanted, rng),
    }
}

/// What is left to say when the answer was begun already. A beginning that this model would not have made is
/// answered in full, as a model does that takes a new turn.
fn remainder(text: Text, prefill: Option<&str>) -> Text {
    match prefill.and_then(|begun| text.as_str().strip_prefix(begun)) {
        Some(rest) => Text::new(rest.to_owned()),
        None => text,
    }
}

fn limit(ask: &Ask, mut reasoning: Option<Text>, mut text: Text) -> Answer {
    let mut stop = Stop::End;
    let cut = ask
        .stop
        .iter()
        .filter(|word| !word.is_empty())
        .filter_map(|word| text.as_str().find(word.as_str()))
        .min();
    if let Some(at) = cut {
        text = Text::new(text.as_str().get(..at).unwrap_or("").to_owned());
    }
    if let Some(max) = ask.tokens_max {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let thought = reasoning.as_ref().map_or(0, Text::len);
        let unfinished = reasoning.as_mut().is_some_and(|thoughts| thoughts.truncate(max));
        if text.truncate(max.saturating_sub(thought)) || unfinished {
            stop = Stop::Length;
        }
    }
    Answer { reasoning, said: Said::Text(text), stop }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use super::*;

    fn ask() -> Ask {
        Ask {
            hash: 5,
            last_user: "What is a gateway?".into(),
            tokens_wanted: 40,
            parallel: true,
            ..Ask::default()
        }
    }

    fn said(answer: &Answer) -> &str {
        match &answer.said {
            Said::Text(text) => text.as_str(),
            Said::Calls(_) => panic!("not a text"),
        }
    }

    fn names(answer: &Answer) -> Vec<&str> {
        match &answer.said {
            Said::Text(_) => Vec::new(),
            Said::Calls(calls) => calls.iter().map(|call| call.name.as_str()).collect(),
        }
    }

    #[test]
    fn an_answer_depends_on_the_conversation_the_seed_and_the_index_only() {
        let first = answer(&ask(), 1, 0);
        assert_eq!(first, answer(&ask(), 1, 0));
        assert_ne!(first, answer(&ask(), 2, 0));
        assert_ne!(first, answer(&ask(), 1, 1));
        assert_ne!(first, answer(&Ask { hash: 6, ..ask() }, 1, 0));
        assert_eq!(first.tokens(), 40);
    }

    #[test]
    fn a_begun_answer_is_continued_where_it_stopped() {
        let whole = answer(&ask(), 1, 0);
        let begun: String = said(&whole).chars().take(31).collect();
        let rest = answer(&Ask { prefill: Some(begun.clone()), ..ask() }, 1, 0);
        assert_eq!(format!("{begun}{}", said(&rest)), said(&whole));
        let strange = answer(&Ask { prefill: Some("zzz".into()), ..ask() }, 1, 0);
        assert_eq!(said(&strange), said(&whole));
    }

    #[test]
    fn limits_and_stop_words_end_an_answer_with_the_right_reason() {
        let whole = answer(&ask(), 1, 0);
        assert_eq!(whole.stop, Stop::End);
        let short = answer(&Ask { tokens_max: Some(3), ..ask() }, 1, 0);
        assert_eq!((short.stop, short.tokens()), (Stop::Length, 3));
        assert!(said(&whole).starts_with(said(&short)));
        let stopped = answer(&Ask { stop: vec![".".into()], ..ask() }, 1, 0);
        assert_eq!(stopped.stop, Stop::End);
        assert_eq!(said(&stopped), said(&whole).split('.').next().unwrap());
        let thinker = answer(&Ask { reasons: true, tokens_max: Some(4), ..ask() }, 1, 0);
        assert_eq!((thinker.stop, thinker.tokens(), said(&thinker)), (Stop::Length, 4, ""));
    }

    #[test]
    fn tools_are_called_when_forced_or_named_and_not_after_their_result() {
        let tool = |name: &str| Tool {
            name: name.into(),
            parameters: json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}),
        };
        let base = Ask { tools: vec![tool("get_weather"), tool("get_time")], ..ask() };
        let with = |said: &str, choice: Choice| {
            answer(&Ask { last_user: said.into(), choice, ..base.clone() }, 1, 0)
        };
        assert!(names(&with("Hello", Choice::Auto)).is_empty());
        assert_eq!(names(&with("Use a tool", Choice::Auto)), ["get_weather"]);
        assert_eq!(names(&with("get_time please", Choice::Auto)), ["get_time"]);
        assert_eq!(names(&with("get_weather and get_time", Choice::Auto)), ["get_weather", "get_time"]);
        assert!(names(&with("get_time please", Choice::None)).is_empty());
        assert_eq!(names(&with("Hello", Choice::Required)), ["get_weather"]);
        assert_eq!(names(&with("Hello", Choice::Named("get_time".into()))), ["get_time"]);
        let single = Ask { last_user: "get_weather and get_time".into(), parallel: false, ..base.clone() };
        assert_eq!(names(&answer(&single, 1, 0)), ["get_weather"]);
        let after = Ask { last_user: "Use a tool".into(), after_tool: true, ..base.clone() };
        assert!(names(&answer(&after, 1, 0)).is_empty());
        let called = with("Use a tool", Choice::Auto);
        let Said::Calls(calls) = &called.said else { panic!("no call") };
        let arguments: Value = serde_json::from_str(calls[0].arguments.as_str()).unwrap();
        assert!(arguments["city"].is_string());
        assert_eq!(called.stop, Stop::Tools);
    }
}
