//! The control calls under `/_sim/`: set faults, read the log.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::core::Core;
use crate::fault::rule_from_json;
use crate::net::Request;
use crate::reply::{self, Reply};

/// Answers a control call.
pub(crate) fn control(core: &Core, request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/_sim/faults") => add(core, request).unwrap_or_else(|reply| reply),
        ("GET", "/_sim/faults") => Reply::json(200, &faults(core), 0),
        ("DELETE", "/_sim/faults") => {
            core.rules().clear();
            Reply::json(200, &json!({"faults": []}), 0)
        }
        ("GET", "/_sim/requests") => Reply::json(200, &json!({"requests": core.log.read()}), 0),
        ("DELETE", "/_sim/requests") => {
            core.log.clear();
            Reply::json(200, &json!({"requests": []}), 0)
        }
        ("GET", "/_sim/state") => Reply::json(200, &state(core), 0),
        (method, path) => {
            let message = format!(
                "There is no {method} {path}; known are GET, POST and DELETE /_sim/faults, \
                 GET and DELETE /_sim/requests, and GET /_sim/state."
            );
            reply::error(404, "invalid_request_error", Some("unknown_url"), None, &message)
        }
    }
}

fn add(core: &Core, request: &Request) -> Result<Reply, Reply> {
    let wrong =
        |message: String| reply::error(400, "invalid_request_error", Some("invalid_fault"), None, &message);
    let value: Value = serde_json::from_slice(&request.body)
        .map_err(|error| wrong(format!("The rule is not valid JSON: {error}.")))?;
    let rule = rule_from_json(value).map_err(|error| wrong(error.to_string()))?;
    core.add_rule(rule);
    Ok(Reply::json(200, &faults(core), 0))
}

fn faults(core: &Core) -> Value {
    json!({"faults": core.rules().list(Instant::now())})
}

fn state(core: &Core) -> Value {
    json!({
        "in_flight": core.log.in_flight(),
        "connections": core.connections_open(),
        "requests_total": core.log.total(),
        "uptime_ms": u64::try_from(core.log.uptime().as_millis()).unwrap_or(u64::MAX),
        "seed": core.options.seed,
        "token_pace_ms": core.options.token_pace.as_secs_f64() * 1000.0,
        "tokens_default": core.options.tokens_default,
        "models": core.options.models,
        "faults": core.rules().list(Instant::now()),
    })
}
