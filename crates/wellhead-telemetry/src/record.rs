//! What is known about one request when it has ended. No prompts, no answers, no keys.

use std::time::Duration;
use wellhead_catalog::Cost;
use wellhead_types::{Name, Outcome, Priority, RequestId, Rung, Usage};

/// One request, settled.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Start, wall clock, nanoseconds since 1970.
    pub started_unix_ns: u64,
    /// From the request's last header byte to the end of the answer.
    pub duration: Duration,
    /// From start to the first byte of the answer's content that went to the client.
    pub first_byte: Option<Duration>,
    /// Time that the gateway itself took before the first attempt was sent.
    pub overhead: Duration,
    /// Its id.
    pub request_id: RequestId,
    /// Trace that it belongs to.
    pub trace: TraceContext,
    /// App, if identified.
    pub app: Option<Name>,
    /// Id of the app's key.
    pub key_id: Option<Name>,
    /// The model name that was asked for, if it is a known one (bounded label).
    pub route: Option<Name>,
    /// Endpoint template (`/v1/chat/completions`), never the raw path.
    pub endpoint: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// `gen_ai.operation.name`: chat, text_completion, embeddings, …
    pub operation: &'static str,
    /// Status that the client saw; 0 if it left before one was sent.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// How important it was.
    pub priority: Priority,
    /// Which rung answered.
    pub rung: Rung,
    /// Error code, if it failed.
    pub code: Option<&'static str>,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// Bytes of the request body.
    pub request_bytes: u64,
    /// Bytes of the answer's body.
    pub response_bytes: u64,
    /// Tokens, if known.
    pub usage: Option<Usage>,
    /// Whether `usage` was estimated here rather than reported.
    pub usage_estimated: bool,
    /// What all attempts cost together.
    pub cost: Cost,
    /// Whether the request's body was kept for further attempts. False: the memory for that was used up, and the
    /// request was sent once.
    pub replay: bool,
    /// Every attempt in order.
    pub attempts: Vec<AttemptRecord>,
}

/// One attempt against one target.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// `provider/vendor-model`.
    pub target: Name,
    /// Provider's name.
    pub provider: Name,
    /// OpenTelemetry `gen_ai.provider.name`.
    pub otel_provider: Name,
    /// The vendor's model name.
    pub model: Name,
    /// Id of the provider key used.
    pub key_id: Option<Name>,
    /// Span id of the attempt.
    pub span_id: [u8; 8],
    /// Start, relative to the request's.
    pub offset: Duration,
    /// How long it took.
    pub duration: Duration,
    /// From its start to its first content byte.
    pub first_byte: Option<Duration>,
    /// Upstream's status, if any.
    pub status: Option<u16>,
    /// `ok`, `cancelled`, or a failure code.
    pub result: &'static str,
    /// What it cost. Attempts that failed before their answer began are taken for free.
    pub cost: Cost,
}

/// W3C trace context of the request's own span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Trace id.
    pub trace_id: [u8; 16],
    /// The caller's span, if one was sent.
    pub parent_id: Option<[u8; 8]>,
    /// Our SERVER span.
    pub span_id: [u8; 8],
    /// Whether the caller sampled the trace.
    pub sampled: bool,
}
