//! One message, and what Amazon's services say with its headers.

use super::header::Headers;
use bytes::Bytes;

/// A message whose sums are right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Names and values.
    pub headers: Headers,
    /// What it carries; with Bedrock a JSON object.
    pub payload: Bytes,
}

/// What a message is, by its headers that begin with a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A piece of the answer, with its `:event-type` (`contentBlockDelta`).
    Event(&'a str),
    /// A failure that the API declares, with its `:exception-type` (`throttlingException`); the payload says more.
    Exception(&'a str),
    /// Any other failure.
    Error {
        /// `:error-code`.
        code: &'a str,
        /// `:error-message`.
        message: &'a str,
    },
    /// None of these: to be passed over.
    Other,
}

impl Message {
    /// What it is.
    pub fn kind(&self) -> Kind<'_> {
        let text = |name| self.headers.text(name);
        match text(":message-type") {
            Some("event") => text(":event-type").map_or(Kind::Other, Kind::Event),
            Some("exception") => Kind::Exception(text(":exception-type").unwrap_or_default()),
            Some("error") => Kind::Error {
                code: text(":error-code").unwrap_or_default(),
                message: text(":error-message").unwrap_or_default(),
            },
            _ => Kind::Other,
        }
    }
}
