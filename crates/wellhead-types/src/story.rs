//! The story of one request that did not go straight, as `wellhead explain` tells it. Names addresses and the vendors'
//! words: for operators, not for clients. Never a prompt, an answer or a key.

use crate::FindingStatus;
use serde::Serialize;

/// What happened to one request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    /// Its id.
    pub request_id: String,
    /// When it came, Unix milliseconds.
    pub at_ms: u64,
    /// App of the caller.
    pub app: Option<String>,
    /// The model that was asked for.
    pub route: Option<String>,
    /// Endpoint template: `/v1/chat/completions`.
    pub endpoint: &'static str,
    /// Whether a stream was asked for.
    pub streamed: bool,
    /// Status that the client saw; 0 if it left before.
    pub status: u16,
    /// How it ended (`outcome` of the metrics).
    pub outcome: &'static str,
    /// Which rung answered.
    pub rung: &'static str,
    /// Code of the error, if it failed.
    pub code: Option<&'static str>,
    /// From its head to the end of the answer.
    pub duration_ms: u64,
    /// Time that it had, the caller's own patience included; `None` if it was refused before that was known.
    pub allowed_ms: Option<u64>,
    /// What the gateway did about it, in one sentence.
    pub did: String,
    /// Every attempt in order.
    pub attempts: Vec<StoryAttempt>,
    /// Why it failed; `None` if it was answered.
    pub diagnosis: Option<StoryDiagnosis>,
    /// What was known of the targets at that moment, and what is wrong with them.
    pub findings: Vec<FindingStatus>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoryAttempt {
    /// `provider/vendor-model`.
    pub target: String,
    /// Id of the provider key.
    pub key_id: Option<String>,
    /// When it began, after the request came.
    pub at_ms: u64,
    /// How long it took.
    pub took_ms: u64,
    /// The upstream's status, if it sent one.
    pub status: Option<u16>,
    /// `ok`, `cancelled` or the code of the failure.
    pub outcome: &'static str,
    /// How far it had come when it failed.
    pub stage: Option<&'static str>,
    /// How long the upstream asked to be left alone.
    pub retry_after_s: Option<f64>,
    /// What exactly was seen or said.
    pub detail: Option<String>,
}

/// Why the gateway said no.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoryDiagnosis {
    /// The code of the cause (docs/reference/causes.md).
    pub code: &'static str,
    /// What the client was told.
    pub message: String,
    /// Seconds from then to the earliest recovery, if it was known.
    pub recovery_s: Option<f64>,
    /// What to change, or which command to run.
    pub fix: String,
}

/// How many stories there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StoriesKept {
    /// Stories that can be told.
    pub stories: usize,
    /// Most that are kept.
    pub stories_max: usize,
    /// Memory that they take.
    pub bytes: usize,
    /// Most memory that they may take.
    pub bytes_max: usize,
}
