//! The validated, immutable configuration that the data plane runs on. A tree of `Arc` sections (decision 4):
//! a change rebuilds its section and shares the rest. State (breakers, limits, pools) is never in here.

mod cloud;

pub use cloud::{
    AwsFrom, AwsSource, AzureFrom, AzureSource, Cloud, GcpFrom, GcpSource, Signing, TokenSource,
};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wellhead_catalog::Kind;
use wellhead_policy::KeyHash;
use wellhead_types::{Name, Priority, Secret};

/// One generation of the configuration.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Grows by one with every accepted change.
    pub generation: u64,
    /// Settings that are read once at start; a change to them is a warning until the next start.
    pub boot: Arc<Boot>,
    /// Limits that are not tied to one object.
    pub limits: Arc<Limits>,
    /// What is kept of deferred requests.
    pub defer: Arc<Defer>,
    /// How host names become addresses.
    pub dns: Arc<Dns>,
    /// Providers by name.
    pub providers: Arc<BTreeMap<Name, Arc<Provider>>>,
    /// Models by the name that clients send.
    pub models: Arc<BTreeMap<Name, Arc<Model>>>,
    /// Apps by name: from the file and from the store.
    pub apps: Arc<BTreeMap<Name, Arc<App>>>,
}

/// Read once at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Where applications connect. Default 127.0.0.1:4000.
    pub gateway: SocketAddr,
    /// Management API, health, metrics. Default 127.0.0.1:4001.
    pub admin: SocketAddr,
    /// Worker threads; 0 means min(cores, 8).
    pub workers: usize,
    /// One multi-thread runtime instead of one current-thread runtime per worker.
    pub shared_runtime: bool,
    /// Where traces go (`http://host:4318`), if anywhere.
    pub otlp_endpoint: Option<String>,
    /// Access records: on stdout, in a file, or nowhere.
    pub access_log: AccessLog,
    /// How long SIGTERM keeps accepting; 0 in a terminal (decision 23).
    pub drain_min: Option<Duration>,
    /// How long streams may take to end after SIGTERM.
    pub drain_max: Duration,
}

/// Where access records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// Standard output: JSON lines, or short lines for people when it is a terminal.
    Stdout,
    /// This file, appended to.
    File(PathBuf),
    /// Nowhere.
    Off,
}

/// How host names become addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dns {
    /// Servers to ask; none means those of the system.
    pub servers: Vec<SocketAddr>,
}

/// Process-wide and per-request limits. Each name ends with its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body. Default 32 MiB.
    pub body_bytes_max: u64,
    /// Memory for bodies kept for replay, over all requests. Default 512 MiB.
    pub replay_bytes_max: u64,
    /// Largest unstreamed answer that is inspected for usage; a larger one is relayed without. Default 8 MiB.
    pub inspect_bytes_max: u64,
    /// Largest single event of a stream. Default 4 MiB.
    pub event_bytes_max: usize,
    /// Memory for answers that are kept for an outage, over all models. Default 64 MiB.
    pub cache_bytes_max: u64,
    /// Request headers. Default 64 KiB.
    pub header_bytes_max: usize,
    /// Client connections per process. Default 20,000.
    pub connections_max: usize,
    /// Time for a client to send its headers. Default 15 s.
    pub header_timeout: Duration,
    /// Time between two pieces of a request body. Default 30 s.
    pub body_idle_timeout: Duration,
}

/// What is kept of deferred requests: those that wait, and results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defer {
    /// Requests of the process. Default 20,000.
    pub requests_max: u64,
    /// Their bodies. Default 1 GiB.
    pub bytes_max: u64,
    /// Requests of one app. Default 5,000.
    pub app_requests_max: u64,
    /// Their bodies. Default 256 MiB.
    pub app_bytes_max: u64,
    /// How long results are kept. Default 24 h.
    pub keep: Duration,
}

/// An account with a vendor, or a model server.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Its name.
    pub name: Name,
    /// What it is, with quirks.
    pub kind: Arc<Kind>,
    /// Parsed base URL.
    pub base_url: BaseUrl,
    /// Credentials in order; empty only where the kind needs none.
    pub keys: Vec<ProviderKey>,
    /// Region, if declared.
    pub region: Option<Name>,
    /// How it continues an answer that broke off elsewhere; `None`: as the catalogue says of each model.
    pub prefill: Option<wellhead_catalog::Prefill>,
    /// It serves OpenAI's Responses API.
    pub responses: bool,
    /// Extra headers for every request (name in lower case, value).
    pub headers: Vec<(String, String)>,
    /// TLS to this provider.
    pub tls: Tls,
    /// Protocol to this provider.
    pub protocol: Protocol,
    /// Azure: `api-version` query parameter. `None`: the unversioned `/openai/v1` surface.
    pub api_version: Option<String>,
    /// It honours `Idempotency-Key`.
    pub idempotency: bool,
    /// Time to connect, TLS included. Default 2 s.
    pub connect_timeout: Duration,
    /// Most requests in flight at it; `None` means that nothing is configured.
    pub concurrency_max: Option<u32>,
}

/// A base URL that has been taken apart and checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// Whether it is https.
    pub tls: bool,
    /// Host without brackets.
    pub host: String,
    /// Port, defaulted from the scheme.
    pub port: u16,
    /// Path without a trailing slash: `/v1`, or empty.
    pub path: String,
}

