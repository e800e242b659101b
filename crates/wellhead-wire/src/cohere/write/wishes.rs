//! How the answer is drawn, what it looks like, and how much is thought before it.

use super::Writer;
use crate::chat::{Effort, Format, ReasoningAsk, ReasoningMode, Request, Sampling, ToolChoice, Unsupported};
use serde_json::{Value, json};

/// Bounds of `p`. Everything up to 1 means the same elsewhere: nothing is cut off.
const P_MIN: f64 = 0.01;
const P_MAX: f64 = 0.99;
/// Most texts that end the answer.
const STOP_MAX: usize = 5;
/// Largest `k`.
const K_MAX: u64 = 500;

impl Writer<'_> {
    pub(super) fn output(&mut self, request: &Request) -> Result<(), Unsupported> {
        let output = &request.output;
        let can = self.target.can;
        let format = match &output.format {
            None => None,
            Some(Format::Text) => Some(json!({"type": "text"})),
            Some(Format::JsonObject) if !can.json_object => None,
            Some(Format::JsonObject) => Some(json!({"type": "json_object"})),
            Some(Format::JsonSchema { .. }) if !can.json_schema => None,
            Some(Format::JsonSchema { schema, .. }) => {
                Some(json!({"type": "json_object", "json_schema": schema}))
            }
        };
        let is_json = matches!(output.format, Some(Format::JsonObject | Format::JsonSchema { .. }));
        let has_tools = !request.tools.is_empty() && request.tool_choice != Some(ToolChoice::None);
        if is_json && has_tools {
            self.loss.cannot("response_format", "cannot be held to by Cohere's models beside `tools`")?;
        } else if is_json && format.is_none() {
            self.loss.cannot("response_format", "cannot be held to by this model")?;
        } else if let Some(format) = format {
            self.set("response_format", format);
        }
        if output.modalities.iter().any(|modality| &**modality != "text") || output.audio.is_some() {
            self.loss.cannot("modalities", "asks for more than text, which Cohere does not write")?;
        }
        if output.verbosity.is_some() {
            self.loss.note("verbosity");
        }
        Ok(())
    }

    /// Cohere's models think or do not, and may be given a budget; degrees are not known to them.
    pub(super) fn thinking(&mut self, ask: &ReasoningAsk) -> Result<(), Unsupported> {
        let is_off = ask.mode == ReasoningMode::Disabled || ask.effort == Some(Effort::None);
        if !self.target.can.reasoning {
            if is_off {
                return Ok(());
            }
            return self.loss.cannot("reasoning_effort", "asks to think, which this model does not");
        }
        if ask.effort.is_some_and(|effort| effort != Effort::None) {
            self.loss.note("reasoning_effort");
        }
        if ask.show.is_some() {
            self.loss.note("reasoning.summary");
        }
        if is_off {
            self.set("thinking", json!({"type": "disabled"}));
            return Ok(());
        }
        let mut thinking = json!({"type": "enabled"});
        if let Some(budget) = ask.budget_tokens {
            thinking["token_budget"] = json!(budget);
        }
        self.set("thinking", thinking);
        Ok(())
    }

    pub(super) fn sampling(&mut self, sampling: &Sampling) -> Result<(), Unsupported> {
        let can = self.target.can;
        let draws = [
            ("temperature", "temperature", sampling.temperature.map(|value| json!(value))),
            ("p", "top_p", sampling.top_p.map(|value| json!(value.clamp(P_MIN, P_MAX)))),
            ("k", "top_k", sampling.top_k.map(|value| json!(value.min(K_MAX)))),
        ];
        // The nearest that there is.
        if sampling.top_p.is_some_and(|value| !(P_MIN..=1.0).contains(&value)) {
            self.loss.note("top_p");
        }
        if sampling.top_k.is_some_and(|value| value > K_MAX) {
            self.loss.note("top_k");
        }
        for (name, param, value) in draws {
            match value {
                Some(_) if !can.sampling => self.loss.cannot(param, "is not taken by this model")?,
                Some(value) => self.set(name, value),
                None => {}
            }
        }
        let penalties = [
            ("frequency_penalty", sampling.frequency_penalty),
            ("presence_penalty", sampling.presence_penalty),
        ];
        for (name, value) in penalties {
            match value {
                Some(value) if (0.0..=1.0).contains(&value) => self.set(name, json!(value)),
                Some(_) => self.loss.cannot(name, "is taken by Cohere from 0 to 1 only")?,
                None => {}
            }
        }
        let others: [(&str, Option<Value>); 3] = [
            ("max_tokens", sampling.max_tokens.map(|value| json!(value))),
            ("seed", sampling.seed.map(|value| json!(value))),
            ("logprobs", sampling.logprobs.map(|value| json!(value))),
        ];
        others.into_iter().for_each(|(name, value)| {
            if let Some(value) = value {
                self.set(name, value);
            }
        });
        if !sampling.stop.is_empty() {
            if !can.stop {
                self.loss.cannot("stop", "is not taken by this model")?;
            } else if sampling.stop.len() > STOP_MAX {
                self.loss.cannot("stop", "has more than the 5 texts that Cohere takes")?;
            } else {
                self.set("stop_sequences", json!(sampling.stop));
            }
        }
        self.unknown(sampling)
    }

    fn unknown(&mut self, sampling: &Sampling) -> Result<(), Unsupported> {
        let unknown = [
            ("min_p", sampling.p_floor.is_some()),
            ("repetition_penalty", sampling.repetition_penalty.is_some()),
            ("logit_bias", sampling.logit_bias.is_some()),
            ("top_logprobs", sampling.top_logprobs.is_some_and(|top| top > 0)),
        ];
        for (name, _) in unknown.into_iter().filter(|(_, is_asked)| *is_asked) {
            self.loss.cannot(name, "is not known to Cohere")?;
        }
        if sampling.candidates.is_some_and(|candidates| candidates != 1) {
            self.loss.cannot("n", "is not known to Cohere, which gives one answer")?;
        }
        Ok(())
    }
}
