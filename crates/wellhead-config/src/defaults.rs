//! Every default of the language, with its reason. The field docs in [`crate::document`] repeat them for editors.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::snapshot::{Defer, Limits};

/// Where applications connect: loopback, so that a first run exposes nothing.
pub const GATEWAY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);
/// The management side: loopback, on a port of its own, so that it answers when the data port is saturated.
pub const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4001);
/// 0: min(cores, 8); beyond eight workers the upstreams are the limit.
pub const WORKERS: u64 = 0;
/// As long as the longest stream may last: no stream is cut by a restart unless somebody says so.
pub const DRAIN_MAX: Duration = STREAM_MAX;

/// Images and audio in chat requests reach 20 MiB with the large vendors.
pub const BODY_BYTES_MAX: u64 = 32 << 20;
/// 16 of the largest bodies, or thousands of usual ones.
pub const REPLAY_BYTES_MAX: u64 = 512 << 20;
/// Usage stands at the end of an answer; only embeddings of large batches are longer than this.
pub const INSPECT_BYTES_MAX: u64 = 8 << 20;
/// One event with an image in base64 still fits.
pub const EVENT_BYTES_MAX: usize = 4 << 20;
/// Some ten thousand answers of usual length, and an eighth of what request bodies may take.
pub const CACHE_BYTES_MAX: u64 = 64 << 20;
/// Long bearer tokens and cookies fit; more is an attack or a mistake.
pub const HEADER_BYTES_MAX: usize = 64 << 10;
/// Below the usual limit of open files in a container, with room for the upstream side.
pub const CONNECTIONS_MAX: usize = 20_000;
/// A client that has not sent its head by then holds a connection for nothing.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// A mobile client in a tunnel comes back within this time, or not at all.
pub const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// 600 bytes of memory each, and hours of requests at the pace at which people accept to wait.
pub const DEFER_REQUESTS_MAX: u64 = 20_000;
/// A small disk has it to spare; 20,000 requests of 50 KiB.
pub const DEFER_BYTES_MAX: u64 = 1 << 30;
/// A quarter: one app must not take it all.
pub const DEFER_APP_REQUESTS_MAX: u64 = 5_000;
/// A quarter as well.
pub const DEFER_APP_BYTES_MAX: u64 = 256 << 20;
/// Whoever asks for a result does it within a day.
pub const DEFER_KEEP: Duration = Duration::from_secs(24 * 3600);
/// Longer than outages last; an answer of the day before yesterday is nobody's.
pub const DEFER_WITHIN: Duration = Duration::from_secs(24 * 3600);
/// Beside the requests of those who wait now, which come first.
pub const DEFER_CONCURRENCY: u32 = 4;

/// Three round trips around the world, and a lost SYN.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The read timeout that the official SDKs use.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// Longer silence within a stream is a stall.
pub const STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest stream that anybody waits for.
pub const STREAM_MAX: Duration = Duration::from_secs(3600);
/// Longer than most rate limits and restarts last, shorter than people wait.
pub const HOLD_MAX: Duration = Duration::from_secs(30);
/// Who waits for a first word begins to wonder by then; a restart behind a load balancer or a short limit is over.
pub const FALLBACK_AFTER: Duration = Duration::from_secs(2);
/// What was said an hour ago is better than nothing; what was said yesterday may be wrong.
pub const CACHE_TTL: Duration = Duration::from_secs(3600);
/// Hours of talk; only embeddings of large batches are longer.
pub const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Two keys or targets in each of three tiers; more attempts than that only add load to an outage.
pub const ATTEMPTS_MAX: u32 = 6;
/// Equal shares.
pub const WEIGHT: u32 = 1;
/// Everything in one tier.
pub const TIER: u8 = 0;

/// What is kept of deferred requests when nothing is written.
pub const DEFER: Defer = Defer {
    requests_max: DEFER_REQUESTS_MAX,
    bytes_max: DEFER_BYTES_MAX,
    app_requests_max: DEFER_APP_REQUESTS_MAX,
    app_bytes_max: DEFER_APP_BYTES_MAX,
    keep: DEFER_KEEP,
};

/// The limits when nothing is written.
pub const LIMITS: Limits = Limits {
    body_bytes_max: BODY_BYTES_MAX,
    replay_bytes_max: REPLAY_BYTES_MAX,
    inspect_bytes_max: INSPECT_BYTES_MAX,
    event_bytes_max: EVENT_BYTES_MAX,
    cache_bytes_max: CACHE_BYTES_MAX,
    header_bytes_max: HEADER_BYTES_MAX,
    connections_max: CONNECTIONS_MAX,
    header_timeout: HEADER_TIMEOUT,
    body_idle_timeout: BODY_IDLE_TIMEOUT,
};
