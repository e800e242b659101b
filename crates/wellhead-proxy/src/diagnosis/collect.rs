//! Evidence, from everywhere where the data plane remembers something. Takes locks and copies texts: for failed
//! requests and status pages only.

use crate::clock::nanos;
use crate::gateway::Gateway;
use crate::plan::{ProviderPlan, Route, TargetPlan};
use crate::settle::{Books, since};
use std::net::SocketAddr;
use std::time::Duration;
use wellhead_net::{Finding as NameFinding, NameReport, PartlyRefused};
use wellhead_resilience::Nanos;
use wellhead_resilience::diagnose::{
    Evidence, Fault, Finding, Half, KeysEvidence, NameEvidence, NameTrouble, Patience, TargetEvidence,
    half_finding, name_finding,
};
use wellhead_resilience::key_rest::Why;
use wellhead_types::{Name, Stage};

/// Keys that are named in a finding; more would bury it.
const EXAMPLES_MAX: usize = 3;

/// What is known of a route's targets when a request is given up.
pub(super) fn of_request(books: &Books, route: Option<&Route>, recovery: Option<Nanos>) -> Evidence {
    let gateway = &books.worker().gateway;
    let now = gateway.clock.now();
    let Some(route) = route else {
        return Evidence { now, model: "".into(), patience: None, targets: Vec::new() };
    };
    let met = books.told.as_ref().map_or(&[][..], |told| &told.met);
    let mut targets: Vec<TargetEvidence> = Vec::with_capacity(route.targets.len());
    let is_asked = books.asked_route().is_some_and(|asked| asked.model.name == route.model.name);
    for (number, target) in route.targets.iter().enumerate() {
        if is_asked && books.is_unfit(number) {
            continue;
        }
        let faults = met.iter().filter(|met| met.target == target.id).map(|met| met.fault.clone());
        targets.push(of_target(target, faults.collect(), now));
    }
    // Names are looked at only where the failure could be theirs: the report is a copy of all of them.
    let early = |fault: &Fault| fault.stage <= Stage::Tls;
    if targets.iter().any(|target| target.met.iter().chain(&target.last).any(early)) {
        let names = gateway.connector.resolver().report();
        let providers = route.targets.iter().filter(|t| targets.iter().any(|seen| seen.target == t.id));
        let providers: Vec<_> = providers.map(|target| target.provider.clone()).collect();
        for (target, provider) in targets.iter_mut().zip(providers) {
            add_name(target, &provider, &names, now);
        }
    }
    let model = &route.model;
    let patience = (books.deadline != 0).then(|| Patience {
        started: books.started,
        deadline: books.deadline,
        model_deadline: books.started.saturating_add(nanos(model.deadline)),
        hold_max: nanos(model.hold_max),
        recovery,
    });
    Evidence { now, model: model.name.clone(), patience, targets }
}

/// What is known of a model's targets without a request.
pub(crate) fn of_route(route: &Route, names: &[NameReport], now: Nanos) -> Evidence {
    let targets = route.targets.iter().map(|target| {
        let mut evidence = of_target(target, Vec::new(), now);
        add_name(&mut evidence, &target.provider, names, now);
        evidence
    });
    Evidence { now, model: route.model.name.clone(), patience: None, targets: targets.collect() }
}

/// What is wrong with names and addresses, for whichever target.
pub(crate) fn hosts(gateway: &Gateway, names: &[NameReport]) -> Vec<Finding> {
    let now = gateway.clock.now();
    let mut findings = Vec::new();
    for name in names {
        findings.extend(name_evidence(name, now).as_ref().map(name_finding));
        findings.extend(name.partly_refused.iter().map(|partly| half_finding(&half(name, partly, now))));
    }
    findings
}

