//! `GET /v1/models` and `GET /v1/models/{id}`.

use serde_json::{Value, json};

use super::{Call, parsed};
use crate::reply::Reply;

/// When the models were made; a date, because clients show it.
const CREATED: u64 = 1_767_225_600;

fn model(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": CREATED, "owned_by": "wellhead-sim"})
}

/// The list.
pub(crate) fn list(call: &Call<'_>) -> Result<Reply, Reply> {
    let data: Vec<Value> = call.core.options.models.iter().map(|name| model(name)).collect();
    Ok(Reply::json(200, &json!({"object": "list", "data": data}), 0))
}

/// One model. A name may have slashes of its own.
pub(crate) fn one(call: &Call<'_>) -> Result<Reply, Reply> {
    let name = call.request.path.split_once("/models/").map_or("", |(_, name)| name);
    match call.core.options.models.iter().find(|known| *known == name) {
        Some(name) => Ok(Reply::json(200, &model(name), 0)),
        None => Err(parsed::unknown(name)),
    }
}
