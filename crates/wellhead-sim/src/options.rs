//! What a simulator is started with, and the limits that it keeps to.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Longest request body: vision and audio requests are large, and a test may send twice the gateway's own default.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;
/// Longest request head: more than any client sends, small enough for 20,000 connections.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;
/// Most header lines of one request.
pub(crate) const HEADERS_MAX: usize = 128;
/// Bytes read ahead while an answer is being sent (a pipelined request, or the sign that the client left).
pub(crate) const READ_AHEAD_BYTES_MAX: usize = 64 << 10;
/// Connections open at once; more are reset at accept.
pub(crate) const CONNECTIONS_MAX: usize = 20_000;
/// Streams open at once on one HTTP/2 connection; public vendors allow about this many.
pub(crate) const H2_STREAMS_MAX: u32 = 256;
/// Fault rules kept at once.
pub(crate) const RULES_MAX: usize = 1_000;
/// Tokens of one answer, whatever is asked for: a token is a few bytes, so this stays below 64 MiB.
pub(crate) const ANSWER_TOKENS_MAX: usize = 1_000_000;
/// Answers of one request (`n`), as the OpenAI API has it.
pub(crate) const CHOICES_MAX: u64 = 128;
/// Bodies kept in the log, all entries together.
pub(crate) const LOG_BYTES_MAX: usize = 128 << 20;

/// Certificate chain and private key, both PEM, with which the simulator speaks TLS.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The chain, leaf first.
    pub certificate_pem: String,
    /// The key of the leaf (PKCS#8, PKCS#1 or SEC1).
    pub key_pem: String,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

/// The capacity of a simulator, as of a model server that has been started for so many requests at once. A request
/// takes its slot until the last byte of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// Requests that are worked on at the same time.
    pub count: usize,
    /// The status that further ones are refused with; `None` lets them wait for a slot, in order of arrival.
    pub refuse: Option<u16>,
}

/// How a simulator behaves.
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// Where it listens; port 0 takes a free port.
    pub addr: SocketAddr,
    /// Time between two tokens of an answer. An unstreamed answer takes as long as its tokens would.
    pub token_pace: Duration,
    /// Tokens of an answer when the request sets no lower limit.
    pub tokens_default: usize,
    /// Answers depend on the conversation and on this.
    pub seed: u64,
    /// The keys that are accepted; `None` accepts everything, even no key.
    pub api_keys: Option<Vec<String>>,
    /// The models that `GET /v1/models` lists. Other names are answered too, but for `unknown-*`.
    pub models: Vec<String>,
    /// Path prefixes under which the endpoints are found. Azure's `/openai/deployments/NAME` always works.
    pub base_paths: Vec<String>,
    /// Requests kept in the log; older ones are forgotten. 0 switches the log off.
    pub log_entries_max: usize,
    /// Bytes of each body kept in the log.
    pub body_kept_bytes_max: usize,
    /// How many requests it works on at a time; `None` is any number.
    pub slots: Option<Slots>,
    /// TLS instead of cleartext, with HTTP/2 offered through ALPN.
    pub tls: Option<TlsIdentity>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token_pace: Duration::from_millis(20),
            tokens_default: 48,
            seed: 1,
            api_keys: None,
            models: ["practice", "practice-large", "practice-reason", "practice-embed"]
                .map(String::from)
                .to_vec(),
            base_paths: ["/v1", "/openai/v1"].map(String::from).to_vec(),
            log_entries_max: 10_000,
            body_kept_bytes_max: 64 << 10,
            slots: None,
            tls: None,
        }
    }
}
