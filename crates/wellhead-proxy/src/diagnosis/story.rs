//! The story of a request, from its books.

use super::collect::seconds;
use super::{Met, shown};
use crate::settle::Books;
use std::time::Duration;
use wellhead_resilience::Nanos;
use wellhead_telemetry::AttemptRecord;
use wellhead_types::{Outcome, Rung, Story, StoryAttempt, StoryDiagnosis};

pub(super) fn tell(books: &Books, outcome: Outcome, now: Nanos) -> Story {
    let record = &books.record;
    let met = books.told.as_ref().map_or(&[][..], |told| &told.met);
    let report = books.told.as_ref().and_then(|told| told.report.as_ref());
    let attempts = record
        .attempts
        .iter()
        .enumerate()
        .map(|(number, attempt)| self::attempt(attempt, met.iter().find(|met| met.attempt == number)));
    let allowed = (books.deadline != 0)
        .then(|| Duration::from_nanos(books.deadline - books.started.min(books.deadline)));
    Story {
        request_id: record.request_id.to_string(),
        at_ms: record.started_unix_ns / 1_000_000,
        app: record.app.as_ref().map(ToString::to_string),
        route: record.route.as_ref().map(ToString::to_string),
        endpoint: record.endpoint,
        streamed: record.streamed,
        status: record.status,
        outcome: outcome.as_str(),
        rung: record.rung.as_str(),
        code: record.code,
        duration_ms: millis(record.duration),
        allowed_ms: allowed.map(millis),
        did: did(books, outcome),
        attempts: attempts.collect(),
        diagnosis: report.map(|report| StoryDiagnosis {
            code: report.diagnosis.as_str(),
            message: report.message.clone(),
            recovery_s: report.recovery.map(|at| seconds(now, at)),
            fix: report.fix.clone(),
        }),
        findings: report
            .iter()
            .flat_map(|report| &report.findings)
            .map(|finding| shown(finding, now))
            .collect(),
    }
}

fn attempt(attempt: &AttemptRecord, met: Option<&Met>) -> StoryAttempt {
    StoryAttempt {
        target: attempt.target.to_string(),
        key_id: attempt.key_id.as_ref().map(ToString::to_string),
        at_ms: millis(attempt.offset),
        took_ms: millis(attempt.duration),
        status: attempt.status,
        outcome: attempt.result,
        stage: met.map(|met| met.fault.stage.as_str()),
        retry_after_s: met.and_then(|met| met.retry_after).map(|after| after.as_secs_f64()),
        detail: met.map(|met| met.fault.detail.clone()).filter(|detail| !detail.is_empty()),
    }
}

/// What the gateway did about it.
fn did(books: &Books, outcome: Outcome) -> String {
    let record = &books.record;
    let answered_by = record.attempts.last().map_or("nobody", |attempt| &attempt.target);
    let attempts = match record.attempts.len() {
        0 => "no attempt".to_owned(),
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    };
    match outcome {
        Outcome::Failed if record.first_byte.is_some() => {
            format!("ended the answer with an error after {attempts}, because its rest was not to be had")
        }
        Outcome::Failed => format!("said no after {attempts}"),
        Outcome::Shed => "did not take the request on".to_owned(),
        Outcome::Rejected => format!("passed on what {answered_by} said, after {attempts}"),
        Outcome::Cancelled => format!("made {attempts} until the client left"),
        _ => {
            let how = match record.rung {
                Rung::Retried => "asked again",
                Rung::Held => "waited until a target was free",
                Rung::Hedged => "asked a second target before the first one had answered",
                Rung::FailedOver => "went to another tier",
                Rung::Resumed => "had the rest of a broken stream from elsewhere",
                Rung::Stale | Rung::Cached => return "gave the answer to an earlier request".to_owned(),
                Rung::Degraded => {
                    return format!("gave what is declared in place of the model, after {attempts}");
                }
                _ => "went down the ladder",
            };
            format!("{how}, and answered from {answered_by} after {attempts}")
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
