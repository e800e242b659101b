//! The sentences. Those of [`message`] go to clients: they name neither addresses nor keys nor hosts.

use super::evidence::{
    Check, Evidence, Half, KeysEvidence, NameEvidence, NameTrouble, Patience, TargetEvidence,
};
use super::judge::Judged;
use super::{Finding, Nanos};
use crate::SECOND;
use wellhead_types::{Diagnosis, Name};

/// One sentence for the client about a cause that concerns so many of the targets.
pub(super) fn message(
    cause: Diagnosis,
    affected: usize,
    recovery: Option<Nanos>,
    evidence: &Evidence,
) -> String {
    let who = who(affected, evidence.targets.len());
    match cause {
        Diagnosis::DnsFailed => format!("No name server answers for the host of {who}."),
        Diagnosis::DnsNxdomain => format!("The host name of {who} does not exist."),
        Diagnosis::DnsNoAddress => format!("The host name of {who} has no address."),
        Diagnosis::DnsFailedStaleKept => {
            format!("The host name of {who} cannot be looked up; the addresses of before are used.")
        }
        Diagnosis::HealthcheckContradicted => format!("The check of {who} fails while requests succeed."),
        Diagnosis::HealthcheckBlocked => format!("The check of {who} cannot connect."),
        Diagnosis::TlsPlaintextPort => format!("TLS was spoken to a port of {who} that does not speak it."),
        Diagnosis::TlsName => format!("The certificate of {who} is for other names."),
        Diagnosis::TlsUntrusted => {
            format!("The certificate of {who} is out of date or signed by nobody who is trusted here.")
        }
        Diagnosis::TlsClientCert => format!("A certificate of the gateway's own is demanded by {who}."),
        Diagnosis::TlsFailed => format!("The TLS handshake with {who} fails."),
        Diagnosis::PortRefused => format!("Connections are refused by {who}."),
        Diagnosis::Unreachable => format!("The network has no way to {who}."),
        Diagnosis::ConnectTimeout => format!("No connection to {who} came about in time."),
        Diagnosis::DualLocalhost => format!("One address of {who} refuses connections, another answers."),
        Diagnosis::AllOpenLastLight => format!(
            "Failures have led to leaving {who} alone; one request at a time finds out whether that is over."
        ),
        Diagnosis::Silent => format!("No answer came from {who} in time."),
        Diagnosis::UpstreamErrors => format!("Nothing but errors came from {who}."),
        Diagnosis::KeyLimited => format!("The vendor's rate limit is reached for {who}."),
        Diagnosis::KeyRejected => format!("The gateway's credentials are refused by {who}."),
        Diagnosis::CredentialUnavailable => {
            format!("The credential for {who} cannot be had from whoever gives it out.")
        }
        Diagnosis::BudgetExhausted => format!("The gateway's credit with {who} is spent."),
        Diagnosis::ModelUnknown => format!("The model is not known to {who}."),
        Diagnosis::Overloaded => format!("More is asked of {who} than can be carried now."),
        Diagnosis::DeadlineTooShort => too_short(evidence, recovery, &who),
        Diagnosis::ConfigRejectedKeptOld => {
            "A new configuration was refused; the one of before is used.".to_owned()
        }
        Diagnosis::RequestRefused => format!("The request itself is refused by {who}."),
        Diagnosis::Internal => "A step of the gateway's own failed; its log says more.".to_owned(),
    }
}

fn too_short(evidence: &Evidence, recovery: Option<Nanos>, who: &str) -> String {
    let Some(patience) = evidence.patience else {
        return "The caller allows less time than an answer takes.".to_owned();
    };
    let allowed = seconds(patience.deadline.saturating_sub(patience.started));
    let by = if patience.is_callers() { "The caller allows" } else { "The model allows" };
    match recovery.filter(|_| patience.more_would_help(evidence.now, recovery)) {
        Some(at) => {
            let back = seconds(at.saturating_sub(patience.started));
            format!("{by} {allowed} s, and the earliest recovery of {who} is after {back} s.")
        }
        None => format!("{by} {allowed} s, and no answer came from {who} within them."),
    }
}

/// `the only target`, `both targets`, `all 3 targets`, `2 of 3 targets`.
fn who(affected: usize, total: usize) -> String {
    match (affected, total) {
        (_, 0 | 1) => "the only target".to_owned(),
        (0, _) => "the targets".to_owned(),
        (2, 2) => "both targets".to_owned(),
        (n, total) if n >= total => format!("all {total} targets"),
        (n, total) => format!("{n} of {total} targets"),
    }
}

