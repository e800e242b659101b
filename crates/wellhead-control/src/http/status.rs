//! `/status`: the upstream truth. `?format=json|text` decides; without it, JSON for whoever accepts JSON by name, and
//! text for everybody else: a person with curl sends `Accept: */*`.

use std::fmt::Write;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use wellhead_types::{ConfigStatus, Diagnosis, FindingStatus, ProviderStatus, RouteStatus, Status};

use super::problem::Problem;
use super::reply::Parameters;
use super::{Admin, Shared};

/// The status in the form that was asked for.
pub(super) async fn status(
    State(admin): Shared,
    Query(parameters): Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let status = current(&admin);
    let json = match parameters.get("format").map(String::as_str) {
        Some("json") => true,
        Some("text") => false,
        None => accepts_json(&headers),
        Some(other) => {
            let detail = format!("format is {other:?}; expected json or text");
            return Err(Problem::bad_parameter("format", detail));
        }
    };
    Ok(if json { axum::Json(status).into_response() } else { text(&status).into_response() })
}

/// What is known now.
pub(super) fn current(admin: &Admin) -> Status {
    let config = (*admin.configurator.status()).clone();
    let mut status = admin.data_plane.status();
    status.findings.extend(refused(&config));
    Status { config, ..status }
}

/// A configuration that was refused is survived, and somebody has to know.
fn refused(config: &ConfigStatus) -> Option<FindingStatus> {
    let why = config.last_reload_errors.first().map_or("it cannot be used", String::as_str);
    (!config.last_reload_ok).then(|| FindingStatus {
        code: Diagnosis::ConfigRejectedKeptOld.as_str(),
        about: config.source.clone(),
        message: format!("{why}; still serving generation {}", config.generation),
        since_s: None,
        last_success_age_s: None,
        fix: format!("correct it and save; `wellhead check {}` shows every error", config.source),
    })
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("json"))
}

/// For terminals. Writing to a `String` cannot fail.
fn text(status: &Status) -> String {
    let Status { verdict, version, uptime_s, draining, config, deferred, providers, routes, findings } =
        status;
    let mut out = format!("{verdict}\n\nwellhead {version}, up {uptime_s} s");
    if *draining {
        out.push_str(", draining");
    }
    let _ = writeln!(out, "\nconfiguration: generation {} from {}", config.generation, config.source);
    if !config.last_reload_ok {
        out.push_str("  the newest configuration was refused; this generation keeps serving:\n");
        for error in &config.last_reload_errors {
            let _ = writeln!(out, "  {error}");
        }
    }
    for warning in &config.warnings {
        let _ = writeln!(out, "  {warning}");
    }
    if !findings.is_empty() {
        out.push_str("\nsurvived:\n");
    }
    for finding in findings {
        write_finding(&mut out, finding);
    }
    if deferred.queued + deferred.running + deferred.kept > 0 {
        let _ = writeln!(
            out,
            "\ndeferred: {} wait (the oldest for {} s), {} under way, {} results kept; {} bytes on disk",
            deferred.queued, deferred.oldest_s, deferred.running, deferred.kept, deferred.disk_bytes
        );
    }
    for route in routes {
        write_route(&mut out, route);
    }
    for provider in providers {
        write_provider(&mut out, provider);
    }
    out
}

fn write_route(out: &mut String, route: &RouteStatus) {
    let _ = writeln!(out, "\nmodel {}: {}", route.model, route.state);
    if let Some(diagnosis) = &route.diagnosis {
        let _ = writeln!(
            out,
            "  {}: {} {} requests failed since {:.1} s ago, the newest {:.1} s ago; wellhead explain {}\n    fix: {}",
            diagnosis.code,
            diagnosis.message,
            diagnosis.requests,
            diagnosis.since_s,
            diagnosis.last_seen_s,
            diagnosis.request_id,
            diagnosis.fix
        );
    }
    for finding in &route.findings {
        write_finding(out, finding);
    }
    for target in &route.targets {
        let _ = write!(
            out,
            "  tier {} weight {} {}: {}, {} ok, {} failed, {} in flight",
            target.tier,
            target.weight,
            target.target,
            target.state,
            target.successes,
            target.failures,
            target.in_flight
        );
        if let Some(code) = target.last_failure {
            let _ = write!(out, "; last failure {code}");
            if let Some(age) = target.last_failure_age_s {
                let _ = write!(out, " {age:.1} s ago");
            }
        }
        out.push('\n');
    }
}

fn write_finding(out: &mut String, finding: &FindingStatus) {
    let _ = write!(out, "  {} {}: {}", finding.code, finding.about, finding.message);
    if let Some(since) = finding.since_s {
        let _ = write!(out, "; since {since:.1} s ago");
    }
    if let Some(ago) = finding.last_success_age_s {
        let _ = write!(out, ", last answered {ago:.1} s ago");
    }
    let _ = writeln!(out, "\n    fix: {}", finding.fix);
}

fn write_provider(out: &mut String, provider: &ProviderStatus) {
    let region = provider.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
    let _ = writeln!(out, "\nprovider {} ({}){region}", provider.name, provider.kind);
    for key in &provider.keys {
        let _ = write!(out, "  key {}: {}", key.key, key.state);
        if let Some(rest) = key.resting_s {
            let _ = write!(out, ", tried again in {rest:.1} s");
        }
        for (model, rest) in &key.limited_models {
            let _ = write!(out, "; limited for {model}, {rest:.1} s left");
        }
        out.push('\n');
    }
}
