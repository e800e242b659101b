//! One target: which cause explains what is known of it.

use super::evidence::{Check, Evidence, Fault, NameTrouble, TargetEvidence};
use super::rank;
use crate::Nanos;
use wellhead_types::{Cause, Diagnosis, Scope, Stage};

/// A target with its cause.
pub(super) struct Judged<'a> {
    pub(super) target: &'a TargetEvidence,
    pub(super) diagnosis: Diagnosis,
    /// The failure that shows it, if there was one.
    pub(super) fault: Option<&'a Fault>,
}

impl Judged<'_> {
    /// Since when it has been so: the run of failures, or else the failure.
    pub(super) fn since(&self) -> Option<Nanos> {
        self.target.failing_since.or(self.fault.map(|fault| fault.at))
    }
}

/// `None`: nothing is known against the target.
pub(super) fn judge<'a>(target: &'a TargetEvidence, evidence: &Evidence) -> Option<Judged<'a>> {
    let all_keys_rest = target.keys.all_rest();
    // What the keys' rests explain is judged by their state now, not by the one failure that was the last straw.
    let met = target.met.iter().filter(|fault| !(all_keys_rest && is_about_keys(fault)));
    let met = met.map(|fault| (of_fault(fault, target, evidence), Some(fault)));
    let keys = all_keys_rest.then(|| {
        let newest = target
            .met
            .iter()
            .filter(|fault| is_about_keys(fault))
            .max_by_key(|fault| (fault.at, fault.cause.as_str(), fault.status, fault.detail.as_str()));
        (of_keys(target), newest)
    });
    let seen = met.chain(keys).min_by_key(|(diagnosis, fault)| {
        // Of equals the newest; what is behind it makes the choice independent of the order.
        let order = |fault: &'a Fault| {
            (fault.at, fault.stage, fault.cause.as_str(), fault.status, fault.detail.as_str())
        };
        (rank(*diagnosis), std::cmp::Reverse(fault.map(order)))
    });
    let (diagnosis, fault) = seen.or_else(|| remembered(target, evidence))?;
    Some(Judged { target, diagnosis, fault })
}

/// A target that this request did not ask: what other requests and the resolver know.
fn remembered<'a>(target: &'a TargetEvidence, evidence: &Evidence) -> Option<(Diagnosis, Option<&'a Fault>)> {
    if let Some(last) = target.last.as_ref().filter(|_| target.is_failing()) {
        return Some((of_fault(last, target, evidence), Some(last)));
    }
    if target.check == Some(Check::Blocked) && target.is_failing() {
        return Some((Diagnosis::HealthcheckBlocked, None));
    }
    let name =
        target.name.as_ref().filter(|name| name.trouble != NameTrouble::StaleKept && name.addresses == 0);
    if let Some(name) = name {
        return Some((name.trouble.diagnosis(), None));
    }
    target.is_failing().then_some((Diagnosis::AllOpenLastLight, None))
}

const fn is_about_keys(fault: &Fault) -> bool {
    matches!(fault.cause, Cause::NoKeyAvailable)
        || (matches!(fault.scope, Scope::Key | Scope::KeyModel)
            && matches!(
                fault.cause,
                Cause::RateLimited
                    | Cause::QuotaExhausted
                    | Cause::KeyRejected
                    | Cause::CredentialUnavailable
            ))
}

/// All keys rest. A limit passes soon, so it is what keeps the target from answering now, whatever the others have.
const fn of_keys(target: &TargetEvidence) -> Diagnosis {
    let keys = &target.keys;
    if keys.limited > 0 {
        Diagnosis::KeyLimited
    } else if keys.rejected > 0 {
        Diagnosis::KeyRejected
    } else if keys.unavailable > 0 {
        Diagnosis::CredentialUnavailable
    } else {
        Diagnosis::BudgetExhausted
    }
}

fn of_fault(fault: &Fault, target: &TargetEvidence, evidence: &Evidence) -> Diagnosis {
    match fault.cause {
        Cause::DnsError => match target.name.as_ref().map(|name| name.trouble) {
            Some(NameTrouble::NoSuchName) => Diagnosis::DnsNxdomain,
            Some(NameTrouble::NoAddress) => Diagnosis::DnsNoAddress,
            _ => Diagnosis::DnsFailed,
        },
        Cause::NameNotFound => Diagnosis::DnsNxdomain,
        Cause::ConnectionRefused => Diagnosis::PortRefused,
        Cause::ConnectTimeout => Diagnosis::ConnectTimeout,
        Cause::ConnectionReset if fault.stage <= Stage::Connect => Diagnosis::Unreachable,
        Cause::ConnectionReset if fault.stage == Stage::Tls => Diagnosis::TlsFailed,
        Cause::TlsError => Diagnosis::TlsFailed,
        Cause::TlsCertificate => Diagnosis::TlsUntrusted,
        Cause::TlsName => Diagnosis::TlsName,
        Cause::TlsClientCertificate => Diagnosis::TlsClientCert,
        Cause::TlsPlaintext => Diagnosis::TlsPlaintextPort,
        Cause::HeadersTimeout | Cause::FirstTokenTimeout | Cause::IdleTimeout => Diagnosis::Silent,
        Cause::DeadlineExceeded => late(target, evidence),
        // A plain 503 is how servers say that they are down or being restarted; load is said in so many words, or as a
        // refusal.
        Cause::Overloaded if fault.scope == Scope::Endpoint && is_server_error(fault) => {
            Diagnosis::UpstreamErrors
        }
        Cause::Overloaded => Diagnosis::Overloaded,
        Cause::RateLimited | Cause::NoKeyAvailable => Diagnosis::KeyLimited,
        Cause::QuotaExhausted => Diagnosis::BudgetExhausted,
        Cause::KeyRejected => Diagnosis::KeyRejected,
        Cause::CredentialUnavailable => Diagnosis::CredentialUnavailable,
        Cause::ModelUnknown => Diagnosis::ModelUnknown,
        Cause::ContextLength | Cause::ContentFiltered | Cause::BadRequest => Diagnosis::RequestRefused,
        Cause::ConnectionReset
        | Cause::ResponseIncomplete
        | Cause::ProtocolError
        | Cause::ResponseTooLarge
        | Cause::ErrorInSuccess
        | Cause::Status5xx
        | Cause::RequestTimeout408
        | Cause::Conflict409
        | Cause::ContinuationDiffers => Diagnosis::UpstreamErrors,
        Cause::Internal => Diagnosis::Internal,
    }
}

/// Whether the status says that the server itself is at fault.
fn is_server_error(fault: &Fault) -> bool {
    fault.status.is_none_or(|status| status >= 500)
}

/// The deadline ended an attempt. If it was the caller's own, and nothing else says that the target is silent, it was
/// too short; otherwise the target had all the time that the model allows.
fn late(target: &TargetEvidence, evidence: &Evidence) -> Diagnosis {
    let callers = evidence.patience.is_some_and(super::Patience::is_callers);
    let known_silent = target.is_failing()
        && target.last.as_ref().is_some_and(|last| {
            matches!(last.cause, Cause::HeadersTimeout | Cause::FirstTokenTimeout | Cause::IdleTimeout)
        });
    if callers && !known_silent { Diagnosis::DeadlineTooShort } else { Diagnosis::Silent }
}
