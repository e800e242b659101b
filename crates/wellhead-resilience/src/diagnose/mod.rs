//! Why nobody could answer: from the evidence on every target and what this request met, to one cause with a stable
//! code, one sentence for the client, and findings with fixes for whoever has to mend it (survival.md 6.4).
//!
//! The rules, in this order:
//!
//! 1. Of what a request met at one target, the cause that somebody can mend counts before one that passes by itself
//!    (the order of [`PRECEDENCE`]). A target whose keys all rest is judged by the keys. One that was not asked is
//!    judged by what is remembered of it.
//! 2. The same order holds between targets. All of them are in the findings.
//! 3. When every target is left alone, for reasons that pass and differ, no single one is to blame: all open.
//! 4. The caller's patience is the cause only where more of it would have helped: the wait is known and within what the
//!    model allows everybody, or the target just had not answered yet.

mod evidence;
mod judge;
#[cfg(test)]
mod tests;
mod words;

pub use evidence::{
    Check, Evidence, Fault, Half, KeysEvidence, NameEvidence, NameTrouble, Patience, TargetEvidence,
};

use crate::Nanos;
use judge::{Judged, judge};
use wellhead_types::{Cause, Diagnosis, Name};

/// Which cause counts when several are there: those that somebody has to mend first, from the most to the least
/// specific, then those that pass. Causes that are survived are never the reason of a failure and not in it.
pub const PRECEDENCE: [Diagnosis; 24] = [
    Diagnosis::TlsPlaintextPort,
    Diagnosis::TlsClientCert,
    Diagnosis::TlsName,
    Diagnosis::TlsUntrusted,
    Diagnosis::TlsFailed,
    Diagnosis::DnsNxdomain,
    Diagnosis::DnsNoAddress,
    Diagnosis::ModelUnknown,
    Diagnosis::KeyRejected,
    Diagnosis::CredentialUnavailable,
    Diagnosis::BudgetExhausted,
    Diagnosis::PortRefused,
    Diagnosis::HealthcheckBlocked,
    Diagnosis::Unreachable,
    Diagnosis::DnsFailed,
    Diagnosis::ConnectTimeout,
    Diagnosis::KeyLimited,
    Diagnosis::Overloaded,
    Diagnosis::UpstreamErrors,
    Diagnosis::Silent,
    Diagnosis::DeadlineTooShort,
    Diagnosis::AllOpenLastLight,
    Diagnosis::RequestRefused,
    Diagnosis::Internal,
];

/// Whether a cause passes by itself, so that several of them are no contradiction.
const fn passes(cause: Diagnosis) -> bool {
    matches!(
        cause,
        Diagnosis::DnsFailed
            | Diagnosis::ConnectTimeout
            | Diagnosis::Unreachable
            | Diagnosis::KeyLimited
            | Diagnosis::Overloaded
            | Diagnosis::UpstreamErrors
            | Diagnosis::Silent
            | Diagnosis::DeadlineTooShort
            | Diagnosis::AllOpenLastLight
    )
}

fn rank(cause: Diagnosis) -> usize {
    PRECEDENCE.iter().position(|one| *one == cause).unwrap_or(PRECEDENCE.len())
}

/// What is told about one failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The cause.
    pub diagnosis: Diagnosis,
    /// One sentence for the client: names neither addresses nor keys.
    pub message: String,
    /// The RFC 9209 error token.
    pub proxy_status: &'static str,
    /// The status that a target answered with, where that is the cause.
    pub received_status: Option<u16>,
    /// When the first target recovers, as far as is known.
    pub recovery: Option<Nanos>,
    /// What to change, or which command to run. For operators.
    pub fix: String,
    /// What is wrong, target by target, the main cause first.
    pub findings: Vec<Finding>,
}

/// Something that is wrong with one target. Names addresses: for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub diagnosis: Diagnosis,
    /// The target, or the host whose name is in question.
    pub about: Name,
    /// One sentence.
    pub message: String,
    /// Since when, if that is known.
    pub since: Option<Nanos>,
    /// When the target last answered well.
    pub last_success: Option<Nanos>,
    /// What to change, or which command to run.
    pub fix: String,
}

/// Finds the cause. There is always one.
pub fn diagnose(evidence: &Evidence) -> Report {
    let judged: Vec<Judged<'_>> =
        evidence.targets.iter().filter_map(|target| judge(target, evidence)).collect();
    let recovery = evidence.patience.and_then(|patience| patience.recovery).or_else(|| earliest(evidence));
    let (diagnosis, met) = main_cause(evidence, &judged, recovery);
    let affected = match diagnosis {
        Diagnosis::AllOpenLastLight => evidence.targets.len(),
        _ => judged.iter().filter(|judged| judged.diagnosis == diagnosis).count(),
    };
    let fault = met.and_then(|met| met.fault);
    let fix = words::fix(diagnosis, met.map(|met| met.target), evidence);
    Report {
        diagnosis,
        message: words::message(diagnosis, affected, recovery, evidence),
        proxy_status: token(diagnosis, fault),
        received_status: fault.and_then(|fault| fault.status),
        recovery,
        fix,
        findings: findings_of(evidence, &judged),
    }
}

