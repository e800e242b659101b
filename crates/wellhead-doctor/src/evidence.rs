//! What the probe has seen, as plain data for the judge.

use bytes::Bytes;
use http::HeaderMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wellhead_net::{Examination, SendError};

/// What was seen of one provider.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// Name, addresses, handshake.
    pub(crate) network: Arc<Examination>,
    /// The name server that told the addresses.
    pub(crate) answered_by: Option<SocketAddr>,
    /// In clear text something went wrong, and the port does speak TLS.
    pub(crate) port_speaks_tls: bool,
    /// One for each key; one for a provider without keys; none if the network did not let it be asked.
    pub(crate) keys: Vec<KeyEvidence>,
}

/// What came when the provider was asked for its models with one key.
#[derive(Debug)]
pub(crate) struct KeyEvidence {
    /// Which key of the provider; `None` without one.
    pub(crate) key: Option<usize>,
    /// What was asked for.
    pub(crate) url: String,
    /// What came.
    pub(crate) asked: Asked,
    /// Base paths of the same server below which there is a list of models, looked for where the configured one has
    /// none.
    pub(crate) lists_below: Vec<String>,
}

/// The outcome of one question.
#[derive(Debug)]
pub(crate) enum Asked {
    /// An answer, good or bad.
    Answered(Answer),
    /// No answer.
    Failed(SendError),
    /// The question cannot be asked.
    Unsendable(String),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// As much as was read.
    pub(crate) body: Bytes,
    /// To the last byte.
    pub(crate) took: Duration,
}
