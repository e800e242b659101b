//! Why a request got no response, told by how far it came.

use wellhead_types::{Cause, Failure, Retry, Stage};

/// A request that got no response headers.
#[derive(Debug)]
pub struct SendError {
    /// How far it came.
    pub stage: Stage,
    /// Why.
    pub cause: Cause,
    /// For our own log: may name addresses.
    pub detail: String,
    /// Nothing of the request can have been processed: the same target may be asked again at once.
    pub unprocessed: bool,
}

impl SendError {
    pub(crate) fn new(stage: Stage, cause: Cause, detail: impl Into<String>) -> Self {
        Self { stage, cause, detail: detail.into(), unprocessed: stage < Stage::Send }
    }

    pub(crate) fn from_hyper(error: &hyper::Error) -> Self {
        if let Some(refused) = crate::tls::of_client_certificate(error) {
            return refused;
        }
        let cause = if error.is_parse() || error.is_user() {
            Cause::ProtocolError
        } else if error.is_timeout() {
            Cause::HeadersTimeout
        } else {
            Cause::ConnectionReset
        };
        let mut failed = Self::new(Stage::Headers, cause, chain(error));
        failed.unprocessed = error.is_canceled() || refused_stream(error);
        failed
    }
}

/// HTTP/2 says explicitly that a stream was not processed (RFC 9113 section 8.7).
fn refused_stream(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(h2) = inner.downcast_ref::<h2::Error>() {
            return h2.reason() == Some(h2::Reason::REFUSED_STREAM);
        }
        source = inner.source();
    }
    false
}

/// An error with everything beneath it, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let retry = if error.unprocessed { Retry::Anywhere } else { Retry::Elsewhere };
        Self { retry, ..Self::endpoint(error.stage, error.cause, error.detail) }
    }
}