fn of_target(target: &TargetPlan, met: Vec<Fault>, now: Nanos) -> TargetEvidence {
    let known = target.state.evidence();
    let endpoint = &target.provider.endpoint;
    let scheme = if endpoint.tls.is_some() { "https" } else { "http" };
    TargetEvidence {
        target: target.id.clone(),
        provider: target.provider.name.clone(),
        vendor_model: target.model.clone(),
        place: format!("{scheme}://{}:{}", endpoint.host, endpoint.port),
        phase: known.phase,
        rests_until: known.rests_until,
        failing_since: known.failing_since,
        last_success: known.last_success,
        last: target.state.last_fault(),
        met,
        keys: keys(target, now),
        name: None,
        half: None,
        // Active checks are decided, but nobody asks for them yet.
        check: None,
    }
}

fn keys(target: &TargetPlan, now: Nanos) -> KeysEvidence {
    let provider = &target.provider;
    let mut seen = KeysEvidence { total: provider.keys.len(), ..KeysEvidence::default() };
    for key in &provider.keys {
        let Some(until) = key.state.rests_until(&target.model, now) else { continue };
        seen.free_at = Some(seen.free_at.map_or(until, |at| at.min(until)));
        let count = match key.state.read(|rest| rest.whole(now)) {
            Some((Why::Rejected, _)) => &mut seen.rejected,
            Some((Why::Exhausted, _)) => &mut seen.exhausted,
            Some((Why::Unavailable, _)) => &mut seen.unavailable,
            None => &mut seen.limited,
        };
        *count += 1;
        if let Some(cloud) = key.cloud.as_deref().filter(|_| seen.trouble.is_none()) {
            seen.trouble = cloud.credential.trouble().map(|(error, _)| error.to_string());
        }
        if seen.examples.len() < EXAMPLES_MAX {
            seen.examples.push(key.shown());
        }
    }
    if seen.limited + seen.rejected + seen.exhausted + seen.unavailable < seen.total {
        seen.free_at = None;
    }
    seen
}

fn add_name(target: &mut TargetEvidence, provider: &ProviderPlan, names: &[NameReport], now: Nanos) {
    let endpoint = &provider.endpoint;
    let Some(name) = names.iter().find(|name| name.host.eq_ignore_ascii_case(&endpoint.host)) else { return };
    target.name = name_evidence(name, now);
    let partly = name.partly_refused.iter().find(|partly| partly.port == endpoint.port);
    target.half = partly.map(|partly| half(name, partly, now));
}

/// `None`: nothing is wrong with the name itself.
fn name_evidence(name: &NameReport, now: Nanos) -> Option<NameEvidence> {
    let trouble = match name.finding? {
        NameFinding::FailedStaleKept => NameTrouble::StaleKept,
        NameFinding::Failed => NameTrouble::Failed,
        NameFinding::NoSuchName => NameTrouble::NoSuchName,
        NameFinding::NoAddress => NameTrouble::NoAddress,
        NameFinding::PartlyRefused => return None,
    };
    let at = |ago: Duration| now.saturating_sub(nanos(ago));
    Some(NameEvidence {
        host: name.host.as_str().into(),
        trouble,
        addresses: name.addresses.len(),
        last_good: name.last_good_age.map(at),
        failing_since: name.failing_for.map(at),
        last_error: name.last_error.clone(),
    })
}

fn half(name: &NameReport, partly: &PartlyRefused, now: Nanos) -> Half {
    let place = |ip| SocketAddr::new(ip, partly.port).to_string();
    let refused: Vec<_> = partly.refusing.iter().map(|ip| place(*ip)).collect();
    let host: Name = format!("{}:{}", name.host, partly.port).into();
    Half {
        host,
        refused: refused.join(" and "),
        answers: place(partly.answering),
        at: now.saturating_sub(nanos(partly.seen_ago)),
    }
}

/// Seconds between two readings, to the millisecond.
pub(crate) fn seconds(from: Nanos, to: Nanos) -> f64 {
    (since(from, to).as_secs_f64() * 1000.0).round() / 1000.0
}
