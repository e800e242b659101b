//! Writing a request for a target.

mod messages;

pub(super) use messages::write_call;

use crate::chat::{
    Dialect, Effort, Encoded, Format, Loss, Losses, Output, ReasoningAsk, ReasoningMode, Request, Sampling,
    Target, ToolChoice, ToolKind, Unsupported, is_hint,
};
use serde_json::{Map, Value, json};

const DIALECT: Dialect = Dialect::Ollama;

/// What has to be known of a server and its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The model thinks by degrees: `low`, `medium`, `high` (gpt-oss). Others only think or do not.
    pub think_levels: bool,
    /// Tokens of the window that the server shall keep for it. Without it Ollama takes a few thousand and cuts longer
    /// prompts off in silence.
    pub context_tokens: Option<u64>,
}

impl Options {
    /// What is known of a model by its name.
    pub fn of(model: &str) -> Self {
        let family = model.rsplit('/').next().unwrap_or(model);
        Self { think_levels: family.starts_with("gpt-oss"), ..Self::default() }
    }
}

/// Writes a request. Whether it streams is always said: Ollama streams where nothing is said.
pub fn encode_request(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: &Options,
) -> Result<Encoded, Unsupported> {
    let mut writer = Writer { target, options, loss: Loss::new(losses), body: Map::new() };
    writer.set("model", json!(target.origin.model));
    writer.messages(&request.messages)?;
    writer.tools(request)?;
    writer.output(&request.output)?;
    if let Some(ask) = &request.reasoning {
        writer.think(ask)?;
    }
    writer.sampling(&request.sampling, request)?;
    writer.set("stream", json!(request.stream));
    writer.unsaid(request)?;
    request.rest.add_to(DIALECT, &mut writer.body);
    // What has only texts for names cannot fail to be written.
    let body = serde_json::to_vec(&writer.body).unwrap_or_default();
    Ok(writer.loss.finish(body.into()))
}

struct Writer<'a> {
    target: &'a Target,
    options: &'a Options,
    loss: Loss<'a>,
    body: Map<String, Value>,
}

