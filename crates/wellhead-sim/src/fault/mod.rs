//! What can go wrong with an answer, how it is written down, and which request it happens to.

mod disguise;
mod plan;
mod rule;
mod text;

pub(crate) use disguise::disguise;
pub(crate) use plan::{Interruption, Opening, Plan};
pub(crate) use rule::{Chosen, Rules, rule_from_json};
pub use rule::{Match, Rule};
pub use text::{FaultError, Faults};

use std::collections::BTreeMap;

/// Longest time that a fault may name: an hour is more than any deadline.
pub(crate) const FAULT_MS_MAX: u64 = 3_600_000;
/// Largest line of `huge-line`. Streamed, it is sent in pieces and costs the simulator nothing.
pub(crate) const HUGE_LINE_BYTES_MAX: u64 = 256 << 20;

/// One thing that goes wrong with an answer. The crate's page has the table of what each does.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fault {
    /// The connection is reset without an answer, as if nobody listened.
    Refuse,
    /// The request is read, then the connection is reset.
    ResetBeforeHeaders,
    /// Status and headers are sent, then the connection is reset.
    ResetAfterHeaders,
    /// Nothing is ever answered.
    Silence,
    /// The first token comes late.
    SlowFirstToken {
        /// Milliseconds on top of the usual time.
        ms: u64,
    },
    /// Tokens come at another pace.
    SlowTokens {
        /// Milliseconds between two tokens.
        ms: u64,
    },
    /// An error answer.
    Status {
        /// The status code, 200 to 599.
        code: u16,
        /// Headers on top of the usual ones.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body: a string is sent as it is, anything else as JSON. By default an error of the OpenAI family.
        #[serde(default)]
        body: Option<serde_json::Value>,
        /// The value of `Retry-After`: seconds or a date.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The connection ends cleanly in the middle of the answer.
    CutAfter {
        /// Tokens sent before.
        tokens: u64,
    },
    /// The connection is reset in the middle of the answer.
    ResetAfter {
        /// Tokens sent before.
        tokens: u64,
    },
    /// The answer stops in the middle, and the connection stays open.
    StallAfter {
        /// Tokens sent before.
        tokens: u64,
    },
    /// An event that is not JSON, in the middle of an otherwise healthy stream.
    MalformedEvent {
        /// Tokens sent before.
        #[serde(default = "one")]
        tokens: u64,
    },
    /// The stream ends without finish reason and end mark.
    MissingTerminator,
    /// Status 200, but the content is an error.
    #[serde(rename = "error-in-200")]
    ErrorIn200,
    /// An error event in the middle of the stream.
    ErrorMidStream {
        /// Tokens sent before.
        tokens: u64,
    },
    /// Status 200 with an HTML page.
    WrongContentType,
    /// A gzip body.
    Compressed {
        /// Compress even when the client does not accept it.
        #[serde(default)]
        force: bool,
    },
    /// A very long line.
    HugeLine {
        /// Its length in bytes.
        #[serde(default = "mebibyte")]
        bytes: u64,
    },
    /// Status 200 and an empty body.
    EmptyBody,
    /// Status 200 with broken JSON.
    BadJson,
    /// The head comes byte by byte.
    DripHeaders {
        /// Milliseconds between two bytes.
        #[serde(default = "twenty")]
        ms: u64,
    },
    /// No fault: sets the length of the answer.
    Tokens {
        /// Tokens of the answer.
        tokens: u64,
    },
}

const fn one() -> u64 {
    1
}
const fn twenty() -> u64 {
    20
}
const fn mebibyte() -> u64 {
    1 << 20
}

impl Fault {
    /// Refuses values that make no sense, saying what would.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let within = |what: &str, value: u64, max: u64| {
            if value <= max {
                Ok(())
            } else {
                Err(FaultError(format!("{what} {value} is too large; the most is {max}")))
            }
        };
        match self {
            Self::SlowFirstToken { ms } | Self::SlowTokens { ms } | Self::DripHeaders { ms } => {
                within("ms", *ms, FAULT_MS_MAX)
            }
            Self::CutAfter { tokens }
            | Self::ResetAfter { tokens }
            | Self::StallAfter { tokens }
            | Self::MalformedEvent { tokens }
            | Self::ErrorMidStream { tokens }
            | Self::Tokens { tokens } => within("tokens", *tokens, crate::options::ANSWER_TOKENS_MAX as u64),
            Self::HugeLine { bytes } => within("bytes", *bytes, HUGE_LINE_BYTES_MAX),
            Self::Status { code, headers, retry_after, .. } => {
                check_status(*code, headers, retry_after.as_deref())
            }
            _ => Ok(()),
        }
    }
}

fn check_status(
    code: u16,
    headers: &BTreeMap<String, String>,
    retry: Option<&str>,
) -> Result<(), FaultError> {
    if !(200..600).contains(&code) {
        return Err(FaultError(format!("status code {code} is not between 200 and 599")));
    }
    let retry = retry.map(|value| ("retry-after", value));
    for (name, value) in headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain(retry) {
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(FaultError(format!("{name:?} is not a header name")));
        }
        if http::HeaderValue::from_str(value).is_err() {
            return Err(FaultError(format!(
                "the value of header {name} has characters that HTTP does not allow"
            )));
        }
    }
    Ok(())
}
