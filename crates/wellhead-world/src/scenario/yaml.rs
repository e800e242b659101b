//! The configuration as a person would write it: what is tested begins at the text.

use super::{Fallback, Host, Model, STAND_IN, Scenario, vendor_model};
use std::fmt::Write;

/// The text of a configuration with these models.
pub(crate) fn yaml(scenario: &Scenario, models: &[Model]) -> String {
    let mut text = String::from("version: 1\nproviders:\n");
    // Writing to a text cannot fail.
    let _ = providers(&mut text, scenario);
    text.push_str("models:\n");
    for (number, model) in models.iter().enumerate() {
        let _ = write_model(&mut text, scenario, number, model);
    }
    text.push_str("apps:\n");
    for app in &scenario.apps {
        let _ = write!(text, "  {}: {{ keys: [{}]", app.name, app.key);
        if let Some(region) = app.regions {
            let _ = write!(text, ", regions: [{region}]");
        }
        if app.priority != "default" {
            let _ = write!(text, ", priority: {}", app.priority);
        }
        if let Some(places) = app.concurrency {
            let _ = write!(text, ", limits: {{ concurrency: {places} }}");
        }
        text.push_str(" }\n");
    }
    text.push_str("dns: { servers: [\"192.0.2.53:53\", \"192.0.2.54:53\"] }\n");
    text
}

fn providers(text: &mut String, scenario: &Scenario) -> std::fmt::Result {
    for (number, provider) in scenario.providers.iter().enumerate() {
        let host = match &provider.host {
            Host::At(address) => address.to_string(),
            Host::Named { name, .. } => name.clone(),
        };
        write!(text, "  {}: {{ kind: openai-compatible, base_url: \"http://{host}/v1\"", provider.name)?;
        write!(text, ", prefill: {}", provider.prefill)?;
        if provider.keys > 0 {
            let keys: Vec<_> = (0..provider.keys).map(|key| secret(number, key)).collect();
            write!(text, ", keys: [{}]", keys.join(", "))?;
        }
        if let Some(slots) = provider.concurrency {
            write!(text, ", concurrency_max: {slots}")?;
        }
        if let Some(region) = provider.region {
            write!(text, ", region: {region}")?;
        }
        text.push_str(" }\n");
    }
    Ok(())
}

fn write_model(text: &mut String, scenario: &Scenario, number: usize, model: &Model) -> std::fmt::Result {
    writeln!(text, "  {}:\n    targets:", model.name)?;
    for target in &model.targets {
        let provider = &scenario.providers[target.provider].name;
        let (tier, weight, vendor) = (target.tier, target.weight, vendor_model(number));
        writeln!(
            text,
            "      - {{ provider: {provider}, model: {vendor}, tier: {tier}, weight: {weight} }}"
        )?;
    }
    let mode = if model.atomic { "atomic" } else { "relay" };
    writeln!(
        text,
        "    timeouts: {{ deadline: {}ms, first_token: {}ms, stream_idle: {}ms, hold: {}ms }}",
        model.deadline_ms, model.first_token_ms, model.idle_ms, model.hold_ms
    )?;
    writeln!(text, "    attempts_max: {}", model.attempts_max)?;
    if let Some(fallback) = &model.fallback {
        write_fallback(text, scenario, fallback)?;
    }
    writeln!(text, "    stream: {{ rescue: {}, mode: {mode} }}", model.rescue)
}

fn write_fallback(text: &mut String, scenario: &Scenario, fallback: &Fallback) -> std::fmt::Result {
    write!(text, "    fallback: {{ after: {}ms", fallback.after_ms)?;
    if let Some(cache) = &fallback.cache {
        let scope = if cache.shared { "all" } else { "app" };
        write!(text, ", cache: {{ ttl: {}ms, scope: {scope} }}", cache.ttl_ms)?;
    }
    for (name, model) in [("model", fallback.smaller), ("larger_model", fallback.larger)] {
        if let Some(model) = model {
            write!(text, ", {name}: {}", scenario.models[model].name)?;
        }
    }
    if fallback.text {
        write!(text, ", text: \"{STAND_IN}\"")?;
    }
    writeln!(text, " }}")
}

/// The text of a provider's key.
pub(crate) fn secret(provider: usize, key: usize) -> String {
    format!("sk-world-{provider}-{key}")
}