impl Writer<'_> {
    fn set(&mut self, name: &str, value: Value) {
        self.body.insert(name.to_owned(), value);
    }

    fn tools(&mut self, request: &Request) -> Result<(), Unsupported> {
        let has_tools = !request.tools.is_empty();
        if has_tools && !self.target.can.tools {
            return self.loss.cannot("tools", "cannot be used by this model");
        }
        match &request.tool_choice {
            None | Some(ToolChoice::Auto) => {}
            // Whoever gets no tools calls none.
            Some(ToolChoice::None) => return Ok(()),
            Some(_) => self.loss.cannot("tool_choice", "cannot force Ollama's models to call a tool")?,
        }
        match request.parallel_tool_calls {
            Some(false) => {
                self.loss.cannot("parallel_tool_calls", "cannot be forbidden to Ollama's models")?;
            }
            Some(true) => self.loss.note("parallel_tool_calls"),
            None => {}
        }
        let mut tools = Vec::with_capacity(request.tools.len());
        for (number, tool) in request.tools.iter().enumerate() {
            let ToolKind::Function { name, description, parameters, strict } = &tool.kind else {
                self.loss.cannot(format!("tools[{number}]"), "is of a kind that Ollama does not know")?;
                continue;
            };
            if strict.is_some() {
                self.loss.note("strict");
            }
            if tool.cache.is_some() {
                self.loss.note("cache_control");
            }
            let mut function = json!({"name": name});
            if let Some(description) = description {
                function["description"] = json!(description);
            }
            // Templates of models read the schema's members without asking whether there is one.
            let none = || json!({"type": "object", "properties": {}});
            function["parameters"] = parameters.clone().unwrap_or_else(none);
            let mut object = Map::new();
            object.insert("type".to_owned(), json!("function"));
            object.insert("function".to_owned(), function);
            tool.rest.add_to(DIALECT, &mut object);
            tool.rest.foreign_to(DIALECT).for_each(|name| self.loss.note(name.to_owned()));
            tools.push(Value::Object(object));
        }
        if !tools.is_empty() {
            self.set("tools", Value::Array(tools));
        }
        Ok(())
    }

    fn output(&mut self, output: &Output) -> Result<(), Unsupported> {
        match &output.format {
            None | Some(Format::Text) => {}
            Some(Format::JsonObject) => self.set("format", json!("json")),
            Some(Format::JsonSchema { schema, .. }) => self.set("format", schema.clone()),
        }
        if output.modalities.iter().any(|modality| &**modality != "text") || output.audio.is_some() {
            self.loss.cannot("modalities", "asks for more than text, which Ollama does not write")?;
        }
        if output.verbosity.is_some() {
            self.loss.note("verbosity");
        }
        Ok(())
    }

    fn think(&mut self, ask: &ReasoningAsk) -> Result<(), Unsupported> {
        let off = ask.mode == ReasoningMode::Disabled || ask.effort == Some(Effort::None);
        if !self.target.can.reasoning {
            if off {
                return Ok(());
            }
            return self.loss.cannot("reasoning_effort", "asks to think, which this model does not");
        }
        for (name, said) in
            [("budget_tokens", ask.budget_tokens.is_some()), ("reasoning.summary", ask.show.is_some())]
        {
            if said {
                self.loss.note(name);
            }
        }
        let level = match ask.effort.filter(|_| !off) {
            None | Some(Effort::None) => None,
            Some(Effort::Minimal | Effort::Low) => Some("low"),
            Some(Effort::Medium) => Some("medium"),
            Some(Effort::High | Effort::Xhigh | Effort::Max) => Some("high"),
        };
        let exact = ask.effort.map(Effort::as_str) == level;
        match level {
            Some(level) if self.options.think_levels => {
                if !exact {
                    self.loss.note("reasoning_effort");
                }
                self.set("think", json!(level));
            }
            Some(_) => {
                self.loss.note("reasoning_effort");
                self.set("think", json!(true));
            }
            None => self.set("think", json!(!off)),
        }
        Ok(())
    }

    fn sampling(&mut self, sampling: &Sampling, request: &Request) -> Result<(), Unsupported> {
        let options = [
            ("num_predict", sampling.max_tokens.map(|value| json!(value))),
            ("temperature", sampling.temperature.map(|value| json!(value))),
            ("top_p", sampling.top_p.map(|value| json!(value))),
            ("top_k", sampling.top_k.map(|value| json!(value))),
            ("min_p", sampling.p_floor.map(|value| json!(value))),
            ("frequency_penalty", sampling.frequency_penalty.map(|value| json!(value))),
            ("presence_penalty", sampling.presence_penalty.map(|value| json!(value))),
            ("repeat_penalty", sampling.repetition_penalty.map(|value| json!(value))),
            ("seed", sampling.seed.map(|value| json!(value))),
            ("stop", Some(&sampling.stop).filter(|stop| !stop.is_empty()).map(|stop| json!(stop))),
            ("num_ctx", self.options.context_tokens.map(|value| json!(value))),
        ];
        let mut object: Map<String, Value> =
            options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        // What only this dialect knows; the client's own window goes before ours.
        if let Some(Value::Object(more)) = request.rest.of(DIALECT).and_then(|rest| rest.get("options")) {
            object.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        if !object.is_empty() {
            self.set("options", Value::Object(object));
        }
        if sampling.logit_bias.is_some() {
            self.loss.cannot("logit_bias", "is not known to Ollama")?;
        }
        if sampling.candidates.is_some_and(|candidates| candidates != 1) {
            self.loss.cannot("n", "is not known to Ollama, which gives one answer")?;
        }
        if let Some(logprobs) = sampling.logprobs {
            self.set("logprobs", json!(logprobs));
        }
        if let Some(top) = sampling.top_logprobs {
            self.set("top_logprobs", json!(top));
        }
        Ok(())
    }

    /// What Ollama has no word for.
    fn unsaid(&mut self, request: &Request) -> Result<(), Unsupported> {
        let labels = [
            ("user", request.user.is_some()),
            ("metadata", request.metadata.is_some()),
            ("service_tier", request.service_tier.is_some()),
            ("prompt_cache_key", request.cache_key.is_some()),
            ("cache_control", request.cache.is_some()),
        ];
        labels.into_iter().filter(|label| label.1).for_each(|label| self.loss.note(label.0));
        for name in request.rest.foreign_to(DIALECT) {
            // Most members that only one dialect has ask for something of its vendor's; a local model has none of it.
            if is_hint(name) {
                self.loss.note(name.to_owned());
            } else {
                self.loss.cannot(name.to_owned(), "is not known to Ollama")?;
            }
        }
        Ok(())
    }
}