/// One sentence for operators about one target.
pub(super) fn of_target(judged: &Judged<'_>, evidence: &Evidence) -> String {
    let Judged { target, diagnosis, fault } = judged;
    let what = match diagnosis {
        Diagnosis::KeyLimited
        | Diagnosis::KeyRejected
        | Diagnosis::CredentialUnavailable
        | Diagnosis::BudgetExhausted
            if target.keys.all_rest() =>
        {
            all_keys(&target.keys, evidence.now)
        }
        Diagnosis::ModelUnknown => format!("does not know the model {}", target.vendor_model),
        Diagnosis::DeadlineTooShort => deadline(evidence.patience),
        cause => clause(*cause).to_owned(),
    };
    let seen = fault.map(|fault| fault.detail.as_str()).filter(|detail| !detail.is_empty());
    let trouble = target.keys.trouble.as_deref();
    let seen = trouble.filter(|_| *diagnosis == Diagnosis::CredentialUnavailable).or(seen);
    let name = target.name.as_ref().and_then(|name| name.last_error.as_deref());
    let seen = seen.or(name.filter(|_| matches!(diagnosis, Diagnosis::DnsFailed | Diagnosis::DnsNxdomain)));
    let rests = target.rests_until.filter(|until| *until > evidence.now).map_or_else(String::new, |until| {
        format!("; left alone for {} s more", seconds(until.saturating_sub(evidence.now)))
    });
    match seen {
        Some(seen) => format!("{} {what}: {seen}{rests}", target.place),
        None => format!("{} {what}{rests}", target.place),
    }
}

/// What a target does, after its address.
const fn clause(cause: Diagnosis) -> &'static str {
    match cause {
        Diagnosis::DnsFailed => "cannot be looked up",
        Diagnosis::DnsNxdomain => "has a host name that does not exist",
        Diagnosis::DnsNoAddress => "has a host name without an address",
        Diagnosis::DnsFailedStaleKept => "cannot be looked up; the addresses of before are used",
        Diagnosis::HealthcheckContradicted => "fails its check while requests succeed",
        Diagnosis::HealthcheckBlocked => "cannot be connected to by its check",
        Diagnosis::TlsPlaintextPort => "does not speak TLS on that port",
        Diagnosis::TlsName => "shows a certificate for other names",
        Diagnosis::TlsUntrusted => "shows a certificate that is out of date or not trusted",
        Diagnosis::TlsClientCert => "demands a certificate of the gateway's",
        Diagnosis::TlsFailed => "fails the TLS handshake",
        Diagnosis::PortRefused => "refuses connections",
        Diagnosis::Unreachable => "cannot be reached",
        Diagnosis::ConnectTimeout => "takes no connection in time",
        Diagnosis::DualLocalhost => "has an address that refuses connections and one that answers",
        Diagnosis::AllOpenLastLight => "has been failing and is left alone",
        Diagnosis::Silent => "accepts requests and says nothing",
        Diagnosis::UpstreamErrors => "answers with errors",
        Diagnosis::KeyLimited => "limits the rate of requests",
        Diagnosis::KeyRejected => "refuses the key",
        Diagnosis::CredentialUnavailable => "was not asked, because the credential cannot be fetched",
        Diagnosis::BudgetExhausted => "says that the credit is spent",
        Diagnosis::ModelUnknown => "does not know the model",
        Diagnosis::Overloaded => "is overloaded",
        Diagnosis::DeadlineTooShort => "had not answered yet when the caller's time was over",
        Diagnosis::ConfigRejectedKeptOld => "is served as the configuration of before says",
        Diagnosis::RequestRefused => "refuses the request itself",
        Diagnosis::Internal => "was not asked, because a step of the gateway's own failed",
    }
}

fn deadline(patience: Option<Patience>) -> String {
    let Some(patience) = patience else { return clause(Diagnosis::DeadlineTooShort).to_owned() };
    let allowed = seconds(patience.deadline.saturating_sub(patience.started));
    let model = seconds(patience.model_deadline.saturating_sub(patience.started));
    format!("had not answered yet after the {allowed} s that the caller allows (the model allows {model} s)")
}

