//! What is asked of the answer.

use super::super::ThinkingForm;
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
                Some(value) if self.target.can.sampling => self.set(name, json!(value)),
                // What the model does anyway needs no saying.
                Some(1.0) => self.loss.note(name),
                Some(_) => self.loss.cannot(name, "cannot be set for this model")?,
            }
        }
        let more = [
            ("top_k", sampling.top_k.map(|value| json!(value))),
            ("min_p", sampling.p_floor.map(|value| json!(value))),
            ("repetition_penalty", sampling.repetition_penalty.map(|value| json!(value))),
        ];
        for (name, value) in more {
            match value {
                None => {}
                Some(value) if self.options.more_sampling && self.target.can.sampling => {
                    self.set(name, value);
                }
                Some(_) => self.loss.cannot(name, "is not known to this provider")?,
            }
        }
        self.stop(&sampling.stop)?;
        let plain = [
            ("frequency_penalty", sampling.frequency_penalty.map(|value| json!(value))),
            ("presence_penalty", sampling.presence_penalty.map(|value| json!(value))),
            ("seed", sampling.seed.map(|value| json!(value))),
            ("logit_bias", sampling.logit_bias.clone().map(Value::Object)),
            ("logprobs", sampling.logprobs.map(|value| json!(value))),
            ("top_logprobs", sampling.top_logprobs.map(|value| json!(value))),
            ("n", sampling.candidates.map(|value| json!(value))),
        ];
        for (name, value) in plain {
            if let Some(value) = value {
                self.set(name, value);
            }
        }
        Ok(())
    }

    fn stop(&mut self, stop: &[String]) -> Result<(), Unsupported> {
        match stop {
            [] => Ok(()),
            _ if !self.target.can.stop => self.loss.cannot("stop", "cannot be set for this model"),
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
        match &output.format {
            None => {}
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
            self.set("verbosity", json!(verbosity));
        }
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
            ThinkingForm::Effort => self.effort(ask, off),
            ThinkingForm::Reasoning => self.reasoning_object(ask, off),
            ThinkingForm::Thinking => {
                self.unsaid(ask, false);
                self.set("thinking", json!({"type": if off { "disabled" } else { "enabled" }}));
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

    fn effort(&mut self, ask: &ReasoningAsk, off: bool) {
        let effort = match (ask.effort, ask.budget_tokens) {
            _ if off => Some(Effort::None),
            (Some(effort), _) => Some(effort),
            (None, Some(0..=LOW_TOKENS_MAX)) => Some(Effort::Low),
            (None, Some(..=MEDIUM_TOKENS_MAX)) => Some(Effort::Medium),
            (None, Some(_)) => Some(Effort::High),
            (None, None) => None,
        };
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
