//! What concerns the process as a whole: what is read once at start, its limits, its name servers.

use crate::defaults;
use crate::document::Root;
use crate::snapshot::{AccessLog, Boot, Dns, Limits};
use crate::values::url_text;

pub(super) fn compile(root: &Root) -> Boot {
    let listen = root.listen.as_ref();
    let server = root.server.as_ref();
    let telemetry = root.telemetry.as_ref();
    let access_log = telemetry.and_then(|t| t.access_log.as_ref());
    let endpoint = telemetry.and_then(|t| t.otlp_endpoint.as_ref());
    Boot {
        gateway: listen.and_then(|l| l.gateway.as_ref()).map_or(defaults::GATEWAY, |address| address.0),
        admin: listen.and_then(|l| l.admin.as_ref()).map_or(defaults::ADMIN, |address| address.0),
        workers: count(server.and_then(|s| s.workers.as_ref()).map_or(defaults::WORKERS, |n| n.0)),
        shared_runtime: server.and_then(|s| s.shared_runtime.as_ref()).is_some_and(|switch| switch.0),
        otlp_endpoint: endpoint.map(|url| url_text(&url.0)),
        access_log: access_log.map_or(AccessLog::Stdout, |log| log.0.clone()),
        drain_min: server.and_then(|s| s.drain_min.as_ref()).map(|time| time.0),
        drain_max: server.and_then(|s| s.drain_max.as_ref()).map_or(defaults::DRAIN_MAX, |time| time.0),
    }
}

pub(super) fn limits(root: &Root) -> Limits {
    let mut limits = defaults::LIMITS;
    let Some(written) = root.limits.as_ref() else { return limits };
    // Taken apart whole, so that a new field cannot be forgotten here.
    let crate::document::Limits {
        body_bytes_max,
        replay_bytes_max,
        inspect_bytes_max,
        event_bytes_max,
        cache_bytes_max,
        header_bytes_max,
        connections_max,
        header_timeout,
        body_idle_timeout,
    } = &written.value;
    if let Some(size) = body_bytes_max {
        limits.body_bytes_max = size.0;
    }
    if let Some(size) = replay_bytes_max {
        limits.replay_bytes_max = size.0;
    }
    if let Some(size) = inspect_bytes_max {
        limits.inspect_bytes_max = size.0;
    }
    if let Some(size) = event_bytes_max {
        limits.event_bytes_max = count(size.0);
    }
    if let Some(size) = cache_bytes_max {
        limits.cache_bytes_max = size.0;
    }
    if let Some(size) = header_bytes_max {
        limits.header_bytes_max = count(size.0);
    }
    if let Some(number) = connections_max {
        limits.connections_max = count(number.0);
    }
    if let Some(time) = header_timeout {
        limits.header_timeout = time.0;
    }
    if let Some(time) = body_idle_timeout {
        limits.body_idle_timeout = time.0;
    }
    limits
}

pub(super) fn dns(root: &Root) -> Dns {
    let servers = root.dns.as_ref().and_then(|dns| dns.servers.as_ref());
    let servers = servers.map(|list| list.0.iter().map(|address| address.0).collect());
    Dns { servers: servers.unwrap_or_default() }
}

/// The language's largest values fit every platform that the gateway runs on; smaller ones saturate.
fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