/// What is wrong now, without a request: for status pages. Empty when nothing is.
pub fn findings(evidence: &Evidence) -> Vec<Finding> {
    let judged: Vec<Judged<'_>> =
        evidence.targets.iter().filter_map(|target| judge(target, evidence)).collect();
    findings_of(evidence, &judged)
}

/// What is wrong with a name, whoever needs it.
pub fn name_finding(name: &NameEvidence) -> Finding {
    Finding {
        diagnosis: name.trouble.diagnosis(),
        about: name.host.clone(),
        message: words::of_name(name),
        since: name.failing_since,
        last_success: None,
        fix: words::dig(&name.host),
    }
}

/// Some addresses of a host refuse while another one answers.
pub fn half_finding(half: &Half) -> Finding {
    Finding {
        diagnosis: Diagnosis::DualLocalhost,
        about: half.host.clone(),
        message: format!("{} refuses connections, {} answers", half.refused, half.answers),
        since: Some(half.at),
        last_success: None,
        fix: words::half_fix(half),
    }
}

fn main_cause<'a>(
    evidence: &Evidence,
    judged: &'a [Judged<'a>],
    recovery: Option<Nanos>,
) -> (Diagnosis, Option<&'a Judged<'a>>) {
    let late = evidence.patience.is_some_and(|patience| patience.is_over(evidence.now));
    // The name breaks ties, so that the order in which the targets are listed does not matter.
    let best = judged.iter().min_by_key(|judged| (rank(judged.diagnosis), &judged.target.target));
    let Some(best) = best else {
        let cause = if late { Diagnosis::DeadlineTooShort } else { Diagnosis::AllOpenLastLight };
        return (cause, None);
    };
    let differ = judged.iter().any(|judged| judged.diagnosis != best.diagnosis);
    if passes(best.diagnosis) && differ && evidence.targets.iter().all(TargetEvidence::is_left_alone) {
        return (Diagnosis::AllOpenLastLight, Some(best));
    }
    let would_help =
        evidence.patience.is_some_and(|patience| patience.more_would_help(evidence.now, recovery));
    if best.diagnosis == Diagnosis::KeyLimited && would_help {
        return (Diagnosis::DeadlineTooShort, Some(best));
    }
    (best.diagnosis, Some(best))
}

/// When the first target can be asked again.
fn earliest(evidence: &Evidence) -> Option<Nanos> {
    let at = |target: &TargetEvidence| target.keys.free_at.max(target.rests_until);
    evidence.targets.iter().filter_map(at).min()
}

/// The token of the failure itself where there is one: it says more than the cause, which stands for several.
fn token(diagnosis: Diagnosis, fault: Option<&Fault>) -> &'static str {
    match (diagnosis, fault) {
        (Diagnosis::UpstreamErrors, Some(fault)) if fault.cause != Cause::NoKeyAvailable => {
            fault.cause.proxy_status()
        }
        _ => diagnosis.proxy_status(),
    }
}

/// One finding for each target that is at fault, and one for each thing that is survived.
fn findings_of(evidence: &Evidence, judged: &[Judged<'_>]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = judged
        .iter()
        .map(|judged| Finding {
            diagnosis: judged.diagnosis,
            about: judged.target.target.clone(),
            message: words::of_target(judged, evidence),
            since: judged.since(),
            last_success: judged.target.last_success,
            fix: words::fix(judged.diagnosis, Some(judged.target), evidence),
        })
        .collect();
    for target in &evidence.targets {
        findings.extend(key_findings(target, evidence, &findings));
        let survived = target.name.as_ref().filter(|name| name.trouble == NameTrouble::StaleKept);
        findings.extend(survived.map(name_finding));
        findings.extend(target.half.as_ref().map(half_finding));
        findings.extend(words::check(target));
    }
    findings.sort_by(|a, b| {
        (rank(a.diagnosis), &a.about, &a.message).cmp(&(rank(b.diagnosis), &b.about, &b.message))
    });
    // Targets of one provider share its name and its keys.
    findings.dedup();
    findings
}

/// Keys that are refused for good are told even where others of the same target decide what happens.
fn key_findings(target: &TargetEvidence, evidence: &Evidence, told: &[Finding]) -> Vec<Finding> {
    let keys = &target.keys;
    let counts = [
        (Diagnosis::KeyRejected, keys.rejected),
        (Diagnosis::CredentialUnavailable, keys.unavailable),
        (Diagnosis::BudgetExhausted, keys.exhausted),
    ];
    counts
        .into_iter()
        .filter(|(cause, count)| {
            *count > 0 && !told.iter().any(|f| f.diagnosis == *cause && f.about == target.target)
        })
        .map(|(diagnosis, count)| Finding {
            diagnosis,
            about: target.target.clone(),
            message: words::of_keys(diagnosis, count, keys),
            since: None,
            last_success: target.last_success,
            fix: words::fix(diagnosis, Some(target), evidence),
        })
        .collect()
}