/// One credential of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderKey {
    /// Stable id that reveals nothing: `provider#1`, or a hash prefix.
    pub id: Name,
    /// The key itself; empty where a cloud gives the credential out.
    pub secret: Secret,
    /// Where a cloud's credential comes from.
    pub cloud: Option<Arc<Cloud>>,
}

/// TLS to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Tls {
    /// PEM bundle that replaces the platform's roots.
    pub ca_file: Option<PathBuf>,
    /// Name to expect in the certificate and to send as SNI, instead of the host.
    pub server_name: Option<String>,
}

/// HTTP version to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// ALPN decides over TLS; HTTP/1.1 in clear text.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only, with prior knowledge in clear text.
    Http2,
}

/// A name that clients send; it stands for targets in tiers.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The name that clients send.
    pub name: Name,
    /// Targets, sorted by tier.
    pub targets: Vec<Target>,
    /// Deadline of one request: to the first content token when streamed, to completion otherwise. Default 600 s.
    pub deadline: Duration,
    /// Limit for the first token of a stream when another target exists; no learnt limit is above it. `None`: the
    /// decider's own (decision 10).
    pub first_token_timeout: Option<Duration>,
    /// Longest silence within a stream; no learnt limit is above it. Default 60 s.
    pub stream_idle_timeout: Duration,
    /// Longest stream. Default 3600 s (decision 11).
    pub stream_max: Duration,
    /// Most attempts for one request, over all targets. Default 6.
    pub attempts_max: u32,
    /// Longest wait for a recovery when no target can be asked. Default 30 s; zero refuses at once.
    pub hold_max: Duration,
    /// How an answer that broke off is continued (decision 12).
    pub rescue: Rescue,
    /// Streams are delivered only when they are complete.
    pub atomic: bool,
    /// A second target may be asked for a stream whose first content is late.
    pub hedge: bool,
    /// Regions of providers that may be asked (decision 19); `None` means all.
    pub regions: Option<Vec<Name>>,
    /// Parameters that may be left out for targets of another dialect that cannot do them.
    pub drop_unsupported: Vec<Name>,
    /// What stands in when no target can answer.
    pub fallback: Option<Fallback>,
    /// Its answers may come later.
    pub defer: Option<ModelDefer>,
}

/// What stands in when no target can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Longest wait for a recovery before something else is tried. Default 2 s.
    pub after: Duration,
    /// Earlier answers are given again.
    pub cache: Option<AnswerCache>,
    /// A model that can do less.
    pub model: Option<Name>,
    /// A model for requests that are too long for this one.
    pub larger_model: Option<Name>,
    /// What is said in place of an answer.
    pub text: Option<Name>,
}

/// Answers that are kept for an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerCache {
    /// How long one may be given again. Default 1 h.
    pub ttl: Duration,
    /// Who may get it.
    pub scope: CacheScope,
    /// Largest answer that is kept. Default 1 MiB.
    pub answer_bytes_max: u64,
}

/// Who may get an answer that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheScope {
    /// The app that it was given to.
    #[default]
    App,
    /// Every app that may use the model.
    All,
}

/// Answers that may come later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelDefer {
    /// Also instead of an error, when no target can answer.
    pub unavailable: bool,
    /// How long an answer is worth waiting for. Default 24 h.
    pub within: Duration,
    /// A request that may have been done is sent again to a provider that would do it twice.
    pub resend: bool,
    /// Requests under way at once. Default 4.
    pub concurrency: u32,
}

/// How an answer that broke off is continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rescue {
    /// Not at all.
    Off,
    /// Only where the continuation is the same text.
    #[default]
    Exact,
    /// Also by asking another target to go on.
    Best,
}

/// One place that can answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// `provider/vendor-model`: its id in records, metrics and state.
    pub id: Name,
    /// The provider.
    pub provider: Arc<Provider>,
    /// The vendor's name for the model.
    pub model: Name,
    /// What is known of the model; `None` where nobody has said anything.
    pub facts: Option<Arc<wellhead_catalog::Model>>,
    /// Share within the tier, 1 or more.
    pub weight: u32,
    /// 0 is used first.
    pub tier: u8,
}

/// A consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// Its name.
    pub name: Name,
    /// Its keys.
    pub keys: Vec<AppKey>,
    /// Names that it may send as `model`; `None` means all.
    pub models: Option<Vec<Name>>,
    /// Regions of providers that may see its requests (decision 19); `None` means all.
    pub regions: Option<Vec<Name>>,
    /// Where it is told that a deferred request has ended.
    pub webhook: Option<Webhook>,
    /// Its limits.
    pub limits: AppLimits,
    /// How important its requests are.
    pub priority: Priority,
    /// Where it was declared: `wellhead.yaml:42`, or `store`.
    pub origin: String,
}

/// A receiver of Standard Webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its address.
    pub url: BaseUrl,
    /// Secrets that messages are signed with.
    pub secrets: Vec<Secret>,
}

/// A key of an app, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppKey {
    /// Id for records: never the key.
    pub id: Name,
    /// Keyed hash of its text.
    pub hash: KeyHash,
}

/// Limits of an app. `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppLimits {
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
    /// Requests in flight.
    pub concurrency: Option<u64>,
}
