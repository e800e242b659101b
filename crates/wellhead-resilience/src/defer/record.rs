//! What is written down about a deferred request. Each record is final when it is durable; later ones add to it.

use super::{Entry, Id};
use serde::{Deserialize, Serialize};
use wellhead_types::Name;

/// One line of a request's life. The request's body stands behind [`Record::Accepted`], the answer's behind
/// [`Record::Finished`], whichever is still needed behind [`Record::Moved`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Record {
    /// The client may be told that it will be answered.
    Accepted(Box<Accepted>),
    /// A target is about to be asked; those before have certainly not done the work. Without a record after it, nobody
    /// knows whether this one has.
    Started {
        /// Which request.
        id: Id,
        /// When, in milliseconds since 1970.
        at_ms: u64,
        /// Who is asked.
        target: Name,
        /// Who may have done the work in an earlier life of the process. The log says nothing of a death, and who was
        /// asked before one looks like somebody who has certainly not done it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubt: Option<Name>,
    },
    /// The target did not answer; the request waits again.
    Returned {
        /// Which request.
        id: Id,
        /// When, in milliseconds since 1970.
        at_ms: u64,
        /// The target has certainly not done the work.
        certain: bool,
        /// Why, as a code.
        cause: String,
    },
    /// It has come to its end, and nothing will change that.
    Finished {
        /// Which request.
        id: Id,
        /// How.
        end: Box<Finished>,
    },
    /// Its owner has been told, or not.
    Delivered {
        /// Which request.
        id: Id,
        /// What became of the telling.
        delivery: Delivered,
    },
    /// All that is known of a request, so that what was written about it before may go.
    Moved(Box<Entry>),
}

/// A request as it was accepted. It holds no credential: of the key only its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its id.
    pub id: Id,
    /// Its place among those that were accepted.
    pub order: u64,
    /// Whose it is.
    pub app: Name,
    /// Id of the key that it came with.
    pub key_id: Name,
    /// The model that it names.
    pub model: Name,
    /// The path of the API, as documentation names it.
    pub endpoint: String,
    /// Headers that go on to the target.
    pub headers: Vec<(String, String)>,
    /// The client's `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// SHA-256 over endpoint and body, in hex, where there is a key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Id of the HTTP request that brought it.
    pub request_id: String,
    /// When, in milliseconds since 1970.
    pub accepted_ms: u64,
    /// When it is no longer worth answering, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// How a request has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A target has answered.
    Completed,
    /// A target has refused it for good, or nobody knows what became of it.
    Failed,
    /// Nobody could answer in time.
    Expired,
    /// Its owner took it back.
    Cancelled,
}

impl How {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The end of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// How.
    pub how: How,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Until when it is kept, in milliseconds since 1970.
    pub keep_until_ms: u64,
    /// HTTP status of the answer; 0 where there is none.
    pub status: u16,
    /// Headers of the answer.
    pub headers: Vec<(String, String)>,
    /// Why there is no answer, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its owner is to be told.
    #[serde(default)]
    pub notify: bool,
}

/// How far telling the owner has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Times that it was tried.
    pub tries: u32,
    /// When it is tried again, in milliseconds since 1970; `None`: no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<u64>,
    /// It has been taken.
    pub taken: bool,
    /// What the last try came to: a status, or why there was none.
    pub last: String,
}
