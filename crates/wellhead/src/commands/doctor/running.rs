//! What a running gateway has met with the targets that are examined. It is a help, not a need: whoever asks a doctor
//! often has no gateway that runs.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;
use wellhead_doctor::Report;

use crate::admin::Client;
use crate::cli::AdminArgs;

/// A gateway on this machine answers in a moment; a dead one must not hold up the diagnosis.
const TIME_MAX: Duration = Duration::from_secs(3);

/// What the gateway that the data directory or the command line names says about the examined providers; `None` if
/// there is none, or it does not answer.
pub(super) async fn remarks(args: &AdminArgs, report: &Report) -> Option<Vec<String>> {
    // Without a trace of a gateway nobody is asked: at the default address may be somebody else's.
    if args.admin.is_none() && !args.data_dir.join("admin-address").exists() {
        return None;
    }
    let client = Client::without_token(args, TIME_MAX).ok()?;
    let answer = client.send(Method::GET, "/status?format=json", None).await.ok()?;
    let status: Value =
        serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == StatusCode::OK)?;
    let examined: Vec<&str> = report.providers.iter().map(|examined| examined.provider.as_str()).collect();
    Some(read(&status, &examined))
}

/// One sentence for each key and each target that is not well.
fn read(status: &Value, examined: &[&str]) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut remarks = Vec::new();
    for provider in list(&status["providers"]) {
        let name = provider["name"].as_str().unwrap_or_default();
        if !examined.contains(&name) {
            continue;
        }
        for key in list(&provider["keys"]) {
            let (text, state) =
                (key["key"].as_str().unwrap_or_default(), key["state"].as_str().unwrap_or("ok"));
            if state != "ok" {
                remarks.push(format!("key {text} of {name} is {state}{}", rests(&key["resting_s"])));
            }
        }
    }
    for target in list(&status["routes"]).iter().flat_map(|route| list(&route["targets"])) {
        let id = target["target"].as_str().unwrap_or_default();
        let provider = id.split('/').next().unwrap_or_default();
        let phase = target["phase"].as_str().unwrap_or("unknown");
        if !examined.contains(&provider) || matches!(phase, "ok" | "unknown") {
            continue;
        }
        let last = target["last_failure"].as_str().unwrap_or("no failure");
        let remark = format!("target {id} is {phase}{}, after {last}", rests(&target["rests_s"]));
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    remarks
}

fn rests(seconds: &Value) -> String {
    seconds.as_f64().map_or_else(String::new, |seconds| format!(" for another {:.0} s", seconds.ceil()))
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    #[test]
    fn what_is_not_well_is_said_about_examined_providers_only() {
        let key = |key: &str, state: &str| json!({"key": key, "state": state, "resting_s": 4.2});
        let target = |target: &str, phase: &str| json!({"target": target, "phase": phase, "rests_s": 1.5, "last_failure": "server_error"});
        let status = json!({
            "providers": [
                {"name": "a", "keys": [key("…a1", "ok"), key("…b2", "limited")]},
                {"name": "b", "keys": [key("…c3", "rejected")]},
            ],
            "routes": [
                {"targets": [target("a/m", "open"), target("a/n", "ok"), target("b/m", "open")]},
                {"targets": [target("a/m", "open")]},
            ],
        });
        assert_eq!(
            read(&status, &["a"]),
            [
                "key …b2 of a is limited for another 5 s",
                "target a/m is open for another 2 s, after server_error",
            ]
        );
        assert_eq!(read(&json!({}), &["a"]), [""; 0]);
    }
}
