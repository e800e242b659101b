//! The vocabulary that every other crate shares: who failed, how far a request fell, what it used.
//!
//! Nothing here does I/O, reads a clock or draws a random number: callers pass `now` and entropy in.

mod diagnosis;
mod failure;
pub mod planted;
mod priority;
mod request_id;
mod rung;
mod secret;
mod status;
mod story;
mod usage;

pub use diagnosis::Diagnosis;
pub use failure::{Cause, Failure, Retry, Scope, Side, Stage};
pub use priority::Priority;
pub use request_id::RequestId;
pub use rung::{Outcome, Rung};
pub use secret::Secret;
pub use status::{
    Concurrency, ConfigStatus, DeferredStatus, DiagnosisStatus, FindingStatus, KeyStatus, LearntStatus,
    ProviderStatus, RouteStatus, Status, TargetStatus,
};
pub use story::{StoriesKept, Story, StoryAttempt, StoryDiagnosis};
pub use usage::Usage;

/// A name that is shared between snapshots, records and metrics without copying.
pub type Name = std::sync::Arc<str>;
