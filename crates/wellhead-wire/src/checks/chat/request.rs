//! What is asked besides the conversation.

use super::parts::Writer;
use crate::chat::{
    Effort, Format, Output, ReasoningAsk, ReasoningMode, Request, Rest, Sampling, Tool, ToolChoice, ToolKind,
};
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn request(&mut self) -> Request {
        let can = self.can;
        let tools = self.tools();
        let messages = self.conversation(&tools);
        let stream = can.stream && self.dice.one_in(2);
        let reasoning = self.ask();
        let sampling = self.sampling(reasoning.as_ref());
        Request {
            model: (*self.dice.pick(&["model-x", "org/model:free", "größer"])).into(),
            messages,
            tool_choice: if tools.is_empty() { None } else { self.choice(&tools) },
            parallel_tool_calls: self
                .dice
                .maybe(can.parallel_flag && !tools.is_empty(), 3, |dice| dice.one_in(2)),
            tools,
            sampling,
            output: self.output(),
            reasoning,
            stream,
            stream_usage: can.stream_usage_always || (stream && can.stream_usage && self.dice.one_in(2)),
            user: self.dice.maybe(can.user, 4, |_| "user-\"7\"".into()),
            metadata: self.dice.maybe(can.metadata, 4, |_| members(&json!({"team": "blau", "k\"": "1"}))),
            service_tier: self.dice.maybe(can.service_tier, 5, |_| "auto".into()),
            cache_key: self.dice.maybe(can.cache_key, 5, |_| "key/1".into()),
            cache: self.cache(can.cache_all),
            rest: Rest::default(),
        }
    }

    pub(super) fn tools(&mut self) -> Vec<Tool> {
        if !self.can.tools || self.dice.one_in(3) {
            return Vec::new();
        }
        let names = ["get_weather", "search-web", "f", "Run_SQL_2"];
        let count = 1 + self.dice.below(names.len());
        names[..count].iter().map(|name| self.tool(name)).collect()
    }

    fn tool(&mut self, name: &str) -> Tool {
        let can = self.can;
        let name = name.into();
        let description = self.dice.maybe(true, 2, |_| "Says \"what\" it does.\nOn two lines.".to_owned());
        let kind = if can.custom_tools && self.dice.one_in(5) {
            let grammar =
                json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: \"x\""}});
            ToolKind::Custom { name, description, format: self.dice.maybe(true, 2, |_| grammar) }
        } else {
            let bare = can.bare_tools && self.dice.one_in(5);
            let parameters = if bare { None } else { Some(self.schema()) };
            let strict = self.dice.maybe(can.strict_tools, 3, |dice| dice.one_in(2));
            ToolKind::Function { name, description, parameters, strict }
        };
        Tool { kind, cache: self.cache(can.cache_tools), rest: Rest::default() }
    }

    fn schema(&mut self) -> Value {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Where \"it\" is"},
                "unit": {"type": "string", "enum": ["C", "F"]},
                "days": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            },
            "required": ["city"],
        });
        if self.can.any_schema && self.dice.one_in(2) {
            schema["additionalProperties"] = json!(false);
            schema["$defs"] = json!({"n": {"type": ["integer", "null"], "exclusiveMinimum": 0, "const": 4}});
            schema["properties"]["more"] = json!({"$ref": "#/$defs/n"});
        }
        schema
    }

    fn choice(&mut self, tools: &[Tool]) -> Option<ToolChoice> {
        let can = self.can;
        let name: Box<str> = self.dice.pick(tools).name().unwrap_or("f").into();
        let required = self.dice.one_in(2);
        let mut choices = vec![None, None];
        choices.extend(can.choice_auto.then_some(Some(ToolChoice::Auto)));
        choices.extend(can.choice_none.then_some(Some(ToolChoice::None)));
        choices.extend(can.choice_required.then_some(Some(ToolChoice::Required)));
        choices.extend(can.choice_tool.then(|| Some(ToolChoice::Tool(name.clone()))));
        choices.extend(can.choice_allowed.then(|| Some(ToolChoice::Allowed { names: vec![name], required })));
        choices.swap_remove(self.dice.below(choices.len()))
    }

    fn sampling(&mut self, reasoning: Option<&ReasoningAsk>) -> Sampling {
        let can = self.can;
        let dice = &mut self.dice;
        // A budget for thoughts has to fit in.
        let low = if reasoning.is_some_and(|ask| ask.budget_tokens.is_some()) { 8192 } else { 1 };
        let max_tokens = dice.number(low, 64_000);
        let has_max = can.always_limited || (can.max_tokens && dice.one_in(2));
        Sampling {
            max_tokens: has_max.then_some(max_tokens),
            temperature: dice.maybe(can.temperature, 3, |dice| eighths(dice.number(0, 8))),
            top_p: dice.maybe(can.top_p, 4, |dice| eighths(dice.number(1, 8))),
            top_k: dice.maybe(can.top_k, 4, |dice| dice.number(1, 200)),
            p_floor: dice.maybe(can.p_floor, 6, |_| 0.125),
            frequency_penalty: dice.maybe(can.penalties, 5, |dice| eighths(dice.number(0, 8)) - 0.5),
            presence_penalty: dice.maybe(can.penalties, 5, |dice| eighths(dice.number(0, 8)) - 0.5),
            repetition_penalty: dice.maybe(can.repetition_penalty, 6, |_| 1.125),
            seed: dice.maybe(can.seed, 4, |dice| i64::try_from(dice.number(0, 1 << 31)).expect("small") - 7),
            stop: dice
                .maybe(can.stop_texts, 4, |dice| {
                    (0..dice.number(1, 3)).map(|n| format!("END{n}\n\"")).collect()
                })
                .unwrap_or_default(),
            logit_bias: dice.maybe(can.logit_bias, 6, |_| members(&json!({"50256": -100, "7": 1}))),
            logprobs: dice.maybe(can.logprobs, 6, |_| true),
            top_logprobs: dice.maybe(can.logprobs, 9, |dice| dice.number(0, 20)),
            candidates: dice.maybe(can.candidates, 6, |dice| dice.number(1, 4)),
        }
    }

    fn output(&mut self) -> Output {
        let can = self.can;
        let mut formats = vec![None, None, None];
        formats.extend(can.format_text.then_some(Some(Format::Text)));
        formats.extend(can.json_object.then_some(Some(Format::JsonObject)));
        if can.json_schema {
            let name = can.schema_name.then(|| "weather_report".into());
            let description = self.dice.maybe(can.schema_name, 2, |_| "A \"report\"".to_owned());
            let strict = self.dice.maybe(can.schema_strict, 2, |dice| dice.one_in(2));
            formats.push(Some(Format::JsonSchema { name, description, schema: self.schema(), strict }));
        }
        let format = formats.swap_remove(self.dice.below(formats.len()));
        let spoken = can.modalities && self.dice.one_in(8);
        Output {
            format,
            modalities: if spoken { vec!["text".into(), "audio".into()] } else { Vec::new() },
            audio: spoken.then(|| members(&json!({"voice": "alloy", "format": "wav"}))),
            verbosity: self
                .dice
                .maybe(can.verbosity, 5, |dice| (*dice.pick(&["low", "medium", "high"])).into()),
        }
    }

    fn ask(&mut self) -> Option<ReasoningAsk> {
        let can = self.can;
        if !self.dice.one_in(2) {
            return None;
        }
        let dice = &mut self.dice;
        let mode = match dice.below(can.reasoning_modes.len() + 1) {
            0 => ReasoningMode::Default,
            n => can.reasoning_modes[n - 1],
        };
        let weakest = usize::from(!can.effort_none || mode != ReasoningMode::Default);
        let open = mode != ReasoningMode::Disabled;
        let effort = dice.maybe(can.effort && open, 2, |dice| *dice.pick(&Effort::ALL[weakest..]));
        let thinks = open && effort != Some(Effort::None);
        let budget_tokens = dice.maybe(can.budget && thinks, 2, |dice| dice.number(1024, 8000));
        let words = ["auto", "concise", "detailed"];
        let show = dice.maybe(can.show_reasoning && thinks, 3, |dice| (*dice.pick(&words)).into());
        Some(ReasoningAsk { mode, effort, budget_tokens, show }).filter(|ask| *ask != ReasoningAsk::default())
    }
}

/// A number that every parser reads exactly.
fn eighths(number: u64) -> f64 {
    f64::from(u32::try_from(number).expect("small")) / 8.0
}

fn members(object: &Value) -> Map<String, Value> {
    object.as_object().cloned().unwrap_or_default()
}
