//! What concerns the process as a whole: what is read once at start, its limits, its name servers.

use crate::defaults;
use crate::document::Root;
use crate::snapshot::{AccessLog, Boot, Defer, Dns, Limits};
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

pub(super) fn defer(root: &Root) -> Defer {
    let default = defaults::DEFER;
    let Some(written) = root.defer.as_ref() else { return default };
    // Taken apart whole, so that a new field cannot be forgotten here.
    let crate::document::Defer { requests_max, bytes_max, app_requests_max, app_bytes_max, keep } =
        &written.value;
    let requests = requests_max.as_ref().map_or(default.requests_max, |number| number.0);
    let bytes = bytes_max.as_ref().map_or(default.bytes_max, |size| size.0);
    Defer {
        requests_max: requests,
        bytes_max: bytes,
        // A default must not contradict what was written about the whole.
        app_requests_max: app_requests_max.as_ref().map_or(default.app_requests_max.min(requests), |n| n.0),
        app_bytes_max: app_bytes_max.as_ref().map_or(default.app_bytes_max.min(bytes), |size| size.0),
        keep: keep.as_ref().map_or(default.keep, |time| time.0),
    }
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
