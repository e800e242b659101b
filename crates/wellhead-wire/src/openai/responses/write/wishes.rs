//! What is asked of the answer.

use super::super::read::LOGPROBS;
use super::Writer;
use crate::chat::{Effort, Format, Output, ReasoningAsk, ReasoningMode, Sampling, Unsupported};
use crate::openai::chat::effort_of;
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn sampling(&mut self, sampling: &Sampling) -> Result<(), Unsupported> {
        if let Some(limit) = sampling.max_tokens {
            self.set("max_output_tokens", json!(limit));
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
        if sampling.logprobs == Some(true) {
            self.set("include", json!([LOGPROBS]));
        }
        if let Some(top) = sampling.top_logprobs {
            self.set("top_logprobs", json!(top));
        }
        let unknown = [
            ("top_k", sampling.top_k.is_some()),
            ("min_p", sampling.p_floor.is_some()),
            ("frequency_penalty", sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
            ("presence_penalty", sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
            ("repetition_penalty", sampling.repetition_penalty.is_some()),
            ("seed", sampling.seed.is_some()),
            ("stop", !sampling.stop.is_empty()),
            ("logit_bias", sampling.logit_bias.as_ref().is_some_and(|bias| !bias.is_empty())),
            ("n", sampling.candidates.is_some_and(|count| count > 1)),
        ];
        for (name, _) in unknown.into_iter().filter(|(_, is_said)| *is_said) {
            self.loss.cannot(name, "is not known to the Responses API")?;
        }
        Ok(())
    }

    pub(super) fn output(&mut self, output: &Output) -> Result<(), Unsupported> {
        let can = self.target.can;
        let mut text = Map::new();
        let format = match &output.format {
            None => None,
            Some(Format::Text) => Some(json!({"type": "text"})),
            Some(Format::JsonObject) if can.json_object => Some(json!({"type": "json_object"})),
            Some(Format::JsonSchema { name, description, schema, strict }) if can.json_schema => {
                let mut format = json!({"type": "json_schema", "name": name.as_deref().unwrap_or("answer")});
                if let Some(description) = description {
                    format["description"] = json!(description);
                }
                format["schema"] = schema.clone();
                if let Some(strict) = strict {
                    format["strict"] = json!(strict);
                }
                Some(format)
            }
            Some(Format::JsonObject | Format::JsonSchema { .. }) => {
                self.loss.cannot("response_format", "asks for a form that this model cannot hold to")?;
                None
            }
        };
        text.extend(format.map(|format| ("format".to_owned(), format)));
        if let Some(verbosity) = &output.verbosity {
            text.insert("verbosity".to_owned(), json!(verbosity));
        }
        if !text.is_empty() {
            self.set("text", Value::Object(text));
        }
        if output.audio.is_some() || output.modalities.iter().any(|modality| &**modality != "text") {
            self.loss
                .cannot("modalities", "asks for more than text, which the Responses API does not answer")?;
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
        if ask.budget_tokens.is_some() {
            self.loss.note("budget_tokens");
        }
        let mut object = Map::new();
        if let Some(effort) = effort_of(ask) {
            object.insert("effort".to_owned(), json!(effort.as_str()));
        }
        match ask.show.as_deref() {
            None | Some("none") => {}
            // What has no summary in other dialects is shown whole there.
            Some("full") => drop(object.insert("summary".to_owned(), json!("detailed"))),
            Some(show) => drop(object.insert("summary".to_owned(), json!(show))),
        }
        if !object.is_empty() {
            self.set("reasoning", Value::Object(object));
        }
        Ok(())
    }
}
