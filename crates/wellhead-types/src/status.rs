//! The upstream truth, as `/status` shows it. Plain data: the data plane fills it in, the control plane serves it.

use serde::Serialize;

/// Everything `/status` says.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// One sentence for a person.
    pub verdict: String,
    /// Program version.
    pub version: String,
    /// Seconds since start.
    pub uptime_s: u64,
    /// Whether the gateway is draining.
    pub draining: bool,
    /// The configuration that is being served, and what is wrong with the newest one.
    pub config: ConfigStatus,
    /// Requests that are answered later.
    pub deferred: DeferredStatus,
    /// Providers with their keys.
    pub providers: Vec<ProviderStatus>,
    /// Models with their targets.
    pub routes: Vec<RouteStatus>,
    /// What is wrong although requests are served: names that cannot be looked up, addresses that refuse, a
    /// configuration that was refused.
    pub findings: Vec<FindingStatus>,
}

/// Something that is wrong, with its evidence. Names addresses: for operators, not for clients.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingStatus {
    /// The code of the cause (docs/reference/causes.md).
    pub code: &'static str,
    /// The target, host or file that it is about.
    pub about: String,
    /// One sentence.
    pub message: String,
    /// Seconds since it began, if that is known.
    pub since_s: Option<f64>,
    /// Seconds since the target last answered well; `None`: never, or not about a target.
    pub last_success_age_s: Option<f64>,
    /// What to change, or which command to run.
    pub fix: String,
}

/// Why a model could not be served lately.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiagnosisStatus {
    /// The code of the cause (docs/reference/causes.md).
    pub code: &'static str,
    /// What clients are told.
    pub message: String,
    /// Seconds since requests have been failing for this cause.
    pub since_s: f64,
    /// Seconds since the newest of them.
    pub last_seen_s: f64,
    /// Requests that failed meanwhile.
    pub requests: u64,
    /// Seconds until the first target recovers, if that is known.
    pub recovery_s: Option<f64>,
    /// What to change, or which command to run.
    pub fix: String,
    /// The newest of them, for `wellhead explain`.
    pub request_id: String,
}

/// Requests that are answered later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DeferredStatus {
    /// They wait for a target.
    pub queued: u64,
    /// A target is being asked.
    pub running: u64,
    /// They have ended and are kept for their owners.
    pub kept: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Bytes of the log on disk.
    pub disk_bytes: u64,
    /// Age of the oldest that waits, in seconds.
    pub oldest_s: u64,
}

/// The configuration in force.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ConfigStatus {
    /// Where it came from: a file's path, or "none: defaults".
    pub source: String,
    /// Generation being served.
    pub generation: u64,
    /// Unix milliseconds at which it took effect.
    pub loaded_at_ms: u64,
    /// Whether the newest attempt to load succeeded.
    pub last_reload_ok: bool,
    /// Messages of the newest attempt if it failed: file, line, what was expected.
    pub last_reload_errors: Vec<String>,
    /// Fields that are accepted but have no effect yet, with file and line.
    pub warnings: Vec<String>,
}

/// One provider.
#[derive(Debug, Clone, Serialize)]
pub struct ProviderStatus {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its region, if declared.
    pub region: Option<String>,
    /// Its keys.
    pub keys: Vec<KeyStatus>,
    /// Most requests that it is given at a time, if that is configured, and how many it has now.
    pub concurrency: Option<Concurrency>,
}

/// The configured slots of a provider.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Concurrency {
    /// `concurrency_max`.
    pub max: u32,
    /// Taken now.
    pub taken: u32,
}

/// One provider key, masked.
#[derive(Debug, Clone, Serialize)]
pub struct KeyStatus {
    /// `…a1`.
    pub key: String,
    /// `ok`, `rejected`, `unavailable` (its cloud does not give it out), `limited` or `exhausted`.
    pub state: &'static str,
    /// Seconds until it is tried again.
    pub resting_s: Option<f64>,
    /// Models that it is limited for, with the seconds left.
    pub limited_models: Vec<(String, f64)>,
}

/// One model as clients name it.
#[derive(Debug, Clone, Serialize)]
pub struct RouteStatus {
    /// The name that clients send.
    pub model: String,
    /// `ok` (every target answers), `impaired` (some rest) or `down` (all rest).
    pub state: &'static str,
    /// Why requests for it have failed lately; `None` while they are answered.
    pub diagnosis: Option<DiagnosisStatus>,
    /// What is wrong with its targets now.
    pub findings: Vec<FindingStatus>,
    /// Its targets in order of tier.
    pub targets: Vec<TargetStatus>,
    /// Requests that wait for a target now, by class; classes of which none waits are left out.
    pub queued: Vec<(&'static str, usize)>,
    /// Requests a second that are let in after an outage; nothing while everybody is.
    pub admitted_per_s: Option<f64>,
}

/// One target of a model.
#[derive(Debug, Clone, Serialize)]
pub struct TargetStatus {
    /// `provider/vendor-model`.
    pub target: String,
    /// Tier, 0 first.
    pub tier: u8,
    /// Weight within the tier.
    pub weight: u32,
    /// `unknown` (not asked yet), `ok` or `failing`.
    pub state: &'static str,
    /// Attempts in flight.
    pub in_flight: u64,
    /// Those of them that wait for their first content.
    pub waiting: u32,
    /// Attempts that it is given at a time, while it refuses more.
    pub in_flight_max: Option<u32>,
    /// Attempts that may wait for their first content, while more only wait longer.
    pub waiting_max: Option<u32>,
    /// Attempts that ended well.
    pub successes: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Failures since the last success.
    pub consecutive_failures: u64,
    /// State of its breaker: `unknown`, `ok`, `suspect` (failed lately), `open` (left alone) or `probing`.
    pub phase: &'static str,
    /// Seconds until it is asked again, if it is left alone.
    pub rests_s: Option<f64>,
    /// Seconds since the first of these failures.
    pub failing_for_s: Option<f64>,
    /// Code of the newest failure.
    pub last_failure: Option<&'static str>,
    /// Seconds since the newest failure.
    pub last_failure_age_s: Option<f64>,
    /// Seconds since the newest success.
    pub last_success_age_s: Option<f64>,
    /// What has been learnt of the time to the first token of a stream, once there are enough samples. Only where other
    /// targets could answer instead.
    pub streamed: Option<LearntStatus>,
    /// The same of unstreamed answers.
    pub unstreamed: Option<LearntStatus>,
}

/// What has been learnt of how long a target takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LearntStatus {
    /// Seconds that one in two takes longer than.
    pub p50_s: f64,
    /// One in twenty.
    pub p95_s: f64,
    /// One in a hundred.
    pub p99_s: f64,
    /// Seconds after which another target is asked, if one is willing; none: at the deadline.
    pub limit_s: Option<f64>,
    /// Seconds of silence after which a stream counts as broken off.
    pub idle_limit_s: Option<f64>,
}
