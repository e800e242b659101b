//! Why a request failed: evidence is collected here when, and only when, the gateway says no by itself; the decider in
//! `wellhead_resilience::diagnose` judges it. What it says goes to the client as a code and one sentence, to the log
//! when a model's cause changes, to `/status`, and into the story of the request.

mod collect;
mod stories;
mod story;
mod trouble;

pub(crate) use collect::{hosts, of_route};
pub(crate) use stories::Stories;
pub(crate) use trouble::Trouble;

use crate::plan::Route;
use crate::settle::Books;
use wellhead_resilience::Nanos;
use wellhead_resilience::diagnose::{self, Fault, Finding, Report};
use wellhead_types::{Diagnosis, Failure, FindingStatus, Name, Outcome, Rung};

/// What is kept of the vendor's or the network's own words about one failure.
pub(crate) const DETAIL_BYTES_MAX: usize = 512;

/// What is remembered of a request that did not go straight. Boxed in its books: most have none.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What its attempts met.
    pub(crate) met: Vec<Met>,
    /// Why it failed.
    pub(crate) report: Option<Report>,
}

/// What one attempt met.
#[derive(Debug)]
pub(crate) struct Met {
    /// Number of the attempt.
    pub(crate) attempt: usize,
    /// The target; that of a substitute is none of the route's.
    pub(crate) target: Name,
    pub(crate) fault: Fault,
    /// How long the upstream asked to be left alone.
    pub(crate) retry_after: Option<std::time::Duration>,
}

impl Met {
    pub(crate) fn new(attempt: usize, target: Name, failure: &Failure, now: Nanos) -> Self {
        let fault = Fault::of(failure, now, DETAIL_BYTES_MAX);
        Self { attempt, target, fault, retry_after: failure.retry_after }
    }
}

/// Finds out why the request failed at the model that is being asked; `recovery` is what the ladder knows about the
/// earliest one.
pub(crate) fn diagnose(books: &mut Books, recovery: Option<Nanos>) -> &Report {
    let route = books.route.clone();
    diagnose_route(books, route.as_deref(), recovery)
}

fn diagnose_route<'a>(books: &'a mut Books, route: Option<&Route>, recovery: Option<Nanos>) -> &'a Report {
    let evidence = collect::of_request(books, route, recovery);
    books.told.get_or_insert_default().report.insert(diagnose::diagnose(&evidence))
}

/// Notes a cause that needs no evidence.
pub(crate) fn known<'a>(
    books: &'a mut Books,
    diagnosis: Diagnosis,
    message: &str,
    fix: String,
) -> &'a Report {
    let report = Report {
        diagnosis,
        message: message.to_owned(),
        proxy_status: diagnosis.proxy_status(),
        received_status: None,
        recovery: None,
        fix,
        findings: Vec::new(),
    };
    books.told.get_or_insert_default().report.insert(report)
}

/// The request has ended and did not go straight, or ends a run of failures: everybody is told. Called once, for the
/// record is about to be handed on.
pub(crate) fn settle(books: &mut Books, outcome: Outcome, now: Nanos) {
    let gateway = books.worker().gateway.clone();
    let route = books.asked_route().cloned();
    let untold = books.told.as_ref().is_none_or(|told| told.report.is_none());
    match outcome {
        Outcome::Failed if untold => drop(diagnose(books, None)),
        // Something else stood in for the model; why that was necessary is told as well.
        Outcome::Stale | Outcome::Degraded if untold => drop(diagnose_route(books, route.as_deref(), None)),
        _ => {}
    }
    let report = books.told.as_ref().and_then(|told| told.report.as_ref());
    let fell = matches!(outcome, Outcome::Failed | Outcome::Shed | Outcome::Stale | Outcome::Degraded);
    if let Some(report) = report.filter(|_| fell) {
        gateway.metrics.count_diagnosis(report.diagnosis);
        if let Some(route) = &route {
            route.trouble.failed(&route.model.name, report, now, &books.record.request_id);
        }
    }
    if let (Some(route), Outcome::Ok | Outcome::Rescued) = (&route, outcome) {
        route.trouble.answered(&route.model.name, now);
    }
    let crooked = books.record.rung != Rung::Direct || books.told.is_some();
    if crooked && is_kept(books, outcome) {
        gateway.stories.keep(story::tell(books, outcome, now), outcome == Outcome::Failed);
    }
}

/// A request that was at fault itself is no story: anybody could fill the ring with them. Unless others were asked
/// before somebody said so.
fn is_kept(books: &Books, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Ok => false,
        Outcome::Rejected => books.record.attempts.len() > 1,
        Outcome::Cancelled => !books.record.attempts.is_empty(),
        Outcome::Rescued | Outcome::Stale | Outcome::Degraded | Outcome::Shed | Outcome::Failed => true,
    }
}

/// A finding as it is shown at this moment.
pub(crate) fn shown(finding: &Finding, now: Nanos) -> FindingStatus {
    let ago = |at: Nanos| collect::seconds(at, now);
    FindingStatus {
        code: finding.diagnosis.as_str(),
        about: finding.about.to_string(),
        message: finding.message.clone(),
        since_s: finding.since.map(ago),
        last_success_age_s: finding.last_success.map(ago),
        fix: finding.fix.clone(),
    }
}
