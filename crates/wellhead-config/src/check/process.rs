//! Listeners, times of the process, names.

use super::ReportAt;
use crate::defaults;
use crate::diagnostic::Report;
use crate::document::{Defer, Dns, Listen, Root, Telemetry};

pub(super) fn check(root: &Root, report: &mut Report) {
    if let Some(listen) = &root.listen {
        let exposed = root.server.as_ref().and_then(|server| server.admin_exposed.as_ref());
        listeners(listen, exposed.is_some_and(|consent| consent.0), report);
    }
    if let Some(telemetry) = &root.telemetry {
        traces(telemetry, report);
    }
    if let Some(dns) = &root.dns {
        servers(dns, report);
    }
    if let Some(defer) = &root.defer {
        shares(defer, report);
    }
}

/// What one app may keep is a part of what all may keep.
fn shares(defer: &Defer, report: &mut Report) {
    if let Some(app) = &defer.app_requests_max
        && app.0 > defer.requests_max.as_ref().map_or(defaults::DEFER_REQUESTS_MAX, |number| number.0)
    {
        let message = "one app may keep more requests than requests_max, which is for all of them";
        report.error_at(app, message).expected("at most requests_max (20000 by default)");
    }
    if let Some(app) = &defer.app_bytes_max
        && app.0 > defer.bytes_max.as_ref().map_or(defaults::DEFER_BYTES_MAX, |size| size.0)
    {
        let message = "one app may keep more bytes than bytes_max, which is for all of them";
        report.error_at(app, message).expected("at most bytes_max (1GiB by default)");
    }
}

fn listeners(listen: &Listen, exposed: bool, report: &mut Report) {
    let gateway = listen.gateway.as_ref().map_or(defaults::GATEWAY, |address| address.0);
    let admin = listen.admin.as_ref().map_or(defaults::ADMIN, |address| address.0);
    for address in [&listen.gateway, &listen.admin].into_iter().flatten() {
        if address.0.port() == 0 {
            report
                .warning_at(address, "port 0: each start chooses a free port, so clients must be told which");
        }
    }
    let same_host =
        gateway.ip() == admin.ip() || gateway.ip().is_unspecified() || admin.ip().is_unspecified();
    if same_host && gateway.port() == admin.port() && gateway.port() != 0 {
        let message = "gateway and admin listen on the same address and port";
        if let Some(place) = listen.admin.as_ref().or(listen.gateway.as_ref()) {
            report.error_at(place, format!("{message} ({gateway} and {admin})")).expected("two ports");
        }
    }
    // Whoever reaches the admin address can read status and metrics, and try admin tokens.
    if let Some(place) = listen.admin.as_ref().filter(|_| !admin.ip().is_loopback() && !exposed) {
        report.error_at(place, format!("other machines could reach the admin address {admin}")).expected(
            "a loopback address, or `server: { admin_exposed: true }` if a firewall or proxy protects it",
        );
    }
}

fn traces(telemetry: &Telemetry, report: &mut Report) {
    if let Some(endpoint) =
        telemetry.otlp_endpoint.as_ref().filter(|endpoint| endpoint.0.path.ends_with("/v1/traces"))
    {
        report
            .error_at(endpoint, "the endpoint ends in /v1/traces, which the exporter appends itself")
            .expected("the collector's base, such as http://127.0.0.1:4318");
    }
}

fn servers(dns: &Dns, report: &mut Report) {
    let mut seen = std::collections::BTreeSet::new();
    for server in dns.servers.iter().flat_map(|servers| &servers.0) {
        if !seen.insert(server.0) {
            report.error_at(server, "the server is listed twice").expected("each server once");
        }
        if server.0.port() == 0 || server.0.ip().is_unspecified() {
            report
                .error_at(server, "no name server can have this address")
                .expected("an address such as 192.0.2.1:53");
        }
    }
}
