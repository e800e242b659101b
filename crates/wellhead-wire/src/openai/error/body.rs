//! The error that a client gets from us: OpenAI's four members, always, and ours beside them.

use bytes::Bytes;
use serde::{Serialize, Serializer};
use wellhead_types::Side;

/// One attempt, as the client may see it: names of targets, never addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// `provider/vendor-model`.
    pub target: String,
    /// `ok`, `cancelled` or a failure code.
    pub outcome: String,
    /// The upstream's HTTP status, if it sent one.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// Everything that an error answer says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorBody {
    /// For people: what happened and what to do.
    pub message: String,
    /// OpenAI's class of error: `invalid_request_error`, `rate_limit_error`, `server_error`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The parameter at fault, or null.
    pub param: Option<String>,
    /// The stable code, or null.
    pub code: Option<String>,
    /// What is behind it, as a code of docs/reference/causes.md, where the gateway could not get an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// Whose fault.
    #[serde(serialize_with = "side")]
    pub source: Side,
    /// Id of the request.
    pub request_id: String,
    /// The model or API that was asked for, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
    /// Seconds until another try makes sense, unclamped; the headers carry the clamped value. Null when unknown.
    pub retry_after_s: Option<f64>,
    /// Page that explains the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn side<S: Serializer>(side: &Side, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(side.as_str())
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a ErrorBody,
}

impl ErrorBody {
    /// The body of the answer: `{"error":{…}}`.
    pub fn to_bytes(&self) -> Bytes {
        // Strings and numbers alone cannot fail to serialise; should that ever change, the client still gets an error.
        serde_json::to_vec(&Envelope { error: self }).map_or_else(
            |_| Bytes::from_static(br#"{"error":{"message":"internal error","type":"server_error","param":null,"code":null}}"#),
            Bytes::from,
        )
    }
}
