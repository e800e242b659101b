//! Has the name addresses?

use super::{Context, ms};
use crate::evidence::Evidence;
use crate::finding::{Finding, Layer, Level};
use crate::nearest::nearest;
use crate::subject::Subject;
use std::net::{IpAddr, SocketAddr};
use wellhead_types::{Cause, Diagnosis};

pub(super) fn judge(subject: &Subject, evidence: &Evidence, context: &Context) -> Finding {
    let host = &subject.provider.base_url.host;
    match &evidence.network.name.value {
        Ok(_) if host.parse::<IpAddr>().is_ok() => {
            Finding::new(Layer::Dns, Level::Ok, format!("{host} is an address, which needs no look-up"))
        }
        Ok(addresses) => {
            let by = evidence.answered_by.map_or_else(String::new, |server| format!(", from {server}"));
            let text = format!("{host} has {} in {}{by}", count(addresses), ms(evidence.network.name.took));
            Finding::new(Layer::Dns, Level::Ok, text)
        }
        Err(error) => {
            let place = subject.places.base_url();
            let (code, fix) = match error.cause {
                Cause::NameNotFound => (Diagnosis::DnsNxdomain.as_str(), no_such_name(host, context)),
                _ if error.detail.contains("empty answer") => (
                    "DNS_NO_ADDRESS",
                    "the name exists and has no address; write the host that has one".to_owned(),
                ),
                Cause::Internal => ("CONFIG", "write a base URL that can be asked".to_owned()),
                _ => ("DNS_FAILED", unanswered(host, context)),
            };
            Finding::new(Layer::Dns, Level::Fail, error.detail.clone())
                .code(code)
                .fix(format!("{place}: {fix}"))
                .at(&place)
        }
    }
}

fn count(addresses: &[SocketAddr]) -> String {
    let v6 = addresses.iter().filter(|address| address.is_ipv6()).count();
    let all = addresses.len();
    format!("{all} address{} ({} IPv4, {v6} IPv6)", if all == 1 { "" } else { "es" }, all - v6)
}

fn no_such_name(host: &str, context: &Context) -> String {
    let known = context.hosts.iter().map(|(host, _)| host.as_str());
    match nearest(host, known, 1).first() {
        Some(near) => {
            let kind = context.hosts.iter().find(|(host, _)| host == near).map_or("", |(_, kind)| kind);
            format!("did you mean {near} (kind {kind})?")
        }
        None => format!(
            "write a name that exists; if it is one of a private network, `dns.servers` has to name a server that knows it (ask: {})",
            dig(host, context)
        ),
    }
}

fn unanswered(host: &str, context: &Context) -> String {
    let servers = if context.name_servers.is_empty() {
        "the system's name servers (/etc/resolv.conf), or set `dns.servers` to others"
    } else {
        "`dns.servers`"
    };
    format!("check {servers}; ask: {}", dig(host, context))
}

/// The same question for a shell.
fn dig(host: &str, context: &Context) -> String {
    match context.name_servers.first() {
        Some(server) => format!("dig @{} -p {} {host}", server.ip(), server.port()),
        None => format!("dig {host}"),
    }
}
