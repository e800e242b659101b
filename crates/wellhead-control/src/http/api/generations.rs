//! The history of the configuration, and loading it again on demand.

use axum::extract::{Query, State};
use serde_json::{Value, json};
use wellhead_store::{GenerationQueries, StoredGeneration};

use crate::http::Shared;
use crate::http::fields::Fields;
use crate::http::problem::Problem;
use crate::http::reply::{JsonBody, Page, Parameters, Reply};

/// From the newest down.
pub(in crate::http) async fn list(
    State(admin): Shared,
    Query(parameters): Parameters,
) -> Result<Reply, Problem> {
    let page = Page::of(&parameters)?;
    let before = page.numeric_cursor()?;
    let entries = admin.configurator.store().list_generations(before, page.rows_wanted()).await?;
    Ok(page.answer(entries.iter().map(|entry| (entry.id.to_string(), shown(entry))).collect()))
}

/// Reads the configuration file now. An invalid one changes nothing and is explained in the answer.
pub(in crate::http) async fn reload(State(admin): Shared, body: JsonBody) -> Result<Reply, Problem> {
    Fields::body(body.value)?.finish()?;
    let applied = admin.configurator.reload("api", "admin").await?;
    Ok(Reply::ok(json!({ "generation": applied.generation, "warnings": applied.warnings })))
}

fn shown(stored: &StoredGeneration) -> Value {
    let entry = &stored.entry;
    json!({
        "id": stored.id,
        "generation": entry.generation,
        "at_ms": entry.at_ms,
        "source": entry.source,
        "sha256": entry.sha256,
        "outcome": entry.outcome.as_str(),
        "reason": entry.reason,
        "actor": entry.actor,
        "messages": entry.messages,
    })
}
