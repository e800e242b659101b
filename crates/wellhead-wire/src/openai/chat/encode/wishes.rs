//! What is asked of the answer.

use super::super::{Param, ThinkingForm};
use super::Writer;
use crate::chat::{Effort, Format, Output, ReasoningAsk, ReasoningMode, Sampling, Unsupported};
use serde_json::{Value, json};

/// Thinking up to so many tokens is called `low`, the next `medium`.
const LOW_TOKENS_MAX: u64 = 2048;
const MEDIUM_TOKENS_MAX: u64 = 12_288;

impl Writer<'_> {
    pub(super) fn sampling(&mut self, sampling: &Sampling) -> Result<(), Unsupported> {
        if let Some(limit) = sampling.max_tokens {
            let name = if self.options.max_tokens_only { "max_tokens" } else { "max_completion_tokens" };
            self.set(name, json!(limit));
        }
        for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
            match value {
                None => {}
                Some(value) if self.target.can.sampling => self.draw(name, value)?,
                // What the model does anyway needs no saying.
                Some(1.0) => self.loss.note(name),
                Some(_) => self.loss.cannot(name, "cannot be set for this model")?,
            }
        }
        let more = [
            (Param::TopK, sampling.top_k.map(|value| json!(value))),
            (Param::MinP, sampling.p_floor.map(|value| json!(value))),
            (Param::RepetitionPenalty, sampling.repetition_penalty.map(|value| json!(value))),
        ];
        for (param, value) in more {
            match value {
                None => {}
                Some(value) if self.options.knows.has(param) && self.target.can.sampling => {
                    self.set(param.as_str(), value);
                }
                Some(_) => self.loss.cannot(param.as_str(), "is not known to this provider")?,
            }
        }
        self.stop(&sampling.stop)?;
        self.seed(sampling.seed)?;
        let (often, there) = (sampling.frequency_penalty, sampling.presence_penalty);
        let plain = [
            (Param::FrequencyPenalty, often.map(|value| json!(value)), often == Some(0.0)),
            (Param::PresencePenalty, there.map(|value| json!(value)), there == Some(0.0)),
            (Param::LogitBias, sampling.logit_bias.clone().map(Value::Object), false),
            (Param::Logprobs, sampling.logprobs.map(|value| json!(value)), sampling.logprobs == Some(false)),
            (
                Param::TopLogprobs,
                sampling.top_logprobs.map(|value| json!(value)),
                sampling.top_logprobs == Some(0),
            ),
            (Param::N, sampling.candidates.map(|value| json!(value)), sampling.candidates == Some(1)),
        ];
        for (param, value, idle) in plain {
            if let Some(value) = value {
                self.set_known(param, value, idle)?;
            }
        }
        Ok(())
    }

    fn draw(&mut self, name: &'static str, value: f64) -> Result<(), Unsupported> {
        match self.options.temperature_max {
            Some(max) if name == "temperature" && value > f64::from(max) => {
                self.loss.cannot(name, &format!("is above {max}, the highest of this provider"))
            }
            _ => {
                self.set(name, json!(value));
                Ok(())
            }
        }
    }

    fn seed(&mut self, seed: Option<i64>) -> Result<(), Unsupported> {
        match seed {
            None => Ok(()),
            Some(seed) if self.options.random_seed => {
                self.set("random_seed", json!(seed));
                Ok(())
            }
            Some(seed) => self.set_known(Param::Seed, json!(seed), false),
        }
    }

    fn stop(&mut self, stop: &[String]) -> Result<(), Unsupported> {
        match stop {
            [] => Ok(()),
            _ if !self.target.can.stop || self.options.without.has(Param::Stop) => {
                self.loss.cannot("stop", "cannot be set for this model")
            }
            all if self.options.stop_max.is_some_and(|max| all.len() > usize::from(max)) => {
                let max = self.options.stop_max.unwrap_or_default();
                self.loss.cannot("stop", &format!("has more than the {max} texts that this provider takes"))
            }
            [one] => {
                self.set("stop", json!(one));
                Ok(())
            }
            all => {
                self.set("stop", json!(all));
                Ok(())
            }
        }
    }

    pub(super) fn output(&mut self, output: &Output) -> Result<(), Unsupported> {
        let can = self.target.can;
        let unknown = self.options.without.has(Param::ResponseFormat);
        match &output.format {
            None => {}
            Some(Format::Text) if unknown => {}
            Some(_) if unknown => {
                self.loss.cannot("response_format", "is not known to this provider")?;
            }
            Some(Format::JsonSchema { schema, strict, .. }) if self.options.no_json_schema => {
                self.json_mode(schema, *strict)?;
            }
            Some(Format::Text) => self.set("response_format", json!({"type": "text"})),
            Some(Format::JsonObject) if can.json_object => {
                self.set("response_format", json!({"type": "json_object"}));
            }
            Some(Format::JsonSchema { name, description, schema, strict }) if can.json_schema => {
                let mut inner = json!({"name": name.as_deref().unwrap_or("answer")});
                if let Some(description) = description {
                    inner["description"] = json!(description);
                }
                inner["schema"] = schema.clone();
                if let Some(strict) = strict {
                    inner["strict"] = json!(strict);
                }
                self.set("response_format", json!({"type": "json_schema", "json_schema": inner}));
            }
            Some(Format::JsonObject | Format::JsonSchema { .. }) => {
                self.loss.cannot("response_format", "asks for a form that this model cannot hold to")?;
            }
        }
        if !output.modalities.is_empty() {
            self.set("modalities", json!(output.modalities));
        }
        if let Some(audio) = &output.audio {
            self.set("audio", Value::Object(audio.clone()));
        }
        if let Some(verbosity) = &output.verbosity {
            self.set_known(Param::Verbosity, json!(verbosity), false)?;
        }
        Ok(())
    }

    /// JSON without a schema; what the schema asks for is told in words, see [`super::order`].
    fn json_mode(&mut self, schema: &Value, strict: Option<bool>) -> Result<(), Unsupported> {
        let kind = schema.get("type").and_then(Value::as_str);
        if !self.target.can.json_object || kind.is_some_and(|kind| kind != "object") {
            return self.loss.cannot("response_format", "asks for a form that this provider cannot hold to");
        }
        if strict == Some(true) {
            self.loss
                .cannot("response_format", "demands a schema, which this provider cannot promise to keep")?;
        } else {
            self.loss.note("response_format.json_schema");
        }
        self.set("response_format", json!({"type": "json_object"}));
        Ok(())
    }

    pub(super) fn reasoning(&mut self, ask: &ReasoningAsk) -> Result<(), Unsupported> {
        let off = ask.mode == ReasoningMode::Disabled || ask.effort == Some(Effort::None);
        if !self.target.can.reasoning {
            if off {
                self.loss.note("reasoning_effort");
                return Ok(());
            }
            return self.loss.cannot("reasoning_effort", "asks to think, which this model does not");
        }
        if self.options.thinking != ThinkingForm::Reasoning && ask.show.is_some() {
            self.loss.note("reasoning.summary");
        }
        match self.options.thinking {
            ThinkingForm::Effort if self.options.without.has(Param::ReasoningEffort) => {
                self.loss.note("reasoning_effort");
            }
            ThinkingForm::Effort => self.effort(ask),
            ThinkingForm::Reasoning => self.reasoning_object(ask, off),
            ThinkingForm::Thinking => {
                self.unsaid(ask, false);
                self.set("thinking", json!({"type": if off { "disabled" } else { "enabled" }}));
            }
            ThinkingForm::ThinkingEffort => {
                self.set("thinking", json!({"type": if off { "disabled" } else { "enabled" }}));
                if !off {
                    self.effort(ask);
                }
            }
            ThinkingForm::Enable => {
                self.unsaid(ask, true);
                self.set("enable_thinking", json!(!off));
                if let Some(budget) = ask.budget_tokens {
                    self.set("thinking_budget", json!(budget));
                }
            }
            ThinkingForm::Template => {
                self.unsaid(ask, false);
                self.set("chat_template_kwargs", json!({"enable_thinking": !off}));
            }
        }
        Ok(())
    }

    /// What a form that only knows on and off does not say.
    fn unsaid(&mut self, ask: &ReasoningAsk, has_budget: bool) {
        if ask.effort.is_some_and(|effort| effort != Effort::None) {
            self.loss.note("reasoning_effort");
        }
        if ask.budget_tokens.is_some() && !has_budget {
            self.loss.note("budget_tokens");
        }
    }

    fn effort(&mut self, ask: &ReasoningAsk) {
        let effort = effort_of(ask);
        if ask.budget_tokens.is_some() {
            self.loss.note("budget_tokens");
        }
        if let Some(effort) = effort {
            self.set("reasoning_effort", json!(effort.as_str()));
        }
    }

    fn reasoning_object(&mut self, ask: &ReasoningAsk, off: bool) {
        let mut object = serde_json::Map::new();
        if let Some(effort) = ask.effort {
            object.insert("effort".to_owned(), json!(effort.as_str()));
        }
        if let Some(budget) = ask.budget_tokens {
            object.insert("max_tokens".to_owned(), json!(budget));
        }
        if ask.mode != ReasoningMode::Default {
            object.insert("enabled".to_owned(), json!(!off));
        }
        match ask.show.as_deref() {
            None => {}
            Some("none") => drop(object.insert("exclude".to_owned(), json!(true))),
            Some(show) => drop(object.insert("summary".to_owned(), json!(show))),
        }
        self.set("reasoning", Value::Object(object));
    }
}

/// How hard to think, in a word; a number of tokens stands for one.
pub(crate) fn effort_of(ask: &ReasoningAsk) -> Option<Effort> {
    match (ask.effort, ask.budget_tokens) {
        _ if ask.mode == ReasoningMode::Disabled => Some(Effort::None),
        (Some(effort), _) => Some(effort),
        (None, Some(0..=LOW_TOKENS_MAX)) => Some(Effort::Low),
        (None, Some(..=MEDIUM_TOKENS_MAX)) => Some(Effort::Medium),
        (None, Some(_)) => Some(Effort::High),
        (None, None) => None,
    }
}
