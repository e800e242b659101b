//! Why a model cannot be served at present, told once per change and not once per request.

use super::collect::seconds;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wellhead_resilience::diagnose::Report;
use wellhead_resilience::{Nanos, SECOND};
use wellhead_types::{Diagnosis, DiagnosisStatus, RequestId};

/// So long nothing must have failed before a success ends a run of failures: a model that answers every other request
/// would say so with every request.
const CALM: Nanos = 5 * SECOND;
/// Lines about one model come no faster.
const LOG_EVERY: Nanos = SECOND;

/// The run of failures of one model. Outlives snapshots.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Looked at by every request that succeeds; the lock is taken only if it is set.
    is_set: AtomicBool,
    run: Mutex<Option<Box<Run>>>,
}

#[derive(Debug)]
struct Run {
    diagnosis: Diagnosis,
    message: String,
    fix: String,
    began: Nanos,
    /// Since when for this cause.
    since: Nanos,
    last_seen: Nanos,
    requests: u64,
    recovery: Option<Nanos>,
    request_id: String,
    logged: (Diagnosis, Nanos),
}

impl Trouble {
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Relaxed)
    }

    /// A request failed. Says so in the log if the cause is a new one.
    pub(crate) fn failed(&self, model: &str, report: &Report, now: Nanos, request_id: &RequestId) {
        let mut place = self.place();
        let is_new = place.is_none();
        let run = place.get_or_insert_with(|| {
            Box::new(Run {
                diagnosis: report.diagnosis,
                message: String::new(),
                fix: String::new(),
                began: now,
                since: now,
                last_seen: now,
                requests: 0,
                recovery: None,
                request_id: String::new(),
                logged: (report.diagnosis, now),
            })
        });
        if run.diagnosis != report.diagnosis {
            (run.diagnosis, run.since, run.requests) = (report.diagnosis, now, 0);
        }
        run.message.clone_from(&report.message);
        run.fix.clone_from(&report.fix);
        run.last_seen = now;
        run.requests = run.requests.saturating_add(1);
        run.recovery = report.recovery;
        run.request_id = request_id.to_string();
        let (logged, at) = run.logged;
        let changed = is_new || (logged != run.diagnosis && now.saturating_sub(at) >= LOG_EVERY);
        if changed {
            run.logged = (run.diagnosis, now);
        }
        self.is_set.store(true, Relaxed);
        drop(place);
        if changed {
            log(model, report, request_id);
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, model: &str, now: Nanos) {
        if !self.is_set() {
            return;
        }
        let mut place = self.place();
        let Some(over) = place.take_if(|run| now.saturating_sub(run.last_seen) >= CALM) else { return };
        self.is_set.store(false, Relaxed);
        drop(place);
        tracing::info!(
            model,
            cause = over.diagnosis.as_str(),
            lasted_s = seconds(over.began, over.last_seen),
            "a model is served again"
        );
    }

    /// For `/status`.
    pub(crate) fn shown(&self, now: Nanos) -> Option<DiagnosisStatus> {
        let place = self.place();
        let run = place.as_ref()?;
        Some(DiagnosisStatus {
            code: run.diagnosis.as_str(),
            message: run.message.clone(),
            since_s: seconds(run.since, now),
            last_seen_s: seconds(run.last_seen, now),
            requests: run.requests,
            recovery_s: run.recovery.map(|at| seconds(now, at)),
            fix: run.fix.clone(),
            request_id: run.request_id.clone(),
        })
    }

    fn place(&self) -> MutexGuard<'_, Option<Box<Run>>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The whole evidence, once: what a client may not see is here.
fn log(model: &str, report: &Report, request_id: &RequestId) {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| format!("{} {}: {}", finding.diagnosis.as_str(), finding.about, finding.message))
        .collect();
    tracing::warn!(
        model,
        cause = report.diagnosis.as_str(),
        findings = findings.join("; "),
        fix = report.fix,
        request = %request_id,
        "requests for a model fail: {}",
        report.message
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{CALM, Trouble};
    use wellhead_resilience::diagnose::Report;
    use wellhead_resilience::{Nanos, SECOND};
    use wellhead_types::{Diagnosis, RequestId};

    fn failed(trouble: &Trouble, diagnosis: Diagnosis, now: Nanos) {
        let report = Report {
            diagnosis,
            message: "m".to_owned(),
            proxy_status: "t",
            received_status: None,
            recovery: None,
            fix: "f".to_owned(),
            findings: Vec::new(),
        };
        trouble.failed("chat", &report, now, &RequestId::from_parts(now, [0; 10]));
    }

    #[test]
    fn a_run_goes_on_until_a_success_after_some_calm() {
        let trouble = Trouble::default();
        trouble.answered("chat", SECOND);
        assert!(trouble.shown(SECOND).is_none());
        failed(&trouble, Diagnosis::PortRefused, SECOND);
        failed(&trouble, Diagnosis::PortRefused, 3 * SECOND);
        trouble.answered("chat", 4 * SECOND);
        let shown = trouble.shown(4 * SECOND).unwrap();
        assert_eq!((shown.code, shown.requests), ("PORT_REFUSED", 2));
        assert_eq!((shown.since_s, shown.last_seen_s), (3.0, 1.0));
        failed(&trouble, Diagnosis::Silent, 5 * SECOND);
        let shown = trouble.shown(6 * SECOND).unwrap();
        assert_eq!((shown.code, shown.requests, shown.since_s), ("SILENT", 1, 1.0));
        trouble.answered("chat", 5 * SECOND + CALM);
        assert!(!trouble.is_set() && trouble.shown(6 * SECOND + CALM).is_none());
    }
}
