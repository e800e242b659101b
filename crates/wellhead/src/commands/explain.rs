//! `wellhead explain`: the story of one request, as a page.

use std::fmt::Write;
use std::process::ExitCode;

use http::Method;
use serde_json::Value;

use crate::admin::{Client, segment};
use crate::cli::ExplainArgs;
use crate::ui;

pub(super) async fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let path = format!("/api/v1/requests/{}", segment(&args.request_id));
    let story = Client::new(&args.admin)?.call(Method::GET, &path, None).await?;
    let page = if args.json { format!("{story:#}\n") } else { page(&story) };
    ui::out(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// What happened, why, what is wrong, what to do: in the order in which people ask. Writing to a `String` cannot fail.
fn page(story: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut out = String::new();
    let streamed = if story["streamed"] == true { ", streamed" } else { "" };
    let _ = writeln!(out, "request {}", text(&story["request_id"]));
    let _ = writeln!(
        out,
        "  {} of app {} for model {}{streamed}",
        text(&story["endpoint"]),
        text(&story["app"]),
        text(&story["route"])
    );
    let allowed = story["allowed_ms"].as_u64().map_or_else(String::new, |ms| format!(" of {ms} ms allowed"));
    let code = story["code"].as_str().map_or_else(String::new, |code| format!(" {code}"));
    let _ = writeln!(
        out,
        "  {} ({}), status {}{code}, after {} ms{allowed}",
        text(&story["outcome"]),
        text(&story["rung"]),
        story["status"],
        story["duration_ms"]
    );
    let _ = writeln!(out, "  the gateway {}", text(&story["did"]));
    if let Some(diagnosis) = story["diagnosis"].as_object() {
        let _ = writeln!(out, "\ncause {}", text(&diagnosis["code"]));
        let _ = writeln!(out, "  {}", text(&diagnosis["message"]));
        if let Some(recovery) = diagnosis["recovery_s"].as_f64() {
            let _ = writeln!(out, "  the earliest recovery was expected {recovery:.1} s later");
        }
        let _ = writeln!(out, "  fix: {}", text(&diagnosis["fix"]));
    }
    let attempts = story["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !attempts.is_empty() {
        out.push_str("\nattempts\n");
        out.push_str(&table(attempts));
    }
    for attempt in attempts {
        if let Some(detail) = attempt["detail"].as_str() {
            let _ = writeln!(out, "  {}: {detail}", text(&attempt["target"]));
        }
    }
    let findings = story["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !findings.is_empty() {
        out.push_str("\nfindings at that moment\n");
    }
    for finding in findings {
        let _ = write!(
            out,
            "  {} {}: {}",
            text(&finding["code"]),
            text(&finding["about"]),
            text(&finding["message"])
        );
        if let Some(since) = finding["since_s"].as_f64() {
            let _ = write!(out, "; for {since:.1} s");
        }
        if let Some(ago) = finding["last_success_age_s"].as_f64() {
            let _ = write!(out, ", last answered {ago:.1} s before");
        }
        let _ = writeln!(out, "\n    fix: {}", text(&finding["fix"]));
    }
    out
}

fn table(attempts: &[Value]) -> String {
    let head =
        ["  #", "TARGET", "KEY", "AT", "TOOK", "STATUS", "OUTCOME", "STAGE"].map(str::to_owned).to_vec();
    let rows = attempts.iter().enumerate().map(|(number, attempt)| {
        let text = |field: &str| attempt[field].as_str().unwrap_or("-").to_owned();
        let ms = |field: &str| format!("{} ms", attempt[field]);
        let status = attempt["status"].as_u64().map_or_else(|| "-".to_owned(), |status| status.to_string());
        vec![
            format!("  {}", number + 1),
            text("target"),
            text("key_id"),
            ms("at_ms"),
            ms("took_ms"),
            status,
            text("outcome"),
            text("stage"),
        ]
    });
    ui::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::page;
    use serde_json::json;

    #[test]
    fn a_story_is_a_page_that_answers_what_why_and_what_to_do() {
        let page = page(&json!({
            "request_id": "order-4711", "endpoint": "/v1/chat/completions", "app": "dev", "route": "chat",
            "streamed": true, "outcome": "failed", "rung": "refused", "status": 503, "code": "no_healthy_upstream",
            "duration_ms": 12, "allowed_ms": 5000, "did": "said no after 1 attempt",
            "diagnosis": {
                "code": "PORT_REFUSED", "message": "Connections are refused by the only target.",
                "recovery_s": 1.0, "fix": "start the server"
            },
            "attempts": [{
                "target": "a/m1", "key_id": "k1", "at_ms": 0, "took_ms": 1, "status": null,
                "outcome": "connection_refused", "stage": "connect", "retry_after_s": null,
                "detail": "127.0.0.1:9: Connection refused"
            }],
            "findings": [{
                "code": "PORT_REFUSED", "about": "a/m1", "message": "http://127.0.0.1:9 refuses connections",
                "since_s": 3.0, "last_success_age_s": 60.0, "fix": "start the server"
            }],
        }));
        let expected = "\
request order-4711
  /v1/chat/completions of app dev for model chat, streamed
  failed (refused), status 503 no_healthy_upstream, after 12 ms of 5000 ms allowed
  the gateway said no after 1 attempt

cause PORT_REFUSED
  Connections are refused by the only target.
  the earliest recovery was expected 1.0 s later
  fix: start the server

attempts
  #  TARGET  KEY  AT    TOOK  STATUS  OUTCOME             STAGE
  1  a/m1    k1   0 ms  1 ms  -       connection_refused  connect
  a/m1: 127.0.0.1:9: Connection refused

findings at that moment
  PORT_REFUSED a/m1: http://127.0.0.1:9 refuses connections; for 3.0 s, last answered 60.0 s before
    fix: start the server
";
        assert_eq!(page, expected);
    }

    #[test]
    fn a_rescued_request_has_no_cause() {
        let page =
            page(&json!({"request_id": "x", "outcome": "rescued", "rung": "retried", "diagnosis": null}));
        assert!(page.contains("rescued (retried)") && !page.contains("cause"), "{page}");
    }
}
