//! What the store keeps, as plain data. Instants are unix milliseconds and come from the caller.

use serde::{Deserialize, Serialize};
use wellhead_policy::KeyHash;

/// Most keys of one app that are neither revoked nor expired: plenty for rotation, few enough to list on one screen.
pub const KEYS_PER_APP_MAX: u32 = 100;

/// Most key rows of one app, revoked and expired ones included; the oldest dead ones are forgotten first.
pub const KEY_ROWS_PER_APP_MAX: u32 = 1_000;

/// Most rows of one question for a listing: bounds the memory of an answer. 500 to show, and one more that tells
/// whether there are more.
pub const PAGE_ROWS_MAX: u32 = 501;

/// Most entries of the history of generations; the oldest are forgotten first. At one change an hour that is six weeks.
pub(crate) const GENERATIONS_KEPT_MAX: i64 = 1_000;

/// The part of an app that people set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppSettings {
    /// Names that it may send as `model`; `None` means all.
    pub models: Option<Vec<String>>,
    /// Requests per minute; `None` means unlimited.
    pub rpm: Option<u64>,
    /// Tokens per minute; `None` means unlimited.
    pub tpm: Option<u64>,
    /// Requests in flight; `None` means unlimited.
    pub concurrency: Option<u64>,
}

/// An app made through the management API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredApp {
    /// Its name: unique.
    pub name: String,
    /// What people set.
    pub settings: AppSettings,
    /// Differs after every change and is never used twice, not even for another app of the same name.
    pub version: u64,
    /// When it was made.
    pub created_at_ms: u64,
    /// When it was last changed.
    pub updated_at_ms: u64,
}

/// A key that is about to be kept. Its text never reaches the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Random id that reveals nothing.
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// The last characters of the text, for display.
    pub tail: String,
    /// Keyed hash of the text.
    pub hash: KeyHash,
    /// When it stops working, if ever.
    pub expires_at_ms: Option<u64>,
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Random id.
    pub id: String,
    /// The app that it belongs to.
    pub app: String,
    /// Position in the order of creation; the cursor of listings.
    pub seq: u64,
    /// A name for people.
    pub name: Option<String>,
    /// The last characters of the text.
    pub tail: String,
    /// Keyed hash of the text.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at_ms: u64,
    /// When it stops working, if ever.
    pub expires_at_ms: Option<u64>,
    /// When it was revoked, if it was.
    pub revoked_at_ms: Option<u64>,
}

impl StoredKey {
    /// Whether requests with this key are accepted at `now_ms`.
    pub fn is_live(&self, now_ms: u64) -> bool {
        self.revoked_at_ms.is_none() && self.expires_at_ms.is_none_or(|at| at > now_ms)
    }
}

/// Every app with the keys that work now: what a snapshot is made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppsInForce {
    /// Apps by name, each with its live keys in order of creation.
    pub apps: Vec<(StoredApp, Vec<StoredKey>)>,
    /// When the next of these keys expires, and the snapshot with it.
    pub next_expiry_ms: Option<u64>,
}

/// What became of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenerationOutcome {
    /// It serves.
    Applied,
    /// It was invalid; the one before keeps serving.
    Rejected,
}

impl GenerationOutcome {
    /// The word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Applied, Self::Rejected].into_iter().find(|o| o.as_str() == word)
    }
}

/// One attempt to change the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGeneration {
    /// The generation that serves after it.
    pub generation: u64,
    /// When.
    pub at_ms: u64,
    /// Where the text came from.
    pub source: String,
    /// SHA-256 of the text, 64 hex digits.
    pub sha256: String,
    /// What became of it.
    pub outcome: GenerationOutcome,
    /// Why it was tried: `start`, `file changed`, `SIGHUP`, `api`, …
    pub reason: String,
    /// Who asked: `system` or `admin`.
    pub actor: String,
    /// Diagnostics: warnings if it was applied, errors if not.
    pub messages: Vec<String>,
}

/// An entry of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGeneration {
    /// Grows with every entry; the cursor of listings.
    pub id: u64,
    /// What was recorded.
    pub entry: NewGeneration,
}