fn all_keys(keys: &KeysEvidence, now: Nanos) -> String {
    let mut parts = Vec::new();
    for (count, what) in [
        (keys.limited, "limited"),
        (keys.rejected, "rejected"),
        (keys.unavailable, "not to be fetched"),
        (keys.exhausted, "without credit"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let free = keys.free_at.filter(|at| *at > now);
    let free = free.map_or_else(String::new, |at| format!(", the first is free in {} s", seconds(at - now)));
    let examples =
        if keys.examples.is_empty() { String::new() } else { format!(" ({})", keys.examples.join(", ")) };
    format!("has no key to be used: of {} {}{examples}{free}", keys.total, parts.join(", "))
}

pub(super) fn of_keys(cause: Diagnosis, count: usize, keys: &KeysEvidence) -> String {
    let what = match cause {
        Diagnosis::KeyRejected => "rejected",
        Diagnosis::CredentialUnavailable => "not to be fetched",
        _ => "without credit",
    };
    format!("{count} of {} keys {what}", keys.total)
}

pub(super) fn of_name(name: &NameEvidence) -> String {
    let why = name.last_error.as_deref().unwrap_or("no answer");
    match name.trouble {
        NameTrouble::StaleKept => {
            format!("{}: {why}; still using {} addresses of before", name.host, name.addresses)
        }
        NameTrouble::Failed | NameTrouble::NoSuchName | NameTrouble::NoAddress => {
            format!("{}: {why}", name.host)
        }
    }
}

pub(super) fn check(target: &TargetEvidence) -> Option<Finding> {
    let (diagnosis, message) = match target.check? {
        Check::Contradicted { failed, successes } => (
            Diagnosis::HealthcheckContradicted,
            format!(
                "{failed} checks in a row failed, and {successes} requests succeeded meanwhile; the check is ignored"
            ),
        ),
        // The reason of a failure, and told as that.
        Check::Blocked => return None,
    };
    Some(Finding {
        diagnosis,
        about: target.target.clone(),
        message,
        since: None,
        last_success: target.last_success,
        fix: "correct path or expected status of the check".to_owned(),
    })
}

pub(super) fn dig(host: &Name) -> String {
    format!("`dig {host}`; the name servers are those of `dns.servers`, or of the system")
}

pub(super) fn half_fix(half: &Half) -> String {
    format!(
        "name the address that answers in `base_url` ({}), or let the server listen on both",
        half.answers
    )
}

/// What to change, or which command to run.
pub(super) fn fix(cause: Diagnosis, target: Option<&TargetEvidence>, evidence: &Evidence) -> String {
    let model = &evidence.model;
    let Some(target) = target else {
        return match cause {
            Diagnosis::DeadlineTooShort => caller_fix(evidence, model),
            _ => format!("`wellhead doctor {model}` examines its targets layer by layer"),
        };
    };
    let provider = format!("providers.{}", target.provider);
    match cause {
        Diagnosis::DnsNxdomain | Diagnosis::DnsNoAddress => match &target.name {
            Some(name) => {
                format!("correct the host in `{provider}.base_url`, or make the name; {}", dig(&name.host))
            }
            None => format!("correct the host in `{provider}.base_url`"),
        },
        Diagnosis::DnsFailed | Diagnosis::DnsFailedStaleKept => target.name.as_ref().map_or_else(
            || "correct `dns.servers`, or the name servers of the system".to_owned(),
            |name| dig(&name.host),
        ),
        Diagnosis::TlsPlaintextPort => format!("write http:// or the port of TLS in `{provider}.base_url`"),
        Diagnosis::TlsName => {
            format!(
                "write one of the names of the certificate into `{provider}.tls.server_name`, or correct `{provider}.base_url`"
            )
        }
        Diagnosis::TlsUntrusted => {
            format!(
                "renew the server's certificate, or name the file of its authority in `{provider}.tls.ca_file`"
            )
        }
        Diagnosis::TlsClientCert => {
            format!("name an entry in `{provider}.base_url` that asks for no client certificate")
        }
        Diagnosis::TlsFailed => format!("`openssl s_client -connect` to {}", target.place),
        Diagnosis::PortRefused => format!("start the server, or correct the port in `{provider}.base_url`"),
        Diagnosis::Unreachable | Diagnosis::ConnectTimeout | Diagnosis::HealthcheckBlocked => format!(
            "look for a firewall or a route between here and {}; `{provider}.timeouts.connect` is how long is waited",
            target.place
        ),
        Diagnosis::DualLocalhost => format!("name the address that answers in `{provider}.base_url`"),
        Diagnosis::KeyLimited => format!(
            "add a key to `{provider}.keys` or a target to `models.{model}.targets`, or have the limit raised by the vendor"
        ),
        Diagnosis::KeyRejected => format!("replace the key in `{provider}.keys`"),
        Diagnosis::CredentialUnavailable => format!(
            "correct `{provider}.keys`, or what it is fetched from; `wellhead doctor {}` fetches it once and says what is wrong",
            target.provider
        ),
        Diagnosis::BudgetExhausted => format!(
            "top up the account behind `{provider}.keys`, or add another provider to `models.{model}.targets`"
        ),
        Diagnosis::ModelUnknown => {
            format!("correct the `model` of provider {} in `models.{model}.targets`", target.provider)
        }
        Diagnosis::Overloaded | Diagnosis::UpstreamErrors | Diagnosis::AllOpenLastLight => {
            format!("add a target of another provider to `models.{model}.targets`")
        }
        Diagnosis::Silent => format!(
            "add a target to `models.{model}.targets`; if it is only slow, raise `models.{model}.timeouts`"
        ),
        Diagnosis::DeadlineTooShort => caller_fix(evidence, model),
        Diagnosis::HealthcheckContradicted => "correct path or expected status of the check".to_owned(),
        Diagnosis::ConfigRejectedKeptOld => {
            "correct the file; `wellhead check FILE` shows every error".to_owned()
        }
        Diagnosis::RequestRefused => "correct the request; the detail is the vendor's own word".to_owned(),
        Diagnosis::Internal => "report it, with the log of this moment".to_owned(),
    }
}

fn caller_fix(evidence: &Evidence, model: &Name) -> String {
    match evidence.patience {
        Some(patience) if !patience.is_callers() => format!("raise `models.{model}.timeouts.deadline`"),
        _ => "raise the timeout of the client (SDKs send it as x-stainless-timeout)".to_owned(),
    }
}

/// Seconds with one digit behind the point, never rounded down to less than there is.
fn seconds(nanos: Nanos) -> String {
    let tenths = nanos.div_ceil(SECOND / 10);
    format!("{}.{}", tenths / 10, tenths % 10)
}
